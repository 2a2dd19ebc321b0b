"""Draws one shard: sentences to images, images to files, and rejected images once more.

The images of a shard are drawn in passes. The first pass draws all; the next draws those that were
rejected, each with the next seed of its chain; and so on. The batches of a pass follow from the
shard and from what earlier passes came to, so a shard that is taken up after a kill is drawn in
the batches of an undisturbed one. Files are encoded and written by threads meanwhile.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from PIL.Image import Image

from rldf.dataset.filters import (
    UNSEEN,
    ClipFilter,
    DetectorFilter,
    ImageFilter,
    SafetyFilter,
    all_of,
    blank_filter,
    has_safety_checker,
)
from rldf.dataset.formats import Format
from rldf.dataset.image_file import source_type
from rldf.dataset.manifest import ImageRow, Outcome, ProgressLog, row_of
from rldf.dataset.plan import Plan, PlannedImage, retry_seed
from rldf.dataset.record import SafetyChecker, VerifyBy, WriteConfig
from rldf.dataset.sharding import batches, shards_of
from rldf.errors import UsageError
from rldf.generators.cached import CachedGenerator, is_seeded
from rldf.interfaces import ImageGenerator
from rldf.io.distributed import is_cuda
from rldf.io.paths import cache_folder
from rldf.models.build import takes
from rldf.models.model_set import ModelSet

ATTEMPTS = 8
"""How often an image may be drawn."""

_AHEAD = 2  # batches whose files may be unfinished while the next is drawn

Written = tuple[str, int]
"""Checksum (SHA-256) and size (bytes) of a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Renderer:
    """Draws the images of a plan.

    Attributes:
        generator: makes the images.
        filter: gives reasons to reject images.
        batch_size: images per call of the generator.
        attempts: how often an image may be drawn.
    """

    generator: ImageGenerator
    filter: ImageFilter
    batch_size: int
    attempts: int = ATTEMPTS


def sentences_and_seeds(
    planned: Sequence[PlannedImage], attempt: int
) -> tuple[list[str], list[int]]:
    """List what a generator is to draw for an attempt at planned images."""
    sentences = [image.sentence for image in planned]
    return sentences, [retry_seed(image.seed, attempt) for image in planned]


class ImageWriter:
    """Encodes and writes images in threads. A `with` block ends once they are through."""

    def __init__(
        self,
        encode: Callable[[Image, PlannedImage], bytes],
        put: Callable[[PlannedImage, bytes], None],
        threads: int = 4,
    ) -> None:
        """Start the threads; put must leave the whole file on the disk."""
        self._encode, self._put = encode, put
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="press")

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for files that are being written; cancel the others."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def submit(self, image: Image, planned: PlannedImage) -> "Future[Written]":
        """Encode and write an image in a thread; the future gives its checksum and size."""
        return self._pool.submit(self._write, image, planned)

    def _write(self, image: Image, planned: PlannedImage) -> Written:
        data = self._encode(image, planned)
        self._put(planned, data)
        return hashlib.sha256(data).hexdigest(), len(data)


@dataclass(slots=True)
class _Batch:
    """A drawn batch whose files may not be on the disk yet."""

    attempt: int
    indices: list[int]
    reasons: list[str]
    files: "list[Future[Written] | None]"

    def outcomes(self) -> list[Outcome]:
        """Wait until the files are written."""
        written = [(None, 0) if file is None else file.result() for file in self.files]
        return [
            Outcome(index=index, attempt=self.attempt, reason=reason, sha256=sha256, bytes=size)
            for index, reason, (sha256, size) in zip(
                self.indices, self.reasons, written, strict=True
            )
        ]


