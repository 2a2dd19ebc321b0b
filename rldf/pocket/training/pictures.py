"""Batches of drawings for the readers: random picks, mirrored and degraded, as float tensors."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from rldf.pocket.training.degrade import degrade
from rldf.pocket.training.drawings import Record, load_shards

MEAN = (0.5, 0.5, 0.5)
STD = (0.25, 0.25, 0.25)


def load_pictures(
    folder: Path, wanted: dict[str, int]
) -> tuple[list[NDArray[np.uint8]], list[Record]]:
    """Load drawings of several grammars into memory.

    Args:
        folder: where shards lie.
        wanted: number of drawings by grammar.

    Returns:
        Pictures (128, 128, 3) and their records, in one order.
    """
    pictures: list[NDArray[np.uint8]] = []
    records: list[Record] = []
    for name, n in wanted.items():
        for pixels, rows in load_shards(folder, name, n):
            pictures.extend(np.array(pixels))
            records.extend(rows)
    return pictures, records


def reader_batch(pictures: Sequence[NDArray[np.uint8]], picks: Sequence[int], seed: int) -> Tensor:
    """Prepare a batch for a reader's training.

    Args:
        pictures: all pictures.
        picks: which of them.
        seed: decides which are mirrored and degraded.

    Returns:
        Normalised pixels (n, 3, 128, 128), float32.
    """
    rng = np.random.default_rng(seed)
    images = []
    for i in picks:
        pixels = pictures[i][:, ::-1] if rng.random() < 0.5 else pictures[i]
        images.append(np.asarray(degrade(Image.fromarray(np.ascontiguousarray(pixels)), rng)))
    batch = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255
    return (batch - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
