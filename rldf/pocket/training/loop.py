"""What every training shares: a resumable loop with warm-up, decay, an average of weights."""

import copy
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from rldf.io.distributed import resolve
from rldf.pocket.training.optimizers import make_optimizers

Model = TypeVar("Model", bound=nn.Module)

_SAVE_SECONDS = 120
_LOG_STEPS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How long and how fast one model is trained.

    Attributes:
        steps: optimizer steps in all.
        batch: images a step.
        rate: highest learning rate.
        warmup: steps of linear warm-up.
        cooldown: share of the steps, at the end, over which the rate falls linearly to 2 %.
        decay: weight decay of AdamW.
        average: decay of the moving average of the weights, per step.
        seed: seeds initial weights and batches.
        muon: whether Muon steps the matrices (see `optimizers.py`) instead of AdamW.
    """

    steps: int
    batch: int
    rate: float
    warmup: int = 300
    cooldown: float = 1.0
    decay: float = 0.01
    average: float = 0.999
    seed: int = 0
    muon: bool = False

    def rate_at(self, step: int) -> float:
        """Compute the learning rate of a step.

        Args:
            step: 0 to steps - 1.

        Returns:
            The rate.
        """
        left = (self.steps - step) / (self.steps * self.cooldown)
        return self.rate * min((step + 1) / self.warmup, 0.02 + 0.98 * min(left, 1.0))


def device() -> torch.device:
    """Choose where to train.

    Returns:
        The first GPU of Nvidia, or the CPU.
    """
    return torch.device(resolve("auto", apple=False))


def precision(where: torch.device) -> torch.autocast:
    """Choose the precision of the forward passes.

    Args:
        where: the device that trains.

    Returns:
        bfloat16 where the processor has it: on one with AVX2 alone it is 38 times slower than
        float32.
    """
    fast = where.type != "cpu" or torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return torch.autocast(where.type, torch.bfloat16, enabled=fast)


def train(
    model: Model,
    loss_of: Callable[[int, torch.Generator], Tensor],
    recipe: Recipe,
    checkpoint: Path,
) -> Model:
    """Train a model, going on from its checkpoint if there is one.

    Every step takes a fresh random source from (seed, step), so that a resumed training sees the
    batches of an uninterrupted one.

    Args:
        model: what is trained, on its device already.
        loss_of: draws the batch of a step with the given source and returns the loss.
        recipe: how long and how fast.
        checkpoint: file of the state, written every two minutes and at the end.

    Returns:
        The model with averaged weights.
    """
    optimizers = make_optimizers(model, recipe.decay, muon=recipe.muon)
    averaged = copy.deepcopy(model).requires_grad_(False)
    start, losses, seconds = 0, list[float](), 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        model.load_state_dict(state["model"])
        averaged.load_state_dict(state["averaged"])
        for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        start, losses, seconds = state["step"], state["losses"], state["seconds"]
    begun = saved_at = time.monotonic()
    recent: list[float] = []
    where = next(model.parameters()).device
    for step in range(start, recipe.steps):
        source = torch.Generator().manual_seed(recipe.seed * 10_000_019 + step)
        with precision(where):
            loss = loss_of(step, source)
        model.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step(recipe.rate_at(step))
        _average(averaged, model, min(recipe.average, (step + 1) / (step + 10)))
        recent.append(float(loss.detach()))
        last = step + 1 == recipe.steps
        if len(recent) == _LOG_STEPS or last:
            losses.append(sum(recent) / len(recent))
            recent.clear()
            rate = (step + 1 - start) / (time.monotonic() - begun)
            print(
                f"{checkpoint.stem} {step + 1}/{recipe.steps} loss {losses[-1]:.4f} "
                f"{rate * recipe.batch:.0f} images/s, "
                f"{(recipe.steps - step - 1) / rate / 60:.0f} minutes left",
                flush=True,
            )
        if last or time.monotonic() - saved_at > _SAVE_SECONDS:
            saved_at = time.monotonic()
            state = {
                "model": model.state_dict(),
                "averaged": averaged.state_dict(),
                "optimizers": [optimizer.state_dict() for optimizer in optimizers],
                "step": step + 1,
                "losses": losses,
                "seconds": seconds + saved_at - begun,
            }
            part = checkpoint.with_suffix(".part")
            torch.save(state, part)
            part.replace(checkpoint)
    return averaged


def report(checkpoint: Path, recipe: Recipe, drawings: int) -> dict[str, object]:
    """Sum up a finished training for the model card.

    Args:
        checkpoint: file that `train` wrote.
        recipe: how it was trained.
        drawings: size of the training set.

    Returns:
        Drawings, steps, images seen, seed, minutes and the loss at five moments.
    """
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    losses = state["losses"]
    marks = [losses[round(i * (len(losses) - 1) / 4)] for i in range(5)]
    return {
        "drawings": drawings,
        "steps": state["step"],
        "batch": recipe.batch,
        "images_seen": state["step"] * recipe.batch,
        "rate": recipe.rate,
        "seed": recipe.seed,
        "minutes": round(state["seconds"] / 60, 1),
        "losses": [round(loss, 4) for loss in marks],
    }


def write_report(folder: Path, name: str, facts: dict[str, object]) -> None:
    """Write the facts of one training for the model card.

    Args:
        folder: where the trained model lies.
        name: which model.
        facts: what `report` returned, and the model's own scores.
    """
    (folder / "training.json").write_text(
        json.dumps({"model": name} | facts, indent=1) + "\n", encoding="utf-8"
    )


@torch.no_grad()
def _average(averaged: nn.Module, model: nn.Module, decay: float) -> None:
    pairs = list(zip(averaged.parameters(), model.parameters(), strict=True))
    torch._foreach_lerp_([a for a, _ in pairs], [m.detach() for _, m in pairs], 1 - decay)
    for old, new in zip(averaged.buffers(), model.buffers(), strict=True):
        old.copy_(new)
