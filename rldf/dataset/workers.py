"""Which of the processes this one is, and where its models run.

One process alone, one of those that `torchrun` or `accelerate launch` started, or one task of a
Slurm array (`--shard i/N`). Processes never wait for each other: what is whose is decided by the
files of the clone's folder (see `claims`).
"""

import os
import re
from dataclasses import dataclass

from rldf.errors import RldfError, UsageError
from rldf.io.distributed import is_cuda


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """One process.

    Attributes:
        rank: its number among those that were started together, from 0.
        world: how many were started together.
        device: where its models run; "auto" is the GPU if there is one.
    """

    rank: int = 0
    world: int = 1
    device: str = "auto"

    @property
    def is_main(self) -> bool:
        """Whether this one shows progress and prints the result."""
        return self.rank == 0


@dataclass(frozen=True, slots=True)
class Part:
    """A fixed part of the work shards: those whose number is `number` modulo `of`."""

    number: int = 0
    of: int = 1

    def __contains__(self, shard: int) -> bool:
        """Tell whether a work shard belongs to the part."""
        return shard % self.of == self.number


def parse_part(text: str | None) -> Part:
    """Read `--shard i/N`.

    Args:
        text: such as "3/8"; the first of 8 is "0/8". None for all work.

    Returns:
        The part.

    Raises:
        UsageError: it is not such a text.
    """
    if text is None:
        return Part()
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if match is None or not int(match[1]) < int(match[2]):
        raise UsageError(f"--shard {text}: give i/N, from 0/N to N-1/N, such as 0/8 up to 7/8")
    return Part(int(match[1]), int(match[2]))


def this_worker() -> Worker:
    """Find out which process this is.

    Returns:
        What `torchrun` or `accelerate launch` say in the environment; without them, a process
        alone.

    Raises:
        RldfError: the launcher and Accelerate do not agree on how many there are.
    """
    told = os.environ.get("WORLD_SIZE")
    if told is None:
        return Worker()
    from accelerate import PartialState

    # Without cpu=True every process under torchrun on CPUs takes itself for the only one.
    state = PartialState(cpu=not is_cuda("auto"))
    worker = Worker(rank=state.process_index, world=state.num_processes, device=str(state.device))
    state.destroy_process_group()  # nothing below waits for another process
    if worker.world != int(told):
        raise RldfError(
            f"the launcher started {told} processes, Accelerate sees {worker.world}: "
            "start them with torchrun, or with 'accelerate launch --multi_gpu'"
        )
    return worker
