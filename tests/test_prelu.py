"""prelu: leaky_relu with one slope for each channel, and the gradient of those slopes."""

from __future__ import annotations

import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
from test_layouts import LAYOUTS, assert_identical, sample

import fastact as fa
from fastact import config, sloped

#: Shapes and axes: rows of a channel that are long, short, single elements; and odd ones.
CHANNELS = {
    "images": ((4, 6, 20, 15), 1),
    "small_images": ((9, 35, 3, 5), 1),
    "last_axis": ((130, 33), 1),
    "first_axis": ((5, 41), 0),
    "negative_axis": ((7, 4, 11), -2),
    "one_channel": ((6, 1, 50), 1),
    "one_row": ((1, 3, 700), 1),
    "vector": ((67,), 0),
    "no_rows": ((0, 4), 1),
    "no_channels": ((3, 0, 2), 1),
}
over_channels = pytest.mark.parametrize(("shape", "axis"), CHANNELS.values(), ids=CHANNELS)
over_dtypes = pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])


def dtype_of(name):
    return np.dtype(pytest.importorskip("ml_dtypes").bfloat16 if name == "bfloat16" else name)


def numbers(shape, dtype, seed=0):
    return np.random.default_rng(seed).normal(scale=3, size=shape).astype(dtype)


def weights(length, dtype):
    return np.random.default_rng(9).uniform(-0.5, 1.5, length).astype(dtype)


def spread(weight, shape, axis):
    """Return the weight as an array that broadcasts against one of this shape."""
    return weight.reshape([-1 if i == axis % len(shape) else 1 for i in range(len(shape))])


def exact_sums(g, x, axis):
    """Return the sums of g min(x, 0) along all axes but one, and of their magnitudes."""
    g, x = (list(np.moveaxis(a.astype(float), axis, 0)) for a in (g, x))
    terms = [
        [Fraction(a) * Fraction(b) for a, b in zip(*map(np.ravel, pair), strict=True) if b < 0]
        for pair in zip(g, x, strict=True)
    ]
    sums = [float(sum(channel)) for channel in terms]
    return np.array(sums), np.array([float(sum(map(abs, channel))) for channel in terms])


# --- the function ------------------------------------------------------------------------------


@over_dtypes
@over_channels
def test_each_channel_is_leaky_relu_with_its_slope(shape, axis, dtype, backend):
    dtype = dtype_of(dtype)
    x, weight = numbers(shape, dtype), weights(shape[axis], dtype)
    found = {
        verb: getattr(fa.prelu, verb)(x, weight, axis, backend=backend)
        for verb in ("__call__", "grad", "value_and_grad")
    }
    for i, slope in enumerate(weight.tolist()):
        part = np.take(x, i, axis)
        value = fa.leaky_relu(part, slope, backend=backend)
        derivative = fa.leaky_relu.grad(part, slope, backend=backend)
        assert_identical(np.take(found["__call__"], i, axis), value)
        assert_identical(np.take(found["grad"], i, axis), derivative)
        for both, expected in zip(found["value_and_grad"], (value, derivative), strict=True):
            assert_identical(np.take(both, i, axis), expected)
    assert found["__call__"].shape == shape
    assert found["__call__"].dtype == dtype


@pytest.mark.parametrize("weight", [0.25, [0.25], np.float32(0.25), np.array([[0.25]])], ids=str)
@pytest.mark.parametrize("shape", [(), (3,), (3, 4), (2, 3, 4)], ids=str)
def test_one_slope_is_for_all_channels(weight, shape, backend):
    """Then the axis does not matter; and x of no or one axis has one channel."""
    x = numbers(shape, "float32")
    for result in (fa.prelu(x, weight, backend=backend), fa.prelu(x, weight=weight)):
        np.testing.assert_array_equal(result, fa.leaky_relu(x, 0.25))
        assert result.dtype == np.float32


