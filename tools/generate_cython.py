"""Write the generated sources of the Cython backend into build/: loops and coefficients.

``setup.py`` calls :func:`generate`. From the catalogue, it instantiates ``loops.pyx.in``; from
``coefficients.py``, it writes ``coefficients.h`` with one function for each polynomial, so that the
compiler sees literals.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
BACKEND = ROOT / "fastact" / "cython_backend"
DTYPES = {"float": "float32", "double": "float64"}


class Verb(NamedTuple):
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    statements: tuple[str, ...]


# {value}, {grad} and {grad_from_output} are calls of the scalar functions; {type} is the C type.
VERBS = {
    "forward": Verb(("x",), ("y",), ("y[i] = <{type}>{value}",)),
    "grad": Verb(("x",), ("d",), ("d[i] = <{type}>{grad}",)),
    "backward": Verb(("g", "x"), ("d",), ("d[i] = <{type}>(g[i] * {grad})",)),
    "backward_from_output": Verb(
        ("g", "y"), ("d",), ("d[i] = <{type}>(g[i] * {grad_from_output})",)
    ),
    # Both are computed before either is stored: an output may be the input.
    "value_and_grad": Verb(
        ("x",), ("y", "d"), ("value = <{type}>{value}", "d[i] = <{type}>{grad}", "y[i] = value")
    ),
}  # fmt: skip


class Loop:
    """One loop of ``loops.pyx.in``: an activation, a verb, a type, a kind of parameters."""

    def __init__(self, row: Any, verb: str, c_type: str, broadcast: bool) -> None:
        self.type = c_type
        self.inputs, self.outputs, statements = VERBS[verb]
        self.operands = self.inputs + self.outputs
        self.parameters = tuple(parameter.name for parameter in row.parameters)
        self.parameter_type = "double*" if broadcast else "double"
        self.name = f"{row.name}_{verb}_{c_type}_loop" + ("_broadcast" if broadcast else "")
        parameter_kind = "broadcast" if broadcast else "scalar"
        self.key = (row.name, verb, DTYPES[c_type], parameter_kind)

        arguments = "".join(
            f", {name}[i]" if broadcast else f", {name}" for name in self.parameters
        )
        specialised = f"[{c_type}]" if row.exponential_free else f"_{c_type}"
        self.statements = [
            statement.format(
                type=c_type,
                value=f"{row.name}{specialised}(x[i]{arguments})",
                grad=f"{row.name}_grad{specialised}(x[i]{arguments})",
                grad_from_output=f"{row.name}_grad_from_output{specialised}(y[i]{arguments})",
            )
            for statement in statements
        ]
        self.calls = list(self._calls(in_place=not broadcast))

    def _calls(self, in_place: bool) -> Iterator[tuple[str, str]]:
        """Yield (condition, operands): one call for each input that an output may be, and else."""
        keyword = "if"
        for output in self.outputs if in_place else ():
            for given in self.inputs:
                shared = [output if operand == given else operand for operand in self.operands]
                yield f"{keyword} {output} == {given}:", ", ".join(shared)
                keyword = "elif"
        yield "else:" if keyword == "elif" else "if True:", ", ".join(self.operands)

    def parameter_source(self, index: int) -> str:
        if self.parameter_type == "double":
            return f"parameters[{index}]"
        return f"<double*>inputs[{len(self.inputs) + index}]"


def loops(rows: Any) -> Iterator[Loop]:
    for row in rows:
        for verb in VERBS:
            if verb == "backward_from_output" and not row.derivative_from_output:
                continue
            for c_type in DTYPES:
                yield Loop(row, verb, c_type, broadcast=False)
                if row.parameters:
                    yield Loop(row, verb, c_type, broadcast=True)


def coefficients_header(table: ModuleType) -> str:
    lines = ["/* Written by tools/generate_cython.py from fastact/coefficients.py. */"]
    names = [name for name in vars(table) if name.isupper()]
    for name in names:
        values = getattr(table, name)
        if isinstance(values, float):
            lines.append(f"#define {name} ({values.hex()})")
            continue
        lines += [f"#define {name}_{i} ({value.hex()})" for i, value in enumerate(values)]
        low = getattr(table, f"{name}_LOW", None)
        compensated = 0 if low is None else 1 if isinstance(low, float) else len(low)
        suffix = "tail" if compensated else "polynomial"
        if len(values) > 2:
            function = f"{name.lower()}_{suffix}"
            lines.append(polynomial_function(function, name, compensated, len(values)))
    return "\n".join(lines) + "\n"


def polynomial_function(function: str, name: str, first: int, count: int) -> str:
    """Return a C function of x: Horner's scheme, even and odd powers apart.

    The two chains are independent, so the processor waits half as long for each result.
    """
    even, odd = (horner(name, range(start, count, 2)) for start in (first, first + 1))
    return (
        f"static inline double {function}(double x)\n"
        f"{{\n    double u = x * x;\n    return {even} + x * {odd};\n}}"
    )


def horner(name: str, indices: range) -> str:
    """Return the polynomial in u = x**2 with these coefficients of ``name``, as a C expression."""
    expression = f"{name}_{indices[-1]}"
    for i in reversed(indices[:-1]):
        expression = f"({name}_{i} + u * {expression})"
    return expression


def check_kernels(rows: Any) -> None:
    """Fail with the name of the file to edit if a row has no scalar function."""
    files = {
        "exponential_free.pxi": [row for row in rows if row.exponential_free],
        "float32.pxi": [row for row in rows if not row.exponential_free],
        "float64.pxi": [row for row in rows if not row.exponential_free],
    }
    suffix = {"exponential_free.pxi": "", "float32.pxi": "_float", "float64.pxi": "_double"}
    for file, declared in files.items():
        text = (BACKEND / file).read_text()
        for row in declared:
            functions = ["", "_grad"] + ["_grad_from_output"] * bool(row.derivative_from_output)
            for function in functions:
                name = f"{row.name}{function}{suffix[file]}"
                if f" {name}(" not in text:
                    raise SystemExit(
                        f"fastact/catalogue.py declares {row.name!r}, but "
                        f"fastact/cython_backend/{file} has no function {name}"
                    )


def load(name: str) -> ModuleType:
    """Import one data module of the package by path: the package itself is not built yet."""
    spec = importlib.util.spec_from_file_location(f"_{name}", ROOT / "fastact" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def generate(directory: Path) -> None:
    """Write ``_loops.pyx`` and ``coefficients.h`` into ``directory``."""
    from Cython import Tempita

    rows = load("catalogue").ROWS
    check_kernels(rows)
    directory.mkdir(parents=True, exist_ok=True)
    template = Tempita.Template((BACKEND / "loops.pyx.in").read_text(), name="loops.pyx.in")
    write_if_changed(directory / "_loops.pyx", template.substitute(loops=list(loops(rows))))
    write_if_changed(directory / "coefficients.h", coefficients_header(load("coefficients")))


def write_if_changed(path: Path, text: str) -> None:
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
