"""Write the generated sources of the Cython backend into build/: loops and coefficients.

``setup.py`` calls :func:`generate`. From the catalogue, it instantiates ``loops.pyx.in``, once for
each level of instruction sets; from
``coefficients.py``, it writes ``coefficients.h`` with one function for each polynomial, so that the
compiler sees literals.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import combinations
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
BACKEND = ROOT / "fastact" / "cython_backend"
DTYPES = {"float": "float32", "double": "float64"}
#: Where scalar functions are, by what their names end in.
FILES = {
    "": "exponential_free.pxi",
    "_float": "float32.pxi",
    "_fast": "float32_fast.pxi",
    "_double": "float64.pxi",
}
#: Elements of a block: a whole number of vectors, of 64 bytes at most, of either type.
BLOCK = 16


class Verb(NamedTuple):
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    statements: tuple[str, ...]


# {value}, {grad} and {grad_from_output} are the scalar functions with the first of their arguments
# to come, {rest} is the others; {type} is the C type, the other names are operands.
VERBS = {
    "forward": Verb(("x",), ("y",), ("{y}[i] = <{type}>{value}({x}[i]{rest})",)),
    "grad": Verb(("x",), ("d",), ("{d}[i] = <{type}>{grad}({x}[i]{rest})",)),
    "backward": Verb(("g", "x"), ("d",), ("{d}[i] = <{type}>({g}[i] * {grad}({x}[i]{rest}))",)),
    "own_backward": Verb(("g", "x"), ("d",), ("{d}[i] = {own}({g}[i], {x}[i]{rest})",)),
    "backward_from_output": Verb(
        ("g", "y"), ("d",), ("{d}[i] = <{type}>({g}[i] * {grad_from_output}({y}[i]{rest}))",)
    ),
    "own_backward_from_output": Verb(("g", "y"), ("d",), ("{d}[i] = {own}({g}[i], {y}[i]{rest})",)),
    # Both are computed before either is stored: an output may be the input.
    "value_and_grad": Verb(
        ("x",),
        ("y", "d"),
        (
            "value = <{type}>{value}({x}[i]{rest})",
            "{d}[i] = <{type}>{grad}({x}[i]{rest})",
            "{y}[i] = value",
        ),
    ),
}


class Body(NamedTuple):
    """The statements of a loop where ``condition`` holds: an output is this or that input."""

    name: str
    condition: str
    operands: tuple[str, ...]
    statements: tuple[str, ...]


class Arguments(NamedTuple):
    """What a body gets for the parameters where ``condition`` holds."""

    condition: str
    values: tuple[str, ...]


class Loop:
    """One loop of ``loops.pyx.in``: an activation, a verb, a type, and one of the variants:

    "" (parameters are numbers), "broadcast" (parameters are arrays) or "fast" (default parameters).
    """

    def __init__(self, row: Any, verb: str, c_type: str, variant: str = "") -> None:
        self.type = c_type
        broadcast, fast = variant == "broadcast", variant == "fast"
        suffix = "" if row.exponential_free else "_fast" if fast else f"_{c_type}"
        own = f"own_{verb}" in VERBS and has_kernel(FILES[suffix], f"{row.name}_{verb}{suffix}")
        self.inputs, self.outputs, self.templates = VERBS[f"own_{verb}" if own else verb]
        # A name of its own: a parameter may be called as an activation or an operand is.
        self.parameters = () if fast else tuple(f"given_{p.name}" for p in row.parameters)
        self.parameter_type = "double*" if broadcast else "double"
        kind = f"_{variant}" if variant else ""
        self.name = f"{row.name}_{verb}_{c_type}{kind}_loop"
        self.key = (row.name, verb, DTYPES[c_type] + kind)

        kernel = suffix or f"[{c_type}]"
        rest = [f", {name}[i]" if broadcast else f", {name}" for name in self.parameters]
        self.text = {
            "type": c_type,
            "value": f"{row.name}{kernel}",
            "grad": f"{row.name}_grad{kernel}",
            "own": f"{row.name}_{verb}{kernel}",
            "grad_from_output": f"{row.name}_grad_from_output{kernel}",
            "rest": "".join(rest),
        }
        # Where an output that is an input has no body of its own, no promise is made.
        self.operand_type = f"{c_type}*" if broadcast else f"{c_type}_operand"
        self.bodies = list(self._bodies(in_place=not broadcast))
        self.arguments = [Arguments("if True:", self.parameters)]
        if self.parameters and not broadcast:
            # With literals, the compiler drops what the defaults do not need.
            defaults = tuple(map(repr, map(float, row.defaults)))
            equal = " and ".join(map(" == ".join, zip(self.parameters, defaults, strict=True)))
            self.arguments = [
                Arguments(f"if {equal}:", defaults),
                Arguments("else:", self.parameters),
            ]

    def _bodies(self, in_place: bool) -> Iterator[Body]:
        """Yield one body for each output and the inputs that it may be, and one for the rest."""
        keyword = "if"
        for output in self.outputs if in_place else ():
            for count in range(len(self.inputs), 0, -1):
                for shared in combinations(self.inputs, count):
                    equal = " and ".join(f"{output} == {given}" for given in shared)
                    yield self._body(f"{keyword} {equal}:", dict.fromkeys(shared, output))
                    keyword = "elif"
        yield self._body("else:" if keyword == "elif" else "if True:", {})

    def _body(self, condition: str, renamed: dict[str, str]) -> Body:
        operands = self.inputs + self.outputs
        names = {operand: renamed.get(operand, operand) for operand in operands}
        return Body(
            name="_".join([self.name, "body", *renamed, *set(renamed.values())]),
            condition=condition,
            operands=tuple(dict.fromkeys(names.values())),
            statements=tuple(text.format(**self.text, **names) for text in self.templates),
        )

    def parameter_source(self, index: int) -> str:
        if self.parameter_type == "double":
            return f"parameters[{index}]"
        return f"<double*>inputs[{len(self.inputs) + index}]"


def with_kernels(rows: Any) -> list[Any]:
    return [row for row in rows if not row.kernels]


def loops(rows: Any) -> Iterator[Loop]:
    for row in with_kernels(rows):
        for verb in filter(lambda verb: not verb.startswith("own_"), VERBS):
            if verb == "backward_from_output" and not row.derivative_from_output:
                continue
            for c_type in DTYPES:
                yield Loop(row, verb, c_type)
                if row.parameters:
                    yield Loop(row, verb, c_type, "broadcast")
            if not row.exponential_free:
                yield Loop(row, verb, "float", "fast")


def coefficients_header(table: ModuleType) -> str:
    lines = ["/* Written by tools/generate_cython.py from fastact/coefficients.py. */"]
    names = [name for name in vars(table) if name.isupper()]
    for name in names:
        values = getattr(table, name)
        if isinstance(values, float):
            single = "f" if "_FAST" in name else ""
            lines.append(f"#define {name} ({values.hex()}{single})")
            continue
        single = "f" if "_FAST" in name else ""
        lines += [f"#define {name}_{i} ({value.hex()}{single})" for i, value in enumerate(values)]
        low = getattr(table, f"{name}_LOW", None)
        compensated = 0 if low is None else 1 if isinstance(low, float) else len(low)
        suffix = "tail" if compensated else "polynomial"
        function = f"{name.lower()}_{suffix}"
        if name.endswith(("_FAST", "_SHORT")) and len(values) > 2:
            c_type = "float" if single else "double"
            lines.append(one_chain_function(function, name, c_type, len(values)))
        elif len(values) > 2:
            lines.append(polynomial_function(function, name, compensated, len(values)))
    return "\n".join(lines) + "\n"


def polynomial_function(function: str, name: str, first: int, count: int) -> str:
    """Return a C function of x: Horner's scheme, even and odd powers apart.

    The two chains are independent, so the processor waits half as long for each result.
    """
    even, odd = (
        horner(name, range(start, count, 2), "u", "fastact_multiply_add")
        for start in (first, first + 1)
    )
    return (
        f"static CYTHON_INLINE double {function}(double x)\n"
        f"{{\n    double u = x * x;\n    return fastact_multiply_add(x, {odd}, {even});\n}}"
    )


def one_chain_function(function: str, name: str, c_type: str, count: int) -> str:
    """Return a C function of x: Horner's scheme.

    One chain has the fewest operations; the processor computes several elements at a time anyway.
    """
    suffix = "_float" if c_type == "float" else ""
    expression = horner(name, range(count), "x", f"fastact_multiply_add{suffix}")
    return f"static CYTHON_INLINE {c_type} {function}({c_type} x)\n{{\n    return {expression};\n}}"


def horner(name: str, indices: range, variable: str, multiply_add: str) -> str:
    """Return the polynomial with these coefficients of ``name``, as a C expression."""
    expression = f"{name}_{indices[-1]}"
    for i in reversed(indices[:-1]):
        expression = f"{multiply_add}({variable}, {expression}, {name}_{i})"
    return expression


def check_kernels(rows: Any) -> None:
    """Fail with the name of the file to edit if a row has no scalar function."""
    exponential_free = [row for row in with_kernels(rows) if row.exponential_free]
    others = [row for row in with_kernels(rows) if not row.exponential_free]
    for suffix, file in FILES.items():
        for row in others if suffix else exponential_free:
            functions = ["", "_grad"] + ["_grad_from_output"] * bool(row.derivative_from_output)
            for function in functions:
                name = f"{row.name}{function}{suffix}"
                if not has_kernel(file, name):
                    raise SystemExit(
                        f"fastact/catalogue.py declares {row.name!r}, but "
                        f"fastact/cython_backend/{file} has no function {name}"
                    )


@cache
def kernels(file: str) -> str:
    return (BACKEND / file).read_text()


def has_kernel(file: str, name: str) -> bool:
    return f" {name}(" in kernels(file)


def load(name: str) -> ModuleType:
    """Import one data module of the package by path: the package itself is not built yet."""
    spec = importlib.util.spec_from_file_location(f"_{name}", ROOT / "fastact" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def generate(directory: Path, modules: Iterable[str]) -> None:
    """Write ``coefficients.h`` and one copy of the loops for each module into ``directory``."""
    from Cython import Tempita

    rows = load("catalogue").ROWS
    check_kernels(rows)
    directory.mkdir(parents=True, exist_ok=True)
    template = Tempita.Template((BACKEND / "loops.pyx.in").read_text(), name="loops.pyx.in")
    text = template.substitute(rows=with_kernels(rows), loops=list(loops(rows)), block=BLOCK)
    for module in modules:
        write_if_changed(directory / f"{module}.pyx", text)
    write_if_changed(directory / "coefficients.h", coefficients_header(load("coefficients")))


def write_if_changed(path: Path, text: str) -> None:
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
