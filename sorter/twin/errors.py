"""What can be wrong with the twin's files.

SorterError
├── SpritesRefused (ValueError)      a folder of sprites that cannot be used
├── HopperRefused (ValueError)       parts that cannot be had from what there is
├── PhotographRefused (ValueError)   a photograph that cannot be shown any more
├── TwinRefused (ValueError)         settings that no twin can be made of
├── HandsRefused (ValueError)        what hands cannot do here
└── SocketRefused (OSError)          a socket, of the camera or the hands, cannot be listened at
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.errors import SorterError

if TYPE_CHECKING:
    from pathlib import Path


class SpritesRefused(SorterError, ValueError):  # noqa: N818  (the name says it)
    """A file of a folder of sprites is missing, malformed or not the one that its ``sprites.json`` tells of."""

    def __init__(self, path: Path, reason: str, *, remedy: str) -> None:
        self.path = path
        super().__init__(f"{path} {reason}", remedy=remedy)

    def as_dict(self) -> dict[str, object]:
        """With ``file``."""
        return {**super().as_dict(), "file": str(self.path)}


class HopperRefused(SorterError, ValueError):  # noqa: N818
    """Parts are asked for that neither sprites nor photographs can show."""


class PhotographRefused(SorterError, ValueError):  # noqa: N818
    """A photograph of the dataset has gone, or is no picture."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        super().__init__(f"{path} {reason}", remedy="Check that folder: sorter dataset check.")

    def as_dict(self) -> dict[str, object]:
        """With ``file``."""
        return {**super().as_dict(), "file": str(self.path)}


class SocketRefused(SorterError, OSError):  # noqa: N818
    """The camera's socket, or that of the hands, cannot be listened at."""


class HandsRefused(SorterError, ValueError):  # noqa: N818
    """Hands are asked for what they do not know, or what is not there."""


class TwinRefused(SorterError, ValueError):  # noqa: N818
    """The twin's settings cannot be read, contradict themselves, or name files that cannot be made."""
