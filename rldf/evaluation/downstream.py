"""The downstream test: which classifiers are trained on what, and tested on what.

    trained on      tested on
    clone's train   clone's own val, and every real folder
    real train      the same real folder's val, where there are both

The reference is trained on as many real images of each class as the clone has, so that the two
training sets differ in origin only.
"""

import statistics
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from rldf.errors import UsageError
from rldf.evaluation.classification import MOST_SEEDS, Recipe, Scores, TrainingTask, train_and_test
from rldf.evaluation.examples import Examples, class_keys, class_numbers, take_examples
from rldf.evaluation.features import EvaluationCache, Progress
from rldf.evaluation.image_sets import Contents, ImageSet
from rldf.io import distributed
from rldf.io.folder_layouts import class_word
from rldf.io.text import plain

_TESTS = ("val", "test")
_MEASURED = 9  # images whose size is measured
_NAMED, _LETTERS = 5, 80  # classes in a message, and what is shown of each
_SIDES = (32, 1024)  # px
_FULL, _SHARE = 224, 224 / 512  # the recipe's input, and what that is of Stable Diffusion's images

Set = tuple[ImageSet, Contents]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """How classifiers are trained."""

    epochs: int = 200  # of each training
    seeds: int = 3  # number of trainings of each kind
    # of the network's input, px; None for 7/16 of the images' side, at most 224
    side: int | None = None
    # whether to train on real images too, where a real folder has some to train on
    reference: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult:
    """How classifiers did on one real folder."""

    n_test: int  # test images
    scores: Scores  # of classifiers trained on the clone
    n_reference: int  # real training images of the reference; 0 without one
    reference: Scores | None  # of classifiers trained on real images
    untested: tuple[str, ...] = ()  # keys of the classes of which there was no image to ask for


@dataclass(frozen=True, slots=True, kw_only=True)
class DownstreamResult:
    """The results of all classifiers."""

    classes: tuple[str, ...]  # keys, in the order of class numbers
    n_train: int  # training images of the clone
    side: int  # of the network's input, px
    n_own: int  # images of the clone's own test, 0 where it has none
    own: Scores | None  # scores in the clone's own test
    tests: tuple[TestResult, ...]  # one for each real folder
    # keys of the classes of which the clone had no image to learn from
    unlearned: tuple[str, ...] = ()
    own_untested: tuple[str, ...] = ()  # keys of the classes that its own test has no image of


def check_train_config(train_config: TrainConfig) -> None:
    """Refuse numbers out of range with a UsageError."""
    if train_config.epochs < 1:
        raise UsageError(f"--epochs {train_config.epochs}: type a number from 1")
    if not 1 <= train_config.seeds <= MOST_SEEDS:
        raise UsageError(
            f"--classifier-seeds {train_config.seeds}: type a number from 1 to {MOST_SEEDS}"
        )
    least, most = _SIDES
    if train_config.side is not None and not least <= train_config.side <= most:
        raise UsageError(
            f"--classifier-size {train_config.side}: type a number from {least} to {most}"
        )


def learn(
    clone: Set,
    reals: Sequence[Set],
    train_config: TrainConfig,
    cache: EvaluationCache,
    progress: Progress,
    warn: Callable[[str], None],
) -> DownstreamResult | None:
    """Train on a clone, test on real images.

    Returns:
        The results; None in every process but the first.
    """
    classes = _classes(clone)
    learned = _learned(clone, classes)
    unlearned = _missing(classes, learned)
    if unlearned:
        warn(
            f"{clone[0].root} has no training images of {_called(clone, unlearned)}: not learned, "
            "so every answer to images of it is wrong"
        )
    own = _own_test(clone, classes)
    tests = [_real_test(clone, real, classes, warn) for real in reals]
    for root, test in [(clone[0].root, t) for t in own] + [
        (images.root, t) for (images, _), t in zip(reals, tests, strict=True)
    ]:
        if missing := _missing(classes, test):
            warn(f"{root} has no test images of {_called(clone, missing)}: not asked for")
    wanted = [
        _reference(clone, real, classes, learned, warn) for real in reals if train_config.reference
    ]
    references = wanted or [None] * len(reals)

    tasks = [_lesson(clone, learned, *own, *tests)]
    tasks += [
        _lesson(real, reference, test)
        for real, reference, test in zip(reals, references, tests, strict=True)
        if reference is not None
    ]
    recipe = Recipe(epochs=train_config.epochs, side=train_config.side or _default_side(learned))
    graded = train_and_test(tasks, len(classes), recipe, range(train_config.seeds), cache, progress)
    if not graded:
        return None
    of_clone, of_references = graded[0], iter(graded[1:])
    results = tuple(
        TestResult(
            n_test=len(test),
            scores=scores,
            n_reference=len(reference) if reference else 0,
            reference=next(of_references)[0] if reference else None,
            untested=_missing(classes, test),
        )
        for test, reference, scores in zip(tests, references, of_clone[len(own) :], strict=True)
    )
    return DownstreamResult(
        classes=classes,
        n_train=len(learned),
        side=recipe.side,
        n_own=sum(map(len, own)),
        own=of_clone[0] if own else None,
        tests=results,
        unlearned=unlearned,
        own_untested=_missing(classes, own[0]) if own else (),
    )


