"""f and f' of the activations that need no exponential, for float32 and float64 alike.

They get an element in its own type and compute in it: constants are made of that type, ``T(0)``,
since a literal would turn float32 arithmetic into float64. Comparisons are written so that NaN
takes the branch that keeps it: ``T(0) if x < T(0) else x`` passes NaN and -0.0 on and is one
instruction, ``x if x > T(0) else T(0)`` would swallow NaN. Where the definition rounds nothing,
nothing is rounded here. Derivatives that a parameter enters are returned in float64, so that
backward rounds once. Parameters that are compared with x are numbers of its type: the callers round
them. Where g f'(x) can be had for less than f'(x) and a product, there is a
function ``name_backward`` too, and likewise ``name_backward_from_output``.
"""

from __future__ import annotations

from collections.abc import Callable
from math import copysign, inf, sqrt
from typing import Any, NamedTuple

import numpy as np
from numba import float32, float64
from numba.extending import overload

from fastact.coefficients import DISH_ROOT, DISH_ROOT_SQUARED
from fastact.numba_backend.double_double import (
    Pair,
    fast_two_sum,
    two_product,
    two_sum,
)
from fastact.numba_backend.float64 import remainder
from fastact.numba_backend.primitives import (
    FUSED,
    LARGEST_SUBNORMAL,
    SMALLEST_NORMAL,
    at_least,
    at_most,
    doubled_part_of_subnormal,
    half_of_shifted,
    in_range,
    is_subnormal,
    kernel,
    minus_part_of_subnormal,
    multiply_add,
    multiply_add_float,
    product_error,
    reciprocal,
    reciprocal_from_bits,
    reciprocal_from_bits_float,
    shifted_mantissa,
)

# ruff: noqa: N806  (T, the type of x)

SIXTH = 1.0 / 6.0
SIXTH_LOW = 9.25185853854297e-18  # 1 / 6 = SIXTH + SIXTH_LOW
# 1 / 6, the first with 20 bits
SIXTH_SHORT = 0.16666650772094727
SIXTH_REST = 1.5894572413799324e-07

SMALLEST = 2.0**-1074
SMALLEST_FLOAT32 = 2.0**-149
# Added to 1 these change nothing, or are all that is left.
NEGLIGIBLE = 2.0**-60
HUGE = 1e200
TWO_TO_540 = 2.0**540

TWO_TO_26 = 2.0**26
TWO_TO_28 = 2.0**28
TWO_TO_150 = 2.0**150
TWO_TO_200 = 2.0**200
TWO_TO_290 = 2.0**290
TWO_TO_340 = 2.0**340
TWO_TO_400 = 2.0**400
TWO_TO_500 = 2.0**500
TWO_TO_740 = 2.0**740
TWO_TO_1000 = 2.0**1000
TWO_TO_MINUS_32 = 2.0**-32
TWO_TO_MINUS_50 = 2.0**-50
TWO_TO_MINUS_250 = 2.0**-250
TWO_TO_MINUS_400 = 2.0**-400
TWO_TO_MINUS_500 = 2.0**-500

LARGEST = float(np.finfo(np.float64).max)
LOWEST = float(np.finfo(np.float32).min)
SMALLEST_NORMAL_SINGLE = 2.0**-126
HIGHEST = float(np.finfo(np.float32).max)


@kernel
def keep_nan(derivative: float, x: float) -> float:
    return derivative if x == x else x


# identity: x
@kernel
def identity(x: float) -> float:
    return x


@kernel
def identity_grad(x: float) -> float:
    T = type(x)
    return keep_nan(T(1), x)


identity_grad_from_output = identity_grad


# relu: max(x, 0), with relu(-0.0) = -0.0
@kernel
def relu(x: float) -> float:
    T = type(x)
    return T(0) if x < T(0) else x


@kernel
def relu_grad(x: float) -> float:
    T = type(x)
    return keep_nan(T(1) if x > T(0) else T(0), x)


relu_grad_from_output = relu_grad


# relu6: min(max(x, 0), 6)
@kernel
def relu6(x: float) -> float:
    T = type(x)
    lower_clipped = T(0) if x < T(0) else x
    return T(6) if lower_clipped > T(6) else lower_clipped


@kernel
def relu6_grad(x: float) -> float:
    T = type(x)
    below = T(1) if x < T(6) else T(0)
    return keep_nan(below if x > T(0) else T(0), x)


relu6_grad_from_output = relu6_grad


# squared_relu: max(x, 0)**2
@kernel
def squared_relu(x: float) -> float:
    rectified = relu(x)
    return rectified * rectified


@kernel
def squared_relu_grad(x: float) -> float:
    rectified: float = float64(relu(x))
    return rectified + rectified


# 2 g max(x, 0)
@kernel
def squared_relu_backward(g: float, x: float) -> float:
    result: float = doubled_product(x, g)
    return result


@kernel
def squared_relu_grad_from_output(y: float) -> float:
    root: float = root_of(relu(y))
    return root + root


# leaky_relu: x if x > 0 else negative_slope * x; the product is rounded once, from float64. 0 * inf
# would be NaN: for the slope 0, -inf stops at the lowest finite number, and for an infinite slope,
# a zero is its own product.
@kernel
def leaky_relu(x: float, negative_slope: float) -> float:
    result: float = leaky_relu_of_type(x, negative_slope)
    return result


@kernel
def leaky_relu_grad(x: float, negative_slope: float) -> float:
    T = type(x)
    return keep_nan(1.0 if x > T(0) else negative_slope, x)


