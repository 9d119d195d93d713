"""What a model says of itself: ``card.json`` in its folder. Export writes it, the rig reads it and believes no other.

A model is a folder with ``model.tflite`` (full integer), ``labels.json`` (a list of classes) and ``card.json``; all are
checked against each other before anything is loaded.
"""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator

from sorter.classify.errors import ModelRefused
from sorter.classify.fuse import LEAST_RANGE_DEG, MOST_FLOOR, MOST_RANGE_DEG
from sorter.toml import TomlModel
from sorter.types import CropSpec

if TYPE_CHECKING:
    from pathlib import Path

MODEL_FILE, LABELS_FILE, CARD_FILE = "model.tflite", "labels.json", "card.json"
TABLE_FILE = "table.json"
"""In place of a card, in the folder of a network for whole tables of parts, which is no classifier of single ones."""
OTHER = "other"
"""Label of a class that a network may have for all that is none of its classes."""

_MOST_CARD_BYTES = 1_000_000
_MOST_PROBLEMS = 20  # that are told
_LEAST_LEVELS = 64  # of the 256 brightnesses of a channel, so many must stay apart in the network's input

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
ModelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Label = Annotated[str, StringConstraints(pattern=r"^\S(.{0,62}\S)?$")]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class TensorCard(TomlModel):
    """A quantised tensor: real value = (stored value - zero_point) × scale."""

    shape: tuple[int, ...]
    dtype: Literal["int8", "uint8"]
    scale: Annotated[float, Field(gt=0.0)]
    zero_point: Annotated[int, Field(ge=-128, le=255)]


class InputCard(TensorCard):
    """The network's picture, 1×size×size×3 RGB; a channel's real value = byte × pixel_scale + pixel_offset."""

    pixel_scale: float
    pixel_offset: float

    @model_validator(mode="after")
    def _tells_brightness_apart(self) -> Self:
        least, most = (-128, 127) if self.dtype == "int8" else (0, 255)
        black, white = (
            (byte * self.pixel_scale + self.pixel_offset) / self.scale + self.zero_point for byte in (0, 255)
        )
        levels_apart = (min(white, most) - max(black, least)) / max(1.0, (white - black) / 255)
        if not levels_apart >= _LEAST_LEVELS:
            raise ValueError(
                f"pixel_scale and pixel_offset make black {black:g} and white {white:g} of {self.dtype}: "
                f"fewer than {_LEAST_LEVELS} brightnesses stay apart"
            )
        return self


class OutputCard(TensorCard):
    """What the network says of the classes, 1×labels."""

    meaning: Literal["logits", "probabilities"]


class CropCard(TomlModel):
    """How parts were cut out for it; as ``sorter.types.CropSpec``."""

    window_mm: float
    frame_mm: float
    size_px: int
    table_grey: int | None

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        self.spec()
        return self

    def spec(self) -> CropSpec:
        """The same for ``sorter.vision.crop``."""
        return CropSpec(self.window_mm, self.frame_mm, self.size_px, self.table_grey)


class CalibrationCard(TomlModel):
    """From what the network says to probabilities that can be believed, of one view and of several.

    Measured on bricks that the network never saw. See ``sorter.classify.fuse`` for the last two.
    """

    temperature: Annotated[float, Field(ge=0.01, le=100.0)]
    correlation_floor: Annotated[float, Field(ge=0.0, le=MOST_FLOOR)]
    correlation_range_deg: Annotated[float, Field(ge=LEAST_RANGE_DEG, le=MOST_RANGE_DEG)]


class ThresholdCard(TomlModel):
    """A posterior that a part must reach so that, of those that do, no more than ``misroute_rate`` are wrong."""

    misroute_rate: Share
    posterior: Share


class NoveltyCard(TomlModel):
    """From which score on a part is taken for none of the classes; see ``sorter.classify.novelty``."""

    method: Literal["entropy", "energy"]
    threshold: float
    known_rejected_share: Share
    unknown_found_share: Share | None = None


