"""``import fastact``: fast, silent, and pulling in nothing but NumPy."""

from __future__ import annotations

from test_backends import run_python

import fastact as fa

#: Over ``import numpy``, in milliseconds.
BUDGET = 15


def test_import_pulls_in_nothing_slow():
    code = "import numpy, sys; before = set(sys.modules); import fastact\n"
    code += "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    added = set(run_python(code).split())
    third_party = ["numba", "llvmlite", "matplotlib", "sklearn", "scipy", "dask", "ml_dtypes"]
    third_party += ["pandas", "xarray", "rich", "mpmath", "Cython"]
    assert "fastact" in added
    assert not added & set(third_party)
    # Of the standard library too: no more than the package names in its own imports.
    assert not added & {"asyncio", "multiprocessing", "unittest", "argparse", "doctest", "pydoc"}


def test_first_calls_import_nothing_slow():
    """Unless Numba was chosen, it is not imported; nor does documentation import anything."""
    code = (
        "import fastact as fa, sys\n"
        "fa.gelu([1.0]); fa.relu.backward(1.0, [2.0], backend='numpy')\n"
        "fa.gelu.__doc__; fa.show_config('dicts')\n"
        "print('numba' in sys.modules, 'ml_dtypes' in sys.modules)"
    )
    assert run_python(code) == "False False"


def test_import_is_fast(tmp_path):
    """The least of several runs, from compiled modules: what else runs here can only add."""
    code = (
        "import numpy, time\n"
        "start = time.perf_counter()\n"
        "import fastact\n"
        "print(1000 * (time.perf_counter() - start))"
    )
    times = []
    for _ in range(15):
        output = run_python(code, PYTHONDONTWRITEBYTECODE="", PYTHONPYCACHEPREFIX=str(tmp_path))
        times.append(float(output))
        if min(times) < 0.8 * BUDGET and len(times) >= 3:
            break
    assert min(times) < BUDGET, f"import fastact took {min(times):.1f} ms, {times}"


def test_import_is_silent():
    assert run_python("import fastact") == ""


def test_import_changes_no_floating_point_state():
    code = (
        "import numpy as np; before = np.geterr(), np.float32(1e-45) * 1\n"
        "import fastact as fa; fa.gelu(np.ones(10**6, 'f'))\n"
        "print(before == (np.geterr(), np.float32(1e-45) * 1), np.float32(1e-45) * 1 > 0)"
    )
    assert run_python(code) == "True True"


def test_the_package_holds_its_public_names_and_its_modules_only():
    modules = {"activation", "catalogue", "coefficients", "compat", "config", "dispatch"}
    modules |= {
        "documentation",
        "environment",
        "measured_errors",
        "memory",
        "manners",
        "integers",
        "rounding",
        "tables",
        "numpy_backend",
        "numba_backend",
        "cython_backend",
    }
    modules |= {
        "bench",
        "cli",
        "demo",
        "driver",
        "plot",
        "saving",
        "sloped",
        "startup",
        "terminal",
        "verify",
    }
    public = {name for name in vars(fa) if not name.startswith("_")}
    assert public - modules == set(fa.__all__)
