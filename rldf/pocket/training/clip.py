"""Trains the pocket CLIP (open_clip) contrastively on drawings and their sentences.

Two pictures of one sentence are both right for it, so the target of a row is spread evenly over
the pictures of a batch that share its sentence.
"""

import json
from pathlib import Path
from typing import Any

import open_clip
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from rldf.pocket.training.loop import Recipe, device, report, train, write_report
from rldf.pocket.training.pictures import MEAN, STD, load_pictures, reader_batch
from rldf.pocket.training.tokenizer import TOKENS, build_tokenizer
from rldf.pocket.world.drawing import PICTURE

RECIPE = Recipe(steps=1600, batch=192, rate=2e-3, warmup=100, average=0.995, decay=0.05)
DRAWINGS = {"pocket": 60_000, "base": 8_000}


def config(vocabulary: int) -> dict[str, Any]:
    """Describe the model the way open_clip does.

    Args:
        vocabulary: number of tokens.

    Returns:
        The contents of open_clip_config.json.
    """
    return {
        "model_cfg": {
            "embed_dim": 128,
            "vision_cfg": {"image_size": PICTURE, "layers": [1, 1, 2, 1], "width": 24},
            "text_cfg": {
                "context_length": TOKENS,
                "vocab_size": vocabulary,
                "hf_tokenizer_name": "pocket",  # beside the config: open_clip looks there
                "width": 128,
                "heads": 4,
                "layers": 3,
            },
        },
        "preprocess_cfg": {"mean": MEAN, "std": STD, "interpolation": "bicubic"},
    }


def spread_cross_entropy(logits: Tensor, same: Tensor) -> Tensor:
    """Compute the contrastive loss with several right answers a row, both ways.

    Args:
        logits: scaled cosines of pictures (rows) and sentences (columns), (n, n).
        same: whether two rows have one sentence, (n, n) bool.

    Returns:
        The loss, a scalar.
    """
    target = same.float() / same.sum(1, keepdim=True)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def main(work: Path, out: Path, recipe: Recipe = RECIPE) -> None:
    """Train CLIP and save it in open_clip's layout.

    Args:
        work: folder of drawings and checkpoints.
        out: folder that gets open_clip_config.json, weights and tokenizer.
        recipe: how long and how fast.
    """
    pictures, records = load_pictures(work / "drawings", DRAWINGS)
    tokenizer = build_tokenizer(out)
    texts = sorted({record.sentence for record in records})
    number = {text: i for i, text in enumerate(texts)}
    text_of = torch.tensor([number[record.sentence] for record in records])
    table = tokenizer(texts, padding="max_length", return_tensors="pt").input_ids
    described = config(len(tokenizer))
    torch.manual_seed(recipe.seed)
    model = open_clip.CLIP(**described["model_cfg"]).to(device()).train()

    def loss(step: int, source: torch.Generator) -> Tensor:
        picks = torch.randint(len(records), (recipe.batch,), generator=source)
        pixels = reader_batch(pictures, picks.tolist(), recipe.seed + step).to(device())
        sentences = text_of[picks]
        images, words, scale = model(pixels, table[sentences].to(device()))
        logits = scale.clamp(max=100) * images.float() @ words.float().T
        return spread_cross_entropy(logits, (sentences[:, None] == sentences).to(device()))

    averaged = train(model, loss, recipe, work / "clip.pt")
    weights = {name: w.half().contiguous() for name, w in averaged.state_dict().items()}
    save_file(weights, out / "open_clip_model.safetensors")
    (out / "open_clip_config.json").write_text(json.dumps(described, indent=1) + "\n")
    write_report(out, "clip", report(work / "clip.pt", recipe, len(records)))
