"""Arrays that are not what they seem, or change during a call: no memory beside them is touched."""

from __future__ import annotations

import signal

import numpy as np
import pytest
from test_backends import run_python

from fastact import config

if config.cython_backend is None:
    pytest.skip("needs the extension", allow_module_level=True)

PREAMBLE = """
import gc, signal
import numpy as np
import fastact as fa
from fastact import config
"""

# A finaliser that the garbage collector may call between the allocations of a call.
FINALISER = """
class Finalised:
    def __del__(self):
        if armed:
            x.dtype = np.int8

gc.disable()
changed = 0
for count in range(1, 60):
    armed = False
    x = np.zeros(3000, np.float32)
    gc.collect()
    gc.set_threshold(count, 100_000, 100_000)
    cycle = Finalised()
    cycle.itself = cycle
    del cycle
    armed = True
    gc.enable()
    y, d = fa.tanh.value_and_grad(x)
    gc.disable()
    armed = False
    changed += x.dtype == np.int8
    others = [np.ones(750) for _ in range(3)]  # the allocator checks what stands beside
print(changed > 0)
"""

# A signal handler, called while a kernel runs or while the gradient of the weight is summed.
SIGNAL_HANDLER = """
config.driver.set_thresholds(gil_bytes=0, longest_chunk=4096, chunks_between_signals=1)
fa.set_num_threads(1)
g = -np.ones(1 << 21, np.float32)

def handler(*_):
    x.dtype = np.int8

signal.signal(signal.SIGALRM, handler)
totals = set()
for part in range(1, 50):
    x = g.copy()
    signal.setitimer(signal.ITIMER_REAL, part * 0.0001)
    try:
        totals.add(float(fa.prelu.backward(g, x, 0.25)[1]))
    except ValueError:  # before anything was computed, x got another shape
        pass
    signal.setitimer(signal.ITIMER_REAL, 0)
print(totals == {float(g.size)})
"""

# One byte for each element, where the loops write eight.
SUBCLASS = """
class Odd(np.ndarray):
    @property
    def dtype(self):
        return np.dtype(np.float64)

buffer = np.full(80_000, 0x25, np.int8)
out = buffer[:8_000].reshape(8, 1000).view(Odd)
fa.prelu(np.ones((8, 1000)), np.full(8, 0.25), axis=0, out=out)
print((buffer[:8_000] == 1).all() and (buffer[8_000:] == 0x25).all())
"""


# A finaliser that takes the memory of an input away, between the checks of a grid and its run.
GRID_FINALISER = """
config.driver.set_thresholds(gil_bytes=1, longest_chunk=64)

class Finalised:
    def __del__(self):
        if armed:
            x.shape = (x.size // 2, 2)
            x.resize((2, 2), refcheck=False)

gc.disable()
shapes = set()
for count in range(1, 60):
    armed = False
    x = np.ones((300, 300), np.float32, order="F")
    gc.collect()
    gc.set_threshold(count, 100_000, 100_000)
    cycle = Finalised()
    cycle.itself = cycle
    del cycle
    armed = True
    gc.enable()
    y = fa.relu(x)
    gc.disable()
    armed = False
    shapes.add(y.shape)
print(shapes <= {(300, 300), (45_000, 2), (2, 2)})
"""


CODES = {
    "subclass": SUBCLASS,
    "finaliser": FINALISER,
    "grid": GRID_FINALISER,
    "signal handler": SIGNAL_HANDLER,
}


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timers")
@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_no_other_memory_is_read_or_written(code):
    assert run_python(PREAMBLE + code).splitlines() == ["True"]


@pytest.mark.parametrize(
    ("dtypes", "chunk"),
    [(("float64", "int8"), 64), (("float64", "float64"), 0)],
    ids=["dtypes", "chunk"],
)
def test_the_driver_refuses_what_its_loops_do_not_expect(dtypes, chunk):
    x, out = (np.ones(640, dtype) for dtype in dtypes)
    address = config.cython_backend.loop_address("leaky_relu", "forward", "float64")
    with pytest.raises(ValueError, match="driver: "):
        config.driver.execute_rows(address, [x], [out], np.ones(1), 64, 1, chunk, False, False)


@pytest.mark.parametrize(
    "change",
    [{"longest_chunk": 1 << 62}, {"longest_chunk": 96}, {"chunks_between_signals": 1 << 62}],
    ids=str,
)
def test_thresholds_that_cut_no_array_are_refused(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        config.driver.set_thresholds(**change)
