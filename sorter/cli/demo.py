"""``sorter demo``: the whole rig without hardware, and a report of how well it sorted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sorter.cli import console
from sorter.cli.console import JsonOption
from sorter.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from sorter.app.demo import Prepared
    from sorter.app.report import Report


def demo(
    *,
    parts: Annotated[int, typer.Option("--parts", min=1, max=1_000_000, help="So many are in the hopper.")] = 60,
    seed: Annotated[int, typer.Option("--seed", min=0, help="What chance begins with.")] = 0,
    speed: Annotated[
        float, typer.Option("--speed", min=1.0, max=50.0, help="Seconds that the rig lives in one of yours.")
    ] = 10.0,
    photos: Annotated[
        Path | None, typer.Option("--photos", help="A folder of photographs to show, instead of the shipped sprites.")
    ] = None,
    model: Annotated[Path, typer.Option("--model", help="A shipped model's name, or a model's folder.")] = Path(
        "turntable10"
    ),
    unknown: Annotated[
        float, typer.Option("--unknown", min=0.0, max=1.0, help="Share of parts that the model does not know.")
    ] = 0.0,
    views: Annotated[
        int | None,
        typer.Option("--views", min=1, max=36, help="So many of each part; without it as many as it takes, from 2."),
    ] = None,
    faults: Annotated[
        list[str] | None,
        typer.Option(
            "--faults", metavar="NAME[=RATE],...", help="What goes wrong, and its chance for each part; or all."
        ),
    ] = None,
    list_faults: Annotated[bool, typer.Option("--list-faults", help="Show all that can go wrong, and end.")] = False,
    headless: Annotated[bool, typer.Option("--headless", help="Show nothing but the report.")] = False,
    report: Annotated[
        Path | None, typer.Option("--report", dir_okay=False, help="Write the report to this file too, as JSON.")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option("--keep", file_okay=False, help="Keep rig.toml and all other files in this folder.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Sort a hopper of parts on a simulated rig, and hold what the rig wrote down against what really happened.

    Ctrl-C ends it after the part under way, with a report of what there is. Exit code 5 if a part was lost or counted
    wrongly, 4 if the simulated rig broke down.
    """
    from sorter.types.faults import faults_table, read_faults

    if list_faults:
        console.report(_menu(), faults_table())
        return
    try:
        rates = read_faults(faults or ())
    except ValueError as error:
        raise typer.BadParameter(f"{error}; --list-faults shows them all", param_hint="--faults") from error
    if report is not None and not os.access(report.absolute().parent, os.W_OK):
        raise typer.BadParameter(f"nothing can be written into {report.absolute().parent}", param_hint="--report")
    from sorter.app.threads import keep_small_sums_on_one_thread

    keep_small_sums_on_one_thread()
    from sorter.app.demo import prepared
    from sorter.app.demo_rig import DemoOptions
    from sorter.cli.demo_report import report_text

    options = DemoOptions(parts, seed, speed, unknown, photos, views, faults=rates)
    with prepared(options, _named(model), keep) as files:
        made = _made(files, is_quiet=headless or console.is_json_wanted())
        data = made.as_dict()
        if report is not None:
            _write(report, data)
        if keep is not None:
            _write(files.folder / "report.json", data)
    console.report(data, report_text(data))
    if not made.circumstances.is_whole:
        raise typer.Exit(ExitCode.INTERRUPTED)
    if not made.is_sound:
        raise typer.Exit(ExitCode.FINDINGS)


def _menu() -> dict[str, Any]:
    from dataclasses import asdict

    from sorter.types.faults import ALIASES, FAULTS

    return {"faults": [asdict(each) for each in FAULTS.values()], "aliases": dict(ALIASES)}


def _named(model: Path) -> Path:
    """A folder in full; what is no folder is a shipped model's name."""
    return model.absolute() if model.is_dir() else model


def _made(files: Prepared, *, is_quiet: bool) -> Report:
    from sorter.app.demo import Demo
    from sorter.cli.board_common import signals_to
    from sorter.cli.run_screen import make_screen

    options = files.options
    screen = make_screen(is_quiet=is_quiet, title=f"demo, {options.parts} parts, ×{options.speed:g}")
    demo = Demo(files, screen.show, screen.say)
    presses = 0

    def pressed() -> None:
        nonlocal presses
        presses += 1
        demo.leave()
        if presses == 1:
            screen.say("ending after this part; Ctrl-C again stops everything at once")
        else:
            demo.emergency_stop()

    with signals_to(pressed), screen:
        return demo.run()


def _write(file: Path, data: dict[str, Any]) -> None:
    import json

    from sorter.cli.files import write_report

    write_report(file, json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
