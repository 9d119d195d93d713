"""The tree of commands."""

from __future__ import annotations

from typing import Annotated

import typer

import sorter
from sorter.cli import bins, board, camera, config, dataset, inventory, parts, render
from sorter.cli.calibrate import calibrate
from sorter.cli.classify import classify
from sorter.cli.demo import demo
from sorter.cli.evaluate import evaluate
from sorter.cli.home import home
from sorter.cli.jog import jog
from sorter.cli.run import run
from sorter.cli.runs import runs
from sorter.cli.score import score
from sorter.cli.train import export, find_rate, train

app = typer.Typer(
    name="sorter",
    help="Sort LEGO parts with a turntable, a camera and a Marlin board.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.add_typer(bins.app, name="bins")
app.add_typer(board.app, name="board")
app.add_typer(camera.app, name="camera")
app.add_typer(config.app, name="config")
app.add_typer(dataset.app, name="dataset")
app.add_typer(inventory.app, name="inventory")
app.add_typer(parts.app, name="parts")
app.add_typer(render.app, name="render")
app.command()(demo)
app.command()(run)
app.command()(runs)
app.command()(home)
app.command(context_settings={"ignore_unknown_options": True})(jog)  # a distance may be negative
app.command()(calibrate)
app.command()(score)
app.command()(classify)
app.command()(train)
app.command()(evaluate)
app.command()(export)
app.command("find-rate")(find_rate)


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"sorter {sorter.__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Hold the options that stand before any command."""
