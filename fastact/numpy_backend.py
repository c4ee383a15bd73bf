"""The NumPy reference: every activation as its formula, right everywhere, always available.

Each activation has ``name`` (f), ``name_grad`` (f') and, where the catalogue declares it,
``name_grad_from_output``: functions of an array and the parameters. They compute one precision
wider than the result, float64 for float32 and ``np.longdouble`` for float64, and are rounded once:
that is what makes the plain formulas right to the last bit or two. Where long double is no wider
than double (MSVC, Apple silicon), float64 results of this backend may be a few ulp off.

Infinities: factors of a vanishing exponential stop at +-20,000, far beyond the point where each
result has reached its limit, so that 0 * inf never arises and the sign of the limit remains.

An infinite parameter stands for the limit of f, or f', at each finite x. At an infinite x, the
result is the limit of that function: celu with alpha=inf is the identity, and its derivative is 1
everywhere. Most compiled kernels do not handle these limits, so this module computes them for every
backend (``dispatch``). If two infinite parameters have no common limit, the result is NaN.
Comparisons follow the formula, also between infinities. docs/accuracy.md states the rule for users.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fastact import coefficients as table
from fastact.catalogue import Row
from fastact.rounding import nearest_in

# Arrays of the working dtype in, the same out; parameters may be floats or arrays.
Array = Any

# Elements computed at a time: their temporary arrays stay in the second-level cache, and a long
# call can be interrupted between two chunks.
_CHUNK = 1 << 13

_WIDER = {"float32": np.float64, "float64": np.longdouble}
# Functions with at most one rounded operation. Long double would round a float64 result twice.
_ROUNDED_ONCE = ("leaky_relu", "soft_shrink", "sparse_sigmoid")
# Passes over the terms of a line, after which the sign of their sum is right.
_PASSES = 3
_LONG_DOUBLE_DIGITS = np.finfo(np.longdouble).nmant


def run(
    row: Row,
    verb: str,
    loop: str,
    inputs: Sequence[np.ndarray],
    outputs: Sequence[np.ndarray],
    parameters: Sequence[Any],
    num_threads: int,
) -> None:
    """Compute one verb of one activation over one-dimensional arrays; the contract of backends.

    Parameters
    ----------
    row : Row
        The activation.
    verb : {"forward", "grad", "backward", "backward_from_output", "value_and_grad"}
    loop : str
        Which loop a compiled backend takes; this one has none.
    inputs : sequence of ndarray
        (x,), (grad_output, x) or (grad_output, y): contiguous, native, of one dtype: float32,
        float64 or, in this backend alone and for rows that keep integers, bool, an integer dtype
        or object, of Python's integers.
    outputs : sequence of ndarray
        One array, or two for "value_and_grad"; of the same length and dtype. An output may be an
        input, but overlaps none partially.
    parameters : sequence
        All numbers, or all arrays of the same length: float64, or the dtype of integer inputs.
    num_threads : int
        The most threads to use. This backend uses one.
    """
    for chunk in chunks(outputs[0].size, _CHUNK):
        _run_chunk(
            row,
            verb,
            [array[chunk] for array in inputs],
            [array[chunk] for array in outputs],
            [value[chunk] if np.ndim(value) else value for value in parameters],
        )


def chunks(size: int, length: int) -> Iterator[slice]:
    """Yield slices of at most ``length`` elements that make up an array."""
    for begin in range(0, size, length):
        yield slice(begin, begin + length)


def _run_chunk(
    row: Row,
    verb: str,
    inputs: Sequence[np.ndarray],
    outputs: Sequence[np.ndarray],
    parameters: Sequence[Any],
) -> None:
    dtype = outputs[0].dtype
    is_rounded_once = row.name in _ROUNDED_ONCE and dtype == np.float64
    work = dtype if row.exact or is_rounded_once else _WIDER.get(dtype.name, dtype)
    arrays = [array.astype(work, copy=False) for array in inputs]
    if verb == "forward":
        outputs[0][...] = _function(row.name)(arrays[0], *parameters)
    elif verb == "grad":
        outputs[0][...] = _function(f"{row.name}_grad")(arrays[0], *parameters)
    elif verb == "value_and_grad":
        value = _function(row.name)(arrays[0], *parameters)
        outputs[1][...] = _function(f"{row.name}_grad")(arrays[0], *parameters)
        outputs[0][...] = value
    else:
        x, suffix = arrays[1], "grad"
        if verb == "backward_from_output":
            x, suffix = saturated(row, inputs[1], x, parameters), "grad_from_output"
        derivative = _function(f"{row.name}_{suffix}")(x, *parameters)
        outputs[0][...] = _product_to_odd(arrays[0], derivative)


def _function(name: str) -> Any:
    return globals()[name]


def has_bounds(row: Row) -> bool:
    """Whether outputs of 16 bits may have reached a bound: see ``saturated``."""
    return f"{row.name}_bounds" in globals()


def saturated(row: Row, y: np.ndarray, wide: np.ndarray, parameters: Sequence[Any]) -> np.ndarray:
    """Return ``wide``, infinite where ``y`` has reached a bound of the activation.

    A bound such as alpha may not be a number of the dtype of ``y``: outputs have reached it at the
    nearest number. ``wide`` holds the same outputs in a wider dtype. Where a row has a function
    ``name_bounds``, its derivative from the output is 0 at infinity.
    """
    bounds = globals().get(f"{row.name}_bounds")
    if bounds is None:
        return wide
    doubles = [np.asarray(parameter, np.float64) for parameter in parameters]
    low, high = (nearest_in(y.dtype, bound) for bound in bounds(*doubles))
    return np.where(wide <= low, -np.inf, np.where(wide >= high, np.inf, wide))


# --- no exponential ----------------------------------------------------------------------------


def _keep_nan(derivative: Array, x: Array) -> Array:
    return np.where(x == x, derivative, x)


def identity(x: Array) -> Array:
    return x.copy()  # an output may be the input


def identity_grad(x: Array) -> Array:
    return _keep_nan(1, x)


identity_grad_from_output = identity_grad


def relu(x: Array) -> Array:
    return np.where(x < 0, 0, x)  # np.maximum(x, 0) may turn -0.0 into 0.0


def relu_grad(x: Array) -> Array:
    return _keep_nan(x > 0, x)


relu_grad_from_output = relu_grad


def relu6(x: Array) -> Array:
    return np.where(x < 0, 0, np.minimum(x, 6))


def relu6_grad(x: Array) -> Array:
    return _keep_nan((x > 0) & (x < 6), x)


relu6_grad_from_output = relu6_grad


def squared_relu(x: Array) -> Array:
    rectified = relu(x)
    return _product_to_odd(rectified, rectified)


def squared_relu_grad(x: Array) -> Array:
    return 2 * relu(x)


def squared_relu_grad_from_output(y: Array) -> Array:
    return 2 * np.sqrt(relu(y))


def leaky_relu(x: Array, negative_slope: Any) -> Array:
    # 0 * inf would be NaN; np.sign(-inf) is a -1 that unsigned dtypes do not object to.
    bounded = np.where((negative_slope == 0) & (x == -np.inf), np.sign(x), x)
    is_x = (x > 0) | ((x == 0) & (np.abs(negative_slope) == np.inf))  # integers too
    return np.where(is_x, x, negative_slope * bounded)


def leaky_relu_grad(x: Array, negative_slope: Any) -> Array:
    return _keep_nan(np.where(x > 0, 1, negative_slope), x)


leaky_relu_grad_from_output = leaky_relu_grad


def threshold(x: Array, threshold: Any, value: Any) -> Array:
    return np.where(x <= threshold, value, x)


def threshold_grad(x: Array, threshold: Any, value: Any) -> Array:
    return _keep_nan(x > threshold, x)


def hard_tanh(x: Array, min_val: Any, max_val: Any) -> Array:
    return np.where(x < min_val, min_val, np.where(x > max_val, max_val, x))


def hard_tanh_grad(x: Array, min_val: Any, max_val: Any) -> Array:
    return _keep_nan((x > min_val) & (x < max_val), x)


hard_tanh_grad_from_output = hard_tanh_grad


def hard_shrink(x: Array, lambd: Any) -> Array:
    return np.where((x >= -lambd) & (x <= lambd), 0, x)


def hard_shrink_grad(x: Array, lambd: Any) -> Array:
    return _keep_nan((x < -lambd) | (x > lambd), x)


hard_shrink_grad_from_output = hard_shrink_grad


def soft_shrink(x: Array, lambd: Any) -> Array:
    rest = np.where((lambd == np.inf) & (x == x), 0, x - hard_tanh(x, -lambd, lambd))
    return np.copysign(rest, x)


soft_shrink_grad = hard_shrink_grad


def soft_shrink_grad_from_output(y: Array, lambd: Any) -> Array:
    return hard_shrink_grad(y, 0)


def clipped_linear(x: Array, slope: Any, offset: Any, min_val: Any, max_val: Any) -> Array:
    line = np.where((slope == 1) & (offset == 0), x, _linear(x, slope, offset))  # keeps -0.0
    return hard_tanh(line, min_val, max_val)


def clipped_linear_grad(x: Array, slope: Any, offset: Any, min_val: Any, max_val: Any) -> Array:
    above = _side(x, slope, offset, max_val) >= 0
    below = _side(x, slope, offset, min_val) <= 0
    derivative = np.where(above | below, 0, _exact_slope(x, slope))
    return _keep_nan(derivative, _linear(x, slope, offset))


def clipped_linear_grad_from_output(
    y: Array, slope: Any, offset: Any, min_val: Any, max_val: Any
) -> Array:
    is_inside = hard_tanh_grad(y, min_val, max_val) == 1
    return _keep_nan(np.where(is_inside, _exact_slope(y, slope), 0), y)


def hard_sigmoid(x: Array, slope: Any, offset: Any) -> Array:
    return clipped_linear(x, slope, offset, 0, 1)


def hard_sigmoid_grad(x: Array, slope: Any, offset: Any) -> Array:
    return clipped_linear_grad(x, slope, offset, 0, 1)


def hard_sigmoid_grad_from_output(y: Array, slope: Any, offset: Any) -> Array:
    return clipped_linear_grad_from_output(y, slope, offset, 0, 1)


def hard_swish(x: Array, slope: Any, offset: Any) -> Array:
    line = _linear(x, slope, offset)
    return np.where(line <= 0, np.copysign(0, x), np.where(line >= 1, x, x * line))


def hard_swish_grad(x: Array, slope: Any, offset: Any) -> Array:
    inner = _linear(x, slope, _in_type_of(x, offset) / 2) * 2
    above, below = _side(x, slope, offset, 1) >= 0, _side(x, slope, offset, 0) <= 0
    return np.where(below, 0, np.where(above, 1, inner))


def _linear(x: Array, slope: Any, offset: Any) -> Array:
    """``slope x + offset``, right near its root too, where the sum cancels.

    The sum is rounded to odd: if it lies beside a tie of a narrower type, the second rounding and
    ``rounding.settle_ties`` see on which side.
    """
    factor, product, shift, error = _line_terms(x, slope, offset)
    total, rest = _two_sum(product, shift)
    rest = rest + error
    rest = np.where(np.isfinite(rest), rest, 0)
    corrected = total + rest
    lost = (total - corrected) + rest
    line = np.where(np.isfinite(total), _to_odd(corrected, lost), total)
    return line / factor


def _side(x: Array, slope: Any, offset: Any, bound: Any) -> Array:
    """Return a number with the sign of ``slope x + offset - bound``.

    It is 0 if both are the same infinity.
    """
    bound = _in_type_of(x, bound)
    factor, *terms = _line_terms(x, slope, offset)
    moved = -factor * bound
    terms += [moved, -_error_or_zero(factor, bound, -moved)]
    # After each pass, the rounding errors of its sums stand in the place of the terms.
    for _ in range(_PASSES):
        for i in range(1, len(terms)):
            terms[i], terms[i - 1] = _two_sum(terms[i - 1], terms[i])
    total = sum(terms[:-1], terms[-1])
    line = _linear(x, slope, offset)
    return np.where(np.isfinite(total), total, np.where(line == bound, 0, line - bound))


def _line_terms(x: Array, slope: Any, offset: Any) -> list[Array]:
    """Return a factor and three terms, whose sum is the factor times ``slope x + offset``.

    The double nearest 1/6 stands for 1/6: the factor is 6, and the sum is ``x + 6 offset``.
    """
    offset = _in_type_of(x, offset)
    largest = np.finfo(x.dtype).max / 16
    by_six = _is_sixth(slope) & (np.abs(x) < largest) & (np.abs(offset) < largest)
    factor = np.where(by_six, x.dtype.type(6), x.dtype.type(1))
    slope = np.where(by_six, x.dtype.type(1), _in_type_of(x, slope))
    # 0 * inf and inf - inf would be NaN.
    bounded = np.where((slope == 0) | np.isinf(offset), _bounded(x, -2e4, 2e4), x)
    product, shift = _product(slope, bounded), factor * offset
    # One of these is 0, since the slope or the factor is 1.
    error = _error_or_zero(slope, bounded, product) + _error_or_zero(factor, offset, shift)
    return [factor, product, shift, error]


def _two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """Return ``a + b`` and its rounding error (Knuth)."""
    total = a + b
    taken = total - a
    return total, (a - (total - taken)) + (b - taken)


def _error_or_zero(a: Array, b: Array, product: Array) -> Array:
    """Return the rounding error of a product, and 0 where splitting the factors overflows."""
    error = _product_error(a, b, product)
    return np.where(np.isfinite(error), error, 0)


def _is_sixth(slope: Any) -> Any:
    return slope == 1 / 6


def _exact_slope(x: Array, slope: Any) -> Array:
    """Return the slope in the type of x: the double nearest 1/6 stands for 1/6."""
    return np.where(_is_sixth(slope), x.dtype.type(1) / 6, _in_type_of(x, slope))


def _in_type_of(x: Array, value: Any) -> Array:
    return x.dtype.type(value) if np.ndim(value) == 0 else np.asarray(value, x.dtype)


def softsign(x: Array) -> Array:
    bounded = np.minimum(np.abs(x), np.finfo(x.dtype).max / 2)  # inf / inf would be NaN
    return np.copysign(bounded / (1 + bounded), x)


def softsign_grad(x: Array) -> Array:
    return 1 / (1 + np.abs(x)) / (1 + np.abs(x))


def softsign_grad_from_output(y: Array) -> Array:
    return (1 - np.abs(y)) ** 2


def squareplus(x: Array, b: Any) -> Array:
    a, b = np.abs(x), np.asarray(b, x.dtype)
    total = _root(a, b) + a
    tail = np.where(total == 0, 0, b / total / 2)  # b and x are 0
    return np.where(x < 0, 0, x) + np.where(b == np.inf, b, tail)


def squareplus_grad(x: Array, b: Any) -> Array:
    a, b = np.abs(x), np.asarray(b, x.dtype)
    s = _root(a, b)
    tail = np.where(s == 0, 0, b / s / (s + a) / 2)
    return np.where((b == np.inf) & (x == x), 0.5, np.where(x > 0, 1 - tail, tail))


def squareplus_grad_from_output(y: Array, b: Any) -> Array:
    quotient = 1 / (1 + np.asarray(b, y.dtype) / y / y / 4)  # y**2 might overflow
    # For b = inf, every output is inf, where f' is 1 / 2.
    quotient = np.where((b == np.inf) & np.isinf(y), 0.5, quotient)
    return _keep_nan(np.where(b == 0, y > 0, quotient), y)


def _root(a: Array, b: Any) -> Array:
    """Return sqrt(a**2 + b)."""
    return np.hypot(a, np.sqrt(np.asarray(b, a.dtype)))


def sparse_plus(x: Array) -> Array:
    return np.where(x >= 1, x, np.maximum(x + 1, 0) ** 2 / 4)


def sparse_plus_grad(x: Array) -> Array:
    return sparse_sigmoid(x)


def sparse_plus_grad_from_output(y: Array) -> Array:
    return np.sqrt(_bounded(y, 0, 1))


def sparse_sigmoid(x: Array) -> Array:
    return _bounded((x + 1) / 2, 0, 1)


def sparse_sigmoid_grad(x: Array) -> Array:
    return _keep_nan(np.where(np.abs(x) < 1, 0.5, np.where(np.abs(x) == 1, 0.25, 0)), x)


def sparse_sigmoid_grad_from_output(y: Array) -> Array:
    return _keep_nan(np.where((y > 0) & (y < 1), 0.5, 0), y)


def dish(x: Array) -> Array:
    a = np.abs(x)
    near = np.minimum(a, 1e12)
    v = 1 + near**2
    # Beyond 1e12 it is 1 / (4 a), and a**2 might overflow.
    tail = np.where(a > 1e12, 0.25 / a, near / 2 / (v + near * np.sqrt(v)))
    return np.where(x < 0, -0.0, x) - tail


def dish_grad(x: Array) -> Array:
    a = np.abs(x)
    near = np.minimum(a, 1e12)
    v = 1 + near**2
    p = near * np.sqrt(v)
    distance = (-table.DISH_ROOT[0] - near) - table.DISH_ROOT[1]
    # 1 - a**2 - a**4, by its root
    numerator = distance * (near - table.DISH_ROOT[0]) * (v + table.DISH_ROOT_SQUARED[0])
    tail = np.where(a > 1e12, -0.25 / a / a, numerator / (2 * v * (v + p) * (1 + p)))
    return np.where(x < 0, tail, 1 - tail)


# --- with an exponential -----------------------------------------------------------------------


def _bounded(x: Array, low: float = -2e4, high: float = np.inf) -> Array:
    return np.minimum(np.maximum(x, low), high)


def exponential(x: Array) -> Array:
    return np.exp(x)


exponential_grad = exponential


def exponential_grad_from_output(y: Array) -> Array:
    return y


def sigmoid(x: Array) -> Array:
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def sigmoid_grad(x: Array) -> Array:
    e = np.exp(-np.abs(x))
    return e / (1 + e) ** 2


def sigmoid_grad_from_output(y: Array) -> Array:
    return y * (1 - y)


def log_sigmoid(x: Array) -> Array:
    return -softplus(-x, 1)


def log_sigmoid_grad(x: Array) -> Array:
    return sigmoid(-x)


def log_sigmoid_grad_from_output(y: Array) -> Array:
    return -np.expm1(np.minimum(y, 0))


def tanh(x: Array) -> Array:
    return np.tanh(x)


def tanh_grad(x: Array) -> Array:
    e = np.exp(-2 * np.abs(x))
    return 4 * e / (1 + e) ** 2  # 1 - tanh(x)**2 would cancel


def tanh_grad_from_output(y: Array) -> Array:
    return (1 - y) * (1 + y)


def scaled_tanh(x: Array, a: Any, b: Any) -> Array:
    return _product(a, np.tanh(_product(b, x)))


def scaled_tanh_grad(x: Array, a: Any, b: Any) -> Array:
    slope = tanh_grad(_product(b, x))
    at_infinite_a = np.where(np.isinf(b), a * (b * slope), _product(a, _in_type_of(x, b)))
    derivative = np.where(np.isinf(a), at_infinite_a, a * _product(b, slope))
    return _keep_nan(derivative, x)


def scaled_tanh_bounds(a: Any, b: Any) -> tuple[Any, Any]:
    return -np.abs(a), np.abs(a)


def scaled_tanh_grad_from_output(y: Array, a: Any, b: Any) -> Array:
    scale = np.abs(a)
    magnitude = np.minimum(np.abs(y), scale)
    finite = (scale - magnitude) * (1 + magnitude / np.where(a == 0, 1, scale))
    slope = _in_type_of(y, np.where(a == 0, 0, np.sign(a) * b))
    return _keep_nan(_product(slope, np.where(np.isinf(a), scale, finite)), y)


def tanhshrink(x: Array) -> Array:
    bounded = _bounded(x, -1, 1)
    square = bounded * bounded
    constant = _pair((table.TANHSHRINK_FULL[0], table.TANHSHRINK_FULL_LOW), x.dtype)
    near = bounded * square * _polynomial((constant, *table.TANHSHRINK_FULL[1:]), square)
    return np.where(np.abs(x) < table.TANHSHRINK_RADIUS, near, x - np.tanh(x))


def tanhshrink_grad(x: Array) -> Array:
    return np.tanh(x) ** 2


def softplus(x: Array, beta: Any) -> Array:
    return np.where(x < 0, 0, x) + np.log1p(np.exp(-np.abs(_product(beta, x)))) / beta


def softplus_grad(x: Array, beta: Any) -> Array:
    return sigmoid(_product(beta, x))


def softplus_grad_from_output(y: Array, beta: Any) -> Array:
    return -np.expm1(np.minimum(-_product(beta, y), 0))


def silu(x: Array, beta: Any) -> Array:
    z = _product(beta, x)
    return np.where(z < -2e4, np.copysign(0, x), x) * sigmoid(z)


def silu_grad(x: Array, beta: Any, beta_low: float = 0.0) -> Array:
    x_or_zero = np.where(beta == 0, 0, x)
    beta = x.dtype.type(beta) if np.ndim(beta) == 0 else beta
    z = _bounded(_product(beta + beta_low, x_or_zero), high=2e4)
    error = _product_error(x_or_zero, beta, z) + x_or_zero * beta_low
    derivative = _near_root(z, _gated_grad(z, z), table.SILU_ROOT, table.SILU_SLOPE, error)
    return _keep_nan(derivative, x)


def gelu(x: Array) -> Array:
    tail = _normal_tail(np.abs(x))
    return _bounded(x, low=-40) * np.where(x < 0, tail, 1 - tail)


def gelu_grad(x: Array) -> Array:
    a = np.minimum(np.abs(x), 40)
    distance = (-table.GELU_ROOT[0] - a) - table.GELU_ROOT[1]
    d = (
        np.exp(-a * a / 2)
        * distance
        * _compensated(table.GELU_GRAD_FULL, table.GELU_GRAD_FULL_LOW, a)
    )
    return np.where(x < 0, d, 1 - d)


def gelu_tanh(x: Array) -> Array:
    return _bounded(x, low=-23) * sigmoid(_gelu_tanh_cubic(_bounded(x, -23, 23), 1))


def gelu_tanh_grad(x: Array) -> Array:
    bounded = _bounded(x, -23, 23)
    formula = _gated_grad(_gelu_tanh_cubic(bounded, 1), _gelu_tanh_cubic(bounded, 3))
    return _near_root(x, formula, table.GELU_TANH_ROOT, table.GELU_TANH_SLOPE)


def quick_gelu(x: Array) -> Array:
    number = x.dtype.type
    return silu(x, number(table.QUICK_GELU_FACTOR) + number(table.QUICK_GELU_FACTOR_LOW))


def quick_gelu_grad(x: Array) -> Array:
    return silu_grad(x, table.QUICK_GELU_FACTOR, table.QUICK_GELU_FACTOR_LOW)


def mish(x: Array) -> Array:
    e = np.exp(-np.abs(x))
    n = np.where(x < 0, e * (e + 2), 1 + 2 * e)  # tanh(log(1 + exp(x))) = n / (n + ...)
    return _bounded(x) * n / (n + np.where(x < 0, 2, 2 * e * e))


def mish_grad(x: Array) -> Array:
    x = _bounded(x, high=2e4)
    e = np.exp(-np.abs(x))
    linear, constant = 4 * x + 6, 4 * (x + 1)
    low = e * (((e + 4) * e + linear) * e + constant) / ((e + 2) * e + 2) ** 2
    high = (((constant * e + linear) * e + 4) * e + 1) / ((2 * e + 2) * e + 1) ** 2
    return _near_root(x, np.where(x < 0, low, high), table.MISH_ROOT, table.MISH_SLOPE)


def elu(x: Array, alpha: Any) -> Array:
    return np.where(x >= 0, x, alpha * np.expm1(np.minimum(x, 0)))


def elu_grad(x: Array, alpha: Any) -> Array:
    root = np.exp(np.minimum(x, 0) / 2)  # exp(x) may underflow where alpha exp(x) does not
    low = np.where(np.isinf(alpha), alpha, alpha * root * root)
    return _keep_nan(np.where(x > 0, 1, low), x)


def elu_bounds(alpha: Any) -> tuple[Any, float]:
    return -alpha, np.inf


def elu_grad_from_output(y: Array, alpha: Any) -> Array:
    low = np.where(np.isinf(alpha), alpha, np.maximum(y + alpha, 0))
    return _keep_nan(np.where(y > 0, 1, low), y)


def celu(x: Array, alpha: Any) -> Array:
    z = _celu_argument(x, alpha)  # may be subnormal, where the result is x
    return np.where((x >= 0) | (np.abs(z) < 1e-30), x, alpha * np.expm1(z))


def celu_grad(x: Array, alpha: Any) -> Array:
    return np.where(x > 0, 1, np.exp(_celu_argument(x, alpha)))


def celu_bounds(alpha: Any) -> tuple[Any, float]:
    return np.where(alpha > 0, -alpha, -np.inf), np.inf


def celu_grad_from_output(y: Array, alpha: Any) -> Array:
    low = np.where(np.isinf(alpha), 1, np.maximum((y + alpha) / alpha, 0))
    return _keep_nan(np.where(y > 0, 1, low), y)


def _celu_argument(x: Array, alpha: Any) -> Array:
    return np.where(np.isinf(alpha) & (x == x), 0, np.minimum(x, 0) / alpha)


def selu(x: Array) -> Array:
    scale = _pair((table.SELU_SCALE, table.SELU_SCALE_LOW), x.dtype)
    product = _pair(table.SELU_PRODUCT, x.dtype)
    return np.where(x >= 0, scale * x, product * np.expm1(np.minimum(x, 0)))


def selu_grad(x: Array) -> Array:
    scale = _pair((table.SELU_SCALE, table.SELU_SCALE_LOW), x.dtype)
    return np.where(x > 0, scale, elu_grad(np.minimum(x, 0), _pair(table.SELU_PRODUCT, x.dtype)))


def selu_bounds() -> tuple[float, float]:
    return -table.SELU_PRODUCT[0], np.inf


def selu_grad_from_output(y: Array) -> Array:
    scale = _pair((table.SELU_SCALE, table.SELU_SCALE_LOW), y.dtype)
    high, low = table.SELU_PRODUCT
    # The first sum is exact where it cancels.
    return np.where(y > 0, scale, np.maximum((y + high) + low, 0))


# --- their parts -------------------------------------------------------------------------------


def _product(scale: Any, x: Array) -> Array:
    """``scale x``, and 0 for 0 times infinity."""
    product = scale * x
    signed_zero = np.copysign(0, scale) * np.copysign(1, x)
    return np.where((product != product) & (scale == scale) & (x == x), signed_zero, product)


def _product_to_odd(a: Array, b: Array) -> Array:
    """``a b``, rounded to odd if it is a long double next to the middle between two doubles.

    An odd number is not the middle itself, so the rounding to double that follows gives the same
    result as one rounding of the exact product.
    """
    product = np.asarray(a * b)
    if product.dtype != np.longdouble or np.finfo(np.float64).nmant == _LONG_DOUBLE_DIGITS:
        return product
    low, high = (
        (product * (1 + sign * np.longdouble(2.0**-61))).astype(np.float64) for sign in (-1, 1)
    )
    uncertain = (low != high) & np.isfinite(product)
    if uncertain.any():
        a, b = (np.broadcast_to(factor, product.shape)[uncertain] for factor in (a, b))
        nearest = product[uncertain]
        product[uncertain] = _to_odd(nearest, _product_error(a, b, nearest))
    return product


def _to_odd(value: Array, lost: Array) -> Array:
    """Return ``value + lost``, rounded to odd; ``value`` is the nearest number."""
    digits = np.finfo(value.dtype).nmant + 1
    is_even = np.fmod(np.ldexp(np.frexp(value)[0], digits), 2) == 0
    beside = np.nextafter(value, np.copysign(value.dtype.type(np.inf), lost))
    return np.where((lost != 0) & is_even, beside, value)


def _gated_grad(z: Array, w: Array) -> Array:
    """``sigmoid(z) + w sigmoid'(z)``, the derivative of ``x sigmoid(z(x))``, ``w = x z'(x)``."""
    e = np.exp(-np.abs(z))
    return np.where(z < 0, e * (1 + e + w), 1 + e + w * e) / (1 + e) ** 2


def _gelu_tanh_cubic(x: Array, cubic_factor: int) -> Array:
    """``2 sqrt(2/pi) (x + cubic_factor 0.044715 x**3)``."""
    linear = _pair(table.GELU_TANH_LINEAR, x.dtype)
    cubic = cubic_factor * _pair(table.GELU_TANH_CUBIC, x.dtype)
    return x * (linear + cubic * (x * x))


def _normal_tail(a: Array) -> Array:
    """``Phi(-a)`` for a >= 0, never as ``1 - Phi(a)``, which would cancel."""
    a = np.minimum(a, 40)
    return np.exp(-a * a / 2) * _mills_ratio(a)


def _mills_ratio(a: Array) -> Array:
    """``exp(a**2 / 2) Phi(-a)`` for 0 <= a <= 40."""
    return _compensated(table.MILLS_FULL, table.MILLS_FULL_LOW, a) / (a + 1.25)


def _compensated(coefficients: Sequence[float], low: float, a: Array) -> Array:
    """The polynomial in ``(a - 4) / (a + 4)`` whose constant term is a pair with ``low``."""
    constant = _pair((coefficients[0], low), a.dtype)
    return _polynomial((constant, *coefficients[1:]), (a - 4) / (a + 4))


def _product_error(a: Array, b: Array, product: Array) -> Array:
    """``a b - product``, exactly, for a rounded product of moderate size (Veltkamp, Dekker)."""
    splitter = product.dtype.type(2 ** ((np.finfo(product.dtype).nmant + 2) // 2) + 1)
    a_high, b_high = (splitter * factor - (splitter * factor - factor) for factor in (a, b))
    a_low, b_low = a - a_high, b - b_high
    return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def _near_root(x: Array, formula: Array, root: Any, slope: Any, low: Any = 0) -> Array:
    """``formula``, but ``(x - root) slope(x - root)`` near the root, where the formula cancels.

    ``low`` is what is missing from x to its exact value.
    """
    d = (x - root[0]) + (low - root[1])
    return np.where(np.abs(d) < table.ROOT_RADIUS, d * _polynomial(slope, d), formula)


def _polynomial(coefficients: Sequence[Any], x: Array) -> Array:
    total = coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        total = total * x + coefficient
    return total


def _pair(pair: tuple[float, float], dtype: Any) -> Any:
    return dtype.type(pair[0]) + dtype.type(pair[1])
