"""Image files: strangers' are opened within bounds, turned upright, made RGB; ours appear whole."""

import contextlib
import io
import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from rldf.errors import ImageError
from rldf.files import replacing

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
MAX_PIXELS = 64_000_000
_MAX_BYTES = 256_000_000


def read_image(path: Path) -> Image.Image:
    """Open an image file.

    Args:
        path: the file.

    Returns:
        An upright RGB image; the first frame of an animation; transparent parts on white.

    Raises:
        ImageError: if the file is missing, no image, damaged or too large.
    """
    try:
        if path.is_dir():
            raise ImageError(f"{path} is a folder: give an image file")
        with path.open("rb") as file:
            return read_stream(file, str(path))
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error.strerror}") from None


def read_stream(file: BinaryIO, name: str) -> Image.Image:
    """Read an image from an open file, a pipe or a device.

    Args:
        file: what to read up to its end.
        name: what to call it in messages.

    Returns:
        As `read_image`.

    Raises:
        ImageError: if there are no bytes of an image, they are damaged, or there are too many.
    """
    data = file.read(_MAX_BYTES + 1)  # the size of a device or a pipe is not known before
    if len(data) > _MAX_BYTES:
        raise ImageError(f"{name} is larger than {_MAX_BYTES // 1_000_000} MB")
    return decode_image(data, name)


def decode_image(data: bytes, name: str) -> Image.Image:
    """Decode an image file's bytes.

    Args:
        data: the file's contents.
        name: what to call it in messages.

    Returns:
        As `read_image`.

    Raises:
        ImageError: if the bytes are no image, damaged or too large.
    """
    if not data:
        raise ImageError(f"{name} is empty: give a PNG, JPEG, WebP, GIF, BMP or TIFF file")
    try:
        with warnings.catch_warnings():
            # The size is checked below, before anything is decoded; oddities are no news.
            warnings.simplefilter("ignore")
            image: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
            if image.width * image.height > MAX_PIXELS:
                raise ImageError(
                    f"{name} has {image.width} x {image.height} pixels; at most "
                    f"{MAX_PIXELS // 1_000_000} million are read: make it smaller first"
                )
            image.load()
            with contextlib.suppress(Exception):  # broken EXIF: shown as it is stored
                image = ImageOps.exif_transpose(image)
            image = to_rgb(image)
    except ImageError:
        raise
    except Image.DecompressionBombError:
        raise ImageError(
            f"{name} has far too many pixels; at most {MAX_PIXELS // 1_000_000} million are read"
        ) from None
    except UnidentifiedImageError:
        raise ImageError(
            f"{name} is not an image: give a PNG, JPEG, WebP, GIF, BMP or TIFF file"
        ) from None
    except Exception as error:  # a damaged file may raise anything
        reason = " ".join(str(error).split())
        raise ImageError(f"{name} is a damaged image ({reason})") from None
    image.info = {}  # metadata may be broken, and others would look into them
    return image


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert an image of any mode.

    Args:
        image: palette, CMYK, 16-bit, grey, with or without transparency.

    Returns:
        RGB, 8 bits a channel; transparent parts on white.
    """
    if image.mode.startswith("I") or image.mode == "F":
        # Pillow cuts 16-bit greys off at 255 instead of scaling them.
        pixels = np.nan_to_num(np.array(image, dtype=np.float32), copy=False)
        top = 65535 if pixels.max() > 255 else 255
        np.clip(pixels, 0, top, out=pixels)
        pixels *= 255  # in place: such an image may have 64 million pixels
        pixels /= top
        return Image.fromarray(pixels.astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")


def write_png(path: Path, image: Image.Image) -> None:
    """Write a picture whole.

    Args:
        path: the file to make or to replace; its folder must exist.
        image: RGB.
    """
    with replacing(path) as file:
        image.save(file, format="PNG")
