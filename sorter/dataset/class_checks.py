"""Checks of what the classes consist of, and of what predicts them besides the part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sorter.dataset.findings import Finding, Kind, Severity
from sorter.dataset.shortcuts import measure_shortcut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sorter.dataset.features import Features
    from sorter.dataset.findings import ClassSummary
    from sorter.dataset.records import Dataset
    from sorter.dataset.shortcuts import Shortcut

_FEW = 30  # pictures of a class, about half a revolution
_IMBALANCE = 3.0
_SEEN_SHARE = 0.1  # of a class's pictures that show a colour; less may be mistaken
_WEAK, _STRONG = 0.25, 0.6  # of what a guess leaves open
_LEAST_PICTURES = 20  # to measure shortcuts on
_EVEN_TABLE = (
    "Train on crops whose table was evened to grey (the rig's own are), and photograph each class under every light."
)


def balance(classes: Sequence[ClassSummary]) -> list[Finding]:
    """Too few classes, too few pictures of one, or many more of one than of another."""
    findings = []
    if len(classes) < 2:
        sentence = f"there is one class only, {classes[0].name}: nothing can be told apart"
        findings.append(Finding(Kind.ONE_CLASS, Severity.ERROR, 1, sentence, "Add pictures of other parts."))
    few = [each for each in classes if each.different < _FEW]
    if few:
        named = ", ".join(f"{each.name} ({each.different})" for each in few)
        sentence = f"{len(few)} classes have fewer than {_FEW} different pictures: {named}"
        findings.append(Finding(Kind.FEW_PICTURES, Severity.WARNING, len(few), sentence, "Take more revolutions."))
    least = min(classes, key=lambda each: each.different)
    most = max(classes, key=lambda each: each.different)
    ratio = most.different / max(1, least.different)
    if ratio >= _IMBALANCE:
        sentence = (
            f"{most.name} has {ratio:.1f} times as many different pictures as {least.name} "
            f"({most.different} and {least.different}): a network will guess the larger class"
        )
        remedy = f"Take more of {least.name}, or weight the classes in training."
        findings.append(Finding(Kind.IMBALANCE, Severity.WARNING, 1, sentence, remedy))
    return findings


def variety(classes: Sequence[ClassSummary]) -> list[Finding]:
    """Classes that come in one colour or as one brick: a network learns the colour, and no score is honest."""
    findings = []
    single = [(each.name, colours[0]) for each in classes if len(colours := _colours(each)) == 1]
    if single:
        named = ", ".join(f"{name} ({colour})" for name, colour in single)
        sentence = f"{len(single)} classes come in one colour only: {named}. A network takes the colour for the part"
        remedy = "Photograph them in other colours, or train with parts recoloured."
        findings.append(Finding(Kind.ONE_COLOUR, Severity.WARNING, len(single), sentence, remedy))
    lone = [each.name for each in classes if each.bricks == 1]
    if lone:
        sentence = (
            f"{len(lone)} classes have one brick only: {', '.join(lone)}. It cannot be both held out and trained on, "
            "so no score says how a second one would be recognised"
        )
        findings.append(
            Finding(Kind.ONE_BRICK, Severity.WARNING, len(lone), sentence, "Photograph a second brick of each.")
        )
    return findings


def _colours(summary: ClassSummary) -> list[str]:
    if summary.colours:
        return list(summary.colours)
    total = sum(summary.colours_seen.values())
    return [name for name, count in summary.colours_seen.items() if count >= _SEEN_SHARE * total]


def shortcuts(dataset: Dataset, features: Sequence[Features]) -> tuple[Shortcut, ...]:
    """How well the table's mean colour, and the border of the picture, predict the class; copies count once."""
    pictures = {each.path: each for each in dataset.pictures}
    once = {each.sha256: each for each in features if each.refusal is None}
    seen = [each for each in once.values() if each.table_rgb is not None and each.border is not None]
    names = [pictures[each.path].class_name for each in seen]
    if len(seen) < _LEAST_PICTURES or len(set(names)) < 2:
        return ()
    revolutions = [pictures[each.path].revolution for each in seen]
    if dataset.groups_from != "unknown":  # the few that nobody knows would otherwise be held against all others
        known = [place for place, each in enumerate(revolutions) if each is not None]
        seen = [seen[place] for place in known]
        names, revolutions = [names[place] for place in known], [revolutions[place] for place in known]
        if len(set(names)) < 2:
            return ()
    table = np.asarray([each.table_rgb for each in seen], np.float32)
    border = np.asarray([each.border.reshape(-1) for each in seen if each.border is not None], np.float32)
    return (
        measure_shortcut("mean colour of the table", table, names, revolutions),
        measure_shortcut("border of the picture", border, names, revolutions),
    )


def told_by_shortcuts(found: Sequence[Shortcut]) -> list[Finding]:
    """Findings for the clues that tell more than a guess."""
    findings = []
    for each in found:
        if each.strength < _WEAK:
            continue
        alone = f"{each.by_group:.0%} of whole {each.group}s held out, " if each.by_group is not None else ""
        sentence = (
            f"the {each.clue} alone names the class of {alone}{each.at_random:.0%} of single pictures held out; always "
            f"naming the commonest class is right in {each.commonest:.0%}. A network can score by it without looking "
            "at the part"
        )
        severity = Severity.ERROR if each.strength >= _STRONG else Severity.WARNING
        findings.append(Finding(Kind.SHORTCUT, severity, 1, sentence, _EVEN_TABLE))
    return findings


def groups(dataset: Dataset) -> list[Finding]:
    """Who says which pictures belong together."""
    if dataset.groups_from == "inferred":
        count = len({each.revolution for each in dataset.pictures} - {None})
        sentence = (
            f"nobody says which pictures belong together: {count} groups, each of one revolution or several "
            f"that look alike, were inferred; {dataset.confidence or 0.0:.0%} of the pictures leave no doubt"
        )
    elif dataset.groups_from == "unknown":
        sentence = "nobody says which pictures belong together, and they could not be inferred"
    else:
        return []
    remedy = "Write brick and revolution into index.jsonl, then splits need no guessing."
    return [Finding(Kind.GROUPS, Severity.NOTE, len(dataset.pictures), sentence, remedy)]
