"""f and f' of the activations that need an exponential, for float64.

The operations are those of ``cython_backend/float64.pxi`` in the same order, so the results are the
same; without fused multiply-add they may differ.

Bound: 2 ulp, forward and derivative, subnormal results included (docs/accuracy.md has the errors
found). Plain doubles where that allows it, with the rounding errors that would add up carried
along, and pairs (``double_double.py``) where most of the digits are at stake:

* What multiplies last does so as ``factor + factor * excess``: one rounding instead of two. The
  excess takes up the errors of a reciprocal and of the sum that it is the reciprocal of.
* exp(z) turns an absolute error of z into a relative one of the result, and abs(z) reaches 745, so
  z itself is a pair: x**2 / 2 in gelu, beta x in silu and softplus, the cubic in gelu_tanh.
* exp(-z) comes as a quotient, 2**-n (2 + t) / (2 - t), wherever a division follows: t, twice a
  hyperbolic tangent, takes half the terms that the exponential does.
* A result that is subnormal is rounded once: powers of two are 2**LIFT too large until the end.
* Gated functions are max(x, 0) minus a tail that is even: no choice between two formulas.
* silu', gelu_tanh' and mish' cross zero. Near the root they are d q(d), d the distance to the
  root, a pair, and q a polynomial: they keep their relative accuracy up to the root. gelu' has d
  as a factor everywhere.

Infinities and NaN are treated as in ``float32.py``.
"""

from __future__ import annotations

from math import copysign, fabs, inf
from typing import NamedTuple

from fastact import coefficients as table
from fastact.coefficients import (
    GELU_GRAD_FULL,
    GELU_GRAD_FULL_LOW,
    GELU_ROOT,
    GELU_TANH_CUBIC_FULL,
    GELU_TANH_LINEAR,
    GELU_TANH_LINEAR_FULL,
    GELU_TANH_ROOT_EXCESS,
    GELU_TANH_ROOT_EXPONENTIAL,
    GELU_TANH_ROOT_SQRT,
    GELU_TANH_ROOT_W,
    GELU_TANH_ROOT_Z,
    LN2,
    LOG2E,
    MILLS_FULL,
    MILLS_FULL_LOW,
    MISH_ROOT,
    MISH_SLOPE,
    MISH_SLOPE_LOW,
    QUICK_GELU_FACTOR,
    QUICK_GELU_FACTOR_LOW,
    ROOT_RADIUS,
    SELU_PRODUCT,
    SELU_SCALE,
    SILU_ROOT,
    SILU_ROOT_EXCESS,
    SILU_ROOT_EXPONENTIAL,
    SILU_ROOT_SQRT,
    TANHSHRINK_FULL,
    TANHSHRINK_FULL_LOW,
    TANHSHRINK_RADIUS,
)
from fastact.numba_backend.double_double import (
    Pair,
    add,
    add_double,
    divide,
    fast_two_sum,
    multiply,
    scale,
    select,
    two_product,
    two_sum,
)
from fastact.numba_backend.primitives import (
    FUSED,
    LARGEST,
    LARGEST_SUBNORMAL,
    MAGIC_SHIFT,
    SMALLEST_NORMAL,
    apply_exponent,
    at_least,
    at_most,
    half_of_shifted,
    is_subnormal,
    kernel,
    magnitude_for,
    minus_part_of_subnormal,
    multiply_add,
    negative_power,
    polynomial,
    power_of_two,
    product_error,
    shifted_mantissa,
    subnormal_plus_part,
)

LIFT = 192
LIFTED = 2.0**LIFT
LOWERED = 2.0**-LIFT
HALF_LOWERED = 2.0 ** (-LIFT / 2)
# Where exp(-z) is 1 to all digits, z is this: products with subnormal numbers are slow.
TINY = 2.0**-70
TWO_TO_MINUS_100 = 2.0**-100
TWO_TO_MINUS_120 = 2.0**-120
TWO_TO_MINUS_358 = 2.0**-358
TWO_TO_MINUS_500 = 2.0**-500
TWO_TO_MINUS_538 = 2.0**-538
TWO_TO_MINUS_900 = 2.0**-900
TWO_TO_MINUS_1000 = 2.0**-1000
TWO_TO_200 = 2.0**200
SMALLEST = 2.0**-1074

exp_polynomial = polynomial(table.EXP_FULL)
tanh_polynomial = polynomial(table.TANH_FULL)
tanh_half_polynomial = polynomial(table.TANH_HALF_FULL)
atanh_polynomial = polynomial(table.ATANH_FULL)
# A tail leaves out the first coefficient: it is added with compensation.
tanhshrink_tail = polynomial(table.TANHSHRINK_FULL[1:])
mills_tail = polynomial(table.MILLS_FULL[1:])
gelu_grad_tail = polynomial(table.GELU_GRAD_FULL[1:])
mish_slope_tail = polynomial(table.MISH_SLOPE[1:])


# c - a * b, with c near a * b, and a * b + low, with low far below a * b; rounded once where the
# processor fuses, else little worse
if FUSED:

    @kernel
    def remainder(c: float, a: float, b: float) -> float:
        return multiply_add(-a, b, c)

    @kernel
    def product_plus(a: float, b: float, low: float) -> float:
        return multiply_add(a, b, low)

else:

    @kernel
    def remainder(c: float, a: float, b: float) -> float:
        product = a * b
        return (c - product) - product_error(a, b, product)

    @kernel
    def product_plus(a: float, b: float, low: float) -> float:
        product = a * b
        return product + (product_error(a, b, product) + low)


# --- exponentials ------------------------------------------------------------------------------


class Scaled(NamedTuple):
    """mantissa * 2**k: exp(x) for x <= 0, and what is a multiple of it. The mantissa is near 1."""

    mantissa: Pair
    shifted: float  # k + MAGIC_SHIFT


