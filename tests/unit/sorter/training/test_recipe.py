"""A recipe is checked before hours are spent on it: what it says is done, and what cannot be done is refused."""

from __future__ import annotations

import os
import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sorter.errors import ConfigError
from sorter.training.errors import TrainingRefused
from sorter.training.recipe import Recipe, read_recipe, shipped_recipes
from sorter.types import CropSpec

SCRATCH = """\
name = "mine"
inner_folds = 2
[backbone]
name = "scratch"
blocks = [8, 16]
[[phases]]
epochs = 3
rate = 1e-3
"""
MOBILE = """\
name = "mine"
[backbone]
name = "mobilenet_v2"
[[phases]]
trains = "head"
epochs = 1
rate = 1e-3
"""


def written(folder: Path, text: str) -> str:
    file = folder / "mine.toml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def problems(folder: Path, text: str) -> list[str]:
    file = written(folder, text)
    with pytest.raises(ConfigError) as caught:
        read_recipe(file)
    assert all(line.startswith(f"{file}: ") for line in caught.value.message.splitlines())
    return [str(each) for each in caught.value.problems]


def test_there_are_the_recipes_that_the_documentation_names() -> None:
    assert shipped_recipes() == ("rig", "scratch-cnn", "several", "tiny")


@pytest.mark.parametrize("name", shipped_recipes())
def test_a_shipped_recipe_is_read_under_its_own_name(name: str) -> None:
    recipe = read_recipe(name)
    assert recipe.name == name
    assert recipe.epochs == sum(phase.epochs for phase in recipe.phases) >= 1
    assert recipe.inner_folds >= 2, "without inner networks nothing that it trains could be exported"
    assert recipe.crop.spec().size_px == recipe.crop.size_px


def test_the_recipe_for_the_rig_starts_from_imagenet_and_trains_its_head_first() -> None:
    recipe = read_recipe("rig")
    assert recipe.backbone.weights == "imagenet"
    assert [phase.trains for phase in recipe.phases] == ["head", "all"]
    assert recipe.phases[0].batch_normalisation == "frozen"


def test_a_recipe_of_ones_own_is_read_from_its_file(tmp_path: Path) -> None:
    recipe = read_recipe(written(tmp_path, SCRATCH + 'schedule = { name = "cyclical", cycles = 3, least = 0.1 }\n'))
    assert recipe.backbone.blocks == (8, 16)
    assert recipe.phases[0].schedule.cycles == 3
    assert recipe.crop.spec() == CropSpec()
    assert (recipe.seed, recipe.loss, recipe.patience) == (1, "auto", None)
    assert read_recipe(written(tmp_path, MOBILE)).backbone.name == "mobilenet_v2"


@pytest.mark.parametrize("text", [SCRATCH, MOBILE, *shipped_recipes()])
def test_a_recipe_survives_the_record_of_a_run(tmp_path: Path, text: str) -> None:
    recipe = read_recipe(text if "\n" not in text else written(tmp_path, text))
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SCRATCH.replace("rate", "rte"), 'line 8: phases.0.rte: is not a key that is known here; did you mean "rate"?'),
        (SCRATCH.replace("blocks", "blokcs"), 'line 5: backbone.blokcs: is not a key that is known here; did you mean'),
        ("batchsize = 8\n" + SCRATCH, 'line 1: batchsize: is not a key that is known here; did you mean "batch_size"?'),
        ("[augmentation]\nhue = 3.0\n" + MOBILE.replace("name", "x", 1), "line 2: augmentation.hue: is not a key"),
        (SCRATCH.replace('"scratch"', '"mobilnet_v2"'), "line 4: backbone.name: input should be 'mobilenet_v1'"),
        (SCRATCH.replace("1e-3", "0.0"), "line 8: phases.0.rate: input should be greater than 0, got 0.0"),
        (SCRATCH.replace("1e-3", '"1e-3"'), 'line 8: phases.0.rate: input should be a valid number, got "1e-3"'),
        (SCRATCH.replace("1e-3", "nan"), "line 8: phases.0.rate: input should be a finite number"),
        (SCRATCH.replace("= 3", "= 0"), "line 7: phases.0.epochs: input should be greater than or equal to 1, got 0"),
        (SCRATCH.replace("= 3", "= 2.5"), "line 7: phases.0.epochs: input should be a valid integer"),
        (SCRATCH.replace("8, 16", "8, 0"), "line 5: backbone.blocks.1: input should be greater than or equal to 1"),
        (SCRATCH.replace('"mine"', '"../mine"'), "line 1: name: string should match pattern"),
        ("seed = -1\n" + SCRATCH, "line 1: seed: input should be greater than or equal to 0, got -1"),
        ("label_smoothing = 0.5\n" + SCRATCH, "line 1: label_smoothing: input should be less than 0.5"),
        (SCRATCH.split("[[phases]]", maxsplit=1)[0], "line 1: phases: is missing; add it"),
        ("phases = []\n" + SCRATCH.split("[[phases]]", maxsplit=1)[0], "line 1: phases: "),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line_and_key(tmp_path: Path, text: str, expected: str) -> None:
    assert any(each.startswith(expected) for each in problems(tmp_path, text)), problems(tmp_path, text)


