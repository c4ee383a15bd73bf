"""Docstrings, signatures, stubs and README say what the code does."""

from __future__ import annotations

import ast
import copy
import doctest
import inspect
import os
import pickle
import pydoc
import re
import subprocess
import sys
from pathlib import Path

import pytest
from scripts import load_tool
from test_layouts import BARE_VERBS, over_bare_verbs

import fastact as fa
from fastact import documentation, manners, measured_errors
from fastact.catalogue import EXAMPLE_POINTS, ROWS

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path(fa.__file__).parent
PUBLIC = {name: getattr(fa, name) for name in fa.__all__}
FUNCTIONS = {name: value for name, value in PUBLIC.items() if inspect.isfunction(value)}
ACTIVATIONS = {name: value for name, value in PUBLIC.items() if isinstance(value, fa.Activation)}
DOCUMENTED = FUNCTIONS | {verb.__name__: verb for verb in (*BARE_VERBS, fa.prelu.backward)}
DOCUMENTED["rrelu.draw_slopes"] = fa.rrelu.draw_slopes
over_documented = pytest.mark.parametrize("item", DOCUMENTED.values(), ids=DOCUMENTED)

NUMPYDOC_SECTIONS = [
    *("Parameters", "Attributes", "Returns", "Yields", "Raises", "Warns", "Warnings"),
    *("See Also", "Notes", "References", "Examples"),
]


def run_examples(name: str, text: str, file: str | None = None) -> int:
    """Run the examples in a text; return how many there were."""
    test = doctest.DocTestParser().get_doctest(text, {}, name, file, 0)
    report: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    assert not report, "".join(report)
    return len(test.examples)


def sections(text: str) -> dict[str, str]:
    """Return the numpydoc sections of a docstring: {title: body}."""
    parts = re.split(r"^([A-Z][A-Za-z ]+)\n(-{3,})\n", inspect.cleandoc(text), flags=re.MULTILINE)
    for title, underline in zip(parts[1::3], parts[2::3], strict=True):
        assert len(title) == len(underline), f"underline of {title}"
    return dict(zip(parts[1::3], parts[3::3], strict=True))


# --- docstrings --------------------------------------------------------------------------------


@over_documented
def test_examples_are_true(item):
    run_examples(item.__name__, item.__doc__)


@pytest.mark.parametrize("name", [*FUNCTIONS, *fa.names()])
def test_functions_and_activations_have_examples(name):
    if name not in ("set_backend", "show_config"):
        assert ">>>" in PUBLIC[name].__doc__
    assert "Examples" in sections(PUBLIC[name].__doc__)


@pytest.mark.parametrize("verb", ["grad", "backward", "value_and_grad", "backward_from_output"])
def test_every_verb_is_documented(verb):
    for name in fa.names():
        assert name in getattr(fa.get(name), verb).__doc__


@over_documented
def test_sections_are_in_the_order_of_numpydoc(item):
    found = list(sections(item.__doc__))
    assert set(found) <= set(NUMPYDOC_SECTIONS)
    assert found == sorted(found, key=NUMPYDOC_SECTIONS.index)


@over_documented
def test_the_summary_is_one_sentence_on_one_line(item):
    summary, _, rest = inspect.cleandoc(item.__doc__).partition("\n")
    assert summary.endswith(".")
    assert len(summary) <= 100
    assert rest.startswith("\n") or not rest


@over_documented
def test_exactly_the_parameters_are_documented(item):
    body = sections(item.__doc__).get("Parameters", "")
    assert re.findall(r"^(\w+) : ", body, flags=re.MULTILINE) == list(
        inspect.signature(item).parameters
    )


@over_bare_verbs
def test_defaults_in_docstrings_are_those_of_the_row(verb):
    for parameter in verb.row.parameters:
        line = re.search(rf"^{parameter.name} : .*$", verb.__doc__, flags=re.MULTILINE)[0]
        assert ("default" in line) != parameter.required
        assert parameter.required or f"default {parameter.default}" in line


