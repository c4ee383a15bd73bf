"""``fastact.compat.torch`` beside PyTorch: names, arguments, values and gradients."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import fastact as fa
from fastact import dispatch
from fastact.compat import torch as compat

torch = pytest.importorskip("torch")
F = torch.nn.functional

FUNCTIONS = {function.__name__: function for function in compat.LIBRARY.functions}
over_functions = pytest.mark.parametrize("name", FUNCTIONS)
over_dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])

#: What ``torch.nn.functional`` has beside activations that go element by element.
REDUCTIONS = {"glu", "softmax", "softmin", "log_softmax", "gumbel_softmax"}

#: Calls with every argument, as positional and as named ones.
ARGUMENTS = {
    "threshold": {"threshold": 0.25, "value": -2.0},
    "hardtanh": {"min_val": -0.5, "max_val": 1.75},
    "hardshrink": {"lambd": 0.75},
    "softshrink": {"lambd": 0.75},
    "elu": {"alpha": 0.5},
    "celu": {"alpha": 0.5},
    "leaky_relu": {"negative_slope": 0.3},
    "prelu": {"weight": 0.125},
    "rrelu": {"lower": 0.25, "upper": 0.5, "training": False},
    "gelu": {"approximate": "tanh"},
    "softplus": {"beta": 2.0, "threshold": 3.0},
}
#: Without defaults: a call has to give them.
REQUIRED = ("threshold", "prelu")
#: Errors of PyTorch: the threshold of softplus, a constant of float32 in float64.
ABSOLUTE = {"softplus": 2.1e-9, "hardsigmoid": 1e-8}
#: Where PyTorch's values are NaN or infinite though the function has a limit.
FAULTS = {
    "silu": (-np.inf,),
    "mish": (-np.inf,),
    "gelu": (-np.inf, np.inf),
    "hardswish": (-np.inf,),
    "softsign": (-np.inf, np.inf),
}


def base(name: str) -> str:
    return name.removesuffix("_")


def calls(name: str) -> list[tuple[tuple[object, ...], dict[str, object]]]:
    """Return arguments after the input: none, all by position, all by name, one by one."""
    given = ARGUMENTS.get(base(name), {})
    found: list[tuple[tuple[object, ...], dict[str, object]]] = [((), given)]
    if name != "gelu":  # by name only
        found.append((tuple(given.values()), {}))
    if base(name) not in REQUIRED:
        found.append(((), {}))
        found += [((), {key: value}) for key, value in given.items()]
    return found


def grid(name: str, dtype: str) -> np.ndarray:
    """Return numbers of all sizes, kinks of the defaults among them, the infinities and NaN."""
    sizes = np.geomspace(1e-6, 50, 60)
    special = [0.0, -0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 1.75, 2.0, 3.0, 6.0, np.inf]
    x = np.concatenate([sizes, -sizes, special, np.negative(special)])
    x = x[~np.isin(x, FAULTS.get(base(name), ()))]
    return x.astype(dtype)


def as_torch(value: object) -> object:
    return torch.tensor(value) if isinstance(value, np.ndarray) else value


def theirs(name, x, args, kwargs, gradient=None):
    """Return PyTorch's value, or its gradient."""
    if name == "prelu":  # takes a tensor only
        args = [torch.full((1,), a, dtype=torch.tensor(x).dtype) for a in args]
        kwargs = {k: torch.full((1,), v, dtype=torch.tensor(x).dtype) for k, v in kwargs.items()}
    tensor = torch.tensor(x, requires_grad=gradient is not None)
    y = getattr(F, name)(tensor.clone(), *args, **kwargs)
    if gradient is None:
        return y.numpy()
    y.backward(torch.tensor(gradient))
    return tensor.grad.numpy()


def check(name, actual, expected, x):
    """Hold results together: PyTorch loses relative precision where functions are near 0."""
    eps = np.finfo(x.dtype).eps
    finite = x[np.isfinite(x)]
    assert actual.dtype == expected.dtype == x.dtype
    absolute = 4 * eps * (np.abs(finite).max() if name == "gelu" else 1)
    np.testing.assert_allclose(actual, expected, rtol=8 * eps, atol=absolute)


