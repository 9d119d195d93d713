"""``sorter score``: known parts through the rig, and how good it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sorter.cli.board_common import Interrupted, LogOption, check_log
from sorter.cli.console import JsonOption, report
from sorter.cli.machine_common import RIG_TOML, ConfigOption, ends_when_interrupted, stopped_by_ctrl_c

if TYPE_CHECKING:
    from collections.abc import Callable

    from sorter.calibrate.score import ScoreCard
    from sorter.config import RigConfig
    from sorter.types import Decision


def score(
    *,
    config: ConfigOption = RIG_TOML,
    parts: Annotated[int, typer.Option("--parts", min=1, max=1000, help="So many known parts.")] = 10,
    log: LogOption = None,
    json: JsonOption = False,
) -> None:
    """Lay down known parts, one after the other, and hear how good this rig is and what to improve first.

    Nothing is written but the report. Ctrl-C or the end of the input stops, with a report of the parts so far and exit
    code 130.
    """
    from firmware_bridge.errors import BoardError
    from sorter.app.build import fitting_model
    from sorter.calibrate import TalkEnded
    from sorter.calibrate.scoring import Scoring
    from sorter.classify.card import OTHER
    from sorter.cli.calibrate import bench_at, stopper
    from sorter.config import read_sorting_config
    from sorter.errors import SorterError
    from sorter.recognise import Recogniser

    check_log(log)
    rig = read_sorting_config(config)
    model = fitting_model(rig, config)
    try:
        recogniser = Recogniser.from_model(model, rig.look.misroute_rate, rig.look.most_views)
    except ValueError as error:
        raise typer.BadParameter(f"look.misroute_rate: {error}", param_hint="--config") from error
    classes = [label for label in model.card.labels if label != OTHER]
    with ends_when_interrupted(), bench_at(config, log) as (bench, talk):
        scoring = Scoring(bench, recogniser, _bin_for(rig), classes)
        try:
            stopped_by_ctrl_c(stopper(bench, talk), lambda: scoring.run(parts), is_emergency=lambda: bench.is_homing)
        except TalkEnded as error:
            _tell(scoring.card, model.card.name)
            raise Interrupted(f"{error.message}.") from error
        except Interrupted:
            _tell(scoring.card, model.card.name)
            raise
        except (BoardError, SorterError):
            if scoring.card is not None:  # what was scored until then, beside the error
                talk.say(_text(_data(scoring.card, model.card.name), scoring.card))
            raise
    _tell(scoring.card, model.card.name)


def _bin_for(rig: RigConfig) -> Callable[[Decision], str]:
    """Where the sort plan sends a part while every bin has room."""
    from sorter.cycle.routing import NoRoom, route
    from sorter.types import BinId

    assert rig.sort is not None  # read_sorting_config sees to it
    plan = rig.sort.plan()
    free = {BinId(each.id): each.capacity for each in rig.bins}

    def bin_for(decision: Decision) -> str:
        found = route(decision, plan, free, rig.categories)
        assert not isinstance(found, NoRoom)  # all have room
        return found.bin

    return bin_for


def _tell(card: ScoreCard | None, model: str) -> None:
    """Report the parts so far; nothing before the first."""
    if card is not None:
        data = _data(card, model)
        report(data, _text(data, card))


def _data(card: ScoreCard, model: str) -> dict[str, Any]:
    from sorter.app.intervals import wilson

    count = len(card.parts)
    return {
        "model": model,
        **card.as_dict(),
        "right_share": wilson(card.right, count).as_dict(),
        "delivered_share": wilson(card.delivered, count).as_dict(),
    }


def _text(data: dict[str, Any], card: ScoreCard) -> str:
    stray = "no part was seen again after the table turned"
    if card.stray_px is not None:
        length = f"{card.stray_px:.1f} px"
        if card.mm_per_px is not None:
            length += f" ({card.stray_px * card.mm_per_px:.2f} mm)"
        stray = f"{length} from where a part was, after the table turned"
    stages = ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in card.stage_s.items())
    share = data["right_share"]
    right = f"{card.right} right ({share['low']:.0%} to {share['high']:.0%} of many)"
    lines = [
        f"{len(card.parts)} parts, model {data['model']}",
        f"recognised:    {right}, {card.wrong} wrong, {card.rejected} rejected",
        f"delivered:     {card.delivered} into the bin that they were sent to",
        f"repeatability: {stray}",
        f"views:         {card.mean_views:.1f} a part",
        f"time:          {stages}",
        *(f"verdict:       {each}" for each in data["verdict"]),
    ]
    return "\n".join(lines)
