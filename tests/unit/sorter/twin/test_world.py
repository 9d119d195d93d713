"""Parts fall, lie, are struck and end in bins as they would on a rig; and what would break a rig is noticed."""

import itertools
import math

import pytest

from sorter.twin.landing import FALL_S, GAP_MM, SETTLE_S, Pose2d, corners_mm
from sorter.twin.state import BoardState
from sorter.twin.world import World
from sorter.types.twin import BESIDE, TwinFeeder, TwinMotor, TwinParts, TwinSensor
from tests.twins import BINS, PARK_DEG, PUSH_DEG, Blocks, Notes, Rig, twin_settings


def test_a_shaken_feeder_drops_a_part_now_and_then_and_none_when_it_is_off():
    rig = Rig(parts=TwinParts(1000, ("3001",)))
    rig.go(100.0)
    assert rig.notes.of("dropped") == []
    rig.shake(200.0)
    rig.go(100.0)
    times = [0.0, *(line["time_s"] - 100.0 for line in rig.notes.of("dropped"))]
    pauses = [after - before for before, after in itertools.pairwise(times)]
    assert min(pauses) >= 0.4 * 0.4
    assert sum(pauses) / len(pauses) == pytest.approx(0.4, rel=0.05)
    assert len({round(pause, 6) for pause in pauses}) == len(pauses)
    assert times[-1] <= 200.05


def test_a_feeder_that_was_switched_off_swings_on_for_a_moment():
    alone = Rig()
    alone.shake(10.0)
    first_s = alone.notes.of("dropped")[0]["time_s"]
    for early_s, drops in ((0.049, 1), (0.051, 0)):
        rig = Rig()
        rig.shake(first_s - early_s)
        rig.go(5.0)
        assert len(rig.notes.of("dropped")) == drops, f"{early_s} s too early"
        if drops:
            assert rig.notes.of("dropped")[0]["time_s"] == pytest.approx(first_s)


def test_work_that_the_feeder_has_done_for_a_part_is_not_lost_in_a_pause():
    alone, rig = Rig(), Rig(feeder=TwinFeeder("vibratory", double_share=0.0))
    alone.shake(10.0)
    first_s = alone.notes.of("dropped")[0]["time_s"]
    rig.shake(first_s - 0.06)
    rig.go(7.0)
    rig.shake(0.02)  # with the 0.05 s of before that is enough
    assert len(rig.notes.of("dropped")) == 1


def test_some_parts_take_another_one_with_them():
    rig = Rig(feeder=TwinFeeder("vibratory", double_share=1.0), parts=TwinParts(20, ("3001",)))
    rig.shake(6.0)
    times = [line["time_s"] for line in rig.notes.of("dropped")]
    assert len(times) == 20
    assert all(0.04 <= second - first <= 0.12 for first, second in zip(times[::2], times[1::2], strict=True))


def test_a_stepper_feeder_drops_by_its_angle_and_only_forward():
    feeder = TwinFeeder("stepper", motor=TwinMotor("Z", 10.0), double_share=0.0, degrees_a_part=45.0)
    rig = Rig(feeder=feeder, parts=TwinParts(1000, ("3001",)))
    rig.go(10.0)
    rig.go(10.0, feeder_deg=-4500.0)
    assert rig.notes.of("dropped") == []
    rig.go(10.0, feeder_deg=4500.0)
    assert len(rig.notes.of("dropped")) == pytest.approx(200, rel=0.15)


def test_a_hand_puts_one_part_on_an_empty_still_table_of_a_rig_that_is_awake():
    rig = Rig(feeder=TwinFeeder("manual", seconds_a_part=2.0, double_share=1.0))
    rig.go(0.0, is_awake=False)
    rig.go(60.0)
    rig.go(0.0, is_awake=True)
    rig.go(60.0, table_deg=7200.0)
    assert rig.notes.of("dropped") == []
    rig.go(60.0)
    assert rig.notes.said("dropped") == [1]
    rig.push()
    rig.go(60.0)
    assert rig.notes.said("dropped") == [1, 2]


