"""docs/compat.md tells where the libraries differ: measured again with those that are installed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("library", ["torch", "jax", "tensorflow"])
def test_the_tables_of_differences_are_true(library):
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    command = [sys.executable, str(ROOT / "tools" / "measure_compat.py"), "--check", library]
    process = subprocess.run(command, capture_output=True, text=True)
    assert process.returncode == 0, process.stdout + process.stderr
