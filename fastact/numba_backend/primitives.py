"""What all kernels need: the compiler's options, bits, polynomials, bounds."""

from __future__ import annotations

import platform
from collections.abc import Callable
from math import copysign, fabs
from typing import Any, TypeVar, cast

from llvmlite import ir
from numba import boolean, float32, float64, int64, njit
from numba.core.registry import cpu_target
from numba.extending import intrinsic

F = TypeVar("F", bound=Callable[..., Any])

# 1.5 * 2**52: adding it rounds to an integer and leaves that in the low bits of the sum.
MAGIC_SHIFT = 6755399441055744.0

SMALLEST_NORMAL = 2.0**-1022
LARGEST_SUBNORMAL = SMALLEST_NORMAL - 2.0**-1074
LARGEST = float.fromhex("0x1.fffffffffffffp+1023")
TWO_TO_52 = 2.0**52


def kernel(function: F) -> F:
    """Compile a scalar function, when first used.

    error_model="numpy": division by zero gives inf or NaN, as IEEE has it, without a branch that
    raises. forceinline: a call that is left standing keeps a loop from vectorising. Never fastmath:
    without it LLVM neither contracts nor reorders, so that an element gets the same operations in
    the vector body and in the tail of a loop, and compensated arithmetic stays exact.
    """
    return cast(F, njit(error_model="numpy", forceinline=True)(function))


def emitted(result: Any, *arguments: Any) -> Callable[[Callable[..., Any]], Callable[..., float]]:
    """Decorate what writes LLVM instructions: make of it a function for kernels, of these types."""
    signature = result(*arguments)

    def decorate(emit: Callable[..., Any]) -> Callable[..., float]:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return emit(builder, *values)

        # Numba counts the arguments.
        definitions: Any = {
            1: lambda typing_context, a: (signature, generate),
            2: lambda typing_context, a, b: (signature, generate),
            3: lambda typing_context, a, b, c: (signature, generate),
        }
        return cast(Callable[..., float], intrinsic(definitions[len(arguments)]))

    return decorate


# --- bits: Numba has no bit cast of scalars ------------------------------------------------------


# 2**k, -1022 <= k <= 1023, for shifted = k + MAGIC_SHIFT: k stands in the low bits of shifted
@emitted(float64, float64)
def power_of_two(builder: Any, shifted: Any) -> Any:
    bits = builder.bitcast(shifted, ir.IntType(64))
    exponent = builder.shl(bits, bits.type(52))
    return builder.bitcast(builder.add(exponent, bits.type(1023 << 52)), ir.DoubleType())


# value * 2**k, for shifted = k + MAGIC_SHIFT, -2044 <= k <= 2046: two powers of two, each with half
# of k, of which the last rounds
@emitted(float64, float64, float64)
def apply_exponent(builder: Any, value: Any, shifted: Any) -> Any:
    bits = builder.bitcast(shifted, ir.IntType(64))
    bits = builder.add(bits, bits.type(2 * 1023))
    half = builder.lshr(bits, bits.type(1))  # its low bits: 1023 + k / 2, rounded down
    for part in (half, builder.sub(bits, half)):
        power = builder.bitcast(builder.shl(part, bits.type(52)), ir.DoubleType())
        value = builder.fmul(value, power)
    return value


# 2**(lift - n), for shifted = n + MAGIC_SHIFT
@emitted(float64, float64, int64)
def negative_power(builder: Any, shifted: Any, lift: Any) -> Any:
    bits = builder.bitcast(shifted, ir.IntType(64))
    places = bits.type(52)
    top = builder.shl(builder.add(bits.type(1023), lift), places)
    return builder.bitcast(builder.sub(top, builder.shl(bits, places)), ir.DoubleType())


# value * 2**k, for shifted = k + MAGIC_SHIFT, where value and the result are normal. NaN stays: one
# that was float32 before has zeros in the low bits, which are all that is added.
@emitted(float64, float64, float64)
def times_power_of_two(builder: Any, value: Any, shifted: Any) -> Any:
    value, bits = (builder.bitcast(number, ir.IntType(64)) for number in (value, shifted))
    exponent = builder.shl(bits, bits.type(52))
    return builder.bitcast(builder.add(value, exponent), ir.DoubleType())


# r, piecewise linear in d, with d r = 1 - s, |s| <= 0.0506: its bits are those of 1 and
# (sqrt(24) - 3) / 2 without those of d. 2**-1021 < d < 2**1021
@emitted(float64, float64)
def reciprocal_from_bits(builder: Any, d: Any) -> Any:
    bits = builder.bitcast(d, ir.IntType(64))
    difference = builder.sub(bits.type(0x7FDE623850000000), bits)
    return builder.bitcast(difference, ir.DoubleType())


