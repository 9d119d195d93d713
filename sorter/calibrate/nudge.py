"""Move something by small steps, as it is told at the terminal, until it is right."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sorter.calibrate.talk import Talk

_FARTHEST_DEG = 36_000.0  # of what has no limits: nobody means more
_HELP = """  +       {step:g} deg on        ++      {large:g} deg on       +12.5   12.5 deg on
  -       {step:g} deg back      --      {large:g} deg back     -12.5   12.5 deg back
  =90     to 90 deg       ok      it is right here"""


def nudge(
    talk: Talk,
    what: str,
    start_deg: float,
    limits_deg: tuple[float, float] | None,
    move_to: Callable[[float], None],
    *,
    step_deg: float = 1.0,
    refuse: Callable[[float], str | None] = lambda _angle_deg: None,
) -> float:
    """Go to ``start_deg`` and then wherever the answers say, until one is ``ok``; returns that angle.

    Args:
        talk: who answers.
        what: it is to come to.
        start_deg: where to begin.
        limits_deg: lowest and highest angle; None for what turns without end.
        move_to: moves it there, and waits.
        step_deg: of ``+`` and ``-``; ``++`` and ``--`` are five of them.
        refuse: why an angle cannot be the right one; None if it can.
    """
    large_deg = 5.0 * step_deg
    lowest_deg, highest_deg = limits_deg or (-_FARTHEST_DEG, _FARTHEST_DEG)
    talk.say(f"{what}\n{_HELP.format(step=step_deg, large=large_deg)}")
    angle_deg = start_deg
    move_to(angle_deg)
    steps = {"+": step_deg, "-": -step_deg, "++": large_deg, "--": -large_deg}
    while True:
        answer = talk.ask(f"[{angle_deg:g} deg]").replace(" ", "").replace(",", ".")
        if answer == "ok":
            reason = refuse(angle_deg)
            if reason is None:
                return angle_deg
            talk.say(reason)
            continue
        wanted_deg = _wanted(answer, angle_deg, steps)
        if wanted_deg is None:
            talk.say(f"{answer!r} is none of these:\n{_HELP.format(step=step_deg, large=large_deg)}")
        elif not lowest_deg <= wanted_deg <= highest_deg:
            talk.say(f"{wanted_deg:g} deg is not within {lowest_deg:g} to {highest_deg:g} deg.")
        else:
            move_to(wanted_deg)
            angle_deg = wanted_deg


def _wanted(answer: str, angle_deg: float, steps: dict[str, float]) -> float | None:
    """The angle that an answer asks for; None if it asks for none."""
    if answer in steps:
        return angle_deg + steps[answer]
    if answer[:1] not in ("+", "-", "="):
        return None
    try:
        number = float(answer.removeprefix("="))
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    return number if answer.startswith("=") else angle_deg + number
