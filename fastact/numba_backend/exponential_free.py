"""f and f' of the activations that need no exponential, for float32 and float64 alike.

They get an element in its own type and compute in it: constants are made of that type, ``T(0)``,
since a literal would turn float32 arithmetic into float64. Comparisons are written so that NaN
takes the branch that keeps it: ``T(0) if x < T(0) else x`` passes NaN and -0.0 on and is one
instruction, ``x if x > T(0) else T(0)`` would swallow NaN. Where the definition rounds nothing,
nothing is rounded here. Derivatives that a parameter enters are returned in float64, so that
backward rounds once. Where g f'(x) can be had for less than f'(x) and a product, there is a
function ``name_backward`` too.
"""

from __future__ import annotations

from collections.abc import Callable
from math import copysign, inf, sqrt
from typing import Any

import numpy as np
from numba import float32, float64
from numba.extending import overload

from fastact.numba_backend.primitives import (
    FUSED,
    LARGEST_SUBNORMAL,
    SMALLEST_NORMAL,
    at_least,
    at_most,
    half_of_shifted,
    is_subnormal,
    kernel,
    minus_part_of_subnormal,
    multiply_add,
    multiply_add_float,
    product_error,
    shifted_mantissa,
)

# ruff: noqa: N806  (T, the type of x)

SIXTH = 1.0 / 6.0
SIXTH_LOW = 9.25185853854297e-18  # 1 / 6 = SIXTH + SIXTH_LOW
# 1 / 6, the first with 20 bits
SIXTH_SHORT = 0.16666650772094727
SIXTH_REST = 1.5894572413799324e-07

SMALLEST = 2.0**-1074
# Added to 1 these change nothing, or are all that is left.
NEGLIGIBLE = 2.0**-60
HUGE = 1e200

LOWEST = float(np.finfo(np.float32).min)


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


# 2 g max(x, 0): 2 x may overflow where this does not
@kernel
def squared_relu_backward(g: float, x: float) -> float:
    T = type(x)
    product = float64(g) * float64(relu(x))
    return T(product + product)


@kernel
def squared_relu_grad_from_output(y: float) -> float:
    root = sqrt(float64(relu(y)))
    return root + root


# leaky_relu: x if x > 0 else negative_slope * x; the product is rounded once, from float64.
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


# hard_swish: x * clip(x/6 + 1/2, 0, 1) = x (x + 3) / 6 for -3 < x < 3. At and below -3 the result
# is x * 0 = -0.0, also at -inf.
@kernel
def hard_swish(x: float) -> float:
    T = type(x)
    low = hard_swish_low(x)
    return x if x >= T(3) else low


# hard_swish': x/3 + 1/2 = (2 x + 3) / 6 for -3 < x < 3; the sum is exact near the root at -3/2
@kernel
def hard_swish_grad(x: float) -> float:
    T = type(x)
    inner = hard_swish_slope(x)
    low = 0.0 if x <= T(-3) else inner
    return 1.0 if x >= T(3) else low


# g hard_swish'(x), with choices in the type of x
@kernel
def hard_swish_backward(g: float, x: float) -> float:
    T = type(x)
    zero = g * T(0)
    product = hard_swish_product(x, g)
    low = zero if x <= T(-3) else product
    return g if x >= T(3) else low


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
    difference = 1.0 - abs(float(y))
    return difference * difference


# sparse_plus: 0 if x <= -1 else x if x >= 1 else (x + 1)**2 / 4
@kernel
def sparse_plus(x: float) -> float:
    T = type(x)
    square = sparse_plus_square(x)
    return x if x >= T(1) else T(square * 0.25)


@kernel
def sparse_plus_grad(x: float) -> float:
    return at_most(at_least(float(x) + 1.0, 0.0), 2.0) * 0.5


@kernel
def sparse_plus_grad_from_output(y: float) -> float:
    return sqrt(at_most(at_least(float(y), 0.0), 1.0))


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
    below = T(0.5) if x < T(1) else T(0)
    return keep_nan(below if x > T(-1) else T(0), x)


@kernel
def sparse_sigmoid_grad_from_output(y: float) -> float:
    T = type(y)
    below = T(0.5) if y < T(1) else T(0)
    return keep_nan(below if y > T(0) else T(0), y)


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
    product = float32(negative_slope * bounded)
    return x if x > float32(0) else product


# From `least` on the mantissa is multiplied, which for the slope 0 gives 0. A zero is its own
# product but for a negative slope.
def leaky_relu_float64(x: Any, negative_slope: Any) -> Any:
    least = -LARGEST_SUBNORMAL if negative_slope > 0.0 else inf
    least = least if negative_slope <= 1.0 and FUSED else inf
    least = -inf if negative_slope == 0.0 else least
    low = negative_slope * (0.0 if x >= least else x)
    part = minus_part_of_subnormal(x, negative_slope)
    low = part if x >= least else low
    return x if x >= (0.0 if negative_slope >= 0.0 else SMALLEST) else low


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


# (high + low) / 6, within half an ulp or little more
@kernel
def sixth_of(high: float, low: float) -> float:
    return multiply_add(high, SIXTH, multiply_add(high, SIXTH_LOW, low * SIXTH))


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
    return 1.0 / (total * total)


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


# (x + 1)**2 for -1 < x < 1, 0 below
def sparse_plus_square_float32(x: Any) -> Any:
    total = at_least(float(x), -1.0) + 1.0
    return total * total


# The sum carries its rounding error along; largest error below 1 ulp. Subnormal x count as 0.
def sparse_plus_square_float64(x: Any) -> Any:
    bounded = at_least(x, -1.0)
    total = bounded + 1.0
    low = (0.0 if abs(x) < SMALLEST_NORMAL else bounded) - (total - 1.0)
    return multiply_add(total, total, (total + total) * low)


leaky_relu_of_type = chosen_by_type(leaky_relu_float32, leaky_relu_float64)
hard_swish_low = chosen_by_type(hard_swish_low_float32, hard_swish_low_float64)
hard_swish_slope = chosen_by_type(hard_swish_slope_float32, hard_swish_slope_float64)
hard_swish_product = chosen_by_type(
    hard_swish_product_float32 if FUSED else hard_swish_product_unfused, hard_swish_product_float64
)
softsign_slope = chosen_by_type(softsign_slope_float32, softsign_slope_float64)
sparse_plus_square = chosen_by_type(sparse_plus_square_float32, sparse_plus_square_float64)
