"""``sorter evaluate``: how good a model is on pictures that it never saw."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sorter.cli import console
from sorter.cli.exit_codes import ExitCode
from sorter.cli.files import write_report

if TYPE_CHECKING:
    from sorter.dataset import Dataset
    from sorter.training.evaluation import Evaluation
    from sorter.training.table_evaluation import SeveralCheck, TableEvaluation

_STDOUT = Path("-")


def _json_on_stdout(file: Path | None) -> Path | None:
    """With ``--json -`` errors become JSON too, as with the ``--json`` of other commands."""
    console.set_json(file == _STDOUT)
    return file


def evaluate(
    model: Annotated[str, typer.Argument(help="A model's folder, or the name of one that is shipped.")],
    data: Annotated[Path, typer.Argument(metavar="DIR", help="The pictures: index.jsonl, or a folder per class.")],
    split: Annotated[
        Path | None, typer.Option(help="From `sorter dataset split`: only what a fold holds out is scored.")
    ] = None,
    fold: Annotated[
        int | None, typer.Option(min=1, help="Of the split, the one that the model was trained in.")
    ] = None,
    unknown: Annotated[
        Path | None, typer.Option(metavar="DIR", help="More pictures; those of classes that the model lacks count.")
    ] = None,
    html: Annotated[Path, typer.Option(help="The page, written over.", dir_okay=False)] = Path("evaluation.html"),
    json: Annotated[
        Path | None,
        typer.Option(help="All numbers as JSON to this file; - is stdout, in place of text.", callback=_json_on_stdout),
    ] = None,
    run: Annotated[
        Path | None, typer.Option(help="The run that made the model: the page then shows where the network looks.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, max=64, help="Pictures at once, and threads of the runtime.")] = 2,
) -> None:
    """Score a model: accuracy by views with intervals over bricks, calibration, confusions, unknown parts, latency.

    A network for whole tables is scored by label, and as a check for several parts beside the rule that the rig has.

    Exit code 5 if the network was trained on a brick or table that it is scored on, or a picture could not be read.
    """
    from sorter.classify import load_model
    from sorter.classify.card import MODEL_FILE
    from sorter.dataset import read_dataset
    from sorter.training.chosen import Chosen, held_out
    from sorter.training.evaluate import evaluate as measure
    from sorter.training.evaluation_page import html_page
    from sorter.training.table_model import is_table_model
    from sorter.training.trained import network_of_model

    if fold is not None and split is None:
        raise typer.BadParameter("a fold is one of a split: add --split", param_hint="--fold")
    for file, option in ((html, "--html"), (json, "--json")):
        if file is not None and file != _STDOUT and not file.parent.is_dir():
            raise typer.BadParameter(f"there is no folder {file.parent}", param_hint=option)
    folder = _model_folder(model)
    if is_table_model(folder):
        for given, option in ((unknown, "--unknown"), (run, "--run")):
            if given is not None:
                raise typer.BadParameter("is for models of single parts, and this one is for tables", param_hint=option)
        tables = _of_tables(folder, data, split, fold, threads)
        _report(tables, _page_of_tables(tables), _told_of_tables(tables, html), html, json)
        return
    loaded = load_model(folder, threads=threads)
    network = None if run is None else network_of_model(run, loaded.card)  # a wrong run is told now, not in the end
    dataset = _with_groups(read_dataset(data), threads)
    more = None if unknown is None else _with_groups(read_dataset(unknown), threads)
    bricks = loaded.card.training_bricks
    chosen = Chosen(dataset.pictures) if split is None else held_out(dataset, split, fold, bricks)
    total = len(chosen.pictures) + (0 if more is None else len(more.pictures))
    with console.progress("pictures", total) as advance:
        evaluation = measure(
            loaded,
            dataset,
            chosen.pictures,
            size_bytes=(folder / MODEL_FILE).stat().st_size,
            fold=chosen.fold,
            unknown=more,
            workers=threads,
            on_progress=advance,
        )
    page = html_page(evaluation, None if network is None else _heatmaps(network, evaluation))
    _report(evaluation, page, _told(evaluation, html), html, json)


def _report(evaluation: Evaluation | TableEvaluation, page: str, told: str, html: Path, json: Path | None) -> None:
    """Write the page and the numbers, say the text; the exit code says whether something is wrong."""
    write_report(html, page)
    numbers = json_text.dumps(evaluation.as_dict(), indent=1, ensure_ascii=False, allow_nan=False)
    if json is not None and json != _STDOUT:
        write_report(json, numbers + "\n")
    for each in evaluation.warnings:
        console.show_warning(each)
    console.say(numbers if json == _STDOUT else told)
    if not evaluation.is_honest or evaluation.unreadable:
        raise typer.Exit(ExitCode.FINDINGS)


def _model_folder(model: str) -> Path:
    """A folder of that path, else a shipped model of that name.

    Raises:
        ModelRefused: there is neither.
    """
    from sorter.classify import ModelRefused
    from sorter.resources import model_names, models_dir

    folder = Path(model)
    if folder.is_dir():
        return folder
    if model in model_names():
        return models_dir() / model
    shipped = ", ".join(model_names()) or "none"
    raise ModelRefused(folder, [f"there is no such folder, and no shipped model of that name (shipped: {shipped})"])


def _of_tables(folder: Path, data: Path, split: Path | None, fold: int | None, threads: int) -> TableEvaluation:
    """A network for whole tables, measured."""
    from sorter.dataset import read_dataset
    from sorter.training.chosen import Chosen, held_out
    from sorter.training.table_evaluate import evaluate_tables
    from sorter.training.table_model import load_table_model

    loaded = load_table_model(folder, threads=threads)
    dataset = read_dataset(data)
    for each in dataset.warnings:
        console.show_warning(each)
    chosen = Chosen(dataset.pictures) if split is None else held_out(dataset, split, fold)
    with console.progress("tables", len(chosen.pictures)) as advance:
        return evaluate_tables(loaded, dataset, chosen.pictures, fold=chosen.fold, workers=threads, on_progress=advance)


def _page_of_tables(evaluation: TableEvaluation) -> str:
    from sorter.training.table_page import table_page

    return table_page(evaluation)


def _told_of_tables(evaluation: TableEvaluation, html: Path) -> str:
    """The numbers that matter most, as text."""
    where = "all pictures" if evaluation.fold is None else f"held out by fold {evaluation.fold.fold}"
    lines = [f"model {evaluation.card.name} on {evaluation.pictures} tables in {evaluation.data} ({where})"]
    if not evaluation.is_honest:
        lines.append(f"NOT HONEST: {evaluation.warnings[0]}.")
    mean = f"{_share(evaluation.mean_average_precision)}{_between(evaluation.interval)}"
    lines.append(f"mean average precision    {mean}")
    found = evaluation.one_or_several
    if found is not None:

        def check(name: str, each: SeveralCheck) -> str:
            return (
                f"one or several, {name}   {_share(each.right)}{_between(each.interval)}; one taken for several "
                f"{each.one_as_several} of {found.one}, several for one {each.several_as_one} of {found.several}"
            )

        lines += [check("network", found.network), check("rule   ", found.rule)]
        lines += [
            f"  {each.parts} visible: {each.pictures} tables, network {_share(each.network)}, rule {_share(each.rule)}"
            for each in found.by_parts
        ]
    if evaluation.class_counts is not None:
        counts = evaluation.class_counts
        lines.append(f"classes of a table        all right {_share(counts.all_right)}, number {_share(counts.right)}")
    time = evaluation.latency
    lines.append(f"ms for a picture          locate {time.locate:.1f}, network {time.network:.1f}")
    lines.append(f"the network has           {evaluation.size_bytes:,} bytes")
    lines += ["", "label        there  said precision  recall average precision"]
    lines += [
        f"{name:<10} {each.there:>7} {each.said:>5} {_share(each.precision):>9} {_share(each.recall):>7} "
        f"{_share(each.average_precision):>17}"
        for name, each in evaluation.labels.items()
    ]
    return "\n".join([*lines, "", f"The page is {html}."])


def _heatmaps(network: Any, evaluation: Evaluation) -> dict[str, Any]:
    """Grad-CAM of what the network said of the pictures it was worst at; needs TensorFlow."""
    import numpy as np

    from sorter.training.explain import grad_cam, painted

    shown = [each for each in evaluation.top_losses if each.path in evaluation.tiles]
    rgb = np.array([evaluation.tiles[each.path] for each in shown])
    if not shown:
        return {}
    classes = np.array([evaluation.card.labels.index(each.said) for each in shown])
    heats = grad_cam(network, rgb, classes)
    return {each.path: painted(one, heat) for each, one, heat in zip(shown, rgb, heats, strict=True)}


def _with_groups(dataset: Dataset, threads: int) -> Dataset:
    """With revolutions inferred where nobody wrote any down, as ``sorter dataset split`` does."""
    from sorter.dataset import look_at_all, with_inferred_groups

    for each in dataset.warnings:
        console.show_warning(each)
    if dataset.groups_from != "unknown":
        return dataset
    with console.progress("groups", len(dataset.pictures)) as advance:
        features = look_at_all(dataset, is_glance=True, workers=threads, on_progress=advance)
    return with_inferred_groups(dataset, features)


def _told(evaluation: Evaluation, html: Path) -> str:
    """The numbers that matter most, as text."""
    where = "all pictures" if evaluation.fold is None else f"held out by fold {evaluation.fold.fold}"
    counts = f"{evaluation.pictures} pictures of {evaluation.bricks} bricks"
    lines = [f"model {evaluation.card.name} on {counts} in {evaluation.data} ({where})"]
    if not evaluation.is_honest:
        lines.append(f"NOT HONEST: {evaluation.warnings[0]}.")
    lines.append(f"accuracy, one view   {_share(evaluation.accuracy)}{_between(evaluation.interval)}")
    lines += [
        f"accuracy, {count} views   {_share(each.accuracy)}{_between(each.interval)}"
        for count, each in evaluation.by_views.items()
        if each is not None and count > 1
    ]
    lines.append(f"calibration error    {evaluation.expected_calibration_error:.3f}")
    for score in evaluation.unknown.scores if evaluation.unknown else ():
        lines.append(
            f"unknown parts, {score.views} view{'s' if score.views > 1 else ''}, by {score.score}: area under ROC "
            f"{score.separation.area:.3f}; with {score.separation.kept[-1].known_kept:.0%} of known kept, "
            f"{score.separation.kept[-1].unknown_accepted:.0%} pass"
        )
    time = evaluation.latency
    lines.append(f"ms for a picture     locate {time.locate:.1f}, crop {time.crop:.1f}, network {time.network:.1f}")
    lines.append(f"the network has      {evaluation.size_bytes:,} bytes")
    lines += ["", "class      pictures bricks  recall precision     f1"]
    lines += [
        f"{name:<10} {each.pictures:>8} {each.bricks:>6} {_share(each.recall):>7} {_share(each.precision):>9} "
        f"{_share(each.f1):>6}"
        for name, each in evaluation.per_class.items()
    ]
    pairs = [
        f"{each.class_name} taken for {each.said}: {each.pictures} ({each.share:.0%})"
        for each in evaluation.confused_pairs[:5]
    ]
    return "\n".join([*lines, *(["", *pairs] if pairs else []), "", f"The page is {html}."])


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _between(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f" ({interval[0]:.1%} to {interval[1]:.1%})"
