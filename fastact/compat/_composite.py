"""What libraries have and fastact has no kernel for, composed of what it has.

A composite is a function of x and its derivative, computed in float64 and rounded once to the dtype
of the result, with the verbs of an activation that ``Function`` calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import fastact as fa
from fastact import dispatch
from fastact.activation import Verb, get
from fastact.rounding import nearest_in, to_sixteen_bits


class Composite:
    """A function composed of others: callable, with ``grad``, ``backward``, ``value_and_grad``.

    The parameters at the indices ``compared`` are compared with x: each is the nearest number of
    the dtype of x.
    """

    def __init__(
        self,
        name: str,
        value: Callable[..., np.ndarray],
        derivative: Callable[..., np.ndarray],
        compared: tuple[int, ...] = (),
    ) -> None:
        self.value = value
        self.derivative = derivative
        self.compared = compared
        # The identity converts inputs, checks and stores, as the driver does for all activations.
        self._identity = _identity(name, "forward")
        self._times_one = _identity(name, "backward")
        self._two_results = _identity(name, "value_and_grad")

    def __call__(self, x: Any, *parameters: Any, out: Any = None, **settings: Any) -> Any:
        x = np.asarray(self._identity(x, **settings))
        parameters = self._in_dtype(x.dtype, parameters)
        return self._identity(_compute(self.value, x, parameters, settings), out=out)

    def grad(self, x: Any, *parameters: Any, out: Any = None, **settings: Any) -> Any:
        x = np.asarray(self._identity(x, **settings))
        parameters = self._in_dtype(x.dtype, parameters)
        return self._identity(_compute(self.derivative, x, parameters, settings), out=out)

    def backward(
        self, grad_output: Any, x: Any, *parameters: Any, out: Any = None, **settings: Any
    ) -> Any:
        # The gradient in the dtype and shape of the result, which is that of both together.
        g = np.asarray(self._times_one(grad_output, x, **settings))
        x = np.asarray(self._identity(x))
        parameters = self._in_dtype(x.dtype, parameters)
        x = x.astype(np.float64)
        with np.errstate(all="ignore"):
            product = g.astype(np.float64) * _compute(self.derivative, x, parameters, settings)
            product = to_sixteen_bits(product, g.dtype)
        return self._identity(product, out=out)

    def backward_from_output(self, *args: Any, **kwargs: Any) -> Any:
        name = self._identity.__name__
        raise TypeError(
            f"{name}.backward_from_output: with these arguments {name} is composed of several "
            f"functions, and its derivative is not computed from its output; use {name}.backward"
        )

    def value_and_grad(self, x: Any, *parameters: Any, out: Any = None, **settings: Any) -> Any:
        x = np.asarray(self._identity(x, **settings))
        outputs = dispatch.outputs(self._two_results, out)
        dispatch.check_outputs(self._two_results, outputs, x.dtype, [x], ())
        parameters = self._in_dtype(x.dtype, parameters)
        # Both before either is stored: an output may be the input.
        results = [
            _compute(function, x, parameters, settings)
            for function in (self.value, self.derivative)
        ]
        return tuple(
            self._identity(result, out=given)
            for result, given in zip(results, outputs, strict=True)
        )

    def _in_dtype(self, dtype: np.dtype, parameters: tuple[Any, ...]) -> tuple[Any, ...]:
        with np.errstate(all="ignore"):
            return tuple(
                nearest_in(dtype, value) if i in self.compared and value is not None else value
                for i, value in enumerate(parameters)
            )


def _identity(name: str, kind: str) -> Any:
    """Return a verb of the identity whose errors name the composite."""
    verb = Verb(get("identity").row, kind)
    verb.__name__ = name if kind == "forward" else f"{name}.{kind}"
    return verb


def _compute(
    function: Callable[..., np.ndarray],
    x: np.ndarray,
    parameters: tuple[Any, ...],
    settings: dict[str, Any],
) -> np.ndarray:
    """Return the function in the dtype of x. NaN gives NaN: comparisons alone would lose it."""
    with np.errstate(all="ignore"):
        doubles = x.astype(np.float64)
        result = np.where(np.isnan(x), doubles, function(doubles, *parameters, **settings))
        return to_sixteen_bits(result, x.dtype)


# --- softplus that is x above a threshold, of PyTorch --------------------------------------------


def _softplus(x: np.ndarray, beta: Any, threshold: Any, **settings: Any) -> np.ndarray:
    return np.where(beta * x > threshold, x, fa.softplus(x, beta, **settings))


def _softplus_derivative(x: np.ndarray, beta: Any, threshold: Any, **settings: Any) -> np.ndarray:
    return np.where(beta * x > threshold, 1.0, fa.softplus.grad(x, beta, **settings))


softplus_below = Composite("softplus", _softplus, _softplus_derivative, compared=(1,))


# --- gamma * elu(x, alpha), of ONNX ---------------------------------------------------------------


def _scaled_elu(x: np.ndarray, alpha: Any, gamma: Any, **settings: Any) -> np.ndarray:
    value: np.ndarray = gamma * fa.elu(x, alpha, **settings)
    return value


def _scaled_elu_derivative(x: np.ndarray, alpha: Any, gamma: Any, **settings: Any) -> np.ndarray:
    derivative: np.ndarray = gamma * fa.elu.grad(x, alpha, **settings)
    return derivative


scaled_elu = Composite("selu", _scaled_elu, _scaled_elu_derivative)


# --- x + bias below -lambd, x - bias above lambd, 0 between, of ONNX ------------------------------


def _shrink(x: np.ndarray, lambd: Any, bias: Any, **settings: Any) -> np.ndarray:
    return np.select([x < -lambd, x > lambd], [x + bias, x - bias], 0.0)


def _shrink_derivative(x: np.ndarray, lambd: Any, bias: Any, **settings: Any) -> np.ndarray:
    return np.where((x < -lambd) | (x > lambd), 1.0, 0.0)


shrink = Composite("shrink", _shrink, _shrink_derivative, compared=(0,))


# --- x clipped to [0, max_value] above a threshold, a line below, of Keras ------------------------


def _rectifier(
    x: np.ndarray, negative_slope: Any, max_value: Any, threshold: Any, **settings: Any
) -> np.ndarray:
    if max_value is not None and not max_value >= 0:
        raise ValueError(f"relu: max_value must be 0 or above, got {max_value!r}")
    # 0 * inf would be NaN.
    below = negative_slope * (x - threshold) if negative_slope else 0.0
    above = x if max_value is None else np.clip(x, 0, max_value)
    return np.where(x > threshold, above, below)


def _rectifier_derivative(
    x: np.ndarray, negative_slope: Any, max_value: Any, threshold: Any, **settings: Any
) -> np.ndarray:
    above = 1.0 if max_value is None else np.where((x > 0) & (x < max_value), 1.0, 0.0)
    return np.where(x > threshold, above, negative_slope)


rectifier = Composite("relu", _rectifier, _rectifier_derivative, compared=(1, 2))
