"""A whole rig in virtual time, without a wire: what a ``Board`` promises, and the world around it.

``RigBoard`` does what ``firmware_bridge.board.Board`` does, as far as ``sorter.rig`` asks for it, and watches over the
machine while it does: whatever could break something or put a part into the wrong bin is an AssertionError at once.
``RigWorld`` has hopper, table, chute and bins, and the times of a real rig; ``RigCamera`` shows what lies on the table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from firmware_bridge.axes import Axis, planned
from firmware_bridge.errors import BoardSilent, EmergencyStopped, LinkClosed, LinkError, Unhomed
from firmware_bridge.reports import BoardInfo
from sorter.camera.errors import CameraClosed, CameraLost
from sorter.camera.protocol import CameraHealth
from sorter.config import MotorChuteConfig, MotorConfig, StepperFeederConfig
from sorter.rig.axes import chute_axis, feeder_axis, turntable_axis
from sorter.types import Frame
from tests.scenes import BLACK, Drawn, draw

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from sorter.clock import ManualClock
    from sorter.config import RigConfig

LINE_S = 0.006  # of any command
SERVO_S = 0.3
STOP_S = 0.1  # from the end of a move until M400 says so
SIDE_PX = 100
GRAIN_PX = 160
EXPOSURE_S = 0.01
FRAME_S = 0.03

# From the moment in which the feeder lets a part go.
BEAM_AT_S, LANDS_AT_S, RESTS_AT_S = 0.09, 0.15, 0.3
STRIKE_S = 0.13  # from the beginning of M280
TO_CHUTE_S, TO_BIN_S = 0.1, 0.25  # from the stroke
PULSE_S = 0.3
SWITCH_DEG = 0.05  # so little beyond home a switch is still triggered
INDEX_WIDE_DEG = 8.0
NOWHERE = "beside"


@dataclass(eq=False)
class HopperPart:
    """One thing that the feeder lets go.

    Args:
        class_name: what the recogniser will say.
        sure: how sure it will be, of each view.
        count: how many parts come at once; 0 is dust, which only the beam sees.
        stays: so many pushes do not move it.
        is_beam_missed: no beam sees it drop.
        is_chute_missed: it does not pass the beam in the chute.
    """

    class_name: str = "3001"
    sure: float = 0.97
    count: int = 1
    stays: int = 0
    is_beam_missed: bool = False
    is_chute_missed: bool = False
    dropped_s: float = 0.0
    fate: str | None = None  # a bin's id, or NOWHERE, or "taken"
    row: int | None = None  # the part that was under way when it was struck


@dataclass
class RigWorld:
    """What is around the board, at the clock's time."""

    config: RigConfig
    clock: ManualClock
    seconds_a_part: float = 0.4
    hopper: list[HopperPart] = field(default_factory=list)
    on_table: list[HopperPart] = field(default_factory=list)
    fallen: list[HopperPart] = field(default_factory=list)
    has_power: bool = True
    is_hand_in_picture: bool = False
    is_chute_beam_held: bool = False
    chute_deg: float = 0.0  # where it truly stands
    table_deg: float = 0.0  # the same
    has_marks: bool = False  # on the table, which turn with it
    lost_deg: dict[str, float] = field(default_factory=dict)  # since each was homed
    has_ever_slipped: bool = False
    light: float = 1.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    fan: int = 0
    shaken_s: float = 0.0
    fed_deg: float = 0.0
    _seen_s: float = 0.0
    _beams_s: dict[str, float] = field(default_factory=dict)

    def look(self) -> float:
        """Let everything happen that is due; the time now."""
        now_s = self.clock.monotonic_s()
        passed_s, self._seen_s = now_s - self._seen_s, now_s
        if self.fan:
            self.shaken_s += passed_s
            while self.shaken_s >= self.seconds_a_part:
                self.shaken_s -= self.seconds_a_part
                self.drop(now_s - self.shaken_s)
        return now_s

    def drop(self, at_s: float) -> None:
        """The next part leaves the feeder."""
        if not self.hopper:
            return
        part = self.hopper.pop(0)
        part.dropped_s = at_s
        if not part.is_beam_missed:
            self._beams_s["dropped"] = at_s + BEAM_AT_S
        if part.count:
            self.on_table.append(part)

    def feed_by(self, distance_deg: float) -> None:
        """A stepper feeder went on: a part each 45 deg."""
        self.fed_deg += distance_deg
        while self.fed_deg >= 45.0:
            self.fed_deg -= 45.0
            self.drop(self.clock.monotonic_s())

    def lying(self) -> list[HopperPart]:
        """What has landed on the table."""
        now_s = self.look()
        return [part for part in self.on_table if now_s >= part.dropped_s + LANDS_AT_S]

    def strike(self, at_s: float) -> None:
        """The arm wipes the table."""
        for part in self.lying():
            if part.stays > 0:
                part.stays -= 1
                continue
            self.on_table.remove(part)
            self.fallen.append(part)
            part.fate = self._bin_below() or NOWHERE
            if not part.is_chute_missed:
                self._beams_s["in_chute"] = at_s + TO_CHUTE_S

    def take(self) -> None:
        """Somebody takes everything off the table."""
        for part in self.on_table:
            part.fate = "taken"
        self.on_table.clear()

    def endstops(self) -> dict[str, bool]:
        """As M119 has it: the switch of each sensor."""
        now_s = self.look()
        inputs = {"x_min": self._is_chute_at_its_switch(), "y_min": self._is_table_at_its_index(), "z_min": False}
        for name, sensor in self.config.sensors.all.items():
            broken_s = self._beams_s.get(name)
            is_active = self.has_power if name == "motor_power" else broken_s is not None
            if broken_s is not None:
                is_active = broken_s <= now_s < broken_s + PULSE_S
            if name == "in_chute" and self.is_chute_beam_held:
                is_active = True
            inputs[sensor.endstop] = is_active == (sensor.is_active_when == "triggered")
        return inputs

    def slip(self, axis: str, distance_deg: float) -> None:
        """A motor loses steps, and nobody notices."""
        self.has_ever_slipped = True
        self.lost_deg[axis] = self.lost_deg.get(axis, 0.0) + distance_deg
        self.turn(axis, distance_deg)

    def turn(self, axis: str, distance_deg: float) -> None:
        """It truly turns."""
        if axis == "chute":
            self.chute_deg += distance_deg
        elif axis == "turntable":
            self.table_deg += distance_deg

    def _is_chute_at_its_switch(self) -> bool:
        chute = self.config.chute
        if not isinstance(chute, MotorChuteConfig):
            return False
        beyond_deg = (self.chute_deg - chute.home_deg) * (-1.0 if chute.is_reversed else 1.0)
        return beyond_deg <= SWITCH_DEG

    def _is_table_at_its_index(self) -> bool:
        table = self.config.turntable
        beyond_deg = (self.table_deg - table.index_deg) * (-1.0 if table.is_reversed else 1.0)
        return table.homing == "index" and (beyond_deg - SWITCH_DEG) % 360.0 > 360.0 - INDEX_WIDE_DEG

    def _bin_below(self) -> str | None:
        if self.config.chute is None:
            return self.config.bins[0].id
        near = [each.id for each in self.config.bins if abs(each.chute_deg - self.chute_deg) < 5.0]
        return near[0] if near else None


