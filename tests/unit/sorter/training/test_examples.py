"""From a folder to crops: what is trained on is what the rig will see, and what is left out is said."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.dataset import Picture
from sorter.pictures import read_picture
from sorter.training.errors import LossRefused, TrainingRefused
from sorter.training.examples import Examples, prepare
from sorter.types import CropSpec, Frame, LocationKind
from sorter.vision import crop, locate
from tests.drawn_dataset import write_drawn_dataset
from tests.scenes import RED, Drawn, draw

SIDE_PX = 160
SPEC = CropSpec(size_px=48)
GREY = SPEC.table_grey


def put(root: Path, name: str, *parts: Drawn, class_name: str = "square", seed: int = 0, **more: Any) -> Picture:
    return put_rgb(root, name, draw(*parts, side_px=SIDE_PX, seed=seed), class_name, **more)


def put_rgb(root: Path, name: str, rgb: Any, class_name: str = "square", **more: Any) -> Picture:
    assert cv2.imwrite(str(root / name), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    return known(root, name, class_name, **more)


def known(root: Path, name: str, class_name: str = "square", **more: Any) -> Picture:
    return Picture(name, hashlib.sha256((root / name).read_bytes()).hexdigest(), class_name, **more)


def several(*names: str) -> dict[str, Any]:
    return {"classes": list(names)}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Picture, ...]]:
    root = tmp_path_factory.mktemp("drawn")
    return root, write_drawn_dataset(root, views=2, side_px=SIDE_PX)


@pytest.fixture
def good(tmp_path: Path) -> Picture:
    return put(tmp_path, "good.png", Drawn(x=0.5, y=0.55), class_name="disc")


def reasons(examples: Examples) -> dict[str, str]:
    return {each.path: each.reason for each in examples.left_out}


def test_every_drawn_part_becomes_the_crop_that_the_rig_would_cut(drawn: tuple[Path, tuple[Picture, ...]]) -> None:
    root, pictures = drawn
    examples = prepare(root, pictures, SPEC)
    assert examples.pictures == pictures
    assert examples.left_out == ()
    assert (examples.rgb.dtype, examples.masks.dtype) == (np.uint8, np.uint8)
    assert examples.rgb.shape == (len(pictures), 48, 48, 3)
    assert examples.masks.shape == (len(pictures), 48, 48)
    for picture, rgb in list(zip(pictures, examples.rgb, strict=True))[::5]:
        frame = Frame(read_picture(root / picture.path), 0.0, 0)
        assert (rgb == crop(frame, locate(frame), SPEC).rgb).all()


@pytest.mark.parametrize("spec", [SPEC, CropSpec(size_px=33, window_mm=90.0), CropSpec(size_px=64, table_grey=None)])
def test_the_mask_lies_on_the_part_and_nowhere_else(drawn: tuple[Path, tuple[Picture, ...]], spec: CropSpec) -> None:
    """One that is shifted would paint the table and call it a part."""
    root, pictures = drawn
    examples = prepare(root, [each for each in pictures if each.colour in ("red", "blue", "green")], spec)
    for rgb, mask in zip(examples.rgb, examples.masks, strict=True):
        light = rgb.astype(float).mean(axis=2)
        table = np.median(light[mask == 0])
        inside, outside = cv2.erode(mask, np.ones((3, 3), np.uint8)) > 127, cv2.dilate(mask, np.ones((5, 5))) == 0
        assert 0.01 < inside.mean() < 0.3
        assert np.mean(light[inside] < table - 25.0) > 0.97
        assert np.mean(np.abs(light[outside] - table) < 25.0) > 0.95
        middle = spec.size_px // 2
        assert mask[middle, middle] == 255, "the part is in the middle of its crop"


@pytest.mark.parametrize("place", [(0.97, 0.6), (0.02, 0.6), (0.5, 0.98)])
@pytest.mark.parametrize("grey", [170, None])
def test_what_lies_beyond_the_frame_is_no_part(tmp_path: Path, place: tuple[float, float], grey: int | None) -> None:
    """A part that reaches out of the picture would be painted in stripes to the crop's border."""
    picture = put(tmp_path, "edge.png", Drawn(x=place[0], y=place[1], size=0.25, angle_deg=0.0))
    spec = CropSpec(size_px=48, table_grey=grey)
    frame = Frame(read_picture(tmp_path / picture.path), 0.0, 0)
    location = locate(frame)
    assert location.kind is LocationKind.EDGE
    examples = prepare(tmp_path, [picture], spec)
    is_part = examples.masks[0] > 127
    assert is_part.any()
    painted = (examples.rgb[0] == GREY).all(axis=2)
    if grey is not None:
        assert painted.sum() > 200
        assert (is_part & painted).sum() <= 2
    dark = examples.rgb[0].astype(float).mean(axis=2)[is_part]
    assert np.mean(dark < 130.0) > 0.9


