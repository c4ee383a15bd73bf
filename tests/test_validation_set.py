"""The tables in validation_set: all there, fresh, right, and every backend agrees with them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from inputs import DEFAULT_CASES, Case, integer_type
from scripts import load_tool

import fastact as fa
from fastact import config

ROOT = Path(__file__).resolve().parent.parent
SMALLEST_NORMAL = 2.0**-126


tool = load_tool("write_validation_set")
GELU = next(case for case in DEFAULT_CASES if case.row.name == "gelu")
each_case = pytest.mark.parametrize("case", DEFAULT_CASES, ids=str)
each_function = pytest.mark.parametrize("function", tool.SUFFIXES)


class Part(NamedTuple):
    """The lines of a table that have one dtype."""

    x: np.ndarray
    y: np.ndarray
    tolerance: np.ndarray


def parse(text: str) -> dict[str, Part]:
    """Return the parts of a table by dtype."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert lines[0] == "dtype,input,output,ulperrortol"
    rows = [line.split(",") for line in lines[1:]]
    return {
        dtype: _part(dtype, [row for row in rows if row[0] == f"np.{dtype}"])
        for dtype in tool.DTYPES
    }


def _part(dtype: str, rows: list[list[str]]) -> Part:
    unsigned = f"u{np.dtype(dtype).itemsize}"
    _, inputs, outputs, tolerances = zip(*rows, strict=True)
    x, y = (
        np.array([int(text, 16) for text in column], unsigned).view(dtype)
        for column in (inputs, outputs)
    )
    return Part(x, y, np.array(tolerances, int))


def read(case: Case, function: str) -> dict[str, Part]:
    return parse(tool.path(case.row.name, function).read_text(encoding="utf-8"))


def disagreements(part: Part, result: np.ndarray, case: Case, precision: str) -> np.ndarray:
    """Return the indices of results that are too far from the table."""
    steps = np.abs(_order(result) - _order(part.y)).astype(float)
    allowed = part.tolerance.astype(float)
    if part.x.dtype == np.float32 and precision == "fast" and not case.row.exponential_free:
        allowed[:] = 4
        # At the smallest normal number itself, the true value may lie below.
        allowed[np.abs(part.y) <= SMALLEST_NORMAL] = SMALLEST_NORMAL / 2.0**-149
    is_right = (steps <= allowed) & (np.signbit(result) == np.signbit(part.y))
    both_nan = np.isnan(result) & np.isnan(part.y)
    return np.flatnonzero(~np.where(np.isnan(part.y) | np.isnan(result), both_nan, is_right))


def _order(x: np.ndarray) -> np.ndarray:
    """Return integers that count the steps between floats; the two zeros are one."""
    integers = x.view(integer_type(x.dtype)).astype(object)
    return np.where(integers < 0, -(integers + (1 << (8 * x.dtype.itemsize - 1))), integers)


@each_case
@each_function
def test_each_activation_has_a_fresh_table(case: Case, function: str) -> None:
    file = tool.path(case.row.name, function)
    command = f"{tool.COMMAND} {case.row.name}"
    assert file.exists(), f"{file.name} is missing; make it with: {command}"
    assert file.read_text(encoding="utf-8") == tool.table(case, function), (
        f"{file.name} is stale; refresh it with: {command}"
    )


def test_no_table_is_left_over() -> None:
    expected = {tool.path(case.row.name, f) for case in DEFAULT_CASES for f in tool.SUFFIXES}
    left_over = set(tool.DIRECTORY.glob("*.csv")) - expected
    assert not left_over, f"no activation is called so: {sorted(f.name for f in left_over)}"


@each_case
@each_function
def test_every_backend_agrees(case: Case, function: str, backend: str, precision: str) -> None:
    compute = case.activation if function == "value" else case.activation.grad
    for dtype, part in read(case, function).items():
        result = compute(part.x, *case.parameters, backend=backend, precision=precision)
        wrong = disagreements(part, result, case, precision)
        assert not wrong.size, (
            f"{case.row.name}, {function}, {dtype}: f({part.x[wrong[:5]]}) is {part.y[wrong[:5]]}, "
            f"got {result[wrong[:5]]}"
        )


