"""Keep back what native libraries print past Python; it is shown only if they fail."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """While it lasts, stdout and stderr of the whole process are kept back, and TensorFlow's logger with them."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(1), os.dup(2)]
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
        is_failed = True
        try:
            yield
            is_failed = False
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for target, original in zip((1, 2), kept, strict=True):
                os.dup2(original, target)
                os.close(original)
            logger.setLevel(level)
            if is_failed:
                said.seek(0)
                os.write(2, said.read())
