"""Build the Cython extension; all static metadata is in pyproject.toml.

Environment variables, each 0 or 1:

FASTACT_NO_EXTENSION   install without the extension (NumPy and Numba backends only)
FASTACT_NO_OPENMP      build a serial extension
FASTACT_CYTHON_DEBUG   build with bounds and other checks
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "tools"))

GENERATED = Path("build", "generated")


def switch(name: str) -> bool:
    value = os.environ.get(name, "0")
    if value not in ("0", "1"):
        raise SystemExit(f"environment variable {name} must be 0 or 1, got {value!r}")
    return value == "1"


# -O3 and -fno-trapping-math: gcc vectorises selects only with both. -ffp-contract=off: every
# element gets the same operations whether it falls into the vector body or the tail of a loop, and
# the compensated arithmetic of float64 stays exact. Never -ffast-math: NaN, infinities and
# subnormal numbers are part of the contract, and it would set flush-to-zero for the whole process.
GCC_FLAGS = ["-O3", "-fno-trapping-math", "-fno-math-errno", "-ffp-contract=off"]
MSVC_FLAGS = ["/O2", "/fp:precise"]

# A loop with a call in it is not vectorised, and gcc declines to inline the larger kernels.
GCC_ALWAYS_INLINE = "-DCYTHON_INLINE=inline __attribute__((always_inline))"
MSVC_ALWAYS_INLINE = "/DCYTHON_INLINE=__forceinline"

OPENMP_PROGRAM = """
#include <omp.h>
int fastact_probe(void) {
    int total = 0;
    #pragma omp parallel for reduction(+:total)
    for (int i = 0; i < 4; i++) total += omp_get_num_threads();
    return total;
}
"""
NO_COMPILER = (
    "fastact: no working C compiler was found, and the Cython backend needs one; install a C "
    "compiler (for example gcc and the Python headers), or set FASTACT_NO_EXTENSION=1 to install "
    "the pure-Python package with the NumPy and Numba backends."
)


class BuildExtension(build_ext):
    """Adds the flags that the compiler at hand understands, after trying them."""

    def build_extensions(self) -> None:
        is_msvc = self.compiler.compiler_type == "msvc"
        flags = MSVC_FLAGS if is_msvc else GCC_FLAGS
        if not self.compiles("#include <Python.h>\nint fastact_probe(void) { return 0; }", []):
            raise SystemExit(NO_COMPILER)
        openmp = ["/openmp"] if is_msvc else ["-fopenmp"]
        if switch("FASTACT_NO_OPENMP") or not self.compiles(OPENMP_PROGRAM, openmp):
            print("fastact: building without OpenMP: the Cython backend will be serial", flush=True)
            openmp = []
        for extension in self.extensions:
            extension.extra_compile_args += flags + openmp
            if extension.name.endswith("._loops"):
                extension.extra_compile_args.append(
                    MSVC_ALWAYS_INLINE if is_msvc else GCC_ALWAYS_INLINE
                )
            extension.extra_link_args += [] if is_msvc else openmp
        super().build_extensions()

    def run(self) -> None:
        super().run()
        # Python started in the checkout imports the checkout, not what was installed; so that it
        # finds the extension there too, leave a copy beside the sources.
        if not self.inplace:
            self.copy_extensions_to_source()

    def compiles(self, program: str, flags: list[str]) -> bool:
        """Whether ``program`` compiles and links into a shared object with ``flags``."""
        with tempfile.TemporaryDirectory() as directory:
            source = Path(directory, "probe.c")
            source.write_text(program)
            try:
                objects = self.compiler.compile(
                    [str(source)],
                    output_dir=directory,
                    include_dirs=self.include_dirs,
                    extra_preargs=flags,
                )
                link_flags = [] if self.compiler.compiler_type == "msvc" else flags
                self.compiler.link_shared_object(
                    objects,
                    str(Path(directory, "probe.so")),
                    library_dirs=self.library_dirs,
                    extra_preargs=link_flags,
                )
            except Exception:  # CompileError, LinkError, or what a missing program raises
                return False
        return True


def extensions() -> list[Extension]:
    import generate_cython
    import numpy
    from Cython.Build import cythonize

    generate_cython.generate(GENERATED)
    backend = Path("fastact", "cython_backend")
    modules = [
        Extension(
            "fastact.cython_backend._core",
            [str(backend / "_core.pyx")],
            include_dirs=[numpy.get_include()],
            # Not a build of NumPy 1: keep in step with the floor in pyproject.toml.
            define_macros=[("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"),
                           ("NPY_TARGET_VERSION", "NPY_2_0_API_VERSION")],
        ),
        Extension(
            "fastact.cython_backend._loops",
            [str(GENERATED / "_loops.pyx")],
            include_dirs=[str(GENERATED)],
            depends=[*map(str, backend.glob("*.pxi")), str(GENERATED / "coefficients.h")],
        ),
    ]  # fmt: skip
    checks = switch("FASTACT_CYTHON_DEBUG")
    return cythonize(
        modules,
        include_path=[str(backend)],
        build_dir=str(GENERATED),
        compiler_directives={
            "language_level": 3,
            "boundscheck": checks,
            "initializedcheck": checks,
            "nonecheck": checks,
            "wraparound": False,
            "cdivision": True,
            "cpow": True,
            "binding": True,
        },
    )


if switch("FASTACT_NO_EXTENSION"):
    print("fastact: FASTACT_NO_EXTENSION=1: building the pure-Python package", flush=True)
    setup()
else:
    setup(ext_modules=extensions(), cmdclass={"build_ext": BuildExtension})
