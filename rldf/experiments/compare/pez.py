"""Finds prompts by gradient: words whose CLIP text embedding is near to an image's embedding.

    P' = Proj(P)                    replace each row of P by the nearest token embedding
    P <- AdamW(P, gradient of 1 - cos(text(P'), image) at P')

See "Hard Prompts Made Easy: Gradient-Based Discrete Optimization for Prompt Tuning and Discovery"
by Wen et al., arXiv:2302.03668, Algorithm 1 (PEZ). Learning rate and weight decay are those of the
paper (0.1, 0.1). Two things differ from it: there are fewer steps, with several prompts optimized
at once; and the best prompts are scored again as text, because the tokenizer may cut the text of a
prompt into other tokens than those that it was optimized with.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rldf import seeding as seeds
from rldf.errors import UsageError
from rldf.interfaces import ImageTextModel
from rldf.io.text import plain

if TYPE_CHECKING:
    import torch

LENGTH = 16
"""Number of tokens of a prompt; less if the model's context is shorter."""

_STEPS = 300
_PROMPTS = 4  # prompts optimized at once
_RATE, _DECAY = 0.1, 0.1
_READ_AGAIN = 16


def hard_prompt(
    clip: ImageTextModel,
    image: NDArray[np.float32],
    seed: int,
    *,
    length: int = LENGTH,
    steps: int = _STEPS,
) -> str:
    """Find a prompt for an image by gradient.

    Args:
        clip: an open_clip model.
        image: (d,) CLIP embedding of the image, of length 1.
        seed: seed of the first tokens.
        length: largest number of tokens.
        steps: number of steps of the optimizer.

    Raises:
        UsageError: the CLIP is not an open_clip model.
    """
    if not (hasattr(clip, "model") and hasattr(clip, "tokenize")):
        raise UsageError(
            "--baselines pez: the CLIP of this model set is not an open_clip model: leave pez out"
        )
    tower = TextTower(clip.model, clip.tokenize)
    found = climb(tower, image, seeds.rng(seed, "pez"), length=length, steps=steps)
    texts = list(dict.fromkeys(tower.text(tokens) for tokens in found))[:_READ_AGAIN]
    return texts[int(np.argmax(clip.embed_texts(texts) @ image))]


def climb(
    tower: "TextTower",
    image: NDArray[np.float32],
    rng: np.random.Generator,
    *,
    length: int,
    steps: int,
) -> list[tuple[int, ...]]:
    """Optimize prompts, and return the tokens of every prompt on the way, the nearest first."""
    import torch

    words = tower.words
    start = rng.integers(len(words), size=(_PROMPTS, min(length, tower.room)))
    soft = words[torch.from_numpy(start).to(words.device)].clone().requires_grad_()
    target = torch.from_numpy(image).to(words.device)
    optimiser = torch.optim.AdamW([soft], lr=_RATE, weight_decay=_DECAY)
    seen: dict[tuple[int, ...], float] = {}
    for _ in range(steps):
        chosen = nearest(soft.detach(), words)
        hard = words[chosen].requires_grad_()
        likeness = tower.embed(hard) @ target
        (soft.grad,) = torch.autograd.grad((1 - likeness).sum(), hard)
        rows = tower.numbers[chosen].tolist()
        seen.update(zip(map(tuple, rows), likeness.tolist(), strict=True))
        optimiser.step()
    return sorted(seen, key=lambda tokens: (-seen[tokens], tokens))


def nearest(soft: "torch.Tensor", words: "torch.Tensor") -> "torch.Tensor":
    """Find the word of a vocabulary with the highest cosine to each vector.

    Args:
        soft: (n, length, d) vectors.
        words: (v, d) embeddings of the vocabulary.

    Returns:
        (n, length) row numbers in `words`.
    """
    from torch.nn.functional import normalize

    return (normalize(soft, dim=-1) @ normalize(words, dim=-1).T).argmax(dim=-1)


class TextTower:
    """The text tower of an open_clip model, which takes embeddings in place of tokens.

    Attributes:
        words: (v, d) embeddings of the tokens allowed in a prompt: those with printable text.
        numbers: (v,) token numbers of `words`.
        room: largest number of tokens of a prompt.
    """

    def __init__(self, model: Any, tokenize: Any) -> None:
        """Find the token embeddings of a model, and where its tokenizer puts the prompt."""
        import torch

        self._model, self._tokenize = model, tokenize
        text = getattr(model, "text", model)
        self._table: Any = getattr(text, "token_embedding", None)
        if self._table is None:  # a text tower of transformers
            self._table = text.transformer.get_input_embeddings()
        empty, short = tokenize([""])[0], tokenize(["a"])[0]
        before = int((empty != short).nonzero()[0])  # tokens ahead of the first word
        self._before, self._after, self._some = empty[:before], empty[before:], short[before]
        closing = self._after[self._after != self._after[-1]]
        self.room = len(empty) - before - max(1, len(closing))
        weights = self._table.weight.detach()
        special = set(empty.tolist())
        numbers = [n for n in range(len(weights)) if n not in special and _prints(self.text((n,)))]
        self.numbers = torch.tensor(numbers, device=weights.device)
        self.words = weights[self.numbers].float()

    def text(self, tokens: tuple[int, ...]) -> str:
        """Decode token numbers to text."""
        decode = getattr(self._tokenize, "decode", None) or self._tokenize.tokenizer.decode
        return " ".join(str(decode(list(tokens))).split())

    def embed(self, prompts: "torch.Tensor") -> "torch.Tensor":
        """Embed prompts of shape (n, length, d) that are given as token embeddings.

        Returns:
            (n, d) rows of length 1, with gradients to `prompts`.
        """
        import torch

        n, length = prompts.shape[:2]
        begin, context = len(self._before), len(self._before) + len(self._after)
        row = torch.cat([self._before, self._some.repeat(length), self._after])[:context]
        tokens = row.repeat(n, 1).to(prompts.device)

        def put(_module: Any, _given: Any, embedded: torch.Tensor) -> torch.Tensor:
            ahead, behind = embedded[:, :begin], embedded[:, begin + length :]
            return torch.cat([ahead, prompts.to(embedded.dtype), behind], dim=1)

        hook = self._table.register_forward_hook(put)
        try:
            found: torch.Tensor = self._model.encode_text(tokens, normalize=True)
        finally:
            hook.remove()
        return found.float()


def _prints(text: str) -> bool:
    return bool(text) and text == plain(text) and "\N{REPLACEMENT CHARACTER}" not in text
