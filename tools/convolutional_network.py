"""The network of docs/relu.md: convolutions in plain NumPy, activations of fastact, no framework.

A convolution is a product of matrices, as a dense layer is: each row is one patch of an image.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from fastact import Activation
from fastact.demo.network import Array, Labels, cross_entropy

#: Pixels on a side of the patches.
KERNEL = 3


class Convolution:
    """3 x 3 pixels, without padding. Images are arrays of shape (n, height, width, channels)."""

    def __init__(self, channels: int) -> None:
        self.size = channels

    @staticmethod
    def rows(x: Array) -> Array:
        """Return the patches, (n, height - 2, width - 2, 9 channels)."""
        patches = sliding_window_view(x, (KERNEL, KERNEL), axis=(1, 2))
        return patches.reshape(*patches.shape[:3], -1)

    @staticmethod
    def fold(grad_rows: Array, shape: tuple[int, ...]) -> Array:
        """Return the gradient of the images from that of the patches."""
        n, height, width, _ = grad_rows.shape
        grad_rows = grad_rows.reshape(n, height, width, -1, KERNEL, KERNEL)
        grad = np.zeros(shape, grad_rows.dtype)
        for i in range(KERNEL):
            for j in range(KERNEL):
                grad[:, i : i + height, j : j + width] += grad_rows[..., i, j]
        return grad


class Dense:
    def __init__(self, size: int) -> None:
        self.size = size

    @staticmethod
    def rows(x: Array) -> Array:
        return x.reshape(len(x), -1)

    @staticmethod
    def fold(grad_rows: Array, shape: tuple[int, ...]) -> Array:
        return grad_rows.reshape(shape)


Layer = Convolution | Dense


class Network:
    """Layers with one activation between them; the last layer gives the logits.

    Weights are normal, with the standard deviation gain / sqrt(inputs of a unit); biases are 0.
    """

    def __init__(
        self,
        layers: tuple[Layer, ...],
        activation: Activation,
        gain: float,
        image: Array,
        rng: np.random.Generator,
    ) -> None:
        self.layers = layers
        self.activation = activation
        self.weights: list[Array] = []
        self.biases: list[Array] = []
        x = image[np.newaxis]
        for layer in layers:
            rows = layer.rows(x)
            fan_in = rows.shape[-1]
            weight = rng.standard_normal((fan_in, layer.size), np.float32)
            self.weights.append(weight * np.float32(gain / math.sqrt(fan_in)))
            self.biases.append(np.zeros(layer.size, np.float32))
            x = rows @ self.weights[-1]

    @property
    def parameters(self) -> list[Array]:
        return [*self.weights, *self.biases]

    def logits(self, images: Array) -> Array:
        return self._forward(images)[0]

    def gradients(self, images: Array, labels: Labels) -> list[Array]:
        """Return the gradients of the mean cross-entropy for the parameters, in their order."""
        logits, inputs, kept_rows, preactivations = self._forward(images)
        _, grad = cross_entropy(logits, labels)
        weight_gradients, bias_gradients = [], []
        for i in reversed(range(len(self.layers))):
            rows, flat = kept_rows[i], grad.reshape(-1, grad.shape[-1])
            weight_gradients.insert(0, rows.reshape(-1, rows.shape[-1]).T @ flat)
            bias_gradients.insert(0, flat.sum(axis=0))
            if i > 0:
                grad = self.layers[i].fold(grad @ self.weights[i].T, inputs[i].shape)
                self.activation.backward(grad, preactivations[i - 1], out=grad)
        return [*weight_gradients, *bias_gradients]

    def _forward(self, images: Array) -> tuple[Array, list[Any], list[Any], list[Any]]:
        """Return the logits, and of each layer the input, its rows and their products."""
        inputs, kept_rows, products = [images], [], []
        for layer, weight, bias in zip(self.layers, self.weights, self.biases, strict=True):
            kept_rows.append(layer.rows(inputs[-1]))
            products.append(kept_rows[-1] @ weight + bias)
            inputs.append(self.activation(products[-1]))
        return products[-1], inputs[:-1], kept_rows, products
