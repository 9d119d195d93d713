"""``sorter dataset``: check a folder of labelled pictures, and split it honestly."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sorter.cli import console
from sorter.cli.console import JsonOption, report
from sorter.cli.exit_codes import ExitCode
from sorter.cli.files import write_report

if TYPE_CHECKING:
    from sorter.dataset import CheckResult, Split

app = typer.Typer(help="Labelled pictures: what is wrong with them, and honest splits.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The pictures: index.jsonl, or a folder per class.")]
ThreadsOption = Annotated[int, typer.Option(min=1, max=64, help="Pictures that are looked at at once.")]


class By(enum.StrEnum):
    """What a split keeps whole."""

    BRICK = "brick"
    REVOLUTION = "revolution"
    RANDOM = "random"
    COLOUR = "colour"


@app.command()
def check(
    folder: Folder,
    html: Annotated[
        Path | None, typer.Option(help="Write a page with contact sheets to this file.", dir_okay=False)
    ] = None,
    threads: ThreadsOption = 2,
    json: JsonOption = False,
) -> None:
    """Look at every picture and say what is wrong: copies, labels, empty tables, blur, shortcuts, a split that leaks.

    Exit code 5 if there is something to mend.
    """
    from sorter.dataset import html_report, look_and_check, read_dataset

    if html is not None and not html.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {html.parent}", param_hint="--html")
    dataset = read_dataset(folder)
    for each in dataset.warnings:
        console.show_warning(each)
    with console.progress("pictures", len(dataset.pictures)) as advance:
        result = look_and_check(dataset, workers=threads, on_progress=advance)
    if html is not None:
        write_report(html, html_report(result))
    report(result.as_dict(), _told(result, html))
    if result.is_wrong:
        raise typer.Exit(ExitCode.FINDINGS)


@app.command()
def split(
    folder: Folder,
    by: Annotated[By, typer.Option(help="What stays whole on one side.")],
    folds: Annotated[
        int | None, typer.Option(min=2, max=100, help="In how many parts; by colour it is the most colours of a class.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another number, another split as good.")] = 0,
    out: Annotated[Path | None, typer.Option(help="File to write; without it nothing is written.")] = None,
    allow_leaks: Annotated[
        bool, typer.Option("--allow-leaks", help="Write it although the same thing stands on both sides.")
    ] = False,
    threads: ThreadsOption = 2,
    json: JsonOption = False,
) -> None:
    """Cut the pictures into folds, each held out in its turn; refuse it if anything stands on both sides.

    Where nobody says which pictures belong together, revolutions are inferred from how alike they are.
    By colour, fold k holds out the k-th colour of each class that has several, in alphabetical order.
    """
    from dataclasses import asdict, replace

    from sorter.dataset import (
        SplitLeaks,
        leaks,
        look_at_all,
        make_split,
        read_dataset,
        with_inferred_groups,
        write_split,
    )
    from sorter.dataset.likeness import near_pairs

    if (folds is None) != (by is By.COLOUR):
        raise typer.BadParameter("is needed, but not with --by colour", param_hint="--folds")
    dataset = read_dataset(folder)
    for each in dataset.warnings:
        console.show_warning(each)
    with console.progress("pictures", len(dataset.pictures)) as advance:
        features = look_at_all(dataset, is_glance=True, workers=threads, on_progress=advance)
    dataset = with_inferred_groups(dataset, features)
    unreadable = [each.path for each in features if each.refusal is not None]
    made = make_split(dataset, str(by), folds or 2, seed=seed, unreadable=unreadable)  # type: ignore[arg-type]  # a By
    near = near_pairs(features)
    if out is not None:
        made = write_split(out, made, dataset, near, is_leak_allowed=allow_leaks)
    else:
        made = replace(made, leaks=leaks(made, dataset, near))
        if made.leaks and not allow_leaks:
            raise SplitLeaks(made.leaks)
    report({**asdict(made), "file": None if out is None else str(out)}, _described(made, out))


def _told(result: CheckResult, html: Path | None) -> str:
    dataset = result.dataset
    different = len({each.sha256 for each in dataset.pictures})
    counts = f"{len(dataset.pictures)} pictures, {different} different, {len(result.classes)} classes"
    lines = [f"{counts}; groups: {dataset.groups_from}"]
    for each in result.findings:
        lines += ["", f"{each.severity}: {each.kind}: {each.sentence}.", f"  {each.remedy}"]
        lines += [f"  - {' = '.join(paths)}" for paths in each.examples[:3]]
    lines += ["", "class      pictures different bricks revolutions  colours; poses"]
    for summary in result.classes:
        colours = ", ".join(list(summary.colours or summary.colours_seen)[:6])
        lines.append(
            f"{summary.name:<10} {summary.pictures:>8} {summary.different:>9} {summary.bricks or '-':>6} "
            f"{summary.revolutions or '-':>11}  {colours}; {', '.join(summary.poses) or '-'}"
        )
    if html is not None:
        lines += ["", f"The page is {html}."]
    return "\n".join(lines)


def _described(split: Split, out: Path | None) -> str:
    lines = [f"{len(split.folds)} folds by {split.by}, seed {split.seed}; groups: {split.groups_from}"]
    for number, fold in enumerate(split.folds, start=1):
        groups = f": {', '.join(fold.groups)}" if 0 < len(fold.groups) <= 12 else f", {len(fold.groups)} groups"
        lines.append(f"fold {number} holds out {len(fold.held_out)} pictures{groups}")
    lines += [f"note: {each}" for each in split.notes]
    lines += [f"leak: {each}" for each in split.leaks]
    if out is not None:
        lines.append(f"Written to {out}.")
    return "\n".join(lines)
