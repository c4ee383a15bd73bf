"""Read what asv has written, series by series: a benchmark with one value for each parameter."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from asv.benchmarks import Benchmarks
from asv.config import Config
from asv.results import Results, iter_results


class Outcome(NamedTuple):
    """What one version gave. The value is None if it failed, NaN if it was skipped."""

    value: float | None
    samples: list[float]
    stats: dict[str, Any] | None

    @property
    def is_measured(self) -> bool:
        return self.value is not None and not math.isnan(self.value)


MISSING = Outcome(None, [], None)


def load(config: Path) -> Config:
    """Return a configuration with paths that do not depend on the working directory."""
    settings = Config.load(str(config))
    for key in ("repo", "benchmark_dir", "env_dir", "html_dir", "results_dir"):
        setattr(settings, key, str((config.parent / getattr(settings, key)).resolve()))
    return settings


def selected(config: Path, patterns: Sequence[str]) -> list[str]:
    """Return the series whose names match, as asv has discovered them."""
    benchmarks = Benchmarks.load(load(config), regex=list(patterns))
    return [
        _label(name, combination)
        for name, benchmark in sorted(benchmarks.items())
        for index, combination in enumerate(itertools.product(*benchmark["params"]))
        if not benchmark["params"] or index in benchmarks.benchmark_selection[name]
    ]


def _label(name: str, combination: Sequence[str]) -> str:
    return f"{name}({', '.join(combination)})" if combination else name


def of(results: Results) -> dict[str, Outcome]:
    """Return the outcome of every series that was tried in one version and environment."""
    found = {}
    for name in results.get_all_result_keys():
        params = results.get_result_params(name)
        columns = [
            read(name, params) or itertools.repeat(None)
            for read in (
                results.get_result_value, results.get_result_samples, results.get_result_stats
            )
        ]  # fmt: skip
        for combination, value, samples, stats in zip(
            itertools.product(*params), *columns, strict=False
        ):
            found[_label(name, combination)] = Outcome(value, samples or [], stats)
    return found


def of_commit(config: Path, commit: str) -> list[dict[str, Outcome]]:
    """Return the outcomes of a commit, one dictionary for each environment."""
    directory = load(config).results_dir
    return [of(results) for results in iter_results(directory) if results.commit_hash == commit]


class Proof(NamedTuple):
    """The series that were to be measured in one version, by what came of them."""

    measured: list[str]
    skipped: list[str]
    missing: list[str]


def prove(config: Path, commit: str, patterns: Sequence[str]) -> Proof:
    """Return what came of the series that match, in all environments together."""
    wanted, found = selected(config, patterns), of_commit(config, commit)
    proof = Proof([], [], [] if wanted and found else ["anything"])
    for outcomes in found:
        for series in wanted:
            outcome = outcomes.get(series, MISSING)
            kinds = proof.missing, proof.measured, proof.skipped
            kinds[0 if outcome.value is None else 1 if outcome.is_measured else 2].append(series)
    return proof
