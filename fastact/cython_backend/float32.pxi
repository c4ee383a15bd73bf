# f and f' of the activations that need an exponential, for float32.
#
# Arguments arrive as doubles that are exactly float32, results leave as doubles that the loop
# rounds once: subnormal results, x * x and the cancellation at the roots of the gradients then
# need no care. The polynomials keep a relative error below 2**-36, so every result is within
# 0.501 ulp (docs/accuracy.md has the sweep of all 2**32 inputs). Only next to the roots of silu',
# gelu', gelu_tanh' and mish' that is not enough: there they are d p(d), d the distance to the root.
#
# Infinities: the argument of the exponential stops at -708 and factors of it at a value where
# the result, and the largest float32 times the result, has long reached its limit: so 0 * inf never
# arises, the sign of the limit remains, and backward is right for any grad_output. NaN passes
# through: comparisons are false for it, and the bounds keep it.


# exp(x), x <= 0: k = round(x / ln 2), r = x - k ln 2, exp(x) = 2**k (1 + r p(r)). One constant
# for ln 2 is enough: |x| <= 112 wherever a float32 result is not yet at its limit, and then the
# error of k ln 2 is below 2**-46.
cdef inline double exp_short(double x) noexcept nogil:
    cdef double bounded = at_least(x, -708.0)
    cdef double shifted = bounded * LOG2E + MAGIC_SHIFT
    cdef double r = bounded - (shifted - MAGIC_SHIFT) * LN2_0
    return power_of_two(shifted) * (1.0 + r * expm1_short_polynomial(r))


# exp(x) - 1, x <= 0, to the same relative error also near 0: (2**k - 1) + 2**k r p(r)
cdef inline double expm1_short(double x) noexcept nogil:
    cdef double bounded = at_least(x, -708.0)
    cdef double shifted = bounded * LOG2E + MAGIC_SHIFT
    cdef double r = bounded - (shifted - MAGIC_SHIFT) * LN2_0
    cdef double power = power_of_two(shifted)
    return power * (r * expm1_short_polynomial(r)) + (power - 1.0)


# log(1 + e), 0 <= e <= 1: 2 atanh(s) with s = e / (2 + e) <= 1/3
cdef inline double log1p_short(double e) noexcept nogil:
    cdef double s = e / (2.0 + e)
    return 2.0 * s * atanh_short_polynomial(s * s)


# sigmoid: e / (1 + e) with e = exp(-|x|), or 1 / (1 + e) for x >= 0
cdef inline double sigmoid_float(double x) noexcept nogil:
    cdef double e = exp_short(-fabs(x))
    return (e if x < 0 else 1.0) / (1.0 + e)


# sigmoid': e / (1 + e)**2
cdef inline double sigmoid_grad_float(double x) noexcept nogil:
    cdef double e = exp_short(-fabs(x))
    return e / ((1.0 + e) * (1.0 + e))


cdef inline double sigmoid_grad_from_output_float(double y) noexcept nogil:
    return y * (1.0 - y)


# tanh: -m / (2 + m) with m = expm1(-2 |x|), and the sign of x
cdef inline double tanh_float(double x) noexcept nogil:
    cdef double m = expm1_short(-2.0 * fabs(x))
    return copysign(-m / (2.0 + m), x)


# tanh': 4 e / (1 + e)**2 with e = exp(-2 |x|); 1 - tanh(x)**2 would cancel
cdef inline double tanh_grad_float(double x) noexcept nogil:
    cdef double e = exp_short(-2.0 * fabs(x))
    return 4.0 * e / ((1.0 + e) * (1.0 + e))


cdef inline double tanh_grad_from_output_float(double y) noexcept nogil:
    return (1.0 - y) * (1.0 + y)


# softplus: max(x, 0) + log1p(exp(-|beta x|)) / beta, beta > 0
cdef inline double softplus_float(double x, double beta) noexcept nogil:
    return (0.0 if x < 0 else x) + log1p_short(exp_short(-fabs(beta * x))) / beta


cdef inline double softplus_grad_float(double x, double beta) noexcept nogil:
    return sigmoid_float(beta * x)


# softplus' from y: sigmoid(beta x) = 1 - exp(-beta y)
cdef inline double softplus_grad_from_output_float(double y, double beta) noexcept nogil:
    return -expm1_short(-beta * y)


# silu: x sigmoid(beta x). With beta = 0 it is x / 2, also at the infinities; where beta x is so
# low that the result is -0.0, x stops at the largest float32.
cdef inline double silu_float(double x, double beta) noexcept nogil:
    cdef double z = 0.0 if beta == 0 else beta * x
    cdef double e = exp_short(-fabs(z))
    cdef double bounded = at_most(at_least(x, -3.5e38), 3.5e38) if z < -700.0 else x
    return bounded * (e if z < 0 else 1.0) / (1.0 + e)


# sigmoid(z) + w sigmoid'(z): e (1 + e + w) / (1 + e)**2, or (1 + e + w e) / (1 + e)**2 for z >= 0
cdef inline double gated_grad_float(double z, double w) noexcept nogil:
    cdef double e = exp_short(-fabs(z))
    cdef double numerator = e * (1.0 + e + w) if z < 0 else 1.0 + e + w * e
    return numerator / ((1.0 + e) * (1.0 + e))


# d slope near a root of a gradient, elsewhere what the formula gave
cdef inline double mend_near_root_short(double formula, double d, double slope) noexcept nogil:
    return d * slope if fabs(d) < ROOT_RADIUS_SHORT else formula


