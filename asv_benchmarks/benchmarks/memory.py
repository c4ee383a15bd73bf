"""Memory that a large call needs."""

from __future__ import annotations

import numpy as np

from . import common

_COUNT = common.SIZES["memory"] // 4


class LargeCall:
    """The peak of a process that makes one call on 64 MiB: 128 MiB and the interpreter at best."""

    version = "1"
    params = (("relu", "gelu"), common.BACKENDS, ("new", "out", "in place"))
    param_names = ("activation", "backend", "output")

    def peakmem_forward(self, name: str, backend: str, output: str) -> None:
        x = np.ones(_COUNT, np.float32)
        out = {"new": None, "out": np.empty_like(x), "in place": x}[output]
        with common.settings(backend):
            common.activation(name)(x, out=out)
