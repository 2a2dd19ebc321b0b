"""The orders of an axis: what moves, and what stays."""

from types import SimpleNamespace

import numpy as np
import pytest

from rldf.errors import ConfigError, UsageError
from rldf.grammar.grammar import load_grammar
from rldf.grammar.ordering import (
    MOST_VALUES,
    clip_order,
    cosine_distances,
    embed,
    read_vectors,
    sentences,
    sorted_in_place,
    taxonomy_order,
)

BASE = load_grammar("base")
NOUN, SCENE = BASE.axis("Noun"), BASE.axis("Scene")


def test_what_has_no_key_keeps_its_place():
    assert list(sorted_in_place(["c", None, "a", "b", None])) == [2, 1, 3, 0, 4]
    assert list(sorted_in_place([])) == []


def test_objects_are_ordered_by_wnid():
    order = taxonomy_order(NOUN)
    wnids = [NOUN.values[i].wnid for i in order if NOUN.values[i].wnid]
    assert wnids == sorted(wnids)
    kept = [i for i, value in enumerate(NOUN.values) if value.wnid is None]
    assert [order[i] for i in kept] == kept


def test_scenes_are_ordered_indoors_first():
    names = [SCENE.values[i].name for i in taxonomy_order(SCENE)]
    assert names[:2] == ["train station platform", "street"]
    assert names[-1] == "beach"
    places = load_grammar("coco-places").axis("Scene")
    assert list(taxonomy_order(places)) == list(range(365))


def test_counts_and_neutral_values_stay():
    pocket = load_grammar("pocket")
    fixed = {axis.symbol: axis.kind.fixed_values(axis) for axis in pocket.axes}
    assert fixed == {
        "Style": 1, "Frequency": 3, "Noun": 0, "Companion": 0, "Density": 3, "Verb": 1,
        "Scene": 0, "Weather": 1, "Time": 1,
    }  # fmt: skip
    axis = pocket.axis("Verb")
    distances = cosine_distances(np.random.default_rng(0).normal(size=(5, 4)))
    assert clip_order(axis, distances)[0] == 0
    assert list(clip_order(pocket.axis("Density"), distances[:3, :3])) == [0, 1, 2]
    assert list(taxonomy_order(axis)) == [0, 1, 2, 3, 4]


def test_values_are_embedded_in_sentences_that_differ_in_them_alone():
    assert sentences(BASE, BASE.axis("Density")) == [
        "a photo of one banana and no people in a vegetable garden",
        "a photo of one banana and one person in a vegetable garden",
        "a photo of one banana and many people in a vegetable garden",
    ]
    asked = []

    def lengths(texts):
        asked.append(len(texts))
        return np.array([[len(text), 1.0] for text in texts], np.float32)

    places = load_grammar("coco-places")
    found = embed(places, places.axis("Scene"), lengths)
    assert found.shape == (365, 2)
    assert max(asked) <= 256


@pytest.fixture
def vectors(tmp_path):
    path = tmp_path / "v.npy"
    np.save(path, np.arange(1, 21, dtype=np.float16).reshape(10, 2))
    return path


def test_rows_are_the_values_in_their_order_or_those_of_their_names(tmp_path, vectors):
    assert read_vectors(vectors, None, NOUN)[3].tolist() == [7, 8]
    names = tmp_path / "names.txt"
    labels = [value.labels[0] for value in reversed(NOUN.values)]
    names.write_text("\n".join(labels) + "\n")
    assert read_vectors(vectors, names, NOUN)[0].tolist() == [19, 20]
    names.write_text("\n".join(["bed", *labels[1:]]))
    with pytest.raises(UsageError, match=r"names no row for umbrella of axis Noun"):
        read_vectors(vectors, names, NOUN)
    names.write_text("dog\ndog\n")
    with pytest.raises(UsageError, match="needs 10 different lines"):
        read_vectors(vectors, names, NOUN)
    names.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is not a text file"):
        read_vectors(vectors, names, NOUN)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_vectors(vectors, tmp_path / "none.txt", NOUN)


