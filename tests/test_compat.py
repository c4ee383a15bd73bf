"""What all functions of ``fastact.compat`` share: verbs, settings, documentation, pickling."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_backends import run_python

import fastact as fa
from fastact import compat
from fastact.compat import jax, keras, onnx, tensorflow, torch
from fastact.compat._composite import Composite
from fastact.compat._function import VERBS

ROOT = Path(__file__).resolve().parent.parent
MODULES = (torch, jax, keras, tensorflow, onnx)
FUNCTIONS = {
    f"{module.LIBRARY.name}.{function.__name__}": function
    for module in MODULES
    for function in module.LIBRARY.functions
}
over_functions = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
over_verbs = pytest.mark.parametrize("verb", VERBS)

#: Calls that no kernel computes alone.
COMPOSED = {
    "torch.softplus": (torch.softplus, {"beta": 0.7, "threshold": 2.0}),
    "keras.relu": (keras.relu, {"negative_slope": 0.3, "max_value": 2.5, "threshold": 0.5}),
    "onnx.Selu": (onnx.Selu, {"gamma": 1.5}),
    "onnx.Shrink": (onnx.Shrink, {"lambd": 0.5, "bias": 0.25}),
}
over_composed = pytest.mark.parametrize(
    ("function", "keywords"), COMPOSED.values(), ids=list(COMPOSED)
)


def verb_of(function, verb):
    return function if verb == "forward" else getattr(function, verb)


def call(verb, x, **keywords):
    """Call a verb with what its example gives, and with a gradient where it takes one."""
    name = "g, x" if verb.kind.startswith("backward") else "x"
    text = ", ".join(part for part in (name, verb.row.example, "**keywords") if part)
    names = {"verb": verb, "x": x, "g": np.full(np.shape(x), 2.0, "f"), "keywords": keywords}
    return eval(f"verb({text})", names)


def example(row):
    return row.example or {"threshold_": "0.5, 1.0"}.get(row.name, "")


@over_functions
def test_functions_have_the_name_under_which_they_are_found(function):
    module = importlib.import_module(function.__module__)
    assert getattr(module, function.__name__) is function
    names = [name for name, value in vars(module).items() if value is function]
    assert names == [function.__name__]


@over_verbs
@over_functions
def test_verbs_pickle(function, verb):
    found = verb_of(function, verb)
    assert pickle.loads(pickle.dumps(found)) is found
    assert repr(found) == f"<fastact.compat.{found.row.library}.{found.__name__}>"


@over_verbs
@over_functions
def test_verbs_are_documented(function, verb):
    found = verb_of(function, verb)
    text = found.__doc__
    assert function.row.call in text
    assert function.row.differences in text
    for name in inspect.signature(found).parameters:
        assert f"\n{name} : " in text
    report = []
    test = doctest.DocTestParser().get_doctest(text, {}, found.__name__, None, 0)
    doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    assert not report, "".join(report)
    assert bool(test.examples) == (
        verb in ("forward", "grad") and not function.__name__.endswith("_")
    )


@over_verbs
@over_functions
def test_signatures_end_with_the_keywords_of_fastact(function, verb):
    parameters = inspect.signature(verb_of(function, verb)).parameters
    assert list(parameters)[-3:] == ["out", "backend", "precision"]
    assert (next(iter(parameters)) == "grad_output") == verb.startswith("backward")
    assert verb == "forward" or not {"inplace", "name"} & set(parameters)


@over_verbs
@over_functions
def test_settings_and_out_are_passed_on(function, verb):
    found = verb_of(function, verb)
    if function.__name__ == "threshold_":
        pytest.skip("its example is that of threshold")
    if verb == "backward_from_output" and not has_backward_from_output(function):
        pytest.skip("its derivative is not a function of its output")
    x = np.array([-1.5, 0.25, 1.75], "f")
    expected = call(found, x.copy(), backend="numpy", precision="faithful")
    with pytest.raises(ValueError, match="backend must be"):
        call(found, x.copy(), backend="none")
    with pytest.raises(ValueError, match="precision must be"):
        call(found, x.copy(), precision="none")
    if function.__name__.endswith("_") and verb == "forward":
        return
    if isinstance(expected, tuple):
        out = tuple(np.empty_like(array) for array in expected)
        results = call(found, x, out=out, backend="numpy", precision="faithful")
        for result, given, array in zip(results, out, expected, strict=True):
            assert result is given
            np.testing.assert_array_equal(result, array)
        return
    out = np.empty_like(expected)
    assert call(found, x, out=out, backend="numpy", precision="faithful") is out
    np.testing.assert_array_equal(out, expected)


def has_backward_from_output(function):
    """Whether what an example calls has the verb."""
    activation = target_of_example(function)
    return isinstance(activation, fa.Activation) and bool(activation.row.derivative_from_output)


def target_of_example(function):
    """Return what a call of the example comes to."""
    names = {"translate": function._translate}
    text = ", ".join(part for part in ("[1.0]", function.row.example) if part)
    return eval(f"translate({text})", names)[-1].activation


@over_functions
def test_gradients_from_the_output_are_those_of_the_kernel(function):
    if function.__name__ == "threshold_":
        pytest.skip("its example is that of threshold")
    x = np.array([-1.5, 0.25, 1.75], "f")
    if not has_backward_from_output(function):
        with pytest.raises(TypeError, match=r"backward_from_output: .*; use .*\.backward"):
            call(function.backward_from_output, x)
        return
    y = call(function, x.copy())
    found = call(function.backward_from_output, y)
    np.testing.assert_allclose(found, call(function.backward, x), rtol=1e-5)


def test_gradients_from_the_output_take_the_arguments_of_the_function():
    y = torch.elu([-1.0, 2.0], 0.5)
    found = torch.elu.backward_from_output([1.0, 1.0], y, alpha=0.5)
    np.testing.assert_allclose(found, torch.elu.grad([-1.0, 2.0], 0.5))
    with pytest.raises(TypeError, match=r"torch.elu.backward_from_output\(\) .*'inplace'"):
        torch.elu.backward_from_output(1.0, y, inplace=True)
    with pytest.raises(ValueError, match=r"elu.backward_from_output: alpha must be 0 or above"):
        torch.elu.backward_from_output(1.0, y, -0.5)
    with pytest.raises(
        TypeError, match=r"selu.backward_from_output: .*: with these arguments it is"
    ):
        onnx.Selu.backward_from_output(1.0, y, gamma=1.5)
    assert keras.relu.backward_from_output(3.0, 2.0) == 3


def test_errors_name_library_function_and_argument():
    with pytest.raises(TypeError, match=r"torch.elu\(\) got an unexpected keyword argument 'a'"):
        torch.elu([1.0], a=2)
    with pytest.raises(TypeError, match=r"jax.relu.grad\(\) missing 1 required .*'x'"):
        jax.relu.grad()
    with pytest.raises(TypeError, match="softplus: x must be real"):
        torch.softplus([1j], threshold=1)
    with pytest.raises(ValueError, match="selu: out must have a shape"):
        onnx.Selu([1.0, 2.0], out=np.empty(3))
    out = np.zeros(2), np.zeros(3)
    with pytest.raises(ValueError, match=r"selu\.value_and_grad: out must have a shape"):
        onnx.Selu.value_and_grad([1.0, 2.0], out=out)
    assert not out[0].any()


NOT_NUMBERS = {
    "keras.relu": ("negative_slope", "max_value", "threshold"),
    "torch.softplus": ("threshold",),
    "onnx.Clip": ("min", "max"),
    "onnx.Elu": ("alpha",),
    "onnx.Shrink": ("lambd", "bias"),
    "onnx.Affine": ("alpha", "beta"),
}


@over_verbs
@pytest.mark.parametrize("value", [np.array([20, 30]), "20", 1j, [1.0]], ids=repr)
@pytest.mark.parametrize(
    ("name", "argument"),
    [(name, argument) for name, all_ in NOT_NUMBERS.items() for argument in all_],
)
def test_arguments_that_must_be_numbers(name, argument, value, verb):
    found = verb_of(FUNCTIONS[name], verb)
    others = {"alpha": 1.0, "beta": 1.0} if name == "onnx.Affine" else {}
    arrays = (1.0, [1.0]) if verb.startswith("backward") else ([1.0],)
    expected = re.escape(
        f"{found.row.library}.{found.__name__}: {argument} must be a real number, got"
    )
    with pytest.raises(TypeError, match=f"^{expected}"):
        found(*arrays, **others | {argument: value})


def test_numbers_may_be_those_of_numpy():
    assert keras.relu([3.0], max_value=np.float32(2), threshold=np.array(1)) == 2
    assert torch.softplus([3.0], threshold=np.int8(2)) == 3
    assert onnx.Elu([3.0], alpha=np.float64(2)) == 3


@pytest.mark.parametrize("value", [np.array([True, False]), "tanh", 1, None], ids=repr)
@pytest.mark.parametrize(
    ("name", "argument"),
    [
        *((f"{library}.gelu", "approximate") for library in ("jax", "keras", "tensorflow")),
        *(("torch.relu", "inplace"), ("torch.rrelu", "training")),
    ],
)
def test_arguments_that_must_be_bools(name, argument, value):
    with pytest.raises(TypeError, match=f"^{name}: {argument} must be a bool, got "):
        FUNCTIONS[name]([1.0], **{argument: value})


def test_bools_may_be_those_of_numpy():
    assert jax.gelu(-1.0, approximate=np.False_) == fa.gelu(-1.0)


@pytest.mark.parametrize("value", ["exact", None, 1, np.array(["none", "tanh"])], ids=repr)
def test_choices_are_named(value):
    with pytest.raises(
        ValueError, match=r"^torch\.gelu: approximate must be 'none' or 'tanh', got "
    ):
        torch.gelu([1.0], approximate=value)


@pytest.mark.parametrize("module", MODULES)
def test_modules_show_their_functions_and_nothing_else(module):
    names = [function.__name__ for function in module.LIBRARY.functions]
    assert module.__all__ == names
    assert dir(module) == sorted(names)
    assert all(callable(getattr(module, name).grad) for name in dir(module))


# --- what is composed ----------------------------------------------------------------------------


def definition(name, x, dtype):
    """Return value and derivative of the calls in COMPOSED."""
    work = np.result_type(dtype, np.float32)
    if name == "torch.softplus":
        above = np.asarray(0.7, work) * x.astype(work) > 2  # as PyTorch compares
        slope = 1 / (1 + np.exp(-0.7 * x))
        return np.where(above, x, np.log1p(np.exp(0.7 * x)) / 0.7), np.where(above, 1, slope)
    if name == "keras.relu":
        value = np.where(x > 0.5, np.clip(x, 0, 2.5), 0.3 * (x - 0.5))
        return value, np.where(x > 0.5, np.where(x < 2.5, 1.0, 0.0), 0.3)
    if name == "onnx.Selu":
        alpha = onnx.single(1.67326319217681884765625)
        return (
            1.5 * np.where(x > 0, x, alpha * np.expm1(x)),
            1.5 * np.where(x > 0, 1, alpha * np.exp(x)),
        )
    return np.where(abs(x) > 0.5, x - np.sign(x) * 0.25, 0), np.where(abs(x) > 0.5, 1.0, 0.0)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", COMPOSED)
def test_compositions_round_their_definition_once(name, dtype):
    function, keywords = COMPOSED[name]
    x = np.concatenate([np.linspace(-8, 8, 65), [0.5, 2.5, 2 / 0.7]]).astype(dtype)
    expected = definition(name, x.astype("d"), dtype)
    ulp = np.finfo(dtype).eps
    for actual, truth in zip(function.value_and_grad(x, **keywords), expected, strict=True):
        assert actual.dtype == dtype
        bound = 0.51 if dtype != "float64" else 4
        np.testing.assert_allclose(actual.astype("d"), truth, rtol=bound * ulp, atol=1e-17)
    g = np.linspace(-1, 2, x.size).astype(dtype)
    actual = function.backward(g, x, **keywords)
    assert actual.dtype == dtype
    np.testing.assert_allclose(actual, g * expected[1], rtol=4 * ulp, atol=1e-17)


@over_composed
def test_compositions_keep_nan_and_raise_no_flags(function, keywords, backend):
    x = np.array([np.nan, -np.inf, np.inf, -1e308, 1e308])
    with np.errstate(all="raise"):
        for found in (function, function.grad):
            y = found(x, **keywords, backend=backend)
            assert np.isnan(y).tolist() == [True] + [False] * 4
        assert np.isnan(function.backward(1.0, x, **keywords)).tolist() == [True] + [False] * 4
        assert function(2.0, **keywords) == function([2.0], **keywords)[0]
        assert function(np.zeros((0, 3)), **keywords).shape == (0, 3)


@over_composed
def test_compositions_may_overwrite_their_input(function, keywords):
    x = np.linspace(-3, 3, 13)
    y, d = function.value_and_grad(x, **keywords)
    for verb, expected in ((function, y), (function.grad, d)):
        own = x.copy()
        assert verb(own, **keywords, out=own) is own
        np.testing.assert_array_equal(own, expected)
    own, other = x.copy(), np.empty_like(x)
    function.value_and_grad(own, **keywords, out=(own, other))
    np.testing.assert_array_equal(own, y)
    np.testing.assert_array_equal(other, d)
    gradient = np.ones((2, 13), "f")
    assert function.backward(gradient, x, **keywords).shape == (2, 13)
    np.testing.assert_array_equal(function.backward(gradient, x, **keywords)[0], d)


def test_compositions_take_integers_and_lists():
    assert keras.relu([1, 2, 3], threshold=1.5).tolist() == [0.0, 2.0, 3.0]
    assert keras.relu(np.arange(4), max_value=2).dtype == np.arange(4).dtype


def test_what_a_kernel_computes_is_not_composed():
    """The defaults, but for Selu with its rounded constants."""
    composed = {
        name
        for name, function in FUNCTIONS.items()
        if isinstance(activation_of(function), Composite)
    }
    assert composed == {"onnx.Selu"}


def activation_of(function):
    arguments = ", ".join(part for part in ("[1.0]", example(function.row)) if part)
    return eval(f"f({arguments})", {"f": function._translate})[-1].activation


# --- importing -----------------------------------------------------------------------------------


def test_no_library_is_imported():
    code = (
        "import sys, fastact\n"
        "print('fastact.compat' in sys.modules)\n"
        "from fastact.compat import jax, keras, onnx, tensorflow, torch\n"
        "torch.gelu([1.0]), torch.gelu.__doc__\n"
        "print({'torch', 'jax', 'keras', 'onnx', 'tensorflow'} & set(sys.modules))"
    )
    assert run_python(code).split("\n") == ["False", "set()"]


def test_modules_are_documented():
    for module in (compat, *MODULES):
        assert module.__doc__
    assert "grad" in type(torch.relu).__doc__


def test_the_page_is_fresh():
    command = [sys.executable, str(ROOT / "tools" / "write_compat_page.py"), "--check"]
    process = subprocess.run(command, capture_output=True, text=True)
    assert process.returncode == 0, process.stdout + process.stderr


def test_other_defaults_give_other_values():
    """The disagreements that a user of two libraries meets."""
    x = -1.0
    assert torch.leaky_relu(x) == jax.leaky_relu(x) == fa.leaky_relu(x) == -0.01
    assert keras.leaky_relu(x) == tensorflow.leaky_relu(x) == -0.2
    assert onnx.LeakyRelu(np.float32(x)) == np.float32(-0.01)
    assert torch.gelu(x) == keras.gelu(x) == tensorflow.gelu(x) == onnx.Gelu(x) == fa.gelu(x)
    assert jax.gelu(x) == fa.gelu_tanh(x) != fa.gelu(x)
    assert torch.hardsigmoid(x) == jax.hard_sigmoid(x) == keras.hard_sigmoid(x)
    assert onnx.HardSigmoid(np.float32(x)) == np.float32(0.3)
    assert tensorflow.silu(x, 2.0) == fa.silu(x, 2.0)
