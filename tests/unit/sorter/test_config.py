"""The rig's own file."""

from __future__ import annotations

from pathlib import Path

import pytest

from sorter.config import BoardConfig, RigConfig, read_rig_config
from sorter.errors import ConfigError


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "rig.toml"
    file.touch()
    assert read_rig_config(file) == RigConfig(board=BoardConfig(port="auto", baud_rate=250_000))


@pytest.mark.parametrize("port", ["", "ttyUSB0", "Auto", "COM3"])
def test_a_port_that_is_no_device_is_refused(tmp_path: Path, port: str) -> None:
    file = tmp_path / "rig.toml"
    file.write_text(f'\n[board]\nport = "{port}"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"line 3: board\.port: .*got"):
        read_rig_config(file)
