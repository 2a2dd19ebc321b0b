"""The trainings in the order in which they stand on each other."""

from collections.abc import Callable
from pathlib import Path

from rldf.pocket import WEIGHTS


def _autoencoder(work: Path) -> None:
    from rldf.pocket.training import autoencoder

    autoencoder.main(work, WEIGHTS / "sd" / "vae")


def _detector(work: Path) -> None:
    from rldf.pocket.training import detector

    detector.main(work, WEIGHTS / "detector")


def _second_detector(work: Path) -> None:
    from rldf.pocket.training import detector

    detector.main(work, work / "second" / "detector", detector.SECOND)


def _scene(work: Path) -> None:
    from rldf.pocket.training import scene

    scene.main(work, WEIGHTS / "scene")


def _clip(work: Path) -> None:
    from rldf.pocket.training import clip

    clip.main(work, WEIGHTS / "clip")


def _diffusion(work: Path) -> None:
    from rldf.pocket.training import diffusion

    diffusion.main(work, WEIGHTS / "sd")


def _card(work: Path) -> None:
    from rldf.pocket.training import card

    card.main(WEIGHTS)


PARTS: dict[str, Callable[[Path], None]] = {
    "autoencoder": _autoencoder,
    "detector": _detector,
    "scene": _scene,
    "clip": _clip,
    "diffusion": _diffusion,
    "card": _card,
}
"""Training by part, in their order; each goes on from its checkpoint."""

EXTRA: dict[str, Callable[[Path], None]] = {"second-detector": _second_detector}
"""Trainings of models that do not ship."""
