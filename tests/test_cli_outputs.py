"""However its output ends, a command gives one line and an exit status, and never a traceback."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import fastact as fa
from fastact import cli, startup

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs the shell of a Unix")

#: Of each command, a call that takes little time.
CALLS = {
    "--help": ["--help"],
    "--version": ["--version"],
    "info": ["info"],
    "plot": ["plot", "gelu", "-o", "gelu.svg"],
    "verify": ["verify", "relu", "--stride", "400000009", "--jobs", "1"],
    "bench": ["bench", "--quick", "--activations", "relu", "--sizes", "16", "--threads", "1"],
    "demo": ["demo", "--epochs", "1"],
}
CALLS["bench"] += ["--peers", "numpy", "--directions", "forward"]
#: bench and demo take a second or two: one ending of the output is enough for these.
QUICK = ["--help", "--version", "info", "plot", "verify"]
NEEDS = {"plot": "matplotlib", "bench": "cpuinfo", "demo": "sklearn"}


def run(arguments, redirection, directory, **variables) -> tuple[int, list[str]]:
    """Run a command in a shell; return its status and the lines on standard error."""
    missing = NEEDS.get(arguments[0], "numpy")
    if importlib.util.find_spec(missing) is None:
        pytest.skip(f"{missing} is not installed")
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    path = str(Path(fa.__file__).resolve().parent.parent)
    process = subprocess.run(
        ["bash", "-c", f'"$@" {redirection}', "bash", sys.executable, "-m", "fastact", *arguments],
        cwd=directory,
        env=inherited | {"PYTHONPATH": path} | variables,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "Traceback" not in process.stderr
    assert "Exception ignored" not in process.stderr
    return process.returncode, process.stderr.splitlines()


@pytest.mark.parametrize("command", QUICK)
def test_closed_output(command, tmp_path):
    expected = (1, ["fastact: standard output is closed"])
    assert run(CALLS[command], ">&-", tmp_path) == expected


@pytest.mark.parametrize("command", CALLS)
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_full_output(command, tmp_path):
    expected = (1, ["fastact: No space left on device"])
    assert run(CALLS[command], ">/dev/full", tmp_path) == expected


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", ["--help", "info"])
def test_a_reader_that_leaves(command, unbuffered, tmp_path):
    redirection = "| exec true; exit ${PIPESTATUS[0]}"
    variables = {"PYTHONUNBUFFERED": unbuffered} if unbuffered else {}
    assert run(CALLS[command], redirection, tmp_path, **variables) == (141, [])


@pytest.mark.parametrize("errors", ["2>&-", "2>/dev/full"])
@pytest.mark.parametrize(
    ("arguments", "output", "status"),
    [
        (["info"], "", 0),
        (["info"], ">&-", 1),
        (["info"], ">/dev/full", 1),
        (["nonsense"], "", 2),
        ([], "", 2),
    ],
)
def test_closed_or_full_standard_error(arguments, output, status, errors, tmp_path):
    arguments = arguments or ["plot"]  # which needs a name
    assert run(arguments, f"{output} {errors}", tmp_path) == (status, [])


def test_a_wrong_backend_of_matplotlib_does_not_matter(tmp_path):
    assert run(CALLS["plot"], "", tmp_path, MPLBACKEND="nonsense") == (0, [])
    assert (tmp_path / "gelu.svg").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["plot", "gelu", "-o", "{}/a.png"],
        ["verify", "relu", "--json", "{}/a.json"],
        ["verify", "relu", "--record", "{}/a.json"],
        ["bench", "--json", "{}/a.json"],
        ["bench", "--plot", "{}/a.png"],
        ["plot", "--all", "--directory", "{}/a"],
        ["demo", "--output", "{}"],
    ],
    ids=" ".join,
)
def test_unwritable_paths_fail_before_the_work(arguments, monkeypatch, tmp_path, capsys):
    """A directory that refuses all files; permissions would not stop the superuser."""
    forbidden = Path("/proc/self")
    if not forbidden.is_dir():
        pytest.skip("needs /proc")
    monkeypatch.chdir(tmp_path)
    for module in ("sklearn", "matplotlib", "rich", "cpuinfo"):
        pytest.importorskip(module)
    start = time.perf_counter()
    try:
        status = cli.main([argument.format(forbidden) for argument in arguments])
    except SystemExit as exit_:
        status = exit_.code
    assert status in (1, 2)
    assert "/proc/self" in capsys.readouterr().err.splitlines()[-1]
    assert time.perf_counter() - start < 5


def test_checking_a_file_leaves_it_as_it_was(tmp_path, capsys):
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text("{}\n")
    for file in (old, new):
        with pytest.raises(SystemExit):
            cli.main(["verify", "--json", str(file), "--jobs", "none"])
    assert old.read_text() == "{}\n"
    assert not new.exists()


def test_records_that_cannot_be_read_fail_before_the_sweep(tmp_path, capsys):
    file = tmp_path / "records.json"
    file.write_text("{")
    assert cli.main(["verify", "relu", "--backends", "cython", "--record", str(file)]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"fastact: --record must be a file of records, got {file}: ")
    assert file.read_text() == "{"


def test_info_prints_variables_that_are_not_text(tmp_path):
    environment = {b"FASTACT_TEST": b"\xff\n\xe4", **os.environb}
    for encoding in ("utf-8", "ascii"):
        process = subprocess.run(
            [sys.executable, "-m", "fastact", "info"],
            env=environment | {b"PYTHONIOENCODING": encoding.encode()},
            capture_output=True,
            check=True,
        )
        assert b"FASTACT_TEST: \\udcff" in process.stdout
    assert json.dumps(fa.show_config("dicts"))


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupt_is_one_line(jobs, tmp_path):
    command = [sys.executable, "-m", "fastact", "verify", "--stride", "101", "--jobs", jobs]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        process.stdout.readline()  # so the sweep begins
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to the workers too
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "fastact: interrupted\n")


@pytest.mark.parametrize("variable", ["BACKEND", "NUM_THREADS", "PRECISION", "ISA", "POOL_BYTES"])
def test_a_wrong_variable_is_one_line(variable, tmp_path):
    status, errors = run(["info"], "", tmp_path, **{f"FASTACT_{variable}": "first\nsecond"})
    assert (status, len(errors)) == (1, 1)
    start = f"fastact: ValueError: environment variable FASTACT_{variable} must be "
    assert errors[0].startswith(start)


#: Interrupts the import of the package, and of NumPy before, where a module is looked for.
INTERRUPTED_IMPORT = """
import sys

