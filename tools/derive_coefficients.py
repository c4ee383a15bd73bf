"""Derive every polynomial coefficient and split constant that the kernels use.

Run ``python tools/derive_coefficients.py`` to rewrite ``fastact/coefficients.py``; running it
again reproduces the file to the byte. It needs mpmath, and takes a few seconds.

Each polynomial is the minimax approximation in relative error (Remez exchange, 60 digits) of the
lowest degree that meets its target; coefficients are then rounded to double. The targets are:
2**-31.5 for the ``SHORT`` ones, whose results are rounded to float32 (24 bits), or 2**-28.5 where
that spares a term; and 2**-57 of the result for the ``FULL`` ones, which are for float64 kernels.
The ``FAST`` ones are for float32 arithmetic: their target is 2**-25, and they are rounded to single
precision. Those of tanh are quotients of two polynomials, ``P`` and ``Q``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import mpmath as mp

mp.mp.dps = 60

SHORT = mp.mpf(2) ** mp.mpf("-31.5")
FULL = mp.mpf(2) ** -57
FAST = mp.mpf(2) ** -25
TABLE = Path(__file__).resolve().parent.parent / "fastact" / "coefficients.py"

Function = Callable[[mp.mpf], mp.mpf]


# --- Remez exchange -------------------------------------------------------------------------


def minimax(
    function: Function, low: mp.mpf, high: mp.mpf, target: mp.mpf, unit: Function | None = None
) -> list[mp.mpf]:
    """Return the coefficients, constant term first, of the shortest fit within ``target``.

    Errors are counted in the function, or in another ``unit``.
    """
    grid = chebyshev_points(low, high, 400)
    function = cache(function)  # each degree asks for the same values
    unit = cache(unit) if unit else function
    for degree in range(3, 40):
        coefficients, error = remez(function, grid, unit, degree, target)
        if error <= target:
            return coefficients
    raise ArithmeticError(f"no polynomial of degree below 40 reaches {target}")


def remez(
    function: Function, grid: list[mp.mpf], unit: Function, degree: int, target: mp.mpf
) -> tuple[list[mp.mpf], mp.mpf]:
    """Return minimax coefficients of one degree and their largest error on ``grid``.

    Where no polynomial of that degree meets the target, they are any, and the error is above it.
    """
    values, units = ([f(x) for x in grid] for f in (function, unit))
    points = chebyshev_points(grid[0], grid[-1], degree + 2)
    coefficients, largest = [], mp.inf
    for _ in range(20):
        rows = [
            [x**power for power in range(degree + 1)] + [(-1) ** i * unit(x)]
            for i, x in enumerate(points)
        ]
        solution = mp.lu_solve(mp.matrix(rows), mp.matrix([function(x) for x in points]))
        coefficients, levelled = list(solution)[:-1], abs(solution[degree + 1])
        if levelled > target:  # the largest error of each polynomial is at least this
            return coefficients, levelled
        errors = [
            (horner(coefficients, x) - y) / u for x, y, u in zip(grid, values, units, strict=True)
        ]
        largest = max(abs(error) for error in errors)
        if largest <= levelled * mp.mpf("1.01"):
            break
        points = alternating_extrema(grid, errors, degree + 2)
    return coefficients, largest


def rational(
    function: Function, grid: list[mp.mpf], start: list[mp.mpf], degrees: tuple[int, int]
) -> tuple[list[mp.mpf], list[mp.mpf]]:
    """Return p and q, q(0) = 1, of these degrees: p / q is the minimax approximation on ``grid``.

    The exchange begins at ``start``, ``sum(degrees) + 2`` points of about the right density.
    """
    values = [function(x) for x in grid]
    points = start
    for _ in range(20):
        p, q, levelled = levelled_quotient(function, points, degrees)
        errors = [horner(p, x) / horner(q, x) / y - 1 for x, y in zip(grid, values, strict=True)]
        if max(abs(error) for error in errors) <= levelled * mp.mpf("1.01"):
            return p, q
        points = alternating_extrema(grid, errors, len(start))
    raise ArithmeticError(f"the exchange for degrees {degrees} does not settle")


def levelled_quotient(
    function: Function, points: list[mp.mpf], degrees: tuple[int, int]
) -> tuple[list[mp.mpf], list[mp.mpf], mp.mpf]:
    """Return p, q and e > 0: the relative errors of p / q at the points are +-e in turn.

    ``p(x) = f(x) (1 + s e) q(x)``, s = +-1, are linear equations in p and q but for e. What is
    orthogonal to the columns of p leaves an eigenvalue problem for e and q; the solution is the
    one of least e whose q has no zero between the points.
    """
    p_degree, q_degree = degrees
    p_columns = mp.matrix([[x**k for k in range(p_degree + 1)] for x in points])
    complement = mp.qr(p_columns)[0][:, p_degree + 1 :]
    q_columns = mp.matrix([[function(x) * x**k for k in range(q_degree + 1)] for x in points])
    signed = mp.matrix([
        [(-1) ** i * q_columns[i, k] for k in range(q_degree + 1)] for i in range(len(points))
    ])  # fmt: skip
    eigenvalues, vectors = mp.eig(mp.inverse(complement.T * signed) * (complement.T * q_columns))
    solutions = []
    for i, eigenvalue in enumerate(eigenvalues):
        q = [vectors[k, i] / vectors[0, i] for k in range(q_degree + 1)]
        if abs(mp.im(eigenvalue)) < abs(eigenvalue) * mp.mpf("1e-20"):
            q = [mp.re(coefficient) for coefficient in q]
            if min(horner(q, x) for x in points) > 0:
                solutions.append((abs(eigenvalue), -mp.re(eigenvalue), q))
    levelled, error, q = min(solutions)
    right = [function(x) * (1 + (-1) ** i * error) * horner(q, x) for i, x in enumerate(points)]
    return list(mp.lu_solve(p_columns, mp.matrix(right))), q, levelled


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


def log1p_over_e(e: mp.mpf) -> mp.mpf:
    return mp.log1p(e) / e if e else mp.mpf(1)


def tanh_over_x(square: mp.mpf) -> mp.mpf:
    x = mp.sqrt(square)
    return mp.tanh(x) / x if x else mp.mpf(1)


def tanhshrink_over_cube(square: mp.mpf) -> mp.mpf:
    """``(x - tanh(x)) / x**3``."""
    if square < mp.mpf("1e-30"):  # the difference would lose all 60 digits
        return mp.mpf(1) / 3 - 2 * square / 15
    return (1 - tanh_over_x(square)) / square


def tanh_square_remainder(square: mp.mpf) -> mp.mpf:
    """``((tanh(x) / x)**2 - 1) / x**2``."""
    return -(1 + tanh_over_x(square)) * tanhshrink_over_cube(square)


def tanh_remainder(square: mp.mpf) -> mp.mpf:
    r = mp.sqrt(square)
    if r < mp.mpf("1e-15"):
        return square / 120 - mp.mpf(1) / 12
    return (2 * mp.tanh(r / 2) - r) / r**3


def tanh_half_remainder(square: mp.mpf) -> mp.mpf:
    return 4 * tanh_remainder(4 * square)


def gelu_gradient_quotient(t: mp.mpf, c: float = 4.0) -> mp.mpf:
    """``gelu'(-a) exp(a**2 / 2) / (root - a)``: smooth and positive, also at the root."""
    a = c * (1 + t) / (1 - t)
    root = -gradient_root("GELU")
    if abs(a - root) < mp.mpf("1e-20"):
        return mp.diff(gelu_derivative, -root) * mp.exp(root**2 / 2)
    return gelu_derivative(-a) * mp.exp(a**2 / 2) / (root - a)


