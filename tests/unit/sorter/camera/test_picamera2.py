"""A Raspberry Pi camera through its worker process: its frames, its light, its script; against a stand-in."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sorter.camera import picamera2_camera
from sorter.camera.errors import CameraTimeout, StaleFrame
from sorter.camera.locks import Lock, LockFile
from tests.unit.sorter.camera.conftest import HEIGHT_PX, STAND_IN, WIDTH_PX
from tests.unit.sorter.camera.raspberry import ALL_HELD, MakeCamera, opened, pid_of, soon

WORKER = Path(picamera2_camera.__file__).with_name("picamera2_worker.py")
SCENE = (180, 120, 60)


# --- frames -----------------------------------------------------------------------------------------------------------


def test_red_is_the_first_channel_and_no_padding_is_seen(pi_camera: MakeCamera) -> None:
    frame = opened(pi_camera()).capture(soon())
    assert frame.rgb.shape == (HEIGHT_PX, WIDTH_PX, 3)
    assert [round(float(each)) for each in frame.rgb.mean(axis=(0, 1))] == list(SCENE)
    assert frame.rgb.max() < 200


def test_a_frame_began_after_it_was_asked_for(pi_camera: MakeCamera) -> None:
    camera = opened(pi_camera(lock=ALL_HELD))
    for number in range(3):
        time.sleep(0.03)  # a frame is held back meanwhile, and must not be given
        asked_s = time.monotonic()
        frame = camera.capture(soon())
        assert frame.exposure_s == pytest.approx(0.006)
        assert frame.captured_at_s - 0.006 >= asked_s - 0.001
        assert frame.captured_at_s <= time.monotonic()
        assert (frame.sequence, frame.analogue_gain) == (number, 1.5)


def test_a_frame_from_before_the_call_is_refused(pi_camera: MakeCamera) -> None:
    camera = opened(pi_camera("stale"))
    with pytest.raises(StaleFrame, match="before the call"):
        camera.capture(soon())


def test_the_preview_is_small_and_has_the_scenes_colours(pi_camera: MakeCamera) -> None:
    frame = opened(pi_camera()).preview(soon())
    assert frame.rgb.shape == (24, 34, 3)
    assert float(frame.rgb.std(axis=(0, 1)).max()) < 1.0
    assert all(abs(float(mean) - scene) < 12 for mean, scene in zip(frame.rgb.mean(axis=(0, 1)), SCENE, strict=True))


def test_a_preview_that_is_late_costs_no_restart(pi_camera: MakeCamera) -> None:
    camera = opened(pi_camera())
    pid = pid_of(camera)
    for _ in range(3):
        with pytest.raises(CameraTimeout):
            camera.preview(time.monotonic())
        assert camera.capture(soon()).rgb.shape == (HEIGHT_PX, WIDTH_PX, 3)
    assert camera.preview(soon()).rgb.shape == (24, 34, 3)
    assert pid_of(camera) == pid


def test_captures_and_previews_by_turns_starve_nothing(pi_camera: MakeCamera) -> None:
    camera = opened(pi_camera())
    for _ in range(8):  # more than the camera has buffers
        camera.capture(soon())
        camera.preview(soon())
    health = camera.health()
    assert (health.is_open, health.frames, health.sensor_temperature_c, health.notes) == (True, 8, 41.5, ())


def test_what_libraries_print_does_not_get_among_the_answers(pi_camera: MakeCamera) -> None:
    camera = opened(pi_camera())
    assert camera._worker is not None
    camera.capture(soon())
    assert "this goes to stdout" in "\n".join(camera._worker._stderr)


def test_a_stamp_that_counts_sleep_is_mapped_to_the_clock_that_does_not() -> None:
    now_ns = time.monotonic_ns()
    slept_ns = 3_600_000_000_000
    for stamp_ns, ahead_ns in ((now_ns, 0), (now_ns, slept_ns), (now_ns + slept_ns, slept_ns)):
        age_s = picamera2_camera._age_s({"SensorTimestamp": stamp_ns, "boottime_ahead_ns": ahead_ns})
        assert 0.0 <= age_s < 0.5
    assert picamera2_camera._age_s({"boottime_ahead_ns": 0}) == 0.0


# --- light and focus --------------------------------------------------------------------------------------------


def test_light_and_focus_are_the_same_after_a_restart(pi_camera: MakeCamera, tmp_path: Path) -> None:
    file = tmp_path / "state" / "camera.json"
    first = opened(pi_camera(lock_file=file))
    found = first.settings(soon())["metadata"]
    assert (found["LensPosition"], found["ExposureTime"]) == (7.5, pytest.approx(4000, abs=20))
    first.close()
    kept = json.loads(file.read_text(encoding="utf-8"))
    kept["cameras"]["picamera2 0"] |= {"exposure_ms": 9.0, "focus": 3.25}  # as if it had been another light
    file.write_text(json.dumps(kept), encoding="utf-8")
    again = opened(pi_camera("never_settles", lock_file=file)).settings(soon())["metadata"]
    assert (again["ExposureTime"], again["LensPosition"]) == (9000, 3.25)
    assert again["ColourGains"] == pytest.approx(found["ColourGains"])


def test_rig_toml_goes_before_what_was_kept(pi_camera: MakeCamera, tmp_path: Path) -> None:
    file = tmp_path / "camera.json"
    opened(pi_camera(lock_file=file)).close()
    camera = opened(pi_camera(lock_file=file, lock=Lock(exposure_ms=2.0)))
    assert camera.settings(soon())["metadata"]["ExposureTime"] == 2000


def test_all_that_is_named_is_held_at_once(pi_camera: MakeCamera) -> None:
    camera = opened(pi_camera("never_settles", lock=ALL_HELD))
    metadata = camera.settings(soon())["metadata"]
    assert (metadata["ExposureTime"], metadata["AnalogueGain"], metadata["LensPosition"]) == (6000, 1.5, 2.0)
    assert metadata["ColourGains"] == [1.2, 1.1]
    assert camera.health().notes == ()


def test_what_rig_toml_does_not_name_settles_anew_when_asked(pi_camera: MakeCamera, tmp_path: Path) -> None:
    file = tmp_path / "camera.json"
    LockFile(file, "picamera2 0").keep(Lock(gain=9.0, colour_gains=(3.0, 3.0), focus=1.0))
    camera = opened(pi_camera(lock=Lock(exposure_ms=6.0), lock_file=file))
    assert camera.settings(soon())["metadata"]["AnalogueGain"] == 9.0
    camera.settle_again(soon())
    metadata = camera.settings(soon())["metadata"]
    assert (metadata["ExposureTime"], metadata["LensPosition"]) == (6000, 7.5)
    assert metadata["AnalogueGain"] == pytest.approx(2.0, rel=0.02)
    kept, _ = LockFile(file, "picamera2 0").read()
    assert (kept.exposure_ms, kept.focus) == (6.0, 7.5)


@pytest.mark.parametrize(
    ("faults", "lock", "note"),
    [
        ("never_settles", Lock(), "light did not settle within 0.3 s"),
        ("no_focus", Lock(), "found no focus"),
        ("ignores_controls", ALL_HELD, "does not take ExposureTime = 6000"),
        ("fixed_focus", ALL_HELD, "has no LensPosition to set"),
        ("mono", ALL_HELD, "has no ColourGains to set"),
    ],
)
def test_what_the_camera_does_otherwise_is_told(pi_camera: MakeCamera, faults: str, lock: Lock, note: str) -> None:
    camera = opened(pi_camera(faults, lock=lock, settle_s=0.3))
    assert note in "\n".join(camera.health().notes)
    assert camera.capture(soon()).rgb.shape == (HEIGHT_PX, WIDTH_PX, 3)


@pytest.mark.parametrize("faults", ["never_settles", "no_focus"])
def test_a_light_that_did_not_settle_is_not_kept(pi_camera: MakeCamera, tmp_path: Path, faults: str) -> None:
    opened(pi_camera(faults, settle_s=0.3, lock_file=tmp_path / "camera.json"))
    assert not (tmp_path / "camera.json").exists()


@pytest.mark.parametrize("faults", ["fixed_focus", "mono"])
def test_a_camera_without_lens_or_colours_is_a_camera(pi_camera: MakeCamera, tmp_path: Path, faults: str) -> None:
    camera = opened(pi_camera(faults, lock_file=tmp_path / "camera.json"))
    assert camera.health().notes == ()
    assert (tmp_path / "camera.json").exists()


# --- the script -----------------------------------------------------------------------------------------------------


def test_the_worker_gets_none_of_this_pythons_packages(pi_camera: MakeCamera, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONHOME", "VIRTUAL_ENV"):
        monkeypatch.setenv(name, "/nonsense")
    monkeypatch.setenv("PYTHONPATH", "/nonsense")
    environment = pi_camera()._child_environment()
    assert "/nonsense" not in environment.values()
    assert opened(pi_camera()).capture(soon()).sequence == 0


def test_the_worker_imports_only_what_the_systems_python_has() -> None:
    tree = ast.parse(WORKER.read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    roots = {name.partition(".")[0] for name in imported}
    assert roots - sys.stdlib_module_names == {"picamera2", "libcamera"}


def test_every_call_of_picamera2_is_documented_and_the_script_stays_short(checkout: Path) -> None:
    text = WORKER.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 200
    documented = (checkout / "docs" / "camera.md").read_text(encoding="utf-8")
    names = {"camera", "request", "Picamera2", "controls"}
    used = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute):
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            if owner in names:
                used.add(node.attr)
    assert {"capture_request", "make_array", "release", "AfModeEnum", "global_camera_info"} <= used
    assert [name for name in sorted(used) if f"`{name}" not in documented and f".{name}" not in documented] == []


STRICTNESS = """
import pytest, time
from picamera2 import Picamera2
camera = Picamera2()
def refused(error, call, *arguments, **keywords):
    with pytest.raises(error):
        call(*arguments, **keywords)
