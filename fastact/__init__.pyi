"""The types of the public names. Written from the catalogue by: python tools/write_stubs.py"""

from typing import Any, Literal, TypeAlias, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from fastact.catalogue import Parameter
from fastact.config import (
    BackendUnavailableError,
    get_backend,
    get_num_threads,
    get_precision,
    set_backend,
    set_num_threads,
    set_precision,
    show_config,
    use_backend,
    use_precision,
    use_threads,
)
from fastact.memory import (
    clear_pool,
    set_pool_limit,
)

__version__: str

_Backend: TypeAlias = Literal["auto", "cython", "numba", "numpy"] | None
_Precision: TypeAlias = Literal["fast", "faithful"] | None
_Casting: TypeAlias = Literal["no", "equiv", "safe", "same_kind", "unsafe"]
_Order: TypeAlias = Literal["C", "F", "A", "K"]
_Scalar: TypeAlias = bool | int | float | np.number[Any] | np.bool
_Array: TypeAlias = NDArray[Any]
_Out = TypeVar("_Out", bound=_Array)

class _Function:
    @overload
    def __call__(
        self,
        x: _Scalar,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _Backward:
    @overload
    def __call__(
        self,
        grad_output: _Scalar,
        x: _Scalar,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        x: ArrayLike,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        x: ArrayLike,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _BackwardFromOutput:
    @overload
    def __call__(
        self,
        grad_output: _Scalar,
        y: _Scalar,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        y: ArrayLike,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        y: ArrayLike,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _ValueAndGrad:
    @overload
    def __call__(
        self,
        x: _Scalar,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> tuple[Any, Any]: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        *,
        out: tuple[_Array | None, _Array | None] | None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> tuple[_Array, _Array]: ...

class Activation(_Function):
    grad: _Function
    backward: _Backward
    backward_from_output: _BackwardFromOutput
    value_and_grad: _ValueAndGrad
    @property
    def name(self) -> str: ...
    @property
    def aliases(self) -> tuple[str, ...]: ...
    @property
    def formula(self) -> str: ...
    @property
    def derivative(self) -> str: ...
    @property
    def parameters(self) -> tuple[Parameter, ...]: ...
    @property
    def kinks(self) -> tuple[tuple[float | str, str], ...]: ...
    def kinks_at(self, **parameters: float) -> tuple[tuple[float, float], ...]: ...
    @property
    def exponential_free(self) -> bool: ...
    @property
    def reference(self) -> str: ...

class _FunctionNegativeSlope(_Function):
    @overload
    def __call__(
        self,
        x: _Scalar,
        negative_slope: ArrayLike = 0.01,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        negative_slope: ArrayLike = 0.01,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        negative_slope: ArrayLike = 0.01,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _BackwardNegativeSlope(_Backward):
    @overload
    def __call__(
        self,
        grad_output: _Scalar,
        x: _Scalar,
        negative_slope: ArrayLike = 0.01,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        x: ArrayLike,
        negative_slope: ArrayLike = 0.01,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        x: ArrayLike,
        negative_slope: ArrayLike = 0.01,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _BackwardFromOutputNegativeSlope(_BackwardFromOutput):
    @overload
    def __call__(
        self,
        grad_output: _Scalar,
        y: _Scalar,
        negative_slope: ArrayLike = 0.01,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        y: ArrayLike,
        negative_slope: ArrayLike = 0.01,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        y: ArrayLike,
        negative_slope: ArrayLike = 0.01,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _ValueAndGradNegativeSlope(_ValueAndGrad):
    @overload
    def __call__(
        self,
        x: _Scalar,
        negative_slope: ArrayLike = 0.01,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> tuple[Any, Any]: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        negative_slope: ArrayLike = 0.01,
        *,
        out: tuple[_Array | None, _Array | None] | None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> tuple[_Array, _Array]: ...

class _ActivationNegativeSlope(_FunctionNegativeSlope, Activation):
    grad: _FunctionNegativeSlope
    backward: _BackwardNegativeSlope
    backward_from_output: _BackwardFromOutputNegativeSlope
    value_and_grad: _ValueAndGradNegativeSlope

class _FunctionWeightAxis(_Function):
    @overload  # type: ignore[override]
    def __call__(
        self,
        x: _Scalar,
        weight: ArrayLike,
        axis: int = 1,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        weight: ArrayLike,
        axis: int = 1,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        weight: ArrayLike,
        axis: int = 1,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _BackwardWeightAxis(_Backward):
    @overload  # type: ignore[override]
    def __call__(
        self,
        grad_output: _Scalar,
        x: _Scalar,
        weight: ArrayLike,
        axis: int = 1,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
    ) -> tuple[Any, Any]: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        x: ArrayLike,
        weight: ArrayLike,
        axis: int = 1,
        *,
        out: tuple[_Array | None, _Array | None] | None = None,
        backend: _Backend = None,
        precision: _Precision = None,
    ) -> tuple[_Array, _Array]: ...

class _BackwardFromOutputWeightAxis(_BackwardFromOutput):
    @overload  # type: ignore[override]
    def __call__(
        self,
        grad_output: _Scalar,
        y: _Scalar,
        weight: ArrayLike,
        axis: int = 1,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        y: ArrayLike,
        weight: ArrayLike,
        axis: int = 1,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        y: ArrayLike,
        weight: ArrayLike,
        axis: int = 1,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _ValueAndGradWeightAxis(_ValueAndGrad):
    @overload  # type: ignore[override]
    def __call__(
        self,
        x: _Scalar,
        weight: ArrayLike,
        axis: int = 1,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> tuple[Any, Any]: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        weight: ArrayLike,
        axis: int = 1,
        *,
        out: tuple[_Array | None, _Array | None] | None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> tuple[_Array, _Array]: ...

class _ActivationWeightAxis(_FunctionWeightAxis, Activation):
    grad: _FunctionWeightAxis
    backward: _BackwardWeightAxis
    backward_from_output: _BackwardFromOutputWeightAxis
    value_and_grad: _ValueAndGradWeightAxis

class _FunctionLowerUpperTrainingRngSlopes(_Function):
    @overload
    def __call__(
        self,
        x: _Scalar,
        lower: ArrayLike = 0.125,
        upper: ArrayLike = 0.3333333333333333,
        training: bool = False,
        rng: Any = None,
        *,
        slopes: ArrayLike | None = None,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        lower: ArrayLike = 0.125,
        upper: ArrayLike = 0.3333333333333333,
        training: bool = False,
        rng: Any = None,
        *,
        slopes: ArrayLike | None = None,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        lower: ArrayLike = 0.125,
        upper: ArrayLike = 0.3333333333333333,
        training: bool = False,
        rng: Any = None,
        *,
        slopes: ArrayLike | None = None,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _BackwardLowerUpperTrainingRngSlopes(_Backward):
    @overload
    def __call__(
        self,
        grad_output: _Scalar,
        x: _Scalar,
        lower: ArrayLike = 0.125,
        upper: ArrayLike = 0.3333333333333333,
        training: bool = False,
        rng: Any = None,
        *,
        slopes: ArrayLike | None = None,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        x: ArrayLike,
        lower: ArrayLike = 0.125,
        upper: ArrayLike = 0.3333333333333333,
        training: bool = False,
        rng: Any = None,
        *,
        slopes: ArrayLike | None = None,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        x: ArrayLike,
        lower: ArrayLike = 0.125,
        upper: ArrayLike = 0.3333333333333333,
        training: bool = False,
        rng: Any = None,
        *,
        slopes: ArrayLike | None = None,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _BackwardFromOutputLowerUpperTrainingRngSlopes(_BackwardFromOutput):
    @overload
    def __call__(
        self,
        grad_output: _Scalar,
        y: _Scalar,
        lower: ArrayLike = 0.125,
        upper: ArrayLike = 0.3333333333333333,
        training: bool = False,
        rng: Any = None,
        *,
        slopes: ArrayLike | None = None,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        y: ArrayLike,
        lower: ArrayLike = 0.125,
        upper: ArrayLike = 0.3333333333333333,
        training: bool = False,
        rng: Any = None,
        *,
        slopes: ArrayLike | None = None,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        y: ArrayLike,
        lower: ArrayLike = 0.125,
        upper: ArrayLike = 0.3333333333333333,
        training: bool = False,
        rng: Any = None,
        *,
        slopes: ArrayLike | None = None,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _ValueAndGradLowerUpperTrainingRngSlopes(_ValueAndGrad):
    @overload
    def __call__(
        self,
        x: _Scalar,
        lower: ArrayLike = 0.125,
        upper: ArrayLike = 0.3333333333333333,
        training: bool = False,
        rng: Any = None,
        *,
        slopes: ArrayLike | None = None,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> tuple[Any, Any]: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        lower: ArrayLike = 0.125,
        upper: ArrayLike = 0.3333333333333333,
        training: bool = False,
        rng: Any = None,
        *,
        slopes: ArrayLike | None = None,
        out: tuple[_Array | None, _Array | None] | None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> tuple[_Array, _Array]: ...

class _ActivationLowerUpperTrainingRngSlopes(_FunctionLowerUpperTrainingRngSlopes, Activation):
    grad: _FunctionLowerUpperTrainingRngSlopes
    backward: _BackwardLowerUpperTrainingRngSlopes
    backward_from_output: _BackwardFromOutputLowerUpperTrainingRngSlopes
    value_and_grad: _ValueAndGradLowerUpperTrainingRngSlopes
    def draw_slopes(
        self,
        shape: int | tuple[int, ...],
        lower: ArrayLike = 0.125,
        upper: ArrayLike = 0.3333333333333333,
        rng: Any = None,
    ) -> Any: ...

class _FunctionThresholdValue(_Function):
    @overload  # type: ignore[override]
    def __call__(
        self,
        x: _Scalar,
        threshold: ArrayLike,
        value: ArrayLike,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        threshold: ArrayLike,
        value: ArrayLike,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        threshold: ArrayLike,
        value: ArrayLike,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _BackwardThresholdValue(_Backward):
    @overload  # type: ignore[override]
    def __call__(
        self,
        grad_output: _Scalar,
        x: _Scalar,
        threshold: ArrayLike,
        value: ArrayLike,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        x: ArrayLike,
        threshold: ArrayLike,
        value: ArrayLike,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        x: ArrayLike,
        threshold: ArrayLike,
        value: ArrayLike,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _BackwardFromOutputThresholdValue(_BackwardFromOutput):
    @overload  # type: ignore[override]
    def __call__(
        self,
        grad_output: _Scalar,
        y: _Scalar,
        threshold: ArrayLike,
        value: ArrayLike,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        y: ArrayLike,
        threshold: ArrayLike,
        value: ArrayLike,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        y: ArrayLike,
        threshold: ArrayLike,
        value: ArrayLike,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _ValueAndGradThresholdValue(_ValueAndGrad):
    @overload  # type: ignore[override]
    def __call__(
        self,
        x: _Scalar,
        threshold: ArrayLike,
        value: ArrayLike,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> tuple[Any, Any]: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        threshold: ArrayLike,
        value: ArrayLike,
        *,
        out: tuple[_Array | None, _Array | None] | None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> tuple[_Array, _Array]: ...

class _ActivationThresholdValue(_FunctionThresholdValue, Activation):
    grad: _FunctionThresholdValue
    backward: _BackwardThresholdValue
    backward_from_output: _BackwardFromOutputThresholdValue
    value_and_grad: _ValueAndGradThresholdValue

class _FunctionSlopeOffsetMinValMaxVal(_Function):
    @overload
    def __call__(
        self,
        x: _Scalar,
        slope: ArrayLike = 1,
        offset: ArrayLike = 0,
        min_val: ArrayLike = 0,
        max_val: ArrayLike = 1,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        slope: ArrayLike = 1,
        offset: ArrayLike = 0,
        min_val: ArrayLike = 0,
        max_val: ArrayLike = 1,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        slope: ArrayLike = 1,
        offset: ArrayLike = 0,
        min_val: ArrayLike = 0,
        max_val: ArrayLike = 1,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _BackwardSlopeOffsetMinValMaxVal(_Backward):
    @overload
    def __call__(
        self,
        grad_output: _Scalar,
        x: _Scalar,
        slope: ArrayLike = 1,
        offset: ArrayLike = 0,
        min_val: ArrayLike = 0,
        max_val: ArrayLike = 1,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        x: ArrayLike,
        slope: ArrayLike = 1,
        offset: ArrayLike = 0,
        min_val: ArrayLike = 0,
        max_val: ArrayLike = 1,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        x: ArrayLike,
        slope: ArrayLike = 1,
        offset: ArrayLike = 0,
        min_val: ArrayLike = 0,
        max_val: ArrayLike = 1,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _BackwardFromOutputSlopeOffsetMinValMaxVal(_BackwardFromOutput):
    @overload
    def __call__(
        self,
        grad_output: _Scalar,
        y: _Scalar,
        slope: ArrayLike = 1,
        offset: ArrayLike = 0,
        min_val: ArrayLike = 0,
        max_val: ArrayLike = 1,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        y: ArrayLike,
        slope: ArrayLike = 1,
        offset: ArrayLike = 0,
        min_val: ArrayLike = 0,
        max_val: ArrayLike = 1,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        y: ArrayLike,
        slope: ArrayLike = 1,
        offset: ArrayLike = 0,
        min_val: ArrayLike = 0,
        max_val: ArrayLike = 1,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _ValueAndGradSlopeOffsetMinValMaxVal(_ValueAndGrad):
    @overload
    def __call__(
        self,
        x: _Scalar,
        slope: ArrayLike = 1,
        offset: ArrayLike = 0,
        min_val: ArrayLike = 0,
        max_val: ArrayLike = 1,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> tuple[Any, Any]: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        slope: ArrayLike = 1,
        offset: ArrayLike = 0,
        min_val: ArrayLike = 0,
        max_val: ArrayLike = 1,
        *,
        out: tuple[_Array | None, _Array | None] | None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> tuple[_Array, _Array]: ...

class _ActivationSlopeOffsetMinValMaxVal(_FunctionSlopeOffsetMinValMaxVal, Activation):
    grad: _FunctionSlopeOffsetMinValMaxVal
    backward: _BackwardSlopeOffsetMinValMaxVal
    backward_from_output: _BackwardFromOutputSlopeOffsetMinValMaxVal
    value_and_grad: _ValueAndGradSlopeOffsetMinValMaxVal

class _FunctionMinValMaxVal(_Function):
    @overload
    def __call__(
        self,
        x: _Scalar,
        min_val: ArrayLike = -1,
        max_val: ArrayLike = 1,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        min_val: ArrayLike = -1,
        max_val: ArrayLike = 1,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        min_val: ArrayLike = -1,
        max_val: ArrayLike = 1,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _BackwardMinValMaxVal(_Backward):
    @overload
    def __call__(
        self,
        grad_output: _Scalar,
        x: _Scalar,
        min_val: ArrayLike = -1,
        max_val: ArrayLike = 1,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        x: ArrayLike,
        min_val: ArrayLike = -1,
        max_val: ArrayLike = 1,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        x: ArrayLike,
        min_val: ArrayLike = -1,
        max_val: ArrayLike = 1,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _BackwardFromOutputMinValMaxVal(_BackwardFromOutput):
    @overload
    def __call__(
        self,
        grad_output: _Scalar,
        y: _Scalar,
        min_val: ArrayLike = -1,
        max_val: ArrayLike = 1,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        y: ArrayLike,
        min_val: ArrayLike = -1,
        max_val: ArrayLike = 1,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        y: ArrayLike,
        min_val: ArrayLike = -1,
        max_val: ArrayLike = 1,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _ValueAndGradMinValMaxVal(_ValueAndGrad):
    @overload
    def __call__(
        self,
        x: _Scalar,
        min_val: ArrayLike = -1,
        max_val: ArrayLike = 1,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> tuple[Any, Any]: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        min_val: ArrayLike = -1,
        max_val: ArrayLike = 1,
        *,
        out: tuple[_Array | None, _Array | None] | None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> tuple[_Array, _Array]: ...

class _ActivationMinValMaxVal(_FunctionMinValMaxVal, Activation):
    grad: _FunctionMinValMaxVal
    backward: _BackwardMinValMaxVal
    backward_from_output: _BackwardFromOutputMinValMaxVal
    value_and_grad: _ValueAndGradMinValMaxVal

class _FunctionSlopeOffset(_Function):
    @overload
    def __call__(
        self,
        x: _Scalar,
        slope: ArrayLike = 0.16666666666666666,
        offset: ArrayLike = 0.5,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        slope: ArrayLike = 0.16666666666666666,
        offset: ArrayLike = 0.5,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        slope: ArrayLike = 0.16666666666666666,
        offset: ArrayLike = 0.5,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _BackwardSlopeOffset(_Backward):
    @overload
    def __call__(
        self,
        grad_output: _Scalar,
        x: _Scalar,
        slope: ArrayLike = 0.16666666666666666,
        offset: ArrayLike = 0.5,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        x: ArrayLike,
        slope: ArrayLike = 0.16666666666666666,
        offset: ArrayLike = 0.5,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        x: ArrayLike,
        slope: ArrayLike = 0.16666666666666666,
        offset: ArrayLike = 0.5,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _BackwardFromOutputSlopeOffset(_BackwardFromOutput):
    @overload
    def __call__(
        self,
        grad_output: _Scalar,
        y: _Scalar,
        slope: ArrayLike = 0.16666666666666666,
        offset: ArrayLike = 0.5,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        y: ArrayLike,
        slope: ArrayLike = 0.16666666666666666,
        offset: ArrayLike = 0.5,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        y: ArrayLike,
        slope: ArrayLike = 0.16666666666666666,
        offset: ArrayLike = 0.5,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _ValueAndGradSlopeOffset(_ValueAndGrad):
    @overload
    def __call__(
        self,
        x: _Scalar,
        slope: ArrayLike = 0.16666666666666666,
        offset: ArrayLike = 0.5,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> tuple[Any, Any]: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        slope: ArrayLike = 0.16666666666666666,
        offset: ArrayLike = 0.5,
        *,
        out: tuple[_Array | None, _Array | None] | None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> tuple[_Array, _Array]: ...

class _ActivationSlopeOffset(_FunctionSlopeOffset, Activation):
    grad: _FunctionSlopeOffset
    backward: _BackwardSlopeOffset
    backward_from_output: _BackwardFromOutputSlopeOffset
    value_and_grad: _ValueAndGradSlopeOffset

class _FunctionLambd(_Function):
    @overload
    def __call__(
        self,
        x: _Scalar,
        lambd: ArrayLike = 0.5,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        lambd: ArrayLike = 0.5,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        lambd: ArrayLike = 0.5,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _BackwardLambd(_Backward):
    @overload
    def __call__(
        self,
        grad_output: _Scalar,
        x: _Scalar,
        lambd: ArrayLike = 0.5,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        x: ArrayLike,
        lambd: ArrayLike = 0.5,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        x: ArrayLike,
        lambd: ArrayLike = 0.5,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _BackwardFromOutputLambd(_BackwardFromOutput):
    @overload
    def __call__(
        self,
        grad_output: _Scalar,
        y: _Scalar,
        lambd: ArrayLike = 0.5,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        y: ArrayLike,
        lambd: ArrayLike = 0.5,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        y: ArrayLike,
        lambd: ArrayLike = 0.5,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _ValueAndGradLambd(_ValueAndGrad):
    @overload
    def __call__(
        self,
        x: _Scalar,
        lambd: ArrayLike = 0.5,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> tuple[Any, Any]: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        lambd: ArrayLike = 0.5,
        *,
        out: tuple[_Array | None, _Array | None] | None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> tuple[_Array, _Array]: ...

class _ActivationLambd(_FunctionLambd, Activation):
    grad: _FunctionLambd
    backward: _BackwardLambd
    backward_from_output: _BackwardFromOutputLambd
    value_and_grad: _ValueAndGradLambd

class _FunctionB(_Function):
    @overload
    def __call__(
        self,
        x: _Scalar,
        b: ArrayLike = 4.0,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        b: ArrayLike = 4.0,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        b: ArrayLike = 4.0,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _BackwardB(_Backward):
    @overload
    def __call__(
        self,
        grad_output: _Scalar,
        x: _Scalar,
        b: ArrayLike = 4.0,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        x: ArrayLike,
        b: ArrayLike = 4.0,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        x: ArrayLike,
        b: ArrayLike = 4.0,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _BackwardFromOutputB(_BackwardFromOutput):
    @overload
    def __call__(
        self,
        grad_output: _Scalar,
        y: _Scalar,
        b: ArrayLike = 4.0,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        y: ArrayLike,
        b: ArrayLike = 4.0,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        y: ArrayLike,
        b: ArrayLike = 4.0,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _ValueAndGradB(_ValueAndGrad):
    @overload
    def __call__(
        self,
        x: _Scalar,
        b: ArrayLike = 4.0,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> tuple[Any, Any]: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        b: ArrayLike = 4.0,
        *,
        out: tuple[_Array | None, _Array | None] | None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> tuple[_Array, _Array]: ...

class _ActivationB(_FunctionB, Activation):
    grad: _FunctionB
    backward: _BackwardB
    backward_from_output: _BackwardFromOutputB
    value_and_grad: _ValueAndGradB

class _FunctionAB(_Function):
    @overload
    def __call__(
        self,
        x: _Scalar,
        a: ArrayLike = 1.7159,
        b: ArrayLike = 0.6666666666666666,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        a: ArrayLike = 1.7159,
        b: ArrayLike = 0.6666666666666666,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        a: ArrayLike = 1.7159,
        b: ArrayLike = 0.6666666666666666,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _BackwardAB(_Backward):
    @overload
    def __call__(
        self,
        grad_output: _Scalar,
        x: _Scalar,
        a: ArrayLike = 1.7159,
        b: ArrayLike = 0.6666666666666666,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        x: ArrayLike,
        a: ArrayLike = 1.7159,
        b: ArrayLike = 0.6666666666666666,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        x: ArrayLike,
        a: ArrayLike = 1.7159,
        b: ArrayLike = 0.6666666666666666,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _BackwardFromOutputAB(_BackwardFromOutput):
    @overload
    def __call__(
        self,
        grad_output: _Scalar,
        y: _Scalar,
        a: ArrayLike = 1.7159,
        b: ArrayLike = 0.6666666666666666,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        y: ArrayLike,
        a: ArrayLike = 1.7159,
        b: ArrayLike = 0.6666666666666666,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        y: ArrayLike,
        a: ArrayLike = 1.7159,
        b: ArrayLike = 0.6666666666666666,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _ValueAndGradAB(_ValueAndGrad):
    @overload
    def __call__(
        self,
        x: _Scalar,
        a: ArrayLike = 1.7159,
        b: ArrayLike = 0.6666666666666666,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> tuple[Any, Any]: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        a: ArrayLike = 1.7159,
        b: ArrayLike = 0.6666666666666666,
        *,
        out: tuple[_Array | None, _Array | None] | None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> tuple[_Array, _Array]: ...

class _ActivationAB(_FunctionAB, Activation):
    grad: _FunctionAB
    backward: _BackwardAB
    backward_from_output: _BackwardFromOutputAB
    value_and_grad: _ValueAndGradAB

class _FunctionBeta(_Function):
    @overload
    def __call__(
        self,
        x: _Scalar,
        beta: ArrayLike = 1.0,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        beta: ArrayLike = 1.0,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        beta: ArrayLike = 1.0,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _BackwardBeta(_Backward):
    @overload
    def __call__(
        self,
        grad_output: _Scalar,
        x: _Scalar,
        beta: ArrayLike = 1.0,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        x: ArrayLike,
        beta: ArrayLike = 1.0,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        x: ArrayLike,
        beta: ArrayLike = 1.0,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _BackwardFromOutputBeta(_BackwardFromOutput):
    @overload
    def __call__(
        self,
        grad_output: _Scalar,
        y: _Scalar,
        beta: ArrayLike = 1.0,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        y: ArrayLike,
        beta: ArrayLike = 1.0,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        y: ArrayLike,
        beta: ArrayLike = 1.0,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _ValueAndGradBeta(_ValueAndGrad):
    @overload
    def __call__(
        self,
        x: _Scalar,
        beta: ArrayLike = 1.0,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> tuple[Any, Any]: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        beta: ArrayLike = 1.0,
        *,
        out: tuple[_Array | None, _Array | None] | None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> tuple[_Array, _Array]: ...

class _ActivationBeta(_FunctionBeta, Activation):
    grad: _FunctionBeta
    backward: _BackwardBeta
    backward_from_output: _BackwardFromOutputBeta
    value_and_grad: _ValueAndGradBeta

class _FunctionAlpha(_Function):
    @overload
    def __call__(
        self,
        x: _Scalar,
        alpha: ArrayLike = 1.0,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        alpha: ArrayLike = 1.0,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        alpha: ArrayLike = 1.0,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _BackwardAlpha(_Backward):
    @overload
    def __call__(
        self,
        grad_output: _Scalar,
        x: _Scalar,
        alpha: ArrayLike = 1.0,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        x: ArrayLike,
        alpha: ArrayLike = 1.0,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        x: ArrayLike,
        alpha: ArrayLike = 1.0,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _BackwardFromOutputAlpha(_BackwardFromOutput):
    @overload
    def __call__(
        self,
        grad_output: _Scalar,
        y: _Scalar,
        alpha: ArrayLike = 1.0,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> Any: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        y: ArrayLike,
        alpha: ArrayLike = 1.0,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        grad_output: ArrayLike,
        y: ArrayLike,
        alpha: ArrayLike = 1.0,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> _Out: ...

class _ValueAndGradAlpha(_ValueAndGrad):
    @overload
    def __call__(
        self,
        x: _Scalar,
        alpha: ArrayLike = 1.0,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> tuple[Any, Any]: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        alpha: ArrayLike = 1.0,
        *,
        out: tuple[_Array | None, _Array | None] | None = None,
        backend: _Backend = None,
        precision: _Precision = None,
        where: ArrayLike = True,
        casting: _Casting = "same_kind",
        order: _Order = "K",
        dtype: DTypeLike | None = None,
        subok: bool = True,
    ) -> tuple[_Array, _Array]: ...

class _ActivationAlpha(_FunctionAlpha, Activation):
    grad: _FunctionAlpha
    backward: _BackwardAlpha
    backward_from_output: _BackwardFromOutputAlpha
    value_and_grad: _ValueAndGradAlpha

def names() -> tuple[str, ...]: ...
@overload
def get(name: Literal["scaled_tanh"]) -> _ActivationAB: ...
@overload
def get(name: Literal["celu", "elu"]) -> _ActivationAlpha: ...
@overload
def get(name: Literal["squareplus"]) -> _ActivationB: ...
@overload
def get(name: Literal["bnll", "silu", "softplus", "swish"]) -> _ActivationBeta: ...
@overload
def get(
    name: Literal["hard_shrink", "hardshrink", "soft_shrink", "softshrink"],
) -> _ActivationLambd: ...
@overload
def get(name: Literal["rrelu"]) -> _ActivationLowerUpperTrainingRngSlopes: ...
@overload
def get(name: Literal["hard_tanh", "hardtanh"]) -> _ActivationMinValMaxVal: ...
@overload
def get(name: Literal["leaky_relu"]) -> _ActivationNegativeSlope: ...
@overload
def get(
    name: Literal["hard_sigmoid", "hard_silu", "hard_swish", "hardsigmoid", "hardswish"],
) -> _ActivationSlopeOffset: ...
@overload
def get(name: Literal["clipped_linear"]) -> _ActivationSlopeOffsetMinValMaxVal: ...
@overload
def get(name: Literal["threshold"]) -> _ActivationThresholdValue: ...
@overload
def get(name: Literal["prelu"]) -> _ActivationWeightAxis: ...
@overload
def get(name: str) -> Activation: ...

bnll: _ActivationBeta
celu: _ActivationAlpha
clipped_linear: _ActivationSlopeOffsetMinValMaxVal
dish: Activation
elu: _ActivationAlpha
exp: Activation
expit: Activation
exponential: Activation
gelu: Activation
gelu_tanh: Activation
hard_shrink: _ActivationLambd
hard_sigmoid: _ActivationSlopeOffset
hard_silu: _ActivationSlopeOffset
hard_swish: _ActivationSlopeOffset
hard_tanh: _ActivationMinValMaxVal
hardshrink: _ActivationLambd
hardsigmoid: _ActivationSlopeOffset
hardswish: _ActivationSlopeOffset
hardtanh: _ActivationMinValMaxVal
identity: Activation
leaky_relu: _ActivationNegativeSlope
linear: Activation
log_sigmoid: Activation
logistic: Activation
logsigmoid: Activation
mish: Activation
prelu: _ActivationWeightAxis
quick_gelu: Activation
relu: Activation
relu2: Activation
relu6: Activation
rrelu: _ActivationLowerUpperTrainingRngSlopes
scaled_tanh: _ActivationAB
selu: Activation
sigmoid: Activation
silu: _ActivationBeta
soft_shrink: _ActivationLambd
soft_sign: Activation
softplus: _ActivationBeta
softshrink: _ActivationLambd
softsign: Activation
sparse_plus: Activation
sparse_sigmoid: Activation
squared_relu: Activation
squareplus: _ActivationB
swish: _ActivationBeta
tanh: Activation
tanh_shrink: Activation
tanhshrink: Activation
threshold: _ActivationThresholdValue

__all__ = [
    "Activation",
    "BackendUnavailableError",
    "bnll",
    "celu",
    "clear_pool",
    "clipped_linear",
    "dish",
    "elu",
    "exp",
    "expit",
    "exponential",
    "gelu",
    "gelu_tanh",
    "get",
    "get_backend",
    "get_num_threads",
    "get_precision",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "identity",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "logistic",
    "logsigmoid",
    "mish",
    "names",
    "prelu",
    "quick_gelu",
    "relu",
    "relu2",
    "relu6",
    "rrelu",
    "scaled_tanh",
    "selu",
    "set_backend",
    "set_num_threads",
    "set_pool_limit",
    "set_precision",
    "show_config",
    "sigmoid",
    "silu",
    "soft_shrink",
    "soft_sign",
    "softplus",
    "softshrink",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "squared_relu",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
    "tanhshrink",
    "threshold",
    "use_backend",
    "use_precision",
    "use_threads",
]
