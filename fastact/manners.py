"""``where``, ``casting``, ``order``, ``dtype`` and ``subok``, with the meaning of NumPy's ufuncs.

A call with one of them is computed into new arrays. Then a ufunc of NumPy that changes nothing
stores the results, and gives these arguments their meaning. So it is the same in every backend.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastact.catalogue import Row

if TYPE_CHECKING:
    from fastact.activation import Verb

#: The arguments, and NumPy's defaults.
DEFAULTS = {"where": True, "casting": "same_kind", "order": "K", "dtype": None, "subok": True}


def are_taken(row: Row, kind: str) -> bool:
    """Whether a verb takes them: not where a result is a sum of elements."""
    return not (row.parameter_gradient and kind == "backward")


def given(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of this kind that are not the defaults."""
    return {
        name: kwargs[name]
        for name, default in DEFAULTS.items()
        if name in kwargs and kwargs[name] is not default
    }


def cast(
    verb: Verb, operands: Sequence[Any], dtype: np.dtype, arguments: Mapping[str, Any]
) -> list[Any]:
    """Return the operands in the dtype to compute with, if ``casting`` allows that.

    It is ``dtype`` where that is given, else the ``dtype`` of the results without it.
    """
    wanted, casting = arguments.get("dtype"), arguments.get("casting", "same_kind")
    if wanted is not None:
        dtype = np.dtype(wanted)
        is_served = dtype.char in "efd" or dtype.name == "bfloat16"
        if not (is_served and dtype.isnative):
            raise TypeError(
                f"{verb.__name__}: dtype must be float16, bfloat16, float32 or float64, got {dtype}"
            )
    for name, operand in zip(verb.arguments, operands, strict=True):
        own = np.asarray(operand).dtype
        # As in NumPy, Python numbers have no dtype of their own beside another operand.
        is_weak = len(operands) > 1 and type(operand) in (bool, int, float)
        if not is_weak and not np.can_cast(own, dtype, casting):
            raise TypeError(
                f"{verb.__name__}: {name} must have a dtype that casts to {dtype} ({casting}), "
                f"got {own}"
            )
    if wanted is None:
        return list(operands)
    return [np.asanyarray(operand).astype(dtype) for operand in operands]


def store(verb: Verb, results: Any, out: Sequence[Any], arguments: Mapping[str, Any]) -> Any:
    """Return the results of a call without outputs as the arguments say: in ``out``, or new."""
    passed_on = {name: value for name, value in arguments.items() if name != "dtype"}
    stored = []
    for result, target in zip(results if verb.nout > 1 else [results], out, strict=True):
        is_bool = np.asarray(result).dtype == bool
        operands: tuple[Any, ...] = (result, result) if is_bool else (result,)
        copy: Any = np.logical_or if is_bool else np.positive
        try:
            stored.append(copy(*operands, out=target, **passed_on))
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            message = str(error).replace(f"'{copy.__name__}'", f"'{verb.__name__}'")
            raise kind(f"{verb.__name__}: {message}") from error
    return stored[0] if verb.nout == 1 else tuple(stored)
