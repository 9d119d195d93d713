"""What a camera is held to survives a restart, and nothing wrong in its file stops the rig."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sorter.camera.errors import LockFileRefused
from sorter.camera.locks import Lock, LockFile, check_readable, controls_of, lock_of

LOCK = Lock(exposure_ms=8.0, gain=2.5, colour_gains=(1.8, 1.4), focus=0.0)


def test_the_light_is_the_same_after_a_restart(tmp_path: Path) -> None:
    file = LockFile(tmp_path / "state" / "camera.json", "picamera2 0")
    assert file.read() == (Lock(), None)
    assert file.keep(LOCK) is None
    assert file.read() == (LOCK, None)
    assert [each.name for each in (tmp_path / "state").iterdir()] == ["camera.json"]


def test_another_cameras_light_is_neither_used_nor_lost(tmp_path: Path) -> None:
    pi, usb = (LockFile(tmp_path / "camera.json", name) for name in ("picamera2 0", "usb 0"))
    pi.keep(LOCK)
    lock, note = usb.read()
    assert lock == Lock()
    assert note is not None
    assert "another camera (picamera2 0)" in note
    usb.keep(Lock(gain=12.0))
    assert usb.read() == (Lock(gain=12.0), None)
    assert pi.read() == (LOCK, None)


def test_a_light_that_is_to_settle_anew_is_there_until_it_has(tmp_path: Path) -> None:
    file = LockFile(tmp_path / "camera.json", "usb 0")
    file.keep(LOCK)
    anew = LockFile(tmp_path / "camera.json", "usb 0", settles_anew=True)
    assert anew.read() == (Lock(), None)
    assert file.read() == (LOCK, None)
    anew.keep(Lock(gain=12.0))
    assert anew.read() == file.read() == (Lock(gain=12.0), None)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"format": 3, "cameras": {"c": {}}}',
        '{"format": 2, "cameras": {"c": {"iso": 100}}}',
        '{"format": 2, "cameras": {"c": {"gain": "2"}}}',
        '{"format": 2, "cameras": {"c": {"gain": NaN}}}',
        '{"format": 2, "cameras": {"c": {"gain": -1}}}',
        '{"format": 2, "cameras": {"c": {"gain": true}}}',
        '{"format": 2, "cameras": {"c": {"colour_gains": [1]}}}',
        '{"format": 2, "cameras": {"c": {"colour_gains": 1}}}',
        '{"format": 2, "cameras": {"c": []}}',
        '{"format": 2, "cameras": ["c"]}',
    ],
)
def test_a_damaged_file_is_told_and_settled_anew(tmp_path: Path, content: str) -> None:
    (tmp_path / "camera.json").write_text(content, encoding="utf-8")
    lock, note = LockFile(tmp_path / "camera.json", "c").read()
    assert lock == Lock()
    assert note is not None
    assert str(tmp_path / "camera.json") in note
    assert LockFile(tmp_path / "camera.json", "c").keep(LOCK) is None
    assert LockFile(tmp_path / "camera.json", "c").read() == (LOCK, None)


def test_a_file_that_cannot_be_read_or_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "camera.json").mkdir()
    file = LockFile(tmp_path / "camera.json", "c")
    _, note = file.read()
    assert note is not None
    assert "cannot be read" in note
    kept = file.keep(LOCK)
    assert kept is not None
    assert "cannot be kept" in kept
    assert [each.name for each in tmp_path.iterdir()] == ["camera.json"]
    with pytest.raises(LockFileRefused, match="cannot be read"):
        check_readable(tmp_path / "camera.json")


def test_without_a_file_nothing_is_kept() -> None:
    file = LockFile(None, "c")
    assert file.keep(LOCK) is None
    assert file.read() == (Lock(), None)


def test_what_the_config_names_goes_before_what_was_kept() -> None:
    assert Lock(gain=0.0).or_else(LOCK) == Lock(8.0, 0.0, (1.8, 1.4), None, 0.0)


def test_libcameras_units_there_and_back() -> None:
    controls = controls_of(LOCK)
    assert controls == {"ExposureTime": 8000, "AnalogueGain": 2.5, "ColourGains": (1.8, 1.4), "LensPosition": 0.0}
    assert lock_of(json.loads(json.dumps(controls))) == LOCK
    assert lock_of({}) == Lock()
