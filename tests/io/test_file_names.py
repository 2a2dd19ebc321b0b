"""Names that every system takes, however a stranger's folder or image is called."""

from datetime import datetime
from pathlib import Path, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rldf.dataset.classes import clean_key, user_labels
from rldf.dataset.config import read_config
from rldf.errors import RunError
from rldf.experiments.bench.page import _file_names
from rldf.io.file_names import portable
from rldf.runs.naming import clean_stem, default_out
from tests.dataset.clones import plan_config

DEVICES = [
    "CON", "con", "Prn", "AUX", "nul", "COM1", "com9", "LPT0", "lpt3", "COM\u00b9", "con.txt",
    "NUL .x",
]  # fmt: skip


def is_portable(name):
    """What Windows takes, by the words of its manual and Python's own list of devices."""
    return (
        bool(name)
        and not PureWindowsPath(name).is_reserved()
        and not set('<>:"/\\|?*').intersection(name)
        and min(name) > " "
        and name[-1] not in ". "
        and name not in (".", "..")
    )


@pytest.mark.parametrize("name", DEVICES)
def test_a_devices_name_is_changed_wherever_it_is_used(name):
    assert not PureWindowsPath(portable(name)).is_reserved()
    assert is_portable(clean_key(name))
    assert is_portable(clean_stem(name))
    assert clean_key(name).startswith(name[:3].lower())
    assert all(map(is_portable, _file_names([f"mine/{name}.yaml"])))


@pytest.mark.parametrize("name", ["icon", "console", "com", "com10", "auxiliary", "zebra", "nul-1"])
def test_other_names_stay(name):
    assert portable(name) == clean_key(name) == clean_stem(name) == name


@given(st.text(max_size=50) | st.sampled_from(DEVICES))
def test_whatever_a_folder_or_an_image_is_called_the_name_is_portable(name):
    assert is_portable(clean_key(name))
    assert is_portable(clean_stem(name))
    assert is_portable(default_out(Path("none"), name, datetime(2026, 1, 1)).name)


def test_keys_of_names_that_differ_in_capitals_are_different_folders():
    labels = user_labels([("Con", "zebra"), ("CON", "dog"), ("con", "cat"), ("Zebra", "zebra")])
    keys = [label.key.casefold() for label in labels]
    assert len(set(keys)) == 4
    assert all(map(is_portable, keys))


def test_a_plan_whose_keys_may_be_one_folder_is_refused():
    config = plan_config()
    document = config.model_dump(mode="json")
    for label, key in zip(document["classes"], ("Dog", "cat", "dog"), strict=True):
        label["key"] = key
    with pytest.raises(RunError, match="two keys differ in capitals alone"):
        read_config(document, "clone.json")


def test_plots_of_rewards_with_one_name_do_not_replace_each_other():
    names = _file_names(["multi", "a/multi.yaml", "b/Multi.yaml", "clip"])
    assert names == ["multi.png", "multi-2.png", "Multi-3.png", "clip.png"]
