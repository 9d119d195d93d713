"""A folder with every flaw: each is found by itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sorter.dataset import CheckResult, Kind, Severity, check, html_report, look_and_check, look_at_all, read_dataset
from tests.scenes import RED, WHITE, Drawn
from tests.unit.sorter.dataset.pictures import put, put_revolution


@pytest.fixture(scope="module")
def flawed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes under two lights, published in train/ and test/ with copies, conflicts, empty tables and ruins."""
    root = tmp_path_factory.mktemp("flawed")
    cold, warm = (140.0, 150.0, 190.0), (200.0, 150.0, 120.0)
    for name, shape, colour, tint in (("bar", "bar", RED, cold), ("disc", "square", WHITE, warm)):
        for place in ("one", "two"):
            x = 0.4 if place == "one" else 0.55
            files = put_revolution(root / "train" / name, place, Drawn(shape, x=x, size=0.3, colour=colour), tint=tint)
            (root / "test" / name).mkdir(parents=True, exist_ok=True)
            for file in files[::3]:
                file.rename(root / "test" / name / file.name)
    train, test = root / "train", root / "test"
    some = sorted((train / "bar").iterdir())
    shutil.copy(some[0], test / "bar" / "copied.png")
    shutil.copy(some[1], train / "disc" / "mistaken.png")
    Image.open(some[2]).save(train / "bar" / "resaved.jpg", quality=90)
    put(train / "bar" / "empty.png", tint=cold)
    put(train / "bar" / "two.png", Drawn("bar", 0.35, 0.35), Drawn("bar", 0.6, 0.75), tint=cold)
    whole = np.asarray(Image.open(put(train / "bar" / "blurred.png", Drawn("bar", 0.5, 0.5, 0.35), tint=cold)))
    import cv2

    Image.fromarray(np.asarray(cv2.GaussianBlur(whole, (0, 0), 4.0))).save(train / "bar" / "blurred.png")
    Image.fromarray(np.zeros((1, 1, 3), np.uint8)).save(train / "bar" / "dot.png")
    (train / "bar" / "broken.jpg").write_bytes((train / "bar" / "resaved.jpg").read_bytes()[:900])
    return root


@pytest.fixture(scope="module")
def result(flawed: Path) -> CheckResult:
    return look_and_check(read_dataset(flawed))


def paths(result: CheckResult, kind: Kind) -> set[str]:
    return {
        Path(path).name for each in result.findings if each.kind is kind for group in each.examples for path in group
    }


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (Kind.UNREADABLE, "dot.png"),
        (Kind.UNREADABLE, "broken.jpg"),
        (Kind.EXACT_COPIES, "copied.png"),
        (Kind.EXACT_COPIES_ACROSS_SPLIT, "copied.png"),
        (Kind.NEAR_COPIES, "resaved.jpg"),
        (Kind.CONFLICTING_LABELS, "mistaken.png"),
        (Kind.NO_PART, "empty.png"),
        (Kind.SEVERAL_PARTS, "two.png"),
        (Kind.BLURRED, "blurred.png"),
    ],
)
def test_a_flawed_picture_is_found_by_name(result: CheckResult, kind: Kind, name: str) -> None:
    assert name in paths(result, kind)


@pytest.mark.parametrize(
    "kind",
    [Kind.REVOLUTIONS_ACROSS_SPLIT, Kind.SHORTCUT, Kind.FEW_PICTURES, Kind.ONE_COLOUR, Kind.GROUPS],
)
def test_a_flaw_of_the_whole_is_found(result: CheckResult, kind: Kind) -> None:
    assert kind in {each.kind for each in result.findings}


def test_each_finding_says_what_to_do_and_errors_come_first(result: CheckResult) -> None:
    assert result.is_wrong
    assert all(each.sentence and each.remedy and each.count for each in result.findings)
    order = [list(Severity).index(each.severity) for each in result.findings]
    assert order == sorted(order)


def test_near_copies_are_not_neighbours_of_a_revolution(result: CheckResult) -> None:
    (near,) = [each for each in result.findings if each.kind is Kind.NEAR_COPIES]
    assert near.count == 1


def test_the_page_needs_nothing_else_and_quotes_names(flawed: Path, result: CheckResult) -> None:
    page = html_report(result)
    assert "data:image/jpeg;base64," in page
    assert 'src="http' not in page
    assert "<script" not in page
    assert len(page) < 1_000_000
    assert page.count("<h1>") == 1
    assert "mistaken.png" in page


def test_a_name_cannot_put_markup_into_the_page(tmp_path: Path) -> None:
    put(tmp_path / "<b>bold" / "a&b.png", Drawn())
    put(tmp_path / "other" / "c.png", Drawn("bar"))
    page = html_report(look_and_check(read_dataset(tmp_path)))
    assert "<b>bold" not in page
    assert "&lt;b&gt;bold" in page


def test_a_sound_folder_has_nothing_to_mend_but_is_small(tmp_path: Path) -> None:
    for shape in ("bar", "square"):
        for name, colour in (("red", RED), ("white", WHITE)):
            put_revolution(tmp_path / shape, name, Drawn(shape, size=0.3, colour=colour))
    told = look_and_check(read_dataset(tmp_path)).findings
    found = {each.kind for each in told}
    assert found <= {Kind.FEW_PICTURES, Kind.GROUPS}, told


def test_one_class_is_told_and_nothing_breaks(tmp_path: Path) -> None:
    put(tmp_path / "3001" / "a.png", Drawn())
    found = {each.kind for each in look_and_check(read_dataset(tmp_path)).findings}
    assert Kind.ONE_CLASS in found


def test_a_picture_that_was_written_over_is_told(tmp_path: Path) -> None:
    file = put(tmp_path / "3001" / "a.png", Drawn())
    put(tmp_path / "3002" / "a.png", Drawn("bar"))
    dataset = read_dataset(tmp_path)
    put(file, Drawn("disc"))
    result = check(dataset, look_at_all(dataset))
    assert paths(result, Kind.CHANGED) == {"a.png"}
    with pytest.raises(ValueError, match="other pictures"):
        check(dataset, ())


def test_progress_counts_every_picture(flawed: Path) -> None:
    counted: list[int] = []
    dataset = read_dataset(flawed)
    seen = look_at_all(dataset, is_glance=True, on_progress=counted.append)
    assert sum(counted) == len(dataset.pictures)
    assert [each.path for each in seen] == [each.path for each in dataset.pictures]
