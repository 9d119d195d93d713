"""``sorter classify``: the real command line with a model that really runs, on drawn pictures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from sorter.cli.exit_codes import ExitCode
from tests.models import card_of, put_card
from tests.scenes import Drawn, draw

ENVIRONMENT = {**os.environ, "COLUMNS": "250"}
HEAVY = {"numpy", "cv2", "PIL", "ai_edge_litert"}


def classify(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sorter", "classify", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    assert "Traceback" not in result.stderr, result.stderr
    return result


def reported(result: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    return json.loads(result.stdout)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of drawn pictures, and of one that is none."""
    folder = tmp_path_factory.mktemp("pictures")
    scenes: dict[str, tuple[Drawn, ...]] = {
        "square": (Drawn("square"),),
        "disc": (Drawn("disc"),),
        "empty": (),
        "two": (Drawn("disc", 0.3, 0.6), Drawn("square", 0.7, 0.6)),
        **{f"bar{angle}": (Drawn("bar", angle_deg=angle),) for angle in (20, 65, 110)},
    }
    for name, parts in scenes.items():
        Image.fromarray(draw(*parts)).save(folder / f"{name}.png")
    (folder / "bad.png").write_bytes(b"no picture")
    return folder


def test_each_picture_is_told_and_a_bad_one_does_not_stop_the_others(tiny_model: Path, pictures: Path) -> None:
    paths = [pictures / f"{name}.png" for name in ("square", "bad", "disc", "empty", "two")]
    text, as_json = classify(tiny_model, *paths), classify(tiny_model, *paths, "--json")
    assert (text.returncode, as_json.returncode) == (ExitCode.BAD_INPUT, ExitCode.BAD_INPUT)
    for result in (text, as_json):
        assert result.stderr.count("warning: ") == 1
        assert f"warning: {paths[1]} is no picture that is known here" in result.stderr

    data = reported(as_json)
    assert list(data) == ["model", "runtime", "misroute_rate", "pictures", "refused"]
    assert (data["model"], data["misroute_rate"]) == ("tiny", 0.01)
    assert data["runtime"].startswith("ai-edge-litert ")
    assert data["refused"] == [
        {"file": str(paths[1]), "reason": "is no picture that is known here (JPEG, PNG, WebP, BMP, TIFF)"}
    ]
    square, disc, empty, two = data["pictures"]
    assert [each["file"] for each in data["pictures"]] == [str(path) for path in paths if path != paths[1]]
    assert [(each["seen"], each["class"], each["reject_reason"]) for each in data["pictures"]] == [
        ("one", "square", None),
        ("one", "disc", None),
        ("empty", None, "nothing seen"),
        ("several", None, "several"),
    ]
    for nothing in (empty, two):
        assert nothing["views_used"] == 0
        assert {nothing[key] for key in ("likeliest", "probability", "runner_up", "novelty", "colour")} == {None}
    for part in (square, disc):
        assert part["likeliest"] == part["class"] != part["runner_up"]
        assert 1.0 >= part["probability"] >= 0.95 > part["runner_up_probability"] >= 0.0
        assert 0.0 <= part["novelty"] <= 1.0
        assert part["views_used"] == 1
        assert set(part["colour"]) == {"name", "ldraw_code", "distance", "is_unsure"}

    lines = text.stdout.splitlines()
    for line, part in zip(lines[:2], (square, disc), strict=True):
        unsure = " (unsure)" if part["colour"]["is_unsure"] else ""
        assert line == (
            f"{part['file']}: {part['class']} {part['probability']:.1%}, "
            f"then {part['runner_up']} {part['runner_up_probability']:.1%}, {part['colour']['name']}{unsure}"
        )
    assert lines[2:] == [f"{paths[3]}: rejected, nothing seen", f"{paths[4]}: rejected, several"]


def test_views_of_one_part_become_one_answer_and_count_as_one_without_angles(tiny_model: Path, pictures: Path) -> None:
    views = [pictures / f"bar{angle}.png" for angle in (20, 65, 110)]
    spread = reported(classify(tiny_model, *views, "--one-part", "--angles", "0,-120,480", "--json"))
    assert "pictures" not in spread
    assert spread["part"]["files"] == [str(path) for path in views]
    assert (spread["part"]["class"], spread["part"]["views_used"]) == ("bar", 3)
    assert spread["part"]["colour"]["name"]
    together = reported(classify(tiny_model, *views, "--one-part", "--json"))
    assert (together["part"]["likeliest"], together["part"]["views_used"]) == ("bar", 3)
    assert spread["part"]["probability"] > together["part"]["probability"]


