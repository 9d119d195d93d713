"""Checks for what stands more than once, and for what that does to a published split."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from sorter.dataset.findings import Finding, Kind, Severity
from sorter.dataset.likeness import nearest, stacked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sorter.dataset.features import Features
    from sorter.dataset.likeness import Pair
    from sorter.dataset.records import Dataset

_MOST_EXAMPLES = 6
_TELLS_NOTHING = 0.95  # a part that is recognised so well by the nearest pixels has its neighbour in training
_HONEST = "Split by brick in place of it: sorter dataset split DIR --by brick --folds 3."


def copies(dataset: Dataset, pairs: Sequence[Pair]) -> list[Finding]:
    """Exact and near copies, and pictures that stand under two classes."""
    name_of = {each.path: each.class_name for each in dataset.pictures}
    exact = _exact(dataset)
    superfluous = sum(len(paths) - 1 for paths in exact)
    conflicts = [paths for paths in exact if len({name_of[path] for path in paths}) > 1]
    conflicts += [(each.first, each.second) for each in pairs if name_of[each.first] != name_of[each.second]]
    findings = []
    if conflicts:
        findings.append(
            Finding(
                Kind.CONFLICTING_LABELS,
                Severity.ERROR,
                len(conflicts),
                f"{len(conflicts)} pictures stand under two classes: one of the two labels is wrong",
                "Look at them and keep the right one.",
                tuple(conflicts[:_MOST_EXAMPLES]),
            )
        )
    if exact:
        classes = sorted({name_of[path] for paths in exact for path in paths})
        findings.append(
            Finding(
                Kind.EXACT_COPIES,
                Severity.WARNING,
                superfluous,
                f"{superfluous} files are byte for byte copies of another one (classes {', '.join(classes)}): "
                f"{len(name_of) - superfluous} of {len(name_of)} are different",
                "Keep one of each; copies only make their classes look larger.",
                tuple(exact[:_MOST_EXAMPLES]),
            )
        )
    if pairs:
        findings.append(
            Finding(
                Kind.NEAR_COPIES,
                Severity.WARNING,
                len(pairs),
                f"{len(pairs)} pairs of pictures look the same though their bytes differ",
                "Keep one of each, if one is the other saved again.",
                tuple((each.first, each.second) for each in pairs[:_MOST_EXAMPLES]),
            )
        )
    return findings


def published_split(dataset: Dataset, pairs: Sequence[Pair], accuracy: float | None) -> list[Finding]:
    """What the published split has on both sides."""
    split_of = {each.path: each.split for each in dataset.pictures}
    if len(set(split_of.values())) < 2:
        return []
    exact = [paths for paths in _exact(dataset) if len({split_of[path] for path in paths}) > 1]
    near = [(each.first, each.second) for each in pairs if split_of[each.first] != split_of[each.second]]
    torn = _torn_revolutions(dataset)
    findings = []
    if exact:
        what = f"{len(exact)} photographs stand byte for byte on both sides of the published split"
        findings.append(_across(Kind.EXACT_COPIES_ACROSS_SPLIT, exact, what))
    if near:
        what = f"{len(near)} pairs of near copies stand on both sides of the published split"
        findings.append(_across(Kind.NEAR_COPIES_ACROSS_SPLIT, near, what))
    if torn:
        all_of_them = len({each.revolution for each in dataset.pictures} - {None})
        what = (
            f"{len(torn)} of {all_of_them} revolutions stand on both sides of the published split: each picture held "
            "out has neighbours a few degrees off in training"
        )
        findings.append(_across(Kind.REVOLUTIONS_ACROSS_SPLIT, torn, what))
    if accuracy is not None and accuracy >= _TELLS_NOTHING:
        what = (
            f"naming each test picture after the training picture with the nearest pixels is right in {accuracy:.2%}: "
            "the published split tells nothing about parts that were never seen"
        )
        findings.append(Finding(Kind.SPLIT_TELLS_NOTHING, Severity.ERROR, 1, what, _HONEST))
    return findings


def neighbour_accuracy(dataset: Dataset, features: Sequence[Features]) -> float | None:
    """Share of test pictures that the training picture with the nearest pixels names rightly; None without a split."""
    pictures = {each.path: each for each in dataset.pictures}
    usable = [each for each in features if each.thumbnail is not None]
    train = [each for each in usable if pictures[each.path].split == "train"]
    test = [each for each in usable if pictures[each.path].split == "test"]
    if not train or not test:
        return None
    places, _ = nearest(stacked(test), stacked(train))
    named = np.array([pictures[train[int(place)].path].class_name for place in places])
    return float((named == np.array([pictures[each.path].class_name for each in test])).mean())


def _exact(dataset: Dataset) -> list[tuple[str, ...]]:
    """Paths with the same bytes, in order."""
    return sorted({tuple(sorted((each.path, *each.copies))) for each in dataset.pictures if each.copies})


def _torn_revolutions(dataset: Dataset) -> list[tuple[str, ...]]:
    """For each revolution on both sides, a picture of each side."""
    found: dict[str, dict[str | None, str]] = defaultdict(dict)
    for each in dataset.pictures:
        if each.revolution is not None:
            found[each.revolution].setdefault(each.split, each.path)
    return [tuple(sides.values()) for sides in found.values() if len(sides) > 1]


def _across(kind: Kind, examples: Sequence[tuple[str, ...]], what: str) -> Finding:
    return Finding(kind, Severity.ERROR, len(examples), what, _HONEST, tuple(examples[:_MOST_EXAMPLES]))
