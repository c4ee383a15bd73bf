"""Random calls, each compared with plain calls of the same elements.

    python tools/fuzz.py --seconds 600                  # with a random seed
    python tools/fuzz.py --seed 7 --activation gelu --verb backward
    python tools/fuzz.py --seed 7 --case 1234           # one case again

A case is a ``Call``, plain data that the seed and the number of the case determine. ``check`` makes
the call and holds it to the contract:

- each element has the bits that a contiguous, one-threaded call in another order gives it;
- each element is within the bound of docs/accuracy.md of the NumPy backend, and equal to it where
  nothing is rounded;
- dtype, shape, type and memory order are those of a NumPy ufunc;
- an error is the same in each backend and changes nothing;
- no byte outside of ``out`` changes, no warning appears, the floating-point state stays.

Calls run in child processes, so that a crash is a finding like any other. A finding is made
simpler as long as it stays one, and printed as a program. The exit status is 1 if there is one.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import multiprocessing
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import fastact as fa
from fastact import activation, config

with contextlib.suppress(ImportError):
    import ml_dtypes  # noqa: F401  # registers "bfloat16" with NumPy

CONTEXT = multiprocessing.get_context("fork")
GUARD = 64  # bytes around the arrays of a memory
FILL = 0xA5  # of memory that is no input

# --- calls -------------------------------------------------------------------------------------


class Array(NamedTuple):
    """An array of a call, and where it lies."""

    #: For each of its axes, the axis of the call's shape that it has the length of; None for 1.
    axes: tuple[int | None, ...]
    dtype: str = "float32"
    #: The seed of the values; 0 for ones.
    seed: int = 0
    #: The range of values, for parameters.
    bounds: tuple[float, float] | None = None
    #: Lengths of further axes in front, and what is added to the last length.
    lead: tuple[int, ...] = ()
    longer: int = 0
    #: The memory order, "C", "F" or axes rotated by one, and the distance between elements in each
    #: axis, in turn.
    order: str = "C"
    steps: tuple[int, ...] = (1,)
    offset: int = 0  # in bytes
    swapped: bool = False
    read_only: bool = False
    #: The array whose memory it shares.
    home: str = ""

    @property
    def numpy_dtype(self) -> np.dtype:
        dtype = np.dtype(self.dtype)
        return dtype.newbyteorder() if self.swapped else dtype

    def shape(self, lengths: tuple[int, ...]) -> tuple[int, ...]:
        shape = [*self.lead, *(1 if axis is None else lengths[axis] for axis in self.axes)]
        if shape:
            shape[-1] += self.longer
        return tuple(shape)

    def strides(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        strides, extent = [0] * len(shape), self.numpy_dtype.itemsize
        axes = list(range(len(shape)))
        axes = {"C": axes[::-1], "F": axes}.get(self.order, axes[1:] + axes[:1])
        for axis in axes:
            step = self.steps[axis % len(self.steps)]
            strides[axis] = step * extent
            if shape[axis] > 1:
                extent *= max(1, abs(step)) * shape[axis]
        return tuple(strides)


class Call(NamedTuple):
    name: str
    verb: str
    backend: str
    precision: str
    threads: int
    #: Whether the thresholds of the driver are small.
    small: bool
    #: Whether backend and precision are arguments, and not those of a block.
    by_keyword: bool
    shape: tuple[int, ...]
    operands: tuple[Any, ...]  # an Array or a Python number each
    parameters: dict[str, Any]  # Arrays, numbers and options
    outs: tuple[Array | None, ...]

    @property
    def function(self) -> Any:
        function = fa.get(self.name)
        return function if self.verb == "forward" else getattr(function, self.verb)

    def arrays(self) -> dict[str, Array]:
        """Return its arrays by the names that reproductions give them."""
        named = [*zip(self.function.arguments, self.operands, strict=True)]
        named += [*self.parameters.items(), *((f"out{i}", out) for i, out in enumerate(self.outs))]
        return {name: value for name, value in named if isinstance(value, Array)}


# --- drawing -----------------------------------------------------------------------------------

NUMBERS = ("float32", "float32", "float32", "float64", "float64", "float16", "bfloat16")
INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "bool")
#: Around which, and around multiples of which, the driver and the loops change their ways.
THRESHOLDS = (0, 1, 16, 64, 128, 256, 512, 1024, 2048, 4096, 1 << 13, 1 << 14, 1 << 15, 1 << 16)
#: For those with thresholds of bytes: 32 and 64 MiB of elements of 2 to 24 bytes.
LARGE = tuple((1 << 25) // size for size in (8, 12, 16, 24)) + ((1 << 26) // 4, (1 << 26) // 6)
NEAR = (0, 0, 1, -1, 15, -15, 16, -16, 17, -17)

#: Where to draw parameters from, to one decimal: most are no numbers of any dtype.
BOUNDS = {
    "negative_slope": (0, 2), "weight": (-1, 2), "slopes": (0, 2), "lower": (0, 0.3),
    "upper": (0.3, 2), "threshold": (-2, 2), "value": (-3, 20), "slope": (-1, 2),
    "offset": (-1, 1), "min_val": (-3, 0), "max_val": (0.1, 3),
}  # fmt: skip
POSITIVE = (0.1, 3)
EXTREMES = (
    *(0, 0.0, -0.0, 1, -1, -0.5, 127, -200, 2**40, 2**70, math.inf, -math.inf, math.nan),
    *(5e-324, -1e-310, 1e-45, -1e-40, 70000.0, 3e38, 1e39, -1e39, 1e308, -1e308),
)
STEPS = ((1,), (1,), (2,), (-1,), (2, 1), (1, 2), (1, -1), (-1, 1), (3, -2))
POINTS = np.array(
    [
        0,
        -0.0,
        0.1,
        0.3,
        0.5,
        0.7,
        1,
        1.5,
        2,
        3,
        6,
        9,
        20,
        88.7,
        104,
        1e-3,
        1e-7,
        1e-20,
        1e-39,
        1e-45,
    ]
    + [1e-310, 5e-324, 1e4, 65504, 1e20, 3.4e38, 1e300, np.inf, np.nan]
)


def draw(seed: int, case: int, names: list[str], verbs: list[str]) -> Call:
    random = Random(f"{seed} {case}")
    name, verb = random.choice(names), random.choice(verbs)
    row = fa.get(name).row
    if verb == "backward_from_output" and not row.derivative_from_output and random.random() < 0.9:
        verb = "backward"
    shape = draw_shape(random, row.exponential_free)
    dtype = random.choice(NUMBERS if random.random() < 0.85 else INTEGERS)
    with_arrays = random.random() < 0.3
    operands = [draw_operand(random, shape, dtype) for _ in activation.VERBS[verb][0]]
    # One operand has the shape of the result. The slopes of prelu and rrelu, and outputs, depend on
    # the shape of the last.
    full = tuple(range(len(shape)))
    has_full = any(isinstance(operand, Array) and operand.axes == full for operand in operands)
    if row.kernels or verb == "backward_from_output" or not has_full:
        operands[-1] = draw_array(random, full, dtype)
    parameters = draw_parameters(random, row, verb, shape, with_arrays)
    call = Call(
        name,
        verb,
        random.choice(("cython", "cython", "numba", "numpy")),
        random.choice(config.PRECISIONS),
        random.choice((1, 2, 3, 7)),
        random.random() < 0.5,
        random.random() < 0.5,
        shape,
        tuple(operands),
        parameters,
        (),
    )
    return call._replace(outs=draw_outs(random, call)) if random.random() < 0.6 else call


def draw_shape(random: Random, is_cheap: bool) -> tuple[int, ...]:
    kind = random.random()
    if kind < 0.001 and is_cheap:
        return (random.choice(LARGE) + random.choice(NEAR),)
    if kind < 0.05:
        return ()
    if kind < 0.07:
        return (1,) * random.choice((20, 33, 64 - 3)) + (random.randrange(40),)
    most = 8 if kind < 0.5 else len(THRESHOLDS) if kind > 0.95 else 10
    size = random.choice(THRESHOLDS[:most]) * random.choice((1, 1, 1, 2, 3)) + random.choice(NEAR)
    size = max(0, size)
    if kind < 0.6:
        return (size,)
    shape = [
        random.choice((1, 2, 3, 5, 17, 64, 255, 257, 400))
        for _ in range(random.choice((1, 1, 2, 3)))
    ]
    while len(shape) > 1 and math.prod(shape) > max(size, 1):
        shape.remove(max(shape))
    shape.append(size // max(1, math.prod(shape)))
    random.shuffle(shape)
    return tuple(shape)


def draw_array(
    random: Random, axes: tuple[int | None, ...], dtype: str, is_out: bool = False, **fields: Any
) -> Array:
    array = Array(axes, dtype, random.randrange(1, 1 << 30), **fields)
    if random.random() < 0.4:
        return array
    itemsize = np.dtype(dtype).itemsize
    steps = STEPS if is_out else (*STEPS, (0, 1), (1, 0), (0,))
    return array._replace(
        order=random.choice("CCFR"),
        steps=random.choice(steps) if random.random() < 0.6 else (1,),
        offset=random.choice((0, 1, itemsize, itemsize * random.randrange(64), 63)),
        swapped=random.random() < 0.1 and itemsize > 1,
        read_only=random.random() < 0.1 and not is_out,
    )


def draw_axes(random: Random, ndim: int) -> tuple[int | None, ...]:
    """Draw the axes of something that broadcasts."""
    axes: tuple[int | None, ...] = tuple(range(ndim))
    if random.random() < 0.2:
        axes = tuple(random.choice((axis, None)) for axis in axes)[random.randrange(ndim + 1) :]
    return axes


def draw_operand(random: Random, shape: tuple[int, ...], dtype: str) -> Any:
    if random.random() < 0.03:
        return random.choice((0.1, 1, True, -2.5))
    if random.random() < 0.1:
        dtype = random.choice(NUMBERS + INTEGERS)
    return draw_array(random, draw_axes(random, len(shape)), dtype)


def draw_parameters(
    random: Random, row: Any, verb: str, shape: tuple[int, ...], with_arrays: bool
) -> dict[str, Any]:
    parameters = {}
    for parameter in row.parameters:
        if parameter.required or random.random() < 0.6:
            arrays = with_arrays and not row.kernels
            parameters[parameter.name] = draw_parameter(random, parameter.name, shape, arrays)
    if row.name == "prelu" and shape and random.random() < 0.6:
        axis = random.randrange(len(shape))
        array = draw_array(random, (axis,), "float64", bounds=BOUNDS["weight"])
        parameters.update(weight=array, axis=axis - random.choice((0, len(shape))))
    if row.name == "rrelu" and random.random() < 0.5:
        if random.random() < 0.5:
            return parameters | {"training": True, "rng": random.randrange(9)}
        return {"slopes": draw_parameter(random, "slopes", shape, with_arrays)}
    return parameters


def draw_parameter(random: Random, name: str, shape: tuple[int, ...], is_array: bool) -> Any:
    bounds = BOUNDS.get(name, POSITIVE)
    if is_array and random.random() < 0.7:
        axes: tuple[int | None, ...] = draw_axes(random, len(shape))
        if shape and random.random() < 0.5:
            axis = random.randrange(len(shape))
            axes = (axis, *[None] * (len(shape) - 1 - axis))
        return draw_array(random, axes, random.choice(NUMBERS), bounds=bounds)
    if random.random() < 0.15:
        return random.choice(EXTREMES)
    number = round(random.uniform(*bounds), 1)
    kinds = (float, float, float, np.float64, np.float32, np.float16, np.asarray, math.ceil)
    return random.choice(kinds)(number)


def draw_outs(random: Random, call: Call) -> tuple[Array | None, ...]:
    """Draw what ``out`` gets; some of it is an error."""
    dtype = result_dtype(call)
    if dtype is None:
        return ()
    outs: list[Array | None] = []
    for axes, name in zip(result_axes(call), result_dtypes(call, dtype), strict=True):
        if len(outs) == 1 and random.random() < 0.2:
            outs.append(None)
            continue
        out = draw_array(random, axes, name, is_out=True)
        sources = {n: a for n, a in call.arrays().items() if a.axes == axes and 0 not in a.steps}
        kind = random.random()
        if kind < 0.4 and sources:  # in place, or beside it
            home = random.choice(sorted(sources))
            if kind < 0.3:
                out = sources[home]._replace(dtype=name, seed=0, read_only=False)
            shift = random.choice((0, 0, 1, -1, 3, 40, 1000)) * np.dtype(name).itemsize
            out = out._replace(home=home, offset=max(0, out.offset + shift))
        elif kind < 0.5:
            out = out._replace(dtype=random.choice(NUMBERS + INTEGERS))
        elif kind < 0.55:
            out = out._replace(lead=(2,))
        elif kind < 0.6:
            out = out._replace(longer=1)
        elif kind < 0.62:
            out = out._replace(read_only=True)
        outs.append(out)
    return tuple(outs)


# --- what the contract says --------------------------------------------------------------------


def result_dtype(call: Call) -> np.dtype | None:
    """Return the dtype of the results, or None where NumPy has no rule for it."""
    row = fa.get(call.name).row
    try:
        dtype = np.result_type(
            *(np.dtype(x.dtype) if isinstance(x, Array) else x for x in call.operands)
        )
    except TypeError:
        return None
    parameters = {p.name: p.default for p in row.parameters} | call.parameters
    types = [np.dtype(getattr(value, "dtype", type(value))) for value in parameters.values()]
    is_kept = row.keeps_integers and dtype.kind in "iu" and all(t.kind in "iu" for t in types)
    if dtype.kind not in "biu" or is_kept:
        return dtype
    return np.tanh.resolve_dtypes((dtype, None))[1]


def result_axes(call: Call) -> list[tuple[int | None, ...]]:
    axes: list[tuple[int | None, ...]] = [tuple(range(len(call.shape)))] * call.function.nout
    if returns_weight_gradient(call):
        axes[1] = getattr(call.parameters["weight"], "axes", ())
    return axes


def result_dtypes(call: Call, dtype: np.dtype) -> list[str]:
    dtypes = [dtype.name] * call.function.nout
    if returns_weight_gradient(call):
        weight = np.dtype(getattr(call.parameters["weight"], "dtype", dtype))
        dtypes[1] = weight.name if weight.kind in "fV" else "float64"
    return dtypes


def returns_weight_gradient(call: Call) -> bool:
    return call.name == "prelu" and call.verb == "backward"


def is_error(call: Call) -> bool | None:
    """Return whether the call must fail; None if that is not for this program to say."""
    row, dtype = fa.get(call.name).row, result_dtype(call)
    if call.verb == "backward_from_output" and not row.derivative_from_output:
        return True
    for out, axes in zip(call.outs, result_axes(call), strict=False):
        if out is None:
            continue
        shape, wanted = out.shape(call.shape), Array(axes).shape(call.shape)
        fits = len(shape) >= len(wanted) and all(
            n in (1, m) for n, m in zip(wanted[::-1], shape[::-1], strict=False)
        )
        if fits and not out.read_only:
            continue
        return True
    given = [out for out in call.outs if out is not None]
    if call.verb == "value_and_grad" and len({out.shape(call.shape) for out in given}) > 1:
        return True
    homes = [out.home for out in given if out.home]
    numbers = [value for value in call.parameters.values() if not isinstance(value, Array)]
    is_open = (
        dtype is None
        or (dtype.kind in "iu" and call.parameters)  # which must fit
        or any(float(value) in EXTREMES or value != value for value in numbers)
        or len(homes) != len(set(homes))
    )
    if is_open:
        return None
    return not all(
        np.can_cast(wanted, out.dtype, "same_kind") and np.dtype(out.dtype).kind != "b"
        for out, wanted in zip(call.outs, result_dtypes(call, dtype), strict=False)
        if out is not None
    )


# --- making calls ------------------------------------------------------------------------------


def values(array: Array, count: int) -> np.ndarray:
    """Return values of the array: of all magnitudes, and of those where functions change."""
    dtype, rng = np.dtype(array.dtype), np.random.default_rng(array.seed)
    if array.seed == 0:
        x = np.ones(count)
    elif array.bounds:
        x = np.round(rng.uniform(*array.bounds, count), 1)
    elif dtype.kind == "b":
        x = rng.integers(2, size=count)
    elif dtype.kind in "iu":
        info = np.iinfo(dtype)
        x = rng.integers(info.min, info.max, count, dtype, endpoint=True)
        x = x >> dtype.type(array.seed % (info.bits - 2))
    elif array.seed % 4 == 0:
        x = rng.integers(0, 256, (count, dtype.itemsize), np.uint8).view(dtype).ravel()
    else:
        x = rng.normal(scale=4, size=count)
        special = rng.random(count) < 0.3
        x[special] = rng.choice(np.concatenate([POINTS, -POINTS]), special.sum())
    return x.astype(dtype)


class Outcome(NamedTuple):
    arrays: dict[str, np.ndarray]
    #: The memories by the names of the arrays that they are homes to, before and after the call.
    before: dict[str, np.ndarray]
    memories: dict[str, np.ndarray]
    results: tuple[Any, ...]
    error: Exception | None


def place(call: Call) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the memories and the arrays of a call, whose values are there."""
    places, sizes = {}, {}
    for name, array in call.arrays().items():
        shape = array.shape(call.shape)
        strides = array.strides(shape)
        ends = [stride * (n - 1) for stride, n in zip(strides, shape, strict=True) if n]
        low, high = sum(end for end in ends if end < 0), sum(end for end in ends if end > 0)
        begin = GUARD + array.offset
        places[name] = (shape, strides, begin - low)
        size = begin - low + high + array.numpy_dtype.itemsize + GUARD
        sizes[array.home or name] = max(size, sizes.get(array.home or name, 0))
    memories = {home: aligned(size) for home, size in sizes.items()}
    arrays = {}
    for name, array in call.arrays().items():
        shape, strides, begin = places[name]
        memory = memories[array.home or name]
        arrays[name] = np.ndarray(shape, array.numpy_dtype, memory, begin, strides)
        if not name.startswith("out"):
            arrays[name][...] = values(array, arrays[name].size).reshape(shape)
    if "y" in arrays:
        with contextlib.suppress(ValueError, TypeError):
            x = arrays["y"].astype(call.operands[-1].dtype)
            arrays["y"][...] = fa.get(call.name)(x, **arguments(call, arrays), backend="numpy")
    for name, array in call.arrays().items():
        arrays[name].flags.writeable = not array.read_only
    return memories, arrays


