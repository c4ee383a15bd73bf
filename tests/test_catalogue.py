"""One row declares an activation: what must follow from it is there, or a test names the file.

The formulas of the rows are text for people, but they are Python too: they are evaluated here with
mpmath, and the other facts of the row are held against them.
"""

from __future__ import annotations

import ast
import math
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from test_layouts import VERBS, over_verbs

import fastact as fa
from fastact import config, numpy_backend
from fastact.catalogue import (
    DOMAINS,
    EXAMPLE_POINTS,
    NO_ELEMENTARY_INVERSE,
    NOT_MONOTONIC,
    ROWS,
)

mpmath = pytest.importorskip("mpmath")
mp = mpmath.mp

PACKAGE = Path(fa.__file__).parent
SOURCES = Path(__file__).resolve().parent.parent / "fastact"  # an installation lacks the .pxi files
over_rows = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
WITH_KERNELS = [row for row in ROWS if not row.kernels]
over_rows_with_kernels = pytest.mark.parametrize(
    "row", WITH_KERNELS, ids=[row.name for row in WITH_KERNELS]
)


def functions(row) -> list[str]:
    from_output = [f"{row.name}_grad_from_output"] if row.derivative_from_output else []
    return [row.name, f"{row.name}_grad", *from_output]


# --- completeness --------------------------------------------------------------------------------


@over_rows_with_kernels
def test_the_numpy_backend_has_its_functions(row):
    for name in functions(row):
        assert callable(getattr(numpy_backend, name, None)), (
            f"{row.name} has no {name}: add it to fastact/numpy_backend.py"
        )


@over_rows_with_kernels
@pytest.mark.parametrize("package", ["numba_backend", "cython_backend"])
def test_the_compiled_backends_have_its_functions(row, package):
    """In the sources, so that this runs where the backend does not."""
    suffix = ".py" if package == "numba_backend" else ".pxi"
    files = ["exponential_free"] if row.exponential_free else ["float32", "float64"]
    for file in files:
        path = SOURCES / package / f"{file}{suffix}"
        for name in functions(row):
            # "_float" or "_double" may follow: in Cython, one function for each type.
            definition = rf"^(def |cdef .*\b)?{name}(_float|_double)?(\(| = )"
            assert re.search(definition, path.read_text(), flags=re.MULTILINE), (
                f"{row.name} has no {name}: add it to fastact/{package}/{path.name}"
            )


@over_verbs
def test_every_backend_runs_it(verb, backend):
    for dtype in ("float32", "float64"):
        x = np.ones(3, dtype)
        in_arrays = () if verb.kernel else tuple(np.full(3, p.default) for p in verb.row.parameters)
        for parameters in ((), in_arrays):
            try:
                verb(*[x] * len(verb.arguments), *parameters, backend=backend)
            except (AttributeError, KeyError, NameError) as error:
                pytest.fail(
                    f"{verb.__name__} does not run in {dtype}: {error!r}; add its functions to "
                    f"fastact/{backend}_backend, and build again if that is compiled"
                )


@pytest.mark.skipif(config.cython_backend is None, reason="the extension is not built")
@over_verbs
def test_the_fast_path_has_its_loops(verb):
    verb = verb.kernel or verb
    loops = ["float32", "float64"] + ["float32_fast"] * (not verb.row.exponential_free)
    address = config.cython_backend.loop_address
    assert all(address(verb.row.name, verb.kind, loop) for loop in loops), (
        f"{verb.__name__} has no compiled loop: build again with "
        "python setup.py build_ext --inplace (loops.pyx.in and tools/generate_cython.py make them)"
    )


@over_rows
def test_names_and_aliases_are_public(row):
    for name in (row.name, *row.aliases):
        message = f"{name}: add it to fastact/__init__.py"
        assert getattr(fa, name, None) is fa.get(row.name), message
        assert name in fa.__all__, f"{message}, to __all__"
        assert fa.get(name) is fa.get(row.name)


@over_rows
def test_names_and_aliases_are_in_the_stub(row):
    declared = {
        ast.unparse(node.target)
        for node in ast.parse((PACKAGE / "__init__.pyi").read_text()).body
        if isinstance(node, ast.AnnAssign)
    }
    for name in (row.name, *row.aliases):
        assert name in declared, f"{name} is not in the stub: python tools/write_stubs.py"


