# f and f' of the activations that need an exponential, for float64.
#
# Bound: 2 ulp, forward and derivative, subnormal results included (docs/accuracy.md has the errors
# found). Plain doubles where that allows it, with the rounding errors that would add up carried
# along, and pairs (double_double.pxi) where most of the digits are at stake:
#
# * What multiplies last does so as `factor + factor * excess`: one rounding instead of two. The
#   excess takes up the errors of a reciprocal and of the sum that it is the reciprocal of.
# * exp(z) turns an absolute error of z into a relative one of the result, and |z| reaches 745, so
#   z itself is a pair: x**2 / 2 in gelu, beta x in silu and softplus, the cubic in gelu_tanh.
# * exp(-z) comes as a quotient, 2**-n (2 + t) / (2 - t), wherever a division follows: t, twice a
#   hyperbolic tangent, takes half the terms that the exponential does.
# * A result that is subnormal is rounded once: powers of two are 2**LIFT too large until the end.
# * Gated functions are max(x, 0) minus a tail that is even: no choice between two formulas.
# * silu', gelu_tanh' and mish' cross zero. Near the root they are d q(d), d the distance to the
#   root, a pair, and q a polynomial: they keep their relative accuracy up to the root. gelu' has d
#   as a factor everywhere.
#
# Infinities and NaN are treated as in float32.pxi.

from libc.stdint cimport int64_t

cdef extern from *:
    """
    #define FASTACT_LIFT 192
    #define FASTACT_LIFTED 6.277101735386681e57 /* 2**LIFT */
    #define FASTACT_LOWERED 1.5930919111324523e-58 /* 2**-LIFT */
    #define FASTACT_HALF_LOWERED 1.2621774483536189e-29 /* 2**(-LIFT / 2) */
    #define FASTACT_TINY 8.470329472543003e-22 /* 2**-70 */
    #define FASTACT_TWO_TO_MINUS_120 7.52316384526264e-37
    #define FASTACT_TWO_TO_MINUS_1000 9.332636185032189e-302

    /* 2**(lift - n), for shifted = n + MAGIC_SHIFT */
    static CYTHON_INLINE double fastact_negative_power(double shifted, int64_t lift) {
        uint64_t bits;
        memcpy(&bits, &shifted, sizeof bits);
        bits = ((uint64_t)(1023 + lift) << 52) - (bits << 52);
        memcpy(&shifted, &bits, sizeof bits);
        return shifted;
    }

    /* value * 2**k, for shifted = k + MAGIC_SHIFT, -2044 <= k <= 2046: two powers of two, each with half
       of k, of which the last rounds */
    static CYTHON_INLINE double fastact_apply_exponent(double value, double shifted) {
        uint64_t bits, half, rest;
        double first, second;
        memcpy(&bits, &shifted, sizeof bits);
        bits += 2 * 1023;
        half = bits >> 1; /* its low bits: 1023 + k / 2, rounded down */
        rest = (bits - half) << 52;
        half <<= 52;
        memcpy(&first, &half, sizeof first);
        memcpy(&second, &rest, sizeof second);
        return value * first * second;
    }

    /* c - a * b, with c near a * b, and a * b + low, with low far below a * b; rounded once where
       the processor fuses, else little worse */
    #if FASTACT_FUSED
    #define fastact_remainder(c, a, b) __builtin_fma(-(a), b, c)
    #define fastact_product_plus(a, b, low) __builtin_fma(a, b, low)
    #else
    static CYTHON_INLINE double fastact_product_plus(double a, double b, double low) {
        double product = a * b;
        return product + (fastact_product_error(a, b, product) + low);
    }
    static CYTHON_INLINE double fastact_remainder(double c, double a, double b) {
        double product = a * b;
        return (c - product) - fastact_product_error(a, b, product);
    }
    #endif

    """
    const int64_t LIFT "FASTACT_LIFT"
    const double LIFTED "FASTACT_LIFTED"
    const double LOWERED "FASTACT_LOWERED"
    const double HALF_LOWERED "FASTACT_HALF_LOWERED"
    # Where exp(-z) is 1 to all digits, z is this: products with subnormal numbers are slow.
    const double TINY "FASTACT_TINY"
    const double TWO_TO_MINUS_120 "FASTACT_TWO_TO_MINUS_120"
    const double TWO_TO_MINUS_1000 "FASTACT_TWO_TO_MINUS_1000"
    double negative_power "fastact_negative_power"(double shifted, int64_t lift) noexcept nogil
    double apply_exponent "fastact_apply_exponent"(double value, double shifted) noexcept nogil
    double remainder "fastact_remainder"(double c, double a, double b) noexcept nogil
    double product_plus "fastact_product_plus"(double a, double b, double low) noexcept nogil


# --- exponentials --------------------------------------------------------------------------------

# mantissa * 2**k: exp(x) for x <= 0, and what is a multiple of it. The mantissa is near 1.
ctypedef struct scaled:
    pair mantissa
    double shifted  # k + MAGIC_SHIFT


cdef inline scaled exp_full(pair x) noexcept nogil:
    cdef scaled result
    cdef double high = at_least(x.high, -1416.0)  # k >= -2043: see apply_exponent
    result.shifted = multiply_add(high, LOG2E, MAGIC_SHIFT)
    cdef double k = result.shifted - MAGIC_SHIFT
    # high - k LN2_0 is exact: LN2_0 has 42 bits, k has 11.
    cdef pair r = fast_two_sum(
        multiply_add(-k, LN2_0, high), multiply_add(-k, LN2_1, x.low)
    )
    cdef double tail = multiply_add(r.high * r.high, exp_full_polynomial(r.high), r.low)
    cdef pair leading = fast_two_sum(1.0, r.high)
    result.mantissa = fast_two_sum(leading.high, leading.low + tail)
    return result


# e as a pair, for sums with numbers near 1: kept above 2**-1001, so that it is normal
cdef inline pair to_pair(scaled e) noexcept nogil:
    return scale(e.mantissa, power_of_two(at_least(e.shifted, MAGIC_SHIFT - 1000.0)))


# exp(x) - 1, x <= 0: (2**k - 1) + 2**k r + 2**k (m - 1 - r). The first sum is exact but for
# k < -53, where the result is next to -1.
cdef inline pair expm1_full(double x) noexcept nogil:
    cdef double bounded = at_least(x, -690.0)
    cdef double shifted = multiply_add(bounded, LOG2E, MAGIC_SHIFT)
    return expm1_of_reduced(bounded, shifted, power_of_two(shifted))


