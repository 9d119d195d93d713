"""Step ``centre``: where the table's axis is in the picture, and how many millimetres a pixel is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sorter.calibrate.brick import BRICKS, fit_brick
from sorter.calibrate.errors import NotMeasured
from sorter.calibrate.outcome import StepResult
from sorter.calibrate.outline import outline_box
from sorter.calibrate.talk import ask_number
from sorter.calibrate.view import LEAST_VIEWS, fit_turning
from sorter.types import LocationKind
from sorter.vision import locate

if TYPE_CHECKING:
    from sorter.calibrate.bench import Bench
    from sorter.calibrate.view import TableView
    from sorter.types import Frame, Location

_VIEWS = 16
_MOST_DEVIATION = 0.025  # of the scale; a fit that is less sure has not measured it
_FAR_OFF = 0.15  # of the picture's shorter side, from its middle to the axis
_MOST_RADIUS_MM = 500.0

_BRICK = """Lay ONE {brick} on the table, studs up, near the middle but not on it, and wholly in the picture while it
turns round. Assumed is: a lens without much distortion, the camera level, square pixels."""

_MARK = """Stick ONE dot of 4 to 8 mm on the table (or lay a flat round tile there), as far from the middle as it stays
in the picture all the way round, and measure with a ruler how far its middle is from the table's. At the very rim that
is half of the table's diameter. Take everything else off."""


def centre(bench: Bench) -> StepResult:
    """Ask what lies there, turn it round, and fit."""
    how = bench.talk.choose(
        "What tells the size?",
        {"brick": "a brick whose size is known", "mark": "a dot whose distance from the middle is measured"},
    )
    return _by_brick(bench) if how == "brick" else _by_mark(bench)


def _by_brick(bench: Bench) -> StepResult:
    names = {name: f"{size.along} × {size.across}, {size.high_mm:g} mm high" for name, size in BRICKS.items()}
    name = bench.talk.choose("Which brick or plate (3001 is the 2 × 4 brick)?", names)
    bench.talk.say(_BRICK.format(brick=f"{name} ({names[name]})"))
    seen, picture_px = _turned_round(bench)
    boxes = [outline_box(each.frame, each.location) for each in seen]
    fit = fit_brick([each.angle_deg for each in seen], boxes, BRICKS[name], picture_px)
    if fit.mm_per_px_deviation > _MOST_DEVIATION * fit.mm_per_px:
        raise NotMeasured(
            f"a pixel would be {fit.mm_per_px:.4f} ± {fit.mm_per_px_deviation:.4f} mm, and that is not sure enough",
            remedy="Lay the brick 5 to 10 mm from the table's middle, in a colour that stands out and in even light, "
            "and check that it is the brick that you named.",
        )
    return _written(
        bench,
        fit.view,
        picture_px,
        mm_per_px=fit.mm_per_px,
        deviation=fit.mm_per_px_deviation,
        told=f"axis sure to {fit.centre_deviation_px:.1f} px, the fit misses outlines by {fit.residual_px:.1f} px",
    )


def _by_mark(bench: Bench) -> StepResult:
    bench.talk.say(_MARK)
    radius_mm = ask_number(bench.talk, "How far is it from the table's middle?", 5.0, _MOST_RADIUS_MM, unit="mm")
    error_mm = ask_number(bench.talk, "How far may that be wrong?", 0.0, radius_mm / 2, default=0.5, unit="mm")
    seen, picture_px = _turned_round(bench)
    fit = fit_turning([each.angle_deg for each in seen], [_middle_px(each.location) for each in seen])
    mm_per_px = radius_mm / fit.radius
    relative = float(np.hypot(error_mm / radius_mm, fit.radius_deviation / fit.radius))
    return _written(
        bench,
        fit.view,
        picture_px,
        mm_per_px=mm_per_px,
        deviation=mm_per_px * relative,
        told=f"axis sure to {fit.centre_deviation_px:.1f} px, the dot strays by {fit.residual_px:.1f} px",
    )


@dataclass(frozen=True, eq=False)
class _Seen:
    """One thing, wholly seen, while the table stood at an angle."""

    angle_deg: float
    frame: Frame
    location: Location


def _turned_round(bench: Bench) -> tuple[list[_Seen], tuple[int, int]]:
    """What was seen in one turn, and width and height of the frames."""
    bench.talk.ask("Press Enter when it lies there. The arm is parked, then the table turns once round.", "")
    bench.home("turntable")
    seen: list[_Seen] = []
    kinds: list[LocationKind] = []
    picture_px = (0, 0)
    for place in range(_VIEWS):
        angle_deg = 360.0 * place / _VIEWS
        bench.turn_table_to(angle_deg)
        frame = bench.frame()
        location = locate(frame)
        kinds.append(location.kind)
        picture_px = (frame.rgb.shape[1], frame.rgb.shape[0])
        if location.kind is LocationKind.ONE:
            seen.append(_Seen(angle_deg, frame, location))
    if len(seen) < LEAST_VIEWS:
        counted = ", ".join(f"{kinds.count(kind)} × {kind}" for kind in dict.fromkeys(kinds))
        raise NotMeasured(
            f"one thing, wholly in the picture, was seen from {len(seen)} of {_VIEWS} places only ({counted})",
            remedy="Lay it nearer to the table's middle, take all else off, and check the light.",
        )
    return seen, picture_px


def _middle_px(location: Location) -> tuple[float, float]:
    down, across = np.nonzero(location.mask)
    return float(across.mean()) + 0.5, float(down.mean()) + 0.5


def _written(
    bench: Bench, view: TableView, picture_px: tuple[int, int], *, mm_per_px: float, deviation: float, told: str
) -> StepResult:
    width_px, height_px = picture_px
    x, y = view.centre_px
    measured = f"{mm_per_px:.4f} ± {deviation:.4f} mm a pixel, axis at ({x:.0f}, {y:.0f}) px"
    bench.talk.say(f"Measured: {measured}; the camera looks down by {view.elevation_deg:.0f} deg; {told}.")
    if deviation > _MOST_DEVIATION * mm_per_px:
        bench.talk.say(f"That is not sure to {_MOST_DEVIATION:.1%}: a dot further out or a better ruler tells more.")
    off_px = float(np.hypot(x - width_px / 2, y - height_px / 2))
    if off_px > _FAR_OFF * min(picture_px):
        bench.talk.say(
            f"The axis is {off_px:.0f} px from the picture's middle. Turn the camera until it is nearer, or parts "
            "leave the picture as the table turns; then run this again."
        )
    is_written = bench.write({("camera", "mm_per_px"): round(mm_per_px, 5)})
    result = measured if is_written else f"{measured}; rig.toml left as it was"
    return StepResult(result, seen=(view, width_px, height_px))
