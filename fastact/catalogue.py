"""The catalogue: one row declares one activation.

Data only; imports nothing but the standard library, because ``setup.py`` reads it to build the
compiled loops. Everything else (verbs, loops, signatures, docstrings, stubs, tests) follows from
the rows here. To add an activation, add a row, and then its two functions, f and f', to

* ``numpy_backend.py``,
* ``numba_backend/`` (``exponential_free.py``, or ``float32.py``, ``float32_fast.py``,
  ``float64.py``),
* ``cython_backend/`` (``exponential_free.pxi``, or ``float32.pxi``, ``float32_fast.pxi``,
  ``float64.pxi``),

unless it names ``kernels`` of another; its name to ``__init__.py`` and to
``asv_benchmarks/benchmarks/common.py``, its calls in other libraries to ``bench/calls.py``, and run
``python tools/write_stubs.py``, ``python -m fastact plot --all --directory docs/gallery``,
``python tools/write_activations_page.py`` and ``python tools/write_validation_set.py``, and measure
its largest errors as docs/accuracy.md tells. The tests name what is missing.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

#: Kernels that only compare with a parameter, or multiply by it once, are right for any number.
ANY_NUMBER = (0.0, math.inf)
#: The rounding error of a product with x is computed without overflow or underflow.
MODERATE = (2.0**-500, 2.0**500)
#: Signs of differences between lines and bounds are right: these are not subnormal.
NOT_TINY = 2.0**-900


class Parameter(NamedTuple):
    """A parameter of an activation: a real number, or an array that broadcasts against x."""

    name: str
    default: float
    meaning: str
    #: The values for which the function is defined, and for which f' is a function of the output: a
    #: key of DOMAINS, or "" for any real number.
    domain: str = ""
    domain_from_output: str = ""
    #: Whether calls must give a value; then ``default`` is the one of examples and pictures.
    required: bool = False
    #: The unit, where x has one: a formula, or "" for a plain number.
    unit: str = ""
    #: Whether x or y is compared with the parameter, or f is the parameter somewhere. Its value is
    #: then the nearest number of the dtype of x. Other parameters are factors and keep all digits.
    is_compared: bool = False
    #: The compiled kernels are right for 0 and for magnitudes in this closed range. For all other
    #: values the NumPy backend computes, whatever backend was asked for.
    kernel_range: tuple[float, float] = (0.0, sys.float_info.max)

    def is_for_kernels(self, value: Any) -> Any:
        """Return whether the compiled kernels take a number, or each of an array."""
        least, greatest = self.kernel_range
        magnitude = abs(value)
        return (value == 0) | ((magnitude >= least) & (magnitude <= greatest))


#: What a domain is called, and whether a number, or each of an array, lies in it.
DOMAINS: dict[str, Callable[[Any], Any]] = {
    "above 0": lambda value: value > 0,
    "0 or above": lambda value: value >= 0,
    "other than 0": lambda value: (value < 0) | (value > 0),
    "a number": lambda value: value == value,
}


class Option(NamedTuple):
    """What a call takes besides: it says how parameters are applied, or where they come from."""

    name: str
    default: int | bool | None
    #: The type, in docstrings and in the stub.
    type_text: str
    annotation: str
    meaning: str
    keyword_only: bool = False


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
    options: tuple[Option, ...] = ()
    #: The activation whose kernels compute this one, "" where it has its own.
    kernels: str = ""
    #: Sentences of the docstring that follow from nothing else.
    notes: str = ""
    #: What ``backward`` returns besides: the gradient with respect to a parameter, in words.
    parameter_gradient: str = ""
    #: Parameters, in pairs: the first must not be above the second.
    ordered: tuple[tuple[str, str], ...] = ()
    #: Points where the derivative jumps, with the value that f' takes there. What depends on
    #: parameters is a formula, as text; ``kinks_at`` evaluates it.
    kinks: tuple[tuple[float | str, str], ...] = ()
    #: Neither f nor f' needs exp: the same in every precision, and fast as memory allows.
    exponential_free: bool = False
    #: f and f' round nothing: the backends agree to the bit.
    exact: bool = False
    #: Integer arrays keep their dtype (a parameter must then be an integer).
    keeps_integers: bool = False
    #: Arrays of bool keep theirs.
    keeps_bool: bool = False
    #: f' as a function of y = f(x), or "" where f' is not a function of the output.
    derivative_from_output: str = ""
    #: Why f' is not a function of the output.
    no_derivative_from_output: str = ""

    @property
    def chunk(self) -> int:
        """Elements that a thread claims at a time: some 5 us of work."""
        return 1 << 16 if self.exponential_free else 1 << 14

    @property
    def defaults(self) -> tuple[float, ...]:
        return tuple(parameter.default for parameter in self.parameters)

    def kinks_at(self, parameters: Sequence[float]) -> tuple[tuple[float, float], ...]:
        """Return the kinks for these parameters; those that divide by 0 are not there."""
        names = dict(zip((p.name for p in self.parameters), parameters, strict=True))
        found = []
        for point, value in self.kinks:
            try:
                found.append((float(eval(str(point), {}, names)), float(eval(value, {}, names))))
            except ZeroDivisionError:
                continue
        return tuple(found)


EXAMPLE_POINTS = (-1.0, 0.0, 2.0)

NO_ELEMENTARY_INVERSE = "its inverse is no elementary function"
NOT_MONOTONIC = "it is not monotonic, so two inputs share one output but not one derivative"

#: The default slope is one sixth, not the nearest double.
SLOPE = Parameter(
    "slope",
    1 / 6,
    "slope of the line; the double nearest 1/6 stands for 1/6",
    unit="1 / x",
    kernel_range=(2.0**-64, 2.0**500),
)
OFFSET = Parameter("offset", 0.5, "the line at 0", kernel_range=(NOT_TINY, 2.0**900))


def bounds(
    low: float, high: float, kernel_range: tuple[float, float]
) -> tuple[Parameter, Parameter]:
    bound = Parameter(
        "min_val", low, "the lowest value", unit="x", is_compared=True, kernel_range=kernel_range
    )
    return bound, bound._replace(name="max_val", default=high, meaning="the highest value")


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
        keeps_integers=True,
        keeps_bool=True,
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
        kinks=((0, "0"),),
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
        kinks=((0, "0"), (6, "0")),
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
            "negative_slope", 0.01, "slope for x <= 0", domain_from_output="0 or above",
            kernel_range=ANY_NUMBER,
        ),),
        kinks=((0, "negative_slope"),),
        exponential_free=True,
        keeps_integers=True,
        derivative_from_output="1 if y > 0 else negative_slope",
        example=(-0.01, 0.0, 2.0),
        derivative_example=(0.01, 0.01, 1.0),
        reference="A. L. Maas, A. Y. Hannun and A. Y. Ng, Rectifier nonlinearities improve neural "
        "network acoustic models, ICML 2013.",
    ),
    Row(
        name="prelu",
        summary="Leaky rectified linear unit whose slopes are learned, one for each channel.",
        formula="x if x > 0 else weight * x",
        derivative="1 if x > 0 else weight",
        limits=(-math.inf, math.inf),
        derivative_limits=(0.25, 1.0),
        parameters=(Parameter(
            "weight", 0.25, "slope for x <= 0, or an array of one axis with that of each channel",
            required=True,
        ),),
        options=(Option(
            "axis", 1, "int", "int", "the axis of x along which the channels lie; of no "
            "consequence for one slope and x of fewer than two axes"
        ),),
        kernels="leaky_relu",
        parameter_gradient="the gradient of the weight: the sum of ``grad_output * min(x, 0)`` "
        "over the elements of each channel, with the shape and dtype of the weight; a number "
        "has it in the dtype of the input. Elements with x >= 0 contribute exactly nothing",
        kinks=((0, "weight"),),
        exponential_free=True,
        no_derivative_from_output="the gradient of the weight needs x, and where the weight is 0 "
        "or below, inputs share an output",
        example=(-0.25, 0.0, 2.0),
        derivative_example=(0.25, 0.25, 1.0),
        reference="K. He, X. Zhang, S. Ren and J. Sun, Delving deep into rectifiers: surpassing "
        "human-level performance on ImageNet classification, ICCV 2015.",
    ),
    Row(
        name="rrelu",
        summary="Leaky rectified linear unit whose slopes are drawn at random in training.",
        formula="x if x > 0 else (lower + upper) / 2 * x",
        derivative="1 if x > 0 else (lower + upper) / 2",
        limits=(-math.inf, math.inf),
        derivative_limits=(11 / 48, 1.0),
        parameters=(
            Parameter("lower", 1 / 8, "least slope for x <= 0", domain_from_output="0 or above"),
            Parameter("upper", 1 / 3, "bound of the slopes"),
        ),
        options=(
            Option("training", False, "bool", "bool", "whether to draw a slope for each element "
                   "of x, uniformly from [lower, upper), instead of taking the mean"),
            Option("rng", None, "numpy.random.Generator, or a seed as for numpy.random.default_rng",
                   "Any", "what draws, in training; a generator is advanced by x.size numbers, "
                   "whatever the dtype"),
            Option("slopes", None, "array_like", "ArrayLike | None", "slopes drawn before, by "
                   "`rrelu.draw_slopes`; lower and upper are then ignored", keyword_only=True),
        ),
        ordered=(("lower", "upper"),),
        kernels="leaky_relu",
        notes="In training the function is ``x if x > 0 else slope * x`` and the derivative "
        "``1 if x > 0 else slope``, with a slope of its own for each element. A gradient needs the "
        "slopes that its forward call drew. Draw them first, "
        "``slopes = fa.rrelu.draw_slopes(x.shape, rng=rng)``, and give ``slopes=slopes`` to both "
        "calls; or take y and f' from one call of value_and_grad; or give both calls the "
        "same seed, or generators in the same state.",
        kinks=((0, "(lower + upper) / 2"),),
        exponential_free=True,
        derivative_from_output="1 if y > 0 else (lower + upper) / 2",
        example=(-0.2292, 0.0, 2.0),
        derivative_example=(0.2292, 0.2292, 1.0),
        reference="B. Xu, N. Wang, T. Chen and M. Li, Empirical evaluation of rectified "
        "activations in convolutional network, arXiv:1505.00853, 2015.",
    ),
    Row(
        name="threshold",
        summary="Identity above a threshold, a constant below.",
        formula="x if x > threshold else value",
        derivative="1 if x > threshold else 0",
        limits=(1.0, math.inf),
        derivative_limits=(0.0, 1.0),
        parameters=(
            Parameter(
                "threshold", 0.5, "where the identity begins", domain="a number", required=True,
                unit="x", is_compared=True, kernel_range=ANY_NUMBER,
            ),
            Parameter(
                "value", 1.0, "the function for x <= threshold", required=True, unit="x",
                is_compared=True, kernel_range=ANY_NUMBER,
            ),
        ),
        notes="The function itself jumps at x = threshold, unless value is threshold.",
        kinks=(("threshold", "0"),),
        exponential_free=True,
        exact=True,
        no_derivative_from_output=NOT_MONOTONIC,
        example=(1.0, 1.0, 2.0),
        derivative_example=(0.0, 0.0, 1.0),
        reference="K. Konda, R. Memisevic and D. Krueger, Zero-bias autoencoders and the benefits "
        "of co-adapting features, ICLR 2015.",
    ),
    Row(
        name="clipped_linear",
        summary="Linear function, clipped.",
        formula="min(max(slope * x + offset, min_val), max_val)",
        derivative="slope if min_val < slope * x + offset < max_val else 0",
        limits=(0.0, 1.0),
        derivative_limits=(0.0, 0.0),
        parameters=(
            SLOPE._replace(default=1, unit=""),
            OFFSET._replace(default=0, unit="x"),
            *bounds(0, 1, (NOT_TINY, math.inf)),
        ),
        ordered=(("min_val", "max_val"),),
        kinks=(("(min_val - offset) / slope", "0"), ("(max_val - offset) / slope", "0")),
        exponential_free=True,
        derivative_from_output="slope if min_val < y < max_val else 0",
        example=(0.0, 0.0, 1.0),
        derivative_example=(0.0, 0.0, 0.0),
        reference="thinc, layer thinc.layers.ClippedLinear, 2021.",
    ),
    Row(
        name="hard_tanh",
        aliases=("hardtanh",),
        summary="Identity, clipped: piecewise linear approximation of tanh.",
        formula="min(max(x, min_val), max_val)",
        derivative="1 if min_val < x < max_val else 0",
        limits=(-1.0, 1.0),
        derivative_limits=(0.0, 0.0),
        parameters=bounds(-1, 1, ANY_NUMBER),
        ordered=(("min_val", "max_val"),),
        kinks=(("min_val", "0"), ("max_val", "0")),
        exponential_free=True,
        exact=True,
        keeps_integers=True,
        derivative_from_output="1 if min_val < y < max_val else 0",
        example=(-1.0, 0.0, 1.0),
        derivative_example=(0.0, 1.0, 0.0),
        reference="R. Collobert, Large scale machine learning, PhD thesis, Universite de Paris VI, "
        "2004.",
    ),
    Row(
        name="hard_sigmoid",
        aliases=("hardsigmoid",),
        summary="Piecewise linear approximation of sigmoid.",
        formula="min(max(slope * x + offset, 0), 1)",
        derivative="slope if 0 < slope * x + offset < 1 else 0",
        limits=(0.0, 1.0),
        derivative_limits=(0.0, 0.0),
        parameters=(SLOPE, OFFSET),
        kinks=(("-offset / slope", "0"), ("(1 - offset) / slope", "0")),
        exponential_free=True,
        derivative_from_output="slope if 0 < y < 1 else 0",
        example=(0.3333, 0.5, 0.8333),
        derivative_example=(0.1667, 0.1667, 0.1667),
        reference="M. Courbariaux, Y. Bengio and J.-P. David, BinaryConnect: training deep neural "
        "networks with binary weights during propagations, NIPS 2015.",
    ),
    Row(
        name="hard_swish",
        aliases=("hardswish", "hard_silu"),
        summary="Piecewise quadratic approximation of silu.",
        formula="x * min(max(slope * x + offset, 0), 1)",
        derivative="0 if u <= 0 else 1 if u >= 1 else slope * x + u with u = slope * x + offset",
        limits=(-0.0, math.inf),
        derivative_limits=(0.0, 1.0),
        parameters=(SLOPE, OFFSET),
        kinks=(("-offset / slope", "0"), ("(1 - offset) / slope", "1")),
        exponential_free=True,
        no_derivative_from_output=NOT_MONOTONIC,
        example=(-0.3333, 0.0, 1.6667),
        derivative_example=(0.1667, 0.5, 1.1667),
        reference="A. Howard et al., Searching for MobileNetV3, ICCV 2019.",
    ),
    Row(
        name="hard_shrink",
        aliases=("hardshrink",),
        summary="Identity, 0 near 0.",
        formula="x if abs(x) > lambd else 0",
        derivative="1 if abs(x) > lambd else 0",
        limits=(-math.inf, math.inf),
        derivative_limits=(1.0, 1.0),
        parameters=(Parameter(
            "lambd", 0.5, "where the identity begins", domain="a number", unit="x",
            is_compared=True, kernel_range=ANY_NUMBER,
        ),),
        notes="If lambd is above 0, the function itself jumps at x = -lambd and lambd, where it is "
        "0.",
        kinks=(("-lambd", "1 if lambd < 0 else 0"), ("lambd", "1 if lambd < 0 else 0")),
        exponential_free=True,
        exact=True,
        derivative_from_output="1 if abs(y) > lambd else 0",
        example=(-1.0, 0.0, 2.0),
        derivative_example=(1.0, 0.0, 1.0),
        reference="D. L. Donoho and I. M. Johnstone, Ideal spatial adaptation by wavelet "
        "shrinkage, Biometrika 81, 1994.",
    ),
    Row(
        name="soft_shrink",
        aliases=("softshrink",),
        summary="Identity, moved towards 0.",
        formula="x - min(max(x, -lambd), lambd)",
        derivative="1 if abs(x) > lambd else 0",
        limits=(-math.inf, math.inf),
        derivative_limits=(1.0, 1.0),
        parameters=(Parameter(
            "lambd", 0.5, "how far", domain="0 or above", unit="x", is_compared=True
        ),),
        kinks=(("-lambd", "0"), ("lambd", "0")),
        exponential_free=True,
        derivative_from_output="1 if abs(y) > 0 else 0",
        example=(-0.5, 0.0, 1.5),
        derivative_example=(1.0, 0.0, 1.0),
        reference="D. L. Donoho, De-noising by soft-thresholding, IEEE Transactions on Information "
        "Theory 41, 1995.",
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
        name="squareplus",
        summary="Algebraic sister of softplus.",
        formula="(x + sqrt(x**2 + b)) / 2",
        derivative="(1 + x / sqrt(x**2 + b)) / 2",
        limits=(0.0, math.inf),
        derivative_limits=(0.0, 1.0),
        parameters=(Parameter(
            "b", 4.0, "how round f is at 0, where it is sqrt(b) / 2; 0 makes relu",
            domain="0 or above", unit="x**2",
        ),),
        notes="If b is 0, the derivative jumps at x = 0, where it is 0.",
        kinks=(("0 / (b == 0)", "0"),),
        exponential_free=True,
        derivative_from_output="y**2 / (y**2 + b / 4)",
        example=(0.618, 1.0, 2.4142),
        derivative_example=(0.2764, 0.5, 0.8536),
        reference="J. T. Barron, Squareplus: a softplus-like algebraic rectifier, "
        "arXiv:2112.11687, 2021.",
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
        derivative="1 / 2 if -1 < x < 1 else 1 / 4 if abs(x) == 1 else 0",
        limits=(0.0, 1.0),
        derivative_limits=(0.0, 0.0),
        notes="At x = -1 and 1, backward_from_output takes 0 for the derivative, as for all x "
        "beyond, which have the same outputs.",
        kinks=((-1, "1 / 4"), (1, "1 / 4")),  # as in JAX
        exponential_free=True,
        derivative_from_output="1 / 2 if 0 < y < 1 else 0",
        example=(0.0, 0.5, 1.0),
        derivative_example=(0.25, 0.5, 0.0),
        reference="JAX, function jax.nn.sparse_sigmoid, 2023.",
    ),
    Row(
        name="dish",
        summary="Algebraic sister of silu.",
        formula="x * (1 + x / sqrt(1 + x**2)) / 2",
        derivative="(1 + x / s) / 2 + x / (2 * s**3) with s = sqrt(1 + x**2)",
        limits=(-0.0, math.inf),
        derivative_limits=(-0.0, 1.0),
        exponential_free=True,
        no_derivative_from_output=NOT_MONOTONIC,
        example=(-0.1464, 0.0, 1.8944),
        derivative_example=(-0.0303, 0.5, 1.0367),
        reference="thinc, function thinc.layers.dish, Explosion, 2022.",
    ),
    Row(
        name="exponential",
        aliases=("exp",),
        summary="Exponential function.",
        formula="exp(x)",
        derivative="exp(x)",
        limits=(0.0, math.inf),
        derivative_limits=(0.0, math.inf),
        derivative_from_output="y",
        example=(0.3679, 1.0, 7.3891),
        derivative_example=(0.3679, 1.0, 7.3891),
        reference="The output unit of Poisson regression; ONNX operator Exp-13.",
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
        name="log_sigmoid",
        aliases=("logsigmoid",),
        summary="Logarithm of sigmoid.",
        formula="-log(1 + exp(-x))",
        derivative="1 / (1 + exp(x))",
        limits=(-math.inf, -0.0),
        derivative_limits=(1.0, 0.0),
        derivative_from_output="1 - exp(min(y, 0))",
        example=(-1.3133, -0.6931, -0.1269),
        derivative_example=(0.7311, 0.5, 0.1192),
        reference="PyTorch, class torch.nn.LogSigmoid, 2016.",
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
        name="scaled_tanh",
        summary="Hyperbolic tangent, scaled.",
        formula="a * tanh(b * x)",
        derivative="a * b / cosh(b * x)**2",
        limits=(-1.7159, 1.7159),
        derivative_limits=(0.0, 0.0),
        parameters=(
            Parameter(
                "a", 1.7159, "scale of the output, which is between -a and a",
                kernel_range=(2.0**-64, 2.0**64),
            ),
            Parameter(
                "b", 0.6666666666666666, "scale of the input", unit="1 / x",
                kernel_range=(2.0**-64, 2.0**64),
            ),
        ),
        notes="a and b are the doubles given, the default of b the one nearest to 2 / 3.",
        derivative_from_output="0 if abs(y) >= abs(a) else b / a * (a - y) * (a + y)",
        example=(-1.0, 0.0, 1.4929),
        derivative_example=(0.7554, 1.1439, 0.278),
        reference="Y. LeCun, L. Bottou, G. B. Orr and K.-R. Mueller, Efficient BackProp, in Neural "
        "Networks: Tricks of the Trade, 1998.",
    ),
    Row(
        name="tanhshrink",
        aliases=("tanh_shrink",),
        summary="What the hyperbolic tangent takes away.",
        formula="x - tanh(x)",
        derivative="tanh(x)**2",
        limits=(-math.inf, math.inf),
        derivative_limits=(1.0, 1.0),
        no_derivative_from_output=NO_ELEMENTARY_INVERSE,
        example=(-0.2384, 0.0, 1.036),
        derivative_example=(0.58, 0.0, 0.9293),
        reference="PyTorch, module torch.nn.Tanhshrink, 2016.",
    ),
    Row(
        name="softplus",
        aliases=("bnll",),
        summary="Smooth sister of relu.",
        formula="log(1 + exp(beta * x)) / beta",
        derivative="1 / (1 + exp(-beta * x))",
        limits=(0.0, math.inf),
        derivative_limits=(0.0, 1.0),
        parameters=(Parameter(
            "beta", 1.0, "sharpness; relu is the limit", domain="above 0", unit="1 / x",
            kernel_range=MODERATE,
        ),),
        derivative_from_output="1 - exp(-beta * max(y, 0))",
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
        parameters=(Parameter(
            "beta", 1.0, "sharpness; relu is the limit", unit="1 / x", kernel_range=MODERATE
        ),),
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
        notes="0.044715 is the decimal number itself, not a double near it.",
        limits=(-0.0, math.inf),
        derivative_limits=(-0.0, 1.0),
        no_derivative_from_output=NOT_MONOTONIC,
        example=(-0.1588, 0.0, 1.9546),
        derivative_example=(-0.083, 0.5, 1.0861),
        reference="D. Hendrycks and K. Gimpel, Gaussian error linear units (GELUs), "
        "arXiv:1606.08415, 2016.",
    ),
    Row(
        name="quick_gelu",
        summary="Gaussian error linear unit, sigmoid approximation.",
        formula="x / (1 + exp(-1.702 * x))",
        derivative="s * (1 + 1.702 * x * (1 - s)) with s = 1 / (1 + exp(-1.702 * x))",
        notes="1.702 is the decimal number itself, not a double near it.",
        limits=(-0.0, math.inf),
        derivative_limits=(-0.0, 1.0),
        no_derivative_from_output=NOT_MONOTONIC,
        example=(-0.1542, 0.0, 1.9357),
        derivative_example=(-0.0678, 0.5, 1.0738),
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
            "alpha", 1.0, "minus the limit at -inf", domain_from_output="0 or above"
        ),),
        notes="If alpha is 1, the derivative does not jump at 0.",
        kinks=((0, "alpha"),),
        derivative_from_output="1 if y > 0 else max(y + alpha, 0)",
        example=(-0.6321, 0.0, 2.0),
        derivative_example=(0.3679, 1.0, 1.0),
        reference="D.-A. Clevert, T. Unterthiner and S. Hochreiter, Fast and accurate deep network "
        "learning by exponential linear units (ELUs), ICLR 2016.",
    ),
    Row(
        name="celu",
        summary="Exponential linear unit, continuously differentiable for every alpha.",
        formula="x if x > 0 else alpha * (exp(x / alpha) - 1)",
        derivative="1 if x > 0 else exp(x / alpha)",
        limits=(-1.0, math.inf),
        derivative_limits=(0.0, 1.0),
        parameters=(Parameter(
            "alpha", 1.0, "minus the limit at -inf if above 0; below, f is -inf there and f' inf",
            domain="other than 0", unit="x",
        ),),
        derivative_from_output="1 if y > 0 else max(1 + y / alpha, 0)",
        example=(-0.6321, 0.0, 2.0),
        derivative_example=(0.3679, 1.0, 1.0),
        reference="J. T. Barron, Continuously differentiable exponential linear units, "
        "arXiv:1704.07483, 2017.",
    ),
    Row(
        name="selu",
        summary="Scaled exponential linear unit.",
        formula="1.0507009873554804934193349852946 * "
        "(x if x > 0 else 1.6732632423543772848170429916717 * (exp(x) - 1))",
        derivative="1.0507009873554804934193349852946 * "
        "(1 if x > 0 else 1.6732632423543772848170429916717 * exp(x))",
        limits=(-1.7580993408473768, math.inf),
        derivative_limits=(0.0, 1.0507009873554805),
        notes="The constants are the decimal numbers that were published, not doubles near them.",
        kinks=((0, "1.7580993408473768"),),
        derivative_from_output="1.0507009873554804934193349852946 if y > 0 else "
        "max(y + 1.7580993408473768599402175208123, 0)",
        example=(-1.1113, 0.0, 2.1014),
        derivative_example=(0.6468, 1.7581, 1.0507),
        reference="G. Klambauer, T. Unterthiner, A. Mayr and S. Hochreiter, Self-normalizing "
        "neural networks, NIPS 2017.",
    ),
)  # fmt: skip

NAMES = tuple(row.name for row in ROWS)