@over_dtypes
@over_functions
def test_values_are_those_of_pytorch(name, dtype):
    x = grid(name, dtype)
    for args, kwargs in calls(name):
        actual = FUNCTIONS[name](x.copy(), *args, **kwargs)
        if base(name) == "softplus":
            assert_softplus(actual, x, args, kwargs)
        else:
            check(name, actual, theirs(name, x, args, kwargs), x)


def assert_softplus(actual, x, args, kwargs):
    """Above its threshold of 20, PyTorch returns x, which is too low by up to 2.1e-9 / beta."""
    expected = theirs("softplus", x, args, kwargs)
    eps = np.finfo(x.dtype).eps
    applied = "threshold" in kwargs or len(args) == 2
    tolerance = np.finfo(x.dtype).tiny if applied else ABSOLUTE["softplus"]
    np.testing.assert_allclose(actual, expected, rtol=8 * eps, atol=tolerance)


@over_dtypes
@over_functions
def test_gradients_are_those_of_pytorch(name, dtype):
    x = grid(name, dtype)
    x = x[np.isfinite(x)]
    gradient = np.linspace(-2, 3, x.size).astype(dtype)
    for args, kwargs in calls(name):
        function = FUNCTIONS[name]
        expected = theirs(name, x, args, kwargs, gradient)
        actual = function.backward(gradient, x, *args, **kwargs)
        if name == "prelu":
            actual, weight = actual
            assert weight == pytest.approx(np.sum(gradient * np.minimum(x, 0)), rel=1e-5)
        tolerance = 3 * ABSOLUTE.get(name, 0)
        eps = np.finfo(dtype).eps
        np.testing.assert_allclose(actual, expected, rtol=32 * eps, atol=32 * eps + tolerance)
        slopes = function.grad(x, *args, **kwargs)
        np.testing.assert_allclose(
            slopes * gradient, expected, rtol=32 * eps, atol=32 * eps + tolerance
        )
        y, again = function.value_and_grad(x, *args, **kwargs)
        np.testing.assert_array_equal(again, slopes)
        np.testing.assert_array_equal(y, function(x.copy(), *args, **kwargs))


@over_functions
def test_nan_gives_nan(name):
    args = tuple(ARGUMENTS[name].values()) if name in REQUIRED else ()
    args = (0.25, -2.0) if name == "threshold_" else args
    assert np.isnan(FUNCTIONS[name](np.array([np.nan]), *args))
    assert np.isnan(FUNCTIONS[name].grad(np.array([np.nan]), *args))


@pytest.mark.parametrize("name", FAULTS)
def test_faults_of_pytorch_are_not_copied(name):
    x = np.array(FAULTS[name])
    assert np.isnan(theirs(name, x.astype("f"), (), {})).any()
    assert not np.isnan(FUNCTIONS[name](x)).any()
    assert "NaN" in FUNCTIONS[name].row.differences


@over_functions
def test_signatures_are_those_of_pytorch(name):
    function = getattr(F, name)
    ours = inspect.signature(FUNCTIONS[name])
    extra = (*dispatch.KEYWORDS, "rng", "slopes")
    own = [p for p in ours.parameters.values() if p.name not in extra]
    try:
        expected = list(inspect.signature(function).parameters.values())
    except ValueError:  # a builtin: the first line of its docstring has it
        assert shown(own) == documented(function.__doc__, name)
        return
    assert [(p.name, p.default) for p in own] == [(p.name, p.default) for p in expected]


def shown(parameters):
    return [(p.name,) if p.default is p.empty else (p.name, p.default) for p in parameters]


def documented(docstring, name):
    line = docstring.strip().partition(") ->")[0]
    assert line.startswith(f"{name}(")
    parts = [part.split("=") for part in line.removeprefix(f"{name}(").split(",")]
    return [(part[0].strip(), *(eval(default) for default in part[1:])) for part in parts]


def test_every_activation_of_pytorch_is_there():
    """The modules of ``torch.nn.modules.activation`` name what PyTorch calls an activation."""
    classes = torch.nn.modules.activation.__all__
    layers = {"MultiheadAttention", "Softmax2d"}
    named = {cls.lower() for cls in classes if cls not in layers}
    ours = {name.replace("_", "") for name in FUNCTIONS}
    assert named - ours == {name.replace("_", "") for name in REDUCTIONS} - {"gumbelsoftmax"}
    in_place = {n for n in vars(F) if n.endswith("_") and not n.startswith("_")}
    assert in_place == {name for name in FUNCTIONS if name.endswith("_")}


