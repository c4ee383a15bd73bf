"""Integer arrays keep their dtype in some activations: exact results, or an error and nothing else.

The expected results are the formulas of the catalogue, evaluated with Python's integers.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from test_layouts import results

import fastact as fa
from fastact.compat import jax, keras, onnx

SIGNED = ["int8", "int16", ">i4", "int64"]
UNSIGNED = ["uint8", ">u2", "uint32", "uint64"]
DTYPES = [*SIGNED, *UNSIGNED]
VERBS = [
    verb
    for function in map(fa.get, fa.names())
    if function.row.keeps_integers
    for verb in (
        function,
        function.grad,
        function.backward,
        function.backward_from_output,
        function.value_and_grad,
    )
]
#: Parameters around the ends of all dtypes, and beyond them.
PARAMETERS = {
    "identity": [()],
    "relu": [()],
    "relu6": [()],
    "leaky_relu": [
        (slope,)
        for slope in (0, 1, 2, 3, -1, -2, 127, 128, 300, -(2**31), 2**62, 2**63, 2**64 - 1, 2**70)
    ],
    "hard_tanh": [
        *((-1, 1), (0, 6), (-5, -5), (-128, 127), (-129, 128), (1, 256), (300, 400), (-400, -300)),
        *((2**53 + 1, 2**63), (-(2**63), 2**63 - 1), (2**64 - 2, 2**64), (-(2**70), 2**70)),
    ],
}
over_dtypes = pytest.mark.parametrize("dtype", DTYPES)
over_verbs = pytest.mark.parametrize("verb", VERBS, ids=[verb.__name__ for verb in VERBS])


def numbers(dtype) -> np.ndarray:
    """Return the ends of the dtype, and what lies around the kinks and the range of doubles."""
    info = np.iinfo(dtype)
    near = {*range(-8, 9), 2**53 + 1, -(2**53) - 1, 64, -64, 100, -100}
    near |= {info.min, info.min + 1, info.min // 2, info.max // 2, info.max - 1, info.max}
    return np.array([n for n in sorted(near) if info.min <= n <= info.max], dtype)


def arguments(verb, x) -> list[np.ndarray]:
    """Return the arrays of a call; each number meets several gradients."""
    if len(verb.arguments) == 1:
        return [x]
    return [np.repeat(np.roll(x, 2)[::4], x.size), np.tile(x, x[::4].size)]


def exactly(verb, arrays, parameters) -> list[list[int]]:
    """Return each result as a list of Python's integers."""
    row = verb.row
    formulas = {
        "forward": [row.formula],
        "grad": [row.derivative],
        "backward": [f"g * ({row.derivative})"],
        "backward_from_output": [f"g * ({row.derivative_from_output})"],
        "value_and_grad": [row.formula, row.derivative],
    }[verb.kind]
    names = ", ".join(verb.input_names).replace("grad_output", "g")
    lists = [
        array.tolist()
        for array in np.broadcast_arrays(*(object_array(a) for a in (*arrays, *parameters)))
    ]
    functions = [eval(f"lambda {names}: int({formula})") for formula in formulas]
    return [[function(*values) for values in zip(*lists, strict=True)] for function in functions]


def object_array(value) -> np.ndarray:
    return np.asarray(value, object)


def fits(number, dtype) -> bool:
    return np.iinfo(dtype).min <= number <= np.iinfo(dtype).max


def is_allowed(verb, parameters) -> bool:
    """Whether the verb takes these parameters: from its output, slopes must not be below 0."""
    is_from_output = verb.kind == "backward_from_output"
    return not (is_from_output and verb.row.name == "leaky_relu" and np.min(parameters) < 0)


