"""Images as the public functions accept them: a path, a PIL image or a numpy array."""

import contextlib
import tempfile
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from rldf.errors import ImageError
from rldf.io.image_bounds import MAX_PIXELS, RefusedError
from rldf.io.images import read_image, to_rgb, write_png

ImageLike = str | PathLike[str] | Image.Image | NDArray[np.uint8]
"""A path, a PIL image, or an array of shape (h, w), (h, w, 3) or (h, w, 4), 0 to 255."""


def open_image(image: ImageLike) -> Image.Image:
    """Open an image as upright RGB; transparent parts are white.

    Args:
        image: a path, a PIL image or an array of uint8, (h, w), (h, w, 3) or (h, w, 4).

    Returns:
        An RGB image.

    Raises:
        ImageError: the image cannot be read, is too large, or is an array of another shape.
    """
    if isinstance(image, str | PathLike):
        return read_image(Path(image))
    if isinstance(image, np.ndarray):
        image = _from_array(image)
    if not isinstance(image, Image.Image):
        raise ImageError(
            f"{type(image).__name__} is no image: give a path, a PIL image or a numpy array"
        )
    if image.width * image.height > MAX_PIXELS:
        raise ImageError(
            f"the image has {image.width} x {image.height} pixels; at most "
            f"{MAX_PIXELS // 1_000_000} million are allowed: "
            "give a smaller image"
        )
    try:
        with contextlib.suppress(Exception):  # broken EXIF: shown as it is stored
            image = ImageOps.exif_transpose(image)
        return to_rgb(image)
    except RefusedError as error:
        raise ImageError(f"the image {error}") from None
    except (OSError, ValueError, SyntaxError) as error:  # PIL reads a file when pixels are used
        raise ImageError(f"the image is damaged ({' '.join(str(error).split())})") from None


@contextlib.contextmanager
def image_file(image: ImageLike, name: str = "image") -> Iterator[Path]:
    """Yield the path of an image; an image in memory is written to a temporary PNG file."""
    if isinstance(image, str | PathLike):
        yield Path(image)
        return
    with tempfile.TemporaryDirectory(prefix="rldf-") as folder:
        path = Path(folder) / f"{name}.png"
        write_png(path, open_image(image))
        yield path


def _from_array(pixels: NDArray[Any]) -> Image.Image:
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    fits = pixels.ndim in (2, 3) and channels in (1, 3, 4) and pixels.size > 0
    if pixels.dtype != np.uint8 or not fits:
        raise ImageError(
            f"an array of {pixels.dtype} and shape {pixels.shape} is no image: give uint8, 0 to "
            "255, of shape (h, w), (h, w, 3) or (h, w, 4)"
        )
    return Image.fromarray(pixels[..., 0] if pixels.ndim == 3 and channels == 1 else pixels)
