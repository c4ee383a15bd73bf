"""Random calls, each held to the contract: a fuzz program.

    python tools/fuzz.py --seconds 600
    python tools/fuzz.py --seed 7 --activation gelu silu --verb backward
    python tools/fuzz.py --seed 7 --case 1234        # one case of this seed again

A case is a call (``fuzz_calls.py``) that depends on the seed and its number alone:

- Each element has the bits that a plain call gives it: contiguous arrays, one thread, the usual
  thresholds, another position.
- Each element agrees with the NumPy backend: to the bit where nothing is rounded, elsewhere within
  the bounds of docs/accuracy.md.
- Each element has the bits that ``.ufunc`` gives it, for contiguous arrays of one dtype.
- Type, dtype, shape and memory order are those of a NumPy ufunc.
- An error is of the same kind in each backend, begins with the name of the function and leaves all
  memory as it was.
- No byte outside of ``out`` changes, nothing warns, the floating-point modes stay.

Calls run in child processes, so a crash or a call without an end is a finding like any other. A
finding is simplified for up to a minute and printed as a program; then the exit status is 1.

Hypothesis could draw and simplify the calls, but it neither survives a crash nor simplifies one
unless each call runs in a process of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import multiprocessing
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from fuzz_calls import (
    EXTREMES,
    Array,
    Call,
    draw,
    keywords,
    passed,
    place,
    program,
    result_axes,
    result_dtype,
    result_dtypes,
    small_thresholds,
)
from truth import FORMATS, ulp

import fastact as fa
from fastact import activation, config

BACKENDS = config.available_backends()
CONTEXT = multiprocessing.get_context("fork")  # children need not import fastact and Numba again

# --- making a call -----------------------------------------------------------------------------


class Outcome(NamedTuple):
    arrays: dict[str, np.ndarray]
    memories: dict[str, np.ndarray]
    before: dict[str, np.ndarray]  # copies of the memories
    results: tuple[Any, ...]
    error: Exception | None


def run(call: Call, backend: str) -> Outcome:
    memories, arrays = place(call)
    before = {home: memory.copy() for home, memory in memories.items()}
    operands = [
        passed(value, arrays.get(name))
        for name, value in zip(call.function.arguments, call.operands, strict=True)
    ]
    given = keywords(call, arrays)
    outs = tuple(arrays.get(f"out{i}") for i in range(len(call.outs)))
    if outs:
        given["out"] = outs if len(outs) > 1 else outs[0]
    with contextlib.ExitStack() as stack:
        stack.enter_context(thresholds(call.chunk))
        stack.enter_context(fa.use_threads(call.threads))
        if call.by_keyword:
            given |= {"backend": backend, "precision": call.precision}
        else:
            stack.enter_context(fa.use_backend(backend))
            stack.enter_context(fa.use_precision(call.precision))
        stack.enter_context(np.errstate(all="raise"))
        try:
            results = call.function(*operands, **given)
        except Exception as error:
            return Outcome(arrays, memories, before, (), error)
    results = results if call.function.nout == 2 else (results,)
    return Outcome(arrays, memories, before, results, None)


@contextlib.contextmanager
def thresholds(chunk: int) -> Iterator[None]:
    if config.driver is None or not chunk:
        yield
        return
    before = config.driver.set_thresholds(**small_thresholds(chunk))
    try:
        yield
    finally:
        config.driver.set_thresholds(**before)


def plain(
    call: Call,
    backend: str,
    dtype: np.dtype,
    results: tuple[Any, ...] = (),
    is_cast: bool = False,
) -> list[np.ndarray]:
    """Return the results of calls as simple as can be, in the dtypes of ``results``.

    They are of one verb with one result each, by one thread, of contiguous arrays that have the
    elements in reverse. prelu and rrelu are leaky_relu. Python numbers are arrays of ``dtype``; so
    are all operands if ``is_cast``.
    """
    _, arrays = place(call)

    def reverse(value: np.ndarray) -> np.ndarray:
        return native(np.broadcast_to(value, call.shape).ravel()[::-1])

    originals = [
        arrays[name]
        if name in arrays and not is_cast
        else np.asarray(arrays.get(name, value), dtype)
        for name, value in zip(call.function.arguments, call.operands, strict=True)
    ]
    operands = [reverse(original) for original in originals]
    parameters = keywords(call, arrays)
    if call.row.kernels:
        parameters = {"negative_slope": slopes(call, parameters, originals[-1].shape)}
    dimensions = max(original.ndim for original in originals)
    for name, value in parameters.items():
        if np.ndim(value) and np.size(value) == 1 and np.ndim(value) <= dimensions:
            parameters[name] = value.item()  # counts as a number
        elif np.ndim(value):
            parameters[name] = reverse(value)
    function = fa.get(call.row.kernels or call.name)
    verbs = {"value_and_grad": ("forward", "grad")}.get(call.verb, (call.verb,))
    found = []
    with fa.use_threads(1), fa.use_backend(backend), fa.use_precision(call.precision):
        for i, kind in enumerate(verbs):
            own = results[i].dtype.newbyteorder("=") if results else dtype
            out = None if own == dtype else np.empty(operands[0].shape, own)
            verb = function if kind == "forward" else getattr(function, kind)
            found.append(verb(*operands, **parameters, out=out)[::-1].reshape(call.shape))
        if call.has_weight_gradient:
            copies = [native(original) for original in originals]
            given = keywords(call, {name: native(array) for name, array in arrays.items()})
            found.append(call.function(*copies, **given)[1])
    return found


def has_ufunc(call: Call, dtype: np.dtype) -> bool:
    """Whether ``.ufunc`` gives the same bits: it knows no casts, and all parameters as kernels do.

    A call with arrays of parameters has no fast loop, a ufunc takes it for elements with defaults.
    """
    arrays = [*call.operands, *filter(None, call.outs)]
    has_own_loops = call.precision == "faithful" or call.row.exponential_free
    return (
        call.backend == "cython"
        and not call.row.kernels
        and dtype.char in "efd"
        and all(isinstance(array, Array) and array.dtype == dtype.name for array in arrays)
        and (has_own_loops or not any(isinstance(p, Array) for p in call.parameters.values()))
        and not has_extremes(call)
    )


def by_ufunc(call: Call, dtype: np.dtype) -> list[np.ndarray]:
    """Return the results of the ufunc for contiguous arrays."""
    _, arrays = place(call)
    given = keywords(call, arrays)
    with fa.use_backend(call.backend), fa.use_precision(call.precision):
        ufunc = call.function.ufunc
    operands = [native(np.broadcast_to(arrays[n], call.shape)) for n in call.function.arguments]
    values = [np.float64(given.get(p.name, p.default)) for p in call.row.parameters]
    results = ufunc(*operands, *values)
    return list(results) if call.function.nout == 2 else [results]


def native(array: np.ndarray) -> np.ndarray:
    return np.array(array, array.dtype.newbyteorder("="), order="C")


def slopes(call: Call, parameters: dict[str, Any], shape: tuple[int, ...]) -> Any:
    """Return the slopes of leaky_relu that make it prelu or rrelu."""
    if call.name == "prelu":
        weight, axis = np.asarray(parameters["weight"]), parameters.get("axis", 1)
        if weight.size == 1:
            return float(weight.item())
        return weight.reshape(-1, *[1] * (len(shape) - 1 - axis % len(shape)))
    if "slopes" in parameters:
        given = parameters["slopes"]
        return given if np.ndim(given) else float(given)
    lower, upper = parameters.get("lower", 1 / 8), parameters.get("upper", 1 / 3)
    if parameters.get("training"):
        return fa.rrelu.draw_slopes(shape, lower, upper, parameters["rng"])
    return (np.asarray(lower).item() + np.asarray(upper).item()) / 2


# --- the contract ------------------------------------------------------------------------------


def check(call: Call) -> None:
    """Raise AssertionError if the call breaks the contract."""
    outcome = run(call, call.backend)
    check_memory(call, outcome)
    must_fail = is_error(call)
    if outcome.error is not None or must_fail is not False:
        # Numba would compile a loop to find that there is no error.
        check_errors(call, must_fail, BACKENDS if outcome.error else {call.backend, "numpy"})
    if outcome.error is not None:
        return
    dtype = result_dtype(call) or run(call._replace(outs=()), "numpy").results[0].dtype
    check_form(call, outcome)
    check_bits("a plain call", outcome.results, plain(call, call.backend, dtype, outcome.results))
    if dtype.kind in "iu":
        check_integers(outcome.results, plain(call, "numpy", np.dtype("float64"), is_cast=True))
    if has_ufunc(call, dtype):
        check_bits("the ufunc", outcome.results, by_ufunc(call, dtype))
    if call.backend != "numpy":
        reference = plain(call, "numpy", dtype, outcome.results)
        check_values(call, outcome.results, reference, dtype)


def is_error(call: Call) -> bool | None:
    """Return whether the call must fail, or None if that depends on values."""
    if call.verb == "backward_from_output" and not call.row.derivative_from_output:
        return True
    outs = [
        (out, axes, dtype)
        for out, axes, dtype in zip(call.outs, result_axes(call), result_dtypes(call), strict=False)
        if out is not None
    ]
    shapes = [out.shape(call.shape) for out, _, _ in outs]
    if call.verb == "value_and_grad" and len(set(shapes)) > 1:
        return True
    for (out, axes, _), shape in zip(outs, shapes, strict=True):
        if out.read_only or not fits(Array(axes).shape(call.shape), shape):
            return True
    dtype = result_dtype(call)
    homes = [out.home for out, _, _ in outs if out.home]
    if dtype is None or len(homes) > len(set(homes)) or has_extremes(call):
        return None
    others = {out.dtype for out, _, _ in outs} - {dtype.name}
    if dtype.kind in "iu" and (call.parameters or others):  # values must fit
        return None
    if {dtype.name, *others} >= {"float16", "bfloat16"}:  # NumPy has no rule
        return None
    return not all(np.can_cast(dtype, out.dtype, "same_kind") for out, _, dtype in outs)


def fits(shape: tuple[int, ...], out_shape: tuple[int, ...]) -> bool:
    """Whether results of this shape broadcast to the output."""
    pairs = zip(shape[::-1], out_shape[::-1], strict=False)
    return len(shape) <= len(out_shape) and all(n in (1, m) for n, m in pairs)


def has_extremes(call: Call) -> bool:
    numbers = [float(np.asarray(number).item()) for number in call.numbers()]
    return any(number in EXTREMES or number != number for number in numbers)


def check_errors(call: Call, must_fail: bool | None, backends: Iterable[str]) -> None:
    outcomes = {backend: run(call, backend) for backend in backends}
    errors = [outcome.error for outcome in outcomes.values()]
    text = ", ".join(f"{backend}: {outcome.error!r}" for backend, outcome in outcomes.items())
    kinds = {type(error) for error in errors}
    assert len(kinds) == 1, f"errors differ: {text}"
    failed = errors[0] is not None
    assert must_fail is None or failed is must_fail, f"{'an' if failed else 'no'} error: {text}"
    if not failed:
        return
    assert kinds <= {TypeError, ValueError, OverflowError}, f"an error of another kind: {text}"
    for error, outcome in zip(errors, outcomes.values(), strict=True):
        assert str(error).startswith(f"{call.function.__name__}: "), f"no name: {text}"
        for home, memory in outcome.memories.items():
            unchanged = np.array_equal(memory, outcome.before[home])
            assert unchanged, f"memory of {home} changed in spite of the error: {text}"


def floating_point_modes(one: float = 1.0, least: float = 5e-324) -> tuple[float, ...]:
    """Return numbers that depend on the rounding mode and on whether subnormals are flushed."""
    return one / 3, -one / 3, least * 0.75


MODES = floating_point_modes()


def check_memory(call: Call, outcome: Outcome) -> None:
    """Check that nothing but the elements of outputs has changed."""
    may_change = {home: np.zeros(m.shape, bool) for home, m in outcome.memories.items()}
    for i, array in enumerate(call.outs):
        if array is not None:
            out, home = outcome.arrays[f"out{i}"], array.home or f"out{i}"
            begin = out.ctypes.data - outcome.memories[home].ctypes.data
            shape, strides = (*out.shape, out.itemsize), (*out.strides, 1)
            np.ndarray(shape, bool, may_change[home], begin, strides)[...] = True
    for home, memory in outcome.memories.items():
        changed = (memory != outcome.before[home]) & ~may_change[home]
        assert not changed.any(), f"{changed.sum()} bytes outside of out changed, beside {home}"
    assert floating_point_modes() == MODES, "the floating-point modes changed"


def check_form(call: Call, outcome: Outcome) -> None:
    """Check type, dtype, shape and memory order of each result."""
    out_shapes = [array.shape for name, array in outcome.arrays.items() if name.startswith("out")]
    expected = zip(outcome.results, result_dtypes(call), result_axes(call), strict=True)
    for i, (result, name, axes) in enumerate(expected):
        if f"out{i}" in outcome.arrays:
            assert result is outcome.arrays[f"out{i}"], f"result {i} is not out"
            continue
        shape = Array(axes).shape(call.shape)
        if call.verb == "value_and_grad" and out_shapes:
            shape = out_shapes[0]
        if result_dtype(call) is not None:
            assert result.dtype == name, f"result {i} is {result.dtype}, expected {name}"
        assert result.shape == shape, f"result {i} has shape {result.shape}, expected {shape}"
        assert isinstance(result, np.ndarray) == (shape != ()), f"result {i} is {type(result)}"
    if not call.outs and not call.parameters.get("training") and len(call.shape) <= 32:
        check_order(call, outcome)


def check_order(call: Call, outcome: Outcome) -> None:
    """Compare the memory order with that which nditer, as in NumPy's ufuncs, gives an output."""
    result = outcome.results[0]
    parameters = ("slopes",) if call.row.kernels else call.parameters
    names = (*call.function.arguments, *parameters)
    inputs = [outcome.arrays[name] for name in names if name in outcome.arrays]
    flags = [["readonly"]] * len(inputs) + [["writeonly", "allocate"]]
    dtypes = [*(array.dtype for array in inputs), result.dtype]
    model = np.nditer([*inputs, None], ["zerosize_ok"], flags, dtypes).operands[-1]
    both = zip(result.shape, result.strides, model.strides, strict=True)
    same = result.size == 0 or all(a == b for n, a, b in both if n > 1)
    assert same, f"strides are {result.strides}, expected {model.strides}"


