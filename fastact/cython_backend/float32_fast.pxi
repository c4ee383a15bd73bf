# f and f' of the activations that need an exponential, for float32 in `fast` precision: float32
# arithmetic with fused multiply-add, for the default parameters. Other parameters, and processors
# without fused multiply-add, take the faithful loops.
#
# Bound: 4 ulp where the true result is normal, an absolute error of 2**-126 where it is subnormal
# (docs/accuracy.md has the errors found). What keeps it:
#
# * An exponential whose argument is computed (x**2 / 2, the cubic of gelu_tanh) gets the rounding
#   error of its argument too: 90 * 2**-24 would be 90 ulp.
# * Where x multiplies an exponential, the product is normal when the exponential no longer is:
#   `exp_256` is 256 exp(x), and the constant that follows it has the factor 2**-8.
# * Gated functions are max(x, 0) minus a tail that is even: no choice between two formulas.
# * Near their roots gelu_tanh' and mish' are d p(d), d the distance to the root; silu' and gelu' have
#   it in their formulas.
# * Intel processors take a hundred cycles for a product with a subnormal operand (sums are free of
#   that): arguments of exponentials stop at -2**-40, and factors below 2**-125 become zeros.
#
# Infinities and NaN are treated as in float32.pxi.

cdef extern from *:
    """
    #define FASTACT_FLOAT(literal) ((float)(literal))
    #define FASTACT_MAGIC_SHIFT_FLOAT 12582912.0f
    #define FASTACT_SCALE 0.00390625 /* of exp_256 */

    /* 2**(k - 127), for shifted = k + 1.5 * 2**23, 0 <= k < 255 */
    static CYTHON_INLINE float fastact_power_of_two_float(float shifted) {
        uint32_t bits;
        memcpy(&bits, &shifted, sizeof bits);
        bits <<= 23;
        memcpy(&shifted, &bits, sizeof bits);
        return shifted;
    }

    /* As integers, floats that are not negative have the same order, and a bound is one instruction:
       for floats gcc has two. */
    static CYTHON_INLINE float fastact_magnitude_from(float x, float low) {
        int32_t bits, low_bits;
        memcpy(&bits, &x, sizeof bits);
        memcpy(&low_bits, &low, sizeof bits);
        bits &= INT32_MAX;
        bits = bits < low_bits ? low_bits : bits;
        memcpy(&x, &bits, sizeof x);
        return x;
    }
    static CYTHON_INLINE float fastact_magnitude_up_to(float x, float high) {
        int32_t bits, high_bits;
        memcpy(&bits, &x, sizeof bits);
        memcpy(&high_bits, &high, sizeof bits);
        bits &= INT32_MAX;
        bits = bits > high_bits ? high_bits : bits;
        memcpy(&x, &bits, sizeof x);
        return x;
    }
    """
    float F "FASTACT_FLOAT"(double literal) noexcept nogil
    # |x|, at least `low`. NaN stays.
    float magnitude_from "fastact_magnitude_from"(float x, float low) noexcept nogil
    # |x|, at most `high`, which NaN becomes.
    float magnitude_up_to "fastact_magnitude_up_to"(float x, float high) noexcept nogil
    const float MAGIC_SHIFT_FLOAT "FASTACT_MAGIC_SHIFT_FLOAT"
    const double SCALE "FASTACT_SCALE"
    float power_of_two_float "fastact_power_of_two_float"(float shifted) noexcept nogil

# As at_least and at_most: one instruction for a bound that the compiler does not know.
cdef inline float at_least_float(float x, float bound) noexcept nogil:
    cdef float limit = bound + <float>UNKNOWN_ZERO
    return limit if x < limit else x


cdef inline float at_most_float(float x, float bound) noexcept nogil:
    cdef float limit = bound + <float>UNKNOWN_ZERO
    return limit if x > limit else x


# What is missing from F(literal) to the literal
cdef inline float rest_of(double literal) noexcept nogil:
    return F(literal - <double>F(literal))


