"""What a network sees and in which order: the same for the same seed, however often training is interrupted."""

from __future__ import annotations

import threading
from collections import Counter
from itertools import islice
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.dataset import Picture
from sorter.training.batches import Batch, Batches
from sorter.training.examples import Examples
from sorter.training.recipe import Recipe

SIZE = 8
unhurried = settings(deadline=None, max_examples=40)


def a_recipe(**more: Any) -> Recipe:
    whole: dict[str, Any] = {
        "name": "x",
        "backbone": {"name": "scratch", "blocks": (4,)},
        "phases": ({"epochs": 1, "rate": 1e-3},),
        "batch_size": 4,
    }
    return Recipe(**{**whole, **more})


CHANGING = {"brightness": 0.3, "noise": 20.0, "mirror_share": 0.5, "recolour_share": 0.5}


def examples(count: int, first: int = 0) -> Examples:
    """Pictures of one brightness each, which is their number."""
    numbers = np.arange(first, first + count).astype(np.uint8)
    return Examples(
        tuple(Picture(f"{number}.png", "", "a") for number in numbers),
        numbers.repeat(SIZE * SIZE * 3).reshape(count, SIZE, SIZE, 3),
        np.full((count, SIZE, SIZE), 255, np.uint8),
    )


def batches(
    count: int, *, targets: Any = None, seed: tuple[int, ...] = (1, 0), workers: int = 2, **more: Any
) -> Batches:
    return Batches(
        examples(count), np.arange(count) if targets is None else targets, a_recipe(**more), seed, workers=workers
    )


def shown(made: list[Batch]) -> list[int]:
    """The number of each picture, in order."""
    return [int(picture[0, 0, 0]) for batch in made for picture in batch.rgb]


def same(one: list[Batch], other: list[Batch]) -> bool:
    return len(one) == len(other) and all(
        a.rgb.tobytes() == b.rgb.tobytes() and a.targets.tobytes() == b.targets.tobytes()
        for a, b in zip(one, other, strict=True)
    )


@unhurried
@given(st.integers(1, 60), st.integers(2, 20), st.integers(0, 100))
def test_an_epoch_shows_each_picture_once_with_its_own_target(count: int, size: int, epoch: int) -> None:
    some = batches(count, batch_size=size)
    made = list(some.epoch(epoch))
    assert sorted(shown(made)) == list(range(count))
    assert [int(each) for batch in made for each in batch.targets] == shown(made)
    assert len(made) == some.steps == -(-count // size)
    assert [len(batch.rgb) for batch in made[:-1]] == [size] * (some.steps - 1)
    assert all(batch.rgb.dtype == np.uint8 and batch.rgb.shape[1:] == (SIZE, SIZE, 3) for batch in made)


@unhurried
@given(st.integers(1, 80), st.integers(2, 9), st.integers(0, 5), st.data(), st.sampled_from([0.0, 0.7]))
def test_an_interrupted_epoch_goes_on_byte_for_byte(
    count: int, size: int, epoch: int, data: st.DataObject, balance: float
) -> None:
    more: dict[str, Any] = {"batch_size": size, "augmentation": CHANGING, "balance": balance}
    targets = np.arange(count) % 3
    whole = list(batches(count, targets=targets, **more).epoch(epoch))
    step = data.draw(st.integers(0, len(whole)))
    assert same(list(batches(count, targets=targets, **more).epoch(epoch, step)), whole[step:])


def test_the_number_of_threads_changes_no_byte() -> None:
    one, two, many = (list(batches(50, workers=each, augmentation=CHANGING).epoch(3)) for each in (1, 2, 7))
    assert same(one, two)
    assert same(one, many)


def test_epochs_seeds_and_networks_differ_in_order_and_in_what_is_changed() -> None:
    made = [
        list(batches(40, seed=seed, augmentation={"noise": 20.0}).epoch(epoch))
        for seed in ((1, 0), (1, 1), (2, 0))
        for epoch in (0, 1)
    ]
    for place, one in enumerate(made):
        assert not any(same(one, other) for other in made[place + 1 :])
    orders = [shown(list(batches(40, seed=(1, 0)).epoch(epoch))) for epoch in range(4)]
    assert len({tuple(each) for each in orders}) == 4


def test_pictures_are_changed_with_their_own_mask() -> None:
    some = examples(30)
    masks = some.masks.copy()
    masks[::2] = 0
    without_marks = Examples(some.pictures, np.full_like(some.rgb, 100), masks)
    some_batches = Batches(without_marks, np.arange(30), a_recipe(augmentation={"part_tint": 1.0}), (1, 0))
    for batch in list(some_batches.epoch(0)):
        for rgb, target in zip(batch.rgb, batch.targets, strict=True):
            assert (rgb != 100).any() == bool(masks[int(target)].any())


def test_each_picture_of_each_epoch_and_network_is_changed_in_its_own_way() -> None:
    some = examples(30)
    alike = Examples(some.pictures, np.full_like(some.rgb, 100), some.masks)
    recipe = a_recipe(augmentation={"noise": 20.0}, batch_size=30)
    made = [
        picture.tobytes()
        for seed in ((1, 0), (1, 1), (2, 0))
        for epoch in range(2)
        for batch in Batches(alike, np.arange(30), recipe, seed).epoch(epoch)
        for picture in batch.rgb
    ]
    assert len(set(made)) == len(made) == 180


def counts_of(balance: float) -> Counter[int]:
    """How often each class is shown: 150 pictures of one, 40 and 10 of the others."""
    targets = np.repeat([0, 1, 2], [150, 40, 10])
    some = batches(200, targets=targets, balance=balance, batch_size=50)
    return Counter(int(each) for epoch in range(10) for batch in some.epoch(epoch) for each in batch.targets)


def test_balance_shows_rare_classes_more_often_and_not_more_pictures() -> None:
    none, half, full = (counts_of(each) for each in (0.0, 0.5, 1.0))
    assert none == {0: 1500, 1: 400, 2: 100}
    assert none.total() == half.total() == full.total()
    assert all(full[each] / 2000 == pytest.approx(1 / 3, abs=0.04) for each in range(3))
    shares = np.sqrt([150, 40, 10]) / np.sqrt([150, 40, 10]).sum()
    assert [half[each] / 2000 for each in range(3)] == pytest.approx(shares.tolist(), abs=0.04)


def test_balance_leaves_pictures_of_several_classes_alone() -> None:
    targets = np.eye(3, dtype=np.float32)[np.arange(12) % 3]
    made = list(batches(12, targets=targets, balance=1.0).epoch(0))
    assert sorted(shown(made)) == list(range(12))
    assert made[0].targets.shape == (4, 3)


def mixed(share: float, rendered: int, count: int = 60, **more: Any) -> Batches:
    """Real pictures are 0 to 99, rendered ones 100 and above; targets say the same."""
    recipe = a_recipe(rendered_share=share, **more)
    other = (examples(rendered, 100), np.arange(100, 100 + rendered))
    return Batches(examples(count), np.arange(count), recipe, (1, 0), rendered=other)


@unhurried
@given(st.sampled_from([0.1, 0.25, 0.5, 0.8]), st.integers(1, 90), st.integers(1, 60), st.integers(0, 9))
def test_the_share_of_rendered_pictures_is_what_the_recipe_says_and_no_real_one_is_left_out(
    share: float, rendered: int, count: int, epoch: int
) -> None:
    some = mixed(share, rendered, count)
    made = list(some.epoch(epoch))
    numbers = shown(made)
    assert sorted(each for each in numbers if each < 100) == list(range(count))
    extra = Counter(each for each in numbers if each >= 100)
    assert extra.total() == round(count * share / (1 - share))
    assert not extra or max(extra.values()) - min([*extra.values(), 99][: len(extra)]) <= 1
    assert len(extra) == min(rendered, extra.total()), "all are used before one is used again"
    assert [int(each) for batch in made for each in batch.targets] == numbers
    assert len(made) == some.steps
    assert same(list(mixed(share, rendered, count).epoch(epoch, 1)), made[1:])


def test_rendered_pictures_are_spread_over_the_epoch() -> None:
    numbers = np.array(shown(list(mixed(0.5, 60).epoch(0)))) >= 100
    assert numbers.sum() == 60
    assert 15 <= numbers[:60].sum() <= 45


def test_rendered_pictures_are_not_shown_where_the_recipe_wants_none() -> None:
    assert sorted(shown(list(mixed(0.0, 20).epoch(0)))) == list(range(60))


def workers_alive() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith("batches")]