@kernel
def exp_full(x: Pair) -> Scaled:
    high = at_least(x.high, -1416.0)  # k >= -2043: see apply_exponent
    shifted = multiply_add(high, LOG2E, MAGIC_SHIFT)
    k = shifted - MAGIC_SHIFT
    # high - k LN2[0] is exact: LN2[0] has 42 bits, k has 11.
    r = fast_two_sum(multiply_add(-k, LN2[0], high), multiply_add(-k, LN2[1], x.low))
    tail = multiply_add(r.high * r.high, exp_polynomial(r.high), r.low)
    leading = fast_two_sum(1.0, r.high)
    return Scaled(fast_two_sum(leading.high, leading.low + tail), shifted)


# e as a pair, for sums with numbers near 1: kept above 2**-1001, so that it is normal
@kernel
def to_pair(e: Scaled) -> Pair:
    return scale(e.mantissa, power_of_two(at_least(e.shifted, MAGIC_SHIFT - 1000.0)))


# exp(x) - 1, x <= 0: (2**k - 1) + 2**k r + 2**k (m - 1 - r). The first sum is exact but for
# k < -53, where the result is next to -1.
@kernel
def expm1_full(x: float) -> Pair:
    bounded = at_least(x, -690.0)
    shifted = multiply_add(bounded, LOG2E, MAGIC_SHIFT)
    return expm1_of_reduced(bounded, shifted, power_of_two(shifted))


# From power = 2**k; a smaller power divides the result where that is next to exp(x).
@kernel
def expm1_of_reduced(x: float, shifted: float, power: float) -> Pair:
    k = shifted - MAGIC_SHIFT
    r = fast_two_sum(multiply_add(-k, LN2[0], x), -k * LN2[1])
    tail = multiply_add(r.high * r.high, exp_polynomial(r.high), r.low)
    leading = fast_two_sum(power - 1.0, power * r.high)
    return fast_two_sum(leading.high, multiply_add(power, tail, leading.low))


class ExponentialExcess(NamedTuple):
    """exp(x) = 2**k (1 + excess)"""

    excess: float
    shifted: float  # k + MAGIC_SHIFT


# |x| <= 1500, not subnormal
@kernel
def exp_excess(x: float) -> ExponentialExcess:
    shifted = multiply_add(x, LOG2E, MAGIC_SHIFT)
    k = shifted - MAGIC_SHIFT
    r = multiply_add(-k, LN2[1], multiply_add(-k, LN2[0], x))
    return ExponentialExcess(multiply_add(r * r, exp_polynomial(r), r), shifted)


# for x <= 0. k >= -2043, or with a bound of 1480 -2136: see apply_exponent
@kernel
def exp_excess_below_zero(x: float, bound: float) -> ExponentialExcess:
    return exp_excess(at_least(at_most(x, -TINY), -bound))


# g 2**k (1 + excess), which may be in range where 2**k is not: what of k is above 1 goes to g, in
# three parts. What remains is at least 1 then: so the product overflows only where the result does.
@kernel
def times_exponential(g: float, e: ExponentialExcess) -> float:
    shifted = at_most(e.shifted, MAGIC_SHIFT + 1.0)
    others = e.shifted - shifted
    third = multiply_add(others, 1.0 / 3.0, MAGIC_SHIFT)
    rest = others + (MAGIC_SHIFT - third) + (MAGIC_SHIFT - third) + MAGIC_SHIFT
    power = power_of_two(third)
    product = g * power * power * power_of_two(rest)
    return product * apply_exponent(1.0 + e.excess, shifted)


class ExponentialQuotient(NamedTuple):
    """exp(-z) = 2**-n (2 + t) / (2 - t), t = 2 tanh(r / 2), r = n ln(2) - z"""

    t: float
    shifted: float  # n + MAGIC_SHIFT
    t_low: float  # the rounding errors of r and of t


@kernel
def exp_quotient(z: float, z_low: float) -> ExponentialQuotient:
    shifted = multiply_add(z, LOG2E, MAGIC_SHIFT)
    n = shifted - MAGIC_SHIFT
    # n LN2[0] - z is exact: LN2[0] has 42 bits, n has 11.
    difference = multiply_add(n, LN2[0], -z)
    # Without z_low there is one rounding, with it there are two.
    joined = difference + multiply_add(n, LN2[1], -z_low)
    r = multiply_add(n, LN2[1], difference) if z_low == 0.0 else joined
    return exp_quotient_of_reduced(r, 0.0, shifted)


# Where z_low is not 0, r is rounded once less here.
@kernel
def exp_quotient_of_pair(z: Pair) -> ExponentialQuotient:
    shifted = multiply_add(z.high, LOG2E, MAGIC_SHIFT)
    n = shifted - MAGIC_SHIFT
    r = fast_two_sum(multiply_add(n, LN2[0], -z.high), multiply_add(n, LN2[1], -z.low))
    return exp_quotient_of_reduced(r.high, r.low, shifted)


@kernel
def exp_quotient_of_reduced(r: float, r_low: float, shifted: float) -> ExponentialQuotient:
    square = r * r
    curvature = tanh_polynomial(square)
    t = multiply_add(r * square, curvature, r)
    return ExponentialQuotient(t, shifted, multiply_add(r * square, curvature, (r - t) + r_low))


class SigmoidDenominator(NamedTuple):
    """1 / d, and its relative error: 1 / d = inverse (1 + residual).

    sigmoid(-z) = q (1 + t / 2) / d and sigmoid(z) = (1 - t / 2) / d with q = 2**-n and
    d = 1 + q - t (1 - q) / 2.
    """

    inverse: float
    residual: float


# For `unit` times d, from power = unit * q
@kernel
def sigmoid_divisor(t: float, power: float, unit: float) -> SigmoidDenominator:
    slope = multiply_add(-0.5, power, 0.5 * unit)
    d = multiply_add(-t, slope, unit + power)
    d_low = multiply_add(-t, slope, (unit - d) + power)
    if not FUSED:  # what t * slope was rounded by: both parts of it are exact
        d_low = d_low + (t * (0.5 * unit - slope) - (t * (0.5 * unit) - t * slope))
    inverse = 1.0 / d
    return SigmoidDenominator(inverse, multiply_add(-inverse, d_low, remainder(1.0, inverse, d)))


