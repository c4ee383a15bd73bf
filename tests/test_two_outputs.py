"""``out=(a, b)``: neither result depends on the other output, and checks come before any store."""

from __future__ import annotations

import itertools
import time
from fractions import Fraction

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided
from test_layouts import assert_identical

import fastact as fa

ml_dtypes = pytest.importorskip("ml_dtypes")
BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
DTYPES = {name: np.dtype(name) for name in ("float16", "float32", "float64")} | {
    "bfloat16": BFLOAT16
}
over_activations = pytest.mark.parametrize("name", fa.names())
over_dtypes = pytest.mark.parametrize("dtype", DTYPES)
over_narrow_dtypes = pytest.mark.parametrize("dtype", ["float16", "bfloat16"])


def required(name) -> tuple[float, ...]:
    return tuple(p.default for p in fa.get(name).row.parameters if p.required)


def all_numbers(dtype) -> np.ndarray:
    """Return all numbers of 16 bits; each NaN is the same."""
    x = np.arange(1 << 16, dtype=np.uint16).view(DTYPES[dtype])
    with np.errstate(invalid="ignore"):  # signalling NaN
        return np.where(x == x, x, DTYPES[dtype].type(np.nan))


def inputs(dtype) -> np.ndarray:
    """Return numbers of every kind, ties of 16 bits among them."""
    with np.errstate(all="ignore"):
        return all_numbers("float16")[::113].astype(DTYPES[dtype])


# --- values --------------------------------------------------------------------------------------


def stored(function, x, pair, backend="auto"):
    """Return the two results in outputs of these dtypes."""
    outs = tuple(np.empty(x.shape, out_dtype) for out_dtype in pair)
    parameters = required(function.name)
    found = function.value_and_grad(x, *parameters, out=outs, backend=backend)
    assert found[0] is outs[0]
    assert found[1] is outs[1]
    return outs


def check_independence(function, x, backend="auto"):
    alike = {dtype: stored(function, x, (dtype, dtype), backend) for dtype in DTYPES.values()}
    for pair in itertools.permutations(DTYPES.values(), 2):
        for i, result in enumerate(stored(function, x, pair, backend)):
            assert_identical(result, alike[pair[i]][i])


@over_activations
def test_each_result_is_that_of_two_outputs_of_its_dtype(name):
    for dtype in DTYPES:
        check_independence(fa.get(name), inputs(dtype))


@over_dtypes
@pytest.mark.parametrize("name", ["leaky_relu", "gelu", "hard_swish"])
def test_that_holds_in_every_backend(name, dtype, backend):
    check_independence(fa.get(name), inputs(dtype), backend)


@over_narrow_dtypes
@over_activations
def test_sixteen_bits_beside_another_dtype_are_rounded_once(name, dtype):
    """They are the numbers that arrays of 16 bits alone give: test_accuracy_float16.py."""
    function, parameters, x = fa.get(name), required(name), all_numbers(dtype)
    expected = function.value_and_grad(x, *parameters)
    for i, pair in enumerate([(x.dtype, "float32"), ("float32", x.dtype)]):
        assert_identical(stored(function, x, pair)[i], expected[i])


def nearest(value: Fraction, dtype) -> float:
    """Return the number of 16 bits nearest to a value in its normal range, ties to even."""
    digits = 11 if dtype == "float16" else 8
    exponent = digits
    while abs(value) * Fraction(2) ** exponent >= 2**digits:
        exponent -= 1
    while abs(value) * Fraction(2) ** exponent < 2 ** (digits - 1):
        exponent += 1
    return float(round(value * Fraction(2) ** exponent) / Fraction(2) ** exponent)


@pytest.mark.parametrize("out_dtype", ["float16", "bfloat16"])
@over_narrow_dtypes
def test_ties_are_those_of_the_output(dtype, out_dtype):
    """0.01 x, in double, is often the middle of two numbers of 16 bits that the value is not."""
    x = (-np.arange(25, 2000, 25)).astype(DTYPES[dtype])
    out = np.empty(x.shape, DTYPES[out_dtype])
    wanted = [nearest(Fraction(float(number)) * Fraction(0.01), out_dtype) for number in x]
    fa.leaky_relu.value_and_grad(x, out=(out, np.empty(x.shape, "float32")))
    assert out.astype("float64").tolist() == wanted
    assert fa.leaky_relu(x, out=out).astype("float64").tolist() == wanted


