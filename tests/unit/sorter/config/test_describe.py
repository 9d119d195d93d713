"""What a rig is, in words that its builder can hold against the rig."""

from __future__ import annotations

from pathlib import Path

from sorter.config import RigConfig, described, read_rig_config

WHOLE = """\
[board]
port = "/dev/ttyUSB0"
[camera]
source = "usb"
device = "1"
mm_per_px = 0.2
[turntable]
homing = "index"
index_deg = 12
is_reversed = true
[chute]
kind = "motor"
measured_steps_per_deg = 8.9
homing = "index"
[feeder]
kind = "stepper"
[sensors.dropped]
endstop = "z_max"
is_active_when = "open"
[[bins]]
id = "a"
chute_deg = 0
[[bins]]
id = "b"
chute_deg = 90
capacity = 1500
[sort]
reject = "b"
[[sort.rules]]
bin = "a"
classes = ["3001"]
"""


def words(tmp_path: Path, text: str) -> dict[str, str]:
    file = tmp_path / "rig.toml"
    file.write_text(text, encoding="utf-8")
    return described(read_rig_config(file), ["3001", "3002", "3003"])


def test_a_whole_rig(tmp_path: Path) -> None:
    said = words(tmp_path, WHOLE)
    assert said["board"] == "Marlin, at /dev/ttyUSB0, 250,000 baud"
    assert said["turntable"] == (
        "motor Y, reversed, 8.88889 steps a degree, up to 360 deg/s (3,200 steps/s) and 1440 deg/s²; turns without "
        "end; homed at its index switch, y_min, where it stands at 12 deg"
    )
    assert said["chute"] == (
        "motor X, 8.9 steps a degree (measured), up to 360 deg/s (3,204 steps/s) and 1440 deg/s²; turns without end; "
        "homed at x_min, where it stands at 0 deg"
    )
    assert said["feeder"].endswith("30 deg before each look; empty after 3 tries of 8 s")
    assert said["sensors"] == "dropped at z_max, active when open"
    assert said["camera"] == "usb 1, 1280×720 px, 15 a second; 0.2 mm a pixel"
    assert said["look"] == "model turntable10 (3 classes), 2 to 8 views from 8 angles, 0.5 % misroutes"
    assert said["bins"] == "2: a at 0 deg for 200 parts, b at 90 deg for 1,500 parts"
    assert said["sort plan"] == (
        "standard: 1 rule, the rest to b; nothing is fed while a bin is full; several at once to b; "
        "no rule is for 3002, 3003"
    )
    assert said["state"] == f"kept in {tmp_path / 'state'}"


def test_a_rig_of_defaults() -> None:
    said = described(RigConfig())
    assert said["chute"] == "none: everything falls into one bin"
    assert said["sensors"] == "none: the camera alone says that a part came and went"
    assert said["bins"] == said["sort plan"] == "none: this rig does not sort yet"
    assert said["feeder"] == "by hand; empty after 3 tries of 60 s"


def test_a_flap_and_a_feeder_that_shakes(tmp_path: Path) -> None:
    said = words(tmp_path, '[chute]\nkind = "servo"\n[feeder]\nkind = "vibratory"\npulse_s = 0.4\n')
    assert said["chute"] == "servo 1, from 0 to 180 deg in 0.5 s; needs no homing"
    assert said["feeder"].startswith("shakes on fan output 0 at 160 of 255, for 0.4 s before each look; ")