# a * b, at most `bound`, as a pair, for a, b >= 0; the low part is 0 where the product is out of
# range. Neither factor nor product is subnormal, unless a is out of all reason.
@kernel
def bounded_product(a: float, b: float, bound: float) -> Pair:
    least = TWO_TO_MINUS_500 if a > 1e-120 else 0.0
    least = least if a < 1e120 else 0.0
    factor = at_least(b, least)
    product = a * factor
    product = at_least(b if a == 1.0 else product, TINY)
    low = product_error(a, factor, product)
    low = low if fabs(low) < 1.0 else 0.0
    return Pair(at_most(product, bound), 0.0 if a == 1.0 else low)


# --- exponential, sigmoid, tanh, softplus, log_sigmoid -----------------------------------------


# Next to 0 exp is 1, to all digits: adding TINY spares it subnormal numbers.
@kernel
def exponential(x: float) -> float:
    e = exp_excess(at_most(at_least(x, -1416.0), 1416.0) + TINY)
    return apply_exponent(1.0 + e.excess, e.shifted)


exponential_grad = exponential


@kernel
def exponential_backward(g: float, x: float) -> float:
    return times_exponential(g, exp_excess(at_most(at_least(x, -1416.0), 1500.0) + TINY))


@kernel
def exponential_grad_from_output(y: float) -> float:
    return y


# sigmoid(z), from exp(-|z|)
@kernel
def sigmoid_of_quotient(z: float, e: ExponentialQuotient) -> float:
    power = negative_power(e.shifted, LIFT)
    d = sigmoid_divisor(e.t, power, LIFTED)
    excess = multiply_add(0.5, e.t if z < 0.0 else -e.t, d.residual)
    return multiply_add(d.inverse, excess, d.inverse) * (power if z < 0.0 else LIFTED)


@kernel
def sigmoid(x: float) -> float:
    z = at_most(at_least(fabs(x), TINY), 800.0)
    return sigmoid_of_quotient(x, exp_quotient(z, 0.0))


class Bell(NamedTuple):
    """sigmoid'(z) = q (1 - t**2 / 4) / d**2 = mantissa * 2**-LIFT power"""

    mantissa: Pair
    power: float


@kernel
def make_bell(e: ExponentialQuotient) -> Bell:
    power = negative_power(e.shifted, LIFT)
    d = sigmoid_divisor(e.t, power * LOWERED, 1.0)
    square = d.inverse * d.inverse
    square_low = product_error(d.inverse, d.inverse, square)
    excess = multiply_add(-0.25 * e.t, e.t, d.residual + d.residual)
    return Bell(Pair(square, multiply_add(square, excess, square_low)), power)


# 2**LIFT sigmoid'(z)
@kernel
def lifted_bell(e: ExponentialQuotient) -> float:
    b = make_bell(e)
    return b.power * (b.mantissa.high + b.mantissa.low)


@kernel
def sigmoid_grad(x: float) -> float:
    z = at_most(at_least(fabs(x), TINY), 800.0)
    return LOWERED * lifted_bell(exp_quotient(z, 0.0))


@kernel
def sigmoid_grad_from_output(y: float) -> float:
    return y * (1.0 - y)


class TanhQuotient(NamedTuple):
    """tanh(a) = value + inverse * rest"""

    value: float
    inverse: float
    rest: float


# (1 - q - h (1 + q)) / (1 + q - h (1 - q)), h = tanh(r), r = n ln(2) / 2 - a, TINY <= a <= 20:
# numerator, denominator and quotient with their rounding errors; q = 1, where n = 0, leaves -h. The
# error of h, those of 1 + q and 1 - q, from a = 18 on, and of products that are not fused are less
# than an ulp of tanh; with_low has them too.
@kernel
def make_tanh_quotient(a: float, with_low: bool) -> TanhQuotient:
    # Up to a = 0.181 n is 0: else the numerator, below 1/4, would have more digits than its error.
    shifted = multiply_add(a - 0.0078125, 2.0 * LOG2E, MAGIC_SHIFT)
    n = shifted - MAGIC_SHIFT
    r = multiply_add(n, 0.5 * LN2[1], multiply_add(n, 0.5 * LN2[0], -a))
    square = r * r
    h = multiply_add(r * square, tanh_half_polynomial(square), r)
    q = negative_power(shifted, 0)
    plus = 1.0 + q
    minus = 1.0 - q
    numerator = multiply_add(-h, plus, minus)
    numerator_low = minus - numerator
    if with_low:
        numerator_low = numerator_low + ((1.0 - minus) - q)
    numerator_low = multiply_add(-h, plus, numerator_low)
    d = multiply_add(-h, minus, plus)
    d_low = plus - d
    if with_low:
        d_low = d_low + (q - (plus - 1.0))
    d_low = multiply_add(-h, minus, d_low)
    if with_low:
        h_low = multiply_add(r * square, tanh_half_polynomial(square), r - h)
        numerator_low = multiply_add(-h_low, plus, numerator_low)
        d_low = multiply_add(-h_low, minus, d_low)
    if with_low and not FUSED:  # what multiply_add rounded
        numerator_low = numerator_low - ((h - h * plus) + h * (plus - 1.0))
        d_low = d_low - ((h - h * minus) - h * (1.0 - minus))
    inverse = 1.0 / d
    quotient = numerator * inverse
    rest = remainder(numerator, quotient, d)
    rest = rest + multiply_add(-quotient, d_low, numerator_low)
    return TanhQuotient(quotient, inverse, rest)


@kernel
def tanh(x: float) -> float:
    magnitude = fabs(x)
    t = make_tanh_quotient(at_most(at_least(magnitude, TINY), 20.0), False)
    value = multiply_add(t.inverse, t.rest, t.value)
    return copysign(magnitude if magnitude < value else value, x)  # tanh a < a


@kernel
def tanh_grad(x: float) -> float:
    z = at_most(at_least(2.0 * fabs(x), TINY), 800.0)
    return (4.0 * LOWERED) * lifted_bell(exp_quotient(z, 0.0))


@kernel
def tanh_grad_from_output(y: float) -> float:
    return (1.0 - y) * (1.0 + y)


# b |x|, at most `bound` or next to it, for b >= 0: |x| is bounded, so 0 inf does not arise. Below
# 2**-900 it is taken as that, and nothing is subnormal.
@kernel
def scaled_magnitude(b: float, x: float, bound: float) -> Pair:
    limit = bound / at_least(b, 1e-299 * bound)
    return two_product(b, at_most(at_least(fabs(x), TWO_TO_MINUS_900), limit))