@over_functions
def test_writing_into_the_input(name):
    given = ARGUMENTS.get(base(name), {})
    function = FUNCTIONS[name]
    x = np.array([-1.0, 0.5, 2.0])
    if name.endswith("_"):
        keywords = given
    elif "inplace" in inspect.signature(function).parameters:
        keywords = given | {"inplace": True}
        expected = function(x, **given)
        assert not np.shares_memory(expected, x)
    else:
        pytest.skip("PyTorch cannot either")
    expected = FUNCTIONS[base(name)](x, **given)
    assert function(x, **keywords) is x
    np.testing.assert_array_equal(x, expected)
    with pytest.raises(TypeError, match=f"torch.{name}: input must be an ndarray"):
        function([1.0], **keywords)
    with pytest.raises(TypeError, match=f"torch.{name}: out must not be given"):
        function(x, **keywords, out=x)
    assert "inplace" not in inspect.signature(function.grad).parameters


def test_an_unknown_approximation_is_an_error():
    for call in (compat.gelu, compat.gelu.grad):
        with pytest.raises(ValueError, match="approximate must be 'none' or 'tanh', got 'fast'"):
            call([1.0], approximate="fast")


def test_weights_and_slopes_are_those_of_channels():
    x = np.linspace(-2, 2, 24, dtype="f").reshape(2, 3, 4)
    weight = np.array([0.1, 0.2, 0.3], "f")
    expected = F.prelu(torch.tensor(x), torch.tensor(weight)).numpy()
    np.testing.assert_array_equal(compat.prelu(x, weight), expected)


def test_rrelu_draws_in_training():
    x = -np.ones(1000)
    y = compat.rrelu(x, training=True, rng=3)
    assert np.unique(y).size > 900
    assert y.min() >= -1 / 3
    assert y.max() <= -1 / 8
    slopes = compat.rrelu.grad(x, training=True, rng=3)
    np.testing.assert_array_equal(y, -slopes)


@pytest.mark.parametrize("threshold", [-1.0, 0.0, 2.0, 19.0])
def test_a_threshold_of_softplus_is_honoured(threshold):
    """Also where the function jumps there."""
    x = np.linspace(-3, 25, 200)
    expected = theirs("softplus", x, (0.5, threshold), {})
    np.testing.assert_allclose(compat.softplus(x, 0.5, threshold), expected, rtol=1e-15)
    assert (compat.softplus(x, 0.5, threshold)[0.5 * x > threshold] == x[0.5 * x > threshold]).all()


def test_softplus_is_exact_above_20():
    assert compat.softplus(21.0) > 21.0
    assert compat.softplus.grad(21.0) < 1.0
    assert compat.softplus(np.float32(21)) == np.float32(21)


@pytest.mark.filterwarnings("ignore:__array_wrap__ must accept:DeprecationWarning")
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_tensors_come_back_as_tensors(dtype):
    x = np.linspace(-3, 3, 7).astype(dtype)
    tensor = torch.from_numpy(x)
    for function in (fa.gelu, fa.gelu.grad, fa.relu6, compat.softplus, compat.prelu.grad):
        further = (0.25,) if function is compat.prelu.grad else ()
        result = function(tensor, *further)
        assert type(result) is type(np.tanh(tensor))
        np.testing.assert_array_equal(result.numpy(), function(x, *further))
    assert type(fa.gelu(tensor[0])) is torch.Tensor
    assert type(fa.gelu.backward(x, tensor)) is torch.Tensor
    assert all(type(result) is torch.Tensor for result in fa.gelu.value_and_grad(tensor))
    out = np.empty_like(x)
    assert fa.gelu(tensor, out=out) is out


def test_tensors_that_numpy_cannot_read_are_errors_of_pytorch():
    tensor = torch.ones(3, requires_grad=True)
    for function in (np.tanh, fa.gelu, compat.gelu.grad):
        with pytest.raises(RuntimeError, match="requires grad"):
            function(tensor)
