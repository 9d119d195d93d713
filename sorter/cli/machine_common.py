"""What commands that move a rig by its rig.toml share: the machine, Ctrl-C, and how axes are told."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeVar

import typer

from sorter.cli.board_common import EMERGENCY_STOPPED, Interrupted, check_log, note, signals_to
from sorter.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from sorter.config import RigConfig
    from sorter.rig import Machine
    from sorter.types import AxisStatus

ConfigOption = Annotated[Path, typer.Option("--config", help="The rig's own file.")]
RIG_TOML = Path("rig.toml")

_JOIN_S = 10.0

Result = TypeVar("Result")


class Stoppable(Protocol):
    """What moves, and can be stopped from any thread."""

    def quick_stop(self) -> None:
        """Stop all motion; what is under way ends with an error."""

    def emergency_stop(self) -> bool:
        """Stop everything now; whether M112 was written at once."""


@contextlib.contextmanager
def machine_of(config: RigConfig, log: Path | None) -> Iterator[Machine]:
    """A rig's motion, and closed at the end; connecting it belongs to what Ctrl-C is to stop."""
    from sorter.clock import RealClock
    from sorter.rig import Machine

    check_log(log)
    machine = Machine(config, RealClock(), on_note=note, log_file=log)
    try:
        yield machine
    finally:
        machine.close()


@contextlib.contextmanager
def ends_when_interrupted() -> Iterator[None]:
    """An ``Interrupted`` inside ends the program with 130, once all inside is closed."""
    try:
        yield
    except Interrupted as stop:
        typer.echo(str(stop), err=True)
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def stopped_by_ctrl_c(
    target: Stoppable, work: Callable[[], Result], *, is_emergency: Callable[[], bool] = lambda: False
) -> Result:
    """Do ``work`` in a thread, so that Ctrl-C reaches the board at any moment.

    The first one makes a quick stop, or an emergency stop if ``is_emergency`` says that the board would hear nothing
    else in time; the second one always makes an emergency stop.

    Raises:
        Interrupted: it was stopped.
        SorterError, BoardError: what ``work`` met.
    """
    from firmware_bridge.errors import BoardError, EmergencyStopped

    news: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()  # may be put to in a signal handler
    presses = 0
    was_written: bool | None = None  # by an emergency stop; None: there was none

    def pressed() -> None:
        nonlocal presses, was_written
        presses += 1
        if presses > 1 or is_emergency():
            was_written = target.emergency_stop() or bool(was_written)  # takes no lock and waits for nothing
        news.put(("stop", None))

    def run() -> None:
        try:
            news.put(("done", work()))
        except BaseException as error:  # noqa: BLE001  (raised again in the main thread)
            news.put(("failed", error))

    worker = threading.Thread(target=run, name="rig command", daemon=True)
    with signals_to(pressed):
        worker.start()
        kind, what = news.get()
        if kind == "failed" and isinstance(what, EmergencyStopped) and presses:
            kind = "stop"  # the stop was faster than the word of it
        if kind == "stop":
            if was_written is None:
                typer.echo("stopping; Ctrl-C again makes an emergency stop", err=True)
                try:
                    target.quick_stop()
                except EmergencyStopped:
                    pass  # by a second press
                except BoardError:
                    target.emergency_stop()
                    raise
            worker.join(_JOIN_S)
            raise Interrupted({None: _STOPPED, True: EMERGENCY_STOPPED, False: _NOT_WRITTEN}[was_written])
        worker.join(_JOIN_S)
    if kind == "failed":
        raise what
    return what  # type: ignore[no-any-return]


_STOPPED = "stopped: nothing moves, the motors hold; where the axes stand is not known"
_NOT_WRITTEN = (
    "stopped, but M112 could not be written at once, as to a board that is not connected; if anything moves, open the "
    "switch in the motors' supply"
)


def axes_data(axes: tuple[AxisStatus, ...]) -> list[dict[str, Any]]:
    """Plain values."""
    return [
        {"name": each.name, "position_deg": round(each.position_deg, 4), "is_homed": each.is_homed} for each in axes
    ]


def axes_text(axes: tuple[AxisStatus, ...]) -> str:
    """A line for each axis."""
    return "\n".join(
        f"{each.name}: {each.position_deg:g} deg" if each.is_homed else f"{each.name}: not homed" for each in axes
    )
