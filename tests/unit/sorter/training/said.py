"""Scores made by hand: what a network might have said of pictures."""

from __future__ import annotations

import numpy as np

from sorter.training.scores import UNKNOWN, Scores

LABELS = ("bar", "disc", "square")


def scores_of(rows: list[tuple[str, str, float, str, str, float]]) -> Scores:
    """A picture a row: true class, what was said, how much surer than the others (logit), brick, revolution, angle."""
    logits = np.zeros((len(rows), len(LABELS)))
    for number, (_, said, sure, *_) in enumerate(rows):
        logits[number, LABELS.index(said)] = sure
    return Scores(
        labels=LABELS,
        logits=logits,
        targets=np.array([LABELS.index(row[0]) if row[0] in LABELS else UNKNOWN for row in rows], np.int64),
        class_names=tuple(row[0] for row in rows),
        paths=tuple(f"{number}.png" for number in range(len(rows))),
        bricks=tuple(row[3] for row in rows),
        revolutions=tuple(row[4] for row in rows),
        angles_deg=np.array([row[5] for row in rows], dtype=np.float64),
    )


def single(truth: str, said: str, sure: float = 3.0, brick: str = "a") -> tuple[str, str, float, str, str, float]:
    """A picture of no known angle."""
    return truth, said, sure, brick, brick, float("nan")
