"""The sections of an evaluation's page: each a piece of HTML made from the numbers."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from sorter.training.charts import Axis, Bar, chart, key, percent_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sorter.training.evaluation import Evaluation, Interval, NotScored, UnknownParts

_MOST_NAMED = 60  # files that are listed by name
_FULLEST = 0.55  # opacity of the fullest cell of a heat table: numbers on it stay readable
_ANGLES = {
    "index": "Angles are those that were written down.",
    "inferred": "Angles are inferred from how alike pictures are.",
    "none": "No picture has a place in a revolution, so only single views count.",
}


def percent(share: float | None) -> str:
    """A share as text; a dash where there is none."""
    return "–" if share is None else f"{share:.1%}"


def brackets(interval: Interval | None) -> str:
    """An interval as text."""
    return "no interval: one brick" if interval is None else f"[{percent(interval[0])}, {percent(interval[1])}]"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1) -> str:
    """A table of texts, which are escaped here; the first ``texts`` columns are words, the others numbers."""
    head = "".join(
        f'<th scope="col"{"" if place < texts else " class=number"}>{escape(each)}</th>'
        for place, each in enumerate(heads)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<th scope="row">{escape(each)}</th>'
            if place == 0
            else f"<td{'' if place < texts else ' class=number'}>{escape(each)}</td>"
            for place, each in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    first = f"<tr>{head}</tr>" if heads else ""
    return f'<div class="scroll"><table>{first}{body}</table></div>'


def several_views(evaluation: Evaluation) -> str:
    """Accuracy by number of views, with intervals."""
    places = {count: place + 1.0 for place, count in enumerate(evaluation.by_views)}
    measured = {count: each for count, each in evaluation.by_views.items() if each is not None}
    lowest = min(min(each.interval or (each.accuracy,)) for each in measured.values())
    marks = tuple((place, str(count)) for count, place in places.items())
    picture = chart(
        "Accuracy by number of views",
        Axis("views, spread over the turn", 0.0, len(places) + 1.0, marks),
        percent_axis("right", min(0.9, math.floor(lowest * 10) / 10), 1.0),
        bars=[[Bar(places[count], each.accuracy, each.interval) for count, each in measured.items()]],
    )
    rows = []
    for count, each in evaluation.by_views.items():
        numbers = ["–"] * 4
        if each is not None:
            error = f"{each.expected_calibration_error:.3f}"
            numbers = [percent(each.accuracy), brackets(each.interval), error, f"{each.revolutions:,}"]
        rows.append([str(count), *numbers])
    numbers_table = table(("views", "right", "95 % interval", "calibration error", "revolutions"), rows)
    text = f"Views of one revolution are fused as the rig fuses them, from every start. {_ANGLES[evaluation.angles]}"
    return _columns(picture, f'<p class="small">{text}</p>{numbers_table}')


def classes(evaluation: Evaluation) -> str:
    """What share of each class is named so, and what share of what is named so is of it."""
    rows = [
        [name, f"{each.pictures:,}", str(each.bricks), percent(each.recall), percent(each.precision), percent(each.f1)]
        for name, each in evaluation.per_class.items()
    ]
    return table(("class", "pictures", "bricks", "recall", "precision", "F1"), rows)


def confusion(evaluation: Evaluation) -> str:
    """A heat table: rows are what parts are, columns what they are taken for."""
    labels = evaluation.card.labels
    head = "".join(f'<th scope="col">{escape(label)}</th>' for label in labels)
    rows = []
    for number, label in enumerate(labels):
        counts = evaluation.confusion[number].tolist()
        cells = "".join(
            _heat_cell(count, count / max(1, sum(counts)), is_right=place == number)
            for place, count in enumerate(counts)
        )
        rows.append(f'<tr><th scope="row">{escape(label)}</th>{cells}</tr>')
    return (
        '<p class="small">Rows are what parts are, columns what they are taken for, in pictures.</p>'
        f'<div class="scroll"><table class="heat"><tr><th scope="row"></th>{head}</tr>{"".join(rows)}</table></div>'
    )


def _heat_cell(count: int, share: float, *, is_right: bool) -> str:
    if not count:
        return "<td></td>"
    colour = "--right" if is_right else "--wrong"
    opacity = _FULLEST * share**0.5  # or a mistake of a few per cent would not be seen
    return f'<td style="background:rgb(var({colour}) / {opacity:.2f})">{count}</td>'


def reliability(evaluation: Evaluation) -> str:
    """How often answers of some posterior are right: on the diagonal they can be believed."""
    most = max(each.pictures for each in evaluation.reliability)
    bars = [
        Bar(each.mean_posterior, each.accuracy, size=(each.pictures / most) ** 0.5) for each in evaluation.reliability
    ]
    picture = chart(
        "Share right by posterior",
        percent_axis("posterior, mean of its bin"),
        percent_axis("right"),
        bars=[bars],
        is_ideal_shown=True,
    )
    return (
        f'<h3>Reliability, one view</h3>{picture}<p class="small">Below the dashed line the network is surer than it '
        "should be. Large points are many pictures.</p>"
    )


def misroutes(evaluation: Evaluation) -> str:
    """What a threshold costs, and what it saves."""
    measured = {count: each for count, each in evaluation.by_views.items() if each is not None}
    lines = [
        [(point.rejected, point.misrouted) for point in each.curve if point.misrouted is not None]
        for each in measured.values()
    ]
    highest = max(misrouted for line in lines for _, misrouted in line)
    picture = chart(
        "Misrouted share of accepted parts against rejected share",
        percent_axis("rejected"),
        percent_axis("misrouted of the accepted", 0.0, max(0.05, math.ceil(highest * 20) / 20)),
        lines=lines,
    )
    names = [f"{count} view{'s' if count > 1 else ''}" for count in measured]
    return f"<h3>Misroutes against rejects</h3>{key(names)}{picture}"


def thresholds(evaluation: Evaluation) -> str:
    """What the card's thresholds do with these pictures."""
    rows = []
    for number, wanted in enumerate(evaluation.card.thresholds):
        for count, each in evaluation.by_views.items():
            if each is not None:
                point = each.at_card[number]
                promised = [percent(wanted.misroute_rate), f"{wanted.posterior:.4f}"]
                rows.append([*promised, str(count), percent(point.rejected), percent(point.misrouted)])
    heads = ("promised misroutes", "posterior", "views", "rejected", "misrouted of the accepted")
    limit = "" if evaluation.card.novelty is None else " What is stranger than the card's limit is rejected too."
    return (
        f'<h3>At the card\'s thresholds</h3><p class="small">Known parts only, decided as the rig decides.{limit}</p>'
        f"{table(heads, rows)}"
    )


