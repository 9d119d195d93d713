"""Which LEGO colours the names in revolutions.json, given by eye, may stand for: LDraw codes."""

from __future__ import annotations

FAMILIES: dict[str, tuple[int, ...]] = {
    "black": (0,),
    "blue": (1, 379),  # Blue, Sand Blue: the one blue brick is of the second kind
    "brown": (70, 308),  # Reddish Brown, Dark Brown
    "darkred": (320,),
    "gray": (71, 72),  # Light and Dark Bluish Grey
    "green": (2, 288),  # Green, Dark Green
    "lime": (27,),
    "midblue": (73,),
    "orange": (25, 484),  # Orange, Dark Orange
    "purple": (22, 85),  # Purple, Medium Lilac, which BrickLink calls Dark Purple
    "red": (4,),
    "tan": (19, 28),  # Tan, Dark Tan
    "white": (15,),
    "yellow": (14, 191),  # Yellow, Bright Light Orange
}