# g leaky_relu'(x), without a conversion of x
@kernel
def leaky_relu_backward(g: float, x: float, negative_slope: float) -> float:
    T = type(x)
    product = T(negative_slope * g)
    low = product if x <= T(0) else x  # x is NaN if it is neither
    return g if x > T(0) else low


leaky_relu_grad_from_output = leaky_relu_grad


# threshold: x if x > threshold else value
@kernel
def threshold(x: float, threshold: float, value: float) -> float:
    T = type(x)
    constant = T(value)
    return constant if x <= T(threshold) else x


@kernel
def threshold_grad(x: float, threshold: float, value: float) -> float:
    T = type(x)
    return keep_nan(T(1) if x > T(threshold) else T(0), x)


# hard_tanh: min(max(x, min_val), max_val)
@kernel
def hard_tanh(x: float, min_val: float, max_val: float) -> float:
    T = type(x)
    low = T(min_val)
    high = T(max_val)
    lower_clipped = low if x < low else x
    return high if lower_clipped > high else lower_clipped


@kernel
def hard_tanh_grad(x: float, min_val: float, max_val: float) -> float:
    T = type(x)
    below = T(1) if x < T(max_val) else T(0)
    return keep_nan(below if x > T(min_val) else T(0), x)


hard_tanh_grad_from_output = hard_tanh_grad


# hard_shrink: x if abs(x) > lambd else 0
@kernel
def hard_shrink(x: float, lambd: float) -> float:
    T = type(x)
    bound = T(lambd)
    not_above = T(0) if x <= bound else x
    return not_above if x >= -bound else x


@kernel
def hard_shrink_grad(x: float, lambd: float) -> float:
    T = type(x)
    bound = T(lambd)
    above = T(1) if x > bound else T(0)
    return keep_nan(T(1) if x < -bound else above, x)


hard_shrink_grad_from_output = hard_shrink_grad


# soft_shrink: sign(x) max(abs(x) - lambd, 0) = x - clip(x, -lambd, lambd). Zero has the sign of x.
@kernel
def soft_shrink(x: float, lambd: float) -> float:
    T = type(x)
    return T(copysign(x - hard_tanh(x, -lambd, lambd), x))


soft_shrink_grad = hard_shrink_grad


@kernel
def soft_shrink_grad_from_output(y: float, lambd: float) -> float:
    return hard_shrink_grad(y, 0.0)


# slope x + offset. The sum of the rounded product and what that lacks; near its root, where it
# cancels, the sum is exact but for the second order. For the slope 0, infinities stop at the
# largest finite number: 0 * inf would be NaN. Largest error 0.6 ulp, but for subnormal products.
@kernel
def linear(x: float, slope: float, slope_low: float, offset: float) -> float:
    bound = LARGEST if slope == 0.0 else inf
    bounded = at_most(at_least(float(x), -bound), bound)
    finite = at_most(at_least(float(x), -LARGEST), LARGEST)
    if FUSED:
        return multiply_add(slope, bounded, offset) + slope_low * finite
    product = slope * bounded
    total = product + offset
    taken = total - product
    rest = (product - (total - taken)) + (offset - taken)
    rest += product_error(slope, bounded, product) + slope_low * finite
    rest += total
    return rest if rest == rest else total  # beyond the range, the error of the product is NaN


# What 1/6 is more than the double nearest to it, which stands for it
@kernel
def low_part(slope: float) -> float:
    return SIXTH_LOW if slope == SIXTH else 0.0


# slope x + offset - bound, with the right sign, also where slope x vanishes or overflows beside 0;
# NaN where the line meets an infinite bound
@kernel
def excess(x: float, slope: float, offset: float, bound: float) -> float:
    difference = offset - bound
    taken = difference - offset
    rest = (offset - (difference - taken)) - (bound + taken)
    half = 0.5 if abs(difference) > LARGEST else 1.0
    rest = 0.0 if abs(difference) > LARGEST else rest
    wide = float(x)
    sign = wide if wide == 0.0 else copysign(1.0, wide)
    sign = sign if wide == wide else wide
    other = sign if difference == 0.0 else wide
    if not FUSED:  # the rounded product may be infinite where the line is not
        finite = LARGEST if abs(bound) > LARGEST else -1.0
        other = sign if abs(wide) <= finite else other
    difference = difference if half == 1.0 else half * offset - half * bound
    total: float = linear(other, slope * half, low_part(slope) * half, difference)
    return total + rest


# clipped_linear: clip(slope x + offset, min_val, max_val); the line of slope 1 through 0 is x
# itself.
@kernel
def clipped_linear(x: float, slope: float, offset: float, min_val: float, max_val: float) -> float:
    T = type(x)
    line = T(linear(x, slope, low_part(slope), offset))
    line = x if slope == 1.0 and offset == 0.0 else line
    result: float = hard_tanh(line, min_val, max_val)
    return result


# An infinite line is at the infinite bound that it meets.
@kernel
def zero_if_nan(value: float) -> float:
    return value if value == value else 0.0


@kernel
def clipped_linear_grad(
    x: float, slope: float, offset: float, min_val: float, max_val: float
) -> float:
    above_high = zero_if_nan(excess(x, slope, offset, max_val))
    below_low = zero_if_nan(-excess(x, slope, offset, min_val))
    outside = above_high if above_high > below_low else below_low
    of_line = 0.0 if outside >= 0.0 else slope
    parallel = float(hard_tanh_grad(x, min_val, max_val)) if offset == 0.0 else of_line
    return keep_nan(parallel if slope == 1.0 else of_line, x)


