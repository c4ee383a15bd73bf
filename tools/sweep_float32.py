"""Sweep float32 inputs, all 2**32 of them or every n-th, and print the largest errors.

    python tools/sweep_float32.py                                # everything: an hour
    python tools/sweep_float32.py gelu silu --precision fast     # 20 seconds for each line
    python tools/sweep_float32.py --stride 10007 --backend numba

The truth is the float64 result: that of the Cython backend (within 2 ulp of float64, as
tests/test_accuracy_float64.py holds against mpmath, which is 2**-28 ulp of float32), or with
--truth numpy that of the NumPy backend, which computes in long double.

faithful: the error is in ulp of the truth, at most 1. A result that is not the truth rounded to
the nearest float32 counts as misrounded; only for those is the error computed, since all others
are within 1/2 ulp.

fast: the error is in ulp where the truth is normal, at most 4, and absolute where it is subnormal,
at most 2**-126 (the column "subnormal" has it in this unit). What differs from the faithful result
counts as misrounded, and the truth is computed only where, by the distance from the faithful
result, the error may be the largest so far. A result equal to the faithful one has its error: at
most 1 ulp.

The exit status is 1 if an error is above its bound.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from typing import NamedTuple

import numpy as np

import fastact as fa
from fastact import config

INPUTS = 1 << 32
CHUNK = 1 << 22  # inputs of a task
BLOCK = 1 << 15  # inputs of a step: its arrays fit into the L2 cache
BOUNDS = {"fast": 4.0, "faithful": 1.0}  # ulp
SMALLEST_NORMAL = 2.0**-126


class Job(NamedTuple):
    """One function to sweep."""

    name: str
    verb: str
    backend: str
    precision: str
    truth: str
    stride: int

    @property
    def function(self) -> Callable[..., np.ndarray]:
        activation = fa.get(self.name)
        return activation if self.verb == "forward" else activation.grad

    @property
    def is_fast(self) -> bool:
        """Whether the function has another bound than in faithful precision."""
        return self.precision == "fast" and not fa.get(self.name).row.exponential_free


class Found(NamedTuple):
    """The largest error of some inputs, where it is, and how many results are misrounded.

    ``subnormal`` is the largest error where the truth is subnormal, in units of 2**-126; only fast
    precision has it apart.
    """

    ulp: float = 0.0
    bits: int = 0
    subnormal: float = 0.0
    misrounded: int = 0

    def merged(self, other: Found) -> Found:
        return max(self, other)._replace(
            subnormal=max(self.subnormal, other.subnormal),
            misrounded=self.misrounded + other.misrounded,
        )


def sweep_chunk(job: Job, start: int, stop: int) -> Found:
    """Sweep the inputs with the bit patterns ``stride * i`` for ``start <= i < stop``."""
    found = Found()
    sweep_block = sweep_block_of_fast if job.is_fast else sweep_block_of_faithful
    offsets = (np.arange(BLOCK, dtype=np.uint64) * np.uint64(job.stride)).astype(np.uint32)
    settings = fa.use_threads(1), fa.use_backend(job.backend), fa.use_precision(job.precision)
    with settings[0], settings[1], settings[2], np.errstate(all="ignore"):
        for first in range(start, stop, BLOCK):
            bits = offsets[: stop - first] + np.uint32(first * job.stride)
            found = found.merged(sweep_block(job, bits.view(np.float32), found.ulp))
    return found


def sweep_block_of_faithful(job: Job, x: np.ndarray, largest: float) -> Found:
    result = job.function(x)
    truth = job.function(x.astype(np.float64), backend=job.truth)
    wrong = np.flatnonzero(result.view(np.uint32) != truth.astype(np.float32).view(np.uint32))
    wrong = wrong[~(np.isnan(result[wrong]) & np.isnan(truth[wrong]))]
    errors = ulp_error(result[wrong], truth[wrong])
    return worst(x[wrong], errors)._replace(misrounded=wrong.size)


def sweep_block_of_fast(job: Job, x: np.ndarray, largest: float) -> Found:
    """Compute the error only where it may be above the ``largest`` so far, or subnormal."""
    result = job.function(x)
    faithful = job.function(x, precision="faithful")
    forth = result.view(np.uint32) - faithful.view(np.uint32)
    distance = np.minimum(forth, -forth)
    misrounded = np.count_nonzero(distance)

    # The faithful result is within 1 ulp. Just below a power of two, floats are closer together:
    # there, and there only, each step from the faithful result is 2 ulp of the truth.
    near = np.flatnonzero(distance >= max(1, math.ceil((largest - 1) / 2)))
    is_power = faithful.view(np.uint32)[near] & 0x7FFFFF == 0
    could_be = distance[near] * np.where(is_power, 2.0, 1.0) + 1
    near = near[(could_be > largest) | (np.abs(faithful[near]) <= SMALLEST_NORMAL)]

    x, result = x[near], result[near]
    truth = job.function(x.astype(np.float64), backend=job.truth)
    numbers = ~(np.isnan(result) & np.isnan(truth))
    is_subnormal = np.abs(truth) < SMALLEST_NORMAL
    errors = np.abs(result - truth)[is_subnormal] / SMALLEST_NORMAL
    normal = numbers & ~is_subnormal
    return worst(x[normal], ulp_error(result[normal], truth[normal]))._replace(
        subnormal=float(errors.max(initial=0)), misrounded=misrounded
    )


def worst(x: np.ndarray, errors: np.ndarray) -> Found:
    if not errors.size:
        return Found()
    at = int(np.argmax(errors))
    return Found(float(errors[at]), int(x.view(np.uint32)[at]))


def ulp_error(result: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return errors in ulp of the truth; infinity counts as 2**128, where float32 ends."""
    end = 2.0**128
    beyond = np.abs(truth) >= end
    value = np.where(np.isinf(result), np.copysign(end, result), result.astype(np.float64))
    exponents = np.where(truth == 0, -126, np.maximum(np.frexp(truth)[1] - 1, -126))
    errors = np.abs(value - truth) / np.ldexp(1.0, exponents - 23)
    return np.where(np.isnan(errors) | beyond, np.inf, errors)


