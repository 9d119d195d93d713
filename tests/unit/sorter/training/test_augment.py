"""What training pictures are changed by: colour must tell nothing, shape must stay, and chance must be repeatable."""

from __future__ import annotations

import colorsys
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.training.augment import augmented, recoloured
from sorter.training.recipe import AugmentationRecipe, read_recipe
from sorter.vision.palette import PALETTE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]

SIZE = 48
TABLE = 170
FACES = {"top": slice(12, 24), "front": slice(24, 30), "side": slice(30, 36)}
SHADES = {"top": 1.0, "front": 0.75, "side": 0.5}
LUMINANCE = np.array([0.299, 0.587, 0.114])
RED, BLUE, BLACK, WHITE = (180, 0, 0), (40, 60, 160), (15, 15, 16), (244, 244, 244)
NONE = AugmentationRecipe()
ALL = AugmentationRecipe(
    recolour_share=1.0,
    grey_share=0.3,
    hue_deg=180.0,
    saturation=3.0,
    table_tint=1.0,
    part_tint=1.0,
    brightness=1.0,
    contrast=1.0,
    shadow_share=0.7,
    shift=0.5,
    scale=0.5,
    rotation_deg=180.0,
    mirror_share=0.5,
    blur_px=10.0,
    noise=64.0,
)
STRONGEST: dict[str, Any] = {name: getattr(ALL, name) for name in AugmentationRecipe.model_fields}


def a_part(colour: tuple[int, int, int] = BLUE) -> tuple[Bytes, Bytes]:
    """A box with three faces on a grey table, and its mask."""
    rgb = np.full((SIZE, SIZE, 3), TABLE, np.uint8)
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[12:36, 12:36] = 255
    for face, rows in FACES.items():
        rgb[rows, 12:36] = np.array(colour) * SHADES[face]
    return rgb, mask


