"""An evaluation as one HTML page that needs nothing else: numbers, charts and pictures, for a screen or a phone."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING

import cv2

from sorter.training import charts
from sorter.training.evaluation_sections import (
    about_model,
    brackets,
    classes,
    confusion,
    left_out,
    misroutes,
    percent,
    reliability,
    several_views,
    thresholds,
    unknown,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sorter.training.evaluation import Evaluation
    from sorter.types.pictures import RgbArray

_JPEG_QUALITY = 85
_MOST_TILE_PX = 160

_STYLE = (
    """
:root { color-scheme: light dark; --line: #8886; --error: #b3261e; --note: #2b5fa8;
  --one: #2b5fa8; --two: #b3561e; --three: #2e7d4f; --four: #7a3fa0; --right: 43 95 168; --wrong: 179 38 30 }
@media (prefers-color-scheme: dark) { :root { --error: #ff8a80; --note: #8fbaff; --one: #8fbaff; --two: #ffb07a;
  --three: #86d8a4; --four: #d3a6f5; --right: 110 165 255; --wrong: 255 110 100 } }
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem }
h3 { font-size: 1rem; margin: 1rem 0 0 } p { margin: .4rem 0 } .small { font-size: .85rem }
.finding { border: 1px solid var(--line); border-left: .4rem solid; border-radius: .4rem; padding: .5rem 1rem;
  margin: .8rem 0 }
.finding.error { border-color: var(--error); font-weight: 600 } .finding.error strong { color: var(--error) }
.finding.note { border-left-color: var(--note) } ul { margin: .2rem 0; padding-left: 1.2rem }
.headline { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .6rem; padding: 0;
  margin: 1rem 0; list-style: none }
.headline li { border: 1px solid var(--line); border-radius: .4rem; padding: .5rem .8rem }
.headline b { display: block; font-size: 1.5rem; line-height: 1.3; font-variant-numeric: tabular-nums }
.headline span { display: block; font-size: .8rem; line-height: 1.35 }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 0 1.5rem }
.columns section { min-width: 0 }
.sheet { display: flex; flex-wrap: wrap; gap: .5rem; padding: 0; margin: .6rem 0 0; list-style: none }
.sheet li { display: flex; gap: 2px; padding: 2px; border: 1px solid var(--line); border-radius: .3rem }
figure { margin: 0; width: 140px } figure img { display: block; width: 140px; height: 140px; object-fit: contain }
figcaption { font-size: .72rem; line-height: 1.3; padding: .1rem .2rem } figcaption b { font-size: .8rem }
.scroll { overflow-x: auto } table { border-collapse: collapse; width: 100%; font-size: .9rem }
th, td { text-align: left; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
.scroll th { overflow-wrap: normal }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums } td.number { white-space: nowrap }
.heat { width: auto } .heat th, .heat td { padding: .3rem .5rem; text-align: right; border: 1px solid var(--line);
  font-variant-numeric: tabular-nums; min-width: 2.6rem; overflow-wrap: normal }
.heat th[scope=row] { position: sticky; left: 0; background: Canvas }
@media (max-width: 30rem) { table { font-size: .8rem } th, td { padding-right: .35rem } }
"""
    + charts.STYLE
)


def html_page(evaluation: Evaluation, heatmaps: Mapping[str, RgbArray] | None = None) -> str:
    """The page.

    Args:
        evaluation: what is shown.
        heatmaps: by path, H×W×3 uint8, what the network looked at; shown beside the tiles of the highest losses.
    """
    believed = f'<div class="columns"><section>{reliability(evaluation)}</section><section>{misroutes(evaluation)}'
    return document(
        f"Evaluation of {evaluation.card.name}",
        _about(evaluation),
        f"{warnings_box(evaluation.warnings, is_honest=evaluation.is_honest)}{_headline(evaluation)}\n"
        f"<h2>Several views</h2>{several_views(evaluation)}\n"
        f"<h2>Classes</h2>{classes(evaluation)}\n"
        f"<h2>What is taken for what</h2>{confusion(evaluation)}{_pairs(evaluation)}\n"
        f"<h2>Highest losses</h2>{_losses(evaluation, heatmaps or {})}\n"
        f"<h2>Whether it can be believed</h2>{believed}</section></div>{thresholds(evaluation)}\n"
        f"<h2>Unknown parts</h2>{unknown(evaluation.unknown)}\n"
        f"<h2>The model</h2>{about_model(evaluation)}\n"
        f"<h2>Not scored</h2>{left_out(evaluation)}",
    )


def document(title: str, about: str, body: str) -> str:
    """A whole page: title and what it is about as text, the rest as HTML."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>"
        f"<header><h1>{escape(title)}</h1><p>{escape(about)}</p></header>\n<main>"
        f"{body}</main></body></html>\n"
    )


