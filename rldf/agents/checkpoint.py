"""Checkpoints: one npz file of plain arrays and JSON text, so that reading one runs no code."""

import contextlib
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rldf.agents.protocol import World
from rldf.errors import RunError
from rldf.files import replacing

Arrays = Mapping[str, NDArray[np.generic]]

_UNREADABLE = (
    OSError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    TypeError,
    ValueError,
)


def write(path: Path, arrays: Arrays) -> None:
    """Write arrays under a name that appears only once the file is whole.

    Equal arrays give equal bytes.

    Args:
        path: the file to make or to replace; its folder must exist.
        arrays: the arrays by name, none of dtype object.
    """
    with replacing(path) as file:
        np.savez(file, allow_pickle=False, **arrays)


@contextlib.contextmanager
def reading(path: Path) -> Iterator[Arrays]:
    """Open the arrays of a checkpoint, for a block that takes them in.

    Args:
        path: the file to read.

    Yields:
        The arrays by name.

    Raises:
        RunError: the file is missing or damaged, or the block found that it is not its own.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            yield dict(arrays)
    except _UNREADABLE as error:
        raise RunError(f"{path}: cannot go on from this checkpoint: {error}") from error


def text(record: object) -> NDArray[np.str_]:
    """Pack a record of numbers and text of any size into an array.

    Args:
        record: anything that JSON can say, or numpy arrays within.

    Returns:
        () the JSON text.
    """
    return np.array(json.dumps(record, default=np.ndarray.tolist))


def record(arrays: Arrays, name: str) -> dict[str, object]:
    """Unpack a record that `text` packed.

    Args:
        arrays: the arrays of a checkpoint.
        name: which of them.

    Returns:
        The record.

    Raises:
        KeyError: there is no array with that name.
        ValueError: it holds no JSON object.
    """
    found = json.loads(str(arrays[name]))
    if not isinstance(found, dict):
        raise ValueError(f"{name} is not a record")
    return found


def identity(agent: object, world: World) -> NDArray[np.str_]:
    """Say what kind of agent a checkpoint is of, and how large its world is.

    Args:
        agent: the agent.
        world: the world that it walks in.

    Returns:
        () JSON text, the array `agent` of a checkpoint.
    """
    size = {"n_states": world.n_states, "n_actions": world.n_actions}
    return text({"class": type(agent).__name__} | size)


def check_identity(arrays: Arrays, agent: object, world: World) -> None:
    """Refuse the checkpoint of another kind of agent, or of a world of another size.

    Args:
        arrays: the arrays of a checkpoint.
        agent: the agent that is to go on from it.
        world: the world that it walks in.

    Raises:
        KeyError: the checkpoint is not of an agent.
        ValueError: it is of another agent or world.
    """
    found, own = str(arrays["agent"]), str(identity(agent, world))
    if found != own:
        raise ValueError(f"it is of {found}, this agent is {own}")
