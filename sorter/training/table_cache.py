"""Whole pictures scaled to the network's size, kept in one file that is mapped into memory, not read into it.

    64 bytes    magic, key (SHA-256), how many pictures, their side in px, length of the end
    to 4096     nothing
    pixels      n×size×size×3 bytes
    the end     JSON: for each picture null or why it is not there, CRC-32 of the pixels; then CRC-32 of head and JSON

The key stands for everything that a pixel depends on, so a file with another one is not believed.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import mmap
import os
import struct
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sorter.errors import PictureRefused
from sorter.pictures import read_picture
from sorter.training.errors import TrainingRefused
from sorter.whole import whole_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from numpy.typing import NDArray

    from sorter.dataset import Picture
    from sorter.training.table_labels import TableLabels

    ByteArray = NDArray[np.uint8]

_CODE = ("sorter.pictures", "sorter.dataset.labels", "sorter.training.table_cache", "sorter.training.table_labels")
_MAGIC = b"tables1\n"
_HEAD = struct.Struct("<8s32sQQQ")
_FIRST = 4096  # byte of the first pixel
_CRC = struct.Struct("<I")
_AT_ONCE = 64  # pictures that are read ahead
_CHUNK = 1 << 24


@dataclass(frozen=True)
class Wanted:
    """Which pictures in what squares.

    Args:
        root: the dataset's folder.
        pictures: of it, in the order of the rows.
        labels: of its ``labels.json``.
        size_px: side of a square.
        grey: of what a picture does not fill.
    """

    root: Path
    pictures: tuple[Picture, ...]
    labels: TableLabels
    size_px: int
    grey: int


@dataclass(frozen=True)
class Fit:
    """How a picture was put into a square: its own px times ``across`` and ``down``, then moved.

    Args:
        across, down: px of the square for one of the picture.
        left_px, top_px: where the picture begins in the square.
    """

    across: float
    down: float
    left_px: int
    top_px: int

    def box(self, box_px: Sequence[int]) -> tuple[float, float, float, float]:
        """A box of the picture (left, top, width, height in px) as one of the square."""
        left, top, width, height = box_px
        return (
            left * self.across + self.left_px,
            top * self.down + self.top_px,
            width * self.across,
            height * self.down,
        )


@dataclass(frozen=True, eq=False)
class Scaled:
    """Pictures of a folder.

    Args:
        rgb: m×size×size×3 uint8, of the pictures that could be used, in order; mapped if it is kept on disk.
        reasons: n, None or why a picture is not among them.
    """

    rgb: ByteArray
    reasons: tuple[str | None, ...]


def fit_of(width_px: int, height_px: int, size_px: int) -> Fit:
    """How a picture of this size is put into a square of ``size_px``: whole, in the middle, its sides in proportion."""
    ratio = size_px / max(width_px, height_px)
    width, height = max(1, round(width_px * ratio)), max(1, round(height_px * ratio))
    return Fit(width / width_px, height / height_px, (size_px - width) // 2, (size_px - height) // 2)


def in_square(rgb: ByteArray, size_px: int, grey: int) -> ByteArray:
    """A whole picture H×W×3 in a square size×size×3; what it does not fill is ``grey``."""
    height, width = rgb.shape[:2]
    fit = fit_of(width, height, size_px)
    wide, high = round(width * fit.across), round(height * fit.down)
    way = cv2.INTER_AREA if size_px < max(width, height) else cv2.INTER_LINEAR
    square = np.full((size_px, size_px, 3), grey, np.uint8)
    square[fit.top_px : fit.top_px + high, fit.left_px : fit.left_px + wide] = cv2.resize(
        rgb, (wide, high), interpolation=way
    )
    return square


def scaled_pictures(
    wanted: Wanted, cache: Path | None, *, workers: int = 2, on_progress: Callable[[int], None] | None = None
) -> Scaled:
    """All pictures in squares, from the folder ``cache`` if they are there, else made and kept there.

    What is kept is believed only for the same labels, index, files, size and code. A file that is torn or damaged is
    made anew.

    Args:
        wanted: which.
        cache: None keeps them in memory alone.
        workers: threads.
        on_progress: called with how many more pictures are done.

    Raises:
        TrainingRefused: nothing can be kept in ``cache``.
    """
    count, size_px = len(wanted.pictures), wanted.size_px
    made = _made(wanted, workers, on_progress)
    if cache is None:
        found = list(made)
        whole = [each for each in found if not isinstance(each, str)]
        reasons = tuple(each if isinstance(each, str) else None for each in found)
        return Scaled(np.array(whole, np.uint8).reshape(-1, size_px, size_px, 3), reasons)
    key = _key(wanted)
    file = cache / f"tables-{key.hex()[:24]}.rgb"
    kept = _read(file, key, count, size_px)
    if kept is not None:
        if on_progress is not None:
            on_progress(count)
        return kept
    try:
        cache.mkdir(parents=True, exist_ok=True)
        _write(file, key, made, size_px)
    except OSError as error:
        raise TrainingRefused(
            f"{cache}: pictures of tables cannot be kept there: {error.strerror}",
            remedy=f"Name another folder (they take {3 * size_px**2 * count:,} bytes), or none: it only saves time.",
        ) from error
    kept = _read(file, key, count, size_px)
    if kept is None:
        raise TrainingRefused(
            f"{file} was written, and what is read back is something else",
            remedy="Look after the disk, or name another folder for it.",
        )
    return kept


def labelled_picture(wanted: Wanted, picture: Picture) -> ByteArray | str:
    """One picture as its labels mean it, H×W×3, or why it cannot be used."""
    file, labelled = wanted.root / picture.path, wanted.labels.by_path[picture.path]
    try:
        rgb = read_picture(file)
        if picture.sha256 and hashlib.sha256(file.read_bytes()).hexdigest() != picture.sha256:
            return "is not the picture of the index any more: its SHA-256 is another one"
    except PictureRefused as error:
        return error.reason
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if rgb.shape[:2] != (labelled.height_px, labelled.width_px):
        return f"has {rgb.shape[1]}×{rgb.shape[0]} px, and {labelled.width_px}×{labelled.height_px} px in its labels"
    return rgb


def _made(wanted: Wanted, workers: int, on_progress: Callable[[int], None] | None) -> Iterator[ByteArray | str]:
    """Square by square, or why there is none."""

    def one(picture: Picture) -> ByteArray | str:
        rgb = labelled_picture(wanted, picture)
        return rgb if isinstance(rgb, str) else in_square(rgb, wanted.size_px, wanted.grey)

    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="tables") as pool:
        for first in range(0, len(wanted.pictures), _AT_ONCE):
            some = wanted.pictures[first : first + _AT_ONCE]
            yield from pool.map(one, some)
            if on_progress is not None:
                on_progress(len(some))


def _key(wanted: Wanted) -> bytes:
    """Of labels, index, the files as they are, settings and the code that makes squares of them."""
    settings = (wanted.labels.sha256, wanted.size_px, wanted.grey, cv2.__version__)
    digest = hashlib.sha256(repr(settings).encode())
    for module in _CODE:
        digest.update(inspect.getsource(sys.modules[module]).encode())
    for each in wanted.pictures:
        try:
            status = (wanted.root / each.path).stat()
            state = (status.st_size, status.st_mtime_ns)
        except OSError:
            state = (-1, -1)
        known = (each.path, each.sha256, each.class_name, repr(each.extra), repr(state))
        digest.update("\x1f".join(known).encode() + b"\n")
    return digest.digest()


def _write(file: Path, key: bytes, made: Iterator[ByteArray | str], size_px: int) -> None:
    """Whole or not at all: temporary name, fsync, rename."""
    with whole_file(file) as target:
        target.write(b"\0" * _FIRST)
        reasons: list[str | None] = []
        crc = 0
        for each in made:
            reasons.append(each if isinstance(each, str) else None)
            if not isinstance(each, str):
                pixels = each.tobytes()
                crc = zlib.crc32(pixels, crc)
                target.write(pixels)
        end = json.dumps({"reasons": reasons, "crc32": crc}).encode()
        head = _HEAD.pack(_MAGIC, key, reasons.count(None), size_px, len(end))
        target.write(end + _CRC.pack(zlib.crc32(head + end)))
        target.seek(0)
        target.write(head)


def _read(file: Path, key: bytes, count: int, size_px: int) -> Scaled | None:
    """What ``_write`` wrote, mapped; None if it is not there, not whole, or of something else."""
    try:
        with file.open("rb") as source:
            return _mapped(source, key, count, size_px)
    except (OSError, ValueError, KeyError, TypeError, struct.error):
        return None  # it is made anew


def _mapped(source: BinaryIO, key: bytes, count: int, size_px: int) -> Scaled | None:
    head = source.read(_HEAD.size)
    magic, whose, rows, side, length = _HEAD.unpack(head)
    pixels = rows * side * side * 3
    is_ours = (magic, whose, side) == (_MAGIC, key, size_px)
    if not is_ours or os.fstat(source.fileno()).st_size != _FIRST + pixels + length + _CRC.size:
        return None
    source.seek(_FIRST + pixels)
    end = source.read(length)
    if zlib.crc32(head + end) != _CRC.unpack(source.read(_CRC.size))[0]:
        return None
    about = json.loads(end)
    reasons = tuple(about["reasons"])
    if len(reasons) != count or reasons.count(None) != rows:
        return None
    if not rows:
        return Scaled(np.zeros((0, size_px, size_px, 3), np.uint8), reasons)
    whole = np.frombuffer(mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)
    within = whole[_FIRST : _FIRST + pixels]
    crc = 0
    for first in range(0, pixels, _CHUNK):
        crc = zlib.crc32(within[first : first + _CHUNK].data, crc)
    if crc != about["crc32"]:
        return None
    return Scaled(within.reshape(rows, size_px, size_px, 3), reasons)