# x times a literal, as the sum of two numbers
ctypedef struct float_pair:
    float high
    float low


cdef inline float_pair times_literal(float x, double literal) noexcept nogil:
    cdef float_pair product
    product.high = F(literal) * x
    product.low = multiply_add_float(
        rest_of(literal), x, multiply_add_float(F(literal), x, -product.high)
    )
    return product


# -|x|, not above -2**-40: exp is 1 there, to all digits
cdef inline float minus_magnitude_float(float x) noexcept nogil:
    return -magnitude_from(x, F(9.094947017729282e-13))


# (1 + e)**2
cdef inline float square_of_one_plus(float e) noexcept nogil:
    return multiply_add_float(e, e + F(2.0), F(1.0))


# An exponential: power * (1 + r * polynomial)
ctypedef struct exponential:
    float r
    float polynomial
    float power


# 2**lift exp(x + low), |low| small. The power is 0 for k = -127 - lift, and wrong below.
cdef inline exponential lifted_exponential(float x, float low, int lift) noexcept nogil:
    cdef float shift = MAGIC_SHIFT_FLOAT + F(127 + lift)
    cdef float shifted = multiply_add_float(x, F(LOG2E), shift)
    cdef float k = shifted - shift
    cdef float exact = multiply_add_float(k, -LN2_FAST_0, x)
    return make_exponential(exact + multiply_add_float(k, -LN2_FAST_1, low), shifted)


# 2**lift exp(-(square + square_low) / 2)
cdef inline exponential exponential_of_square(
    float square, float square_low, int lift
) noexcept nogil:
    cdef float shift = MAGIC_SHIFT_FLOAT + F(127 + lift)
    cdef float shifted = multiply_add_float(square, F(-0.5 * LOG2E), shift)
    cdef float k = shifted - shift
    cdef float exact = multiply_add_float(k, F(2.0) * LN2_FAST_0, square)
    cdef float r = F(-0.5) * (exact + multiply_add_float(k, F(2.0) * LN2_FAST_1, square_low))
    return make_exponential(r, shifted)


cdef inline exponential make_exponential(float r, float shifted) noexcept nogil:
    cdef exponential e
    e.r = r
    e.polynomial = expm1_fast_polynomial(r)
    e.power = power_of_two_float(shifted)
    return e


cdef inline float value_of(exponential e) noexcept nogil:
    return multiply_add_float(e.r, e.polynomial, F(1.0)) * e.power


# factor * e, with one rounding less than the product of the two
cdef inline float times(float factor, exponential e) noexcept nogil:
    return multiply_add_float(factor, e.r * e.polynomial, factor) * e.power


# exp(x), x <= 0; 0 below exp(-87.7), which is subnormal
cdef inline float exp_fast(float x) noexcept nogil:
    return value_of(lifted_exponential(at_least_float(x, F(-88.02)), F(0.0), 0))


# 256 exp(x + low), |low| small; 0 at and below exp(-93.3). x >= -93.9
cdef inline exponential exp_256(float x, float low) noexcept nogil:
    return lifted_exponential(x, low, 8)


# exp(x) - 1, x <= 0
cdef inline float expm1_fast(float x) noexcept nogil:
    cdef exponential e = lifted_exponential(at_least_float(x, F(-88.02)), F(0.0), 0)
    return multiply_add_float(e.power, e.r * e.polynomial, e.power - F(1.0))


# exp(x) = 2**k mantissa, k = floor(x / ln(2)), or one more where x is next to k ln(2): the mantissa is
# from 1 to 2, so the range of k is that of the exponents of normal numbers. |x| < 200
ctypedef struct floored:
    float mantissa
    float shifted  # k + 127 + 1.5 * 2**23


