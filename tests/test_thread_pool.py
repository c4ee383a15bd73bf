"""The workers of the driver: there when needed, silent when not, anew in a forked child."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_backends import run_python

from fastact import config

pytestmark = [
    pytest.mark.skipif("cython" not in config.available_backends(), reason="needs the extension"),
    pytest.mark.skipif(sys.platform != "linux", reason="workers are looked for in /proc"),
]

PREAMBLE = """
import os, threading, time
from pathlib import Path
import numpy as np
import fastact as fa

def workers():
    return [task for task in Path("/proc/self/task").iterdir()
            if (task / "comm").read_text().strip() == "fastact"]

def serial(x):
    with fa.use_threads(1):
        return fa.silu(x)

def parallel(x, num_threads=2):
    # Not into an array of before, that may hold the right values already.
    with fa.use_threads(num_threads):
        return fa.silu(x, out=np.full_like(x, np.nan))

def status_of(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

x = np.linspace(-8, 8, (1 << 20) + 77).astype("float32")
"""


def run(code, backend="cython"):
    return run_python(PREAMBLE + code, FASTACT_BACKEND=backend).splitlines()


def test_workers_come_with_the_first_large_array_and_stay():
    code = """
print(len(workers()))
parallel(x[:16]); serial(x)
print(len(workers()))
for num_threads in (2, 4, 2):
    parallel(x, num_threads)
    print(len(workers()))
"""
    assert run(code) == ["0", "0", "1", "3", "3"]


@pytest.mark.parametrize("pause", [0, 0.0003, 0.02], ids=["no-pause", "0.3-ms", "20-ms"])
def test_results_are_those_of_one_thread(pause):
    """Whether the worker is found spinning or asleep, or must be created."""
    code = f"""
expected = serial(x).tobytes()
for _ in range(30):
    assert parallel(x).tobytes() == expected
    time.sleep({pause})
"""
    assert run(code) == []


def test_callers_at_once_do_not_mix_their_arrays():
    code = """
arrays = [x + i for i in range(6)]
expected = [serial(array).tobytes() for array in arrays]
same = []

def work(i):
    # Callers count as threads; 8 leave some for workers.
    same.extend(parallel(arrays[i], 8).tobytes() == expected[i] for _ in range(20))

threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(same), all(same))
"""
    assert run(code) == ["120 True"]


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two processors")
def test_a_worker_is_woken_on_another_processor_than_the_callers():
    """Else the two take turns there, and the call takes as long as on one thread."""
    code = """
def processor():
    fields = Path(f"/proc/self/task/{threading.get_native_id()}/stat").read_text().rsplit(")", 1)[1]
    return int(fields.split()[36])

def trial():
    time.sleep(0.01)
    before = processor()
    parallel(x)
    return before, os.sched_getaffinity(int(workers()[0].name)), processor()

parallel(x)  # which hires the worker
trials = [trial() for _ in range(50)]
stayed = [(before, allowed) for before, allowed, after in trials if before == after]
print(len(stayed) > 0, [before for before, allowed in stayed if before in allowed])
"""
    assert run(code) == ["True []"]


def test_idle_workers_take_no_processor_time():
    """A worker that spins waits 0.1 ms; with the default of OpenMP it was tens of ms."""
    code = """
def nanoseconds():
    return sum(int((worker / "schedstat").read_text().split()[0]) for worker in workers())

for _ in range(50):
    parallel(x)
time.sleep(0.001)
before = nanoseconds()
time.sleep(0.3)
print(len(workers()), nanoseconds() - before < 2_000_000)
"""
    assert run(code) == ["1 True"]


@pytest.mark.parametrize("backend", ["cython", "numba"])
def test_a_forked_child_is_parallel_too(backend):
    if backend not in config.available_backends():
        pytest.skip(f"the backend {backend} is not available")
    code = """
expected = parallel(x).tobytes()
for _ in range(3):
    child = os.fork()
    if child == 0:
        before = len(workers())
        same = parallel(x).tobytes() == expected
        os._exit(0 if same and (before, len(workers())) == (0, 1) else 1)
    print(status_of(child))
print(len(workers()), parallel(x).tobytes() == expected)
"""
    assert run(code, backend) == ["0", "0", "0", "1 True"]


def test_a_child_forked_amid_a_computation_is_parallel_too():
    code = """
expected = parallel(x).tobytes()
stop = threading.Event()

def work():
    while not stop.is_set():
        parallel(x)

thread = threading.Thread(target=work)
thread.start()
statuses = set()
for _ in range(20):
    time.sleep(0.001)
    child = os.fork()
    if child == 0:
        same = all(parallel(x).tobytes() == expected for _ in range(3))
        os._exit(0 if same and len(workers()) == 1 else 1)
    statuses.add(status_of(child))
