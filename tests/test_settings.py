"""Settings: the argument, else the innermost block, else the process; blocks are one thread's."""

from __future__ import annotations

import asyncio
import contextvars
import enum
import sys
import threading

import numpy as np
import pytest

import fastact as fa
from fastact.compat import torch


@pytest.fixture(autouse=True)
def restored_settings():
    backend, num_threads = fa.get_backend(), fa.get_num_threads()
    yield
    fa.set_backend(backend)
    fa.set_num_threads(num_threads)


def settings():
    return fa.get_backend(), fa.get_num_threads()


def settings_of_another_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(settings()))
    thread.start()
    thread.join()
    return found[0]


def test_setters_change_what_getters_return():
    fa.set_backend("numpy")
    fa.set_num_threads(3)
    assert settings() == ("numpy", 3)


def test_setters_hold_in_every_thread():
    fa.set_backend("numpy")
    fa.set_num_threads(3)
    assert settings_of_another_thread() == ("numpy", 3)


def test_blocks_nest_and_end():
    before = settings()
    with fa.use_backend("numpy"):
        assert settings() == ("numpy", before[1])
        with fa.use_threads(3):
            assert settings() == ("numpy", 3)
            with fa.use_backend("auto"), fa.use_threads(1):
                assert settings() == ("auto", 1)
            assert settings() == ("numpy", 3)
        assert settings() == ("numpy", before[1])
    assert settings() == before


def test_blocks_end_after_an_error():
    before = settings()
    with pytest.raises(KeyError), fa.use_backend("numpy"), fa.use_threads(3):
        raise KeyError
    assert settings() == before


def test_blocks_are_of_one_thread():
    outside = settings()
    with fa.use_backend("numpy"), fa.use_threads(3):
        assert settings_of_another_thread() == outside


def test_blocks_are_of_one_context():
    outside = settings()
    context = contextvars.copy_context()
    with fa.use_backend("numpy"), fa.use_threads(3):
        assert context.run(settings) == outside
        assert contextvars.copy_context().run(settings) == ("numpy", 3)


def test_blocks_are_of_one_task():
    """Two tasks of asyncio that take turns do not see each other's blocks."""

    async def task(num_threads):
        with fa.use_threads(num_threads):
            for _ in range(3):
                await asyncio.sleep(0)
                assert fa.get_num_threads() == num_threads

    async def both():
        await asyncio.gather(task(2), task(3))

    asyncio.run(both())


