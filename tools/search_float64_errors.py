"""Search for the largest errors in float64, and record them for docstrings and docs.

    python tools/search_float64_errors.py --record fastact/measured_errors.json
    python tools/search_float64_errors.py gelu silu --points 10000000 --backends cython

The inputs are those of the tests (each binade, subnormal numbers, thresholds, kinks and roots, at
all distances), random ones, and more from around the worst of these. The formulas of the NumPy
backend in long double tell which results may be the worst of a chunk, and mpmath how far from the
truth these are. Numba has the bits of Cython.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parent.parent

# The package and the tests beside this script, and not those that are installed.
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
from inputs import DEFAULT_CASES, Case, values  # noqa: E402
from truth import approximate, exact, ulp_error  # noqa: E402

import fastact as fa  # noqa: E402
from fastact import measured_errors  # noqa: E402

ARITHMETICS = {"cython": measured_errors.FLOAT64, "numpy": measured_errors.FLOAT64_NUMPY}
CHUNK = 1 << 17
SETTLED = 50  # results of a chunk, the worst by long double, that mpmath looks at
#: Then as many chunks are taken from around the worst of so many of the others.
RADII = (1e-2, 1e-2, 1e-3, 1e-3, 1e-4, 1e-4)
CENTRES = 8


class Found(NamedTuple):
    ulp: float = 0.0
    x: float = 0.0
    inputs: int = 0


def search(job: tuple[Case, str, str], points: int) -> Found:
    """Return the largest error of a function ("value", "grad") in a backend."""
    case, function, backend = job
    random = np.random.default_rng(20_260_804)
    with fa.use_threads(1), fa.use_backend(backend):
        found = [worst(case, function, x) for x in chunks(case, points, random)]
        for radius in RADII:
            centres = [f.x for f in sorted(found)[-CENTRES:]]
            found.append(worst(case, function, around(centres, radius, random)))
    return max(found)._replace(inputs=sum(f.inputs for f in found))


def worst(case: Case, function: str, x: np.ndarray) -> Found:
    """Return the largest error of some inputs."""
    result = (case.activation if function == "value" else case.activation.grad)(x, *case.parameters)
    estimates = ulp_error(result, approximate(case, function, x))
    settled = np.argsort(-estimates)[:SETTLED]
    errors = ulp_error(result[settled], exact(case, function, x[settled]))
    at = int(np.argmax(errors))
    return Found(float(errors[at]), float(x[settled[at]]), x.size)


def chunks(case: Case, points: int, random: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield the inputs of the tests, then ``points`` random ones, of four kinds in turn."""
    yield values(np.float64, case)
    kinds = (
        lambda n: random.normal(0, 3, n),
        lambda n: random.uniform(-40, 40, n),
        lambda n: random.uniform(-760, 760, n),
        lambda n: random.choice([-1, 1], n) * np.exp(random.uniform(-40, 10, n)),
    )
    for i in range(math.ceil(points / CHUNK)):
        yield kinds[i % len(kinds)](min(CHUNK, points - i * CHUNK))


def around(centres: list[float], radius: float, random: np.random.Generator) -> np.ndarray:
    """Return random inputs within a relative distance of ``centres``."""
    return random.choice(centres, CHUNK) * (1 + random.uniform(-radius, radius, CHUNK))


def arguments_of(command_line: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    names = [case.row.name for case in DEFAULT_CASES]
    parser.add_argument("names", nargs="*", metavar="NAME", help="activations; else all")
    parser.add_argument("--points", type=int, default=1 << 22, help="random inputs a function")
    parser.add_argument("--backends", nargs="+", choices=ARITHMETICS, default=[*ARITHMETICS])
    parser.add_argument("--record", type=Path, metavar="FILE", help="a .json file to merge into")
    arguments = parser.parse_args(command_line)
    if unknown := set(arguments.names) - set(names):
        parser.error(f"must be of {', '.join(names)}, got {', '.join(sorted(unknown))}")
    return arguments


def main(command_line: list[str]) -> int:
    if np.finfo(np.longdouble).nmant <= np.finfo(np.float64).nmant:
        print("long double is no wider than double here: nothing tells which results are worst")
        return 1
    arguments = arguments_of(command_line)
    cases = [c for c in DEFAULT_CASES if not arguments.names or c.row.name in arguments.names]
    jobs = list(product(cases, measured_errors.FUNCTIONS, arguments.backends))
    above = 0
    with ProcessPoolExecutor() as pool:
        found = pool.map(partial(search, points=arguments.points), jobs)
        for (case, function, backend), (ulp, x, inputs) in zip(jobs, found, strict=True):
            arithmetic = ARITHMETICS[backend]
            above += ulp > arithmetic.bound
            print(f"{case.row.name:15} {function:5} {backend:6} {ulp:.4f} at {x!r}", flush=True)
            if arguments.record is not None:
                where = repr(x) if ulp > 0.5 else ""
                record = {"ulp": max(ulp, 0.5), "x": where, "inputs": inputs}
                names = case.row.name, function, arithmetic.name
                measured_errors.merge(arguments.record, *names, record)
    return int(above > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
