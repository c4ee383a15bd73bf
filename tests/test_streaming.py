"""Large outputs, which are stored past the caches, have the same bits as small ones.

Whatever the alignment of the output; and nothing beside it is written. So it is with outputs that
are not streamed.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest
from test_layouts import VERBS, assert_identical, sample

import fastact as fa
from fastact import config

if config.cython_backend is None:
    pytest.skip("needs the extension", allow_module_level=True)

STREAMING_BYTES = 1 << 25  # inputs and output together, as in _core.pyx
PIECE = 12_345  # elements: never streamed
GUARD = 7.5

STREAMED = [v for v in VERBS if v.row.exponential_free and v.kind in ("forward", "backward")]
over_verbs = pytest.mark.parametrize("verb", STREAMED, ids=lambda verb: verb.__name__)
# One input and two; the driver knows no other difference.
over_counts = pytest.mark.parametrize(
    "verb", [fa.hard_swish, fa.leaky_relu.backward], ids=lambda verb: verb.__name__
)
over_dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])
over_threads = pytest.mark.parametrize("num_threads", [1, 2])


@functools.lru_cache(maxsize=1)
def arguments(count, dtype):
    """Return arrays that are just large enough, and end amid a block."""
    size = STREAMING_BYTES // ((count + 1) * np.dtype(dtype).itemsize) + 77
    return [np.resize(sample((100_003 + i,), dtype, seed=i), size) for i in range(count)]


@functools.lru_cache(maxsize=1)
def in_pieces(verb, dtype):
    args = arguments(len(verb.arguments), dtype)
    starts = range(0, args[0].size, PIECE)
    return np.concatenate([verb(*(a[i : i + PIECE] for a in args)) for i in starts])


def misaligned(size, dtype, offset):
    """Return an array that starts ``offset`` elements after a cache line, and what is around it."""
    spare = 64 // np.dtype(dtype).itemsize
    buffer = np.full(size + offset + 2 * spare, GUARD, dtype)
    start = -buffer.ctypes.data % 64 // buffer.itemsize + offset
    return buffer[start : start + size], (buffer[:start], buffer[start + size :])


@over_dtypes
@over_verbs
def test_the_bits_are_those_of_small_pieces(verb, dtype):
    args = arguments(len(verb.arguments), dtype)
    assert_identical(verb(*args), in_pieces(verb, dtype))


@over_threads
@over_dtypes
@over_counts
def test_the_alignment_of_the_output_does_not_matter(verb, dtype, num_threads):
    expected = in_pieces(verb, dtype)
    args = arguments(len(verb.arguments), dtype)
    for offset in range(1, 18):
        out, around = misaligned(expected.size, dtype, offset)
        with fa.use_threads(num_threads):
            verb(*args, out=out)
        assert out.tobytes() == expected.tobytes()
        assert all((guard == GUARD).all() for guard in around)


@over_threads
@over_dtypes
@over_counts
def test_in_place(verb, dtype, num_threads):
    args = [argument.copy() for argument in arguments(len(verb.arguments), dtype)]
    with fa.use_threads(num_threads):
        verb(*args, out=args[-1])
    assert_identical(args[-1], in_pieces(verb, dtype))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@over_counts
def test_outputs_that_begin_amid_a_cache_line(verb, dtype):
    """Up to where the next begins, they are computed by themselves."""
    args = [sample((20_011,), dtype, seed=seed) for seed in range(len(verb.arguments))]
    expected = verb(*args)
    assert_identical(expected[:1000], verb(*(argument[:1000] for argument in args)))
    for offset in range(1, 64 // expected.itemsize + 1):
        out, around = misaligned(expected.size, dtype, offset)
        verb(*args, out=out)
        assert out.tobytes() == expected.tobytes()
        assert all((guard == GUARD).all() for guard in around)
