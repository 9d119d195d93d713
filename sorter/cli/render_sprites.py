"""``sorter render sprites``: pictures of parts from all around, for the twin's camera."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sorter.cli import console
from sorter.cli.console import JsonOption

if TYPE_CHECKING:
    from collections.abc import Callable

COMMAND = "sorter render sprites --ldraw LDRAW --out sorter/twin/sprites"
"""As the folder tells it: where the library is on some machine is of no use to others."""


def sprites(
    ldraw: Annotated[
        Path,
        typer.Option(
            metavar="DIR", help="The LDraw library: the folder that holds parts and p.", envvar="LDRAW_LIBRARY"
        ),
    ],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for the sprites; one that was begun is gone on with.")
    ],
    processes: Annotated[int, typer.Option(min=1, max=256, help="How many render at once.")] = 2,
    json: JsonOption = False,
) -> None:
    """Render the twin's sprites: twenty designs in their resting poses, from all around.

    Needs the extra render, and about half an hour of one core. Ctrl-C ends it at once; the same command goes on with
    the next design.
    """
    from sorter.render.sprites import SpriteJob, bake_sprites
    from sorter.render.workers import processes as workers_here

    job = SpriteJob(str(ldraw.resolve()))
    with ExitStack() as stack:
        workers = stack.enter_context(workers_here(processes))
        made = bake_sprites(job, out, workers=workers, observer=_Bar(stack), command=COMMAND)
    size = sum((out / file.name).stat().st_size for file in made.files)
    views = sum(pose.views for design in made.designs for pose in design.poses)
    poses = sum(len(design.poses) for design in made.designs)
    console.report(
        {"folder": str(out), "designs": len(made.designs), "poses": poses, "views": views, "bytes": size},
        f"{out}: {len(made.designs)} designs, {poses} poses, {views} views, {size / 1e6:.1f} MB",
    )


class _Bar:
    """Shows how it goes."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._advance: Callable[[int], None] = lambda _done: None

    def on_begin(self, done: int, count: int) -> None:
        self._advance = self._stack.enter_context(console.progress("baking poses", count))
        self._advance(done)

    def on_pose(self) -> None:
        self._advance(1)
