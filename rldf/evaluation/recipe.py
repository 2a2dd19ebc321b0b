"""How the classifier is trained: the paper's recipe, and how it scales to small sets."""

import math
from dataclasses import dataclass

_LEAST_STEPS = 24  # of an epoch, as long as batches stay larger than the least
_LEAST_BATCH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """SGD with Nesterov momentum and cosine decay.

    The defaults are those of the ImageNet-100 recipe that the paper cites.

    Attributes:
        epochs: 1 or more.
        side: of the network's input, px, 32 or more.
        rate: learning rate at `batch`; it falls in proportion with smaller batches.
        batch: most examples in a batch.
        momentum: of SGD.
        decay: weight decay.
        warmup: share of the steps over which the rate rises from 0.
    """

    epochs: int = 200
    side: int = 224
    rate: float = 0.2
    batch: int = 256
    momentum: float = 0.9
    decay: float = 1e-4
    warmup: float = 0.05


def batch_size(recipe: Recipe, n: int) -> int:
    """Choose the batch: the recipe's, halved until a small set has enough steps in an epoch.

    Args:
        recipe: the recipe.
        n: number of examples.

    Returns:
        Examples in a batch, at most n.
    """
    batch = recipe.batch
    while batch > _LEAST_BATCH and n // batch < _LEAST_STEPS:
        batch //= 2
    return min(batch, n)


def rate_at(recipe: Recipe, batch: int, step: int, steps: int) -> float:
    """Compute the learning rate: linear warm-up, then half a cosine down to 0.

    Args:
        recipe: the recipe.
        batch: examples in a batch.
        step: 0 to steps - 1.
        steps: of the whole training.

    Returns:
        The rate.
    """
    peak = recipe.rate * batch / recipe.batch
    warm = recipe.warmup * steps
    if step < warm:
        return peak * (step + 1) / (warm + 1)
    return peak * (1 + math.cos(math.pi * (step - warm) / (steps - warm))) / 2
