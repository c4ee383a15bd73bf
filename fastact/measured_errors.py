"""The largest errors found, by activation, function and arithmetic, in measured_errors.json.

The file is read when a docstring or a page asks for it, and nobody edits it: ``fastact verify
--record`` writes what it finds in float32, tools/search_float64_errors.py what it finds in float64.
Each replaces the records of what it measured and leaves the others. A record has

* ``ulp``, the largest error where the true result is normal, 0.5 if all are correctly rounded,
  and ``x``, where it is ("" if all are);
* ``inputs``, how many were tried;
* in float32 ``misrounded``, how many results were not the nearest number, and in fast precision
  ``subnormal``, the largest error where the true result is subnormal, in units of 2^-126;
* ``fastact``, ``numpy``, ``compiler`` and ``instruction_set``: what computed.
"""

from __future__ import annotations

import functools
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple, cast

from fastact.catalogue import Row

# If the package is in a zip file, the resource is not a Path but reads like one.
FILE = cast(Path, resources.files("fastact").joinpath("measured_errors.json"))
FUNCTIONS = ("value", "grad")


class Arithmetic(NamedTuple):
    """A way to compute that has a bound of its own, in ulp; ``label`` is for people."""

    name: str
    label: str
    bound: int


FAST = Arithmetic("float32-fast", "float32", 4)
FAITHFUL = Arithmetic("float32-faithful", "float32 in faithful precision", 1)
ONLY_FLOAT32 = FAITHFUL._replace(label="float32")
FLOAT64 = Arithmetic("float64", "float64", 2)
#: The NumPy backend: long double, rounded once. Its float32 is faithful, and not recorded.
FLOAT64_NUMPY = Arithmetic("float64-numpy", "float64 of the NumPy backend", 2)


def arithmetics(row: Row) -> tuple[Arithmetic, ...]:
    """Return the arithmetics that the documentation of an activation tells of."""
    return (ONLY_FLOAT32, FLOAT64) if row.exponential_free else (FAST, FAITHFUL, FLOAT64)


def find(name: str, function: str, arithmetic: str, file: Path = FILE) -> dict[str, Any] | None:
    """Return the record of an activation ("value") or its derivative ("grad"), if there is one."""
    return load(file).get(f"{name}/{function}/{arithmetic}")


def merge(file: Path, name: str, function: str, arithmetic: str, record: dict[str, Any]) -> None:
    """Write a record into the file, in place of the one that is there."""
    import json

    load.cache_clear()
    records = load(file) | {f"{name}/{function}/{arithmetic}": record | _provenance()}
    lines = [f"{json.dumps(key)}: {json.dumps(records[key])}" for key in sorted(records)]
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    load.cache_clear()


@functools.cache
def load(file: Path) -> dict[str, dict[str, Any]]:
    """Return the records of a file; none if it does not exist."""
    import json

    records: dict[str, dict[str, Any]] = (
        json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    )
    return records


def _provenance() -> dict[str, str]:
    from fastact import config

    facts = config.show_config("dicts")
    versions, extension = facts["versions"], facts["extension"]
    return {
        "fastact": versions["fastact"],
        "numpy": versions["numpy"],
        "compiler": extension.get("compiler", ""),
        "instruction_set": extension.get("instruction_set", ""),
    }
