"""Independent truth: every f and f' in mpmath, and errors in units in the last place.

``exact`` gives the truth, for parameters that are exactly the doubles given. It is too slow for
every input, so ``approximate`` stands before it: the formulas of the NumPy backend in long double,
which test_accuracy_float64.py holds to one ulp of float64. ``worst`` joins the two:
what the approximation cannot settle, and the largest errors, are settled by mpmath.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import mpmath as mp
import numpy as np
from inputs import BEYOND, Case, integer_type, sample, values

from fastact import numpy_backend

#: Digits to work with: f' at the float64 nearest its root cancels 17, and 1 + x must not lose
#: the smallest float32.
DIGITS = 80

#: So near, in units of the last place, to the middle between two numbers, ``DIGITS`` may not tell
#: which of them is nearer: x / 2 and a term in x^2, where x is subnormal, have 324 digits between.
NEAR_A_TIE = mp.mpf(1e-20)
DIGITS_OF_TIES = 800

#: Within how many ulp of float64 ``approximate`` is.
SLACK = 1.0

# --- definitions -------------------------------------------------------------------------------


class Definition(NamedTuple):
    """f and f' as functions of x, and f' as a function of y = f(x), where it is one."""

    value: Callable[..., Any]
    grad: Callable[..., Any]
    grad_from_output: Callable[..., Any] | None = None


def _squareplus(x: Any, b: Any) -> Any:
    root = mp.sqrt(x**2 + b)
    return b / 2 / (root - x) if x < 0 else (x + root) / 2


def _squareplus_grad(x: Any, b: Any) -> Any:
    if b == 0:
        return 1 if x > 0 else 0
    root = mp.sqrt(x**2 + b)
    return b / 2 / (root * (root - x)) if x < 0 else (1 + x / root) / 2


def _dish(x: Any) -> Any:
    root = mp.sqrt(1 + x**2)
    return x / 2 / (root * (root - x)) if x < 0 else x * (1 + x / root) / 2


def _dish_grad(x: Any) -> Any:
    root = mp.sqrt(1 + x**2)
    if x < 0:  # (1 - p) / 2 / (s**2 (s**2 + p)), p = -x s
        return (1 - x**2 * root**2) / 2 / (root**2 * (root**2 - x * root) * (1 - x * root))
    return (1 + x / root) / 2 + x / (2 * root**3)


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def _bell(x: Any) -> Any:
    """Return sigmoid', without the cancellation of s (1 - s)."""
    return 1 / (2 * mp.cosh(x / 2)) ** 2


def _normal_cdf(x: Any) -> Any:
    if x < -10_000:  # mpmath gives up far out; the asymptote is as good as zero here
        return mp.npdf(x) / -x
    return mp.ncdf(x)


def _hard_swish_grad(x: Any, slope: Any, offset: Any) -> Any:
    line = slope * x + offset
    return 0 if line <= 0 else 1 if line >= 1 else slope * x + line


def _tanhshrink(x: Any) -> Any:
    """Return x - tanh(x): near 0 as x**3 / 3 times what does not cancel."""
    if abs(x) < 1:
        return x**3 / 3 * mp.hyp0f1(mp.mpf(5) / 2, x**2 / 4) / mp.cosh(x)
    return x - mp.tanh(x)


def _silu_grad(x: Any, beta: Any) -> Any:
    return _sigmoid(beta * x) + beta * x * _bell(beta * x)


def _gelu_tanh_argument(x: Any) -> Any:
    return 2 * mp.sqrt(2 / mp.pi) * (x + mp.mpf("0.044715") * x**3)


def _gelu_tanh_grad(x: Any) -> Any:
    z = _gelu_tanh_argument(x)
    slope = 2 * mp.sqrt(2 / mp.pi) * (1 + 3 * mp.mpf("0.044715") * x**2)
    return _sigmoid(z) + x * slope * _bell(z)


def _quick_gelu_factor() -> Any:
    return mp.mpf("1.702")


def _softplus(x: Any, beta: Any) -> Any:
    return (max(beta * x, 0) + mp.log1p(mp.exp(-abs(beta * x)))) / beta


