"""Bad calls: the kind of error, what its message names, and outputs that stay untouched."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from test_layouts import VERBS

import fastact as fa

X = np.ones(3, "float32")


class Bad(NamedTuple):
    """A call that must fail, and what the message must hold."""

    verb: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    error: type[Exception]
    #: The argument, what was expected, what came.
    parts: tuple[str, ...]


def bad(verb, args, kwargs, error, *parts):
    return Bad(verb, args, kwargs, error, parts)


def read_only():
    array = np.zeros(3, "float32")
    array.flags.writeable = False
    return array


REAL = "must be real"
CALLS = {
    # dtypes
    "complex": bad(fa.gelu, (1j,), {}, TypeError, "x", REAL, "1j"),
    "complex_array": bad(fa.gelu, (X + 1j,), {}, TypeError, "x", REAL, "complex64"),
    "object": bad(fa.gelu, (np.array([1, None]),), {}, TypeError, "x", REAL, "object"),
    "string": bad(fa.gelu, ("abc",), {}, TypeError, "x", REAL, "'abc'"),
    "none": bad(fa.gelu, (None,), {}, TypeError, "x", REAL, "None"),
    "long_double": bad(fa.gelu, (np.longdouble(1),), {}, TypeError, "x", REAL, "float128|float96"),
    "date": bad(fa.gelu, (np.zeros(2, "M8[s]"),), {}, TypeError, "x", REAL, "datetime64"),
    "record": bad(fa.gelu, (np.zeros(2, "f4,f4"),), {}, TypeError, "x", REAL, "f0"),
    "huge_integer": bad(fa.gelu, (2**70,), {}, TypeError, "x", REAL, "1180591620717411303424"),
    "ragged": bad(fa.gelu, ([[1], [2, 3]],), {}, ValueError, "x", "list"),
    "complex_gradient": bad(fa.gelu.backward, (X + 1j, X), {}, TypeError, "grad_output", REAL,
                            "complex64"),
    "complex_output": bad(fa.tanh.backward_from_output, (X, X + 1j), {}, TypeError, "y", REAL,
                          "complex64"),
    # arguments
    "no_argument": bad(fa.gelu, (), {}, TypeError, "x", "missing"),
    "no_second": bad(fa.gelu.backward, (X,), {}, TypeError, "x", "missing"),
    "too_many": bad(fa.gelu, (X, X, 1.0), {}, TypeError, "at most 1", "got 3"),
    "too_many_with_parameter": bad(fa.silu, (X, 1.0, X, 2.0), {}, TypeError, "at most 2", "beta",
                                   "got 4"),
    "out_by_position": bad(fa.silu, (X, 1.0, 2.0), {}, TypeError, "out", "ndarray", "got float"),
    "unknown": bad(fa.gelu, (X,), {"axis": 0}, TypeError, "'axis'", "x, out, backend"),
    "signature": bad(fa.gelu, (X,), {"signature": "f->f"}, TypeError, "signature", "dtype"),
    "dtype": bad(fa.gelu, (X,), {"dtype": int}, TypeError, "dtype", "float32", "got int64"),
    "casting": bad(fa.gelu, (X,), {"dtype": "f8", "casting": "no"}, TypeError, "x", "(no)",
                   "got float32"),
    "order": bad(fa.gelu, (X,), {"order": "Q"}, ValueError, "order", "'K'", "'Q'"),
    "parameter_of_another": bad(fa.gelu, (X,), {"beta": 1.0}, TypeError, "'beta'"),
    "twice": bad(fa.silu, (X, 1.0), {"beta": 2.0}, TypeError, "'beta'", "two values"),
    "x_twice": bad(fa.silu, (X,), {"x": X}, TypeError, "'x'", "two values"),
    # parameters
    "text_parameter": bad(fa.silu, (X, "a"), {}, TypeError, "beta", "real number", "'a'"),
    "complex_parameter": bad(fa.silu, (X, 1j), {}, TypeError, "beta", "real number", "1j"),
    "no_parameter": bad(fa.silu, (X, None), {}, TypeError, "beta", "real number", "None"),
    "complex_parameters": bad(fa.silu, (X, X + 1j), {}, TypeError, "beta", "complex64"),
    "zero": bad(fa.softplus, (X, 0), {}, ValueError, "beta", "above 0", "got 0"),
    "negative": bad(fa.softplus, (X,), {"beta": -1.5}, ValueError, "beta", "above 0", "-1.5"),
    "nan": bad(fa.softplus, (X, np.nan), {}, ValueError, "beta", "above 0", "nan"),
    "one_of_them": bad(fa.softplus, (X, [1, 1, 0]), {}, ValueError, "beta", "above 0"),
    "negative_slope_from_output": bad(fa.leaky_relu.backward_from_output, (X, X, -0.1), {},
                                      ValueError, "negative_slope", "0 or above", "-0.1"),
    "negative_alpha_from_output": bad(fa.elu.backward_from_output, (X, X), {"alpha": -2.0},
                                      ValueError, "alpha", "0 or above", "-2.0"),
    "required": bad(fa.threshold, (X, 0.5), {}, TypeError, "'value'", "missing"),
    "required_backward": bad(fa.threshold.backward, (X, X), {}, TypeError, "'threshold'",
                             "missing"),
    "negative_lambd": bad(fa.soft_shrink, (X, -0.5), {}, ValueError, "lambd", "0 or above",
                          "-0.5"),
    "disorder": bad(fa.hard_tanh, (X, 2, -2), {}, ValueError, "min_val", "at most max_val",
                    "min_val=2", "max_val=-2"),
    "disorder_of_one": bad(fa.hard_tanh, (X, [0, 0, 3], 2), {}, ValueError, "min_val",
                           "at most max_val"),
    "disorder_with_a_default": bad(fa.clipped_linear.grad, (X,), {"max_val": -1.0}, ValueError,
                                   "min_val", "at most max_val", "max_val=-1.0"),
    "nan_bound": bad(fa.hard_tanh, (X, np.nan), {}, ValueError, "min_val", "nan"),
    # shapes
    "shapes": bad(fa.gelu.backward, (np.ones(3), np.ones(4)), {}, ValueError, "broadcast",
                  "grad_output (3,)", "x (4,)"),
    "parameter_shape": bad(fa.silu, (X, np.ones(4)), {}, ValueError, "broadcast", "x (3,)",
                           "beta (4,)"),
    # out
    "out_list": bad(fa.gelu, (X,), {"out": [0.0] * 3}, TypeError, "out", "ndarray", "list"),
    "out_number": bad(fa.gelu, (X,), {"out": 1.0}, TypeError, "out", "ndarray", "float"),
    "out_small": bad(fa.gelu, (X,), {"out": np.zeros(2, "f4")}, ValueError, "out", "(3,)", "(2,)"),
    "out_flat": bad(fa.gelu, (np.ones((2, 3)),), {"out": np.zeros(3)}, ValueError, "out", "(2, 3)",
                    "(3,)"),
    "out_stretched": bad(fa.gelu, (np.ones((2, 3)),), {"out": np.zeros((1, 3))}, ValueError, "out",
                         "(2, 3)", "(1, 3)"),
    "out_integer": bad(fa.gelu, (X,), {"out": np.zeros(3, int)}, TypeError, "out", "float32",
                       "int64"),
    "out_bool": bad(fa.relu, (X,), {"out": np.zeros(3, bool)}, TypeError, "out", "float32", "bool"),
    "out_object": bad(fa.gelu, (X,), {"out": np.zeros(3, object)}, TypeError, "out", "object"),
    "out_read_only": bad(fa.gelu, (X,), {"out": read_only()}, ValueError, "out", "read-only"),
    "out_pair_for_one": bad(fa.gelu, (X,), {"out": (np.zeros(3), None)}, ValueError, "out", "1",
                            "got 2"),
    "out_one_for_pair": bad(fa.gelu.value_and_grad, (X,), {"out": np.zeros(3, "f4")}, TypeError,
                            "out", "tuple of 2", "ndarray"),
    "out_list_for_pair": bad(fa.gelu.value_and_grad, (X,), {"out": [np.zeros(3, "f4")] * 2},
                             TypeError, "out", "tuple of 2", "list"),
    "out_triple_for_pair": bad(fa.gelu.value_and_grad, (X,), {"out": (None, None, None)},
                               ValueError, "out", "2", "got 3"),
    "out_second_small": bad(fa.gelu.value_and_grad, (X,),
                            {"out": (np.zeros(3, "f4"), np.zeros(2, "f4"))}, ValueError, "out",
                            "(3,)", "(2,)"),
    "out_same_twice": bad(fa.gelu.value_and_grad, (X,), {"out": (np.zeros(3, "f4"),) * 2},
                          ValueError, "out", "share"),
    # backend
    "backend_unknown": bad(fa.gelu, (X,), {"backend": "fast"}, ValueError, "backend",
                           "auto, cython, numba, numpy", "'fast'"),
    "backend_case": bad(fa.gelu, (X,), {"backend": "NumPy"}, ValueError, "backend",
                        "auto, cython, numba, numpy", "'NumPy'"),
    "backend_number": bad(fa.gelu, (X,), {"backend": 1}, TypeError, "backend", "string", "1"),
}  # fmt: skip
over_calls = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


@over_calls
def test_the_message_names_function_argument_expectation_and_value(call):
    with pytest.raises(call.error) as caught:
        call.verb(*call.args, **call.kwargs)
    message = str(caught.value)
    assert message.startswith(f"{call.verb.__name__}: "), message
    for part in call.parts:
        assert any(choice in message for choice in part.split("|")), f"{part!r} not in {message!r}"


@over_calls
def test_out_is_untouched(call):
    """Wherever the call takes an ``out`` of its own, it holds what it held."""
    given = call.kwargs.get("out")
    if given is None:
        given = tuple(np.full(3, 7, "float32") for _ in range(call.verb.nout))
    outs = given if isinstance(given, tuple) else (given,)
    before = [np.array(out, copy=True) for out in outs]
    with pytest.raises(call.error):
        call.verb(*call.args, **call.kwargs | {"out": given})
    for out, held in zip(outs, before, strict=True):
        np.testing.assert_array_equal(out, held)


FROM_OUTPUT = [fa.get(name).backward_from_output for name in fa.names()]
REFUSED = [verb for verb in FROM_OUTPUT if not verb.row.derivative_from_output]


@pytest.mark.parametrize("verb", REFUSED, ids=[verb.__name__ for verb in REFUSED])
def test_backward_from_output_gives_its_reason(verb, backend):
    name = verb.row.name
    with pytest.raises(TypeError) as caught:
        verb(X, X, backend=backend)
    message = str(caught.value)
    assert message.startswith(f"{name}.backward_from_output: ")
    assert verb.row.no_derivative_from_output in message
    assert f"use {name}.backward" in message


@pytest.mark.parametrize("verb", VERBS, ids=[verb.__name__ for verb in VERBS])
def test_every_verb_names_itself(verb):
    for args, kwargs in (((), {}), (("a",) * len(verb.arguments), {}), ((X,) * 9, {})):
        with pytest.raises(TypeError, match=f"^{verb.__name__}: "):
            verb(*args, **kwargs)


@pytest.mark.parametrize("value", [300, -200])
def test_an_integer_out_of_range_is_named(value, backend):
    x = np.array([-1, 2], "int8")
    with pytest.raises((OverflowError, ValueError), match=r"^leaky_relu: negative_slope"):
        fa.leaky_relu(x, value, backend=backend)


@pytest.mark.parametrize(
    ("call", "error", "parts"),
    [
        (lambda: fa.get("gleu"), ValueError, ["get: ", "name", "gelu", "'gleu'"]),
        (lambda: fa.get(3), TypeError, ["get: ", "name", "string", "3"]),
        (lambda: fa.use_backend("c"), ValueError, ["use_backend: ", "backend", "auto", "'c'"]),
        (lambda: fa.set_backend("c"), ValueError, ["set_backend: ", "backend", "auto", "'c'"]),
        (lambda: fa.set_backend(None), TypeError, ["set_backend: ", "backend", "string", "None"]),
        (lambda: fa.use_threads(0), ValueError, ["use_threads: ", "num_threads", "1 to", "got 0"]),
        (lambda: fa.use_threads(10**6), ValueError, ["use_threads: ", "1 to", "got 1000000"]),
        (lambda: fa.set_num_threads(1.5), TypeError, ["set_num_threads: ", "integer", "1.5"]),
        (lambda: fa.set_num_threads(True), TypeError, ["set_num_threads: ", "integer", "True"]),
        (lambda: fa.set_num_threads("2"), TypeError, ["set_num_threads: ", "integer", "'2'"]),
        (lambda: fa.show_config("json"), ValueError, ["show_config: ", "mode", "dicts", "'json'"]),
    ],
    ids=lambda value: None if not isinstance(value, list) else "-".join(value[::3]),
)  # fmt: skip
def test_other_functions_name_what_is_wrong(call, error, parts):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value).startswith(parts[0])
    for part in parts:
        assert part in str(caught.value)


def test_a_failing_setter_changes_nothing():
    before = fa.get_backend(), fa.get_num_threads()
    for call in (lambda: fa.set_backend("fast"), lambda: fa.set_num_threads(0)):
        with pytest.raises(ValueError, match="must be"):
            call()
    assert (fa.get_backend(), fa.get_num_threads()) == before
