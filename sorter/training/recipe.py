"""A recipe: everything that makes one training what it is, in a small TOML file, checked once at the door.

Shipped ones stand in ``sorter/training/recipes``; a user's own is a file like them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sorter.classify.card import CropCard
from sorter.toml import TomlModel, read_toml
from sorter.training.errors import TrainingRefused

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Rate = Annotated[float, Field(gt=0.0, le=10.0)]
Backbone = Literal["mobilenet_v1", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large", "resnet50", "scratch"]

_OF_THE_PART = ("recolour_share", "grey_share", "hue_deg", "saturation", "part_tint")
"""Changes of the part's colour alone, for which its mask is needed."""

_RECIPES = Path(__file__).parent / "recipes"


class BackboneRecipe(TomlModel):
    """The network below its last layer.

    ``width`` is the multiplier of a MobileNet's channels. ``scratch`` is a plain CNN: a block of convolution (3×3),
    ReLU and 2×2 max pooling for each number in ``blocks``, then a dense layer of ``dense`` units;
    ``batch_normalisation`` puts one into each block. ``weights`` is "imagenet" (downloaded by Keras), "none", or a file
    or folder.
    """

    name: Backbone
    width: Annotated[float, Field(gt=0.0, le=4.0)] = 1.0
    weights: str = "none"
    blocks: tuple[Annotated[int, Field(ge=1, le=2048)], ...] = ()
    dense: Annotated[int, Field(ge=0, le=8192)] = 0
    batch_normalisation: bool = False

    @model_validator(mode="after")
    def _fits_its_name(self) -> Self:
        is_scratch = self.name == "scratch"
        if is_scratch and not self.blocks:
            raise ValueError("blocks: a scratch network needs the channels of each block, such as [32, 64, 128]")
        if is_scratch and self.weights != "none":
            raise ValueError('weights: a scratch network has none to begin with; write "none"')
        if is_scratch and self.width != 1.0:
            raise ValueError("width: is for MobileNets; a scratch network's channels stand in blocks")
        if not is_scratch and (self.blocks or self.dense or self.batch_normalisation):
            raise ValueError(f"blocks, dense and batch_normalisation are for scratch networks, not for {self.name}")
        if self.name == "resnet50" and self.width != 1.0:
            raise ValueError("width: ResNet50 has one width only")
        return self


class CropRecipe(CropCard):
    """How parts are cut out, as the card will say it; ``size_px`` is the network's input."""

    window_mm: float = 64.0
    frame_mm: float = 78.0
    size_px: int = 128
    table_grey: int | None = 170


class AugmentationRecipe(TomlModel):
    """How pictures are changed, each time anew; 0 switches a change off. See ``sorter.training.augment``.

    Shares are of pictures. ``hue_deg`` turns the part's hue either way. ``saturation``, ``table_tint``, ``part_tint``,
    ``brightness``, ``contrast`` and ``scale`` are largest natural logarithms of a factor, either way. ``shift`` is in
    parts of the picture's side, ``noise`` in grey levels (of 255).
    """

    recolour_share: Share = 0.0
    grey_share: Share = 0.0
    hue_deg: Annotated[float, Field(ge=0.0, le=180.0)] = 0.0
    saturation: Annotated[float, Field(ge=0.0, le=3.0)] = 0.0
    table_tint: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    part_tint: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    brightness: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    contrast: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    shadow_share: Share = 0.0
    shift: Annotated[float, Field(ge=0.0, le=0.5)] = 0.0
    scale: Annotated[float, Field(ge=0.0, le=0.5)] = 0.0
    rotation_deg: Annotated[float, Field(ge=0.0, le=180.0)] = 0.0
    mirror_share: Share = 0.0
    blur_px: Annotated[float, Field(ge=0.0, le=10.0)] = 0.0
    noise: Annotated[float, Field(ge=0.0, le=64.0)] = 0.0


