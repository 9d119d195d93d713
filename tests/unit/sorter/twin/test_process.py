"""To whoever drives it the twin is a port and a camera; it says what really happened, and leaves nothing behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from firmware_bridge.axes import Axis
from firmware_bridge.board import Board
from firmware_bridge.limits import SessionLimits
from sorter.twin.around import Around
from sorter.twin.exposure import Shutter
from sorter.twin.process import Twin, main
from sorter.types.twin import BESIDE, TwinFeeder, TwinParts, TwinSensor
from tests.twins import PARK_DEG, PUSH_DEG, SENSORS, twin_settings

SPEED = 10.0
PATIENCE_S = 30.0
LIMITS = SessionLimits(margin_s=5.0, busy_s=5.0, query_s=5.0, start_s=5.0, banner_s=0.1)
TABLE = Axis("turntable", "Y", "deg", 44.444, max_speed=360.0, acceleration=1440.0)
CHUTE = Axis("chute", "X", "deg", 17.778, 360.0, 1440.0, minimum=-15.0, maximum=350.0, home_position=-15.0)


class Operated:
    """A twin with a host on its port."""

    def __init__(self, twin, board):
        self.twin, self.board = twin, board

    def events(self, *names):
        text = Path(self.twin.settings.truth).read_text(encoding="utf-8")
        lines = [json.loads(line) for line in text.splitlines()]
        return [line for line in lines if not names or line["event"] in names]

    def await_event(self, name):
        deadline_s = time.monotonic() + PATIENCE_S
        while not self.events(name):
            assert time.monotonic() < deadline_s, f"no {name!r}, only {self.events()}"
            time.sleep(0.005)
        return self.events(name)[0]

    def feed(self):
        """Shake until a part is seen to drop, as a rig with the sensor `dropped` does, and let it come to rest."""
        self.board.fan(0, 160)
        deadline_s = time.monotonic() + PATIENCE_S
        while not self.board.endstops()["z_max"]:
            assert time.monotonic() < deadline_s, "no part dropped"
        self.board.fan(0, 0)
        self.await_event("landed")

    def frame(self):
        """One frame of the camera, and what it says of it."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE_S)
            client.connect(self.twin.settings.socket)
            client.sendall(b"frame\n")
            with client.makefile("rb") as file:
                head = json.loads(file.readline())
                return head, file.read(head.get("width_px", 0) * head.get("height_px", 0) * 3)


@contextmanager
def operated(folder, **changes):
    usual = {"speed": SPEED, "parts": TwinParts(3, ("3001",)), "beam_s": 3.0}  # nobody misses such a long pulse
    settings = twin_settings(folder, **{**usual, **changes})
    with Twin(settings) as twin, Board([TABLE, CHUTE], port=settings.port_link, limits=LIMITS) as board:
        board.servo(0, PARK_DEG)
        board.home("chute")
        board.set_position("turntable", 0.0)
        yield Operated(twin, board)


def test_a_part_is_fed_seen_and_pushed_into_the_bin_that_the_chute_was_sent_to(tmp_path):
    begun_s = time.monotonic()
    with operated(tmp_path) as rig:
        _, empty = rig.frame()
        rig.feed()
        rig.board.move({"turntable": 90.0, "chute": 180.0})
        rig.board.wait()
        head, full = rig.frame()
        assert (head["width_px"], head["height_px"], head["exposure_s"]) == (300, 300, 0.008)
        assert full != empty
        rig.board.servo(0, PUSH_DEG)
        rig.board.servo(0, PARK_DEG)
        fell = rig.await_event("fell")
        assert (fell["part"], fell["place"]) == (1, "reject")
        assert begun_s < fell["at_s"] <= time.monotonic()
        dropped, landed, pushed = rig.events("dropped")[0], rig.events("landed")[0], rig.events("pushed")[0]
        assert (dropped["design"], dropped["class"], dropped["brick"]) == ("3001", "3001", None)
        assert not dropped["is_again"]
        assert landed["at_s"] - dropped["at_s"] == pytest.approx(0.3 / SPEED, abs=1e-5)
        assert fell["at_s"] - pushed["at_s"] == pytest.approx(0.25 / SPEED, abs=1e-5)
        assert rig.events("collision") == []


def test_a_chute_that_is_turned_while_the_part_falls_is_found_out(tmp_path):
    with operated(tmp_path, fall_s=10.0) as rig:
        rig.feed()
        rig.board.move({"chute": 180.0})
        rig.board.wait()
        rig.board.servo(0, PUSH_DEG)
        rig.board.servo(0, PARK_DEG)
        rig.board.move({"chute": 90.0})
        assert rig.await_event("fell")["place"] == BESIDE


def test_a_table_that_is_turned_under_the_arm_is_found_out(tmp_path):
    with operated(tmp_path) as rig:
        rig.board.servo(0, PUSH_DEG)
        rig.board.move({"turntable": 30.0})
        assert "turntable" in rig.await_event("collision")["text"]


def test_a_broken_beam_is_reported_to_the_host(tmp_path):
    sensors = {**SENSORS, "motor_power": TwinSensor("x_max")}
    with operated(tmp_path, sensors=sensors, beam_s=600.0) as rig:
        assert rig.board.endstops() | {"z_max": False, "y_max": True, "x_max": True} == rig.board.endstops()
        rig.feed()
        assert rig.board.endstops()["z_max"]
        rig.board.servo(0, PUSH_DEG)
        rig.await_event("fell")
        assert not rig.board.endstops()["y_max"]


