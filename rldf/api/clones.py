"""`rldf.clone` and `rldf.clone_imagenet`: generate a labelled data set."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rldf.api.inputs import ImageLike, image_file
from rldf.api.progress import Progress, told
from rldf.api.searches import SearchResult
from rldf.dataset.job import CloneOptions, CloneResult, prepare_clone, prepare_imagenet
from rldf.models.model_set import ModelSet

CloneInput = ImageLike | SearchResult


def clone(
    inputs: CloneInput | Sequence[CloneInput],
    *,
    class_nouns: Mapping[str, str] | None = None,
    per_class: int | None = None,
    splits: str | Mapping[str, int] | None = None,
    preset: str = "train",
    grammar: str | Path | None = None,
    models: str | Path | ModelSet = "auto",
    seed: int = 0,
    format: str = "imagefolder",
    image_format: str = "jpg",
    out: str | Path | None = None,
    batch_size: int | None = None,
    compile: bool = False,
    verify_labels: str | None = None,
    safety_checker: bool = True,
    progress: Progress | bool = False,
) -> CloneResult:
    """Generate a data set with one class for each input; the same call continues it.

    Args:
        inputs: one or more of: a result of `search`, a run folder, an image, or a folder that
            holds one folder of photographs for each class.
        class_nouns: the noun of an input, keyed by the input's name; by default the noun that the
            models read in the input.
        per_class: number of images of each class. Default: 100, or the sum of
            `splits` where those are numbers.
        splits: number of images of each class by split, or shares as text, such as
            "train=0.9,val=0.05,test=0.05".
        preset: how the sentences of a class vary: "train" or "paper".
        grammar: the grammar that makes the sentences: a shipped name or a path. Default: the one
            that suits models and inputs.
        models: a model set: name, path, or what `load_models` returned.
        seed: seed of the data set; image k of a class depends only on the seed, the class and k.
        format: "imagefolder", "webdataset" or "parquet".
        image_format: "jpg" (quality 95) or "png".
        out: the folder of the data set. Default: ./clones/<name>, with a name made of the inputs,
            the models and the size.
        batch_size: images generated at once. Default: 8, or 16 on an Nvidia GPU.
        compile: compile the generator first, which saves time from thousands of images on.
        verify_labels: "detector" or "clip": generate an image again if that model does not find
            its class in it. Default: no check.
        safety_checker: use the safety checker that the models ship.
        progress: True for a bar, or a function called with ("images", done, planned).

    Returns:
        The folder of the data set with its counts.

    Raises:
        UsageError: an option or an input is not allowed; the message names what is.
        NoGoalError: the models find no noun of the grammar in an input.
        RunError: `out` holds other files, or a data set made with other options.
        RldfError: all images were rejected, or the disk is full.
        ModelMissingError: a model is not on this machine.
    """
    options = CloneOptions(
        per_class=per_class, splits=splits, preset=preset, models=models, format=format,
        image_format=image_format, out=out, batch_size=batch_size, compile=compile,
        verify_labels=verify_labels, safety_checker=safety_checker, grammar=grammar, seed=seed,
    )  # fmt: skip
    with _input_paths(inputs) as paths, told(progress) as show:
        return prepare_clone(paths, options, class_nouns=class_nouns).draw(show)


def clone_imagenet(
    classes: int | str | Path | None = None,
    *,
    per_class: int | None = None,
    splits: str | Mapping[str, int] | None = None,
    preset: str = "train",
    grammar: str | Path | None = None,
    models: str | Path | ModelSet = "auto",
    seed: int = 0,
    format: str = "imagefolder",
    image_format: str = "jpg",
    out: str | Path | None = None,
    batch_size: int | None = None,
    compile: bool = False,
    verify_labels: str | None = None,
    safety_checker: bool = True,
    progress: Progress | bool = False,
) -> CloneResult:
    """Generate a data set of ImageNet's classes; the same call continues it.

    Args:
        classes: the number of classes, or a file with a wnid or a name on each line. Default: all
            classes that can be generated with the grammar and the models.
        per_class: as for `clone`.
        splits: as for `clone`.
        preset: as for `clone`.
        grammar: as for `clone`.
        models: as for `clone`.
        seed: as for `clone`.
        format: as for `clone`.
        image_format: as for `clone`.
        out: as for `clone`.
        batch_size: as for `clone`.
        compile: as for `clone`.
        verify_labels: as for `clone`.
        safety_checker: as for `clone`.
        progress: as for `clone`.

    Returns:
        The folder of the data set with its counts.

    Raises:
        UsageError, RunError, RldfError, ModelMissingError: as for `clone`.
    """
    options = CloneOptions(
        per_class=per_class, splits=splits, preset=preset, models=models, format=format,
        image_format=image_format, out=out, batch_size=batch_size, compile=compile,
        verify_labels=verify_labels, safety_checker=safety_checker, grammar=grammar, seed=seed,
    )  # fmt: skip

    with told(progress) as show:
        return prepare_imagenet(classes, options).draw(show)


@contextlib.contextmanager
def _input_paths(inputs: CloneInput | Sequence[CloneInput]) -> Iterator[list[str]]:
    """Yield a path for every input; an image in memory is written to a temporary file."""
    items: Sequence[Any] = inputs if isinstance(inputs, list | tuple) else [inputs]
    with contextlib.ExitStack() as files:
        paths = []
        for number, item in enumerate(items):
            if isinstance(item, SearchResult):
                paths.append(str(item.out))
            else:
                paths.append(str(files.enter_context(image_file(item, f"image{number}"))))
        yield paths
