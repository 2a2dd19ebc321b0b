"""How much of a concept is in pictures: formulas over CLIP's scores."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL.Image import Image

from rldf.grammar.grammar import Grammar
from rldf.interfaces import ImageTextModel
from rldf.stats import of_mean

COLUMNS = ("input", "caption", "rldf")
"""The input itself, the drawing of its caption, and of what a search found."""


def names_concept(grammar: Grammar, concept: str) -> bool:
    """Tell whether a grammar has a word for a concept, so that nothing can fall away.

    Args:
        grammar: any.
        concept: one or more words.

    Returns:
        True if they stand in one of its terminals or in a value of one of its axes.
    """
    fixed = [text for slot in grammar.slots for text in slot.forms.values()]
    values = (value for axis in grammar.axes for value in axis.values)
    texts = [*fixed, *(text for value in values for text in value.forms.values())]
    wanted = re.compile(rf"\b{re.escape(concept.strip())}\b", re.IGNORECASE)
    return any(wanted.search(text) for text in texts)


def concept_scores(
    clip: ImageTextModel, images: Sequence[Image], concept: str, neutral: str | None
) -> list[float]:
    """Compare images with a text.

    Args:
        clip: what compares.
        images: RGB.
        concept: the text.
        neutral: text whose cosine is taken off, or None.

    Returns:
        Cosine of each image and the text, from -1 to 1; with a neutral text the difference of two
        cosines, from -2 to 2.
    """
    vectors = clip.embed_images(images).astype(np.float64)
    texts = clip.embed_texts([concept] if neutral is None else [concept, neutral])
    cosines = vectors @ texts.astype(np.float64).T
    signs = np.array([1.0, -1.0][: len(texts)])
    return [float(score) for score in cosines @ signs]


def summed_up(scores: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Give means and drops.

    Args:
        scores: of inputs, captions' drawings and found sentences' drawings, by "input", "caption"
            and "rldf".

    Returns:
        Mean score by column; mean drop from the input to each drawing, and from the caption's
        drawing to the found one, each over pairs of one input, with the 95 % interval of the mean
        (Student's t; None for a single image).
    """
    pairs = [("input", "caption"), ("input", "rldf"), ("caption", "rldf")]
    drops = {}
    for before, after in pairs:
        falls = [a - b for a, b in zip(scores[before], scores[after], strict=True)]
        interval = of_mean(falls)
        drops[f"{before}_to_{after}"] = {
            "mean": round(float(np.mean(falls)), 4),
            "ci": None if interval is None else [round(end, 4) for end in interval],
            "fell": sum(fall > 0 for fall in falls),
            "of": len(falls),
        }
    means = {name: round(float(np.mean(scores[name])), 4) for name in COLUMNS}
    return {"mean_scores": means, "drops": drops}
