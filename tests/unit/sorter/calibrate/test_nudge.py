"""Moving something by typed steps until it is right."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.calibrate import TalkEnded
from sorter.calibrate.nudge import nudge
from sorter.calibrate.talk import ask_number
from tests.unit.sorter.calibrate.benches import Script


def moved(*answers: str, limits_deg: tuple[float, float] | None = (0.0, 180.0)) -> tuple[float, list[float], Script]:
    script, moves = Script(*answers), list[float]()
    return nudge(script, "The arm", 20.0, limits_deg, moves.append), moves, script


@pytest.mark.parametrize(
    ("answers", "moves"),
    [
        (["ok"], [20.0]),
        (["+", "++", "-", "ok"], [20.0, 21.0, 26.0, 25.0]),
        (["--", "ok"], [20.0, 15.0]),
        (["+12,5", "- 2.5", "ok"], [20.0, 32.5, 30.0]),
        (["=90", "ok"], [20.0, 90.0]),
    ],
)
def test_it_goes_where_it_is_told(answers: list[str], moves: list[float]) -> None:
    angle, made, _ = moved(*answers)
    assert made == moves
    assert angle == moves[-1]


@pytest.mark.parametrize("answer", ["left", "90", "+x", "=nan", "=inf", "+1e400", "=", "OK?"])
def test_nothing_moves_at_words_that_are_no_step(answer: str) -> None:
    _, made, script = moved(answer, "ok")
    assert made == [20.0]
    assert "is none of these" in script.text


def test_nothing_goes_beyond_its_limits() -> None:
    _, made, script = moved("--", "--", "--", "--", "--", "=181", "ok")
    assert made == [20.0, 15.0, 10.0, 5.0, 0.0]
    assert "-5 deg is not within 0 to 180 deg" in script.text


def test_what_turns_without_end_is_not_sent_where_nobody_means() -> None:
    _, made, script = moved("=1e300", "-90000", "=725", "ok", limits_deg=None)
    assert made == [20.0, 725.0]
    assert "1e+300 deg is not within -36000 to 36000 deg" in script.text


def test_the_end_of_the_answers_leaves_it_where_it_is() -> None:
    with pytest.raises(TalkEnded):
        moved("+")


@given(number=st.floats(1.0, 100.0))
def test_a_number_is_asked_for_until_it_is_one(number: float) -> None:
    script = Script("many", "0.5", "101", "nan", f" {number!r} mm")
    assert ask_number(script, "How many?", 1.0, 100.0, unit="mm") == number
    assert len(script.said) == 4
