"""Write fastact/__init__.pyi, the types of the public names, from the catalogue.

    python tools/write_stubs.py           write it
    python tools/write_stubs.py --check   say whether it is stale, and write nothing

An activation without parameters is an ``Activation``; each other list of parameters gets a class
of its own, so that type checkers and editors know the names and the defaults.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from refresh import refresh

PACKAGE = Path(__file__).resolve().parent.parent / "fastact"
STUB = PACKAGE / "__init__.pyi"
#: Modules whose public names are functions and classes, not activations.
_REPEATED = ("fastact.config", "fastact.memory")
COMMAND = "python tools/write_stubs.py"

HEADER = f'''\
"""The types of the public names. Written from the catalogue by: {COMMAND}"""

from typing import Any, Literal, TypeAlias, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

{{imports}}

__version__: str

_Backend: TypeAlias = Literal["auto", "cython", "numba", "numpy"] | None
_Precision: TypeAlias = Literal["fast", "faithful"] | None
_Casting: TypeAlias = Literal["no", "equiv", "safe", "same_kind", "unsafe"]
_Order: TypeAlias = Literal["C", "F", "A", "K"]
_Scalar: TypeAlias = bool | int | float | np.number[Any] | np.bool
_Array: TypeAlias = NDArray[Any]
_Out = TypeVar("_Out", bound=_Array)
'''

FACTS = """\
    @property
    def name(self) -> str: ...
    @property
    def aliases(self) -> tuple[str, ...]: ...
    @property
    def formula(self) -> str: ...
    @property
    def derivative(self) -> str: ...
    @property
    def parameters(self) -> tuple[Parameter, ...]: ...
    @property
    def kinks(self) -> tuple[tuple[float | str, str], ...]: ...
    def kinks_at(self, **parameters: float) -> tuple[tuple[float, float], ...]: ...
    @property
    def exponential_free(self) -> bool: ...
    @property
    def reference(self) -> str: ...
"""

# attribute of an activation: the class of its type
VERBS = {
    "grad": "_Function",
    "backward": "_Backward",
    "backward_from_output": "_BackwardFromOutput",
    "value_and_grad": "_ValueAndGrad",
}


# activation: the methods that it alone has
METHODS = {
    "rrelu": """\
    def draw_slopes(
        self,
        shape: int | tuple[int, ...],
        lower: ArrayLike = 0.125,
        upper: ArrayLike = 0.3333333333333333,
        rng: Any = None,
    ) -> Any: ...
