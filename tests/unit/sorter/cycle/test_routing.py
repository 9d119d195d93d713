"""A part goes where the plan says and where there is room, and never silently anywhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.cycle.routing import NoRoom, Route, bins_of, likely_route, route, without_room
from sorter.types import BinId, Decision, PartColour, Prediction, RejectReason, SortPlan, SortRule

LABELS = ("3001", "3002", "3003", "3004")
NAMES = tuple(BinId(name) for name in ("reject", "a", "b", "over", "again"))
CATEGORIES = {"bricks": ("3001", "3003"), "plates": ("3002",)}
RED = PartColour("Red", 4, 1.0, is_unsure=False)
PLAN = SortPlan(
    "plan",
    (SortRule(BinId("a"), classes=("3001",)), SortRule(BinId("b"), categories=("plates",), colours=("Red",))),
    reject=BinId("reject"),
    overflow=BinId("over"),
    recirculate=BinId("again"),
)
ROOM = dict.fromkeys(NAMES, 5)

probabilities = st.floats(0.5, 1.0)
colours = st.sampled_from([None, RED, PartColour("Blue", 1, 2.0, is_unsure=False), replace(RED, is_unsure=True)])
reasons = st.sampled_from(RejectReason)
names = st.sampled_from(NAMES)
rules = st.builds(
    SortRule,
    names,
    st.lists(st.sampled_from(LABELS), max_size=2).map(tuple),
    st.lists(st.sampled_from([*CATEGORIES, "none such"]), max_size=1).map(tuple),
    st.lists(st.sampled_from(["Red", "Blue"]), max_size=1).map(tuple),
    st.sampled_from([0.0, 0.8]),
)
plans = st.builds(
    SortPlan,
    st.just("plan"),
    st.lists(rules, max_size=4).map(tuple),
    reject=names,
    overflow=st.none() | names,
    recirculate=st.none() | names,
)
rooms = st.fixed_dictionaries({name: st.integers(0, 2) for name in NAMES})


def sure_of(name: str, probability: float = 0.95, colour: PartColour | None = None) -> Decision:
    other = (1.0 - probability) / (len(LABELS) - 1)
    posterior = Prediction(LABELS, tuple(probability if label == name else other for label in LABELS))
    return Decision(name, None, posterior, 2, colour)


decisions = st.builds(sure_of, st.sampled_from(LABELS), probabilities, colours) | st.builds(
    lambda reason, part: Decision(None, reason, part.posterior, 2, part.colour),
    reasons,
    st.builds(sure_of, st.sampled_from(LABELS), probabilities, colours),
)


def fits(rule: SortRule, decision: Decision) -> bool:
    """The rule's words, one by one."""
    assert decision.class_name is not None
    assert decision.posterior is not None
    if rule.classes and decision.class_name not in rule.classes:
        return False
    if rule.categories and not any(decision.class_name in CATEGORIES.get(each, ()) for each in rule.categories):
        return False
    if rule.colours:
        colour = decision.colour
        if colour is None or colour.is_unsure or colour.name not in rule.colours:
            return False
    return max(decision.posterior.probabilities) >= rule.min_probability


@given(decisions, plans, rooms)
def test_a_part_goes_to_its_bin_or_a_full_bins_overflow_or_nowhere(
    decision: Decision, plan: SortPlan, free: dict[BinId, int]
) -> None:
    if decision.class_name is not None:
        wanted = next((rule.bin for rule in plan.rules if fits(rule, decision)), plan.reject)
    else:
        wanted = plan.reject
        if decision.reject_reason is RejectReason.SEVERAL and plan.recirculate and free[plan.recirculate]:
            wanted = plan.recirculate
    found = route(decision, plan, free, CATEGORIES)
    if free[wanted]:
        assert isinstance(found, Route)
        assert found.bin == wanted
    elif plan.overflow is not None and free[plan.overflow]:
        assert isinstance(found, Route)
        assert found.bin == plan.overflow
        assert str(wanted) in found.why
    else:
        assert isinstance(found, NoRoom)
        assert wanted in found.bins
        assert not any(free[name] for name in found.bins)
    if isinstance(found, Route):
        assert found.why
        assert free[found.bin] > 0


@given(decisions, plans, rooms)
def test_nothing_is_fed_that_could_find_no_room(decision: Decision, plan: SortPlan, free: dict[BinId, int]) -> None:
    full = without_room(plan, free)
    if not full:
        assert isinstance(route(decision, plan, free, CATEGORIES), Route)
    else:
        assert not any(free[name] for name in full)
        emptied = free | dict.fromkeys(full, 5)
        assert not without_room(plan, emptied)  # emptying what is named is enough


@given(decisions, plans, rooms)
def test_the_chute_travels_ahead_to_where_a_sure_part_goes(
    decision: Decision, plan: SortPlan, free: dict[BinId, int]
) -> None:
    likely = likely_route(decision, plan, free, CATEGORIES)
    if decision.reject_reason is RejectReason.UNSURE:
        assert decision.posterior is not None
        leading = replace(decision, class_name=decision.posterior.ranked[0][0], reject_reason=None)
        assert likely == route(leading, plan, free, CATEGORIES)
    else:
        assert likely == route(decision, plan, free, CATEGORIES)


@pytest.mark.parametrize(
    ("decision", "expected", "why"),
    [
        (sure_of("3001"), "a", "3001, rule 1"),
        (sure_of("3002", colour=RED), "b", "3002 in Red, rule 2"),
        (sure_of("3002"), "reject", "no rule fits 3002"),
        (sure_of("3002", colour=replace(RED, is_unsure=True)), "reject", "no rule fits 3002"),
        (Decision(None, RejectReason.SEVERAL, None, 1), "again", "several"),
        (Decision(None, RejectReason.BLURRED, None, 1), "reject", "blurred"),
    ],
)
def test_the_reason_can_be_read(decision: Decision, expected: str, why: str) -> None:
    assert route(decision, PLAN, ROOM, CATEGORIES) == Route(BinId(expected), why)


def test_a_plan_names_each_of_its_bins_once() -> None:
    assert bins_of(PLAN) == ("a", "b", "reject", "over", "again")
    assert bins_of(replace(PLAN, overflow=None, recirculate=BinId("a"))) == ("a", "b", "reject")
