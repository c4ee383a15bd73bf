"""Sweep float32 inputs, all 2**32 of them or every n-th, and print the largest errors in ulp.

    python tools/sweep_float32.py                                # everything: hours
    python tools/sweep_float32.py gelu silu --verb grad          # minutes each
    python tools/sweep_float32.py --stride 10007 --backend numba

The truth is the float64 result, rounded to float32: that of the Cython backend (within 2 ulp of
float64, as tests/test_accuracy_float64.py holds against mpmath, which is 2**-28 ulp of float32), or
with --truth numpy that of the NumPy backend, which computes in long double. A result that is not
the truth rounded to the nearest float32 counts as misrounded; only for those is the error
computed, since all others are within 1/2 ulp. The exit status is 1 if an error is above 1 ulp.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import numpy as np

import fastact as fa
from fastact import config

INPUTS = 1 << 32
CHUNK = 1 << 22  # inputs of a task
BLOCK = 1 << 15  # inputs of a step: its arrays fit into the L2 cache
BOUND = 1.0


class Job(NamedTuple):
    """One function to sweep."""

    name: str
    verb: str
    backend: str
    truth: str
    stride: int


class Found(NamedTuple):
    """The largest error of some inputs, where it is, and how many results are misrounded."""

    ulp: float
    bits: int
    misrounded: int


def sweep_chunk(job: Job, start: int, stop: int) -> Found:
    """Sweep the inputs with the bit patterns ``stride * i`` for ``start <= i < stop``."""
    found = Found(0.0, 0, 0)
    activation = fa.get(job.name)
    function = activation if job.verb == "forward" else activation.grad
    with fa.use_threads(1), np.errstate(all="ignore"):
        for first in range(start, stop, BLOCK):
            index = np.arange(first, min(first + BLOCK, stop), dtype=np.uint64)
            bits = (index * np.uint64(job.stride)).astype(np.uint32)
            x = bits.view(np.float32)
            result = function(x, backend=job.backend)
            truth = function(x.astype(np.float64), backend=job.truth)
            rounded = truth.astype(np.float32)
            wrong = np.flatnonzero(result.view(np.uint32) != rounded.view(np.uint32))
            wrong = wrong[~(np.isnan(result[wrong]) & np.isnan(truth[wrong]))]
            if wrong.size:
                errors = ulp_error(result[wrong], truth[wrong])
                worst = int(np.argmax(errors))
                here = Found(float(errors[worst]), int(bits[wrong[worst]]), 0)
                found = max(found, here)._replace(misrounded=found.misrounded + wrong.size)
    return found


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
    total = Found(0.0, 0, 0)
    for done, task in enumerate(tasks, 1):
        found = task.result()
        total = max(total, found)._replace(misrounded=total.misrounded + found.misrounded)
        if sys.stderr.isatty():
            print(f"\r{done / len(tasks):4.0%} {job.name} {job.verb}", end="\r", file=sys.stderr)
    return total


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="activations; all, if none is given")
    parser.add_argument("--verb", nargs="+", choices=("forward", "grad"))
    parser.add_argument("--backend", nargs="+", choices=config.BACKENDS, default=["cython"])
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


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    count = -(-INPUTS // options.stride)
    print(f"{count:,} of {INPUTS:,} float32 inputs; truth: {options.truth}, float64")
    print(
        f"{'function':18} {'backend':7} {'max ulp':>9}  {'at':34} {'misrounded':>22} {'seconds':>8}"
    )
    largest = 0.0
    # Processes, not threads: a parallel region of Numba belongs to one thread at a time.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.processes, mp_context=context) as pool:
        for name in options.names:
            for verb in options.verb:
                for backend in options.backend:
                    begin = time.perf_counter()
                    found = sweep(Job(name, verb, backend, options.truth, options.stride), pool)
                    seconds = time.perf_counter() - begin
                    print_row(name, verb, backend, found, count, seconds)
                    largest = max(largest, found.ulp)
    return int(largest > BOUND)


def print_row(name: str, verb: str, backend: str, found: Found, count: int, seconds: float) -> None:
    label = name if verb == "forward" else f"{name}.grad"
    ulp, at = "<= 0.5", ""
    if found.misrounded:
        x = np.uint32(found.bits).view(np.float32)
        ulp, at = f"{found.ulp:.6f}", f"0x{found.bits:08x} = {x!s}"
    share = f"{found.misrounded:,} ({found.misrounded / count:.4%})"
    print(f"{label:18} {backend:7} {ulp:>9}  {at:34} {share:>22} {seconds:8.1f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