def test_a_hand_does_not_reach_under_the_arm():
    rig = Rig(feeder=TwinFeeder("manual", seconds_a_part=2.0))
    rig.go(0.2, arm_deg=PUSH_DEG)
    rig.go(60.0)
    assert rig.notes.of("dropped") == []


def test_a_part_falls_slides_and_then_lies_still_near_the_middle_and_turns_with_the_table():
    rig = Rig()
    rig.shake(0.16)
    while not rig.notes.of("dropped"):
        rig.shake(0.001)
    dropped_s = rig.notes.of("dropped")[0]["time_s"]
    heights, places = [], []
    while not rig.notes.of("landed"):
        (seen,) = rig.world.scene().parts
        heights.append(seen.above_mm)
        places.append((seen.x_mm, seen.y_mm, seen.yaw_deg))
        rig.go(0.005)
    assert rig.notes.of("landed")[0]["time_s"] == pytest.approx(dropped_s + FALL_S + SETTLE_S)
    assert heights[0] > 90.0
    assert heights == sorted(heights, reverse=True)
    assert heights[-1] == 0.0
    assert 1.0 < math.dist(places[0][:2], places[-1][:2]) < 10.0
    (lying,) = rig.world.scene().parts
    assert math.hypot(lying.x_mm, lying.y_mm) <= 5.0
    rig.go(1.0)
    assert rig.world.scene().parts == (lying,)
    rig.go(1.0, table_deg=90.0)
    (turned,) = rig.world.scene().parts
    assert (turned.x_mm, turned.y_mm) == pytest.approx((-lying.y_mm, lying.x_mm))
    assert turned.yaw_deg == pytest.approx((lying.yaw_deg + 90.0) % 360.0)


def test_parts_come_to_lie_side_by_side_with_a_gap_between_them():
    rig = Rig()
    rig.feed(4)
    seen = [each for each in rig.world.scene().parts if each.above_mm == 0.0]
    assert len(seen) >= 3
    outlines = [corners_mm(each.part, Pose2d(each.x_mm, each.y_mm, each.yaw_deg)) for each in seen]
    for one, other in itertools.combinations(outlines, 2):
        assert _distance_mm(one, other) >= GAP_MM - 1e-9


def test_a_table_that_is_full_takes_no_more():
    rig = Rig(parts=TwinParts(200, ("3001",)))
    rig.shake(200.0)
    rig.go(5.0)
    census = rig.world.census()
    assert census.hopper == 0
    assert 5 < len(census.on_table) < 100
    assert census.fallen == {BESIDE: 200 - len(census.on_table)}


@pytest.mark.parametrize("bin_", BINS[:3])
def test_a_part_that_is_pushed_lies_in_the_bin_that_the_chute_stands_at(bin_):
    rig = Rig()
    rig.feed()
    rig.go(1.0, chute_deg=bin_.chute_deg + 360.0)
    begun_s = rig.state.time_s
    rig.push()
    rig.go(1.0)
    struck_s = begun_s + 0.6 * 0.22
    assert rig.notes.of("pushed") == [{"event": "pushed", "time_s": pytest.approx(struck_s), "part": 1}]
    assert rig.notes.of("fell") == [
        {"event": "fell", "time_s": pytest.approx(struck_s + 0.25), "part": 1, "place": bin_.id}
    ]
    assert rig.notes.of("collision") == []
    assert rig.world.census().fallen == {bin_.id: 1}


def test_a_push_that_does_not_go_all_the_way_leaves_the_part_on_the_table():
    rig = Rig()
    rig.feed()
    rig.go(0.2, arm_deg=PARK_DEG + 0.59 * (PUSH_DEG - PARK_DEG))
    rig.go(0.2, arm_deg=PARK_DEG)
    assert rig.notes.of("pushed") == []
    assert len(rig.world.census().on_table) == 1


@pytest.mark.parametrize(
    ("after_strike_s", "place"), [(0.05, "b"), (0.1001, BESIDE), (0.24, BESIDE), (0.2501, "a"), (0.4, "a")]
)
def test_a_chute_that_turns_while_the_part_falls_lets_it_fall_beside(after_strike_s, place):
    rig = Rig()
    rig.feed()
    rig.go(0.13, arm_deg=PARK_DEG + 0.6001 * (PUSH_DEG - PARK_DEG))
    rig.go(after_strike_s)
    rig.go(0.0, chute_deg=90.0)
    rig.go(1.0)
    assert rig.places() == {1: place}


