"""``fastact verify``: sweep float32 inputs, all 2**32 of them or every n-th, for the largest error.

The truth is the float64 result: that of the Cython backend (within 2 ulp of float64, as
tests/test_accuracy_float64.py holds against mpmath, which is 2**-28 ulp of float32), or that of the
NumPy backend, which computes in long double.

faithful: the error is in ulp of the truth, at most 1.

fast: the error is in ulp where the truth is normal, at most 4, and absolute where it is subnormal,
at most 2**-126.

A result that is not the truth rounded to the nearest float32 counts as misrounded; only for those,
and of them for those that may have the largest error so far, is the error computed.
"""

from __future__ import annotations

import json
import math
import multiprocessing
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import fastact as fa
from fastact import measured_errors
from fastact.catalogue import ROWS

INPUTS = 1 << 32
CHUNK = 1 << 22  # at most so many inputs to a task
#: Inputs of a step: its arrays fit into the L2 cache, and are too small for the C library to give
#: their pages back to the system after each.
BLOCK = 3 << 12
BOUNDS = {"fast": 4.0, "faithful": 1.0}  # ulp
#: Of fast precision, where the truth is subnormal; in units of SMALLEST_NORMAL.
SUBNORMAL_BOUND = 1.0
SMALLEST_NORMAL = 2.0**-126
EXPONENTIAL_FREE = frozenset(row.name for row in ROWS if row.exponential_free)
#: What ProcessPoolExecutor takes at most on Windows.
MOST_PROCESSES = 61 if sys.platform == "win32" else sys.maxsize

HEADER = (
    f"{'function':15} {'backend':7} {'precision':9} {'max ulp':>9} {'subnormal':>9}  {'at':28} "
    f"{'misrounded':>25} {'seconds':>8}"
)


