"""Each fault of a bad day is seen in the world, stands in the truth, and is over when hands have mended it."""

from __future__ import annotations

import itertools
import math

import pytest

from sorter.types.faults import ALIASES, FAULTS
from sorter.types.twin import BESIDE, HAND, TwinFeeder, TwinMotor, TwinParts, TwinSensor
from tests.twins import PUSH_DEG, SENSORS, Rig

POWER = {**SENSORS, "motor_power": TwinSensor("x_max")}
FED = 25


def bad(*faults: str, **changes) -> Rig:
    """A rig on which these happen to every part."""
    return Rig(faults=dict.fromkeys(faults, 1.0), **changes)


def found(rig: Rig, name: str) -> list[dict[str, object]]:
    return [line for line in rig.notes.of("fault") if line["name"] == name]


def struck(rig: Rig) -> None:
    rig.push()
    rig.go(1.0)


def test_without_faults_nothing_goes_wrong_and_nothing_is_written_of_it():
    rig = Rig()
    for _ in range(10):
        rig.feed()
        rig.go(1.0, table_deg=rig.state.table_deg + 360.0)
        struck(rig)
    assert rig.notes.of("fault", "hand") == []
    assert set(rig.places().values()) == {"a"}


def test_a_rate_of_0_is_never():
    rig = Rig(faults=dict.fromkeys(FAULTS, 0.0))
    rig.feed(5)
    struck(rig)
    assert rig.notes.of("fault") == []
    assert rig.inside.armed == []


def test_a_double_feed_lets_a_second_part_follow_the_first():
    rig = bad("double-feed")
    rig.shake(1.0)
    rig.go(1.0)
    times = [line["time_s"] for line in rig.notes.of("dropped")]
    faults = found(rig, "double-feed")
    assert len(times) == 2 * len(faults) >= 2
    assert 0.04 <= times[1] - times[0] <= 0.12
    assert (faults[0]["part"], faults[0]["time_s"]) == (1, times[1])


def test_the_last_part_takes_no_other_with_it():
    rig = bad("double-feed", parts=TwinParts(1, ("3001",)))
    rig.shake(2.0)
    rig.go(1.0)
    assert found(rig, "double-feed") == []
    assert len(rig.world.census().on_table) == 1


def test_a_stuck_part_stays_for_some_pushes_and_some_parts_until_they_are_taken():
    pushes_needed = set()
    for seed in range(12):
        rig = bad("stuck", seed=seed)
        rig.feed()
        pushes = 0
        while rig.world.table.lying and pushes < 6:
            struck(rig)
            pushes += 1
        (fault,) = found(rig, "stuck")
        assert (fault["part"], rig.notes.said("pushed")) == (1, [1] * pushes)
        if rig.world.table.lying:
            assert fault["pushes"] is None
            rig.world.delivery.lay_aside(rig.world.table.take())
            assert rig.places() == {1: HAND}
        else:
            assert fault["pushes"] == pushes - 1 > 0
            assert rig.places() == {1: "a"}
        pushes_needed.add(fault["pushes"])
    assert {1, None} < pushes_needed


def test_an_arm_that_misses_leaves_the_part_there_or_shoves_it_off_beside():
    outcomes = set()
    for seed in range(12):
        rig = bad("ejector-miss", seed=seed)
        rig.feed()
        struck(rig)
        (fault,) = found(rig, "ejector-miss")
        if fault["is_beside"]:
            assert (rig.notes.said("pushed"), rig.places()) == ([1], {1: BESIDE})
        else:
            assert (rig.notes.said("pushed"), rig.world.census().on_table) == ([], (1,))
            struck(rig)
            assert rig.places() == {1: "a"}
        outcomes.add(fault["is_beside"])
    assert outcomes == {True, False}


