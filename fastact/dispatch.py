"""The one driver over the three backends: check, choose dtype and layout, run.

``numpy.nditer`` is the engine, as it is of NumPy's own ufuncs: it broadcasts, casts, buffers what
is strided, byte-swapped or unaligned, allocates outputs in the memory order of the inputs and
copies where an output overlaps an input. A backend sees contiguous chunks of one dtype only.

``call`` is the general way in; the compiled fast path (``driver``) stands before it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastact import config, memory, numpy_backend, tables
from fastact.catalogue import DOMAINS
from fastact.rounding import is_bfloat16, settle_ties, to_sixteen_bits

if TYPE_CHECKING:
    from fastact.activation import Verb

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
    "external_loop", "buffered", "grow_inner", "copy_if_overlap", "zerosize_ok",
)  # fmt: skip
_INPUT_FLAGS = ("readonly", "contig", "aligned", "nbo")
_OUTPUT_FLAGS = ("writeonly", "allocate", "no_broadcast", "contig", "aligned", "nbo")
# An output may be an input, without a copy. Not where parameters are arrays: those loops have no
# body for it, and would compute one element at a time.
_IN_PLACE_FLAGS = ("overlap_assume_elementwise",)


def call(verb: Verb, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Evaluate a verb of an activation for any arguments."""
    operands, parameters, out, settings = _bind(verb, args, kwargs)
    override = _array_ufunc_override(verb, operands, parameters, out, settings)
    if override is not None:
        return override[0]

    in_force = config.with_settings(settings)
    # Casts and kernels raise flags that mean nothing: kernels compute what is not selected too.
    with np.errstate(all="ignore"):
        return _evaluate(verb, operands, parameters, out, in_force)


def _evaluate(
    verb: Verb,
    operands: Sequence[Any],
    parameters: Sequence[Any],
    out: tuple[Any, ...],
    settings: config.Settings,
) -> Any:
    values = [parameter_value(verb, i, value) for i, value in enumerate(parameters)]
    arrays = [
        as_array(verb, name, operand)
        for name, operand in zip(verb.arguments, operands, strict=True)
    ]
    dtype = result_dtype(verb, operands, arrays, values)
    if dtype.kind in "iu":
        # Exact in any backend, so computed by the reference in all of them.
        settings, work = settings._replace(backend="numpy"), dtype
        for name, value in zip(verb.input_names, (*arrays, *values), strict=True):
            _check_fits(verb, name, value, dtype)
    else:
        work = dtype if dtype.itemsize > 2 else np.dtype(np.float64)
    shape = check_outputs(verb, out, dtype, arrays, values)
    check_order(verb, values)

    with memory.new_arrays(math.prod(shape) * work.itemsize):
        if not tables.apply(verb, dtype, arrays, values, out, math.prod(shape), settings):
            results = _run(verb, arrays, values, out, work, settings)
            if work != dtype and all(given is None or given.dtype.itemsize == 2 for given in out):
                _settle_ties(verb, arrays, values, results, dtype)
        elif len(arrays) == 1:
            results = tables.look_up(verb, dtype, arrays[0], values, settings, _compute_bits)
        else:
            multiply = tables.multiplier(verb, dtype, values, settings, _compute_doubles)
            results = _iterate(multiply, arrays, [], (), out, dtype)
        delivered = [
            _deliver(result, given, dtype) for result, given in zip(results, out, strict=True)
        ]
    wrapped = _wrap(verb, delivered, out, (*operands, *parameters))
    return wrapped[0] if verb.nout == 1 else tuple(wrapped)


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
    _settle_ties(verb, arrays, parameters, results, x.dtype)
    return [to_sixteen_bits(result, x.dtype).view(np.uint16) for result in results]


def _settle_ties(
    verb: Verb,
    arrays: Sequence[np.ndarray],
    parameters: Sequence[Any],
    results: Sequence[np.ndarray],
    dtype: np.dtype,
) -> None:
    """Have results rounded right that float64 cannot tell from ties, but not products."""
    verbs = {"value_and_grad": ("forward", "grad")}.get(verb.kind, (verb.kind,))
    if len(arrays) == 1:
        x = np.broadcast_to(arrays[0].astype(np.float64), results[0].shape)
        settle_ties(verb.row, x, parameters, dict(zip(verbs, results, strict=True)), dtype)


