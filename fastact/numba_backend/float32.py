"""f and f' of the activations that need an exponential, for float32.

The loop gives each element as a float64 that is exactly float32, and rounds the float64 result
once: subnormal results, x * x and the cancellation at the roots of the gradients then need no
care. The polynomials keep a relative error below 2**-36, so every result is within 0.501 ulp. Only
next to the roots of silu', gelu', gelu_tanh' and mish' that is not enough: there they are d p(d),
d the distance to the root.

Infinities: the argument of the exponential stops at -708 and factors of it at a value where the
result, and the largest float32 times the result, has long reached its limit: so 0 * inf never
arises, the sign of the limit remains, and backward is right for any grad_output. NaN passes
through: comparisons are false for it, and the bounds keep it.

Both sides of a choice are computed before it, so that it becomes a select of vectors.
"""

from __future__ import annotations

from math import copysign, fabs

from fastact import coefficients as table
from fastact.coefficients import (
    GELU_ROOT,
    GELU_TANH_ROOT,
    LOG2E,
    MISH_ROOT,
    ROOT_RADIUS_SHORT,
    SELU_ALPHA,
    SELU_SCALE,
    SILU_ROOT,
)
from fastact.numba_backend.primitives import (
    MAGIC_SHIFT,
    at_least,
    at_most,
    kernel,
    polynomial,
    power_of_two,
)

LN2 = table.LN2[0]
NORMAL_DENSITY = table.NORMAL_DENSITY[0]
GELU_TANH_LINEAR = table.GELU_TANH_LINEAR[0]
GELU_TANH_CUBIC = table.GELU_TANH_CUBIC[0]

expm1_polynomial = polynomial(table.EXPM1_SHORT)
atanh_polynomial = polynomial(table.ATANH_SHORT)
mills_polynomial = polynomial(table.MILLS_SHORT)
silu_slope = polynomial(table.SILU_SLOPE_SHORT)
gelu_slope = polynomial(table.GELU_SLOPE_SHORT)
gelu_tanh_slope = polynomial(table.GELU_TANH_SLOPE_SHORT)
mish_slope = polynomial(table.MISH_SLOPE_SHORT)


# exp(x), x <= 0: k = round(x / ln 2), r = x - k ln 2, exp(x) = 2**k (1 + r p(r)). One constant
# for ln 2 is enough: |x| <= 112 wherever a float32 result is not yet at its limit, and then the
# error of k ln 2 is below 2**-46.
@kernel
def exp_short(x: float) -> float:
    bounded = at_least(x, -708.0)
    shifted = bounded * LOG2E + MAGIC_SHIFT
    r = bounded - (shifted - MAGIC_SHIFT) * LN2
    return power_of_two(shifted) * (1.0 + r * expm1_polynomial(r))


# exp(x) - 1, x <= 0, to the same relative error also near 0: (2**k - 1) + 2**k r p(r)
@kernel
def expm1_short(x: float) -> float:
    bounded = at_least(x, -708.0)
    shifted = bounded * LOG2E + MAGIC_SHIFT
    r = bounded - (shifted - MAGIC_SHIFT) * LN2
    power = power_of_two(shifted)
    return power * (r * expm1_polynomial(r)) + (power - 1.0)


# log(1 + e), 0 <= e <= 1: 2 atanh(s) with s = e / (2 + e) <= 1/3
@kernel
def log1p_short(e: float) -> float:
    s = e / (2.0 + e)
    return 2.0 * s * atanh_polynomial(s * s)


# sigmoid: e / (1 + e) with e = exp(-|x|), or 1 / (1 + e) for x >= 0
@kernel
def sigmoid(x: float) -> float:
    e = exp_short(-fabs(x))
    return (e if x < 0.0 else 1.0) / (1.0 + e)


# sigmoid': e / (1 + e)**2
@kernel
def sigmoid_grad(x: float) -> float:
    e = exp_short(-fabs(x))
    return e / ((1.0 + e) * (1.0 + e))


@kernel
def sigmoid_grad_from_output(y: float) -> float:
    return y * (1.0 - y)


