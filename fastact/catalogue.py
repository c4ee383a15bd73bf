"""The catalogue: one row declares one activation.

Data only; imports nothing but the standard library, because ``setup.py`` reads it to build the
compiled loops. Everything else (verbs, loops, signatures, docstrings, stubs, tests) follows from
the rows here. To add an activation, add a row, and then its two functions, f and f', to

* ``numpy_backend.py``,
* ``numba_backend/`` (``exponential_free.py``, or ``float32.py``, ``float32_fast.py``,
  ``float64.py``),
* ``cython_backend/`` (``exponential_free.pxi``, or ``float32.pxi``, ``float32_fast.pxi``,
  ``float64.pxi``),

its name to ``__init__.py``, and run ``python tools/write_stubs.py``, ``python -m fastact plot --all
--directory docs/gallery``, ``python tools/write_activations_page.py`` and
``python tools/write_validation_set.py``, and measure its largest errors as docs/accuracy.md tells.
The tests name what is missing.
"""

from __future__ import annotations

import math
from typing import NamedTuple


class Parameter(NamedTuple):
    """A parameter of an activation: a real number, or an array that broadcasts against x."""

    name: str
    default: float
    meaning: str
    #: Whether the function is defined for values above zero only.
    positive: bool = False
    #: Whether f' is a function of the output for values of zero and above only.
    nonnegative_from_output: bool = False


class Row(NamedTuple):
    """What the package knows about one activation. Formulas are text for people."""

    name: str
    summary: str
    formula: str
    derivative: str
    #: Values of f and f' at -inf and at +inf: the limits, with the sign of zero of the limit.
    limits: tuple[float, float]
    derivative_limits: tuple[float, float]
    #: f and f' at EXAMPLE_POINTS, to four decimals, with the default parameters.
    example: tuple[float, float, float]
    derivative_example: tuple[float, float, float]
    #: Where the function was proposed.
    reference: str
    aliases: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    #: Points where the derivative jumps, with the value that f' takes there, as text: parameters
    #: may appear in it.
    kinks: tuple[tuple[float, str], ...] = ()
    #: Neither f nor f' needs exp: the same in every precision, and fast as memory allows.
    exponential_free: bool = False
    #: f and f' round nothing: the backends agree to the bit.
    exact: bool = False
    #: Integer arrays keep their dtype (a parameter must then be an integer).
    keeps_integers: bool = False
    #: f' as a function of y = f(x), or "" where f' is not a function of the output.
    derivative_from_output: str = ""
    #: Why f' is not a function of the output.
    no_derivative_from_output: str = ""

    @property
    def chunk(self) -> int:
        """Elements that a thread claims at a time: some 5 us of work."""
        return 1 << 16 if self.exponential_free else 1 << 14


EXAMPLE_POINTS = (-1.0, 0.0, 2.0)

NOT_MONOTONIC = "it is not monotonic, so two inputs share one output but not one derivative"

