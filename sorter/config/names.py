"""Whether the sort plan's classes and colours are names that the rest of the rig knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sorter.config.plan_checks import suggestion
from sorter.errors import Problem
from sorter.toml import Mistake, dotted, problems_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from sorter.config.rig import RigConfig
    from sorter.toml import KeyPath


def check_against_model(
    config: RigConfig,
    labels: Collection[str] | None,
    colours: Collection[str],
    *,
    file: Path | None = None,
    other_colour_names: Mapping[str, str] | None = None,
    strictest_rate: float = 0.0,
) -> list[Problem]:
    """Names in rules, and in categories that rules use, which no part will ever be called; and a rate out of reach.

    Config knows neither model nor palette; whoever has them asks here.

    Args:
        config: what was read.
        labels: the classes that the model can decide for, without the one for all the rest; None if nobody knows.
        colours: the names of the palette's colours.
        file: where ``config`` was read from; without it the problems have no lines.
        other_colour_names: names that others have for the palette's colours, each with the palette's.
        strictest_rate: the lowest misroute rate that the model was measured for.

    Raises:
        sorter.errors.ConfigError: ``file`` cannot be read any more.
    """
    classes = () if labels is None else _classes(config, labels)
    mistakes = [*_rate(config, strictest_rate), *classes, *_colours(config, colours, other_colour_names or {})]
    if file is None:
        return [Problem(None, dotted(each.key), each.text) for each in mistakes]
    return problems_in(file, mistakes)


def _rate(config: RigConfig, strictest_rate: float) -> Iterator[Mistake]:
    rate = config.look.misroute_rate
    if rate < strictest_rate:
        text = f"is stricter than the model was measured for; write {strictest_rate:g} or more, got {rate:g}"
        yield Mistake(("look", "misroute_rate"), text)


def _classes(config: RigConfig, labels: Collection[str]) -> Iterator[Mistake]:
    rules = config.sort.rules if config.sort is not None else ()
    for place, rule in enumerate(rules):
        yield from _unknown_classes(("sort", "rules", place, "classes"), rule.classes, labels)
    used = {name for rule in rules for name in rule.categories}
    for name, classes in config.categories.items():
        if name in used:
            yield from _unknown_classes(("categories", name), classes, labels)


def _unknown_classes(key: KeyPath, names: Collection[str], labels: Collection[str]) -> Iterator[Mistake]:
    for position, name in enumerate(names):
        if name not in labels:
            text = f'is no class of the model, so no part will be of it, got "{name}"; {suggestion(name, labels)}'
            yield Mistake((*key, position), text)


def _colours(config: RigConfig, colours: Collection[str], others: Mapping[str, str]) -> Iterator[Mistake]:
    for place, rule in enumerate(config.sort.rules if config.sort is not None else ()):
        for position, name in enumerate(rule.colours):
            if name not in colours:
                meant = others.get(name)
                hint = f'write "{meant}"' if meant else suggestion(name, colours, most=60)
                text = f'is no colour that a part will be called, got "{name}"; {hint}'
                yield Mistake(("sort", "rules", place, "colours", position), text)