# silu': with z = beta x, sigmoid(z) + z sigmoid'(z)
cdef inline double silu_grad_float(double x, double beta) noexcept nogil:
    cdef double z = 0.0 if beta == 0 else at_most(at_least(beta * x, -700.0), 700.0)
    cdef double d = (z - SILU_ROOT_0) - SILU_ROOT_1
    cdef double derivative = mend_near_root_short(
        gated_grad_float(z, z), d, silu_slope_short_polynomial(d)
    )
    return derivative if x == x else x


# Phi(-a) = exp(-a**2 / 2) mills(a), 0 <= a <= 24; the Mills ratio is p(t) / (a + 4) with
# t = (a - 4) / (a + 4) = 1 - 8 / (a + 4)
cdef inline double mills_short(double a) noexcept nogil:
    cdef double inverse = 1.0 / (a + 4.0)
    return mills_short_polynomial(1.0 - 8.0 * inverse) * inverse


# gelu: x Phi(x), through the tail Phi(-|x|) on both sides; below -14.4 float32 is -0.0
cdef inline double gelu_float(double x) noexcept nogil:
    cdef double a = at_most(fabs(x), 24.0)
    cdef double tail = exp_short(-0.5 * a * a) * mills_short(a)
    return at_least(x, -24.0) * (tail if x < 0 else 1.0 - tail)


# gelu': Phi(x) + x phi(x) = low for x < 0, 1 - low for x >= 0, with
# low = exp(-a**2 / 2) (mills(a) - a / sqrt(2 pi))
cdef inline double gelu_grad_float(double x) noexcept nogil:
    cdef double a = at_most(fabs(x), 24.0)
    cdef double low = exp_short(-0.5 * a * a) * (mills_short(a) - a * NORMAL_DENSITY_0)
    cdef double d = (x - GELU_ROOT_0) - GELU_ROOT_1
    return mend_near_root_short(
        low if x < 0 else 1.0 - low, d, gelu_slope_short_polynomial(d)
    )


# gelu_tanh: x sigmoid(z), z = 2 sqrt(2/pi) (x + 0.044715 x**3); below -10.8 float32 is -0.0
cdef inline double gelu_tanh_float(double x) noexcept nogil:
    cdef double bounded = at_least(x, -15.0)
    cdef double z = bounded * (GELU_TANH_LINEAR_0 + GELU_TANH_CUBIC_0 * (bounded * bounded))
    cdef double e = exp_short(-fabs(z))
    return bounded * (e if x < 0 else 1.0) / (1.0 + e)


# gelu_tanh': sigmoid(z) + w sigmoid'(z) with w = x z'(x)
cdef inline double gelu_tanh_grad_float(double x) noexcept nogil:
    cdef double bounded = at_most(at_least(x, -15.0), 15.0)
    cdef double square = bounded * bounded
    cdef double z = bounded * (GELU_TANH_LINEAR_0 + GELU_TANH_CUBIC_0 * square)
    cdef double w = bounded * (GELU_TANH_LINEAR_0 + 3.0 * GELU_TANH_CUBIC_0 * square)
    cdef double d = (x - GELU_TANH_ROOT_0) - GELU_TANH_ROOT_1
    return mend_near_root_short(gated_grad_float(z, w), d, gelu_tanh_slope_short_polynomial(d))


# mish: x tanh(softplus(x)) = x n / d, with e = exp(-|x|): n = e (e + 2) and d = n + 2 for x < 0,
# n = 1 + 2 e and d = n + 2 e**2 for x >= 0
cdef inline double mish_float(double x) noexcept nogil:
    cdef double bounded = at_least(x, -700.0)
    cdef double e = exp_short(-fabs(x))
    cdef double n = e * (e + 2.0) if x < 0 else 1.0 + 2.0 * e
    return bounded * n / (n + (2.0 if x < 0 else 2.0 * e * e))


# mish': e (e**3 + 4 e**2 + (4 x + 6) e + 4 (x + 1)) / (e**2 + 2 e + 2)**2 with e = exp(x). For
# x >= 0, e = exp(-x): both are divided by exp(4 x), which turns the order of the coefficients.
cdef inline double mish_grad_float(double x) noexcept nogil:
    cdef double bounded = at_most(at_least(x, -700.0), 700.0)
    cdef double e = exp_short(-fabs(bounded))
    cdef double linear = 4.0 * bounded + 6.0
    cdef double constant = 4.0 * (bounded + 1.0)
    cdef double low = e * (((e + 4.0) * e + linear) * e + constant)
    cdef double high = ((constant * e + linear) * e + 4.0) * e + 1.0
    cdef double quadratic = (e + 2.0) * e + 2.0 if x < 0 else (2.0 * e + 2.0) * e + 1.0
    cdef double formula = (low if x < 0 else high) / (quadratic * quadratic)
    cdef double d = (x - MISH_ROOT_0) - MISH_ROOT_1
    return mend_near_root_short(formula, d, mish_slope_short_polynomial(d))


# elu: x, or alpha expm1(x) for x <= 0; exp(x) - 1 would lose all digits near 0
cdef inline double elu_float(double x, double alpha) noexcept nogil:
    return x if x >= 0 else alpha * expm1_short(x)


cdef inline double elu_grad_float(double x, double alpha) noexcept nogil:
    return 1.0 if x > 0 else alpha * exp_short(x)


cdef inline double elu_grad_from_output_float(double y, double alpha) noexcept nogil:
    return 1.0 if y > 0 else y + alpha


# selu: scale * elu(x, alpha)
cdef inline double selu_float(double x) noexcept nogil:
    return SELU_SCALE * elu_float(x, SELU_ALPHA)


cdef inline double selu_grad_float(double x) noexcept nogil:
    return SELU_SCALE * elu_grad_float(x, SELU_ALPHA)


cdef inline double selu_grad_from_output_float(double y) noexcept nogil:
    return SELU_SCALE if y > 0 else y + SELU_SCALE * SELU_ALPHA
