"""What is left of a document when all that is wrong by itself is taken out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sorter.toml.lines import KeyPath
    from sorter.toml.model import Mistake


class SoundPart:
    """The sound part of a document: what else is wrong with it can be told at once, not only when the rest is mended.

    Args:
        document: plain tables, lists and values.
    """

    def __init__(self, document: Any) -> None:
        self._document = document
        self._left_out: set[KeyPath] = set()
        self._doubted: set[KeyPath] = set()
        self._holed: set[KeyPath] = set()  # lists that lack an item
        self._stayed: dict[KeyPath, list[int]] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left."""
        return () in self._left_out

    @property
    def data(self) -> Any:
        """What is left."""
        return self._without(self._document, ()) if self._left_out else self._document

    def leave_out(self, key_path: KeyPath, *, meant: str | None = None) -> None:
        """Take out the value at ``key_path``, or the table around it where there is none or none any more.

        Args:
            key_path: from the whole document.
            meant: for a key that nobody knows, the one in the same table that it was perhaps meant to be.
        """
        while key_path and (key_path in self._left_out or not _stands(key_path, self._document)):
            key_path = key_path[:-1]
        self._left_out.add(key_path)
        self._doubted.add((*key_path[:-1], meant) if meant else key_path)
        if key_path and isinstance(key_path[-1], int):
            self._holed.add(key_path[:-1])
        self._stayed.clear()

    def doubts(self, mistake: Mistake, *, is_of_whole: bool = False) -> bool:
        """Whether ``mistake`` may be there only because of what was left out; its keys are of the whole document.

        Args:
            mistake: what was found in ``data``.
            is_of_whole: it may rest on anything in the table where it stands.
        """
        for key_path in mistake.keys:
            around = (key_path[:end] for end in range(1, len(key_path) + 1))
            if key_path in self._holed or any(outer in self._doubted for outer in around):
                return True
        return is_of_whole and any(key_path[: len(mistake.key)] == mistake.key for key_path in self._doubted)

    def original(self, key_path: KeyPath) -> KeyPath:
        """Where a key of ``data`` stands in the whole document: list positions are others there."""
        if not self._holed:
            return key_path
        path: KeyPath = ()
        data = self._document
        for step in key_path:
            at = step
            if path in self._holed and isinstance(step, int):
                if path not in self._stayed:
                    here = range(len(data))
                    self._stayed[path] = [place for place in here if (*path, place) not in self._left_out]
                stayed = self._stayed[path]
                at = stayed[step] if step < len(stayed) else step
            data = data[at] if _stands((at,), data) else None
            path = (*path, at)
        return path

    def _without(self, data: Any, above: KeyPath) -> Any:
        if isinstance(data, dict):
            inner = [(key, value, (*above, key)) for key, value in data.items()]
            return {key: self._without(value, path) for key, value, path in inner if path not in self._left_out}
        if isinstance(data, list):
            items = [(value, (*above, place)) for place, value in enumerate(data)]
            return [self._without(value, path) for value, path in items if path not in self._left_out]
        return data


def _stands(key_path: KeyPath, data: Any) -> bool:
    for step in key_path:
        is_there = step in data if isinstance(data, dict) else isinstance(data, list) and step in range(len(data))
        if not is_there:
            return False
        data = data[step]
    return True
