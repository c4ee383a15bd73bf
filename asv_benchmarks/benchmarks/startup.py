"""Before the first result: import, and compiling with Numba. Each time in a new interpreter."""

from __future__ import annotations


class Import:
    version = "1"
    rounds = 2
    repeat = 5
    number = 1
    warmup_time = 0

    def timeraw_fastact(self) -> str:
        return "import fastact"

    def timeraw_numpy(self) -> str:
        """What of it is NumPy's."""
        return "import numpy"


class FirstCall:
    """From the start of the interpreter to the first result; Numba with nothing on disk."""

    version = "1"
    rounds = 1
    repeat = 3
    number = 1
    warmup_time = 0
    timeout = 300
    params = (("relu", "gelu"), ("cython", "numba", "numpy"))
    param_names = ("activation", "backend")

    def timeraw_first_call(self, name: str, backend: str) -> str:
        return f"""
        import os, tempfile
        with tempfile.TemporaryDirectory() as directory:
            os.environ["NUMBA_CACHE_DIR"] = directory
            import fastact, numpy
            fastact.{name}(numpy.ones(16, "float32"), backend="{backend}")
        """