# scaled_tanh: a tanh(b x), for a and b that are 0 or of magnitudes between 2**-64 and 2**64. The
# error of b x counts times 1 - tanh**2, which is tanh'. It is a b x for |b x| up to 2**-70, and for
# subnormal x, of which a product may be slow, x + (a b - 1) x.
@kernel
def scaled_tanh(x: float, a: float, b: float) -> float:
    magnitude = fabs(x)
    slope = two_product(fabs(a), fabs(b))
    excess = (slope.high - 1.0) + slope.low
    least = SMALLEST_NORMAL if excess >= 0.0 else 0.0
    least = least if excess <= 1.0 else 0.0
    other = 1.0 if magnitude < least else magnitude
    z = scaled_magnitude(fabs(b), other, 20.0)
    t = make_tanh_quotient(at_least(z.high, TINY), False)
    low = multiply_add(-t.value, t.value, 1.0) * z.low
    low = multiply_add(t.inverse, t.rest, low)
    far = product_plus(fabs(a), t.value, fabs(a) * low)
    other = at_most(other, 1e299)
    near = multiply_add(slope.high, other, slope.low * other)
    value = near if z.high < TINY else far
    subnormal = subnormal_plus_part(magnitude, excess)
    value = subnormal if magnitude < least else value
    value = copysign(value, x)
    return value if copysign(1.0, a) * copysign(1.0, b) > 0.0 else -value


# scaled_tanh': 4 a b sigmoid'(2 b x). From |2 b x| = 842.2 on, the power of two is 0.
@kernel
def scaled_tanh_grad(x: float, a: float, b: float) -> float:
    z = scale(scaled_magnitude(fabs(b), x, 421.1), 2.0)
    e = make_bell(exp_quotient(at_least(z.high, TINY), z.low))
    mantissa = multiply(e.mantissa, two_product(a, b))
    return (4.0 * LOWERED) * (e.power * mantissa.high)


# b / a (a - y) (a + y). For a = 0, f and f' are 0, and b / a has no value.
@kernel
def scaled_tanh_grad_from_output(y: float, a: float, b: float) -> float:
    other = a if fabs(y) >= fabs(a) else y
    dividend = 0.0 if a == 0.0 else b
    divisor = 1.0 if a == 0.0 else a
    ratio = dividend / divisor
    low = remainder(dividend, ratio, divisor) / divisor
    part = multiply(Pair(ratio, low), two_sum(a, -other))
    return multiply(part, two_sum(a, other)).high


# tanhshrink: x - tanh(x), near 0 x**3 p(x**2), of which the leading part is a pair. Up to 2**-358
# that is 0.
@kernel
def tanhshrink(x: float) -> float:
    magnitude = fabs(x)
    t = make_tanh_quotient(at_most(at_least(magnitude, TINY), 20.0), not FUSED)
    far = multiply_add(-t.inverse, t.rest, magnitude - t.value)
    a = 0.0 if magnitude <= TWO_TO_MINUS_358 else magnitude
    square = two_product(a, a)
    cube = times_double(a, square)
    tail = tanhshrink_tail(square.high)
    third = two_product(cube.high, TANHSHRINK_FULL[0])
    tail = multiply_add(square.high, tail, TANHSHRINK_FULL_LOW)
    low = multiply_add(cube.low, TANHSHRINK_FULL[0], third.low)
    if not FUSED:  # parts of subnormal products are not exact
        low = low if cube.high > 1e-304 else 0.0
    tail = multiply_add(cube.high, tail, low)
    near = third.high + tail
    return copysign(near if magnitude < TANHSHRINK_RADIUS else far, x)


# tanhshrink': tanh**2, which is x**2 up to 2**-70, and 0 up to 2**-538
@kernel
def tanhshrink_grad(x: float) -> float:
    magnitude = fabs(x)
    t = make_tanh_quotient(at_most(at_least(magnitude, TINY), 20.0), True)
    a = 0.0 if magnitude <= TWO_TO_MINUS_538 else magnitude
    near = a * a
    far = product_plus(t.value, t.value, 2.0 * t.value * (t.inverse * t.rest))
    return near if magnitude < TINY else far


# softplus: max(x, 0) + log1p(e) / beta, e = exp(-|beta x|); log1p(e) = 2 s + 2 s**3 p(s**2) with
# s = e / (2 + e) = q (1 + t / 2) / d, d = 2 + q - t (1 - q / 2)
@kernel
def softplus(x: float, beta: float) -> float:
    z = bounded_product(beta, fabs(x), 1495.0 if beta < 1e-300 else 1416.0)
    e = exp_quotient(z.high, z.low)
    q = negative_power(at_most(e.shifted, MAGIC_SHIFT + 200.0), 0)
    slope = multiply_add(-0.5, q, 1.0)
    d = multiply_add(-e.t, slope, 2.0 + q)
    d_low = multiply_add(-e.t, slope, (2.0 - d) + q)
    inverse = 1.0 / d
    residual = multiply_add(-inverse, d_low, remainder(1.0, inverse, d))
    excess = multiply_add(0.5, e.t, residual)
    s = q * multiply_add(inverse, excess, inverse)
    square = s * s
    curvature = square * atanh_polynomial(square)
    excess = multiply_add(excess, curvature, curvature) + excess
    value = multiply_add(inverse, excess, inverse)
    value_low = multiply_add(inverse, excess, inverse - value)
    # What multiplies 1 / beta where that is subnormal or overflows
    unit = TWO_TO_200 if beta > 1e200 else 1.0
    unit = TWO_TO_MINUS_120 if beta < 1e-300 else unit
    quarter = 0.25 * unit / beta
    quarter_low = remainder(0.25 * unit, quarter, beta) * (4.0 / unit)
    quarter_low = quarter * quarter_low
    value_low = multiply_add(value, quarter_low, value_low * quarter)
    value = multiply_add(value, quarter, value_low)
    shifted = 2.0 * MAGIC_SHIFT - e.shifted
    shifted = shifted + 120.0 if beta < 1e-300 else shifted
    factor = 8.0 / TWO_TO_200 if beta > 1e200 else 8.0
    return (0.0 if x < 0.0 else x) + apply_exponent(factor * value, shifted)


