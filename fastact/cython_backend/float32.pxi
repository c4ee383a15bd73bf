# f and f' of the activations that need an exponential, for float32.
#
# Arguments arrive as doubles that are exactly float32, results leave as doubles that the loop
# rounds once: subnormal results and x * x then need no care. The polynomials keep a relative error
# below 2**-28.5, many below 2**-31.5, so every result is within 0.54 ulp (docs/accuracy.md has the
# sweep). silu', gelu', gelu_tanh' and mish' keep it at their roots too: there they have d, the
# distance to the root, as a factor, and the exponential is counted from the root.
#
# Divisions are products with a reciprocal that is as exact as the polynomials: a division of
# doubles takes as long as a dozen products.
#
# Infinities: the argument of the exponential is bounded, and factors of it at a value where
# the result, and the largest float32 times the result, has long reached its limit: so 0 * inf never
# arises, the sign of the limit remains, and backward is right for any grad_output. NaN passes
# through: comparisons are false for it, and the bounds keep it.

cdef extern from *:
    """
    /* value * 2**k, for shifted = k + MAGIC_SHIFT, where value and the result are normal. NaN stays:
       one that was float32 before has zeros in the low bits, which are all that is added. */
    static CYTHON_INLINE double fastact_times_power_of_two(double value, double shifted) {
        uint64_t bits, exponent;
        memcpy(&bits, &value, sizeof bits);
        memcpy(&exponent, &shifted, sizeof exponent);
        bits += exponent << 52;
        memcpy(&value, &bits, sizeof value);
        return value;
    }

    /* 1 / d, 2**-1021 < d < 2**1021, to 2**-34. The difference of bits, of 1, (sqrt(24) - 3) / 2 and d,
       are those of r, piecewise linear, with d r = 1 - s, |s| <= 0.0506; and
       1 / (1 - s) = (1 + s) (1 + s**2) (1 + s**4) ... */
    static CYTHON_INLINE double fastact_reciprocal(double d) {
        uint64_t bits;
        double r, s, square;
        memcpy(&bits, &d, sizeof bits);
        bits = UINT64_C(0x7fde623850000000) - bits;
        memcpy(&r, &bits, sizeof r);
        s = fastact_multiply_add(-d, r, 1.0);
        square = s * s;
        r = fastact_multiply_add(r, s, r);
        r = fastact_multiply_add(r, square, r);
        return fastact_multiply_add(r, square * square, r);
    }
    """
    double times_power_of_two "fastact_times_power_of_two"(
        double value, double shifted
    ) noexcept nogil
    double reciprocal "fastact_reciprocal"(double d) noexcept nogil


# factor exp(step r) and factor expm1(r) / r, for literals: they go into the coefficients.
cdef inline double exp_polynomial(double r, double factor, double step) noexcept nogil:
    cdef double square = step * step
    cdef double fourth = square * square
    cdef double total = factor * EXP_SHORT_6 * (square * fourth)
    total = multiply_add(r, total, factor * EXP_SHORT_5 * (fourth * step))
    total = multiply_add(r, total, factor * EXP_SHORT_4 * fourth)
    total = multiply_add(r, total, factor * EXP_SHORT_3 * (square * step))
    total = multiply_add(r, total, factor * EXP_SHORT_2 * square)
    total = multiply_add(r, total, factor * EXP_SHORT_1 * step)
    return multiply_add(r, total, factor * EXP_SHORT_0)


cdef inline double expm1_polynomial(double r, double factor) noexcept nogil:
    cdef double total = multiply_add(r, factor * EXPM1_SHORT_6, factor * EXPM1_SHORT_5)
    total = multiply_add(r, total, factor * EXPM1_SHORT_4)
    total = multiply_add(r, total, factor * EXPM1_SHORT_3)
    total = multiply_add(r, total, factor * EXPM1_SHORT_2)
    total = multiply_add(r, total, factor * EXPM1_SHORT_1)
    return multiply_add(r, total, factor * EXPM1_SHORT_0)


# step x = k ln 2 + step r: k as it stands in the low bits of a sum
ctypedef struct reduced:
    double shifted
    double r


