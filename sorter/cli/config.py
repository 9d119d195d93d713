"""``sorter config``: what a rig's own file says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sorter.cli.console import JsonOption, report

app = typer.Typer(help="The rig's own file, rig.toml.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Keep ``config`` a group even while it has one command."""


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The file to check, such as rig.toml.")],
    json: JsonOption = False,
) -> None:
    """Check a rig.toml; exit code 3 and every problem with its line if it cannot be used."""
    from sorter.config import read_rig_config

    config = read_rig_config(file)
    report({"file": str(file), "config": config.model_dump(mode="json")}, f"{file}: fit for use")
