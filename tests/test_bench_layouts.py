"""``fastact bench --layouts``: what is called and compared, what is printed, and how it fails."""

from __future__ import annotations

import io
import json
import sys
from itertools import islice

import numpy as np
import pytest

import fastact as fa
from fastact import cli

pytest.importorskip("cpuinfo")
pytest.importorskip("matplotlib")
pytest.importorskip("rich")

from rich.console import Console

from fastact.bench import layout_report, layouts, report
from fastact.bench.layouts import Case, Result, Timing
from fastact.bench.measure import Effort

#: Two rounds.
BRIEF = Effort(seconds=0.0, least=2, most=2)
CASE = Case("[:, ::2] of 64 x 512", "relu", "float32", 1)
MACHINE = report.Machine(
    "A Processor",
    2,
    "An-OS",
    {"fastact": "1"},
    {"settings": {"backend": "auto", "precision": "fast"}, "extension": {}},
)
DTYPES = ["float32", "float64", "float16", "bfloat16"]


def result(own, peer, is_same=True, **changes):
    """Return a case in which fastact and the ufunc take so many nanoseconds."""
    timings = [Timing(time, time, 5, 1) for time in (own, peer)]
    return Result(CASE._replace(**changes), 16384, *timings, is_same)


def printed(results):
    console = Console(file=io.StringIO(), width=120, markup=False)
    console.print(*layout_report.terminal(MACHINE, results), sep="\n")
    return console.file.getvalue()


# --- what is called ----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_both_calls_compute_the_function(dtype):
    if dtype == "bfloat16":
        pytest.importorskip("ml_dtypes")
    cases = [case for case in layouts.cases([dtype], 1) if "Mi" not in case.layout]
    for case in cases:
        duel = layouts.prepare(case)
        with np.errstate(all="ignore"):
            assert layouts.is_same(case, duel.own), case
            # Copies, because both calls may write into the same output.
            own, peer = (layouts._evaluate(call) for call in duel)
        assert own.dtype == peer.dtype, case
        tolerance = 0.02 if dtype == "bfloat16" else 2e-3
        np.testing.assert_allclose(
            own.astype(float), peer.astype(float), tolerance, 1e-5, err_msg=str(case)
        )


def test_every_layout_function_and_further_dtype_is_measured():
    cases = layouts.cases(["float32"], 1)
    assert len(set(cases)) == len(cases)
    assert {case.layout for case in cases} == set(layouts.LAYOUTS)
    assert {case.dtype for case in cases} == {"float32", *layouts.FURTHER_DTYPES}
    missing = set() if "scipy" in layouts.libraries() else {"sigmoid"}
    assert {case.activation for case in cases} == set(layouts.FUNCTIONS) - missing


def test_without_scipy_the_others_are_measured(monkeypatch):
    monkeypatch.setattr(layouts, "find_spec", lambda name: None if name == "scipy" else name)
    activations = {case.activation for case in layouts.cases(["float32"], 1)}
    assert activations == set(layouts.FUNCTIONS) - {"sigmoid"}


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("[:, ::2] of 64 x 512", lambda x: x.strides == (2048, 8)),
        ("[::-1, ::-1] of 64 x 512", lambda x: x.strides == (-2048, -4)),
        ("row broadcast to 64 x 512", lambda x: x.strides == (0, 4)),
        ("column broadcast to 64 x 512", lambda x: x.strides == (4, 0)),
        ("F order, 64 x 512", lambda x: x.flags.f_contiguous and not x.flags.c_contiguous),
        ("NHWC view of 2 x 32 x 28 x 28", lambda x: x.shape == (2, 28, 28, 32)),
        ("byte-swapped, 64 x 512", lambda x: not x.dtype.isnative),
        ("unaligned, 64 x 512", lambda x: not x.flags.aligned),
        ("0-d array", lambda x: x.shape == () and isinstance(x, np.ndarray)),
        ("NumPy scalar", lambda x: type(x) is np.float32),
        ("Python float", lambda x: type(x) is float),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_layout_is_as_its_name_says(name, holds):
    assert holds(layouts.LAYOUTS[name].make("float32"))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda y: y.astype(np.float64),
        lambda y: y[:-1],
        lambda y: y + np.float32(1e-6) * (y == y.max()),
        lambda y: np.where(y == 0, np.float32(-0.0), y),
    ],
    ids=["dtype", "shape", "one element", "sign of zero"],
)
def test_a_result_unlike_the_contiguous_one_is_found(spoil):
    call = layouts.prepare(CASE).own
    assert layouts.is_same(CASE, call)

    def wrong(x):
        y = fa.relu(x)
        return y if x.flags.c_contiguous else spoil(y)

    assert not layouts.is_same(CASE, call._replace(names=call.names | {"f": wrong}))


# --- how it is measured ------------------------------------------------------------------------


