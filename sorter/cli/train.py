"""``sorter train``, ``sorter export`` and ``sorter find-rate``: from a folder of pictures to a model's folder."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sorter.cli import console
from sorter.cli.console import JsonOption
from sorter.cli.exit_codes import ExitCode
from sorter.cli.files import write_report
from sorter.cli.stopping import stopped_by_signals
from sorter.cli.training_console import observed

if TYPE_CHECKING:
    from sorter.training.export import Exported
    from sorter.training.fit import Observer
    from sorter.training.recipe import Recipe
    from sorter.training.run import Run
    from sorter.training.table_export import TableExported

MODEL_FOLDER = "model"

DataOption = Annotated[Path, typer.Argument(help="A folder of labelled pictures.", show_default=False)]
RecipeOption = Annotated[
    str,
    typer.Option("--recipe", help="rig, tiny, scratch-cnn, several, or a file that ends in .toml.", show_default=True),
]
WeightsOption = Annotated[
    str | None,
    typer.Option(help='Pretrained weights in place of the recipe\'s: a file, a folder, "imagenet" or "none".'),
]
CacheOption = Annotated[
    Path | None,
    typer.Option(help="Folder that keeps crops or tables between runs (64 kB a picture and more); none without it."),
]
AllowDropOption = Annotated[
    bool, typer.Option("--allow-int8-drop", help="Export although int8 costs more than 0.5 points.")
]


_WITH_RESUME = ("resume", "cache", "allow_int8_drop", "json")


def train(
    context: typer.Context,
    data: Annotated[
        Path | None, typer.Argument(help="A folder of labelled pictures; not with --resume.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Argument(help="Folder for the run; its model is OUT/model.", show_default=False)
    ] = None,
    recipe: RecipeOption = "rig",
    resume: Annotated[Path | None, typer.Option(metavar="RUN", help="Go on with this run.")] = None,
    split: Annotated[Path | None, typer.Option(help="A split's file: one fold of it is kept out.")] = None,
    fold: Annotated[int | None, typer.Option(min=1, help="With --split: which one is kept out.")] = None,
    without: Annotated[list[str] | None, typer.Option(help="A class to leave out; may be given again.")] = None,
    weights: WeightsOption = None,
    rendered: Annotated[Path | None, typer.Option(help="A folder of rendered pictures to mix in.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the model; the recipe's without.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=2**31, help="In place of the recipe's.")] = None,
    cache: CacheOption = None,
    allow_int8_drop: AllowDropOption = False,
    json: JsonOption = False,
) -> None:
    """Train a network on pictures, and make a model's folder of it that the rig accepts.

    Ctrl-C saves and stops while a network is trained, and ends at once before and after that; --resume goes on after
    it and after any other interruption.
    """
    from sorter.training.errors import TrainingStopped
    from sorter.training.lock import held
    from sorter.training.start import Wish
    from sorter.training.start import resume as resume_run
    from sorter.training.start import start as start_run

    if fold is not None and split is None:
        raise typer.BadParameter("a fold is one of a split: add --split", param_hint="--fold")
    with observed() as observer, ExitStack() as locked:
        if resume is not None:
            if any(_is_given(context, each) for each in context.params if each not in _WITH_RESUME):
                raise typer.BadParameter(
                    "a run knows its own pictures and recipe: give --resume RUN alone", param_hint="--resume"
                )
            locked.enter_context(held(resume))
            run = resume_run(resume, observer, cache=cache)
        else:
            if data is None or out is None:
                raise typer.BadParameter("name a folder of pictures and one for the run: sorter train DATA OUT")
            wish = Wish(
                data=data,
                out=out,
                recipe=_read_recipe(recipe, seed),
                name=name,
                weights=weights,
                split=split,
                fold=fold,
                excluded=tuple(without or ()),
                rendered=rendered,
                cache=cache,
            )
            run = start_run(wish, observer)
            locked.enter_context(held(run.folder))
        try:
            with stopped_by_signals("this step") as stop:
                run.train(observer, stop)
        except TrainingStopped as error:
            console.show_error(error.of_run(run.folder))
            raise typer.Exit(ExitCode.INTERRUPTED) from error
        exported = _exported(run, observer, is_int8_drop_allowed=allow_int8_drop)
    console.report(_described(run, exported), _told(run, exported))


def export(
    run: Annotated[Path, typer.Argument(help="A finished run's folder.")],
    out: Annotated[Path, typer.Argument(help="Folder for the model; must not be there yet.")],
    name: Annotated[str | None, typer.Option(help="Name of the model; the run's without.")] = None,
    cache: CacheOption = None,
    allow_int8_drop: AllowDropOption = False,
    json: JsonOption = False,
) -> None:
    """Make a model's folder of a finished run once more: somewhere else, by another name, or with --allow-int8-drop."""
    from dataclasses import replace

    from sorter.training.checks import check_name
    from sorter.training.export import check_free
    from sorter.training.start import resume as resume_run

    check_free(out)
    if name is not None:
        check_name(name)
    with observed() as observer:
        found = resume_run(run, observer, cache=cache)
        if name is not None:
            found = replace(found, record=found.record.model_copy(update={"name": name}))
        exported = _export(found, out, observer, is_int8_drop_allowed=allow_int8_drop)
    console.report(_described(found, exported), _told(found, exported))


