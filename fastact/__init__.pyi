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
    def kinks(self) -> tuple[tuple[float, str], ...]: ...
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
def get(name: Literal["scaled_tanh"]) -> _ActivationAB: ...
@overload
def get(name: Literal["elu"]) -> _ActivationAlpha: ...
@overload
def get(name: Literal["bnll", "silu", "softplus", "swish"]) -> _ActivationBeta: ...
@overload
def get(name: Literal["leaky_relu"]) -> _ActivationNegativeSlope: ...
@overload
def get(name: str) -> Activation: ...

bnll: _ActivationBeta
elu: _ActivationAlpha
expit: Activation
gelu: Activation
gelu_tanh: Activation
hard_silu: Activation
hard_swish: Activation
hardswish: Activation
identity: Activation
leaky_relu: _ActivationNegativeSlope
linear: Activation
logistic: Activation
mish: Activation
quick_gelu: Activation
relu: Activation
relu2: Activation
relu6: Activation
scaled_tanh: _ActivationAB
selu: Activation
sigmoid: Activation
silu: _ActivationBeta
soft_sign: Activation
softplus: _ActivationBeta
softsign: Activation
sparse_plus: Activation
sparse_sigmoid: Activation
squared_relu: Activation
swish: _ActivationBeta
tanh: Activation
tanh_shrink: Activation
tanhshrink: Activation

__all__ = [
    "Activation",
    "BackendUnavailableError",
    "bnll",
    "clear_pool",
    "elu",
    "expit",
    "gelu",
    "gelu_tanh",
    "get",
    "get_backend",
    "get_num_threads",
    "get_precision",
    "hard_silu",
    "hard_swish",
    "hardswish",
    "identity",
    "leaky_relu",
    "linear",
    "logistic",
    "mish",
    "names",
    "quick_gelu",
    "relu",
    "relu2",
    "relu6",
    "scaled_tanh",
    "selu",
    "set_backend",
    "set_num_threads",
    "set_pool_limit",
    "set_precision",
    "show_config",
    "sigmoid",
    "silu",
    "soft_sign",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "squared_relu",
    "swish",
    "tanh",
    "tanh_shrink",
    "tanhshrink",
    "use_backend",
    "use_precision",
    "use_threads",
]
