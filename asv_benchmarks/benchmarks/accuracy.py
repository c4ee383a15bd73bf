"""The largest error of each function, the twin of its time: speed must not be bought with it."""

from __future__ import annotations

import csv
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from asv_runner.benchmarks.mark import SkipNotImplemented

import fastact as fa

from . import common

# Correctly rounded results, from mpmath: of the checkout, whatever version is measured.
_TABLES = Path(__file__).resolve().parents[2] / "tests" / "validation_set"
# These have the kernels of leaky_relu, and its table.
_AS_LEAKY_RELU = {"prelu": {"weight": 0.01}, "rrelu": {"slopes": 0.01}}
_SMALLEST_NORMAL = {"float32": 2.0**-126, "float64": 2.0**-1022}


class MaxUlp:
    """In units in the last place of the correctly rounded result, where that is normal."""

    version = "1"
    unit = "ulp"
    params = (
        common.ACTIVATIONS, common.BACKENDS, common.DTYPES, ("fast", "faithful"), ("f", "f'"),
    )  # fmt: skip
    param_names = ("activation", "backend", "dtype", "precision", "function")

    def track_max_ulp(
        self, name: str, backend: str, dtype: str, precision: str, function: str
    ) -> float:
        f = common.activation(name)
        verb = f if function == "f" else f.grad
        x, truth = _table("leaky_relu" if name in _AS_LEAKY_RELU else name, function, dtype)
        parameters = _AS_LEAKY_RELU.get(name) or dict(
            zip((p.name for p in f.parameters), common.PARAMETERS.get(name, ()), strict=False)
        )
        with ExitStack() as stack:
            stack.enter_context(common.settings(backend))
            if hasattr(fa, "use_precision"):
                stack.enter_context(fa.use_precision(precision))
            elif precision == "fast":
                raise SkipNotImplemented("this version has one precision, which is faithful")
            result = verb(x, **parameters)
        return _largest_error(result, truth, dtype)


def _table(name: str, function: str, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    suffix = "" if function == "f" else "-grad"
    path = _TABLES / f"fastact-validation-set-{name}{suffix}.csv"
    with path.open(encoding="utf-8") as lines:
        rows = [row for row in csv.reader(lines) if row[0] == f"np.{dtype}"]
    unsigned = f"u{np.dtype(dtype).itemsize}"
    x, y = (np.array([int(row[i], 16) for row in rows], unsigned).view(dtype) for i in (1, 2))
    return x, y


def _largest_error(result: np.ndarray, truth: np.ndarray, dtype: str) -> float:
    """Return the largest error, infinity where NaN or an infinity is wrong."""
    # The smallest normal number may stand for a subnormal result, which has a bound of its own.
    normal = np.isfinite(truth) & (np.abs(truth) > _SMALLEST_NORMAL[dtype])
    beyond = ~np.isfinite(truth)
    if not np.array_equal(result[beyond], truth[beyond], equal_nan=True):
        return float("inf")
    wide = np.longdouble
    errors = np.abs(result[normal].astype(wide) - truth[normal].astype(wide))
    _, exponents = np.frexp(truth[normal])
    ulps = np.ldexp(wide(1), exponents - np.finfo(dtype).nmant - 1)
    return float(np.max(errors / ulps, initial=0))
