"""f and f' of the activations that need an exponential, for float32.

The loop gives each element as a float64 that is exactly float32, and rounds the float64 result
once: subnormal results and x * x then need no care. The polynomials keep a relative error below
2**-28.5, many below 2**-31.5, so every result is within 0.54 ulp. silu', gelu', gelu_tanh' and
mish' keep it at their roots too: there they have d, the distance to the root, as a factor, and the
exponential is counted from the root.

Divisions are products with a reciprocal that is as exact as the polynomials: a division of
doubles takes as long as a dozen products.

Infinities: the argument of the exponential is bounded, and factors of it at a value where the
result, and the largest float32 times the result, has long reached its limit: so 0 * inf never
arises, the sign of the limit remains, and backward is right for any grad_output. NaN passes
through: comparisons are false for it, and the bounds keep it.

Both sides of a choice are computed before it, so that it becomes a select of vectors.
"""

from __future__ import annotations

from math import copysign, fabs, nan

from numba import float32

from fastact import coefficients as table
from fastact.coefficients import (
    LOG2E,
    MISH_ROOT_EXPONENTIAL,
    QUICK_GELU_FACTOR,
    SELU_PRODUCT,
    SELU_SCALE,
    TANH_BOUND_SHORT,
    TANHSHRINK_BOUND_SHORT,
)
from fastact.numba_backend.primitives import (
    LARGEST,
    MAGIC_SHIFT,
    at_least,
    at_most,
    bounded,
    in_range,
    kernel,
    magnitude_for,
    multiply_add,
    polynomial_in_one_chain,
    power_of_two,
    reciprocal,
    times_power_of_two,
)

LN2 = table.LN2[0]
GELU_TANH_LINEAR = table.GELU_TANH_LINEAR[0]
GELU_TANH_CUBIC = table.GELU_TANH_CUBIC[0]
SILU_ROOT = table.SILU_ROOT[0]
SILU_ROOT_SQRT = table.SILU_ROOT_SQRT
GELU_ROOT = table.GELU_ROOT[0]
GELU_TANH_ROOT = table.GELU_TANH_ROOT[0]
GELU_TANH_ROOT_W = table.GELU_TANH_ROOT_W[0]
GELU_TANH_ROOT_SQRT = table.GELU_TANH_ROOT_SQRT
MISH_ROOT = table.MISH_ROOT[0]

EXP_0, EXP_1, EXP_2, EXP_3, EXP_4, EXP_5, EXP_6 = table.EXP_SHORT
EXPM1_0, EXPM1_1, EXPM1_2, EXPM1_3, EXPM1_4, EXPM1_5, EXPM1_6 = table.EXPM1_SHORT
log1p_polynomial = polynomial_in_one_chain(table.LOG1P_SHORT)
tanh_p = polynomial_in_one_chain(table.TANH_P_SHORT)
tanh_q = polynomial_in_one_chain(table.TANH_Q_SHORT)
tanhshrink_p = polynomial_in_one_chain(table.TANHSHRINK_P_SHORT)
tanhshrink_q = polynomial_in_one_chain(table.TANHSHRINK_Q_SHORT)
mills_polynomial = polynomial_in_one_chain(table.MILLS_SHORT)
gelu_grad_polynomial = polynomial_in_one_chain(table.GELU_GRAD_SHORT)


# factor exp(step r) and factor expm1(r) / r, for literals: they go into the coefficients.
@kernel
def exp_polynomial(r: float, factor: float, step: float) -> float:
    square = step * step
    fourth = square * square
    total = factor * EXP_6 * (square * fourth)
    total = multiply_add(r, total, factor * EXP_5 * (fourth * step))
    total = multiply_add(r, total, factor * EXP_4 * fourth)
    total = multiply_add(r, total, factor * EXP_3 * (square * step))
    total = multiply_add(r, total, factor * EXP_2 * square)
    total = multiply_add(r, total, factor * EXP_1 * step)
    return multiply_add(r, total, factor * EXP_0)


