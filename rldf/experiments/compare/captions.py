"""Writes captions: one sentence for an image, without generating images.

`SentenceRetrieval` finds the sentence of a grammar with the highest CLIP cosine to the image; its
captions are in the words that the generator knows. `CaptionModel` is any image-to-text model of
transformers, such as BLIP (arXiv:2201.12086) or GIT (arXiv:2205.14100), in a local folder.
"""

import re
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL.Image import Image

from rldf.errors import ConfigError
from rldf.grammar.encoding import Encoding
from rldf.grammar.grammar import Grammar, load_grammar
from rldf.interfaces import ImageTextModel
from rldf.io.text import one_line
from rldf.models.model_sets import ModelSet
from rldf.models.safety import check_model

_BEAM = 8
_SWEEPS = 6
_TEXTS = 512  # sentences that are embedded at once
_NEW_TOKENS = 40


class Captioner(Protocol):
    """A model that describes an image in one sentence, always the same for the same image."""

    def caption(self, image: Image) -> str:
        """Describe an RGB image in one line."""


def make_captioner(models: ModelSet, folder: Path | None, grammar: str) -> Captioner:
    """Make a captioner: a model in a local folder, or else the retrieval of sentences by CLIP.

    Retrieval uses the vocabulary grammar of the model set if it has one, else `grammar`.
    """
    if folder is not None:
        return CaptionModel(folder)
    return SentenceRetrieval(load_grammar(models.file.vocabulary_grammar or grammar), models.clip)


class SentenceRetrieval:
    """Captions an image with the sentence of a grammar that has the highest CLIP cosine to it.

    This is a beam search over the axes, the longest axis first: each sentence of the beam is tried
    with every value of one axis, the 8 best sentences become the new beam, and the next axis
    follows, until a sweep over all axes changes nothing, or for 6 sweeps. So for a grammar of
    millions of sentences, only hundreds are embedded.

    The idea is that of clip-interrogator (https://github.com/pharmapsychotic/clip-interrogator):
    CLIP ranks phrases, and the best ones make the prompt.
    """

    def __init__(self, grammar: Grammar, clip: ImageTextModel) -> None:
        """Make a captioner from a grammar and a CLIP model."""
        self._grammar, self._clip = grammar, clip
        self._order = sorted(range(len(grammar.shape)), key=lambda axis: -grammar.shape[axis])

    def caption(self, image: Image) -> str:
        """Return the sentence with the highest cosine that the beam search finds."""
        return self._grammar.derive(self.nearest(image))

    def nearest(self, image: Image) -> Encoding:
        """Return the encoding of that sentence."""
        vector = self._clip.embed_images([image])[0]
        beam: list[Encoding] = [(0,) * len(self._grammar.shape)]
        scores: dict[Encoding, float] = {}
        for _ in range(_SWEEPS):
            before = beam
            for axis in self._order:
                beam = self._grown(beam, axis, vector, scores)
            if beam == before:
                break
        return beam[0]

    def _grown(
        self, beam: list[Encoding], axis: int, vector: Any, scores: dict[Encoding, float]
    ) -> list[Encoding]:
        """Try every value of an axis, and return the new beam; ties are sorted by encoding."""
        values = range(self._grammar.shape[axis])
        tried = {(*cell[:axis], k, *cell[axis + 1 :]) for cell in beam for k in values}
        new = sorted(tried - scores.keys())
        for i in range(0, len(new), _TEXTS):
            part = new[i : i + _TEXTS]
            texts = self._clip.embed_texts([self._grammar.derive(cell) for cell in part])
            scores.update(zip(part, np.asarray(texts @ vector, np.float64).tolist(), strict=True))
        return sorted(tried, key=lambda cell: (-scores[cell], cell))[:_BEAM]


class CaptionModel:
    """Captions with an image-to-text model of transformers; greedy decoding, so repeatable."""

    def __init__(self, path: Path, device: str = "cpu") -> None:
        """Load a model from a folder; downloads nothing, and runs no code of the folder."""
        check_model(path)
        from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoTokenizer

        from rldf.perception.transformers_folder import load_folder

        what = "image-to-text model"
        self._processor, model = load_folder(
            path, AutoImageProcessor, AutoModelForImageTextToText, what
        )
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(
                path, local_files_only=True, trust_remote_code=False
            )
        except Exception as error:  # a broken folder may raise anything; the user needs one line
            raise ConfigError(f"{path} is not an {what}: {one_line(error)}") from error
        self._path, self._device = path, device
        self._model = model.to(device)

    def caption(self, image: Image) -> str:
        """Describe an RGB image in one line."""
        import torch

        try:
            pixels = self._processor(images=image, return_tensors="pt").pixel_values
            with torch.inference_mode():
                tokens = self._model.generate(
                    pixel_values=pixels.to(self._device),
                    max_new_tokens=_NEW_TOKENS,
                    do_sample=False,
                    num_beams=1,
                )
        except Exception as error:  # a model of another kind may raise anything
            raise ConfigError(f"{self._path} cannot caption images: {one_line(error)}") from error
        text: str = self._tokenizer.decode(tokens[0], skip_special_tokens=True)
        return re.sub(r"\s+", " ", text).strip()
