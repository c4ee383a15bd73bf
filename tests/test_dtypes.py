"""The dtype of results: floating inputs keep theirs, integers follow ``np.tanh`` or keep theirs."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from test_layouts import VERBS, assert_identical, over_verbs, results

import fastact as fa

INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
FLOATING = ["float16", "float32", "float64"]
if importlib.util.find_spec("ml_dtypes"):
    importlib.import_module("ml_dtypes")  # NumPy knows the name bfloat16 from here on
    FLOATING.append("bfloat16")
KEEP_INTEGERS = [verb for verb in VERBS if verb.row.keeps_integers]


def arguments(verb, x):
    return [x] * len(verb.arguments)


@over_verbs
def test_floating_dtypes_are_kept(verb, backend):
    for dtype in FLOATING:
        x = np.array([-1, 0, 2]).astype(dtype)
        for result in results(verb, *arguments(verb, x), backend=backend):
            assert result.dtype == dtype
            assert result.dtype.isnative


@over_verbs
def test_integers_follow_tanh(verb, backend):
    """The result is that of the integers as floating-point numbers of the dtype of np.tanh."""
    kept = ["bool"] * verb.row.keeps_bool + INTEGERS * verb.row.keeps_integers
    for dtype in {"bool", *INTEGERS} - set(kept):
        x = np.array([0, 1, 5]).astype(dtype)
        floating = x.astype(np.tanh(x).dtype)
        expected = results(verb, *arguments(verb, floating), backend=backend)
        actual = results(verb, *arguments(verb, x), backend=backend)
        for result, wanted in zip(actual, expected, strict=True):
            assert_identical(result, wanted)


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("verb", KEEP_INTEGERS, ids=[verb.__name__ for verb in KEEP_INTEGERS])
def test_some_keep_integers(verb, backend, dtype):
    slope = (2,) * len(verb.row.parameters)
    x = np.array([0, 1, 5, 6, 7, *([] if dtype.startswith("u") else [-1, -4])], dtype)
    exact = results(verb, *arguments(verb, x.astype("float64")), *slope, backend=backend)
    actual = results(verb, *arguments(verb, x), *slope, backend=backend)
    for result, wanted in zip(actual, exact, strict=True):
        assert result.dtype == dtype
        assert result.tolist() == wanted.tolist()


def test_large_integers_are_exact(backend):
    x = np.array([2**63 - 1, -(2**63), 2**53 + 1])
    assert fa.relu(x, backend=backend).tolist() == [2**63 - 1, 0, 2**53 + 1]
    assert fa.leaky_relu(x, 0, backend=backend).tolist() == [2**63 - 1, 0, 2**53 + 1]
    assert fa.relu(np.uint64(2**64 - 1), backend=backend) == 2**64 - 1


@pytest.mark.parametrize(
    ("slope", "dtype"),
    [
        (2, "int8"),
        (np.int64(2), "int8"),
        (np.array([2]), "int8"),
        ([2, 3], "int8"),
        (2.0, "float16"),
        (np.float32(2), "float16"),
        ([2.0, 3.0], "float16"),
        (True, "float16"),
    ],
    ids=repr,
)
def test_an_integer_slope_keeps_integers_and_another_does_not(backend, slope, dtype):
    assert fa.leaky_relu(np.array([-4, 4], "int8"), slope, backend=backend).dtype == dtype


@pytest.mark.parametrize("parameter", [2, 2.0, np.float64(2), [2.0], np.array([2.0])], ids=repr)
def test_parameters_do_not_widen(backend, parameter):
    for dtype in ("float16", "float32"):
        x = np.ones(3, dtype)
        for function in (fa.leaky_relu, fa.softplus, fa.silu, fa.elu):
            assert function(x, parameter, backend=backend).dtype == dtype
            assert function.backward(x, x, parameter, backend=backend).dtype == dtype


# --- inputs that are not arrays ------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        True,
        3,
        -2,
        np.float16(1.5),
        np.float32(1.5),
        np.float64(1.5),
        np.int8(3),
        np.bool(True),
        [1.5, -2.0],
        (1.5, -2.0),
        [[1], [2]],
        [True, False],
        [],
        range(3),
        [np.float32(1), np.float32(2)],
        memoryview(b"abc"),
    ],
    ids=lambda value: repr(value).partition(" at ")[0],
)
def test_what_is_not_an_array_is_taken_as_numpy_takes_it(backend, value):
    actual, expected = fa.tanh(value, backend=backend), np.tanh(value)
    assert type(actual) is type(expected)
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=2e-3)


def test_objects_that_convert_to_arrays_are_taken(backend):
    class Convertible:
        def __array__(self, dtype=None, copy=None):
            return np.array([1, 2], "float32")

    assert_identical(
        fa.gelu(Convertible(), backend=backend),
        fa.gelu(np.array([1, 2], "float32"), backend=backend),
    )


# --- two arguments -------------------------------------------------------------------------------

DTYPES = ["bool", "int8", "int32", "float16", "float32", "float64"]


@pytest.mark.parametrize("second", DTYPES)
@pytest.mark.parametrize("first", DTYPES)
def test_two_dtypes_promote(backend, first, second):
    """To that of NumPy; and then a bool or an integer as np.tanh does."""
    g, x = np.array([1, 1], first), np.array([0, 1], second)
    promoted = np.zeros(1, np.result_type(first, second))
    for function in (fa.gelu, fa.relu):
        expected = np.tanh(promoted).dtype
        if function.row.keeps_integers and promoted.dtype.kind in "iu":
            expected = promoted.dtype
        for pair in ((g, x), (x, g)):
            assert function.backward(*pair, backend=backend).dtype == expected


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("number", [1.0, 2, True], ids=repr)
def test_python_numbers_are_weak(backend, number, dtype):
    """They take the dtype of the other argument."""
    if dtype == "bfloat16":
        pytest.importorskip("ml_dtypes")
    x = np.array([-1, 2]).astype(dtype)
    result = fa.gelu.backward(number, x, backend=backend)
    assert result.dtype == dtype
    assert_identical(result, fa.gelu.backward(np.array(number, dtype), x, backend=backend))
    assert fa.gelu.backward(x, number, backend=backend).dtype == dtype
    assert fa.gelu.backward(number, x[0], backend=backend).dtype == dtype


def test_python_floats_turn_integers_into_floats(backend):
    x = np.array([-1, 2], "int8")
    assert fa.relu.backward(2, x, backend=backend).dtype == "int8"
    assert fa.relu.backward(2.5, x, backend=backend).dtype == np.multiply(2.5, x).dtype


def test_an_integer_that_does_not_fit_is_an_error(backend):
    """As np.multiply(300, x) is one; wrapped around, the result would be wrong in silence."""
    x = np.array([-1, 2], "int8")
    for call in (
        lambda: fa.relu.backward(300, x, backend=backend),
        lambda: fa.leaky_relu(x, 300, backend=backend),
        lambda: fa.leaky_relu(x, [300, 1], backend=backend),
    ):
        with pytest.raises((OverflowError, ValueError), match="relu"):
            call()


#: What bfloat16 and another dtype have in common, in PyTorch and JAX. NumPy knows half of it.
WITH_BFLOAT16 = dict.fromkeys(["bool", *INTEGERS, "bfloat16"], "bfloat16") | {
    "float16": "float32",
    "float32": "float32",
    "float64": "float64",
    ">f2": "float32",
    ">f4": "float32",
    ">i4": "bfloat16",
}
TWO_ARRAYS = [verb for verb in VERBS if len(verb.arguments) == 2]


@pytest.mark.parametrize("verb", TWO_ARRAYS, ids=[verb.__name__ for verb in TWO_ARRAYS])
def test_bfloat16_promotes_with_every_dtype(verb, backend):
    """The result is that of both arguments in the common dtype."""
    pytest.importorskip("ml_dtypes")
    narrow = np.array([0, 1, 3]).astype("bfloat16")
    for other, common in WITH_BFLOAT16.items():
        wide = np.array([1, 0, 100]).astype(other)
        for pair in ((narrow, wide), (wide, narrow), (narrow[:1], wide), (wide, narrow[2])):
            (result,) = results(verb, *pair, backend=backend)
            (wanted,) = results(verb, *(a.astype(common) for a in pair), backend=backend)
            assert_identical(result, wanted)


@pytest.mark.parametrize("other", WITH_BFLOAT16)
def test_bfloat16_slopes_and_weights_meet_every_dtype(other, backend):
    """Parameters never widen a result; the gradient of a weight has the weight's dtype."""
    pytest.importorskip("ml_dtypes")
    arrays = np.array([[-1, 2], [0, -3]]).astype("bfloat16"), np.array([[1, 0], [3, 1]], other)
    for x, g in (arrays, arrays[::-1]):
        weight = np.array([0.25, 0.5]).astype("bfloat16")
        dx, dw = fa.prelu.backward(g, x, weight, backend=backend)
        assert dx.dtype == WITH_BFLOAT16[other]
        assert dw.dtype == "bfloat16"
        products = np.multiply(g.astype("float64"), np.minimum(x.astype("float64"), 0))
        assert dw.astype("float64").tolist() == products.sum(axis=0).tolist()
        expected = fa.prelu(x, weight.astype("float64"), backend=backend)
        assert_identical(fa.prelu(x, weight, backend=backend), expected)
        dx = fa.rrelu.backward(g, x, slopes=weight, backend=backend)
        assert dx.dtype == WITH_BFLOAT16[other]


