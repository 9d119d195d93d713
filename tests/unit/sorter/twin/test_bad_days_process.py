"""Bad days of a whole twin, met by whoever drives it: through port, camera and hands."""

from __future__ import annotations

import json
import socket
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from firmware_bridge.axes import Axis
from firmware_bridge.board import Board
from firmware_bridge.errors import BoardError
from firmware_bridge.limits import SessionLimits
from sorter.app.errors import HandsFailed
from sorter.app.hands import Hands
from sorter.app.truth import read_truth
from sorter.twin.errors import TwinRefused
from sorter.twin.process import Twin
from sorter.types.faults import FAULTS, fault_named
from sorter.types.twin import HAND, TwinMotor, TwinParts, TwinSensor
from tests.twins import PARK_DEG, PUSH_DEG, SENSORS, twin_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_S = 30.0
LIMITS = SessionLimits(margin_s=5.0, busy_s=5.0, query_s=5.0, start_s=5.0, banner_s=0.1)
TABLE = Axis("turntable", "Y", "deg", 44.444, max_speed=360.0, acceleration=1440.0, home_position=0.0)
CHUTE = Axis("chute", "X", "deg", 17.778, 360.0, 1440.0, minimum=-15.0, maximum=350.0, home_position=-15.0)
POWER = {**SENSORS, "motor_power": TwinSensor("x_max")}


@contextmanager
def lived(folder: Path, **changes) -> Iterator[tuple[Twin, Hands]]:
    usual = {
        "speed": 10.0,
        "parts": TwinParts(9, ("3001",)),
        "beam_s": 3.0,
        "hands": str(folder / "hands"),
        "turntable": TwinMotor("Y", 44.444, home_deg=0.0),
        "sensors": POWER,
    }
    settings = twin_settings(folder, **{**usual, **changes})
    with Twin(settings) as twin:
        yield twin, Hands(Path(settings.hands or ""))


@contextmanager
def driven(twin: Twin) -> Iterator[Board]:
    with Board([TABLE, CHUTE], port=twin.settings.port_link, limits=LIMITS) as board:
        board.servo(0, PARK_DEG)
        board.home("chute")
        board.home("turntable")
        yield board


def waited_for(what) -> object:
    deadline_s = time.monotonic() + PATIENCE_S
    while not (found := what()):
        assert time.monotonic() < deadline_s, "it did not come"
        time.sleep(0.005)
    return found


def feed(twin: Twin, board: Board, parts: int) -> None:
    board.fan(0, 160)
    waited_for(lambda: len(read_truth(Path(twin.settings.truth)).journeys) >= parts)
    board.fan(0, 0)
    waited_for(lambda: all(each.landed_s or each.place for each in read_truth(Path(twin.settings.truth)).journeys))


def push(board: Board) -> None:
    board.servo(0, PUSH_DEG)
    board.servo(0, PARK_DEG)


def angles(twin: Twin) -> tuple[float, float]:
    with twin.board.held():
        now = twin.world._agenda.now
        return now.table_deg, now.chute_deg


@pytest.mark.parametrize(("axis", "at"), [("turntable", 0), ("chute", 1)])
def test_lost_steps_stay_until_the_axis_is_homed_against_its_switch(tmp_path, axis, at):
    with lived(tmp_path) as (twin, hands), driven(twin) as board:
        board.move({axis: 90.0})
        board.wait()
        well_deg = angles(twin)[at]
        fault = {"turntable": "lost-steps-table", "chute": "lost-steps-chute"}[axis]
        hands.break_(fault)
        board.move({axis: 0.0})
        board.move({axis: 90.0})
        board.wait()
        lost_deg = angles(twin)[at] - well_deg
        (told,) = read_truth(Path(twin.settings.truth)).faults
        assert (told.name, told.part) == (fault, None)
        assert abs(lost_deg) > 1.0
        assert told.details["deg"] == pytest.approx(lost_deg, abs=0.1)
        board.home(axis)
        board.move({axis: 90.0})
        board.wait()
        assert (angles(twin)[at] - well_deg + 180.0) % 360.0 - 180.0 == pytest.approx(0.0, abs=0.2)


def test_a_cut_supply_stops_the_motors_until_somebody_restores_it(tmp_path):
    with lived(tmp_path) as (twin, hands), driven(twin) as board:
        hands.press_estop()
        before = angles(twin)
        board.move({"turntable": 90.0})
        board.wait()
        assert angles(twin) == before
        assert not board.endstops()["x_max"]
        hands.restore_power()
        assert board.endstops()["x_max"]
        board.move({"turntable": 0.0})
        board.wait()
        assert angles(twin)[0] == pytest.approx(before[0] - 90.0, abs=0.1)


def test_hands_take_what_got_stuck_and_what_hangs_in_the_chute(tmp_path):
    with lived(tmp_path) as (twin, hands), driven(twin) as board:
        truth = Path(twin.settings.truth)
        hands.break_("jam")
        feed(twin, board, 1)
        push(board)
        waited_for(lambda: read_truth(truth).faults)
        assert not board.endstops()["y_max"]
        cleared = hands.clear_chute()
        assert cleared
        feed(twin, board, len(read_truth(truth).journeys) + 1)
        taken = hands.take_parts()
        assert taken
        places = {each.part: each.place for each in read_truth(truth).journeys}
        assert {places[part] for part in (*cleared, *taken)} == {HAND}
        assert [each.parts for each in read_truth(truth).hands if each.parts] == [cleared, taken]


