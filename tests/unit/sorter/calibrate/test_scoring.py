"""Known parts through a rig on an emulated board, with somebody who says where they fell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sorter.calibrate import NotMeasured, TalkEnded
from sorter.calibrate.scoring import Scoring
from sorter.types import Decision, LocationKind, Prediction, RejectReason, View
from sorter.vision import locate
from tests.drawn_table import Brick, DrawnTable
from tests.unit.sorter.calibrate.benches import RIG_TOML, DrawnCamera, DrawnRig, OnBench, Script, on_bench

BEAM = '\n[sensors.in_chute]\nendstop = "x_max"\nis_active_when = "open"\n'


class Eye:
    """Says what it is told that a part is, once it has seen it from two angles."""

    def __init__(self, *says: str | None) -> None:
        self.says = list(says)

    def look(self, frame: Any, angle_deg: float, background: Any) -> View:
        assert background is not None
        return View(angle_deg, frame, locate(frame, background), None, None)

    def next_angle(self, views: list[View], candidates_deg: tuple[float, ...]) -> float | None:
        return candidates_deg[len(views)] if len(views) < 2 else None

    def decide(self, views: list[View]) -> Decision:
        assert all(view.location.kind is LocationKind.ONE for view in views)
        said = self.says.pop(0)
        if said is None:
            return Decision(None, RejectReason.UNSURE, None, len(views))
        return Decision(said, None, Prediction(("square", "disc"), (1.0, 0.0)), len(views))


class LayingRig(DrawnRig):
    """A part lies on the table from when it was asked for until it is pushed."""

    def camera(self, config: Any) -> DrawnCamera:
        rig = self

        class Camera(DrawnCamera):
            def capture(self, deadline_s: float) -> Any:
                self.frames += 1
                brick = rig.brick if getattr(rig, "lies", False) else None
                bare = DrawnTable(eye=self.table.eye, marks=())
                return bare.frame(rig.table_deg(), seed=self.frames, brick=brick)

        return Camera(self.table, self.table_deg)

    brick = Brick(along=2, x_mm=9.0)


def scoring(on: OnBench, *says: str | None) -> Scoring:
    script, ask = on.script, on.script.ask

    def laid(question: str, default: str | None = None) -> str:
        if "lay down" in question:
            on.rig.lies = True  # type: ignore[attr-defined]
        return ask(question, default)

    script.ask = laid  # type: ignore[method-assign]
    to_bin = {"square": "red"}
    return Scoring(
        on.bench, Eye(*says), lambda decision: to_bin.get(decision.class_name or "", "reject"), ("square", "disc")
    )  # type: ignore[arg-type]


def test_parts_are_counted_by_what_became_of_them(tmp_path: Path) -> None:
    script = Script("", "", "red", "", "reject", "square", "none")
    with on_bench(tmp_path, script, rig_class=LayingRig) as on:
        card = scoring(on, "square", None, "square").run(3)
        assert [each.true_class for each in card.parts] == ["square", "disc", "square"]
        assert (card.right, card.rejected, card.delivered) == (2, 1, 2)
        assert card.stray_px is not None
        assert card.stray_px < 1.0
        assert card.mean_views == 2.0
        assert all(card.stage_s[stage] > 0.0 for stage in ("look", "eject"))
        assert "sent to reject" in script.text
        moves = [each.text for each in on.rig.emulated.executed() if each.text.startswith(("G1 X", "M280"))]
        assert [each for each in moves if each.startswith("M280")][-2:] == ["M280 P0 S130", "M280 P0 S20"]


def test_a_class_that_the_model_does_not_know_is_asked_for_again(tmp_path: Path) -> None:
    script = Script("", "brick", "disc", "reject")
    with on_bench(tmp_path, script, rig_class=LayingRig) as on:
        card = scoring(on, None).run(1)
        assert card.parts[0].true_class == "disc"
        assert "The model knows no 'brick'" in script.text


def test_a_beam_in_the_chute_says_whether_a_part_came_by(tmp_path: Path) -> None:
    with on_bench(tmp_path, Script("", "", "red"), rig_class=LayingRig, toml=RIG_TOML + BEAM) as on:
        on.rig.emulated.set_endstop("x_max", False)  # something is in it all the time
        card = scoring(on, "square").run(1)
        assert card.parts[0].was_seen_in_chute is True
    (tmp_path / "rig.toml").unlink()
    with on_bench(tmp_path, Script("", "", "red"), rig_class=LayingRig, toml=RIG_TOML + BEAM) as on:
        on.rig.emulated.set_endstop("x_max", True)
        assert scoring(on, "square").run(1).parts[0].was_seen_in_chute is False


def test_the_parts_so_far_count_when_the_answers_end(tmp_path: Path) -> None:
    with on_bench(tmp_path, Script("", "", "red", ""), rig_class=LayingRig) as on:
        score = scoring(on, "square", "square")
        with pytest.raises(TalkEnded):
            score.run(5)
        assert score.card is not None
        assert len(score.card.parts) == 1


def test_a_dark_table_is_told_before_any_part_is_asked_for(tmp_path: Path) -> None:
    table = DrawnTable(tint=(2.0, 2.0, 2.0))
    with on_bench(tmp_path, Script(""), table=table) as on:
        score = scoring(on)
        with pytest.raises(NotMeasured, match="no table"):
            score.run(1)
        assert score.card is None
