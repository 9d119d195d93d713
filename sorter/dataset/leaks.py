"""What a split has on both sides, and split files, which are not written if it has anything."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from sorter.dataset.errors import DatasetRefused, SplitLeaks
from sorter.dataset.split import Fold, Split
from sorter.whole import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sorter.dataset.likeness import Pair
    from sorter.dataset.records import Dataset, Picture

_FORMAT = 1


def leaks(split: Split, dataset: Dataset, near: Sequence[Pair] = ()) -> tuple[str, ...]:
    """What stands on both sides of a fold, in words, one a kind and fold; empty if nothing does.

    A brick on both sides is no leak of a split by revolution: the split's notes say so.

    Args:
        split: of ``dataset``.
        dataset: with its groups.
        near: pairs of near copies, from ``near_pairs``.
    """
    found = []
    for number in range(len(split.folds)):
        held, trained = split.held_out(dataset, number), split.training(dataset, number)
        for what, name_of in _kinds(split):
            shared = _shared(held, trained, name_of)
            if shared:
                first, second, name = shared[0]
                named = "" if what == "exact copies" else f" ({name})"
                found.append(
                    f"fold {number + 1}: {what} on both sides, {len(shared)} of them, such as {first} (held out) and "
                    f"{second} (trained on){named}"
                )
        held_paths, trained_paths = {each.path for each in held}, {each.path for each in trained}
        pairs = [
            each
            for each in near
            if {each.first, each.second} & held_paths and {each.first, each.second} & trained_paths
        ]
        if pairs:
            found.append(
                f"fold {number + 1}: near copies on both sides, {len(pairs)} pairs, such as {pairs[0].first} and "
                f"{pairs[0].second}"
            )
    return tuple(found)


def _kinds(split: Split) -> list[tuple[str, Callable[[Picture], str | None]]]:
    kinds: list[tuple[str, Callable[[Picture], str | None]]] = [
        ("exact copies", lambda picture: picture.sha256 or None),
        ("revolutions", lambda picture: picture.revolution),
    ]
    if split.by != "revolution":
        kinds.append(("bricks", lambda picture: picture.brick))
    return kinds


def _shared(
    held: Sequence[Picture], trained: Sequence[Picture], name_of: Callable[[Picture], str | None]
) -> list[tuple[str, str, str]]:
    """A held-out path, a path that is trained on, and the name that both share; one for each name."""
    known: dict[str, str] = {}
    for each in trained:
        name = name_of(each)
        if name is not None:
            known.setdefault(name, each.path)
    found: dict[str, tuple[str, str, str]] = {}
    for each in held:
        name = name_of(each)
        if name is not None and name in known:
            found.setdefault(name, (each.path, known[name], name))
    return list(found.values())


def write_split(
    file: Path, split: Split, dataset: Dataset, near: Sequence[Pair] = (), *, is_leak_allowed: bool = False
) -> Split:
    """Write a split as JSON, whole, and return it as it was written.

    Args:
        file: written over if it is there.
        split: of ``dataset``.
        dataset: with its groups.
        near: pairs of near copies.
        is_leak_allowed: write it although it leaks; the file names each leak.

    Raises:
        SplitLeaks: it leaks; nothing was written.
        DatasetRefused: the folder is not there, or cannot be written to.
    """
    checked = replace(split, leaks=leaks(split, dataset, near))
    if checked.leaks and not is_leak_allowed:
        raise SplitLeaks(checked.leaks)
    try:
        write_whole(file, json.dumps({"format": _FORMAT, **asdict(checked)}, indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise DatasetRefused(
            file, f"cannot be written: {error.strerror}", remedy="Name a file in a folder that you may write to."
        ) from error
    return checked


def read_split(file: Path, dataset: Dataset) -> Split:
    """A split that was written for this dataset.

    Raises:
        DatasetRefused: it is none, or the dataset has changed since.
    """
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        if data.pop("format") != _FORMAT:
            raise DatasetRefused(file, "is of another version", remedy="Make it anew: sorter dataset split.")
        folds = tuple(Fold(tuple(each["held_out"]), tuple(each["groups"])) for each in data.pop("folds"))
        lists: dict[str, Any] = {key: tuple(data.pop(key)) for key in ("never_held_out", "left_out", "notes", "leaks")}
        split = Split(folds=folds, **lists, **data)
    except OSError as error:
        raise DatasetRefused(file, f"cannot be read: {error.strerror}", remedy="Name the split's file.") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        if isinstance(error, DatasetRefused):
            raise
        raise DatasetRefused(file, f"is no split: {error}", remedy="Make it anew: sorter dataset split.") from error
    if split.groups_from != "inferred" and split.dataset_sha256 != dataset.sha256:
        raise DatasetRefused(
            file,
            f"was made for another state of the dataset {dataset.root}",
            remedy="Pictures were added, taken out or changed: make it anew with sorter dataset split.",
        )
    return split