class RigBoard:
    """See the module.

    ``intended_bin`` is the bin that the last part was written down for, None if no part is under way: then the table is
    swept, into any bin. ``fails_in``: after so many more calls the link breaks, with ``fails_with``. ``on_call`` is
    called with each command before anything is done.
    """

    def __init__(self, config: RigConfig, clock: ManualClock, world: RigWorld) -> None:
        self.config, self.clock, self.world = config, clock, world
        axes = [turntable_axis(config.turntable)]
        if isinstance(config.chute, MotorChuteConfig):
            axes.append(chute_axis(config.chute))
        if isinstance(config.feeder, StepperFeederConfig):
            axes.append(feeder_axis(config.feeder))
        self.axes: dict[str, Axis] = {axis.name: axis.board_axis for axis in axes}
        self.link = SimpleNamespace(request=lambda *_args, **_more: self._begin("link"), stops=0)
        self.error: LinkError | None = LinkClosed("the board is not connected")
        self.calls: list[str] = []
        self.intended_bin: str | None = None
        self.intended_part: int | None = None
        self.homings_that_hid = 0  # lost steps of the chute
        self.fails_in: int | None = None
        self.fails_with: type[LinkError] = BoardSilent
        self.on_call: Callable[[str], None] = lambda _text: None
        self.is_absent = False
        self.pushes = 0
        self._is_stopped = False
        self._homed: dict[str, float] = {}
        self._ends_s = 0.0  # when all motion is over
        self._arm_clear_s: float | None = None  # None: it is out, or nobody knows
        self._falling_until_s = 0.0

    # --- the link -----------------------------------------------------------------------------------------------

    def connect(self) -> BoardInfo:
        self.clock.advance(1.0)
        if self._is_stopped:
            raise EmergencyStopped("an emergency stop was asked for")
        self.break_link(LinkClosed("the board is not connected"))
        if self.is_absent:
            raise BoardSilent("nothing answers")
        self.error = None
        self.intended_bin = None  # whatever lies there, lies there from before
        return BoardInfo("Marlin", {}, was_announced=True)

    def reset(self) -> BoardInfo:
        self._is_stopped = False
        return self.connect()

    def close(self) -> None:
        self.break_link(LinkClosed("the program closed it"))

    def emergency_stop(self) -> bool:
        self._is_stopped = True
        self.break_link(EmergencyStopped("an emergency stop was asked for"))
        return True

    def quick_stop(self) -> None:
        self._begin("M410")
        self._homed.clear()
        self._ends_s = self.clock.monotonic_s()

    # --- motion -------------------------------------------------------------------------------------------------

    def is_homed(self, axis: str) -> bool:
        return self.error is None and axis in self._homed

    def commanded(self, axis: str) -> float:
        if not self.is_homed(axis):
            raise Unhomed(f"{axis} does not know where it is")
        return self._homed[axis]

    def position(self) -> dict[str, float]:
        self._begin("M114")
        return {name: self._homed.get(name, 0.0) for name in self.axes}

    def move(self, targets: Mapping[str, float], *, speed_share: float = 1.0) -> float:
        now_s = self._begin(f"G1 {dict(targets)}")
        distances = {}
        assert set(targets) <= set(self._homed), f"{targets}: an axis turns that does not know where it is"
        for name, target in targets.items():
            self.axes[name].check_target(self._homed[name], target)
            if target != self._homed[name]:
                distances[self.axes[name]] = target - self._homed[name]
        if not distances:
            return 0.0
        plan = planned(distances, speed_share)
        if {"turntable", "chute"} & {axis.name for axis in distances}:
            assert self._arm_clear_s is not None, f"{targets}: the arm is out"
            assert now_s >= self._arm_clear_s, f"{targets}: the arm is not back yet"
            assert not self.world.fan, f"{targets}: the feeder shakes"
        if self.axes.get("chute") in distances:
            assert now_s >= self._falling_until_s, "the chute turns under a part that still falls"
        self._ends_s = max(now_s, self._ends_s) + plan.duration_s
        self._homed.update(targets)
        if self.world.has_power:
            for axis, distance in distances.items():
                self.world.turn(axis.name, distance * self._sign(axis.name))
            if "feeder" in targets:
                self.world.feed_by(distances[self.axes["feeder"]])
        return plan.duration_s

    def wait(self) -> None:
        self._begin("M400")
        self._finish_motion()

    def home(self, axis: str) -> None:
        self._begin(f"G28 {axis}")
        assert self._arm_clear_s is not None, f"homing {axis}: the arm is out"
        assert not self.world.fan, f"homing {axis}: the feeder shakes"
        self._finish_motion()
        self.clock.advance(2.0)
        self._homed[axis] = self.axes[axis].home_position or 0.0
        if self.world.lost_deg.pop(axis, 0.0) and axis == "chute":
            self.homings_that_hid += 1
        if self.world.has_power and axis == "chute":
            assert isinstance(self.config.chute, MotorChuteConfig)
            self.world.chute_deg = self.config.chute.home_deg
        elif self.world.has_power:
            self.world.table_deg = self.config.turntable.index_deg

    def set_position(self, axis: str, position: float) -> None:
        self._begin(f"G92 {axis} {position}")
        self._homed[axis] = position

    # --- outputs and inputs -------------------------------------------------------------------------------------

    def servo(self, index: int, angle_deg: float, *, travel_s: float = 0.0) -> None:
        now_s = self._begin(f"M280 P{index} S{angle_deg:g}")
        ejector = self.config.ejector
        if index != ejector.servo:
            self.world.chute_deg = angle_deg
            self.clock.advance(SERVO_S)
            return
        assert not self.world.fan, "the arm moves while the feeder shakes"
        if angle_deg == ejector.park_deg:
            self._finish_motion()
            now_s = self.clock.monotonic_s()
            self._arm_clear_s = now_s + ejector.travel_s
        else:
            self._check_push(now_s)
            self._arm_clear_s = None
            self.pushes += 1
            self.clock.advance(STRIKE_S)
            fallen_before = len(self.world.fallen)
            self.world.strike(self.clock.monotonic_s())
            for part in self.world.fallen[fallen_before:]:
                part.row = self.intended_part
            self._falling_until_s = now_s + STRIKE_S + TO_BIN_S
        self.clock.advance(max(0.0, now_s + SERVO_S - self.clock.monotonic_s()))

    def fan(self, index: int, level: int) -> None:
        self._begin(f"M106 {level}")
        if level:
            assert not self.world.lying(), "the feeder starts while a part lies on the table"
        self.world.fan = level

    def endstops(self) -> dict[str, bool]:
        self._begin("M119")
        return self.world.endstops()

    # --- inside -------------------------------------------------------------------------------------------------

    def _check_push(self, now_s: float) -> None:
        assert set(self._homed) >= {"turntable"} | ({"chute"} & set(self.axes)), "a push with an axis unhomed"
        assert now_s >= self._ends_s, "a push while something moves"
        wanted = [each for each in self.config.bins if self.intended_bin in (None, each.id)]
        if "chute" in self.axes:
            stands_deg = self._homed["chute"]
            assert any(abs(stands_deg - each.chute_deg) < 0.01 for each in wanted), (
                f"a push for {self.intended_bin} with the chute at {stands_deg:g} deg"
            )

    def _sign(self, axis: str) -> float:
        config = {"turntable": self.config.turntable, "chute": self.config.chute}.get(axis)
        return -1.0 if isinstance(config, MotorConfig) and config.is_reversed else 1.0

    def _begin(self, text: str) -> float:
        """One command, if the link works."""
        self.on_call(text)
        if self.error is not None:
            raise self.error
        self.calls.append(text)
        self.clock.advance(LINE_S)
        if self.fails_in is not None:
            self.fails_in -= 1
            if self.fails_in < 0:
                self.fails_in = None
                self.break_link(self.fails_with(f"no answer to {text}"))
                raise self.fails_with(f"no answer to {text}")
        return self.world.look()

    def break_link(self, error: LinkError) -> None:
        """The link is over: it resets the board, which drops its outputs."""
        self.error = error
        self._homed.clear()
        self._ends_s = 0.0
        self._arm_clear_s = None
        self.world.look()
        self.world.fan = 0

    def _finish_motion(self) -> None:
        left_s = self._ends_s + STOP_S - self.clock.monotonic_s()
        if self._ends_s > 0.0 and left_s > 0.0:
            self.clock.advance(left_s)
        self._ends_s = min(self._ends_s, self.clock.monotonic_s())
        self.world.look()


