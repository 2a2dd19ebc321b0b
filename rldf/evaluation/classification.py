"""What a data set teaches: classifiers trained on it and tested on images that it never saw.

Trainings and their answers are kept in the store under the key of everything that decides them, so
a repeated evaluation trains nothing, and one that was killed goes on from its last epoch. In
several processes all train together; the first one alone tests.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rldf.evaluation.examples import Examples
from rldf.evaluation.features import Progress, Store, key_of
from rldf.io import distributed

if TYPE_CHECKING:
    from rldf.evaluation.classifier import Weights

TOP = 5
"""Answers that count for top-5."""

MOST_SEEDS = 10
"""Trainings of one kind; more tell little more and take long."""

_LEAST_STEPS = 24  # of an epoch, as long as batches stay larger than the least
_LEAST_BATCH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """SGD with Nesterov momentum and cosine decay.

    The defaults are those of the ImageNet-100 recipe that the paper cites.

    Attributes:
        epochs: 1 or more.
        side: of the network's input, px, 32 or more.
        rate: learning rate at `batch`; it falls in proportion with smaller batches.
        batch: most examples in a batch.
        momentum: of SGD.
        decay: weight decay.
        warmup: share of the steps over which the rate rises from 0.
    """

    epochs: int = 200
    side: int = 224
    rate: float = 0.2
    batch: int = 256
    momentum: float = 0.9
    decay: float = 1e-4
    warmup: float = 0.05


def batch_size(recipe: Recipe, n: int) -> int:
    """Choose the batch: the recipe's, halved until a small set has enough steps in an epoch.

    Args:
        recipe: the recipe.
        n: number of examples.

    Returns:
        Examples in a batch, at most n.
    """
    batch = recipe.batch
    while batch > _LEAST_BATCH and n // batch < _LEAST_STEPS:
        batch //= 2
    return min(batch, n)


def rate_at(recipe: Recipe, batch: int, step: int, steps: int) -> float:
    """Compute the learning rate: linear warm-up, then half a cosine down to 0.

    Args:
        recipe: the recipe.
        batch: examples in a batch.
        step: 0 to steps - 1.
        steps: of the whole training.

    Returns:
        The rate.
    """
    peak = recipe.rate * batch / recipe.batch
    warm = recipe.warmup * steps
    if step < warm:
        return peak * (step + 1) / (warm + 1)
    return peak * (1 + math.cos(math.pi * (step - warm) / (steps - warm))) / 2


@dataclass(frozen=True, slots=True)
class Scores:
    """How several trainings of one kind did in one test.

    Attributes:
        top1: share of right first answers, by training.
        top5: share of tests whose right answer is among the first five, by training.
        confusion: (classes, classes) how often class i was told to be class j, over all trainings.
    """

    top1: tuple[float, ...]
    top5: tuple[float, ...]
    confusion: NDArray[np.int64]

    @property
    def by_class(self) -> tuple[float | None, ...]:
        """Share of right first answers by class, None for a class without tests."""
        tests, right = self.confusion.sum(1), self.confusion.diagonal()
        return tuple(float(r / n) if n else None for r, n in zip(right, tests, strict=True))


def scores(answers: Sequence[NDArray[np.int64]], labels: Sequence[int], n_classes: int) -> Scores:
    """Grade the answers of several trainings.

    Args:
        answers: (n, k) class numbers, best first, by training.
        labels: (n,) the right ones.
        n_classes: how many class numbers there are.

    Returns:
        The scores.
    """
    truth = np.asarray(labels)
    confusion = np.zeros((n_classes, n_classes), np.int64)
    for told in answers:
        np.add.at(confusion, (truth, told[:, 0]), 1)
    top1 = tuple(float(np.mean(told[:, 0] == truth)) for told in answers)
    top5 = tuple(float(np.mean((told == truth[:, None]).any(1))) for told in answers)
    return Scores(top1, top5, confusion)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """Trainings on one set of examples, and what they are tested on.

    Attributes:
        name: what to call it in progress.
        examples: what is learned.
        tests: what is asked afterwards.
    """

    name: str
    examples: Examples
    tests: tuple[Examples, ...]


def teach(
    lessons: Sequence[Lesson],
    n_classes: int,
    recipe: Recipe,
    seeds: Sequence[int],
    store: Store,
    progress: Progress,
) -> list[list[Scores]]:
    """Train classifiers and test them.

    Args:
        lessons: what to learn and what to be asked.
        n_classes: how many class numbers there are.
        recipe: how to train.
        seeds: one training of each lesson for each.
        store: where trainings and answers are kept.
        progress: told how far it is.

    Returns:
        Scores by lesson and test; nothing in any process but the first.

    Raises:
        ImageError: an image is damaged.
    """
    room = _Classroom(n_classes, recipe, store, progress)
    due = [(lesson, seed) for lesson in lessons for seed in seeds]
    for number in _agreed([n for n, (lesson, seed) in enumerate(due) if room.owes(lesson, seed)]):
        room.train(*due[number])
    if distributed.rank():
        return []
    return [
        [
            scores([room.answers(lesson, seed, test) for seed in seeds], test.labels, n_classes)
            for test in lesson.tests
        ]
        for lesson in lessons
    ]


def _agreed(due: list[int]) -> list[int]:
    """Let the first process decide, so that all train together or none."""
    if distributed.world() == 1:
        return due
    from rldf.evaluation.classifier import first_of

    return first_of(due)


class _Classroom:
    """Trains and asks, and looks up in the store what was trained and asked before."""

    def __init__(self, n_classes: int, recipe: Recipe, store: Store, progress: Progress) -> None:
        self._n_classes, self._recipe = n_classes, recipe
        self._store, self._progress = store, progress
        # what was found once is held, since others may shrink the store
        self._weights: dict[str, Weights] = {}
        self._answers: dict[str, NDArray[np.int64]] = {}

    def owes(self, lesson: Lesson, seed: int) -> bool:
        """Tell whether a training is needed for answers that are not known."""
        key = self._key(lesson, seed)
        asked = [self._answer_key(key, test) for test in lesson.tests]
        for answer in asked:
            if (found := self._store.find_arrays(answer)) is not None:
                self._answers[answer] = found["answers"]
        if all(answer in self._answers for answer in asked):
            return False
        weights = self._store.find_arrays(key)
        if weights is not None:
            self._weights[key] = weights
        return weights is None

    def train(self, lesson: Lesson, seed: int) -> None:
        """Train, from the last checkpoint if there is one."""
        from rldf.evaluation.classifier import train

        key, epochs = self._key(lesson, seed), self._recipe.epochs
        part, what = self._store.part_path(key), f"training on {lesson.name}, seed {seed}"
        self._weights[key] = train(
            lesson.examples,
            self._n_classes,
            self._recipe,
            seed,
            part,
            lambda done: self._progress(what, done, epochs),
        )
        if distributed.rank() == 0:
            self._store.keep_arrays(key, self._weights[key])
            part.unlink(missing_ok=True)

    def answers(self, lesson: Lesson, seed: int, test: Examples) -> NDArray[np.int64]:
        """Tell what a trained network answers: (n, k) class numbers, best first."""
        key = self._key(lesson, seed)
        answer = self._answer_key(key, test)
        if answer not in self._answers:
            from rldf.evaluation.classifier import predict

            found = predict(self._weights[key], self._n_classes, test, self._recipe.side)
            self._answers[answer] = self._store.keep_arrays(answer, {"answers": found})["answers"]
        return self._answers[answer]

    def _key(self, lesson: Lesson, seed: int) -> str:
        recipe = asdict(self._recipe)
        return key_of("resnet18", lesson.examples.key, self._n_classes, recipe, seed)

    def _answer_key(self, key: str, test: Examples) -> str:
        return key_of("answers", key, test.key)
