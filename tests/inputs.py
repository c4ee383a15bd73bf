"""The one generator of test inputs, and the cases that the tests of numerics run over.

``values`` is everything: each binary exponent, special values, thresholds, landmarks, random bits
and a dense range. ``sample`` is the part of it that is worth the price of mpmath. Both depend on
nothing but their arguments; test_inputs.py holds them to what they promise.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

import fastact as fa
from fastact import coefficients
from fastact.catalogue import DOMAINS, Parameter, Row

# --- cases ------------------------------------------------------------------------------------

#: Values to test beside the default, by the name of the parameter, where it may take them.
OTHER_VALUES = {
    "negative_slope": (0.2, 0.25, 0.0, -0.5),
    "beta": (2.5, 0.7, 0.0, -0.5),
    "alpha": (0.3, 0.0, -0.5),
    "slope": (0.2, 0.0, -0.5),
    "offset": (0.1, 0.0),
    "min_val": (-0.3,),
    "max_val": (0.7,),
    "threshold": (0.1, -2.0),
    "value": (20.1,),
    "lambd": (0.3, 0.0, -0.5),
    "b": (1.0, 2.5, 0.0, -0.5),
    "a": (0.3, 3.0, 0.0, -0.5),
}

#: What x is multiplied by beside parameters, in activations that have roots of others, scaled.
FACTORS = {"quick_gelu": coefficients.QUICK_GELU_FACTOR}


#: Stands for infinity: beyond any float, so that it rounds to infinity.
BEYOND = Fraction(2) ** 3000


class Case(NamedTuple):
    """An activation with values for its parameters."""

    row: Row
    parameters: tuple[float, ...]

    @property
    def activation(self) -> fa.Activation:
        return fa.get(self.row.name)

    @property
    def is_default(self) -> bool:
        return self.parameters == self.row.defaults

    @property
    def exact_parameters(self) -> tuple[Fraction, ...]:
        """What the parameters stand for."""
        return tuple(
            Fraction(1, 6) if parameter.name == "slope" and value == 1 / 6 else _fraction(value)
            for parameter, value in zip(self.row.parameters, self.parameters, strict=True)
        )

    @property
    def differs_by_precision(self) -> bool:
        return self.is_default and not self.row.exponential_free

    @property
    def kinks(self) -> tuple[tuple[float, float], ...]:
        return self.row.kinks_at(self.parameters)

    @property
    def is_in_order(self) -> bool:
        """Whether the parameters that must be in an order are."""
        named = dict(zip((p.name for p in self.row.parameters), self.parameters, strict=True))
        return all(named[low] <= named[high] for low, high in self.row.ordered)

    @property
    def has_derivative_from_output(self) -> bool:
        return bool(self.row.derivative_from_output) and all(
            is_in_domain(parameter.domain_from_output, value)
            for parameter, value in zip(self.row.parameters, self.parameters, strict=True)
        )

    def __str__(self) -> str:
        if self.is_default:
            return self.row.name
        pairs = zip(self.row.parameters, self.parameters, strict=True)
        return f"{self.row.name}({', '.join(f'{p.name}={value:g}' for p, value in pairs)})"


def _fraction(value: float) -> Fraction:
    """Return the number; for infinity, one that is beyond any float."""
    return Fraction(value) if math.isfinite(value) else int(math.copysign(1, value)) * BEYOND


def is_in_domain(domain: str, value: float) -> bool:
    return not domain or bool(DOMAINS[domain](value))


def _other_values(parameter: Parameter) -> tuple[float, ...]:
    if parameter.name not in OTHER_VALUES:
        raise LookupError(
            f"the catalogue has a parameter {parameter.name!r}: add values to test it with to "
            "OTHER_VALUES in tests/inputs.py"
        )
    return tuple(
        value
        for value in OTHER_VALUES[parameter.name]
        if value != parameter.default and is_in_domain(parameter.domain, value)
    )


def _cases(row: Row) -> Iterator[Case]:
    """Yield the default, then cases that change one parameter each."""
    defaults = row.defaults
    yield Case(row, defaults)
    for i, parameter in enumerate(row.parameters):
        for value in _other_values(parameter):
            case = Case(row, (*defaults[:i], value, *defaults[i + 1 :]))
            if case.is_in_order:
                yield case


ROWS = tuple(fa.get(name).row for name in fa.names())
#: Not for prelu and rrelu, which have the kernels of leaky_relu: test_prelu.py, test_rrelu.py.
CASES = tuple(case for row in ROWS if not row.kernels for case in _cases(row))
DEFAULT_CASES = tuple(case for case in CASES if case.is_default)
CASES_FROM_OUTPUT = tuple(case for case in CASES if case.has_derivative_from_output)

# --- landmarks: where results change their nature, or kernels their method ---------------------

#: Roots of gradients, for the default parameters.
ROOTS = tuple(
    value[0] for name, value in sorted(vars(coefficients).items()) if name.endswith("_ROOT")
)

#: Around them, kernels use a polynomial.
ROOT_RADII = tuple(
    value for name, value in sorted(vars(coefficients).items()) if name.startswith("ROOT_RADIUS")
)

#: Magnitudes; both signs are taken.
THRESHOLDS = (
    *(0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0),
    # kernels switch formulas, or bound their arguments
    *(12.0, 15.0, 20.0, 23.0, 37.0, 39.0, 40.0, 345.0, 690.0, 700.0, 708.0, 800.0, 1416.0, 2e4),
    # the algebraic ones count x as its own root
    *(2.0**-40, 2.0**12, 2.0**13, 2.0**26),
    # exp overflows, becomes subnormal, vanishes: float32, float64
    *(88.722839, 87.336545, 103.972081, 104.0, 709.782713, 708.396419, 744.440072, 745.133219),
    # sigmoid and tanh reach 1
    *(16.635532, 17.328680, 36.736801, 37.429948, 8.317766, 9.010913, 18.714974, 19.061547),
    # silu and mish, gelu, gelu_tanh become subnormal, vanish: float32, float64
    *(91.8568, 107.961, 108.660, 13.1462, 14.3077, 14.3561, 10.1006, 10.7445, 10.7709),
    *(714.969, 751.756, 37.616, 38.580, 21.177, 21.547),
)

#: The argument of exp is reduced by k ln 2: here k changes.
REDUCTIONS = tuple((k + 0.5) * math.log(2) for k in (0, 1, 2, 5, 11, 125, 126, 149, 1021, 1074))


def _scales(case: Case) -> set[float]:
    return {1.0, FACTORS.get(case.row.name, 1.0), *(value for value in case.parameters if value)}


def landmarks(case: Case) -> tuple[float, ...]:
    """Return the points whose neighbourhoods are hard, with both signs, for these parameters."""
    points = {0.0, *THRESHOLDS, *(abs(point) for point, _ in case.kinks)}
    for root in ROOTS:
        points |= {abs(root), *(abs(abs(root) + s * r) for r in ROOT_RADII for s in (-1, 1))}
    for reduction in REDUCTIONS:
        points |= {reduction, reduction / 2, math.sqrt(2 * reduction)}
    # beta, b and 1 / alpha scale x, and with it all of these
    scales = {abs(scale) for scale in _scales(case)}
    scales |= {1 / scale for scale in scales}
    scaled = {point / scale for point in points for scale in scales}
    return tuple(sorted(scaled | {-point for point in scaled}))


# --- bits --------------------------------------------------------------------------------------


def integer_type(dtype: Any) -> np.dtype:
    return np.dtype(f"i{np.dtype(dtype).itemsize}")


def _swap_order(bits: np.ndarray) -> np.ndarray:
    """Turn bits of floats into integers in the order of the floats, and back."""
    return np.where(bits < 0, np.iinfo(bits.dtype).min - bits, bits)


def step(x: Any, ulps: Any) -> np.ndarray:
    """Return the floats ``ulps`` places after ``x`` (before it, if negative)."""
    x = np.asarray(x)
    order = _swap_order(x.view(integer_type(x.dtype)))
    return _swap_order(order + np.asarray(ulps, order.dtype)).view(x.dtype)


def neighbours(points: Any, dtype: Any, ulps: int) -> np.ndarray:
    """Return the floats nearest to ``points``, and ``ulps`` on either side of each."""
    nearest = np.asarray(points, dtype)
    return step(nearest[:, None], np.arange(-ulps, ulps + 1)).ravel()


def distances(points: Any, dtype: Any, count: int) -> np.ndarray:
    """Return floats at distances of 1 to about an ulp on either side of ``points``."""
    apart = np.geomspace(float(np.finfo(dtype).eps), 1, count)
    points = np.asarray(points, dtype)[:, None]
    return np.concatenate([points - apart, points + apart]).ravel().astype(dtype)


# --- groups of inputs --------------------------------------------------------------------------


def exponents(dtype: Any) -> np.ndarray:
    """Return several mantissas for each binary exponent and sign, the subnormal one included."""
    digits = np.finfo(dtype).nmant
    integer = integer_type(dtype)
    ones = (1 << digits) - 1
    mantissas = [0, 1, ones // 3, ones // 2 + 1, ones - ones // 7, ones - 1, ones]
    leading = np.arange((1 << (8 * integer.itemsize - 1 - digits)) - 1, dtype=integer) << digits
    magnitudes = (leading[:, None] + np.array(mantissas, integer)).ravel().view(dtype)
    return np.concatenate([magnitudes, -magnitudes])


def specials(dtype: Any) -> np.ndarray:
    """Return zeros, infinities, NaN of all kinds, the ends of the ranges."""
    info = np.finfo(dtype)
    integer = integer_type(dtype)
    infinity = np.array(np.inf, dtype).view(integer)[()]
    quiet = integer.type(1 << (info.nmant - 1))
    nans = np.array([infinity + quiet, infinity + quiet + 77], integer).view(dtype)
    turns = np.array([info.smallest_subnormal, info.tiny, info.max], dtype)
    ends = np.array([*turns, *step(turns[:2], 1), *step(turns[1:], -1), 0, np.inf], dtype)
    subnormals = np.geomspace(float(info.smallest_subnormal), float(info.tiny), 40).astype(dtype)
    positive = np.concatenate([ends, subnormals, nans])
    return np.concatenate([positive, np.negative(positive)])


def random_bits(dtype: Any, count: int) -> np.ndarray:
    integer = integer_type(dtype)
    random = np.random.default_rng(20_260_801)
    low, high = np.iinfo(integer).min, np.iinfo(integer).max
    x = random.integers(low, high, count, dtype=integer, endpoint=True).view(dtype)
    return x[~np.isnan(x)]  # specials has the quiet ones


@functools.cache
def values(dtype: Any, case: Case) -> np.ndarray:
    """Return all inputs to test this case with, as a read-only array."""
    x = np.concatenate(
        [
            specials(dtype),
            exponents(dtype),
            neighbours(landmarks(case), dtype, 4),
            distances(_hard_points(case), dtype, 100),
            random_bits(dtype, 20_000),
            np.linspace(-20, 20, 20_001, dtype=dtype),
        ]
    )
    x.flags.writeable = False
    return x


@functools.cache
def sample(dtype: Any, case: Case, count: int = 600) -> np.ndarray:
    """Return the hardest inputs and ``count`` of the others, as a read-only array."""
    spread = values(dtype, case)
    random = np.random.default_rng(20_260_802)
    x = np.concatenate(
        [
            specials(dtype),
            neighbours(_hard_points(case), dtype, 2),
            distances(_hard_points(case), dtype, 15),
            neighbours(landmarks(case), dtype, 0),
            random.uniform(-20, 20, count // 2).astype(dtype),
            random.choice(spread, count - count // 2, replace=False),
        ]
    )
    x.flags.writeable = False
    return x


def _hard_points(case: Case) -> tuple[float, ...]:
    """Return kinks and roots of gradients."""
    roots = {root / scale for root in ROOTS for scale in _scales(case)}
    return tuple(sorted(roots | {-root for root in roots} | {k for k, _ in case.kinks}))


def planted(dtype: Any, length: int) -> np.ndarray:
    """Return ordinary numbers with special values at odd offsets, front to back."""
    x = np.linspace(-7, 9, length, dtype=dtype)
    special = specials(dtype)
    odd = x[1::2]
    # A stride that shares no factor with their number: neighbouring lengths differ.
    odd[...] = special[(np.arange(odd.size) * 37 + length) % special.size]
    return x


@functools.cache
def gradients(dtype: Any, length: int) -> np.ndarray:
    """Return finite numbers of all magnitudes, as gradients of the output, as a read-only array."""
    x = random_bits(dtype, length + length // 8)  # of float32, 1 in 256 is not finite
    g = x[np.isfinite(x)][:length].copy()
    g[::3] = np.linspace(-2, 2, g[::3].size, dtype=dtype)
    g.flags.writeable = False
    return g