@over_channels
def test_special_values(shape, axis, backend):
    x, weight = sample(shape, "float32"), weights(shape[axis], "float32")
    slope = np.broadcast_to(spread(weight, shape, axis).astype(float), shape)
    with np.errstate(all="ignore"):
        expected = np.where(x > 0, x, slope * x).astype("float32")
        derivative = np.where(np.isnan(x), x, np.where(x > 0, 1, slope)).astype("float32")
    value, grad = fa.prelu.value_and_grad(x, weight, axis, backend=backend)
    np.testing.assert_array_equal(value, expected)
    np.testing.assert_array_equal(grad, derivative)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_do_not_matter(layout, backend):
    x, g = (LAYOUTS[layout](numbers((23, 36), "float64", seed)) for seed in range(2))
    weight = weights(x.shape[1] if x.ndim > 1 else 1, "float64")
    axis = 1
    plain_x, plain_g = (np.ascontiguousarray(a, "float64") for a in (x, g))
    assert_identical(
        fa.prelu(x, weight, axis, backend=backend),
        fa.prelu(plain_x, weight, axis, backend=backend),
    )
    for found, expected in zip(
        fa.prelu.backward(g, x, weight, axis, backend=backend),
        fa.prelu.backward(plain_g, plain_x, weight, axis, backend=backend),
        strict=True,
    ):
        np.testing.assert_array_equal(found, expected)


@over_channels
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_short_cut_is_the_general_way(shape, axis, dtype):
    """A call that names the backend, or has an ``out``, takes the general way."""
    x, g = numbers(shape, dtype), numbers(shape, dtype, 1)
    weight = weights(shape[axis], dtype)
    short = [fa.prelu(x, weight, axis), *fa.prelu.backward(g, x, weight, axis)]
    general = [
        fa.prelu(x, weight, axis, backend=config.available_backends()[0]),
        *fa.prelu.backward(g, x, weight, axis, backend=config.available_backends()[0]),
    ]
    in_place = x.copy()
    assert fa.prelu(in_place, weight, axis, out=in_place) is in_place
    for one, other in zip([*short, in_place], [*general, short[0]], strict=True):
        assert_identical(one, other)


@over_dtypes
@pytest.mark.parametrize("shape", [(67,), (5, 41), (0, 4), (3, 30_001)], ids=str)
def test_backward_with_a_number_is_that_with_an_array(shape, dtype):
    """With a number it takes the fast path; nothing comes from x >= 0 there either."""
    dtype = dtype_of(dtype)
    x, g = numbers(shape, dtype), numbers(shape, dtype, 1)
    dx, dweight = fa.prelu.backward(g, x, np.full(1, 0.25, dtype))
    for weight in (0.25, np.float64(0.25)):
        found = fa.prelu.backward(g, x, weight)
        assert_identical(found[0], dx)
        assert found[1].astype(dtype) == dweight[0]
    found = fa.prelu.backward(g, x, 0.25)[1]
    assert type(found) is type(dweight[0])
    g[x >= 0] = np.inf
    assert fa.prelu.backward(g, x, 0.25)[1] == found
    if x.size:
        x.flat[-1] = np.nan
        assert np.isnan(fa.prelu.backward(g, x, 0.25)[1])


@pytest.mark.parametrize("name", ["leaky_relu", "elu", "softplus", "silu"])
@over_channels
def test_channels_of_any_activation(name, shape, axis, backend):
    """What spares prelu from repeating its slopes serves all that have one parameter."""
    x, values = numbers(shape, "float32"), np.linspace(0.3, 2, shape[axis])
    activation, g = fa.get(name), numbers(shape, "float32", 1)
    column = spread(values, shape, axis)
    how = {"backend": backend, "precision": "faithful"}
    for verb, arrays in ((activation, [x]), (activation.backward, [g, x])):
        found = verb(*arrays, column, **how)
        in_place = arrays[0].copy()
        verb(in_place, *arrays[1:], column, out=in_place, **how)
        assert_identical(in_place, found)
        for i, value in enumerate(values.tolist()):
            expected = verb(*(np.take(a, i, axis) for a in arrays), value, **how)
            assert_identical(np.take(found, i, axis), expected)


