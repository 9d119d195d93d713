"""Networks as recipes want them, and single steps of training: what moves, what stands still, what is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sorter.training.errors import WeightsRefused
from sorter.training.explain import grad_cam, painted
from sorter.training.framework import framework
from sorter.training.int8_grid import measure_statistics, round_weights
from sorter.training.networks import LOGITS, build, layer_depths, weights_file
from sorter.training.quantise import Int8Network, to_int8
from sorter.training.recipe import BackboneRecipe, Recipe
from sorter.training.steps import Stepper, logits_of

if TYPE_CHECKING:
    from pathlib import Path

    from sorter.training.labels import Loss

pytestmark = [
    pytest.mark.timeout(180),  # TensorFlow is loaded here
    # TensorFlow and its protobuf warn of each other's versions; nothing of that is ours.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:google"),
]


def recipe_of(phase: dict[str, Any] | None = None, **changes: Any) -> Recipe:
    data: dict[str, Any] = {
        "name": "trial",
        "backbone": {"name": "scratch", "blocks": (4, 8), "batch_normalisation": True},
        "crop": {"size_px": 32},
        "phases": ({"epochs": 1, "rate": 1e-2, **(phase or {})},),
        **changes,
    }
    return Recipe.model_validate(data)


def mobilenet(phase: dict[str, Any] | None = None, **changes: Any) -> Recipe:
    return recipe_of(phase, backbone={"name": "mobilenet_v1", "width": 0.25}, **changes)


def pictures(count: int = 8, side: int = 32, seed: int = 0) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Dark pictures are of class 0, bright ones of class 1."""
    rng = np.random.default_rng(seed)
    targets = np.arange(count) % 2
    rgb = rng.integers(0, 60, (count, side, side, 3)) + 150 * targets[:, None, None, None]
    return rgb.astype(np.uint8), targets.astype(np.int64)


def stepper_of(recipe: Recipe, loss: Loss = "categorical", classes: int = 2) -> Stepper:
    framework().keras.utils.set_random_seed(1)
    model = build(recipe, classes)
    if recipe.backbone.name != "scratch":
        for layer in model.layers:  # untrained, a deep network's features die out; pretrained ones do not
            if hasattr(layer, "moving_variance"):
                layer.moving_variance.assign(np.full(layer.moving_variance.shape, 0.1, np.float32))
    return Stepper(model, recipe, recipe.phases[-1], loss)


def weights_of(model: Any) -> dict[str, np.ndarray[Any, Any]]:
    return {each.path: each.numpy().copy() for each in model.variables}


def moved(before: dict[str, np.ndarray[Any, Any]], model: Any) -> set[str]:
    return {name for name, value in weights_of(model).items() if not np.array_equal(value, before[name])}


@pytest.mark.parametrize(
    ("name", "width", "least", "most"),
    [
        ("mobilenet_v1", 0.25, 200_000, 230_000),
        ("mobilenet_v2", 0.35, 380_000, 430_000),
        ("mobilenet_v3_small", 0.75, 400_000, 700_000),
        ("mobilenet_v3_large", 0.75, 1_300_000, 2_100_000),
        ("resnet50", 1.0, 23_000_000, 24_000_000),
    ],
)
def test_every_backbone_of_a_recipe_can_be_built(name: str, width: float, least: int, most: int) -> None:
    recipe = recipe_of(backbone={"name": name, "width": width}, dropout=0.1)
    model = build(recipe, 5)
    assert model.output_shape == (None, 5)
    assert model.input_shape == (None, 32, 32, 3)
    assert least < model.count_params() < most
    assert model.layers[-1].name == LOGITS


def test_a_scratch_network_is_what_the_first_builders_published() -> None:
    recipe = recipe_of(backbone={"name": "scratch", "blocks": (32, 64, 128), "dense": 256})
    sizes = [layer.kernel.shape for layer in build(recipe, 10).layers if hasattr(layer, "kernel")]
    assert sizes == [(3, 3, 3, 32), (3, 3, 32, 64), (3, 3, 64, 128), (4 * 4 * 128, 256), (256, 10)]