def test_a_part_that_passes_between_two_bins_falls_beside():
    rig = Rig()
    rig.feed()
    rig.go(1.0, chute_deg=45.0)
    rig.push()
    rig.go(1.0)
    assert rig.places() == {1: BESIDE}


def test_a_part_that_is_struck_on_a_turning_table_falls_beside():
    rig = Rig()
    rig.feed()
    rig.go(0.22, arm_deg=PUSH_DEG, table_deg=2.0)
    rig.go(1.0)
    assert rig.places() == {1: BESIDE}


def test_everything_falls_into_the_only_bin_of_a_rig_without_a_chute():
    rig = Rig(chute=None, bins=BINS[:1], recirculate=None)
    rig.feed()
    rig.go(1.0, chute_deg=100.0)
    rig.push()
    rig.go(1.0)
    assert rig.places() == {1: "a"}


def test_all_parts_on_the_table_are_pushed_at_once():
    rig = Rig()
    rig.feed(2)
    on_table = rig.world.census().on_table
    rig.push()
    rig.go(1.0)
    assert tuple(rig.notes.said("pushed")) == on_table
    assert rig.places() == dict.fromkeys(on_table, "a")


def test_a_part_that_drops_on_the_arm_falls_beside():
    rig = Rig()
    rig.go(0.2, arm_deg=PARK_DEG + 0.31 * (PUSH_DEG - PARK_DEG))
    rig.feed()
    assert rig.places() == {1: BESIDE}
    assert rig.notes.of("landed") == []


@pytest.mark.parametrize(("axis", "text"), [("table_deg", "turntable"), ("chute_deg", "chute")])
def test_turning_under_the_arm_is_a_collision_once(axis, text):
    rig = Rig()
    rig.go(0.2, arm_deg=PUSH_DEG)
    rig.go(0.1, **{axis: 0.4})
    assert rig.notes.of("collision") == []
    begun_s = rig.state.time_s
    rig.go(1.0, **{axis: 100.4})
    rig.go(1.0, **{axis: 0.0})
    (collision,) = rig.notes.of("collision")
    assert text in collision["text"]
    assert collision["time_s"] == pytest.approx(begun_s + 0.001)
    rig.go(0.2, arm_deg=PARK_DEG)
    rig.go(1.0, **{axis: 300.0})
    assert len(rig.notes.of("collision")) == 1
    rig.go(0.2, arm_deg=PUSH_DEG)
    rig.go(1.0, **{axis: 0.0})
    assert len(rig.notes.of("collision")) == 2


def test_an_arm_that_hangs_over_the_table_at_the_beginning_strikes_nothing_until_it_draws_back():
    notes = Notes()
    world = World(twin_settings(), Blocks(), notes)
    world.advance(BoardState(0.0, arm_deg=PUSH_DEG))
    world.advance(BoardState(1.0, arm_deg=PUSH_DEG, table_deg=10.0))
    assert [line["event"] for line in notes.lines] == ["collision"]


def test_an_arm_that_parks_at_the_greater_angle_pushes_as_well():
    rig = Rig(park_deg=150.0, push_deg=30.0)
    rig.go(0.0, arm_deg=150.0)
    rig.feed()
    rig.push()
    rig.go(1.0)
    assert rig.places() == {1: "a"}


def test_a_beam_above_the_table_is_broken_on_the_way_and_its_pulse_lasts():
    rig = Rig()
    assert rig.world.switches == {"z_max": False, "y_max": True}
    while not rig.notes.of("dropped"):
        rig.shake(0.01)
    dropped_s = rig.notes.of("dropped")[0]["time_s"]
    changes = []
    switches = rig.world.switches
    while rig.state.time_s < dropped_s + 1.0:
        next_s = rig.world.next_s()
        rig.go(max(0.0, (rig.state.time_s + 0.3 if next_s is None else next_s) - rig.state.time_s))
        if rig.world.switches is not switches:
            switches = rig.world.switches
            changes.append((rig.state.time_s - dropped_s, switches["z_max"]))
    assert changes == [(pytest.approx(0.09), True), (pytest.approx(0.39), False)]
    assert rig.world.switches == {"z_max": False, "y_max": True}