def test_names_are_those_of_the_rows():
    assert fa.names() == tuple(row.name for row in ROWS)
    public = {name for name in fa.__all__ if isinstance(getattr(fa, name), fa.Activation)}
    assert public == {name for row in ROWS for name in (row.name, *row.aliases)}, (
        "fastact/__init__.py has a name that no row of fastact/catalogue.py declares"
    )


def test_all_is_sorted_and_true():
    assert fa.__all__ == sorted(fa.__all__)
    assert all(hasattr(fa, name) for name in fa.__all__)


def test_names_and_aliases_are_unique():
    names = [name for row in ROWS for name in (row.name, *row.aliases)]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)


@over_rows
def test_a_row_is_complete(row):
    """With the fields of each other: what one fact demands of the next."""
    where = f"fastact/catalogue.py, row {row.name}"
    assert row.summary.endswith("."), where
    assert row.reference.endswith("."), where
    assert bool(row.derivative_from_output) != bool(row.no_derivative_from_output), where
    assert len(row.example) == len(row.derivative_example) == len(EXAMPLE_POINTS), where
    assert row.exponential_free or not row.exact, where
    assert row.exponential_free or not row.keeps_integers, where
    assert row.kernels in ("", *(other.name for other in WITH_KERNELS)), where
    reserved = {"x", "y", "grad_output", "out", "backend"}
    assert not reserved & {parameter.name for parameter in row.parameters}, where
    for parameter in row.parameters:
        assert parameter.meaning, where
        assert not parameter.domain or DOMAINS[parameter.domain](parameter.default), where
        assert not parameter.domain_from_output or parameter.domain_from_output in DOMAINS, where
    assert {name for pair in row.ordered for name in pair} <= {p.name for p in row.parameters}
    variables = set(re.findall(r"\b[a-z_]\w*", row.formula)) - set(NAMES) - {"if", "else"}
    assert variables == {"x"} | {parameter.name for parameter in row.parameters}, where


# --- the formulas, evaluated ---------------------------------------------------------------------

NAMES = {name: getattr(mp, name) for name in ("exp", "log", "sqrt", "erf", "tanh", "cosh", "pi")}
NAMES |= {"max": max, "min": min, "abs": abs}


def evaluate(row, text, **variables):
    """Evaluate a formula, "... with s = ... and u = ..." included, at the default parameters."""
    names = {**NAMES, **{p.name: mp.mpf(p.default) for p in row.parameters}, **variables}
    names.setdefault(row.name, lambda x: evaluate(row, row.formula, x=x))
    formula, _, definitions = text.partition(" with ")
    for definition in reversed(definitions.split(" and ") if definitions else []):
        name, _, value = definition.partition(" = ")
        names[name.strip()] = eval(value, names)
    return mp.mpf(eval(formula, names))


@over_rows
def test_examples_are_the_formulas(row):
    with mp.workdps(40):
        for x, value, slope in zip(
            EXAMPLE_POINTS, row.example, row.derivative_example, strict=True
        ):
            assert abs(evaluate(row, row.formula, x=mp.mpf(x)) - value) <= 5e-5
            # The formula may jump here, or divide by zero: its kink says the value, or it is near.
            kinks = dict(row.kinks_at(row.defaults))
            expected = kinks.get(x, evaluate(row, row.derivative, x=mp.mpf(x or "1e-20")))
            assert abs(expected - slope) <= 5e-5


POINTS = [x + 0.1875 for x in range(-9, 9)]


@over_rows
def test_the_derivative_is_that_of_the_formula(row):
    with mp.workdps(60):
        for x in map(mp.mpf, POINTS):
            slope = mp.diff(lambda x: evaluate(row, row.formula, x=x), x)
            assert mp.almosteq(evaluate(row, row.derivative, x=x), slope, 1e-12, 1e-12)


