"""The calls of other libraries that compute the activations, as a user would write them.

Data only: one entry for each row of the catalogue, with the parameters' defaults. A library that is
not in an entry is not compared with; ``Calls()`` says that none is. A library's own function comes
first; where it has none, what one writes down in a line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Forms(NamedTuple):
    """Expressions of x, or of g, the gradient of the output, and x or y = f(x); "" for none."""

    forward: str
    backward: str = ""
    #: These write into the array ``result``.
    forward_into: str = ""
    backward_into: str = ""
    #: An expression of x, evaluated once, for the name ``given`` in the others.
    given: str = ""


class Operator(NamedTuple):
    """An operator of ONNX, which has no gradients."""

    name: str
    attributes: Mapping[str, Any] = {}
    #: The inputs after x.
    constants: tuple[float, ...] = ()
    domain: str = ""


class Calls(NamedTuple):
    """One activation in all libraries.

    PyTorch's names are those of ``torch``, ``torch.nn`` and ``torch.ops.aten``, JAX's those of
    ``jax.numpy`` and ``jax.nn``. JAX derives the gradient itself, unless it is one of y.
    """

    torch: Forms | None = None
    onnxruntime: Operator | None = None
    jax: Forms | None = None
    numpy: Forms | None = None
    numexpr: Forms | None = None


CALLS: Mapping[str, Calls] = {
    "identity": Calls(
        torch=Forms("clone(x)", "clone(g)"),
        onnxruntime=Operator("Identity"),
        numpy=Forms("x.copy()", "g.copy()"),
    ),
    "relu": Calls(
        torch=Forms(
            "relu(x)",
            "aten.threshold_backward.default(g, x, 0)",
            "aten.relu.out(x, out=result)",
            "aten.threshold_backward.grad_input(g, x, 0, grad_input=result)",
        ),
        onnxruntime=Operator("Relu"),
        jax=Forms("nn.relu(x)"),
        numpy=Forms(
            "maximum(x, 0)",
            "g * (x > 0)",
            "maximum(x, 0, out=result)",
            "multiply(g, x > 0, out=result)",
        ),
        numexpr=Forms("where(x > 0, x, 0)", "where(x > 0, g, 0)"),
    ),
    "relu6": Calls(
        torch=Forms(
            "nn.functional.relu6(x)",
            "aten.hardtanh_backward.default(g, x, 0, 6)",
            "aten.hardtanh.out(x, 0, 6, out=result)",
            "aten.hardtanh_backward.grad_input(g, x, 0, 6, grad_input=result)",
        ),
        onnxruntime=Operator("Clip", constants=(0, 6)),
        jax=Forms("nn.relu6(x)"),
        numpy=Forms("clip(x, 0, 6)", "g * ((x > 0) & (x < 6))", "clip(x, 0, 6, out=result)"),
        numexpr=Forms("where(x > 0, where(x < 6, x, 6), 0)", "where((x > 0) & (x < 6), g, 0)"),
    ),
    "squared_relu": Calls(
        torch=Forms("square(relu(x))", "2 * g * relu(x)"),
        jax=Forms("square(nn.relu(x))"),
        numpy=Forms("maximum(x, 0) ** 2", "2 * g * maximum(x, 0)"),
        numexpr=Forms("where(x > 0, x * x, 0)", "where(x > 0, 2 * x * g, 0)"),
    ),
    "leaky_relu": Calls(
        torch=Forms(
            "nn.functional.leaky_relu(x)",
            "aten.leaky_relu_backward.default(g, x, 0.01, False)",
            "aten.leaky_relu.out(x, out=result)",
            "aten.leaky_relu_backward.grad_input(g, x, 0.01, False, grad_input=result)",
        ),
        onnxruntime=Operator("LeakyRelu", {"alpha": 0.01}),
        jax=Forms("nn.leaky_relu(x)"),
        numpy=Forms(
            "maximum(x, 0.01 * x)",
            "where(x > 0, g, 0.01 * g)",
            "maximum(x, 0.01 * x, out=result)",
        ),
        numexpr=Forms("where(x > 0, x, x / 100)", "where(x > 0, g, g / 100)"),
    ),
    # Backward also computes the gradient of the weight.
    "prelu": Calls(
        torch=Forms(
            "nn.functional.prelu(x, given)",
            "(d := aten._prelu_kernel_backward.default(g, x, given), sum(d[1]))[0][0]",
            given="full((1,), 0.25, dtype=x.dtype)",
        ),
        onnxruntime=Operator("PRelu", constants=(0.25,)),
        jax=Forms("nn.leaky_relu(x, given)", given="full((), 0.25, x.dtype)"),
        numpy=Forms(
            "maximum(x, 0.25 * x)",
            "(where(x > 0, g, 0.25 * g), dot(g, minimum(x, 0)))[0]",
            "maximum(x, 0.25 * x, out=result)",
        ),
        numexpr=Forms("where(x > 0, x, x / 4)"),
    ),
    "rrelu": Calls(
        torch=Forms(
            "nn.functional.rrelu(x)",
            "aten.leaky_relu_backward.default(g, x, 0.22916666666666666, False)",
            "aten.leaky_relu.out(x, 0.22916666666666666, out=result)",
            "aten.leaky_relu_backward.grad_input"
            "(g, x, 0.22916666666666666, False, grad_input=result)",
        ),
        onnxruntime=Operator("LeakyRelu", {"alpha": 0.22916666666666666}),
        jax=Forms("nn.leaky_relu(x, 0.22916666666666666)"),
        numpy=Forms(
            "maximum(x, 0.2291666667 * x)",
            "where(x > 0, g, 0.2291666667 * g)",
            "maximum(x, 0.2291666667 * x, out=result)",
        ),
        numexpr=Forms("where(x > 0, x, 11 * x / 48)", "where(x > 0, g, 11 * g / 48)"),
    ),
    "threshold": Calls(
        torch=Forms(
            "nn.functional.threshold(x, 0.5, 1)",
            "aten.threshold_backward.default(g, x, 0.5)",
            "aten.threshold.out(x, 0.5, 1, out=result)",
            "aten.threshold_backward.grad_input(g, x, 0.5, grad_input=result)",
        ),
        jax=Forms("where(x > 0.5, x, 1)"),
        numpy=Forms(
            "where(x > 0.5, x, 1)", "g * (x > 0.5)", "", "multiply(g, x > 0.5, out=result)"
        ),
        numexpr=Forms("where(2 * x > 1, x, 1)", "where(2 * x > 1, g, 0)"),
    ),
    # The default line is x.
    "clipped_linear": Calls(
        torch=Forms(
            "clamp(x, 0, 1)",
            "aten.hardtanh_backward.default(g, x, 0, 1)",
            "clamp(x, 0, 1, out=result)",
            "aten.hardtanh_backward.grad_input(g, x, 0, 1, grad_input=result)",
        ),
        onnxruntime=Operator("Clip", constants=(0, 1)),
        jax=Forms("clip(x, 0, 1)"),
        numpy=Forms("clip(x, 0, 1)", "g * ((x > 0) & (x < 1))", "clip(x, 0, 1, out=result)"),
        numexpr=Forms("where(x > 0, where(x < 1, x, 1), 0)", "where((x > 0) & (x < 1), g, 0)"),
    ),
    "hard_tanh": Calls(
        torch=Forms(
            "nn.functional.hardtanh(x)",
            "aten.hardtanh_backward.default(g, x, -1, 1)",
            "aten.hardtanh.out(x, -1, 1, out=result)",
            "aten.hardtanh_backward.grad_input(g, x, -1, 1, grad_input=result)",
        ),
        onnxruntime=Operator("Clip", constants=(-1, 1)),
        jax=Forms("nn.hard_tanh(x)"),
        numpy=Forms("clip(x, -1, 1)", "g * (abs(x) < 1)", "clip(x, -1, 1, out=result)"),
        numexpr=Forms("where(x > -1, where(x < 1, x, 1), -1)", "where(abs(x) < 1, g, 0)"),
    ),
    "hard_sigmoid": Calls(
        torch=Forms(
            "nn.functional.hardsigmoid(x)",
            "aten.hardsigmoid_backward.default(g, x)",
            "aten.hardsigmoid.out(x, out=result)",
            "aten.hardsigmoid_backward.grad_input(g, x, grad_input=result)",
        ),
        onnxruntime=Operator("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),
        jax=Forms("nn.hard_sigmoid(x)"),
        numpy=Forms("clip(x / 6 + 0.5, 0, 1)", "where(abs(x) < 3, g / 6, 0)"),
        numexpr=Forms(
            "where(x > -3, where(x < 3, x + 3, 6), 0) / 6", "where(abs(x) < 3, g / 6, 0)"
        ),
    ),
    "hard_swish": Calls(
        torch=Forms(
            "nn.functional.hardswish(x)",
            "aten.hardswish_backward.default(g, x)",
            "aten.hardswish.out(x, out=result)",
            "aten.hardswish_backward.out(g, x, out=result)",
        ),
        onnxruntime=Operator("HardSwish"),
        jax=Forms("nn.hard_swish(x)"),
        numpy=Forms(
            "x * clip(x / 6 + 0.5, 0, 1)",
            "g * where(x <= -3, 0, where(x >= 3, 1, x / 3 + 0.5))",
        ),
        numexpr=Forms(
            "x * where(x > -3, where(x < 3, x + 3, 6), 0) / 6",
            "g * where(x > -3, where(x < 3, 2 * x + 3, 6), 0) / 6",
        ),
    ),
    "hard_shrink": Calls(
        torch=Forms(
            "nn.functional.hardshrink(x)",
            "aten.hardshrink_backward.default(g, x, 0.5)",
            "aten.hardshrink.out(x, 0.5, out=result)",
            "aten.hardshrink_backward.grad_input(g, x, 0.5, grad_input=result)",
        ),
        onnxruntime=Operator("Shrink", {"lambd": 0.5}),
        jax=Forms("where(abs(x) > 0.5, x, 0)"),
        numpy=Forms(
            "x * (abs(x) > 0.5)",
            "g * (abs(x) > 0.5)",
            "multiply(x, abs(x) > 0.5, out=result)",
            "multiply(g, abs(x) > 0.5, out=result)",
        ),
        numexpr=Forms("where(abs(2 * x) > 1, x, 0)", "where(abs(2 * x) > 1, g, 0)"),
    ),
    "soft_shrink": Calls(
        torch=Forms(
            "nn.functional.softshrink(x)",
            "aten.softshrink_backward.default(g, x, 0.5)",
            "aten.softshrink.out(x, 0.5, out=result)",
            "aten.softshrink_backward.grad_input(g, x, 0.5, grad_input=result)",
        ),
        onnxruntime=Operator("Shrink", {"lambd": 0.5, "bias": 0.5}),
        jax=Forms("x - clip(x, -0.5, 0.5)"),
        numpy=Forms(
            "x - clip(x, -0.5, 0.5)",
            "g * (abs(x) > 0.5)",
            "subtract(x, clip(x, -0.5, 0.5), out=result)",
            "multiply(g, abs(x) > 0.5, out=result)",
        ),
        numexpr=Forms(
            "x - where(2 * x > -1, where(2 * x < 1, 2 * x, 1), -1) / 2",
            "where(abs(2 * x) > 1, g, 0)",
        ),
    ),
    "softsign": Calls(
        torch=Forms("nn.functional.softsign(x)", "g / square(1 + abs(x))"),
        onnxruntime=Operator("Softsign"),
        jax=Forms("nn.soft_sign(x)"),
        numpy=Forms("x / (1 + abs(x))", "g / (1 + abs(x)) ** 2"),
        numexpr=Forms("x / (1 + abs(x))", "g / (1 + abs(x)) ** 2"),
    ),
    "squareplus": Calls(
        torch=Forms("0.5 * (x + sqrt(x * x + 4))", "0.5 * g * (1 + x * rsqrt(x * x + 4))"),
        jax=Forms("nn.squareplus(x)"),
        numpy=Forms("0.5 * (x + sqrt(x * x + 4))", "0.5 * g * (1 + x / sqrt(x * x + 4))"),
        numexpr=Forms("(x + sqrt(x * x + 4)) / 2", "g * (1 + x / sqrt(x * x + 4)) / 2"),
    ),
    "sparse_plus": Calls(
        torch=Forms(
            "where(x >= 1, x, 0.25 * square(relu(x + 1)))", "g * clamp(0.5 * x + 0.5, 0, 1)"
        ),
        jax=Forms("nn.sparse_plus(x)"),
        numpy=Forms(
            "where(x >= 1, x, 0.25 * maximum(x + 1, 0) ** 2)", "g * clip(0.5 * x + 0.5, 0, 1)"
        ),
        numexpr=Forms(
            "where(x > -1, where(x < 1, (x + 1) ** 2 / 4, x), 0)",
            "where(x > -1, where(x < 1, (x + 1) * g / 2, g), 0)",
        ),
    ),
    "sparse_sigmoid": Calls(
        torch=Forms("clamp(0.5 * x + 0.5, 0, 1)", "0.5 * g * (abs(x) < 1)"),
        onnxruntime=Operator("HardSigmoid", {"alpha": 0.5, "beta": 0.5}),
        jax=Forms("nn.sparse_sigmoid(x)"),
        numpy=Forms("clip(0.5 * x + 0.5, 0, 1)", "0.5 * g * (abs(x) < 1)"),
        numexpr=Forms(
            "where(x > -1, where(x < 1, x + 1, 2), 0) / 2", "where(abs(x) < 1, g / 2, 0)"
        ),
    ),
    "dish": Calls(
        torch=Forms("0.5 * x * (1 + x * rsqrt(1 + x * x))"),
        jax=Forms("0.5 * x * (1 + x / sqrt(1 + x * x))"),
        numpy=Forms(
            "0.5 * x * (1 + x / sqrt(1 + x * x))",
            "0.5 * g * (1 + x * (r := 1 / sqrt(1 + x * x)) * (1 + r * r))",
        ),
        numexpr=Forms(
            "x * (1 + x / sqrt(1 + x * x)) / 2",
            "g * (1 + x / sqrt(1 + x * x) * (1 + 1 / (1 + x * x))) / 2",
        ),
    ),
    "exponential": Calls(
        torch=Forms("exp(x)", "mul(g, y)", "exp(x, out=result)", "mul(g, y, out=result)"),
        onnxruntime=Operator("Exp"),
        jax=Forms("exp(x)", "g * y"),
        numpy=Forms("exp(x)", "g * y", "exp(x, out=result)", "multiply(g, y, out=result)"),
        numexpr=Forms("exp(x)", "g * y"),
    ),
    "sigmoid": Calls(
        torch=Forms(
            "sigmoid(x)",
            "aten.sigmoid_backward.default(g, y)",
            "sigmoid(x, out=result)",
            "aten.sigmoid_backward.grad_input(g, y, grad_input=result)",
        ),
        onnxruntime=Operator("Sigmoid"),
        jax=Forms("nn.sigmoid(x)", "g * y * (1 - y)"),
        numpy=Forms("1 / (1 + exp(-x))", "g * y * (1 - y)"),
        numexpr=Forms("1 / (1 + exp(-x))", "g * y * (1 - y)"),
    ),
    # PyTorch keeps exp(-abs(x)) of the forward call.
    "log_sigmoid": Calls(
        torch=Forms(
            "nn.functional.logsigmoid(x)",
            "aten.log_sigmoid_backward.default(g, x, given)",
            "aten.log_sigmoid.out(x, out=result)",
            "aten.log_sigmoid_backward.grad_input(g, x, given, grad_input=result)",
            given="exp(-abs(x))",
        ),
        jax=Forms("nn.log_sigmoid(x)"),
        numpy=Forms("minimum(x, 0) - log1p(exp(-abs(x)))", "g / (1 + exp(x))"),
        numexpr=Forms("where(x < 0, x, 0) - log1p(exp(-abs(x)))", "g / (1 + exp(x))"),
    ),
    "tanh": Calls(
        torch=Forms(
            "tanh(x)",
            "aten.tanh_backward.default(g, y)",
            "tanh(x, out=result)",
            "aten.tanh_backward.grad_input(g, y, grad_input=result)",
        ),
        onnxruntime=Operator("Tanh"),
        jax=Forms("nn.tanh(x)", "g * (1 - y * y)"),
        numpy=Forms("tanh(x)", "g * (1 - y * y)", "tanh(x, out=result)"),
        numexpr=Forms("tanh(x)", "g * (1 - y * y)"),
    ),
    "scaled_tanh": Calls(
        torch=Forms(
            "1.7159 * tanh(0.6666666667 * x)",
            "1.1439333333 * aten.tanh_backward.default(g, tanh(0.6666666667 * x))",
        ),
        jax=Forms("1.7159 * nn.tanh(0.6666666667 * x)"),
        numpy=Forms(
            "1.7159 * tanh(0.6666666667 * x)",
            "1.1439333333 * g * (1 - tanh(0.6666666667 * x) ** 2)",
        ),
        numexpr=Forms(
            "1.7159 * tanh(0.6666666667 * x)",
            "1.1439333333 * g * (1 - tanh(0.6666666667 * x) ** 2)",
        ),
    ),
    # PyTorch keeps tanh(x) of the forward call.
    "tanhshrink": Calls(
        torch=Forms(
            "nn.functional.tanhshrink(x)",
            "g - aten.tanh_backward.default(g, given)",
            given="tanh(x)",
        ),
        jax=Forms("x - nn.tanh(x)"),
        numpy=Forms("x - tanh(x)", "g * tanh(x) ** 2", "subtract(x, tanh(x), out=result)"),
        numexpr=Forms("x - tanh(x)", "g * tanh(x) ** 2"),
    ),
    "softplus": Calls(
        torch=Forms(
            "nn.functional.softplus(x)",
            "aten.softplus_backward.default(g, x, 1, 20)",
            "aten.softplus.out(x, out=result)",
            "aten.softplus_backward.grad_input(g, x, 1, 20, grad_input=result)",
        ),
        onnxruntime=Operator("Softplus"),
        jax=Forms("nn.softplus(x)"),
        numpy=Forms("maximum(x, 0) + log1p(exp(-abs(x)))", "g / (1 + exp(-x))"),
        numexpr=Forms("where(x > 0, x, 0) + log1p(exp(-abs(x)))", "g / (1 + exp(-x))"),
    ),
    "silu": Calls(
        torch=Forms(
            "nn.functional.silu(x)",
            "aten.silu_backward.default(g, x)",
            "aten.silu.out(x, out=result)",
            "aten.silu_backward.grad_input(g, x, grad_input=result)",
        ),
        # Its own operator, into which it would turn x * sigmoid(x) too.
        onnxruntime=Operator("QuickGelu", {"alpha": 1.0}, domain="com.microsoft"),
        jax=Forms("nn.silu(x)"),
        numpy=Forms("x / (1 + exp(-x))", "g * (s := 1 / (1 + exp(-x))) * (1 + x * (1 - s))"),
        numexpr=Forms("x / (1 + exp(-x))", "g / (1 + exp(-x)) * (1 + x / (1 + exp(x)))"),
    ),
    "gelu": Calls(
        torch=Forms(
            "nn.functional.gelu(x)",
            "aten.gelu_backward.default(g, x)",
            "aten.gelu.out(x, out=result)",
            "aten.gelu_backward.grad_input(g, x, grad_input=result)",
        ),
        onnxruntime=Operator("Gelu"),
        jax=Forms("nn.gelu(x, approximate=False)"),
    ),
    "gelu_tanh": Calls(
        torch=Forms(
            "nn.functional.gelu(x, approximate='tanh')",
            "aten.gelu_backward.default(g, x, approximate='tanh')",
            "aten.gelu.out(x, approximate='tanh', out=result)",
            "aten.gelu_backward.grad_input(g, x, approximate='tanh', grad_input=result)",
        ),
        onnxruntime=Operator("Gelu", {"approximate": "tanh"}),
        jax=Forms("nn.gelu(x)"),
        numpy=Forms("0.5 * x * (1 + tanh(0.7978845608 * (x + 0.044715 * x * x * x)))"),
        numexpr=Forms("x / (1 + exp(-1.5957691216 * (x + 0.044715 * x * x * x)))"),
    ),
    "quick_gelu": Calls(
        torch=Forms("x * sigmoid(1.702 * x)"),
        onnxruntime=Operator("QuickGelu", {"alpha": 1.702}, domain="com.microsoft"),
        jax=Forms("x * nn.sigmoid(1.702 * x)"),
        numpy=Forms(
            "x / (1 + exp(-1.702 * x))",
            "g * (s := 1 / (1 + exp(-1.702 * x))) * (1 + 1.702 * x * (1 - s))",
        ),
        numexpr=Forms(
            "x / (1 + exp(-1.702 * x))",
            "g / (1 + exp(-1.702 * x)) * (1 + 1.702 * x / (1 + exp(1.702 * x)))",
        ),
    ),
    "mish": Calls(
        torch=Forms(
            "nn.functional.mish(x)",
            "aten.mish_backward.default(g, x)",
            "aten.mish.out(x, out=result)",
        ),
        onnxruntime=Operator("Mish"),
        jax=Forms("nn.mish(x)"),
        numpy=Forms("x * tanh(log1p(exp(x)))"),
        numexpr=Forms("x * tanh(log1p(exp(x)))"),
    ),
    "elu": Calls(
        torch=Forms(
            "nn.functional.elu(x)",
            "aten.elu_backward.default(g, 1, 1, 1, False, x)",
            "aten.elu.out(x, out=result)",
            "aten.elu_backward.grad_input(g, 1, 1, 1, False, x, grad_input=result)",
        ),
        onnxruntime=Operator("Elu"),
        jax=Forms("nn.elu(x)"),
        numpy=Forms("maximum(x, 0) + expm1(minimum(x, 0))", "g * exp(minimum(x, 0))"),
        numexpr=Forms("where(x > 0, x, expm1(x))", "where(x > 0, g, g * exp(x))"),
    ),
    "celu": Calls(
        torch=Forms(
            "nn.functional.celu(x)",
            "aten.elu_backward.default(g, 1, 1, 1, False, x)",
            "aten.celu.out(x, out=result)",
            "aten.elu_backward.grad_input(g, 1, 1, 1, False, x, grad_input=result)",
        ),
        onnxruntime=Operator("Celu"),
        jax=Forms("nn.celu(x)"),
        numpy=Forms("maximum(x, 0) + expm1(minimum(x, 0))", "g * exp(minimum(x, 0))"),
        numexpr=Forms("where(x > 0, x, expm1(x))", "where(x > 0, g, g * exp(x))"),
    ),
    "selu": Calls(
        torch=Forms(
            "selu(x)",
            "aten.elu_backward.default(g, 1.6732632423543772, 1.0507009873554805, 1, False, x)",
            "aten.elu.out(x, 1.6732632423543772, 1.0507009873554805, out=result)",
            "aten.elu_backward.grad_input"
            "(g, 1.6732632423543772, 1.0507009873554805, 1, False, x, grad_input=result)",
        ),
        onnxruntime=Operator("Selu"),
        jax=Forms("nn.selu(x)"),
        numpy=Forms(
            "1.0507009874 * maximum(x, 0) + 1.7580993408 * expm1(minimum(x, 0))",
            "g * where(x > 0, 1.0507009874, 1.7580993408 * exp(x))",
        ),
        numexpr=Forms(
            "where(x > 0, 1.0507009874 * x, 1.7580993408 * expm1(x))",
            "g * where(x > 0, 1.0507009874, 1.7580993408 * exp(x))",
        ),
    ),
}
