"""How good a model is: everything that was measured on pictures that it had better never seen, as one value.

``Evaluation.as_dict`` is the JSON of ``sorter evaluate``; docs/evaluation.md says what each number means.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from sorter.classify.card import MODEL_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sorter.classify import ModelCard
    from sorter.training.chosen import FoldUsed
    from sorter.training.metrics import ClassScore, IntArray, OperatingPoint, ReliabilityBin, Separation
    from sorter.types.pictures import RgbArray

Interval = tuple[float, float]
Angles = Literal["index", "inferred", "none"]


@dataclass(frozen=True)
class ByViews:
    """What so many views of one revolution are worth together.

    Args:
        accuracy: share of sets of views whose likeliest class is right, each picture beginning one set.
        interval: 95 % over bricks; None with one brick.
        revolutions: that have so many pictures.
        expected_calibration_error: of the posteriors.
        curve: thresholds with what they reject and misroute.
        at_card: the same at each threshold of the card, in its order.
    """

    accuracy: float
    interval: Interval | None
    revolutions: int
    expected_calibration_error: float
    curve: tuple[OperatingPoint, ...]
    at_card: tuple[OperatingPoint, ...]


@dataclass(frozen=True)
class TopLoss:
    """A picture of a known class with a high loss: minus the logarithm of its class's probability."""

    path: str
    class_name: str
    said: str
    probability: float
    class_probability: float
    loss: float


@dataclass(frozen=True)
class PairShown:
    """Pictures of a class that were taken for another, and the paths of the surest mistakes."""

    class_name: str
    said: str
    pictures: int
    share: float
    examples: tuple[str, ...]


@dataclass(frozen=True)
class UnknownScore:
    """How ``score`` of ``views`` views tells unknown parts from known ones."""

    views: int
    score: str
    separation: Separation


@dataclass(frozen=True)
class UnknownParts:
    """Pictures whose class the network does not have.

    Args:
        pictures: with a part in them.
        bricks: that they are of.
        classes: that they are of.
        accepted_at_card: share (0 to 1) that passes the card's novelty limit and each of its thresholds, single views.
        scores: by the card's novelty (entropy where it names none) and by one minus the posterior.
    """

    pictures: int
    bricks: int
    classes: tuple[str, ...]
    accepted_at_card: tuple[float, ...]
    scores: tuple[UnknownScore, ...]


@dataclass(frozen=True)
class Latency:
    """Medians in ms over ``pictures`` pictures, one after the other."""

    locate: float
    crop: float
    network: float
    pictures: int


