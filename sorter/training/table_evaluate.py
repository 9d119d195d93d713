"""Measure a network for whole tables on labelled pictures, beside the rule that the rig has for several parts."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sorter.dataset import DatasetRefused
from sorter.training.evaluation import NotScored
from sorter.training.label_metrics import interval_over_pictures, label_score, mean_average_precision
from sorter.training.metrics import interval_over_bricks
from sorter.training.scoring import without_copies
from sorter.training.table_cache import Wanted, in_square, labelled_picture
from sorter.training.table_evaluation import (
    ByParts,
    ClassCounts,
    OneOrSeveral,
    SeveralCheck,
    TableEvaluation,
    TableLatency,
    TableShown,
)
from sorter.training.table_labels import read_table_labels
from sorter.training.table_model import first_digits
from sorter.training.tables import SEVERAL, parts_shown, table_targets, visibility
from sorter.types import Frame, LocationKind
from sorter.vision import locate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from sorter.dataset import Dataset, Picture
    from sorter.dataset.labels import PictureLabels
    from sorter.training.chosen import FoldUsed
    from sorter.training.table_model import TableCard, TableModel
    from sorter.types.pictures import RgbArray

    BoolArray = NDArray[np.bool_]
    FloatArray = NDArray[np.float64]

_AT_ONCE = 32  # pictures that are looked at before the network is asked
_TOP_LOSSES = 24
_TIMED = 30  # pictures whose times are taken


@dataclass(frozen=True, eq=False)
class _Asked:
    """The n pictures that could be read, the network's logits n×c, what ``locate`` says; and those that could not."""

    pictures: tuple[Picture, ...]
    logits: FloatArray
    kinds: tuple[LocationKind, ...]
    unreadable: tuple[NotScored, ...]


def evaluate_tables(
    model: TableModel,
    dataset: Dataset,
    pictures: Sequence[Picture],
    *,
    fold: FoldUsed | None = None,
    workers: int = 2,
    on_progress: Callable[[int], None] | None = None,
) -> TableEvaluation:
    """Ask the network of each picture, and ``locate`` whether it shows several parts.

    Args:
        model: loaded; not to be used by anybody else meanwhile.
        dataset: that the pictures are of; ``labels.json`` in its folder says what they show.
        pictures: to be scored; of copies the first.
        fold: that holds the pictures out.
        workers: threads that read and locate, beside the calling one.
        on_progress: called with how many more pictures are done.

    Raises:
        TrainingRefused: ``labels.json`` does not agree with the index.
        DatasetRefused: it cannot be read, or no picture can, or none shows a class of the network.
    """
    once = without_copies(pictures)
    if on_progress is not None and len(once) < len(pictures):
        on_progress(len(pictures) - len(once))
    card = model.card
    labels = read_table_labels(dataset.root, once)
    wanted = Wanted(dataset.root, once, labels, card.size_px, card.table_grey)
    asked = _ask(model, wanted, workers, on_progress)
    shown, logits = asked.pictures, asked.logits
    number = {name: place for place, name in enumerate(card.labels[:-1])}
    tables = [labels.by_path[each.path] for each in shown]
    parts = [parts_shown(each, number, card.size_px) for each in tables]
    visible = np.array([visibility(each, len(card.labels)) for each in parts], np.float32)
    targets = table_targets(visible.reshape(-1, len(card.labels)), card.least_visible)
    if not (targets[:, :-1] > 0.5).any():
        raise _nothing_scored(dataset, card, asked.unreadable)
    said = model.said(logits)
    mean = mean_average_precision(logits[:, :-1], targets[:, :-1])
    scores = {
        name: label_score(logits[:, place], targets[:, place], card.threshold_logits[place])
        for place, name in enumerate(card.labels)
    }
    counted = np.array([int((each.visible >= card.least_visible).sum()) for each in parts])
    top = _top_losses(card, asked, targets, counted)
    latency, tiles = _timed(model, wanted, shown, {each.path for each in top})
    trained_on = set(card.training_pictures)
    seen = sum(first_digits(each.sha256) in trained_on for each in shown)
    return TableEvaluation(
        card=card,
        runtime=model.runtime,
        size_bytes=model.size_bytes,
        data=str(dataset.root),
        fold=fold,
        pictures=len(shown),
        copies=len(pictures) - len(once),
        seen=seen,
        mean_average_precision=mean,
        interval=interval_over_pictures(logits[:, :-1], targets[:, :-1]),
        labels=scores,
        one_or_several=one_or_several(targets[:, -1], said[:, -1], asked.kinds, counted),
        class_counts=class_counts(targets[:, :-1], said[:, :-1]),
        top_losses=top,
        latency=latency,
        unreadable=asked.unreadable,
        warnings=_warnings(card, asked, tables, seen, targets),
        tiles=tiles,
    )


