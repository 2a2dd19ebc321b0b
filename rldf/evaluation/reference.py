"""Finds the newest clone, and the real images to compare with."""

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from filelock import FileLock

from rldf.errors import RunError, UsageError
from rldf.evaluation.examples import class_keys
from rldf.evaluation.image_sets import Contents, ImageSet
from rldf.io.cache import key_of
from rldf.io.image_folders import CLONE_FILE
from rldf.pocket.reference import Reference, draw_reference, nouns_of

REAL_VARIABLE = "RLDF_REAL"

_DEPTH = 3  # folders below the working folder where clones are looked for
_MOST = 500  # images of a class and split in a rendered reference
_LEAST_VAL, _MOST_VAL = 20, 50


def newest_clone(below: Path) -> Path:
    """Find the clone that was made last."""
    found = []
    for here, folders, files in os.walk(below):
        depth = len(Path(here).relative_to(below).parts)
        is_clone = CLONE_FILE in files
        if is_clone:
            found.append(Path(here))
        folders[:] = [] if is_clone or depth == _DEPTH else [f for f in folders if f[0] != "."]
    if not found:
        raise UsageError(
            "no clone below this folder: type 'rldf clone-imagenet' to make one, or name a folder"
        )
    return max(found, key=lambda path: ((path / CLONE_FILE).stat().st_mtime_ns, str(path)))


def real_folders(named: Sequence[Path]) -> tuple[Path, ...]:
    """Find the real images that a person named."""
    if named:
        return tuple(named)
    folders = os.environ.get(REAL_VARIABLE, "").split(os.pathsep)
    return tuple(Path(folder) for folder in folders if folder)


def drawn_reference(
    images: ImageSet,
    contents: Contents,
    cache: Path,
    progress: Callable[[int, int], None] = lambda n, of: None,
) -> Path:
    """Render images of a clone's classes by the pocket world, once; gives their folder."""
    classes = class_keys(contents)
    try:
        nouns = nouns_of(classes, images.class_names)
    except UsageError:
        nouns = {}
    if images.of_world is False or not nouns:
        raise UsageError(
            f"no real images to compare {images.root} with: type --real DIR, or set {REAL_VARIABLE}"
        )
    per_class = Counter(
        label
        for split, label in zip(contents.splits, contents.labels, strict=True)
        if split in (None, "train")
    )
    train = min(_MOST, max(per_class.values(), default=_LEAST_VAL))
    reference = Reference(
        nouns=nouns,
        train=train,
        val=max(_LEAST_VAL, min(_MOST_VAL, train)),
    )
    described = [dict(reference.nouns), reference.train, reference.val, reference.version]
    name = f"drawings-{len(nouns)}-{key_of('reference', described)[:12]}"
    folder = cache / "references" / name
    with _alone(folder):
        draw_reference(folder, reference, progress)
    return folder


def is_unfinished(images: ImageSet) -> bool:
    """Tell whether images of a clone are still to come."""
    if not images.is_clone:
        return False
    from rldf.dataset.finalize import read_finished
    from rldf.dataset.layout import open_folder

    try:
        return read_finished(open_folder(images.root)) is None
    except RunError:
        return False


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder that several processes may create."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(f"{folder}.lock", fallback_to_soft=False)
        lock.acquire()
    except OSError as error:
        raise UsageError(f"{folder} cannot be written to: {error.strerror or error}") from None
    try:
        yield
    finally:
        lock.release()
