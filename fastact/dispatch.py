"""The one driver over the three backends: check, choose dtype and layout, run.

``call`` is the general way in, for any arguments. The compiled driver stands before it: it serves
arrays of any layout and scalars whose parameters are numbers, by short cuts and by true ufuncs.
What comes here is checked and converted, and then computed by the same ufuncs.

For the NumPy backend, ``numpy.nditer`` is the engine: it broadcasts, casts, buffers what is
strided, byte-swapped or unaligned, allocates outputs in the memory order of the inputs and copies
where an output overlaps an input. That backend sees contiguous chunks of one dtype only.
"""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from fastact import config, integers, manners, memory, numpy_backend, tables
from fastact.catalogue import DOMAINS
from fastact.rounding import is_bfloat16, nearest_in, settle_ties, to_sixteen_bits

if TYPE_CHECKING:
    from fastact.activation import Verb

#: Backends whose loops the compiled driver knows, in its order.
COMPILED_BACKENDS = ("cython", "numba")
#: What every verb takes besides its arrays and parameters.
KEYWORDS = ("out", "backend", "precision")

# Elements of a buffer: large enough to hide the cost of a step, small enough for the L2 cache.
_BUFFER_SIZE = 1 << 15
# Of channels with parameters of their own, rows pay from this many elements on. Shorter ones are
# joined to about as many as leave room for the parameters in the first-level cache, and to as many
# as all channels have, unless that takes more than 8 MiB.
_WORTH_A_ROW = 256
_SHORT_ROWS = 1 << 11
_LONGEST_ROW = 1 << 20
_PLAIN = {np.dtype(name): name for name in ("float32", "float64")}
_ITERATOR_FLAGS = (
    "external_loop", "buffered", "grow_inner", "copy_if_overlap", "zerosize_ok", "refs_ok",
)  # fmt: skip
_INPUT_FLAGS = ("readonly", "contig", "aligned", "nbo")
_OUTPUT_FLAGS = ("writeonly", "allocate", "no_broadcast", "contig", "aligned", "nbo")
# An output may be an input, without a copy. Not where parameters are arrays: those loops have no
# body for it, and would compute one element at a time.
_IN_PLACE_FLAGS = ("overlap_assume_elementwise",)
# Steps of the search for memory that two outputs share, a few milliseconds at most. An exact answer
# may take time exponential in the number of dimensions.
_OVERLAP_WORK = 10_000
# What NumPy's ufuncs take besides, and why it is refused.
_LOOPS = "the arrays alone choose the loop; use dtype to compute in another dtype"
_REFUSED = {"signature": _LOOPS, "sig": _LOOPS}