refused(ValueError, camera.create_video_configuration, main={"colour": 1})
refused(TypeError, camera.create_video_configuration, format="BGR888")
configuration = camera.create_video_configuration
refused(RuntimeError, camera.configure, configuration(main={"format": "RGB"}))
refused(RuntimeError, camera.configure, configuration(lores={"format": "BGR888", "size": (64, 48)}))
refused(RuntimeError, camera.configure, configuration(lores={"size": (4096, 48)}))
refused(RuntimeError, camera.configure, configuration(controls={"Iso": 100}))
refused(RuntimeError, camera.set_controls, {"ExposureTime": 8000.0})
refused(AttributeError, lambda: camera.capture)
camera.configure(configuration(main={"size": (70, 50), "format": "RGB888"}, buffer_count=2))
camera.start()
request = camera.capture_request(flush=True)
blue, green, red = request.make_array("main").mean(axis=(0, 1))
assert red > green > blue and request.make_array("main").shape == (50, 70, 3)
refused(RuntimeError, request.make_array, "lores")
request.release()
refused(RuntimeError, request.release)
refused(AssertionError, request.make_array, "main")
held = [camera.capture_request(), camera.capture_request()]
refused(TimeoutError, camera.capture_request, wait=0.2)
camera.close()
"""


def test_the_stand_in_is_as_strict_as_what_it_stands_for() -> None:
    environment = {**os.environ, "PYTHONPATH": str(STAND_IN)}
    result = subprocess.run(
        [sys.executable, "-c", STRICTNESS], env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