cdef inline floored exp_floored(float x) noexcept nogil:
    cdef floored e
    cdef float shift = MAGIC_SHIFT_FLOAT + F(127.0)
    # exp is 1 to all digits next to 0, where x may be subnormal.
    cdef float z = x + F(9.094947017729282e-13)
    # Below ln(2) / 2, so that exp(0) is 1; next to 128 ln(2) the difference is rounded to less. Of x,
    # not z, for which it would have to wait.
    e.shifted = multiply_add_float(x - F(0.34657), F(LOG2E), shift)
    cdef float k = e.shifted - shift
    cdef float r = multiply_add_float(k, -LN2_FAST_1, multiply_add_float(k, -LN2_FAST_0, z))
    e.mantissa = multiply_add_float(r, expm1_up_fast_polynomial(r), F(1.0))
    return e


# exponential: 0 where it is subnormal, for k = -127; infinite for k = 128
cdef inline float exponential_fast(float x) noexcept nogil:
    cdef floored e = exp_floored(at_most_float(at_least_float(x, F(-87.6)), F(88.8)))
    return e.mantissa * power_of_two_float(e.shifted)


cdef inline float exponential_grad_fast(float x) noexcept nogil:
    return exponential_fast(x)


# g exp(x), which may be in range where exp(x) is not: a positive k goes to g, in three parts.
cdef inline float exponential_backward_fast(float g, float x) noexcept nogil:
    cdef floored e = exp_floored(at_most_float(at_least_float(x, F(-87.6)), F(194.0)))
    cdef float shift = MAGIC_SHIFT_FLOAT + F(127.0)
    cdef float shifted = at_most_float(e.shifted, shift)
    cdef float others = e.shifted - shifted
    cdef float third = multiply_add_float(others, F(1.0 / 3.0), shift)
    cdef float rest = others + (shift - third) + (shift - third) + shift
    cdef float power = power_of_two_float(third)
    cdef float product = g * power * power * power_of_two_float(rest)
    return product * (e.mantissa * power_of_two_float(shifted))


cdef inline float exponential_grad_from_output_fast(float y) noexcept nogil:
    return y


cdef inline float sigmoid_fast(float x) noexcept nogil:
    cdef float e = exp_fast(minus_magnitude_float(x))
    return (e if x < 0 else F(1.0)) / (F(1.0) + e)


cdef inline float sigmoid_grad_fast(float x) noexcept nogil:
    cdef float e = exp_fast(minus_magnitude_float(x))
    return e / square_of_one_plus(e)


cdef inline float sigmoid_grad_from_output_fast(float y) noexcept nogil:
    return y * (F(1.0) - y)


# tanh: 2 t / (1 + t**2), t = tanh(x / 2) = p / q, which forgives errors of t near 1. For small x, p
# is near x / 2 and q near 1: each is rounded once, after its small part (q_1 = q - 1).
cdef inline float tanh_fast(float x) noexcept nogil:
    cdef float magnitude = fabsf(x)
    cdef float half = F(0.0) if magnitude < F(1e-12) else F(0.5) * x
    cdef float square = half * half
    cdef float p = multiply_add_float(half, square * tanh_p_fast_polynomial(square), half)
    cdef float q_1 = square * tanh_q_fast_polynomial(square)
    cdef float denominator = multiply_add_float(q_1, q_1 + F(2.0), p * p) + F(1.0)
    cdef float quotient = multiply_add_float(p + p, q_1, p + p) / denominator
    cdef float saturated = copysignf(F(1.0), x) if magnitude > F(9.02) else quotient
    return x if magnitude < F(1e-12) else saturated


# tanh': 4 e / (1 + e)**2, e = exp(-2 |x|), from 4 e: that is 0 below exp(-89.1)
cdef inline float tanh_grad_fast(float x) noexcept nogil:
    cdef float z = at_least_float(minus_magnitude_float(x + x), F(-89.42))
    cdef float numerator = value_of(lifted_exponential(z, F(0.0), 2))
    return numerator / square_of_one_plus(F(0.25) * numerator)


cdef inline float tanh_grad_from_output_fast(float y) noexcept nogil:
    return (F(1.0) - y) * (F(1.0) + y)


