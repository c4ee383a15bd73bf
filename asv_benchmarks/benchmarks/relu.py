"""ReLU beside what it should keep up with: ratios of times, measured in turn in one process.

The speed of the machine cancels, so that a step in one of these series means something. The limit
of ``OverMemcpy`` is 1.0: relu reads and writes what memcpy does. ``OverExponential`` answers the
old claim that relu is six times faster than functions with an exponential.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from asv_runner.benchmarks.mark import SkipNotImplemented

from . import common

VERBS = ("forward", "backward")


def _call(verb: str, name: str, size: str) -> common.Call:
    x = common.inputs("float32", size)
    if verb == "forward":
        return common.forward(name, x)
    return common.backward(name, x, common.inputs("float32", size, seed=1))


def _memcpy(verb: str, size: str) -> common.Call:
    """Return a call that copies as many bytes as the verb reads and writes."""
    count = common.SIZES[size] // 4
    if verb == "backward":  # two arrays read, one written: half as many again
        count += count // 2
    source, target = np.ones(count, np.float32), np.zeros(count, np.float32)
    return lambda: np.copyto(target, source)


class OverMemcpy:
    version = "1"
    unit = "times memcpy"
    params = (VERBS, common.BACKENDS, tuple(common.SIZES))
    param_names = ("verb", "backend", "size")

    def track_ratio(self, verb: str, backend: str, size: str) -> Any:
        with common.settings(backend):
            return common.ratio_of(_call(verb, "relu", size), _memcpy(verb, size))


class OverExponential:
    version = "1"
    unit = "times the other"
    timeout = 300
    params = (VERBS, ("sigmoid", "tanh", "softplus", "gelu"), common.BACKENDS, tuple(common.SIZES))
    param_names = ("verb", "other", "backend", "size")

    def track_ratio(self, verb: str, other: str, backend: str, size: str) -> Any:
        with common.settings(backend):
            return common.ratio_of(_call(verb, "relu", size), _call(verb, other, size))


class OverMaximum:
    version = "1"
    unit = "times np.maximum"
    params = (("scalar", "array"), common.BACKENDS, tuple(common.SIZES))
    param_names = ("operand", "backend", "size")

    def track_ratio(self, operand: str, backend: str, size: str) -> Any:
        x = common.inputs("float32", size)
        out = np.zeros_like(x)
        zero = np.float32(0) if operand == "scalar" else np.zeros_like(x)
        with common.settings(backend):
            return common.ratio_of(common.forward("relu", x), lambda: np.maximum(x, zero, out=out))


class OverTorch:
    """Each as its users call it: with a new output."""

    version = "1"
    unit = "times PyTorch"
    params = (VERBS, tuple(common.SIZES), (1, 2))
    param_names = ("verb", "size", "threads")

    def track_ratio(self, verb: str, size: str, threads: int) -> Any:
        try:
            import torch
        except ImportError:
            raise SkipNotImplemented("PyTorch is not installed") from None
        torch.set_num_threads(threads)
        relu = common.activation("relu")
        x, g = common.inputs("float32", size), common.inputs("float32", size, seed=1)
        torch_x, torch_g = torch.from_numpy(x), torch.from_numpy(g)
        with common.settings("cython", threads), torch.inference_mode():
            if verb == "forward":
                return common.ratio_of(lambda: relu(x), lambda: torch.relu(torch_x))
            return common.ratio_of(
                lambda: relu.backward(g, x),
                lambda: torch.ops.aten.threshold_backward(torch_g, torch_x, 0),
            )
