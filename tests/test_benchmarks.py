"""The asv suite: what it lacks, what its profiles select, and how the gate judges."""

from __future__ import annotations

import importlib.util
import itertools
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import fastact as fa
from fastact import config

pytest.importorskip("asv")
pytest.importorskip("rich")

import gate
import outcome
import site_files
import suite
import table
from benchmarks import accuracy, common, layouts, relu, special, verbs
from outcome import Outcome

SUITE = Path(suite.__file__).resolve().parent
LISTS = "asv_benchmarks/benchmarks/common.py"


# --- completeness ------------------------------------------------------------------------------


def test_every_activation_is_measured():
    assert set(fa.names()) == set(common.ACTIVATIONS), f"edit ACTIVATIONS in {LISTS}"


def test_every_backend_is_measured():
    assert set(config.BACKENDS) == set(common.BACKENDS), f"edit BACKENDS in {LISTS}"


def test_parameters_without_a_default_have_a_value():
    required = {name for name in fa.names() if any(p.required for p in fa.get(name).parameters)}
    assert required == set(common.PARAMETERS), f"edit PARAMETERS in {LISTS}"


@pytest.mark.parametrize("name", common.ACTIVATIONS)
def test_each_verb_of_an_activation_can_be_called(name):
    x = common.inputs("float32", "L1")
    y = common.forward(name, x)()
    common.backward(name, x, x)()
    value, _ = common.value_and_grad(name, x)()
    np.testing.assert_array_equal(y, value)


# --- measuring ---------------------------------------------------------------------------------


def busy(steps):
    return lambda: sum(range(steps))


def test_a_ratio_is_that_of_the_times():
    found = common.ratio_of(busy(40_000), busy(10_000))
    assert 2.5 < np.median(found["samples"]) < 6


@pytest.mark.parametrize("layout", layouts.OverNumPy.params[2])
@pytest.mark.parametrize("name", layouts.OverNumPy.params[0])
def test_both_calls_of_a_layout_are_of_the_same_work(name, layout, monkeypatch):
    monkeypatch.setattr(common, "ratio_of", lambda call, reference: (call, reference))
    call, reference = layouts.OverNumPy().track_ratio(name, "numpy", layout)
    y = np.array(call())  # both may write into the same array
    expected = np.asarray(reference())
    assert (y.dtype, y.shape) == (expected.dtype, expected.shape)
    np.testing.assert_allclose(y, expected, 1e-6 if y.dtype != np.float16 else 2e-3)
    assert call.args[0] is reference.args[0]


def test_a_time_is_that_of_one_call():
    found = common.seconds_of(busy(100_000))
    assert 1e-4 < np.median(found["samples"]) < 1e-1
    assert found["number"] >= 1


def test_an_error_is_counted_in_units_of_the_truth():
    truth = np.array([1.0, 4.0, 0.75], "float32")
    result = truth + np.array([0, 3 * 2.0**-21, 0], "float32")
    assert accuracy._largest_error(result, truth, "float32") == 3
    assert accuracy._largest_error(truth, truth, "float32") == 0
    wrong = np.array([1.0, np.nan, 0.75], "float32")
    assert accuracy._largest_error(truth, np.where(truth == 4, np.inf, truth), "float32") == np.inf
    assert not accuracy._largest_error(wrong, truth, "float32") <= 4


@pytest.mark.parametrize("name", ["relu", "gelu"])
@pytest.mark.parametrize("function", ["f", "f'"])
def test_the_largest_error_is_within_the_bound(name, function):
    found = accuracy.MaxUlp().track_max_ulp(name, "numpy", "float32", "faithful", function)
    assert found <= 1


def test_what_a_version_lacks_is_skipped(monkeypatch):
    monkeypatch.setattr(fa, "names", lambda: ("relu",))
    with pytest.raises(common.SkipNotImplemented, match="no gelu"):
        common.forward("gelu", common.inputs("float32", "L1"))


