"""The world around the board: the feeder, parts in the air, on the table and in the chute, and where they end up.

    world = World(settings, hopper, truth)
    world.advance(BoardState(time_s=0.0))                   # where everything stands at first
    world.advance(BoardState(time_s=1.0, fan_level=160))    # and so on, forward in time

It has no clock and no thread. The same states give the same events, each at its exact instant, and it does not matter
into how many shorter ones a stretch between two states is cut.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from sorter.twin.agenda import Agenda
from sorter.twin.arm import Arm, ArmEvent
from sorter.twin.bad_days import DOUBLE_FEED, BadDays
from sorter.twin.beams import DROPPED, Beams
from sorter.twin.delivery import STANDING_DEG_PER_S, Delivery
from sorter.twin.exposure import Exposure
from sorter.twin.feeder import make_feeder
from sorter.twin.hang import Hang
from sorter.twin.landing import Fall, fall
from sorter.twin.optics import Optics
from sorter.twin.scene import Scene, SeenPart
from sorter.twin.state import Stretch
from sorter.twin.supply import Supply
from sorter.twin.tabletop import Tabletop
from sorter.types.twin import TwinMotor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sorter.twin.landing import Pose2d
    from sorter.twin.scene import Hopper, Part
    from sorter.twin.state import BoardState
    from sorter.twin.truth_file import Detail, Truth
    from sorter.types.twin import TwinSettings

_FOLLOWS_S = (0.04, 0.12)  # a part that another one takes with it
_COLLISIONS = {
    ArmEvent.HITS_TURNTABLE: "the turntable turned while the arm was over it",
    ArmEvent.HITS_CHUTE: "the chute turned while the arm was over the table",
}


class _Moment(NamedTuple):
    share: float
    state: BoardState
    act: Callable[[], None]


@dataclass(frozen=True)
class Census:
    """Where all parts are: how many in the hopper and in each place, and the numbers of the others.

    ``fallen`` has bins, ``beside`` and ``hand``: what somebody has taken.
    """

    hopper: int
    falling: tuple[int, ...]
    on_table: tuple[int, ...]
    leaving: tuple[int, ...]
    hanging: tuple[int, ...]
    fallen: Mapping[str, int]


class World:
    """The world of one twin. One thread at a time.

    Args:
        settings: of the twin.
        hopper: where its parts come from.
        truth: is told what happens.
    """

    def __init__(self, settings: TwinSettings, hopper: Hopper, truth: Truth) -> None:
        self._settings = settings
        self._truth = truth
        self._agenda = Agenda()
        self.optics, self.hang = Optics(), Hang()
        self._supply = Supply(hopper, settings.parts.count, settings.seed)
        self._feeder = make_feeder(settings.feeder, settings.seed)
        self._doubles = 0.0 if settings.feeder.kind == "manual" else settings.feeder.double_share
        self._arm = Arm(settings.park_deg, settings.push_deg)
        self._beams = Beams(settings.sensors or {}, settings.beam_s)
        motors = {"table": settings.turntable}
        if isinstance(settings.chute, TwinMotor):
            motors["chute"] = settings.chute
        self.bad_days = BadDays(
            settings.faults,
            settings.seed,
            motors,
            self._agenda,
            truth,
            beams=self._beams,
            optics=self.optics,
            hang=self.hang,
        )
        self.delivery = Delivery(
            settings,
            self._agenda,
            truth,
            supply=self._supply,
            beams=self._beams,
            bad_days=self.bad_days,
            on_fallen=self._look_whether_empty,
        )
        self.table = Tabletop(self._agenda, truth, self.delivery, self.bad_days)
        self._table_deg_per_s = 0.0
        self._drops = 0
        self._falling: list[tuple[Part, Fall]] = []
        self._has_said_empty = False

    # --- time ---------------------------------------------------------------------------------------------------

    def advance(self, state: BoardState) -> None:
        """Go on to a state; everything has moved there in straight lines from the state before.

        Raises:
            ValueError: it is earlier than the one before.
        """
        if not self._agenda.has_begun:
            self._agenda.go_on(state)
            self._arm.begin(state)
            self._look_whether_empty()
        whole = Stretch(self._at, state)
        if state.time_s < whole.before.time_s:
            raise ValueError(f"the world is at {whole.before.time_s} s, and does not go back to {state.time_s} s")
        turned_deg = state.table_deg - whole.before.table_deg
        self._table_deg_per_s = turned_deg / whole.duration_s if whole.duration_s > 0.0 else 0.0
        while (moment := self._first(Stretch(self._at, state))) is not None:
            self._go_on(moment.state)
            moment.act()
        self._go_on(state)

    def next_s(self) -> float | None:
        """When the next thing happens by itself if all stays as it is; None: nothing does."""
        times_s = [] if self._agenda.first_s is None else [self._agenda.first_s]
        if self._agenda.has_begun and self._supply.left:
            drop_s = self._feeder.due_s(self._at, is_table_free=self._is_table_free)
            if drop_s is not None:
                times_s.append(drop_s)
        return min(times_s, default=None)

    def _first(self, stretch: Stretch) -> _Moment | None:
        """What happens first in a stretch; None: nothing."""
        first: _Moment | None = None
        due_s = self._agenda.first_s
        if due_s is not None and due_s <= stretch.after.time_s:
            share = max(0.0, stretch.share_at(due_s))
            first = _Moment(share, stretch.at(share, due_s), self._agenda.do_first)
        if self._supply.left:
            drop = self._feeder.drop_share(stretch, is_table_free=self._is_table_free)
            if drop is not None and (first is None or drop < first.share):
                first = _Moment(drop, stretch.at(drop), self._drop)
        does = self._arm.first(stretch)
        if does is not None and (first is None or does.share < first.share):
            first = _Moment(does.share, stretch.at(does.share), partial(self._do_arm, does.event))
        slides = self.table.sliding.share(stretch)
        if slides is not None and (first is None or slides < first.share):
            first = _Moment(slides, stretch.at(slides), self.table.slide)
        return first

    def _go_on(self, state: BoardState) -> None:
        stretch = Stretch(self._at, state)
        self._feeder.go_on(stretch, has_parts=self._supply.left > 0, is_table_free=self._is_table_free)
        self._arm.go_on(stretch)
        self.table.go_on(stretch)
        self._agenda.go_on(state)

    # --- feeder and table ---------------------------------------------------------------------------------------

    def _drop(self) -> None:
        self._feeder.begin_part()
        part, chance = self._let_fall()
        if chance.random() < self._doubles:
            self._agenda.after(chance.uniform(*_FOLLOWS_S), self._drop_another)
        follows = self.bad_days.strikes(DOUBLE_FEED, part)
        if follows is not None:
            self._agenda.after(follows.uniform(*_FOLLOWS_S), partial(self._drop_another, because_of=part))

    def _drop_another(self, because_of: Part | None = None) -> None:
        if self._supply.left:
            if because_of is not None:
                self.bad_days.note(DOUBLE_FEED, because_of.number)
            self._let_fall()

    def _let_fall(self) -> tuple[Part, random.Random]:
        """Let the next part fall; returns what else chance may decide of it."""
        fed = self._supply.take()
        self._drops += 1
        chance = random.Random(f"{self._settings.seed}:fall:{self._drops}")  # noqa: S311 - repeatable, not secret
        falling = fall(self._at.time_s, chance)
        part = fed.part
        about: dict[str, Detail] = {"design": part.design, "class": part.class_name, "brick": part.brick}
        about |= {"pose": part.pose, "is_again": fed.is_again}
        self._truth.write("dropped", self._at.time_s, part=part.number, **about)
        self._falling.append((part, falling))
        self._agenda.add(falling.breaks_beam_s, self._break_beam)
        self._agenda.add(falling.touches_s, partial(self._touch, part, falling))
        self.bad_days.fed(part, self._drops)
        return part, chance

    def _touch(self, part: Part, falling: Fall) -> None:
        self._falling.remove((part, falling))
        if self._arm.is_over or not self.table.receive(part, falling):
            self.delivery.leave(part, falling.start, is_for_chute=False)

    # --- the arm ------------------------------------------------------------------------------------------------

    def _do_arm(self, event: ArmEvent) -> None:
        self._arm.note(event)
        if event is ArmEvent.STRIKES:
            self.table.strike(is_standing=abs(self._table_deg_per_s) < STANDING_DEG_PER_S)
        elif event in _COLLISIONS:
            self._truth.write("collision", self._at.time_s, text=_COLLISIONS[event])

    def _look_whether_empty(self) -> None:
        under_way = (self._falling, self.table.lying, self.delivery.leaving, self.delivery.hanging)
        if not (self._has_said_empty or self._supply.left or any(under_way)):
            self._has_said_empty = True
            self._truth.write("empty", self._at.time_s)

    def _break_beam(self) -> None:
        over_s = self._beams.broken(DROPPED, self._at.time_s)
        if over_s is not None:
            self._agenda.add(over_s, lambda: self._beams.look(self._at.time_s))

    # --- what hands do ------------------------------------------------------------------------------------------

    def fill_hopper(self, parts: int) -> None:
        """Put so many parts more into the hopper."""
        self._supply.fill(parts)
        self._has_said_empty = False

    def break_(self, fault: str) -> None:
        """Let a fault happen once, at its next opportunity. ValueError: it cannot happen here."""
        self.bad_days.break_(fault)
        self.table.let_slide()

    def note_hand(self, do: str, **details: Detail) -> None:
        """Write down what hands do."""
        self._truth.write("hand", self._at.time_s, do=do, **details)

    # --- what is seen from outside ------------------------------------------------------------------------------

    @property
    def switches(self) -> Mapping[str, bool]:
        """Levels of the sensors' endstop inputs, by name; another mapping when one changes."""
        return self._beams.switches

    def expose(self, duration_s: float, moments: int = 5) -> Exposure:
        """Open a shutter now; its scenes come while the world goes on."""
        exposure = Exposure(moments)
        exposure.scenes.append(self.scene())
        for moment in range(1, moments):
            at_s = self._at.time_s + duration_s * moment / (moments - 1)
            self._agenda.add(at_s, lambda: exposure.scenes.append(self.scene()))
        return exposure

    def scene(self) -> Scene:
        """What a camera sees now."""
        now = self._at
        gone_s = self._settings.fall_to_chute_s
        seen = [_seen(part, each.start, each.above_mm(now.time_s)) for part, each in self._falling]
        seen += [_seen(each.part, each.pose(now.time_s).turned(now.table_deg)) for each in self.table.lying]
        seen += [_seen(each.part, pose) for each in self.delivery.leaving if (pose := each.seen_at(now.time_s, gone_s))]
        return Scene(now.table_deg % 360.0, tuple(seen))

    def census(self) -> Census:
        """Where all parts are."""
        return Census(
            self._supply.left,
            tuple(part.number for part, _ in self._falling),
            tuple(lying.part.number for lying in self.table.lying),
            tuple(leaving.part.number for leaving in self.delivery.leaving),
            tuple(hanging.part.number for hanging in self.delivery.hanging),
            dict(self.delivery.fallen),
        )

    @property
    def _at(self) -> BoardState:
        """The present state; RuntimeError before the first one."""
        return self._agenda.now

    @property
    def _is_table_free(self) -> bool:
        return not (self.table.lying or self._falling or self._arm.is_over)


def _seen(part: Part, pose: Pose2d, above_mm: float = 0.0) -> SeenPart:
    return SeenPart(part, pose.x_mm, pose.y_mm, pose.yaw_deg, above_mm)
