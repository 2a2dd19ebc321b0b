"""The pocket models: a small, real model set that ships with the package, and its drawn world."""

from pathlib import Path

WEIGHTS = Path(__file__).resolve().parent / "weights"
"""Folder of the shipped weights: sd/, detector/, scene/ and clip/."""
