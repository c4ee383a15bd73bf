"""A network in plain NumPy whose forward and backward steps call fastact, and its training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_digits  # type: ignore[import-untyped]
from sklearn.model_selection import train_test_split  # type: ignore[import-untyped]

from fastact import Activation

HIDDEN_LAYERS = (64,) * 6
BATCH_SIZE = 32
LEARNING_RATE = 0.01
MOMENTUM = 0.9
#: The training error of the claim that relu is six times faster.
ERROR, LOOK_EVERY = 0.25, 5

Array = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]
Indices = npt.NDArray[np.int64]


class Digits(NamedTuple):
    """Handwritten digits, 8 x 8 pixels: one image per row."""

    train_images: Array
    train_labels: Labels
    test_images: Array
    test_labels: Labels


def digits(seed: int) -> Digits:
    """Return the scans that scikit-learn ships, a quarter of every digit held out for testing.

    Pixels are scaled to [0, 1], less their mean over the training images.
    """
    images, labels = load_digits(return_X_y=True)
    train_images, test_images, train_labels, test_labels = train_test_split(
        (images / 16).astype(np.float32),
        labels.astype(np.int64),
        test_size=0.25,
        stratify=labels,
        random_state=seed,
    )
    mean = train_images.mean(axis=0)
    return Digits(train_images - mean, train_labels, test_images - mean, test_labels)


class Stopwatch:
    """Adds up the time spent in its ``with`` blocks."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __enter__(self) -> None:
        self._start = perf_counter()

    def __exit__(self, *exception: object) -> None:
        self.seconds += perf_counter() - self._start


# --- the network -------------------------------------------------------------------------------


def he_normal(fan_in: int, fan_out: int, rng: np.random.Generator) -> Array:
    weight = rng.standard_normal((fan_in, fan_out), np.float32)
    return weight * np.float32(np.sqrt(2 / fan_in))


def glorot_uniform(fan_in: int, fan_out: int, rng: np.random.Generator) -> Array:
    limit = np.sqrt(6 / (fan_in + fan_out))
    return rng.uniform(-limit, limit, (fan_in, fan_out)).astype(np.float32)


#: He's initialisation makes up for the half that relu cuts off; for the others, Glorot's is usual.
INITIALIZERS = {"relu": he_normal}


class Network:
    """A multilayer perceptron: linear layers with one activation between them."""

    def __init__(
        self, sizes: tuple[int, ...], activation: Activation, rng: np.random.Generator
    ) -> None:
        initializer = INITIALIZERS.get(activation.name, glorot_uniform)
        self.activation = activation
        self.weights = [initializer(*fans, rng) for fans in pairwise(sizes)]
        self.biases = [np.zeros(size, np.float32) for size in sizes[1:]]
        self.in_activations = Stopwatch()

    def logits(self, images: Array) -> Array:
        """Run inference: nothing is kept, so each activation overwrites its input."""
        hidden = images
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            z = hidden @ weight + bias
            hidden = self.activation(z, out=z)
        return hidden @ self.weights[-1] + self.biases[-1]

    def gradients(self, images: Array, labels: Labels) -> tuple[float, list[Array], list[Array]]:
        """Return the mean loss and its gradients for the weights and the biases."""
        inputs, preactivations = [images], []
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            z = inputs[-1] @ weight + bias
            with self.in_activations:
                y = self.activation(z)
            preactivations.append(z)
            inputs.append(y)
        loss, grad = cross_entropy(inputs[-1] @ self.weights[-1] + self.biases[-1], labels)

        weight_gradients, bias_gradients = [inputs[-1].T @ grad], [grad.sum(axis=0)]
        while preactivations:
            grad = grad @ self.weights[len(preactivations)].T
            with self.in_activations:
                self.activation.backward(grad, preactivations.pop(), out=grad)
            weight_gradients.insert(0, inputs[len(preactivations)].T @ grad)
            bias_gradients.insert(0, grad.sum(axis=0))
        return loss, weight_gradients, bias_gradients


