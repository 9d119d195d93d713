"""The twin's bad days: which faults happen to which part, and when.

For each part that is fed, chance decides for each fault whether it gets an opportunity, and at which moment of the
part's way. What happens to the part itself (it gets stuck, it hangs in the chute) waits in its mark until that can be;
all the rest begins at that moment: with the lamp, the camera, the motors' supply, or armed in the board for the board's
next opportunity. What happens is written down when it does. All chance comes from the seed, and none of it is taken
from what decides the parts themselves.
"""

from __future__ import annotations

import enum
import random
from functools import partial
from typing import TYPE_CHECKING

from sorter.twin.beams import MOTOR_POWER
from sorter.types.faults import FAULTS, fault_named

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from firmware_bridge.emulator import Inside
    from sorter.twin.agenda import Agenda
    from sorter.twin.beams import Beams
    from sorter.twin.hang import Hang
    from sorter.twin.optics import Optics
    from sorter.twin.scene import Part
    from sorter.twin.truth_file import Detail, Truth
    from sorter.types.twin import TwinMotor

DOUBLE_FEED, STUCK, SLIDE, EJECTOR_MISS, JAM, BIN_OVERFLOW = FAULTS_OF_A_PART = (
    "double-feed",
    "stuck",
    "slide",
    "ejector-miss",
    "jam",
    "bin-overflow",
)
"""These happen to a part."""

_LOST_STEPS = {"lost-steps-table": "table", "lost-steps-chute": "chute"}
_LOST_DEG = {"table": (2.0, 15.0), "chute": (5.0, 40.0)}
_SLIP_STEPS = 64  # microsteps of 1/16 that are four full steps: a motor that loses its step catches up by these
_PUSHED_DEG = 15.0  # by so much at most somebody's hand turns an axis without power
_PUSHED_AFTER_S = 0.5
_NEW_CONNECTION_SHARE = 0.5  # of cameras that hang are well again when somebody connects anew


class Stage(enum.Enum):
    """Moments of a part's way from which on a fault's own moment is counted; the value is until when (s), at most."""

    DROPPED = 0.3
    LANDED = 1.2
    PUSHED = 0.4


_STAGES = (Stage.DROPPED, Stage.LANDED, Stage.LANDED, Stage.LANDED, Stage.PUSHED)  # most of its time a part lies


