"""Third parties' numbers, read from the file that holds them, with nothing copied by hand."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rldf.agents.base import TabularAgent
from rldf.agents.protocol import Transition
from rldf.agents.q_learning import QLearning
from rldf.agents.sarsa import Sarsa
from rldf.agents.schedules import Constant
from rldf.agents.updates import q_learning_target
from tests.agents.toys import CHAIN, Toy
from tests.oracles import policy_values, to_mdp, value_iteration

MATERIAL = os.environ.get("RLDF_TEST_MATERIAL")
pytestmark = [
    pytest.mark.material,
    pytest.mark.skipif(MATERIAL is None, reason="RLDF_TEST_MATERIAL names no folder"),
]


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    """Read the file."""
    found: dict[str, Any] = json.loads(
        Path(MATERIAL or "", "rl", "rl_reference_values.json").read_text(encoding="utf-8")
    )
    return found


@pytest.mark.parametrize(
    ("agent_class", "continues", "name"),
    [
        (QLearning, 1.0, "q_learning_new"),
        (Sarsa, 1.0, "sarsa_greedy_new"),
        (Sarsa, 0.0, "sarsa_terminal_new"),
    ],
)
def test_single_updates(
    values: dict[str, Any], agent_class: type[TabularAgent], continues: float, name: str
) -> None:
    """One update of a whole agent changes one value, to the number in the file."""
    given = values["single_updates"]
    agent = agent_class(
        Toy(CHAIN, 2, [0]),
        rng=np.random.default_rng(0),
        alpha=Constant(given["alpha"]),
        epsilon=Constant(0.0),
        gamma=given["gamma"],
    )
    for s, row in enumerate(given["Q"]):
        for a, value in enumerate(row):
            agent.q.record(s, a, value)
    agent.update(
        Transition(
            state=(given["s"],),
            action=given["a"],
            reward=given["r"],
            continues=continues,
            next_state=(given["s2"],),
            next_mask=np.ones(2, dtype=np.int8),
        )
    )
    expected = np.array(given["Q"], dtype=np.float64)
    expected[given["s"], given["a"]] = given[name]
    np.testing.assert_allclose([agent.q.row(s) for s in range(3)], expected, atol=1e-12)


def test_best_values_of_the_chain(values: dict[str, Any]) -> None:
    """Value iteration arrives at Q*, and our Q-learning target, averaged, stays there."""
    chain = values["table_rl_basic_env"]
    q_star = np.array(chain["Q_star"])
    np.testing.assert_allclose(value_iteration(to_mdp(CHAIN, 2), chain["gamma"]), q_star, atol=1e-8)
    both = np.ones(2, dtype=np.int8)
    for s, actions in CHAIN.items():
        for a, outcomes in actions.items():
            target = sum(
                p * q_learning_target(r, 0.0 if ended else chain["gamma"], q_star[s_next], both)
                for p, s_next, r, ended in outcomes
            )
            assert pytest.approx(q_star[s, a], abs=1e-7) == target


def test_values_of_a_policy_on_the_chain(values: dict[str, Any]) -> None:
    """The oracle's Q of a policy is the file's, to the decimals that it gives."""
    chain = values["table_rl_basic_env"]
    q = policy_values(to_mdp(CHAIN, 2), np.array(chain["policy"]), chain["gamma"])
    np.testing.assert_allclose(q, chain["Q_pi"], atol=1e-5)