# From power = 2**k; a smaller power divides the result where that is next to exp(x).
cdef inline pair expm1_of_reduced(double x, double shifted, double power) noexcept nogil:
    cdef double k = shifted - MAGIC_SHIFT
    cdef pair r = fast_two_sum(multiply_add(-k, LN2_0, x), -k * LN2_1)
    cdef double tail = multiply_add(r.high * r.high, exp_full_polynomial(r.high), r.low)
    cdef pair leading = fast_two_sum(power - 1.0, power * r.high)
    return fast_two_sum(leading.high, multiply_add(power, tail, leading.low))


# exp(x) = 2**k (1 + excess)
ctypedef struct exponential_excess:
    double excess
    double shifted  # k + MAGIC_SHIFT


# |x| <= 1500, not subnormal
cdef inline exponential_excess exp_excess(double x) noexcept nogil:
    cdef exponential_excess e
    e.shifted = multiply_add(x, LOG2E, MAGIC_SHIFT)
    cdef double k = e.shifted - MAGIC_SHIFT
    cdef double r = multiply_add(-k, LN2_1, multiply_add(-k, LN2_0, x))
    e.excess = multiply_add(r * r, exp_full_polynomial(r), r)
    return e


# for x <= 0. k >= -2043, or with a bound of 1480 -2136: see apply_exponent
cdef inline exponential_excess exp_excess_below_zero(double x, double bound) noexcept nogil:
    return exp_excess(at_least(at_most(x, -TINY), -bound))


# g 2**k (1 + excess), which may be in range where 2**k is not: what of k is above 1 goes to g, in
# three parts. What remains is at least 1 then: so the product overflows only where the result does.
cdef inline double times_exponential(double g, exponential_excess e) noexcept nogil:
    cdef double shifted = at_most(e.shifted, MAGIC_SHIFT + 1.0)
    cdef double others = e.shifted - shifted
    cdef double third = multiply_add(others, 1.0 / 3.0, MAGIC_SHIFT)
    cdef double rest = others + (MAGIC_SHIFT - third) + (MAGIC_SHIFT - third) + MAGIC_SHIFT
    cdef double power = power_of_two(third)
    cdef double product = g * power * power * power_of_two(rest)
    return product * apply_exponent(1.0 + e.excess, shifted)


# exp(-z) = 2**-n (2 + t) / (2 - t), t = 2 tanh(r / 2), r = n ln(2) - z
ctypedef struct exponential_quotient:
    double t
    double shifted  # n + MAGIC_SHIFT
    double t_low  # the rounding errors of r and of t


cdef inline exponential_quotient exp_quotient(double z, double z_low) noexcept nogil:
    cdef double shifted = multiply_add(z, LOG2E, MAGIC_SHIFT)
    cdef double n = shifted - MAGIC_SHIFT
    # n LN2_0 - z is exact: LN2_0 has 42 bits, n has 11.
    cdef double difference = multiply_add(n, LN2_0, -z)
    # Without z_low there is one rounding, with it there are two.
    cdef double joined = difference + multiply_add(n, LN2_1, -z_low)
    cdef double r = multiply_add(n, LN2_1, difference) if z_low == 0 else joined
    return exp_quotient_of_reduced(r, 0.0, shifted)


# Where z_low is not 0, r is rounded once less here.
cdef inline exponential_quotient exp_quotient_of_pair(pair z) noexcept nogil:
    cdef double shifted = multiply_add(z.high, LOG2E, MAGIC_SHIFT)
    cdef double n = shifted - MAGIC_SHIFT
    cdef pair r = fast_two_sum(
        multiply_add(n, LN2_0, -z.high), multiply_add(n, LN2_1, -z.low)
    )
    return exp_quotient_of_reduced(r.high, r.low, shifted)


cdef inline exponential_quotient exp_quotient_of_reduced(
    double r, double r_low, double shifted
) noexcept nogil:
    cdef exponential_quotient e
    cdef double square = r * r
    cdef double curvature = tanh_full_polynomial(square)
    e.t = multiply_add(r * square, curvature, r)
    e.shifted = shifted
    e.t_low = multiply_add(r * square, curvature, (r - e.t) + r_low)
    return e


# sigmoid(-z) = q (1 + t / 2) / d and sigmoid(z) = (1 - t / 2) / d with q = 2**-n and
# d = 1 + q - t (1 - q) / 2. Here is 1 / d, and its relative error: 1 / d = inverse (1 + residual).
ctypedef struct sigmoid_denominator:
    double inverse
    double residual


# For `unit` times d, from power = unit * q
cdef inline sigmoid_denominator sigmoid_divisor(double t, double power, double unit) noexcept nogil:
    cdef sigmoid_denominator result
    cdef double slope = multiply_add(-0.5, power, 0.5 * unit)
    cdef double d = multiply_add(-t, slope, unit + power)
    cdef double d_low = multiply_add(-t, slope, (unit - d) + power)
    if not FUSED:  # what t * slope was rounded by: both parts of it are exact
        d_low = d_low + (t * (0.5 * unit - slope) - (t * (0.5 * unit) - t * slope))
    result.inverse = 1.0 / d
    result.residual = multiply_add(
        -result.inverse, d_low, remainder(1.0, result.inverse, d)
    )
    return result


# a * b, at most `bound`, as a pair, for a, b >= 0; the low part is 0 where the product is out of
# range. Neither factor nor product is subnormal, unless a is out of all reason.
cdef inline pair bounded_product(double a, double b, double bound) noexcept nogil:
    cdef pair result
    cdef double least = 3.0549363634996047e-151 if a > 1e-120 else 0.0  # 2**-500
    least = least if a < 1e120 else 0.0
    cdef double factor = at_least(b, least)
    cdef double product = at_least(b if a == 1 else a * factor, TINY)
    cdef double low = product_error(a, factor, product)
    result.high = at_most(product, bound)
    low = low if fabs(low) < 1.0 else 0.0
    result.low = 0.0 if a == 1 else low
    return result


# --- exponential, sigmoid, tanh, softplus, log_sigmoid -------------------------------------------


# Next to 0 exp is 1, to all digits: adding TINY spares it subnormal numbers.
cdef inline double exponential_double(double x) noexcept nogil:
    cdef exponential_excess e = exp_excess(at_most(at_least(x, -1416.0), 1416.0) + TINY)
    return apply_exponent(1.0 + e.excess, e.shifted)


cdef inline double exponential_grad_double(double x) noexcept nogil:
    return exponential_double(x)


cdef inline double exponential_backward_double(double g, double x) noexcept nogil:
    return times_exponential(g, exp_excess(at_most(at_least(x, -1416.0), 1500.0) + TINY))


cdef inline double exponential_grad_from_output_double(double y) noexcept nogil:
    return y