@kernel
def clipped_linear_grad_from_output(
    y: float, slope: float, offset: float, min_val: float, max_val: float
) -> float:
    T = type(y)
    between = slope if y < T(max_val) else 0.0
    return keep_nan(between if y > T(min_val) else 0.0, y)


@kernel
def clipped_linear_backward_from_output(
    g: float, y: float, slope: float, offset: float, min_val: float, max_val: float
) -> float:
    T = type(y)
    zero = g * T(0)
    below = T(slope * g) if y < T(max_val) else zero
    return keep_nan(below if y > T(min_val) else zero, y)


# hard_sigmoid: clip(slope x + offset, 0, 1)
@kernel
def hard_sigmoid(x: float, slope: float, offset: float) -> float:
    line = clipped_linear(x, slope, offset, 0.0, 1.0)
    by_default: float = sixth_above(x)
    return by_default if slope == SIXTH and offset == 0.5 else line


@kernel
def hard_sigmoid_grad(x: float, slope: float, offset: float) -> float:
    of_line = clipped_linear_grad(x, slope, offset, 0.0, 1.0)
    between = clipped_linear_grad_from_output(x, slope, offset, -3.0, 3.0)
    return between if slope == SIXTH and offset == 0.5 else of_line


# g hard_sigmoid'(x), by default with choices in the type of x
@kernel
def hard_sigmoid_backward(g: float, x: float, slope: float, offset: float) -> float:
    T = type(x)
    of_line = T(g * hard_sigmoid_grad(x, slope, offset))
    zero = g * T(0)
    product = sixth_part(g)
    below = product if x < T(3) else zero
    by_default = keep_nan(below if x > T(-3) else zero, x)
    return by_default if slope == SIXTH and offset == 0.5 else of_line


@kernel
def hard_sigmoid_grad_from_output(y: float, slope: float, offset: float) -> float:
    return clipped_linear_grad_from_output(y, slope, offset, 0.0, 1.0)


@kernel
def hard_sigmoid_backward_from_output(g: float, y: float, slope: float, offset: float) -> float:
    T = type(y)
    of_line = clipped_linear_backward_from_output(g, y, slope, offset, 0.0, 1.0)
    zero = g * T(0)
    product = sixth_part(g)
    below = product if y < T(1) else zero
    by_default = keep_nan(below if y > T(0) else zero, y)
    result: float = by_default if slope == SIXTH else of_line
    return result


# hard_swish: x * clip(slope x + offset, 0, 1); by default x (x + 3) / 6 for -3 < x < 3. At and
# below -3 the result is x * 0 = -0.0, also at -inf.
@kernel
def hard_swish(x: float, slope: float, offset: float) -> float:
    T = type(x)
    low = hard_swish_low(x)
    by_default = x if x >= T(3) else low
    of_line = hard_swish_of_line(x, slope, offset)
    return by_default if slope == SIXTH and offset == 0.5 else of_line


# For any line, largest error 1.6 ulp in float64
@kernel
def hard_swish_of_line(x: float, slope: float, offset: float) -> float:
    T = type(x)
    line = linear(x, slope, low_part(slope), offset)
    low = T(copysign(0.0, float(x))) if line <= 0.0 else T(x * line)
    return x if line >= 1.0 else low


# hard_swish': by default x/3 + 1/2 = (2 x + 3) / 6 for -3 < x < 3; the sum is exact near the root
# at -3/2
@kernel
def hard_swish_grad(x: float, slope: float, offset: float) -> float:
    T = type(x)
    inner = hard_swish_slope(x)
    low = 0.0 if x <= T(-3) else inner
    by_default = 1.0 if x >= T(3) else low
    of_line = linear(x, 2.0 * slope, 2.0 * low_part(slope), offset)
    of_line = 0.0 if excess(x, slope, offset, 0.0) <= 0.0 else of_line
    of_line = 1.0 if excess(x, slope, offset, 1.0) >= 0.0 else of_line
    return by_default if slope == SIXTH and offset == 0.5 else of_line


# g hard_swish'(x), with choices in the type of x
@kernel
def hard_swish_backward(g: float, x: float, slope: float, offset: float) -> float:
    T = type(x)
    of_line = T(g * hard_swish_grad(x, slope, offset))
    zero = g * T(0)
    product = hard_swish_product(x, g)
    low = zero if x <= T(-3) else product
    by_default = g if x >= T(3) else low
    return by_default if slope == SIXTH and offset == 0.5 else of_line


# softsign: x / (1 + |x|), in float64. Within the bounds of |x| nothing is subnormal or infinite;
# outside, x is its own value, or the quotient is 1. Largest error in float64 below 1.5 ulp.
@kernel
def softsign(x: float) -> float:
    T = type(x)
    magnitude = abs(float(x))
    bounded = at_most(at_least(magnitude, NEGLIGIBLE), HUGE)
    quotient = bounded / (1.0 + bounded)
    return T(copysign(magnitude if magnitude < NEGLIGIBLE else quotient, float(x)))


# softsign': 1 / (1 + |x|)**2
@kernel
def softsign_grad(x: float) -> float:
    result: float = softsign_slope(x)
    return result


@kernel
def softsign_grad_from_output(y: float) -> float:
    result: float = softsign_square(y)
    return result


