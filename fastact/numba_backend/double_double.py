"""Compensated arithmetic: a pair is the unevaluated sum of two doubles.

|low| <= ulp(high) / 2, or a little more. The error of a product is a fused multiply-add away;
processors without one split the factors, see T. J. Dekker, A floating-point technique for extending
the available precision, Numerische Mathematik 18, 1971.
"""

from __future__ import annotations

from typing import NamedTuple

from fastact.numba_backend.primitives import kernel, product_error


class Pair(NamedTuple):
    high: float
    low: float


# high + low = a + b exactly; |a| >= |b| or a = 0
@kernel
def fast_two_sum(a: float, b: float) -> Pair:
    high = a + b
    return Pair(high, b - (high - a))


# high + low = a + b exactly
@kernel
def two_sum(a: float, b: float) -> Pair:
    high = a + b
    b_part = high - a
    return Pair(high, (a - (high - b_part)) + (b - b_part))


# high + low = a * b exactly; |a|, |b| < 2**996, and nothing may underflow
@kernel
def two_product(a: float, b: float) -> Pair:
    high = a * b
    return Pair(high, product_error(a, b, high))


@kernel
def add(a: Pair, b: Pair) -> Pair:
    total = two_sum(a.high, b.high)
    return fast_two_sum(total.high, total.low + (a.low + b.low))


@kernel
def add_double(a: Pair, b: float) -> Pair:
    total = two_sum(a.high, b)
    return fast_two_sum(total.high, total.low + a.low)


@kernel
def multiply(a: Pair, b: Pair) -> Pair:
    product = two_product(a.high, b.high)
    return fast_two_sum(product.high, product.low + (a.high * b.low + a.low * b.high))


@kernel
def divide(a: Pair, b: Pair) -> Pair:
    quotient = a.high / b.high
    product = two_product(quotient, b.high)
    remainder = ((a.high - product.high) - product.low) + (a.low - quotient * b.low)
    return fast_two_sum(quotient, remainder / b.high)


# b is a power of two
@kernel
def scale(a: Pair, b: float) -> Pair:
    return Pair(a.high * b, a.low * b)


@kernel
def select(condition: bool, if_true: Pair, if_false: Pair) -> Pair:
    return Pair(
        if_true.high if condition else if_false.high, if_true.low if condition else if_false.low
    )
