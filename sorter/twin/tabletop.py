"""What lies on the table: it comes to lie, slides, is struck, stays under the arm all the same, or is taken."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from sorter.twin.bad_days import EJECTOR_MISS, SLIDE, STUCK, BadDays, Stage
from sorter.twin.landing import SETTLE_S, Fall, Lying, landing
from sorter.twin.sliding import Sliding, is_over_the_rim, slide

if TYPE_CHECKING:
    from sorter.twin.agenda import Agenda
    from sorter.twin.delivery import Delivery
    from sorter.twin.scene import Part
    from sorter.twin.state import Stretch
    from sorter.twin.truth_file import Truth

_STUCK_PUSHES = ((1, 0.5), (2, 0.2), (3, 0.1), (math.inf, 0.2))  # so many pushes a part withstands, and how often
_MISSED_BESIDE = 0.35  # share of pushes that miss which shove the part off beside


class Tabletop:
    """The parts on the table.

    Args:
        agenda: what is due.
        truth: is told what happens.
        delivery: takes the parts that leave the table.
        bad_days: what goes wrong.
    """

    def __init__(self, agenda: Agenda, truth: Truth, delivery: Delivery, bad_days: BadDays) -> None:
        self._agenda = agenda
        self._truth = truth
        self._delivery = delivery
        self._bad_days = bad_days
        self._withstands: dict[int, float] = {}  # by part that is stuck, how many more pushes
        self.sliding = Sliding()
        self.lying: list[Lying] = []

    def receive(self, part: Part, falling: Fall) -> bool:
        """A part touches the table; returns whether it stays there."""
        now = self._agenda.now
        lying = landing(part, falling, now.table_deg, self.lying)
        if lying is None:
            return False
        self.lying.append(lying)
        self._agenda.after(SETTLE_S, partial(self._settle, lying))
        return True

    def strike(self, *, is_standing: bool) -> None:
        """The arm strikes all that lies there; parts on a table that stands go into the chute."""
        now = self._agenda.now
        for lying in tuple(self.lying):
            part = lying.part
            missed = self._bad_days.strikes(EJECTOR_MISS, part)
            is_shoved = missed is not None and missed.random() < _MISSED_BESIDE
            if missed is not None:
                self._bad_days.note(EJECTOR_MISS, part.number, is_beside=is_shoved)
                if not is_shoved:
                    continue
            self._truth.write("pushed", now.time_s, part=part.number)
            self._bad_days.reached(part, Stage.PUSHED)
            if is_shoved or not self._does_withstand(part):
                self._lift(lying)
                pose = lying.pose(now.time_s).turned(now.table_deg)
                self._delivery.leave(part, pose, is_for_chute=is_standing and not is_shoved)

    def take(self) -> tuple[Part, ...]:
        """Take all parts off the table; they are still to be laid somewhere."""
        taken = tuple(self.lying)
        for each in taken:
            self._lift(each)
        return tuple(each.part for each in taken)

    def let_slide(self) -> None:
        """A part that lies still, if there is one, will slide when the table turns, if one is to."""
        for lying in self.lying:
            if self._agenda.now.time_s >= lying.touched_s + SETTLE_S:
                self._let_slide(lying)

    def slide(self) -> None:
        """The next part slides."""
        number, chance = self.sliding.take()
        lying = next(each for each in self.lying if each.part.number == number)
        self.lying.remove(lying)
        slides = slide(lying, self._agenda.now.time_s, self.lying, chance)
        self.lying.append(slides)
        is_off = is_over_the_rim(slides)
        self._bad_days.note(SLIDE, number, to_mm=math.hypot(slides.goal.x_mm, slides.goal.y_mm), is_off=is_off)
        if is_off:
            self._agenda.after(SETTLE_S, partial(self._fall_off, slides))

    def go_on(self, stretch: Stretch) -> None:
        """Take note that a stretch is over."""
        self.sliding.go_on(stretch)

    def _settle(self, lying: Lying) -> None:
        if any(each is lying for each in self.lying):
            self._truth.write("landed", self._agenda.now.time_s, part=lying.part.number)
            self._bad_days.reached(lying.part, Stage.LANDED)
            self._let_slide(lying)

    def _let_slide(self, lying: Lying) -> None:
        chance = self._bad_days.strikes(SLIDE, lying.part)
        if chance is not None:
            self.sliding.add(lying.part, chance)

    def _fall_off(self, slides: Lying) -> None:
        if any(each is slides for each in self.lying):
            self._lift(slides)
            pose = slides.goal.turned(self._agenda.now.table_deg)
            self._delivery.leave(slides.part, pose, is_for_chute=False)

    def _lift(self, lying: Lying) -> None:
        """A part is on the table no more."""
        self.lying.remove(lying)
        self.sliding.forget(lying.part)
        self._withstands.pop(lying.part.number, None)

    def _does_withstand(self, part: Part) -> bool:
        """Whether a part that is struck stays all the same."""
        if part.number not in self._withstands:
            stuck = self._bad_days.strikes(STUCK, part)
            if stuck is None:
                return False
            pushes, weights = zip(*_STUCK_PUSHES, strict=True)
            times = stuck.choices(pushes, weights)[0]
            self._withstands[part.number] = times
            self._bad_days.note(STUCK, part.number, pushes=None if math.isinf(times) else int(times))
        self._withstands[part.number] -= 1.0
        return self._withstands[part.number] >= 0.0
