"""A twin that plays photographs shows those of the part that lies there, and a table that fits when it is empty."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sorter.dataset import DatasetRefused, read_index, write_index
from sorter.pictures import read_picture
from sorter.twin.errors import HopperRefused, PhotographRefused
from sorter.twin.photo_hopper import PhotoHopper
from sorter.twin.photo_table import empty_table
from sorter.twin.pictures import make_pictures
from sorter.twin.scene import Scene, SeenPart
from sorter.types import Frame, LocationKind
from sorter.types.twin import TwinCamera, TwinParts
from sorter.vision import locate
from tests.drawn_dataset import COLOURS, write_drawn_dataset
from tests.scenes import SHAPES, Drawn, draw
from tests.twins import twin_settings

if TYPE_CHECKING:
    from sorter.twin.scene import Part, PictureMaker

VIEWS = 8


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photographs")
    write_drawn_dataset(folder, views=VIEWS, side_px=160)
    return folder


def made(photos: Path, *, unknown_share: float = 0.0, classes: tuple[str, ...] = SHAPES, side_px: int = 160) -> tuple:
    parts = TwinParts(100, classes, unknown_share, photos=str(photos))
    return make_pictures(twin_settings(parts=parts, camera=TwinCamera(side_px, side_px), seed=5))


def draws(hopper: PhotoHopper, count: int) -> list[Part]:
    return [hopper.draw(number, random.Random(number)) for number in range(1, count + 1)]


def seen(maker: PictureMaker, *parts: SeenPart, sequence: int = 0) -> np.ndarray:
    return maker.picture([Scene(0.0, parts)], sequence)


def kind(rgb: np.ndarray) -> LocationKind:
    return locate(Frame(rgb, 0.0, 0)).kind


def apart(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(float) - other.astype(float)).mean())


def write_discs(folder: Path, photos: Path, **changes: object) -> None:
    """A folder of the discs alone, with something else in its index."""
    pictures, _ = read_index(photos)
    discs = [replace(each, **changes) for each in pictures if each.class_name == "disc"]  # type: ignore[arg-type]
    (folder / "disc").mkdir()
    for each in discs:
        (folder / each.path).write_bytes((photos / each.path).read_bytes())
    write_index(folder, discs)


def test_a_part_is_shown_by_the_photograph_of_that_angle(photos: Path) -> None:
    hopper, maker = made(photos)
    part = hopper.draw(1, random.Random(1))
    name = f"{part.class_name}/{part.brick.removeprefix(part.class_name + '-')}"
    for yaw_deg in (0.0, 90.0, 100.0, 358.0, -45.0):
        view = round(yaw_deg / 45.0) % VIEWS
        photograph = read_picture(photos / f"{name}_{view:02}.png")
        assert apart(seen(maker, SeenPart(part, 2.0, -3.0, yaw_deg)), photograph) < 1.0


def test_every_revolution_comes_once_before_any_comes_again(photos: Path) -> None:
    hopper, _ = made(photos)
    count = len(SHAPES) * len(COLOURS)
    parts = draws(hopper, 2 * count)
    first, second = parts[:count], parts[count:]
    assert len({each.revolution for each in first}) == count
    assert len({each.brick for each in first}) == count
    assert {each.revolution for each in second} == {each.revolution for each in first}
    assert [each.revolution for each in second] != [each.revolution for each in first]
    assert draws(made(photos)[0], count) == first


def test_classes_that_the_network_lacks_are_the_unknown_ones(photos: Path) -> None:
    hopper, _ = made(photos, classes=("square", "bar"), unknown_share=0.25)
    kinds = Counter((each.design, each.class_name) for each in draws(hopper, 400))
    assert set(kinds) == {("square", "square"), ("bar", "bar"), ("disc", None)}
    assert kinds["disc", None] / 400 == pytest.approx(0.25, abs=0.07)


def test_an_empty_table_shows_nothing_and_has_the_light_of_the_last_photograph(photos: Path) -> None:
    hopper, maker = made(photos)
    for number in range(1, 9):
        part = hopper.draw(number, random.Random(number))
        shown = seen(maker, SeenPart(part, 0.0, 0.0, 0.0))
        for gone in ((), (SeenPart(part, 0.0, 0.0, 0.0, above_mm=30.0),), (SeenPart(part, 80.0, 0.0, 0.0),)):
            empty = seen(maker, *gone)
            assert kind(empty) is LocationKind.EMPTY
            border = np.s_[-20:]
            assert apart(empty[border], shown[border]) < 2.5
            assert (empty[:5] < 40).all()  # past the table's edge


def test_a_part_that_slides_is_seen_to_move(photos: Path) -> None:
    hopper, maker = made(photos)
    part = hopper.draw(1, random.Random(1))
    [lying] = locate(Frame(seen(maker, SeenPart(part, 0.0, 0.0, 0.0)), 0.0, 0)).boxes
    [sliding] = locate(Frame(seen(maker, SeenPart(part, 27.0, 0.0, 0.0)), 0.0, 0)).boxes
    assert sliding.left_px - lying.left_px == pytest.approx(15.0 * 160 / 78, abs=3)
    assert abs(sliding.top_px - lying.top_px) <= 3


def test_two_parts_at_once_are_seen_as_several(photos: Path) -> None:
    hopper, maker = made(photos)
    for first, second in zip(draws(hopper, 6), draws(hopper, 6), strict=True):
        assert (
            kind(seen(maker, SeenPart(first, 0.0, 0.0, 0.0), SeenPart(second, 20.0, 0.0, 90.0))) is LocationKind.SEVERAL
        )


def test_a_turning_part_is_blurred(photos: Path) -> None:
    hopper, maker = made(photos)
    part = hopper.draw(1, random.Random(1))
    scenes = [Scene(yaw_deg, (SeenPart(part, 0.0, 0.0, yaw_deg),)) for yaw_deg in (0.0, 45.0, 90.0)]
    mean = maker.picture(scenes, 0)
    singles = [maker.picture([scene], 0) for scene in scenes]
    assert all(apart(mean, each) > 1.0 for each in singles)
    assert (maker.picture(scenes[:1] * 3, 0) == singles[0]).all()


def test_the_same_photograph_twice_is_not_a_frozen_camera(photos: Path) -> None:
    hopper, maker = made(photos)
    lying = SeenPart(hopper.draw(1, random.Random(1)), 0.0, 0.0, 0.0)
    assert (seen(maker, lying, sequence=1) != seen(maker, lying, sequence=2)).any()
    assert (seen(maker, sequence=1) != seen(maker, sequence=2)).any()


def test_frames_have_the_cameras_size_whatever_the_photographs_have(photos: Path) -> None:
    hopper, maker = made(photos, side_px=100)
    rgb = seen(maker, SeenPart(hopper.draw(1, random.Random(1)), 0.0, 0.0, 0.0))
    assert rgb.shape == (100, 100, 3)
    assert kind(rgb) is LocationKind.ONE


def test_a_part_that_is_fed_again_is_another_revolution_of_the_same_brick(photos: Path, tmp_path: Path) -> None:
    write_discs(tmp_path, photos, brick="brick")
    hopper = PhotoHopper(tmp_path, TwinParts(1, ("disc",)), seed=1)
    part = hopper.draw(1, random.Random(1))
    agains = [hopper.again(part, random.Random(number)) for number in range(60)]
    assert {each.revolution for each in agains} == set(range(len(COLOURS)))
    assert {each.number for each in agains} == {1}


def test_without_angles_a_turn_is_divided_evenly(photos: Path, tmp_path: Path) -> None:
    write_discs(tmp_path, photos, angle_deg=None)
    for revolution in PhotoHopper(tmp_path, TwinParts(1, ("disc",)), seed=1).revolutions:
        assert revolution.angles_deg == tuple(45.0 * view for view in range(VIEWS))


def test_what_is_no_set_of_revolutions_is_refused(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetRefused):
        made(tmp_path / "nothing")
    with pytest.raises(HopperRefused, match="shows none of the classes 3001"):
        made(photos, classes=("3001",))
    with pytest.raises(HopperRefused, match="no unknown parts"):
        made(photos, unknown_share=0.5)
    (tmp_path / "disc").mkdir()
    (tmp_path / "disc" / "a.png").write_bytes(next((photos / "disc").iterdir()).read_bytes())
    with pytest.raises(HopperRefused, match="nobody says which photographs"):
        made(tmp_path)


def test_a_photograph_that_has_gone_is_named(photos: Path, tmp_path: Path) -> None:
    write_discs(tmp_path, photos)
    hopper, maker = made(tmp_path, classes=("disc",))
    part = hopper.draw(1, random.Random(1))
    shown = hopper.revolutions[part.revolution].nearest(0.0)
    for change in (lambda: shown.write_bytes(b"no picture"), shown.unlink):
        change()
        with pytest.raises(PhotographRefused, match=shown.name):
            seen(maker, SeenPart(part, 0.0, 0.0, 0.0))


@pytest.mark.parametrize("seed", range(3))
def test_the_empty_table_is_that_without_the_part(seed: int) -> None:
    part = Drawn("bar", 0.4, 0.5, 0.35, 30.0, (0.8, 0.55, 0.06))
    fitted = empty_table(draw(part, side_px=240, seed=seed))
    assert apart(fitted, draw(side_px=240, seed=seed + 10)) < 3.0


def test_real_photographs_are_emptied_and_doubled(turntable_data: Path) -> None:
    hopper, maker = make_pictures(
        twin_settings(parts=TwinParts(1, ("3001", "3660", "3003"), photos=str(turntable_data)), seed=1)
    )
    for part, other in pairwise(draws(hopper, 8)):
        assert kind(seen(maker, SeenPart(part, 0.0, 0.0, 50.0))) in (LocationKind.ONE, LocationKind.EDGE)
        assert kind(seen(maker)) is LocationKind.EMPTY
        two = SeenPart(part, 0.0, 0.0, 50.0), SeenPart(other, 40.0, 0.0, 100.0)
        assert kind(seen(maker, *two)) is LocationKind.SEVERAL