def test_a_copy_is_used_once_and_the_first_of_them(tmp_path: Path, good: Picture) -> None:
    (tmp_path / "copy.png").write_bytes((tmp_path / good.path).read_bytes())
    done: list[int] = []
    pictures = [good, known(tmp_path, "copy.png", "disc", brick="other")]
    examples = prepare(tmp_path, pictures, SPEC, on_progress=done.append)
    assert examples.pictures == (good,)
    assert examples.left_out == ()
    assert sum(done) == len(pictures)


def test_copies_that_are_labelled_differently_are_all_left_out(tmp_path: Path, good: Picture) -> None:
    for name in ("a.png", "b.png", "c.png"):
        (tmp_path / name).write_bytes((tmp_path / put(tmp_path, "x.png", Drawn()).path).read_bytes())
    pictures = [
        known(tmp_path, "a.png", "bar"),
        good,
        known(tmp_path, "b.png", "square"),
        known(tmp_path, "c.png", extra=several("bar", "disc")),
    ]
    examples = prepare(tmp_path, pictures, SPEC)
    assert examples.pictures == (good,)
    told = "has a copy with another label: bar and bar+disc and square"
    assert reasons(examples) == {"a.png": told, "b.png": told, "c.png": told}


def test_pictures_whose_content_nobody_knows_are_no_copies_of_each_other(tmp_path: Path) -> None:
    pictures = [put(tmp_path, f"{seed}.png", Drawn(), seed=seed) for seed in range(2)]
    unknown = [Picture(each.path, "", each.class_name) for each in pictures]
    assert len(prepare(tmp_path, unknown, SPEC)) == 2


def test_what_shows_no_single_part_is_left_out_with_what_it_shows(tmp_path: Path, good: Picture) -> None:
    two = (Drawn(x=0.3, y=0.4, size=0.15), Drawn(x=0.7, y=0.75, size=0.15))
    grey = np.full((SIDE_PX, SIDE_PX, 3), 0, np.uint8)
    pictures = [put(tmp_path, "empty.png"), put(tmp_path, "two.png", *two), put_rgb(tmp_path, "dark.png", grey), good]
    examples = prepare(tmp_path, pictures, SPEC)
    assert examples.pictures == (good,)
    assert reasons(examples) == {
        "empty.png": "shows empty",
        "two.png": "shows several",
        "dark.png": "shows no table that could be made out",
    }


def test_files_that_are_no_pictures_are_left_out_with_the_reason_and_the_others_are_used(
    tmp_path: Path, good: Picture
) -> None:
    put_rgb(tmp_path, "dot.png", np.zeros((1, 1, 3), np.uint8))
    put_rgb(tmp_path, "small.png", np.full((20, 20, 3), 90, np.uint8))
    whole = cv2.imencode(".jpg", draw(Drawn(), side_px=SIDE_PX))[1].tobytes()
    (tmp_path / "broken.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.jpg").write_text("hello", encoding="utf-8")
    (tmp_path / "nothing.png").write_bytes(b"")
    names = ["dot.png", "small.png", "broken.jpg", "text.jpg", "nothing.png"]
    pictures = [known(tmp_path, name) for name in names]
    examples = prepare(tmp_path, [*pictures, good, Picture("gone.png", "0" * 64, "square")], SPEC)
    assert examples.pictures == (good,)
    told = reasons(examples)
    assert list(told) == [*names, "gone.png"]
    assert "1×1 pixels" in told["dot.png"]
    assert told["small.png"] == "shows no table that could be made out"
    assert "truncated" in told["broken.jpg"]
    assert "no picture that is known here" in told["text.jpg"]
    assert "No such file" in told["gone.png"]


def test_nothing_that_can_be_used_is_refused_with_the_reasons(tmp_path: Path) -> None:
    pictures = [put(tmp_path, f"{seed}.png", seed=seed) for seed in range(5)]
    with pytest.raises(TrainingRefused, match="none of 5 pictures can be used") as caught:
        prepare(tmp_path, pictures, SPEC)
    assert "0.png shows empty; 1.png shows empty" in caught.value.message
    assert "sorter dataset check" in caught.value.remedy
    with pytest.raises(TrainingRefused, match="none of 0 pictures"):
        prepare(tmp_path, [], SPEC)


