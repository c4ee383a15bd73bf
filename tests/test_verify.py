"""The command verify: every activation keeps the bounds, and what does not is found."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import numpy as np
import pytest

import fastact as fa
from fastact import cli, config, measured_errors, verify
from fastact.verify import Case, Found, Worst

#: Some 4,000 inputs, in this process, where functions can be replaced.
COARSE = ["--stride", "1000003", "--jobs", "1"]
INFINITE = float("inf")


def run(*arguments):
    return cli.main(["verify", *COARSE, *arguments])


def rows(document):
    return {(row["activation"], row["direction"], row["precision"]): row for row in document}


def sweep(case, x):
    """Return what is found among some inputs."""
    settings = fa.use_backend(case.backend), fa.use_precision(case.precision)
    with settings[0], settings[1], np.errstate(all="ignore"):
        return verify._sweep_block(case, np.asarray(x, np.float32), 0.0)


def case(name="silu", direction="forward", backend="numpy", precision="faithful", stride=1):
    return Case(name, direction, backend, precision, "numpy", stride)


def replace_results(monkeypatch, change):
    """Let ``change(x, result)`` spoil the results of every float32 function."""
    right = Case.function.fget

    def function_of(self):
        def function(x, **keywords):
            result = right(self)(x, **keywords)
            return change(x, result) if x.dtype == np.float32 else result

        return function

    monkeypatch.setattr(Case, "function", property(function_of))


def between(low, high, wrong):
    """Return a change of the results where ``low < x < high``."""
    return lambda x, result: np.where((low < x) & (x < high), wrong(result), result)


def steps(number):
    """Return a function that moves results so many float32 numbers away from zero."""
    return lambda result: (result.view(np.uint32) + np.uint32(number)).view(np.float32)


# --- the command -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", fa.names())
def test_every_activation_keeps_the_bounds(name, capsys):
    assert run(name) == 0
    printed = capsys.readouterr().out
    assert "All errors are within their bounds." in printed
    assert len(re.findall(rf"^{name}(\.grad)? ", printed, re.MULTILINE)) in (2, 4)


def test_every_backend_keeps_the_bounds(backend):
    assert run("elu", "hard_swish", "--backends", backend) == 0


def test_in_processes_from_end_to_end_without_a_terminal(tmp_path):
    arguments = ["silu", "--stride", "100003", "--jobs", "2", "--json", "figures.json"]
    process = subprocess.run(
        [sys.executable, "-m", "fastact", "verify", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (process.returncode, process.stderr) == (0, "")
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", process.stdout)
    assert "42,949 of 4,294,967,296 float32 inputs" in process.stdout
    assert json.loads((tmp_path / "figures.json").read_text())["within_bounds"]


def test_processes_find_what_one_finds(tmp_path):
    arguments = ["verify", "gelu", "--stride", "100003", "--json"]
    found = []
    for jobs in ("1", "2"):
        assert cli.main([*arguments, str(tmp_path / "figures.json"), "--jobs", jobs]) == 0
        figures = json.loads((tmp_path / "figures.json").read_text())["rows"]
        found.append([row | {"seconds": 0} for row in figures])
    assert found[0] == found[1]


def test_json_holds_every_figure(tmp_path):
    assert run("mish", "relu", "--json", str(tmp_path / "figures.json")) == 0
    document = json.loads((tmp_path / "figures.json").read_text())
    assert document["schema"] == 1
    assert document["inputs"] == 4295
    assert document["stride"] == 1_000_003
    assert document["configuration"]["versions"]["fastact"] == fa.__version__
    assert document["within_bounds"] is True
    for row in document["rows"]:
        assert row["backend"] == config.backend_name("auto")
        assert row["within_bounds"] is True
        assert row["seconds"] > 0
        place = row["largest_error_ulp"]
        assert (place is None) == (row["misrounded"] == 0)
        if place is not None:
            x = np.uint32(int(place["bits"], 16)).view(np.float32)
            assert str(x) == place["x"]
            assert 0.5 < place["error"] <= row["bound_ulp"]


@pytest.mark.skipif(config.cython_backend is None, reason="records are of the Cython backend")
def test_records_are_merged(tmp_path):
    """What was swept replaces its record, and others stay; Cython's errors are recorded alone."""
    file = tmp_path / "errors.json"
    assert run("mish", "relu", "--record", str(file)) == 0
    before = dict(measured_errors.load(file))
    assert set(before) == {
        f"{name}/{function}/float32-{precision}"
        for name, precision in (("mish", "fast"), ("mish", "faithful"), ("relu", "faithful"))
        for function in ("value", "grad")
    }
    record = before["mish/grad/float32-fast"]
    assert 0.5 < record["ulp"] <= 4
    assert record["inputs"] == 4295
    assert 0 < record["subnormal"] <= 1
    assert record["misrounded"] > 0
    assert record["fastact"] == fa.__version__
    assert before["relu/value/float32-faithful"]["ulp"] == 0.5

    arguments = ["verify", "mish", "--stride", "10000019", "--precision", "fast"]
    arguments += ["--backends", "cython,numpy", "--directions", "grad", "--record", str(file)]
    assert cli.main(arguments) == 0
    after = measured_errors.load(file)
    assert {key for key in after if after[key] != before[key]} == {"mish/grad/float32-fast"}
    assert after["mish/grad/float32-fast"]["inputs"] == 430


