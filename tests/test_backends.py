"""Which backend computes: named, set, from the environment, or what is left without Numba, etc."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastact as fa
from fastact import config

WITHOUT_NUMBA = "import sys; sys.modules['numba'] = None\n"
WITHOUT_EXTENSION = "import sys; sys.modules['fastact.driver'] = None\n"


def run_python(code: str, timeout: float = 60, **environment: str) -> str:
    """Run ``code`` in a new interpreter, with no settings but ``environment``; return its output.

    Warnings are errors there too. A process that hangs fails the test after ``timeout`` seconds.
    """
    inherited = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("FASTACT_") and key != "OMP_NUM_THREADS"
    }
    inherited["PYTHONPATH"] = str(Path(fa.__file__).resolve().parent.parent)
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=inherited | environment,
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # the children that it forked, too
        process.communicate()
        pytest.fail(f"no end after {timeout} seconds")
    assert process.returncode == 0, f"exit code {process.returncode}\n{errors}"
    return output.strip()


def error_of(statement: str) -> str:
    """Code that prints type and message of the error that ``statement`` raises."""
    return (
        f"try:\n    {statement}\n"
        "except Exception as error:\n    print(type(error).__name__, error)\n"
        "else:\n    print('no error')\n"
    )


@pytest.fixture
def calls(monkeypatch):
    """The names of the backends that compute from here on, in order."""
    seen = []
    for name in config.available_backends():
        module = config.load_backend(name)
        # A backend computes itself, or tells the driver the address of a loop that does.
        entry = "run" if config.driver is None or name == "numpy" else "loop_address"

        computed = getattr(module, entry)

        def spy(*args, name=name, computes=computed):
            seen.append(name)
            return computes(*args)

        monkeypatch.setattr(module, entry, spy)
    return seen


def test_the_named_backend_computes(backend, calls):
    fa.gelu([1.0, 2.0], backend=backend)  # a list: see below
    assert calls == [backend]


@pytest.mark.parametrize("verb", ["grad", "backward", "value_and_grad"])
def test_the_backend_of_the_block_computes_every_verb(backend, verb, calls):
    function = getattr(fa.gelu, verb)
    with fa.use_backend(backend):
        # Lists do not take the compiled fast path, which this test could not see.
        function(*[[1.0, 2.0]] * len(function.arguments))
    assert calls == [backend]


def test_the_argument_wins_over_the_block(calls):
    with fa.use_backend("auto"):
        fa.gelu(np.ones(3), backend="numpy")
    assert calls == ["numpy"]


def test_the_block_wins_over_the_process(calls):
    fa.set_backend("auto")
    with fa.use_backend("numpy"):
        fa.gelu(np.ones(3))
    assert calls == ["numpy"]


def test_auto_takes_the_first_that_is_available(calls):
    fa.gelu([1.0], backend="auto")
    assert calls == [config.available_backends()[0]]


def test_choosing_numpy_passes_through_the_fast_path(calls):
    """An array that the fast path would take goes to NumPy where that is chosen."""
    with fa.use_backend("numpy"):
        fa.relu(np.ones(5))
    fa.relu(np.ones(5), backend="numpy")
    assert calls == ["numpy"] * 2


NO_GENERAL_CALL = (
    "import fastact as fa, numpy as np\n"
    "def fail(*args): raise AssertionError('not by the fast path')\n"
    "type(fa.relu.grad)._general_call = fail\n"
)


@pytest.mark.skipif(config.cython_backend is None, reason="the extension is not built")
@pytest.mark.parametrize("name", ["auto", "cython"])
def test_the_fast_path_serves_the_common_call(name):
    """However the backend was named: the strings are equal here, but not one object."""
    code = NO_GENERAL_CALL + (
        f"name = ''.join({list(name)})\n"
        "x = np.ones(3)\n"
        "fa.relu(x); fa.relu(x, out=x); fa.relu.backward(x, x)\n"
        "fa.relu.value_and_grad(x); fa.relu.value_and_grad(x, out=(x + 1, x + 2))\n"
        "with fa.use_backend(name): fa.relu(x)\n"
        "fa.relu(x, backend=name, precision=''.join(['fa', 'st']))\n"
        "fa.set_backend(name); fa.relu(x)\n"
        "print('served')"
    )
    assert run_python(code, FASTACT_BACKEND=name) == "served"


@pytest.mark.skipif(config.cython_backend is None, reason="the extension is not built")
def test_the_fast_path_serves_parameters_by_position_and_by_name():
    code = NO_GENERAL_CALL + (
        "x = np.ones(3)\n"
        "for f in (fa.silu, fa.softplus, fa.celu, fa.squareplus, fa.soft_shrink):\n"
        "    for value in (0.5, 2):\n"
        "        named = {f.parameters[0].name: value}\n"
        "        assert f(x, value).tolist() == f(x, **named, out=x + 1).tolist(), f\n"
        "        assert f.backward(x, x, value).tolist() == f.grad(x, **named).tolist(), f\n"
        "fa.hard_tanh(x, -2, 2.0); fa.hard_tanh(x, max_val=2)\n"
        "fa.leaky_relu.backward_from_output(x, x, negative_slope=0.2)\n"
        "print(*fa.threshold(x, value=7, threshold=2))"
    )
    assert run_python(code) == "7.0 7.0 7.0"


@pytest.mark.skipif(config.cython_backend is None, reason="the extension is not built")
def test_the_fast_path_serves_those_that_another_computes():
    code = NO_GENERAL_CALL + (
        "x = np.array([-4.0, 3.0])\n"
        "for f in (fa.prelu, fa.prelu.grad, fa.prelu.value_and_grad):\n"
        "    f(x, 0.25); f(x, 2); f(x, weight=0.25)\n"
        "fa.prelu.backward(x, x, 0.25)\n"
        "for f in (fa.rrelu, fa.rrelu.grad, fa.rrelu.value_and_grad):\n"
        "    f(x); f(x, slopes=0.25, backend='cython')\n"
        "for f in (fa.rrelu.backward, fa.rrelu.backward_from_output):\n"
        "    f(x, x); f(x, x, slopes=0.25)\n"
        "print(*fa.prelu(x, 0.25, out=x), *fa.rrelu(x, slopes=2))"
    )
    assert run_python(code) == "-1.0 3.0 -2.0 3.0"


@pytest.mark.skipif(config.cython_backend is None, reason="the extension is not built")
@pytest.mark.parametrize(
    "call",
    [
        "fa.softplus(x, 0)",
        "fa.softplus(x, np.nan)",
        "fa.celu(x, alpha=0.0)",
        "fa.squareplus(x, b=-1)",
        "fa.leaky_relu.backward_from_output(x, x, -0.1)",
        "fa.hard_tanh(x, 2)",
        "fa.threshold(x, 1)",
        "fa.threshold(x, value=1)",
        "fa.silu(x, 1.0, beta=1.0)",
        "fa.silu(x, gamma=1.0)",
        "fa.silu(x, 2**70)",
        "fa.silu(x, True)",
        "fa.prelu(x)",
        "fa.prelu(x, 0.25, 1)",
        "fa.prelu(x, 0.25, axis=1)",
        "fa.prelu.backward(x, x, 0.25, out=x + 1)",
        "fa.prelu.backward_from_output(x, x, 0.25)",
        "fa.rrelu(x, 0.25)",
        "fa.rrelu(x, lower=0.25)",
        "fa.rrelu(x, slopes=0.25, training=True)",
        "fa.rrelu.backward_from_output(x, x, slopes=-0.25)",
    ],
)
def test_the_fast_path_leaves_to_the_checks_what_may_be_an_error(call):
    code = NO_GENERAL_CALL + (
        f"x = np.ones(3)\ntry: {call}\nexcept AssertionError as error: print(error)"
    )
    assert run_python(code) == "not by the fast path"


@pytest.mark.skipif(config.driver is None, reason="the extension is not built")
@pytest.mark.skipif("numba" not in config.available_backends(), reason="needs Numba")
def test_the_fast_path_serves_numba_after_its_first_call():
    """With the loop that this call compiled: here one that the test has put in its place."""
    code = (
        "import fastact.numba_backend as numba_backend\n"
        "address = numba_backend.loop_address('relu6', 'forward', 'float64')\n"
        "numba_backend.loop_address = lambda *key: address\n"
        "numba_backend.address_if_compiled = lambda *key: address\n"
        "import fastact as fa, numpy as np\n"
        "fa.relu(np.ones(3), backend='numba')\n"
        "def fail(*args): raise AssertionError('not by the fast path')\n"
        "type(fa.relu)._general_call = fail\n"
        "x = np.array([9.0])\n"
        "print(fa.relu(x, backend='numba'), fa.relu(x))\n"
        "with fa.use_backend('numba'): print(fa.relu(x), fa.relu(x, out=x))"
    )
    assert run_python(code).split() == ["[6.]", "[9.]", "[6.]", "[6.]"]


@pytest.mark.skipif("numba" not in config.available_backends(), reason="needs Numba")
def test_the_result_does_not_depend_on_which_loops_are_compiled():
    """The fast path must not take a faithful loop for want of a fast one."""
    code = (
        "import fastact as fa, numpy as np\n"
        "x = np.linspace(-5, 5, 999, dtype='float32')\n"
        "def silu(x, precision): return fa.silu(x, backend='numba', precision=precision)\n"
        "def results(x): return [silu(x, p).tobytes() for p in ('faithful', 'fast', 'faithful')]\n"
        "first = results(x)\n"
        "strided = results(np.repeat(x, 2)[::2])  # by the general path\n"
        "print(first == strided)"
    )
    assert run_python(code) == "True"


# --- what is missing ---------------------------------------------------------------------------


def test_without_the_extension_the_rest_works():
    code = WITHOUT_EXTENSION + (
        "import fastact as fa, numpy as np\n"
        "for backend in ('auto', 'numba', 'numpy'):\n"
        "    with fa.use_backend(backend):\n"
        "        print(fa.relu(np.array([-1.0, 2.0])).tolist(), fa.gelu.backward(1.0, 3.0))\n"
        "print(fa.show_config('dicts')['backends']['cython'])"
    )
    *results, reason = run_python(code, timeout=120).splitlines()
    assert len(set(results)) == 1
    assert results[0].startswith("[0.0, 2.0] 1.01194")
    assert "reinstall fastact with a C compiler" in reason


def test_without_numba_the_rest_works():
    code = WITHOUT_NUMBA + (
        "import fastact as fa\n"
        "print(fa.relu(2.0), fa.relu(2.0, backend='numpy'))\n"
        "print(fa.show_config('dicts')['backends']['numba'])"
    )
    values, reason = run_python(code).splitlines()
    assert values == "2.0 2.0"
    assert "pip install 'fastact[numba]'" in reason


def test_with_nothing_but_numpy_auto_is_numpy():
    code = WITHOUT_NUMBA + WITHOUT_EXTENSION + (
        "import fastact as fa\n"
        "from fastact import config\n"
        "print(config.available_backends(), fa.relu([-1.0, 2.0]).tolist())"
    )  # fmt: skip
    assert run_python(code) == "('numpy',) [0.0, 2.0]"


MISSING = {
    "cython": (WITHOUT_EXTENSION, "reinstall fastact with a C compiler"),
    "numba": (WITHOUT_NUMBA, "pip install 'fastact[numba]'"),
}
WAYS_TO_NAME = {
    "argument": "fa.relu([1.0], backend={0!r})",
    "use_backend": "fa.use_backend({0!r})",
    "set_backend": "fa.set_backend({0!r})",
}


@pytest.mark.parametrize("way", WAYS_TO_NAME)
@pytest.mark.parametrize("missing", MISSING)
def test_naming_a_missing_backend_says_what_to_install(missing, way):
    without, advice = MISSING[missing]
    statement = WAYS_TO_NAME[way].format(missing)
    message = run_python(f"{without}import fastact as fa\n{error_of(statement)}")
    caller = "relu" if way == "argument" else way
    assert message.startswith(f"BackendUnavailableError {caller}: ")
    assert advice in message


@pytest.mark.parametrize("missing", MISSING)
def test_a_missing_backend_from_the_environment_says_what_to_install(missing):
    """At import or at the first call, but as the error of the package and with the advice."""
    without, advice = MISSING[missing]
    statement = "import fastact as fa; fa.relu([1.0])"
    message = run_python(without + error_of(statement), FASTACT_BACKEND=missing)
    assert message.startswith("BackendUnavailableError ")
    assert "FASTACT_BACKEND" in message
    assert advice in message


def test_an_unavailable_backend_is_an_import_error():
    assert issubclass(fa.BackendUnavailableError, ImportError)


# --- the environment ---------------------------------------------------------------------------


def test_the_environment_chooses_the_backend(backend):
    code = "import fastact as fa; print(fa.get_backend(), fa.relu([2.0]).tolist())"
    assert run_python(code, FASTACT_BACKEND=backend) == f"{backend} [2.0]"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"FASTACT_NUM_THREADS": "3"}, "3"),
        ({"OMP_NUM_THREADS": "2"}, "2"),
        ({"OMP_NUM_THREADS": "5,2"}, "5"),
        ({"FASTACT_NUM_THREADS": "3", "OMP_NUM_THREADS": "2"}, "3"),
    ],
    ids=["own", "OpenMP", "OpenMP-list", "own-wins"],
)
def test_the_environment_chooses_the_threads(environment, expected):
    code = "import fastact as fa; print(fa.get_num_threads())"
    assert run_python(code, **environment) == expected


@pytest.mark.parametrize("value", ["", "many", "0", "-1"])
def test_what_cannot_be_read_of_openmp_is_ignored(value):
    """The variable belongs to others; the default is the number of processors we may use."""
    code = "import fastact as fa, os; print(fa.get_num_threads() == len(os.sched_getaffinity(0)))"
    assert run_python(code, OMP_NUM_THREADS=value) == "True"


@pytest.mark.parametrize(
    ("variable", "value", "expectation"),
    [
        ("FASTACT_BACKEND", "fast", "must be one of auto, cython, numba, numpy"),
        ("FASTACT_BACKEND", "Numba", "must be one of auto, cython, numba, numpy"),
        ("FASTACT_NUM_THREADS", "two", "must be an integer from 1 to"),
        ("FASTACT_NUM_THREADS", "0", "must be an integer from 1 to"),
        ("FASTACT_NUM_THREADS", "-1", "must be an integer from 1 to"),
        ("FASTACT_NUM_THREADS", "1.5", "must be an integer from 1 to"),
    ],
)
def test_a_bad_variable_is_named(variable, value, expectation):
    message = run_python(error_of("import fastact"), **{variable: value})
    assert message.startswith("ValueError ")
    assert variable in message
    assert expectation in message
    assert repr(value) in message
