"""``sorter`` as a process of its own, and a rig.toml for it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

RIG = """# Our first rig.
[board]
port = "{port}"

{more}
[chute]
kind = "motor"

[ejector]
travel_s = 0.05  # a fast arm
"""


def sorter(*arguments: object, given: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run it, with ``given`` typed in; without, its input is closed."""
    command = [sys.executable, "-m", "sorter", *map(str, arguments)]
    stdin = {"stdin": subprocess.DEVNULL} if given is None else {"input": given}
    result = subprocess.run(command, capture_output=True, text=True, check=False, **stdin)  # type: ignore[call-overload]
    assert "Traceback" not in result.stderr, result.stderr
    return result  # type: ignore[no-any-return]


def rig_file(folder: Path, port: Path, more: str = "") -> Path:
    """A rig.toml with a chute, on the board at ``port``."""
    file = folder / "rig.toml"
    file.write_text(RIG.format(port=port, more=more), encoding="utf-8")
    return file
