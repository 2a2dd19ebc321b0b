"""The downstream test: classifiers are trained on a clone and tested on real images.

    trained on                    tested on
    train split of the clone      val split of the clone, and every real folder
    train split of a real folder  val split of that folder, if it has both splits

The classifier trained on a real folder is called the reference. It gets as many images of each
class as the clone has, so that the two training sets differ in their origin only.
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
_MEASURED = 9  # images whose size is measured to choose the input size
_NAMED, _LETTERS = 5, 80  # classes named in a message, and letters shown of each name
_SIDES = (32, 1024)  # smallest and largest --classifier-size, px
_FULL, _SHARE = 224, 224 / 512  # the recipe's side, px, and its ratio to Stable Diffusion's 512

Set = tuple[ImageSet, Contents]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """Settings of the classifiers that the downstream test trains."""

    epochs: int = 200  # epochs of each training
    seeds: int = 3  # number of classifiers trained on each training set, each with another seed
    # side of the network's input, px; None for 7/16 of the images' median side, 32 to 224
    side: int | None = None
    # whether to train on real images too, if a real folder has a train split
    reference: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult:
    """The accuracies of the classifiers on one folder of real images."""

    n_test: int  # test images
    scores: Scores  # of classifiers trained on the clone
    n_reference: int  # real training images of the reference; 0 without one
    reference: Scores | None  # of classifiers trained on real images
    untested: tuple[str, ...] = ()  # keys of the classes without a test image


@dataclass(frozen=True, slots=True, kw_only=True)
class DownstreamResult:
    """The result of the downstream test: what was trained, and all accuracies."""

    classes: tuple[str, ...]  # keys, in the order of class numbers
    n_train: int  # training images of the clone
    side: int  # side of the network's input, px
    n_own: int  # images in the clone's test split (val, else test), 0 if it has none
    own: Scores | None  # scores on the clone's test split, None if it has none
    tests: tuple[TestResult, ...]  # one for each real folder
    # keys of the classes without a training image in the clone
    unlearned: tuple[str, ...] = ()
    own_untested: tuple[str, ...] = ()  # keys of the classes without an image in that split


def check_train_config(train_config: TrainConfig) -> None:
    """Raise UsageError for a number of epochs or seeds, or an input size, out of its range."""
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
    """Train classifiers on a clone, and test them on real images.

    Returns:
        The results; None in every process but the first.
    """
    classes = _classes(clone)
    learned = _learned(clone, classes)
    unlearned = _missing(classes, learned)
    if unlearned:
        warn(
            f"{clone[0].root} has no training images of {_called(clone, unlearned)}: the "
            "classifier never predicts these classes, so real images of them count as errors"
        )
    own = _own_test(clone, classes)
    tests = [_real_test(clone, real, classes, warn) for real in reals]
    for root, test in [(clone[0].root, t) for t in own] + [
        (images.root, t) for (images, _), t in zip(reals, tests, strict=True)
    ]:
        if missing := _missing(classes, test):
            warn(f"{root} has no test images of {_called(clone, missing)}: accuracies omit these")
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
            f"{clone[0].root} has {len(classes)} class folders: --classify needs 2 or more: "
            "give a folder with a folder for each class"
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
    """Take the clone's training images: those of its train split, or all if it has no splits."""
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
            f"{images.root} has training images of one class only: --classify needs images of "
            "2 or more classes: add images of another class"
        )
    return learned


def _missing(classes: Sequence[str], examples: Examples) -> tuple[str, ...]:
    """List the keys of the classes that have no example."""
    there = set(examples.labels)
    return tuple(key for number, key in enumerate(classes) if number not in there)


def _called(clone: Set, keys: Sequence[str]) -> str:
    """Write the names of some classes for a message, the first five of many."""
    names, shown = clone[0].class_names, keys[:_NAMED]
    shown_names = [f"{key} ({names[key]})" if names.get(key, key) != key else key for key in shown]
    more = f" and {len(keys) - _NAMED} more classes" if len(keys) > _NAMED else ""
    return ", ".join(plain(words[:_LETTERS]) for words in shown_names) + more


def _test_split(clone: Set, images: Set, classes: Sequence[str]) -> str | None:
    """Return val, else test, if that split has images of a class of the clone, else None."""
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
        warn(f"{left} images of {images.root} are of no class of the clone: they are not tested")
    return test


def _reference(
    clone: Set,
    real: Set,
    classes: Sequence[str],
    learned: Examples,
    warn: Callable[[str], None],
) -> Examples | None:
    """Take as many real training images of each class as the clone has; None if there are none."""
    if "train" not in real[1].splits or not _test_split(clone, real, classes):
        return None
    wanted = Counter(learned.labels)
    found = _of_splits(clone, real, classes, {"train"}, wanted)
    if len(found) < _least():
        return None
    if less := [classes[number] for number in sorted(wanted - Counter(found.labels))]:
        warn(
            f"{real[0].root} has fewer training images of {_called(clone, less)} than the clone: "
            "the classifier that is trained on real images gets fewer examples"
        )
    return found


def _least() -> int:
    """Return the smallest number of training examples: two for each process."""
    return 2 * distributed.world()


def _default_side(examples: Examples) -> int:
    """Return 7/16 of the median side of a few evenly spaced images, at least 32, at most 224."""
    step = -(-len(examples) // _MEASURED)
    side = statistics.median(min(examples.decode(i).size) for i in range(0, len(examples), step))
    return max(_SIDES[0], min(_FULL, round(side * _SHARE)))
