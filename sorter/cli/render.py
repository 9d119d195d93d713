"""``sorter render``: labelled synthetic pictures from an LDraw parts library, and what they are made of."""

from __future__ import annotations

import enum
import os
import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sorter.cli import console
from sorter.cli.console import JsonOption
from sorter.cli.exit_codes import ExitCode
from sorter.cli.files import write_report
from sorter.cli.render_console import observed
from sorter.cli.render_sprites import sprites
from sorter.cli.stopping import stopped_by_signals

if TYPE_CHECKING:
    from sorter.render.job import Outcome
    from sorter.render.recipe import SceneRecipe
    from sorter.render.workers import Workers

app = typer.Typer(help="Synthetic pictures from part geometry, labelled.", no_args_is_help=True)
app.command()(sprites)

LdrawOption = Annotated[
    Path | None,
    typer.Option(
        "--ldraw", metavar="DIR", help="The LDraw library: the folder that holds parts and p.", envvar="LDRAW_LIBRARY"
    ),
]
SceneOption = Annotated[
    Path | None, typer.Option("--scene", metavar="FILE", help="A scene.toml in place of the shipped one.")
]

_CLASS = re.compile(r"\S(.{0,62}\S)?")
_PARTS = re.compile(r"([1-9])(?:-([1-9]))?")


class BackendChoice(enum.StrEnum):
    """What renders."""

    MITSUBA = "mitsuba"
    BLENDER = "blender"


@app.command()
def pictures(
    out: Annotated[Path, typer.Argument(help="Folder for the pictures; one that was begun is gone on with.")],
    ldraw: LdrawOption = None,
    classes: Annotated[
        str | None, typer.Option(help="Design numbers, such as 3001,3002; NAME=NUMBER names the class otherwise.")
    ] = None,
    classes_of: Annotated[
        Path | None, typer.Option(help="Those of a model's folder or of a folder of pictures, in place of --classes.")
    ] = None,
    others: Annotated[
        str | None, typer.Option(help='Design numbers of parts that are of no class: they count as "other".')
    ] = None,
    other_count: Annotated[
        int, typer.Option(min=0, max=10_000, help="So many more of those, by chance from the library.")
    ] = 0,
    other_share: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="Of the pictures that show one of those; without, as of any class."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=10_000_000, help="How many pictures the folder is to have.")] = 1500,
    parts: Annotated[
        str, typer.Option(help="How many parts on a picture: 1, or from least to most, such as 1-3.")
    ] = "1",
    views: Annotated[
        int, typer.Option(min=1, max=360, help="Pictures of each table, turned on by even steps over a whole turn.")
    ] = 1,
    seed: Annotated[int, typer.Option(min=0, max=2**31, help="Another number, other pictures.")] = 1,
    scene: SceneOption = None,
    backend: Annotated[BackendChoice, typer.Option(help="What renders.")] = BackendChoice.MITSUBA,
    processes: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Processes that render, one thread each; a core each without.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="URL", help="A Dask scheduler whose workers render: tcp://HOST:8786.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Render labelled pictures into a folder that training can use.

    Ctrl-C keeps the pictures that are under way and stops; the same command goes on after it and after any other
    interruption, and ends with the same pictures. A larger --count adds to a finished folder.
    """
    if scheduler is not None and processes is not None:
        raise typer.BadParameter("the cluster has its own: leave it out with --scheduler", param_hint="--processes")
    least_most = _least_most(parts)
    library = _library(ldraw)
    has_others, has_classes = bool(others or other_count), classes is not None or classes_of is not None
    _check_share(other_share, has_both=has_others and has_classes)
    wanted = _classes(classes, classes_of) if has_classes or not has_others else []

    from sorter.render.errors import RenderStopped
    from sorter.render.job import render_folder
    from sorter.render.load import load_stock
    from sorter.render.picture import PictureJob
    from sorter.render.recipe import read_scene_recipe
    from sorter.render.settings import RenderSettings

    recipe = read_scene_recipe(scene)
    designs = tuple(sorted({*wanted, *_others(others, other_count, library, recipe, seed, wanted)}))
    load_stock(library, designs, recipe)  # what cannot be had is said before there is a folder
    settings = RenderSettings(
        designs=designs,
        seed=seed,
        parts=least_most,
        views=views,
        other_share=other_share,
        backend=backend.value,
        scene=recipe,
    )
    try:
        with (
            stopped_by_signals("the pictures that are under way") as stop,
            observed() as observer,
            _workers(processes, scheduler, library) as workers,
        ):
            job = PictureJob(str(library), settings)
            outcome = render_folder(out, job, count, workers=workers, observer=observer, stop=stop)
    except RenderStopped as error:
        console.show_error(error)
        raise typer.Exit(ExitCode.INTERRUPTED) from error
    console.report(_described(outcome), _told(outcome))


@app.command()
def scene(
    file: Annotated[Path | None, typer.Argument(help="File to write; without it the scene goes to stdout.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Write the shipped scene.toml, with comments, to be changed and given as --scene."""
    from sorter.render.recipe import DEFAULT_SCENE

    text = DEFAULT_SCENE.read_text(encoding="utf-8")
    if file is None:
        console.say(text.rstrip("\n"))
        return
    if file.exists() and not force:
        raise typer.BadParameter(f"{file} is there already; --force writes over it", param_hint="FILE")
    write_report(file, text)