@dataclass(frozen=True)
class NotScored:
    """A picture that could be read but shows no single part, or could not be read; ``reason`` says which."""

    path: str
    reason: str


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One model on one set of pictures; a share is 0 to 1.

    Args:
        card: of the model.
        runtime: what ran it.
        size_bytes: of its network's file.
        data: the folder of pictures.
        groups_from: who says which brick and revolution a picture belongs to.
        fold: whose held-out pictures were scored; None if all were.
        pictures: of known classes that were scored; copies count once.
        bricks: that they are of.
        copies: pictures left out because another has the same bytes.
        bricks_seen: of the scored, which the network was trained on.
        accuracy: single views, known parts.
        interval: of it, 95 % over bricks.
        by_views: by number of views; None where no revolution has so many.
        expected_calibration_error: single views.
        per_class: by label.
        confusion: c×c, rows are true classes.
        confused_pairs: the commonest first.
        top_losses: the highest first.
        reliability: bins of single views.
        unknown: None if there is none.
        latency: of one picture.
        no_part: read, but without a single part.
        unreadable: with the reason.
        angles: whether angles were written down, inferred from likeness, or not known.
        warnings: what a reader of the numbers has to know.
        tiles: crops as the network saw them, of the pictures that are named above.
    """

    card: ModelCard
    runtime: str
    size_bytes: int
    data: str
    groups_from: str
    fold: FoldUsed | None
    pictures: int
    bricks: int
    copies: int
    bricks_seen: tuple[str, ...]
    accuracy: float
    interval: Interval | None
    by_views: Mapping[int, ByViews | None]
    expected_calibration_error: float
    per_class: Mapping[str, ClassScore]
    confusion: IntArray
    confused_pairs: tuple[PairShown, ...]
    top_losses: tuple[TopLoss, ...]
    reliability: tuple[ReliabilityBin, ...]
    unknown: UnknownParts | None
    latency: Latency
    no_part: tuple[NotScored, ...]
    unreadable: tuple[NotScored, ...]
    angles: Angles
    warnings: tuple[str, ...]
    tiles: Mapping[str, RgbArray] = field(default_factory=dict)

    @property
    def is_honest(self) -> bool:
        """Whether no scored brick was trained on, as far as anybody knows."""
        return not self.bricks_seen

    def as_dict(self) -> dict[str, Any]:
        """Plain values that JSON can hold."""
        views = {str(count): each for count, each in self.by_views.items()}
        return {
            "model": {
                "name": self.card.name,
                "size_bytes": self.size_bytes,
                "runtime": self.runtime,
                "sha256": self.card.hashes[MODEL_FILE],
            },
            "data": self.data,
            "groups_from": self.groups_from,
            "split": None if self.fold is None else asdict(self.fold),
            "warnings": list(self.warnings),
            "bricks_seen_in_training": list(self.bricks_seen),
            "pictures": self.pictures,
            "bricks": self.bricks,
            "copies": self.copies,
            "accuracy": self.accuracy,
            "accuracy_interval": _listed(self.interval),
            "accuracy_by_views": {count: each and each.accuracy for count, each in views.items()},
            "accuracy_by_views_interval": {count: each and _listed(each.interval) for count, each in views.items()},
            "revolutions_by_views": {count: each.revolutions if each else 0 for count, each in views.items()},
            "expected_calibration_error": self.expected_calibration_error,
            "expected_calibration_error_by_views": {
                count: each and each.expected_calibration_error for count, each in views.items()
            },
            "angles": self.angles,
            "per_class": {name: asdict(each) for name, each in self.per_class.items()},
            "confusion": {"labels": list(self.card.labels), "counts": self.confusion.tolist()},
            "confused_pairs": [_with_class(each) for each in self.confused_pairs],
            "top_losses": [_with_class(each) for each in self.top_losses],
            "reliability": [asdict(each) for each in self.reliability],
            "misroute_curve": {
                count: each and [asdict(point) for point in each.curve] for count, each in views.items()
            },
            "thresholds": self._thresholds(),
            "unknown_parts": None if self.unknown is None else _unknown(self.unknown),
            "float_against_int8": self.float_against_int8,
            "latency_ms": asdict(self.latency),
            "no_part": [asdict(each) for each in self.no_part],
            "unreadable": [asdict(each) for each in self.unreadable],
        }

    @property
    def float_against_int8(self) -> dict[str, float] | None:
        """What int8 costs, as export measured it and wrote it into the card; None if it did not."""
        metrics = self.card.metrics
        if not {"float_accuracy", "int8_accuracy"} <= metrics.keys():
            return None
        before, after = metrics["float_accuracy"], metrics["int8_accuracy"]
        return {"float_accuracy": before, "int8_accuracy": after, "difference": after - before}

    def _thresholds(self) -> list[dict[str, Any]]:
        """What the card's thresholds do here, for each number of views."""
        return [
            {
                "misroute_rate": wanted.misroute_rate,
                "posterior": wanted.posterior,
                "by_views": {
                    str(count): each
                    and {"rejected": each.at_card[number].rejected, "misrouted": each.at_card[number].misrouted}
                    for count, each in self.by_views.items()
                },
            }
            for number, wanted in enumerate(self.card.thresholds)
        ]


def _unknown(unknown: UnknownParts) -> dict[str, Any]:
    return {
        "pictures": unknown.pictures,
        "bricks": unknown.bricks,
        "classes": list(unknown.classes),
        "accepted_at_card_thresholds": list(unknown.accepted_at_card),
        "scores": [
            {
                "views": each.views,
                "score": each.score,
                "area": each.separation.area,
                "kept": [asdict(point) for point in each.separation.kept],
                "curve": [list(point) for point in each.separation.curve],
            }
            for each in unknown.scores
        ],
    }


def _with_class(each: PairShown | TopLoss) -> dict[str, Any]:
    """As in an index, the key is ``class``."""
    plain = asdict(each)
    return {"class": plain.pop("class_name"), **plain}


def _listed(interval: Interval | None) -> list[float] | None:
    return None if interval is None else list(interval)
