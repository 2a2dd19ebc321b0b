"""`import rldf`: what it exports, what it takes for an image, and how it says no."""

import importlib.util
import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import rldf
from rldf.errors import ImageError, RunError, UsageError
from rldf.models.model_set import ModelSet
from rldf.models.model_sets import load_model_set

ROOT = Path(__file__).resolve().parents[1]
ZEBRA = ROOT / "examples" / "zebra-in-snow.png"
SENTENCE = "a photo of one zebra and no people in a snowfield"


@pytest.fixture(scope="module")
def drawn() -> ModelSet:
    return load_model_set(str(ROOT / "tests" / "drawn.yaml"))


def test_import_loads_nothing_but_the_package_itself() -> None:
    code = "import sys, rldf; print(*(m for m in sys.modules if m.startswith(('rldf', 'numpy'))))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["rldf"]


def test_every_exported_name_is_there_and_documented() -> None:
    for name in rldf.__all__:
        assert name in dir(rldf)
        value = getattr(rldf, name)
        assert name == "__version__" or inspect.getdoc(value)
    with pytest.raises(AttributeError, match="no_such_name"):
        rldf.no_such_name  # noqa: B018


def test_the_types_that_an_editor_sees_are_those_that_are_exported() -> None:
    source = inspect.getsource(rldf)
    for name in set(rldf.__all__) - {"__version__"}:
        assert f" as {name}\n" in source, name


@pytest.mark.parametrize("name", sorted(set(rldf.__all__) - {"__version__"}))
def test_no_package_has_the_name_of_a_function(name: str) -> None:
    """Whoever imports a module of such a package finds the package in the function's place."""
    assert importlib.util.find_spec(f"rldf.{name}") is None


@pytest.mark.parametrize("form", ["path", "text", "pil", "rgb", "rgba"])
def test_an_image_is_read_the_same_in_every_form(form: str, drawn: ModelSet) -> None:
    opened = Image.open(ZEBRA)
    image = {
        "path": ZEBRA,
        "text": str(ZEBRA),
        "pil": opened,
        "rgb": np.asarray(opened.convert("RGB")),
        "rgba": np.asarray(opened.convert("RGBA")),
    }[form]
    assert rldf.encode(image, models=drawn).sentence == SENTENCE


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((8, 8, 3), np.float32),
        np.zeros((8, 8, 2), np.uint8),
        np.zeros((0, 8, 3), np.uint8),
        np.zeros((2, 8, 8, 3), np.uint8),
        42,
        ROOT / "no such file.png",
    ],
)
def test_what_is_no_image_is_refused_in_one_line(image: object, drawn: ModelSet) -> None:
    with pytest.raises(ImageError) as refused:
        rldf.encode(image, models=drawn)  # type: ignore[arg-type]
    assert "\n" not in str(refused.value)


def test_a_grey_array_and_a_grey_image_read_the_same(drawn: ModelSet) -> None:
    grey = Image.open(ZEBRA).convert("L")
    pixels = np.asarray(grey)
    readings = [rldf.encode(i, models=drawn) for i in (grey, pixels, pixels[..., None])]
    assert readings[0] == readings[1] == readings[2]


def test_search_gives_the_best_step_and_its_image(
    drawn: ModelSet, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    told: list[tuple[str, int, int]] = []
    found = rldf.search(
        np.asarray(Image.open(ZEBRA).convert("RGB")),
        reward="clip",
        models=drawn,
        renders=30,
        agent="q",
        epsilon=0.2,
        out=tmp_path / "run",
        progress=lambda *values: told.append(values),
    )
    assert found.reward == max(step.reward for step in found.steps)
    assert found.goal == SENTENCE
    assert found.goal_reached == any(step.sentence == SENTENCE for step in found.steps)
    assert [done for _, done, _ in told] == [step.renders for step in found.steps]
    assert np.array_equal(found.input, np.asarray(Image.open(ZEBRA).convert("RGB")))
    assert found.image.size == (128, 128)
    assert found.to_html().startswith("<!doctype html>") and found.sentence in found.to_html()
    assert found._repr_html_().count("data:image") == 2
    assert rldf.load_result(tmp_path / "run").steps == found.steps
    assert (tmp_path / "run" / "report.html").exists()
    assert capfd.readouterr().out == ""


def test_an_image_in_memory_is_searched_for_as_its_file_and_a_resumed_search_is_the_whole_one(
    drawn: ModelSet, tmp_path: Path
) -> None:
    file = rldf.search(ZEBRA, models=drawn, renders=8, out=tmp_path / "a")
    held = rldf.search(Image.open(ZEBRA), models=drawn, renders=8, out=tmp_path / "b")
    assert [step.encoding for step in held.steps] == [step.encoding for step in file.steps]
    again = rldf.search(ZEBRA, models=drawn, renders=8, out=tmp_path / "a", resume=True)
    assert again.steps == file.steps


def test_a_search_refuses_what_it_does_not_know_and_writes_nothing(
    drawn: ModelSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"epsilom.*epsilon"):
        rldf.search(ZEBRA, models=drawn, epsilom=0.1)
    with pytest.raises(UsageError, match="out"):
        rldf.search(ZEBRA, models=drawn, resume=True)
    with pytest.raises(UsageError, match="renders"):
        rldf.search(ZEBRA, models=drawn, renders=0)
    with pytest.raises(RunError):
        rldf.load_result(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_search_does_not_write_where_something_else_lies(drawn: ModelSet, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(RunError, match=r"letter\.txt"):
        rldf.search(ZEBRA, models=drawn, out=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_an_environment_knows_the_goal_of_its_image(drawn: ModelSet) -> None:
    env = rldf.make_env(ZEBRA, models=drawn, stop="budget")
    assert env.goal is not None and env.grammar.derive(env.goal) == SENTENCE
    _, info = env.reset(seed=1)
    assert info["action_mask"].shape == (2 * len(env.grammar.shape),)


def test_a_clone_is_drawn_once_and_evaluated(drawn: ModelSet, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    inputs = [ZEBRA, Image.open(ROOT / "examples" / "dog-in-park.png")]
    made = rldf.clone(
        inputs,
        models=drawn,
        splits={"train": 8, "val": 4},
        out=tmp_path / "zoo",
        progress=lambda *values: told.append(values),
    )
    assert sorted(made.classes) == ["dog", "zebra"]
    assert (made.images, made.written) == (24, 24)
    assert made.splits == {"train": 16, "val": 8}
    assert told[-1] == ("images", 24, 24)
    again = rldf.clone(inputs, models=drawn, splits="train=8,val=4", out=tmp_path / "zoo")
    assert (again.images, again.written) == (24, 0)
    figures = rldf.evaluate(made, made.out, metrics=["prc"])
    assert figures["precision"] == figures["recall"] == 1
    assert figures["fid"] is None
    assert "precision" in figures._repr_html_()
    with pytest.raises(KeyError, match="fid"):
        figures["fidd"]


@pytest.mark.parametrize(
    "wrong",
    [{"format": "zip"}, {"image_format": "gif"}, {"verify_labels": "me"}, {"splits": "train=x"}],
)
def test_a_clone_refuses_options_that_it_does_not_know(
    wrong: dict[str, str], drawn: ModelSet, tmp_path: Path
) -> None:
    with pytest.raises(UsageError):
        rldf.clone_imagenet(1, models=drawn, out=tmp_path / "zoo", **wrong)  # type: ignore[arg-type]
    assert not (tmp_path / "zoo").exists()


def test_metrics_are_named(drawn: ModelSet, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="metrics='fdi'"):
        rldf.evaluate(tmp_path, metrics=["fdi"])
