"""``fastact bench``: fastact and the libraries beside it, timed in turn in one process.

``cells`` says what is measured, ``calls`` what each library is called with, ``peers`` how,
``measure`` times the calls and checks the results, ``report`` puts them into tables and JSON,
``plot`` draws them. ``layouts`` says and measures what ``--layouts`` compares, ``layout_report``
puts that into tables and JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import fastact as fa
from fastact.bench import layout_report, layouts, measure, peers, report
from fastact.bench.cells import Cell, Grid
from fastact.bench.measure import FULL, QUICK
from fastact.terminal import make_console

__all__ = ["FULL", "QUICK", "Grid", "layouts", "run", "run_layouts"]

#: Columns of the tables where there is no terminal to ask.
WIDTH_OF_FILES = 120


def run(
    grid: Grid,
    peer_names: Sequence[str],
    effort: measure.Effort,
    backend: str,
    precision: str,
    markdown: bool = False,
    json_file: Path | None = None,
    plot_file: Path | None = None,
) -> report.Summary:
    """Measure every cell of a grid and print the tables.

    Parameters
    ----------
    grid : Grid
        What to measure.
    peer_names : sequence of str
        The libraries to compare with, keys of ``peers.PEERS``; those not installed are left out.
    effort : Effort
        How long to measure each cell.
    backend, precision : str
        How fastact computes.
    markdown : bool
        Whether to print the tables of the README instead of those for a terminal.
    json_file, plot_file : Path, optional
        Where to write all figures, and a picture of the ratios.

    Returns
    -------
    Summary

    Raises
    ------
    BackendUnavailableError
        If this installation cannot run the backend.
    """
    with settings(backend, precision):
        libraries, missing = peers.load(peer_names)
        machine = report.machine({library.name: library.version for library in libraries})
        results = _measure_all(grid, libraries, effort)
    summary = report.summary(results)
    if markdown:
        print(report.markdown(machine, grid, results))
    else:
        make_console(WIDTH_OF_FILES).print(
            *report.terminal(machine, grid, results, missing), sep="\n"
        )
    if json_file is not None:
        _write(json_file, report.document(machine, grid, results))
    if plot_file is not None:
        from fastact.bench import plot

        plot.save(plot_file, report.title(machine), results)
    return summary


def run_layouts(
    dtypes: Sequence[str],
    threads: Sequence[int],
    effort: measure.Effort,
    backend: str,
    precision: str,
    markdown: bool = False,
    json_file: Path | None = None,
) -> layout_report.Summary:
    """Measure calls on arrays that are not plain, beside ufuncs, and print the tables.

    Parameters
    ----------
    dtypes : sequence of str
        The dtypes in which every layout is measured.
    threads : sequence of int
        Numbers of threads of fastact; the ufuncs have one.
    effort : Effort
        How long to measure with each number of threads.
    backend, precision, markdown, json_file
        As for ``run``.

    Returns
    -------
    Summary

    Raises
    ------
    BackendUnavailableError
        If this installation cannot run the backend.
    """
    results: list[layouts.Result] = []
    with settings(backend, precision), _progress() as progress:
        machine = report.machine({"fastact": fa.__version__} | layouts.libraries())
        task = progress.add_task("", total=len(threads))
        for count in threads:
            progress.update(task, description=f"all layouts, threads: {count}")
            results += layouts.measure_all(layouts.cases(dtypes, count), effort)
            progress.advance(task)
    if markdown:
        print(layout_report.markdown(machine, results))
    else:
        make_console(WIDTH_OF_FILES).print(*layout_report.terminal(machine, results), sep="\n")
    if json_file is not None:
        _write(json_file, layout_report.document(machine, results))
    return layout_report.summary(results)


def _write(file: Path, document: dict[str, Any]) -> None:
    file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _measure_all(
    grid: Grid, libraries: Sequence[peers.Library], effort: measure.Effort
) -> list[measure.Result]:
    results = []
    with ExitStack() as stack:
        for library in libraries:
            stack.enter_context(library.context())
        progress = stack.enter_context(_progress())
        task = progress.add_task("", total=len(grid.cells))
        for cell in grid.cells:
            progress.update(task, description=_name(cell))
            results.append(measure.measure(cell, libraries, effort, grid.inputs))
            progress.advance(task)
    return results


@contextmanager
def settings(backend: str, precision: str) -> Iterator[None]:
    """Change the settings and put them back, also the number of threads, which cells change.

    Those of the process and not of a ``use_*`` block, in which a call costs some 6 ns more.
    """
    before = fa.get_backend(), fa.get_precision(), fa.get_num_threads()
    fa.set_backend(backend)
    fa.set_precision(precision)
    try:
        yield
    finally:
        fa.set_backend(before[0])
        fa.set_precision(before[1])
        fa.set_num_threads(before[2])


def _name(cell: Cell) -> str:
    return f"{cell.activation} {cell.direction}, {cell.size:,} elements, threads: {cell.threads}"


def _progress() -> Progress:
    console = Console(stderr=True, highlight=False, markup=False)
    return Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
        console=console,
        transient=True,
        disable=not console.is_interactive,
    )
