"""Random calls as plain data: drawn from a seed, placed in memory, printed as programs.

An ``Array`` says how an array lies in a memory that it may share with others. So every layout, and
every overlap of an output with an input, is data, which ``fuzz.py`` can make simpler.
"""

from __future__ import annotations

import contextlib
import math
import sys
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]  # the package and the tests beside this script

import fastact as fa  # noqa: E402
from fastact import activation, config  # noqa: E402

with contextlib.suppress(ImportError):
    import ml_dtypes  # noqa: F401  # registers bfloat16 with NumPy

MOST_LITERALS = 64  # values of an array that a program spells out
GUARD = 64  # bytes before and after the arrays of a memory
Axes = tuple[int | None, ...]


class Array(NamedTuple):
    """An array of a call: its shape, its values and its place in memory."""

    #: For each axis, the axis of the call's shape whose length it has, or None for length 1.
    axes: Axes
    dtype: str = "float32"
    #: The seed of the values; 0 stands for ones.
    seed: int = 0
    #: The range of the values, for parameters.
    bounds: tuple[float, float] | None = None
    #: The lengths of further axes in front, and an amount to add to the last length.
    lead: tuple[int, ...] = ()
    longer: int = 0
    #: The memory order: "C", "F", or "R" for rotated axes.
    order: str = "C"
    #: The distances of neighbours, in elements; axes take them in turn.
    steps: tuple[int, ...] = (1,)
    offset: int = 0  # in bytes
    swapped: bool = False
    read_only: bool = False
    #: The name of the array in whose memory it lies, "" for one of its own.
    home: str = ""
    #: Whether it is passed as a scalar of NumPy: it has no dimensions.
    is_scalar: bool = False

    @property
    def numpy_dtype(self) -> np.dtype:
        dtype = np.dtype(self.dtype)
        return dtype.newbyteorder() if self.swapped else dtype

    def shape(self, lengths: tuple[int, ...]) -> tuple[int, ...]:
        own = [1 if axis is None else lengths[axis] for axis in self.axes]
        if own:
            own[-1] += self.longer
        return (*self.lead, *own)

    def strides(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        axes = list(range(len(shape)))
        inner_first = {"C": axes[::-1], "F": axes, "R": axes[1:] + axes[:1]}[self.order]
        strides, extent = [0] * len(shape), self.numpy_dtype.itemsize
        for axis in inner_first:
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
    #: The longest chunk of the driver, whose other thresholds are then small; 0 for the usual ones.
    chunk: int
    #: Whether backend and precision are arguments instead of settings of a block.
    by_keyword: bool
    shape: tuple[int, ...]
    operands: tuple[Any, ...]  # each an Array or a Python number
    parameters: dict[str, Any]  # Arrays, numbers and options
    outs: tuple[Array | None, ...] = ()

    @property
    def row(self) -> Any:
        return fa.get(self.name).row

    @property
    def function(self) -> Any:
        function = fa.get(self.name)
        return function if self.verb == "forward" else getattr(function, self.verb)

    @property
    def has_weight_gradient(self) -> bool:
        return self.function.nout == 2 and self.verb == "backward"

    def arrays(self) -> dict[str, Array]:
        """Return the arrays by name."""
        named = dict(zip(self.function.arguments, self.operands, strict=True)) | self.parameters
        named |= {f"out{i}": out for i, out in enumerate(self.outs)}
        return {name: value for name, value in named.items() if isinstance(value, Array)}

    def numbers(self) -> list[Any]:
        return [value for value in self.parameters.values() if not isinstance(value, Array)]


# --- drawing -----------------------------------------------------------------------------------

NUMBERS = ("float32", "float32", "float32", "float64", "float64", "float16", "bfloat16")
INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "bool")