def sweep(job: Job, pool: ProcessPoolExecutor) -> Found:
    count = -(-INPUTS // job.stride)
    starts = range(0, count, CHUNK)
    tasks = [pool.submit(sweep_chunk, job, i, min(i + CHUNK, count)) for i in starts]
    total = Found()
    for done, task in enumerate(tasks, 1):
        total = total.merged(task.result())
        if sys.stderr.isatty():
            print(f"\r{done / len(tasks):4.0%} {job.name} {job.verb}", end="\r", file=sys.stderr)
    return total


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="activations; all, if none is given")
    parser.add_argument("--verb", nargs="+", choices=("forward", "grad"))
    parser.add_argument("--backend", nargs="+", choices=config.BACKENDS, default=["cython"])
    parser.add_argument(
        "--precision", nargs="+", choices=config.PRECISIONS, default=list(config.PRECISIONS)
    )
    parser.add_argument("--truth", choices=("cython", "numpy"), default="cython")
    parser.add_argument("--stride", type=int, default=1, help="take every n-th input; best a prime")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    options = parser.parse_args(arguments)
    if options.stride < 1:
        parser.error(f"--stride must be 1 or above, got {options.stride}")
    try:
        options.names = [fa.get(name).name for name in options.names] or list(fa.names())
        for name in {*options.backend, options.truth}:
            config.check_backend("sweep_float32", name)
    except (ValueError, ImportError) as error:
        parser.error(str(error))
    options.verb = options.verb or ["forward", "grad"]
    return options


def jobs(options: argparse.Namespace) -> Iterator[Job]:
    for name in options.names:
        for verb, backend, precision in product(options.verb, options.backend, options.precision):
            job = Job(name, verb, backend, precision, options.truth, options.stride)
            # What is the same in both precisions is swept once.
            differs = backend != "numpy" and not fa.get(name).row.exponential_free
            if differs or precision == options.precision[-1]:
                yield job


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    count = -(-INPUTS // options.stride)
    print(f"{count:,} of {INPUTS:,} float32 inputs; truth: {options.truth}, float64")
    print(
        f"{'function':18} {'backend':7} {'precision':9} {'max ulp':>9} {'subnormal':>9}  {'at':34} "
        f"{'misrounded':>26} {'seconds':>8}"
    )
    within = True
    # Processes, not threads: a parallel region of Numba belongs to one thread at a time.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.processes, mp_context=context) as pool:
        for job in jobs(options):
            begin = time.perf_counter()
            found = sweep(job, pool)
            print_row(job, found, count, time.perf_counter() - begin)
            bound = BOUNDS["fast" if job.is_fast else "faithful"]
            within = within and found.ulp <= bound and found.subnormal <= 1
    return int(not within)


def print_row(job: Job, found: Found, count: int, seconds: float) -> None:
    label = job.name if job.verb == "forward" else f"{job.name}.grad"
    subnormal = f"{found.subnormal:.4f}" if job.is_fast else ""
    ulp, at = "<= 0.5", ""
    if found.ulp:
        x = np.uint32(found.bits).view(np.float32)
        ulp, at = f"{found.ulp:.6f}", f"0x{found.bits:08x} = {x!s}"
    share = f"{found.misrounded:,} ({found.misrounded / count:.4%})"
    print(
        f"{label:18} {job.backend:7} {job.precision:9} {ulp:>9} {subnormal:>9}  {at:34} "
        f"{share:>26} {seconds:8.1f}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
