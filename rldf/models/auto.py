"""Model set `auto`: real models where they are complete and a GPU is there, else `pocket`."""

from collections.abc import Callable
from dataclasses import dataclass

AUTO = "auto"
"""Value of `--models` for this choice; it is also the default."""

REAL = ("sd14", "sd21", "sdxl", "z-image-turbo")
"""The shipped model sets of real models; `auto` takes the first one whose files are all there."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which model set `auto` stands for.

    Attributes:
        name: name of the chosen model set.
        why: reason for the choice, in a few words.
    """

    name: str
    why: str

    def __str__(self) -> str:
        """Return one line with the name and the reason."""
        return f"models: {self.name} ({self.why})"


def choose(is_complete: Callable[[str], bool], has_gpu: Callable[[], bool]) -> Choice:
    """Choose a model set: the first complete one of `REAL` if there is a GPU, else `pocket`.

    Args:
        is_complete: whether all files of the model set of this name are there.
        has_gpu: whether this machine has a GPU.
    """
    real = next((name for name in REAL if is_complete(name)), None)
    if real is None:
        return Choice("pocket", "no real models are here: see 'rldf models list'")
    if not has_gpu():
        return Choice(
            "pocket", f"{real} is here too, but there is no GPU: to use it, type --models {real}"
        )
    return Choice(real, "all its files are here, and there is a GPU")