def softsign_square_float32(y: float) -> float:
    difference = 1.0 - abs(float(y))
    return difference * difference


def softsign_square_float64(y: float) -> float:
    magnitude = abs(y)
    difference = 1.0 - magnitude
    # With the rounding error of the difference; without it, f' is up to 2.4 ulp off.
    rest = (1.0 - difference) - magnitude
    rest = 2.0 * difference * rest if magnitude <= 1.0 else 0.0
    result: float = multiply_add(difference, difference, rest)
    return result


# squareplus: (x + s) / 2 with s = sqrt(x**2 + b), which is max(x, 0) and an even tail that does not
# cancel, b / 2 / (s + |x|). The derivative is b / 2 / (s (s + |x|)) for x < 0, and 1 minus that for
# x > 0; with b = 0 it is that of relu, and 0 at 0.
@kernel
def squareplus(x: float, b: float) -> float:
    result: float = squareplus_of_type(x, b)
    return result


@kernel
def squareplus_grad(x: float, b: float) -> float:
    T = type(x)
    tail = squareplus_slope_tail(x, b)
    slope = 1.0 - tail if x > T(0) else tail
    result: float = float64(relu_grad(x)) if b == 0.0 else slope
    return result


@kernel
def squareplus_grad_from_output(y: float, b: float) -> float:
    quotient = squareplus_quotient(y, b)
    result: float = float64(relu_grad(y)) if b == 0.0 else quotient
    return result


# sparse_plus: 0 if x <= -1 else x if x >= 1 else (x + 1)**2 / 4
@kernel
def sparse_plus(x: float) -> float:
    T = type(x)
    low = sparse_plus_low(x)
    return x if x >= T(1) else low


@kernel
def sparse_plus_grad(x: float) -> float:
    return at_most(at_least(float(x) + 1.0, 0.0), 2.0) * 0.5


@kernel
def sparse_plus_grad_from_output(y: float) -> float:
    T = type(y)
    result: float = root_of(at_most(relu(y), T(1)))
    return result


@kernel
def sparse_plus_backward_from_output(g: float, y: float) -> float:
    T = type(y)
    result: float = times_root(at_most(relu(y), T(1)), g)
    return result


# sparse_sigmoid: clip((x + 1) / 2, 0, 1), rounded once
@kernel
def sparse_sigmoid(x: float) -> float:
    T = type(x)
    total = x + T(1)
    lower_clipped = T(0) if total < T(0) else total
    return (T(2) if lower_clipped > T(2) else lower_clipped) * T(0.5)


@kernel
def sparse_sigmoid_grad(x: float) -> float:
    T = type(x)
    magnitude = -x if x < T(0) else x
    beyond = T(0.25) if magnitude == T(1) else T(0)  # as in JAX
    return keep_nan(T(0.5) if magnitude < T(1) else beyond, x)


@kernel
def sparse_sigmoid_grad_from_output(y: float) -> float:
    T = type(y)
    below = T(0.5) if y < T(1) else T(0)
    return keep_nan(below if y > T(0) else T(0), y)


# dish: x (1 + x / s) / 2 with s = sqrt(1 + x**2), which is max(x, 0) less an even tail that does
# not cancel, |x| / 2 / (s**2 + |x| s)
@kernel
def dish(x: float) -> float:
    T = type(x)
    return T(dish_value(x))


# dish': for x < 0, (1 - p) / 2 / (v (v + p)) with v = 1 + x**2, p = |x| sqrt(v), and for x > 0 1
# less that. 1 - p is (1 - x**2 v) / (1 + p), which keeps its digits near the root, where
# x**2 = (sqrt(5) - 1) / 2.
@kernel
def dish_grad(x: float) -> float:
    T = type(x)
    tail: float = dish_slope_tail(x)
    return tail if x < T(0) else 1.0 - tail


def chosen_by_type(if_float32: Callable[..., Any], if_float64: Callable[..., Any]) -> Any:
    """Return a function for kernels that is the one or the other, by the type of its operands."""

    def choose(*operands: Any) -> float:  # Numba puts the implementation in its place
        raise NotImplementedError("for kernels only")

    options = {"error_model": "numpy", "forceinline": True}

    @overload(choose, strict=False, jit_options=options)
    def implementation(*operands: Any) -> Any:
        return if_float32 if operands[0] == float32 else if_float64

    return choose


# For the slope 0, -inf stops at the lowest finite number: 0 * inf would be NaN.
def leaky_relu_float32(x: Any, negative_slope: Any) -> Any:
    bounded = at_least(x, float32(LOWEST if negative_slope == 0.0 else -inf))
    least = float32(0.0 if abs(negative_slope) == inf else SMALLEST_FLOAT32)
    product = float32(negative_slope * bounded)
    return x if x >= least else product


# From `least` on the mantissa is multiplied, which for the slope 0 gives 0. A zero is its own
# product but for a negative slope.
def leaky_relu_float64(x: Any, negative_slope: Any) -> Any:
    least = -LARGEST_SUBNORMAL if negative_slope > 0.0 else inf
    least = least if negative_slope <= 1.0 and FUSED else inf
    least = -inf if negative_slope == 0.0 else least
    low = negative_slope * (0.0 if x >= least else x)
    part = minus_part_of_subnormal(x, negative_slope)
    low = part if x >= least else low
    keeps_zero = negative_slope >= 0.0 or negative_slope == -inf
    return x if x >= (0.0 if keeps_zero else SMALLEST) else low


