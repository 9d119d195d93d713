"""What a network is trained on: crops of single parts (``Examples``) or whole tables (``Tables``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from sorter.dataset import Picture
    from sorter.training.examples import LeftOut
    from sorter.training.recipe import AugmentationRecipe


class PictureRows(Protocol):
    """n pictures of one size, n×size×size×3 uint8: an array, or something that has them on disk."""

    def __len__(self) -> int: ...

    def __getitem__(self, which: slice | NDArray[np.int64], /) -> NDArray[np.uint8]:
        """Some of them."""


class Source(Protocol):
    """n pictures, each with what it shows."""

    def __len__(self) -> int: ...

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """As in the dataset, n."""

    @property
    def rgb(self) -> PictureRows:
        """As the network is shown them, n×size×size×3 uint8."""

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """Pictures that could not be used."""

    def taken(self, rows: Sequence[int] | NDArray[np.int64]) -> Self:
        """Those of the given rows."""

    def of(self, paths: Iterable[str]) -> Self:
        """Those whose pictures have these paths."""

    def changed(
        self, row: int, recipe: AugmentationRecipe, rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.generic] | None]:
        """A changed copy of one picture; and its targets, if what was done to it changed them."""

    def representative(self) -> NDArray[np.uint8]:
        """Some pictures that stand for all, for the ranges of int8."""