# sigmoid(z), from exp(-|z|)
cdef inline double sigmoid_of_quotient(double z, exponential_quotient e) noexcept nogil:
    cdef double power = negative_power(e.shifted, LIFT)
    cdef sigmoid_denominator d = sigmoid_divisor(e.t, power, LIFTED)
    cdef double excess = multiply_add(0.5, e.t if z < 0 else -e.t, d.residual)
    return multiply_add(d.inverse, excess, d.inverse) * (power if z < 0 else LIFTED)


cdef inline double sigmoid_double(double x) noexcept nogil:
    cdef double z = at_most(at_least(fabs(x), TINY), 800.0)
    return sigmoid_of_quotient(x, exp_quotient(z, 0.0))


# sigmoid'(z) = q (1 - t**2 / 4) / d**2 = mantissa * 2**-LIFT power
ctypedef struct bell:
    pair mantissa
    double power


cdef inline bell make_bell(exponential_quotient e) noexcept nogil:
    cdef bell result
    cdef double power = negative_power(e.shifted, LIFT)
    cdef sigmoid_denominator d = sigmoid_divisor(e.t, power * LOWERED, 1.0)
    cdef double square = d.inverse * d.inverse
    cdef double square_low = product_error(d.inverse, d.inverse, square)
    cdef double excess = multiply_add(-0.25 * e.t, e.t, d.residual + d.residual)
    result.mantissa.high = square
    result.mantissa.low = multiply_add(square, excess, square_low)
    result.power = power
    return result


# 2**LIFT sigmoid'(z)
cdef inline double lifted_bell(exponential_quotient e) noexcept nogil:
    cdef bell b = make_bell(e)
    return b.power * (b.mantissa.high + b.mantissa.low)


cdef inline double sigmoid_grad_double(double x) noexcept nogil:
    cdef double z = at_most(at_least(fabs(x), TINY), 800.0)
    return LOWERED * lifted_bell(exp_quotient(z, 0.0))


cdef inline double sigmoid_grad_from_output_double(double y) noexcept nogil:
    return y * (1.0 - y)


# tanh(a) = value + inverse * rest
ctypedef struct tanh_quotient:
    double value
    double inverse
    double rest


# (1 - q - h (1 + q)) / (1 + q - h (1 - q)), h = tanh(r), r = n ln(2) / 2 - a, TINY <= a <= 20: numerator,
# denominator and quotient with their rounding errors; q = 1, where n = 0, leaves -h. The error of h,
# those of 1 + q and 1 - q, from a = 18 on, and of products that are not fused are less than an ulp of
# tanh; with_low has them too.
cdef inline tanh_quotient make_tanh_quotient(double a, bint with_low) noexcept nogil:
    cdef tanh_quotient result
    # Up to a = 0.181 n is 0: else the numerator, below 1/4, would have more digits than its error.
    cdef double shifted = multiply_add(a - 0.0078125, 2.0 * LOG2E, MAGIC_SHIFT)
    cdef double n = shifted - MAGIC_SHIFT
    cdef double r = multiply_add(n, 0.5 * LN2_1, multiply_add(n, 0.5 * LN2_0, -a))
    cdef double square = r * r
    cdef double h = multiply_add(r * square, tanh_half_full_polynomial(square), r)
    cdef double q = negative_power(shifted, 0)
    cdef double plus = 1.0 + q
    cdef double minus = 1.0 - q
    cdef double numerator = multiply_add(-h, plus, minus)
    cdef double numerator_low = minus - numerator
    numerator_low = numerator_low + ((1.0 - minus) - q) if with_low else numerator_low
    numerator_low = multiply_add(-h, plus, numerator_low)
    cdef double d = multiply_add(-h, minus, plus)
    cdef double d_low = plus - d
    d_low = d_low + (q - (plus - 1.0)) if with_low else d_low
    d_low = multiply_add(-h, minus, d_low)
    cdef double h_low = multiply_add(r * square, tanh_half_full_polynomial(square), r - h)
    numerator_low = multiply_add(-h_low, plus, numerator_low) if with_low else numerator_low
    d_low = multiply_add(-h_low, minus, d_low) if with_low else d_low
    if with_low and not FUSED:  # what multiply_add rounded
        numerator_low = numerator_low - ((h - h * plus) + h * (plus - 1.0))
        d_low = d_low - ((h - h * minus) - h * (1.0 - minus))
    result.inverse = 1.0 / d
    result.value = numerator * result.inverse
    cdef double rest = remainder(numerator, result.value, d)
    result.rest = rest + multiply_add(-result.value, d_low, numerator_low)
    return result


cdef inline double tanh_double(double x) noexcept nogil:
    cdef double magnitude = fabs(x)
    cdef tanh_quotient t = make_tanh_quotient(at_most(at_least(magnitude, TINY), 20.0), False)
    cdef double value = multiply_add(t.inverse, t.rest, t.value)
    return copysign(smaller(magnitude, value), x)  # tanh a < a


cdef inline double tanh_grad_double(double x) noexcept nogil:
    cdef double z = at_most(at_least(2.0 * fabs(x), TINY), 800.0)
    return (4.0 * LOWERED) * lifted_bell(exp_quotient(z, 0.0))


cdef inline double tanh_grad_from_output_double(double y) noexcept nogil:
    return (1.0 - y) * (1.0 + y)


# b |x|, at most `bound` or next to it, for b >= 0: |x| is bounded, so 0 inf does not arise. Below
# 2**-900 it is taken as that, and nothing is subnormal.
cdef inline pair scaled_magnitude(double b, double x, double bound) noexcept nogil:
    cdef double limit = bound / at_least(b, 1e-299 * bound)
    return two_product(b, at_most(at_least(fabs(x), 1.1830521861667747e-271), limit))


# scaled_tanh: a tanh(b x), for a and b that are 0 or of magnitudes between 2**-64 and 2**64. The
# error of b x counts times 1 - tanh**2, which is tanh'. It is a b x for |b x| up to 2**-70, and for
# subnormal x, of which a product may be slow, x + (a b - 1) x.
cdef inline double scaled_tanh_double(double x, double a, double b) noexcept nogil:
    cdef double magnitude = fabs(x)
    cdef pair slope = two_product(fabs(a), fabs(b))
    cdef double excess = (slope.high - 1.0) + slope.low
    cdef double least = DBL_MIN if excess >= 0 else 0.0
    least = least if excess <= 1 else 0.0
    cdef double other = 1.0 if magnitude < least else magnitude
    cdef pair z = scaled_magnitude(fabs(b), other, 20.0)
    cdef tanh_quotient t = make_tanh_quotient(at_least(z.high, TINY), False)
    cdef double low = multiply_add(-t.value, t.value, 1.0) * z.low
    low = multiply_add(t.inverse, t.rest, low)
    cdef double far = product_plus(fabs(a), t.value, fabs(a) * low)
    other = at_most(other, 1e299)
    cdef double near = multiply_add(slope.high, other, slope.low * other)
    cdef double value = near if z.high < TINY else far
    value = subnormal_plus_part(magnitude, excess) if magnitude < least else value
    value = copysign(value, x)
    return value if copysign(1.0, a) * copysign(1.0, b) > 0 else -value