@over_bare_verbs
def test_docstrings_are_clean(verb):
    """No placeholder and no missing fact is left in the text."""
    assert not re.search(r"\{\w*\}|\bNone\b", verb.__doc__)
    assert verb.__doc__ == verb.__doc__.rstrip() + "\n"
    assert not re.search(r"[ \t]$|\n{3}", verb.__doc__, flags=re.MULTILINE)


def test_classes_and_modules_are_documented():
    for path in [PACKAGE / "__init__.py", *PACKAGE.glob("*.py"), *PACKAGE.glob("*/*.py")]:
        assert ast.get_docstring(ast.parse(path.read_text())), path.name
    assert "value_and_grad" in fa.Activation.__doc__
    assert fa.BackendUnavailableError.__doc__


def test_help_shows_the_docstring_of_the_instance():
    for item in (fa.gelu, fa.gelu.backward):
        shown = pydoc.plain(pydoc.render_doc(item))
        assert inspect.cleandoc(item.__doc__).splitlines()[0] in shown
        assert "Parameters" in shown


# --- signatures, names, copies -----------------------------------------------------------------


@over_bare_verbs
def test_signatures_name_arguments_and_defaults(verb):
    parameters = inspect.signature(verb).parameters
    names = [*verb.arguments, *(p.name for p in verb.row.parameters + verb.row.options)]
    of_ufuncs = manners.DEFAULTS if manners.are_taken(verb.row, verb.kind) else {}
    assert list(parameters) == [*names, "out", "backend", "precision", *of_ufuncs]
    for row_parameter in verb.row.parameters:
        default = inspect.Parameter.empty if row_parameter.required else row_parameter.default
        assert parameters[row_parameter.name].default == default
    for option in verb.row.options:
        assert parameters[option.name].default == option.default
    for name in ("out", "backend", "precision"):
        assert parameters[name].kind is inspect.Parameter.KEYWORD_ONLY
        assert parameters[name].default is None
    for name, default in of_ufuncs.items():
        assert parameters[name].kind is inspect.Parameter.KEYWORD_ONLY
        assert parameters[name].default is default


@over_bare_verbs
def test_signatures_are_true(verb):
    """Every parameter may be given by its name; the positional ones by position."""
    signature = inspect.signature(verb)
    values = dict.fromkeys(verb.arguments, 1.0)
    values |= {parameter.name: parameter.default for parameter in verb.row.parameters}
    expected = verb(*values.values())
    bound = signature.bind(**values, out=None, backend=None, precision=None)
    bound.apply_defaults()
    assert verb(*bound.args, **bound.kwargs) == expected
    assert verb(**values, out=None, backend=None, precision=None) == expected


def test_signatures_of_functions_have_types():
    for name, function in FUNCTIONS.items():
        signature = inspect.signature(function)
        assert signature.return_annotation is not inspect.Signature.empty, name
        for parameter in signature.parameters.values():
            assert parameter.annotation is not inspect.Parameter.empty, f"{name}: {parameter}"


@over_bare_verbs
def test_verbs_have_names(verb):
    verb = getattr(verb, "verb", verb)  # of one that the tests complete
    name = verb.row.name
    expected = name if verb.kind == "forward" else f"{name}.{verb.kind}"
    assert verb.__name__ == verb.__qualname__ == expected
    assert verb.__module__ == "fastact"
    assert expected in repr(verb)


@over_bare_verbs
def test_verbs_are_copied_as_themselves(verb):
    verb = getattr(verb, "verb", verb)
    assert copy.copy(verb) is verb
    assert copy.deepcopy([verb])[0] is verb
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(verb, protocol)) is verb


def test_the_row_is_readable_from_the_activation():
    gelu = fa.swish
    assert (gelu.name, gelu.aliases) == ("silu", ("swish",))
    assert gelu.parameters[0].name == "beta"
    assert "exp" in gelu.formula
    assert "exp" in gelu.derivative
    assert gelu.reference
    assert fa.relu.exponential_free
    assert fa.relu.kinks == ((0, "0"),)
    assert fa.hard_tanh.kinks == (("min_val", "0"), ("max_val", "0"))


def test_examples_in_docstrings_are_at_the_example_points():
    assert str(list(EXAMPLE_POINTS)) in fa.gelu.__doc__


# --- largest errors ----------------------------------------------------------------------------

