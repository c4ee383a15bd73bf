"""Whatever CFLAGS say, compiled arithmetic is strict and loading it leaves the process alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from scripts import load_tool

if not Path(__file__).resolve().parent.parent.joinpath("setup.py").exists():
    pytest.skip("there are no sources here", allow_module_level=True)

flags = load_tool("compiler_flags")
COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
BAD_FLAGS = [
    ["-ffast-math"],
    ["-Ofast"],
    ["-funsafe-math-optimizations"],
    ["-ffinite-math-only", "-fno-signed-zeros"],
    ["-fassociative-math", "-freciprocal-math", "-fno-signed-zeros", "-fno-trapping-math"],
    ["-O0", "-march=native", "-ffp-contract=fast"],
    ["-mfpmath=387"],
    ["-flto", "-ffast-math"],
    ["-ffp-model=fast"],
    ["-fno-honor-nans", "-fapprox-func"],
    ["-mno-sse2"],
    ["-mpc32"],
    ["-ansi"],
    ["-Wall", "-Wextra", "-Wmissing-prototypes", "-Werror"],
]
PROGRAM = """
#include "strict_arithmetic.h"
#if defined(__FMA__) || defined(__AVX__)
#error "flags of the user have reached the baseline"
#endif
static inline double itself(double x) { return x; } // with what C89 has not
double is_nan(double x) { return itself(x) != x; }
double reordered(double x) { return (x + 1e16) - 1e16; }
double divided(double x) { return x / 3.0; }
double fused(double x) { return x * x - 1.0; }
double zero(double x) { return x + 0.0; }
"""
# Runs in a process of its own: the library may change the floating-point state.
CHECK = """
import ctypes, math, sys
library = ctypes.CDLL(sys.argv[1])
def call(name, x):
    function = library[name]
    function.restype, function.argtypes = ctypes.c_double, [ctypes.c_double]
    return function(x)
x = 1 + 2.0**-30
assert call("is_nan", math.nan) == 1
assert call("reordered", 1.0) == 0.0
assert call("divided", 5.0) == 5.0 / 3.0
assert call("fused", x) == x * x - 1.0
assert math.copysign(1, call("zero", -0.0)) == 1
assert 5e-324 * 1.0 > 0, "subnormal numbers are flushed"
import numpy as np
digits = np.finfo(np.longdouble).nmant
assert np.longdouble(1) + np.longdouble(2) ** -digits > 1, "long double has lost digits"
"""


@pytest.fixture(scope="module", params=COMPILERS)
def compiler(request):
    """Return the command and the flags of the package for it."""
    command = [request.param]
    x86 = flags.accepted(command, flags.X86) if sys.platform == "linux" else []
    return command, flags.accepted(command, flags.FLAGS), x86


def compile_library(command, own, x86, bad, directory) -> Path:
    source, library = directory / "probe.c", directory / "probe.so"
    source.write_text(PROGRAM)
    include = f"-I{Path(__file__).resolve().parent.parent / 'fastact' / 'cython_backend'}"
    linking = flags.accepted(command, flags.LINK_FLAGS)
    if flags.X87_PRECISIONS & set(bad):
        linking.append(flags.X87_DEFAULT)
    subprocess.run(
        [
            *(*command, *bad, "-fPIC", "-shared", include),
            *(str(source), "-o", str(library), *own, *x86, *linking),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    return library


@pytest.mark.parametrize("bad", BAD_FLAGS, ids=" ".join)
def test_flags_of_the_user_do_not_change_the_arithmetic(compiler, bad, tmp_path):
    command, own, x86 = compiler
    if flags.accepted(command, bad) != bad:
        pytest.skip(f"{command[0]} does not take them")
    library = compile_library(command, own, x86, bad, tmp_path)
    process = subprocess.run(
        [sys.executable, "-c", CHECK, str(library)], capture_output=True, text=True
    )
    assert process.returncode == 0, process.stderr


def test_the_header_refuses_what_comes_after_our_flags(compiler, tmp_path):
    command, own, x86 = compiler
    with pytest.raises(subprocess.CalledProcessError) as error:
        compile_library(command, [*own, "-ffast-math"], x86, [], tmp_path)
    assert "fastact needs IEEE arithmetic; remove -ffast-math" in error.value.stderr


def test_the_flags_that_results_depend_on_are_taken(compiler):
    _, own, _ = compiler
    assert {"-O3", "-fno-fast-math", "-ffp-contract=off", "-fno-trapping-math"} <= set(own)


def test_a_flag_that_the_compiler_warns_of_or_rejects_is_left_out(compiler):
    command, _, _ = compiler
    unknown = ["-fno-such-optimisation", "--param=no-such-parameter=1"]
    assert flags.accepted(command, ["-O3", *unknown]) == ["-O3"]


def test_a_compiler_that_is_missing_takes_nothing():
    assert flags.accepted(["/nonexistent/cc"], ["-O3"]) == []
