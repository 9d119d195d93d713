"""The one place where TensorFlow and Keras come in, quietly, or it is said how to get them."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any, NamedTuple

from sorter.training.errors import TrainingRefused
from sorter.training.quiet import quiet


class Framework(NamedTuple):
    """The modules ``keras`` and ``tensorflow``."""

    keras: Any
    tf: Any


@lru_cache(maxsize=1)
def framework() -> Framework:
    """Import both; it takes some seconds.

    Raises:
        TrainingRefused: they are not installed, or cannot be loaded.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    try:
        with quiet():  # or each start would tell of the processor's features
            import keras  # noqa: PLC0415  (heavy: only where a network is trained)
            import tensorflow as tf  # noqa: PLC0415
    except ImportError as error:
        raise TrainingRefused(
            f"TensorFlow and Keras cannot be loaded: {error}",
            remedy="Install the extra: pip install 'turntable-sorter[train]', or call it as ./run train, which does.",
        ) from error
    if keras.backend.backend() != "tensorflow":
        raise TrainingRefused(
            f"Keras runs on {keras.backend.backend()}, training needs TensorFlow",
            remedy="Unset KERAS_BACKEND, or set it to tensorflow.",
        )
    tf.get_logger().setLevel("ERROR")  # its warnings are of how it is called here, and no user can mend that
    return Framework(keras, tf)


def versions() -> dict[str, str]:
    """Of what a network depends on, for a run's record."""
    import cv2  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    import sorter  # noqa: PLC0415

    keras, tf = framework()
    return {
        "sorter": sorter.__version__,
        "tensorflow": str(tf.__version__),
        "keras": str(keras.__version__),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
    }
