"""Run, publish and judge the benchmarks: ``python asv_benchmarks/suite.py --help``.

asv does the work. What is here chooses what it runs, and proves that it has measured something: asv
itself ends well when it has selected nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import json5

import gate
import outcome
import site_files
import table

HERE = Path(__file__).resolve().parent


class Profile(NamedTuple):
    """Which series to measure, as patterns of asv, and how long each may take."""

    patterns: tuple[str, ...]
    seconds: float
    meaning: str


_PLAIN = r"'float32', 'L2', 1\)$"
PROFILES = {
    "quick": Profile(
        (
            r"^relu\..*'(forward|scalar|array)'.*'cython'",
            r"^relu\.OverTorch.*'L2', 1",
            rf"^verbs\.(Forward|Backward)\..*'cython', {_PLAIN}",
            rf"^verbs\.ValueAndGrad\..*\('(relu|gelu)', 'cython', {_PLAIN}",
            rf"^verbs\.Forward\..*\('(relu|gelu)', '(numba|numpy)', {_PLAIN}",
            r"^calls\.Overhead",
            r"^calls\.Output.*'relu', 'cython', 'L2'",
            r"^special\.Values.*'(relu|gelu)', 'cython', 'float32', 'forward'",
            r"^special\.Layout.*'relu', 'cython'",
            r"^layouts\..*'cython', '(columns of 4|even|F|NHWC|out=|int32|NumPy|Python)",
            r"^accuracy\.MaxUlp.*'cython', 'float32', 'fast', 'f'\)",
            r"^memory\.LargeCall.*'relu', 'cython'",
            r"^startup\.Import",
            r"^startup\.FirstCall.*'relu', '(cython|numpy)'",
        ),
        0.03,
        "each benchmark in its default case: under 3 minutes",
    ),
    "history": Profile(
        (
            r"^relu\..*'(cython|numba)'",
            r"^relu\.OverTorch",
            rf"^verbs\..*'cython', {_PLAIN}",
            r"^verbs\.Forward\..*\('(relu|sigmoid|gelu)', 'cython'",
            r"^calls\.",
            r"^special\.Values.*'cython', '.*', 'forward'",
            r"^special\.Layout.*'cython'",
            r"^layouts\..*'cython'",
            r"^accuracy\.MaxUlp.*'cython', 'float32', '.*', 'f'\)",
            r"^memory\.",
            r"^startup\.",
        ),
        0.05,
        "what the dashboard keeps for each version",
    ),
    "relu": Profile((r"^relu\.",), 0.15, "the ratios of relu"),
    "full": Profile((r".",), 0.03, "everything: under 40 minutes"),
}

#: Requirements that replace those of asv.conf.json, or join them, and combinations to leave out.
VARIANTS: dict[str, tuple[dict[str, list[str]], list[dict[str, str]]]] = {
    # The oldest and the newest that are supported; Numba 0.61 does not know NumPy 2.4.
    "versions": (
        {"numpy": ["2.0.2", "2.4.6"], "numba": ["0.61.2", "0.68.1"]},
        [{"numpy": "2.0.2", "numba": "0.68.1"}, {"numpy": "2.4.6", "numba": "0.61.2"}],
    ),
    "torch": ({"torch": ["2.13.0"]}, []),
}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    run = commands.add_parser("run", help="measure commits, and prove that there are results")
    run.add_argument(
        "range", nargs="?", default="HEAD^!", help="a range of git; a commit is COMMIT^!"
    )
    _add_profile(run)
    _add_matrix(run)
    _add_machine(run)
    run.set_defaults(run=_run)

    quick = commands.add_parser(
        "check", help="check the suite and measure this environment once, keeping nothing"
    )
    _add_profile(quick)
    quick.set_defaults(run=_check)

    judge = commands.add_parser("gate", help="compare two commits; status 1 for a regression")
    judge.add_argument("base", help="the last version")
    judge.add_argument("head", nargs="?", default="HEAD")
    judge.add_argument("--threshold", type=float, default=gate.THRESHOLD, help="%(default)s")
    judge.add_argument("--rounds", type=int, default=gate.ROUNDS, help="%(default)s")
    _add_matrix(judge)
    judge.set_defaults(run=_gate)

    text = commands.add_parser("table", help="write docs/benchmarks.md from the results")
    text.set_defaults(run=lambda arguments: table.write(HERE / "results"))

    publish = commands.add_parser("publish", help="make the site from the results")
    publish.set_defaults(run=_publish)

    dashboard = commands.add_parser("dashboard", help="run, publish and serve")
    dashboard.add_argument("range", nargs="?", default="HEAD^!", help="as for run")
    _add_profile(dashboard, "history")
    _add_matrix(dashboard)
    _add_machine(dashboard)
    dashboard.set_defaults(run=_dashboard)

    arguments = parser.parse_args(argv)
    status: int = arguments.run(arguments)
    return status


def _add_profile(parser: argparse.ArgumentParser, default: str = "quick") -> None:
    text = "; ".join(f"{name}: {profile.meaning}" for name, profile in PROFILES.items())
    parser.add_argument("--profile", choices=PROFILES, default=default, help=text)


def _add_matrix(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--with",
        dest="variant",
        choices=VARIANTS,
        help="other dependencies",
    )


def _add_machine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--machine", help="the name of this machine in the results; else that of the host"
    )


# --- asv ---------------------------------------------------------------------------------------


def configuration(variant: str | None = None, **changes: Any) -> Path:
    """Return the path of a configuration: the committed one, or one that differs from it."""
    original = HERE / "asv.conf.json"
    if variant is None and not changes:
        return original
    settings = json5.loads(original.read_text(encoding="utf-8"))
    requirements, excluded = VARIANTS[variant] if variant else ({}, [])
    settings["matrix"]["req"] |= requirements
    settings["exclude"] = [{"req": combination} for combination in excluded]
    settings |= changes
    directory = HERE / ".asv"
    directory.mkdir(exist_ok=True)
    for key in ("repo", "benchmark_dir", "env_dir", "html_dir", "results_dir"):
        settings[key] = str((HERE / settings[key]).resolve())
    path = directory / f"{variant or 'default'}.conf.json"
    path.write_text(json.dumps(settings, indent=4), encoding="utf-8")
    return path


def asv(config: Path, *arguments: str, seconds: float | None = None) -> int:
    """Run asv, print what is not a table, and return its status.

    A table shows all combinations of parameters, most of which a profile leaves out.
    """
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    if seconds is not None:
        environment |= {
            "FASTACT_BENCHMARK_SECONDS": str(seconds),
            "FASTACT_BENCHMARK_PREIMPORT": "1",
        }
    with subprocess.Popen(
        [sys.executable, "-m", "asv", "--config", str(config), *arguments],
        cwd=HERE,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout or ():
            if re.match(r"(\[ *[0-9.]+%\] )?·+ (?!=)|Traceback|\w*Error|.*http://", line):
                print(line, end="", flush=True)
    return process.returncode


def commits(span: str) -> list[str]:
    """Return the commits of a range of git, the oldest first; of merges, the first parents."""
    command = ["git", "rev-list", "--reverse", "--first-parent", span, "--"]
    listed = subprocess.run(command, cwd=HERE, check=False, capture_output=True, text=True)
    if listed.returncode or not listed.stdout:
        raise SystemExit(
            f"suite.py: expected commits of git, got {span!r}: {listed.stderr.strip()}"
        )
    return listed.stdout.split()


def has_commits(name: str) -> bool:
    command = ["git", "rev-parse", "--verify", "--quiet", name]
    return subprocess.run(command, cwd=HERE, check=False, capture_output=True).returncode == 0


def commit(name: str) -> str:
    (found,) = commits(f"{name}^!")
    return found


def _prove(
    config: Path, versions: Sequence[str], patterns: Sequence[str], may_skip: str = ""
) -> int:
    """Print what has been measured, and return the exit status: 1 if a result is missing.

    Only series whose names begin with ``may_skip`` may have been skipped.
    """
    status = 0 if versions else 1
    for version in versions:
        proof = outcome.prove(config, version, patterns)
        lacking = [*proof.missing, *(s for s in proof.skipped if not s.startswith(may_skip))]
        for series in lacking:
            print(f"{version[:8]}: no result for {series}", file=sys.stderr)
        print(
            f"{version[:8]}: {len(proof.measured)} series measured, {len(proof.skipped)} skipped, "
            f"{len(proof.missing)} missing"
        )
        status = 1 if lacking or not proof.measured else status
    return status


# --- commands ----------------------------------------------------------------------------------


def _measure(
    config: Path, span: Sequence[str], profile: Profile, machine: str | None, *options: str
) -> int:
    named = ("--machine", machine) if machine else ()
    asv(config, "machine", "--yes", *named)
    patterns = [text for pattern in profile.patterns for text in ("--bench", pattern)]
    return asv(
        config, "run", *span, *patterns, "--launch-method", "forkserver", *named, *options,
        seconds=profile.seconds,
    )  # fmt: skip


def _run(arguments: argparse.Namespace) -> int:
    config, profile = configuration(arguments.variant), PROFILES[arguments.profile]
    versions = commits(arguments.range)
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write("\n".join(versions))
        file.flush()
        status = _measure(config, [f"HASHFILE:{file.name}"], profile, arguments.machine)
    return status or _prove(config, versions, profile.patterns)


def _check(arguments: argparse.Namespace) -> int:
    """Check and measure the fastact that is installed beside asv."""
    profile, python = PROFILES[arguments.profile], f"existing:{sys.executable}"
    with tempfile.TemporaryDirectory() as directory:
        config = configuration(results_dir=directory, branches=["HEAD"])
        head = commit("HEAD")
        status = asv(config, "check", "--environment", python) or _measure(
            config, [], profile, None, "--environment", python, "--set-commit-hash", head
        )
        # What is quick must be there, but for PyTorch; the full grid has cells that are left out.
        may_skip = "relu.OverTorch" if arguments.profile == "quick" else ""
        return status or _prove(config, [head], profile.patterns, may_skip)


def _gate(arguments: argparse.Namespace) -> int:
    base, head = commit(arguments.base), commit(arguments.head)
    with tempfile.TemporaryDirectory() as directory:
        config = configuration(arguments.variant, results_dir=directory)
        asv(config, "machine", "--yes")
        patterns = [text for pattern in gate.PATTERNS for text in ("--bench", pattern)]
        # Its status says whether something changed; the verdict is made from the results.
        asv(
            config, "continuous", base, head, "--interleave-rounds", *patterns,
            "--attribute", f"rounds={arguments.rounds}", "--factor", str(arguments.threshold),
            "--launch-method", "forkserver", seconds=PROFILES["relu"].seconds,
        )  # fmt: skip
        try:
            found = gate.verdicts(config, base, head, arguments.threshold)
        except LookupError as error:
            print(f"gate: {error}", file=sys.stderr)
            return 2
        return gate.report(found, arguments.threshold)


def _publish(arguments: argparse.Namespace) -> int:
    # Where a machine has checked out a commit, there may be no branch main.
    config = configuration(branches=["main" if has_commits("main") else "HEAD"])
    return asv(config, "publish") or site_files.localise(HERE / ".asv" / "html")


def _dashboard(arguments: argparse.Namespace) -> int:
    status = _run(arguments) or _publish(arguments)
    return status or asv(configuration(), "preview")


if __name__ == "__main__":
    raise SystemExit(main())