RECORD = "--record fastact/measured_errors.json"
RECORDING = {
    "float32": f"python -m fastact verify {{name}} --exhaustive {RECORD}",
    "float64": f"python tools/search_float64_errors.py {{name}} {RECORD}",
}
NOT_EXACT = [row for row in ROWS if not (row.exact or row.kernels)]
over_inexact_rows = pytest.mark.parametrize("row", NOT_EXACT, ids=[r.name for r in NOT_EXACT])


@over_inexact_rows
def test_the_largest_errors_are_recorded_and_within_their_bounds(row):
    for arithmetic in measured_errors.arithmetics(row):
        command = RECORDING[arithmetic.name.partition("-")[0]].format(name=row.name)
        for function in measured_errors.FUNCTIONS:
            record = measured_errors.find(row.name, function, arithmetic.name)
            where = f"{row.name}, {function}, {arithmetic.name}"
            assert record, f"no largest error of {where} is recorded: run {command}"
            assert 0.5 <= record["ulp"] <= arithmetic.bound, f"{where}: {record}"
            assert record.get("subnormal", 0) <= 1, f"{where}: {record}"


def test_records_are_of_activations():
    names = {key.partition("/")[0] for key in measured_errors.load(measured_errors.FILE)}
    assert names <= set(fa.names()), "remove the others from fastact/measured_errors.json"


def test_docstrings_tell_the_largest_errors(monkeypatch):
    """Those found where all are recorded, else the bounds alone."""
    records = {
        f"gelu/{function}/{name}": {"ulp": ulp}
        for function, name, ulp in [
            ("value", "float32-fast", 3.8801),
            ("grad", "float32-fast", 2.5),
            ("value", "float64", 1.0),
        ]
    }
    monkeypatch.setattr(measured_errors, "load", lambda file: records)
    notes = sections(fa.gelu.__doc__)["Notes"]
    assert "float32 3.89 and 2.50 found (at most 4 allowed)" in notes
    assert "float32 in faithful precision at most 1, float64 at most 2." in notes
    assert "correctly rounded" in notes
    assert "The result is exact." in sections(fa.relu.__doc__)["Notes"]
    assert "exact for parameters rounded to its dtype" in sections(fa.threshold.__doc__)["Notes"]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (0.5, "0.50"),
        (1.234, "1.24"),
        (1.9998, "1.9998"),
        (1.99, "1.99"),
        (1.9911, "1.992"),
        (2, "2.00"),
    ],
)
def test_errors_below_the_bound_are_shown_below_it(error, text):
    assert documentation.rounded_up(error, 2) == text


def test_notes_tell_of_kinks_that_are_there():
    for verb in (fa.squareplus, fa.squareplus.grad):
        notes = sections(verb.__doc__)["Notes"]
        assert "where it jumps" not in notes
        assert "If b is 0, the derivative jumps at x = 0, where it is 0." in notes
    assert "The derivative at x = 0, where it jumps, is 0." in sections(fa.relu.__doc__)["Notes"]


@pytest.mark.parametrize(
    ("activation", "values"),
    [
        (fa.threshold, "At -inf and inf with threshold = 0.5 and value = 1.0 the function is"),
        (fa.prelu, "At -inf and inf with weight = 0.25 the function is"),
        (fa.elu, "At -inf and inf with the default parameters the function is"),
        (fa.gelu, "At -inf and inf the function is"),
    ],
)
def test_limits_are_told_with_their_parameters(activation, values):
    assert values in sections(activation.__doc__)["Notes"]


@over_bare_verbs
def test_units_are_told(verb):
    body = sections(verb.__doc__)["Parameters"]
    for parameter in verb.row.parameters:
        unit = f"in units of {parameter.unit}" if parameter.unit else "a plain number"
        assert re.search(
            rf"^{parameter.name} : .*\n    .*; {re.escape(unit)}; ", body, re.MULTILINE
        )


def test_the_page_of_accuracy_is_fresh(capsys):
    status = load_tool("write_accuracy_page").main(["--check"])
    assert status == 0, capsys.readouterr().out


