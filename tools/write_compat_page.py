"""Write docs/compat.md, the functions of other libraries and what they come to.

python tools/write_compat_page.py           write it
python tools/write_compat_page.py --check   say whether it is stale, and write nothing
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path

from refresh import refresh

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "compat.md"
DIFFERENCES = ROOT / "tools" / "compat_differences.json"
KINDS = ("value", "derivative", "infinite gradient")
COMMAND = "python tools/write_compat_page.py"
MODULES = ("torch", "jax", "keras", "tensorflow", "onnx")

# The package beside this script, which need not be built, and not one that is installed.
sys.path.insert(0, str(ROOT))
os.environ["FASTACT_BACKEND"] = "numpy"
from fastact.compat._function import Function  # noqa: E402

HEADER = f"""\
# The functions of other libraries

<!-- Written from the tables in fastact/compat by: {COMMAND} -->

`fastact.compat` has, for each of five libraries, a module with the activations that the library
computes element by element: with its names, arguments and defaults, computed by fastact. The
library itself is neither needed nor imported.

```python
import numpy as np
from fastact.compat import jax, keras, onnx, tensorflow, torch

x, y = np.linspace(-3, 3, 7), np.empty(7)
torch.gelu(x)  # exact: approximate='none'
jax.gelu(x)  # the tanh approximation: approximate=True
keras.leaky_relu(x)  # negative_slope=0.2; in torch and jax 0.01
tensorflow.silu(x, beta=1.5)
torch.hardtanh.backward(1.0, x, 0, 6)  # and its other verbs: the same arguments
onnx.HardSigmoid(x, out=y)  # out=, backend= and precision= everywhere
torch.relu_(x)  # into x, as inplace=True
```

Functions take what NumPy makes an array of, and treat objects of other libraries as NumPy's ufuncs
do: masks, labels and lazy arrays survive. What holds everywhere:

- **Special values** are the limits: `silu(-inf)` is -0.0 where the libraries give NaN.
- **Derivatives at kinks** are fastact's, see [activations.md](activations.md). The last tables tell
  where a library has others.
- **Saved models**: Keras loads models with these functions, and those of fastact, as activations.
  A program that imports fastact before Keras and did not save the model calls
  `fastact.compat.register_with_keras()` first.
- **Accuracy** is fastact's: tails are right to the last bits where the libraries lose them.
- **Names**: errors that a kernel finds are in its own names, `leaky_relu: negative_slope must be`
  for `onnx.LeakyRelu(x, alpha=...)`.
- **Not here** are reductions and halving (`softmax`, `glu`), and layers (`torch.nn.ReLU`).

## NaN

NaN gives NaN here, in the function and in the derivative. The libraries select between pieces, so
some functions lose NaN: the reference implementation of ONNX has 0 for ThresholdedRelu and Shrink,
and Keras has 0 for hard_shrink, soft_shrink and relu with a threshold but no slope, and the other
value for threshold, on its JAX and TensorFlow backends (relu on PyTorch too). Derivatives at NaN
are often 0 or 1. PyTorch's depend on the position of the element in the array.

## Infinite gradients

`backward` multiplies, so an infinite gradient times a derivative of 0 is NaN, as in
`relu.backward(inf, -1.0)`. PyTorch, JAX and TensorFlow select, and have 0 there. Where their
formulas subtract or divide infinities they have NaN, and fastact has the infinity.

## Integers

Integers and bool become float as in NumPy: 8-bit integers and bool float16, 16-bit ones float32,
others float64. Integer dtypes stay what they are in identity, relu, relu6, leaky_relu with an
integer slope, and hard_tanh with integer bounds, and in what the tables compute by these; identity
keeps bool too. Results are exact: if one does not fit into the dtype, the call is a ValueError.
Bounds may lie outside of the dtype. bfloat16 and integers or bool give bfloat16, bfloat16 and
float16 give float32, as in PyTorch and JAX. The libraries differ:

- **PyTorch** keeps integers in threshold and hardtanh too. tanh, sigmoid, tanhshrink and softsign
  have float32 for all of them, the others refuse them.
- **JAX** keeps integers, as here, in identity, relu and hard_tanh. The others, relu6 among
  them, have float32, or float64 if that is enabled; sigmoid and silu refuse integers.
- **Keras** has x itself in linear, and so keeps every dtype.
- **ONNX** keeps integers in PRelu and Shrink and, as here, in Identity, Relu and Clip. The others
  do not allow them.

## The tables

In the tables `fa` is fastact. The few calls without it are composed in float64 and rounded once;
what they compute stands beside them.
"""


def page() -> str:
    """Return the text of the page."""
    return HEADER + "".join(map(section, MODULES)) + differences()


def differences() -> str:
    """Return the tables of values and derivatives that differ, as they were measured."""
    measured = json.loads(DIFFERENCES.read_text(encoding="utf-8"))
    parts = [
        "\n## Where values and derivatives differ\n\n"
        "Measured in float64 by tools/measure_compat.py at NaN, infinities and kinks. `0 for nan` "
        "means 0 in the library and NaN here.\n"
    ]
    for library in measured.values():
        rows = [
            f"| `{name}` | {' | '.join(found.get(kind, '') for kind in KINDS)} |"
            for name, found in library["differences"].items()
        ]
        head = [f"\n### {library['version']}\n", f"| function | {' | '.join(KINDS)} |"]
        parts.append("\n".join([*head, "| --- | --- | --- | --- |", *rows]) + "\n")
    return "".join(parts)


def section(name: str) -> str:
    """Return the table of one library."""
    module = importlib.import_module(f"fastact.compat.{name}")
    lines = [
        f"\n## fastact.compat.{name}\n",
        f"{module.__doc__.strip()}\n",
        "| function | computed by | differences |",
        "| --- | --- | --- |",
        *map(line, module.LIBRARY.functions),
    ]
    return "\n".join(lines) + "\n"


def line(function: Function) -> str:
    row = function.row
    signature = f"{row.name}({', '.join(row.arguments)})"
    return f"| `{signature}` | `{row.call}` | {row.differences} |"


def main(arguments: list[str]) -> int:
    return refresh(PAGE, page(), arguments, COMMAND, __doc__)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
