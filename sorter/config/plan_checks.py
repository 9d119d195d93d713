"""What must hold between ``[[bins]]``, ``[sort]`` and ``[categories]`` of rig.toml: every part has one way to go."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from sorter.toml import Mistake

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from sorter.config.bins import RuleConfig, SortConfig
    from sorter.config.rig import RigConfig
    from sorter.toml import KeyPath

_ALL_ELSE = ""
"""Stands for every class, or every colour, that no rule names; no name is empty."""
_RULE_KEYS = ("classes", "categories", "colours", "least_probability")
_RULES: KeyPath = ("sort", "rules")
_BINS: KeyPath = ("bins",)


def plan_mistakes(config: RigConfig) -> Iterator[Mistake]:
    """All that is wrong with the sort plan."""
    yield from _categories(config.categories)
    if config.sort is None:
        return
    yield from _repeated(config.sort)
    yield from _unknown_categories(config.sort, config.categories)
    yield from _rules_that_never_fit(config.sort, config.categories)
    if not config.bins:
        text = "has no bins to sort into; add [[bins]]"
        yield Mistake(("sort",), text, rests_on=(_BINS,))
        return
    yield from _ways_of_the_rest(config.sort)
    unknown = list(_unknown_bins(config))
    yield from (mistake for mistake, _ in unknown)
    yield from _bins_without_parts(config, {meant for _, meant in unknown if meant is not None})


def suggestion(name: str, known: Collection[str], *, most: int = 12) -> str:
    """What to write in place of a name that nobody knows: the nearest that is known, or all of them if they are few."""
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f'did you mean "{close[0]}"?'
    shown = sorted(known)[:most]
    more = f" and {len(known) - most} more" if len(known) > most else ""
    return f"known are {', '.join(shown)}{more}" if shown else "none is known"


def _named_bins(sort: SortConfig) -> Iterator[tuple[KeyPath, str]]:
    for name in ("reject", "overflow", "recirculate"):
        bin_id = getattr(sort, name)
        if bin_id is not None:
            yield ("sort", name), bin_id
    for place, rule in enumerate(sort.rules):
        yield (*_RULES, place, "bin"), rule.bin


def _unknown_bins(config: RigConfig) -> Iterator[tuple[Mistake, str | None]]:
    """Each with the bin that was perhaps meant."""
    ids = {each.id for each in config.bins}
    for key, bin_id in _named_bins(config.sort) if config.sort else ():
        if bin_id not in ids:
            meant = next(iter(difflib.get_close_matches(bin_id, ids, n=1)), None)
            text = f'no bin has the id "{bin_id}"; {suggestion(bin_id, ids)}'
            yield Mistake(key, text, rests_on=(_BINS,)), meant


def _bins_without_parts(config: RigConfig, meant: set[str]) -> Iterator[Mistake]:
    named = {bin_id for _, bin_id in _named_bins(config.sort)} if config.sort else set()
    for place, each in enumerate(config.bins):
        if each.id not in named | meant:
            text = (
                f'"{each.id}" gets no part: no rule names it, and it is neither reject, overflow nor recirculate; add '
                "[[sort.rules]] for it, or leave the bin out"
            )
            rests_on = (_RULES, ("sort", "reject"), ("sort", "overflow"), ("sort", "recirculate"))
            yield Mistake((*_BINS, place), text, rests_on=(*rests_on, (*_BINS, place, "id")))


def _ways_of_the_rest(sort: SortConfig) -> Iterator[Mistake]:
    if sort.overflow is not None and sort.overflow in (sort.reject, sort.recirculate):
        other = "reject" if sort.overflow == sort.reject else "recirculate"
        why = "is full of rejected parts itself" if other == "reject" else "is emptied into the hopper again"
        text = f'must be a bin of its own: {other}, which {why}, is the same, got "{sort.overflow}"'
        yield Mistake(("sort", "overflow"), text, against=(("sort", other),))
    for place, rule in enumerate(sort.rules):
        if rule.bin == sort.recirculate:
            text = f'must not be the recirculate bin: what goes there is fed again, for ever, got "{rule.bin}"'
            yield Mistake((*_RULES, place, "bin"), text, against=(("sort", "recirculate"),))


def _categories(categories: Mapping[str, Sequence[str]]) -> Iterator[Mistake]:
    for name, classes in categories.items():
        if not classes:
            text = 'holds no class; write design numbers, such as ["3001", "3002"], or leave it out'
            yield Mistake(("categories", name), text)
        yield from _twice(("categories", name), classes)


def _repeated(sort: SortConfig) -> Iterator[Mistake]:
    for place, rule in enumerate(sort.rules):
        for name in ("classes", "categories", "colours"):
            yield from _twice((*_RULES, place, name), getattr(rule, name))


def _twice(key: KeyPath, names: Sequence[str]) -> Iterator[Mistake]:
    first: dict[str, int] = {}
    for place, name in enumerate(names):
        if first.setdefault(name, place) != place:
            text = f'"{name}" stands there twice; take one out, or write what was meant'
            yield Mistake((*key, place), text, against=((*key, first[name]),))


def _unknown_categories(sort: SortConfig, categories: Mapping[str, Sequence[str]]) -> Iterator[Mistake]:
    for place, rule in enumerate(sort.rules):
        for position, name in enumerate(rule.categories):
            if name not in categories:
                text = f'"{name}" is not in [categories]; {suggestion(name, categories)}'
                yield Mistake((*_RULES, place, "categories", position), text, rests_on=(("categories",),))


def _rules_that_never_fit(sort: SortConfig, categories: Mapping[str, Sequence[str]]) -> Iterator[Mistake]:
    """Rules that ask for a class of a category that it is not in, and rules after others that take all they could get.

    A part is a class, a colour and a probability; each cell of classes × colours has the least probability from which
    on the rules so far take it.
    """
    known = [place for place, rule in enumerate(sort.rules) if all(name in categories for name in rule.categories)]
    wanted = {place: classes_of_rule(sort.rules[place], categories) for place in known}
    classes = {_ALL_ELSE}.union(*(each for each in wanted.values() if each is not None))
    colours = {_ALL_ELSE}.union(*(rule.colours for rule in sort.rules))
    takers: dict[tuple[str, str], tuple[float, int]] = {}
    for place in known:
        rule, mine = sort.rules[place], wanted[place]
        if mine is not None and not mine:
            if not rule.classes:  # only categories without classes, which are told by themselves
                continue
            text = f"can never fit: none of its classes {', '.join(rule.classes)} is in {', '.join(rule.categories)}"
            keys = [(*_RULES, place, "categories"), *(("categories", name) for name in rule.categories)]
            yield Mistake((*_RULES, place, "classes"), text, against=tuple(keys))
            continue
        cells = [(one, other) for one in sorted(classes if mine is None else mine) for other in rule.colours or colours]
        before = [takers.get(cell) for cell in cells]
        earlier = {taker[1] for taker in before if taker is not None and taker[0] <= rule.least_probability}
        if all(taker is not None and taker[0] <= rule.least_probability for taker in before):
            text = "can never fit: earlier rules take every part that it could get; move it before them or leave it out"
            against: tuple[KeyPath, ...] = tuple((*_RULES, each) for each in sorted(earlier))
            judged = tuple((*_RULES, each, key) for each in (*sorted(earlier), place) for key in _RULE_KEYS)
            used = {name for each in (*earlier, place) for name in sort.rules[each].categories}
            yield Mistake((*_RULES, place), text, against, (*judged, *(("categories", name) for name in sorted(used))))
            continue
        for cell, taker in zip(cells, before, strict=True):
            if taker is None or rule.least_probability < taker[0]:
                takers[cell] = (rule.least_probability, place)


def classes_of_rule(rule: RuleConfig, categories: Mapping[str, Collection[str]]) -> set[str] | None:
    """The classes that a rule takes; None is any."""
    if not rule.categories:
        return set(rule.classes) or None
    grouped = {name for category in rule.categories for name in categories[category]}
    return grouped & set(rule.classes) if rule.classes else grouped
