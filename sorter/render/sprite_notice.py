"""Who made the part models that sprites are pictures of, and the text that goes with the sprites' folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sorter.render.ldraw.parsing import parse
from sorter.render.ldraw.text import lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sorter.render.ldraw import Library
    from sorter.types.sprites import SpriteSet

_AUTHOR = re.compile(r"0\s+Author:\s*(.*?)\s*(?:\[[^\]]*\])?\s*$")
_LICENCE = re.compile(r"0\s+!LICENSE\s+(?:Licensed under\s+)?(.*?)\s*(?::\s*see\b.*)?$", re.IGNORECASE)


@dataclass(frozen=True)
class Origin:
    """Whose work it is.

    Args:
        authors: of the parts' files and of all files that those are made of, in alphabetical order.
        licences: under which they stand, as the files say.
    """

    authors: tuple[str, ...]
    licences: tuple[str, ...]

    @property
    def text(self) -> str:
        """One paragraph."""
        licences = " and ".join(self.licences) or "the licence that it states"
        return (
            "Rendered from part models of the LDraw parts library (https://www.ldraw.org), which is licensed under "
            f"{licences}. Authors of the models: {', '.join(self.authors) or 'not named'}."
        )


def origin(library: Library, numbers: Iterable[str]) -> Origin:
    """Read who made the parts with these numbers.

    Raises:
        GeometryRefused: the library does not have one, or a file of it is malformed.
    """
    authors: set[str] = set()
    licences: set[str] = set()
    waiting = [library.part_file(number) for number in numbers]
    seen: set[Path] = set()
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        text = library.text(file)
        for line in lines_of(text):
            if (author := _AUTHOR.match(line)) and author[1]:
                authors.add(author[1])
            if licence := _LICENCE.match(line):
                licences.update(each.strip() for each in re.split(r"\s+and\s+", licence[1]))
        found = (library.find(reference.name) for reference in parse(file, text).references)
        waiting += [each for each in found if each is not None]
    return Origin(tuple(sorted(authors)), tuple(sorted(licences)))


def readme(sprites: SpriteSet) -> str:
    """The text of ``README.md``."""
    rows = "\n".join(
        f"| {each.number} | {each.title} | {each.class_name or 'unknown'} | {', '.join(p.name for p in each.poses)} |"
        for each in sprites.designs
    )
    camera = sprites.camera
    return f"""# Sprites

Pictures of parts for the twin's camera, rendered once, so that the twin needs no renderer. What the files hold is
written in `sorter/types/sprites.py`; `sorter/twin/sprite_files.py` reads them. Do not change them by hand:
`sprites.json` has their hashes.

Made with

```sh
{sprites.command}
```

by {sprites.backend}, from {camera.elevation_deg:g}° above the table at {camera.distance_mm:g} mm, \
{camera.px_per_mm:.4g} px per mm, every {sprites.yaw_step_deg:g}°, under lamps in the middle of what
`sorter/render/scene.toml` allows. The same command goes on where it was stopped, and renders nothing again that is
there.

## Whose parts

{sprites.attribution}

| number | title | class | poses |
|---|---|---|---|
{rows}
"""
