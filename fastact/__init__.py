"""fastact: activation functions of neural networks and their gradients, for NumPy on the CPU."""

# First: it answers for errors of what follows.
from fastact import startup  # isort: skip  # noqa: F401
from fastact.activation import Activation, get, names
from fastact.config import (
    BackendUnavailableError,
    get_backend,
    get_num_threads,
    get_precision,
    set_backend,
    set_num_threads,
    set_precision,
    show_config,
    use_backend,
    use_precision,
    use_threads,
)
from fastact.memory import clear_pool, set_pool_limit

__version__ = "0.1.0"

identity = linear = get("identity")
relu = get("relu")
relu6 = get("relu6")
squared_relu = relu2 = get("squared_relu")
leaky_relu = get("leaky_relu")
prelu = get("prelu")
rrelu = get("rrelu")
threshold = get("threshold")
clipped_linear = get("clipped_linear")
hard_tanh = hardtanh = get("hard_tanh")
hard_sigmoid = hardsigmoid = get("hard_sigmoid")
hard_swish = hardswish = hard_silu = get("hard_swish")
hard_shrink = hardshrink = get("hard_shrink")
soft_shrink = softshrink = get("soft_shrink")
softsign = soft_sign = get("softsign")
squareplus = get("squareplus")
sparse_plus = get("sparse_plus")
sparse_sigmoid = get("sparse_sigmoid")
dish = get("dish")
exponential = exp = get("exponential")
sigmoid = expit = logistic = get("sigmoid")
log_sigmoid = logsigmoid = get("log_sigmoid")
tanh = get("tanh")
scaled_tanh = get("scaled_tanh")
tanhshrink = tanh_shrink = get("tanhshrink")
softplus = bnll = get("softplus")
silu = swish = get("silu")
gelu = get("gelu")
gelu_tanh = get("gelu_tanh")
quick_gelu = get("quick_gelu")
mish = get("mish")
elu = get("elu")
celu = get("celu")
selu = get("selu")

__all__ = [
    "Activation",
    "BackendUnavailableError",
    "bnll",
    "celu",
    "clear_pool",
    "clipped_linear",
    "dish",
    "elu",
    "exp",
    "expit",
    "exponential",
    "gelu",
    "gelu_tanh",
    "get",
    "get_backend",
    "get_num_threads",
    "get_precision",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "identity",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "logistic",
    "logsigmoid",
    "mish",
    "names",
    "prelu",
    "quick_gelu",
    "relu",
    "relu2",
    "relu6",
    "rrelu",
    "scaled_tanh",
    "selu",
    "set_backend",
    "set_num_threads",
    "set_pool_limit",
    "set_precision",
    "show_config",
    "sigmoid",
    "silu",
    "soft_shrink",
    "soft_sign",
    "softplus",
    "softshrink",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "squared_relu",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
    "tanhshrink",
    "threshold",
    "use_backend",
    "use_precision",
    "use_threads",
]
