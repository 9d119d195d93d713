"""Files that are written whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sorter.whole import whole_file, write_whole


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_a_file_has_what_was_written_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", "grün")
    write_whole(tmp_path / "a", b"\0\1")
    assert (tmp_path / "a").read_bytes() == b"\0\1"
    assert names(tmp_path) == ["a"]


def test_what_fails_half_way_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", "old")
    with pytest.raises(TypeError), whole_file(tmp_path / "a") as file:
        file.writelines([b"new", "text"])  # type: ignore[list-item]
    assert (tmp_path / "a").read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == ["a"]


def test_a_file_that_is_not_to_be_replaced_stays(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", "first", may_replace=False)
    with pytest.raises(FileExistsError):
        write_whole(tmp_path / "a", "second", may_replace=False)
    assert (tmp_path / "a").read_text(encoding="utf-8") == "first"
    assert names(tmp_path) == ["a"]


def test_a_file_that_came_while_another_was_written_is_not_replaced_where_there_are_no_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(_from: object, _to: object) -> None:
        raise PermissionError(1, "Operation not permitted")  # what a memory stick's file system says

    monkeypatch.setattr(os, "link", no_links)
    write_whole(tmp_path / "a", "first", may_replace=False)
    with pytest.raises(PermissionError):
        write_whole(tmp_path / "a", "second", may_replace=False)
    assert (tmp_path / "a").read_text(encoding="utf-8") == "first"
    assert names(tmp_path) == ["a"]


def test_a_file_keeps_its_mode_where_that_is_meant_and_is_for_all_to_read_elsewhere(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", "old")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644
    (tmp_path / "a").chmod(0o600)
    with whole_file(tmp_path / "a", is_as_before=True) as file:
        file.write(b"new")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


def test_the_last_look_is_after_all_was_written_and_may_end_it(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", "old")

    def check() -> None:
        (part,) = tmp_path.glob(".a.*")
        raise PermissionError(part.read_text(encoding="utf-8"))

    with pytest.raises(PermissionError, match="new"), whole_file(tmp_path / "a", check=check) as file:
        file.write(b"new")
    assert (tmp_path / "a").read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == ["a"]


def test_a_folder_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "none" / "a", "")
