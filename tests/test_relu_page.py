"""docs/relu.md says what was measured, and the network that is trained for it is right."""

from __future__ import annotations

import json
import math
import sys

import numpy as np
import pytest
from scripts import load_tool
from slopes import assert_slopes

import fastact as fa

pytest.importorskip("cpuinfo")
pytest.importorskip("matplotlib")
pytest.importorskip("rich")
pytest.importorskip("sklearn")

measure = load_tool("measure_relu")
page = load_tool("write_relu_page")
# The modules that these have imported.
networks, pictures, results = (
    sys.modules[name] for name in ("convolutional_network", "relu_pictures", "relu_results")
)

with_docs = pytest.mark.skipif(not page.PAGE.exists(), reason="there is no documentation here")
QUICK = {"sizes": (1 << 13, 1 << 14), "effort": measure.measure.Effort(0.0, 1, 1)}


def rows(**ratios):
    """Return cells of one kind, with the ratios of these activations."""
    common = {"source": "fastact", "direction": "forward", "threads": 1, "output": "out"}
    return [
        {**common, "activation": name, "bytes": 8192, "ratio": ratio}
        for name, ratio in ratios.items()
    ]


def race(relu, **others):
    """Return a race in which the activations took so many updates."""
    updates = {"relu": relu, **others}
    return results.Race("a network", 0.25, dict.fromkeys(updates, 0.1), updates, updates)


# --- the page ----------------------------------------------------------------------------------


@with_docs
def test_the_page_and_its_pictures_are_fresh(capsys):
    status = page.main(["--check"])
    assert status == 0, capsys.readouterr().out


