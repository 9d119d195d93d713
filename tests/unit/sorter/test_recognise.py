"""From a picture to a decision: what a part is, or why it is rejected, and the same bytes on every way there."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image

from sorter.classify import load_model
from sorter.pictures import read_picture
from sorter.recognise import Recogniser
from sorter.types import CropSpec, Frame, LocationKind, RejectReason
from sorter.vision import crop, learn_background, locate
from tests.models import whole_number_frame
from tests.scenes import SHAPES, Drawn, draw, frame, random_part

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sorter.types import Decision, View

ANGLES = [45.0 * number for number in range(8)]


@pytest.fixture
def recogniser(tiny_model: Path) -> Recogniser:
    return Recogniser.from_model(load_model(tiny_model), 0.01, view_budget=4)


def seen(*parts: Drawn, recogniser: Recogniser, seed: int = 0) -> tuple[View, Decision]:
    view = recogniser.look(frame(*parts, seed=seed), 0.0)
    return view, recogniser.decide([view])


@pytest.mark.parametrize("shape", SHAPES)
def test_a_part_is_named_with_its_colour(recogniser: Recogniser, shape: str) -> None:
    view, decision = seen(Drawn(shape), recogniser=recogniser)
    assert view.location.kind is LocationKind.ONE
    assert view.crop is not None
    assert view.crop.spec == recogniser.model.card.crop.spec()
    assert view.quality is not None
    assert (decision.class_name, decision.reject_reason, decision.view_count) == (shape, None, 1)
    assert decision.colour is not None
    assert view.colour is not None
    assert decision.colour.name == view.colour.name


def test_several_parts_are_never_sorted_as_one(recogniser: Recogniser) -> None:
    two = [recogniser.look(frame(Drawn("disc", 0.3, 0.6), Drawn("square", 0.7, 0.6), seed=each)) for each in (1, 2)]
    assert [view.location.kind for view in two] == [LocationKind.SEVERAL] * 2
    assert all(view.crop is None and view.prediction is None and view.colour is None for view in two)
    decision = recogniser.decide(two)
    assert (decision.reject_reason, decision.colour) == (RejectReason.SEVERAL, None)
    assert recogniser.next_angle(two, ANGLES) is None


def test_an_empty_table_is_nothing_seen(recogniser: Recogniser) -> None:
    view, decision = seen(recogniser=recogniser)
    assert view.location.kind is LocationKind.EMPTY
    assert decision.reject_reason is RejectReason.NOTHING_SEEN


@pytest.mark.parametrize("shape", SHAPES)
def test_a_picture_out_of_focus_is_not_believed(recogniser: Recogniser, shape: str) -> None:
    soft = cv2.GaussianBlur(draw(Drawn(shape)), (0, 0), 5)
    view = recogniser.look(Frame(np.asarray(soft, dtype=np.uint8), 0.0, 0), 0.0)
    assert recogniser.decide([view]).reject_reason is RejectReason.BLURRED
    assert recogniser.next_angle([view], ANGLES) == 180.0


def test_a_part_that_still_moves_is_not_believed(recogniser: Recogniser) -> None:
    view = recogniser.look(frame(Drawn(x=0.5)), 0.0, previous=frame(Drawn(x=0.42)))
    assert view.location.kind is LocationKind.MOVING
    assert recogniser.decide([view]).reject_reason is RejectReason.BLURRED


@pytest.mark.parametrize("brightness", [0, 255])
def test_a_picture_without_a_table_is_rejected_and_nothing_breaks(recogniser: Recogniser, brightness: int) -> None:
    view = recogniser.look(Frame(np.full((200, 300, 3), brightness, np.uint8), 0.0, 0))
    assert recogniser.decide([view]).class_name is None
    assert (view.crop, view.prediction, view.colour) == (None, None, None)


@pytest.mark.parametrize("side_px", [16, 17, 40, 100])
def test_the_smallest_pictures_break_nothing(recogniser: Recogniser, side_px: int) -> None:
    noise = np.random.default_rng(side_px).integers(0, 256, (side_px, side_px + 3, 3)).astype(np.uint8)
    for picture in (noise, cv2.resize(draw(Drawn()), (side_px, side_px), interpolation=cv2.INTER_AREA)):
        decision = recogniser.decide([recogniser.look(Frame(np.asarray(picture, dtype=np.uint8), 0.0, 0))])
        assert (decision.class_name is None) != (decision.reject_reason is None)


def looked_at(part: Drawn, recogniser: Recogniser, seed: int) -> list[View]:
    """As the rig does: turn to the angle that is asked for, look, until none is asked for."""
    views: list[View] = []
    while (angle_deg := recogniser.next_angle(views, ANGLES)) is not None:
        turned = replace(part, angle_deg=part.angle_deg + angle_deg)
        views.append(recogniser.look(frame(turned, seed=seed + len(views)), angle_deg))
        assert len(views) <= recogniser.rules.view_budget
    return views


def test_more_views_decide_what_one_leaves_open_and_none_is_wrong(recogniser: Recogniser) -> None:
    recogniser = replace(recogniser, rules=replace(recogniser.rules, posterior=0.995))
    rng = np.random.default_rng(11)
    first, last = [], []
    for number in range(12):
        shape = SHAPES[number % 3]
        views = looked_at(random_part(shape, rng), recogniser, seed=7000 + 10 * number)
        angles = [view.angle_deg for view in views]
        assert len(set(angles)) == len(angles)
        for views_used, decided in ((views[:1], first), (views, last)):
            decided.append(recogniser.decide(views_used).class_name)
            assert decided[-1] in (shape, None)
    assert last.count(None) < first.count(None)
    assert last.count(None) <= 2


def test_a_rate_of_misroutes_that_nobody_measured_is_refused(tiny_model: Path) -> None:
    with pytest.raises(ValueError, match="stricter than any that was measured"):
        Recogniser.from_model(load_model(tiny_model), 0.001)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_network_gets_the_same_bytes_whichever_way_a_picture_comes(
    recogniser: Recogniser, tmp_path: Path, shape: str
) -> None:
    """From memory as the rig, from a file as training and evaluation, and through the recogniser as the page."""
    drawn, spec = draw(Drawn(shape)), recogniser.model.card.crop.spec()
    path = tmp_path / "part.png"
    Image.fromarray(drawn).save(path)
    from_memory, from_file = Frame(drawn, 0.0, 0), Frame(read_picture(path), 123.4, 56, exposure_s=0.01)
    sliced = np.zeros((300, 600, 3), np.uint8)
    sliced[:, ::2] = drawn
    not_contiguous = Frame(sliced[:, ::2], 0.0, 0)
    crops = [crop(each, locate(each), spec) for each in (from_memory, from_file, not_contiguous, from_memory)]
    for each in (from_memory, from_file):
        view = recogniser.look(each)
        assert view.crop is not None
        crops.append(view.crop)
    assert len({each.rgb.tobytes() for each in crops}) == 1
    assert len({each.window for each in crops}) == 1
    assert len({recogniser.model.predict(each).probabilities for each in crops}) == 1


def test_a_learnt_table_gives_the_same_part(recogniser: Recogniser) -> None:
    background = learn_background([frame(seed=seed) for seed in (1, 2, 3)])
    view = recogniser.look(frame(Drawn("disc")), 0.0, background)
    assert view.location.is_against_background
    assert recogniser.decide([view]).class_name == "disc"


def digest(array: NDArray[np.generic]) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()


GOLDEN = [
    (320, 320, CropSpec(64.0, 78.0, 128, 170), "795fb2a4cc951b9126bfd4fb14a16e6227800bd14aa653c3243e3e0e8388624a"),
    (320, 320, CropSpec(32.0, 78.0, 64, 170), "536f4d8a4d675f69f2bdd3cbb242761f7edaa1c46af65f33647df4ded0d91923"),
    (320, 320, CropSpec(64.0, 78.0, 128, None), "4112022303e4754632d236675be2d08391b6025c55a05d48bc303a23b0ac4cea"),
    (660, 750, CropSpec(64.0, 78.0, 128, 170), "d1f80254be333d6a9b83c31122d11dd723580e0e0b676697b89c370ffa3077f5"),
    (660, 750, CropSpec(40.0, 78.0, 224, 128), "747e5236b41d325b48e47ef12916f43d17b5f41f8c47e19e1e4f62817f686c72"),
]


@pytest.mark.parametrize(("height_px", "width_px", "spec", "expected"), GOLDEN)
def test_crops_are_the_same_bytes_on_every_machine(
    height_px: int, width_px: int, spec: CropSpec, expected: str
) -> None:
    """Known by their SHA-256; networks trained elsewhere see other pictures than they were trained on if this differs.

    After a change of ``locate`` or ``crop`` that is meant to change crops, models must be trained anew, and then these.
    """
    picture = Frame(whole_number_frame(height_px, width_px), 0.0, 0)
    location = locate(picture)
    assert location.kind is LocationKind.ONE
    assert digest(crop(picture, location, spec).rgb) == expected


def test_the_picture_of_those_crops_is_the_same_bytes_on_every_machine() -> None:
    assert digest(whole_number_frame(320, 320)) == "75790f00ea0562ccc76aad8478cc4f0f793f16de29ef4402de5397bb9b03c5a4"
    assert digest(whole_number_frame(660, 750)) == "c2979f7add502ab8567dc86b247e1e03ac937a17dd1854b78307926adf279465"
