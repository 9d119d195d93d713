"""A table of a TOML file as a frozen model, and what in it may not go together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self, TypeVar

from pydantic import BaseModel, ConfigDict, model_validator

from sorter.toml.lines import KeyPath, dotted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


@dataclass(frozen=True)
class Mistake:
    """A value that may be by itself, but not beside others.

    Args:
        key: where it stands, from the table (or file) that judges it.
        text: what is wrong, with the value, and what to write instead.
        against: keys that it does not go with; their lines are told.
        rests_on: what else the judgement rests on.

    Nothing is said of it while one of the keys, or an item of a list that is one of them, is wrong by itself.
    """

    key: KeyPath
    text: str
    against: tuple[KeyPath, ...] = ()
    rests_on: tuple[KeyPath, ...] = ()

    @property
    def keys(self) -> tuple[KeyPath, ...]:
        """All of them."""
        return (self.key, *self.against, *self.rests_on)

    def moved(self, place: Callable[[KeyPath], KeyPath]) -> Mistake:
        """The same with every key where ``place`` puts it."""
        against, rests_on = tuple(map(place, self.against)), tuple(map(place, self.rests_on))
        return replace(self, key=place(self.key), against=against, rests_on=rests_on)


class MistakesError(ValueError):
    """What of a table does not go together."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("; ".join(f"{dotted(each.key)}: {each.text}" for each in mistakes))
        self.mistakes = mistakes


class TomlModel(BaseModel):
    """A table in a TOML file: frozen, no conversions, no unknown keys, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    def mistakes(self) -> Iterable[Mistake]:
        """What of it does not go together, with keys from this table; a table that has such rules says them here."""
        return ()

    def stated(self, *names: str) -> str:
        """The first of these keys that was written down, else the first."""
        return next((name for name in names if name in self.model_fields_set), names[0])

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        found = tuple(self.mistakes())
        if found:
            raise MistakesError(found)
        return self


ModelT = TypeVar("ModelT", bound=TomlModel)
