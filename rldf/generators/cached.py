"""A content-addressed cache of images on disk, around any image generator.

    <folder>/renders/<two hex digits>/<sha256 of identity, sentence and seed>.png
    <folder>/answers/...  the same, for generators that draw another image when asked again

The key holds everything that decides the pixels, so an entry never goes stale. Entries appear
under their final name only when whole, and hold a checksum of their pixels; one that is damaged is
drawn again. Each image is written as soon as it is there. Two processes may share the folder. When
the renders grow past their limit, those that were not used longest go; answers never go by
themselves, since the first image of a sentence and seed stands for it for good. A folder that
cannot be written to is told once and then left alone, or is an error where answers are to be kept.
"""

import contextlib
import hashlib
import io
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from rldf.errors import UsageError
from rldf.interfaces import ImageGenerator, Json
from rldf.io.files import locked, write_bytes
from rldf.io.text import plain

LIMIT = 2_000_000_000
"""Bytes that the renders may take before old ones go."""

RENDERS, ANSWERS = "renders", "answers"
"""Folders: of images that can be drawn again, and of those that cannot."""

_SWEEP_EVERY = 200  # writes between two looks at the size
_log = logging.getLogger(__name__)


def is_seeded(generator: ImageGenerator) -> bool:
    """Tell whether a generator draws the same image when it is asked again."""
    return bool(generator.identity.get("seeded", True))


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
        self._folder = folder
        self._limit = limit
        self._writes = 0
        self._writable = True
        self._kind = RENDERS if is_seeded(generator) else ANSWERS

    @property
    def identity(self) -> Mapping[str, Json]:
        """The identity of the generator within."""
        return self._generator.identity

    def generate(self, sentences: Sequence[str], seeds: Sequence[int]) -> list[Image.Image]:
        """Draw sentences, or read them from the cache.

        Args:
            sentences: prompts.
            seeds: one for each.

        Returns:
            RGB images.
        """
        pairs = list(zip(sentences, seeds, strict=True))
        keys = [self.key(sentence, seed) for sentence, seed in pairs]
        images = {key: image for key in keys if (image := self._read(key)) is not None}
        missing = {key: pair for key, pair in zip(keys, pairs, strict=True) if key not in images}
        asked = list(missing)

        def keep(place: int, image: Image.Image) -> None:
            key = asked[place]
            images[key] = self._keep(key, missing[key][0], image)

        if missing:
            texts, numbers = zip(*missing.values(), strict=True)
            self._generator.stream(texts, numbers, keep)
        return [images[key] for key in keys]

    def _keep(self, key: str, sentence: str, image: Image.Image) -> Image.Image:
        """Write an image, and give the one that stands for its sentence and seed."""
        if self._kind == ANSWERS:
            return self._first(key, sentence, image)
        self._write(key, sentence, image)
        return image

    def _first(self, key: str, sentence: str, image: Image.Image) -> Image.Image:
        """Write an answer; where a second one is another, the first stays, whoever was first."""
        folder = self._folder / ANSWERS
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with locked(folder / "lock", wait=True):
                if (first := self._read(key)) is not None:
                    return first
                self._store(key, sentence, image)
        except OSError as error:
            raise UsageError(
                f"{self._folder}: {error.strerror or error}; an image that cannot be drawn "
                "again must be kept: free space there, or name another folder in RLDF_CACHE"
            ) from error
        return image

    def key(self, sentence: str, seed: int) -> str:
        """Compute the name of an entry."""
        deciding = {"generator": dict(self.identity), "sentence": sentence, "seed": seed}
        text = json.dumps(deciding, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def _path(self, key: str) -> Path:
        return self._folder / self._kind / key[:2] / f"{key}.png"

    def _read(self, key: str) -> Image.Image | None:
        path = self._path(key)
        try:
            with Image.open(path, formats=("PNG",)) as file:
                image = file.convert("RGB")
                said = file.info.get("key"), file.info.get("pixels")
        except Exception:  # a damaged file may raise anything
            return None
        if said != (key, _checksum(image)):  # Pillow checks no checksum of pixel data
            return None
        with contextlib.suppress(OSError):  # another's folder, or read-only
            os.utime(path)
        return image

    def _write(self, key: str, sentence: str, image: Image.Image) -> None:
        if not self._writable:
            return
        try:
            self._store(key, sentence, image)
        except OSError as error:
            self._writable = False
            _log.warning(
                "%s: %s; going on without keeping images: free space there, or name "
                "another folder in RLDF_CACHE",
                plain(str(self._folder)),
                error.strerror or error,
            )

    def _store(self, key: str, sentence: str, image: Image.Image) -> None:
        text = PngInfo()
        text.add_text("key", key)
        text.add_text("pixels", _checksum(image))
        text.add_itxt("sentence", sentence)
        data = io.BytesIO()
        image.save(data, "PNG", pnginfo=text)
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, data.getvalue())
        self._writes += 1
        if self._kind == RENDERS and self._writes % _SWEEP_EVERY == 1:
            shrink(self._folder, self._limit)


def _checksum(image: Image.Image) -> str:
    return hashlib.sha256(f"{image.size}".encode() + image.tobytes()).hexdigest()


def entries(folder: Path, kind: str = RENDERS) -> Iterator[Path]:
    """List the entries of a cache."""
    for path in folder.glob(f"{kind}/??/*.png"):
        if len(path.stem) == 64:
            yield path


def usage(folder: Path, kind: str = RENDERS) -> tuple[int, int]:
    """Measure a cache."""
    sizes = [size for _, _, size in _stats(folder, kind)]
    return len(sizes), sum(sizes)


def shrink(folder: Path, limit: int) -> int:
    """Remove the renders that were not used longest until the rest fits."""
    known = sorted(_stats(folder, RENDERS))
    total, removed = sum(size for _, _, size in known), 0
    for _, path, size in known:
        if total <= limit:
            break
        path.unlink(missing_ok=True)
        total -= size
        removed += 1
    return removed


def _stats(folder: Path, kind: str) -> list[tuple[float, Path, int]]:
    """Last use, path and size of every entry that no other process removes meanwhile."""
    found = []
    for path in entries(folder, kind):
        with contextlib.suppress(OSError):
            stat = path.stat()
            found.append((stat.st_mtime, path, stat.st_size))
    return found
