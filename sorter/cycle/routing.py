"""From what a part is to the bin that it belongs in, by the sort plan. Pure.

A part of a class goes where the first rule that fits says, and to the reject bin if none fits; a rejected part to the
reject bin; several at once to be fed again, where the plan has a bin for that and it has room. A full bin hands on to
the overflow. Where that is full, too, or missing, there is no room: the part stays where it is until somebody empties
a bin. It never goes to the reject bin instead, for nobody would find it there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sorter.types import BinId, Decision, RejectReason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sorter.types import SortPlan, SortRule


@dataclass(frozen=True)
class Route:
    """The bin, and why, for a person."""

    bin: BinId
    why: str


@dataclass(frozen=True)
class NoRoom:
    """These bins are full; emptying one of them is enough for this part."""

    bins: tuple[BinId, ...]


def route(
    decision: Decision, plan: SortPlan, free: Mapping[BinId, int], categories: Mapping[str, tuple[str, ...]]
) -> Route | NoRoom:
    """Where the part goes.

    Args:
        decision: what it is.
        plan: what belongs where.
        free: how many parts still fit into each bin.
        categories: names for groups of classes.
    """
    wanted = _wanted(decision, plan, categories)
    if decision.reject_reason is RejectReason.SEVERAL and not free[wanted.bin] and wanted.bin != plan.reject:
        wanted = Route(plan.reject, f"{wanted.why}, but {wanted.bin} is full")
    if free[wanted.bin]:
        return wanted
    if plan.overflow is not None and free[plan.overflow]:
        return Route(plan.overflow, f"{wanted.why}, but {wanted.bin} is full")
    return NoRoom(tuple(dict.fromkeys([wanted.bin, *([] if plan.overflow is None else [plan.overflow])])))


def likely_route(
    decision: Decision, plan: SortPlan, free: Mapping[BinId, int], categories: Mapping[str, tuple[str, ...]]
) -> Route | NoRoom:
    """Where the part will go if further views agree: one that is not sure yet is taken for its most probable class."""
    if decision.reject_reason is RejectReason.UNSURE and decision.posterior is not None:
        leading, _ = decision.posterior.ranked[0]
        decision = replace(decision, class_name=leading, reject_reason=None)
    return route(decision, plan, free, categories)


def without_room(plan: SortPlan, free: Mapping[BinId, int]) -> tuple[BinId, ...]:
    """The full bins for whose sake no further part may be fed; empty if every part would find room."""
    if plan.overflow is not None and free[plan.overflow]:
        return ()
    needed = dict.fromkeys([*(rule.bin for rule in plan.rules), plan.reject])
    full = [name for name in needed if not free[name]]
    if full and plan.overflow is not None:
        full.append(plan.overflow)
    return tuple(dict.fromkeys(full))


def bins_of(plan: SortPlan) -> tuple[BinId, ...]:
    """Every bin that the plan names, each once."""
    others = [name for name in (plan.reject, plan.overflow, plan.recirculate) if name is not None]
    return tuple(dict.fromkeys([*(rule.bin for rule in plan.rules), *others]))


def _wanted(decision: Decision, plan: SortPlan, categories: Mapping[str, tuple[str, ...]]) -> Route:
    if decision.class_name is None:
        reason = str(decision.reject_reason)
        if decision.reject_reason is RejectReason.SEVERAL and plan.recirculate is not None:
            return Route(plan.recirculate, reason)
        return Route(plan.reject, reason)
    colour = decision.colour.name if decision.colour is not None and not decision.colour.is_unsure else None
    named = decision.class_name if colour is None else f"{decision.class_name} in {colour}"
    for number, rule in enumerate(plan.rules, start=1):
        if _fits(rule, decision, colour, categories):
            return Route(rule.bin, f"{named}, rule {number}")
    return Route(plan.reject, f"no rule fits {named}")


def _fits(rule: SortRule, decision: Decision, colour: str | None, categories: Mapping[str, tuple[str, ...]]) -> bool:
    """A colour that is not sure fits no rule that names colours."""
    name = decision.class_name
    probability = 0.0 if decision.posterior is None else dict(decision.posterior.ranked).get(name or "", 0.0)
    return (
        (not rule.classes or name in rule.classes)
        and (not rule.categories or any(name in categories.get(each, ()) for each in rule.categories))
        and (not rule.colours or colour in rule.colours)
        and probability >= rule.min_probability
    )
