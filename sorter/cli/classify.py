"""``sorter classify``: what a model makes of pictures."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sorter.cli import console
from sorter.cli.console import JsonOption
from sorter.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from sorter.classify import ModelCard
    from sorter.errors import PictureRefused
    from sorter.recognise import Recogniser
    from sorter.types import Decision, View


_USUAL_RATE = 0.01


def classify(
    model: Annotated[Path, typer.Argument(help="A model's folder, with card.json.")],
    images: Annotated[list[Path], typer.Argument(help="Pictures of a part on the table.")],
    one_part: Annotated[bool, typer.Option("--one-part", help="The pictures are views of one part.")] = False,
    angles: Annotated[
        str,
        typer.Option(help="With --one-part: turntable angles in degrees, such as 0,45,90; without, all count as one."),
    ] = "",
    misroutes: Annotated[
        float | None,
        typer.Option(
            min=0.0, max=1.0, help="Rate of misrouted parts that is accepted; 0.01, or what the model can keep."
        ),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, max=64, help="Threads of the runtime.")] = 2,
    json: JsonOption = False,
) -> None:
    """Name class, colour, probability and runner-up of the part in each picture, or why it would be rejected.

    Exit code 3 if a picture could not be used; the others are classified all the same.
    """
    from sorter.classify import load_model
    from sorter.errors import PictureRefused
    from sorter.recognise import Recogniser

    angles_deg = _angles(angles, len(images), is_one_part=one_part)
    loaded = load_model(model, threads=threads)
    if misroutes is None:
        misroutes = _usual_rate(loaded.card)
    try:
        recogniser = Recogniser.from_model(loaded, misroutes, view_budget=max(1, len(images)))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--misroutes") from error
    refused: list[PictureRefused] = []
    views: list[tuple[Path, View]] = []
    described: list[dict[str, Any]] = []
    with console.progress("pictures", len(images)) as advance:
        for path, angle_deg in zip(images, angles_deg, strict=True):
            try:
                view = _look(recogniser, path, angle_deg)
            except PictureRefused as error:
                refused.append(error)
                console.show_warning(error.message)
            else:
                if one_part:
                    views.append((path, view))
                else:
                    decision = recogniser.decide([view])
                    described.append({"file": str(path), "seen": str(view.location.kind), **_described(decision)})
                    console.say_unless_json(f"{path}: {_sentence(decision)}")
            advance(1)
    data: dict[str, Any] = {"model": loaded.card.name, "runtime": loaded.runtime, "misroute_rate": misroutes}
    if one_part:
        decision = recogniser.decide([view for _, view in views])
        files = [str(path) for path, _ in views]
        data["part"] = {"files": files, **_described(decision)} if views else None
        if views:
            console.say_unless_json(f"{len(views)} views: {_sentence(decision)}")
    else:
        data["pictures"] = described
    data["refused"] = [{"file": str(each.path), "reason": each.reason} for each in refused]
    console.say_if_json(data)
    if refused:
        raise typer.Exit(ExitCode.BAD_INPUT)


def _usual_rate(card: ModelCard) -> float:
    """1 %; where the model keeps no rate as low as that, the lowest that it keeps, and it is said."""
    strictest = card.thresholds[0].misroute_rate
    if strictest > _USUAL_RATE:
        console.show_warning(
            f"model {card.name} promises no misroute rate of {_USUAL_RATE:.0%}; its strictest is taken, {strictest:.1%}"
        )
    return max(_USUAL_RATE, strictest)


def _look(recogniser: Recogniser, path: Path, angle_deg: float | None) -> View:
    """The view without its pictures: many of them would take all memory."""
    import numpy as np

    from sorter.pictures import read_picture
    from sorter.types import Frame

    view = recogniser.look(Frame(read_picture(path), time.monotonic(), 0), angle_deg)
    location = replace(view.location, mask=np.zeros((1, 1), np.bool_), table=None)
    return replace(view, frame=Frame(np.zeros((1, 1, 3), np.uint8), 0.0, 0), location=location, crop=None)


def _angles(text: str, count: int, *, is_one_part: bool) -> list[float | None]:
    if not text:
        return [None] * count
    if not is_one_part:
        raise typer.BadParameter("angles belong to the views of one part: add --one-part", param_hint="--angles")
    try:
        angles = [float(each) for each in text.split(",")]
    except ValueError as error:
        raise typer.BadParameter(
            f"numbers with commas between them, such as 0,45,90; got {text!r}", param_hint="--angles"
        ) from error
    if len(angles) != count or not all(abs(angle) < 1e6 for angle in angles):
        raise typer.BadParameter(
            f"{count} pictures need {count} angles in degrees, got {text!r}", param_hint="--angles"
        )
    return list(angles)


def _described(decision: Decision) -> dict[str, Any]:
    posterior, colour = decision.posterior, decision.colour
    ranked = posterior.ranked if posterior else ()
    return {
        "class": decision.class_name,
        "reject_reason": decision.reject_reason and str(decision.reject_reason),
        "likeliest": ranked[0][0] if ranked else None,
        "probability": round(ranked[0][1], 6) if ranked else None,
        "runner_up": ranked[1][0] if len(ranked) > 1 else None,
        "runner_up_probability": round(ranked[1][1], 6) if len(ranked) > 1 else None,
        "novelty": posterior.novelty if posterior else None,
        "views_used": decision.view_count,
        "colour": colour
        and {
            "name": colour.name,
            "ldraw_code": colour.ldraw_code,
            "distance": round(colour.distance, 2),
            "is_unsure": colour.is_unsure,
        },
    }


def _sentence(decision: Decision) -> str:
    said = _described(decision)
    colour = said["colour"]
    named = f", {colour['name']}{' (unsure)' if colour['is_unsure'] else ''}" if colour else ""
    odds = (
        f"{said['likeliest']} {said['probability']:.1%}, then {said['runner_up']} {said['runner_up_probability']:.1%}"
        if said["likeliest"]
        else ""
    )
    if decision.class_name is not None:
        return f"{odds}{named}"
    return f"rejected, {decision.reject_reason}" + (f" ({odds}{named})" if odds else "")
