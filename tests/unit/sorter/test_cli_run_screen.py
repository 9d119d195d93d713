"""What a person sees of a running rig: every part, incident and answer, on a terminal and in a log."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from sorter.cli.demo_report import report_text
from sorter.cli.live_screen import LiveScreen
from sorter.cli.run_screen import LineScreen, make_screen, sure_of
from sorter.types import (
    AxisStatus,
    BinId,
    BinStatus,
    Decision,
    Outcome,
    OutcomeKind,
    PartColour,
    PartId,
    PartSummary,
    Prediction,
    RejectReason,
    RigState,
    Snapshot,
)
from tests.operators import incident, snapshot

SURE = Decision(
    "3001", None, Prediction(("3001", "3002"), (0.975, 0.025)), 2, PartColour("Dark Red", 320, 2.0, is_unsure=False)
)
NOT_SURE = Decision(None, RejectReason.SEVERAL, None, 0)
DONE = PartSummary(PartId(1), SURE, BinId("bricks"), Outcome(OutcomeKind.CONFIRMED, BinId("bricks")))
GONE = PartSummary(PartId(2), NOT_SURE, BinId("reject"), Outcome(OutcomeKind.LOST, None))
UNDER_WAY = PartSummary(PartId(3), SURE, BinId("bricks"), None)
JAM = incident(7, "part stuck", "taken", "push again")


def busy() -> Snapshot:
    return replace(
        snapshot(RigState.RUNNING, JAM, parts=2),
        axes=(AxisStatus("turntable", 45.0, is_homed=True), AxisStatus("chute", 0.0, is_homed=False)),
        bins=(
            BinStatus(BinId("bricks"), "bricks", 5, 10, {"3001": 5}, 0.9),
            BinStatus(BinId("reject"), "reject", 200, 200, {}, None),
        ),
        recent_parts=(UNDER_WAY, GONE, DONE),
        model="turntable10",
    )


def console(*, is_terminal: bool, width: int = 120, height: int = 40) -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    return Console(file=file, force_terminal=is_terminal, width=width, height=height, color_system=None), file


def test_without_a_terminal_each_part_and_incident_is_one_line_and_said_once() -> None:
    out, file = console(is_terminal=False)
    with LineScreen(out) as screen:
        screen.show(snapshot(RigState.IDLE))
        screen.say("an answer")
        for _ in range(3):
            screen.show(busy())
        screen.say("the last word [not markup]")
    assert file.getvalue().splitlines() == [
        "idle",
        "an answer",
        "incident 7, part stuck: what happened at part stuck  →  taken, push again",
        "part 1: 3001, 97.5%, Dark Red, 2 views → bricks, confirmed",
        "part 2: rejected, several, 0 views → reject, lost",
        "running",
        "the last word [not markup]",
    ]


def test_a_quiet_screen_still_tells_what_needs_a_person() -> None:
    out, file = console(is_terminal=False)
    with LineScreen(out, is_quiet=True) as screen:
        screen.show(busy())
    assert file.getvalue().splitlines() == ["incident 7, part stuck: what happened at part stuck  →  taken, push again"]


def test_a_terminal_shows_all_there_is_to_know() -> None:
    for width in (60, 120):
        out, file = console(is_terminal=True, width=width)
        with LiveScreen(out, "my rig", lambda: "sta") as screen:
            screen.say("two\nlines")
            screen.show(busy())
            screen.show(snapshot(RigState.FAULT, reason="the board is silent"))  # too soon: drawn at the end
        shown = file.getvalue()
        for text in ("my rig", "RUNNING", "2 parts", "turntable 45.0°", "chute not homed", "97.5%", "lost"):
            assert text in shown
        assert ("Dark Red" in shown) == (width == 120)
        for text in ("5/10", "200/200", "part stuck", "push again", "two", "lines", "> sta", "the board is silent"):
            assert text in shown


@pytest.mark.parametrize(("width", "height"), [(60, 20), (80, 24), (40, 12), (200, 10)])
def test_the_ways_out_and_the_prompt_are_in_sight_on_a_small_terminal(width: int, height: int) -> None:
    out, file = console(is_terminal=True, width=width, height=height)
    bins = tuple(BinStatus(BinId(f"b{number}"), f"bin {number}", number, 30, {}, None) for number in range(14))
    crowded = replace(busy(), bins=bins, recent_parts=(UNDER_WAY, GONE, DONE) * 3)
    with LiveScreen(out, "my rig", lambda: "taken") as screen:
        for number in range(9):
            screen.say(f"answer {number}")
        screen.show(crowded)
        lines = out.render_lines(screen._picture(crowded), pad=False)
        assert len(lines) <= height
    shown = file.getvalue()
    for text in ("RUNNING", "push again", "answer 8", "> taken"):
        assert text in shown


def test_a_part_of_no_known_kind_is_not_called_sure() -> None:
    unknown = replace(SURE, class_name=None, reject_reason=RejectReason.UNKNOWN_PART)
    assert sure_of(PartSummary(PartId(4), unknown, BinId("reject"), None)) == ""
    assert sure_of(DONE) == "97.5%"


def test_a_log_gets_lines_and_no_picture(capsys: object) -> None:
    assert isinstance(make_screen(is_quiet=False, title="x"), LineScreen)


def test_the_report_names_what_went_wrong_and_leaves_out_what_did_not_happen() -> None:
    interval = {"count": 1, "of": 10, "share": 0.1, "low": 0.01, "high": 0.4, "method": "bricks"}
    data = {
        "is_whole": False,
        "parts": 20,
        "parts_fed": 14,
        "photos": "/photographs",
        "model": "tiny",
        "seed": 1,
        "speed": 2.0,
        "bricks_seen_in_training": ["3001-red"],
        "sorted": 11,
        "misrouted": 1,
        "misrouted_interval": interval,
        "unknown_fed": 1,
        "unknown_accepted": 1,
        "unknown_rejected": 0,
        "rejected": 1,
        "rejected_interval": {**interval, "share": None},
        "recirculated": 0,
        "returned_to_hopper": 0,
        "taken": 0,
        "missing": 2,
        "unseen": 0,
        "astray": 0,
        "lost": 1,
        "double_counted": 1,
        "sharing_a_row": 0,
        "parts_per_minute": 20.0,
        "parts_per_minute_bound": 25.0,
        "bound_share": 0.8,
        "host_share": 0.03,
        "stage_s": {"feed": 0.5},
        "bound_s": {"feed": 0.4},
        "purity": {"3001": {**interval, "of": 10}, "3002": {**interval, "of": 0}},
        "wrong": [
            {
                "part": 4,
                "class": "3001",
                "design": "3001",
                "brick": "3001-red",
                "pose": "up",
                "bin": "3002",
                "taken_for": "3002",
                "probability": 0.97,
                "views": 2,
            }
        ],
        "lost_parts": [{"part": 5, "class": None, "design": "3622", "brick": None, "pose": "", "why": "fell beside"}],
        "double_counting_rows": [6, 9],
        "rows_too_many": [],
        "rows_of_nothing": [12],
        "unexplained_parts": [],
        "elsewhere_parts": [],
        "unexplained_incidents": {"jam": 2},
        "faults": {},
        "collisions": ["the chute moved"],
        "incidents": {"hopper empty": 1},
    }
    text = report_text(data)
    for line in (
        "interrupted: 14 parts of 20 fed; model tiny, photographs of /photographs",
        "1 brick on these photographs the model was trained on",
        "10.00% of the known parts that were sorted (95 %: 1.00% to 40.00%, over bricks)",
        "20.0 parts a minute; mechanics and exposure would allow 25.0 (80%); the host's own share 3.0%",
        "part 4: 3001 (3001-red, up) in 3002, taken for 3002 at 97.0%, 2 views",
        "LOST: part 5: unknown 3622 fell beside",
        "missing              2   the records say that nobody knows where they are",
        "ROWS THAT COUNT A PART TOO MANY: 6, 9",
        "rows where nothing lay: 12",
        "of these without a fault to blame: jam 2",
        "COLLISION: the chute moved",
        "incidents: hopper empty 1",
    ):
        assert line in text
    assert "fed again" not in text
    assert "astray" not in text
    assert "rows for parts that had one" not in text
    assert "3002  " not in text