@kernel
def expm1_polynomial(r: float, factor: float) -> float:
    total = multiply_add(r, factor * EXPM1_6, factor * EXPM1_5)
    total = multiply_add(r, total, factor * EXPM1_4)
    total = multiply_add(r, total, factor * EXPM1_3)
    total = multiply_add(r, total, factor * EXPM1_2)
    total = multiply_add(r, total, factor * EXPM1_1)
    return multiply_add(r, total, factor * EXPM1_0)


# step x = k ln 2 + step r: returns k as it stands in the low bits of a sum, and r. One constant for
# ln 2 is enough: |step x| <= 112 wherever a float32 result is not yet at its limit, and then the
# error of k ln 2 is below 2**-36.
@kernel
def reduce_short(x: float, step: float) -> tuple[float, float]:
    shifted = multiply_add(x, step * LOG2E, MAGIC_SHIFT)
    return shifted, multiply_add(MAGIC_SHIFT - shifted, LN2 / step, x)


# factor exp(step x) = 2**k p(r), |step x| <= 708, factor near 1, step a power of two
@kernel
def exp_scaled(x: float, factor: float, step: float) -> float:
    shifted, r = reduce_short(x, step)
    return times_power_of_two(exp_polynomial(r, factor, step), shifted)


@kernel
def exp_short(x: float) -> float:
    return exp_scaled(x, 1.0, 1.0)


# factor (exp(x) - 1) = factor (2**k - 1) + 2**k r p(r), to the same relative error also near 0,
# |x| <= 708
@kernel
def expm1_scaled(x: float, factor: float) -> float:
    shifted, r = reduce_short(x, 1.0)
    power = power_of_two(shifted)
    whole = multiply_add(power, factor, -factor)
    return multiply_add(power * r, expm1_polynomial(r, factor), whole)


# exponential: infinite in float32, and yet finite, so that backward is right for any grad_output
@kernel
def exponential(x: float) -> float:
    return exp_short(bounded(x, 700.0))


exponential_grad = exponential


@kernel
def exponential_grad_from_output(y: float) -> float:
    return y


# sigmoid: 1 / (1 + exp(-x))
@kernel
def sigmoid(x: float) -> float:
    return reciprocal(1.0 + exp_short(-bounded(x, 700.0)))


# sigmoid': s (1 - s) with s = sigmoid(-|x|) <= 1/2, which cancels nothing
@kernel
def sigmoid_grad(x: float) -> float:
    s = reciprocal(1.0 + exp_short(at_most(fabs(x), 700.0)))
    return multiply_add(-s, s, s)


@kernel
def sigmoid_grad_from_output(y: float) -> float:
    return y * (1.0 - y)


# log_sigmoid: -softplus(-x)
@kernel
def log_sigmoid(x: float) -> float:
    return -softplus(-x, 1.0)


@kernel
def log_sigmoid_grad(x: float) -> float:
    return sigmoid(-x)


@kernel
def log_sigmoid_grad_from_output(y: float) -> float:
    return softplus_grad_from_output(-y, 1.0)


# tanh: x p(x**2) / q(x**2), which is 1 in float32 from 9.02 on
@kernel
def tanh(x: float) -> float:
    within = bounded(x, TANH_BOUND_SHORT)
    square = within * within
    numerator = within * tanh_p(square)
    return numerator * reciprocal(tanh_q(square))


# tanh': e / ((1 + e) / 2)**2 with e = exp(-2 |x|); 1 - tanh(x)**2 would cancel
@kernel
def tanh_grad(x: float) -> float:
    e = exp_scaled(-at_most(fabs(x), 350.0), 1.0, 2.0)
    inverse = reciprocal(multiply_add(0.5, e, 0.5))
    return e * inverse * inverse


@kernel
def tanh_grad_from_output(y: float) -> float:
    return (1.0 - y) * (1.0 + y)


# tanh(z) for z >= 0, to all digits also where it is near 1: a multiple of it, and its square, have
# their roundings elsewhere. It is m / (m + 2), m = expm1(2 z).
@kernel
def tanh_to_the_limit(z: float) -> float:
    m = expm1_scaled(at_most(z + z, 40.0), 1.0)
    return m * reciprocal(m + 2.0)


