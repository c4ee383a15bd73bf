"""Every length and alignment gives the bits of a plain call, and writes nothing beside the output.

The thresholds of the driver are made small, so that arrays of a few hundred elements are cut into
chunks, brought to a cache line, streamed past the caches and computed on several threads.
"""

from __future__ import annotations

import itertools

import ml_dtypes
import numpy as np
import pytest
from test_layouts import sample

import fastact as fa
from fastact import config

if config.cython_backend is None:
    pytest.skip("needs the extension", allow_module_level=True)

TILE_BYTES = 1024  # as in _core.pyx
CHUNK = 1024  # elements: at least two tiles of any dtype
SMALL = {
    "gil_bytes": 0,
    "streaming_bytes": 0,
    "table_streaming_bytes": 0,
    "longest_chunk": CHUNK,
    "chunks_between_signals": 1,
}
THREADS = (1, 2, 3, 7)
GUARD = 0xA5


def activation_id(value):
    return getattr(value, "__name__", str(value))


@pytest.fixture
def set_thresholds():
    """Return the function that changes the driver's thresholds, and restore them after the test."""
    before = config.driver.set_thresholds()
    yield config.driver.set_thresholds
    config.driver.set_thresholds(**before)


def array_at(address, size, dtype):
    """Return an array that begins ``address`` bytes behind a cache line, its buffer and start."""
    nbytes = size * np.dtype(dtype).itemsize
    buffer = np.full(nbytes + address + 192, GUARD, np.uint8)
    start = -buffer.ctypes.data % 64 + address
    return buffer[start : start + nbytes].view(dtype), buffer, start


def inputs_of(verb, size, dtype):
    with np.errstate(over="ignore"):
        return [
            sample((size,), "float32", seed).astype(dtype) for seed in range(len(verb.arguments))
        ]


def copy_at(address, values):
    copy = array_at(address, values.size, values.dtype)[0]
    copy[...] = values
    return copy


def assert_nothing_else_is_written(out, buffer, start):
    assert (buffer[:start] == GUARD).all()
    assert (buffer[start + out.nbytes :] == GUARD).all()


def check(verb, args, expected, address, input_address, num_threads, backend):
    out, buffer, start = array_at(address, expected.size, expected.dtype)
    args = [copy_at(input_address, argument) for argument in args]
    with fa.use_threads(num_threads):
        verb(*args, out=out, backend=backend)
    assert out.tobytes() == expected.tobytes(), (expected.size, address, num_threads)
    assert_nothing_else_is_written(out, buffer, start)


#: A verb of each kind of loop: one input and two, from the output, fused, of 16 bits by look-up in
#: a table of results and of factors, exponentials, which are not streamed.
LOOPS = [
    (fa.relu, "float32"),
    (fa.relu.backward, "float64"),
    (fa.dish, "float32"),
    (fa.sigmoid.backward_from_output, "float32"),
    (fa.tanh.backward_from_output, "float64"),
    (fa.gelu, "float32"),
    (fa.silu, "float16"),
    (fa.elu.grad, "bfloat16"),
    (fa.relu.backward, "float16"),
    (fa.tanh.backward_from_output, "bfloat16"),
]
over_alignment_thresholds = pytest.mark.parametrize("worth_aligning", [64, 1000])
over_loops = pytest.mark.parametrize(("verb", "dtype"), LOOPS, ids=activation_id)


