"""Write the tables in docs/accuracy.md, the largest errors found, from the records of them.

    python tools/write_accuracy_page.py           write them
    python tools/write_accuracy_page.py --check   say whether they are stale, and write nothing

The records are fastact/measured_errors.json; the page tells how to measure them.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from refresh import refresh

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "accuracy.md"
COMMAND = "python tools/write_accuracy_page.py"

# The package beside this script, which need not be built, and not one that is installed.
sys.path.insert(0, str(ROOT))
from fastact.catalogue import ROWS, Row  # noqa: E402
from fastact.measured_errors import (  # noqa: E402
    FAITHFUL,
    FAST,
    FLOAT64,
    FLOAT64_NUMPY,
    FUNCTIONS,
    Arithmetic,
    find,
)

#: The arithmetics, and the columns of their tables beside the largest error: title, field.
COLUMNS = {
    FAST: (("at x =", "x"), ("subnormal", "subnormal")),
    FAITHFUL: (("at x =", "x"), ("misrounded", "misrounded")),
    FLOAT64: (("at x =", "x"),),
    FLOAT64_NUMPY: (("at x =", "x"),),
}


def table(arithmetic: Arithmetic) -> str:
    """Return the table of one arithmetic, and what it was measured with."""
    rows = [row for row in ROWS if any(records(row, arithmetic))]
    titles = [title for title, _ in COLUMNS[arithmetic]]
    header = ["function", "ulp", *titles, "derivative: ulp", *titles, "inputs"]
    lines = [header, ["---"] * len(header), *(cells(row, arithmetic) for row in rows)]
    measured = sorted({provenance(r) for row in rows for r in records(row, arithmetic) if r})
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + (
        f"\n\nMeasured with {'; '.join(measured)}."
    )


def records(row: Row, arithmetic: Arithmetic) -> list[dict[str, Any] | None]:
    return [find(row.name, function, arithmetic.name) for function in FUNCTIONS]


def cells(row: Row, arithmetic: Arithmetic) -> list[str]:
    found = [record or {} for record in records(row, arithmetic)]
    fields = ["ulp", *(field for _, field in COLUMNS[arithmetic])]
    inputs = sorted({text(record, "inputs") for record in found if record})
    return [row.name, *(text(record, field) for record in found for field in fields), *inputs[-1:]]


def text(record: dict[str, Any], field: str) -> str:
    value = record.get(field, "")
    if field == "inputs" and value == 1 << 32:
        return "all"
    if isinstance(value, float):
        return f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) else value


def provenance(record: dict[str, Any]) -> str:
    return (
        f"fastact {record['fastact']}, NumPy {record['numpy']}, compiler {record['compiler']}, "
        f"instruction set {record['instruction_set']}"
    )


def page(text: str) -> str:
    """Return the text of the page with fresh tables between their marks."""
    for arithmetic in COLUMNS:
        begin, end = (f"<!-- {arithmetic.name}: {mark} -->" for mark in ("begin", "end"))
        pattern = f"{re.escape(begin)}\n.*{re.escape(end)}"
        fresh = f"{begin}\n{table(arithmetic)}\n{end}"
        text = re.sub(pattern, lambda _, fresh=fresh: fresh, text, flags=re.DOTALL)
    return text


def main(arguments: list[str]) -> int:
    return refresh(PAGE, page(PAGE.read_text(encoding="utf-8")), arguments, COMMAND, __doc__)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
