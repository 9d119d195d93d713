"""From a frame to a view, from views to a decision: the way that page, rig, capture and command line all go."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sorter.classify import DecisionRules, decide, next_angle
from sorter.types import LocationKind, View
from sorter.vision import CameraColours, crop, fuse_colours, locate, part_colour, quality
from sorter.vision.camera_colours import PHOTOGRAPHS
from sorter.vision.palette import PALETTE, PaletteColour
from sorter.vision.quality import LEAST_SHARPNESS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sorter.classify import Model
    from sorter.types import Decision, Frame, Location
    from sorter.vision import Background

_ONE_PART = (LocationKind.ONE, LocationKind.EDGE)


@dataclass(frozen=True, eq=False)
class Recogniser:
    """A model with the rules by which it is believed.

    Args:
        model: loaded, to be used by one thread at a time.
        rules: when to be sure.
        palette: colours that parts may have.
        camera_colours: how the camera shows them.
    """

    model: Model
    rules: DecisionRules
    palette: tuple[PaletteColour, ...] = PALETTE
    camera_colours: CameraColours = field(default=PHOTOGRAPHS)

    @classmethod
    def from_model(cls, model: Model, misroute_rate: float, view_budget: int = 8) -> Recogniser:
        """With the rules of the model's card; raises ValueError if the rate is stricter than any measured."""
        return cls(
            model,
            DecisionRules.from_card(
                model.card, misroute_rate, view_budget=view_budget, least_sharpness=LEAST_SHARPNESS
            ),
        )

    def look(
        self,
        frame: Frame,
        angle_deg: float | None = None,
        background: Background | None = None,
        previous: Frame | None = None,
        *,
        location: Location | None = None,
    ) -> View:
        """Locate, and where there is one part, crop, classify and name its colour; parameters as of ``locate``.

        Whoever has located already hands the location in.
        """
        location = location or locate(frame, background, previous=previous)
        if location.kind not in _ONE_PART or location.table is None:
            return View(angle_deg, frame, location, None, None)
        cut = crop(frame, location, self.model.card.crop.spec())
        return View(
            angle_deg,
            frame,
            location,
            cut,
            self.model.predict(cut),
            quality(frame, location),
            part_colour(frame, location, self.palette, self.camera_colours),
        )

    def decide(self, views: Sequence[View]) -> Decision:
        """What the part is, and its colour, as far as these views go."""
        colours = [view.colour for view in views if view.colour is not None]
        return replace(decide(views, self.rules), colour=fuse_colours(colours, self.palette, self.camera_colours))

    def next_angle(self, views: Sequence[View], candidates_deg: Sequence[float]) -> float | None:
        """From where (deg) to look next, or None if enough was seen."""
        return next_angle(views, candidates_deg, self.rules)
