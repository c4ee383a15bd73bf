# f and f' of the activations that need an exponential, for float64.
#
# The formulas are those of float32.pxi, in pairs (double_double.pxi): each function carries a
# relative error of about 2**-56 up to one final rounding, so that results are within 1 ulp or
# little more; at most 2 is the contract. Three places need more than the formula:
#
# * exp(z) turns an absolute error of z into a relative one of the result, and |z| reaches 745, so
#   z itself is a pair: x**2 / 2 in gelu, beta x in silu and softplus, the cubic in gelu_tanh.
# * A result that is subnormal is rounded once: the power of two is applied last, in two steps.
# * silu', gelu', gelu_tanh' and mish' cross zero. Near the root they are (x - root) q,
#   with the root a pair and q a polynomial, and keep their relative accuracy up to the root.
#
# Infinities and NaN are treated as in float32.pxi.


# mantissa * 2**k: exp(x) for x <= 0, and what is a multiple of it. The mantissa is near 1.
ctypedef struct scaled:
    pair mantissa
    double shifted  # k + MAGIC_SHIFT


cdef inline scaled exp_full(pair x) noexcept nogil:
    cdef scaled result
    cdef double high = at_least(x.high, -1416.0)  # k >= -2043: see apply_exponent
    result.shifted = high * LOG2E + MAGIC_SHIFT
    cdef double k = result.shifted - MAGIC_SHIFT
    # high - k LN2_0 is exact: LN2_0 has 42 bits, k has 11.
    cdef pair r = fast_two_sum(high - k * LN2_0, x.low - k * LN2_1)
    cdef double tail = r.high * r.high * exp_full_polynomial(r.high)
    cdef pair leading = fast_two_sum(1.0, r.high)
    result.mantissa = fast_two_sum(leading.high, leading.low + (r.low + tail))
    return result


# value * 2**k for any k of exp_full, in two exact steps, of which the last rounds
cdef inline double apply_exponent(double value, double shifted) noexcept nogil:
    cdef double half = 0.5 * (shifted - MAGIC_SHIFT) + MAGIC_SHIFT
    return value * power_of_two(half) * power_of_two(shifted - (half - MAGIC_SHIFT))


# e as a pair, for sums with numbers near 1: kept above 2**-1001, so that it is normal
cdef inline pair to_pair(scaled e) noexcept nogil:
    return scale(e.mantissa, power_of_two(at_least(e.shifted, MAGIC_SHIFT - 1000.0)))


# exp(x) - 1, x <= 0: (2**k - 1) + 2**k r + 2**k (m - 1 - r), the first two sums exact
cdef inline pair expm1_full(double x) noexcept nogil:
    cdef double bounded = at_least(x, -690.0)
    cdef double shifted = bounded * LOG2E + MAGIC_SHIFT
    cdef double k = shifted - MAGIC_SHIFT
    cdef pair r = fast_two_sum(bounded - k * LN2_0, -k * LN2_1)
    cdef double tail = r.high * r.high * exp_full_polynomial(r.high)
    cdef double power = power_of_two(shifted)
    cdef pair base = fast_two_sum(-1.0, power)
    cdef pair leading = two_sum(base.high, power * r.high)
    return fast_two_sum(leading.high, leading.low + (base.low + power * (r.low + tail)))


# log(1 + e), 0 <= e <= 1: 2 s + 2 s**3 p(s**2) with s = e / (2 + e)
cdef inline pair log1p_full(pair e) noexcept nogil:
    cdef pair s = divide(e, add_double(e, 2.0))
    cdef double square = s.high * s.high
    cdef double tail = s.high * square * atanh_full_polynomial(square)
    return scale(fast_two_sum(s.high, s.low + tail), 2.0)


# a * b; where a * b is out of the range of exp, or the split overflows, the low part is 0
cdef inline pair bounded_product(double a, double b) noexcept nogil:
    cdef pair product = two_product(a, b)
    product.low = product.low if fabs(product.low) < 1.0 else 0.0
    return product


# -|x|
cdef inline pair minus_magnitude(pair x) noexcept nogil:
    return scale(x, 1.0 if x.high < 0 else -1.0)