@with_docs
def test_the_check_finds_a_stale_page_and_stale_pictures(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(page, "PAGE", tmp_path / "relu.md")
    monkeypatch.setattr(page, "PICTURES", tmp_path)
    assert page.main(["--check"]) == 1
    assert "python tools/write_relu_page.py" in capsys.readouterr().out
    assert page.main([]) == 0
    assert page.main(["--check"]) == 0

    picture = tmp_path / "kernels.svg"
    picture.write_text(picture.read_text().replace("sha256 ", "sha256 0"))
    assert page.main(["--check"]) == 1
    assert "kernels.svg; refresh" in capsys.readouterr().out


def test_ratios_are_told_by_their_size():
    findings = results.kernel_findings(
        rows(relu=1.0, sigmoid=6.5, tanh=5.0, softplus=1.1, gelu=40.0)
    )
    assert [finding.ratio for finding in results.SIX.of(findings)] == [6.5, 5.0]
    assert [finding.ratio for finding in results.ONE.of(findings)] == [1.1]
    assert [finding.ratio for finding in results.TWENTY.of(findings)] == [40.0]
    assert page.examples(results.LESS, [findings]) == "nowhere in these measurements"
    assert page.examples(results.ONE, [findings]) == (
        "1.1 (fastact, softplus forward, 8 KiB, warm, 1 thread)"
    )


def test_each_ratio_is_in_one_band():
    findings = [results.Finding(ratio, "") for ratio in [*np.geomspace(0.01, 100, 99), math.inf]]
    found = [finding for band in results.BANDS for finding in band.of(findings)]
    assert sorted(found) == sorted(findings)
    assert all(band.of(findings) for band in results.BANDS)


def test_races_are_told_by_their_updates():
    told = page.told(race([10, 12, 20], tanh=[12, 6, 4], sigmoid=[60, 84, math.inf]))
    assert told.startswith("A network, to 25% training error: tanh takes 0.50 times the updates")
    assert "sooner with 1 of 3 seeds; sigmoid takes 7.0 times the updates" in told
    assert "sigmoid arrives in 1 of 3 runs, relu in 3." in page.told(
        race([10, 12, 20], sigmoid=[60, math.inf, math.inf])
    )


def test_rates_at_an_end_of_what_was_tried_are_told():
    found = [race([10], tanh=[12])]
    assert page.edges(found, [0.01, 0.1, 1.0]) == "no best rate is at an end of what was tried"
    assert page.edges(found, [0.01, 0.1]).endswith(
        "for relu (a network, 25%) and tanh (a network, 25%)"
    )


# --- the measurements --------------------------------------------------------------------------


def test_what_is_measured_makes_a_page(tmp_path, monkeypatch):
    """In the smallest form, from the measurements to the files."""
    monkeypatch.setattr(measure, "ORDERS", 2)
    monkeypatch.setattr(measure, "RESOLUTION", 1.0)
    sources = [source._replace(backend="numpy", threads=(1,)) for source in measure.SOURCES[:2]]
    measured = {
        "kernels": measure.kernels(sources, **QUICK),
        "convergence": measure.convergence(
            measure.SETTINGS[:1], rates=(0.1, 1e9), tuning_seeds=(100,), seeds=(0, 1), most_epochs=1
        ),
    }
    for module in (results, pictures):
        monkeypatch.setattr(module, "RESULTS", tmp_path)
    monkeypatch.setattr(page, "PAGE", tmp_path / "relu.md")
    monkeypatch.setattr(page, "PICTURES", tmp_path)
    for name, found in measured.items():
        measure.write(tmp_path / f"{name}.json", found)
        assert results.load(name) == json.loads(json.dumps(found))
    assert page.main([]) == 0
    text = page.PAGE.read_text()
    assert "| fastact, 8 KiB |" in text
    assert f"fastact {fa.__version__}" in text
    for picture in pictures.PICTURES:
        assert f"](relu/{picture})" in text
        assert (tmp_path / picture).read_bytes().startswith(b"<?xml")

    cells = measured["kernels"]["cells"]
    assert {cell["activation"] for cell in cells} >= {"relu", "gelu", "tanh from x"}
    for cell in cells:
        low, high = cell["quartiles"]
        assert 0 < low <= cell["ratio"] <= high
    for run in measured["convergence"]["runs"]:
        assert run["rate"] == 0.1
        assert run["arrivals"] == sorted(run["arrivals"], key=lambda arrival: -arrival.error)


def test_settings_are_put_back():
    def settings():
        configuration = fa.show_config("dicts")
        return configuration["settings"], configuration["pool"].get("limit")

    before = settings()
    fresh = measure.Source("fastact", backend="numpy", outputs=("fresh",), threads=(2,))
    measure.kernels([fresh], **QUICK)
    assert settings() == before


def test_the_best_rate_arrives_soonest_and_most_often():
    tuning = [
        {"activation": "relu", "rate": rate, "updates": {"0.25": updates}}
        for rate, updates in {0.1: [50, 60], 0.2: [30, 40], 0.4: [10, None]}.items()
    ]
    assert measure._best_rate(tuning, "relu", 0.25, budget=800) == 0.2
    assert measure._best_rate(tuning, "relu", 0.25, budget=50) == 0.4


def test_training_is_reproducible_and_stops_at_the_target():
    data = measure.digits(seed=0)
    first, again = (
        measure.train(measure.SETTINGS[0], "tanh", data, 0.125, 0, 43, 0.5) for _ in range(2)
    )
    assert [arrival[:2] for arrival in first] == [arrival[:2] for arrival in again]
    assert first[-1].error == 0.5
    assert measure.train(measure.SETTINGS[0], "tanh", data, 1e-9, 0, 5, 0.5) == []


def test_wrong_arguments_are_answered_with_the_usage(capsys):
    assert measure.main(["kernel"]) == 2
    assert "measure_relu.py kernels" in capsys.readouterr().out


# --- the network -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["relu", "sigmoid", "tanh"])
def test_gradients_are_the_slopes_of_the_loss(name):
    """Central differences of the loss in float64, for some parameters of each array."""
    rng = np.random.default_rng(0)
    images, labels = rng.standard_normal((6, 7, 8, 2)), rng.integers(0, 4, 6)
    layers = (*map(networks.Convolution, (3, 5)), *map(networks.Dense, (6, 4)))
    network = networks.Network(layers, fa.get(name), 1.0, images[0], rng)
    network.weights = [weight.astype(np.float64) for weight in network.weights]
    network.biases = [0.1 * rng.standard_normal(bias.shape) for bias in network.biases]
    assert network.weights[0].shape == (9 * 2, 3)

    def loss():
        return networks.cross_entropy(network.logits(images), labels)[0]

    assert_slopes(network.gradients(images, labels), network.parameters, loss, rng)


def test_a_convolution_is_the_sum_over_its_patches():
    rng = np.random.default_rng(0)
    images, kernel = rng.standard_normal((2, 5, 6, 3)), rng.standard_normal((27, 4))
    found = networks.Convolution.rows(images) @ kernel
    assert found.shape == (2, 3, 4, 4)
    # Patches are ordered by channel, then row and column.
    expected = np.einsum(
        "ncij,cijk->nk", images[:, 1:4, 2:5].transpose(0, 3, 1, 2), kernel.reshape(3, 3, 3, 4)
    )
    np.testing.assert_allclose(found[:, 1, 2], expected)


def test_weights_have_the_stated_spread():
    rng = np.random.default_rng(0)
    image = np.zeros((8, 8, 4), np.float32)
    layers = (networks.Convolution(500), networks.Dense(10))
    network = networks.Network(layers, fa.relu, 2.0, image, rng)
    assert network.weights[0].dtype == np.float32
    assert network.weights[0].std() == pytest.approx(2 / 36**0.5, rel=0.02)
    assert network.weights[1].std() == pytest.approx(2 / (36 * 500) ** 0.5, rel=0.02)