def aligned(size: int) -> np.ndarray:
    memory = np.full(size + 64, FILL, np.uint8)
    return memory[-memory.ctypes.data % 64 :][:size]


def arguments(call: Call, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    return {name: arrays.get(name, value) for name, value in call.parameters.items()}


def run(call: Call, backend: str) -> Outcome:
    """Make the call; warnings are errors."""
    memories, arrays = place(call)
    before = {home: memory.copy() for home, memory in memories.items()}
    names = call.function.arguments
    operands = [arrays.get(n, value) for n, value in zip(names, call.operands, strict=True)]
    keywords = arguments(call, arrays)
    settings = {"backend": backend, "precision": call.precision}
    if call.outs:
        outs = tuple(arrays.get(f"out{i}") for i in range(len(call.outs)))
        keywords["out"] = outs if call.function.nout == 2 else outs[0]
    results, raised = (), None
    with contextlib.ExitStack() as stack:
        stack.enter_context(fa.use_threads(call.threads))
        stack.enter_context(np.errstate(all="raise"))
        stack.enter_context(small_thresholds() if call.small else contextlib.nullcontext())
        if call.by_keyword:
            keywords |= settings
        else:
            stack.enter_context(fa.use_backend(backend))
            stack.enter_context(fa.use_precision(call.precision))
        try:
            found = call.function(*operands, **keywords)
            results = found if call.function.nout == 2 else (found,)
        except Exception as error:
            raised = error
    return Outcome(arrays, before, memories, results, raised)


def small_thresholds() -> Any:
    return contextlib.nullcontext()


def plain(
    call: Call, backend: str, dtype: np.dtype, results: tuple[Any, ...] = ()
) -> list[np.ndarray]:
    """Return the results of calls as simple as can be.

    They are of one verb with one result, with one thread and new contiguous arrays, the last
    element first. prelu and rrelu are leaky_relu. The dtypes are those of ``results``.
    """
    _, arrays = place(call)

    def turned(value: np.ndarray, dtype: np.dtype) -> np.ndarray:
        flat = np.broadcast_to(value, call.shape).astype(dtype).ravel()
        return np.ascontiguousarray(flat[::-1])

    names = call.function.arguments
    originals = [np.asarray(arrays.get(n, x)) for n, x in zip(names, call.operands, strict=True)]
    operands = [turned(original, dtype) for original in originals]
    parameters, row = arguments(call, arrays), fa.get(call.name).row
    if row.kernels:
        parameters = {"negative_slope": slopes(call, parameters, originals[-1].shape)}
    parameters = {
        name: turned(value, value.dtype.newbyteorder("=")) if np.ndim(value) else value
        for name, value in parameters.items()
    }
    verbs = {"value_and_grad": ("forward", "grad")}.get(call.verb, (call.verb,))
    found = []
    with fa.use_threads(1), fa.use_backend(backend), fa.use_precision(call.precision):
        for i, verb in enumerate(verbs):
            function = fa.get(row.kernels or call.name)
            function = function if verb == "forward" else getattr(function, verb)
            out_dtype = results[i].dtype.newbyteorder("=") if results else dtype
            out = None if out_dtype == dtype else np.empty(operands[0].shape, out_dtype)
            result = function(*operands, **parameters, out=out)
            found.append(result[::-1].reshape(call.shape))
        if returns_weight_gradient(call):
            operands = [np.array(x, dtype, order="C") for x in originals]
            found.append(call.function(*operands, **arguments(call, arrays))[1])
    return found


def slopes(call: Call, parameters: dict[str, Any], shape: tuple[int, ...]) -> Any:
    """Return the parameter of leaky_relu that makes it prelu or rrelu."""
    if call.name == "prelu":
        weight, axis = np.asarray(parameters["weight"]), parameters.get("axis", 1)
        if weight.size == 1:
            return float(weight.reshape(()))
        return weight.reshape(-1, *[1] * (len(shape) - 1 - axis % len(shape)))
    if "slopes" in parameters:
        return parameters["slopes"]
    lower, upper = parameters.get("lower", 1 / 8), parameters.get("upper", 1 / 3)
    if parameters.get("training"):
        return fa.rrelu.draw_slopes(shape, lower, upper, parameters["rng"])
    return (float(lower) + float(upper)) / 2


# --- checks ------------------------------------------------------------------------------------


class Finding(Exception):
    """What is wrong with a call."""


def check(call: Call) -> None:
    """Raise a ``Finding`` if the call breaks the contract."""
    backends = config.available_backends()
    outcome = run(call, call.backend)
    check_state(call, outcome)
    must_fail = is_error(call)
    if outcome.error is not None or must_fail is not False:
        check_errors(call, {name: run(call, name) for name in backends}, must_fail)
    if outcome.error is not None:
        return
    dtype = result_dtype(call) or outcome.results[0].dtype
    check_form(call, outcome, dtype)
    check_bits("a plain call", outcome.results, plain(call, call.backend, dtype, outcome.results))
    if call.backend != "numpy":
        reference = plain(call, "numpy", dtype, outcome.results)
        check_values(call, outcome.results, reference, dtype)


def check_errors(call: Call, outcomes: dict[str, Outcome], must_fail: bool | None) -> None:
    errors = {name: outcome.error for name, outcome in outcomes.items()}
    described = {name: f"{type(error).__name__}: {error}" for name, error in errors.items()}
    if len({type(error) for error in errors.values()}) > 1:
        raise Finding(f"errors differ: {described}")
    error = next(iter(errors.values()))
    if must_fail is not None and must_fail is not (error is not None):
        raise Finding(f"{'no error' if error is None else 'an error'}: {described}")
    if error is None:
        return
    if not isinstance(error, TypeError | ValueError | OverflowError):
        raise Finding(f"an error of another kind: {described}")
    if not str(error).startswith(f"{call.function.__name__}: "):
        raise Finding(f"a message without the function: {described}")
    for outcome in outcomes.values():
        for home, memory in outcome.memories.items():
            if not np.array_equal(memory, outcome.before[home]):
                raise Finding(f"an error changed memory of {home}: {described}")


def check_state(call: Call, outcome: Outcome) -> None:
    """Check that bytes outside of ``out`` and the modes of the processor are what they were."""
    untouched = {home: np.full(m.shape, True) for home, m in outcome.memories.items()}
    for i in range(len(call.outs)):
        out = outcome.arrays.get(f"out{i}")
        if out is not None:
            home = call.outs[i].home or f"out{i}"
            begin = out.ctypes.data - outcome.memories[home].ctypes.data
            shape, strides = (*out.shape, out.itemsize), (*out.strides, 1)
            np.ndarray(shape, bool, untouched[home], begin, strides)[...] = False
    for home, mask in untouched.items():
        changed = (outcome.memories[home] != outcome.before[home]) & mask
        if changed.any():
            raise Finding(f"bytes outside of out change, in memory of {home}")
    third, least = 1.0, 5e-324
    if (third / 3, -third / 3, least * 0.75) != (
        0x5555555555555555 / 2**64,
        -0x5555555555555555 / 2**64,
        least,
    ):
        raise Finding("the rounding mode or the treatment of subnormal numbers changed")


def check_form(call: Call, outcome: Outcome, dtype: np.dtype) -> None:
    """Check type, dtype, shape and memory order."""
    expected = zip(result_dtypes(call, dtype), result_axes(call), strict=True)
    for i, (result, (name, axes)) in enumerate(zip(outcome.results, expected, strict=True)):
        out = outcome.arrays.get(f"out{i}")
        if out is not None:
            if result is not out:
                raise Finding("the result is not out")
            continue
        shape = Array(axes).shape(call.shape)
        if call.verb == "value_and_grad" and len(outcome.arrays.keys() & {"out0", "out1"}):
            shape = np.broadcast_shapes(shape, outcome.results[1 - i].shape)
        if result.dtype != np.dtype(name) or result.shape != shape:
            raise Finding(f"{result.dtype} {result.shape} in place of {name} {shape}")
        if isinstance(result, np.ndarray) is (shape == ()):
            raise Finding(f"the result is of type {type(result)}")
        if i == 0 and 0 < len(shape) <= 32:
            strides = strides_of_a_ufunc(call, outcome, result.dtype)
            if result.size and not call.outs and result.strides != strides:
                raise Finding(f"strides {result.strides} in place of {strides}")


def strides_of_a_ufunc(call: Call, outcome: Outcome, dtype: np.dtype) -> tuple[int, ...]:
    names = call.function.arguments
    if not fa.get(call.name).row.kernels:
        names = (*names, *call.parameters)
    inputs = [outcome.arrays[name] for name in names if name in outcome.arrays]
    flags = [["readonly"]] * len(inputs) + [["writeonly", "allocate"]]
    dtypes = [*(x.dtype for x in inputs), dtype]
    iterator = np.nditer([*inputs, None], ["zerosize_ok"], flags, dtypes, order="K")
    return iterator.operands[-1].strides


def check_bits(what: str, results: Any, expected: list[np.ndarray]) -> None:
    for i, (result, wanted) in enumerate(zip(results, expected, strict=True)):
        differ = np.asarray(~same(result, np.broadcast_to(wanted, result.shape)))
        if differ.any():
            at = np.unravel_index(differ.argmax(), differ.shape)
            wanted = np.broadcast_to(wanted, result.shape)
            raise Finding(
                f"result {i} at {tuple(map(int, at))} is {result[at]!r}, {what} gives "
                f"{wanted[at]!r}; {differ.sum()} of {differ.size} differ"
            )


def same(a: Any, b: Any) -> Any:
    """Return where bits are the same; any NaN is any other."""
    if a.dtype.kind in "iu":
        return np.asarray(a == b)
    a, b = (np.asarray(x).astype(np.float64, copy=False) for x in (a, b))
    return (a == b) & (np.signbit(a) == np.signbit(b)) | (a != a) & (b != b)


def check_values(
    call: Call, results: tuple[Any, ...], reference: list[np.ndarray], dtype: np.dtype
) -> None:
    """Check that results are as near to the NumPy backend as both must be to the truth."""
    row = fa.get(call.name).row
    if row.exact or dtype.kind in "iu":
        check_bits("NumPy", results, reference)
        return
    for i, (result, expected) in enumerate(zip(results, reference, strict=True)):
        work = np.dtype("float64") if dtype.itemsize == 2 else dtype
        unit_dtype = min(work, result.dtype.newbyteorder("="), key=lambda d: d.itemsize)
        expected = np.broadcast_to(expected, result.shape)
        allowed = tolerance(call, expected, unit_dtype)
        if "backward" in call.verb and i == 0:
            g, derivative = factors(call, dtype)
            unit = ulp(expected, unit_dtype)
            with np.errstate(all="ignore"):
                allowed = np.abs(g) * tolerance(call, derivative, unit_dtype) + unit
                # Infinity by what may be 0, and 0 by what may be infinity, may be NaN or not.
                limits = [np.ldexp(np.longdouble(1), e) for e in FORMATS[unit_dtype.name][1:]]
                tiny, huge = limits[0] * 2.0 ** FORMATS[unit_dtype.name][0], limits[1] / 2
                magnitude = np.abs(derivative.astype(np.longdouble))
                doubtful = np.isinf(g) & (magnitude < tiny) | (g == 0) & (magnitude >= huge)
                allowed = np.where(doubtful, np.inf, allowed)
        wrong = np.asarray(distance(result, expected, unit_dtype) > allowed)
        if wrong.any():
            at = np.unravel_index(wrong.argmax(), wrong.shape)
            raise Finding(
                f"result {i} at {tuple(map(int, at))} is {result[at]!r}, NumPy gives "
                f"{expected[at]!r}; {wrong.sum()} of {wrong.size} are too far from it"
            )


#: Digits, and the exponents of the smallest number and of infinity.
FORMATS = {
    "float16": (11, -24, 16), "bfloat16": (8, -133, 128), "float32": (24, -149, 128),
    "float64": (53, -1074, 1024),
}  # fmt: skip


def ulp(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    digits, least, _ = FORMATS[dtype.name]
    _, exponents = np.frexp(x.astype(np.longdouble))
    return np.ldexp(np.longdouble(1), np.maximum(exponents - digits, least))


def distance(a: np.ndarray, b: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return how far numbers are apart: infinity is the next after the largest number."""
    top = np.ldexp(np.longdouble(1), FORMATS[dtype.name][2])
    a, b = (np.clip(x.astype(np.longdouble), -top, top) for x in (a, b))
    return np.where((a != a) & (b != b), 0, np.where((a != a) | (b != b), np.inf, np.abs(a - b)))


def tolerance(call: Call, expected: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return how far a result may be from the NumPy backend: its own bound, and that of NumPy."""
    row = fa.get(call.name).row
    unit = ulp(expected, dtype)
    if dtype.itemsize == 2:
        return 0 * unit
    if dtype.itemsize == 8:
        return (2 + 1.05) * unit
    parameters = tuple(call.parameters.get(p.name, p.default) for p in row.parameters)
    has_defaults = not any(isinstance(value, Array) for value in parameters)
    if row.exponential_free or call.precision != "fast" or not has_defaults:
        return 1.5 * unit
    return np.maximum(4.5 * unit, np.where(np.abs(expected) < 2.0**-126, 2.0**-126, 0))


def factors(call: Call, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradient and the derivative that a call multiplies."""
    _, arrays = place(call)
    g = np.broadcast_to(arrays.get("grad_output", call.operands[0]), call.shape)
    ones = call._replace(operands=(1.0, call.operands[1]), outs=())
    derivative = plain(ones, "numpy", dtype)[0]
    return g.astype(np.longdouble), derivative


# --- simpler cases -----------------------------------------------------------------------------


def simpler(call: Call) -> Iterator[Call]:
    """Yield calls that have one complication less."""
    for change in ({"threads": 1}, {"small": False}, {"by_keyword": True}, {"outs": ()}):
        yield call._replace(**change)
    for name in call.parameters:
        if name not in call.function.required:
            yield call._replace(parameters={n: v for n, v in call.parameters.items() if n != name})
        yield call._replace(parameters=call.parameters | {name: 0.5})
    for axis, length in enumerate(call.shape):
        for shorter in {0, 1, 2, length // 2, length - length // 8, length - 1}:
            if 0 <= shorter < length:
                yield call._replace(shape=(*call.shape[:axis], shorter, *call.shape[axis + 1 :]))
    for i, out in enumerate(call.outs):
        for array in simpler_arrays(out):
            yield call._replace(outs=(*call.outs[:i], array, *call.outs[i + 1 :]))
    for i, operand in enumerate(call.operands):
        for array in simpler_arrays(operand):
            yield call._replace(operands=(*call.operands[:i], array, *call.operands[i + 1 :]))
    for name, value in call.parameters.items():
        for array in simpler_arrays(value):
            yield call._replace(parameters=call.parameters | {name: array})


def simpler_arrays(array: Any) -> Iterator[Array]:
    if isinstance(array, Array):
        for field in ("home", "order", "steps", "offset", "swapped", "read_only", "lead", "longer"):
            yield array._replace(**{field: Array._field_defaults[field]})
        for seed in (0, 1, 2):
            if array.seed > seed:
                yield array._replace(seed=seed)


def simplest(call: Call, message: str) -> tuple[Call, str]:
    """Return the call as simple as it can be made and still be a finding."""
    deadline = time.monotonic() + 60
    tried = {repr(call)}
    candidates = simpler(call)
    while (candidate := next(candidates, None)) and time.monotonic() < deadline:
        if repr(candidate) in tried:
            continue
        tried.add(repr(candidate))
        found = in_child(check, candidate)
        if found:
            call, message, candidates = candidate, found, simpler(candidate)
    return call, message


# --- the program of a case ---------------------------------------------------------------------


def program(call: Call) -> str:
    """Return the call as a program that needs nothing of this file."""
    with np.errstate(all="ignore"):
        memories, arrays = place(call)
    lines = ["import numpy as np", "import fastact as fa", "from numpy import inf, nan", ""]
    if "bfloat16" in {array.dtype for array in call.arrays().values()}:
        lines.insert(2, "import ml_dtypes")
    for home, memory in memories.items():
        lines.append(f"memory_of_{home} = np.zeros({memory.size}, np.uint8)")
    for name, array in call.arrays().items():
        view, home = arrays[name], array.home or name
        begin = view.ctypes.data - memories[home].ctypes.data
        dtype = f'np.dtype("{array.dtype}")' + ".newbyteorder()" * array.swapped
        where = f"{dtype}, memory_of_{home}, {begin}, {view.strides}"
        lines.append(f"{name} = np.ndarray({view.shape}, {where})")
        if not name.startswith("out"):
            lines.append(f"{name}[...] = {literal(view, array)}")
        if array.read_only:
            lines.append(f"{name}.flags.writeable = False")
    given = [n if n in arrays else repr(x) for n, x in zip(call.function.arguments, call.operands)]
    given += [f"{n}={n if n in arrays else repr(x)}" for n, x in call.parameters.items()]
    if call.outs:
        outs = [f"out{i}" if out is not None else "None" for i, out in enumerate(call.outs)]
        given.append(f"out=({', '.join(outs)})" if len(outs) == 2 else f"out={outs[0]}")
    given += [f'backend="{call.backend}"', f'precision="{call.precision}"']
    lines += ["", f"fa.set_num_threads({call.threads})"]
    verb = "" if call.verb == "forward" else f".{call.verb}"
    return "\n".join([*lines, f"print(fa.{call.name}{verb}({', '.join(given)}))"])


def literal(view: np.ndarray, array: Array) -> str:
    if view.size and (view == view.flat[0]).all():
        return repr(view.flat[0].item())
    if view.size <= 40:
        return repr(view.tolist())
    return f"np.random.default_rng({array.seed}).normal(scale=4, size={view.shape})"


# --- processes ---------------------------------------------------------------------------------


def search(case: Any, last: int, deadline: float, draw_case: Any) -> None:
    """Check cases from the one that ``case`` holds on; it says which one is under way."""
    while case.value < last and time.monotonic() < deadline:
        check(draw_case(case.value))
        case.value += 1


def in_child(function: Any, *arguments: Any, timeout: float = 60) -> str | None:
    """Call a function in a process of its own; return what it found, a crash included."""
    receiver, sender = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=report, args=(sender, function, arguments))
    process.start()
    process.join(timeout)
    if process.is_alive():
        process.kill()
        return f"no end after {timeout:.0f} seconds"
    if receiver.poll():
        return receiver.recv()
    return None if process.exitcode == 0 else f"ended by {signal.Signals(-process.exitcode).name}"


def report(sender: Any, function: Any, arguments: tuple[Any, ...]) -> None:
    warnings.simplefilter("error")
    try:
        with np.errstate(all="ignore"):
            function(*arguments)
    except Finding as found:
        sender.send(str(found))
    except Exception:
        sender.send(traceback.format_exc())


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=60, help="time to run (default: 60)")
    parser.add_argument("--cases", type=int, default=sys.maxsize, help="number of cases to run")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="default: the time")
    parser.add_argument("--case", type=int, help="run this case of the seed only")
    parser.add_argument("--activation", nargs="+", choices=fa.names(), default=list(fa.names()))
    parser.add_argument("--verb", nargs="+", choices=activation.VERBS, default=[*activation.VERBS])
    parser.add_argument("--findings", type=int, default=5, help="stop after so many (default: 5)")
    options = parser.parse_args(arguments)
    for name in config.available_backends():
        config.load_backend(name)  # not in each child again

    def draw_case(case: int) -> Call:
        return draw(options.seed, case, options.activation, options.verb)

    first, last = (0, options.cases) if options.case is None else (options.case, options.case + 1)
    begin, case, findings = time.monotonic(), CONTEXT.Value("q", first), 0
    while findings < options.findings:
        left = max(0, begin + options.seconds - time.monotonic())
        found = in_child(search, case, last, begin + options.seconds, draw_case, timeout=left + 60)
        if found is None:
            break
        findings += 1
        call, message = simplest(draw_case(case.value), found)
        print(f"--- case {case.value} of seed {options.seed}: {found}")
        print(f"# simpler: {message}\n{program(call)}\n", flush=True)
        case.value += 1
    seconds, count = time.monotonic() - begin, case.value - first
    print(
        f"seed {options.seed}: {count} cases in {seconds:.0f} s, {count / seconds:.0f} per second; "
        f"{findings} findings"
    )
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
