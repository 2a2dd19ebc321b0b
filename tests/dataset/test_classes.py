"""Choosing classes, and making safe keys of names."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rldf.dataset.classes import (
    Label,
    chosen,
    clean_key,
    user_labels,
    vocabulary,
    world_vocabulary,
)
from rldf.errors import ConfigError, UsageError
from rldf.grammar.grammar import check_grammar, load_grammar

POCKET = world_vocabulary(load_grammar("pocket"), "model set pocket")
BIRD, MACHINE, ZEBRA = "n02012849", "n03126707", "n02391049"
LABELS = [Label(ZEBRA, "zebra"), Label(MACHINE, "building crane"), Label(BIRD, "crane bird")]
SMALL = vocabulary("ImageNet", LABELS, {BIRD: ["crane"], MACHINE: ["Crane"], ZEBRA: ["Equus"]})


def listed(tmp_path: Path, text: str) -> str:
    path = tmp_path / "classes.txt"
    path.write_text(text, encoding="utf-8")
    return str(path)


def keys(labels):
    return [label.key for label in labels]


def test_a_number_takes_the_first_and_sorts_them():
    assert keys(chosen(SMALL, "2")) == [ZEBRA, MACHINE]
    assert keys(chosen(SMALL, "3")) == keys(chosen(SMALL, None)) == [BIRD, ZEBRA, MACHINE]


def test_a_file_names_wnids_and_names_with_comments_and_empty_lines(tmp_path):
    text = f"\ufeff# mine\n{BIRD}  # the bird\r\n\n  Building   CRANE \nequus\n"
    assert keys(chosen(SMALL, listed(tmp_path, text))) == [BIRD, ZEBRA, MACHINE]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("n00000001\n", "line 1: 'n00000001' is no class of ImageNet: type a wnid or a name"),
        ("zebra\n../../etc\n", "line 2: '../../etc' is no class of ImageNet"),
        ("zebra\n\nn02391049\n", "line 3: n02391049 (zebra) is in line 1 already"),
        ("crane\n", f"line 1: 'crane' is the name of 2 classes: type one of {BIRD} crane bird"),
        ("zebr\n", f"such as {ZEBRA} or zebra"),
        ("# nothing\n\n", "names no class: write one wnid or name per line"),
        ("", "names no class"),
        ("\x1b[31m\u202e" + "x" * 500, r"'\x1b[31m\u202e"),
    ],
)
def test_a_wrong_file_is_told_with_the_line(tmp_path, text, said):
    with pytest.raises(UsageError) as caught:
        chosen(SMALL, listed(tmp_path, text))
    assert said in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300 + len(str(tmp_path))


@pytest.mark.parametrize("spec", ["0", "-3", "4", "99999999999999999999"])
def test_a_number_out_of_range_is_refused(spec):
    with pytest.raises(UsageError, match=r"^--classes -?\d+: .*type .*3$"):
        chosen(SMALL, spec)


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no such file: type a number, or the name of a file"):
        chosen(SMALL, "zebra")
    with pytest.raises(UsageError, match="no such file"):
        chosen(SMALL, str(tmp_path))
    binary = tmp_path / "x.txt"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not a text file"):
        chosen(SMALL, str(binary))


def test_a_world_has_its_own_nouns_that_are_classes():
    assert len(POCKET.labels) == 23
    zebra = POCKET.find("zebra")
    assert (zebra.key, zebra.name, zebra.noun) == (ZEBRA, "zebra", "zebra")
    assert keys(chosen(POCKET, "3")) == ["n07745940", "n07747607", "n07753592"]
    with pytest.raises(UsageError, match="no class of model set pocket"):
        POCKET.find("dog")


def test_a_grammar_without_wnids_has_no_classes(tmp_path):
    text = Path(load_path()).read_text(encoding="utf-8")
    path = tmp_path / "bare.yaml"
    path.write_text(re.sub(r", wnid: n\d+", "", text), encoding="utf-8")
    with pytest.raises(UsageError, match="no noun of grammar base has a wnid"):
        world_vocabulary(load_grammar(str(path)), "x")


def load_path() -> Path:
    return Path(__file__).parents[2] / "grammars" / "base.yaml"


def test_a_persons_classes_are_named_and_numbered():
    found = [("", "zebra"), ("Café", "zebra"), ("", "zebra"), ("../../etc", "dog"), ("etc", "dog")]
    labels = user_labels(found)
    assert [(label.key, label.name, label.noun) for label in labels] == [
        ("cafe", "Café", "zebra"),
        ("etc", "../../etc", "dog"),
        ("etc-2", "etc 2", "dog"),
        ("zebra", "zebra", "zebra"),
        ("zebra-2", "zebra 2", "zebra"),
    ]


def test_a_name_that_already_ends_in_a_number_keeps_its_own_folder():
    labels = user_labels([("a 2", "zebra"), ("a", "zebra"), ("a", "zebra"), ("a", "zebra")])
    assert keys(labels) == ["a", "a-2", "a-3", "a-4"]


@given(st.lists(st.text(), max_size=8))
def test_keys_are_safe_and_each_stands_once(names):
    found = keys(user_labels((name, "noun") for name in names))
    assert len(set(found)) == len(names)
    assert found == sorted(found)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9-]{0,90}", key) for key in found)


def test_names_in_other_letters_are_told_apart():
    assert clean_key("犬") != clean_key("猫")
    assert clean_key("犬").startswith("class-")
    assert clean_key("Hot dog!") == "hot-dog"
    assert clean_key("\udcff") == clean_key("\udcff")


@pytest.mark.parametrize("wnids", [("n02391049", "n02391049"), ("n00000001", "n00000001")])
def test_a_grammar_that_gives_two_nouns_one_wnid_has_no_classes(wnids):
    grammar, problems = check_grammar(
        "name: twice\nproductions: {S: '\"a photo of\" Noun'}\naxes:\n"
        "  Noun:\n    reads: object\n    values:\n"
        f"      horse: {{text: a horse, labels: [horse], wnid: {wnids[0]}}}\n"
        f"      zebra: {{text: a zebra, labels: [zebra], wnid: {wnids[1]}}}\n"
    )
    assert not problems
    with pytest.raises(UsageError, match=f"gives wnid {wnids[0]} to horse and to zebra"):
        world_vocabulary(grammar, "x")
