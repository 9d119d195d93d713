"""The whole way on an emulated board over a real pseudo-terminal, with a network that really runs."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from firmware_bridge.emulator.pty_server import EmulatedBoard
from firmware_bridge.emulator.settings import AxisSettings, BoardSettings
from firmware_bridge.limits import SessionLimits
from sorter.camera.protocol import CameraHealth
from sorter.classify import load_model
from sorter.clock import RealClock
from sorter.config import (
    BinConfig,
    BoardConfig,
    LookConfig,
    MotorChuteConfig,
    RigConfig,
    RuleConfig,
    SortConfig,
    VibratoryFeederConfig,
)
from sorter.cycle import Controller
from sorter.recognise import Recogniser
from sorter.rig import Machine, board_from
from sorter.types import Frame, OutcomeKind, RigState
from tests.recorders import MemoryRecorder
from tests.scenes import SHAPES, Drawn, draw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SPEED = 20.0
LIMITS = SessionLimits(margin_s=2.0, busy_s=3.0, query_s=1.0, start_s=2.0, banner_s=0.1)
_AXIS = AxisSettings(8.889, 500.0, 5000.0, length_units=400.0, home_switch_at_steps=-100)
SETTINGS = BoardSettings(boot_s=1.0, x=_AXIS, y=replace(_AXIS, home_switch_at_steps=None), fans=1)
BINS = tuple(BinConfig(id=name, chute_deg=40.0 * number) for number, name in enumerate(("reject", *SHAPES), start=1))


@dataclass
class TableCamera:
    """Draws what must lie on the table by what the board has done: the feeder drops a part, the arm takes it away."""

    emulated: EmulatedBoard
    clock: RealClock
    hopper: list[Drawn]
    on_table: list[Drawn] = field(default_factory=list)
    chute_deg: float = 0.0
    fallen: list[tuple[str, float]] = field(default_factory=list)
    name: str = "the test's camera"
    is_live: bool = False
    _frames: int = 0

    def open(self, deadline_s: float) -> None:
        return

    def capture(self, deadline_s: float) -> Frame:
        self._follow()
        self._frames += 1
        table_deg = self.emulated.truth().steps["Y"] / 8.889
        turned = [replace(part, angle_deg=part.angle_deg + table_deg) for part in self.on_table]
        picture = draw(*turned, side_px=150, seed=self._frames)
        return Frame(picture, self.clock.monotonic_s(), self._frames, exposure_s=0.01)

    preview = capture

    def close(self) -> None:
        return

    def health(self) -> CameraHealth:
        return CameraHealth(is_open=True)

    def _follow(self) -> None:
        for line in self.emulated.executed():
            if line.text.startswith("M106") and not self.on_table and self.hopper:
                self.on_table.append(self.hopper.pop(0))
            elif line.text == "M280 P0 S130":
                self.fallen += [(part.shape, self.chute_deg) for part in self.on_table]
                self.on_table.clear()
            elif line.text.startswith("G1") and "X" in line.text:
                self.chute_deg = float(line.text.split("X")[1].split()[0])
        self.emulated.clear_executed()


@dataclass
class Live:
    """A rig that lives."""

    emulated: EmulatedBoard
    camera: TableCamera
    recorder: MemoryRecorder
    controller: Controller

    def wait(self, condition: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + 40.0
        while not condition():
            assert time.monotonic() < deadline_s, self.controller.snapshot()
            time.sleep(0.005)

    def wait_for(self, *states: RigState) -> None:
        self.wait(lambda: self.controller.snapshot().state in states)

    def resolve(self, kind: str, choice: str) -> None:
        self.wait(lambda: any(each.kind == kind for each in self.controller.snapshot().incidents))
        found = next(each for each in self.controller.snapshot().incidents if each.kind == kind)
        self.controller.resolve(found.incident, choice)


@pytest.fixture
def board() -> BoardSettings:
    return SETTINGS


@pytest.fixture
def live(tmp_path: Path, tiny_model: Path, board: BoardSettings) -> Iterator[Live]:
    link = tmp_path / "board"
    config = RigConfig(
        board=BoardConfig(port=str(link)),
        chute=MotorChuteConfig(kind="motor"),
        feeder=VibratoryFeederConfig(kind="vibratory"),
        look=LookConfig(angles=4, most_views=4, empty_table="picture"),
        bins=BINS,
        sort=SortConfig(reject="reject", rules=tuple(RuleConfig(bin=each, classes=(each,)) for each in SHAPES)),
    )
    clock = RealClock(SPEED)
    shapes = [Drawn(shape, angle_deg=30.0 * number) for number, shape in enumerate(SHAPES * 2)]
    with EmulatedBoard(board, seed=1, speed=SPEED, link=link) as emulated:
        camera = TableCamera(emulated, clock, shapes)
        machine = Machine(config, clock, board=board_from(config, limits=LIMITS))
        recogniser = Recogniser.from_model(load_model(tiny_model), 0.01, view_budget=4)
        recorder = MemoryRecorder()
        controller = Controller(config, machine, camera, recogniser, recorder, clock)
        controller.begin()
        try:
            yield Live(emulated, camera, recorder, controller)
        finally:
            controller.close()


def test_parts_get_from_the_hopper_into_the_bins_of_their_shapes(live: Live) -> None:
    live.wait_for(RigState.UNHOMED)
    live.controller.home()
    live.wait_for(RigState.IDLE)
    live.controller.start()
    live.wait(lambda: len(live.recorder.outcomes) == 6)
    live.controller.stop()
    live.wait_for(RigState.IDLE)
    angles_deg = {each.id: each.chute_deg for each in BINS}
    assert [shape for shape, _ in live.camera.fallen] == list(SHAPES * 2)
    right = 0
    for (shape, chute_deg), (kind, name) in zip(live.camera.fallen, live.recorder.outcomes, strict=True):
        assert kind is OutcomeKind.CONFIRMED
        assert name is not None
        assert chute_deg == pytest.approx(angles_deg[name], abs=0.2)
        assert name in (shape, "reject")
        right += name == shape
    assert right >= 5
    truth = live.emulated.truth()
    assert truth.fans == (0,)
    assert truth.servos[0].commanded_deg == 20.0


@pytest.mark.parametrize("board", [replace(SETTINGS, x=replace(_AXIS, home_switch_at_steps=320))], ids=["36 deg"])
@pytest.mark.parametrize("axis", [None, "chute"])
def test_a_chute_that_stands_beyond_its_switch_is_homed_to_it_all_the_same(live: Live, axis: str | None) -> None:
    live.wait_for(RigState.UNHOMED)
    live.controller.home(axis)
    live.wait(lambda: live.controller.snapshot().axes[1].is_homed)
    live.wait_for(RigState.IDLE, RigState.UNHOMED)
    believed_deg = live.controller.snapshot().axes[1].position_deg
    truly_deg = (live.emulated.truth().steps["X"] - 320) / 8.889
    assert truly_deg == pytest.approx(believed_deg, abs=0.5)


def test_a_cable_that_is_pulled_and_plugged_in_again_costs_one_part_at_most(live: Live) -> None:
    live.wait_for(RigState.UNHOMED)
    live.controller.home()
    live.wait_for(RigState.IDLE)
    live.controller.start()
    live.wait(lambda: len(live.recorder.outcomes) == 1)
    live.emulated.unplug()
    live.wait_for(RigState.FAULT)
    live.emulated.plug_in()
    live.resolve("link lost", "reconnect")
    live.wait_for(RigState.UNHOMED)
    live.controller.home()
    live.wait_for(RigState.IDLE)
    finished = len(live.recorder.outcomes)
    live.controller.start()
    live.wait(lambda: len(live.recorder.outcomes) > finished)
    kinds = [kind for kind, _ in live.recorder.outcomes]
    assert kinds.count(OutcomeKind.UNRESOLVED) <= 1


def test_the_emergency_stop_stops_the_board_and_a_reset_brings_the_rig_back(live: Live) -> None:
    live.wait_for(RigState.UNHOMED)
    live.controller.home()
    live.wait_for(RigState.IDLE)
    live.controller.start()
    live.wait(lambda: len(live.recorder.outcomes) == 1)
    live.controller.emergency_stop()
    assert live.controller.snapshot().state is RigState.ESTOPPED
    live.wait(lambda: live.emulated.truth().fans == (0,) and not live.emulated.truth().is_moving)
    live.resolve("emergency stop", "reset")
    live.wait_for(RigState.UNHOMED)
    live.controller.home()
    live.wait_for(RigState.IDLE)
