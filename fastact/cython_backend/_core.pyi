from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

class FastPath:
    def _use_loops(
        self,
        float_address: int,
        double_address: int,
        n_inputs: int,
        n_outputs: int,
        defaults: Sequence[float],
        n_free_parameters: int,
        grain: int,
    ) -> None: ...
    def _general_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...

def connect_settings(
    context_variable: ContextVar[Any], settings: tuple[str, int], auto: str, this: str
) -> None: ...
def set_process_settings(settings: tuple[str, int]) -> None: ...
def stay_serial() -> None: ...
def execute(
    address: int,
    inputs: Sequence[np.ndarray],
    outputs: Sequence[np.ndarray],
    parameters: Sequence[Any],
    num_threads: int,
    grain: int,
) -> None: ...
def build_information() -> dict[str, Any]: ...