class ScheduleRecipe(TomlModel):
    """How the learning rate goes over a phase; see ``sorter.training.schedules``.

    ``warm_up`` is the share of steps in which one_cycle (and cosine, if above 0) rises; ``cycles`` is how often
    cyclical rises and falls; ``least`` is the lowest rate in parts of the highest.
    """

    name: Literal["constant", "cosine", "one_cycle", "cyclical"] = "cosine"
    warm_up: Share = 0.0
    cycles: Annotated[int, Field(ge=1, le=1000)] = 1
    least: Share = 0.0

    @model_validator(mode="after")
    def _says_nothing_in_vain(self) -> Self:
        if self.warm_up and self.name not in ("cosine", "one_cycle"):
            raise ValueError(f"warm_up: is for cosine and one_cycle, not for {self.name}")
        if self.cycles != 1 and self.name != "cyclical":
            raise ValueError(f"cycles: is for cyclical, not for {self.name}")
        if self.least and self.name not in ("cosine", "cyclical"):
            raise ValueError(f"least: is for cosine and cyclical, not for {self.name}")
        return self


class PhaseRecipe(TomlModel):
    """Some epochs with the same layers in training.

    ``trains`` is "head" (the backbone stands still, its batch normalisation too) or "all". ``lower_layers`` is the
    rate of the backbone's lowest layers in parts of ``rate``; layers between have rates between, in even ratios.
    ``batch_normalisation`` says what a pretrained backbone's does in this phase: "frozen" keeps ImageNet's statistics
    and scales, "statistics" lets them follow the pictures.
    """

    trains: Literal["head", "all"] = "all"
    epochs: Annotated[int, Field(ge=1, le=10_000)]
    rate: Rate
    lower_layers: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    batch_normalisation: Literal["frozen", "statistics"] = "statistics"
    schedule: ScheduleRecipe = ScheduleRecipe()


class OptimiserRecipe(TomlModel):
    """What makes steps of gradients.

    ``momentum`` is for sgd alone. ``average`` above 0 is the decay of a moving average of all weights, which is what is
    kept (Polyak and Juditsky 1992).
    """

    name: Literal["adam", "adamw", "sgd"] = "adam"
    weight_decay: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    momentum: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.9
    average: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0

    @model_validator(mode="after")
    def _decays_where_it_can(self) -> Self:
        if self.weight_decay and self.name == "adam":
            raise ValueError('weight_decay: adam has none; write name = "adamw" or "sgd"')
        return self


