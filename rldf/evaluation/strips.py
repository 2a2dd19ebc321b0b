"""Small pictures in rows, for the report of an evaluation."""

from collections.abc import Mapping, Sequence

from PIL import Image, ImageOps

from rldf.evaluation.image_sets import choose
from rldf.evaluation.pairs import Side
from rldf.seeding import rng

_EACH = 5  # pictures of a class and side
_THUMB = 88  # px


def class_strips(side: Side, classes: Mapping[str, str | None]) -> dict[str, Image.Image | None]:
    """Put some pictures of each class in a row, chosen by chance but always the same.

    Args:
        side: whose pictures.
        classes: keys by name; None for pictures of any class.

    Returns:
        A strip by name, None for a class without pictures.

    Raises:
        ImageError: a picture is damaged.
    """
    chosen = {name: _some(side, name, key) for name, key in classes.items()}
    places = sorted({place for some in chosen.values() for place in some})
    pictures = choose(side.images, places)
    thumbs = {
        place: _thumb(side.images.decode(picture))
        for place, picture in zip(places, pictures, strict=True)
    }
    return {name: strip([thumbs[i] for i in some]) for name, some in chosen.items()}


def _some(side: Side, name: str, key: str | None) -> list[int]:
    places = range(len(side.contents)) if key is None else side.of_class(key, name)
    some = rng(0, "report", key or "").permutation(len(places))[:_EACH]
    return sorted(places[i] for i in some.tolist())


def _thumb(image: Image.Image) -> Image.Image:
    return ImageOps.fit(image, (_THUMB, _THUMB), Image.Resampling.LANCZOS)


def strip(thumbs: Sequence[Image.Image]) -> Image.Image | None:
    """Put pictures in a row.

    Args:
        thumbs: small squares of one size.

    Returns:
        The row, None for no pictures.
    """
    if not thumbs:
        return None
    row = Image.new("RGB", (len(thumbs) * (_THUMB + 2) - 2, _THUMB), "white")
    for i, thumb in enumerate(thumbs):
        row.paste(thumb, (i * (_THUMB + 2), 0))
    return row


def named_thumbs(side: Side, names: Sequence[str]) -> dict[str, Image.Image]:
    """Make small squares of some pictures.

    Args:
        side: whose pictures.
        names: of the pictures in their set.

    Returns:
        The square by name.

    Raises:
        ImageError: a picture is damaged.
    """
    places = sorted({side.contents.names.index(name) for name in names})
    pictures = choose(side.images, places)
    return {picture.name: _thumb(side.images.decode(picture)) for picture in pictures}
