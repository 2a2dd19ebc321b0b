"""Copies and pickles of everything that a user can hold."""

import copy
import gc
import os
import pickle
import re
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch
from PIL import Image

from rldf import registry as catalog
from rldf.agents.options import make_agent, takes
from rldf.agents.protocol import Transition
from rldf.generators.cached import CachedGenerator
from rldf.generators.images_api import ImagesApiGenerator
from rldf.grammar.grammar import load_grammar
from rldf.gridworld import Gridworld
from rldf.io.images import read_image
from rldf.io.resources import names
from rldf.models.model_sets import load_model_set
from rldf.perception.encoder import Encoder
from rldf.rewards.context import RewardContext
from rldf.rewards.files import build_reward, load_reward_file
from rldf.runs.config import SearchConfig, build_search
from rldf.runs.env import EncodingGridEnv
from rldf.sharing import Remade
from tests.doubles import picture
from tests.perception import tiny

ROOT = Path(__file__).resolve().parent.parent
ZEBRA = ROOT / "examples" / "zebra-in-snow.png"
NAME = "rldf.runs.env:rldf/EncodingGrid-v0"
GRAMMAR = load_grammar("base")
ROLES = ("generator", "detector", "scene", "clip")


def again(thing):
    return pickle.loads(pickle.dumps(thing))


def quick(pocket):
    """The shipped models, drawing in two steps."""
    return pocket.replaced("generator", {"steps": 2})


def context(models):
    image = read_image(ZEBRA)
    encoder = Encoder(GRAMMAR, models)
    return RewardContext(
        image=image, reading=encoder.encode(image), encoder=encoder, readers=models
    )


def parts(pocket, folder, reward="clip"):
    models = quick(pocket)
    return {
        "grammar": GRAMMAR,
        "generator": CachedGenerator(models.generator, folder),
        "reward": build_reward(load_reward_file(reward), context(models)),
        "goal": (0, 4, 0, 4),
    }


@pytest.fixture(scope="module")
def environment(pocket, tmp_path_factory):
    made = EncodingGridEnv(**parts(pocket, tmp_path_factory.mktemp("cache"), "combined"))
    made.reset(seed=3, options={"start": (0, 0, 0, 0)})
    made.step(3)
    made.draw_ahead([(0, 2, 0, 0), (0, 3, 0, 0)], 100)
    return made


def walked(made, actions):
    return [made.step(action)[:2] for action in actions]


def same_walk(one, other):
    return all(np.array_equal(a, b) and r == s for (a, r), (b, s) in zip(one, other, strict=True))


def test_a_copy_of_an_environment_walks_by_itself_and_pays_the_same(environment):
    before = environment.state, environment.renders, environment.ahead
    copied = copy.deepcopy(environment)
    there = walked(copied, (3, 5, 7))
    assert (environment.state, environment.renders, environment.ahead) == before
    assert same_walk(there, walked(copy.deepcopy(environment), (3, 5, 7)))
    one, other = copy.deepcopy(environment), copy.deepcopy(environment)
    assert one.reset()[0].tolist() == other.reset()[0].tolist()


def tensor_bytes():
    gc.collect()
    tensors = [thing for thing in gc.get_objects() if type(thing) is torch.nn.Parameter]
    return sum(tensor.nbytes for tensor in tensors)


def test_a_copy_of_an_environment_adds_less_than_a_megabyte(environment):
    weights = tensor_bytes()
    assert weights > 5_000_000
    tracemalloc.start()
    copied = copy.deepcopy(environment)
    added = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert added < 1_000_000
    assert tensor_bytes() == weights
    assert copied.image() is environment.image()  # Pillow's memory is not traced


def test_a_pickle_of_an_environment_holds_no_weights_and_walks_on(environment):
    written = pickle.dumps(environment)
    assert len(written) < 1_000_000
    read = pickle.loads(written)
    assert (read.state, read.renders, read.ahead) == (
        environment.state, environment.renders, environment.ahead,
    )  # fmt: skip
    assert same_walk(walked(read, (3, 5, 7)), walked(copy.deepcopy(environment), (3, 5, 7)))


def test_the_large_images_that_an_environment_holds_are_shared(pocket):
    large = Image.new("RGB", (1024, 1024))
    given = replace(context(pocket), image=large)
    assert copy.deepcopy(given).image is large

    class Painter:
        identity = {}  # noqa: RUF012

        def generate(self, sentences, seeds):
            return [Image.new("RGB", (1024, 1024)) for _ in seeds]

    made = EncodingGridEnv(
        grammar=GRAMMAR, generator=Painter(), reward=lambda images: np.zeros(len(images))
    )
    made.reset(seed=0, options={"start": (0, 0, 0, 0)})
    made.step(3)
    made.draw_ahead([(0, 2, 0, 0)], 9)
    other = copy.deepcopy(made)
    assert other.image() is made.image()
    other.step(3)
    made.step(3)
    assert other.image() is made.image()


