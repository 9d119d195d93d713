"""A twin's settings, a hopper of plain blocks, and a list for what really happened."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.twin.scene import Part
from sorter.twin.state import BoardState
from sorter.twin.world import World
from sorter.types.twin import TwinBin, TwinFeeder, TwinMotor, TwinParts, TwinSensor, TwinSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sorter.twin.scene import Scene
    from sorter.types.pictures import RgbArray

PARK_DEG, PUSH_DEG = 20.0, 130.0
BINS = (TwinBin("a", 0.0), TwinBin("b", 90.0), TwinBin("reject", 180.0), TwinBin("again", 270.0))
SENSORS = {"dropped": TwinSensor("z_max"), "in_chute": TwinSensor("y_max", is_triggered_when_active=False)}


def twin_settings(folder: Path | str = "nowhere", **changes: Any) -> TwinSettings:
    """A vibratory feeder that drops a part every 0.4 s, a table, a chute with its switch at -15 deg, four bins."""
    settings = TwinSettings(
        port_link=f"{folder}/port",
        socket=f"{folder}/camera",
        truth=f"{folder}/truth.jsonl",
        turntable=TwinMotor("Y", 44.444),
        chute=TwinMotor("X", 17.778, home_deg=-15.0),
        feeder=TwinFeeder("vibratory", double_share=0.0),
        bins=BINS,
        parts=TwinParts(50, ("3001",)),
        sensors=SENSORS,
        recirculate="again",
        seed=1,
    )
    return replace(settings, **changes)


class Blocks:
    """A ``Hopper`` of blocks of any length and width."""

    def draw(self, number: int, chance: random.Random) -> Part:
        half_x, half_y = chance.uniform(4.0, 16.0), chance.uniform(4.0, 8.0)
        corners = ((-half_x, -half_y), (half_x, -half_y), (half_x, half_y), (-half_x, half_y))
        return Part(number, "3001", "3001", None, "up", (0.5, 0.5, 0.5), None, corners, 9.6)

    def again(self, part: Part, chance: random.Random) -> Part:
        return replace(part, pose=chance.choice(("up", "side")))


class BlankPictures:
    """A ``PictureMaker`` of white pictures that keeps what it was shown."""

    def __init__(self, width_px: int = 64, height_px: int = 64) -> None:
        self.size = (height_px, width_px, 3)
        self.shown: list[list[Scene]] = []

    def picture(self, scenes: Sequence[Scene], sequence: int) -> RgbArray:
        self.shown.append(list(scenes))
        return np.full(self.size, 255, np.uint8)


class Notes:
    """A ``Truth`` in memory."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def write(self, event: str, time_s: float, **details: str | float | bool | None) -> None:
        self.lines.append({"event": event, "time_s": time_s, **details})

    def of(self, *events: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] in events]

    def said(self, event: str) -> list[Any]:
        """Part numbers, or texts of collisions."""
        return [line.get("part", line.get("text")) for line in self.of(event)]


class Nudges:
    """An ``Inside`` that keeps what is done to the board."""

    def __init__(self) -> None:
        self.armed: list[str] = []
        self.losses: list[tuple[str, int, Callable[[int], None]]] = []
        self.slips: list[tuple[str, int]] = []
        self.is_cut = False

    def arm(self, fault: str) -> None:
        self.armed.append(fault)

    def lose_steps(self, letter: str, steps: int, on_lost: Callable[[int], None]) -> None:
        self.losses.append((letter, steps, on_lost))

    def slip(self, letter: str, steps: int) -> None:
        self.slips.append((letter, steps))

    def cut_power(self, *, is_cut: bool) -> None:
        self.is_cut = is_cut


class Rig:
    """A world that is moved by hand: whatever changes goes there in a straight line."""

    def __init__(self, settings: TwinSettings | None = None, hopper: Any = None, **changes: Any) -> None:
        self.inside = Nudges()
        self.settings = replace(settings or twin_settings(), **changes)
        self.notes = Notes()
        self.world = World(self.settings, hopper or Blocks(), self.notes)
        self.world.bad_days.inside = self.inside
        self.state = BoardState(time_s=0.0, arm_deg=self.settings.park_deg, is_awake=True)
        self.world.advance(self.state)

    def go(self, seconds: float, **to: float) -> None:
        """Let seconds pass, in which what is named moves to a value."""
        self.state = self.state._replace(time_s=self.state.time_s + seconds, **to)
        self.world.advance(self.state)

    def shake(self, seconds: float) -> None:
        """Shake the feeder."""
        self.go(0.0, fan_level=160)
        self.go(seconds)
        self.go(0.0, fan_level=0)

    def feed(self, parts: int = 1) -> None:
        """Shake until so many more parts have dropped and lie still."""
        wanted = len(self.notes.of("dropped")) + parts
        while len(self.notes.of("dropped")) < wanted:
            self.shake(0.01)
        self.go(1.0)

    def push(self) -> None:
        """Out with the arm, as fast as a servo is, and back."""
        self.go(0.22, arm_deg=self.settings.push_deg)
        self.go(0.05)
        self.go(0.22, arm_deg=self.settings.park_deg)

    def places(self) -> dict[int, str]:
        """Where each part fell at last."""
        return {line["part"]: line["place"] for line in self.notes.of("fell")}
