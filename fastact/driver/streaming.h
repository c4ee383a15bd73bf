/* Stores that bypass the caches: for outputs too large to be found there later, they spare the
   processor reading what it is about to overwrite. */
#ifndef FASTACT_STREAMING_H
#define FASTACT_STREAMING_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>

/* Inputs and output together, from which these stores pay. Measured with relu: a Xeon (Sapphire
   Rapids), whose third-level cache is hardly faster than memory, gains from 4 MiB on (1.3 times as
   fast at 8 MiB, 1.6 at 128); a Zen 4 with 32 MiB of cache gains 1.3 to 1.6 above them, and a
   quarter of them would be twice as slow. */
static inline size_t fastact_streaming_bytes(void)
{
#ifdef __GNUC__
    if (__builtin_cpu_is("intel") && __builtin_cpu_supports("avx512f")) return 8 << 20;
#endif
    return 32 << 20;
}

/* Copy memory past the caches. MOVNTDQ faults at an address that is no multiple of 16, so the bytes
   before the first multiple are copied the usual way, as is the rest after the last whole vector:
   any address and size is safe. The source should be aligned where the target is. */
static inline void fastact_stream(void *to, const void *from, size_t size)
{
    const size_t vector = sizeof(__m128i);
    char *target = (char *)to;
    const char *source = (const char *)from;
    size_t head = -(uintptr_t)target % vector;
    if (head > size) head = size;
    memcpy(target, source, head);
    size_t done = head;
    for (; done + 4 * vector <= size; done += 4 * vector) {
        __m128i a = _mm_loadu_si128((const __m128i *)(source + done));
        __m128i b = _mm_loadu_si128((const __m128i *)(source + done + vector));
        __m128i c = _mm_loadu_si128((const __m128i *)(source + done + 2 * vector));
        __m128i d = _mm_loadu_si128((const __m128i *)(source + done + 3 * vector));
        _mm_stream_si128((__m128i *)(target + done), a);
        _mm_stream_si128((__m128i *)(target + done + vector), b);
        _mm_stream_si128((__m128i *)(target + done + 2 * vector), c);
        _mm_stream_si128((__m128i *)(target + done + 3 * vector), d);
    }
    memcpy(target + done, source + done, size - done);
}

/* Before anyone else reads what was streamed. */
static inline void fastact_end_streaming(void)
{
    _mm_sfence();
}

#else

static inline size_t fastact_streaming_bytes(void)
{
    return PTRDIFF_MAX;
}

static inline void fastact_stream(void *to, const void *from, size_t size)
{
    memcpy(to, from, size);
}

static inline void fastact_end_streaming(void)
{
}

#endif
#endif
