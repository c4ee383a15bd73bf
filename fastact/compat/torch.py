"""``torch.nn.functional``: what it computes element by element, without reductions.

A name that ends in an underscore, and ``inplace=True``, write into the input, which must be an
ndarray.
"""

from __future__ import annotations

from fastact.compat._composite import softplus_below
from fastact.compat._function import Library, target_of

NEGATIVE_INFINITY = "PyTorch gives NaN at -inf, here it is the limit"
LIBRARY = Library("torch", "torch.nn.functional", softplus_below=target_of(softplus_below))
_function = LIBRARY.function

threshold = _function(
    "threshold(input, threshold, value, inplace=False)",
    "fa.threshold(input, threshold, value)",
    example="0.5, 1.0",
)
threshold_ = _function(
    "threshold_(input, threshold, value)",
    "fa.threshold(input, threshold, value)",
)
relu = _function("relu(input, inplace=False)", "fa.relu(input)")
relu_ = _function("relu_(input)", "fa.relu(input)")
relu6 = _function("relu6(input, inplace=False)", "fa.relu6(input)")
hardtanh = _function(
    "hardtanh(input, min_val=-1.0, max_val=1.0, inplace=False)",
    "fa.hard_tanh(input, min_val, max_val)",
    "integers become float unless both bounds are integers",
)
hardtanh_ = _function(
    "hardtanh_(input, min_val=-1.0, max_val=1.0)", "fa.hard_tanh(input, min_val, max_val)"
)
hardsigmoid = _function(
    "hardsigmoid(input, inplace=False)",
    "fa.hard_sigmoid(input)",
    "PyTorch's derivative in float64 is 1/6 rounded to float32",
)
hardswish = _function(
    "hardswish(input, inplace=False)",
    "fa.hard_swish(input)",
    f"{NEGATIVE_INFINITY}; older versions have other derivatives at -3 and 3",
)
hardshrink = _function("hardshrink(input, lambd=0.5)", "fa.hard_shrink(input, lambd)")
softshrink = _function("softshrink(input, lambd=0.5)", "fa.soft_shrink(input, lambd)")
tanhshrink = _function("tanhshrink(input)", "fa.tanhshrink(input)")
elu = _function("elu(input, alpha=1.0, inplace=False)", "fa.elu(input, alpha)")
elu_ = _function("elu_(input, alpha=1.0)", "fa.elu(input, alpha)")
selu = _function("selu(input, inplace=False)", "fa.selu(input)")
selu_ = _function("selu_(input)", "fa.selu(input)")
celu = _function("celu(input, alpha=1.0, inplace=False)", "fa.celu(input, alpha)")
celu_ = _function("celu_(input, alpha=1.0)", "fa.celu(input, alpha)")
leaky_relu = _function(
    "leaky_relu(input, negative_slope=0.01, inplace=False)", "fa.leaky_relu(input, negative_slope)"
)
leaky_relu_ = _function(
    "leaky_relu_(input, negative_slope=0.01)", "fa.leaky_relu(input, negative_slope)"
)
prelu = _function(
    "prelu(input, weight)",
    "fa.prelu(input, weight)",
    "the weight may be a number; `backward` returns the gradients of both",
    example="0.25",
)
rrelu = _function(
    "rrelu(input, lower=1/8, upper=1/3, training=False, inplace=False, *, rng=None, slopes=None)",
    "fa.rrelu(input, lower, upper, training, rng, slopes=slopes)",
    "slopes are drawn by NumPy, from `rng`",
)
rrelu_ = _function(
    "rrelu_(input, lower=1/8, upper=1/3, training=False, *, rng=None, slopes=None)",
    "fa.rrelu(input, lower, upper, training, rng, slopes=slopes)",
    "slopes are drawn by NumPy, from `rng`",
)
gelu = _function(
    "gelu(input, *, approximate='none')",
    "fa.gelu_tanh(input) if approximate == 'tanh' else fa.gelu(input)",
    f"{NEGATIVE_INFINITY}; in float32 also at inf; PyTorch loses the digits of the negative tail",
    approximate=("none", "tanh"),
)
silu = _function("silu(input, inplace=False)", "fa.silu(input)", NEGATIVE_INFINITY)
mish = _function("mish(input, inplace=False)", "fa.mish(input)", NEGATIVE_INFINITY)
softplus = _function(
    "softplus(input, beta=1, threshold=20)",
    "fa.softplus(input, beta) if threshold >= 20 else softplus_below(input, beta, threshold)",
    "beta must be above 0; a threshold of 20 or more is not applied: above it PyTorch returns x, "
    "which is too low by up to 2.1e-9 / beta",
    numbers=("threshold",),
)
logsigmoid = _function("logsigmoid(input)", "fa.log_sigmoid(input)")
softsign = _function("softsign(input)", "fa.softsign(input)", "PyTorch gives NaN at -inf and inf")
sigmoid = _function("sigmoid(input)", "fa.sigmoid(input)")
tanh = _function("tanh(input)", "fa.tanh(input)")

__all__ = [*LIBRARY.names()]
__dir__ = LIBRARY.names
