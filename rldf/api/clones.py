"""`rldf.clone` and `rldf.clone_imagenet`: a labelled data set, drawn."""

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
    """Draw a data set with a class for each input; the same call continues an unfinished one.

    Args:
        inputs: results of `search`, run folders, images, or folders that hold a folder of
            photographs a class.
        class_nouns: what an input shows, by its name; read in it where it is left out.
        per_class: images of a class; 100, or what `splits` says, where it is left out.
        splits: images of a class by split, or text such as "train=0.9,val=0.05,test=0.05".
        preset: how images vary: "train" or "paper".
        grammar: whose sentences; what suits models and inputs where it is left out.
        models: a model set: name, path, or what `load_models` returned.
        seed: of the whole data set; image k of a class depends on it, the class and k alone.
        format: "imagefolder", "webdataset" or "parquet".
        image_format: "jpg" (quality 95) or "png".
        out: the folder; one in ./clones, named after inputs, models and size, where left out.
        batch_size: images drawn at once; 8, or 16 on an Nvidia GPU, where it is left out.
        compile: compile the generator first: for thousands of images.
        verify_labels: draw images again in which "detector" or "clip" does not see their class.
        safety_checker: use the safety checker that the models ship.
        progress: True for a bar, or a function called with ("images", done, planned).

    Returns:
        The data set.

    Raises:
        UsageError: an option or an input is not allowed; what is, is said in its message.
        NoGoalError: no noun of the grammar is seen in an input.
        RunError: `out` holds something else, or a data set of other options.
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
    """Draw a data set of ImageNet's classes; the same call continues an unfinished one.

    Args:
        classes: how many, or a file of wnids or names; all that can be drawn where it is left out.
        per_class: as for `clone`, like all that follow.
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
        The data set.

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
    """Give a path to every input; images that are no files get temporary ones."""
    items: Sequence[Any] = inputs if isinstance(inputs, list | tuple) else [inputs]
    with contextlib.ExitStack() as files:
        paths = []
        for number, item in enumerate(items):
            if isinstance(item, SearchResult):
                paths.append(str(item.out))
            else:
                paths.append(str(files.enter_context(image_file(item, f"image{number}"))))
        yield paths
