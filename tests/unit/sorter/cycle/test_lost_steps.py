"""Lost steps are found, flagged and mended; and whoever sorts does not notice that they are looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sorter.config import CheckConfig, LookConfig, ServoChuteConfig, TurntableConfig
from sorter.types import OutcomeKind, PartId, RigState
from tests.rig_board import HopperPart
from tests.unit.sorter.cycle.whole_rig import LOOK, WholeRig, config_of, whole_rig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONFIRMED = OutcomeKind.CONFIRMED
EVERY_SECOND = CheckConfig(every_parts=2)


@pytest.fixture
def make() -> Iterator[Callable[..., WholeRig]]:
    made: list[WholeRig] = []

    def make_one(**tables: Any) -> WholeRig:
        made.append(whole_rig(config_of(**({"check": EVERY_SECOND} | tables))))
        return made[-1]

    yield make_one
    for rig in made:
        rig.controller.close()


def sorts_on(rig: WholeRig) -> None:
    rig.world.hopper[:] = [HopperPart("3002")]
    finished = len(rig.recorder.outcomes)
    rig.until_done(finished + 1)
    assert rig.recorder.outcomes[-1] == (CONFIRMED, "b")
    assert rig.world.fallen[-1].fate == "b"


def slips_after(rig: WholeRig, parts: int, axis: str, slip_deg: float) -> None:
    """Sort so many parts, then lose steps."""
    rig.start(*(HopperPart("3002") for _ in range(parts)))
    rig.until_done(parts)
    rig.world.slip(axis, slip_deg)


# --- the chute -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slip_deg", [7.2, -7.2, 2.0, -2.0])
def test_a_chute_that_slipped_is_found_and_the_parts_since_the_last_good_look_are_flagged(
    make: Callable[..., WholeRig], slip_deg: float
) -> None:
    rig = make()
    rig.start(*(HopperPart("3002") for _ in range(2)))
    rig.until(lambda: rig.recorder.checks == 1)
    rig.world.slip("chute", slip_deg)
    rig.world.hopper += [HopperPart("3002") for _ in range(5)]
    asked = rig.until_asked("steps lost")
    assert asked.choices == ("home again",)
    assert "chute stands about" in asked.message
    assert f"{slip_deg:+.0f}"[:1] in asked.message
    assert "2 parts are flagged" in asked.message
    assert rig.recorder.suspects == [PartId(3), PartId(4)]
    assert rig.state is RigState.PAUSED
    assert [each.is_homed for each in rig.controller.snapshot().axes] == [True, False]
    rig.commands.resolve(asked.incident, "home again")
    rig.until_state(RigState.RUNNING)
    sorts_on(rig)
    assert rig.recorder.suspects == [PartId(3), PartId(4)]
    assert rig.recorder.told("steps lost")[0].choice == "home again"
    assert rig.recorder.checks >= 2  # looked once more after homing


def test_a_chute_that_stands_right_is_passed_without_a_word(make: Callable[..., WholeRig]) -> None:
    rig = make()
    rig.start(*(HopperPart("3002") for _ in range(7)))
    rig.until_done(7)
    assert rig.recorder.checks == 3
    assert not rig.recorder.suspicions
    assert {kind for kind, _ in rig.recorder.outcomes} == {CONFIRMED}


def test_the_look_is_no_part_of_any_parts_time(make: Callable[..., WholeRig]) -> None:
    rig = make(check=CheckConfig(every_parts=4))
    rig.start(*(HopperPart("3002") for _ in range(8)))
    rig.until_done(8)
    assert rig.recorder.checks == 1
    times = [
        {name: seconds for name, seconds in row.outcome.stage_s.items() if name not in ("feed", "bound.feed")}
        for row in rig.recorder.rows.values()
        if row.outcome is not None
    ]
    usual, after_the_look = times[2], times[4]
    assert sum(after_the_look.values()) < sum(usual.values()) + 2.0  # the chute came from its switch: that is real
    assert after_the_look["settle"] == pytest.approx(usual["settle"], abs=0.05)
    assert after_the_look["look"] < usual["look"] + 1.0


def test_nought_never_looks(make: Callable[..., WholeRig]) -> None:
    rig = make(check=CheckConfig(every_parts=0))
    rig.start(*(HopperPart("3002") for _ in range(4)))
    rig.until_done(4)
    assert rig.recorder.checks == 0


def test_less_than_the_tolerance_is_nothing(make: Callable[..., WholeRig]) -> None:
    rig = make(check=CheckConfig(every_parts=1, chute_tolerance_deg=3.0))
    slips_after(rig, 1, "chute", 2.0)
    rig.until(lambda: rig.recorder.checks > 0)
    assert not rig.recorder.suspicions


def test_a_chute_of_which_nothing_can_be_told_is_not_called_good(make: Callable[..., WholeRig]) -> None:
    rig = make(chute=ServoChuteConfig(kind="servo"), bins=tuple(_within_180()), check=CheckConfig(every_parts=1))
    rig.start(*(HopperPart("3002") for _ in range(3)))
    rig.until_done(3)
    assert rig.recorder.checks == 0
    assert not rig.recorder.suspicions


def _within_180() -> Iterator[Any]:
    for number, each in enumerate(config_of().bins):
        yield each.model_copy(update={"chute_deg": 30.0 * number})


def test_lost_steps_that_homing_would_hide_are_found_before_it(make: Callable[..., WholeRig]) -> None:
    rig = make(check=CheckConfig(every_parts=200))
    slips_after(rig, 3, "chute", -7.2)
    rig.commands.stop()
    rig.until_state(RigState.IDLE)
    rig.commands.home()
    asked = rig.until_asked("steps lost")
    assert asked.choices == ("noted",)
    assert len(rig.recorder.suspects) == 3
    rig.until_state(RigState.IDLE)
    rig.commands.resolve(asked.incident, "noted")
    rig.commands.start()
    sorts_on(rig)


def test_a_chute_that_is_homed_alone_is_looked_at_first_too(make: Callable[..., WholeRig]) -> None:
    rig = make(check=CheckConfig(every_parts=200))
    slips_after(rig, 3, "chute", 3.0)
    rig.commands.stop()
    rig.until_state(RigState.IDLE)
    rig.commands.home("chute")
    rig.until_asked("steps lost")
    rig.until_state(RigState.IDLE)
    assert len(rig.recorder.suspects) == 3


def test_homing_a_rig_that_stands_right_counts_as_a_good_look(make: Callable[..., WholeRig]) -> None:
    rig = make(check=CheckConfig(every_parts=200))
    slips_after(rig, 3, "chute", 0.0)
    rig.commands.stop()
    rig.until_state(RigState.IDLE)
    rig.commands.home()
    rig.until_state(RigState.IDLE)
    assert rig.recorder.checks == 1


def test_a_run_that_is_stopped_while_an_axis_is_in_doubt_has_to_be_homed(make: Callable[..., WholeRig]) -> None:
    rig = make()
    slips_after(rig, 2, "chute", 7.2)
    rig.until_asked("steps lost")
    rig.commands.stop()
    rig.until_state(RigState.UNHOMED)
    assert not rig.incidents
    assert rig.recorder.told("steps lost")[0].choice is None
    rig.make_ready()
    rig.commands.start()
    sorts_on(rig)


def test_a_pause_does_not_make_the_rig_forget_that_an_axis_slipped(make: Callable[..., WholeRig]) -> None:
    rig = make()
    slips_after(rig, 2, "chute", 7.2)
    rig.recorder.on_call = lambda name: rig.commands.pause() if name == "suspect" else None
    rig.until_state(RigState.PAUSED)
    assert not rig.incidents
    rig.commands.resume()
    rig.resolve("steps lost", "home again")
    sorts_on(rig)
    assert len(rig.recorder.suspicions) == 1


def test_an_axis_that_slips_again_and_again_is_asked_about_again_and_again(make: Callable[..., WholeRig]) -> None:
    rig = make()
    slips_after(rig, 2, "chute", 7.2)
    asked = rig.until_asked("steps lost")
    home = rig.board.home

    def home_and_slip(axis: str) -> None:
        home(axis)
        rig.world.slip("chute", 5.0)

    rig.board.home = home_and_slip  # type: ignore[method-assign]
    rig.commands.resolve(asked.incident, "home again")
    rig.until(lambda: any(each.incident > asked.incident for each in rig.incidents))
    rig.board.home = home  # type: ignore[method-assign]
    rig.resolve("steps lost", "home again")
    sorts_on(rig)


# --- the table -------------------------------------------------------------------------------------------------------


def marked(rig: WholeRig) -> WholeRig:
    rig.world.has_marks = True
    return rig


@pytest.mark.parametrize("slip_deg", [3.0, -3.0, 7.2])
def test_a_table_that_slipped_contradicts_the_next_picture_of_it(
    make: Callable[..., WholeRig], slip_deg: float
) -> None:
    rig = marked(make(check=CheckConfig(every_parts=200)))
    slips_after(rig, 2, "turntable", slip_deg)
    rig.world.hopper += [HopperPart("3002")] * 1
    asked = rig.until_asked("steps lost")
    assert "turntable stands about" in asked.message
    said_deg = float(asked.message.split("about ")[1].split(" deg")[0])
    assert said_deg == pytest.approx(slip_deg, abs=0.6)
    assert [each.is_homed for each in rig.controller.snapshot().axes] == [False, True]
    assert len(rig.recorder.suspects) == 3  # the picture that tells comes after the third part
    rig.commands.resolve(asked.incident, "home again")
    rig.until_state(RigState.RUNNING)
    sorts_on(rig)
    assert rig.controller.snapshot().incidents == ()


def test_a_table_that_stands_right_is_passed_by_its_marks(make: Callable[..., WholeRig]) -> None:
    rig = marked(make(check=CheckConfig(every_parts=1)))
    rig.start(*(HopperPart("3002") for _ in range(4)))
    rig.until_done(4)
    assert rig.recorder.checks == 3
    assert not rig.recorder.suspicions


def test_new_dust_on_the_lens_is_not_taken_for_lost_steps(make: Callable[..., WholeRig]) -> None:
    rig = marked(make(check=CheckConfig(every_parts=200)))
    slips_after(rig, 2, "turntable", 0.0)
    empty = rig.controller._driver._station.empty
    empty._expected_fit = 1.6  # as if everything fitted less well than it did
    rig.world.hopper += [HopperPart("3002") for _ in range(2)]
    rig.until_done(4)
    rig.until_asked("hopper empty")
    assert not rig.recorder.suspicions
    assert empty._expected_fit < 1.3
    assert not empty.is_angle_suspect


def test_a_table_that_is_nowhere_near_is_told_as_that(make: Callable[..., WholeRig]) -> None:
    rig = marked(make(check=CheckConfig(every_parts=2)))
    slips_after(rig, 2, "turntable", 100.0)
    asked = rig.until_asked("steps lost")
    assert "nor within 20 deg" in asked.message
    rig.commands.resolve(asked.incident, "home again")
    rig.until_state(RigState.RUNNING)
    sorts_on(rig)


def test_a_table_with_an_index_is_looked_at_by_its_switch(make: Callable[..., WholeRig]) -> None:
    rig = make(turntable=TurntableConfig(homing="index"))
    slips_after(rig, 2, "turntable", 7.2)
    asked = rig.until_asked("steps lost")
    assert "turntable stands about +" in asked.message
    captures = rig.camera.captures
    rig.resolve("steps lost", "home again")
    sorts_on(rig)
    assert rig.camera.captures - captures < 12  # its backgrounds are as good as before


def test_an_operator_is_asked_whether_the_table_is_empty_where_he_always_is(make: Callable[..., WholeRig]) -> None:
    rig = marked(make(look=LookConfig(angles=4, most_views=4)))
    rig.world.hopper += [HopperPart("3002") for _ in range(2)]
    rig.until_state(RigState.UNHOMED)
    rig.commands.home()
    rig.resolve("confirm table empty", "empty")
    rig.until_state(RigState.IDLE)
    rig.commands.start()
    rig.until_done(2)
    rig.world.slip("turntable", 7.2)
    rig.resolve("steps lost", "home again")  # which says that it is
    sorts_on(rig)


def test_a_part_on_the_table_is_sorted_before_the_table_is_looked_at(make: Callable[..., WholeRig]) -> None:
    rig = marked(make(check=CheckConfig(every_parts=1)))
    rig.start(HopperPart("3002"))
    rig.until_done(1)
    rig.commands.pause()
    rig.until_state(RigState.PAUSED)
    checks = rig.recorder.checks
    rig.world.hopper.append(HopperPart("3001"))
    rig.world.drop(rig.clock.monotonic_s() - 2.0)
    rig.commands.resume()
    rig.until_done(2)
    assert rig.recorder.checks == checks
    rig.until(lambda: rig.recorder.checks > checks)
    assert rig.recorder.outcomes == [(CONFIRMED, "b"), (CONFIRMED, "a")]


def test_shaking_is_waited_for_while_the_table_is_looked_for(make: Callable[..., WholeRig]) -> None:
    rig = marked(make(look=LOOK.model_copy(update={"shake_s": 0.5})))
    slips_after(rig, 2, "turntable", 3.0)
    began_s = rig.clock.monotonic_s()
    rig.until_asked("steps lost")
    assert rig.clock.monotonic_s() - began_s > 3.0