def test_weights_are_taken_from_a_file_or_from_the_fitting_one_in_a_folder(tmp_path: Path) -> None:
    applications = framework().keras.applications
    for width in (0.25, 0.5):
        framework().keras.utils.set_random_seed(5)
        base = applications.MobileNet(input_shape=(32, 32, 3), alpha=width, include_top=False, weights=None)
        base.save_weights(tmp_path / f"mobilenet_v1_{width}_some.weights.h5")
    wanted = {each.path: each.numpy() for each in base.variables}
    recipe = recipe_of(backbone={"name": "mobilenet_v1", "width": 0.5})
    for source in (tmp_path, tmp_path / "mobilenet_v1_0.5_some.weights.h5"):
        found = weights_of(build(recipe, 3, weights=str(source)))
        assert all(np.array_equal(found[name], value) for name, value in wanted.items())
    with pytest.raises(WeightsRefused, match=r"0\.25_some"):
        build(recipe_of(backbone={"name": "mobilenet_v1", "width": 0.75}), 3, weights=str(tmp_path))
    with pytest.raises(WeightsRefused, match="does not hold weights of"):
        build(recipe, 3, weights=str(tmp_path / "mobilenet_v1_0.25_some.weights.h5"))


def test_two_files_that_fit_are_not_chosen_between(tmp_path: Path) -> None:
    for name in ("mobilenet_v2_1.0_a.weights.h5", "mobilenet_v2_1_b.weights.h5"):
        (tmp_path / name).touch()
    with pytest.raises(WeightsRefused, match="2 files"):
        weights_file(BackboneRecipe(name="mobilenet_v2"), tmp_path)


def test_the_layer_before_resnet_gives_what_its_weights_were_trained_on() -> None:
    keras, tf = framework()
    recipe = recipe_of(backbone={"name": "resnet50"}, crop={"size_px": 32})
    model = build(recipe, 2, weights="none")
    assert "as_caffe" not in [layer.name for layer in model.layers]
    from sorter.training.networks import _as_caffe

    inputs = keras.layers.Input((8, 8, 3))
    before = keras.Model(inputs, _as_caffe(inputs))
    rgb = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3)).astype(np.float32)
    expected = keras.applications.resnet50.preprocess_input(rgb.copy())
    np.testing.assert_allclose(before(tf.constant(rgb / 127.5 - 1.0)).numpy(), expected, atol=1e-3)


def test_in_the_first_phase_only_the_head_moves_and_statistics_stand_still() -> None:
    stepper = stepper_of(mobilenet({"trains": "head", "batch_normalisation": "frozen"}))
    before = weights_of(stepper.model)
    stepper.step(*pictures(), 1e-2)
    assert moved(before, stepper.model) == {f"{LOGITS}/kernel", f"{LOGITS}/bias"}


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_frozen_batch_normalisation_keeps_imagenets_statistics_while_all_else_learns() -> None:
    stepper = stepper_of(mobilenet({"batch_normalisation": "frozen"}))
    before = weights_of(stepper.model)
    stepper.step(*pictures(), 1e-2)
    names = moved(before, stepper.model)
    assert not [name for name in names if "_bn/" in name]
    assert "conv1/kernel" in names
    following = stepper_of(mobilenet({"batch_normalisation": "statistics"}))
    before = weights_of(following.model)
    following.step(*pictures(), 1e-2)
    assert {name for name in moved(before, following.model) if "moving_" in name}


def test_training_with_batch_normalisation_does_not_collapse_when_it_is_used() -> None:
    stepper = stepper_of(recipe_of())
    rgb, targets = pictures(32)
    for _ in range(40):
        stepper.step(rgb, targets, 3e-3)
    loss, accuracy = stepper.validate(rgb, targets)
    assert accuracy == 1.0
    assert loss < 0.4


