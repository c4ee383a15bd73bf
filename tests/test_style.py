"""The code keeps its own rules: formatter, linters and type checker find nothing."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def run(module: str, *arguments: str) -> None:
    if importlib.util.find_spec(module.partition(".")[0]) is None:
        pytest.skip(f"{module} is not installed")
    command = [sys.executable, "-m", module, *arguments]
    # cython-lint runs pycodestyle by its name.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = os.environ | {"PATH": path}
    process = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert process.returncode == 0, f"{' '.join(command[1:])}\n{process.stdout}{process.stderr}"


def test_ruff_finds_nothing():
    run("ruff", "check", "--output-format=concise", ".")


def test_ruff_would_change_nothing():
    run("ruff", "format", "--check", ".")


def test_mypy_finds_nothing():
    run("mypy")


def test_cython_lint_finds_nothing():
    sources = [
        str(path.relative_to(ROOT))
        for pattern in ("*.pyx", "*.pxi", "*.pxd")
        for path in sorted((ROOT / "fastact").rglob(pattern))
    ]
    assert sources
    run("cython_lint.cython_lint", *sources)