class BadDays:
    """See above. Whoever holds the board may use it.

    Args:
        rates: the chance of each fault, for each part.
        seed: of chance.
        motors: what the twin's motors turn: ``table``, and ``chute`` where a motor turns it.
        agenda: what is due.
        truth: is told what happens.
        beams: the sensors.
        optics: lamp and lens.
        hang: of the camera.

    Raises:
        ValueError: a rate is of a fault that there is not.
    """

    def __init__(
        self,
        rates: Mapping[str, float],
        seed: int,
        motors: Mapping[str, TwinMotor],
        agenda: Agenda,
        truth: Truth,
        *,
        beams: Beams,
        optics: Optics,
        hang: Hang,
    ) -> None:
        self._motors = motors
        self._rates = {self.named(name): rate for name, rate in rates.items() if rate > 0.0}
        self._seed = seed
        self._agenda = agenda
        self._truth = truth
        self._beams = beams
        self._optics = optics
        self._hang = hang
        self._marks: dict[int, dict[str, random.Random]] = {}
        self._later: dict[int, list[tuple[Stage, float, Callable[[], None]]]] = {}
        self._armed: dict[str, random.Random] = {}  # for whichever part comes first
        self._parts_of: dict[str, int | None] = {}  # in whose handling a fault of the board was armed
        self._breaks = 0
        self.has_power = True
        self.inside: Inside | None = None
        """Into the board; who puts board and world together sets it."""

    # --- what happens to a part ---------------------------------------------------------------------------------

    def fed(self, part: Part, drops: int) -> None:
        """Draw what will happen to a part, or while it is handled; it is the ``drops``-th that drops."""
        if not self._rates:
            return
        chance = random.Random(f"{self._seed}:faults:{drops}")  # noqa: S311 - repeatable, not secret
        drawn = {name: (chance.random(), chance.choice(_STAGES), chance.random()) for name in FAULTS}
        for name, rate in self._rates.items():
            roll, stage, share = drawn[name]
            if roll >= rate:
                continue
            details = self._chance(f"{drops}:{name}")
            if name in FAULTS_OF_A_PART:
                self._marks.setdefault(part.number, {})[name] = details
            else:
                begin = partial(self._begin, name, part.number, details)
                self._later.setdefault(part.number, []).append((stage, share * stage.value, begin))
        self.reached(part, Stage.DROPPED)

    def reached(self, part: Part, stage: Stage) -> None:
        """A part has come so far."""
        waiting = self._later.get(part.number)
        if waiting:
            self._later[part.number] = [each for each in waiting if each[0] is not stage]
            for _, delay_s, begin in (each for each in waiting if each[0] is stage):
                self._agenda.after(delay_s, begin)

    def gone(self, part: Part) -> None:
        """A part lies in its place: what has not happened to it will not."""
        self._marks.pop(part.number, None)
        self._later.pop(part.number, None)

    def strikes(self, name: str, part: Part) -> random.Random | None:
        """Whether a fault happens to a part now, at an opportunity for it; returns chance for its details."""
        marks = self._marks.get(part.number, {})
        return marks.pop(name) if name in marks else self._armed.pop(name, None)

    def note(self, name: str, part: int | None, **details: Detail) -> None:
        """Write down that a fault happens."""
        self._truth.write("fault", self._agenda.now.time_s, name=name, part=part, **details)

    # --- what happens to the machine ----------------------------------------------------------------------------

    def named(self, name: str) -> str:
        """A fault's own name.

        Raises:
            ValueError: there is no such fault, or this twin has not what it is a fault of.
        """
        fault = fault_named(name).name
        if _LOST_STEPS.get(fault, "table") not in self._motors:
            raise ValueError(f"{fault}: no motor turns the {_LOST_STEPS[fault]}")
        return fault

    def break_(self, name: str) -> None:
        """Let a fault happen once, at its next opportunity; ValueError as from ``named``."""
        fault = self.named(name)
        self._breaks += 1
        chance = self._chance(f"break:{self._breaks}")
        if fault in FAULTS_OF_A_PART:
            self._armed[fault] = chance
        else:
            self._begin(fault, None, chance)

    def fired(self, name: str) -> None:
        """A fault of the board's menu happens."""
        self.note(name, self._parts_of.pop(name, None))

    def set_power(self, is_on: bool) -> None:
        """Switch the motors' supply."""
        self.has_power = is_on
        self._board.cut_power(is_cut=not is_on)
        self._beams.hold(MOTOR_POWER, None if is_on else False)

    def _begin(self, name: str, part: int | None, chance: random.Random) -> None:
        if name in _LOST_STEPS:
            self._lose_steps(name, part, chance)
        elif name == "power-cut":
            if self.has_power:
                self.note(name, part)
                self.set_power(is_on=False)
                self._agenda.after(_PUSHED_AFTER_S, partial(self._push_axes, chance))
        elif name == "light-fails":
            left = self._optics.fail_light(chance)
            if left is not None:
                self.note(name, part, light=left)
        elif name == "tint-drifts":
            red, green, blue = self._optics.drift(self._agenda.now.time_s, chance)
            self.note(name, part, red=red, green=green, blue=blue)
        elif name == "dust":
            blobs = self._optics.gather_dust(chance)
            if blobs:
                self.note(name, part, blobs=blobs)
        elif name == "camera-hangs":
            is_easy = chance.random() < _NEW_CONNECTION_SHARE
            if self._hang.begin(ends_with_connection=is_easy):
                self.note(name, part, until="a new connection" if is_easy else "mend camera")
        else:
            self._parts_of[name] = part
            self._board.arm(name)

    def _lose_steps(self, name: str, part: int | None, chance: random.Random) -> None:
        axis = _LOST_STEPS[name]
        motor = self._motors[axis]
        steps = chance.uniform(*_LOST_DEG[axis]) * motor.steps_per_deg
        deg_per_step = (-1.0 if motor.is_reversed else 1.0) / motor.steps_per_deg

        def tell(lost: int) -> None:
            self.note(name, part, steps=lost, deg=-lost * deg_per_step)

        self._board.lose_steps(motor.letter, max(1, round(steps / _SLIP_STEPS)) * _SLIP_STEPS, tell)

    def _push_axes(self, chance: random.Random) -> None:
        """Somebody feels whether the machine is dead."""
        for motor in self._motors.values():
            steps = round(chance.uniform(-_PUSHED_DEG, _PUSHED_DEG) * motor.steps_per_deg)
            if not self.has_power:
                self._board.slip(motor.letter, steps)

    @property
    def _board(self) -> Inside:
        if self.inside is None:
            raise RuntimeError("this world has no board around which something could break")
        return self.inside

    def _chance(self, what: str) -> random.Random:
        return random.Random(f"{self._seed}:fault:{what}")  # noqa: S311 - repeatable, not secret
