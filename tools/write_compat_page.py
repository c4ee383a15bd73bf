"""Write docs/compat.md, the functions of other libraries and what they come to.

python tools/write_compat_page.py           write it
python tools/write_compat_page.py --check   say whether it is stale, and write nothing
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

from refresh import refresh

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "compat.md"
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

Functions take what NumPy makes an array of, and return NumPy arrays. What holds everywhere:

- **Special values** are the limits: `silu(-inf)` is -0.0 where the libraries give NaN. NaN gives
  NaN, in the function and in the derivative.
- **Derivatives at kinks** are fastact's, see [activations.md](activations.md). The tables tell
  where a library has others.
- **Accuracy** is fastact's: tails are right to the last bits where the libraries lose them.
- **Names**: errors that a kernel finds are in its own names, `leaky_relu: negative_slope must be`
  for `onnx.LeakyRelu(x, alpha=...)`.
- **Not here** are reductions and halving (`softmax`, `glu`), and layers (`torch.nn.ReLU`).

In the tables `fa` is fastact. The few calls without it are composed in float64 and rounded once;
what they compute stands beside them.
"""


def page() -> str:
    """Return the text of the page."""
    return HEADER + "".join(map(section, MODULES))


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