@app.command("parts")
def list_parts(
    ldraw: LdrawOption = None,
    search: Annotated[str | None, typer.Option(help="Only those with this in number or title.")] = None,
    json: JsonOption = False,
) -> None:
    """List the designs of a library: number and title."""
    from sorter.render.ldraw.library import Library

    found = [
        each
        for each in Library(_library(ldraw)).parts()
        if search is None or search.lower() in f"{each.number} {each.title}".lower()
    ]
    lines = [
        f"{each.number:<12} {each.title}" if each.moved_to is None else f"{each.number:<12} is {each.moved_to} today"
        for each in found
    ]
    data = [{"number": each.number, "title": each.title, "moved_to": each.moved_to} for each in found]
    console.report({"parts": data}, "\n".join(lines) or "none")


@app.command()
def poses(
    number: Annotated[str, typer.Argument(help="A design number, such as 3001.")],
    ldraw: LdrawOption = None,
    scene: SceneOption = None,
    json: JsonOption = False,
) -> None:
    """List how a design may lie on the table, and how often it falls so."""
    from sorter.render.ldraw.library import Library
    from sorter.render.ldraw.reader import PartReader
    from sorter.render.poses import resting_poses
    from sorter.render.recipe import read_scene_recipe

    least = read_scene_recipe(scene).parts.least_pose
    part = PartReader(Library(_library(ldraw))).read(number)
    found = resting_poses(part.mesh, min_probability=least)
    data = [
        {"pose": each.name, "probability": round(each.probability, 4), "height_mm": round(each.height_mm, 2)}
        for each in found
    ]
    lines = [f"{part.number}: {part.title}", "pose      probability  height (mm)"]
    lines += [f"{each.name:<9} {each.probability:>11.1%} {each.height_mm:>12.1f}" for each in found]
    lines += [f"note: {each}" for each in part.notes]
    described: dict[str, Any] = {
        "number": part.number,
        "title": part.title,
        "moved_to": part.moved_to,
        "poses": data,
        "notes": list(part.notes),
    }
    console.report(described, "\n".join(lines))


def _library(ldraw: Path | None) -> Path:
    if ldraw is None:
        raise typer.BadParameter(
            "name the folder of an LDraw library (unpack complete.zip from ldraw.org), or set LDRAW_LIBRARY",
            param_hint="--ldraw",
        )
    return Path(os.path.abspath(ldraw))  # noqa: PTH100  (workers see it under the same name; links stay)


def _least_most(parts: str) -> tuple[int, int]:
    from sorter.render.settings import MOST_PARTS

    match = _PARTS.fullmatch(parts.strip())
    least, most = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
    if not least <= most <= MOST_PARTS:
        raise typer.BadParameter(
            f"{parts!r} is neither a number from 1 to {MOST_PARTS} nor least-most, such as 1-{MOST_PARTS}",
            param_hint="--parts",
        )
    return least, most


def _check_share(share: float | None, *, has_both: bool) -> None:
    if share is not None and not (has_both and 0.0 < share < 1.0):
        raise typer.BadParameter(
            "is more than 0 and less than 1, and needs --classes as well as --others or --other-count",
            param_hint="--other-share",
        )


def _classes(classes: str | None, classes_of: Path | None) -> list[tuple[str, str]]:
    """Pairs of class name and design number."""
    if (classes is None) == (classes_of is None):
        raise typer.BadParameter("say what to render: --classes, --classes-of or --others", param_hint="--classes")
    from sorter.classify.card import CARD_FILE, OTHER, read_card
    from sorter.render.ldraw.library import normal_number

    if classes_of is None:
        split = (each.partition("=") for each in _listed(classes))
        pairs = [(name.strip(), number if equals else name) for name, equals, number in split]
    else:
        if (classes_of / CARD_FILE).exists():
            names = read_card(classes_of).labels
        else:
            from sorter.dataset import read_dataset

            names = read_dataset(classes_of).classes
        pairs = [(name, name) for name in names if name != OTHER]
    unfit = [name for name, number in pairs if not _CLASS.fullmatch(name) or not number.strip()]
    if unfit:
        raise typer.BadParameter(
            f"{unfit[0]!r} names no class: write NUMBER or NAME=NUMBER, a name of at most 64 characters",
            param_hint="--classes",
        )
    return [(name, normal_number(number)) for name, number in pairs]


def _listed(text: str | None) -> list[str]:
    return [each.strip() for each in (text or "").split(",") if each.strip()]


def _others(
    others: str | None, count: int, library: Path, recipe: SceneRecipe, seed: int, classes: list[tuple[str, str]]
) -> list[tuple[str, str]]:
    from sorter.classify.card import OTHER
    from sorter.render.ldraw.library import normal_number

    named = [normal_number(each) for each in _listed(others)]
    if count:
        from sorter.render.others import choose_others

        taken = [*named, *(number for _, number in classes)]
        named += choose_others(library, recipe, count, seed=seed, without=taken)
    return [(OTHER, number) for number in named]


def _workers(processes: int | None, scheduler: str | None, library: Path) -> AbstractContextManager[Workers]:
    if scheduler is not None:
        from sorter.render.cluster import cluster

        return cluster(scheduler, str(library))
    from sorter.render.workers import processes as processes_here

    return processes_here(processes or os.cpu_count() or 1)


def _described(outcome: Outcome) -> dict[str, Any]:
    return {
        "folder": str(outcome.folder),
        "pictures": outcome.count,
        "rendered": outcome.rendered,
        "backend": outcome.backend,
        "classes": outcome.shown,
        "without_part": outcome.without_part,
    }


def _told(outcome: Outcome) -> str:
    lines = [
        f"{outcome.folder}: {outcome.count} pictures, {outcome.rendered} of them rendered now, by {outcome.backend}",
        *(f"  {name:<12} on {shown}" for name, shown in outcome.shown.items()),
    ]
    if outcome.without_part:
        lines.append(f"{outcome.without_part} show no part, and are not in index.jsonl.")
    lines.append(f"Mix them into training with: sorter train PICTURES RUN --rendered {outcome.folder}")
    return "\n".join(lines)
