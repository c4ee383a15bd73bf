"""The loop, written once, and its instances: one for each activation, verb and variant.

A verb is a scalar function of its inputs and the parameters, which returns its outputs. An instance
is the loop around it, a C function

    loop(inputs, outputs, blocks, parameters)

over contiguous arrays of ``blocks`` times ``BLOCK`` elements, as ``fastact/driver`` runs it. Both
are functions of their own, with the bytecode of what is written here and the scalar functions of
one activation as globals, so that the compiler inlines them. The loop has a name of its own too, by
which Numba files it in its cache on disk.
"""

from __future__ import annotations

import functools
import hashlib
import pickle
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pkgutil import iter_modules
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.ccallback import CFunc
from numba.core.serialize import dumps
from numba.extending import intrinsic

from fastact.catalogue import Row
from fastact.numba_backend import exponential_free, float32, float32_fast, float64
from fastact.numba_backend.primitives import FUSED, kernel

#: Elements of a block: as in fastact/driver/_core.pyx.
BLOCK = 16

# --- the verbs ---------------------------------------------------------------------------------

# Globals that each instance has for itself: scalar functions of the activation, the type of the
# arrays, and the type that the scalar functions compute in.
value: Any = None
slope: Any = None
own_backward: Any = None
T: Any = None
work: Any = None


def forward(x: Any, parameters: Any) -> Any:
    return (T(value(work(x), *parameters)),)


def grad(x: Any, parameters: Any) -> Any:
    return (T(slope(work(x), *parameters)),)


def backward(g: Any, x: Any, parameters: Any) -> Any:
    return (T(g * slope(work(x), *parameters)),)


def backward_in_one(g: Any, x: Any, parameters: Any) -> Any:
    return (own_backward(g, x, *parameters),)


def value_and_grad(x: Any, parameters: Any) -> Any:
    return T(value(work(x), *parameters)), T(slope(work(x), *parameters))


class Verb(NamedTuple):
    element: Callable[..., Any]
    n_inputs: int
    n_outputs: int
    #: The scalar functions it calls: their names above, and what their own names end in.
    functions: dict[str, str]


VERBS = {
    "forward": Verb(forward, 1, 1, {"value": ""}),
    "grad": Verb(grad, 1, 1, {"slope": "_grad"}),
    "backward": Verb(backward, 2, 1, {"slope": "_grad"}),
    "backward_from_output": Verb(backward, 2, 1, {"slope": "_grad_from_output"}),
    "value_and_grad": Verb(value_and_grad, 1, 2, {"value": "", "slope": "_grad"}),
}
# Of activations that have a function for it.
IN_ONE = {
    name: Verb(backward_in_one, 2, 1, {"own_backward": f"_{name}"})
    for name in ("backward", "backward_from_output")
}

# --- the loop ----------------------------------------------------------------------------------

# Globals of each instance.
element: Any = None
run_blocks: Any = None


def loop(inputs: Any, outputs: Any, blocks: Any, parameters: Any) -> None:
    run_blocks(element, inputs, outputs, blocks, parameters)


SIGNATURE = types.void(
    types.CPointer(types.voidptr),
    types.CPointer(types.voidptr),
    types.intp,
    types.CPointer(types.float64),
)


def block_runner(
    verb: Verb, number: Any, n_parameters: int, broadcast: bool, defaults: tuple[float, ...]
) -> Any:
    """Return the body of ``loop``: ``element`` for each element.

    Where there are ``defaults``, parameters that equal them have a loop of their own, with
    constants: the compiler drops what they do not need.


    It is written in LLVM's instructions for the sake of a promise that Python has no words for: no
    iteration touches what another one stores (``parallel_accesses``). So the loop vectorises
    without a test for overlap and a second, scalar version for where there is. Unlike with
    ``noalias``, an output may be an input: an iteration loads all before it stores.
    """
    parameters_type = types.UniTuple(types.float64, n_parameters)
    element_arguments = (*[number] * verb.n_inputs, parameters_type)

    def definition(
        typing_context: Any, element: Any, inputs: Any, outputs: Any, blocks: Any, parameters: Any
    ) -> Any:
        element_signature = element.get_call_type(typing_context, element_arguments, {})

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _, inputs, outputs, blocks, parameters = arguments
            compute = context.get_function(element, element_signature)
            prefer_wide_vectors(builder.function)
            loop = _ParallelLoop(builder)
            numbers = context.get_value_type(number)
            given = [loop.array(inputs, i, numbers) for i in range(verb.n_inputs)]
            results = [loop.array(outputs, i, numbers) for i in range(verb.n_outputs)]
            double = context.get_value_type(types.float64)
            if broadcast:
                varying = [
                    loop.array(inputs, verb.n_inputs + i, double) for i in range(n_parameters)
                ]
            else:
                fixed = [loop.item(parameters, i) for i in range(n_parameters)]

            def emit(constants: Any = None) -> None:
                with loop.over(blocks):
                    values = [loop.load(array) for array in given]
                    if broadcast:
                        packed = [loop.load(array) for array in varying]
                    else:
                        packed = constants or fixed
                    packed = context.make_tuple(builder, parameters_type, packed)
                    computed = compute(builder, (*values, packed))
                    for i, array in enumerate(results):
                        loop.store(builder.extract_value(computed, i), array)

            if defaults:
                constants = [double(value) for value in defaults]
                equal = [
                    builder.fcmp_ordered("==", *pair) for pair in zip(fixed, constants, strict=True)
                ]
                are_defaults = functools.reduce(builder.and_, equal)
                with builder.if_else(are_defaults) as (default, other):
                    with default:
                        emit(constants)
                    with other:
                        emit()
            else:
                emit()
            return context.get_dummy_value()

        return types.void(element, *SIGNATURE.args), generate

    return intrinsic(definition)


