"""Read a folder of sprites; see ``sorter.types.sprites`` for what its files hold.

    sprites = load_sprites()
    view = sprites.view("3001", "up", yaw_deg=37.0)

All files are checked against their hashes at once, and decoded when they are first asked for.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from sorter.twin.errors import SpritesRefused
from sorter.types.sprites import BOUNCE, DIFFUSE, GLOSS, GLOW, SHADOW, SpriteSet

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sorter.types.sprites import SheetRect, SpriteCells, SpriteFile, SpritePose

    Bytes = NDArray[np.uint8]
    Floats = NDArray[np.float32]

INDEX_NAME = "sprites.json"
SHIPPED = Path(__file__).resolve().parent / "sprites"

_MOST_BYTES = 20_000_000  # of one file
_KEPT = 24  # decoded poses, of up to 3 MB each
_AGAIN = "Install the package again, or bake the sprites again: sorter render sprites --help."


@dataclass(frozen=True, eq=False)
class SpriteView:
    """A part in a pose as it looks at one yaw; float32, light against that of the bare table.

    Args:
        mask: H×W, 0 to 1.
        diffuse: H×W.
        gloss, bounce: H/2×W/2.
        shadow, glow: of a size of their own, at half the resolution.
        body_cells, shadow_cells: sizes in full resolution, and where the part's middle on the table is.
    """

    mask: Floats
    diffuse: Floats
    gloss: Floats
    bounce: Floats
    shadow: Floats
    glow: Floats
    body_cells: SpriteCells
    shadow_cells: SpriteCells


@dataclass(frozen=True, eq=False)
class _Sheets:
    grey: Bytes
    alpha: Bytes
    light: Bytes


class Sprites:
    """Sprites of a folder that was found whole. May be used from several threads.

    Args:
        folder: where.
        content: its ``sprites.json``.
    """

    def __init__(self, folder: Path, content: SpriteSet) -> None:
        self.folder = folder
        self.content = content
        self._sheets = lru_cache(maxsize=_KEPT)(self._decoded)

    def view(self, number: str, pose_name: str, yaw_deg: float) -> SpriteView:
        """The stored view that is nearest to a yaw.

        Args:
            number: of the design.
            pose_name: as in the design's ``poses``.
            yaw_deg: counter-clockwise from above.

        Raises:
            KeyError: there is no such design or pose.
            SpritesRefused: a sheet was changed since the folder was opened.
        """
        pose = self.content.design(number).pose(pose_name)
        place = self.content.view_of(pose, yaw_deg)
        sheets = self._sheets(pose)
        return SpriteView(
            mask=_MASK_VALUES[_cut(sheets.alpha, pose.body_rect(place))],
            diffuse=_DIFFUSE_VALUES[_cut(sheets.grey, pose.body_rect(place))],
            gloss=_GLOSS_VALUES[_cut(sheets.light, pose.gloss_rect(place))],
            bounce=_BOUNCE_VALUES[_cut(sheets.light, pose.bounce_rect(place))],
            shadow=_SHADOW_VALUES[_cut(sheets.light, pose.shadow_rect(place))],
            glow=_GLOW_VALUES[_cut(sheets.light, pose.glow_rect(place))],
            body_cells=pose.body_cells,
            shadow_cells=pose.shadow_cells,
        )

    def prepare(self, number: str, pose_name: str) -> None:
        """Decode a pose's sheets before they are needed, while there is time; raises as ``view``."""
        self._sheets(self.content.design(number).pose(pose_name))

    def _decoded(self, pose: SpritePose) -> _Sheets:
        body = _pixels(self.folder / pose.body.name, _checked(self.folder, pose.body))
        light = _pixels(self.folder / pose.light.name, _checked(self.folder, pose.light))
        for name, pixels, size, channels in (
            (pose.body.name, body, pose.body_size_px, 4),
            (pose.light.name, light, pose.light_size_px, 3),
        ):
            if pixels.shape != (size[1], size[0], channels):
                raise SpritesRefused(
                    self.folder / name,
                    f"is {pixels.shape[1]}×{pixels.shape[0]} px with {pixels.shape[2]} channels, "
                    f"where {size[0]}×{size[1]} px with {channels} were told",
                    remedy=_AGAIN,
                )
        return _Sheets(body[..., 1].copy(), body[..., 3].copy(), light[..., 1].copy())


def load_sprites(folder: Path | None = None) -> Sprites:
    """Open a folder of sprites; None is the shipped one.

    Raises:
        SpritesRefused: it has no ``sprites.json`` or a malformed one, or a sheet is missing, is not the one that
            was made with it, or is a link that leaves the folder.
    """
    folder = SHIPPED if folder is None else folder
    index = folder / INDEX_NAME
    try:
        content = SpriteSet.from_json(_read(index))
    except ValueError as error:
        if isinstance(error, SpritesRefused):
            raise
        raise SpritesRefused(index, f"is malformed: {error}", remedy=_AGAIN) from error
    for file in content.files:
        _checked(folder, file)
    return Sprites(folder, content)


_MASK_VALUES = (np.arange(256) / 255.0).astype(np.float32)
_DIFFUSE_VALUES = DIFFUSE.values()
_GLOSS_VALUES = GLOSS.values()
_BOUNCE_VALUES = BOUNCE.values()
_SHADOW_VALUES = SHADOW.values()
_GLOW_VALUES = GLOW.values()


def _checked(folder: Path, file: SpriteFile) -> bytes:
    path = folder / file.name
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
        raise SpritesRefused(path, "is a link that leaves the folder of sprites", remedy=_AGAIN)
    data = _read(path)
    found = hashlib.sha256(data).hexdigest()
    if found != file.sha256:
        raise SpritesRefused(
            path, f"is not the file that {INDEX_NAME} tells of: its hash is {found[:12]}…", remedy=_AGAIN
        )
    return data


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise SpritesRefused(path, "is missing, or no regular file", remedy=_AGAIN)
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise SpritesRefused(path, f"cannot be read: {error.strerror}", remedy="Check its permissions.") from error
    if len(data) > _MOST_BYTES:
        raise SpritesRefused(path, f"is longer than {_MOST_BYTES} bytes", remedy=_AGAIN)
    return data


def _pixels(path: Path, data: bytes) -> Bytes:
    """H×W×channels, BGR or BGRA."""
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise SpritesRefused(path, f"is no picture: {error.err}", remedy=_AGAIN) from error
    if pixels is None or pixels.dtype != np.uint8 or pixels.ndim != 3:
        raise SpritesRefused(path, "is no picture of 8 bits with colours", remedy=_AGAIN)
    return pixels.astype(np.uint8)


def _cut(sheet: Bytes, rect: SheetRect) -> Bytes:
    return sheet[rect.top : rect.top + rect.height, rect.left : rect.left + rect.width]
