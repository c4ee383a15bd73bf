"""How each library is called.

A class is a library; its tables are the calls, as a user would write them. An activation that is
not in a library's table is not compared with it. NumPy and numexpr have only the expressions that
one writes down in a line.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from importlib import import_module, metadata
from importlib.util import find_spec
from operator import attrgetter
from typing import Any, ClassVar, NamedTuple

import numpy as np

import fastact as fa
from fastact.bench.cells import Array, Cell, numpy_dtype

#: By direction of the cell: {activation: call}
Table = Mapping[str, Mapping[str, str]]


class Call(NamedTuple):
    """A statement, the names it uses, and how to read its result.

    The statement assigns to ``result``, unless that is one of the names: it writes into it then.
    """

    statement: str
    names: dict[str, Any]
    to_numpy: Callable[[Any], Array] = np.asarray


class Library:
    """A library that can be measured."""

    name: str
    #: What must be installed beyond fastact itself.
    modules: tuple[str, ...] = ()

    def __init__(self) -> None:
        """Import the library: what one pays for it, one pays before anything is timed."""

    @property
    def version(self) -> str:
        return metadata.version(self.name)

    def context(self) -> AbstractContextManager[Any]:
        """Return what must be entered before its calls."""
        return nullcontext()

    def set_threads(self, threads: int) -> None:
        """Use so many threads in the calls that are prepared next."""

    def prepare(self, cell: Cell, arrays: dict[str, Array]) -> Call | None:
        """Return the call for a cell, or None if the library has none."""
        raise NotImplementedError  # each library has its own


def _buffer(cell: Cell, arrays: dict[str, Any], empty_like: Callable[[Any], Any]) -> dict[str, Any]:
    """Return the name of the output: a new array, or in place the first of the inputs."""
    if cell.output == "new":
        return {}
    first = next(iter(arrays.values()))
    return {"result": first if cell.output == "inplace" else empty_like(first)}


def _statement(cell: Cell, expression: str) -> str:
    return f"result = {expression}" if cell.output == "new" else expression


class Fastact(Library):
    name = "fastact"
    version = fa.__version__

    def set_threads(self, threads: int) -> None:
        fa.set_num_threads(threads)

    def prepare(self, cell: Cell, arrays: dict[str, Array]) -> Call:
        activation = fa.get(cell.activation)
        function: Any = activation
        if cell.direction == "backward":
            function = activation.backward_from_output if cell.from_output else activation.backward
        given = [*arrays, *(str(p.default) for p in activation.parameters if p.required)]
        # Of two results, the second is the gradient of a parameter.
        out, first = ("(result, None)", "[0]") if function.nout == 2 else ("result", "")
        given += [] if cell.output == "new" else [f"out={out}"]
        statement = _statement(cell, f"f({', '.join(given)}){first}")
        return Call(statement, {"f": function, **arrays, **_buffer(cell, arrays, np.empty_like)})


class NumPy(Library):
    name = "numpy"
    version = np.__version__

    _NEW: ClassVar[Table] = {
        "forward": {
            "identity": "x.copy()",
            "relu": "maximum(x, 0)",
            "relu6": "clip(x, 0, 6)",
            "leaky_relu": "maximum(x, 0.01 * x)",
            "hard_swish": "x * clip(x / 6 + 0.5, 0, 1)",
            "exponential": "exp(x)",
            "sigmoid": "1 / (1 + exp(-x))",
            "log_sigmoid": "minimum(x, 0) - log1p(exp(-abs(x)))",
            "tanh": "tanh(x)",
            "scaled_tanh": "1.7159 * tanh(0.6666666667 * x)",
            "tanhshrink": "x - tanh(x)",
            "softplus": "maximum(x, 0) + log1p(exp(-abs(x)))",
            "silu": "x / (1 + exp(-x))",
            "gelu_tanh": "0.5 * x * (1 + tanh(0.7978845608 * (x + 0.044715 * x * x * x)))",
            "quick_gelu": "x / (1 + exp(-1.702 * x))",
            "mish": "x * tanh(log1p(exp(x)))",
            "elu": "maximum(x, 0) + expm1(minimum(x, 0))",
            "celu": "maximum(x, 0) + expm1(minimum(x, 0))",
            "selu": "1.0507009874 * maximum(x, 0) + 1.7580993408 * expm1(minimum(x, 0))",
        },
        "backward": {
            "identity": "g.copy()",
            "relu": "g * (x > 0)",
            "relu6": "g * ((x > 0) & (x < 6))",
            "leaky_relu": "where(x > 0, g, 0.01 * g)",
            "hard_swish": "g * where(x <= -3, 0, where(x >= 3, 1, x / 3 + 0.5))",
            "exponential": "g * y",
            "sigmoid": "g * y * (1 - y)",
            "log_sigmoid": "g / (1 + exp(x))",
            "tanh": "g * (1 - y * y)",
            "softplus": "g / (1 + exp(-x))",
            "silu": "g * (s := 1 / (1 + exp(-x))) * (1 + x * (1 - s))",
            "elu": "g * exp(minimum(x, 0))",
            "celu": "g * exp(minimum(x, 0))",
            "selu": "g * where(x > 0, 1.0507009874, 1.7580993408 * exp(x))",
        },
    }
    #: Ufuncs that write the result at once; the other expressions have no such form.
    _INTO: ClassVar[Table] = {
        "forward": {
            "relu": "maximum(x, 0, out=result)",
            "relu6": "clip(x, 0, 6, out=result)",
            "leaky_relu": "maximum(x, 0.01 * x, out=result)",
            "exponential": "exp(x, out=result)",
            "tanh": "tanh(x, out=result)",
        },
        "backward": {
            "relu": "multiply(g, x > 0, out=result)",
            "exponential": "multiply(g, y, out=result)",
        },
    }

    def context(self) -> AbstractContextManager[Any]:
        return np.errstate(all="ignore")

    def prepare(self, cell: Cell, arrays: dict[str, Array]) -> Call | None:
        table = self._NEW if cell.output == "new" else self._INTO
        expression = table[cell.direction].get(cell.activation)
        if expression is None:
            return None
        names = vars(np) | arrays | _buffer(cell, arrays, np.empty_like)
        return Call(_statement(cell, expression), names)


class Torch(Library):
    name = "torch"
    modules = ("torch",)

    _NEW: ClassVar[Table] = {
        "forward": {
            "identity": "clone(x)",
            "relu": "relu(x)",
            "relu6": "nn.functional.relu6(x)",
            "leaky_relu": "nn.functional.leaky_relu(x)",
            "hard_swish": "nn.functional.hardswish(x)",
            "exponential": "exp(x)",
            "sigmoid": "sigmoid(x)",
            "log_sigmoid": "nn.functional.logsigmoid(x)",
            "tanh": "tanh(x)",
            "tanhshrink": "nn.functional.tanhshrink(x)",
            "softplus": "nn.functional.softplus(x)",
            "silu": "nn.functional.silu(x)",
            "gelu": "nn.functional.gelu(x)",
            "gelu_tanh": "nn.functional.gelu(x, approximate='tanh')",
            "mish": "nn.functional.mish(x)",
            "elu": "nn.functional.elu(x)",
            "celu": "nn.functional.celu(x)",
            "selu": "selu(x)",
        },
        "backward": {
            "identity": "clone(g)",
            "relu": "ops.aten.threshold_backward.default(g, x, 0)",
            "relu6": "ops.aten.hardtanh_backward.default(g, x, 0, 6)",
            "leaky_relu": "ops.aten.leaky_relu_backward.default(g, x, 0.01, False)",
            "hard_swish": "ops.aten.hardswish_backward.default(g, x)",
            "exponential": "mul(g, y)",
            "sigmoid": "ops.aten.sigmoid_backward.default(g, y)",
            "tanh": "ops.aten.tanh_backward.default(g, y)",
            "softplus": "ops.aten.softplus_backward.default(g, x, 1, 20)",
            "silu": "ops.aten.silu_backward.default(g, x)",
            "gelu": "ops.aten.gelu_backward.default(g, x)",
            "gelu_tanh": "ops.aten.gelu_backward.default(g, x, approximate='tanh')",
            "mish": "ops.aten.mish_backward.default(g, x)",
            "elu": "ops.aten.elu_backward.default(g, 1, 1, 1, False, x)",
            "celu": "ops.aten.elu_backward.default(g, 1, 1, 1, False, x)",
            "selu": "ops.aten.elu_backward.default"
            "(g, 1.6732632423543772, 1.0507009873554805, 1, False, x)",
        },
    }
    _INTO: ClassVar[Table] = {
        "forward": {
            "relu": "ops.aten.relu.out(x, out=result)",
            "relu6": "ops.aten.hardtanh.out(x, 0, 6, out=result)",
            "leaky_relu": "ops.aten.leaky_relu.out(x, out=result)",
            "hard_swish": "ops.aten.hardswish.out(x, out=result)",
            "exponential": "exp(x, out=result)",
            "sigmoid": "sigmoid(x, out=result)",
            "log_sigmoid": "ops.aten.log_sigmoid.out(x, out=result)",
            "tanh": "tanh(x, out=result)",
            "softplus": "ops.aten.softplus.out(x, out=result)",
            "silu": "ops.aten.silu.out(x, out=result)",
            "gelu": "ops.aten.gelu.out(x, out=result)",
            "gelu_tanh": "ops.aten.gelu.out(x, approximate='tanh', out=result)",
            "mish": "ops.aten.mish.out(x, out=result)",
            "elu": "ops.aten.elu.out(x, out=result)",
            "celu": "ops.aten.celu.out(x, out=result)",
            "selu": "ops.aten.elu.out(x, 1.6732632423543772, 1.0507009873554805, out=result)",
        },
        "backward": {
            "relu": "ops.aten.threshold_backward.grad_input(g, x, 0, grad_input=result)",
            "relu6": "ops.aten.hardtanh_backward.grad_input(g, x, 0, 6, grad_input=result)",
            "leaky_relu": "ops.aten.leaky_relu_backward.grad_input"
            "(g, x, 0.01, False, grad_input=result)",
            "hard_swish": "ops.aten.hardswish_backward.out(g, x, out=result)",
            "exponential": "mul(g, y, out=result)",
            "sigmoid": "ops.aten.sigmoid_backward.grad_input(g, y, grad_input=result)",
            "tanh": "ops.aten.tanh_backward.grad_input(g, y, grad_input=result)",
            "softplus": "ops.aten.softplus_backward.grad_input(g, x, 1, 20, grad_input=result)",
            "silu": "ops.aten.silu_backward.grad_input(g, x, grad_input=result)",
            "gelu": "ops.aten.gelu_backward.grad_input(g, x, grad_input=result)",
            "gelu_tanh": "ops.aten.gelu_backward.grad_input"
            "(g, x, approximate='tanh', grad_input=result)",
            "elu": "ops.aten.elu_backward.grad_input(g, 1, 1, 1, False, x, grad_input=result)",
            "celu": "ops.aten.elu_backward.grad_input(g, 1, 1, 1, False, x, grad_input=result)",
            "selu": "ops.aten.elu_backward.grad_input"
            "(g, 1.6732632423543772, 1.0507009873554805, 1, False, x, grad_input=result)",
        },
    }

    def __init__(self) -> None:
        self.torch = import_module("torch")

    def context(self) -> AbstractContextManager[Any]:
        context: AbstractContextManager[Any] = self.torch.inference_mode()
        return context

    def set_threads(self, threads: int) -> None:
        self.torch.set_num_threads(threads)

    def prepare(self, cell: Cell, arrays: dict[str, Array]) -> Call | None:
        table = self._NEW if cell.output == "new" else self._INTO
        call = table[cell.direction].get(cell.activation)
        if call is None:
            return None
        # Looked up here and not in each call.
        path, _, arguments = call.partition("(")
        function = attrgetter(path)(self.torch)
        tensors = {name: self._tensor(array) for name, array in arrays.items()}
        buffer = _buffer(cell, tensors, self.torch.empty_like)
        return Call(
            _statement(cell, f"f({arguments}"),
            {"f": function, **tensors, **buffer},
            partial(self._array, dtype=numpy_dtype(cell.dtype)),
        )

    def _tensor(self, array: Array) -> Any:
        """Return a tensor on the same memory."""
        if array.dtype.name == "bfloat16":  # which torch.from_numpy does not know
            return self.torch.from_numpy(array.view(np.int16)).view(self.torch.bfloat16)
        return self.torch.from_numpy(array)

    def _array(self, tensor: Any, dtype: np.dtype[Any]) -> Array:
        if dtype.name == "bfloat16":
            tensor = tensor.view(self.torch.int16)
        array: Array = tensor.numpy().view(dtype)
        return array


class OnnxRuntime(Library):
    """Input and output are bound, so that each call writes into the same output."""

    name = "onnxruntime"
    modules = ("onnxruntime", "onnx")

    #: activation: (operator, attributes)
    _OPERATORS: ClassVar[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
        "identity": ("Identity", {}),
        "relu": ("Relu", {}),
        "leaky_relu": ("LeakyRelu", {"alpha": 0.01}),
        "hard_swish": ("HardSwish", {}),
        "exponential": ("Exp", {}),
        "sigmoid": ("Sigmoid", {}),
        "tanh": ("Tanh", {}),
        "softplus": ("Softplus", {}),
        # Its own operator, into which it would turn x * sigmoid(x) too.
        "silu": ("QuickGelu", {"alpha": 1.0, "domain": "com.microsoft"}),
        "gelu": ("Gelu", {}),
        "gelu_tanh": ("Gelu", {"approximate": "tanh"}),
        "quick_gelu": ("QuickGelu", {"alpha": 1.702, "domain": "com.microsoft"}),
        "mish": ("Mish", {}),
        "elu": ("Elu", {}),
        "selu": ("Selu", {}),
    }
    #: The first versions in which all of these are defined.
    _OPSET, _IR_VERSION = 20, 9

    def __init__(self) -> None:
        self.onnxruntime = import_module("onnxruntime")
        self.helper = import_module("onnx.helper")
        self.unsupported = import_module(
            "onnxruntime.capi.onnxruntime_pybind11_state"
        ).NotImplemented

    def prepare(self, cell: Cell, arrays: dict[str, Array]) -> Call | None:
        if (
            cell.direction == "backward"
            or cell.output == "inplace"
            or cell.dtype == "bfloat16"  # which its arrays do not know
            or cell.activation not in self._OPERATORS
        ):
            return None
        options = self.onnxruntime.SessionOptions()
        options.intra_op_num_threads = cell.threads
        try:
            session = self.onnxruntime.InferenceSession(
                self._model(cell, arrays["x"].dtype), options, providers=["CPUExecutionProvider"]
            )
        except self.unsupported:  # has no kernel for this dtype
            return None
        to_value = self.onnxruntime.OrtValue.ortvalue_from_numpy
        x, result = to_value(arrays["x"]), to_value(np.empty_like(arrays["x"]))
        binding = session.io_binding()
        binding.bind_ortvalue_input("x", x)
        binding.bind_ortvalue_output("y", result)
        names = {"run": session.run_with_iobinding, "binding": binding, "result": result, "x": x}
        return Call("run(binding)", names, lambda value: value.numpy())

    def _model(self, cell: Cell, dtype: np.dtype[Any]) -> bytes:
        operator, attributes = self._OPERATORS[cell.activation]
        tensor_type = self.helper.np_dtype_to_tensor_dtype(dtype)
        x, y = (self.helper.make_tensor_value_info(name, tensor_type, [cell.size]) for name in "xy")
        graph = self.helper.make_graph(
            [self.helper.make_node(operator, ["x"], ["y"], **attributes)], operator, [x], [y]
        )
        opsets = [("", self._OPSET), ("com.microsoft", 1)]
        model: bytes = self.helper.make_model(
            graph,
            opset_imports=[self.helper.make_opsetid(*opset) for opset in opsets],
            ir_version=self._IR_VERSION,
        ).SerializeToString()
        return model


class Jax(Library):
    """Compiled by ``jit``; backward is the compiled ``vjp``, or a formula of the output."""

    name = "jax"
    modules = ("jax",)

    def __init__(self) -> None:
        os.environ.setdefault("JAX_PLATFORMS", "cpu")
        self.jax = import_module("jax")
        self.backends = import_module("jax.extend.backend")
        self.jax.config.update("jax_enable_x64", True)
        # To hand a call to another thread and wait for it cost 80 us, and calls 5: not its best.
        self.jax.config.update("jax_cpu_enable_async_dispatch", False)
        nn = self.jax.nn
        self.functions: Mapping[str, Callable[[Any], Any]] = {
            "relu": nn.relu,
            "relu6": nn.relu6,
            "leaky_relu": nn.leaky_relu,
            "hard_swish": nn.hard_swish,
            "exponential": self.jax.numpy.exp,
            "sigmoid": nn.sigmoid,
            "log_sigmoid": nn.log_sigmoid,
            "tanh": nn.tanh,
            "softplus": nn.softplus,
            "silu": nn.silu,
            "gelu": partial(nn.gelu, approximate=False),
            "gelu_tanh": nn.gelu,
            "mish": nn.mish,
            "elu": nn.elu,
            "celu": nn.celu,
            "selu": nn.selu,
        }
        self.from_output: Mapping[str, Callable[[Any, Any], Any]] = {
            "exponential": lambda g, y: g * y,
            "sigmoid": lambda g, y: g * y * (1 - y),
            "tanh": lambda g, y: g * (1 - y * y),
        }

    def set_threads(self, threads: int) -> None:
        """Start its CPU client anew: the pool of XLA gets its size when that starts."""
        if os.environ.get("NPROC") != str(threads):
            os.environ["NPROC"] = str(threads)
            self.backends.clear_backends()

    def prepare(self, cell: Cell, arrays: dict[str, Array]) -> Call | None:
        if cell.output != "new" or cell.activation not in self.functions:
            return None
        function: Callable[..., Any] = self.functions[cell.activation]
        if cell.from_output:
            function = self.from_output[cell.activation]
        elif cell.direction == "backward":
            function = partial(self._backward, function)
        names = {name: self.jax.device_put(array) for name, array in arrays.items()}
        statement = f"result = f({', '.join(names)}).block_until_ready()"
        return Call(statement, names | {"f": self.jax.jit(function)})

    def _backward(self, function: Callable[[Any], Any], g: Any, x: Any) -> Any:
        _, vjp = self.jax.vjp(function, x)
        return vjp(g)[0]


class Numexpr(Library):
    name = "numexpr"
    modules = ("numexpr",)

    #: Integers in them keep float32: to numexpr a decimal fraction is a double.
    _EXPRESSIONS: ClassVar[Mapping[str, str]] = {
        "relu": "where(x > 0, x, 0)",
        "relu6": "where(x > 0, where(x < 6, x, 6), 0)",
        "leaky_relu": "where(x > 0, x, x / 100)",
        "hard_swish": "x * where(x > -3, where(x < 3, x + 3, 6), 0) / 6",
        "exponential": "exp(x)",
        "sigmoid": "1 / (1 + exp(-x))",
        "log_sigmoid": "where(x < 0, x, 0) - log1p(exp(-abs(x)))",
        "tanh": "tanh(x)",
        "tanhshrink": "x - tanh(x)",
        "softplus": "where(x > 0, x, 0) + log1p(exp(-abs(x)))",
        "silu": "x / (1 + exp(-x))",
        "gelu_tanh": "x / (1 + exp(-a * (x + b * x * x * x)))",
        "mish": "x * tanh(log1p(exp(x)))",
        "elu": "where(x > 0, x, expm1(x))",
        "celu": "where(x > 0, x, expm1(x))",
        "selu": "where(x > 0, a * x, b * expm1(x))",
    }
    _CONSTANTS: ClassVar[Mapping[str, Mapping[str, float]]] = {
        "gelu_tanh": {"a": 1.5957691216, "b": 0.044715},
        "selu": {"a": 1.0507009874, "b": 1.7580993408},
    }
    #: numexpr calls float32 by this name.
    _TYPES: ClassVar[Mapping[str, type]] = {"float32": float, "float64": np.double}

    def __init__(self) -> None:
        self.numexpr = import_module("numexpr")

    def set_threads(self, threads: int) -> None:
        self.numexpr.set_num_threads(threads)

    def prepare(self, cell: Cell, arrays: dict[str, Array]) -> Call | None:
        expression = self._EXPRESSIONS.get(cell.activation)
        if cell.direction == "backward" or cell.dtype not in self._TYPES or expression is None:
            return None
        constants = {
            name: np.array(value, cell.dtype)
            for name, value in self._CONSTANTS.get(cell.activation, {}).items()
        }
        names = {**arrays, **constants, **_buffer(cell, arrays, np.empty_like)}
        inputs = [*arrays, *constants]
        signature = [(name, self._TYPES[cell.dtype]) for name in inputs]
        out = "" if cell.output == "new" else ", out=result, ex_uses_vml=False"
        statement = _statement(cell, f"f({', '.join(inputs)}{out})")
        return Call(statement, {"f": self.numexpr.NumExpr(expression, signature), **names})


PEERS: Mapping[str, type[Library]] = {
    library.name: library for library in (Torch, OnnxRuntime, Jax, NumPy, Numexpr)
}


def load(names: Sequence[str]) -> tuple[list[Library], list[str]]:
    """Return fastact and the peers that are installed, and the names of those that are not."""
    is_installed = {
        name: all(find_spec(module) is not None for module in PEERS[name].modules) for name in names
    }
    installed = [PEERS[name]() for name in names if is_installed[name]]
    return [Fastact(), *installed], [name for name in names if not is_installed[name]]
