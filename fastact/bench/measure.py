"""The calls of a cell, timed in turn, and their results, checked."""

from __future__ import annotations

import statistics
import time
import timeit
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from fastact.bench.cells import Array, Cell, largest_error, operands
from fastact.bench.peers import Call, Library

#: A sample is so many calls that it takes at least this long: reading the clock is nothing then.
SAMPLE_NANOSECONDS = 200_000
#: More is wrong, in fastact's precision "fast"; speed does not count then.
LARGEST_ERROR = 4.0
#: How a cell is marked in which a peer is faster, or in which fastact is wrong.
SLOWER, WRONG = "<", "!"


class Effort(NamedTuple):
    """A cell is measured for so many seconds, but in so many rounds at least and at most."""

    seconds: float
    least: int
    most: int


FULL = Effort(seconds=1.0, least=5, most=51)
QUICK = Effort(seconds=0.1, least=3, most=15)


class Measurement(NamedTuple):
    """One library in one cell; times are those of a call, in nanoseconds.

    Figures are compared by their medians over the rounds: in each round every library has its
    turn, so that a slow spell of the machine meets all of them, and the minimum would reward rare
    luck, such as fresh pages that came for nothing.
    """

    median: float
    minimum: float
    rounds: int
    calls_per_round: int
    #: Largest error of the result, in units in the last place.
    error: float


class Result(NamedTuple):
    """All libraries in one cell."""

    cell: Cell
    measurements: dict[str, Measurement]

    @property
    def own(self) -> Measurement:
        return self.measurements["fastact"]

    @property
    def best_peer(self) -> str | None:
        """The fastest of the others, right or wrong, or None where nobody else has the function."""
        peers = [name for name in self.measurements if name != "fastact"]
        return min(peers, key=lambda name: self.measurements[name].median, default=None)

    @property
    def ratio(self) -> float | None:
        """The time of the best peer over that of fastact."""
        if self.best_peer is None:
            return None
        return self.measurements[self.best_peer].median / self.own.median

    @property
    def is_slower(self) -> bool:
        return self.ratio is not None and self.ratio < 1

    @property
    def is_wrong(self) -> bool:
        return not self.own.error <= LARGEST_ERROR

    @property
    def is_lost(self) -> bool:
        return self.is_slower or self.is_wrong

    @property
    def marks(self) -> str:
        return SLOWER * self.is_slower + WRONG * self.is_wrong


def measure(cell: Cell, libraries: Sequence[Library], effort: Effort, inputs: str) -> Result:
    """Check the result of every library that has the function, and time their calls in turn."""
    arrays = operands(cell, inputs)
    fresh = next(iter(arrays.values())).copy() if cell.output == "inplace" else None
    calls: dict[str, Call] = {}
    for library in libraries:
        library.set_threads(cell.threads)
        call = library.prepare(cell, arrays)
        if call is not None:
            calls[library.name] = call
    errors = {}
    for name, call in calls.items():
        errors[name] = largest_error(cell, inputs, _result(call))
        _restore(arrays, fresh)
    samples, numbers = time_in_turn(cell, calls, arrays, fresh, effort)
    return Result(
        cell,
        {
            name: Measurement(
                statistics.median(times), min(times), len(times), numbers[name], errors[name]
            )
            for name, times in samples.items()
        },
    )


def _result(call: Call) -> Array:
    names = dict(call.names)  # so that a new result is not kept
    exec(call.statement, names)
    return call.to_numpy(names["result"])


def _restore(arrays: Mapping[str, Array], fresh: Array | None) -> None:
    """Undo what calls in place have written."""
    if fresh is not None:
        np.copyto(next(iter(arrays.values())), fresh)


def time_in_turn(
    cell: Cell,
    calls: Mapping[str, Call],
    arrays: Mapping[str, Array],
    fresh: Array | None,
    effort: Effort,
) -> tuple[dict[str, list[float]], dict[str, int]]:
    """Return the times of a call in every round, and the number of calls that each is a mean of."""
    timers = {
        name: make_timer(call, partial(_restore, arrays, fresh)) for name, call in calls.items()
    }
    # In place a function meets its own result, which soon is subnormal (gelu) or infinite (selu):
    # each call starts afresh. Times of small arrays then contain that of reading the clock.
    is_in_place = cell.output == "inplace"
    numbers = {name: 1 if is_in_place else calls_per_sample(t) for name, t in timers.items()}
    samples: dict[str, list[float]] = {name: [] for name in timers}
    deadline = time.perf_counter() + effort.seconds
    for rounds in range(effort.most):
        if rounds >= effort.least and time.perf_counter() > deadline:
            break
        for name, timer in timers.items():
            if cell.threads > 1:
                _wait_for_idle_workers()
            samples[name].append(timer.timeit(numbers[name]) / numbers[name])
    return samples, numbers


def make_timer(call: Call, restore: Callable[[], None] = lambda: None) -> timeit.Timer:
    """Return a timer of the call, without garbage collection, after one call to warm up.

    The result of a call is held until the next one is there, as in the steady state of a program.
    """
    setup = f"restore(); {call.statement}; restore()"
    names = call.names | {"restore": restore}
    return timeit.Timer(call.statement, setup, time.perf_counter_ns, globals=names)


def calls_per_sample(timer: timeit.Timer) -> int:
    number = 1
    while (elapsed := timer.timeit(number)) < SAMPLE_NANOSECONDS:
        # No more than tenfold at once: the first calls are slower than what follows.
        number = min(int(number * 1.2 * SAMPLE_NANOSECONDS / max(elapsed, 1)) + 1, 10 * number)
    return number


def _wait_for_idle_workers() -> None:
    """Wait until no other thread of the process is busy.

    Workers spin in the hope of more work, ONNX Runtime's for some 20 ms after a call, and would
    take a processor from the library whose turn is next. The kernel accounts time in ticks of up
    to 4 ms: a shorter look may see none.
    """
    for _ in range(20):
        before = time.process_time()
        time.sleep(0.005)
        if time.process_time() - before < 0.001:
            return
