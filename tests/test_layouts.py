"""The result for an element depends on the element: not on its position, strides or byte order.

The output has the memory order that NumPy's own ufuncs give it.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

import fastact as fa


class Complete:
    """A verb that gives its required parameters the values of the row, where a call does not."""

    def __init__(self, verb) -> None:
        self.verb = verb
        self.__doc__ = verb.__doc__

    def __getattr__(self, name):
        return getattr(self.verb, name)

    def __call__(self, *args, **kwargs):
        required = {p.name: p.default for p in self.verb.row.parameters if p.required}
        given = self.verb.input_names[: len(args)]
        missing = {name: required[name] for name in required if name not in given}
        return self.verb(*args, **missing | kwargs)


#: All but prelu.backward, whose second result has a shape of its own: test_prelu.py.
BARE_VERBS = [
    verb
    for function in map(fa.get, fa.names())
    for verb in (
        function,
        function.grad,
        *([] if function.row.parameter_gradient else [function.backward]),
        function.value_and_grad,
        *([function.backward_from_output] if function.row.derivative_from_output else []),
    )
]
#: The same, and they can be called without parameters.
VERBS = [
    Complete(verb) if any(p.required for p in verb.row.parameters) else verb for verb in BARE_VERBS
]


def _kind(verb) -> tuple[object, ...]:
    """What the driver and the loops know about a verb; its function is one scalar kernel more."""
    row = verb.row
    facts = (row.exponential_free, row.keeps_integers, bool(row.derivative_from_output))
    return (verb.kind, len(row.parameters), *facts)


#: One verb of each kind: enough for properties of the driver and the loops, not of kernels.
KINDS = list({_kind(verb): verb for verb in reversed(VERBS)}.values())
over_bare_verbs = pytest.mark.parametrize(
    "verb", BARE_VERBS, ids=[verb.__name__ for verb in BARE_VERBS]
)
over_verbs = pytest.mark.parametrize("verb", VERBS, ids=[verb.__name__ for verb in VERBS])
over_kinds = pytest.mark.parametrize("verb", KINDS, ids=[verb.__name__ for verb in KINDS])
over_dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])

SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, -1e-45, 3e38, -3e38, 6.0, -3.0, 88.8, -103.9]


def sample(shape: tuple[int, ...], dtype: str, seed: int = 0) -> np.ndarray:
    """Random numbers around 0, with special values at odd places."""
    rng = np.random.default_rng(seed)
    with np.errstate(under="ignore", over="ignore"):
        values = rng.normal(scale=4, size=np.prod(shape)).astype(dtype)
        special = np.array(SPECIAL).astype(dtype)
    values[3 : 3 + 13 * len(special) : 13] = special[: len(values[3::13])]
    return values.reshape(shape)


def assert_identical(actual: np.ndarray, expected: np.ndarray) -> None:
    """The same dtype, shape and bits; any NaN equals any other."""
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    if actual.tobytes() == expected.tobytes():
        return  # far quicker than what follows, which forgives NaN and tells what differs
    if actual.dtype.name == "bfloat16":  # of which NumPy does not know what NaN is
        actual, expected = actual.astype(np.float32), expected.astype(np.float32)
    np.testing.assert_array_equal(actual, expected)
    numbers = expected == expected
    np.testing.assert_array_equal(np.signbit(actual)[numbers], np.signbit(expected)[numbers])


def assert_all_identical(actual: Iterable[np.ndarray], expected: Iterable[np.ndarray]) -> None:
    for one, other in zip(actual, expected, strict=True):
        assert_identical(one, other)


def results(verb, *args, backend="auto", **kwargs) -> tuple[np.ndarray, ...]:
    """Call a verb; return its results as a tuple even if it is one.

    The backend is that of a block: a call that names it does not take the compiled fast path.
    """
    with fa.use_backend(backend):
        result = verb(*args, **kwargs)
    return result if verb.nout == 2 else (result,)


def wide(array: np.ndarray) -> np.ndarray:
    """The array within one of twice the size along each axis, surrounded by other numbers."""
    surrounding = np.full([2 * n for n in array.shape], 1.5, array.dtype)
    view = surrounding[tuple(slice(None, None, 2) for _ in array.shape)]
    view[...] = array
    return view


def unaligned(array: np.ndarray) -> np.ndarray:
    memory = np.empty(array.nbytes + 1, np.uint8)
    view = memory[1:].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


def record_field(array: np.ndarray) -> np.ndarray:
    records = np.zeros(array.shape, [("number", array.dtype), ("text", "S3")])
    records["number"] = array
    return records["number"]


def read_only(array: np.ndarray) -> np.ndarray:
    array = array.copy()
    array.flags.writeable = False
    return array


LAYOUTS = {
    "contiguous": np.ascontiguousarray,
    "fortran": np.asfortranarray,
    "three_axes": lambda a: np.ascontiguousarray(a).reshape(a.shape[0], 3, -1).transpose(1, 0, 2),
    "every_other": wide,
    "one_column": lambda a: wide(a)[:, 5],
    "part_of_rows": lambda a: np.ascontiguousarray(a)[2:-3, 1:-1],
    "reversed": lambda a: np.ascontiguousarray(a)[::-1, ::-1],
    "zero_stride_rows": lambda a: np.broadcast_to(a[:1], a.shape),
    "zero_stride_columns": lambda a: np.broadcast_to(a[:, :1], a.shape),
    "zero_stride_both": lambda a: np.broadcast_to(a[0, 0], a.shape),
    "one_element": lambda a: a[:1, :1],
    "byte_swapped": lambda a: a.astype(a.dtype.newbyteorder()),
    "unaligned": unaligned,
    "record_field": record_field,
    "read_only": read_only,
    "empty": lambda a: a[:0],
    "empty_columns": lambda a: np.asfortranarray(a[:, :0]),
}


def test_the_layouts_are_what_they_say():
    """A generator of inputs needs a test too."""
    base = sample((23, 36), "float32")
    views = {name: layout(base) for name, layout in LAYOUTS.items()}
    assert not np.isfinite(base).all()
    assert np.unique(base).size > 700
    assert sum(view.flags.c_contiguous for view in views.values()) <= 7
    assert not views["unaligned"].flags.aligned
    assert not views["record_field"].flags.aligned
    assert not views["byte_swapped"].dtype.isnative
    assert not views["read_only"].flags.writeable
    assert 0 in views["zero_stride_rows"].strides
    assert min(views["reversed"].strides) < 0


@over_dtypes
@over_verbs
def test_strides_and_byte_order_do_not_matter(verb, backend, dtype):
    bases = [sample((23, 36), dtype, seed) for seed in range(len(verb.arguments))]
    numpy_ufunc = np.tanh if len(bases) == 1 else np.add
    for name, layout in LAYOUTS.items():
        views = [layout(base) for base in bases]
        before = [view.tobytes() for view in views]
        plain = [np.ascontiguousarray(view, dtype) for view in views]
        with np.errstate(all="ignore"):
            strides = numpy_ufunc(*views).strides
        for actual, expected in zip(
            results(verb, *views, backend=backend),
            results(verb, *plain, backend=backend),
            strict=True,
        ):
            assert_identical(actual, expected)
            assert actual.strides == strides, f"{name}: memory order"
            assert actual.flags.writeable
            assert not any(np.may_share_memory(actual, view) for view in views)
        assert [view.tobytes() for view in views] == before, f"{name}: input was changed"


@over_dtypes
@over_verbs
def test_position_and_length_do_not_matter(verb, backend, dtype):
    """Vector bodies, tails and single elements give the same bits."""
    args = [sample((397,), dtype, seed) for seed in range(len(verb.arguments))]
    whole = results(verb, *args, backend=backend)
    parts = [(i, i + 1) for i in range(0, 397, 3)]
    parts += [(length % 9, length % 9 + length) for length in range(2, 70)]
    for begin, end in parts:
        part = results(verb, *(arg[begin:end] for arg in args), backend=backend)
        for actual, expected in zip(part, whole, strict=True):
            assert_identical(actual, expected[begin:end])


@over_dtypes
@over_kinds
def test_chunks_of_the_driver_do_not_matter(verb, backend, dtype):
    """More elements than fit into the buffers of the driver, strided and contiguous."""
    args = [sample((33_001,), dtype, seed) for seed in range(len(verb.arguments))]
    strided = results(verb, *map(wide, args), backend=backend)
    assert_all_identical(strided, results(verb, *args, backend=backend))


@over_dtypes
@over_kinds
def test_the_fast_path_is_a_short_cut_only(verb, backend, dtype):
    """A call that names the backend takes the general way; the bits are the same."""
    args = [sample((4099,), dtype, seed) for seed in range(len(verb.arguments))]
    short = results(verb, *args, backend=backend)
    general = verb(*args, backend=backend)
    assert_all_identical(short, general if verb.nout == 2 else (general,))


@over_dtypes
@over_verbs
def test_the_fast_path_takes_parameters(verb, dtype):
    args = [sample((67,), dtype, seed) for seed in range(len(verb.arguments))]
    chosen = [parameter.default + 0.25 for parameter in verb.row.parameters]
    with fa.use_backend("auto"):
        short = results(verb, *args, *chosen)
    named = {p.name: value for p, value in zip(verb.row.parameters, chosen, strict=True)}
    assert_all_identical(short, results(verb, *args, **named))  # by name: the general way
    # Of the output, the gradient of soft_shrink is always the same function.
    if chosen and verb.__name__ != "soft_shrink.backward_from_output":
        assert short[0].tobytes() != results(verb, *args)[0].tobytes()


def test_arguments_broadcast(backend):
    g, x = sample((5, 1, 7), "float32"), sample((4, 7), "float32", 1)
    actual = fa.gelu.backward(g, x, backend=backend)
    expected = fa.gelu.backward(
        *(np.broadcast_to(array, (5, 4, 7)).copy() for array in (g, x)), backend=backend
    )
    assert_identical(actual, expected)
    assert actual.strides == np.add(g, x).strides


#: Not prelu and rrelu, whose slopes lie along an axis or are drawn: test_prelu.py, test_rrelu.py.
WITH_PARAMETERS = [verb for verb in VERBS if verb.row.parameters and not verb.row.kernels]
over_verbs_with_parameters = pytest.mark.parametrize(
    "verb", WITH_PARAMETERS, ids=[verb.__name__ for verb in WITH_PARAMETERS]
)


@over_dtypes
@over_verbs_with_parameters
def test_parameters_broadcast(verb, backend, dtype):
    """An array of parameters, one for each row, gives what the numbers give row by row."""
    first = verb.row.parameters[0].name
    in_order = any(first == low for low, _ in verb.row.ordered)
    values = [-3.0, -1.0, 0.25] if in_order else [0.25, 1.0, 3.0]
    args = [sample((3, 41), dtype, seed) for seed in range(len(verb.arguments))]
    column = np.array(values)[:, None]
    full = np.broadcast_to(column, (3, 41))
    how = {"backend": backend, "precision": "faithful"}  # fast is for numbers that are the defaults
    for parameter in (column, column.tolist(), column.astype(dtype), full):
        together = results(verb, *args, parameter, **how)
        for i, value in enumerate(values):
            for number in (value, np.array(value), np.float32(value)):
                row = results(verb, *(arg[i] for arg in args), number, **how)
                for actual, expected in zip(together, row, strict=True):
                    assert_identical(actual[i], expected)


@over_verbs_with_parameters
def test_parameters_may_enlarge_the_result(verb, backend):
    args = [np.ones(3, "float32")] * len(verb.arguments)
    for result in results(verb, *args, np.full((2, 1), 0.5), backend=backend):
        assert result.shape == (2, 3)
        assert result.dtype == np.float32
