"""The command bench: how libraries are timed and checked, what is printed, and how it fails."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastact as fa
from fastact import cli

pytest.importorskip("cpuinfo")
pytest.importorskip("matplotlib")
pytest.importorskip("rich")

from rich.console import Console

from fastact.bench import calls, cells, measure, peers, plot, report
from fastact.bench.cells import Cell, Grid
from fastact.bench.measure import Measurement, Result

README = Path(__file__).resolve().parent.parent / "README.md"
CELL = Cell("relu", "forward", "float32", 1024, 1, "new")
GRID = Grid(("relu",), ("forward",), ("float32",), (1024,), (1,))
#: Two short rounds.
BRIEF = measure.Effort(seconds=0.0, least=2, most=2)
SMALL = ["bench", "--peers", "numpy", "--sizes", "16,1Ki", "--threads", "1", "--quick"]


def bench(*arguments):
    return cli.main([*SMALL, "--activations", "relu,tanh", *arguments])


def result(cell=CELL, error=0.0, **medians):
    """Return a cell in which each library takes so many nanoseconds."""
    return Result(
        cell,
        {name: Measurement(time, time, 5, 1, error) for name, time in medians.items()},
    )


MACHINE = report.Machine(
    "A Processor",
    2,
    "An-OS",
    {"fastact": "1"},
    {"settings": {"backend": "auto", "precision": "fast"}, "extension": {}},
)


def printed(results, missing=()):
    console = Console(file=io.StringIO(), width=120, markup=False)
    console.print(*report.terminal(MACHINE, GRID, results, missing), sep="\n")
    return console.file.getvalue()


# --- the command -------------------------------------------------------------------------------


def test_from_end_to_end_without_a_terminal(tmp_path):
    """With no peer but NumPy; nothing but lines of text, and the files."""
    files = ["--json", "figures.json", "--plot", "ratios.png"]
    process = subprocess.run(
        [sys.executable, "-m", "fastact", *SMALL, "--activations", "relu,gelu", *files],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert (process.returncode, process.stderr) == (0, "")
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", process.stdout)
    for words in ("forward, float32, 1 thread", "backward, float32, 1 thread", "1,024", "numpy"):
        assert words in process.stdout
    assert f"fastact {fa.__version__}" in process.stdout
    assert re.search(r"Geometric mean of the ratios of 4 cells: \d", process.stdout)
    assert (tmp_path / "ratios.png").read_bytes().startswith(b"\x89PNG")
    document = json.loads((tmp_path / "figures.json").read_text())
    assert len(document["cells"]) == 8


def test_json_holds_every_figure(tmp_path, capsys):
    assert bench("--directions", "backward", "--json", str(tmp_path / "a.json")) == 0
    document = json.loads((tmp_path / "a.json").read_text())
    assert document["schema"] == 1
    assert document["machine"]["processor"]
    assert document["machine"]["versions"]["numpy"] == np.__version__
    assert document["machine"]["configuration"]["versions"]["fastact"] == fa.__version__
    assert document["summary"]["cells"] == len(document["cells"]) == 4
    for cell in document["cells"]:
        assert cell["bytes"] == 3 * 4 * cell["size"]
        assert cell["best_peer"] == "numpy"
        libraries = cell["libraries"]
        assert set(libraries) == {"fastact", "numpy"}
        medians = {name: figures["median_ns"] for name, figures in libraries.items()}
        assert cell["ratio"] == medians["numpy"] / medians["fastact"]
        for figures in libraries.values():
            assert 0 < figures["minimum_ns"] <= figures["median_ns"]
            assert figures["calls_per_round"] > 1
            assert figures["rounds"] >= measure.QUICK.least
        assert libraries["fastact"]["largest_error_ulp"] <= 4


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_plots_by_suffix(suffix, tmp_path):
    beginnings = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}
    results = [
        result(fastact=10.0, numpy=20.0),
        result(CELL._replace(size=16), fastact=10.0),
        result(CELL._replace(threads=2), error=9.0, fastact=10.0, numpy=1.0),
    ]
    plot.save(tmp_path / f"ratios{suffix}", "A machine", results)
    assert (tmp_path / f"ratios{suffix}").read_bytes().startswith(beginnings[suffix])


def test_pictures_need_no_pyplot():
    script = "import sys; from fastact.bench import plot; print('matplotlib.pyplot' in sys.modules)"
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True
    )
    assert process.stdout == "False\n"


def test_settings_are_those_asked_for_and_put_back(tmp_path, capsys):
    before = fa.show_config("dicts")["settings"]
    file = tmp_path / "a.json"
    options = ["--backend", "numpy", "--precision", "faithful", "--threads", "3"]
    assert bench(*options, "--json", str(file)) == 0
    document = json.loads(file.read_text())
    settings = document["machine"]["configuration"]["settings"]
    assert (settings["backend"], settings["precision"]) == ("numpy", "faithful")
    assert {cell["threads"] for cell in document["cells"]} == {3}
    assert fa.show_config("dicts")["settings"] == before


def test_all_activations_are_the_catalogue():
    assert cli._activations("all") == fa.names()
    assert cli._activations("swish, relu") == ("silu", "relu")


@pytest.mark.parametrize(("ratio", "status"), [("1e-9", 0), ("1e9", 1)])
def test_fail_below_sets_the_status(ratio, status, capsys):
    assert bench("--sizes", "16", "--directions", "forward", "--fail-below", ratio) == status


def test_a_wrong_result_fails_whatever_the_ratio():
    right = report.summary([result(fastact=1.0, numpy=2.0)])
    assert not right.fails(1.9)
    assert right.fails(2.1)
    wrong = report.summary([result(error=5.0, fastact=1.0, numpy=9.0)])
    assert wrong.fails(1.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--activations", "relu,reluu"], "argument --activations: must be of identity, relu"),
        (["--sizes", "0"], "must be a positive integer that Ki, Mi or Gi may follow, got '0'"),
        (["--sizes", "16,1KB"], "may follow, got '1KB'"),
        (["--dtypes", "int8"], "must be of float16, bfloat16, float32, float64, got 'int8'"),
        (["--directions", "up"], "argument --directions: must be of forward, backward, got 'up'"),
        (["--peers", "keras"], "argument --peers: must be of torch, onnxruntime, jax, numpy"),
        (["--threads", "0"], "argument --threads: must be an integer from 1 to 1024, got '0'"),
        (["--threads", "some"], "argument --threads: must be an integer from 1 to 1024"),
        (["--json", "nowhere/a.json"], "argument --json: must be a file in a directory"),
        (["--json", "a.txt"], "argument --json: must end with .json, got 'a.txt'"),
        (["--plot", "a.bmp"], "argument --plot: must end with .png, .svg, .pdf, got 'a.bmp'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_arguments_are_named_with_what_was_expected(arguments, message, capsys):
    with pytest.raises(SystemExit) as exit_:
        cli.main(["bench", *arguments])
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("module", ["rich", "matplotlib", "cpuinfo"])
def test_a_missing_extra_is_named_with_how_to_install_it(module, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, module, None)
    assert bench() == 1
    assert capsys.readouterr().err == (
        "fastact: the benchmarks need rich, matplotlib and py-cpuinfo; "
        "install them with: pip install 'fastact[bench]'\n"
    )


def test_a_backend_that_is_missing_is_named_with_how_to_install_it(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "numba", None)
    assert bench("--backend", "numba") == 1
    assert "pip install 'fastact[numba]'" in capsys.readouterr().err


def test_peers_that_are_missing_are_named_with_how_to_install_them(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    libraries, missing = peers.load(["torch", "numpy"])
    assert [library.name for library in libraries] == ["fastact", "numpy"]
    assert missing == ["torch"]
    text = printed([result(fastact=1.0, numpy=2.0)], missing)
    assert "Not installed: torch. pip install 'fastact[peers]'" in text


# --- what is said ------------------------------------------------------------------------------


def row_of(text, size):
    return next(line for line in text.splitlines() if re.search(rf"\b{size}\b", line))


def test_lost_cells_are_marked_and_only_these():
    text = printed(
        [
            result(CELL._replace(size=100), fastact=10.0, numpy=20.0, torch=30.0),
            result(CELL._replace(size=200), fastact=10.0, numpy=20.0, torch=9.0),
            result(CELL._replace(size=300), error=4.5, fastact=10.0, numpy=20.0, torch=30.0),
            result(CELL._replace(size=400), error=4.5, fastact=10.0, numpy=5.0, torch=30.0),
            result(CELL._replace(size=500), fastact=10.0),
        ]
    )
    endings = {size: row_of(text, size).split()[-1] for size in (100, 200, 300, 400, 500)}
    assert endings == {100: "2.00", 200: "<", 300: "!", 400: "<!", 500: "0.02"}
    assert row_of(text, 200).split()[-2] == "0.90"
    assert "mean of the ratios of 4 cells: 1.16. Lost: 2 slower than a peer, 2 wrong." in text


def test_times_are_per_element_and_bytes_are_those_read_and_written():
    cells_of_table = row_of(printed([result(fastact=1024.0, numpy=2048.0)]), "1,024").split()
    name, elements, ulp, gigabytes, own, numpy, ratio = cells_of_table
    assert (name, elements, ulp) == ("relu", "1,024", "0.00")
    assert (gigabytes, own, numpy, ratio) == ("8", "1", "2", "2.00")
    backward = result(CELL._replace(direction="backward", dtype="float64"), fastact=1024.0)
    assert row_of(printed([backward]), "1,024").split()[3] == "24"


def test_a_peer_that_is_wrong_is_told():
    measurements = {
        "fastact": Measurement(1.0, 1.0, 5, 1, 0.5),
        "torch": Measurement(2.0, 2.0, 5, 1, np.inf),
    }
    text = printed([Result(CELL, measurements)])
    assert "fastact 0.50 (relu forward, float32); torch inf (relu forward, float32)" in text


def test_markdown_stands_between_the_marks_of_the_readme():
    lost = result(CELL._replace(size=16), fastact=16.0, numpy=8.0)
    text = report.markdown(MACHINE, GRID, [lost, result(fastact=1024.0, numpy=2048.0)])
    lines = text.splitlines()
    assert (lines[0], lines[-1]) == report.README_MARKS
    assert "| forward, float32, 1 thread | 16 | 1,024 |" in lines
    assert "| relu | **<** 1 (0.50 numpy) | 1 (2.00 numpy) |" in lines
    assert "A Processor" in text
    if README.exists():
        begin, end = (
            README.read_text(encoding="utf-8").split(mark) for mark in report.README_MARKS
        )
        assert len(begin) == len(end) == 2


# --- how it is measured ------------------------------------------------------------------------


class Recorder(peers.Library):
    """Writes down whose turn it is."""

    def __init__(self, name, turns, offset=0.0):
        self.name = name
        self.turns = turns
        self.offset = np.float32(offset)

    def prepare(self, cell, arrays):
        def call(x):
            self.turns.append(self.name)
            return np.maximum(x, 0) + self.offset

        return peers.Call("result = f(x)", {"f": call, "x": arrays["x"]})


def test_libraries_take_turns(monkeypatch):
    monkeypatch.setattr(measure, "SAMPLE_NANOSECONDS", 0)  # one call is a sample
    turns = []
    libraries = [Recorder(name, turns) for name in ("fastact", "numpy", "torch")]
    effort = measure.Effort(seconds=0.0, least=4, most=9)
    measured = measure.measure(CELL, libraries, effort, "normal")
    assert {m.rounds for m in measured.measurements.values()} == {4}
    rounds = turns[-4 * 3 * 2 :]  # each sample after one call to warm up
    assert rounds == ["fastact", "fastact", "numpy", "numpy", "torch", "torch"] * 4


def test_a_fast_wrong_answer_is_found():
    libraries = [Recorder("fastact", [], 1e-3), Recorder("numpy", [])]
    measured = measure.measure(CELL, libraries, BRIEF, "normal")
    assert measured.is_wrong
    assert measured.is_lost
    assert measured.measurements["numpy"].error == 0


def test_every_call_in_place_meets_the_input_as_it_was():
    class Halving(peers.Library):
        name = "fastact"
        seen = ()

        def prepare(self, cell, arrays):
            def call(x):
                self.seen += (x[0],)
                x *= np.float32(0.5)

            return peers.Call("f(result)", {"f": call, "result": arrays["x"]})

    cell = CELL._replace(output="inplace")
    library = Halving()
    measured = measure.measure(cell, [library, peers.NumPy()], BRIEF, "normal")
    assert len(library.seen) == 5  # one to check, and two rounds with one to warm up
    assert set(library.seen) == {cells.operands(cell, "normal")["x"][0]}
    assert measured.measurements["numpy"].error == 0


def test_the_table_of_peers_is_that_of_the_command():
    assert tuple(peers.PEERS) == cli.BENCH_PEERS


@pytest.mark.parametrize("name", fa.names())
def test_the_calls_of_other_libraries_are_there(name):
    assert name in calls.CALLS, (
        f"{name} has no calls of other libraries: add them to fastact/bench/calls.py, "
        "Calls() if none has it"
    )


def test_there_are_no_calls_without_a_row_or_a_library():
    assert set(calls.CALLS) <= set(fa.names())
    assert calls.Calls._fields == tuple(peers.PEERS)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("peer", ["fastact", *peers.PEERS])
def test_every_call_of_a_library_is_the_function_of_its_name(peer, direction, dtype):
    library_type = peers.Fastact if peer == "fastact" else peers.PEERS[peer]
    for needed in library_type.modules:
        pytest.importorskip(needed)
    library = library_type()
    library.set_threads(fa.get_num_threads())
    n_calls = 0
    with library.context():
        for name in fa.names():
            for output in ("new", "out", "inplace"):
                cell = Cell(name, direction, dtype, 1024, 1, output)
                arrays = cells.operands(cell, "normal")
                call = library.prepare(cell, arrays)
                if (direction, dtype, output) == ("forward", "float32", "new"):
                    has_entry = getattr(calls.CALLS[name], peer, "fastact") is not None
                    assert has_entry == (call is not None), name
                if call is not None:
                    n_calls += 1
                    truth = cells._truth(name, direction, dtype, "normal")[:1024]
                    answer = measure._result(call)
                    assert answer.dtype == arrays[cell.arguments[0]].dtype
                    np.testing.assert_allclose(answer, truth, rtol=1e-4, atol=1e-5, err_msg=name)
    # A table of peers would be empty without notice.
    assert n_calls >= 25 if direction == "forward" or peer != "onnxruntime" else n_calls == 0


# --- what is right -----------------------------------------------------------------------------


def error_of(change, size=200_000, activation="sigmoid", inputs="normal"):
    """Return the largest error found after a change to correctly rounded results."""
    cell = CELL._replace(activation=activation, size=size)
    truth = cells._truth(activation, "forward", "float32", inputs)
    answer = np.resize(truth.astype(np.float32), size)
    change(answer)
    return cells.largest_error(cell, inputs, answer)


def set_to(at, value):
    return lambda y: y.__setitem__(at, value)


def test_rounded_results_are_within_half_an_ulp():
    assert 0.45 < error_of(lambda y: None) <= 0.5


@pytest.mark.parametrize("at", [0, cells.PERIOD - 1, cells.PERIOD, 199_999])
def test_one_wrong_element_is_found_wherever_it_is(at):
    def change(y):
        y.view(np.int32)[at] += 10

    assert 9.5 <= error_of(change) <= 10.5


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_special_value_for_a_number_is_infinitely_wrong(wrong):
    assert error_of(set_to(5, wrong)) == np.inf


def test_a_number_for_a_special_value_is_infinitely_wrong():
    x = cells.operands(CELL._replace(size=cells.PERIOD), "special")["x"]
    for special in (np.isnan(x), np.isposinf(x)):
        at = np.flatnonzero(special)[0]
        assert error_of(set_to(at, 7), cells.PERIOD, "relu", "special") == np.inf
    assert error_of(lambda y: None, cells.PERIOD, "relu", "special") == 0


def test_subnormal_results_may_err_by_the_smallest_normal_number():
    x = cells.operands(CELL._replace(size=cells.PERIOD), "subnormal")["x"]
    at = np.flatnonzero((x > 0) & (x < np.finfo(np.float32).tiny))[0]
    tiny = np.finfo(np.float32).tiny
    flushed = error_of(set_to(at, 0), cells.PERIOD, "relu", "subnormal")
    far = error_of(set_to(at, 3 * tiny), cells.PERIOD, "relu", "subnormal")
    assert flushed == 0
    assert far > 1e6


@pytest.mark.parametrize("inputs", cells.INPUTS)
@pytest.mark.parametrize("name", fa.names())
def test_fastact_is_right_on_all_inputs(name, inputs):
    """At most the 4 ulp of the function, and what the product with the gradient adds."""
    for direction in ("forward", "backward"):
        cell = Cell(name, direction, "float32", cells.PERIOD, 1, "new")
        library = peers.Fastact()
        answer = measure._result(library.prepare(cell, cells.operands(cell, inputs)))
        assert cells.largest_error(cell, inputs, answer) <= (4 if direction == "forward" else 5)
