"""Verbs look like ufuncs: what overrides ufuncs overrides them, and subclasses are wrapped."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from test_layouts import KINDS, assert_identical, over_verbs, results

import fastact as fa

X = np.linspace(-4, 4, 24).reshape(4, 6)
G = np.linspace(1, 2, 24).reshape(4, 6)
ONE_RESULT = [verb for verb in KINDS if verb.nout == 1]
over_one_result = pytest.mark.parametrize(
    "verb", ONE_RESULT, ids=[verb.__name__ for verb in ONE_RESULT]
)


def arguments(verb, *arrays):
    return arrays[-len(verb.arguments) :]


# --- libraries -----------------------------------------------------------------------------------


@over_one_result
def test_dask_stays_lazy_and_computes_the_same(verb):
    da = pytest.importorskip("dask.array")
    lazy = verb(*(da.from_array(a, chunks=(2, 3)) for a in arguments(verb, G, X)))
    assert isinstance(lazy, da.Array)
    assert lazy.chunks == ((2, 2), (3, 3))
    assert lazy.dtype == X.dtype
    # Chunks are computed in the threads of Dask.
    computed = lazy.compute(scheduler="threads")
    assert_identical(computed, verb(*arguments(verb, G, X)))


def test_dask_takes_parameters():
    da = pytest.importorskip("dask.array")
    lazy = da.from_array(X, chunks=2)
    for result in (
        fa.leaky_relu(lazy, 0.2),
        fa.leaky_relu(lazy, negative_slope=0.2),
        fa.leaky_relu(x=lazy, negative_slope=0.2),
        fa.leaky_relu(lazy, da.full((6,), 0.2, chunks=3)),
        fa.leaky_relu(X, da.full((6,), 0.2, chunks=3)),
    ):
        assert isinstance(result, da.Array)
        assert_identical(result.compute(), fa.leaky_relu(X, 0.2))


def test_dask_meets_arrays_and_numbers():
    da = pytest.importorskip("dask.array")
    lazy = da.from_array(X.astype("float32"), chunks=2)
    for gradient in (1.0, G.astype("float32")):
        result = fa.gelu.backward(gradient, lazy)
        assert isinstance(result, da.Array)
        assert result.dtype == np.float32
        assert_identical(result.compute(), fa.gelu.backward(gradient, X.astype("float32")))


def test_dask_keeps_the_backend():
    """The one that the call names; chunks are computed elsewhere and later."""
    da = pytest.importorskip("dask.array")
    lazy = fa.mish(da.from_array(X, chunks=2), backend="numpy")
    assert_identical(lazy.compute(), fa.mish(X, backend="numpy"))


def test_dask_takes_two_results_as_two_functions():
    da = pytest.importorskip("dask.array")
    lazy = da.from_array(X, chunks=(2, 3))
    for keywords in ({}, {"backend": "numpy"}):
        results = fa.elu.value_and_grad(lazy, alpha=0.5, **keywords)
        assert isinstance(results, tuple)
        expected = fa.elu.value_and_grad(X, alpha=0.5, **keywords)
        for result, array in zip(results, expected, strict=True):
            assert isinstance(result, da.Array)
            assert_identical(result.compute(), array)


class OneResult:
    """As Dask: refuses functions with two results."""

    def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
        return NotImplemented if ufunc.nout > 1 else (ufunc.__name__, ufunc.backend)


def test_who_refuses_two_results_is_asked_for_each():
    assert fa.relu.value_and_grad(OneResult()) == (("relu", None), ("relu.grad", None))
    assert fa.relu.value_and_grad(OneResult(), backend="numpy") == (
        ("relu", "numpy"),
        ("relu.grad", "numpy"),
    )
    out = (np.empty(1), np.empty(1))
    with pytest.raises(TypeError, match="value_and_grad: not supported by operands of type OneRes"):
        fa.relu.value_and_grad(OneResult(), out=out)


def test_dask_in_other_processes():
    """Verbs pickle, so that a chunk can be computed anywhere."""
    da = pytest.importorskip("dask.array")
    pickle = pytest.importorskip("cloudpickle")
    lazy = fa.gelu.grad(da.from_array(X, chunks=2))
    copied = pickle.loads(pickle.dumps(lazy))
    assert_identical(copied.compute(scheduler="sync"), fa.gelu.grad(X))


@over_one_result
def test_xarray_keeps_names_and_coordinates(verb):
    xr = pytest.importorskip("xarray")
    labels = {"row": list("abcd"), "column": range(6)}
    arrays = [xr.DataArray(a, dims=("row", "column"), coords=labels) for a in (G, X)]
    result = verb(*arguments(verb, *arrays))
    assert isinstance(result, xr.DataArray)
    assert result.dims == ("row", "column")
    assert result.coords["row"].values.tolist() == list("abcd")
    assert_identical(result.values, verb(*arguments(verb, G, X)))


def test_xarray_of_dask_stays_lazy():
    da = pytest.importorskip("dask.array")
    xr = pytest.importorskip("xarray")
    lazy = xr.DataArray(da.from_array(X, chunks=2), dims=("row", "column"))
    result = fa.silu(lazy, beta=2.0)
    assert isinstance(result.data, da.Array)
    assert_identical(result.values, fa.silu(X, 2.0))


@over_one_result
def test_pandas_keeps_its_index(verb):
    pd = pytest.importorskip("pandas")
    index = list("abcd")
    frames = [pd.DataFrame(a, index=index, columns=list("uvwxyz")) for a in (G, X)]
    for objects, values in (
        (frames, (G, X)),
        ([frame["v"] for frame in frames], (G[:, 1], X[:, 1])),
    ):
        result = verb(*arguments(verb, *objects))
        assert type(result) is type(objects[0])
        assert result.index.tolist() == index
        assert_identical(result.to_numpy(), np.asarray(verb(*arguments(verb, *values))))


def test_pandas_aligns():
    pd = pytest.importorskip("pandas")
    g, x = pd.Series([1.0, 2.0], index=["a", "b"]), pd.Series([3.0, 4.0], index=["b", "a"])
    result = fa.relu.backward(g, x)
    assert result.to_dict() == {"a": 1.0, "b": 2.0}


@pytest.mark.parametrize("library", ["pandas", "xarray"])
def test_two_results_come_as_two_objects(library):
    module = pytest.importorskip(library)
    data = (module.Series if library == "pandas" else module.DataArray)(X[0])
    value, derivative = fa.gelu.value_and_grad(data)
    assert type(value) is type(derivative) is type(data)
    assert_identical(np.asarray(value), fa.gelu(X[0]))
    assert_identical(np.asarray(derivative), fa.gelu.grad(X[0]))


# --- the protocol (NEP 13) -----------------------------------------------------------------------


class Duck:
    """Records what it is asked, and answers with itself."""

    answer: object = None

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        self.seen = ufunc, method, inputs, kwargs
        return self if self.answer is None else self.answer


class Refusing(Duck):
    answer = NotImplemented


class Opaque:
    __array_ufunc__ = None


@over_verbs
def test_a_duck_is_asked(verb):
    """By prelu and rrelu with their kernel, which takes the slopes that they have found."""
    duck = Duck()
    assert verb(*[duck] * len(verb.arguments)) is duck
    ufunc, method, inputs, kwargs = duck.seen
    assert ufunc is (verb.kernel or getattr(verb, "verb", verb))
    assert method == "__call__"
    assert len(inputs) == ufunc.nin
    assert kwargs == {}


def test_a_duck_may_be_any_operand():
    for make in (
        lambda duck: fa.gelu.backward(duck, X),
        lambda duck: fa.gelu.backward(X, duck),
        lambda duck: fa.leaky_relu(X, duck),
        lambda duck: fa.leaky_relu(X, negative_slope=duck),
        lambda duck: fa.gelu(X, out=duck),
        lambda duck: fa.gelu(X, out=(duck,)),
        lambda duck: fa.gelu.value_and_grad(X, out=(None, duck)),
    ):
        duck = Duck()
        assert make(duck) is duck


def test_a_duck_sees_parameters_by_position_and_out_as_a_tuple():
    duck, out = Duck(), np.empty(3)
    fa.leaky_relu(duck, negative_slope=0.2, out=out, backend="numpy")
    ufunc, _, inputs, kwargs = duck.seen
    assert inputs == (duck, 0.2)
    assert set(kwargs) == {"out"}
    assert kwargs["out"][0] is out
    assert ufunc.backend == "numpy"


def test_a_duck_may_call_back():
    """The usual wrapper: unwrap, call the same ufunc, wrap."""

    class Wrapped:
        def __init__(self, array):
            self.array = array

        def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
            plain = [i.array if isinstance(i, Wrapped) else i for i in inputs]
            return Wrapped(getattr(ufunc, method)(*plain, **kwargs))

    result = fa.gelu.backward(G, Wrapped(X))
    assert_identical(result.array, fa.gelu.backward(G, X))


def test_refusal_passes_on_to_the_next():
    duck = Duck()
    assert fa.gelu.backward(Refusing(), duck) is duck
    assert fa.gelu.backward(duck, Refusing()) is duck


def test_refusal_by_all_is_a_type_error():
    for args in ((Refusing(), X), (X, Refusing()), (Refusing(), Refusing())):
        with pytest.raises(TypeError, match=r"^gelu\.backward: .*Refusing"):
            fa.gelu.backward(*args)


def test_none_is_a_type_error():
    """A class with ``__array_ufunc__ = None`` takes no part in ufuncs."""
    for call in (lambda: fa.gelu(Opaque()), lambda: fa.gelu.backward(X, Opaque())):
        with pytest.raises(TypeError, match=r"^gelu(\.backward)?: .*Opaque"):
            call()


def test_a_subclass_is_asked_before_its_base():
    class Special(Duck):
        pass

    base, special = Duck(), Special()
    assert fa.gelu.backward(base, special) is special
    assert fa.gelu.backward(special, base) is special


def test_a_result_of_none_is_a_result():
    class Silent(Duck):
        def __array_ufunc__(self, *args, **kwargs):
            return None

    assert fa.gelu(Silent()) is None


# --- subclasses of ndarray -----------------------------------------------------------------------


class Named(np.ndarray):
    """Hands its name on, as the NumPy documentation shows it."""

    name = "nobody"

    def __array_finalize__(self, source):
        self.name = getattr(source, "name", "nobody")


class Preferred(np.ndarray):
    __array_priority__ = 100.0


class Overriding(np.ndarray):
    """A subclass with an ``__array_ufunc__`` of its own is asked like any other object."""

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **kwargs):
        plain = [np.asarray(i) if isinstance(i, Overriding) else i for i in inputs]
        result = getattr(ufunc, method)(*plain, **kwargs)
        return np.asarray(result).view(Overriding)


def matrix(array):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        return np.matrix(array)


def masked(array):
    return np.ma.masked_array(array, mask=np.arange(array.size).reshape(array.shape) % 3 == 0)


def memmap(array, tmp_path):
    file = np.memmap(tmp_path / "array", array.dtype, "w+", shape=array.shape)
    file[...] = array
    return file


SUBCLASSES = {
    "matrix": matrix,
    "masked": masked,
    "record": lambda array: array.view(np.recarray),
    "named": lambda array: array.view(Named),
    "overriding": lambda array: array.view(Overriding),
}
over_subclasses = pytest.mark.parametrize("wrap", SUBCLASSES.values(), ids=SUBCLASSES)


def assert_wrapped_alike(actual, model, values):
    assert type(actual) is type(model)
    if isinstance(model, np.ma.MaskedArray):
        np.testing.assert_array_equal(np.ma.getmaskarray(actual), np.ma.getmaskarray(model))
        chosen = ~np.ma.getmaskarray(model)
        assert_identical(np.asarray(actual)[chosen], np.asarray(values)[chosen])
    else:
        assert_identical(np.asarray(actual), np.asarray(values))


@over_subclasses
@pytest.mark.parametrize("verb", KINDS, ids=[verb.__name__ for verb in KINDS])
def test_subclasses_come_back_as_from_numpy(verb, backend, wrap):
    model = np.tanh(wrap(X)) if len(verb.arguments) == 1 else np.multiply(wrap(G), wrap(X))
    actual = results(verb, *arguments(verb, wrap(G), wrap(X)), backend=backend)
    plain = results(verb, *arguments(verb, G, X), backend=backend)
    for result, values in zip(actual, plain, strict=True):
        assert_wrapped_alike(result, model, values)


@over_subclasses
def test_a_subclass_may_be_either_operand(wrap):
    plain = fa.gelu.backward(G, X)
    assert_wrapped_alike(fa.gelu.backward(wrap(G), X), np.multiply(wrap(G), X), plain)
    assert_wrapped_alike(fa.gelu.backward(G, wrap(X)), np.multiply(G, wrap(X)), plain)


def test_the_subclass_of_highest_priority_wraps():
    for first, second in ((masked, matrix), (matrix, masked)):
        model = np.multiply(first(G), second(X))
        assert_wrapped_alike(fa.gelu.backward(first(G), second(X)), model, fa.gelu.backward(G, X))
    named, preferred = G.view(Named), X.view(Preferred)
    assert type(fa.gelu.backward(named, preferred)) is Preferred
    assert type(fa.gelu.backward(preferred, named)) is Preferred


def test_attributes_are_handed_on():
    named = X.view(Named)
    named.name = "somebody"
    assert np.tanh(named).name == fa.gelu(named).name == "somebody"


def test_a_memmap_comes_back_as_from_numpy(tmp_path):
    file = memmap(X, tmp_path)
    assert type(fa.gelu(file)) is type(np.tanh(file))
    assert_identical(fa.gelu(file), fa.gelu(X))
    scalar = file[0, :1].reshape(())
    assert type(fa.gelu(scalar)) is type(np.tanh(scalar))


def test_a_subclass_in_and_an_ndarray_out():
    for wrap in (matrix, masked):
        out, model = np.empty(X.shape), np.empty(X.shape)
        assert type(fa.gelu(wrap(X), out=out)) is type(np.tanh(wrap(X), out=model))


def test_a_masked_scalar_stays_masked():
    scalar = np.ma.masked_array(1.0, mask=True)
    assert np.tanh(scalar) is np.ma.masked
    assert fa.gelu(scalar) is np.ma.masked