def _classes(clone: Set) -> tuple[str, ...]:
    classes = class_keys(clone[1])
    if len(classes) < 2:
        raise UsageError(
            f"{clone[0].root} has {len(classes)} class folders: --classify needs 2 or more"
        )
    return classes


def _lesson(learned_from: Set, examples: Examples, *tests: Examples) -> TrainingTask:
    return TrainingTask(name=str(learned_from[0].root), examples=examples, tests=tests)


def _of_splits(
    clone: Set,
    images: Set,
    classes: Sequence[str],
    splits: Collection[str | None],
    most: Counter[int] | None = None,
) -> Examples:
    return take_examples(*images, classes, splits, clone[0].class_names, most)


def _learned(clone: Set, classes: Sequence[str]) -> Examples:
    """Take the training images: the train split, or all if there are no splits."""
    images, contents = clone
    split = "train" if "train" in contents.splits else None
    learned = _of_splits(clone, clone, classes, {split})
    if len(learned) < _least():
        there = sorted({split for split in contents.splits if split})
        others = f" (its splits: {', '.join(there)})" if there and not split else ""
        raise UsageError(
            f"{images.root} has {len(learned)} training images of known classes{others}: "
            f"--classify needs {_least()} or more"
        )
    if len(set(learned.labels)) < 2:
        raise UsageError(
            f"{images.root} has training images of one class alone: --classify needs 2 or more"
        )
    return learned


def _missing(classes: Sequence[str], examples: Examples) -> tuple[str, ...]:
    """List the classes that no example is of."""
    there = set(examples.labels)
    return tuple(key for number, key in enumerate(classes) if number not in there)


def _called(clone: Set, keys: Sequence[str]) -> str:
    """Name classes in a message."""
    names, shown = clone[0].class_names, keys[:_NAMED]
    shown_names = [f"{key} ({names[key]})" if names.get(key, key) != key else key for key in shown]
    more = f" and {len(keys) - _NAMED} more classes" if len(keys) > _NAMED else ""
    return ", ".join(plain(words[:_LETTERS]) for words in shown_names) + more


def _test_split(clone: Set, images: Set, classes: Sequence[str]) -> str | None:
    """Find the split to test on: the first that has images of a known class."""
    known = class_numbers(classes, clone[0].class_names)
    contents = images[1]
    there = {
        split
        for split, label in zip(contents.splits, contents.labels, strict=True)
        if label is not None and class_word(label) in known
    }
    return next((split for split in _TESTS if split in there), None)


def _own_test(clone: Set, classes: Sequence[str]) -> tuple[Examples, ...]:
    split = _test_split(clone, clone, classes)
    return (_of_splits(clone, clone, classes, {split}),) if split else ()


def _real_test(
    clone: Set, real: Set, classes: Sequence[str], warn: Callable[[str], None]
) -> Examples:
    """Take the real images to test on: the val split, else test, else all."""
    images, contents = real
    split = _test_split(clone, real, classes)
    splits = {split} if split else set(contents.splits)
    test = _of_splits(clone, real, classes, splits)
    if not test:
        example = classes[0]
        name = clone[0].class_names.get(example, "")
        raise UsageError(
            f"{images.root} has no folder named like a class of the clone, such as "
            f"{' or '.join(filter(None, (example, name)))}: --classify needs labelled real images"
        )
    left = sum(split in splits for split in contents.splits) - len(test)
    if left:
        warn(f"{left} images of {images.root} are of no class of the clone: not asked for")
    return test


def _reference(
    clone: Set,
    real: Set,
    classes: Sequence[str],
    learned: Examples,
    warn: Callable[[str], None],
) -> Examples | None:
    """Take as many real training images of each class as the clone has, or None."""
    if "train" not in real[1].splits or not _test_split(clone, real, classes):
        return None
    wanted = Counter(learned.labels)
    found = _of_splits(clone, real, classes, {"train"}, wanted)
    if len(found) < _least():
        return None
    if less := [classes[number] for number in sorted(wanted - Counter(found.labels))]:
        warn(
            f"{real[0].root} has fewer training images than the clone of {_called(clone, less)}: "
            "the classifier that is trained on it learns from fewer"
        )
    return found


def _least() -> int:
    """Count the examples that a training needs: two for each process."""
    return 2 * distributed.world()


def _default_side(examples: Examples) -> int:
    """Choose the input size from the median size of a few evenly spaced images."""
    step = -(-len(examples) // _MEASURED)
    side = statistics.median(min(examples.decode(i).size) for i in range(0, len(examples), step))
    return max(_SIDES[0], min(_FULL, round(side * _SHARE)))