def one_or_several(
    targets: NDArray[np.float32], said: BoolArray, kinds: Sequence[LocationKind], parts: NDArray[np.int64]
) -> OneOrSeveral | None:
    """The network's word beside the rule's; None if no picture is decided.

    Args:
        targets: n, 1 several, 0 not, below 0 undecided.
        said: n, what the network says.
        kinds: n, what ``locate`` says.
        parts: n, how many are visible.
    """
    decided = np.flatnonzero(targets >= 0.0)
    if not len(decided):
        return None
    is_several, network = targets[decided] > 0.5, said[decided]
    rule = np.array([kinds[row] is LocationKind.SEVERAL for row in decided.tolist()])
    is_network, is_rule, count = network == is_several, rule == is_several, parts[decided]
    return OneOrSeveral(
        one=int((~is_several).sum()),
        several=int(is_several.sum()),
        undecided=len(targets) - len(decided),
        network=_check(is_several, network),
        rule=_check(is_several, rule),
        both_right=int((is_network & is_rule).sum()),
        network_alone=int((is_network & ~is_rule).sum()),
        rule_alone=int((~is_network & is_rule).sum()),
        neither=int((~is_network & ~is_rule).sum()),
        by_parts=tuple(
            ByParts(
                each,
                int((count == each).sum()),
                float(is_network[count == each].mean()),
                float(is_rule[count == each].mean()),
            )
            for each in np.unique(count).tolist()
        ),
        rule_kinds={
            name: dict(sorted(Counter(f"{kinds[row]}" for row in decided[chosen].tolist()).items()))
            for name, chosen in (("one", ~is_several), ("several", is_several))
        },
    )


def _check(is_several: BoolArray, said: BoolArray) -> SeveralCheck:
    is_right = said == is_several
    return SeveralCheck(
        right=float(is_right.mean()),
        interval=interval_over_bricks(is_right.astype(np.float64), [str(row) for row in range(len(is_right))]),
        one_as_several=int((~is_several & said).sum()),
        several_as_one=int((is_several & ~said).sum()),
    )


def class_counts(targets: NDArray[np.float32], said: BoolArray) -> ClassCounts | None:
    """How many classes there are and how many are said, of pictures n×c whose classes are all decided."""
    is_decided = (targets >= 0.0).all(axis=1)
    if not is_decided.any():
        return None
    is_there, is_said = targets[is_decided] > 0.5, said[is_decided]
    there, named = is_there.sum(axis=1), is_said.sum(axis=1)
    counts = np.zeros((int(there.max()) + 1, int(max(named.max(), there.max())) + 1), np.int64)
    np.add.at(counts, (there, named), 1)
    return ClassCounts(
        counts=tuple(tuple(row) for row in counts.tolist()),
        right=float((there == named).mean()),
        all_right=float((is_there == is_said).all(axis=1).mean()),
    )


def _ask(model: TableModel, wanted: Wanted, workers: int, on_progress: Callable[[int], None] | None) -> _Asked:
    def look(picture: Picture) -> tuple[RgbArray, LocationKind] | str:
        rgb = labelled_picture(wanted, picture)
        if isinstance(rgb, str):
            return rgb
        return in_square(rgb, wanted.size_px, wanted.grey), locate(Frame(rgb, 0.0, 0)).kind

    shown: list[Picture] = []
    kinds: list[LocationKind] = []
    logits, unreadable = [np.zeros((0, len(model.card.labels)))], []
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="tables") as pool:
        for first in range(0, len(wanted.pictures), _AT_ONCE):
            some = wanted.pictures[first : first + _AT_ONCE]
            squares = []
            for picture, found in zip(some, pool.map(look, some), strict=True):
                if isinstance(found, str):
                    unreadable.append(NotScored(picture.path, found))
                    continue
                shown.append(picture)
                squares.append(found[0])
                kinds.append(found[1])
            if squares:
                logits.append(model.logits(np.array(squares)))
            if on_progress is not None:
                on_progress(len(some))
    return _Asked(tuple(shown), np.concatenate(logits), tuple(kinds), tuple(unreadable))