def test_large_arrays_in_many_threads_are_those_of_one():
    for shape in ((3, 40, 70, 71), (30_001, 33), (2, 3, 400_001), (600, 70, 47), (800_001, 1)):
        x, g = numbers(shape, "float32"), numbers(shape, "float32", 1)
        weight = weights(shape[1], "float32")
        found = []
        for threads in (1, 2, 5):
            with fa.use_threads(threads):
                found.append([fa.prelu(x, weight), *fa.prelu.backward(g, x, weight)])
        for results in found[1:]:
            for one, other in zip(results, found[0], strict=True):
                assert_identical(one, other)
        np.testing.assert_array_equal(
            found[0][0], fa.prelu(x, weight, backend="numpy"), err_msg=str(shape)
        )


# --- gradients ---------------------------------------------------------------------------------


@over_dtypes
@over_channels
def test_backward(shape, axis, dtype, backend):
    """The gradient of x is that of leaky_relu; the sums are right to the last bits."""
    dtype = dtype_of(dtype)
    x, g, weight = numbers(shape, dtype), numbers(shape, dtype, 1), weights(shape[axis], dtype)
    dx, dweight = fa.prelu.backward(g, x, weight, axis, backend=backend)
    assert dweight.shape == weight.shape
    assert dx.dtype == dweight.dtype == dtype
    for i, slope in enumerate(weight.tolist()):
        expected = fa.leaky_relu.backward(
            np.take(g, i, axis), np.take(x, i, axis), slope, backend=backend
        )
        assert_identical(np.take(dx, i, axis), expected)
    sums, magnitudes = exact_sums(g, x, axis)
    rounding = float(np.finfo(dtype).eps) if dtype.kind == "f" else 2.0**-7
    error = np.abs(dweight.astype(float) - sums)
    assert (error <= rounding * np.abs(sums) / 2 + 2.0**-49 * magnitudes).all()
    if x.size:  # by NumPy, as without the extension
        own = [np.moveaxis(array.astype(float), axis, 0) for array in (g, x)]
        found = sloped._sums_by_numpy(*(a.reshape(1, len(a), -1) for a in own))
        assert (np.abs(found - sums) <= 2.0**-49 * magnitudes).all()


#: At the ends of what the sums take together: rows, columns, rows of few elements.
SUMMED = [
    (1, 1, 127), (1, 1, 128), (1, 1, 8192), (1, 1, 8193), (1, 1, 16450), (64, 2, 1), (65, 5, 1),
    (129, 3, 17), (200, 1, 5), (7, 2, 255), (7, 2, 256), (3, 2, 8321), (66, 129, 2),
    (3, 2100, 1), (70, 300, 7), (65, 11, 250), (8300, 2, 1), (2, 70, 35),
]  # fmt: skip


@pytest.mark.parametrize("sums", ["compiled", "by_numpy"])
@pytest.mark.parametrize("shape", SUMMED, ids=str)
def test_sums_have_every_element(shape, sums):
    """Of integers, so that they are exact."""
    if sums == "compiled" and config.driver is None:
        pytest.skip("the extension is not built")
    x, g = (np.rint(numbers(shape, "float64", seed)) for seed in range(2))
    expected = (g * np.minimum(x, 0)).sum(axis=(0, 2))
    for dtype in ("float32", "float64"):
        arrays = g.astype(dtype), x.astype(dtype)
        if sums == "by_numpy":
            found = sloped._sums_by_numpy(*arrays)
        else:
            how = np.ones((shape[1], 1)), (shape[1],), np.dtype("float64")
            found = sloped._weight_gradient(*arrays, *how)
        np.testing.assert_array_equal(found, expected)


def test_sums_of_many_do_not_lose_digits():
    """Added one to the next, equal terms would lose four digits."""
    x, g = np.full((2_000_000, 2), -1.0), np.full((2_000_000, 2), 0.1)
    _, dweight = fa.prelu.backward(g, x, np.ones(2))
    np.testing.assert_allclose(dweight, [-2e5, -2e5], rtol=1e-14)
    assert abs(np.cumsum(g[:, 0])[-1] - 2e5) > 2e5 * 1e-12


