"""Derive every polynomial coefficient and split constant that the kernels use.

Run ``python tools/derive_coefficients.py`` to rewrite ``fastact/coefficients.py``; running it
again reproduces the file to the byte. It needs mpmath, and takes about a minute.

Each polynomial is the minimax approximation in relative error (Remez exchange, 60 digits) of the
lowest degree that meets its target; coefficients are then rounded to double. The targets are:
2**-36 for the ``SHORT`` ones, whose results are rounded to float32 (24 bits), and 2**-57 for the
``FULL`` ones, which float64 kernels evaluate with compensated arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import mpmath as mp

mp.mp.dps = 60

SHORT = mp.mpf(2) ** -36
FULL = mp.mpf(2) ** -57
TABLE = Path(__file__).resolve().parent.parent / "fastact" / "coefficients.py"

Function = Callable[[mp.mpf], mp.mpf]


# --- Remez exchange -------------------------------------------------------------------------


def minimax(function: Function, low: mp.mpf, high: mp.mpf, target: mp.mpf) -> list[mp.mpf]:
    """Return the coefficients, constant term first, of the shortest fit within ``target``."""
    grid = chebyshev_points(low, high, 400)
    values = [function(x) for x in grid]
    for degree in range(3, 40):
        coefficients, error = remez(function, grid, values, degree)
        if error <= target:
            return coefficients
    raise ArithmeticError(f"no polynomial of degree below 40 reaches {target}")


def remez(
    function: Function, grid: list[mp.mpf], values: list[mp.mpf], degree: int
) -> tuple[list[mp.mpf], mp.mpf]:
    """Return minimax coefficients of one degree and their largest relative error on ``grid``."""
    points = chebyshev_points(grid[0], grid[-1], degree + 2)
    coefficients, largest = [], mp.inf
    for _ in range(20):
        rows = [
            [x**power for power in range(degree + 1)] + [(-1) ** i * function(x)]
            for i, x in enumerate(points)
        ]
        solution = mp.lu_solve(mp.matrix(rows), mp.matrix([function(x) for x in points]))
        coefficients, levelled = list(solution)[:-1], abs(solution[degree + 1])
        errors = [horner(coefficients, x) / y - 1 for x, y in zip(grid, values, strict=True)]
        largest = max(abs(error) for error in errors)
        if largest <= levelled * mp.mpf("1.01"):
            break
        points = alternating_extrema(grid, errors, degree + 2)
    return coefficients, largest


def alternating_extrema(grid: list[mp.mpf], errors: list[mp.mpf], count: int) -> list[mp.mpf]:
    """Pick one extremum of each run of equal sign, then drop the smaller end down to ``count``."""
    runs: list[int] = []
    for i, error in enumerate(errors):
        if not runs or error * errors[runs[-1]] < 0:
            runs.append(i)
        elif abs(error) > abs(errors[runs[-1]]):
            runs[-1] = i
    while len(runs) > count:
        runs.pop(0 if abs(errors[runs[0]]) < abs(errors[runs[-1]]) else -1)
    return [grid[i] for i in runs]


def chebyshev_points(low: mp.mpf, high: mp.mpf, count: int) -> list[mp.mpf]:
    middle, half = (low + high) / 2, (high - low) / 2
    return [middle - half * mp.cos(mp.pi * i / (count - 1)) for i in range(count)]


def horner(coefficients: Iterable[mp.mpf], x: mp.mpf) -> mp.mpf:
    total = mp.mpf(0)
    for coefficient in reversed(list(coefficients)):
        total = total * x + coefficient
    return total


# --- the functions that are approximated ----------------------------------------------------


def expm1_over_r(r: mp.mpf) -> mp.mpf:
    return mp.expm1(r) / r if r else mp.mpf(1)


def exp_remainder(r: mp.mpf) -> mp.mpf:
    if abs(r) < mp.mpf("1e-20"):  # the quotient would lose all 60 digits
        return mp.mpf(1) / 2 + r / 6
    return (mp.expm1(r) - r) / r**2


def atanh_over_s(u: mp.mpf) -> mp.mpf:
    return mp.atanh(mp.sqrt(u)) / mp.sqrt(u) if u else mp.mpf(1)


def atanh_remainder(u: mp.mpf) -> mp.mpf:
    return (atanh_over_s(u) - 1) / u if u else mp.mpf(1) / 3


def scaled_mills_ratio(t: mp.mpf) -> mp.mpf:
    """``(a + 4) exp(a**2 / 2) Phi(-a)`` with ``a = 4 (1 + t) / (1 - t)``, so ``t = (a-4)/(a+4)``.

    The factor ``a + 4`` cancels the decay of the Mills ratio: the result falls only from 2 to
    0.44, which keeps the polynomial well conditioned.
    """
    a = 4 * (1 + t) / (1 - t)
    return (a + 4) * mp.exp(a**2 / 2) * mp.erfc(a / mp.sqrt(2)) / 2


def silu_derivative(x: mp.mpf) -> mp.mpf:
    s = 1 / (1 + mp.exp(-x))
    return s * (1 + x * (1 - s))


def gelu_derivative(x: mp.mpf) -> mp.mpf:
    return mp.ncdf(x) + x * mp.npdf(x)


def gelu_tanh_derivative(x: mp.mpf) -> mp.mpf:
    c1, c2 = gelu_tanh_constants()
    s = 1 / (1 + mp.exp(-(c1 * x + c2 * x**3)))
    return s * (1 + x * (c1 + 3 * c2 * x**2) * (1 - s))


def mish_derivative(x: mp.mpf) -> mp.mpf:
    w = mp.exp(x)
    return w * (w**3 + 4 * w**2 + (4 * x + 6) * w + 4 * (x + 1)) / (w**2 + 2 * w + 2) ** 2


def gelu_tanh_constants() -> tuple[mp.mpf, mp.mpf]:
    """The constants of ``c1 x + c2 x**3``, the argument of the sigmoid."""
    c1 = 2 * mp.sqrt(2 / mp.pi)
    return c1, c1 * mp.mpf("0.044715")


def selu_constants() -> tuple[mp.mpf, mp.mpf]:
    """Scale and alpha for which zero mean and unit variance are a fixed point (Klambauer 2017)."""
    tail = mp.erfc(1 / mp.sqrt(2)) * mp.sqrt(mp.e)
    alpha = -mp.sqrt(2 / mp.pi) / (tail - 1)
    variance = 2 * mp.erfc(mp.sqrt(2)) * mp.e**2 + mp.pi * tail**2 - 2 * (2 + mp.pi) * tail
    return (1 - tail) * mp.sqrt(2 * mp.pi) / mp.sqrt(variance + mp.pi + 2), alpha


# --- the table ------------------------------------------------------------------------------

LN2_HALF = mp.log(2) / 2 * mp.mpf("1.0001")  # the reduced argument may pass ln(2)/2 by rounding


def polynomials() -> dict[str, tuple[str, Function, mp.mpf, mp.mpf, mp.mpf]]:
    zero = mp.mpf(0)
    return {
        "EXPM1_SHORT": ("expm1(r) / r, |r| <= ln(2)/2", expm1_over_r, -LN2_HALF, LN2_HALF, SHORT),
        "EXP_FULL": ("(exp(r) - 1 - r) / r**2, |r| <= ln(2)/2",
                     exp_remainder, -LN2_HALF, LN2_HALF, FULL),
        "ATANH_SHORT": ("atanh(s) / s in u = s**2, 0 <= s <= 1/3",
                        atanh_over_s, zero, mp.mpf(1) / 9, SHORT),
        "ATANH_FULL": ("(atanh(s) / s - 1) / s**2 in u = s**2, 0 <= s <= 1/3",
                       atanh_remainder, zero, mp.mpf(1) / 9, FULL * 16),
        "MILLS_SHORT": ("(a + 4) exp(a**2 / 2) Phi(-a) in t = (a - 4) / (a + 4), 0 <= a <= 24",
                        scaled_mills_ratio, mp.mpf(-1), mp.mpf(20) / 28, SHORT),
        "MILLS_FULL": ("(a + 4) exp(a**2 / 2) Phi(-a) in t = (a - 4) / (a + 4), 0 <= a <= 39",
                       scaled_mills_ratio, mp.mpf(-1), mp.mpf(35) / 43, FULL),
    }  # fmt: skip


GRADIENT_ROOTS = {
    "SILU": (silu_derivative, "-1.2784645427610738"),
    "GELU": (gelu_derivative, "-0.7517915246935645"),
    "GELU_TANH": (gelu_tanh_derivative, "-0.7524614220710163"),
    "MISH": (mish_derivative, "-1.1924312145154952"),
}
# Wide enough that beyond it the plain formula loses less than two bits to cancellation, narrow
# enough that the slope, and with it the rounding error of its polynomial, changes little.
ROOT_RADIUS = mp.mpf("0.25")
# Beyond it, the cancellation leaves 2**-30 of the 2**-36 of the SHORT polynomials.
ROOT_RADIUS_SHORT = mp.mpf("0.03125")


def root_quotient(derivative: Function, root: mp.mpf) -> Function:
    """``f'(root + d) / d``, whose value at ``d = 0`` is the slope of ``f'`` at its root."""
    slope = mp.diff(derivative, root)
    return lambda d: derivative(root + d) / d if abs(d) > mp.mpf("1e-25") else slope


def split(value: mp.mpf, bits: int = 53) -> tuple[float, float]:
    """Return ``value`` as the sum of two doubles, the first with ``bits`` significant bits."""
    with mp.workprec(bits):
        high = +value
    return float(high), float(value - high)


def assignment(name: str, meaning: str, values: Iterable[float]) -> str:
    lines = "".join(f"    {value!r},\n" for value in values)
    return f"# {meaning}\n{name} = (\n{lines})\n"


def table() -> str:
    parts = [
        '"""Polynomial coefficients and split constants, shared by the three backends.\n\n'
        "Written by tools/derive_coefficients.py; do not edit. Polynomials have the constant term\n"
        "first. A pair is the sum of two doubles; NAME_LOW holds the low parts of the first\n"
        "coefficients of NAME.\n"
        '"""\n',
    ]
    for name, (meaning, function, low, high, target) in polynomials().items():
        coefficients = minimax(function, low, high, target)
        parts.append(assignment(name, meaning, map(float, coefficients)))
        if name == "MILLS_FULL":
            low_parts = [split(coefficient)[1] for coefficient in coefficients[:4]]
            parts.append(assignment("MILLS_FULL_LOW", "low parts", low_parts))
    for name, (derivative, start) in GRADIENT_ROOTS.items():
        root = mp.findroot(derivative, mp.mpf(start))
        quotient = root_quotient(derivative, root)
        coefficients = minimax(quotient, -ROOT_RADIUS, ROOT_RADIUS, FULL)
        parts.append(assignment(f"{name}_ROOT", f"root of {name.lower()}', as a pair", split(root)))
        meaning = f"{name.lower()}'(root + d) / d, |d| <= {float(ROOT_RADIUS)}"
        parts.append(assignment(f"{name}_SLOPE", meaning, map(float, coefficients)))
        parts.append(f"# low part\n{name}_SLOPE_LOW = {split(coefficients[0])[1]!r}\n")
        coefficients = minimax(quotient, -ROOT_RADIUS_SHORT, ROOT_RADIUS_SHORT, SHORT)
        meaning = f"the same, |d| <= {float(ROOT_RADIUS_SHORT)}"
        parts.append(assignment(f"{name}_SLOPE_SHORT", meaning, map(float, coefficients)))
    parts.append(
        "# where the slopes hold: largest distance from the root\n"
        f"ROOT_RADIUS = {float(ROOT_RADIUS)!r}\nROOT_RADIUS_SHORT = {float(ROOT_RADIUS_SHORT)!r}\n"
    )
    c1, c2 = gelu_tanh_constants()
    # 11 bits for k: k * LN2_HIGH is exact for |k| < 2**11, as far as exp does not overflow.
    parts.append(assignment("LN2", "ln(2), the first with 42 bits", split(mp.log(2), 42)))
    parts.append(f"# 1 / ln(2)\nLOG2E = {float(1 / mp.log(2))!r}\n")
    parts.append(assignment("NORMAL_DENSITY", "1 / sqrt(2 pi)", split(1 / mp.sqrt(2 * mp.pi))))
    parts.append(assignment("GELU_TANH_LINEAR", "2 sqrt(2/pi)", split(c1)))
    parts.append(assignment("GELU_TANH_CUBIC", "0.044715 * 2 sqrt(2/pi)", split(c2)))
    scale, alpha = selu_constants()
    parts.append(f"# selu\nSELU_SCALE = {float(scale)!r}\nSELU_ALPHA = {float(alpha)!r}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    TABLE.write_text(table())
