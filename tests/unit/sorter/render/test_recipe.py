from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sorter.errors import ConfigError
from sorter.render.recipe import DEFAULT_SCENE, read_scene_recipe

if TYPE_CHECKING:
    from pathlib import Path

_TEXT = DEFAULT_SCENE.read_text()


def changed(folder: Path, old: str, new: str) -> Path:
    assert old in _TEXT
    file = folder / "scene.toml"
    file.write_text(_TEXT.replace(old, new, 1))
    return file


def test_shipped_scene_can_be_read() -> None:
    recipe = read_scene_recipe()
    assert recipe.camera.elevation_deg == (42.0, 52.0)
    assert len(recipe.lamps) == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("elevation_deg = [42.0, 52.0]  # looking", "elevation_deg = [52.0, 42.0]  # looking", "[lowest, highest]"),
        ("view_mm = [71.0, 75.0]", "view_mm = [0.0, 75.0]", "greater than 0"),
        ("view_mm = [71.0, 75.0]", "veiw_mm = [71.0, 75.0]", 'did you mean "view_mm"'),
        ("jpeg_quality = [80, 96]", "jpeg_quality = [80, 101]", "less than or equal to 100"),
        ("noise = [0.5, 2.5]", "noise = [-0.5, 2.5]", "0 or more"),
        ("format = 1", "format = 2", "less than or equal to 1"),
    ],
)
def test_mistakes_are_named_with_their_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    file = changed(tmp_path, old, new)
    with pytest.raises(ConfigError) as caught:
        read_scene_recipe(file)
    assert said in str(caught.value)
    assert "line " in str(caught.value)


def test_a_scene_without_light_is_refused(tmp_path: Path) -> None:
    head = _TEXT.index("[[lamps]]")
    tail = _TEXT.index("[parts]")
    file = tmp_path / "dark.toml"
    file.write_text((_TEXT[:head] + _TEXT[tail:]).replace("ambient = [0.25, 0.5]", "lamps = []\nambient = [0.0, 0.5]"))
    with pytest.raises(ConfigError, match="would be black"):
        read_scene_recipe(file)