class Recipe(TomlModel):
    """The whole file.

    Args:
        name: of the model that it makes, unless another is given.
        input: what the network is shown. "part": the one part of each picture, cut out of it. "table": whole pictures
            of one part or several, of which ``labels.json`` in their folder says what is where, put into squares of
            ``crop.size_px`` with ``crop.table_grey`` beside them; see ``sorter.training.tables``.
        least_visible: for "table": a part of which this fraction is visible counts as there; of which less is visible,
            as neither there nor not there.
        seed: of all chance; the same recipe, pictures, versions and machine make the same network.
        backbone: the network below its last layer.
        crop: how parts are cut out.
        augmentation: how pictures are changed.
        optimiser: what makes steps of gradients.
        phases: one after the other, each with a fresh optimiser.
        batch_size: pictures a step.
        dropout: before the last layer.
        loss: "auto" takes what fits the labels: "categorical" where each picture has one class, "sigmoid" (binary
            cross-entropy for each class) where pictures may have several.
        label_smoothing: of categorical targets (Szegedy et al. 2016).
        balance: 0 takes each picture once an epoch, 1 each class equally often, between is between.
        rendered_share: of an epoch's pictures that come from a folder of rendered ones, if one is given.
        other_share: of an epoch's pictures that show parts of no class: those of class ``other`` in that folder. If
            there are any, ``other`` becomes a label, and the rig rejects what is taken for it.
        inner_folds: so many networks are trained beside the final one, each with other bricks held out; on those are
            measured temperature, correlation, thresholds and what int8 costs. 0 is for trials: nothing can be exported.
        patience: epochs without a better validation loss after which an inner network stops; then the final one stops
            at their mean best epoch. None trains all epochs.
        least_pictures: of a class, fewer are refused.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    seed: Annotated[int, Field(ge=0, le=2**31)] = 1
    input: Literal["part", "table"] = "part"
    least_visible: Annotated[float, Field(gt=0.0, le=1.0)] = 0.25
    backbone: BackboneRecipe
    crop: CropRecipe = CropRecipe()
    augmentation: AugmentationRecipe = AugmentationRecipe()
    optimiser: OptimiserRecipe = OptimiserRecipe()
    phases: Annotated[tuple[PhaseRecipe, ...], Field(min_length=1)]
    batch_size: Annotated[int, Field(ge=2, le=4096)] = 32
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    loss: Literal["auto", "categorical", "sigmoid"] = "auto"
    label_smoothing: Annotated[float, Field(ge=0.0, lt=0.5)] = 0.0
    balance: Share = 0.0
    rendered_share: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    other_share: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    inner_folds: Annotated[int, Field(ge=0, le=20)] = 3
    patience: Annotated[int, Field(ge=1, le=10_000)] | None = None
    least_pictures: Annotated[int, Field(ge=1, le=1_000_000)] = 10

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.inner_folds == 1:
            raise ValueError("inner_folds: is 0, or 2 and more: one fold leaves nothing to train on")
        if self.backbone.name == "scratch" and any(phase.trains == "head" for phase in self.phases):
            raise ValueError('phases: a scratch network has nothing pretrained to stand on; write trains = "all"')
        side_px, halvings = self.crop.size_px, len(self.backbone.blocks)
        if self.backbone.name == "scratch" and side_px >> halvings < 1:
            raise ValueError(f"backbone.blocks: {halvings} halvings of {side_px} px leave nothing")
        if self.backbone.name != "scratch" and side_px < 32:
            raise ValueError(f"crop.size_px: {self.backbone.name} needs 32 px at least, got {side_px}")
        if self.patience is not None and not self.inner_folds:
            raise ValueError("patience: needs inner_folds, whose held-out pictures it watches")
        if self.label_smoothing and self.loss == "sigmoid":
            raise ValueError('label_smoothing: is for loss = "categorical"')
        if self.rendered_share + self.other_share >= 1.0:
            raise ValueError("other_share: together with rendered_share it leaves nothing of the photographs")
        if self.input == "table":
            self._check_fits_tables()
        return self

    def _check_fits_tables(self) -> None:
        """What is for single parts does nothing to whole tables, and would pretend that it did."""
        if self.loss == "categorical":
            raise ValueError('loss: a table may show several classes; write "sigmoid" or "auto"')
        unset = CropRecipe()
        for_parts = {
            "crop.window_mm": self.crop.window_mm != unset.window_mm,
            "crop.frame_mm": self.crop.frame_mm != unset.frame_mm,
            "balance": self.balance != 0,
            "label_smoothing": self.label_smoothing != 0,
            "rendered_share": self.rendered_share != 0,
            "other_share": self.other_share != 0,
            **{f"augmentation.{name}": getattr(self.augmentation, name) != 0 for name in _OF_THE_PART},
        }
        given = [name for name, is_given in for_parts.items() if is_given]
        if given:
            raise ValueError(f'{", ".join(given)}: is for single parts; take it out, or write input = "part"')

    @property
    def epochs(self) -> int:
        """Of all phases together."""
        return sum(phase.epochs for phase in self.phases)


def shipped_recipes() -> tuple[str, ...]:
    """Names of the recipes that come with the installation."""
    return tuple(sorted(path.stem for path in _RECIPES.glob("*.toml")))


def read_recipe(name_or_file: str) -> Recipe:
    """A shipped recipe by its name, or any by its file.

    Raises:
        ConfigError: it does not say what it must, with file, line and key of everything that is wrong.
        TrainingRefused: there is no such recipe.
    """
    if name_or_file in shipped_recipes():
        return read_toml(_RECIPES / f"{name_or_file}.toml", Recipe)
    path = Path(name_or_file)
    if path.suffix != ".toml" and not _is_there(path):
        raise TrainingRefused(
            f"there is no recipe {name_or_file!r}",
            remedy=f"Name one of {', '.join(shipped_recipes())}, or a file that ends in .toml.",
        )
    return read_toml(path, Recipe)


def _is_there(path: Path) -> bool:
    """Whether there is something of that name, or it cannot be known: then reading it says why."""
    try:
        return path.exists()
    except OSError:
        return True
