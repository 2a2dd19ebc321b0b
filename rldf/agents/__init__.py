"""The agents: those of arXiv:2311.15648, better ones, and what they share with the search."""

from rldf.agents.dyna_q import DynaQ
from rldf.agents.expected_sarsa import ExpectedSarsa
from rldf.agents.gradient import NoisyGradient
from rldf.agents.planner import Planner
from rldf.agents.protocol import Agent, Transition, Walker, World
from rldf.agents.q_learning import QLearning
from rldf.agents.random import RandomAgent
from rldf.agents.sarsa import Sarsa

__all__ = [
    "Agent",
    "DynaQ",
    "ExpectedSarsa",
    "NoisyGradient",
    "Planner",
    "QLearning",
    "RandomAgent",
    "Sarsa",
    "Transition",
    "Walker",
    "World",
]
