"""A folder of rendered pictures that can be gone on with after anything, kill -9 included.

render.json      what it is rendered from; written first, never changed
pictures/        00000.jpg and so on, each written whole
journal.jsonl    a line for each finished picture
index.jsonl      the dataset's index      } of what was finished when the run began and, again, when it ended
labels.json      what is where on them    }
.lock            held by the one process that writes here
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sorter.dataset.index import write_index
from sorter.dataset.labels import FolderLabels, write_labels
from sorter.dataset.locks import open_locked
from sorter.dataset.records import Picture
from sorter.render.errors import FolderRefused
from sorter.render.journal import JOURNAL_NAME, Entry, Journal, read_journal
from sorter.render.picture import PICTURES
from sorter.render.settings import SETTINGS_NAME, differences, drawn_by, read_settings, write_settings
from sorter.whole import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sorter.render.picture import RenderedPicture
    from sorter.render.settings import RenderSettings

LOCK_NAME = ".lock"

_ANOTHER = "Name a folder that is not there yet, or one that this command made."
_AGAIN = "Then give the same command again: it goes on."


class RenderFolder:
    """The folder, while one process writes into it; see ``opened``.

    Args:
        root: the folder.
        settings: as it was begun with.
        entries: pictures that are finished and whole, by number.
        journal: of them.
    """

    def __init__(self, root: Path, settings: RenderSettings, entries: dict[int, Entry], journal: Journal) -> None:
        self.root = root
        self.settings = settings
        self.entries = entries
        self._journal = journal

    def missing(self, count: int) -> list[int]:
        """Numbers below ``count`` that are not finished, in order.

        Raises:
            FolderRefused: there are finished pictures beyond it.
        """
        beyond = sum(number >= count for number in self.entries)
        if beyond:
            raise FolderRefused(
                f"{self.root} has {beyond} pictures beyond the {count} that are asked for",
                remedy=f"Ask for {max(self.entries) + 1} or more, or render into another folder.",
            )
        return [number for number in range(count) if number not in self.entries]

    def put(self, picture: RenderedPicture) -> None:
        """Keep a picture: its file first, whole and durable, then its line.

        Raises:
            FolderRefused: it was made by another renderer or from other geometry than those before; or the disk is
                full, or the folder cannot be written to. What was kept before is as it was.
        """
        entry = Entry(
            picture.number,
            hashlib.sha256(picture.jpeg).hexdigest(),
            picture.backend,
            picture.geometry,
            picture.labels,
        )
        first = next(iter(self.entries.values()), entry)
        if first.backend != entry.backend:
            raise FolderRefused(
                f"{self.root} was begun by {first.backend}, and picture {entry.number} was rendered by "
                f"{entry.backend}: their noise is not the same",
                remedy="Render all of a folder with one version and variant; see that every machine has the same.",
            )
        if first.geometry != entry.geometry:
            raise FolderRefused(
                f"{self.root} was begun with other geometry than that from which picture {entry.number} was rendered",
                remedy="Name the LDraw library that it was begun with, the same on every machine, or another folder.",
            )
        try:
            write_whole(self.root / entry.labels.path, picture.jpeg)
            self._journal.add(entry)
        except OSError as error:
            raise _unwritten(self.root, error) from error
        self.entries[entry.number] = entry

    def publish(self) -> None:
        """Write ``index.jsonl`` and ``labels.json`` of what is finished, each whole.

        Raises:
            FolderRefused: as ``put``.
        """
        ordered = [self.entries[number] for number in sorted(self.entries)]
        try:
            self._journal.sync()
            if ordered:
                head = ordered[0]
                pictures = tuple(each.labels for each in ordered)
                seed, scene_sha256 = self.settings.seed, self.settings.scene_sha256
                write_labels(self.root, FolderLabels(head.backend, head.geometry, seed, scene_sha256, pictures))
            write_index(self.root, [_picture(each, self.settings.views) for each in ordered if each.labels.parts])
        except OSError as error:
            raise _unwritten(self.root, error) from error


@contextmanager
def opened(root: Path, settings: RenderSettings, on_notice: Callable[[str], None]) -> Iterator[RenderFolder]:
    """Begin a folder, or go on with one that was begun with the same settings.

    Every picture that is there is read and compared with its line in the journal.

    Args:
        root: is made if it is not there; the folder that it is to be in must be.
        settings: what to render.
        on_notice: is told what a person has to know.

    Raises:
        FolderRefused: it holds something else, was begun with other settings, or another process is rendering into
            it, or it cannot be written to.
    """
    _check_place(root)
    try:
        root.mkdir(exist_ok=True)
        lock = open_locked(root / LOCK_NAME, is_made=True)
    except BlockingIOError as error:
        raise FolderRefused(
            f"{root}: another process is rendering into it", remedy=f"Wait for it, or stop it. {_AGAIN}"
        ) from error
    except OSError as error:
        raise _unwritten(root, error) from error
    with lock:
        begun = _begun(root, settings, on_notice)
        try:
            (root / PICTURES).mkdir(exist_ok=True)
            _clear_torn(root)
            entries = _whole_entries(root, on_notice)
            journal = Journal(root / JOURNAL_NAME, [entries[number] for number in sorted(entries)])
        except OSError as error:
            raise _unwritten(root, error) from error
        with journal:
            folder = RenderFolder(root, begun, entries, journal)
            folder.publish()
            yield folder


def _check_place(root: Path) -> None:
    """Refuse what is no folder of pictures, before anything is made."""
    try:
        if root.is_dir():
            names = [each.name for each in root.iterdir()]
            is_ours = SETTINGS_NAME in names or all(each == LOCK_NAME or _is_torn(each) for each in names)
            if not is_ours:
                raise FolderRefused(f"{root} is there already, and holds no rendered pictures", remedy=_ANOTHER)
        elif root.exists() or root.is_symlink():
            raise FolderRefused(f"{root} is no folder", remedy=_ANOTHER)
        elif not root.absolute().parent.is_dir():
            raise FolderRefused(
                f"there is no folder {root.absolute().parent}", remedy="Make it first, or name another one."
            )
    except OSError as error:
        raise FolderRefused(f"{root} cannot be looked into: {error.strerror}", remedy="Name another folder.") from error


def _begun(root: Path, settings: RenderSettings, on_notice: Callable[[str], None]) -> RenderSettings:
    if not (root / SETTINGS_NAME).exists():
        try:
            write_settings(root, settings)
        except OSError as error:
            raise _unwritten(root, error) from error
        return settings
    begun = read_settings(root)
    found = differences(begun, settings)
    if found:
        raise FolderRefused(
            f"{root} was begun with other settings:\n" + "\n".join(f"- {each}" for each in found),
            remedy="Give the settings that it was begun with (render.json has them), or name another folder.",
        )
    for library, now in drawn_by().items():
        if begun.versions.get(library, now) != now:
            on_notice(
                f"{root} was begun with {library} {begun.versions[library]}, and this is {now}: what comes now may not "
                "be what that one would have rendered"
            )
    return begun


def _whole_entries(root: Path, on_notice: Callable[[str], None]) -> dict[int, Entry]:
    """Entries of the journal whose pictures are there, byte for byte."""
    entries, unbelieved = read_journal(root / JOURNAL_NAME)
    whole = {number: each for number, each in entries.items() if _sha256(root / each.labels.path) == each.sha256}
    if unbelieved:
        on_notice(f"{root / JOURNAL_NAME}: {unbelieved} lines are torn: what they were about is rendered anew")
    if len(whole) < len(entries):
        on_notice(f"{root}: {len(entries) - len(whole)} pictures are missing or were changed, and are rendered anew")
    return whole


def _sha256(file: Path) -> str | None:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except (FileNotFoundError, IsADirectoryError):
        return None


def _is_torn(name: str) -> bool:
    """Whether a file was left by a writer that was killed."""
    return name.startswith(".") and name.endswith(".part")


def _clear_torn(root: Path) -> None:
    for folder in (root, root / PICTURES):
        for each in folder.iterdir():
            if _is_torn(each.name):
                each.unlink()


def _picture(entry: Entry, views: int) -> Picture:
    """The picture as the dataset's index has it; what only one part has is not told of several."""
    parts = entry.labels.parts
    only = parts[0] if len(parts) == 1 else None
    table = None if views == 1 else f"table-{entry.number // views:05d}"
    return Picture(
        path=entry.labels.path,
        sha256=entry.sha256,
        class_name=max(parts, key=lambda part: part.box_px[2] * part.box_px[3]).class_name,
        brick=None if only is None or table is None else f"{only.design} of {table}",
        pose=None if only is None else only.pose,
        revolution=table,
        angle_deg=None if only is None else only.yaw_deg,
        colour=None if only is None else only.colour,
        source="render",
        extra={} if only is not None else {"classes": sorted({part.class_name for part in parts})},
    )


def _unwritten(root: Path, error: OSError) -> FolderRefused:
    return FolderRefused(
        f"{root} cannot be written to: {error.strerror}; what was rendered before is kept",
        remedy=f"Make room, or see to its rights. {_AGAIN}",
    )
