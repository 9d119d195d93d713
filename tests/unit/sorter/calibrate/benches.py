"""A rig on the bench: an emulated board on a pty, pictures that follow its true steps, and answers from a script."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from firmware_bridge.emulator.pty_server import EmulatedBoard
from sorter.calibrate import Bench, Record, TalkEnded, run_steps
from sorter.camera import CameraHealth
from sorter.clock import RealClock
from sorter.config import read_rig_config
from sorter.rig import Machine, board_from
from tests.drawn_table import DrawnTable
from tests.unit.sorter.rig.rigs import LIMITS as RIG_LIMITS
from tests.unit.sorter.rig.rigs import SETTINGS as RIG_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from firmware_bridge.emulator.settings import BoardSettings
    from sorter.config import RigConfig
    from sorter.types import Frame

SPEED = 60.0
LIMITS = replace(RIG_LIMITS, margin_s=3.0, busy_s=5.0, query_s=3.0, start_s=5.0)
_ROTARY = replace(
    RIG_SETTINGS.x, max_speed_units_per_s=2000.0, max_acceleration_units_per_s2=50_000.0, length_units=800.0
)
SETTINGS = replace(RIG_SETTINGS, x=_ROTARY, y=_ROTARY, z=replace(_ROTARY, home_switch_at_steps=None))

RIG_TOML = """# Our first rig.
[board]
port = "{port}"

[camera]
width_px = 320  # as much as is needed
height_px = 240

[turntable]  # a round thing
speed_deg_per_s = 720.0
acceleration_deg_per_s2 = 3000.0

[chute]
kind = "motor"
speed_deg_per_s = 360.0  # it is light

[ejector]
park_deg = 20.0   # clear of everything
push_deg = 130.0
travel_s = 0.3

[[bins]]
id = "red"
chute_deg = 40.0  # the left one

[[bins]]
id = "reject"
chute_deg = 90.0

[sort]
reject = "reject"

[[sort.rules]]
bin = "red"
classes = ["square"]
"""


class Script:
    """A ``Talk`` whose answers are known: by the question's words, or else in order.

    Args:
        answers: taken one after the other; a pair answers the question that holds its first half, as often as asked.
    """

    def __init__(self, *answers: str, by_words: Mapping[str, str] | None = None) -> None:
        self.answers = list(answers)
        self.by_words = dict(by_words or {})
        self.said: list[str] = []
        self.asked: list[str] = []

    @property
    def text(self) -> str:
        return "\n".join(self.said)

    def say(self, text: str) -> None:
        self.said.append(text)

    def ask(self, question: str, default: str | None = None) -> str:
        return self._answer(question) or (default or "")

    def choose(self, question: str, choices: Mapping[str, str]) -> str:
        answer = self._answer(question)
        assert answer in choices, f"{question}: {answer!r} is none of {list(choices)}"
        return answer

    def _answer(self, question: str) -> str:
        self.asked.append(question)
        for words, answer in self.by_words.items():
            if words in question:
                return answer
        if not self.answers:
            raise TalkEnded(f"the script has no answer to {question!r}")
        return self.answers.pop(0)


class DrawnCamera:
    """A camera above a drawn table that stands where the motor's true steps say."""

    name = "drawn pictures"
    is_live = True

    def __init__(self, table: DrawnTable, table_deg: Callable[[], float]) -> None:
        self.table, self._table_deg = table, table_deg
        self.frames = 0
        self.is_open = False

    def open(self, deadline_s: float) -> None:
        self.is_open = True

    def capture(self, deadline_s: float) -> Frame:
        assert self.is_open
        self.frames += 1
        return self.table.frame(self._table_deg(), seed=self.frames)

    def preview(self, deadline_s: float) -> Frame:
        return self.capture(deadline_s)

    def close(self) -> None:
        self.is_open = False

    def health(self) -> CameraHealth:
        return CameraHealth(is_open=self.is_open, frames=self.frames)


@dataclass
class DrawnRig:
    """A rig that is built in one way and whose rig.toml may say another.

    Args:
        emulated: its board.
        table: what the camera sees.
        steps_per_deg: that the table really has.
    """

    emulated: EmulatedBoard
    table: DrawnTable
    steps_per_deg: float
    clock: RealClock = field(default_factory=lambda: RealClock(SPEED))
    cameras: list[DrawnCamera] = field(default_factory=list)
    machines: int = 0

    def table_deg(self) -> float:
        return self.emulated.truth().steps["Y"] / self.steps_per_deg

    def machine(self, config: RigConfig) -> Machine:
        self.machines += 1
        return Machine(config, self.clock, board=board_from(config, limits=LIMITS))

    def camera(self, config: RigConfig) -> DrawnCamera:
        camera = DrawnCamera(self.table, self.table_deg)
        self.cameras.append(camera)
        return camera


@dataclass
class OnBench:
    """A bench, the rig on it, who answers, and the file."""

    bench: Bench
    rig: DrawnRig
    script: Script
    file: Path

    @property
    def toml(self) -> str:
        return self.file.read_text(encoding="utf-8")


@contextmanager
def on_bench(
    folder: Path,
    script: Script,
    *,
    table: DrawnTable | None = None,
    steps_per_deg: float = 3200 / 360,
    toml: str = RIG_TOML,
    settings: BoardSettings = SETTINGS,
    rig_class: type[DrawnRig] = DrawnRig,
    **options: Any,
) -> Iterator[OnBench]:
    """A rig on the bench; nothing is connected yet."""
    link = folder / "board"
    file = folder / "rig.toml"
    if not file.exists():
        file.write_text(toml.format(port=link), encoding="utf-8")
    with EmulatedBoard(settings, seed=1, speed=SPEED, link=link) as emulated:
        rig = rig_class(emulated, table or DrawnTable(), steps_per_deg, **options)
        bench = Bench(file, rig, rig.clock, script, Record(read_rig_config(file).paths.state))
        try:
            yield OnBench(bench, rig, script, file)
        finally:
            bench.close()


def came(on: OnBench, *names: str) -> list[str]:
    """How each of these steps came out."""
    return [each.how for each in run_steps(on.bench, names)]
