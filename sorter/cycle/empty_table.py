"""What the empty table looked like when it was learnt, and whether it still looks so.

Three things come of every picture of the empty table, beside the part's way, in the worker: the light on it is compared
with what it was, its marks with where they should be, and the background follows slow changes if both are right. What
is not right is only noted here; before the next part somebody looks again, and asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.vision import learn_marks, light_change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sorter.cycle.eyes import Eyes
    from sorter.cycle.recognition import Recognition
    from sorter.types import Frame, Location, Table
    from sorter.vision import LightChange, Marks

LEAST_FIT = 0.8
"""Of what the marks fit when they were learnt; a table that is off by 2 deg has 0.7 at most, one that is not 0.95 and
more (twelve of the twin's tables, eight angles each)."""


_LEAST_EXPECTED = 0.2  # with less nothing could be told any more


class EmptyTable:
    """See the module. For one thread, but for what it has done by the worker.

    Args:
        eyes: which know the backgrounds.
        recognition: the worker.
        watches_light: another light is something to ask about; else the background follows it.

    Attributes:
        is_known: the table was learnt since its zero was set.
        is_light_suspect: a picture showed another light.
        is_angle_suspect: a picture showed the table's marks elsewhere.
    """

    def __init__(self, eyes: Eyes, recognition: Recognition, *, watches_light: bool = True) -> None:
        self._eyes = eyes
        self._recognition = recognition
        self._watches_light = watches_light
        self._marks: Marks | None = None
        self._light: dict[float, Table] = {}
        self._expected_fit = 1.0
        self._times_learnt = 0
        self.is_known = False
        self.is_light_suspect = False
        self.is_angle_suspect = False

    def learn(self, pictures: Sequence[tuple[float, Sequence[Frame]]]) -> None:
        """Learn it anew, from frames at each angle (deg). Raises ValueError as ``Eyes.learn``."""
        self.forget()
        self._eyes.learn(pictures)
        self._marks = learn_marks(pictures)
        known = {angle_deg: self._eyes.background(angle_deg) for angle_deg, _ in pictures}
        self._light = {angle_deg: each.table for angle_deg, each in known.items() if each is not None}
        self.is_known = True

    def forget(self) -> None:
        """The table's zero is another one: nothing that was learnt is of use."""
        self._times_learnt += 1
        self._marks, self._light, self._expected_fit = None, {}, 1.0
        self.is_known = self.is_light_suspect = self.is_angle_suspect = False

    def note(self, frame: Frame, location: Location, table_deg: float) -> None:
        """The picture shows the empty table: begin to look whether all is as it was."""
        is_due, times_learnt = self._eyes.wants_renewal(table_deg), self._times_learnt

        def compare() -> None:
            if self._times_learnt == times_learnt:
                self._compare(frame, location, table_deg, is_due=is_due)

        self._recognition.do(compare)

    def light(self, location: Location, table_deg: float) -> LightChange | None:
        """How the light on the table differs from what was learnt; None if that cannot be told."""
        learnt = self._light.get(table_deg)
        if learnt is None or location.table is None or learnt.extent.shape != location.table.extent.shape:
            return None
        return light_change(location.table, learnt)

    def fit(self, frame: Frame, table_deg: float) -> float | None:
        """How well the table's marks are where they were, 1 is as ever; None if that cannot be told."""
        if self._marks is None:
            return None
        fit = self._marks.fit(frame, table_deg)
        return None if fit is None else fit / self._expected_fit

    def expect(self, fit: float) -> None:
        """The table stands near enough, and its marks fit no better than this: there is new dust, perhaps."""
        self._expected_fit = max(_LEAST_EXPECTED, self._expected_fit * min(1.0, fit))
        self.is_angle_suspect = False

    def _compare(self, frame: Frame, location: Location, table_deg: float, *, is_due: bool) -> None:
        change, fit = self.light(location, table_deg), self.fit(frame, table_deg)
        is_other_light = self._watches_light and change is not None and change.is_much
        is_elsewhere = fit is not None and fit < LEAST_FIT
        self.is_light_suspect |= is_other_light
        self.is_angle_suspect |= is_elsewhere
        if is_due and not (is_other_light or is_elsewhere):
            self._eyes.renew(table_deg, frame)
