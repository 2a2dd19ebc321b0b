"""Which classifiers judge a clone, what they learn and what they are tested on.

    learned         tested on
    clone's train   clone's own val, and every real folder
    real train      the same real folder's val, where there are both

Of the real images as many of each class are learned as of the clone, so that the two differ in
their origin alone.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rldf.errors import UsageError
from rldf.evaluation import distributed
from rldf.evaluation.classification import MOST_SEEDS, Lesson, Scores, teach
from rldf.evaluation.examples import Examples, class_keys, take_examples
from rldf.evaluation.features import Progress
from rldf.evaluation.folders import Contents, ImageSet
from rldf.evaluation.recipe import Recipe
from rldf.evaluation.store import Store

_TESTS = ("val", "validation", "test")
_SIDES = (32, 1024)  # px
_FULL, _SHARE = 224, 224 / 512  # the recipe's input, and what that is of Stable Diffusion's images

Set = tuple[ImageSet, Contents]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How classifiers are trained.

    Attributes:
        epochs: of each training.
        seeds: number of trainings of each kind.
        side: of the network's input, px; None for 7/16 of the images' side, at most 224.
        reference: whether to train on real images too, where a real folder has some to train on.
    """

    epochs: int = 200
    seeds: int = 3
    side: int | None = None
    reference: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    """How classifiers did on one real folder.

    Attributes:
        n_test: images that were asked for.
        scores: of those that learned from the clone.
        n_reference: images that the reference learned from, 0 without a reference.
        reference: scores of those that learned from real images.
    """

    n_test: int
    scores: Scores
    n_reference: int
    reference: Scores | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taught:
    """What the clone teaches.

    Attributes:
        classes: keys, in the order of class numbers.
        n_train: images of the clone that were learned from.
        side: of the network's input, px.
        n_own: images of the clone's own test, 0 where it has none.
        own: scores in the clone's own test.
        exams: one for each real folder.
    """

    classes: tuple[str, ...]
    n_train: int
    side: int
    n_own: int
    own: Scores | None
    exams: tuple[Exam, ...]


def check_course(course: Course) -> None:
    """Refuse what cannot be trained.

    Args:
        course: what a person asked for.

    Raises:
        UsageError: a number is out of its range.
    """
    if course.epochs < 1:
        raise UsageError(f"--epochs {course.epochs}: type a number from 1")
    if not 1 <= course.seeds <= MOST_SEEDS:
        raise UsageError(f"--classifier-seeds {course.seeds}: type a number from 1 to {MOST_SEEDS}")
    least, most = _SIDES
    if course.side is not None and not least <= course.side <= most:
        raise UsageError(f"--classifier-size {course.side}: type a number from {least} to {most}")


def learn(
    clone: Set,
    reals: Sequence[Set],
    course: Course,
    store: Store,
    progress: Progress,
    warn: Callable[[str], None],
) -> Taught | None:
    """Train on a clone, test on real images.

    Args:
        clone: what to learn from.
        reals: what to be tested on.
        course: how.
        store: where trainings are kept.
        progress: told how far it is.
        warn: told how many real images are of no class of the clone.

    Returns:
        How it went; None in any process but the first.

    Raises:
        UsageError: the clone has fewer than two classes, or a real folder has none of them.
        ImageError: an image is damaged.
    """
    classes = _classes(clone)
    learned = _of_split(clone, clone, classes, "train" if "train" in clone[1].splits else None)
    if len(learned) < _least():
        raise UsageError(
            f"{clone[0].root} has {len(learned)} training images of known classes: --classify "
            f"needs {_least()} or more"
        )
    own = tuple(_of_split(clone, clone, classes, split) for split in _test_split(clone[1]))
    own = tuple(test for test in own if test)  # a split may hold images of no class alone
    tests = [_real_test(clone, real, classes, warn) for real in reals]
    wanted = [_reference(clone, real, classes, learned) for real in reals if course.reference]
    references = wanted or [None] * len(reals)

    lessons = [_lesson(clone, learned, *own, *tests)]
    lessons += [
        _lesson(real, reference, test)
        for real, reference, test in zip(reals, references, tests, strict=True)
        if reference is not None
    ]
    recipe = Recipe(epochs=course.epochs, side=course.side or _default_side(learned))
    graded = teach(lessons, len(classes), recipe, range(course.seeds), store, progress)
    if not graded:
        return None
    of_clone, of_references = graded[0], iter(graded[1:])
    exams = tuple(
        Exam(
            n_test=len(test),
            scores=scores,
            n_reference=len(reference) if reference else 0,
            reference=next(of_references)[0] if reference else None,
        )
        for test, reference, scores in zip(tests, references, of_clone[len(own) :], strict=True)
    )
    return Taught(
        classes=classes,
        n_train=len(learned),
        side=recipe.side,
        n_own=sum(map(len, own)),
        own=of_clone[0] if own else None,
        exams=exams,
    )


def _classes(clone: Set) -> tuple[str, ...]:
    classes = class_keys(clone[1])
    if len(classes) < 2:
        raise UsageError(
            f"{clone[0].root} has {len(classes)} class folders: --classify needs 2 or more"
        )
    return classes


def _lesson(learned_from: Set, examples: Examples, *tests: Examples) -> Lesson:
    return Lesson(name=str(learned_from[0].root), examples=examples, tests=tests)


def _of_split(
    clone: Set,
    images: Set,
    classes: Sequence[str],
    split: str | None,
    most: Counter[int] | None = None,
) -> Examples:
    return take_examples(*images, classes, split, clone[0].class_names, most)


def _test_split(contents: Contents) -> tuple[str, ...]:
    """Find the split to test on: one, or none."""
    return tuple(split for split in _TESTS if split in contents.splits)[:1]


def _real_test(
    clone: Set, real: Set, classes: Sequence[str], warn: Callable[[str], None]
) -> Examples:
    """Take the real images to test on: the val split, or all where there is none."""
    images, contents = real
    splits: tuple[str | None, ...] = _test_split(contents)
    splits = splits or tuple(dict.fromkeys(contents.splits))
    parts = [_of_split(clone, real, classes, split) for split in splits]
    test = max(parts, key=len)
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


def _reference(clone: Set, real: Set, classes: Sequence[str], learned: Examples) -> Examples | None:
    """Take as many real images of each class as the clone has, if there are some to learn from."""
    if "train" not in real[1].splits or not _test_split(real[1]):
        return None
    found = _of_split(clone, real, classes, "train", Counter(learned.labels))
    return found if len(found) >= _least() else None


def _least() -> int:
    """Count the examples that a training needs: two for each process."""
    return 2 * distributed.world()


def _default_side(examples: Examples) -> int:
    side = min(examples.decode(0).size)
    return max(_SIDES[0], min(_FULL, round(side * _SHARE)))