# One constant for ln 2 is enough: |step x| <= 112 wherever a float32 result is not yet at its limit,
# and then the error of k ln 2 is below 2**-36.
cdef inline reduced reduce_short(double x, double step) noexcept nogil:
    cdef reduced e
    e.shifted = multiply_add(x, step * LOG2E, MAGIC_SHIFT)
    e.r = multiply_add(MAGIC_SHIFT - e.shifted, LN2_0 / step, x)
    return e


# factor exp(step x) = 2**k p(r), |step x| <= 708, factor near 1, step a power of two
cdef inline double exp_scaled(double x, double factor, double step) noexcept nogil:
    cdef reduced e = reduce_short(x, step)
    return times_power_of_two(exp_polynomial(e.r, factor, step), e.shifted)


cdef inline double exp_short(double x) noexcept nogil:
    return exp_scaled(x, 1.0, 1.0)


# factor (exp(x) - 1) = factor (2**k - 1) + 2**k r p(r), to the same relative error also near 0,
# |x| <= 708
cdef inline double expm1_scaled(double x, double factor) noexcept nogil:
    cdef reduced e = reduce_short(x, 1.0)
    cdef double power = power_of_two(e.shifted)
    cdef double whole = multiply_add(power, factor, -factor)
    return multiply_add(power * e.r, expm1_polynomial(e.r, factor), whole)


# exponential: infinite in float32, and yet finite, so that backward is right for any grad_output
cdef inline double exponential_float(double x) noexcept nogil:
    return exp_short(bounded(x, 700.0))


cdef inline double exponential_grad_float(double x) noexcept nogil:
    return exponential_float(x)


cdef inline double exponential_grad_from_output_float(double y) noexcept nogil:
    return y


# sigmoid: 1 / (1 + exp(-x))
cdef inline double sigmoid_float(double x) noexcept nogil:
    return reciprocal(1.0 + exp_short(-bounded(x, 700.0)))


# sigmoid': s (1 - s) with s = sigmoid(-|x|) <= 1/2, which cancels nothing
cdef inline double sigmoid_grad_float(double x) noexcept nogil:
    cdef double s = reciprocal(1.0 + exp_short(at_most(fabs(x), 700.0)))
    return multiply_add(-s, s, s)


cdef inline double sigmoid_grad_from_output_float(double y) noexcept nogil:
    return y * (1.0 - y)


# log_sigmoid: -softplus(-x)
cdef inline double log_sigmoid_float(double x) noexcept nogil:
    return -softplus_float(-x, 1.0)


cdef inline double log_sigmoid_grad_float(double x) noexcept nogil:
    return sigmoid_float(-x)


cdef inline double log_sigmoid_grad_from_output_float(double y) noexcept nogil:
    return softplus_grad_from_output_float(-y, 1.0)


# tanh: x p(x**2) / q(x**2), which is 1 in float32 from 9.02 on
cdef inline double tanh_float(double x) noexcept nogil:
    cdef double within = bounded(x, TANH_BOUND_SHORT)
    cdef double square = within * within
    cdef double numerator = within * tanh_p_short_polynomial(square)
    return numerator * reciprocal(tanh_q_short_polynomial(square))


# tanh': e / ((1 + e) / 2)**2 with e = exp(-2 |x|); 1 - tanh(x)**2 would cancel
cdef inline double tanh_grad_float(double x) noexcept nogil:
    cdef double e = exp_scaled(-at_most(fabs(x), 350.0), 1.0, 2.0)
    cdef double inverse = reciprocal(multiply_add(0.5, e, 0.5))
    return e * inverse * inverse


cdef inline double tanh_grad_from_output_float(double y) noexcept nogil:
    return (1.0 - y) * (1.0 + y)


# tanh(z) for z >= 0, to all digits also where it is near 1: a multiple of it, and its square, have
# their roundings elsewhere. It is m / (m + 2), m = expm1(2 z).
cdef inline double tanh_to_the_limit(double z) noexcept nogil:
    cdef double m = expm1_scaled(at_most(z + z, 40.0), 1.0)
    return m * reciprocal(m + 2.0)


# scaled_tanh: a tanh(b x)
cdef inline double scaled_tanh_float(double x, double a, double b) noexcept nogil:
    cdef double t = tanh_to_the_limit(fabs(b) * magnitude_for(b, x))
    return a * copysign(1.0, b) * copysign(t, x)


