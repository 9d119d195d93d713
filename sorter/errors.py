"""The tree of errors that an operator can meet. Each says what is wrong and where, and then what to do next.

SorterError
├── ConfigError (ValueError)         a TOML file that does not say what it must
├── ResourceMissing (FileNotFoundError)  a file that belongs to the installation is not there
├── PictureRefused (ValueError)      a file that is no picture, or none that can be used
└── CommandRefused (RuntimeError)    a command that does not fit the rig's present state
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class SorterError(Exception):
    """Something that an operator can act on.

    ``message`` says what is wrong and where, ``remedy`` what to do next; ``str()`` gives both.
    """

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n{self.remedy}"

    def as_dict(self) -> dict[str, object]:
        """The same for programs: plain values that JSON can hold."""
        return {"kind": type(self).__name__, "message": self.message, "remedy": self.remedy}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a file: where it stands, what it is, and what to write instead.

    ``line`` counts from 1, None if it is the whole file; ``key`` is dotted, with list positions from 0, such as
    ``bins.2.angle_deg``, and empty if it is about no key.
    """

    line: int | None
    key: str
    text: str

    def __str__(self) -> str:
        where = [f"line {self.line}"] if self.line is not None else []
        return ": ".join([*where, *([self.key] if self.key else []), self.text])


class ConfigError(SorterError, ValueError):
    """A TOML file cannot be used; ``problems`` holds everything that is wrong in it, in order of lines."""

    def __init__(self, path: Path, problems: Sequence[Problem], *, remedy: str | None = None) -> None:
        self.path = path
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line or 0))
        super().__init__(
            "\n".join(f"{path}: {problem}" for problem in self.problems),
            remedy=remedy or f"Mend {path} and try again; nothing was started.",
        )

    def as_dict(self) -> dict[str, object]:
        """With ``file`` and ``problems``, each of them with ``line``, ``key`` and ``text``."""
        return {**super().as_dict(), "file": str(self.path), "problems": [asdict(each) for each in self.problems]}


class ResourceMissing(SorterError, FileNotFoundError):  # noqa: N818  (the name says it)
    """A file or folder that belongs to the installation is not where it must be."""


class PictureRefused(SorterError, ValueError):  # noqa: N818  (the name says it)
    """A picture file cannot be used; ``reason`` says why."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path} {reason}", remedy="Leave it out, or save it again as an 8-bit RGB JPEG or PNG.")

    def as_dict(self) -> dict[str, object]:
        """With ``file``."""
        return {**super().as_dict(), "file": str(self.path)}


class CommandRefused(SorterError, RuntimeError):  # noqa: N818  (the name says it)
    """A command does not fit the rig's present state; nothing was done."""
