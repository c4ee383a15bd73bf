"""``Function``: a function with the arguments of another library that calls one of fastact.

A module of this package is a table of them: one declaration as its library writes it, and the call
of fastact that it stands for. Both are Python and say what they do; nothing else does.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

import fastact as fa
from fastact import config, saving
from fastact.catalogue import EXAMPLE_POINTS
from fastact.dispatch import KEYWORDS
from fastact.rounding import is_bfloat16

#: Arguments that the gradients do not take: they concern how a result is stored, or a graph.
FORWARD_ONLY = ("inplace", "name")
VERBS = ("forward", "grad", "backward", "backward_from_output", "value_and_grad")

#: Verbs with a gradient before the other array
TAKE_GRADIENT = ("backward", "backward_from_output")

_SUMMARIES = {
    "forward": "``{origin}`` for NumPy arrays.",
    "grad": "Derivative of ``{origin}``.",
    "backward": "Gradient through ``{origin}``: ``grad_output`` times the derivative.",
    "backward_from_output": "Gradient through ``{origin}``, from its output: ``grad_output`` times "
    "the derivative.",
    "value_and_grad": "Value and derivative of ``{origin}``, in one pass.",
}


class Target(NamedTuple):
    """What a call of a library's function comes to: an activation and what it is given."""

    activation: Any
    x: Any
    parameters: tuple[Any, ...]
    options: dict[str, Any]


def target_of(activation: Any) -> Callable[..., Target]:
    """Return a function that looks like a call of the activation and only notes its arguments."""

    def call(x: Any, *parameters: Any, **options: Any) -> Target:
        return Target(activation, x, parameters, options)

    call.activation = activation  # type: ignore[attr-defined]
    return call


#: What ``fa`` is in the calls of a table.
_ACTIVATIONS = SimpleNamespace(**{name: target_of(fa.get(name)) for name in fa.names()})


class Row(NamedTuple):
    """One function of a library. All but ``helpers`` is text for people too."""

    library: str
    origin: str
    name: str
    #: The arguments as the library writes them; what follows a * is fastact's own.
    arguments: tuple[str, ...]
    #: The call of fastact, in terms of the arguments.
    call: str
    #: Where values or derivatives differ from the library's.
    differences: str
    #: The values that an argument may have, where these are few.
    choices: Mapping[str, tuple[Any, ...]]
    #: Arguments that may not be arrays, though parameters of activations may.
    numbers: tuple[str, ...]
    #: What an example gives for arguments without a default.
    example: str
    #: What ``call`` names besides activations.
    helpers: Mapping[str, Any]

    @property
    def x(self) -> str:
        """The name of the input."""
        return self.arguments[0]


class _Documentation:
    """The text of the class on the class; on an instance, made from its row when asked for."""

    def __init__(self, class_text: str) -> None:
        self.class_text = class_text

    def __get__(self, verb: Verb | None, owner: type) -> str:
        return self.class_text if verb is None else docstring(verb)


_Base: Any = object if config.driver is None else config.driver.DirectCall


