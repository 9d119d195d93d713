"""The lines of the journal: what is written down of a part, and when. Pure.

``at_s`` is the host's monotonic clock (seconds; comparable within one boot of the machine, over all its programs),
``at`` the time on the wall, in UTC.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003  (pydantic reads the annotations)
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from sorter.types import OutcomeKind, RejectReason  # noqa: TC001

_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
_PartNumber = Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class Opened:
    """A part is on the table."""

    part: _PartNumber
    at_s: float
    at: datetime
    line: Literal["opened"] = "opened"

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class Intended:
    """The part is about to be pushed.

    Args:
        part: which.
        at_s, at: when.
        bin: towards which bin.
        class_name: what it was taken for; None if it is rejected.
        reject_reason: why it is rejected.
        likeliest: the most probable class, decided for or not; None if no view could be used.
        probability: of that one.
        colour: its LEGO colour, where that was seen.
        views: how many went into the decision.
    """

    part: _PartNumber
    at_s: float
    at: datetime
    bin: str
    class_name: str | None
    reject_reason: RejectReason | None
    likeliest: str | None
    probability: float | None
    colour: str | None
    views: Annotated[int, Field(ge=0)]
    line: Literal["intended"] = "intended"

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class Finished:
    """The part is done with.

    Args:
        part: which.
        at_s, at: when.
        kind: what became of it.
        bin: where it is, or None where nobody knows.
        stage_s: seconds of each stage, by the rig's clock.
    """

    part: _PartNumber
    at_s: float
    at: datetime
    kind: OutcomeKind
    bin: str | None
    stage_s: dict[str, float]
    line: Literal["finished"] = "finished"

    __pydantic_config__ = _STRICT

    def __post_init__(self) -> None:
        """Refuse seconds that JSON cannot hold."""
        wrong = {stage: seconds for stage, seconds in self.stage_s.items() if not math.isfinite(seconds)}
        if wrong:
            raise ValueError(f"stage_s: seconds are finite, got {wrong}")


Entry = Annotated[Opened | Intended | Finished, Field(discriminator="line")]

_READER: TypeAdapter[Opened | Intended | Finished] = TypeAdapter(Entry)


def to_line(entry: Opened | Intended | Finished) -> bytes:
    """The entry as one line of JSON, newline included."""
    return _READER.dump_json(entry) + b"\n"


def from_line(line: bytes) -> Opened | Intended | Finished:
    """Read one line.

    Raises:
        ValueError: it is none of these; says what is wrong.
    """
    try:
        return _READER.validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise ValueError(": ".join([*([where] if where else []), first["msg"]])) from error
