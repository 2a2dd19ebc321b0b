"""A disk cache of generated images, wrapped around any image generator.

    <folder>/renders/<two hex digits>/<sha256 of identity, sentence and seed>.png
    <folder>/answers/...  the same, for generators that ignore the seed

The key holds everything that decides the pixels. An entry holds a checksum of its pixels; a damaged
entry is generated again. Each image is written as soon as it is generated. Old renders are removed
when all renders together exceed their limit. Answers are never removed, since the generator cannot
make the same image again: if an answer cannot be written, that is an error.
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
"""Total size of the renders above which old ones are removed, bytes."""

RENDERS, ANSWERS = "renders", "answers"
"""Folders of images that can be generated again, and of images that cannot."""

_SHRINK_EVERY = 200  # writes


def is_seeded(generator: ImageGenerator) -> bool:
    """Return whether a generator makes the same image again from the same sentence and seed."""
    return bool(generator.identity.get("seeded", True))


def image_cache(folder: Path, kind: str = RENDERS, limit: int = LIMIT) -> DiskCache:
    """Open the cache of images in `folder`; `kind` is RENDERS or ANSWERS, `limit` is in bytes."""
    return DiskCache(
        folder / kind,
        limit if kind == RENDERS else None,
        what="images",
        shrink_every=_SHRINK_EVERY,
    )


class CachedGenerator(ImageGenerator):
    """Reads images from the cache, and generates only those that it lacks."""

    def __init__(self, generator: ImageGenerator, folder: Path, limit: int = LIMIT) -> None:
        """Wrap a generator.

        Args:
            generator: the image generator.
            folder: the cache folder; made when first written to.
            limit: total size of the renders above which old ones are removed, bytes.
        """
        self._generator = generator
        self._seeded = is_seeded(generator)
        self._cache = image_cache(folder, RENDERS if self._seeded else ANSWERS, limit)

    @property
    def identity(self) -> Mapping[str, Json]:
        """The identity of the wrapped generator."""
        return self._generator.identity

    def generate(self, sentences: Sequence[str], seeds: Sequence[int]) -> list[Image.Image]:
        """Return an image for each sentence and seed, from the cache or else from the generator."""
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
        """Cut a sentence as the wrapped generator does."""
        return self._generator.cut(sentence)

    def key(self, sentence: str, seed: int) -> str:
        """Return the key of a sentence and seed in the cache, 64 hexadecimal digits."""
        return sha256_json({"generator": dict(self.identity), "sentence": sentence, "seed": seed})

    def read(self, key: str) -> Image.Image | None:
        """Read the image of a key; None if the entry is missing or damaged."""
        return self._cache.read(key, "png", lambda path: _decoded(path, key))

    def _keep(self, key: str, sentence: str, image: Image.Image) -> Image.Image:
        """Write an image into the cache, and return the image that the cache now holds."""
        data = _encoded(key, sentence, image)
        if not self._seeded:
            return self._first(key, data, image)
        self._cache.try_store(key, "png", data)
        return image

    def _first(self, key: str, data: bytes, image: Image.Image) -> Image.Image:
        """Write an answer unless another process wrote one before; return the one that is kept."""
        folder = self._cache.folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with locked(folder / "lock", wait=True):
                if (first := self.read(key)) is not None:
                    return first
                self._cache.store(key, "png", data)
        except OSError as error:
            raise UsageError(
                f"{folder.parent}: {error.strerror or error}; an image that cannot be generated "
                "again must be kept: free space there, or set RLDF_CACHE to another folder"
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