def test_as_many_rows_as_values_are_needed(vectors):
    with pytest.raises(UsageError, match="has 10 rows and axis Scene 8 values: name the rows"):
        read_vectors(vectors, None, SCENE)


@pytest.mark.parametrize(
    "rows",
    [
        np.zeros((10, 2)),
        np.full((10, 2), np.nan),
        np.ones(10),
        np.ones((10, 2), int),
        np.array([{"a": 1}], dtype=object),
    ],
    ids=["zeros", "nan", "a list", "whole numbers", "objects"],
)
def test_what_is_no_table_of_numbers_is_refused(tmp_path, rows):
    path = tmp_path / "v.npy"
    np.save(path, rows, allow_pickle=True)
    with pytest.raises(ConfigError, match=r"v\.npy: (give a table|no \.npy file)"):
        read_vectors(path, None, NOUN)


def test_what_is_no_file_of_numbers_is_refused(tmp_path):
    path = tmp_path / "v.npy"
    with pytest.raises(ConfigError, match="cannot be read"):
        read_vectors(path, None, NOUN)
    for data in (b"", b"no numbers", b"\x93NUMPY\x01\x00"):
        path.write_bytes(data)
        with pytest.raises(ConfigError, match=r"no \.npy file of numbers"):
            read_vectors(path, None, NOUN)


def test_a_header_in_an_odd_form_is_no_warning(tmp_path):
    path = tmp_path / "v.npy"
    np.save(path, np.arange(1.0, 21.0).reshape(10, 2))
    path.write_bytes(path.read_bytes().replace(b"(10, 2), }  ", b"(10L, 2), } "))
    assert b"10L" in path.read_bytes()
    assert read_vectors(path, None, NOUN)[9].tolist() == [19, 20]


@pytest.mark.parametrize("error", [RecursionError, MemoryError, SyntaxError, OverflowError])
def test_whatever_a_file_raises_is_one_line(vectors, monkeypatch, error):
    def broken(*_, **__):
        raise error("deep inside")

    monkeypatch.setattr(np.lib.format, "read_array", broken)
    with pytest.raises(ConfigError, match=r"no \.npy file of numbers"):
        read_vectors(vectors, None, NOUN)


def test_an_error_of_the_system_without_words_is_told(vectors, monkeypatch):
    def broken(*_, **__):
        raise OSError("obtaining file position failed")

    monkeypatch.setattr(np.lib.format, "read_array", broken)
    with pytest.raises(ConfigError, match="obtaining file position failed"):
        read_vectors(vectors, None, NOUN)


@pytest.mark.parametrize("number", [1e101, 1e308, -1e200])
def test_numbers_whose_squares_are_none_are_refused(tmp_path, number):
    np.save(tmp_path / "v.npy", np.full((10, 2), number))
    with pytest.raises(ConfigError, match="give a table of finite numbers"):
        read_vectors(tmp_path / "v.npy", None, NOUN)


def test_an_axis_that_is_too_long_to_weigh_all_pairs_is_refused():
    long = SimpleNamespace(symbol="Noun", reads="object", values=range(MOST_VALUES + 1))
    with pytest.raises(UsageError, match=r"has 2001 values, and --by clip orders at most 2000"):
        clip_order(long, np.zeros((1, 1)))


def test_the_sentences_of_an_axis_with_a_condition_speak_of_it():
    grammar = load_grammar("photo")
    for symbol, last in (
        ("Age", "a photo of one woman aged about seventy in a bedroom"),
        ("Frequency", "a photo of many roses in a bedroom"),
        ("Weather", "a photo of a bus station in thick fog"),
    ):
        found = sentences(grammar, grammar.axis(symbol))
        assert found[-1] == last
        assert len(set(found)) == len(found)
