"""The models that come with the project: they load, are small enough for a Pi, and know what they were trained on."""

from __future__ import annotations

from pathlib import Path

import pytest

from sorter.classify import load_model
from sorter.classify.card import MODEL_FILE
from sorter.dataset import read_dataset
from sorter.pictures import read_picture
from sorter.recognise import Recogniser
from sorter.resources import model_names, models_dir
from sorter.types import Frame

MOST_BYTES = 3_000_000


@pytest.mark.parametrize("name", model_names())
def test_a_shipped_model_is_what_its_card_says_and_promises_one_percent(name: str) -> None:
    folder = models_dir() / name
    card = load_model(folder).card
    assert card.name == name
    assert (folder / MODEL_FILE).stat().st_size <= MOST_BYTES
    assert card.split.by == "brick"
    assert card.training_bricks
    assert card.posterior_for(0.01) <= 1.0
    assert card.metrics["float_accuracy"] - card.metrics["int8_accuracy"] <= 0.005
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert name in readme
    assert "/shared" not in readme


def test_the_turntable_model_names_photographs_of_its_parts(turntable_data: Path) -> None:
    """It was trained on these bricks: this shows that nothing was mixed up on the way, not how good it is."""
    recogniser = Recogniser.from_model(load_model(models_dir() / "turntable10"), misroute_rate=0.01)
    pictures = [each for each in read_dataset(turntable_data).pictures if each.revolution is not None][::100]
    right = [
        view.prediction.ranked[0][0] == each.class_name
        for each in pictures
        for view in [recogniser.look(Frame(read_picture(turntable_data / each.path), 0.0, 0))]
        if view.prediction is not None
    ]
    assert len(right) > 40
    assert sum(right) / len(right) > 0.97
