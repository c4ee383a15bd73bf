"""``jax.nn``: what it computes element by element, without reductions."""

from __future__ import annotations

from fastact.compat._function import Library

NEGATIVE_INFINITY = "JAX gives NaN at -inf, here it is the limit"
LIBRARY = Library("jax", "jax.nn")
_function = LIBRARY.function

identity = _function("identity(x)", "fa.identity(x)")
relu = _function("relu(x)", "fa.relu(x)")
relu6 = _function("relu6(x)", "fa.relu6(x)")
leaky_relu = _function(
    "leaky_relu(x, negative_slope=0.01)",
    "fa.leaky_relu(x, negative_slope)",
    "JAX's derivative at 0 is 1, here it is negative_slope",
)
hard_tanh = _function(
    "hard_tanh(x)", "fa.hard_tanh(x)", "JAX's derivative at -1 and 1 is 1, here it is 0"
)
hard_sigmoid = _function("hard_sigmoid(x)", "fa.hard_sigmoid(x)")
hard_silu = _function("hard_silu(x)", "fa.hard_swish(x)", NEGATIVE_INFINITY)
hard_swish = _function("hard_swish(x)", "fa.hard_swish(x)", NEGATIVE_INFINITY)
soft_sign = _function("soft_sign(x)", "fa.softsign(x)", "JAX gives NaN at -inf and inf")
squareplus = _function(
    "squareplus(x, b=4)",
    "fa.squareplus(x, b)",
    f"{NEGATIVE_INFINITY}; JAX loses the digits of the negative tail",
)
sparse_plus = _function("sparse_plus(x)", "fa.sparse_plus(x)")
sparse_sigmoid = _function("sparse_sigmoid(x)", "fa.sparse_sigmoid(x)")
sigmoid = _function("sigmoid(x)", "fa.sigmoid(x)")
log_sigmoid = _function("log_sigmoid(x)", "fa.log_sigmoid(x)")
tanh = _function("tanh(x, /)", "fa.tanh(x)")
softplus = _function("softplus(x)", "fa.softplus(x)")
silu = _function("silu(x)", "fa.silu(x)", NEGATIVE_INFINITY)
swish = _function("swish(x)", "fa.silu(x)", NEGATIVE_INFINITY)
gelu = _function(
    "gelu(x, approximate=True)",
    "fa.gelu_tanh(x) if approximate else fa.gelu(x)",
    f"{NEGATIVE_INFINITY}; JAX loses the digits of the negative tail",
)
mish = _function("mish(x)", "fa.mish(x)", NEGATIVE_INFINITY)
elu = _function("elu(x, alpha=1.0)", "fa.elu(x, alpha)")
celu = _function("celu(x, alpha=1.0)", "fa.celu(x, alpha)")
selu = _function("selu(x)", "fa.selu(x)")

__all__ = [*LIBRARY.names()]
__dir__ = LIBRARY.names
