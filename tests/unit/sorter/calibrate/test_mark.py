"""By how much has the table turned between two pictures?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.calibrate.errors import NotMeasured
from sorter.calibrate.gearing import SURVEY_DEG
from sorter.calibrate.mark import TablePicture, fixed_part, table_picture, turned_by, without
from sorter.calibrate.view import TableView
from sorter.twin.eye import Eye
from sorter.twin.pictures import make_pictures
from sorter.twin.scene import PictureMaker, Scene
from sorter.types import Frame
from tests.drawn_table import EYE, DrawnTable, Mark
from tests.twins import twin_settings

FAINT = (Mark(dark=0.06), Mark(-14.0, 9.0, 3.0, 3.0, dark=0.1))
GUESS = TableView.guessed(EYE.width_px, EYE.height_px)


def short_way(angle_deg: float) -> float:
    return (angle_deg + 180.0) % 360.0 - 180.0


def pictures(table: DrawnTable, *angles: float) -> list[TablePicture]:
    return [table_picture([table.frame(angle, seed=number)]) for number, angle in enumerate(angles)]


def surveyed(table: DrawnTable, *angles: float) -> list[TablePicture]:
    """Pictures without what stays in its place, each with another half of the survey taken off."""
    survey = pictures(table, *(20.0 + np.cumsum(SURVEY_DEG)))
    fixed = fixed_part(survey[::2]), fixed_part(survey[1::2])
    return [without(each, fixed[number % 2]) for number, each in enumerate(pictures(table, *angles))]


@settings(deadline=None, max_examples=12)
@given(turned_deg=st.floats(-2.0, 2.0), whole=st.integers(-3, 3), start_deg=st.floats(0.0, 360.0))
def test_whole_turns_are_told_to_a_twentieth_of_a_degree_by_a_guessed_view(
    turned_deg: float, whole: int, start_deg: float
) -> None:
    before, after = pictures(DrawnTable(), start_deg, start_deg + 360.0 * whole + turned_deg)
    turn = turned_by(before, after, GUESS)
    assert turn.angle_deg == pytest.approx(turned_deg, abs=0.05 + 0.05 * abs(turned_deg))
    assert turn.deviation_deg < 0.03


@pytest.mark.parametrize("turned_deg", [20.0, 90.0, -140.0])
def test_a_view_that_was_measured_tells_any_turn(turned_deg: float) -> None:
    view = TableView.of_camera(EYE.elevation_deg, EYE.px_per_mm * EYE.distance_mm, (160.0, 120.0))
    before, after = pictures(DrawnTable(), 30.0, 30.0 + turned_deg)
    assert turned_by(before, after, view).angle_deg == pytest.approx(turned_deg, abs=0.1)


def test_a_table_that_turns_clockwise_is_told_by_the_sign() -> None:
    before, after = pictures(DrawnTable(is_clockwise=True), 0.0, 10.0)
    assert turned_by(before, after, GUESS).angle_deg == pytest.approx(-10.0, abs=0.5)


@pytest.mark.parametrize("turned_deg", [0.4, -3.0, 25.0])
def test_glare_and_an_arm_in_the_picture_do_not_hold_the_angle_back(turned_deg: float) -> None:
    table = DrawnTable(marks=FAINT, glare=True)
    before, after = surveyed(table, 0.0, turned_deg)
    assert turned_by(before, after, GUESS).angle_deg == pytest.approx(turned_deg, abs=0.15 + 0.05 * abs(turned_deg))
    # With them, it looks as if nothing had turned.
    held = turned_by(*pictures(table, 0.0, turned_deg), GUESS, within_deg=60.0).angle_deg
    assert abs(held) < 0.2 * abs(turned_deg) + 0.05


def test_the_faint_specks_of_the_twins_table_are_mark_enough() -> None:
    wrong = []
    for seed in (1, 2):
        _, maker = make_pictures(twin_settings(seed=seed))

        def picture(angle_deg: float, number: int, maker: PictureMaker = maker) -> TablePicture:
            shots = [maker.picture([Scene(angle_deg)], 10 * number + shot) for shot in range(3)]
            return table_picture([Frame(rgb, 0.0, 0) for rgb in shots])

        survey = [picture(20.0 + angle, number) for number, angle in enumerate(np.cumsum(SURVEY_DEG))]
        fixed = fixed_part(survey[::2]), fixed_part(survey[1::2])
        before = without(picture(0.0, 50), fixed[0])
        for number, turned_deg in enumerate((0.3, -1.7)):
            turn = turned_by(before, without(picture(turned_deg, 60 + number), fixed[1]), TableView.guessed(300, 300))
            wrong.append(turn.angle_deg - turned_deg)
    assert np.sqrt(np.mean(np.square(wrong))) < 0.1


def test_a_bare_table_says_that_it_needs_a_mark() -> None:
    with pytest.raises(NotMeasured, match="nothing is seen that turns") as caught:
        turned_by(*surveyed(DrawnTable(marks=(), glare=True), 0.0, 5.0), GUESS)
    assert "sticker" in caught.value.remedy


def test_two_marks_that_are_alike_are_no_mark() -> None:
    table = DrawnTable(marks=(Mark(18.0, 0.0, angle_deg=0.0), Mark(-18.0, 0.0, angle_deg=0.0)))
    with pytest.raises(NotMeasured, match="looks the same turned by"):
        turned_by(*pictures(table, 0.0, 5.0), GUESS)
    assert turned_by(*pictures(table, 0.0, 5.0), GUESS, within_deg=90.0).angle_deg == pytest.approx(5.0, abs=0.5)


def test_an_axis_that_is_not_in_the_middle_does_no_harm_after_whole_turns() -> None:
    table = DrawnTable(eye=Eye(47.0, 90.0, 4.1, 300, 300, 5.0, -5.0))
    turn = turned_by(*pictures(table, 0.0, 360.2), TableView.guessed(300, 300), within_deg=60.0)
    assert turn.angle_deg == pytest.approx(0.2, abs=0.1)


def test_a_dark_picture_is_refused() -> None:
    with pytest.raises(NotMeasured, match="no table can be made out"):
        table_picture([Frame(np.full((240, 320, 3), 3, np.uint8), 0.0, 0)])


def test_a_survey_needs_three_pictures() -> None:
    with pytest.raises(ValueError, match="three pictures or more, got 2"):
        fixed_part(pictures(DrawnTable(), 0.0, 40.0))
