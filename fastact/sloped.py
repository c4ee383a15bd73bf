"""``prelu`` and ``rrelu``: leaky_relu with slopes that are learned, or drawn at random.

A verb finds the slopes and leaves the rest to the same verb of leaky_relu, its ``kernel``: a number
or an array that broadcasts against x. Only the gradient of a weight is computed here.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fastact import config, dispatch, manners, memory, numpy_backend
from fastact.catalogue import ROWS, Row
from fastact.rounding import is_bfloat16, to_sixteen_bits

if TYPE_CHECKING:
    from fastact.activation import Verb

#: What errors of the kernel call the slopes.
SLOPES = {"prelu": "weight", "rrelu": "slopes"}
# The verbs that need the slopes of an earlier call.
_OF_A_FORWARD_CALL = ("grad", "backward", "backward_from_output")
# Elements whose products are summed at a time: their arrays fit into the L2 cache.
_BLOCK_SIZE = 1 << 14
_ROW_LENGTH = 256


def kernel_row(row: Row) -> Row:
    """Return the row that has the kernels; if it is another, with one parameter: the slopes."""
    if not row.kernels:
        return row
    kernels = next(candidate for candidate in ROWS if candidate.name == row.kernels)
    (parameter,) = kernels.parameters
    default = row.derivative_limits[0]
    slopes = parameter._replace(
        name=SLOPES[row.name], default=default, required=row.parameters[0].required
    )
    return kernels._replace(parameters=(slopes,), keeps_integers=False)


def call(verb: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Evaluate a verb of prelu or rrelu for any arguments."""
    args, kwargs = dispatch.with_named_out(verb, args, kwargs)
    given = dispatch.bound_arguments(verb, args, kwargs)
    arrays = [given[name] for name in verb.arguments]
    arguments = manners.given(kwargs)
    keywords = {name: value for name, value in kwargs.items() if name in dispatch.KEYWORDS}
    keywords |= arguments
    if verb.row.name == "rrelu":
        return _with_slopes(verb.kernel, arrays, _rrelu_slopes(verb, given), keywords)
    slopes = _prelu_slopes(verb, given)
    if verb.kind == "backward":
        return _prelu_backward(verb, given["weight"], arrays, slopes, keywords)
    return _with_slopes(verb.kernel, arrays, slopes, keywords)


def _with_slopes(kernel: Verb, arrays: list[Any], slopes: Any, keywords: dict[str, Any]) -> Any:
    """Return what the kernel returns; few elements spend most of their time on the general way."""
    result = None
    if isinstance(slopes, np.ndarray) and not any(value is not None for value in keywords.values()):
        result = dispatch.call_plain(kernel, arrays, slopes)
    return kernel(*arrays, slopes, **keywords) if result is None else result


