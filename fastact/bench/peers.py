"""How each library is called; what is called stands in ``calls``."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Any, ClassVar, NamedTuple

import numpy as np

import fastact as fa
from fastact.bench.calls import CALLS, Forms, Operator
from fastact.bench.cells import Array, Cell, numpy_dtype


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


def _form(forms: Forms | None, cell: Cell) -> str:
    """Return the expression for a cell, or "" if there is none."""
    suffix = "" if cell.output == "new" else "_into"
    form: str = getattr(forms, cell.direction + suffix, "")
    return form


def _named(pattern: str, expression: str) -> tuple[str, dict[str, str]]:
    """Return the expression with names for what matches a pattern, and what they stand for."""
    texts = dict.fromkeys(re.findall(pattern, expression))
    names = {text: f"c{i}" for i, text in enumerate(texts)}
    named = re.sub(pattern, lambda match: names[match[0]], expression)
    return named, {name: text for text, name in names.items()}


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

    def context(self) -> AbstractContextManager[Any]:
        return np.errstate(all="ignore")

    def prepare(self, cell: Cell, arrays: dict[str, Array]) -> Call | None:
        expression = _form(CALLS[cell.activation].numpy, cell)
        if not expression:
            return None
        names = vars(np) | arrays | _buffer(cell, arrays, np.empty_like)
        return Call(_statement(cell, expression), names)


class Torch(Library):
    name = "torch"
    modules = ("torch",)

    def __init__(self) -> None:
        self.torch = import_module("torch")
        self.names = vars(self.torch) | {"aten": self.torch.ops.aten}

    def context(self) -> AbstractContextManager[Any]:
        context: AbstractContextManager[Any] = self.torch.inference_mode()
        return context

    def set_threads(self, threads: int) -> None:
        self.torch.set_num_threads(threads)

    def prepare(self, cell: Cell, arrays: dict[str, Array]) -> Call | None:
        forms = CALLS[cell.activation].torch
        expression = _form(forms, cell)
        if forms is None or not expression:
            return None
        tensors = {name: self._tensor(array) for name, array in arrays.items()}
        buffer = _buffer(cell, tensors, self.torch.empty_like)
        if forms.given:
            buffer["given"] = eval(forms.given, self.names | tensors)
        # Functions are looked up here and not in each call.
        expression, paths = _named(r"[a-z_][\w.]*(?=\()", expression)
        functions = {name: eval(path, self.names) for name, path in paths.items()}
        return Call(
            _statement(cell, expression),
            {**functions, **tensors, **buffer},
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

    #: The first versions in which all of these are defined.
    _OPSET, _IR_VERSION = 20, 9

    def __init__(self) -> None:
        self.onnxruntime = import_module("onnxruntime")
        self.helper = import_module("onnx.helper")
        errors = import_module("onnxruntime.capi.onnxruntime_pybind11_state")
        self.unsupported = (errors.NotImplemented, errors.InvalidGraph)

    def prepare(self, cell: Cell, arrays: dict[str, Array]) -> Call | None:
        operator = CALLS[cell.activation].onnxruntime
        if (
            operator is None
            or cell.direction == "backward"
            or cell.output == "inplace"
            or cell.dtype == "bfloat16"  # which its arrays do not know
        ):
            return None
        options = self.onnxruntime.SessionOptions()
        options.intra_op_num_threads = cell.threads
        try:
            session = self.onnxruntime.InferenceSession(
                self._model(operator, arrays["x"]), options, providers=["CPUExecutionProvider"]
            )
        except self.unsupported:  # no kernel, or not even a definition, for this dtype
            return None
        to_value = self.onnxruntime.OrtValue.ortvalue_from_numpy
        x, result = to_value(arrays["x"]), to_value(np.empty_like(arrays["x"]))
        binding = session.io_binding()
        binding.bind_ortvalue_input("x", x)
        binding.bind_ortvalue_output("y", result)
        names = {"run": session.run_with_iobinding, "binding": binding, "result": result, "x": x}
        return Call("run(binding)", names, lambda value: value.numpy())

    def _model(self, operator: Operator, x: Array) -> bytes:
        tensor_type = self.helper.np_dtype_to_tensor_dtype(x.dtype)
        ends = [self.helper.make_tensor_value_info(name, tensor_type, x.shape) for name in "xy"]
        constants = {f"c{i}": value for i, value in enumerate(operator.constants)}
        node = self.helper.make_node(
            operator.name, ["x", *constants], ["y"], domain=operator.domain, **operator.attributes
        )
        graph = self.helper.make_graph(
            [node],
            operator.name,
            ends[:1],
            ends[1:],
            [
                self.helper.make_tensor(name, tensor_type, [], [value])
                for name, value in constants.items()
            ],
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
        self.names = vars(self.jax.numpy) | {"nn": self.jax.nn}

    def set_threads(self, threads: int) -> None:
        """Start its CPU client anew: the pool of XLA gets its size when that starts."""
        if os.environ.get("NPROC") != str(threads):
            os.environ["NPROC"] = str(threads)
            self.backends.clear_backends()

    def prepare(self, cell: Cell, arrays: dict[str, Array]) -> Call | None:
        forms = CALLS[cell.activation].jax
        if forms is None or cell.output != "new":
            return None
        names = {name: self.jax.device_put(array) for name, array in arrays.items()}
        if forms.given:
            names["given"] = eval(forms.given, self.names | names)
        function, which = self._function(forms, cell, list(names))
        statement = f"result = f({', '.join(names)}){which}.block_until_ready()"
        return Call(statement, names | {"f": self.jax.jit(function)})

    def _function(
        self, forms: Forms, cell: Cell, names: list[str]
    ) -> tuple[Callable[..., Any], str]:
        """Return a function of these arguments, and which of its results is that of the cell."""
        expression = getattr(forms, cell.direction)
        if expression:
            return eval(f"lambda {', '.join(names)}: {expression}", self.names), ""
        forward = eval(f"lambda {', '.join(names[1:])}: {forms.forward}", self.names)

        def backward(g: Any, *primals: Any) -> Any:
            _, vjp = self.jax.vjp(forward, *primals)
            return vjp(g)

        return backward, "[0]"


class Numexpr(Library):
    name = "numexpr"
    modules = ("numexpr",)

    #: numexpr calls float32 by this name.
    _TYPES: ClassVar[Mapping[str, type]] = {"float32": float, "float64": np.double}

    def __init__(self) -> None:
        self.numexpr = import_module("numexpr")

    def set_threads(self, threads: int) -> None:
        self.numexpr.set_num_threads(threads)

    def prepare(self, cell: Cell, arrays: dict[str, Array]) -> Call | None:
        forms = CALLS[cell.activation].numexpr
        expression = getattr(forms, cell.direction, "")
        if not expression or cell.dtype not in self._TYPES:
            return None
        # A decimal fraction is a double to numexpr, and turns float32 into one.
        expression, fractions = _named(r"\d+\.\d+", expression)
        constants = {name: np.array(float(text), cell.dtype) for name, text in fractions.items()}
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
