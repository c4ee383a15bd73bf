"""The flags of the C compiler: chosen among those that it accepts, and safe from the user's.

Our flags stand after those of ``CFLAGS`` and ``LDFLAGS``, and compilers obey the last of flags that
contradict each other.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

# A user may have asked for faster and less exact arithmetic, but NaN, infinities, subnormal numbers
# and the order of operations are part of our contract. gcc and clang also look at these flags when
# they link: with -ffast-math, -Ofast or -mdaz-ftz they add code to the library that makes the whole
# process flush subnormal numbers. -fno-fast-math must come first, since it sets the others again.
# -ffp-contract=off: an element gets the same operations whether it falls into the vector body or
# the tail of a loop, and the compensated arithmetic of float64 stays exact.
STRICT_ARITHMETIC = (
    "-fno-fast-math",
    "-fno-associative-math",
    "-fno-reciprocal-math",
    "-fno-finite-math-only",
    "-fsigned-zeros",
    "-fno-single-precision-constant",
    "-fno-rounding-math",
    "-fdenormal-fp-math=ieee",
    "-ffp-contract=off",
)
# -O3 and -fno-trapping-math: gcc vectorises selects only with both. -fno-thread-jumps and
# -fno-tree-pre: otherwise gcc computes the code after a select once for each side, divisions
# included, before it vectorises: gelu_tanh took 355 instructions instead of 183. --param: a loop
# over seven arrays, such as one with four parameters, compares more than ten pairs of pointers.
# -funroll-loops: short loops process two vectors in each turn, in up to 5% less time.
OPTIMISATION = (
    "-O3",
    "-fno-trapping-math",
    "-fno-math-errno",
    "-fno-thread-jumps",
    "-fno-tree-pre",
    "--param=vect-max-version-for-alias-checks=20",
    "-funroll-loops",
    "--param=max-unroll-times=2",
    "-g0",
)

# The generated code is C11 with the extensions of GNU, and not free of warnings: a user's -ansi or
# -Werror must not stop the build.
LANGUAGE = ("-std=gnu11", "-Wno-error")

FLAGS = (*LANGUAGE, *STRICT_ARITHMETIC, *OPTIMISATION)
# gcc's linker command sees only whether this very flag of the user is taken back.
LINK_FLAGS = ("-fno-unsafe-math-optimizations",)

# For x86-64 only. -msse2 -mfpmath=sse: the older unit rounds to 80 bits. A user's -march=native or
# -mavx2 must not reach the loops of the baseline, which run on every processor, nor change how the
# higher levels compute. _core.pyx asks the processor for the features of a level. -mno-sse3 turns
# off the later extensions too.
X86 = (
    "-mno-daz-ftz", "-mno-recip", "-msse2", "-mfpmath=sse", "-march=x86-64", "-mtune=generic",
    "-mno-sse3",
)  # fmt: skip
# With -mpc32 or -mpc64, gcc links code that shortens the arithmetic of the older unit, NumPy's long
# double, for the whole process. -mpc80 takes it back, but sets the precision itself.
X87_PRECISIONS, X87_DEFAULT = {"-mpc32", "-mpc64"}, "-mpc80"


def accepted(compiler: Sequence[str], flags: Iterable[str]) -> list[str]:
    """Return the flags that a compiler takes without an error or a warning.

    Parameters
    ----------
    compiler : sequence of str
        The command, such as ``["ccache", "clang"]``, without flags.
    flags : iterable of str
        In the order of the command line.

    Returns
    -------
    list of str
    """
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory, "probe.c")
        source.write_text("int fastact_probe(void) { return 0; }\n")
        command = [*compiler, "-Werror", "-fsyntax-only", str(source)]
        return [flag for flag in flags if _succeeds([*command, flag])]


def _succeeds(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
