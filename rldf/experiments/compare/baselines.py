"""Chooses the prompts of the baselines, for as many images as the search generates.

A baseline chooses all its prompts before any image is generated, so no reward guides it. It uses
either one sentence with many image seeds, or many sentences with one image seed. The exception is
`split`, in `rldf.experiments.compare.runner`: it searches with half of its renders, and generates
the best sentence with other image seeds in the rest.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from rldf import seeding as seeds
from rldf.errors import UsageError
from rldf.experiments.compare.captions import Captioner
from rldf.experiments.compare.pez import hard_prompt
from rldf.experiments.compare.score import Prompt
from rldf.grammar.encoding import Encoding
from rldf.grammar.grammar import Grammar
from rldf.gridworld import Gridworld
from rldf.interfaces import ImageTextModel

SPLIT = "split"
"""The baseline that searches with half of its renders, then varies the image seed."""

EXHAUSTIBLE = 10_000
"""Largest number of cells of a grammar for which the baseline `exhaustive` is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineInput:
    """An input image, with everything that a baseline may use to choose prompts."""

    image: Image  # the input, RGB
    vector: NDArray[np.float32]  # (d,) its CLIP embedding, of length 1
    sentence: str | None  # sentence that the encoder reads in it, None if an axis cannot be read
    key: str  # SHA-256 of the image file; part of the seed of random choices
    grammar: Grammar  # the grammar that is searched
    clip: ImageTextModel  # the CLIP model
    captioner: Captioner | None  # writes captions; None if no baseline needs captions
    renders: int  # largest number of images
    seed: int  # seed of random choices
    image_seed: int  # the first image seed


def baseline_prompts(name: str, case: BaselineInput) -> list[Prompt]:
    """Choose the prompts of a baseline; an empty list if it finds no sentence for the image."""
    if name in SENTENCES:
        sentence = SENTENCES[name](case)
        last = case.image_seed + case.renders
        return [Prompt(sentence, s) for s in range(case.image_seed, last)] if sentence else []
    return [Prompt(case.grammar.derive(cell), case.image_seed) for cell in CELLS[name](case)]


def check_baselines(names: tuple[str, ...]) -> None:
    """Raise UsageError for unknown or repeated baselines, or for none."""
    known = [*SENTENCES, *CELLS, SPLIT]
    for name in names:
        if name not in known:
            raise UsageError(
                f"--baselines: no baseline '{name}': name some of {', '.join(known)}, with commas"
            )
    if not names or len(set(names)) < len(names):
        raise UsageError(
            f"--baselines {','.join(names)}: name one or more of {', '.join(known)}, each once"
        )


def check_exhaustible(grammar: Grammar) -> None:
    """Raise UsageError for a grammar with more than EXHAUSTIBLE cells."""
    if grammar.n_states > EXHAUSTIBLE:
        raise UsageError(
            f"--baselines exhaustive: grammar {grammar.name} has {grammar.n_states} cells, more "
            f"than the {EXHAUSTIBLE} allowed: name random instead"
        )


def _read(case: BaselineInput) -> str | None:
    return case.sentence


def _caption(case: BaselineInput) -> str | None:
    assert case.captioner is not None, "made if the baseline caption is requested"
    return case.captioner.caption(case.image)


def _gradient(case: BaselineInput) -> str | None:
    return hard_prompt(case.clip, case.vector, seeds.derive(case.seed, case.key))


def _random_cells(case: BaselineInput) -> Iterator[Encoding]:
    """Choose `renders` distinct cells at random, all subsets equally likely."""
    world = Gridworld(case.grammar.shape)
    if world.n_states <= case.renders:
        yield from world.states()
        return
    rng, seen = seeds.rng(case.seed, "random rival", case.key), set[Encoding]()
    while len(seen) < case.renders:
        cell = world.random_state(rng)
        if cell not in seen:
            seen.add(cell)
            yield cell


def _all_cells(case: BaselineInput) -> Iterator[Encoding]:
    yield from Gridworld(case.grammar.shape).states()


SENTENCES: dict[str, Callable[[BaselineInput], str | None]] = {
    "encoder": _read,
    "caption": _caption,
    "pez": _gradient,
}
"""Baselines with one sentence and many image seeds, by name."""

CELLS: dict[str, Callable[[BaselineInput], Iterator[Encoding]]] = {
    "random": _random_cells,
    "exhaustive": _all_cells,
}
"""Baselines with many sentences of the grammar and one image seed, by name."""
