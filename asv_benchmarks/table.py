"""Write docs/benchmarks.md: the ratios of relu, version by version, as text."""

from __future__ import annotations

import datetime
import itertools
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from asv.results import Results, iter_results

import outcome
from outcome import Outcome

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"

#: What a column shows: a series of benchmarks/relu.py.
_MEMCPY = "relu.OverMemcpy.track_ratio('{verb}', 'cython', '{size}')"
_SIGMOID = "relu.OverExponential.track_ratio('{verb}', 'sigmoid', 'cython', '{size}')"
_TABLES = {
    "relu over memcpy": _MEMCPY,
    "relu over sigmoid": _SIGMOID,
    "relu over tanh": _SIGMOID.replace("sigmoid", "tanh"),
    "relu over softplus": _SIGMOID.replace("sigmoid", "softplus"),
    "relu over gelu": _SIGMOID.replace("sigmoid", "gelu"),
    "relu over np.maximum(x, 0)": "relu.OverMaximum.track_ratio('scalar', 'cython', '{size}')",
    "relu over np.maximum(x, zeros)": "relu.OverMaximum.track_ratio('array', 'cython', '{size}')",
    "relu over PyTorch": "relu.OverTorch.track_ratio('{verb}', '{size}', 1)",
}
_SIZES = ("L1", "L2", "L3", "memory")
_INTRODUCTION = """\
# ReLU, version by version

Written by `python asv_benchmarks/suite.py table` from the results in `asv_benchmarks/results`: do
not edit.

Each number is a ratio of times that took turns in one process, so that the speed of the machine
cancels; smaller is better. Backend `cython`, float32, one thread, outputs that are there already
(new ones beside PyTorch). Sizes are those of one array: L1 is 8 KiB, L2 256 KiB, L3 4 MiB, memory
64 MiB. A dash marks what a version could not run.

`python asv_benchmarks/suite.py publish` makes a site of the same results, with all series:

![A graph of the site: relu over memcpy, version by version](dashboard.png)
"""


def write(directory: Path) -> int:
    """Write the page from all results in the directory, and return the exit status."""
    PAGE.write_text(text(directory), encoding="utf-8")
    return 0


class Version(NamedTuple):
    """What was measured of one commit, in all environments of a machine."""

    results: Results
    outcomes: dict[str, Outcome]


def text(directory: Path) -> str:
    found = sorted(
        iter_results(str(directory)),
        key=lambda results: (results.params["machine"], results.date, results.env_name),
    )
    parts = [_INTRODUCTION]
    for machine, group in itertools.groupby(found, key=lambda results: results.params["machine"]):
        of_machine = list(group)
        parts += [f"## {machine}\n", _described(of_machine[-1])]
        versions = _versions(of_machine)
        for title, series in _TABLES.items():
            parts += _table(title, series, versions)
    return "\n".join(parts)


def _versions(found: Sequence[Results]) -> list[Version]:
    versions: dict[str, Version] = {}
    for results in found:
        version = versions.setdefault(results.commit_hash, Version(results, {}))
        for series, new in outcome.of(results).items():
            if new.is_measured:
                version.outcomes.setdefault(series, new)
    return list(versions.values())


def _described(results: Results) -> str:
    facts = results.params
    python = results._python
    requirements = ", ".join(
        f"{name} {facts[name]}" for name in ("numpy", "numba", "cython") if name in facts
    )
    return (
        f"{facts['cpu']}, {facts['num_cpu']} CPUs, {facts['os']}; "
        f"Python {python}, {requirements}.\n"
    )


def _table(title: str, series: str, versions: Sequence[Version]) -> list[str]:
    verbs = ("forward", "backward") if "{verb}" in series else ("forward",)
    columns = [(verb, size) for verb in verbs for size in _SIZES]
    names = [series.format(verb=verb, size=size) for verb, size in columns]
    rows = []
    for results, outcomes in versions:
        if any(name in outcomes for name in names):
            cells = [f"{outcomes[name].value:.2f}" if name in outcomes else "-" for name in names]
            rows.append(f"| {_described_version(results)} | {' | '.join(cells)} |")
    if not rows:
        return []
    heads = [f"{verb} {size}" for verb, size in columns]
    return [
        f"### {title}\n",
        f"| version | {' | '.join(heads)} |",
        f"| --- |{' --- |' * len(columns)}",
        *rows,
        "",
    ]


def _described_version(results: Results) -> str:
    date = datetime.datetime.fromtimestamp(results.date / 1000, datetime.UTC)
    subject = subprocess.run(
        ["git", "log", "-1", "--format=%s", results.commit_hash],
        cwd=PAGE.parent,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    return f"`{results.commit_hash[:8]}` {date:%Y-%m-%d %H:%M} {subject:.60}"