# scaled_tanh: as tanh, with a b x in place of x, so that x**2 is all that is rounded before; the
# result is a from |b x| = 9.02 on
cdef inline float scaled_tanh_fast(float x) noexcept nogil:
    cdef float magnitude = fabsf(x)
    cdef float bounded = F(0.0) if magnitude < F(1e-12) else magnitude
    cdef float square = bounded * bounded
    cdef float linear = F(SCALED_TANH_A * SCALED_TANH_B) * bounded
    cdef float linear_low = rest_of(SCALED_TANH_A * SCALED_TANH_B) * bounded
    cdef float curved = multiply_add_float(
        linear, square * scaled_tanh_p_fast_polynomial(square), linear_low
    )
    cdef float p = multiply_add_float(F(SCALED_TANH_A * SCALED_TANH_B), bounded, curved)  # 2 a p
    cdef float q_1 = square * scaled_tanh_q_fast_polynomial(square)
    cdef float p_square = F(0.25 / (SCALED_TANH_A * SCALED_TANH_A)) * p * p
    cdef float denominator = multiply_add_float(q_1, q_1 + F(2.0), p_square) + F(1.0)
    cdef float quotient = multiply_add_float(p, q_1, p) / denominator
    cdef float saturated = F(SCALED_TANH_A) if magnitude > F(13.53) else quotient
    # a b x, or x where that is subnormal
    cdef float factor = zero_if_tiny(magnitude, SCALED_TANH_A * SCALED_TANH_B)
    cdef float near = multiply_add_float(
        factor, F(SCALED_TANH_A * SCALED_TANH_B - 1.0), magnitude
    )
    return copysignf(near if magnitude < F(1e-12) else saturated, x)


# scaled_tanh': 4 a b e / (1 + e)**2, e = exp(-2 b |x|), from 4 e; see tanh'
cdef inline float scaled_tanh_grad_fast(float x) noexcept nogil:
    cdef float magnitude = at_most_float(magnitude_from(x, F(1e-12)), F(67.1))
    cdef float_pair z = times_literal(magnitude, 2.0 * SCALED_TANH_B)
    cdef exponential e = lifted_exponential(-z.high, -z.low, 2)
    cdef float numerator = times(F(SCALED_TANH_A * SCALED_TANH_B), e)
    return numerator / square_of_one_plus(F(0.25) * value_of(e))


# b / a (a - |y|) (a + |y|). The first sum is exact where |y| is near a.
cdef inline float scaled_tanh_grad_from_output_fast(float y) noexcept nogil:
    cdef float size = fabsf(y)
    cdef float magnitude = F(SCALED_TANH_A) if size >= F(SCALED_TANH_A) else size
    cdef float difference = (F(SCALED_TANH_A) - magnitude) + rest_of(SCALED_TANH_A)
    difference = F(0.0) if size >= F(SCALED_TANH_A) else difference
    return difference * multiply_add_float(
        F(SCALED_TANH_B / SCALED_TANH_A), magnitude, F(SCALED_TANH_B)
    )


# tanhshrink: x**3 p(x**2) / q(x**2) up to 2.2, with the rounding errors of x**2 and x**3. Beyond,
# where the quotient would have more errors than terms that cancel, it is x - x r(x**2) / q(x**2)
# with r = q - x**2 p. Below 2**-42 the result is subnormal, and taken as 0.
cdef inline float tanhshrink_fast(float x) noexcept nogil:
    cdef float magnitude = fabsf(x)
    cdef float a = magnitude_up_to(x, TANHSHRINK_BOUND_FAST)
    a = F(0.0) if a < F(2.2737367544323206e-13) else a
    cdef float square = a * a
    cdef float square_low = multiply_add_float(a, a, -square)
    cdef float cube = a * square
    cdef float cube_low = multiply_add_float(a, square_low, multiply_add_float(a, square, -cube))
    cdef float near = cube + multiply_add_float(
        cube, square * tanhshrink_p_fast_polynomial(square), cube_low
    )
    cdef float far = a * tanhshrink_tanh_fast_polynomial(square)
    cdef float quotient = (near if magnitude < F(2.2) else far) / tanhshrink_q_fast_polynomial(
        square
    )
    return copysignf(quotient if magnitude < F(2.2) else magnitude - quotient, x)