# scaled_tanh': 4 a b sigmoid'(2 b x). From |2 b x| = 842.2 on, the power of two is 0.
cdef inline double scaled_tanh_grad_double(double x, double a, double b) noexcept nogil:
    cdef pair z = scale(scaled_magnitude(fabs(b), x, 421.1), 2.0)
    cdef bell e = make_bell(exp_quotient(at_least(z.high, TINY), z.low))
    cdef pair mantissa = multiply(e.mantissa, two_product(a, b))
    return (4.0 * LOWERED) * (e.power * mantissa.high)


# b / a (a - y) (a + y), and 0 from |y| = |a| on. For a = 0, f and f' are 0, and b / a has no value.
cdef inline double scaled_tanh_grad_from_output_double(double y, double a, double b) noexcept nogil:
    cdef double other = a if fabs(y) >= fabs(a) else y
    cdef double dividend = 0.0 if a == 0 else b
    cdef double divisor = 1.0 if a == 0 else a
    cdef pair ratio
    ratio.high = dividend / divisor
    ratio.low = remainder(dividend, ratio.high, divisor) / divisor
    return multiply(multiply(ratio, two_sum(a, -other)), two_sum(a, other)).high


# tanhshrink: x - tanh(x), near 0 x**3 p(x**2), of which the leading part is a pair. Up to 2**-358 that
# is 0.
cdef inline double tanhshrink_double(double x) noexcept nogil:
    cdef double magnitude = fabs(x)
    cdef double bounded_magnitude = at_most(at_least(magnitude, TINY), 20.0)
    cdef tanh_quotient t = make_tanh_quotient(bounded_magnitude, not FUSED)
    cdef double far = multiply_add(-t.inverse, t.rest, magnitude - t.value)
    cdef double a = 0.0 if magnitude <= 1.7031839360032603e-108 else magnitude
    cdef pair square = two_product(a, a)
    cdef pair cube = times_double(a, square)
    cdef double tail = tanhshrink_full_tail(square.high)
    cdef pair third = two_product(cube.high, TANHSHRINK_FULL_0)
    tail = multiply_add(square.high, tail, TANHSHRINK_FULL_LOW)
    cdef double low = multiply_add(cube.low, TANHSHRINK_FULL_0, third.low)
    if not FUSED:  # parts of subnormal products are not exact
        low = low if cube.high > 1e-304 else 0.0
    tail = multiply_add(cube.high, tail, low)
    cdef double near = third.high + tail
    return copysign(near if magnitude < TANHSHRINK_RADIUS else far, x)


# tanhshrink': tanh**2, which is x**2 up to 2**-70, and 0 up to 2**-538
cdef inline double tanhshrink_grad_double(double x) noexcept nogil:
    cdef double magnitude = fabs(x)
    cdef tanh_quotient t = make_tanh_quotient(at_most(at_least(magnitude, TINY), 20.0), True)
    cdef double a = 0.0 if magnitude <= 1.1113793747425387e-162 else magnitude
    cdef double near = a * a
    cdef double far = product_plus(t.value, t.value, 2.0 * t.value * (t.inverse * t.rest))
    return near if magnitude < TINY else far


# softplus: max(x, 0) + log1p(e) / beta, e = exp(-|beta x|); log1p(e) = 2 s + 2 s**3 p(s**2) with
# s = e / (2 + e) = q (1 + t / 2) / d, d = 2 + q - t (1 - q / 2)
cdef inline double softplus_double(double x, double beta) noexcept nogil:
    cdef pair z = bounded_product(beta, fabs(x), 1495.0 if beta < 1e-300 else 1416.0)
    cdef exponential_quotient e = exp_quotient(z.high, z.low)
    cdef double q = negative_power(at_most(e.shifted, MAGIC_SHIFT + 200.0), 0)
    cdef double slope = multiply_add(-0.5, q, 1.0)
    cdef double d = multiply_add(-e.t, slope, 2.0 + q)
    cdef double d_low = multiply_add(-e.t, slope, (2.0 - d) + q)
    cdef double inverse = 1.0 / d
    cdef double residual = multiply_add(-inverse, d_low, remainder(1.0, inverse, d))
    cdef double excess = multiply_add(0.5, e.t, residual)
    cdef double s = q * multiply_add(inverse, excess, inverse)
    cdef double square = s * s
    cdef double curvature = square * atanh_full_polynomial(square)
    excess = multiply_add(excess, curvature, curvature) + excess
    cdef double value = multiply_add(inverse, excess, inverse)
    cdef double value_low = multiply_add(inverse, excess, inverse - value)
    # What multiplies 1 / beta where that is subnormal or overflows
    cdef double unit = TWO_TO_200 if beta > 1e200 else 1.0
    unit = TWO_TO_MINUS_120 if beta < 1e-300 else unit
    cdef double quarter = 0.25 * unit / beta
    cdef double quarter_low = remainder(0.25 * unit, quarter, beta) * (4.0 / unit)
    quarter_low = quarter * quarter_low
    value_low = multiply_add(value, quarter_low, value_low * quarter)
    value = multiply_add(value, quarter, value_low)
    cdef double shifted = 2.0 * MAGIC_SHIFT - e.shifted
    shifted = shifted + 120.0 if beta < 1e-300 else shifted
    cdef double factor = 8.0 / TWO_TO_200 if beta > 1e200 else 8.0
    return (0.0 if x < 0 else x) + apply_exponent(factor * value, shifted)


cdef inline double softplus_grad_double(double x, double beta) noexcept nogil:
    cdef pair z = bounded_product(beta, fabs(x), 800.0)
    return sigmoid_of_quotient(x, exp_quotient(z.high, z.low))


cdef inline double softplus_grad_from_output_double(double y, double beta) noexcept nogil:
    return -expm1_full(at_most(-beta * y, 0.0)).high


# log_sigmoid: -softplus(-x)
cdef inline double log_sigmoid_double(double x) noexcept nogil:
    return -softplus_double(-x, 1.0)


cdef inline double log_sigmoid_grad_double(double x) noexcept nogil:
    return sigmoid_double(-x)


