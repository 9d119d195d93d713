"""What another environment makes of the same pictures; a program of its own, which needs the base set alone.

    python asked_elsewhere.py MODEL FOLDER

FOLDER holds frames as ``frame*.npy`` and crops as ``crops.npy``; prints JSON.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from sorter.classify import load_model
from sorter.recognise import Recogniser
from sorter.types import Box, Crop, Frame


def answers(model: Path, folder: Path) -> dict[str, Any]:
    """The runtime, the bytes of each frame's crop, and the probabilities of given and of own crops."""
    loaded = load_model(model)
    recogniser = Recogniser.from_model(loaded, 0.01)
    frames = [Frame(np.load(path), 0.0, 0) for path in sorted(folder.glob("frame*.npy"))]
    views = [recogniser.look(frame, 0.0) for frame in frames]
    crops = [Crop(rgb, loaded.card.crop.spec(), Box(0, 0, 1, 1)) for rgb in np.load(folder / "crops.npy")]
    return {
        "runtime": loaded.runtime,
        "has_ai_edge_litert": importlib.util.find_spec("ai_edge_litert") is not None,
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "crops": [view.crop and hashlib.sha256(view.crop.rgb.tobytes()).hexdigest() for view in views],
        "kinds": [str(view.location.kind) for view in views],
        "classes": [recogniser.decide([view]).class_name for view in views],
        "probabilities": [loaded.predict(crop).probabilities for crop in crops],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(answers(Path(sys.argv[1]), Path(sys.argv[2]))))
