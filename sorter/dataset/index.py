"""``index.jsonl``: a line a picture, written whole or appended to by whole lines, read strictly.

    {"path": "3001/0001.jpg", "sha256": "…", "class": "3001", "brick": "3001-red", "pose": "up",
     "revolution": "3001-red-up", "angle_deg": 5.8, "colour": "Red", "source": "camera"}

Keys that are not known here are kept as they are. A writer that was killed may leave a torn last line: it is left out
when the index is read, and cut off when it is appended to. A last line that only lacks its end is whole.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

from sorter.dataset.errors import DatasetRefused
from sorter.dataset.paths import inside
from sorter.dataset.records import SOURCES, SPLITS, Picture
from sorter.whole import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

INDEX_NAME = "index.jsonl"

_TEXTS = ("brick", "pose", "revolution", "colour", "split")
_KNOWN = ("path", "sha256", "class", "brick", "pose", "revolution", "angle_deg", "colour", "source", "split")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_REMEDY = "Mend the line with a text editor, or take it out; nothing was changed."


def line_of(picture: Picture) -> str:
    """The picture as a line of the index, without its end."""
    data: dict[str, Any] = {
        "path": picture.path,
        "sha256": picture.sha256,
        "class": picture.class_name,
        "brick": picture.brick,
        "pose": picture.pose,
        "revolution": picture.revolution,
        "angle_deg": picture.angle_deg,
        "colour": picture.colour,
        "source": picture.source,
    }
    if picture.split is not None:
        data["split"] = picture.split
    data |= {key: value for key, value in picture.extra.items() if key not in _KNOWN}
    return json.dumps(data, ensure_ascii=False, allow_nan=False)


def write_index(root: Path, pictures: Iterable[Picture]) -> Path:
    """Write the whole index of the folder ``root``, in place of what was there, or nothing at all.

    Raises:
        DatasetRefused: a path leaves the folder, or stands twice.
    """
    file = root / INDEX_NAME
    write_whole(file, _checked_lines(root, file, pictures))
    return file


def _checked_lines(root: Path, file: Path, pictures: Iterable[Picture]) -> str:
    """The lines of the index for these pictures, if every path stays inside the folder and stands once."""
    seen: set[str] = set()
    lines = []
    for each in pictures:
        _check(root, file, each, seen, None)
        lines.append(line_of(each) + "\n")
    return "".join(lines)


def append(root: Path, pictures: Iterable[Picture]) -> None:
    """Add pictures to the end of the index, durably, in one write.

    A torn last line, which a killed writer left, is cut off first. Paths that stand in the index already are found
    when it is read: going through it at each append would make a long capture slow.

    Raises:
        DatasetRefused: a path leaves the folder, or stands twice among ``pictures``.
    """
    file = root / INDEX_NAME
    data = _checked_lines(root, file, pictures).encode()
    with file.open("a+b") as index:
        length = index.seek(0, os.SEEK_END)
        whole = _whole_length(length, file)
        if whole != length:
            index.seek(whole)
            if _is_whole(index.read().decode("utf-8", errors="surrogateescape")):
                data = b"\n" + data
            else:
                index.truncate(whole)
        index.write(data)
        index.flush()
        os.fsync(index.fileno())


def read_index(root: Path) -> tuple[list[Picture], list[str]]:
    """The pictures of the index in ``root``, in order of their paths, and what was left out of it.

    Raises:
        DatasetRefused: a line that is not the last one is torn, or any says something that cannot be; it is named.
    """
    file = root / INDEX_NAME
    try:
        text = file.read_bytes().decode("utf-8", errors="surrogateescape")
    except OSError as error:
        raise DatasetRefused(file, f"cannot be read: {error.strerror}", remedy="Check its permissions.") from error
    lines = text.split("\n")
    torn = lines.pop()  # empty if the file ends with the end of a line
    warnings = []
    if _is_whole(torn):
        lines.append(torn)
    elif torn:
        warnings.append(
            f"{file}: line {len(lines) + 1} is torn (a writer was killed): left out, and cut off by the next writer"
        )
    seen: set[str] = set()
    pictures = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        picture = _parse(file, line, number)
        _check(root, file, picture, seen, number)
        pictures.append(picture)
    return sorted(pictures, key=lambda each: each.path), warnings


def _is_whole(line: str) -> bool:
    """Whether a last line without its end is nevertheless a whole one, as some editors leave it."""
    try:
        return isinstance(json.loads(line), dict)  # an object that was cut off lacks its last brace
    except (ValueError, RecursionError):
        return False


def _whole_length(length: int, file: Path) -> int:
    """Bytes up to the end of the last whole line."""
    with file.open("rb") as index:
        end = length
        while end > 0:
            start = max(0, end - 65536)
            index.seek(start)
            found = index.read(end - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            end = start
    return 0


def _check(root: Path, file: Path, picture: Picture, seen: set[str], line: int | None) -> None:
    inside(root, picture.path, stated_in=file, line=line)
    if picture.path in seen:
        raise DatasetRefused(file, f"{picture.path} stands twice", remedy=_REMEDY, line=line)
    seen.add(picture.path)


def _parse(file: Path, line: str, number: int) -> Picture:
    def refuse(reason: str) -> DatasetRefused:
        return DatasetRefused(file, reason, remedy=_REMEDY, line=number)

    try:
        data = json.loads(line, parse_constant=_refuse_constant)
        line.encode()
    except (ValueError, RecursionError) as error:
        raise refuse(f"is no JSON: {error}") from error
    if not isinstance(data, dict):
        raise refuse(f"is no JSON object: {line[:60]!r}")
    for key in ("path", "sha256", "class"):
        if not isinstance(data.get(key), str) or not data[key]:
            raise refuse(f"{key} is a text and must be there, got {data.get(key)!r}")
    for key in _TEXTS:
        if not (data.get(key) is None or (isinstance(data[key], str) and data[key])):
            raise refuse(f"{key} is a text or null, got {data[key]!r}")
    if not _SHA256.fullmatch(data["sha256"]):
        raise refuse(f"sha256 is 64 hexadecimal digits in small letters, got {data['sha256']!r}")
    angle_deg = data.get("angle_deg")
    if isinstance(angle_deg, bool) or not isinstance(angle_deg, int | float | None):
        raise refuse(f"angle_deg is a number or null, got {angle_deg!r}")
    source = data.get("source")
    if source not in SOURCES:
        raise refuse(f"source is one of {', '.join(SOURCES)}, got {source!r}")
    if data.get("split") not in (None, *SPLITS):
        raise refuse(f"split is one of {', '.join(SPLITS)}, got {data['split']!r}")
    try:
        return Picture(
            path=data["path"],
            sha256=data["sha256"],
            class_name=data["class"],
            brick=data.get("brick"),
            pose=data.get("pose"),
            revolution=data.get("revolution"),
            angle_deg=None if angle_deg is None else float(angle_deg),
            colour=data.get("colour"),
            source=source,
            split=data.get("split"),
            extra={key: value for key, value in data.items() if key not in _KNOWN},
        )
    except (ValueError, OverflowError) as error:
        raise refuse(str(error)) from error


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")
