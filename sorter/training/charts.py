"""Small charts as SVG that stands in an HTML page: lines, points with intervals, and the diagonal of what is ideal.

Colours and fonts come from the page: text has the page's colour, classes ``one`` to ``four`` that of a series. A chart
is 360 units wide, about a phone's width in px, so its letters can be read there.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    Point = tuple[float, float]

STYLE = """
.chart { display: block; width: 100%; max-width: 30rem; height: auto; margin: .5rem 0 }
.chart text { fill: currentColor; font-size: 11px } .chart .axis { stroke: currentColor; stroke-opacity: .5 }
.chart .grid { stroke: currentColor; stroke-opacity: .15 }
.chart .ideal { stroke: currentColor; stroke-opacity: .5; stroke-dasharray: 4 4 }
.chart path { fill: none; stroke-width: 2 } .chart .whisker { stroke-width: 1.5 }
.chart .one { stroke: var(--one) } .chart .two { stroke: var(--two) } .chart .three { stroke: var(--three) }
.chart .four { stroke: var(--four) } .chart circle { stroke: none }
.chart circle.one { fill: var(--one) } .chart circle.two { fill: var(--two) } .chart circle.three { fill: var(--three) }
.chart circle.four { fill: var(--four) }
.key { display: flex; flex-wrap: wrap; gap: .2rem 1rem; padding: 0; margin: .3rem 0; list-style: none;
  font-size: .85rem }
.key i { display: inline-block; width: 1.4rem; height: .25rem; margin-right: .4rem; vertical-align: middle }
"""
SERIES = ("one", "two", "three", "four")

_WIDTH, _HEIGHT = 360.0, 270.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 18.0, 12.0, 40.0
_CAP = 5.0  # half the width of an interval's end


@dataclass(frozen=True)
class Axis:
    """From ``low`` to ``high``, with marks and what they say."""

    title: str
    low: float
    high: float
    marks: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Bar:
    """A point with an interval around it, None where there is none; ``size`` is 0 to 1 of the largest point."""

    x: float
    y: float
    interval: tuple[float, float] | None = None
    size: float = 0.5


def percent_axis(title: str, low: float = 0.0, high: float = 1.0) -> Axis:
    """Marks at round shares (0 to 1), about five of them."""
    step = next((each for each in (0.01, 0.02, 0.05, 0.1, 0.2) if (high - low) / each <= 5.0 + 1e-9), 0.25)
    first = round(low / step)
    marks = []
    while first * step <= high + 1e-9:
        if first * step >= low - 1e-9:
            marks.append((first * step, f"{first * step:.0%}"))
        first += 1
    return Axis(title, low, high, tuple(marks))


def chart(
    label: str,
    x: Axis,
    y: Axis,
    *,
    lines: Sequence[Sequence[Point]] = (),
    bars: Sequence[Sequence[Bar]] = (),
    is_ideal_shown: bool = False,
) -> str:
    """One picture.

    Args:
        label: for those who cannot see it.
        x: to the right.
        y: upwards.
        lines: series in the order of ``SERIES``, each from left to right.
        bars: series of points with intervals.
        is_ideal_shown: with the diagonal where y is x.
    """
    parts = [_grid(x, y)]
    if is_ideal_shown:
        low, high = max(x.low, y.low), min(x.high, y.high)
        parts.append(_line("ideal", _place(x, y, (low, low)), _place(x, y, (high, high))))
    parts += [_path(name, [_place(x, y, each) for each in points]) for name, points in zip(SERIES, lines, strict=False)]
    parts += [_bar(name, x, y, each) for name, points in zip(SERIES, bars, strict=False) for each in points]
    return (
        f'<svg class="chart" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img" aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg>"
    )


def key(names: Sequence[str]) -> str:
    """What the series' colours mean."""
    items = "".join(
        f'<li><i style="background:var(--{series})"></i>{escape(name)}</li>'
        for series, name in zip(SERIES, names, strict=False)
    )
    return f'<ul class="key">{items}</ul>'


def _place(x: Axis, y: Axis, point: Point) -> Point:
    across = (min(max(point[0], x.low), x.high) - x.low) / (x.high - x.low)
    up = (min(max(point[1], y.low), y.high) - y.low) / (y.high - y.low)
    return _LEFT + across * (_WIDTH - _LEFT - _RIGHT), _HEIGHT - _BOTTOM - up * (_HEIGHT - _TOP - _BOTTOM)


def _grid(x: Axis, y: Axis) -> str:
    left, bottom = _place(x, y, (x.low, y.low))
    right, top = _place(x, y, (x.high, y.high))
    parts = []
    for value, text in x.marks:
        at, _ = _place(x, y, (value, y.low))
        parts.append(_line("grid", (at, top), (at, bottom)) + _text(at, bottom + 15, text, "middle"))
    for value, text in y.marks:
        _, at = _place(x, y, (x.low, value))
        parts.append(_line("grid", (left, at), (right, at)) + _text(left - 5, at + 4, text, "end"))
    parts.append(_line("axis", (left, bottom), (right, bottom)) + _line("axis", (left, top), (left, bottom)))
    parts.append(_text((left + right) / 2, _HEIGHT - 8, x.title, "middle"))
    middle = (top + bottom) / 2
    parts.append(
        f'<text x="10" y="{middle:.1f}" text-anchor="middle" transform="rotate(-90 10 {middle:.1f})">'
        f"{escape(y.title)}</text>"
    )
    return "".join(parts)


def _bar(name: str, x: Axis, y: Axis, bar: Bar) -> str:
    at, height = _place(x, y, (bar.x, bar.y))
    whiskers = ""
    if bar.interval is not None:
        (_, low), (_, high) = (_place(x, y, (bar.x, each)) for each in bar.interval)
        whiskers = "".join(
            _line(f"whisker {name}", *ends)
            for ends in (
                ((at, low), (at, high)),
                ((at - _CAP, low), (at + _CAP, low)),
                ((at - _CAP, high), (at + _CAP, high)),
            )
        )
    return f'{whiskers}<circle class="{name}" cx="{at:.1f}" cy="{height:.1f}" r="{2.5 + 4.0 * bar.size:.1f}"/>'


def _path(name: str, points: Sequence[Point]) -> str:
    steps = " L".join(f"{across:.1f} {down:.1f}" for across, down in points)
    return f'<path class="{name}" d="M{steps}"/>' if points else ""


def _line(name: str, start: Point, end: Point) -> str:
    return f'<line class="{name}" x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"/>'


def _text(across: float, down: float, text: str, anchor: str) -> str:
    return f'<text x="{across:.1f}" y="{down:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
