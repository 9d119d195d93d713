"""Find LLVM's shared library, without which Mitsuba's compiled variant does not run."""

from __future__ import annotations

import os
import re
from pathlib import Path

LEAST_VERSION = 17
"""15 and 16 abort the process when Dr.Jit compiles with them."""
PATH_VARIABLE = "DRJIT_LIBLLVM_PATH"
"""The environment variable by which Dr.Jit is told where the library is."""

_FOLDERS = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/opt/homebrew/opt/llvm/lib")
_NAMES = ("libLLVM*.so*", "*/libLLVM*.so*", "llvm-*/lib/libLLVM*.so*", "libLLVM*.dylib")
_VERSION = re.compile(r"libLLVM(?:-|\.so\.|\.)?(\d+)")


def find_llvm(folders: tuple[str, ...] = _FOLDERS) -> Path | None:
    """The newest library of a version that works, or the one that the environment names; None if there is none."""
    named = os.environ.get(PATH_VARIABLE)
    if named:
        return Path(named)
    found = [
        (version, file)
        for folder in folders
        for name in _NAMES
        for file in Path(folder).glob(name)
        if (version := _version(file)) >= LEAST_VERSION
    ]
    return max(found)[1] if found else None


def _version(file: Path) -> int:
    """The major version, by the file's name or that of the file that it is a link to; 0 if neither tells."""
    match = _VERSION.match(file.name) or _VERSION.match(file.resolve().name)
    return int(match[1]) if match else 0
