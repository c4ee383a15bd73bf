"""Parameters that are compared with x are the nearest numbers of its dtype, in every form.

0.1 is not a number of float32: whether ``float32(0.1) > 0.1`` must not depend on its digits.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from inputs import ROWS, Case, neighbours, step
from truth import bits, definition, in_dtype, rounded

import fastact as fa
from fastact import tables
from fastact.compat import keras, onnx, torch

DTYPES = {
    name: np.dtype(type_)
    for name, type_ in [
        ("float16", np.float16),
        ("bfloat16", ml_dtypes.bfloat16),
        ("float32", np.float32),
        ("float64", np.float64),
    ]
}

#: Numbers with one decimal: most are in none of the dtypes.
DECIMALS = [n / 10 for n in range(1, 100, 4)]

#: From a number above 0, parameters of each row that has any that are compared.
PARAMETERS = {
    "threshold": lambda v: (v, -v),
    "clipped_linear": lambda v: (1.0, 0.0, -v, v + 0.3),
    "hard_tanh": lambda v: (-v, v + 0.3),
    "hard_shrink": lambda v: (v,),
    "soft_shrink": lambda v: (v,),
}

each_row = pytest.mark.parametrize("name", PARAMETERS)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def test_the_rows_are_those_of_the_catalogue() -> None:
    compared = {row.name for row in ROWS if any(p.is_compared for p in row.parameters)}
    assert compared == set(PARAMETERS)


def points(case: Case, dtype: str) -> np.ndarray:
    """Return the numbers nearest to the parameters, the two beside each, and some others."""
    found = [0.0, *(value for value in case.parameters)]
    found += [-value for value in found]
    type_ = DTYPES[dtype]
    if dtype == "bfloat16":
        near = np.array(found).astype(type_).view(np.int16)[:, None] + np.arange(-1, 2)
        near = near.ravel().astype(np.int16).view(type_)
    else:
        near = neighbours(found, type_, 1)
    return np.concatenate([near, np.array([-20, 20, -np.inf, np.inf, np.nan]).astype(type_)])


@functools.cache
def truths(name: str, dtype: str) -> list[tuple[Case, np.ndarray, dict[str, np.ndarray]]]:
    """Return cases, inputs, and the results by verb, from the definitions in exact arithmetic."""
    found = []
    row = fa.get(name).row
    verbs = {"value": "value", "grad": "grad", "grad_from_output": "grad_from_output"}
    if not row.derivative_from_output:
        del verbs["grad_from_output"]
    for value in DECIMALS:
        case = Case(row, tuple(map(float, PARAMETERS[name](value))))
        x = points(case, dtype)
        parameters = in_dtype(case, DTYPES[dtype]).parameters
        results = {}
        for verb in verbs:
            formula = getattr(definition(name), verb)
            wide = x.astype(np.float64)
            with np.errstate(invalid="ignore"):
                exact = [float(formula(t, *parameters)) if t == t else t for t in wide]
            results[verb] = rounded(np.array(exact, np.longdouble), DTYPES[dtype])
        found.append((case, x, results))
    return found


def same(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays are equal; zeros may differ in sign, and NaN is NaN."""
    wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
    return a.dtype == b.dtype and np.array_equal(wide_a, wide_b, equal_nan=True)


def evaluate(case: Case, x: np.ndarray, parameters: Any, **keywords: Any) -> dict[str, np.ndarray]:
    f, g = case.activation, np.ones_like(x)
    value, grad = f.value_and_grad(x, *parameters, **keywords)
    found = {
        "forward": f(x, *parameters, **keywords),
        "value_and_grad": value,
        "value_and_grad, second": grad,
        "grad": f.grad(x, *parameters, **keywords),
        "backward": f.backward(g, x, *parameters, **keywords),
    }
    if case.row.derivative_from_output:
        found["backward_from_output"] = f.backward_from_output(g, x, *parameters, **keywords)
    return found


