"""A folder of sprites is used whole and as it was made, or refused by the file that is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sorter.twin.errors import SpritesRefused
from sorter.twin.sprite_files import load_sprites
from tests.unit.sorter.twin import drawn_sprites


def test_planes_are_read_as_they_were_meant(tmp_path: Path) -> None:
    drawn_sprites.write(tmp_path, diffuse=0.8, gloss=0.1, bounce=0.25, shadow=0.5, glow=0.2)
    sprites = load_sprites(tmp_path)
    view = sprites.view("disc", "up", 180.0)
    assert view.mask.shape == view.diffuse.shape == (48, 48)
    assert view.gloss.shape == view.bounce.shape == (24, 24)
    assert view.shadow.shape == view.glow.shape == (48, 48)
    assert view.mask.max() == 1.0
    assert view.mask.min() == 0.0
    assert np.allclose(view.diffuse, 0.8 * 0.8, atol=0.01)  # under the transparent pixels too
    assert np.allclose(view.gloss, 0.1, atol=0.005)
    assert np.allclose(view.bounce, 0.25, atol=0.005)
    assert np.allclose(view.shadow, 0.5, atol=0.005)
    assert np.allclose(view.glow, 0.2, atol=0.005)


def test_a_changed_sheet_is_refused(tmp_path: Path) -> None:
    drawn_sprites.write(tmp_path)
    file = tmp_path / "disc-up-light.webp"
    file.write_bytes(file.read_bytes() + b"\0")
    with pytest.raises(SpritesRefused, match=r"disc-up-light\.webp is not the file that sprites\.json tells of") as got:
        load_sprites(tmp_path)
    assert got.value.as_dict()["file"] == str(file)


def test_a_sheet_that_is_changed_later_is_refused_too(tmp_path: Path) -> None:
    drawn_sprites.write(tmp_path)
    sprites = load_sprites(tmp_path)
    (tmp_path / "disc-up-body.webp").write_bytes(b"else")
    with pytest.raises(SpritesRefused, match=r"disc-up-body\.webp is not the file"):
        sprites.prepare("disc", "up")


def test_a_missing_sheet_is_refused(tmp_path: Path) -> None:
    drawn_sprites.write(tmp_path)
    (tmp_path / "disc-up-body.webp").unlink()
    with pytest.raises(SpritesRefused, match=r"disc-up-body\.webp is missing"):
        load_sprites(tmp_path)


def test_a_folder_without_sprites_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpritesRefused, match=r"sprites\.json is missing"):
        load_sprites(tmp_path)


@pytest.mark.parametrize("name", ["../disc-up-body.webp", "/etc/passwd", "a/b.webp", "x\\y.webp"])
def test_a_path_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    drawn_sprites.write(tmp_path)
    index = tmp_path / "sprites.json"
    data = json.loads(index.read_text(encoding="utf-8"))
    data["designs"][0]["poses"][0]["body"]["name"] = name
    index.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(SpritesRefused, match=r"sprites\.json is malformed: designs\.0\.poses\.0\.body\.name"):
        load_sprites(tmp_path)


def test_a_link_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "sprites"
    folder.mkdir()
    drawn_sprites.write(folder)
    sheet = folder / "disc-up-body.webp"
    sheet.rename(tmp_path / "elsewhere.webp")
    sheet.symlink_to(tmp_path / "elsewhere.webp")
    with pytest.raises(SpritesRefused, match="link that leaves"):
        load_sprites(folder)


def test_a_sheet_of_another_size_is_refused(tmp_path: Path) -> None:
    drawn_sprites.write(tmp_path)
    index = tmp_path / "sprites.json"
    data = json.loads(index.read_text(encoding="utf-8"))
    data["designs"][0]["poses"][0]["body_cells"]["width_px"] = 50
    index.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(SpritesRefused, match="is 96×96 px with 4 channels, where 100×96"):
        load_sprites(tmp_path).prepare("disc", "up")
