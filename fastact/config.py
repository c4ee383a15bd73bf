"""Which backend computes, on how many threads, how exactly: environment, setters, contexts.

The settings are ``backend``, ``num_threads`` and ``precision``. ``set_*`` changes them for the
process; ``use_*`` for a block, in this thread (or asyncio task) only. The compiled fast path reads
both from where they are stored.
"""

from __future__ import annotations

import platform
import sys
import threading
import warnings
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ContextDecorator, nullcontext
from contextvars import ContextVar
from functools import cache
from importlib.util import find_spec
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from typing import Any, Literal, NamedTuple, overload

import numpy as np

from fastact import environment, numpy_backend
from fastact.environment import MAX_THREADS

# Before the extension is imported, so that the error of a wrong value is not taken for a failure.
environment.allowed_levels()

#: The compiled driver and the Cython backend, or None if either cannot be imported.
driver: Any = None
cython_backend: Any = None
_extension_error: Exception | None = None
try:
    from fastact import cython_backend as _cython_backend
    from fastact import driver as _driver
except Exception as error:  # missing, or not for this Python, NumPy or system
    _extension_error = error
else:
    driver, cython_backend = _driver, _cython_backend
    _extension_error = cython_backend.missing_level

#: In the order in which "auto" tries them: fastest first.
BACKENDS = ("cython", "numba", "numpy")
BACKEND_CHOICES = ("auto", *BACKENDS)
#: The largest error of a float32 result: 4 ulp, or 1.
PRECISIONS = ("fast", "faithful")


class BackendUnavailableError(ImportError):
    """A backend was named that this installation cannot run."""


class Settings(NamedTuple):
    backend: str
    num_threads: int
    precision: str


_BACKEND, _NUM_THREADS, _PRECISION = range(len(Settings._fields))


def canonical(name: str) -> str:
    """Return the interned string of that value: the fast path compares objects, not characters.

    The characters of a subclass count (`numpy.str_`, members of string enumerations), not its
    methods: they may have an equality or a hash of their own.
    """
    return sys.intern(str.__str__(name))


# --- the settings ------------------------------------------------------------------------------

#: The settings of the process: a list shared with the driver, in the order of ``Settings``. One of
#: them changes by assignment to its item, so that threads never overwrite each other's changes.
_process_settings: list[Any] = [
    canonical(environment.choice("FASTACT_BACKEND", BACKEND_CHOICES) or "auto"),
    environment.default_num_threads(),
    canonical(environment.choice("FASTACT_PRECISION", PRECISIONS) or "fast"),
]
#: The settings of the enclosing ``use_*`` blocks, None where the setting of the process holds, and
#: the innermost of the blocks that this thread or task is in: its manager, the value to restore,
#: and the block around it.
_block_settings: ContextVar[tuple[Any, ...]] = ContextVar("fastact_settings")
_NOT_SET = (None, None, None, None)
#: Flags of the code of functions whose calls only make a generator or a coroutine.
_RUNS_LATER = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR


def current() -> Settings:
    """Return the settings in force here."""
    *block, _ = _block_settings.get(_NOT_SET)
    pairs = zip(block, _process_settings, strict=True)
    return Settings(*(own if inner is None else inner for inner, own in pairs))


def with_settings(changes: Mapping[str, Any]) -> Settings:
    """Return the settings in force here with some of them replaced."""
    return current()._replace(**changes)


def _set(index: int, value: Any) -> None:
    """Change a setting of the process, and of the enclosing block if it has one of its own."""
    _process_settings[index] = value
    block = list(_block_settings.get(_NOT_SET))
    if block[index] is not None:
        block[index] = value
        _block_settings.set(tuple(block))


class _Block:
    """A block with a setting of its own, as ``driver.Block``, where the extension is not built."""

    def __init__(self, caller: str, index: int, value: Any) -> None:
        self.caller, self._index, self._value = caller, index, value

    def __enter__(self) -> None:
        index, block = self._index, [*_block_settings.get(_NOT_SET)]
        block[3] = (self, block[index], block[3])
        block[index] = self._value
        _block_settings.set(tuple(block))

    def __exit__(self, *_: object) -> None:
        index, block = self._index, [*_block_settings.get(_NOT_SET)]
        others = []  # blocks that were entered later, and have not been left in order
        innermost = block[3]
        while innermost is not None and innermost[0] is not self:
            others.append(innermost[:2])
            innermost = innermost[2]
        if innermost is None:  # entered in another thread or task, which this block is not in
            return
        _, block[index], outer = innermost
        for other in reversed(others):
            outer = (*other, outer)
        block[3] = outer
        _block_settings.set(tuple(block))


_BlockBase: Any = _Block if driver is None else driver.Block


