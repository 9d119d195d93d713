"""A talk with whoever stands at the rig: plain questions, one answer each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class Talk(Protocol):
    """What a step needs of a terminal. Whoever answers may also stop: then each call raises TalkEnded."""

    def say(self, text: str) -> None:
        """Tell something, of one line or several."""

    def ask(self, question: str, default: str | None = None) -> str:
        """The answer, without blanks around it; an empty one is ``default``, or asked again if there is none."""

    def choose(self, question: str, choices: Mapping[str, str]) -> str:
        """One of the choices' names; each stands with what it means. Asked again until it is one."""


def confirm(talk: Talk, question: str, *, yes: str = "yes, do it", no: str = "no") -> bool:
    """Whether the answer is yes."""
    return talk.choose(question, {"yes": yes, "no": no}) == "yes"


def ask_number(
    talk: Talk,
    question: str,
    least: float,
    most: float,
    *,
    default: float | None = None,
    unit: str = "",
    is_whole: bool = False,
) -> float:
    """A number from ``least`` to ``most``, a whole one if ``is_whole``; asked again until it is one."""
    shown = None if default is None else f"{default:g}"
    while True:
        answer = talk.ask(question, shown).removesuffix(unit).strip().replace(",", ".")
        try:
            number = float(answer)
        except ValueError:
            number = math.nan
        if least <= number <= most and (number.is_integer() or not is_whole):
            return number
        talk.say(f"{answer!r} is no {'whole ' if is_whole else ''}number from {least:g} to {most:g}.")
