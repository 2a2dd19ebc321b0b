"""Checkpoints of agents: npz files of plain arrays and JSON text; loading one executes no code."""

import contextlib
import json
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rldf.agents.protocol import World
from rldf.errors import RunError
from rldf.io.files import parse_json, replacing
from rldf.io.text import one_line

Arrays = Mapping[str, NDArray[np.generic]]

_UNFIT = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def write(path: Path, arrays: Arrays) -> None:
    """Write arrays to an npz file, which replaces `path` only once it is complete.

    Equal arrays give equal bytes.
    """
    with replacing(path) as file:
        np.savez(file, allow_pickle=False, **arrays)


@contextlib.contextmanager
def reading(path: Path) -> Iterator[Arrays]:
    """Open a checkpoint for a `with` block; errors in the block are reported as a damaged file."""
    try:
        arrays = _arrays(path)
    except Exception as error:  # a file from elsewhere may raise anything
        raise _refusal(path, error) from error
    try:
        yield arrays
    except _UNFIT as error:
        raise _refusal(path, error) from error


def _arrays(path: Path) -> Arrays:
    """Read the arrays of an uncompressed npz file; compressed ones are refused."""
    with zipfile.ZipFile(path) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > path.stat().st_size:
            raise ValueError("its arrays are compressed, and those of a checkpoint never are")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about array headers in an old form
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)


def _refusal(path: Path, error: Exception) -> RunError:
    return RunError(f"{path}: cannot go on from this checkpoint: {one_line(error)}")


class SavedAgent:
    """An agent whose checkpoint holds the arrays of `state_dict`; a subclass adds more arrays."""

    def __init__(self, world: World, rng: np.random.Generator) -> None:
        """Make an agent.

        Args:
            world: the world that the agent walks in; checkpoints record its size.
            rng: random generator of the agent alone; loading a checkpoint sets its state.
        """
        self._world, self._rng = world, rng

    def state_dict(self) -> dict[str, NDArray[np.generic]]:
        """Return everything that changes as the agent walks, as arrays."""
        state = text(self._rng.bit_generator.state)
        return {"agent": identity(self, self._world), "rng": state}

    def load_state_dict(self, arrays: Arrays) -> None:
        """Load the arrays of `state_dict`."""
        check_identity(arrays, self, self._world)
        self._rng.bit_generator.state = record(arrays, "rng")

    def save(self, path: Path) -> None:
        """Write a checkpoint."""
        write(path, self.state_dict())

    def load(self, path: Path) -> None:
        """Load a checkpoint; the agent keeps its options and schedules."""
        with reading(path) as arrays:
            check_identity(arrays, self, self._world)  # before a subclass misses its arrays
            self.load_state_dict(arrays)


def text(record: object) -> NDArray[np.str_]:
    """Pack a record of numbers and text of any size into an array."""
    return np.array(json.dumps(record, default=np.ndarray.tolist))


def record(arrays: Arrays, name: str) -> dict[str, object]:
    """Unpack a record that `text` packed."""
    found = parse_json(str(arrays[name]))
    if not isinstance(found, dict):
        raise ValueError(f"{name} is not a record")
    return found


def identity(agent: object, world: World) -> NDArray[np.str_]:
    """Return the record of an agent's class and of the size of its world, packed by `text`."""
    size = {"n_states": world.n_states, "n_actions": world.n_actions}
    return text({"class": type(agent).__name__} | size)


def check_identity(arrays: Arrays, agent: object, world: World) -> None:
    """Refuse the checkpoint of another kind of agent, or of a world of another size."""
    found, own = str(arrays["agent"]), str(identity(agent, world))
    if found != own:
        raise ValueError(f"it is a checkpoint of {found}, but this agent is {own}")
