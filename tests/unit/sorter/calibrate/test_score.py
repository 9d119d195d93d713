"""How good a rig is, and what to improve first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.calibrate.score import PartScore, ScoreCard, verdict
from sorter.types import RejectReason

TIMES = {"look": 2.0, "decide": 0.1, "route": 0.5, "eject": 0.9}


def part(**changes: object) -> PartScore:
    given_ = {
        "true_class": "3001",
        "decided": "3001",
        "reject_reason": None,
        "views": 2,
        "wanted_bin": "red",
        "fell_into": "red",
        "was_seen_in_chute": None,
        "stray_px": 0.5,
        "stage_s": TIMES,
    }
    return PartScore(**{**given_, **changes})  # type: ignore[arg-type]


def rejected(reason: RejectReason) -> PartScore:
    return part(decided=None, reject_reason=reason, wanted_bin="reject", fell_into="reject")


def card(*parts: PartScore) -> ScoreCard:
    return ScoreCard(parts, picture_px=300, mm_per_px=0.25, most_views=8)


@given(right=st.integers(0, 5), wrong=st.integers(0, 5), refused=st.integers(0, 5))
def test_every_part_counts_once(right: int, wrong: int, refused: int) -> None:
    parts = [*[part()] * right, *[part(decided="3002")] * wrong, *[rejected(RejectReason.UNSURE)] * refused]
    if not parts:
        return
    scored = card(*parts)
    assert (scored.right, scored.wrong, scored.rejected) == (right, wrong, refused)
    assert scored.delivered == len(parts)
    assert scored.as_dict()["parts"] == len(parts)


def test_a_good_rig_is_told_so() -> None:
    assert verdict(card(*[part()] * 10)) == [
        "This rig does well: recognition, delivery and the table's repeatability are as they should be."
    ]


def test_few_parts_are_told_to_say_little() -> None:
    assert "3 parts say little" in verdict(card(*[part()] * 3))[-1]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (part(fell_into="reject"), "Chute: 5 of 10 parts fell into another bin than they were sent to (red)"),
        (part(fell_into=None), "Ejector: 5 of 10 parts came into no bin"),
        (part(stray_px=20.0), "Table: after a turn parts are 14.1 px from where they were"),
        (part(decided="3002"), "Recognition: 5 of 10 right, 5 wrong, 0 rejected. Take pictures"),
        (rejected(RejectReason.UNSURE), "Most were unsure: measure the scale"),
        (rejected(RejectReason.SEVERAL), "Several things were seen"),
        (rejected(RejectReason.BLURRED), "focus the lens"),
        (part(views=8), "Speed: a part takes 5.0 views"),
    ],
)
def test_what_is_bad_is_named_first_with_what_to_do(bad: PartScore, words: str) -> None:
    assert words in verdict(card(*[part()] * 5, *[bad] * 5))[0]


def test_every_reason_to_reject_has_its_help() -> None:
    for reason in RejectReason:
        assert "Recognition" in verdict(card(*[rejected(reason)] * 10))[0]


def test_a_part_that_was_not_seen_again_says_nothing_about_the_table() -> None:
    scored = card(*[part(stray_px=None)] * 10)
    assert scored.stray_px is None
    assert scored.as_dict()["stray_mm"] is None
    assert verdict(scored)[0].startswith("This rig does well")


def test_the_report_has_millimetres_and_seconds() -> None:
    data = card(part(stray_px=2.0), part(stray_px=2.0)).as_dict()
    assert data["stray_mm"] == 0.5
    assert data["stage_s"] == TIMES