def test_calls_take_turns_in_pairs_in_an_order_drawn_anew():
    effort = Effort(seconds=0.0, least=20, most=50)
    turns = layouts._turns(5, effort)
    rounds = [list(islice(turns, 10)) for _ in range(effort.least)]
    assert next(turns, None) is None  # the time is over
    assert all(sorted(turn) == list(range(10)) for turn in rounds)
    pairs = [tuple(turn[i : i + 2]) for turn in rounds for i in range(0, 10, 2)]
    assert {(low // 2, high // 2) for low, high in pairs} == {(i, i) for i in range(5)}
    assert {low % 2 for low, _ in pairs} == {0, 1}
    assert len(set(map(tuple, rounds))) > 10


def test_figures_are_those_of_the_calls(monkeypatch):
    cases = [CASE, CASE._replace(layout="Python float", activation="tanh")]
    results = layouts.measure_all(cases, BRIEF)
    assert [found.case for found in results] == cases
    assert [found.size for found in results] == [16384, 1]
    for found in results:
        assert found.is_same
        for timing in (found.own, found.peer):
            assert timing.rounds == 2
            assert 10 < timing.minimum <= timing.median < 1e8
        assert found.ratio == found.peer.median / found.own.median


# --- what is said ------------------------------------------------------------------------------


def test_lost_calls_are_marked_and_the_worst_is_named():
    results = [
        result(100.0, 200.0),
        result(100.0, 90.0, activation="tanh"),
        result(100.0, 300.0, is_same=False, activation="sigmoid"),
        result(100.0, 25.0, is_same=False, layout="0-d array", dtype="int32"),
    ]
    text = printed(results)
    rows = [line.split() for line in text.splitlines() if "16,384" in line]
    assert [row[-1] for row in rows] == ["2", "<", "!", "<!"]
    assert "Lost: 2 slower than the ufunc, 2 wrong." in text
    assert "Worst ratio: 0.25, relu beside numpy.maximum, 0-d array, int32, 1 thread." in text
    page = layout_report.markdown(MACHINE, results)
    assert "| float32, 1 thread | tanh | sigmoid | relu |" in page
    assert "| [:, ::2] of 64 x 512 | **<** 100 (0.9) | **!** 100 (3) | 100 (2) |" in page


def test_names_fit_into_the_table():
    cases = layouts.cases(["float32"], 12)
    text = printed([result(2e7, 12345.0, is_same=False, **case._asdict()) for case in cases])
    assert "…" not in text
    for case in cases:
        assert case.layout in text
        assert layouts.FUNCTIONS[case.activation].peer_call in text


@pytest.mark.parametrize(
    ("least", "results", "fails"),
    [
        (0.4, [result(2.0, 1.0), result(1.0, 9.0)], False),
        (0.6, [result(2.0, 1.0), result(1.0, 9.0)], True),
        (0.1, [result(1.0, 9.0, is_same=False)], True),
    ],
    ids=["worst above", "worst below", "wrong"],
)
def test_the_worst_ratio_decides(least, results, fails):
    assert layout_report.summary(results).fails(least) == fails


# --- the command -------------------------------------------------------------------------------


@pytest.fixture
def few(monkeypatch):
    """Measure two layouts, briefly."""
    names = ("[:, :128] of 4 x 512", "out=(y,), 16")
    monkeypatch.setattr(layouts, "LAYOUTS", {name: layouts.LAYOUTS[name] for name in names})
    monkeypatch.setattr(layouts, "SLICES", names[:1])
    monkeypatch.setattr(layouts, "QUICK", BRIEF)


def bench(*arguments):
    return cli.main(["bench", "--layouts", "--quick", *arguments])


def test_tables_and_json_hold_every_case(few, tmp_path, capsys):
    file = tmp_path / "a.json"
    before = fa.show_config("dicts")["settings"]
    assert bench("--threads", "1,2", "--dtypes", "float64", "--json", str(file)) == 0
    assert fa.show_config("dicts")["settings"] == before
    text = capsys.readouterr().out
    document = json.loads(file.read_text())
    cases = [case for threads in (1, 2) for case in layouts.cases(["float64"], threads)]
    assert document["schema"] == 1
    assert document["machine"]["versions"].keys() == {"fastact", "python", *layouts.libraries()}
    assert document["summary"]["cases"] == len(document["layouts"]) == len(cases)
    for case, figures in zip(cases, document["layouts"], strict=True):
        assert case.table in text
        assert figures.items() >= case._asdict().items()
        libraries = figures["libraries"]
        assert set(libraries) == {"fastact", figures["peer"].partition(".")[0]}
        medians = [timing["median_ns"] for timing in libraries.values()]
        assert figures["ratio"] == medians[1] / medians[0]
        assert not figures["wrong"]


@pytest.mark.parametrize(("ratio", "status"), [("1e-9", 0), ("1e9", 1)])
def test_fail_below_sets_the_status(few, ratio, status, capsys):
    assert bench("--threads", "1", "--format", "markdown", "--fail-below", ratio) == status
    assert "| [:, :128] of 4 x 512 | " in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--activations", "gelu"],
        ["--directions", "backward"],
        ["--sizes", "16"],
        ["--output", "out"],
        ["--inputs", "special"],
        ["--peers", "numpy"],
        ["--plot", "a.png"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_options_that_choose_cells_are_refused(arguments, capsys):
    with pytest.raises(SystemExit) as exit_:
        bench(*arguments)
    assert exit_.value.code == 2
    message = f"argument {arguments[0]}: not allowed with argument --layouts"
    assert message in capsys.readouterr().err


def test_the_options_are_those_of_the_command():
    arguments = cli._parser().parse_args(["bench"])
    assert all(hasattr(arguments, name) for name in cli.BENCH_CELL_OPTIONS)


def test_a_backend_that_is_missing_is_named_with_how_to_install_it(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "numba", None)
    assert bench("--backend", "numba") == 1
    assert "pip install 'fastact[numba]'" in capsys.readouterr().err
