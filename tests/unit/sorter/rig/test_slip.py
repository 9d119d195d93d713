"""Lost steps do not stay hidden: the axis' own switch tells how far off it is, which homing alone would never say."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from sorter.config import MotorChuteConfig, TurntableConfig
from sorter.rig import Interlocked, NotFitted, NotHomed
from tests.unit.sorter.rig.rigs import CHUTE, SERVO_CHUTE, SETTINGS, Rig, connected_rig, homed_rig

if TYPE_CHECKING:
    from pathlib import Path

_TURN_STEPS = 360.0 * 8.889
_INDEXED = replace(
    SETTINGS,
    x=replace(SETTINGS.x, index_turn_steps=_TURN_STEPS, index_width_steps=60.0),
    y=replace(SETTINGS.y, index_turn_steps=_TURN_STEPS, index_width_steps=60.0),
)
_INDEX_CHUTE = MotorChuteConfig(kind="motor", homing="index", home_deg=12.0)


def slip(rig: Rig, letter: str, distance: float) -> None:
    """The motor makes steps that Marlin does not count."""
    link = rig.machine.board.link
    name = {"X": "chute", "Y": "turntable"}[letter]
    stands = rig.machine.board.commanded(name)
    link.request(f"G1 {letter}{stands + distance:.3f} F9000", motion_s=5.0)
    link.request("M400")
    link.request(f"G92 {letter}{stands:.3f}")


@pytest.mark.parametrize("slip_deg", [0.0, 0.6, -0.6, 1.6, -1.6, 7.2, -7.2, 14.4])
def test_a_chute_that_slipped_is_told_by_how_much(tmp_path: Path, slip_deg: float) -> None:
    with homed_rig(tmp_path) as rig:
        rig.machine.turn(chute_deg=90.0)
        rig.machine.stand()
        slip(rig, "X", slip_deg)
        found_deg = rig.machine.slip_deg("chute", 1.0)
        if abs(slip_deg) < 1.0:
            assert found_deg == 0.0
        else:
            assert found_deg == pytest.approx(slip_deg, abs=0.7)
        assert rig.machine.is_homed  # what follows from it is not decided here


@pytest.mark.parametrize(
    ("chute", "settings"),
    [
        (CHUTE.model_copy(update={"is_reversed": True, "home_deg": 350.0}), SETTINGS),
        (_INDEX_CHUTE, _INDEXED),
        (_INDEX_CHUTE.model_copy(update={"is_reversed": True}), _INDEXED),
    ],
    ids=["reversed", "index", "reversed index"],
)
def test_it_is_told_in_the_rigs_own_degrees(tmp_path: Path, chute: MotorChuteConfig, settings: Any) -> None:
    sign = -1.0 if chute.is_reversed else 1.0
    with homed_rig(tmp_path, chute=chute, settings=settings) as rig:
        rig.machine.turn(chute_deg=90.0)
        rig.machine.stand()
        assert rig.machine.slip_deg("chute", 1.0) == 0.0
        slip(rig, "X", sign * 4.0)
        assert rig.machine.slip_deg("chute", 1.0) == pytest.approx(4.0, abs=0.7)


def test_a_table_with_an_index_is_looked_at_wherever_it_has_turned_to(tmp_path: Path) -> None:
    with homed_rig(tmp_path, turntable=TurntableConfig(homing="index", index_deg=30.0), settings=_INDEXED) as rig:
        for table_deg in (150.0, 270.0, 20.0, 140.0):
            rig.machine.turn(table_deg=table_deg)
        rig.machine.stand()
        assert rig.machine.slip_deg("turntable", 2.0) == 0.0
        slip(rig, "Y", -7.2)
        assert rig.machine.slip_deg("turntable", 2.0) == pytest.approx(-7.2, abs=1.2)


def test_a_switch_that_is_nowhere_near_is_told_as_that(tmp_path: Path) -> None:
    with homed_rig(tmp_path) as rig:
        rig.machine.turn(chute_deg=90.0)
        rig.machine.stand()
        slip(rig, "X", 60.0)
        found_deg = rig.machine.slip_deg("chute", 1.0)
        assert found_deg is not None
        assert math.isinf(found_deg)


def test_a_look_at_the_switch_leaves_the_chute_where_it_says_it_is(tmp_path: Path) -> None:
    with homed_rig(tmp_path) as rig:
        rig.machine.turn(chute_deg=90.0)
        assert rig.machine.slip_deg("chute", 1.0) == 0.0
        assert rig.machine.chute_deg == pytest.approx(-1.0, abs=0.01)
        rig.machine.turn(chute_deg=40.0)
        rig.machine.push(40.0)


@pytest.mark.parametrize("chute", [SERVO_CHUTE, None], ids=["servo", "none"])
def test_what_has_no_switch_claims_nothing_and_moves_nothing(tmp_path: Path, chute: Any) -> None:
    bins = {} if chute is not None else {"bins": (), "sort": None}
    with homed_rig(tmp_path, chute=chute, **bins) as rig:
        assert rig.machine.slip_deg("turntable", 2.0) is None
        if chute is not None:
            assert rig.machine.slip_deg("chute", 1.0) is None
        else:
            with pytest.raises(NotFitted, match="no axis 'chute'"):
                rig.machine.slip_deg("chute", 1.0)
        assert not rig.moves


def test_an_axis_that_does_not_know_where_it_is_is_not_sent_to_look(tmp_path: Path) -> None:
    with connected_rig(tmp_path) as rig:
        rig.forget_told()
        with pytest.raises(Interlocked):
            rig.machine.slip_deg("chute", 1.0)
        rig.machine.park()
        rig.forget_told()
        with pytest.raises(NotHomed):
            rig.machine.slip_deg("chute", 1.0)
        assert not rig.moves


def test_an_axis_in_doubt_does_not_turn_before_it_is_homed(tmp_path: Path) -> None:
    with homed_rig(tmp_path) as rig:
        rig.machine.doubt("chute")
        assert not rig.machine.is_homed
        with pytest.raises(NotHomed):
            rig.machine.turn(chute_deg=90.0)
        assert not rig.moves
        rig.machine.home_axis("chute")
        rig.machine.turn(chute_deg=90.0)
        rig.machine.doubt("turntable")
        with pytest.raises(NotHomed):
            rig.machine.turn(table_deg=90.0)
        with pytest.raises(NotFitted):
            rig.machine.doubt("ejector")
