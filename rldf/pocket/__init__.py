"""The pocket models, a small model set that ships with the package, and the renderer of its world.

The pocket world is a set of drawings: its renderer draws an image for each sentence of a grammar.
"""

from pathlib import Path

WEIGHTS = Path(__file__).resolve().parent / "weights"
"""Folder of the shipped weights, with a folder for each model: sd/, detector/, scene/, clip/ ..."""