class Verb(_Base):  # type: ignore[misc]
    __doc__ = _Documentation("One verb of a function of another library.")

    def __init__(self, row: Row, kind: str) -> None:
        self.row = row
        self.kind = kind
        self.__name__ = row.name if kind == "forward" else f"{row.name}.{kind}"
        self.__qualname__ = self.__name__
        self.__module__ = f"fastact.compat.{row.library}"
        self._translate = self._compiled(self._translation(), {"fa": _ACTIVATIONS, **row.helpers})
        if config.driver is not None and not row.name.endswith("_"):
            self._use_direct(self._compiled(self._direct_call(), self._verbs()))

    def _compiled(self, result: str, names: Mapping[str, Any]) -> Callable[..., Any]:
        """Return a function of the row's arguments: the checks, and then this expression."""
        checks = {"choice": self._check_choice, "number": self._check_number}
        own = {"flag": self._check_flag, "general_call": self._general_call, **checks}
        text = f"lambda {', '.join(self._arguments())}: {result}"
        scope = {"__name__": __name__, **names, **own}
        function: Callable[..., Any] = eval(text, scope)
        # What Python calls it in errors about arguments.
        function.__name__ = function.__qualname__ = f"{self.row.library}.{self.__name__}"
        return function

    def _arguments(self) -> list[str]:
        arguments = list(self.row.arguments)
        if self.kind != "forward":
            arguments = [a for a in arguments if a.partition("=")[0] not in FORWARD_ONLY]
        if self.kind == "backward_from_output":
            arguments[0] = "y"
        if self.kind in TAKE_GRADIENT:
            arguments.insert(0, "grad_output")
        return arguments

    def _checks(self) -> list[str]:
        """Return the expressions that check arguments."""
        flags = [a.split("=") for a in self._arguments() if a.endswith(("=True", "=False"))]
        return [
            *(f"choice({name!r}, {name})" for name in self.row.choices),
            *(f"type({name}) is float or number({name!r}, {name})" for name in self.row.numbers),
            *(f"{name} is {default} or flag({name!r}, {name})" for name, default in flags),
        ]

    def _of_output(self, call: str) -> str:
        return f"(lambda {self.row.x}: {call})(y)" if self.kind == "backward_from_output" else call

    def _translation(self) -> str:
        """Return the row as (checks ..., write into x?, grad_output, Target)."""
        row, in_place = self.row, "False"
        if self.kind == "forward":
            is_in_place = str(row.name.endswith("_"))
            in_place = "inplace" if "inplace=False" in row.arguments else is_in_place
        grad_output = "grad_output" if self.kind in TAKE_GRADIENT else "None"
        # Checks come first: the call may go by what they check.
        parts = [*self._checks(), in_place, grad_output, self._of_output(row.call)]
        return f"({', '.join(parts)})"

    def _direct_call(self) -> str:
        """Return the row as the call of the verb, for calls without keywords of fastact."""
        call = self.row.call
        if self.kind in TAKE_GRADIENT:
            called = "|".join([r"fa\.\w+", *self._composites()])
            call = re.sub(rf"\b({called})\(", r"\1(grad_output, ", call)
        call = self._of_output(call)
        # Names that are no attributes, and no tuple: those take as long as short loops.
        call = call.replace("fa.", "fa_")
        checks = self._checks()
        if checks:
            call = f"({call}) if {' and '.join(f'({check})' for check in checks)} else None"
        if "inplace=False" not in self._arguments():
            return call
        names = [a.partition("=")[0] for a in self._arguments() if a != "*"]
        given = ", ".join(f"{name!r}: {name}" for name in names)
        return f"({call}) if inplace is False else general_call((), {{{given}}})"

    def _composites(self) -> dict[str, Any]:
        helpers = self.row.helpers.items()
        return {name: f.activation for name, f in helpers if hasattr(f, "activation")}

    def _verbs(self) -> dict[str, Any]:
        """Return what the names in the call of a row stand for."""

        def verb(activation: Any) -> Any:
            return activation if self.kind == "forward" else getattr(activation, self.kind)

        activations = {f"fa_{name}": verb(fa.get(name)) for name in fa.names()}
        composites = {name: verb(activation) for name, activation in self._composites().items()}
        return {**activations, **self.row.helpers, **composites}

    # Each check returns True, or raises.

    def _check_choice(self, name: str, value: Any) -> bool:
        choices = self.row.choices[name]
        if not any(isinstance(value, type(choice)) and value == choice for choice in choices):
            raise ValueError(self._message(name, " or ".join(map(repr, choices)), value))
        return True

    def _check_number(self, name: str, value: Any) -> bool:
        if type(value) is np.ndarray and value.shape == () and value.dtype.char in "fd":
            return True  # as below, in less time
        if type(value) in (int, float) or (value is None and f"{name}=None" in self.row.arguments):
            return True
        array = np.asarray(value)
        if array.ndim or not (array.dtype.kind in "biuf" or is_bfloat16(array.dtype)):
            raise TypeError(self._message(name, "a real number", value))
        return True

    def _check_flag(self, name: str, value: Any) -> bool:
        if value is not True and value is not False and not isinstance(value, np.bool_):
            raise TypeError(self._message(name, "a bool", value))
        return True

    def _message(self, name: str, expected: str, value: Any) -> str:
        return f"{self.row.library}.{self.__name__}: {name} must be {expected}, got {value!r}"

    def _general_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        # What was not given is not passed on: the fast path of fastact takes no keywords.
        settings = {name: kwargs.pop(name) for name in KEYWORDS if name in kwargs}
        *_, in_place, grad_output, target = self._translate(*args, **kwargs)
        if in_place:
            settings["out"] = self._in_place_output(target.x, settings.get("out"))
        if self.kind == "forward":
            verb = target.activation
        else:
            verb = getattr(target.activation, self.kind)
        arrays = (grad_output, target.x) if self.kind in TAKE_GRADIENT else (target.x,)
        return verb(*arrays, *target.parameters, **target.options, **settings)

    if config.driver is None:

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return self._general_call(args, kwargs)

    def _in_place_output(self, x: Any, out: Any) -> Any:
        name = f"{self.row.library}.{self.__name__}"
        if out is not None:
            raise TypeError(f"{name}: out must not be given where the result goes into the input")
        if not isinstance(x, np.ndarray):
            raise TypeError(
                f"{name}: {self.row.x} must be an ndarray to be written into, "
                f"got {type(x).__name__}"
            )
        return x

    @property
    def __signature__(self) -> inspect.Signature:
        own = inspect.signature(self._translate)
        keywords = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None)
            for name in KEYWORDS
        ]
        return own.replace(parameters=[*own.parameters.values(), *keywords])

    def __repr__(self) -> str:
        return f"<fastact.compat.{self.row.library}.{self.__name__}>"

    def __reduce__(self) -> Any:
        return _verb, (self.row.library, self.row.name, self.kind)

    def get_config(self) -> dict[str, Any]:
        """Return what Keras saves of this verb with a model."""
        saving.register(SAVED_CLASSES)
        return {"library": self.row.library, "name": self.row.name, "kind": self.kind}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Verb:
        """Return the verb that Keras saved."""
        return _verb(config["library"], config["name"], config["kind"])


