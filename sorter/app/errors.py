"""What can go wrong when things are put together.

SorterError
├── ModelUnfit (ValueError)          the model does not go with what rig.toml says
├── RigUnreachable (ConnectionError) board or camera cannot be connected
├── DemoRefused (ValueError)         what the demo was asked for cannot be
├── TwinFailed (ChildProcessError)   the simulated rig did not start, or ended by itself
├── HandsFailed (RuntimeError)       hands at the simulated rig cannot do what they are asked for
├── DemoStuck (TimeoutError)         the demo does not get on
└── TruthRefused (ValueError)        what the twin wrote down cannot be read
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.errors import SorterError

if TYPE_CHECKING:
    from pathlib import Path


class ModelUnfit(SorterError, ValueError):  # noqa: N818  (the name says it)
    """The model can be loaded, but does not go with what rig.toml says."""


class RigUnreachable(SorterError, ConnectionError):  # noqa: N818  (the name says it)
    """Board or camera cannot be connected; ``reason`` says why, and what to do."""

    def __init__(self, reason: str) -> None:
        problem, _, remedy = reason.partition("\n")
        super().__init__(problem, remedy=remedy or "Check [board] and [camera] in rig.toml, the cables and the supply.")


class DemoRefused(SorterError, ValueError):  # noqa: N818  (the name says it)
    """What the demo was asked for cannot be; nothing was started."""


class TwinFailed(SorterError, ChildProcessError):  # noqa: N818  (the name says it)
    """The simulated rig did not start, or ended by itself; ``said`` is the end of what it said on stderr."""

    def __init__(self, problem: str, said: str) -> None:
        self.said = said
        super().__init__(
            f"the simulated rig {problem}" + (f":\n{said}" if said else " without a word"),
            remedy="Run the demo again; with --keep DIR all its files stay there to be looked at.",
        )

    def as_dict(self) -> dict[str, object]:
        """With ``said``."""
        return {**super().as_dict(), "said": self.said}


class HandsFailed(SorterError, RuntimeError):  # noqa: N818  (the name says it)
    """Hands at the simulated rig cannot be reached, do not answer, or refuse what they are asked for."""

    def __init__(self, problem: str, *, remedy: str | None = None) -> None:
        super().__init__(problem, remedy=remedy or "Check that the twin still runs, and the path of its hands.")


class DemoStuck(SorterError, TimeoutError):  # noqa: N818  (the name says it)
    """The demo does not get on."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            problem, remedy="Run it with a lower --speed; with --keep DIR all its files stay there to be looked at."
        )


class TruthRefused(SorterError, ValueError):  # noqa: N818  (the name says it)
    """What the twin wrote down cannot be read; ``line`` counts from 1, None if it is the whole file."""

    def __init__(self, file: Path, line: int | None, reason: str) -> None:
        self.file, self.line = file, line
        where = str(file) if line is None else f"{file}: line {line}"
        super().__init__(f"{where}: {reason}", remedy="This is a fault of the program: report it, with the file.")

    def as_dict(self) -> dict[str, object]:
        """With ``file`` and ``line``."""
        return {**super().as_dict(), "file": str(self.file), "line": self.line}
