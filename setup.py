"""Build the Cython extension; all static metadata is in pyproject.toml.

Environment variables, each 0 or 1; an empty one counts as unset:

FASTACT_NO_EXTENSION   install without the extension (NumPy and Numba backends only)
FASTACT_CYTHON_DEBUG   build with bounds and other checks
"""

from __future__ import annotations

import os
import sys
import tempfile
from itertools import takewhile
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "tools"))

BACKEND = Path("fastact", "cython_backend")
GENERATED = Path("build", "generated")
LOOPS = "_loops_"
#: Generated, and a part of every installation with the extension: it names the compiled modules.
MANIFEST = Path("fastact", "_build.py")


def switch(name: str) -> bool:
    value = os.environ.get(name) or "0"
    if value not in ("0", "1"):
        raise SystemExit(f"environment variable {name} must be 0 or 1, got {value!r}")
    return value == "1"


MSVC_FLAGS = ["/O2", "/fp:precise"]

# The levels of x86-64 for which the loops are built; _core.pyx asks the processor for the very
# features that the flags name. 512-bit vectors: 10% to 30% faster than 256 (Zen 4, Xeon 8488C),
# and not what gcc prefers by itself.
LEVELS = {
    "baseline": [],
    "v3": ["-mavx2", "-mfma", "-mf16c"],
    "v4": [
        "-mavx2", "-mfma", "-mf16c", "-mavx512f", "-mavx512cd", "-mavx512bw", "-mavx512dq",
        "-mavx512vl", "-mprefer-vector-width=512",
    ],
}  # fmt: skip
X86_PROGRAM = """
#if !defined(__x86_64__)
#error "another processor"
#endif
int fastact_probe(void) { return __builtin_cpu_supports("avx512vl"); }
"""

PROGRAM = "int fastact_probe(void) { return 0; }\n"

# A loop with a call in it is not vectorised, and gcc declines to inline the larger kernels, and the
# polynomials where a function has several loops. So all that loops are made of is CYTHON_INLINE.
GCC_ALWAYS_INLINE = "-DCYTHON_INLINE=inline __attribute__((always_inline))"
MSVC_ALWAYS_INLINE = "/DCYTHON_INLINE=__forceinline"

NO_COMPILER = (
    "fastact: no working C compiler was found, and the Cython backend needs one: see the error "
    "above, check CC, CFLAGS and LDFLAGS, and install a C compiler (for example gcc and the Python "
    "headers), or set FASTACT_NO_EXTENSION=1 to install the pure-Python package with the NumPy and "
    "Numba backends."
)
LOOSE_ARITHMETIC = (
    "fastact: the compiler does not compute as IEEE 754 says, or does not take the flags that make "
    "it do so: see the error above, and remove -ffast-math, -Ofast and the like from CC and CFLAGS."
)


class BuildPython(build_py):
    """Leaves the list of compiled modules, which an earlier build left beside the sources, alone.

    An installation without the extension must not have it.
    """

    def find_package_modules(self, package: str, package_dir: str) -> list[tuple[str, str, str]]:
        modules = super().find_package_modules(package, package_dir)
        return [module for module in modules if Path(module[2]).name != MANIFEST.name]