class Function(Verb):
    __doc__ = _Documentation(
        """A function of another library: callable, with its gradients as verbs.

        ``f(x)``, ``f.grad(x)``, ``f.backward(grad_output, x)``,
        ``f.backward_from_output(grad_output, y)`` and ``f.value_and_grad(x)``; each takes the
        arguments of the library's function after its arrays, then ``out=``, ``backend=`` and
        ``precision=``.
        """
    )

    def __init__(self, row: Row) -> None:
        super().__init__(row, "forward")
        self.grad = Verb(row, "grad")
        self.backward = Verb(row, "backward")
        self.backward_from_output = Verb(row, "backward_from_output")
        self.value_and_grad = Verb(row, "value_and_grad")


#: As in ``fastact.activation``.
SAVED_CLASSES = {"CompatVerb": Verb, "CompatFunction": Function}
saving.register(SAVED_CLASSES)
if config.driver is not None:
    for _class in SAVED_CLASSES.values():
        config.driver.use_direct_vectorcall(_class)


class Library:
    """Makes the functions of one module, in the order in which it declares them."""

    def __init__(self, name: str, namespace: str, **helpers: Any) -> None:
        self.name = name
        self.namespace = namespace
        self.helpers = helpers
        self.functions: list[Function] = []

    def function(
        self,
        declaration: str,
        call: str,
        differences: str = "",
        *,
        origin: str = "",
        example: str = "",
        numbers: tuple[str, ...] = (),
        **choices: tuple[Any, ...],
    ) -> Function:
        """Return the function ``name(arguments)`` that stands for this call."""
        name, _, arguments = declaration.removesuffix(")").partition("(")
        row = Row(
            self.name,
            f"{origin or self.namespace}.{name}",
            name,
            tuple(arguments.split(", ")),
            call,
            differences,
            choices,
            numbers,
            example,
            self.helpers,
        )
        self.functions.append(Function(row))
        return self.functions[-1]

    def names(self) -> list[str]:
        """Return the names of the functions, which are all that a module shows."""
        return [function.__name__ for function in self.functions]


