"""The whole of rig.toml, and what must hold between its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from sorter.config.axes import ChuteConfig, TurntableConfig
from sorter.config.bins import BinConfig, SortConfig
from sorter.config.board import BoardConfig, PathsConfig, WebConfig
from sorter.config.camera import CameraConfig
from sorter.config.delivery import EjectorConfig, FeederConfig, ManualFeederConfig, SensorsConfig
from sorter.config.fields import Name
from sorter.config.look import LookConfig
from sorter.errors import ConfigError, Problem
from sorter.toml import TomlModel, read_toml

if TYPE_CHECKING:
    from pathlib import Path


class RigConfig(TomlModel):
    """The whole file. A table that is left out has its defaults."""

    board: BoardConfig = BoardConfig()
    camera: CameraConfig = CameraConfig()
    turntable: TurntableConfig = TurntableConfig()
    chute: ChuteConfig | None = Field(default=None, description="without one everything falls into one bin")
    ejector: EjectorConfig = EjectorConfig()
    feeder: FeederConfig = ManualFeederConfig(kind="manual")
    sensors: SensorsConfig = SensorsConfig()
    look: LookConfig = LookConfig()
    bins: tuple[BinConfig, ...] = ()
    sort: SortConfig | None = None
    categories: dict[Name, tuple[Name, ...]] = Field(
        default_factory=dict, description="names for groups of classes, for the rules"
    )
    paths: PathsConfig = PathsConfig()
    web: WebConfig = WebConfig()


def read_rig_config(path: Path) -> RigConfig:
    """Read ``rig.toml``; paths in it become absolute, relative ones from its own folder.

    ``look.model`` stays as it is if it is a bare name: the name of a shipped model, or of a folder.

    Raises:
        sorter.errors.ConfigError: with every problem of the file, each with line and key.
    """
    config = read_toml(path, RigConfig)
    folder = path.absolute().parent
    paths = config.paths.model_copy(update={"state": folder / config.paths.state})
    camera = config.camera
    if camera.path is not None:
        camera = camera.model_copy(update={"path": folder / camera.path})
    camera = camera.model_copy(update={"python": folder / camera.python})
    look = config.look
    if len(look.model.parts) > 1:
        look = look.model_copy(update={"model": folder / look.model})
    return config.model_copy(update={"camera": camera, "paths": paths, "look": look})


def read_sorting_config(path: Path) -> RigConfig:
    """As ``read_rig_config``, for a rig that is to sort: with ``[[bins]]`` and ``[sort]``.

    Raises:
        sorter.errors.ConfigError: also if one of these is missing.
    """
    config = read_rig_config(path)
    missing = []
    if not config.bins:
        missing.append(Problem(None, "bins", "is missing; a rig that sorts needs [[bins]]"))
    if config.sort is None:
        missing.append(Problem(None, "sort", "is missing; a rig that sorts needs [sort] with a reject bin"))
    if missing:
        raise ConfigError(path, missing)
    return config
