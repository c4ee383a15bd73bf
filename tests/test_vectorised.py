"""The loops that the C compiler makes are vectors only: no scalar is left over, no call, no branch.

Read from the machine code of the levels of x86-64 that are built with vectors of their own.
"""

from __future__ import annotations

import functools
import importlib.util
import itertools
import re
import shutil
import subprocess
from typing import NamedTuple

import pytest
from inputs import ROWS

from fastact import config

if config.cython_backend is None:
    pytest.skip("needs the extension", allow_module_level=True)
if shutil.which("objdump") is None:
    pytest.skip("needs objdump", allow_module_level=True)

VECTORS = {"v3": "%ymm", "v4": "%zmm"}
VERBS = ("forward", "grad", "backward", "backward_from_output", "value_and_grad")
TYPES = ("float", "float_fast", "double", "float_broadcast", "double_broadcast")

#: Loops that are made of several: the factors are loaded one by one, in scalar registers.
PRODUCTS = ("product_float16_loop", "product_bfloat16_loop")

MEMMOVE = "the compiler calls memmove instead"

#: Loops that are not vectors, and why.
SCALAR = {
    "identity_forward_float": MEMMOVE,
    "identity_forward_double": MEMMOVE,
}


class Instruction(NamedTuple):
    address: int
    operation: str
    operands: str

    @property
    def is_jump(self) -> bool:
        return self.operation.startswith("j")

    @property
    def target(self) -> int:
        return int(self.operands.split()[0], 16)

    @property
    def is_scalar(self) -> bool:
        """Whether it computes, loads or stores one number; to load one for all is fine."""
        return bool(re.search(r"s[sd](2u?si)?$", self.operation)) and not re.match(
            r"vp|vbroadcast", self.operation
        )

    @property
    def stores(self) -> bool:
        to_memory = re.search(r"\)(\{%k\d\})?$", self.operands)
        return self.operation.startswith(("vmov", "vextract")) and bool(to_memory)


@functools.cache
def functions(level):
    """Return the instructions of each loop function of a level, by its name."""
    module = importlib.util.find_spec(f"fastact.cython_backend._loops_{level}")
    if module is None:
        pytest.skip(f"the level {level} is not built")
    command = ["objdump", "--disassemble", "--no-show-raw-insn", module.origin]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = {
        name: [instruction(line) for line in body.strip().split("\n")]
        for name, body in re.findall(
            r"^[0-9a-f]+ <\w+_loops_v\d_(\w+_loop)>:\n(.*?)(?=^$|\Z)", text, re.S | re.M
        )
    }
    if not found:
        pytest.skip("the extension is stripped of its symbols")
    return found


def instruction(line):
    address, _, text = line.partition(":")
    # A prefix of a jump, and the name of what an address belongs to, are not for us.
    words = re.sub(r"\s*(#.*|<.*>)", "", text).split(maxsplit=1)
    return Instruction(int(address, 16), words[0], words[1] if len(words) > 1 else "")


def code(level, name):
    """Return the instructions of a loop function; the linker may have merged it with an equal."""
    body = functions(level)[name]
    while body[0].is_jump:
        body = next(b for b in functions(level).values() if b[0].address == body[0].target)
    return body


def loops(body):
    """Return the sets of instructions that can reach each other: the loops of the function."""
    following = {a.address: b.address for a, b in itertools.pairwise(body)}
    after, before = ({i.address: set() for i in body} for _ in range(2))
    for i in body:
        targets = {i.target} & after.keys() if i.is_jump else set()
        if i.operation not in ("jmp", "ret") and i.address in following:
            targets.add(following[i.address])
        after[i.address] = targets
        for target in targets:
            before[target].add(i.address)
    heads = {i.target for i in body if i.is_jump and i.target in after and i.target <= i.address}
    found = {frozenset(reach(head, after) & reach(head, before)) for head in heads}
    return [[i for i in body if i.address in addresses] for addresses in found if addresses]


def reach(start, edges):
    """Return where the edges lead to from ``start``, which is among it only if they lead back."""
    seen, to_visit = set(), [start]
    while to_visit:
        new = edges[to_visit.pop()] - seen
        seen |= new
        to_visit += new
    return seen


