"""Honest splits: groups stay whole on one side, classes are spread evenly, the same input gives the same folds.

A group is a brick or a revolution, together with whatever has a byte-identical copy in it. Each fold holds groups out
for scoring and trains on all others. A class with a single group can never be held out: it is always trained on.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sorter.dataset.errors import DatasetRefused

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sorter.dataset.records import Dataset, GroupsFrom, Picture

By = Literal["brick", "revolution", "random", "colour"]


@dataclass(frozen=True)
class Fold:
    """What one fold holds out: paths, and names of the groups they are; both in order."""

    held_out: tuple[str, ...]
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Split:
    """A dataset cut into folds.

    Args:
        by: what was kept whole.
        seed: which of the many such splits.
        dataset_sha256: ``Dataset.sha256`` of what was split.
        folds: each held out in its turn; what a fold does not hold out is trained on, save ``left_out``.
        groups_from: who says what belongs together.
        confidence: how sure inferred groups are (0 to 1).
        never_held_out: classes that are on no fold's held-out side.
        left_out: paths on neither side: what cannot be read, or nobody knows the group of.
        notes: what a reader of scores has to know.
        leaks: what stands on both sides nevertheless, if somebody insisted.
    """

    by: By
    seed: int
    dataset_sha256: str
    folds: tuple[Fold, ...]
    groups_from: GroupsFrom
    confidence: float | None = None
    never_held_out: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    leaks: tuple[str, ...] = ()

    def training(self, dataset: Dataset, fold: int) -> tuple[Picture, ...]:
        """What is trained on in this fold (from 0)."""
        absent = {*self.folds[fold].held_out, *self.left_out}
        return tuple(each for each in dataset.pictures if each.path not in absent)

    def held_out(self, dataset: Dataset, fold: int) -> tuple[Picture, ...]:
        """What is scored on in this fold (from 0)."""
        held = set(self.folds[fold].held_out)
        return tuple(each for each in dataset.pictures if each.path in held)


def make_split(dataset: Dataset, by: By, folds: int, *, seed: int = 0, unreadable: Collection[str] = ()) -> Split:
    """Cut a dataset into folds.

    Args:
        dataset: with groups, known or inferred, unless ``by`` is ``random``.
        by: ``brick``, ``revolution`` or ``random``, which takes single pictures.
        folds: 2 or more.
        seed: another one gives another split as good.
        unreadable: paths that go on neither side.

    Raises:
        DatasetRefused: nobody knows the groups, or there are too few for so many folds.
    """
    if folds < 2:
        raise ValueError(f"a split has 2 folds or more, got {folds}")
    if by == "colour":
        return colour_folds(dataset, unreadable=unreadable)
    usable = [each for each in dataset.pictures if each.path not in set(unreadable)]
    groups = _groups(dataset, usable, by)
    known = {picture.path for group in groups.values() for picture in group}
    by_class = Counter(name for group in groups.values() for name in {each.class_name for each in group})
    single = {name for name in dataset.classes if by_class[name] < 2}
    movable = {name: group for name, group in groups.items() if not single & {each.class_name for each in group}}
    assigned = _spread(movable, folds, seed)
    empty = [number for number in range(folds) if number not in assigned.values()]
    if empty:
        raise DatasetRefused(
            dataset.root,
            f"{len(movable)} groups in classes of two or more do not fill {folds} folds by {by}",
            remedy="Ask for fewer folds, or split by revolution, or photograph more bricks of a class.",
        )
    made = []
    for number in range(folds):
        names = sorted(name for name, fold in assigned.items() if fold == number)
        paths = sorted(picture.path for name in names for picture in movable[name])
        made.append(Fold(tuple(paths), tuple(names) if by != "random" else ()))
    left_out = sorted(each.path for each in dataset.pictures if each.path not in known)
    never = sorted(set(dataset.classes) - {picture.class_name for name in movable for picture in movable[name]})
    return Split(
        by=by,
        seed=seed,
        dataset_sha256=dataset.sha256,
        folds=tuple(made),
        groups_from=dataset.groups_from,
        confidence=dataset.confidence,
        never_held_out=tuple(never),
        left_out=tuple(left_out),
        notes=_notes(dataset, by, never, left_out),
    )


def colour_folds(dataset: Dataset, *, unreadable: Collection[str] = ()) -> Split:
    """Fold k holds out, of each class with more than one colour, the k-th of its colours in alphabetical order.

    There are as many folds as the most colours of a class.

    Raises:
        DatasetRefused: no class has two colours.
    """
    absent = set(unreadable)
    usable = [each for each in dataset.pictures if each.colour is not None and each.path not in absent]
    colours: dict[str, set[str]] = defaultdict(set)
    for each in usable:
        colours[each.class_name].add(each.colour or "")
    several = {name: sorted(found) for name, found in colours.items() if len(found) > 1}
    if not several:
        raise DatasetRefused(
            dataset.root,
            "no class has pictures of two colours that are named",
            remedy="Photograph each part in several colours, or split by revolution.",
        )
    made = []
    for number in range(max(map(len, several.values()))):
        out = {(name, found[number]) for name, found in several.items() if number < len(found)}
        paths = tuple(sorted(each.path for each in usable if (each.class_name, each.colour) in out))
        made.append(Fold(paths, tuple(sorted(f"{name}-{colour}" for name, colour in out))))
    never = sorted(set(dataset.classes) - set(several))
    left_out = sorted(each.path for each in dataset.pictures if each.colour is None or each.path in absent)
    return Split(
        by="colour",
        seed=0,
        dataset_sha256=dataset.sha256,
        folds=tuple(made),
        groups_from=dataset.groups_from,
        confidence=dataset.confidence,
        never_held_out=tuple(never),
        left_out=tuple(left_out),
        notes=_notes(dataset, "colour", never, left_out),
    )


def _groups(dataset: Dataset, usable: Sequence[Picture], by: By) -> dict[str, list[Picture]]:
    """Pictures by the name of their group; groups that share the bytes of a picture are one."""
    if by == "random":
        return {each.path: [each] for each in usable}
    own = {each.path: (each.brick if by == "brick" else each.revolution or each.brick) for each in usable}
    if not any(own.values()):
        remedy = "Write brick and revolution into index.jsonl"
        raise DatasetRefused(
            dataset.root,
            f"nobody knows which {by} a picture belongs to (groups: {dataset.groups_from})",
            remedy=f"{remedy}, or split by revolution, which can be inferred." if by == "brick" else f"{remedy}.",
        )
    joined: dict[str, str] = {}

    def first(name: str) -> str:
        while joined.get(name, name) != name:
            name = joined[name]
        return name

    by_bytes: dict[str, str] = {}
    for each in usable:
        name = own[each.path]
        if name is None:
            continue
        other = by_bytes.setdefault(each.sha256 or each.path, name)
        low, high = sorted((first(other), first(name)))
        joined[high] = low
    groups: dict[str, list[Picture]] = defaultdict(list)
    for each in usable:
        name = own[each.path] or by_bytes.get(each.sha256)  # a copy of a picture that is known is known
        if name is not None:
            groups[first(name)].append(each)
    return dict(groups)


def _spread(groups: dict[str, list[Picture]], folds: int, seed: int) -> dict[str, int]:
    """The fold of each group: largest groups first, each to the fold that has least of its classes, then least at all.

    So two folds never differ by more of a class than its largest group has.
    """
    order = sorted(groups, key=lambda name: (-len(groups[name]), _shuffled(seed, name)))
    turn = _shuffled(seed, "") % folds
    of_class: list[Counter[str]] = [Counter() for _ in range(folds)]
    total = [0] * folds
    assigned = {}
    for name in order:
        counts = Counter(each.class_name for each in groups[name])
        costs = [
            (sum(of_class[fold][each] for each in counts), total[fold], (fold - turn) % folds, fold)
            for fold in range(folds)
        ]
        fold = min(costs)[-1]
        assigned[name] = fold
        of_class[fold] += counts
        total[fold] += counts.total()
    return assigned


def _shuffled(seed: int, name: str) -> int:
    """A number for each name, another one for each seed, the same on every machine and Python."""
    return int.from_bytes(hashlib.sha256(f"{seed}\x1f{name}".encode()).digest()[:8], "big")


def _notes(dataset: Dataset, by: By, never: Sequence[str], left_out: Sequence[str]) -> tuple[str, ...]:
    notes = []
    if never:
        unit = {"random": "picture"}.get(by, by)
        unit = f"inferred {unit}" if dataset.groups_from == "inferred" and by != "random" else unit
        notes.append(
            f"never held out, because they have one {unit} only: {', '.join(never)}; scores say nothing of them"
        )
    if left_out:
        notes.append(
            f"{len(left_out)} pictures are on neither side (unreadable, or of no known group), such as {left_out[0]}"
        )
    if by == "revolution":
        notes.append("one brick's revolutions stand on both sides: scores are for bricks that were seen in training")
    if dataset.groups_from == "inferred" and by != "random":
        notes.append(
            f"revolutions were inferred from how alike pictures are, {dataset.confidence or 0.0:.0%} of which leave no "
            "doubt; where there was some, groups were joined, so a group may hold several revolutions"
        )
    return tuple(notes)
