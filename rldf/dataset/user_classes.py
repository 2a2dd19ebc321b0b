"""User classes from searches, images and folders of photos, and the noun of each class."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from textwrap import shorten
from typing import IO

from rldf.dataset.class_axis import object_axis
from rldf.dataset.classes import clean_key
from rldf.dataset.record import Searched
from rldf.errors import NoGoalError, UsageError
from rldf.grammar.grammar import Grammar, load_grammar
from rldf.io.files import parse_json
from rldf.io.folder_layouts import class_word
from rldf.io.image_folders import Picture, list_images
from rldf.io.images import read_image
from rldf.io.text import plain
from rldf.perception.encoder import Encoder
from rldf.runs.result import RunResult, read_result

_EXAMPLES = 50  # photos of a class that are looked at


@dataclass(frozen=True, slots=True)
class Photos:
    """Example photos of one class.

    Attributes:
        name: of the class.
        root: the folder that was named, which holds the classes.
        paths: the photos that are read, of the train split if there are splits.
    """

    name: str
    root: Path
    paths: tuple[Path, ...]

    @property
    def folder(self) -> Path:
        """The folder of the class."""
        return self.root / self.name


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of a clone, by kind.

    Attributes:
        runs: results of searches.
        images: image files.
        folders: example photos, one for each class.
        notes: how folders were read, where that may surprise.
    """

    runs: tuple[RunResult, ...]
    images: tuple[Path, ...]
    folders: tuple[Photos, ...]
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """A name for the data set, after the first input."""
        first = [
            *(found.run.resolve().name for found in self.runs),
            *(path.stem for path in self.images),
            *(photos.root.resolve().name for photos in self.folders),
        ]
        return clean_key(first[0])

    @property
    def searches(self) -> tuple[Searched, ...]:
        """The searches that found classes, for the record of a clone."""
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
    """Sort paths into runs, images and folders of photos; "-" reads a document from stdin."""
    runs: list[RunResult] = []
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
    """Return the folder that a command's JSON document names under a key."""
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


def input_grammar(inputs: Inputs, named: str | None, world: str | None, suits: str) -> Grammar:
    """Load the named grammar, else the models' own, else the first run's, else what suits them."""
    of_runs = [run.grammar_name for run in inputs.runs]
    return load_grammar(named or world or next(iter(of_runs), suits))


def _noun(run: RunResult) -> str:
    place = object_axis(run.grammar)
    return run.grammar.axes[place].values[run.encoding[place]].name