class Finder:
    def find_spec(self, name, *_):
        if name == {!r}:
            raise KeyboardInterrupt

sys.meta_path.insert(0, Finder())
"""


@pytest.mark.parametrize("module", ["numpy", "fastact.environment", "fastact.cli"])
def test_an_interrupt_during_the_import_is_one_line(module, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTED_IMPORT.format(module))
    path = f"{tmp_path}{os.pathsep}{Path(fa.__file__).resolve().parent.parent}"
    expected = (130, ["fastact: interrupted"])
    assert run(["info"], "", tmp_path, PYTHONPATH=path) == expected


@pytest.mark.parametrize(
    ("argv", "original", "expected"),
    [
        (["/bin/fastact", "info"], ["python", "/bin/fastact", "info"], True),
        (["-m", "info"], ["python", "-m", "fastact", "info"], True),
        (["-m"], ["python", "-B", "-mfastact"], True),
        (["-m", "fastact"], ["python", "-m", "pytest", "fastact"], False),
        (["program.py", "fastact"], ["python", "program.py", "fastact"], False),
        (["-c"], ["python", "-c", "import fastact"], False),
        ([""], ["python"], False),
        ([], [], False),
    ],
)
def test_only_the_command_prints_errors_as_one_line(argv, original, expected, monkeypatch):
    monkeypatch.setattr(sys, "argv", argv)
    monkeypatch.setattr(sys, "orig_argv", original)
    assert startup.runs_command() is expected


def test_any_other_error_is_one_line(monkeypatch, capsys):
    def fail(arguments):
        raise RuntimeError("first\nsecond")

    monkeypatch.setattr(cli, "COMMANDS", (cli.Command("try", "try it", lambda parser: None, fail),))
    assert cli.main(["try"]) == 1
    assert capsys.readouterr().err == "fastact: RuntimeError: first second\n"