def test_blocks_that_cancel_leave_the_others():
    """Far apart, so that no block has both: one number cannot hold what is summed in between."""
    x, g = np.full((100_000, 1), -1.0), np.zeros((100_000, 1))
    g[[0, 40_000, 60_000, -1]] = [[1e17], [1.0], [1.0], [-1e17]]
    for length in (1, 2):
        _, dweight = fa.prelu.backward(g.repeat(length, 1), x.repeat(length, 1), np.ones(length))
        np.testing.assert_array_equal(dweight, [-2.0] * length)


@pytest.mark.parametrize(
    ("weight", "dtype", "shape"),
    [
        (0.25, "float32", ()),
        (1, "float32", ()),
        (np.float64(0.25), "float64", ()),
        (np.array(0.25, "float16"), "float16", ()),
        ([0.25], "float64", (1,)),
        (np.ones((1, 1), "float32"), "float32", (1, 1)),
        ([1, 2, 3], "float64", (3,)),
        (np.ones(3, ">f4"), "float32", (3,)),
    ],
    ids=str,
)
def test_the_gradient_of_the_weight_is_like_the_weight(weight, dtype, shape):
    x = numbers((4, 3), "float32")
    _, dweight = fa.prelu.backward(np.ones_like(x), x, weight)
    assert dweight.dtype == dtype
    assert np.shape(dweight) == shape
    assert isinstance(dweight, np.ndarray) == (shape != ())
    negative = np.minimum(x, 0).astype(float)
    expected = negative.sum(axis=0) if np.size(weight) == 3 else negative.sum()
    np.testing.assert_allclose(np.ravel(dweight), np.ravel(expected), rtol=1e-3)


def test_gradients_broadcast():
    x, weight = numbers((5, 3, 4), "float64"), np.array([0.1, 0.2, 0.3])
    for g in (2.0, numbers(4, "float64", 1), numbers((2, 5, 1, 4), "float64", 1)):
        dx, dweight = fa.prelu.backward(g, x, weight)
        terms = g * np.minimum(x, 0)
        assert dx.shape == terms.shape
        axes = tuple(i for i in range(terms.ndim) if i != terms.ndim - 2)
        np.testing.assert_allclose(dweight, terms.sum(axis=axes), rtol=1e-13)


def test_positive_elements_contribute_nothing_and_nan_is_seen():
    g = np.array([[np.inf, 1.0, 1.0, np.nan, 1.0], [2.0, np.inf, 1.0, 1.0, -np.inf]])
    x = np.array([[3.0, -1.0, np.nan, 5.0, -np.inf], [-1.0, -2.0, 1.0, 0.0, -1.0]])
    _, dweight = fa.prelu.backward(g, x, np.full(5, 0.5))
    np.testing.assert_array_equal(dweight, [-2.0, -np.inf, np.nan, 0.0, np.nan])


def test_no_floating_point_error_leaks(backend):
    x = np.array([[-3e38, -1e-45, np.inf, -np.inf]], "float32")
    with np.errstate(all="raise"):
        fa.prelu.value_and_grad(x, [1e30, 1e-30, 0.0, np.inf], backend=backend)
        out = None, np.zeros(4, "float16")
        fa.prelu.backward(x, x, np.full(4, 1e30), out=out, backend=backend)
        fa.rrelu(x, 0.0, 1e-320, True, 1, backend=backend)
    assert np.isposinf(out[1][0])


def test_gradients_of_integers_are_floats():
    dx, dweight = fa.prelu.backward(np.array([[1, 2]]), np.array([[-3, 4]]), [2, 2])
    assert dx.dtype == dweight.dtype == np.float64
    assert dx.tolist() == [[2.0, 2.0]]
    assert dweight.tolist() == [-3.0, 0.0]
    assert fa.prelu(np.array([[-3, 4]]), 2).dtype == np.float64


@over_channels
def test_pytorch_agrees(shape, axis):
    """F.prelu and its autograd, which know the second axis only."""
    torch = pytest.importorskip("torch")
    if axis != 1 or 0 in shape:
        pytest.skip("PyTorch has no such channels")
    x, g = (
        torch.tensor(numbers(shape, "float64", seed), requires_grad=not seed) for seed in range(2)
    )
    weight = torch.tensor(weights(shape[1], "float64"), requires_grad=True)
    y = torch.nn.functional.prelu(x, weight)
    y.backward(g)
    arrays = [tensor.detach().numpy() for tensor in (g, x, weight)]
    dx, dweight = fa.prelu.backward(*arrays)
    np.testing.assert_array_equal(fa.prelu(*arrays[1:]), y.detach().numpy())
    np.testing.assert_array_equal(dx, x.grad.numpy())
    np.testing.assert_allclose(dweight, weight.grad.numpy(), rtol=1e-12, atol=1e-12)