# 2 x may overflow where 2 g x does not, so in float32, where that takes no longer, the factor is
# doubled that overflows only if this does.
def doubled_product_float32(x: Any, g: Any) -> Any:
    rectified = relu(x)
    other = g if rectified < float32(1) else g + g
    return other * (rectified + rectified if rectified < float32(1) else rectified)


# A subnormal x is multiplied as a mantissa: the product, which g may make a normal number, is slow.
def doubled_product_float64(x: Any, g: Any) -> Any:
    least = SMALLEST_NORMAL if abs(g) <= LARGEST else 0.0
    other = 0.0 if x < least else x
    product = g * other
    part = doubled_part_of_subnormal(x, g)
    return part if x > other else product + product


# sqrt(y), y >= 0. For float32, the root in float32 and one step of Newton's method in float64, in
# less time than the root in float64; what it leaves of y is exact, the error 2**-31.
def root_of_float32(y: Any) -> Any:
    bounded = at_most(y, float32(HIGHEST))
    root = float32(sqrt(bounded))
    wide = float64(root)
    rest = multiply_add(-wide, wide, float64(bounded))
    half = float32(0.5) * rough_reciprocal_float(root)
    corrected = multiply_add(rest, float64(half), wide)
    return float64(y) if y > float32(HIGHEST) else corrected


def root_of_float64(y: Any) -> Any:
    return sqrt(y)


# g sqrt(y) for outputs of sparse_plus: y is 0 or at least 2**-50, so what the root leaves of y is
# exact. In float32 the root carries its rounding error along; an infinite product would become
# inf - inf, and a zero lose its sign, so these stay. Largest error 0.51 ulp.
def times_root_float32(y: Any, g: Any) -> Any:
    root = float32(sqrt(y))
    rest = multiply_add_float(-root, root, y)
    low = rest * (float32(0.5) * rough_reciprocal_float(root))
    product = g * root
    whole = multiply_add_float(g, root, g * low)
    whole = whole if abs(product) > float32(0) else product
    return whole if abs(product) <= float32(HIGHEST) else product


def times_root_unfused(y: Any, g: Any) -> Any:
    return float32(float64(g) * root_of(y))


def times_root_float64(y: Any, g: Any) -> Any:
    return g * sqrt(y)


# float32: the product is exact in float64, but for tiny x; largest error 0.5000001 ulp.
def hard_swish_low_float32(x: Any) -> Any:
    inner = float32(float(x) * (float(x) + 3.0) * (1.0 / 6.0))
    return float32(-0.0) if x <= float32(-3) else inner


# float64: the product carries its rounding error along; largest error below 1.5 ulp. Zero has the
# sign of x.
def hard_swish_low_float64(x: Any) -> Any:
    bounded = at_least(x, -3.0)
    total = bounded + 3.0
    shifted = shifted_mantissa(x)
    factor = shifted if is_subnormal(x) else bounded
    product = factor * total
    inner = sixth_of(product, product_error(factor, total, product))
    return copysign(half_of_shifted(shifted) if is_subnormal(x) else inner, x)


# (x + 3) / 6 for -3 < x < 3; the sum carries its rounding error along. As in
# hard_swish_product_float32, largest error 0.50001 ulp.
def sixth_above_float32(x: Any) -> Any:
    three = float32(3.0)
    bounded = hard_tanh(x, -3.0, 3.0)
    high = bounded + three
    low = bounded + (three - high)
    inner = high * float32(SIXTH_SHORT)
    inner_low = multiply_add_float(high, float32(SIXTH_SHORT), -inner)
    inner_low = multiply_add_float(low, float32(SIXTH_SHORT), inner_low)
    return inner + multiply_add_float(high, float32(SIXTH_REST), inner_low)


def sixth_above_unfused(x: Any) -> Any:
    return float32((float(hard_tanh(x, -3.0, 3.0)) + 3.0) * SIXTH)


# Largest error below 1 ulp
def sixth_above_float64(x: Any) -> Any:
    bounded = hard_tanh(x, -3.0, 3.0)
    bounded = 0.0 if is_subnormal(bounded) else bounded  # its product would be slow
    high = bounded + 3.0
    return sixth_of(high, bounded + (3.0 - high))


# (high + low) / 6, within half an ulp or little more
@kernel
def sixth_of(high: float, low: float) -> float:
    return multiply_add(high, SIXTH, multiply_add(high, SIXTH_LOW, low * SIXTH))


# g / 6. In float32 a sum of two, both of the sign of g, since g may be infinite
def sixth_part_float32(g: Any) -> Any:
    return multiply_add_float(g, float32(SIXTH_SHORT), g * float32(SIXTH_REST))


def sixth_part_unfused(g: Any) -> Any:
    return float32(g * SIXTH)


def sixth_part_float64(g: Any) -> Any:
    return g * SIXTH


# For float32, the product with 1/6 is exact enough.
def hard_swish_slope_float32(x: Any) -> Any:
    return (2.0 * x + 3.0) * SIXTH


def hard_swish_slope_float64(x: Any) -> Any:
    return sixth_of(2.0 * x + 3.0, 0.0)


def hard_swish_product_float64(x: Any, g: Any) -> Any:
    return g * sixth_of(2.0 * x + 3.0, 0.0)


def hard_swish_product_unfused(x: Any, g: Any) -> Any:
    return float32(g * ((2.0 * x + 3.0) * SIXTH))


