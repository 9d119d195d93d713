"""A run from its beginning to its end, and the plan and model that it goes by; for one thread."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sorter.errors import SorterError

if TYPE_CHECKING:
    from sorter.cycle.station import Station
    from sorter.cycle.tally import Tally
    from sorter.recognise import Recogniser
    from sorter.types import SortPlan


class Runs:
    """Tells recorder and tally. What raises here, raises a ``SorterError``; then all is as it was.

    Attributes:
        next_plan, next_recogniser: what takes effect with the next part, if anything does.
    """

    def __init__(self, station: Station, tally: Tally) -> None:
        self._station = station
        self._tally = tally
        self._is_open = False
        self.next_plan: SortPlan | None = None
        self.next_recogniser: Recogniser | None = None

    @property
    def model(self) -> str:
        """The name of the one in use."""
        return self._station.recogniser.model.card.name

    def begin(self) -> None:
        """One begins."""
        self.take_up_news()
        plan = self._station.plan
        run = self._station.recorder.begin_run(plan, self.model)
        self._is_open = True
        self._tally.start(run, plan.name)

    def end(self) -> None:
        """It is over; if that cannot be written down, the next one's beginning ends it."""
        self._tally.rest()
        self._is_open = False
        with suppress(SorterError):
            self._station.recorder.end_run()

    def take_up_news(self) -> None:
        """Sort and recognise by what was set last; not while a part is under way."""
        station = self._station
        if self.next_plan is not None:
            if self._is_open:
                station.recorder.use_plan(self.next_plan)
            station.plan, self.next_plan = self.next_plan, None
            self._tally.use_plan(station.plan.name)
        if self.next_recogniser is not None:
            if self._is_open:
                station.recorder.use_model(self.next_recogniser.model.card.name)
            station.recogniser, self.next_recogniser = self.next_recogniser, None