def test_a_part_slides_as_the_table_turns_within_it_to_the_rim_or_over_it():
    radii_mm = []
    for seed in range(20):
        rig = bad("slide", seed=seed)
        rig.feed()
        rig.go(5.0)
        before = rig.world.scene().parts
        assert found(rig, "slide") == []
        rig.go(1.0, table_deg=90.0)
        rig.go(2.0)
        (fault,) = found(rig, "slide")
        radius_mm = fault["to_mm"]
        assert fault["part"] == 1
        assert fault["is_off"] is (radius_mm > 75.0)
        if fault["is_off"]:
            assert rig.places() == {1: BESIDE}
            assert rig.world.scene().parts == ()
        else:
            (seen,) = rig.world.scene().parts
            assert math.hypot(seen.x_mm, seen.y_mm) == pytest.approx(radius_mm)
            assert math.hypot(seen.x_mm, seen.y_mm) > math.hypot(before[0].x_mm, before[0].y_mm)
            rig.go(1.0, table_deg=300.0)
            assert len(found(rig, "slide")) == 1
        radii_mm.append(radius_mm)
    assert min(radii_mm) < 30.0
    assert any(40.0 < each < 75.0 for each in radii_mm)
    assert max(radii_mm) > 75.0


def test_a_part_that_is_pushed_before_the_table_turns_does_not_slide():
    rig = bad("slide")
    rig.feed()
    struck(rig)
    rig.go(1.0, table_deg=360.0)
    assert (found(rig, "slide"), rig.places()) == ([], {1: "a"})


def test_a_jam_keeps_the_beam_broken_and_the_parts_behind_until_the_chute_is_cleared():
    rig = bad("jam")
    for _ in range(6):
        rig.feed()
        struck(rig)
    (fault,) = found(rig, "jam")
    assert fault["part"] == 1
    assert rig.world.census().hanging == (1, 2, 3, 4)
    assert rig.places() == {5: BESIDE, 6: BESIDE}
    rig.go(60.0)
    assert rig.world.switches["y_max"] is False, "the beam is broken"
    rig.world.delivery.lay_aside(rig.world.delivery.clear_chute())
    assert rig.world.switches["y_max"] is True
    assert rig.world.census().hanging == ()
    assert {part for part, place in rig.places().items() if place == HAND} == {1, 2, 3, 4}


def test_a_bin_that_is_full_lets_parts_fall_beside_until_it_is_emptied():
    rig = Rig()
    rig.world.break_("bin-overflow")
    for _ in range(3):
        rig.feed()
        struck(rig)
    (fault,) = found(rig, "bin-overflow")
    assert (fault["part"], fault["bin"]) == (1, "a")
    assert rig.places() == dict.fromkeys((1, 2, 3), BESIDE)
    rig.feed()
    rig.go(1.0, chute_deg=90.0)
    struck(rig)
    rig.go(1.0, chute_deg=0.0)
    rig.world.delivery.empty(["b"])
    rig.feed()
    struck(rig)
    rig.world.delivery.empty(["a"])
    rig.feed()
    struck(rig)
    assert [rig.places()[part] for part in (4, 5, 6)] == ["b", BESIDE, "a"]


def test_the_bin_from_which_parts_are_fed_again_does_not_overflow():
    rig = bad("bin-overflow", parts=TwinParts(2, ("3001",)))
    rig.go(0.0, chute_deg=270.0)
    for _ in range(5):
        rig.feed()
        struck(rig)
    assert {line["place"] for line in rig.notes.of("fell")} == {"again"}


@pytest.mark.parametrize(
    ("name", "letter", "motor"), [("lost-steps-table", "Y", 44.444), ("lost-steps-chute", "X", 17.778)]
)
def test_a_motor_loses_steps_in_a_move(name, letter, motor):
    rig = bad(name)
    rig.feed()
    rig.push()
    (lost_by, steps, told) = rig.inside.losses[0]
    assert lost_by == letter
    assert steps % 64 == 0
    assert 2.0 - 64 / motor < steps / motor < 40.0 + 64 / motor
    assert found(rig, name) == [], "nothing is lost before the motor turns"
    told(steps)
    (fault,) = found(rig, name)
    assert (fault["steps"], fault["part"]) == (steps, 1)
    assert fault["deg"] == pytest.approx(-steps / motor)


