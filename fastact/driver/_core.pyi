from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

class Block:
    caller: str
    def __init__(self, caller: str, index: int, value: Any) -> None: ...
    def __enter__(self) -> None: ...
    def __exit__(self, *exception: object) -> None: ...

class DefaultFloatingPoint:
    def __enter__(self) -> None: ...
    def __exit__(self, *exception: object) -> None: ...

class FastPath:
    def _describe(
        self,
        n_inputs: int,
        n_outputs: int,
        parameters: Sequence[tuple[str, float, bool, int, tuple[float, float], bool]],
        ordered: Sequence[tuple[int, int]],
        chunk: int,
        is_bound_by_memory: bool,
        keeps_integers: bool,
        saturates: bool,
    ) -> None: ...
    def _use_kernel(
        self, kernel: FastPath, n_positional: int, single: int, double_: int
    ) -> None: ...
    def _use_loops(
        self,
        backend: int,
        single: int,
        single_fast: int,
        double_: int,
        single_broadcast: int,
        double_broadcast: int,
    ) -> None: ...
    def _use_table(self, backend: int, type_number: int, table: np.ndarray, loop: int) -> None: ...
    def _general_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...

class DirectCall:
    def _use_direct(self, function: Callable[..., Any]) -> None: ...
    def _general_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...

def use_direct_vectorcall(subclass: type) -> None: ...
def use_bfloat16(type_number: int) -> None: ...
def make_ufunc(verb: FastPath, backend: int, is_fast: bool) -> np.ufunc: ...
def get_ufunc(
    verb: FastPath, backend: int, is_fast: bool, num_threads: int
) -> Callable[..., Any]: ...
def use_vectorcall(verb_class: type, verb: FastPath) -> None: ...
def connect_settings(
    context_variable: ContextVar[Any],
    settings: list[Any],
    backends: Sequence[str],
    precisions: Sequence[str],
    keywords: Sequence[str],
) -> None: ...
def set_thresholds(**changes: int) -> dict[str, int]: ...
def execute(
    address: int,
    inputs: Sequence[np.ndarray],
    outputs: Sequence[np.ndarray],
    parameters: Sequence[Any],
    num_threads: int,
    chunk: int,
    is_bound_by_memory: bool,
) -> None: ...
def execute_rows(
    address: int,
    inputs: Sequence[np.ndarray],
    outputs: Sequence[np.ndarray],
    parameters: np.ndarray,
    length: int,
    num_threads: int,
    chunk: int,
    is_bound_by_memory: bool,
    is_broadcast: bool,
) -> None: ...
def look_up(
    table: np.ndarray,
    x: np.ndarray,
    outputs: Sequence[np.ndarray],
    num_threads: int,
    chunk: int,
) -> None: ...
def sum_over_channels(
    address: int,
    g: np.ndarray,
    x: np.ndarray,
    channels: int,
    inner: int,
    num_threads: int,
    result: np.ndarray,
) -> None: ...
def build_information() -> dict[str, Any]: ...
def thread_count() -> int: ...
def supported_levels() -> tuple[str, ...]: ...
