"""Hours of training stand in such files: whole ones are read as they were written, others are never believed."""

from __future__ import annotations

import errno
import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sorter.training.arrays import read_arrays, write_arrays

ARRAYS: dict[str, np.ndarray[Any, Any]] = {
    "model/0": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "taken": np.asarray(3.0),
    "none": np.zeros((0, 5), np.int64),
    "turned": np.asfortranarray(np.arange(6, dtype=np.uint8).reshape(2, 3)),
}
ABOUT = {"epoch": 3, "names": ["ä", "b"]}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = tmp_path / "some.npz"
    write_arrays(written, ARRAYS, json.dumps(ABOUT))
    return written


def same(found: tuple[dict[str, Any], dict[str, Any]]) -> bool:
    about, arrays = found
    return about == ABOUT and all(
        arrays[name].dtype == each.dtype and arrays[name].shape == each.shape and (arrays[name] == each).all()
        for name, each in ARRAYS.items()
    )


def test_what_was_written_is_read(file: Path) -> None:
    found = read_arrays(file)
    assert same(found)
    assert found[1].keys() == ARRAYS.keys()
    assert [each.name for each in file.parent.iterdir()] == ["some.npz"]
    assert file.stat().st_mode & 0o777 == 0o644, "others of the household may read it"


def test_a_truncated_file_is_never_believed(file: Path) -> None:
    whole = file.read_bytes()
    for length in {*range(0, len(whole), 7), len(whole) - 1}:
        file.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"."):
            read_arrays(file)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10**6), byte=st.integers(0, 255))
def test_a_flipped_byte_is_found_or_does_no_harm(file: Path, place: int, byte: int) -> None:
    whole = file.read_bytes()
    damaged = bytearray(whole)
    damaged[place % len(whole)] = byte
    file.write_bytes(damaged)
    try:
        about, arrays = read_arrays(file)
    except ValueError:
        return
    finally:
        file.write_bytes(whole)
    assert about == ABOUT
    assert all((arrays[name] == ARRAYS[name]).all() for name in arrays.keys() & ARRAYS.keys())


def npy() -> bytes:
    target = io.BytesIO()
    np.save(target, np.zeros(3))
    return target.getvalue()


def npz(**arrays: Any) -> bytes:
    target = io.BytesIO()
    np.savez(target, **arrays)
    return target.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"PK\x05\x06" + b"\0" * 18,
        npy(),
        npz(a=np.zeros(3)),
        npz(about=np.frombuffer(b"{", np.uint8)),
        npz(about=np.frombuffer(b"3", np.uint8)),
        npz(about=np.frombuffer(b"\xff\xfe", np.uint8)),
        npz(about=np.array([object()], object)),
        b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00}\x94.",
    ],
    ids=["empty", "text", "empty zip", "npy", "no text", "half JSON", "a number", "no UTF-8", "objects", "pickle"],
)
def test_a_file_that_is_another_one_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"."):
        read_arrays(tmp_path / "x.npz")


def test_a_file_that_is_not_there_or_a_folder_is_told_from_a_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_arrays(tmp_path / "none.npz")
    with pytest.raises(IsADirectoryError):
        read_arrays(tmp_path)


def test_nothing_is_kept_as_pickle_and_no_array_is_lost_under_the_name_of_the_text(tmp_path: Path) -> None:
    for arrays in ({"a": np.array([{}], object)}, {"about": np.zeros(3)}, {"a": np.array([(1, {})], "i4,O")}):
        with pytest.raises(ValueError, match=r"x\.npz cannot hold"):
            write_arrays(tmp_path / "x.npz", arrays, "{}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_disk_that_is_full_leaves_the_old_file_and_no_other(
    file: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(*((os, "fsync", full) if step == "fsync" else (Path, "replace", full)))
    with pytest.raises(OSError, match="No space left"):
        write_arrays(file, {"model/0": np.zeros(3)}, "{}")
    monkeypatch.undo()
    assert same(read_arrays(file))
    assert [each.name for each in file.parent.iterdir()] == ["some.npz"]


def test_a_process_that_is_killed_before_the_rename_leaves_the_old_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody cleans up after kill -9: the temporary file stays, and harms nothing."""
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_arrays(file, {"model/0": np.zeros(3)}, "{}")
    monkeypatch.undo()
    assert same(read_arrays(file))
    assert len([*file.parent.iterdir()]) == 2
    write_arrays(file, {"model/0": np.zeros(3)}, "{}")
    assert read_arrays(file)[0] == {}
