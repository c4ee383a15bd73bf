"""Which backend computes, on how many threads, how exactly: environment, setters, contexts.

The settings are ``backend``, ``num_threads`` and ``precision``. ``set_*`` changes them for the
process; ``use_*`` for a block, in this thread (or asyncio task) only. All are one value, a
``Settings`` tuple in a context variable, so that the compiled fast path reads them in one step.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal, NamedTuple, overload

import numpy as np

from fastact import numpy_backend

#: The compiled driver and the Cython backend, or None where the extension was not built.
driver: Any = None
cython_backend: Any = None
_extension_error: ImportError | None = None
try:
    driver = import_module("fastact.driver")
    cython_backend = import_module("fastact.cython_backend")
except ImportError as error:
    _extension_error = error

#: In the order in which "auto" tries them: fastest first.
BACKENDS = ("cython", "numba", "numpy")
BACKEND_CHOICES = ("auto", *BACKENDS)
#: The largest error of a float32 result: 4 ulp, or 1.
PRECISIONS = ("fast", "faithful")
MAX_THREADS = 1024


class BackendUnavailableError(ImportError):
    """A backend was named that this installation cannot run."""


class Settings(NamedTuple):
    backend: str
    num_threads: int
    precision: str


# --- the environment, read once at import ------------------------------------------------------


def _canonical(name: str) -> str:
    """Return the one string of that name: the fast path compares objects, not characters."""
    return sys.intern(name)


def _from_environment(variable: str, choices: tuple[str, ...]) -> str:
    name = os.environ.get(variable, choices[0])
    if name not in choices:
        raise ValueError(
            f"environment variable {variable} must be one of {', '.join(choices)}, got {name!r}"
        )
    return _canonical(name)


def integer_from_environment(name: str, least: int, most: int) -> int | None:
    """Return the value of a variable of ours, or None where it is not set."""
    text = os.environ.get(name)
    if text is None:
        return None
    if not (text.isdecimal() and least <= int(text) <= most):
        raise ValueError(
            f"environment variable {name} must be an integer from {least} to {most}, got {text!r}"
        )
    return int(text)


def _threads_from_environment() -> int:
    own = integer_from_environment("FASTACT_NUM_THREADS", 1, MAX_THREADS)
    if own is not None:
        return own
    # OMP_NUM_THREADS belongs to others and may be a list ("4,2"); what we cannot read we leave.
    shared = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if shared.isdecimal() and 1 <= int(shared) <= MAX_THREADS:
        return int(shared)
    return _usable_cpus()


def _usable_cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


# --- the settings ------------------------------------------------------------------------------

#: Set for a block by ``use_backend`` and its like; unset, the process-wide value holds.
_block_settings: ContextVar[Settings] = ContextVar("fastact_settings")
_process_settings = Settings(
    _from_environment("FASTACT_BACKEND", BACKEND_CHOICES),
    _threads_from_environment(),
    _from_environment("FASTACT_PRECISION", PRECISIONS),
)


def current() -> Settings:
    """Return the settings in force here."""
    return _block_settings.get(_process_settings)


def with_settings(changes: Mapping[str, Any]) -> Settings:
    """Return the settings in force here, but for these changes."""
    return current()._replace(**changes)


def _set(**changes: Any) -> None:
    """Change the process-wide settings, and those of the enclosing ``use_*`` block if any."""
    global _process_settings
    _process_settings = _process_settings._replace(**changes)
    if driver is not None:
        driver.set_process_settings(_process_settings)
    block = _block_settings.get(None)
    if block is not None:
        _block_settings.set(block._replace(**changes))


@contextmanager
def _use(**changes: Any) -> Iterator[None]:
    token = _block_settings.set(_block_settings.get(_process_settings)._replace(**changes))
    try:
        yield
    finally:
        _block_settings.reset(token)


if driver is not None:
    driver.connect_settings(
        _block_settings,
        _process_settings,
        backends=[_canonical(name) for name in ("auto", "cython", "numba")],
        precisions=[_canonical(name) for name in PRECISIONS],
        keywords=[_canonical(name) for name in ("out", "backend", "precision")],
    )


def check_integer(caller: str, name: str, value: object, least: int, most: int) -> int:
    """Return the argument ``name`` as an int if it is one in range; raise otherwise."""
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
    if precision not in PRECISIONS:
        raise ValueError(
            f"{caller}: precision must be one of {', '.join(PRECISIONS)}, got {precision!r}"
        )
    return _canonical(precision)


# --- the backends ------------------------------------------------------------------------------


def check_backend(caller: str, name: object) -> str:
    """Return ``name`` if it is a backend that can run here (or "auto"); raise otherwise."""
    if not isinstance(name, str):
        raise TypeError(f"{caller}: backend must be a string, got {name!r}")
    if name not in BACKEND_CHOICES:
        raise ValueError(
            f"{caller}: backend must be one of {', '.join(BACKEND_CHOICES)}, got {name!r}"
        )
    reason = None if name == "auto" else _why_unavailable(name)
    if reason:
        raise BackendUnavailableError(f"{caller}: {reason}")
    return _canonical(name)


def _why_unavailable(name: str) -> str | None:
    if name == "cython" and cython_backend is None:
        return (
            "the Cython backend is not part of this installation; reinstall fastact with a C "
            f"compiler at hand and without FASTACT_NO_EXTENSION ({_extension_error})"
        )
    if name == "numba" and not _numba_is_installed():
        return "the Numba backend needs Numba; install it with: pip install 'fastact[numba]'"
    return None


#: How to check what a call gives for a setting.
CHECKS = {"backend": check_backend, "precision": check_precision}


def _numba_is_installed() -> bool:
    # A module set to None in sys.modules is one that this process must not import.
    if "numba" in sys.modules:
        return sys.modules["numba"] is not None
    return find_spec("numba") is not None


def available_backends() -> tuple[str, ...]:
    return tuple(name for name in BACKENDS if _why_unavailable(name) is None)


def backend_name(name: str) -> str:
    """Return what "auto" stands for, or the name itself."""
    if name != "auto":
        return name
    # One after another: to look for Numba takes 50 us.
    return next(name for name in BACKENDS if _why_unavailable(name) is None)


@cache
def load_backend(name: str) -> Any:
    """Return the module of the backend ``name``; "auto" is the fastest that is available."""
    name = backend_name(name)
    check_backend("FASTACT_BACKEND", name)  # set_backend and the like have checked already
    if name == "numpy":
        return numpy_backend
    if name == "cython":
        return cython_backend
    with default_floating_point():  # the module has constants
        return import_module("fastact.numba_backend")  # here, not at the top: it takes a second


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
    _set(backend=check_backend("set_backend", name))


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
    return _use(backend=check_backend("use_backend", name))


def get_num_threads() -> int:
    """Return how many threads a large array is computed on here.

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
        else the number of processors this process may use. Results do not depend on it.

    Examples
    --------
    >>> import fastact as fa
    >>> fa.set_num_threads(fa.get_num_threads())
    """
    _set(num_threads=_check_threads("set_num_threads", num_threads))


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
    return _use(num_threads=_check_threads("use_threads", num_threads))


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
    _set(precision=check_precision("set_precision", precision))


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
    return _use(precision=check_precision("use_precision", precision))


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
            print(f"  {key}: {value}")
    return None


def _configuration() -> dict[str, dict[str, Any]]:
    import fastact
    from fastact import memory

    environment = {key: value for key, value in os.environ.items() if key.startswith("FASTACT_")}
    if "OMP_NUM_THREADS" in os.environ:
        environment["OMP_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"]
    return {
        "versions": {
            "fastact": fastact.__version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "numba": _installed_version("numba"),
        },
        "settings": {
            **current()._asdict(),
            "usable_cpus": _usable_cpus(),
        },
        "backends": {name: _why_unavailable(name) or "available" for name in BACKENDS},
        "extension": _extension_facts(),
        "pool": memory.information(),
        "numba": _numba_facts(),
        "environment": environment,
    }


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