#: Sizes near these and their multiples take different paths through the driver and its loops: a
#: block, a tile, short rows, cache lines, the GIL, chunks, tables, the buffer of nditer.
THRESHOLDS = (0, 1, 16, 64, 128, 256, 512, 1024, 2048, 4096, 1 << 13, 1 << 14, 1 << 15, 1 << 16)
NEAR = (0, 0, 1, -1, 15, -15, 16, -16, 17, -17)
#: Sizes of 32 or 64 MiB in one or several arrays: stores past the caches, recycled memory.
LARGE = [(1 << 25) // itemsize for itemsize in (2, 4, 8, 12, 16, 24)]

#: The ranges of ordinary parameters, which have one decimal: few are numbers of any dtype.
BOUNDS = {
    "negative_slope": (0, 2), "weight": (-1, 2), "slopes": (0, 2), "lower": (0, 1),
    "upper": (1, 2), "threshold": (-2, 2), "value": (-3, 20), "slope": (-1, 2),
    "offset": (-1, 1), "min_val": (-3, 0), "max_val": (0.1, 3),
}  # fmt: skip
OTHER_BOUNDS = (0.1, 3)
#: An array has no dimensions; shapes of one element come on top.
NUMBER_TYPES = (
    *(float, float, float, np.float64, np.float32, np.float16, np.asarray),
    *(math.ceil, lambda value: np.int64(math.ceil(value)), lambda value: np.array(value, "f4")),
)
EXTREMES = (
    *(0.0, -0.0, -0.5, -200, 2**40, 2**70, math.inf, -math.inf, math.nan, 5e-324, -1e-310),
    *(1e-45, -1e-40, 70000.0, 3e38, 1e39, -1e39, 1e308, -1e308),
)
SPECIAL = (
    *(0.0, 0.1, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 6.0, 20.0, 88.7, 104.0, 709.0, 1e4, 65504.0),
    *(1e20, 3.4e38, 1e300, 1e-3, 1e-7, 1e-20, 1e-39, 1e-45, 1e-310, 5e-324, math.inf, math.nan),
)
STEPS = (
    *((1,), (1,), (2,), (-1,), (2, 1), (1, 2), (1, -1), (-1, 1), (3, -2), (4,), (-4, 1), (5, -3)),
    *((1, 33), (33, 1), (64, 2)),
)
ZERO_STEPS = ((0,), (0, 1), (1, 0))


def draw(seed: int, case: int, names: list[str], verbs: list[str], backends: list[str]) -> Call:
    """Return a call that depends on the arguments alone."""
    random = Random(f"{seed} {case}")
    name, verb = random.choice(names), random.choice(verbs)
    row = fa.get(name).row
    if verb == "backward_from_output" and not row.derivative_from_output and random.random() < 0.9:
        verb = "backward"
    shape = draw_shape(random, row.exponential_free)
    full = tuple(range(len(shape)))
    dtype = random.choice(NUMBERS if random.random() < 0.85 else INTEGERS)
    operands = [draw_operand(random, shape, dtype) for _ in activation.VERBS[verb][0]]
    # One operand has the shape of the results; the last, where slopes or outputs depend on it.
    has_full = any(isinstance(operand, Array) and operand.axes == full for operand in operands)
    needs_array = row.kernels or verb == "backward_from_output"
    are_numbers = not any(isinstance(operand, Array) for operand in operands)
    if needs_array or not (has_full or (are_numbers and shape == ())):
        operands[-1] = draw_array(random, full, dtype)
    call = Call(
        name,
        verb,
        backend=random.choice(backends),
        precision=random.choice(config.PRECISIONS),
        threads=random.choice((1, 2, 3, 7)),
        chunk=random.choice((0, 0, 64, 256, 1024)),
        by_keyword=random.random() < 0.5,
        shape=shape,
        operands=tuple(operands),
        parameters=draw_parameters(random, row, shape),
    )
    return call._replace(outs=draw_outs(random, call)) if random.random() < 0.6 else call


def draw_shape(random: Random, is_cheap: bool) -> tuple[int, ...]:
    kind = random.random()
    if kind < 0.0005 and is_cheap:
        return (random.choice(LARGE) + random.choice(NEAR),)
    if kind < 0.05:
        return ()
    if kind < 0.07:
        return (*[1] * random.choice((20, 33, 60)), random.randrange(40))
    thresholds = THRESHOLDS if kind > 0.95 else THRESHOLDS[:10] if kind > 0.5 else THRESHOLDS[:8]
    size = random.choice(thresholds) * random.choice((1, 1, 1, 2, 3)) + random.choice(NEAR)
    size = max(0, size)
    if kind < 0.6:
        return (size,)
    lengths = (1, 2, 3, 5, 17, 64, 255, 257, 400)
    shape = random.choices(lengths, k=random.choice((1, 1, 2, 3)))
    while len(shape) > 1 and math.prod(shape) > size:
        shape.remove(max(shape))
    shape.append(size // math.prod(shape))
    random.shuffle(shape)
    return tuple(shape)


def draw_array(
    random: Random,
    axes: Axes,
    dtype: str,
    bounds: tuple[float, float] | None = None,
    is_out: bool = False,
) -> Array:
    array = Array(axes, dtype, random.randrange(1, 1 << 30), bounds)
    if axes == () and not is_out and random.random() < 0.5:
        return array._replace(is_scalar=True)
    if random.random() < 0.4:
        return array
    itemsize = np.dtype(dtype).itemsize
    steps = STEPS if is_out else STEPS + ZERO_STEPS
    return array._replace(
        order=random.choice("CCFR"),
        steps=random.choice(steps) if random.random() < 0.6 else (1,),
        offset=random.choice((0, 1, itemsize, itemsize * random.randrange(64), 63)),
        swapped=random.random() < 0.1 and itemsize > 1,
        read_only=random.random() < 0.1 and not is_out,
    )


def draw_axes(random: Random, ndim: int) -> Axes:
    """Draw the axes of an array that broadcasts against the shape of the call."""
    if random.random() < 0.8:
        return tuple(range(ndim))
    axes = [random.choice((axis, None)) for axis in range(ndim)]
    return tuple(axes[random.randrange(ndim + 1) :])


def draw_operand(random: Random, shape: tuple[int, ...], dtype: str) -> Any:
    if random.random() < (0.03 if shape else 0.3):
        return random.choice((0.1, 1, True, -2.5))
    if random.random() < 0.1:
        dtype = random.choice(NUMBERS + INTEGERS)
    return draw_array(random, draw_axes(random, len(shape)), dtype)


def draw_parameters(random: Random, row: Any, shape: tuple[int, ...]) -> dict[str, Any]:
    with_arrays = random.random() < 0.3
    if row.name == "rrelu" and random.random() < 0.3:
        return {"slopes": draw_parameter(random, "slopes", shape, with_arrays)}
    parameters = {
        parameter.name: draw_parameter(
            random, parameter.name, shape, with_arrays and not row.kernels
        )
        for parameter in row.parameters
        if parameter.required or row.name == "rrelu" or random.random() < 0.6
    }
    if row.name == "rrelu" and random.random() < 0.5:
        parameters |= {"training": True, "rng": random.randrange(9)}
    if row.name == "prelu" and shape and random.random() < 0.6:
        axis, dtype = random.randrange(len(shape)), random.choice(NUMBERS)
        parameters["weight"] = draw_array(random, (axis,), dtype, BOUNDS["weight"])
        parameters["axis"] = axis - random.choice((0, len(shape)))
    return parameters


def draw_parameter(random: Random, name: str, shape: tuple[int, ...], may_be_array: bool) -> Any:
    bounds = BOUNDS.get(name, OTHER_BOUNDS)
    if may_be_array and random.random() < 0.7:
        axes = draw_axes(random, len(shape))
        if shape and random.random() < 0.5:
            axis = random.randrange(len(shape))
            axes = (axis, *[None] * (len(shape) - 1 - axis))
        return draw_array(random, axes, random.choice(NUMBERS), bounds)
    if random.random() < 0.15:
        return random.choice(EXTREMES)
    value = random.choice(NUMBER_TYPES)(round(random.uniform(*bounds), 1))
    if shape and random.random() < 0.1:
        return np.reshape(value, random.choice(((1,), (1,), (1,) * len(shape))))
    return value


def draw_outs(random: Random, call: Call) -> tuple[Array | None, ...]:
    """Draw an output for each result; some of them are errors."""
    outs: list[Array | None] = []
    for axes, dtype in zip(result_axes(call), result_dtypes(call), strict=True):
        out = draw_array(random, axes, dtype, is_out=True)
        sources = {n: a for n, a in call.arrays().items() if a.axes == axes and 0 not in a.steps}
        kind = random.random()
        if kind < 0.4 and sources:  # in place, or overlapping in part
            home = random.choice(sorted(sources))
            if kind < 0.3:
                out = sources[home]._replace(dtype=dtype, read_only=False)
            shift = random.choice((0, 0, 1, -1, 3, 40, 1000)) * np.dtype(dtype).itemsize
            out = out._replace(home=home, offset=max(0, out.offset + shift))
        elif kind < 0.5:
            out = out._replace(dtype=random.choice(NUMBERS + INTEGERS))
        elif kind < 0.55:
            out = out._replace(lead=(2,))
        elif kind < 0.6:
            out = out._replace(longer=1)
        elif kind < 0.62:
            out = out._replace(read_only=True)
        outs.append(None if outs and random.random() < 0.2 else out)
    return tuple(outs)


# --- results -----------------------------------------------------------------------------------


def result_dtype(call: Call) -> np.dtype | None:
    """Return the dtype of the results by NumPy's rules, or None where these have none."""
    strong = [np.dtype(x.dtype) for x in call.operands if isinstance(x, Array)]
    weak = [x for x in call.operands if not isinstance(x, Array)]
    strong = strong or [np.asarray(x).dtype for x in weak]
    try:
        dtype = np.result_type(*strong)
    except TypeError:
        return None
    if dtype.kind not in "biu":
        return dtype
    dtype = np.result_type(dtype, *weak)
    values = ({p.name: p.default for p in call.row.parameters} | call.parameters).values()
    kinds = {np.dtype(getattr(value, "dtype", type(value))).kind for value in values}
    are_kept = call.row.keeps_integers and dtype.kind in "iu" and kinds <= set("iu")
    is_kept = getattr(call.row, "keeps_bool", False) and dtype.kind == "b"
    if dtype.kind == "f" or are_kept or is_kept:
        return dtype
    return np.tanh.resolve_dtypes((dtype, None))[1]


def result_dtypes(call: Call) -> list[str]:
    dtype = result_dtype(call) or np.dtype("float32")
    dtypes = [dtype.name] * call.function.nout
    if call.has_weight_gradient:
        weight = call.parameters["weight"]
        own = dtype if type(weight) in (int, float) else np.dtype(weight.dtype)
        if own.kind in "iu":  # a gradient is none
            own = np.tanh.resolve_dtypes((own, None))[1]
        dtypes[1] = own.name
    return dtypes


def result_axes(call: Call) -> list[Axes]:
    axes: list[Axes] = [tuple(range(len(call.shape)))] * call.function.nout
    if call.has_weight_gradient:
        weight = call.parameters["weight"]
        axes[1] = weight.axes if isinstance(weight, Array) else (None,) * np.ndim(weight)
    return axes


# --- memory ------------------------------------------------------------------------------------


def values(array: Array, count: int) -> np.ndarray:
    """Return ordinary numbers and, among them, special ones; or bytes at random."""
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
        x >>= dtype.type(array.seed % (info.bits - 2))
    elif array.seed % 4 == 0:
        x = rng.integers(256, size=(count, dtype.itemsize), dtype=np.uint8).view(dtype).ravel()
    else:
        x = rng.normal(scale=4, size=count)
        is_special = rng.random(count) < 0.3
        x[is_special] = rng.choice(SPECIAL, is_special.sum()) * rng.choice(
            (-1, 1), is_special.sum()
        )
    return x.astype(dtype)


def place(call: Call) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the memories and the arrays of a call, each by name; inputs have their values."""
    places, sizes = {}, {}
    for name, array in call.arrays().items():
        shape = array.shape(call.shape)
        strides = array.strides(shape)
        ends = [stride * (n - 1) for stride, n in zip(strides, shape, strict=True) if n]
        begin = GUARD + array.offset - sum(end for end in ends if end < 0)
        end = begin + sum(end for end in ends if end > 0) + array.numpy_dtype.itemsize
        places[name] = (begin, strides)
        home = array.home or name
        sizes[home] = max(end + GUARD, sizes.get(home, 0))
    memories = {home: aligned(size) for home, size in sizes.items()}
    arrays = {}
    for name, array in call.arrays().items():
        shape, memory = array.shape(call.shape), memories[array.home or name]
        arrays[name] = np.ndarray(shape, array.numpy_dtype, memory, *places[name])
        if not name.startswith("out"):
            arrays[name][...] = values(array, arrays[name].size).reshape(shape)
    if "y" in arrays:
        fill_with_outputs(call, arrays)
    for name, array in call.arrays().items():
        arrays[name].flags.writeable = not array.read_only
    return memories, arrays


def aligned(size: int) -> np.ndarray:
    memory = np.full(size + 64, 0xA5, np.uint8)
    return memory[-memory.ctypes.data % 64 :][:size]


def fill_with_outputs(call: Call, arrays: dict[str, np.ndarray]) -> None:
    """Turn y into results of the function, unless its parameters are errors."""
    x = arrays["y"].astype(call.operands[-1].dtype)
    with contextlib.suppress(ValueError, TypeError):
        y = fa.get(call.name)(x, **keywords(call, arrays), backend="numpy")
        arrays["y"][...] = np.asarray(y).astype(x.dtype)


def keywords(call: Call, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    return {name: passed(value, arrays.get(name)) for name, value in call.parameters.items()}


def passed(value: Any, placed: np.ndarray | None) -> Any:
    """Return what the call gets for an array, which is placed in memory, or for a number."""
    if isinstance(value, Array):
        return placed[()] if value.is_scalar and placed is not None else placed
    return value


# --- programs ----------------------------------------------------------------------------------


def program(call: Call) -> str:
    """Return a program that makes the call; it may need ``values`` from this file."""
    with np.errstate(all="ignore"):
        memories, arrays = place(call)
    lines = [f"{home}_memory = np.zeros({m.size}, 'u1')" for home, m in memories.items()]
    for name, array in call.arrays().items():
        view, home = arrays[name], array.home or name
        begin = view.ctypes.data - memories[home].ctypes.data
        dtype = f"np.dtype('{array.dtype}')" + ".newbyteorder()" * array.swapped
        where = f"{home}_memory, {begin}, {view.strides}"
        lines.append(f"{name} = np.ndarray({view.shape}, {dtype}, {where})")
        if not name.startswith("out"):
            lines.append(f"{name}[...] = {literal(array, view)}")
        if array.read_only:
            lines.append(f"{name}.flags.writeable = False")
        if array.is_scalar:
            lines.append(f"{name} = {name}[()]")
    options = [f"{n}={n if n in arrays else repr(x)}" for n, x in call.parameters.items()]
    if "y" in arrays and arrays["y"].size > MOST_LITERALS:
        lines.append(f"y[...] = fa.{call.name}({', '.join(['y', *options])}, backend='numpy')")
    given = [
        name if name in arrays else repr(value)
        for name, value in zip(call.function.arguments, call.operands, strict=True)
    ]
    given += options
    outs = [f"out{i}" if f"out{i}" in arrays else "None" for i in range(len(call.outs))]
    given += [f"out=({', '.join(outs)},)"] if outs else []
    given += [f"backend={call.backend!r}", f"precision={call.precision!r}"]
    if call.chunk:
        lines.append(f"fa.driver.set_thresholds(**{small_thresholds(call.chunk)})")
    lines.append(f"fa.set_num_threads({call.threads})")
    lines.append(f"print(fa.{call.function.__name__}({', '.join(given)}))")
    text = "\n".join(lines)
    imports = [
        "import numpy as np",
        "from numpy import array, float16, float32, inf, nan",
        "import fastact as fa",
    ]
    imports += ["import ml_dtypes"] if "bfloat16" in text else []
    imports += ["from fuzz_calls import Array, values"] if "values(" in text else []
    return "\n".join([*imports, text])


def literal(array: Array, view: np.ndarray) -> str:
    if array.seed == 0 and not array.bounds and view.size:
        return repr(view.flat[0].item())
    if view.size <= MOST_LITERALS:
        return repr(view.tolist())
    return f"values({array!r}, {view.size}).reshape({view.shape})"


def small_thresholds(chunk: int) -> dict[str, int]:
    """Return thresholds that lead few elements to chunks, threads and stores past the caches."""
    names = ("gil_bytes", "streaming_bytes", "table_streaming_bytes", "chunks_between_signals")
    return dict.fromkeys(names, 1) | {"worth_aligning": chunk // 4, "longest_chunk": chunk}