def check_bits(what: str, results: tuple[Any, ...], expected: list[np.ndarray]) -> None:
    """Check that results are the same; any NaN is like any other."""
    for i, (result, wanted) in enumerate(zip(results, expected, strict=True)):
        wanted = np.broadcast_to(wanted, result.shape).astype(result.dtype.newbyteorder("="))
        a, b = (np.asarray(x).astype(wide(x.dtype)) for x in (result, wanted))
        same = (a == b) & (np.signbit(a) == np.signbit(b)) | (a != a) & (b != b)
        report(f"result {i}", ~same, result, what, wanted)


def wide(dtype: np.dtype) -> type:
    return np.longdouble if dtype.kind in "iu" else np.float64


def report(name: str, wrong: Any, result: Any, what: str, expected: np.ndarray) -> None:
    if np.any(wrong):
        at = tuple(map(int, np.unravel_index(np.argmax(wrong), np.shape(wrong))))
        found = f"{result[at]!r}, {what} gives {expected[at]!r}"
        raise AssertionError(f"{name} at {at} is {found}; so are {np.sum(wrong)} of {result.size}")


def check_values(
    call: Call, results: tuple[Any, ...], reference: list[np.ndarray], dtype: np.dtype
) -> None:
    """Check that results are as near to the NumPy backend as both must be to the truth."""
    if call.row.exact or dtype.kind in "iu":
        check_bits("NumPy", results, reference)
        return
    if call.name == "scaled_tanh" and has_extremes(call):
        return  # keeps its limits, but not all digits: docs/accuracy.md
    for i, (result, expected) in enumerate(zip(results, reference, strict=True)):
        expected = np.broadcast_to(expected, result.shape)
        own = result.dtype.newbyteorder("=")
        allowed = tolerance(call, expected, dtype)
        if "backward" in call.verb and i == 0:
            allowed = tolerance_of_product(call, dtype, result)
        if own.itemsize < dtype.itemsize or call.verb.startswith("backward"):
            work = np.dtype("float64") if dtype.itemsize == 2 else dtype
            rounded = own if own.itemsize < work.itemsize else work
            allowed = allowed + ulp(finite(expected, rounded), rounded)
        a, b = finite(result, own), finite(expected, own)
        right = (a == b) | np.isnan(a) & np.isnan(b) | (np.abs(a - b) <= allowed)
        report(f"result {i}", ~right & ~np.isinf(allowed), result, "NumPy", expected)