@over_dtypes
def test_outputs_of_two_dtypes_may_overlap_the_input(dtype, backend):
    x = inputs(dtype)
    expected = fa.gelu.value_and_grad(
        x.copy(), out=(np.empty(x.shape, "float16"), np.empty(x.shape, "float32")), backend=backend
    )
    memory = np.zeros(x.nbytes + 16 * x.size, np.uint8)
    start = memory[: x.nbytes].view(x.dtype)
    for first_offset, second_offset in ((0, 4 * x.size), (8 * x.size, 0)):
        start[...] = x
        outs = (
            memory[first_offset : first_offset + 2 * x.size].view("float16"),
            memory[second_offset : second_offset + 4 * x.size].view("float32"),
        )
        fa.gelu.value_and_grad(start, out=outs, backend=backend)
        for found, wanted in zip(outs, expected, strict=True):
            assert_identical(found, wanted)


@over_dtypes
def test_a_missing_output_has_the_shape_of_the_other(dtype, backend):
    x = np.array([-1, 0, 2]).astype(DTYPES[dtype])
    expected = fa.gelu.value_and_grad(np.broadcast_to(x, (2, 3)), backend=backend)
    for out_dtype in DTYPES.values():
        for i in (0, 1):
            outs = [None, None]
            outs[i] = np.empty((2, 3), out_dtype)
            found = fa.gelu.value_and_grad(x, out=tuple(outs), backend=backend)
            assert found[i] is outs[i]
            assert_identical(found[1 - i], expected[1 - i])


# --- checks --------------------------------------------------------------------------------------


def read_only(array):
    array.flags.writeable = False
    return array


SECOND = {
    "longer": (lambda dtype: np.full((2, 3), 7, dtype), ValueError, "one shape"),
    "shorter": (lambda dtype: np.full(2, 7, dtype), ValueError, "shape"),
    "read_only": (lambda dtype: read_only(np.full(3, 7, dtype)), ValueError, "read-only"),
    "list": (lambda dtype: [7, 7, 7], TypeError, "ndarray"),
}


@pytest.mark.parametrize("second", SECOND)
@over_dtypes
def test_nothing_is_written_before_all_is_checked(dtype, second, backend):
    make, error, words = SECOND[second]
    x = np.array([-1, 0, 2]).astype(DTYPES[dtype])
    for first_dtype, second_dtype in itertools.product(DTYPES.values(), repeat=2):
        for order in (1, -1):
            outs = (np.full(3, 7, first_dtype), make(second_dtype))[::order]
            with pytest.raises(error, match=rf"^gelu\.value_and_grad: .*out.*{words}"):
                fa.gelu.value_and_grad(x, out=outs, backend=backend)
            assert all((np.asarray(out) == 7).all() for out in outs)


@over_dtypes
def test_outputs_must_not_share_memory(dtype, backend):
    x = np.array([-1, 0, 2]).astype(DTYPES[dtype])
    memory = np.full(8, 7, DTYPES[dtype])
    pairs = {
        "same": (memory[:3], memory[:3]),
        "reversed": (memory[:3], memory[2::-1]),
        "shifted": (memory[:3], memory[2:5]),
        "strided": (memory[:6:2], memory[1:8:3]),
    }
    for pair in pairs.values():
        with pytest.raises(ValueError, match=r"^gelu\.value_and_grad: .*must not share memory"):
            fa.gelu.value_and_grad(x, out=pair, backend=backend)
        assert (memory == 7).all()
    interleaved = (memory[:6:2], memory[1:6:2])
    expected = fa.gelu.value_and_grad(x, backend=backend)
    for out, wanted in zip(
        fa.gelu.value_and_grad(x, out=interleaved, backend=backend), expected, strict=True
    ):
        assert_identical(out, wanted)


def tangled_views(dtype, seed) -> tuple[np.ndarray, np.ndarray]:
    """Return views of one memory of which it is hard to decide whether they share an element."""
    rng = np.random.default_rng(seed)
    memory = np.zeros(1 << 21, np.uint8)
    size = np.dtype(dtype).itemsize

    def view(offset):
        strides = rng.integers(10_000 // size, 60_000 // size, 10) * size + size
        return as_strided(memory[offset:].view(dtype), (3,) * 10, strides.tolist())

    return view(0), view(size)


@pytest.mark.parametrize("seed", range(3))
def test_the_search_for_shared_memory_is_bounded(seed):
    """It is exponential: an exact answer takes minutes here. NumPy's ufuncs bound it as well."""
    first, second = tangled_views("float32", seed)
    x = np.zeros(first.shape, "float32")
    start = time.process_time()
    try:
        fa.gelu.value_and_grad(x, out=(first, second))
    except ValueError as error:
        assert "must not share memory" in str(error)  # noqa: PT017  # found in time
    weight = np.zeros(1, "float32")
    fa.prelu.backward(x, x, weight, out=(first, np.zeros(1, "float32")))
    assert time.process_time() - start < 2
