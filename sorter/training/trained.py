"""The networks of a run as Keras models: new ones, and those that are trained to their end."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

from sorter.training import checkpoint
from sorter.training.errors import RunRefused
from sorter.training.framework import framework
from sorter.training.networks import build
from sorter.training.record import FINAL, read_record

if TYPE_CHECKING:
    from pathlib import Path

    from sorter.classify import ModelCard
    from sorter.training.record import RunRecord


def new_network(record: RunRecord, number: int, *, is_pretrained: bool) -> Any:
    """The network of that number (from 0) before its first step.

    Args:
        record: of the run.
        number: in ``record.networks``.
        is_pretrained: False leaves the backbone's weights to chance, for whoever puts trained ones in.

    Raises:
        WeightsRefused: pretrained weights that are missing or of another network.
    """
    keras, _ = framework()
    keras.backend.clear_session()  # so that layers get the same names, and files the same bytes
    gc.collect()
    keras.utils.set_random_seed(record.recipe.seed + number)
    has_same_layers_anyway = record.recipe.backbone.name != "resnet50"
    weights = "none" if not is_pretrained and has_same_layers_anyway else record.weights
    return build(record.recipe, len(record.labels), weights=weights)


def trained_network(folder: Path, record: RunRecord, name: str) -> Any:
    """A finished network.

    Raises:
        RunRefused: it is not finished, or its file is damaged.
    """
    saved = checkpoint.read(folder / name / checkpoint.FINISHED)
    if saved is None:
        raise RunRefused(
            f"network {name} of {folder} is not trained to its end",
            remedy=f"Go on with: sorter train --resume {folder}",
        )
    model = new_network(record, record.networks.index(name), is_pretrained=False)
    try:
        for place, each in enumerate(model.variables):
            each.assign(saved[1][f"model/{place}"])
    except (KeyError, ValueError) as error:
        raise checkpoint.damaged(folder / name / checkpoint.FINISHED, error) from error
    return model


def network_of_model(folder: Path, card: ModelCard) -> Any:
    """The float network of a run from which the model of this card was made.

    Raises:
        RunRefused: it is no run, is not finished, or has other classes or another crop.
    """
    record = read_record(folder)
    if record.labels != card.labels or record.recipe.crop.spec() != card.crop.spec():
        raise RunRefused(
            f"{folder} is not the run that model {card.name} was made by: classes or crop differ",
            remedy="Name the folder that `sorter train` made it in.",
        )
    return trained_network(folder, record, FINAL)
