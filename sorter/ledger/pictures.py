"""A folder of pictures that never grows beyond its bound.

``keep`` only puts a picture into a queue; one thread makes a JPEG of it and writes that, whole: under another name
first, renamed when it is complete. When there is no room the oldest picture goes, and ordinary ones go before uncertain
ones. What a picture is worth stands in its path, so that the next start knows it again::

    ordinary/parts/7/1234-0.jpg      uncertain/parts/7/1235-0.jpg      uncertain/incidents/12.jpg

Other files in the folder are neither counted nor touched.
"""

from __future__ import annotations

import shutil
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import cv2

from sorter.ledger.picture_files import NAME, PictureFiles, Worth

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sorter.types.pictures import RgbArray

__all__ = ["PictureFolder", "Worth"]

_JPEG_QUALITY = 90
_MOST_WAITING_BYTES = 48_000_000  # of pictures that are not written yet: a dozen frames of 1296×972
_MOST_WAITING = 256


@dataclass(frozen=True, eq=False)
class _Waiting:
    name: str
    rgb: RgbArray
    worth: Worth


class PictureFolder:
    """Keeps pictures under names such as ``parts/7/1234-0.jpg``. Any thread may call; nobody waits for the disk.

    Nothing on the disk is touched, and no thread is started, before the first ``keep``: whoever only looks for pictures
    may have a folder of his own. Use it as a context manager, or ``close`` it. One program at a time may write.

    Args:
        folder: is made if it is not there.
        max_bytes: what the pictures in it take at most, in whole blocks of 4096 bytes.
        on_note: called with a sentence, once for each reason for which pictures are dropped; from any thread.

    Raises:
        ValueError: ``max_bytes`` is not above 0.
    """

    def __init__(self, folder: Path, max_bytes: int, *, on_note: Callable[[str], None] | None = None) -> None:
        if max_bytes < 1:
            raise ValueError(f"max_bytes is at least 1, got {max_bytes}")
        self._folder = folder
        self._note = on_note or (lambda _text: None)
        self._changed = threading.Condition()
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._thread: threading.Thread | None = None
        self._is_writing = False
        self._is_closed = False
        self._noted: set[str] = set()
        self._dropped = 0
        self._store = PictureFiles(folder, max_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def dropped(self) -> int:
        """How many pictures were handed in and could not be kept."""
        with self._changed:
            return self._dropped

    @property
    def waiting(self) -> int:
        """How many pictures are not dealt with yet."""
        with self._changed:
            return len(self._waiting) + self._is_writing

    @property
    def used_bytes(self) -> int:
        """What the pictures take, as far as this program has looked: 0 before its first picture."""
        return sum(self._store.used_bytes.values())

    def keep(self, name: str, rgb: RgbArray, *, worth: Worth) -> None:
        """Have the picture written. One of that name is replaced. Does not wait, and never fails because of the disk.

        Args:
            name: such as ``parts/7/1234-0.jpg``.
            rgb: H×W×3 uint8; is not copied, and must not be written to afterwards.
            worth: in which order pictures go when there is no room.

        Raises:
            ValueError: the name is none, or the picture is none, or the folder was closed.
        """
        if NAME.fullmatch(name) is None:
            raise ValueError(f"{name!r} is no name for a picture; it is such as parts/7/1234-0.jpg")
        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype.name != "uint8" or 0 in rgb.shape:
            raise ValueError(f"{name}: a picture is H×W×3 uint8 with H, W > 0, got {rgb.shape} {rgb.dtype}")
        with self._changed:
            if self._is_closed:
                raise ValueError(f"{self._folder} was closed")
            is_dropped = not self._make_room_to_wait(rgb.nbytes, worth)
            if not is_dropped:
                self._waiting.append(_Waiting(name, rgb, worth))
                self._waiting_bytes += rgb.nbytes
                self._start()
                self._changed.notify_all()
        if is_dropped:
            self._drop("slow", "pictures come faster than the disk takes them")

    def path(self, name: str) -> Path | None:
        """Where the picture of that name lies; None if it is not there, or not yet, or not any more."""
        if NAME.fullmatch(name) is None:
            return None
        places = (self._folder / worth / name for worth in Worth)
        return next((place for place in places if place.is_file()), None)

    def free_bytes(self) -> int:
        """What is free for us on the disk that holds the folder.

        Raises:
            OSError: the disk does not say.
        """
        place = self._folder.absolute()
        while not place.exists():
            place = place.parent
        return shutil.disk_usage(place).free

    def close(self) -> None:
        """Write what is waiting, and end the thread; harmless if that is done."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()

    # --- the queue ----------------------------------------------------------------------------------------------

    def _make_room_to_wait(self, bytes_: int, worth: Worth) -> bool:
        """Is there room in the queue? An uncertain picture may take the place of the newest ordinary ones."""

        def is_full() -> bool:
            is_too_large = self._waiting_bytes + bytes_ > _MOST_WAITING_BYTES and bool(self._waiting)
            return is_too_large or len(self._waiting) >= _MOST_WAITING

        while is_full():
            ordinary = [each for each in self._waiting if each.worth is Worth.ORDINARY]
            if worth is Worth.ORDINARY or not ordinary:
                return False
            self._waiting.remove(ordinary[-1])
            self._waiting_bytes -= ordinary[-1].rgb.nbytes
            self._dropped += 1
        return True

    def _drop(self, reason: str, text: str) -> None:
        with self._changed:
            self._dropped += 1
            is_new = reason not in self._noted
            self._noted.add(reason)
        if is_new:
            self._note(f"{self._folder}: {text}; some are not kept. Sorting goes on, and no part's record is lost")

    # --- the thread ---------------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._write_all, name="pictures", daemon=True)
            self._thread.start()

    def _write_all(self) -> None:
        while (picture := self._next()) is not None:
            try:
                if not self._store.write(picture.name, _jpeg(picture.rgb), picture.worth):
                    self._drop("full", "has no room left beside the uncertain pictures in it")
            except OSError as error:
                reason = error.strerror or str(error)
                self._drop(reason, f"pictures cannot be written: {reason}")
            except ValueError as error:
                self._drop("jpeg", str(error))

    def _next(self) -> _Waiting | None:
        with self._changed:
            self._is_writing = False
            self._changed.wait_for(lambda: self._waiting or self._is_closed)
            if not self._waiting:
                return None
            picture = self._waiting.popleft()
            self._waiting_bytes -= picture.rgb.nbytes
            self._is_writing = True
            return picture


def _jpeg(rgb: RgbArray) -> bytes:
    try:
        is_done, data = cv2.imencode(
            ".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
        )
    except cv2.error as error:
        raise ValueError(f"OpenCV makes no JPEG of a picture of {rgb.shape}: {error.err}") from error
    if not is_done:
        raise ValueError(f"OpenCV makes no JPEG of a picture of {rgb.shape}")
    return data.tobytes()