def faces(picture: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
    """The colour in the middle of each face."""
    return {face: picture[rows.start + 2 : rows.stop - 2, 16:32].mean(axis=(0, 1)) for face, rows in FACES.items()}


def hue_deg(rgb: Any) -> float:
    red, green, blue = np.clip(np.asarray(rgb, float), 0.0, 255.0) / 255.0
    return colorsys.rgb_to_hsv(red, green, blue)[0] * 360.0


def hue_apart_deg(one: Any, other: Any) -> float:
    return abs((hue_deg(one) - hue_deg(other) + 180.0) % 360.0 - 180.0)


def changed(recipe: AugmentationRecipe, seed: int, colour: tuple[int, int, int] = BLUE) -> Bytes:
    return augmented(*a_part(colour), recipe, np.random.default_rng(seed))


@st.composite
def pictures(draw: st.DrawFn) -> tuple[Bytes, Bytes]:
    size = draw(st.one_of(st.sampled_from([8, 9, 16]), st.integers(8, 160)))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    kind = draw(st.sampled_from(["noise", "black", "white", "grey"]))
    rgb = {
        "noise": rng.integers(0, 256, (size, size, 3)),
        "black": np.zeros((size, size, 3)),
        "white": np.full((size, size, 3), 255),
        "grey": np.full((size, size, 3), TABLE),
    }[kind].astype(np.uint8)
    mask = np.zeros((size, size), np.uint8)
    shape = draw(st.sampled_from(["empty", "full", "pixel", "few", "noise", "half"]))
    if shape == "full":
        mask[:] = 255
    elif shape == "pixel":
        mask[size // 2, size // 2] = 255
    elif shape == "few":
        mask[0, : min(size, 12)] = 255
    elif shape == "noise":
        mask = rng.integers(0, 256, (size, size)).astype(np.uint8)
    elif shape == "half":
        mask[:, : size // 2] = 255
    return rgb, mask


recipes = st.one_of(
    st.just(ALL),
    st.sampled_from(["rig", "tiny", "scratch-cnn"]).map(lambda name: read_recipe(name).augmentation),
    st.sampled_from(sorted(STRONGEST)).map(lambda name: AugmentationRecipe(**{name: STRONGEST[name]})),
)


@settings(max_examples=120, deadline=None)
@given(pictures(), recipes, st.integers(0, 2**32))
def test_any_picture_with_any_mask_comes_back_as_a_picture_and_the_same_for_the_same_seed(
    picture: tuple[Bytes, Bytes], recipe: AugmentationRecipe, seed: int
) -> None:
    rgb, mask = picture
    before = rgb.copy(), mask.copy()
    one = augmented(rgb, mask, recipe, np.random.default_rng(seed))
    assert one.shape == rgb.shape
    assert one.dtype == np.uint8
    assert (one == augmented(rgb, mask, recipe, np.random.default_rng(seed))).all()
    assert (rgb == before[0]).all(), "the crops in memory are used again in the next epoch"
    assert (mask == before[1]).all()


@settings(max_examples=40, deadline=None)
@given(pictures(), st.integers(0, 2**32))
def test_a_recipe_of_zeros_leaves_pictures_as_they_are(picture: tuple[Bytes, Bytes], seed: int) -> None:
    assert (augmented(*picture, NONE, np.random.default_rng(seed)) == picture[0]).all()


def test_another_seed_makes_another_picture() -> None:
    assert len({changed(ALL, seed).tobytes() for seed in range(20)}) == 20


@pytest.mark.parametrize("name", sorted(STRONGEST))
def test_each_line_of_the_recipe_changes_something(name: str) -> None:
    """A line that does nothing would be tuned in vain."""
    recipe = AugmentationRecipe(**{name: STRONGEST[name]})
    rgb, mask = a_part()
    rgb[20:30, 14:18] = 250
    assert any((augmented(rgb, mask, recipe, np.random.default_rng(seed)) != rgb).any() for seed in range(5))


@pytest.mark.parametrize(
    "recipe",
    [
        AugmentationRecipe(recolour_share=1.0),
        AugmentationRecipe(grey_share=1.0),
        AugmentationRecipe(hue_deg=180.0, saturation=3.0),
        AugmentationRecipe(part_tint=1.0),
    ],
    ids=["recolour", "grey", "hue", "tint"],
)
def test_the_table_around_a_part_stays_as_it_is_when_the_part_gets_another_colour(recipe: AugmentationRecipe) -> None:
    rgb, mask = a_part()
    is_table = cv2.dilate(mask, np.ones((9, 9), np.uint8)) == 0
    is_part = cv2.erode(mask, np.ones((9, 9), np.uint8)) > 0
    for seed in range(10):
        seen = changed(recipe, seed)
        assert (seen[is_table] == rgb[is_table]).all()
        assert np.abs(seen[is_part].astype(int) - rgb[is_part]).mean() > 3.0


def test_another_tint_of_the_table_leaves_the_part() -> None:
    rgb, mask = a_part()
    is_table = cv2.dilate(mask, np.ones((9, 9), np.uint8)) == 0
    is_part = cv2.erode(mask, np.ones((9, 9), np.uint8)) > 0
    for seed in range(10):
        seen = changed(AugmentationRecipe(table_tint=0.5), seed)
        assert (seen[is_part] == rgb[is_part]).all()
        gains = seen[is_table].astype(float) / TABLE
        assert np.ptp(gains, axis=0).max() == 0.0
        assert np.abs(np.log(np.minimum(gains, 254 / TABLE))).max() <= 0.51


@pytest.mark.parametrize("source", [RED, BLUE, BLACK, WHITE], ids=["red", "blue", "black", "white"])
@pytest.mark.parametrize("colour", PALETTE, ids=lambda colour: colour.name)
def test_a_part_takes_the_hue_that_it_is_given_and_keeps_the_order_of_its_faces(source: Any, colour: Any) -> None:
    rgb, mask = a_part(source)
    wanted = np.array(colour.srgb, np.float32)
    for seed in range(6):
        seen = faces(recoloured(rgb.astype(np.float32), mask > 127, wanted, np.random.default_rng(seed)))
        light = {face: float(rgb @ LUMINANCE) for face, rgb in seen.items()}
        assert light["top"] > light["front"] > light["side"], "a part without its shading has no shape"
        assert light["top"] == pytest.approx(float(wanted @ LUMINANCE), rel=0.25, abs=12.0)
        if np.ptp(wanted) > 40.0:
            assert all(hue_apart_deg(each, wanted) < 8.0 for each in seen.values())


def test_black_becomes_white_and_white_becomes_black() -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        white = faces(recoloured(a_part(BLACK)[0].astype(np.float32), a_part()[1] > 127, np.float32(WHITE), rng))
        black = faces(recoloured(a_part(WHITE)[0].astype(np.float32), a_part()[1] > 127, np.float32(BLACK), rng))
        assert all(each.mean() > 100.0 for each in white.values())
        assert all(each.mean() < 40.0 for each in black.values())
        assert white["top"].mean() > white["side"].mean()
        assert black["top"].mean() > black["side"].mean()


def test_a_part_of_pure_black_and_its_glint_are_recoloured_without_a_number_that_is_none() -> None:
    rgb, mask = a_part((0, 0, 0))
    rgb[20, 20] = 255
    seen = recoloured(rgb.astype(np.float32), mask > 127, np.float32(RED), np.random.default_rng(0))
    assert np.isfinite(seen).all()
    assert seen[20, 20] @ LUMINANCE > seen[15, 15] @ LUMINANCE


def test_recoloured_pictures_have_hues_all_around_whatever_the_part_was() -> None:
    """Else a network learns that this class is blue."""
    hues = [hue_deg(faces(changed(AugmentationRecipe(recolour_share=1.0), seed))["top"]) for seed in range(120)]
    filled = np.histogram(hues, bins=6, range=(0.0, 360.0))[0]
    assert (filled >= 4).all(), filled


def test_the_share_of_recoloured_pictures_is_what_the_recipe_says() -> None:
    rgb, _ = a_part()
    count = sum((changed(AugmentationRecipe(recolour_share=0.3), seed) != rgb).any() for seed in range(300))
    assert 60 <= count <= 120


def test_a_part_of_a_few_pixels_is_left_as_it_is() -> None:
    rgb, mask = a_part()
    mask[:] = 0
    mask[20, 20:31] = 255
    assert (augmented(rgb, mask, AugmentationRecipe(recolour_share=1.0), np.random.default_rng(0)) == rgb).all()


def test_grey_parts_have_no_hue_and_keep_their_brightness() -> None:
    seen = faces(changed(AugmentationRecipe(grey_share=1.0), 0))
    for face, rgb in faces(a_part()[0]).items():
        assert np.ptp(seen[face]) <= 1.0
        assert seen[face].mean() == pytest.approx(float(rgb @ LUMINANCE), abs=1.0)


def test_a_turned_hue_stays_within_what_the_recipe_allows() -> None:
    apart = [hue_apart_deg(faces(changed(AugmentationRecipe(hue_deg=20.0), seed))["top"], BLUE) for seed in range(40)]
    assert max(apart) < 22.0
    assert max(apart) > 10.0


def test_brightness_is_a_factor_of_the_whole_picture() -> None:
    for seed in range(20):
        seen = changed(AugmentationRecipe(brightness=0.25), seed).astype(float)
        gain = seen[0, 0, 0] / TABLE
        assert np.exp(-0.25) - 0.01 <= gain <= np.exp(0.25) + 0.01
        assert faces(seen)["front"] == pytest.approx(faces(a_part()[0])["front"] * gain, abs=1.5)


def test_a_mirrored_picture_is_the_mirror_image() -> None:
    rgb, mask = a_part()
    rgb[20:30, 14:18] = 250
    seen = augmented(rgb, mask, AugmentationRecipe(mirror_share=1.0), np.random.default_rng(0))
    assert np.abs(seen.astype(int) - rgb[:, ::-1]).max() <= 1


def test_a_part_is_shifted_no_further_than_the_recipe_says_and_the_border_is_repeated() -> None:
    places = []
    for seed in range(40):
        seen = changed(AugmentationRecipe(shift=0.1), seed)
        rows, columns = np.nonzero(seen[..., 0] < 120)
        places.append((rows.mean() - 23.5, columns.mean() - 23.5))
        assert (seen[0] == TABLE).all()
    assert 2.0 < np.abs(places).max() <= 0.1 * SIZE + 0.5


def test_a_scaled_part_stays_in_the_middle() -> None:
    areas = []
    for seed in range(40):
        seen = changed(AugmentationRecipe(scale=0.2), seed)
        rows, columns = np.nonzero(seen[..., 0] < 120)
        assert columns.mean() == pytest.approx(23.5, abs=0.05)
        assert rows.mean() == pytest.approx(23.5, abs=1.0)  # below, the darker face is cut off a little later
        areas.append(len(rows) / 24**2)
    assert np.exp(-0.4) - 0.1 < min(areas) < 0.85
    assert 1.15 < max(areas) < np.exp(0.4) + 0.1


def test_a_shadow_darkens_part_and_table_and_brightens_nothing() -> None:
    rgb, _ = a_part()
    seen = [changed(AugmentationRecipe(shadow_share=1.0), seed) for seed in range(20)]
    assert all((each <= rgb).all() for each in seen)
    assert sum((each < rgb).any() for each in seen) > 10
    assert min(each.min() / max(int(rgb.min()), 1) for each in seen) > 0.5


def test_noise_is_as_strong_as_the_recipe_says_and_means_nothing() -> None:
    rgb, mask = a_part()
    spread = []
    for seed in range(30):
        apart = augmented(rgb, mask, AugmentationRecipe(noise=5.0), np.random.default_rng(seed)).astype(float) - rgb
        assert abs(apart[:8].mean()) < 1.0
        spread.append(apart[:8].std())
    assert max(spread) < 5.4
    assert np.mean(spread) == pytest.approx(2.5, abs=1.0)
