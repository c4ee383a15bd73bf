"""An extension that is older than the catalogue is refused with a message, and never called."""

from __future__ import annotations

import numpy as np
import pytest

import fastact as fa
from fastact import config
from fastact.activation import Activation
from fastact.catalogue import Parameter

if config.cython_backend is None:
    pytest.skip("needs the extension", allow_module_level=True)

ELU, SILU, RELU = (fa.get(name).row for name in ("elu", "silu", "relu"))
#: Rows for which an older extension has no loops, or loops with other parameters.
CHANGED = {
    "new row": ELU._replace(name="new_activation"),
    "new parameter": ELU._replace(parameters=(*ELU.parameters, Parameter("beta", 1.0, "new"))),
    "first parameter": RELU._replace(parameters=(Parameter("slope", 1.0, "new"),)),
    "new default": ELU._replace(parameters=(ELU.parameters[0]._replace(default=2.0),)),
    "new derivative from the output": SILU._replace(derivative_from_output="y"),
}
DTYPES = ["float16", "float32", "float64"]


def verbs(change):
    function = Activation(CHANGED[change])
    if change == "new derivative from the output":
        return [function.backward_from_output]
    return [function, function.grad, function.backward, function.value_and_grad]


@pytest.fixture(autouse=True)
def catalogue_of_the_change(monkeypatch):
    """The extension compares its rows with the catalogue when it is imported."""

    def use(row):
        compiled = config.cython_backend._PARAMETERS.get(row.name)
        declared = tuple((p.name, p.default) for p in row.parameters)
        if compiled != declared:
            current = config.cython_backend._CURRENT - {row.name}
            monkeypatch.setattr(config.cython_backend, "_CURRENT", current)

    return use


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("change", CHANGED)
def test_a_changed_row_says_rebuild(catalogue_of_the_change, change, dtype):
    catalogue_of_the_change(CHANGED[change])
    x = np.linspace(-1, 1, 40, dtype=dtype)
    for verb in verbs(change):
        for arguments in ([x] * len(verb.arguments), [x[::2]] * len(verb.arguments)):
            out = tuple(np.full_like(arguments[0], 7) for _ in range(verb.nout))
            with pytest.raises(config.BackendUnavailableError, match=f"{verb.__name__}: .*rebuild"):
                verb(*arguments, out=out)
            assert all((array == 7).all() for array in out)


def test_the_rows_of_this_catalogue_are_those_of_the_extension():
    rows = [fa.get(name).row for name in fa.names()]
    assert {row.name for row in rows if not row.kernels} == config.cython_backend._CURRENT


@pytest.mark.parametrize("driver_function", ["execute", "execute_rows", "sum_over_channels"])
def test_no_address_is_called_unchecked(driver_function):
    x = np.ones(32)
    arguments = {
        "execute": (0, [x], [x], (), 1, 64, False),
        "execute_rows": (0, [x], [x], x, 8, 1, 64, False, False),
        "sum_over_channels": (0, x, x, 1, 32, 1, np.ones(1)),
    }[driver_function]
    with pytest.raises(ValueError, match="address"):
        getattr(config.driver, driver_function)(*arguments)


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        ([np.ones(31)], [np.ones(32)]),
        ([np.ones(64)[::2]], [np.ones(32)]),
        ([np.ones(32, ">f8")], [np.ones(32)]),
        ([np.ones(32 * 8 + 1, np.uint8)[1:].view(np.float64)], [np.ones(32)]),
        ([np.ones(32)] * 9, [np.ones(32)]),
        ([], [np.ones(32)]),
    ],
    ids=["shorter", "strided", "byte-swapped", "unaligned", "too many", "none"],
)
def test_the_driver_refuses_arrays_that_its_loops_cannot_read(inputs, outputs):
    address = config.cython_backend.loop_address("relu", "forward", "float64")
    with pytest.raises(ValueError, match="driver"):
        config.driver.execute(address, inputs, outputs, (), 1, 64, False)