def cross_entropy(logits: Array, labels: Labels) -> tuple[float, Array]:
    """Return the mean cross-entropy of softmax(logits), and its gradient for the logits."""
    rows = np.arange(len(labels))
    log_softmax = logits - logits.max(axis=1, keepdims=True)
    log_softmax -= np.log(np.exp(log_softmax).sum(axis=1, keepdims=True))
    grad = np.exp(log_softmax)
    grad[rows, labels] -= 1
    grad /= np.float32(len(labels))
    return float(-log_softmax[rows, labels].mean()), grad


def accuracy(network: Network, images: Array, labels: Labels) -> float:
    """Return the share of the images that the network recognises."""
    return float((network.logits(images).argmax(axis=1) == labels).mean())


# --- training ----------------------------------------------------------------------------------


@dataclass
class Run:
    """A network, and what its training showed."""

    network: Network
    #: Mean training loss, and accuracy on the test images, of every epoch.
    losses: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    #: Euclidean norm of the gradient of each layer's weights: mean over the first epoch.
    gradient_norms: list[float] = field(default_factory=list)
    #: Updates until the training error was ERROR or less, looked at every LOOK_EVERY updates.
    updates_to_error: int | None = None
    seconds: float = 0.0

    @property
    def name(self) -> str:
        return self.network.activation.name

    @property
    def seconds_in_activations(self) -> float:
        return self.network.in_activations.seconds

    @property
    def share_in_activations(self) -> float:
        return self.seconds_in_activations / self.seconds

    @property
    def gradient_ratio(self) -> float:
        """The first layer's gradient in the first epoch, relative to the last layer's."""
        return self.gradient_norms[0] / self.gradient_norms[-1]

    def epochs_to(self, target: float) -> int | None:
        """Return how many epochs it took to reach a test accuracy, or None."""
        return next((i for i, reached in enumerate(self.accuracies, 1) if reached >= target), None)


def train(
    activation: Activation,
    data: Digits,
    epochs: int,
    seed: int,
    after_epoch: Callable[[], Any] = lambda: None,
) -> Run:
    """Train a network by mini-batch gradient descent with momentum."""
    rng = np.random.default_rng(seed)
    n_classes = int(data.train_labels.max()) + 1
    sizes = (data.train_images.shape[1], *HIDDEN_LAYERS, n_classes)
    network = Network(sizes, activation, rng)
    velocities = [np.zeros_like(array) for array in (*network.weights, *network.biases)]
    run = Run(network)
    in_training = Stopwatch()
    updates = 0
    for _ in range(epochs):
        losses, norms = [], []
        for batch in batches(len(data.train_labels), rng):
            with in_training:
                loss, its_norms = _step(network, velocities, data, batch)
            losses.append(loss)
            norms.append(its_norms)
            updates += 1
            if run.updates_to_error is None and updates % LOOK_EVERY == 0:
                error = 1 - accuracy(network, data.train_images, data.train_labels)
                run.updates_to_error = updates if error <= ERROR else None
        run.losses.append(float(np.mean(losses)))
        run.accuracies.append(accuracy(network, data.test_images, data.test_labels))
        run.gradient_norms = run.gradient_norms or np.mean(norms, axis=0).tolist()
        after_epoch()
    run.seconds = in_training.seconds
    return run


def _step(
    network: Network, velocities: list[Array], data: Digits, batch: Indices
) -> tuple[float, list[float]]:
    """Return the loss before the step, and the norm of each layer's gradient."""
    loss, weight_gradients, bias_gradients = network.gradients(
        data.train_images[batch], data.train_labels[batch]
    )
    norms = [float(np.linalg.norm(gradient)) for gradient in weight_gradients]
    parameters = [*network.weights, *network.biases]
    descend(parameters, velocities, [*weight_gradients, *bias_gradients], LEARNING_RATE)
    return loss, norms


def batches(n_images: int, rng: np.random.Generator) -> Iterator[Indices]:
    """Yield the indices of the batches of one epoch, in a new order."""
    order = rng.permutation(n_images)
    for start in range(0, n_images, BATCH_SIZE):
        yield order[start : start + BATCH_SIZE]


def descend(
    parameters: list[Array], velocities: list[Array], gradients: list[Array], rate: float
) -> None:
    """Take one step of gradient descent with momentum."""
    for parameter, velocity, gradient in zip(parameters, velocities, gradients, strict=True):
        velocity *= MOMENTUM
        velocity -= rate * gradient
        parameter += velocity
