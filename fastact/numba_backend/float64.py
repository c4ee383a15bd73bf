"""f and f' of the activations that need an exponential, for float64.

The formulas are those of ``float32.py``, in pairs (``double_double.py``): each function carries a
relative error of about 2**-56 up to one final rounding, so that results are within 1 ulp or little
more; at most 2 is the contract. Three places need more than the formula:

* exp(z) turns an absolute error of z into a relative one of the result, and abs(z) reaches 745, so
  z itself is a pair: x**2 / 2 in gelu, beta x in silu and softplus, the cubic in gelu_tanh.
* A result that is subnormal is rounded once: the power of two is applied last, in two steps.
* silu', gelu', gelu_tanh' and mish' cross zero. Near the root they are (x - root) q, with the root
  a pair and q a polynomial, and keep their relative accuracy up to the root.

Infinities and NaN are treated as in ``float32.py``.
"""

from __future__ import annotations

from math import copysign, fabs
from typing import NamedTuple

from fastact import coefficients as table
from fastact.coefficients import LN2, LOG2E, ROOT_RADIUS, SELU_ALPHA, SELU_SCALE
from fastact.numba_backend.double_double import (
    Pair,
    add,
    add_double,
    divide,
    fast_two_sum,
    multiply,
    multiply_double,
    negative,
    scale,
    select,
    two_product,
    two_sum,
)
from fastact.numba_backend.primitives import (
    MAGIC_SHIFT,
    at_least,
    at_most,
    kernel,
    polynomial,
    power_of_two,
)

NORMAL_DENSITY = Pair(*table.NORMAL_DENSITY)
GELU_TANH_LINEAR = Pair(*table.GELU_TANH_LINEAR)
GELU_TANH_CUBIC = Pair(*table.GELU_TANH_CUBIC)
MILLS_0, MILLS_1, MILLS_2, MILLS_3 = map(Pair, table.MILLS_PAIRS, table.MILLS_PAIRS_LOW)

# The root of a derivative, and its slope there: the constant term of the polynomial q.
SILU_ROOT = Pair(*table.SILU_ROOT)
SILU_SLOPE = Pair(table.SILU_SLOPE[0], table.SILU_SLOPE_LOW)
GELU_ROOT = Pair(*table.GELU_ROOT)
GELU_SLOPE = Pair(table.GELU_SLOPE[0], table.GELU_SLOPE_LOW)
GELU_TANH_ROOT = Pair(*table.GELU_TANH_ROOT)
GELU_TANH_SLOPE = Pair(table.GELU_TANH_SLOPE[0], table.GELU_TANH_SLOPE_LOW)
MISH_ROOT = Pair(*table.MISH_ROOT)
MISH_SLOPE = Pair(table.MISH_SLOPE[0], table.MISH_SLOPE_LOW)

exp_polynomial = polynomial(table.EXP_FULL)
atanh_polynomial = polynomial(table.ATANH_FULL)
# A tail leaves out the first coefficients: they are pairs, and added with compensation.
mills_tail = polynomial(table.MILLS_PAIRS[4:])
silu_slope_tail = polynomial(table.SILU_SLOPE[1:])
gelu_slope_tail = polynomial(table.GELU_SLOPE[1:])
gelu_tanh_slope_tail = polynomial(table.GELU_TANH_SLOPE[1:])
mish_slope_tail = polynomial(table.MISH_SLOPE[1:])


class Scaled(NamedTuple):
    """mantissa * 2**k: exp(x) for x <= 0, and what is a multiple of it. The mantissa is near 1."""

    mantissa: Pair
    shifted: float  # k + MAGIC_SHIFT


# --- the arithmetic ----------------------------------------------------------------------------


@kernel
def exp_full(x: Pair) -> Scaled:
    high = at_least(x.high, -1416.0)  # k >= -2043: see apply_exponent
    shifted = high * LOG2E + MAGIC_SHIFT
    k = shifted - MAGIC_SHIFT
    # high - k LN2[0] is exact: LN2[0] has 42 bits, k has 11.
    r = fast_two_sum(high - k * LN2[0], x.low - k * LN2[1])
    tail = r.high * r.high * exp_polynomial(r.high)
    leading = fast_two_sum(1.0, r.high)
    return Scaled(fast_two_sum(leading.high, leading.low + (r.low + tail)), shifted)


