"""YAML that people write."""

from pathlib import Path

import pytest
import yaml
from pydantic import Field

from rldf.errors import ConfigError
from rldf.io.yaml import Strict, load_yaml, parse_yaml, read_text, validate_yaml


class Inner(Strict):
    size: int


class Record(Strict):
    word: str
    inner: dict[str, Inner] = Field(default_factory=dict)


@pytest.mark.parametrize("word", ["no", "No", "yes", "on", "off", "y", "n"])
def test_a_truth_word_of_yaml_1_1_stays_a_word(word: str) -> None:
    assert parse_yaml(f"{word}: [{word}]") == ({word: [word]}, [])


@pytest.mark.parametrize(("text", "value"), [("true", True), ("False", False), ("3", 3)])
def test_true_false_and_numbers_keep_their_types(text: str, value: object) -> None:
    assert parse_yaml(f"x: {text}") == ({"x": value}, [])


def test_a_repeated_key_is_named_with_its_path_and_line() -> None:
    _, problems = parse_yaml("a:\n  b: {c: 1}\n  b: {c: 2, c: 3}\n")
    assert problems == ["a.b: is there twice (line 3)", "a.b.c: is there twice (line 3)"]


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system ['true']",
        "a: !!python/name:os.system",
        "a: [1, 2",
        "a: 1\n---\nb: 2\n",
        "a: 2001-02-31",
        "[" * 5000,
    ],
)
def test_what_is_not_plain_data_is_refused(text: str) -> None:
    with pytest.raises(yaml.YAMLError):
        parse_yaml(text)
    record, problems = validate_yaml(Record, text)
    assert record is None
    assert len(problems) == 1
    assert problems[0].startswith("not valid YAML: ")


def test_anchors_that_multiply_cost_no_time() -> None:
    levels = [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    parse_yaml("\n".join(["a0: &a0 [1]", *levels]))


def test_an_anchor_inside_itself_ends() -> None:
    data, problems = parse_yaml("&a {x: *a}")
    assert isinstance(data, dict)
    assert data["x"] is data
    assert problems == []


def test_all_problems_are_told_at_once_with_dotted_paths() -> None:
    record, problems = validate_yaml(Record, "inner: {a: {}, b: {size: big}}\nother: 1\nother: 2\n")
    assert record is None
    assert problems == [
        "other: is there twice (line 3)",
        "word: is missing",
        "inner.a.size: is missing",
        "inner.b.size: Input should be a valid integer, unable to parse string as an integer",
        "other: unknown key",
    ]


def test_unknown_keys_do_not_hide_the_record_from_further_checks() -> None:
    record, problems = validate_yaml(Record, "word: x\nextra: 1\ninner: {a: {size: 1, old: 2}}")
    assert record == Record(word="x", inner={"a": Inner(size=1)})
    assert sorted(problems) == ["extra: unknown key", "inner.a.old: unknown key"]


@pytest.mark.parametrize("text", ["", "- a", "3", "null"])
def test_a_document_that_is_no_mapping_is_a_problem_of_the_file(text: str) -> None:
    record, problems = validate_yaml(Record, text)
    assert record is None
    assert problems[0].startswith("file: ")


def test_load_yaml_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("wrd: a")
    with pytest.raises(ConfigError, match=r"^reward .*x\.yaml: .*word: is missing; wrd: unknown"):
        load_yaml(Record, path, "reward")


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"\xff\xfe\x00", "not a text file"), (b"a" * 4_000_001, "larger than")],
)
def test_read_text_refuses_what_no_person_wrote(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=message):
        read_text(path, "grammar")


def test_read_text_says_why_a_path_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_text(tmp_path / "x.yaml", "grammar")
    with pytest.raises(ConfigError, match="Is a directory"):
        read_text(tmp_path, "grammar")


def test_read_text_drops_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1")
    assert read_text(path, "grammar") == "a: 1"
