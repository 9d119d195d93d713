"""Revolutions that nobody wrote down: found again, and none torn apart."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from sorter.dataset import Dataset, leaks, look_at_all, make_split, read_dataset, with_inferred_groups
from sorter.dataset.likeness import near_pairs
from tests.scenes import RED, WHITE, Drawn
from tests.unit.sorter.dataset.pictures import put_revolution


def groups_by_revolution(known: Dataset, inferred: Dataset) -> dict[str, set[str | None]]:
    """Which inferred groups the pictures of each known revolution are in."""
    group_of = {each.path: each.revolution for each in inferred.pictures}
    found = defaultdict(set)
    for each in known.pictures:
        if each.revolution is not None:
            found[each.revolution].add(group_of[each.path])
    return found


def test_revolutions_of_different_colours_are_told_apart_and_kept_whole(tmp_path: Path) -> None:
    for shape in ("bar", "square"):
        for name, colour in (("red", RED), ("white", WHITE)):
            put_revolution(tmp_path / shape, name, Drawn(shape, size=0.3, colour=colour))
    (tmp_path / "bar" / "broken.png").write_bytes(b"no picture")
    dataset = read_dataset(tmp_path)
    features = look_at_all(dataset, is_glance=True)
    inferred = with_inferred_groups(dataset, features)
    assert inferred.groups_from == "inferred"
    assert inferred.confidence == 1.0
    groups = {each.path: each.revolution for each in inferred.pictures}
    assert groups.pop("bar/broken.png") is None
    names = {(path.partition("/")[0], Path(path).name.partition("_")[0]): group for path, group in groups.items()}
    assert len(set(names.values())) == 4
    assert all(groups[path] == names[path.partition("/")[0], Path(path).name.partition("_")[0]] for path in groups)

    split = make_split(inferred, "revolution", 2, unreadable=["bar/broken.png"])
    assert leaks(split, inferred, near_pairs(features)) == ()
    assert any("revolutions were inferred" in each for each in split.notes)
    assert with_inferred_groups(inferred, features) is inferred


def test_pictures_without_likeness_are_not_divided(tmp_path: Path) -> None:
    put_revolution(tmp_path / "bar", "one", Drawn("bar"))
    dataset = read_dataset(tmp_path)
    few = replace(dataset, pictures=dataset.pictures[:3])
    inferred = with_inferred_groups(few, look_at_all(few, is_glance=True))
    assert {each.revolution for each in inferred.pictures} == {"bar-inferred-01"}
    assert inferred.confidence == 0.0


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_no_revolution_of_real_photographs_is_torn_apart(turntable_data: Path) -> None:
    known = read_dataset(turntable_data)
    features = look_at_all(known, is_glance=True)
    inferred = with_inferred_groups(replace(known, groups_from="unknown"), features)
    found = groups_by_revolution(known, inferred)
    torn = [name for name, groups in found.items() if len(groups) > 1]
    assert torn == []
    # What that costs: look-alikes, mostly poses of one brick, are joined; 67 revolutions make 32 groups.
    assert 25 <= len(set().union(*found.values())) <= 67
    split = make_split(inferred, "revolution", 3)
    honest = replace(known, pictures=tuple(replace(each, brick=None) for each in known.pictures))
    assert leaks(split, honest, near_pairs(features)) == ()
