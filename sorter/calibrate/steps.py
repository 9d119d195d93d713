"""The steps of a first evening, in order, each repeatable by itself; what is done is gone on from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from firmware_bridge.errors import BoardError
from sorter.calibrate.errors import StepImpossible, TalkEnded
from sorter.calibrate.step_acceleration import acceleration
from sorter.calibrate.step_centre import centre
from sorter.calibrate.step_chute import chute
from sorter.calibrate.step_ejector import ejector
from sorter.calibrate.step_motors import motors
from sorter.calibrate.step_steps import steps
from sorter.errors import SorterError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sorter.calibrate.bench import Bench
    from sorter.calibrate.outcome import StepResult


@dataclass(frozen=True)
class Step:
    """One of them: its name, what it finds out, and how."""

    name: str
    question: str
    run: Callable[[Bench], StepResult]


STEPS = {
    step.name: step
    for step in (
        Step("motors", "does each motor turn, the right way, about as far as it is told", motors),
        Step("steps", "how many steps make a degree of the table", steps),
        Step("centre", "where the axis is in the picture, and how large a pixel is", centre),
        Step("ejector", "where the arm is parked, how far it pushes, and at which angle of the table", ejector),
        Step("chute", "the chute's angle for each bin", chute),
        Step("acceleration", "how fast the table may speed up before a part slides", acceleration),
    )
}
"""All of them, in the order in which they build on each other."""


@dataclass(frozen=True)
class Came:
    """What came of a step: ``done``, ``skipped`` or ``failed``, and a sentence."""

    name: str
    how: str
    text: str


def undone(bench: Bench) -> list[str]:
    """The names of steps that were not done yet and that this rig has something to do for, in order."""
    has_chute = bench.config.chute is not None and bool(bench.config.bins)
    return [name for name in STEPS if name not in bench.record.steps and (has_chute or name != "chute")]


def run_steps(bench: Bench, names: Sequence[str]) -> list[Came]:
    """Run steps one after the other; one that comes to nothing, whatever it met, may be tried again or left out.

    Raises:
        TalkEnded: nobody answers any more, or a stop; what was written until then stays.
        RecordRefused: what was done cannot be written down.
    """
    return [_run(bench, STEPS[name]) for name in names]


def _run(bench: Bench, step: Step) -> Came:
    bench.talk.say(f"\n== {step.name}: {step.question}")
    while True:
        try:
            bench.begin()
            result = step.run(bench)
        except TalkEnded:
            raise
        except (SorterError, BoardError) as error:
            bench.raise_if_stopped()  # else it would be what the stop made of the step
            bench.talk.say(f"That came to nothing: {error.message}\n{error.remedy}")
            choices = {"skip": "leave this step out for now"}
            if not isinstance(error, StepImpossible):
                choices = {"again": "try it again", **choices}
            if bench.talk.choose("And now?", choices) == "skip":
                return Came(step.name, "failed", error.message)
            bench.let_go()  # whatever the board makes of it, it is new then
            continue
        if result.is_left_out:
            return Came(step.name, "skipped", result.text)
        bench.record.keep(step.name, result.text, seen=result.seen)
        bench.talk.say(f"{step.name}: {result.text}.")
        return Came(step.name, "done", result.text)
