"""The Gymnasium environment."""

import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from rldf.environment import EncodingGridEnv
from rldf.errors import UsageError
from rldf.generators.drawn import DrawnGenerator
from rldf.grammar import load_grammar
from tests.doubles import CountingGenerator, tag_of

GRAMMAR = load_grammar("base")
GOAL = (0, 4, 0, 4)


def make(**options):
    paid = {"grammar": GRAMMAR, "generator": DrawnGenerator(), "goal": GOAL, **options}
    paid.setdefault("reward", lambda images: np.array([np.asarray(i).mean() for i in images]))
    return EncodingGridEnv(**paid)


def by_name():
    return gym.make(
        "rldf.environment:rldf/EncodingGrid-v0",
        grammar=GRAMMAR,
        generator=DrawnGenerator(),
        reward=lambda images: np.array([np.asarray(i).mean() for i in images]),
        goal=GOAL,
    )


def test_gymnasiums_checker_finds_nothing_to_warn_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(by_name().unwrapped)


def test_gymnasium_makes_it_by_name():
    environment = by_name()
    observation, information = environment.reset(seed=3)
    assert environment.observation_space.contains(observation)
    assert information["action_mask"].shape == (8,)


def test_the_goal_ends_an_episode_and_pays():
    environment = make()
    environment.reset(seed=0, options={"start": (0, 4, 0, 3)})
    observation, reward, terminated, truncated, information = environment.step(7)
    assert (tuple(observation), terminated, truncated) == (GOAL, True, False)
    assert information["distance"] == 0
    assert reward == pytest.approx(np.asarray(environment.image()).mean())


def test_past_the_goal_goes_on_where_asked():
    environment = make(stop_at_goal=False)
    environment.reset(seed=0, options={"start": (0, 4, 0, 3)})
    assert environment.step(7)[2] is False


def test_an_episode_never_starts_at_the_goal():
    environment = make(grammar=load_grammar("base"))
    starts = {tuple(environment.reset(seed=seed)[0]) for seed in range(300)}
    assert GOAL not in starts
    assert len(starts) > 200


def test_a_cell_is_drawn_and_paid_once():
    generator = CountingGenerator()
    environment = make(generator=generator, reward=lambda images: np.array([7.0] * len(images)))
    environment.reset(seed=0, options={"start": (0, 0, 0, 0)})
    news = []
    for action in (3, 2, 3, 2):
        environment.step(action)
        news.append(environment.drew)
    assert news == [True, True, False, False]
    assert environment.renders == 2
    assert len(generator.asked) == 2


def test_the_image_that_was_paid_for_is_not_drawn_again():
    generator = CountingGenerator()
    environment = make(
        generator=generator,
        dynamic_seeds=True,
        reward=lambda images: np.array([float(tag_of(image)) for image in images]),
    )
    environment.reset(seed=0, options={"start": (0, 0, 0, 0)})
    for action in (3, 3, 2):
        reward = environment.step(action)[1]
        assert tag_of(environment.image()) == reward
        environment.render()
    assert len(generator.asked) == 3
    environment.reset(options={"start": (1, 1, 1, 1)})
    environment.image()
    assert generator.asked[3:] == [(GRAMMAR.derive((1, 1, 1, 1)), 0)]


def test_a_reset_forgets_the_last_image_seed():
    environment = make(generator=CountingGenerator(), image_seed=5, dynamic_seeds=True)
    _, fresh = environment.reset(seed=0, options={"start": (0, 0, 0, 0)})
    pixels = environment.render()
    environment.step(3)
    _, again = environment.reset(seed=0, options={"start": (0, 0, 0, 0)})
    assert (fresh["image_seed"], again["image_seed"]) == (5, 5)
    assert np.array_equal(environment.render(), pixels)
    assert environment.drew is False


def test_one_image_seed_serves_all_cells_unless_seeds_are_dynamic():
    seen = {}
    for dynamic in (False, True):
        generator = CountingGenerator()
        environment = make(
            generator=generator,
            image_seed=5,
            dynamic_seeds=dynamic,
            reward=lambda images: np.array([float(tag_of(image)) for image in images]),
        )
        environment.reset(seed=0, options={"start": (0, 0, 0, 0)})
        seen[dynamic] = [environment.step(action)[1] for action in (3, 2, 3, 2, 3)]
    assert seen[False] == [5.0] * 5
    assert len(set(seen[True])) > 1


def test_the_mask_tells_which_actions_move_and_an_edge_holds():
    environment = make()
    _, information = environment.reset(options={"start": (0, 0, 0, 0)})
    assert information["action_mask"].tolist() == [0, 1, 0, 1, 0, 1, 0, 1]
    observation, *_ = environment.step(0)
    assert observation.tolist() == [0, 0, 0, 0]


def test_a_start_outside_the_grid_is_refused():
    with pytest.raises(UsageError, match="outside the grid"):
        make().reset(options={"start": (9, 9, 9, 9)})