# --- arguments ---------------------------------------------------------------------------------


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
        if name in KEYWORDS:
            continue
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
    keywords = {}
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
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"{verb.__name__}: {name} must be an array or what NumPy makes one of, "
            f"got {type(value).__name__}: {error}"
        ) from None


def parameter_value(verb: Verb, index: int, value: Any) -> Any:
    """Return a parameter as a Python number, or as an array if it has dimensions."""
    parameter = verb.row.parameters[index]
    array = as_array(verb, parameter.name, value)
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
    return array.item() if array.dtype.kind in "biu" else float(array)


def check_order(verb: Verb, parameters: Sequence[Any]) -> None:
    named = dict(zip((p.name for p in verb.row.parameters), parameters, strict=True))
    for low, high in verb.row.ordered:
        if not np.all(np.less_equal(named[low], named[high])):
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


def _check_fits(verb: Verb, name: str, value: Any, dtype: np.dtype) -> None:
    """Check that integers survive the cast to the integer dtype of the result."""
    info, array = np.iinfo(dtype), np.asarray(value)
    if np.can_cast(array.dtype, dtype) or not array.size:
        return
    if not (info.min <= array.min() and array.max() <= info.max):
        raise ValueError(
            f"{verb.__name__}: {name} must fit into {dtype}, the dtype of the result, got {value!r}"
        )


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
    dtype = _common_dtype(verb, operands, arrays)
    if dtype.kind == "b" or (
        dtype.kind in "iu" and not (verb.row.keeps_integers and all(map(_is_integer, parameters)))
    ):
        dtype = np.tanh.resolve_dtypes((dtype, None))[1]
    return dtype


def _common_dtype(verb: Verb, operands: Sequence[Any], arrays: Sequence[np.ndarray]) -> np.dtype:
    """Return the dtype of the operands together; Python numbers are weak, as in NumPy."""
    weak = [operand for operand in operands if type(operand) in (bool, int, float)]
    strong = [
        array.dtype
        for operand, array in zip(operands, arrays, strict=True)
        if type(operand) not in (bool, int, float)
    ]
    try:
        common = np.result_type(*(strong or [array.dtype for array in arrays]))
        if strong and common.kind in "biu":
            common = np.result_type(common, *weak)
    except TypeError as error:
        names = " and ".join(verb.arguments)
        described = ", ".join(str(array.dtype) for array in arrays)
        raise TypeError(
            f"{verb.__name__}: {names} must have dtypes with a common one, got {described}: {error}"
        ) from None
    return common.newbyteorder("=")


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
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        described = ", ".join(
            f"{name} {shape}" for name, shape in zip(verb.input_names, shapes, strict=True)
        )
        raise ValueError(
            f"{verb.__name__}: shapes must broadcast together, got {described}"
        ) from None
    for array in out:
        if array is not None:
            check_output(verb, array, dtype, shape)
    given = [array for array in out if array is not None]
    if len(given) == 2 and np.shares_memory(*given):
        raise ValueError(f"{verb.__name__}: the two arrays of out must not share memory")
    return shape


def check_output(verb: Verb, array: Any, dtype: np.dtype, shape: tuple[int, ...]) -> None:
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{verb.__name__}: out must be an ndarray, got {type(array).__name__}")
    if not array.flags.writeable:
        raise ValueError(f"{verb.__name__}: out must be writeable, got a read-only array")
    is_number = array.dtype.kind in "biufc" or is_bfloat16(array.dtype)
    if not (is_number and np.can_cast(dtype, array.dtype, casting="same_kind")):
        raise TypeError(
            f"{verb.__name__}: out must have a dtype to which {dtype} casts (same_kind), "
            f"got {array.dtype}"
        )
    try:
        fits = np.broadcast_shapes(shape, array.shape) == array.shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"{verb.__name__}: out must have a shape to which {shape} broadcasts, got {array.shape}"
        )


def _deliver(result: np.ndarray, out: Any, dtype: np.dtype) -> np.ndarray:
    """Round to 16 bits where that is asked for, and store into what was given."""
    if out is None:
        return to_sixteen_bits(result, dtype)
    if result is not out:
        out[...] = to_sixteen_bits(result, out.dtype)
    given: np.ndarray = out
    return given


