"""The command line. What is heavy is imported inside the command that needs it, so that help is instant."""

from __future__ import annotations

import sys

from firmware_bridge.errors import BoardError, Refused, Unhomed
from sorter.camera.errors import CameraError, LockFileRefused, NotAPicture, PicturesEnded
from sorter.cli import console
from sorter.cli.commands import app
from sorter.cli.exit_codes import ExitCode
from sorter.errors import CommandRefused, SorterError


def main() -> None:
    """Run the command line and leave the process with one of ``ExitCode``."""
    try:
        app(prog_name="sorter")
    except SorterError as error:
        console.show_error(error)
        sys.exit(_sorter_code(error))
    except BoardError as error:
        console.show_error(error)
        sys.exit(_board_code(error))


def _sorter_code(error: SorterError) -> ExitCode:
    """What an error of ours means. Its class may belong to a heavy room, which is loaded by then if it was raised."""
    from sorter.app.errors import DemoStuck, RigUnreachable, TwinFailed
    from sorter.cycle.errors import LoopStuck
    from sorter.ledger.errors import LedgerBusy
    from sorter.rig.errors import Interlocked, MotorPowerCut, NotHomed

    if isinstance(error, CommandRefused | LedgerBusy | Interlocked | NotHomed):
        return ExitCode.REFUSED
    is_file = isinstance(error, NotAPicture | PicturesEnded | LockFileRefused)
    is_camera = isinstance(error, CameraError) and not is_file
    is_rig = isinstance(error, MotorPowerCut | RigUnreachable | LoopStuck | TwinFailed | DemoStuck)
    return ExitCode.HARDWARE if is_camera or is_rig else ExitCode.BAD_INPUT


def _board_code(error: BoardError) -> ExitCode:
    if isinstance(error, Unhomed):
        return ExitCode.REFUSED
    return ExitCode.BAD_INPUT if isinstance(error, Refused) else ExitCode.HARDWARE
