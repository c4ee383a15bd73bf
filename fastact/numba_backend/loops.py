"""The loops, written once, and their instances: one for each activation, verb and type.

An instance is a function of its own with the bytecode of the loop here and the scalar functions of
one activation as globals, so that the compiler inlines them. It has a name of its own too, by
which Numba files it in its cache on disk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib import resources
from types import FunctionType
from typing import Any, NamedTuple

from numba import njit, prange, types
from numba.extending import overload

from fastact.catalogue import Row
from fastact.numba_backend import exponential_free, float32, float64

# --- the loops ---------------------------------------------------------------------------------

# `function` and `derivative` are scalar functions, `work` is the type that they compute in: the
# globals that each instance has for itself. `parameters` is a tuple of numbers, or of arrays. An
# input that is None is the first output: a loop that knows it vectorises, while one with two
# pointers that might be equal tests for that, and takes equal ones element by element.
# Both results of an element are computed before either is stored: an output may be an input.

function: Any = None
derivative: Any = None
work: Any = None


def elementwise(x: Any, y: Any, parameters: Any) -> None:
    x = array_or(x, y)
    for i in prange(y.size):
        y[i] = function(work(x[i]), *at(i, parameters))


def backward(g: Any, x: Any, d: Any, parameters: Any) -> None:
    g = array_or(g, d)
    x = array_or(x, d)
    for i in prange(d.size):
        d[i] = g[i] * function(work(x[i]), *at(i, parameters))


def value_and_grad(x: Any, y: Any, d: Any, parameters: Any) -> None:
    x = array_or(x, y)
    for i in prange(y.size):
        value = function(work(x[i]), *at(i, parameters))
        slope = derivative(work(x[i]), *at(i, parameters))
        y[i] = value
        d[i] = slope


def array_or(array: Any, default: Any) -> Any:
    raise NotImplementedError("for loops only")


@overload(array_or)
def _array_or(array: Any, default: Any) -> Any:
    def choose_array(array: Any, default: Any) -> Any:
        return array

    def choose_default(array: Any, default: Any) -> Any:
        return default

    return choose_default if isinstance(array, types.NoneType) else choose_array


def at(i: int, parameters: Any) -> Any:
    raise NotImplementedError("for loops only")


@overload(at)
def _at(i: int, parameters: Any) -> Any:
    def of_numbers(i: int, parameters: Any) -> Any:
        return parameters

    def of_arrays(i: int, parameters: Any) -> Any:
        return (parameters[0][i],) + at(i, parameters[1:])  # noqa: RUF005

    in_arrays = len(parameters) > 0 and isinstance(parameters[0], types.Array)
    return of_arrays if in_arrays else of_numbers


class Verb(NamedTuple):
    loop: Callable[..., None]
    n_inputs: int
    n_outputs: int
    #: What the names of the scalar functions end in: `function` and, if used, `derivative`.
    suffixes: tuple[str, ...]


VERBS = {
    "forward": Verb(elementwise, 1, 1, ("",)),
    "grad": Verb(elementwise, 1, 1, ("_grad",)),
    "backward": Verb(backward, 2, 1, ("_grad",)),
    "backward_from_output": Verb(backward, 2, 1, ("_grad_from_output",)),
    "value_and_grad": Verb(value_and_grad, 1, 2, ("", "_grad")),
}

# --- their instances ---------------------------------------------------------------------------


class Instance(NamedTuple):
    """What an instance is compiled for."""

    row: Row
    verb: str
    #: "f" or "d", as in NumPy.
    char: str
    #: For each input, whether it is None.
    in_place: tuple[bool, ...]
    #: Whether parameters are arrays.
    broadcast: bool
    parallel: bool


def compile_loop(instance: Instance) -> Any:
    """Return the dispatcher of an instance, compiled for its one signature or from the cache."""
    try:
        return _compiled(instance, cache=True)
    except Exception:  # no directory that can be written, no space in it, a damaged file
        return _compiled(instance, cache=False)


def _compiled(instance: Instance, cache: bool) -> Any:
    options: Any = {"nogil": True, "error_model": "numpy", "parallel": instance.parallel}
    dispatcher: Any = njit(cache=cache, **options)(_instantiate(instance))
    dispatcher.compile(signature(instance))
    return dispatcher


def signature(instance: Instance) -> tuple[Any, ...]:
    """Inputs are read-only in it: that accepts both kinds of arrays, and compiles once."""
    dtype = _dtype(instance)
    given = types.Array(dtype, 1, "C", readonly=True)
    inputs = [types.none if is_output else given for is_output in instance.in_place]
    outputs = [types.Array(dtype, 1, "C")] * VERBS[instance.verb].n_outputs
    array = types.Array(types.float64, 1, "C", readonly=True)
    parameter = array if instance.broadcast else types.float64
    return *inputs, *outputs, types.Tuple([parameter] * len(instance.row.parameters))


def _instantiate(instance: Instance) -> FunctionType:
    verb = VERBS[instance.verb]
    own_globals = {
        "__name__": __name__,
        "prange": prange,
        "at": at,
        "array_or": array_or,
        "work": _dtype(instance) if instance.row.exponential_free else types.float64,
        "function": _scalar_function(instance, verb.suffixes[0]),
        "derivative": _scalar_function(instance, verb.suffixes[-1]),
    }
    name = _name(instance)
    code = verb.loop.__code__.replace(co_name=name, co_qualname=name)
    return FunctionType(code, own_globals, name)


def _dtype(instance: Instance) -> Any:
    return {"f": types.float32, "d": types.float64}[instance.char]


def _name(instance: Instance) -> str:
    """A name that no other instance has.

    With two signatures under one name, two processes that fill the cache at the same time may
    leave an index that leads to the wrong file. The digest is there because the cache sees changes
    of this file only, not of those with the scalar functions.
    """
    flags = "".join(
        "01"[flag] for flag in (*instance.in_place, instance.broadcast, instance.parallel)
    )
    return f"{instance.row.name}_{instance.verb}_{instance.char}{flags}_{_SOURCE_DIGEST}"


def _source_digest() -> str:
    """Return a digest of what the compiled code depends on: this folder and the coefficients."""
    digest = hashlib.sha256(resources.files("fastact").joinpath("coefficients.py").read_bytes())
    for file in sorted(resources.files(__package__).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".py"):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


_SOURCE_DIGEST = _source_digest()


def _scalar_function(instance: Instance, suffix: str) -> Any:
    row = instance.row
    typed = {"f": float32, "d": float64}[instance.char]
    module = exponential_free if row.exponential_free else typed
    name = row.name + suffix
    try:
        return getattr(module, name)
    except AttributeError:
        file = module.__name__.replace(".", "/") + ".py"
        raise AttributeError(
            f"fastact/catalogue.py declares {row.name!r}, but {file} has no function {name}"
        ) from None