cdef inline double log_sigmoid_grad_from_output_double(double y) noexcept nogil:
    return -expm1_full(at_most(y, 0.0)).high


# --- gated: silu, gelu, gelu_tanh, mish ----------------------------------------------------------


# They are max(x, 0) minus a tail, which is even. For subnormal x they are x / 2, or 0.6 x, and what
# else is computed there is computed for another number.


# silu: max(x, 0) - |x| sigmoid(-|beta x|), for beta < 0 mirrored. At |beta x| = 842.2 the power of
# two is 0 and the tail vanishes, unless beta is tiny: then x may be huge, the power of two is taken
# in two parts, and the tail vanishes beyond 1400.
cdef inline double silu_of_pair(double x, double beta, double beta_low) noexcept nogil:
    cdef bint is_wide = fabs(beta) < 8.881784197001252e-16  # 2**-50
    cdef double unit = 1.0 if is_wide else LIFTED
    cdef double limit = 1400.0 if is_wide else 842.2
    cdef double far = 700.0 if is_wide else INFINITY
    # Where |beta| is huge, beta x is not tiny for each subnormal x.
    cdef double least = DBL_MIN if fabs(beta) < 1e270 else 0.0
    cdef double shifted_x = shifted_mantissa(x)
    cdef double other = shifted_x if fabs(x) < least else x
    cdef double magnitude = fabs(other)
    cdef double bounded = at_most(magnitude, limit)
    cdef double finite = magnitude_for(beta, magnitude)
    cdef pair z = bounded_product(fabs(beta), fabs(x) if beta == 1 else finite, limit)
    z.low = z.low if beta_low == 0 else multiply_add(beta_low, bounded, z.low)
    cdef exponential_quotient e = exp_quotient(z.high, z.low)
    cdef double shifted = e.shifted - (1000.0 if z.high > far else 0.0)
    cdef double power = negative_power(shifted, 0 if is_wide else LIFT)
    cdef sigmoid_denominator d = sigmoid_divisor(e.t, power, unit)
    cdef double excess = multiply_add(0.5, e.t, d.residual)
    cdef double tail = multiply_add(d.inverse, excess, d.inverse)
    cdef double factor = magnitude * (TWO_TO_MINUS_1000 if z.high > far else 1.0)
    factor = (bounded if beta == 1 else 0.0 if z.high >= limit else factor) * power
    cdef double mirrored = -1.0 if beta == 0 else other * copysign(1.0, beta)
    cdef double value = multiply_add(-factor, tail, at_least(mirrored, 0.0))
    cdef double tail_low = multiply_add(d.inverse, excess, d.inverse - tail)
    cdef double closer = at_least(mirrored, 0.0) - multiply_add(factor, tail, factor * tail_low)
    # With what the tail was rounded by; 0 inf must not arise. With fused operations, only a factor
    # of two parts needs it: quick_gelu was 2.04 ulp off at -21.79.
    value = value if beta == 0 or (FUSED and beta_low == 0) else closer
    return copysign(half_of_shifted(shifted_x) if fabs(x) < least else value, x)


cdef inline double silu_double(double x, double beta) noexcept nogil:
    return silu_of_pair(x, beta, 0.0)


# sigmoid(-z) (1 - w sigmoid(z)) for x < 0, 1 minus that for x >= 0. It is q (1 + t / 2) b / d**2 with
# b = d - w (1 - t / 2) = 1 + q - w + t (w - 1 + q) / 2. From the root at z_0, w_0 = 1 + exp(-z_0),
# one counts zeta = z - z_0 and omega = w - w_0, and b is q - exp(-z_0) - omega + t ..., which is
# right to the last digits also next to the root, where zeta is r and q is exp(-z_0). The square
# root of exp(-z_0) is in the reciprocal, which is squared. An error of t is magnified up to four
# times; with_low takes the first order of it out.
cdef inline double gated_grad_double(
    double x, pair zeta, pair omega, pair w, double exponential, double root, double root_excess,
    bint with_low,
) noexcept nogil:
    cdef exponential_quotient e = exp_quotient_of_pair(zeta)
    cdef double power = negative_power(e.shifted, LIFT)
    cdef double q = power * (exponential * LOWERED)
    cdef double half = multiply_add(-0.5, q, 0.5)
    cdef double one_plus_q = 1.0 + q
    cdef double d = multiply_add(-e.t, half, one_plus_q)
    cdef double t_low = e.t_low if with_low else 0.0
    cdef double d_low = multiply_add(-e.t, half, one_plus_q - d) + ((1.0 - one_plus_q) + q)
    d_low = multiply_add(-t_low, half, d_low) if with_low else d_low
    cdef double inverse = root / d  # 2**(-LIFT / 2) in it
    cdef double residual = multiply_add(-inverse, d_low, remainder(root, inverse, d))
    cdef double slope = multiply_add(0.5, w.high, -half)
    cdef double growth = multiply_add(e.t, slope, q - exponential)
    cdef double bracket = growth - omega.high  # |omega| > |growth|
    cdef double bracket_low = (growth - (bracket + omega.high)) - omega.low
    bracket_low = multiply_add(t_low, slope, bracket_low) if with_low else bracket_low
    bracket_low = bracket_low if FUSED else multiply_add(0.5 * e.t, w.low, bracket_low)
    cdef double product = bracket * inverse
    cdef double product_low = multiply_add(
        bracket_low, inverse, product_error(bracket, inverse, product)
    )
    product_low = multiply_add(
        product, multiply_add(residual, 2.0 / root, root_excess), product_low
    )
    product_low = multiply_add(product, 0.5 * t_low, product_low) if with_low else product_low
    cdef double excess = 0.5 * e.t
    product_low = multiply_add(
        product, excess, multiply_add(product_low, excess, product_low)
    )
    cdef double tail = product_plus(product, inverse, product_low * inverse)
    return multiply_add(tail, power if x < 0 else -power, -0.0 if x < 0 else 1.0)


# a minus the root, a.high >= 0
cdef inline pair from_root(pair a, double root_high, double root_low, bint is_exact) noexcept nogil:
    cdef pair result = two_sum(a.high, -root_high)
    result.low = result.low + (a.low - root_low)
    # With another beta than 1, and without fused operations, both parts may be of one size.
    return result if is_exact and FUSED else fast_two_sum(result.high, result.low)