SCHEDULE = 'schedule = {{ name = "{}", {} }}\n'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            SCRATCH.replace("blocks", 'weights = "imagenet"\nblocks'),
            "weights: a scratch network has none to begin with",
        ),
        (SCRATCH.replace("blocks", "width = 0.5\nblocks"), "width: is for MobileNets"),
        (SCRATCH.replace("blocks = [8, 16]", ""), "blocks: a scratch network needs the channels of each block"),
        (SCRATCH.replace("epochs", 'trains = "head"\nepochs'), "has nothing pretrained to stand on"),
        (MOBILE.replace("[[", "blocks = [8]\n[["), "are for scratch networks, not for mobilenet_v2"),
        (MOBILE.replace("[[", "dense = 8\n[["), "are for scratch networks, not for mobilenet_v2"),
        (MOBILE.replace("[[", "batch_normalisation = true\n[["), "are for scratch networks, not for mobilenet_v2"),
        (MOBILE.replace("mobilenet_v2", "resnet50").replace("[[", "width = 0.5\n[["), "ResNet50 has one width only"),
        (MOBILE + "[crop]\nsize_px = 31\n", "mobilenet_v2 needs 32 px at least, got 31"),
        (SCRATCH + "[crop]\nsize_px = 7\n", "line 9: crop: size_px is 8 to 4096, got 7"),
        (SCRATCH + "[crop]\nwindow_mm = 1e9\n", "line 9: crop: "),
        (SCRATCH + "[crop]\ntable_grey = 0\n", "line 9: crop: table_grey"),
        (SCRATCH.replace("8, 16", "8, 8, 8, 8") + "[crop]\nsize_px = 15\n", "4 halvings of 15 px leave nothing"),
        ("inner_folds = 1\n" + MOBILE, "one fold leaves nothing to train on"),
        ('loss = "sigmoid"\nlabel_smoothing = 0.1\n' + MOBILE, "label_smoothing: is for loss ="),
        (MOBILE + '[optimiser]\nname = "adam"\nweight_decay = 0.01\n', "weight_decay: adam has none; write name ="),
        (SCRATCH + SCHEDULE.format("constant", "warm_up = 0.1"), "warm_up: is for cosine and one_cycle, not for const"),
        (SCRATCH + SCHEDULE.format("cyclical", "warm_up = 0.1"), "warm_up: is for cosine and one_cycle, not for cycl"),
        (SCRATCH + SCHEDULE.format("cosine", "cycles = 2"), "cycles: is for cyclical, not for cosine"),
        (SCRATCH + SCHEDULE.format("one_cycle", "least = 0.1"), "least: is for cosine and cyclical, not for one_cycle"),
        (SCRATCH + SCHEDULE.format("constant", "least = 0.1"), "least: is for cosine and cyclical, not for constant"),
    ],
)
def test_a_recipe_that_contradicts_itself_is_refused_with_the_reason(tmp_path: Path, text: str, sentence: str) -> None:
    assert sentence in "\n".join(problems(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    [
        MOBILE + "[crop]\nsize_px = 32\n",
        SCRATCH + "[crop]\nsize_px = 8\n",
        MOBILE + '[optimiser]\nname = "sgd"\nweight_decay = 0.01\n',
        MOBILE + '[optimiser]\nname = "adamw"\nweight_decay = 0.01\n',
        "label_smoothing = 0.1\n" + MOBILE,
        SCRATCH + SCHEDULE.format("one_cycle", "warm_up = 0.2"),
        SCRATCH + SCHEDULE.format("cosine", "warm_up = 0.2, least = 0.01"),
    ],
)
def test_what_just_fits_is_not_refused(tmp_path: Path, text: str) -> None:
    assert read_recipe(written(tmp_path, text)).name == "mine"


@pytest.mark.parametrize("name", ["rg", "rig.tml", "a/b", "x" * 60, "a\0b"])
def test_a_name_that_is_no_recipe_is_answered_with_those_that_are(name: str) -> None:
    with pytest.raises(TrainingRefused, match="there is no recipe") as caught:
        read_recipe(name)
    assert "rig, scratch-cnn, several, tiny" in caught.value.remedy


def test_a_file_that_is_missing_or_none_or_cannot_be_looked_for_is_named(tmp_path: Path) -> None:
    for name in (tmp_path / "none.toml", tmp_path, tmp_path / ("x" * 300)):
        with pytest.raises(ConfigError, match="cannot be read") as caught:
            read_recipe(str(name))
        assert str(name) in caught.value.message


def test_a_file_of_ones_own_is_not_taken_for_the_shipped_recipe_of_the_same_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rig.toml").write_text(SCRATCH, encoding="utf-8")
    assert read_recipe("rig.toml").name == "mine"
    assert read_recipe(f".{os.sep}rig.toml").name == "mine"
    assert read_recipe("rig").name == "rig"


VALUES = st.one_of(
    st.integers(-3, 300).map(str),
    st.floats(allow_nan=False, allow_infinity=False, width=32).map(repr),
    st.sampled_from(["true", '""', '"adam"', "[]", "[1]", "{}", '"none"', "inf", "nan", '"sgd"', "1e400"]),
    st.text(string.printable, max_size=5),
)
PLACES = [*range(len((SCRATCH + "[optimiser]\nname = 'adam'\n").splitlines()))]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(PLACES), VALUES)
def test_whatever_stands_behind_a_key_is_used_or_refused_with_a_line(tmp_path: Path, place: int, value: str) -> None:
    lines = (SCRATCH + "[optimiser]\nname = 'adam'\n").splitlines()
    lines[place] = f"{lines[place].split('=')[0]}= {value}"
    file = written(tmp_path, "\n".join(lines) + "\n")
    try:
        recipe = read_recipe(file)
    except ConfigError as error:
        wrong = error.problems
    else:
        assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe
        return
    assert wrong
    assert all(each.line is not None and each.text for each in wrong)
