"""The paper's semantic rewards, which compare what a generated image and the input image contain.

See arXiv:2311.15648, section on rewards. Labels are compared as values of the grammar, so that
labels of the same word match. People do not count as objects, and numbers of objects do not
matter.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from rldf.errors import NoGoalError
from rldf.grammar.contents import SceneContents
from rldf.rewards.context import RewardContext, require_words


def scene_term(drawn: SceneContents, goal: SceneContents, cs: float) -> float:
    """Return the scene term: +cs if the image shows the goal's scene, -cs if another or none."""
    return cs if drawn.scene is not None and drawn.scene == goal.scene else -cs


def object_term(drawn: SceneContents, goal: SceneContents, c: float) -> float:
    """Return 1{g in G}: c if some object is found and all are in the input image, else 0."""
    found = {thing.value for thing in drawn.objects}
    return c if found and found <= {thing.value for thing in goal.objects} else 0.0


class MultiSemantic:
    """Reward 1: the object term plus the scene term."""

    def __init__(self, context: RewardContext, *, C: float = 1.0, Cs: float = 1.0) -> None:
        """Make the reward.

        Args:
            context: the search's goal and readers.
            C: the value of the object term where the objects match.
            Cs: the scene term is Cs for the right scene and -Cs otherwise.

        Raises:
            NoGoalError: if an axis cannot be read in the input image.
        """
        _require_scenes(context)
        _require_known_axes(context)
        # no scene is read in a photograph, so no scene is right or wrong
        self._context, self._c, self._cs = context, C, 0.0 if context.reading.by_words else Cs

    def __call__(self, images: Sequence[Image]) -> NDArray[np.float64]:
        """Score images.

        Returns:
            (n,) the rewards, from -Cs to C + Cs.
        """
        goal = self._context.seen
        return np.array(
            [
                object_term(seen, goal, self._c) + scene_term(seen, goal, self._cs)
                for seen in self._context.encoder.detect(images)
            ]
        )


class PartialSemantic:
    """Reward 2: the scene term alone."""

    def __init__(self, context: RewardContext, *, Cs: float = 1.0) -> None:
        """Make the reward.

        Args:
            context: the search's goal and readers.
            Cs: the reward is Cs for the right scene and -Cs otherwise.

        Raises:
            NoGoalError: if an axis cannot be read in the input image.
        """
        _require_scenes(context)
        _require_encoding(context)
        self._context, self._cs = context, Cs

    def __call__(self, images: Sequence[Image]) -> NDArray[np.float64]:
        """Score images.

        Returns:
            (n,) the rewards, Cs or -Cs.
        """
        seen = self._context.encoder.detect(images)
        return np.array([scene_term(s, self._context.seen, self._cs) for s in seen])


class Agreement:
    """The share of the axes on which the same value is read in generated image and input image.

    The paper has no such reward: its rewards ignore counts and which of two objects is dominant.
    The values are those that the vision models read in the generated image, not those of its cell.
    Axes that CLIP reads are left out.
    """

    def __init__(self, context: RewardContext) -> None:
        """Make the reward.

        Args:
            context: the search's goal and readers.

        Raises:
            NoGoalError: if an axis cannot be read in the input image.
        """
        self._encoder = context.encoder
        _require_known_axes(context)
        clips = {a.symbol for a in self._encoder.grammar.axes if a.kind.reader == "CLIP"}
        read = context.reading.indices(self._encoder.grammar)
        self._goal = {symbol: i for symbol, i in read.items() if symbol not in clips}
        if not self._goal:
            raise NoGoalError(
                f"grammar {self._encoder.grammar.name} has only axes that CLIP reads: type "
                "--reward clip"
            )

    def __call__(self, images: Sequence[Image]) -> NDArray[np.float64]:
        """Score images.

        Returns:
            (n,) the rewards, from 0 to 1.
        """
        drawn = (self._encoder.words(seen) for seen in self._encoder.detect(images))
        goal = self._goal.items()
        return np.array([sum(words.get(a) == i for a, i in goal) / len(goal) for words in drawn])


def _require_scenes(context: RewardContext) -> None:
    grammar = context.encoder.grammar
    if grammar.reading("scene") is None:
        raise NoGoalError(
            f"grammar {grammar.name} has no scenes, which semantic rewards need: type --reward clip"
        )


def _require_known_axes(context: RewardContext) -> None:
    """Raise NoGoalError if an axis was not read, or all axes where only words are compared."""
    if context.reading.by_words:
        require_words(context)
    else:
        _require_encoding(context)


def _require_encoding(context: RewardContext) -> None:
    if context.reading.encoding is None:
        raise NoGoalError(
            f"{context.reading.lack(context.encoder.grammar.name)}, which semantic rewards need: "
            "type --reward clip"
        )
