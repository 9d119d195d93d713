"""Shipped models are found wherever the package is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from sorter import resources
from sorter.errors import ResourceMissing


def test_models_are_found_in_a_checkout(checkout: Path) -> None:
    assert resources.models_dir() == checkout / "models"


def test_models_inside_the_package_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("models", "sorter/models/b", "sorter/models/a", "sorter/models/notes"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    for name in ("a", "b"):
        (tmp_path / "sorter/models" / name / "card.json").touch()
    monkeypatch.setattr(resources, "__file__", str(tmp_path / "sorter/resources.py"))
    assert resources.models_dir() == tmp_path / "sorter/models"
    assert resources.model_names() == ("a", "b")


def test_missing_models_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "__file__", str(tmp_path / "sorter/resources.py"))
    with pytest.raises(ResourceMissing, match="looked for"):
        resources.models_dir()
