"""A person's own classes: from finished searches, images, and folders of example photos."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from rldf.dataset.class_axis import object_axis
from rldf.dataset.classes import clean_key
from rldf.dataset.record import Searched
from rldf.errors import UsageError
from rldf.grammar.grammar import Grammar, load_grammar
from rldf.io.files import parse_json
from rldf.io.image_folders import Picture, list_images
from rldf.io.images import read_image
from rldf.search.result import SearchResult, read_result

_EXAMPLES = 50  # photos of a class that are looked at


@dataclass(frozen=True, slots=True)
class Photos:
    """Example photos of one class.

    Attributes:
        name: of the class.
        root: the folder that was named, which holds the classes.
        paths: the photos that are looked at; where there are splits, those to learn from.
    """

    name: str
    root: Path
    paths: tuple[Path, ...]

    @property
    def folder(self) -> Path:
        """What messages call it."""
        return self.root / self.name


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a person gave.

    Attributes:
        runs: what searches found.
        images: image files.
        folders: example photos, one for each class.
        notes: what a person should know of how folders were read.
    """

    runs: tuple[SearchResult, ...]
    images: tuple[Path, ...]
    folders: tuple[Photos, ...]
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What a data set of these may be called: after the first of them."""
        first = [
            *(found.run.resolve().name for found in self.runs),
            *(path.stem for path in self.images),
            *(photos.root.resolve().name for photos in self.folders),
        ]
        return clean_key(first[0])

    @property
    def searches(self) -> tuple[Searched, ...]:
        """What was found, and with which models, for the record of a clone."""
        return tuple(
            Searched(
                noun=_noun(run),
                sentence=run.sentence,
                models=dict(run.searched_with),
                warnings=run.warnings,
            )
            for run in self.runs
        )


def sort_inputs(paths: Sequence[str], stdin: IO[str]) -> Inputs:
    """Tell what each path is.

    Args:
        paths: run folders, image files, folders of folders of photos, or "-" for the document
            that `rldf search --json` printed.
        stdin: where "-" reads.

    Returns:
        The inputs.

    Raises:
        UsageError: a path is none of these.
        RunError: a search has found nothing yet.
    """
    runs: list[SearchResult] = []
    images: list[Path] = []
    folders: list[Photos] = []
    notes: list[str] = []
    for text in paths:
        path = document_path(stdin.read(), "run") if text == "-" else Path(text)
        if (path / "run.json").exists():
            runs.append(read_result(path))
        elif path.is_dir():
            folders += _classes_of(path, notes)
        else:
            read_image(path)  # a bad file is told before any model is loaded
            images.append(path)
    return Inputs(tuple(runs), tuple(images), tuple(folders), tuple(notes))


def document_path(text: str, key: str) -> Path:
    """Find the folder that the command before this one in a pipe wrote.

    Args:
        text: the JSON document that it printed.
        key: what the folder is called there.

    Returns:
        Its path.

    Raises:
        UsageError: there is no such document, or it names no folder.
    """
    try:
        document = parse_json(text)
    except ValueError:
        document = None
    found = document.get(key) if isinstance(document, dict) else None
    if not isinstance(found, str) or not found:
        raise UsageError(
            f"- reads the JSON document of the command before it, and its '{key}': "
            "type that command with --json"
        )
    return Path(found)


def input_grammar(inputs: Inputs, named: str | None, world: str | None) -> Grammar:
    """Choose whose nouns the classes are.

    Args:
        inputs: what was given.
        named: the grammar that was asked for, if any.
        world: the grammar of all that the models draw, if they are of a small world.

    Returns:
        The one that was asked for; else the models' own; else the one of the first search.
    """
    of_runs = [run.grammar_name for run in inputs.runs]
    return load_grammar(named or world or next(iter(of_runs), "base"))


def _noun(run: SearchResult) -> str:
    place = object_axis(run.grammar)
    return run.grammar.axes[place].values[run.encoding[place]].name


def _classes_of(path: Path, notes: list[str]) -> list[Photos]:
    """Find the classes of a folder of folders of photos, and note how it was read."""
    listing = list_images(path)
    notes += listing.notes
    for name in listing.empty:
        raise UsageError(f"{path / name} holds no images: put example photos there")
    by_class: dict[str, list[Picture]] = {}
    for picture in listing.pictures:
        if picture.label is not None:
            by_class.setdefault(picture.label, []).append(picture)
    if not by_class:
        raise UsageError(
            f"{path} is neither a run nor a folder of folders of photos, one folder for each "
            "class: give one of these, or image files"
        )
    if n := sum(picture.label is None for picture in listing.pictures):
        notes.append(f"{path}: {n} images that lie in no class's folder are left out")
    return [Photos(name, path, _examples(by_class[name])) for name in sorted(by_class)]


def _examples(pictures: Sequence[Picture]) -> tuple[Path, ...]:
    """Choose photos to look at, spread over all: of the train split where it has some."""
    train = [picture for picture in pictures if picture.split == "train"] or pictures
    step = -(-len(train) // _EXAMPLES)
    return tuple(picture.source for picture in train[::step] if isinstance(picture.source, Path))