def find_rate(
    data: DataOption,
    recipe: RecipeOption = "rig",
    weights: WeightsOption = None,
    steps: Annotated[int, typer.Option(min=20, max=10_000, help="Steps over the whole range.")] = 100,
    lowest: Annotated[float, typer.Option(min=1e-9, max=1.0, help="Where it begins.")] = 1e-6,
    highest: Annotated[float, typer.Option(min=1e-8, max=100.0, help="Where it ends.")] = 1.0,
    csv: Annotated[Path | None, typer.Option(help="File for the table of rates and losses.")] = None,
    cache: CacheOption = None,
    json: JsonOption = False,
) -> None:
    """Find the learning rate for the recipe's last phase: raise it step by step and see when the loss takes off."""
    from sorter.training.errors import SearchStopped
    from sorter.training.find_rate import find_rate as find
    from sorter.training.find_rate import table

    if not lowest < highest:
        raise typer.BadParameter("must be below --highest", param_hint="--lowest")
    if csv is not None and not csv.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {csv.parent}", param_hint="--csv")
    try:
        with stopped_by_signals("this step") as stop, observed() as observer:
            found = find(
                data,
                _read_recipe(recipe, None),
                observer,
                stop,
                weights=weights,
                steps=steps,
                lowest=lowest,
                highest=highest,
                cache=cache,
            )
    except SearchStopped as error:
        console.show_error(error)
        raise typer.Exit(ExitCode.INTERRUPTED) from error
    if csv is not None:
        write_report(csv, table(found))
    text = [f"{'rate':>10}  loss (smoothed)"]
    every = max(1, len(found.rates) // 25)
    text += [f"{rate:10.2e}  {loss:.4f}" for rate, loss in list(zip(found.rates, found.smoothed, strict=True))[::every]]
    text += ["", f"Steepest at {found.steepest:.2e}; the loss takes off at {found.limit:.2e}.", found.advice]
    console.report(found.as_dict(), "\n".join(text))


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name not in ("DEFAULT", "DEFAULT_MAP")


def _read_recipe(name_or_file: str, seed: int | None) -> Recipe:
    from sorter.training.recipe import read_recipe

    recipe = read_recipe(name_or_file)
    return recipe if seed is None else recipe.model_copy(update={"seed": seed})


def _exported(run: Run, observer: Observer, *, is_int8_drop_allowed: bool) -> Exported | TableExported | None:
    """The model, unless the recipe held nothing out, or crops of parts have several classes."""
    is_of_tables = run.record.recipe.input == "table"
    if run.record.inner is None or (run.record.loss != "categorical" and not is_of_tables):
        observer.on_notice("nothing is exported: see inner_folds and loss in the recipe's documentation")
        return None
    return _export(
        run, run.folder / MODEL_FOLDER, observer, is_int8_drop_allowed=is_int8_drop_allowed, is_replaced=True
    )


def _export(
    run: Run, out: Path, observer: Observer, *, is_int8_drop_allowed: bool, is_replaced: bool = False
) -> Exported | TableExported:
    """As a model of parts, or as one of whole tables."""
    from sorter.training.export import export as export_parts
    from sorter.training.table_export import export_table

    make = export_table if run.record.recipe.input == "table" else export_parts
    return make(run, out, observer, is_int8_drop_allowed=is_int8_drop_allowed, is_replaced=is_replaced)


def _described(run: Run, exported: Exported | TableExported | None) -> dict[str, Any]:
    return {
        "run": str(run.folder),
        "recipe": run.record.recipe.name,
        "labels": list(run.record.labels),
        "networks": list(run.record.networks),
        "split": run.record.split and {"file": run.record.split.file, "fold": run.record.split.fold},
        "model": None
        if exported is None
        else {
            "folder": str(exported.folder),
            "name": exported.card.name,
            "metrics": exported.card.metrics,
            "thresholds": _thresholds(exported),
        },
        "notes": list(exported.notes if exported is not None else run.record.notes),
    }


def _thresholds(exported: Exported | TableExported) -> Any:
    """By misroute rate; of tables a logit for each label."""
    from sorter.training.export import Exported

    if isinstance(exported, Exported):
        return [each.model_dump() for each in exported.card.thresholds]
    return dict(zip(exported.card.labels, exported.card.threshold_logits, strict=True))


def _told(run: Run, exported: Exported | TableExported | None) -> str:
    from sorter.training.table_export import TableExported

    if exported is None:
        return f"{run.folder}: {len(run.record.labels)} classes, trained; no model was exported"
    if isinstance(exported, TableExported):
        return _told_of_tables(exported)
    metrics = exported.card.metrics
    by = exported.card.split.by
    shown = f"{metrics['pictures']:.0f} pictures"
    unseen = f"{shown} of {metrics['bricks']:.0f} bricks that inner networks never saw:"
    seen = f"{shown} that inner networks never saw, of bricks that they may have seen:"
    lines = [
        f"{exported.folder}: model {exported.card.name}, {len(exported.card.labels)} classes",
        f"On {unseen if by == 'brick' else seen}",
        f"  int8 {metrics['int8_accuracy']:.1%} right, float {metrics['float_accuracy']:.1%}",
        f"  expected calibration error {metrics['expected_calibration_error']:.3f}",
    ]
    if by != "brick":
        lines.append("No brick could be held out: these numbers are too good for bricks that were never seen.")
    lines.append(f"What else there is to know of it stands in {exported.folder / 'README.md'}.")
    return "\n".join(lines)


def _told_of_tables(exported: TableExported) -> str:
    card, metrics = exported.card, exported.card.metrics
    means = f"int8 {metrics['mean_average_precision']:.1%}, float {metrics['float_mean_average_precision']:.1%}"
    return "\n".join(
        [
            f"{exported.folder}: model {card.name} for whole tables, {len(card.labels) - 1} classes",
            f"On {metrics['pictures']:.0f} pictures that inner networks never saw:",
            f"  mean average precision, {means}",
            f"  one part or several right, int8 {metrics['one_or_several']:.1%}",
            f"The rig does not take it for parts. `sorter evaluate {exported.folder} PICTURES` measures it on others.",
        ]
    )
