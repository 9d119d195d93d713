"""The world around the board: the feeder, parts in the air, on the table and in the chute, and where they end up.

    world = World(settings, hopper, truth)
    world.advance(BoardState(time_s=0.0))                   # where everything stands at first
    world.advance(BoardState(time_s=1.0, fan_level=160))    # and so on, forward in time

It has no clock and no thread. The same states give the same events, each at its exact instant, and it does not matter
into how many shorter ones a stretch between two states is cut.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from sorter.twin.arm import Arm, ArmEvent
from sorter.twin.beams import Beams
from sorter.twin.delivery import STANDING_DEG_PER_S, Chute, Leaving
from sorter.twin.exposure import Exposure
from sorter.twin.feeder import make_feeder
from sorter.twin.landing import SETTLE_S, Fall, Lying, fall, landing
from sorter.twin.scene import Scene, SeenPart
from sorter.twin.state import Stretch
from sorter.twin.supply import Supply

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
    """Where all parts are: how many in the hopper and in each place, and the numbers of the others."""

    hopper: int
    falling: tuple[int, ...]
    on_table: tuple[int, ...]
    leaving: tuple[int, ...]
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
        self._supply = Supply(hopper, settings.parts.count, settings.seed)
        self._feeder = make_feeder(settings.feeder, settings.seed)
        self._doubles = 0.0 if settings.feeder.kind == "manual" else settings.feeder.double_share
        self._arm = Arm(settings.park_deg, settings.push_deg)
        self._chute = Chute(settings.bins, None if settings.chute is None else settings.chute_window_deg)
        self._beams = Beams(settings.sensors or {}, settings.beam_s)
        self._now: BoardState | None = None
        self._table_deg_per_s = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._drops = 0
        self._falling: list[tuple[Part, Fall]] = []
        self._lying: list[Lying] = []
        self._leaving: list[Leaving] = []
        self._fallen: dict[str, int] = {}
        self._has_said_empty = False

    # --- time ---------------------------------------------------------------------------------------------------

    def advance(self, state: BoardState) -> None:
        """Go on to a state; everything has moved there in straight lines from the state before.

        Raises:
            ValueError: it is earlier than the one before.
        """
        if self._now is None:
            self._now = state
            self._arm.begin(state)
            self._look_whether_empty()
        if state.time_s < self._now.time_s:
            raise ValueError(f"the world is at {self._now.time_s} s, and does not go back to {state.time_s} s")
        whole = Stretch(self._now, state)
        turned_deg = state.table_deg - self._now.table_deg
        self._table_deg_per_s = turned_deg / whole.duration_s if whole.duration_s > 0.0 else 0.0
        while (moment := self._first(Stretch(self._now, state))) is not None:
            self._go_on(moment.state)
            moment.act()
        self._go_on(state)

    def next_s(self) -> float | None:
        """When the next thing happens by itself if all stays as it is; None: nothing does."""
        times_s = [self._due[0][0]] if self._due else []
        if self._now is not None and self._supply.left:
            drop_s = self._feeder.due_s(self._now, is_table_free=self._is_table_free)
            if drop_s is not None:
                times_s.append(drop_s)
        return min(times_s, default=None)

    def _first(self, stretch: Stretch) -> _Moment | None:
        """What happens first in a stretch; None: nothing."""
        first: _Moment | None = None
        if self._due and self._due[0][0] <= stretch.after.time_s:
            due_s = self._due[0][0]
            share = max(0.0, stretch.share_at(due_s))
            first = _Moment(share, stretch.at(share, due_s), self._do_due)
        if self._supply.left:
            drop = self._feeder.drop_share(stretch, is_table_free=self._is_table_free)
            if drop is not None and (first is None or drop < first.share):
                first = _Moment(drop, stretch.at(drop), self._drop)
        does = self._arm.first(stretch)
        if does is not None and (first is None or does.share < first.share):
            first = _Moment(does.share, stretch.at(does.share), partial(self._do_arm, does.event))
        return first

    def _go_on(self, state: BoardState) -> None:
        stretch = Stretch(self._at, state)
        self._feeder.go_on(stretch, has_parts=self._supply.left > 0, is_table_free=self._is_table_free)
        self._arm.go_on(stretch)
        self._now = state

    def _do_due(self) -> None:
        heapq.heappop(self._due)[2]()

    def _schedule(self, time_s: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._due, (time_s, next(self._order), act))

    # --- feeder and table ---------------------------------------------------------------------------------------

    def _drop(self) -> None:
        self._feeder.begin_part()
        chance = self._let_fall()
        if chance.random() < self._doubles:
            self._schedule(self._at.time_s + chance.uniform(*_FOLLOWS_S), self._drop_another)

    def _drop_another(self) -> None:
        if self._supply.left:
            self._let_fall()

    def _let_fall(self) -> random.Random:
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
        self._schedule(falling.breaks_beam_s, partial(self._break_beam, "dropped"))
        self._schedule(falling.touches_s, partial(self._touch, part, falling))
        return chance

    def _touch(self, part: Part, falling: Fall) -> None:
        now = self._at
        self._falling.remove((part, falling))
        lying = None if self._arm.is_over else landing(part, falling, now.table_deg, self._lying)
        if lying is None:
            self._leave(Leaving(part, falling.start, now.time_s, is_for_chute=False))
            return
        self._lying.append(lying)
        self._schedule(now.time_s + SETTLE_S, partial(self._settle, lying))

    def _settle(self, lying: Lying) -> None:
        if any(each is lying for each in self._lying):
            self._truth.write("landed", self._at.time_s, part=lying.part.number)

    # --- arm, chute and bins ------------------------------------------------------------------------------------

    def _do_arm(self, event: ArmEvent) -> None:
        self._arm.note(event)
        if event is ArmEvent.STRIKES:
            self._strike()
        elif event in _COLLISIONS:
            self._truth.write("collision", self._at.time_s, text=_COLLISIONS[event])

    def _strike(self) -> None:
        now = self._at
        struck, self._lying = self._lying, []
        for lying in struck:
            self._truth.write("pushed", now.time_s, part=lying.part.number)
            pose = lying.pose(now.time_s).turned(now.table_deg)
            is_for_chute = abs(self._table_deg_per_s) < STANDING_DEG_PER_S
            self._leave(Leaving(lying.part, pose, now.time_s, is_for_chute=is_for_chute))

    def _leave(self, leaving: Leaving) -> None:
        self._leaving.append(leaving)
        if leaving.is_for_chute:
            self._schedule(self._at.time_s + self._settings.fall_to_chute_s, partial(self._enter_chute, leaving))
        self._schedule(self._at.time_s + self._settings.fall_s, partial(self._lie, leaving))

    def _enter_chute(self, leaving: Leaving) -> None:
        leaving.bin_id = self._chute.bin_at(self._at.chute_deg)
        self._break_beam("in_chute")

    def _lie(self, leaving: Leaving) -> None:
        place = leaving.place(self._chute.bin_at(self._at.chute_deg))
        self._leaving.remove(leaving)
        self._truth.write("fell", self._at.time_s, part=leaving.part.number, place=place)
        if place == self._settings.recirculate:
            self._supply.put_back(leaving.part)
        else:
            self._fallen[place] = self._fallen.get(place, 0) + 1
        self._look_whether_empty()

    def _look_whether_empty(self) -> None:
        if not (self._has_said_empty or self._supply.left or self._falling or self._lying or self._leaving):
            self._has_said_empty = True
            self._truth.write("empty", self._at.time_s)

    def _break_beam(self, name: str) -> None:
        over_s = self._beams.broken(name, self._at.time_s)
        if over_s is not None:
            self._schedule(over_s, lambda: self._beams.look(self._at.time_s))

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
            self._schedule(at_s, lambda: exposure.scenes.append(self.scene()))
        return exposure

    def scene(self) -> Scene:
        """What a camera sees now."""
        now = self._at
        gone_s = self._settings.fall_to_chute_s
        seen = [_seen(part, each.start, each.above_mm(now.time_s)) for part, each in self._falling]
        seen += [_seen(each.part, each.pose(now.time_s).turned(now.table_deg)) for each in self._lying]
        seen += [_seen(each.part, pose) for each in self._leaving if (pose := each.seen_at(now.time_s, gone_s))]
        return Scene(now.table_deg % 360.0, tuple(seen))

    def census(self) -> Census:
        """Where all parts are."""
        return Census(
            self._supply.left,
            tuple(part.number for part, _ in self._falling),
            tuple(lying.part.number for lying in self._lying),
            tuple(leaving.part.number for leaving in self._leaving),
            dict(self._fallen),
        )

    @property
    def _at(self) -> BoardState:
        """The present state; RuntimeError before the first one."""
        if self._now is None:
            raise RuntimeError("the world has not begun: it has not been told where everything stands")
        return self._now

    @property
    def _is_table_free(self) -> bool:
        return not (self._lying or self._falling or self._arm.is_over)


def _seen(part: Part, pose: Pose2d, above_mm: float = 0.0) -> SeenPart:
    return SeenPart(part, pose.x_mm, pose.y_mm, pose.yaw_deg, above_mm)