def _top_losses(
    card: TableCard, asked: _Asked, targets: NDArray[np.float32], parts: NDArray[np.int64]
) -> tuple[TableShown, ...]:
    """Pictures of the highest mean cross-entropy over decided labels."""
    logits = asked.logits
    each_loss = np.logaddexp(0.0, logits) - logits * np.maximum(targets, 0.0)
    is_decided = targets >= 0.0
    losses = (each_loss * is_decided).sum(axis=1) / np.maximum(is_decided.sum(axis=1), 1)
    said = logits >= np.array(card.threshold_logits)

    def names(row: BoolArray) -> tuple[str, ...]:
        return tuple(name for name, is_it in zip(card.labels[:-1], row[:-1], strict=True) if is_it)

    return tuple(
        TableShown(
            path=asked.pictures[row].path,
            there=names(targets[row] > 0.5),
            said=names(said[row]),
            parts=int(parts[row]),
            network_several=bool(said[row, -1]),
            rule=f"{asked.kinds[row]}",
            loss=float(losses[row]),
        )
        for row in np.argsort(-losses, kind="stable")[:_TOP_LOSSES].tolist()
    )


def _timed(
    model: TableModel, wanted: Wanted, shown: Sequence[Picture], named: set[str]
) -> tuple[TableLatency, dict[str, RgbArray]]:
    """Look at a few pictures once more, one after the other: how long it takes, and squares of those that are named."""
    evenly = np.linspace(0, len(shown) - 1, min(len(shown), _TIMED)).astype(np.int64).tolist()
    chosen = {each.path: each for each in (*(shown[row] for row in evenly), *(x for x in shown if x.path in named))}
    tiles, rows = {}, []
    for path, picture in chosen.items():
        rgb = labelled_picture(wanted, picture)
        if isinstance(rgb, str):
            continue  # it was there a moment ago; its numbers stand, its tile is missing
        times = [time.perf_counter()]
        locate(Frame(rgb, 0.0, 0))
        times.append(time.perf_counter())
        square = in_square(rgb, wanted.size_px, wanted.grey)
        model.logits(square[None])
        times.append(time.perf_counter())
        rows.append((1000.0 * (times[1] - times[0]), 1000.0 * (times[2] - times[1])))
        if path in named:
            tiles[path] = square
    medians = [statistics.median(column) for column in zip(*rows, strict=True)] if rows else [0.0, 0.0]
    return TableLatency(medians[0], medians[1], len(rows)), tiles


def _warnings(
    card: TableCard, asked: _Asked, tables: Sequence[PictureLabels], seen: int, targets: NDArray[np.float32]
) -> tuple[str, ...]:
    """Sentences without their stop, the gravest first."""
    said, shown, unreadable = [], asked.pictures, len(asked.unreadable)
    if seen:
        said.append(f"{seen} of these {len(shown)} pictures stood in training: their numbers say nothing of others")
    if all(each.source == "render" for each in shown):
        said.append("all pictures are rendered: how good the network is on photographs, these numbers do not say")
    strange = sorted({part.class_name for each in tables for part in each.parts} - set(card.labels))
    if strange:
        said.append(f"parts of {', '.join(strange)} are none of the network's classes: they count in {SEVERAL!r} alone")
    missing = [name for place, name in enumerate(card.labels) if not (targets[:, place] > 0.5).any()]
    if missing:
        said.append(f"no picture shows {', '.join(missing)}: of that nothing is known")
    if unreadable:
        said.append(f"{unreadable} pictures cannot be used, and stand in no number")
    return tuple(said)


def _nothing_scored(dataset: Dataset, card: TableCard, unreadable: Sequence[NotScored]) -> DatasetRefused:
    why = f"; {len(unreadable)} cannot be used, such as {unreadable[0].path}, which {unreadable[0].reason}"
    return DatasetRefused(
        dataset.root,
        f"has no picture that can be scored with {card.name}{why if unreadable else ''}",
        remedy=f"Take pictures of tables with its classes ({', '.join(card.labels[:12])}), or name another model.",
    )
