"""The generator of test inputs generates what the tests rely on, and errors in ulp are right."""

from __future__ import annotations

from fractions import Fraction

import ml_dtypes
import mpmath as mp
import numpy as np
import pytest
from inputs import (
    CASES,
    FACTORS,
    ROOT_RADII,
    ROOTS,
    ROWS,
    Case,
    distances,
    gradients,
    landmarks,
    neighbours,
    planted,
    sample,
    specials,
    step,
    values,
)
from truth import FORMATS, Format, bits, rounded, ulp_error

import fastact as fa

DTYPES = ("float32", "float64")
each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_case = pytest.mark.parametrize("case", CASES, ids=str)


def holds(x: np.ndarray, wanted: np.ndarray) -> bool:
    return bool(np.isin(bits(np.asarray(wanted)), bits(x)).all())


# --- cases -------------------------------------------------------------------------------------


def test_cases_cover_the_catalogue() -> None:
    assert [row.name for row in ROWS] == list(fa.names())
    assert {case.row for case in CASES} == {row for row in ROWS if not row.kernels}
    assert len(set(map(str, CASES))) == len(CASES)
    for row in {case.row for case in CASES}:
        for i, parameter in enumerate(row.parameters):
            tested = {case.parameters[i] for case in CASES if case.row is row}
            assert parameter.default in tested
            assert len(tested) >= 2, parameter.name


# --- values ------------------------------------------------------------------------------------


@each_dtype
@each_case
def test_values_have_spread(case: Case, dtype: str) -> None:
    info = np.finfo(dtype)
    x = values(dtype, case)
    assert x.dtype == dtype
    assert not x.flags.writeable
    finite = x[np.isfinite(x)]
    for sign in (finite[finite > 0], -finite[finite < 0]):
        exponents = np.frexp(sign)[1]
        smallest = np.frexp(info.smallest_subnormal)[1]
        counts = np.bincount(exponents - smallest)
        assert counts.size == info.maxexp - smallest + 1
        normal = counts[info.nmant :]
        assert normal.min() >= 7, "an exponent is missing, or has too few mantissas"
        subnormal = sign[sign < info.tiny]
        assert np.unique(subnormal).size > 40
        assert np.count_nonzero(counts[: info.nmant]) > info.nmant // 2
        assert np.unique(sign).size > 20_000


@each_dtype
@each_case
def test_values_hold_what_is_special(case: Case, dtype: str) -> None:
    info = np.finfo(dtype)
    ends = np.array([0, info.smallest_subnormal, info.tiny, info.max, np.inf], dtype)
    inner = step(ends[1:4], -1)
    for x in (values(dtype, case), sample(dtype, case), specials(dtype)):
        assert holds(x, np.concatenate([ends, inner, -ends, -inner]))
        nan = x[np.isnan(x)].view(f"u{x.itemsize}")
        assert len(set(nan.tolist())) >= 4
        assert len(set(np.signbit(nan.view(dtype)).tolist())) == 2
        assert {0.0, -0.0} <= set(x[x == 0].tolist())
        assert len(set(np.signbit(x[x == 0]).tolist())) == 2


@each_dtype
@each_case
def test_values_surround_hard_points(case: Case, dtype: str) -> None:
    scale = [FACTORS.get(case.row.name, 1.0), *(abs(value) for value in case.parameters if value)]
    hard = [point for point, _ in case.kinks] + [root / s for root in ROOTS for s in scale]
    near = neighbours(hard, dtype, 1)
    assert holds(values(dtype, case), near)
    assert holds(sample(dtype, case), near)
    # around what kernels switch at, and at distances of all magnitudes
    switches = [root + sign * r for root in ROOTS for r in ROOT_RADII for sign in (-1, 1)]
    assert holds(values(dtype, case), neighbours([*switches, -40, 3, -3, 6, -708], dtype, 4))
    x = values(dtype, case).astype(np.float64)
    for point in np.asarray(hard, dtype).astype(np.float64):
        apart = np.abs(x - point)
        apart = apart[(apart > 0) & (apart < 1)]
        decades = np.unique(np.floor(np.log10(apart)))
        needed = np.arange(-1, np.log10(max(abs(point), 1e-3) * np.finfo(dtype).eps * 10), -1)
        assert holds(decades, needed), point


def test_values_depend_on_parameters() -> None:
    for case in CASES:
        for value in case.parameters:
            if value:
                assert 6 / abs(value) in landmarks(case)


@each_dtype
@each_case
def test_sample_is_small_and_spread(case: Case, dtype: str) -> None:
    x = sample(dtype, case)
    assert 700 < x.size < 4000
    finite = x[np.isfinite(x)]
    assert np.unique(np.frexp(finite)[1]).size > 100
    assert np.count_nonzero(np.abs(finite) < 20) > 300


@each_dtype
def test_planted_values(dtype: str) -> None:
    for length in range(1, 68):
        x = planted(dtype, length)
        assert x.size == length
        assert np.isfinite(x[::2]).all()
        assert holds(specials(dtype), x[1::2])
    seen = np.concatenate([planted(dtype, length) for length in range(1, 68)])
    assert holds(seen, specials(dtype))
    last = np.array([planted(dtype, length)[-1] for length in range(2, 68, 2)])
    assert np.isnan(last).any()
    assert np.isinf(last).any()
    assert holds(planted(dtype, 229), specials(dtype))