# g (2 x + 3) / 6 in float32, as sums of two: a third less time than in float64. 1/6 is cut, so that
# both parts of the derivative have the same sign: an infinite g would give inf - inf. Sums, since
# products with subnormal numbers are slow.
def hard_swish_product_float32(x: Any, g: Any) -> Any:
    three = float32(3.0)
    doubled = x + x
    high = doubled + three
    low = doubled + (three - high)
    inner = high * float32(SIXTH_SHORT)
    inner_low = multiply_add_float(high, float32(SIXTH_SHORT), -inner)
    inner_low = multiply_add_float(low, float32(SIXTH_SHORT), inner_low)
    inner_low = multiply_add_float(high, float32(SIXTH_REST), inner_low)
    return multiply_add_float(g, inner, g * inner_low)


def softsign_slope_float32(x: Any) -> Any:
    total = 1.0 + abs(float(x))
    return reciprocal(at_most(total * total, TWO_TO_1000))  # to 34 bits


# The square of the reciprocal, with the errors of the sum and of the reciprocal; largest error
# below 1.5 ulp. The square of a reciprocal cannot overflow.
def softsign_slope_float64(x: Any) -> Any:
    bounded = at_most(at_least(abs(x), NEGLIGIBLE), HUGE)
    larger = at_least(bounded, 1.0)
    smaller = at_most(bounded, 1.0)
    total = larger + smaller
    total_low = smaller - (total - larger)
    inverse = 1.0 / total
    excess = product_error(inverse, total, 1.0) + inverse * total_low
    square = inverse * inverse
    return multiply_add(square, -2.0 * excess, square)


# For float32: beyond this range results do not change.
@kernel
def squareplus_b(b: float) -> float:
    near_b = in_range(b, 1e-140, 1e150)
    return b if b == 0.0 else near_b


# squareplus(x, b) is squareplus(unit x, unit**2 b) / unit, and f' is the same for both: unit**2 b
# is 0 or lies between 2**-400 and 2**400.
@kernel
def squareplus_unit(b: float) -> float:
    unit = TWO_TO_340 if b < TWO_TO_MINUS_400 else 1.0
    return 1.0 / TWO_TO_340 if b > TWO_TO_400 else unit


# float32: the reciprocal has 34 bits. Infinite sums would have none.
def squareplus_float32(x: Any, b: Any) -> Any:
    magnitude = abs(float64(x))
    near_b = squareplus_b(b)
    root = sqrt(magnitude * magnitude + near_b)
    tail = 0.5 * near_b * reciprocal(at_most(root + magnitude, TWO_TO_1000))
    return float32(float64(relu(x)) + (0.0 if b == 0.0 else tail))


# Where unit x overflows, the tail is 0 or vanishes beside x.
def squareplus_float64(x: Any, b: Any) -> Any:
    unit = squareplus_unit(b)
    scaled_x = unit * x
    tail = squareplus_tail(scaled_x, unit * (unit * b))
    value = (relu(scaled_x) + (0.0 if b == 0.0 else tail)) * (1.0 / unit)
    return x if x > (TWO_TO_500 if b < TWO_TO_MINUS_400 else inf) else value


# |x| is a part of itself, so that sums and their reciprocals stay in the range; s is that of at
# most 2**500, from where on it is |x| to all digits. The sum carries its rounding error along;
# largest error below 2 ulp.
@kernel
def squareplus_tail(x: float, b: float) -> float:
    part = 5.421010862427522e-20  # 2**-64
    magnitude = part * at_least(abs(x), TWO_TO_MINUS_500)
    near = at_most(magnitude, TWO_TO_500)
    root = sqrt(multiply_add(near, near, b * (part * part)))
    root = magnitude if root < magnitude else root
    total = root + magnitude
    total_low = magnitude - (total - root)
    inverse = reciprocal(total)
    quotient = 0.5 * b * inverse
    rest = multiply_add(-quotient, total_low, remainder(0.5 * b, quotient, total))
    return 0.0 if abs(x) > LARGEST else part * multiply_add(rest, inverse, quotient)


def squareplus_slope_tail_float32(x: Any, b: Any) -> Any:
    bounded = at_most(abs(float64(x)), TWO_TO_400)
    near_b = squareplus_b(b)
    root = sqrt(bounded * bounded + near_b)
    return 0.5 * near_b * reciprocal(root * (root + bounded))


# The error of s counts twice here, and is carried along too; largest error below 1 ulp.
def squareplus_slope_tail_float64(x: Any, b: Any) -> Any:
    unit = squareplus_unit(b)
    near_b = unit * (unit * b)
    part = TWO_TO_MINUS_250
    magnitude = part * at_most(at_least(abs(unit * x), TWO_TO_MINUS_500), TWO_TO_740)
    # A smaller square would be subnormal, which takes long, and is 0 beside b.
    near = at_most(at_least(magnitude, TWO_TO_MINUS_500), TWO_TO_500)
    square = two_sum(near * near, near_b * (part * part))
    square_low = square.low + product_error(near, near, near * near)
    root = sqrt(square.high)
    root_low = remainder(square.high, root, root) + square_low
    root = magnitude if root < magnitude else root
    root_low = root_low * (0.5 * rough_reciprocal(root))
    total = root + magnitude
    total_low = (magnitude - (total - root)) + root_low
    product = root * total
    product_low = multiply_add(
        root_low, total, multiply_add(root, total_low, product_error(root, total, product))
    )
    inverse = reciprocal(product)
    numerator = near_b * (0.5 * part * part)
    quotient = numerator * inverse
    rest = remainder(numerator, quotient, product)
    rest = multiply_add(-quotient, product_low, rest)
    return multiply_add(rest, inverse, quotient)


