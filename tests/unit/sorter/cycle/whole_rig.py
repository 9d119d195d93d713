"""A controller on a rig in virtual time, driven by hand: what was written down, what was seen, and an operator."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from sorter.classify import Correlation, DecisionRules, decide, next_angle
from sorter.clock import ManualClock
from sorter.config import (
    BinConfig,
    EjectorConfig,
    LookConfig,
    MotorChuteConfig,
    RigConfig,
    RuleConfig,
    SensorConfig,
    SensorsConfig,
    SortConfig,
    VibratoryFeederConfig,
)
from sorter.cycle import Choice, Controller
from sorter.rig import Machine
from sorter.types import (
    BinContent,
    Commands,
    Decision,
    Incident,
    LocationKind,
    Outcome,
    PartId,
    Prediction,
    RigState,
    Snapshot,
    View,
)
from sorter.vision import locate
from tests.recorders import MemoryRecorder
from tests.rig_board import HopperPart, RigBoard, RigCamera, RigWorld

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sorter.types import BinId, Frame, Location
    from sorter.vision import Background

LABELS = ("3001", "3002", "3003")
DROPPED = SensorConfig(endstop="z_max")
IN_CHUTE = SensorConfig(endstop="x_max", is_active_when="open")
MOTOR_POWER = SensorConfig(endstop="y_max")
ALL_SENSORS = SensorsConfig(dropped=DROPPED, in_chute=IN_CHUTE, motor_power=MOTOR_POWER)
BINS = (
    BinConfig(id="reject", chute_deg=20.0),
    BinConfig(id="a", chute_deg=60.0),
    BinConfig(id="b", chute_deg=120.0),
    BinConfig(id="again", chute_deg=180.0),
    BinConfig(id="over", chute_deg=240.0),
)
SORT = SortConfig(
    reject="reject",
    overflow="over",
    recirculate="again",
    rules=(RuleConfig(bin="a", classes=("3001",)), RuleConfig(bin="b", classes=("3002",))),
)
LOOK = LookConfig(angles=4, most_views=4, empty_table="picture")


def config_of(**tables: Any) -> RigConfig:
    """A rig with a shaken feeder, a motor's chute and every sensor, unless told otherwise."""
    given: dict[str, Any] = {
        "chute": MotorChuteConfig(kind="motor"),
        "ejector": EjectorConfig(),
        "feeder": VibratoryFeederConfig(kind="vibratory", give_up_s=2.0, empty_after=2),
        "sensors": ALL_SENSORS,
        "look": LOOK,
        "bins": BINS,
        "sort": SORT,
    }
    return RigConfig(**(given | tables))


