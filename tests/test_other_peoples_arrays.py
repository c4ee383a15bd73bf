"""Objects that are no plain arrays: every verb treats them as np.tanh and np.multiply do.

Over the whole catalogue and ``fastact.compat``: results have the type, mask and labels that NumPy's
ufuncs give, lazy arrays stay lazy, and the numbers are those of plain arrays.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from test_layouts import assert_identical

import fastact as fa
from fastact.compat import jax, keras, onnx, tensorflow, torch

G = np.linspace(1, 2, 12).reshape(4, 3)
X = np.linspace(-4, 4, 12).reshape(4, 3)
KINDS = ("forward", "grad", "backward", "backward_from_output", "value_and_grad")


class Case(NamedTuple):
    """A function with the arguments that it takes after x."""

    function: Any
    arguments: str

    def verbs(self) -> list[Callable[..., Any]]:
        """Return those that are defined, as functions of (g, x)."""
        return [self._verb(kind) for kind in KINDS if self._is_defined(kind)]

    def _verb(self, kind: str) -> Callable[..., Any]:
        verb = self.function if kind == "forward" else getattr(self.function, kind)
        arrays = "g, x" if kind.startswith("backward") else "x"
        text = f"lambda g, x, **options: verb({arrays}, {self.arguments} **options)"
        found: Callable[..., Any] = eval(text, {"verb": verb, "np": np})
        found.__name__ = kind
        return found

    def _is_defined(self, kind: str) -> bool:
        if kind != "backward_from_output":
            return True
        try:
            self._verb(kind)(1.0, 0.5)
        except (TypeError, ValueError):
            return False
        return True


def cases() -> dict[str, Case]:
    examples = {"threshold": "0.5, 1.0,", "prelu": "0.25,"}
    found = {name: Case(fa.get(name), examples.get(name, "")) for name in fa.names()}
    calls = set()
    for module in (torch, jax, keras, tensorflow, onnx):
        for function in module.LIBRARY.functions:
            row = function.row
            call = re.sub(rf"\b{row.x}\b", "x", row.call)
            # One function of those that come to the same; names with _ write into an ndarray.
            if call not in calls and not row.name.endswith("_"):
                calls.add(call)
                arguments = f"{row.example}," if row.example else ""
                found[f"{row.library}.{row.name}"] = Case(function, arguments)
    further = {
        "torch.softplus(threshold)": Case(torch.softplus, "0.7, 2.0,"),
        "torch.rrelu(training)": Case(torch.rrelu, "training=True, rng=7,"),
        "keras.relu(max_value)": Case(keras.relu, "max_value=2,"),
        "keras.relu(threshold)": Case(keras.relu, "0.3, threshold=0.5,"),
        "keras.relu(all)": Case(keras.relu, "0.3, 2.5, 0.5,"),
        "onnx.Selu(gamma)": Case(onnx.Selu, "gamma=1.5,"),
        "onnx.Shrink(bias)": Case(onnx.Shrink, "lambd=0.5, bias=0.25,"),
        "onnx.Clip(min)": Case(onnx.Clip, "min=-1,"),
        "onnx.PRelu(channels)": Case(onnx.PRelu, "np.array([0.1, 0.2, 0.3]),"),
        "prelu(channels)": Case(fa.prelu, "np.array([0.1, 0.2, 0.3]),"),
    }
    return {**found, **further}


CASES = cases()
over_cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def results(verb: Callable[..., Any], g: Any, x: Any, **options: Any) -> tuple[Any, ...]:
    """Return the results that have the shape of x: prelu has the gradient of its weight too."""
    found = verb(g, x, **options)
    if not isinstance(found, tuple):
        return (found,)
    return found if verb.__name__ == "value_and_grad" else found[:1]


def model(verb: Callable[..., Any], g: Any, x: Any) -> Any:
    """Return what a ufunc of NumPy with the same arguments returns."""
    return np.multiply(g, x) if verb.__name__.startswith("backward") else np.tanh(x)


# --- ndarray and its subclasses ------------------------------------------------------------------


class Named(np.ndarray):
    pass


class OldWrap(np.ndarray):
    """With an ``__array_wrap__`` as of NumPy 1.x."""

    def __array_wrap__(self, array, context=None):
        return np.ndarray.__array_wrap__(self, array)


class OlderWrap(np.ndarray):
    def __array_wrap__(self, array):
        return np.ndarray.__array_wrap__(self, array)


def matrix(array):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        return np.matrix(array)


SUBCLASSES = {
    "matrix": matrix,
    "record": lambda array: array.view(np.recarray),
    "named": lambda array: array.view(Named),
    "old_wrap": lambda array: array.view(OldWrap),
    "older_wrap": lambda array: array.view(OlderWrap),
}


@pytest.mark.filterwarnings("ignore:__array_wrap__ must accept:DeprecationWarning")
@over_cases
def test_subclasses_come_back(case):
    for verb in case.verbs():
        expected = results(verb, G, X)
        for wrap in SUBCLASSES.values():
            g, x = wrap(G), wrap(X)
            for result, values in zip(results(verb, g, x), expected, strict=True):
                assert type(result) is type(model(verb, g, x))
                assert_identical(np.asarray(result), values)


def masked(array, step):
    return np.ma.masked_array(array, mask=np.arange(array.size).reshape(array.shape) % step == 0)


def assert_masked_alike(result, expected, values):
    assert type(result) is type(expected)
    np.testing.assert_array_equal(np.ma.getmaskarray(result), np.ma.getmaskarray(expected))
    seen = ~np.ma.getmaskarray(expected)
    assert_identical(np.asarray(result)[seen], np.asarray(values)[seen])


@over_cases
def test_masks_survive(case):
    for verb in case.verbs():
        for g, x in ((masked(G, 2), masked(X, 3)), (G, masked(X, 3))):
            for result, values in zip(results(verb, g, x), results(verb, G, X), strict=True):
                assert_masked_alike(result, model(verb, g, x), values)


@over_cases
def test_masked_outputs_get_the_mask_of_the_result(case):
    """Their old mask goes, as with np.tanh and np.multiply."""
    for verb in case.verbs():
        g, x = masked(G, 2), masked(X, 3)
        expected = results(verb, g, x)
        outs = tuple(masked(np.zeros(X.shape), 5) for _ in expected)
        for result, own, values in zip(into(verb, g, x, outs), outs, expected, strict=True):
            assert result is own
            assert_masked_alike(result, values, values)


def into(verb, g, x, outs):
    """Return the results in these outputs."""
    found = verb(G, X)
    n_results = len(found) if isinstance(found, tuple) else 1
    return results(verb, g, x, out=(*outs, None)[:n_results])


@over_cases
def test_plain_outputs_stay_plain(case):
    for verb in case.verbs():
        outs = tuple(np.zeros(X.shape) for _ in results(verb, G, X))
        for result, own, values in zip(
            into(verb, masked(G, 2), masked(X, 3), outs), outs, results(verb, G, X), strict=True
        ):
            assert result is own
            assert_identical(result, values)


def test_functions_that_write_into_their_input_keep_its_mask():
    x = masked(X, 3)
    assert torch.relu_(x) is x
    assert_masked_alike(x, np.tanh(masked(X, 3)), np.maximum(X, 0))


def test_a_masked_slope_masks_its_channel():
    weight = np.ma.masked_array([0.1, 0.2, 0.3], mask=[False, True, False])
    expected = np.multiply(X, weight)
    for result in (fa.prelu(X, weight), onnx.PRelu(X, weight), torch.prelu(X, weight)):
        assert_masked_alike(result, expected, np.where(X > 0, X, X * weight.data))


def test_masked_elements_are_left_out_of_the_gradient_of_a_weight():
    x = masked(X, 3)
    for weight in (0.25, np.array([0.1, 0.2, 0.3])):
        _, expected = fa.prelu.backward(np.where(x.mask, 0.0, G), X, weight)
        _, gradient = fa.prelu.backward(G, x, weight)
        np.testing.assert_allclose(gradient, expected)


@pytest.mark.parametrize("name", ["old_wrap", "older_wrap"])
def test_an_old_array_wrap_is_deprecated_as_in_numpy(name):
    for function in (np.tanh, fa.tanh, onnx.Selu):
        with pytest.warns(DeprecationWarning, match="__array_wrap__ must accept") as record:
            function(SUBCLASSES[name](X))
        assert record[0].filename == __file__


# --- objects with __array_wrap__ that are no arrays ----------------------------------------------


class Box:
    """Wraps an array, as a tensor of another library does."""

    def __init__(self, array, priority=None):
        self.array = np.asarray(array)
        if priority is not None:
            self.__array_priority__ = priority

    def __array__(self, dtype=None, copy=None):
        return np.array(self.array, dtype, copy=copy)

    def __array_wrap__(self, array, context=None, return_scalar=False):
        self.seen = context, return_scalar
        return Box(array)


@over_cases
def test_other_objects_wrap_results_too(case):
    for verb in case.verbs():
        for g, x in ((Box(G), Box(X)), (G, Box(X))):
            for result, values in zip(results(verb, g, x), results(verb, G, X), strict=True):
                assert type(result) is Box
                assert_identical(result.array, np.asarray(values))


@pytest.mark.parametrize("kind", ["forward", "value_and_grad"])
def test_who_wraps_sees_the_call(kind):
    verb = fa.celu if kind == "forward" else fa.celu.value_and_grad
    box, out = Box(1.5), np.empty(())
    verb(box, 0.5)
    context, return_scalar = box.seen
    assert context == (verb, (box, 0.5), verb.nout - 1)
    assert return_scalar is True
    box = Box(X)
    fa.gelu.backward(Box(G, priority=-1.0), box)
    assert box.seen[1] is False
    outs = (None, out)[-verb.nout :]
    found = verb(Box(1.5), out=outs)
    assert (found if verb.nout == 1 else found[1]) is out


def test_the_highest_priority_wraps_as_in_numpy():
    priorities = (None, -2000000.0, -1.0, 0.0, 1.0)
    for first in (1.0, X[0], Box(X[0]), X[0].view(Named), *(Box(X[0], p) for p in priorities)):
        for second in (2.0, X[1], X[1].view(Named), *(Box(X[1], p) for p in priorities)):
            assert type(fa.relu.backward(first, second)) is type(np.multiply(first, second))


def test_an_error_of_array_wrap_is_its_own():
    class Failing(Box):
        def __array_wrap__(self, array, context=None, return_scalar=False):
            raise self.error

    for error in (TypeError("none of that"), KeyError("wrapping")):
        box = Failing(X)
        box.error = error
        for function in (np.tanh, fa.gelu, onnx.Selu):
            with pytest.raises(type(error)) as caught:
                function(box)
            assert caught.value is error


# --- objects with an __array_ufunc__ of their own ------------------------------------------------


@over_cases
def test_dask_stays_lazy(case):
    dask = pytest.importorskip("dask")
    da = pytest.importorskip("dask.array")

    def compute(*args, **kwargs):
        raise AssertionError("a lazy array was computed")

    for verb in case.verbs():
        with dask.config.set(scheduler=compute):
            g, x = (da.from_array(array, chunks=(2, 3)) for array in (G, X))
            lazy = results(verb, g, x)
            assert all(type(result) is da.Array for result in lazy)
            weight_gradients = verb(g, x)[1:] if isinstance(verb(G, X), tuple) else ()
            assert all(type(result) is da.Array for result in weight_gradients)
        for result, values in zip(lazy, results(verb, G, X), strict=True):
            assert result.chunks == x.chunks
            assert_identical(result.compute(scheduler="sync"), values)


@over_cases
def test_labels_survive(case):
    pd, xr = pytest.importorskip("pandas"), pytest.importorskip("xarray")
    index, columns = list("abcd"), list("xyz")
    coords = {"row": index, "column": columns}
    wrappers = (
        lambda array: pd.DataFrame(array, index, columns),
        lambda array: xr.DataArray(array, coords, ("row", "column")),
    )
    for verb in case.verbs():
        expected = results(verb, G, X)
        for wrap in wrappers:
            g, x = wrap(G), wrap(X)
            for result, values in zip(results(verb, g, x), expected, strict=True):
                assert type(result) is type(x)
                assert_identical(result.to_numpy(), values)
                if isinstance(x, pd.DataFrame):
                    assert result.index.equals(x.index)
                    assert result.columns.equals(x.columns)
                else:
                    assert result.coords.equals(x.coords)


#: Slopes of channels are for an axis that a Series does not have.
ONE_AXIS = {name: case for name, case in CASES.items() if "array" not in case.arguments}


@pytest.mark.parametrize("case", ONE_AXIS.values(), ids=ONE_AXIS)
def test_missing_values_stay_missing(case):
    """Those of the nullable dtypes of pandas."""
    pd = pytest.importorskip("pandas")
    x = pd.Series([1.5, None, -2.5, 0.5], index=list("abcd"), dtype="Float64")
    plain = np.array([1.5, 1.0, -2.5, 0.5])
    for verb in case.verbs():
        for result, values in zip(results(verb, x, x), results(verb, plain, plain), strict=True):
            assert result.dtype == np.tanh(x).dtype
            assert result.isna().tolist() == [False, True, False, False]
            assert result.index.equals(x.index)
            assert_identical(result.dropna().to_numpy("float64"), values[[0, 2, 3]])


class Opaque:
    __array_ufunc__ = None


@over_cases
def test_who_takes_no_part_in_ufuncs_is_a_type_error(case):
    for verb in case.verbs():
        with pytest.raises(TypeError, match="Opaque"):
            verb(G, Opaque())


# --- other ways to an array ----------------------------------------------------------------------


class Interface:
    """Has its memory described by ``__array_interface__`` only."""

    def __init__(self, array):
        self.array = array
        self.__array_interface__ = array.__array_interface__


class Exchange:
    """Has DLPack only, which NumPy's ufuncs do not ask for."""

    def __init__(self, array):
        self.__dlpack__, self.__dlpack_device__ = array.__dlpack__, array.__dlpack_device__


