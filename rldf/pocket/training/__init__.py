"""Trainings of the pocket models, each a module with a `main`."""
