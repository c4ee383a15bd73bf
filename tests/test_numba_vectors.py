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


def text_of_loop(row, verb, variant, monkeypatch, tmp_path):
    """Return the text of LLVM, which code from the cache has not: then it is compiled anew."""
    compiled = loops.compile_loop(row, verb, variant)
    if compiled.cache_hits:
        monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
        compiled = loops.compile_loop(row, verb, variant)
    return compiled.inspect_llvm()


@pytest.mark.parametrize(
    ("row", "verb", "variant"),
    LOOPS,
    ids=["-".join((row.name, verb, variant)) for row, verb, variant in LOOPS],
)
def test_each_loop_is_one_block_of_vector_instructions(row, verb, variant, monkeypatch, tmp_path):
    text = text_of_loop(row, verb, variant, monkeypatch, tmp_path)
    # The basic blocks that have a loop counter.
    blocks = [b for b in re.split(r"^[\w.$-]+:", text, flags=re.M) if " = phi " in b]
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