def test_bfloat16_and_integers_are_parameters_of_each_other(backend):
    pytest.importorskip("ml_dtypes")
    x = np.array([-1, 2])
    two, bfloat16_two = np.array([2, 2], "int64"), np.array([2, 2]).astype("bfloat16")
    for dtype in FLOATING:
        for function in (fa.leaky_relu, fa.silu, fa.elu):
            found = function(x.astype(dtype), bfloat16_two, backend=backend)
            assert_identical(found, function(x.astype(dtype), two, backend=backend))
            assert_identical(found, function(x.astype(dtype), 2.0, backend=backend))
    assert fa.leaky_relu(x, bfloat16_two, backend=backend).dtype == "float64"


# --- floating-point errors -----------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@over_verbs
def test_no_floating_point_error_leaks(verb, backend, dtype):
    """Neither from a kernel or a cast, nor later: NumPy must not find flags that we left."""
    if dtype == "bfloat16":
        pytest.importorskip("ml_dtypes")
    info = np.finfo("float32" if dtype == "bfloat16" else dtype)
    ends = [info.smallest_subnormal, info.tiny, info.max, 0, np.inf, np.nan, 88.8, 709.8, 4e4]
    with np.errstate(all="ignore"):
        x = np.array([sign * end for end in ends for sign in (1, -1)]).astype(dtype)
        x = np.tile(x, 9)
    with np.errstate(all="raise"):
        for form in (x, x[::2], x[:1].reshape(()), np.asfortranarray(x.reshape(2, -1))):
            results(verb, *[form] * len(verb.arguments), backend=backend)
            np.multiply(np.float32(2), np.ones(3, "float32"))


def test_no_floating_point_error_leaks_from_casts(backend):
    tiny, huge = np.array([1e-50, 1e-310]), np.array([1e50, 1e300])
    with np.errstate(all="raise"):
        for values in (tiny, huge):
            for out_dtype in ("float16", "float32"):
                fa.relu(values, out=np.empty(2, out_dtype), backend=backend)
            for number in values.tolist():
                for dtype in ("float16", "float32"):
                    fa.gelu.backward(number, np.ones(2, dtype), backend=backend)
                    fa.leaky_relu(np.ones(2, dtype), number, backend=backend)
                    fa.leaky_relu(np.ones(2, dtype), [number, 1], backend=backend)


def test_warnings_are_errors_in_this_suite():
    with pytest.raises(RuntimeWarning):
        np.log(np.zeros(1))


def test_types_without_a_hash_are_asked_for_arrays():
    class Unhashable(type):
        __hash__ = None

    class Given(metaclass=Unhashable):
        def __array__(self, dtype=None, copy=None):
            return np.array([-1.0, 2.0])

    assert fa.relu(Given()).tolist() == [0, 2]
    assert fa.leaky_relu(np.array([-1.0, -1.0]), Given()).tolist() == [1, -2]