def _mish_grad(x: Any) -> Any:
    softplus = _softplus(x, 1)
    return mp.tanh(softplus) + x * _sigmoid(x) / mp.cosh(softplus) ** 2


# mpmath rounds text to the precision in force, so constants are functions: whoever calls them has
# set the precision.


def _selu_scale() -> Any:
    return mp.mpf("1.0507009873554804934193349852946")


def _selu_product() -> Any:
    return _selu_scale() * mp.mpf("1.6732632423543772848170429916717")


DEFINITIONS = {
    "identity": Definition(lambda x: x, lambda x: 1, lambda y: 1),
    "relu": Definition(
        lambda x: max(x, 0),
        lambda x: 1 if x > 0 else 0,
        lambda y: 1 if y > 0 else 0,
    ),
    "relu6": Definition(
        lambda x: min(max(x, 0), 6),
        lambda x: 1 if 0 < x < 6 else 0,
        lambda y: 1 if 0 < y < 6 else 0,
    ),
    "squared_relu": Definition(
        lambda x: max(x, 0) ** 2,
        lambda x: 2 * max(x, 0),
        lambda y: 2 * mp.sqrt(max(y, 0)),
    ),
    "leaky_relu": Definition(
        lambda x, slope: x if x > 0 else slope * x,
        lambda x, slope: 1 if x > 0 else slope,
        lambda y, slope: 1 if y > 0 else slope,
    ),
    "threshold": Definition(
        lambda x, threshold, value: x if x > threshold else value,
        lambda x, threshold, value: 1 if x > threshold else 0,
    ),
    "clipped_linear": Definition(
        lambda x, slope, offset, low, high: min(max(slope * x + offset, low), high),
        lambda x, slope, offset, low, high: slope if low < slope * x + offset < high else 0,
        lambda y, slope, offset, low, high: slope if low < y < high else 0,
    ),
    "hard_tanh": Definition(
        lambda x, low, high: min(max(x, low), high),
        lambda x, low, high: 1 if low < x < high else 0,
        lambda y, low, high: 1 if low < y < high else 0,
    ),
    "hard_sigmoid": Definition(
        lambda x, slope, offset: min(max(slope * x + offset, 0), 1),
        lambda x, slope, offset: slope if 0 < slope * x + offset < 1 else 0,
        lambda y, slope, offset: slope if 0 < y < 1 else 0,
    ),
    "hard_swish": Definition(
        lambda x, slope, offset: x * min(max(slope * x + offset, 0), 1),
        _hard_swish_grad,
    ),
    "hard_shrink": Definition(
        lambda x, lambd: x if abs(x) > lambd else 0,
        lambda x, lambd: 1 if abs(x) > lambd else 0,
        lambda y, lambd: 1 if abs(y) > lambd else 0,
    ),
    "soft_shrink": Definition(
        lambda x, lambd: mp.sign(x) * max(abs(x) - lambd, 0),
        lambda x, lambd: 1 if abs(x) > lambd else 0,
        lambda y, lambd: 1 if abs(y) > 0 else 0,
    ),
    "softsign": Definition(
        lambda x: x / (1 + abs(x)),
        lambda x: 1 / (1 + abs(x)) ** 2,
        lambda y: (1 - abs(y)) ** 2,
    ),
    "squareplus": Definition(
        _squareplus,
        _squareplus_grad,
        lambda y, b: y**2 / (y**2 + b / 4) if b else (1 if y > 0 else 0),
    ),
    "sparse_plus": Definition(
        lambda x: 0 if x <= -1 else x if x >= 1 else (x + 1) ** 2 / 4,
        lambda x: min(max((x + 1) / 2, 0), 1),
        lambda y: mp.sqrt(min(max(y, 0), 1)),
    ),
    "sparse_sigmoid": Definition(
        lambda x: min(max((x + 1) / 2, 0), 1),
        lambda x: mp.mpf(0.5) if -1 < x < 1 else mp.mpf(0.25) if abs(x) == 1 else 0,
        lambda y: mp.mpf(0.5) if 0 < y < 1 else 0,
    ),
    "dish": Definition(_dish, _dish_grad),
    "exponential": Definition(mp.exp, mp.exp, lambda y: y),
    "sigmoid": Definition(_sigmoid, _bell, lambda y: y * (1 - y)),
    "log_sigmoid": Definition(
        lambda x: -_softplus(-x, 1),
        lambda x: _sigmoid(-x),
        lambda y: -mp.expm1(min(y, 0)),
    ),
    "tanh": Definition(mp.tanh, lambda x: mp.sech(x) ** 2, lambda y: 1 - y**2),
    "scaled_tanh": Definition(
        lambda x, a, b: a * mp.tanh(b * x),
        lambda x, a, b: a * b * mp.sech(b * x) ** 2,
        lambda y, a, b: b / a * (a**2 - y**2) if a else 0,
    ),
    "tanhshrink": Definition(_tanhshrink, lambda x: mp.tanh(x) ** 2),
    "softplus": Definition(
        _softplus,
        lambda x, beta: _sigmoid(beta * x),
        lambda y, beta: -mp.expm1(-beta * max(y, 0)),
    ),
    "silu": Definition(lambda x, beta: x * _sigmoid(beta * x), _silu_grad),
    "gelu": Definition(
        lambda x: x * _normal_cdf(x),
        lambda x: _normal_cdf(x) + x * mp.npdf(x),
    ),
    "gelu_tanh": Definition(
        lambda x: x * _sigmoid(_gelu_tanh_argument(x)),
        _gelu_tanh_grad,
    ),
    "quick_gelu": Definition(
        lambda x: x * _sigmoid(_quick_gelu_factor() * x),
        lambda x: _silu_grad(x, _quick_gelu_factor()),
    ),
    "mish": Definition(lambda x: x * mp.tanh(_softplus(x, 1)), _mish_grad),
    "elu": Definition(
        lambda x, alpha: x if x > 0 else alpha * mp.expm1(x),
        lambda x, alpha: 1 if x > 0 else alpha * mp.exp(x),
        lambda y, alpha: 1 if y > 0 else y + alpha,
    ),
    "celu": Definition(
        lambda x, alpha: x if x > 0 else alpha * mp.expm1(x / alpha),
        lambda x, alpha: 1 if x > 0 else mp.exp(x / alpha),
        lambda y, alpha: 1 if y > 0 else 1 + y / alpha,
    ),
    "selu": Definition(
        lambda x: _selu_scale() * x if x > 0 else _selu_product() * mp.expm1(x),
        lambda x: _selu_scale() if x > 0 else _selu_product() * mp.exp(x),
        lambda y: _selu_scale() if y > 0 else y + _selu_product(),
    ),
}