@each_case
@each_function
def test_a_table_has_the_points_that_matter(case: Case, function: str) -> None:
    for dtype, part in read(case, function).items():
        info = np.finfo(dtype)
        assert {0, info.smallest_subnormal, info.tiny, info.max, np.inf} <= set(np.abs(part.x))
        assert np.isnan(part.x).any()
        assert np.signbit(part.x[part.x == 0]).any()
        magnitudes = np.abs(part.x[np.isfinite(part.x) & (part.x != 0)])
        near = np.unique(np.frexp(magnitudes)[1])
        assert set(range(max(-info.nmant - 2, info.minexp + 1), 12)) <= set(near)


@pytest.mark.parametrize("dtype", tool.DTYPES)
def test_ties_are_broken_by_the_second_term(dtype: str) -> None:
    """The smallest number x: gelu(x) is x / 2 and a little more, for -x a little less."""
    smallest = np.finfo(dtype).smallest_subnormal
    up, down = (tool.output(GELU, "value", x) for x in np.array([smallest, -smallest], dtype))
    assert up == smallest
    assert down == 0
    assert np.signbit(down)


# --- the tests, tested -------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", tool.DTYPES)
@pytest.mark.parametrize("precision", config.PRECISIONS)
def test_an_altered_line_is_found(dtype: str, precision: str) -> None:
    """A result one step too far, a zero of the wrong sign, a number for NaN."""
    part = read(GELU, "value")[dtype]
    is_fast = dtype == "float32" and precision == "fast"
    beyond = 5 if is_fast else int(part.tolerance[0]) + 1
    one = np.flatnonzero(part.x == 1)[0]
    zero = np.flatnonzero(part.x == -np.inf)[0]
    nan = np.flatnonzero(np.isnan(part.x))[0]
    altered = part.y.copy()
    altered.view(integer_type(dtype))[one] += beyond
    altered[zero] = 0.0
    altered[nan] = 1.0
    assert not disagreements(part, part.y, GELU, precision).size
    found = disagreements(part._replace(y=altered), part.y, GELU, precision)
    assert set(found) == {one, zero, nan}


def test_fast_precision_may_be_off_by_the_smallest_normal_number_below_it() -> None:
    subnormal = np.array([2.0**-127], np.float32)
    part = Part(np.array([-13.3], np.float32), -subnormal, np.array([1]))
    for result, is_right in ((-0.0, True), (-(2.0**-126), True), (-1.6 * 2.0**-126, False)):
        found = disagreements(part, np.array([result], np.float32), GELU, "fast")
        assert (found.size == 0) == is_right
        assert disagreements(part, np.array([result], np.float32), GELU, "faithful").size


def test_the_check_finds_a_stale_table(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(tool, "DIRECTORY", tmp_path)
    assert len(tool._refresh(True, GELU)) == 2
    tool._refresh(False, GELU)
    assert tool._refresh(True, GELU) == []
    file = tool.path("gelu", "grad")
    file.write_text(file.read_text().replace("0x3800,0", "0x3801,0", 1))
    assert tool._refresh(True, GELU) == [file.name]


def test_an_unknown_name_is_refused(capsys) -> None:
    assert tool.main(["--check", "softmaxx"]) == 2
    assert "python tools/write_validation_set.py" in capsys.readouterr().out


def test_the_reader_of_numpy_reads_the_tables() -> None:
    """As in test_umath_accuracy.py of NumPy, whose format this is."""
    with tool.path("gelu", "value").open() as file:
        data = np.genfromtxt(
            (line for line in file if line[0] not in ("$", "#")),
            dtype=("|S39", "|S39", "|S39", int),
            names=("type", "input", "output", "ulperr"),
            delimiter=",",
            skip_header=1,
        )
    data = data[data["type"] == b"np.float32"]
    x, y = (
        np.array([int(text, 16) for text in data[column]], np.uint32).view(np.float32)
        for column in ("input", "output")
    )
    result = fa.gelu(x, precision="faithful")
    np.testing.assert_array_max_ulp(result, y, data["ulperr"].max())
