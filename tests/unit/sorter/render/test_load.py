from __future__ import annotations

from pathlib import Path

import pytest

from sorter.render.errors import GeometryRefused, RenderRefused
from sorter.render.load import load_stock
from sorter.render.recipe import SceneRecipe, read_scene_recipe

LIBRARY = Path(__file__).parents[3] / "data" / "ldraw"


@pytest.fixture
def recipe() -> SceneRecipe:
    shipped = read_scene_recipe()
    return shipped.model_copy(update={"parts": shipped.parts.model_copy(update={"colours": ("Red", "Black")})})


def shorter(recipe: SceneRecipe, longest_mm: float) -> SceneRecipe:
    return recipe.model_copy(update={"parts": recipe.parts.model_copy(update={"longest_mm": longest_mm})})


def test_designs_have_meshes_poses_and_classes(recipe: SceneRecipe) -> None:
    stock = load_stock(LIBRARY, [("brick", "t2x4"), ("other", "t1x2"), ("other", "t45")], recipe)
    assert stock.class_names == ("brick", "other")
    assert [design.mesh.name for design in stock.designs_of("other")] == ["t1x2", "t45"]
    assert stock.designs[0].longest_mm == pytest.approx(32.0)
    assert {"up", "down", "side"} <= {pose.name for pose in stock.designs[0].poses}
    assert list(stock.colours) == ["Red", "Black"]
    assert set(stock.meshes) == {"t2x4", "t1x2", "t45"}


def test_what_is_too_long_is_refused_by_name(recipe: SceneRecipe) -> None:
    with pytest.raises(RenderRefused, match="t2x4 is 32 mm long, and the scene takes 20"):
        load_stock(LIBRARY, [("t2x4", "t2x4")], shorter(recipe, 20.0))


def test_nothing_twice_and_unknown_are_refused(recipe: SceneRecipe) -> None:
    with pytest.raises(RenderRefused, match="no design"):
        load_stock(LIBRARY, [], recipe)
    with pytest.raises(RenderRefused, match="t1x2 is named twice"):
        load_stock(LIBRARY, [("a", "t1x2"), ("b", "t1x2")], recipe)
    with pytest.raises(GeometryRefused, match="nosuch"):
        load_stock(LIBRARY, [("a", "nosuch")], recipe)


def test_a_colour_that_is_not_there_or_not_solid_is_refused() -> None:
    with pytest.raises(RenderRefused, match="no solid colour"):
        load_stock(LIBRARY, [("a", "t1x2")], read_scene_recipe())
