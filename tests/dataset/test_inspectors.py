"""Which images are turned down, by scripted models."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rldf.dataset.filters import (
    ClipFilter,
    DetectorFilter,
    SafetyFilter,
    all_of,
    blank_filter,
    has_safety_checker,
)
from rldf.dataset.plan import make_plan
from rldf.dataset.render import write_config
from rldf.errors import ConfigError, UsageError
from rldf.models.model_sets import load_model_set
from tests.dataset.clones import DRAWN, plan_config
from tests.doubles import Scripted, picture, thing

PLAN = make_plan(plan_config())
IMAGES = [PLAN.image(i) for i in range(3)]


def noun(image):
    axis = PLAN.grammar.reading("object")
    return axis.values[image.encoding[PLAN.grammar.axes.index(axis)]]


def test_the_first_reason_counts_and_later_ones_see_the_rest_alone():
    seen = []

    def other(images, planned):
        seen.extend(what.index for what in planned)
        return ["unseen" if what.index == 2 else "" for what in planned]

    images = [Image.new("RGB", (8, 8)), Image.effect_noise((8, 8), 90).convert("RGB")] * 2
    found = all_of([blank_filter, other])(images[:3], IMAGES)
    assert found == ["black", "", "black"]
    assert seen == [1]


def test_a_detector_must_see_the_class():
    label = noun(IMAGES[0]).labels[0]
    other = noun(IMAGES[1]).labels[0]
    readers = Scripted({1: [thing(other), thing(label)], 2: [thing(other)]}, {})
    look = DetectorFilter(PLAN, readers.detector)
    images = [picture(n) for n in (1, 2, 3)]
    assert look(images, [IMAGES[0]] * 3) == ["", "unseen", "unseen"]
    assert look(images, IMAGES) == ["", "", "unseen"]
    assert look([], []) == []


def test_a_detector_that_has_no_label_for_a_class_is_refused():
    place = PLAN.grammar.axes.index(PLAN.grammar.reading("object"))
    axes = list(PLAN.grammar.axes)
    values = tuple(replace(value, labels=()) for value in axes[place].values)
    axes[place] = replace(axes[place], values=values)
    grammar = replace(PLAN.grammar, axes=tuple(axes))
    blind = make_plan(PLAN.config.model_copy(update={"grammar": grammar}))
    with pytest.raises(UsageError, match="and 2 more classes: type --verify-labels clip"):
        DetectorFilter(blind, Scripted({}, {}))


class NounClip(Scripted):
    """Knows a sentence by its noun alone."""

    def embed_texts(self, texts):
        stems = [noun(image).name[:6] for image in IMAGES]
        return np.array([[stem in text for stem in stems] for text in texts], np.float32)


def test_clip_must_find_the_class_nearest_of_all():
    seen = {1: (1, 0.2, 0.2), 2: (0.5, 0.6, 0), 3: (0.1, 0.1, 0.9)}
    look = ClipFilter(PLAN, NounClip({}, {}, images=seen).clip)
    assert look([picture(1), picture(2)], [IMAGES[0]] * 2) == ["", "unseen"]
    assert look([picture(n) for n in (1, 2, 3)], IMAGES) == [""] * 3
    assert look([picture(n) for n in (2, 3, 1)], IMAGES) == ["unseen"] * 3
    assert look([], []) == []


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    """A folder in the layout of Stable Diffusion whose safety checker has random weights."""
    import torch
    from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
    from transformers import CLIPConfig, CLIPImageProcessor

    root = tmp_path_factory.mktemp("pipeline")
    small = {"hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 2,
             "num_hidden_layers": 1}  # fmt: skip
    torch.manual_seed(0)
    checker = StableDiffusionSafetyChecker(
        CLIPConfig(
            text_config=small, vision_config=small | {"image_size": 32, "patch_size": 8},
            projection_dim=8,
        )
    )  # fmt: skip
    checker.save_pretrained(root / "safety_checker")
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=32).save_pretrained(
        root / "feature_extractor"
    )
    index = {"safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"]}
    (root / "model_index.json").write_text(json.dumps(index))
    return root, checker


def model_set(path):
    from rldf.models.model_set import ModelSet

    models = load_model_set(DRAWN, "cpu")
    part = models.file.generator.model_copy(update={"path": str(path), "kind": "diffusion"})
    return ModelSet(models.file.model_copy(update={"generator": part}), path, "cpu")


@pytest.mark.parametrize(("limit", "reason"), [(2.0, ""), (-2.0, "flagged")])
def test_what_the_safety_checker_flags_is_turned_down(pipeline, limit, reason):
    import torch

    root, checker = pipeline
    models = model_set(root)
    assert has_safety_checker(models)
    look = SafetyFilter(models, "cpu")
    for name in ("concept_embeds_weights", "special_care_embeds_weights"):
        getattr(look._checker, name).data = torch.full_like(getattr(checker, name), limit)
    images = [Image.effect_noise((40, 40), 90).convert("RGB") for _ in range(3)]
    before = [image.tobytes() for image in images]
    assert look(images, IMAGES) == [reason] * 3
    assert [image.tobytes() for image in images] == before
    assert look([], []) == []


def test_a_model_set_without_a_safety_checker_has_none(tmp_path):
    assert not has_safety_checker(load_model_set("pocket", "cpu"))
    assert not has_safety_checker(load_model_set(DRAWN, "cpu"))
    (tmp_path / "model_index.json").write_text('{"safety_checker": [null, null]}')
    assert not has_safety_checker(model_set(tmp_path))


def test_a_safety_checker_that_is_not_there_is_no_reason_to_go_without(tmp_path):
    index = {"safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"]}
    (tmp_path / "model_index.json").write_text(json.dumps(index))
    with pytest.raises(ConfigError, match="repair its folder, or type --no-safety-checker"):
        SafetyFilter(model_set(tmp_path), "cpu")


@pytest.mark.parametrize(
    ("place", "entries", "said"),
    [
        ("safety_checker/config.json", {"_attn_implementation": "them/kernel"}, "names code"),
        ("safety_checker/config.json", {"auto_map": {"AutoModel": "evil.M"}}, "names code"),
        ("feature_extractor/preprocessor_config.json", {"crop_size": 10**6}, "larger than in any"),
        ("safety_checker/evil.py", None, "is code"),
    ],
)
def test_a_safety_checker_is_looked_through_like_any_model(
    pipeline, tmp_path, place, entries, said
):
    root = Path(shutil.copytree(pipeline[0], tmp_path / "sd"))
    held = {} if entries is None else json.loads((root / place).read_text())
    (root / place).write_text(json.dumps(held | (entries or {})))
    with pytest.raises(ConfigError, match=said):
        SafetyFilter(model_set(root), "cpu")


def test_the_record_tells_a_checker_that_was_left_out_from_none(pipeline):
    def recorded(models, wanted):
        return write_config(
            models, 10, format="imagefolder", verify_labels=None, safety_checker=wanted
        ).safety_checker

    shipped, without = model_set(pipeline[0]), load_model_set(DRAWN, "cpu")
    assert [recorded(shipped, wanted) for wanted in (True, False)] == ["on", "off"]
    assert [recorded(without, wanted) for wanted in (True, False)] == ["none", "none"]


@pytest.mark.parametrize("part", ["safety_checker", "feature_extractor"])
def test_a_safety_checker_that_names_code_is_refused(pipeline, tmp_path, part):
    folder = shutil.copytree(pipeline[0], tmp_path / "pipeline")
    (folder / part / "evil.py").write_text("")
    with pytest.raises(ConfigError, match=r"cannot be loaded .*evil\.py is code"):
        SafetyFilter(model_set(folder), "cpu")
