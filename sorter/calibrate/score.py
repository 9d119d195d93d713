"""How good is this rig, from a few known parts? The numbers, and what to improve first. Pure."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sorter.types import RejectReason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STAGES = ("look", "decide", "route", "eject")

_GOOD_RECOGNISED = 0.9
_FEW_VIEWS = 0.5  # of the views that may be taken; more is slow
_FEW = 2.0
_FAR_STRAY = 0.02  # of the picture's shorter side
_ENOUGH = 10  # parts, from which on a share means something


@dataclass(frozen=True)
class PartScore:
    """What became of one known part.

    Args:
        true_class: what it is.
        decided: the class that it was taken for; None if it was rejected.
        reject_reason: why it was; None if it was not.
        views: that it took.
        wanted_bin: where it was sent.
        fell_into: the bin that it was found in; None if it was in none.
        was_seen_in_chute: by the beam; None where there is none.
        stray_px: how far its middle was from where it was, when the table came back to the first angle; None if it was
            not seen there.
        stage_s: seconds of each of ``STAGES``.
    """

    true_class: str
    decided: str | None
    reject_reason: RejectReason | None
    views: int
    wanted_bin: str
    fell_into: str | None
    was_seen_in_chute: bool | None
    stray_px: float | None
    stage_s: Mapping[str, float]

    @property
    def is_right(self) -> bool:
        """It was taken for what it is."""
        return self.decided == self.true_class

    @property
    def is_delivered(self) -> bool:
        """It fell into the bin that it was sent to, right or wrong."""
        return self.fell_into == self.wanted_bin


@dataclass(frozen=True)
class ScoreCard:
    """All parts together.

    Args:
        parts: at least 1.
        picture_px: the picture's shorter side.
        mm_per_px: what a pixel spans, if that was measured.
        most_views: that may be taken of a part.
    """

    parts: Sequence[PartScore]
    picture_px: int
    mm_per_px: float | None
    most_views: int

    @property
    def right(self) -> int:
        """Parts that were taken for what they are."""
        return sum(each.is_right for each in self.parts)

    @property
    def rejected(self) -> int:
        """Parts that the rig was not sure of."""
        return sum(each.decided is None for each in self.parts)

    @property
    def wrong(self) -> int:
        """Parts that were taken for another class."""
        return len(self.parts) - self.right - self.rejected

    @property
    def delivered(self) -> int:
        """Parts that fell into the bin that they were sent to."""
        return sum(each.is_delivered for each in self.parts)

    @property
    def stray_px(self) -> float | None:
        """How far a part's middle was from where it was, root mean square; None if no part was seen again."""
        strays = [each.stray_px for each in self.parts if each.stray_px is not None]
        return math.sqrt(statistics.fmean(stray * stray for stray in strays)) if strays else None

    @property
    def mean_views(self) -> float:
        """Views that a part took."""
        return statistics.fmean(each.views for each in self.parts)

    @property
    def stage_s(self) -> dict[str, float]:
        """Mean seconds of each stage."""
        return {stage: statistics.fmean(each.stage_s.get(stage, 0.0) for each in self.parts) for stage in STAGES}

    def as_dict(self) -> dict[str, object]:
        """Plain values."""
        stray_px = self.stray_px
        return {
            "parts": len(self.parts),
            "right": self.right,
            "wrong": self.wrong,
            "rejected": self.rejected,
            "delivered": self.delivered,
            "mean_views": round(self.mean_views, 2),
            "stray_px": None if stray_px is None else round(stray_px, 2),
            "stray_mm": None if stray_px is None or self.mm_per_px is None else round(stray_px * self.mm_per_px, 3),
            "stage_s": {stage: round(seconds, 3) for stage, seconds in self.stage_s.items()},
            "verdict": verdict(self),
            "each": [
                {
                    "class": each.true_class,
                    "decided": each.decided,
                    "rejected_for": None if each.reject_reason is None else str(each.reject_reason),
                    "views": each.views,
                    "wanted_bin": each.wanted_bin,
                    "fell_into": each.fell_into,
                    "seen_in_chute": each.was_seen_in_chute,
                    "stray_px": None if each.stray_px is None else round(each.stray_px, 2),
                    "stage_s": {stage: round(seconds, 3) for stage, seconds in each.stage_s.items()},
                }
                for each in self.parts
            ],
        }


