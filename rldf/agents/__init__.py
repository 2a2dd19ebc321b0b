"""The agents of arXiv:2311.15648, Algorithm 1, and what they share with the search."""

from rldf.agents.protocol import Agent, Transition, World
from rldf.agents.q_learning import QLearning
from rldf.agents.random import RandomAgent
from rldf.agents.sarsa import Sarsa

__all__ = ["Agent", "QLearning", "RandomAgent", "Sarsa", "Transition", "World"]
