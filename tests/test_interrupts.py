"""A signal ends a long call: soon, with the memory of the output valid."""

from __future__ import annotations

import signal
import threading
import time

import numpy as np
import pytest

import fastact as fa
from fastact import config

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="this system has no interval timers"
)

SIZE = 1 << 20


class AlarmError(BaseException):
    """As KeyboardInterrupt: where a call handles any ``Exception``, that is another error."""


@pytest.fixture(autouse=True)
def frequent_checks():
    """Have the driver look for signals after every 2,048 elements."""
    if config.driver is None:
        yield
        return
    before = config.driver.set_thresholds(chunks_between_signals=2, longest_chunk=1024)
    yield
    config.driver.set_thresholds(**before)


def interrupted(call):
    """Call ``call`` and interrupt it after a quarter of the time that it takes."""

    def handler(*_):
        raise AlarmError

    start = time.perf_counter()
    call()
    duration = time.perf_counter() - start
    previous = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, duration / 4)
        call()
    except AlarmError:
        return True
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    return False


def columns(size):
    return np.ones((size // 1024, 1024)), np.linspace(1, 2, 1024)


CALLS = {
    "one input": lambda x, out, options: fa.mish(x, out=out, **options),
    "two inputs": lambda x, out, options: fa.mish.backward(x, x, out=out, **options),
    "strided": lambda x, out, options: fa.mish(x[::-1], out=out, **options),
    "parameters in rows": lambda x, out, options: fa.celu(
        x.reshape(1024, -1), np.linspace(1, 2, 1024)[:, np.newaxis], out=out.reshape(1024, -1),
        **options,
    ),
}  # fmt: skip


@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals")
@pytest.mark.parametrize("num_threads", [1, 2])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_long_call_is_interrupted(call, num_threads, backend):
    x = np.full(SIZE if backend != "numpy" else SIZE // 16, 0.5)
    out = np.zeros_like(x)
    with fa.use_threads(num_threads):
        for _ in range(5):  # a busy machine may end the call before the timer
            if interrupted(lambda: call(x, out, {"backend": backend})):
                break
        else:
            pytest.fail("the call was not interrupted")
        call(x, out, {"backend": backend})
        again = call(x, np.zeros_like(x), {"backend": backend})
    assert out.tobytes() == again.tobytes()


def test_the_numpy_backend_needs_little_memory():
    """Its temporary arrays are those of a chunk, whatever the size of the array."""
    import tracemalloc

    x = np.ones(1 << 20, "float32")
    out = np.empty_like(x)
    fa.gelu(x[:10], out=out[:10], backend="numpy")
    tracemalloc.start()
    fa.gelu(x, out=out, backend="numpy")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20
