"""Read a folder as a dataset, whichever way it is kept."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from sorter.dataset.errors import DatasetRefused
from sorter.dataset.folders import REVOLUTIONS_NAME, read_folders, with_revolutions
from sorter.dataset.index import INDEX_NAME, read_index
from sorter.dataset.records import Dataset, Picture

if TYPE_CHECKING:
    from pathlib import Path

    from sorter.dataset.records import GroupsFrom


def read_dataset(root: Path) -> Dataset:
    """The pictures in ``root``: by its ``index.jsonl`` if there is one, else by its folders and ``revolutions.json``.

    Raises:
        DatasetRefused: no such folder, no picture, or an index that says what cannot be; file and line are named.
    """
    if not root.is_dir():
        raise DatasetRefused(root, "is no folder", remedy="Name the folder that holds the pictures.")
    groups_from: GroupsFrom = "unknown"
    if (root / INDEX_NAME).exists():
        pictures, warnings = read_index(root)
        if not pictures:
            raise DatasetRefused(root / INDEX_NAME, "names no picture", remedy="Take some, or take the file away.")
        if any(each.brick or each.revolution for each in pictures):
            groups_from = "index"
    else:
        pictures, warnings = read_folders(root)
        if (root / REVOLUTIONS_NAME).exists():
            pictures, more = with_revolutions(root, pictures)
            warnings += more
            groups_from = "revolutions.json"
    return Dataset(root, tuple(with_copies(pictures)), groups_from, tuple(warnings))


def with_copies(pictures: list[Picture]) -> list[Picture]:
    """The pictures, each with the paths of the others that have the same bytes."""
    by_sha256 = defaultdict(list)
    for each in pictures:
        by_sha256[each.sha256].append(each.path)
    return [
        replace(each, copies=tuple(path for path in by_sha256[each.sha256] if path != each.path and each.sha256))
        for each in pictures
    ]