@kernel
def softplus_grad(x: float, beta: float) -> float:
    z = bounded_product(beta, fabs(x), 800.0)
    return sigmoid_of_quotient(x, exp_quotient(z.high, z.low))


@kernel
def softplus_grad_from_output(y: float, beta: float) -> float:
    return -expm1_full(at_most(-beta * y, 0.0)).high


# log_sigmoid: -softplus(-x)
@kernel
def log_sigmoid(x: float) -> float:
    return -softplus(-x, 1.0)


@kernel
def log_sigmoid_grad(x: float) -> float:
    return sigmoid(-x)


@kernel
def log_sigmoid_grad_from_output(y: float) -> float:
    return -expm1_full(at_most(y, 0.0)).high


# --- gated: silu, gelu, gelu_tanh, mish --------------------------------------------------------


# They are max(x, 0) minus a tail, which is even. For subnormal x they are x / 2, or 0.6 x, and what
# else is computed there is computed for another number.


# silu: max(x, 0) - |x| sigmoid(-|beta x|), for beta < 0 mirrored. At |beta x| = 842.2 the power of
# two is 0 and the tail vanishes, unless beta is tiny: then x may be huge, the power of two is taken
# in two parts, and the tail vanishes beyond 1400.
@kernel
def silu_of_pair(x: float, beta: float, beta_low: float) -> float:
    is_wide = fabs(beta) < 8.881784197001252e-16  # 2**-50
    unit = 1.0 if is_wide else LIFTED
    limit = 1400.0 if is_wide else 842.2
    far = 700.0 if is_wide else inf
    # Where |beta| is huge, beta x is not tiny for each subnormal x.
    least = SMALLEST_NORMAL if fabs(beta) < 1e270 else 0.0
    shifted_x = shifted_mantissa(x)
    other = shifted_x if fabs(x) < least else x
    magnitude = fabs(other)
    bounded = at_most(magnitude, limit)
    finite = magnitude_for(beta, magnitude)
    z = bounded_product(fabs(beta), fabs(x) if beta == 1.0 else finite, limit)
    low = multiply_add(beta_low, bounded, z.low)
    e = exp_quotient(z.high, z.low if beta_low == 0.0 else low)
    shifted = e.shifted - (1000.0 if z.high > far else 0.0)
    power = negative_power(shifted, 0 if is_wide else LIFT)
    d = sigmoid_divisor(e.t, power, unit)
    excess = multiply_add(0.5, e.t, d.residual)
    tail = multiply_add(d.inverse, excess, d.inverse)
    factor = magnitude * (TWO_TO_MINUS_1000 if z.high > far else 1.0)
    factor = 0.0 if z.high >= limit else factor
    factor = (bounded if beta == 1.0 else factor) * power
    mirrored = other * copysign(1.0, beta)
    mirrored = -1.0 if beta == 0.0 else mirrored
    value = multiply_add(-factor, tail, at_least(mirrored, 0.0))
    # With what the tail was rounded by; 0 inf must not arise.
    if not FUSED or beta_low != 0.0:
        tail_low = multiply_add(d.inverse, excess, d.inverse - tail)
        closer = at_least(mirrored, 0.0) - multiply_add(factor, tail, factor * tail_low)
        value = value if beta == 0.0 else closer
    return copysign(half_of_shifted(shifted_x) if fabs(x) < least else value, x)


@kernel
def silu(x: float, beta: float) -> float:
    return silu_of_pair(x, beta, 0.0)


# sigmoid(-z) (1 - w sigmoid(z)) for x < 0, 1 minus that for x >= 0. It is q (1 + t / 2) b / d**2
# with b = d - w (1 - t / 2) = 1 + q - w + t (w - 1 + q) / 2. From the root at z_0,
# w_0 = 1 + exp(-z_0), one counts zeta = z - z_0 and omega = w - w_0, and b is
# q - exp(-z_0) - omega + t ..., which is right to the last digits also next to the root, where zeta
# is r and q is exp(-z_0). The square root of exp(-z_0) is in the reciprocal, which is squared. An
# error of t is magnified up to four times; with_low takes the first order of it out.
@kernel
def gated_grad(
    x: float,
    zeta: Pair,
    omega: Pair,
    w: Pair,
    exponential: float,
    root: float,
    root_excess: float,
    with_low: bool,
) -> float:
    e = exp_quotient_of_pair(zeta)
    power = negative_power(e.shifted, LIFT)
    q = power * (exponential * LOWERED)
    half = multiply_add(-0.5, q, 0.5)
    one_plus_q = 1.0 + q
    d = multiply_add(-e.t, half, one_plus_q)
    d_low = multiply_add(-e.t, half, one_plus_q - d) + ((1.0 - one_plus_q) + q)
    if with_low:
        d_low = multiply_add(-e.t_low, half, d_low)
    inverse = root / d  # 2**(-LIFT / 2) in it
    residual = multiply_add(-inverse, d_low, remainder(root, inverse, d))
    slope = multiply_add(0.5, w.high, -half)
    growth = multiply_add(e.t, slope, q - exponential)
    bracket = growth - omega.high  # |omega| > |growth|
    bracket_low = (growth - (bracket + omega.high)) - omega.low
    if with_low:
        bracket_low = multiply_add(e.t_low, slope, bracket_low)
    if not FUSED:
        bracket_low = multiply_add(0.5 * e.t, w.low, bracket_low)
    product = bracket * inverse
    product_low = multiply_add(bracket_low, inverse, product_error(bracket, inverse, product))
    relative = multiply_add(residual, 2.0 / root, root_excess)
    product_low = multiply_add(product, relative, product_low)
    if with_low:
        product_low = multiply_add(product, 0.5 * e.t_low, product_low)
    excess = 0.5 * e.t
    product_low = multiply_add(product, excess, multiply_add(product_low, excess, product_low))
    tail = product_plus(product, inverse, product_low * inverse)
    return multiply_add(tail, power if x < 0.0 else -power, -0.0 if x < 0.0 else 1.0)