def squareplus_quotient_float32(y: Any, b: Any) -> Any:
    square = at_most(float64(y) * float64(y), TWO_TO_1000)
    return square * reciprocal(square + 0.25 * squareplus_b(b))


# y**2 / (y**2 + b / 4), both 2**400 times as large, with the errors of square, sum and quotient
def squareplus_quotient_float64(y: Any, b: Any) -> Any:
    unit = squareplus_unit(b)
    scaled_y = at_most(abs(unit * y), TWO_TO_290) * TWO_TO_200
    square = scaled_y * scaled_y
    square_low = product_error(scaled_y, scaled_y, square)
    total = two_sum(square, unit * (unit * b) * (0.25 * TWO_TO_400))
    inverse = reciprocal(total.high)
    quotient = square * inverse
    rest = remainder(square, quotient, total.high)
    rest = rest + multiply_add(-quotient, total.low + square_low, square_low)
    return multiply_add(rest, inverse, quotient)


# 1 / d to 2**-8, see reciprocal
@kernel
def rough_reciprocal(d: float) -> float:
    r = reciprocal_from_bits(d)
    return multiply_add(r, multiply_add(-d, r, 1.0), r)


# The same in float32
@kernel
def rough_reciprocal_float(d: float) -> float:
    r = reciprocal_from_bits_float(d)
    return multiply_add_float(r, multiply_add_float(-d, r, float32(1)), r)


# float32: the reciprocal has 34 bits.
def dish_value_float32(x: Any) -> Any:
    magnitude = abs(float64(x))
    square = 1.0 + magnitude * magnitude
    inverse = reciprocal(at_most(square + magnitude * sqrt(square), TWO_TO_1000))
    tail = at_most(0.5 * magnitude, TWO_TO_400) * inverse
    return (-0.0 if x < float32(0) else float64(x)) - tail


# The sum and the quotient carry their rounding errors along, and from 2**28 on the tail is
# 1 / (4 |x|); largest error below 2 ulp. For subnormal x it is x / 2.
def dish_value_float64(x: Any) -> Any:
    shifted_x = shifted_mantissa(x)
    other = shifted_x if is_subnormal(x) else x
    magnitude = abs(other)
    divisor = dish_divisor(at_most(at_least(magnitude, NEGLIGIBLE), TWO_TO_28))
    is_far = magnitude > TWO_TO_28
    total = TWO_TO_MINUS_32 * magnitude if is_far else divisor.high
    total_low = 0.0 if is_far else divisor.low
    half = 0.5 * magnitude
    numerator = 0.25 * TWO_TO_MINUS_32 if is_far else half
    inverse = reciprocal(total)
    quotient = numerator * inverse
    rest = multiply_add(-quotient, total_low, remainder(numerator, quotient, total))
    rectified = -0.0 if other < 0.0 else other
    value = rectified - multiply_add(rest, inverse, quotient)
    value = rectified if magnitude > LARGEST else value
    return copysign(half_of_shifted(shifted_x) if is_subnormal(x) else value, x)


# v + a sqrt(v), v = 1 + a**2; products that are not fused are rounded too, so all is needed there.
if FUSED:

    @kernel
    def dish_divisor(a: float) -> Pair:
        v = multiply_add(a, a, 1.0)
        root = sqrt(v)
        total = multiply_add(a, root, v)
        return Pair(total, multiply_add(a, root, v - total))

else:

    @kernel
    def dish_divisor(a: float) -> Pair:
        return dish_total(a).total


class DishSum(NamedTuple):
    """v = 1 + a**2, p = a sqrt(v) and v + p."""

    square: Pair
    product: Pair
    total: Pair


# a >= 0; where the processor fuses, up to 2**26
@kernel
def dish_total(a: float) -> DishSum:
    v = one_plus_square(a)
    root = sqrt(v.high)
    half = 0.5 * rough_reciprocal(root)
    root_low = (remainder(v.high, root, root) + v.low) * half
    p = a * root
    p_low = multiply_add(a, root_low, product_error(a, root, p))
    total = v.high + p
    total_low = (p - (total - v.high)) + (v.low + p_low)
    return DishSum(v, Pair(p, p_low), Pair(total, total_low))


if FUSED:

    @kernel
    def one_plus_square(a: float) -> Pair:
        high = multiply_add(a, a, 1.0)
        # 1 less that is exact, for a**2 < 2**53.
        return Pair(high, multiply_add(a, a, 1.0 - high))

else:

    @kernel
    def one_plus_square(a: float) -> Pair:
        square = a * a
        total = two_sum(1.0, square)
        return Pair(total.high, total.low + product_error(a, a, square))


# Squares of float32 are exact.
def dish_slope_tail_float32(x: Any) -> Any:
    magnitude = at_most(abs(float64(x)), TWO_TO_150)
    square = magnitude * magnitude
    v = 1.0 + square
    p = magnitude * sqrt(v)
    numerator = 0.5 * multiply_add(-square, v, 1.0)
    return numerator * reciprocal(v * (v + p) * (1.0 + p))


