"""fastact: activation functions of neural networks and their gradients, for NumPy on the CPU."""

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
hard_swish = hardswish = hard_silu = get("hard_swish")
softsign = soft_sign = get("softsign")
sparse_plus = get("sparse_plus")
sparse_sigmoid = get("sparse_sigmoid")
sigmoid = expit = logistic = get("sigmoid")
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
selu = get("selu")

__all__ = [
    "Activation",
    "BackendUnavailableError",
    "bnll",
    "clear_pool",
    "elu",
    "expit",
    "gelu",
    "gelu_tanh",
    "get",
    "get_backend",
    "get_num_threads",
    "get_precision",
    "hard_silu",
    "hard_swish",
    "hardswish",
    "identity",
    "leaky_relu",
    "linear",
    "logistic",
    "mish",
    "names",
    "quick_gelu",
    "relu",
    "relu2",
    "relu6",
    "scaled_tanh",
    "selu",
    "set_backend",
    "set_num_threads",
    "set_pool_limit",
    "set_precision",
    "show_config",
    "sigmoid",
    "silu",
    "soft_sign",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "squared_relu",
    "swish",
    "tanh",
    "tanh_shrink",
    "tanhshrink",
    "use_backend",
    "use_precision",
    "use_threads",
]
