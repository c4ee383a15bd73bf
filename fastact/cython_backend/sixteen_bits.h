/* g f'(x) for float16 and bfloat16, f' from a table of 65,536 doubles: bit for bit what the loops
   over double and one rounding give.

   A loop goes over tiles, in passes that each have one or two types: gcc makes whole vectors of
   every one. Within a tile all is read before anything is written, so an output may be an input. */

#ifndef FASTACT_SIXTEEN_BITS_H
#define FASTACT_SIXTEEN_BITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__F16C__)
#include <immintrin.h>
#endif

#if defined(__GNUC__)
#define FASTACT_ALIGNED __attribute__((aligned(64)))
/* Hides from the compiler where a number comes from. */
#define FASTACT_IN_REGISTER(number) __asm__("" : "+r"(number))
#define FASTACT_PREFETCH(address) __builtin_prefetch(address)
#else
#define FASTACT_ALIGNED
#define FASTACT_IN_REGISTER(number) (void)0
#define FASTACT_PREFETCH(address) (void)0
#endif

enum {
    /* 32 are a third slower: vectors would be loaded while the scalars that they are made of are
       still on their way to the cache. */
    FASTACT_TILE = 64,
    FASTACT_TILE_BLOCK = 16, /* BLOCK of the other loops: a length is a multiple of it */
    /* Elements ahead. The tiles keep the processor so busy that its own prefetcher comes late:
       a tenth of the time at 16 Mi elements. */
    FASTACT_AHEAD = 1024
};

static CYTHON_INLINE void fastact_fetch_tile(const uint16_t *from)
{
    for (int i = 0; i < FASTACT_TILE; i += 32) FASTACT_PREFETCH(from + i); /* a cache line */
}

/* Scalar loads, to the bits: gathers would gain up to a tenth on a Xeon (Sapphire Rapids), and lose
   where they are microcode: on AMD's processors, and on Intel's that have that against Downfall. */
static CYTHON_INLINE void fastact_find_factors(double *FASTACT_RESTRICT factors, const uint16_t *x,
                                               const double *table, int n)
{
    for (int i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, table + x[i], sizeof bits);
        FASTACT_IN_REGISTER(bits);
        memcpy(factors + i, &bits, sizeof bits);
    }
}

/* The products, rounded to odd: cut to 13 bits after the first, the last of which is 1 if anything
   was cut. Two bits more than either type keeps, so a tie stays a tie, and what is no tie stays on
   its side of it. For bfloat16, 15 bits are too many: rounding a product below 2**-134 to float,
   whose last bit is 2**-149 there, might make a tie of it. Overflow to infinity may come here or
   in the second rounding; the tie between the largest number and infinity is below FLT_MAX. */
static CYTHON_INLINE void fastact_multiply_to_odd(float *FASTACT_RESTRICT products, const float *g,
                                                  const double *factors, int n)
{
    const uint64_t cut = ((uint64_t)1 << (52 - 13)) - 1;
    for (int i = 0; i < n; i++) {
        double product = (double)g[i] * factors[i];
        uint64_t bits;
        memcpy(&bits, &product, sizeof bits);
        bits = (bits | ((bits & cut) + cut)) & ~cut;
        memcpy(&product, &bits, sizeof product);
        products[i] = (float)product;
    }
}

static CYTHON_INLINE void fastact_from_bfloat16(float *FASTACT_RESTRICT to, const uint16_t *from,
                                                int n)
{
    for (int i = 0; i < n; i++) {
        uint32_t bits = (uint32_t)from[i] << 16;
        memcpy(to + i, &bits, sizeof bits);
    }
}

/* To nearest even. A NaN stays one: where it comes from has no more than the bits of bfloat16, so
   the carry ends below them. */
static CYTHON_INLINE void fastact_to_bfloat16(uint16_t *FASTACT_RESTRICT to, const float *from,
                                              int n)
{
    for (int i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, from + i, sizeof bits);
        to[i] = (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    }
}

#if defined(__F16C__)

static CYTHON_INLINE void fastact_from_float16(float *FASTACT_RESTRICT to, const uint16_t *from,
                                               int n)
{
#if defined(__AVX512F__)
    for (int i = 0; i < n; i += 16) {
        _mm512_storeu_ps(to + i, _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(from + i))));
    }
#else
    for (int i = 0; i < n; i += 8) {
        _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(from + i))));
    }
#endif
}

