"""A broken part of an installation: "auto" computes with another, says so once, and why.

A backend that was named is an error instead.
"""

from __future__ import annotations

import compileall
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import fastact as fa
from fastact import config

PACKAGE = Path(fa.__file__).resolve().parent
EXTENSIONS = sorted(
    str(file.relative_to(PACKAGE).parent / file.name.partition(".")[0])
    for file in PACKAGE.rglob("*.so")
)
NEEDED = [name for name in EXTENSIONS if "_loops_" not in name]
LEVELS = [name for name in EXTENSIONS if "_loops_" in name]
WITHOUT_NUMBA = "import sys; sys.modules['numba'] = None\n"
COMPUTE = """
import fastact as fa, numpy as np
for x in ([-1.0, 2.0], np.array([-1.0, 2.0], 'f'), np.array([-1.0, 2.0], 'e')):
    for _ in range(2):
        assert fa.relu(x).tolist() == [0.0, 2.0]
        assert fa.leaky_relu.backward(x, x).tolist()[1] == 2.0
        assert fa.prelu(x, 0.5).tolist() == [-0.5, 2.0]
print(fa.show_config('dicts')['backends'])
"""
NAMED = """
import fastact as fa
try:
    fa.relu([1.0], backend={!r})
except fa.BackendUnavailableError as error:
    print(error)
"""

built = pytest.mark.skipif(
    config.cython_backend is None or not (PACKAGE / "_build.py").exists(),
    reason="the extension is not built",
)
with_numba = pytest.mark.skipif(
    importlib.util.find_spec("numba") is None, reason="Numba is not installed"
)


@pytest.fixture
def installation(tmp_path):
    """Return a function that copies the package without some files and returns the directory."""

    def install(*without: str) -> Path:
        ignored = shutil.ignore_patterns("__pycache__", "*.pyx", "*.pxi", "*.nb?", *without)
        shutil.copytree(PACKAGE, tmp_path / "site" / "fastact", ignore=ignored)
        return tmp_path / "site"

    return install


# Without the finder of an editable installation, which would add the modules that are missing.
PRELUDE = """
import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in repr(finder).lower()]
sys.path.insert(0, {!r})
"""