#: The bounds that outputs approach, where these need not be numbers of a dtype: at the nearest
#: number and beyond, f' of y is 0.
OUTPUT_BOUNDS: dict[str, Callable[..., tuple[Any, Any]]] = {
    "scaled_tanh": lambda a, b: (-abs(a), abs(a)),
    "elu": lambda alpha: (-alpha, mp.inf),
    "celu": lambda alpha: (-alpha if alpha > 0 else -mp.inf, mp.inf),
    "selu": lambda: (-_selu_product(), mp.inf),
}


def definition(name: str) -> Definition:
    if name not in DEFINITIONS:
        raise LookupError(f"no truth for {name!r}: add it to DEFINITIONS in tests/truth.py")
    return DEFINITIONS[name]


# --- truth -------------------------------------------------------------------------------------


def exact(case: Case, function: str, x: np.ndarray, digits: int = DIGITS) -> list[Any]:
    """Return f ("value"), f' ("grad") or f' of y ("grad_from_output") at ``x`` as mpmath numbers.

    The values at infinity are those at ``BEYOND``: they round to the limits. Zeros have no sign.
    """
    formula = getattr(definition(case.row.name), function)
    with mp.workdps(digits):
        parameters = _exact_parameters(in_dtype(case, x.dtype))
        beyond = mp.mpf(BEYOND.numerator)
        points = [mp.mpf(float(value)) for value in x]
        finite = [mp.sign(p) * beyond if mp.isinf(p) else p for p in points]
        truth = [mp.nan if mp.isnan(p) else mp.mpf(formula(p, *parameters)) for p in finite]
    if function == "grad_from_output":
        pairs = zip(truth, has_reached_bound(case, x, x.dtype), strict=True)
        truth = [mp.mpf(0) if is_at_bound else t for t, is_at_bound in pairs]
    return truth