class _Use(_BlockBase, ContextDecorator):  # type: ignore[misc]
    """Context manager of one setting. The others remain those of the surrounding code.

    One object may serve several blocks, nested or in several threads at once.
    """

    def __call__(self, function: Any) -> Any:
        """Decorate a function that computes when it is called, not when its result is consumed."""
        if getattr(getattr(function, "__code__", None), "co_flags", 0) & _RUNS_LATER:
            raise TypeError(
                f"{self.caller}: expected a plain function, got the generator or coroutine "
                f"function {function.__qualname__}; use a with block in it"
            )
        return super().__call__(function)


if driver is not None:
    driver.connect_settings(
        _block_settings,
        _process_settings,
        backends=[canonical(name) for name in ("auto", "cython", "numba")],
        precisions=[canonical(name) for name in PRECISIONS],
        keywords=[canonical(name) for name in ("out", "backend", "precision")],
    )


def check_integer(caller: str, name: str, value: object, least: int, most: int) -> int:
    """Return the argument ``name`` as an int if it is one in range; raise otherwise."""
    if type(value) is int and least <= value <= most:
        return value
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{caller}: {name} must be an integer, got {value!r}")
    if not least <= value <= most:
        raise ValueError(f"{caller}: {name} must be from {least} to {most}, got {value}")
    return int(value)


def _check_threads(caller: str, num_threads: object) -> int:
    return check_integer(caller, "num_threads", num_threads, 1, MAX_THREADS)


def check_precision(caller: str, precision: object) -> str:
    """Return ``precision`` if it is one; raise otherwise."""
    if not isinstance(precision, str):
        raise TypeError(f"{caller}: precision must be a string, got {precision!r}")
    name = canonical(precision)
    if name not in PRECISIONS:
        raise ValueError(
            f"{caller}: precision must be one of {', '.join(PRECISIONS)}, got {precision!r}"
        )
    return name


# --- the backends ------------------------------------------------------------------------------

#: Why a backend that is installed failed, by its name.
_failures: dict[str, str] = {}


def described(error: Exception) -> str:
    """Return the type and the message of an error, as the last line of a traceback has them."""
    text = str(error).strip()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _warn(message: str) -> None:
    warnings.warn(f"fastact: {message}", RuntimeWarning, stacklevel=2)


def check_backend(caller: str, name: object) -> str:
    """Return ``name`` if it is a backend that can run here (or "auto"); raise otherwise."""
    if not isinstance(name, str):
        raise TypeError(f"{caller}: backend must be a string, got {name!r}")
    name = canonical(name)
    if name not in BACKEND_CHOICES:
        raise ValueError(
            f"{caller}: backend must be one of {', '.join(BACKEND_CHOICES)}, got {name!r}"
        )
    if name != "auto":
        try:
            _module(name)
        except BackendUnavailableError as error:
            raise BackendUnavailableError(f"{caller}: {error}") from error.__cause__
    return name


def _why_unavailable(name: str) -> str | None:
    """Return why a backend cannot compute, as far as is known without loading it."""
    if name == "cython" and cython_backend is None:
        return _why_no_extension()
    if name == "numba" and not _numba_is_installed():
        return "the Numba backend needs Numba; install it with: pip install 'fastact[numba]'"
    return _failures.get(name)


def _why_no_extension() -> str:
    assert _extension_error is not None
    if _is_lost(_extension_error):
        return (
            "the compiled extension of this installation cannot be imported; reinstall fastact for "
            "this version of Python and NumPy, into a directory (an extension in a zip file cannot "
            f"be imported) ({described(_extension_error)})"
        )
    return (
        "the Cython backend is not part of this installation; reinstall fastact with a C "
        f"compiler at hand and without FASTACT_NO_EXTENSION ({_extension_error})"
    )


def _is_lost(error: Exception) -> bool:
    """Whether a module of the extension was built and is missing or broken."""
    if not isinstance(error, ModuleNotFoundError):
        return True
    if sys.modules.get(error.name or "", error) is None:
        return False  # excluded by this process on purpose
    try:
        from fastact._build import MODULES  # setup.py writes it beside the extension
    except ImportError:
        return False
    return error.name in MODULES


def _numba_is_installed() -> bool:
    # A module set to None in sys.modules is one that this process must not import.
    if "numba" in sys.modules:
        return sys.modules["numba"] is not None
    return find_spec("numba") is not None


if _extension_error is not None and _is_lost(_extension_error):
    _warn(
        f"{_why_no_extension()}; another backend computes, more slowly"
        if driver is None
        else "the loops for this processor cannot be imported, and those for an older one compute; "
        f"reinstall fastact ({_extension_error})"
    )