def test_lower_layers_learn_more_slowly() -> None:
    recipe = mobilenet({"lower_layers": 0.01}, optimiser={"name": "sgd", "momentum": 0.0})
    stepper = stepper_of(recipe)
    depths = layer_depths(stepper.model)
    assert depths["conv1"] == 0.0
    assert depths[LOGITS] == 1.0
    factors = dict(zip(stepper._factors, stepper._variables, strict=True))
    assert min(factors) == pytest.approx(0.01)
    assert max(factors) == 1.0
    of_first, of_head = factors[min(factors)], factors[1.0]
    assert "conv1/kernel" in {each.path for each in of_first}
    assert f"{LOGITS}/kernel" in {each.path for each in of_head}
    assert sum(map(len, factors.values())) == len(stepper.model.trainable_variables)
    even = stepper_of(mobilenet(optimiser={"name": "sgd", "momentum": 0.0}))
    start = stepper.model.get_layer("conv1").kernel.numpy()
    rgb, targets = pictures()
    stepper.step(rgb, targets, 1e-2)
    even.step(rgb, targets, 1e-2)
    slow, fast = (np.abs(each.model.get_layer("conv1").kernel.numpy() - start).max() for each in (stepper, even))
    assert slow == pytest.approx(0.01 * fast, rel=0.05)


def test_averaged_weights_lag_behind_and_are_what_is_used() -> None:
    stepper = stepper_of(recipe_of(optimiser={"name": "adam", "average": 0.9}))
    rgb, targets = pictures()
    for _ in range(5):
        stepper.step(rgb, targets, 1e-2)
    own = weights_of(stepper.model)
    said = stepper.logits(rgb)
    assert not moved(own, stepper.model)
    assert not np.allclose(said, logits_of(stepper.model, rgb))
    stepper.settle()
    np.testing.assert_array_equal(said, logits_of(stepper.model, rgb))


def test_a_restored_stepper_goes_on_exactly_as_it_would_have() -> None:
    recipe = recipe_of(optimiser={"name": "adamw", "average": 0.9, "weight_decay": 0.01}, dropout=0.3)
    rgb, targets = pictures()
    one = stepper_of(recipe)
    for _ in range(3):
        one.step(rgb, targets, 1e-2)
    state = one.state()
    other = stepper_of(recipe)
    other.step(rgb, targets, 1.0)
    other.restore(state)
    for _ in range(3):
        assert one.step(rgb, targets, 1e-2) == other.step(rgb, targets, 1e-2)
    for name, value in one.state().items():
        np.testing.assert_array_equal(value, other.state()[name])
    with pytest.raises((KeyError, ValueError)):
        other.restore({"model/0": np.zeros(3)})


def test_several_classes_a_picture_are_learnt_each_for_itself() -> None:
    stepper = stepper_of(recipe_of(loss="sigmoid"), "sigmoid", 3)
    rgb, bright = pictures(32)
    targets = np.stack([bright, 1 - bright, np.ones_like(bright)], axis=1).astype(np.float32)
    for _ in range(60):
        stepper.step(rgb, targets, 1e-2)
    loss, accuracy = stepper.validate(rgb, targets)
    assert accuracy == 1.0
    assert loss < 0.3


def test_smoothed_labels_leave_a_floor_under_the_loss() -> None:
    sharp, smooth = (stepper_of(recipe_of(label_smoothing=amount)) for amount in (0.0, 0.2))
    rgb, targets = pictures(32)
    for _ in range(60):
        sharp.step(rgb, targets, 1e-2)
        smooth.step(rgb, targets, 1e-2)
    floor = -(0.9 * np.log(0.9) + 0.1 * np.log(0.1))
    assert sharp.validate(rgb, targets)[0] < 0.1
    assert smooth.validate(rgb, targets)[0] > floor - 1e-3