def test_one_object_serves_blocks_of_several_threads():
    """Each block restores what was in force where it was entered."""
    block = fa.use_threads(2)
    barrier = threading.Barrier(3)
    restored = []

    def work(outer):
        with fa.use_threads(outer):
            for _ in range(20):
                barrier.wait()
                with block:
                    assert fa.get_num_threads() == 2
                    barrier.wait()
                restored.append(fa.get_num_threads() == outer)

    threads = [threading.Thread(target=work, args=(outer,)) for outer in (3, 4, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert restored == [True] * 60


def test_one_object_serves_nested_blocks():
    block = fa.use_threads(2)
    with fa.use_threads(3), block, fa.use_threads(4), block:
        assert fa.get_num_threads() == 2
    with fa.use_threads(3):
        with block, block:
            pass
        assert fa.get_num_threads() == 3


def test_blocks_may_end_in_another_order():
    before = settings()
    outer, inner = fa.use_threads(3), fa.use_backend("numpy")
    outer.__enter__()
    inner.__enter__()
    outer.__exit__(None, None, None)
    assert settings() == ("numpy", before[1])
    inner.__exit__(None, None, None)
    assert settings() == before
    inner.__exit__(None, None, None)  # not entered here
    assert settings() == before


@pytest.mark.parametrize(
    "use", [lambda: fa.use_backend("numpy"), lambda: fa.use_threads(2)], ids=["backend", "threads"]
)
def test_functions_that_run_after_the_call_are_not_decorated(use):
    """A decorator would end the block before their code runs."""

    async def coroutine(): ...

    def generator():
        yield

    async def both():
        yield

    for function in (coroutine, generator, both):
        with pytest.raises(TypeError, match=r"^use_\w+: expected a plain function, got the gen"):
            use()(function)
    assert use()(lambda: 3)() == 3


def test_threads_compute_under_their_own_blocks():
    """What is computed follows the block of the thread, not only what the getters say."""
    x = np.full(3, 0.1, "float32")
    expected = {name: fa.mish(x, backend=name).tobytes() for name in ("auto", "numpy")}
    barrier = threading.Barrier(2)
    mismatches = []

    def work(name):
        with fa.use_backend(name):
            barrier.wait()
            for _ in range(200):
                if fa.get_backend() != name or fa.mish(x).tobytes() != expected[name]:
                    mismatches.append(name)

    threads = [threading.Thread(target=work, args=(name,)) for name in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not mismatches


def test_a_setter_within_a_block_holds_there_and_after():
    with fa.use_threads(2):
        fa.set_num_threads(3)
        fa.set_backend("numpy")
        assert settings() == ("numpy", 3)
    assert settings() == ("numpy", 3)


def in_another_thread(function, *args):
    thread = threading.Thread(target=function, args=args)
    thread.start()
    thread.join()


def test_a_block_leaves_the_other_settings_to_the_process():
    """What another thread sets for the process holds within the block too."""
    with fa.use_threads(1):
        in_another_thread(fa.set_backend, "numpy")
        assert settings() == ("numpy", 1)
        in_another_thread(fa.set_num_threads, 3)
        assert settings() == ("numpy", 1)
    assert settings() == ("numpy", 3)


def test_an_inner_block_ends_its_own_setting_only():
    with fa.use_backend("auto"):
        with fa.use_threads(2):
            fa.set_backend("numpy")
        assert fa.get_backend() == "numpy"


def test_the_compiled_fast_path_sees_every_layer():
    """Of process, block and argument; the backends differ in the last bit of these results."""
    x = np.linspace(-4, 4, 1001, dtype="float32")
    expected = {name: fa.mish(x, backend=name).tobytes() for name in ("auto", "numpy")}
    assert expected["auto"] != expected["numpy"] or fa.config.cython_backend is None
    fa.set_backend("numpy")
    assert fa.mish(x).tobytes() == expected["numpy"]
    with fa.use_threads(1), fa.use_precision("fast"):
        assert fa.mish(x).tobytes() == expected["numpy"]
        with fa.use_backend("auto"):
            assert fa.mish(x).tobytes() == expected["auto"]
            assert fa.mish(x, backend="numpy").tobytes() == expected["numpy"]
        assert fa.mish(x).tobytes() == expected["numpy"]
    fa.set_backend("auto")
    assert fa.mish(x).tobytes() == expected["auto"]


def test_setters_in_several_threads_lose_no_update():
    """Each thread changes a setting of its own and finds it as it left it."""
    lost = []

    def work(setter, getter, values):
        for _ in range(3000):
            for value in values:
                setter(value)
                if getter() != value:
                    lost.append(value)

    precision, interval = fa.get_precision(), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    threads = [
        threading.Thread(target=work, args=(fa.set_backend, fa.get_backend, ("numpy", "auto"))),
        threading.Thread(target=work, args=(fa.set_num_threads, fa.get_num_threads, (2, 3))),
        threading.Thread(
            target=work, args=(fa.set_precision, fa.get_precision, ("fast", "faithful"))
        ),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(interval)
    fa.set_precision(precision)
    assert lost == []


def test_a_block_decorates_a_function_that_threads_share():
    entered = threading.Barrier(2)

    @fa.use_threads(3)
    def decorated():
        entered.wait()
        return fa.get_num_threads()

    outside = fa.get_num_threads()
    found = []

    def work():
        found.append((decorated(), fa.get_num_threads()))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [(3, outside)] * 2


def test_a_block_takes_numpy_integers():
    with fa.use_threads(np.int64(2)):
        assert fa.get_num_threads() == 2
        assert type(fa.get_num_threads()) is int


def test_the_argument_is_checked_before_the_block():
    """The call fails, not the with statement: there is nothing to leave half-entered."""
    before = settings()
    with pytest.raises(ValueError, match="use_backend"):
        fa.use_backend("fast")
    assert settings() == before


# --- show_config -------------------------------------------------------------------------------


def test_show_config_has_a_fact_of_each_kind():
    config = fa.show_config("dicts")
    assert config["versions"]["fastact"] == fa.__version__
    assert config["versions"]["numpy"] == np.__version__
    assert set(config["backends"]) == {"cython", "numba", "numpy"}
    assert config["backends"]["numpy"] == "available"
    assert config["settings"]["backend"] == fa.get_backend()
    assert config["settings"]["num_threads"] == fa.get_num_threads()
    assert config["settings"]["usable_cpus"] >= 1
    assert "built" in config["extension"]
    assert "environment" in config


def test_show_config_tells_of_the_block():
    with fa.use_backend("numpy"), fa.use_threads(3):
        shown = fa.show_config("dicts")["settings"]
    assert (shown["backend"], shown["num_threads"]) == ("numpy", 3)


def test_show_config_tells_of_the_environment(monkeypatch):
    monkeypatch.setenv("FASTACT_BACKEND", "numpy")
    assert fa.show_config("dicts")["environment"]["FASTACT_BACKEND"] == "numpy"


def test_show_config_prints_the_same(capsys):
    assert fa.show_config() is None
    printed = capsys.readouterr().out
    for section, facts in fa.show_config("dicts").items():
        assert f"{section}:\n" in printed
        for key, value in facts.items():
            assert f"  {key}: {value}\n" in printed


# --- names that are not exactly strings ----------------------------------------------------------


class Name(str):
    """A string with a hash and a text of its own."""

    def __hash__(self):
        return 1

    def __str__(self):
        return "something else"


def string_enumeration(value):
    return enum.Enum("Choice", {"MEMBER": value}, type=str).MEMBER


STRINGS = {"numpy": np.str_, "Enum": string_enumeration, "subclass": Name}
if hasattr(enum, "StrEnum"):
    STRINGS["StrEnum"] = lambda value: enum.StrEnum("Choice", {"MEMBER": value}).MEMBER
over_strings = pytest.mark.parametrize("string", STRINGS.values(), ids=STRINGS)


@over_strings
def test_subclasses_of_strings_are_names(string):
    x = np.array([-1, 2], "float32")
    for verb in (fa.gelu, fa.gelu.grad, fa.gelu.value_and_grad, fa.prelu):
        parameters = (0.25,) * (verb is fa.prelu)
        wanted = verb(x, *parameters, backend="numpy", precision="faithful")
        found = verb(x, *parameters, backend=string("numpy"), precision=string("faithful"))
        assert np.array_equal(found, wanted)
    with fa.use_backend(string("numpy")), fa.use_precision(string("faithful")):
        assert type(fa.get_backend()) is type(fa.get_precision()) is str
        assert (fa.get_backend(), fa.get_precision()) == ("numpy", "faithful")
    fa.set_backend(string("numpy"))
    fa.set_precision(string("faithful"))
    assert (fa.get_backend(), fa.get_precision()) == ("numpy", "faithful")
    fa.set_precision(string("fast"))
    assert fa.get(string("swish")) is fa.silu
    assert fa.show_config(string("dicts"))["settings"]["backend"] == "numpy"
    gelu_tanh = torch.gelu(x, approximate=string("tanh"))
    assert np.array_equal(gelu_tanh, fa.gelu_tanh(x))


@over_strings
def test_other_subclasses_of_strings_are_named_errors(string):
    x = np.array([-1, 2], "float32")
    for call, name in (
        (lambda: fa.gelu(x, backend=string("nump")), "gelu: backend"),
        (lambda: fa.gelu(x, precision=string("fas")), "gelu: precision"),
        (lambda: fa.set_backend(string("nump")), "set_backend: backend"),
        (lambda: fa.use_precision(string("fas")), "use_precision: precision"),
        (lambda: fa.get(string("gleu")), "get: name"),
        (lambda: fa.show_config(string("json")), "show_config: mode"),
        (lambda: torch.gelu(x, approximate=string("tan")), r"torch\.gelu: approximate"),
    ):
        with pytest.raises(ValueError, match=f"^{name} must be"):
            call()


@pytest.mark.parametrize("value", [b"numpy", 1, ["numpy"], np.array("numpy"), object], ids=repr)
def test_what_is_no_string_is_a_named_error(value):
    for call, name in (
        (lambda: fa.gelu(1.0, backend=value), "gelu: backend"),
        (lambda: fa.gelu(1.0, precision=value), "gelu: precision"),
        (lambda: fa.set_backend(value), "set_backend: backend"),
        (lambda: fa.get(value), "get: name"),
    ):
        with pytest.raises(TypeError, match=f"^{name} must be a string"):
            call()
