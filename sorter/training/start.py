"""Begin a run, or take it up again: everything is read and checked before a folder is made."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sorter.dataset import Dataset, look_at_all, read_dataset, read_split, with_inferred_groups
from sorter.training.checks import check_enough, check_labels, check_name
from sorter.training.crop_cache import prepare_cached
from sorter.training.errors import LossRefused, RunRefused, TrainingRefused
from sorter.training.framework import versions
from sorter.training.inner import inner_split, table_split
from sorter.training.labels import check_targets, classes_of, fitting_loss, labels_of, targets_of
from sorter.training.networks import build
from sorter.training.record import InnerRecord, RunRecord, SplitRecord, read_record, write_record
from sorter.training.rendered import usable_rendered, with_other
from sorter.training.run import Run
from sorter.training.table_labels import read_table_labels
from sorter.training.tables import Tables, check_tables, read_tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sorter.dataset import Picture
    from sorter.training.examples import Examples
    from sorter.training.fit import Observer
    from sorter.training.inner import InnerSplit
    from sorter.training.labels import Loss
    from sorter.training.recipe import Recipe


@dataclass(frozen=True)
class Wish:
    """What to train from what.

    Args:
        data: folder of labelled pictures.
        out: folder of the run; must not be there yet, or be empty.
        recipe: how.
        name: of the model; the recipe's if None.
        weights: in place of the recipe's.
        split: file of which one fold is kept out.
        fold: of it, from 1; None where it has one only.
        excluded: classes to leave out whole.
        rendered: folder of rendered pictures to mix in.
        cache: folder for crops or tables, or None.
    """

    data: Path
    out: Path
    recipe: Recipe
    name: str | None = None
    weights: str | None = None
    split: Path | None = None
    fold: int | None = None
    excluded: tuple[str, ...] = ()
    rendered: Path | None = None
    cache: Path | None = None


def start(wish: Wish, observer: Observer) -> Run:
    """Read and check everything, then make the run's folder with its record; nothing is there before that.

    Args:
        wish: what to train.
        observer: is told what a person has to know.

    Raises:
        DatasetRefused, ConfigError: pictures or split cannot be used.
        TrainingRefused: there is nothing sensible to train on.
        RunRefused: the folder is taken.
    """
    _check_free(wish.out)
    name = wish.recipe.name if wish.name is None else wish.name
    check_name(name)
    data, rendered_from, weights = _stated(wish.data), _stated(wish.rendered), _weights(wish)
    dataset = _read(wish.data, wish.recipe, observer)
    pictures, split = _training_pictures(wish, dataset)
    examples = _shown(dataset, pictures, wish.recipe, wish.cache, observer)
    labels, loss = _labels(wish, examples)
    # Notes go into a model's README, where a path of this machine tells nobody anything.
    inner, notes = None, [each.replace(f"{dataset.root}/", "") for each in dataset.warnings]
    if wish.recipe.inner_folds:
        made = _inner(dataset, examples, wish.recipe)
        inner, notes = InnerRecord(by=made.by, held_out=made.held_out), [*made.notes, *notes]
    rendered, rendered_sha256, more, labels = _rendered(wish, dataset, labels, loss, observer)
    notes += more
    # At the end: there may be thousands, and what else is to be known must not be lost among them.
    notes += [f"left out: {each.path} {each.reason}" for each in examples.left_out]
    record = RunRecord(
        name=name,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        dataset=data or "",
        dataset_sha256=dataset.sha256,
        excluded=tuple(sorted(wish.excluded)),
        split=split,
        rendered=rendered_from,
        rendered_sha256=rendered_sha256,
        recipe=wish.recipe,
        weights=weights,
        labels=labels,
        loss=loss,
        table_labels_sha256=examples.labels_sha256 if isinstance(examples, Tables) else None,
        inner=inner,
        versions=versions(),
        notes=tuple(notes),
    )
    for note in notes:
        observer.on_notice(note)
    build(record.recipe, len(labels), weights=record.weights)  # weights that are missing are said now
    _make_folder(wish.out, record)
    return Run(wish.out, record, dataset, examples, rendered)


def resume(
    folder: Path,
    observer: Observer,
    *,
    cache: Path | None = None,
) -> Run:
    """A run as it was started, from its record.

    Raises:
        RunRefused: it is no run, or its pictures are not the same any more.
        DatasetRefused: they are not there any more.
    """
    record = read_record(folder)
    dataset = _read(Path(record.dataset), record.recipe, observer)
    if dataset.sha256 != record.dataset_sha256:
        raise RunRefused(
            f"the pictures in {record.dataset} are not those that {folder} was started with",
            remedy="Put them back as they were, or start a run of its own.",
        )
    for library, now in versions().items():
        if record.versions.get(library, now) != now:
            observer.on_notice(
                f"{folder} was started with {library} {record.versions[library]}, and this is {now}: it will not end "
                "with the same weights, bit for bit"
            )
    without = set(record.split.held_out if record.split else ())
    pictures = [
        each for each in dataset.pictures if each.path not in without and not {*classes_of(each)} & {*record.excluded}
    ]
    examples = _shown(dataset, pictures, record.recipe, cache, observer)
    if isinstance(examples, Tables) and examples.labels_sha256 != record.table_labels_sha256:
        raise RunRefused(
            f"what the pictures in {record.dataset} show is not what {folder} was started with: labels.json differs",
            remedy="Put it back as it was, or start a run of its own.",
        )
    rendered = None
    if record.rendered is not None:
        rendered_set = read_dataset(Path(record.rendered))
        if rendered_set.sha256 != record.rendered_sha256:
            raise RunRefused(
                f"the rendered pictures in {record.rendered} are not those that {folder} was started with",
                remedy="Put them back as they were, or start a run of its own.",
            )
        usable, _ = usable_rendered(rendered_set, dataset, record.labels, record.loss)
        rendered = _examples(rendered_set, usable, record.recipe, cache, observer)
    return Run(folder, record, dataset, examples, rendered)


def read_examples(data: Path, recipe: Recipe, cache: Path | None, observer: Observer) -> Examples:
    """All crops of a folder that a recipe can train on, without a run.

    Raises:
        DatasetRefused, TrainingRefused: as for a run; or the recipe is for whole tables.
    """
    if recipe.input == "table":
        raise TrainingRefused(
            f'recipe {recipe.name} is for whole tables (input = "table"), and rates are looked for with single parts',
            remedy="Take a recipe for single parts.",
        )
    dataset = read_dataset(data)
    examples = _examples(dataset, dataset.pictures, recipe, cache, observer)
    for each in examples.left_out:
        observer.on_notice(f"left out: {each.path} {each.reason}")
    check_enough(data, recipe, examples.pictures, labels_of(examples.pictures))
    return examples


def _stated(path: str | Path | None) -> str | None:
    """A path as the record states it, whole: a run may be gone on with from another folder."""
    if path is None:
        return None
    whole = os.path.abspath(path)  # noqa: PTH100  (links stay as they were named)
    try:
        whole.encode()
    except UnicodeEncodeError as error:
        raise RunRefused(f"the path {whole!a} is no UTF-8 text", remedy="Give its folders other names.") from error
    return whole


def _weights(wish: Wish) -> str | None:
    named = wish.weights if wish.weights in (None, "imagenet", "none") else _stated(wish.weights)
    if named not in (None, "none") and wish.recipe.backbone.name == "scratch":
        raise TrainingRefused(
            f"weights {wish.weights} are given, but recipe {wish.recipe.name} trains a scratch network, which has none "
            "to begin with",
            remedy="Leave out --weights, or take another recipe.",
        )
    return named


def _check_free(out: Path) -> None:
    try:
        is_taken = out.exists() and (not out.is_dir() or any(out.iterdir()))
    except OSError as error:
        raise RunRefused(f"{out} cannot be looked into: {error.strerror}", remedy="Name another folder.") from error
    if is_taken:
        raise RunRefused(
            f"{out} is there already and not empty",
            remedy="Name a folder that is not there yet, or go on with that run: sorter train --resume RUN",
        )
    if not out.absolute().parent.is_dir():
        raise RunRefused(f"there is no folder {out.absolute().parent}", remedy="Make it first, or name another one.")
    if not os.access(out.absolute().parent, os.W_OK | os.X_OK):
        raise RunRefused(f"{out.absolute().parent} must not be written to", remedy="Name a folder elsewhere.")


def _read(folder: Path, recipe: Recipe, observer: Observer) -> Dataset:
    """A dataset, with groups where there are some: pictures of tables are scenes of their own."""
    dataset = read_dataset(folder)
    if dataset.groups_from != "unknown" or recipe.input == "table":
        return dataset
    observer.on_notice("nobody says which pictures belong together: revolutions are inferred from how alike they are")
    advance = observer.on_begin("groups", len(dataset.pictures))
    return with_inferred_groups(dataset, look_at_all(dataset, is_glance=True, on_progress=advance))


def _training_pictures(wish: Wish, dataset: Dataset) -> tuple[list[Picture], SplitRecord | None]:
    split = None
    pictures = list(dataset.pictures)
    if wish.split is not None:
        read = read_split(wish.split, dataset)
        fold = wish.fold if wish.fold is not None or len(read.folds) > 1 else 1
        if fold is None:
            raise TrainingRefused(
                f"{wish.split} has {len(read.folds)} folds, and one of them is to be kept out",
                remedy=f"Name it: --fold 1 to --fold {len(read.folds)}.",
            )
        if not 1 <= fold <= len(read.folds):
            raise TrainingRefused(
                f"{wish.split} has folds 1 to {len(read.folds)}, not {fold}", remedy="Name one of those."
            )
        pictures = list(read.training(dataset, fold - 1))
        kept = {each.path for each in pictures}
        split = SplitRecord(
            file=wish.split.name,
            sha256=hashlib.sha256(wish.split.read_bytes()).hexdigest(),
            by=read.by,
            fold=fold,
            held_out=tuple(each.path for each in dataset.pictures if each.path not in kept),
        )
    there = {name for each in pictures for name in classes_of(each)}
    unknown = sorted(set(wish.excluded) - there)
    if unknown:
        raise TrainingRefused(
            f"there is no class {', '.join(unknown)} to leave out; there are {', '.join(sorted(there))}",
            remedy="Name classes that are there.",
        )
    return [each for each in pictures if not {*classes_of(each)} & {*wish.excluded}], split


def _shown(
    dataset: Dataset,
    pictures: Sequence[Picture],
    recipe: Recipe,
    cache: Path | None,
    observer: Observer,
) -> Examples | Tables:
    """What the recipe shows the network: crops of parts, or whole tables."""
    if recipe.input == "part":
        return _examples(dataset, pictures, recipe, cache, observer)
    advance = observer.on_begin("tables", len(dataset.pictures if cache is not None else pictures))
    labels = read_table_labels(dataset.root, dataset.pictures)
    return read_tables(dataset.root, pictures, labels, recipe, cache, among=dataset.pictures, on_progress=advance)


def _labels(wish: Wish, examples: Examples | Tables) -> tuple[tuple[str, ...], Loss]:
    """Labels and the loss that fits them.

    Raises:
        TrainingRefused: there is nothing sensible to train on.
    """
    if isinstance(examples, Tables):
        check_tables(wish.data, wish.recipe, examples)
        check_labels(examples.labels)
        return examples.labels, "sigmoid"
    loss = fitting_loss(examples.pictures, wish.recipe.loss)
    if loss == "sigmoid" and wish.recipe.label_smoothing:
        raise LossRefused(
            "label_smoothing is for one class a picture, and these pictures may have several",
            remedy="Set label_smoothing to 0 in the recipe.",
        )
    labels = labels_of(examples.pictures)
    check_targets(targets_of(examples.pictures, labels, loss), loss, len(labels))
    check_enough(wish.data, wish.recipe, examples.pictures, labels)
    if loss == "categorical":  # others are not exported
        check_labels(labels)
    return labels, loss


def _inner(dataset: Dataset, examples: Examples | Tables, recipe: Recipe) -> InnerSplit:
    if isinstance(examples, Tables):
        return table_split(examples.pictures, recipe.inner_folds, recipe.seed)
    return inner_split(dataset, examples.pictures, recipe.inner_folds, recipe.seed)


def _examples(
    dataset: Dataset,
    pictures: Sequence[Picture],
    recipe: Recipe,
    cache: Path | None,
    observer: Observer,
) -> Examples:
    """Crops of the pictures; with a cache, all of the dataset's are kept, so that every fold finds them there."""
    advance = observer.on_begin("crops", len(dataset.pictures if cache is not None else pictures))
    return prepare_cached(
        dataset.root, pictures, recipe.crop.spec(), cache, among=dataset.pictures, on_progress=advance
    )