# tanh: -m / (2 + m) with m = expm1(-2 |x|), and the sign of x
@kernel
def tanh(x: float) -> float:
    m = expm1_short(-2.0 * fabs(x))
    return copysign(-m / (2.0 + m), x)


# tanh': 4 e / (1 + e)**2 with e = exp(-2 |x|); 1 - tanh(x)**2 would cancel
@kernel
def tanh_grad(x: float) -> float:
    e = exp_short(-2.0 * fabs(x))
    return 4.0 * e / ((1.0 + e) * (1.0 + e))


@kernel
def tanh_grad_from_output(y: float) -> float:
    return (1.0 - y) * (1.0 + y)


# softplus: max(x, 0) + log1p(exp(-|beta x|)) / beta, beta > 0
@kernel
def softplus(x: float, beta: float) -> float:
    return at_least(x, 0.0) + log1p_short(exp_short(-fabs(beta * x))) / beta


@kernel
def softplus_grad(x: float, beta: float) -> float:
    return sigmoid(beta * x)


# softplus' from y: sigmoid(beta x) = 1 - exp(-beta y)
@kernel
def softplus_grad_from_output(y: float, beta: float) -> float:
    return -expm1_short(-beta * y)


# silu: x sigmoid(beta x). With beta = 0 it is x / 2, also at the infinities; where beta x is so
# low that the result is -0.0, x stops at the largest float32.
@kernel
def silu(x: float, beta: float) -> float:
    product = beta * x
    z = 0.0 if beta == 0.0 else product
    e = exp_short(-fabs(z))
    bounded = at_most(at_least(x, -3.5e38), 3.5e38)
    factor = bounded if z < -700.0 else x
    return factor * (e if z < 0.0 else 1.0) / (1.0 + e)


# sigmoid(z) + w sigmoid'(z): e (1 + e + w) / (1 + e)**2, or (1 + e + w e) / (1 + e)**2 for z >= 0
@kernel
def gated_grad(z: float, w: float) -> float:
    e = exp_short(-fabs(z))
    low = e * (1.0 + e + w)
    high = 1.0 + e + w * e
    return (low if z < 0.0 else high) / ((1.0 + e) * (1.0 + e))


# The distance to a root, which is a pair.
@kernel
def distance(x: float, root: tuple[float, float]) -> float:
    return (x - root[0]) - root[1]


# d slope near a root of a gradient, elsewhere what the formula gave
@kernel
def mend_near_root(formula: float, d: float, slope: float) -> float:
    near = d * slope
    return near if fabs(d) < ROOT_RADIUS_SHORT else formula


# silu': with z = beta x, sigmoid(z) + z sigmoid'(z)
@kernel
def silu_grad(x: float, beta: float) -> float:
    bounded = at_most(at_least(beta * x, -700.0), 700.0)
    z = 0.0 if beta == 0.0 else bounded
    d = distance(z, SILU_ROOT)
    derivative = mend_near_root(gated_grad(z, z), d, silu_slope(d))
    return derivative if x == x else x


# Phi(-a) = exp(-a**2 / 2) mills(a), 0 <= a <= 24; the Mills ratio is p(t) / (a + 4) with
# t = (a - 4) / (a + 4) = 1 - 8 / (a + 4)
@kernel
def mills_short(a: float) -> float:
    inverse = 1.0 / (a + 4.0)
    return mills_polynomial(1.0 - 8.0 * inverse) * inverse


# gelu: x Phi(x), through the tail Phi(-|x|) on both sides; below -14.4 float32 is -0.0
@kernel
def gelu(x: float) -> float:
    a = at_most(fabs(x), 24.0)
    tail = exp_short(-0.5 * a * a) * mills_short(a)
    return at_least(x, -24.0) * (tail if x < 0.0 else 1.0 - tail)


