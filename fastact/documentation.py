"""The docstrings of the activations and their verbs, in numpydoc style, made from the catalogue."""

from __future__ import annotations

import math

from fastact import manners
from fastact.catalogue import EXAMPLE_POINTS, Parameter, Row
from fastact.measured_errors import FUNCTIONS, Arithmetic, arithmetics, find

_SUMMARIES = {
    "grad": "Derivative of {name} at x.",
    "backward": "Gradient through {name}: ``grad_output * {name}'(x)``, in one pass.",
    "backward_from_output": "Gradient through {name} from its output: ``grad_output * {name}'``.",
    "value_and_grad": "Value and derivative of {name} at x, in one pass.",
}
_ARGUMENTS = {
    "x": (
        "array_like of real numbers",
        "Input, on the whole real line and at the infinities. float16, bfloat16, float32 and "
        "float64 keep their dtype{integers}.",
    ),
    "grad_output": (
        "array_like of real numbers",
        "Gradient with respect to the output; broadcasts against the other argument.",
    ),
    "y": ("array_like of real numbers", "Output of {name}, as returned by ``{name}(x)``."),
}
_RETURNS = {
    "forward": "The function, {formula}",
    "grad": "The derivative, {derivative}",
    "backward": "``grad_output`` times the derivative, {derivative}",
    "backward_from_output": "``grad_output`` times the derivative, {from_output}",
    "value_and_grad": "The function, {formula}, and the derivative, {derivative}",
}


