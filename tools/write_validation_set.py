"""Write the tables in tests/validation_set: what each activation is, to the last bit.

    python tools/write_validation_set.py               all
    python tools/write_validation_set.py gelu silu     these activations only
    python tools/write_validation_set.py --check       say which are stale, and write nothing

The README beside the tables tells their format and which points they have.
"""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
DIRECTORY = ROOT / "tests" / "validation_set"
COMMAND = "python tools/write_validation_set.py"

# The package and the tests beside this script, and not those that are installed.
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
from inputs import DEFAULT_CASES, Case, integer_type, neighbours, step  # noqa: E402
from truth import bits, nearest  # noqa: E402

HEADER = "dtype,input,output,ulperrortol"
#: In the names of the files; "" is f.
SUFFIXES = {"value": "", "grad": "-grad"}
DTYPES = ("float16", "float32", "float64")
#: The binades from the one where 1 + x is 1 to this one have a number each, and others a few.
LAST_NEAR_BINADE = 10
FAR_BINADES = 16
RANDOM = 20


def path(name: str, function: str) -> Path:
    """Return the file of an activation ("value") or its derivative ("grad")."""
    return DIRECTORY / f"fastact-validation-set-{name}{SUFFIXES[function]}.csv"


def table(case: Case, function: str) -> str:
    """Return the text of one table."""
    title = case.row.name if function == "value" else f"derivative of {case.row.name}"
    values = ", ".join(f"{parameter.name}={parameter.default}" for parameter in case.row.parameters)
    lines = [HEADER, f"# fastact, {title}{f' with {values}' if values else ''}"]
    for dtype in DTYPES:
        seen: set[int] = set()
        for group, points in groups(case, function, dtype):
            new = {pattern(x): x for x in points if pattern(x) not in seen}
            seen |= new.keys()
            lines += [f"# {dtype}, {group}"] * bool(new)
            lines += [line(case, function, x) for x in new.values()]
    return "\n".join(lines) + "\n"


def line(case: Case, function: str, x: Any) -> str:
    """Return the line of one input."""
    digits = 2 * x.dtype.itemsize
    numbers = [f"0x{pattern(number):0{digits}x}" for number in (x, output(case, function, x))]
    return f"np.{x.dtype},{','.join(numbers)},{tolerance(case, x.dtype)}"


def tolerance(case: Case, dtype: Any) -> int:
    """Return by how many steps a result may differ: of fast precision, by more."""
    if case.row.exact:
        return 0
    return {"float16": 0, "float32": 1, "float64": 2}[np.dtype(dtype).name]


def pattern(x: Any) -> int:
    return int(bits(np.array([x])).view(f"u{x.dtype.itemsize}")[0])


@functools.lru_cache(10_000)
def _output(case: Case, function: str, dtype: str, integer: int) -> Any:
    x = np.array([integer], f"u{np.dtype(dtype).itemsize}").view(dtype)[0]
    return nearest(case, function, x)


def output(case: Case, function: str, x: Any) -> Any:
    return _output(case, function, x.dtype.name, pattern(x))


# --- the inputs --------------------------------------------------------------------------------


