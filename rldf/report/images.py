"""Pictures of a run folder, read with care: the folder may be a stranger's, or incomplete."""

import base64
import io
from pathlib import Path

from PIL import Image, ImageDraw

from rldf.errors import ImageError
from rldf.io.images import read_image

_EMPTY = (226, 228, 233)
_MARK = (176, 180, 190)


def load_picture(path: Path, size: int) -> Image.Image:
    """Load an image and fit it into a square.

    Args:
        path: an image file.
        size: side of the square, px; larger images shrink, smaller ones keep their size.

    Returns:
        The image in RGB; a grey card where there is no image that can be read.
    """
    if not path.is_file():  # a pipe would be waited for
        return _card(size)
    try:
        picture = read_image(path)
    except ImageError:
        return _card(size)
    picture.thumbnail((size, size), Image.Resampling.LANCZOS)
    return picture


def _card(size: int) -> Image.Image:
    """Draw the card that stands for a missing image: a frame with a diagonal."""
    card = Image.new("RGB", (size, size), _EMPTY)
    draw = ImageDraw.Draw(card)
    edge, far = size // 4, size - size // 4
    draw.rectangle((edge, edge, far, far), outline=_MARK, width=2)
    draw.line((edge, far, far, edge), fill=_MARK, width=2)
    return card


def png_bytes(picture: Image.Image) -> bytes:
    """Encode a picture without loss.

    Args:
        picture: the picture.

    Returns:
        A PNG file.
    """
    return _encoded(picture, "PNG", optimize=True)


def data_uri(picture: Image.Image) -> str:
    """Put a picture into an address, so that a page needs no other file.

    Args:
        picture: the picture, RGB.

    Returns:
        The address; the picture is a WebP of high quality.
    """
    text = base64.b64encode(_encoded(picture, "WEBP", quality=88, method=4)).decode("ascii")
    return f"data:image/webp;base64,{text}"


def file_uri(path: Path) -> str:
    """Put a PNG file into an address as it is.

    Args:
        path: the file.

    Returns:
        The address.
    """
    return png_uri(path.read_bytes())


def png_uri(data: bytes) -> str:
    """Put the bytes of a PNG file into an address.

    Args:
        data: the file's contents.

    Returns:
        The address.
    """
    return f"data:image/png;base64,{base64.b64encode(data).decode('ascii')}"


def _encoded(picture: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()
