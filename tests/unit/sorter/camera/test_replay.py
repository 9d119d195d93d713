"""Pictures that are played as a camera: in the order people expect, paced, and with an end."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from sorter.camera.errors import CameraClosed, CameraTimeout, NotAPicture, PicturesEnded
from sorter.camera.pictures import encoded
from sorter.camera.replay import ReplayCamera, natural_order
from sorter.clock import ManualClock

SOON_S = 1e6


def grey(value: int) -> np.ndarray:
    rgb = np.full((24, 32, 3), value, np.uint8)
    rgb[0, 0] = 255
    return rgb


def noise() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (24, 32, 3), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Views 1, 2 and 10, grey 1, 2 and 10; and what is not played."""
    for number in (10, 1, 2):
        (tmp_path / f"view {number}.png").write_bytes(encoded(grey(number), ".png"))
    (tmp_path / "labels.csv").write_text("no picture", encoding="utf-8")
    (tmp_path / "._view 1.png").write_bytes(b"what a Mac leaves behind")
    (tmp_path / "more.png").mkdir()
    (tmp_path / "more.png" / "a.png").write_bytes(b"")
    (tmp_path / "more.png").rename(tmp_path / "more")
    return tmp_path


def video(path: Path, values: list[int]) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (32, 24))
    for value in values:
        bgr = np.full((24, 32, 3), value, np.uint8)
        bgr[:, 16:] = 255
        writer.write(bgr)
    writer.release()
    return path


def opened(path: Path, clock: ManualClock | None = None, **options: object) -> ReplayCamera:
    camera = ReplayCamera(path, clock or ManualClock(), **options)  # type: ignore[arg-type]
    camera.open(SOON_S)
    return camera


def values(camera: ReplayCamera, count: int) -> list[int]:
    return [int(camera.capture(SOON_S).rgb[10, 10, 1]) for _ in range(count)]


def test_view_2_comes_before_view_10(folder: Path) -> None:
    assert values(opened(folder), 3) == [1, 2, 10]


@pytest.mark.parametrize("names", [["a", "B", "c"], ["1", "a"], ["a1b2", "a1b10", "a2"], ["x", "x0", "x00 1", "x0 2"]])
def test_names_are_sorted_as_people_do(names: list[str]) -> None:
    backwards = names[::-1]
    assert sorted(backwards, key=natural_order) == names


def test_frames_are_numbered_stamped_and_not_live(folder: Path) -> None:
    clock = ManualClock(start_s=100.0)
    camera = opened(folder, clock)
    first, second = camera.capture(SOON_S), camera.capture(SOON_S)
    assert (first.sequence, first.captured_at_s, second.sequence) == (0, 100.0, 1)
    assert not camera.is_live
    clock.advance(3.0)
    health = camera.health()
    assert (health.is_open, health.frames, health.last_frame_age_s) == (True, 2, 3.0)


def test_a_loop_begins_again_and_an_end_is_told(folder: Path) -> None:
    assert values(opened(folder, loop=True), 5) == [1, 2, 10, 1, 2]
    camera = opened(folder, loop=False)
    values(camera, 3)
    with pytest.raises(PicturesEnded, match="all 3 pictures were played"):
        camera.capture(SOON_S)


@pytest.mark.parametrize(
    "content", [b"", b"spilled coffee", encoded(noise(), ".png")[:900], encoded(noise(), ".jpg")[:900]]
)
def test_a_file_that_is_no_picture_is_named_and_passed_by(folder: Path, content: bytes) -> None:
    (folder / "view 2.png").write_bytes(content)
    camera = opened(folder)
    assert values(camera, 1) == [1]
    with pytest.raises(NotAPicture, match=r"view 2\.png"):
        camera.capture(SOON_S)
    assert values(camera, 1) == [10]


@pytest.mark.parametrize(("value", "why"), [(0, "has the value 0 all over"), (1, "is black")])
def test_a_black_picture_is_named_and_passed_by(folder: Path, value: int, why: str) -> None:
    rgb = np.zeros((24, 32, 3), np.uint8)
    rgb[0, 0] = value
    (folder / "view 2.png").write_bytes(encoded(rgb, ".png"))
    camera = opened(folder)
    assert values(camera, 1) == [1]
    with pytest.raises(NotAPicture, match=rf"view 2\.png {why}") as caught:
        camera.capture(SOON_S)
    assert "lens" not in caught.value.remedy
    assert values(camera, 1) == [10]


def test_frames_come_no_faster_than_set(folder: Path) -> None:
    clock = ManualClock()
    camera = opened(folder, clock, frames_per_s=4.0)
    stamps = [camera.capture(SOON_S).captured_at_s for _ in range(3)]
    assert stamps == [0.0, 0.25, 0.5]
    with pytest.raises(CameraTimeout, match=r"due in 0\.25 s"):
        camera.capture(clock.monotonic_s() + 0.1)
    assert clock.monotonic_s() == 0.5  # it did not wait for what could not come


def test_closing_and_opening_goes_on_where_it_was(folder: Path) -> None:
    camera = opened(folder)
    values(camera, 1)
    camera.close()
    with pytest.raises(CameraClosed):
        camera.capture(SOON_S)
    camera.open(SOON_S)
    assert values(camera, 1) == [2]


def test_a_preview_is_the_last_picture_and_takes_none_away(folder: Path) -> None:
    camera = opened(folder, preview_width_px=16)
    assert camera.preview(SOON_S).rgb.shape == (12, 16, 3)
    assert int(camera.preview(SOON_S).rgb[6, 6, 0]) == 1
    assert values(camera, 1) == [2]


def test_a_folder_without_pictures_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(NotAPicture, match="holds no picture"):
        opened(tmp_path)


def test_a_video_plays_to_its_end_and_again(tmp_path: Path) -> None:
    file = video(tmp_path / "a.avi", [40, 80, 120])
    camera = opened(file, loop=False)
    assert [round(value, -1) for value in values(camera, 2)] == [40, 80]
    camera.close()
    camera.open(SOON_S)
    assert [round(value, -1) for value in values(camera, 1)] == [120]
    with pytest.raises(PicturesEnded):
        camera.capture(SOON_S)
    camera.close()
    looped = opened(file)
    assert [round(value, -1) for value in values(looped, 4)] == [40, 80, 120, 40]
    looped.close()


@pytest.mark.parametrize("loop", [True, False])
def test_a_video_without_a_frame_is_told(tmp_path: Path, loop: bool) -> None:
    camera = opened(video(tmp_path / "a.avi", []), loop=loop)
    with pytest.raises(NotAPicture, match="without a frame"):
        camera.capture(SOON_S)
    camera.close()


@pytest.mark.parametrize("name", ["gone.mp4", "text.mp4"])
def test_what_is_no_video_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "text.mp4").write_text("no video", encoding="utf-8")
    with pytest.raises(NotAPicture, match=name):
        opened(tmp_path / name)
