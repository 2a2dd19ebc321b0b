"""Model set `auto`: real models where they are of use, the pocket models elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass

AUTO = "auto"
"""What to type, or leave out, for it."""

REAL = ("sd14", "sd21", "sdxl", "z-image-turbo")
"""The shipped sets of real models, in the order in which they are looked for."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which model set `auto` stands for.

    Attributes:
        name: of the set.
        why: why that one.
    """

    name: str
    why: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"models: {self.name} ({self.why})"


def choose(is_complete: Callable[[str], bool], has_gpu: Callable[[], bool]) -> Choice:
    """Choose a model set."""
    real = next((name for name in REAL if is_complete(name)), None)
    if real is None:
        return Choice("pocket", "no real models are here: see 'rldf models list'")
    if not has_gpu():
        return Choice("pocket", f"{real} is here too, but no GPU for it: type --models {real}")
    return Choice(real, "it is complete, and there is a GPU")