def _wrap(
    verb: Verb, results: Sequence[np.ndarray], out: tuple[Any, ...], operands: tuple[Any, ...]
) -> list[Any]:
    """Return results as a ufunc would: of the subclass that an operand has, and scalars for 0-d."""
    subclassed = [
        operand
        for operand in operands
        if isinstance(operand, np.ndarray) and type(operand) is not np.ndarray
    ]
    if not subclassed:
        return [
            result[()] if given is None and result.ndim == 0 else result
            for result, given in zip(results, out, strict=True)
        ]
    wrapper = max(subclassed, key=lambda operand: getattr(operand, "__array_priority__", 0.0))
    return [
        result
        if given is not None
        else wrapper.__array_wrap__(result, (verb, operands, i), result.ndim == 0)
        for i, (result, given) in enumerate(zip(results, out, strict=True))
    ]


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

    Sixteen-bit outputs are computed into new float64 arrays, which ``_deliver`` rounds. Where a
    parameter is infinite or NaN, the reference computes the limits in all backends.
    """
    needs_limits = _needs_limits(verb, parameters)
    if needs_limits is False or not np.any(needs_limits):
        return _run_backend(verb, arrays, parameters, out, work, settings)
    reference = settings._replace(backend="numpy")
    if np.ndim(needs_limits) == 0:
        return _run_backend(verb, arrays, parameters, out, work, reference)

    shape = np.broadcast_shapes(*map(np.shape, (*arrays, *parameters)))
    chosen = np.broadcast_to(needs_limits, shape)
    x, values = (
        [np.broadcast_to(operand, shape)[chosen] for operand in operands]
        for operands in (arrays, parameters)
    )
    # The limits come first: an output may be an input.
    limits = _run_backend(verb, x, values, (None,) * verb.nout, work, reference)
    results = _run_backend(verb, arrays, parameters, out, work, settings)
    for result, limit in zip(results, limits, strict=True):
        result[np.broadcast_to(chosen, result.shape)] = limit
    return results


def _needs_limits(verb: Verb, parameters: Sequence[Any]) -> Any:
    """Return where a parameter is infinite or NaN, unless the compiled kernels take that."""
    found: Any = False
    for parameter, value in zip(verb.row.parameters, parameters, strict=True):
        if isinstance(value, np.ndarray) and not parameter.takes_infinity:
            found = found | ~np.isfinite(value)
        elif not parameter.takes_infinity:
            found = found | (not math.isfinite(value))
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
    channels = _channels(arrays, parameters, out, work, settings)
    if channels is not None:
        return _run_channels(verb, arrays, *channels, out, work, settings)
    in_arrays = any(isinstance(value, np.ndarray) for value in parameters)
    run_loop = _loop_runner(verb, _loop_name(verb, parameters, in_arrays, work, settings), settings)
    parameter_type = work if work.kind in "iu" else np.dtype(np.float64)
    parameter_arrays = [np.asarray(value, parameter_type) for value in parameters if in_arrays]
    outputs = [
        None if array is None or (array.dtype.itemsize == 2 and work.kind == "f") else array
        for array in out
    ]
    return _iterate(run_loop, arrays, parameter_arrays, parameters, outputs, work)


def _iterate(
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
    given = [array for array in out if array is not None]
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
    return np.ascontiguousarray(values, np.float64).ravel(), length


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
    """Return a function of (inputs, outputs, parameters), each a sequence."""
    backend = config.load_backend(settings.backend)
    row, num_threads = verb.row, settings.num_threads
    if config.driver is None or backend is numpy_backend:
        return lambda *operands: backend.run(row, verb.kind, loop, *operands, num_threads)
    address = _loop_address(verb, loop, settings)

    def execute(inputs: Sequence[Any], outputs: Sequence[Any], parameters: Sequence[Any]) -> None:
        if loop.endswith("_broadcast"):  # parameters in arrays are further inputs
            inputs, parameters = (*inputs, *parameters), ()
        config.driver.execute(
            address, inputs, outputs, parameters, num_threads, row.chunk, verb.is_bound_by_memory
        )

    return execute


def _loop_address(verb: Verb, loop: str, settings: config.Settings) -> int:
    backend = config.load_backend(settings.backend)
    address: int = backend.loop_address(verb.row.name, verb.kind, loop)
    if backend is not config.cython_backend:  # whose loops are there from the start
        verb.adopt_loops("numba", backend.address_if_compiled)
    return address
