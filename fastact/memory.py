"""Where large outputs get their memory: a bounded pool of recycled buffers.

Whatever the backend, an array that ``new_arrays`` or the compiled fast path makes takes over the
memory of one that was freed. ``driver/_memory.pyx`` and ``buffer_pool.h`` do it; without
the extension, arrays come from NumPy's allocator as ever, and the functions here do nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from fastact import config, environment


def _limit_from_environment() -> int:
    own = environment.integer("FASTACT_POOL_BYTES", 0, sys.maxsize)
    if own is not None:
        return own
    most = 1 << 28  # four arrays of 64 MiB
    if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", ()):
        return most
    return min(most, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 16)


_initial_limit = _limit_from_environment()  # without the extension, it is checked at least
if config.driver is not None:
    config.driver.set_pool_limit(_initial_limit)


_AS_EVER = nullcontext()


def new_arrays(size: int) -> AbstractContextManager[None]:
    """Return a context manager in which new arrays, of ``size`` bytes, may be recycled ones."""
    extension = config.driver
    if extension is None or size < extension.POOL_THRESHOLD:
        return _AS_EVER
    block: AbstractContextManager[None] = extension.NewArraysFromPool()
    return block


def empty_as_of_ufunc(
    inputs: Sequence[np.ndarray], dtype: np.dtype, count: int = 1
) -> tuple[np.ndarray, ...]:
    """Return new arrays of the shape and the memory order that a ufunc's results have.

    ``np.empty_like`` takes an axis of stride 0 for the innermost, ufuncs do not.
    """
    flags: Any = [*[["readonly"]] * len(inputs), *[["writeonly", "allocate"]] * count]
    operands: Any = [*map(np.asarray, inputs), *[None] * count]
    dtypes = [*(array.dtype for array in inputs), *[dtype] * count]
    iterator = np.nditer(operands, ["zerosize_ok", "refs_ok"], flags, dtypes)
    return tuple(iterator.operands[len(inputs) :])


def information() -> dict[str, Any]:
    """Return the facts for ``show_config``."""
    if config.driver is None:
        return {"available": False}
    facts: dict[str, Any] = config.driver.pool_information()
    return facts


def set_pool_limit(limit: int) -> None:
    """Choose how many bytes of freed outputs may wait for reuse.

    The memory of a large output (2 MiB or more) is not given back to the system when the array
    is deleted, but kept for the next one of about its size: fresh pages cost more than the
    arithmetic. Such an array owns its memory as any other. Like that of `numpy.empty`, reused
    memory holds what was there before until the result is written to it.

    Parameters
    ----------
    limit : int
        Bytes, for the whole process; 0 turns reuse off, and outputs come from NumPy's allocator.
        What waits beyond the limit is freed at once. The initial value is ``FASTACT_POOL_BYTES``,
        else 256 MiB, but at most a sixteenth of the memory of the machine.

    See Also
    --------
    clear_pool : Free what waits, and go on.
    show_config : Its section "pool" tells how many bytes wait and are in use.

    Notes
    -----
    Where NumPy was told to use another allocator than its own (NEP 49), that one is used. Nothing
    is reused across a fork. Without the compiled extension, and on Windows, there is no reuse and
    the limit has no effect.

    Examples
    --------
    >>> import fastact as fa
    >>> fa.set_pool_limit(2**28)
    """
    limit = config.check_integer("set_pool_limit", "limit", limit, 0, sys.maxsize)
    if config.driver is not None:
        config.driver.set_pool_limit(limit)


def clear_pool() -> None:
    """Give the memory that waits for reuse back to the system.

    Arrays keep theirs. To stop the reuse as well, use ``set_pool_limit(0)``.

    See Also
    --------
    set_pool_limit : Choose how much may wait.

    Examples
    --------
    >>> import fastact as fa
    >>> fa.clear_pool()
    """
    if config.driver is not None:
        config.driver.clear_pool()