@over_cases
def test_memory_may_be_described_or_mapped(case, tmp_path):
    mapped = np.memmap(tmp_path / "x", X.dtype, "w+", shape=X.shape)
    mapped[...] = X
    for verb in case.verbs():
        for x in (Interface(X), memoryview(X), mapped):
            for result, values in zip(results(verb, G, x), results(verb, G, X), strict=True):
                assert type(result) is np.ndarray
                assert_identical(result, values)
        with pytest.raises(TypeError):
            verb(G, Exchange(X))


class Broken:
    """Cannot be made an array, for a reason of its own."""

    def __init__(self, error):
        self.error = error

    def __array__(self, dtype=None, copy=None):
        raise self.error


class UnusualError(TypeError):
    """An error that is not made from one text, as those of JAX."""

    def __init__(self, first, second):
        super().__init__(first.upper() + second)


@over_cases
def test_an_error_of_an_object_is_its_own(case):
    """With a note that names the function and the argument."""
    for error in (
        UnusualError("a", "b"),
        RuntimeError("on the GPU"),
        KeyError("k"),
        OSError(2, "gone"),
    ):
        for verb in case.verbs():
            with pytest.raises(type(error)) as caught:
                verb(G, Broken(error))
            assert caught.value is error
            assert ": " in error.__notes__[-1]


def test_errors_are_noted_with_function_and_argument():
    for call, expected in (
        (lambda x: fa.tanh(x), "tanh: x must be an array"),
        (lambda x: fa.gelu.backward(x, X), "gelu.backward: grad_output must be an array"),
        (lambda x: fa.elu.backward_from_output(1.0, x), "elu.backward_from_output: y must be"),
        (lambda x: fa.elu(X, alpha=x), "elu: alpha must be an array"),
        (lambda x: fa.prelu(X, x), "prelu: weight must be an array"),
        (lambda x: onnx.PRelu(x, 0.25), "onnx.PRelu: X must be an array"),
        (lambda x: onnx.Clip(x, min=0), "onnx.Clip: input must be an array"),
        (lambda x: onnx.Selu(x), "selu: x must be an array"),
    ):
        error = RuntimeError("on the GPU")
        with pytest.raises(RuntimeError) as caught:
            call(Broken(error))
        assert caught.value is error
        assert error.__notes__[-1].startswith(expected)