# Numerator, denominator and quotient as sums of two. The denominator, v (v + p) (1 + p), is
# v (v**2 + p (1 + v)). From 2**26 on it is -1 / (4 x**2 + 9). Largest error below 1 ulp.
def dish_slope_tail_float64(x: Any) -> Any:
    magnitude = at_most(at_least(abs(x), NEGLIGIBLE), TWO_TO_540)
    near = at_most(magnitude, TWO_TO_26)
    parts = dish_total(near)
    numerator = dish_grad_numerator(near, parts.square)
    denominator = dish_grad_denominator(parts.square, parts.product)
    far = TWO_TO_MINUS_50 * magnitude
    is_far = magnitude > TWO_TO_26
    d = far * far if is_far else denominator.high
    unit = TWO_TO_MINUS_50 * TWO_TO_MINUS_50
    far_low = product_error(far, far, far * far) + 2.25 * unit
    d_low = far_low if is_far else denominator.low
    n = -0.5 * unit if is_far else numerator.high
    n_low = 0.0 if is_far else numerator.low
    inverse = reciprocal(d)
    quotient = n * inverse
    rest = multiply_add(-quotient, d_low, remainder(n, quotient, d)) + n_low
    return 0.5 * multiply_add(rest, inverse, quotient)


# 1 - a**2 - a**4 = (r - a) (r + a) (1 + a**2 + r**2), r minus the root of dish'
@kernel
def dish_grad_numerator(a: float, v: Pair) -> Pair:
    root, root_low = DISH_ROOT
    squared, squared_low = DISH_ROOT_SQUARED
    distance = two_sum(-root, -a)
    distance = fast_two_sum(distance.high, distance.low - root_low)
    total = two_sum(-root, a)
    factor = fast_two_sum(v.high, squared)
    factor_low = factor.low + (v.low + squared_low)
    product = two_product(total.high, factor.high)
    total_low = total.low - root_low
    product_low = product.low + multiply_add(total.high, factor_low, total_low * factor.high)
    result = two_product(distance.high, product.high)
    result_low = result.low + multiply_add(distance.high, product_low, distance.low * product.high)
    return Pair(result.high, result_low)


# v (v**2 + p (1 + v))
@kernel
def dish_grad_denominator(v: Pair, p: Pair) -> Pair:
    square = two_product(v.high, v.high)
    square_low = multiply_add(v.high + v.high, v.low, square.low)
    factor = fast_two_sum(v.high, 1.0)
    factor_low = factor.low + v.low
    other = two_product(p.high, factor.high)
    other_low = other.low + multiply_add(p.high, factor_low, p.low * factor.high)
    total = two_sum(square.high, other.high)
    total_low = total.low + (square_low + other_low)
    product = two_product(v.high, total.high)
    product_low = product.low + multiply_add(v.high, total_low, v.low * total.high)
    return Pair(product.high, product_low)


# (x + 1)**2 / 4 for -1 < x < 1, 0 below. The sum carries its rounding error along; largest error
# 0.50001 ulp. Subnormal x count as 0.
def sparse_plus_low_float32(x: Any) -> Any:
    bounded = at_least(x, float32(-1))
    total = bounded + float32(1)
    known = float32(0) if abs(x) < float32(SMALLEST_NORMAL_SINGLE) else bounded
    low = known - (total - float32(1))
    square = multiply_add_float(total, total, (total + total) * low)
    return square * float32(0.25)


def sparse_plus_low_unfused(x: Any) -> Any:
    total = at_least(float(x), -1.0) + 1.0
    return float32(total * total * 0.25)


# The same; largest error below 1 ulp.
def sparse_plus_low_float64(x: Any) -> Any:
    bounded = at_least(x, -1.0)
    total = bounded + 1.0
    low = (0.0 if abs(x) < SMALLEST_NORMAL else bounded) - (total - 1.0)
    return multiply_add(total, total, (total + total) * low) * 0.25


doubled_product = chosen_by_type(doubled_product_float32, doubled_product_float64)
root_of = chosen_by_type(root_of_float32, root_of_float64)
times_root = chosen_by_type(times_root_float32 if FUSED else times_root_unfused, times_root_float64)
leaky_relu_of_type = chosen_by_type(leaky_relu_float32, leaky_relu_float64)
hard_swish_low = chosen_by_type(hard_swish_low_float32, hard_swish_low_float64)
hard_swish_slope = chosen_by_type(hard_swish_slope_float32, hard_swish_slope_float64)
hard_swish_product = chosen_by_type(
    hard_swish_product_float32 if FUSED else hard_swish_product_unfused, hard_swish_product_float64
)
sixth_above = chosen_by_type(
    sixth_above_float32 if FUSED else sixth_above_unfused, sixth_above_float64
)
sixth_part = chosen_by_type(sixth_part_float32 if FUSED else sixth_part_unfused, sixth_part_float64)
softsign_square = chosen_by_type(softsign_square_float32, softsign_square_float64)
softsign_slope = chosen_by_type(softsign_slope_float32, softsign_slope_float64)
sparse_plus_low = chosen_by_type(
    sparse_plus_low_float32 if FUSED else sparse_plus_low_unfused, sparse_plus_low_float64
)
squareplus_of_type = chosen_by_type(squareplus_float32, squareplus_float64)
squareplus_slope_tail = chosen_by_type(squareplus_slope_tail_float32, squareplus_slope_tail_float64)
squareplus_quotient = chosen_by_type(squareplus_quotient_float32, squareplus_quotient_float64)
dish_value = chosen_by_type(dish_value_float32, dish_value_float64)
dish_slope_tail = chosen_by_type(dish_slope_tail_float32, dish_slope_tail_float64)