def check_integers(results: tuple[Any, ...], exact: list[np.ndarray]) -> None:
    """Check that no result has wrapped, where float64 is exact."""
    for i, (result, expected) in enumerate(zip(results, exact, strict=True)):
        expected = np.broadcast_to(expected, result.shape)
        wrong = (np.abs(expected) < 2**53) & (result != expected) & (result.dtype.kind in "iu")
        report(f"result {i}", wrong, result, "float64", expected)


def finite(x: Any, dtype: np.dtype) -> np.ndarray:
    """Return numbers of a dtype in long double; infinity is the next after the largest number."""
    end = FORMATS[dtype.name].end
    return np.clip(np.asarray(x).astype(np.longdouble), -end, end)


def tolerance(call: Call, expected: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return how far a result of this dtype may be from the NumPy backend's, before a cast.

    It is the bound of the result, and the error of the NumPy backend itself.
    """
    own = expected.dtype.newbyteorder("=")
    if dtype.itemsize == 2:
        # Correctly rounded; a wider output has float64 results.
        return (3.05 if own.itemsize > 2 else 0) * ulp(finite(expected, own), own)
    unit = ulp(finite(expected, dtype), dtype)
    if dtype.itemsize == 8:
        return 3.05 * unit
    values = [call.parameters.get(p.name, p.default) for p in call.row.parameters]
    is_default = not any(isinstance(value, Array) for value in values)
    if call.precision == "faithful" or call.row.exponential_free or not is_default:
        return 1.5 * unit
    return np.maximum(
        4.5 * unit, np.where(np.abs(expected.astype(float)) < 2.0**-126, 2.0**-126, 0)
    )


def tolerance_of_product(call: Call, dtype: np.dtype, result: Any) -> np.ndarray:
    """Return how far a product of the gradient and f' may be from the NumPy backend's."""
    _, arrays = place(call)
    g = np.broadcast_to(arrays.get("grad_output", call.operands[0]), call.shape)
    of_one = call._replace(operands=(1.0, call.operands[1]), outs=())
    derivative = plain(of_one, "numpy", dtype, (result, result))[0]
    g, magnitude = g.astype(np.longdouble), np.abs(derivative.astype(np.longdouble))
    # Infinity times a derivative that may be 0 may be NaN or not; beyond the range of the dtype,
    # the derivative itself is not known here.
    end = FORMATS[dtype.name].end
    doubtful = np.isinf(g) & (magnitude < 4 / end) | (magnitude >= end / 2)
    allowed = np.nan_to_num(np.abs(g) * tolerance(call, derivative, dtype), posinf=0)
    return np.where(doubtful, np.inf, allowed)


# --- simpler calls -----------------------------------------------------------------------------


def simplest(call: Call, message: str) -> tuple[Call, str]:
    """Return the simplest call that still is a finding, and what is found."""
    deadline = time.monotonic() + 60
    tried = {repr(call)}
    candidates = simpler(call)
    while (candidate := next(candidates, None)) and time.monotonic() < deadline:
        if repr(candidate) not in tried:
            tried.add(repr(candidate))
            found = in_child(check, candidate, timeout=10)
            if found:
                call, message, candidates = candidate, found, simpler(candidate)
    return call, message


def simpler(call: Call) -> Iterator[Call]:
    """Yield calls that have one complication less."""
    for change in ({"outs": ()}, {"threads": 1}, {"chunk": 0}, {"by_keyword": True}):
        yield call._replace(**change)
    for axis, length in enumerate(call.shape):
        for shorter in (1, 2, length // 2, length - length // 8, length - 1):
            if 0 <= shorter < length:
                yield call._replace(shape=(*call.shape[:axis], shorter, *call.shape[axis + 1 :]))
    if "axis" not in call.parameters:
        yield from (without_axis(call, axis) for axis in range(len(call.shape)))
    for name in call.parameters:
        if name not in call.function.required:
            yield call._replace(parameters={n: v for n, v in call.parameters.items() if n != name})
    for field in ("operands", "outs"):
        items = getattr(call, field)
        for i, item in enumerate(items):
            for array in simpler_arrays(item):
                yield call._replace(**{field: (*items[:i], array, *items[i + 1 :])})
    for name, value in call.parameters.items():
        for array in simpler_arrays(value):
            yield call._replace(parameters=call.parameters | {name: array})


def without_axis(call: Call, axis: int) -> Call:
    def shortened(value: Any) -> Any:
        if not isinstance(value, Array):
            return value.item() if np.ndim(value) else value
        axes = list(value.axes)
        position = len(axes) - (len(call.shape) - axis)
        if position >= 0:
            del axes[position]
        return value._replace(axes=tuple(a if a is None or a < axis else a - 1 for a in axes))

    return call._replace(
        shape=call.shape[:axis] + call.shape[axis + 1 :],
        operands=tuple(map(shortened, call.operands)),
        parameters={name: shortened(value) for name, value in call.parameters.items()},
        outs=tuple(map(shortened, call.outs)),
    )


def simpler_arrays(array: Any) -> Iterator[Array]:
    if isinstance(array, Array):
        for field in ("home", "order", "steps", "offset", "swapped", "read_only", "lead", "longer"):
            yield array._replace(**{field: Array._field_defaults[field]})
        yield from (array._replace(seed=seed) for seed in range(4) if seed < array.seed)


# --- processes ---------------------------------------------------------------------------------


def in_child(function: Callable[..., None], *arguments: Any, timeout: float) -> str | None:
    """Call a function in a process of its own; return what went wrong, if anything did."""
    receiver, sender = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=send_failure, args=(sender, function, *arguments))
    process.start()
    process.join(timeout)
    if process.is_alive():
        process.kill()
        return f"no end within {timeout:.0f} seconds"
    if receiver.poll():
        return str(receiver.recv())
    code = process.exitcode or 0
    return (
        f"the process ended: {signal.Signals(-code).name if code < 0 else code}" if code else None
    )


def send_failure(sender: Any, function: Callable[..., None], *arguments: Any) -> None:
    warnings.simplefilter("error")
    try:
        with np.errstate(all="ignore"):
            function(*arguments)
    except AssertionError as error:
        sender.send(str(error))
    except Exception:
        sender.send(traceback.format_exc())


def search(case: Any, last: int, deadline: float, draw_case: Callable[[int], Call]) -> None:
    """Check case after case; ``case``, in shared memory, holds the number of the present one."""
    faulthandler.enable()
    while case.value < last and time.monotonic() < deadline:
        check(draw_case(case.value))
        case.value += 1


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60, help="time to run (default: 60)")
    parser.add_argument("--cases", type=int, default=sys.maxsize, help="number of cases to run")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="default: the time")
    parser.add_argument("--case", type=int, help="run only the case of this number")
    parser.add_argument("--activation", nargs="+", choices=fa.names(), default=[*fa.names()])
    parser.add_argument(
        "--verb", nargs="+", choices=[*activation.VERBS], default=[*activation.VERBS]
    )
    parser.add_argument("--backend", nargs="+", choices=BACKENDS, default=[*BACKENDS])
    parser.add_argument("--findings", type=int, default=5, help="number to stop at (default: 5)")
    options = parser.parse_args(arguments)
    for name in BACKENDS:
        config.load_backend(name)  # for all children

    def draw_case(case: int) -> Call:
        return draw(options.seed, case, options.activation, options.verb, options.backend)

    first, last = (0, options.cases) if options.case is None else (options.case, options.case + 1)
    case, findings, seconds = CONTEXT.Value("q", first), 0, 0.0
    while findings < options.findings:
        begin, left = time.monotonic(), max(0.0, options.seconds - seconds)
        message = in_child(search, case, last, begin + left, draw_case, timeout=left + 60)
        seconds += time.monotonic() - begin
        if message is None:
            break
        findings += 1
        print(f"seed {options.seed}, case {case.value}: {message}", flush=True)
        call, message = simplest(draw_case(case.value), message)
        print(f"\n{program(call)}\n# {message}\n", flush=True)
        case.value += 1
    count = case.value - first
    speed = f"{count} cases in {seconds:.0f} s, {count / seconds:.0f} a second"
    print(f"seed {options.seed}: {speed}, {findings} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
