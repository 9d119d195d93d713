"""From a finished run to a model's folder that the rig accepts: int8 network, labels, card, README; all or nothing."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sorter.classify.card import CARD_FILE, LABELS_FILE, MODEL_FILE, CropCard, ModelCard, SplitCard, card_json
from sorter.training.calibrate import calibrate
from sorter.training.checks import check_labels, check_name
from sorter.training.errors import ExportRefused
from sorter.training.examples import Examples
from sorter.training.labels import labels_of
from sorter.training.model_readme import model_readme
from sorter.training.quantise import Int8Network, to_int8
from sorter.training.record import FINAL
from sorter.training.scores import joined
from sorter.training.steps import logits_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from sorter.dataset import Picture
    from sorter.training.calibrate import Calibrated
    from sorter.training.fit import Observer
    from sorter.training.inner import By
    from sorter.training.run import Run
    from sorter.training.scores import Scores

MOST_INT8_DROP = 0.005
"""Of the accuracy on held-out pictures (0.5 points): more is no rounding, but damage."""

README = "README.md"


@dataclass(frozen=True)
class Exported:
    """What was written.

    Args:
        folder: the model.
        card: its card.
        notes: what a person has to know of its numbers.
    """

    folder: Path
    card: ModelCard
    notes: tuple[str, ...]


def export(
    run: Run, folder: Path, observer: Observer, *, is_int8_drop_allowed: bool = False, is_replaced: bool = False
) -> Exported:
    """Make a model's folder of a run that is trained to its end.

    Everything that the card says of bricks never seen comes from the inner networks as int8, each on the bricks that it
    did without; the final network, which is what is exported, has seen them all.

    Args:
        run: with all networks finished.
        folder: to be written.
        observer: is told what is done.
        is_int8_drop_allowed: write it although int8 costs more than MOST_INT8_DROP.
        is_replaced: the folder may be there already; then it is replaced.

    Raises:
        ExportRefused: the run has nothing to calibrate on, int8 costs too much, or the folder is taken.
        RunRefused: a network is not finished.
    """
    check_free(folder, is_replaced=is_replaced)
    record = run.record
    check_name(record.name)
    check_labels(record.labels)
    if record.loss != "categorical":
        raise ExportRefused(
            "the network names several classes a picture, and the rig's card knows one part with one class",
            remedy="Train it on pictures of single parts to use it on the rig.",
        )
    assert isinstance(run.examples, Examples)
    if record.inner is None:
        raise ExportRefused(
            "nothing was held out inside (inner_folds = 0): there is nothing to take temperature and thresholds from",
            remedy="Train with inner_folds of 2 or more.",
        )
    held_out = [name for name in record.networks if name != FINAL]
    as_int8 = joined([_apart(run.scores(name), name, record.inner.by) for name in held_out])
    as_float = joined([run.scores(name, "float") for name in held_out])
    accuracy = {
        kind: float((scores.logits.argmax(axis=1) == scores.targets).mean())
        for kind, scores in (("int8", as_int8), ("float", as_float))
    }
    _check_drop(accuracy["float"], accuracy["int8"], len(as_int8), is_allowed=is_int8_drop_allowed)
    observer.on_notice("calibration on what the inner networks never saw")
    calibrated = calibrate(as_int8, seed=record.recipe.seed)
    observer.on_notice("the final network as int8")
    model = run.network(FINAL)
    examples = run.trained_on(FINAL)
    shown = examples.representative()
    content = to_int8(model, shown)
    network = Int8Network(content)
    agreement = _agreement(logits_of(model, shown), network.logits(shown))
    metrics = {
        "accuracy": accuracy["int8"],
        "float_accuracy": accuracy["float"],
        "int8_accuracy": accuracy["int8"],
        "expected_calibration_error": calibrated.expected_calibration_error,
        "pictures": float(len(as_int8)),
        "bricks": float(_bricks(run, as_int8.paths)),
        "final_int8_agreement": agreement,
    }
    card = _card(run, network, content, calibrated, metrics)
    notes = (*calibrated.notes, *record.notes)  # of left-out pictures there may be thousands
    files = {
        MODEL_FILE: content,
        LABELS_FILE: _labels_json(card.labels),
        CARD_FILE: card_json(card).encode(),
        README: model_readme(run.record, card, len(content), notes, _mixed_in(run)).encode(),
    }
    write_folder(folder, files)
    return Exported(folder, card, notes)


def _apart(scores: Scores, network: str, by: By) -> Scores:
    """Split by picture, several networks scored one turn of the table: views of one network alone belong together."""
    if by != "random":
        return scores
    return replace(scores, revolutions=tuple(f"{network}/{each}" for each in scores.revolutions))


def check_free(folder: Path, *, is_replaced: bool = False, marked_by: str = CARD_FILE) -> None:
    """Refuse a model's folder that cannot be made, before anything is worked out.

    Args:
        folder: to be written.
        is_replaced: one that is there may be replaced, if it has the file ``marked_by``, which makes it a model's.
        marked_by: name of that file.

    Raises:
        ExportRefused: it is taken, or there is no folder for it.
    """
    if folder.exists() and not (is_replaced and (folder / marked_by).exists()):
        raise ExportRefused(f"{folder} is there already", remedy="Name another folder, or take it away first.")
    if not folder.absolute().parent.is_dir():
        raise ExportRefused(
            f"there is no folder {folder.absolute().parent}", remedy="Make it first, or name another one."
        )


def _check_drop(as_float: float, as_int8: float, count: int, *, is_allowed: bool) -> None:
    is_one_picture = round((as_float - as_int8) * count) <= 1  # of few pictures one is more than half a point
    if round(as_float - as_int8, 9) > MOST_INT8_DROP and not is_one_picture and not is_allowed:
        raise ExportRefused(
            f"int8 costs {100 * (as_float - as_int8):.1f} points: of {count} held-out pictures {as_float:.1%} are "
            f"right as float, {as_int8:.1%} as int8; more than {100 * MOST_INT8_DROP:.1f} is refused",
            remedy="Train longer or with more pictures, or accept it by name: --allow-int8-drop.",
        )


def _bricks(run: Run, paths: Sequence[str]) -> int:
    """How many bricks that somebody wrote down these pictures show."""
    return len({each.brick for each in run.examples.of(paths).pictures} - {None})


def _agreement(as_float: NDArray[np.float32], as_int8: NDArray[np.float64]) -> float:
    """Of the representative pictures, how many the final network names the same as float and as int8."""
    return float((as_float.argmax(axis=1) == as_int8.argmax(axis=1)).mean())


def _mixed_in(run: Run) -> tuple[Picture, ...]:
    return run.rendered.pictures if run.rendered is not None else ()


def _card(
    run: Run, network: Int8Network, content: bytes, calibrated: Calibrated, metrics: dict[str, float]
) -> ModelCard:
    record = run.record
    assert record.inner is not None
    crop = record.recipe.crop
    seen = [*run.examples.pictures, *_mixed_in(run)]
    bricks = sorted({each.brick for each in seen if each.brick is not None})
    without = set(record.split.held_out if record.split else ())
    held_bricks = sorted(
        {each.brick for each in run.dataset.pictures if each.path in without and each.brick is not None} - set(bricks)
    )
    note = (
        f"numbers, calibration and thresholds from {len(record.inner.held_out)} inner networks, each without other "
        f"{'pictures' if record.inner.by == 'random' else record.inner.by + 's'}; the network itself saw all of them"
    )
    shown = {name for each in record.networks if each != FINAL for name in labels_of(run.held_out(each).pictures)}
    never = [name for name in record.labels if name not in shown]
    if never:
        note += f"; they say nothing of {', '.join(never)}, of which nothing could be held out"
    if record.split is not None:
        note += f"; fold {record.split.fold} of a split by {record.split.by} was kept out of everything"
    return ModelCard(
        format=1,
        name=record.name,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        description=f"recipe {record.recipe.name}: {record.recipe.backbone.name}, {crop.size_px} px",
        hashes={
            MODEL_FILE: hashlib.sha256(content).hexdigest(),
            LABELS_FILE: hashlib.sha256(_labels_json(record.labels)).hexdigest(),
        },
        labels=record.labels,
        crop=CropCard(**crop.model_dump()),
        input=network.input_card(),
        output=network.output_card(),
        training_bricks=tuple(bricks),
        split=SplitCard(by=record.inner.by, held_out=tuple(held_bricks), note=note),
        metrics={name: round(value, 6) for name, value in metrics.items()},
        calibration=calibrated.calibration,
        thresholds=calibrated.thresholds,
        novelty=calibrated.novelty,
    )


def _labels_json(labels: tuple[str, ...]) -> bytes:
    return (json.dumps(list(labels), ensure_ascii=False) + "\n").encode()


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """All files into a folder beside it, then its name: what is there is whole, and stays if anything goes wrong.

    Raises:
        ExportRefused: it cannot be written.
    """
    made = None
    try:
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.absolute().parent))
        made.chmod(0o755)
        for name, data in files.items():
            with (made / name).open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        _put(made, folder)
    except BaseException as error:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)
        if isinstance(error, OSError):
            reason = f"{folder} cannot be written: {error.strerror}"
            raise ExportRefused(reason, remedy="Name another folder, or make room.") from error
        raise


def _put(made: Path, folder: Path) -> None:
    """Give the folder its name, in place of the one that has it. Killed between the two, the old one is beside it."""
    if not folder.exists():
        made.replace(folder)
        return
    old = made.with_suffix(".old")
    folder.replace(old)
    try:
        made.replace(folder)
    except BaseException:
        old.replace(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)
