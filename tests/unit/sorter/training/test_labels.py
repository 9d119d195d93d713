"""Targets and loss that do not fit make a network that learns nothing and shows 90 %: never unsaid."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.dataset import Picture
from sorter.training.errors import LossRefused
from sorter.training.labels import check_targets, classes_of, fitting_loss, labels_of, targets_of

CLASSES = ("3001", "3002", "3003")


def of(*names: str) -> Picture:
    """One class as it stands in every index, several by their list."""
    extra = {} if len(names) == 1 else {"classes": list(names)}
    return Picture(path=f"{'+'.join(names)}.png", sha256="", class_name=names[0] if names else "none", extra=extra)


unhurried = settings(deadline=None, max_examples=50)
singles = st.lists(st.sampled_from(CLASSES).map(of), min_size=1, max_size=12)
groups = st.lists(st.lists(st.sampled_from(CLASSES), max_size=4, unique=True).map(lambda some: of(*some)), max_size=12)


def test_a_picture_shows_its_class_or_all_that_its_line_lists() -> None:
    assert classes_of(of("3001")) == ("3001",)
    assert classes_of(of("3002", "3001")) == ("3001", "3002")
    assert classes_of(Picture("a.png", "", "x", extra={"classes": ["3002", "3001", "3002"]})) == ("3001", "3002")
    assert classes_of(Picture("a.png", "", "x", extra={"classes": []})) == ()
    assert classes_of(Picture("a.png", "", "x", extra={"classes": None})) == ("x",)


@pytest.mark.parametrize("listed", ["3001", 3001, True, {"3001": 1}, [3001], ["3001", ""], [["3001"]], [None]])
def test_classes_that_are_no_names_are_refused_with_the_picture_that_has_them(listed: Any) -> None:
    with pytest.raises(LossRefused, match="must be a list of names") as caught:
        classes_of(Picture("folder/a.png", "", "3001", extra={"classes": listed}))
    assert "folder/a.png" in caught.value.message
    assert "index.jsonl" in caught.value.remedy


def test_labels_are_all_that_is_shown_in_order_whoever_comes_first() -> None:
    assert labels_of([of("3003"), of("3002", "3001"), of("3003")]) == CLASSES
    assert labels_of([]) == ()


@unhurried
@given(singles)
def test_one_class_a_picture_makes_a_softmax(pictures: list[Picture]) -> None:
    assert fitting_loss(pictures, "auto") == fitting_loss(pictures, "categorical") == "categorical"
    assert fitting_loss(iter(pictures), "auto") == "categorical"


@unhurried
@given(singles, st.integers(0, 12), st.sampled_from([of("3001", "3002"), of()]))
def test_a_single_picture_of_several_or_no_classes_makes_a_sigmoid_each(
    pictures: list[Picture], place: int, odd: Picture
) -> None:
    pictures.insert(place, odd)
    assert fitting_loss(iter(pictures), "auto") == fitting_loss(pictures, "sigmoid") == "sigmoid"
    with pytest.raises(LossRefused, match="a softmax can name only one") as caught:
        fitting_loss(pictures, "categorical")
    assert odd.path in caught.value.message


def test_a_sigmoid_for_pictures_of_one_class_is_refused_with_what_it_would_pretend() -> None:
    with pytest.raises(LossRefused, match="exactly one class") as caught:
        fitting_loss([of("3001"), of("3002")], "sigmoid")
    assert "accuracy close to 100 %" in caught.value.message
    assert '"categorical"' in caught.value.remedy


@unhurried
@given(singles)
def test_a_target_names_the_class_of_its_picture(pictures: list[Picture]) -> None:
    targets = targets_of(pictures, CLASSES, "categorical")
    assert targets.dtype == np.int64
    assert [CLASSES[int(each)] for each in targets] == [each.class_name for each in pictures]
    check_targets(targets, "categorical", len(CLASSES))


@unhurried
@given(groups)
def test_a_row_of_targets_is_1_for_each_class_that_is_shown(pictures: list[Picture]) -> None:
    targets = targets_of(pictures, CLASSES, "sigmoid")
    assert targets.dtype == np.float32
    assert targets.shape == (len(pictures), len(CLASSES))
    for row, picture in zip(targets, pictures, strict=True):
        assert [name for name, value in zip(CLASSES, row, strict=True) if value == 1.0] == list(classes_of(picture))
        assert set(row.tolist()) <= {0.0, 1.0}


def test_classes_without_a_label_are_no_target_and_a_picture_of_nothing_else_is_an_error() -> None:
    assert targets_of([of("3001", "9999")], CLASSES, "sigmoid").tolist() == [[1.0, 0.0, 0.0]]
    with pytest.raises(ValueError, match="no label for 8888, 9999"):
        targets_of([of("9999"), of("3001"), of("8888")], CLASSES, "categorical")


def test_a_list_of_one_class_is_that_class_whatever_its_folder_is_called() -> None:
    """A mixed folder's picture that happens to show one part."""
    picture = Picture("mixed/a.png", "", "mixed", extra={"classes": ["3002"]})
    labels = labels_of([picture, of("3001")])
    assert labels == ("3001", "3002")
    assert fitting_loss([picture, of("3001")], "auto") == "categorical"
    assert targets_of([picture, of("3001")], labels, "categorical").tolist() == [1, 0]