# The same in float32, 2**-126 < d < 2**126
@emitted(float32, float32)
def reciprocal_from_bits_float(builder: Any, d: Any) -> Any:
    bits = builder.bitcast(d, ir.IntType(32))
    difference = builder.sub(bits.type(0x7EF311C3), bits)
    return builder.bitcast(difference, ir.FloatType())


# 2**(k - 127), for shifted = k + 1.5 * 2**23, 0 <= k < 255
@emitted(float32, float32)
def power_of_two_float(builder: Any, shifted: Any) -> Any:
    bits = builder.bitcast(shifted, ir.IntType(32))
    return builder.bitcast(builder.shl(bits, bits.type(23)), ir.FloatType())


# Intel processors take a hundred cycles for a product with a subnormal operand or result, so these
# compute with the mantissa instead: as an integer, in the low bits of 2**52 + integer, which is
# where a sum of that size leaves what it rounds to.


# |x| < 2**-1022, zero too
@emitted(boolean, float64)
def is_subnormal(builder: Any, x: Any) -> Any:
    bits = builder.bitcast(x, ir.IntType(64))
    return builder.icmp_unsigned("==", builder.and_(bits, bits.type(2047 << 52)), bits.type(0))


# -(2**52 + |x| / 2**-1074)
@emitted(float64, float64)
def shifted_mantissa(builder: Any, x: Any) -> Any:
    bits = builder.bitcast(x, ir.IntType(64))
    return builder.bitcast(builder.or_(bits, bits.type((2048 + 1075) << 52)), ir.DoubleType())


# x + the mantissa of shifted, as integers; x is subnormal
@emitted(float64, float64, float64)
def plus_mantissa(builder: Any, x: Any, shifted: Any) -> Any:
    bits, others = (builder.bitcast(number, ir.IntType(64)) for number in (x, shifted))
    mantissa = builder.and_(others, bits.type((1 << 52) - 1))
    return builder.bitcast(builder.add(bits, mantissa), ir.DoubleType())


# |x| / 2 for subnormal x, from shifted_mantissa(x), rounded once
@kernel
def half_of_shifted(shifted: float) -> float:
    return plus_mantissa(0.0, multiply_add(-0.5, shifted, 0.5 * TWO_TO_52))


# -(2**52 + factor |x| / 2**-1074) for subnormal x; -2**52 for any x where the factor is 0.
# 0 <= factor <= 1
@kernel
def scaled_mantissa(x: float, factor: float) -> float:
    shifted = multiply_add(shifted_mantissa(x) + TWO_TO_52, factor, -TWO_TO_52)
    return -TWO_TO_52 if factor == 0.0 else shifted


# -factor |x| and x + factor x, rounded once (twice, where the processor does not fuse)
@kernel
def minus_part_of_subnormal(x: float, factor: float) -> float:
    return copysign(plus_mantissa(0.0, scaled_mantissa(x, factor)), -factor)


@kernel
def subnormal_plus_part(x: float, factor: float) -> float:
    return plus_mantissa(x, scaled_mantissa(x, factor))


# 2 factor x for subnormal x > 0 and any finite factor, rounded once (twice, where the processor
# does not fuse): the product of x 2**1022 and factor, 2**1021 times too large. Where it is a
# subnormal number in the end, 1/2 is added: its mantissa, as an integer, is what the sum rounds to.
@kernel
def doubled_part_of_subnormal(x: float, factor: float) -> float:
    mantissa = with_exponent_of_one(x) - 1.0
    product = mantissa * factor
    total = multiply_add(mantissa, factor, copysign(0.5, factor))
    normal = minus_exponent(product, 1021)
    subnormal = minus_exponent(total, 1022)
    return subnormal if fabs(product) < 0.5 else normal


# x with the exponent of 1, which for subnormal x is 1 + x 2**1022
@emitted(float64, float64)
def with_exponent_of_one(builder: Any, x: Any) -> Any:
    bits = builder.bitcast(x, ir.IntType(64))
    return builder.bitcast(builder.or_(bits, bits.type(1023 << 52)), ir.DoubleType())


# x 2**-places; where its exponent becomes 0, its mantissa is that of a subnormal number
@emitted(float64, float64, int64)
def minus_exponent(builder: Any, x: Any, places: Any) -> Any:
    bits = builder.bitcast(x, ir.IntType(64))
    exponent = builder.shl(places, bits.type(52))
    return builder.bitcast(builder.sub(bits, exponent), ir.DoubleType())


# As integers, floats that are not negative have the same order, and a bound is one instruction.


# |x|, at least `low`. NaN stays.
@emitted(float32, float32, float32)
def magnitude_from(builder: Any, x: Any, low: Any) -> Any:
    magnitude = _magnitude_bits(builder, x)
    low = builder.bitcast(low, magnitude.type)
    bounded = builder.select(builder.icmp_signed("<", magnitude, low), low, magnitude)
    return builder.bitcast(bounded, ir.FloatType())