# value * 2**k for any k of exp_full, in two exact steps, of which the last rounds
@kernel
def apply_exponent(value: float, shifted: float) -> float:
    half = 0.5 * (shifted - MAGIC_SHIFT) + MAGIC_SHIFT
    return value * power_of_two(half) * power_of_two(shifted - (half - MAGIC_SHIFT))


# e as a pair, for sums with numbers near 1: kept above 2**-1001, so that it is normal
@kernel
def to_pair(e: Scaled) -> Pair:
    return scale(e.mantissa, power_of_two(at_least(e.shifted, MAGIC_SHIFT - 1000.0)))


# exp(x) - 1, x <= 0: (2**k - 1) + 2**k r + 2**k (m - 1 - r), the first two sums exact
@kernel
def expm1_full(x: float) -> Pair:
    bounded = at_least(x, -690.0)
    shifted = bounded * LOG2E + MAGIC_SHIFT
    k = shifted - MAGIC_SHIFT
    r = fast_two_sum(bounded - k * LN2[0], -k * LN2[1])
    tail = r.high * r.high * exp_polynomial(r.high)
    power = power_of_two(shifted)
    base = fast_two_sum(-1.0, power)
    leading = two_sum(base.high, power * r.high)
    return fast_two_sum(leading.high, leading.low + (base.low + power * (r.low + tail)))


# log(1 + e), 0 <= e <= 1: 2 s + 2 s**3 p(s**2) with s = e / (2 + e)
@kernel
def log1p_full(e: Pair) -> Pair:
    s = divide(e, add_double(e, 2.0))
    square = s.high * s.high
    tail = s.high * square * atanh_polynomial(square)
    return scale(fast_two_sum(s.high, s.low + tail), 2.0)


# a * b; where a * b is out of the range of exp, or the split overflows, the low part is 0
@kernel
def bounded_product(a: float, b: float) -> Pair:
    product = two_product(a, b)
    return Pair(product.high, product.low if fabs(product.low) < 1.0 else 0.0)


# -|x|
@kernel
def minus_magnitude(x: Pair) -> Pair:
    return scale(x, 1.0 if x.high < 0.0 else -1.0)


# sigmoid(z): e / (1 + e) with e = exp(-|z|), or 1 / (1 + e) for z >= 0
@kernel
def sigmoid_of_pair(z: Pair) -> Scaled:
    e = exp_full(minus_magnitude(z))
    numerator = select(z.high < 0.0, e.mantissa, Pair(1.0, 0.0))
    quotient = divide(numerator, add_double(to_pair(e), 1.0))
    return Scaled(quotient, e.shifted if z.high < 0.0 else MAGIC_SHIFT)


# sigmoid(z) + w sigmoid'(z): e (1 + e + w) / (1 + e)**2, or (1 + e + w e) / (1 + e)**2 for z >= 0
@kernel
def gated_grad(z: Pair, w: Pair) -> float:
    e = exp_full(minus_magnitude(z))
    exponential = to_pair(e)
    one = Pair(1.0, 0.0)
    one_plus = add_double(exponential, 1.0)
    low = z.high < 0.0
    bracket = add(one_plus, multiply(w, select(low, one, exponential)))
    numerator = multiply(bracket, select(low, e.mantissa, one))
    quotient = divide(numerator, multiply(one_plus, one_plus))
    return apply_exponent(quotient.high, e.shifted if low else MAGIC_SHIFT)


# d, the distance to the root, as a pair; its first sum is exact within the radius
@kernel
def distance(x: Pair, root: Pair) -> Pair:
    return fast_two_sum(x.high - root.high, x.low - root.low)


# d (slope + d tail) near the root, elsewhere what the formula gave
@kernel
def mend_near_root(formula: float, d: Pair, slope: Pair, tail: float) -> float:
    total = fast_two_sum(slope.high, d.high * tail)
    product = multiply(d, Pair(total.high, total.low + slope.low))
    return product.high if fabs(d.high) < ROOT_RADIUS else formula


# --- the activations ---------------------------------------------------------------------------


@kernel
def sigmoid(x: float) -> float:
    s = sigmoid_of_pair(Pair(x, 0.0))
    return apply_exponent(s.mantissa.high, s.shifted)


@kernel
def sigmoid_grad(x: float) -> float:
    e = exp_full(Pair(-fabs(x), 0.0))
    one_plus = add_double(to_pair(e), 1.0)
    quotient = divide(e.mantissa, multiply(one_plus, one_plus))
    return apply_exponent(quotient.high, e.shifted)