""",
}


LINE_LENGTH = 100


class Declaration(NamedTuple):
    """A parameter or an option, as the stub declares it."""

    name: str
    text: str
    keyword_only: bool


class Overload(NamedTuple):
    input: str
    out: str
    result: str


# What every call takes with the meaning of NumPy's ufuncs.
OF_UFUNCS = (
    "where: ArrayLike = True",
    'casting: _Casting = "same_kind"',
    'order: _Order = "K"',
    "dtype: DTypeLike | None = None",
    "subok: bool = True",
)
ONE_RESULT = (
    Overload("_Scalar", "None = None", "Any"),
    Overload("ArrayLike", "None = None", "_Array"),
    Overload("ArrayLike", "_Out | tuple[_Out]", "_Out"),
)
TWO_ARRAYS = "tuple[_Array | None, _Array | None]"
TWO_RESULTS = (
    Overload("_Scalar", "None = None", "tuple[Any, Any]"),
    Overload("ArrayLike", f"{TWO_ARRAYS} | None = None", "tuple[_Array, _Array]"),
)
# class: its arguments and its overloads
FUNCTIONS = {
    "_Function": (("x",), ONE_RESULT),
    "_Backward": (("grad_output", "x"), ONE_RESULT),
    "_BackwardFromOutput": (("grad_output", "y"), ONE_RESULT),
    "_ValueAndGrad": (("x",), TWO_RESULTS),
}


def stub() -> str:
    """Return the text of the stub."""
    catalogue = load_catalogue()
    by_parameters: dict[tuple[Declaration, ...], list[Any]] = {(): []}
    for row in catalogue.ROWS:
        by_parameters.setdefault(tuple(declarations(row)), []).append(row)

    imports, public = read_init()
    sections = [HEADER.format(imports="\n".join(imports)).rstrip()]
    for parameters, rows in by_parameters.items():
        sections += classes(parameters, rows[0] if rows else None)
    names = {
        name: class_name("Activation", parameters)
        for parameters, rows in by_parameters.items()
        for row in rows
        for name in (row.name, *row.aliases)
    }
    functions = ["def names() -> tuple[str, ...]: ...", *overloads_of_get(names)]
    sections.append("\n".join(functions))
    sections.append("\n".join(f"{name}: {names[name]}" for name in sorted(names)))
    listed = "".join(f'    "{name}",\n' for name in public)
    sections.append(f"__all__ = [\n{listed}]")
    return "\n\n".join(sections) + "\n"


def declarations(row: Any) -> Iterator[Declaration]:
    """Yield what a call takes after its arrays."""
    for parameter in row.parameters:
        default = "" if parameter.required else f" = {parameter.default!r}"
        yield Declaration(parameter.name, f"{parameter.name}: ArrayLike{default}", False)
    for option in row.options:
        text = f"{option.name}: {option.annotation} = {option.default!r}"
        yield Declaration(option.name, text, option.keyword_only)


def classes(parameters: tuple[Declaration, ...], row: Any) -> Iterator[str]:
    """Yield the classes of the activations with these parameters, and of their verbs."""
    has_gradient = row is not None and bool(row.parameter_gradient)
    is_required = row is not None and any(parameter.required for parameter in row.parameters)

    def define(name: str, bases: list[str], body: Iterable[str]) -> str:
        listed = f"({', '.join(bases)})" if bases else ""
        return f"class {class_name(name, parameters)}{listed}:\n" + "".join(body).rstrip("\n")

    for name, (arguments, overloads) in FUNCTIONS.items():
        bases = [name] if parameters else []
        of_ufuncs = OF_UFUNCS
        if name == "_Backward" and has_gradient:
            overloads, of_ufuncs = TWO_RESULTS, ()
        body = methods(arguments, parameters, overloads, is_required, of_ufuncs)
        yield define(name, bases, body)
    bases = [class_name("_Function", parameters)] + (["Activation"] if parameters else [])
    verbs = [f"    {verb}: {class_name(type_, parameters)}\n" for verb, type_ in VERBS.items()]
    verbs += [METHODS[row.name]] if row is not None and row.name in METHODS else []
    yield define("Activation", bases, verbs if parameters else [*verbs, FACTS])


def methods(
    arguments: tuple[str, ...],
    parameters: tuple[Declaration, ...],
    overloads: Iterable[Overload],
    is_required: bool,
    of_ufuncs: tuple[str, ...],
) -> Iterator[str]:
    # Without the required parameter, calls of the base class are right.
    comment = "  # type: ignore[override]" if is_required else ""
    for case in overloads:
        lines = [
            "self",
            *(f"{name}: {case.input}" for name in arguments),
            *(declared.text for declared in parameters if not declared.keyword_only),
            "*",
            *(declared.text for declared in parameters if declared.keyword_only),
            f"out: {case.out}",
            "backend: _Backend = None",
            "precision: _Precision = None",
            *of_ufuncs,
        ]
        listed = "".join(f"        {line},\n" for line in lines)
        yield f"    @overload{comment}\n    def __call__(\n{listed}    ) -> {case.result}: ...\n"
        comment = ""  # mypy looks for it at the first


def class_name(name: str, parameters: tuple[Declaration, ...]) -> str:
    """``Activation``, or ``_ActivationAlpha`` for activations with the parameter ``alpha``."""
    suffix = "".join(
        "".join(part.capitalize() for part in parameter.name.split("_")) for parameter in parameters
    )
    return f"_{name.lstrip('_')}{suffix}" if suffix else name


def overloads_of_get(names: dict[str, str]) -> Iterator[str]:
    for type_ in sorted({type_ for type_ in names.values() if type_ != "Activation"}):
        listed = ", ".join(f'"{name}"' for name in sorted(names) if names[name] == type_)
        line = f"def get(name: Literal[{listed}]) -> {type_}: ..."
        if len(line) > LINE_LENGTH:
            line = f"def get(\n    name: Literal[{listed}],\n) -> {type_}: ..."
        yield f"@overload\n{line}"
    yield "@overload\ndef get(name: str) -> Activation: ..."


def read_init() -> tuple[list[str], list[str]]:
    """Return the imports of ``__init__.py`` that the stub repeats, and its ``__all__``."""
    imports = ["from fastact.catalogue import Parameter"]
    public: list[str] = []
    for node in ast.parse((PACKAGE / "__init__.py").read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.module in _REPEATED:
            listed = "".join(f"    {name.name},\n" for name in node.names)
            imports.append(f"from {node.module} import (\n{listed})")
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            public = ast.literal_eval(node.value)
    return imports, public


def load_catalogue() -> Any:
    """Import the catalogue by path: the package itself need not be built."""
    spec = importlib.util.spec_from_file_location("_catalogue", PACKAGE / "catalogue.py")
    if spec is None or spec.loader is None:
        raise ImportError("fastact/catalogue.py cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(arguments: list[str]) -> int:
    return refresh(STUB, stub(), arguments, COMMAND, __doc__)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
