"""What can be wrong with a model or its runtime; the rig goes on with the model it had.

SorterError
├── ModelRefused (ValueError)        a model's folder is not what its card says
└── RuntimeMissing (ImportError)     no TFLite runtime is installed
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.errors import SorterError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class ModelRefused(SorterError, ValueError):  # noqa: N818  (the name says it)
    """A model cannot be used; ``problems`` holds all that is wrong with it."""

    def __init__(self, folder: Path, problems: Sequence[str]) -> None:
        self.folder = folder
        self.problems = tuple(problems)
        super().__init__(
            "\n".join(f"model {folder}: {problem}" for problem in self.problems),
            remedy="Export or copy the model again, all files of its folder together; nothing was loaded.",
        )

    def as_dict(self) -> dict[str, object]:
        """With ``folder`` and ``problems``."""
        return {**super().as_dict(), "folder": str(self.folder), "problems": list(self.problems)}


class RuntimeMissing(SorterError, ImportError):  # noqa: N818  (the name says it)
    """Neither ai-edge-litert nor tflite-runtime can be imported."""
