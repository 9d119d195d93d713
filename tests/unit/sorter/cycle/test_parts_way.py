"""One part after the other gets into the right bin, by the shortest way, whatever the rig is made of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sorter.config import (
    EjectorConfig,
    LookConfig,
    ManualFeederConfig,
    RuleConfig,
    SensorsConfig,
    ServoChuteConfig,
    SortConfig,
    StepperFeederConfig,
    VibratoryFeederConfig,
)
from sorter.cycle.timing import STAGES
from sorter.types import OutcomeKind, RigState
from tests.rig_board import HopperPart
from tests.unit.sorter.cycle.whole_rig import BINS, DROPPED, IN_CHUTE, LOOK, SORT, WholeRig, config_of, whole_rig

CONFIRMED = OutcomeKind.CONFIRMED
NO_SENSORS = SensorsConfig()
HAND = ManualFeederConfig(kind="manual", give_up_s=5.0, empty_after=2)
PULSES = VibratoryFeederConfig(kind="vibratory", pulse_s=0.25, give_up_s=3.0, empty_after=2)
STEPS = StepperFeederConfig(kind="stepper", give_up_s=3.0, empty_after=2)

FIVE = {
    "a": HopperPart("3001"),
    "b": HopperPart("3002"),
    "reject": HopperPart("3003"),  # no rule
    "reject ": HopperPart("3001", sure=0.4),
    "again": HopperPart(count=2),
}


def moves(rig: WholeRig) -> list[str]:
    return [call for call in rig.board.calls if call.startswith("G1")]


@pytest.mark.parametrize(
    "tables",
    [
        {},
        {"sensors": NO_SENSORS},
        {"sensors": SensorsConfig(in_chute=IN_CHUTE)},
        {"feeder": PULSES},
        {"feeder": PULSES, "sensors": NO_SENSORS},
        {"feeder": STEPS},
        {"feeder": STEPS, "sensors": NO_SENSORS},
        {"chute": ServoChuteConfig(kind="servo", maximum_deg=180.0), "bins": BINS[:4], "sort": None},
    ],
    ids=["beams", "pictures", "chute beam", "pulses", "pulses by picture", "steps", "steps by picture", "servo chute"],
)
def test_every_part_is_in_the_bin_that_its_row_says(tables: dict[str, Any]) -> None:
    if tables.get("sort", "") is None:
        tables["sort"] = SORT.model_copy(update={"overflow": None})
    rig = whole_rig(config_of(**tables))
    rig.start(*(replace(part) for part in FIVE.values()))
    rig.until_done(5)
    assert rig.recorder.outcomes == [(CONFIRMED, name.strip()) for name in FIVE]
    assert [part.fate for part in rig.world.fallen] == [name.strip() for name in FIVE]
    status = {each.bin: each.part_count for each in rig.controller.snapshot().bins}
    assert {name: count for name, count in status.items() if count} == {"a": 1, "b": 1, "reject": 2, "again": 1}
    rig.controller.close()
    assert rig.world.fan == 0


def test_parts_put_down_by_hand_are_sorted() -> None:
    rig = whole_rig(config_of(feeder=HAND))
    rig.start(*FIVE.values())
    for number, name in enumerate(FIVE, start=1):
        rig.run(5)
        rig.world.is_hand_in_picture = True
        rig.run(3)
        rig.world.drop(rig.clock.monotonic_s())
        rig.run(3)
        rig.world.is_hand_in_picture = False
        rig.until_done(number)
        assert rig.recorder.outcomes[-1] == (CONFIRMED, name.strip())
    rig.controller.close()


def test_a_rig_of_one_bin_needs_no_chute() -> None:
    bins = BINS[:1]
    rig = whole_rig(config_of(chute=None, bins=bins, sort=SortConfig(reject="reject")))
    rig.start(HopperPart(), HopperPart())
    rig.until_done(2)
    assert rig.recorder.outcomes == [(CONFIRMED, "reject")] * 2
    assert all("chute" not in move for move in moves(rig))
    rig.controller.close()


def test_categories_and_the_overflow_are_followed() -> None:
    sort = SortConfig(reject="reject", overflow="over", rules=(RuleConfig(bin="a", categories=("bricks",)),))
    bins = tuple(each.model_copy(update={"capacity": 1}) if each.id == "a" else each for each in BINS)
    rig = whole_rig(config_of(sort=sort, bins=bins, categories={"bricks": ("3001", "3003")}))
    rig.start(HopperPart("3003"), HopperPart("3001"), HopperPart("3002"))
    rig.until_done(3)
    assert [name for _, name in rig.recorder.outcomes] == ["a", "over", "reject"]
    rig.controller.close()


def test_the_chute_turns_in_the_tables_own_move() -> None:
    rig = whole_rig()
    rig.start(HopperPart("3002"))
    before = len(moves(rig))
    rig.until_done(1)
    new = moves(rig)[before:]
    assert len(new) == 1
    assert "turntable" in new[0]
    assert "'chute': 120.0" in new[0]
    row = rig.recorder.rows[next(iter(rig.recorder.rows))]
    assert row.outcome is not None
    assert row.outcome.stage_s["route"] == 0.0
    rig.controller.close()


def test_the_second_view_is_from_behind() -> None:
    rig = whole_rig()
    rig.start(HopperPart())
    stood_deg = rig.controller.snapshot().axes[0].position_deg
    rig.until_done(1)
    assert (rig.controller.snapshot().axes[0].position_deg - stood_deg) % 360.0 == 180.0
    assert rig.recorder.rows[next(iter(rig.recorder.rows))].decision.view_count == 2  # type: ignore[union-attr]
    rig.controller.close()


def test_a_part_that_is_not_clear_is_looked_at_from_everywhere_and_no_more() -> None:
    rig = whole_rig()
    rig.start(HopperPart(sure=0.4))
    rig.until_done(1)
    row = next(iter(rig.recorder.rows.values()))
    assert row.decision is not None
    assert (row.decision.view_count, row.decision.class_name) == (4, None)
    rig.controller.close()


def test_as_many_views_as_the_config_wants_however_sure() -> None:
    look = LOOK.model_copy(update={"least_views": 3})
    rig = whole_rig(config_of(look=look))
    rig.start(HopperPart("3002"))
    rig.until_done(1)
    assert next(iter(rig.recorder.rows.values())).decision.view_count == 3  # type: ignore[union-attr]
    rig.controller.close()


def test_one_view_is_enough_where_the_config_says_so() -> None:
    look = LOOK.model_copy(update={"least_views": 1})
    rig = whole_rig(config_of(look=look))
    rig.start(HopperPart("3002"))
    before = len(moves(rig))
    rig.until_done(1)
    assert moves(rig)[before:] == ["G1 {'chute': 120.0}"]
    rig.controller.close()


def test_the_times_of_a_part_add_up_and_none_beats_its_bound() -> None:
    rig = whole_rig()
    rig.start(*(HopperPart(name) for name in ("3001", "3002", "3001")))
    rig.until_done(1)
    began_s = rig.clock.monotonic_s()
    rig.until_done(3)
    took_s = rig.clock.monotonic_s() - began_s
    rows = [row.outcome.stage_s for row in rig.recorder.rows.values() if row.outcome is not None][1:]
    assert sum(row[stage] for row in rows for stage in STAGES) == pytest.approx(took_s, abs=0.01)
    for row in rows:
        for stage in STAGES:
            assert row[f"bound.{stage}"] <= row[stage] + 1e-9, stage
        assert row["bound.feed"] == row["feed"] > 0.3
        assert row["bound.eject"] > 0.5
        assert row["bound.look"] > 0.3
        assert row["host"] == pytest.approx(0.0, abs=1e-9)
    rig.controller.close()


def test_feeding_begins_while_the_last_part_still_falls() -> None:
    """The arm comes back 0.35 s after the part was struck; a long fall holds the chute, and nothing else."""
    rig = whole_rig(config_of(ejector=EjectorConfig(fall_s=2.0), sensors=SensorsConfig(dropped=DROPPED)))
    rig.start(HopperPart(), HopperPart("3002"))
    rig.until_done(1)
    done_s = rig.clock.monotonic_s()
    rig.until(lambda: rig.world.fan > 0)
    assert rig.clock.monotonic_s() - done_s < 0.1
    rig.until_done(2)
    rig.controller.close()


def test_the_beams_short_pulse_is_never_missed_between_the_two_strokes_of_the_arm() -> None:
    rig = whole_rig()
    rig.start(HopperPart())
    rig.until_done(1)
    calls = rig.board.calls
    out = max(number for number, call in enumerate(calls) if call == "M280 P0 S130")
    back = calls.index("M280 P0 S20", out)
    assert "M119" in calls[out:back]
    assert rig.recorder.outcomes == [(CONFIRMED, "a")]
    assert not rig.incidents
    rig.controller.close()


@pytest.mark.parametrize("tables", [{}, {"feeder": STEPS}, {"feeder": PULSES}], ids=["shaken", "steps", "pulses"])
def test_a_part_that_the_beam_missed_is_found_by_the_picture(tables: dict[str, Any]) -> None:
    rig = whole_rig(config_of(**tables))
    rig.start(HopperPart(is_beam_missed=True), HopperPart("3002"))
    rig.until_done(1)
    assert len(rig.world.fallen) in (1, 2)  # a second one may have come until the try was over
    rig.controller.close()


def test_dust_in_the_beam_gets_no_row() -> None:
    rig = whole_rig()
    rig.start(HopperPart(count=0), HopperPart("3002"), HopperPart(count=0), HopperPart("3001"))
    rig.until_done(2)
    assert rig.recorder.outcomes == [(CONFIRMED, "b"), (CONFIRMED, "a")]
    assert len(rig.recorder.rows) == 2
    rig.controller.close()


def test_what_lies_on_the_table_at_the_start_is_sorted_and_nothing_is_fed_onto_it() -> None:
    rig = whole_rig()
    rig.make_ready()
    rig.world.on_table.append(HopperPart("3002", dropped_s=0.0))
    rig.commands.start()
    rig.until_done(1)
    assert rig.recorder.outcomes == [(CONFIRMED, "b")]
    assert all(not call.startswith("M106 1") for call in rig.board.calls)
    rig.controller.close()


def test_a_part_that_never_lies_still_is_looked_at_as_it_is() -> None:
    rig = whole_rig(config_of(look=LOOK.model_copy(update={"settle_timeout_s": 0.3, "still_frames": 5})))
    rig.start(HopperPart())
    rig.until_done(1)
    assert rig.recorder.outcomes == [(CONFIRMED, "a")]
    rig.controller.close()


def test_the_table_turns_to_an_angle_that_it_knows_before_anything_is_fed() -> None:
    rig = whole_rig()
    rig.make_ready()
    rig.commands.jog("turntable", 33.0)
    rig.until_state(RigState.IDLE)
    rig.world.hopper.append(HopperPart())
    rig.commands.start()
    rig.until_done(1)
    assert rig.controller.snapshot().axes[0].position_deg % 90.0 == 0.0
    rig.controller.close()


def test_a_part_that_stays_is_pushed_again_from_another_side() -> None:
    rig = whole_rig(config_of(ejector=EjectorConfig(pushes=3)))
    rig.start(HopperPart(stays=2))
    rig.until_done(1)
    assert rig.recorder.outcomes == [(CONFIRMED, "a")]
    assert rig.board.pushes == 1 + 3  # one at start-up
    assert not rig.incidents
    rig.controller.close()


def test_the_background_follows_the_light() -> None:
    rig = whole_rig()
    renewed: list[float] = []
    eyes = rig.controller._driver._station.eyes  # the only place where it can be seen
    renew = eyes.renew
    eyes.renew = lambda angle_deg, frame: (renewed.append(angle_deg), renew(angle_deg, frame))  # type: ignore[assignment,func-returns-value]
    rig.start(*(HopperPart() for _ in range(4)))
    rig.until_done(4)
    assert 1 <= len(renewed) <= 2  # both angles at which parts were pushed, each once in a while
    rig.controller.close()


def test_shaking_frames_are_waited_for() -> None:
    rig = whole_rig(config_of(look=LookConfig(angles=4, most_views=4, empty_table="picture", shake_s=0.5)))
    rig.start(HopperPart())
    rig.until_done(1)
    row = next(iter(rig.recorder.rows.values()))
    assert row.outcome is not None
    assert row.outcome.stage_s["bound.look"] > 1.0
    rig.controller.close()