@each_dtype
def test_gradients_are_finite_and_spread(dtype: str) -> None:
    g = gradients(dtype, 50_001)
    assert g.size == 50_001
    assert np.isfinite(g).all()
    assert np.unique(np.frexp(g)[1]).size > 0.9 * np.finfo(dtype).maxexp
    assert 0.4 < np.mean(g < 0) < 0.6


@each_dtype
def test_step(dtype: str) -> None:
    x = np.array([0.0, -0.0, 1.0, -1.0, np.finfo(dtype).max], dtype)
    with np.errstate(over="ignore"):
        up = np.nextafter(x, np.array(np.inf, dtype))
        down = np.nextafter(x, np.array(-np.inf, dtype))
    np.testing.assert_array_equal(step(x, 1), up)
    np.testing.assert_array_equal(step(x, -1), down)
    np.testing.assert_array_equal(step(step(x, -3), 3), x)


@each_dtype
def test_distances_reach_an_ulp(dtype: str) -> None:
    x = distances([1.0], dtype, 50)
    assert holds(x, np.array([1 + np.finfo(dtype).eps, 0, 2], dtype))


# --- errors in ulp -----------------------------------------------------------------------------


def as_wide(truth: list[float | Fraction]) -> list[object]:
    """Return the same truth in both forms that ulp_error takes."""
    with mp.workdps(40):
        exact = [mp.mpf(t.numerator) / t.denominator if isinstance(t, Fraction) else mp.mpf(t)
                 for t in truth]  # fmt: skip
    return [np.array([np.longdouble(float(t)) for t in truth]), exact]


ERRORS = [
    # result, truth, error in ulp
    (1.0, 1.0, 0),
    (1.0, 1 + 2.0**-23, 1),
    (1.0, 1 + 2.0**-24, 0.5),
    (1.0, 1 - 2.0**-24, 1),  # below a power of two, the ulp is half as large
    (2.0**-126, 2.0**-126 + 2.0**-149, 1),
    (2.0**-149, 2.0**-150, 0.5),  # subnormal numbers have the ulp of the smallest normal one
    (0.0, 2.0**-149, 1),
    (0.0, 2.0**-300, 2.0**-151),
    (-0.0, -(2.0**-150), 0.5),
    (0.0, -(2.0**-150), np.inf),  # an underflow has a sign
    (0.0, 0.0, 0),
    (-0.0, 0.0, 0),
    (2.0**-149, 0.0, 1),
    (np.nan, np.nan, 0),
    (np.nan, 1.0, np.inf),
    (1.0, np.nan, np.inf),
    (np.inf, np.nan, np.inf),
    (np.inf, 2.0**128, 0),
    (np.inf, 1e300, 0),
    (-np.inf, 1e300, np.inf),
    (np.inf, 2.0**128 - 2.0**103, 0.5),  # rounds to infinity
    (2.0**128 - 2.0**104, 2.0**128 - 2.0**103, 0.5),  # but is no better than the largest number
    (np.inf, 2.0**128 - 2.0**104, 1),
    (2.0**128 - 2.0**104, 1e300, np.inf),
    (np.inf, 1.0, (2.0**128 - 1) * 2.0**23),
]


@pytest.mark.parametrize(("result", "truth", "error"), ERRORS)
def test_ulp_error(result: float, truth: float, error: float) -> None:
    for given in as_wide([truth]):
        found = ulp_error(np.array([result], np.float32), given)
        assert found == pytest.approx([error], rel=1e-6)


def test_ulp_error_of_float64() -> None:
    x = np.array([1.0, 3.0, 1e-310, -1e300])
    for ulps in (0, 1, 5):
        moved = step(x, ulps)
        np.testing.assert_array_equal(ulp_error(moved, x.astype(np.longdouble)), ulps)
        np.testing.assert_array_equal(ulp_error(moved, [mp.mpf(float(v)) for v in x]), ulps)


@pytest.mark.parametrize("name", FORMATS)
def test_formats(name: str) -> None:
    info = ml_dtypes.finfo(name)
    assert FORMATS[name] == Format(info.nmant + 1, info.minexp)
    assert float(info.max) < FORMATS[name].end
    assert float(info.max) * (1 + 2.0**-info.nmant) >= FORMATS[name].end


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_rounded_agrees_with_numpy(dtype: str) -> None:
    """NumPy rounds float64 to these correctly; bfloat16 it does not know."""
    random = np.random.default_rng(20_260_804)
    x = random.choice([-1, 1], 20_000) * np.exp2(random.uniform(-180, 135, 20_000))
    ties = (np.arange(1, 2000) + 0.5) * float(np.finfo(dtype).smallest_subnormal)
    x = np.concatenate([x, ties, -ties, [0.0, -0.0, np.inf, -np.inf, np.nan]])
    with np.errstate(over="ignore"):
        expected = x.astype(dtype)
    np.testing.assert_array_equal(bits(rounded(x.astype(np.longdouble), dtype)), bits(expected))


def test_rounded_to_bfloat16() -> None:
    ulp = 2.0**-7
    tiny = 2.0**-133
    x = np.array([1, 1 + ulp / 2, 1 + ulp * 0.501, 1 + ulp * 1.5, tiny / 2, tiny * 0.501, 3.4e38])
    expected = [1, 1, 1 + ulp, 1 + 2 * ulp, 0, tiny, np.inf]
    result = rounded(x.astype(np.longdouble), ml_dtypes.bfloat16)
    assert result.astype(np.float64).tolist() == expected