@pytest.mark.parametrize("role", ROLES)
def test_a_model_is_its_own_copy_and_is_remade_from_a_few_bytes(pocket, role):
    models = quick(pocket)
    model = getattr(models, role)
    assert copy.deepcopy(model) is model
    assert copy.copy(model) is model
    assert len(pickle.dumps(model)) < 10_000
    read = again(model)
    assert read is not model
    drawn = models.generator.generate(["a photo of one zebra in a snowfield"], [3])
    if role == "generator":
        found = read.generate(["a photo of one zebra in a snowfield"], [3])
        assert found[0].tobytes() == drawn[0].tobytes()
        assert read.identity == model.identity
    elif role == "detector":
        assert read.detect(drawn) == model.detect(drawn)
    elif role == "scene":
        assert read.classify(drawn) == model.classify(drawn)
    else:
        assert np.array_equal(read.embed_images(drawn), model.embed_images(drawn))


def test_a_model_set_is_remade_with_its_options_and_loads_each_part_once(pocket):
    models = pocket.replaced("generator", {"steps": 3, "guidance": 2.0})
    assert copy.deepcopy(models) is models
    clip = models.clip
    read, read_clip, encoder = again((models, clip, Encoder(GRAMMAR, models)))
    assert read.identity() == models.identity()
    assert read.clip is read_clip
    assert encoder._readers is read


def test_a_set_of_ones_own_is_remade_from_another_folder(tmp_path, monkeypatch):
    shipped = (ROOT / "rldf" / "models" / "sets" / "pocket.yaml").read_text()
    weights = (ROOT / "rldf" / "pocket" / "weights").as_posix()
    (tmp_path / "mine.yaml").write_text(re.sub(r"\.\./\.\./pocket/weights", weights, shipped))
    monkeypatch.chdir(tmp_path)
    models = load_model_set("mine.yaml")
    written = pickle.dumps((models, models.scene))
    monkeypatch.chdir(ROOT)
    read, scene = pickle.loads(written)
    assert scene.classify([picture(7)]) == models.scene.classify([picture(7)])
    assert read.lock.path == tmp_path / "mine.lock.json"


def test_every_entry_that_holds_a_model_is_remade():
    """A new one that is not would fail in other processes alone."""
    for kind in ("generators", "detectors", "scenes", "clips"):
        for name in catalog.CATALOG[kind]:
            assert issubclass(catalog.find(kind, name), Remade), name


@pytest.mark.parametrize(
    ("name", "make", "options"),
    [
        ("object-detection", tiny.detr, {"confidence": 0.1}),
        ("zero-shot-object-detection", tiny.owlv2, {"labels": "dog,sofa", "confidence": 0.0}),
    ],
)
def test_a_detector_made_by_hand_is_remade(tmp_path, name, make, options):
    detector = catalog.find("detectors", name)(path=make(tmp_path / "model"), **options)
    assert copy.deepcopy(detector) is detector
    assert again(detector).detect([picture(700)]) == detector.detect([picture(700)])


