"""What a run is made from: ``run.json`` in its folder, written before the first step and never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from sorter.toml import TomlModel
from sorter.training.errors import RunRefused
from sorter.training.recipe import Recipe  # noqa: TC001  (pydantic reads it)
from sorter.whole import write_whole

if TYPE_CHECKING:
    from pathlib import Path

RECORD = "run.json"
FINAL = "final"
"""Name of the network that is exported; the others are ``inner-1`` and so on."""


class SplitRecord(TomlModel):
    """The split of which one fold was kept out of all training.

    ``sha256`` is of the split file's bytes, ``fold`` counts from 1.
    """

    file: str
    sha256: str
    by: str
    fold: int
    held_out: tuple[str, ...]


class InnerRecord(TomlModel):
    """The inner split, as ``sorter.training.inner.InnerSplit``."""

    by: Literal["brick", "revolution", "random"]
    held_out: tuple[tuple[str, ...], ...]


class RunRecord(TomlModel):
    """The whole record.

    Args:
        name: of the model.
        created_at: ISO 8601, UTC.
        dataset: its folder; ``dataset_sha256`` is ``Dataset.sha256``.
        excluded: classes that were left out whole.
        rendered: folder of rendered pictures, if they are mixed in, with its hash.
        recipe: in full.
        weights: in place of the recipe's.
        labels: classes in the order of the logits.
        loss: that fitted the labels.
        table_labels_sha256: of ``labels.json``, where the network is shown whole tables.
        versions: of sorter, TensorFlow, Keras, NumPy, OpenCV.
        notes: everything that was said at the start.
    """

    format: Literal[1] = 1
    name: str
    created_at: str
    dataset: str
    dataset_sha256: str
    excluded: tuple[str, ...] = ()
    split: SplitRecord | None = None
    rendered: str | None = None
    rendered_sha256: str | None = None
    recipe: Recipe
    weights: str | None = None
    labels: tuple[str, ...]
    loss: Literal["categorical", "sigmoid"]
    table_labels_sha256: str | None = None
    inner: InnerRecord | None
    versions: dict[str, str]
    notes: tuple[str, ...] = ()

    @property
    def networks(self) -> tuple[str, ...]:
        """Names, in the order of training."""
        count = 0 if self.inner is None else len(self.inner.held_out)
        return (*(f"inner-{number}" for number in range(1, count + 1)), FINAL)


def write_record(folder: Path, record: RunRecord) -> None:
    """Write ``run.json``, whole."""
    write_whole(folder / RECORD, record.model_dump_json(indent=2) + "\n")


def read_record(folder: Path) -> RunRecord:
    """Read ``run.json``.

    Raises:
        RunRefused: it is missing or no record.
    """
    file = folder / RECORD
    try:
        return RunRecord.model_validate_json(file.read_bytes())
    except OSError as error:
        raise RunRefused(
            f"{folder} is no run: {file.name} cannot be read: {error.strerror}",
            remedy="Name the folder that `sorter train` made.",
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RunRefused(
            ": ".join([str(file), *([where] if where else []), first["msg"]]),
            remedy="It is of another version, or was changed by hand: start a run of its own.",
        ) from error