def frame(path: str, timeout_s: float = PATIENCE_S) -> dict[str, object] | None:
    """The head of a frame; None: the camera says nothing."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(timeout_s)
        client.connect(path)
        client.sendall(b"frame\n")
        try:
            with client.makefile("rb") as file:
                head: dict[str, object] = json.loads(file.readline())
                file.read(int(str(head["width_px"])) * int(str(head["height_px"])) * 3)
                return head
        except TimeoutError:
            return None


def test_a_camera_that_hangs_answers_again_when_it_is_mended(tmp_path):
    with lived(tmp_path) as (twin, hands):
        assert frame(twin.settings.socket)
        twin.world.hang.begin(ends_with_connection=False)
        assert frame(twin.settings.socket, 0.1) is None
        assert frame(twin.settings.socket, 0.1) is None
        hands.mend_camera()
        assert frame(twin.settings.socket)


def test_a_camera_that_hangs_goes_on_for_who_waits_and_some_for_who_connects_anew(tmp_path):
    with lived(tmp_path) as (twin, hands), socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE_S)
        client.connect(twin.settings.socket)
        waited_for(lambda: twin._frames._clients)
        twin.world.hang.begin(ends_with_connection=False)
        client.sendall(b"frame\nframe\n")
        hands.mend_camera()
        assert b"exposure_s" in client.recv(100)
        twin.world.hang.begin(ends_with_connection=True)
        assert frame(twin.settings.socket)


def test_a_twin_whose_camera_hangs_ends_all_the_same(tmp_path):
    with lived(tmp_path) as (twin, _), socket.socket(socket.AF_UNIX) as client:
        client.connect(twin.settings.socket)
        waited_for(lambda: twin._frames._clients)
        twin.world.hang.begin(ends_with_connection=False)
        client.sendall(b"frame\n")


def test_light_that_fails_is_seen_by_the_camera(tmp_path):
    with lived(tmp_path) as (twin, hands):

        def mean() -> float:
            with socket.socket(socket.AF_UNIX) as client, client.makefile("rb") as file:
                client.settimeout(PATIENCE_S)
                client.connect(twin.settings.socket)
                client.sendall(b"frame\n")
                head = json.loads(file.readline())
                picture = file.read(head["width_px"] * head["height_px"] * 3)
                return sum(picture) / len(picture)

        bright = mean()
        hands.break_("light-fails")
        assert mean() < bright / 2
        hands.mend_light()
        assert mean() == pytest.approx(bright, rel=0.01)


def lose(twin: Twin, hands: Hands, fault: str) -> None:
    with driven(twin) as board:
        hands.break_(fault)
        for _ in range(10):
            board.endstops()


@pytest.mark.parametrize("fault", ["usb-drop", "renamed", "board-reset"])
def test_a_board_that_was_lost_is_found_again_under_the_name_that_rig_toml_has(tmp_path, fault):
    with lived(tmp_path) as (twin, hands):
        device = Path(twin.settings.port_link).readlink()
        with pytest.raises(BoardError):
            lose(twin, hands, fault)
        waited_for(lambda: Path(twin.settings.port_link).is_symlink())
        assert [each.name for each in read_truth(Path(twin.settings.truth)).faults] == [fault_named(fault).name]
        if fault == "renamed":
            assert Path(twin.settings.port_link).readlink() != device
        with driven(twin) as board:
            assert board.endstops()


def test_a_cable_that_was_pulled_is_plugged_in_again(tmp_path):
    with lived(tmp_path) as (twin, hands):
        hands.unplug()
        assert not Path(twin.settings.port_link).is_symlink()
        hands.plug_in()
        hands.plug_in()
        with driven(twin) as board:
            assert board.endstops()


def test_hands_that_nobody_has_are_named(tmp_path):
    with pytest.raises(HandsFailed, match="nobody listens there"):
        Hands(tmp_path / "hands").wipe_lens()
    with lived(tmp_path) as (_, hands):
        with pytest.raises(HandsFailed, match="did you mean stuck"):
            hands.break_("stuk")
        with pytest.raises(HandsFailed, match="parts"):
            hands.fill_hopper(0)
        with pytest.raises(HandsFailed, match="no bin 'nowhere'"):
            hands.empty_bins(["nowhere"])
        assert hands.empty_bins() == ("a", "b", "reject", "again")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"faults": {"stuk": 0.1}}, "did you mean stuck"),
        ({"faults": {"lost-steps-chute": 0.1}, "chute": 3}, "no motor turns the chute"),
    ],
)
def test_faults_that_cannot_be_are_refused(tmp_path, changes, words):
    with pytest.raises(TwinRefused, match=words):
        Twin(twin_settings(tmp_path, **changes))


def test_a_twin_lives_through_every_fault_at_once(tmp_path):
    with lived(tmp_path, faults=dict.fromkeys(FAULTS, 0.5), speed=40.0) as (twin, hands):
        for _ in range(2):
            try:
                with driven(twin) as board:
                    board.fan(0, 160)
                    time.sleep(0.05)
                    push(board)
                    board.move({"turntable": 90.0})
                    board.wait()
            except BoardError:
                pass
            hands.take_parts()
            hands.restore_power()
            hands.plug_in()
        assert twin.failure is None
        assert read_truth(Path(twin.settings.truth)).hands