class _ParallelLoop:
    """Emits a loop over the elements of arrays, its accesses marked as independent."""

    def __init__(self, builder: Any) -> None:
        self.builder = builder
        self.module = builder.module
        self.accesses = _DistinctNode(self.module)
        self.index: Any = None

    def item(self, pointer: Any, i: int) -> Any:
        return self.builder.load(self.builder.gep(pointer, [ir.IntType(64)(i)]))

    def array(self, pointers: Any, i: int, item_type: Any) -> Any:
        return self.builder.bitcast(self.item(pointers, i), item_type.as_pointer())

    @contextmanager
    def over(self, blocks: Any) -> Iterator[None]:
        """Emit the loop around what is emitted inside the ``with`` block.

        No interleaving: a vector has at most BLOCK elements then, so none are left over.
        """
        builder, integer = self.builder, blocks.type
        entry = builder.basic_block
        body, end = map(builder.append_basic_block, ("element", "end"))
        count = builder.mul(blocks, integer(BLOCK))
        builder.cbranch(builder.icmp_unsigned("!=", count, integer(0)), body, end)
        builder.position_at_end(body)
        self.index = builder.phi(integer)
        yield
        following = builder.add(self.index, integer(1), flags=["nuw", "nsw"])
        self.index.add_incoming(integer(0), entry)
        self.index.add_incoming(following, builder.basic_block)
        latch = builder.cbranch(builder.icmp_unsigned("!=", following, count), body, end)
        facts = (
            ("llvm.loop.parallel_accesses", self.accesses),
            ("llvm.loop.vectorize.enable", ir.IntType(1)(1)),
            ("llvm.loop.interleave.count", ir.IntType(32)(1)),
        )
        nodes = map(self.module.add_metadata, facts)
        latch.set_metadata("llvm.loop", _DistinctNode(self.module, *nodes))
        builder.position_at_end(end)

    def load(self, array: Any) -> Any:
        return self._marked(self.builder.load(self._element(array)))

    def store(self, value: Any, array: Any) -> None:
        self._marked(self.builder.store(value, self._element(array)))

    def _element(self, array: Any) -> Any:
        return self.builder.gep(array, [self.index], inbounds=True)

    def _marked(self, access: Any) -> Any:
        access.set_metadata("llvm.access.group", self.accesses)
        return access


class _DistinctNode(ir.MDValue):  # type: ignore[misc]
    """A node of metadata that equals no other: llvmlite writes none by itself.

    One with operands has itself as the first: LLVM wants it so of what describes a loop.
    """

    def __init__(self, module: ir.Module, *operands: Any) -> None:
        super().__init__(module, operands, name=str(len(module.metadata)))

    def descr(self, text: list[str]) -> None:
        operands = [self, *self.operands] if self.operands else []
        references = ", ".join(operand.get_reference() for operand in operands)
        text.append(f"distinct !{{ {references} }}\n")


def prefer_wide_vectors(function: Any) -> None:
    """Have 512-bit vectors where the processor has them; LLVM by itself stops at 256 for many."""
    # llvmlite's own `add` knows no attributes with values.
    set.add(function.attributes, '"prefer-vector-width"="512"')


# --- its instances -----------------------------------------------------------------------------


