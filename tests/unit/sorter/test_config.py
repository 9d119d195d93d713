"""The rig's own file."""

from __future__ import annotations

from pathlib import Path

import pytest

from sorter.config import BoardConfig, PathsConfig, RigConfig, read_rig_config
from sorter.errors import ConfigError


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "rig.toml"
    file.touch()
    expected = RigConfig(board=BoardConfig(port="auto", baud_rate=250_000), paths=PathsConfig(state=tmp_path / "state"))
    assert read_rig_config(file) == expected


@pytest.mark.parametrize(
    "line",
    ['[paths]\nstate = ""', '[paths]\nstate = "~/x"', '[paths]\nstate = "a\\u0000b"', "[board]\nbaud_rate = 9600"],
)
def test_a_value_that_would_fail_later_is_refused_now(tmp_path: Path, line: str) -> None:
    file = tmp_path / "rig.toml"
    file.write_text(line, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"line 2: .*must"):
        read_rig_config(file)


def test_a_whole_number_is_written_as_one(tmp_path: Path) -> None:
    file = tmp_path / "rig.toml"
    file.write_text("[board]\nbaud_rate = 250000.0\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"line 2: board\.baud_rate"):
        read_rig_config(file)


@pytest.mark.parametrize("port", ["", "ttyUSB0", "Auto", "COM3"])
def test_a_port_that_is_no_device_is_refused(tmp_path: Path, port: str) -> None:
    file = tmp_path / "rig.toml"
    file.write_text(f'\n[board]\nport = "{port}"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"line 3: board\.port: .*got"):
        read_rig_config(file)
