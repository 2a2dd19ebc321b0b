"""Checkpoints of strangers: no larger inside than outside, no odd record, one short line."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from rldf.agents import checkpoint
from rldf.agents.random import RandomAgent
from rldf.errors import RunError
from rldf.gridworld import Gridworld

WORLD = Gridworld((3, 2))


def arrays(path: Path) -> dict[str, np.ndarray]:
    with checkpoint.reading(path) as found:
        return dict(found)


def old_header(values: np.ndarray) -> bytes:
    """An array as Python 2 wrote it, of which numpy warns."""
    data = io.BytesIO()
    np.save(data, values)
    return data.getvalue().replace(b"(3,), }  ", b"(3L,), } ")


def test_a_packed_archive_is_refused(tmp_path: Path) -> None:
    """A few bytes could stand for any number of them."""
    np.savez_compressed(tmp_path / "a.npz", a=np.zeros(100_000))
    with pytest.raises(RunError, match=r"a\.npz: .* compressed"):
        arrays(tmp_path / "a.npz")
    checkpoint.write(tmp_path / "a.npz", {"a": np.zeros(100_000)})
    assert arrays(tmp_path / "a.npz")["a"].shape == (100_000,)


def test_a_header_in_an_odd_form_is_no_warning(tmp_path: Path) -> None:
    """Tests turn warnings into errors, so one would be told here."""
    data = old_header(np.arange(3))
    assert b"3L" in data
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as file:
        file.writestr("a.npy", data)
    assert arrays(tmp_path / "a.npz")["a"].tolist() == [0, 1, 2]


def test_objects_are_not_unpickled(tmp_path: Path) -> None:
    """An array of objects is a pickle."""
    np.savez(tmp_path / "a.npz", a=np.array([{"a": 1}], dtype=object))
    with pytest.raises(RunError, match="allow_pickle"):
        arrays(tmp_path / "a.npz")


@pytest.mark.parametrize("said", ["x" * 20_000, "a\nb", "[" * 100_000])
def test_a_refusal_is_one_short_line(tmp_path: Path, said: str) -> None:
    """Whatever a file says of itself."""
    agent = RandomAgent(WORLD, rng=np.random.default_rng(0))
    for name in ("agent", "rng"):
        checkpoint.write(tmp_path / "a.npz", agent.state_dict() | {name: np.array(said)})
        with pytest.raises(RunError, match=r"a\.npz: cannot go on") as caught:
            agent.load(tmp_path / "a.npz")
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 400


@pytest.mark.parametrize("held", [[1], "text", None, 7])
def test_a_record_is_a_record(held: object) -> None:
    """Anything else that JSON can say is none."""
    with pytest.raises(ValueError, match="rng is not a record"):
        checkpoint.record({"rng": checkpoint.text(held)}, "rng")
