"""What a step came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sorter.calibrate.view import TableView


@dataclass(frozen=True, eq=False)
class StepResult:
    """What a step came to.

    Args:
        text: a sentence for people.
        seen: how the camera sees the table, with width and height of its frames, where the step measured it.
    """

    text: str
    seen: tuple[TableView, int, int] | None = None