@kernel
def sigmoid_grad_from_output(y: float) -> float:
    return y * (1.0 - y)


@kernel
def tanh(x: float) -> float:
    m = expm1_full(-2.0 * fabs(x))
    quotient = divide(negative(m), add_double(m, 2.0))
    return copysign(quotient.high, x)


@kernel
def tanh_grad(x: float) -> float:
    e = exp_full(Pair(-2.0 * fabs(x), 0.0))
    one_plus = add_double(to_pair(e), 1.0)
    quotient = divide(e.mantissa, multiply(one_plus, one_plus))
    return apply_exponent(4.0 * quotient.high, e.shifted)


@kernel
def tanh_grad_from_output(y: float) -> float:
    return (1.0 - y) * (1.0 + y)


# Below beta x = -40 log1p(e) is e to all digits, and e may be subnormal.
@kernel
def softplus(x: float, beta: float) -> float:
    z = bounded_product(beta, x)
    e = exp_full(minus_magnitude(z))
    logarithm = log1p_full(to_pair(e))
    above = at_least(x, 0.0) + (logarithm.high / beta + logarithm.low / beta)
    below = apply_exponent(e.mantissa.high / beta, e.shifted)
    return below if z.high < -40.0 else above


@kernel
def softplus_grad(x: float, beta: float) -> float:
    s = sigmoid_of_pair(bounded_product(beta, x))
    return apply_exponent(s.mantissa.high, s.shifted)


@kernel
def softplus_grad_from_output(y: float, beta: float) -> float:
    return -expm1_full(-beta * y).high


# Where exp(beta x) is past its range, x becomes a zero of its sign, so that -inf gives -0.0.
@kernel
def silu(x: float, beta: float) -> float:
    z = bounded_product(beta, 0.0 if beta == 0.0 else x)
    s = sigmoid_of_pair(z)
    zero = copysign(0.0, x)
    factor = zero if z.high < -1416.0 else x
    return apply_exponent(factor * s.mantissa.high, s.shifted)


@kernel
def silu_grad(x: float, beta: float) -> float:
    product = bounded_product(beta, 0.0 if beta == 0.0 else x)
    low = 0.0 if fabs(product.high) > 800.0 else product.low
    z = Pair(at_most(at_least(product.high, -800.0), 800.0), low)
    d = distance(z, SILU_ROOT)
    derivative = mend_near_root(gated_grad(z, z), d, SILU_SLOPE, silu_slope_tail(d.high))
    return derivative if x == x else x


# Phi(-a) = exp(-a**2 / 2) mills(a); see mills_short in float32.py
@kernel
def mills_full(a: float) -> Pair:
    shifted = two_sum(a, 4.0)
    t = divide(two_sum(a, -4.0), shifted)
    p = Pair(mills_tail(t.high), 0.0)
    p = add(MILLS_3, multiply(t, p))
    p = add(MILLS_2, multiply(t, p))
    p = add(MILLS_1, multiply(t, p))
    p = add(MILLS_0, multiply(t, p))
    return divide(p, shifted)


# exp(-a**2 / 2)
@kernel
def gaussian(a: float) -> Scaled:
    return exp_full(scale(two_product(a, a), -0.5))


# mantissa * 2**k for x < 0, 1 - mantissa * 2**k for x >= 0, times factor
@kernel
def reflect(x: float, factor: float, tail: Scaled) -> float:
    complement = add_double(negative(to_pair(tail)), 1.0)
    value = factor * (tail.mantissa.high if x < 0.0 else complement.high)
    return apply_exponent(value, tail.shifted if x < 0.0 else MAGIC_SHIFT)


# float64 is -0.0 below -38.6
@kernel
def gelu(x: float) -> float:
    a = at_most(fabs(x), 40.0)
    e = gaussian(a)
    tail = multiply(e.mantissa, mills_full(a))
    return reflect(x, at_least(x, -40.0), Scaled(tail, e.shifted))


@kernel
def gelu_grad(x: float) -> float:
    a = at_most(fabs(x), 40.0)
    density = multiply_double(NORMAL_DENSITY, a)
    e = gaussian(a)
    tail = multiply(e.mantissa, add(mills_full(a), negative(density)))
    formula = reflect(x, 1.0, Scaled(tail, e.shifted))
    d = distance(Pair(x, 0.0), GELU_ROOT)
    return mend_near_root(formula, d, GELU_SLOPE, gelu_slope_tail(d.high))


