"""One look at each picture: everything that the checks and the inference of groups go by.

A picture is read once. Two threads work, because OpenCV, NumPy and Pillow release the interpreter's lock.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sorter.errors import PictureRefused
from sorter.pictures import read_picture
from sorter.types import Frame, LocationKind
from sorter.vision import locate, part_colour, quality
from sorter.vision.table import at_places

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from sorter.dataset.records import Dataset
    from sorter.types import Location

    ByteArray = NDArray[np.uint8]

THUMBNAIL_PX = 32
"""Side of the thumbnail by which pictures are compared."""

BORDER_CELLS = 10
"""The border is the outermost ring of so many cells a side: 30 px wide in a picture of 300."""

_HASH_PX = 8
_DCT_PX = 32
_TABLE_POINTS = 8  # a side


@dataclass(frozen=True, eq=False)
class Features:
    """What one picture shows.

    Args:
        path: as in the dataset.
        refusal: why it cannot be used; None if it can. Then all that follows is empty.
        sha256: of its bytes now, empty if they cannot be read.
        hash64: perceptual hash; pictures that look alike differ in few of its 64 bits.
        thumbnail: THUMBNAIL_PX square ×3 uint8.
        border: mean colour (0 to 255) of each cell on the border, n×3 float32.
        table_rgb: mean colour (0 to 255) of the table without its part; of the border where no table was made out.
        kind: what lies on the table.
        sharpness: as ``sorter.vision.quality`` gives it.
        colour: name of the part's colour as it was seen, None if nothing was.
        width_px: of the picture.
        height_px: of the picture.
    """

    path: str
    refusal: str | None
    sha256: str = ""
    hash64: int = 0
    thumbnail: ByteArray | None = None
    border: NDArray[np.float32] | None = None
    table_rgb: tuple[float, float, float] | None = None
    kind: LocationKind | None = None
    sharpness: float = 0.0
    colour: str | None = None
    width_px: int = 0
    height_px: int = 0


def look_at_all(
    dataset: Dataset, *, is_glance: bool = False, workers: int = 2, on_progress: Callable[[int], None] | None = None
) -> tuple[Features, ...]:
    """Features of every picture, in the dataset's order.

    Args:
        dataset: its files are read, none is written.
        is_glance: only what tells whether two pictures are alike, which is ten times as fast.
        workers: threads.
        on_progress: called with how many more pictures are done.
    """
    first: dict[str, str] = {}  # of copies, one is looked at for all
    for each in dataset.pictures:
        first.setdefault(each.sha256 or each.path, each.path)
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="dataset") as pool:
        jobs = {path: pool.submit(look_at, dataset.root, path, is_glance=is_glance) for path in first.values()}
        done = []
        try:
            for each in dataset.pictures:
                seen = jobs[first[each.sha256 or each.path]].result()
                done.append(seen if seen.path == each.path else _of_copy(dataset.root, each.path, seen))
                if on_progress is not None:
                    on_progress(1)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return tuple(done)


def _of_copy(root: Path, path: str, seen: Features) -> Features:
    """What was seen in the one holds for the other too, if its bytes are still the same."""
    try:
        digest = hashlib.sha256((root / path).read_bytes()).hexdigest()
    except OSError as error:
        return Features(path, f"cannot be read: {error.strerror}")
    return replace(seen, path=path) if digest == seen.sha256 else look_at(root, path, is_glance=seen.kind is None)


def look_at(root: Path, path: str, *, is_glance: bool = False) -> Features:
    """Features of one picture; one that is unreadable is no error, its ``refusal`` says why.

    A glance leaves out what lies on the table: ``border``, ``table_rgb``, ``kind``, ``sharpness`` and ``colour``.
    """
    file = root / path
    digest = ""
    try:
        digest = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else digest
        rgb = read_picture(file)
    except PictureRefused as error:
        return Features(path, error.reason, digest)
    except OSError as error:
        return Features(path, f"cannot be read: {error.strerror}")
    glance = Features(
        path=path,
        refusal=None,
        sha256=digest,
        hash64=perceptual_hash(rgb),
        thumbnail=np.asarray(cv2.resize(rgb, (THUMBNAIL_PX, THUMBNAIL_PX), interpolation=cv2.INTER_AREA), np.uint8),
        width_px=rgb.shape[1],
        height_px=rgb.shape[0],
    )
    return glance if is_glance else _looked_at_closely(glance, rgb)


def _looked_at_closely(glance: Features, rgb: ByteArray) -> Features:
    frame = Frame(rgb, 0.0, 0)
    location = locate(frame)
    colour = part_colour(frame, location)
    border = _border(rgb)
    return replace(
        glance,
        border=border,
        table_rgb=_table_rgb(location, border),
        kind=location.kind,
        sharpness=quality(frame, location).sharpness,
        colour=None if colour is None else colour.name,
    )


def perceptual_hash(rgb: ByteArray) -> int:
    """64 bits: which of the 8×8 lowest frequencies (DCT of the brightness at 32×32) are above their median.

    As described by Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010, 3.2.1.
    """
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (_DCT_PX, _DCT_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = np.asarray(cv2.dct(small))[:_HASH_PX, :_HASH_PX].reshape(-1)
    bits = low > np.median(low[1:])
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def _border(rgb: ByteArray) -> NDArray[np.float32]:
    cells = np.asarray(cv2.resize(rgb, (BORDER_CELLS, BORDER_CELLS), interpolation=cv2.INTER_AREA), np.float32)
    is_border = np.ones((BORDER_CELLS, BORDER_CELLS), np.bool_)
    is_border[1:-1, 1:-1] = False
    return np.asarray(cells[is_border], np.float32)


def _table_rgb(location: Location, border: NDArray[np.float32]) -> tuple[float, float, float]:
    if location.table is None:
        red, green, blue = border.mean(axis=0)
        return float(red), float(green), float(blue)
    places = (np.arange(_TABLE_POINTS) + 0.5) / _TABLE_POINTS
    red, green, blue = np.exp(at_places(location.table, places, places)).mean(axis=(0, 1))
    return float(red), float(green), float(blue)
