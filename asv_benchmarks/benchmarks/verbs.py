"""Time of a call: every activation, backend, dtype, size and number of threads."""

from __future__ import annotations

from typing import Any

from asv_runner.benchmarks.mark import SkipNotImplemented

from . import common


class _Verb:
    version = "1"
    unit = "seconds"
    timeout = 300
    params = (common.ACTIVATIONS, common.BACKENDS, common.DTYPES, tuple(common.SIZES), (1, 2))
    param_names = ("activation", "backend", "dtype", "size", "threads")

    def call(self, name: str, dtype: str, size: str) -> common.Call:
        """Return what is timed; each subclass has its own."""
        raise NotImplementedError

    def track_time(self, name: str, backend: str, dtype: str, size: str, threads: int) -> Any:
        if threads > 1 and size in ("L1", "L2"):
            raise SkipNotImplemented("too small to be split among threads")
        if backend == "numpy" and (threads > 1 or size in ("L3", "memory")):
            raise SkipNotImplemented("the reference is serial, and not made for large arrays")
        with common.settings(backend, threads):
            return common.seconds_of(self.call(name, dtype, size))


class Forward(_Verb):
    def call(self, name: str, dtype: str, size: str) -> common.Call:
        return common.forward(name, common.inputs(dtype, size))


class Backward(_Verb):
    def call(self, name: str, dtype: str, size: str) -> common.Call:
        x, g = common.inputs(dtype, size), common.inputs(dtype, size, seed=1)
        return common.backward(name, x, g)


class ValueAndGrad(_Verb):
    def call(self, name: str, dtype: str, size: str) -> common.Call:
        return common.value_and_grad(name, common.inputs(dtype, size))
