"""Whatever breaks in the middle of whichever stage: it is told as what it is, nothing moves before homing, the part's
row ends as it must, and the documented way out leads back to a rig that sorts.

Each stage is gone through step by step: whenever it asks for the board, the camera, the recogniser or the recorder,
something breaks at that very moment, in a rig of its own.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import pytest

from firmware_bridge.errors import BoardHalted, BoardReset, PortLost
from sorter.cycle.timing import STAGES
from sorter.types import OutcomeKind, RigState
from tests.rig_board import HopperPart
from tests.unit.sorter.cycle.whole_rig import WholeRig, whole_rig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONFIRMED, LOST = OutcomeKind.CONFIRMED, OutcomeKind.LOST
STUCK, UNRESOLVED = OutcomeKind.STUCK, OutcomeKind.UNRESOLVED

WHATS = {
    "reset": ("board reset", "reconnect"),
    "halt": ("board halted", "reconnect"),
    "unplug": ("link lost", "reconnect"),
    "camera": ("camera lost", "reconnect"),
    "power": ("motor power cut", "reconnect"),
    "stop": ("emergency stop", "reset"),
}
# How the row of the part may end that was under way, None if it had none yet. What breaks at the last step of a stage
# is often noticed in the next.
ENDS: dict[str, set[OutcomeKind | None]] = {
    "feed": {None},
    "settle": {None, STUCK},
    "look": {STUCK, UNRESOLVED},  # a camera is asked for a picture once more only after the push
    "decide": {STUCK, UNRESOLVED},
    "route": {STUCK, UNRESOLVED},
    "eject": {UNRESOLVED},
    "confirm": {UNRESOLVED, CONFIRMED},
    "record": {STUCK, UNRESOLVED, CONFIRMED},
}


class Breaker:
    """Follows the first part through its stages, and breaks something at one step of one of them."""

    def __init__(self, rig: WholeRig, stage: str, step: int | None, breaks: Callable[[], None]) -> None:
        self.steps: list[str] = []
        self.has_broken = False
        self._rig = rig
        self._stage = stage
        self._step = step
        self._breaks = breaks
        self._now: str | None = None
        watch = rig.controller._driver._station.watch
        in_stage, after_the_end = watch.stage, watch.after_the_end

        @contextmanager
        def stage_watched(name: str) -> Iterator[None]:
            with in_stage(name), self._within(name):
                yield

        @contextmanager
        def end_watched(name: str) -> Iterator[None]:
            with after_the_end(name), self._within(name):
                yield

        watch.stage = stage_watched  # type: ignore[method-assign,assignment]
        watch.after_the_end = end_watched  # type: ignore[method-assign,assignment]
        rig.board.on_call = rig.camera.on_call = rig.recorder.on_call = self._tick
        decide = rig.controller._driver._station.recogniser.decide

        def decide_watched(views: object) -> object:
            self._tick("decide")
            return decide(views)  # type: ignore[arg-type]

        rig.controller._driver._station.recogniser.decide = decide_watched  # type: ignore[method-assign,assignment]

    @contextmanager
    def _within(self, name: str) -> Iterator[None]:
        self._now = name
        try:
            yield
        finally:
            self._now = None

    def _tick(self, what: str) -> None:
        is_first_part = len(self._rig.recorder.outcomes) == 0
        if self._now != self._stage or not is_first_part or self.has_broken:
            return
        self.steps.append(what)
        if len(self.steps) - 1 == self._step:
            self.has_broken = True
            self._breaks()


def a_rig() -> WholeRig:
    """A rig that is about to sort; it lets go of what it holds when the test is over."""
    rig = whole_rig()
    rig.start(HopperPart("3002"))
    return rig


@cache
def steps_of(stage: str) -> tuple[str, ...]:
    """What a stage asks for while one part goes through it."""
    rig = a_rig()
    breaker = Breaker(rig, stage, None, lambda: None)
    rig.until_done(1)
    rig.controller.close()
    return tuple(breaker.steps)


def different_steps(stage: str) -> list[int]:
    """The steps that ask for something else than the one before, and the last."""
    steps = steps_of(stage)
    return [at for at, step in enumerate(steps) if at in (0, len(steps) - 1) or step != steps[at - 1]]


def break_it(rig: WholeRig, what: str) -> None:
    if what == "reset":
        rig.board.break_link(BoardReset("the board started anew by itself"))
    elif what == "halt":
        rig.board.break_link(BoardHalted("Marlin halted itself: it said kill()"))
    elif what == "unplug":
        rig.board.break_link(PortLost("the device is gone"))
        rig.board.is_absent = True
    elif what == "camera":
        rig.camera.fails = 2  # it is lost, and not there at once when it is opened again
    elif what == "power":
        rig.world.has_power = False
    else:
        rig.commands.emergency_stop()


def mend(rig: WholeRig) -> None:
    rig.board.is_absent = False
    rig.world.has_power = True
    rig.world.hopper.clear()


def moves(calls: list[str]) -> list[str]:
    return [call for call in calls if call.startswith(("G1", "G28", "M280", "M106 1"))]


@pytest.mark.parametrize("what", WHATS)
@pytest.mark.parametrize("stage", STAGES)
def test_whatever_breaks_in_the_middle_of_a_stage_is_told_mended_and_gone_on_from(stage: str, what: str) -> None:
    assert steps_of(stage)
    for step in different_steps(stage):
        breaks_at(stage, step, what)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("what", WHATS)
@pytest.mark.parametrize("stage", STAGES)
def test_whatever_breaks_at_any_step_at_all_of_a_stage(stage: str, what: str) -> None:
    for step in range(len(steps_of(stage))):
        breaks_at(stage, step, what)


def breaks_at(stage: str, step: int, what: str) -> None:
    """Let it break there, and go on from it as the docs say."""
    kind, way_out = WHATS[what]
    rig = a_rig()
    breaker = Breaker(rig, stage, step, lambda: break_it(rig, what))
    rig.until(lambda: breaker.has_broken)
    told = rig.until_asked(kind)
    ended = goes_on(rig, told.incident, way_out)
    assert not rig.recorder.incidents[told.incident].is_open
    if what != "power":  # which is only asked for where it matters: before a push, and while nothing happens
        assert ended in ENDS[stage], (step, steps_of(stage)[step])
    rig.controller.close()
    assert not rig.recorder.open_kinds


def goes_on(rig: WholeRig, incident: int, way_out: str) -> OutcomeKind | None:
    """Take the way out, home, sort one more part; returns how the row ended of the part that was under way."""
    assert rig.state in (RigState.FAULT, RigState.ESTOPPED)
    assert rig.world.fan == 0
    calls = len(rig.board.calls)
    rig.run(10)
    assert not moves(rig.board.calls[calls:])
    rows = len(rig.recorder.rows)
    mend(rig)
    rig.commands.resolve(incident, way_out)  # type: ignore[arg-type]
    rig.until_state(RigState.UNHOMED)
    assert not moves(rig.board.calls[calls:])
    assert not rig.incidents
    rig.commands.home()
    rig.until_state(RigState.IDLE)
    began = moves(rig.board.calls[calls:])
    assert began[:2] == ["M280 P0 S20", "G28 chute"]  # the arm out of the way, then the axes
    assert not rig.recorder.unfinished
    assert len(rig.recorder.rows) == rows
    ended = rig.recorder.outcomes[-1][0] if rows else None
    rig.world.take()
    rig.world.hopper[:] = [HopperPart("3002")]
    rig.commands.start()
    rig.until_done(rows + 1)
    assert rig.recorder.outcomes[-1] == (CONFIRMED, "b")
    assert rig.world.fallen[-1].fate == "b"
    return ended