@dataclass(slots=True)
class ShardRenderer:
    """Draws one shard, or goes on with it.

    Attributes:
        plan: what to draw.
        indices: images of the shard.
        journal: outcomes so far.
        renderer: draws the images.
        writer: writes the files.
        report: called with the outcomes of every batch whose files are on the disk.
    """

    plan: Plan
    indices: Sequence[int]
    journal: ProgressLog
    renderer: Renderer
    writer: ImageWriter
    report: Callable[[Sequence[Outcome]], None] = lambda outcomes: None
    _open: deque[_Batch] = field(default_factory=deque)

    def rows(self) -> list[ImageRow]:
        """Draw what is missing; return one row for each image of the shard."""
        for attempt in range(self.renderer.attempts):
            due = [i for i in self.indices if self._is_due(i, attempt)]
            for chunk in batches(due, self.renderer.batch_size):
                todo = [i for i in chunk if len(self._outcomes(i)) == attempt]
                if todo:
                    self._open.append(self._draw(todo, attempt))
                self._settle(keep=_AHEAD)
            self._settle(keep=0)  # the next pass asks what came of this one
        return [row_of(self.plan.image(i), self.journal.outcomes[i]) for i in self.indices]

    def _is_due(self, index: int, attempt: int) -> bool:
        """Return whether an image belongs to a pass, drawn in it already or not."""
        before = self._outcomes(index)[:attempt]
        return len(before) == attempt and all(outcome.reason for outcome in before)

    def _outcomes(self, index: int) -> list[Outcome]:
        return self.journal.outcomes.get(index, [])

    def _draw(self, indices: list[int], attempt: int) -> _Batch:
        planned = [self.plan.image(i) for i in indices]
        images = self.renderer.generator.generate(*sentences_and_seeds(planned, attempt))
        reasons = self.renderer.filter(images, planned)
        kept = {"", UNSEEN} if attempt == self.renderer.attempts - 1 else {""}
        files = [
            self.writer.submit(image, what) if reason in kept else None
            for image, what, reason in zip(images, planned, reasons, strict=True)
        ]
        return _Batch(attempt, indices, reasons, files)

    def _settle(self, keep: int) -> None:
        while len(self._open) > keep:
            outcomes = self._open.popleft().outcomes()
            self.journal.add(outcomes)
            self.report(outcomes)


_BATCH_CPU, _BATCH_GPU = 8, 16


def write_config(
    models: ModelSet,
    images: int,
    *,
    format: Format,
    verify_labels: VerifyBy | None,
    safety_checker: bool,
) -> WriteConfig:
    """Decide how a plan is written."""
    return WriteConfig(
        format=format,
        shard_size=shards_of(images).size,
        attempts=ATTEMPTS,
        verify_labels=verify_labels,
        safety_checker=_safety(models, safety_checker),
        source_type=source_type(models.file.generator.kind),
        license=models.file.license,
        numbering="split",
    )


def _safety(models: ModelSet, wanted: bool) -> SafetyChecker:
    if not has_safety_checker(models):
        return "none"
    return "on" if wanted else "off"


def compiling(models: ModelSet) -> ModelSet:
    """Return a model set whose generator compiles its models; UsageError if it cannot."""
    part = models.file.generator
    if "compile" not in takes("generator", part):
        raise UsageError(
            f"--compile: the generator of model set {models.file.name} ({part.kind}) has nothing "
            "to compile: leave it out"
        )
    return models.replaced("generator", {"compile": True})


def make_renderer(
    models: ModelSet, plan: Plan, write: WriteConfig, *, batch_size: int | None, device: str
) -> Renderer:
    """Load the generator and the filters."""
    filters = list(_filters(models, plan, write, device))
    return Renderer(
        generator=_generator(models),
        filter=all_of(filters),
        batch_size=batch_size or _usual_batch(models, device),
        attempts=write.attempts,
    )


def _generator(models: ModelSet) -> ImageGenerator:
    """Return the generator, with a cache if the same image cannot be drawn again."""
    generator = models.generator
    if is_seeded(generator):
        return generator
    return CachedGenerator(generator, cache_folder())


def _filters(
    models: ModelSet, plan: Plan, write: WriteConfig, device: str
) -> Iterator[ImageFilter]:
    yield blank_filter
    if write.safety_checker == "on":
        yield SafetyFilter(models, device)
    if write.verify_labels == "detector":
        yield DetectorFilter(plan, models.detector)
    if write.verify_labels == "clip":
        yield ClipFilter(plan, models.clip)


def _usual_batch(models: ModelSet, device: str) -> int:
    drawn = models.file.generator.kind == "drawn"
    return _BATCH_CPU if drawn or not is_cuda(device) else _BATCH_GPU
