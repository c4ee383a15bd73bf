"""Random calls keep the contract; and a program that breaks it is found, made simpler and printed.

For longer runs: ``python tools/fuzz.py --seconds 600``.
"""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from scripts import TOOLS, load_tool

from fastact import config

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def run_fuzz(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(TOOLS / "fuzz.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_random_calls_keep_the_contract():
    # Numba's loops run in the same driver; to compile all that are drawn takes a minute.
    backends = [name for name in config.available_backends() if name != "numba"]
    limits = ("--seed", "14", "--cases", "1000", "--findings", "1")
    process = run_fuzz(*limits, "--backend", *backends)
    assert process.returncode == 0, process.stdout + process.stderr


def test_a_case_depends_on_its_seed_and_number_alone():
    calls = load_tool("fuzz_calls")
    arguments = (["gelu", "prelu"], ["forward", "backward"], ["numpy"])
    cases = [calls.draw(5, case, *arguments) for case in range(50)]
    assert [repr(calls.draw(5, case, *arguments)) for case in range(50)] == list(map(repr, cases))
    for call in cases:
        with np.errstate(all="ignore"):
            (memories, _), (again, _) = calls.place(call), calls.place(call)
        for home, memory in memories.items():
            np.testing.assert_array_equal(memory, again[home])
