# What both precisions need: powers of two from bits, and selects that compile to blends.

from libc.float cimport DBL_MAX, DBL_MIN, FLT_MAX, FLT_MIN
from libc.math cimport INFINITY, NAN, copysign, copysignf, fabs, fabsf, sqrt, sqrtf

cdef extern from *:
    """
    #include <math.h>
    #include <stdint.h>
    #include <string.h>
    #include "strict_arithmetic.h"

    #define FASTACT_MAGIC_SHIFT 6755399441055744.0

    /* a * b + c, rounded once where the processor has an instruction for that, else twice. Every
       place that is fused is written out (setup.py turns contraction off), so that an element gets
       the same operations wherever it stands. */
    #if defined(__FMA__) || defined(__FP_FAST_FMA)
    #define fastact_multiply_add(a, b, c) __builtin_fma(a, b, c)
    #define fastact_multiply_add_float(a, b, c) __builtin_fmaf(a, b, c)
    #define fastact_product_error(a, b, product) __builtin_fma(a, b, -(product))
    #define FASTACT_FUSED 1
    #else
    #define fastact_multiply_add(a, b, c) ((a) * (b) + (c))
    #define fastact_multiply_add_float(a, b, c) ((a) * (b) + (c))
    #define FASTACT_FUSED 0

    /* a * b - product, exactly: the factors are split as Veltkamp and Dekker do. */
    static CYTHON_INLINE double fastact_product_error(double a, double b, double product) {
        double scaled_a = 134217729.0 * a, scaled_b = 134217729.0 * b; /* 2**27 + 1 */
        double a_high = scaled_a - (scaled_a - a), b_high = scaled_b - (scaled_b - b);
        double a_low = a - a_high, b_low = b - b_high;
        return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
    }
    #endif

    /* 0, but the compiler does not know: a bound that it takes for a variable is one instruction,
       minimum or maximum, where gcc makes of a literal a comparison and a choice. */
    #if defined(__GNUC__)
    __attribute__((used))
    #endif
    static double fastact_zero = 0.0;

    #ifdef _MSC_VER
    #define FASTACT_RESTRICT __restrict
    #else
    #define FASTACT_RESTRICT restrict
    #endif
    typedef float *FASTACT_RESTRICT fastact_float_operand;
    typedef double *FASTACT_RESTRICT fastact_double_operand;

    /* memcpy between double and integer is how C spells a bit cast; compilers emit no call. */
    static CYTHON_INLINE double fastact_power_of_two(double shifted) {
        uint64_t bits;
        memcpy(&bits, &shifted, sizeof bits);
        bits = (bits << 52) + ((uint64_t)1023 << 52);
        memcpy(&shifted, &bits, sizeof bits);
        return shifted;
    }

    /* Intel processors take a hundred cycles for a product with a subnormal operand or result, so
       these compute with the mantissa instead: as an integer, in the low bits of 2**52 + integer,
       which is where a sum of that size leaves what it rounds to. */
    #define FASTACT_MANTISSA (((uint64_t)1 << 52) - 1)
    #define FASTACT_TWO_TO_52 4503599627370496.0

    /* |x| < 2**-1022, zero too */
    static CYTHON_INLINE int fastact_is_subnormal(double x) {
        uint64_t bits;
        memcpy(&bits, &x, sizeof bits);
        return (bits & (uint64_t)2047 << 52) == 0;
    }

    /* -(2**52 + |x| / 2**-1074) */
    static CYTHON_INLINE double fastact_shifted_mantissa(double x) {
        uint64_t bits;
        memcpy(&bits, &x, sizeof bits);
        bits |= (uint64_t)(2048 + 1075) << 52;
        memcpy(&x, &bits, sizeof bits);
        return x;
    }

    static CYTHON_INLINE double fastact_half_of_shifted(double shifted) {
        uint64_t bits;
        shifted = fastact_multiply_add(-0.5, shifted, 0.5 * FASTACT_TWO_TO_52);
        memcpy(&bits, &shifted, sizeof bits);
        bits &= FASTACT_MANTISSA;
        memcpy(&shifted, &bits, sizeof bits);
        return shifted;
    }

    /* The bits of factor |x| */
    static CYTHON_INLINE uint64_t fastact_scaled_mantissa(double x, double factor) {
        double mantissa = fastact_shifted_mantissa(x) + FASTACT_TWO_TO_52;
        double shifted = fastact_multiply_add(mantissa, factor, -FASTACT_TWO_TO_52);
        uint64_t bits, mask = factor == 0 ? 0 : FASTACT_MANTISSA;
        memcpy(&bits, &shifted, sizeof bits);
        return bits & mask;
    }

    static CYTHON_INLINE double fastact_minus_part_of_subnormal(double x, double factor) {
        uint64_t bits;
        double opposite = -factor;
        memcpy(&bits, &opposite, sizeof bits);
        bits = fastact_scaled_mantissa(x, factor) | (bits & (uint64_t)1 << 63);
        memcpy(&x, &bits, sizeof bits);
        return x;
    }

    static CYTHON_INLINE double fastact_subnormal_plus_part(double x, double factor) {
        uint64_t bits;
        memcpy(&bits, &x, sizeof bits);
        bits += fastact_scaled_mantissa(x, factor);
        memcpy(&x, &bits, sizeof bits);
        return x;
    }

    /* The product of x 2**1022 and factor is 2**1021 times too large. Where it is a subnormal number in
       the end, 1/2 is added, after which its mantissa, as an integer, is what the sum rounds to. */
    static CYTHON_INLINE double fastact_doubled_part_of_subnormal(double x, double factor) {
        uint64_t bits, normal, subnormal;
        double mantissa, product, half, total;
        memcpy(&bits, &x, sizeof bits);
        bits |= (uint64_t)1023 << 52;
        memcpy(&mantissa, &bits, sizeof mantissa);
        mantissa -= 1.0;
        memcpy(&bits, &factor, sizeof bits);
        bits = (bits & (uint64_t)1 << 63) | (uint64_t)1022 << 52;
        memcpy(&half, &bits, sizeof half);
        product = mantissa * factor;
        total = fastact_multiply_add(mantissa, factor, half);
        memcpy(&normal, &product, sizeof normal);
        memcpy(&subnormal, &total, sizeof subnormal);
        normal -= (uint64_t)1021 << 52;
        subnormal -= (uint64_t)1022 << 52;
        bits = fabs(product) < 0.5 ? subnormal : normal;
        memcpy(&total, &bits, sizeof total);
        return total;
    }

    /* max(x, 0), but -0.0 where x is negative. clang 14 compiles `x < 0 ? -0.0 : x` to a maximum that
       turns 0.0 into -0.0; with copysign it sees no maximum. */
    #ifdef __clang__
    #define FASTACT_NEGATIVE_ZERO(x) copysign(0.0, x)
    #else
    #define FASTACT_NEGATIVE_ZERO(x) -0.0
    #endif

    static CYTHON_INLINE double fastact_positive_part(double x) {
        return x < 0 ? FASTACT_NEGATIVE_ZERO(x) : x;
    }

    static CYTHON_INLINE float fastact_positive_part_float(float x) {
        return x < 0 ? (float)FASTACT_NEGATIVE_ZERO(x) : x;
    }

    /* min(a, b) for a, b >= 0, b or NaN for NaN: as integers they have the same order, and with
       floats the compiler makes of copysign(min(|x|, b), x) a comparison and a choice. */
    static CYTHON_INLINE double fastact_smaller(double a, double b) {
        int64_t a_bits, b_bits;
        memcpy(&a_bits, &a, sizeof a_bits);
        memcpy(&b_bits, &b, sizeof b_bits);
        a_bits = a_bits < b_bits ? a_bits : b_bits;
        memcpy(&a, &a_bits, sizeof a);
        return a;
    }
    """
    # 1.5 * 2**52: adding it rounds to an integer and leaves that in the low bits of the sum.
    const double MAGIC_SHIFT "FASTACT_MAGIC_SHIFT"
    # 2**k, -1022 <= k <= 1023, for shifted = k + MAGIC_SHIFT: k stands in the low bits of shifted.
    double power_of_two "fastact_power_of_two"(double shifted) noexcept nogil
    double multiply_add "fastact_multiply_add"(double a, double b, double c) noexcept nogil
    float multiply_add_float "fastact_multiply_add_float"(float a, float b, float c) noexcept nogil
    double product_error "fastact_product_error"(double a, double b, double product) noexcept nogil
    const bint FUSED "FASTACT_FUSED"
    double UNKNOWN_ZERO "fastact_zero"
    bint is_subnormal "fastact_is_subnormal"(double x) noexcept nogil
    # For subnormal x and 0 <= factor <= 1: |x| / 2, from shifted_mantissa(x), which is a normal
    # number; -factor |x|, and that for any x where the factor is 0; x + factor x. They round once;
    # but the latter two twice, where the processor does not fuse.
    double shifted_mantissa "fastact_shifted_mantissa"(double x) noexcept nogil
    double half_of_shifted "fastact_half_of_shifted"(double shifted) noexcept nogil
    double minus_part_of_subnormal "fastact_minus_part_of_subnormal"(
        double x, double factor
    ) noexcept nogil
    double subnormal_plus_part "fastact_subnormal_plus_part"(double x, double factor) noexcept nogil
    # 2 factor x for subnormal x > 0 and any finite factor, rounded once or, unfused, twice
    double doubled_part_of_subnormal "fastact_doubled_part_of_subnormal"(
        double x, double factor
    ) noexcept nogil
    double positive_part "fastact_positive_part"(double x) noexcept nogil
    float positive_part_float "fastact_positive_part_float"(float x) noexcept nogil
    double smaller "fastact_smaller"(double a, double b) noexcept nogil
    # Pointers to memory that no other pointer of the loop reaches.
    ctypedef float* float_operand "fastact_float_operand"
    ctypedef double* double_operand "fastact_double_operand"