cdef inline double scaled_tanh_grad_float(double x, double a, double b) noexcept nogil:
    return a * b * tanh_grad_float(fabs(b * magnitude_for(b, x)))


# 0 where y has reached a, rounded to float. For a = 0, f and f' are 0, and b / a has no value.
cdef inline double scaled_tanh_grad_from_output_float(double y, double a, double b) noexcept nogil:
    cdef double divisor = 1.0 if a == 0 else a
    cdef double ratio = 0.0 if a == 0 else b / divisor
    cdef double other = divisor if fabs(y) >= fabs(<double><float>a) else y
    return ratio * (divisor - other) * (divisor + other)


# tanhshrink: x - tanh(x) = x**3 p(x**2) / q(x**2). From 10 on, tanh is 1 to all digits.
cdef inline double tanhshrink_float(double x) noexcept nogil:
    cdef double within = bounded(x, TANHSHRINK_BOUND_SHORT)
    cdef double square = within * within
    cdef double numerator = within * square * tanhshrink_p_short_polynomial(square)
    cdef double inverse = reciprocal(tanhshrink_q_short_polynomial(square))
    return copysign(multiply_add(numerator, inverse, x - within), x)


cdef inline double tanhshrink_grad_float(double x) noexcept nogil:
    cdef double t = tanh_to_the_limit(fabs(x))
    return t * t


# softplus: max(x, 0) + log1p(exp(-|beta x|)) / beta, beta > 0; log1p(e) = e p(e)
cdef inline double softplus_float(double x, double beta) noexcept nogil:
    cdef double b = in_range(beta, 1e-100, DBL_MAX)
    cdef double e = exp_short(-at_most(fabs(b * x), 700.0))
    return multiply_add(e * (1.0 / b), log1p_short_polynomial(e), at_least(x, 0.0))


cdef inline double softplus_grad_float(double x, double beta) noexcept nogil:
    return sigmoid_float(beta * x)


# softplus' from y: sigmoid(beta x) = 1 - exp(-beta y)
cdef inline double softplus_grad_from_output_float(double y, double beta) noexcept nogil:
    return expm1_scaled(at_most(at_least(-beta * y, -700.0), 0.0), -1.0)


# 0 stays.
cdef inline double silu_beta(double beta) noexcept nogil:
    return beta if beta == 0 else in_range(beta, 1e-147, DBL_MAX)


# x as far as beta x is at least -700; infinities become 1e150, which times any float32 but 0 is
# beyond float32, and times exp(-700) is 0 in float32. For beta > 0, an infinite x may stay.
cdef inline double silu_factor(double x, double beta) noexcept nogil:
    if beta > 0:
        return at_least(x, -700.0 / beta)
    return at_most(at_least(x, -1e150), -700.0 / beta if beta < 0 else 1e150)


# silu: x sigmoid(beta x). With beta = 0 it is x / 2, also at the infinities.
cdef inline double silu_float(double x, double beta) noexcept nogil:
    cdef double b = silu_beta(beta)
    cdef double factor = silu_factor(x, b)
    return factor * reciprocal(1.0 + exp_short(-at_most(b * factor, 700.0)))


# sigmoid(z) + w sigmoid'(z) = (1 + e (1 + w)) / (1 + e)**2 with e = exp(-z). At its root z_0, w_0,
# it is 0: 1 + e_0 (1 + w_0) = 0. So it is e_0 ((w - w_0) + m (1 + w)) / (1 + e)**2 with
# m = e / e_0 - 1 = expm1(z_0 - z); the denominator is divided by e_0 = 1 / square_root**2.
cdef inline double gated_grad_float(
    double w, double w_from_root, double z_from_root, double square_root
) noexcept nogil:
    cdef double m = expm1_scaled(-z_from_root, 1.0)
    cdef double numerator = multiply_add(m, 1.0 + w, w_from_root)
    cdef double inverse = reciprocal(
        multiply_add(m, 1.0 / square_root, square_root + 1.0 / square_root)
    )
    return numerator * inverse * inverse


# silu': with z = beta x, sigmoid(z) + z sigmoid'(z)
cdef inline double silu_grad_float(double x, double beta) noexcept nogil:
    cdef double b = silu_beta(beta)
    cdef double z = bounded(b * silu_factor(x, b), 400.0)
    cdef double d = z - SILU_ROOT_0
    return gated_grad_float(z, d, d, SILU_ROOT_SQRT)


