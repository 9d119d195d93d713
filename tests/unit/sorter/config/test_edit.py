"""A program that changes rig.toml changes what it was told to, and nothing that somebody wrote."""

from __future__ import annotations

import difflib
import errno
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sorter.config import EditRefused, MotorChuteConfig, set_values
from sorter.config.template import rig_file
from sorter.errors import ConfigError

if TYPE_CHECKING:
    from sorter.toml import KeyPath

TEMPLATE = rig_file(["3001", "3002"])
SMALL = """\
# mine
[chute]   # the long one
kind = "motor"
home_deg=0.0# glued on
gear_ratio = 3.0  # belt, 20:60

  # indented
[[bins]]
  id = "a"
  chute_deg = 0   # front
"""


def changes(file: Path, text: str, values: dict[KeyPath, object]) -> list[str]:
    """Lines that went (-) and came (+)."""
    file.write_text(text, encoding="utf-8")
    set_values(file, values)
    rows = difflib.ndiff(text.splitlines(), file.read_text(encoding="utf-8").splitlines())
    return [row[0] + row[2:] for row in rows if row[0] in "+-" and row[2:]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rig.toml"


def test_only_the_value_changes(file: Path) -> None:
    assert changes(file, TEMPLATE, {("chute", "home_deg"): 12.5, ("bins", 3, "chute_deg"): 91.0}) == [
        "-home_deg = 0.0",
        "+home_deg = 12.5",
        "-chute_deg = 90.0",
        "+chute_deg = 91.0",
    ]


def test_comments_and_blanks_around_a_value_stay(file: Path) -> None:
    assert changes(file, SMALL, {("chute", "home_deg"): 7.0, ("bins", 0, "chute_deg"): 5.5}) == [
        "-home_deg=0.0# glued on",
        "+home_deg=7.0# glued on",
        "-  chute_deg = 0   # front",
        "+  chute_deg = 5.5   # front",
    ]


def test_what_is_returned_is_what_the_file_says(file: Path) -> None:
    file.write_text(SMALL, encoding="utf-8")
    chute = set_values(file, {("chute", "home_deg"): np.float64(7.25), ("chute", "full_steps_per_turn"): 400}).chute
    assert isinstance(chute, MotorChuteConfig)
    assert (chute.home_deg, chute.full_steps_per_turn) == (7.25, 400)
    assert "home_deg=7.25#" in file.read_text(encoding="utf-8")


def test_a_value_that_is_there_already_is_not_written_again(file: Path) -> None:
    file.write_text(SMALL.replace("0.0#", "0.000#"), encoding="utf-8")
    before = file.stat()
    set_values(file, {("chute", "home_deg"): 0.0})
    assert file.stat().st_ino == before.st_ino
    assert "home_deg=0.000#" in file.read_text(encoding="utf-8")


def test_a_new_key_takes_the_place_of_the_comment_that_holds_it(file: Path) -> None:
    values: dict[KeyPath, object] = {("camera", "mm_per_px"): 0.31, ("sensors", "dropped", "endstop"): "x_max"}
    assert changes(file, TEMPLATE, values) == [
        "-#mm_per_px = 0.25",
        "+mm_per_px = 0.31",
        "-#[sensors.dropped]",
        "+[sensors.dropped]",
        '-#endstop = "y_max"',
        '+endstop = "x_max"',
    ]


def test_a_new_key_stands_beside_the_others_of_its_table(file: Path) -> None:
    file.write_text(SMALL, encoding="utf-8")
    set_values(file, {("chute", "maximum_deg"): 300.0, ("web", "port"): 81})
    rows = file.read_text(encoding="utf-8").splitlines()
    assert rows[rows.index("gear_ratio = 3.0  # belt, 20:60") + 1] == "maximum_deg = 300.0"
    assert rows[-2:] == ["[web]", "port = 81"]


def test_a_new_bin_follows_the_last_one(file: Path) -> None:
    values: dict[KeyPath, object] = {
        ("bins", 5, "id"): "new",
        ("bins", 5, "chute_deg"): 200.0,
        ("sort", "rules", 2, "bin"): "new",
        ("sort", "rules", 2, "classes"): ["3003"],
    }
    assert changes(file, TEMPLATE, values) == [
        *["+[[bins]]", '+id = "new"', "+chute_deg = 200.0"],
        *["+[[sort.rules]]", '+bin = "new"', '+classes = ["3003"]'],
    ]
    assert changes(file, "", {("bins", 0, "id"): "new", ("bins", 0, "chute_deg"): 2.0})[0] == "+[[bins]]"


def test_a_key_that_goes_stays_behind_as_a_comment_and_can_come_back(file: Path) -> None:
    values: dict[KeyPath, object] = {("chute", "measured_steps_per_deg"): 26.5, ("chute", "gear_ratio"): None}
    assert changes(file, SMALL, values) == [
        "-gear_ratio = 3.0  # belt, 20:60",
        "+#gear_ratio = 3.0  # belt, 20:60",
        "+measured_steps_per_deg = 26.5",
    ]
    set_values(file, {("chute", "measured_steps_per_deg"): None, ("chute", "gear_ratio"): 3.5})
    assert "\ngear_ratio = 3.5  # belt, 20:60\n#measured_steps_per_deg = 26.5\n" in file.read_text(encoding="utf-8")
    set_values(file, {("look", "angles"): None})  # which is not there


def test_tables_in_one_line_are_changed_in_their_line(file: Path) -> None:
    text = 'chute = { kind = "motor", gear_ratio = 2.0 } # c\nbins = [ # b\n  { id = "a", chute_deg = 0 }, # a\n]\n'
    values: dict[KeyPath, object] = {("chute", "home_deg"): 2.0, ("bins", 0, "chute_deg"): 9.5}
    went_and_came = changes(file, text, values)
    assert len(went_and_came) == 4
    assert all(row.endswith(("# c", "# a")) for row in went_and_came)
    assert changes(file, text, {("chute", "gear_ratio"): None})[-1].endswith(" # c")


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({("chute", "home_deg"): 400.0}, "line 4: chute.home_deg: home_deg 400 must be from"),
        ({("chute", "home_deg"): "x"}, "line 4: chute.home_deg: input should be a valid number"),
        ({("chute", "home"): 1.0}, 'line 2: chute.home: is not a key that is known here; did you mean "home_deg"?'),
        ({("bins", 2, "chute_deg"): 1.0}, "bins.2.chute_deg: is too far on"),
        ({("bins", "a", "chute_deg"): 1.0}, "bins.a.chute_deg: is not the place of a value"),
        ({("chute", "kind", "of"): 1.0}, "chute.kind.of: is not the place of a value"),
        ({("chute", "home_deg"): 1.0, ("chute", "letter"): "Y"}, "line 2: chute.letter: is the turntable's already"),
    ],
)
def test_what_would_spoil_the_file_is_not_written(file: Path, values: dict[KeyPath, object], problem: str) -> None:
    file.write_text(SMALL, encoding="utf-8")
    with pytest.raises(EditRefused) as caught:
        set_values(file, values)
    assert problem in caught.value.message
    assert "is as it was" in caught.value.remedy
    assert file.read_text(encoding="utf-8") == SMALL
    assert list(file.parent.iterdir()) == [file]


