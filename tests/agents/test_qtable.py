"""Tests of rldf.agents.qtable and of the checkpoints it is kept in."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rldf.agents import checkpoint
from rldf.agents.qtable import QTable, initial_rows
from rldf.errors import RunError

SPARSE = 0  # no table is small enough for a dense array


def table(dense_cells: int = 1000, seed: int = 3, n_states: int = 20, n_actions: int = 6) -> QTable:
    """A small table."""
    return QTable(n_states, n_actions, seed=seed, scale=0.5, dense_cells=dense_cells)


def learned(dense_cells: int = 1000) -> QTable:
    """A small table with three visits."""
    q = table(dense_cells)
    for index, action, value in ((19, 0, -1.5), (4, 5, 2.25), (4, 5, 2.5)):
        q.record(index, action, value)
    return q


def rows(q: QTable) -> NDArray[np.float64]:
    """All values of a table."""
    return np.array([q.row(index) for index in range(q.n_states)])


def save(q: QTable, path: Path) -> None:
    """Write a table as a checkpoint of its own."""
    checkpoint.write(path, q.state_dict())


def load(path: Path) -> QTable:
    """Read a table back."""
    with checkpoint.reading(path) as arrays:
        return QTable.from_state_dict(arrays)


def visits(q: QTable) -> NDArray[np.int64]:
    """All visit counts of a table."""
    return np.array([q.visits(index) for index in range(q.n_states)])


@given(st.integers(0, 2**63), st.integers(1, 13), st.data())
def test_sparse_rows_are_the_dense_ones(seed: int, n_actions: int, data: st.DataObject) -> None:
    """A table holds the same initial values dense and sparse, in whatever order it is read."""
    dense, sparse = (table(cells, seed, 9, n_actions) for cells in (1000, SPARSE))
    for index in data.draw(st.permutations(range(9))):
        assert dense.row(index).tolist() == sparse.row(index).tolist()


def test_initial_values_are_uniform() -> None:
    """The initial values fill [0, scale) evenly, each action alike."""
    values = initial_rows(0, 20_000, 5, seed=0, scale=2.0)
    assert values.min() >= 0.0 and values.max() < 2.0
    np.testing.assert_allclose(values.mean(axis=0), 1.0, atol=0.02)
    np.testing.assert_allclose(values.var(axis=0), 2.0**2 / 12, atol=0.01)


def test_initial_values_are_all_different() -> None:
    """No row or action repeats another: neighbouring rows overlap in no number."""
    assert len(np.unique(initial_rows(0, 100, 6, seed=0, scale=1.0))) == 600


def test_seeds_give_different_tables() -> None:
    """The seed decides the initial values."""
    assert not np.isin(rows(table(seed=1)), rows(table(seed=2))).any()


def test_scale_0_starts_from_zeros() -> None:
    """A scale of 0 gives the table that textbooks start from."""
    assert not rows(QTable(4, 3, seed=1, scale=0.0)).any()


def test_rows_past_64_bits_are_distinct() -> None:
    """A world of 10^24 states has a row for its last state, unlike that 2^64 before it."""
    q = QTable(10**24, 4, seed=0, scale=1.0)
    assert (q.row(10**24 - 1) != q.row(10**24 - 1 - 2**64)).all()


@pytest.mark.parametrize("dense_cells", [1000, SPARSE])
def test_record_changes_one_cell(dense_cells: int) -> None:
    """Writing a value leaves all others, and counts one visit of its cell."""
    expected_rows, expected_visits = rows(table()), np.zeros((20, 6), dtype=np.int64)
    expected_rows[19, 0], expected_rows[4, 5] = -1.5, 2.5
    expected_visits[19, 0], expected_visits[4, 5] = 1, 2
    q = learned(dense_cells)
    np.testing.assert_array_equal(expected_rows, rows(q))
    np.testing.assert_array_equal(expected_visits, visits(q))
    assert q.visited() == [4, 19]


@pytest.mark.parametrize("dense_cells", [1000, SPARSE])
def test_rows_are_copies(dense_cells: int) -> None:
    """What a caller does to a row does not reach the table."""
    q = learned(dense_cells)
    before = rows(q).tolist(), visits(q).tolist()
    for index in (4, 5):
        q.row(index)[:] = 99.0
        q.visits(index)[:] = 99
    assert before == (rows(q).tolist(), visits(q).tolist())


@pytest.mark.parametrize("cell", [(-1, 0), (20, 0), (0, -1), (0, 6)])
def test_cells_outside_the_table_are_refused(cell: tuple[int, int]) -> None:
    """No index wraps around."""
    with pytest.raises(ValueError, match="states 0 to 19 and actions 0 to 5"):
        table().record(*cell, 1.0)


@pytest.mark.parametrize(("n_states", "scale"), [(0, 1.0), (3, -1.0), (3, float("nan"))])
def test_impossible_tables_are_refused(n_states: int, scale: float) -> None:
    """A table needs a row, and a scale that is a size."""
    with pytest.raises(ValueError, match="give"):
        QTable(n_states, 2, seed=0, scale=scale)


@pytest.mark.parametrize("dense_cells", [1000, SPARSE])
def test_a_saved_table_is_read_back(dense_cells: int, tmp_path: Path) -> None:
    """A file gives back every value and count, visited or not, from dense and sparse tables."""
    q = learned(dense_cells)
    save(q, tmp_path / "q.npz")
    found = load(tmp_path / "q.npz")
    np.testing.assert_array_equal(rows(q), rows(found))
    np.testing.assert_array_equal(visits(q), visits(found))


def test_huge_indices_are_read_back(tmp_path: Path) -> None:
    """A visited state past 64 bits keeps its number in a file."""
    q = QTable(10**24, 2, seed=0, scale=1.0)
    q.record(10**24 - 1, 1, 4.5)
    save(q, tmp_path / "q.npz")
    found = load(tmp_path / "q.npz")
    assert (found.visited(), found.row(10**24 - 1)[1]) == ([10**24 - 1], 4.5)


def test_equal_tables_make_equal_files(tmp_path: Path) -> None:
    """The bytes of a file depend on the table alone, not on time, storage or order of visits."""
    save(learned(), tmp_path / "a.npz")
    again = QTable.from_state_dict(learned(SPARSE).state_dict(), dense_cells=SPARSE)
    save(again, tmp_path / "b")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    """A checkpoint is replaced whole or not at all, and nothing is left beside it."""
    save(learned(), tmp_path / "q.npz")
    before = (tmp_path / "q.npz").read_bytes()
    with pytest.raises(ValueError, match="allow_pickle"):
        checkpoint.write(tmp_path / "q.npz", {"a": np.array([object()])})
    assert {"q.npz": before} == {f.name: f.read_bytes() for f in tmp_path.iterdir()}


def test_an_interrupted_replace_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the new file is whole and renamed, its name is that of the old one."""
    save(learned(), tmp_path / "q.npz")
    before = (tmp_path / "q.npz").read_bytes()

    def interrupt(source: Path, target: Path) -> None:
        assert source.parent == target.parent  # a rename is atomic within a folder
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save(table(), tmp_path / "q.npz")
    assert {"q.npz": before} == {f.name: f.read_bytes() for f in tmp_path.iterdir()}


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    """Every cut of a file is a RunError that names it."""
    path = tmp_path / "q.npz"
    save(learned(), path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(RunError, match=r"q\.npz"):
            load(path)


def test_missing_files_are_refused(tmp_path: Path) -> None:
    """A file that is not there is a RunError too."""
    with pytest.raises(RunError, match="none"):
        load(tmp_path / "none.npz")


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("q_index", np.array(["4", "20"])),
        ("q_index", np.array(["4"])),
        ("q_values", np.zeros((2, 5))),
        ("q_values", np.zeros((2, 6), dtype=np.complex128)),
        ("q_visits", np.zeros((2, 6))),
        ("q_table", np.array("[]")),
        ("q_table", np.array('{"n_states": 20}')),
    ],
)
def test_foreign_arrays_are_refused(name: str, array: NDArray[np.generic], tmp_path: Path) -> None:
    """A file whose arrays do not fit each other is not taken in."""
    checkpoint.write(tmp_path / "q.npz", learned().state_dict() | {name: array})
    with pytest.raises(RunError):
        load(tmp_path / "q.npz")
