"""Processes items in batches, and halves the batch size when memory runs out."""

import gc
import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

from rldf.errors import RldfError
from rldf.io import distributed

T = TypeVar("T")
R = TypeVar("R")

_SIGNS = ("out of memory", "can't allocate memory", "ALLOC_FAILED")  # in a RuntimeError's message
_log = logging.getLogger(__name__)


class Portions:
    """Applies a function to items in batches that fit into memory."""

    def __init__(self, most: int | None = None) -> None:
        """Start with batches of at most `most` items, or without a limit."""
        self.most = most
        """The current limit of a batch; None means all items at once."""

    def map(self, do: Callable[[Sequence[T]], Sequence[R]], items: Sequence[T]) -> list[R]:
        """Apply `do` to batches of `items` and return all results in the order of the items.

        When memory runs out, the failed batch is tried again at half its size; this limit stays.

        Raises:
            RldfError: if memory runs out with a single item.
        """
        results: list[R] = []
        while len(results) < len(items):
            portion = items[len(results) : len(results) + (self.most or len(items))]
            fits = True
            try:
                results += do(portion)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                fits = False
            if not fits:  # here and not above, where the error still holds the tensors
                self._halve(len(portion))
        return results

    def _halve(self, n: int) -> None:
        free_memory()
        if n == 1:
            raise RldfError(
                "out of memory with a single image: set a smaller size, dtype float16 or "
                "attention_slicing in the generator's options of the model set file"
            )
        self.most = n // 2
        _log.warning("no memory for %d images at once: generating %d at once", n, self.most)


def free_memory() -> None:
    """Free the memory of a failed batch, after its exception, which held tensors, was dropped."""
    gc.collect()
    distributed.free_memory()


def is_out_of_memory(error: Exception) -> bool:
    """Return whether an error means that memory ran out."""
    kinds = (MemoryError, torch.OutOfMemoryError)
    return isinstance(error, kinds) or any(sign in str(error) for sign in _SIGNS)
