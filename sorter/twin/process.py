"""The twin as a process: ``python -m sorter.twin SETTINGS.json``; see ``sorter.types.twin`` for what it promises.

It ends with 0 when it is told to (SIGTERM, SIGINT, the end of its standard input if that is a pipe or socket), with 2
for settings that no twin can be made of, and with 1 if it breaks. Errors are one line of JSON on standard error.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import select
import signal
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Self

import cv2

from firmware_bridge.emulator import EmulatedBoard
from sorter.errors import SorterError
from sorter.twin.around import Around
from sorter.twin.board import twin_board
from sorter.twin.errors import TwinRefused
from sorter.twin.exposure import Shutter
from sorter.twin.frames import FrameServer
from sorter.twin.hand_work import HandWork
from sorter.twin.hands_server import HandsServer
from sorter.twin.optics import Lens
from sorter.twin.pictures import make_pictures
from sorter.twin.truth_file import TruthFile
from sorter.twin.world import World
from sorter.types.twin import TwinSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_BROKEN, _REFUSED = 1, 2
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LOOK_S = 0.5  # whether the twin still lives
_READ_BYTES = 65536
_MOST_BYTES = 10_000_000


class Twin:
    """A whole twin: a board on a pty, the world around it, a camera at a socket, hands at another if it has any.

    Use it as a context manager.

    Args:
        settings: what it is.

    Raises:
        SorterError: the settings contradict themselves, or name what is not there.
    """

    def __init__(self, settings: TwinSettings) -> None:
        self.settings = settings
        how = twin_board(settings)
        hopper, maker = make_pictures(settings)
        self._truth = TruthFile(Path(settings.truth), self._host_s)
        self.world = World(settings, hopper, self._truth)
        self._around = Around(how, self.world)
        self.board = EmulatedBoard(
            how.settings,
            seed=settings.seed,
            speed=settings.speed,
            link=Path(settings.port_link),
            surroundings=self._around,
            on_fault=self.world.bad_days.fired,
            is_link_lasting=True,
            keeps_executed=False,
        )
        self.world.bad_days.inside = self.board.inside
        shutter = Shutter(
            self.board,
            self.world,
            maker,
            settings.camera.exposure_s,
            look=self.world.optics.look,
            lens=Lens(seed=settings.seed),
        )
        self._frames = FrameServer(Path(settings.socket), shutter.take, self.world.hang)
        self._hands: HandsServer | None = None
        if settings.hands is not None:
            work = HandWork(self.world, self.board, [each.id for each in settings.bins])
            self._hands = HandsServer(Path(settings.hands), work.do)
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        """Begin to live.

        Raises:
            TwinRefused: the link for the port cannot be made.
            SocketRefused: the camera's socket cannot be, or that of the hands.
        """
        with self._open as opening:
            opening.enter_context(self._truth)
            try:
                opening.enter_context(self.board)
            except OSError as error:
                raise TwinRefused(
                    f"port_link: {self.settings.port_link} cannot be made: {error.strerror or error}",
                    remedy="Name a link in a folder that there is, and where no file of that name stands.",
                ) from error
            self._frames.start()
            opening.callback(self._frames.stop)
            if self._hands is not None:
                self._hands.start()
                opening.callback(self._hands.stop)
            self._open = opening.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """End: close the socket and the port, remove both, close the file.

        Raises:
            RuntimeError: a thread has failed, or does not end.
        """
        self._open.close()

    @property
    def failure(self) -> BaseException | None:
        """What has broken; None while the twin lives."""
        hands = None if self._hands is None else self._hands.failure
        return self._around.failure or self.board.failure or self._frames.failure or hands

    def _host_s(self, board_s: float) -> float:
        return self.board.host_s(board_s)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise TwinRefused(message, remedy=f"Call it as: {self.format_usage().removeprefix('usage: ').strip()}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns its exit code."""
    cv2.setNumThreads(1)  # the rig has work of its own to do beside
    with _stopping() as stop:
        try:
            parser = _Parser(prog="python -m sorter.twin", description="Simulate a whole rig until told to stop.")
            parser.add_argument("settings", type=Path, metavar="SETTINGS.json", help="see sorter/types/twin.py")
            settings = read_settings(parser.parse_args(arguments).settings)
            with Twin(settings) as twin:
                ready = {"port": str(twin.board.path), "socket": settings.socket}
                if settings.hands is not None:
                    ready["hands"] = settings.hands
                print(json.dumps(ready), flush=True)
                stop.wait(twin)
        except SorterError as error:
            return _say(error.as_dict(), _REFUSED)
        except (OSError, RuntimeError) as error:
            cause = error.__cause__ or error
            remedy = "Start the twin again; if it happens again, report it with its settings file."
            return _say({"kind": type(cause).__name__, "message": str(cause), "remedy": remedy}, _BROKEN)
    return 0


def read_settings(path: Path) -> TwinSettings:
    """Read a settings file.

    Raises:
        TwinRefused: it cannot be read, or is no settings file.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES)
    except OSError as error:
        raise TwinRefused(f"{path} cannot be read: {error.strerror}", remedy="Name a twin's settings file.") from error
    try:
        return TwinSettings.from_json(text)
    except ValueError as error:
        raise TwinRefused(f"{path}: {error}", remedy="Mend it and start again; nothing was started.") from error


class _Stop:
    """What tells the process to end: a signal, or its standard input."""

    def __init__(self, signalled: int, stdin: int | None) -> None:
        self._signalled = signalled
        self._stdin = stdin

    def wait(self, twin: Twin) -> None:
        """Return when the process is told to end. RuntimeError: the twin has failed."""
        watched = [self._signalled] + ([self._stdin] if self._stdin is not None else [])
        while twin.failure is None:
            ready, _, _ = select.select(watched, [], [], _LOOK_S)
            if self._signalled in ready or (ready and not _read(ready[0])):
                return
        raise RuntimeError("the twin has failed") from twin.failure


def _read(descriptor: int) -> bytes:
    """What there is to be read; nothing at its end, also where it ended by an error."""
    try:
        return os.read(descriptor, _READ_BYTES)
    except OSError:
        return b""


@contextlib.contextmanager
def _stopping() -> Iterator[_Stop]:
    """Take the signals from here on, so that one that comes early is not lost and nothing is left half made."""
    reads, writes = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    before = {number: signal.signal(number, lambda *_: None) for number in _STOP_SIGNALS}
    woken_before = signal.set_wakeup_fd(writes, warn_on_full_buffer=False)
    try:
        yield _Stop(reads, _stdin())
    finally:
        signal.set_wakeup_fd(woken_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reads)
        os.close(writes)


def _stdin() -> int | None:
    """Standard input if its end says something: a terminal or a file says nothing."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return None
    return 0 if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) else None


def _say(what: dict[str, object], code: int) -> int:
    print(json.dumps(what, ensure_ascii=False), file=sys.stderr, flush=True)
    return code
