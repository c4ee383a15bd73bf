"""``tf.nn`` and ``tf.math.log_sigmoid``: what they compute element by element."""

from __future__ import annotations

from fastact.compat._function import Library

LIBRARY = Library("tensorflow", "tf.nn")
_function = LIBRARY.function

relu = _function("relu(features, name=None)", "fa.relu(features)")
relu6 = _function("relu6(features, name=None)", "fa.relu6(features)")
leaky_relu = _function(
    "leaky_relu(features, alpha=0.2, name=None)", "fa.leaky_relu(features, alpha)"
)
elu = _function("elu(features, name=None)", "fa.elu(features)")
selu = _function("selu(features, name=None)", "fa.selu(features)")
gelu = _function(
    "gelu(features, approximate=False, name=None)",
    "fa.gelu_tanh(features) if approximate else fa.gelu(features)",
)
silu = _function("silu(features, beta=1.0)", "fa.silu(features, beta)")
swish = _function("swish(features, beta=1.0)", "fa.silu(features, beta)")
softplus = _function("softplus(features, name=None)", "fa.softplus(features)")
softsign = _function("softsign(features, name=None)", "fa.softsign(features)")
sigmoid = _function("sigmoid(x, name=None)", "fa.sigmoid(x)")
tanh = _function("tanh(x, name=None)", "fa.tanh(x)")
log_sigmoid = _function("log_sigmoid(x, name=None)", "fa.log_sigmoid(x)", origin="tf.math")

__all__ = [*LIBRARY.names()]
__dir__ = LIBRARY.names
