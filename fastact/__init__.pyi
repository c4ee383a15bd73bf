"""The types of the public names. Written from the catalogue by: python tools/write_stubs.py"""

from typing import Any, Literal, TypeAlias, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
    ) -> Any: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
    ) -> _Array: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        *,
        out: _Out | tuple[_Out],
        backend: _Backend = None,
        precision: _Precision = None,
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
    ) -> tuple[Any, Any]: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        *,
        out: tuple[_Array | None, _Array | None] | None = None,
        backend: _Backend = None,
        precision: _Precision = None,
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
    ) -> tuple[_Array, _Array]: ...

class _ActivationNegativeSlope(_FunctionNegativeSlope, Activation):
    grad: _FunctionNegativeSlope
    backward: _BackwardNegativeSlope
    backward_from_output: _BackwardFromOutputNegativeSlope
    value_and_grad: _ValueAndGradNegativeSlope

class _FunctionThresholdValue(_Function):
    @overload
    def __call__(
        self,
        x: _Scalar,
        threshold: ArrayLike,
        value: ArrayLike,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
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
    ) -> _Out: ...

class _BackwardThresholdValue(_Backward):
    @overload
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
    ) -> _Out: ...

class _BackwardFromOutputThresholdValue(_BackwardFromOutput):
    @overload
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
    ) -> _Out: ...

class _ValueAndGradThresholdValue(_ValueAndGrad):
    @overload
    def __call__(
        self,
        x: _Scalar,
        threshold: ArrayLike,
        value: ArrayLike,
        *,
        out: None = None,
        backend: _Backend = None,
        precision: _Precision = None,
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
    ) -> tuple[_Array, _Array]: ...

class _ActivationLambd(_FunctionLambd, Activation):
    grad: _FunctionLambd
    backward: _BackwardLambd
    backward_from_output: _BackwardFromOutputLambd
    value_and_grad: _ValueAndGradLambd

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
    ) -> tuple[_Array, _Array]: ...

class _ActivationAlpha(_FunctionAlpha, Activation):
    grad: _FunctionAlpha
    backward: _BackwardAlpha
    backward_from_output: _BackwardFromOutputAlpha
    value_and_grad: _ValueAndGradAlpha

def names() -> tuple[str, ...]: ...
@overload
def get(name: Literal["elu"]) -> _ActivationAlpha: ...
@overload
def get(name: Literal["bnll", "silu", "softplus", "swish"]) -> _ActivationBeta: ...
@overload
def get(
    name: Literal["hard_shrink", "hardshrink", "soft_shrink", "softshrink"],
) -> _ActivationLambd: ...
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
def get(name: str) -> Activation: ...

bnll: _ActivationBeta
clipped_linear: _ActivationSlopeOffsetMinValMaxVal
elu: _ActivationAlpha
expit: Activation
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
logistic: Activation
mish: Activation
relu: Activation
relu2: Activation
relu6: Activation
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
swish: _ActivationBeta
tanh: Activation
threshold: _ActivationThresholdValue

__all__ = [
    "Activation",
    "BackendUnavailableError",
    "bnll",
    "clear_pool",
    "clipped_linear",
    "elu",
    "expit",
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
    "logistic",
    "mish",
    "names",
    "relu",
    "relu2",
    "relu6",
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
    "swish",
    "tanh",
    "threshold",
    "use_backend",
    "use_precision",
    "use_threads",
]
