"""Which backend computes, on how many threads: environment, setters, context managers.

Two settings exist, ``backend`` and ``num_threads``. ``set_*`` changes them for the process;
``use_*`` changes them for a block, in this thread (or asyncio task) only. Both are one value, a
``Settings`` tuple in a context variable, so that the compiled fast path reads them in one step.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal, NamedTuple, overload

import numpy as np

from fastact import numpy_backend

#: The module of the Cython backend, or None where the extension was not built.
cython_backend: Any = None
_extension_error: ImportError | None = None
try:
    cython_backend = import_module("fastact.cython_backend")
except ImportError as error:
    _extension_error = error

#: In the order in which "auto" tries them: fastest first.
BACKENDS = ("cython", "numba", "numpy")
BACKEND_CHOICES = ("auto", *BACKENDS)
#: The choices that the compiled fast path serves.
_COMPILED = ("auto", "cython")
MAX_THREADS = 1024


class BackendUnavailableError(ImportError):
    """A backend was named that this installation cannot run."""


class Settings(NamedTuple):
    backend: str
    num_threads: int


# --- the environment, read once at import ------------------------------------------------------


def _canonical(name: str) -> str:
    """Return our own string of that name: the fast path compares objects, not characters."""
    return BACKEND_CHOICES[BACKEND_CHOICES.index(name)]


def _backend_from_environment() -> str:
    name = os.environ.get("FASTACT_BACKEND", "auto")
    if name not in BACKEND_CHOICES:
        raise ValueError(
            f"environment variable FASTACT_BACKEND must be one of {', '.join(BACKEND_CHOICES)}, "
            f"got {name!r}"
        )
    return _canonical(name)


def _threads_from_environment() -> int:
    own = os.environ.get("FASTACT_NUM_THREADS")
    if own is not None:
        if not (own.isdecimal() and 1 <= int(own) <= MAX_THREADS):
            raise ValueError(
                f"environment variable FASTACT_NUM_THREADS must be an integer from 1 to "
                f"{MAX_THREADS}, got {own!r}"
            )
        return int(own)
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

#: Set for a block by ``use_backend`` and ``use_threads``; unset, the process-wide value holds.
_block_settings: ContextVar[Settings] = ContextVar("fastact_settings")
_process_settings = Settings(_backend_from_environment(), _threads_from_environment())
_forked = False


def current() -> Settings:
    """Return the settings in force here."""
    settings = _block_settings.get(_process_settings)
    return settings._replace(num_threads=1) if _forked else settings


def _set(**changes: Any) -> None:
    """Change the process-wide settings, and those of the enclosing ``use_*`` block if any."""
    global _process_settings
    _process_settings = _process_settings._replace(**changes)
    if cython_backend is not None:
        cython_backend.set_process_settings(_process_settings)
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


def _after_fork_in_child() -> None:
    """Compute serially from now on: OpenMP and Numba threads do not survive a fork."""
    global _forked
    _forked = True
    if cython_backend is not None:
        cython_backend.stay_serial()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
if cython_backend is not None:
    cython_backend.connect_settings(_block_settings, _process_settings, *map(_canonical, _COMPILED))


def _check_threads(caller: str, num_threads: object) -> int:
    if isinstance(num_threads, bool) or not isinstance(num_threads, (int, np.integer)):
        raise TypeError(f"{caller}: num_threads must be an integer, got {num_threads!r}")
    if not 1 <= num_threads <= MAX_THREADS:
        raise ValueError(
            f"{caller}: num_threads must be from 1 to {MAX_THREADS}, got {num_threads}"
        )
    return int(num_threads)


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


def _numba_is_installed() -> bool:
    # A module set to None in sys.modules is one that this process must not import.
    if "numba" in sys.modules:
        return sys.modules["numba"] is not None
    return find_spec("numba") is not None


def available_backends() -> tuple[str, ...]:
    return tuple(name for name in BACKENDS if _why_unavailable(name) is None)


@cache
def load_backend(name: str) -> Any:
    """Return the module of the backend ``name``; "auto" is the fastest that is available."""
    if name == "auto":
        name = available_backends()[0]
    check_backend("FASTACT_BACKEND", name)  # set_backend and the like have checked already
    if name == "numpy":
        return numpy_backend
    if name == "cython":
        return cython_backend
    return import_module("fastact.numba_backend")  # here, not at the top: it takes a second


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
    """Return how many threads a large array is computed on here; 1 in a forked child.

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


@overload
def show_config(mode: Literal["stdout"] = "stdout") -> None: ...
@overload
def show_config(mode: Literal["dicts"]) -> dict[str, dict[str, Any]]: ...
def show_config(mode: Literal["stdout", "dicts"] = "stdout") -> dict[str, Any] | None:
    """Print versions, backends, how the extension was built, and the settings in force.

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
            "forked_child": _forked,
        },
        "backends": {name: _why_unavailable(name) or "available" for name in BACKENDS},
        "extension": cython_backend.build_information() if cython_backend else {"built": False},
        "numba": _numba_facts(),
        "environment": environment,
    }


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