# scaled_tanh: a tanh(b x)
@kernel
def scaled_tanh(x: float, a: float, b: float) -> float:
    t = tanh_to_the_limit(fabs(b) * magnitude_for(b, x))
    return a * copysign(1.0, b) * copysign(t, x)


@kernel
def scaled_tanh_grad(x: float, a: float, b: float) -> float:
    return a * b * tanh_grad(fabs(b * magnitude_for(b, x)))


# For a = 0, f and f' are 0, and b / a has no value.
@kernel
def scaled_tanh_grad_from_output(y: float, a: float, b: float) -> float:
    divisor = 1.0 if a == 0.0 else a
    ratio = 0.0 if a == 0.0 else b / divisor
    other = divisor if fabs(y) >= fabs(float(float32(a))) else y
    return ratio * (divisor - other) * (divisor + other)


# tanhshrink: x - tanh(x) = x**3 p(x**2) / q(x**2). From 10 on, tanh is 1 to all digits.
@kernel
def tanhshrink(x: float) -> float:
    within = bounded(x, TANHSHRINK_BOUND_SHORT)
    square = within * within
    numerator = within * square * tanhshrink_p(square)
    inverse = reciprocal(tanhshrink_q(square))
    return copysign(multiply_add(numerator, inverse, x - within), x)


@kernel
def tanhshrink_grad(x: float) -> float:
    t = tanh_to_the_limit(fabs(x))
    return t * t


# softplus: max(x, 0) + log1p(exp(-|beta x|)) / beta, beta > 0; log1p(e) = e p(e)
@kernel
def softplus(x: float, beta: float) -> float:
    b = in_range(beta, 1e-100, LARGEST)
    e = exp_short(-at_most(fabs(b * x), 700.0))
    return multiply_add(e * (1.0 / b), log1p_polynomial(e), at_least(x, 0.0))


@kernel
def softplus_grad(x: float, beta: float) -> float:
    return sigmoid(beta * x)


# softplus' from y: sigmoid(beta x) = 1 - exp(-beta y)
@kernel
def softplus_grad_from_output(y: float, beta: float) -> float:
    return expm1_scaled(at_most(at_least(-beta * y, -700.0), 0.0), -1.0)


# 0 stays.
@kernel
def silu_beta(beta: float) -> float:
    within = in_range(beta, 1e-147, LARGEST)
    return beta if beta == 0.0 else within


# x as far as beta x is at least -700; infinities become 1e150, which times any float32 but 0 is
# beyond float32, and times exp(-700) is 0 in float32.
@kernel
def silu_factor(x: float, beta: float) -> float:
    limit = -700.0 / beta
    low = limit if beta > 0.0 else -1e150
    high = limit if beta < 0.0 else 1e150
    return at_most(at_least(x, low), high)


# silu: x sigmoid(beta x). With beta = 0 it is x / 2, also at the infinities.
@kernel
def silu(x: float, beta: float) -> float:
    b = silu_beta(beta)
    factor = silu_factor(x, b)
    return factor * reciprocal(1.0 + exp_short(-at_most(b * factor, 700.0)))


# sigmoid(z) + w sigmoid'(z) = (1 + e (1 + w)) / (1 + e)**2 with e = exp(-z). At its root z_0, w_0,
# it is 0: 1 + e_0 (1 + w_0) = 0. So it is e_0 ((w - w_0) + m (1 + w)) / (1 + e)**2 with
# m = e / e_0 - 1 = expm1(z_0 - z); the denominator is divided by e_0 = 1 / square_root**2.
@kernel
def gated_grad(w: float, w_from_root: float, z_from_root: float, square_root: float) -> float:
    m = expm1_scaled(-z_from_root, 1.0)
    numerator = multiply_add(m, 1.0 + w, w_from_root)
    inverse = reciprocal(multiply_add(m, 1.0 / square_root, square_root + 1.0 / square_root))
    return numerator * inverse * inverse


