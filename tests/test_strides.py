"""Steps between elements do not matter: results are those of contiguous arrays, to the bit.

Every short length and step, and grids of several axes, on threads with thresholds so small that
each path through the compiled driver is taken.
"""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from test_layouts import VERBS, assert_all_identical, results, sample

import fastact as fa
from fastact import config

if config.driver is None:
    pytest.skip("needs the extension", allow_module_level=True)

STEPS = [*range(-4, 5), 7, -16, 100]
#: Around multiples of a block, of a tile, and of the chunks below.
LENGTHS = [*range(41), 63, 64, 65, *range(509, 516), 640, 1024, 1025]
over_dtypes = pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])


@contextlib.contextmanager
def small_chunks():
    before = config.driver.set_thresholds(
        gil_bytes=1, streaming_bytes=1, longest_chunk=64, chunks_between_signals=1
    )
    yield
    config.driver.set_thresholds(**before)


def at_steps(array: np.ndarray, step: int) -> np.ndarray:
    """Return the elements that far apart, or the first for all if they are 0 apart."""
    if step == 0:
        return np.broadcast_to(array[:1], array.shape)
    memory = np.full(len(array) * abs(step), 1.5, array.dtype)
    view = memory[::step]
    view[...] = array
    return view


def test_the_steps_are_what_they_say():
    for step in STEPS:
        assert at_steps(np.ones(9), step).strides == (8 * step,)


@over_dtypes
@pytest.mark.parametrize("verb", [fa.softplus, fa.elu.backward], ids=["forward", "backward"])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_steps_of_inputs_and_outputs(verb, dtype, threads):
    arrays = [sample((LENGTHS[-1],), dtype, seed) for seed in range(len(verb.arguments))]
    with small_chunks(), fa.use_threads(threads):
        for i, length in enumerate(LENGTHS):
            parts = [array[:length] for array in arrays]
            plain = results(verb, *(part.copy() for part in parts))
            for k, step in enumerate(STEPS):
                inputs = [at_steps(part, step) for part in parts]
                expected = plain if step else results(verb, *(each.copy() for each in inputs))
                assert_all_identical(results(verb, *inputs), expected)
                out_step = STEPS[(i + k) % len(STEPS)] or 5
                out = at_steps(np.zeros(length, dtype), out_step)
                results(verb, *inputs, out=out)
                assert_all_identical([out], expected)
                memory = out.base if out.base is not None else out
                assert np.count_nonzero(memory == 1.5) >= memory.size - length


def grid(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Return an array of any steps: axes exchanged, reversed, apart, or of step 0."""
    apart = rng.integers(1, 4, len(shape))
    order = rng.permutation(len(shape))
    memory = sample(tuple(np.multiply(shape, apart)[order]), dtype, int(rng.integers(99)))
    view = memory.transpose(np.argsort(order))
    view = view[tuple(slice(None, None, step * rng.choice((-1, 1))) for step in apart)]
    flat = tuple(slice(0, 1) if rng.random() < 0.2 else slice(None) for _ in shape)
    return np.broadcast_to(view[flat], shape)


@pytest.mark.parametrize("verb", VERBS, ids=[verb.__name__ for verb in VERBS])
def test_grids(verb):
    rng = np.random.default_rng(len(verb.__name__))
    for dtype in ("float16", "float32", "float64"):
        for n_axes in range(1, 5):
            shape = tuple(map(int, rng.choice((1, 2, 3, 5, 17, 70)[: 8 - n_axes], n_axes)))
            inputs = [grid(rng, shape, dtype) for _ in verb.arguments]
            expected = results(verb, *(array.copy("C") for array in inputs))
            out = np.zeros((*shape[::-1], 2), dtype)[..., 0].T
            with small_chunks(), fa.use_threads(int(rng.integers(1, 4))):
                found = results(verb, *inputs)
                if verb.nout == 1:
                    results(verb, *inputs, out=out)
                    assert_all_identical([out], expected)
            assert_all_identical(found, expected)


@pytest.mark.parametrize("strides", [(0, 4), (4, 0), (4, 4), (0, 0)], ids=str)
def test_of_results_that_share_memory_the_last_stays(strides):
    """As in NumPy; and not that of the thread that came last."""
    shape = (3, 1 << 15)
    for seed in range(5):
        x = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
        memories = [np.zeros(shape[1] + 8, np.float32) for _ in range(2)]
        outs = [np.lib.stride_tricks.as_strided(memory, shape, strides) for memory in memories]
        with small_chunks(), fa.use_threads(3):
            fa.relu(x, out=outs[0])
        np.maximum(x, 0, out=outs[1])
        np.testing.assert_array_equal(*memories)
