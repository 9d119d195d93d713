"""Pictures that were taken before, played as a camera: a folder of them, or a video file.

Each capture gives the next picture, stamped as if it had been exposed just now. Where it stands is kept over closing
and opening again. Reading a file takes as long as the disk takes: the deadline bounds the pacing, not the disk.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

import cv2

from sorter.camera.checks import why_blank
from sorter.camera.errors import CameraClosed, CameraTimeout, NotAPicture, PicturesEnded
from sorter.camera.pictures import rgb_of_bgr, shrunk
from sorter.camera.protocol import CameraHealth
from sorter.errors import PictureRefused
from sorter.pictures import SUFFIXES, read_picture
from sorter.types import Frame

if TYPE_CHECKING:
    from pathlib import Path

    from sorter.types import Clock
    from sorter.types.pictures import RgbArray

_BLANK = "Leave that picture out, or take it anew with more light."
_DIGITS = re.compile(r"(\d+)")


class _Reel(Protocol):
    """Pictures in order; ``where`` names the last one."""

    @property
    def where(self) -> str:
        """The file, or the frame of a video."""

    def open(self) -> None:
        """Raises NotAPicture if there are none."""

    def next_picture(self) -> RgbArray | None:
        """None after the last. Raises NotAPicture."""

    def rewind(self) -> None:
        """Start again with the first."""

    def close(self) -> None:
        """Let go of the file."""


class ReplayCamera:
    """A folder of pictures or a video file that is played as a camera.

    Args:
        path: a folder, whose pictures (see ``sorter.pictures``; not those of folders in it) are played in natural
            order, so 2 comes before 10; or a video file that OpenCV's FFmpeg can read.
        clock: paces and stamps the frames.
        loop: begin again after the last picture; else the capture after it raises PicturesEnded.
        frames_per_s: not faster than this; None is as fast as they are asked for.
        preview_width_px: how wide a preview is at most.
    """

    is_live = False

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        loop: bool = True,
        frames_per_s: float | None = None,
        preview_width_px: int = 320,
    ) -> None:
        self.name = f"pictures in {path}"
        self._path = path
        self._clock = clock
        self._loop = loop
        self._interval_s = 0.0 if frames_per_s is None else 1.0 / frames_per_s
        self._preview_width_px = preview_width_px
        self._reel: _Reel | None = None
        self._is_open = False
        self._last: Frame | None = None
        self._frames = 0

    def open(self, deadline_s: float) -> None:  # noqa: ARG002  (nothing here waits)
        """Find the pictures; see ``Camera.open``.

        Raises:
            NotAPicture: the path is neither a folder with pictures nor a video.
        """
        if self._is_open:
            return
        if self._reel is None:
            self._reel = _Folder(self._path) if self._path.is_dir() else _Video(self._path)
        self._reel.open()
        self._is_open = True

    def capture(self, deadline_s: float) -> Frame:
        """The next picture; see ``Camera.capture``.

        Raises:
            CameraClosed: it is not open.
            CameraTimeout: its turn comes after the deadline.
            NotAPicture: a file of the folder is none or shows nothing, or a frame of the video does; it is named, and
                the next capture goes on behind it.
            PicturesEnded: there are no more.
        """
        reel = self._opened()
        self._wait_for_turn(deadline_s)
        rgb = reel.next_picture()
        if rgb is None and self._loop:
            reel.rewind()
            rgb = reel.next_picture()
        if rgb is None:
            raise PicturesEnded(f"{self._path}: all {self._frames} pictures were played")
        why = why_blank(rgb)
        if why is not None:
            raise NotAPicture(f"{reel.where} {why}", remedy=_BLANK)
        self._last = Frame(rgb, captured_at_s=self._clock.monotonic_s(), sequence=self._frames)
        self._frames += 1
        return self._last

    def preview(self, deadline_s: float) -> Frame:
        """The last picture, smaller; the first capture if there was none yet. See ``Camera.preview``."""
        self._opened()
        last = self._last or self.capture(deadline_s)
        return Frame(shrunk(last.rgb, self._preview_width_px), last.captured_at_s, last.sequence)

    def close(self) -> None:
        """See ``Camera.close``."""
        self._is_open = False
        if self._reel is not None:
            self._reel.close()

    def health(self) -> CameraHealth:
        """See ``Camera.health``."""
        last = self._last
        age_s = None if last is None else self._clock.monotonic_s() - last.captured_at_s
        return CameraHealth(is_open=self._is_open, frames=self._frames, last_frame_age_s=age_s)

    def _opened(self) -> _Reel:
        if self._reel is None or not self._is_open:
            raise CameraClosed(f"{self.name}: not open")
        return self._reel

    def _wait_for_turn(self, deadline_s: float) -> None:
        now_s = self._clock.monotonic_s()
        turn_s = now_s if self._last is None else max(now_s, self._last.captured_at_s + self._interval_s)
        if turn_s > deadline_s:
            raise CameraTimeout(
                f"{self.name}: the next one is due in {turn_s - now_s:g} s, after the deadline",
                remedy="Raise frames_per_s in [camera] of rig.toml, or wait longer.",
            )
        if turn_s > now_s:
            self._clock.sleep(turn_s - now_s)


def natural_order(name: str) -> list[tuple[int, int | str]]:
    """A key that sorts names as people do: ``view 2`` before ``view 10``."""
    return [(0, int(piece)) if piece.isdecimal() else (1, piece.casefold()) for piece in _DIGITS.split(name) if piece]


class _Folder:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._files: list[Path] = []
        self._next = 0

    @property
    def where(self) -> str:
        return str(self._files[self._next - 1])

    def open(self) -> None:
        if self._files:
            return
        try:
            found = [each for each in self._path.iterdir() if each.suffix.lower() in SUFFIXES and each.name[0] != "."]
        except OSError as error:
            raise NotAPicture(f"{self._path} cannot be read: {error.strerror or error}") from error
        if not found:
            raise NotAPicture(
                f"{self._path} holds no picture ({', '.join(SUFFIXES)})", remedy="Name a folder with pictures in it."
            )
        self._files = sorted(found, key=lambda file: (natural_order(file.name), file.name))

    def next_picture(self) -> RgbArray | None:
        if self._next >= len(self._files):
            return None
        file = self._files[self._next]
        self._next += 1  # first, so that a bad one is passed by
        try:
            return read_picture(file)
        except PictureRefused as error:
            raise NotAPicture(error.message, remedy=error.remedy) from error

    def rewind(self) -> None:
        self._next = 0

    def close(self) -> None:
        pass


class _Video:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._video: cv2.VideoCapture | None = None
        self._played = 0

    @property
    def where(self) -> str:
        return f"{self._path}: frame {self._played}"

    def open(self) -> None:
        if self._video is not None:
            return
        if not self._path.is_file():
            raise NotAPicture(f"{self._path} is neither a folder nor a file", remedy="Name a folder or a video file.")
        video = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG)
        if not video.isOpened() or not all(video.grab() for _ in range(self._played)):
            video.release()
            raise NotAPicture(f"{self._path} is no video that OpenCV can read", remedy="Name a folder or a video file.")
        self._video = video

    def next_picture(self) -> RgbArray | None:
        assert self._video is not None
        is_read, bgr = self._video.read()
        if not is_read:
            if self._played == 0:
                raise NotAPicture(f"{self._path} is a video without a frame", remedy="Name another video file.")
            return None
        self._played += 1
        return rgb_of_bgr(bgr)

    def rewind(self) -> None:
        self.close()
        self._played = 0
        self.open()

    def close(self) -> None:
        if self._video is not None:
            self._video.release()
            self._video = None