# silu': with z = beta x, sigmoid(z) + z sigmoid'(z)
@kernel
def silu_grad(x: float, beta: float) -> float:
    b = silu_beta(beta)
    z = bounded(b * silu_factor(x, b), 400.0)
    d = z - SILU_ROOT
    return gated_grad(z, d, d, SILU_ROOT_SQRT)


# gelu: x Phi(x) = max(x, 0) - a Phi(-a), a = |x|. Phi(-a) = exp(-a**2 / 2) p(t) / (a + 5), with
# t = (a - 5) / (a + 5) = 1 - 10 / (a + 5); from 20 on, it is 0 in float32, also times any float32.
@kernel
def gelu(x: float) -> float:
    a = at_most(fabs(x), 20.0)
    inverse = reciprocal(a + 5.0)
    mills = mills_polynomial(multiply_add(-10.0, inverse, 1.0)) * inverse
    return multiply_add(-a * mills, exp_scaled(a * a, 1.0, -0.5), at_least(x, 0.0))


# gelu': Phi(x) + x phi(x) = low for x < 0, 1 - low for x >= 0, with
# low = exp(-a**2 / 2) (root - a) p(t), t as for gelu
@kernel
def gelu_grad(x: float) -> float:
    a = at_most(fabs(x), 20.0)
    t = multiply_add(-10.0, reciprocal(a + 5.0), 1.0)
    factor = (-GELU_ROOT - a) * gelu_grad_polynomial(t)
    low = exp_scaled(a * a, 1.0, -0.5) * factor
    high = 1.0 - low
    return low if x < 0.0 else high


# gelu_tanh: x sigmoid(z), z = 2 sqrt(2/pi) (x + 0.044715 x**3); below -10.8 float32 is -0.0
@kernel
def gelu_tanh(x: float) -> float:
    factor = at_least(x, -15.0)
    a = at_most(factor, 15.0)
    z = a * multiply_add(GELU_TANH_CUBIC, a * a, GELU_TANH_LINEAR)
    return factor * reciprocal(1.0 + exp_short(-z))


# gelu_tanh': sigmoid(z) + w sigmoid'(z) with w = x z'(x). With d the distance x - root, and
# s = x**2 + x root + root**2 = (x**3 - root**3) / d, z and w are from their values at the root by
# d (linear + cubic s) and d (linear + 3 cubic s).
@kernel
def gelu_tanh_grad(x: float) -> float:
    a = bounded(x, 15.0)
    d = a - GELU_TANH_ROOT
    s = multiply_add(a, a + GELU_TANH_ROOT, GELU_TANH_ROOT * GELU_TANH_ROOT)
    z_from_root = d * multiply_add(GELU_TANH_CUBIC, s, GELU_TANH_LINEAR)
    w_from_root = d * multiply_add(3.0 * GELU_TANH_CUBIC, s, GELU_TANH_LINEAR)
    w = w_from_root - GELU_TANH_ROOT_W
    return gated_grad(w, w_from_root, z_from_root, GELU_TANH_ROOT_SQRT)


# quick_gelu: silu with beta = 1.702
@kernel
def quick_gelu(x: float) -> float:
    return silu(x, QUICK_GELU_FACTOR)


@kernel
def quick_gelu_grad(x: float) -> float:
    return silu_grad(x, QUICK_GELU_FACTOR)


# mish: x tanh(softplus(x)) = x n / (n + 2), n = e (e + 2), e = exp(x)
@kernel
def mish(x: float) -> float:
    factor = at_least(x, -700.0)
    e = exp_short(at_most(factor, 100.0))
    n = e * (e + 2.0)
    return factor * n * reciprocal(n + 2.0)