# tanhshrink': tanh**2, which is x**2 + x**4 p(x**2) up to 0.9, with the rounding error of x**2, and
# 1 - tanh' beyond. Below 2**-63 x**2 is subnormal, and taken as 0.
cdef inline float tanhshrink_grad_fast(float x) noexcept nogil:
    cdef float magnitude = fabsf(x)
    cdef float a = F(0.0) if magnitude < F(1.0842021724855044e-19) else magnitude
    cdef float square = a * a
    cdef float square_low = multiply_add_float(a, a, -square)
    cdef float near = square + multiply_add_float(
        square, square * tanh_square_fast_polynomial(square), square_low
    )
    return near if magnitude < F(0.9) else F(1.0) - tanh_grad_fast(x)


# softplus: max(x, 0) + e p(e), e = exp(-|x|)
cdef inline float softplus_fast(float x) noexcept nogil:
    cdef float e = exp_fast(minus_magnitude_float(x))
    return multiply_add_float(e, log1p_fast_polynomial(e), F(0.0) if x < F(1e-12) else x)


cdef inline float softplus_grad_fast(float x) noexcept nogil:
    return sigmoid_fast(x)


cdef inline float softplus_grad_from_output_fast(float y) noexcept nogil:
    return -expm1_fast(at_most_float(-y, F(0.0)))


# log_sigmoid: -softplus(-x)
cdef inline float log_sigmoid_fast(float x) noexcept nogil:
    return -softplus_fast(-x)


cdef inline float log_sigmoid_grad_fast(float x) noexcept nogil:
    return sigmoid_fast(-x)


cdef inline float log_sigmoid_grad_from_output_fast(float y) noexcept nogil:
    return softplus_grad_from_output_fast(-y)


# a >= 0, or 0 where slope * a is subnormal
cdef inline float zero_if_tiny(float a, double slope) noexcept nogil:
    return F(0.0) if a < F(1.1754943508222875e-38 / slope) else a


# x sigmoid(z) = max(x, 0) - a e / (1 + e), from a = |x| or where e vanishes, e_256 = 256 e, e = exp(-|z|)
cdef inline float gated_fast(float x, float a, float e_256) noexcept nogil:
    cdef float denominator = multiply_add_float(e_256, F(SCALE), F(1.0))
    cdef float tail = zero_if_tiny(a, 0.5) * e_256 / denominator
    return multiply_add_float(-tail, F(SCALE), positive_part_float(x))


cdef inline float silu_fast(float x) noexcept nogil:
    cdef float a = magnitude_up_to(x, F(93.6))
    return gated_fast(x, a, value_of(exp_256(-magnitude_from(a, F(1e-12)), F(0.0))))


# tail for x < 0, 1 - tail for x >= 0, from 256 tail; at -inf the tail is 0 with its sign
cdef inline float reflected(float x, float tail_256) noexcept nogil:
    cdef float scale = F(SCALE) if x < 0 else F(-SCALE)
    return multiply_add_float(tail_256, scale, F(-0.0) if x < 0 else F(1.0))


