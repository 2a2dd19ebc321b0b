"""A person's own classes: from finished searches, images, and folders of example photos."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from rldf.dataset.classes import clean_key
from rldf.dataset.nouns import object_axis
from rldf.dataset.record import Searched
from rldf.errors import NoGoalError, UsageError
from rldf.files import parse_json
from rldf.found import Found, read_found
from rldf.grammar import Grammar, load_grammar
from rldf.images import FORMATS, read_image
from rldf.perception.encoder import Encoder

_ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"}
_EXAMPLES = 50  # photos of a folder that are looked at
assert len(FORMATS) == 6, "_ENDINGS names the endings of every format"


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a person gave.

    Attributes:
        runs: what searches found.
        images: image files.
        folders: folders of example photos, one for each class.
    """

    runs: tuple[Found, ...]
    images: tuple[Path, ...]
    folders: tuple[Path, ...]

    @property
    def name(self) -> str:
        """What a data set of these may be called: after the first of them."""
        first = [
            *(found.run.resolve().name for found in self.runs),
            *(path.stem for path in self.images),
            *(path.resolve().parent.name for path in self.folders),
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
    runs: list[Found] = []
    images: list[Path] = []
    folders: list[Path] = []
    for text in paths:
        path = document_path(stdin.read(), "run") if text == "-" else Path(text)
        if (path / "run.json").exists():
            runs.append(read_found(path))
        elif path.is_dir():
            folders += _classes_of(path)
        else:
            read_image(path)  # a bad file is told before any model is loaded
            images.append(path)
    return Inputs(tuple(runs), tuple(images), tuple(folders))


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


def find_classes(
    inputs: Inputs, encoder: Encoder, warn: Callable[[str], None] = lambda said: None
) -> list[tuple[str, str]]:
    """Find the noun of every class.

    Args:
        inputs: what was given.
        encoder: reads images in the words of the clone's grammar.
        warn: told what is doubtful in what was read.

    Returns:
        For each class the name that it is to have, "" for the noun's, and its noun.

    Raises:
        NoGoalError: an image shows nothing that the grammar has a word for.
        UsageError: the grammar has no word for what a search found.
    """
    grammar = encoder.grammar
    return [
        *(("", _noun_of_run(run, grammar)) for run in inputs.runs),
        *(("", _noun_of_images([path], encoder, warn)) for path in inputs.images),
        *((path.name, _noun_of_images(_photos(path), encoder, warn)) for path in inputs.folders),
    ]


def _noun_of_run(run: Found, grammar: Grammar) -> str:
    noun = _noun(run)
    if noun not in _nouns(grammar):
        raise UsageError(
            f"{run.run} found {noun}, for which grammar {grammar.name} has no word: "
            f"type --grammar {run.grammar_name}"
        )
    return noun


def _noun(run: Found) -> str:
    place = object_axis(run.grammar)
    return run.grammar.axes[place].values[run.encoding[place]].name


def _noun_of_images(paths: Sequence[Path], encoder: Encoder, warn: Callable[[str], None]) -> str:
    """Give the most frequent dominant noun; of equals, the one that was seen first."""
    known = _nouns(encoder.grammar)
    votes: Counter[str] = Counter()
    doubts: Counter[str] = Counter()
    for path in paths:
        reading = encoder.read(read_image(path))
        votes.update([thing.value for thing in reading.seen.objects if thing.value in known][:1])
        doubts.update(reading.record.warnings)
    where = paths[0] if len(paths) == 1 else paths[0].parent
    for doubt, times in doubts.items():
        warn(f"{where}: {doubt}" + f" ({times} of {len(paths)} images)" * (len(paths) > 1))
    if not votes:
        raise NoGoalError(
            f"{where} shows nothing that grammar {encoder.grammar.name} has a word for: "
            "type 'rldf encode' to see what is seen in it, or name another --grammar"
        )
    return votes.most_common(1)[0][0]


def _nouns(grammar: Grammar) -> set[str]:
    return {value.name for value in grammar.axes[object_axis(grammar)].values}


def _classes_of(path: Path) -> list[Path]:
    found = [p for p in sorted(path.iterdir()) if p.is_dir() and not p.name.startswith(".")]
    if not found:
        raise UsageError(
            f"{path} is neither a run nor a folder of folders of photos, one folder for each "
            "class: give one of these, or image files"
        )
    for folder in found:
        if not _photos(folder):
            raise UsageError(f"{folder} holds no images: put example photos there")
    return found


def _photos(folder: Path) -> list[Path]:
    files = (p for p in sorted(folder.iterdir()) if p.suffix.lower() in _ENDINGS)
    return [p for p in files if p.is_file()][:_EXAMPLES]