cdef extern from "coefficients.h":
    # Constants, and one function for each polynomial; written by tools/generate_cython.py from
    # fastact/coefficients.py.
    const double LOG2E, LN2_0, LN2_1, SELU_SCALE, SELU_PRODUCT_0, SELU_PRODUCT_1, ROOT_RADIUS
    const double SCALED_TANH_A, SCALED_TANH_B
    const double QUICK_GELU_FACTOR, QUICK_GELU_FACTOR_LOW
    const double GELU_TANH_LINEAR_0, GELU_TANH_LINEAR_1, GELU_TANH_CUBIC_0, GELU_TANH_CUBIC_1
    const double GELU_TANH_LINEAR_FULL_0, GELU_TANH_LINEAR_FULL_1
    const double GELU_TANH_CUBIC_FULL_0, GELU_TANH_CUBIC_FULL_1
    const double TANH_BOUND_SHORT, TANHSHRINK_BOUND_SHORT
    const double TANHSHRINK_RADIUS, TANHSHRINK_FULL_0, TANHSHRINK_FULL_LOW
    const double EXP_SHORT_0, EXP_SHORT_1, EXP_SHORT_2, EXP_SHORT_3
    const double EXP_SHORT_4, EXP_SHORT_5, EXP_SHORT_6
    const double EXPM1_SHORT_0, EXPM1_SHORT_1, EXPM1_SHORT_2, EXPM1_SHORT_3
    const double EXPM1_SHORT_4, EXPM1_SHORT_5, EXPM1_SHORT_6
    const double MILLS_FULL_0, MILLS_FULL_LOW, GELU_GRAD_FULL_0, GELU_GRAD_FULL_LOW
    const double SILU_ROOT_0, SILU_ROOT_1, SILU_ROOT_EXPONENTIAL, SILU_ROOT_SQRT, SILU_ROOT_EXCESS
    const double GELU_ROOT_0, GELU_ROOT_1
    const double GELU_TANH_ROOT_0, GELU_TANH_ROOT_1
    const double GELU_TANH_ROOT_Z_0, GELU_TANH_ROOT_Z_1, GELU_TANH_ROOT_W_0, GELU_TANH_ROOT_W_1
    const double GELU_TANH_ROOT_EXPONENTIAL, GELU_TANH_ROOT_SQRT, GELU_TANH_ROOT_EXCESS
    const double DISH_ROOT_0, DISH_ROOT_1, DISH_ROOT_SQUARED_0, DISH_ROOT_SQUARED_1
    const double MISH_ROOT_0, MISH_ROOT_1, MISH_ROOT_EXPONENTIAL, MISH_SLOPE_0, MISH_SLOPE_LOW
    double exp_full_polynomial(double r) noexcept nogil
    double tanh_full_polynomial(double u) noexcept nogil
    double tanh_half_full_polynomial(double u) noexcept nogil
    double log1p_short_polynomial(double e) noexcept nogil
    double atanh_full_polynomial(double u) noexcept nogil
    double tanh_p_short_polynomial(double square) noexcept nogil
    double tanh_q_short_polynomial(double square) noexcept nogil
    double tanhshrink_p_short_polynomial(double square) noexcept nogil
    double tanhshrink_q_short_polynomial(double square) noexcept nogil
    double mills_short_polynomial(double t) noexcept nogil
    double gelu_grad_short_polynomial(double t) noexcept nogil
    # in single
    const float TANHSHRINK_BOUND_FAST, GELU_TANH_RADIUS_FAST, MISH_RADIUS_FAST
    const float LN2_FAST_0, LN2_FAST_1
    const float GELU_TANH_LINEAR_FAST_0, GELU_TANH_LINEAR_FAST_1
    const float GELU_TANH_CUBIC_FAST_0, GELU_TANH_CUBIC_FAST_1
    const float SILU_ROOT_FAST_0, SILU_ROOT_FAST_1
    const float SILU_ROOT_FAST_EXPONENTIAL, SILU_ROOT_FAST_REST
    const float GELU_ROOT_FAST_0, GELU_ROOT_FAST_1
    const float GELU_TANH_ROOT_FAST_0, GELU_TANH_ROOT_FAST_1, MISH_ROOT_FAST_0, MISH_ROOT_FAST_1
    float expm1_fast_polynomial(float r) noexcept nogil
    float expm1_up_fast_polynomial(float r) noexcept nogil
    float log1p_fast_polynomial(float e) noexcept nogil
    float tanh_p_fast_polynomial(float square) noexcept nogil
    float tanh_q_fast_polynomial(float square) noexcept nogil
    float scaled_tanh_p_fast_polynomial(float square) noexcept nogil
    float scaled_tanh_q_fast_polynomial(float square) noexcept nogil
    float tanhshrink_p_fast_polynomial(float square) noexcept nogil
    float tanhshrink_q_fast_polynomial(float square) noexcept nogil
    float tanhshrink_tanh_fast_polynomial(float square) noexcept nogil
    float tanh_square_fast_polynomial(float square) noexcept nogil
    float mills_fast_polynomial(float t) noexcept nogil
    float gelu_grad_fast_polynomial(float t) noexcept nogil
    float gelu_tanh_slope_fast_polynomial(float d) noexcept nogil
    float mish_slope_fast_polynomial(float d) noexcept nogil
    # These leave out the first coefficients: the caller adds them with compensation.
    double tanhshrink_full_tail(double square) noexcept nogil
    double mills_full_tail(double t) noexcept nogil
    double gelu_grad_full_tail(double t) noexcept nogil
    double mish_slope_tail(double d) noexcept nogil


# Both keep NaN: a comparison with it is false.
cdef inline double at_least(double x, double bound) noexcept nogil:
    cdef double limit = bound + UNKNOWN_ZERO
    return limit if x < limit else x


cdef inline double at_most(double x, double bound) noexcept nogil:
    cdef double limit = bound + UNKNOWN_ZERO
    return limit if x > limit else x


cdef inline double bounded(double x, double bound) noexcept nogil:
    return at_most(at_least(x, -bound), bound)


# |x|, to be multiplied by b: finite where b is 0
cdef inline double magnitude_for(double b, double x) noexcept nogil:
    return at_most(fabs(x), DBL_MAX) if b == 0 else fabs(x)


# A parameter, in magnitude from `least` to `most`, beyond which float32 results do not change: but
# products with it, and with its reciprocal, would be infinite or subnormal.
cdef inline double in_range(double value, double least, double most) noexcept nogil:
    cdef double magnitude = least if fabs(value) < least else fabs(value)
    return copysign(most if magnitude > most else magnitude, value)
