"""Whoever reads the truth file sees each event at once, in the host's time, and nothing of an earlier run."""

import json

import pytest

from sorter.twin.errors import TwinRefused
from sorter.twin.truth_file import TruthFile


def test_each_event_can_be_read_at_once_in_the_hosts_time(tmp_path):
    path = tmp_path / "truth.jsonl"
    path.write_text("an earlier run\n", encoding="utf-8")
    with TruthFile(path, lambda board_s: 1000.0 + board_s / 20.0) as truth:
        assert path.read_text(encoding="utf-8") == ""
        truth.write("fell", 1.23456789, part=3, place="rötlich")
        (line,) = path.read_text(encoding="utf-8").splitlines()
        assert json.loads(line) == {"event": "fell", "at_s": 1000.061728, "part": 3, "place": "rötlich"}
        truth.write("dropped", 2.0, part=4, **{"class": None}, is_again=True)
        assert path.read_text(encoding="utf-8").splitlines()[1] == (
            '{"event": "dropped", "at_s": 1000.1, "part": 4, "class": null, "is_again": true}'
        )


def test_a_file_that_cannot_be_written_is_refused_by_its_name(tmp_path):
    truth = TruthFile(tmp_path / "nowhere" / "truth.jsonl", float)
    with pytest.raises(TwinRefused, match="nowhere"), truth:
        pass
    with pytest.raises(ValueError, match="not open"):
        truth.write("empty", 1.0)