def _about(evaluation: Evaluation) -> str:
    fold = evaluation.fold
    which = "All pictures were scored."
    if fold is not None:
        which = f"Scored is what fold {fold.fold} of {fold.folds} (by {fold.by}) holds out."
    return (
        f"{evaluation.pictures:,} pictures of {evaluation.bricks} bricks in {evaluation.data}. {which} "
        f"Groups: {evaluation.groups_from}. Brackets are 95 % intervals over bricks."
    )


def warnings_box(warnings: Sequence[str], *, is_honest: bool) -> str:
    """Sentences that a reader has to know; the first one loud if the numbers are not honest."""
    said = list(warnings)
    loud = ""
    if not is_honest:
        loud = f'<div class="finding error"><strong>Not honest:</strong> {escape(said.pop(0))}.</div>'
    rest = "".join(f"<li>{escape(each)}.</li>" for each in said)
    return loud + (f'<div class="finding note"><ul class="small">{rest}</ul></div>' if rest else "")


def _headline(evaluation: Evaluation) -> str:
    cards = [(percent(evaluation.accuracy), "right, one view", brackets(evaluation.interval))]
    measured = {count: each for count, each in evaluation.by_views.items() if each is not None}
    most = max(measured)
    if most > 1:
        cards.append((percent(measured[most].accuracy), f"right, {most} views", brackets(measured[most].interval)))
    wanted, point = evaluation.card.thresholds[0], measured[most].at_card[0]
    cards += [
        (
            percent(point.misrouted),
            f"misrouted of the accepted, {most} view{'s' if most > 1 else ''}",
            f"{percent(point.rejected)} rejected; promised are {percent(wanted.misroute_rate)} misroutes",
        ),
        (f"{evaluation.expected_calibration_error:.3f}", "expected calibration error", "one view; 0 is best"),
        (f"{evaluation.latency.network:.1f} ms", "a crop in the network", f"{evaluation.size_bytes / 1e6:.2f} MB"),
    ]
    return headline(cards)


def headline(cards: Sequence[tuple[str, str, str]]) -> str:
    """The numbers that matter most: number, what it is, and more of it, as text."""
    items = "".join(
        f"<li><b>{escape(big)}</b><span>{escape(what)}</span><span>{escape(more)}</span></li>"
        for big, what, more in cards
    )
    return f'<ul class="headline">{items}</ul>'


def _pairs(evaluation: Evaluation) -> str:
    parts = []
    for each in evaluation.confused_pairs:
        tiles = "".join(f"<li>{figure(evaluation.tiles.get(path), path_text(path))}</li>" for path in each.examples)
        counted = f"{each.pictures} picture{'' if each.pictures == 1 else 's'}, {percent(each.share)} of the class"
        title = f"{each.class_name} taken for {each.said}: {counted}"
        parts.append(f'<h3>{escape(title)}</h3><ul class="sheet">{tiles}</ul>')
    return "".join(parts) or "<p>Nothing was taken for anything else.</p>"


def _losses(evaluation: Evaluation, heatmaps: Mapping[str, RgbArray]) -> str:
    items = []
    for each in evaluation.top_losses:
        words = f"<b>{escape(each.class_name)}</b> {percent(each.probability)}, rightly said"
        if each.said != each.class_name:
            said = f"said <b>{escape(each.said)}</b> {percent(each.probability)}"
            words = f"<b>{escape(each.class_name)}</b> {percent(each.class_probability)}, {said}"
        tile = figure(evaluation.tiles.get(each.path), f"{words}<br>{path_text(each.path)}")
        heat = figure(heatmaps[each.path], "what it looked at") if each.path in heatmaps else ""
        items.append(f"<li>{tile}{heat}</li>")
    text = "Crops as the network saw them: what the part is and how probable that was, and what was said instead."
    return f'<p class="small">{text}</p><ul class="sheet">{"".join(items)}</ul>'


def path_text(path: str) -> str:
    """A path that breaks after a slash, if it must."""
    return escape(path).replace("/", "/<wbr>")


def figure(rgb: RgbArray | None, caption: str) -> str:
    """A tile with its caption, which is HTML; without the picture where there is none."""
    data = None if rgb is None else _jpeg(rgb)
    image = "" if data is None else f'<img alt="" loading="lazy" src="data:image/jpeg;base64,{data}">'
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"


def _jpeg(rgb: RgbArray) -> str | None:
    ratio = min(1.0, _MOST_TILE_PX / max(rgb.shape[:2]))
    size = max(1, round(rgb.shape[1] * ratio)), max(1, round(rgb.shape[0] * ratio))
    small = cv2.cvtColor(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
    is_done, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return base64.b64encode(data.tobytes()).decode() if is_done else None