def groups(case: Case, function: str, dtype: str) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the inputs, and what is special about them."""
    random = Random(20_260_803)  # NumPy may change its own from version to version
    ends = special_values(dtype)
    sparse = binades(dtype, random)
    kinks = np.array([point for point, _ in case.kinks], dtype)
    known = np.unique(np.concatenate([ends[~np.isnan(ends)], sparse, kinks]))
    yield "special values", ends
    if kinks.size:
        yield "where the derivative jumps, and neighbours", neighbours(kinks, dtype, 1)
    yield "where the nature of the result changes", turns(case, function, known)
    yield "one in a binade", sparse
    yield "random", np.array([random.uniform(-20, 20) for _ in range(RANDOM)], dtype)


def special_values(dtype: str) -> np.ndarray:
    """Return zero, subnormal numbers, the ends of the ranges, infinity and NaN, with both signs."""
    info = np.finfo(dtype)
    integer = integer_type(dtype)
    # Odd: half of them lies in the middle between two numbers.
    subnormals = np.array([3, *((1 << info.nmant * i // 4) + 1 for i in (1, 2, 3))], integer)
    ends = np.array([info.smallest_subnormal, info.tiny, info.max], dtype)
    positive = np.concatenate(
        [np.array([0, 1, np.inf], dtype), ends, step(ends[1:], -1), subnormals.view(dtype)]
    )
    return np.concatenate([positive, -positive, np.array([np.nan], dtype)])


def binades(dtype: str, random: Random) -> np.ndarray:
    """Return a number of each binade near 1, and of some that are farther away; both signs."""
    info = np.finfo(dtype)
    near = np.arange(max(-info.nmant - 3, info.minexp), LAST_NEAR_BINADE + 1)
    far = np.arange(info.minexp, info.maxexp, max((info.maxexp - info.minexp) // FAR_BINADES, 1))
    return np.array(
        [
            sign * math.ldexp(random.uniform(1, 2), int(exponent))
            for sign in (1, -1)
            for exponent in np.union1d(near, far)
        ],
        dtype,
    )


def turns(case: Case, function: str, known: np.ndarray) -> np.ndarray:
    """Return the numbers around each place where the nature of the result changes.

    Found by bisection between numbers in ascending order: roots, overflow and underflow, where a
    limit is reached, and where the result becomes x.
    """
    found = [np.empty(0, known.dtype)]
    natures = [nature(case, function, x) for x in known]
    for low, high, before, after in zip(known, known[1:], natures, natures[1:], strict=False):
        if before != after:
            last = bisected(case, function, low, high)
            found.append(steps_from(last, [-1, 0, 1, 2]))
    return np.concatenate(found)


def bisected(case: Case, function: str, low: Any, high: Any) -> Any:
    """Return the last number with the nature of ``low``."""
    begin = nature(case, function, low)
    first, last = 0, number_of_steps(low, high)
    while last - first > 1:
        middle = (first + last) // 2
        if nature(case, function, steps_from(low, [middle])[0]) == begin:
            first = middle
        else:
            last = middle
    return steps_from(low, [first])[0]


def steps_from(x: Any, ulps: list[int]) -> np.ndarray:
    return step(np.array([x]), ulps)


def number_of_steps(low: Any, high: Any) -> int:
    def order(x: Any) -> int:
        magnitude = pattern(abs(x))
        return -magnitude if np.signbit(x) else magnitude

    return order(high) - order(low)


def nature(case: Case, function: str, x: Any) -> tuple[bool, ...]:
    """Say what of the changes between results is worth a look."""
    y = output(case, function, x)
    info = np.finfo(y.dtype)
    limits = case.row.limits if function == "value" else case.row.derivative_limits
    is_limit = y == np.asarray(limits[int(x > 0)], y.dtype)
    return bool(np.signbit(y)), y == 0, abs(y) < info.tiny, np.isinf(y), bool(is_limit), y == x


# --- the command -------------------------------------------------------------------------------


def main(arguments: list[str]) -> int:
    is_check = "--check" in arguments
    names = [argument for argument in arguments if argument != "--check"]
    cases = [case for case in DEFAULT_CASES if not names or case.row.name in names]
    if {case.row.name for case in cases} < set(names):
        print(__doc__)
        return 2
    with ProcessPoolExecutor() as pool:
        stale = list(chain(*pool.map(functools.partial(_refresh, is_check), cases)))
    if is_check and stale:
        print(f"stale: {', '.join(stale)}; refresh with: {COMMAND}")
    return int(is_check and bool(stale))


def _refresh(is_check: bool, case: Case) -> list[str]:
    """Write the tables of a case, or return the names of those that are stale."""
    stale = []
    for function in SUFFIXES:
        file, text = path(case.row.name, function), table(case, function)
        if file.exists() and file.read_text(encoding="utf-8") == text:
            continue
        stale.append(file.name)
        if not is_check:
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
