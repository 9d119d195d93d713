"""Another light is noticed before the next part, not when everything is rejected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sorter.config import LookConfig
from sorter.types import OutcomeKind, RigState
from tests.rig_board import HopperPart
from tests.unit.sorter.cycle.whole_rig import WholeRig, config_of, whole_rig

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIRMED = OutcomeKind.CONFIRMED


@pytest.fixture
def rig() -> Iterator[WholeRig]:
    made = whole_rig()
    yield made
    made.controller.close()


def changes_after_a_part(rig: WholeRig, light: float, tint: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> None:
    rig.start(HopperPart("3002"))
    rig.until_done(1)
    rig.world.light, rig.world.tint = light, tint
    rig.world.hopper += [HopperPart("3002") for _ in range(4)]


@pytest.mark.parametrize(
    ("light", "tint", "said"),
    [(0.6, (1.0, 1.0, 1.0), "darker"), (1.0, (1.0, 1.0, 0.8), "less blue"), (1.0, (1.2, 1.0, 1.0), "more red")],
)
def test_a_lamp_that_changed_pauses_the_rig_before_the_next_part(
    rig: WholeRig, light: float, tint: tuple[float, float, float], said: str
) -> None:
    changes_after_a_part(rig, light, tint)
    asked = rig.until_asked("light changed")
    assert said in asked.message
    assert asked.choices == ("learn anew", "look again")
    assert (rig.state, rig.world.fan) == (RigState.PAUSED, 0)
    assert not rig.world.on_table
    row = rig.recorder.told("light changed")[0]
    assert row.picture is not None


def test_a_light_that_is_to_stay_so_is_learnt_anew(rig: WholeRig) -> None:
    changes_after_a_part(rig, 0.6)
    rig.resolve("light changed", "learn anew")
    rig.until_done(5)
    assert not rig.incidents
    assert {kind for kind, _ in rig.recorder.outcomes} == {CONFIRMED}
    assert len(rig.recorder.told("light changed")) == 1


def test_a_light_that_came_back_needs_no_learning(rig: WholeRig) -> None:
    changes_after_a_part(rig, 0.6)
    rig.until_asked("light changed")
    rig.world.light = 1.0
    captures = rig.camera.captures
    rig.resolve("light changed", "look again")
    rig.until(lambda: rig.world.fan > 0)
    assert rig.camera.captures - captures < 4
    rig.until_done(3)


def test_a_light_that_did_not_come_back_is_asked_about_again(rig: WholeRig) -> None:
    changes_after_a_part(rig, 0.6)
    first = rig.until_asked("light changed")
    rig.resolve("light changed", "look again")
    assert rig.until_asked("light changed").incident != first.incident
    assert rig.recorder.told("light changed")[0].choice == "look again"


def test_a_flicker_is_nobodys_business(rig: WholeRig) -> None:
    changes_after_a_part(rig, 0.6)
    rig.until(lambda: rig.controller._driver._station.empty.is_light_suspect)
    rig.world.light = 1.0
    rig.until_done(5)
    assert not rig.recorder.told("light changed")


def test_what_lies_on_the_table_is_not_learnt_as_a_part_of_it(rig: WholeRig) -> None:
    changes_after_a_part(rig, 0.6)
    rig.until_asked("light changed")
    rig.world.drop(rig.clock.monotonic_s() - 2.0)
    rig.resolve("light changed", "learn anew")
    assert "something on the table" in rig.until_asked("confirm table empty").message
    rig.resolve("confirm table empty", "sweep again")
    rig.until_done(4)
    assert sorted(each.fate or "" for each in rig.world.fallen) == ["b", "b", "b", "b", "reject"]
    assert {kind for kind, _ in rig.recorder.outcomes} == {CONFIRMED}


def test_slow_changes_and_the_cameras_noise_never_stop_a_run(rig: WholeRig) -> None:
    rig.world.has_marks = True
    rig.start(*(HopperPart("3002") for _ in range(8)))
    for done in range(1, 9):
        rig.until_done(done)
        rig.world.light *= 0.99
    assert not rig.recorder.told("light changed")


def test_the_operators_word_is_enough_where_he_confirms_the_empty_table() -> None:
    rig = whole_rig(config_of(look=LookConfig(angles=4, most_views=4)))
    rig.until_state(RigState.UNHOMED)
    rig.commands.home()
    rig.resolve("confirm table empty", "empty")
    rig.until_state(RigState.IDLE)
    rig.world.hopper += [HopperPart("3002") for _ in range(3)]
    rig.commands.start()
    rig.until_done(1)
    rig.world.light = 0.6
    rig.resolve("light changed", "learn anew")
    rig.until_done(3)
    assert len(rig.recorder.told("confirm table empty")) == 1
    rig.controller.close()