def test_the_check_of_the_page_of_accuracy_finds_a_stale_page(tmp_path, monkeypatch, capsys):
    tool = load_tool("write_accuracy_page")
    stale = tmp_path / "accuracy.md"
    stale.write_text(tool.PAGE.read_text().replace("| sigmoid |", "| sigmoids |", 1))
    monkeypatch.setattr(tool, "PAGE", stale)
    assert tool.main(["--check"]) == 1
    assert "python tools/write_accuracy_page.py" in capsys.readouterr().out
    assert tool.main([]) == 0
    assert tool.main(["--check"]) == 0


def test_the_search_records_what_it_finds_in_float64(tmp_path):
    pytest.importorskip("mpmath")
    tool = load_tool("search_float64_errors")
    case = next(case for case in tool.DEFAULT_CASES if case.row.name == "softsign")
    found = tool.search((case, "value", "numpy"), 1000)
    assert 0.3 < found.ulp <= 2
    assert found.inputs > 1000

    file = tmp_path / "errors.json"
    options = ["--points", "1000", "--backends", "numpy", "--record", file]
    process = subprocess.run(
        [sys.executable, tool.__file__, "softsign", *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert "softsign" in process.stdout
    record = measured_errors.find("softsign", "value", "float64-numpy", file)
    assert record["ulp"] == max(found.ulp, 0.5)
    assert record["inputs"] == found.inputs


# --- stubs -------------------------------------------------------------------------------------

STUB = ast.parse((PACKAGE / "__init__.pyi").read_text())
CLASSES = {node.name: node for node in STUB.body if isinstance(node, ast.ClassDef)}
DECLARED = {
    node.target.id: ast.unparse(node.annotation)
    for node in STUB.body
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
}


def calls(class_name: str) -> list[ast.arguments]:
    """Return the arguments of the overloads of ``__call__``, inherited ones too."""
    node = CLASSES[class_name]
    found = [
        item.args
        for item in node.body
        if isinstance(item, ast.FunctionDef) and item.name == "__call__"
    ]
    return found or calls(ast.unparse(node.bases[0]))


def attributes(class_name: str) -> dict[str, str]:
    return {
        ast.unparse(item.target): ast.unparse(item.annotation)
        for item in CLASSES[class_name].body
        if isinstance(item, ast.AnnAssign)
    }


def test_the_stub_is_fresh():
    script = ROOT / "tools" / "write_stubs.py"
    process = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stdout + process.stderr
    assert (PACKAGE / "py.typed").exists()


def test_the_stub_check_finds_a_stale_stub(tmp_path, monkeypatch, capsys):
    write_stubs = load_tool("write_stubs")
    monkeypatch.setattr(write_stubs, "STUB", tmp_path / "stub.pyi")
    assert write_stubs.main(["--check"]) == 1
    assert "python tools/write_stubs.py" in capsys.readouterr().out
    assert write_stubs.main([]) == 0
    assert write_stubs.main(["--check"]) == 0


def test_the_stub_declares_every_public_name():
    imported = {
        alias.asname or alias.name
        for node in STUB.body
        if isinstance(node, ast.ImportFrom) and node.module.startswith("fastact")
        for alias in node.names
    }
    functions = {node.name for node in STUB.body if isinstance(node, ast.FunctionDef)}
    listed = next(
        ast.literal_eval(node.value)
        for node in STUB.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    assert listed == fa.__all__
    assert set(listed) <= imported | functions | set(CLASSES) | set(DECLARED)
    assert "__version__" in DECLARED


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_stub_has_the_signatures_of_run_time(name):
    function = ACTIVATIONS[name]
    class_name = DECLARED[name]
    verbs = {"": class_name, **attributes(class_name)}
    assert set(verbs) == {"", "grad", "backward", "backward_from_output", "value_and_grad"}
    for verb, verb_class in verbs.items():
        runtime = inspect.signature(getattr(function, verb) if verb else function)
        positional = [p for p in runtime.parameters.values() if p.kind is not p.KEYWORD_ONLY]
        keywords = [p for p in runtime.parameters.values() if p.kind is p.KEYWORD_ONLY]
        for arguments in calls(verb_class):
            assert [a.arg for a in arguments.args] == ["self", *(p.name for p in positional)]
            assert [ast.literal_eval(default) for default in arguments.defaults] == [
                p.default for p in positional if p.default is not p.empty
            ]
            assert [a.arg for a in arguments.kwonlyargs] == [p.name for p in keywords]


def test_the_stub_has_the_facts_of_run_time():
    properties = {
        name for name, value in vars(fa.Activation).items() if isinstance(value, property)
    } - {"__signature__"} | {"kinks_at"}
    declared = {
        item.name
        for item in CLASSES["Activation"].body
        if isinstance(item, ast.FunctionDef) and item.name != "__call__"
    }
    assert declared == properties


USER_CODE = """
import numpy as np
from numpy.typing import NDArray

import fastact as fa

x = np.ones(3, np.float32)
buffer = np.empty_like(x)
y: NDArray[np.float32] = fa.leaky_relu(x, 0.2, out=buffer)
scalar: float = fa.relu(2.0)
value, derivative = fa.silu.value_and_grad(x, beta=2.0)
derivative += fa.swish.backward(1.0, x, 2.0, backend="numpy")
from_list = fa.elu.backward_from_output([1.0], [2.0], alpha=np.ones(1))
by_name = fa.get("swish")(x, 2.0)
dx, dweight = fa.prelu.backward(x, x, [0.1, 0.2, 0.3], axis=0, out=(buffer, None))
drawn: NDArray[np.float32] = fa.rrelu(x, slopes=fa.rrelu.draw_slopes(3, rng=1), out=buffer)

def apply(activation: fa.Activation, x: NDArray[np.float32]) -> NDArray[np.float32]:
    return activation.grad(x)

apply(fa.elu, apply(fa.get(fa.names()[0]), x))
with fa.use_backend("numpy"), fa.use_threads(1):
    fa.show_config("dicts")
"""
WRONG_CODE = [
    "fa.relu(x, 3)",
    "fa.leaky_relu(x, slope=3)",
    "fa.relu(x, backend='fast')",
    "fa.relu(x, precision='cython')",
    "fa.relu.backward(x)",
    "fa.relu.value_and_grad(x, out=buffer)",
    "fa.softmaxx(x)",
    "fa.prelu(x)",
    "fa.rrelu(x, 0.1, 0.3, False, None, 0.2)",
]


def test_types_of_user_code_are_right_and_wrong_ones_are_found(tmp_path):
    pytest.importorskip("mypy")
    path = tmp_path / "user_code.py"
    path.write_text(USER_CODE + "\n".join(WRONG_CODE) + "\n")
    # The types of our public names, not of our modules: those are for test_style.
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent"]
    environment = dict(os.environ)
    if "site-packages" not in PACKAGE.parts:  # where mypy looks of its own accord
        environment["MYPYPATH"] = str(PACKAGE.parent)
    process = subprocess.run(
        [
            *command,
            "--cache-dir",
            str(tmp_path),
            "--no-error-summary",
            "--hide-error-context",
            path,
        ],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    errors = {
        int(number)
        for number in re.findall(r"user_code\.py:(\d+): error:", process.stdout)
    }  # fmt: skip
    first = len(USER_CODE.splitlines()) + 1
    assert errors == set(range(first, first + len(WRONG_CODE))), process.stdout + process.stderr


# --- README --------------------------------------------------------------------------------------


def test_code_in_the_readme_runs(monkeypatch, tmp_path):
    """Blocks share their names, from top to bottom; settings that they change are put back."""
    path = ROOT / "README.md"
    if not path.exists():
        pytest.skip("there is no README.md here")
    text = path.read_text(encoding="utf-8")
    blocks = [
        (text[: match.start()].count("\n") + 1, match[1])
        for match in re.finditer(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    ]
    assert blocks
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    before = fa.get_backend(), fa.get_num_threads()
    try:
        for line, block in blocks:
            if ">>>" in block:
                test = doctest.DocTestParser().get_doctest(block, names, "README", str(path), line)
                report: list[str] = []
                doctest.DocTestRunner(verbose=False).run(test, out=report.append, clear_globs=False)
                names = test.globs
                assert not report, "".join(report)
            else:
                exec(compile("\n" * line + block, str(path), "exec"), names)
    finally:
        fa.set_backend(before[0])
        fa.set_num_threads(before[1])