# silu' is a tail for x < 0 and 1 - tail for x >= 0: with a = |x| and e = exp(-a), the tail is
# e (1 + e - a) / (1 + e)**2. The bracket crosses 0 where a is 1 + e_0 and e is e_0, to the last digit; it
# is the sum of the differences from there, which have the same sign. e = e_0 2**j (1 + t) comes from
# the reduction of -log(e_0) - a: at the root j is 0 and e - e_0 is e_0 t. -log(e_0) is the sum of
# SILU_ROOT_FAST, whose first part has 16 bits, and SILU_ROOT_FAST_REST. The power of two is 256 times as
# large, and 0 for a > 94.51; at 94.8 t is positive, so that the sum of zeros is -0.0.
cdef inline float silu_grad_fast(float x) noexcept nogil:
    cdef float a = at_most_float(fabsf(x), F(94.8))
    cdef float shift = MAGIC_SHIFT_FLOAT + F(135.0)
    cdef float one_plus_e_0 = F(1.0) + SILU_ROOT_FAST_EXPONENTIAL
    cdef float distance = one_plus_e_0 - a
    cdef float distance_low = one_plus_e_0 - (distance + a)
    cdef float shifted = multiply_add_float(distance, F(LOG2E), shift)
    cdef float j = shifted - shift
    cdef float exact = (multiply_add_float(j, -LN2_FAST_0, SILU_ROOT_FAST_0) - a) + SILU_ROOT_FAST_1
    cdef float r = exact + multiply_add_float(j, -LN2_FAST_1, SILU_ROOT_FAST_REST)
    cdef float t = r * expm1_fast_polynomial(r)
    cdef float power = power_of_two_float(shifted)
    cdef float unit = SILU_ROOT_FAST_EXPONENTIAL * F(SCALE)
    cdef float e_base = unit * power
    cdef float e = multiply_add_float(e_base, t, e_base)
    cdef float change = (e_base - SILU_ROOT_FAST_EXPONENTIAL) + distance_low
    cdef float factor = (distance + multiply_add_float(e_base, t, change)) * power
    cdef float tail = multiply_add_float(factor, t, factor) / square_of_one_plus(e)
    return multiply_add_float(tail, unit if x < 0 else -unit, F(-0.0) if x < 0 else F(1.0))


# gelu: max(x, 0) - a Phi(-a), a = |x|, Phi(-a) = exp(-a**2 / 2) p(t) / (a + c), t = (a-c) / (a+c),
# c = 1.5. The exponential multiplies last, as 2**k (1 + excess), and the relative error of
# 1 / (a + c) is made good in the excess. At a = 13.28, k is -127 and 2**k taken as 0.
cdef inline float gelu_fast(float x) noexcept nogil:
    cdef float bounded = magnitude_up_to(x, F(13.28))
    cdef float a = magnitude_from(bounded, F(1e-9))
    cdef float square = a * a
    cdef float square_low = multiply_add_float(a, a, -square)
    cdef exponential e = exponential_of_square(square, square_low, 0)
    cdef float inverse = F(1.0) / (a + F(1.5))
    cdef float t = multiply_add_float(F(-3.0), inverse, F(1.0))
    cdef float residual = multiply_add_float(
        -inverse, a, multiply_add_float(F(-1.5), inverse, F(1.0))
    )
    cdef float excess = multiply_add_float(e.r, e.polynomial, residual)
    cdef float factor = zero_if_tiny(bounded, 0.5) * inverse * mills_fast_polynomial(t)
    cdef float tail = multiply_add_float(factor, excess, factor)
    return multiply_add_float(tail, -e.power, positive_part_float(x))


# gelu' at -a: exp(-a**2 / 2) (root - a) p(t), t = (a - 2.5) / (a + 2.5)
cdef inline float gelu_grad_fast(float x) noexcept nogil:
    cdef float a = at_most_float(magnitude_from(x, F(1e-9)), F(13.68))
    cdef float square = a * a
    cdef float square_low = multiply_add_float(a, a, -square)
    cdef exponential e_256 = exponential_of_square(square, square_low, 8)
    cdef float t = multiply_add_float(F(-5.0), F(1.0) / (a + F(2.5)), F(1.0))
    cdef float polynomial = gelu_grad_fast_polynomial(t)
    cdef float factor = multiply_add_float(
        -GELU_ROOT_FAST_0 - a, polynomial, -GELU_ROOT_FAST_1 * polynomial
    )
    return reflected(x, times(factor, e_256))


