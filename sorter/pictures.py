"""Read a picture file: the one door for pictures from disk, so that the same file is the same bytes to everybody."""

from __future__ import annotations

import stat
import struct
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from sorter.errors import PictureRefused

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from sorter.types.pictures import RgbArray

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
"""Names of files that may be pictures end so, in small or capital letters."""

_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
_MOST_BYTES = 100_000_000
_MOST_PIXELS = 64_000_000  # 192 MB as RGB; a camera module of the Pi has 12 million, a phone up to 50
_LEAST_SIDE_PX = 16
_GREY_16_BITS = ("I;16", "I;16L", "I;16B", "I")
_UPRIGHT = {  # by EXIF orientation (CIPA DC-008, 4.6.5); 1 is upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_TRANSPARENT = "is partly transparent; put it onto a background"
_DAMAGE = (  # what Pillow lets through from its parsers on damaged files
    ArithmeticError,
    EOFError,
    LookupError,
    MemoryError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
)


def read_picture(path: Path) -> RgbArray:
    """The picture as RGB, H×W×3 uint8, upright as its EXIF says.

    Grey pictures become RGB, 16 bits a channel become 8, an alpha channel that hides nothing is dropped. Colour
    profiles are not applied.

    Raises:
        PictureRefused: no picture, truncated, too large, several in one file, partly transparent, or made for print
            (CMYK); the message says which, and nothing large was held in memory for it.
    """
    try:
        _check_size(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata, such as a maker's own notes: the picture itself is whole
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=_FORMATS) as picture:
                return _rgb(path, picture)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureRefused(path, f"unpacks to more than {_MOST_PIXELS:,} pixels") from error
    except UnidentifiedImageError as error:
        raise PictureRefused(path, "is no picture that is known here (JPEG, PNG, WebP, BMP, TIFF)") from error
    except PictureRefused:
        raise
    except OSError as error:
        reason = error.strerror if error.errno else f"is truncated or damaged: {error}"
        raise PictureRefused(path, f"cannot be read: {reason}" if error.errno else str(reason)) from error
    except _DAMAGE as error:
        raise PictureRefused(path, f"is damaged: {error}") from error


def _check_size(path: Path) -> None:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise PictureRefused(path, "is no file")  # a pipe would be waited for
    if status.st_size > _MOST_BYTES:
        raise PictureRefused(path, f"has more than {_MOST_BYTES:,} bytes")


def _rgb(path: Path, picture: Image.Image) -> RgbArray:
    width, height = picture.size
    if width * height > _MOST_PIXELS:
        raise PictureRefused(path, f"unpacks to {width}×{height} pixels; {_MOST_PIXELS:,} are the most")
    if min(width, height) < _LEAST_SIDE_PX:
        raise PictureRefused(path, f"has {width}×{height} pixels; {_LEAST_SIDE_PX} a side are the least")
    if getattr(picture, "n_frames", 1) > 1 and picture.format != "MPO":  # a phone's MPO begins with the picture itself
        raise PictureRefused(path, "holds several pictures; save the one that is meant")
    upright = _upright(picture)
    if upright.mode in _GREY_16_BITS:
        return _from_16_bits(path, upright)
    if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
        opaque = upright.convert("RGBA")
        if opaque.getchannel("A").getextrema() != (255, 255):
            raise PictureRefused(path, _TRANSPARENT)
        upright = opaque
    if upright.mode not in ("1", "L", "P", "RGB", "RGBA", "YCbCr"):
        raise PictureRefused(
            path, f"is of colour mode {upright.mode}, which is for print or measurement; save it as RGB"
        )
    return np.asarray(upright.convert("RGB"), dtype=np.uint8)


def _upright(picture: Image.Image) -> Image.Image:
    picture.load()  # a PNG's EXIF may stand behind its pixels; TIFF is turned upright by Pillow here
    turn = _UPRIGHT.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
    return picture if turn is None else picture.transpose(turn)


def _from_16_bits(path: Path, picture: Image.Image) -> RgbArray:
    values: NDArray[np.integer[Any]] = np.asarray(picture)
    if (values == picture.info.get("transparency", -1)).any():
        raise PictureRefused(path, _TRANSPARENT)
    if values.min() < 0 or values.max() > 0xFFFF:
        raise PictureRefused(path, "has more than 16 bits a channel; save it with 8")
    grey = (values >> 8).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)