def test_a_motor_that_is_reversed_loses_degrees_the_other_way():
    rig = Rig(turntable=TwinMotor("Y", 10.0, is_reversed=True))
    rig.world.break_("lost-steps-table")
    rig.inside.losses[0][2](-64)
    assert found(rig, "lost-steps-table")[0]["deg"] == pytest.approx(-6.4)


def test_a_cut_supply_is_seen_by_its_sensor_and_somebody_touches_the_axes():
    rig = bad("power-cut", sensors=POWER)
    assert rig.world.switches["x_max"] is True
    rig.feed()
    rig.push()
    rig.go(1.0)
    assert rig.inside.is_cut
    assert rig.world.switches["x_max"] is False
    assert len(found(rig, "power-cut")) == 1
    assert {letter for letter, _ in rig.inside.slips} == {"X", "Y"}
    rig.world.bad_days.set_power(is_on=True)
    assert not rig.inside.is_cut
    assert rig.world.switches["x_max"] is True


def test_a_lamp_that_goes_out_stays_out_until_it_is_mended():
    levels = set()
    for seed in range(8):
        rig = bad("light-fails", seed=seed)
        while not found(rig, "light-fails"):
            rig.feed()
            rig.push()
        (fault,) = found(rig, "light-fails")
        assert rig.world.optics.look(rig.state.time_s).gains == (fault["light"],) * 3
        levels.add(fault["light"])
        rig.feed(2)
        rig.push()
        assert len(found(rig, "light-fails")) == 1, "it cannot go out twice"
        rig.world.optics.mend_light()
        assert rig.world.optics.look(rig.state.time_s).is_plain
    assert len(levels) == 2
    assert min(levels) == 0.0
    assert max(levels) < 0.2


def test_the_light_drifts_over_minutes_and_stays_so():
    rig = Rig()
    rig.world.break_("tint-drifts")
    (fault,) = found(rig, "tint-drifts")
    wanted = (fault["red"], fault["green"], fault["blue"])
    seen = [rig.world.optics.look(float(seconds)).gains for seconds in range(0, 601, 10)]
    assert seen[0] == (1.0, 1.0, 1.0)
    assert seen[-1] == pytest.approx(wanted)
    assert seen[3] != seen[2]
    assert all(abs(after[0] - before[0]) < 0.12 for before, after in itertools.pairwise(seen))
    rig.world.optics.mend_light()
    assert rig.world.optics.look(600.0).is_plain


def test_dust_gathers_until_it_is_wiped_and_does_not_turn():
    rig = Rig()
    rig.world.break_("dust")
    (fault,) = found(rig, "dust")
    blobs = rig.world.optics.look(0.0).blobs
    assert len(blobs) == fault["blobs"] > 0
    rig.go(1.0, table_deg=123.0)
    assert rig.world.optics.look(1.0).blobs == blobs
    for _ in range(20):
        rig.world.break_("dust")
    assert len(rig.world.optics.look(1.0).blobs) == 12
    rig.world.optics.wipe()
    assert rig.world.optics.look(1.0).is_plain


def test_a_camera_hangs_until_it_is_mended_or_half_the_time_until_somebody_connects():
    ends = set()
    for seed in range(10):
        rig = Rig(seed=seed)
        rig.world.break_("camera-hangs")
        rig.world.break_("camera-hangs")
        (fault,) = found(rig, "camera-hangs")
        assert rig.world.hang.is_on
        rig.world.hang.connected()
        assert rig.world.hang.is_on is (fault["until"] == "mend camera")
        rig.world.hang.mend()
        assert not rig.world.hang.is_on
        ends.add(fault["until"])
    assert len(ends) == 2


BOARD = [each.name for each in FAULTS.values() if each.kind in {"board", "port", "line"}]