stop.set()
thread.join()
print(statuses)
"""
    assert run(code) == ["{0}"]


def test_children_of_a_multiprocessing_pool_are_parallel_too():
    code = """
import multiprocessing

def task(_):
    return parallel(x).tobytes() == expected, len(workers())

expected = parallel(x).tobytes()
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(set(pool.map(task, range(4))))
"""
    assert run(code) == ["{(True, 1)}"]


@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "aarch64"), reason="needs the mode's number"
)
def test_workers_round_as_the_caller_does():
    """A worker has the rounding mode of the thread that created it, at that time."""
    code = """
import ctypes, platform
upward = {"x86_64": 0x800, "aarch64": 0x400000}[platform.machine()]
fesetround = ctypes.CDLL(None).fesetround

def is_as_one_thread(mode):
    fesetround(mode)
    results = {parallel(x, 4).tobytes() for _ in range(20)} | {serial(x).tobytes()}
    fesetround(0)
    return len(results) == 1

print(*[is_as_one_thread(mode) for mode in (upward, 0, upward)], len(workers()))
"""
    assert run(code) == ["True True True 3"]


def test_workers_leave_signals_to_the_threads_of_the_application():
    code = """
import signal
import time
parallel(x)
time.sleep(0.2)  # a new thread has all signals blocked until it runs
status = (workers()[0] / "status").read_text()
blocked = int(status.split("SigBlk:")[1].split()[0], 16)
for name in ("SIGINT", "SIGTERM", "SIGCHLD", "SIGALRM", "SIGSEGV"):
    print(name, bool(blocked >> (getattr(signal, name) - 1) & 1))
"""
    blocked = ["SIGINT True", "SIGTERM True", "SIGCHLD True", "SIGALRM True"]
    assert run(code) == [*blocked, "SIGSEGV False"]


@pytest.mark.parametrize(
    "last_lines",
    [
        "for _ in range(5): parallel(x)",
        "parallel(x); time.sleep(0.02)",
        "threading.Thread(target=lambda: [parallel(x) for _ in range(10**6)], daemon=True).start()"
        "; time.sleep(0.02)",
    ],
    ids=["while-workers-spin", "while-workers-sleep", "while-workers-compute"],
)
def test_a_process_ends_cleanly(last_lines):
    """Without a word, and with exit code 0: see run_python."""
    assert run(last_lines) == []


def test_threads_that_the_system_refused_are_created_later(tmp_path):
    source, compiler = Path(__file__).with_name("refused_threads.c"), shutil.which("cc")
    if compiler is None or not source.exists():
        pytest.skip("there is no C compiler or no source here")
    headers = source.parents[1] / "fastact" / "driver"
    program = tmp_path / "refused_threads"
    flags = ["-Wall", "-Werror", "-pthread", f"-I{headers}", "-DFASTACT_SPAWN_AGAIN_NS=50000000"]
    subprocess.run([compiler, *flags, source, "-o", program, "-lm"], check=True)
    process = subprocess.run([program], capture_output=True, text=True, timeout=60)
    assert (process.returncode, process.stdout) == (0, "")


def test_show_config_tells_how_many_threads_exist():
    code = """
def existing():
    return fa.show_config("dicts")["settings"]["existing_threads"]

print(existing())
parallel(x, 4)
print(existing(), len(workers()) + 1)
"""
    assert run(code) == ["1", "4 4"]


REFUSED_HELPERS = """
import gc, sys, threading, weakref
sys.modules["fastact.driver._core"] = None
import numpy as np
import fastact as fa

x = np.ones(1 << 18)
with fa.use_threads(1):
    expected = fa.gelu(x, backend="numba")
start = threading.Thread.start

def refuse(self):
    raise RuntimeError("can't start new thread")

fa.set_num_threads(4)
threading.Thread.start = refuse
outputs = []
for _ in range(3):
    y = fa.gelu(x, backend="numba")
    assert (y == expected).all()
    outputs.append(weakref.ref(y))
del y
gc.collect()
print([output() for output in outputs], fa.show_config("dicts")["settings"]["existing_threads"])
threading.Thread.start = start
assert (fa.gelu(x, backend="numba") == expected).all()
print(fa.show_config("dicts")["settings"]["existing_threads"] > 1)
"""


def test_refused_helpers_of_numba_hold_no_arrays_and_come_later():
    pytest.importorskip("numba")
    assert run_python(REFUSED_HELPERS) == "[None, None, None] 1\nTrue"
