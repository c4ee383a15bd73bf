"""Functions of other libraries that have no kernel of their own, composed from activations.

A composite is a function of x and its derivative, computed in float64 and rounded once to the dtype
of the result. Its verbs look like ufuncs, as those of activations do, so masks, labels and lazy
arrays survive them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import fastact as fa
from fastact import config, dispatch
from fastact.activation import Verb, get
from fastact.catalogue import Parameter
from fastact.rounding import nearest_in, to_sixteen_bits

_DOUBLE = np.dtype(np.float64)


class Definition(NamedTuple):
    """A composite as data. Both functions take x in float64, a `Context` and the parameters."""

    name: str
    parameters: tuple[Parameter, ...]
    value: Callable[..., np.ndarray]
    derivative: Callable[..., np.ndarray]


class Context(NamedTuple):
    """What a composite knows about its call besides the numbers."""

    #: The dtype of the result.
    dtype: np.dtype
    #: The backend and the precision of the activations.
    settings: dict[str, Any]

    def nearest(self, value: Any) -> Any:
        """Return a number or an array rounded to the dtype: x is compared with such numbers."""
        return nearest_in(self.dtype, value)


class CompositeVerb(Verb):
    """One verb of a composite."""

    def __init__(
        self,
        definition: Definition,
        kind: str,
        backend: str | None = None,
        precision: str | None = None,
    ) -> None:
        self.definition = definition
        row = get("identity").row._replace(
            name=definition.name,
            parameters=definition.parameters,
            keeps_integers=False,
            keeps_bool=False,
            derivative_from_output="",
            no_derivative_from_output="with these arguments it is composed of several functions",
        )
        super().__init__(row, kind, backend, precision)

    def _enter_fast_path(self) -> None:
        """Stay outside: a composite has no compiled loops."""

    def evaluate(
        self,
        operands: Sequence[Any],
        parameters: Sequence[Any],
        out: tuple[Any, ...],
        settings: config.Settings,
    ) -> Any:
        values = [dispatch.parameter_value(self, i, value) for i, value in enumerate(parameters)]
        arrays = [
            dispatch.as_array(self, name, operand)
            for name, operand in zip(self.arguments, operands, strict=True)
        ]
        dtype = dispatch.result_dtype(self, operands, arrays, values)
        shape = dispatch.check_outputs(self, out, dtype, arrays, values)
        doubles = dispatch.iterate(
            self._loop(dtype, settings),
            arrays,
            [np.asarray(value, _DOUBLE) for value in values],
            (),
            (None,) * self.nout,
            _DOUBLE,
        )
        results = [
            dispatch.deliver(to_sixteen_bits(array, dtype), given, dtype, shape)
            for array, given in zip(doubles, out, strict=True)
        ]
        return dispatch.wrap(self, results, out, (*operands, *parameters))

    def _loop(self, dtype: np.dtype, settings: config.Settings) -> Callable[..., None]:
        """Return a function of (inputs, outputs, parameters), all in float64."""
        own = {"backend": settings.backend, "precision": settings.precision}
        context = Context(dtype, own)
        value, derivative = self.definition.value, self.definition.derivative
        functions = {
            "forward": (value,),
            "value_and_grad": (value, derivative),
        }.get(self.kind, (derivative,))

        def run(inputs: Sequence[Any], outputs: Sequence[Any], parameters: Sequence[Any]) -> None:
            x = inputs[-1]
            for function, output in zip(functions, outputs, strict=True):
                # Comparisons alone would lose NaN.
                output[...] = np.where(np.isnan(x), x, function(x, context, *parameters))
            if self.kind == "backward":
                outputs[0][...] *= inputs[0]

        return run

    def bound_to(self, backend: str | None, precision: str | None) -> Verb:
        return CompositeVerb(self.definition, self.kind, backend, precision)

    def sibling(self, kind: str) -> Verb:
        return CompositeVerb(self.definition, kind, self.backend, self.precision)

    def __reduce__(self) -> Any:
        return CompositeVerb, (self.definition, self.kind, self.backend, self.precision)


class Composite(CompositeVerb):
    """A function composed of others: callable, with the verbs of an activation."""

    def __init__(self, definition: Definition) -> None:
        super().__init__(definition, "forward")
        self.grad = CompositeVerb(definition, "grad")
        self.backward = CompositeVerb(definition, "backward")
        self.backward_from_output = CompositeVerb(definition, "backward_from_output")
        self.value_and_grad = CompositeVerb(definition, "value_and_grad")


def _parameter(name: str, domain: str = "") -> Parameter:
    return Parameter(name, 0.0, "", domain=domain, required=True)


# --- softplus that is x above a threshold, of PyTorch --------------------------------------------


def _is_above(x: np.ndarray, context: Context, beta: Any, threshold: Any) -> np.ndarray:
    """Compare as PyTorch does: in the dtype of x, and in float32 if that has 16 bits."""
    work = np.float64 if context.dtype == _DOUBLE else np.float32
    x, beta, threshold = (np.asarray(value, work) for value in (x, beta, threshold))
    above: np.ndarray = beta * x > threshold
    return above


def _softplus(x: np.ndarray, context: Context, beta: Any, threshold: Any) -> np.ndarray:
    below = fa.softplus(x, beta, **context.settings)
    return np.where(_is_above(x, context, beta, threshold), x, below)


def _softplus_derivative(x: np.ndarray, context: Context, beta: Any, threshold: Any) -> np.ndarray:
    below = fa.softplus.grad(x, beta, **context.settings)
    return np.where(_is_above(x, context, beta, threshold), 1.0, below)


softplus_below = Composite(
    Definition(
        "softplus",
        (_parameter("beta", "above 0"), _parameter("threshold")),
        _softplus,
        _softplus_derivative,
    )
)


# --- gamma * elu(x, alpha), of ONNX ---------------------------------------------------------------


def _scaled_elu(x: np.ndarray, context: Context, alpha: Any, gamma: Any) -> np.ndarray:
    value: np.ndarray = gamma * fa.elu(x, alpha, **context.settings)
    return value


def _scaled_elu_derivative(x: np.ndarray, context: Context, alpha: Any, gamma: Any) -> np.ndarray:
    derivative: np.ndarray = gamma * fa.elu.grad(x, alpha, **context.settings)
    return derivative


scaled_elu = Composite(
    Definition(
        "selu", (_parameter("alpha"), _parameter("gamma")), _scaled_elu, _scaled_elu_derivative
    )
)


# --- x + bias below -lambd, x - bias above lambd, 0 between, of ONNX ------------------------------


def _shrink(x: np.ndarray, context: Context, lambd: Any, bias: Any) -> np.ndarray:
    edge = context.nearest(lambd)
    return np.select([x < -edge, x > edge], [x + bias, x - bias], 0.0)


def _shrink_derivative(x: np.ndarray, context: Context, lambd: Any, bias: Any) -> np.ndarray:
    edge = context.nearest(lambd)
    outside: np.ndarray = (x < -edge) | (x > edge)
    return outside.astype(_DOUBLE)


shrink = Composite(
    Definition("shrink", (_parameter("lambd"), _parameter("bias")), _shrink, _shrink_derivative)
)


# --- x above a threshold and a line below, of Keras -----------------------------------------------


def _below(x: np.ndarray, context: Context, slope: Any, threshold: Any) -> Any:
    # 0 * inf would be NaN.
    return np.where(slope == 0, 0.0, slope * (x - context.nearest(threshold)))


def _rectifier(x: np.ndarray, context: Context, slope: Any, threshold: Any) -> np.ndarray:
    return np.where(x > context.nearest(threshold), x, _below(x, context, slope, threshold))


def _rectifier_derivative(
    x: np.ndarray, context: Context, slope: Any, threshold: Any
) -> np.ndarray:
    return np.where(x > context.nearest(threshold), 1.0, slope)


rectifier = Composite(
    Definition(
        "relu",
        (_parameter("negative_slope"), _parameter("threshold")),
        _rectifier,
        _rectifier_derivative,
    )
)


# --- the same, clipped to [0, max_value] above the threshold --------------------------------------


def _clipped_rectifier(
    x: np.ndarray, context: Context, slope: Any, max_value: Any, threshold: Any
) -> np.ndarray:
    above: np.ndarray = np.clip(x, 0, context.nearest(max_value))
    return np.where(x > context.nearest(threshold), above, _below(x, context, slope, threshold))


def _clipped_rectifier_derivative(
    x: np.ndarray, context: Context, slope: Any, max_value: Any, threshold: Any
) -> np.ndarray:
    inside: np.ndarray = (x > 0) & (x < context.nearest(max_value))
    above = inside.astype(_DOUBLE)
    return np.where(x > context.nearest(threshold), above, slope)


clipped_rectifier = Composite(
    Definition(
        "relu",
        (
            _parameter("negative_slope"),
            _parameter("max_value", "0 or above"),
            _parameter("threshold"),
        ),
        _clipped_rectifier,
        _clipped_rectifier_derivative,
    )
)