def _verb(library: str, name: str, kind: str) -> Verb:
    function: Function = getattr(importlib.import_module(f"fastact.compat.{library}"), name)
    return function if kind == "forward" else getattr(function, kind)


# --- docstrings --------------------------------------------------------------------------------


def docstring(verb: Verb) -> str:
    """Return the docstring of one verb, in numpydoc style."""
    row = verb.row
    notes = [f"Computes ``{row.call}``{', where ``fa`` is fastact' * ('fa.' in row.call)}."]
    if row.differences:
        notes.append(f"Differences: {row.differences}.")
    sections = [
        _SUMMARIES[verb.kind].format(origin=row.origin),
        _parameters(verb),
        _returns(verb),
        "Notes\n-----\n" + "\n".join(notes),
        _examples(verb),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _parameters(verb: Verb) -> str:
    lines = ["Parameters", "----------"]
    for parameter in inspect.signature(verb._translate).parameters.values():
        default = "" if parameter.default is parameter.empty else f", default {parameter.default!r}"
        lines += [f"{parameter.name} : {_meaning(verb.row, parameter.name, default)}"]
    lines += [
        "out : ndarray, optional" if "value" not in verb.kind else "out : tuple of two, optional",
        "    Where to store the result; may be an input, or overlap one.",
        'backend : {"auto", "cython", "numba", "numpy"}, optional',
        "    Which implementation computes; by default the one set by `fastact.use_backend`.",
        'precision : {"fast", "faithful"}, optional',
        "    The largest error in float32; by default the one set by `fastact.use_precision`.",
    ]
    return "\n".join(lines)


def _meaning(row: Row, name: str, default: str) -> str:
    if name == row.x:
        return f"array_like of real numbers\n    Input of {row.origin}."
    if name == "y":
        return f"array_like of real numbers\n    Output of {row.origin}."
    if name == "grad_output":
        return "array_like of real numbers\n    Gradient with respect to the output."
    if name == "inplace":
        return f"bool{default}\n    Whether to write the result into {row.x}, an ndarray."
    if name == "name":
        return f"str{default}\n    Ignored."
    if name in row.choices:
        return f"{{{', '.join(map(repr, row.choices[name]))}}}{default}\n    As in {row.origin}."
    if name in ("rng", "slopes"):
        return f"optional{default}\n    As in `fastact.rrelu`."
    return f"value{default}\n    As in {row.origin}."


def _returns(verb: Verb) -> str:
    what = {
        "forward": "ndarray or scalar\n    The function, with the shape and dtype of the input.",
        "grad": "ndarray or scalar\n    The derivative, with the shape and dtype of the input.",
        "backward": "ndarray or scalar\n    ``grad_output`` times the derivative.",
        "backward_from_output": "ndarray or scalar\n    ``grad_output`` times the derivative.",
        "value_and_grad": "tuple of ndarrays or scalars\n    The function and the derivative.",
    }
    return f"Returns\n-------\n{what[verb.kind]}"


def _examples(verb: Verb) -> str:
    row = verb.row
    if verb.kind not in ("forward", "grad") or row.name.endswith("_"):
        return ""
    arguments = f"{list(EXAMPLE_POINTS)}{', ' if row.example else ''}{row.example}"
    shown = eval(f"verb({arguments})", {"verb": verb}).round(4).tolist()
    return (
        f"Examples\n--------\n>>> from fastact.compat import {row.library}\n"
        f">>> {row.library}.{verb.__name__}({arguments}).round(4).tolist()\n{shown}"
    )
