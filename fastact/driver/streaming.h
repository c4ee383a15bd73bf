/* Stores that bypass the caches: for outputs too large to be found there later, they spare the
   processor reading what it is about to overwrite. */
#ifndef FASTACT_STREAMING_H
#define FASTACT_STREAMING_H

#include <stddef.h>
#include <string.h>

#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>

static inline int fastact_can_stream(void)
{
    return 1;
}

/* Both are aligned to 64 bytes, and so is size. */
static inline void fastact_stream(void *to, const void *from, size_t size)
{
    __m128i *target = (__m128i *)to;
    const __m128i *source = (const __m128i *)from;
    for (size_t i = 0; i < size / sizeof(__m128i); i += 4) {
        __m128i a = _mm_load_si128(source + i), b = _mm_load_si128(source + i + 1);
        __m128i c = _mm_load_si128(source + i + 2), d = _mm_load_si128(source + i + 3);
        _mm_stream_si128(target + i, a);
        _mm_stream_si128(target + i + 1, b);
        _mm_stream_si128(target + i + 2, c);
        _mm_stream_si128(target + i + 3, d);
    }
}

/* Before anyone else reads what was streamed. */
static inline void fastact_end_streaming(void)
{
    _mm_sfence();
}

#else

static inline int fastact_can_stream(void)
{
    return 0;
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
