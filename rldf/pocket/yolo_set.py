"""Drawings in YOLO's layout: an image and a text file of boxes for each."""

from collections.abc import Sequence
from pathlib import Path

import yaml
from PIL.Image import Image

from rldf.pocket.world.drawing import PICTURE, world_grammar

LabelledBox = tuple[str, tuple[float, float, float, float]]


def labels() -> list[str]:
    """List what the detector knows, in the order of its classes.

    Returns:
        The labels of objects, and of people by what they do.
    """
    axes = (world_grammar().axis(symbol) for symbol in ("Noun", "Verb"))
    return [value.labels[0] for axis in axes for value in axis.values]


def write_picture(root: Path, stem: str, image: Image, boxes: Sequence[LabelledBox]) -> None:
    """Write one picture and its boxes.

    Args:
        root: the set's folder.
        stem: the files' name without suffix.
        image: 128 x 128 RGB.
        boxes: label and left, top, right, lower edge (px).
    """
    for part in ("images", "labels"):
        (root / part).mkdir(parents=True, exist_ok=True)
    classes = {label: i for i, label in enumerate(labels())}
    lines = []
    for label, (left, top, right, lower) in boxes:
        x, y = (left + right) / 2 / PICTURE, (top + lower) / 2 / PICTURE
        w, h = (right - left) / PICTURE, (lower - top) / PICTURE
        lines.append(f"{classes[label]} {x:.5f} {y:.5f} {w:.5f} {h:.5f}\n")
    image.save(root / "images" / f"{stem}.png", compress_level=1)
    (root / "labels" / f"{stem}.txt").write_text("".join(lines), encoding="utf-8")


def write_set_file(root: Path, validated: int | None = None) -> Path:
    """Write the YAML file that ultralytics wants of a set.

    Args:
        root: the set's folder.
        validated: how many of the pictures ultralytics validates with, None for all.

    Returns:
        The file.
    """
    pictures = sorted((root / "images").iterdir())[:validated]
    listed = "".join(f"./images/{picture.name}\n" for picture in pictures)
    (root / "val.txt").write_text(listed, encoding="utf-8")
    file = root / "data.yaml"
    described = {
        "path": str(root.resolve()),
        "train": "images",
        "val": "val.txt",
        "names": dict(enumerate(labels())),
    }
    file.write_text(yaml.safe_dump(described), encoding="utf-8")
    return file
