"""Measure an exported model on labelled pictures; see ``sorter.training.evaluation`` for what comes out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sorter.dataset import DatasetRefused
from sorter.training.evaluation import Evaluation, PairShown, TopLoss
from sorter.training.fairness import warnings_about
from sorter.training.judging import by_views, unknown_parts
from sorter.training.metrics import (
    confused_pairs,
    confusion,
    expected_calibration_error,
    interval_over_bricks,
    per_class,
    reliability,
    said,
    softmax,
)
from sorter.training.scores import joined
from sorter.training.scoring import score, timed, without_copies

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sorter.classify import Model, ModelCard
    from sorter.dataset import Dataset, Picture
    from sorter.training.chosen import FoldUsed
    from sorter.training.scores import Scores
    from sorter.training.scoring import Scored

_TOP_LOSSES = 24
_PAIRS, _EXAMPLES = 8, 4
_LEAST_TIMED = 30  # pictures whose times are taken


def evaluate(
    model: Model,
    dataset: Dataset,
    pictures: Sequence[Picture],
    *,
    size_bytes: int,
    fold: FoldUsed | None = None,
    unknown: Dataset | None = None,
    workers: int = 2,
    on_progress: Callable[[int], None] | None = None,
) -> Evaluation:
    """Score pictures of known classes, and tell them from unknown parts.

    Args:
        model: loaded; not to be used by anybody else meanwhile.
        dataset: that the pictures are of.
        pictures: to be scored; of copies the first. Those of classes that the model does not have are unknown parts.
        size_bytes: of the network's file.
        fold: that holds the pictures out.
        unknown: more unknown parts; pictures in it of classes that the model has are left out.
        workers: threads that cut out parts, beside the calling one.
        on_progress: called with how many more pictures are done, copies and left-out ones too.

    Raises:
        DatasetRefused: no picture of a known class shows a part.
    """
    once = without_copies(pictures)
    _tell(on_progress, len(pictures) - len(once))
    scored = score(model, dataset, once, workers=workers, on_progress=on_progress)
    if not scored.scores.is_known.any():
        raise _nothing_scored(dataset, scored, model.card)
    others = None
    if unknown is not None:
        hashes = {each.sha256 for each in once}
        of_other_classes = [each for each in unknown.pictures if each.class_name not in model.card.labels]
        more = without_copies(of_other_classes, hashes)
        _tell(on_progress, len(unknown.pictures) - len(more))
        others = score(model, unknown, more, workers=workers, on_progress=on_progress)
    evaluation = _measured(model, dataset, scored, others)
    return replace(
        evaluation,
        size_bytes=size_bytes,
        fold=fold,
        copies=len(pictures) - len(once),
        warnings=warnings_about(evaluation, scored, fold),
    )


def _measured(model: Model, dataset: Dataset, scored: Scored, others: Scored | None) -> Evaluation:
    """All numbers; what is not measured is filled in by ``evaluate``."""
    card = model.card
    known, known_turns = scored.part(is_known=True), scored.part(is_known=True, is_turn=True)
    groups = [scored] if others is None else [scored, others]
    strange = joined([each.part(is_known=False) for each in groups])
    strange_turns = joined([each.part(is_known=False, is_turn=True) for each in groups])
    surest = softmax(known.logits, card.calibration.temperature).max(axis=1)
    is_right = said(known) == known.targets
    pairs, losses = _pairs(known), _top_losses(known, card.calibration.temperature)
    named = [each.path for each in losses] + [path for each in pairs for path in each.examples]
    latency, tiles = timed(model, dataset.root, _to_be_timed(known, named))
    return Evaluation(
        card=card,
        runtime=model.runtime,
        size_bytes=0,
        data=str(dataset.root),
        groups_from=dataset.groups_from,
        fold=None,
        pictures=len(known),
        bricks=len(set(known.bricks)),
        copies=0,
        bricks_seen=tuple(sorted({*known.bricks, *strange.bricks} & set(card.training_bricks))),
        accuracy=float(is_right.mean()),
        interval=interval_over_bricks(is_right.astype(np.float64), known.bricks),
        by_views=by_views(known, known_turns, card),
        expected_calibration_error=expected_calibration_error(surest, is_right),
        per_class=per_class(known),
        confusion=confusion(known),
        confused_pairs=pairs,
        top_losses=losses,
        reliability=reliability(surest, is_right),
        unknown=unknown_parts((known, strange), (known_turns, strange_turns), card) if len(strange) else None,
        latency=latency,
        no_part=tuple(each for group in groups for each in group.no_part),
        unreadable=tuple(each for group in groups for each in group.unreadable),
        angles=scored.angles,
        warnings=(),
        tiles={path: tiles[path] for path in named if path in tiles},
    )


def _pairs(known: Scores) -> tuple[PairShown, ...]:
    return tuple(
        PairShown(
            each.class_name,
            each.said,
            each.pictures,
            each.share,
            tuple(known.paths[row] for row in each.rows[:_EXAMPLES]),
        )
        for each in confused_pairs(known, _PAIRS)
    )


def _top_losses(known: Scores, temperature: float) -> tuple[TopLoss, ...]:
    scaled = known.logits / temperature
    most = scaled.max(axis=1)
    every = np.arange(len(known))
    losses = most + np.log(np.exp(scaled - most[:, None]).sum(axis=1)) - scaled[every, known.targets]
    probabilities, answers = softmax(known.logits, temperature), said(known)
    return tuple(
        TopLoss(
            path=known.paths[row],
            class_name=known.class_names[row],
            said=known.labels[answers[row]],
            probability=float(probabilities[row, answers[row]]),
            class_probability=float(probabilities[row, known.targets[row]]),
            loss=abs(float(losses[row])),  # not -0.0
        )
        for row in np.argsort(-losses, kind="stable")[:_TOP_LOSSES].tolist()
    )


def _to_be_timed(known: Scores, named: Sequence[str]) -> list[str]:
    """What is shown, and as many more, evenly taken, as make a median."""
    evenly = np.linspace(0, len(known) - 1, min(len(known), _LEAST_TIMED)).astype(np.int64)
    return list(dict.fromkeys([*named, *(known.paths[row] for row in evenly.tolist())]))


def _nothing_scored(dataset: Dataset, scored: Scored, card: ModelCard) -> DatasetRefused:
    classes = sorted(set(scored.scores.class_names))
    parts = [f"{len(scored.scores)} show parts of classes that {card.name} does not have"] if classes else []
    parts += [f"{len(scored.no_part)} show no single part, such as {scored.no_part[0].path}"] if scored.no_part else []
    if scored.unreadable:
        first = scored.unreadable[0]
        parts.append(f"{len(scored.unreadable)} cannot be read, such as {first.path}, which {first.reason}")
    return DatasetRefused(
        dataset.root,
        f"has no picture that can be scored: {'; '.join(parts) or 'none was chosen'}",
        remedy=f"Take pictures of its classes ({', '.join(card.labels[:12])}), or name another model.",
    )


def _tell(on_progress: Callable[[int], None] | None, done: int) -> None:
    if on_progress is not None and done:
        on_progress(done)
