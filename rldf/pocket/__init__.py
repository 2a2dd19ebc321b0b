"""The pocket models, a small model set that ships with the package, and the renderer of its world.

The renderer draws sentences of grammars/pocket.yaml; the models were trained on its drawings.
"""

from pathlib import Path

WEIGHTS = Path(__file__).resolve().parent / "weights"
"""Folder of the shipped weights, with a folder for each model: sd/, detector/, scene/, clip/ ..."""
