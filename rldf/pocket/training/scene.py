"""Trains the pocket scene classifier: a small transformers ResNet on drawings."""

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import ConvNextImageProcessor, ResNetConfig, ResNetForImageClassification

from rldf.pocket.training.loop import Recipe, device, report, train, write_report
from rldf.pocket.training.pictures import MEAN, STD, load_pictures, reader_batch
from rldf.pocket.world.drawing import PICTURE, world_grammar

RECIPE = Recipe(steps=1100, batch=64, rate=2e-3, warmup=100, average=0.995)
DRAWINGS = {"pocket": 24_000}


def labels() -> list[str]:
    """List the scenes, in the order of the classes.

    Returns:
        Places365 names.
    """
    return [value.labels[0] for value in world_grammar().axis("Scene").values]


def build() -> ResNetForImageClassification:
    """Make the untrained classifier.

    Returns:
        A ResNet of four basic stages.
    """
    names = dict(enumerate(labels()))
    return ResNetForImageClassification(
        ResNetConfig(
            embedding_size=24,
            hidden_sizes=[24, 48, 96, 128],
            depths=[1, 1, 1, 1],
            layer_type="basic",
            id2label=names,
            label2id={name: i for i, name in names.items()},
        )
    )


def main(work: Path, out: Path, recipe: Recipe = RECIPE) -> None:
    """Train the classifier and save it in transformers' layout.

    Args:
        work: folder of drawings and checkpoints.
        out: folder that gets config, weights and image processor.
        recipe: how long and how fast.
    """
    pictures, records = load_pictures(work / "drawings", DRAWINGS)
    numbers = {name: i for i, name in enumerate(labels())}
    targets = torch.tensor([numbers[record.scene] for record in records])
    torch.manual_seed(recipe.seed)
    model = build().to(device()).train()

    def loss(step: int, source: torch.Generator) -> Tensor:
        picks = torch.randint(len(records), (recipe.batch,), generator=source)
        pixels = reader_batch(pictures, picks.tolist(), recipe.seed + step).to(device())
        logits = model(pixel_values=pixels).logits.float()
        return F.cross_entropy(logits, targets[picks].to(device()), label_smoothing=0.02)

    averaged = train(model, loss, recipe, work / "scene.pt")
    averaged.eval().half().save_pretrained(out)
    ConvNextImageProcessor(
        size={"shortest_edge": PICTURE}, crop_pct=1.0, image_mean=MEAN, image_std=STD
    ).save_pretrained(out)
    write_report(out, "scene", report(work / "scene.pt", recipe, len(records)))
