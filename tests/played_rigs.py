"""A rig of an emulated board and a camera that plays pictures which were drawn for it; nothing of it is a twin."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PIL import Image

from firmware_bridge.emulator.pty_server import EmulatedBoard
from sorter.ledger import LEDGER_FILE, open_reader
from tests.scenes import Drawn, draw

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PARTS = ("square", "disc", "bar")

_BOARD_SPEED = 20.0
_EMPTY_AT_START = 24  # eight angles, three pictures each
_EMPTY_AT_END = 20

_RIG = """
[board]
port = "{port}"
[camera]
source = "folder"
path = "pictures"
frames_per_s = 120.0
loop = false
[chute]
kind = "motor"
[ejector]
travel_s = 0.05
dwell_s = 0.0
fall_s = 0.05
[feeder]
kind = "manual"
give_up_s = 1.0
empty_after = 1
[look]
model = "{model}"
misroute_rate = 0.05
least_views = 2
most_views = 2
empty_table = "{empty_table}"
[sort]
reject = "rest"
[[sort.rules]]
bin = "squares"
classes = ["square"]
[[sort.rules]]
bin = "bars"
classes = ["bar"]
[[bins]]
id = "squares"
chute_deg = 10.0
[[bins]]
id = "bars"
chute_deg = 100.0
[[bins]]
id = "rest"
chute_deg = 200.0
"""


def draw_pictures(folder: Path) -> None:
    """Make ``folder`` with pictures as a camera would take them.

    An empty table; then each part: as it comes, as it lies, once more from another angle, and the table empty again; at
    last nothing comes any more.
    """
    folder.mkdir()
    originals = {name: folder.parent / f"{name or 'empty'}.png" for name in ("", *PARTS)}
    for name, file in originals.items():
        Image.fromarray(draw(*([Drawn(name)] if name else []), seed=7)).save(file)
    taken = ["" for _ in range(_EMPTY_AT_START)]
    for shape in PARTS:
        taken += ["", "", shape, shape, shape, ""]
    taken += ["" for _ in range(_EMPTY_AT_END)]
    for number, name in enumerate(taken):
        os.link(originals[name], folder / f"{number}.png")


class PlayedRig:
    """A folder with a rig.toml, and the emulated board that it names."""

    def __init__(self, folder: Path, board: EmulatedBoard) -> None:
        self.folder = folder
        self.board = board
        self.file = folder / "rig.toml"

    @property
    def ledger(self) -> Path:
        return self.folder / "state" / LEDGER_FILE

    def change(self, changes: dict[str, str]) -> None:
        text = self.file.read_text(encoding="utf-8")
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        self.file.write_text(text, encoding="utf-8")

    def rows(self) -> list[tuple[str | None, str | None]]:
        """What each part was taken for, and the bin that it is in."""
        with open_reader(self.ledger) as reader:
            return [(row.class_name, row.bin) for row in reader.all_parts()]


@contextmanager
def played_rig(folder: Path, model: Path, pictures: Path, *, empty_table: str = "picture") -> Iterator[PlayedRig]:
    """A rig in ``folder`` that plays ``pictures``."""
    with EmulatedBoard(speed=_BOARD_SPEED) as board:
        (folder / "pictures").symlink_to(pictures)
        rig = PlayedRig(folder, board)
        rig.file.write_text(_RIG.format(port=board.path, model=model, empty_table=empty_table), encoding="utf-8")
        yield rig
