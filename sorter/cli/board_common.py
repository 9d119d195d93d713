"""What the commands of ``sorter board`` share: options, the connection, and stopping by Ctrl-C."""

from __future__ import annotations

import contextlib
import queue
import re
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from sorter.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from firmware_bridge.board import Board
    from sorter.cli.board_program import Settings

PortOption = Annotated[str, typer.Option("--port", help="The board's device, or auto: the only likely one on USB.")]
BaudOption = Annotated[int, typer.Option("--baud", min=1, help="Bits per second.")]
LogOption = Annotated[
    Path | None, typer.Option("--log", dir_okay=False, help="Write all that crosses the wire to this file, too.")
]
BAUD_RATE = 250_000

_JOIN_S = 10.0
_SETTING = re.compile(r"(?:echo:)?\s*(M92|M203|M201|M204)\b([^;]*)")

Result = TypeVar("Result")


class Interrupted(Exception):  # noqa: N818  (the name says it)
    """Ctrl-C, or its like, and what was done about it."""


def note(text: str) -> None:
    """Print a sentence for whoever watches, on stderr."""
    typer.echo(f"note: {text}", err=True)


def check_log(log: Path | None) -> None:
    """Refuse a log file that cannot be written, before anything is opened."""
    if log is None:
        return
    try:
        log.open("ab").close()
    except OSError as error:
        raise typer.BadParameter(f"{log} cannot be written: {error.strerror}", param_hint="--log") from error


@contextlib.contextmanager
def connected(port: str, baud: int, log: Path | None) -> Iterator[Board]:
    """A connected board, closed at the end; an ``Interrupted`` inside ends the program with 130 once it is closed."""
    from firmware_bridge.board import Board

    check_log(log)
    try:
        with Board(port=port, baud_rate=baud, log_file=log, on_note=note) as board:
            yield board
    except Interrupted as stop:
        typer.echo(str(stop), err=True)
        raise typer.Exit(ExitCode.INTERRUPTED) from None


@contextlib.contextmanager
def signals_to(handler: Callable[[], None]) -> Iterator[None]:
    """Call ``handler`` in the main thread for each SIGINT, SIGTERM and (unless ignored, as by nohup) SIGHUP."""
    before: dict[int, Any] = {}
    for number in (int(signal.SIGINT), int(signal.SIGTERM), int(signal.SIGHUP)):
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, lambda _number, _frame: handler())
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def supervised(board: Board, work: Callable[[], Result], stop: Callable[[], None] | None = None) -> Result:
    """Do ``work`` in a thread, so that Ctrl-C reaches the board at any moment.

    The first one calls ``stop`` (a quick stop by default), the second one makes an emergency stop.

    Raises:
        Interrupted: it was stopped.
        BoardError: what ``work`` met; or the stop itself, and then an emergency stop was made as well.
    """
    from firmware_bridge.errors import BoardError, EmergencyStopped

    news: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()  # may be put to in a signal handler
    presses = 0

    def pressed() -> None:
        nonlocal presses
        presses += 1
        if presses == 1:
            news.put(("stop", None))
        else:
            board.emergency_stop()  # takes no lock and waits for nothing

    def run() -> None:
        try:
            news.put(("done", work()))
        except BaseException as error:  # noqa: BLE001  (raised again in the main thread)
            news.put(("failed", error))

    worker = threading.Thread(target=run, name="board command", daemon=True)
    with signals_to(pressed):
        worker.start()
        kind, what = news.get()
        if kind == "stop":
            typer.echo("stopping; Ctrl-C again makes an emergency stop", err=True)
            try:
                (stop or board.quick_stop)()
                worker.join(_JOIN_S)
            except EmergencyStopped:
                raise Interrupted(EMERGENCY_STOPPED) from None
            except BoardError:
                board.emergency_stop()
                raise
            if presses > 1:
                raise Interrupted(EMERGENCY_STOPPED)
            raise Interrupted("stopped (M410): nothing moves, the motors hold; where the axes stand is not known")
        worker.join(_JOIN_S)
    if kind == "failed":
        raise what
    return what  # type: ignore[no-any-return]


EMERGENCY_STOPPED = (
    "emergency stop: M112 was written past every queue, and a second later the board was reset, which also drops "
    "its outputs and servos"
)


def read_settings(board: Board) -> Settings:
    """What the firmware is set to: from M503, or from M92, M203 and M201 where it does not answer that."""
    from sorter.cli.board_program import Settings, numbers

    found: dict[str, dict[str, float]] = {"M92": {}, "M203": {}, "M201": {}, "M204": {}}

    def read(text: str) -> None:
        for line in board.link.request(text):
            if match := _SETTING.match(line):
                found[match[1]] = {**numbers(f"_ {match[2]}"), **found[match[1]]}

    read("M503 S0")
    for code, values in found.items():
        if not values:
            read(code)
    axes = {code: {axis: value for axis, value in values.items() if axis in "XYZE"} for code, values in found.items()}
    return Settings(axes["M92"], axes["M203"], axes["M201"], found["M204"].get("T", found["M204"].get("S")))


def reported_position(board: Board) -> dict[str, float]:
    """Where the firmware has planned each axis to be (M114), by letter, in its units."""
    from sorter.cli.board_program import numbers

    for line in board.link.request("M114"):
        place, count, _ = line.partition(" Count ")
        if count:
            return {axis: value for axis, value in numbers(f"_ {place.replace(':', '')}").items() if axis in "XYZE"}
    return {}


def position_text(position: dict[str, float]) -> str:
    """``X 90, Y 0``."""
    return ", ".join(f"{axis} {value:g}" for axis, value in position.items()) or "the board does not say"
