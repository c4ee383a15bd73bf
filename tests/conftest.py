"""What all tests share: the argument ``backend`` runs a test once on each backend.

So does ``precision``, once for fast and, with a ``case`` only where that differs, for faithful.
"""

from __future__ import annotations

import pytest

from fastact import config

#: The first compiles loops for the cache of all; the next two take long, and use no such loop.
FIRST_FILES = ["test_numba_vectors.py", "test_packaging.py", "test_instruction_sets.py"]


@pytest.hookimpl(trylast=True)  # after the marks of the test, so that ids read silu-cython
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marks = metafunc.definition.iter_markers("parametrize")
    marked = " ".join(str(mark.args[0]) for mark in marks)
    if "backend" in metafunc.fixturenames and "backend" not in marked:
        metafunc.parametrize("backend", [_backend(name) for name in config.BACKENDS])
    if "precision" in metafunc.fixturenames and "precision" not in marked:
        metafunc.parametrize("precision", config.PRECISIONS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = sorted((item for item in items if not _repeats(item)), key=_turn)


def _turn(item: pytest.Item) -> int:
    name = item.path.name
    return FIRST_FILES.index(name) if name in FIRST_FILES else len(FIRST_FILES)


def _repeats(item: pytest.Item) -> bool:
    """Whether another test does the same: test_accuracy_float32.py holds that the bits are."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    if "case" not in parameters or parameters.get("precision") != "faithful":
        return False
    return parameters.get("backend") == "numpy" or not parameters["case"].differs_by_precision


def _backend(name: str) -> object:
    """Return a backend as a test parameter; what this installation cannot run is skipped."""
    try:
        config.check_backend("tests", name)
    except config.BackendUnavailableError as error:
        return pytest.param(name, marks=pytest.mark.skip(reason=str(error)))
    return name
