"""Rounding mode and flushing of subnormals: nothing that is kept depends on the first caller's.

Without tables, results follow the calling thread's state, on any number of threads. Each test runs
in a process of its own, which changes the state.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

import fastact as fa

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or fa.config.driver is None,
    reason="the state is set through the C library, and tables and threads need the extension",
)

SET_STATE = """
import ctypes, platform
import ml_dtypes, numpy as np
import fastact as fa
libm = ctypes.CDLL("libm.so.6")
UPWARD = 0x800 if platform.machine() == "x86_64" else 0x400000  # FE_UPWARD of x86 and of ARM

def flush():
    # Subnormal numbers, inputs and results, as torch.set_flush_denormal(True)
    state = np.zeros(64, np.uint32)
    libm.fegetenv(ctypes.c_void_p(state.ctypes.data))
    if platform.machine() == "x86_64":
        state[7] |= 0x8040  # MXCSR, after the 28 bytes of the x87 unit
    else:
        state[0] |= 1 << 24  # FPCR
    libm.fesetenv(ctypes.c_void_p(state.ctypes.data))
    assert np.float32(2e-38) * np.float32(0.25) == 0

def reset():
    assert libm.fesetenv(ctypes.c_void_p(-1)) == 0
"""


def run(program: str) -> None:
    text = SET_STATE + textwrap.dedent(program)
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("backend", fa.config.available_backends())
@pytest.mark.parametrize("state", ["flush()", "libm.fesetround(UPWARD)"])
def test_tables_do_not_depend_on_the_state_of_the_first_caller(state: str, backend: str) -> None:
    run(f"""
        x = {{
            name: np.arange(1 << 16, dtype=np.uint16).view(name)
            for name in ("float16", ml_dtypes.bfloat16)
        }}
        names = ["gelu", "softsign", "tanhshrink"]
        calls = [(fa.get(name), array) for name in names for array in x.values()]

        def results(parameters=()):
            for f, array in calls:
                given = [f.value_and_grad(array), [f.backward(np.ones_like(array), array)]]
                yield from (result.view(np.uint16) for pair in given for result in pair)

        with fa.use_backend({backend!r}):
            {state}
            first = list(results())
            reset()
            kept = list(results())
            fa.tables._results.cache_clear()
            fa.tables._factors.cache_clear()
            for f, array in calls:  # fast paths keep their own tables
                value, grad = f.bound_to({backend!r}, "fast").sibling("value_and_grad")(array)
                fresh = [value.view(np.uint16), grad.view(np.uint16)]
                for new, old, early in zip(fresh, kept[:2], first[:2]):
                    assert np.array_equal(new, old) and np.array_equal(early, old), f
                kept, first = kept[3:], first[3:]
    """)


@pytest.mark.parametrize("backend", fa.config.available_backends())
def test_results_do_not_depend_on_the_number_of_threads(backend: str) -> None:
    run(f"""
        x = np.linspace(-1e-38, 1e-38, 1 << 20, dtype=np.float32)
        fa.set_backend({backend!r})
        with fa.use_threads(4):
            fa.leaky_relu(x, .25)  # the workers are there before the state changes
        flush()
        with fa.use_threads(1):
            alone = fa.leaky_relu(x, .25).view(np.uint32)
        with fa.use_threads(4):
            together = [fa.leaky_relu(x, .25).view(np.uint32) for _ in range(20)]
        reset()
        assert all(np.array_equal(alone, result) for result in together)
        with fa.use_threads(4):
            after = [fa.leaky_relu(x, .25).view(np.uint32) for _ in range(20)]
        with fa.use_threads(1):
            alone = fa.leaky_relu(x, .25).view(np.uint32)
        assert all(np.array_equal(alone, result) for result in after)
    """)
