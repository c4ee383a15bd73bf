"""The command line: what each command prints, and how it fails."""

import re
import subprocess
import sys

import pytest

import fastact as fa
from fastact import cli

HEAVY_MODULES = ("matplotlib", "numba", "rich", "sklearn")


def run_process(*arguments):
    """Run ``python -m fastact`` without a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "fastact", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_without_a_command_help_is_printed_and_the_status_is_2(capsys):
    assert cli.main([]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert all(command.name in output.err for command in cli.COMMANDS)


def test_version(capsys):
    with pytest.raises(SystemExit) as exit_:
        cli.main(["--version"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out == f"fastact {fa.__version__}\n"


@pytest.mark.parametrize("command", [command.name for command in cli.COMMANDS])
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as exit_:
        cli.main([command, "--help"])
    assert exit_.value.code == 0
    assert f"usage: fastact {command}" in capsys.readouterr().out


def test_info_prints_what_show_config_prints(capsys):
    assert cli.main(["info"]) == 0
    printed = capsys.readouterr().out
    fa.show_config()
    assert printed == capsys.readouterr().out


def test_python_m_fastact_is_the_command():
    process = run_process("info")
    assert (process.returncode, process.stderr) == (0, "")
    assert f"fastact: {fa.__version__}" in process.stdout
    assert run_process().returncode == 2


def test_info_imports_nothing_heavy():
    script = (
        "import sys; from fastact import cli; cli.main(['info']); "
        f"print('loaded:', [name for name in {HEAVY_MODULES} if name in sys.modules])"
    )
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True
    )
    assert process.stdout.splitlines()[-1] == "loaded: []"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "0"], "argument --epochs: must be an integer >= 1, got '0'"),
        (["--epochs", "many"], "argument --epochs: must be an integer >= 1, got 'many'"),
        (["--seed", "-1"], "argument --seed: must be an integer from 0 to 4294967295, got '-1'"),
        (["--seed", "4294967296"], "4294967295, got '4294967296'"),
    ],
)
def test_wrong_arguments_are_named_with_what_was_expected(arguments, message, capsys):
    with pytest.raises(SystemExit) as exit_:
        cli.main(["demo", *arguments])
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("module", ["sklearn", "matplotlib", "rich"])
def test_a_missing_extra_is_named_with_how_to_install_it(module, monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, module, None)
    assert cli.main(["demo", "--output", str(tmp_path / "pictures")]) == 1
    assert capsys.readouterr().err == (
        "fastact: the demo needs scikit-learn, matplotlib and rich; "
        "install them with: pip install 'fastact[demo]'\n"
    )
    assert not (tmp_path / "pictures").exists()


def test_output_that_is_a_file_is_an_error(tmp_path, capsys):
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    pytest.importorskip("rich")
    file = tmp_path / "file"
    file.touch()
    assert cli.main(["demo", "--output", str(file)]) == 1
    assert re.match(r"fastact: --output must be a directory.*file", capsys.readouterr().err)


def _command(run):
    return cli.Command("try", "try it", lambda parser: None, run)


def test_a_command_is_one_row(monkeypatch):
    monkeypatch.setattr(cli, "COMMANDS", (*cli.COMMANDS, _command(lambda arguments: 7)))
    assert cli.main(["try"]) == 7


def test_interrupt_is_one_line(monkeypatch, capsys):
    def interrupted(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "COMMANDS", (_command(interrupted),))
    assert cli.main(["try"]) == 130
    assert capsys.readouterr().err == "fastact: interrupted\n"
