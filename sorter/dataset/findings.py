"""What a check says: findings, and what each class consists of."""

from __future__ import annotations

import enum
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sorter.dataset.features import Features
    from sorter.dataset.records import Dataset, Picture
    from sorter.dataset.shortcuts import Shortcut


class Severity(enum.StrEnum):
    """How much a finding matters."""

    ERROR = "error"  # scores or training are wrong until it is mended
    WARNING = "warning"  # they are worse than they could be
    NOTE = "note"  # good to know


class Kind(enum.StrEnum):
    """What a finding is about."""

    UNREADABLE = "unreadable"
    CHANGED = "changed"
    LAYOUT = "layout"
    ONE_CLASS = "one_class"
    CONFLICTING_LABELS = "conflicting_labels"
    EXACT_COPIES = "exact_copies"
    EXACT_COPIES_ACROSS_SPLIT = "exact_copies_across_split"
    NEAR_COPIES = "near_copies"
    NEAR_COPIES_ACROSS_SPLIT = "near_copies_across_split"
    REVOLUTIONS_ACROSS_SPLIT = "revolutions_across_split"
    SPLIT_TELLS_NOTHING = "split_tells_nothing"
    NO_PART = "no_part"
    SEVERAL_PARTS = "several_parts"
    PART_OVER_EDGE = "part_over_edge"
    BLURRED = "blurred"
    FEW_PICTURES = "few_pictures"
    IMBALANCE = "imbalance"
    ONE_COLOUR = "one_colour"
    ONE_BRICK = "one_brick"
    SHORTCUT = "shortcut"
    GROUPS = "groups"


@dataclass(frozen=True)
class Finding:
    """Something about a dataset that its owner should know.

    Args:
        kind: what it is about.
        severity: how much it matters.
        count: of how many pictures or classes it is true.
        sentence: what was found and what it means.
        remedy: what to do.
        examples: a few of them, each the paths that belong together.
    """

    kind: Kind
    severity: Severity
    count: int
    sentence: str
    remedy: str
    examples: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class ClassSummary:
    """What the pictures of a class are: numbers of them by colour and pose; names of bricks and revolutions counted.

    ``different`` counts copies once; ``colours_seen`` are the colours that the pictures themselves show.
    """

    name: str
    pictures: int
    different: int
    bricks: int
    revolutions: int
    colours: Mapping[str, int] = field(default_factory=dict)
    colours_seen: Mapping[str, int] = field(default_factory=dict)
    poses: Mapping[str, int] = field(default_factory=dict)
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckResult:
    """Everything that a check found; ``neighbour_accuracy`` is that of a pixel nearest neighbour, train to test."""

    dataset: Dataset
    findings: tuple[Finding, ...]
    classes: tuple[ClassSummary, ...]
    shortcuts: tuple[Shortcut, ...]
    neighbour_accuracy: float | None = None

    @property
    def is_wrong(self) -> bool:
        """Whether there is something to mend."""
        return any(each.severity is not Severity.NOTE for each in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """The same for programs: plain values that JSON can hold."""
        accuracy = self.neighbour_accuracy
        return {
            "dataset": str(self.dataset.root),
            "dataset_sha256": self.dataset.sha256,
            "pictures": len(self.dataset.pictures),
            "different": len({each.sha256 for each in self.dataset.pictures}),
            "groups_from": self.dataset.groups_from,
            "groups_confidence": self.dataset.confidence,
            "is_wrong": self.is_wrong,
            "neighbour_accuracy": None if accuracy is None else round(accuracy, 4),
            "findings": [
                {**asdict(each), "kind": str(each.kind), "severity": str(each.severity)} for each in self.findings
            ],
            "shortcuts": [{**asdict(each), "strength": round(each.strength, 4)} for each in self.shortcuts],
            "classes": [asdict(each) for each in self.classes],
        }


_EXAMPLES_A_CLASS = 8


def summarise(dataset: Dataset, features: Sequence[Features]) -> tuple[ClassSummary, ...]:
    """A summary of each class, in order of names."""
    seen = {each.path: each for each in features}
    by_class: dict[str, list[Picture]] = defaultdict(list)
    for each in dataset.pictures:
        by_class[each.class_name].append(each)
    return tuple(_summary(name, pictures, seen) for name, pictures in sorted(by_class.items()))


def _summary(name: str, pictures: list[Picture], seen: Mapping[str, Features]) -> ClassSummary:
    readable = [each for each in pictures if seen[each.path].refusal is None]
    step = max(1, len(readable) // _EXAMPLES_A_CLASS)
    shown = [seen[each.path].colour for each in readable]
    return ClassSummary(
        name=name,
        pictures=len(pictures),
        different=len({each.sha256 or each.path for each in pictures}),
        bricks=len({each.brick for each in pictures} - {None}),
        revolutions=len({each.revolution for each in pictures} - {None}),
        colours=_counted(each.colour for each in pictures),
        colours_seen=_counted(shown),
        poses=_counted(each.pose for each in pictures),
        examples=tuple(each.path for each in readable[::step][:_EXAMPLES_A_CLASS]),
    )


def _counted(names: Iterable[str | None]) -> dict[str, int]:
    return dict(Counter(each for each in names if each is not None).most_common())
