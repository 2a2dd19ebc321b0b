"""Trains ResNet-18 from random weights, the classifier of the downstream test.

A training is checkpointed after every epoch and resumes to the same weights. Under `accelerate
launch` or `torchrun` each process takes its share of every batch, and all end with the same
weights.
"""

import contextlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision.models import resnet18

from rldf.evaluation.classification import TOP, Recipe, batch_size, rate_at
from rldf.evaluation.examples import Examples, Pixels, epoch_batches, middle_crop, training_crop
from rldf.io.distributed import cpu_share, is_cuda, resolve
from rldf.io.files import write_bytes
from rldf.seeding import derive, rng

Weights = Mapping[str, NDArray[Any]]

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_TEST_BATCH = 256
_DECODED = 250_000_000  # bytes of decoded examples that a loading process keeps
_Item = tuple[int, int]  # epoch, example


class _Batches:
    """Yields this process's share of each batch of the epoch that `epoch` names."""

    def __init__(self, n: int, batch: int, seed: int, rank: int, world: int) -> None:
        self._n, self._batch, self._seed = n, batch, seed
        self._rank, self._world = rank, world
        self.epoch = 0

    def __len__(self) -> int:
        return self._n // self._batch

    def __iter__(self) -> Iterator[list[_Item]]:
        for batch in epoch_batches(self._n, self._batch, self._seed, self.epoch):
            yield [(self.epoch, i) for i in batch[self._rank :: self._world]]


class _Crops(Dataset[tuple[Pixels, int]]):
    """Examples as pixels: a random crop that depends on the epoch, or without a seed the middle."""

    def __init__(self, examples: Examples, side: int, seed: int | None) -> None:
        self._examples, self._side, self._seed = examples, side, seed
        self._decoded: dict[int, Image.Image] = {}
        self._room = _DECODED

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, item: _Item) -> tuple[Pixels, int]:
        epoch, i = item
        image, label = self._image(i), self._examples.labels[i]
        if self._seed is None:
            return middle_crop(image, self._side), label
        return training_crop(image, self._side, rng(self._seed, "crop", epoch, i)), label

    def _image(self, i: int) -> Image.Image:
        """Decode an example, or take it from the bounded in-memory cache."""
        if i in self._decoded:
            return self._decoded[i]
        image = self._examples.decode(i)
        size = 3 * image.width * image.height
        if size <= self._room:
            self._room -= size
            self._decoded[i] = image
        return image


def train(
    examples: Examples,
    n_classes: int,
    recipe: Recipe,
    seed: int,
    checkpoint: Path,
    progress: Callable[[int], None] = lambda epochs: None,
) -> Weights:
    """Train a ResNet-18, resuming from the file `checkpoint` if it exists; returns its weights."""
    accelerator = _accelerator()
    rank, world = accelerator.process_index, accelerator.num_processes
    batch = max(batch_size(recipe, len(examples)), 2 * world)  # batch norm needs two
    batches = _Batches(len(examples), batch, seed, rank, world)
    network: nn.Module = _network(n_classes, seed).to(memory_format=torch.channels_last)
    optimizer: torch.optim.Optimizer = torch.optim.SGD(
        network.parameters(),
        lr=recipe.rate,
        momentum=recipe.momentum,
        weight_decay=recipe.decay,
        nesterov=True,
    )
    start = _resume(checkpoint, network, optimizer)
    network, optimizer = accelerator.prepare(network, optimizer)
    network.train()
    loader = _loader(_Crops(examples, recipe.side, seed), batches, accelerator.device)
    steps = recipe.epochs * len(batches)
    for epoch in range(start, recipe.epochs):
        batches.epoch = epoch
        for step, (pixels, labels) in enumerate(loader, epoch * len(batches)):
            for group in optimizer.param_groups:
                group["lr"] = rate_at(recipe, batch, step, steps)
            scores = network(_normal(pixels, accelerator.device))
            loss = F.cross_entropy(scores, labels.to(accelerator.device))
            optimizer.zero_grad()
            accelerator.backward(loss)
            optimizer.step()
        if accelerator.is_main_process:
            bare = accelerator.unwrap_model(network)
            _save(checkpoint, epoch + 1, bare, optimizer)
            progress(epoch + 1)
    bare = accelerator.unwrap_model(network)
    return {name: value.cpu().numpy() for name, value in bare.state_dict().items()}


