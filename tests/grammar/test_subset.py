"""Walking some axes of a grammar only."""

import itertools

import numpy as np
import pytest

from rldf import registry as catalog
from rldf import seeding as seeds
from rldf.agents.options import make_agent
from rldf.errors import GrammarError, UsageError
from rldf.grammar.grammar import load_grammar
from rldf.grammar.subset import frozen, walked_axes, with_values
from rldf.runs.config import SearchConfig
from rldf.runs.env import EncodingGridEnv
from rldf.runs.loop import SearchState, walk
from tests.doubles import PaintedGenerator

BASE = load_grammar("base")
DOG = BASE.parse("a photo of one dog and no people in a park")


def test_a_frozen_grammar_holds_the_sentences_that_differ_in_the_walked_axes_alone():
    part = frozen(BASE, ["Noun", "Scene"], DOG)
    assert part.shape == (1, 10, 1, 8)
    derived = {part.derive(state) for state in itertools.product(*map(range, part.shape))}
    held = {
        BASE.derive(state)
        for state in itertools.product(*map(range, BASE.shape))
        if (state[0], state[2]) == (DOG[0], DOG[2])
    }
    assert derived == held
    assert part.parse(BASE.derive(DOG)) == (0, DOG[1], 0, DOG[3])
    assert part.decode((0, DOG[1], 0, DOG[3])) == BASE.decode(DOG)


def test_agreement_follows_the_held_value():
    many = BASE.parse("a photo of many dogs and one person on a beach")
    part = frozen(BASE, ["Noun"], many)
    assert part.derive((0, 0, 0, 0)) == "a photo of many bananas and one person on a beach"


def test_all_axes_walked_is_the_grammar_itself():
    assert frozen(BASE, walked_axes(BASE, None), DOG) == BASE


def test_values_may_be_put_in_another_order():
    turned = with_values(BASE, {"Density": ["many", "no", "one"]})
    sentence = BASE.derive(DOG)
    assert turned.parse(sentence) == (DOG[0], DOG[1], 1, DOG[3])
    assert turned.derive(turned.parse(sentence)) == sentence


@pytest.mark.parametrize("names", [[], ["no", "no"], ["none"]])
def test_a_list_of_values_that_is_none_is_refused(names):
    with pytest.raises(GrammarError, match="axis Density"):
        with_values(BASE, {"Density": names})


@pytest.mark.parametrize(
    ("text", "symbols"),
    [("Noun", ("Noun",)), ("Scene, Noun", ("Noun", "Scene")), ("Noun,", ("Noun",))],
)
def test_axes_are_read_in_the_grammars_order(text, symbols):
    assert walked_axes(BASE, text) == symbols


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "--axes '' names no axis: give some of Frequency,Noun,Density,Scene"),
        (" , ", "names no axis"),
        ("Noun,Noun", "names Noun twice"),
        ("noun", "grammar base has no axis 'noun'; it has: Frequency"),
        ("Noun,Weather", "has no axis 'Weather'"),
    ],
)
def test_what_is_no_choice_of_axes_is_refused(text, problem):
    with pytest.raises(UsageError, match=problem):
        walked_axes(BASE, text)


def test_an_axis_of_one_value_is_nothing_to_walk():
    with pytest.raises(UsageError, match="nothing to walk: Noun of grammar base has one value"):
        walked_axes(frozen(BASE, ["Scene"], DOG), "Noun")


@pytest.mark.parametrize("agent", catalog.names("agents"))
def test_every_agent_walks_a_world_with_held_axes(agent):
    part = frozen(BASE, ["Noun", "Scene"], DOG)
    settings = SearchConfig(image="x.png", agent=agent, renders=40, steps=50, episodes=3)
    seen = set()
    environment = EncodingGridEnv(
        grammar=part,
        generator=PaintedGenerator(),
        reward=lambda images: np.array([np.asarray(image, float).mean() for image in images]),
    )
    made = make_agent(
        agent, environment.world, seeds.rng(0, "agent"),
        settings.options,
    )  # fmt: skip
    environment.reset(seed=1)
    for step in walk(environment, made, settings, SearchState()):
        seen.add(step.encoding)
    assert len(seen) > 5
    assert {(cell[0], cell[2]) for cell in seen} == {(0, 0)}
