"""``fastact bench --layouts``: arrays that are not plain, scalars and parameters, beside ufuncs.

The other modules compare kernels on contiguous arrays. This one compares the way to the kernel:
every case is a call of fastact and the same call of NumPy's or SciPy's ufunc, on the same objects.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

import fastact as fa
from fastact.bench import measure
from fastact.bench.cells import Array, numpy_dtype
from fastact.bench.measure import Effort
from fastact.bench.peers import Call
from fastact.compat import onnx

#: The effort is that of all cases with one number of threads together.
FULL = Effort(seconds=15.0, least=5, most=201)
QUICK = Effort(seconds=4.0, least=5, most=51)

# --- what is called ----------------------------------------------------------------------------


class Function(NamedTuple):
    """A function of fastact, the ufunc that computes it too, and how each is called, as ``f``."""

    own: Any
    form: str
    peer: str
    peer_form: str

    @property
    def library(self) -> str:
        """The library that has the ufunc."""
        return self.peer.partition(".")[0]

    @property
    def peer_call(self) -> str:
        """The call of the ufunc, without the name of its library."""
        return self.peer.rpartition(".")[2] + self.peer_form.removeprefix("f")

    def load_peer(self) -> Any:
        module, _, name = self.peer.rpartition(".")
        return getattr(import_module(module), name)


FUNCTIONS: Mapping[str, Function] = {
    "tanh": Function(fa.tanh, "f(x)", "numpy.tanh", "f(x)"),
    "sigmoid": Function(fa.sigmoid, "f(x)", "scipy.special.expit", "f(x)"),
    "exponential": Function(fa.exponential, "f(x)", "numpy.exp", "f(x)"),
    "relu": Function(fa.relu, "f(x)", "numpy.maximum", "f(x, zero)"),
    "hard_tanh": Function(fa.hard_tanh, "f(x, low, high)", "numpy.clip", "f(x, low, high)"),
    "leaky_relu": Function(fa.leaky_relu, "f(x, slope)", "numpy.maximum", "f(x, slope * x)"),
    "onnx.Clip": Function(onnx.Clip, "f(x, low, high)", "numpy.clip", "f(x, low, high)"),
}
NUMBERS = {"zero": 0, "low": -1, "high": 1, "slope": 0.25}

UNARY = ("tanh", "sigmoid", "exponential", "relu", "hard_tanh")
PARAMETRIC = ("hard_tanh", "leaky_relu", "onnx.Clip")
#: Functions whose ufunc returns the same dtype as fastact, for the dtypes that some ufuncs promote
#: otherwise: ``expit`` returns float64 for float16, and ``clip`` integers for bool.
FUNCTIONS_OF_DTYPES = {
    "bfloat16": ("tanh", "exponential", "relu"),
    "float16": ("tanh", "exponential", "relu", "hard_tanh", "leaky_relu", "onnx.Clip"),
    "bool": ("tanh", "exponential", "relu"),
}

# --- what it is called with --------------------------------------------------------------------


def _normal(dtype: str, *shape: int) -> Array:
    x = 2 * np.random.default_rng(20_261_201).standard_normal(shape)
    return x > 0 if dtype == "bool" else x.astype(numpy_dtype(dtype))


def _swapped(dtype: str) -> Array:
    x = _normal(dtype, 64, 512)
    return x.astype(x.dtype.newbyteorder())


def _unaligned(dtype: str) -> Array:
    x = _normal(dtype, 64, 512)
    buffer = np.empty(x.nbytes + 1, np.uint8)[1:]
    unaligned = buffer.view(x.dtype).reshape(x.shape)
    unaligned[...] = x
    return unaligned


class Layout(NamedTuple):
    """How the arguments of a call lie in memory, or what they are."""

    #: Returns x for a dtype.
    make: Callable[[str], Any]
    #: Returns ``out`` for a dtype.
    out: Callable[[str], Any] | None = None
    #: Returns a parameter, a Python number, as the call gets it.
    parameter: Callable[[str, float], Any] = lambda dtype, number: number
    functions: tuple[str, ...] = UNARY


LAYOUTS: Mapping[str, Layout] = {
    "contiguous, 16": Layout(lambda d: _normal(d, 16)),
    "contiguous, 64 x 512": Layout(lambda d: _normal(d, 64, 512)),
    "[:, :128] of 4 x 512": Layout(lambda d: _normal(d, 4, 512)[:, :128]),
    "[:, 128:256] of 16 x 512": Layout(lambda d: _normal(d, 16, 512)[:, 128:256]),
    "[:, :128] of 64 x 2048": Layout(lambda d: _normal(d, 64, 2048)[:, :128]),
    "[:, :512] of 64 x 2048": Layout(lambda d: _normal(d, 64, 2048)[:, :512]),
    "[:, :1024] of 1024 x 2048": Layout(lambda d: _normal(d, 1024, 2048)[:, :1024]),
    "[::2] of 32": Layout(lambda d: _normal(d, 32)[::2]),
    "[:, ::2] of 64 x 512": Layout(lambda d: _normal(d, 64, 512)[:, ::2]),
    "[::2] of 2 Mi": Layout(lambda d: _normal(d, 1 << 21)[::2]),
    "[:, 0] of 512 x 64": Layout(lambda d: _normal(d, 512, 64)[:, 0]),
    "[::-1] of 32 Ki": Layout(lambda d: _normal(d, 1 << 15)[::-1]),
    "[::-1, ::-1] of 64 x 512": Layout(lambda d: _normal(d, 64, 512)[::-1, ::-1]),
    "F order, 64 x 512": Layout(lambda d: np.asfortranarray(_normal(d, 64, 512))),
    "NHWC view of 2 x 32 x 28 x 28": Layout(
        lambda d: _normal(d, 2, 32, 28, 28).transpose(0, 2, 3, 1)
    ),
    "NHWC view of a crop": Layout(
        lambda d: _normal(d, 2, 32, 30, 30)[:, :, 1:-1, 1:-1].transpose(0, 2, 3, 1)
    ),
    "crop of 16 x 66 x 66": Layout(lambda d: _normal(d, 16, 66, 66)[:, 1:-1, 1:-1]),
    "row broadcast to 64 x 512": Layout(lambda d: np.broadcast_to(_normal(d, 512), (64, 512))),
    "column broadcast to 64 x 512": Layout(lambda d: np.broadcast_to(_normal(d, 64, 1), (64, 512))),
    "byte-swapped, 64 x 512": Layout(_swapped),
    "unaligned, 64 x 512": Layout(_unaligned),
    "out=(y,), 16": Layout(lambda d: _normal(d, 16), lambda d: (_normal(d, 16),)),
    "out=y[:, :128] of 4 x 512": Layout(
        lambda d: _normal(d, 4, 128), lambda d: _normal(d, 4, 512)[:, :128]
    ),
    "out=y[:, ::2] of 64 x 512": Layout(
        lambda d: _normal(d, 64, 256), lambda d: _normal(d, 64, 512)[:, ::2]
    ),
    "out=y in F order, 64 x 512": Layout(
        lambda d: _normal(d, 64, 512), lambda d: np.asfortranarray(_normal(d, 64, 512))
    ),
    "Python float": Layout(lambda d: 0.75),
    "NumPy scalar": Layout(lambda d: numpy_dtype(d).type(0.75)),
    "0-d array": Layout(lambda d: np.array(0.75, numpy_dtype(d))),
    "parameters, Python numbers": Layout(lambda d: _normal(d, 1, 512), functions=PARAMETRIC),
    "parameters, NumPy scalars": Layout(
        lambda d: _normal(d, 1, 512),
        parameter=lambda d, number: numpy_dtype(d).type(number),
        functions=PARAMETRIC,
    ),
    "parameters, 0-d arrays": Layout(
        lambda d: _normal(d, 1, 512),
        parameter=lambda d, number: np.array(number, numpy_dtype(d)),
        functions=PARAMETRIC,
    ),
    "parameters of shape (1,)": Layout(
        lambda d: _normal(d, 1, 512),
        parameter=lambda d, number: np.array([number], numpy_dtype(d)),
        functions=PARAMETRIC[:-1],  # Clip of ONNX takes scalars
    ),
}
#: These dtypes are measured in any case, in these layouts.
FURTHER_DTYPES = ("float16", "int32", "bool")
SLICES = ("contiguous, 64 x 512", "[:, :128] of 4 x 512", "[:, :512] of 64 x 2048")


class Case(NamedTuple):
    """One comparison."""

    layout: str
    activation: str
    dtype: str
    threads: int

    @property
    def table(self) -> str:
        """The table in which it stands."""
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return f"{self.dtype}, {threads}"


def libraries() -> dict[str, str]:
    """Return the libraries whose ufuncs can be called, and their versions."""
    names = dict.fromkeys(function.library for function in FUNCTIONS.values())
    return {name: metadata.version(name) for name in names if find_spec(name) is not None}


def cases(dtypes: Sequence[str], threads: int) -> list[Case]:
    """Return all cases of these dtypes, and the slices of the further ones, table by table."""
    installed = libraries()
    layouts = dict.fromkeys(FURTHER_DTYPES, SLICES) | dict.fromkeys(dtypes, tuple(LAYOUTS))
    return [
        Case(layout, activation, dtype, threads)
        for dtype in dict.fromkeys([*dtypes, *FURTHER_DTYPES])
        for layout in layouts[dtype]
        for activation in LAYOUTS[layout].functions
        if activation in FUNCTIONS_OF_DTYPES.get(dtype, FUNCTIONS)
        and FUNCTIONS[activation].library in installed
    ]


# --- how it is measured ------------------------------------------------------------------------


class Timing(NamedTuple):
    """The times of a call, in nanoseconds."""

    median: float
    minimum: float
    rounds: int
    calls_per_round: int


class Result(NamedTuple):
    """The function of fastact and the ufunc in one case."""

    case: Case
    size: int
    own: Timing
    peer: Timing
    #: Whether the result equals that of a contiguous array and Python numbers to the bit.
    is_same: bool

    @property
    def function(self) -> Function:
        return FUNCTIONS[self.case.activation]

    @property
    def ratio(self) -> float:
        """The time of the ufunc over that of fastact."""
        return self.peer.median / self.own.median

    @property
    def is_slower(self) -> bool:
        return self.ratio < 1

    @property
    def is_lost(self) -> bool:
        return self.is_slower or not self.is_same

    @property
    def marks(self) -> str:
        return measure.SLOWER * self.is_slower + measure.WRONG * (not self.is_same)


class Duel(NamedTuple):
    """The two calls of a case."""

    own: Call
    peer: Call


def prepare(case: Case) -> Duel:
    """Return both calls, on the same arguments."""
    layout, function = LAYOUTS[case.layout], FUNCTIONS[case.activation]
    names = {name: layout.parameter(case.dtype, number) for name, number in NUMBERS.items()}
    names["x"] = layout.make(case.dtype)
    if case.dtype == "bool":  # beside a Python integer the ufunc would return integers
        names["zero"] = np.float16(0)
    if layout.out is not None:
        names["out"] = layout.out(case.dtype)
    return Duel(
        _call(function.form, function.own, names),
        _call(function.peer_form, function.load_peer(), names),
    )


def _call(form: str, function: Any, names: Mapping[str, Any]) -> Call:
    expression = f"{form[:-1]}, out=out)" if "out" in names else form
    return Call(f"result = {expression}", {"f": function, **names})


def is_same(case: Case, call: Call) -> bool:
    """Return whether a call gives the dtype, the shape and the bits of the plain call."""
    function, x = call.names["f"], call.names["x"]
    plain = np.array(x, np.result_type(x), order="C", ndmin=1)  # in the native byte order
    form = FUNCTIONS[case.activation].form
    expected = _evaluate(_call(form, function, NUMBERS | {"x": plain}))
    result = _evaluate(call)
    has_form = (result.dtype, result.shape) == (expected.dtype, np.shape(x))
    return bool(has_form and result.tobytes() == expected.tobytes())


def _evaluate(call: Call) -> Array:
    names = dict(call.names)
    exec(call.statement, names)
    return np.array(names["result"])


def measure_all(cases: Sequence[Case], effort: Effort) -> list[Result]:
    """Check and time all cases of one number of threads.

    Each round visits the cases in an order drawn anew, so that a slow spell of the machine does
    not meet one case only. The two calls of a case follow each other, in either order.
    """
    fa.set_num_threads(cases[0].threads)
    with np.errstate(all="ignore"):
        duels = [prepare(case) for case in cases]
        same = [is_same(case, duel.own) for case, duel in zip(cases, duels, strict=True)]
        timers = [measure.make_timer(call) for duel in duels for call in duel]
        numbers = [measure.calls_per_sample(timer) for timer in timers]
        samples: list[list[float]] = [[] for _ in timers]
        for i in _turns(len(cases), effort):
            samples[i].append(timers[i].timeit(numbers[i]) / numbers[i])
    timings = [
        Timing(statistics.median(times), min(times), len(times), number)
        for times, number in zip(samples, numbers, strict=True)
    ]
    sizes = [np.size(duel.own.names["x"]) for duel in duels]
    return [
        Result(*fields)
        for fields in zip(cases, sizes, timings[::2], timings[1::2], same, strict=True)
    ]


def _turns(count: int, effort: Effort) -> Iterator[int]:
    """Yield whose turn it is: 2 i for fastact in case i, 2 i + 1 for the ufunc."""
    draw = random.Random(20_261_201)
    deadline = time.perf_counter() + effort.seconds
    for rounds in range(effort.most):
        if rounds >= effort.least and time.perf_counter() > deadline:
            return
        for case in draw.sample(range(count), count):
            yield from draw.sample((2 * case, 2 * case + 1), 2)