# a minus the root, a.high >= 0
@kernel
def from_root(a: Pair, root: Pair, is_exact: bool) -> Pair:
    result = two_sum(a.high, -root.high)
    low = result.low + (a.low - root.low)
    # With another beta than 1, and without fused operations, both parts may be of one size.
    return select(is_exact and FUSED, Pair(result.high, low), fast_two_sum(result.high, low))


# w is z
@kernel
def silu_grad_of_pair(x: float, beta: float, beta_low: float) -> float:
    magnitude = magnitude_for(beta, x)
    z = bounded_product(fabs(beta), magnitude, 800.0)
    bounded = at_least(at_most(magnitude, 800.0), TINY)  # no subnormal product
    low = multiply_add(beta_low, bounded, z.low)
    z = Pair(z.high, z.low if beta_low == 0.0 else low)
    zeta = from_root(z, Pair(-SILU_ROOT[0], -SILU_ROOT[1]), beta == 1.0)
    root = SILU_ROOT_SQRT * HALF_LOWERED
    mirrored = x * copysign(1.0, beta)
    return gated_grad(mirrored, zeta, zeta, z, SILU_ROOT_EXPONENTIAL, root, SILU_ROOT_EXCESS, False)


@kernel
def silu_grad(x: float, beta: float) -> float:
    return silu_grad_of_pair(x, beta, 0.0)


# f'(x) of a function with f(x) - max(x, 0) even, from 2**LIFT f'(-|x|)
@kernel
def reflected(x: float, tail: float) -> float:
    return multiply_add(tail, LOWERED if x < 0.0 else -LOWERED, -0.0 if x < 0.0 else 1.0)


class GaussianFactors(NamedTuple):
    """exp(-a**2 / 2) = 2**-n (1 + excess)"""

    excess: float
    power: float  # 2**(LIFT - n)


# 0 <= a <= 40
@kernel
def gaussian(a: float) -> GaussianFactors:
    square = two_product(a, a)
    shifted = multiply_add(square.high, 0.5 * LOG2E, MAGIC_SHIFT)
    n = shifted - MAGIC_SHIFT
    doubled = multiply_add(n, 2.0 * LN2[0], -square.high)  # exact: see exp_quotient
    r = 0.5 * (doubled + multiply_add(n, 2.0 * LN2[1], -square.low))
    excess = multiply_add(r * r, exp_polynomial(r), r)
    return GaussianFactors(excess, negative_power(shifted, LIFT))


# t = (a - 4) / (a + 4) = 1 - 8 / (a + 4), with the error of the reciprocal taken out
@kernel
def mapped(a: float) -> float:
    inverse = 1.0 / (a + 4.0)
    residual = remainder(multiply_add(-4.0, inverse, 1.0), inverse, a)
    t = multiply_add(-8.0, inverse, 1.0)
    return multiply_add(-8.0 * inverse, residual, t)


# constant + t tail, |constant| >= |t tail|, as a pair
@kernel
def compensated(t: float, tail: float, constant: float, low: float) -> Pair:
    high = multiply_add(t, tail, constant)
    return Pair(high, multiply_add(t, tail, constant - high) + low)


# gelu: max(x, 0) - a Phi(-a), a = |x|, Phi(-a) = exp(-a**2 / 2) p(t) / (a + 1.25). It is -0.0 below
# -38.6.
@kernel
def gelu(x: float) -> float:
    shifted = shifted_mantissa(x)
    other = shifted if fabs(x) < SMALLEST_NORMAL else x
    bounded = at_most(fabs(other), 39.0)
    a = at_most(at_least(fabs(x), TINY), 39.0)
    e = gaussian(a)
    t = mapped(a)
    p = compensated(t, mills_tail(t), MILLS_FULL[0], MILLS_FULL_LOW)
    denominator = two_sum(a, 1.25)
    inverse = 1.0 / denominator.high
    residual = remainder(1.0, inverse, denominator.high)
    residual = multiply_add(-inverse, denominator.low, residual)
    factor = bounded * e.power
    numerator = factor * p.high
    numerator_low = multiply_add(factor, p.low, product_error(factor, p.high, numerator))
    quotient = numerator * inverse
    quotient_low = product_error(numerator, inverse, quotient)
    quotient_low = multiply_add(numerator_low, inverse, quotient_low)
    excess = e.excess
    if FUSED:
        excess = multiply_add(e.excess, residual, residual) + e.excess
    else:  # the sum would be rounded
        quotient_low = multiply_add(quotient, residual, quotient_low)
    low = multiply_add(quotient_low, e.excess, quotient_low)
    tail = quotient + multiply_add(quotient, excess, low)
    value = multiply_add(-tail, LOWERED, at_least(other, 0.0))
    return copysign(half_of_shifted(shifted) if fabs(x) < SMALLEST_NORMAL else value, x)


# gelu' at -a: exp(-a**2 / 2) (root - a) p(t), root > 0
@kernel
def gelu_grad(x: float) -> float:
    a = at_most(at_least(fabs(x), TINY), 39.0)
    e = gaussian(a)
    t = mapped(a)
    p = compensated(t, gelu_grad_tail(t), GELU_GRAD_FULL[0], GELU_GRAD_FULL_LOW)
    d = two_sum(-GELU_ROOT[0], -a)
    d_low = d.low - GELU_ROOT[1]
    product = d.high * p.high
    product_low = product_error(d.high, p.high, product)
    product_low = product_low + multiply_add(d.high, p.low, d_low * p.high)
    product_low = multiply_add(product_low, e.excess, product_low)
    tail = product + multiply_add(product, e.excess, product_low)
    return reflected(x, e.power * tail)


# x (linear + cubic x**2) for 0 <= x <= 23, the argument of the sigmoid
@kernel
def gelu_tanh_argument(x: float) -> Pair:
    square = two_product(x, x)
    low = cubic_low(square)
    if FUSED:
        # linear has 42 bits, so that its difference to a sum that it is part of is exact
        low = low + GELU_TANH_LINEAR_FULL[1]
        total = compensated(GELU_TANH_CUBIC_FULL[0], square.high, GELU_TANH_LINEAR_FULL[0], low)
    else:
        total = plus_linear(two_product(GELU_TANH_CUBIC_FULL[0], square.high), low)
    return times_double(x, total)


