"""A folder of pictures without an index: a folder per class, or ``train/`` and ``test/`` (and ``val/``) of them.

A ``revolutions.json`` beside them says which brick and revolution a picture belongs to; nothing else about a folder
means anything but its class.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sorter.dataset.errors import DatasetRefused
from sorter.dataset.paths import inside
from sorter.dataset.records import SPLITS, Picture
from sorter.pictures import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REVOLUTIONS_NAME = "revolutions.json"
_LAYOUT = "Put the pictures into a folder per class: DIR/3001/a.jpg, or DIR/train/3001/a.jpg and DIR/test/3001/b.jpg."


def read_folders(root: Path) -> tuple[list[Picture], list[str]]:
    """The pictures below ``root`` in order of their paths, and what was left out.

    Raises:
        DatasetRefused: there is no picture in a folder of a class, or a link leaves the folder.
    """
    warnings: list[str] = []
    folders = list(_folders(root, warnings, is_top=True))
    published = [each for each in folders if each.name in SPLITS]
    pictures: list[Picture] = []
    if published:
        warnings += [
            f"{each}: left out, it stands beside {published[0].name}/" for each in folders if each not in published
        ]
        for split in published:
            for folder in _folders(split, warnings, is_top=False):
                pictures += _class_folder(root, folder, split.name, warnings)
    else:
        for folder in folders:
            pictures += _class_folder(root, folder, None, warnings)
    if not pictures:
        what = "".join(f"\n{each}" for each in warnings[:5])
        raise DatasetRefused(root, f"holds no picture in a folder of a class{what}", remedy=_LAYOUT)
    return sorted(pictures, key=lambda each: each.path), warnings


def _folders(parent: Path, warnings: list[str], *, is_top: bool) -> Iterator[Path]:
    files = []
    for each in _entries(parent):
        if each.is_dir():
            yield each
        elif not is_top or each.suffix.lower() in SUFFIXES:
            files.append(each.name)
    if files:
        shown = ", ".join(files[:3]) + (", …" if len(files) > 3 else "")
        warnings.append(f"{parent}: {len(files)} files stand among the folders and have no class: left out ({shown})")


def _class_folder(root: Path, folder: Path, split: str | None, warnings: list[str]) -> list[Picture]:
    pictures = []
    for each in _entries(folder):
        if not _is_text(str(each.relative_to(root))):
            warnings.append(f"{str(each)!a}: left out, its name cannot be printed")
        elif each.is_dir():
            warnings.append(f"{each}: left out, a folder inside the folder of a class")
        elif each.suffix.lower() not in SUFFIXES:
            warnings.append(f"{each}: left out, its name is not one of a picture ({', '.join(SUFFIXES)})")
        else:
            name = each.relative_to(root).as_posix()
            inside(root, name, stated_in=root)
            pictures.append(Picture(name, _sha256(each), folder.name, split=split))
    if not pictures:
        warnings.append(f"{folder}: no picture in it")
    return pictures


def _is_text(name: str) -> bool:
    """Whether a name can be shown and compared: no bytes that are no UTF-8, no ends of lines."""
    return name.isprintable()


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(each for each in folder.iterdir() if not each.name.startswith("."))
    except OSError as error:
        raise DatasetRefused(folder, f"cannot be read: {error.strerror}", remedy=_LAYOUT) from error


def _sha256(file: Path) -> str:
    """Empty if it cannot be read: the check says why."""
    try:
        if not file.is_file():  # a pipe would be waited for
            return ""
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return ""


def with_revolutions(root: Path, pictures: list[Picture]) -> tuple[list[Picture], list[str]]:
    """The pictures with brick, revolution, colour and pose as ``revolutions.json`` says, and what does not fit.

    Raises:
        DatasetRefused: it cannot be read, or contradicts the folders.
    """
    file = root / REVOLUTIONS_NAME
    known = {each.path: each for each in pictures}
    missing = []
    grouped: set[str] = set()
    for number, revolution in enumerate(_revolutions(file), start=1):
        for path in revolution.pop("paths"):
            picture = known.get(path)
            if picture is None:
                missing.append(path)
                continue
            if picture.class_name != revolution["class"] or path in grouped:
                what = "stands in two revolutions" if path in grouped else f"is called {revolution['class']}"
                raise DatasetRefused(
                    file,
                    f"revolution {number}: {path} {what}, its folder is {picture.class_name}",
                    remedy="Make the file fit the folders, or take it away: then groups are inferred.",
                )
            grouped.add(path)
            known[path] = replace(picture, **{key: revolution[key] for key in _GROUP_KEYS})
    warnings = []
    if missing:
        warnings.append(f"{file}: {len(missing)} of its pictures are not there, such as {missing[0]}")
    if len(grouped) < len(known):
        lacking = next(path for path in known if path not in grouped)
        warnings.append(f"{file}: says nothing of {len(known) - len(grouped)} pictures, such as {lacking}")
    return list(known.values()), warnings


_GROUP_KEYS = ("revolution", "brick", "colour", "pose")


def _revolutions(file: Path) -> list[dict[str, Any]]:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        return [_revolution(each) for each in data["revolutions"]]
    except OSError as error:
        raise DatasetRefused(file, f"cannot be read: {error.strerror}", remedy="Check its permissions.") from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DatasetRefused(
            file,
            f"is not as it must be: {type(error).__name__}: {error}",
            remedy='It is {"revolutions": [{"revolution", "class", "brick", "colour", "pose", "photographs"}]}; '
            "take the file away to have the groups inferred.",
        ) from error


def _revolution(data: dict[str, Any]) -> dict[str, Any]:
    names = {key: data[key] for key in ("revolution", "class", "brick")}
    if not all(isinstance(each, str) and each for each in names.values()):
        raise TypeError(f"revolution, class and brick are texts, got {names}")
    more = {key: data.get(key) for key in ("colour", "pose")}
    if not all(each is None or (isinstance(each, str) and each) for each in more.values()):
        raise TypeError(f"colour and pose are texts, got {more}")
    return {**names, **more, "paths": [os.fspath(path) for copies in data["photographs"] for path in copies]}
