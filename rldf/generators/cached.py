"""A cache of images on disk, around any image generator.

    <folder>/renders/<two hex digits>/<sha256 of identity, sentence and seed>.png
    <folder>/answers/...  the same, for generators that draw another image when asked again

The key holds everything that decides the pixels, and an entry holds a checksum of its pixels; one
that is damaged is drawn again. Each image is written as soon as it is there. Renders are removed
when they grow past their limit; answers never are, since the first image of a sentence and seed
stands for it for good: where they cannot be kept, that is an error.
"""

import hashlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from rldf.errors import UsageError
from rldf.interfaces import ImageGenerator, Json, StreamsImages
from rldf.io.cache import DiskCache, sha256_json
from rldf.io.files import locked

LIMIT = 2_000_000_000
"""Bytes that the renders may take before old ones are removed."""

RENDERS, ANSWERS = "renders", "answers"
"""Folders: of images that can be drawn again, and of those that cannot."""

_SHRINK_EVERY = 200  # writes


def is_seeded(generator: ImageGenerator) -> bool:
    """Tell whether a generator draws the same image again; if not, images may cost money."""
    return bool(generator.identity.get("seeded", True))


def image_cache(folder: Path, kind: str = RENDERS, limit: int = LIMIT) -> DiskCache:
    """Open the images of a cache folder, RENDERS or ANSWERS."""
    return DiskCache(
        folder / kind,
        limit if kind == RENDERS else None,
        what="images",
        shrink_every=_SHRINK_EVERY,
    )


class CachedGenerator(ImageGenerator):
    """Draws only what was never drawn before."""

    def __init__(self, generator: ImageGenerator, folder: Path, limit: int = LIMIT) -> None:
        """Wrap a generator.

        Args:
            generator: what draws.
            folder: the cache folder; made when first written to.
            limit: bytes to keep.
        """
        self._generator = generator
        self._seeded = is_seeded(generator)
        self._cache = image_cache(folder, RENDERS if self._seeded else ANSWERS, limit)

    @property
    def identity(self) -> Mapping[str, Json]:
        """The identity of the generator within."""
        return self._generator.identity

    def generate(self, sentences: Sequence[str], seeds: Sequence[int]) -> list[Image.Image]:
        """Draw sentences, or read their images from the cache."""
        pairs = list(zip(sentences, seeds, strict=True))
        keys = [self.key(sentence, seed) for sentence, seed in pairs]
        images = {key: image for key in keys if (image := self.read(key)) is not None}
        missing = {key: pair for key, pair in zip(keys, pairs, strict=True) if key not in images}
        asked = list(missing)

        def keep(place: int, image: Image.Image) -> None:
            key = asked[place]
            images[key] = self._keep(key, missing[key][0], image)

        if missing:
            texts, numbers = zip(*missing.values(), strict=True)
            if isinstance(self._generator, StreamsImages):
                self._generator.stream(texts, numbers, keep)
            else:
                for place, image in enumerate(self._generator.generate(texts, numbers)):
                    keep(place, image)
        return [images[key] for key in keys]

    def cut(self, sentence: str) -> str:
        """Cut a sentence as the generator within does."""
        return self._generator.cut(sentence)

    def key(self, sentence: str, seed: int) -> str:
        """Give the name of an entry, 64 hexadecimal digits."""
        return sha256_json({"generator": dict(self.identity), "sentence": sentence, "seed": seed})

    def read(self, key: str) -> Image.Image | None:
        """Read an entry; None where it is missing or damaged."""
        return self._cache.read(key, "png", lambda path: _decoded(path, key))

    def _keep(self, key: str, sentence: str, image: Image.Image) -> Image.Image:
        """Write an image, and give the one that stands for its sentence and seed."""
        data = _encoded(key, sentence, image)
        if not self._seeded:
            return self._first(key, data, image)
        self._cache.try_store(key, "png", data)
        return image

    def _first(self, key: str, data: bytes, image: Image.Image) -> Image.Image:
        """Write an answer; where a second one is another, the first stays, whoever was first."""
        folder = self._cache.folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with locked(folder / "lock", wait=True):
                if (first := self.read(key)) is not None:
                    return first
                self._cache.store(key, "png", data)
        except OSError as error:
            raise UsageError(
                f"{folder.parent}: {error.strerror or error}; an image that cannot be drawn "
                "again must be kept: free space there, or name another folder in RLDF_CACHE"
            ) from error
        return image


def _encoded(key: str, sentence: str, image: Image.Image) -> bytes:
    text = PngInfo()
    text.add_text("key", key)
    text.add_text("pixels", _checksum(image))
    text.add_itxt("sentence", sentence)
    data = io.BytesIO()
    image.save(data, "PNG", pnginfo=text)
    return data.getvalue()


def _decoded(path: Path, key: str) -> Image.Image | None:
    with Image.open(path, formats=("PNG",)) as file:
        image = file.convert("RGB")
        said = file.info.get("key"), file.info.get("pixels")
    # Pillow checks no checksum of pixel data.
    return image if said == (key, _checksum(image)) else None


def _checksum(image: Image.Image) -> str:
    return hashlib.sha256(f"{image.size}".encode() + image.tobytes()).hexdigest()
