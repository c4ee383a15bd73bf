"""A signal ends a long call: soon, with the memory of the output valid."""

from __future__ import annotations

import signal
import threading
import time

import numpy as np
import pytest
from test_backends import run_python

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


NUMBA_PROGRAM = """
import signal, sys, warnings
import fastact as fa
warnings.simplefilter("error")
if {before_import!r} == "compiling":
    fa.relu([1.0], backend="numba")

def handler(*_):
    raise TimeoutError("too slow")

def raise_alarm(frame, event, _):
    if frame.f_code.co_name == {function!r}:
        sys.setprofile(None)
        signal.raise_signal(signal.SIGALRM)

signal.signal(signal.SIGALRM, handler)
sys.setprofile(raise_alarm)
try:
    fa.mish([1.0], backend="numba")
except TimeoutError as error:
    print(error)
fa.mish([1.0], backend="numba")
print(fa.show_config("dicts")["backends"]["numba"])
"""


@pytest.mark.parametrize(
    ("state", "function"),
    [("importing", "_source_digest"), ("compiling", "_instantiate"), ("compiling", "compile")],
)
def test_a_signal_while_numba_starts_is_no_broken_numba(state, function):
    """What the handler raises reaches the caller, and the backend remains."""
    pytest.importorskip("numba")
    program = NUMBA_PROGRAM.format(before_import=state, function=function)
    assert run_python(program) == "too slow\navailable"


CALLS_OF_LITTLE_MEMORY = {
    "float32": lambda x, out: fa.gelu(x.astype("f4"), out=out.astype("f4"), backend="numpy"),
    "uint8 beside negative bounds": lambda x, out: fa.hard_tanh(x, -1, 1),
    "int8 in a wider dtype": lambda x, out: fa.leaky_relu(x.astype("i1"), 0),
}


@pytest.mark.parametrize("call", CALLS_OF_LITTLE_MEMORY.values(), ids=CALLS_OF_LITTLE_MEMORY)
def test_temporary_arrays_are_those_of_a_chunk(call):
    """Whatever the size of the array."""
    import tracemalloc

    x = np.ones(1 << 20, "uint8")
    call(x[:10], x[:10])
    tracemalloc.start()
    call(x, x)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 << 20  # two arrays of float32, and a chunk or two


def test_drawn_slopes_are_those_of_one_draw():
    """They are drawn in pieces, so that a signal may come in between."""
    size = 100_001
    expected = 0.25 + 0.5 * np.random.default_rng(3).random(size)
    slopes = fa.rrelu.draw_slopes(size, 0.25, 0.75, rng=3)
    assert slopes.tobytes() == expected.tobytes()


@pytest.mark.skipif(config.driver is None, reason="needs the extension")
@pytest.mark.parametrize("kind", [AlarmError, ValueError, RecursionError], ids=lambda k: k.__name__)
def test_what_is_raised_while_ties_are_settled_reaches_the_caller(monkeypatch, kind):
    """NumPy looks for no errors within a loop of float16; and the next call is as ever."""
    x = np.arange(12_000, dtype=np.uint16).view(np.float16)
    expected = fa.leaky_relu(-x, 0.0101, backend="cython")

    def settle(*_):
        raise kind("enough")

    with monkeypatch.context() as patch:
        patch.setattr(type(fa.leaky_relu), "_settle_ties", settle)
        for array in (-x, -x[::-1]):
            with pytest.raises(kind, match="enough"):
                fa.leaky_relu(array, 0.0101, backend="cython")
    assert fa.leaky_relu(-x, 0.0101, backend="cython").tobytes() == expected.tobytes()