def run(path: Path, code: str, **variables: str) -> tuple[str, list[str]]:
    """Run code with the package on a path; return the output and the warnings."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("FASTACT_", "OMP_"))}
    process = subprocess.run(
        [sys.executable, "-c", PRELUDE.format(str(path)) + code],
        env=inherited | {"PYTHONWARNINGS": "always"} | variables,
        cwd=path.parent,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout.strip(), [line for line in process.stderr.splitlines() if "Warn" in line]


# --- the extension -----------------------------------------------------------------------------


@built
@pytest.mark.parametrize("damage", ["missing", "empty", "text"])
@pytest.mark.parametrize("module", NEEDED)
def test_a_lost_extension_is_told_once(module, damage, installation):
    directory = installation()
    (file,) = (directory / "fastact").glob(f"{module}.*.so")
    file.unlink() if damage == "missing" else file.write_text(damage * (damage == "text"))
    code = WITHOUT_NUMBA + COMPUTE + NAMED.format("cython")
    output, warned = run(directory, code)
    assert len(warned) == 1
    assert "RuntimeWarning: fastact: the compiled extension of this installation" in warned[0]
    assert file.name.partition(".")[0] in warned[0]
    assert "relu: the compiled extension of this installation cannot be imported" in output


@built
@pytest.mark.skipif(len(LEVELS) < 2, reason="there is one level only")
def test_lost_loops_of_the_highest_level_are_told_and_lower_ones_compute(installation):
    level = fa.show_config("dicts")["extension"]["instruction_set"]
    if level == "baseline":
        pytest.skip("this processor has the lowest level only")
    directory = installation(f"_loops_{level}.*")
    code = COMPUTE + "print(fa.show_config('dicts')['extension']['instruction_set'])"
    output, (warning,) = run(directory, code)
    assert output.split()[-1] in ("baseline", "v3")
    assert f"_loops_{level}" in warning
    # Levels that were not asked for are not missed.
    assert run(directory, COMPUTE, FASTACT_ISA="baseline")[1] == []


@built
def test_without_any_loops_numpy_computes(installation):
    directory = installation("_loops_*.so")
    output, warned = run(directory, WITHOUT_NUMBA + COMPUTE)
    assert len(warned) == 1
    assert "'numpy': 'available'" in output


def test_an_installation_without_the_extension_is_silent(installation):
    directory = installation("*.so", "_build.py")
    output, warned = run(directory, WITHOUT_NUMBA + COMPUTE)
    assert warned == []
    assert "reinstall fastact with a C compiler" in output


@pytest.mark.parametrize("kind", ["pure", pytest.param("built", marks=built)])
def test_the_package_runs_from_a_zip_file(kind, installation, tmp_path):
    directory = installation(*(("*.so", "_build.py") if kind == "pure" else ()))
    archive = tmp_path / "package.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in directory.rglob("*"):
            file.write(path, path.relative_to(directory))
    code = WITHOUT_NUMBA + COMPUTE + "print(fa.gelu.__doc__)"
    output, warned = run(archive, code)
    assert len(warned) == (kind == "built")
    assert all("zip file" in line for line in warned)
    assert "ulp" in output  # of the package's data


# --- Numba -------------------------------------------------------------------------------------

BROKEN_IMPORTS = {
    "ImportError": "raise ImportError('Numba needs NumPy 1.9 or less.\\nGot NumPy 2.4.')",
    "AttributeError": "import numpy; numpy.no_such_name",
    "SystemError": "raise SystemError('initialization of _helperlib failed')",
}


@pytest.mark.parametrize("kind", BROKEN_IMPORTS)
def test_numba_that_cannot_be_imported_is_told_once(kind, installation):
    directory = installation("*.so", "_build.py")
    for name in ("numba", "llvmlite"):
        (directory / name).mkdir()
        (directory / name / "__init__.py").write_text(BROKEN_IMPORTS[kind])
    output, warned = run(directory, COMPUTE + NAMED.format("numba"))
    assert len(warned) == 1
    reason = f"the Numba backend cannot be imported: {kind}: "
    assert f"RuntimeWarning: fastact: {reason}" in warned[0]
    assert f"relu: {reason}" in output
    named, warned = run(directory, NAMED.format("numba"))
    assert named.startswith(f"relu: {reason}")
    assert warned == []
    code = "import fastact as fa\ntry: fa.set_backend('numba')\nexcept ImportError as e: print(e)"
    assert run(directory, code)[0].startswith(f"set_backend: {reason}")


@with_numba
def test_a_loop_that_does_not_compile_is_told_once(installation):
    directory = installation("*.so", "_build.py")
    broken = (
        "from numba.core.ccallback import CFunc\n"
        "def fail(self): raise RuntimeError('no target machine')\n"
        "CFunc.compile = fail\n"
    )
    output, warned = run(directory, broken + COMPUTE + NAMED.format("numba"))
    assert len(warned) == 1
    assert "Numba backend cannot compile it: RuntimeError: no target machine" in warned[0]
    assert "no target machine" in output
    named, warned = run(directory, broken + NAMED.format("numba"))
    assert named.startswith("relu: the Numba backend cannot compile it: RuntimeError: no target")
    assert warned == []


@with_numba
@pytest.mark.parametrize("without", ["fastact", "fastact/coefficients.py", "fastact/numba_backend"])
def test_bytecode_without_sources_computes(without, installation, tmp_path):
    directory = installation("*.so", "_build.py")
    assert compileall.compile_dir(directory / "fastact", quiet=1, legacy=True)
    place = directory / without
    for file in [place] if place.is_file() else place.rglob("*.py"):
        file.unlink()
    code = (
        "import fastact as fa, numpy as np\n"
        "print(fa.relu([-1.0, 2.0]), fa.relu([-1.0, 2.0], backend='numba'))\n"
        "print(fa.show_config('dicts')['numba']['cache_directory'])"
    )
    output, warned = run(directory, code, NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    assert output == "[0. 2.] [0. 2.]\nNone"
    assert warned == []
