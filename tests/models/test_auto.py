"""What `auto` stands for, and what a model set file may say of the hub."""

import pytest

from rldf.errors import ConfigError, ModelMissingError
from rldf.grammar import load_grammar
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
        ("{class: diffusion, id: a/b, with: {vae: {id: a}}}", "with.vae.id"),
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
    path.write_text(HEAD + "{class: drawn, with: {vae: {path: v}}}")
    with pytest.raises(ConfigError, match=r"generator\.with: no vae; drawn takes none"):
        _ = load_model_set(str(path)).generator