ROWS = (
    Row(
        name="identity",
        aliases=("linear",),
        summary="Identity.",
        formula="x",
        derivative="1",
        limits=(-math.inf, math.inf),
        derivative_limits=(1.0, 1.0),
        exponential_free=True,
        exact=True,
        derivative_from_output="1",
        example=(-1.0, 0.0, 2.0),
        derivative_example=(1.0, 1.0, 1.0),
        reference="The linear output unit of regression networks; ONNX operator Identity-16.",
    ),
    Row(
        name="relu",
        summary="Rectified linear unit.",
        formula="max(x, 0)",
        derivative="1 if x > 0 else 0",
        limits=(0.0, math.inf),
        derivative_limits=(0.0, 1.0),
        kinks=((0.0, "0"),),
        exponential_free=True,
        exact=True,
        keeps_integers=True,
        derivative_from_output="1 if y > 0 else 0",
        example=(0.0, 0.0, 2.0),
        derivative_example=(0.0, 0.0, 1.0),
        reference="V. Nair and G. E. Hinton, Rectified linear units improve restricted Boltzmann "
        "machines, ICML 2010.",
    ),
    Row(
        name="relu6",
        summary="Rectified linear unit, clipped at 6.",
        formula="min(max(x, 0), 6)",
        derivative="1 if 0 < x < 6 else 0",
        limits=(0.0, 6.0),
        derivative_limits=(0.0, 0.0),
        kinks=((0.0, "0"), (6.0, "0")),
        exponential_free=True,
        exact=True,
        keeps_integers=True,
        derivative_from_output="1 if 0 < y < 6 else 0",
        example=(0.0, 0.0, 2.0),
        derivative_example=(0.0, 0.0, 1.0),
        reference="A. Krizhevsky, Convolutional deep belief networks on CIFAR-10, 2010.",
    ),
    Row(
        name="squared_relu",
        aliases=("relu2",),
        summary="Squared rectified linear unit.",
        formula="max(x, 0)**2",
        derivative="2 * max(x, 0)",
        limits=(0.0, math.inf),
        derivative_limits=(0.0, math.inf),
        exponential_free=True,
        derivative_from_output="2 * sqrt(max(y, 0))",
        example=(0.0, 0.0, 4.0),
        derivative_example=(0.0, 0.0, 4.0),
        reference="D. R. So et al., Primer: searching for efficient transformers for language "
        "modeling, NeurIPS 2021.",
    ),
    Row(
        name="leaky_relu",
        summary="Leaky rectified linear unit.",
        formula="x if x > 0 else negative_slope * x",
        derivative="1 if x > 0 else negative_slope",
        limits=(-math.inf, math.inf),
        derivative_limits=(0.01, 1.0),
        parameters=(Parameter(
            "negative_slope", 0.01, "slope for x <= 0", nonnegative_from_output=True
        ),),
        kinks=((0.0, "negative_slope"),),
        exponential_free=True,
        keeps_integers=True,
        derivative_from_output="1 if y > 0 else negative_slope",
        example=(-0.01, 0.0, 2.0),
        derivative_example=(0.01, 0.01, 1.0),
        reference="A. L. Maas, A. Y. Hannun and A. Y. Ng, Rectifier nonlinearities improve neural "
        "network acoustic models, ICML 2013.",
    ),
    Row(
        name="hard_swish",
        aliases=("hardswish", "hard_silu"),
        summary="Piecewise quadratic approximation of silu.",
        formula="x * min(max(x / 6 + 1 / 2, 0), 1)",
        derivative="0 if x <= -3 else 1 if x >= 3 else x / 3 + 1 / 2",
        limits=(-0.0, math.inf),
        derivative_limits=(0.0, 1.0),
        kinks=((-3.0, "0"), (3.0, "1")),
        exponential_free=True,
        no_derivative_from_output=NOT_MONOTONIC,
        example=(-0.3333, 0.0, 1.6667),
        derivative_example=(0.1667, 0.5, 1.1667),
        reference="A. Howard et al., Searching for MobileNetV3, ICCV 2019.",
    ),
    Row(
        name="softsign",
        aliases=("soft_sign",),
        summary="Sign function, smoothed by a quotient.",
        formula="x / (1 + abs(x))",
        derivative="1 / (1 + abs(x))**2",
        limits=(-1.0, 1.0),
        derivative_limits=(0.0, 0.0),
        exponential_free=True,
        derivative_from_output="(1 - abs(y))**2",
        example=(-0.5, 0.0, 0.6667),
        derivative_example=(0.25, 1.0, 0.1111),
        reference="J. Bergstra, G. Desjardins, P. Lamblin and Y. Bengio, Quadratic polynomials "
        "learn better image features, technical report 1337, Universite de Montreal, 2009.",
    ),
    Row(
        name="sparse_plus",
        summary="Piecewise quadratic sister of softplus.",
        formula="0 if x <= -1 else x if x >= 1 else (x + 1)**2 / 4",
        derivative="min(max((x + 1) / 2, 0), 1)",
        limits=(0.0, math.inf),
        derivative_limits=(0.0, 1.0),
        exponential_free=True,
        derivative_from_output="sqrt(min(max(y, 0), 1))",
        example=(0.0, 0.25, 2.0),
        derivative_example=(0.0, 0.5, 1.0),
        reference="JAX, function jax.nn.sparse_plus, 2023.",
    ),
    Row(
        name="sparse_sigmoid",
        summary="Piecewise linear sister of sigmoid, the derivative of sparse_plus.",
        formula="min(max((x + 1) / 2, 0), 1)",
        derivative="1 / 2 if -1 < x < 1 else 0",
        limits=(0.0, 1.0),
        derivative_limits=(0.0, 0.0),
        kinks=((-1.0, "0"), (1.0, "0")),
        exponential_free=True,
        derivative_from_output="1 / 2 if 0 < y < 1 else 0",
        example=(0.0, 0.5, 1.0),
        derivative_example=(0.0, 0.5, 0.0),
        reference="JAX, function jax.nn.sparse_sigmoid, 2023.",
    ),
    Row(
        name="sigmoid",
        aliases=("expit", "logistic"),
        summary="Logistic sigmoid.",
        formula="1 / (1 + exp(-x))",
        derivative="exp(-x) / (1 + exp(-x))**2",
        limits=(0.0, 1.0),
        derivative_limits=(0.0, 0.0),
        derivative_from_output="y * (1 - y)",
        example=(0.2689, 0.5, 0.8808),
        derivative_example=(0.1966, 0.25, 0.105),
        reference="D. R. Cox, The regression analysis of binary sequences, J. Royal Statistical "
        "Society B 20, 1958.",
    ),
    Row(
        name="tanh",
        summary="Hyperbolic tangent.",
        formula="tanh(x)",
        derivative="1 / cosh(x)**2",
        limits=(-1.0, 1.0),
        derivative_limits=(0.0, 0.0),
        derivative_from_output="(1 - y) * (1 + y)",
        example=(-0.7616, 0.0, 0.964),
        derivative_example=(0.42, 1.0, 0.0707),
        reference="Y. LeCun, L. Bottou, G. B. Orr and K.-R. Mueller, Efficient BackProp, in Neural "
        "Networks: Tricks of the Trade, 1998.",
    ),
    Row(
        name="softplus",
        aliases=("bnll",),
        summary="Smooth sister of relu.",
        formula="log(1 + exp(beta * x)) / beta",
        derivative="1 / (1 + exp(-beta * x))",
        limits=(0.0, math.inf),
        derivative_limits=(0.0, 1.0),
        parameters=(Parameter("beta", 1.0, "sharpness; relu is the limit", positive=True),),
        derivative_from_output="1 - exp(-beta * y)",
        example=(0.3133, 0.6931, 2.1269),
        derivative_example=(0.2689, 0.5, 0.8808),
        reference="C. Dugas, Y. Bengio, F. Belisle, C. Nadeau and R. Garcia, Incorporating "
        "second-order functional knowledge for better option pricing, NIPS 2000.",
    ),
    Row(
        name="silu",
        aliases=("swish",),
        summary="Sigmoid-weighted linear unit.",
        formula="x / (1 + exp(-beta * x))",
        derivative="s * (1 + beta * x * (1 - s)) with s = 1 / (1 + exp(-beta * x))",
        limits=(-0.0, math.inf),
        derivative_limits=(-0.0, 1.0),
        parameters=(Parameter("beta", 1.0, "sharpness; relu is the limit"),),
        no_derivative_from_output=NOT_MONOTONIC,
        example=(-0.2689, 0.0, 1.7616),
        derivative_example=(0.0723, 0.5, 1.0908),
        reference="S. Elfwing, E. Uchibe and K. Doya, Sigmoid-weighted linear units for neural "
        "network function approximation in reinforcement learning, Neural Networks 107, 2018.",
    ),
    Row(
        name="gelu",
        summary="Gaussian error linear unit, exact.",
        formula="x * (1 + erf(x / sqrt(2))) / 2",
        derivative="(1 + erf(x / sqrt(2))) / 2 + x * exp(-x**2 / 2) / sqrt(2 * pi)",
        limits=(-0.0, math.inf),
        derivative_limits=(-0.0, 1.0),
        no_derivative_from_output=NOT_MONOTONIC,
        example=(-0.1587, 0.0, 1.9545),
        derivative_example=(-0.0833, 0.5, 1.0852),
        reference="D. Hendrycks and K. Gimpel, Gaussian error linear units (GELUs), "
        "arXiv:1606.08415, 2016.",
    ),
    Row(
        name="gelu_tanh",
        summary="Gaussian error linear unit, tanh approximation.",
        formula="x / (1 + exp(-2 * sqrt(2 / pi) * (x + 0.044715 * x**3)))",
        derivative="s * (1 + x * u * (1 - s)) with s = gelu_tanh(x) / x and "
        "u = 2 * sqrt(2 / pi) * (1 + 3 * 0.044715 * x**2)",
        limits=(-0.0, math.inf),
        derivative_limits=(-0.0, 1.0),
        no_derivative_from_output=NOT_MONOTONIC,
        example=(-0.1588, 0.0, 1.9546),
        derivative_example=(-0.083, 0.5, 1.0861),
        reference="D. Hendrycks and K. Gimpel, Gaussian error linear units (GELUs), "
        "arXiv:1606.08415, 2016.",
    ),
    Row(
        name="mish",
        summary="Self-regularised smooth unit.",
        formula="x * tanh(log(1 + exp(x)))",
        derivative="t + x * (1 - t**2) / (1 + exp(-x)) with t = tanh(log(1 + exp(x)))",
        limits=(-0.0, math.inf),
        derivative_limits=(-0.0, 1.0),
        no_derivative_from_output=NOT_MONOTONIC,
        example=(-0.3034, 0.0, 1.944),
        derivative_example=(0.0592, 0.6, 1.0693),
        reference="D. Misra, Mish: a self regularized non-monotonic activation function, "
        "BMVC 2020.",
    ),
    Row(
        name="elu",
        summary="Exponential linear unit.",
        formula="x if x > 0 else alpha * (exp(x) - 1)",
        derivative="1 if x > 0 else alpha * exp(x)",
        limits=(-1.0, math.inf),
        derivative_limits=(0.0, 1.0),
        parameters=(Parameter(
            "alpha", 1.0, "minus the limit at -inf", nonnegative_from_output=True
        ),),
        kinks=((0.0, "alpha"),),
        derivative_from_output="1 if y > 0 else y + alpha",
        example=(-0.6321, 0.0, 2.0),
        derivative_example=(0.3679, 1.0, 1.0),
        reference="D.-A. Clevert, T. Unterthiner and S. Hochreiter, Fast and accurate deep network "
        "learning by exponential linear units (ELUs), ICLR 2016.",
    ),
    Row(
        name="selu",
        summary="Scaled exponential linear unit.",
        formula="1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * (exp(x) - 1))",
        derivative="1.0507009873554805 * (1 if x > 0 else 1.6732632423543772 * exp(x))",
        limits=(-1.7580993408473766, math.inf),
        derivative_limits=(0.0, 1.0507009873554805),
        kinks=((0.0, "1.7580993408473766"),),
        derivative_from_output="1.0507009873554805 if y > 0 else y + 1.7580993408473766",
        example=(-1.1113, 0.0, 2.1014),
        derivative_example=(0.6468, 1.7581, 1.0507),
        reference="G. Klambauer, T. Unterthiner, A. Mayr and S. Hochreiter, Self-normalizing "
        "neural networks, NIPS 2017.",
    ),
)  # fmt: skip

NAMES = tuple(row.name for row in ROWS)
