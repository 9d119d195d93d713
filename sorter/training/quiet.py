"""Keep back what TensorFlow prints; it is shown only if it fails."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from sorter.quiet import kept_back

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """While it lasts, stdout and stderr of the whole process are kept back, and TensorFlow's logger with them."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with kept_back(is_shown_on_failure=True):
            yield
    finally:
        logger.setLevel(level)
