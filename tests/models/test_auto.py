"""What `auto` stands for, and what a model set file may say of the hub."""

import json
from pathlib import Path

import pytest

from rldf.cli import doctor
from rldf.cli import models as models_command
from rldf.errors import ConfigError, ModelMissingError
from rldf.grammar.grammar import load_grammar
from rldf.models import model_sets
from rldf.models.auto import AUTO, REAL, choose
from rldf.models.model_sets import auto_choice, load_model_set, model_set_names

PART = "detector: {class: yolo, path: d}\nscene: {class: clip-zero-shot}\n"
HEAD = f"name: mine\n{PART}clip: {{class: open-clip, path: c}}\ngenerator: "


@pytest.mark.parametrize(
    ("complete", "gpu", "name", "why"),
    [
        ((), True, "pocket", "no real models"),
        (("sdxl",), False, "pocket", "type --models sdxl"),
        (("sdxl",), True, "sdxl", "there is a GPU"),
        (("sdxl", "sd14"), True, "sd14", "there is a GPU"),
    ],
)
def test_the_first_complete_real_set_where_there_is_a_gpu(complete, gpu, name, why):
    choice = choose(lambda name: name in complete, lambda: gpu)
    assert choice.name == name
    assert why in choice.why
    assert str(choice) == f"models: {name} ({choice.why})"


def test_the_gpu_is_looked_for_only_where_it_matters():
    assert choose(lambda name: False, pytest.fail).name == "pocket"


def test_every_shipped_set_can_be_chosen_and_names_a_grammar():
    assert set(model_set_names()) == {"pocket", *REAL}
    for name in model_set_names():
        file = load_model_set(name).file
        assert file.name == name
        assert load_grammar(file.grammar)
        assert all(source.license for source in file.hub_sources().values())


def test_a_damaged_lock_file_of_a_set_that_is_not_asked_for_stops_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("RLDF_DATA", str(tmp_path))
    lock = load_model_set("sd14").lock.path
    lock.parent.mkdir(parents=True)
    lock.write_text("{")
    assert auto_choice().name == "pocket"
    (lack,) = load_model_set("sd14").lacks()
    assert "is damaged" in lack
    assert doctor.model_sets()["sd14"] == [lack]
    assert models_command._summary(load_model_set("sd14"))["missing"] == [lack]
    with pytest.raises(ConfigError, match="is damaged"):
        _ = load_model_set("sd14").clip


def test_nothing_is_there_before_a_pull():
    assert auto_choice().name == load_model_set(AUTO).file.name == "pocket"
    sd14 = load_model_set("sd14")
    assert "CompVis/stable-diffusion-v1-4 (not pulled)" in sd14.missing()
    assert sd14.missing("scene") == []
    with pytest.raises(ModelMissingError, match="type 'rldf models pull sd14'"):
        _ = sd14.clip


@pytest.mark.parametrize(
    ("generator", "told"),
    [
        ("{class: diffusion, id: a/b, path: x}", "a path or an id, not both"),
        ("{class: diffusion, revision: %s}" % ("a" * 40), "belong to an id"),
        ("{class: diffusion, id: a/b, revision: main}", "generator.revision"),
        ("{class: diffusion, id: ../../x}", "generator.id"),
        ("{class: diffusion, id: a/b, file: ../../x.pt}", "generator.file"),
        ("{class: diffusion, id: a/b, components: {vae: {id: a}}}", "components.vae.id"),
    ],
)
def test_what_a_file_may_not_say_of_the_hub(tmp_path, generator, told):
    path = tmp_path / "mine.yaml"
    path.write_text(HEAD + generator)
    with pytest.raises(ConfigError) as caught:
        load_model_set(str(path))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_extra_that_the_class_does_not_take_is_refused(tmp_path):
    path = tmp_path / "mine.yaml"
    (tmp_path / "v").mkdir()
    path.write_text(HEAD + "{class: drawn, components: {vae: {path: v}}}")
    with pytest.raises(ConfigError, match=r"generator\.components: no vae; drawn takes none"):
        _ = load_model_set(str(path)).generator


def test_show_tells_people_all_of_a_shipped_set(call):
    code, out, err = call("models", "show", "sd14")
    assert (code, err) == (0, "")
    for words in (
        "CompVis/stable-diffusion-v1-4@133a221b8aa7  pinned by the set", "creativeml-openrail-m",
        "stabilityai/sd-vae-ft-mse", "Ultralytics/YOLOv8", "the first pull settles it", "agpl-3.0",
        "timm/vit_large_patch14_clip_224.openai", "grammar photo", "domain photographs",
        "type 'rldf models pull sd14'", "generator, size: 512", "generator, steps: 20",
        "generator, guidance: 7.5", "generator, scheduler: dpm-solver", "negative prompt: blurry",
        "clip-zero-shot", "rldf models import-places365", "sd14.lock.json",
    ):  # fmt: skip
        assert words in out


def test_list_tells_sizes_where_they_are_known(call):
    code, out, _ = call("models", "list")
    assert code == 0
    assert out.splitlines()[0].startswith("pocket         complete  4")
    assert " MB " in out.splitlines()[0]
    assert "without --models: pocket (no real models are here" in out


@pytest.mark.parametrize(
    ("complete", "why"),
    [((), "no real models are here"), (("sd14",), "sd14 is here too, but no GPU for it")],
)
def test_what_auto_took_is_told_once_and_stands_in_the_run(call, monkeypatch, complete, why):
    found = choose(lambda name: name in complete, lambda: False)
    monkeypatch.setattr(model_sets, "choose", lambda *_: found)
    example = Path(__file__).parents[2] / "examples" / "dog-in-park.png"
    code, _, err = call("search", example, "--renders", "4", "--out", "run", "--quiet")
    assert code == 0, err
    assert err.count("models: pocket (") == 1
    record = json.loads(Path("run/run.json").read_text())
    assert why in record["model_choice"]
    assert record["config"]["models"] == "pocket"
