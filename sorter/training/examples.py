"""From labelled pictures to crops in memory, cut exactly as the rig cuts them, each with the mask of its part."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sorter.errors import PictureRefused
from sorter.pictures import read_picture
from sorter.training.augment import augmented
from sorter.training.errors import TrainingRefused
from sorter.training.labels import classes_of
from sorter.training.quantise import representative_rows
from sorter.types import Frame, LocationKind
from sorter.vision import crop, locate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sorter.dataset import Picture
    from sorter.training.recipe import AugmentationRecipe
    from sorter.types import CropSpec

    ByteArray = NDArray[np.uint8]
    Cut = tuple[ByteArray, ByteArray]

_ONE_PART = (LocationKind.ONE, LocationKind.EDGE)
_AT_ONCE = 64  # pictures that are read ahead: frames are large


@dataclass(frozen=True)
class LeftOut:
    """A picture that is not trained on, and why."""

    path: str
    reason: str


@dataclass(frozen=True, eq=False)
class Examples:
    """Crops of n pictures.

    Args:
        pictures: n, as in the dataset.
        rgb: n×size×size×3 uint8.
        masks: n×size×size uint8, 255 on the part.
        left_out: pictures that gave none.
    """

    pictures: tuple[Picture, ...]
    rgb: ByteArray
    masks: ByteArray
    left_out: tuple[LeftOut, ...] = ()

    def __len__(self) -> int:
        return len(self.pictures)

    def taken(self, rows: Sequence[int] | NDArray[np.int64]) -> Examples:
        """Those of the given rows."""
        chosen = np.asarray(rows, dtype=np.int64)
        return Examples(tuple(self.pictures[row] for row in chosen), self.rgb[chosen], self.masks[chosen])

    def of(self, paths: Iterable[str]) -> Examples:
        """Those whose pictures have these paths; paths that were left out are not there."""
        wanted = set(paths)
        return self.taken([row for row, each in enumerate(self.pictures) if each.path in wanted])

    def changed(
        self, row: int, recipe: AugmentationRecipe, rng: np.random.Generator
    ) -> tuple[ByteArray, NDArray[np.generic] | None]:
        """A changed copy of one crop, size×size×3; its targets stay, so there are no others."""
        return augmented(self.rgb[row], self.masks[row], recipe, rng), None

    def representative(self) -> ByteArray:
        """Some crops that stand for all; see ``representative_rows``."""
        return self.rgb[representative_rows(self.rgb, [each.class_name for each in self.pictures])]


def prepare(
    root: Path,
    pictures: Sequence[Picture],
    spec: CropSpec,
    *,
    workers: int = 2,
    on_progress: Callable[[int], None] | None = None,
) -> Examples:
    """Read, locate and crop; what cannot be used is left out with its reason.

    Of pictures with the same bytes the first is taken, or none where they are labelled differently. A picture of
    several parts is taken whole if its labels name several classes, and left out otherwise.

    Args:
        root: the dataset's folder.
        pictures: of the dataset.
        spec: how parts are cut out.
        workers: threads; OpenCV and NumPy release the interpreter's lock.
        on_progress: called with how many more pictures are done.

    Raises:
        TrainingRefused: no picture can be used.
    """
    unique, left_out = without_copies(pictures)
    if on_progress is not None:
        on_progress(len(pictures) - len(unique))
    cuts = cut_all(root, unique, spec, workers=workers, on_progress=on_progress)
    return assembled(root, unique, cuts, left_out)


def cut_all(
    root: Path,
    pictures: Sequence[Picture],
    spec: CropSpec,
    *,
    workers: int = 2,
    on_progress: Callable[[int], None] | None = None,
) -> list[Cut | str]:
    """Crop and mask of each picture, or why there is none."""
    cuts: list[Cut | str] = []
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="crops") as pool:
        for first in range(0, len(pictures), _AT_ONCE):
            some = pictures[first : first + _AT_ONCE]
            cuts += pool.map(lambda each: _cut(root, each, spec), some)
            if on_progress is not None:
                on_progress(len(some))
    return cuts


def assembled(root: Path, pictures: Sequence[Picture], cuts: Sequence[Cut | str], left_out: list[LeftOut]) -> Examples:
    """Pictures with what was cut out of them, but for those that gave nothing.

    Raises:
        TrainingRefused: none gave anything.
    """
    taken: list[tuple[Picture, Cut]] = []
    for picture, cut in zip(pictures, cuts, strict=True):
        if isinstance(cut, str):
            left_out.append(LeftOut(picture.path, cut))
        else:
            taken.append((picture, cut))
    if not taken:
        shown = "; ".join(f"{each.path} {each.reason}" for each in left_out[:3])
        raise TrainingRefused(
            f"{root}: none of {len(left_out)} pictures can be used: {shown}",
            remedy="See what is wrong with them: sorter dataset check.",
        )
    rgb, masks = np.array([cut[0] for _, cut in taken]), np.array([cut[1] for _, cut in taken])
    return Examples(tuple(picture for picture, _ in taken), rgb, masks, tuple(left_out))


def without_copies(pictures: Sequence[Picture]) -> tuple[list[Picture], list[LeftOut]]:
    """The first of each content, and those that are left out because a copy has another label."""
    names: dict[str, set[tuple[str, ...]]] = {}
    for each in pictures:
        names.setdefault(each.sha256 or each.path, set()).add(classes_of(each))
    unique, left_out, seen = [], [], set()
    for each in pictures:
        content = each.sha256 or each.path
        if len(names[content]) > 1:
            labels = " and ".join(sorted("+".join(name) for name in names[content]))
            left_out.append(LeftOut(each.path, f"has a copy with another label: {labels}"))
        elif content not in seen:
            seen.add(content)
            unique.append(each)
    return unique, left_out


def _cut(root: Path, picture: Picture, spec: CropSpec) -> Cut | str:
    """Crop and mask of a picture, or why there is none."""
    try:
        frame = Frame(read_picture(root / picture.path), 0.0, 0)
    except PictureRefused as error:
        return error.reason
    location = locate(frame)
    if len(classes_of(picture)) != 1:
        return _whole(frame.rgb, spec.size_px), _whole((location.mask * 255).astype(np.uint8), spec.size_px)
    if location.kind not in _ONE_PART or location.table is None:
        return f"shows {location.kind}" if location.table is not None else "shows no table that could be made out"
    rgb = crop(frame, location, spec).rgb
    # The same cut through the mask, as a picture whose table is left as it is.
    mask = (location.mask * 255).astype(np.uint8)
    if spec.table_grey is not None:  # then what lies beyond the frame is grey, and no part, however far one reaches
        mask[[0, -1]] = mask[:, [0, -1]] = 0
    as_picture = Frame(np.repeat(mask[..., None], 3, axis=2), 0.0, 0, mm_per_px=None)
    return rgb, crop(as_picture, location, replace(spec, table_grey=None)).rgb[..., 0]


def _whole(picture: ByteArray, size_px: int) -> ByteArray:
    """The middle square of a picture, as small as a crop."""
    side = min(picture.shape[:2])
    top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
    square = picture[top : top + side, left : left + side]
    return np.asarray(cv2.resize(square, (size_px, size_px), interpolation=cv2.INTER_AREA), dtype=np.uint8)
