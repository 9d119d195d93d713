"""What rigs write down, made up; and what a ledger says of itself, put together for comparison."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from sorter.ledger import LEDGER_FILE, Ledger
from sorter.types import (
    BinId,
    Box,
    Crop,
    CropSpec,
    Decision,
    Frame,
    Location,
    LocationKind,
    Outcome,
    OutcomeKind,
    PartColour,
    PartId,
    Prediction,
    RejectReason,
    SortPlan,
    SortRule,
    View,
    ViewQuality,
)

A, B, REST = BinId("a"), BinId("b"), BinId("rest")
PLAN = SortPlan("two kinds", (SortRule(A, ("3001",), min_probability=0.5), SortRule(B, ("3002",))), reject=REST)
RED = PartColour("Red", 4, 2.0, is_unsure=False)
BLUE = PartColour("Blue", 1, 3.0, is_unsure=True)
LABELS = ("3001", "3002", "3003")
SURE = Decision("3001", None, Prediction(LABELS, (0.9, 0.07, 0.03), novelty=0.25), 2, RED)
OTHER = Decision("3002", None, Prediction(LABELS, (0.2, 0.75, 0.05)), 3, BLUE)
UNSURE = Decision(None, RejectReason.UNSURE, Prediction(LABELS, (0.3, 0.3, 0.4)), 8)
UNSEEN = Decision(None, RejectReason.NOTHING_SEEN, None, 0)
IN_A = Outcome(OutcomeKind.CONFIRMED, A, {"feed": 0.5, "bound.feed": 0.25})
LOST = Outcome(OutcomeKind.LOST, None)


def recorded(ledger: Ledger, decision: Decision = SURE, outcome: Outcome = IN_A) -> PartId:
    """One part from the table to its end."""
    part = ledger.open_part()
    ledger.intend(part, decision, outcome.bin or A, chute_deg=10.0)
    ledger.finish(part, outcome)
    return part


def confirmed(name: BinId) -> Outcome:
    return Outcome(OutcomeKind.CONFIRMED, name)


def seen(angle_deg: float, *, is_part: bool = True) -> View:
    """A view of a small grey frame."""
    frame = Frame(np.full((8, 10, 3), 90, np.uint8), 1.0, 1)
    kind = LocationKind.ONE if is_part else LocationKind.EMPTY
    box = Box(1, 1, 4, 4)
    location = Location(kind, (box,) if is_part else (), np.zeros((8, 10), np.bool_))
    if not is_part:
        return View(angle_deg, frame, location, None, None)
    crop = Crop(np.full((8, 8, 3), 120, np.uint8), CropSpec(size_px=8), box)
    return View(angle_deg, frame, location, crop, SURE.posterior, ViewQuality(0.8, 0.01, 0.0), RED)


def as_after_a_power_cut(ledger: Ledger, file: Path, folder: Path) -> Path:
    """A copy of the file and its log as they are on the disk now, nothing closed; returns the copy's path."""
    folder.mkdir()
    for each in file.parent.iterdir():
        if each.name in (LEDGER_FILE, f"{LEDGER_FILE}-wal"):
            shutil.copy(each, folder / each.name)
    return folder / LEDGER_FILE
