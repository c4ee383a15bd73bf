"""The functions of other libraries, on fastact's kernels.

``fastact.compat.torch``, ``jax``, ``keras``, ``tensorflow`` and ``onnx`` have the activations that
these libraries compute element by element, each with its name, arguments and defaults there. They
take and return NumPy arrays; none of the libraries is needed or imported.
"""

from __future__ import annotations

import importlib

from fastact import activation, saving

__all__ = ["register_with_keras"]


def register_with_keras() -> None:
    """Let Keras load models whose activations are functions of fastact.

    This is only needed in a program that imports fastact before Keras and loads a model that
    another program saved. Otherwise fastact registers its functions itself.

    Raises
    ------
    ImportError
        If Keras is not installed.

    Examples
    --------
    >>> import fastact, keras  # doctest: +SKIP
    >>> from fastact.compat import register_with_keras
    >>> register_with_keras()  # doctest: +SKIP
    >>> model = keras.saving.load_model("model.keras")  # doctest: +SKIP
    """
    importlib.import_module("keras")
    functions = importlib.import_module("fastact.compat._function")
    saving.register(activation.SAVED_CLASSES | functions.SAVED_CLASSES)
