"""``sorter config``: what a rig's own file says."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sorter.cli.console import JsonOption, report
from sorter.cli.files import write_report

if TYPE_CHECKING:
    from sorter.classify import ModelCard
    from sorter.config import RigConfig
    from sorter.errors import Problem

app = typer.Typer(help="The rig's own file, rig.toml.", no_args_is_help=True)

_WIDTH = 100
_MODEL = "turntable10"


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The file to check, such as rig.toml.")],
    sorting: Annotated[
        bool, typer.Option("--sorting", help="It must have all that a rig needs to sort, its model too.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Check a rig.toml and say what rig it is; exit code 3 and every problem with its line if it cannot be used.

    Without --sorting a file may lack bins, plan or model, which is enough to move, home and calibrate; what a rig that
    is to sort lacks is named.
    """
    from sorter.config import described, read_rig_config, read_sorting_config
    from sorter.errors import ConfigError

    config = read_sorting_config(file) if sorting else read_rig_config(file)
    card, problems = _model(config, file)
    lacks = _lacking(config, card)
    if sorting and card is None:
        problems.append(_missing_model(config, file))
    if problems:
        raise ConfigError(file, problems)
    words = described(config, None if card is None else _labels(card))
    data = {
        "file": str(file),
        "is_fit_to_sort": not lacks,
        "lacks": lacks,
        "rig": words,
        "config": config.model_dump(mode="json"),
    }
    use = "fit for use" if not lacks else f"fit for use, but not to sort: there is no {', no '.join(lacks)}"
    report(data, "\n".join([f"{file}: {use}", *(_line(name, text) for name, text in words.items())]))


@app.command()
def init(
    file: Annotated[Path, typer.Argument(help="The file to write.")] = Path("rig.toml"),
    json: JsonOption = False,
) -> None:
    """Write a whole rig.toml with a comment at every key, for a RAMPS 1.4 rig; never over a file that is there."""
    from sorter.classify import read_card
    from sorter.config import read_sorting_config
    from sorter.config.template import rig_file
    from sorter.resources import models_dir

    if file.is_symlink() or file.exists():
        raise typer.BadParameter(f"{file} is there already, and is left as it is; name another file", param_hint="FILE")
    write_report(file, rig_file(_labels(read_card(models_dir() / _MODEL)), model=_MODEL))
    config = read_sorting_config(file)
    bins = [each.id for each in config.bins]
    report(
        {"file": str(file), "model": _MODEL, "bins": bins},
        f"{file}: written, with {len(bins)} bins for the model {_MODEL}\n"
        f"Change what is different on your rig; then: sorter config check {file}",
    )


@app.command()
def reference(json: JsonOption = False) -> None:
    """Every table and key of rig.toml with its values, default and meaning, as Markdown."""
    from dataclasses import asdict

    from sorter.config.keys import tables
    from sorter.config.reference import reference as all_tables

    report({"tables": [asdict(table) for table in tables()]}, all_tables().rstrip())


def _model(config: RigConfig, file: Path) -> tuple[ModelCard | None, list[Problem]]:
    """The card of the model that is named, None if it is not here; what does not go with it, or with the palette."""
    from sorter.classify import read_card
    from sorter.config import check_against_model
    from sorter.vision.palette import PALETTE

    folder = _model_folder(config)
    card = None if folder is None else read_card(folder)
    problems = check_against_model(
        config,
        None if card is None else _labels(card),
        {colour.name for colour in PALETTE},
        file=file,
        other_colour_names={colour.lego_name: colour.name for colour in PALETTE},
        strictest_rate=0.0 if card is None else card.thresholds[0].misroute_rate,
    )
    return card, problems


def _model_folder(config: RigConfig) -> Path | None:
    from sorter.app.build import model_folder
    from sorter.app.errors import ModelUnfit

    try:
        folder = model_folder(config.look.model, config.paths.state)
    except ModelUnfit:
        return None
    return folder if folder.is_dir() else None


def _missing_model(config: RigConfig, file: Path) -> Problem:
    from sorter.resources import model_names
    from sorter.toml import Mistake, problems_in

    text = f"names no model that is here; shipped are {', '.join(model_names())}; or write the whole path of a folder"
    return problems_in(file, [Mistake(("look", "model"), f'{text}, got "{config.look.model}"')])[0]


def _labels(card: ModelCard) -> list[str]:
    from sorter.classify.card import OTHER

    return [label for label in card.labels if label != OTHER]


def _lacking(config: RigConfig, card: ModelCard | None) -> list[str]:
    """What the rig has not, and must have to sort."""
    model = f"model {config.look.model} in this rig's state folder or among those that were shipped"
    needed = {"[[bins]]": bool(config.bins), "[sort]": config.sort is not None, model: card is not None}
    return [name for name, is_there in needed.items() if not is_there]


def _line(name: str, text: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent=f"  {name:<10} ", subsequent_indent=" " * 13)