@pytest.mark.parametrize("taken", [0, 1, 3])
def test_an_epoch_that_is_left_early_leaves_no_thread(taken: int) -> None:
    epoch: Any = batches(200).epoch(0)
    assert len(list(islice(epoch, taken))) == taken
    epoch.close()
    assert workers_alive() == []
    assert list(epoch) == []


def test_a_picture_that_cannot_be_changed_is_an_error_and_leaves_no_thread() -> None:
    some = examples(40)
    odd = Examples(some.pictures, some.rgb, some.masks[:, :4])
    with pytest.raises(ValueError, match="broadcast"):
        list(Batches(odd, np.arange(40), a_recipe(), (1, 0)).epoch(0))
    assert workers_alive() == []


def test_the_crops_in_memory_are_the_same_after_an_epoch() -> None:
    some = examples(20)
    before = some.rgb.copy(), some.masks.copy()
    list(Batches(some, np.arange(20), a_recipe(augmentation=CHANGING), (1, 0)).epoch(0))
    assert (some.rgb == before[0]).all()
    assert (some.masks == before[1]).all()


def test_a_step_beyond_the_epoch_is_its_end() -> None:
    some = batches(10)
    assert list(some.epoch(0, some.steps)) == []
    assert list(some.epoch(0, some.steps + 5)) == []


@unhurried
@given(st.floats(0.0, 0.4), st.floats(0.05, 0.4), st.integers(1, 20), st.integers(1, 20), st.integers(0, 3))
def test_parts_of_no_class_have_a_share_of_their_own(
    share: float, other_share: float, rendered: int, others: int, epoch: int
) -> None:
    recipe = a_recipe(rendered_share=share, other_share=other_share)
    mixed_in = (examples(rendered + others, 100), np.arange(100, 100 + rendered + others))
    is_other = np.arange(rendered + others) >= rendered
    made = list(Batches(examples(60), np.arange(60), recipe, (1, 0), rendered=mixed_in, is_other=is_other).epoch(epoch))
    counted = Counter(shown(made))
    assert all(counted[number] == 1 for number in range(60))
    known = sum(count for number, count in counted.items() if 100 <= number < 100 + rendered)
    unknown = sum(count for number, count in counted.items() if number >= 100 + rendered)
    assert known == pytest.approx(share * counted.total(), abs=1)
    assert unknown == pytest.approx(other_share * counted.total(), abs=1)


def test_no_parts_of_no_class_leave_their_share_to_the_rest() -> None:
    recipe = a_recipe(rendered_share=0.5, other_share=0.3)
    mixed_in = (examples(10, 100), np.arange(100, 110))
    made = list(Batches(examples(60), np.arange(60), recipe, (1, 0), rendered=mixed_in).epoch(0))
    counted = Counter(shown(made))
    assert sum(count for number, count in counted.items() if number >= 100) == 60