# sigmoid(z): e / (1 + e) with e = exp(-|z|), or 1 / (1 + e) for z >= 0
cdef inline scaled sigmoid_of_pair(pair z) noexcept nogil:
    cdef scaled e = exp_full(minus_magnitude(z))
    cdef pair numerator = select(z.high < 0, e.mantissa, make_pair(1.0, 0.0))
    cdef scaled result
    result.mantissa = divide(numerator, add_double(to_pair(e), 1.0))
    result.shifted = e.shifted if z.high < 0 else MAGIC_SHIFT
    return result


# sigmoid(z) + w sigmoid'(z): e (1 + e + w) / (1 + e)**2, or (1 + e + w e) / (1 + e)**2 for z >= 0
cdef inline double gated_grad_double(pair z, pair w) noexcept nogil:
    cdef scaled e = exp_full(minus_magnitude(z))
    cdef pair exponential = to_pair(e)
    cdef pair one_plus = add_double(exponential, 1.0)
    cdef bint low = z.high < 0
    cdef pair bracket = add(
        one_plus, multiply(w, select(low, make_pair(1.0, 0.0), exponential))
    )
    cdef pair numerator = multiply(bracket, select(low, e.mantissa, make_pair(1.0, 0.0)))
    cdef pair quotient = divide(numerator, multiply(one_plus, one_plus))
    return apply_exponent(quotient.high, e.shifted if low else MAGIC_SHIFT)


# (d, the distance to the root, as a pair; its first sum is exact within the radius)
cdef inline pair distance(pair x, double root_high, double root_low) noexcept nogil:
    return fast_two_sum(x.high - root_high, x.low - root_low)


# d (constant + d tail) near the root, elsewhere what the formula gave
cdef inline double mend_near_root(
    double formula, pair d, double constant, double constant_low, double tail
) noexcept nogil:
    cdef pair slope = fast_two_sum(constant, d.high * tail)
    slope.low = slope.low + constant_low
    cdef pair product = multiply(d, slope)
    return product.high if fabs(d.high) < ROOT_RADIUS else formula


cdef inline double sigmoid_double(double x) noexcept nogil:
    cdef scaled s = sigmoid_of_pair(make_pair(x, 0.0))
    return apply_exponent(s.mantissa.high, s.shifted)


cdef inline double sigmoid_grad_double(double x) noexcept nogil:
    cdef scaled e = exp_full(make_pair(-fabs(x), 0.0))
    cdef pair one_plus = add_double(to_pair(e), 1.0)
    cdef pair quotient = divide(e.mantissa, multiply(one_plus, one_plus))
    return apply_exponent(quotient.high, e.shifted)


cdef inline double sigmoid_grad_from_output_double(double y) noexcept nogil:
    return y * (1.0 - y)


cdef inline double tanh_double(double x) noexcept nogil:
    cdef pair m = expm1_full(-2.0 * fabs(x))
    cdef pair quotient = divide(negative(m), add_double(m, 2.0))
    return copysign(quotient.high, x)


cdef inline double tanh_grad_double(double x) noexcept nogil:
    cdef scaled e = exp_full(make_pair(-2.0 * fabs(x), 0.0))
    cdef pair one_plus = add_double(to_pair(e), 1.0)
    cdef pair quotient = divide(e.mantissa, multiply(one_plus, one_plus))
    return apply_exponent(4.0 * quotient.high, e.shifted)


cdef inline double tanh_grad_from_output_double(double y) noexcept nogil:
    return (1.0 - y) * (1.0 + y)


# Below beta x = -40 log1p(e) is e to all digits, and e may be subnormal.
cdef inline double softplus_double(double x, double beta) noexcept nogil:
    cdef pair z = bounded_product(beta, x)
    cdef scaled e = exp_full(minus_magnitude(z))
    cdef pair logarithm = log1p_full(to_pair(e))
    cdef double above = (0.0 if x < 0 else x) + (logarithm.high / beta + logarithm.low / beta)
    return apply_exponent(e.mantissa.high / beta, e.shifted) if z.high < -40.0 else above


cdef inline double softplus_grad_double(double x, double beta) noexcept nogil:
    cdef scaled s = sigmoid_of_pair(bounded_product(beta, x))
    return apply_exponent(s.mantissa.high, s.shifted)


cdef inline double softplus_grad_from_output_double(double y, double beta) noexcept nogil:
    return -expm1_full(-beta * y).high


