"""Crops kept on disk between runs, for whoever trains on the same pictures again and again."""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
import tempfile
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sorter.training.arrays import read_arrays, write_arrays
from sorter.training.errors import TrainingRefused
from sorter.training.examples import assembled, cut_all, prepare, without_copies
from sorter.training.labels import classes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sorter.dataset import Picture
    from sorter.training.examples import Cut, Examples
    from sorter.types import CropSpec

_CODE = (  # modules that have a say in what a crop and its mask are; by name, for sorter.vision.crop is a function too
    "sorter.pictures",
    "sorter.training.examples",
    "sorter.types.pictures",
    "sorter.vision.crop",
    "sorter.vision.locate",
    "sorter.vision.table",
)


def prepare_cached(
    root: Path,
    pictures: Sequence[Picture],
    spec: CropSpec,
    cache: Path | None,
    *,
    among: Sequence[Picture] | None = None,
    workers: int = 2,
    on_progress: Callable[[int], None] | None = None,
) -> Examples:
    """As ``prepare``, but looked up in the folder ``cache`` first and kept there; a file of 64 kB a picture of 128 px.

    What is kept is believed only for the same contents, labels, crop and code that makes crops. A file that is damaged
    is made anew.

    Args:
        root: the dataset's folder.
        pictures: of the dataset.
        spec: how parts are cut out.
        cache: the folder; None to keep nothing.
        among: all pictures of the dataset, of which one file is made for whoever takes some of them; None for the same.
        workers: threads.
        on_progress: called with how many more pictures are done.

    Raises:
        TrainingRefused: as ``prepare``; or nothing can be kept in ``cache``, which is said before the work is done.
    """
    if cache is None:
        return prepare(root, pictures, spec, workers=workers, on_progress=on_progress)
    known = pictures if among is None else among
    everything = list({_content(each): each for each in reversed(known)}.values())  # of copies the first
    if on_progress is not None:
        on_progress(len(known) - len(everything))
    file = cache / f"crops-{_key(everything, spec)[:24]}.npz"
    cuts = _read(file, len(everything))
    if cuts is None:
        try:
            cache.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=cache):
                pass
        except OSError as error:
            raise _unwritten(cache, error) from error
        cuts = cut_all(root, everything, spec, workers=workers, on_progress=on_progress)
        if not all(isinstance(each, str) for each in cuts):
            _write(file, cuts, spec.size_px)
    elif on_progress is not None:
        on_progress(len(everything))
    place = {_content(each): row for row, each in enumerate(everything)}
    unique, left_out = without_copies(pictures)
    return assembled(root, unique, [cuts[place[_content(each)]] for each in unique], left_out)


def _content(picture: Picture) -> tuple[str, bool]:
    """What a crop depends on: the bytes, and whether the picture is taken whole."""
    return picture.sha256 or picture.path, len(classes_of(picture)) == 1


def _write(file: Path, cuts: Sequence[Cut | str], size_px: int) -> None:
    """Crops and masks of those that gave one; of the others, why not."""
    whole = [each for each in cuts if not isinstance(each, str)]
    arrays = {
        "rgb": np.array([each[0] for each in whole], np.uint8).reshape(-1, size_px, size_px, 3),
        "masks": np.array([each[1] for each in whole], np.uint8).reshape(-1, size_px, size_px),
    }
    about = json.dumps({"reasons": [each if isinstance(each, str) else None for each in cuts]})
    try:
        write_arrays(file, arrays, about)
    except OSError as error:
        raise _unwritten(file.parent, error) from error


def _unwritten(cache: Path, error: OSError) -> TrainingRefused:
    return TrainingRefused(
        f"{cache}: crops cannot be kept there: {error.strerror}",
        remedy="Name another folder for crops, or none: it only saves time.",
    )


def _key(pictures: Sequence[Picture], spec: CropSpec) -> str:
    digest = hashlib.sha256(repr((spec, cv2.__version__)).encode())
    for module in _CODE:
        digest.update(inspect.getsource(sys.modules[module]).encode())
    for each in pictures:
        digest.update("\x1f".join((each.path, each.sha256, each.class_name, repr(each.extra))).encode() + b"\n")
    return digest.hexdigest()


def _read(file: Path, count: int) -> list[Cut | str] | None:
    try:
        about, arrays = read_arrays(file)
        whole = zip(np.asarray(arrays["rgb"], np.uint8), np.asarray(arrays["masks"], np.uint8), strict=True)
        cuts: list[Cut | str] = [next(whole) if each is None else str(each) for each in about["reasons"]]
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return None  # not there, or not whole: it is made anew
    return cuts if len(cuts) == count else None