class Case(NamedTuple):
    """One function to sweep, with every ``stride``-th input, against the backend ``truth``."""

    name: str
    direction: str
    backend: str
    precision: str
    truth: str
    stride: int

    @property
    def function(self) -> Callable[..., Any]:
        activation = fa.get(self.name)
        required = {p.name: p.default for p in activation.parameters if p.required}
        verb = activation if self.direction == "forward" else activation.grad
        return partial(verb, **required)

    @property
    def label(self) -> str:
        return self.name if self.direction == "forward" else f"{self.name}.grad"

    @property
    def is_fast(self) -> bool:
        """Whether the function has another bound than in faithful precision."""
        return self.precision == "fast" and _differs_by_precision(self.name, self.backend)

    @property
    def bound(self) -> float:
        return BOUNDS["fast" if self.is_fast else "faithful"]

    @property
    def inputs(self) -> int:
        return -(-INPUTS // self.stride)


class Worst(NamedTuple):
    """The largest error of some inputs, and the bits of the input that has it."""

    error: float = 0.0
    bits: int = 0

    def __str__(self) -> str:
        return f"0x{self.bits:08x} = {self.x!s}"

    @property
    def x(self) -> np.float32:
        return np.uint32(self.bits).view(np.float32)


class Found(NamedTuple):
    """What the sweep of some inputs found.

    ``normal`` is in ulp. ``subnormal`` is where the truth is subnormal, in units of 2**-126; only
    fast precision has it apart.
    """

    normal: Worst = Worst()
    subnormal: Worst = Worst()
    misrounded: int = 0

    def merged(self, other: Found) -> Found:
        return Found(
            max(self.normal, other.normal),
            max(self.subnormal, other.subnormal),
            self.misrounded + other.misrounded,
        )


class Row(NamedTuple):
    """A case that was swept."""

    case: Case
    found: Found
    seconds: float

    @property
    def is_within(self) -> bool:
        found = self.found
        return found.normal.error <= self.case.bound and found.subnormal.error <= SUBNORMAL_BOUND


def cases(
    names: Sequence[str],
    directions: Sequence[str],
    backends: Sequence[str],
    precisions: Sequence[str],
    truth: str,
    stride: int,
) -> list[Case]:
    """Return what there is to sweep.

    Parameters
    ----------
    names : sequence of str
        Names of activations.
    directions : sequence of {"forward", "grad"}
        The function, its derivative or both.
    backends, precisions : sequence of str
        How to compute. What is the same in both precisions is swept once, in the last of them.
    truth : {"cython", "numpy"}
        The backend whose float64 result is the truth.
    stride : int
        Sweep every n-th input.

    Returns
    -------
    list of Case
    """
    return [
        Case(name, direction, backend, precision, truth, stride)
        for name, direction, backend, precision in product(names, directions, backends, precisions)
        if _differs_by_precision(name, backend) or precision == precisions[-1]
    ]


def run(
    cases: Sequence[Case],
    jobs: int,
    json_file: Path | None = None,
    record_file: Path | None = None,
) -> bool:
    """Sweep the inputs of every case and print a row for each.

    Parameters
    ----------
    cases : sequence of Case
        What to sweep; one or more, with one stride and one truth.
    jobs : int
        How many processes compute; 1 is this process alone.
    json_file : Path, optional
        Where to write all figures.
    record_file : Path, optional
        Where to record the largest errors of the Cython backend, each as soon as it is found.

    Returns
    -------
    bool
        Whether every error is within its bound.
    """
    first = cases[0]
    print(f"{first.inputs:,} of {INPUTS:,} float32 inputs; truth: {first.truth}, float64")
    print(HEADER, flush=True)
    rows = []
    with _workers(jobs) as compute, _progress(len(cases)) as advance:
        for case in cases:
            row = _sweep(case, jobs, compute, advance)
            print(_line(row), flush=True)
            rows.append(row)
            if record_file is not None and case.backend == "cython":
                _record(row, record_file)
    print(*_conclusion(rows), sep="\n")
    if json_file is not None:
        json_file.write_text(json.dumps(_document(rows), indent=1) + "\n", encoding="utf-8")
    return all(row.is_within for row in rows)


def _differs_by_precision(name: str, backend: str) -> bool:
    return backend != "numpy" and name not in EXPONENTIAL_FREE


# --- the sweep ---------------------------------------------------------------------------------


def _sweep(
    case: Case,
    jobs: int,
    compute: Callable[..., Iterator[Found]],
    advance: Callable[[str, float], None],
) -> Row:
    begin = time.perf_counter()
    # Some tasks for each process also if there are few inputs, so that all end together.
    chunk = min(CHUNK, -(-case.inputs // (4 * jobs)))
    starts = range(0, case.inputs, chunk)
    found = Found()
    for part in compute(partial(_sweep_chunk, case, chunk), starts):
        found = found.merged(part)
        advance(case.label, 1 / len(starts))
    return Row(case, found, time.perf_counter() - begin)


def _sweep_chunk(case: Case, chunk: int, start: int) -> Found:
    """Sweep the inputs with the bit patterns ``stride * i``, ``chunk`` of them from ``start``."""
    found = Found()
    stop = min(start + chunk, case.inputs)
    offsets = (np.arange(BLOCK, dtype=np.uint64) * np.uint64(case.stride)).astype(np.uint32)
    settings = fa.use_threads(1), fa.use_backend(case.backend), fa.use_precision(case.precision)
    with settings[0], settings[1], settings[2], np.errstate(all="ignore"):
        for first in range(start, stop, BLOCK):
            bits = offsets[: stop - first] + np.uint32(first * case.stride)
            found = found.merged(_sweep_block(case, bits.view(np.float32), found.normal.error))
    return found


def _sweep_block(case: Case, x: np.ndarray, largest: float) -> Found:
    """Return what there is to find, but errors of normal numbers only above the ``largest``."""
    result = case.function(x)
    truth = case.function(x.astype(np.float64), backend=case.truth)
    nearest = truth.astype(np.float32)
    steps = _steps(result, nearest)
    near = np.flatnonzero(_may_be_above(largest, steps, nearest))
    if not near.size:
        return Found(misrounded=int(np.count_nonzero(steps)))
    are_both_nan = np.isnan(result[near]) & np.isnan(truth[near])
    misrounded = int(np.count_nonzero(steps) - np.count_nonzero(are_both_nan))
    near = near[~are_both_nan]

    x, truth = x[near], truth[near]
    errors = _ulp_error(result[near], truth)
    is_apart = (np.abs(truth) < SMALLEST_NORMAL) & case.is_fast
    # A subnormal number has 2**-149 for its ulp.
    subnormal = _worst(x[is_apart], errors[is_apart] * 2.0**-23)
    return Found(_worst(x[~is_apart], errors[~is_apart]), subnormal, misrounded)


def _steps(result: np.ndarray, nearest: np.ndarray) -> np.ndarray:
    """Return how many numbers apart they are; very many where the signs differ."""
    forth = result.view(np.uint32) - nearest.view(np.uint32)
    steps: np.ndarray = np.minimum(forth, -forth)
    return steps


def _may_be_above(largest: float, steps: np.ndarray, nearest: np.ndarray) -> np.ndarray:
    """Whether errors may be above ``largest`` ulp; true where the truth may not be normal.

    A step from the truth rounded to float32 is 1 ulp of the truth, but 2 beyond a power of two. In
    few passes over integers: this decides how long a sweep takes.
    """
    fewest = max(1, math.floor((largest - 0.5) / 2) + 1)
    above: np.ndarray = steps >= fewest
    if fewest == 1:
        return above
    smallest, infinity = 0x00800000 << 1, 0x7F800000 << 1  # without the sign
    shifted = (nearest.view(np.uint32) << np.uint32(1)) - np.uint32(smallest)
    is_normal = shifted < np.uint32(infinity - smallest)
    above |= (steps != 0) & ~is_normal
    return above


def _ulp_error(result: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return errors in ulp of the truth; infinity counts as 2**128, where float32 ends."""
    end = 2.0**128
    is_beyond = np.abs(truth) >= end
    value = result.astype(np.float64)
    value = np.where(np.isinf(value), np.copysign(end, value), value)
    exponents = np.where(truth == 0, -126, np.maximum(np.frexp(truth)[1] - 1, -126))
    errors = np.abs(value - truth) / np.ldexp(1.0, exponents - 23)
    return np.where(np.isnan(errors) | is_beyond, np.inf, errors)


def _worst(x: np.ndarray, errors: np.ndarray) -> Worst:
    if not errors.size:
        return Worst()
    at = int(np.argmax(errors))
    return Worst(float(errors[at]), int(x.view(np.uint32)[at]))


@contextmanager
def _workers(jobs: int) -> Iterator[Callable[..., Iterator[Any]]]:
    """Yield ``map``, or one that computes in processes.

    Processes, not threads: the steps between the loops hold the interpreter's lock.
    """
    if jobs == 1:
        yield map
        return
    pool = ProcessPoolExecutor(
        min(jobs, MOST_PROCESSES),
        mp_context=multiprocessing.get_context("spawn"),
        # Ctrl-C is for the process that waits for them.
        initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_IGN),
    )

    def compute(function: Callable[..., Any], starts: Iterable[Any]) -> Iterator[Any]:
        with _interrupts_blocked():
            return pool.map(function, starts)

    try:
        yield compute
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Block Ctrl-C, also in the processes that start in this block, until they ignore it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# --- what is printed ---------------------------------------------------------------------------


@contextmanager
def _progress(total: int) -> Iterator[Callable[[str, float], None]]:
    """Yield what moves the progress bar; there is none without rich or without a terminal."""
    if find_spec("rich") is None or not sys.stderr.isatty():
        yield lambda label, cases: None
        return

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(
        BarColumn(),
        TextColumn("{task.percentage:3.0f}%"),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
        console=Console(stderr=True, highlight=False, markup=False),
        transient=True,
        # Rows go above the bar where both are on a terminal; a file keeps its rows.
        redirect_stdout=sys.stdout.isatty(),
    ) as progress:
        task = progress.add_task("", total=total)
        yield lambda label, cases: progress.update(task, description=label, advance=cases)


def _line(row: Row) -> str:
    case, found, seconds = row
    normal, subnormal, misrounded = found
    ulp, at = (f"{normal.error:.6f}", str(normal)) if normal.error else ("<= 0.5", "")
    apart = f"{subnormal.error:.4f}" if case.is_fast else ""
    share = f"{misrounded:,} ({misrounded / case.inputs:.4%})"
    line = (
        f"{case.label:15} {case.backend:7} {case.precision:9} {ulp:>9} {apart:>9}  {at:28} "
        f"{share:>25} {seconds:8.1f}"
    )
    return line if row.is_within else f"{line}  <"


def _conclusion(rows: Sequence[Row]) -> list[str]:
    above = [line for row in rows for line in _excesses(row)]
    return above or ["All errors are within their bounds."]


def _excesses(row: Row) -> Iterator[str]:
    case, (normal, subnormal, _), _ = row
    begin = f"Above the bound: {case.label}, {case.backend}, {case.precision}:"
    if normal.error > case.bound:
        yield f"{begin} {normal.error:.6f} ulp at {normal}, not {case.bound:g}"
    if subnormal.error > SUBNORMAL_BOUND:
        yield f"{begin} {subnormal.error:.4f} * 2^-126 at {subnormal}, where the truth is subnormal"


def _document(rows: Sequence[Row]) -> dict[str, Any]:
    case = rows[0].case
    return {
        "schema": 1,
        "inputs": case.inputs,
        "stride": case.stride,
        "truth": case.truth,
        "configuration": fa.show_config("dicts"),
        "within_bounds": all(row.is_within for row in rows),
        "rows": [_figures(row) for row in rows],
    }


def _figures(row: Row) -> dict[str, Any]:
    case, found, seconds = row
    figures = {
        "activation": case.name,
        "direction": case.direction,
        "backend": case.backend,
        "precision": case.precision,
        "bound_ulp": case.bound,
        "largest_error_ulp": _place(found.normal),
        "misrounded": found.misrounded,
        "seconds": seconds,
        "within_bounds": row.is_within,
    }
    if case.is_fast:
        figures["largest_subnormal_error_2^-126"] = _place(found.subnormal)
    return figures


def _record(row: Row, file: Path) -> None:
    case, (normal, subnormal, misrounded), _ = row
    arithmetic = measured_errors.FAST if case.is_fast else measured_errors.FAITHFUL
    function = "value" if case.direction == "forward" else "grad"
    record = {
        "ulp": normal.error or 0.5,
        "x": str(normal.x) if normal.error else "",
        "inputs": case.inputs,
        "misrounded": misrounded,
    }
    if case.is_fast:
        record["subnormal"] = subnormal.error
    measured_errors.merge(file, case.name, function, arithmetic.name, record)


def _place(worst: Worst) -> dict[str, Any] | None:
    """Return where an error is, or None if every result is the nearest number.

    JSON has no infinity: an infinite error is null.
    """
    if not worst.error:
        return None
    error = worst.error if math.isfinite(worst.error) else None
    return {"error": error, "bits": f"0x{worst.bits:08x}", "x": str(worst.x)}
