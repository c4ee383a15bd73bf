"""f and f' of the activations that need an exponential, for float32 in `fast` precision.

They get and return float32 and compute in it, with fused multiply-add, for the default parameters.
Other parameters, and processors without fused multiply-add, take the faithful loops. The operations
are those of ``cython_backend/float32_fast.pxi`` in the same order, so the results are the same.

Bound: 4 ulp where the true result is normal, an absolute error of 2**-126 where it is subnormal.
What keeps it:

* An exponential whose argument is computed (x**2 / 2, the cubic of gelu_tanh) gets the rounding
  error of its argument too: 90 * 2**-24 would be 90 ulp.
* Where x multiplies an exponential, the product is normal when the exponential no longer is:
  ``exp_256`` is 256 exp(x), and the constant that follows it has the factor 2**-8.
* Gated functions are max(x, 0) minus a tail that is even: no choice between two formulas.
* Near their roots gelu_tanh' and mish' are d p(d), d the distance to the root; silu' and gelu' have
  it in their formulas.
* Intel processors take a hundred cycles for a product with a subnormal operand (sums are free of
  that): arguments of exponentials stop at -2**-40, and factors below 2**-125 become zeros.

Infinities and NaN are treated as in ``float32.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from math import copysign, fabs
from typing import NamedTuple, cast

from numba import float32

from fastact import coefficients as table
from fastact.coefficients import (
    GELU_ROOT_FAST,
    GELU_TANH_CUBIC_FAST,
    GELU_TANH_LINEAR_FAST,
    GELU_TANH_RADIUS_FAST,
    GELU_TANH_ROOT_FAST,
    LN2_FAST,
    LOG2E,
    MISH_RADIUS_FAST,
    MISH_ROOT_FAST,
    QUICK_GELU_FACTOR,
    SCALED_TANH_A,
    SCALED_TANH_B,
    SELU_PRODUCT,
    SELU_SCALE,
    SILU_ROOT_FAST,
    SILU_ROOT_FAST_EXPONENTIAL,
    SILU_ROOT_FAST_REST,
    TANHSHRINK_BOUND_FAST,
)
from fastact.numba_backend.float32 import quick_gelu_grad as quick_gelu_grad_in_double
from fastact.numba_backend.primitives import (
    at_least,
    at_most,
    kernel,
    magnitude_from,
    magnitude_up_to,
    multiply_add_float,
    polynomial_float,
    power_of_two_float,
)

# It marks constants: a literal would turn float32 arithmetic into float64.
F = cast(Callable[[float], float], float32)

MAGIC_SHIFT = 12582912.0  # 1.5 * 2**23
SCALE = 0.00390625  # of exp_256
NEAR_ZERO = 9.094947017729282e-13  # 2**-40: exp is 1 there, to all digits

expm1_polynomial = polynomial_float(table.EXPM1_FAST)
expm1_up_polynomial = polynomial_float(table.EXPM1_UP_FAST)
log1p_polynomial = polynomial_float(table.LOG1P_FAST)
tanh_p_polynomial = polynomial_float(table.TANH_P_FAST)
tanh_q_polynomial = polynomial_float(table.TANH_Q_FAST)
scaled_tanh_p = polynomial_float(table.SCALED_TANH_P_FAST)
scaled_tanh_q = polynomial_float(table.SCALED_TANH_Q_FAST)
tanhshrink_p = polynomial_float(table.TANHSHRINK_P_FAST)
tanhshrink_q = polynomial_float(table.TANHSHRINK_Q_FAST)
tanhshrink_tanh = polynomial_float(table.TANHSHRINK_TANH_FAST)
tanh_square = polynomial_float(table.TANH_SQUARE_FAST)
mills_polynomial = polynomial_float(table.MILLS_FAST)
gelu_grad_polynomial = polynomial_float(table.GELU_GRAD_FAST)
gelu_tanh_slope = polynomial_float(table.GELU_TANH_SLOPE_FAST)
mish_slope = polynomial_float(table.MISH_SLOPE_FAST)


class Exponential(NamedTuple):
    """power * (1 + r * polynomial)"""

    r: float
    polynomial: float
    power: float


class Floored(NamedTuple):
    """exp(x) = 2**k mantissa, k = floor(x / ln(2)), or one more where x is next to k ln(2).

    The mantissa is from 1 to 2, so the range of k is that of the exponents of normal numbers.
    """

    mantissa: float
    shifted: float  # k + 127 + 1.5 * 2**23


class FloatPair(NamedTuple):
    """The sum of two numbers."""

    high: float
    low: float


class CubicTerms(NamedTuple):
    """x (linear + cubic x**2), and what else its derivative is made of; for |x| < 10.4."""

    value: float
    value_low: float
    quotient: float  # value / x
    rest: float  # its rounding error + 2 cubic x**2


# What is missing from F(literal) to the literal
@kernel
def rest_of(literal: float) -> float:
    return F(literal - float(F(literal)))


# x times a literal
@kernel
def times_literal(x: float, literal: float) -> FloatPair:
    product = F(literal) * x
    low = multiply_add_float(F(literal), x, -product)
    return FloatPair(product, multiply_add_float(rest_of(literal), x, low))


# -|x|, not above -2**-40
@kernel
def minus_magnitude(x: float) -> float:
    return -magnitude_from(x, F(NEAR_ZERO))


# (1 + e)**2
@kernel
def square_of_one_plus(e: float) -> float:
    return multiply_add_float(e, e + F(2.0), F(1.0))


# 2**lift exp(x + low), |low| small. The power is 0 for k = -127 - lift, and wrong below.
@kernel
def lifted_exponential(x: float, low: float, lift: int) -> Exponential:
    shift = F(MAGIC_SHIFT + 127) + F(lift)
    shifted = multiply_add_float(x, F(LOG2E), shift)
    k = shifted - shift
    exact = multiply_add_float(k, F(-LN2_FAST[0]), x)
    r = exact + multiply_add_float(k, F(-LN2_FAST[1]), low)
    return make_exponential(r, shifted)


# 2**lift exp(-(square + square_low) / 2)
@kernel
def exponential_of_square(square: float, square_low: float, lift: int) -> Exponential:
    shift = F(MAGIC_SHIFT + 127) + F(lift)
    shifted = multiply_add_float(square, F(-0.5 * LOG2E), shift)
    k = shifted - shift
    exact = multiply_add_float(k, F(2.0 * LN2_FAST[0]), square)
    r = F(-0.5) * (exact + multiply_add_float(k, F(2.0 * LN2_FAST[1]), square_low))
    return make_exponential(r, shifted)


@kernel
def make_exponential(r: float, shifted: float) -> Exponential:
    return Exponential(r, expm1_polynomial(r), power_of_two_float(shifted))


@kernel
def value_of(e: Exponential) -> float:
    return multiply_add_float(e.r, e.polynomial, F(1.0)) * e.power


# factor * e, with one rounding less than the product of the two
@kernel
def times(factor: float, e: Exponential) -> float:
    return multiply_add_float(factor, e.r * e.polynomial, factor) * e.power


# exp(x), x <= 0; 0 below exp(-87.7), which is subnormal
@kernel
def exp_fast(x: float) -> float:
    return value_of(lifted_exponential(at_least(x, F(-88.02)), F(0.0), 0))


# 256 exp(x + low), |low| small; 0 at and below exp(-93.3). x >= -93.9
@kernel
def exp_256(x: float, low: float) -> Exponential:
    return lifted_exponential(x, low, 8)


# exp(x) - 1, x <= 0
@kernel
def expm1_fast(x: float) -> float:
    e = lifted_exponential(at_least(x, F(-88.02)), F(0.0), 0)
    return multiply_add_float(e.power, e.r * e.polynomial, e.power - F(1.0))


# |x| < 200
@kernel
def exp_floored(x: float) -> Floored:
    shift = F(MAGIC_SHIFT + 127)
    z = x + F(NEAR_ZERO)  # x may be subnormal
    # Below ln(2) / 2, so that exp(0) is 1; next to 128 ln(2) the difference is rounded to less.
    shifted = multiply_add_float(x - F(0.34657), F(LOG2E), shift)
    k = shifted - shift
    r = multiply_add_float(k, F(-LN2_FAST[1]), multiply_add_float(k, F(-LN2_FAST[0]), z))
    return Floored(multiply_add_float(r, expm1_up_polynomial(r), F(1.0)), shifted)


# exponential: 0 where it is subnormal, for k = -127; infinite for k = 128
@kernel
def exponential(x: float) -> float:
    e = exp_floored(at_most(at_least(x, F(-87.6)), F(88.8)))
    return e.mantissa * power_of_two_float(e.shifted)


exponential_grad = exponential


# g exp(x), which may be in range where exp(x) is not: a positive k goes to g, in three parts.
@kernel
def exponential_backward(g: float, x: float) -> float:
    e = exp_floored(at_most(at_least(x, F(-87.6)), F(194.0)))
    shift = F(MAGIC_SHIFT + 127)
    shifted = at_most(e.shifted, shift)
    others = e.shifted - shifted
    third = multiply_add_float(others, F(1.0 / 3.0), shift)
    rest = others + (shift - third) + (shift - third) + shift
    power = power_of_two_float(third)
    product = g * power * power * power_of_two_float(rest)
    return product * (e.mantissa * power_of_two_float(shifted))


@kernel
def exponential_grad_from_output(y: float) -> float:
    return y


@kernel
def sigmoid(x: float) -> float:
    e = exp_fast(minus_magnitude(x))
    return (e if x < F(0.0) else F(1.0)) / (F(1.0) + e)


@kernel
def sigmoid_grad(x: float) -> float:
    e = exp_fast(minus_magnitude(x))
    return e / square_of_one_plus(e)


@kernel
def sigmoid_grad_from_output(y: float) -> float:
    return y * (F(1.0) - y)


# tanh: 2 t / (1 + t**2), t = tanh(x / 2) = p / q, which forgives errors of t near 1. For small x, p
# is near x / 2 and q near 1: each is rounded once, after its small part (q_1 = q - 1).
@kernel
def tanh(x: float) -> float:
    magnitude = fabs(x)
    halved = F(0.5) * x
    half = F(0.0) if magnitude < F(1e-12) else halved
    square = half * half
    p = multiply_add_float(half, square * tanh_p_polynomial(square), half)
    q_1 = square * tanh_q_polynomial(square)
    denominator = multiply_add_float(q_1, q_1 + F(2.0), p * p) + F(1.0)
    quotient = multiply_add_float(p + p, q_1, p + p) / denominator
    limit = copysign(F(1.0), x)
    saturated = limit if magnitude > F(9.02) else quotient
    return x if magnitude < F(1e-12) else saturated


# tanh': 4 e / (1 + e)**2, e = exp(-2 |x|), from 4 e: that is 0 below exp(-89.1)
@kernel
def tanh_grad(x: float) -> float:
    z = at_least(minus_magnitude(x + x), F(-89.42))
    numerator = value_of(lifted_exponential(z, F(0.0), 2))
    return numerator / square_of_one_plus(F(0.25) * numerator)


@kernel
def tanh_grad_from_output(y: float) -> float:
    return (F(1.0) - y) * (F(1.0) + y)


# scaled_tanh: as tanh, with a b x in place of x, so that x**2 is all that is rounded before; the
# result is a from |b x| = 9.02 on
@kernel
def scaled_tanh(x: float) -> float:
    magnitude = fabs(x)
    bounded = F(0.0) if magnitude < F(1e-12) else magnitude
    square = bounded * bounded
    linear = F(SCALED_TANH_A * SCALED_TANH_B) * bounded
    linear_low = rest_of(SCALED_TANH_A * SCALED_TANH_B) * bounded
    curved = multiply_add_float(linear, square * scaled_tanh_p(square), linear_low)
    p = multiply_add_float(F(SCALED_TANH_A * SCALED_TANH_B), bounded, curved)  # 2 a p
    q_1 = square * scaled_tanh_q(square)
    p_square = F(0.25 / (SCALED_TANH_A * SCALED_TANH_A)) * p * p
    denominator = multiply_add_float(q_1, q_1 + F(2.0), p_square) + F(1.0)
    quotient = multiply_add_float(p, q_1, p) / denominator
    saturated = F(SCALED_TANH_A) if magnitude > F(13.53) else quotient
    # a b x, or x where that is subnormal
    factor = zero_if_tiny(magnitude, SCALED_TANH_A * SCALED_TANH_B)
    near = multiply_add_float(factor, F(SCALED_TANH_A * SCALED_TANH_B - 1.0), magnitude)
    return copysign(near if magnitude < F(1e-12) else saturated, x)


# scaled_tanh': 4 a b e / (1 + e)**2, e = exp(-2 b |x|), from 4 e; see tanh'
@kernel
def scaled_tanh_grad(x: float) -> float:
    magnitude = at_most(magnitude_from(x, F(1e-12)), F(67.1))
    z = times_literal(magnitude, 2.0 * SCALED_TANH_B)
    e = lifted_exponential(-z.high, -z.low, 2)
    numerator = times(F(SCALED_TANH_A * SCALED_TANH_B), e)
    return numerator / square_of_one_plus(F(0.25) * value_of(e))


# b / a (a - |y|) (a + |y|). The first sum is exact where |y| is near a.
@kernel
def scaled_tanh_grad_from_output(y: float) -> float:
    size = fabs(y)
    magnitude = F(SCALED_TANH_A) if size >= F(SCALED_TANH_A) else size
    difference = (F(SCALED_TANH_A) - magnitude) + rest_of(SCALED_TANH_A)
    difference = F(0.0) if size >= F(SCALED_TANH_A) else difference
    slope = F(SCALED_TANH_B / SCALED_TANH_A)
    return difference * multiply_add_float(slope, magnitude, F(SCALED_TANH_B))


# tanhshrink: x**3 p(x**2) / q(x**2) up to 2.2, with the rounding errors of x**2 and x**3. Beyond,
# where the quotient would have more errors than terms that cancel, it is x - x r(x**2) / q(x**2)
# with r = q - x**2 p. Below 2**-42 the result is subnormal, and taken as 0.
@kernel
def tanhshrink(x: float) -> float:
    magnitude = fabs(x)
    a = magnitude_up_to(x, F(TANHSHRINK_BOUND_FAST))
    a = F(0.0) if a < F(2.2737367544323206e-13) else a
    square = a * a
    square_low = multiply_add_float(a, a, -square)
    cube = a * square
    cube_low = multiply_add_float(a, square_low, multiply_add_float(a, square, -cube))
    near = cube + multiply_add_float(cube, square * tanhshrink_p(square), cube_low)
    far = a * tanhshrink_tanh(square)
    quotient = (near if magnitude < F(2.2) else far) / tanhshrink_q(square)
    rest = magnitude - quotient
    return copysign(quotient if magnitude < F(2.2) else rest, x)


# tanhshrink': tanh**2, which is x**2 + x**4 p(x**2) up to 0.9, with the rounding error of x**2, and
# 1 - tanh' beyond. Below 2**-63 x**2 is subnormal, and taken as 0.
@kernel
def tanhshrink_grad(x: float) -> float:
    magnitude = fabs(x)
    a = F(0.0) if magnitude < F(1.0842021724855044e-19) else magnitude
    square = a * a
    square_low = multiply_add_float(a, a, -square)
    near = square + multiply_add_float(square, square * tanh_square(square), square_low)
    far = F(1.0) - tanh_grad(x)
    return near if magnitude < F(0.9) else far


# softplus: max(x, 0) + e p(e), e = exp(-|x|)
@kernel
def softplus(x: float) -> float:
    e = exp_fast(minus_magnitude(x))
    return multiply_add_float(e, log1p_polynomial(e), F(0.0) if x < F(1e-12) else x)


softplus_grad = sigmoid


@kernel
def softplus_grad_from_output(y: float) -> float:
    return -expm1_fast(at_most(-y, F(0.0)))


# log_sigmoid: -softplus(-x)
@kernel
def log_sigmoid(x: float) -> float:
    return -softplus(-x)


@kernel
def log_sigmoid_grad(x: float) -> float:
    return sigmoid(-x)


@kernel
def log_sigmoid_grad_from_output(y: float) -> float:
    return softplus_grad_from_output(-y)


# What the tail of a gated function, x sigmoid(z) or x Phi(x), is taken from: they are even up to
# it.
@kernel
def rectified(x: float) -> float:
    return F(-0.0) if x < F(0.0) else x


# a >= 0, or 0 where slope * a is subnormal
@kernel
def zero_if_tiny(a: float, slope: float) -> float:
    return F(0.0) if a < F(1.1754943508222875e-38 / slope) else a


# x sigmoid(z) = max(x, 0) - a e / (1 + e), from a = |x| or where e vanishes, e_256 = 256 e,
# e = exp(-|z|)
@kernel
def gated(x: float, a: float, e_256: float) -> float:
    denominator = multiply_add_float(e_256, F(SCALE), F(1.0))
    tail = zero_if_tiny(a, 0.5) * e_256 / denominator
    return multiply_add_float(-tail, F(SCALE), rectified(x))


@kernel
def silu(x: float) -> float:
    a = magnitude_up_to(x, F(93.6))
    return gated(x, a, value_of(exp_256(-magnitude_from(a, F(1e-12)), F(0.0))))


# tail for x < 0, 1 - tail for x >= 0, from 256 tail; at -inf the tail is 0 with its sign
@kernel
def reflected(x: float, tail_256: float) -> float:
    scale = F(SCALE) if x < F(0.0) else F(-SCALE)
    return multiply_add_float(tail_256, scale, F(-0.0) if x < F(0.0) else F(1.0))


# silu' is a tail for x < 0 and 1 - tail for x >= 0: with a = |x| and e = exp(-a), the tail is
# e (1 + e - a) / (1 + e)**2. The bracket crosses 0 where a is 1 + e_0 and e is e_0, to the last
# digit; it is the sum of the differences from there, which have the same sign. More is said in
# float32_fast.pxi.
@kernel
def silu_grad(x: float) -> float:
    a = at_most(fabs(x), F(94.8))
    shift = F(MAGIC_SHIFT + 135)
    distance = F(1.0 + SILU_ROOT_FAST_EXPONENTIAL) - a
    distance_low = F(1.0 + SILU_ROOT_FAST_EXPONENTIAL) - (distance + a)
    shifted = multiply_add_float(distance, F(LOG2E), shift)
    j = shifted - shift
    exact = multiply_add_float(j, F(-LN2_FAST[0]), F(SILU_ROOT_FAST[0])) - a
    low = multiply_add_float(j, F(-LN2_FAST[1]), F(SILU_ROOT_FAST_REST))
    r = (exact + F(SILU_ROOT_FAST[1])) + low
    t = r * expm1_polynomial(r)
    power = power_of_two_float(shifted)
    unit = F(SILU_ROOT_FAST_EXPONENTIAL * SCALE)
    e_base = unit * power
    e = multiply_add_float(e_base, t, e_base)
    change = (e_base - F(SILU_ROOT_FAST_EXPONENTIAL)) + distance_low
    factor = (distance + multiply_add_float(e_base, t, change)) * power
    tail = multiply_add_float(factor, t, factor) / square_of_one_plus(e)
    scale = unit if x < F(0.0) else -unit
    return multiply_add_float(tail, scale, F(-0.0) if x < F(0.0) else F(1.0))


# gelu: max(x, 0) - a Phi(-a), a = |x|, Phi(-a) = exp(-a**2 / 2) p(t) / (a + c), t = (a-c) / (a+c),
# c = 1.5. The exponential multiplies last, as 2**k (1 + excess), and the relative error of
# 1 / (a + c) is made good in the excess. At a = 13.28, k is -127 and 2**k taken as 0.
@kernel
def gelu(x: float) -> float:
    bounded = magnitude_up_to(x, F(13.28))
    a = magnitude_from(bounded, F(1e-9))
    square = a * a
    square_low = multiply_add_float(a, a, -square)
    e = exponential_of_square(square, square_low, 0)
    inverse = F(1.0) / (a + F(1.5))
    t = multiply_add_float(F(-3.0), inverse, F(1.0))
    residual = multiply_add_float(-inverse, a, multiply_add_float(F(-1.5), inverse, F(1.0)))
    excess = multiply_add_float(e.r, e.polynomial, residual)
    factor = zero_if_tiny(bounded, 0.5) * inverse * mills_polynomial(t)
    tail = multiply_add_float(factor, excess, factor)
    return multiply_add_float(tail, -e.power, rectified(x))


# gelu' at -a: exp(-a**2 / 2) (root - a) p(t), t = (a - 2.5) / (a + 2.5)
@kernel
def gelu_grad(x: float) -> float:
    a = at_most(magnitude_from(x, F(1e-9)), F(13.68))
    square = a * a
    square_low = multiply_add_float(a, a, -square)
    e_256 = exponential_of_square(square, square_low, 8)
    t = multiply_add_float(F(-5.0), F(1.0) / (a + F(2.5)), F(1.0))
    polynomial = gelu_grad_polynomial(t)
    factor = multiply_add_float(
        F(-GELU_ROOT_FAST[0]) - a, polynomial, F(-GELU_ROOT_FAST[1]) * polynomial
    )
    return reflected(x, times(factor, e_256))


@kernel
def gelu_tanh_cubic(x: float) -> CubicTerms:
    square = x * x
    square_low = multiply_add_float(x, x, -square)
    cubic, linear = F(GELU_TANH_CUBIC_FAST[0]), F(GELU_TANH_LINEAR_FAST[0])
    quotient = multiply_add_float(cubic, square, linear)
    low = multiply_add_float(cubic, square, linear - quotient)
    low = multiply_add_float(cubic, square_low, low)
    rest = F(GELU_TANH_LINEAR_FAST[1])
    low = low + multiply_add_float(F(GELU_TANH_CUBIC_FAST[1]), square, rest)
    value = x * quotient
    value_low = multiply_add_float(x, low, multiply_add_float(x, quotient, -value))
    rest = multiply_add_float(F(2.0 * GELU_TANH_CUBIC_FAST[0]), square, low)
    return CubicTerms(value, value_low, quotient, rest)


# gelu_tanh: x sigmoid(z); z reaches 93.7 at 10.27
@kernel
def gelu_tanh(x: float) -> float:
    a = magnitude_up_to(x, F(10.27))
    z = gelu_tanh_cubic(magnitude_from(a, F(1e-9)))
    return gated(x, a, value_of(exp_256(-z.value, -z.value_low)))


# As silu', with w = a z'(a) instead of a: right where it is not near the root.
@kernel
def gelu_tanh_grad(x: float) -> float:
    a = at_most(magnitude_from(x, F(1e-9)), F(10.27))
    z = gelu_tanh_cubic(a)
    e_256 = exp_256(-z.value, -z.value_low)
    e = F(SCALE) * value_of(e_256)
    bracket = multiply_add_float(-a, z.quotient, multiply_add_float(-a, z.rest, F(1.0) + e))
    tail = times(bracket, e_256) / square_of_one_plus(e)
    d = (-a - F(GELU_TANH_ROOT_FAST[0])) - F(GELU_TANH_ROOT_FAST[1])
    near_root = F(256.0) * d * gelu_tanh_slope(d)
    return reflected(x, near_root if fabs(d) < F(GELU_TANH_RADIUS_FAST) else tail)


# quick_gelu: x sigmoid(z), z = 1.702 x, which reaches 93.6 at 55
@kernel
def quick_gelu(x: float) -> float:
    a = magnitude_up_to(x, F(55.0))
    z = times_literal(magnitude_from(a, F(1e-12)), QUICK_GELU_FACTOR)
    return gated(x, a, value_of(exp_256(-z.high, -z.low)))


# In double: where x has another factor than 1, silu_grad is 4.6 ulp off.
@kernel
def quick_gelu_grad(x: float) -> float:
    return F(quick_gelu_grad_in_double(float(x)))


# mish: max(x, 0) - a tail, tail = (e + e**2 / 2) / (1 + h) for x < 0 and 2 e**2 / (1 + h) for
# x >= 0, h = e + e**2 / 2 or 2 e + 2 e**2
@kernel
def mish(x: float) -> float:
    a = magnitude_up_to(x, F(93.6))
    e_256 = exp_256(-magnitude_from(a, F(1e-12)), F(0.0))
    e = F(SCALE) * value_of(e_256)
    half, twice = F(0.5) * e, e + e
    quadratic = half if x < F(0.0) else twice
    h = multiply_add_float(quadratic, e, e if x < F(0.0) else quadratic)
    factor = times(zero_if_tiny(a, 0.6), e_256)
    numerator = multiply_add_float(factor, quadratic, factor if x < F(0.0) else F(0.0))
    return multiply_add_float(-numerator / (F(1.0) + h), F(SCALE), rectified(x))


# mish': the formula of float32.py, numerator and denominator divided by 4 for x < 0; the square of
# e**2 + 2 e + 2 is then (1 + h)**2
@kernel
def mish_grad(x: float) -> float:
    bounded = at_most(at_least(x, F(-93.6)), F(93.6))
    e_256 = exp_256(minus_magnitude(bounded), F(0.0))
    e = F(SCALE) * value_of(e_256)
    half, twice = F(0.5) * e, e + e
    linear = bounded + F(1.5)
    constant = bounded + F(1.0)
    low = multiply_add_float(multiply_add_float(F(0.25), e, F(1.0)), e, linear)
    low = times(multiply_add_float(low, e, constant), e_256)
    high = multiply_add_float(multiply_add_float(constant, e, linear), e, F(1.0))
    high = multiply_add_float(high, twice + twice, F(1.0))
    quadratic = half if x < F(0.0) else twice
    h = multiply_add_float(quadratic, e, e if x < F(0.0) else quadratic)
    quotient = (low if x < F(0.0) else high) / square_of_one_plus(h)
    d = (x - F(MISH_ROOT_FAST[0])) - F(MISH_ROOT_FAST[1])
    from_middle = d - F(0.8125)
    near_root = d * mish_slope(from_middle)
    formula = quotient * (F(SCALE) if x < F(0.0) else F(1.0))
    return near_root if fabs(from_middle) < F(MISH_RADIUS_FAST) else formula


# elu: x, or exp(x) - 1, which is x down to -2**-40
@kernel
def elu(x: float) -> float:
    value = expm1_fast(at_most(x, F(-NEAR_ZERO)))
    return x if x > F(-NEAR_ZERO) else value


@kernel
def elu_grad(x: float) -> float:
    e = exp_fast(at_most(x, F(-NEAR_ZERO)))
    return F(1.0) if x > F(0.0) else e


@kernel
def elu_grad_from_output(y: float) -> float:
    return at_most(at_least(y + F(1.0), F(0.0)), F(1.0))


# celu is elu for alpha = 1.
celu = elu
celu_grad = elu_grad
celu_grad_from_output = elu_grad_from_output


# The product in float64: selu of the largest subnormal numbers is normal.
@kernel
def selu(x: float) -> float:
    return F(float(elu(x)) * (SELU_SCALE if x > F(0.0) else SELU_PRODUCT[0]))


@kernel
def selu_grad(x: float) -> float:
    z = at_most(at_least(x, F(-93.6)), F(-NEAR_ZERO))
    low = value_of(exp_256(z, F(0.0))) * F(SELU_PRODUCT[0] * SCALE)
    return F(SELU_SCALE) if x > F(0.0) else low


@kernel
def selu_grad_from_output(y: float) -> float:
    total = y + F(SELU_PRODUCT[0])
    corrected = total + rest_of(SELU_PRODUCT[0])
    low = F(0.0) if total <= F(0.0) else corrected
    return F(SELU_SCALE) if y > F(0.0) else low