def _classes_of(path: Path, notes: list[str]) -> list[Photos]:
    """Return the classes of a folder of folders of photos, and note how it was read."""
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
    """Return at most 50 photos evenly spread, from the train split if there is one."""
    train = [picture for picture in pictures if picture.split == "train"] or pictures
    step = -(-len(train) // _EXAMPLES)
    return tuple(picture.source for picture in train[::step] if isinstance(picture.source, Path))


OPTION = "--class-noun"

_LETTERS = 400  # of a list in a message

Warn = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a class comes from.

    Attributes:
        shown: its name in messages.
        typed: names that --class-noun may use for it.
        wanted: name of the class, "" for the noun.
        read: finds its noun.
    """

    shown: str
    typed: tuple[str, ...]
    wanted: str
    read: Callable[[], str]


def parse_nouns(given: Iterable[str]) -> dict[str, str]:
    """Parse "NAME=NOUN" texts to noun by name of an input."""
    nouns: dict[str, str] = {}
    for text in given:
        name, _, noun = (part.strip() for part in text.rpartition("="))
        if not name or not noun or name in nouns:
            raise UsageError(
                f"{OPTION} {plain(text)}: type each class once, with a noun of the grammar, for "
                f"example {OPTION} tabby=cat"
            )
        nouns[name] = noun
    return nouns


def find_classes(
    inputs: Inputs,
    encoder: Encoder,
    said: Mapping[str, str] | None = None,
    warn: Warn = lambda message: None,
) -> list[tuple[str, str]]:
    """Return wanted name ("" for the noun) and noun of every class."""
    sources, given = _sources(inputs, encoder, warn), dict(said or {})
    _check_said(sources, given, encoder.grammar)
    found = []
    for source in sources:
        nouns = [given[name] for name in source.typed if name in given]
        found.append((source, nouns[0] if nouns else source.read()))
    _refuse_same(found, encoder.grammar)
    return [(source.wanted, noun) for source, noun in found]


def _sources(inputs: Inputs, encoder: Encoder, warn: Warn) -> list[_Source]:
    grammar = encoder.grammar
    return [
        *(
            _Source(str(run.run), _names(run.run), "", partial(_noun_of_run, run, grammar))
            for run in inputs.runs
        ),
        *(
            _Source(str(path), _names(path), "", partial(_noun_of_image, path, encoder, warn))
            for path in inputs.images
        ),
        *(
            _Source(
                str(photos.folder),
                (photos.name, str(photos.folder)),
                photos.name,
                partial(_noun_of_photos, photos, encoder, warn),
            )
            for photos in inputs.folders
        ),
    ]


def _names(path: Path) -> tuple[str, ...]:
    return str(path), path.name, path.stem


def _check_said(sources: Sequence[_Source], said: Mapping[str, str], grammar: Grammar) -> None:
    known = {name for source in sources for name in source.typed}
    for name, noun in said.items():
        told = f"{OPTION} {plain(f'{name}={noun}')}"
        if name not in known:
            inputs = shorten(", ".join(plain(source.typed[0]) for source in sources), _LETTERS)
            raise UsageError(f"{told}: no input is called so; type one of {inputs}")
        if noun not in _nouns(grammar):
            raise UsageError(f"{told}: grammar {grammar.name} has no such noun; {_listed(grammar)}")


def _refuse_same(found: Sequence[tuple[_Source, str]], grammar: Grammar) -> None:
    """Raise UsageError if two classes have the same noun."""
    first: dict[str, _Source] = {}
    for source, noun in found:
        other = first.setdefault(noun, source)
        if other is not source:
            encoding = [0] * len(grammar.axes)
            place = object_axis(grammar)
            encoding[place] = grammar.axes[place].index(noun)
            raise UsageError(
                f"{other.shown} and {source.shown} are both '{noun}', so two labels would have the "
                f"same images, such as '{grammar.derive(tuple(encoding))}': leave one of them out, "
                f"or say what it shows, for example {OPTION} {source.typed[-1]}=NOUN; "
                f"{_listed(grammar)}"
            )


def _noun_of_run(run: RunResult, grammar: Grammar) -> str:
    noun = run.grammar.axes[place := object_axis(run.grammar)].values[run.encoding[place]].name
    if noun not in _nouns(grammar):
        raise UsageError(
            f"{run.run} found {noun}, for which grammar {grammar.name} has no word: "
            f"type --grammar {run.grammar_name}"
        )
    return noun


def _noun_of_image(path: Path, encoder: Encoder, warn: Warn) -> str:
    votes = _votes(path, [path], encoder, warn)
    if not votes:
        raise _nothing(path, encoder.grammar)
    return votes.most_common(1)[0][0]


def _noun_of_photos(photos: Photos, encoder: Encoder, warn: Warn) -> str:
    """Return the noun that most photos show; UsageError if that is not clear."""
    votes, grammar = _votes(photos.folder, photos.paths, encoder, warn), encoder.grammar
    if not votes:
        raise _nothing(photos.folder, grammar)
    (noun, most), *others = votes.most_common(2)
    folder, n = photos.folder, len(photos.paths)
    if others and others[0][1] == most:
        raise UsageError(
            f"{folder} is read as '{noun}' and as '{others[0][0]}' in {most} of {n} photos each: "
            f"say which it is, for example {OPTION} {photos.name}={noun}"
        )
    named = _named(photos.name, grammar)
    if named is not None and named != noun:
        raise UsageError(
            f"{folder} is read as '{noun}' in {most} of {n} photos, though '{named}' is a noun of "
            f"grammar {grammar.name} too: type {OPTION} {photos.name}={named}, or "
            f"{OPTION} {photos.name}={noun} if the photos show that"
        )
    if 2 * most < n:
        warn(
            f"{folder} is taken as '{noun}', which is read in {most} of {n} photos: say what it "
            f"is by {OPTION} {photos.name}=NOUN"
        )
    return noun


def _votes(where: Path, paths: Sequence[Path], encoder: Encoder, warn: Warn) -> Counter[str]:
    """Count the main nouns of images, and warn of doubtful readings."""
    known, votes, doubts = _nouns(encoder.grammar), Counter[str](), Counter[str]()
    for path in paths:
        reading = encoder.encode(read_image(path))
        votes.update([thing.value for thing in reading.seen.objects if thing.value in known][:1])
        doubts.update(reading.record.warnings)
    for doubt, times in doubts.items():
        warn(f"{where}: {doubt}" + f" ({times} of {len(paths)} images)" * (len(paths) > 1))
    return votes


def _nothing(where: Path, grammar: Grammar) -> NoGoalError:
    return NoGoalError(
        f"{where} shows nothing that grammar {grammar.name} has a word for: type 'rldf encode' to "
        f"see what is seen in it, name another --grammar, or say what it is by {OPTION}"
    )


def _named(name: str, grammar: Grammar) -> str | None:
    """Return the noun that a folder is named after, singular or plural."""
    word = class_word(name)
    return next((noun for noun in _nouns(grammar) if word in (noun, f"{noun}s", f"{noun}es")), None)


def _nouns(grammar: Grammar) -> list[str]:
    return [value.name for value in grammar.axes[object_axis(grammar)].values]


def _listed(grammar: Grammar) -> str:
    return f"grammar {grammar.name} has: {shorten(', '.join(_nouns(grammar)), _LETTERS)}"
