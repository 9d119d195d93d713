"""Who renders: processes of this machine, behind ``concurrent.futures``, or a cluster's; see ``cluster`` for that."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

import cv2

from sorter.render.errors import RenderRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

Given = ParamSpec("Given")
Result = TypeVar("Result")


class Workers(Protocol):
    """Does work elsewhere."""

    @property
    def width(self) -> int:
        """How many pieces of work are done at once, at least 1."""
        ...

    def submit(self, work: Callable[Given, Result], /, *arguments: Given.args, **named: Given.kwargs) -> Future[Result]:
        """Have it done; ``work`` is a function of a module, so that other processes find it."""
        ...

    def check(self) -> None:
        """See whether those who work are still there; one of ``troubles`` if they are not."""
        ...

    @property
    def troubles(self) -> tuple[type[Exception], ...]:
        """What a future, ``submit`` or ``check`` ends with if those who work are gone; anything else is a defect."""
        ...

    def explain(self, trouble: Exception, /) -> RenderRefused:
        """What one of those means for an operator."""
        ...


@contextmanager
def processes(count: int) -> Iterator[Workers]:
    """Workers that are processes of this machine, each of them started anew (spawn) when it is first needed.

    They end with the block: after their work, or at once if it is left by an exception. They also end if this process
    is killed.
    """
    before = set(multiprocessing.active_children())
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(count, mp_context=context, initializer=_begin)
    try:
        yield _Processes(executor, count)
    except BaseException:
        for each in set(multiprocessing.active_children()) - before:
            each.kill()
        raise
    finally:
        executor.shutdown(cancel_futures=True)


class _Processes:
    def __init__(self, executor: ProcessPoolExecutor, count: int) -> None:
        self._executor = executor
        self._count = count

    @property
    def width(self) -> int:
        return self._count

    def submit(self, work: Callable[Given, Result], /, *arguments: Given.args, **named: Given.kwargs) -> Future[Result]:
        # It may start a process, which is to be deaf to Ctrl-C from its first moment on: that is for this one alone.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return self._executor.submit(work, *arguments, **named)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    def check(self) -> None:
        """The pool ends every future itself if one of its processes is gone."""

    @property
    def troubles(self) -> tuple[type[Exception], ...]:
        return (BrokenProcessPool,)

    def explain(self, _trouble: Exception, /) -> RenderRefused:
        return RenderRefused(
            "a process that rendered was killed, or ended by itself; where memory runs out, the system does that",
            remedy="Give the same command again to go on, with fewer --processes if it happens again.",
        )


def _begin() -> None:
    """In each process, before its work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, daemon=True, name="end-with-parent").start()


def _end_with_parent() -> None:
    """A pool's processes wait for work for ever if the one that made them is killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
