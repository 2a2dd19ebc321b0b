"""The Gymnasium environment."""

import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from rldf.errors import UsageError
from rldf.generators.drawn import DrawnGenerator
from rldf.grammar.grammar import load_grammar
from rldf.runs.env import EncodingGridEnv
from tests.doubles import CountingGenerator, tag_of

GRAMMAR = load_grammar("base")
GOAL = (0, 4, 0, 4)


def make(**options):
    paid = {"grammar": GRAMMAR, "generator": DrawnGenerator(), "goal": GOAL, **options}
    paid.setdefault("reward", lambda images: np.array([np.asarray(i).mean() for i in images]))
    return EncodingGridEnv(**paid)


def by_name():
    return gym.make(
        "rldf.runs.env:rldf/EncodingGrid-v0",
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


def counted(**options):
    generator = CountingGenerator()
    environment = make(
        generator=generator, reward=lambda images: np.array([7.0] * len(images)), **options
    )
    environment.reset(seed=0, options={"start": (0, 0, 0, 0)})
    return environment, generator


def test_the_walk_to_a_cell_draws_nothing_on_its_way():
    environment, generator = counted()
    action, moves = environment.approach((1, 4, 0, 3))
    assert (moves, environment.state, generator.asked) == (8, (1, 4, 0, 2), [])
    environment.step(action)
    assert environment.state == (1, 4, 0, 3)
    assert [sentence for sentence, _ in generator.asked] == [GRAMMAR.derive((1, 4, 0, 3))]


def test_the_walk_past_the_goal_does_not_end_at_it():
    environment, _ = counted()
    action, _ = environment.approach((0, 4, 0, 6))
    assert environment.step(action)[2] is False


def test_cells_drawn_ahead_are_drawn_together_and_counted_at_once():
    calls = []

    class Watched(CountingGenerator):
        def generate(self, sentences, seeds):
            calls.append(len(sentences))
            return super().generate(sentences, seeds)

    environment = make(
        generator=Watched(), reward=lambda images: np.array([float(len(images))] * len(images))
    )
    environment.reset(seed=0, options={"start": (0, 0, 0, 0)})
    batch = [(0, 1, 0, 0), (0, 2, 0, 0), (0, 1, 0, 0), (0, 3, 0, 0)]
    environment.draw_ahead(batch, 100)
    assert (calls, environment.renders, environment.ahead) == ([3], 3, 3)
    assert environment.step(3)[1] == 3.0
    assert (calls, environment.drew, environment.ahead) == ([3], True, 2)
    environment.step(2)
    environment.step(3)
    assert environment.drew is False


def test_no_more_is_drawn_ahead_than_the_budget_allows():
    environment, generator = counted()
    environment.draw_ahead([(0, 1, 0, 0), (0, 2, 0, 0), (0, 3, 0, 0)], 2)
    assert [sentence for sentence, _ in generator.asked] == [
        GRAMMAR.derive(cell) for cell in [(0, 1, 0, 0), (0, 2, 0, 0)]
    ]


def test_a_cell_drawn_with_several_seeds_pays_their_mean_and_costs_as_many_renders():
    generator = CountingGenerator()
    environment = make(
        generator=generator,
        image_seed=5,
        image_seeds=3,
        reward=lambda images: np.array([float(tag_of(image)) for image in images]),
    )
    environment.reset(seed=0, options={"start": (0, 0, 0, 0)})
    assert environment.step(3)[1] == 6.0
    assert [seed for _, seed in generator.asked] == [5, 6, 7]
    assert (environment.renders, tag_of(environment.image())) == (3, 5)
    environment.draw_ahead([(0, 2, 0, 0), (0, 3, 0, 0)], 8)
    assert environment.renders == 6
