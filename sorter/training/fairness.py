"""What a reader of an evaluation has to know before believing its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sorter.training.chosen import FoldUsed
    from sorter.training.evaluation import Evaluation
    from sorter.training.scoring import Scored

_MOST_NAMES = 8


def warnings_about(evaluation: Evaluation, scored: Scored, fold: FoldUsed | None) -> tuple[str, ...]:
    """Sentences, the gravest first; empty if nothing stands against the numbers."""
    card, found = evaluation.card, []
    if evaluation.bricks_seen:
        found.append(
            f"{_counted(len(evaluation.bricks_seen), 'brick')} of these pictures stood in training "
            f"({_some(evaluation.bricks_seen)}): the numbers are not those of bricks that the network never saw"
        )
    if not card.training_bricks:
        found.append("the card names no bricks that were trained on, so whether it saw these cannot be told")
    found += _about_groups(evaluation, scored.without_brick)
    found += [f"the split says: {each}" for each in (fold.notes if fold else ())]
    without = [name for name, each in evaluation.per_class.items() if not each.pictures]
    if without:
        found.append(f"no picture shows a {_some(without, 'or')}: the numbers say nothing of {_it(len(without))}")
    if evaluation.angles == "inferred":
        found.append(
            "angles are inferred from how alike pictures are, and taken to be even: results of several views rest on it"
        )
    if evaluation.no_part:
        found.append(
            f"{_counted(len(evaluation.no_part), 'picture')} without a single part in sight: the rig would reject it "
            "or look again, no rate counts it"
        )
    if evaluation.unreadable:
        found.append(f"{_counted(len(evaluation.unreadable), 'picture')} cannot be read and are in no number")
    return tuple(found)


def _about_groups(evaluation: Evaluation, without_brick: int) -> list[str]:
    found = []
    if without_brick:
        taken = "a revolution for one" if evaluation.groups_from == "inferred" else "a revolution or picture for one"
        found.append(
            f"nobody wrote down the brick of {_counted(without_brick, 'picture')}: intervals take {taken}, so they are "
            "too narrow, and whether training saw the brick cannot be told"
        )
    if evaluation.groups_from == "inferred":
        found.append("revolutions are inferred and may be several in one, so views of one part cannot be put together")
    if evaluation.interval is None:
        found.append("all pictures are of one brick: nothing can be said of others, so there are no intervals")
    return found


def _some(names: tuple[str, ...] | list[str], last: str = "and") -> str:
    shown = [*names[:_MOST_NAMES], *([f"{len(names) - _MOST_NAMES} more"] if len(names) > _MOST_NAMES else [])]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {last} {shown[-1]}"


def _it(count: int) -> str:
    return "it" if count == 1 else "them"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
