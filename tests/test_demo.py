"""The demo: the network and its gradients, what is drawn and what is said."""

import re
import subprocess
import sys

import numpy as np
import pytest
from slopes import assert_slopes

import fastact as fa

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")
pytest.importorskip("rich")

from fastact import demo
from fastact.demo import inference, kernels, network, pictures, report

EPOCHS = 4
COMPARISON = kernels.Comparison(
    8192, {"relu": 1.0, "sigmoid": 5.5, "tanh": 6.04, "softplus": 7.0, "gelu": 20.0}
)


@pytest.fixture(scope="module")
def data():
    return network.digits(seed=0)


@pytest.fixture(scope="module")
def runs(data):
    return [network.train(activation, data, EPOCHS, seed=0) for activation in demo.ACTIVATIONS]


@pytest.fixture(scope="module")
def checks(data, runs):
    # Half of the images, so that the arrays are smaller than the grain of threads.
    return [inference.check(run.network, data.test_images[::2], "numpy") for run in runs]


# --- the network -------------------------------------------------------------------------------


def test_a_quarter_of_every_digit_is_held_out(data):
    assert data.train_images.dtype == data.test_images.dtype == np.float32
    assert data.train_images.shape == (1347, 64)
    assert data.test_images.shape == (450, 64)
    train, test = np.bincount(data.train_labels), np.bincount(data.test_labels)
    np.testing.assert_allclose(test / (train + test), 0.25, atol=0.01)
    assert not {image.tobytes() for image in data.train_images} & {
        image.tobytes() for image in data.test_images
    }


def test_other_seeds_give_other_splits(data):
    np.testing.assert_array_equal(network.digits(seed=0).test_labels, data.test_labels)
    assert (network.digits(seed=1).test_labels != data.test_labels).any()


@pytest.mark.parametrize("name", ["relu", "sigmoid", "tanh", "gelu"])
def test_gradients_are_the_slopes_of_the_loss(name, data):
    """Central differences of the loss in float64, for some weights and biases of each layer."""
    rng = np.random.default_rng(0)
    trained = network.Network((64, 8, 8, 10), fa.get(name), rng)
    trained.weights = [weight.astype(np.float64) for weight in trained.weights]
    trained.biases = [0.1 * rng.standard_normal(bias.shape) for bias in trained.biases]
    images, labels = data.train_images[:20].astype(np.float64), data.train_labels[:20]
    _, of_weights, of_biases = trained.gradients(images, labels)

    def loss():
        return trained.gradients(images, labels)[0]

    parameters = [*trained.weights, *trained.biases]
    assert_slopes([*of_weights, *of_biases], parameters, loss, rng)


def test_inference_is_the_forward_step_of_training(data):
    trained = network.Network((64, 8, 10), fa.tanh, np.random.default_rng(0))
    images, labels = data.train_images[:20], data.train_labels[:20]
    before = images.copy()
    loss, _ = network.cross_entropy(trained.logits(images), labels)
    assert loss == trained.gradients(images, labels)[0]
    np.testing.assert_array_equal(images, before)


def test_initial_weights_have_the_stated_spread():
    rng = np.random.default_rng(0)
    he, glorot = network.he_normal(400, 100, rng), network.glorot_uniform(400, 100, rng)
    assert he.dtype == glorot.dtype == np.float32
    assert he.std() == pytest.approx(np.sqrt(2 / 400), rel=0.02)
    assert glorot.std() == pytest.approx(np.sqrt(2 / 500), rel=0.02)
    assert abs(glorot).max() <= np.sqrt(6 / 500)


def test_training_is_reproducible(data, runs):
    again = network.train(fa.relu, data, EPOCHS, seed=0)
    assert again.losses == runs[0].losses
    assert again.accuracies == runs[0].accuracies


def test_relu_and_tanh_learn_and_the_gradient_of_sigmoid_vanishes(runs):
    relu, sigmoid, tanh = runs
    for run in (relu, tanh):
        assert run.losses[-1] < 0.3 < run.losses[0]
        assert run.accuracies[-1] > 0.9
        assert 0.1 < run.gradient_ratio < 10
    assert sigmoid.gradient_ratio < 1e-3
    assert sigmoid.gradient_norms[0] < 1e-3 * relu.gradient_norms[0]


def test_time_in_activations_is_part_of_the_time(runs):
    for run in runs:
        assert 0 < run.seconds_in_activations < run.seconds


def test_epochs_to_counts_from_one():
    run = network.Run(network=None, accuracies=[0.5, 0.91, 0.89, 0.95])
    assert [run.epochs_to(target) for target in (0.5, 0.9, 0.95, 0.99)] == [1, 2, 4, None]


def test_updates_are_counted_to_the_training_error_of_the_claim(data, runs):
    relu, sigmoid, tanh = runs
    assert sigmoid.updates_to_error is None
    for run in (relu, tanh):
        assert run.updates_to_error % network.LOOK_EVERY == 0
        assert 0 < run.updates_to_error <= EPOCHS * 43
        error = 1 - network.accuracy(run.network, data.train_images, data.train_labels)
        assert error < network.ERROR  # it was, and is still further down


# --- the backends ------------------------------------------------------------------------------


