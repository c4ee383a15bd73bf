"""``fastact plot``, and what is made of it: the gallery, and the page of all activations."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scripts import load_tool
from test_layouts import Complete

import fastact as fa
from fastact import cli
from fastact.catalogue import ROWS

pytest.importorskip("matplotlib")

from matplotlib.backends.backend_agg import FigureCanvasAgg

from fastact import plot

ROOT = Path(__file__).resolve().parent.parent
GALLERY = ROOT / "docs" / "gallery"
GALLERY_COMMAND = "python -m fastact plot --all --directory docs/gallery"
over_rows = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def drawn(name, drawn_range=(-8.0, 8.0), **parameters):
    """Return the axes of the function and of the derivative."""
    curve = plot._curve(fa.get(name), parameters)
    return plot.functions_and_derivatives([curve], drawn_range).axes


def markers(axes):
    """Return {(x, y, whether it is filled)} of the dots."""
    return {
        (float(line.get_xdata()[0]), float(line.get_ydata()[0]), line.get_markerfacecolor())
        for line in axes.lines
        if line.get_marker() == "o"
    }


# --- the drawing -------------------------------------------------------------------------------


@over_rows
def test_every_activation_draws_as_it_computes(row):
    function, derivative = drawn(row.name)
    activation = fa.get(row.name)
    defaults = [parameter.default for parameter in row.parameters]
    for axes, verb in ((function, activation), (derivative, activation.grad)):
        for line in axes.lines:
            if line.get_marker() != "o":
                np.testing.assert_array_equal(line.get_ydata(), verb(line.get_xdata(), *defaults))


@over_rows
def test_every_kink_is_marked(row):
    """By one filled dot, where the derivative is, and by an open one at each other limit.

    Unless the defaults leave no jump, as those of elu.
    """
    function, derivative = drawn(row.name)
    color = function.lines[0].get_color()
    filled = {(x, y) for x, y, face in markers(derivative) if face == color}
    opened = {(x, y) for x, y, face in markers(derivative) if face == "white"}
    grad = Complete(fa.get(row.name).grad)
    points = [point for point, _ in row.kinks_at(row.defaults)]
    jumps = [point for point in points if abs(grad(point + 1e-6) - grad(point - 1e-6)) > 1e-3]
    assert filled == {(point, grad(point)) for point in jumps}
    assert {x for x, _ in opened} == {x for x, _ in filled}
    assert not opened & filled


def test_a_jump_of_the_derivative_is_not_joined_by_a_line():
    function, derivative = drawn("relu", (-2.0, 2.0))
    left, right, *_ = derivative.lines
    assert left.get_xdata().max() < 0 < right.get_xdata().min()
    assert set(left.get_ydata()) == {0.0}
    assert set(right.get_ydata()) == {1.0}
    assert markers(derivative) == {(0.0, 0.0, left.get_color()), (0.0, 1.0, "white")}
    assert not markers(function)


def test_a_kink_that_parameters_take_away_is_not_marked():
    assert markers(drawn("leaky_relu", negative_slope=0.5)[1])
    assert not markers(drawn("leaky_relu", negative_slope=1.0)[1])


def test_a_kink_out_of_the_range_is_not_marked():
    assert {x for x, *_ in markers(drawn("relu6", (1.0, 8.0))[1])} == {6.0}


@over_rows
def test_all_kinks_are_in_the_range(row):
    low, high = plot._range_of([plot._curve(fa.get(row.name), {})])
    assert all(low < point < high for point, _ in row.kinks_at(row.defaults))


def test_curves_look_different_and_are_named_once():
    curves = [plot._curve(fa.get(name), {}) for name in fa.names()]
    figure = plot.functions_and_derivatives(curves, (-1.0, 1.0))
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [curve.label for curve in curves]
    assert len({(line.get_color(), line.get_linestyle()) for line in legend.get_lines()}) > 3


@pytest.mark.parametrize(
    "names",
    [["prelu", "rrelu", "threshold", "sparse_sigmoid", "squareplus"], ["rrelu"] * 2, fa.names()],
    ids=["five", "two", "all"],
)
def test_the_legend_is_inside_the_figure_and_below_the_axes(names):
    with plot.style():
        curves = [plot._curve(fa.get(name), {}) for name in names]
        figure = plot.functions_and_derivatives(curves, (-4.0, 4.0))
        FigureCanvasAgg(figure).draw()
        (legend,) = figure.legends
        box = legend.get_window_extent()
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 < box.y1 <= min(a.get_tightbbox().y0 for a in figure.axes)
        assert min(axes.get_window_extent().height for axes in figure.axes) > figure.dpi * 2


# --- the command -------------------------------------------------------------------------------


@pytest.fixture
def directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "file", "start"),
    [
        (["silu"], "silu.png", b"\x89PNG"),
        (["swish", "gelu"], "silu.png", b"\x89PNG"),
        (["relu", "-o", "r.svg"], "r.svg", b"<?xml"),
        (["relu", "--output", "r.png", "--range", "-1", "2.5"], "r.png", b"\x89PNG"),
        (["elu", "leaky_relu", "--set", "alpha=2", "--set", "negative_slope=.2"], "elu.png", b""),
    ],
)
def test_a_plot_is_a_file_that_is_told(arguments, file, start, directory, capsys):
    assert cli.main(["plot", *arguments]) == 0
    assert capsys.readouterr().out == f"{file}\n"
    assert [path.name for path in directory.iterdir()] == [file]
    assert (directory / file).read_bytes().startswith(start)


def test_parameters_and_range_are_those_of_the_command_line(directory):
    assert cli.main(["plot", "elu", "--set", "alpha=2", "--range", "-1", "7", "-o", "e.svg"]) == 0
    text = (directory / "e.svg").read_text(encoding="utf-8")
    assert "elu (alpha = 2)" in text
    assert ">7<" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "one of the arguments NAME --all is required"),
        (["gelu", "--all"], "not allowed with argument"),
        (["gulu"], "must be of identity, relu, "),
        (["gelu", "-o", "gelu.gif"], "must end with .png, .svg, got 'gelu.gif'"),
        (["gelu", "-o", "none/gelu.png"], "must be a file in a directory, got 'none/gelu.png'"),
        (["elu", "--set", "alpha"], "must be NAME=NUMBER, got 'alpha'"),
        (["elu", "--set", "alpha=inf"], "must be NAME=NUMBER, got 'alpha=inf'"),
        (["elu", "--range", "low", "2"], "invalid float value: 'low'"),
    ],
)
def test_wrong_arguments_are_named(arguments, message, directory, capsys):
    with pytest.raises(SystemExit) as exit_:
        cli.main(["plot", *arguments])
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err
    assert not list(directory.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gelu", "--range", "2", "2"], "--range must be two finite numbers, the lower one first"),
        (["gelu", "--range", "0", "nan"], "--range must be two finite numbers"),
        (["gelu", "elu", "--set", "beta=1"], "gelu, elu: no parameter is called 'beta'"),
        (["softplus", "--set", "beta=-1"], "beta"),
        (["--all", "--set", "beta=1"], "it takes --directory only"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(arguments, message, directory, capsys):
    assert cli.main(["plot", *arguments]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not list(directory.iterdir())


def test_a_directory_that_is_a_file_is_one_line(directory, capsys):
    (directory / "file").touch()
    assert cli.main(["plot", "--all", "--directory", "file"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_matplotlib_that_is_missing_is_named_with_the_extra(monkeypatch, directory, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert cli.main(["plot", "gelu"]) == 1
    assert capsys.readouterr().err == (
        "fastact: plots need matplotlib; install it with: pip install 'fastact[plot]'\n"
    )


def test_a_plot_needs_no_display(tmp_path):
    """Nor pyplot, which looks for one."""
    script = (
        "import sys; from fastact import cli; cli.main(['plot', 'gelu']); "
        "print('matplotlib.pyplot' in sys.modules)"
    )
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    process = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment | {"MPLBACKEND": "tkagg"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (process.returncode, process.stdout) == (0, "gelu.png\nFalse\n"), process.stderr


# --- the gallery and the page ------------------------------------------------------------------


def test_the_gallery_is_one_file_for_each_row_and_the_same_each_time(tmp_path):
    """Each time: those with most and with least in them, drawn once more, alone."""
    assert cli.main(["plot", "--all", "--directory", str(tmp_path / "all")]) == 0
    drawn = {path.name: path.read_bytes() for path in (tmp_path / "all").iterdir()}
    assert set(drawn) == {f"{row.name}.svg" for row in ROWS}
    assert max(map(len, drawn.values())) < 40_000
    for find in (min, max):
        name = find(drawn, key=lambda name: len(drawn[name]))
        plot.save(tmp_path / name, [name.removesuffix(".svg")])
        assert (tmp_path / name).read_bytes() == drawn[name]


@pytest.mark.skipif(not GALLERY.exists(), reason="there is no documentation here")
def test_every_row_has_its_picture_in_the_gallery():
    expected = {f"{row.name}.svg" for row in ROWS}
    found = {path.name for path in GALLERY.iterdir()}
    assert not expected - found, f"draw them with: {GALLERY_COMMAND}"
    assert not found - expected, "these pictures are of no row"
    for row in ROWS:
        text = (GALLERY / f"{row.name}.svg").read_text(encoding="utf-8")
        label = plot._curve(fa.get(row.name), {}).label
        assert f">{label}<" in text, f"{row.name}.svg is stale: {GALLERY_COMMAND}"


@pytest.mark.skipif(not GALLERY.exists(), reason="there is no documentation here")
def test_the_page_of_activations_is_fresh():
    script = ROOT / "tools" / "write_activations_page.py"
    process = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stdout + process.stderr


def test_the_check_of_the_page_finds_a_stale_page(tmp_path, monkeypatch, capsys):
    tool = load_tool("write_activations_page")
    monkeypatch.setattr(tool, "PAGE", tmp_path / "activations.md")
    assert tool.main(["--check"]) == 1
    assert "python tools/write_activations_page.py" in capsys.readouterr().out
    assert tool.main([]) == 0
    assert tool.main(["--check"]) == 0


@over_rows
def test_the_page_tells_what_the_row_knows(row):
    text = load_tool("write_activations_page").section(row)
    facts = [row.name, row.formula, row.derivative, row.reference, f"gallery/{row.name}.svg"]
    facts += row.aliases
    facts += [p.name for p in row.parameters] + [p.meaning for p in row.parameters]
    facts += [value for _, value in row.kinks]
    assert [fact for fact in facts if fact not in text] == []
