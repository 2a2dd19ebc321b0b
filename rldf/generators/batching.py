"""As much at once as memory allows: halved when it runs out, and remembered."""

import gc
import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

from rldf.errors import RldfError
from rldf.io import distributed

T = TypeVar("T")
R = TypeVar("R")

_SIGNS = ("out of memory", "can't allocate memory", "ALLOC_FAILED")  # of other RuntimeErrors
_log = logging.getLogger(__name__)


class Portions:
    """Does things in portions that fit into memory."""

    def __init__(self, most: int | None = None) -> None:
        """Begin."""
        self.most = most
        """How many are done at once; None as long as memory never ran out."""

    def map(self, do: Callable[[Sequence[T]], Sequence[R]], items: Sequence[T]) -> list[R]:
        """Do something with all items; what was done before memory ran out is kept."""
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
                "out of memory with a single image: choose a smaller size, or dtype float16 or "
                "attention_slicing in the generator's options"
            )
        self.most = n // 2
        _log.warning("no memory for %d images at once: drawing %d", n, self.most)


def free_memory() -> None:
    """Give back what a failed batch took; its error, which held the tensors, is gone by now."""
    gc.collect()
    distributed.free_memory()


def is_out_of_memory(error: Exception) -> bool:
    """Tell a lack of memory from other errors."""
    kinds = (MemoryError, torch.OutOfMemoryError)
    return isinstance(error, kinds) or any(sign in str(error) for sign in _SIGNS)