# gelu: x Phi(x) = max(x, 0) - a Phi(-a), a = |x|. Phi(-a) = exp(-a**2 / 2) p(t) / (a + 5), with
# t = (a - 5) / (a + 5) = 1 - 10 / (a + 5); from 20 on, it is 0 in float32, also times any float32.
cdef inline double gelu_float(double x) noexcept nogil:
    cdef double a = at_most(fabs(x), 20.0)
    cdef double inverse = reciprocal(a + 5.0)
    cdef double mills = mills_short_polynomial(multiply_add(-10.0, inverse, 1.0)) * inverse
    return multiply_add(-a * mills, exp_scaled(a * a, 1.0, -0.5), at_least(x, 0.0))


# gelu': Phi(x) + x phi(x) = low for x < 0, 1 - low for x >= 0, with
# low = exp(-a**2 / 2) (root - a) p(t), t as for gelu
cdef inline double gelu_grad_float(double x) noexcept nogil:
    cdef double a = at_most(fabs(x), 20.0)
    cdef double t = multiply_add(-10.0, reciprocal(a + 5.0), 1.0)
    cdef double factor = (-GELU_ROOT_0 - a) * gelu_grad_short_polynomial(t)
    cdef double low = exp_scaled(a * a, 1.0, -0.5) * factor
    return low if x < 0 else 1.0 - low


# gelu_tanh: x sigmoid(z), z = 2 sqrt(2/pi) (x + 0.044715 x**3); below -10.8 float32 is -0.0
cdef inline double gelu_tanh_float(double x) noexcept nogil:
    cdef double factor = at_least(x, -15.0)
    cdef double a = at_most(factor, 15.0)
    cdef double z = a * multiply_add(GELU_TANH_CUBIC_0, a * a, GELU_TANH_LINEAR_0)
    return factor * reciprocal(1.0 + exp_short(-z))


# gelu_tanh': sigmoid(z) + w sigmoid'(z) with w = x z'(x). With d the distance x - root, and
# s = x**2 + x root + root**2 = (x**3 - root**3) / d, z and w are from their values at the root by
# d (linear + cubic s) and d (linear + 3 cubic s).
cdef inline double gelu_tanh_grad_float(double x) noexcept nogil:
    cdef double a = bounded(x, 15.0)
    cdef double d = a - GELU_TANH_ROOT_0
    cdef double s = multiply_add(a, a + GELU_TANH_ROOT_0, GELU_TANH_ROOT_0 * GELU_TANH_ROOT_0)
    cdef double z_from_root = d * multiply_add(GELU_TANH_CUBIC_0, s, GELU_TANH_LINEAR_0)
    cdef double w_from_root = d * multiply_add(3.0 * GELU_TANH_CUBIC_0, s, GELU_TANH_LINEAR_0)
    return gated_grad_float(
        w_from_root - GELU_TANH_ROOT_W_0, w_from_root, z_from_root, GELU_TANH_ROOT_SQRT
    )


# quick_gelu: silu with beta = 1.702
cdef inline double quick_gelu_float(double x) noexcept nogil:
    return silu_float(x, QUICK_GELU_FACTOR)


cdef inline double quick_gelu_grad_float(double x) noexcept nogil:
    return silu_grad_float(x, QUICK_GELU_FACTOR)


# mish: x tanh(softplus(x)) = x n / (n + 2), n = e (e + 2), e = exp(x)
cdef inline double mish_float(double x) noexcept nogil:
    cdef double factor = at_least(x, -700.0)
    cdef double e = exp_short(at_most(factor, 100.0))
    cdef double n = e * (e + 2.0)
    return factor * n * reciprocal(n + 2.0)