@unhurried
@given(st.lists(st.integers(0, 9), min_size=1, max_size=20))
def test_one_hot_targets_for_a_sigmoid_are_refused_with_what_a_network_that_learnt_nothing_would_show(
    classes: list[int],
) -> None:
    with pytest.raises(LossRefused, match="one-hot") as caught:
        check_targets(np.eye(10, dtype=np.float32)[classes], "sigmoid", 10)
    assert "right in 90% of all places" in caught.value.message
    assert '"categorical"' in caught.value.remedy


@pytest.mark.parametrize(
    "targets",
    [
        np.eye(3, dtype=np.float32),
        np.eye(3, dtype=np.int64),
        np.array([0.0, 1.0, 2.0]),
        np.array([True, False]),
        np.array([0, 3]),
        np.array([-1, 0]),
        np.array([[0], [1]]),
    ],
    ids=["one-hot", "one-hot integers", "fractions", "booleans", "beyond the last", "below 0", "a column"],
)
def test_what_is_no_number_of_a_class_is_refused_for_a_softmax(targets: np.ndarray[Any, Any]) -> None:
    with pytest.raises(LossRefused, match="one whole number from 0 to 2 a picture") as caught:
        check_targets(targets, "categorical", 3)
    assert str(targets.shape) in caught.value.message


@pytest.mark.parametrize(
    "targets",
    [
        np.array([0, 1, 2]),
        np.array([[1.0, 1.0]]),
        np.array([[0.9, 0.1, 1.0]]),
        np.array([[np.nan, 1.0, 1.0]]),
        np.array([[-1.0, 1.0, 1.0]]),
        np.ones((2, 3, 1)),
    ],
    ids=["numbers of classes", "too few", "smoothed", "NaN", "below 0", "deeper"],
)
def test_what_is_no_0_or_1_for_each_class_is_refused_for_a_sigmoid(targets: np.ndarray[Any, Any]) -> None:
    with pytest.raises(LossRefused, match="3 numbers of 0 or 1 a picture"):
        check_targets(targets, "sigmoid", 3)


def test_targets_that_fit_are_let_through() -> None:
    for loss, targets in (
        ("categorical", np.array([0, 2, 1])),
        ("categorical", np.array([0, 2], np.uint8)),
        ("sigmoid", np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0]], np.float32)),
        ("sigmoid", np.array([[0.0, 0.0, 0.0]], np.float32)),
        ("sigmoid", np.zeros((0, 3), np.float32)),
    ):
        assert check_targets(targets, loss, 3) is None  # type: ignore[arg-type,func-returns-value]
