"""Render a folder of pictures: give numbers to workers, keep what comes back, stop when asked."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from sorter.render.errors import RenderStopped
from sorter.render.folder import opened
from sorter.render.picture import Failed, attempt, render_picture

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from sorter.errors import SorterError
    from sorter.render.folder import RenderFolder
    from sorter.render.picture import PictureJob, RenderedPicture
    from sorter.render.workers import Workers

    Work = Callable[[PictureJob, int], RenderedPicture]
    Running = Future[RenderedPicture | Failed]

_AHEAD = 2  # pieces of work that are given out for each that is done at once: none waits, and memory is bounded
_LOOK_S = 0.2  # so often it is seen whether to stop


class Observer(Protocol):
    """Is told how it goes."""

    def on_begin(self, done: int, count: int) -> None:
        """So many of so many pictures were finished before."""

    def on_picture(self) -> None:
        """One more is finished."""

    def on_notice(self, text: str) -> None:
        """Something that a person has to know."""


@dataclass(frozen=True)
class Outcome:
    """A folder that is finished.

    Args:
        folder: where.
        count: pictures in it.
        rendered: of them, in this run.
        shown: how many pictures show a part of each class.
        without_part: pictures on which nothing is seen of any part; they are not in the dataset's index.
        backend: what rendered them.
    """

    folder: Path
    count: int
    rendered: int
    shown: dict[str, int]
    without_part: int
    backend: str


def render_folder(
    root: Path,
    job: PictureJob,
    count: int,
    *,
    workers: Workers,
    observer: Observer,
    stop: threading.Event,
    work: Work = render_picture,
) -> Outcome:
    """Render what a folder lacks of its first ``count`` pictures; see ``folder.opened`` for how it is begun.

    However often it is stopped, killed and gone on with, and whoever the workers are, the folder ends with the same
    bytes in it, but for the order of the journal's lines.

    Args:
        root: the folder.
        job: what to render.
        count: how many pictures it is to have, 1 or more.
        workers: who renders.
        observer: is told how it goes.
        stop: no new picture is begun once it is set; those under way are kept.
        work: that is done for each number.

    Raises:
        FolderRefused: the folder cannot be used, or not be written to.
        RenderRefused: the work cannot be done; what was finished is kept.
        RenderStopped: ``stop`` was set before the end; what was finished is kept.
    """
    with opened(root, job.settings, observer.on_notice) as folder:
        missing = folder.missing(count)
        observer.on_begin(count - len(missing), count)
        failure = _Rendering(folder, job, workers, observer, stop, work).of(missing)
        folder.publish()
        left = len(folder.missing(count))
        if left and stop.is_set():
            raise RenderStopped(
                f"stopped: {count - left} of {count} pictures are in {root}",
                remedy="Give the same command again to go on.",
            ) from failure
        if failure is not None:
            raise failure
        return _outcome(folder, count, len(missing))


@dataclass(eq=False)
class _Rendering:
    folder: RenderFolder
    job: PictureJob
    workers: Workers
    observer: Observer
    stop: threading.Event
    work: Work
    failure: SorterError | None = None

    def of(self, numbers: Sequence[int]) -> SorterError | None:
        """Render these; what made an end of it before its time, if anything did."""
        left = iter(numbers)
        running: set[Running] = set()
        try:
            while True:
                is_ending = self.failure is not None or self.stop.is_set()
                if is_ending:
                    running = {each for each in running if not each.cancel()}
                else:
                    running |= self._begun(left, len(running))
                if not running:
                    return self.failure
                done, running = wait(running, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
                for each in done:
                    self._finish(each)
                if not done:
                    self._check()
        finally:
            for each in running:
                each.cancel()

    def _begun(self, left: Iterator[int], running: int) -> set[Running]:
        """Give out as many more as are to be given out ahead."""
        begun: set[Running] = set()
        try:
            for number in islice(left, max(0, _AHEAD * self.workers.width - running)):
                begun.add(self.workers.submit(attempt, self.work, self.job, number))
        except self.workers.troubles as error:
            self._fail(error)
        return begun

    def _check(self) -> None:
        try:
            self.workers.check()
        except self.workers.troubles as error:
            self._fail(error)

    def _finish(self, future: Running) -> None:
        try:
            result = future.result()
        except self.workers.troubles as error:
            self._fail(error)
            return
        if isinstance(result, Failed):
            self.failure = self.failure or result.error()
        else:
            self.folder.put(result)
            self.observer.on_picture()

    def _fail(self, error: Exception) -> None:
        if self.failure is None:
            self.failure = self.workers.explain(error)
            self.failure.__cause__ = error


def _outcome(folder: RenderFolder, count: int, rendered: int) -> Outcome:
    shown = dict.fromkeys(folder.settings.class_names, 0)
    entries = list(folder.entries.values())
    for each in entries:
        for class_name in {part.class_name for part in each.labels.parts}:
            shown[class_name] += 1
    return Outcome(
        folder=folder.root,
        count=count,
        rendered=rendered,
        shown=shown,
        without_part=sum(not each.labels.parts for each in entries),
        backend=entries[0].backend,
    )