def check(verb, arrays, parameters) -> None:
    """Hold a call to the rule: exact results of those that fit; an error if some do not."""
    native = arrays[-1].dtype.newbyteorder("=")
    exact = exactly(verb, arrays, parameters)
    good = np.array([all(fits(n, native) for n in row) for row in zip(*exact, strict=True)], bool)
    kept = [p[good] if isinstance(p, np.ndarray) else p for p in parameters]
    found = results(verb, *(array[good] for array in arrays), *kept)
    for result, wanted in zip(found, exact, strict=True):
        assert result.dtype == native
        assert result.dtype.isnative
        assert result.tolist() == [n for n, is_good in zip(wanted, good, strict=True) if is_good]
    if good.all():
        return
    outs = tuple(np.full(arrays[-1].shape, 7, native) for _ in exact)
    name = verb.row.parameters[0].name
    with pytest.raises(ValueError, match=rf"^{verb.__name__}: {name}.* {native}") as caught:
        verb(*arrays, *parameters, out=outs)
    bad = {str(n) for row in exact for n in row if not fits(n, native)}
    assert str(caught.value).split()[-1] in bad
    assert all((out == 7).all() for out in outs)


@over_dtypes
@over_verbs
def test_results_are_exact_or_an_error(verb, dtype):
    arrays = arguments(verb, numbers(dtype))
    for parameters in PARAMETERS[verb.row.name]:
        if is_allowed(verb, parameters):
            check(verb, arrays, parameters)


@over_dtypes
@pytest.mark.parametrize(
    "verb",
    [v for v in VERBS if v.row.parameters],
    ids=[v.__name__ for v in VERBS if v.row.parameters],
)
def test_parameters_may_be_arrays_of_any_integer_dtype(verb, dtype):
    x, random = numbers(dtype), np.random.default_rng(1)
    for parameter_dtype in ("int8", ">i8", "uint64"):
        each = numbers(parameter_dtype)
        if not is_allowed(verb, each):
            each = each[each >= 0]
        arrays = [random.choice(x, 500) for _ in verb.arguments]
        spread = random.choice(each, 500)
        check(verb, arrays, (spread, np.maximum(spread, 5))[: len(verb.row.parameters)])


def test_broadcast_parameters_beside_integers_of_any_size():
    x = np.array([[-100], [0], [100]], "int8")
    found = fa.hard_tanh(x, np.array([-120, -3], "int64"), 2**70)
    assert found.dtype == "int8"
    assert found.tolist() == [[-100, -3], [0, 0], [100, 100]]
    with pytest.raises(ValueError, match=r"^leaky_relu: negative_slope.* int8"):
        fa.leaky_relu(x, np.array([1, 2]))


@pytest.mark.parametrize("backend", ["cython", "numba", "numpy"])
def test_every_backend_takes_the_same_way(backend):
    x = np.array([0, 5, 200], "uint8")
    assert fa.hard_tanh(x, backend=backend).tolist() == [0, 1, 1]
    with pytest.raises(ValueError, match=r"^leaky_relu: negative_slope"):
        fa.leaky_relu(np.int8([-100]), 2, backend=backend)


OUT_DTYPES = [*DTYPES, "float16", "bfloat16", "float32", "float64", "complex64"]


@pytest.mark.parametrize("out_dtype", OUT_DTYPES)
@over_dtypes
def test_out_holds_every_result_or_is_untouched(dtype, out_dtype):
    pytest.importorskip("ml_dtypes")
    x, out_dtype = numbers(dtype), np.dtype(out_dtype)
    if out_dtype.kind in "iu" and not np.can_cast(x.dtype, out_dtype, "same_kind"):
        with pytest.raises(TypeError, match=r"^relu: out must have a dtype"):
            fa.relu(x, out=np.zeros(x.shape, out_dtype))
        return
    for function, parameters in ((fa.identity, ()), (fa.relu, ()), (fa.hard_tanh, (0, 2**70))):
        exact = exactly(function, [x], parameters)[0]
        out = np.full(x.shape, 7, out_dtype)
        if out_dtype.kind in "iu" and not all(fits(n, out_dtype) for n in exact):
            with pytest.raises(ValueError, match=rf"^{function.__name__}: out must"):
                function(x, *parameters, out=out)
            assert (out == 7).all()
            continue
        assert function(x, *parameters, out=out) is out
        if out_dtype.kind in "iu":
            assert out.tolist() == exact
        else:
            with np.errstate(over="ignore"):
                wanted = np.array([float(n) for n in exact]).astype(out_dtype)
            np.testing.assert_array_equal(out, wanted)


