"""The compiled driver: the short cut before ``fastact/dispatch.py``, and what runs compiled loops.

``_core.pyx`` has the fast path, blocks and slices, ``threads.h`` the threads, ``_memory.pyx`` and
``buffer_pool.h`` the recycled memory of large outputs. Any backend whose loops have the signature
``loop(inputs, outputs, blocks, parameters)`` of C runs here, by address.
"""

from fastact.driver._core import (
    Block,
    DefaultFloatingPoint,
    DirectCall,
    FastPath,
    build_information,
    connect_settings,
    execute,
    execute_rows,
    get_ufunc,
    look_up,
    make_ufunc,
    set_thresholds,
    sum_over_channels,
    supported_levels,
    thread_count,
    use_bfloat16,
    use_direct_vectorcall,
    use_vectorcall,
)
from fastact.driver._memory import (
    POOL_THRESHOLD,
    NewArraysFromPool,
    clear_pool,
    pool_information,
    set_pool_limit,
)

__all__ = [
    "POOL_THRESHOLD",
    "Block",
    "DefaultFloatingPoint",
    "DirectCall",
    "FastPath",
    "NewArraysFromPool",
    "build_information",
    "clear_pool",
    "connect_settings",
    "execute",
    "execute_rows",
    "get_ufunc",
    "look_up",
    "make_ufunc",
    "pool_information",
    "set_pool_limit",
    "set_thresholds",
    "sum_over_channels",
    "supported_levels",
    "thread_count",
    "use_bfloat16",
    "use_direct_vectorcall",
    "use_vectorcall",
]