@torch.inference_mode()
def predict(weights: Weights, n_classes: int, examples: Examples, side: int) -> NDArray[np.int64]:
    """Predict the classes that a trained network scores highest for each example.

    Returns:
        (n, k) class numbers, best first; k is 5, or the number of classes if that is less.
    """
    device = torch.device(resolve("auto", apple=False))
    network = _network(n_classes, 0)
    network.load_state_dict({name: torch.from_numpy(np.array(w)) for name, w in weights.items()})
    network = network.eval().to(device).to(memory_format=torch.channels_last)
    places = [(0, i) for i in range(len(examples))]
    batches = [places[k : k + _TEST_BATCH] for k in range(0, len(places), _TEST_BATCH)]
    found = [
        network(_normal(pixels, device)).topk(min(TOP, n_classes)).indices.cpu()
        for pixels, _ in _loader(_Crops(examples, side, None), batches, device)
    ]
    best: NDArray[np.int64] = torch.cat(found).numpy()
    return best


def first_of(value: list[int]) -> list[int]:
    """Return the first process's list in every process."""
    _accelerator()
    given: list[int] = broadcast_object_list([value])[0]
    return given


def _accelerator() -> Accelerator:
    cuda = is_cuda("auto")
    fast = cuda and torch.cuda.is_bf16_supported()
    # without `cpu`, two processes on a machine without GPU would each think that they are alone
    return Accelerator(cpu=not cuda, mixed_precision="bf16" if fast else "no")


def _network(n_classes: int, seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):  # torchvision draws from torch's one global source
        torch.default_generator.manual_seed(derive(seed, "weights"))
        network: nn.Module = resnet18(num_classes=n_classes)
    return network


def _loader(
    crops: _Crops, batches: "_Batches | Sequence[list[_Item]]", device: torch.device
) -> DataLoader[tuple[Pixels, int]]:
    workers = cpu_share(8) if device.type == "cuda" else 0
    return DataLoader(
        crops,
        batch_sampler=batches,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=device.type == "cuda",
        collate_fn=_collate,
        generator=torch.Generator(),  # or it would draw from torch's one global source
    )


def _collate(items: Sequence[tuple[Pixels, int]]) -> tuple[Tensor, Tensor]:
    pixels = np.stack([crop for crop, _ in items])
    return torch.from_numpy(pixels), torch.tensor([label for _, label in items])


def _normal(pixels: Tensor, device: torch.device) -> Tensor:
    """Normalize pixels (n, h, w, 3), 0 to 255, to the network's input (n, 3, h, w)."""
    values = pixels.to(device, non_blocking=True).float() / 255
    mean, std = (torch.tensor(numbers, device=device) for numbers in (_MEAN, _STD))
    return ((values - mean) / std).permute(0, 3, 1, 2)  # channels last in memory


def _save(path: Path, epoch: int, network: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    state = {
        "epoch": epoch,
        "network": network.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    buffer = io.BytesIO()
    torch.save(state, buffer)
    with contextlib.suppress(OSError):  # a full disk: train on without
        write_bytes(path, buffer.getvalue())


def _resume(path: Path, network: nn.Module, optimizer: torch.optim.Optimizer) -> int:
    """Load the first process's checkpoint in every process; returns the number of epochs done."""
    state = broadcast_object_list([_load(path)])[0]
    if state is None:
        return 0
    network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["epoch"])


def _load(path: Path) -> dict[str, Any] | None:
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # no checkpoint, or a damaged one, which may raise anything
        return None
    return state