def docstring(row: Row, kind: str, arguments: tuple[str, ...]) -> str:
    """Return the docstring of one verb."""
    summary = row.summary if kind == "forward" else _SUMMARIES[kind].format(name=row.name)
    if kind == "backward" and row.parameter_gradient:
        summary = (
            f"Gradients through {row.name}: ``grad_output * {row.name}'(x)`` and the weight's."
        )
    sections = [
        summary,
        _parameters(row, kind, arguments),
        _returns(row, kind),
        _raises(row, kind),
        _notes(row, kind),
        f"References\n----------\n.. [1] {row.reference}",
        _examples(row, kind),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _parameters(row: Row, kind: str, arguments: tuple[str, ...]) -> str:
    lines = ["Parameters", "----------"]
    parameters = " if parameters are integers" * bool(row.parameters)
    kept = f"; integers too{parameters}, and others" if row.keeps_integers else "; integers"
    integers = f"{kept} become float as in numpy.tanh, int8 and bool float16"
    if row.keeps_bool:
        integers = "; so are integers and bool"
    for name in arguments:
        type_, meaning = _ARGUMENTS[name]
        meaning = meaning.format(name=row.name, integers=integers)
        lines += [f"{name} : {type_}", f"    {meaning}"]
    for parameter in row.parameters:
        default = "" if parameter.required else f", default {parameter.default}"
        arrays = "" if row.parameter_gradient else " Arrays broadcast."
        values = domain(row, parameter, kind)
        rounded = f" Rounded to the dtype of {arguments[-1]}." * parameter.is_compared
        lines += [
            f"{parameter.name} : float or array_like{default}",
            f"    {parameter.meaning.capitalize()}; {unit(parameter)}; {values}.{rounded}{arrays}",
        ]
    for option in row.options:
        default = "optional" if option.default is None else f"default {option.default}"
        lines += [
            f"{option.name} : {option.type_text}, {default}",
            f"    {option.meaning.capitalize()}.",
        ]
    result = "tuple of two ndarrays" if has_two_results(row, kind) else "ndarray"
    lines += [
        f"out : {result}, optional",
        "    Where to store the result; may be an input, or overlap one.",
        'backend : {"auto", "cython", "numba", "numpy"}, optional',
        "    Which implementation computes; by default the one set by `use_backend`.",
        'precision : {"fast", "faithful"}, optional',
        "    The largest error in float32; by default the one set by `use_precision`.",
    ]
    if manners.are_taken(row, kind):
        lines += _OF_UFUNCS
    return "\n".join(lines)


#: The arguments of ``manners``.
_OF_UFUNCS = [
    "where : array_like of bool, default True",
    "    Where to store the result; elsewhere the output stays as it is.",
    'casting : {"no", "equiv", "safe", "same_kind", "unsafe"}, default "same_kind"',
    "    Which casts of inputs and outputs are allowed.",
    'order : {"C", "F", "A", "K"}, default "K"',
    "    Memory order of a new output.",
    "dtype : dtype, optional",
    "    Floating-point dtype to compute in and to return; by default that of the arrays.",
    "subok : bool, default True",
    "    Whether the result may be of a subclass, as the input.",
]


def _returns(row: Row, kind: str) -> str:
    text = _RETURNS[kind].format(
        formula=f"``{row.formula}``",
        derivative=f"``{row.derivative}``",
        from_output=f"``{row.derivative_from_output}``",
    )
    type_ = "tuple of ndarrays or scalars" if has_two_results(row, kind) else "ndarray or scalar"
    lines = ["Returns", "-------", type_, f"    {text}, with the shape and dtype of the input."]
    if kind == "backward" and row.parameter_gradient:
        lines.append(f"    And {row.parameter_gradient}.")
    return "\n".join(lines)


def has_two_results(row: Row, kind: str) -> bool:
    return kind == "value_and_grad" or (kind == "backward" and bool(row.parameter_gradient))


def _raises(row: Row, kind: str) -> str:
    lines = ["Raises", "------", "TypeError", "    For complex, object or text input."]
    if kind == "backward_from_output" and not row.derivative_from_output:
        lines[-1] = (
            f"    Always: f' is not a function of the output; {row.no_derivative_from_output}."
        )
    lines += ["ValueError", "    If shapes do not broadcast, or a parameter is out of its domain."]
    return "\n".join(lines)


def _notes(row: Row, kind: str) -> str:
    sentences = [f"NaN gives NaN. {special_values(row)}"]
    for point, value in kinks(row):
        sentences.append(f"The derivative at x = {point}, where it jumps, is {value}.")
    if kind == "forward" and row.aliases:
        sentences.append(f"Also known as {', '.join(row.aliases)}.")
    if row.notes:
        sentences.append(row.notes)
    sentences += [accuracy(row), "Proposed in [1]_."]
    return "Notes\n-----\n" + "\n".join(sentences)


def _examples(row: Row, kind: str) -> str:
    if kind not in ("forward", "grad"):
        return ""
    values = row.example if kind == "forward" else row.derivative_example
    call = row.name if kind == "forward" else f"{row.name}.grad"
    points = str(list(EXAMPLE_POINTS))
    required = (str(p.default) for p in row.parameters if p.required)
    arguments = ", ".join([points, *required])
    shown = ", ".join(map(str, values))
    return (
        "Examples\n--------\n>>> import fastact as fa\n"
        f">>> fa.{call}({arguments}).round(4).tolist()\n[{shown}]"
    )


# --- sentences that docs/activations.md says too -----------------------------------------------


def domain(row: Row, parameter: Parameter, kind: str) -> str:
    """Say which values a verb takes for a parameter."""
    for low, high in row.ordered:
        if parameter.name in (low, high):
            return f"at most {high}" if parameter.name == low else f"at least {low}"
    from_output = parameter.domain_from_output if kind == "backward_from_output" else ""
    return from_output or parameter.domain or "any real number"


def unit(parameter: Parameter) -> str:
    """Say in which unit a parameter is."""
    return f"in units of {parameter.unit}" if parameter.unit else "a plain number"


def kinks(row: Row) -> list[tuple[float | str, str]]:
    """Return the kinks that are there with the default parameters; of others, notes tell."""
    return [kink for kink in row.kinks if row._replace(kinks=(kink,)).kinks_at(row.defaults)]


def special_values(row: Row) -> str:
    """Say what the function and the derivative are at the infinities."""
    low, high = row.limits
    derivative_low, derivative_high = row.derivative_limits
    required = [f"{p.name} = {p.default}" for p in row.parameters if p.required]
    defaults = "the default parameters" if row.parameters else ""
    parameters = " and ".join(required) or defaults
    where = f" with {parameters}" if parameters else ""
    return (
        f"At -inf and inf{where} the function is {low} and {high}, the derivative "
        f"{derivative_low} and {derivative_high}."
    )


def accuracy(row: Row) -> str:
    """Say how large the errors of the function and the derivative may be, and are."""
    if row.exact and row.parameters:
        return "The result is exact for parameters rounded to its dtype."
    if row.exact:
        return "The result is exact."
    errors = ", ".join(_errors(row, arithmetic) for arithmetic in arithmetics(row))
    return (
        f"The largest errors of the function and its derivative, in ulp: {errors}. "
        "float16 and bfloat16 are correctly rounded."
    )


def _errors(row: Row, arithmetic: Arithmetic) -> str:
    records = [find(row.kernels or row.name, function, arithmetic.name) for function in FUNCTIONS]
    found = [rounded_up(record["ulp"], arithmetic.bound) for record in records if record]
    if len(found) < len(FUNCTIONS):
        return f"{arithmetic.label} at most {arithmetic.bound}"
    return f"{arithmetic.label} {' and '.join(found)} found (at most {arithmetic.bound} allowed)"


def rounded_up(error: float, bound: int) -> str:
    """Return an error in ulp as text not below it: two decimals, or more to be below the bound."""
    texts = (f"{math.ceil(10**n * error) / 10**n:.{n}f}" for n in range(2, 17))
    return next((text for text in texts if float(text) < bound), f"{error:.2f}")