# --- profiles ----------------------------------------------------------------------------------


def labels():
    """Return all series of the classes with ratios and times."""
    ratios = (*relu_classes(), special.Values, layouts.OverNumPy)
    for cls in (*ratios, verbs.Forward, verbs.Backward):
        module = cls.__module__.rpartition(".")[2]
        method = next(name for name in dir(cls) if name.startswith("track_"))
        for values in itertools.product(*cls.params):
            yield f"{module}.{cls.__name__}.{method}({', '.join(map(repr, values))})"


def relu_classes():
    return relu.OverMemcpy, relu.OverExponential, relu.OverMaximum, relu.OverTorch


def matching(patterns):
    return [label for label in labels() if any(re.search(p, label) for p in patterns)]


def test_the_quick_profile_measures_every_activation():
    chosen = matching(suite.PROFILES["quick"].patterns)
    for name in common.ACTIVATIONS:
        for verb in ("Forward", "Backward"):
            assert any(f"{verb}.track_time('{name}'" in label for label in chosen), name


@pytest.mark.parametrize("layout", ["columns of 4 x 512", "even columns", "NumPy scalar"])
def test_the_quick_profile_measures_layouts(layout):
    chosen = matching(suite.PROFILES["quick"].patterns)
    for name in layouts.OverNumPy.params[0]:
        assert f"layouts.OverNumPy.track_ratio({name!r}, 'cython', {layout!r})" in chosen


def test_the_full_profile_measures_everything():
    assert matching(suite.PROFILES["full"].patterns) == list(labels())


@pytest.mark.parametrize("name", suite.PROFILES)
def test_each_pattern_of_a_profile_names_a_file(name):
    modules = {path.stem for path in (SUITE / "benchmarks").glob("*.py")} | {"."}
    for pattern in suite.PROFILES[name].patterns:
        assert any(module in pattern for module in modules), pattern


def test_the_gate_judges_what_is_measured_over_what_does_not_change():
    chosen = matching(gate.PATTERNS)
    assert chosen
    assert not any("columns of 1024 x 2048" in label for label in chosen)
    assert not any(name in label for label in chosen for name in ("'memory'", "'L3'", "'numpy'"))
    for cls in (relu.OverMemcpy, relu.OverMaximum, layouts.OverNumPy):
        assert any(cls.__name__ in label for label in chosen)
    assert not any("OverExponential" in label for label in chosen)  # others may become faster


# --- the gate ----------------------------------------------------------------------------------

SERIES = "relu.OverMemcpy.track_ratio('forward', 'cython', 'L2')"
STEADY = [1.0 + 0.01 * (i % 5) for i in range(15)]


def measured(samples):
    from asv_runner.statistics import compute_stats

    value, stats = compute_stats(samples, 1)
    return Outcome(value, samples, stats)


@pytest.fixture
def versions(monkeypatch):
    """Pretend that asv has measured two versions; return their outcomes, to be filled."""
    found = {"base": {}, "head": {}}
    monkeypatch.setattr(outcome, "selected", lambda config, patterns: [SERIES])
    monkeypatch.setattr(outcome, "of_commit", lambda config, commit: [found[commit]])
    return found


def judged():
    return gate.report(gate.verdicts(SUITE, "base", "head", 1.15), 1.15)


def test_an_unchanged_version_passes(versions):
    versions["base"][SERIES] = versions["head"][SERIES] = measured(STEADY)
    assert judged() == 0


def test_a_slower_version_fails_and_is_named(versions, capsys):
    versions["base"][SERIES] = measured(STEADY)
    versions["head"][SERIES] = measured([1.3 * sample for sample in STEADY])
    assert judged() == 1
    assert "REGRESSION" in capsys.readouterr().out


def test_a_faster_version_passes(versions):
    versions["base"][SERIES] = measured([1.3 * sample for sample in STEADY])
    versions["head"][SERIES] = measured(STEADY)
    assert judged() == 0