# w is z
cdef inline double silu_grad_of_pair(double x, double beta, double beta_low) noexcept nogil:
    cdef double magnitude = magnitude_for(beta, x)
    cdef pair z = bounded_product(fabs(beta), magnitude, 800.0)
    cdef double bounded = at_least(at_most(magnitude, 800.0), TINY)  # no subnormal product
    z.low = z.low if beta_low == 0 else multiply_add(beta_low, bounded, z.low)
    cdef pair zeta = from_root(z, -SILU_ROOT_0, -SILU_ROOT_1, beta == 1)
    return gated_grad_double(
        x * copysign(1.0, beta), zeta, zeta, z,
        SILU_ROOT_EXPONENTIAL, SILU_ROOT_SQRT * HALF_LOWERED, SILU_ROOT_EXCESS, False,
    )


cdef inline double silu_grad_double(double x, double beta) noexcept nogil:
    return silu_grad_of_pair(x, beta, 0.0)


# f'(x) of a function with f(x) - max(x, 0) even, from 2**LIFT f'(-|x|)
cdef inline double reflected_double(double x, double tail) noexcept nogil:
    return multiply_add(tail, LOWERED if x < 0 else -LOWERED, -0.0 if x < 0 else 1.0)


# exp(-a**2 / 2) = 2**-n (1 + excess)
ctypedef struct gaussian_factors:
    double excess
    double power  # 2**(LIFT - n)


# 0 <= a <= 40
cdef inline gaussian_factors gaussian(double a) noexcept nogil:
    cdef gaussian_factors result
    cdef pair square = two_product(a, a)
    cdef double shifted = multiply_add(square.high, 0.5 * LOG2E, MAGIC_SHIFT)
    cdef double n = shifted - MAGIC_SHIFT
    cdef double doubled = multiply_add(n, 2.0 * LN2_0, -square.high)  # exact: see exp_quotient
    cdef double r = 0.5 * (doubled + multiply_add(n, 2.0 * LN2_1, -square.low))
    result.excess = multiply_add(r * r, exp_full_polynomial(r), r)
    result.power = negative_power(shifted, LIFT)
    return result


# t = (a - 4) / (a + 4) = 1 - 8 / (a + 4), with the error of the reciprocal taken out
cdef inline double mapped(double a) noexcept nogil:
    cdef double inverse = 1.0 / (a + 4.0)
    cdef double residual = remainder(multiply_add(-4.0, inverse, 1.0), inverse, a)
    cdef double t = multiply_add(-8.0, inverse, 1.0)
    return multiply_add(-8.0 * inverse, residual, t)


# constant + t tail, |constant| >= |t tail|, as a pair
cdef inline pair compensated(double t, double tail, double constant, double low) noexcept nogil:
    cdef pair result
    result.high = multiply_add(t, tail, constant)
    result.low = multiply_add(t, tail, constant - result.high) + low
    return result


# gelu: max(x, 0) - a Phi(-a), a = |x|, Phi(-a) = exp(-a**2 / 2) p(t) / (a + 1.25). It is -0.0 below
# -38.6.
cdef inline double gelu_double(double x) noexcept nogil:
    cdef double shifted = shifted_mantissa(x)
    cdef double other = shifted if fabs(x) < DBL_MIN else x
    cdef double bounded = at_most(fabs(other), 39.0)
    cdef double a = at_most(at_least(fabs(x), TINY), 39.0)
    cdef gaussian_factors e = gaussian(a)
    cdef double t = mapped(a)
    cdef pair p = compensated(t, mills_full_tail(t), MILLS_FULL_0, MILLS_FULL_LOW)
    cdef pair denominator = two_sum(a, 1.25)
    cdef double inverse = 1.0 / denominator.high
    cdef double residual = multiply_add(
        -inverse, denominator.low, remainder(1.0, inverse, denominator.high)
    )
    cdef double factor = bounded * e.power
    cdef double numerator = factor * p.high
    cdef double numerator_low = multiply_add(
        factor, p.low, product_error(factor, p.high, numerator)
    )
    cdef double quotient = numerator * inverse
    cdef double quotient_low = multiply_add(
        numerator_low, inverse, product_error(numerator, inverse, quotient)
    )
    cdef double excess = e.excess
    if FUSED:
        excess = multiply_add(e.excess, residual, residual) + e.excess
    else:  # the sum would be rounded
        quotient_low = multiply_add(quotient, residual, quotient_low)
    cdef double low = multiply_add(quotient_low, e.excess, quotient_low)
    cdef double tail = quotient + multiply_add(quotient, excess, low)
    cdef double value = multiply_add(-tail, LOWERED, at_least(other, 0.0))
    return copysign(half_of_shifted(shifted) if fabs(x) < DBL_MIN else value, x)


# gelu' at -a: exp(-a**2 / 2) (root - a) p(t), root > 0
cdef inline double gelu_grad_double(double x) noexcept nogil:
    cdef double a = at_most(at_least(fabs(x), TINY), 39.0)
    cdef gaussian_factors e = gaussian(a)
    cdef double t = mapped(a)
    cdef pair p = compensated(t, gelu_grad_full_tail(t), GELU_GRAD_FULL_0, GELU_GRAD_FULL_LOW)
    cdef pair d = two_sum(-GELU_ROOT_0, -a)
    d.low = d.low - GELU_ROOT_1
    cdef double product = d.high * p.high
    cdef double product_low = product_error(d.high, p.high, product)
    product_low = product_low + multiply_add(d.high, p.low, d.low * p.high)
    product_low = multiply_add(product_low, e.excess, product_low)
    cdef double tail = product + multiply_add(product, e.excess, product_low)
    return reflected_double(x, e.power * tail)


# x (linear + cubic x**2) for 0 <= x <= 23, the argument of the sigmoid
cdef inline pair gelu_tanh_argument(double x) noexcept nogil:
    cdef pair square = two_product(x, x)
    cdef double low = cubic_low(square)
    cdef pair total
    if FUSED:
        # linear has 42 bits, so that its difference to a sum that it is part of is exact
        low = low + GELU_TANH_LINEAR_FULL_1
        total = compensated(GELU_TANH_CUBIC_FULL_0, square.high, GELU_TANH_LINEAR_FULL_0, low)
    else:
        total = plus_linear(two_product(GELU_TANH_CUBIC_FULL_0, square.high), low)
    return times_double(x, total)


# what cubic x**2 is more than GELU_TANH_CUBIC_FULL_0 square.high
cdef inline double cubic_low(pair square) noexcept nogil:
    return multiply_add(
        GELU_TANH_CUBIC_FULL_0, square.low, GELU_TANH_CUBIC_FULL_1 * square.high
    )


cdef inline pair plus_linear(pair a, double low) noexcept nogil:
    cdef pair total = two_sum(GELU_TANH_LINEAR_0, a.high)
    total.low = total.low + (a.low + (low + GELU_TANH_LINEAR_1))
    return total


cdef inline pair times_double(double x, pair a) noexcept nogil:
    cdef pair product = two_product(x, a.high)
    product.low = multiply_add(x, a.low, product.low)
    return product


