"""The greedy policy and the value map in a report."""

import json

import numpy as np
from PIL import Image

from rldf.report import write_report
from rldf.report.learned import read_values
from rldf.runs.folder import load_run
from tests.runs.test_loop import color, run


def test_a_report_shows_the_policy_and_the_values(tmp_path):
    result, _ = run(tmp_path / "r", agent="q", renders=60, reward=color)
    folder = load_run(tmp_path / "r")
    write_report(folder)
    page = (tmp_path / "r" / "report.html").read_text()
    assert "Greedy policy" in page
    assert "Value map" in page
    assert f"{result['greedy']['reached']} of 20 starts" in page
    with Image.open(tmp_path / "r" / "values.png") as image:
        assert len(np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0)) > 20


def test_damaged_values_and_results_of_strangers_are_left_out(tmp_path):
    run(tmp_path / "r", agent="q", renders=20, reward=color)
    (tmp_path / "r" / "values.json").write_text('{"axes": "<script>"}')
    record = json.loads((tmp_path / "r" / "run.json").read_text())
    record["result"]["greedy"] = {"starts": 3, "reached": "<script>x</script>", "rollouts": []}
    (tmp_path / "r" / "run.json").write_text(json.dumps(record))
    folder = load_run(tmp_path / "r")
    assert read_values(folder) is None
    write_report(folder)
    page = (tmp_path / "r" / "report.html").read_text()
    assert "Value map" not in page
    assert "<script>" not in page


def test_an_agent_without_values_has_neither(tmp_path):
    run(tmp_path / "r", agent="planner", renders=12, reward=color)
    write_report(load_run(tmp_path / "r"))
    page = (tmp_path / "r" / "report.html").read_text()
    assert "Greedy policy" not in page
    assert not (tmp_path / "r" / "values.png").exists()