@cache
def picture(parts: int, place: int = 0) -> NDArray[np.uint8]:
    """So many parts on the table; ``place`` moves them a little. −1 parts: a hand, and no table."""
    if parts < 0:
        blocks = np.random.default_rng(1).integers(30, 250, (10, 10, 3), dtype=np.uint8)
        return blocks.repeat(SIDE_PX // 10, axis=0).repeat(SIDE_PX // 10, axis=1)
    drawn = [Drawn(x=0.36 + 0.03 * place), Drawn("disc", 0.72, 0.6, colour=BLACK)][:parts]
    return draw(*drawn, side_px=SIDE_PX, seed=place)


@cache
def _grain() -> NDArray[np.float32]:
    """What the table is like where it is not even: h×w, parts of its light."""
    rough = np.random.default_rng(5).standard_normal((GRAIN_PX, GRAIN_PX)).astype(np.float32)
    return np.asarray(np.clip(1.0 + 0.06 * cv2.GaussianBlur(rough, (0, 0), 1.0), 0.5, 1.5), dtype=np.float32)


@cache
def turned_grain(table_deg: float) -> NDArray[np.float32]:
    """The table's grain as the camera sees it with the table at an angle."""
    middle = (GRAIN_PX - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), table_deg, 1.0)
    matrix[:, 2] += (SIDE_PX - GRAIN_PX) / 2
    return np.asarray(cv2.warpAffine(_grain(), matrix, (SIDE_PX, SIDE_PX))[..., None], dtype=np.float32)


