"""What the sdist and the wheels hold, and what the switches and errors of the build do.

Files are built from a copy of the tree, with a compiler that does not optimise, and with loops of
the lowest level only: what is tested here depends on neither. Cython runs once.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXTENSION_SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
COMPILER = (sysconfig.get_config_var("CC") or "cc").split()[0]
MANIFEST = "fastact/_build.py"  # which names the compiled modules
SOURCES = {".c", ".h", ".pyx", ".pxi", ".pxd", ".in"}

pytestmark = [
    pytest.mark.skipif(not (ROOT / "setup.py").exists(), reason="there are no sources here"),
    pytest.mark.skipif(sys.platform == "win32", reason="the compiler script is one of a shell"),
    *(
        pytest.mark.skipif(
            importlib.util.find_spec(name) is None, reason=f"{name} is not installed"
        )
        for name in ("build", "setuptools", "Cython")
    ),
]


def copy_tree(target: Path) -> Path:
    ignored = shutil.ignore_patterns(
        "build", "dist", ".*", "*.egg-info", "*.so", "__pycache__", "asv_benchmarks", "fastact-demo"
    )
    return Path(shutil.copytree(ROOT, target, ignore=ignored))


def build(source: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", "dist", *arguments],
        cwd=source,
        env=clean_environment() | environment,
        capture_output=True,
        text=True,
    )


def clean_environment() -> dict[str, str]:
    names = ("CC", "CFLAGS", "LDSHARED", "PYTHONPATH")
    return {
        name: value
        for name, value in os.environ.items()
        if name not in names and not name.startswith("FASTACT_")
    }


def only_file(source: Path, pattern: str) -> Path:
    (path,) = (source / "dist").glob(pattern)
    return path


def files_in(archive: Path) -> list[str]:
    """Return the files, without the directory at the top of an sdist."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return sorted(wheel.namelist())
    with tarfile.open(archive) as sdist:
        return sorted(m.name.partition("/")[2] for m in sdist.getmembers() if m.isfile())


def unpack(archive: Path, target: Path) -> Path:
    """Return the directory that holds the package."""
    shutil.unpack_archive(archive, target, "zip" if archive.suffix == ".whl" else "gztar")
    return target if archive.suffix == ".whl" else target / archive.name.removesuffix(".tar.gz")


def run_installed(directory: Path, code: str, **environment: str) -> str:
    """Run ``code`` with the package of ``directory``.

    Without ``site``: the finder of an editable installation would add the modules of the checkout.
    """
    paths = os.pathsep.join([str(directory), *sys.path])
    process = subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd=directory,
        env=clean_environment() | {"PYTHONPATH": paths} | environment,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout.strip()


#: Makes empty modules of the C files that match its pattern; the last -O wins.
COMPILER_SCRIPT = """#!/bin/sh
for argument; do
    shift
    case $argument in
        {empty}) set -- "$@" -x c /dev/null ;;
        *) set -- "$@" "$argument" ;;
    esac
done
exec {compiler} "$@" -O0
"""
#: Loops that are found and cannot be imported: a test that computes sets FASTACT_ISA=baseline.
HIGHER_LEVELS = "build/generated/*_loops_v[34].c"
#: Enough where only the names of files are looked at.
ALL_MODULES = "build/generated/*.c"


def write_compiler(directory: Path, empty: str) -> str:
    path = directory / "cc"
    path.write_text(COMPILER_SCRIPT.format(empty=empty, compiler=COMPILER))
    path.chmod(0o755)
    return str(path)


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    """Build all there is to build; return the directories by name."""
    root = tmp_path_factory.mktemp("trees")
    direct, pure = copy_tree(root / "direct"), copy_tree(root / "pure")
    # As the default of build: an sdist, and from it the wheel.
    check_built(build(direct, "--sdist"))
    from_sdist = unpack(only_file(direct, "*.tar.gz"), root)
    check_built(build(from_sdist, "--wheel", CC=write_compiler(root, HIGHER_LEVELS)))
    copy_generated_code(from_sdist, direct)
    check_built(build(direct, "--wheel", CC=write_compiler(direct, ALL_MODULES)))
    check_built(build(pure, "--wheel", FASTACT_NO_EXTENSION="1"))
    return {"from_sdist": from_sdist, "direct": direct, "pure": pure}


def check_built(process: subprocess.CompletedProcess) -> None:
    assert process.returncode == 0, (process.stdout + process.stderr)[-4000:]


def copy_generated_code(source: Path, target: Path) -> None:
    """Cython takes half a minute for it, and sees by the times that it is fresh."""
    generated = Path("build", "generated")
    shutil.copytree(source / generated, target / generated)


@pytest.fixture(scope="module")
def wheel(trees):
    return only_file(trees["from_sdist"], "*.whl")


