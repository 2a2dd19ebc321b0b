"""Trains the pocket detector, a small YOLOv8 on drawings, and a second one to judge by.

Both are trained by ultralytics' own `train`. The second is not shipped: `rldf pocket check --models
FILE` with a model set of it tells whether the scores are the luck of the first.
"""

import csv
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import yaml
from PIL import Image

from rldf.perception.detector import import_ultralytics
from rldf.pocket.training.degrade import degrade
from rldf.pocket.training.drawings import load_shards
from rldf.pocket.training.loop import device, write_report
from rldf.pocket.world.drawing import PICTURE
from rldf.pocket.yolo_set import labels, write_picture, write_set_file
from rldf.seeding import rng as seeded

EPOCHS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """Which detector is trained, on which drawings.

    Attributes:
        name: of its folder among the checkpoints.
        architecture: file of ultralytics, below its cfg/models.
        drawings: number of drawings by grammar.
        first: number of the first shard of drawings.
        seed: of initial weights, batches and degraded drawings.
    """

    name: str
    architecture: str
    drawings: dict[str, int]
    first: int = 0
    seed: int = 0


SHIPPED = Design(name="detector", architecture="v8/yolov8.yaml", drawings={"pocket": 24_000})
SECOND = Design(
    name="second-detector",
    architecture="11/yolo11.yaml",
    drawings={"pocket": 24_000},
    first=60,
    seed=1,
)
"""A second opinion on what is generated: another architecture, other drawings; not shipped."""


def write_yolo_set(work: Path, design: Design) -> Path:
    """Write drawings in YOLO's layout: PNG files and a text file of boxes for each.

    Two drawings of five are degraded (blur, noise, JPEG), as generated images are softer than
    drawings.

    Args:
        work: folder of drawings; gets a folder for the set.
        design: which drawings.

    Returns:
        The data set's YAML file.
    """
    root = work / f"yolo-{design.name}"
    if not (root / "data.yaml").exists():
        for name, n in design.drawings.items():
            shards = load_shards(work / "drawings", name, n, design.first)
            for shard, (pixels, records) in enumerate(shards):
                for k, record in enumerate(records):
                    stem = f"{name}-{shard:04d}-{k:04d}"
                    image = degrade(Image.fromarray(np.array(pixels[k])), seeded(design.seed, stem))
                    write_picture(root, stem, image, record.boxes)
        write_set_file(root, validated=200)  # last: it says that the set is whole
    return root / "data.yaml"


def write_architecture(work: Path, design: Design) -> Path:
    """Write an architecture with our classes.

    Args:
        work: folder that gets the file.
        design: which one.

    Returns:
        The YAML file.
    """
    import_ultralytics()
    import ultralytics

    source = Path(ultralytics.__file__).parent / "cfg" / "models" / design.architecture
    config = yaml.safe_load(source.read_text(encoding="utf-8"))
    config |= {"nc": len(labels()), "scales": {"n": config["scales"]["n"]}}
    target = work / f"{source.stem}n-pocket.yaml"  # ultralytics reads the size in the name
    target.write_text(yaml.safe_dump(config), encoding="utf-8")
    return target


def main(work: Path, out: Path, design: Design = SHIPPED, epochs: int = EPOCHS) -> None:
    """Train a detector, going on from its last epoch if it was interrupted.

    Args:
        work: folder of drawings and checkpoints.
        out: folder that gets detector.pt and training.json.
        design: which detector.
        epochs: how often every drawing is seen.
    """
    import_ultralytics()
    from ultralytics import YOLO

    last = work / design.name / "weights" / "last.pt"
    data = write_yolo_set(work, design)
    done = training_log(work, design)
    if len(done) < epochs and last.exists():
        YOLO(last).train(resume=True)
    elif len(done) < epochs:
        YOLO(write_architecture(work, design)).train(
            data=str(data), epochs=epochs, imgsz=PICTURE, batch=32, seed=design.seed,
            deterministic=True, optimizer="AdamW", lr0=2e-3, lrf=0.02, warmup_epochs=0.3,
            cos_lr=False, weight_decay=1e-3, mosaic=0.0, fliplr=0.5, scale=0.15, translate=0.08,
            hsv_h=0.01, hsv_s=0.3, hsv_v=0.3, erasing=0.0, workers=0, val=False, plots=False,
            amp=False, device=device().type, project=str(work), name=design.name, exist_ok=True,
            verbose=False,
        )  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    save_slim(last, out / "detector.pt")
    write_report(out, "detector", report(work, design, planned=epochs))


def training_log(work: Path, design: Design) -> list[dict[str, float]]:
    """Read ultralytics' log of a training.

    Args:
        work: folder of drawings and checkpoints.
        design: which detector.

    Returns:
        One row an epoch, empty before the first has ended.
    """
    file = work / design.name / "results.csv"
    if not file.exists():
        return []
    with file.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, skipinitialspace=True)
        return [{name.strip(): float(value) for name, value in row.items()} for row in rows]


def report(work: Path, design: Design, planned: int) -> dict[str, object]:
    """Sum up a training for the model card.

    Args:
        work: folder of drawings and checkpoints.
        design: which detector.
        planned: epochs of the learning-rate schedule.

    Returns:
        Drawings, epochs, seed, minutes and the losses of every epoch.
    """
    rows = training_log(work, design)
    losses = ("train/box_loss", "train/cls_loss", "train/dfl_loss")
    return {
        "drawings": sum(design.drawings.values()),
        "epochs": len(rows),
        "epochs_planned": planned,
        "architecture": design.architecture,
        "seed": design.seed,
        "minutes": round(rows[-1]["time"] / 60, 1),
        "losses": {name: [round(row[name], 4) for row in rows] for name in losses},
    }


def save_slim(checkpoint: Path, target: Path) -> None:
    """Keep only the averaged weights of an ultralytics checkpoint, in half precision.

    Args:
        checkpoint: last.pt of a training.
        target: where the slim file goes.
    """
    import_ultralytics()
    from ultralytics.utils.torch_utils import strip_optimizer

    strip_optimizer(str(checkpoint), str(target))
    slim = torch.load(target, map_location="cpu", weights_only=False)  # just written by us
    slim.pop("git", None)
    model = slim["model"]
    for settings in (slim["train_args"], model.args, model.yaml):
        _forget_folders(settings)
    torch.save(slim, target)
    assert os.path.getsize(target) < 16_000_000, "the pocket detector must stay small"


def _forget_folders(settings: dict[str, object]) -> None:
    """Keep the names of files and drop the folders of the machine that trained."""
    for name, value in settings.items():
        if isinstance(value, str) and Path(value).is_absolute():
            settings[name] = Path(value).name