def flat_mills_ratio(t: mp.mpf) -> mp.mpf:
    """``(a + 1.25) exp(a**2 / 2) Phi(-a)`` with ``t = (a-4)/(a+4)``.

    It falls only from 0.625 to 0.4, and is nearly flat at a = 0: errors of t do no harm.
    """
    a = 4 * (1 + t) / (1 - t)
    return (a + mp.mpf("1.25")) * mp.exp(a**2 / 2) * mp.erfc(a / mp.sqrt(2)) / 2


def scaled_mills_ratio(t: mp.mpf, c: float) -> mp.mpf:
    """``(a + c) exp(a**2 / 2) Phi(-a)`` with ``a = c (1 + t) / (1 - t)``, so ``t = (a-c)/(a+c)``.

    The factor ``a + c`` cancels the decay of the Mills ratio: for c = 5 the polynomial is well
    conditioned. For c = 1.5 the result is nearly flat at a = 0 too, and so forgives the rounding of
    t in single precision; but it needs more terms.
    """
    a = c * (1 + t) / (1 - t)
    return (a + c) * mp.exp(a**2 / 2) * mp.erfc(a / mp.sqrt(2)) / 2


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


# --- the table ------------------------------------------------------------------------------

LN2_HALF = mp.log(2) / 2 * mp.mpf("1.0001")  # the reduced argument may pass ln(2)/2 by rounding


