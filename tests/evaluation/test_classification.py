"""What is downstream: grades by hand, and trainings that are never done twice."""

import numpy as np
import pytest

from rldf.evaluation import classifier
from rldf.evaluation.classification import Recipe, TrainingTask, scores, train_and_test
from rldf.evaluation.examples import take_examples
from rldf.evaluation.features import EvaluationCache
from rldf.evaluation.image_sets import open_images, read_contents
from tests.evaluation.sets import COLOURS, write_set


def test_scores_are_those_counted_by_hand():
    labels = [0, 0, 1, 2]
    first = np.array([[0, 1], [1, 0], [1, 2], [0, 1]])
    second = np.array([[0, 1], [0, 1], [2, 1], [2, 0]])
    found = scores([first, second], labels, 4)
    assert found.top1 == (0.5, 0.75)
    assert found.top5 == (0.75, 1.0)
    assert found.confusion.tolist() == [[3, 1, 0, 0], [0, 1, 1, 0], [1, 0, 1, 0], [0, 0, 0, 0]]
    assert found.by_class == (0.75, 0.5, 0.5, None)


def examples(root, split):
    images = open_images(root)
    return take_examples(images, read_contents(images), tuple(COLOURS), {split}, {})


@pytest.fixture
def task(tmp_path):
    root = write_set(tmp_path / "set", {"train": 8, "val": 5})
    return TrainingTask(
        name="set", examples=examples(root, "train"), tests=(examples(root, "val"),)
    )


class Teacher:
    """Stands for the network: remembers the seed, and answers by it."""

    def __init__(self, monkeypatch):
        self.trained, self.asked = [], 0
        monkeypatch.setattr(classifier, "train", self.train)
        monkeypatch.setattr(classifier, "predict", self.predict)

    def train(self, examples, n_classes, recipe, seed, checkpoint, progress):
        self.trained.append(seed)
        checkpoint.write_bytes(b"half-way")
        progress(recipe.epochs)
        return {"seed": np.array(seed)}

    def predict(self, weights, n_classes, test, side):
        self.asked += 1
        right = np.array(test.labels)
        return np.stack([right if weights["seed"] else 0 * right, right], 1)


def test_trainings_and_answers_are_kept(tmp_path, task, monkeypatch):
    teacher, told = Teacher(monkeypatch), []
    cache = EvaluationCache(tmp_path / "cache")

    def ask(seeds, **recipe):
        return train_and_test(
            [task], 3, Recipe(**recipe), seeds, cache, lambda *step: told.append(step)
        )

    ((first,),) = ask(range(2), epochs=4)
    assert first.top1 == (pytest.approx(1 / 3), 1.0)
    assert (teacher.trained, teacher.asked) == ([0, 1], 2)
    assert [step[1:] for step in told] == [(4, 4), (4, 4)]
    assert not list((tmp_path / "cache").rglob("*.part")), "a half-way state was left behind"
    ((again,),) = ask(range(2), epochs=4)
    assert again.top1 == first.top1
    assert (teacher.trained, teacher.asked) == ([0, 1], 2)
    ask(range(3), epochs=4)
    assert teacher.trained == [0, 1, 2]
    ask(range(1), epochs=5)
    assert teacher.trained == [0, 1, 2, 0]


def test_a_new_test_of_a_known_training_trains_nothing(tmp_path, task, monkeypatch):
    teacher, cache = Teacher(monkeypatch), EvaluationCache(tmp_path / "cache")
    train_and_test([task], 3, Recipe(epochs=1), [0], cache, lambda *_: None)
    other = examples(write_set(tmp_path / "other", {"val": 2}, seed=5), "val")
    asked = TrainingTask(name="set", examples=task.examples, tests=(*task.tests, other))
    ((_, found),) = train_and_test([asked], 3, Recipe(epochs=1), [0], cache, lambda *_: None)
    assert found.confusion.sum() == 6
    assert (teacher.trained, teacher.asked) == ([0], 2)


def test_any_process_but_the_first_trains_and_says_nothing(tmp_path, task, monkeypatch):
    teacher = Teacher(monkeypatch)
    monkeypatch.setenv("RANK", "1")
    assert (
        train_and_test([task], 3, Recipe(epochs=1), [0], EvaluationCache(tmp_path / "s"), print)
        == []
    )
    assert (teacher.trained, teacher.asked) == ([0], 0)
    assert not list((tmp_path / "s").rglob("*.safetensors"))


def test_the_first_process_decides_what_is_trained(tmp_path, task, monkeypatch):
    teacher = Teacher(monkeypatch)
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(classifier, "first_of", lambda due: [1])
    train_and_test(
        [task], 3, Recipe(epochs=1), [5, 6], EvaluationCache(tmp_path / "cache"), lambda *_: None
    )
    assert teacher.trained == [6]