def approximate(case: Case, function: str, x: np.ndarray, dtype: Any = None) -> np.ndarray:
    """Return the same in long double, from the formulas of the NumPy backend.

    ``dtype`` is that of the inputs, where ``x`` has them in a wider one.
    """
    dtype = np.dtype(dtype or x.dtype)
    suffix = "" if function == "value" else f"_{function}"
    formula = getattr(numpy_backend, case.row.name + suffix)
    with np.errstate(all="ignore"):
        parameters = in_dtype(case, dtype).parameters
        result = np.asarray(formula(x.astype(np.longdouble), *parameters), np.longdouble)
        if function == "grad_from_output":
            result = np.where(has_reached_bound(case, x, dtype), 0, result)
    return result


def in_dtype(case: Case, dtype: Any) -> Case:
    """Return the case with what its parameters stand for in a dtype, where they are compared."""
    pairs = zip(case.row.parameters, case.parameters, strict=True)
    return Case(case.row, tuple(_in_dtype(v, dtype) if p.is_compared else v for p, v in pairs))


def _in_dtype(value: float, dtype: Any) -> float:
    if np.dtype(dtype).name not in FORMATS:
        return value
    return float(rounded(np.array([value], np.longdouble), dtype)[0])


def _exact_parameters(case: Case) -> list[Any]:
    return [mp.mpf(p.numerator) / p.denominator for p in case.exact_parameters]


def has_reached_bound(case: Case, y: np.ndarray, dtype: Any) -> np.ndarray:
    """Return whether each output is at or beyond a bound of f, rounded to ``dtype``."""
    if case.row.name not in OUTPUT_BOUNDS:
        return np.full(y.shape, False)
    with mp.workdps(DIGITS):
        bounds = OUTPUT_BOUNDS[case.row.name](*_exact_parameters(case))
    low, high = (_in_dtype(float(bound), dtype) for bound in bounds)
    wide = y.astype(np.longdouble)
    # An infinite bound is never reached: f is unbounded there, and f' has a limit of its own.
    return (np.isfinite(low) & (wide <= low)) | (np.isfinite(high) & (wide >= high))


# --- units in the last place -------------------------------------------------------------------


class Format(NamedTuple):
    """A binary floating-point format."""

    digits: int
    smallest_exponent: int  # of a normal number

    @property
    def end(self) -> Any:
        """The power of two at which the format ends."""
        return np.ldexp(np.longdouble(1), 2 - self.smallest_exponent)


FORMATS = {
    "float16": Format(11, -14),
    "bfloat16": Format(8, -126),
    "float32": Format(24, -126),
    "float64": Format(53, -1022),
}


def ulp(truth: np.ndarray, dtype: Any) -> np.ndarray:
    """Return the unit in the last place of ``dtype`` at finite numbers of a wider one, in that."""
    form = FORMATS[np.dtype(dtype).name]
    exponent = np.maximum(np.frexp(truth)[1] - 1, form.smallest_exponent)
    exponent = np.where(truth == 0, form.smallest_exponent, exponent)
    return np.ldexp(truth.dtype.type(1), exponent - (form.digits - 1))


def ulp_error(result: np.ndarray, truth: Any) -> np.ndarray:
    """Return the error of each result, in ulp of the true value.

    ``truth`` is an array of a wider type or a list of mpmath numbers. Below the normal range the
    ulp stays that of the smallest normal number. An infinite result counts as the power of two
    where the format ends; where the truth lies at or beyond that, only infinity is right. A number
    for NaN, NaN for a number, and an underflow to zero of the wrong sign are wrong by infinitely
    many ulp.
    """
    if isinstance(truth, np.ndarray):
        return _ulp_error_wide(result, truth)
    with mp.workdps(DIGITS):
        pairs = zip(result, truth, strict=True)
        return np.array([_ulp_error_exact(r, t, FORMATS[result.dtype.name]) for r, t in pairs])


