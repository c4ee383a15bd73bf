"""The instruction-set level: chosen by what there is, lowered by FASTACT_ISA, without effect on
results but for the baseline, which has no fused multiply-add and keeps the bounds without it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_backends import error_of, run_python
from test_special_values import CASES_AND_VERBS

import fastact as fa
from fastact import config

if config.cython_backend is None:
    pytest.skip("needs the extension", allow_module_level=True)

from fastact.cython_backend import LEVELS

TESTS = Path(__file__).resolve().parent
PACKAGE = str(Path(fa.__file__).resolve().parent.parent)
FACTS = fa.show_config("dicts")["extension"]
BUILT = FACTS["instruction_sets_built"].split(", ")
FOUND = FACTS["instruction_sets_found"].split(", ")
USABLE = [level for level in BUILT if level in FOUND]
PRINT_LEVEL = "import fastact as fa; print(fa.show_config('dicts')['extension']['instruction_set'])"


@pytest.fixture
def chosen(monkeypatch):
    """Return the level that is chosen on another machine."""

    def choose(built, supported, allowed=None):
        def import_loops(level):
            if level not in built:
                raise ModuleNotFoundError(level)

        monkeypatch.setattr(config.cython_backend, "_import_loops", import_loops)
        monkeypatch.setattr(config.cython_backend, "_SUPPORTED", supported)
        monkeypatch.delenv("FASTACT_ISA", raising=False)
        if allowed:
            monkeypatch.setenv("FASTACT_ISA", allowed)
        return config.cython_backend._load_highest()[0]

    return choose


@pytest.mark.parametrize("level", LEVELS)
def test_the_variable_lowers_the_level(level):
    at_most = LEVELS[: LEVELS.index(level) + 1]
    expected = [usable for usable in USABLE if usable in at_most][-1]
    assert run_python(PRINT_LEVEL, FASTACT_ISA=level) == expected


def test_without_the_variable_it_is_the_highest():
    assert run_python(PRINT_LEVEL) == USABLE[-1]


@pytest.mark.parametrize("allowed", [None, *LEVELS])
@pytest.mark.parametrize("supported", [LEVELS[:1], LEVELS[:2], LEVELS])
@pytest.mark.parametrize("built", [LEVELS[:1], LEVELS[:2], LEVELS[::2], LEVELS])
def test_a_level_is_built_found_and_allowed(chosen, built, supported, allowed):
    level = chosen(built, supported, allowed)
    usable = set(built) & set(supported) & set(LEVELS[: LEVELS.index(allowed or "v4") + 1])
    assert level == max(usable, key=LEVELS.index)


def test_what_is_found_includes_the_levels_below():
    assert tuple(FOUND) == LEVELS[: len(FOUND)]


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="needs Linux")
@pytest.mark.parametrize(
    ("level", "needed"),
    [
        ("v3", {"avx2", "fma", "f16c"}),
        ("v4", {"avx2", "fma", "f16c", "avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}),
    ],
)
def test_what_is_found_is_what_the_system_says(level, needed):
    assert (level in FOUND) == (needed <= set(Path("/proc/cpuinfo").read_text().split()))


@pytest.mark.parametrize("value", ["v2", "V4", "avx512", "baseline,v3"])
def test_any_other_value_is_an_error(value):
    assert run_python(error_of("import fastact"), FASTACT_ISA=value) == (
        "ValueError environment variable FASTACT_ISA must be one of baseline, v3, v4, "
        f"got {value!r}"
    )


# Prints a digest of every result; NaN is any NaN.
DIGESTS = """
import hashlib, json, sys
sys.path.insert(0, {tests!r})
import numpy as np
import fastact as fa
from inputs import random_bits, specials
from test_special_values import CASES_AND_VERBS, evaluate

def digest(results):
    numbers = (np.where(np.isnan(result), np.nan, result) for result in results)
    return hashlib.sha256(b"".join(result.tobytes() for result in numbers)).hexdigest()

digests = {{}}
for dtype in ("float32", "float64"):
    rng = np.random.default_rng(1)
    normal = rng.normal(scale=4, size=20_000).astype(dtype)
    x = np.concatenate([specials(dtype), random_bits(dtype, 30_000), normal])
    g = rng.permutation(x)
    for case, verb in CASES_AND_VERBS:
        as_arrays = [np.full(x.shape, value) for value in case.parameters]
        differs = case.differs_by_precision and dtype == "float32"
        for precision in fa.config.PRECISIONS if differs else ("faithful",):
            with fa.use_precision(precision), np.errstate(all="ignore"):
                key = f"{{case}} {{verb}} {{dtype}} {{precision}}"
                digests[key] = digest(evaluate(case, verb, g, x))
                if as_arrays:
                    digests[key + " broadcast"] = digest(evaluate(case, verb, g, x, as_arrays))
print(json.dumps(digests))
"""


@pytest.fixture(scope="module")
def digests():
    """Return a function: the digests of all results at a level, computed once."""
    found = {}

    def at(level):
        if level not in found:
            code = DIGESTS.format(tests=str(TESTS))
            found[level] = json.loads(run_python(code, FASTACT_ISA=level))
        return found[level]

    return at


@pytest.mark.skipif("v4" not in USABLE, reason="needs AVX-512")
def test_levels_with_fused_multiply_add_agree_to_the_bit(digests):
    expected, actual = digests("v3"), digests("v4")
    assert not [key for key in expected if expected[key] != actual[key]]
    assert len(expected) >= 3 * len(CASES_AND_VERBS)


def test_in_the_baseline_fast_is_faithful(digests):
    found = digests("baseline")
    fast = [key for key in found if " fast" in key]
    assert fast
    assert not [key for key in fast if found[key] != found[key.replace(" fast", " faithful")]]


#: What is not of the baseline, or is so by the rest.
OTHERS = "fast or mpmath or long_double or test_grad or value_and_grad or exact_rows"


def test_the_baseline_keeps_the_bounds():
    """By the tests of accuracy and of special values; elsewhere they run at the highest level.

    Those of backward hold the derivative, too.
    """
    files = ("test_accuracy_float32.py", "test_accuracy_float64.py", "test_special_values.py")
    run_tests("baseline", *files, "-k", f"cython and not ({OTHERS})")


@pytest.mark.parametrize("level", USABLE[:-1])
def test_the_products_of_16_bits_are_right_at_every_level(level):
    """All activations share the two loops; the factors of silu have the widest range."""
    run_tests(level, "test_accuracy_float16.py", "-k", "cython and silu and backward")


def run_tests(level, *arguments):
    process = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider"),
            *arguments,
        ],
        cwd=TESTS,
        env=os.environ | {"FASTACT_ISA": level, "PYTHONPATH": PACKAGE},
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    assert " passed" in process.stdout