def test_the_wheel_holds_the_extension_and_the_types(wheel):
    files = files_in(wheel)
    for module in ("driver/_core", "driver/_memory", "cython_backend/_loops_baseline"):
        assert f"fastact/{module}{EXTENSION_SUFFIX}" in files
    for file in ("__init__.py", "__init__.pyi", "py.typed", "numba_backend/__init__.py", "cli.py"):
        assert f"fastact/{file}" in files
    assert "fastact/measured_errors.json" in files
    assert any(file.endswith("dist-info/licenses/LICENSE") for file in files)
    assert any(file.endswith("dist-info/entry_points.txt") for file in files)


def test_the_wheel_holds_every_module_of_the_package(wheel):
    modules = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "fastact").rglob("*.py*")
        if path.suffix in (".py", ".pyi")
    }
    assert modules | {MANIFEST} == {
        file for file in files_in(wheel) if file.endswith((".py", ".pyi"))
    }


def test_the_wheel_holds_nothing_else(wheel):
    files = [Path(file) for file in files_in(wheel)]
    assert {file.parts[0].partition("-")[0] for file in files} == {"fastact"}
    assert not {file.suffix for file in files} & SOURCES
    assert not [file for file in files if "test" in file.name or "tests" in file.parts]


def test_the_wheel_is_tagged_for_this_platform(wheel):
    assert wheel.name.endswith(f"-{sysconfig.get_platform().replace('-', '_')}.whl")
    assert f"cp{sys.version_info[0]}{sys.version_info[1]}" in wheel.name


def test_the_sdist_holds_what_a_build_and_the_tests_need(trees):
    files = files_in(only_file(trees["direct"], "*.tar.gz"))
    for file in ("pyproject.toml", "setup.py", "README.md", "LICENSE", "CHANGELOG.md"):
        assert file in files
    for folder in ("fastact", "tools", "tests"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".py", ".pyi", ".csv"} | SOURCES and path.name != "_build.py":
                assert str(path.relative_to(ROOT)) in files
    assert not [file for file in files if Path(file).suffix in {".so", ".pyc"}]
    assert not [file for file in files if file.startswith("build/") or file == MANIFEST]


def test_a_wheel_of_the_tree_holds_the_same_files(trees, wheel):
    assert files_in(only_file(trees["direct"], "*.whl")) == files_in(wheel)


CHECK = (
    "import fastact as fa; print(fa.relu([-1.0, 2.0], backend={backend!r}).tolist(), "
    "fa.show_config('dicts')[{section!r}])"
)


def test_the_wheel_computes(wheel, tmp_path):
    directory = unpack(wheel, tmp_path)
    code = CHECK.format(backend="cython", section="extension")
    output = run_installed(directory, code, FASTACT_ISA="baseline")
    assert output.startswith("[0.0, 2.0] ")
    assert "'built': True" in output


def test_without_the_extension_the_wheel_is_pure(trees, tmp_path):
    wheel = only_file(trees["pure"], "*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")
    files = files_in(wheel)
    assert not [file for file in files if file.endswith((".so", ".pyd"))]
    assert not {Path(file).suffix for file in files} & SOURCES
    assert MANIFEST not in files
    directory = unpack(wheel, tmp_path)
    output = run_installed(directory, CHECK.format(backend="auto", section="backends"))
    assert output.startswith("[0.0, 2.0] ")
    assert "reinstall fastact with a C compiler" in output


def test_without_a_compiler_one_sentence_says_what_to_do(trees, tmp_path):
    source = copy_tree(tmp_path / "source")
    copy_generated_code(trees["from_sdist"], source)
    # As if none were installed: no compiler by the variable, and none on the path.
    process = build(source, "--wheel", CC="/nonexistent/cc", PATH=str(tmp_path))
    assert process.returncode != 0
    output = process.stdout + process.stderr
    sentence = [line for line in output.splitlines() if "no working C compiler" in line]
    assert len(sentence) == 1
    assert sentence[0].startswith("fastact: ")
    assert "install a C compiler" in sentence[0]
    assert "FASTACT_NO_EXTENSION=1" in sentence[0]
    assert "FileNotFoundError" not in output


@pytest.mark.parametrize("variable", ["FASTACT_NO_EXTENSION", "FASTACT_CYTHON_DEBUG"])
def test_a_bad_switch_is_named(tmp_path, variable):
    source = copy_tree(tmp_path / "source")
    command = [sys.executable, "setup.py", "build_ext"]
    process = subprocess.run(
        command,
        cwd=source,
        env=clean_environment() | {variable: "yes"},
        capture_output=True,
        text=True,
    )
    assert process.returncode != 0
    assert f"{variable} must be 0 or 1, got 'yes'" in process.stderr
