"""What can go wrong with rig.toml besides what is wrong in it.

ConfigError                what is wrong in a file, with lines
└── EditRefused            a change that would not leave a file fit for use; nothing was written
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sorter.errors import Problem


class EditRefused(ConfigError):  # noqa: N818  (the name says it)
    """A change to a file was not made; the file is as it was. ``problems`` has the lines of the file as it is."""

    def __init__(self, path: Path, problems: Sequence[Problem], *, remedy: str | None = None) -> None:
        told = remedy or "Mend what is wrong there or choose another value, and try again."
        super().__init__(path, problems, remedy=f"{path} is as it was. {told}")