# gelu_tanh: x sigmoid(z). It is -0.0 below -21.6.
cdef inline double gelu_tanh_double(double x) noexcept nogil:
    cdef double shifted = shifted_mantissa(x)
    cdef double other = shifted if fabs(x) < DBL_MIN else x
    cdef double bounded = at_most(fabs(other), 22.0)
    cdef double a = at_most(at_least(fabs(x), TINY), 22.0)
    cdef exponential_quotient e = exp_quotient_of_pair(gelu_tanh_argument(a))
    cdef double power = negative_power(e.shifted, LIFT)
    cdef sigmoid_denominator d = sigmoid_divisor(e.t, power, LIFTED)
    cdef double excess = multiply_add(0.5, e.t, d.residual)
    cdef double tail = multiply_add(d.inverse, excess, d.inverse)
    cdef double factor = bounded * power
    cdef double value = multiply_add(-factor, tail, at_least(other, 0.0))
    cdef double tail_low = multiply_add(d.inverse, excess, d.inverse - tail)
    if not FUSED:  # with what the tail was rounded by
        value = at_least(other, 0.0) - multiply_add(factor, tail, factor * tail_low)
    return copysign(half_of_shifted(shifted) if fabs(x) < DBL_MIN else value, x)


# w = x z' = x (linear + 3 cubic x**2). Three times the first part of cubic, of 51 bits, is exact.
cdef inline double gelu_tanh_grad_double(double x) noexcept nogil:
    cdef double a = at_most(at_least(fabs(x), TINY), 22.0)
    cdef pair square = two_product(a, a)
    cdef double low = cubic_low(square)
    cdef pair cubic = two_product(GELU_TANH_CUBIC_FULL_0, square.high)
    cdef pair thrice = two_product(3.0 * GELU_TANH_CUBIC_FULL_0, square.high)
    cdef pair z = times_double(a, plus_linear(cubic, low))
    cdef pair w = times_double(a, plus_linear(thrice, 3.0 * low))
    cdef pair zeta = from_root(z, GELU_TANH_ROOT_Z_0, GELU_TANH_ROOT_Z_1, True)
    cdef pair omega = from_root(w, GELU_TANH_ROOT_W_0, GELU_TANH_ROOT_W_1, True)
    return gated_grad_double(
        x, zeta, omega, w,
        GELU_TANH_ROOT_EXPONENTIAL, GELU_TANH_ROOT_SQRT * HALF_LOWERED, GELU_TANH_ROOT_EXCESS,
        True,
    )


# quick_gelu: silu with beta = 1.702, the decimal number
cdef inline double quick_gelu_double(double x) noexcept nogil:
    return silu_of_pair(x, QUICK_GELU_FACTOR, QUICK_GELU_FACTOR_LOW)


cdef inline double quick_gelu_grad_double(double x) noexcept nogil:
    return silu_grad_of_pair(x, QUICK_GELU_FACTOR, QUICK_GELU_FACTOR_LOW)


# (d + d_low) slope(d) near a root, d its distance, elsewhere what the formula gave
cdef inline double mend_near_root(
    double formula, double d, double d_low, double constant, double constant_low, double tail
) noexcept nogil:
    cdef double slope = constant + multiply_add(d, tail, constant_low)
    cdef double product = product_plus(d, slope, d_low * (slope + d * tail))
    return product if fabs(d) < ROOT_RADIUS else formula


cdef inline double mish_double(double x) noexcept nogil:
    cdef double other = 1.0 if fabs(x) < DBL_MIN else x
    cdef scaled e = exp_full(make_pair(-fabs(other), 0.0))
    cdef pair exponential = to_pair(e)
    cdef pair plus_two = add_double(exponential, 2.0)
    cdef pair low = multiply(exponential, plus_two)
    cdef pair high = add_double(scale(exponential, 2.0), 1.0)
    cdef pair square = scale(multiply(exponential, exponential), 2.0)
    cdef pair quotient = divide(
        select(other < 0, multiply(e.mantissa, plus_two), high),
        select(other < 0, add_double(low, 2.0), add(high, square)),
    )
    cdef double value = apply_exponent(
        at_least(other, -800.0) * quotient.high, e.shifted if other < 0 else MAGIC_SHIFT
    )
    return copysign(minus_part_of_subnormal(x, 0.6) if fabs(x) < DBL_MIN else value, x)


# The four coefficients of the cubic in e change their order at 0, as in float32.pxi.
cdef inline double mish_grad_double(double x) noexcept nogil:
    cdef double bounded = at_most(at_least(TINY if fabs(x) < TINY else x, -800.0), 800.0)
    cdef scaled e = exp_full(make_pair(-fabs(bounded), 0.0))
    cdef pair exponential = to_pair(e)
    cdef pair one = make_pair(1.0, 0.0)
    cdef pair four = make_pair(4.0, 0.0)
    cdef pair linear = two_sum(4.0 * bounded, 6.0)
    cdef pair constant = scale(two_sum(bounded, 1.0), 4.0)
    cdef pair cubic = multiply(select(bounded < 0, one, constant), exponential)
    cubic = multiply(add(cubic, select(bounded < 0, four, linear)), exponential)
    cubic = multiply(add(cubic, select(bounded < 0, linear, four)), exponential)
    cubic = add(cubic, select(bounded < 0, constant, one))
    cubic = multiply(cubic, select(bounded < 0, e.mantissa, one))
    cdef pair quadratic = scale(exponential, 1.0 if bounded < 0 else 2.0)
    quadratic = multiply(add_double(quadratic, 2.0), exponential)
    quadratic = add_double(quadratic, 2.0 if bounded < 0 else 1.0)
    cdef pair quotient = divide(cubic, multiply(quadratic, quadratic))
    cdef double d = x - MISH_ROOT_0
    return mend_near_root(
        apply_exponent(quotient.high, e.shifted if bounded < 0 else MAGIC_SHIFT),
        d, -MISH_ROOT_1, MISH_SLOPE_0, MISH_SLOPE_LOW, mish_slope_tail(d),
    )


# --- elu, celu, selu -----------------------------------------------------------------------------


# From -2**-70 on expm1(x) is x, to all digits.
cdef inline double elu_double(double x, double alpha) noexcept nogil:
    cdef pair m = expm1_full(at_most(x, -TINY))
    cdef double product = alpha * m.high
    cdef double far = copysign(product + alpha * m.low, product)  # -0.0 + 0.0 is 0.0
    cdef double least = -LARGEST_SUBNORMAL if FUSED and alpha >= 0 else 0.0
    least = least if alpha <= 1 else 0.0
    cdef double near = alpha * (0.0 if x >= least else x)
    near = minus_part_of_subnormal(x, alpha) if x >= least else near
    near = x if x >= 0 else near
    near = x if alpha == 1 else near
    return near if x > -TINY else far


