"""Baselines: prompts from other methods, each with as many images as the search.

A baseline chooses all of its prompts before any image is generated: it has no feedback. It has
either one sentence with many image seeds, or many sentences with one seed.
Only `split`, in `rldf.experiments.compare.runner`, is a search too: it keeps half of its renders
for image seeds.
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
"""The baseline that searches with half of the renders, and uses the rest for image seeds."""

EXHAUSTIBLE = 10_000
"""Largest number of states that the baseline `exhaustive` renders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineInput:
    """One input image, and what a baseline may use."""

    image: Image  # the input, RGB
    vector: NDArray[np.float32]  # (d,) its CLIP embedding, of length 1
    sentence: str | None  # what the encoder reads in it, None where the grammar has no word for it
    key: str  # identifies the image; the random baseline chooses other states for each
    grammar: Grammar  # whose cells are searched
    clip: ImageTextModel  # what compares images and texts
    captioner: Captioner | None  # describes images; None where no baseline asks for captions
    renders: int  # number of images allowed
    seed: int  # of what is left to chance
    image_seed: int  # the first image seed


def baseline_prompts(name: str, case: BaselineInput) -> list[Prompt]:
    """Choose the prompts of a baseline; none if it has no sentence for this image."""
    if name in SENTENCES:
        sentence = SENTENCES[name](case)
        last = case.image_seed + case.renders
        return [Prompt(sentence, s) for s in range(case.image_seed, last)] if sentence else []
    return [Prompt(case.grammar.derive(cell), case.image_seed) for cell in CELLS[name](case)]


def check_baselines(names: tuple[str, ...]) -> None:
    """Refuse baselines that do not exist."""
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
    """Refuse to draw all cells of a large world."""
    if grammar.n_states > EXHAUSTIBLE:
        raise UsageError(
            f"--baselines exhaustive: grammar {grammar.name} has {grammar.n_states} cells, at most "
            f"{EXHAUSTIBLE} are drawn: name random instead"
        )


def _read(case: BaselineInput) -> str | None:
    return case.sentence


def _caption(case: BaselineInput) -> str | None:
    assert case.captioner is not None, "made where the baseline caption is asked for"
    return case.captioner.caption(case.image)


def _gradient(case: BaselineInput) -> str | None:
    return hard_prompt(case.clip, case.vector, seeds.derive(case.seed, case.key))


def _random_cells(case: BaselineInput) -> Iterator[Encoding]:
    """Draw distinct cells, each set with the same probability."""
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
"""Baselines with one sentence."""

CELLS: dict[str, Callable[[BaselineInput], Iterator[Encoding]]] = {
    "random": _random_cells,
    "exhaustive": _all_cells,
}
"""Baselines with many sentences of the grammar, all with one image seed."""
