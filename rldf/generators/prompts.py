"""Prompt and guidance arguments of a diffusion pipeline, and the length limit of prompts.

For a pipeline like Stable Diffusion, whose `encode_prompt` returns two tensors, each text is
encoded once and the tensors are passed. Other pipelines are passed the texts.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from inspect import Parameter, signature
from typing import Any

import torch

from rldf.io.text import plain

_KEPT = 512  # encoded prompts; 118 kB each for Stable Diffusion 1 in half precision
_ENCODED = {
    "prompt": "",
    "device": "cpu",
    "num_images_per_prompt": 1,
    "do_classifier_free_guidance": True,
}
_TOKENIZERS = ("tokenizer", "tokenizer_2", "tokenizer_3")
_log = logging.getLogger(__name__)


class Texts:
    """Makes a pipeline's arguments from sentences, negative prompt and guidance."""

    def __init__(
        self, pipeline: Any, takes: Mapping[str, Parameter], negative: str, guidance: float
    ) -> None:
        """Prepare for one pipeline.

        Args:
            pipeline: the diffusion pipeline.
            takes: parameters of the pipeline's `__call__`, by name.
            negative: negative prompt, or "".
            guidance: classifier-free guidance scale; 1 turns it off.
        """
        self._pipeline, self._takes = pipeline, takes
        self._negative, self._guidance = negative, guidance
        self._told_length = False
        self._check_length(negative)
        self.encode = lru_cache(maxsize=_KEPT)(self._encode)
        self._unwanted = self._encode(negative) if self._may_encode() else None
        if negative and self._unwanted is None and "negative_prompt" not in takes:
            _tell("the pipeline takes no negative prompt: the option negative_prompt is ignored")

    def arguments(self, sentences: Sequence[str]) -> dict[str, Any]:
        """Return the pipeline's keyword arguments for one batch of sentences."""
        scale = {self._scale(): self._guidance}
        if self._unwanted is None:
            for sentence in sentences:
                self._check_length(sentence)
            # Without a text, a pipeline with true guidance leaves the guidance out.
            text = self._negative or (" " if "true_cfg_scale" in scale else "")
            unwanted = {"negative_prompt": [text] * len(sentences)} if text else {}
            return {"prompt": list(sentences), **unwanted, **scale}
        wanted = torch.cat([self.encode(sentence) for sentence in sentences])
        without = self._unwanted.expand_as(wanted) if self._guidance > 1 else None
        return {"prompt_embeds": wanted, "negative_prompt_embeds": without, **scale}

    def cut(self, sentence: str) -> str:
        """Cut words from the end of a sentence until one of the tokenizers takes it whole."""
        words = sentence.split(" ")
        while len(words) > 1 and self._limit_of(" ".join(words)):
            words.pop()
        return " ".join(words)

    def _scale(self) -> str:
        """Return the name of the pipeline's parameter for classifier-free guidance.

        A pipeline with both `true_cfg_scale` and `guidance_scale` uses the second for distilled
        guidance, which ignores a negative prompt. Then `true_cfg_scale` is chosen if there is a
        negative prompt, or if its default is greater than 1.
        """
        true = self._takes.get("true_cfg_scale")
        if true is None:
            return "guidance_scale"
        alone = "guidance_scale" not in self._takes
        return (
            "true_cfg_scale"
            if alone or self._negative or float(true.default) > 1
            else "guidance_scale"
        )

    def _may_encode(self) -> bool:
        """Return whether the pipeline takes encoded texts: two tensors of one shape for all."""
        if not {"prompt_embeds", "negative_prompt_embeds"} <= self._takes.keys():
            return False
        if any("pooled" in name or "mask" in name for name in self._takes):
            return False
        encoder = getattr(self._pipeline, "encode_prompt", None)
        if encoder is None or not set(_ENCODED) <= set(signature(encoder).parameters):
            return False
        with torch.inference_mode():
            short = encoder(**_ENCODED | {"prompt": "a", "device": self._pipeline.device})
            long = encoder(**_ENCODED | {"prompt": "a " * 20, "device": self._pipeline.device})
        return len(short) == 2 and all(
            isinstance(part, torch.Tensor) and part.shape == long[0].shape for part in short
        )

    @torch.inference_mode()
    def _encode(self, text: str) -> torch.Tensor:
        self._check_length(text)
        found: torch.Tensor
        # Without guidance: the negative prompt is encoded once, as a prompt of its own.
        found, _ = self._pipeline.encode_prompt(
            prompt=text,
            device=self._pipeline.device,
            num_images_per_prompt=1,
            do_classifier_free_guidance=False,
        )
        return found

    def _check_length(self, text: str) -> None:
        limit = None if self._told_length else self._limit_of(text)
        if limit is not None:
            self._told_length = True
            _tell(f"a prompt has more than {limit} tokens, and the rest is cut off: {text}")

    def _limit_of(self, text: str) -> int | None:
        """Return the largest token limit if a text is too long for all tokenizers, else None."""
        limits = []
        for tokenizer, limit in self._readers():
            if len(tokenizer(text, truncation=False, verbose=False).input_ids) <= limit:
                return None
            limits.append(limit)
        return max(limits, default=None)

    def _readers(self) -> Iterator[tuple[Any, int]]:
        """Yield each tokenizer of the pipeline with its largest number of tokens."""
        longest = self._takes.get("max_sequence_length")
        for name in _TOKENIZERS:
            tokenizer = getattr(self._pipeline, name, None)
            tokenizer = getattr(tokenizer, "tokenizer", tokenizer)  # of a processor (FLUX.2)
            if tokenizer is not None:
                limit = int(tokenizer.model_max_length)
                stated = None if longest is None else longest.default
                yield tokenizer, min(limit, stated) if isinstance(stated, int) else limit


def _tell(message: str) -> None:
    _log.warning("%s", plain(message))
