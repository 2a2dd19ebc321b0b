"""Names of labels, without a model."""

import json
from pathlib import Path

import pytest

from rldf.errors import ConfigError
from rldf.perception.labels import read_labels


def test_labels_keep_their_order_and_what_a_map_leaves_out_its_name(tmp_path):
    (tmp_path / "names.json").write_text(json.dumps({"sofa": "couch"}))
    own = {1: "sofa", 0: "dog"}
    assert read_labels(tmp_path, own, "") == ["dog", "sofa"]
    assert read_labels(tmp_path, own, "names.json") == ["dog", "couch"]


@pytest.mark.parametrize("own", [{}, {0: "dog", 2: "cat"}, {"0": "dog"}, {0: None}])
def test_labels_with_holes_are_refused(own):
    with pytest.raises(ConfigError, match=r"lacks labels: name one for each"):
        read_labels(Path("model"), own, "")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("none.json", None, r"cannot be read"),
        ("../names.json", None, r"name a \.json file in"),
        ("names.txt", "{}", r"name a \.json file in"),
        ("list.json", "[1]", r"is no label map: write a JSON object"),
        ("numbers.json", '{"dog": 1}', r"is no label map"),
        ("torn.json", '{"sofa', r"is no label map"),
        ("deep.json", "[" * 100_000, r"is no label map"),
        (
            "other.json",
            '{"divan": "couch"}',
            r"no label 'divan': .* dog, sofa",
        ),
    ],
)
def test_a_wrong_label_map_is_told(tmp_path, name, text, said):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=said) as caught:
        read_labels(tmp_path, {0: "dog", 1: "sofa"}, name)
    assert "\n" not in str(caught.value)
