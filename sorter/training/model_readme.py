"""The README of a model's folder: what its card says, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.classify.card import OTHER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sorter.classify.card import ModelCard
    from sorter.dataset import Picture
    from sorter.training.record import RunRecord

_MOST_NOTES = 12


def model_readme(
    record: RunRecord, card: ModelCard, size_bytes: int, notes: Sequence[str], rendered: Sequence[Picture] = ()
) -> str:
    """Markdown; every number in it stands in the card or in the run's record.

    Args:
        record: of the run.
        card: of the model.
        size_bytes: of ``model.tflite``.
        notes: what is to be known.
        rendered: pictures that were mixed in.
    """
    metrics, backbone = card.metrics, record.recipe.backbone
    network = backbone.name if backbone.name == "scratch" else f"{backbone.name}, width {backbone.width:g}"
    inner = len(record.inner.held_out) if record.inner else 0
    by = "picture" if card.split.by == "random" else card.split.by
    bricks = metrics["bricks"] if card.split.by == "brick" else 0
    classes = [each for each in card.labels if each != OTHER]
    others = sum(each.class_name == OTHER for each in rendered)
    mixed_in = f"; with {len(rendered) - others:,} rendered pictures of its classes" if rendered else ""
    if others:
        mixed_in += f", {others:,} of parts of no class"
    says_other = f" It says `{OTHER}` of what is none of them." if OTHER in card.labels else ""
    lines = [
        f"# {card.name}",
        "",
        f"An int8 network for {len(classes)} classes of parts: {', '.join(classes)}.{says_other}",
        "",
        "| | |",
        "|---|---|",
        f"| made | {card.created_at[:10]}, recipe `{record.recipe.name}`, seed {record.recipe.seed} |",
        f"| network | {network}, {card.crop.size_px}×{card.crop.size_px} px, {size_bytes / 1e6:.2f} MB |",
        f"| trained on | {len(card.training_bricks) or 'unknown'} bricks{mixed_in} |",
        f"| held out inside | by {by}, {inner} networks |",
        f"| held-out pictures, bricks that were not seen | {metrics['pictures']:.0f}, {bricks:.0f} |",
        f"| one view right, int8 | {metrics['int8_accuracy']:.1%} (float {metrics['float_accuracy']:.1%}) |",
        f"| expected calibration error | {metrics['expected_calibration_error']:.3f} |",
        f"| temperature | {card.calibration.temperature:.2f} |",
        f"| correlation of views | {card.calibration.correlation_floor:.2f} at least |",
    ]
    lines += [
        f"| posterior for {each.misroute_rate:.1%} misrouted | {each.posterior:.3f} |" for each in card.thresholds
    ]
    if card.novelty is not None:
        lines.append(
            f"| unknown parts | {card.novelty.method} above {card.novelty.threshold:.3f}, which rejects "
            f"{card.novelty.known_rejected_share:.1%} of known parts |"
        )
    versions = ", ".join(f"{name} {version}" for name, version in sorted(record.versions.items()))
    lines += [
        "",
        f"How the numbers were made: {card.split.note}.",
        "`sorter evaluate` measures it on other pictures.",
        "",
        f"Made with {versions}.",
    ]
    if notes:
        lines += ["", "## To know", "", *(f"- {note}" for note in notes[:_MOST_NOTES])]
        if len(notes) > _MOST_NOTES:
            lines.append(f"- and {len(notes) - _MOST_NOTES} more, in the run's record")
    return "\n".join(lines) + "\n"