def test_errors_of_other_backends_are_not_recorded(tmp_path, capsys):
    assert run("mish", "--backends", "numpy", "--record", str(tmp_path / "errors.json")) != 0
    assert "--backends cython" in capsys.readouterr().err


def test_without_rich_there_is_no_bar_but_all_rows(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert run("relu") == 0
    output = capsys.readouterr()
    assert "relu.grad" in output.out
    assert output.err == ""


def test_on_a_terminal_the_bar_leaves_the_rows_alone(monkeypatch, capsys):
    pytest.importorskip("rich")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert run("relu") == 0
    assert "relu.grad" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rely"], "argument NAME: must be of identity, "),
        (["--stride", "0"], "argument --stride: must be an integer from 1 to 4294967295, got '0'"),
        (["--exhaustive"], "argument --exhaustive: not allowed with argument --stride"),
        (["--backends", "torch"], "backend must be one of auto, cython, numba, numpy, got 'torch'"),
        (["--directions", "back"], "argument --directions: must be of forward, grad, got 'back'"),
        (["--precision", "exact"], "argument --precision: invalid choice: 'exact'"),
        (["--truth", "mpmath"], "argument --truth: verify: backend must be one of"),
        (["--jobs", "0"], "argument --jobs: must be an integer from 1 to 1024, got '0'"),
        (["--json", "a.txt"], "argument --json: must end with .json, got 'a.txt'"),
    ],
)
def test_wrong_arguments_are_named_with_what_was_expected(arguments, message, capsys):
    with pytest.raises(SystemExit) as exit_:
        run(*arguments)
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err


def test_a_backend_that_is_missing_is_named_with_how_to_install_it(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(SystemExit) as exit_:
        run("--backends", "numba")
    assert exit_.value.code == 2
    assert "pip install 'fastact[numba]'" in capsys.readouterr().err


# --- what is wrong is found --------------------------------------------------------------------


@pytest.mark.parametrize("precision", config.PRECISIONS)
@pytest.mark.parametrize("direction", ["forward", "grad"])
def test_five_ulp_are_found_and_where_they_are(direction, precision, monkeypatch, capsys, tmp_path):
    replace_results(monkeypatch, between(1.0, 1.5, steps(5)))
    file = tmp_path / "figures.json"
    arguments = ["--directions", direction, "--precision", precision, "--json", str(file)]
    assert run("sigmoid", *arguments) == 1
    printed = capsys.readouterr().out
    label = {"forward": "sigmoid", "grad": "sigmoid.grad"}[direction]
    assert f"Above the bound: {label}, {config.backend_name('auto')}, {precision}: " in printed
    (row,) = json.loads(file.read_text())["rows"]
    place = row["largest_error_ulp"]
    assert row["within_bounds"] is False
    assert 4 < place["error"] < 9
    assert 1.0 < float(place["x"]) < 1.5
    assert f"at {place['bits']} = {place['x']}" in printed


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -1.0])
@pytest.mark.parametrize("precision", config.PRECISIONS)
def test_a_value_that_is_all_wrong_is_found(wrong, precision, monkeypatch, capsys):
    replace_results(monkeypatch, between(-100.0, -80.0, lambda result: np.float32(wrong)))
    assert run("silu", "--precision", precision, "--directions", "forward") == 1
    where = re.search(r"Above the bound: silu, .* at 0x\w{8} = (\S+?),? ", capsys.readouterr().out)
    assert -100.0 < float(where[1]) < -80.0


def test_a_wrong_function_without_an_exponential_is_found(monkeypatch, capsys):
    replace_results(monkeypatch, between(3.0, 4.0, steps(2)))
    assert run("relu", "--precision", "fast") == 1
    assert "relu, " in capsys.readouterr().out


