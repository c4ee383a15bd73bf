"""A call in the course of another, by a signal handler or a finaliser, computes as ever."""

from __future__ import annotations

import os
import signal

import pytest
from test_backends import run_python

from fastact import config

PREAMBLE = """
import os, signal
import numpy as np
import fastact as fa
from fastact import config

x = np.linspace(-5, 5, 1 << 20).astype(np.float32)
"""

HANDLER = """
config.driver.set_thresholds(gil_bytes=0, longest_chunk=1024, chunks_between_signals=8)
fa.set_num_threads(3)
expected = fa.elu(x)
children = []

def handler(*_):
    assert (fa.elu(x[:100_000]) == expected[:100_000]).all()
    if len(children) < 8:
        children.append(os.fork())

signal.signal(signal.SIGALRM, handler)
parent = os.getpid()
while True:
    signal.setitimer(signal.ITIMER_REAL, 0.0005)
    y = fa.elu(x)  # a child ends the call that it was forked in
    signal.setitimer(signal.ITIMER_REAL, 0)
    same = (y == expected).all()
    if os.getpid() != parent:
        os._exit(0 if same else 1)
    assert same
    if len(children) == 8:
        break
print({os.waitpid(child, 0)[1] for child in children})
"""

COMPILING = """
from fastact.numba_backend import loops

compile_loop = loops.compile_loop
within = []

def interrupted(row, verb, variant):
    if not within:
        within.append(None)
        within.append(fa.get("{name}")(x, backend="numba"))
    return compile_loop(row, verb, variant)

loops.compile_loop = interrupted
y = fa.relu(x, backend="numba")
print((y == np.maximum(x, 0)).all(), (within[1] == fa.get("{name}")(x, backend="numba")).all())
"""


@pytest.mark.skipif(config.driver is None, reason="needs the extension")
@pytest.mark.skipif(
    not hasattr(os, "fork") or not hasattr(signal, "setitimer"), reason="needs fork and timers"
)
def test_a_signal_handler_computes_and_forks_amid_a_call():
    assert run_python(PREAMBLE + HANDLER).split() == ["{0}"]


@pytest.mark.skipif("numba" not in config.available_backends(), reason="needs Numba")
@pytest.mark.parametrize("name", ["relu", "leaky_relu"], ids=["same-loop", "another-loop"])
def test_a_loop_is_compiled_while_one_is(name):
    assert run_python(PREAMBLE + COMPILING.format(name=name), timeout=30).split() == ["True"] * 2
