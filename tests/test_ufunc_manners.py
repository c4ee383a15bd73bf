"""``where``, ``dtype``, ``casting``, ``order``, ``subok`` and positional outputs: as in NumPy."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from test_layouts import VERBS, assert_all_identical, over_verbs, results, sample

import fastact as fa

FULL = np.arange(24).reshape(2, 3, 4) % 3 > 0


class Subclass(np.ndarray):
    pass


BASE = np.linspace(-3, 3, 24).reshape(2, 3, 4)
INPUTS = {
    "C": lambda x: x,
    "F": np.asfortranarray,
    "transposed": lambda x: x.transpose(1, 2, 0),
    "steps": lambda x: x[:, :, ::2],
    "subclass": lambda x: x.view(Subclass),
    "scalar": lambda x: x[0, 0, 0],
    "0-d": lambda x: np.array(x[0, 0, 0]),
    "number": lambda x: x[0, 0, 0].item(),
    "list": lambda x: x[0].tolist(),
    "empty": lambda x: x[:0],
}
ARGUMENTS = {
    "none": {},
    **{f"order={order}": {"order": order} for order in ("C", "F", "A", "K", "X", 3)},
    **{f"dtype={dtype}": {"dtype": dtype} for dtype in ("f8", "f4", "f2", "i4", "nope", ">f4")},
    **{f"casting={c}": {"casting": c} for c in ("no", "equiv", "safe", "unsafe", "bogus")},
    **{f"f4-{c}": {"dtype": "f4", "casting": c} for c in ("no", "safe", "same_kind", "unsafe")},
    "subok=False": {"subok": False},
    "subok=True": {"subok": True},
    "subok-order": {"subok": False, "order": "F"},
    "where=True": {"where": True},
    "where=False": {"where": False, "out": None},
    "where-larger": {"where": np.ones((5, 2, 3, 4), bool), "out": None},
    "where-int": {"where": np.ones(4, int), "out": None},
    "where-other": {"where": np.ones(7, bool), "out": None},
    "where-list": {"where": [True] * 4, "out": None},
    "out=()": {"out": ()},
    "out=(None,)": {"out": (None,)},
    "out=(None, None)": {"out": (None, None)},
    "unknown": {"foo": 1},
}


def outcome(function, *args, **kwargs):
    """Return the form of the result, or the kind of error."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = function(*args, **kwargs)
    except (TypeError, ValueError) as error:
        return "TypeError" if isinstance(error, TypeError) else "ValueError"
    return type(result), result.dtype, result.shape, getattr(result, "strides", None)


@pytest.mark.parametrize("arguments", ARGUMENTS.values(), ids=ARGUMENTS)
def test_one_input_as_tanh(backend, arguments):
    for dtype in ("float16", "float32", "int32", "bool"):
        for name, of in INPUTS.items():
            x = of(BASE.astype(dtype))
            found = outcome(fa.tanh, x, backend=backend, **arguments)
            assert found == outcome(np.tanh, x, **arguments), (dtype, name)


@pytest.mark.parametrize("arguments", ARGUMENTS.values(), ids=ARGUMENTS)
def test_two_inputs_as_arctan2(backend, arguments):
    """np.arctan2 has floating-point loops only, as the backward verbs."""
    for first, second in (("float32", "float64"), ("float16", "int8"), ("float64", "bool")):
        for name, of in INPUTS.items():
            for g in (of(BASE.astype(first)), BASE[0].astype(first), 2.5, np.float32(1)):
                x = of(BASE.astype(second))
                if name in ("transposed", "steps"):  # not the shape of the other
                    continue
                # NumPy sees Python numbers as float64 where ``casting`` is narrow, but not two.
                if "casting" in arguments and {type(g), type(x)} & {float, int, bool}:
                    continue
                found = outcome(fa.sigmoid.backward, g, x, backend=backend, **arguments)
                assert found == outcome(np.arctan2, g, x, **arguments), (first, second, name)


@over_verbs
def test_where_leaves_the_rest_of_out(verb, backend):
    inputs = [sample((2, 3, 4), "float32", seed) for seed in range(len(verb.arguments))]
    plain = results(verb, *inputs, backend=backend)
    for mask in (FULL, FULL[0], FULL[:, :1], np.bool_(False), [True, False, True, True]):
        outs = tuple(np.full((2, 3, 4), 7, np.float32) for _ in range(verb.nout))
        found = results(verb, *inputs, out=outs, where=mask, backend=backend)
        assert all(result is out for result, out in zip(found, outs, strict=True))
        expected = [np.where(mask, result, np.float32(7)) for result in plain]
        assert_all_identical(found, expected)


@over_verbs
def test_dtype_is_that_to_compute_with(verb, backend):
    inputs = [sample((2, 3, 4), "float32", seed) for seed in range(len(verb.arguments))]
    expected = results(verb, *(x.astype(np.float64) for x in inputs), backend=backend)
    assert_all_identical(results(verb, *inputs, dtype=np.float64, backend=backend), expected)


@over_verbs
def test_outputs_by_position_and_as_tuples(verb, backend):
    if any(parameter.required for parameter in verb.row.parameters) or verb.row.kernels:
        return  # Complete gives these by name
    inputs = [sample((2, 3, 4), "float32", seed) for seed in range(len(verb.arguments))]
    expected = results(verb, *inputs, backend=backend)
    outs = [np.zeros((2, 3, 4), np.float32)[:, :, ::-1] for _ in expected]
    found = results(verb, *inputs, *verb.row.defaults, *outs, backend=backend)
    assert all(result is out for result, out in zip(found, outs, strict=True))
    assert_all_identical(outs, expected)
    outs = tuple(np.zeros((2, 3, 4), np.float32) for _ in expected)
    found = results(verb, *inputs, out=outs, backend=backend)
    assert all(result is out for result, out in zip(found, outs, strict=True))
    assert_all_identical(outs, expected)


#: Arguments that are not taken, and why.
REFUSED = [
    ({"signature": "f->f"}, "signature is not taken: the arrays alone choose the loop"),
    ({"sig": "f->f"}, "sig is not taken: the arrays alone choose the loop"),
    ({"dtype": int}, "dtype must be float16, .* got int64"),
]


@over_verbs
def test_what_is_refused_says_why(verb):
    inputs = [np.ones(3, np.float32)] * len(verb.arguments)
    for argument, why in REFUSED:
        with pytest.raises(TypeError, match=f"^{verb.__name__}: {why}"):
            verb(*inputs, **argument)


def test_the_verbs_are_all():
    assert {verb.row.name for verb in VERBS} == set(fa.names())
