"""What calibration can end with.

SorterError
└── CalibrationError           a step did not come to a result; nothing of it was written
    ├── NotMeasured            what was seen does not tell what was to be measured
    ├── StepImpossible         this rig has nothing to do for a step
    ├── FileChanged            somebody else changed rig.toml while a step was going on
    ├── RecordRefused          calibration.json cannot be used
    └── TalkEnded              nobody answers any more
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.errors import SorterError

if TYPE_CHECKING:
    from pathlib import Path


class CalibrationError(SorterError):
    """A step of the calibration did not come to a result; nothing of it was written."""


class NotMeasured(CalibrationError):  # noqa: N818  (the names say it)
    """What was seen does not tell what was to be measured."""


class StepImpossible(CalibrationError):  # noqa: N818
    """This rig has nothing to do for a step."""


class FileChanged(CalibrationError):  # noqa: N818
    """Somebody else changed rig.toml while a step was going on; what was measured may not hold any more."""

    def __init__(self, file: Path) -> None:
        super().__init__(
            f"{file} was changed by somebody else while this step was going on, and nothing was written",
            remedy="Try it again: the step begins anew with what the file says now.",
        )


class RecordRefused(CalibrationError):  # noqa: N818
    """The file of what is done cannot be used; ``file`` is it."""

    def __init__(self, file: Path, reason: str, *, remedy: str | None = None) -> None:
        self.file = file
        told = remedy or "Delete it: only when which step was done is lost with it."
        super().__init__(f"{file} {reason}", remedy=told)


class TalkEnded(CalibrationError):  # noqa: N818
    """Nobody answers any more: the end of the input, or Ctrl-C."""

    def __init__(self, why: str) -> None:
        super().__init__(why, remedy="What was written stays; the same command goes on from there.")