TRUTH_OF = {
    "forward": "value",
    "value_and_grad": "value",
    "value_and_grad, second": "grad",
    "grad": "grad",
    "backward": "grad",
    "backward_from_output": "grad_from_output",
}


@each_dtype
@each_row
def test_comparisons_are_with_the_nearest_number(name: str, dtype: str, backend: str) -> None:
    for case, x, expected in truths(name, dtype):
        found = evaluate(case, x, case.parameters, backend=backend)
        for verb, result in found.items():
            truth = expected[TRUTH_OF[verb]]
            assert same(result, truth), f"{case}, {verb}: {result} at {x}, not {truth}"


def forms(value: float, x: np.ndarray) -> dict[str, Any]:
    return {
        "NumPy scalar": np.float64(value),
        "0-d array": np.array(value),
        "one element": np.array([value]),
        "array": np.full(x.shape, value),
        "long double": np.longdouble(value),
    }


@each_dtype
@each_row
def test_the_form_of_a_parameter_makes_no_difference(name: str, dtype: str, backend: str) -> None:
    """Python numbers by position and by name, scalars and arrays; few elements and many."""
    for case, x, _ in truths(name, dtype)[::12]:
        expected = evaluate(case, x, case.parameters, backend=backend)
        names = [parameter.name for parameter in case.row.parameters]
        by_name = dict(zip(names, case.parameters, strict=True))
        found = {"by name": evaluate(case, x, (), backend=backend, **by_name)}
        settings = {"backend": backend, "precision": "faithful"}
        found["faithful"] = evaluate(case, x, case.parameters, **settings)
        for form in forms(0.0, x):
            parameters = [forms(value, x)[form] for value in case.parameters]
            found[form] = evaluate(case, x, parameters, backend=backend)
        many = np.tile(x, tables.WORTH_A_TABLE // x.size + 1)
        results = evaluate(case, many, case.parameters, backend=backend)
        found["many elements"] = {verb: result[: x.size] for verb, result in results.items()}
        for form, results in found.items():
            for verb, result in results.items():
                wanted = bits(expected[verb])
                np.testing.assert_array_equal(bits(result), wanted, f"{case}, {verb}, {form}")


@each_dtype
def test_a_parameter_of_another_dtype_is_what_it_is_worth(dtype: str, backend: str) -> None:
    """float32(0.1) is above 0.1: in float64 too."""
    given = np.float32(0.1)
    x = np.array([float(given)]).astype(DTYPES[dtype])
    assert fa.hard_shrink(x, given, backend=backend) == 0
    assert fa.threshold.grad(x, given, 7, backend=backend) == 0


@pytest.mark.parametrize(
    ("dtype", "wider"),
    [("float16", "float32"), ("float16", "float64"), ("float32", "float64")],
)
def test_a_wider_gradient_changes_no_comparison(dtype: str, wider: str, backend: str) -> None:
    for value in DECIMALS:
        y = fa.hard_tanh(np.array([-20, 0, 20], dtype), -value, value, backend=backend)
        g = np.ones(3, wider)
        for verb in (fa.hard_tanh.backward, fa.hard_tanh.backward_from_output):
            assert verb(g, y, -value, value, backend=backend).tolist() == [0, 1, 0], value


def test_a_python_number_as_x_has_the_dtype_of_the_gradient(backend: str) -> None:
    nearest = float(np.float16(0.1))
    assert fa.hard_shrink.backward(np.ones(1, np.float16), nearest, 0.1, backend=backend) == 0


def test_the_order_is_that_of_the_values_given(backend: str) -> None:
    x = np.zeros(3, np.float32)
    above = math.nextafter(0.1, 1)
    for form in (float, np.float64, np.array):
        assert fa.hard_tanh(x, form(0.1), form(above), backend=backend)[0] == np.float32(0.1)
        with pytest.raises(ValueError, match="min_val must be at most max_val"):
            fa.hard_tanh(x, form(above), form(0.1), backend=backend)
        with pytest.raises(ValueError, match="lambd must be 0 or above"):
            fa.soft_shrink(x, form(-5e-324), backend=backend)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_what_overflows_is_infinite(dtype: str, backend: str) -> None:
    x = np.array([-np.inf, -60000, 60000, np.inf]).astype(DTYPES[dtype])
    with np.errstate(all="raise"):
        for huge in (1e300, np.array(1e300), np.full(4, 1e300)):
            assert not fa.hard_shrink(x, huge, backend=backend).any()
            np.testing.assert_array_equal(fa.hard_tanh(x, -huge, huge, backend=backend), x)
            assert np.isinf(fa.threshold(x, 7e4, -huge, backend=backend)[0])


def test_bfloat16_is_rounded_once(backend: str) -> None:
    """The bound is above the middle of two numbers by less than float32 can see."""
    low = np.array([1.0]).astype(ml_dtypes.bfloat16)
    high = (low.view(np.uint16) + np.uint16(1)).view(ml_dtypes.bfloat16)
    middle = (float(low[0]) + float(high[0])) / 2
    for bound, expected in ((middle * (1 + 2.0**-40), high), (middle * (1 - 2.0**-40), low)):
        result = fa.hard_tanh(np.array([9]).astype(low.dtype), -1, bound, backend=backend)
        assert result == expected


# --- compat --------------------------------------------------------------------------------------

#: Functions of other libraries at the number nearest to v, and what they are there.
AT_THE_BOUND = {
    "torch.hardshrink": (torch.hardshrink, lambda v: {"lambd": v}, 0.0, 0.0),
    "torch.softshrink": (torch.softshrink, lambda v: {"lambd": v}, 0.0, 0.0),
    "torch.threshold": (torch.threshold, lambda v: {"threshold": v, "value": 20.0}, 20.0, 0.0),
    "torch.hardtanh": (torch.hardtanh, lambda v: {"min_val": -1.0, "max_val": v}, None, 0.0),
    "onnx.Clip": (onnx.Clip, lambda v: {"min": -1.0, "max": v}, None, 0.0),
    "onnx.ThresholdedRelu": (onnx.ThresholdedRelu, lambda v: {"alpha": v}, 0.0, 0.0),
    "onnx.Shrink": (onnx.Shrink, lambda v: {"lambd": v, "bias": 0.5}, 0.0, 0.0),
    "keras.relu, threshold": (keras.relu, lambda v: {"threshold": v}, 0.0, 0.0),
    "keras.relu, max_value": (
        keras.relu,
        lambda v: {"negative_slope": 0.5, "max_value": v},
        None,
        0.0,
    ),
    "keras.threshold": (keras.threshold, lambda v: {"threshold": v, "default_value": 20}, 20, 0),
    "keras.hard_shrink": (keras.hard_shrink, lambda v: {"threshold": v}, 0.0, 0.0),
    "keras.soft_shrink": (keras.soft_shrink, lambda v: {"threshold": v}, 0.0, 0.0),
}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("name", AT_THE_BOUND)
def test_functions_of_other_libraries(name: str, dtype: str, backend: str) -> None:
    """``None`` stands for the number itself."""
    function, arguments, value, slope = AT_THE_BOUND[name]
    for v in DECIMALS[::4]:
        x = np.array([v]).astype(DTYPES[dtype])
        keywords = {**arguments(v), "backend": backend}
        expected = [value, slope, slope]
        results = [function(x, **keywords), function.grad(x, **keywords)]
        results.append(function.backward(np.ones_like(x), x, **keywords))
        for result, wanted in zip(results, expected, strict=True):
            assert result.dtype == x.dtype
            assert result[0] == (x[0] if wanted is None else wanted), f"{v}: {result}"


def test_a_step_from_the_bound_is_beyond() -> None:
    for v in DECIMALS:
        beyond = step(np.array([v], np.float32), 1)
        assert torch.hardshrink(beyond, v) == beyond
        assert torch.threshold(beyond, v, 20.0) == beyond
        assert onnx.Shrink(beyond, lambd=v, bias=0.5) != 0
        assert keras.relu(beyond, threshold=v) == beyond
