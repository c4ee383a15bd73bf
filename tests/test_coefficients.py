"""The table of coefficients is what its script derives, and the roots in it are roots."""

from __future__ import annotations

from pathlib import Path

import mpmath as mp
import pytest
from scripts import load_tool
from truth import definition

import fastact as fa
from fastact import coefficients

ROOTS = sorted(name for name in vars(coefficients) if name.endswith("_ROOT"))


def test_the_script_reproduces_the_table() -> None:
    with mp.workdps(mp.mp.dps):  # the script sets its own precision
        derived = load_tool("derive_coefficients").table()
    written = Path(coefficients.__file__).read_text(encoding="utf-8")
    assert derived == written, "run python tools/derive_coefficients.py"


@pytest.mark.parametrize("name", ROOTS)
def test_roots_are_roots(name: str) -> None:
    row = fa.get(name.removesuffix("_ROOT").lower()).row
    defaults = [mp.mpf(parameter.default) for parameter in row.parameters]
    with mp.workdps(60):
        high, low = (mp.mpf(part) for part in getattr(coefficients, name))
        assert abs(definition(row.name).grad(high + low, *defaults)) < mp.mpf("1e-32")