def verdict(card: ScoreCard) -> list[str]:
    """What to improve, what matters most first; one sentence if there is nothing."""
    checked = (_chute(card), _ejector(card), _repeatability(card), _recognition(card), _speed(card))
    told = [each for each in checked if each is not None]
    if not told:
        told = ["This rig does well: recognition, delivery and the table's repeatability are as they should be."]
    if len(card.parts) < _ENOUGH:
        told.append(f"{len(card.parts)} parts say little; {_ENOUGH} or more say what to believe.")
    return told


def _chute(card: ScoreCard) -> str | None:
    elsewhere = [each for each in card.parts if each.fell_into not in (None, each.wanted_bin)]
    if not elsewhere:
        return None
    bins = ", ".join(sorted({each.wanted_bin for each in elsewhere}))
    return (
        f"Chute: {len(elsewhere)} of {len(card.parts)} parts fell into another bin than they were sent to ({bins}). "
        "Run `sorter calibrate chute`, and see that the chute's pulley does not slip."
    )


def _ejector(card: ScoreCard) -> str | None:
    nowhere = sum(each.fell_into is None for each in card.parts)
    if not nowhere:
        return None
    return (
        f"Ejector: {nowhere} of {len(card.parts)} parts came into no bin. Run `sorter calibrate ejector`; a longer "
        "dwell_s or fall_s in [ejector] helps parts that roll."
    )


def _repeatability(card: ScoreCard) -> str | None:
    stray_px = card.stray_px
    if stray_px is None or stray_px <= _FAR_STRAY * card.picture_px:
        return None
    return (
        f"Table: after a turn parts are {stray_px:.1f} px from where they were. They slide (run `sorter calibrate "
        "acceleration`) or the motor loses steps (more current, less acceleration_deg_per_s2)."
    )


def _recognition(card: ScoreCard) -> str | None:
    count = len(card.parts)
    if card.right >= _GOOD_RECOGNISED * count:
        return None
    told = f"Recognition: {card.right} of {count} right, {card.wrong} wrong, {card.rejected} rejected."
    reasons = [each.reject_reason for each in card.parts if each.reject_reason is not None]
    if card.wrong > card.rejected or not reasons:
        return (
            f"{told} Take pictures of these classes on this rig and train with them; a lower misroute_rate in [look] "
            "rejects what is doubtful."
        )
    return f"{told} {_HELPS[statistics.mode(reasons)]}"


_HELPS = {
    RejectReason.UNSURE: "Most were unsure: measure the scale (`sorter calibrate centre`), make the light even, allow "
    "more views (most_views in [look]), or train with pictures from this rig.",
    RejectReason.UNKNOWN_PART: "Most looked like nothing that the model knows: measure the scale (`sorter calibrate "
    "centre`), compare the picture with those that it was trained on, and train with pictures from this rig.",
    RejectReason.SEVERAL: "Several things were seen where one lay: clean the table, keep cables and the arm out of the "
    "picture, make the light softer.",
    RejectReason.NOTHING_SEEN: "Nothing was seen where a part lay: more light, or a table of another colour.",
    RejectReason.NO_TABLE: "No table could be made out: see to the light, and that nothing hangs into the picture.",
    RejectReason.BLURRED: "Views were not sharp: focus the lens, more light for a shorter exposure, a longer shake_s "
    "in [look], and nothing at the rim of the picture.",
}


def _speed(card: ScoreCard) -> str | None:
    if card.most_views <= _FEW or card.mean_views <= max(_FEW, _FEW_VIEWS * card.most_views):
        return None
    return (
        f"Speed: a part takes {card.mean_views:.1f} views. What makes recognition surer makes the rig faster: light, "
        "scale, pictures from this rig."
    )
