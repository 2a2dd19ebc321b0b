"""The plan as a Parquet file."""

import json
import subprocess
import sys
from dataclasses import asdict

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rldf.dataset import plan as plan_module
from rldf.dataset.config import read_config
from rldf.dataset.plan import sentences
from rldf.grammar.grammar import load_grammar

from .plans import POCKET, pocket_plan


@pytest.mark.parametrize("rows", [1, 10, 10_000])
def test_a_row_is_what_the_plan_says_of_an_image(tmp_path, monkeypatch, rows):
    monkeypatch.setattr(plan_module, "ROWS", rows)
    plan, path = pocket_plan(preset="train"), tmp_path / "plan.parquet"
    plan.write(path)
    found = pq.read_table(path).to_pylist()
    assert len(found) == len(plan)
    for i, row in enumerate(found):
        assert {**row, "encoding": tuple(row["encoding"])} == asdict(plan.image(i))


def test_the_file_holds_the_configuration_and_is_the_same_each_time(tmp_path):
    plan = pocket_plan()
    plan.write(tmp_path / "a.parquet")
    plan.write(tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    record = json.loads(pq.read_schema(tmp_path / "a.parquet").metadata[b"rldf"])
    assert read_config(record, "plan.parquet") == plan.config
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["a.parquet", "b.parquet"]


@settings(max_examples=40)
@given(st.lists(st.tuples(*(st.integers(0, n - 1) for n in POCKET.shape)), min_size=1, max_size=9))
def test_sentences_derived_together_are_those_of_the_grammar(encodings):
    found = sentences(POCKET, np.array(encodings)).to_pylist()
    assert found == [POCKET.derive(tuple(encoding)) for encoding in encodings]


def test_every_sentence_of_base_and_paper():
    for grammar in (load_grammar("base"), load_grammar("paper")):
        states = list(np.ndindex(grammar.shape))
        assert sentences(grammar, np.array(states)).to_pylist() == [
            grammar.derive(state) for state in states
        ]


MEASURE = """
import resource, sys, time
from pathlib import Path
from rldf.dataset.imagenet import imagenet_labels
from rldf.dataset.class_axis import with_nouns
from rldf.dataset.config import PlanConfig
from rldf.dataset.plan import make_plan
from rldf.dataset.presets import load_preset
from rldf.grammar.grammar import load_grammar

labels, preset = imagenet_labels(), load_preset(sys.argv[2])
plan = make_plan(PlanConfig(
    classes=labels, splits={"train": 1508, "val": 56, "test": 100}, preset=preset, models={},
    seed=0, grammar=with_nouns(load_grammar("imagenet"), labels, definitions=preset.definitions)))
start = time.process_time()
plan.write(Path(sys.argv[1]))
print(time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
"""


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["paper", "train"])
def test_the_papers_data_set_is_planned_in_a_minute_and_a_gigabyte(tmp_path, preset):
    path = tmp_path / "plan.parquet"
    command = [sys.executable, "-c", MEASURE, str(path), preset]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=500)
    seconds, gibibytes = map(float, done.stdout.split())
    assert pq.read_metadata(path).num_rows == 1_664_000
    assert seconds < 60
    assert gibibytes < 1
    names = pq.read_table(path, columns=["name"])["name"]
    assert len(names.unique()) == 1_664_000