@over_alignment_thresholds
@over_loops
def test_every_length_of_the_last_chunk(set_thresholds, verb, dtype, worth_aligning, backend):
    """From one element to two tiles, with no chunk before, one and three."""
    dtype = np.dtype(getattr(ml_dtypes, dtype, dtype))
    rest = range(1, 2 * TILE_BYTES // dtype.itemsize + 2)
    lengths = [whole * CHUNK + length for whole in (0, 1, 3) for length in rest]
    inputs = inputs_of(verb, max(lengths), dtype)
    with fa.use_threads(1):
        expected = verb(*inputs, backend=backend)
    set_thresholds(**SMALL, worth_aligning=worth_aligning)
    positions = itertools.product(range(0, 64, dtype.itemsize), THREADS)
    for length, (address, num_threads) in zip(lengths, itertools.cycle(positions), strict=False):
        args = [argument[:length] for argument in inputs]
        input_address = length * 5 % 16 * dtype.itemsize
        check(verb, args, expected[:length], address, input_address, num_threads, backend)


@over_loops
def test_every_alignment(set_thresholds, verb, dtype):
    """Of inputs and outputs, to the byte: chunks end before, at and behind a tile and a vector."""
    dtype = np.dtype(getattr(ml_dtypes, dtype, dtype))
    tile = TILE_BYTES // dtype.itemsize
    inputs = inputs_of(verb, 2 * CHUNK, dtype)
    with fa.use_threads(1):
        expected = verb(*inputs)
    set_thresholds(**SMALL, worth_aligning=3 * tile // 2)
    for address, rest in itertools.product(range(65), (15, tile, tile + 65, 2 * tile - 1)):
        length = address % 2 * CHUNK + rest
        args = [argument[:length] for argument in inputs]
        for input_address in (0, address * 3 % 16):
            num_threads = THREADS[address % 4]
            check(verb, args, expected[:length], address, input_address, num_threads, "auto")


@over_alignment_thresholds
@pytest.mark.parametrize("verb", [fa.leaky_relu, fa.leaky_relu.backward, fa.elu], ids=activation_id)
@pytest.mark.parametrize("length", [1, 3, 63, 255, 256, 257, 2000, 4165])
def test_rows_with_parameters_of_their_own(set_thresholds, verb, length, worth_aligning):
    """Long rows run one after another, short rows joined; their chunks begin at any address."""
    slopes = np.linspace(0.1, 2, 7)
    inputs = [sample((7, length), "float32", seed) for seed in range(len(verb.arguments))]
    with fa.use_threads(1):
        rows = zip(*inputs, slopes, strict=True)
        expected = np.stack([verb(*row) for row in rows])
    set_thresholds(**SMALL, worth_aligning=worth_aligning)
    for address, num_threads in itertools.product(range(0, 64, 4), THREADS):
        out, buffer, start = array_at(address, expected.size, expected.dtype)
        with fa.use_threads(num_threads):
            verb(*inputs, slopes[:, np.newaxis], out=out.reshape(expected.shape))
        assert out.tobytes() == expected.tobytes(), (address, num_threads)
        assert_nothing_else_is_written(out, buffer, start)


@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (5, 3, 1), (9, 7, 2), (3, 5, 255), (2, 3, 1000)], ids=str
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sums_over_channels(set_thresholds, shape, dtype):
    g, x = (sample(shape, dtype, seed) for seed in (1, 2))
    g, x = np.nan_to_num(g, posinf=1, neginf=1), np.nan_to_num(x, posinf=1, neginf=-1)
    weight = np.linspace(0.1, 1, shape[1])
    with fa.use_threads(1):
        expected = fa.prelu.backward(g, x, weight)
    set_thresholds(**SMALL)
    for address, num_threads in itertools.product(range(0, 64, 8), THREADS):
        args = [copy_at(address, array.ravel()).reshape(shape) for array in (g, x)]
        with fa.use_threads(num_threads):
            actual = fa.prelu.backward(*args, weight)
        assert [a.tobytes() for a in actual] == [e.tobytes() for e in expected]


@pytest.mark.parametrize(
    "verb", [fa.relu, fa.relu.value_and_grad, fa.silu.backward], ids=activation_id
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_in_place(set_thresholds, verb, dtype):
    inputs = inputs_of(verb, 4 * CHUNK, dtype)
    with fa.use_threads(1):
        expected = verb(*inputs)
    expected = expected[0] if verb.nout == 2 else expected
    set_thresholds(**SMALL, worth_aligning=64)
    itemsize = expected.itemsize
    for length in range(1, 4 * CHUNK, 13):
        x, buffer, start = array_at(length * itemsize % 64, length, dtype)
        x[...] = inputs[-1][:length]
        out = (x, np.empty_like(x)) if verb.nout == 2 else x
        with fa.use_threads(THREADS[length % 4]):
            verb(*(argument[:length] for argument in inputs[:-1]), x, out=out)
        assert x.tobytes() == expected[:length].tobytes(), length
        assert_nothing_else_is_written(x, buffer, start)