class _CheckedFiles(CompileResultCacheImpl):  # type: ignore[misc]
    """Stores compiled code with a digest: damaged code that is still readable would crash.

    The name of the loop counts too: files that were exchanged would compute another function.
    """

    def reduce(self, result: Any) -> tuple[bytes, bytes]:
        code = dumps(super().reduce(result))
        return self._digest(code), code

    def rebuild(self, target_context: Any, payload: tuple[bytes, bytes]) -> Any:
        digest, code = payload
        if self._digest(code) != digest:
            raise ValueError("the compiled code in the cache is damaged, or of another loop")
        return super().rebuild(target_context, pickle.loads(code))

    def _digest(self, code: bytes) -> bytes:
        return hashlib.sha256(self.filename_base.encode() + code).digest()


class _Cache(FunctionCache):  # type: ignore[misc]
    """Numba's cache on disk, which replaces damaged files and is optional."""

    _impl_class = _CheckedFiles

    def load_overload(self, *arguments: Any) -> Any:
        try:
            return super().load_overload(*arguments)
        except Exception:  # what pickle raises for a damaged file may be anything
            with suppress(OSError):
                self.flush()
            return None

    def save_overload(self, *arguments: Any) -> None:
        with suppress(Exception):  # the directory is full or read-only
            super().save_overload(*arguments)


class _Loop(CFunc):
    """A loop as a C function: the code lives as long as the object."""

    def enable_caching(self) -> None:
        with suppress(RuntimeError):  # no directory is writable
            self._cache = _Cache(self.__wrapped__)


def compile_loop(row: Row, verb: str, variant: str) -> Any:
    """Return a loop, compiled or from the cache.

    ``variant`` is "float32", "float64", one of these with "_broadcast", or "float32_fast".
    """
    signature = SIGNATURE.args, SIGNATURE.return_type
    compiled = _Loop(_instantiate(row, verb, variant), signature, {}, {"error_model": "numpy"})
    if _SOURCE_DIGEST:
        compiled.enable_caching()
    compiled.compile()
    return compiled


def _instantiate(row: Row, verb_name: str, variant: str) -> FunctionType:
    dtype, _, kind = variant.partition("_")
    number = getattr(types, dtype)
    module = _scalar_functions(row, dtype, kind)
    verb = VERBS[verb_name]
    if verb_name in IN_ONE and hasattr(module, f"{row.name}_{verb_name}"):
        verb = IN_ONE[verb_name]
    functions = {
        called: _scalar_function(module, row.name + suffix)
        for called, suffix in verb.functions.items()
    }
    types_of_element = {"T": number, "work": types.float64 if module is float32 else number}
    n_parameters = 0 if module is float32_fast else len(row.parameters)
    broadcast = kind == "broadcast"
    defaults = () if broadcast or module in (float32, float32_fast) else row.defaults
    own_globals = {
        "__name__": __name__,  # where the cache looks for the source
        "element": kernel(_with_globals(verb.element, "element", functions | types_of_element)),
        "run_blocks": block_runner(verb, number, n_parameters, broadcast, defaults),
    }
    return _with_globals(loop, f"{row.name}_{verb_name}_{variant}_{_SOURCE_DIGEST}", own_globals)


def _scalar_functions(row: Row, dtype: str, kind: str) -> ModuleType:
    if row.exponential_free:
        return exponential_free
    if dtype == "float64":
        return float64
    return float32_fast if kind == "fast" and FUSED else float32


def _with_globals(
    function: Callable[..., Any], name: str, own_globals: dict[str, Any]
) -> FunctionType:
    code = function.__code__.replace(co_name=name, co_qualname=name)
    return FunctionType(code, own_globals, name)


def _source_digest() -> str:
    """Return a digest of the sources of the compiled code: this package and the coefficients.

    It is part of the names because the cache sees changes of this file only, not of those with the
    scalar functions. Each loop has a name of its own because, with two signatures under one name,
    two processes that fill the cache at the same time may leave an index to the wrong file.

    The digest is empty if the source of a module is not there, as in an installation of bytecode
    only. Then nothing is cached, because stale code could not be told from fresh code.
    """
    package = sys.modules[__package__]
    modules = [f"{__package__}.{module.name}" for module in iter_modules(package.__path__)]
    digest = hashlib.sha256()
    for name in ("fastact.coefficients", *modules):
        source = _source(name)
        if source is None:
            return ""
        digest.update(source.encode())
    return digest.hexdigest()[:16]


def _source(name: str) -> str | None:
    """Return the source of a module, from a directory or a zip file, or None if it is not there."""
    spec = find_spec(name)
    get_source = getattr(spec and spec.loader, "get_source", lambda name: None)
    source: str | None = get_source(name)
    return source


_SOURCE_DIGEST = _source_digest()


def _scalar_function(module: ModuleType, name: str) -> Any:
    try:
        return getattr(module, name)
    except AttributeError:
        file = module.__name__.replace(".", "/") + ".py"
        raise AttributeError(
            f"fastact/catalogue.py declares {name!r}, but {file} has no such function"
        ) from None
