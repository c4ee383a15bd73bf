"""The operators of ONNX that are activations, and those that only its recurrent layers name.

Inputs come by position or name, attributes by name. Attributes are 32-bit floats in ONNX, so they
are rounded to such: ``single``. ``Clip`` and ``PRelu`` have further inputs.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from fastact.compat._composite import scaled_elu, shrink
from fastact.compat._function import Function, Library, target_of
from fastact.dispatch import reraise


def single(value: float) -> float:
    """Return a number as a 32-bit float can hold it."""
    if type(value) is float and value:  # zeros of either sign are equal to a cache
        return _single(value)
    return float(np.float32(value))


@lru_cache(maxsize=256)
def _single(value: float) -> float:
    return float(np.float32(value))


def bounds(x: Any, low: Any, high: Any) -> tuple[Any, Any]:
    """Return the bounds of Clip: those that are missing are of the dtype, and the upper prevails.

    That is ONNX's rule where the lower is above the upper one.
    """
    if low is None or high is None:
        dtype = _array("Clip: input", x).dtype
        dtype = getattr(dtype, "numpy_dtype", dtype)  # of the nullable dtypes of pandas
        lowest, highest = -math.inf, math.inf
        if dtype.kind in "iu":
            lowest, highest = np.iinfo(dtype).min, np.iinfo(dtype).max
        low = lowest if low is None else low
        high = highest if high is None else high
    low = low.item() if type(low) is np.ndarray else low
    high = high.item() if type(high) is np.ndarray else high
    return high if high < low else low, high


def one_way(slope: Any, x: Any) -> Any:
    """Return the slope, which must broadcast to x and not x to it.

    Since opset 7, it broadcasts as in NumPy. Before, it had one element for each channel, along
    axis 1. A slope of one axis that does not broadcast is taken as such, or belongs to the only
    axis of its length, as in ONNX's reference implementation.
    """
    if type(slope) is type(x) is np.ndarray and slope.size == 1 and slope.ndim <= x.ndim:
        return slope
    array, own = _array("PRelu: X", x), _array("PRelu: slope", slope).shape
    shape = array.shape
    if array.dtype == object or _broadcasts(own, shape):  # the kernel refuses objects
        return slope
    axes = [axis for axis, length in enumerate(shape) if own == (length,)]
    if 1 not in axes and len(axes) != 1:
        raise ValueError(
            f"onnx.PRelu: slope must broadcast to the shape of X, {shape}, or have one element for "
            f"each channel along axis 1, got shape {own}"
        )
    axis = 1 if 1 in axes else axes[0]
    return np.reshape(slope, (-1, *[1] * (len(shape) - 1 - axis)))


def _array(name: str, value: Any) -> Any:
    """Return an object with a shape and a dtype of NumPy's kind, without computing lazy ones."""
    if hasattr(value, "shape") and hasattr(getattr(value, "dtype", None), "kind"):
        return value
    try:
        return np.asarray(value)
    except Exception as error:
        reraise(error, f"onnx.{name} must be an array, got {type(value).__name__}")


def _broadcasts(own: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(own, shape) == shape
    except ValueError:
        return False


AT_KINK = "the layers take `>=`, so alpha itself gives alpha there and 0 here"
LIBRARY = Library(
    "onnx",
    "onnx",
    single=single,
    bounds=bounds,
    one_way=one_way,
    inf=math.inf,
    scaled_elu=target_of(scaled_elu),
    shrink=target_of(shrink),
)


def _function(declaration: str, call: str, differences: str = "", **more: Any) -> Function:
    """Return an operator. What follows a * are attributes: numbers, unless there are choices."""
    attributes = declaration.removesuffix(")").partition("*, ")[2].split(", ")
    names = (attribute.partition("=")[0] for attribute in attributes)
    numbers = tuple(name for name in names if name and name not in more)
    return LIBRARY.function(declaration, call, differences, **{"numbers": numbers} | more)


Identity = _function("Identity(input)", "fa.identity(input)")
Relu = _function("Relu(X)", "fa.relu(X)")
LeakyRelu = _function("LeakyRelu(X, *, alpha=0.01)", "fa.leaky_relu(X, single(alpha))")
PRelu = _function(
    "PRelu(X, slope)",
    "fa.leaky_relu(X, one_way(slope, X))",
    "a slope of shape (C,) is also accepted for X of shape (N, C, ...), as in opset 6; `backward` "
    "returns the gradient of X only",
    example="0.25",
)
ThresholdedRelu = _function(
    "ThresholdedRelu(X, *, alpha=1.0)",
    "fa.threshold(X, single(alpha), 0)",
    f"the activation of recurrent layers of that name differs: {AT_KINK}",
)
Clip = _function(
    "Clip(input, min=None, max=None)",
    "fa.hard_tanh(input, *bounds(input, min, max))",
    "the derivative at -inf and inf is 0 without bounds too",
    numbers=("min", "max"),
)
HardSigmoid = _function(
    "HardSigmoid(X, *, alpha=0.2, beta=0.5)", "fa.hard_sigmoid(X, single(alpha), single(beta))"
)
HardSwish = _function(
    "HardSwish(X)",
    "fa.hard_swish(X, single(1 / 6), 0.5)",
    "ONNX rounds 1 / 6 to 32 bits, in float64 too",
)
Shrink = _function(
    "Shrink(input, *, lambd=0.5, bias=0.0)",
    "fa.hard_shrink(input, single(lambd)) if bias == 0 "
    "else fa.soft_shrink(input, single(lambd)) if bias == lambd >= 0 "
    "else shrink(input, single(lambd), single(bias))",
    "ONNX gives 0 for NaN; shrink is x + bias below -lambd, x - bias above lambd, 0 between",
)
Softsign = _function("Softsign(input)", "fa.softsign(input)")
Exp = _function("Exp(input)", "fa.exponential(input)")
Sigmoid = _function("Sigmoid(X)", "fa.sigmoid(X)")
Tanh = _function("Tanh(input)", "fa.tanh(input)")
Softplus = _function("Softplus(X)", "fa.softplus(X)")
Swish = _function("Swish(X, *, alpha=1.0)", "fa.silu(X, single(alpha))")
Gelu = _function(
    "Gelu(X, *, approximate='none')",
    "fa.gelu_tanh(X) if approximate == 'tanh' else fa.gelu(X)",
    approximate=("none", "tanh"),
)
Mish = _function("Mish(X)", "fa.mish(X)")
Elu = _function("Elu(X, *, alpha=1.0)", "fa.elu(X, single(alpha))")
Celu = _function("Celu(X, *, alpha=1.0)", "fa.celu(X, single(alpha))")
Selu = _function(
    "Selu(X, *, alpha=1.67326319217681884765625, gamma=1.05070102214813232421875)",
    "scaled_elu(X, single(alpha), single(gamma))",
    "scaled_elu is gamma * elu(X, alpha); fastact.selu has constants that are not rounded to "
    "32 bits, and takes less time",
)
Affine = _function(
    "Affine(x, *, alpha, beta)",
    "fa.clipped_linear(x, single(alpha), single(beta), -inf, inf)",
    "the derivative at -inf and inf is 0",
    origin="onnx recurrent activation",
    example="alpha=2, beta=1",
)
ScaledTanh = _function(
    "ScaledTanh(x, *, alpha, beta)",
    "fa.scaled_tanh(x, single(alpha), single(beta))",
    origin="onnx recurrent activation",
    example="alpha=1.7159, beta=0.6666666666666666",
)

__all__ = [*LIBRARY.names()]
__dir__ = LIBRARY.names