class InlineExecutor(Executor):
    """Does everything at once, in the caller's thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class StandIn:
    """A recogniser that sees where something is, and is told what it is; rules as of the real one."""

    def __init__(self, world: RigWorld, most_views: int, name: str = "stand-in") -> None:
        self.rules = DecisionRules(0.9, None, Correlation(0.2, 30.0), view_budget=most_views)
        self.model = SimpleNamespace(card=SimpleNamespace(name=name))
        self._world = world

    def look(
        self, frame: Frame, angle_deg: float, background: Background | None = None, *, location: Location | None = None
    ) -> View:
        location = location or locate(frame, background)
        if location.kind not in (LocationKind.ONE, LocationKind.EDGE) or location.table is None:
            return View(angle_deg, frame, location, None, None)
        part = self._world.on_table[0] if self._world.on_table else HopperPart()
        others = (1.0 - part.sure) / (len(LABELS) - 1)
        chances = tuple(part.sure if label == part.class_name else others for label in LABELS)
        return View(angle_deg, frame, location, None, Prediction(LABELS, chances))

    def decide(self, views: Sequence[View]) -> Decision:
        return decide(views, self.rules)

    def next_angle(self, views: Sequence[View], candidates_deg: Sequence[float]) -> float | None:
        return next_angle(views, candidates_deg, self.rules)


@dataclass
class WatchedRecorder(MemoryRecorder):
    """Sees to it that nothing is pushed before it is written down, and tells the board which bin is meant."""

    board: RigBoard = field(kw_only=True)
    _pushes_before: int = 0

    def open_part(self) -> PartId:
        part = super().open_part()
        self._pushes_before = self.board.pushes
        return part

    def intend(
        self,
        part: PartId,
        decision: Decision,
        bin: BinId,  # noqa: A002
        *,
        views: Sequence[View] = (),
        chute_deg: float | None = None,
    ) -> None:
        super().intend(part, decision, bin, views=views, chute_deg=chute_deg)
        assert self.board.pushes == self._pushes_before, "pushed before it was written down"
        self.board.intended_bin, self.board.intended_part = bin, part

    def finish(self, part: PartId, outcome: Outcome) -> None:
        super().finish(part, outcome)
        self.board.intended_bin = self.board.intended_part = None


@dataclass
class WholeRig:
    """See the module; make one with ``whole_rig``."""

    config: RigConfig
    clock: ManualClock
    world: RigWorld
    board: RigBoard
    camera: RigCamera
    recorder: WatchedRecorder
    controller: Controller
    seen: list[Snapshot] = field(default_factory=list)

    @property
    def state(self) -> RigState:
        return self.controller.snapshot().state

    @property
    def incidents(self) -> tuple[Incident, ...]:
        return self.controller.snapshot().incidents

    @property
    def commands(self) -> Commands:
        return self.controller

    def run(self, times: int = 1) -> None:
        """Let the loop do so many things; time passes where there is nothing to do."""
        for _ in range(times):
            pause_s = self.controller.run_one()
            if pause_s:
                self.clock.advance(pause_s)

    def until(self, condition: Callable[[], bool], most: int = 2000) -> None:
        """Let the loop go on until something is so."""
        for _ in range(most):
            if condition():
                return
            self.run()
        raise AssertionError(f"never came: {self.state}, {self.controller.snapshot().state_reason}, {self.incidents}")

    def until_state(self, *states: RigState) -> None:
        self.until(lambda: self.state in states)

    def until_asked(self, kind: str) -> Incident:
        self.until(lambda: any(each.kind == kind for each in self.incidents))
        return next(each for each in self.incidents if each.kind == kind)

    def until_done(self, parts: int) -> None:
        """Until so many rows are finished."""
        self.until(lambda: len(self.recorder.outcomes) >= parts)

    def resolve(self, kind: str, choice: Choice | str) -> None:
        """Take a way out as soon as there is such an incident; it is off the list then."""
        self.commands.resolve(self.until_asked(kind).incident, choice)
        self.run()

    def make_ready(self) -> None:
        """From nothing to IDLE."""
        self.until_state(RigState.UNHOMED)
        self.commands.home()
        self.until_state(RigState.IDLE)

    def start(self, *parts: HopperPart) -> None:
        """Make ready, fill the hopper, start."""
        self.world.hopper += parts
        self.make_ready()
        self.commands.start()


def whole_rig(
    config: RigConfig | None = None, filled: Mapping[BinId, BinContent] | None = None, **options: Any
) -> WholeRig:
    """A rig that is switched on; nothing has been done yet but what is in its bins already."""
    config = config or config_of()
    clock = ManualClock()
    world = RigWorld(config, clock)
    board = RigBoard(config, clock, world)
    machine = Machine(config, clock, board=board)  # type: ignore[arg-type]
    camera = RigCamera(world)
    recorder = WatchedRecorder(filled=dict(filled or {}), board=board)
    seen: list[Snapshot] = []
    controller = Controller(
        config,
        machine,
        camera,
        StandIn(world, config.look.most_views),  # type: ignore[arg-type]
        recorder,
        clock,
        on_change=seen.append,
        load_recogniser=lambda name: StandIn(world, config.look.most_views, name),  # type: ignore[arg-type,return-value]
        executor=InlineExecutor(),
        **options,
    )
    return WholeRig(config, clock, world, board, camera, recorder, controller, seen)