def _ulp_error_wide(result: np.ndarray, truth: np.ndarray) -> np.ndarray:
    truth = truth.astype(np.longdouble)
    wide = result.astype(np.longdouble)
    end = FORMATS[result.dtype.name].end
    with np.errstate(all="ignore"):
        beyond = np.abs(truth) >= end
        reached = np.where(np.isinf(wide), np.copysign(end, wide), wide)
        unit = ulp(np.where(beyond, 0, truth), result.dtype)
        error = (np.abs(reached - truth) / unit).astype(np.float64)
        right = np.isnan(wide) & np.isnan(truth)
        right |= beyond & np.isinf(wide) & (np.signbit(wide) == np.signbit(truth))
        wrong = np.isnan(wide) | np.isnan(truth) | beyond
        wrong |= (wide == 0) & (truth != 0) & (np.signbit(wide) != np.signbit(truth))
        return np.where(right, 0, np.where(wrong, np.inf, error))


def _ulp_error_exact(result: Any, truth: Any, form: Format) -> float:
    value = mp.mpf(float(result))
    end = mp.ldexp(1, 2 - form.smallest_exponent)
    if mp.isnan(value) or mp.isnan(truth):
        return 0.0 if mp.isnan(value) and mp.isnan(truth) else np.inf
    if abs(truth) >= end:
        return 0.0 if mp.isinf(value) and mp.sign(value) == mp.sign(truth) else np.inf
    if value == 0 and truth != 0 and np.signbit(result) != (truth < 0):
        return np.inf
    reached = mp.sign(value) * end if mp.isinf(value) else value
    return float(abs(reached - truth) / _ulp_exact(truth, form))


def _ulp_exact(truth: Any, form: Format) -> Any:
    exponent = max(mp.mag(truth) - 1, form.smallest_exponent) if truth else form.smallest_exponent
    return mp.ldexp(1, int(exponent) - (form.digits - 1))


def ulp_error_of_long_double(result: np.ndarray, truth: Sequence[Any]) -> np.ndarray:
    """Return the errors of finite long double numbers, in ulp of float64."""
    mantissas, powers = np.frexp(result)
    high = mantissas.astype(np.float64)
    low = (mantissas - high).astype(np.float64)
    errors = []
    with mp.workdps(DIGITS):
        for h, r, power, t in zip(high, low, powers, truth, strict=True):
            value = mp.ldexp(mp.mpf(float(h)) + mp.mpf(float(r)), int(power))
            errors.append(float(abs(value - t) / _ulp_exact(t, FORMATS["float64"])))
    return np.array(errors)


def rounded(truth: np.ndarray, dtype: Any) -> np.ndarray:
    """Return numbers of a wider type rounded to the nearest of ``dtype``, ties to even."""
    end = FORMATS[np.dtype(dtype).name].end
    with np.errstate(all="ignore"):
        unit = ulp(truth, dtype)
        nearest = np.rint(truth / unit) * unit
        overflown = np.where(np.abs(nearest) >= end, np.copysign(np.inf, truth), nearest)
        return np.where(np.isfinite(truth), overflown, truth).astype(np.float64).astype(dtype)


def nearest(
    case: Case, function: str, x: Any, digits_to_try: Sequence[int] = (DIGITS, DIGITS_OF_TIES)
) -> Any:
    """Return f ("value") or f' ("grad") at the float ``x``, rounded to the nearest, ties to even.

    Underflow keeps the sign of the true value, and a limit that is zero the sign in the catalogue.
    Zero that is the true value at a finite number has no sign of its own: it takes the one that
    the formulas of the NumPy backend give.
    """
    dtype = x.dtype
    for digits in digits_to_try:
        truth = exact(case, function, np.array([x]), digits)[0]
        if mp.isnan(truth):
            return dtype.type(np.nan)
        if truth == 0:
            return np.copysign(dtype.type(0), dtype.type(_signed_zero(case, function, x)))
        exponent = int(mp.mag(_ulp_exact(truth, FORMATS[dtype.name]))) - 1
        with mp.workdps(digits):
            units = mp.ldexp(truth, -exponent)
            whole = mp.nint(units)
            if abs(abs(units - mp.floor(units)) - mp.mpf(0.5)) > NEAR_A_TIE:
                break
    with mp.workdps(digits):
        magnitude = abs(mp.ldexp(whole, exponent))
    is_beyond = magnitude >= mp.ldexp(1, 2 - FORMATS[dtype.name].smallest_exponent)
    result = dtype.type(np.inf if is_beyond else float(magnitude))
    return np.copysign(result, dtype.type(-1 if truth < 0 else 1))