def test_noise_that_explains_the_difference_is_none(versions):
    versions["base"][SERIES] = measured([1.0, 1.1, 5.0, 1.0, 1.6])
    versions["head"][SERIES] = measured([1.0, 1.4, 1.2, 5.0, 1.3])
    assert judged() == 0


@pytest.mark.parametrize("lacking", ["base", "head"])
def test_a_version_that_was_not_measured_is_an_error(versions, lacking):
    versions["base"][SERIES] = versions["head"][SERIES] = measured(STEADY)
    del versions[lacking][SERIES]
    with pytest.raises(LookupError, match="no result"):
        judged()


def test_a_series_that_the_new_version_skips_is_an_error(versions):
    versions["base"][SERIES] = measured(STEADY)
    versions["head"][SERIES] = Outcome(float("nan"), [], None)
    with pytest.raises(LookupError, match="no result"):
        judged()


# --- results and pages -------------------------------------------------------------------------


@pytest.mark.skipif(not (SUITE.parent / ".git").exists(), reason="subjects of commits are in git")
def test_the_page_is_that_of_the_results():
    assert table.text(SUITE / "results") == table.PAGE.read_text(encoding="utf-8"), (
        "run python asv_benchmarks/suite.py table"
    )


def test_results_of_at_least_five_versions_are_kept():
    versions = {results.commit_hash for results in outcome.iter_results(str(SUITE / "results"))}
    assert len(versions) >= 5


def test_results_name_no_place_on_a_machine():
    for path in (SUITE / "results").rglob("*.json"):
        assert not re.search(r'"/(?!\))|/home|/root|/tmp|/work', path.read_text()), path


def test_the_variants_change_dependencies_only():
    for variant in suite.VARIANTS:
        path = suite.configuration(variant)
        try:
            settings = json.loads(path.read_text())
        finally:
            path.unlink()
        requirements, excluded = suite.VARIANTS[variant]
        assert requirements.items() <= settings["matrix"]["req"].items()
        assert [rule["req"] for rule in settings["exclude"]] == excluded


def test_the_page_of_asv_loads_nothing_from_elsewhere(tmp_path, monkeypatch):
    """Each address in the installed asv's page is known, and is replaced."""
    package = Path(importlib.util.find_spec("asv").origin).parent
    shutil.copy(package / "www" / "index.html", tmp_path)
    page = (tmp_path / "index.html").read_text()
    assert "https://" in " ".join(site_files._TAG.findall(page))
    tags = site_files._TAG.findall(site_files._TAG.sub(site_files._local, page))
    assert not [tag for tag in tags if "//" in tag or "integrity" in tag]
    assert sum("vendor/" in tag for tag in tags) == len(site_files.FILES)


@pytest.mark.parametrize(
    ("value", "status"),
    [(1.0, 0), (float("nan"), 1), (None, 1)],
    ids=["measured", "skipped", "failed"],
)
def test_the_proof_asks_for_a_number(versions, value, status):
    versions["head"][SERIES] = Outcome(value, [], None)
    assert suite._prove(SUITE, ["head"], (), may_skip="relu.OverTorch") == status


def test_the_proof_lets_a_version_skip_what_it_lacks(versions):
    versions["head"][SERIES] = Outcome(float("nan"), [], None)
    versions["head"]["another"] = measured(STEADY)
    assert suite._prove(SUITE, ["head"], ()) == 1  # nothing of what was asked for


def test_the_proof_fails_where_nothing_was_measured(monkeypatch, versions):
    monkeypatch.setattr(outcome, "of_commit", lambda config, commit: [])
    assert suite._prove(SUITE, ["head"], ()) == 1


def test_a_range_without_commits_is_an_error():
    """Before asv is asked, which would measure nothing."""
    with pytest.raises(SystemExit, match="nowhere"):
        suite.commits("nowhere^!")
    with pytest.raises(SystemExit, match=r"HEAD\.\.HEAD"):
        suite.commits("HEAD..HEAD")
