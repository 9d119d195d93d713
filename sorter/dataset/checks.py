"""Check a dataset: what is wrong with its pictures, its labels, its split, and what a network could cheat with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.dataset import class_checks, copy_checks
from sorter.dataset.features import look_at_all
from sorter.dataset.findings import CheckResult, Finding, Kind, Severity, summarise
from sorter.dataset.groups import with_inferred_groups
from sorter.dataset.likeness import near_pairs
from sorter.types import LocationKind
from sorter.vision.quality import LEAST_SHARPNESS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sorter.dataset.features import Features
    from sorter.dataset.records import Dataset

_MOST_EXAMPLES = 12
_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


def check(dataset: Dataset, features: Sequence[Features]) -> CheckResult:
    """All findings about a dataset, errors first.

    Args:
        dataset: with its groups, if they are known or were inferred.
        features: of every picture, as ``look_at_all`` gives them, not at a glance.
    """
    if [each.path for each in features] != [each.path for each in dataset.pictures]:
        raise ValueError("features are of other pictures than the dataset's")
    pairs = near_pairs(features)
    accuracy = copy_checks.neighbour_accuracy(dataset, features)
    shortcuts = class_checks.shortcuts(dataset, features)
    classes = summarise(dataset, features)
    findings = [
        *_layout(dataset),
        *_pictures(dataset, features),
        *copy_checks.copies(dataset, pairs),
        *copy_checks.published_split(dataset, pairs, accuracy),
        *class_checks.balance(classes),
        *class_checks.variety(classes),
        *class_checks.told_by_shortcuts(shortcuts),
        *class_checks.groups(dataset),
    ]
    findings.sort(key=lambda finding: _ORDER[finding.severity])
    return CheckResult(dataset, tuple(findings), classes, shortcuts, accuracy)


def _layout(dataset: Dataset) -> list[Finding]:
    if not dataset.warnings:
        return []
    sentence = "some of what stands in the folder was left out or does not fit:\n" + "\n".join(dataset.warnings[:20])
    remedy = "Move it, or take it away."
    return [Finding(Kind.LAYOUT, Severity.WARNING, len(dataset.warnings), sentence, remedy)]


def _pictures(dataset: Dataset, features: Sequence[Features]) -> list[Finding]:
    seen = [each for each in features if each.refusal is None]
    refused = [each for each in features if each.refusal is not None]
    stated = {each.path: each.sha256 for each in dataset.pictures}
    reasons = "; ".join(f"{each.path} {each.refusal}" for each in refused[:3])
    return [
        *_if_any(
            Kind.UNREADABLE,
            Severity.ERROR,
            [each.path for each in refused],
            f"cannot be read: {reasons}",
            "Save them again as 8-bit RGB JPEG or PNG, or take them out.",
        ),
        *_if_any(
            Kind.CHANGED,
            Severity.ERROR,
            [each.path for each in features if each.sha256 and stated[each.path] not in ("", each.sha256)],
            "have other bytes than the index says: somebody wrote over them",
            "Put the old files back, or take their lines out of index.jsonl and import them anew.",
        ),
        *_if_any(
            Kind.NO_PART,
            Severity.ERROR,
            [each.path for each in seen if each.kind is LocationKind.EMPTY],
            "show an empty table, and are filed under a class: a network learns the table by that name",
            "Look at them and take them out.",
        ),
        *_if_any(
            Kind.SEVERAL_PARTS,
            Severity.WARNING,
            [each.path for each in seen if each.kind is LocationKind.SEVERAL],
            "show several things where one part is expected: parts, dirt, or a bright spot",
            "Look at them; take out those with two parts.",
        ),
        *_if_any(
            Kind.PART_OVER_EDGE,
            Severity.WARNING,
            [each.path for each in seen if each.kind is LocationKind.EDGE],
            "show a part that reaches out of the picture or over the rim of the table, or no table at all",
            "Look at them; take out those where the part cannot be made out.",
        ),
        *_if_any(
            Kind.BLURRED,
            Severity.WARNING,
            [
                each.path
                for each in sorted(seen, key=lambda one: one.sharpness)
                if each.sharpness < LEAST_SHARPNESS and each.kind is not LocationKind.EMPTY
            ],
            f"are blurred (sharpness below {LEAST_SHARPNESS})",
            "Check focus and that the table stood still; take out those that you could not name yourself.",
        ),
    ]


def _if_any(kind: Kind, severity: Severity, paths: list[str], what: str, remedy: str) -> list[Finding]:
    if not paths:
        return []
    examples = tuple((path,) for path in paths[:_MOST_EXAMPLES])
    return [Finding(kind, severity, len(paths), f"{len(paths)} pictures {what}", remedy, examples)]


def look_and_check(
    dataset: Dataset, *, workers: int = 2, on_progress: Callable[[int], None] | None = None
) -> CheckResult:
    """Look at every picture, infer the groups if nobody knows them, and check; see ``check`` and ``look_at_all``."""
    features = look_at_all(dataset, workers=workers, on_progress=on_progress)
    return check(with_inferred_groups(dataset, features), features)
