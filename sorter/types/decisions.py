"""What a part is taken for: by the network, view by view, and in the end."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sorter.types.pictures import Crop, Frame, Location


@dataclass(frozen=True)
class PartColour:
    """A colour of the LEGO palette.

    Args:
        name: such as ``Dark Red``.
        ldraw_code: its number in LDraw's LDConfig.
        distance: CIELAB distance (delta E) between what was seen and the palette's colour.
        is_unsure: two colours of the palette fit about equally well.
        scores: how well each colour of the palette fits, by LDraw code, smaller is better; what is summed over views.
    """

    name: str
    ldraw_code: int
    distance: float
    is_unsure: bool
    scores: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Prediction:
    """What the network says about one crop: calibrated probabilities in the order of the model's labels.

    Args:
        labels: the classes.
        probabilities: one for each label, each 0 to 1, together 1.
        novelty: out-of-distribution score, higher is stranger; None if the model has none.
    """

    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    novelty: float | None = None

    def __post_init__(self) -> None:
        """Refuse numbers that are no probabilities."""
        if not len(set(self.labels)) == len(self.labels) == len(self.probabilities) > 0:
            raise ValueError(f"Prediction: labels {self.labels} do not go with {len(self.probabilities)} probabilities")
        if not all(0.0 <= p <= 1.0 for p in self.probabilities) or abs(sum(self.probabilities) - 1.0) > 1e-3:
            raise ValueError(f"Prediction: probabilities are 0 to 1 and add up to 1, got {self.probabilities}")

    @property
    def ranked(self) -> tuple[tuple[str, float], ...]:
        """Label and probability, most probable first; equal ones in the order of the labels."""
        pairs = zip(self.labels, self.probabilities, strict=True)
        return tuple(sorted(pairs, key=lambda pair: -pair[1]))


@dataclass(frozen=True)
class ViewQuality:
    """Whether a view can be believed.

    Args:
        sharpness: of the part's outline, 0 to 1; 1 is a step within one pixel.
        overexposed: share of the part and its surroundings with a channel at its upper end, 0 to 1.
        underexposed: share of the whole frame that is nearly black, 0 to 1.
    """

    sharpness: float
    overexposed: float
    underexposed: float


@dataclass(frozen=True, eq=False)
class View:
    """One frame of a part at one turntable angle (deg; None if nobody knows it), and what was made of it.

    Without one part in it there is no crop, prediction, quality or colour.
    """

    angle_deg: float | None
    frame: Frame
    location: Location
    crop: Crop | None
    prediction: Prediction | None
    quality: ViewQuality | None = None
    colour: PartColour | None = None


class RejectReason(enum.StrEnum):
    """Why a part goes to the reject bin."""

    UNSURE = "unsure"
    UNKNOWN_PART = "unknown part"
    SEVERAL = "several"
    NOTHING_SEEN = "nothing seen"
    NO_TABLE = "no table"  # a hand, a lamp that went out, a camera that was moved
    BLURRED = "blurred"


@dataclass(frozen=True)
class Decision:
    """What a part is, after all its views: a class, or the reason why it is rejected.

    Args:
        class_name: the class (a LEGO design number such as ``3001``), or None if rejected.
        reject_reason: None if there is a class.
        posterior: the fused views; None if no view could be used.
        view_count: how many views went into it.
        colour: the part's colour, where it was seen.
    """

    class_name: str | None
    reject_reason: RejectReason | None
    posterior: Prediction | None
    view_count: int
    colour: PartColour | None = None

    def __post_init__(self) -> None:
        """Hold that a part is either of a class or rejected, and that a class was decided from a posterior."""
        if (self.class_name is None) == (self.reject_reason is None):
            raise ValueError("Decision: a part has either a class or a reason for its rejection")
        if self.class_name is not None and (self.posterior is None or self.class_name not in self.posterior.labels):
            raise ValueError(f"Decision: {self.class_name} is not among the posterior's labels")