# Where exp(beta x) is past its range, x becomes a zero of its sign, so that -inf gives -0.0.
cdef inline double silu_double(double x, double beta) noexcept nogil:
    cdef pair z = bounded_product(beta, 0.0 if beta == 0 else x)
    cdef scaled s = sigmoid_of_pair(z)
    cdef double factor = copysign(0.0, x) if z.high < -1416.0 else x
    return apply_exponent(factor * s.mantissa.high, s.shifted)


cdef inline double silu_grad_double(double x, double beta) noexcept nogil:
    cdef pair z = bounded_product(beta, 0.0 if beta == 0 else x)
    z.low = 0.0 if fabs(z.high) > 800.0 else z.low
    z.high = at_most(at_least(z.high, -800.0), 800.0)
    cdef pair d = distance(z, SILU_ROOT_0, SILU_ROOT_1)
    cdef double formula = mend_near_root(
        gated_grad_double(z, z), d, SILU_SLOPE_0, SILU_SLOPE_LOW, silu_slope_tail(d.high)
    )
    return formula if x == x else x


# Phi(-a) = exp(-a**2 / 2) mills(a); see mills_short. The first four coefficients are pairs.
cdef inline pair mills_full(double a) noexcept nogil:
    cdef pair shifted = two_sum(a, 4.0)
    cdef pair t = divide(two_sum(a, -4.0), shifted)
    cdef pair p = make_pair(mills_full_tail(t.high), 0.0)
    p = add(make_pair(MILLS_FULL_3, MILLS_FULL_LOW_3), multiply(t, p))
    p = add(make_pair(MILLS_FULL_2, MILLS_FULL_LOW_2), multiply(t, p))
    p = add(make_pair(MILLS_FULL_1, MILLS_FULL_LOW_1), multiply(t, p))
    p = add(make_pair(MILLS_FULL_0, MILLS_FULL_LOW_0), multiply(t, p))
    return divide(p, shifted)


# exp(-a**2 / 2)
cdef inline scaled gaussian(double a) noexcept nogil:
    return exp_full(scale(two_product(a, a), -0.5))


# mantissa * 2**k for x < 0, 1 - mantissa * 2**k for x >= 0, times factor
cdef inline double reflect(double x, double factor, scaled tail) noexcept nogil:
    cdef pair complement = add_double(negative(to_pair(tail)), 1.0)
    cdef double value = factor * (tail.mantissa.high if x < 0 else complement.high)
    return apply_exponent(value, tail.shifted if x < 0 else MAGIC_SHIFT)


# float64 is -0.0 below -38.6
cdef inline double gelu_double(double x) noexcept nogil:
    cdef double a = at_most(fabs(x), 40.0)
    cdef scaled tail = gaussian(a)
    tail.mantissa = multiply(tail.mantissa, mills_full(a))
    return reflect(x, at_least(x, -40.0), tail)


cdef inline double gelu_grad_double(double x) noexcept nogil:
    cdef double a = at_most(fabs(x), 40.0)
    cdef pair density = multiply_double(make_pair(NORMAL_DENSITY_0, NORMAL_DENSITY_1), a)
    cdef scaled tail = gaussian(a)
    tail.mantissa = multiply(tail.mantissa, add(mills_full(a), negative(density)))
    cdef pair d = distance(make_pair(x, 0.0), GELU_ROOT_0, GELU_ROOT_1)
    return mend_near_root(
        reflect(x, 1.0, tail), d, GELU_SLOPE_0, GELU_SLOPE_LOW, gelu_slope_tail(d.high)
    )


# x (linear + cubic_factor * cubic x**2)
cdef inline pair gelu_tanh_cubic(double x, double cubic_factor) noexcept nogil:
    cdef pair cubic = make_pair(GELU_TANH_CUBIC_0, GELU_TANH_CUBIC_1)
    cdef pair inner = multiply_double(multiply(cubic, two_product(x, x)), cubic_factor)
    return multiply_double(add(make_pair(GELU_TANH_LINEAR_0, GELU_TANH_LINEAR_1), inner), x)


# float64 is -0.0 below -21.6
cdef inline double gelu_tanh_double(double x) noexcept nogil:
    cdef double bounded = at_least(x, -23.0)
    cdef scaled s = sigmoid_of_pair(gelu_tanh_cubic(at_most(bounded, 23.0), 1.0))
    return apply_exponent(bounded * s.mantissa.high, s.shifted)


