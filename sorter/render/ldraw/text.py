"""Lines of LDraw's files, whose ends are those of any system."""

from __future__ import annotations


def lines_of(text: str) -> list[str]:
    """The lines without their ends; the first is line 1 to every editor."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
