"""Write docs/activations.md, all that the catalogue knows of each activation.

    python tools/write_activations_page.py           write it
    python tools/write_activations_page.py --check   say whether it is stale, and write nothing

The pictures are drawn by ``python -m fastact plot --all --directory docs/gallery``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from refresh import refresh

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "activations.md"
COMMAND = "python tools/write_activations_page.py"

# The package beside this script, which need not be built, and not one that is installed.
sys.path.insert(0, str(ROOT))
from fastact.catalogue import ROWS, Parameter, Row  # noqa: E402
from fastact.documentation import accuracy, domain, kinks, special_values  # noqa: E402

HEADER = f"""\
# The activations

<!-- Written from fastact/catalogue.py by: {COMMAND} -->

Each has the same verbs, see the [README](../README.md). NaN gives NaN, in the function and in the
derivative. In the pictures, a filled dot is the value that a derivative takes where it jumps, an
open one a limit that it does not take. The errors are the largest found, in Cython and Numba, and
in brackets the bounds that tests hold for all backends; [accuracy.md](accuracy.md) tells where.

Inputs, outputs and parameters are plain numbers. Where x stands for something in a unit, the tables
tell which one each parameter has.

Parameters that are compared with x (bounds, thresholds and `lambd`; the tables mark them) are
rounded to the nearest number of the dtype of x, as NumPy and the frameworks do with a Python
number. This holds for every form of parameter: a Python number, a NumPy scalar or an array. So
`hard_shrink(np.float32([0.1]), 0.1)` is 0, although 0.1 is slightly larger in float32 than in
float64. `backward_from_output` rounds them to the dtype of y. Where x has integers that become
floating-point numbers, the dtype is that of the result. All other parameters, such as slopes and
alpha, are factors and keep the digits of float64.

| name | aliases | definition |
| --- | --- | --- |
"""


def page() -> str:
    """Return the text of the page."""
    lines = [
        f"| [{row.name}](#{row.name}) | {', '.join(map(code, row.aliases))} | {code(row.formula)} |"
        for row in ROWS
    ]
    return HEADER + "\n".join(lines) + "\n" + "".join(map(section, ROWS))


def section(row: Row) -> str:
    """Return what the page tells of one activation."""
    facts = {
        "Function": code(row.formula),
        "Derivative": code(row.derivative),
        "Derivative from the output y": derivative_from_output(row),
        "Aliases": ", ".join(map(code, row.aliases)),
        "Special values": special_values(row),
        "At kinks": at_kinks(row),
        "Accuracy": accuracy(row),
        "Backward": f"returns, besides, {row.parameter_gradient}" * bool(row.parameter_gradient),
        "Notes": row.notes,
        "Reference": row.reference,
    }
    lines = [f"- **{title}**: {text}" for title, text in facts.items() if text]
    picture = f"![{row.name} and its derivative](gallery/{row.name}.svg)"
    parts = [f"## {row.name}", row.summary, picture, "\n".join(lines), parameters(row)]
    return "".join(f"\n{part}\n" for part in parts if part)


def parameters(row: Row) -> str:
    if not row.parameters:
        return ""
    lines = ["| parameter | default | meaning | unit | domain |", f"|{' --- |' * 5}"]
    lines += [
        f"| {code(p.name)} | {'required' if p.required else p.default} "
        f"| {p.meaning}{'; rounded to the dtype of x' * p.is_compared} "
        f"| {code(p.unit) if p.unit else 'none'} | {domain_of(row, p)} |"
        for p in row.parameters
    ]
    lines += [
        f"| {code(o.name)} | {o.default} | {o.meaning} |  | {o.type_text} |" for o in row.options
    ]
    return "\n".join(lines)


def domain_of(row: Row, parameter: Parameter) -> str:
    everywhere, from_output = (
        domain(row, parameter, kind) for kind in ("forward", "backward_from_output")
    )
    if everywhere == from_output:
        return everywhere
    return f"{everywhere}; in `backward_from_output` {from_output}"


def derivative_from_output(row: Row) -> str:
    if row.derivative_from_output:
        return code(row.derivative_from_output)
    return f"there is none: {row.no_derivative_from_output}"


def at_kinks(row: Row) -> str:
    return ", ".join(
        f"the derivative at {code(f'x = {point}')} is {code(value)}" for point, value in kinks(row)
    )


def code(text: Any) -> str:
    return f"`{text}`"


def main(arguments: list[str]) -> int:
    return refresh(PAGE, page(), arguments, COMMAND, __doc__)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
