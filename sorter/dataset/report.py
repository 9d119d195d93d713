"""A check as one HTML page that needs nothing else: contact sheets inside, for a screen or a phone."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING

import cv2

from sorter.dataset.findings import Severity
from sorter.errors import PictureRefused
from sorter.pictures import read_picture

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from sorter.dataset.findings import CheckResult, ClassSummary, Finding
    from sorter.dataset.shortcuts import Shortcut

_TILE_PX = 112
_JPEG_QUALITY = 72
_MOST_TILES = 400  # about 4 kB each
_WORDS = {Severity.ERROR: "to mend", Severity.WARNING: "worth a look", Severity.NOTE: "good to know"}

_STYLE = """
:root { color-scheme: light dark; --line: #8886; --error: #b3261e; --warning: #8a5a00; --note: #2b5fa8 }
@media (prefers-color-scheme: dark) { :root { --error: #ff8a80; --warning: #ffc46b; --note: #8fbaff } }
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem } h3 { font-size: 1rem; margin: 0 }
.finding { border: 1px solid var(--line); border-left: .4rem solid; border-radius: .4rem; padding: .7rem 1rem;
  margin: .8rem 0 }
.finding.error { border-left-color: var(--error) } .finding.warning { border-left-color: var(--warning) }
.finding.note { border-left-color: var(--note) }
.finding p { margin: .3rem 0; white-space: pre-line }
.mark { font-size: .8rem; font-weight: 600 } .error .mark { color: var(--error) }
.warning .mark { color: var(--warning) } .note .mark { color: var(--note) }
.sheet { display: flex; flex-wrap: wrap; gap: .5rem; padding: 0; margin: .6rem 0 0; list-style: none }
.sheet li { display: flex; gap: 2px; padding: 2px; border: 1px solid var(--line); border-radius: .3rem }
figure { margin: 0; width: 112px } figure img { display: block; width: 112px; height: 112px; object-fit: contain }
figcaption { font-size: .68rem; line-height: 1.25 }
.scroll { overflow-x: auto } table { border-collapse: collapse; width: 100%; font-size: .9rem }
th, td { text-align: left; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
"""


def html_report(result: CheckResult) -> str:
    """The page; pictures are read again for their tiles, one that cannot be read has its name only."""
    tiles = _Tiles(result.dataset.root)
    dataset = result.dataset
    different = len({each.sha256 for each in dataset.pictures})
    about = (
        f"{len(dataset.pictures)} pictures, {different} different, of {len(result.classes)} classes. "
        f"Groups: {dataset.groups_from}."
    )
    findings = "".join(_finding(each, tiles) for each in result.findings) or "<p>Nothing was found that is wrong.</p>"
    sheets = "".join(_class_sheet(each, tiles) for each in result.classes)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Check of {escape(dataset.root.resolve().name)}</title><style>{_STYLE}</style></head>\n<body>"
        f"<header><h1>Check of {escape(str(dataset.root))}</h1><p>{escape(about)}</p></header>\n<main>"
        f"<h2>Findings</h2>{findings}\n<h2>What predicts the class besides the part</h2>{_shortcuts(result.shortcuts)}"
        f"\n<h2>Classes</h2>{_classes(result.classes)}\n{sheets}</main></body></html>\n"
    )


class _Tiles:
    """Small pictures inside the page, up to a number that keeps it small."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._left = _MOST_TILES

    def sheet(self, examples: Iterable[tuple[str, ...]]) -> str:
        items = "".join(f"<li>{''.join(map(self._tile, paths))}</li>" for paths in examples)
        return f'<ul class="sheet">{items}</ul>' if items else ""

    def _tile(self, path: str) -> str:
        caption = f"<figcaption>{escape(path)}</figcaption>"
        data = self._jpeg(path) if self._left > 0 else None
        if data is None:
            return f"<figure>{caption}</figure>"
        self._left -= 1
        uri = base64.b64encode(data).decode()
        return f'<figure><img alt="" loading="lazy" src="data:image/jpeg;base64,{uri}">{caption}</figure>'

    def _jpeg(self, path: str) -> bytes | None:
        try:
            rgb = read_picture(self._root / path)
        except PictureRefused:
            return None
        ratio = _TILE_PX / max(rgb.shape[:2])
        size = max(1, round(rgb.shape[1] * ratio)), max(1, round(rgb.shape[0] * ratio))
        small = cv2.cvtColor(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
        is_done, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        return data.tobytes() if is_done else None


def _finding(finding: Finding, tiles: _Tiles) -> str:
    return (
        f'<section class="finding {finding.severity}"><h3>{escape(finding.kind.replace("_", " "))} '
        f'<span class="mark">{_WORDS[finding.severity]}</span></h3><p>{escape(finding.sentence)}.</p>'
        f"<p>{escape(finding.remedy)}</p>{tiles.sheet(finding.examples)}</section>"
    )


def _shortcuts(shortcuts: Iterable[Shortcut]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(each.clue)}</th>'
        f'<td class="number">{"–" if each.by_group is None else f"{each.by_group:.1%}"}</td>'
        f'<td class="number">{each.at_random:.1%}</td><td class="number">{each.commonest:.1%}</td></tr>'
        for each in shortcuts
    )
    if not rows:
        return "<p>Too few pictures or classes to measure it.</p>"
    heads = ("groups held out", "pictures held out", "always the commonest")
    head = "".join(f'<th scope="col" class="number">{each}</th>' for each in heads)
    return f'<div class="scroll"><table><tr><th scope="col">clue</th>{head}</tr>{rows}</table></div>'


def _classes(classes: Iterable[ClassSummary]) -> str:
    heads = ("pictures", "different", "bricks", "revolutions")
    head = "".join(f'<th scope="col" class="number">{each}</th>' for each in heads)
    rows = "".join(
        f'<tr><th scope="row">{escape(each.name)}</th>'
        + "".join(f'<td class="number">{getattr(each, name) or "–"}</td>' for name in heads)
        + f"<td>{_counts(each.colours or each.colours_seen)}</td><td>{_counts(each.poses)}</td></tr>"
        for each in classes
    )
    more = '<th scope="col">colours</th><th scope="col">poses</th>'
    return f'<div class="scroll"><table><tr><th scope="col">class</th>{head}{more}</tr>{rows}</table></div>'


def _counts(counts: Mapping[str, int]) -> str:
    return escape(", ".join(f"{name} {count}" for name, count in list(counts.items())[:8])) or "–"


def _class_sheet(summary: ClassSummary, tiles: _Tiles) -> str:
    return f"<h2>{escape(summary.name)}</h2>{tiles.sheet((path,) for path in summary.examples)}"