def test_out_may_be_an_input_or_overlap_one():
    for function, wanted in ((fa.identity, [-3, -2, 5, 9]), (fa.leaky_relu, [-6, -4, 5, 9])):
        parameters = (2,) * len(function.row.parameters)
        x = np.array([-3, -2, 5, 9], "int16")
        assert function(x, *parameters, out=x) is x
        assert x.tolist() == wanted
        memory = np.array([-3, -2, 5, 9, 0], "int16")
        function(memory[:4], *parameters, out=memory[1:])
        assert memory[1:].tolist() == wanted


# --- gradients that are Python numbers -----------------------------------------------------------


@over_dtypes
@pytest.mark.parametrize(
    "verb", [v for v in VERBS if len(v.arguments) == 2], ids=lambda verb: verb.__name__
)
def test_a_python_gradient_takes_the_dtype_or_is_an_error(verb, dtype):
    x = np.array([1], dtype)
    parameters = (1, 2)[2 - len(verb.row.parameters) :]
    for number in (3, -3, 200, 2**40, -(2**40), 2**64 - 1):
        if fits(number, x.dtype):
            result = verb(number, x, *parameters)
            assert result.dtype == x.dtype.newbyteorder("=")
            assert result.tolist() == exactly(verb, [np.array([number], object), x], parameters)[0]
        else:
            with pytest.raises(ValueError, match=rf"^{verb.__name__}: grad_output must fit"):
                verb(number, x, *parameters)


# --- the identity --------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", VERBS[:5], ids=[verb.__name__ for verb in VERBS[:5]])
def test_the_identity_keeps_bool(verb, backend):
    assert verb.row.name == "identity"
    x = np.array([True, False])
    for result in results(verb, *[x] * len(verb.arguments), backend=backend):
        assert result.dtype == bool
    assert np.array_equal(fa.identity(x, backend=backend), x)
    assert fa.identity.grad(x, backend=backend).all()
    assert fa.identity.backward(np.int8([5, 6]), x, backend=backend).tolist() == [5, 6]


def test_the_identity_of_other_libraries_keeps_what_it_is_given():
    for function in (onnx.Identity, keras.linear, jax.identity):
        for x in (np.array([2**63 - 1, 2**53 + 1]), np.int8([-3]), np.array([True, False])):
            found = function(x)
            assert found.dtype == x.dtype
            assert found is not x
            assert np.array_equal(found, x)


def test_clips_of_other_libraries_take_bounds_outside_of_the_dtype():
    x = np.array([0, 5, 255], "uint8")
    assert onnx.Clip(x, -7, 300).tolist() == [0, 5, 255]
    assert onnx.Clip(x, -7).dtype == "uint8"
    assert keras.relu(x, max_value=1000).tolist() == [0, 5, 255]
    assert jax.hard_tanh(x).tolist() == [0, 1, 1]


# --- large parameters of floating-point arrays ---------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_integers_of_any_size_are_parameters(dtype, backend):
    x = np.array([-1, 2], dtype)
    for number in (2**63, -(2**70), 10**300):
        assert np.array_equal(
            fa.leaky_relu(x, number, backend=backend),
            fa.leaky_relu(x, float(number), backend=backend),
        )
    for big in (10**400, -(10**400)):
        with pytest.raises(ValueError, match=r"^leaky_relu: negative_slope must be within"):
            fa.leaky_relu(x, big, backend=backend)


def test_every_pair_of_dtypes_is_exact_in_backward():
    for one, other in itertools.product(DTYPES, repeat=2):
        g, x = np.array([100], one), np.array([3], other)
        promoted = np.result_type(one, other)
        found = fa.relu.backward(g, x)
        assert found.dtype == promoted.newbyteorder("=")
        assert found.tolist() == [100]
