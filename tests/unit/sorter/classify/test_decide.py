"""The right bin or the reject bin: never a class that is not sure, and always a reason."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.classify import Correlation, DecisionRules, decide, next_angle
from sorter.types import Box, Frame, Location, LocationKind, Prediction, RejectReason, View, ViewQuality

LABELS = ("3001", "3002", "other")
RULES = DecisionRules(0.9, 0.7, Correlation(0.2, 30.0), view_budget=4, least_sharpness=0.2)
FRAME = Frame(np.zeros((4, 4, 3), np.uint8), 0.0, 0)
ANGLES = [0.0, 90.0, 180.0, 270.0]


def view(
    kind: LocationKind = LocationKind.ONE,
    sure: float = 0.95,
    *,
    angle_deg: float | None = 0.0,
    label: int = 0,
    novelty: float | None = 0.1,
    sharpness: float = 0.5,
) -> View:
    boxes = {LocationKind.EMPTY: 0, LocationKind.SEVERAL: 2}.get(kind, 1)
    location = Location(kind, (Box(0, 0, 2, 2),) * boxes, np.zeros((4, 4), np.bool_))
    if kind not in (LocationKind.ONE, LocationKind.EDGE):
        return View(angle_deg, FRAME, location, None, None)
    probabilities = [(1 - sure) / 2] * 3
    probabilities[label] = sure
    prediction = Prediction(LABELS, tuple(probabilities), novelty)
    return View(angle_deg, FRAME, location, None, prediction, ViewQuality(sharpness, 0.0, 0.0))


WITHOUT_TABLE = View(0.0, FRAME, Location(LocationKind.EDGE, (Box(0, 0, 4, 4),), np.ones((4, 4), np.bool_)), None, None)


def test_a_sure_part_gets_its_class() -> None:
    decision = decide([view()], RULES)
    assert (decision.class_name, decision.reject_reason, decision.view_count) == ("3001", None, 1)


def test_a_part_at_the_border_of_the_picture_is_classified_too() -> None:
    assert decide([view(LocationKind.EDGE)], RULES).class_name == "3001"


@pytest.mark.parametrize(
    ("views", "reason"),
    [
        ([], RejectReason.NOTHING_SEEN),
        ([view(LocationKind.EMPTY)] * 2, RejectReason.NOTHING_SEEN),
        ([view(sure=0.6)], RejectReason.UNSURE),
        ([view(novelty=0.8)], RejectReason.UNKNOWN_PART),
        ([view(label=2, sure=0.99)], RejectReason.UNKNOWN_PART),
        ([view(LocationKind.SEVERAL)], RejectReason.SEVERAL),
        ([view(), view(LocationKind.SEVERAL, angle_deg=90.0)], RejectReason.SEVERAL),
        ([view(LocationKind.EMPTY), view(LocationKind.SEVERAL)], RejectReason.SEVERAL),
        ([view(sharpness=0.1)], RejectReason.BLURRED),
        ([view(LocationKind.MOVING), view(LocationKind.EMPTY)], RejectReason.BLURRED),
        ([WITHOUT_TABLE], RejectReason.NO_TABLE),
        ([WITHOUT_TABLE, view(LocationKind.EMPTY)], RejectReason.NO_TABLE),
    ],
)
def test_each_rejection_says_why(views: list[View], reason: RejectReason) -> None:
    decision = decide(views, RULES)
    assert (decision.class_name, decision.reject_reason) == (None, reason)


def test_one_view_of_several_that_two_others_deny_does_not_reject() -> None:
    views = [view(), view(angle_deg=180.0), view(LocationKind.SEVERAL, angle_deg=90.0)]
    assert decide(views, RULES).class_name == "3001"


def test_a_blurred_view_does_not_spoil_a_sharp_one() -> None:
    decision = decide([view(label=1, sharpness=0.1), view(angle_deg=90.0)], RULES)
    assert (decision.class_name, decision.view_count) == ("3001", 1)


def test_the_rejected_parts_posterior_is_kept_for_the_operator() -> None:
    decision = decide([view(sure=0.6)], RULES)
    assert decision.posterior is not None
    assert decision.posterior.ranked[0][0] == "3001"


def test_views_without_angles_are_worth_one() -> None:
    unsure = [view(sure=0.8, angle_deg=None) for _ in range(8)]
    assert decide(unsure, RULES).reject_reason is RejectReason.UNSURE
    assert decide([view(sure=0.8, angle_deg=angle) for angle in ANGLES], RULES).class_name == "3001"


def test_looking_ends_when_the_part_is_known() -> None:
    assert next_angle([view()], ANGLES, RULES) is None


def test_doubt_asks_for_the_other_side() -> None:
    assert next_angle([], ANGLES, RULES) == 0.0
    assert next_angle([view(sure=0.5)], ANGLES, RULES) == 180.0
    assert next_angle([view(sure=0.5), view(sure=0.5, angle_deg=180.0)], ANGLES, RULES) in (90.0, 270.0)


def test_a_blurred_look_is_followed_by_another() -> None:
    assert next_angle([view(sharpness=0.1)], ANGLES, RULES) == 180.0


def test_looking_ends_with_the_budget_and_with_the_angles() -> None:
    doubtful = [view(sure=0.4, angle_deg=angle) for angle in ANGLES]
    assert next_angle(doubtful, [45.0], RULES) is None
    assert next_angle(doubtful[:2], [0.2, 180.3], RULES) in (180.3, None)
    assert next_angle(doubtful[:1], [0.0, 360.0], RULES) is None


@pytest.mark.parametrize("kind", [LocationKind.SEVERAL, LocationKind.EMPTY])
def test_looking_ends_when_two_views_agree_that_there_is_not_one_part(kind: LocationKind) -> None:
    assert next_angle([view(kind)], ANGLES, RULES) is not None
    assert next_angle([view(kind), view(kind, angle_deg=180.0)], ANGLES, RULES) is None


def test_two_views_of_several_do_not_end_it_when_others_outweigh_them() -> None:
    views = [view(LocationKind.SEVERAL), view(LocationKind.SEVERAL, angle_deg=45.0)]
    views += [view(sure=0.5, angle_deg=angle) for angle in (90.0, 135.0, 180.0)]
    assert next_angle(views, ANGLES, DecisionRules(0.9, None, RULES.correlation, view_budget=8)) is not None


@pytest.mark.parametrize("wrong", [{"posterior": 1.1}, {"posterior": float("nan")}, {"view_budget": 0}])
def test_rules_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="got"):
        DecisionRules(**{"posterior": 0.9, "novelty": None, "correlation": RULES.correlation, **wrong})  # type: ignore[arg-type]


any_view = st.builds(
    view,
    st.sampled_from(LocationKind),
    st.floats(0.34, 1.0),
    angle_deg=st.one_of(st.none(), st.floats(0, 360)),
    label=st.integers(0, 2),
    novelty=st.one_of(st.none(), st.floats(0, 1)),
    sharpness=st.floats(0, 1),
)


@given(st.lists(any_view, max_size=6))
def test_no_views_ever_give_a_class_below_the_threshold(views: list[View]) -> None:
    decision = decide(views, RULES)
    assert (decision.class_name is None) != (decision.reject_reason is None)
    if decision.class_name is not None:
        assert decision.posterior is not None
        assert decision.posterior.ranked[0] == (decision.class_name, max(decision.posterior.probabilities))
        assert max(decision.posterior.probabilities) >= RULES.posterior
        assert decision.class_name != "other"
        assert decision.posterior.novelty is None or decision.posterior.novelty <= 0.7


@given(st.lists(any_view, max_size=6))
def test_the_next_angle_is_never_one_that_was_seen(views: list[View]) -> None:
    angle = next_angle(views, ANGLES, RULES)
    seen = [each.angle_deg for each in views if each.angle_deg is not None]
    assert angle is None or all(abs((angle - each + 180) % 360 - 180) > 0.5 for each in seen)
    if len(views) >= RULES.view_budget:
        assert angle is None


@given(st.lists(any_view, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_the_order_in_which_a_part_was_seen_does_not_matter(views: list[View], random: object) -> None:
    shuffled = views.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    first, second = decide(views, RULES), decide(shuffled, RULES)
    assert first.view_count == second.view_count
    if first.posterior is None or second.posterior is None:
        assert first == second
    else:
        assert second.posterior.probabilities == pytest.approx(first.posterior.probabilities, abs=1e-6)


@given(st.lists(any_view, min_size=8, max_size=8), st.lists(st.floats(-720, 720), min_size=1, max_size=8))
def test_looking_on_always_ends_and_never_from_where_it_looked_before(
    views: list[View], candidates_deg: list[float]
) -> None:
    looked: list[View] = []
    while (angle := next_angle(looked, candidates_deg, RULES)) is not None:
        assert angle in candidates_deg
        looked.append(replace(views[len(looked)], angle_deg=angle))
        assert len(looked) <= min(RULES.view_budget, len(candidates_deg))
    seen = [each.angle_deg for each in looked]
    assert len({round(each % 360, 6) for each in seen if each is not None}) == len(seen)
