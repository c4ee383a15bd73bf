"""What is measured: the cells of the grid, their input arrays, and the results to expect."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastact import numpy_backend
from fastact.catalogue import NAMES, ROWS
from fastact.sloped import kernel_row

Array = npt.NDArray[Any]

#: Where backward takes the output of the function: as PyTorch's does.
FROM_OUTPUT = ("exponential", "sigmoid", "tanh")

#: Inputs repeat after so many elements, so that the truth is computed once for all sizes. A prime:
#: every value comes to stand at every position in a vector.
PERIOD = 65_537

#: dtype: (binary digits of the significand, exponent of the smallest normal number)
FORMATS = {
    "float16": (11, -14),
    "bfloat16": (8, -126),
    "float32": (24, -126),
    "float64": (53, -1022),
}


class Cell(NamedTuple):
    """One comparison: all libraries do this."""

    activation: str
    direction: str  # "forward" or "backward"
    dtype: str
    size: int
    threads: int
    output: str  # "new", "out" or "inplace"

    @property
    def from_output(self) -> bool:
        return self.direction == "backward" and self.activation in FROM_OUTPUT

    @property
    def arguments(self) -> tuple[str, ...]:
        """g, the gradient of the output, and x, or y = f(x)."""
        if self.direction == "forward":
            return ("x",)
        return ("g", "y") if self.from_output else ("g", "x")

    @property
    def table(self) -> str:
        """The table in which it stands."""
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return f"{self.direction}, {self.dtype}, {threads}"

    @property
    def bytes_moved(self) -> int:
        """Bytes that must be read and written."""
        arrays = 2 if self.direction == "forward" else 3
        return arrays * self.size * numpy_dtype(self.dtype).itemsize


class Grid(NamedTuple):
    """All combinations of these."""

    activations: tuple[str, ...]
    directions: tuple[str, ...]
    dtypes: tuple[str, ...]
    sizes: tuple[int, ...]
    threads: tuple[int, ...]
    output: str = "new"
    inputs: str = "normal"

    @property
    def cells(self) -> list[Cell]:
        """The cells, table by table."""
        return [
            Cell(activation, direction, dtype, size, threads, self.output)
            for threads, direction, dtype, activation, size in product(
                self.threads, self.directions, self.dtypes, self.activations, self.sizes
            )
        ]


def numpy_dtype(name: str) -> np.dtype[Any]:
    if name == "bfloat16":
        # np.dtype knows the name when this has been imported.
        import_module("ml_dtypes")
    return np.dtype(name)


def operands(cell: Cell, inputs: str) -> dict[str, Array]:
    """Return the arrays of a call by the names of its arguments, in their order."""
    period = _period(cell.activation, cell.dtype, inputs)
    return {name: np.resize(period[name], cell.size) for name in cell.arguments}


@cache
def _period(activation: str, dtype: str, inputs: str) -> dict[str, Array]:
    random = np.random.default_rng(20_261_125)
    x = _INPUTS[inputs](random, 3 * random.standard_normal(PERIOD), dtype)
    x = x.astype(numpy_dtype(dtype))
    g = random.standard_normal(PERIOD).astype(x.dtype)
    with np.errstate(over="ignore"):
        y = _formula(activation, "")(_widened(x)).astype(x.dtype)
    return {"x": x, "g": g, "y": y}


def _half_subnormal(random: np.random.Generator, x: Array, dtype: str) -> Array:
    """Every second number is subnormal."""
    x[::2] = np.ldexp(random.uniform(-1, 1, x[::2].size), FORMATS[dtype][1])
    return x


def _with_specials(random: np.random.Generator, x: Array, dtype: str) -> Array:
    """Every eighth number is NaN, infinite, a zero, huge, tiny or far out."""
    huge, tiny = np.ldexp(1.0, [-FORMATS[dtype][1], FORMATS[dtype][1]])
    specials = [np.nan, np.inf, 0.0, huge, tiny, 30.0, 100.0]
    x[::8] = random.choice([*specials, *np.negative(specials)], x[::8].size)
    return x


_INPUTS = {
    "normal": lambda random, x, dtype: x,
    "subnormal": _half_subnormal,
    "special": _with_specials,
}
INPUTS = tuple(_INPUTS)

# --- what is right -----------------------------------------------------------------------------


def _widened(x: Array) -> Array:
    return x.astype(np.longdouble if x.dtype == np.float64 else np.float64)


def _formula(activation: str, suffix: str) -> Any:
    """Return a formula of the NumPy backend with the parameters' defaults."""
    row = kernel_row(ROWS[NAMES.index(activation)])
    function = getattr(numpy_backend, row.name + suffix)
    defaults = [parameter.default for parameter in row.parameters]

    def formula(x: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(function(x, *defaults))

    return formula


@cache
def _truth(activation: str, direction: str, dtype: str, inputs: str) -> Array:
    """Return the results for one period in a wider type."""
    period = _period(activation, dtype, inputs)
    if direction == "forward":
        return np.asarray(_formula(activation, "")(_widened(period["x"])))
    if activation in FROM_OUTPUT:
        derivative = _formula(activation, "_grad_from_output")(_widened(period["y"]))
    else:
        derivative = _formula(activation, "_grad")(_widened(period["x"]))
    with np.errstate(all="ignore"):
        return np.asarray(_widened(period["g"]) * derivative)


def largest_error(cell: Cell, inputs: str, result: Array) -> float:
    """Return the largest error of a result, in units in the last place of the true values.

    Counted where the true value is a normal number. An error beyond the smallest normal number
    where it is not, and a NaN or an infinity that is missing or misplaced, are infinite.
    """
    truth = _truth(cell.activation, cell.direction, cell.dtype, inputs)[: cell.size]
    digits, smallest = FORMATS[cell.dtype]
    with np.errstate(all="ignore"):
        exponents = np.maximum(np.frexp(truth)[1] - 1, smallest)
        unit = np.ldexp(np.ones_like(truth), exponents - (digits - 1))
        rounded = truth.astype(result.dtype).astype(truth.dtype)
        largest = 0.0
        for start in range(0, cell.size, PERIOD):
            part = result[start : start + PERIOD].astype(truth.dtype)
            length = part.size
            difference = np.abs(part - truth[:length])
            error = difference / unit[:length]
            is_normal = np.abs(truth[:length]) >= np.ldexp(1.0, smallest)
            error[~is_normal & (difference <= np.ldexp(1.0, smallest))] = 0
            same = (part == rounded[:length]) | (np.isnan(part) & np.isnan(rounded[:length]))
            error = np.where(np.isfinite(rounded[:length]), error, np.where(same, 0, np.inf))
            error[np.isnan(error)] = np.inf
            largest = max(largest, float(error.max()))
    return largest