@over_rows
def test_the_reason_for_no_derivative_from_output_is_true(row):
    """A function that is not monotonic takes a value twice, with different derivatives.

    That an inverse is no elementary function, no test can tell; that there is one, this can.
    """
    reason = row.no_derivative_from_output
    assert row.parameter_gradient or reason in ("", NOT_MONOTONIC, NO_ELEMENTARY_INVERSE)
    if reason:
        negative = {"weight": mp.mpf(-0.5)} if row.name == "prelu" else {}
        points = np.linspace(-9, 9, 721)
        values = [evaluate(row, row.formula, x=mp.mpf(x), **negative) for x in points]
        falls = any(before > after for before, after in pairwise(values))
        assert falls == (reason != NO_ELEMENTARY_INVERSE)


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=row.name) for row in ROWS if row.derivative_from_output]
)
def test_the_derivative_from_output_is_the_derivative(row):
    with mp.workdps(60):
        for x in map(mp.mpf, POINTS):
            y = evaluate(row, row.formula, x=x)
            slope = evaluate(row, row.derivative, x=x)
            assert mp.almosteq(evaluate(row, row.derivative_from_output, y=y), slope, 1e-12, 1e-12)


@over_rows
def test_limits_are_those_of_the_formulas(row):
    """Far out, where each function is near its limit; softsign, the slowest, is within 1 / x."""
    for text, limits in ((row.formula, row.limits), (row.derivative, row.derivative_limits)):
        for x, limit in zip((mp.mpf(-1000), mp.mpf(1000)), limits, strict=True):
            with mp.workdps(2000):
                value = evaluate(row, text, x=x)
                if math.isinf(limit):
                    assert mp.sign(value) == math.copysign(1, limit)
                    assert abs(value) >= 10 - 1e-9
                else:
                    assert abs(value - limit) < 1 / abs(x)
                    if limit == 0 and value != 0:
                        assert mp.sign(value) == math.copysign(1, limit), "sign of the zero"


@over_rows
def test_kinks_are_where_the_derivative_jumps(row):
    with mp.workdps(40):
        for point, text in row.kinks:
            try:
                near, point = mp.mpf("1e-20"), evaluate(row, str(point))
            except ZeroDivisionError:
                continue  # not with the default parameters
            left, right = (evaluate(row, row.derivative, x=point + side * near) for side in (-1, 1))
            assert abs(left - right) > 1e-3 or row.parameters
            lower, upper = sorted((left, right))
            assert lower - 1e-9 < evaluate(row, text) < upper + 1e-9


@over_rows
def test_kinks_in_every_backend(row, backend):
    """The declared value, at the point itself."""
    for point, expected in row.kinks_at(row.defaults):
        slope = fa.get(row.name).grad(np.array([point]), *row.defaults, backend=backend)
        np.testing.assert_allclose(slope, expected, rtol=1e-15)


def test_squareplus_has_a_kink_only_where_it_is_relu(backend):
    assert fa.squareplus.kinks_at() == fa.squareplus.kinks_at(b=1e-9) == ()
    assert fa.squareplus.kinks_at(b=0) == fa.squareplus.kinks_at(b=0.0) == ((0.0, 0.0),)
    for zero in (0.0, -0.0):
        assert fa.squareplus.grad(zero, 0, backend=backend) == 0
        assert fa.squareplus.grad(zero, 1e-9, backend=backend) == 0.5


POWERS = {"": 0, "x": 1, "1 / x": -1, "x**2": 2}
WITH_UNITS = [row for row in ROWS if any(parameter.unit for parameter in row.parameters)]


@pytest.mark.parametrize("row", WITH_UNITS, ids=[row.name for row in WITH_UNITS])
def test_parameters_are_in_their_units(row):
    """In half the unit x and parameters are other numbers, and the function is the same one."""
    scaled = {p.name: p.default * mp.mpf(2) ** POWERS[p.unit] for p in row.parameters}
    factors = set()
    for x in map(mp.mpf, POINTS):
        value = evaluate(row, row.formula, x=x)
        if value:
            factors.add(float(evaluate(row, row.formula, x=2 * x, **scaled) / value))
    assert factors in ({1.0}, {2.0})


# --- messages ------------------------------------------------------------------------------------


def test_the_verbs_of_the_tests_are_all_verbs():
    """A list of the tests' own is tested too: a verb that it forgot would go untested."""
    refused = sum(not row.derivative_from_output for row in ROWS)
    apart = sum(bool(row.parameter_gradient) for row in ROWS)
    assert len(VERBS) == 5 * len(ROWS) - refused - apart
    assert len({verb.__name__ for verb in VERBS}) == len(VERBS)
