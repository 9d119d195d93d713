"""Recognition beside motion: one worker does all of it, because a model is for one thread at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any, NamedTuple

from sorter.cycle.errors import LoopStuck

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor, Future

    from sorter.cycle.eyes import Eyes
    from sorter.recognise import Recogniser
    from sorter.types import Decision, Frame, Location, View

_LONGEST_S = 60.0  # of the machine's own clock: a network that takes longer over a view hangs


class Begun(NamedTuple):
    """A view whose recognition has begun, taken with the table at ``angle_deg``."""

    angle_deg: float
    view: Future[View]


class Recognition:
    """The worker. ``executor`` is for tests; it must not do two things at a time."""

    def __init__(self, eyes: Eyes, executor: Executor | None = None) -> None:
        self._eyes = eyes
        self._executor = executor or ThreadPoolExecutor(max_workers=1, thread_name_prefix="recognition")
        self._begun: list[Future[View] | Future[None]] = []

    def look(self, recogniser: Recogniser, frame: Frame, table_deg: float, location: Location | None = None) -> Begun:
        """Begin to recognise what a frame shows; ``location`` if that is known already."""
        background = self._eyes.background(table_deg)
        future = self._executor.submit(recogniser.look, frame, table_deg, background, location=location)
        self._note(future)
        return Begun(table_deg, future)

    def do(self, job: Callable[[], None]) -> None:
        """Begin to do something else that needs no answer."""
        self._note(self._executor.submit(job))

    def close(self) -> None:
        """Drop what has not begun, and end. Raises LoopStuck if what has begun does not end."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        running: list[Future[Any]] = [future for future in self._begun if not future.cancelled()]
        if wait(running, _LONGEST_S).not_done:
            raise LoopStuck(f"recognition has not ended within {_LONGEST_S:g} s", remedy="Start the program anew.")

    def _note(self, future: Future[View] | Future[None]) -> None:
        self._begun = [each for each in self._begun if not each.done()]
        self._begun.append(future)


class Views:
    """The views of one part, in the order in which they were taken; some may not be recognised yet."""

    def __init__(self, recognition: Recognition, recogniser: Recogniser) -> None:
        self._recognition = recognition
        self._recogniser = recogniser
        self._futures: list[Future[View]] = []
        self.angles_deg: list[float] = []

    def __len__(self) -> int:
        return len(self._futures)

    def shoot(self, frame: Frame, table_deg: float) -> None:
        """One more was taken; its recognition begins."""
        self.add(self._recognition.look(self._recogniser, frame, table_deg))

    def add(self, begun: Begun) -> None:
        """One more was taken, and its recognition has begun."""
        self._futures.append(begun.view)
        self.angles_deg.append(begun.angle_deg)

    def so_far(self) -> tuple[View, ...]:
        """Those that are recognised by now."""
        return tuple(future.result() for future in self._futures if future.done())

    def first(self) -> tuple[View, ...]:
        """Wait for the first, then those that are recognised by now."""
        self._futures[0].result(_LONGEST_S)
        return self.so_far()

    def all(self) -> tuple[View, ...]:
        """Wait for all."""
        return tuple(future.result(_LONGEST_S) for future in self._futures)

    def decide(self, views: Sequence[View]) -> Decision:
        """What the part is, as far as these views go."""
        return self._recogniser.decide(views)

    def next_angle(self, candidates_deg: Sequence[float]) -> float | None:
        """Wait for all; then from where (deg) to look next, or None if enough was seen."""
        return self._recogniser.next_angle(self.all(), candidates_deg)
