"""``Activation``: a function and its verbs, ``grad``, ``backward`` and the rest.

An activation and each of its verbs is a ``Verb``: a callable that looks like a ufunc (``nin``,
``nout``, ``signature``) to Dask, xarray and pandas. Where the extension is built, its base class
serves the common call; everything else goes to ``dispatch.call``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from fastact import config, dispatch, manners, memory, numpy_backend, saving, sloped
from fastact.catalogue import DOMAINS, NAMES, ROWS, Option, Parameter, Row

if config.driver is not None:
    _Base: Any = config.driver.FastPath
else:
    _Base = object

#: verb: (arguments, number of results)
VERBS = {
    "forward": (("x",), 1),
    "grad": (("x",), 1),
    "backward": (("grad_output", "x"), 1),
    "backward_from_output": (("grad_output", "y"), 1),
    "value_and_grad": (("x",), 2),
}


class _Documentation:
    """The text of the class on the class; on an instance, made from its row when asked for."""

    def __init__(self, class_text: str) -> None:
        self.class_text = class_text

    def __get__(self, verb: Verb | None, owner: type) -> str:
        if verb is None:
            return self.class_text
        from fastact import documentation  # for those who ask: import fastact is quick

        return documentation.docstring(verb.row, verb.kind, verb.arguments)


def _kind_of(option: Option) -> Any:
    if option.keyword_only:
        return inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter.POSITIONAL_OR_KEYWORD


class Verb(_Base):  # type: ignore[misc]
    __doc__ = _Documentation("One verb of one activation.")

    # As of NumPy's ufuncs: element by element, and no reduction has a beginning.
    signature = None
    identity = None

    def __init__(
        self, row: Row, kind: str, backend: str | None = None, precision: str | None = None
    ) -> None:
        self.row = row
        self.kind = kind
        #: The backend and the precision to compute with, or None for those in force at the call.
        self.backend = backend
        self.precision = precision
        self.arguments, self.nout = VERBS[kind]
        if kind == "backward" and row.parameter_gradient:
            self.nout = 2
        #: What an error calls the arrays and parameters, in the order of a call.
        self.input_names = self.arguments + tuple(p.name for p in row.parameters)
        self.nin = len(self.input_names)
        #: What a call takes by position or name, and by name only.
        by_name = tuple(option.name for option in row.options if option.keyword_only)
        by_position = tuple(option.name for option in row.options if not option.keyword_only)
        self.positional = self.input_names + by_position
        self.keywords = by_name + dispatch.KEYWORDS
        if manners.are_taken(row, kind):
            self.keywords += tuple(manners.DEFAULTS)
        self.required = self.arguments + tuple(p.name for p in row.parameters if p.required)
        #: Whether any parameter is rounded to the dtype of x or y.
        self.has_compared = any(parameter.is_compared for parameter in row.parameters)
        #: The verb that computes this one, or None: see ``sloped.py``.
        self.kernel: Verb | None = None
        if row.kernels:
            self.kernel = Verb(sloped.kernel_row(row), kind, backend, precision)
        self.__name__ = row.name if kind == "forward" else f"{row.name}.{kind}"
        self.__qualname__ = self.__name__
        self.__module__ = "fastact"
        if self.kernel is not None:
            self.kernel.__name__ = self.__name__
        if config.driver is not None and backend is None and precision is None:
            self._enter_fast_path()

    def _enter_fast_path(self) -> None:
        """Describe the verb to the compiled base class, which serves the common call."""
        row = self.row
        if self.kernel is None:
            names = [parameter.name for parameter in row.parameters]
            self._describe(
                len(self.arguments),
                self.nout,
                [
                    (p.name, p.default, p.required, self._signs(p), p.kernel_range, p.is_compared)
                    for p in row.parameters
                ],
                [(names.index(low), names.index(high)) for low, high in row.ordered],
                row.chunk,
                self.is_bound_by_memory,
                row.keeps_integers,
                self.kind == "backward_from_output" and numpy_backend.has_bounds(row),
            )
            self.adopt_loops("cython", config.cython_backend.loop_address)
        elif self.is_defined:
            shared = [name for name in self.input_names if name in self.kernel.input_names]
            sums = [0, 0]
            if self.nout > self.kernel.nout:
                sums = [config.cython_backend.sum_address(name) for name in ("float32", "float64")]
            self._use_kernel(self.kernel, len(shared), *sums)

    def adopt_loops(self, backend: str, address_of: Callable[[str, str, str], int]) -> None:
        """Let the fast path call the loops of a backend that have an address."""
        fast = "float32" if self.row.exponential_free else "float32_fast"
        loops = ["float32", fast, "float64"]
        if self.row.parameters:
            loops += ["float32_broadcast", "float64_broadcast"]
        addresses = [address_of(self.row.name, self.kind, loop) for loop in loops]
        addresses += [0] * (5 - len(addresses))
        self._use_loops(dispatch.COMPILED_BACKENDS.index(backend), *addresses)

    def adopt_table(self, name: str, dtype: np.dtype, table: np.ndarray, loop: int = 0) -> None:
        """Let the fast path use a table that this backend has computed.

        It is one of results, or that of the loop at this address.
        """
        if name in dispatch.COMPILED_BACKENDS:
            self._use_table(dispatch.COMPILED_BACKENDS.index(name), dtype.num, table, loop)

    def _new_outputs(self, inputs: list[np.ndarray], size: int) -> tuple[np.ndarray, ...]:
        """Return new outputs, of so many bytes, for the compiled driver."""
        with memory.new_arrays(size):
            return memory.empty_as_of_ufunc(inputs, inputs[0].dtype, self.nout)

    def _settle_ties(
        self,
        x: np.ndarray,
        parameters: Sequence[Any],
        results: Sequence[np.ndarray],
        dtype: np.dtype,
    ) -> None:
        """Settle the rounding of 16 bits for the compiled driver: see ``rounding.settle_ties``."""
        with np.errstate(all="ignore"):
            dispatch.settle_ties_of(self, [x], parameters, results, [dtype] * self.nout)

    def _saturate(self, y: np.ndarray, parameters: Sequence[Any], dtype: np.dtype) -> None:
        """Change outputs at a bound for the compiled driver: see ``numpy_backend.saturated``."""
        with np.errstate(all="ignore"):
            y[...] = numpy_backend.saturated(self.row, y.astype(dtype), y, parameters)

    @property
    def is_bound_by_memory(self) -> bool:
        """Whether computing takes less time than loading and storing large arrays."""
        return self.row.exponential_free or self.kind == "backward_from_output"

    @property
    def is_defined(self) -> bool:
        return self.kind != "backward_from_output" or bool(self.row.derivative_from_output)

    @property
    def why_undefined(self) -> str:
        return (
            f"the derivative of {self.row.name} is not a function of its output: "
            f"{self.row.no_derivative_from_output}; use {self.row.name}.backward"
        )

    def _signs(self, parameter: Parameter) -> int:
        """Return which values the parameter may have, for the fast path: a domain is one of signs.

        1 for values below 0, 2 for 0, 4 for values above 0.
        """
        domains = [parameter.domain]
        if self.kind == "backward_from_output":
            domains.append(parameter.domain_from_output)
        checks = [DOMAINS[domain] for domain in domains if domain]
        return sum(
            1 << i for i, value in enumerate((-1, 0, 1)) if all(check(value) for check in checks)
        )

    def _general_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not self.is_defined:
            raise TypeError(f"{self.__name__}: {self.why_undefined}")
        driver = dispatch if self.kernel is None else sloped
        return driver.call(self, args, kwargs)

    def evaluate(
        self,
        operands: Sequence[Any],
        parameters: Sequence[Any],
        out: tuple[Any, ...],
        settings: config.Settings,
    ) -> Any:
        """Return the results for arguments that no other library takes over."""
        return dispatch.evaluate(self, operands, parameters, out, settings)

    if config.driver is None:

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return self._general_call(args, kwargs)

    @property
    def __signature__(self) -> inspect.Signature:
        positional = [
            inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD)
            for name in self.arguments
        ]
        parameters = [
            inspect.Parameter(
                p.name,
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=inspect.Parameter.empty if p.required else p.default,
            )
            for p in self.row.parameters
        ]
        options = [
            inspect.Parameter(option.name, _kind_of(option), default=option.default)
            for option in self.row.options
        ]
        keywords = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None)
            for name in dispatch.KEYWORDS
        ]
        keywords += [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default)
            for name, default in manners.DEFAULTS.items()
            if manners.are_taken(self.row, self.kind)
        ]
        return inspect.Signature([*positional, *parameters, *options, *keywords])

    def __repr__(self) -> str:
        return f"<fastact {self.__name__}>"

    def bound_to(self, backend: str | None, precision: str | None) -> Verb:
        """Return this verb with settings of its own, for those who compute later or elsewhere."""
        if backend is None and precision is None:
            return self
        return _bound(self.row.name, self.kind, backend, precision)

    @property
    def nargs(self) -> int:
        return self.nin + self.nout

    @property
    def types(self) -> list[str]:
        """The types of loops, as of a NumPy ufunc: parameters are doubles."""
        parameters = "d" * (self.nin - len(self.arguments))
        integers = "bBhHiIlLqQ" if self.row.keeps_integers and not self.row.parameters else ""
        return [
            f"{len(self.arguments) * char}{parameters}->{self.nout * char}"
            for char in f"{integers}efd"
        ]

    @property
    def ntypes(self) -> int:
        return len(self.types)

    @property
    def ufunc(self) -> np.ufunc:
        """The true ufunc over the compiled loops, for code that takes nothing else.

        Its inputs are the arrays and then the parameters. It does not check their domain, has no
        default for them, and uses the backend and the precision that were in force when it was
        asked for. There is none (``AttributeError``) of prelu, of rrelu, and of
        ``backward_from_output`` where the derivative is not a function of the output.
        """
        return dispatch.ufunc_of(self)

    @property
    def unbound(self) -> Verb:
        """The verb of the catalogue that has the kernels, without settings of its own."""
        activation = get(self.row.name)
        return activation if self.kind == "forward" else getattr(activation, self.kind)

    def sibling(self, kind: str) -> Verb:
        """Return another verb of the activation, with the same settings."""
        return _bound(self.row.name, kind, self.backend, self.precision)

    def get_config(self) -> dict[str, Any]:
        """Return what Keras saves of this verb with a model."""
        saving.register(SAVED_CLASSES)
        return {
            "name": self.row.name,
            "kind": self.kind,
            "backend": self.backend,
            "precision": self.precision,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Verb:
        """Return the verb that Keras saved."""
        name, kind = config["name"], config["kind"]
        backend, precision = config["backend"], config["precision"]
        if backend is not None or precision is not None:
            return _bound(name, kind, backend, precision)
        return get(name) if kind == "forward" else getattr(get(name), kind)

    def __reduce__(self) -> Any:
        if self.backend is not None or self.precision is not None or self.kind == "forward":
            return _bound, (self.row.name, self.kind, self.backend, self.precision)
        return getattr, (get(self.row.name), self.kind)


class Activation(Verb):
    __doc__ = _Documentation(
        """An activation function: callable, with its gradients as verbs.

        ``f(x)``, ``f.grad(x)``, ``f.backward(grad_output, x)``,
        ``f.backward_from_output(grad_output, y)`` and ``f.value_and_grad(x)``; each takes the
        parameters of the activation after its arrays, then ``out=``, ``backend=`` and
        ``precision=``.
        """
    )

    def __init__(self, row: Row) -> None:
        super().__init__(row, "forward")
        self.grad = Verb(row, "grad")
        self.backward = Verb(row, "backward")
        self.backward_from_output = Verb(row, "backward_from_output")
        self.value_and_grad = Verb(row, "value_and_grad")

    @property
    def name(self) -> str:
        return self.row.name

    @property
    def aliases(self) -> tuple[str, ...]:
        return self.row.aliases

    @property
    def formula(self) -> str:
        return self.row.formula

    @property
    def derivative(self) -> str:
        return self.row.derivative

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return self.row.parameters

    @property
    def kinks(self) -> tuple[tuple[float | str, str], ...]:
        return self.row.kinks

    def kinks_at(self, **parameters: float) -> tuple[tuple[float, float], ...]:
        """Return the kinks for these values of parameters, by default those of the row.

        Returns
        -------
        tuple of tuple of float
            Points, and the derivative there.

        Examples
        --------
        >>> import fastact as fa
        >>> fa.hard_tanh.kinks_at(max_val=6)
        ((-1.0, 0.0), (6.0, 0.0))
        """
        return self.row.kinks_at([parameters.get(p.name, p.default) for p in self.row.parameters])

    @property
    def exponential_free(self) -> bool:
        return self.row.exponential_free

    @property
    def reference(self) -> str:
        return self.row.reference

    def __reduce__(self) -> Any:
        return get, (self.row.name,)


class RandomSlopes(Activation):
    __doc__ = _Documentation("An activation whose slopes are drawn: rrelu.")

    def draw_slopes(
        self, shape: Any, lower: Any = 1 / 8, upper: Any = 1 / 3, rng: Any = None
    ) -> np.ndarray:
        """Draw the slopes that a call with ``training=True`` and the same ``rng`` draws.

        Parameters
        ----------
        shape : int or tuple of ints
            The shape of x.
        lower : float or array_like, default 0.125
            Least slope. Arrays broadcast.
        upper : float or array_like, default 0.3333333333333333
            Bound of the slopes, not below lower. Arrays broadcast.
        rng : numpy.random.Generator, or a seed as for numpy.random.default_rng, optional
            What draws; a generator is advanced by as many numbers as there are elements.

        Returns
        -------
        ndarray or scalar
            Slopes from [lower, upper), as float64.

        Raises
        ------
        ValueError
            If lower is above upper.

        Examples
        --------
        >>> import fastact as fa
        >>> slopes = fa.rrelu.draw_slopes(3, rng=7)
        >>> y = fa.rrelu([-1.0, 0.0, 2.0], slopes=slopes)
        >>> dx = fa.rrelu.backward(1.0, [-1.0, 0.0, 2.0], slopes=slopes)
        >>> bool(y[0] == -slopes[0]), dx.tolist() == [slopes[0], slopes[1], 1.0]
        (True, True)
        """
        return sloped.draw_slopes(self, shape, lower, upper, rng)


_ACTIVATIONS = {
    row.name: RandomSlopes(row) if row.name == "rrelu" else Activation(row) for row in ROWS
}
_BY_ALIAS = {alias: _ACTIVATIONS[row.name] for row in ROWS for alias in row.aliases}


#: The classes of a model's activations, by their names in the files of Keras.
SAVED_CLASSES = {"Verb": Verb, "Activation": Activation, "RandomSlopes": RandomSlopes}
saving.register(SAVED_CLASSES)
if config.driver is not None:
    for _verb in (_ACTIVATIONS["relu"], _ACTIVATIONS["rrelu"], _ACTIVATIONS["relu"].grad):
        config.driver.use_vectorcall(type(_verb), _verb)


def _bound(name: str, kind: str, backend: str | None, precision: str | None) -> Verb:
    return Verb(_ACTIVATIONS[name].row, kind, backend, precision)


def names() -> tuple[str, ...]:
    """Return the names of all activations, without aliases.

    Examples
    --------
    >>> import fastact as fa
    >>> "relu" in fa.names()
    True
    """
    return NAMES


def get(name: str) -> Activation:
    """Return the activation with this name or alias.

    Parameters
    ----------
    name : str
        A name of `names`, or one of its aliases.

    Returns
    -------
    Activation

    Raises
    ------
    ValueError
        If there is none.

    Examples
    --------
    >>> import fastact as fa
    >>> fa.get("swish") is fa.silu
    True
    """
    if not isinstance(name, str):
        raise TypeError(f"get: name must be a string, got {name!r}")
    key = config.canonical(name)
    found = _ACTIVATIONS.get(key) or _BY_ALIAS.get(key)
    if found is None:
        raise ValueError(f"get: name must be one of {', '.join(NAMES)} or an alias, got {name!r}")
    return found
