"""What the twin wrote down of what really happened (``sorter.types.twin``), read into journeys of parts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sorter.app.errors import TruthRefused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Journey:
    """One way of a part over the table; a part that is fed again has another one. Times as in the file.

    Args:
        part: its number, the same on each journey.
        design: its design number.
        class_name: what a classifier should call it; None if the network knows no such part.
        brick: which photographed brick it is; None for a sprite.
        pose: in which it lay.
        is_again: it has been on the table before.
        dropped_s: when it fell onto the table.
        landed_s: when it lay still there; None if it never did.
        pushed_s: when the arm struck it, each time.
        fell_s, place: when and where it came to lie, a bin's id, ``beside`` or ``hand``; None: it lies on the table, or
            hangs in the chute.
    """

    part: int
    design: str
    class_name: str | None
    brick: str | None
    pose: str
    is_again: bool
    dropped_s: float
    landed_s: float | None = None
    pushed_s: tuple[float, ...] = ()
    fell_s: float | None = None
    place: str | None = None


@dataclass(frozen=True)
class FaultTruth:
    """A fault that happened: when, what, in the handling of which part (None: nobody's), and its details."""

    at_s: float
    name: str
    part: int | None
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class HandTruth:
    """What hands did: when, what, which parts they took, and the rest (``bins``, ``count``, ``fault``)."""

    at_s: float
    do: str
    parts: tuple[int, ...] = ()
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Truth:
    """The whole file: journeys in the order in which they began, faults and hands in theirs.

    ``empty_s`` is when the hopper was last said to have nothing left, nor anything on its way; None if it never was.
    """

    journeys: tuple[Journey, ...] = ()
    collisions: tuple[str, ...] = ()
    empty_s: float | None = None
    faults: tuple[FaultTruth, ...] = ()
    hands: tuple[HandTruth, ...] = ()

    def is_over(self, recirculate: str | None) -> bool:
        """Whether no part will come any more: none was fed since ``empty_s``, none fell where it is fed again from."""
        if self.empty_s is None:
            return False
        return not any(
            journey.dropped_s > self.empty_s
            or (journey.fell_s is not None and journey.fell_s > self.empty_s and journey.place == recirculate)
            for journey in self.journeys
        )


def read_truth(file: Path) -> Truth:
    """Read the file; a last line that is still being written is passed by. A file that is not there says nothing.

    Raises:
        TruthRefused: it cannot be read, or a line is not what ``sorter.types.twin`` says.
    """
    try:
        lines = file.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return Truth()
    except OSError as error:
        raise TruthRefused(file, None, f"cannot be read: {error.strerror or error}") from error
    reading = _Reading()
    for number, line in enumerate(lines, start=1):
        if not line.endswith(b"\n"):
            break
        try:
            reading.add(json.loads(line))
        except KeyError as error:
            raise TruthRefused(file, number, f"has no {error}, or tells of a part that is not there") from error
        except (ValueError, TypeError) as error:
            raise TruthRefused(file, number, str(error)) from error
    return Truth(
        journeys=tuple(reading.journeys),
        collisions=tuple(reading.collisions),
        empty_s=reading.empty_s,
        faults=tuple(reading.faults),
        hands=tuple(reading.hands),
    )


class _Reading:
    def __init__(self) -> None:
        self.journeys: list[Journey] = []
        self.collisions: list[str] = []
        self.empty_s: float | None = None
        self.faults: list[FaultTruth] = []
        self.hands: list[HandTruth] = []
        self._latest: dict[int, int] = {}  # by part, where its present journey stands in the list

    def add(self, event: dict[str, Any]) -> None:
        at_s = float(event["at_s"])
        match event["event"]:
            case "dropped":
                self._latest[event["part"]] = len(self.journeys)
                self.journeys.append(
                    Journey(
                        part=event["part"],
                        design=event["design"],
                        class_name=event["class"],
                        brick=event["brick"],
                        pose=event["pose"],
                        is_again=event["is_again"],
                        dropped_s=at_s,
                    )
                )
            case "landed":
                self._change(event, landed_s=at_s)
            case "pushed":
                pushed_s = self.journeys[self._latest[event["part"]]].pushed_s
                self._change(event, pushed_s=(*pushed_s, at_s))
            case "fell":
                self._change(event, fell_s=at_s, place=event["place"])
            case "collision":
                self.collisions.append(event["text"])
            case "empty":
                self.empty_s = at_s
            case "fault":
                details = _others(event, "name", "part")
                self.faults.append(FaultTruth(at_s, event["name"], event["part"], details))
            case "hand":
                details = _others(event, "do", "parts")
                self.hands.append(HandTruth(at_s, event["do"], tuple(event.get("parts", ())), details))
            case other:
                raise ValueError(f"knows no event {other!r}")

    def _change(self, event: dict[str, Any], **values: Any) -> None:
        place = self._latest[event["part"]]
        self.journeys[place] = replace(self.journeys[place], **values)


def _others(event: dict[str, Any], *known: str) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in ("event", "at_s", *known)}