def test_backends_are_available_or_have_a_reason(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    available, missing = inference.backends()
    assert "numpy" in available
    assert set(available) | set(missing) == {"cython", "numba", "numpy"}
    assert "pip install 'fastact[numba]'" in missing["numba"]
    assert any(
        "numba is skipped" in note and "pip install" in note for note in report.notes([], missing)
    )


def test_every_backend_predicts_the_same(backend, runs, data):
    for run in runs:
        check = inference.check(run.network, data.test_images[:100], backend)
        assert check.agrees
        assert check.largest_difference < 1e-4
        assert check.best_seconds > 0


def test_a_difference_between_backends_is_found():
    class Fickle:
        activation = fa.relu

        def logits(self, images):
            return images if fa.get_backend() == "numpy" else images[:, ::-1]

    images = np.float32([[1, 1, 5], [1, 5, 1]])
    check = inference.check(Fickle(), images, "auto")
    assert not check.agrees
    assert (check.n_same_predictions, check.n_images) == (1, 2)
    assert check.largest_difference == 4


def test_a_backend_that_differs_is_told_and_fails_the_demo(
    monkeypatch, tmp_path, capsys, runs, checks
):
    monkeypatch.setattr(network, "train", lambda activation, *others: runs[0])
    monkeypatch.setattr(inference, "backends", lambda: (["cython"], {}))
    wrong = checks[0]._replace(backend="cython", n_same_predictions=3)
    monkeypatch.setattr(inference, "check", lambda *arguments: wrong)
    monkeypatch.setattr(kernels, "compare", lambda size: COMPARISON)
    assert not demo.run(tmp_path, EPOCHS, seed=0)
    assert "THE BACKENDS DIFFER" in capsys.readouterr().out


# --- is relu six times faster? ---------------------------------------------------------------


@pytest.mark.parametrize("size", [1 << 8, 1 << 21])
def test_times_are_compared_with_those_of_relu(size, monkeypatch):
    monkeypatch.setattr(kernels, "SECONDS", 0.0)
    before = fa.get_num_threads()
    comparison = kernels.compare(size)
    assert fa.get_num_threads() == before
    assert comparison.n_bytes == 4 * size
    assert list(comparison.ratios) == [activation.name for activation in kernels.ACTIVATIONS]
    assert comparison.ratios["relu"] == 1
    assert all(ratio > 0 for ratio in comparison.ratios.values())


def test_both_readings_of_six_are_in_one_table(runs):
    table = report.six_table([COMPARISON, COMPARISON._replace(n_bytes=1 << 26)], runs)
    title, relu, sigmoid, tanh, softplus, gelu = (list(column.cells) for column in table.columns)
    assert "8 KiB" in title[0]
    assert "64 MiB" in title[1]
    assert relu == ["1.0", "1.0", str(runs[0].updates_to_error)]
    assert sigmoid == ["5.5", "5.5", "not reached"]
    assert tanh == ["6.0", "6.0", str(runs[2].updates_to_error)]
    assert gelu[:2] == ["20.0", "20.0"]
    assert softplus[2] == gelu[2] == ""  # these were not trained with


# --- words and pictures ------------------------------------------------------------------------


def test_words_follow_the_figures(runs, checks, data):
    relu, sigmoid, tanh, *_ = report.conclusions(runs, checks, data.test_labels)[1:]
    assert "reaches the first layer" in relu
    assert "reaches the first layer" in tanh
    assert f"1/{1 / runs[1].gradient_ratio:,.0f} of the last layer's" in sigmoid
    assert "naming one digit always" in sigmoid

    learned = network.Run(
        runs[1].network, accuracies=[0.9], gradient_norms=[1.0, 2.0], seconds=1000.0
    )
    told = report.conclusions([learned], checks, data.test_labels)
    assert "reaches the first layer with 50%" in told[1]
    assert "naming one digit always" not in told[1]


def test_a_target_that_is_not_reached_is_told(runs):
    table = report.training_table(runs, target=1.01)
    assert all("not reached" in set(column.cells) for column in table.columns[1:])


@pytest.mark.parametrize("name", fa.names())
def test_every_activation_can_be_drawn(name):
    activation = fa.get(name)
    figure = pictures.functions_and_derivatives(name, [activation])
    function, derivative = figure.axes
    assert activation.formula in function.get_legend().get_texts()[0].get_text()
    assert activation.derivative in derivative.get_legend().get_texts()[0].get_text()
    assert len(derivative.get_legend().get_texts()) == 1


def test_the_demo_from_end_to_end(tmp_path):
    """Without a terminal: lines of text, no control characters, and pictures."""
    process = subprocess.run(
        [sys.executable, "-m", "fastact", "demo", "--epochs", "2", "--output", "pictures"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert (process.returncode, process.stderr) == (0, "")
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", process.stdout)
    assert max(map(len, process.stdout.splitlines())) <= demo.WIDTH_OF_FILES
    for activation in demo.ACTIVATIONS:
        assert f"trained with {activation.name}: " in process.stdout
    assert "Is ReLU six times faster?" in process.stdout
    assert "docs/relu.md" in process.stdout
    files = sorted((tmp_path / "pictures").iterdir())
    assert len(files) == 5
    for file in files:
        assert f"pictures/{file.name}\n" in process.stdout.replace("\\", "/")
        assert file.read_bytes().startswith(b"\x89PNG")


def test_pictures_need_no_pyplot():
    script = "import sys; from fastact import demo; print('matplotlib.pyplot' in sys.modules)"
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True
    )
    assert process.stdout == "False\n"
