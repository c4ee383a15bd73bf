"""The pool of recycled memory: arrays own theirs, reuse happens, stays bounded, ends at a fork."""

from __future__ import annotations

import copy
import ctypes
import os
import pickle
import shutil
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from test_backends import WITHOUT_EXTENSION, error_of, run_python

import fastact as fa

MIB = 1 << 20
INITIAL = fa.show_config("dicts")["pool"]
ROOT = Path(__file__).resolve().parent.parent

needs_pool = pytest.mark.skipif(not INITIAL["available"], reason="there is no pool here")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@pytest.fixture(autouse=True)
def empty_pool():
    fa.set_pool_limit(256 * MIB)
    fa.clear_pool()
    yield
    if INITIAL["available"]:
        fa.set_pool_limit(INITIAL["limit"])
    fa.clear_pool()


def pool():
    return fa.show_config("dicts")["pool"]


def idle():
    return pool()["idle_bytes"]


def zeros(mib):
    return np.zeros(mib * MIB // 4, np.float32)


def address(array):
    return array.__array_interface__["data"][0]


def handler(*array):
    """Return the name of the allocator of an array, or of the next one to come."""
    return np._core.multiarray.get_handler_name(*array)


def relu(mib):
    return fa.relu(zeros(mib))


# --- arrays are as ever ------------------------------------------------------------------------


@needs_pool
def test_an_array_owns_its_memory():
    y = relu(4)
    assert handler(y) == "fastact_pool"
    assert y.flags.owndata
    assert y.base is None
    assert y.flags.writeable
    assert address(y) % 64 == 0
    assert sys.getsizeof(y) == sys.getsizeof(np.empty_like(y))


def test_a_large_array_does_what_any_array_does():
    x = np.arange(MIB, dtype="float32")
    y = fa.relu(x)
    y.setflags(write=False)
    y.setflags(write=True)
    for twin in (y.copy(), copy.deepcopy(y), pickle.loads(pickle.dumps(y))):
        assert twin.tobytes() == x.tobytes()
    y.shape = (2, -1)
    view = y[1]
    del y
    fa.relu(-x)
    assert view.tobytes() == x[MIB // 2 :].tobytes()


# Elements of 4 bytes, about the threshold of 2 MiB; 7.5 MiB leaves little of 8 MiB unused.
SIZES = [1, 1000, MIB // 2 - 1, MIB // 2, MIB, 15 * MIB // 8, 2 * MIB, 5 * MIB]


@pytest.mark.parametrize("first", SIZES[3:])
@pytest.mark.parametrize("second", SIZES)
def test_resize_keeps_the_contents(first, second):
    x = np.arange(1, first + 1, dtype="float32")
    y = fa.relu(x)
    for size in (second, first, second):
        kept = min(size, y.size)
        y.resize(size, refcheck=False)
        assert y.size == size
        np.testing.assert_array_equal(y[:kept], np.arange(1, kept + 1, dtype="float32"))
        assert not y[kept:].any()
        y[:] = np.arange(1, size + 1, dtype="float32")
    del y
    assert pool()["used_bytes"] == 0


@needs_pool
def test_tracemalloc_counts_what_is_in_use():
    x = zeros(8)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        y = fa.relu(x)
        assert abs(tracemalloc.get_traced_memory()[0] - before - y.nbytes) < MIB
        y.resize(y.size // 2, refcheck=False)
        assert abs(tracemalloc.get_traced_memory()[0] - before - y.nbytes) < MIB
        del y
        assert abs(tracemalloc.get_traced_memory()[0] - before) < MIB
    finally:
        tracemalloc.stop()


# --- reuse -------------------------------------------------------------------------------------


@needs_pool
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int32"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_freed_memory_is_reused(backend, dtype, order):
    """By every backend, in any memory order, by the fast path and by the general one."""
    x = np.zeros((1024, 4096), dtype, order=order)
    fa.relu(x, backend=backend)
    assert idle() >= x.nbytes
    before = pool()
    y = fa.relu(x, backend=backend)
    assert handler(y) == "fastact_pool"
    assert pool()["hits"] > before["hits"]
    assert pool()["misses"] == before["misses"]


@needs_pool
def test_the_fast_path_reuses_both_outputs():
    x = zeros(4)
    fa.relu.value_and_grad(x)
    assert idle() == 2 * x.nbytes
    y, d = fa.relu.value_and_grad(x)
    assert idle() == 0
    assert pool()["used_bytes"] == 2 * x.nbytes
    assert not np.shares_memory(y, d)


@needs_pool
def test_two_arrays_take_turns():
    x = zeros(64)
    y = fa.relu(x)
    found = {address(y)}
    for _ in range(6):
        y = fa.relu(x)
        found.add(address(y))
    assert len(found) == 2
    assert idle() == x.nbytes


@needs_pool
def test_the_last_freed_is_reused_first():
    first, last = relu(4), relu(4)
    expected = address(last)
    del first, last
    assert address(relu(4)) == expected


@needs_pool
def test_small_arrays_are_not_pooled():
    x = zeros(2)
    assert handler(fa.relu(x)) == "fastact_pool"
    assert handler(fa.relu(x[:-1])) == "default_allocator"
    assert handler(fa.relu(x[:-1][::-1])) == "default_allocator"


@needs_pool
@pytest.mark.parametrize(
    ("kept", "size", "reused"),
    [(4, 4, True), (4, 3.75, True), (4, 3.25, False), (4, 8, False), (20, 16.25, False)],
)
def test_reused_memory_fits(kept, size, reused):
    """An array takes memory of its size or a little more: at most an eighth of it is wasted."""
    fa.relu(zeros(kept))
    y = fa.relu(np.zeros(int(size * MIB / 4), "float32"))
    assert (idle() == 0) == reused
    assert pool()["used_bytes"] - y.nbytes <= pool()["used_bytes"] / 8


@needs_pool
def test_the_best_fit_is_reused():
    large, small = relu(32), relu(30)
    expected = address(small)
    del small, large
    assert address(relu(30)) == expected


# --- bounds ------------------------------------------------------------------------------------


@needs_pool
def test_idle_memory_stays_within_the_limit():
    fa.set_pool_limit(20 * MIB)
    rng = np.random.default_rng(0)
    arrays = []
    for _ in range(200):
        arrays.append(relu(int(rng.integers(2, 12))))
        if len(arrays) > rng.integers(0, 8):
            arrays.pop(rng.integers(len(arrays)))
        assert idle() <= 20 * MIB
    arrays.clear()
    assert 0 < idle() <= 20 * MIB


@needs_pool
def test_what_is_larger_than_the_limit_is_not_kept():
    fa.set_pool_limit(8 * MIB)
    relu(4)
    relu(16)
    assert idle() == 4 * MIB


@needs_pool
def test_the_first_freed_leaves_first():
    arrays = [relu(mib) for mib in (4, 8, 16)]
    fa.set_pool_limit(24 * MIB)
    while arrays:
        del arrays[0]
    assert idle() == 24 * MIB
    assert pool()["idle_buffers"] == 2


@needs_pool
def test_a_lower_limit_frees_at_once():
    arrays = [relu(4) for _ in range(4)]
    arrays.clear()
    assert idle() == 16 * MIB
    fa.set_pool_limit(9 * MIB)
    assert idle() == 8 * MIB
    assert pool()["limit"] == 9 * MIB


@needs_pool
def test_a_limit_of_zero_turns_it_off(backend):
    relu(4)
    fa.set_pool_limit(0)
    assert idle() == 0
    y = fa.relu(zeros(4), backend=backend)
    assert handler(y) == "default_allocator"
    del y
    assert pool()["idle_buffers"] == pool()["used_buffers"] == 0


@needs_pool
def test_clear_pool_frees_what_is_idle():
    y = relu(4)
    relu(8)
    assert idle() == 8 * MIB
    fa.clear_pool()
    assert idle() == 0
    assert pool()["used_bytes"] == y.nbytes
    del y
    assert idle() == 4 * MIB


@pytest.mark.parametrize("limit", [0, 3 * MIB, 256 * MIB])
def test_arrays_outlive_the_pool(limit):
    x = np.arange(MIB, dtype="float32")
    y = fa.relu(x)
    fa.set_pool_limit(limit)
    fa.clear_pool()
    assert y.tobytes() == x.tobytes()
    y += 1
    del y
    assert idle() == 4 * MIB * (limit > 3 * MIB) * INITIAL["available"]


# --- the allocators of others ------------------------------------------------------------------


@needs_pool
def test_the_handler_is_put_back():
    relu(4)
    fa.relu(zeros(4)[::-1])
    assert handler() == "default_allocator"


@needs_pool
def test_the_handler_is_put_back_after_an_error():
    x = np.broadcast_to(np.int8(0), (2**40, 1))
    with pytest.raises(MemoryError):
        fa.relu.backward(x, np.broadcast_to(np.int8(0), (1, 2**22)))
    assert handler() == "default_allocator"


class Handler(ctypes.Structure):
    """``PyDataMem_Handler`` of NumPy (NEP 49)."""

    Malloc = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
    Calloc = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t)
    Realloc = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
    Free = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
    _fields_ = (
        ("name", ctypes.c_char * 127),
        ("version", ctypes.c_uint8),
        ("context", ctypes.c_void_p),
        ("malloc", Malloc),
        ("calloc", Calloc),
        ("realloc", Realloc),
        ("free", Free),
    )


@pytest.fixture
def users_handler():
    """Have NumPy use an allocator of the user's; return its name."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype = libc.calloc.restype = libc.realloc.restype = ctypes.c_void_p
    libc.malloc.argtypes = [ctypes.c_size_t]
    libc.calloc.argtypes = [ctypes.c_size_t, ctypes.c_size_t]
    libc.realloc.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    users = Handler(
        b"users", 1, None,
        Handler.Malloc(lambda _, size: libc.malloc(size)),
        Handler.Calloc(lambda _, count, size: libc.calloc(count, size)),
        Handler.Realloc(lambda _, data, size: libc.realloc(data, size)),
        Handler.Free(lambda _, data, size: libc.free(data)),
    )  # fmt: skip
    python = ctypes.pythonapi
    python.PyCapsule_GetPointer.restype = ctypes.c_void_p
    python.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    python.PyCapsule_New.restype = ctypes.py_object
    python.PyCapsule_New.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    table = python.PyCapsule_GetPointer(np._core.multiarray._ARRAY_API, None)
    functions = ctypes.cast(table, ctypes.POINTER(ctypes.c_void_p))
    # The place of PyDataMem_SetHandler in the table is part of NumPy's binary interface.
    set_handler = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(functions[304])
    former = set_handler(python.PyCapsule_New(ctypes.addressof(users), b"mem_handler", None))
    yield "users"
    set_handler(former)
    users.name  # noqa: B018 (alive until here)


@pytest.mark.skipif(sys.platform == "win32", reason="ctypes finds no libc by None there")
def test_the_users_own_handler_is_used(users_handler, backend):
    x = zeros(4)
    y = fa.relu(x, backend=backend)
    assert handler(x) == handler(y) == users_handler
    assert pool()["used_bytes"] == 0
    del x, y


# --- threads and forks -------------------------------------------------------------------------


@needs_pool
def test_threads_that_free_each_others_arrays():
    """Eight threads, random sizes, results right, the limit kept."""
    fa.set_pool_limit(24 * MIB)
    shared = [None] * 8
    barrier = threading.Barrier(8)
    failures = []

    def work(seed):
        rng = np.random.default_rng(seed)
        x = np.full(3 * MIB // 2, seed + 1, "float32")
        barrier.wait()
        for _ in range(40):
            size = int(rng.integers(MIB // 4, x.size))
            slot = int(rng.integers(8))
            y = fa.relu(x[:size])
            if rng.random() < 0.3:
                fa.set_pool_limit(int(rng.integers(12, 24)) * MIB)
            shared[slot], theirs = y, shared[slot]
            if not (y == seed + 1).all() or (
                theirs is not None and not (theirs == theirs[0]).all()
            ):
                failures.append("contents")
            facts = pool()
            if facts["idle_bytes"] > facts["limit"]:
                failures.append(facts)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    shared.clear()
    assert pool()["used_bytes"] == 0


FORK = """
import os
import numpy as np, fastact as fa
pool = lambda: fa.show_config("dicts")["pool"]
address = lambda array: array.__array_interface__["data"][0]
x = np.arange(1 << 20, dtype="float32")
fa.set_num_threads(1)

def reuses():
    first = address(fa.relu(x))
    return pool()["idle_buffers"] > 0 and address(fa.relu(x)) == first

held = fa.relu(x)
fa.relu(x)
facts = [pool()["idle_buffers"] == 1]
child = os.fork()
# From here on in both. What was idle is gone, what was in use is not reused when it is freed.
facts.append(pool()["idle_buffers"] == 0)
facts.append(held.tobytes() == x.tobytes() == fa.relu(x).tobytes())
fa.clear_pool()
del held
facts.append(pool()["idle_buffers"] == pool()["used_buffers"] == 0)
facts.append(reuses())
if child == 0:
    os._exit(0 if all(facts) else 1)
print(facts, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""

FORK_POOL = """
import multiprocessing
import numpy as np, fastact as fa
x = np.arange(1 << 20, dtype="float32")
expected = fa.silu(x).tobytes()

def task(i):
    results = [fa.silu(x) for _ in range(3)]
    return all(y.tobytes() == expected for y in results) and fa.relu(x + i).sum() > 0

with multiprocessing.get_context("fork").Pool(3) as workers:
    results = workers.map_async(task, range(12))
    here = [task(i) for i in range(12)]
    print(all(here), all(results.get(50)))
"""

FORK_WHILE_BUSY = """
import os, threading
import numpy as np, fastact as fa
x = np.arange(1 << 20, dtype="float32")
stop = threading.Event()

def work():
    while not stop.is_set():
        fa.relu(x)

threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
codes = []
for _ in range(20):
    child = os.fork()
    if child == 0:
        os._exit(0 if fa.relu(x).tobytes() == fa.relu(x).tobytes() == x.tobytes() else 1)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
stop.set()
for thread in threads:
    thread.join()
print(set(codes))
"""


@needs_pool
@needs_fork
def test_nothing_is_reused_across_a_fork():
    assert run_python(FORK) == f"{[True] * 5} 0"


@needs_fork
def test_forked_workers_and_their_parent_compute_at_once():
    assert run_python(FORK_POOL) == "True True"


@needs_fork
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="warns of a fork with several threads")
def test_a_fork_amid_computations_leaves_no_lock():
    assert run_python(FORK_WHILE_BUSY) == "{0}"


OUT_OF_MEMORY = """
import resource
import numpy as np, fastact as fa
x = np.zeros(24 << 20, "float32")
fa.set_num_threads(1)
fa.set_pool_limit(1 << 30)
fa.relu(x[: 20 << 20])
pages = int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (50 << 20),) * 2)
y = fa.relu(x)
print(fa.show_config("dicts")["pool"]["idle_bytes"])
try:
    fa.relu(x)
except MemoryError:
    print(np._core.multiarray.get_handler_name())
"""


@needs_pool
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_idle_memory_is_given_up_for_what_does_not_fit_beside_it():
    assert run_python(OUT_OF_MEMORY).split() == ["0", "default_allocator"]


# --- settings ----------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [0, 1, np.int64(5 * MIB), sys.maxsize])
def test_any_number_of_bytes_is_a_limit(limit):
    assert fa.set_pool_limit(limit) is None
    if INITIAL["available"]:
        assert pool()["limit"] == limit


@pytest.mark.parametrize(
    ("limit", "error"),
    [
        (-1, ValueError),
        (sys.maxsize + 1, ValueError),
        (True, TypeError),
        (1.0, TypeError),
        ("1", TypeError),
        (None, TypeError),
    ],
    ids=str,
)
def test_anything_else_is_an_error(limit, error):
    before = pool()
    with pytest.raises(error, match=r"set_pool_limit: limit must be .*, got "):
        fa.set_pool_limit(limit)
    assert pool() == before


PRINT_POOL = "import fastact as fa; print(fa.show_config('dicts')['pool'].get('limit'))"


@needs_pool
def test_the_default_limit_is_bounded():
    assert 0 < int(run_python(PRINT_POOL)) <= 256 * MIB


@needs_pool
@pytest.mark.parametrize("text", ["0", "12345678"])
def test_the_environment_sets_the_limit(text):
    assert run_python(PRINT_POOL, FASTACT_POOL_BYTES=text) == text


@pytest.mark.parametrize("prefix", ["", WITHOUT_EXTENSION], ids=["built", "not-built"])
@pytest.mark.parametrize("text", ["-1", "1.5", "256 MiB", "99999999999999999999"])
def test_a_wrong_environment_is_an_error(prefix, text):
    message = run_python(prefix + error_of("import fastact"), FASTACT_POOL_BYTES=text)
    expected = "ValueError environment variable FASTACT_POOL_BYTES must be an integer from 0 to"
    assert message.startswith(expected)
    assert message.endswith(f", got {text!r}")


def test_without_the_extension_there_is_no_pool():
    code = WITHOUT_EXTENSION + (
        "import fastact as fa, numpy as np\n"
        "fa.set_pool_limit(0); fa.clear_pool()\n"
        "y = fa.relu(np.ones(1 << 20))\n"
        "print(np._core.multiarray.get_handler_name(y), fa.show_config('dicts')['pool'])\n"
    )
    assert run_python(code) == "default_allocator {'available': False}"
    message = run_python(
        WITHOUT_EXTENSION + "import fastact as fa\n" + error_of("fa.set_pool_limit(-1)")
    )
    assert message.startswith("ValueError set_pool_limit: limit must be from 0 to")


# --- the pool itself, in C ---------------------------------------------------------------------


@pytest.mark.parametrize("sanitizers", ["address,undefined", "thread"])
def test_the_pool_under_sanitizers(tmp_path, sanitizers):
    """No use after free, no leak, no race, where the compiler at hand can tell."""
    source, compiler = Path(__file__).with_name("buffer_pool_stress.c"), shutil.which("cc")
    if compiler is None or not source.exists():
        pytest.skip("there is no C compiler or no source here")
    flags = [f"-fsanitize={sanitizers}", "-fno-sanitize-recover", "-g", "-O1", "-pthread"]
    flags += [f"-I{ROOT / 'fastact' / 'driver'}"]

    def run(file, *arguments):
        program = tmp_path / file.stem
        subprocess.run([compiler, *flags, file, "-o", program], check=True, capture_output=True)
        return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60)

    probe = tmp_path / "probe.c"
    probe.write_text("int main(void) { return 0; }")
    try:
        run(probe).check_returncode()
    except subprocess.CalledProcessError:
        pytest.skip(f"the compiler or this kernel has no {sanitizers} sanitizer")
    process = run(source, "600")
    assert process.returncode == 0, process.stderr