# what cubic x**2 is more than GELU_TANH_CUBIC_FULL[0] square.high
@kernel
def cubic_low(square: Pair) -> float:
    return multiply_add(GELU_TANH_CUBIC_FULL[0], square.low, GELU_TANH_CUBIC_FULL[1] * square.high)


@kernel
def plus_linear(a: Pair, low: float) -> Pair:
    total = two_sum(GELU_TANH_LINEAR[0], a.high)
    return Pair(total.high, total.low + (a.low + (low + GELU_TANH_LINEAR[1])))


@kernel
def times_double(x: float, a: Pair) -> Pair:
    product = two_product(x, a.high)
    return Pair(product.high, multiply_add(x, a.low, product.low))


# gelu_tanh: x sigmoid(z). It is -0.0 below -21.6.
@kernel
def gelu_tanh(x: float) -> float:
    shifted = shifted_mantissa(x)
    other = shifted if fabs(x) < SMALLEST_NORMAL else x
    bounded = at_most(fabs(other), 22.0)
    a = at_most(at_least(fabs(x), TINY), 22.0)
    e = exp_quotient_of_pair(gelu_tanh_argument(a))
    power = negative_power(e.shifted, LIFT)
    d = sigmoid_divisor(e.t, power, LIFTED)
    excess = multiply_add(0.5, e.t, d.residual)
    tail = multiply_add(d.inverse, excess, d.inverse)
    factor = bounded * power
    value = multiply_add(-factor, tail, at_least(other, 0.0))
    if not FUSED:  # with what the tail was rounded by
        tail_low = multiply_add(d.inverse, excess, d.inverse - tail)
        value = at_least(other, 0.0) - multiply_add(factor, tail, factor * tail_low)
    return copysign(half_of_shifted(shifted) if fabs(x) < SMALLEST_NORMAL else value, x)


# w = x z' = x (linear + 3 cubic x**2). Three times the first part of cubic, of 51 bits, is exact.
@kernel
def gelu_tanh_grad(x: float) -> float:
    a = at_most(at_least(fabs(x), TINY), 22.0)
    square = two_product(a, a)
    low = cubic_low(square)
    cubic = two_product(GELU_TANH_CUBIC_FULL[0], square.high)
    thrice = two_product(3.0 * GELU_TANH_CUBIC_FULL[0], square.high)
    z = times_double(a, plus_linear(cubic, low))
    w = times_double(a, plus_linear(thrice, 3.0 * low))
    zeta = from_root(z, Pair(GELU_TANH_ROOT_Z[0], GELU_TANH_ROOT_Z[1]), True)
    omega = from_root(w, Pair(GELU_TANH_ROOT_W[0], GELU_TANH_ROOT_W[1]), True)
    root = GELU_TANH_ROOT_SQRT * HALF_LOWERED
    return gated_grad(
        x, zeta, omega, w, GELU_TANH_ROOT_EXPONENTIAL, root, GELU_TANH_ROOT_EXCESS, True
    )


# quick_gelu: silu with beta = 1.702, the decimal number
@kernel
def quick_gelu(x: float) -> float:
    return silu_of_pair(x, QUICK_GELU_FACTOR, QUICK_GELU_FACTOR_LOW)


@kernel
def quick_gelu_grad(x: float) -> float:
    return silu_grad_of_pair(x, QUICK_GELU_FACTOR, QUICK_GELU_FACTOR_LOW)


# (d + d_low) slope(d) near a root, d its distance, elsewhere what the formula gave
@kernel
def mend_near_root(
    formula: float, d: float, d_low: float, constant: float, constant_low: float, tail: float
) -> float:
    slope = constant + multiply_add(d, tail, constant_low)
    product = product_plus(d, slope, d_low * (slope + d * tail))
    return product if fabs(d) < ROOT_RADIUS else formula


@kernel
def mish(x: float) -> float:
    other = 1.0 if fabs(x) < SMALLEST_NORMAL else x
    e = exp_full(Pair(-fabs(other), 0.0))
    exponential = to_pair(e)
    plus_two = add_double(exponential, 2.0)
    low = multiply(exponential, plus_two)
    high = add_double(scale(exponential, 2.0), 1.0)
    square = scale(multiply(exponential, exponential), 2.0)
    quotient = divide(
        select(other < 0.0, multiply(e.mantissa, plus_two), high),
        select(other < 0.0, add_double(low, 2.0), add(high, square)),
    )
    value = apply_exponent(
        at_least(other, -800.0) * quotient.high, e.shifted if other < 0.0 else MAGIC_SHIFT
    )
    part = minus_part_of_subnormal(x, 0.6)
    return copysign(part if fabs(x) < SMALLEST_NORMAL else value, x)


# The four coefficients of the cubic in e change their order at 0, as in float32.py.
@kernel
def mish_grad(x: float) -> float:
    bounded = at_most(at_least(TINY if fabs(x) < TINY else x, -800.0), 800.0)
    e = exp_full(Pair(-fabs(bounded), 0.0))
    exponential = to_pair(e)
    below = bounded < 0.0
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
    d = x - MISH_ROOT[0]
    return mend_near_root(
        formula, d, -MISH_ROOT[1], MISH_SLOPE[0], MISH_SLOPE_LOW, mish_slope_tail(d)
    )


# --- elu, celu, selu ---------------------------------------------------------------------------


# From -2**-70 on expm1(x) is x, to all digits.
@kernel
def elu(x: float, alpha: float) -> float:
    m = expm1_full(at_most(x, -TINY))
    product = alpha * m.high
    far = copysign(product + alpha * m.low, product)  # -0.0 + 0.0 is 0.0
    least = -LARGEST_SUBNORMAL if alpha >= 0.0 else 0.0
    least = least if alpha <= 1.0 and FUSED else 0.0
    near = alpha * (0.0 if x >= least else x)
    part = minus_part_of_subnormal(x, alpha)
    near = part if x >= least else near
    near = x if x >= 0.0 else near
    near = x if alpha == 1.0 else near
    return near if x > -TINY else far


