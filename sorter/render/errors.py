"""What can go wrong between part geometry and a folder of pictures.

RenderRefused (SorterError, ValueError)  nothing was rendered
├── GeometryRefused                      a file of the LDraw library is missing, cyclic or malformed; with its line
├── BackendMissing                       a renderer is not installed, or does not start
└── FolderRefused                        the folder for the pictures cannot be used or continued
RenderStopped (SorterError)              somebody asked to stop; it can go on
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.errors import SorterError

if TYPE_CHECKING:
    from pathlib import Path


class RenderRefused(SorterError, ValueError):  # noqa: N818  (the name says it)
    """Nothing was rendered, or what was rendered until then stands in its folder."""


class GeometryRefused(RenderRefused):
    """A file of the LDraw library cannot be used.

    ``file`` and ``line`` (from 1; None if it is the whole file) say where, ``reason`` what.
    """

    def __init__(self, file: Path, reason: str, *, remedy: str, line: int | None = None) -> None:
        self.file = file
        self.line = line
        self.reason = reason
        where = f"{file}" if line is None else f"{file}: line {line}"
        super().__init__(f"{where}: {reason}", remedy=remedy)

    def as_dict(self) -> dict[str, object]:
        """With ``file`` and ``line``."""
        return {**super().as_dict(), "file": str(self.file), "line": self.line}


class BackendMissing(RenderRefused):
    """A renderer is not installed here, or does not start."""


class FolderRefused(RenderRefused):
    """The folder for the pictures holds something else, or was begun with other settings."""


class RenderStopped(SorterError):  # noqa: N818  (the name says it)
    """Somebody asked to stop; what is whole stays, and the same command goes on from there."""
