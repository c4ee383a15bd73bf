"""Threads change nothing: several of ours, several of the caller's, and processes after a fork."""

from __future__ import annotations

import os

import numpy as np
import pytest
from test_backends import WITHOUT_EXTENSION, run_python
from test_layouts import assert_all_identical, over_dtypes, over_kinds, results, sample

import fastact as fa
from fastact import config

HAS_FORK = hasattr(os, "fork")


@over_dtypes
@over_kinds
def test_the_number_of_threads_does_not_matter(verb, backend, dtype):
    """Enough elements for three threads, and a length that none of them divides."""
    size = 3 * verb.row.chunk + 77
    args = [sample((size,), dtype, seed) for seed in range(len(verb.arguments))]
    with fa.use_threads(1):
        expected = results(verb, *args, backend=backend)
    for num_threads in (2, 3):
        with fa.use_threads(num_threads):
            actual = results(verb, *args, backend=backend)
            if num_threads == 2:
                outs = tuple(np.empty_like(result) for result in expected)
                results(verb, *args, out=outs, backend=backend)
                assert_all_identical(outs, expected)
        assert_all_identical(actual, expected)


def test_in_place_on_several_threads(backend):
    x = sample((300_001,), "float32")
    expected = fa.gelu.grad(x, backend=backend)
    with fa.use_threads(2):
        fa.gelu.grad(x, out=x, backend=backend)
    assert_all_identical([x], [expected])


PREAMBLE = """
import os, sys, threading
import numpy as np
import fastact as fa
backend = sys.intern(os.environ["BACKEND"])
fa.set_backend(backend)
fa.set_num_threads(2)
x = np.linspace(-8, 8, 300_001).astype("float32")

def compute():
    # The fast path, and the general one.
    near = fa.gelu(x).tobytes() + fa.relu.backward(x, x).tobytes()
    return near + fa.gelu(x, backend=backend).tobytes()
"""

EIGHT_THREADS = PREAMBLE + """
barrier = threading.Barrier(8)
results = []

def work():
    barrier.wait()
    results.extend(compute() for _ in range(4))

threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
with fa.use_threads(1):
    expected = compute()
print(len(results), set(results) == {expected})
"""  # fmt: skip

FORK = PREAMBLE + """
expected = compute()

def in_child():
    child = os.fork()
    if child == 0:
        # No clean-up in the child: what it prints is for the parent to print.
        facts = compute() == expected, fa.get_num_threads() == 2
        grandchild = os.fork() if all(facts) else None
        if grandchild == 0:
            os._exit(0 if compute() == expected else 1)
        status = os.waitpid(grandchild, 0)[1] if grandchild else 0
        os._exit(0 if all(facts) and status == 0 else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

codes = [in_child(), in_child()]
with fa.use_threads(2):
    codes.append(in_child())
print(codes, compute() == expected, fa.get_num_threads())
"""  # fmt: skip

POOL = PREAMBLE + """
import multiprocessing

def task(_):
    return compute() == expected

expected = compute()
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map(task, range(4)))
"""  # fmt: skip

FORK_WHILE_BUSY = PREAMBLE + """
expected = compute()
stop = threading.Event()

def work():
    while not stop.is_set():
        compute()

thread = threading.Thread(target=work)
thread.start()
codes = []
for _ in range(5):
    child = os.fork()
    if child == 0:
        os._exit(0 if compute() == expected else 1)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
stop.set()
thread.join()
print(codes)
"""  # fmt: skip

# The threads of the driver, and those that the Numba backend has of its own without it.
SETUPS = {name: (name, "") for name in config.BACKENDS}
SETUPS["numba-without-driver"] = ("numba", WITHOUT_EXTENSION)
over_setups = pytest.mark.parametrize("setup", SETUPS)
needs_fork = pytest.mark.skipif(not HAS_FORK, reason="this system has no fork")


def run_on(setup, code):
    name, before = SETUPS[setup]
    if name not in config.available_backends():
        pytest.skip(f"the backend {name} is not available")
    return run_python(before + code, BACKEND=name)


@over_setups
def test_eight_threads_at_once(setup):
    """The first calls of the process are among theirs: loading and compiling race too."""
    assert run_on(setup, EIGHT_THREADS) == "32 True"


@needs_fork
@over_setups
def test_a_forked_child_computes_the_same(setup):
    """With as many threads as its parent, and so does its own child."""
    assert run_on(setup, FORK) == "[0, 0, 0] True 2"


@needs_fork
@over_setups
def test_a_forked_pool_computes_the_same(setup):
    assert run_on(setup, POOL) == "[True, True, True, True]"


@needs_fork
@over_setups
def test_a_fork_amid_a_computation_leaves_no_lock(setup):
    assert run_on(setup, FORK_WHILE_BUSY) == "[0, 0, 0, 0, 0]"


@needs_fork
def test_settings_work_in_a_forked_child():
    code = (
        "import os, fastact as fa\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    fa.set_num_threads(4); fa.set_backend('numpy')\n"
        "    facts = fa.show_config('dicts')['settings']\n"
        "    os._exit(facts['num_threads'] + 10 * (facts['backend'] == 'numpy'))\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    )
    assert run_python(code) == "14"


@pytest.mark.skipif(
    os.environ.get("FASTACT_TEST_HUGE") != "1",
    reason="needs 13 GB and a minute: set FASTACT_TEST_HUGE=1 to run it",
)
def test_more_elements_than_32_bits_count(backend):
    x = np.zeros(2**31 + 77, "float32")
    x[[0, 2**31 - 1, 2**31, -1]] = -1, 2, 3, 4
    fa.relu(x, out=x, backend=backend)
    assert x[[0, 2**31 - 1, 2**31, -1]].tolist() == [0, 2, 3, 4]
    assert np.count_nonzero(x) == 3
