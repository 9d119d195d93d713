"""Arrays and a JSON text in one file, written whole: NumPy's .npz, never pickle."""

from __future__ import annotations

import json
import tokenize
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.whole import whole_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

_ABOUT = "about"
_DAMAGE = (  # what NumPy and zipfile let through from damaged files
    ArithmeticError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,  # a place beyond the file's end
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


def write_arrays(file: Path, arrays: Mapping[str, np.ndarray[Any, Any]], about: str) -> None:
    """A reader sees the old file or the new one, never a part: temporary name, fsync, rename.

    Args:
        file: ends in ``.npz``.
        arrays: by name; ``about`` is taken.
        about: a JSON object, kept beside them as bytes.

    Raises:
        OSError: it cannot be written; the old file is as it was.
        ValueError: an array has the name that is taken, or could only be kept as pickle.
    """
    unfit = sorted(name for name, each in arrays.items() if name == _ABOUT or each.dtype.hasobject)
    if unfit:
        raise ValueError(f"{file.name} cannot hold {', '.join(unfit)}: arrays of numbers, none named {_ABOUT}")
    with whole_file(file) as target:
        np.savez(target, **{**arrays, _ABOUT: np.frombuffer(about.encode(), np.uint8)})  # type: ignore[arg-type]


def read_arrays(file: Path) -> tuple[dict[str, Any], dict[str, NDArray[np.generic]]]:
    """What ``write_arrays`` wrote: the JSON object, and the arrays by name.

    Raises:
        OSError: it cannot be read; FileNotFoundError if there is none.
        ValueError: it is truncated, damaged or another file altogether.
    """
    with file.open("rb") as source:
        try:
            with np.load(source, allow_pickle=False) as saved:
                arrays = {name: saved[name] for name in saved.files}
            return dict(json.loads(bytes(arrays.pop(_ABOUT)))), arrays
        except _DAMAGE as error:
            raise ValueError(str(error) or type(error).__name__) from error
