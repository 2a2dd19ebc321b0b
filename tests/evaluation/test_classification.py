"""What is taught: grades by hand, and trainings that are never done twice."""

import numpy as np
import pytest

from rldf.evaluation import classifier
from rldf.evaluation.classification import Lesson, Recipe, scores, teach
from rldf.evaluation.examples import take_examples
from rldf.evaluation.features import Store
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
def lesson(tmp_path):
    root = write_set(tmp_path / "set", {"train": 8, "val": 5})
    return Lesson(name="set", examples=examples(root, "train"), tests=(examples(root, "val"),))


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


def test_trainings_and_answers_are_kept(tmp_path, lesson, monkeypatch):
    teacher, told = Teacher(monkeypatch), []
    store = Store(tmp_path / "store")

    def ask(seeds, **recipe):
        return teach([lesson], 3, Recipe(**recipe), seeds, store, lambda *step: told.append(step))

    ((first,),) = ask(range(2), epochs=4)
    assert first.top1 == (pytest.approx(1 / 3), 1.0)
    assert (teacher.trained, teacher.asked) == ([0, 1], 2)
    assert [step[1:] for step in told] == [(4, 4), (4, 4)]
    assert not list((tmp_path / "store").rglob("*.part")), "a half-way state was left behind"
    ((again,),) = ask(range(2), epochs=4)
    assert again.top1 == first.top1
    assert (teacher.trained, teacher.asked) == ([0, 1], 2)
    ask(range(3), epochs=4)
    assert teacher.trained == [0, 1, 2]
    ask(range(1), epochs=5)
    assert teacher.trained == [0, 1, 2, 0]


def test_a_new_test_of_a_known_training_trains_nothing(tmp_path, lesson, monkeypatch):
    teacher, store = Teacher(monkeypatch), Store(tmp_path / "store")
    teach([lesson], 3, Recipe(epochs=1), [0], store, lambda *_: None)
    other = examples(write_set(tmp_path / "other", {"val": 2}, seed=5), "val")
    asked = Lesson(name="set", examples=lesson.examples, tests=(*lesson.tests, other))
    ((_, found),) = teach([asked], 3, Recipe(epochs=1), [0], store, lambda *_: None)
    assert found.confusion.sum() == 6
    assert (teacher.trained, teacher.asked) == ([0], 2)


def test_any_process_but_the_first_trains_and_says_nothing(tmp_path, lesson, monkeypatch):
    teacher = Teacher(monkeypatch)
    monkeypatch.setenv("RANK", "1")
    assert teach([lesson], 3, Recipe(epochs=1), [0], Store(tmp_path / "s"), print) == []
    assert (teacher.trained, teacher.asked) == ([0], 0)
    assert not list((tmp_path / "s").rglob("*.safetensors"))


def test_the_first_process_decides_what_is_trained(tmp_path, lesson, monkeypatch):
    teacher = Teacher(monkeypatch)
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(classifier, "first_of", lambda due: [1])
    teach([lesson], 3, Recipe(epochs=1), [5, 6], Store(tmp_path / "store"), lambda *_: None)
    assert teacher.trained == [6]
