"""Trains classifiers on a data set and tests them on images outside it.

Weights and predictions are cached under a hash of everything that decides them, so a repeated
evaluation trains nothing. An interrupted training resumes after its last finished epoch. In a
distributed launch all processes train together; only the first process tests.
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
"""Number of highest-scored classes among which the right one counts as found, as in top-5."""

MOST_SEEDS = 10
"""Largest number of training seeds allowed: more seeds add little precision and take long."""

_LEAST_STEPS = 24  # steps in an epoch, reached by halving the batch down to _LEAST_BATCH
_LEAST_BATCH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Settings of a training by SGD with Nesterov momentum and a cosine learning rate.

    The defaults are those of the ImageNet-100 recipe that the paper cites.
    """

    epochs: int = 200  # 1 or more
    side: int = 224  # side of the network's square input, px, 32 or more
    rate: float = 0.2  # peak learning rate at `batch`; a batch of b uses rate * b / batch
    batch: int = 256  # largest number of examples in a batch
    momentum: float = 0.9  # of SGD
    decay: float = 1e-4  # weight decay
    warmup: float = 0.05  # share of all steps over which the learning rate rises from 0


def batch_size(recipe: Recipe, n: int) -> int:
    """Halve the recipe's batch until n examples give enough steps in an epoch; at most n."""
    batch = recipe.batch
    while batch > _LEAST_BATCH and n // batch < _LEAST_STEPS:
        batch //= 2
    return min(batch, n)


def rate_at(recipe: Recipe, batch: int, step: int, steps: int) -> float:
    """Compute the learning rate at a step: linear warm-up, then half a cosine down to 0."""
    peak = recipe.rate * batch / recipe.batch
    warm = recipe.warmup * steps
    if step < warm:
        return peak * (step + 1) / (warm + 1)
    return peak * (1 + math.cos(math.pi * (step - warm) / (steps - warm))) / 2


@dataclass(frozen=True, slots=True)
class Scores:
    """The accuracies of classifiers, trained alike with different seeds, on one test set."""

    top1: tuple[float, ...]  # top-1 accuracy of each training, 0 to 1
    # top-5 accuracy of each training, 0 to 1
    top5: tuple[float, ...]
    # (classes, classes) test images of class i predicted as class j, summed over the trainings
    confusion: NDArray[np.int64]

    @property
    def by_class(self) -> tuple[float | None, ...]:
        """Top-1 accuracy of each class over all trainings, None for a class without test images."""
        tests, right = self.confusion.sum(1), self.confusion.diagonal()
        return tuple(float(r / n) if n else None for r, n in zip(right, tests, strict=True))


def scores(answers: Sequence[NDArray[np.int64]], labels: Sequence[int], n_classes: int) -> Scores:
    """Compute the accuracies of several trainings from their predictions on one test set.

    Args:
        answers: for each training (n, k) class numbers: the k most probable of each image, most
            probable first.
        labels: n true class numbers.
        n_classes: number of classes.
    """
    truth = np.asarray(labels)
    confusion = np.zeros((n_classes, n_classes), np.int64)
    for predicted in answers:
        np.add.at(confusion, (truth, predicted[:, 0]), 1)
    top1 = tuple(float(np.mean(predicted[:, 0] == truth)) for predicted in answers)
    top5 = tuple(float(np.mean((predicted == truth[:, None]).any(1))) for predicted in answers)
    return Scores(top1, top5, confusion)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingTask:
    """The training examples of some classifiers, and the sets that they are tested on."""

    name: str  # name of the training data in progress messages
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
    """Train one classifier for each task and seed, and test each on the task's test sets.

    Returns:
        One list for each task, with the scores of each of its test sets. The list is empty in
        every process but the first.
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
    """Return the first process's list of due trainings, so that all processes train the same."""
    if distributed.world() == 1:
        return due
    from rldf.evaluation.classifier import first_of

    return first_of(due)


class _Trainer:
    """Trains and tests classifiers; uses cached weights and predictions where there are some."""

    def __init__(
        self, n_classes: int, recipe: Recipe, cache: EvaluationCache, progress: Progress
    ) -> None:
        self._n_classes, self._recipe = n_classes, recipe
        self._cache, self._progress = cache, progress
        # kept in memory, since another process may shrink the cache
        self._weights: dict[str, Weights] = {}
        self._answers: dict[str, NDArray[np.int64]] = {}

    def owes(self, task: TrainingTask, seed: int) -> bool:
        """Return whether the cache lacks both the weights and some predictions of a training."""
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
        """Train one classifier, resuming from its checkpoint if there is one."""
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
        """Return the k most probable classes of each image, most probable first: (n, k)."""
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