cdef inline double elu_grad_double(double x, double alpha) noexcept nogil:
    # A large alpha is divided by 2**100, and the power multiplied: products with it stay in the range.
    cdef bint is_large = fabs(alpha) > 1.0
    cdef exponential_excess e = exp_excess_below_zero(x, 1480.0 if is_large else 1416.0)
    cdef double factor = alpha * (TWO_TO_MINUS_50 * TWO_TO_MINUS_50 if is_large else 1.0)
    cdef double shifted = e.shifted + 100.0 if is_large else e.shifted
    return 1.0 if x > 0 else apply_exponent(multiply_add(factor, e.excess, factor), shifted)


cdef inline double elu_grad_from_output_double(double y, double alpha) noexcept nogil:
    return 1.0 if y > 0 else at_least(y + alpha, 0.0)


# What brings alpha, and its reciprocal, into the range.
cdef inline double celu_unit(double alpha) noexcept nogil:
    cdef double unit = TWO_TO_200 if fabs(alpha) < 1e-200 else 1.0
    return 1.0 / TWO_TO_200 if fabs(alpha) > 1e200 else unit


# x / alpha as a pair, for x < 0; from TINY to `bound` in magnitude. The quotient is a product with the
# reciprocal, which a loop computes once; its remainder makes good what that is off.
cdef inline pair celu_argument_double(double x, double alpha, double bound) noexcept nogil:
    cdef pair z
    cdef double unit = celu_unit(alpha)
    cdef double divisor = alpha * unit
    cdef double inverse = 1.0 / divisor
    cdef double farthest = at_most(bound * fabs(divisor), DBL_MAX)
    cdef double bounded = at_least(at_most(x * unit, -TINY * fabs(divisor)), -farthest)
    z.high = bounded * inverse
    z.low = 0.0 if alpha == 1 else remainder(bounded, z.high, divisor) * inverse
    return z


# celu: alpha expm1(z), z = x / alpha; expm1(z + low) is expm1(z) + low exp(z). With alpha < 0 it
# grows, and exp(z) may be beyond the range: above 2**150, the rest of the power multiplies last.
cdef inline double celu_double(double x, double alpha) noexcept nogil:
    cdef double farthest = 750.0 if alpha <= -1 else 1500.0  # there alpha exp(z) is infinite
    cdef pair z = celu_argument_double(x, alpha, 690.0 if alpha > 0 else farthest)
    cdef double shifted = multiply_add(z.high, LOG2E, MAGIC_SHIFT)
    cdef double rest = 0.0 if alpha > 0 else at_least(shifted - (MAGIC_SHIFT + 150.0), 0.0)
    cdef pair m = expm1_of_reduced(z.high, shifted, power_of_two(shifted - rest))
    m.low = m.low if alpha == 1 else m.low + multiply_add(z.low, m.high, z.low)
    cdef double unit = celu_unit(alpha)
    cdef double factor = alpha * unit
    rest = rest if unit == 1 else rest - copysign(200.0, unit - 1.0)
    cdef double far = apply_exponent(factor * m.high + factor * m.low, MAGIC_SHIFT + rest)
    cdef double nearest = TINY * fabs(alpha)
    return x if x > -(SMALLEST if nearest == 0 else nearest) else far


# exp(x / alpha), x < 0; as for celu, exp(z + low) is exp(z) (1 + low)
cdef inline exponential_excess celu_excess(double x, double alpha, double bound) noexcept nogil:
    cdef pair z = celu_argument_double(x, alpha, bound)
    cdef exponential_excess e = exp_excess(z.high)
    cdef double low = multiply_add(e.excess, z.low, z.low)
    e.excess = e.excess if alpha == 1 else e.excess + low
    return e


cdef inline double celu_grad_double(double x, double alpha) noexcept nogil:
    cdef exponential_excess e = celu_excess(x, alpha, 1416.0)
    return 1.0 if x > 0 else apply_exponent(1.0 + e.excess, e.shifted)


# Only for alpha < 0 can f' overflow where the product does not.
cdef inline double celu_backward_double(double g, double x, double alpha) noexcept nogil:
    cdef exponential_excess e = celu_excess(x, alpha, 1416.0 if alpha > 0 else 1500.0)
    cdef double growing = times_exponential(g, e)
    growing = g if x > 0 else growing
    cdef double slope = 1.0 if x > 0 else apply_exponent(1.0 + e.excess, e.shifted)
    return growing if alpha < 0 else g * slope


# (y + alpha) / alpha, with the rounding errors of the sum and of the quotient where these are finite
cdef inline double celu_grad_from_output_double(double y, double alpha) noexcept nogil:
    cdef double unit = celu_unit(alpha)
    cdef double divisor = alpha * unit
    cdef double inverse = 1.0 / divisor
    cdef pair total = two_sum(y * unit, divisor)
    cdef double quotient = total.high * inverse
    cdef double rest = (remainder(total.high, quotient, divisor) + total.low) * inverse
    cdef double slope = quotient + (rest if rest - rest == 0 else 0.0)
    slope = quotient if alpha == 1 else slope
    return 1.0 if y > 0 else at_least(slope, 0.0)


cdef inline double selu_double(double x) noexcept nogil:
    cdef double other = -1.0 if is_subnormal(x) else x
    cdef pair m = expm1_full(other)
    cdef pair factor = make_pair(SELU_PRODUCT_0, SELU_PRODUCT_1)
    cdef double low = multiply_add(factor.high, m.low, factor.low * m.high)
    low = multiply_add(factor.high, m.high, low)
    cdef double value = SELU_SCALE * other if x >= 0 else low
    cdef double excess = SELU_SCALE - 1.0 if x >= 0 else factor.high - 1.0
    return subnormal_plus_part(x, excess) if is_subnormal(x) else value


cdef inline double selu_grad_double(double x) noexcept nogil:
    cdef exponential_excess e = exp_excess_below_zero(x, 1416.0)
    cdef double value = SELU_PRODUCT_0 + multiply_add(SELU_PRODUCT_0, e.excess, SELU_PRODUCT_1)
    return SELU_SCALE if x > 0 else apply_exponent(value, e.shifted)


# The first sum is exact where it cancels.
cdef inline double selu_grad_from_output_double(double y) noexcept nogil:
    cdef double total = y + SELU_PRODUCT_0
    cdef double low = 0.0 if total <= 0 else total + SELU_PRODUCT_1
    return SELU_SCALE if y > 0 else low
