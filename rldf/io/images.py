"""Reads untrusted image files within bounds, as upright RGB images; writes PNG files."""

import contextlib
import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from rldf.errors import ImageError
from rldf.io.files import replacing
from rldf.io.image_bounds import (
    FORMATS,
    MAX_PIXELS,
    CountedFile,
    RefusedError,
    check_file,
    check_opened,
)

_MAX_BYTES = 256_000_000
_BITS_PER_SAMPLE, _PHOTOMETRIC = 258, 262  # tags of TIFF
_WHITE_IS_ZERO = 0


def read_image(path: Path) -> Image.Image:
    """Open an image file.

    Args:
        path: the file.

    Returns:
        An upright RGB image: the first frame of an animation, with transparent parts on white.

    Raises:
        ImageError: the file is missing, not an image, damaged or too large.
    """
    try:
        if path.is_dir():
            raise ImageError(f"{path} is a folder: give an image file")
        with path.open("rb") as file:
            return read_stream(file, str(path))
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error.strerror}") from None


def read_stream(file: BinaryIO, name: str) -> Image.Image:
    """Read an image from an open file, pipe or device; `name` is for error messages."""
    data = file.read(_MAX_BYTES + 1)  # the size of a device or a pipe is not known before
    if len(data) > _MAX_BYTES:
        raise ImageError(
            f"{name} is larger than {_MAX_BYTES // 1_000_000} MB: make it smaller first"
        )
    return decode_image(data, name)


def decode_image(data: bytes, name: str) -> Image.Image:
    """Decode an image file's bytes, as `read_image` does; `name` is for errors."""
    if not data:
        raise ImageError(f"{name} is empty: give a PNG, JPEG, WebP, GIF, BMP or TIFF file")
    try:
        with warnings.catch_warnings():
            # The size is checked below, before decoding; other warnings of Pillow are not shown.
            warnings.simplefilter("ignore")
            check_file(data)
            image: Image.Image = Image.open(CountedFile(data), formats=FORMATS)
            check_opened(image, data)
            ends = _ends(image)
            image.load()
            with contextlib.suppress(Exception):  # with broken EXIF the image stays as it is stored
                image = _upright(image)
            image = to_rgb(image, ends)
    except RefusedError as error:
        raise ImageError(f"{name} {error}") from None
    except Image.DecompressionBombError:
        raise ImageError(
            f"{name} has far too many pixels; at most {MAX_PIXELS // 1_000_000} million are read: "
            "make it smaller first"
        ) from None
    except UnidentifiedImageError:
        raise ImageError(
            f"{name} is not an image: give a PNG, JPEG, WebP, GIF, BMP or TIFF file"
        ) from None
    except Exception as error:  # a damaged file may raise anything
        reason = " ".join(str(error).split())
        raise ImageError(f"{name} is a damaged image ({reason})") from None
    image.info = {}  # metadata may be broken, and Pillow would use them later
    return image


def to_rgb(image: Image.Image, ends: tuple[int, int] = (0, 65535)) -> Image.Image:
    """Convert an image of any mode to RGB; transparent parts become white.

    Args:
        image: the image.
        ends: samples that mean black and white, for samples of more than 8 bits.
    """
    if image.mode.startswith("I;16") or image.mode == "F":
        return _from_deep(image, *ends).convert("RGB")
    if image.mode == "I":
        raise RefusedError(
            "has samples with a sign or of 32 bits, and does not define which sample is white: "
            "save it with 8 or 16 bits"
        )
    if image.mode == "La":
        image = image.convert("LA")
    hidden = image.info.get("transparency")
    if isinstance(hidden, tuple) and max(hidden) > 255:  # of 16 bits; Pillow keeps the upper 8
        image.info["transparency"] = tuple(sample >> 8 for sample in hidden)
    if image.mode in ("RGBA", "LA", "PA") or hidden is not None:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")


def _ends(image: Image.Image) -> tuple[int, int]:
    """Return the samples for black and white from the file's tags, not from its pixels."""
    tags = getattr(image, "tag_v2", {})
    bits = tags.get(_BITS_PER_SAMPLE, (16,))[0]
    white = 1 if image.mode == "F" else 2**bits - 1
    return (white, 0) if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO else (0, white)


def _from_deep(image: Image.Image, black: int, white: int) -> Image.Image:
    """Scale samples of more than 8 bits to 0 to 255, where Pillow would clip them at 255."""
    top = max(black, white)
    pixels = np.array(image, dtype=np.float32)
    hidden = pixels == image.info["transparency"] if "transparency" in image.info else None
    np.nan_to_num(pixels, copy=False, posinf=top, neginf=0)
    if pixels.min() < 0 or pixels.max() > top:
        raise RefusedError(
            f"has floats from {pixels.min():g} to {pixels.max():g} as samples; 0 is black and 1 "
            "is white: save it with 8 or 16 bits"
        )
    if white == 0:
        np.subtract(top, pixels, out=pixels)
    pixels *= 255  # in place, as an image may have 64 million pixels
    pixels /= top
    if hidden is not None:
        pixels[hidden] = 255
    return Image.fromarray(pixels.astype(np.uint8))


def _upright(image: Image.Image) -> Image.Image:
    """Rotate or flip an image as its EXIF orientation requires."""
    image.getexif()  # Pillow caches it in the image
    # exif_transpose would encode all other metadata again.
    image.info = {key: image.info[key] for key in image.info if key == "transparency"}
    return ImageOps.exif_transpose(image)


def write_png(path: Path, image: Image.Image) -> None:
    """Write an image as a PNG file atomically, as `replacing` does."""
    with replacing(path) as file:
        image.save(file, format="PNG")