def test_a_hand_feeds_a_rig_without_a_feeder(tmp_path):
    with operated(tmp_path, feeder=TwinFeeder("manual", seconds_a_part=1.0)) as rig:
        assert rig.await_event("landed")["part"] == 1


def started(settings, stdin=subprocess.PIPE):
    path = Path(settings.truth).with_name("settings.json")
    path.write_text(settings.to_json(), encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, "-m", "sorter.twin", str(path)],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[4],
    )


@pytest.mark.parametrize("how", ["stdin", "SIGTERM", "SIGINT"])
def test_it_ends_when_it_is_told_to_and_leaves_nothing_behind(tmp_path, how):
    settings = twin_settings(tmp_path)
    with started(settings) as process:
        ready = json.loads(process.stdout.readline())
        assert ready == {"port": settings.port_link, "socket": settings.socket}
        assert Path(settings.port_link).exists()
        assert Path(settings.socket).exists()
        if how == "stdin":
            process.stdin.write("nobody listens\n")
            process.stdin.close()
        else:
            process.send_signal(signal.Signals[how])
        assert process.wait(PATIENCE_S) == 0
        assert process.stderr.read() == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["settings.json", "truth.jsonl"]


def test_it_goes_on_when_its_standard_input_is_nothing(tmp_path):
    settings = twin_settings(tmp_path)
    with started(settings, stdin=subprocess.DEVNULL) as process:
        assert json.loads(process.stdout.readline())["port"] == settings.port_link
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)
        process.terminate()
        assert process.wait(PATIENCE_S) == 0


def test_it_does_not_outlive_a_parent_that_was_killed(tmp_path):
    settings = twin_settings(tmp_path)
    path = tmp_path / "settings.json"
    path.write_text(settings.to_json(), encoding="utf-8")
    parent = (
        "import subprocess, sys\n"
        f"twin = subprocess.Popen([sys.executable, '-m', 'sorter.twin', {str(path)!r}], stdin=subprocess.PIPE)\n"
        "print(twin.pid, flush=True)\n"
        "twin.wait()\n"
    )
    root = Path(__file__).resolve().parents[4]
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True, cwd=root) as process:
        twin = psutil.Process(int(process.stdout.readline()))
        assert json.loads(process.stdout.readline())["socket"] == settings.socket
        process.kill()
    with suppress(ChildProcessError):  # an orphan is this process' child
        os.waitpid(twin.pid, 0)
    assert not twin.is_running()
    assert not os.path.lexists(settings.port_link)
    assert not os.path.lexists(settings.socket)


def refusal(capsys, *arguments):
    """Exit code, and the one line of JSON."""
    code = main(list(map(str, arguments)))
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    return code, json.loads(line)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be read"),
        ("{", "JSON"),
        ("{}", "port_link"),
        (twin_settings(push_deg=25.0).to_json(), "push_deg 25"),
        (twin_settings(parts=TwinParts(1, ("no such class",))).to_json(), "no such class"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_with_what_to_do(tmp_path, capsys, text, words):
    path = tmp_path / "settings.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    code, said = refusal(capsys, path)
    assert code == 2
    assert words in said["message"]
    assert said["remedy"]


def test_a_call_without_settings_is_refused_with_the_usage(capsys):
    code, said = refusal(capsys)
    assert code == 2
    assert "SETTINGS.json" in said["remedy"]


@pytest.mark.parametrize("what", ["port_link", "socket", "truth"])
def test_files_that_cannot_be_made_are_refused_and_nothing_is_left(tmp_path, capsys, what):
    settings = replace(twin_settings(tmp_path), **{what: str(tmp_path / "nowhere" / "file")})
    path = tmp_path / "settings.json"
    path.write_text(settings.to_json(), encoding="utf-8")
    code, said = refusal(capsys, path)
    assert code == 2
    assert str(tmp_path / "nowhere") in said["message"]
    assert {each.name for each in tmp_path.iterdir()} <= {"settings.json", "truth.jsonl"}


def test_a_file_that_stands_where_the_port_should_be_is_not_overwritten(tmp_path, capsys):
    settings = twin_settings(tmp_path)
    Path(settings.port_link).write_text("mine", encoding="utf-8")
    path = tmp_path / "settings.json"
    path.write_text(settings.to_json(), encoding="utf-8")
    code, said = refusal(capsys, path)
    assert code == 2
    assert "port_link" in said["message"]
    assert Path(settings.port_link).read_text(encoding="utf-8") == "mine"


def test_a_twin_that_breaks_says_so_and_ends(tmp_path, capsys, monkeypatch):
    def broken(self, outward):
        self.failure = ZeroDivisionError("a world without end")
        raise self.failure

    monkeypatch.setattr(Around, "follow", broken)
    path = tmp_path / "settings.json"
    path.write_text(twin_settings(tmp_path).to_json(), encoding="utf-8")
    assert main([str(path)]) == 1
    assert json.loads(capsys.readouterr().err)["kind"] == "ZeroDivisionError"


def test_a_camera_that_breaks_says_so_to_its_client_and_ends_the_twin(tmp_path, monkeypatch):
    def broken(self):
        raise ZeroDivisionError("no light")

    monkeypatch.setattr(Shutter, "take", broken)
    with operated(tmp_path) as rig:
        assert rig.twin.failure is None
        head, _ = rig.frame()
        assert "no light" in head["error"]
        assert isinstance(rig.twin.failure, ZeroDivisionError)
