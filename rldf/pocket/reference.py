"""Reference drawings: images by the pocket world's renderer, to compare a clone with.

    <folder>/reference.json        classes and numbers of drawings; written first
    <folder>/train/<class>/...png  drawings for training
    <folder>/val/<class>/...png    drawings for testing

The pocket models were not trained on these drawings: their seeds are above CHECK_SEEDS. After an
interruption, a second call draws only the drawings that are missing.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL.Image import Image

from rldf.errors import RunError, UsageError
from rldf.io.files import TEMPORARY, parse_json, write_json
from rldf.io.folder_layouts import class_word
from rldf.io.images import write_png
from rldf.pocket.world.drawing import draw, world_grammar
from rldf.pocket.world.sampling import CHECK_SEEDS, sample_encoding
from rldf.seeding import derive
from rldf.seeding import rng as seeded

_RECORD = "reference.json"
_VERSION = 1  # increases when renderer or sampling change; a folder of another one is refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Classes and numbers of a folder of reference drawings.

    Attributes:
        nouns: the noun to draw, by the name of the class's folder.
        train: number of drawings of each class for training.
        val: number of drawings of each class for testing.
        version: version of renderer and sampling.
    """

    nouns: Mapping[str, str]
    train: int
    val: int
    version: int = _VERSION

    @property
    def images(self) -> int:
        """Total number of drawings."""
        return len(self.nouns) * (self.train + self.val)


def world_classes() -> dict[str, str]:
    """Return the nouns of the pocket world by class: the noun's wnid or, without one, its name."""
    values = world_grammar().axis("Noun").values
    return {value.wnid or value.name.replace(" ", "_"): value.name for value in values}


def nouns_of(classes: Iterable[str], names: Mapping[str, str] | None = None) -> dict[str, str]:
    """Find the pocket world's noun for each class.

    Args:
        classes: wnids or names, such as the class folders of a clone.
        names: further names by class, tried if the class itself is unknown.

    Returns:
        Noun by class, in the given order.

    Raises:
        UsageError: if the pocket world has no noun for a class.
    """
    by_word = {class_word(key): noun for key, noun in world_classes().items()}
    by_word |= {class_word(noun): noun for noun in world_classes().values()}
    found = {}
    for key in classes:
        noun = by_word.get(class_word(key)) or by_word.get(class_word((names or {}).get(key, key)))
        if noun is None:
            known = ", ".join(sorted(world_classes().values()))
            raise UsageError(f"the pocket world has no '{key}': name some of: {known}")
        found[key] = noun
    return found


def draw_reference(
    folder: Path, reference: Reference, progress: Callable[[int, int], None] = lambda n, of: None
) -> None:
    """Draw the reference drawings that a folder lacks.

    Args:
        folder: a new or empty folder, or one of a former call with the same `reference`.
        reference: classes and numbers of the drawings.
        progress: called with the number of finished drawings and the total number.

    Raises:
        RunError: if the folder holds something else.
        UsageError: if the folder cannot be written to, or two classes have the same noun.
    """
    by_noun: dict[str, str] = {}
    for key, noun in reference.nouns.items():
        if (other := by_noun.setdefault(noun, key)) != key:
            raise UsageError(
                f"{other} and {key} are both the noun '{noun}', so their drawings would be the "
                "same: name other images by --real, or leave one of the two out"
            )
    wanted = json.loads(json.dumps(asdict(reference)))
    try:
        _claim(folder, wanted)
        for done, (path, noun, split, k) in enumerate(_places(folder, reference), 1):
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                write_png(path, _drawing(noun, split, k))
            progress(done, reference.images)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written to: {error.strerror or error}") from None


def _claim(folder: Path, wanted: object) -> None:
    record = folder / _RECORD
    if record.is_file():
        try:
            same = parse_json(record.read_text(encoding="utf-8")) == wanted
        except ValueError:
            same = False
        if not same:
            raise RunError(f"{folder} holds drawings of other settings: choose another --out")
    elif folder.exists() and {*folder.iterdir()} - {*folder.glob(TEMPORARY)}:
        raise RunError(f"{folder} holds other files: choose another --out")
    else:
        folder.mkdir(parents=True, exist_ok=True)
        write_json(record, wanted)


def _places(folder: Path, reference: Reference) -> Sequence[tuple[Path, str, str, int]]:
    return [
        (folder / split / key / f"{key}_{k:06d}.png", noun, split, k)
        for split, n in (("train", reference.train), ("val", reference.val))
        for key, noun in reference.nouns.items()
        for k in range(n)
    ]


def _drawing(noun: str, split: str, k: int) -> Image:
    """Draw the noun alone, without a second object; all other words are sampled."""
    grammar = world_grammar()
    seed = CHECK_SEEDS + derive(0, "reference", noun, split, k) % 10**12
    words = grammar.decode(sample_encoding(grammar, seeded(seed, "sentence")))
    # a second object would make the label ambiguous; the presets of clones have none either
    sentence = grammar.derive(grammar.encode(words | {"Noun": noun, "Companion": "nothing"}))
    return draw(sentence, seed).image
