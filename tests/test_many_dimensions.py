"""Arrays have up to 64 dimensions, as in NumPy 2: off the fast path too, where it iterates."""

from __future__ import annotations

import numpy as np
import pytest
from test_layouts import assert_identical, over_verbs, results, sample

import fastact as fa
from fastact.compat import keras, onnx, torch

MOST = 64
# A few longer axes among those of length one, in any order that they have in memory.
SHAPE = (1,) * 20 + (3, 1, 2) + (1,) * 30 + (5,) + (1,) * (MOST - 54)
SHORT = (3, 2, 5)

LAYOUTS = {
    "contiguous": lambda a: a.reshape(SHAPE),
    "transposed": lambda a: a.transpose(2, 0, 1).copy().transpose(1, 2, 0).reshape(SHAPE),
    "reversed": lambda a: a[::-1, :, ::-1].copy()[::-1, :, ::-1].reshape(SHAPE),
    "strided": lambda a: np.repeat(a, 2, axis=2)[..., ::2].reshape(SHAPE),
    "fortran": lambda a: np.asfortranarray(a.reshape(SHAPE)),
    "byte_swapped": lambda a: a.astype(a.dtype.newbyteorder()).reshape(SHAPE),
}


def arguments(verb, dtype) -> list[np.ndarray]:
    arrays = [sample(SHORT, "float32", seed) for seed in range(len(verb.arguments))]
    with np.errstate(all="ignore"):
        return [array.astype(dtype) for array in arrays]


@over_verbs
def test_results_are_those_of_three_dimensions(verb):
    for dtype in ("float16", "float32", "int8"):
        args = arguments(verb, dtype)
        expected = results(verb, *args)
        for layout in LAYOUTS.values():
            many = [layout(array) for array in args]
            assert all(array.ndim == MOST for array in many)
            for found, wanted in zip(results(verb, *many), expected, strict=True):
                assert_identical(found, wanted.reshape(SHAPE))


@pytest.mark.parametrize("kind", ["forward", "grad", "backward", "value_and_grad"])
def test_out_and_parameters_have_as_many(kind, backend):
    verb = fa.silu if kind == "forward" else getattr(fa.silu, kind)
    for dtype in ("float16", "float32", "float64"):
        args = arguments(verb, dtype)
        betas = np.linspace(0.5, 2, 5)
        expected = results(verb, *args, betas, backend=backend)
        many = [array.reshape(SHAPE) for array in args]
        outs = tuple(np.zeros(SHAPE, dtype)[..., ::-1] for _ in expected)
        found = results(verb, *many, betas.reshape(SHAPE[23:]), out=outs, backend=backend)
        for result, out, wanted in zip(found, outs, expected, strict=True):
            assert result is out
            assert_identical(out, wanted.reshape(SHAPE))


def test_shapes_broadcast(backend):
    g, x = sample((3, 2, 5), "float32"), sample((2, 1), "float32", 1)
    expected = fa.gelu.backward(g, x, backend=backend)
    many = g.reshape(SHAPE), x.reshape(2, *SHAPE[23:53], 1, *SHAPE[54:])
    found = fa.gelu.backward(*many, backend=backend)
    assert_identical(found, expected.reshape(SHAPE))
    out = np.zeros((4, *SHAPE[1:]), "float32")
    fa.gelu(np.ones(SHAPE[1:], "float32"), out=out, backend=backend)
    assert (out == fa.gelu(np.float32(1), backend=backend)).all()
    lengths = (2, *(1,) * 62, 3)
    with pytest.raises(ValueError, match=r"^gelu\.backward: shapes must broadcast together"):
        fa.gelu.backward(np.ones(lengths), np.ones(4))
    with pytest.raises(ValueError, match=r"^gelu: out must have a shape"):
        fa.gelu(np.ones(lengths), out=np.ones(lengths[::-1]))


def test_empty_arrays_may_have_many_long_axes(backend):
    x = np.zeros((2,) * 40 + (0,), "float32").transpose(*range(1, 41), 0)
    for verb in (fa.relu, fa.gelu.grad):
        assert verb(x, backend=backend).shape == x.shape


@pytest.mark.parametrize("backend", ["auto", "numpy"])
def test_one_number_may_be_repeated(backend):
    """Broadcasting gives strides of 0 along the axes."""
    x = np.broadcast_to(np.float32(-2), (1,) * 30 + (2,) * 10 + (1,) * 24)
    assert_identical(fa.gelu(x, backend=backend), np.full(x.shape, fa.gelu(np.float32(-2))))


def test_the_slopes_of_prelu_and_rrelu(backend):
    x, g = sample(SHORT, "float32"), sample(SHORT, "float32", 1)
    weight = np.array([0.1, 0.2, 0.3], "float32")
    expected = fa.prelu.backward(g, x, weight, axis=0, backend=backend)
    many = LAYOUTS["transposed"]
    found = fa.prelu.backward(many(g), many(x), weight, axis=20, backend=backend)
    assert_identical(found[0], expected[0].reshape(SHAPE))
    assert_identical(found[1], expected[1])
    expected = fa.rrelu(x, training=True, rng=7, backend=backend)
    found = fa.rrelu(many(x), training=True, rng=7, backend=backend)
    assert_identical(found, expected.reshape(SHAPE))


COMPOSED = {
    "torch.softplus": (torch.softplus, {"beta": 0.7, "threshold": 2.0}),
    "keras.relu": (keras.relu, {"negative_slope": 0.3, "max_value": 2.5, "threshold": 0.5}),
    "onnx.Selu": (onnx.Selu, {"gamma": 1.5}),
    "onnx.Shrink": (onnx.Shrink, {"lambd": 0.5, "bias": 0.25}),
    "onnx.Clip": (onnx.Clip, {"min": -1, "max": 2}),
}


@pytest.mark.parametrize(("function", "keywords"), COMPOSED.values(), ids=list(COMPOSED))
def test_functions_of_other_libraries(function, keywords):
    x = sample(SHORT, "float32")
    many = LAYOUTS["transposed"](x)
    assert_identical(function(many, **keywords), function(x, **keywords).reshape(SHAPE))
    for found, wanted in zip(
        function.value_and_grad(many, **keywords),
        function.value_and_grad(x, **keywords),
        strict=True,
    ):
        assert_identical(found, wanted.reshape(SHAPE))
    found = function.backward(many, many, **keywords)
    assert_identical(found, function.backward(x, x, **keywords).reshape(SHAPE))


def test_results_have_the_order_of_memory_of_numpy():
    """K: that of the input. Axes of length one have no order."""
    longer = np.array(SHAPE) > 1
    for layout in LAYOUTS.values():
        x = layout(sample(SHORT, "float64"))
        found, wanted = fa.gelu(x, backend="numpy"), np.negative(x)
        assert np.array_equal(np.array(found.strides)[longer], np.array(wanted.strides)[longer])