def test_a_change_may_mend_a_file(file: Path) -> None:
    file.write_text(SMALL.replace("0.0#", "900#"), encoding="utf-8")
    assert "home_deg=3.0#" not in file.read_text(encoding="utf-8")
    set_values(file, {("chute", "home_deg"): 3.0})
    assert "home_deg=3.0# glued on" in file.read_text(encoding="utf-8")


def test_a_file_that_is_no_toml_is_told_with_its_line(file: Path) -> None:
    file.write_text("# a\nx = \n", encoding="utf-8")
    with pytest.raises(ConfigError, match="line 2: is no valid TOML"):
        set_values(file, {("web", "port"): 81})
    with pytest.raises(ConfigError, match="cannot be read"):
        set_values(file.with_name("none.toml"), {("web", "port"): 81})


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_byte_order_mark_stay_as_an_editor_left_them(file: Path, mark: bytes) -> None:
    content = mark + SMALL.replace("\n", "\r\n").encode()
    file.write_bytes(content)
    set_values(file, {("chute", "home_deg"): 7.0, ("chute", "maximum_deg"): 300.0})
    assert file.read_bytes() == content.replace(b"home_deg=0.0", b"home_deg=7.0").replace(
        b"20:60\r\n", b"20:60\r\nmaximum_deg = 300.0\r\n"
    )
    mixed = SMALL.encode().replace(b"[chute]", b"# here it is different\r\n[chute]")
    file.write_bytes(mixed)
    set_values(file, {("chute", "home_deg"): 7.0})
    assert file.read_bytes() == mixed.replace(b"home_deg=0.0", b"home_deg=7.0")


def test_mode_and_link_stay(file: Path, tmp_path: Path) -> None:
    real = tmp_path / "real" / "rig.toml"
    real.parent.mkdir()
    real.write_text(SMALL, encoding="utf-8")
    real.chmod(0o600)
    file.symlink_to(real)
    set_values(file, {("chute", "home_deg"): 7.0})
    assert file.is_symlink()
    assert "home_deg=7.0#" in real.read_text(encoding="utf-8")
    assert real.stat().st_mode & 0o777 == 0o600
    assert list(real.parent.iterdir()) == [real]


def test_what_somebody_else_wrote_meanwhile_is_not_lost(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(SMALL, encoding="utf-8")
    sync = os.fsync

    def write_then_sync(descriptor: int) -> None:
        file.write_text("# by somebody else\n", encoding="utf-8")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", write_then_sync)
    with pytest.raises(EditRefused, match="was changed by somebody else") as caught:
        set_values(file, {("chute", "home_deg"): 7.0})
    assert file.read_text(encoding="utf-8") == "# by somebody else\n"
    assert caught.value.remedy == f"{file} is as it was. Try again, with what it says now."


def test_a_file_that_may_not_be_written_says_what_to_see_to(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def is_read_only(**_: object) -> tuple[int, str]:
        raise OSError(errno.EROFS, "Read-only file system")

    file.write_text(SMALL, encoding="utf-8")
    monkeypatch.setattr(tempfile, "mkstemp", is_read_only)
    with pytest.raises(EditRefused, match="cannot be written: Read-only file system") as caught:
        set_values(file, {("chute", "home_deg"): 12.5})
    assert "may be written to" in caught.value.remedy
    assert file.read_text(encoding="utf-8") == SMALL
    assert list(file.parent.iterdir()) == [file]


def test_a_file_that_somebody_locked_is_not_written_by_way_of_its_folder(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(SMALL, encoding="utf-8")
    file.chmod(0o444)
    if os.geteuid() == 0:  # who may write everywhere
        monkeypatch.setattr(os, "access", lambda path, _mode: Path(path).stat().st_mode & 0o200 != 0)
    with pytest.raises(EditRefused, match="Permission denied"):
        set_values(file, {("chute", "home_deg"): 12.5})
    assert file.read_text(encoding="utf-8") == SMALL


def test_a_value_that_no_toml_file_holds_is_a_mistake_of_the_program(file: Path) -> None:
    file.write_text(SMALL, encoding="utf-8")
    with pytest.raises(TypeError, match="not complex"):
        set_values(file, {("chute", "home_deg"): 1j})