def test_a_key_is_in_no_pickle(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    generator = ImagesApiGenerator(model="m", base_url="http://localhost:9/v1")
    written = pickle.dumps(generator)
    assert b"very-secret" not in written
    assert pickle.loads(written).identity == generator.identity
    assert pickle.loads(written)._client._headers == generator._client._headers


@pytest.mark.parametrize("name", names("rewards"))
def test_a_reward_pays_the_same_as_a_copy_and_from_a_pickle(pocket, name):
    reward = build_reward(load_reward_file(name), context(pocket))
    images = [read_image(path) for path in sorted((ROOT / "examples").glob("*.png"))[:3]]
    paid = reward(images).tolist()
    assert copy.deepcopy(reward)(images).tolist() == paid
    assert len(pickle.dumps(reward)) < 200_000
    assert again(reward)(images).tolist() == pytest.approx(paid, abs=1e-6)


@pytest.mark.parametrize("name", names("grammars"))
def test_a_grammar_is_its_own_copy_and_is_pickled(name):
    grammar = load_grammar(name)
    assert copy.deepcopy(grammar) is grammar
    assert again(grammar) == grammar


def learned(name, world):
    agent = make_agent(
        name, world, np.random.default_rng(1), {"epsilon": "0.3"} if takes(name, "epsilon") else {}
    )
    steps(agent, world, world.random_state(np.random.default_rng(2)), 12)
    return agent


def steps(agent, world, state, n):
    """Walk on with an agent; what it wanted to see tells all that it knows."""
    agent.begin_episode(state)
    wanted = []
    for _ in range(n):
        wanted.append(agent.propose(state, world.action_mask(state)))
        path = world.path(state, wanted[-1][0])
        for action in path[:-1]:
            state = world.move(state, action)
        moved = world.move(state, path[-1])
        agent.update(
            Transition(
                state=state, action=path[-1], reward=float(sum(moved)), continues=1.0,
                next_state=moved, next_mask=world.action_mask(moved),
            )
        )  # fmt: skip
        state = moved
    return wanted


@pytest.mark.parametrize("how", [copy.deepcopy, again])
@pytest.mark.parametrize("name", catalog.CATALOG["agents"])
def test_an_agent_goes_on_the_same_as_a_copy_and_from_a_pickle(name, how):
    world = Gridworld((3, 4, 5))
    agent = learned(name, world)
    other = how(agent)
    once = steps(agent, world, (0, 0, 0), 8)
    assert steps(other, world, (0, 0, 0), 8) == once


@pytest.mark.parametrize("how", [copy.deepcopy, again])
@pytest.mark.parametrize("name", ["q", "dyna-q"])
def test_an_agent_of_a_world_too_large_for_a_table_too(name, how):
    world = Gridworld((1000, 1000, 1000))
    agent = learned(name, world)
    other = how(agent)
    other.q.seed = 5  # rows that were never read are drawn by each for itself
    assert not np.array_equal(other.q.row(123), agent.q.row(123))
    again_learned = how(agent)
    assert np.array_equal(again_learned.q.row(77), agent.q.row(77))


def test_gymnasium_remembers_how_it_made_an_environment(pocket, tmp_path):
    made = gym.make(NAME, **parts(pocket, tmp_path), max_episode_steps=2)
    assert made.spec is not None
    twin = made.spec.make()
    for one in (made, twin):
        one.reset(seed=1, options={"start": (0, 0, 0, 0)})
    assert same_walk(walked(made, (3, 3)), walked(twin, (3, 3)))
    assert twin.unwrapped._generator is not made.unwrapped._generator
    assert twin.unwrapped._generator._generator is made.unwrapped._generator._generator
    assert pickle.loads(pickle.dumps(made)).spec is not None


@pytest.mark.parametrize("reward", ["clip", "partial"])
def test_gymnasium_walks_in_processes_that_are_started_afresh(pocket, tmp_path, reward):
    given = parts(pocket, tmp_path / "cache", reward)
    many = gym.make_vec(
        NAME, num_envs=1, vectorization_mode="async", vector_kwargs={"context": "spawn"}, **given
    )
    try:
        start = {"options": {"start": (0, 0, 0, 0)}}
        many.reset(seed=5, **start)
        here = gym.make(NAME, **given)
        here.reset(seed=5, **start)
        for action in (3, 7):
            there = many.step(np.array([action]))
            assert there[1][0] == pytest.approx(here.step(action)[1], abs=1e-6)
    finally:
        many.close()


@pytest.mark.slow
def test_the_page_on_environments_trains_ppo_on_four_processes(tmp_path):
    """400 steps of Stable-Baselines3's PPO with the shipped pipeline, as the page shows it."""
    page = (ROOT / "docs" / "environment.md").read_text(encoding="utf-8")
    programs = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (program,) = (program for program in programs if "PPO" in program)
    script = tmp_path / "ppo.py"
    script.write_text(program)
    told = os.environ | {"RLDF_CACHE": str(tmp_path / "cache"), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, str(script)], cwd=ROOT, env=told, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "400 steps, 4 processes" in done.stdout


@pytest.mark.slow
def test_stable_baselines_vector_environments_take_an_environment(pocket, tmp_path):
    from functools import partial

    from stable_baselines3.common.env_util import make_vec_env
    from stable_baselines3.common.vec_env import SubprocVecEnv

    given = parts(pocket, tmp_path)
    environment = EncodingGridEnv(**given)
    by_hand = SubprocVecEnv([partial(copy.copy, environment)] * 2, start_method="spawn")
    by_name = make_vec_env(
        NAME, 2, seed=1, env_kwargs=given,
        vec_env_cls=SubprocVecEnv, vec_env_kwargs={"start_method": "spawn"},
    )  # fmt: skip
    for many in (by_hand, by_name):
        assert many.reset().shape == (2, 4)
        assert many.step([3, 7])[1].shape == (2,)
        many.close()


def test_a_whole_search_can_be_copied_and_sent(pocket):
    task = build_search(SearchConfig(image=str(ZEBRA), models="pocket", reward="clip"), pocket)
    for other in (copy.deepcopy(task), again(task)):
        assert other.config == task.config
        assert other.reading == task.reading
        assert other.environment.goal == task.environment.goal
