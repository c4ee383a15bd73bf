/* float16 and bfloat16 as doubles, for the few elements that no table serves. Both have the layout
   sign, exponent, fraction; they differ in the number of bits of the last. */
#ifndef FASTACT_SIXTEEN_H
#define FASTACT_SIXTEEN_H

#include <math.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    int fraction_bits;
    int bias;
} fastact_format;

static const fastact_format FASTACT_FORMATS[2] = {{10, 15}, {7, 127}}; /* float16, bfloat16 */

static double fastact_from_sixteen(uint16_t bits, fastact_format format)
{
    uint64_t magnitude = bits & 0x7fff, infinity = 0x7fff >> format.fraction_bits << format.fraction_bits;
    uint64_t wide = magnitude << (52 - format.fraction_bits);
    double value;
    if (magnitude >> format.fraction_bits == 0) {
        value = ldexp((double)magnitude, 1 - format.bias - format.fraction_bits);
        return bits & 0x8000 ? -value : value;
    }
    wide = magnitude < infinity ? wide + ((uint64_t)(1023 - format.bias) << 52)
                                : wide | (uint64_t)0x7ff << 52;
    wide |= (uint64_t)(bits & 0x8000) << 48;
    memcpy(&value, &wide, sizeof value);
    return value;
}

/* Return the nearest number, of two the even one. `is_close` is set if the value is next to the
   middle between two: then its own rounding error may have moved it to the wrong side. */
static uint16_t fastact_to_sixteen(double value, fastact_format format, int *is_close)
{
    int shift = 52 - format.fraction_bits;
    uint64_t bits, magnitude, infinity = 0x7fff >> format.fraction_bits << format.fraction_bits;
    memcpy(&bits, &value, sizeof bits);
    uint16_t sign = (uint16_t)(bits >> 48 & 0x8000);
    magnitude = bits & INT64_MAX;
    if (magnitude > (uint64_t)0x7ff << 52) {
        return (uint16_t)(sign | infinity | 1u << (format.fraction_bits - 1));
    }
    double scaled = ldexp(fabs(value), format.bias - 1 + format.fraction_bits);
    if (scaled < (double)(1 << format.fraction_bits)) { /* a subnormal result */
        double rest = scaled - floor(scaled);
        *is_close |= fabs(rest - 0.5) <= scaled * 0x1p-47;
        return (uint16_t)(sign | (uint16_t)nearbyint(scaled));
    }
    uint64_t half = (uint64_t)1 << (shift - 1), rest = magnitude & (2 * half - 1);
    *is_close |= rest + 64 - half <= 128;
    magnitude = (magnitude + half - 1 + (magnitude >> shift & 1)) >> shift;
    uint64_t rebias = (uint64_t)(1023 - format.bias) << format.fraction_bits;
    magnitude = magnitude - rebias < infinity ? magnitude - rebias : infinity;
    return (uint16_t)(sign | magnitude);
}

#endif
