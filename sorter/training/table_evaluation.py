"""How good a network for whole tables is: everything that was measured, as one value.

``TableEvaluation.as_dict`` is the JSON of ``sorter evaluate`` for such a network; docs/evaluation.md says what each
number means.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from sorter.classify.card import MODEL_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sorter.training.chosen import FoldUsed
    from sorter.training.evaluation import Interval, NotScored
    from sorter.training.label_metrics import LabelScore
    from sorter.training.table_model import TableCard
    from sorter.types.pictures import RgbArray


@dataclass(frozen=True)
class SeveralCheck:
    """How well somebody says whether there is more than one part.

    Args:
        right: share of the pictures.
        interval: of it, 95 % over pictures; None with one.
        one_as_several: of one part or none, how many were said to be several.
        several_as_one: of several, how many were not.
    """

    right: float
    interval: Interval | None
    one_as_several: int
    several_as_one: int


@dataclass(frozen=True)
class ByParts:
    """Pictures with so many visible parts, and what share of them network and rule say rightly: one or several."""

    parts: int
    pictures: int
    network: float
    rule: float


@dataclass(frozen=True)
class OneOrSeveral:
    """The network's ``several`` beside the rule of the rig, what ``sorter.vision.locate`` says of the same pictures.

    Args:
        one: pictures of one part, or of none.
        several: of more.
        undecided: of a second part that is hardly visible; they stand in no other number.
        network: what the network says.
        rule: what ``locate`` says.
        both_right, network_alone, rule_alone, neither: in how many pictures who is right.
        by_parts: in order of their number.
        rule_kinds: what ``locate`` says, by ``one`` and ``several``: its kinds with how many pictures.
    """

    one: int
    several: int
    undecided: int
    network: SeveralCheck
    rule: SeveralCheck
    both_right: int
    network_alone: int
    rule_alone: int
    neither: int
    by_parts: tuple[ByParts, ...]
    rule_kinds: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class ClassCounts:
    """How many classes lie on a table, and how many are said to.

    Args:
        counts: rows are how many there are (from 0), columns how many are said.
        right: share of the pictures whose number is right.
        all_right: share whose classes are all right, and no other is said.
    """

    counts: tuple[tuple[int, ...], ...]
    right: float
    all_right: float


@dataclass(frozen=True)
class TableShown:
    """A picture with a high loss: what is there, what is said, and whether it is several, as it is and as is said."""

    path: str
    there: tuple[str, ...]
    said: tuple[str, ...]
    parts: int
    network_several: bool
    rule: str
    loss: float


@dataclass(frozen=True)
class TableLatency:
    """Medians in ms over ``pictures`` pictures, one after the other; ``network`` with putting it into the square."""

    locate: float
    network: float
    pictures: int


@dataclass(frozen=True, eq=False)
class TableEvaluation:
    """One network on one folder of tables; a share is 0 to 1.

    Args:
        card: of the network.
        runtime: what ran it.
        size_bytes: of its file.
        data: the folder of pictures.
        fold: whose held-out pictures were scored; None if all were.
        pictures: that were scored; copies count once.
        copies: left out because another has the same bytes.
        seen: how many of the scored the network was trained on.
        mean_average_precision: over classes that are there anywhere; None if none is.
        interval: of it, 95 % over pictures.
        labels: by label, ``several`` the last.
        one_or_several: None if no picture is decided.
        class_counts: of pictures whose classes are all decided; None if none is.
        top_losses: the highest first.
        latency: of one picture.
        unreadable: with the reason.
        warnings: what a reader of the numbers has to know.
        tiles: of the pictures that are named above, as the network saw them.
    """

    card: TableCard
    runtime: str
    size_bytes: int
    data: str
    fold: FoldUsed | None
    pictures: int
    copies: int
    seen: int
    mean_average_precision: float | None
    interval: Interval | None
    labels: Mapping[str, LabelScore]
    one_or_several: OneOrSeveral | None
    class_counts: ClassCounts | None
    top_losses: tuple[TableShown, ...]
    latency: TableLatency
    unreadable: tuple[NotScored, ...]
    warnings: tuple[str, ...]
    tiles: Mapping[str, RgbArray] = field(default_factory=dict)

    @property
    def is_honest(self) -> bool:
        """Whether no scored picture was trained on, as far as the card says."""
        return not self.seen

    def as_dict(self) -> dict[str, Any]:
        """Plain values that JSON can hold."""
        return {
            "kind": "table",
            "model": {
                "name": self.card.name,
                "size_bytes": self.size_bytes,
                "runtime": self.runtime,
                "sha256": self.card.hashes[MODEL_FILE],
            },
            "data": self.data,
            "split": None if self.fold is None else asdict(self.fold),
            "warnings": list(self.warnings),
            "pictures": self.pictures,
            "copies": self.copies,
            "pictures_seen_in_training": self.seen,
            "least_visible": self.card.least_visible,
            "mean_average_precision": self.mean_average_precision,
            "mean_average_precision_interval": None if self.interval is None else list(self.interval),
            "per_label": {
                name: {"threshold_logit": threshold, **asdict(self.labels[name])}
                for name, threshold in zip(self.card.labels, self.card.threshold_logits, strict=True)
            },
            "one_or_several": None if self.one_or_several is None else asdict(self.one_or_several),
            "class_counts": None if self.class_counts is None else asdict(self.class_counts),
            "top_losses": [asdict(each) for each in self.top_losses],
            "latency_ms": asdict(self.latency),
            "unreadable": [asdict(each) for each in self.unreadable],
        }