def test_classes_that_are_no_list_are_refused_before_any_picture_is_read(tmp_path: Path) -> None:
    with pytest.raises(LossRefused, match=r"gone\.png: classes is 'a'"):
        prepare(tmp_path, [Picture("gone.png", "", "square", extra={"classes": "a"})], SPEC)


@pytest.mark.parametrize("shape", [(SIDE_PX, SIDE_PX), (SIDE_PX, 230), (230, SIDE_PX), (40, 40)])
def test_a_picture_of_several_classes_is_taken_whole(tmp_path: Path, shape: tuple[int, int]) -> None:
    rgb = draw(Drawn(x=0.35, y=0.4), Drawn("bar", x=0.65, y=0.7), side_px=max(shape))
    top, left = (max(shape) - shape[0]) // 2, (max(shape) - shape[1]) // 2
    rgb = rgb[top : top + shape[0], left : left + shape[1]]
    examples = prepare(tmp_path, [put_rgb(tmp_path, "two.png", rgb, extra=several("square", "bar"))], SPEC)
    assert examples.rgb.shape == (1, 48, 48, 3)
    assert examples.masks.shape == (1, 48, 48)
    side = min(shape)
    top, left = (shape[0] - side) // 2, (shape[1] - side) // 2
    middle = rgb[top : top + side, left : left + side]
    assert examples.rgb[0].mean(axis=(0, 1)) == pytest.approx(middle.mean(axis=(0, 1)), abs=2.0)


def test_the_mask_of_a_picture_taken_whole_lies_on_all_of_its_parts(tmp_path: Path) -> None:
    parts = (Drawn(x=0.35, y=0.4, colour=RED), Drawn(x=0.65, y=0.75, colour=RED))
    examples = prepare(tmp_path, [put(tmp_path, "two.png", *parts, extra=several("square", "bar"))], SPEC)
    light, mask = examples.rgb[0].astype(float).mean(axis=2), examples.masks[0]
    for part in parts:
        assert mask[int(part.y * 48), int(part.x * 48)] == 255
    assert light[mask > 200].mean() < light[mask == 0].mean() - 50.0


def test_a_picture_that_shows_nothing_is_an_example_of_nothing_where_its_line_says_so(tmp_path: Path) -> None:
    examples = prepare(tmp_path, [put(tmp_path, "empty.png", extra=several())], SPEC)
    assert len(examples) == 1
    assert not examples.masks.any()


def test_a_list_of_one_class_is_cut_out_like_any_other(tmp_path: Path) -> None:
    one = put(tmp_path, "one.png", Drawn(x=0.5, y=0.55))
    listed = Picture(one.path, one.sha256, "mixed", extra=several("square"))
    assert (prepare(tmp_path, [listed], SPEC).rgb == prepare(tmp_path, [one], SPEC).rgb).all()


def test_the_number_of_threads_changes_nothing_and_none_is_left(drawn: tuple[Path, tuple[Picture, ...]]) -> None:
    root, pictures = drawn
    before = set(threading.enumerate())
    one, other = (prepare(root, pictures[:4], SPEC, workers=workers) for workers in (1, 3))
    assert one.pictures == other.pictures
    assert (one.rgb == other.rgb).all()
    assert (one.masks == other.masks).all()
    assert set(threading.enumerate()) == before


def numbered(count: int) -> Examples:
    return Examples(
        tuple(Picture(f"{row}.png", "", "a") for row in range(count)),
        np.arange(count, dtype=np.uint8).repeat(12).reshape(count, 2, 2, 3),
        np.arange(count, dtype=np.uint8).repeat(4).reshape(count, 2, 2),
    )


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 9), max_size=20), st.sets(st.integers(0, 15)))
def test_rows_keep_their_crop_and_their_mask(rows: list[int], wanted: set[int]) -> None:
    """A picture with another's crop is a wrong label."""
    for taken in (numbered(10).taken(rows), numbered(10).of(f"{row}.png" for row in wanted)):
        assert len(taken) == len(taken.rgb) == len(taken.masks)
        for picture, rgb, mask in zip(taken.pictures, taken.rgb, taken.masks, strict=True):
            assert picture.path == f"{rgb[0, 0, 0]}.png" == f"{mask[0, 0]}.png"
    assert [each.path for each in numbered(10).taken(rows).pictures] == [f"{row}.png" for row in rows]
    found = [each.path for each in numbered(10).of(f"{row}.png" for row in wanted).pictures]
    assert found == [f"{row}.png" for row in sorted(wanted) if row < 10]
