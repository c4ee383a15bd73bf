"""``fastact.compat.onnx`` beside ONNX: its operators, attributes, reference and published cases."""

from __future__ import annotations

import functools
import inspect
import warnings
from typing import Any

import numpy as np
import pytest

import fastact as fa
from fastact import dispatch
from fastact.compat import onnx as compat

onnx = pytest.importorskip("onnx")

FUNCTIONS = {function.__name__: function for function in compat.LIBRARY.functions}
#: Activations of LSTM, GRU and RNN that are no operators.
RECURRENT = ("Affine", "ScaledTanh")
OPERATORS = [name for name in FUNCTIONS if name not in RECURRENT]
over_operators = pytest.mark.parametrize("name", OPERATORS)

#: Operators of one float tensor, element by element, that are not here, and why.
LEFT_OUT = {
    **dict.fromkeys(
        ("Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Cos", "Cosh", "Sin", "Sinh", "Tan"),
        "NumPy has it",
    ),
    **dict.fromkeys(("Abs", "Ceil", "Floor", "Neg", "Reciprocal", "Round", "Sign"), "NumPy has it"),
    **dict.fromkeys(("Log", "Sqrt"), "NumPy has it"),
    "Erf": "no activation",
    **dict.fromkeys(("IsInf", "IsNaN"), "its result is bool"),
    **dict.fromkeys(("Cast", "BitCast"), "changes the dtype"),
    **dict.fromkeys(("ArgMax", "ArgMin", "NonZero"), "results are indices"),
    "OptionalGetElement": "is about the graph",
    **dict.fromkeys(("Bernoulli", "RandomNormalLike", "RandomUniformLike"), "random"),
    **dict.fromkeys(("Hardmax", "LogSoftmax", "Softmax"), "reduces an axis"),
    **dict.fromkeys(("LRN", "LpNormalization", "MeanVarianceNormalization"), "reduces axes"),
    **dict.fromkeys(
        ("AveragePool", "GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool", "LpPool",
         "MaxRoiPool", "MaxPool"),
        "pools",
    ),
    **dict.fromkeys(
        ("DepthToSpace", "SpaceToDepth", "Flatten", "Transpose", "Shape", "Size", "EyeLike",
         "Det", "Multinomial"),
        "is about shapes",
    ),
}  # fmt: skip
#: Every attribute, with other values than the defaults.
ATTRIBUTES: dict[str, list[dict[str, Any]]] = {
    "LeakyRelu": [{"alpha": 0.3}],
    "ThresholdedRelu": [{"alpha": 0.5}],
    "HardSigmoid": [{"alpha": 0.3, "beta": 0.25}, {"beta": 0.1}],
    "Shrink": [{"lambd": 1.5}, {"lambd": 1.5, "bias": 1.5}, {"lambd": 0.3, "bias": 0.7}],
    "Swish": [{"alpha": 0.7}],
    "Gelu": [{"approximate": "tanh"}, {"approximate": "none"}],
    "Elu": [{"alpha": 0.3}],
    "Celu": [{"alpha": 0.3}],
    "Selu": [{"alpha": 2.0, "gamma": 3.0}, {"gamma": 1.5}],
}
#: Further inputs.
INPUTS: dict[str, tuple[Any, ...]] = {"PRelu": (0.25,)}


def grid(dtype: str) -> np.ndarray:
    sizes = np.geomspace(1e-3, 12, 60)
    special = [0.0, 0.3, 0.5, 1.0, 1.5, 2.5, 3.0]
    return np.concatenate([sizes, -sizes, special, np.negative(special)]).astype(dtype)


