"""Trains classifiers on a data set and tests them on images outside it.

Weights and predictions are cached under the key of everything that decides them, so
a repeated evaluation trains nothing and an interrupted one resumes after its last epoch. In
a distributed launch all processes train together; only the first one tests.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rldf.evaluation.examples import Examples
from rldf.evaluation.features import EvaluationCache, Progress
from rldf.io import distributed
from rldf.io.cache import key_of

if TYPE_CHECKING:
    from rldf.evaluation.classifier import Weights

TOP = 5
"""Answers that count for top-5."""

MOST_SEEDS = 10
"""Largest number of training seeds: more add little precision and take long."""

_LEAST_STEPS = 24  # of an epoch, as long as batches stay larger than the least
_LEAST_BATCH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """SGD with Nesterov momentum and cosine decay.

    The defaults are those of the ImageNet-100 recipe that the paper cites.
    """

    epochs: int = 200  # 1 or more
    side: int = 224  # of the network's input, px, 32 or more
    rate: float = 0.2  # learning rate at `batch`; it falls in proportion with smaller batches
    batch: int = 256  # most examples in a batch
    momentum: float = 0.9  # of SGD
    decay: float = 1e-4  # weight decay
    warmup: float = 0.05  # share of the steps over which the rate rises from 0


def batch_size(recipe: Recipe, n: int) -> int:
    """Choose the batch: the recipe's, halved until a small set has enough steps in an epoch."""
    batch = recipe.batch
    while batch > _LEAST_BATCH and n // batch < _LEAST_STEPS:
        batch //= 2
    return min(batch, n)


def rate_at(recipe: Recipe, batch: int, step: int, steps: int) -> float:
    """Compute the learning rate: linear warm-up, then half a cosine down to 0."""
    peak = recipe.rate * batch / recipe.batch
    warm = recipe.warmup * steps
    if step < warm:
        return peak * (step + 1) / (warm + 1)
    return peak * (1 + math.cos(math.pi * (step - warm) / (steps - warm))) / 2


@dataclass(frozen=True, slots=True)
class Scores:
    """How several trainings of one kind did in one test."""

    top1: tuple[float, ...]  # share of right first answers, by training
    # share of tests whose right answer is among the first five, by training
    top5: tuple[float, ...]
    # (classes, classes) how often class i was predicted as class j, over all trainings
    confusion: NDArray[np.int64]

    @property
    def by_class(self) -> tuple[float | None, ...]:
        """Share of right first answers by class, None for a class without tests."""
        tests, right = self.confusion.sum(1), self.confusion.diagonal()
        return tuple(float(r / n) if n else None for r, n in zip(right, tests, strict=True))


def scores(answers: Sequence[NDArray[np.int64]], labels: Sequence[int], n_classes: int) -> Scores:
    """Grade the answers of several trainings."""
    truth = np.asarray(labels)
    confusion = np.zeros((n_classes, n_classes), np.int64)
    for predicted in answers:
        np.add.at(confusion, (truth, predicted[:, 0]), 1)
    top1 = tuple(float(np.mean(predicted[:, 0] == truth)) for predicted in answers)
    top5 = tuple(float(np.mean((predicted == truth[:, None]).any(1))) for predicted in answers)
    return Scores(top1, top5, confusion)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingTask:
    """Trainings on one set of examples, and what they are tested on."""

    name: str  # what to call it in progress
    examples: Examples  # training examples
    tests: tuple[Examples, ...]  # test sets


def train_and_test(
    tasks: Sequence[TrainingTask],
    n_classes: int,
    recipe: Recipe,
    seeds: Sequence[int],
    cache: EvaluationCache,
    progress: Progress,
) -> list[list[Scores]]:
    """Train classifiers and test them.

    Returns:
        Scores by task and test; nothing in any process but the first.
    """
    room = _Trainer(n_classes, recipe, cache, progress)
    due = [(task, seed) for task in tasks for seed in seeds]
    for number in _agreed([n for n, (task, seed) in enumerate(due) if room.owes(task, seed)]):
        room.train(*due[number])
    if distributed.rank():
        return []
    return [
        [
            scores([room.answers(task, seed, test) for seed in seeds], test.labels, n_classes)
            for test in task.tests
        ]
        for task in tasks
    ]


def _agreed(due: list[int]) -> list[int]:
    """Let the first process decide, so that all train together or none."""
    if distributed.world() == 1:
        return due
    from rldf.evaluation.classifier import first_of

    return first_of(due)


class _Trainer:
    """Trains and tests classifiers, and takes what was computed before from the cache."""

    def __init__(
        self, n_classes: int, recipe: Recipe, cache: EvaluationCache, progress: Progress
    ) -> None:
        self._n_classes, self._recipe = n_classes, recipe
        self._cache, self._progress = cache, progress
        # kept in memory, since another process may shrink the cache
        self._weights: dict[str, Weights] = {}
        self._answers: dict[str, NDArray[np.int64]] = {}

    def owes(self, task: TrainingTask, seed: int) -> bool:
        """Tell whether a training is needed for answers that are not known."""
        key = self._key(task, seed)
        asked = [self._answer_key(key, test) for test in task.tests]
        for answer in asked:
            if (found := self._cache.find_arrays(answer)) is not None:
                self._answers[answer] = found["answers"]
        if all(answer in self._answers for answer in asked):
            return False
        weights = self._cache.find_arrays(key)
        if weights is not None:
            self._weights[key] = weights
        return weights is None

    def train(self, task: TrainingTask, seed: int) -> None:
        """Train, from the last checkpoint if there is one."""
        from rldf.evaluation.classifier import train

        key, epochs = self._key(task, seed), self._recipe.epochs
        part, what = self._cache.part_path(key), f"training on {task.name}, seed {seed}"
        self._weights[key] = train(
            task.examples,
            self._n_classes,
            self._recipe,
            seed,
            part,
            lambda done: self._progress(what, done, epochs),
        )
        if distributed.rank() == 0:
            self._cache.keep_arrays(key, self._weights[key])
            part.unlink(missing_ok=True)

    def answers(self, task: TrainingTask, seed: int, test: Examples) -> NDArray[np.int64]:
        """Tell what a trained network answers: (n, k) class numbers, best first."""
        key = self._key(task, seed)
        answer = self._answer_key(key, test)
        if answer not in self._answers:
            from rldf.evaluation.classifier import predict

            found = predict(self._weights[key], self._n_classes, test, self._recipe.side)
            self._answers[answer] = self._cache.keep_arrays(answer, {"answers": found})["answers"]
        return self._answers[answer]

    def _key(self, task: TrainingTask, seed: int) -> str:
        recipe = asdict(self._recipe)
        return key_of("resnet18", task.examples.key, self._n_classes, recipe, seed)

    def _answer_key(self, key: str, test: Examples) -> str:
        return key_of("answers", key, test.key)