class SplitCard(TomlModel):
    """What was held out: by what groups, which, and how the sets were told apart."""

    by: Literal["brick", "revolution", "random", "none"]
    held_out: tuple[str, ...] = ()
    note: str = ""


class ModelCard(TomlModel):
    """The whole card."""

    format: Literal[1]
    name: ModelName
    created_at: str
    description: str = ""
    hashes: dict[FileName, Sha256]
    labels: Annotated[tuple[Label, ...], Field(min_length=2)]
    crop: CropCard
    input: InputCard
    output: OutputCard
    training_bricks: tuple[str, ...]
    split: SplitCard
    metrics: dict[str, float]
    calibration: CalibrationCard
    thresholds: Annotated[tuple[ThresholdCard, ...], Field(min_length=1)]
    novelty: NoveltyCard | None = None

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("labels: each must stand there once")
        missing = {MODEL_FILE, LABELS_FILE} - self.hashes.keys()
        if missing:
            raise ValueError(f"hashes: {', '.join(sorted(missing))} must be there")
        if CARD_FILE in self.hashes:
            raise ValueError(f"hashes: {CARD_FILE} cannot hold its own")
        side = self.crop.size_px
        if self.input.shape != (1, side, side, 3):
            raise ValueError(
                f"input: shape must be [1, {side}, {side}, 3] as crop.size_px says, got {self.input.shape}"
            )
        if self.output.shape != (1, len(self.labels)):
            raise ValueError(f"output: shape must be [1, {len(self.labels)}] for the labels, got {self.output.shape}")
        for earlier, later in zip(self.thresholds, self.thresholds[1:], strict=False):
            if not (earlier.misroute_rate < later.misroute_rate and earlier.posterior >= later.posterior):
                raise ValueError("thresholds: misroute rates ascend, and a stricter one asks for no less")
        return self

    def posterior_for(self, misroute_rate: float) -> float:
        """The posterior that keeps misroutes at or below the wanted rate (0 to 1).

        Raises:
            ValueError: stricter than anything that was measured; the message names what was.
        """
        fitting = [each for each in self.thresholds if each.misroute_rate <= misroute_rate]
        if not fitting:
            raise ValueError(
                f"model {self.name}: a misroute rate of {misroute_rate:g} is stricter than any that was measured; "
                f"the strictest is {self.thresholds[0].misroute_rate:g}"
            )
        return fitting[-1].posterior


def read_file(folder: Path, name: str, most_bytes: int) -> bytes:
    """A file of a model's folder.

    Raises:
        ModelRefused: it is missing, cannot be read, is no file or too long.
    """
    path = folder / name
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ModelRefused(folder, [f"{name} is no file"])  # a pipe would be waited for
        if status.st_size > most_bytes:
            raise ModelRefused(folder, [f"{name} has more than {most_bytes:,} bytes"])
        return path.read_bytes()
    except OSError as error:
        raise ModelRefused(folder, [f"{name} cannot be read: {error.strerror}"]) from error


def read_card(folder: Path) -> ModelCard:
    """Read and check ``card.json`` alone.

    Raises:
        ModelRefused: it is missing, no JSON, or not a card; with its problems.
    """
    if (folder / TABLE_FILE).exists() and not (folder / CARD_FILE).exists():
        raise ModelRefused(
            folder, ["it is a network for whole tables (sorter evaluate takes it), not for single parts"]
        )
    content = read_file(folder, CARD_FILE, _MOST_CARD_BYTES)
    try:
        return ModelCard.model_validate_json(content)
    except ValidationError as error:
        problems = [
            f"{CARD_FILE}: {'.'.join(map(str, each['loc']))}: {each['msg']}".replace(": : ", ": ")
            for each in error.errors(include_url=False)[:_MOST_PROBLEMS]
        ]
        if error.error_count() > _MOST_PROBLEMS:
            problems.append(f"{CARD_FILE}: {error.error_count() - _MOST_PROBLEMS:,} more problems")
        raise ModelRefused(folder, problems) from error


def card_json(card: ModelCard) -> str:
    """The text of ``card.json``."""
    return json.dumps(card.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"
