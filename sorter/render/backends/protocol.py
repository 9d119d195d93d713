"""What a renderer promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from sorter.render.mesh import PartMesh
    from sorter.render.world import Scene

NOTHING = -1
"""In ``Rendered.ids``: no part is seen here."""


@dataclass(frozen=True, eq=False)
class Rendered:
    """What a renderer made of a scene, before the camera's finish.

    Args:
        light: H×W×3 float32, linear RGB, 1.0 is a white table in full light.
        ids: H×W int16: which of the scene's parts is nearest at the pixel's middle; ``NOTHING`` for none.
    """

    light: NDArray[np.float32]
    ids: NDArray[np.int16]


class Backend(Protocol):
    """A renderer. Made once per process, then asked for one scene after another."""

    @property
    def name(self) -> str:
        """Which it is, with variant and version, as it stands in ``labels.json``: ``mitsuba llvm 3.9.1``."""
        ...

    def render(self, scene: Scene, meshes: Mapping[str, PartMesh]) -> Rendered:
        """The scene as the camera sees it. ``meshes`` has at least those that its parts name.

        The same scene gives the same arrays, on the same machine and version.
        """
        ...
