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
        is_left_out: nothing was done, as it was wished; the step is still to be done.
    """

    text: str
    seen: tuple[TableView, int, int] | None = None
    is_left_out: bool = False
