"""Worlds of 10^9 states: nothing walks over all of them, and memory stays small."""

import itertools
import tracemalloc

import numpy as np
import pytest

from rldf import seeding as seeds
from rldf.agents.options import make_agent
from rldf.grammar.grammar import Grammar, check_grammar
from rldf.runs.config import SearchConfig
from rldf.runs.env import EncodingGridEnv
from rldf.runs.loop import SearchState, walk

AXES = 9
SIZE = 10


def text() -> str:
    values = ", ".join(f"v{i}" + ": {}" for i in range(SIZE))
    axes = "".join(
        f"  A{a}: {{reads: attribute, values: {{{values.replace('v', f'w{a}n')}}}}}\n"
        for a in range(AXES)
    )
    rule = " ".join(f"A{a}" for a in range(AXES))
    return f"name: vast\nproductions: {{S: {rule}}}\naxes:\n{axes}"


def vast() -> Grammar:
    grammar, problems = check_grammar(text())
    assert problems == []
    assert grammar is not None
    return grammar


class Written:
    """A generator whose picture is its sentence: a toy, at no cost."""

    def __init__(self) -> None:
        self.identity = {"generator": "written"}

    def generate(self, sentences, seeds):
        return list(sentences)


def likeness(goal):
    """Pay for the axes that are near the goal's: a sum over axes, at most 1."""

    def reward(sentences):
        cells = np.array([[int(w.split("n")[1]) for w in s.split()] for s in sentences])
        return 1 - np.abs(cells - goal).mean(axis=1) / SIZE

    return reward


def test_a_world_of_a_thousand_million_states_is_loaded_derived_and_parsed() -> None:
    tracemalloc.start()
    try:
        grammar = vast()
        assert grammar.n_states == 10**9
        for digits in itertools.islice(itertools.product((0, 4, 9), repeat=AXES), 200):
            assert grammar.parse(grammar.derive(digits)) == digits
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("agent", ["planner", "q"])
def test_a_search_in_it_keeps_what_it_has_seen_alone(agent) -> None:
    grammar, goal = vast(), np.array([3, 7, 1, 9, 0, 5, 5, 2, 8])
    settings = SearchConfig.of(image="x.png", agent=agent, renders=60, steps=100, episodes=9)
    tracemalloc.start()
    try:
        environment = EncodingGridEnv(
            grammar=grammar, generator=Written(), reward=likeness(goal), render_mode=None
        )
        made = make_agent(
            agent, environment.world, seeds.rng(0, "agent"),
            settings.options,
        )  # fmt: skip
        environment.reset(seed=0)
        rewards = [step.reward for step in walk(environment, made, settings, SearchState())]
        assert environment.renders == 60
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
    finally:
        tracemalloc.stop()
    if agent == "planner":
        assert max(rewards) > 0.95  # q sees 60 cells of 10^9
