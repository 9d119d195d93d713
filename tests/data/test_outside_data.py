"""The data that tests borrow from outside the checkout is what the other tests take it for."""

from __future__ import annotations

import json
from pathlib import Path


def test_every_photograph_belongs_to_one_revolution(turntable_data: Path) -> None:
    on_disk = {
        path.relative_to(turntable_data).as_posix()
        for part in ("train", "test")
        for path in (turntable_data / part).rglob("*.jpg")
    }
    revolutions = json.loads((turntable_data / "revolutions.json").read_text(encoding="utf-8"))["revolutions"]
    named = [name for revolution in revolutions for copies in revolution["photographs"] for name in copies]
    assert len(on_disk) == 5125
    assert len(named) == len(set(named))
    assert set(named) <= on_disk
    empty_tables = {"train/32064/32064_156.jpg", "test/32064/32064_236.jpg", "test/32064/32064_218.jpg"}
    assert on_disk - set(named) <= empty_tables
    assert (len(revolutions), len({revolution["brick"] for revolution in revolutions})) == (67, 22)


def test_the_part_library_has_its_three_places(ldraw_library: Path) -> None:
    assert (ldraw_library / "LDConfig.ldr").is_file()
    assert (ldraw_library / "parts" / "3001.dat").is_file()
    assert any((ldraw_library / "p").glob("*.dat"))
