"""The paper's semantic rewards: what is recognised in the drawn image and in the input image.

See arXiv:2311.15648, section on rewards. Labels are compared as values of the grammar, so that
labels that mean one word match. People are not objects, and counts earn nothing.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from rldf.errors import NoGoalError
from rldf.grammar.contents import SceneContents
from rldf.rewards.context import RewardContext, require_words


def scene_term(drawn: SceneContents, goal: SceneContents, cs: float) -> float:
    """Compute 1{s}: paid for the right scene, charged for a wrong one or one that is not known."""
    return cs if drawn.scene is not None and drawn.scene == goal.scene else -cs


def object_term(drawn: SceneContents, goal: SceneContents, c: float) -> float:
    """Compute 1{g in G}: paid if all recognised objects are the input's, and there are any."""
    found = {thing.value for thing in drawn.objects}
    return c if found and found <= {thing.value for thing in goal.objects} else 0.0


class MultiSemantic:
    """Reward 1: the object term plus the scene term."""

    def __init__(self, context: RewardContext, *, C: float = 1.0, Cs: float = 1.0) -> None:
        """Make the reward.

        Args:
            context: the search's goal and readers.
            C: paid for matching objects.
            Cs: paid or charged for the scene.

        Raises:
            NoGoalError: if an axis cannot be read in the input image.
        """
        _require_scenes(context)
        _require_known_axes(context)
        # in a photograph no place was read, so that none is right or wrong
        self._context, self._c, self._cs = context, C, 0.0 if context.reading.by_words else Cs

    def __call__(self, images: Sequence[Image]) -> NDArray[np.float64]:
        """Score images.

        Returns:
            (n,), from -Cs to C + Cs.
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
            Cs: paid or charged for the scene.

        Raises:
            NoGoalError: if an axis cannot be read in the input image.
        """
        _require_scenes(context)
        _require_encoding(context)
        self._context, self._cs = context, Cs

    def __call__(self, images: Sequence[Image]) -> NDArray[np.float64]:
        """Score images.

        Returns:
            (n,), Cs or -Cs.
        """
        seen = self._context.encoder.detect(images)
        return np.array([scene_term(s, self._context.seen, self._cs) for s in seen])


class Agreement:
    """The share of the grammar's axes on which drawn image and input image read the same.

    Ours: the paper's rewards see neither counts nor which of two objects is the dominant one. It
    compares what is seen, never the cell that was drawn; axes that CLIP reads are left to CLIP.
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
                f"grammar {self._encoder.grammar.name} has only axes that CLIP reads: try "
                "--reward clip"
            )

    def __call__(self, images: Sequence[Image]) -> NDArray[np.float64]:
        """Score images.

        Returns:
            (n,), from 0 to 1.
        """
        drawn = (self._encoder.words(seen) for seen in self._encoder.detect(images))
        goal = self._goal.items()
        return np.array([sum(words.get(a) == i for a, i in goal) / len(goal) for words in drawn])


def _require_scenes(context: RewardContext) -> None:
    grammar = context.encoder.grammar
    if grammar.reading("scene") is None:
        raise NoGoalError(
            f"grammar {grammar.name} has no scenes, which semantic rewards need: try --reward clip"
        )


def _require_known_axes(context: RewardContext) -> None:
    """Require all axes of an input, or those of a photograph that could be read."""
    if context.reading.by_words:
        require_words(context)
    else:
        _require_encoding(context)


def _require_encoding(context: RewardContext) -> None:
    if context.reading.encoding is None:
        raise NoGoalError(
            f"{context.reading.lack(context.encoder.grammar.name)}, which semantic rewards need: "
            "try --reward clip"
        )
