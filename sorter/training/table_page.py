"""The evaluation of a network for whole tables as one HTML page that needs nothing else."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from sorter.training.evaluation_page import document, figure, headline, path_text, warnings_box
from sorter.training.evaluation_sections import files, percent, table
from sorter.training.tables import SEVERAL

if TYPE_CHECKING:
    from sorter.training.evaluation import Interval
    from sorter.training.table_evaluation import OneOrSeveral, SeveralCheck, TableEvaluation


def table_page(evaluation: TableEvaluation) -> str:
    """The page."""
    return document(
        f"Evaluation of {evaluation.card.name}",
        _about(evaluation),
        f"{warnings_box(evaluation.warnings, is_honest=evaluation.is_honest)}{_headline(evaluation)}\n"
        f"<h2>Classes</h2>{_labels(evaluation)}\n"
        f"<h2>One part or several</h2>{_one_or_several(evaluation.one_or_several)}\n"
        f"<h2>How many classes</h2>{_class_counts(evaluation)}\n"
        f"<h2>Highest losses</h2>{_losses(evaluation)}\n"
        f"<h2>The model</h2>{_model(evaluation)}\n"
        f"<h2>Not scored</h2>{_left_out(evaluation)}",
    )


def _about(evaluation: TableEvaluation) -> str:
    fold = evaluation.fold
    which = "All pictures were scored."
    if fold is not None:
        which = f"Scored is what fold {fold.fold} of {fold.folds} (by {fold.by}) holds out."
    return (
        f"{evaluation.pictures:,} pictures of whole tables in {evaluation.data}. {which} "
        f"Brackets are 95 % intervals over pictures."
    )


def _headline(evaluation: TableEvaluation) -> str:
    found = evaluation.one_or_several
    cards = [
        (
            percent(evaluation.mean_average_precision),
            "mean average precision",
            f"over classes {_brackets(evaluation.interval)}",
        )
    ]
    if found is not None:
        cards += [
            (percent(found.network.right), "one or several right, network", _brackets(found.network.interval)),
            (percent(found.rule.right), "one or several right, rule", _brackets(found.rule.interval)),
        ]
    if evaluation.class_counts is not None:
        cards.append((percent(evaluation.class_counts.all_right), "all classes of a table right", "and no other said"))
    cards.append(
        (f"{evaluation.latency.network:.1f} ms", "a table in the network", f"{evaluation.size_bytes / 1e6:.2f} MB")
    )
    return headline(cards)


def _brackets(interval: Interval | None) -> str:
    return "no interval" if interval is None else f"[{percent(interval[0])}, {percent(interval[1])}]"


def _labels(evaluation: TableEvaluation) -> str:
    rows = [
        [
            name,
            f"{each.there:,}",
            f"{each.absent:,}",
            f"{each.undecided:,}",
            f"{each.said:,}",
            percent(each.precision),
            percent(each.recall),
            percent(each.average_precision),
        ]
        for name, each in evaluation.labels.items()
    ]
    heads = ("label", "there", "not there", "undecided", "said", "precision", "recall", "average precision")
    least = evaluation.card.least_visible
    text = (
        f"In pictures. A part counts as there from {least:.0%} visible on; where less is visible, it is undecided and "
        f"stands in no rate. <b>{SEVERAL}</b> is whether there is more than one part, and in no mean over classes."
    )
    return f'<p class="small">{text}</p>{table(heads, rows)}'


def _one_or_several(found: OneOrSeveral | None) -> str:
    if found is None:
        return "<p>No picture is decided.</p>"

    def row(name: str, each: SeveralCheck) -> list[str]:
        return [
            name,
            percent(each.right),
            _brackets(each.interval),
            f"{each.one_as_several:,} of {found.one:,}",
            f"{each.several_as_one:,} of {found.several:,}",
        ]

    heads = ("", "right", "95 % interval", "one taken for several", "several taken for one")
    checks = table(heads, [row("network", found.network), row("rule (locate)", found.rule)])
    by_parts = table(
        ("visible parts", "pictures", "network right", "rule right"),
        [[str(each.parts), f"{each.pictures:,}", percent(each.network), percent(each.rule)] for each in found.by_parts],
    )
    who = table(
        ("both right", "network alone", "rule alone", "neither"),
        [[f"{each:,}" for each in (found.both_right, found.network_alone, found.rule_alone, found.neither)]],
    )
    kinds = "; ".join(
        f"of {name}: {', '.join(f'{kind} {count:,}' for kind, count in each.items()) or 'none'}"
        for name, each in found.rule_kinds.items()
    )
    text = (
        "The rule is what the rig goes by: whether locate finds more than one thing on the table, without a picture of "
        f"the empty one. {found.undecided:,} pictures whose second part is hardly visible are left out."
    )
    return (
        f'<p class="small">{text}</p>{checks}<h3>By number of parts</h3>{by_parts}<h3>Who is right</h3>{who}'
        f'<p class="small">What the rule says {escape(kinds)}.</p>'
    )


def _class_counts(evaluation: TableEvaluation) -> str:
    found = evaluation.class_counts
    if found is None:
        return "<p>No picture has all its classes decided.</p>"
    heads = ("there", *(f"{number} said" for number in range(len(found.counts[0]))))
    rows = [[str(number), *(f"{each:,}" for each in row)] for number, row in enumerate(found.counts)]
    text = (
        f"The number of classes is right in {percent(found.right)} of the pictures, the classes themselves in "
        f"{percent(found.all_right)}."
    )
    return f'<p class="small">{text}</p>{table(heads, rows)}'


def _losses(evaluation: TableEvaluation) -> str:
    items = []
    for each in evaluation.top_losses:
        words = f"<b>{escape(', '.join(each.there) or 'nothing')}</b>"
        words += ", rightly said" if each.there == each.said else f", said <b>{escape(', '.join(each.said) or '–')}</b>"
        several = f"{each.parts} visible; network {'several' if each.network_several else 'one'}, rule {each.rule}"
        caption = f"{words}<br>{escape(several)}<br>{path_text(each.path)}"
        items.append(f"<li>{figure(evaluation.tiles.get(each.path), caption)}</li>")
    text = "Tables as the network saw them: what is there, and what was said instead."
    return f'<p class="small">{text}</p><ul class="sheet">{"".join(items)}</ul>'


def _model(evaluation: TableEvaluation) -> str:
    card, latency = evaluation.card, evaluation.latency
    rows = [
        ["size", f"{evaluation.size_bytes:,} bytes, {card.size_px}×{card.size_px} px"],
        ["median time", f"locate {latency.locate:.1f} ms, network {latency.network:.1f} ms"],
        ["measured with", f"{evaluation.runtime}, {latency.pictures} pictures one after the other"],
        ["made", card.created_at],
        ["description", card.description or "–"],
        ["trained on", f"{len(card.training_pictures):,} pictures"],
        ["numbers of the card", card.note or "–"],
        ["card's own metrics", ", ".join(f"{name} {value:.4g}" for name, value in card.metrics.items()) or "–"],
        ["SHA-256", ", ".join(f"{name} {sha256}" for name, sha256 in card.hashes.items())],
    ]
    return table((), rows, texts=2)


def _left_out(evaluation: TableEvaluation) -> str:
    copies = f"<p>{evaluation.copies} pictures are copies of others, byte for byte, and were left out.</p>"
    return (copies if evaluation.copies else "") + files("Unusable", evaluation.unreadable)
