"""From a finished run of whole tables to a folder with its int8 network; all or nothing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.classify.card import LABELS_FILE, MODEL_FILE, TABLE_FILE
from sorter.training.checks import check_labels, check_name
from sorter.training.errors import ExportRefused
from sorter.training.export import MOST_INT8_DROP, README, check_free, write_folder
from sorter.training.label_metrics import label_score, mean_average_precision, thresholds_of
from sorter.training.quantise import Int8Network, to_int8
from sorter.training.record import FINAL
from sorter.training.steps import logits_of
from sorter.training.table_model import TableCard, first_digits, labels_json
from sorter.training.tables import SEVERAL, Tables, table_grey

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from sorter.training.fit import Observer
    from sorter.training.label_metrics import Aim
    from sorter.training.run import Run

    FloatArray = NDArray[np.float64]

_MOST_NOTES = 12


@dataclass(frozen=True)
class TableExported:
    """What was written.

    Args:
        folder: the model.
        card: what it says of itself.
        notes: what a person has to know of its numbers.
    """

    folder: Path
    card: TableCard
    notes: tuple[str, ...]


def export_table(
    run: Run, folder: Path, observer: Observer, *, is_int8_drop_allowed: bool = False, is_replaced: bool = False
) -> TableExported:
    """Make a model's folder of a run of whole tables that is trained to its end.

    Thresholds and numbers come from the inner networks as int8, each on the pictures that it did without: of a class
    the threshold with the highest F1, of SEVERAL the one with the most pictures right.

    Args:
        run: with all networks finished.
        folder: to be written.
        observer: is told what is done.
        is_int8_drop_allowed: write it although int8 costs more than MOST_INT8_DROP of the mean average precision.
        is_replaced: the folder may be there already; then it is replaced.

    Raises:
        ExportRefused: the run held nothing out, int8 costs too much, or the folder is taken.
        RunRefused: a network is not finished.
    """
    check_free(folder, is_replaced=is_replaced, marked_by=TABLE_FILE)
    record, tables = run.record, run.examples
    check_name(record.name)
    check_labels(record.labels)
    if record.inner is None or not isinstance(tables, Tables):
        raise ExportRefused(
            "nothing was held out inside (inner_folds = 0): there is nothing to take thresholds from",
            remedy="Train with inner_folds of 2 or more.",
        )
    found = [run.table_scores(name) for name in record.networks if name != FINAL]
    targets = np.concatenate([each.targets for each, _, _ in found])
    as_int8, as_float = (np.concatenate([each[kind] for each in found]) for kind in (1, 2))
    classes = slice(0, len(record.labels) - 1)
    means = {
        kind: mean_average_precision(logits[:, classes], targets[:, classes]) or 0.0
        for kind, logits in (("int8", as_int8), ("float", as_float))
    }
    if round(means["float"] - means["int8"], 9) > MOST_INT8_DROP and not is_int8_drop_allowed:
        raise ExportRefused(
            f"int8 costs {100 * (means['float'] - means['int8']):.1f} points of mean average precision: float has "
            f"{means['float']:.1%} on {len(targets)} held-out pictures, int8 {means['int8']:.1%}; more than "
            f"{100 * MOST_INT8_DROP:.1f} is refused",
            remedy="Train longer or with more pictures, or accept it by name: --allow-int8-drop.",
        )
    aims: list[Aim] = ["right" if name == SEVERAL else "f1" for name in record.labels]
    thresholds = thresholds_of(as_int8, targets, aims)
    observer.on_notice("the final network as int8")
    model, shown = run.network(FINAL), tables.representative()
    content = to_int8(model, shown)
    metrics = {
        "mean_average_precision": means["int8"],
        "float_mean_average_precision": means["float"],
        "one_or_several": _share_right(as_int8[:, -1], targets[:, -1], thresholds[-1]),
        "pictures": float(len(targets)),
        "final_int8_agreement": _agreement(model, content, shown, np.array(thresholds)),
    }
    for place, name in enumerate(record.labels):
        score = label_score(as_int8[:, place], targets[:, place], thresholds[place])
        metrics[f"average_precision/{name}"] = score.average_precision or 0.0
    card = _card(run, tables, content, thresholds, metrics)
    card_text = json.dumps(card.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n"
    files = {
        MODEL_FILE: content,
        LABELS_FILE: labels_json(record.labels),
        TABLE_FILE: card_text.encode(),
        README: _readme(card, len(content), record.notes).encode(),
    }
    write_folder(folder, files)
    return TableExported(folder, card, record.notes)


def _agreement(model: Any, content: bytes, shown: NDArray[np.uint8], thresholds: FloatArray) -> float:
    """Of all labels of the representative pictures, how many the final network says the same as float and as int8.

    Raises:
        ExportRefused: the int8 network cannot be run.
    """
    as_int8 = Int8Network(content).logits(shown)
    return float(((logits_of(model, shown) >= thresholds) == (as_int8 >= thresholds)).mean())


def _share_right(logits: FloatArray, targets: NDArray[np.float32], threshold: float) -> float:
    is_decided = targets >= 0.0
    is_right = (logits[is_decided] >= threshold) == (targets[is_decided] > 0.5)
    return float(is_right.mean()) if is_decided.any() else 0.0


def _card(run: Run, tables: Tables, content: bytes, thresholds: list[float], metrics: dict[str, float]) -> TableCard:
    record = run.record
    assert record.inner is not None
    note = (
        f"metrics and thresholds from {len(record.inner.held_out)} inner networks, each without other pictures; the "
        "network itself saw all of them"
    )
    if record.split is not None:
        note += f"; fold {record.split.fold} of a split by {record.split.by} was kept out of everything"
    return TableCard(
        name=record.name,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        description=f"recipe {record.recipe.name}: {record.recipe.backbone.name}, {record.recipe.crop.size_px} px",
        hashes={
            MODEL_FILE: hashlib.sha256(content).hexdigest(),
            LABELS_FILE: hashlib.sha256(labels_json(record.labels)).hexdigest(),
        },
        labels=record.labels,
        size_px=record.recipe.crop.size_px,
        table_grey=table_grey(record.recipe.crop.table_grey),
        least_visible=record.recipe.least_visible,
        threshold_logits=tuple(round(each, 6) for each in thresholds),
        metrics={name: round(value, 6) for name, value in metrics.items()},
        note=note,
        training_pictures=tuple(sorted({first_digits(each.sha256) for each in tables.pictures})),
    )


def _readme(card: TableCard, size_bytes: int, notes: tuple[str, ...]) -> str:
    """Markdown; every number in it stands in the card."""
    metrics = card.metrics
    lines = [
        f"# {card.name}",
        "",
        f"An int8 network for whole tables: which of {', '.join(card.labels[:-1])} lie there,",
        f"and whether there is more than one part (`{SEVERAL}`). The rig does not take it for a model of parts.",
        "",
        "| | |",
        "|---|---|",
        f"| made | {card.created_at[:10]}, {card.description} |",
        f"| network | {card.size_px}×{card.size_px} px, {size_bytes / 1e6:.2f} MB |",
        f"| trained on | {len(card.training_pictures):,} pictures |",
        f"| mean average precision, int8 | {metrics['mean_average_precision']:.1%} |",
        f"| mean average precision, float | {metrics['float_mean_average_precision']:.1%} |",
        f"| one or several, right | {metrics['one_or_several']:.1%} |",
        "",
        f"How the numbers were made: {card.note}.",
        "`sorter evaluate` measures it on other pictures of tables.",
    ]
    if notes:
        lines += ["", "## To know", "", *(f"- {note}" for note in notes[:_MOST_NOTES])]
    return "\n".join(lines) + "\n"