def test_the_gradient_of_the_weight_is_the_slope():
    """A central difference of the sum of outputs; prelu is linear in the weight."""
    x, weight = numbers((6, 3, 5), "float64"), np.array([0.2, -0.1, 1.3])
    g, h = numbers((6, 3, 5), "float64", 1), 2.0**-10
    _, dweight = fa.prelu.backward(g, x, weight)
    for i in range(3):
        step = h * (np.arange(3) == i)
        change = (g * (fa.prelu(x, weight + step) - fa.prelu(x, weight - step))).sum()
        assert math.isclose(dweight[i], change / (2 * h), rel_tol=1e-10)


# --- out ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(4, 6, 300), (40, 33)], ids=str)
@pytest.mark.parametrize("offset", [-3, 0, 3])
def test_out_may_overlap(shape, offset, backend):
    """With rows of one channel and with those of many."""
    memory = numbers(math.prod(shape) + 6, "float32")
    weight = weights(shape[1], "float32")
    x, out = (memory[i : len(memory) - 6 + i].reshape(shape) for i in (3, 3 + offset))
    expected = fa.prelu(x.copy(), weight, backend=backend)
    assert_identical(fa.prelu(x, weight, out=out, backend=backend), expected)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_out(dtype, backend):
    x, g = (numbers((6, 3, 50), dtype, seed) for seed in range(2))
    weight = weights(3, dtype)
    expected = fa.prelu.backward(g, x, weight, backend=backend)
    given = np.empty_like(x), np.empty_like(weight)
    found = fa.prelu.backward(g, x, weight, out=given, backend=backend)
    assert found[0] is given[0]
    assert found[1] is given[1]
    only_one = fa.prelu.backward(g, x, weight, out=(None, given[1]), backend=backend)
    in_place = x.copy()
    fa.prelu.backward(g, in_place, weight, out=(in_place, None), backend=backend)
    own = weight.copy()
    fa.prelu.backward(g, x, own, out=(None, own), backend=backend)
    for result, right in (
        *zip(found, expected, strict=True),
        *zip(only_one, expected, strict=True),
        (in_place, expected[0]),
        (own, expected[1]),
    ):
        assert_identical(result, right)