static CYTHON_INLINE void fastact_to_float16(uint16_t *FASTACT_RESTRICT to, const float *from,
                                             int n)
{
#if defined(__AVX512F__)
    for (int i = 0; i < n; i += 16) {
        __m256i half = _mm512_cvtps_ph(_mm512_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT);
        _mm256_storeu_si256((__m256i *)(to + i), half);
    }
#else
    for (int i = 0; i < n; i += 8) {
        __m128i half = _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT);
        _mm_storeu_si128((__m128i *)(to + i), half);
    }
#endif
}

#else

enum {
    FASTACT_REBIAS = (127 - 15) << 23,
    FASTACT_LEAST_NORMAL = 0x38800000, /* 2**-14 as a float: the least normal float16 */
    FASTACT_OVERFLOW = 0x477ff000,     /* 65520: the tie between the largest and infinity */
    FASTACT_INFINITY = 0x7f800000
};

static CYTHON_INLINE void fastact_from_float16(float *FASTACT_RESTRICT to, const uint16_t *from,
                                               int n)
{
    for (int i = 0; i < n; i++) {
        uint32_t sign = (uint32_t)(from[i] & 0x8000) << 16, magnitude = from[i] & 0x7fff;
        uint32_t normal = (magnitude << 13) + FASTACT_REBIAS;
        uint32_t not_finite = (magnitude << 13) | FASTACT_INFINITY;
        float below = (float)(int32_t)magnitude * 0x1p-24f; /* subnormal */
        uint32_t bits;
        memcpy(&bits, &below, sizeof bits);
        bits = magnitude < 0x400 ? bits : normal;
        bits = (magnitude < 0x7c00 ? bits : not_finite) | sign;
        memcpy(to + i, &bits, sizeof bits);
    }
}

static CYTHON_INLINE void fastact_to_float16(uint16_t *FASTACT_RESTRICT to, const float *from,
                                             int n)
{
    for (int i = 0; i < n; i++) {
        uint32_t bits, sign, magnitude, half;
        memcpy(&bits, from + i, sizeof bits);
        sign = bits >> 16 & 0x8000;
        magnitude = bits & 0x7fffffff;
        float below;
        memcpy(&below, &magnitude, sizeof below);
        below += 0.5f; /* the last bit of a float there is 2**-24, that of a subnormal float16 */
        memcpy(&half, &below, sizeof half);
        half -= 0x3f000000;
        uint32_t normal = (magnitude - FASTACT_REBIAS + 0xfff + (magnitude >> 13 & 1)) >> 13;
        half = magnitude < FASTACT_LEAST_NORMAL ? half : normal;
        half = magnitude < FASTACT_OVERFLOW ? half : 0x7c00;
        half = magnitude > FASTACT_INFINITY ? 0x7e00 : half;
        to[i] = (uint16_t)(half | sign);
    }
}

#endif

/* The loop over one type: see loops.pyx.in for its arguments; the table stands for parameters. */
#define FASTACT_PRODUCT_LOOP(type)                                                              \
    static CYTHON_INLINE void fastact_##type##_tile(const uint16_t *g, const uint16_t *x,       \
                                                    uint16_t *d, const double *table, int n)    \
    {                                                                                           \
        FASTACT_ALIGNED double factors[FASTACT_TILE];                                           \
        FASTACT_ALIGNED float single[FASTACT_TILE], products[FASTACT_TILE];                     \
        fastact_find_factors(factors, x, table, n);                                             \
        fastact_from_##type(single, g, n);                                                      \
        fastact_multiply_to_odd(products, single, factors, n);                                  \
        fastact_to_##type(d, products, n);                                                      \
    }                                                                                           \
                                                                                                \
    static CYTHON_INLINE void fastact_multiply_##type(void **inputs, void **outputs,            \
                                                      ptrdiff_t blocks, double *table)          \
    {                                                                                           \
        const uint16_t *g = (const uint16_t *)inputs[0], *x = (const uint16_t *)inputs[1];      \
        uint16_t *d = (uint16_t *)outputs[0];                                                   \
        ptrdiff_t i = 0, n = blocks * FASTACT_TILE_BLOCK;                                       \
        for (; i + FASTACT_TILE <= n; i += FASTACT_TILE) {                                      \
            fastact_fetch_tile(g + i + FASTACT_AHEAD);                                          \
            fastact_fetch_tile(x + i + FASTACT_AHEAD);                                          \
            fastact_##type##_tile(g + i, x + i, d + i, table, FASTACT_TILE);                    \
        }                                                                                       \
        for (; i < n; i += FASTACT_TILE_BLOCK) {                                                \
            fastact_##type##_tile(g + i, x + i, d + i, table, FASTACT_TILE_BLOCK);              \
        }                                                                                       \
    }

FASTACT_PRODUCT_LOOP(float16)
FASTACT_PRODUCT_LOOP(bfloat16)

#endif
