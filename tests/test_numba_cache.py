"""Damaged files in Numba's cache are replaced: the next process finds compiled code again."""

from __future__ import annotations

import numpy as np
import pytest

from fastact import config
from fastact.catalogue import ROWS

if "numba" not in config.available_backends():
    pytest.skip("needs Numba", allow_module_level=True)

import numba

from fastact.numba_backend import loops

ROW = next(row for row in ROWS if row.name == "relu")


def flip_a_bit(data: bytes) -> bytes:
    """Damage the compiled code itself, in a way that no parser sees."""
    position = len(data) * 3 // 4
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


DAMAGES = {
    "empty": lambda data: b"",
    "truncated": lambda data: data[: len(data) // 2],
    "zeros": lambda data: bytes(len(data)),
    "text": lambda data: b"not a pickle\n" * 9,
    "flipped": flip_a_bit,
}


def hits() -> int:
    compiled = loops.compile_loop(ROW, "forward", "float64")
    assert compiled.address
    return compiled.cache_hits


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    assert hits() == 0
    assert hits() == 1
    return tmp_path


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
def test_damaged_files_are_replaced(suffix, damage, cache):
    (file,) = cache.rglob(f"*.{suffix}")
    file.write_bytes(DAMAGES[damage](file.read_bytes()))
    hits()  # some bits of an index do not matter
    assert hits() == 1


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
def test_missing_files_are_replaced(suffix, cache):
    (file,) = cache.rglob(f"*.{suffix}")
    file.unlink()
    assert (hits(), hits()) == (0, 1)


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
def test_files_of_another_loop_are_replaced(suffix, cache):
    (file,) = cache.rglob(f"*.{suffix}")
    other_row = next(row for row in ROWS if row.name == "identity")
    loops.compile_loop(other_row, "forward", "float64")
    (other,) = set(cache.rglob(f"*.{suffix}")) - {file}
    file.write_bytes(other.read_bytes())
    assert (hits(), hits()) == (0, 1)


def test_a_cache_that_cannot_be_written_is_done_without(cache):
    """Directories stand where the files would be."""
    for file in cache.rglob("*.nb?"):
        file.unlink()
        file.mkdir()
        (file / "occupied").touch()
    assert (hits(), hits()) == (0, 0)


def test_code_from_the_cache_computes(cache):
    import fastact.numba_backend as backend

    compiled = loops.compile_loop(ROW, "forward", "float64")
    x, y = np.linspace(-1, 1, loops.BLOCK), np.empty(loops.BLOCK)
    backend._call(backend._LOOP_TYPE(compiled.address), [x], [y], 1, np.empty(0))
    assert y.tolist() == np.maximum(x, 0).tolist()
