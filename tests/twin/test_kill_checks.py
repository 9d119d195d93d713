"""What looks for broken promises after a kill does find them: else a green test of kills would say nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from firmware_bridge.wirelog import Entry
from sorter.app.truth import Journey
from sorter.ledger import LEDGER_FILE, Ledger
from sorter.types import BinId, Decision, Outcome, OutcomeKind, RejectReason
from tests.ledgers import row_of
from tests.twin import kill_stages as stages
from tests.twin.kill_ledger import copied, disagreements, has_tables, integrity, rows_of
from tests.twin.kill_stages import Words, stage_of, wire_entries
from tests.twin.kill_truth import FELL_BESIDE, IS_UNTOLD, WAS_SWEPT, account_for
from tests.twin.kill_wire import Wire

if TYPE_CHECKING:
    from pathlib import Path

WORDS = Words(table="Y", chute="X", servo=0, push_deg=130.0, fan=0)
HOMED = ("M280 P0 S20", "G28 X", "G92 X0", "G92 Y0")
SWEPT = (*HOMED, "G1 X90 F600", "M280 P0 S130", "M280 P0 S20")
UNFINISHED = row_of(1, "red", begin_s=11.0, end_s=None)


def entries(*sent: str, begin_s: float = 0.0) -> list[Entry]:
    """What was sent, as the link frames it."""
    return [Entry(begin_s + 0.1 * n, True, f"N{n} {text}*{n}\n".encode()) for n, text in enumerate(sent, start=1)]


def wire(*logged: Entry) -> Wire:
    looked = Wire()
    looked.look("log", logged, WORDS)
    return looked


def test_what_a_homed_rig_does_is_right() -> None:
    looked = wire(*entries(*SWEPT, "M106 P0 S200", "M107 P0", "G1 X10 Y20 F600", "M280 P0 S130"))
    assert looked.problems == []
    assert (looked.connections, looked.homings, looked.moves, looked.pushes, looked.feedings) == (1, 1, 2, 2, 1)


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (("G1 Y10 F600",), "Y moves and is not homed"),
        (("G92 X0", "G92 Y0", "G1 X10 Y20 F600"), "X moves and is not homed"),
        (("G28 X", "G1 X10 F600", "M280 P0 S130"), "Y is not homed"),
        (("G92 Y0", "M106 P0 S160"), "X is not homed"),
        ((*HOMED, "M410", "G0 Y5"), "Y moves and is not homed"),
    ],
)
def test_what_moves_before_it_is_homed_is_found(sent: tuple[str, ...], told: str) -> None:
    (problem,) = wire(*entries(*sent)).problems
    assert told in problem


def test_a_homing_is_worth_nothing_after_a_reset_or_on_another_link() -> None:
    reset = Entry(5.0, False, b"start\nPowerUp\n")
    move = entries("G1 X10 F600", begin_s=5.0)
    assert len(wire(*entries(*HOMED), reset, *move).problems) == 1
    again = wire(*entries(*HOMED, begin_s=5.0), *entries("G1 X10 F600"))
    assert again.connections == 2
    assert len(again.problems) == 1


def way(part: int, place: str | None, *, landed_s: float, pushed_s: float | None, fell_s: float | None) -> Journey:
    pushed = () if pushed_s is None else (pushed_s,)
    return Journey(part, "3001", "3001", None, "up", False, landed_s - 0.3, landed_s, pushed, fell_s, place)


RED = way(7, "red", landed_s=9.0, pushed_s=12.0, fell_s=12.3)
CONFIRMED = row_of(1, "red", begin_s=11.0, end_s=13.0)


def test_rows_that_say_what_is_true_are_counted_as_such() -> None:
    killed = replace(row_of(2, None, begin_s=21.0, end_s=40.0, kind=OutcomeKind.UNRESOLVED), intended_bin=BinId("red"))
    lying = row_of(3, None, begin_s=51.0, end_s=60.0, kind=OutcomeKind.STUCK, is_intended=False)
    ways = [
        RED,
        way(8, "red", landed_s=19.0, pushed_s=22.0, fell_s=22.3),
        way(9, "reject", landed_s=49.0, pushed_s=61.0, fell_s=61.3),
        way(10, "reject", landed_s=59.5, pushed_s=61.0, fell_s=61.3),
        way(11, "beside", landed_s=59.5, pushed_s=61.0, fell_s=61.3),
    ]
    found = account_for(ways, [CONFIRMED, killed, lying], {2: 22.1, 3: 55.0}, "reject")
    assert found.problems == []
    assert found.places[OutcomeKind.CONFIRMED] == {"in that bin": 1}
    assert found.places[OutcomeKind.UNRESOLVED] == {"pushed into its bin": 1}
    assert found.places[OutcomeKind.STUCK] == {"not pushed; later reject": 1}
    assert found.untold == {WAS_SWEPT: 1, FELL_BESIDE: 1}


@pytest.mark.parametrize(
    ("row", "journey", "told"),
    [
        (CONFIRMED, replace(RED, place="blue"), "says red, and the part lies in blue"),
        (CONFIRMED, replace(RED, pushed_s=(), fell_s=None, place=None), "the arm did not strike"),
        (CONFIRMED, replace(RED, landed_s=20.0, pushed_s=(22.0,), fell_s=22.3, place="reject"), "no part lay"),
        (replace(CONFIRMED, outcome=OutcomeKind.STUCK, bin=None), RED, "the arm struck it"),
        (replace(CONFIRMED, outcome=OutcomeKind.UNRESOLVED, bin=None), RED, "no kill came in its way"),
        (UNFINISHED, RED, "has no end"),
    ],
)
def test_a_row_that_says_what_is_not_true_is_found(row: object, journey: Journey, told: str) -> None:
    problems = account_for([journey], [row], {}, "reject").problems  # type: ignore[list-item]
    assert any(told in problem for problem in problems), problems


def test_a_part_that_nobody_tells_of_or_two_rows_tell_of_is_found() -> None:
    found = account_for([RED], [], {}, "reject")
    assert found.untold == {IS_UNTOLD: 1}
    assert len(found.problems) == 1
    (problem,) = account_for([RED], [CONFIRMED, replace(CONFIRMED, part=2)], {}, "reject").problems  # type: ignore[arg-type]
    assert "rows 1, 2 tell of one way" in problem


@pytest.mark.parametrize(
    ("said", "sent", "row", "stage"),
    [
        ("", (), None, stages.STARTS),
        ("note\nconnecting\n", (), None, stages.CONNECTS),
        ("connecting\nunhomed\nhoming\n", HOMED, None, stages.HOMES),
        ("homing\n", SWEPT, None, stages.LEARNS),
        ("homing\nidle\n", SWEPT, None, stages.READY),
        ("idle\nrunning\n", SWEPT, None, stages.BETWEEN),
        ("running\n", (*SWEPT, "M106 P0 S160", "M119"), None, stages.FEED),
        ("running\npart 3: x\n", (*SWEPT, "M106 P0 S160", "M107 P0"), None, stages.SETTLE),
        ("running\n", (*SWEPT, "M106 P0 S160", "M107 P0"), replace(UNFINISHED, intended_at=None), stages.LOOK),
        ("running\n", (*SWEPT, "M106 P0 S160", "M107 P0", "G1 X5 F600"), UNFINISHED, stages.ROUTE),
        ("running\n", (*SWEPT, "M106 P0 S160", "M107 P0", "M280 P0 S130"), UNFINISHED, stages.EJECT),
        ("running\n", (*SWEPT, "M106 P0 S160", "M280 P0 S130", "M280 P0 S20"), UNFINISHED, stages.CONFIRM),
        ("running\n", (*SWEPT, "M106 P0 S160", "M280 P0 S130", "M280 P0 S20"), None, stages.BETWEEN),
        ("running\nstopping\n", SWEPT, None, stages.ENDS),
    ],
)
def test_a_kill_is_put_down_to_the_stage_that_it_came_in(
    said: str, sent: tuple[str, ...], row: object, stage: str
) -> None:
    assert stage_of(said, entries(*sent), row, WORDS) == stage  # type: ignore[arg-type]


def test_a_log_that_a_kill_cut_off_in_the_middle_of_a_line_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "wire"
    whole = entries("M119", "M400")
    file.write_text("".join(f"{each}\n" for each in whole) + "12.34", encoding="ascii")
    assert wire_entries(file) == whole
    assert wire_entries(tmp_path / "nothing") == []


def test_counts_that_do_not_follow_from_the_rows_are_found(tmp_path: Path) -> None:
    file = tmp_path / LEDGER_FILE
    with Ledger(file) as ledger:
        part = ledger.open_part()
        ledger.intend(part, Decision(None, RejectReason.UNSURE, None, 0), BinId("red"))
        ledger.finish(part, Outcome(OutcomeKind.CONFIRMED, BinId("red")))
        with copied(file) as copy:  # in the middle of it all, and nothing of that is seen in the copy's original
            assert has_tables(copy)
            assert integrity(copy) == "ok"
            assert [row.bin for row in rows_of(copy)] == ["red"]
        ledger.empty_bins([BinId("red")])
    assert disagreements(file, []) == []
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE contents SET parts = 2")
        connection.execute("UPDATE rollups SET confirmed = 3")
        connection.commit()
    told = disagreements(file, [])
    assert len(told) == 2
    assert "the totals say 3 confirmed" in told[0]
    assert "bin red had 2 parts, and 1 rows name it" in told[1]
