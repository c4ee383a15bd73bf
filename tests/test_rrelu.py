"""rrelu: leaky_relu with the mean slope, or with slopes drawn in training."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from test_layouts import LAYOUTS, assert_identical, sample

import fastact as fa

LOWER, UPPER = 1 / 8, 1 / 3
MEAN = (LOWER + UPPER) / 2
VERBS = ("__call__", "grad", "backward", "backward_from_output", "value_and_grad")
OF_A_FORWARD_CALL = ("grad", "backward", "backward_from_output")
over_verbs = pytest.mark.parametrize("verb", VERBS)
over_dtypes = pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])

X = np.random.default_rng(1).normal(scale=3, size=(23, 36))
G = np.random.default_rng(2).normal(size=(23, 36))


def dtype_of(name):
    return np.dtype(pytest.importorskip("ml_dtypes").bfloat16 if name == "bfloat16" else name)


def call(function, verb, *parameters, x=X, g=G, **keywords):
    """Return the results of a verb as a tuple."""
    arrays = (g, x) if verb.startswith("backward") else (x,)
    result = getattr(function, verb)(*arrays, *parameters, **keywords)
    return result if verb == "value_and_grad" else (result,)


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        assert_identical(one, other)


# --- not training ------------------------------------------------------------------------------


@over_dtypes
@over_verbs
def test_it_is_leaky_relu_with_the_mean_slope(verb, dtype, backend):
    x, g = X.astype(dtype_of(dtype)), G.astype(dtype_of(dtype))
    for parameters, slope in (((), MEAN), ((0.0, 0.5), 0.25), ((0.3, 0.3), 0.3)):
        found = call(fa.rrelu, verb, *parameters, x=x, g=g, backend=backend)
        assert_same(found, call(fa.leaky_relu, verb, slope, x=x, g=g, backend=backend))


@over_verbs
def test_the_generator_is_not_used(verb):
    rng = np.random.default_rng(3)
    before = rng.bit_generator.state
    assert_same(call(fa.rrelu, verb, rng=rng), call(fa.rrelu, verb))
    assert rng.bit_generator.state == before


def test_bounds_may_be_arrays(backend):
    lower, upper = np.array([[0.1], [0.2]]), np.array([0.3, 0.4, 0.5])
    x = np.full((2, 3), -1.0)
    np.testing.assert_array_equal(fa.rrelu(x, lower, upper, backend=backend), -(lower + upper) / 2)
    drawn = -fa.rrelu(x, lower, upper, training=True, rng=1, backend=backend)
    assert ((lower <= drawn) & (drawn < upper)).all()


# --- slopes ------------------------------------------------------------------------------------


def test_slopes_are_uniform():
    """Kolmogorov and Smirnov: the distance of the distributions; beyond 2 once in 1,500 seeds."""
    n = 100_000
    slopes = np.sort(fa.rrelu.draw_slopes(n, 0.2, 0.7, rng=5))
    distance = np.abs((slopes - 0.2) / 0.5 - (np.arange(n) + 0.5) / n).max() * np.sqrt(n)
    assert distance < 2
    assert abs(np.corrcoef(fa.rrelu.draw_slopes((2, n), rng=5))[0, 1]) < 0.02


@pytest.mark.parametrize(
    ("lower", "upper"),
    [(LOWER, UPPER), (-2.0, 1.0), (1.0, np.nextafter(1.0, 2)), (1e16, 1e16 + 4), (0.3, 0.3)],
)
def test_slopes_lie_between_the_bounds(lower, upper):
    """Rounding would reach the upper one, where few numbers lie between."""
    slopes = fa.rrelu.draw_slopes((100, 100), lower, upper, rng=8)
    assert slopes.dtype == np.float64
    assert slopes.shape == (100, 100)
    assert slopes.min() >= lower
    assert slopes.max() < upper or lower == upper


def test_a_state_gives_the_same_slopes():
    first, again, other = (fa.rrelu.draw_slopes((3, 4), rng=seed) for seed in (7, 7, 8))
    assert_identical(first, again)
    assert (first != other).all()
    assert_identical(fa.rrelu.draw_slopes((3, 4), rng=np.random.default_rng(7)), first)
    assert (fa.rrelu.draw_slopes(5) != fa.rrelu.draw_slopes(5)).all()


@over_dtypes
def test_the_number_of_draws_is_the_number_of_elements(dtype):
    """Whatever the dtype, the bounds, the signs and the layout."""
    x = np.asfortranarray(X.astype(dtype_of(dtype)))
    rng, expected = np.random.default_rng(4), np.random.default_rng(4)
    fa.rrelu(x, training=True, rng=rng)
    fa.rrelu.value_and_grad(-np.abs(x), 0.0, 0.0, training=True, rng=rng)
    expected.random(2 * x.size)
    assert rng.bit_generator.state == expected.bit_generator.state


# --- training ----------------------------------------------------------------------------------


@over_dtypes
@over_verbs
def test_training_is_leaky_relu_with_the_slopes_drawn(verb, dtype, backend):
    x, g = X.astype(dtype_of(dtype)), G.astype(dtype_of(dtype))
    slopes = fa.rrelu.draw_slopes(x.shape, 0.1, 0.9, rng=6)
    expected = call(fa.leaky_relu, verb, slopes, x=x, g=g, backend=backend)
    how = {"x": x, "g": g, "backend": backend}
    assert_same(call(fa.rrelu, verb, slopes=slopes, **how), expected)
    for rng in (6, np.random.default_rng(6)):
        assert_same(call(fa.rrelu, verb, 0.1, 0.9, True, rng, **how), expected)


@over_verbs
def test_the_short_cut_is_the_general_way(verb):
    """A call that names the backend, or has an ``out``, takes the general way."""
    slopes = fa.rrelu.draw_slopes(X.shape, rng=6)
    for given in (slopes, np.asfortranarray(slopes), slopes.astype("float32"), slopes[:1]):
        short = call(fa.rrelu, verb, slopes=given)
        assert_same(short, call(fa.rrelu, verb, slopes=given, backend="auto"))
        plain = np.broadcast_to(given, X.shape).astype(float)
        assert_same(short, call(fa.rrelu, verb, slopes=plain))


@pytest.mark.parametrize("size", [24, 240_000])
@over_verbs
def test_training_keeps_the_memory_order(verb, size, backend):
    x = np.linspace(-3, 3, size).reshape(2, 3, -1)
    function = getattr(fa.rrelu, verb)
    for layout in (np.asfortranarray(x), x.transpose(2, 0, 1), x[:, ::-1], x.T):
        arrays = [layout] * (2 if verb.startswith("backward") else 1)
        plain = map(np.ascontiguousarray, arrays)
        results = function(*arrays, training=True, rng=1, backend=backend)
        expected = function(*plain, training=True, rng=1, backend=backend)
        results, expected = (r if isinstance(r, tuple) else (r,) for r in (results, expected))
        for result, same in zip(results, expected, strict=True):
            assert result.strides == np.tanh(layout).strides
            np.testing.assert_array_equal(result, same)


def test_value_and_grad_are_of_the_same_slopes():
    value, grad = fa.rrelu.value_and_grad(X, training=True)
    np.testing.assert_array_equal(value, np.where(X > 0, X, grad * X))
    assert (grad[X > 0] == 1).all()
    assert np.unique(grad[X <= 0]).size == (X <= 0).sum()


def test_three_ways_to_the_gradient_of_a_forward_call():
    slopes = fa.rrelu.draw_slopes(X.shape, rng=np.random.default_rng(11))
    by_slopes = fa.rrelu(X, slopes=slopes), fa.rrelu.backward(G, X, slopes=slopes)
    value, grad = fa.rrelu.value_and_grad(X, training=True, rng=np.random.default_rng(11))
    assert_same((value, G * grad), by_slopes)
    by_state = (
        fa.rrelu(X, training=True, rng=11),
        fa.rrelu.backward(G, X, training=True, rng=11),
    )
    assert_same(by_state, by_slopes)
    from_output = fa.rrelu.backward_from_output(G, value, slopes=slopes)
    assert_identical(from_output, by_slopes[1])


@over_verbs
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_do_not_matter(layout, verb, backend):
    """An element has the slope of its index, wherever it lies in memory."""
    x, g = LAYOUTS[layout](X), LAYOUTS[layout](G)
    plain = {"x": np.ascontiguousarray(x, float), "g": np.ascontiguousarray(g, float)}
    how = {"training": True, "rng": 3, "backend": backend}
    found = call(fa.rrelu, verb, x=x, g=g, **how)
    assert_same(found, call(fa.rrelu, verb, **plain, **how))


@pytest.mark.parametrize("x", [-2.0, np.float32(-2), np.array(-2.0), [-2.0], -2, np.zeros((0, 3))])
def test_shapes_and_types(x):
    value, model = fa.rrelu(x, training=True, rng=1), np.tanh(x)
    assert type(value) is type(model)
    assert value.dtype == model.dtype
    assert np.shape(value) == np.shape(x)
    slopes = fa.rrelu.draw_slopes(np.shape(x), rng=1)
    np.testing.assert_allclose(value, slopes * np.asarray(x), rtol=1e-7)


def test_special_values(backend):
    x = sample((40, 9), "float32")
    slopes = fa.rrelu.draw_slopes(x.shape, 0.0, 1.0, rng=2)
    value, grad = fa.rrelu.value_and_grad(x, 0.0, 1.0, True, 2, backend=backend)
    with np.errstate(all="ignore"):
        expected = np.where(x > 0, x, slopes * x).astype("float32")
        derivative = np.where(np.isnan(x), x, np.where(x > 0, 1, slopes)).astype("float32")
    np.testing.assert_array_equal(value, expected)
    np.testing.assert_array_equal(grad, derivative)


def test_out(backend):
    how = {"training": True, "rng": 5, "backend": backend}
    for verb in VERBS:
        expected = call(fa.rrelu, verb, **how)
        x = X.copy()
        out = (x, np.empty_like(x)) if verb == "value_and_grad" else (x,)
        found = call(fa.rrelu, verb, x=x, out=out, **how)
        assert all(one is given for one, given in zip(found, out, strict=True))
        assert_same(found, expected)


def test_pytorch_draws_the_same_distribution_and_mean():
    torch = pytest.importorskip("torch")
    x = torch.from_numpy(X)
    np.testing.assert_allclose(fa.rrelu(X), torch.nn.functional.rrelu(x).numpy(), rtol=1e-15)
    drawn = torch.nn.functional.rrelu(-torch.ones(100_000), training=True).numpy()
    ours = fa.rrelu(-np.ones(100_000), training=True, rng=1)
    np.testing.assert_allclose(
        np.quantile(ours, [0, 0.25, 0.5, 1]), np.quantile(drawn, [0, 0.25, 0.5, 1]), atol=5e-3
    )


# --- errors ------------------------------------------------------------------------------------

BAD_CALLS = {
    "order": ((0.5, 0.25), {}, ValueError, "lower.* upper.*0.5.*0.25"),
    "order_in_training": ((0.5, 0.25, True, 1), {}, ValueError, "lower.* upper.*0.5.*0.25"),
    "nan": ((np.nan, 0.25), {}, ValueError, "lower.*nan"),
    "nan_above": ((0.1, np.nan), {}, ValueError, "lower.* upper.*0.1.*nan"),
    "infinite": ((0.1, np.inf, True, 1), {}, ValueError, "must be finite.*0.1.*inf"),
    "text": (("a",), {}, TypeError, "lower must be a real number"),
    "slopes_in_training": ((), {"training": True, "slopes": 1.0}, ValueError, "slopes must not be"),
    "slopes_text": ((), {"slopes": "a"}, TypeError, "slopes must be a real number"),
    "slopes_shape": ((), {"slopes": np.ones(7)}, ValueError, r"broadcast together.* slopes \(7,\)"),
    "rng": ((), {"training": True, "rng": "a"}, TypeError, "rng must be a numpy.random.Generator"),
    "rng_unused": ((), {"rng": "a"}, TypeError, "rng must be a numpy.random.Generator"),
    "training": ((), {"training": "no"}, TypeError, "training must be a bool, got 'no'"),
    "training_1": ((), {"training": 1, "rng": 1}, TypeError, "training must be a bool, got 1"),
    "training_array": ((), {"training": np.ones(2, bool)}, TypeError, "training must be a bool"),
    "training_none": ((), {"training": None}, TypeError, "training must be a bool, got None"),
    "seed": ((), {"training": True, "rng": -1}, ValueError, "rng must be .*got -1"),
    "unknown": ((), {"seed": 1}, TypeError, "'seed'; it takes .*training, rng, slopes, out"),
    "too_many": ((0.1, 0.2, False, None, 1.0, 2.0, 3.0), {}, TypeError, "at most"),
}


@over_verbs
@pytest.mark.parametrize(
    ("parameters", "keywords", "error", "message"), BAD_CALLS.values(), ids=BAD_CALLS
)
def test_errors_name_the_verb_and_the_values(verb, parameters, keywords, error, message):
    name = "rrelu" if verb == "__call__" else f"rrelu.{verb}"
    with pytest.raises(error, match=f"^{name}: .*{message}"):
        call(fa.rrelu, verb, *parameters, **keywords)


def test_training_may_be_a_bool_of_numpy():
    expected = fa.rrelu(X, training=True, rng=1)
    assert_identical(fa.rrelu(X, training=np.True_, rng=1), expected)
    assert_identical(fa.rrelu(X, training=np.False_), fa.rrelu(X))


@pytest.mark.parametrize("verb", OF_A_FORWARD_CALL)
def test_a_gradient_needs_the_slopes_of_its_forward_call(verb):
    with pytest.raises(ValueError, match=f"^rrelu.{verb}: the slopes that were drawn are unknown"):
        call(fa.rrelu, verb, training=True)


def test_backward_from_output_needs_slopes_of_zero_or_above():
    for parameters, keywords, name in (
        ((-0.1, 0.5), {}, "lower"),
        ((-0.1, 0.5, True, 1), {}, "lower"),
        ((), {"slopes": np.where(X > 5, -0.1, 0.1)}, "slopes"),
    ):
        with pytest.raises(ValueError, match=f"^rrelu.backward_from_output: {name} must be 0 or"):
            fa.rrelu.backward_from_output(G, X, *parameters, **keywords)


# --- the rest of the contract ------------------------------------------------------------------


def test_it_is_one_of_the_catalogue():
    assert fa.get("rrelu") is fa.rrelu
    assert "rrelu" in fa.names()
    for verb in (fa.rrelu, fa.rrelu.backward):
        assert pickle.loads(pickle.dumps(verb)) is verb


def test_dask_stays_lazy():
    da = pytest.importorskip("dask.array")
    lazy = da.from_array(X, chunks=(10, 20))
    for keywords in ({}, {"training": True, "rng": 4}):
        result = fa.rrelu(lazy, **keywords)
        assert isinstance(result, da.Array)
        assert_identical(result.compute(scheduler="threads"), fa.rrelu(X, **keywords))