#: How to check what a call gives for a setting.
CHECKS = {"backend": check_backend, "precision": check_precision}


def available_backends() -> tuple[str, ...]:
    return tuple(name for name in BACKENDS if _why_unavailable(name) is None)


def backend_name(name: str) -> str:
    """Return the name of the backend that "auto" stands for, or the name itself."""
    # One after another: to look for Numba takes 50 us.
    return name if name != "auto" else next(filter(_can_compute, BACKENDS))


def _can_compute(name: str) -> bool:
    """Whether "auto" can take the backend. Warn if it is installed and cannot be imported."""
    if _why_unavailable(name):
        return False
    try:
        _module(name)
    except BackendUnavailableError as error:
        _warn(f"{error}; NumPy computes instead")
        return False
    return True


@cache
def load_backend(name: str) -> Any:
    """Return the module of the backend ``name``; "auto" is the fastest that is available."""
    # set_backend and the like have checked already.
    return _module(backend_name(check_backend("FASTACT_BACKEND", name)))


def _module(name: str) -> Any:
    reason = _why_unavailable(name)
    if reason:
        raise BackendUnavailableError(reason)
    if name == "numpy":
        return numpy_backend
    if name == "cython":
        return cython_backend
    try:
        return _import_numba_backend()
    except Exception as error:  # Numba may be broken, or not made for this NumPy
        if succeeds(_import_numba_backend):
            raise
        _failures[name] = f"the Numba backend cannot be imported: {described(error)}"
        raise BackendUnavailableError(_failures[name]) from error


def _import_numba_backend() -> Any:
    with default_floating_point():  # the module has constants
        from fastact import numba_backend  # here, not at the top: it takes a second
    return numba_backend


def succeeds(attempt: Callable[..., Any], *arguments: Any) -> bool:
    """Return whether a second attempt succeeds. If so, the installation did not cause the error.

    An exception of a signal handler, such as a TimeoutError, ends whatever runs at that time.
    """
    try:
        attempt(*arguments)
    except Exception:
        return False
    return True


def replacement(name: str, error: BackendUnavailableError) -> Any:
    """Return the module that computes when Numba cannot: NumPy for "auto", from now on.

    An extension that lacks a loop is not replaced: it must be rebuilt.
    """
    if backend_name(name) != "numba" or name != "auto":
        raise error
    _failures["numba"] = str(error)
    load_backend.cache_clear()
    _warn(f"{error}; NumPy computes instead")
    return numpy_backend


def default_floating_point() -> AbstractContextManager[Any]:
    """Return a context manager for work that is kept: see ``driver.DefaultFloatingPoint``."""
    return nullcontext() if driver is None else driver.DefaultFloatingPoint()


# --- public ------------------------------------------------------------------------------------


def get_backend() -> str:
    """Return the name of the backend in force here: "auto", "cython", "numba" or "numpy".

    Examples
    --------
    >>> import fastact as fa
    >>> with fa.use_backend("numpy"):
    ...     fa.get_backend()
    'numpy'
    """
    return current().backend


def set_backend(name: str) -> None:
    """Choose the backend for the whole process.

    Parameters
    ----------
    name : {"auto", "cython", "numba", "numpy"}
        "auto", the default, takes the fastest that is available. The environment variable
        ``FASTACT_BACKEND`` sets the initial value.

    Raises
    ------
    BackendUnavailableError
        If this installation cannot run the backend; the message says what to install.

    Examples
    --------
    >>> import fastact as fa
    >>> fa.set_backend("auto")
    """
    _set(_BACKEND, check_backend("set_backend", name))


def use_backend(name: str) -> Any:
    """Choose the backend for a ``with`` block, in this thread or asyncio task only.

    Parameters
    ----------
    name : {"auto", "cython", "numba", "numpy"}
        As for `set_backend`.

    Returns
    -------
    context manager

    Examples
    --------
    >>> import fastact as fa
    >>> with fa.use_backend("numpy"):
    ...     float(fa.relu(2.0))
    2.0
    """
    return _Use("use_backend", _BACKEND, check_backend("use_backend", name))


def get_num_threads() -> int:
    """Return the largest number of threads on which an array is computed here.

    Threads are created when they are first needed. If the system refuses to create one, calls use
    those that exist and try again later; `show_config` tells how many exist.

    Examples
    --------
    >>> import fastact as fa
    >>> with fa.use_threads(1):
    ...     fa.get_num_threads()
    1
    """
    return current().num_threads


