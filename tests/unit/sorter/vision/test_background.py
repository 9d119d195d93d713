"""The empty table, learnt and kept up to date for each angle."""

from __future__ import annotations

import numpy as np
import pytest

from sorter.types import Frame, LocationKind
from sorter.vision import Backgrounds, learn_background, locate
from tests.scenes import Drawn, draw, frame


def test_one_fly_in_many_frames_does_no_harm() -> None:
    fly = Drawn("disc", size=0.08)
    background = learn_background([frame(), frame(fly, seed=1), frame(seed=2)])
    assert locate(frame(seed=3), background).kind is LocationKind.EMPTY


@pytest.mark.parametrize(
    ("frames", "what"),
    [
        ([], "one frame or more"),
        ([frame(), frame(side_px=200)], "of one size"),
        ([Frame(np.zeros((300, 300, 3), np.uint8), 0.0, 0)], "no table"),
    ],
)
def test_what_is_no_empty_table_is_not_learnt(frames: list[Frame], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        learn_background(frames)


def test_an_angle_is_the_same_after_a_turn() -> None:
    backgrounds = Backgrounds(tolerance_deg=1.0)
    backgrounds.learn(359.5, [frame()])
    backgrounds.learn(90.0, [frame()])
    assert backgrounds.at(-0.3) is backgrounds.at(359.9) is not None
    assert backgrounds.at(720.0 + 90.4) is backgrounds.at(90.0)
    assert backgrounds.at(180.0) is None
    assert backgrounds.angles_deg == (90.0, 359.5)


def test_an_angle_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        Backgrounds().at(float("nan"))


def test_what_is_renewed_follows_slow_changes_that_would_add_up() -> None:
    backgrounds = Backgrounds()
    backgrounds.renew(0.0, frame(marks=True))
    clean = draw(marks=True).astype(np.float64)
    for step in range(60):
        dirtier = clean.copy()
        dirtier[200:230, 60:120] *= 1 - 0.004 * step
        seen = Frame(dirtier.astype(np.uint8), 0.0, step)
        backgrounds.renew(0.0, seen)
    assert locate(seen, learn_background([frame(marks=True)])).kind is not LocationKind.EMPTY
    assert locate(seen, backgrounds.at(0.0)).kind is LocationKind.EMPTY


def test_learning_again_replaces_and_forgetting_drops() -> None:
    backgrounds = Backgrounds()
    backgrounds.learn(10.0, [frame()])
    first = backgrounds.at(10.0)
    backgrounds.learn(10.2, [frame()])
    assert backgrounds.angles_deg == (10.0,)
    assert backgrounds.at(10.0) is not first
    backgrounds.forget()
    assert backgrounds.at(10.0) is None


def test_a_frame_of_another_size_does_not_spoil_a_background() -> None:
    backgrounds = Backgrounds()
    backgrounds.learn(0.0, [frame()])
    before = backgrounds.at(0.0)
    with pytest.raises(ValueError, match="learn it again"):
        backgrounds.renew(0.0, frame(side_px=200))
    assert backgrounds.at(0.0) is before
