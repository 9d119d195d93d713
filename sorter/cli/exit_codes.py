"""What the exit code says; docs/cli.md has the same table."""

from __future__ import annotations

import enum


class ExitCode(enum.IntEnum):
    """One meaning a number, the same for every command."""

    OK = 0  # done
    DEFECT = 1  # the program itself is wrong: a traceback is on stderr
    USAGE = 2  # no such command, option or value
    BAD_INPUT = 3  # a file is refused: config, model, picture, archive
    HARDWARE = 4  # board or camera does not answer as it must
    FINDINGS = 5  # it ran to its end and found something that is wrong
    REFUSED = 6  # not in the rig's present state
    INTERRUPTED = 130  # Ctrl-C