# mish': e b / (e**2 + 2 e + 2)**2 with e = exp(x), b = e**3 + 4 e**2 + (4 x + 6) e + 4 (x + 1).
# At its root x_0, e_0, it is 0, so with d = x - x_0 and m = expm1(d), e = e_0 (1 + m):
# b = 4 d (e + 1) + e_0 m (e**2 + (e_0 + 4) e + e_0**2 + 4 e_0 + 4 x_0 + 6).
# Numerator and denominator are divided by 4.
cdef inline double mish_grad_float(double x) noexcept nogil:
    cdef double d = at_most(at_least(x, -700.0), 100.0) - MISH_ROOT_0
    cdef reduced reduction = reduce_short(d, 1.0)
    cdef double polynomial = expm1_polynomial(reduction.r, 1.0)
    cdef double power = power_of_two(reduction.shifted)
    cdef double m = multiply_add(power * reduction.r, polynomial, power - 1.0)
    cdef double e = MISH_ROOT_EXPONENTIAL * times_power_of_two(
        multiply_add(reduction.r, polynomial, 1.0), reduction.shifted
    )
    cdef double constant = (
        (MISH_ROOT_EXPONENTIAL + 4.0) * MISH_ROOT_EXPONENTIAL + 4.0 * MISH_ROOT_0 + 6.0
    )
    cdef double quadratic = multiply_add(e, e + (MISH_ROOT_EXPONENTIAL + 4.0), constant)
    cdef double linear = multiply_add(d, e, d)
    cdef double b = multiply_add(0.25 * MISH_ROOT_EXPONENTIAL * m, quadratic, linear)
    cdef double inverse = reciprocal(multiply_add(e, multiply_add(0.5, e, 1.0), 1.0))
    return (e * inverse) * (b * inverse)


# elu: x, or alpha expm1(x) for x <= 0; exp(x) - 1 would lose all digits near 0
cdef inline double elu_float(double x, double alpha) noexcept nogil:
    cdef double low = alpha * expm1_scaled(at_least(x, -700.0), 1.0)
    return x if x >= 0 else low


cdef inline double elu_grad_float(double x, double alpha) noexcept nogil:
    # For a huge alpha, exp(x) may matter where it is out of the range: it multiplies in two parts.
    cdef bint is_huge = fabs(alpha) > 1e100
    cdef double e = exp_short(at_least(0.5 * x if is_huge else x, -700.0))
    cdef double low = alpha * e * (e if is_huge else 1.0)
    return 1.0 if x > 0 else low


# 0 where y has reached -alpha, rounded to float
cdef inline double elu_grad_from_output_float(double y, double alpha) noexcept nogil:
    cdef double low = 0.0 if y <= -<double><float>alpha else y + alpha
    return 1.0 if y > 0 else low


cdef inline double celu_alpha(double alpha) noexcept nogil:
    return in_range(alpha, 1e-100, 1e150)


# celu: x, or alpha expm1(x / alpha) for x <= 0. The error of the quotient, 2**-52, is no matter.
cdef inline double celu_argument(double x, double alpha) noexcept nogil:
    cdef double z = x * (1.0 / alpha)
    return at_least(z, -700.0) if alpha > 0 else at_most(z, 700.0)


cdef inline double celu_float(double x, double alpha) noexcept nogil:
    cdef double a = celu_alpha(alpha)
    cdef double low = a * expm1_scaled(celu_argument(x, a), 1.0)
    return x if x >= 0 else low


cdef inline double celu_grad_float(double x, double alpha) noexcept nogil:
    cdef double low = exp_short(celu_argument(x, celu_alpha(alpha)))
    return 1.0 if x > 0 else low


# 1 + y / alpha; where they cancel, the sum here is exact. 0 where y has reached -alpha, rounded to
# float; for alpha < 0 there is no such bound.
cdef inline double celu_grad_from_output_float(double y, double alpha) noexcept nogil:
    cdef double a = celu_alpha(alpha)
    cdef double bound = -<double><float>alpha if alpha > 0 else NAN
    cdef double low = 0.0 if y <= bound else (y + a) * (1.0 / a)
    return 1.0 if y > 0 else low


# selu: scale * elu(x, alpha)
cdef inline double selu_float(double x) noexcept nogil:
    cdef double low = expm1_scaled(at_least(x, -700.0), SELU_PRODUCT_0)
    return SELU_SCALE * x if x >= 0 else low


cdef inline double selu_grad_float(double x) noexcept nogil:
    cdef double low = exp_scaled(at_least(x, -700.0), SELU_PRODUCT_0, 1.0)
    return SELU_SCALE if x > 0 else low


cdef inline double selu_grad_from_output_float(double y) noexcept nogil:
    cdef double low = 0.0 if y <= -<double>F(SELU_PRODUCT_0) else y + SELU_PRODUCT_0
    return SELU_SCALE if y > 0 else low