def reference(name: str, inputs: list[Any], attributes: dict[str, Any]) -> np.ndarray:
    """Return what ONNX's reference evaluator computes, of the function body where there is one."""
    from onnx.reference import ReferenceEvaluator

    helper = onnx.helper
    present = [value for value in inputs if value is not None]
    names = [f"i{i}" if value is not None else "" for i, value in enumerate(inputs)]
    element_type = helper.np_dtype_to_tensor_dtype(present[0].dtype)
    node = helper.make_node(name, names, ["y"], **attributes)
    infos = [
        helper.make_tensor_value_info(n, element_type, np.shape(value))
        for n, value in zip(names, inputs, strict=True)
        if value is not None
    ]
    output = helper.make_tensor_value_info("y", element_type, None)
    model = helper.make_model(helper.make_graph([node], "g", infos, [output]))
    feeds = {n: value for n, value in zip(names, inputs, strict=True) if value is not None}
    with np.errstate(all="ignore"):
        return ReferenceEvaluator(model).run(None, feeds)[0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@over_operators
def test_values_are_those_of_the_reference(name, dtype):
    """The reference computes softplus and its like the short way: absolute errors."""
    x = grid(dtype)
    further = [np.array(value, dtype) for value in INPUTS.get(name, ())]
    eps = np.finfo(dtype).eps
    # Its erf, and the constants in the bodies of Gelu and Celu, are those of float32.
    tolerance = 8 * max(eps, np.finfo("float32").eps if name == "Gelu" else 0)
    for attributes in ({}, *ATTRIBUTES.get(name, ())):
        actual = FUNCTIONS[name](x, *INPUTS.get(name, ()), **attributes)
        expected = reference(name, [x, *further], attributes)
        assert actual.dtype == expected.dtype == x.dtype
        np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


@functools.cache
def published_cases() -> dict[str, list[Any]]:
    """Return ONNX's test cases of single operators that are here."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # what other operators' cases compute
        cases = {case.name: case for case in collect_testcases()}.values()
    found: dict[str, list[Any]] = {name: [] for name in OPERATORS}
    for case in cases:
        nodes = case.model.graph.node
        if len(nodes) == 1 and nodes[0].op_type in found and "expanded" not in case.name:
            found[nodes[0].op_type].append(case)
    return found


def run_case(case: Any) -> None:
    (node,) = case.model.graph.node
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    attributes = {k: v.decode() if isinstance(v, bytes) else v for k, v in attributes.items()}
    names = [value.name for value in case.model.graph.input]
    for inputs, (expected,) in case.data_sets:
        named = dict(zip(names, inputs, strict=True))
        arguments = [named.get(name) for name in node.input]
        actual = FUNCTIONS[node.op_type](*arguments, **attributes)
        assert actual.dtype == expected.dtype, case.name
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6, err_msg=case.name)


@over_operators
def test_published_cases_pass(name):
    cases = [case for case in published_cases()[name] if not is_of_another_kind(case)]
    assert cases
    for case in cases:
        run_case(case)


def is_of_another_kind(case: Any) -> bool:
    """Say whether a case has inputs that are no arrays of real numbers."""
    return any(
        not isinstance(value, np.ndarray | np.generic) or value.dtype.kind not in "iuf"
        for inputs, _ in case.data_sets
        for value in inputs
    )


@over_operators
def test_signatures_are_those_of_the_schema(name):
    schema = onnx.defs.get_schema(name)
    parameters = inspect.signature(FUNCTIONS[name]).parameters
    positional = [p for p in parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    optional = onnx.defs.OpSchema.FormalParameterOption.Optional
    assert [(p.name, p.default is None) for p in positional] == [
        (value.name, value.option == optional) for value in schema.inputs
    ]
    attributes = {
        p.name: p.default
        for p in parameters.values()
        if p.kind is p.KEYWORD_ONLY and p.name not in dispatch.KEYWORDS
    }
    assert set(attributes) == set(schema.attributes)
    for attribute in schema.attributes.values():
        default = onnx.helper.get_attribute_value(attribute.default_value)
        ours = attributes[attribute.name]
        if isinstance(default, bytes):
            assert ours == default.decode()
        else:
            assert np.float32(ours) == default
            assert compat.single(ours) == default


def test_every_activation_of_onnx_is_there_or_left_out_with_a_reason():
    """Operators of one float tensor with one result, and those of further inputs that are here."""
    single = onnx.defs.OpSchema.FormalParameterOption.Single
    theirs = {
        schema.name
        for schema in onnx.defs.get_all_schemas()
        if schema.domain == ""
        and len(schema.inputs) == 1
        and schema.inputs[0].option == single
        and len(schema.outputs) == 1
        and "tensor(float)" in schema.inputs[0].types
        and "GRAPH" not in str([a.type for a in schema.attributes.values()])
        and not schema.deprecated
    }
    ours = set(OPERATORS) - {"Clip", "PRelu"}
    assert ours <= theirs
    assert theirs - ours == set(LEFT_OUT) & theirs


@pytest.mark.parametrize("name", RECURRENT)
def test_activations_of_recurrent_layers(name):
    assert f"* {name}(x)" in onnx.defs.get_schema("LSTM").doc
    x = grid("float64")
    a, b = 1.5, 0.75
    function = FUNCTIONS[name]
    value = a * x + b if name == "Affine" else a * np.tanh(b * x)
    slope = np.full_like(x, a) if name == "Affine" else a * b / np.cosh(b * x) ** 2
    np.testing.assert_allclose(function(x, alpha=a, beta=b), value, rtol=1e-14, atol=1e-16)
    np.testing.assert_allclose(function.grad(x, alpha=a, beta=b), slope, rtol=1e-13)
    with pytest.raises(TypeError, match=f"onnx.{name}.. missing"):
        function(x)


@over_operators
def test_gradients_are_slopes_of_the_values(name):
    """Differences of the values, away from kinks, in float64."""
    x = np.concatenate([np.linspace(-4.03, 4.01, 57), [-0.41, 0.37]])
    step = 1e-6
    for attributes in ({}, *ATTRIBUTES.get(name, ())):
        function, further = FUNCTIONS[name], INPUTS.get(name, ())
        high = function(x + step, *further, **attributes)
        low = function(x - step, *further, **attributes)
        slopes = function.grad(x, *further, **attributes)
        np.testing.assert_allclose(slopes, (high - low) / (2 * step), rtol=1e-6, atol=1e-8)
        g = np.linspace(-2, 3, x.size)
        backward = function.backward(g, x, *further, **attributes)
        np.testing.assert_allclose(backward, g * slopes, rtol=1e-15)
        y, again = function.value_and_grad(x, *further, **attributes)
        np.testing.assert_array_equal(y, function(x, *further, **attributes))
        np.testing.assert_array_equal(again, slopes)


def test_shrink_keeps_nan():
    assert np.isnan(compat.Shrink([np.nan], lambd=1.0, bias=0.5))
    assert np.isnan(compat.Shrink.grad([np.nan], lambd=1.0, bias=0.5))


def test_selu_of_single_precision_is_that_of_fastact_to_an_ulp():
    x = grid("float32")
    np.testing.assert_array_max_ulp(compat.Selu(x), fa.selu(x, precision="faithful"), maxulp=1)


def test_clip_without_bounds_and_with_bounds_in_disorder():
    x = np.array([-5, 0, 5], "int8")
    assert compat.Clip(x).dtype == "int8"
    np.testing.assert_array_equal(compat.Clip(x, min=3, max=1), [1, 1, 1])
    np.testing.assert_array_equal(compat.Clip([-np.inf, 0.0, np.inf]), [-np.inf, 0.0, np.inf])


def test_slopes_broadcast_one_way():
    x = np.linspace(-2, 2, 6).reshape(2, 3)
    slope = np.array([0.1, 0.2, 0.3])
    np.testing.assert_array_equal(compat.PRelu(x, slope), np.where(x > 0, x, slope * x))
    with pytest.raises(ValueError, match="slope must broadcast to the shape of X"):
        compat.PRelu(slope, x)


over_verbs_of_prelu = pytest.mark.parametrize(
    "verb", ["__call__", "grad", "backward", "backward_from_output", "value_and_grad"]
)


@over_verbs_of_prelu
def test_a_slope_of_one_axis_belongs_to_the_channels(verb):
    """As in opset 6, and as in the reference implementation where that finds one axis only."""
    x = np.linspace(-2, 2, 24).reshape(2, 3, 4)
    slope = np.array([0.1, 0.2, 0.3])
    arrays = (np.full(x.shape, 2.0), x) if verb.startswith("backward") else (x,)
    function = getattr(compat.PRelu, verb)
    np.testing.assert_array_equal(function(*arrays, slope), function(*arrays, slope[:, None]))


def test_slopes_of_no_axis_are_refused():
    with pytest.raises(ValueError, match=r"onnx\.PRelu: slope must broadcast"):
        compat.PRelu(np.ones((2, 3, 4)), np.ones(5))
