"""What a run is made from: whoever resumes or exports it must get that run and no other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sorter.training.errors import RunRefused
from sorter.training.recipe import read_recipe, shipped_recipes
from sorter.training.record import RECORD, InnerRecord, RunRecord, SplitRecord, read_record, write_record

HASH = "0" * 64


def a_record(**changes: Any) -> RunRecord:
    whole: dict[str, Any] = {
        "name": "mine",
        "created_at": "2026-01-02T03:04:05+00:00",
        "dataset": "/data/ä b",
        "dataset_sha256": HASH,
        "excluded": ("3003",),
        "split": SplitRecord(file="split.json", sha256=HASH, by="brick", fold=2, held_out=("a.png", "b.png")),
        "rendered": "/data/rendered",
        "rendered_sha256": HASH,
        "recipe": read_recipe("tiny"),
        "weights": "imagenet",
        "labels": ("3001", "3002"),
        "loss": "categorical",
        "inner": InnerRecord(by="brick", held_out=(("c.png",), ("d.png", "e.png"))),
        "versions": {"sorter": "1.0", "numpy": "2.0"},
        "notes": ("one\ntwo", "“three”"),
    }
    return RunRecord(**{**whole, **changes})


@pytest.mark.parametrize("recipe", shipped_recipes())
def test_a_run_is_read_as_it_was_written(tmp_path: Path, recipe: str) -> None:
    for record in (
        a_record(recipe=read_recipe(recipe)),
        a_record(split=None, rendered=None, rendered_sha256=None, weights=None, inner=None, excluded=(), notes=()),
        a_record(loss="sigmoid", inner=InnerRecord(by="random", held_out=())),
    ):
        write_record(tmp_path, record)
        assert read_record(tmp_path) == record
        assert json.loads((tmp_path / RECORD).read_text(encoding="utf-8"))["format"] == 1
    assert [each.name for each in tmp_path.iterdir()] == [RECORD]


def test_inner_networks_are_trained_before_the_final_one() -> None:
    assert a_record().networks == ("inner-1", "inner-2", "final")
    assert a_record(inner=None).networks == ("final",)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"format": 2}, "format: "),
        ({"labels": "3001"}, "labels: "),
        ({"labels": [1, 2]}, "labels.0: "),
        ({"loss": "auto"}, "loss: "),
        ({"inner": {"by": "colour", "held_out": []}}, "inner.by: "),
        ({"speed": 3}, "speed: "),
        ({"split": {"file": "x"}}, "split.sha256: "),
        ({"recipe": {"name": "x"}}, "recipe.backbone: "),
        ({"recipe": {**read_recipe("tiny").model_dump(mode="json"), "inner_folds": 1}}, "recipe: "),
        ({"name": None}, "name: "),
    ],
)
def test_a_record_that_was_changed_is_refused_with_the_place(tmp_path: Path, change: Any, named: str) -> None:
    write_record(tmp_path, a_record())
    whole = json.loads((tmp_path / RECORD).read_text(encoding="utf-8"))
    (tmp_path / RECORD).write_text(json.dumps({**whole, **change}), encoding="utf-8")
    with pytest.raises(RunRefused) as caught:
        read_record(tmp_path)
    assert caught.value.message.startswith(f"{tmp_path / RECORD}: {named}")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b"9" * 5000])
def test_a_file_that_is_no_record_is_refused_in_one_clear_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / RECORD).write_bytes(content)
    with pytest.raises(RunRefused) as caught:
        read_record(tmp_path)
    assert caught.value.message.startswith(f"{tmp_path / RECORD}: ")
    assert ": : " not in caught.value.message
    assert len(caught.value.message.splitlines()) == 1


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    (tmp_path / "odd" / RECORD).mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "none", tmp_path / "file", tmp_path / "odd"):
        with pytest.raises(RunRefused, match="is no run") as caught:
            read_record(folder)
        assert str(folder) in caught.value.message
        assert "sorter train" in caught.value.remedy


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10**6), byte=st.integers(0, 255), is_cut=st.booleans())
def test_a_damaged_record_is_refused_or_still_one(tmp_path: Path, place: int, byte: int, *, is_cut: bool) -> None:
    write_record(tmp_path, a_record())
    content = bytearray((tmp_path / RECORD).read_bytes())
    place %= len(content)
    content[place] = byte
    (tmp_path / RECORD).write_bytes(content[:place] if is_cut else content)
    try:
        found = read_record(tmp_path)
    except RunRefused as error:
        message = error.message
    else:
        assert not is_cut or place >= len(content) - 1
        assert RunRecord.model_validate_json(found.model_dump_json()) == found
        return
    assert str(tmp_path / RECORD) in message