# x (linear + cubic_factor * cubic x**2)
@kernel
def gelu_tanh_cubic(x: float, cubic_factor: float) -> Pair:
    inner = multiply_double(multiply(GELU_TANH_CUBIC, two_product(x, x)), cubic_factor)
    return multiply_double(add(GELU_TANH_LINEAR, inner), x)


# float64 is -0.0 below -21.6
@kernel
def gelu_tanh(x: float) -> float:
    bounded = at_least(x, -23.0)
    s = sigmoid_of_pair(gelu_tanh_cubic(at_most(bounded, 23.0), 1.0))
    return apply_exponent(bounded * s.mantissa.high, s.shifted)


@kernel
def gelu_tanh_grad(x: float) -> float:
    bounded = at_most(at_least(x, -23.0), 23.0)
    formula = gated_grad(gelu_tanh_cubic(bounded, 1.0), gelu_tanh_cubic(bounded, 3.0))
    d = distance(Pair(x, 0.0), GELU_TANH_ROOT)
    return mend_near_root(formula, d, GELU_TANH_SLOPE, gelu_tanh_slope_tail(d.high))


@kernel
def mish(x: float) -> float:
    e = exp_full(Pair(-fabs(x), 0.0))
    exponential = to_pair(e)
    plus_two = add_double(exponential, 2.0)
    low = multiply(exponential, plus_two)
    high = add_double(scale(exponential, 2.0), 1.0)
    square = scale(multiply(exponential, exponential), 2.0)
    quotient = divide(
        select(x < 0.0, multiply(e.mantissa, plus_two), high),
        select(x < 0.0, add_double(low, 2.0), add(high, square)),
    )
    value = at_least(x, -800.0) * quotient.high
    return apply_exponent(value, e.shifted if x < 0.0 else MAGIC_SHIFT)


# The four coefficients of the cubic in e change their order at 0, as in float32.py.
@kernel
def mish_grad(x: float) -> float:
    bounded = at_most(at_least(x, -800.0), 800.0)
    e = exp_full(Pair(-fabs(bounded), 0.0))
    exponential = to_pair(e)
    below = x < 0.0
    one = Pair(1.0, 0.0)
    four = Pair(4.0, 0.0)
    linear = two_sum(4.0 * bounded, 6.0)
    constant = scale(two_sum(bounded, 1.0), 4.0)
    cubic = multiply(select(below, one, constant), exponential)
    cubic = multiply(add(cubic, select(below, four, linear)), exponential)
    cubic = multiply(add(cubic, select(below, linear, four)), exponential)
    cubic = add(cubic, select(below, constant, one))
    cubic = multiply(cubic, select(below, e.mantissa, one))
    quadratic = scale(exponential, 1.0 if below else 2.0)
    quadratic = multiply(add_double(quadratic, 2.0), exponential)
    quadratic = add_double(quadratic, 2.0 if below else 1.0)
    quotient = divide(cubic, multiply(quadratic, quadratic))
    formula = apply_exponent(quotient.high, e.shifted if below else MAGIC_SHIFT)
    d = distance(Pair(x, 0.0), MISH_ROOT)
    return mend_near_root(formula, d, MISH_SLOPE, mish_slope_tail(d.high))


@kernel
def elu(x: float, alpha: float) -> float:
    m = expm1_full(x)
    product = alpha * m.high
    low = copysign(product + alpha * m.low, product)  # -0.0 + 0.0 is 0.0
    return x if x >= 0.0 else low


@kernel
def elu_grad(x: float, alpha: float) -> float:
    e = exp_full(Pair(x, 0.0))
    low = apply_exponent(alpha * e.mantissa.high, e.shifted)
    return 1.0 if x > 0.0 else low


@kernel
def elu_grad_from_output(y: float, alpha: float) -> float:
    return 1.0 if y > 0.0 else y + alpha


@kernel
def selu(x: float) -> float:
    product = multiply(two_product(SELU_SCALE, SELU_ALPHA), expm1_full(x))
    return SELU_SCALE * x if x >= 0.0 else product.high


@kernel
def selu_grad(x: float) -> float:
    e = exp_full(Pair(x, 0.0))
    product = multiply(two_product(SELU_SCALE, SELU_ALPHA), e.mantissa)
    low = apply_exponent(product.high, e.shifted)
    return SELU_SCALE if x > 0.0 else low


@kernel
def selu_grad_from_output(y: float) -> float:
    return SELU_SCALE if y > 0.0 else y + SELU_SCALE * SELU_ALPHA
