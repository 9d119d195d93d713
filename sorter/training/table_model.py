"""A network for whole tables as a folder: ``model.tflite``, ``labels.json``, and ``table.json``: how to ask it.

It has no ``card.json``, so the rig does not take it for a model of parts. Its labels are classes and ``several``.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Annotated, Literal, Self

import numpy as np
from pydantic import Field, ValidationError, model_validator

from sorter.classify import ModelRefused
from sorter.classify.card import LABELS_FILE, MODEL_FILE, TABLE_FILE, FileName, Label, ModelName, Sha256, read_file
from sorter.classify.runtime import make_interpreter
from sorter.toml import TomlModel
from sorter.training.quantise import Int8Network
from sorter.training.tables import SEVERAL

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from sorter.training.sources import PictureRows


_MOST_BYTES = 200_000_000
_HASH_DIGITS = 12  # of a picture's SHA-256: enough to know it again among some ten thousand


class TableCard(TomlModel):
    """``table.json``.

    ``threshold_logits`` says for each label from which logit on it is there; ``training_pictures`` are the first digits
    of the SHA-256 of each picture that it saw; ``metrics`` were measured by inner networks on pictures they never saw.
    """

    format: Literal[1] = 1
    kind: Literal["table"] = "table"
    name: ModelName
    created_at: str
    description: str = ""
    hashes: dict[FileName, Sha256]
    labels: Annotated[tuple[Label, ...], Field(min_length=2)]
    size_px: Annotated[int, Field(ge=1, le=4096)]
    table_grey: Annotated[int, Field(ge=0, le=255)]
    least_visible: Annotated[float, Field(gt=0.0, le=1.0)]
    threshold_logits: tuple[float, ...]
    metrics: dict[str, float]
    note: str = ""
    training_pictures: tuple[str, ...]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if len(set(self.labels)) != len(self.labels) or self.labels[-1] != SEVERAL:
            raise ValueError(f"labels: each stands there once, {SEVERAL!r} is the last")
        if len(self.threshold_logits) != len(self.labels):
            raise ValueError("threshold_logits: one for each label")
        if {MODEL_FILE, LABELS_FILE} - self.hashes.keys():
            raise ValueError(f"hashes: {MODEL_FILE} and {LABELS_FILE} must be there")
        return self


class TableModel:
    """A network for tables that is ready to be asked; not for two threads at once.

    ``card`` is what it says of itself, ``runtime`` the name and version of what runs it, ``size_bytes`` of its file.
    """

    def __init__(self, card: TableCard, content: bytes, threads: int) -> None:
        self.card = card
        self.size_bytes = len(content)
        _, self.runtime = make_interpreter(content, threads)
        self._network = Int8Network(content, threads)
        side = card.size_px
        wanted = ((1, side, side, 3), (1, len(card.labels)))
        if (self._network.input_card().shape, self._network.output_card().shape) != wanted:
            raise ValueError(f"its tensors are not those of {TABLE_FILE}: {wanted[0]} and {wanted[1]}")
        self.logits(np.zeros((1, side, side, 3), np.uint8))  # a network that cannot be run says so now

    def logits(self, rgb: PictureRows) -> NDArray[np.float64]:
        """n×c of squares n×size×size×3 (see ``sorter.training.table_cache.in_square``)."""
        return self._network.logits(rgb)

    def said(self, logits: NDArray[np.float64]) -> NDArray[np.bool_]:
        """What is there, n×c, by the card's thresholds."""
        return np.asarray(logits >= np.array(self.card.threshold_logits))


def first_digits(sha256: str) -> str:
    """Of a picture's hash, as the card has them."""
    return sha256[:_HASH_DIGITS]


def is_table_model(folder: Path) -> bool:
    """Whether the folder is that of a network for tables."""
    return (folder / TABLE_FILE).exists()


def load_table_model(folder: Path, *, threads: int = 2) -> TableModel:
    """Load a network for tables, if all that ``table.json`` says is true of its files.

    Raises:
        ModelRefused: something is missing, is not what its hash says, or has other tensors or labels than it says.
        RuntimeMissing: there is nothing to run it.
    """
    try:
        card = TableCard.model_validate_json(read_file(folder, TABLE_FILE, _MOST_BYTES))
    except ValidationError as error:
        problems = [
            f"{TABLE_FILE}: {'.'.join(map(str, each['loc']))}: {each['msg']}".replace(": : ", ": ")
            for each in error.errors(include_url=False)
        ]
        raise ModelRefused(folder, problems) from error
    contents = {name: read_file(folder, name, _MOST_BYTES) for name in sorted(card.hashes)}
    wrong = [name for name, content in contents.items() if hashlib.sha256(content).hexdigest() != card.hashes[name]]
    if wrong:
        raise ModelRefused(folder, [f"{name} is not the file of {TABLE_FILE}: its SHA-256 differs" for name in wrong])
    if contents[LABELS_FILE] != labels_json(card.labels):
        raise ModelRefused(folder, [f"{LABELS_FILE} has other labels than {TABLE_FILE}"])
    try:
        return TableModel(card, contents[MODEL_FILE], threads)
    except (RuntimeError, ValueError) as error:
        raise ModelRefused(folder, [f"{MODEL_FILE}: {error}"]) from error


def labels_json(labels: tuple[str, ...]) -> bytes:
    """The content of ``labels.json``."""
    return (json.dumps(list(labels), ensure_ascii=False) + "\n").encode()
