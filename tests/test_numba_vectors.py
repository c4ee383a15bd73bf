"""The loops that Numba compiles are vectors only: no scalar is left over, no call, no branch."""

from __future__ import annotations

import re

import pytest
from inputs import ROWS

from fastact import config

if "numba" not in config.available_backends():
    pytest.skip("needs Numba", allow_module_level=True)

import numba

from fastact.numba_backend import loops

# Both scalar functions of each activation, in every variant; and those that take the output.
VARIANTS = ("float32", "float32_fast", "float64", "float32_broadcast", "float64_broadcast")
LOOPS = [
    (row, verb, variant)
    for row in ROWS
    if not row.kernels
    for verb in ("value_and_grad", "backward", "backward_from_output")
    for variant in (VARIANTS if verb == "value_and_grad" else VARIANTS[:3])
    if (row.derivative_from_output or verb != "backward_from_output")
    and (row.parameters or not variant.endswith("_broadcast"))
    and not (row.exponential_free and variant == "float32_fast")
]


def blocks_of_loops(row, verb, variant):
    """Return the basic blocks that have a loop counter, as text of LLVM."""
    compiled = loops.compile_loop(row, verb, variant)
    blocks = re.split(r"^[\w.$-]+:", compiled.inspect_llvm(), flags=re.M)
    return [block for block in blocks if " = phi " in block]


@pytest.mark.parametrize(
    ("row", "verb", "variant"),
    LOOPS,
    ids=["-".join((row.name, verb, variant)) for row, verb, variant in LOOPS],
)
def test_each_loop_is_one_block_of_vector_instructions(row, verb, variant, monkeypatch, tmp_path):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))  # cached code has no text
    blocks = blocks_of_loops(row, verb, variant)
    # The compiler may make more of them, where a choice hangs on a parameter only.
    has_loop_for_defaults = variant == "float64" and row.parameters and not row.exponential_free
    assert len(blocks) >= (2 if has_loop_for_defaults else 1)
    for block in blocks:
        numbers = re.findall(r"= (?:fadd|fsub|fmul|fdiv|fneg|load) (\S+)", block)
        numbers += re.findall(r"store (\S+)", block)
        assert {number[0] for number in numbers} == {"<"}
        assert "extractelement" not in block
        called = set(re.findall(r"call .*?@([\w.]+)", block))
        assert not [name for name in called if not re.fullmatch(r"llvm\.[\w.]+\.v\d+[fi]\d+", name)]