def set_num_threads(num_threads: int) -> None:
    """Choose for the whole process how many threads large arrays are computed on.

    Parameters
    ----------
    num_threads : int
        From 1 to 1024. The initial value is ``FASTACT_NUM_THREADS``, else ``OMP_NUM_THREADS``,
        else the number of processors that the affinity and the CPU quota of the cgroup leave to
        this process. Results do not depend on it.

    Examples
    --------
    >>> import fastact as fa
    >>> fa.set_num_threads(fa.get_num_threads())
    """
    _set(_NUM_THREADS, _check_threads("set_num_threads", num_threads))


def use_threads(num_threads: int) -> Any:
    """Choose the number of threads for a ``with`` block, in this thread or asyncio task only.

    Parameters
    ----------
    num_threads : int
        As for `set_num_threads`.

    Returns
    -------
    context manager

    Examples
    --------
    >>> import fastact as fa
    >>> with fa.use_threads(1):
    ...     float(fa.relu(2.0))
    2.0
    """
    return _Use("use_threads", _NUM_THREADS, _check_threads("use_threads", num_threads))


def get_precision() -> str:
    """Return the precision in force here: "fast" or "faithful".

    Examples
    --------
    >>> import fastact as fa
    >>> with fa.use_precision("faithful"):
    ...     fa.get_precision()
    'faithful'
    """
    return current().precision


def set_precision(precision: str) -> None:
    """Choose the precision for the whole process.

    Parameters
    ----------
    precision : {"fast", "faithful"}
        The largest error of a float32 result. "fast", the default: 4 ulp where the true result is
        normal, an absolute error of 2**-126 where it is subnormal. "faithful": 1 ulp, everywhere.
        Other dtypes, and functions without an exponential, are the same in both. The environment
        variable ``FASTACT_PRECISION`` sets the initial value.

    Examples
    --------
    >>> import fastact as fa
    >>> fa.set_precision(fa.get_precision())
    """
    _set(_PRECISION, check_precision("set_precision", precision))


def use_precision(precision: str) -> Any:
    """Choose the precision for a ``with`` block, in this thread or asyncio task only.

    Parameters
    ----------
    precision : {"fast", "faithful"}
        As for `set_precision`.

    Returns
    -------
    context manager

    Examples
    --------
    >>> import fastact as fa
    >>> with fa.use_precision("faithful"):
    ...     float(fa.sigmoid(0.0))
    0.5
    """
    return _Use("use_precision", _PRECISION, check_precision("use_precision", precision))


@overload
def show_config(mode: Literal["stdout"] = "stdout") -> None: ...
@overload
def show_config(mode: Literal["dicts"]) -> dict[str, dict[str, Any]]: ...
def show_config(mode: Literal["stdout", "dicts"] = "stdout") -> dict[str, Any] | None:
    """Print versions, backends, how the extension was built, settings in force, memory kept.

    Parameters
    ----------
    mode : {"stdout", "dicts"}
        Whether to print, or to return the same as a dictionary (as `numpy.show_config` does).

    Returns
    -------
    dict or None

    Examples
    --------
    >>> import fastact as fa
    >>> fa.show_config(mode="dicts")["settings"]["num_threads"] >= 1
    True
    """
    if mode not in ("stdout", "dicts"):
        raise ValueError(f"show_config: mode must be 'stdout' or 'dicts', got {mode!r}")
    config = _configuration()
    if mode == "dicts":
        return config
    for section, facts in config.items():
        print(f"{section}:")
        for key, value in facts.items():
            print(_printable(f"  {key}: {value}"))
    return None


def _printable(text: str) -> str:
    """Escape the characters that standard output cannot encode, as of a variable of other bytes."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _configuration() -> dict[str, dict[str, Any]]:
    import fastact
    from fastact import memory

    return {
        "versions": {
            "fastact": fastact.__version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "numba": _installed_version("numba"),
        },
        "settings": {
            **current()._asdict(),
            "existing_threads": _existing_threads(),
            "usable_cpus": environment.usable_cpus(),
        },
        "backends": {name: _why_unavailable(name) or "available" for name in BACKENDS},
        "extension": _extension_facts(),
        "pool": memory.information(),
        "numba": _numba_facts(),
        "environment": environment.variables(),
    }


def _existing_threads() -> int:
    """Return how many threads there are to compute on: the caller and the workers."""
    if driver is not None:
        count: int = driver.thread_count()
        return count
    return 1 + sum(thread.name.startswith("fastact_") for thread in threading.enumerate())


def _extension_facts() -> dict[str, Any]:
    if driver is None or cython_backend is None:
        return {"built": False}
    return {**driver.build_information(), **cython_backend.information()}


def _installed_version(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _numba_facts() -> dict[str, Any]:
    """Facts about Numba without importing it: what it has not loaded yet is not known yet."""
    backend = sys.modules.get("fastact.numba_backend")
    return backend.information() if backend else {"loaded": False}