cdef inline double gelu_tanh_grad_double(double x) noexcept nogil:
    cdef double bounded = at_most(at_least(x, -23.0), 23.0)
    cdef double formula = gated_grad_double(
        gelu_tanh_cubic(bounded, 1.0), gelu_tanh_cubic(bounded, 3.0)
    )
    cdef pair d = distance(make_pair(x, 0.0), GELU_TANH_ROOT_0, GELU_TANH_ROOT_1)
    return mend_near_root(
        formula, d, GELU_TANH_SLOPE_0, GELU_TANH_SLOPE_LOW, gelu_tanh_slope_tail(d.high)
    )


cdef inline double mish_double(double x) noexcept nogil:
    cdef scaled e = exp_full(make_pair(-fabs(x), 0.0))
    cdef pair exponential = to_pair(e)
    cdef pair plus_two = add_double(exponential, 2.0)
    cdef pair low = multiply(exponential, plus_two)
    cdef pair high = add_double(scale(exponential, 2.0), 1.0)
    cdef pair square = scale(multiply(exponential, exponential), 2.0)
    cdef pair quotient = divide(
        select(x < 0, multiply(e.mantissa, plus_two), high),
        select(x < 0, add_double(low, 2.0), add(high, square)),
    )
    return apply_exponent(
        at_least(x, -800.0) * quotient.high, e.shifted if x < 0 else MAGIC_SHIFT
    )


# The four coefficients of the cubic in e change their order at 0, as in float32.pxi.
cdef inline double mish_grad_double(double x) noexcept nogil:
    cdef double bounded = at_most(at_least(x, -800.0), 800.0)
    cdef scaled e = exp_full(make_pair(-fabs(bounded), 0.0))
    cdef pair exponential = to_pair(e)
    cdef pair one = make_pair(1.0, 0.0)
    cdef pair four = make_pair(4.0, 0.0)
    cdef pair linear = two_sum(4.0 * bounded, 6.0)
    cdef pair constant = scale(two_sum(bounded, 1.0), 4.0)
    cdef pair cubic = multiply(select(x < 0, one, constant), exponential)
    cubic = multiply(add(cubic, select(x < 0, four, linear)), exponential)
    cubic = multiply(add(cubic, select(x < 0, linear, four)), exponential)
    cubic = add(cubic, select(x < 0, constant, one))
    cubic = multiply(cubic, select(x < 0, e.mantissa, one))
    cdef pair quadratic = scale(exponential, 1.0 if x < 0 else 2.0)
    quadratic = multiply(add_double(quadratic, 2.0), exponential)
    quadratic = add_double(quadratic, 2.0 if x < 0 else 1.0)
    cdef pair quotient = divide(cubic, multiply(quadratic, quadratic))
    cdef pair d = distance(make_pair(x, 0.0), MISH_ROOT_0, MISH_ROOT_1)
    return mend_near_root(
        apply_exponent(quotient.high, e.shifted if x < 0 else MAGIC_SHIFT),
        d, MISH_SLOPE_0, MISH_SLOPE_LOW, mish_slope_tail(d.high),
    )


cdef inline double elu_double(double x, double alpha) noexcept nogil:
    cdef pair m = expm1_full(x)
    cdef double product = alpha * m.high
    return x if x >= 0 else copysign(product + alpha * m.low, product)  # -0.0 + 0.0 is 0.0


cdef inline double elu_grad_double(double x, double alpha) noexcept nogil:
    cdef scaled e = exp_full(make_pair(x, 0.0))
    return 1.0 if x > 0 else apply_exponent(alpha * e.mantissa.high, e.shifted)


cdef inline double elu_grad_from_output_double(double y, double alpha) noexcept nogil:
    return 1.0 if y > 0 else y + alpha


cdef inline double selu_double(double x) noexcept nogil:
    cdef pair product = multiply(two_product(SELU_SCALE, SELU_ALPHA), expm1_full(x))
    return SELU_SCALE * x if x >= 0 else product.high


cdef inline double selu_grad_double(double x) noexcept nogil:
    cdef scaled e = exp_full(make_pair(x, 0.0))
    cdef pair product = multiply(two_product(SELU_SCALE, SELU_ALPHA), e.mantissa)
    return SELU_SCALE if x > 0 else apply_exponent(product.high, e.shifted)


cdef inline double selu_grad_from_output_double(double y) noexcept nogil:
    return SELU_SCALE if y > 0 else y + SELU_SCALE * SELU_ALPHA