def _signed_zero(case: Case, function: str, x: Any) -> Any:
    if np.isinf(x):
        limits = case.row.limits if function == "value" else case.row.derivative_limits
        return limits[int(x > 0)]
    return approximate(case, function, np.array([x]))[0]


# --- the largest error -------------------------------------------------------------------------


class Worst(NamedTuple):
    """The largest error of some results, by how far it exceeds its bound, and where it is."""

    ulp: float
    bound: float
    where: str

    @property
    def is_within(self) -> bool:
        return self.ulp <= self.bound

    def __str__(self) -> str:
        return f"{self.ulp:.4g} ulp at {self.where}; at most {self.bound:.3g} is allowed"


def worst(
    case: Case,
    function: str,
    x: np.ndarray,
    result: np.ndarray,
    approximation: np.ndarray,
    bound: float | np.ndarray,
    factor: np.ndarray | None = None,
) -> Worst:
    """Return the largest error of ``result``, the function times ``factor``.

    Whether it exceeds the bound is settled by mpmath: for the five largest errors, and for all
    that ``approximation`` cannot exclude.
    """
    bounds = np.broadcast_to(bound, result.shape)
    with np.errstate(all="ignore"):
        product = approximation if factor is None else factor * approximation
    excess = ulp_error(result, product) - bounds
    slack = SLACK * 2.0 ** (FORMATS[result.dtype.name].digits - 53)
    doubtful = np.count_nonzero(excess > -slack)
    settle = np.argsort(-excess, kind="stable")[: min(max(doubtful, 5), 500)]
    truth = exact(case, function, x[settle])
    if factor is not None:
        with mp.workdps(DIGITS):
            pairs = zip(factor[settle], truth, strict=True)
            truth = [mp.mpf(float(g)) * t for g, t in pairs]
    return worst_exact(x[settle], result[settle], truth, bounds[settle])


def worst_exact(
    x: np.ndarray, result: np.ndarray, truth: Sequence[Any], bound: float | np.ndarray
) -> Worst:
    bounds = np.broadcast_to(bound, result.shape)
    errors = ulp_error(result, truth)
    at = int(np.argmax(errors - bounds))
    in_range = truth[at] == 0 or mp.isnan(truth[at]) or abs(mp.mag(truth[at])) < 20_000
    text = mp.nstr(truth[at], 20) if in_range else "beyond the range"
    hexadecimal = "nan" if np.isnan(x[at]) else float(x[at]).hex()
    where = f"{x[at]!r} ({hexadecimal}): got {result[at]!r}, truth {text}"
    return Worst(float(errors[at]), float(bounds[at]), where)


# --- truth at the inputs of the tests, computed once for all backends --------------------------


@functools.cache
def approximate_at_values(dtype: Any, case: Case, function: str) -> np.ndarray:
    return approximate(case, function, values(dtype, case))


@functools.cache
def exact_at_sample(dtype: Any, case: Case, function: str) -> list[Any]:
    return exact(case, function, sample(dtype, case))


@functools.cache
def outputs(dtype: Any, case: Case) -> np.ndarray:
    """Return f at ``values``, rounded: inputs for derivatives from the output."""
    return rounded(approximate_at_values(dtype, case, "value"), dtype)


@functools.cache
def approximate_at_outputs(dtype: Any, case: Case) -> np.ndarray:
    return approximate(case, "grad_from_output", outputs(dtype, case))


# --- bits --------------------------------------------------------------------------------------


def bits(array: np.ndarray) -> np.ndarray:
    """Return the bits of floats as integers, with one pattern for all NaN."""
    one_nan = np.where(np.isnan(array), np.array(np.nan, array.dtype), array)
    return one_nan.view(integer_type(array.dtype))