def _rendered(
    wish: Wish, dataset: Dataset, labels: Sequence[str], loss: Loss, observer: Observer
) -> tuple[Examples | None, str | None, list[str], tuple[str, ...]]:
    """Rendered pictures, the hash of their folder, notes, and the labels with what they add to them."""
    share, other_share = wish.recipe.rendered_share, wish.recipe.other_share
    if wish.rendered is None:
        given = share + other_share
        notes = [f"the recipe mixes in {given:.0%} of rendered pictures, none given"] if given else []
        return None, None, notes, tuple(labels)
    if not share and not other_share:
        raise TrainingRefused(
            f"{wish.rendered} is given, but the recipe mixes in none",
            remedy="Set rendered_share or other_share in the recipe above 0.",
        )
    rendered = read_dataset(wish.rendered)
    labels = with_other(rendered, labels, loss, wish.recipe)
    usable, notes = usable_rendered(rendered, dataset, labels, loss)
    examples = _examples(rendered, usable, wish.recipe, wish.cache, observer)
    notes += [f"left out: {each.path} {each.reason}" for each in examples.left_out]
    return examples, rendered.sha256, notes, tuple(labels)


def _make_folder(out: Path, record: RunRecord) -> None:
    """The folder with its record at once, or not at all."""
    made = None
    try:
        made = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".part", dir=out.absolute().parent))
        made.chmod(0o755)
        write_record(made, record)
        made.replace(out)
    except OSError as error:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)
        raise RunRefused(f"{out} cannot be made: {error.strerror}", remedy="Name another folder.") from error
