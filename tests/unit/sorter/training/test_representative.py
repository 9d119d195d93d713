"""The pictures from which int8 takes its ranges: what they do not show is cut off on the rig."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.training.quantise import representative_rows


def pictures(brightness: list[int]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.repeat(np.array(brightness, np.uint8), 4 * 4 * 3).reshape(-1, 4, 4, 3)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 255)), min_size=1, max_size=60), st.integers(1, 80))
def test_every_class_is_there_no_picture_twice_and_no_class_more_often_than_its_part(
    drawn: list[tuple[str, int]], count: int
) -> None:
    names = [name for name, _ in drawn]
    rows = representative_rows(pictures([brightness for _, brightness in drawn]), names, count)
    assert rows.dtype == np.int64
    assert rows.tolist() == sorted(set(rows.tolist()))
    taken = [names[row] for row in rows]
    share = max(1, count // len(set(names)))
    assert {name: taken.count(name) for name in set(names)} == {
        name: min(share, names.count(name)) for name in set(names)
    }
    assert len(rows) <= max(count, len(set(names)))


def test_the_darkest_and_the_brightest_of_each_class_are_among_them() -> None:
    brightness = np.random.default_rng(0).permutation(200).tolist()
    names = ["a" if each < 100 else "b" for each in brightness]
    rows = representative_rows(pictures(brightness), names, 20)
    assert {brightness[row] for row in rows} >= {0, 99, 100, 199}
    steps = np.diff(sorted(brightness[row] for row in rows if names[row] == "a"))
    assert steps.max() - steps.min() <= 1


def test_a_single_picture_of_each_of_many_classes_is_not_the_darkest() -> None:
    """With more classes than half the count each has one, and ranges of dark pictures cut off white parts."""
    names = [f"{number:03}" for number in range(40) for _ in range(5)]
    brightness = [10, 60, 110, 160, 210] * 40
    rows = representative_rows(pictures(brightness), names, 50)
    assert len(rows) == 40
    assert {brightness[row] for row in rows} == {110}


@pytest.mark.parametrize("order", [1, -1])
def test_pictures_of_equal_brightness_are_taken_the_same_way_each_time(order: int) -> None:
    names = ["a"] * 9 + ["b"] * 9
    one = representative_rows(pictures([100] * 18), names[::order], 6)
    assert one.tolist() == representative_rows(pictures([100] * 18), names[::order], 6).tolist() == [0, 4, 8, 9, 13, 17]
