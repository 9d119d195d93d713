"""A whole first evening on an emulated board: it is broken off, stopped, and the file is changed meanwhile."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sorter.calibrate import TalkEnded, run_steps, undone
from tests.unit.sorter.calibrate.benches import (
    RIG_TOML,
    DrawnRig,
    OnBench,
    Script,
    came,
    on_bench,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from firmware_bridge.reports import BoardInfo
    from sorter.config import RigConfig
    from sorter.rig import Machine


def test_the_end_of_the_answers_keeps_what_was_written_and_goes_on_from_there(tmp_path: Path) -> None:
    with on_bench(tmp_path, Script("go", "other", "yes", "go", "right", "skip", "gearing", "20")) as on:
        with pytest.raises(TalkEnded):
            run_steps(on.bench, undone(on.bench))
        assert tomllib.loads(on.toml)["turntable"]["is_reversed"] is True
        assert list(on.bench.record.steps) == ["motors"]
    with on_bench(tmp_path, Script()) as on:
        assert undone(on.bench)[0] == "steps"
        assert "gear_ratio" not in on.toml


def test_a_stop_while_a_question_is_asked_moves_nothing_more(tmp_path: Path) -> None:
    with on_bench(tmp_path, Script("camera", "")) as on:
        on.bench.quick_stop()
        with pytest.raises(TalkEnded):
            run_steps(on.bench, ["steps"])
        assert not on.rig.emulated.executed()


def when_asked(script: Script, words: str, do: Callable[[], None]) -> None:
    """Do something once, when the question with these words is asked, before it is answered."""
    choose = script.choose
    left = [do]

    def listening(question: str, choices: Mapping[str, str]) -> str:
        if words in question and left:
            left.pop()()
        return choose(question, choices)

    script.choose = listening  # type: ignore[method-assign]


def test_a_file_that_was_mended_is_what_the_next_try_goes_by(tmp_path: Path) -> None:
    script = Script("go", "again", "go", "right", "skip")
    toml = RIG_TOML.replace('port = "{port}"', 'port = "{port}/wrong"')
    with on_bench(tmp_path, script, toml=toml) as on:
        when_asked(script, "And now?", lambda: put(on, on.toml.replace("/wrong", "")))
        assert came(on, "motors") == ["done"]
        assert f"{on.file} was changed meanwhile" in script.text
        assert on.rig.emulated.truth().steps["Y"] == 800


def test_a_bin_that_somebody_put_in_meanwhile_does_not_get_anothers_angle(tmp_path: Path) -> None:
    script = Script("as they are", "", "+", "ok", "ok", "yes", "again", "as they are", "", "ok", "+", "ok", "ok", "yes")
    first, rule = '[[bins]]\nid = "first"\nchute_deg = 200.0\n\n', '[[sort.rules]]\nbin = "first"\nclasses = ["disc"]\n'
    with on_bench(tmp_path, script) as on:
        when_asked(script, "Write that?", lambda: put(on, on.toml.replace("[[bins]]", f"{first}[[bins]]", 1) + rule))
        assert came(on, "chute") == ["done"]
        assert "was changed by somebody else while this step was going on, and nothing was written" in script.text
        written = {each["id"]: each["chute_deg"] for each in tomllib.loads(on.toml)["bins"]}
        assert written == {"first": 200.0, "red": 42.0, "reject": 90.0}


def test_comments_that_somebody_changes_meanwhile_are_in_nobodys_way(tmp_path: Path) -> None:
    script = Script("gearing", "20", "60", "yes")
    with on_bench(tmp_path, script) as on:
        when_asked(script, "Write that?", lambda: put(on, on.toml.replace("# Our first rig.", "# Our only rig.")))
        assert came(on, "steps") == ["done"]
        assert on.toml.startswith("# Our only rig.")
        assert tomllib.loads(on.toml)["turntable"]["gear_ratio"] == 3.0


def test_a_file_that_was_spoilt_meanwhile_is_told_with_its_line(tmp_path: Path) -> None:
    script = Script("gearing", "20", "60", "yes", "skip")
    with on_bench(tmp_path, script) as on:
        when_asked(script, "Write that?", lambda: put(on, on.toml + "[turntable]\n"))
        assert came(on, "steps") == ["failed"]
        assert "is no valid TOML" in script.text


def put(on: OnBench, text: str) -> None:
    on.file.write_text(text, encoding="utf-8")


class ConnectingRig(DrawnRig):
    """While its board is being connected, something happens."""

    meanwhile: Callable[[], None]

    def machine(self, config: RigConfig) -> Machine:
        machine = super().machine(config)
        connect = machine.board.connect

        def connected() -> BoardInfo:
            info = connect()
            self.meanwhile()
            return info

        machine.board.connect = connected  # type: ignore[method-assign]
        return machine


@pytest.mark.parametrize("step", ["motors", "chute"])
def test_a_stop_while_the_board_is_connected_moves_nothing_afterwards(tmp_path: Path, step: str) -> None:
    with on_bench(tmp_path, Script("go", "as they are", ""), rig_class=ConnectingRig) as on:
        assert isinstance(on.rig, ConnectingRig)
        on.rig.meanwhile = on.bench._is_stopped.set  # what a stop does that finds nothing to be stopped yet
        if step == "chute":
            on.script.answers.pop(0)
        with pytest.raises(TalkEnded):
            run_steps(on.bench, [step])
        moving = [each.text for each in on.rig.emulated.executed() if each.text.startswith(("G1", "G28", "M280"))]
        assert moving == []


def test_a_stop_at_the_moment_before_homing_homes_nothing(tmp_path: Path) -> None:
    with on_bench(tmp_path, Script("as they are", "")) as on:
        machine = on.bench.machine
        home = machine.home

        def stopped_then_home() -> None:
            on.bench.quick_stop()
            home()

        machine.home = stopped_then_home  # type: ignore[method-assign]
        with pytest.raises(TalkEnded):
            run_steps(on.bench, ["chute"])
        assert not any(each.text.startswith("G28") for each in on.rig.emulated.executed())


def test_a_stop_that_comes_from_another_thread_ends_the_step_under_way(tmp_path: Path) -> None:
    with on_bench(tmp_path, Script("camera", "")) as on:
        turn = on.bench.turn_by

        def stopped(axis: str, distance_deg: float) -> None:
            if on.rig.emulated.truth().steps["Y"] > 500:
                on.bench.quick_stop()
            turn(axis, distance_deg)

        on.bench.turn_by = stopped  # type: ignore[method-assign]
        with pytest.raises(TalkEnded):
            run_steps(on.bench, ["steps"])
        assert not on.rig.emulated.truth().is_moving
        assert on.bench.emergency_stop()
