"""Record where other libraries have other values and derivatives than fastact.compat.

python tools/measure_compat.py torch jax           measure these libraries, and write
python tools/measure_compat.py --check torch jax   say whether the file is stale, and write nothing

Libraries are torch, jax, tensorflow, and keras with a backend: keras-torch, keras-jax and
keras-tensorflow. docs/compat.md has tables of the results.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "tools" / "compat_differences.json"
#: Special values, and kinks with the arguments below.
POINTS = (math.nan, -math.inf, -6.0, -3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.5, 3.0, 6.0, math.inf)
#: Arguments after x: those of the examples, and these.
ARGUMENTS = {
    "torch": {"gelu": ["", "approximate='tanh'"], "elu": ["", "0.3"], "celu": ["", "0.3"]},
    "jax": {"gelu": ["", "False"], "elu": ["", "0.3"], "celu": ["", "0.3"]},
    "tensorflow": {"gelu": ["", "True"]},
    "keras": {
        "relu": [
            "", "0.3", "max_value=2.5", "0.3, 2.5", "threshold=0.5", "threshold=-0.5",
            "0.3, threshold=0.5", "0.3, 2.5, 0.5", "0.3, 2.5, -0.5",
        ],
        "gelu": ["", "True"],
        "elu": ["", "0.3"],
        "celu": ["", "0.3"],
    },
}  # fmt: skip
KINDS = ("value", "derivative", "infinite gradient")


def measure(library: str) -> dict[str, dict[str, str]]:
    """Return what differs: by function, value or derivative, as text."""
    name, _, backend = library.partition("-")
    if backend:
        os.environ["KERAS_BACKEND"] = backend
    compat = importlib.import_module(f"fastact.compat.{name}")
    run = {"torch": _run_torch, "jax": _run_jax, "tensorflow": _run_tensorflow}[backend or name]
    found = {}
    for ours in compat.LIBRARY.functions:
        if ours.__name__.endswith("_"):
            continue
        for text in ARGUMENTS[name].get(ours.__name__, [ours.row.example]):
            differences = _differences(run, _function(ours), ours, text)
            if differences:
                found[f"{ours.__name__}({text})" if text else ours.__name__] = differences
    return found


def _function(ours: Any) -> Any:
    """Return the function of the other library."""
    package, *names = ours.row.origin.replace("tf.", "tensorflow.").split(".")
    function = importlib.import_module(package)
    for name in names:
        function = getattr(function, name)
    if ours.row.origin == "torch.nn.functional.prelu":
        return lambda x, weight: function(x, x.new_tensor([weight]))
    return function


def _differences(run: Callable[..., Any], theirs: Any, ours: Any, text: str) -> dict[str, str]:
    call: Any = eval(f"lambda f, *arrays: f(*arrays, {text})" if text else "lambda f, *a: f(*a)")
    there: dict[str, dict[float, set[str]]] = {kind: {} for kind in KINDS}
    # Vectorised loops and the remainder of an array differ in PyTorch.
    for x in (np.tile(POINTS, 16), *(np.array([point]) for point in POINTS)):
        value, derivative = run(lambda array: call(theirs, array), x, np.ones(x.size))
        _, infinite = run(lambda array: call(theirs, array), x, np.full(x.size, np.inf))
        for kind, results in zip(KINDS, (value, derivative, infinite), strict=True):
            for point, result in zip(x.tolist(), results, strict=True):
                there[kind].setdefault(str(point), set()).add(f"{result:.5g}")
        if run is not _run_torch:
            break
    here = {
        "value": call(ours, POINTS),
        "derivative": call(ours.grad, POINTS),
        "infinite gradient": call(ours.backward, np.inf, POINTS),
    }
    if isinstance(here["infinite gradient"], tuple):
        here["infinite gradient"] = here["infinite gradient"][0]
    texts = {kind: _text(kind, there[kind], here[kind]) for kind in KINDS}
    return {kind: text for kind, text in texts.items() if text}


def _text(kind: str, there: dict[Any, set[str]], here: np.ndarray) -> str:
    """Return "1 at nan, 0" or, of infinite gradients, "0 for nan"."""
    found: dict[str, list[str]] = {}
    for point, ours in zip(POINTS, here.tolist(), strict=True):
        seen = " or ".join(sorted(there[str(point)]))
        if all(_agree(float(number), ours) for number in there[str(point)]):
            continue
        if kind != "infinite gradient":
            found.setdefault(f"{seen} at ", []).append(f"{point:g}")
        elif not math.isnan(point):
            found.setdefault(f"{seen} for {ours:g}", [])
    return "; ".join(text + ", ".join(points) for text, points in found.items())


def _agree(there: float, here: float) -> bool:
    return (math.isnan(there) and math.isnan(here)) or np.isclose(there, here, 1e-4, 1e-6)


def _run_torch(function: Any, x: np.ndarray, g: np.ndarray) -> tuple[Any, Any]:
    import torch

    tensor = torch.tensor(x, requires_grad=True)
    value = function(tensor)
    value.backward(torch.tensor(g))
    return value.detach().tolist(), tensor.grad.tolist()


def _run_jax(function: Any, x: np.ndarray, g: np.ndarray) -> tuple[Any, Any]:
    import jax

    jax.config.update("jax_enable_x64", True)
    value, vjp = jax.vjp(function, jax.numpy.asarray(x))
    return value.tolist(), vjp(jax.numpy.asarray(g, value.dtype))[0].tolist()


def _run_tensorflow(function: Any, x: np.ndarray, g: np.ndarray) -> tuple[Any, Any]:
    import tensorflow

    tensor = tensorflow.Variable(x)
    with tensorflow.GradientTape() as tape:
        value = function(tensor)
    derivative = tape.gradient(value, tensor, output_gradients=tensorflow.constant(g, value.dtype))
    return value.numpy().tolist(), derivative.numpy().tolist()


def version(library: str) -> str:
    """Return the names and versions of a library and its backend."""
    names = library.split("-")
    return ", ".join(f"{name} {importlib.import_module(name).__version__}" for name in names)


def main(arguments: list[str]) -> int:
    libraries = [name for name in arguments if name != "--check"]
    if not libraries:
        print(__doc__)
        return 2
    recorded = json.loads(FILE.read_text()) if FILE.exists() else {}
    stale = []
    for library in libraries:
        differences = measure(library)  # before the version: it chooses the backend of Keras
        measured = {"version": version(library), "differences": differences}
        if measured["differences"] != recorded.get(library, {}).get("differences"):
            stale.append(library)
        recorded[library] = measured
    if "--check" not in arguments:
        FILE.write_text(json.dumps(dict(sorted(recorded.items())), indent=1) + "\n")
        return 0
    if stale:
        print(f"{FILE.name} is stale for {', '.join(stale)}; measure with: {__doc__}")
    return bool(stale)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    os.environ["FASTACT_BACKEND"] = "numpy"
    warnings.simplefilter("ignore")
    sys.exit(main(sys.argv[1:]))