def flaws(loop, vector):
    """Return what of a loop is not straight code of whole vectors."""
    found = [i for i in loop if i.is_scalar or i.operation.startswith("call")]
    found += [i for i in loop if i.stores and not i.operands.startswith(vector)]
    if not any(i.stores for i in loop):
        found.append("no store")
    return found + [i for i in loop if i.is_jump][1:]


def names_of(row):
    for verb in VERBS if not row.kernels else ():
        if verb == "backward_from_output" and not row.derivative_from_output:
            continue
        for kind in TYPES:
            if kind == "float_fast" and row.exponential_free:
                continue
            if kind.endswith("broadcast") and not row.parameters:
                continue
            yield f"{row.name}_{verb}_{kind}_loop"


NAMES = [name for row in ROWS for name in names_of(row)]

over_levels = pytest.mark.parametrize("level", VECTORS)
over_rows = pytest.mark.parametrize(
    "row", [row for row in ROWS if not row.kernels], ids=lambda row: row.name
)


@over_levels
def test_every_loop_of_the_catalogue_is_looked_at(level):
    assert set(functions(level)) == {*NAMES, *PRODUCTS}


@over_levels
@over_rows
def test_the_loops_are_straight_code_of_whole_vectors(level, row):
    for name in names_of(row):
        found = [flaws(loop, VECTORS[level]) for loop in loops(code(level, name))]
        # A broadcast loop has a second version, of scalars, for operands that meet.
        required = 1 if "broadcast" in name else len(found)
        is_straight = bool(found) and len([f for f in found if not f]) >= required
        reason = SCALAR.get(name.removesuffix("_loop"))
        assert is_straight == (reason is None), f"{name}: {found or 'no loop'}; {reason}"


@over_levels
@pytest.mark.parametrize("name", PRODUCTS)
def test_products_of_16_bits_are_computed_in_whole_vectors(level, name):
    inside = [i for loop in loops(code(level, name)) for i in loop]
    assert not [i for i in inside if i.is_scalar]
    products = [i for i in inside if i.operation == "vmulpd"]
    assert products
    assert not [i for i in products if VECTORS[level] not in i.operands]
    # A branch for each element would be a jump that depends on a comparison of floats.
    assert not [i for i in inside if "comis" in i.operation]


@over_levels
def test_no_loop_function_calls_another(level):
    calls = {
        name: [i for i in code(level, name) if i.operation.startswith("call")]
        for name in (*NAMES, *PRODUCTS)
    }
    assert not {name: found for name, found in calls.items() if found}


#: What objdump prints; the first jump goes forward, past the loop.
VECTOR_LOOP = """
     8:\tvmovss (%rdi),%xmm0
     a:\tjle    28 <loop+0x28>
     c:\tvbroadcastss %xmm0,%zmm0
    10:\tvmulps (%rsi,%rax,1),%zmm0,%zmm1
    14:\tvmovups %zmm1,(%rcx,%rax,1)
    18:\tadd    $0x40,%rax
    1c:\tcmp    %rax,%rdx
    20:\tjne    10 <loop+0x10>
    24:\tvzeroupper
    28:\tret
"""


@pytest.mark.parametrize(
    ("before", "after", "flawed"),
    [
        ("", "", []),
        ("vmulps (%rsi,%rax,1),%zmm0,%zmm1", "vmulss (%rsi,%rax,1),%xmm0,%xmm1", ["vmulss"]),
        ("vmovups %zmm1", "vmovups %ymm1", ["vmovups"]),
        ("vmovups %zmm1", "vmovss %xmm1", ["vmovss", "vmovss"]),
        ("vmulps (%rsi,%rax,1),%zmm0,%zmm1", "call   3380 <expf@plt>", ["call"]),
        ("add    $0x40,%rax", "jp     1c <loop+0x1c>", ["jne"]),
    ],
    ids=["vectors", "scalar", "half", "scalar-store", "call", "branch"],
)
def test_what_is_not_straight_code_of_whole_vectors_is_seen(before, after, flawed):
    text = VECTOR_LOOP.replace(before, after) if before else VECTOR_LOOP
    (loop,) = loops([instruction(line) for line in text.strip().split("\n")])
    assert [i.operation for i in flaws(loop, "%zmm")] == flawed