# mish': e b / (e**2 + 2 e + 2)**2 with e = exp(x), b = e**3 + 4 e**2 + (4 x + 6) e + 4 (x + 1).
# At its root x_0, e_0, it is 0, so with d = x - x_0 and m = expm1(d), e = e_0 (1 + m):
# b = 4 d (e + 1) + e_0 m (e**2 + (e_0 + 4) e + e_0**2 + 4 e_0 + 4 x_0 + 6).
# Numerator and denominator are divided by 4.
@kernel
def mish_grad(x: float) -> float:
    d = at_most(at_least(x, -700.0), 100.0) - MISH_ROOT
    shifted, r = reduce_short(d, 1.0)
    p = expm1_polynomial(r, 1.0)
    power = power_of_two(shifted)
    m = multiply_add(power * r, p, power - 1.0)
    e = MISH_ROOT_EXPONENTIAL * times_power_of_two(multiply_add(r, p, 1.0), shifted)
    constant = (MISH_ROOT_EXPONENTIAL + 4.0) * MISH_ROOT_EXPONENTIAL + 4.0 * MISH_ROOT + 6.0
    quadratic = multiply_add(e, e + (MISH_ROOT_EXPONENTIAL + 4.0), constant)
    linear = multiply_add(d, e, d)
    b = multiply_add(0.25 * MISH_ROOT_EXPONENTIAL * m, quadratic, linear)
    inverse = reciprocal(multiply_add(e, multiply_add(0.5, e, 1.0), 1.0))
    return (e * inverse) * (b * inverse)


# elu: x, or alpha expm1(x) for x <= 0; exp(x) - 1 would lose all digits near 0
@kernel
def elu(x: float, alpha: float) -> float:
    low = alpha * expm1_scaled(at_least(x, -700.0), 1.0)
    return x if x >= 0.0 else low


@kernel
def elu_grad(x: float, alpha: float) -> float:
    # For a huge alpha, exp(x) may matter where it is out of the range: it multiplies in two parts.
    is_huge = fabs(alpha) > 1e100
    e = exp_short(at_least(0.5 * x if is_huge else x, -700.0))
    low = alpha * e * (e if is_huge else 1.0)
    return 1.0 if x > 0.0 else low


@kernel
def elu_grad_from_output(y: float, alpha: float) -> float:
    total = y + alpha
    low = 0.0 if y <= -float(float32(alpha)) else total
    return 1.0 if y > 0.0 else low


@kernel
def celu_alpha(alpha: float) -> float:
    return in_range(alpha, 1e-100, 1e150)


# celu: x, or alpha expm1(x / alpha) for x <= 0. The error of the quotient, 2**-52, is no matter.
@kernel
def celu_argument(x: float, alpha: float) -> float:
    z = x * (1.0 / alpha)
    low = at_least(z, -700.0)
    high = at_most(z, 700.0)
    return low if alpha > 0.0 else high


@kernel
def celu(x: float, alpha: float) -> float:
    a = celu_alpha(alpha)
    low = a * expm1_scaled(celu_argument(x, a), 1.0)
    return x if x >= 0.0 else low


@kernel
def celu_grad(x: float, alpha: float) -> float:
    low = exp_short(celu_argument(x, celu_alpha(alpha)))
    return 1.0 if x > 0.0 else low


# 1 + y / alpha; where they cancel, the sum here is exact
@kernel
def celu_grad_from_output(y: float, alpha: float) -> float:
    a = celu_alpha(alpha)
    slope = (y + a) * (1.0 / a)
    bound = -float(float32(alpha)) if alpha > 0.0 else nan
    low = 0.0 if y <= bound else slope
    return 1.0 if y > 0.0 else low


# selu: scale * elu(x, alpha)
@kernel
def selu(x: float) -> float:
    low = expm1_scaled(at_least(x, -700.0), SELU_PRODUCT[0])
    high = SELU_SCALE * x
    return high if x >= 0.0 else low


@kernel
def selu_grad(x: float) -> float:
    low = exp_scaled(at_least(x, -700.0), SELU_PRODUCT[0], 1.0)
    return SELU_SCALE if x > 0.0 else low


@kernel
def selu_grad_from_output(y: float) -> float:
    total = y + SELU_PRODUCT[0]
    low = 0.0 if y <= -float(float32(SELU_PRODUCT[0])) else total
    return SELU_SCALE if y > 0.0 else low
