"""The steps of a first evening on an emulated board, with drawn pictures and answers from a script."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from firmware_bridge.errors import BoardHalted
from sorter.calibrate import STEPS, TalkEnded, undone
from tests.drawn_table import EYE, Brick, DrawnTable, Mark
from tests.unit.sorter.calibrate.benches import (
    RIG_TOML,
    SETTINGS,
    DrawnCamera,
    DrawnRig,
    OnBench,
    Script,
    came,
    on_bench,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sorter.config import RigConfig
    from sorter.rig import Machine
    from sorter.types import Frame

RIGHT = 3200 / 360
COMMENTS = ["# Our first rig.", "# as much as is needed", "# a round thing", "# it is light", "# clear of everything"]


def assert_comments_are_kept(on: OnBench) -> None:
    for comment in [*COMMENTS, "# the left one"]:
        assert comment in on.toml


def turned(on: OnBench, axis: str) -> list[str]:
    return [each.text for each in on.rig.emulated.executed() if each.text.startswith("G1 ") and axis in each.text]


# --- motors ---------------------------------------------------------------------------------------------------------


def let_go(on: OnBench) -> None:
    on.rig.emulated.set_endstop("x_min", None)


def test_motors_that_turn_as_they_should_leave_the_file_alone(tmp_path: Path) -> None:
    script = Script("go", "right", "skip")
    with on_bench(tmp_path, script) as on:
        before = on.toml
        assert came(on, "motors") == ["done"]
        assert on.toml == before
        assert on.rig.emulated.truth().steps["Y"] == 800
        assert on.rig.emulated.truth().servos[0].commanded_deg == 20.0  # the arm was out of the way
        assert undone(on.bench) == [name for name in STEPS if name != "motors"]


def test_a_reversed_motor_is_turned_round_in_the_file_and_turns_the_other_way_then(tmp_path: Path) -> None:
    with on_bench(tmp_path, Script("go", "other", "yes", "go", "right", "skip")) as on:
        assert came(on, "motors") == ["done"]
        assert tomllib.loads(on.toml)["turntable"]["is_reversed"] is True
        assert_comments_are_kept(on)
        assert "turntable.is_reversed: false -> true" in on.script.text
        assert on.rig.emulated.truth().steps["Y"] == 0  # there, and back


def test_nothing_is_written_if_it_is_not_agreed_to(tmp_path: Path) -> None:
    with on_bench(tmp_path, Script("go", "other", "no", "go", "right", "skip")) as on:
        before = on.toml
        came(on, "motors")
        assert on.toml == before
        assert "Nothing was written." in on.script.said


def test_a_motor_that_turns_half_as_far_is_explained_by_its_jumpers(tmp_path: Path) -> None:
    with on_bench(tmp_path, Script("go", "wrong", "45", "1", "yes", "go", "right", "skip")) as on:
        assert came(on, "motors") == ["done"]
        assert tomllib.loads(on.toml)["turntable"]["microsteps"] == 32
        assert_comments_are_kept(on)


def test_a_motor_that_does_not_turn_gets_a_list_of_what_to_look_for(tmp_path: Path) -> None:
    with on_bench(tmp_path, Script("go", "none", "go", "right", "skip")) as on:
        came(on, "motors")
        assert "USB alone does not turn them" in on.script.text
        assert "socket Y" in on.script.text


def test_a_chute_is_homed_only_after_its_switch_was_tried(tmp_path: Path) -> None:
    with on_bench(tmp_path, Script("skip", "go", "", "", "right")) as on:
        press = on.script.ask

        def ask(question: str, default: str | None = None) -> str:
            answer = press(question, default)
            if "Press the chute's switch" in question:
                on.rig.emulated.set_endstop("x_min", True)
            if "Now let go" in question:
                on.rig.emulated.set_endstop("x_min", False)
            return answer

        on.script.ask = ask  # type: ignore[method-assign]
        home = on.bench.home

        def home_it(axis: str | None = None) -> None:
            let_go(on)
            home(axis)

        on.bench.home = home_it  # type: ignore[method-assign]
        assert came(on, "motors") == ["done"]
        assert on.rig.emulated.truth().axes["X"].is_homed
        assert on.rig.emulated.truth().steps["X"] == pytest.approx(700, abs=1)  # 90 deg from the switch at -100 steps


def test_a_switch_that_says_nothing_keeps_the_chute_from_homing(tmp_path: Path) -> None:
    with on_bench(tmp_path, Script("skip", "go", "", "", "skip")) as on:
        assert came(on, "motors") == ["failed"]
        assert "x_min is open all the time" in on.script.text
        assert not any(each.text.startswith("G28") for each in on.rig.emulated.executed())


def test_a_chute_whose_switch_is_not_found_is_explained_and_the_board_is_used_again(tmp_path: Path) -> None:
    settings = replace(SETTINGS, x=replace(SETTINGS.x, home_switch_at_steps=None))
    with on_bench(tmp_path, Script("skip", "go", "", "", "again", "go", "right", "skip"), settings=settings) as on:
        on.bench.machine.board.endstops = iter(  # type: ignore[method-assign]
            [{"x_min": True}, {"x_min": False}]
        ).__next__
        assert came(on, "motors") == ["done"]  # the table's, once it was tried again
        assert "turn the plug of motor X round" in on.script.text
        assert BoardHalted.__name__ not in on.script.text


def test_a_switch_that_is_always_the_wrong_way_round_is_told_as_that(tmp_path: Path) -> None:
    with on_bench(tmp_path, Script("skip", "go", "", "", "skip")) as on:
        on.bench.machine.board.endstops = iter(  # type: ignore[method-assign]
            [{"x_min": False}, {"x_min": True}]
        ).__next__
        assert came(on, "motors") == ["failed"]
        assert "open while it is pressed, and TRIGGERED when it is not" in on.script.text
        assert "X_MIN_ENDSTOP_HIT_STATE" in on.script.text


def test_motors_that_were_left_out_are_still_to_be_looked_at(tmp_path: Path) -> None:
    with on_bench(tmp_path, Script("skip", "skip")) as on:
        assert came(on, "motors") == ["skipped"]
        assert undone(on.bench)[0] == "motors"
        assert on.rig.machines == 0


def switched(on: OnBench) -> None:
    """The chute's switch says what it should, pressed and let go, without anybody's finger."""
    on.bench.machine.board.endstops = iter(  # type: ignore[method-assign]
        [{"x_min": True}, {"x_min": False}]
    ).__next__


@pytest.mark.parametrize(
    ("keys", "told", "steps"),
    [
        ("home_deg = 350.0\nis_reversed = true", "a quarter of a turn away from its switch", 800),
        ("minimum_deg = -20.0\nmaximum_deg = 25.0", "about 25 deg away from its switch", 222),
        ("home_deg = 340.0\nis_reversed = true", "a quarter of a turn away from its switch", 800),
    ],
    ids=["homed at its upper end", "narrow", "homed near it"],
)
def test_a_chute_is_turned_away_from_its_switch_and_within_its_limits(
    tmp_path: Path, keys: str, told: str, steps: int
) -> None:
    toml = RIG_TOML.replace('kind = "motor"', f'kind = "motor"\n{keys}')
    toml = toml.split("[[bins]]")[0]
    script = Script("skip", "go", "", "", "right")
    meant: list[str] = []
    choose = script.choose

    def listening(question: str, choices: Mapping[str, str]) -> str:
        meant.extend(choices.values())
        return choose(question, choices)

    script.choose = listening  # type: ignore[method-assign]
    with on_bench(tmp_path, script, toml=toml) as on:
        switched(on)
        assert came(on, "motors") == ["done"]
        assert told in meant
        assert on.rig.emulated.truth().steps["X"] == pytest.approx(steps - 100, abs=1)  # from its switch on


# --- steps ----------------------------------------------------------------------------------------------------------


def test_a_wrong_gearing_is_measured_by_the_camera_and_corrected_to_a_thousandth(tmp_path: Path) -> None:
    with on_bench(tmp_path, Script("camera", "", "yes"), steps_per_deg=9.7) as on:
        assert came(on, "steps") == ["done"]
        written = tomllib.loads(on.toml)["turntable"]["measured_steps_per_deg"]
        assert written == pytest.approx(9.7, rel=1e-3)
        assert_comments_are_kept(on)
        assert on.bench.config.turntable.steps_per_deg == written
        assert "steps" in on.bench.record.steps


def test_keys_that_the_measurement_replaces_are_taken_out_and_stay_readable(tmp_path: Path) -> None:
    toml = RIG_TOML.replace("[turntable]", "[turntable]\ngear_ratio = 1.0  # straight on the shaft\n#", 1)
    with on_bench(tmp_path, Script("camera", "", "yes"), steps_per_deg=9.7, toml=toml) as on:
        assert came(on, "steps") == ["done"]
        assert "#gear_ratio = 1.0  # straight on the shaft" in on.toml
        assert "gear_ratio" not in tomllib.loads(on.toml)["turntable"]


def test_a_gearing_that_is_right_writes_nothing(tmp_path: Path) -> None:
    with on_bench(tmp_path, Script("camera", "")) as on:
        before = on.toml
        assert came(on, "steps") == ["done"]
        assert on.toml == before
        assert "rig.toml is right" in on.bench.record.steps["steps"].result


def test_a_result_that_is_far_off_is_written_only_if_that_is_meant(tmp_path: Path) -> None:
    for answers, key in (((["camera", "", "none"]), None), ((["camera", "", "1", "yes"]), "microsteps")):
        with on_bench(tmp_path, Script(*answers), steps_per_deg=2 * RIGHT) as on:
            before = on.toml
            assert came(on, "steps") == ["done"]
            assert "more than a worn gear explains" in on.script.text
            assert (on.toml == before) == (key is None)
            if key is not None:
                assert tomllib.loads(on.toml)["turntable"][key] == 32


def test_a_bare_table_writes_nothing_and_can_be_tried_again(tmp_path: Path) -> None:
    with on_bench(tmp_path, Script("camera", "", "skip"), table=DrawnTable(marks=())) as on:
        before = on.toml
        assert came(on, "steps") == ["failed"]
        assert "put a sticker" in on.script.text
        assert on.toml == before
        assert on.bench.record.steps == {}


def test_teeth_of_a_gear_are_reckoned(tmp_path: Path) -> None:
    with on_bench(tmp_path, Script("gearing", "20", "100", "yes")) as on:
        assert came(on, "steps") == ["done"]
        assert tomllib.loads(on.toml)["turntable"]["gear_ratio"] == 5.0
        assert on.bench.config.turntable.steps_per_deg == pytest.approx(5 * RIGHT)


def test_teeth_that_are_nearly_what_the_file_says_are_not_what_it_says(tmp_path: Path) -> None:
    toml = RIG_TOML.replace("[turntable]", "[turntable]\ngear_ratio = 3.002\n#", 1)
    with on_bench(tmp_path, Script("gearing", "20", "twenty", "60.5", "60", "yes"), toml=toml) as on:
        assert came(on, "steps") == ["done"]
        assert tomllib.loads(on.toml)["turntable"]["gear_ratio"] == 3.0
        assert "'60.5' is no whole number from 1 to 10000." in on.script.text
        assert "26.6667 steps/deg, if the rest is right: 200 steps a turn, 1/16 steps, gear 3." in on.script.text


# --- centre ---------------------------------------------------------------------------------------------------------


def test_a_brick_gives_the_scale_to_two_percent_and_the_axis(tmp_path: Path) -> None:
    table = DrawnTable(brick=Brick(), marks=())
    with on_bench(tmp_path, Script("brick", "3001", "", "yes"), table=table) as on:
        assert came(on, "centre") == ["done"]
        assert tomllib.loads(on.toml)["camera"]["mm_per_px"] == pytest.approx(1 / EYE.px_per_mm, rel=0.02)
        assert_comments_are_kept(on)
        view = on.bench.record.view(320, 240)
        assert view is not None
        assert view.centre_px == pytest.approx((160.0, 120.0), abs=1.5)
        assert on.bench.frame().mm_per_px == on.bench.config.camera.mm_per_px


def test_a_dot_at_a_measured_distance_gives_it_too(tmp_path: Path) -> None:
    dot = Mark(20.0, 0.0, 7.0, 7.0, 0.0, 0.7)
    script = Script("mark", "20 mm", "0.2", "", "yes")
    with on_bench(tmp_path, script, table=DrawnTable(marks=(dot,))) as on:
        assert came(on, "centre") == ["done"]
        assert tomllib.loads(on.toml)["camera"]["mm_per_px"] == pytest.approx(1 / EYE.px_per_mm, rel=0.02)


def test_a_wrong_brick_is_not_written(tmp_path: Path) -> None:
    table = DrawnTable(brick=Brick(along=3), marks=())
    with on_bench(tmp_path, Script("brick", "3001", "", "skip"), table=table) as on:
        before = on.toml
        assert came(on, "centre") == ["failed"]
        assert on.toml == before


def test_an_empty_table_has_no_scale(tmp_path: Path) -> None:
    with on_bench(tmp_path, Script("mark", "20", "0.2", "", "skip"), table=DrawnTable(marks=())) as on:
        assert came(on, "centre") == ["failed"]
        assert "16 × empty" in on.script.text


def test_a_table_that_does_not_turn_gives_no_scale_and_no_traceback(tmp_path: Path) -> None:
    table = DrawnTable(brick=Brick(), marks=())
    with on_bench(tmp_path, Script("brick", "3001", "", "skip"), table=table, steps_per_deg=1e9) as on:
        before = on.toml
        assert came(on, "centre") == ["failed"]
        assert on.toml == before


def test_a_dot_whose_distance_is_not_sure_is_written_with_a_word_on_that(tmp_path: Path) -> None:
    dot = Mark(20.0, 0.0, 7.0, 7.0, 0.0, 0.7)
    with on_bench(tmp_path, Script("mark", "20", "2", "", "yes"), table=DrawnTable(marks=(dot,))) as on:
        assert came(on, "centre") == ["done"]
        assert "That is not sure to 2.5%" in on.script.text


# --- ejector --------------------------------------------------------------------------------------------------------


def test_the_arms_places_are_found_by_moving_it(tmp_path: Path) -> None:
    script = Script("", "++", "ok", "=100", "+", "ok", "yes", "keep")
    with on_bench(tmp_path, script) as on:
        assert came(on, "ejector") == ["done"]
        written = tomllib.loads(on.toml)["ejector"]
        assert (written["park_deg"], written["push_deg"]) == (25.0, 101.0)
        assert_comments_are_kept(on)
        servos = [each.text for each in on.rig.emulated.executed() if each.text.startswith("M280")]
        assert servos[-1] == "M280 P0 S25"  # it was left parked
        assert not turned(on, "Y")


def test_an_arm_that_pushes_nothing_is_refused(tmp_path: Path) -> None:
    with on_bench(tmp_path, Script("", "ok", "=25", "ok", "=130", "ok", "keep")) as on:
        before = on.toml
        assert came(on, "ejector") == ["done"]
        assert "less than 10 deg from where it is parked" in on.script.text
        assert on.toml == before


def test_the_tables_angle_before_the_arm_is_found_by_turning_it(tmp_path: Path) -> None:
    script = Script("", "ok", "ok", "find", "--", "-", "ok", "yes")
    with on_bench(tmp_path, script) as on:
        assert came(on, "ejector") == ["done"]
        assert tomllib.loads(on.toml)["ejector"]["azimuth_deg"] == 330.0
        assert on.rig.emulated.truth().steps["Y"] == round(-30 * RIGHT)


def servo(on: OnBench) -> list[str]:
    return [each.text for each in on.rig.emulated.executed() if each.text.startswith("M280")]


def test_an_arm_is_taken_back_when_nobody_answers_any_more(tmp_path: Path) -> None:
    with on_bench(tmp_path, Script("", "+", "ok", "=100")) as on:
        with pytest.raises(TalkEnded):
            came(on, "ejector")
        assert servo(on)[-2:] == ["M280 P0 S100", "M280 P0 S21"]  # to where it is parked from now on


def test_an_arm_is_taken_back_after_a_stop(tmp_path: Path) -> None:
    script = Script("", "ok", "=100")
    with on_bench(tmp_path, script) as on:
        ask = script.ask

        def stopping(question: str, default: str | None = None) -> str:
            if question == "[100 deg]":
                on.bench.quick_stop()
                raise TalkEnded("stopped")
            return ask(question, default)

        script.ask = stopping  # type: ignore[method-assign]
        with pytest.raises(TalkEnded):
            came(on, "ejector")
        assert servo(on)[-1] == "M280 P0 S20"


def test_a_board_that_is_lost_while_the_arm_is_out_can_be_tried_again(tmp_path: Path) -> None:
    script = Script("", "ok", "=100", "=120", "again", "", "ok", "ok", "keep")
    with on_bench(tmp_path, script) as on:
        ask = script.ask

        def losing(question: str, default: str | None = None) -> str:
            if question == "[100 deg]" and not script.said[-1].startswith("That came"):
                on.bench.machine.emergency_stop()
            return ask(question, default)

        script.ask = losing  # type: ignore[method-assign]
        assert came(on, "ejector") == ["done"]
        assert servo(on)[-1] == "M280 P0 S20"


# --- chute ----------------------------------------------------------------------------------------------------------


def test_each_bins_angle_is_tuned_and_written_at_its_own_place(tmp_path: Path) -> None:
    with on_bench(tmp_path, Script("as they are", "", "+", "ok", "--", "ok", "yes")) as on:
        assert came(on, "chute") == ["done"]
        assert [each["chute_deg"] for each in tomllib.loads(on.toml)["bins"]] == [42.0, 80.0]
        assert_comments_are_kept(on)


def test_bins_are_spread_evenly_over_the_chutes_reach(tmp_path: Path) -> None:
    with on_bench(tmp_path, Script("evenly", "", "ok", "ok", "yes")) as on:
        assert came(on, "chute") == ["done"]
        assert [each["chute_deg"] for each in tomllib.loads(on.toml)["bins"]] == [0.0, 180.0]


def test_two_bins_at_one_angle_are_refused_while_there_is_time(tmp_path: Path) -> None:
    with on_bench(tmp_path, Script("as they are", "", "=60", "ok", "=61", "ok", "=90", "ok", "yes")) as on:
        assert came(on, "chute") == ["done"]
        assert "61 deg is less than 2 deg from the bin red (60 deg)" in on.script.text
        assert [each["chute_deg"] for each in tomllib.loads(on.toml)["bins"]] == [60.0, 90.0]


def test_two_bins_that_have_changed_places_can_be_told_so(tmp_path: Path) -> None:
    with on_bench(tmp_path, Script("as they are", "", "=90", "ok", "=40", "ok", "yes")) as on:
        assert came(on, "chute") == ["done"]
        assert "The bin reject cannot stay at 90 deg then" in on.script.text
        assert [each["chute_deg"] for each in tomllib.loads(on.toml)["bins"]] == [90.0, 40.0]


def test_a_coarse_chute_is_told_at_once_how_far_apart_its_bins_must_be(tmp_path: Path) -> None:
    toml = RIG_TOML.replace('kind = "motor"', 'kind = "motor"\nmicrosteps = 1')  # 6 steps are 10.8 deg
    with on_bench(tmp_path, Script("as they are", "", "ok", "=45", "ok", "=60", "ok", "yes"), toml=toml) as on:
        assert came(on, "chute") == ["done"]
        assert "45 deg is less than 10.8 deg from the bin red" in on.script.text


def test_a_rig_without_a_chute_leaves_the_step_out(tmp_path: Path) -> None:
    first, rest = RIG_TOML.split("[chute]")
    toml = first + "[ejector]" + rest.split("[ejector]")[1].split("[[bins]]")[0]
    with on_bench(tmp_path, Script("skip"), toml=toml) as on:
        assert "chute" not in undone(on.bench)
        assert came(on, "chute") == ["failed"]
        assert "has no [chute]" in on.script.text


# --- acceleration ---------------------------------------------------------------------------------------------------


@dataclass
class Slippery(DrawnRig):
    """Its part slides by a millimetre and a half when the table was turned at more than ``grip`` deg/s²."""

    grip: float = 800.0
    acceleration: float = 0.0
    begun_steps: int = 0

    def machine(self, config: RigConfig) -> Machine:
        self.acceleration = config.turntable.acceleration_deg_per_s2
        self.emulated.clear_executed()
        return super().machine(config)

    def camera(self, config: RigConfig) -> DrawnCamera:
        rig = self

        class Camera(DrawnCamera):
            def capture(self, deadline_s: float) -> Frame:
                was_turned = any(each.text.startswith("G1 ") for each in rig.emulated.executed())
                self.frames += 1
                brick = rig.table.brick
                assert brick is not None
                if was_turned and rig.acceleration > rig.grip:
                    brick = replace(brick, x_mm=brick.x_mm + 1.5)
                return rig.table.frame(rig.table_deg(), seed=self.frames, brick=brick)

        return Camera(self.table, self.table_deg)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_acceleration_at_which_a_part_slides_is_found_and_a_share_of_what_held_is_written(tmp_path: Path) -> None:
    table = DrawnTable(brick=Brick(along=2, x_mm=12.0), marks=())
    with on_bench(tmp_path, Script("", "yes"), table=table, rig_class=Slippery) as on:
        assert came(on, "acceleration") == ["done"]
        held = 300.0 * 1.3**3  # 659; at 857 it slides
        assert "857 deg/s²: it is" in on.script.text.replace("   ", "")
        written = tomllib.loads(on.toml)["turntable"]["acceleration_deg_per_s2"]
        assert written == pytest.approx(0.7 * held, rel=0.03)
        assert_comments_are_kept(on)


def test_a_part_that_slides_at_once_writes_nothing(tmp_path: Path) -> None:
    table = DrawnTable(brick=Brick(along=2, x_mm=12.0), marks=())
    with on_bench(tmp_path, Script("", "skip"), table=table, rig_class=Slippery, grip=100.0) as on:
        before = on.toml
        assert came(on, "acceleration") == ["failed"]
        assert on.toml == before
