"""float16 and bfloat16 results have the same bits before there is a table of them and after."""

from __future__ import annotations

import importlib.util

import pytest
from test_backends import run_python

import fastact as fa
from fastact import config

if config.driver is None:
    pytest.skip("needs the extension", allow_module_level=True)

DTYPES = ["float16"] + ["bfloat16"] * bool(importlib.util.find_spec("ml_dtypes"))
KINDS = ["forward", "grad", "backward", "backward_from_output", "value_and_grad"]

# All bits of the parts are drawn; the first calls are of so few elements that no table is made.
CODE = """
import importlib.util
if {dtype!r} == "bfloat16":
    import ml_dtypes
import numpy as np
import fastact as fa
from fastact import tables

rng = np.random.default_rng(0)
fa.relu(np.ones(1, {dtype!r}))  # the driver learns of bfloat16

def number_of_tables():
    return tables._results.cache_info().currsize + tables._factors.cache_info().currsize

def as_arrays(found):
    return found if isinstance(found, tuple) else (found,)

def wide(result):
    return [np.asarray(part).astype(np.float64) for part in as_arrays(result)]

for name in fa.names():
    verb = fa.get(name) if {kind!r} == "forward" else getattr(fa.get(name), {kind!r})
    if not verb.is_defined or verb.nout == 2 and {kind!r} == "backward":
        continue
    required = [p.default for p in verb.row.parameters if p.required]
    arrays = [
        rng.integers(1 << 16, size=16 << 10, dtype=np.uint16).view({dtype!r})
        for _ in verb.arguments
    ]
    parts = [slice(0, 700), slice(700, 1500, 2), slice(1500, 1501), slice(3000, 2000, -1)]
    tables_before = number_of_tables()
    first = [wide(verb(*(array[part] for array in arrays), *required)) for part in parts]
    assert number_of_tables() == tables_before or verb.row.kernels, f"{{name}}: a table"
    after = wide(verb(*arrays, *required))
    again = [wide(verb(*(array[part] for array in arrays), *required)) for part in parts]
    for part, one, other in zip(parts, first, again, strict=True):
        for a, b, c in zip(one, other, after, strict=True):
            for found in (b, c[part]):
                same = (a == found) & (np.signbit(a) == np.signbit(found))
                same |= (a != a) & (found != found)
                assert same.all(), f"{{name}}: {{a[~same][:3]}}, {{found[~same][:3]}}"
print("same")
"""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_bits_do_not_depend_on_a_table(kind, dtype):
    assert fa.get_backend() in ("auto", "cython")
    assert run_python(CODE.format(kind=kind, dtype=dtype), timeout=60).split() == ["same"]