@kernel
def elu_grad(x: float, alpha: float) -> float:
    # A large alpha is divided by 2**100, and the power multiplied: products with it stay in range.
    is_large = fabs(alpha) > 1.0
    e = exp_excess_below_zero(x, 1480.0 if is_large else 1416.0)
    factor = alpha * (TWO_TO_MINUS_100 if is_large else 1.0)
    shifted = e.shifted + 100.0
    shifted = shifted if is_large else e.shifted
    low = apply_exponent(multiply_add(factor, e.excess, factor), shifted)
    return 1.0 if x > 0.0 else low


@kernel
def elu_grad_from_output(y: float, alpha: float) -> float:
    low = at_least(y + alpha, 0.0)
    return 1.0 if y > 0.0 else low


# What brings alpha, and its reciprocal, into the range.
@kernel
def celu_unit(alpha: float) -> float:
    unit = TWO_TO_200 if fabs(alpha) < 1e-200 else 1.0
    return 1.0 / TWO_TO_200 if fabs(alpha) > 1e200 else unit


# x / alpha as a pair, for x < 0; from TINY to `bound` in magnitude. The quotient is a product with
# the reciprocal, which a loop computes once; its remainder makes good what that is off.
@kernel
def celu_argument(x: float, alpha: float, bound: float) -> Pair:
    unit = celu_unit(alpha)
    divisor = alpha * unit
    inverse = 1.0 / divisor
    farthest = at_most(bound * fabs(divisor), LARGEST)
    bounded = at_least(at_most(x * unit, -TINY * fabs(divisor)), -farthest)
    high = bounded * inverse
    low = remainder(bounded, high, divisor) * inverse
    return Pair(high, 0.0 if alpha == 1.0 else low)


# celu: alpha expm1(z), z = x / alpha; expm1(z + low) is expm1(z) + low exp(z). With alpha < 0 it
# grows, and exp(z) may be beyond the range: above 2**150, the rest of the power multiplies last.
@kernel
def celu(x: float, alpha: float) -> float:
    farthest = 750.0 if alpha <= -1.0 else 1500.0  # there alpha exp(z) is infinite
    z = celu_argument(x, alpha, 690.0 if alpha > 0.0 else farthest)
    shifted = multiply_add(z.high, LOG2E, MAGIC_SHIFT)
    rest = at_least(shifted - (MAGIC_SHIFT + 150.0), 0.0)
    rest = 0.0 if alpha > 0.0 else rest
    m = expm1_of_reduced(z.high, shifted, power_of_two(shifted - rest))
    m_low = m.low + multiply_add(z.low, m.high, z.low)
    m_low = m.low if alpha == 1.0 else m_low
    unit = celu_unit(alpha)
    factor = alpha * unit
    scaled_rest = rest - copysign(200.0, unit - 1.0)
    rest = rest if unit == 1.0 else scaled_rest
    far = apply_exponent(factor * m.high + factor * m_low, MAGIC_SHIFT + rest)
    nearest = TINY * fabs(alpha)
    return x if x > -(SMALLEST if nearest == 0.0 else nearest) else far


# exp(x / alpha), x < 0; as for celu, exp(z + low) is exp(z) (1 + low)
@kernel
def celu_excess(x: float, alpha: float, bound: float) -> ExponentialExcess:
    z = celu_argument(x, alpha, bound)
    e = exp_excess(z.high)
    excess = e.excess + multiply_add(e.excess, z.low, z.low)
    return ExponentialExcess(e.excess if alpha == 1.0 else excess, e.shifted)


@kernel
def celu_grad(x: float, alpha: float) -> float:
    e = celu_excess(x, alpha, 1416.0)
    low = apply_exponent(1.0 + e.excess, e.shifted)
    return 1.0 if x > 0.0 else low


# Only for alpha < 0 can f' overflow where the product does not.
@kernel
def celu_backward(g: float, x: float, alpha: float) -> float:
    e = celu_excess(x, alpha, 1416.0 if alpha > 0.0 else 1500.0)
    growing = times_exponential(g, e)
    growing = g if x > 0.0 else growing
    low = apply_exponent(1.0 + e.excess, e.shifted)
    product = g * (1.0 if x > 0.0 else low)
    return growing if alpha < 0.0 else product


# (y + alpha) / alpha, with the rounding errors of the sum and of the quotient where these are
# finite
@kernel
def celu_grad_from_output(y: float, alpha: float) -> float:
    unit = celu_unit(alpha)
    divisor = alpha * unit
    inverse = 1.0 / divisor
    total = two_sum(y * unit, divisor)
    quotient = total.high * inverse
    rest = (remainder(total.high, quotient, divisor) + total.low) * inverse
    slope = quotient + (rest if rest - rest == 0.0 else 0.0)
    low = at_least(quotient if alpha == 1.0 else slope, 0.0)
    return 1.0 if y > 0.0 else low


@kernel
def selu(x: float) -> float:
    other = -1.0 if is_subnormal(x) else x
    m = expm1_full(other)
    low = multiply_add(SELU_PRODUCT[0], m.low, SELU_PRODUCT[1] * m.high)
    low = multiply_add(SELU_PRODUCT[0], m.high, low)
    value = SELU_SCALE * other
    value = value if x >= 0.0 else low
    excess = SELU_SCALE - 1.0 if x >= 0.0 else SELU_PRODUCT[0] - 1.0
    part = subnormal_plus_part(x, excess)
    return part if is_subnormal(x) else value


@kernel
def selu_grad(x: float) -> float:
    e = exp_excess_below_zero(x, 1416.0)
    low = SELU_PRODUCT[0] + multiply_add(SELU_PRODUCT[0], e.excess, SELU_PRODUCT[1])
    low = apply_exponent(low, e.shifted)
    return SELU_SCALE if x > 0.0 else low


# The first sum is exact where it cancels.
@kernel
def selu_grad_from_output(y: float) -> float:
    total = y + SELU_PRODUCT[0]
    corrected = total + SELU_PRODUCT[1]
    low = 0.0 if total <= 0.0 else corrected
    return SELU_SCALE if y > 0.0 else low
