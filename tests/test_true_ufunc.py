"""``.ufunc`` is a ``np.ufunc`` that gives the bits of the call, with the attributes of the verb."""

from __future__ import annotations

import numpy as np
import pytest
from test_layouts import BARE_VERBS, assert_all_identical, assert_identical, sample

import fastact as fa
from fastact import activation, config

if config.driver is None:
    pytest.skip("needs the extension", allow_module_level=True)

WITH_UFUNC = [verb for verb in BARE_VERBS if not verb.row.kernels]
over_ufuncs = pytest.mark.parametrize(
    "verb", WITH_UFUNC, ids=[verb.__name__ for verb in WITH_UFUNC]
)
ATTRIBUTES = ("nin", "nout", "nargs", "ntypes", "types", "identity", "signature")
ALL_VERBS = [
    activation.Verb(fa.get(name).row, kind) for name in fa.names() for kind in activation.VERBS
]
WITHOUT = [verb for verb in ALL_VERBS if verb.row.kernels or not verb.is_defined]


def ufunc_of(verb) -> np.ufunc:
    with fa.use_backend("cython"):
        return verb.ufunc


def as_tuple(found) -> tuple[np.ndarray, ...]:
    return found if isinstance(found, tuple) else (found,)


def numbers(verb) -> list[tuple[float, ...]]:
    """Return the defaults and others."""
    shifted = tuple(parameter.default + 0.25 for parameter in verb.row.parameters)
    return [verb.row.defaults, shifted] if shifted else [()]


@over_ufuncs
def test_attributes(verb):
    ufunc = ufunc_of(verb)
    assert type(ufunc) is np.ufunc
    for name in ATTRIBUTES:
        assert getattr(ufunc, name) == getattr(verb, name), name
    assert ufunc.__name__ == verb.__name__
    assert ufunc is ufunc_of(verb)


@over_ufuncs
@pytest.mark.parametrize("precision", config.PRECISIONS)
def test_the_bits_of_the_call(verb, precision):
    """Also where the parameters are arrays, for which a call has no fast precision."""
    with fa.use_precision(precision):
        ufunc = ufunc_of(verb)
        for dtype in ("float16", "float32", "float64"):
            arrays = [sample((3, 131), dtype, seed) for seed in range(len(verb.arguments))]
            for values in numbers(verb):
                expected = as_tuple(verb(*arrays, *values, backend="cython"))
                full = [np.full((3, 131), value) for value in values]
                for given in (values, full, [array[:, :1] for array in full]):
                    assert_all_identical(as_tuple(ufunc(*arrays, *given)), expected)


@over_ufuncs
def test_neighbours_do_not_matter(verb):
    """Each element has the bits that it has alone, whatever the parameters of the others."""
    ufunc = ufunc_of(verb)
    x = [sample((90,), "float32", seed) for seed in range(len(verb.arguments))]
    values = [np.resize([p.default, p.default + 0.25, -0.0, 0.1], 90) for p in verb.row.parameters]
    if any(verb.row.ordered):
        values = [np.resize([p.default, p.default + 0.1], 90) for p in verb.row.parameters]
    together = as_tuple(ufunc(*x, *values))
    for i in range(90):
        alone = as_tuple(ufunc(*(operand[i] for operand in (*x, *values))))
        assert_all_identical(alone, [result[i] for result in together])


@pytest.mark.parametrize("verb", [fa.relu.backward, fa.leaky_relu], ids=["arrays", "parameter"])
def test_reductions_go_element_by_element(verb):
    ufunc, x = ufunc_of(verb), sample((700,), "float64")
    x[np.isnan(x) | np.isinf(x)] = 1.0
    x = np.where(np.arange(700) < 650, np.abs(x), x)
    expected = [x[0]]
    for value in x[1:]:
        expected.append(ufunc(expected[-1], value))
    assert_identical(ufunc.accumulate(x), np.array(expected))
    assert_identical(ufunc.reduce(x), expected[-1])


@pytest.mark.parametrize("verb", WITHOUT, ids=[verb.__name__ for verb in WITHOUT])
def test_verbs_without_a_ufunc_say_why(verb):
    with pytest.raises(AttributeError, match=rf"{verb.__name__} has no ufunc: .*; use "):
        ufunc_of(verb)


def test_the_numpy_backend_has_none():
    with fa.use_backend("numpy"), pytest.raises(config.BackendUnavailableError, match="extension"):
        _ = fa.relu.ufunc
