"""What pictures are called in the folder of pictures. Pure."""

from __future__ import annotations

from sorter.ledger.schema import NO_RUN


def view_name(run: int | None, part: int, view: int) -> str:
    """A part's crop of one view."""
    return f"parts/{run or NO_RUN}/{part}-{view}.jpg"


def frame_name(run: int | None, part: int) -> str:
    """The whole frame of a part's first view."""
    return f"parts/{run or NO_RUN}/{part}-frame.jpg"


def incident_name(incident: int) -> str:
    """What the machine saw."""
    return f"incidents/{incident}.jpg"