class RigCamera:
    """Shows what lies on the table. ``fails``: so many captures in a row are lost."""

    name, is_live = "the test's camera", False

    def __init__(self, world: RigWorld) -> None:
        self.world = world
        self.fails = 0
        self.on_call: Callable[[str], None] = lambda _text: None
        self.is_open = False
        self.captures = 0

    def open(self, deadline_s: float) -> None:
        self.world.clock.advance(0.5)
        if self.fails:
            self.fails -= 1
            raise CameraLost("no camera")
        self.is_open = True

    def capture(self, deadline_s: float) -> Frame:
        self.on_call("capture")
        if not self.is_open:
            raise CameraClosed("it is not open")
        self.world.clock.advance(FRAME_S)
        if self.fails:
            self.fails -= 1
            raise CameraLost("no usable frame")
        self.captures += 1
        now_s = self.world.look()
        lying = self.world.lying()
        count = min(2, sum(part.count for part in lying))
        is_moving = any(now_s < part.dropped_s + RESTS_AT_S for part in lying)
        place = self.captures % 4 if is_moving else 0
        shown = picture(-1) if self.world.is_hand_in_picture else self._lit(picture(count, place))
        return Frame(shown, now_s, self.captures, exposure_s=EXPOSURE_S)

    def _lit(self, shown: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """In the world's light, and with its marks if it has any; a little noise goes with those."""
        world = self.world
        if not world.has_marks and (world.light, world.tint) == (1.0, (1.0, 1.0, 1.0)):
            return shown
        light = shown.astype(np.float32) * world.light * np.asarray(world.tint, dtype=np.float32)
        if world.has_marks:
            light *= turned_grain(round(world.table_deg % 360.0, 2))
            light += np.random.default_rng(self.captures).normal(0.0, 0.7, light.shape)
        return np.asarray(np.clip(light, 0.0, 255.0), dtype=np.uint8)

    def preview(self, deadline_s: float) -> Frame:
        return self.capture(deadline_s)

    def close(self) -> None:
        self.is_open = False

    def health(self) -> CameraHealth:
        return CameraHealth(self.is_open)