class BuildExtension(build_ext):
    """Translates the modules, and adds the flags that the compiler at hand understands."""

    def build_extensions(self) -> None:
        is_msvc = self.compiler.compiler_type == "msvc"
        flags, link_flags = (MSVC_FLAGS, []) if is_msvc else self.strict_flags()
        if not self.compiles("#include <Python.h>\n" + PROGRAM, flags):
            raise SystemExit(NO_COMPILER)
        if not self.compiles((BACKEND / "strict_arithmetic.h").read_text() + PROGRAM, flags):
            raise SystemExit(LOOSE_ARITHMETIC)
        for extension in self.extensions:
            extension.extra_compile_args += flags
            # -pthread: pthread_atfork is not in libc itself before glibc 2.34. -lm: fesetenv.
            own_link_flags = [] if is_msvc else ["-pthread", "-lm", *flags, *link_flags]
            extension.extra_link_args += own_link_flags
            if LOOPS in extension.name:
                extension.extra_compile_args += LEVELS[extension.name.split(LOOPS)[1]]
                extension.extra_compile_args.append(
                    MSVC_ALWAYS_INLINE if is_msvc else GCC_ALWAYS_INLINE
                )
        self.extensions = list(filter(self.is_for_this_processor, self.extensions))
        self.parallel = os.cpu_count()
        super().build_extensions()

    def strict_flags(self) -> tuple[list[str], list[str]]:
        """Return our flags, and those for linking only, to be put after those of the user."""
        import compiler_flags

        words = takewhile(lambda word: not word.startswith("-"), self.compiler.compiler_so)
        compiler = list(words)
        flags = compiler_flags.accepted(compiler, compiler_flags.FLAGS)
        for_x86 = compiler_flags.accepted(compiler, compiler_flags.X86)
        if self.compiles(X86_PROGRAM, for_x86):
            flags += for_x86
        given = {*self.compiler.compiler_so, *self.compiler.linker_so}
        if given & compiler_flags.X87_PRECISIONS:
            flags.append(compiler_flags.X87_DEFAULT)
        return flags, compiler_flags.accepted(compiler, compiler_flags.LINK_FLAGS)

    def is_for_this_processor(self, extension: Extension) -> bool:
        level = extension.name.rpartition(LOOPS)[2]
        return not LEVELS.get(level) or self.compiles(X86_PROGRAM, LEVELS[level])

    def run(self) -> None:
        # Not before: metadata and lists of files, which pip asks for first, need no C code.
        translate(self.extensions)
        super().run()
        # Python started in the checkout imports the checkout, not what was installed; so that it
        # finds the extension there too, leave a copy beside the sources.
        if not self.inplace:
            self.copy_extensions_to_source()
            self.write_manifest(Path(self.build_lib))
        self.write_manifest(Path())

    def write_manifest(self, directory: Path) -> None:
        modules = tuple(extension.name for extension in self.extensions)
        text = f'"""The compiled modules of this installation."""\n\nMODULES = {modules!r}\n'
        Path(directory, MANIFEST).write_text(text)

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
    import numpy

    driver = Path("fastact", "driver")
    modules = [
        Extension(
            f"fastact.driver.{name}",
            [str(driver / f"{name}.pyx")],
            include_dirs=[numpy.get_include(), str(driver)],
            depends=[str(driver / header) for header in headers],
            # Not a build of NumPy 1: keep in step with the floor in pyproject.toml.
            define_macros=[
                ("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"),
                ("NPY_TARGET_VERSION", "NPY_2_0_API_VERSION"),
            ],
        )
        for name, headers in (
            (
                "_core",
                (
                    "threads.h",
                    "floating_point.h",
                    "streaming.h",
                    "strides.h",
                    "sixteen.h",
                    "integers.h",
                ),
            ),
            ("_memory", ("buffer_pool.h",)),
        )
    ]
    modules += [
        Extension(
            f"fastact.cython_backend.{LOOPS}{level}",
            [str(GENERATED / f"{LOOPS}{level}.pyx")],
            include_dirs=[str(GENERATED), str(BACKEND)],
            depends=[
                *map(str, BACKEND.glob("*.pxi")),
                *map(str, BACKEND.glob("*.h")),
                str(GENERATED / "coefficients.h"),
            ],
        )
        for level in LEVELS
    ]
    return modules


def translate(modules: list[Extension]) -> None:
    """Write the C code of the modules, which becomes their source."""
    import generate_cython
    from Cython.Build import cythonize

    generate_cython.generate(GENERATED, [LOOPS + level for level in LEVELS])
    checks = switch("FASTACT_CYTHON_DEBUG")
    translated = cythonize(
        modules,
        include_path=[str(BACKEND)],
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
    for module, c_module in zip(modules, translated, strict=True):
        module.sources = c_module.sources


if switch("FASTACT_NO_EXTENSION"):
    print("fastact: FASTACT_NO_EXTENSION=1: building the pure-Python package", flush=True)
    setup(cmdclass={"build_py": BuildPython})
else:
    setup(
        ext_modules=extensions(),
        cmdclass={"build_py": BuildPython, "build_ext": BuildExtension},
    )
