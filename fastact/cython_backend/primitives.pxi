# What both precisions need: powers of two from bits, and selects that compile to blends.

from libc.float cimport DBL_MAX
from libc.math cimport INFINITY, copysign, fabs

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>

    #define FASTACT_MAGIC_SHIFT 6755399441055744.0

    /* memcpy between double and integer is how C spells a bit cast; compilers emit no call. */
    static inline double fastact_power_of_two(double shifted) {
        uint64_t bits;
        memcpy(&bits, &shifted, sizeof bits);
        bits = (bits << 52) + ((uint64_t)1023 << 52);
        memcpy(&shifted, &bits, sizeof bits);
        return shifted;
    }
    """
    # 1.5 * 2**52: adding it rounds to an integer and leaves that in the low bits of the sum.
    const double MAGIC_SHIFT "FASTACT_MAGIC_SHIFT"
    # 2**k, -1022 <= k <= 1023, for shifted = k + MAGIC_SHIFT: k stands in the low bits of shifted.
    double power_of_two "fastact_power_of_two"(double shifted) noexcept nogil

cdef extern from "coefficients.h":
    # Constants, and one function for each polynomial; written by tools/generate_cython.py from
    # fastact/coefficients.py.
    const double LOG2E, LN2_0, LN2_1, SELU_SCALE, SELU_ALPHA, ROOT_RADIUS, ROOT_RADIUS_SHORT
    const double NORMAL_DENSITY_0, NORMAL_DENSITY_1
    const double GELU_TANH_LINEAR_0, GELU_TANH_LINEAR_1, GELU_TANH_CUBIC_0, GELU_TANH_CUBIC_1
    const double MILLS_FULL_0, MILLS_FULL_1, MILLS_FULL_2, MILLS_FULL_3
    const double MILLS_FULL_LOW_0, MILLS_FULL_LOW_1, MILLS_FULL_LOW_2, MILLS_FULL_LOW_3
    const double SILU_ROOT_0, SILU_ROOT_1, SILU_SLOPE_0, SILU_SLOPE_LOW
    const double GELU_ROOT_0, GELU_ROOT_1, GELU_SLOPE_0, GELU_SLOPE_LOW
    const double GELU_TANH_ROOT_0, GELU_TANH_ROOT_1, GELU_TANH_SLOPE_0, GELU_TANH_SLOPE_LOW
    const double MISH_ROOT_0, MISH_ROOT_1, MISH_SLOPE_0, MISH_SLOPE_LOW
    double expm1_short_polynomial(double r) noexcept nogil
    double exp_full_polynomial(double r) noexcept nogil
    double atanh_short_polynomial(double u) noexcept nogil
    double atanh_full_polynomial(double u) noexcept nogil
    double mills_short_polynomial(double t) noexcept nogil
    double silu_slope_short_polynomial(double d) noexcept nogil
    double gelu_slope_short_polynomial(double d) noexcept nogil
    double gelu_tanh_slope_short_polynomial(double d) noexcept nogil
    double mish_slope_short_polynomial(double d) noexcept nogil
    # These leave out the first coefficients: the caller adds them with compensation.
    double mills_full_tail(double t) noexcept nogil
    double silu_slope_tail(double d) noexcept nogil
    double gelu_slope_tail(double d) noexcept nogil
    double gelu_tanh_slope_tail(double d) noexcept nogil
    double mish_slope_tail(double d) noexcept nogil


# Both keep NaN: a comparison with it is false.
cdef inline double at_least(double x, double bound) noexcept nogil:
    return bound if x < bound else x


cdef inline double at_most(double x, double bound) noexcept nogil:
    return bound if x > bound else x