# |x|, at most `high`, which NaN becomes
@emitted(float32, float32, float32)
def magnitude_up_to(builder: Any, x: Any, high: Any) -> Any:
    magnitude = _magnitude_bits(builder, x)
    high = builder.bitcast(high, magnitude.type)
    bounded = builder.select(builder.icmp_signed(">", magnitude, high), high, magnitude)
    return builder.bitcast(bounded, ir.FloatType())


def _magnitude_bits(builder: Any, x: Any) -> Any:
    bits = builder.bitcast(x, ir.IntType(32))
    return builder.and_(bits, bits.type(0x7FFFFFFF))


# --- arithmetic ----------------------------------------------------------------------------------


def _is_fused() -> bool:
    # What Numba compiles for: the processor at hand, or NUMBA_CPU_NAME and NUMBA_CPU_FEATURES.
    _triple, _processor, features = cpu_target.target_context.codegen().magic_tuple()
    return platform.machine() in ("aarch64", "arm64") or "+fma" in features.split(",")


#: Whether the processor fuses a multiplication and an addition. fast kernels need that.
FUSED = _is_fused()


def _emit_multiply_add(builder: Any, a: Any, b: Any, c: Any) -> Any:
    return builder.fma(a, b, c) if FUSED else builder.fadd(builder.fmul(a, b), c)


# a * b + c, rounded once where the processor has an instruction for that, else twice
multiply_add = emitted(float64, float64, float64, float64)(_emit_multiply_add)
multiply_add_float = emitted(float32, float32, float32, float32)(_emit_multiply_add)


# a * b - product, exactly, for product = a * b rounded
if FUSED:

    @kernel
    def product_error(a: float, b: float, product: float) -> float:
        return multiply_add(a, b, -product)

else:

    @kernel
    def product_error(a: float, b: float, product: float) -> float:
        # The factors are split as Veltkamp and Dekker do.
        scaled_a = 134217729.0 * a  # 2**27 + 1
        scaled_b = 134217729.0 * b
        a_high = scaled_a - (scaled_a - a)
        b_high = scaled_b - (scaled_b - b)
        a_low = a - a_high
        b_low = b - b_high
        return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


# 1 / d, 2**-1021 < d < 2**1021, to 2**-34: 1 / (1 - s) = (1 + s) (1 + s**2) (1 + s**4) ...
@kernel
def reciprocal(d: float) -> float:
    r = reciprocal_from_bits(d)
    s = multiply_add(-d, r, 1.0)
    square = s * s
    r = multiply_add(r, s, r)
    r = multiply_add(r, square, r)
    return multiply_add(r, square * square, r)


def polynomial(coefficients: tuple[float, ...]) -> Callable[[float], float]:
    """Return a function for kernels: the polynomial with these coefficients, constant term first.

    Horner's scheme, even and odd powers apart: the two chains are independent, so the processor
    waits half as long for each result. It is written out here, because the compiler may leave a
    loop over the coefficients a loop.
    """

    @emitted(float64, float64)
    def evaluate(builder: Any, x: Any) -> Any:
        square = builder.fmul(x, x)
        even = _horner(builder, coefficients[::2], square)
        odd = _horner(builder, coefficients[1::2], square)
        return _emit_multiply_add(builder, x, odd, even)

    return evaluate


def polynomial_in_one_chain(
    coefficients: tuple[float, ...], number: Any = float64
) -> Callable[[float], float]:
    """Return the same in one chain, for float32 or float64.

    That has the fewest operations; the processor computes several elements at a time anyway.
    """

    @emitted(number, number)
    def evaluate(builder: Any, x: Any) -> Any:
        return _horner(builder, coefficients, x)

    return evaluate


def polynomial_float(coefficients: tuple[float, ...]) -> Callable[[float], float]:
    return polynomial_in_one_chain(coefficients, float32)


def _horner(builder: Any, coefficients: tuple[float, ...], x: Any) -> Any:
    *others, total = map(x.type, coefficients)
    for constant in reversed(others):
        total = _emit_multiply_add(builder, x, total, constant)
    return total


# Both keep NaN: a comparison with it is false.
@kernel
def at_least(x: float, bound: float) -> float:
    return bound if x < bound else x


@kernel
def at_most(x: float, bound: float) -> float:
    return bound if x > bound else x


@kernel
def bounded(x: float, bound: float) -> float:
    return at_most(at_least(x, -bound), bound)


# |x|, to be multiplied by b: finite where b is 0
@kernel
def magnitude_for(b: float, x: float) -> float:
    finite = at_most(fabs(x), LARGEST)
    return finite if b == 0.0 else fabs(x)


# A parameter, in magnitude from `least` to `most`, beyond which float32 results do not change: but
# products with it, and with its reciprocal, would be infinite or subnormal.
@kernel
def in_range(value: float, least: float, most: float) -> float:
    return copysign(at_most(at_least(fabs(value), least), most), value)