def unknown(parts: UnknownParts | None) -> str:
    """How well parts of no known class stand out."""
    if parts is None:
        return "<p>No picture is of a class that the model does not have; --unknown DIR names a folder of some.</p>"
    names = [f"{each.score}, {each.views} view{'s' if each.views > 1 else ''}" for each in parts.scores]
    picture = chart(
        "Unknown parts found against known parts rejected",
        percent_axis("known parts rejected"),
        percent_axis("unknown parts found"),
        lines=[each.separation.curve for each in parts.scores],
        is_ideal_shown=True,
    )
    rows = [
        [name, f"{each.separation.area:.3f}", *(percent(point.unknown_accepted) for point in each.separation.kept)]
        for name, each in zip(names, parts.scores, strict=True)
    ]
    kept = [f"pass with {point.known_kept:.0%} of known kept" for point in parts.scores[0].separation.kept]
    passing = ", ".join(percent(each) for each in parts.accepted_at_card)
    about = (
        f"{parts.pictures:,} pictures of {parts.bricks} bricks of {len(parts.classes)} classes "
        f"({', '.join(parts.classes[:12])}). Of single views {passing} pass the card's limits, strictest first."
    )
    numbers = table(("score", "area under ROC", *kept), rows)
    return _columns(f"{key(names)}{picture}", f"<p>{escape(about)}</p>{numbers}")


def about_model(evaluation: Evaluation) -> str:
    """What int8 costs, how large and how fast the network is, and what its card says."""
    card, time = evaluation.card, evaluation.latency
    both = evaluation.float_against_int8
    against = "not in the card"
    if both is not None:
        against = f"{percent(both['float_accuracy'])} → {percent(both['int8_accuracy'])} ({both['difference']:+.2%})"
    calibration = card.calibration
    rows = [
        ["size", f"{evaluation.size_bytes:,} bytes"],
        ["median time", f"locate {time.locate:.1f} ms, crop {time.crop:.1f} ms, network {time.network:.1f} ms"],
        ["measured with", f"{evaluation.runtime}, {time.pictures} pictures one after the other"],
        ["accuracy, float → int8", against],
        ["made", card.created_at],
        ["description", card.description or "–"],
        ["trained on", f"{len(card.training_bricks)} bricks: {', '.join(card.training_bricks) or 'none are named'}"],
        ["split", " ".join(filter(None, [card.split.by, card.split.note]))],
        ["temperature", f"{calibration.temperature:.3g}"],
        [
            "views",
            f"correlated {calibration.correlation_floor:.2f}, more within {calibration.correlation_range_deg:.0f}°",
        ],
        ["card's own metrics", ", ".join(f"{name} {value:.4g}" for name, value in card.metrics.items()) or "–"],
        ["SHA-256", ", ".join(f"{name} {sha256}" for name, sha256 in card.hashes.items())],
    ]
    return table((), rows, texts=2)


def left_out(evaluation: Evaluation) -> str:
    """Pictures that stand in no rate, and why."""
    copies = f"<p>{evaluation.copies} pictures are copies of others, byte for byte, and were left out.</p>"
    return (
        (copies if evaluation.copies else "")
        + files("No single part seen", evaluation.no_part)
        + files("Unreadable", evaluation.unreadable)
    )


def files(title: str, left: Sequence[NotScored]) -> str:
    """Files with the reason why they were not scored."""
    items = "".join(f"<li>{escape(each.path)}: {escape(each.reason)}</li>" for each in left[:_MOST_NAMED])
    more = f"<li>and {len(left) - _MOST_NAMED} more</li>" if len(left) > _MOST_NAMED else ""
    listed = f'<ul class="small">{items}{more}</ul>' if left else "<p>None.</p>"
    return f"<h3>{title}: {len(left)}</h3>{listed}"


def _columns(left: str, right: str) -> str:
    return f'<div class="columns"><section>{left}</section><section>{right}</section></div>'
