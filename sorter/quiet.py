"""Keep back what native libraries print past Python."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def kept_back(*, is_shown_on_failure: bool) -> Iterator[None]:
    """While it lasts, what the whole process writes to stdout and stderr goes nowhere.

    Args:
        is_shown_on_failure: it appears on stderr if the block ends with an error.
    """
    _flush()
    kept = [os.dup(1), os.dup(2)]
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
        is_failed = True
        try:
            yield
            is_failed = False
        finally:
            _flush()
            for target, original in zip((1, 2), kept, strict=True):
                os.dup2(original, target)
                os.close(original)
            if is_failed and is_shown_on_failure:
                said.seek(0)
                os.write(2, said.read())


def _flush() -> None:
    """C's buffers too: what a library printed would otherwise come once its file is the program's again."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    ctypes.CDLL(None).fflush(None)