def test_an_angle_stays_with_its_picture_when_another_is_refused(tiny_model: Path, pictures: Path) -> None:
    names = ("bad", "bar20", "bar65")
    result = classify(
        tiny_model, *(pictures / f"{name}.png" for name in names), "--one-part", "--angles", "0,0.001,0.002"
    )
    assert result.returncode == ExitCode.BAD_INPUT
    assert result.stdout.startswith("2 views: ")
    assert "bar" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--one-part", "--angles", "0,90,180"], "2 pictures need 2 angles in degrees"),
        (["--one-part", "--angles", "0,nan"], "2 pictures need 2 angles in degrees"),
        (["--one-part", "--angles", "0;90"], "numbers with commas between them"),
        (["--angles", "0,90"], "add --one-part"),
        (["--misroutes", "1.5"], "less than or equal to 1"),
        (["--threads", "0"], "greater than or equal to 1"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_loaded(pictures: Path, arguments: list[str], told: str) -> None:
    result = classify(pictures / "no model", pictures / "disc.png", pictures / "square.png", *arguments)
    assert (result.returncode, result.stdout) == (ExitCode.USAGE, "")
    assert told in result.stderr
    assert arguments[-2] in result.stderr


def test_a_rate_of_misroutes_that_nobody_measured_is_refused(tiny_model: Path, pictures: Path) -> None:
    result = classify(tiny_model, pictures / "disc.png", "--misroutes", "0.001")
    assert (result.returncode, result.stdout) == (ExitCode.USAGE, "")
    assert "a misroute rate of 0.001 is stricter than any that was measured; the strictest is 0.01" in result.stderr


def test_a_model_that_promises_less_is_used_at_what_it_promises_and_that_is_said(
    model_copy: Path, pictures: Path
) -> None:
    card = card_of(model_copy)
    card["thresholds"] = [{"misroute_rate": 0.2, "posterior": 0.4}]
    put_card(model_copy, card)
    result = classify(model_copy, pictures / "disc.png", "--json")
    assert result.returncode == ExitCode.OK, result.stderr
    assert reported(result)["misroute_rate"] == 0.2
    assert "promises no misroute rate of 1%; its strictest is taken, 20.0%" in result.stderr
    assert classify(model_copy, pictures / "disc.png", "--misroutes", "0.01").returncode == ExitCode.USAGE


def test_a_model_that_lies_is_not_asked(model_copy: Path, pictures: Path) -> None:
    card = card_of(model_copy)
    card["output"]["zero_point"] = 5
    put_card(model_copy, card)
    result = classify(model_copy, pictures / "disc.png", "--json")
    assert result.returncode == ExitCode.BAD_INPUT
    assert f"error: model {model_copy}: output: zero point is 0, the card says 5" in result.stderr
    error = reported(result)["error"]
    assert (error["kind"], error["folder"]) == ("ModelRefused", str(model_copy))
    assert error["problems"] == ["output: zero point is 0, the card says 5"]
    assert error["remedy"]


def test_a_folder_without_a_model_is_told(tmp_path: Path, pictures: Path) -> None:
    result = classify(tmp_path / "missing", pictures / "disc.png")
    assert (result.returncode, result.stdout) == (ExitCode.BAD_INPUT, "")
    assert "card.json cannot be read: No such file or directory" in result.stderr


@pytest.mark.parametrize("command", [["--help"], ["classify", "--help"]])
def test_help_is_there_before_anything_heavy_is_imported(command: list[str]) -> None:
    program = [sys.executable, "-X", "importtime", "-m", "sorter", *command]
    result = subprocess.run(program, capture_output=True, text=True, check=True, env=ENVIRONMENT)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in result.stderr.splitlines()}
    assert "typer" in imported
    assert not HEAVY & imported
    assert "classify" in result.stdout


def test_a_part_of_which_no_picture_could_be_read_is_no_part(tiny_model: Path, pictures: Path) -> None:
    result = classify(tiny_model, pictures / "bad.png", "--one-part", "--json")
    assert result.returncode == ExitCode.BAD_INPUT
    assert reported(result)["part"] is None


def test_a_file_name_that_is_no_text_loses_no_results(tiny_model: Path, pictures: Path, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"b\xff.png")
    odd.write_bytes((pictures / "disc.png").read_bytes())
    strict = {**ENVIRONMENT, "PYTHONIOENCODING": "utf-8:strict"}
    command = [sys.executable, "-m", "sorter", "classify", str(tiny_model), os.fsencode(odd), "--json"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=strict)
    assert result.returncode == ExitCode.OK, result.stderr
    assert reported(result)["pictures"][0]["class"] == "disc"
