"""The functions of other libraries, on fastact's kernels.

``fastact.compat.torch``, ``jax``, ``keras``, ``tensorflow`` and ``onnx`` have the activations that
these libraries compute element by element, each with its name, arguments and defaults there. They
take and return NumPy arrays; none of the libraries is needed or imported.
"""