def _shape(verb: Verb, given: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the shape of the last array, x or y; that of a lazy one without computing it."""
    name = verb.arguments[-1]
    array = given[name]
    if not hasattr(array, "shape"):
        array = dispatch.as_array(verb, name, array)
        if array.dtype == object:
            raise TypeError(
                f"{verb.__name__}: {name} must be an array or what NumPy makes one of, "
                f"got {type(given[name]).__name__}"
            )
    return tuple(array.shape)


# --- prelu -------------------------------------------------------------------------------------


def _prelu_slopes(verb: Verb, given: Mapping[str, Any]) -> Any:
    """Return the weight as a number, or as an array that broadcasts against x."""
    weight = given["weight"]
    if "axis" not in given:  # the checks below take more time than many a loop
        if type(weight) is float:
            return weight
        if type(weight) is np.ndarray and weight.size == 1 and weight.dtype.kind == "f":
            return float(weight.item())
    given_weight, weight = weight, np.asarray(dispatch.parameter_value(verb, 0, weight))
    shape = _shape(verb, given)
    if weight.ndim > 1 and weight.size != 1:
        raise ValueError(
            f"{verb.__name__}: weight must be a number or have one dimension, "
            f"got shape {weight.shape}"
        )
    if len(shape) > 1 or (shape and weight.size != 1):
        axis = _channel_axis(verb, given.get("axis", 1), len(shape))
        channels, of_what = shape[axis], f"the length of axis {axis} of x"
    else:
        axis, channels, of_what = 0, 1, "x has no axis of channels"
    if weight.size not in (1, channels):
        raise ValueError(
            f"{verb.__name__}: weight must have 1 or {channels} elements, {of_what}, "
            f"got {weight.size}"
        )
    if weight.size == 1:
        return float(weight.reshape(()))
    if isinstance(given_weight, np.ndarray):
        weight = given_weight  # a masked one keeps its mask
    return weight.reshape(-1, *[1] * (len(shape) - 1 - axis))


def _channel_axis(verb: Verb, axis: Any, ndim: int) -> int:
    try:
        index = operator.index(axis)
    except TypeError:
        raise TypeError(f"{verb.__name__}: axis must be an integer, got {axis!r}") from None
    if not -ndim <= index < ndim:
        raise ValueError(
            f"{verb.__name__}: axis must be at least {-ndim} and below {ndim}, "
            f"the dimensions of x, got {axis}"
        )
    return index % ndim


def _prelu_backward(
    verb: Any, weight: Any, operands: list[Any], slopes: Any, keywords: dict[str, Any]
) -> tuple[Any, Any]:
    """Return the gradients of x and of the weight; nothing is written before all is checked."""
    out, weight_out = dispatch.outputs(verb, keywords.pop("out", None))
    if out is None and weight_out is None and any(map(_sums_itself, operands)):
        gradient = _composed_weight_gradient(weight, operands, slopes)
        return _with_slopes(verb.kernel, operands, slopes, keywords), gradient
    if out is None and weight_out is None and _are_plain(*operands):
        (g, x), dtype = operands, operands[0].dtype
    else:
        (g, x), dtype = _checked(verb, weight, operands, slopes, out, weight_out)
    with np.errstate(all="ignore"):
        gradient = _weight_gradient(g, x, slopes, np.shape(weight), _weight_dtype(weight, dtype))
    grad_input = _with_slopes(verb.kernel, operands, slopes, {"out": out, **keywords})
    if weight_out is None:
        return grad_input, gradient[()] if gradient.ndim == 0 else gradient
    with np.errstate(all="ignore"):
        # An array: if a scalar of ml_dtypes is assigned, the byte order of weight_out is ignored.
        weight_out[...] = np.asarray(gradient)
    return grad_input, weight_out


def _sums_itself(operand: Any) -> bool:
    """Whether the class of the operand must compute sums over it: it is masked, or lazy as Dask."""
    if isinstance(operand, np.ndarray):
        return isinstance(operand, np.ma.MaskedArray)
    return hasattr(type(operand), "__array_function__")


def _composed_weight_gradient(weight: Any, operands: list[Any], slopes: Any) -> Any:
    """Return the sums of g min(x, 0), composed from functions that NumPy lets classes override."""
    g, x = operands
    products = np.multiply(g, np.minimum(x, np.float64(0)))  # in float64
    axes = None
    if isinstance(slopes, np.ndarray):
        channels = products.ndim - slopes.ndim
        axes = tuple(axis for axis in range(products.ndim) if axis != channels)
    sums = np.reshape(np.sum(products, axis=axes), np.shape(weight))
    return sums.astype(_weight_dtype(weight, np.result_type(g, x)))


def _are_plain(g: Any, x: Any) -> bool:
    """Whether both are such arrays as sums are computed of."""
    return (
        type(g) is type(x) is np.ndarray
        and g.dtype == x.dtype
        and x.dtype.char in "fd"
        and x.dtype.isnative
        and g.shape == x.shape
        and (g.flags.c_contiguous and g.flags.aligned)
        and (x.flags.c_contiguous and x.flags.aligned)
    )


def _checked(
    verb: Any, weight: Any, operands: list[Any], slopes: Any, out: Any, weight_out: Any
) -> tuple[list[np.ndarray], np.dtype]:
    """Return the operands as such arrays, and the dtype of the gradient of x."""
    arrays = [
        dispatch.as_array(verb, name, operand)
        for name, operand in zip(verb.arguments, operands, strict=True)
    ]
    dtype = dispatch.result_dtype(verb, operands, arrays, ())
    arrays = dispatch.with_weak_numbers_in(dtype, operands, arrays)
    dispatch.check_outputs(verb.kernel, (out,), dtype, arrays, (slopes,))
    # The shape of the operands: an output of a larger shape repeats results, but not the sums.
    shape = dispatch.check_outputs(verb.kernel, (None,), dtype, arrays, (slopes,))
    if weight_out is not None:
        dispatch.check_output(verb, weight_out, _weight_dtype(weight, dtype), np.shape(weight))
        if out is not None:
            dispatch.check_apart(verb, out, weight_out)
    # Numbers of 16 bits are in float32 what they are; products of either type are in float64.
    is_single = all(np.can_cast(array.dtype, np.float32) for array in arrays)
    work = np.float32 if is_single else np.float64
    with np.errstate(all="ignore"):
        spread = (np.broadcast_to(array, shape) for array in arrays)
        return [np.require(array, work, ["C", "A"]) for array in spread], dtype


def _weight_dtype(weight: Any, dtype: np.dtype) -> np.dtype:
    """Return the dtype of the weight; Python numbers have that of the result, integers float64."""
    if type(weight) in (bool, int, float):
        return dtype
    own = np.asarray(weight).dtype.newbyteorder("=")
    return own if own.kind == "f" or is_bfloat16(own) else np.dtype(np.float64)


def _weight_gradient(
    g: np.ndarray, x: np.ndarray, slopes: Any, shape: tuple[int, ...], dtype: np.dtype
) -> np.ndarray:
    """Return the sums of g min(x, 0) over the elements of each channel.

    Products are rounded once, those of float32 not at all. A block is summed at most some hundred
    additions deep; the sums of blocks carry their rounding errors along (Knuth's two-sum). The
    order is the same for any number of threads and any layout.
    """
    channels, inner = 1, x.size
    if isinstance(slopes, np.ndarray):
        channels, inner = slopes.size, math.prod(x.shape[x.ndim - slopes.ndim + 1 :])
    if not x.size:
        return np.zeros(shape, dtype)
    if config.driver is None:
        sums = _sums_by_numpy(*(array.reshape(-1, channels, inner) for array in (g, x)))
        return to_sixteen_bits(sums.reshape(shape), dtype)
    address = config.cython_backend.sum_address("float32" if x.itemsize == 4 else "float64")
    sums = np.empty(shape, dtype if dtype.char in "fd" else np.float64)
    num_threads = config.current().num_threads
    config.driver.sum_over_channels(address, g, x, channels, inner, num_threads, sums)
    return to_sixteen_bits(sums, dtype)


def _sums_by_numpy(g: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the sums over the first and last axes, where the extension is not built.

    A block is summed pairwise along the inner axes and over rows side by side.
    """
    total, rest = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for block in _blocks(x.shape):
        part = _channel_sums(g[block], x[block])
        channel = block[1]
        before = total[channel]
        after = before + part
        added = after - before
        rest[channel] += (before - (after - added)) + (part - added)
        total[channel] = after
    return np.where(np.isfinite(rest), total + rest, total)


def _blocks(shape: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    """Yield the indices of blocks of at most ``_BLOCK_SIZE`` elements, the inner axes first."""
    lengths: list[int] = []
    left = _BLOCK_SIZE
    for size in reversed(shape):
        lengths.insert(0, max(1, min(size, left)))
        left //= lengths[0]
    starts = (range(0, size, length) for size, length in zip(shape, lengths, strict=True))
    for start in itertools.product(*starts):
        yield tuple(slice(i, i + length) for i, length in zip(start, lengths, strict=True))


def _channel_sums(g: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the sums of one block over its first and last axes."""
    g, x = g.astype(np.float64, copy=False), x.astype(np.float64, copy=False)
    sums = _sum_of_ends(g * np.minimum(x, 0))
    if not np.isfinite(sums).all():  # 0 * inf is NaN, but nothing comes from x >= 0
        sums = _sum_of_ends(np.where(x >= 0, 0, g * x))
    return sums


def _sum_of_ends(products: np.ndarray) -> np.ndarray:
    rows = products[..., 0] if products.shape[-1] == 1 else products.sum(axis=-1)
    # Short rows side by side: fewer additions one after another, and those in vectors.
    channels = rows.shape[1]
    count = max(1, _ROW_LENGTH // channels)
    whole = len(rows) - len(rows) % count
    together = rows[:whole].reshape(-1, count * channels).sum(axis=0)
    sums: np.ndarray = together.reshape(count, channels).sum(axis=0) + rows[whole:].sum(axis=0)
    return sums


# --- rrelu -------------------------------------------------------------------------------------


def _rrelu_slopes(verb: Any, given: Mapping[str, Any]) -> Any:
    """Return the slopes that were given or are drawn, or the mean slope."""
    if len(given) == len(verb.arguments):  # defaults: what follows takes more time than many a loop
        return verb.row.derivative_limits[0]
    slopes, rng, training = given.get("slopes"), given.get("rng"), given.get("training", False)
    if training is not True and training is not False and not isinstance(training, np.bool_):
        raise TypeError(f"{verb.__name__}: training must be a bool, got {training!r}")
    if rng is not None and not training:
        _generator(verb, rng)
    if slopes is not None:
        if training:
            raise ValueError(f"{verb.__name__}: training draws slopes, so slopes must not be given")
        return dispatch.parameter_value(verb.kernel, 0, slopes)
    bounds = [given.get(parameter.name, parameter.default) for parameter in verb.row.parameters]
    if not training:
        lower, upper = _bounds(verb, *bounds)
        return (lower + upper) / 2
    if rng is None and verb.kind in _OF_A_FORWARD_CALL:
        raise ValueError(
            f"{verb.__name__}: the slopes that were drawn are unknown: slopes or rng must be "
            "given, rng as a seed or in the state of the forward call"
        )
    drawn = draw_slopes(verb, _shape(verb, given), bounds[0], bounds[1], rng)
    return _in_memory_order(drawn, given[verb.arguments[-1]])


def _in_memory_order(slopes: np.ndarray, array: Any) -> np.ndarray:
    """Return slopes in the memory order of the array, which the result then has too."""
    if not isinstance(array, np.ndarray) or array.flags.c_contiguous:
        return slopes
    (copy,) = memory.empty_as_of_ufunc([array], slopes.dtype)
    copy[...] = slopes
    return copy


def draw_slopes(verb: Verb, shape: Any, lower: Any, upper: Any, rng: Any) -> np.ndarray:
    """Return slopes from [lower, upper), as float64."""
    lower, upper = _bounds(verb, lower, upper)
    if not np.all(np.isfinite(np.subtract(upper, lower))):
        raise ValueError(
            f"{verb.__name__}: lower and upper must be finite, got {lower!r} and {upper!r}"
        )
    generator = _generator(verb, rng)
    drawn = np.empty(shape)
    flat = drawn.reshape(-1)
    for chunk in numpy_backend.chunks(flat.size, _BLOCK_SIZE):  # a signal may end it
        generator.random(out=flat[chunk])
    with np.errstate(all="ignore"):
        slopes = lower + (upper - lower) * drawn
        below = np.nextafter(upper, lower)  # rounding may reach upper
        limited: np.ndarray = np.minimum(slopes, below)
    return limited


def _generator(verb: Verb, rng: Any) -> np.random.Generator:
    try:
        return np.random.default_rng(rng)
    except Exception as error:
        dispatch.reraise(
            error,
            f"{verb.__name__}: rng must be a numpy.random.Generator, or a seed as "
            f"numpy.random.default_rng takes it, got {rng!r}",
        )


def _bounds(verb: Verb, lower: Any, upper: Any) -> tuple[Any, Any]:
    """Return lower and upper as numbers, or as arrays of float64."""
    lowest = 0.0 if verb.kind == "backward_from_output" else -math.inf
    if type(lower) is type(upper) is float and lowest <= lower <= upper:
        return lower, upper
    lower, upper = (
        value.astype(np.float64) if isinstance(value, np.ndarray) else float(value)
        for value in (dispatch.parameter_value(verb, i, v) for i, v in enumerate((lower, upper)))
    )
    dispatch.check_order(verb, (lower, upper))
    return lower, upper
