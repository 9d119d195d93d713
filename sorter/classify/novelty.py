"""How strange a part looks: an out-of-distribution score from what the network says, higher is stranger.

Either the entropy of the calibrated probabilities, or the energy of the logits (Liu et al. 2020); which of them tells
unknown parts from bricks of unseen colours better depends on the network (benchmarks/unknown_parts.py). Distances of
features to the training set are left out: they may take an unseen colour for an unknown part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]


def entropy(probabilities: FloatArray) -> float:
    """Shannon entropy in parts of its maximum, 0 (certain) to 1 (no idea), of n ≥ 2 probabilities."""
    positive = probabilities[probabilities > 0]
    return abs(float(-(positive * np.log(positive)).sum() / np.log(len(probabilities))))


def energy(logits: FloatArray, temperature: float) -> float:
    """Free energy of the logits: minus the temperature times the logarithm of the sum of exponentials."""
    scaled = logits / temperature
    most = scaled.max()
    return float(-temperature * (most + np.log(np.exp(scaled - most).sum())))
