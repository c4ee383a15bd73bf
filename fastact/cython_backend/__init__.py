"""The Cython backend: typed loops without the GIL, vectorised by the compiler.

``exponential_free.pxi``, ``float32.pxi``, ``float32_fast.pxi`` and ``float64.pxi`` hold the scalar
functions f and f', ``primitives.pxi`` and ``double_double.pxi`` the arithmetic beneath,
``loops.pyx.in`` the loops over arrays, ``sixteen_bits.h`` those over float16 and bfloat16. They are
built once for each level of instruction sets (``setup.py``); this file chooses the level.
``fastact/driver`` runs the loops.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from fastact.catalogue import ROWS
from fastact.driver import supported_levels
from fastact.environment import LEVELS, allowed_levels

#: The error of the highest level that this processor has, if its loops cannot be imported.
missing_level: ImportError | None = None


def _import_loops(level: str) -> Any:
    """Import the loops of a level by a plain statement, which tools such as PyInstaller follow."""
    if level == "v4":
        import fastact.cython_backend._loops_v4 as loops
    elif level == "v3":
        import fastact.cython_backend._loops_v3 as loops
    else:
        import fastact.cython_backend._loops_baseline as loops
    return loops


def _load_highest() -> tuple[str, Any]:
    """Return the highest level that was built, that the processor has, and that is allowed."""
    global missing_level
    usable = [level for level in allowed_levels() if level in _SUPPORTED]
    for level in reversed(usable):
        try:
            return level, _import_loops(level)
        except ImportError as error:
            missing_level = missing_level or error
    assert missing_level is not None
    raise missing_level


def _built_levels() -> list[str]:
    return [level for level in LEVELS if find_spec(f"{__name__}._loops_{level}")]


_SUPPORTED = supported_levels()
_LEVEL, _LOOPS = _load_highest()
_ADDRESSES = _LOOPS.addresses()
_PRODUCT_ADDRESSES = _LOOPS.product_addresses()
_SUM_ADDRESSES = _LOOPS.sum_addresses()
_PARAMETERS = _LOOPS.parameters()
# An extension that was built before its row changed would read other parameters than it is given.
_CURRENT = {
    row.name
    for row in ROWS
    if _PARAMETERS.get(row.name) == tuple((p.name, p.default) for p in row.parameters)
}


def loop_address(name: str, verb: str, loop: str) -> int:
    """Return the address of a loop, or 0 if the extension is older than the activation's row.

    ``loop`` is "float32", "float64", one of these with "_broadcast", or "float32_fast".
    """
    address: int = _ADDRESSES.get((name, verb, loop), 0) if name in _CURRENT else 0
    return address


def product_address(dtype: str) -> int:
    """Return the address of the loop that multiplies by a table: "float16" or "bfloat16".

    Its inputs are g and what the table is looked up for, its parameters are the table.
    """
    address: int = _PRODUCT_ADDRESSES[dtype]
    return address


def sum_address(dtype: str) -> int:
    """Return the address of what sums the gradient of slopes: "float32" or "float64"."""
    address: int = _SUM_ADDRESSES[dtype]
    return address


def information() -> dict[str, Any]:
    """Return facts for ``show_config``."""
    return {
        "instruction_sets_built": ", ".join(_built_levels()),
        "instruction_sets_found": ", ".join(_SUPPORTED),
        "instruction_set": _LEVEL,
    }