def call(verb: Verb, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Evaluate a verb of an activation for any arguments."""
    args, kwargs = with_named_out(verb, args, kwargs)
    operands, parameters, out, settings = _bind(verb, args, kwargs)
    arguments = manners.given(kwargs)
    override = _array_ufunc_override(verb, operands, parameters, out, settings, arguments)
    if override is not None:
        return override[0]

    in_force = config.with_settings(settings)
    # Casts and kernels raise flags that mean nothing: kernels compute what is not selected too.
    with np.errstate(all="ignore"):
        if not arguments:
            return verb.evaluate(operands, parameters, out, in_force)
        operands = manners.cast(verb, operands, _dtype_of(verb, operands, parameters), arguments)
        results = verb.evaluate(operands, parameters, (None,) * verb.nout, in_force)
        return manners.store(verb, results, out, arguments)


def _dtype_of(verb: Verb, operands: Sequence[Any], parameters: Sequence[Any]) -> np.dtype:
    """Return the dtype of the results of a call."""
    arrays = [as_array(verb, name, x) for name, x in zip(verb.arguments, operands, strict=True)]
    values = [parameter_value(verb, i, value) for i, value in enumerate(parameters)]
    return result_dtype(verb, operands, arrays, values)


def evaluate(
    verb: Verb,
    operands: Sequence[Any],
    parameters: Sequence[Any],
    out: tuple[Any, ...],
    settings: config.Settings,
) -> Any:
    """Evaluate a verb that has kernels, for arguments that NumPy makes arrays of."""
    values = [parameter_value(verb, i, value) for i, value in enumerate(parameters)]
    arrays = [
        as_array(verb, name, operand)
        for name, operand in zip(verb.arguments, operands, strict=True)
    ]
    dimensions = max(array.ndim for array in arrays)
    values = [_as_number(value, dimensions) for value in values]
    dtype = result_dtype(verb, operands, arrays, values)
    if config.driver is not None and is_bfloat16(dtype):
        config.driver.use_bfloat16(dtype.num)
    arrays = with_weak_numbers_in(dtype, operands, arrays)
    shape = check_outputs(verb, out, dtype, arrays, values)
    check_order(verb, values)
    given = [*arrays, *(value for value in values if isinstance(value, np.ndarray))]
    if verb.has_compared and dtype.kind not in "biu":
        values = _in_dtype_of_last(verb, operands, arrays, values, dtype)

    work = np.dtype(np.float64) if _has_sixteen_bits(dtype) else dtype
    with memory.new_arrays(math.prod(shape) * work.itemsize):
        if dtype.kind in "biu":
            results = _run_integers(verb, arrays, values, out, dtype)
        else:
            values = [float(value) if isinstance(value, int) else value for value in values]
            results = _run_floats(verb, arrays, values, out, dtype, math.prod(shape), settings)
        delivered = [
            _in_order(deliver(result, target, dtype, shape), target, given)
            for result, target in zip(results, out, strict=True)
        ]
    return wrap(verb, delivered, out, (*operands, *parameters))


def _as_number(value: Any, dimensions: int) -> Any:
    """Return an array of one element as a number, unless it gives the result more dimensions."""
    if isinstance(value, np.ndarray) and value.size == 1 and value.ndim <= dimensions:
        return value.item()
    return value


def _in_order(result: np.ndarray, out: Any, given: Sequence[np.ndarray]) -> np.ndarray:
    """Return a new result in the memory order that a ufunc of the arrays that were given chooses.

    It differs where one is a broadcast view and has been converted on the way.
    """
    if out is not None or all(all(array.strides) for array in given):
        return result
    (ordered,) = memory.empty_as_of_ufunc(given, result.dtype)
    if ordered.shape != result.shape or ordered.strides == result.strides:
        return result
    ordered[...] = result
    return ordered


def _run_integers(
    verb: Verb,
    arrays: Sequence[np.ndarray],
    parameters: Sequence[Any],
    out: tuple[Any, ...],
    dtype: np.dtype,
) -> list[np.ndarray]:
    """Return the results, which are exact in every backend: the reference computes them for all.

    Nothing is written to ``out`` before every result is known to fit.
    """
    for name, array in zip(verb.arguments, arrays, strict=True):
        if integers.one_outside(array, dtype) is not None:  # a Python number takes the dtype
            raise ValueError(
                f"{verb.__name__}: {name} must fit into {dtype}, the dtype of the result, "
                f"got {array!r}"
            )
    in_arrays = any(isinstance(value, np.ndarray) for value in parameters)
    parameter_arrays = [native(value) for value in parameters if in_arrays]
    holds_all = all(given is None or np.can_cast(dtype, given.dtype) for given in out)
    outputs = out if holds_all and not parameters else (None,) * verb.nout
    results = iterate(integers.loop(verb), arrays, parameter_arrays, parameters, outputs, dtype)
    for result, given in zip(results, out, strict=True):
        outside = None if given is None else integers.one_outside(result, given.dtype)
        if outside is not None:
            raise ValueError(
                f"{verb.__name__}: out must have a dtype that holds every result, "
                f"got {given.dtype} for {outside}"
            )
    return results


def native(value: Any) -> np.ndarray:
    """Return an array in the byte order of the machine."""
    array = np.asarray(value)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _run_floats(
    verb: Verb,
    arrays: Sequence[np.ndarray],
    parameters: Sequence[Any],
    out: tuple[Any, ...],
    dtype: np.dtype,
    size: int,
    settings: config.Settings,
) -> list[np.ndarray]:
    """Return the results in ``out`` or in new arrays, to be rounded if they have 16 bits."""
    if tables.apply(verb, dtype, arrays, parameters, out, size, settings):
        if len(arrays) == 1:
            return tables.look_up(verb, dtype, arrays[0], parameters, settings, _compute_bits)
        multiply = tables.multiplier(verb, dtype, parameters, settings, _compute_doubles)
        return iterate(multiply, arrays, [], (), out, dtype)
    targets = [dtype if given is None else given.dtype.newbyteorder("=") for given in out]
    if not any(map(_has_sixteen_bits, targets)):
        work = np.dtype(np.float64) if _has_sixteen_bits(dtype) else dtype
        return _run(verb, arrays, parameters, out, work, settings)
    if not _has_sixteen_bits(dtype):
        return _run(verb, arrays, parameters, (None,) * verb.nout, dtype, settings)
    # Both results before either is stored: ties are settled by x, which an output may overlap.
    results = _run(verb, arrays, parameters, (None,) * verb.nout, np.dtype(np.float64), settings)
    settle_ties_of(verb, arrays, parameters, results, targets)
    return results


def _has_sixteen_bits(dtype: np.dtype) -> bool:
    return dtype == np.float16 or is_bfloat16(dtype)


def _compute_doubles(
    verb: Verb, arrays: list[np.ndarray], parameters: Sequence[float], backend: str
) -> list[np.ndarray]:
    settings = config.current()._replace(backend=backend)
    return _run(verb, arrays, parameters, (None,) * verb.nout, np.dtype(np.float64), settings)


def _compute_bits(
    verb: Verb, arrays: list[np.ndarray], parameters: Sequence[float], backend: str
) -> list[np.ndarray]:
    (x,) = arrays
    results = _compute_doubles(verb, arrays, parameters, backend)
    settle_ties_of(verb, arrays, parameters, results, [x.dtype] * verb.nout)
    return [to_sixteen_bits(result, x.dtype).view(np.uint16) for result in results]


def settle_ties_of(
    verb: Verb,
    arrays: Sequence[np.ndarray],
    parameters: Sequence[Any],
    results: Sequence[np.ndarray],
    targets: Sequence[np.dtype],
) -> None:
    """Move results that are next to a tie of 16 bits to the right side of it, but not products.

    Each result has the dtype that it will be rounded to in ``targets``.
    """
    if len(arrays) > 1:
        return
    verbs = {"value_and_grad": ("forward", "grad")}.get(verb.kind, (verb.kind,))
    x = np.broadcast_to(arrays[0].astype(np.float64), results[0].shape)
    for kind, result, target in zip(verbs, results, targets, strict=True):
        if _has_sixteen_bits(target):
            settle_ties(verb.row, x, parameters, {kind: result}, target, numpy_backend.run)


# --- arguments ---------------------------------------------------------------------------------


def with_named_out(
    verb: Verb, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
    """Return the arguments with ``out`` by name: as in NumPy, it may follow all others."""
    first = len(verb.positional)
    if len(args) != first + verb.nout or "out" in kwargs:
        return args, kwargs
    return args[:first], {**kwargs, "out": args[first:]}


def bound_arguments(verb: Verb, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments, parameters and options that were given, by name."""
    names, keywords = verb.positional, verb.keywords
    if len(args) > len(names):
        raise TypeError(
            f"{verb.__name__}: expected at most {len(names)} positional arguments "
            f"({', '.join(names)}), got {len(args)}"
        )
    bound = dict(zip(names, args, strict=False))
    for name, value in kwargs.items():
        if name in KEYWORDS or (name in manners.DEFAULTS and name in keywords):
            continue
        if name in _REFUSED:
            raise TypeError(f"{verb.__name__}: {name} is not taken: {_REFUSED[name]}")
        if name not in names and name not in keywords:
            raise TypeError(
                f"{verb.__name__}: got an unexpected keyword argument {name!r}; "
                f"it takes {', '.join((*names, *keywords))}"
            )
        if name in bound:
            raise TypeError(f"{verb.__name__}: got two values for argument {name!r}")
        bound[name] = value
    for name in verb.required:
        if name not in bound:
            raise TypeError(f"{verb.__name__}: argument {name!r} is missing")
    return bound


def _bind(
    verb: Verb, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[list[Any], list[Any], tuple[Any, ...], dict[str, str]]:
    """Return (operands, parameters, one output or None for each result, settings that differ)."""
    bound = bound_arguments(verb, args, kwargs)
    operands = [bound[name] for name in verb.arguments]
    parameters = [bound.get(p.name, p.default) for p in verb.row.parameters]
    settings = {}
    for name, own in (("backend", verb.backend), ("precision", verb.precision)):
        given = kwargs.get(name)
        if given is not None:
            settings[name] = config.CHECKS[name](verb.__name__, given)
        elif own is not None:
            settings[name] = own
    return operands, parameters, outputs(verb, kwargs.get("out")), settings


def outputs(verb: Verb, out: Any) -> tuple[Any, ...]:
    """Return one output or None for each result; ``out`` may be a tuple, as for ufuncs."""
    if out is None:
        return (None,) * verb.nout
    if not isinstance(out, tuple):
        if verb.nout > 1:
            raise TypeError(
                f"{verb.__name__}: out must be a tuple of {verb.nout} arrays, "
                f"got {type(out).__name__}"
            )
        return (out,)
    if len(out) != verb.nout:
        raise ValueError(
            f"{verb.__name__}: out must hold {verb.nout} arrays (or None), got {len(out)}"
        )
    return out


def _array_ufunc_override(
    verb: Verb,
    operands: Sequence[Any],
    parameters: Sequence[Any],
    out: tuple[Any, ...],
    settings: Mapping[str, str],
    arguments: Mapping[str, Any],
) -> tuple[Any] | None:
    """Defer to an operand with an ``__array_ufunc__`` of its own (NEP 13): (result,) or None."""
    candidates: list[Any] = []
    for operand in (*operands, *parameters, *out):
        method = getattr(type(operand), "__array_ufunc__", np.ndarray.__array_ufunc__)
        if method is np.ndarray.__array_ufunc__ or type(operand) in map(type, candidates):
            continue
        if method is None:
            raise TypeError(
                f"{verb.__name__}: operand of type {type(operand).__name__} does not support ufuncs"
            )
        # Subclasses before their bases, otherwise from left to right.
        after = [i for i, c in enumerate(candidates) if isinstance(operand, type(c))]
        candidates.insert(after[0] if after else len(candidates), operand)
    if not candidates:
        return None
    keywords = dict(arguments)
    if any(array is not None for array in out):
        keywords["out"] = out
    ufunc = verb.bound_to(settings.get("backend"), settings.get("precision"))
    result = _ask(candidates, ufunc, (*operands, *parameters), keywords)
    if result is NotImplemented and verb.kind == "value_and_grad" and not keywords:
        # Dask knows no functions with two results but NumPy's own.
        parts = [ufunc.sibling(kind) for kind in ("forward", "grad")]
        results = [_ask(candidates, part, (*operands, *parameters), {}) for part in parts]
        if not any(part_result is NotImplemented for part_result in results):
            result = tuple(results)
    if result is not NotImplemented:
        return (result,)
    types = ", ".join(type(candidate).__name__ for candidate in candidates)
    raise TypeError(f"{verb.__name__}: not supported by operands of type {types}")


def _ask(
    candidates: Sequence[Any], ufunc: Verb, inputs: Sequence[Any], keywords: Mapping[str, Any]
) -> Any:
    """Return the result of the first that has one, or NotImplemented."""
    for candidate in candidates:
        result = candidate.__array_ufunc__(ufunc, "__call__", *inputs, **keywords)
        if result is not NotImplemented:
            return result
    return NotImplemented


def as_array(verb: Verb, name: str, value: Any) -> np.ndarray:
    try:
        return np.asarray(value)
    except Exception as error:
        reraise(
            error,
            f"{verb.__name__}: {name} must be an array or what NumPy makes one of, "
            f"got {type(value).__name__}",
        )


def reraise(error: Exception, message: str) -> NoReturn:
    """Raise an error from someone else's code again, with a message that names the argument.

    Only a plain TypeError or ValueError is made anew. Another class may take other arguments than
    a text, so its error keeps its identity and has the message as a note.
    """
    if type(error) in (TypeError, ValueError):
        raise type(error)(f"{message}: {error}") from error
    error.add_note(message)
    raise error


def parameter_value(verb: Verb, index: int, value: Any) -> Any:
    """Return a parameter as a Python number, or as an array if it has dimensions."""
    parameter = verb.row.parameters[index]
    is_large = _is_large(value)
    if is_large and abs(value) > sys.float_info.max:
        raise ValueError(
            f"{verb.__name__}: {parameter.name} must be within the range of float64, "
            f"got an integer of {value.bit_length()} bits"
        )
    array = as_array(verb, parameter.name, float(value) if is_large else value)
    if array.dtype.kind not in "biuf" and not is_bfloat16(array.dtype):
        raise TypeError(
            f"{verb.__name__}: {parameter.name} must be a real number or an array of them, "
            f"got {_describe(value, array)}"
        )
    if array.dtype.char == "g":  # before the checks: 1e-4000 is above 0, but as a double it is 0
        array = array.astype(np.float64)
    if parameter.domain and not np.all(DOMAINS[parameter.domain](array)):
        raise ValueError(
            f"{verb.__name__}: {parameter.name} must be {parameter.domain}, got {value!r}"
        )
    domain = parameter.domain_from_output if verb.kind == "backward_from_output" else ""
    if domain and not np.all(DOMAINS[domain](array)):
        raise ValueError(
            f"{verb.__name__}: {parameter.name} must be {domain}, got {value!r}: elsewhere, "
            f"the derivative of {verb.row.name} is not a function of its output"
        )
    if array.ndim:
        return array
    if is_large:
        return value
    return array.item() if array.dtype.kind in "biu" else float(array)


def _in_dtype_of_last(
    verb: Verb,
    operands: Sequence[Any],
    arrays: Sequence[np.ndarray],
    parameters: Sequence[Any],
    dtype: np.dtype,
) -> list[Any]:
    """Return the parameters, those that are compared with x or y rounded to its dtype.

    That is NumPy's rule for Python numbers (NEP 50), here for parameters of any form. Integers,
    and Python numbers as x, have the dtype of the result.
    """
    own = arrays[-1].dtype
    if _is_floating(own) and not _is_weak(operands[-1]):
        dtype = own.newbyteorder("=")
    rounded = [
        nearest_in(dtype, value) if parameter.is_compared else value
        for parameter, value in zip(verb.row.parameters, parameters, strict=True)
    ]
    # A negative zero counts as the default if that is 0: compiled loops have literals for defaults.
    return [
        value + 0.0 if parameter.default == 0 else value
        for parameter, value in zip(verb.row.parameters, rounded, strict=True)
    ]


def _is_large(value: Any) -> bool:
    """Whether it is an integer that NumPy may make an object of."""
    return type(value) is int and abs(value) >= 1 << 63


def check_order(verb: Verb, parameters: Sequence[Any]) -> None:
    named = dict(zip((p.name for p in verb.row.parameters), parameters, strict=True))
    for low, high in verb.row.ordered:
        # NumPy compares integers of more than 64 bits with most dtypes, but not with bfloat16.
        lower, upper = (float(v) if _is_large(v) else v for v in (named[low], named[high]))
        if not np.all(np.less_equal(lower, upper)):
            raise ValueError(
                f"{verb.__name__}: {low} must be at most {high}, "
                f"got {low}={named[low]!r} and {high}={named[high]!r}"
            )


def _describe(value: Any, array: np.ndarray) -> str:
    if isinstance(value, np.ndarray | np.generic):
        return f"dtype {array.dtype}"
    return f"{type(value).__name__} {value!r:.40}"


def _is_integer(value: Any) -> bool:
    return value.dtype.kind in "iu" if isinstance(value, np.ndarray) else type(value) is int


# --- dtypes ------------------------------------------------------------------------------------


def result_dtype(
    verb: Verb, operands: Sequence[Any], arrays: Sequence[np.ndarray], parameters: Sequence[Any]
) -> np.dtype:
    """Return the dtype of the result: that of the operands, or NumPy's for tanh of integers.

    Parameters never change it. Python numbers are weak, as in NumPy: they take the dtype of the
    other operand.
    """
    for name, operand, array in zip(verb.arguments, operands, arrays, strict=True):
        supported = array.dtype.kind in "biu" or array.dtype.char in "efd"
        if not supported and not is_bfloat16(array.dtype):
            raise TypeError(
                f"{verb.__name__}: {name} must be real: bool, integer, float16, bfloat16, float32 "
                f"or float64, got {_describe(operand, array)}"
            )
    dtype = _common_dtype(operands, arrays)
    keeps_integers = verb.row.keeps_integers and all(map(_is_integer, parameters))
    kept = "iu" * keeps_integers + "b" * verb.row.keeps_bool
    if dtype.kind in "biu" and dtype.kind not in kept:
        dtype = np.tanh.resolve_dtypes((dtype, None))[1]
    return dtype


def _is_floating(dtype: np.dtype) -> bool:
    return dtype.kind == "f" or is_bfloat16(dtype)


def _is_weak(operand: Any) -> bool:
    """Whether it is a Python number, which takes the dtype of the other operand."""
    return type(operand) in (bool, int, float)


def with_weak_numbers_in(
    dtype: np.dtype, operands: Sequence[Any], arrays: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """Return the arrays; Python numbers are rounded to the dtype of the result, as in NumPy."""
    is_floating = _is_floating(dtype)
    return [
        to_sixteen_bits(array, dtype) if is_floating and _is_weak(operand) else array
        for operand, array in zip(operands, arrays, strict=True)
    ]


def _common_dtype(operands: Sequence[Any], arrays: Sequence[np.ndarray]) -> np.dtype:
    """Return the dtype of the operands together; Python numbers are weak, as in NumPy."""
    weak = [operand for operand in operands if _is_weak(operand)]
    strong = [
        array.dtype
        for operand, array in zip(operands, arrays, strict=True)
        if not _is_weak(operand)
    ]
    common = _promote(strong or [array.dtype for array in arrays])
    if strong and common.kind in "biu":
        common = np.result_type(common, *weak)
    return common.newbyteorder("=")


def _promote(dtypes: Sequence[np.dtype]) -> np.dtype:
    """Return the common dtype.

    NumPy knows none of bfloat16 with float16 or with integers of more than 8 bits. PyTorch and JAX
    do, and theirs is taken: float32, which holds both, and bfloat16.
    """
    if any(map(is_bfloat16, dtypes)):
        floating = (dtype.newbyteorder("=") for dtype in dtypes if dtype.kind not in "biu")
        dtypes = [np.dtype(np.float32) if dtype == np.float16 else dtype for dtype in floating]
    return np.result_type(*dtypes)


# --- outputs -----------------------------------------------------------------------------------


def check_outputs(
    verb: Verb,
    out: tuple[Any, ...],
    dtype: np.dtype,
    arrays: Sequence[np.ndarray],
    parameters: Sequence[Any],
) -> tuple[int, ...]:
    """Return the shape of the results."""
    shapes = [np.shape(value) for value in (*arrays, *parameters)]
    shape = _broadcast_shapes(*shapes)
    if shape is None:
        described = ", ".join(
            f"{name} {shape}" for name, shape in zip(verb.input_names, shapes, strict=True)
        )
        raise ValueError(f"{verb.__name__}: shapes must broadcast together, got {described}")
    for array in out:
        if array is not None:
            check_output(verb, array, dtype, shape)
    given = [array for array in out if array is not None]
    if len(given) == 2:
        first, second = given
        if first.shape != second.shape:
            raise ValueError(
                f"{verb.__name__}: the two arrays of out must have one shape, "
                f"got {first.shape} and {second.shape}"
            )
        check_apart(verb, first, second)
    return given[0].shape if given else shape


def _broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the shape of all together, or None. That of NumPy stops at 32 dimensions of its 64."""
    ndim = max(map(len, shapes))
    shape = []
    for lengths in zip(*((1,) * (ndim - len(each)) + each for each in shapes), strict=True):
        longer = set(lengths) - {1}
        if len(longer) > 1:
            return None
        shape.append(longer.pop() if longer else 1)
    return tuple(shape)


def check_apart(verb: Verb, first: np.ndarray, second: np.ndarray) -> None:
    """Check that two outputs share no memory.

    A pair for which that takes too long to decide is let through: as in NumPy's ufuncs, its results
    are computed into temporary arrays first.
    """
    try:
        shared = np.shares_memory(
            first,
            second,
            max_work=_OVERLAP_WORK,  # type: ignore[arg-type]  # NumPy's stub has -1 and 0 only
        )
    except np.exceptions.TooHardError:
        return
    if shared:
        raise ValueError(f"{verb.__name__}: the two arrays of out must not share memory")


def check_output(verb: Verb, array: Any, dtype: np.dtype, shape: tuple[int, ...]) -> None:
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{verb.__name__}: out must be an ndarray, got {type(array).__name__}")
    if not array.flags.writeable:
        raise ValueError(f"{verb.__name__}: out must be writeable, got a read-only array")
    is_number = array.dtype.kind in "biufc" or is_bfloat16(array.dtype)
    # NumPy does not know that float16 and bfloat16 are of one kind.
    source, target = (np.float16 if is_bfloat16(each) else each for each in (dtype, array.dtype))
    if not (is_number and np.can_cast(source, target, casting="same_kind")):
        raise TypeError(
            f"{verb.__name__}: out must have a dtype to which {dtype} casts (same_kind), "
            f"got {array.dtype}"
        )
    if _broadcast_shapes(shape, array.shape) != array.shape:
        raise ValueError(
            f"{verb.__name__}: out must have a shape to which {shape} broadcasts, got {array.shape}"
        )


def deliver(result: np.ndarray, out: Any, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    """Round to 16 bits if required, and store into ``out`` or return an array of the shape."""
    if out is None:
        rounded = to_sixteen_bits(result, dtype)
        return rounded if rounded.shape == shape else np.broadcast_to(rounded, shape).copy()
    if result is not out:
        # An array: if a scalar of ml_dtypes is assigned, the byte order of out is ignored.
        out[...] = np.asarray(to_sixteen_bits(result, out.dtype.newbyteorder("=")))
    given: np.ndarray = out
    return given


def wrap(
    verb: Verb, results: Sequence[np.ndarray], out: tuple[Any, ...], operands: tuple[Any, ...]
) -> Any:
    """Return the results as a ufunc returns them: wrapped, and as scalars if they are 0-d.

    An output that was given wraps itself. A new array is wrapped by the operand of the highest
    priority that has an ``__array_wrap__``.
    """
    wrapper = _find_wrapper(operands)
    args = operands if all(given is None for given in out) else (*operands, *out)
    wrapped = []
    for i, (result, given) in enumerate(zip(results, out, strict=True)):
        method = wrapper if given is None else _wrap_method(given)
        is_scalar = given is None and result.ndim == 0
        if method is not None:
            wrapped.append(_call_wrapper(method, result, (verb, args, i), is_scalar))
        else:
            wrapped.append(result[()] if is_scalar else result)
    return wrapped[0] if verb.nout == 1 else tuple(wrapped)


def _wrap_method(value: Any) -> Any:
    """Return the ``__array_wrap__`` of a value, or None for plain arrays and for scalars."""
    if type(value) is np.ndarray or isinstance(value, np.generic):
        return None
    return getattr(value, "__array_wrap__", None)


def _find_wrapper(operands: Sequence[Any]) -> Any:
    """Return the ``__array_wrap__`` of the highest priority, or None.

    Plain arrays and scalars have priorities too, but no wrapper. At priority 0, other objects
    precede plain arrays.
    """
    wrapper, highest = None, -math.inf
    for operand in operands:
        method, priority = _wrap_method(operand), _priority(operand)
        if method is None and not isinstance(operand, np.ndarray | np.generic | float | int):
            continue
        if priority > highest or (priority == 0 and wrapper is None):
            wrapper, highest = method, priority
    return wrapper


def _priority(operand: Any) -> float:
    if isinstance(operand, np.generic | float | int):
        return -1e6
    try:
        return float(getattr(operand, "__array_priority__", 0.0))
    except (TypeError, ValueError):
        return 0.0


def _call_wrapper(
    method: Any, result: np.ndarray, context: tuple[Any, ...], is_scalar: bool
) -> Any:
    """Call an ``__array_wrap__``. Methods written for NumPy 1 take fewer arguments."""
    try:
        return method(result, context, is_scalar)
    except TypeError:
        pass
    try:
        wrapped = method(result, context)
    except TypeError:
        wrapped = method(result)
    warnings.warn(
        "__array_wrap__ must accept context and return_scalar arguments (positionally) in the "
        "future. (Deprecated NumPy 2.0)",
        DeprecationWarning,
        stacklevel=_stacklevel_of_caller(),
    )
    return wrapped


def _stacklevel_of_caller() -> int:
    """Return the stacklevel with which the caller's warning points outside the package."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("fastact."):
        level, frame = level + 1, frame.f_back
    return level


# --- running -----------------------------------------------------------------------------------


def _run(
    verb: Verb,
    arrays: Sequence[np.ndarray],
    parameters: Sequence[Any],
    out: tuple[Any, ...],
    work: np.dtype,
    settings: config.Settings,
) -> list[np.ndarray]:
    """Run the backend over chunks; return the outputs, new where none was given.

    If a parameter is one that compiled kernels do not take, the reference computes in all backends,
    as for float64: the product of a parameter and float32 may be out of range in a double.
    """
    needs_reference = _needs_reference(verb, parameters)
    if not np.any(needs_reference):
        return _run_backend(verb, arrays, parameters, out, work, settings)
    reference = settings._replace(backend="numpy")
    double = np.dtype(np.float64)
    if np.ndim(needs_reference) == 0:
        return _run_backend(verb, arrays, parameters, out, double, reference)

    shape = _broadcast_shapes(*map(np.shape, (*arrays, *parameters)))
    assert shape is not None  # check_outputs has broadcast them before
    chosen = np.broadcast_to(needs_reference, shape)
    x, values = (
        [np.broadcast_to(operand, shape)[chosen] for operand in operands]
        for operands in (arrays, parameters)
    )
    # The reference comes first: an output may be an input.
    exceptions = _run_backend(verb, x, values, (None,) * verb.nout, double, reference)
    results = _run_backend(verb, arrays, parameters, out, work, settings)
    for result, exception in zip(results, exceptions, strict=True):
        found = np.empty(shape)
        found[chosen] = exception
        np.copyto(result, found, casting="unsafe", where=chosen)  # out may be of a larger shape
    return results


def _needs_reference(verb: Verb, parameters: Sequence[Any]) -> Any:
    """Return where a parameter is one that the compiled kernels do not take."""
    found: Any = False
    for parameter, value in zip(verb.row.parameters, parameters, strict=True):
        found = found | np.logical_not(parameter.is_for_kernels(value))
    return found


def _run_backend(
    verb: Verb,
    arrays: Sequence[np.ndarray],
    parameters: Sequence[Any],
    out: tuple[Any, ...],
    work: np.dtype,
    settings: config.Settings,
) -> list[np.ndarray]:
    """Run the loop of a backend over chunks, as ``_run``."""
    if verb.kind == "backward_from_output" and arrays[1].dtype.newbyteorder("=") != work:
        # The loops compare outputs with bounds that are rounded to their own dtype.
        arrays = [arrays[0], _saturated(verb, arrays[1], parameters)]
    channels = _channels(arrays, parameters, out, work, settings)
    if channels is not None:
        return _run_channels(verb, arrays, *channels, out, work, settings)
    in_arrays = any(isinstance(value, np.ndarray) for value in parameters)
    loop = _loop_name(verb, parameters, in_arrays, work, settings)
    ufunc = _find_ufunc(verb, loop, settings)
    if ufunc is not None:
        return _run_ufunc(verb, ufunc, arrays, parameters, out, work)
    run_loop = _loop_runner(verb, loop, settings)
    parameter_arrays = [np.asarray(value, np.float64) for value in parameters if in_arrays]
    return iterate(run_loop, arrays, parameter_arrays, parameters, out, work)


def _find_ufunc(verb: Verb, loop: str, settings: config.Settings) -> Any:
    """Return the ufunc over this loop of a compiled backend, or None."""
    backend = config.backend_name(settings.backend)
    if config.driver is None or backend == "numpy":
        return None
    needed = {loop, loop.removesuffix("_broadcast")}
    try:
        for each in needed:
            _loop_address(verb, each, settings)
    except config.BackendUnavailableError as error:
        config.replacement(settings.backend, error)
        return None
    return config.driver.get_ufunc(
        verb.unbound, COMPILED_BACKENDS.index(backend), loop == "float32_fast", settings.num_threads
    )


def ufunc_of(verb: Verb) -> np.ufunc:
    """Return the ufunc of a verb for the settings in force; all of its loops are compiled."""
    if verb.kernel is not None:
        raise AttributeError(
            f"{verb.__name__} has no ufunc: its slopes lie along an axis or are drawn; "
            f"use that of {verb.row.kernels}, whose slopes broadcast"
        )
    if not verb.is_defined:
        raise AttributeError(f"{verb.__name__} has no ufunc: {verb.why_undefined}")
    own = {"backend": verb.backend, "precision": verb.precision}
    settings = config.with_settings({name: value for name, value in own.items() if value})
    backend = config.backend_name(settings.backend)
    if config.driver is None or backend == "numpy":
        raise config.BackendUnavailableError(
            f"{verb.__name__}.ufunc: a ufunc needs the compiled extension, and a compiled backend"
        )
    is_fast = settings.precision == "fast" and not verb.row.exponential_free
    loops = ["float32", "float64", *["float32_fast"] * is_fast]
    loops += [f"{loop}_broadcast" for loop in loops[:2] if verb.row.parameters]
    for loop in loops:
        _loop_address(verb, loop, settings)
    ufunc: np.ufunc = config.driver.make_ufunc(
        verb.unbound, COMPILED_BACKENDS.index(backend), is_fast
    )
    return ufunc


def _run_ufunc(
    verb: Verb,
    ufunc: Any,
    arrays: Sequence[np.ndarray],
    parameters: Sequence[Any],
    out: tuple[Any, ...],
    work: np.dtype,
) -> list[np.ndarray]:
    """Return the results in the dtype ``work``, in ``out`` or in new arrays."""
    doubles = [np.float64] * len(parameters)
    signature = (*[work] * len(arrays), *doubles, *[work] * verb.nout)
    # As plain arrays: subclasses are wrapped later, with the arguments of the call.
    outputs = tuple(None if given is None else np.asarray(given) for given in out)
    results = ufunc(*arrays, *parameters, out=outputs, signature=signature, casting="unsafe")
    return [
        np.asarray(result) if given is None else given
        for result, given in zip(results if verb.nout > 1 else [results], out, strict=True)
    ]


def _saturated(verb: Verb, y: np.ndarray, parameters: Sequence[Any]) -> np.ndarray:
    """Return outputs of a narrower dtype, infinite where they have reached a bound in that."""
    if not _is_floating(y.dtype):
        return y
    return numpy_backend.saturated(verb.row, y, y.astype(np.float64), parameters)


def iterate(
    run_loop: Any,
    arrays: Sequence[np.ndarray],
    parameter_arrays: Sequence[np.ndarray],
    parameters: Sequence[Any],
    outputs: Sequence[Any],
    work: np.dtype,
) -> list[np.ndarray]:
    """Run the loop over chunks of the dtype ``work``; return the outputs, new where it is None.

    Parameters in arrays take the place of the others.
    """
    inputs = [*arrays, *parameter_arrays]
    in_place_flags = () if parameter_arrays else _IN_PLACE_FLAGS
    iterator = np.nditer(  # type: ignore[call-overload]  # NumPy's stub spells contig "config"
        [*inputs, *outputs],
        flags=_ITERATOR_FLAGS,
        op_flags=[_INPUT_FLAGS + in_place_flags] * len(inputs)
        + [_OUTPUT_FLAGS + in_place_flags] * len(outputs),
        op_dtypes=[work] * len(arrays)
        + [array.dtype for array in parameter_arrays]
        + [work] * len(outputs),
        order="K",
        casting="unsafe",
        buffersize=_BUFFER_SIZE,
    )
    with iterator:
        for chunk in iterator:
            run_loop(
                chunk[: len(arrays)],
                chunk[len(inputs) :],
                chunk[len(arrays) : len(inputs)] if parameter_arrays else parameters,
            )
        # Given outputs are returned themselves: with overlap, the iterator works on copies.
        return [
            given if given is not None else allocated
            for given, allocated in zip(outputs, iterator.operands[len(inputs) :], strict=True)
        ]


def _channels(
    arrays: Sequence[np.ndarray],
    parameters: Sequence[Any],
    out: tuple[Any, ...],
    work: np.dtype,
    settings: config.Settings,
) -> tuple[np.ndarray, int] | None:
    """Return the values of a parameter, and how many elements in a row each is for; or None.

    The parameter is an array along one axis, or one like x: ``np.nditer`` would spend more time on
    handing it out than the loop on computing. What is not plain, or needs copies, is left to it.
    """
    backend = config.load_backend(settings.backend)
    if config.driver is None or backend is numpy_backend or len(parameters) != 1:
        return None
    (values,) = parameters
    shape, dimensions = arrays[0].shape, np.ndim(values)
    if not 1 <= dimensions <= len(shape):
        return None
    is_like_x = values.shape == shape
    if not is_like_x and values.shape != (shape[-dimensions], *[1] * (dimensions - 1)):
        return None
    # As plain arrays: a subclass may have properties of its own, which need not be those of memory.
    given = [np.asarray(array) for array in out if array is not None]
    if not all(
        array.dtype == work
        and array.shape == shape
        and array.flags.c_contiguous
        and array.flags.aligned
        for array in (*arrays, *given)
    ):
        return None
    if any(np.may_share_memory(array, operand) for array in given for operand in (*arrays, values)):
        return None
    length = 1 if is_like_x else math.prod(shape[len(shape) - dimensions + 1 :])
    if 1 < length < _WORTH_A_ROW and values.size * length > _LONGEST_ROW:
        return None
    return np.require(values, np.float64, ["C", "A"]).ravel(), length


def call_plain(verb: Verb, arrays: Sequence[Any], values: Any) -> Any:
    """Return what ``call`` returns for plain arrays and one parameter along an axis, or None.

    The parameter has been checked, and may have any value.
    """
    work = getattr(arrays[0], "dtype", None)
    if work not in _PLAIN or any(type(array) is not np.ndarray for array in (*arrays, values)):
        return None
    settings, out = config.current(), (None,) * verb.nout
    channels = _channels(arrays, (values,), out, work, settings)
    if channels is None:
        return None
    with memory.new_arrays(arrays[0].nbytes):
        results = _run_channels(verb, arrays, *channels, out, work, settings)
    return results[0] if verb.nout == 1 else tuple(results)


def _run_channels(
    verb: Verb,
    arrays: Sequence[np.ndarray],
    values: np.ndarray,
    length: int,
    out: tuple[Any, ...],
    work: np.dtype,
    settings: config.Settings,
) -> list[np.ndarray]:
    """Run the loop over rows of one channel each; where they are short, over rows of many."""
    is_broadcast = length < _WORTH_A_ROW
    if is_broadcast:
        values = values if length == 1 else np.repeat(values, length)
        count = _SHORT_ROWS // max(1, values.size)
        values = values if count < 2 else np.repeat(values[np.newaxis], count, axis=0)
        length = values.size
    results = [np.empty_like(arrays[0]) if array is None else array for array in out]
    if arrays[0].size:
        config.driver.execute_rows(
            _loop_address(verb, _PLAIN[work] + "_broadcast" * is_broadcast, settings),
            arrays,
            results,
            values,
            length,
            settings.num_threads,
            verb.row.chunk,
            verb.is_bound_by_memory,
            is_broadcast,
        )
    return results


def _loop_name(
    verb: Verb,
    parameters: Sequence[Any],
    in_arrays: bool,
    work: np.dtype,
    settings: config.Settings,
) -> str:
    """Return which loop computes: its dtype and, where there are several, its variant."""
    if in_arrays:
        return f"{work.name}_broadcast"
    has_fast = work == np.float32 and not verb.row.exponential_free
    if has_fast and settings.precision == "fast" and tuple(parameters) == verb.row.defaults:
        return "float32_fast"
    return work.name


def _loop_runner(verb: Verb, loop: str, settings: config.Settings) -> Any:
    """Return a function of (inputs, outputs, parameters), each a sequence.

    It is of the NumPy backend, or of Numba where the driver is not built.
    """
    backend = config.load_backend(settings.backend)
    if backend is not numpy_backend:
        try:
            _loop_address(verb, loop, settings)
        except config.BackendUnavailableError as error:
            backend = config.replacement(settings.backend, error)
    row, num_threads = verb.row, settings.num_threads
    return lambda *operands: backend.run(row, verb.kind, loop, *operands, num_threads)


def _loop_address(verb: Verb, loop: str, settings: config.Settings) -> int:
    backend = config.load_backend(settings.backend)
    key = verb.row.name, verb.kind, loop
    try:
        address: int = backend.loop_address(*key)
    except Exception as error:
        if config.succeeds(backend.loop_address, *key):
            raise
        reason = f"the Numba backend cannot compile it: {config.described(error)}"
        raise config.BackendUnavailableError(f"{verb.__name__}: {reason}") from error
    if address == 0:
        raise config.BackendUnavailableError(
            f"{verb.__name__}: the compiled extension is older than the Python files of fastact "
            f"and has no loop for it; rebuild fastact, or choose another backend"
        )
    if backend is not config.cython_backend and config.driver is not None:
        for each in {verb, verb.unbound}:
            each.adopt_loops("numba", backend.address_if_compiled)
    return address
