"""The whole of rig.toml, and what must hold between its tables."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pydantic import Field

from sorter.config.axes import ChuteConfig, TurntableConfig
from sorter.config.bins import BinConfig, SortConfig
from sorter.config.board import BoardConfig, PathsConfig, WebConfig
from sorter.config.camera import CameraConfig
from sorter.config.checks import mistakes_between_tables, what_sorting_lacks
from sorter.config.delivery import EjectorConfig, FeederConfig, ManualFeederConfig, SensorsConfig
from sorter.config.fields import Name
from sorter.config.look import LookConfig
from sorter.config.lost_steps import CheckConfig
from sorter.errors import ConfigError
from sorter.toml import KeyPath, Mistake, TomlModel, check_toml, read_toml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_LONGEST_SOCKET_PATH = 107  # bytes: what sockaddr_un of Linux holds before its NUL


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
    check: CheckConfig = CheckConfig()
    bins: tuple[BinConfig, ...] = ()
    sort: SortConfig | None = None
    categories: dict[Name, tuple[Name, ...]] = Field(
        default_factory=dict,
        description="names for groups of classes, for the rules",
        examples=[{"plates": ["3020", "3023"]}],
    )
    paths: PathsConfig = PathsConfig()
    web: WebConfig = WebConfig()


def read_rig_config(path: Path) -> RigConfig:
    """Read ``rig.toml``; paths in it become absolute, relative ones from its own folder.

    ``look.model`` stays as it is if it is a bare name: the name of a shipped model, or of a folder.

    Raises:
        sorter.errors.ConfigError: with every problem of the file, each with line and key.
    """
    return _read(path, is_to_sort=False)


def read_sorting_config(path: Path) -> RigConfig:
    """As ``read_rig_config``, for a rig that is to sort: with ``[[bins]]`` and ``[sort]``.

    Raises:
        sorter.errors.ConfigError: also if one of these is missing.
    """
    return _read(path, is_to_sort=True)


def check_rig_text(path: Path, text: str, *, lines: Mapping[KeyPath, int] | None = None) -> RigConfig:
    """As ``read_rig_config``, for a text that is to stand in ``path``; ``lines`` as in ``sorter.toml.check_toml``.

    Raises:
        sorter.errors.ConfigError: as ``read_rig_config``.
    """
    return _with_full_paths(check_toml(path, text, RigConfig, checks=_checks(path), lines=lines), path)


def _read(path: Path, *, is_to_sort: bool) -> RigConfig:
    try:
        return _with_full_paths(read_toml(path, RigConfig, checks=_checks(path, is_to_sort=is_to_sort)), path)
    except ConfigError as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise
        remedy = f"Name the rig's file with --config, or write a new one: sorter config init {path}"
        raise ConfigError(path, error.problems, remedy=remedy) from error.__cause__


def _checks(path: Path, *, is_to_sort: bool = False) -> Callable[[RigConfig], Iterator[Mistake]]:
    def found_in(config: RigConfig) -> Iterator[Mistake]:
        yield from mistakes_between_tables(config)
        yield from _socket_path(config.camera, path)
        if is_to_sort:
            yield from what_sorting_lacks(config)

    return found_in


def _socket_path(camera: CameraConfig, file: Path) -> Iterator[Mistake]:
    if camera.source == "socket" and camera.path is not None:
        whole = _folder(file) / camera.path
        length = len(os.fsencode(whole))
        if length > _LONGEST_SOCKET_PATH:
            text = (
                f"is {length} bytes long in full, {whole}, and a Unix socket's path may have {_LONGEST_SOCKET_PATH}; "
                f'take a shorter one, such as "/run/camera.sock", got "{camera.path}"'
            )
            yield Mistake(("camera", "path"), text, against=(("camera", "source"),))


def _with_full_paths(config: RigConfig, file: Path) -> RigConfig:
    folder = _folder(file)
    paths = config.paths.model_copy(update={"state": folder / config.paths.state})
    camera = config.camera
    if camera.path is not None:
        camera = camera.model_copy(update={"path": folder / camera.path})
    camera = camera.model_copy(update={"python": folder / camera.python})
    look = config.look
    if len(look.model.parts) > 1:
        look = look.model_copy(update={"model": folder / look.model})
    return config.model_copy(update={"camera": camera, "paths": paths, "look": look})


def _folder(file: Path) -> Path:
    return file.absolute().parent