# x (linear + cubic x**2), and what else its derivative is made of; for |x| < 10.4, where
# `linear - quotient` is exact
ctypedef struct cubic_terms:
    float value
    float value_low
    float quotient  # value / x
    float rest  # its rounding error + 2 cubic x**2


cdef inline cubic_terms gelu_tanh_cubic_fast(float x) noexcept nogil:
    cdef cubic_terms z
    cdef float square = x * x
    cdef float square_low = multiply_add_float(x, x, -square)
    z.quotient = multiply_add_float(GELU_TANH_CUBIC_FAST_0, square, GELU_TANH_LINEAR_FAST_0)
    cdef float low = multiply_add_float(
        GELU_TANH_CUBIC_FAST_0, square, GELU_TANH_LINEAR_FAST_0 - z.quotient
    )
    low = multiply_add_float(GELU_TANH_CUBIC_FAST_0, square_low, low)
    low = low + multiply_add_float(GELU_TANH_CUBIC_FAST_1, square, GELU_TANH_LINEAR_FAST_1)
    z.value = x * z.quotient
    z.value_low = multiply_add_float(x, low, multiply_add_float(x, z.quotient, -z.value))
    z.rest = multiply_add_float(F(2.0) * GELU_TANH_CUBIC_FAST_0, square, low)
    return z


# gelu_tanh: x sigmoid(z); z reaches 93.7 at 10.27
cdef inline float gelu_tanh_fast(float x) noexcept nogil:
    cdef float a = magnitude_up_to(x, F(10.27))
    cdef cubic_terms z = gelu_tanh_cubic_fast(magnitude_from(a, F(1e-9)))
    return gated_fast(x, a, value_of(exp_256(-z.value, -z.value_low)))


# As silu', with w = a z'(a) instead of a: right where it is not near the root.
cdef inline float gelu_tanh_grad_fast(float x) noexcept nogil:
    cdef float a = at_most_float(magnitude_from(x, F(1e-9)), F(10.27))
    cdef cubic_terms z = gelu_tanh_cubic_fast(a)
    cdef exponential e_256 = exp_256(-z.value, -z.value_low)
    cdef float e = F(SCALE) * value_of(e_256)
    cdef float bracket = multiply_add_float(
        -a, z.quotient, multiply_add_float(-a, z.rest, F(1.0) + e)
    )
    cdef float tail = times(bracket, e_256) / square_of_one_plus(e)
    cdef float d = (-a - GELU_TANH_ROOT_FAST_0) - GELU_TANH_ROOT_FAST_1
    cdef float near = F(256.0) * d * gelu_tanh_slope_fast_polynomial(d)
    return reflected(x, near if fabsf(d) < GELU_TANH_RADIUS_FAST else tail)


# quick_gelu: x sigmoid(z), z = 1.702 x, which reaches 93.6 at 55
cdef inline float quick_gelu_fast(float x) noexcept nogil:
    cdef float a = magnitude_up_to(x, F(55.0))
    cdef float_pair z = times_literal(magnitude_from(a, F(1e-12)), QUICK_GELU_FACTOR)
    return gated_fast(x, a, value_of(exp_256(-z.high, -z.low)))


# In double: where x has another factor than 1, silu_grad_fast is 4.6 ulp off.
cdef inline float quick_gelu_grad_fast(float x) noexcept nogil:
    return <float>quick_gelu_grad_float(x)


# mish: max(x, 0) - a tail, tail = (e + e**2 / 2) / (1 + h) for x < 0 and 2 e**2 / (1 + h) for x >= 0,
# h = e + e**2 / 2 or 2 e + 2 e**2
cdef inline float mish_fast(float x) noexcept nogil:
    cdef float a = magnitude_up_to(x, F(93.6))
    cdef exponential e_256 = exp_256(-magnitude_from(a, F(1e-12)), F(0.0))
    cdef float e = F(SCALE) * value_of(e_256)
    cdef float quadratic = F(0.5) * e if x < 0 else e + e
    cdef float h = multiply_add_float(quadratic, e, e if x < 0 else quadratic)
    cdef float factor = times(zero_if_tiny(a, 0.6), e_256)
    cdef float numerator = multiply_add_float(factor, quadratic, factor if x < 0 else F(0.0))
    return multiply_add_float(-numerator / (F(1.0) + h), F(SCALE), positive_part_float(x))


