"""What both precisions need: the compiler's options, bits, polynomials, bounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from llvmlite import ir
from numba import float64, njit
from numba.extending import intrinsic

F = TypeVar("F", bound=Callable[..., Any])

# 1.5 * 2**52: adding it rounds to an integer and leaves that in the low bits of the sum.
MAGIC_SHIFT = 6755399441055744.0


def kernel(function: F) -> F:
    """Compile a scalar function, when first used.

    error_model="numpy": division by zero gives inf or NaN, as IEEE has it, without a branch that
    raises. forceinline: a call that is left standing keeps a loop from vectorising. Never fastmath:
    without it LLVM neither contracts nor reorders, so that an element gets the same operations in
    the vector body and in the tail of a loop, and compensated arithmetic stays exact.
    """
    return cast(F, njit(error_model="numpy", forceinline=True)(function))


def emitted(emit: Callable[[Any, Any], Any]) -> Callable[[float], float]:
    """Return a function of a float64, for kernels, from what writes its LLVM instructions."""

    def definition(typing_context: Any, x: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return emit(builder, arguments[0])

        return float64(float64), generate

    return cast(Callable[[float], float], intrinsic(definition))


# 2**k, -1022 <= k <= 1023, for shifted = k + MAGIC_SHIFT: k stands in the low bits of shifted.
# Numba has no bit cast of scalars.
@emitted
def power_of_two(builder: Any, shifted: Any) -> Any:
    bits = builder.bitcast(shifted, ir.IntType(64))
    exponent = builder.shl(bits, ir.Constant(bits.type, 52))
    biased = builder.add(exponent, ir.Constant(bits.type, 1023 << 52))
    return builder.bitcast(biased, ir.DoubleType())


def polynomial(coefficients: tuple[float, ...]) -> Callable[[float], float]:
    """Return a function for kernels: the polynomial with these coefficients, constant term first.

    Horner's scheme, even and odd powers apart: the two chains are independent, so the processor
    waits half as long for each result. It is written out here, because the compiler may leave a
    loop over the coefficients a loop.
    """

    @emitted
    def evaluate(builder: Any, x: Any) -> Any:
        square = builder.fmul(x, x)
        even = _horner(builder, coefficients[::2], square)
        odd = _horner(builder, coefficients[1::2], square)
        return builder.fadd(even, builder.fmul(x, odd))

    return evaluate


def _horner(builder: Any, coefficients: tuple[float, ...], x: Any) -> Any:
    *others, total = [ir.Constant(ir.DoubleType(), c) for c in coefficients]
    for constant in reversed(others):
        total = builder.fadd(constant, builder.fmul(x, total))
    return total


# Both keep NaN: a comparison with it is false.
@kernel
def at_least(x: float, bound: float) -> float:
    return bound if x < bound else x


@kernel
def at_most(x: float, bound: float) -> float:
    return bound if x > bound else x