# gelu': Phi(x) + x phi(x) = low for x < 0, 1 - low for x >= 0, with
# low = exp(-a**2 / 2) (mills(a) - a / sqrt(2 pi))
@kernel
def gelu_grad(x: float) -> float:
    a = at_most(fabs(x), 24.0)
    low = exp_short(-0.5 * a * a) * (mills_short(a) - a * NORMAL_DENSITY)
    d = distance(x, GELU_ROOT)
    return mend_near_root(low if x < 0.0 else 1.0 - low, d, gelu_slope(d))


# gelu_tanh: x sigmoid(z), z = 2 sqrt(2/pi) (x + 0.044715 x**3); below -10.8 float32 is -0.0
@kernel
def gelu_tanh(x: float) -> float:
    bounded = at_least(x, -15.0)
    z = bounded * (GELU_TANH_LINEAR + GELU_TANH_CUBIC * (bounded * bounded))
    e = exp_short(-fabs(z))
    return bounded * (e if x < 0.0 else 1.0) / (1.0 + e)


# gelu_tanh': sigmoid(z) + w sigmoid'(z) with w = x z'(x)
@kernel
def gelu_tanh_grad(x: float) -> float:
    bounded = at_most(at_least(x, -15.0), 15.0)
    square = bounded * bounded
    z = bounded * (GELU_TANH_LINEAR + GELU_TANH_CUBIC * square)
    w = bounded * (GELU_TANH_LINEAR + 3.0 * GELU_TANH_CUBIC * square)
    d = distance(x, GELU_TANH_ROOT)
    return mend_near_root(gated_grad(z, w), d, gelu_tanh_slope(d))


# mish: x tanh(softplus(x)) = x n / d, with e = exp(-|x|): n = e (e + 2) and d = n + 2 for x < 0,
# n = 1 + 2 e and d = n + 2 e**2 for x >= 0
@kernel
def mish(x: float) -> float:
    bounded = at_least(x, -700.0)
    e = exp_short(-fabs(x))
    low = e * (e + 2.0)
    high = 1.0 + 2.0 * e
    n = low if x < 0.0 else high
    square = 2.0 * e * e
    return bounded * n / (n + (2.0 if x < 0.0 else square))


# mish': e (e**3 + 4 e**2 + (4 x + 6) e + 4 (x + 1)) / (e**2 + 2 e + 2)**2 with e = exp(x). For
# x >= 0, e = exp(-x): both are divided by exp(4 x), which turns the order of the coefficients.
@kernel
def mish_grad(x: float) -> float:
    bounded = at_most(at_least(x, -700.0), 700.0)
    e = exp_short(-fabs(bounded))
    linear = 4.0 * bounded + 6.0
    constant = 4.0 * (bounded + 1.0)
    low = e * (((e + 4.0) * e + linear) * e + constant)
    high = ((constant * e + linear) * e + 4.0) * e + 1.0
    low_quadratic = (e + 2.0) * e + 2.0
    high_quadratic = (2.0 * e + 2.0) * e + 1.0
    quadratic = low_quadratic if x < 0.0 else high_quadratic
    formula = (low if x < 0.0 else high) / (quadratic * quadratic)
    d = distance(x, MISH_ROOT)
    return mend_near_root(formula, d, mish_slope(d))


# elu: x, or alpha expm1(x) for x <= 0; exp(x) - 1 would lose all digits near 0
@kernel
def elu(x: float, alpha: float) -> float:
    low = alpha * expm1_short(x)
    return x if x >= 0.0 else low


@kernel
def elu_grad(x: float, alpha: float) -> float:
    low = alpha * exp_short(x)
    return 1.0 if x > 0.0 else low


@kernel
def elu_grad_from_output(y: float, alpha: float) -> float:
    return 1.0 if y > 0.0 else y + alpha


# selu: scale * elu(x, alpha)
@kernel
def selu(x: float) -> float:
    return SELU_SCALE * elu(x, SELU_ALPHA)


@kernel
def selu_grad(x: float) -> float:
    return SELU_SCALE * elu_grad(x, SELU_ALPHA)


@kernel
def selu_grad_from_output(y: float) -> float:
    return SELU_SCALE if y > 0.0 else y + SELU_SCALE * SELU_ALPHA
