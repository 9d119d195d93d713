"""From views of one part to what it is, or to the angle from which to look next, or to why it is rejected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sorter.classify.card import OTHER
from sorter.classify.fuse import Correlation, fuse, most_helpful_angle
from sorter.types import Decision, LocationKind, Prediction, RejectReason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sorter.classify.card import ModelCard
    from sorter.types import View

_ENOUGH_TO_BELIEVE = 2  # views that agree on there being several parts or none
_ONE_PART = (LocationKind.ONE, LocationKind.EDGE)


@dataclass(frozen=True)
class DecisionRules:
    """When to be sure.

    Args:
        posterior: of a class, at or above which a part is of it (0 to 1).
        novelty: score above which a part is unknown; None if the model has none.
        correlation: between views; see ``sorter.classify.fuse``.
        view_budget: so many views at most, at least 1.
        least_sharpness: of a view that may be believed, 0 to 1; see ``sorter.vision.quality``.
    """

    posterior: float
    novelty: float | None
    correlation: Correlation
    view_budget: int = 8
    least_sharpness: float = 0.0

    def __post_init__(self) -> None:
        """Refuse rules that no part can pass or fail."""
        if not 0.0 <= self.posterior <= 1.0:
            raise ValueError(f"posterior is 0 to 1, got {self.posterior}")
        if self.view_budget < 1:
            raise ValueError(f"view_budget is at least 1, got {self.view_budget}")

    @classmethod
    def from_card(
        cls, card: ModelCard, misroute_rate: float, *, view_budget: int = 8, least_sharpness: float = 0.0
    ) -> DecisionRules:
        """The rules that keep misroutes of known parts at the wanted rate, as they were measured.

        Raises:
            ValueError: the rate is stricter than any that was measured.
        """
        calibration = card.calibration
        return cls(
            posterior=card.posterior_for(misroute_rate),
            novelty=None if card.novelty is None else card.novelty.threshold,
            correlation=Correlation(calibration.correlation_floor, calibration.correlation_range_deg),
            view_budget=view_budget,
            least_sharpness=least_sharpness,
        )


def decide(views: Sequence[View], rules: DecisionRules) -> Decision:
    """What the part is, as far as these views go: a class, or a reason to reject it.

    Views that show one part (also at the edge of the picture), were classified and are sharp enough count; moving ones
    never do. If as many views show several parts as show one, it is several. Views of unknown angle (None) count as
    one view together, and as nothing new beside views of known angles.
    """
    usable = _usable(views, rules)
    several = sum(view.location.kind is LocationKind.SEVERAL for view in views)
    if several and 2 * several >= several + len(usable):
        return Decision(None, RejectReason.SEVERAL, None, len(usable))
    if not usable:
        return Decision(None, _why_none_is_usable(views), None, 0)
    posterior = _fused(usable, rules)
    reason, name = _judged(posterior, rules)
    return Decision(name if reason is None else None, reason, posterior, len(usable))


def _why_none_is_usable(views: Sequence[View]) -> RejectReason:
    seen = [view for view in views if view.location.kind is not LocationKind.EMPTY]
    if not seen:
        return RejectReason.NOTHING_SEEN
    # Where no table is made out, ``locate`` says EDGE over the whole frame, and there is nothing to classify.
    has_no_table = all(view.location.kind is LocationKind.EDGE and view.prediction is None for view in seen)
    return RejectReason.NO_TABLE if has_no_table else RejectReason.BLURRED


def next_angle(views: Sequence[View], candidates_deg: Sequence[float], rules: DecisionRules) -> float | None:
    """From where to look next, or None if ``decide`` may be believed by now.

    Looking ends when a class clears its threshold, when two views say, and the rest does not outweigh, that there are
    several parts or none, when the budget is used up, or when no angle is left. Doubt never ends it early.

    Args:
        views: so far, each with its angle.
        candidates_deg: angles (deg) that the rig can turn to.
        rules: as for ``decide``.
    """
    if len(views) >= rules.view_budget or _is_settled(views, rules):
        return None
    taken = [view.angle_deg for view in views if view.angle_deg is not None]
    left = [angle for angle in candidates_deg if all(abs((angle - seen + 180) % 360 - 180) > 0.5 for seen in taken)]
    return most_helpful_angle(taken, left, rules.correlation) if left else None


def _is_settled(views: Sequence[View], rules: DecisionRules) -> bool:
    if not views:
        return False
    decision = decide(views, rules)
    kind = {RejectReason.SEVERAL: LocationKind.SEVERAL, RejectReason.NOTHING_SEEN: LocationKind.EMPTY}.get(
        decision.reject_reason or RejectReason.UNSURE
    )
    agreeing = sum(view.location.kind is kind for view in views)
    return decision.class_name is not None or agreeing >= _ENOUGH_TO_BELIEVE


def _usable(views: Sequence[View], rules: DecisionRules) -> list[View]:
    return [
        view
        for view in views
        if view.location.kind in _ONE_PART
        and view.prediction is not None
        and (view.quality is None or view.quality.sharpness >= rules.least_sharpness)
    ]


def _fused(usable: Sequence[View], rules: DecisionRules) -> Prediction:
    predictions = [view.prediction for view in usable if view.prediction is not None]
    return fuse(predictions, [view.angle_deg for view in usable], rules.correlation)


def _judged(posterior: Prediction, rules: DecisionRules) -> tuple[RejectReason | None, str]:
    name, probability = posterior.ranked[0]
    is_strange = rules.novelty is not None and posterior.novelty is not None and posterior.novelty > rules.novelty
    if is_strange or name == OTHER:
        return RejectReason.UNKNOWN_PART, name
    return (None if probability >= rules.posterior else RejectReason.UNSURE), name
