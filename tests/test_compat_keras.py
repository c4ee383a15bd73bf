"""``fastact.compat.keras`` and ``.tensorflow``: their definitions, and the libraries themselves."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np
import pytest

from fastact import dispatch
from fastact.compat import keras, tensorflow

FUNCTIONS = {
    f"{module.LIBRARY.name}.{function.__name__}": function
    for module in (keras, tensorflow)
    for function in module.LIBRARY.functions
}
over_functions = pytest.mark.parametrize("name", FUNCTIONS)

#: What ``keras.activations`` has beside activations that go element by element.
LEFT_OUT = {
    "softmax",
    "log_softmax",
    "glu",
    "sparsemax",
    "crelu",
    "get",
    "serialize",
    "deserialize",
}

ERF = np.vectorize(math.erf)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gelu_tanh(x):
    return x * sigmoid(2 * np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))


def hard_sigmoid(x):
    return np.clip(x / 6 + 0.5, 0, 1)


def elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * np.expm1(x))


def selu(x):
    return 1.0507009873554805 * elu(x, 1.6732632423543772)


#: As the libraries define them, with their arguments and defaults.
SHARED = {
    "relu6": lambda x: np.clip(x, 0, 6),
    "leaky_relu": lambda x, s=0.2: np.where(x > 0, x, s * x),
    "elu": elu,
    "selu": selu,
    "gelu": lambda x, approximate=False: (
        gelu_tanh(x) if approximate else x * (1 + ERF(x / np.sqrt(2))) / 2
    ),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "softsign": lambda x: x / (1 + abs(x)),
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "log_sigmoid": lambda x: -np.log1p(np.exp(-x)),
}
KERAS = {
    "relu": lambda x, s=0.0, m=None, t=0.0: np.where(
        x > t, x if m is None else np.clip(x, 0, m), s * (x - t)
    ),
    "threshold": lambda x, t, v: np.where(x > t, x, v),
    "linear": lambda x: x,
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "hard_sigmoid": hard_sigmoid,
    "hard_silu": lambda x: x * hard_sigmoid(x),
    "hard_swish": lambda x: x * hard_sigmoid(x),
    "hard_shrink": lambda x, t=0.5: np.where(abs(x) > t, x, 0),
    "soft_shrink": lambda x, t=0.5: np.where(abs(x) > t, x - np.sign(x) * t, 0),
    "tanh_shrink": lambda x: x - np.tanh(x),
    "squareplus": lambda x, b=4: (x + np.sqrt(x**2 + b)) / 2,
    "sparse_plus": lambda x: np.where(x <= -1, 0, np.where(x < 1, (x + 1) ** 2 / 4, x)),
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1),
    "exponential": np.exp,
    "silu": lambda x: x * sigmoid(x),
    "swish": lambda x: x * sigmoid(x),
    "mish": lambda x: x * np.tanh(np.log1p(np.exp(x))),
    "celu": lambda x, a=1.0: np.where(x > 0, x, a * np.expm1(x / a)),
}
TENSORFLOW = {
    "relu": lambda x: np.maximum(x, 0),
    "silu": lambda x, beta=1.0: x * sigmoid(beta * x),
    "swish": lambda x, beta=1.0: x * sigmoid(beta * x),
}
DEFINITIONS = {
    **{f"keras.{name}": f for name, f in {**SHARED, **KERAS}.items()},
    **{f"tensorflow.{name}": f for name, f in {**SHARED, **TENSORFLOW}.items()},
}
#: Arguments after the input, beside the defaults.
ARGUMENTS: dict[str, list[dict[str, Any]]] = {
    "keras.relu": [
        {"negative_slope": 0.3, "max_value": None, "threshold": 0.0},
        {"negative_slope": 0.0, "max_value": 2.0, "threshold": 0.0},
        {"negative_slope": 0.0, "max_value": 6, "threshold": 0.0},
        {"negative_slope": 0.3, "max_value": 2.0, "threshold": 0.0},
        {"negative_slope": 0.0, "max_value": None, "threshold": 1.03},
        {"negative_slope": 0.3, "max_value": 2.0, "threshold": 1.03},
        {"negative_slope": 0.0, "max_value": 6, "threshold": -2.03},
        {"negative_slope": 0.3, "max_value": 6.0, "threshold": -2.03},
        {"negative_slope": 0.3, "max_value": None, "threshold": -2.03},
    ],
    "keras.leaky_relu": [{"negative_slope": 0.3}],
    "keras.threshold": [{"threshold": 0.7, "default_value": -2.0}],
    "keras.hard_shrink": [{"threshold": 0.7}],
    "keras.soft_shrink": [{"threshold": 0.7}],
    "keras.squareplus": [{"b": 2.0}],
    "keras.gelu": [{"approximate": True}],
    "keras.elu": [{"alpha": 0.3}],
    "keras.celu": [{"alpha": 0.3}],
    "tensorflow.leaky_relu": [{"alpha": 0.3}],
    "tensorflow.gelu": [{"approximate": True}],
    "tensorflow.silu": [{"beta": 0.7}],
    "tensorflow.swish": [{"beta": 0.7}],
}
REQUIRED = ("keras.threshold",)
X = np.concatenate([np.linspace(-9.03, 9.01, 121), [0.0, 0.7, -0.7, 2.0, 6.0, 3.0, -3.0]])


def calls(name: str) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    found: list[tuple[tuple[Any, ...], dict[str, Any]]] = [] if name in REQUIRED else [((), {})]
    for given in ARGUMENTS.get(name, ()):
        found += [(tuple(given.values()), {}), ((), given)]
    return found


def test_every_function_has_a_definition():
    assert set(FUNCTIONS) == set(DEFINITIONS)


@over_functions
def test_values_are_those_of_the_definition(name):
    for args, kwargs in calls(name):
        expected = DEFINITIONS[name](X, *args, *kwargs.values())
        actual = FUNCTIONS[name](X, *args, **kwargs)
        np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-14)
        actual = FUNCTIONS[name](X.astype("f"), *args, **kwargs)
        assert actual.dtype == "f"
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


@over_functions
def test_gradients_are_slopes_of_the_definition(name):
    x, step = X[:121], 1e-6
    for args, kwargs in calls(name):
        high, low = (DEFINITIONS[name](x + h, *args, *kwargs.values()) for h in (step, -step))
        slopes = FUNCTIONS[name].grad(x, *args, **kwargs)
        scale = np.abs(high).max()
        tolerance = 1e-9 * scale
        np.testing.assert_allclose(slopes, (high - low) / (2 * step), rtol=1e-6, atol=tolerance)
        gradient = np.linspace(-2, 3, x.size)
        backward = FUNCTIONS[name].backward(gradient, x, *args, **kwargs)
        np.testing.assert_allclose(backward, gradient * slopes, rtol=1e-15)
        y, again = FUNCTIONS[name].value_and_grad(x, *args, **kwargs)
        np.testing.assert_array_equal(y, FUNCTIONS[name](x, *args, **kwargs))
        np.testing.assert_array_equal(again, slopes)


def test_names_of_graphs_are_ignored():
    assert tensorflow.relu([-1.0], name="first") == 0
    assert tensorflow.leaky_relu([-1.0], 0.5, "first") == -0.5


def test_relu_of_keras_at_its_edges():
    """As Keras computes it: at the threshold itself nothing passes."""
    assert keras.relu([0.5, 0.75], threshold=0.5).tolist() == [0.0, 0.75]
    assert keras.relu.grad([0.5, 0.75], threshold=0.5).tolist() == [0.0, 1.0]
    assert keras.relu([-np.inf, np.inf], threshold=0.5).tolist() == [0.0, np.inf]
    assert keras.relu.grad([0.0, 1.0, 2.0], max_value=2.0).tolist() == [0.0, 1.0, 0.0]
    # What is between a threshold below 0 and 0 is clipped too.
    assert keras.relu([-1.0, -3.0, 7.0], max_value=6, threshold=-2).tolist() == [0.0, 0.0, 6.0]
    assert keras.relu.grad([-1.0, 0.0, 1.0], max_value=6, threshold=-2).tolist() == [0.0, 0.0, 1.0]
    for slope in (0.0, 0.5):
        with pytest.raises(ValueError, match=r"max_val.*-1"):
            keras.relu([1.0], slope, -1)
    x = [-10.0, -5.0, 0.0, 5.0, 10.0]
    assert keras.relu(x, negative_slope=0.5).tolist() == [-5.0, -2.5, 0.0, 5.0, 10.0]
    assert keras.relu(x, max_value=5.0).tolist() == [0.0, 0.0, 0.0, 5.0, 5.0]
    assert keras.relu(x, threshold=5.0).tolist() == [0.0, 0.0, 0.0, 0.0, 10.0]


# --- the libraries themselves -------------------------------------------------------------------


def real(name: str) -> Any:
    """Return the function of Keras or TensorFlow, if that is installed."""
    library, _, function = name.partition(".")
    if library == "keras":
        return getattr(pytest.importorskip("keras").activations, function)
    module = pytest.importorskip("tensorflow")
    return getattr(module.math if function == "log_sigmoid" else module.nn, function)


@over_functions
def test_values_are_those_of_the_library(name):
    function = real(name)
    x = X.astype("f")
    for args, kwargs in calls(name):
        expected = np.asarray(function(x, *args, **kwargs))
        np.testing.assert_allclose(
            FUNCTIONS[name](x, *args, **kwargs), expected, rtol=1e-5, atol=1e-5
        )


@over_functions
def test_signatures_are_those_of_the_library(name):
    expected = inspect.signature(real(name)).parameters.values()
    ours = inspect.signature(FUNCTIONS[name]).parameters.values()
    assert [(p.name, p.default) for p in ours if p.name not in dispatch.KEYWORDS] == [
        (p.name, p.default) for p in expected
    ]


def test_every_activation_of_keras_is_there():
    activations = pytest.importorskip("keras").activations
    theirs = {name for name in dir(activations) if not name.startswith("_")}
    ours = {name.partition(".")[2] for name in FUNCTIONS if name.startswith("keras.")}
    assert theirs - LEFT_OUT <= ours
