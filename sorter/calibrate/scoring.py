"""Run known parts through the rig, one after the other, with somebody who lays them down and looks where they fell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sorter.calibrate.errors import NotMeasured
from sorter.calibrate.score import PartScore, ScoreCard
from sorter.types import LocationKind
from sorter.vision import Backgrounds, locate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from sorter.calibrate.bench import Bench
    from sorter.recognise import Recogniser
    from sorter.types import Decision, Frame, View

_IN_CHUTE = "in_chute"
_BEAM_EVERY_S = 0.015
_NONE = ("none", "-")  # the second, in a rig whose bin is called so

_BEFORE = """The rig is homed now, the arm parked, and the empty table looked at. Take everything off the table."""


class Scoring:
    """See the module.

    Args:
        bench: the rig.
        recogniser: says what a part is.
        bin_for: the bin that a decision sends a part to.
        classes: that there are, in the order in which they are asked for.
    """

    def __init__(
        self,
        bench: Bench,
        recogniser: Recogniser,
        bin_for: Callable[[Decision], str],
        classes: Sequence[str],
    ) -> None:
        self._bench = bench
        self._recogniser = recogniser
        self._bin_for = bin_for
        self._classes = tuple(classes)
        self._chute_deg = {each.id: each.chute_deg for each in bench.config.bins}
        self._backgrounds = Backgrounds()
        self._picture_px = 0
        self._parts: list[PartScore] = []

    def run(self, count: int) -> ScoreCard:
        """Score so many parts, at least 1.

        Raises:
            NotMeasured: the empty table cannot be made out.
            TalkEnded, BoardError, RigError, CameraError: as they come; ``card`` has the parts so far.
        """
        self._bench.talk.say(_BEFORE)
        self._bench.talk.ask("Press Enter when it is empty.", "")
        self._bench.home()
        self._learn_table()
        for number in range(1, count + 1):
            self._parts.append(self._part(number, count))
        card = self.card
        assert card is not None  # there was a part
        return card

    @property
    def card(self) -> ScoreCard | None:
        """Of the parts so far; None before the first."""
        if not self._parts:
            return None
        config = self._bench.config
        return ScoreCard(tuple(self._parts), self._picture_px, config.camera.mm_per_px, config.look.most_views)

    def _learn_table(self) -> None:
        for angle_deg in self._bench.config.look.angles_deg:
            self._bench.turn_table_to(angle_deg)
            frame = self._bench.frame()
            self._picture_px = min(frame.rgb.shape[:2])
            try:
                self._backgrounds.learn(angle_deg, [frame])
            except ValueError as error:
                raise NotMeasured(str(error), remedy="See to it, and run `sorter score` again.") from error

    def _part(self, number: int, count: int) -> PartScore:
        true_class = self._laid_down(number, count)
        clock, stage_s = self._bench.clock, {}

        began_s = clock.monotonic_s()
        views = self._look()
        stage_s["look"] = clock.monotonic_s() - began_s

        began_s = clock.monotonic_s()
        decision = self._recogniser.decide(views)
        bin_ = self._bin_for(decision)
        stage_s["decide"] = clock.monotonic_s() - began_s

        stray_px = self._stray_px(views[0])

        began_s = clock.monotonic_s()
        chute_deg = None if self._bench.config.chute is None else self._chute_deg[bin_]
        if chute_deg is not None:
            self._bench.turn_chute_to(chute_deg)
        stage_s["route"] = clock.monotonic_s() - began_s

        began_s = clock.monotonic_s()
        was_seen = self._push(chute_deg)
        stage_s["eject"] = clock.monotonic_s() - began_s

        self._bench.talk.say(f"{_told(decision)}; sent to {bin_}.")
        fell_into = self._fell_into(bin_)
        return PartScore(
            true_class,
            decision.class_name,
            decision.reject_reason,
            len(views),
            bin_,
            fell_into,
            was_seen,
            stray_px,
            stage_s,
        )

    def _laid_down(self, number: int, count: int) -> str:
        """Ask for a part; its class, as it was proposed or typed."""
        proposed = self._classes[(number - 1) % len(self._classes)]
        while True:
            answer = self._bench.talk.ask(
                f"Part {number} of {count}: lay down ONE {proposed} and press Enter, or type the class of another.",
                proposed,
            )
            if answer in self._classes:
                return answer
            self._bench.talk.say(f"The model knows no {answer!r}; it knows {', '.join(self._classes)}.")

    def _look(self) -> list[View]:
        """Views as the decision asks for them, from where the table stands on."""
        angles_deg = self._bench.config.look.angles_deg
        views: list[View] = []
        angle_deg: float | None = angles_deg[0]
        while angle_deg is not None:
            self._bench.turn_table_to(angle_deg)
            frame = self._bench.frame()
            views.append(self._recogniser.look(frame, angle_deg, self._backgrounds.at(angle_deg)))
            angle_deg = self._next_angle(views, angles_deg)
        return views

    def _next_angle(self, views: Sequence[View], angles_deg: Sequence[float]) -> float | None:
        look = self._bench.config.look
        if len(views) >= look.most_views:
            return None
        wanted = self._recogniser.next_angle(views, angles_deg)
        if wanted is None and len(views) < look.least_views:
            return next((each for each in angles_deg if each not in {view.angle_deg for view in views}), None)
        return wanted

    def _stray_px(self, first: View) -> float | None:
        """Turn back to the first angle: how far the part's middle is from where it was."""
        assert first.angle_deg is not None  # it was turned to
        self._bench.turn_table_to(first.angle_deg)
        before = _middle(first.frame, self._backgrounds, first.angle_deg)
        after = _middle(self._bench.frame(), self._backgrounds, first.angle_deg)
        return None if before is None or after is None else float(np.hypot(*(after - before)))

    def _push(self, chute_deg: float | None) -> bool | None:
        """Push, and watch the beam in the chute, if there is one."""
        machine, clock = self._bench.machine, self._bench.clock
        if _IN_CHUTE not in self._bench.config.sensors.all:
            machine.push(chute_deg)
            return None
        seen: list[bool] = []

        def watch() -> None:
            until_s = clock.monotonic_s() + self._bench.config.ejector.fall_s
            while not any(seen) and clock.monotonic_s() < until_s:
                seen.append(bool(machine.sensor(_IN_CHUTE)))
                clock.sleep(_BEAM_EVERY_S)

        machine.push(chute_deg, while_out=watch)
        return any(seen) or bool(machine.sensor(_IN_CHUTE))

    def _fell_into(self, wanted: str) -> str | None:
        choices = {each.id: each.label or f"the bin at {each.chute_deg:g} deg" for each in self._bench.config.bins}
        none = next(name for name in _NONE if name not in map(str.lower, choices))
        choices[none] = "in none: it is still on the table, or beside the bins"
        answer = self._bench.talk.choose(f"Which bin is it in? It was sent to {wanted}.", choices)
        return None if answer == none else answer


def _middle(frame: Frame, backgrounds: Backgrounds, angle_deg: float) -> NDArray[np.float64] | None:
    location = locate(frame, backgrounds.at(angle_deg))
    if location.kind not in (LocationKind.ONE, LocationKind.EDGE) or location.table is None:
        return None
    down, across = np.nonzero(location.mask)
    return np.array([across.mean(), down.mean()])


def _told(decision: Decision) -> str:
    if decision.class_name is None:
        return f"rejected: {decision.reject_reason}"
    assert decision.posterior is not None  # a class was decided from one
    probability = dict(decision.posterior.ranked)[decision.class_name]
    return f"taken for {decision.class_name} ({100.0 * probability:.0f} %)"
