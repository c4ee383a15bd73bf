/* Copies between strided memory and contiguous scratch, for elements of 1, 2, 4 and 8 bytes.

   Steps are bytes. Addresses are aligned, as those that NumPy gives an inner loop. Steps that are
   known to the compiler become vector shuffles: with any step, gathering each second float32 takes
   as long as a tanh. */
#ifndef FASTACT_STRIDES_H
#define FASTACT_STRIDES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__)
#define FASTACT_NO_ALIAS __restrict__
#elif defined(_MSC_VER)
#define FASTACT_NO_ALIAS __restrict
#else
#define FASTACT_NO_ALIAS
#endif

#define FASTACT_GATHER_BY(elements)                                                             \
    for (ptrdiff_t i = 0; i < n; i++) to[i] = source[i * (elements)];                           \
    return

#define FASTACT_SCATTER_BY(elements)                                                            \
    for (ptrdiff_t i = 0; i < n; i++) target[i * (elements)] = from[i];                         \
    return

#define FASTACT_STRIDED_COPIES(type)                                                            \
    static void fastact_gather_##type(type *FASTACT_NO_ALIAS to, const char *from,              \
                                      ptrdiff_t step, ptrdiff_t n)                              \
    {                                                                                           \
        const type *FASTACT_NO_ALIAS source = (const type *)from;                               \
        switch (step) { /* in bytes: where doubles are aligned to 4, it may be 12 */            \
        case 0: FASTACT_GATHER_BY(0);                                                           \
        case sizeof(type): memcpy(to, from, n * sizeof(type)); return;                          \
        case 2 * sizeof(type): FASTACT_GATHER_BY(2);                                            \
        case 3 * sizeof(type): FASTACT_GATHER_BY(3);                                            \
        case 4 * sizeof(type): FASTACT_GATHER_BY(4);                                            \
        case -(ptrdiff_t)sizeof(type): FASTACT_GATHER_BY(-1);                                   \
        }                                                                                       \
        for (ptrdiff_t i = 0; i < n; i++) to[i] = *(const type *)(from + i * step);             \
    }                                                                                           \
                                                                                                \
    static void fastact_scatter_##type(char *to, const type *FASTACT_NO_ALIAS from,             \
                                       ptrdiff_t step, ptrdiff_t n)                             \
    {                                                                                           \
        type *FASTACT_NO_ALIAS target = (type *)to;                                             \
        switch (step) {                                                                         \
        case sizeof(type): memcpy(to, from, n * sizeof(type)); return;                          \
        case 2 * sizeof(type): FASTACT_SCATTER_BY(2);                                           \
        }                                                                                       \
        for (ptrdiff_t i = 0; i < n; i++) *(type *)(to + i * step) = from[i];                   \
    }

FASTACT_STRIDED_COPIES(uint8_t)
FASTACT_STRIDED_COPIES(uint16_t)
FASTACT_STRIDED_COPIES(uint32_t)
FASTACT_STRIDED_COPIES(uint64_t)

static void fastact_gather(void *to, const char *from, ptrdiff_t step, ptrdiff_t n, ptrdiff_t size)
{
    switch (size) {
    case 1: fastact_gather_uint8_t((uint8_t *)to, from, step, n); return;
    case 2: fastact_gather_uint16_t((uint16_t *)to, from, step, n); return;
    case 4: fastact_gather_uint32_t((uint32_t *)to, from, step, n); return;
    default: fastact_gather_uint64_t((uint64_t *)to, from, step, n); return;
    }
}

static void fastact_scatter(char *to, const void *from, ptrdiff_t step, ptrdiff_t n, ptrdiff_t size)
{
    switch (size) {
    case 1: fastact_scatter_uint8_t(to, (const uint8_t *)from, step, n); return;
    case 2: fastact_scatter_uint16_t(to, (const uint16_t *)from, step, n); return;
    case 4: fastact_scatter_uint32_t(to, (const uint32_t *)from, step, n); return;
    default: fastact_scatter_uint64_t(to, (const uint64_t *)from, step, n); return;
    }
}

#endif
