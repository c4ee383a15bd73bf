"""``fastact.compat.jax`` beside JAX: names, arguments, values and gradients."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import fastact as fa
from fastact import dispatch
from fastact.compat import jax as compat

jax = pytest.importorskip("jax")

FUNCTIONS = {function.__name__: function for function in compat.LIBRARY.functions}
over_functions = pytest.mark.parametrize("name", FUNCTIONS)

#: What ``jax.nn`` has beside activations that go element by element, and why it is not here.
LEFT_OUT = {
    "dot_product_attention": "attention",
    "get_scaled_dot_general_config": "matrix products",
    "glu": "halves an axis",
    "initializers": "a module",
    "log1mexp": "a logarithm of probabilities, no activation",
    "log_softmax": "reduces an axis",
    "logmeanexp": "reduces axes",
    "logsumexp": "reduces axes",
    "one_hot": "an encoding",
    "scaled_dot_general": "matrix products",
    "scaled_matmul": "matrix products",
    "softmax": "reduces an axis",
    "standardize": "reduces an axis",
}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "leaky_relu": {"negative_slope": 0.3},
    "squareplus": {"b": 2.0},
    "gelu": {"approximate": False},
    "elu": {"alpha": 0.5},
    "celu": {"alpha": 0.5},
}
#: Points where fastact's derivative is another than JAX's, and what JAX's is.
OTHER_DERIVATIVE = {
    "leaky_relu": {0.0: 1.0},
    "hard_tanh": {-1.0: 1.0, 1.0: 1.0},
}
#: Where JAX gives NaN though the function has a limit.
FAULTS = {
    **dict.fromkeys(("silu", "swish", "mish", "gelu", "hard_silu", "hard_swish"), (-np.inf,)),
    "soft_sign": (-np.inf, np.inf),
    "squareplus": (-np.inf,),
}


@pytest.fixture(autouse=True)
def doubles():
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


def calls(name: str) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    given = ARGUMENTS.get(name, {})
    return [((), {}), (tuple(given.values()), {}), ((), given)]


def grid() -> np.ndarray:
    sizes = np.geomspace(1e-6, 50, 60)
    special = [0.0, -0.0, 0.5, 1.0, 2.0, 3.0, 6.0, np.inf]
    return np.concatenate([sizes, -sizes, special, np.negative(special)])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@over_functions
def test_values_are_those_of_jax(name, dtype):
    x = grid()
    x = x[~np.isin(x, FAULTS.get(name, ()))].astype(dtype)
    eps = np.finfo(dtype).eps
    for args, kwargs in calls(name):
        actual = FUNCTIONS[name](x, *args, **kwargs)
        expected = np.asarray(getattr(jax.nn, name)(x, *args, **kwargs))
        assert actual.dtype == expected.dtype == x.dtype
        # JAX loses the relative precision of tails.
        absolute = eps * (50 if name in ("gelu", "squareplus") else 4)
        np.testing.assert_allclose(actual, expected, rtol=8 * eps, atol=absolute)


@over_functions
def test_gradients_are_those_of_jax(name):
    x = grid()
    x = x[np.isfinite(x)]
    x = x[~np.isin(x, list(OTHER_DERIVATIVE.get(name, ())))]
    gradient = np.linspace(-2, 3, x.size)
    for args, kwargs in calls(name):

        def function(number, args=args, kwargs=kwargs):
            return getattr(jax.nn, name)(number, *args, **kwargs)

        expected = np.asarray(jax.vmap(jax.grad(function))(x))
        actual = FUNCTIONS[name].grad(x, *args, **kwargs)
        np.testing.assert_allclose(actual, expected, rtol=1e-14, atol=1e-13)
        actual = FUNCTIONS[name].backward(gradient, x, *args, **kwargs)
        np.testing.assert_allclose(actual, gradient * expected, rtol=1e-14, atol=1e-13)
        y, slopes = FUNCTIONS[name].value_and_grad(x, *args, **kwargs)
        np.testing.assert_array_equal(y, FUNCTIONS[name](x, *args, **kwargs))
        np.testing.assert_array_equal(slopes, FUNCTIONS[name].grad(x, *args, **kwargs))


@pytest.mark.parametrize("name", OTHER_DERIVATIVE)
def test_derivatives_that_differ_are_told(name):
    for point, value in OTHER_DERIVATIVE[name].items():
        assert jax.grad(getattr(jax.nn, name))(point) == value
        assert FUNCTIONS[name].grad(point) != value
    assert "JAX's derivative" in FUNCTIONS[name].row.differences


@pytest.mark.parametrize("name", FAULTS)
def test_faults_of_jax_are_told_and_not_copied(name):
    x = np.array(FAULTS[name])
    assert np.isnan(getattr(jax.nn, name)(x)).any()
    assert not np.isnan(FUNCTIONS[name](x)).any()
    assert "NaN" in FUNCTIONS[name].row.differences


@over_functions
def test_signatures_are_those_of_jax(name):
    ours = inspect.signature(FUNCTIONS[name]).parameters.values()
    expected = inspect.signature(getattr(jax.nn, name)).parameters.values()
    assert [(p.name, p.kind, p.default) for p in ours if p.name not in dispatch.KEYWORDS] == [
        (p.name, p.kind, p.default) for p in expected
    ]


def test_every_activation_of_jax_is_there_or_left_out_with_a_reason():
    theirs = {name for name in dir(jax.nn) if not name.startswith("_")}
    assert theirs == set(FUNCTIONS) | set(LEFT_OUT)


def test_parameters_in_arrays():
    x = np.linspace(-2, 2, 6).reshape(2, 3)
    slopes = np.array([0.1, 0.2, 0.3])
    np.testing.assert_allclose(
        compat.leaky_relu(x, slopes), jax.nn.leaky_relu(x, slopes), rtol=1e-15
    )


def test_what_jax_traces_is_an_error_of_jax():
    """fastact needs numbers, which a traced array does not have."""
    for function in (fa.tanh, fa.gelu.grad, fa.relu.value_and_grad, compat.gelu):
        with pytest.raises(jax.errors.TracerArrayConversionError):
            jax.jit(function)(np.ones(3))
    for function in (lambda x: fa.prelu(x, 0.25), lambda x: fa.prelu(np.ones((2, 3)), x)):
        with pytest.raises(jax.errors.TracerArrayConversionError):
            jax.jit(function)(np.ones(3))