# mish': the formula of float32.pxi, numerator and denominator divided by 4 for x < 0; the square
# of e**2 + 2 e + 2 is then (1 + h)**2
cdef inline float mish_grad_fast(float x) noexcept nogil:
    cdef float bounded = at_most_float(at_least_float(x, F(-93.6)), F(93.6))
    cdef exponential e_256 = exp_256(minus_magnitude_float(bounded), F(0.0))
    cdef float e = F(SCALE) * value_of(e_256)
    cdef float twice = e + e
    cdef float linear = bounded + F(1.5)
    cdef float constant = bounded + F(1.0)
    cdef float low = multiply_add_float(multiply_add_float(F(0.25), e, F(1.0)), e, linear)
    cdef float high = multiply_add_float(multiply_add_float(constant, e, linear), e, F(1.0))
    low = times(multiply_add_float(low, e, constant), e_256)
    high = multiply_add_float(high, twice + twice, F(1.0))
    cdef float quadratic = F(0.5) * e if x < 0 else twice
    cdef float h = multiply_add_float(quadratic, e, e if x < 0 else quadratic)
    cdef float quotient = (low if x < 0 else high) / square_of_one_plus(h)
    cdef float d = (x - MISH_ROOT_FAST_0) - MISH_ROOT_FAST_1
    cdef float from_middle = d - F(0.8125)
    cdef float slope = mish_slope_fast_polynomial(from_middle)
    cdef float formula = quotient * (F(SCALE) if x < 0 else F(1.0))
    return d * slope if fabsf(from_middle) < MISH_RADIUS_FAST else formula


# elu: x, or exp(x) - 1, which is x down to -2**-40
cdef inline float elu_fast(float x) noexcept nogil:
    cdef float value = expm1_fast(at_most_float(x, F(-9.094947017729282e-13)))
    return x if x > F(-9.094947017729282e-13) else value


cdef inline float elu_grad_fast(float x) noexcept nogil:
    cdef float e = exp_fast(at_most_float(x, F(-9.094947017729282e-13)))
    return F(1.0) if x > 0 else e


cdef inline float elu_grad_from_output_fast(float y) noexcept nogil:
    return at_most_float(at_least_float(y + F(1.0), F(0.0)), F(1.0))


# celu is elu for alpha = 1.
cdef inline float celu_fast(float x) noexcept nogil:
    return elu_fast(x)


cdef inline float celu_grad_fast(float x) noexcept nogil:
    return elu_grad_fast(x)


cdef inline float celu_grad_from_output_fast(float y) noexcept nogil:
    return elu_grad_from_output_fast(y)


# The product in double: selu of the largest subnormal numbers is normal.
cdef inline float selu_fast(float x) noexcept nogil:
    return <float>(<double>elu_fast(x) * (SELU_SCALE if x > 0 else SELU_PRODUCT_0))


cdef inline float selu_grad_fast(float x) noexcept nogil:
    cdef float z = at_most_float(at_least_float(x, F(-93.6)), F(-9.094947017729282e-13))
    cdef float low = value_of(exp_256(z, F(0.0))) * F(SELU_PRODUCT_0 * SCALE)
    return F(SELU_SCALE) if x > 0 else low


# The first sum is exact where y is near minus the constant.
cdef inline float selu_grad_from_output_fast(float y) noexcept nogil:
    cdef float total = y + F(SELU_PRODUCT_0)
    cdef float low = F(0.0) if total <= 0 else total + rest_of(SELU_PRODUCT_0)
    return F(SELU_SCALE) if y > 0 else low