def test_int8_says_what_float_says_and_nothing_in_it_is_float() -> None:
    stepper = stepper_of(recipe_of())
    rgb, targets = pictures(32)
    for _ in range(30):
        stepper.step(rgb, targets, 1e-2)
    content = to_int8(stepper.model, rgb)
    network = Int8Network(content)
    exact, rounded = logits_of(stepper.model, rgb), network.logits(rgb)
    assert (exact.argmax(axis=1) == rounded.argmax(axis=1)).all()
    assert np.abs(exact - rounded).max() < 0.1 * np.abs(exact).max()
    assert network.input_card().shape == (1, 32, 32, 3)
    assert network.input_card().dtype == network.output_card().dtype == "int8"


def test_rounded_weights_are_on_the_grid_of_each_channel_and_stay_there() -> None:
    model = stepper_of(mobilenet()).model
    exact = {layer.name: layer.kernel.numpy() for layer in model.layers if hasattr(layer, "kernel")}
    round_weights(model)
    once = weights_of(model)
    for layer in model.layers:
        if layer.name not in exact:
            continue
        channel = 2 if "dw" in layer.name else -1
        was, now = (np.moveaxis(each, channel, 0) for each in (exact[layer.name], layer.kernel.numpy()))
        for before, after in zip(was.reshape(was.shape[0], -1), now.reshape(now.shape[0], -1), strict=True):
            step = np.abs(before).max() / 127
            assert np.abs(before - after).max() <= 0.501 * step
            np.testing.assert_allclose(after / step, np.rint(after / step), atol=1e-3)
    round_weights(model)
    assert not moved(once, model)


def test_statistics_become_those_of_the_pictures_and_nothing_else_moves() -> None:
    model = stepper_of(recipe_of(dropout=0.5)).model
    before = weights_of(model)
    batches = [pictures(16, seed=seed)[0] for seed in range(5)]
    measure_statistics(model, iter(batches))
    assert moved(before, model) == {name for name in before if "moving_" in name}
    first = next(layer for layer in model.layers if hasattr(layer, "moving_mean"))
    convolved = framework().keras.Model(model.input, first.input)
    seen = np.concatenate([convolved(each.astype(np.float32) / 127.5 - 1.0).numpy() for each in batches])
    np.testing.assert_allclose(first.moving_mean.numpy(), seen.mean(axis=(0, 1, 2)), rtol=1e-3, atol=1e-4)
    assert first.momentum == 0.9
    measure_statistics(model, iter([]))
    np.testing.assert_allclose(first.moving_mean.numpy(), seen.mean(axis=(0, 1, 2)), rtol=1e-3, atol=1e-4)


def test_the_map_shows_the_place_that_a_class_was_named_for() -> None:
    keras, _ = framework()
    inputs = keras.layers.Input((32, 32, 3))
    seen = keras.layers.Conv2D(2, 3, padding="same", use_bias=False)(inputs)
    features = keras.layers.GlobalAveragePooling2D()(keras.layers.ReLU()(seen))
    model = keras.Model(inputs, keras.layers.Dense(2, use_bias=False, name=LOGITS)(features))
    kernel = np.zeros((3, 3, 3, 2), np.float32)
    kernel[1, 1, 0, 0] = kernel[1, 1, 2, 1] = 1.0  # the first looks for red, the second for blue
    model.layers[1].set_weights([kernel])
    model.layers[-1].set_weights([np.eye(2, dtype=np.float32)])
    rgb = np.zeros((2, 32, 32, 3), np.uint8)
    rgb[:, 4:10, 20:28, 0] = 255
    rgb[:, 20:28, 4:10, 2] = 255
    red, blue = grad_cam(model, rgb, np.array([0, 1]))
    assert (red.max(), blue.max()) == (1.0, 1.0)
    assert red[4:10, 20:28].mean() > 10 * red[20:28, 4:10].mean()
    assert blue[20:28, 4:10].mean() > 10 * blue[4:10, 20:28].mean()
    assert painted(rgb[0], red).shape == (32, 32, 3)
    assert painted(rgb[0], red)[6, 24].sum() > painted(rgb[0], red)[24, 6].sum()