def polynomials() -> dict[str, tuple[str, Function, mp.mpf, mp.mpf, mp.mpf]]:
    zero = mp.mpf(0)
    return {
        "EXPM1_SHORT": ("expm1(r) / r, |r| <= ln(2)/2", expm1_over_r, -LN2_HALF, LN2_HALF, SHORT),
        "EXP_SHORT": ("exp(r), |r| <= ln(2)/2", mp.exp, -LN2_HALF, LN2_HALF, SHORT * 8),
        "EXP_FULL": ("(exp(r) - 1 - r) / r**2, |r| <= ln(2)/2",
                     exp_remainder, -LN2_HALF, LN2_HALF, FULL * 32),
        "TANH_FULL": ("(2 tanh(r/2) - r) / r**3 in u = r**2, |r| <= ln(2)/2",
                      tanh_remainder, zero, LN2_HALF**2, FULL * 256),
        "TANH_HALF_FULL": ("(tanh(h) - h) / h**3 in u = h**2, |h| <= 0.1812",
                           tanh_half_remainder, zero, mp.mpf("0.1812") ** 2, FULL * 512),
        "TANHSHRINK_FULL": (f"(x - tanh(x)) / x**3 in u = x**2, |x| <= {float(TANHSHRINK_RADIUS)}",
                            tanhshrink_over_cube, zero, TANHSHRINK_RADIUS**2, FULL),
        "LOG1P_SHORT": ("log1p(e) / e, 0 <= e <= 1", log1p_over_e, zero, mp.mpf(1), SHORT * 3),
        "ATANH_FULL": ("(atanh(s) / s - 1) / s**2 in u = s**2, 0 <= s <= 1/3",
                       atanh_remainder, zero, mp.mpf(1) / 9, FULL * 16),
        "MILLS_SHORT": ("(a + 5) exp(a**2 / 2) Phi(-a) in t = (a - 5) / (a + 5), 0 <= a <= 20",
                        lambda t: scaled_mills_ratio(t, 5.0), mp.mpf(-1), mp.mpf(15) / 25, SHORT),
        "GELU_GRAD_SHORT": (
            "exp(a**2 / 2) gelu'(-a) / (root - a) in t = (a - 5) / (a + 5), 0 <= a <= 20",
            lambda t: gelu_gradient_quotient(t, 5.0), mp.mpf(-1), mp.mpf(15) / 25, SHORT),
        "MILLS_FULL": ("(a + 1.25) exp(a**2 / 2) Phi(-a) in t = (a - 4) / (a + 4), 0 <= a <= 39",
                       flat_mills_ratio, mp.mpf(-1), mp.mpf(35) / 43, FULL),
        "GELU_GRAD_FULL": (
            "exp(a**2 / 2) gelu'(-a) / (root - a) in t = (a - 4) / (a + 4), 0 <= a <= 39",
            gelu_gradient_quotient, mp.mpf(-1), mp.mpf(35) / 43, FULL),
        "EXPM1_FAST": ("expm1(r) / r, |r| <= ln(2)/2", expm1_over_r, -LN2_HALF, LN2_HALF, FAST),
        "MILLS_FAST": (
            "(a + c) exp(a**2 / 2) Phi(-a) in t = (a - c) / (a + c), c = 1.5, 0 <= a <= 13.3",
            lambda t: scaled_mills_ratio(t, 1.5),
            mp.mpf(-1), mp.mpf("11.8") / mp.mpf("14.8"), FAST),
        "GELU_GRAD_FAST": (
            "exp(a**2 / 2) gelu'(-a) / (root - a) in t = (a - 2.5) / (a + 2.5), a <= 13.7",
            lambda t: gelu_gradient_quotient(t, 2.5),
            mp.mpf(-1), mp.mpf("11.2") / mp.mpf("16.2"), FAST / 8),
        "LOG1P_FAST": ("log1p(e) / e, 0 <= e <= 1", log1p_over_e, zero, mp.mpf(1), FAST),
        "TANH_SQUARE_FAST": ("((tanh(x) / x)**2 - 1) / x**2 in u = x**2, |x| <= 0.9",
                             tanh_square_remainder, zero, mp.mpf("0.9") ** 2, FAST),
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
# tanh is 1 in float32 beyond twice this.
TANH_BOUND = mp.mpf("4.51")
# So near to 1 is tanh there that it is 1 in float32, with the quotient's error of 2**-29.8 too.
TANH_BOUND_SHORT = mp.mpf("9.1")
# Up to here, x - tanh(x) cancels more than three bits, and is x**3 p(x**2) in float64.
TANHSHRINK_RADIUS = mp.mpf("0.6")
# From here on tanh adds nothing to x - 1, in float32 arithmetic and in float32.
TANHSHRINK_BOUND = mp.mpf("8.5")
TANHSHRINK_BOUND_SHORT = mp.mpf(10)
# The defaults of scaled_tanh: these doubles, exactly.
SCALED_TANH_A = 1.7159
SCALED_TANH_B = 0.6666666666666666
QUICK_GELU_FACTOR = mp.mpf("1.702")
# The numbers that Klambauer et al. published with their paper (2017).
SELU_SCALE = mp.mpf("1.0507009873554804934193349852946")
SELU_ALPHA = mp.mpf("1.6732632423543772848170429916717")
# In float32 arithmetic: (middle, radius, relative error) of what is measured from the root; beyond,
# the errors of the formula stay within 4 ulp.
ROOT_INTERVALS_FAST = {
    "GELU_TANH": (mp.mpf(0), mp.mpf("0.55"), FAST * 2),
    "MISH": (mp.mpf("0.8125"), mp.mpf("1.1875"), FAST * 2),
}


@cache
def gradient_root(name: str) -> mp.mpf:
    derivative, start = GRADIENT_ROOTS[name]
    return mp.findroot(derivative, mp.mpf(start))


def root_quotient(derivative: Function, root: mp.mpf) -> Function:
    """``f'(root + d) / d``, whose value at ``d = 0`` is the slope of ``f'`` at its root."""
    slope = mp.diff(derivative, root)
    return lambda d: derivative(root + d) / d if abs(d) > mp.mpf("1e-25") else slope


def shift(function: Function, middle: mp.mpf) -> Function:
    return lambda x: function(middle + x)


def split(value: mp.mpf, bits: int = 53) -> tuple[float, float]:
    """Return ``value`` as the sum of two doubles, the first with ``bits`` significant bits."""
    with mp.workprec(bits):
        high = +value
    return float(high), float(value - high)


def single(value: mp.mpf) -> float:
    with mp.workprec(24):
        return float(+value)


def split_single(value: mp.mpf, bits: int = 24) -> tuple[float, float]:
    """Return ``value`` as the sum of two single precision numbers."""
    with mp.workprec(bits):
        high = +value
    return float(high), single(value - high)


def assignment(name: str, meaning: str, values: Iterable[float]) -> str:
    lines = "".join(f"    {value!r},\n" for value in values)
    return f"# {meaning}\n{name} = (\n{lines})\n"


def gated_root_constants(name: str, root: mp.mpf) -> list[str]:
    """Return what float64 kernels count the argument of a gate from: its value at the root."""
    linear, cubic = {"SILU": (mp.mpf(1), mp.mpf(0)), "GELU_TANH": gelu_tanh_constants()}.get(
        name, (None, None)
    )
    if linear is None:
        return []
    z = -(linear * root + cubic * root**3)
    w = -(linear * root + 3 * cubic * root**3)
    exponential = float(mp.exp(-z))
    square_root = float(mp.sqrt(mp.exp(-z)))
    excess = float(mp.exp(-z) / mp.mpf(square_root) ** 2 - 1)
    parts = [
        f"# exp(z) there, the square root of that, and by how much its square is short\n"
        f"{name}_ROOT_EXPONENTIAL = {exponential!r}\n{name}_ROOT_SQRT = {square_root!r}\n"
        f"{name}_ROOT_EXCESS = {excess!r}\n"
    ]
    if cubic:
        parts.append(assignment(f"{name}_ROOT_Z", "-z there, as a pair", split(z)))
        parts.append(assignment(f"{name}_ROOT_W", "-x z'(x) there, as a pair", split(w)))
    return parts


def silu_root_constants(root: mp.mpf) -> list[str]:
    """Return what the float32 kernel of silu' counts from: the root is 1 + exp(root)."""
    exponential = single(mp.exp(root))
    first, _ = split_single(1 + mp.mpf(exponential), 16)
    second = single(1 + mp.mpf(exponential) - first)
    rest = single(-mp.log(mp.mpf(exponential)) - first - second)
    meaning = "minus the root in single, the first with 16 bits"
    return [
        assignment("SILU_ROOT_FAST", meaning, (first, second)),
        "# exp(root) in single, which that less 1 is, and what minus its logarithm is more\n"
        f"SILU_ROOT_FAST_EXPONENTIAL = {exponential!r}\nSILU_ROOT_FAST_REST = {rest!r}\n",
    ]


def tanh_quotients() -> list[str]:
    """Return tanh as a quotient: in single with p(0) = 1, which is left out, as q(0) is."""
    p, q = odd_quotient(tanh_over_x, TANH_BOUND, (3, 4))
    assert abs(p[0] - 1) < FAST / 4
    meaning = f"tanh(x) / x = (1 + u p(u)) / (1 + u q(u)), u = x**2, |x| <= {float(TANH_BOUND)}: p"
    # Of b x / 2 in terms of x: x**2 is rounded once, and b not at all.
    square = (mp.mpf(SCALED_TANH_B) / 2) ** 2
    p_scaled, q_scaled = ([c * square**k for k, c in enumerate(terms)] for terms in (p, q))
    scaled = "the same for tanh(b x / 2) / (b x / 2), b that of scaled_tanh: p"
    parts = [
        assignment("TANH_P_FAST", meaning, map(single, p[1:])),
        assignment("TANH_Q_FAST", "q", map(single, q[1:])),
        assignment("SCALED_TANH_P_FAST", scaled, map(single, p_scaled[1:])),
        assignment("SCALED_TANH_Q_FAST", "q", map(single, q_scaled[1:])),
    ]
    p, q = odd_quotient(tanh_over_x, TANH_BOUND_SHORT, (4, 5))
    meaning = f"tanh(x) / x = p(u) / q(u), u = x**2, |x| <= {float(TANH_BOUND_SHORT)}: p"
    return [
        *parts,
        assignment("TANH_P_SHORT", meaning, map(float, p)),
        assignment("TANH_Q_SHORT", "q", map(float, q)),
        f"TANH_BOUND_SHORT = {float(TANH_BOUND_SHORT)!r}\n",
    ]


def tanhshrink_quotients() -> list[str]:
    """Return tanhshrink as a quotient: in single with p(0) = 1, which is left out.

    There q - u p comes too: tanh(x) is x (q - u p) / q.
    """
    p, q = odd_quotient(tanhshrink_over_cube, TANHSHRINK_BOUND, (3, 4))
    p, q = [c / p[0] for c in p], [c / p[0] for c in q]
    complement = [q[0], *(q_k - p_k for q_k, p_k in zip(q[1:], p, strict=True))]
    formula = "(x - tanh(x)) / x**3 = {p} / q(u), u = x**2, |x| <= {bound}: p"
    meaning = formula.format(p="(1 + u p(u))", bound=float(TANHSHRINK_BOUND))
    parts = [
        assignment("TANHSHRINK_P_FAST", meaning, map(single, p[1:])),
        assignment("TANHSHRINK_Q_FAST", "q", map(single, q)),
        assignment("TANHSHRINK_TANH_FAST", "q - u (1 + u p)", map(single, complement)),
        f"TANHSHRINK_BOUND_FAST = {float(TANHSHRINK_BOUND)!r}\n",
    ]
    p, q = odd_quotient(tanhshrink_over_cube, TANHSHRINK_BOUND_SHORT, (4, 4))
    meaning = formula.format(p="p(u)", bound=float(TANHSHRINK_BOUND_SHORT))
    return [
        *parts,
        assignment("TANHSHRINK_P_SHORT", meaning, map(float, p)),
        assignment("TANHSHRINK_Q_SHORT", "q", map(float, q)),
        f"TANHSHRINK_BOUND_SHORT = {float(TANHSHRINK_BOUND_SHORT)!r}\n",
    ]


def odd_quotient(
    function: Function, bound: mp.mpf, degrees: tuple[int, int]
) -> tuple[list[mp.mpf], list[mp.mpf]]:
    """Return p and q for a function of u = x**2, |x| <= bound."""
    grid, start = (
        [x**2 for x in chebyshev_points(mp.mpf(0), bound, count)]
        for count in (400, sum(degrees) + 2)
    )
    return rational(function, grid, start, degrees)


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
        rounded = single if name.endswith("_FAST") else float
        parts.append(assignment(name, meaning, map(rounded, coefficients)))
        if name in ("MILLS_FULL", "GELU_GRAD_FULL", "TANHSHRINK_FULL"):
            parts.append(f"# low part\n{name}_LOW = {split(coefficients[0])[1]!r}\n")
    # Next to 0, r times the error of the quotient is below the error that is allowed.
    coefficients = minimax(expm1_over_r, LN2_HALF / 16, 2 * LN2_HALF, FAST * 4, lambda r: 1 / r)
    meaning = "expm1(r) / r, 0 <= r <= ln(2), of least absolute error of exp(r)"
    parts.append(assignment("EXPM1_UP_FAST", meaning, map(single, coefficients)))
    parts += tanh_quotients()
    parts += tanhshrink_quotients()
    parts.append(
        f"# how far TANHSHRINK_FULL holds\nTANHSHRINK_RADIUS = {float(TANHSHRINK_RADIUS)!r}\n"
    )
    for name, (derivative, _) in GRADIENT_ROOTS.items():
        root = gradient_root(name)
        quotient = root_quotient(derivative, root)
        parts.append(assignment(f"{name}_ROOT", f"root of {name.lower()}', as a pair", split(root)))
        if name != "GELU":
            coefficients = minimax(quotient, -ROOT_RADIUS, ROOT_RADIUS, FULL)
            meaning = f"{name.lower()}'(root + d) / d, |d| <= {float(ROOT_RADIUS)}"
            parts.append(assignment(f"{name}_SLOPE", meaning, map(float, coefficients)))
        if name == "MISH":
            parts.append(f"# low part\n{name}_SLOPE_LOW = {split(coefficients[0])[1]!r}\n")
            parts.append(f"# exp(x) there\n{name}_ROOT_EXPONENTIAL = {float(mp.exp(root))!r}\n")
        parts += gated_root_constants(name, root)
        if name == "SILU":
            parts += silu_root_constants(root)
            continue
        parts.append(assignment(f"{name}_ROOT_FAST", "the root in single", split_single(root)))
        if name in ROOT_INTERVALS_FAST:
            middle, radius, target = ROOT_INTERVALS_FAST[name]
            shifted = shift(quotient, middle)
            coefficients = minimax(shifted, -radius, radius, target)
            meaning = f"the same in d - {float(middle)}, of at most {name}_RADIUS_FAST"
            parts.append(assignment(f"{name}_SLOPE_FAST", meaning, map(single, coefficients)))
            parts.append(f"{name}_RADIUS_FAST = {float(radius)!r}\n")
    # where x**2 + x**4 is 1
    dish_root = -mp.sqrt((mp.sqrt(5) - 1) / 2)
    parts.append(assignment("DISH_ROOT", "root of dish', as a pair", split(dish_root)))
    parts.append(assignment("DISH_ROOT_SQUARED", "as a pair", split(dish_root**2)))
    parts.append(
        "# where the slopes hold: largest distance from the root\n"
        f"ROOT_RADIUS = {float(ROOT_RADIUS)!r}\n"
    )
    c1, c2 = gelu_tanh_constants()
    # 11 bits for k: k * LN2_HIGH is exact for |k| < 2**11, as far as exp does not overflow.
    parts.append(assignment("LN2", "ln(2), the first with 42 bits", split(mp.log(2), 42)))
    # k * LN2_FAST[0] is exact for |k| < 2**8, and so is its difference to the argument of exp.
    ln2 = split_single(mp.log(2), 16)
    parts.append(assignment("LN2_FAST", "ln(2), the first with 16 bits", ln2))
    parts.append(f"# 1 / ln(2)\nLOG2E = {float(1 / mp.log(2))!r}\n")
    parts.append(assignment("GELU_TANH_LINEAR", "2 sqrt(2/pi)", split(c1)))
    parts.append(assignment("GELU_TANH_CUBIC", "0.044715 * 2 sqrt(2/pi)", split(c2)))
    parts.append(assignment("GELU_TANH_LINEAR_FULL", "the first with 42 bits", split(c1, 42)))
    parts.append(assignment("GELU_TANH_CUBIC_FULL", "the first with 51 bits", split(c2, 51)))
    # 16 bits, so that a sum of it and something up to 8, less it again, is exact.
    linear, cubic = split_single(c1, 16), split_single(c2)
    parts.append(assignment("GELU_TANH_LINEAR_FAST", "in single, the first with 16 bits", linear))
    parts.append(assignment("GELU_TANH_CUBIC_FAST", "in single", cubic))
    scale, scale_low = split(SELU_SCALE)
    parts.append(
        "# selu: the scale, and what the double lacks of the decimal\n"
        f"SELU_SCALE = {scale!r}\nSELU_SCALE_LOW = {scale_low!r}\n"
    )
    product = split(SELU_SCALE * SELU_ALPHA)
    parts.append(assignment("SELU_PRODUCT", "scale * alpha of selu, as a pair", product))
    parts.append(
        "# scaled_tanh: the defaults of its parameters\n"
        f"SCALED_TANH_A = {SCALED_TANH_A!r}\nSCALED_TANH_B = {SCALED_TANH_B!r}\n"
    )
    factor = float(QUICK_GELU_FACTOR)
    parts.append(
        "# quick_gelu: the factor of x in the sigmoid, and what the double lacks of the decimal\n"
        f"QUICK_GELU_FACTOR = {factor!r}\n"
        f"QUICK_GELU_FACTOR_LOW = {float(QUICK_GELU_FACTOR - factor)!r}\n"
    )
    return "\n".join(parts)


if __name__ == "__main__":
    TABLE.write_text(table())