def test_nan_for_nan_is_right_and_a_number_is_wrong(monkeypatch):
    assert sweep(case(), [np.nan, 1.0]) == Found()
    replace_results(monkeypatch, lambda x, result: np.where(np.isnan(x), np.float32(0), result))
    assert sweep(case(), [1.0, np.nan]).normal == Worst(INFINITE, 0x7FC00000)


def test_an_infinite_error_is_null_in_json():
    assert verify._place(Worst(INFINITE, 1)) == {"error": None, "bits": "0x00000001", "x": "1e-45"}


@pytest.mark.skipif(config.cython_backend is None, reason="NumPy has one precision")
def test_a_subnormal_truth_has_an_absolute_bound_in_fast_precision_only(monkeypatch):
    """silu(-90) is -7e-38 and silu(-100) is -4e-42, subnormal."""
    replace_results(monkeypatch, between(-101.0, -99.0, lambda result: np.float32(0)))
    lost = sweep(case(backend="cython", precision="fast"), [-100.0])
    assert lost.normal.error == 0
    assert 0 < lost.subnormal.error < 1
    strict = sweep(case(precision="faithful"), [-100.0])
    assert strict.normal.error > 1000
    assert strict.subnormal == Worst()


# --- errors and inputs -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "truth", "error"),
    [
        (1.0, 1.0, 0.0),
        (1.0 + 2.0**-22, 1.0, 2.0),
        (1.0, 1.0 - 2.0**-24, 1.0),
        (-1.0, -1.0 - 2.0**-24, 0.5),
        (2.0**-149, 0.0, 1.0),
        (0.0, 2.0**-150, 0.5),
        (np.inf, 2.0**128 - 2.0**103, 0.5),
        (np.inf, 1.0, (2.0**128 - 1.0) * 2.0**23),
        (2.0**127, np.inf, INFINITE),
        (np.nan, 1.0, INFINITE),
        (1.0, np.nan, INFINITE),
    ],
)
def test_errors_are_in_ulp_of_the_truth(result, truth, error):
    with np.errstate(all="ignore"):
        assert verify._ulp_error(np.float32([result]), np.array([truth])) == error


@pytest.mark.parametrize("part", [-0.49, -0.24, 0.0, 0.49])
@pytest.mark.parametrize("largest", [0.0, 1.0, 2.5, 4.0, 7.0])
def test_the_filter_lets_every_larger_error_pass(largest, part):
    """Also across powers of two, next to zero and at infinity."""
    bases = np.float32([1, 2, 2.0**-126, 2.0**-149, 3.5, 2.0**127, np.inf]).view(np.uint32)
    around = np.arange(-9, 10)
    bits = np.add.outer(bases, around)
    nearest, result = np.broadcast_arrays(bits[..., np.newaxis], np.add.outer(bits, around))
    nearest, result = (bits.astype(np.uint32).view(np.float32) for bits in (nearest, result))
    result = np.where(np.isnan(result), np.float32(np.nan), result)  # no loop makes another
    with np.errstate(all="ignore"):
        truth = nearest + part * np.spacing(nearest).astype(np.float64)
        errors = verify._ulp_error(result, truth)
        is_rounded = truth.astype(np.float32) == nearest
    steps = verify._steps(result, nearest)
    above = is_rounded & (errors > largest) & (steps != 0)
    assert above.any()
    assert verify._may_be_above(largest, steps, nearest)[above].all()


@pytest.mark.parametrize("stride", [10_007, 65_536, 2**32 - 1])
def test_every_nth_bit_pattern_is_swept_once(stride, monkeypatch):
    seen = []

    def record(case, x, largest):
        seen.append(x.view(np.uint32).copy())
        return Found()

    monkeypatch.setattr(verify, "_sweep_block", record)
    verify._sweep(case(stride=stride), 3, map, lambda label, cases: None)
    np.testing.assert_array_equal(np.concatenate(seen), np.arange(0, 2**32, stride))


def test_what_is_the_same_in_both_precisions_is_swept_once():
    both = verify.cases(
        ["relu", "silu"], ["forward"], ["cython", "numpy"], config.PRECISIONS, "numpy", 1
    )
    assert [(c.name, c.backend, c.precision) for c in both] == [
        ("relu", "cython", "faithful"),
        ("relu", "numpy", "faithful"),
        ("silu", "cython", "fast"),
        ("silu", "cython", "faithful"),
        ("silu", "numpy", "faithful"),
    ]
    bounds = [c._replace(precision="fast").bound for c in both]
    assert bounds == [1.0, 1.0, 4.0, 4.0, 1.0]
