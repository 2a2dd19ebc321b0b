"""From what a person asks for to what draws and looks: models, inspectors, batch size."""

from collections.abc import Iterator

from rldf.dataset.filters import ClipInspector, DetectorInspector, all_of, blank_inspector
from rldf.dataset.image_file import source_type
from rldf.dataset.plan import Plan
from rldf.dataset.record import SafetyChecker, VerifyBy, WriteConfig
from rldf.dataset.render import ATTEMPTS, Artist, Inspector
from rldf.dataset.safety import SafetyInspector, has_safety_checker
from rldf.dataset.shards import shards_of
from rldf.dataset.stores import Format
from rldf.errors import UsageError
from rldf.generators.cached import CachedGenerator, is_seeded
from rldf.interfaces import ImageGenerator
from rldf.io.distributed import is_cuda
from rldf.io.paths import cache_folder
from rldf.models.build import takes
from rldf.models.model_sets import ModelSet

_BATCH_CPU, _BATCH_GPU = 8, 16


def write_config(
    models: ModelSet,
    images: int,
    *,
    format: Format,
    verify_labels: VerifyBy | None,
    safety_checker: bool,
) -> WriteConfig:
    """Decide how a plan is written.

    Args:
        models: what draws.
        images: how many are planned.
        format: what the images are kept in.
        verify_labels: who must see an image's class in it.
        safety_checker: whether a safety checker is used where the models ship one.

    Returns:
        The configuration.
    """
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
    """Have the generator compile its models, which changes its images by rounding alone.

    Args:
        models: the set, with the preset's options; what is written down is this one.

    Returns:
        The set that draws.

    Raises:
        UsageError: its generator has nothing to compile.
    """
    part = models.file.generator
    if "compile" not in takes("generator", part):
        raise UsageError(
            f"--compile: the generator of model set {models.file.name} ({part.kind}) has nothing "
            "to compile: leave it out"
        )
    return models.replaced("generator", {"compile": True})


def make_artist(
    models: ModelSet, plan: Plan, write: WriteConfig, *, batch_size: int | None, device: str
) -> Artist:
    """Load what draws and looks.

    Args:
        models: the set, with the preset's options, on its device.
        plan: what is to be drawn.
        write: how it is to be written.
        batch_size: how many are drawn at once, 1 or more; None for 16 on a GPU of Nvidia, else 8.
        device: where the models run; "auto" is the GPU if there is one.

    Returns:
        The artist.

    Raises:
        UsageError: the detector knows no label of a class.
        RldfError: a model is not there, or is wrong.
    """
    inspectors = list(_inspectors(models, plan, write, device))
    return Artist(
        generator=_generator(models),
        inspect=all_of(inspectors),
        batch_size=batch_size or _usual_batch(models, device),
        attempts=write.attempts,
    )


def _generator(models: ModelSet) -> ImageGenerator:
    """Take what draws; what cannot be drawn again is kept as soon as it is there."""
    generator = models.generator
    if is_seeded(generator):
        return generator
    return CachedGenerator(generator, cache_folder())


def _inspectors(
    models: ModelSet, plan: Plan, write: WriteConfig, device: str
) -> Iterator[Inspector]:
    yield blank_inspector
    if write.safety_checker == "on":
        yield SafetyInspector(models, device)
    if write.verify_labels == "detector":
        yield DetectorInspector(plan, models.detector)
    if write.verify_labels == "clip":
        yield ClipInspector(plan, models.clip)


def _usual_batch(models: ModelSet, device: str) -> int:
    drawn = models.file.generator.kind == "drawn"
    return _BATCH_CPU if drawn or not is_cuda(device) else _BATCH_GPU
