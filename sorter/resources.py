"""Files that come with the installation: found in a wheel and in a checkout alike."""

from __future__ import annotations

from pathlib import Path

from sorter.errors import ResourceMissing


def models_dir() -> Path:
    """The folder of shipped models: ``sorter/models`` in a wheel, ``models`` in a checkout.

    Raises:
        ResourceMissing: it is in neither place.
    """
    package = Path(__file__).resolve().parent
    candidates = (package / "models", package.parent / "models")
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise ResourceMissing(
        f"no folder of shipped models: looked for {' and '.join(map(str, candidates))}",
        remedy="Install the package again; the folder belongs to it.",
    )


def model_names() -> tuple[str, ...]:
    """Names of the shipped models, sorted; a model is a folder with a ``card.json``."""
    return tuple(sorted(card.parent.name for card in models_dir().glob("*/card.json")))