@pytest.mark.parametrize("name", [*BOARD, *ALIASES])
def test_a_fault_of_the_board_is_armed_while_a_part_is_handled_and_told_when_it_happens(name):
    rig = bad(name)
    rig.feed(3)
    rig.push()
    rig.go(3.0)
    own = ALIASES.get(name, name)
    assert set(rig.inside.armed) == {own}
    assert rig.notes.of("fault") == []
    rig.world.bad_days.fired(own)
    rig.world.bad_days.fired(own)
    parts = [line["part"] for line in found(rig, own)]
    assert parts[0] is not None
    assert parts[1] is None


def test_the_same_seed_has_the_same_bad_day_and_another_seed_another_one():
    def told(seed: int) -> list[tuple[object, object]]:
        rig = Rig(seed=seed, faults=dict.fromkeys(FAULTS, 0.3), parts=TwinParts(FED, ("3001",)))
        for _ in range(30):
            rig.shake(0.5)
            rig.go(1.0, table_deg=rig.state.table_deg + 90.0)
            rig.push()
        return [tuple(line.items()) for line in rig.notes.lines] + [(tuple(rig.inside.armed), tuple(rig.inside.slips))]

    assert told(3) == told(3)
    assert told(3) != told(4)


def test_one_fault_more_shifts_no_other():
    def parts(*names: str) -> list[object]:
        rig = Rig(faults=dict.fromkeys(names, 0.3), parts=TwinParts(FED, ("3001",)))
        for _ in range(FED):
            rig.feed()
            rig.push()
            rig.go(0.5)
        return [line["part"] for line in found(rig, "light-fails")] + rig.inside.armed.count("halt") * ["halt"]

    assert parts("halt", "light-fails") == parts("halt", "light-fails", "dust", "tint-drifts", "camera-hangs")


def test_bad_days_do_not_change_which_parts_there_are_and_how_they_fall():
    calm, hard = Rig(), Rig(faults=dict.fromkeys((name for name in FAULTS if name != "double-feed"), 1.0))
    for rig in (calm, hard):
        rig.shake(5.0)
    assert calm.notes.of("dropped") == hard.notes.of("dropped")


def test_a_part_that_falls_beside_at_once_takes_what_was_to_happen_with_it():
    rig = bad("stuck", "jam", "light-fails")
    rig.go(0.2, arm_deg=PUSH_DEG)
    rig.feed()
    rig.go(5.0)
    assert rig.places() == {1: BESIDE}
    assert [line["name"] for line in rig.notes.of("fault")] in ([], ["light-fails"])


def test_hands_break_something_once_for_whichever_part_comes_first():
    rig = Rig()
    rig.world.break_("stuck")
    rig.feed()
    struck(rig)
    assert found(rig, "stuck")[0]["part"] == 1
    while rig.world.table.lying and len(rig.notes.of("pushed")) < 5:
        struck(rig)
    rig.world.table.take()
    rig.feed()
    struck(rig)
    assert rig.places()[2] == "a"


def test_hands_let_a_part_slide_that_lies_there_already():
    rig = Rig()
    rig.feed()
    rig.world.break_("slide")
    rig.go(1.0, table_deg=90.0)
    assert found(rig, "slide")[0]["part"] == 1


def test_hands_cannot_break_what_there_is_not():
    rig = Rig(chute=None, bins=Rig().settings.bins[:1], recirculate=None, feeder=TwinFeeder("manual"))
    with pytest.raises(ValueError, match="no motor turns the chute"):
        rig.world.break_("lost-steps-chute")
    with pytest.raises(ValueError, match="did you mean stuck"):
        rig.world.break_("stuk")


def test_a_filled_hopper_gives_parts_again_and_is_empty_once_more():
    rig = Rig(parts=TwinParts(1, ("3001",)))
    for _ in range(2):
        rig.feed()
        struck(rig)
        assert rig.notes.lines[-1]["event"] == "empty"
        rig.world.fill_hopper(1)
    assert rig.notes.said("dropped") == [1, 2]
    assert len(rig.notes.of("empty")) == 2
    assert rig.world.census().hopper == 1
