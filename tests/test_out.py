"""``out=``: where results go, in which dtype and layout; overlap with inputs changes nothing."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from test_layouts import (
    WITH_PARAMETERS,
    assert_all_identical,
    assert_identical,
    over_dtypes,
    over_kinds,
    record_field,
    results,
    sample,
    unaligned,
    wide,
)

import fastact as fa


def arguments(verb, shape, dtype) -> list[np.ndarray]:
    return [sample(shape, dtype, seed) for seed in range(len(verb.arguments))]


def as_out(verb, arrays):
    """The form that ``out=`` takes: an array, or a tuple for two results."""
    return tuple(arrays) if verb.nout == 2 else arrays[0]


@over_dtypes
@over_kinds
def test_out_is_filled_and_returned(verb, backend, dtype):
    args = arguments(verb, (5, 41), dtype)
    expected = results(verb, *args, backend=backend)
    outs = [np.full((5, 41), 7, dtype) for _ in expected]
    returned = results(verb, *args, out=as_out(verb, outs), backend=backend)
    for actual, out, wanted in zip(returned, outs, expected, strict=True):
        assert actual is out
        assert_identical(out, wanted)


@over_kinds
def test_out_may_be_a_tuple(verb, backend):
    args = arguments(verb, (7,), "float32")
    outs = tuple(np.empty(7, "float32") for _ in range(verb.nout))
    for actual, out in zip(results(verb, *args, out=outs, backend=backend), outs, strict=True):
        assert actual is out
    fresh = results(verb, *args, out=(None,) * verb.nout, backend=backend)
    assert_all_identical(fresh, outs)


def test_one_of_two_outputs_may_be_given(backend):
    x = sample((41,), "float32")
    expected = fa.gelu.value_and_grad(x, backend=backend)
    for given in (0, 1):
        outs = [None, None]
        outs[given] = np.empty_like(x)
        returned = fa.gelu.value_and_grad(x, out=tuple(outs), backend=backend)
        assert returned[given] is outs[given]
        assert_all_identical(returned, expected)


LAYOUTS = {
    "fortran": np.asfortranarray,
    "every_other": wide,
    "reversed": lambda a: a[::-1, ::-1],
    "unaligned": unaligned,
    "byte_swapped": lambda a: a.astype(a.dtype.newbyteorder()),
    "record_field": record_field,
}


@over_dtypes
@over_kinds
def test_out_may_have_any_layout(verb, backend, dtype):
    args = arguments(verb, (13, 17), dtype)
    expected = results(verb, *args, backend=backend)
    for layout in LAYOUTS.values():
        outs = [layout(np.zeros((13, 17), dtype)) for _ in expected]
        returned = results(verb, *args, out=as_out(verb, outs), backend=backend)
        for actual, out, wanted in zip(returned, outs, expected, strict=True):
            assert actual is out
            assert_identical(out.astype(dtype), wanted)


def test_what_surrounds_out_is_left_alone(backend):
    memory = np.full((10, 10), 7.0)
    x = sample((5, 5), "float64")
    fa.gelu(x, out=memory[::2, 1::2], backend=backend)
    assert_identical(memory[::2, 1::2], fa.gelu(x, backend=backend))
    memory[::2, 1::2] = 7
    assert (memory == 7).all()


DTYPES = ["float16", "bfloat16", "float32", "float64"]
PAIRS = set(product(DTYPES, [*DTYPES, "complex64"]))


@pytest.mark.parametrize(("dtype", "out_dtype"), sorted(PAIRS))
def test_out_may_have_another_dtype(backend, dtype, out_dtype):
    """The result is rounded to the dtype of ``out``, as NumPy does (same_kind)."""
    if "bfloat16" in (dtype, out_dtype):
        pytest.importorskip("ml_dtypes")
    x = np.linspace(-2, 5, 43).astype(dtype)
    out = np.empty(43, out_dtype)
    assert fa.gelu(x, out=out, backend=backend) is out
    precise = fa.gelu(x.astype("float64"), backend=backend)
    rtol = 2.0**-8 if "16" in dtype + out_dtype else 2.0**-22
    np.testing.assert_allclose(out.astype("complex128"), precise, rtol=rtol)


def test_out_may_be_larger(backend):
    """Inputs broadcast to ``out``, as in NumPy."""
    x, out = sample((7,), "float32"), np.empty((3, 7), "float32")
    fa.gelu(x, out=out, backend=backend)
    assert_identical(out, np.broadcast_to(fa.gelu(x, backend=backend), (3, 7)))


def test_out_may_be_larger_where_the_reference_computes_for_some_parameters(backend):
    x, values = np.full(2, -1, np.float32), np.array([5.0, np.nan])
    out = np.zeros((3, 2), np.float32)
    assert fa.threshold(x, 1.0, values, out=out, backend=backend) is out
    np.testing.assert_array_equal(out, np.tile(np.float32([5, np.nan]), (3, 1)))


def test_out_without_dimensions_is_returned_itself(backend):
    out = np.empty((), "float64")
    assert fa.gelu(2.0, out=out, backend=backend) is out
    assert out == fa.gelu(2.0, backend=backend)


def test_out_may_be_a_subclass(backend, tmp_path):
    out = np.memmap(tmp_path / "out", dtype="float32", shape=(41,), mode="w+")
    x = sample((41,), "float32")
    assert fa.gelu(x, out=out, backend=backend) is out
    assert_identical(np.asarray(out), fa.gelu(x, backend=backend))


def test_integers_take_out_too(backend):
    x = np.arange(-3, 4, dtype="int8")
    assert fa.relu(x, out=x, backend=backend) is x
    assert x.tolist() == [0, 0, 0, 0, 1, 2, 3]
    out = np.empty(7, "float32")
    assert fa.relu(x, out=out, backend=backend) is out
    assert out.tolist() == x.tolist()


# --- overlap -----------------------------------------------------------------------------------

#: (slice of x, slice of out) in one memory of 3,000 elements
OVERLAPS = {
    "same": (np.s_[:2000], np.s_[:2000]),
    "same_every_other": (np.s_[:3000:2], np.s_[:3000:2]),
    "one_later": (np.s_[:2000], np.s_[1:2001]),
    "one_earlier": (np.s_[1:2001], np.s_[:2000]),
    "vector_later": (np.s_[:2000], np.s_[16:2016]),
    "vector_earlier": (np.s_[16:2016], np.s_[:2000]),
    "far_later": (np.s_[:1600], np.s_[1400:]),
    "far_earlier": (np.s_[1400:], np.s_[:1600]),
    "reversed": (np.s_[:2000], np.s_[1999::-1]),
    "spread": (np.s_[:1500], np.s_[::2]),
    "gathered": (np.s_[::2], np.s_[:1500]),
    "interleaved": (np.s_[0:2999:2], np.s_[1:3000:2]),
}


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@over_kinds
def test_out_may_overlap_an_input(verb, backend, dtype):
    n_inputs = len(verb.arguments)
    for (input_slice, out_slice), i, o in product(
        OVERLAPS.values(), range(n_inputs), range(verb.nout)
    ):
        memory = sample((3000,), dtype)
        args = arguments(verb, memory[input_slice].shape, dtype)
        args[i] = memory[input_slice]
        expected = results(verb, *(arg.copy() for arg in args), backend=backend)
        outs = [np.empty_like(args[i]) for _ in expected]
        outs[o] = memory[out_slice]
        results(verb, *args, out=as_out(verb, outs), backend=backend)
        assert_all_identical(outs, expected)


@over_kinds
def test_out_may_be_x_transposed(verb, backend):
    x = sample((31, 31), "float32")
    args = [x] * len(verb.arguments)
    expected = results(verb, *(arg.copy() for arg in args), backend=backend)
    outs = [x.T, *[np.empty_like(x)] * (verb.nout - 1)]
    results(verb, *args, out=as_out(verb, outs), backend=backend)
    assert_all_identical(outs, expected)


@over_kinds
def test_one_array_may_be_every_argument(verb, backend):
    for dtype in ("float32", "float64"):
        x = sample((500,), dtype)
        expected = results(verb, *[x.copy()] * len(verb.arguments), backend=backend)
        outs = [x, *[np.empty_like(x)] * (verb.nout - 1)]
        results(verb, *[x] * len(verb.arguments), out=as_out(verb, outs), backend=backend)
        assert_all_identical(outs, expected)


@pytest.mark.parametrize("verb", WITH_PARAMETERS, ids=[verb.__name__ for verb in WITH_PARAMETERS])
def test_out_may_overlap_a_parameter(verb, backend):
    for input_slice, out_slice in OVERLAPS.values():
        memory = np.linspace(-3, -0.1, 3000) if verb.row.ordered else np.linspace(0.1, 3, 3000)
        parameter = memory[input_slice]
        args = arguments(verb, parameter.shape, "float64")
        expected = results(verb, *args, parameter.copy(), backend=backend)
        outs = [memory[out_slice], *[np.empty_like(parameter)] * (verb.nout - 1)]
        results(verb, *args, parameter, out=as_out(verb, outs), backend=backend)
        assert_all_identical(outs, expected)


def test_both_results_may_overlap_the_input(backend):
    memory = sample((3000,), "float64")
    x = memory[500:2000]
    expected = fa.gelu.value_and_grad(x.copy(), backend=backend)
    outs = (memory[:1500], memory[1500:])
    fa.gelu.value_and_grad(x, out=outs, backend=backend)
    assert_all_identical(outs, expected)