X = np.array([[-1.0, 2.0, -3.0]], "float32")
BACKWARD = fa.prelu.backward
SHARED = np.zeros((1, 3), "float32")
BAD_CALLS = {
    "no_weight": (fa.prelu, (X,), {}, TypeError, "argument 'weight' is missing"),
    "no_weight_in_backward": (BACKWARD, (X, X), {}, TypeError, "argument 'weight' is missing"),
    "text": (fa.prelu, (X, "a"), {}, TypeError, "weight must be a real number"),
    "complex": (fa.prelu, (X, [1j]), {}, TypeError, "weight must be a real number"),
    "length": (fa.prelu, (X, [1, 2]), {}, ValueError, "weight must have 1 or 3 elements.* got 2"),
    "length_along_another_axis": (fa.prelu, (X, [1, 2], 0), {}, ValueError, "axis 0 of x, got 2"),
    "no_elements": (fa.prelu, (X, []), {}, ValueError, "weight must have 1 or 3 elements.* got 0"),
    "two_dimensions": (fa.prelu, (X, [[1, 2, 3]]), {}, ValueError, r"weight.* shape \(1, 3\)"),
    "vector": (fa.prelu, (X[0], [1, 2, 3]), {}, ValueError, "axis must be at least -1 and below 1"),
    "number": (fa.prelu, (1.0, [1, 2]), {}, ValueError, "weight must have 1 .*got 2"),
    "axis": (fa.prelu, (X, 0.5, 2), {}, ValueError, "axis must be at least -2 and below 2.* got 2"),
    "axis_text": (fa.prelu, (X, 0.5, "a"), {}, TypeError, "axis must be an integer, got 'a'"),
    "shapes": (BACKWARD, (X[:, :2], X, 0.5), {}, ValueError, "broadcast together"),
    "x_complex": (BACKWARD, (X, X + 1j, 0.5), {}, TypeError, "x must be real"),
    "out_one": (BACKWARD, (X, X, 0.5), {"out": X.copy()}, TypeError, "tuple of 2 arrays"),
    "out_weight_shape": (
        BACKWARD, (X, X, [1, 2, 3]), {"out": (None, np.zeros(2))}, ValueError,
        r"out must have a shape to which \(3,\) broadcasts",
    ),
    "out_weight_dtype": (
        BACKWARD, (X, X, [1, 2, 3]), {"out": (None, np.zeros(3, int))}, TypeError, "out must have",
    ),
    "out_x_shape": (
        BACKWARD, (X, X, [1, 2, 3]), {"out": (np.zeros(2), np.zeros(3))}, ValueError, "out must",
    ),
    "out_shared": (
        BACKWARD, (X, X, X[0]), {"out": (SHARED, SHARED[0])}, ValueError, "must not share memory",
    ),
    "backend": (BACKWARD, (X, X, 0.5), {"backend": "fast"}, ValueError, "backend"),
    "unknown": (fa.prelu, (X, 0.5), {"axes": 1}, TypeError, "'axes'; it takes x, weight, axis"),
    "from_output": (
        fa.prelu.backward_from_output, (X, X, 0.5), {}, TypeError,
        "gradient of the weight needs x.* use prelu.backward",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("verb", "args", "kwargs", "error", "message"), BAD_CALLS.values(), ids=BAD_CALLS
)
def test_errors_name_the_verb_and_leave_out_untouched(verb, args, kwargs, error, message):
    outs = [array for array in kwargs.get("out", ()) if isinstance(array, np.ndarray)]
    before = [array.copy() for array in outs]
    with pytest.raises(error, match=f"^{verb.__name__}: .*{message}"):
        verb(*args, **kwargs)
    for array, held in zip(outs, before, strict=True):
        np.testing.assert_array_equal(array, held)


# --- the rest of the contract ------------------------------------------------------------------


def test_it_is_one_of_the_catalogue():
    assert fa.get("prelu") is fa.prelu
    assert "prelu" in fa.names()
    for verb in (fa.prelu, fa.prelu.backward):
        assert pickle.loads(pickle.dumps(verb)) is verb
    assert fa.prelu.backward.nout == 2


def test_dask_stays_lazy():
    da = pytest.importorskip("dask.array")
    x = numbers((6, 4, 5), "float32")
    for weight in (0.25, np.array([0.1, 0.2, 0.3, 0.4])):
        lazy = fa.prelu(da.from_array(x, chunks=(2, 3, 5)), weight)
        assert isinstance(lazy, da.Array)
        assert_identical(lazy.compute(scheduler="threads"), fa.prelu(x, weight))
        copied = pickle.loads(pickle.dumps(lazy))
        assert_identical(copied.compute(scheduler="sync"), fa.prelu(x, weight))


def test_pandas_keeps_its_index():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(numbers((4, 3), "float64"), index=list("abcd"))
    weight = [0.1, 0.2, 0.3]
    result = fa.prelu(frame, weight)
    assert result.index.tolist() == list("abcd")
    np.testing.assert_array_equal(result.to_numpy(), fa.prelu(frame.to_numpy(), weight))
    dx, dweight = fa.prelu.backward(frame, frame, weight)
    assert dx.index.tolist() == list("abcd")
    assert type(dweight) is np.ndarray


def test_an_output_that_repeats_results_leaves_the_gradient_of_the_weight(backend):
    out = np.empty((3, 2), "float32"), np.empty((), "float64")
    g, x = np.ones(2, "float32"), np.array([-1, -2], "float32")
    fa.prelu.backward(g, x, 0.5, out=out, backend=backend)
    assert out[0].tolist() == [[0.5, 0.5]] * 3
    assert out[1] == -3
