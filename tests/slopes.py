"""Gradients of a loss, held against its central differences."""

from __future__ import annotations

import pytest


def assert_slopes(gradients, parameters, loss, rng):
    """Move some elements of each parameter, in place and back, and compare."""
    step = 1e-6
    for parameter, gradient in zip(parameters, gradients, strict=True):
        assert parameter.shape == gradient.shape
        for index in rng.integers(parameter.size, size=5):
            value = parameter.flat[index]
            losses = []
            for moved in (value + step, value - step):
                parameter.flat[index] = moved
                losses.append(loss())
            parameter.flat[index] = value
            slope = (losses[0] - losses[1]) / (2 * step)
            assert gradient.flat[index] == pytest.approx(slope, rel=1e-4, abs=1e-8)
