"""What the twin's camera shows of a scene is what lies there, as a camera would show it."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sorter.twin.errors import HopperRefused
from sorter.twin.pictures import eye_of, make_pictures
from sorter.twin.scene import Scene, SeenPart
from sorter.twin.sensor import NOISE, Sensor, levels_of, light_of
from sorter.twin.sprite_files import load_sprites
from sorter.twin.sprite_hopper import SpriteHopper
from sorter.twin.table_look import TableLook
from sorter.types import Frame, LocationKind
from sorter.types.twin import TwinCamera, TwinParts
from sorter.vision import locate
from tests.twins import twin_settings
from tests.unit.sorter.twin import drawn_sprites

if TYPE_CHECKING:
    from sorter.twin.scene import Hopper, Part, PictureMaker

CLASSES = ("2456", "3001", "3002", "3003", "3004", "3010", "3039", "32064", "3660", "3701")
RED = (0.45, 0.01, 0.01)


def made(*, seed: int = 1, unknown_share: float = 0.0, camera: TwinCamera | None = None) -> tuple[Hopper, PictureMaker]:
    parts = TwinParts(100, CLASSES, unknown_share)
    return make_pictures(twin_settings(parts=parts, seed=seed, camera=camera or TwinCamera()))


def part_of(hopper: Hopper, number: int = 1) -> Part:
    return replace(hopper.draw(number, random.Random(number)), reflectance=RED)


def red_brick(hopper: Hopper) -> Part:
    """A 3001 as it stands."""
    parts = (part_of(hopper, number) for number in range(1, 1000))
    return next(each for each in parts if (each.design, each.pose) == ("3001", "up"))


def seen(maker: PictureMaker, *parts: SeenPart, table_deg: float = 0.0, sequence: int = 0) -> Frame:
    return Frame(maker.picture([Scene(table_deg, parts)], sequence), 0.0, sequence)


def is_red(frame: Frame) -> np.ndarray:
    return np.asarray(frame.rgb[..., 0] > 2.0 * frame.rgb[..., 1])


def middle_px(frame: Frame) -> np.ndarray:
    rows, columns = np.nonzero(is_red(frame))
    return np.array([columns.mean(), rows.mean()])


@pytest.mark.parametrize("seed", range(4))
def test_an_empty_table_shows_nothing_one_part_one_and_two_parts_two(seed: int) -> None:
    hopper, maker = made(seed=seed)
    one, other = part_of(hopper, 1), part_of(hopper, 2)
    for table_deg in (0.0, 100.0):
        assert locate(seen(maker, table_deg=table_deg)).kind is LocationKind.EMPTY
        assert locate(seen(maker, SeenPart(one, 1.0, 2.0, 30.0 + table_deg))).kind is LocationKind.ONE
    side_by_side = SeenPart(one, -18.0, 0.0, 90.0), SeenPart(other, 18.0, 0.0, 90.0)
    assert locate(seen(maker, *side_by_side)).kind is LocationKind.SEVERAL


def test_a_white_part_is_not_lost_on_the_table() -> None:
    hopper, maker = made()
    white = replace(red_brick(hopper), reflectance=(0.9, 0.9, 0.9))
    for yaw_deg in range(0, 360, 45):
        assert locate(seen(maker, SeenPart(white, 0.0, 0.0, yaw_deg))).kind is LocationKind.ONE


def test_a_part_is_seen_where_it_lies() -> None:
    hopper, maker = made()
    brick = red_brick(hopper)
    middle = middle_px(seen(maker, SeenPart(brick, 0.0, 0.0, 0.0)))
    assert middle_px(seen(maker, SeenPart(brick, 10.0, 0.0, 0.0)))[0] == pytest.approx(middle[0] + 41.0, abs=3.0)
    assert middle_px(seen(maker, SeenPart(brick, 0.0, 10.0, 0.0)))[1] == pytest.approx(middle[1] - 28.0, abs=4.0)


def test_a_part_that_falls_comes_from_above() -> None:
    hopper, maker = made()
    brick = red_brick(hopper)
    heights_px = [
        middle_px(seen(maker, SeenPart(brick, 0.0, -10.0, 0.0, above_mm)))[1] for above_mm in (20.0, 8.0, 0.0)
    ]
    assert heights_px == sorted(heights_px)
    assert locate(seen(maker, SeenPart(brick, 0.0, 0.0, 0.0, above_mm=110.0))).kind is LocationKind.EMPTY


def test_what_moves_is_blurred_and_what_stands_is_not() -> None:
    hopper, maker = made()
    brick = red_brick(hopper)
    turning = [Scene(yaw_deg, (SeenPart(brick, 0.0, 0.0, yaw_deg),)) for yaw_deg in (0.0, 10.0, 20.0, 30.0, 40.0)]
    standing = turning[:1] * 5

    def steepest(scenes: list[Scene]) -> float:
        brightness = maker.picture(scenes, 0).astype(float).mean(axis=2)
        return float(np.percentile(np.hypot(*np.gradient(brightness)), 99))

    assert steepest(turning) < 0.7 * steepest(standing)
    assert (maker.picture(standing, 0) == maker.picture(turning[:1], 0)).all()


def test_two_frames_differ_by_noise_alone_and_a_twin_can_be_repeated() -> None:
    hopper, maker = made()
    scene = [Scene(10.0, (SeenPart(part_of(hopper), 1.0, 1.0, 5.0),))]
    first, second = maker.picture(scene, 0), maker.picture(scene, 1)
    apart = first.astype(float) - second.astype(float)
    assert 0.8 * NOISE < apart.std() / math.sqrt(2.0) < 1.3 * NOISE
    assert abs(apart.mean()) < 0.05
    again, other = made()[1], made(seed=2)[1]
    assert (again.picture(scene, 0) == first).all()
    assert (other.picture(scene, 0) != first).any()


def test_no_two_frames_of_many_are_equal() -> None:
    sensor, levels = Sensor(64, 64, seed=3), np.full((64, 64, 3), 100.0, np.float32)
    assert len({sensor.noisy(levels, sequence).tobytes() for sequence in range(500)}) == 500


def test_a_picture_without_a_scene_is_refused() -> None:
    with pytest.raises(ValueError, match="one scene or more"):
        made()[1].picture([], 0)


@pytest.mark.parametrize("size_px", [(400, 300), (600, 600)])
def test_a_larger_frame_shows_as_much_of_the_table(size_px: tuple[int, int]) -> None:
    shares = []
    for camera in (TwinCamera(), TwinCamera(*size_px)):
        hopper, maker = made(camera=camera)
        frame = seen(maker, SeenPart(red_brick(hopper), 0.0, 0.0, 20.0))
        assert frame.rgb.shape == (camera.height_px, camera.width_px, 3)
        shares.append(is_red(frame).sum() / min(camera.width_px, camera.height_px) ** 2)
    assert shares[1] == pytest.approx(shares[0], rel=0.08)


def test_marks_turn_with_the_table() -> None:
    eye = eye_of(load_sprites().content.camera, TwinCamera())
    look = TableLook(eye, np.random.default_rng(4))
    ground = eye.ground_mm()
    radius = np.hypot(ground[..., 0], ground[..., 1])
    still = look.at(0.0)[..., 1] / np.median(look.at(0.0)[..., 1])
    still[radius > 25.0] = 1.0  # in sight at every angle
    mark = ground[np.unravel_index(still.argmin(), still.shape)]
    assert still.min() < 0.95
    for table_deg in (30.0, 90.0, 200.0):
        sin, cos = math.sin(math.radians(table_deg)), math.cos(math.radians(table_deg))
        x, y = eye.project([[cos * mark[0] - sin * mark[1], sin * mark[0] + cos * mark[1], 0.0]])[0]
        turned = look.at(table_deg)[int(y) - 2 : int(y) + 3, int(x) - 2 : int(x) + 3, 1]
        assert turned.min() / np.median(look.at(table_deg)[..., 1]) == pytest.approx(still.min(), abs=0.04)


def test_levels_and_light_are_each_others_inverse() -> None:
    every = np.arange(256, dtype=np.uint8)
    assert np.abs(levels_of(light_of(every)) - every).max() < 0.2


# --- the hopper -------------------------------------------------------------------------------------------------------


def test_parts_are_as_many_unknown_ones_as_asked_for_of_every_design_and_known_ones_have_their_class() -> None:
    hopper, _ = made(unknown_share=0.3)
    parts = [hopper.draw(number, random.Random(number)) for number in range(2000)]
    unknown = [each for each in parts if each.class_name is None]
    assert len(unknown) / len(parts) == pytest.approx(0.3, abs=0.04)
    assert len({each.design for each in unknown}) == 10
    counts = Counter(each.class_name for each in parts if each.class_name is not None)
    assert set(counts) == set(CLASSES)
    assert min(counts.values()) > 90
    assert all(each.class_name in (None, each.design) for each in parts)
    assert len({each.reflectance for each in parts}) > 1900
    assert all(0.0 <= channel <= 1.0 for each in parts for channel in each.reflectance)


def test_a_design_whose_class_the_network_lacks_is_unknown() -> None:
    hopper = SpriteHopper(load_sprites().content, TwinParts(1, ("3001",), 0.5))
    parts = [hopper.draw(number, random.Random(number)) for number in range(300)]
    assert {each.design for each in parts if each.class_name is not None} == {"3001"}
    assert "3002" in {each.design for each in parts if each.class_name is None}


def test_parts_lie_as_often_in_a_pose_as_they_fall_into_it() -> None:
    content = load_sprites().content
    hopper = SpriteHopper(content, TwinParts(1, ("3010",)))
    poses = Counter(hopper.draw(number, random.Random(number)).pose for number in range(2000))
    for pose in content.design("3010").poses:
        assert poses[pose.name] / 2000 == pytest.approx(pose.probability, abs=0.04)


def test_a_part_that_is_fed_again_is_the_same_in_a_pose_of_its_own() -> None:
    hopper, _ = made()
    part = hopper.draw(1, random.Random(1))
    agains = [hopper.again(part, random.Random(number)) for number in range(50)]
    assert len({each.pose for each in agains}) > 1
    assert {(each.number, each.design, each.reflectance) for each in agains} == {(1, part.design, part.reflectance)}
    assert hopper.draw(1, random.Random(1)) == part


def test_a_hopper_of_what_there_is_not_is_refused(tmp_path: Path) -> None:
    content = load_sprites().content
    with pytest.raises(HopperRefused, match="no sprite of any of the classes 9999"):
        SpriteHopper(content, TwinParts(1, ("9999",)))
    with pytest.raises(HopperRefused, match="no sprite of any of the classes"):
        SpriteHopper(drawn_sprites.write(tmp_path), TwinParts(1, ("3001",)))
    known_only = replace(content, designs=tuple(each for each in content.designs if each.class_name))
    with pytest.raises(HopperRefused, match="no unknown parts"):
        SpriteHopper(known_only, TwinParts(1, CLASSES, 0.1))
