"""``keras.activations`` of Keras 3: what it computes element by element, without reductions."""

from __future__ import annotations

from fastact.compat._composite import clipped_rectifier, rectifier
from fastact.compat._function import Library, target_of

LIBRARY = Library(
    "keras",
    "keras.activations",
    rectifier=target_of(rectifier),
    clipped_rectifier=target_of(clipped_rectifier),
)
_function = LIBRARY.function

relu = _function(
    "relu(x, negative_slope=0.0, max_value=None, threshold=0.0)",
    "fa.hard_tanh(x, 0, max_value) if max_value is not None and not (negative_slope or threshold) "
    "else clipped_rectifier(x, negative_slope, max_value, threshold) if max_value is not None "
    "else rectifier(x, negative_slope, threshold) if threshold "
    "else fa.leaky_relu(x, negative_slope) if negative_slope "
    "else fa.relu(x)",
    "rectifier is x above the threshold and negative_slope * (x - threshold) at and below it; "
    "clipped_rectifier is the same, clipped to [0, max_value] above the threshold; the layer ReLU "
    "has the same defaults in another order",
    numbers=("negative_slope", "max_value", "threshold"),
)
leaky_relu = _function(
    "leaky_relu(x, negative_slope=0.2)",
    "fa.leaky_relu(x, negative_slope)",
    "the layer LeakyReLU has a default of 0.3",
)
relu6 = _function("relu6(x)", "fa.relu6(x)")
threshold = _function(
    "threshold(x, threshold, default_value)",
    "fa.threshold(x, threshold, default_value)",
    example="0.5, 1.0",
)
linear = _function("linear(x)", "fa.identity(x)", "here a new array, in Keras x itself")
hard_tanh = _function("hard_tanh(x)", "fa.hard_tanh(x)")
hard_sigmoid = _function(
    "hard_sigmoid(x)", "fa.hard_sigmoid(x)", "the slope is 1/6; before Keras 3 it was 0.2"
)
hard_silu = _function("hard_silu(x)", "fa.hard_swish(x)")
hard_swish = _function("hard_swish(x)", "fa.hard_swish(x)")
hard_shrink = _function("hard_shrink(x, threshold=0.5)", "fa.hard_shrink(x, threshold)")
soft_shrink = _function("soft_shrink(x, threshold=0.5)", "fa.soft_shrink(x, threshold)")
tanh_shrink = _function("tanh_shrink(x)", "fa.tanhshrink(x)")
softsign = _function("softsign(x)", "fa.softsign(x)")
squareplus = _function("squareplus(x, b=4)", "fa.squareplus(x, b)")
sparse_plus = _function("sparse_plus(x)", "fa.sparse_plus(x)")
sparse_sigmoid = _function("sparse_sigmoid(x)", "fa.sparse_sigmoid(x)")
exponential = _function("exponential(x)", "fa.exponential(x)")
sigmoid = _function("sigmoid(x)", "fa.sigmoid(x)")
log_sigmoid = _function("log_sigmoid(x)", "fa.log_sigmoid(x)")
tanh = _function("tanh(x)", "fa.tanh(x)")
softplus = _function(
    "softplus(x)", "fa.softplus(x)", "on its PyTorch backend, Keras returns x above 20"
)
silu = _function("silu(x)", "fa.silu(x)")
swish = _function("swish(x)", "fa.silu(x)")
gelu = _function(
    "gelu(x, approximate=False)",
    "fa.gelu_tanh(x) if approximate else fa.gelu(x)",
    "keras.ops.gelu has a default of True",
)
mish = _function("mish(x)", "fa.mish(x)")
elu = _function("elu(x, alpha=1.0)", "fa.elu(x, alpha)")
celu = _function("celu(x, alpha=1.0)", "fa.celu(x, alpha)")
selu = _function("selu(x)", "fa.selu(x)")

__all__ = [*LIBRARY.names()]
__dir__ = LIBRARY.names