def test_a_beam_in_the_chute_is_broken_when_the_part_comes_in():
    rig = Rig()
    rig.feed()
    rig.go(0.22, arm_deg=PUSH_DEG)
    rig.go(0.011)
    assert rig.world.switches["y_max"] is True
    rig.go(0.002)
    assert rig.world.switches["y_max"] is False
    rig.go(0.3)
    assert rig.world.switches["y_max"] is True


def test_a_sensor_with_a_pulse_of_its_own_shows_a_part_for_as_long():
    sensors = {"in_chute": TwinSensor("y_max", is_triggered_when_active=False, pulse_s=2.0)}
    rig = Rig(sensors=sensors)
    rig.feed()
    rig.go(0.22, arm_deg=PUSH_DEG)
    rig.go(1.0)
    assert rig.world.switches["y_max"] is False
    rig.go(1.1)
    assert rig.world.switches["y_max"] is True


def test_what_falls_into_the_recirculating_bin_comes_again_behind_the_rest():
    rig = Rig(parts=TwinParts(3, ("3001",)))
    rig.feed()
    rig.go(1.0, chute_deg=270.0)
    rig.push()
    rig.go(1.0, chute_deg=0.0)
    for _ in range(3):
        rig.feed()
        rig.push()
        rig.go(1.0)
    assert [(line["part"], line["is_again"]) for line in rig.notes.of("dropped")] == [
        (1, False),
        (2, False),
        (3, False),
        (1, True),
    ]
    assert rig.places() == {1: "a", 2: "a", 3: "a"}
    assert rig.notes.lines[-1]["event"] == "empty"
    assert len(rig.notes.of("empty")) == 1


def test_an_empty_hopper_is_said_at_once():
    assert [line["event"] for line in Rig(parts=TwinParts(0, ())).notes.lines] == ["empty"]


def test_a_picture_of_what_stands_still_is_one_scene_and_of_what_moves_several():
    rig = Rig()
    rig.feed()
    still = rig.world.expose(0.008)
    rig.go(0.1)
    assert still.is_over
    assert len(still.different_scenes) == 1
    moving = rig.world.expose(0.008)
    assert not moving.is_over
    rig.go(0.1, table_deg=36.0)
    assert [scene.table_deg for scene in moving.different_scenes] == pytest.approx([0.0, 0.72, 1.44, 2.16, 2.88])


def test_a_part_that_was_pushed_slides_out_of_the_picture():
    rig = Rig()
    rig.feed()
    (lying,) = rig.world.scene().parts
    rig.go(0.22, arm_deg=PUSH_DEG)
    (leaving,) = rig.world.scene().parts
    assert leaving.x_mm > lying.x_mm + 50.0
    rig.go(0.02)
    assert rig.world.scene().parts == ()


def test_a_world_does_not_go_back_in_time():
    rig = Rig()
    rig.go(1.0)
    with pytest.raises(ValueError, match="does not go back"):
        rig.go(-0.5)
    with pytest.raises(RuntimeError, match="has not begun"):
        World(twin_settings(), Blocks(), Notes()).scene()


def _distance_mm(one, other):
    """Between two convex polygons that do not overlap: from a corner of one to an edge of the other."""

    def to_edges(corners, edges):
        return min(
            math.dist(corner, start + max(0.0, min(1.0, (corner - start) @ way / (way @ way))) * way)
            for corner in corners
            for start, end in zip(edges, [*edges[1:], edges[0]], strict=True)
            for way in [end - start]
        )

    def contains(edges, point):
        sides = [
            (end[0] - start[0]) * (point[1] - start[1]) - (end[1] - start[1]) * (point[0] - start[0])
            for start, end in zip(edges, [*edges[1:], edges[0]], strict=True)
        ]
        return min(sides) > 0.0

    if any(contains(one, point) for point in other) or any(contains(other, point) for point in one):
        return 0.0
    return min(to_edges(one, other), to_edges(other, one))
