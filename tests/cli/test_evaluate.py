"""`rldf evaluate` as a user types it, on the pocket features."""

import io
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from rldf.evaluation import classifier
from tests.evaluation.sets import make_clone, write_set

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "zebra-in-snow.png"
DRAWN = ROOT / "tests" / "drawn.yaml"
FIGURES = {
    "n_clone", "n_real", "features", "fid", "fid_infinity", "kid", "kid_std", "precision", "recall",
    "top1", "top5", "top1_ci", "synthetic_real_gap", "near_duplicate_rate",
}  # fmt: skip
RLDF = [sys.executable, "-m", "rldf"]


@pytest.fixture(autouse=True)
def no_real(monkeypatch):
    monkeypatch.delenv("RLDF_REAL", raising=False)


@pytest.fixture
def sets(tmp_path):
    clone = write_set(tmp_path / "clone", {"train": 6, "val": 3}, side=64)
    make_clone(clone)
    return clone, write_set(tmp_path / "real", {"": 8}, seed=1, side=64)


def judged(answer):
    code, out, err = answer
    assert code == 0, err
    return json.loads(out)


def refused(answer, *told):
    code, out, err = answer
    assert (code, out) == (2, ""), err
    assert err.startswith("error: ")
    assert err.count("\n") == 1, err
    for words in told:
        assert words in err


def clone_of_the_world(call, out="clones/mine", *words):
    return judged(
        call(
            "clone-imagenet", "--classes", 2, "--splits", "train=6,val=2", "--models", DRAWN,
            "--out", out, "--json", *words,
        )
    )  # fmt: skip


def test_json_has_every_figure_and_null_where_it_was_not_asked_for(call, sets):
    found = judged(call("evaluate", sets[0], "--real", sets[1], "--fid", "--kid", "--json"))
    assert found.keys() >= FIGURES
    assert {name for name in FIGURES if found[name] is None} == {
        "precision", "recall", "top1", "top5", "top1_ci", "synthetic_real_gap",
        "near_duplicate_rate", "fid_infinity",
    }  # fmt: skip
    assert found["figures"]["fid_infinity"]["reason"].startswith("24 images are fewer than the ")
    assert (found["n_clone"], found["n_real"], found["features"]) == (27, 24, "pocket")
    assert found["fid"] > 0
    assert found["kid_std"] > 0
    assert Path(found["clone"]) == sets[0]


def test_without_options_four_figures_are_shown(call, sets):
    code, out, err = call("evaluate", sets[0], "--real", sets[1])
    assert code == 0
    assert "27 images, pocket features" in out
    head = next(line for line in out.splitlines() if line.startswith("real images"))
    assert head.split()[2:] == [
        "n_real", "fid", "fid_inf", "kid", "±", "prec", "recall", "copies",
    ]  # fmt: skip
    assert f"FID to {sets[1]} by N: " in out
    assert err.startswith("warning: FID to ")
    assert err.count("\n") == 1


def test_several_real_folders_have_a_row_each(call, sets, tmp_path):
    other = write_set(tmp_path / "other", {"": 3}, seed=2, side=64)
    words = ["--real", sets[1], "--real", other, "--kid", "--json"]
    found = judged(call("evaluate", sets[0], *words))
    assert [(row["real"], row["n_real"]) for row in found["real"]] == [
        (str(sets[1]), 24), (str(other), 9),
    ]  # fmt: skip
    assert found["kid"] == found["real"][0]["kid"]


def test_the_newest_clone_is_judged_against_drawings_of_its_classes_made_once(
    call, tmp_path, monkeypatch
):
    clone_of_the_world(call, "clones/old", "--seed", 1)
    clone_of_the_world(call, "clones/new")
    code, out, err = call("evaluate", "--fid", "--json")
    assert code == 0
    found = json.loads(out)
    assert found["clone"] == str(Path("clones/new"))
    assert err.startswith("judging clones/new\n")
    assert found["n_real"] == 2 * (6 + 20)
    reference = Path(found["real"][0]["real"])
    assert reference.is_relative_to(tmp_path / "cache" / "references")
    before = {path: path.stat().st_mtime_ns for path in reference.rglob("*.png")}
    assert judged(call("evaluate", "--fid", "--json")) == found
    assert {path: path.stat().st_mtime_ns for path in reference.rglob("*.png")} == before
    mine = write_set(tmp_path / "mine", {"": 8}, side=64)
    monkeypatch.setenv("RLDF_REAL", str(mine))
    assert judged(call("evaluate", "--fid", "--json"))["real"][0]["real"] == str(mine)


def test_a_dash_reads_which_clone_was_made(call, sets, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"out": str(sets[0])})))
    found = judged(call("evaluate", "-", "--real", sets[1], "--kid", "--json"))
    assert found["clone"] == str(sets[0])
    for text in ("", "[1]", "{}", '{"out": 3}', "clones/mine"):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        refused(call("evaluate", "-", "--real", sets[1], "--kid"), "JSON document", "--json")


def test_from_a_picture_to_its_judgement(call, monkeypatch):
    code, text, _ = call("search", EXAMPLE, "--models", DRAWN, "--renders", 4, "--json")
    assert code == 0
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    code, text, _ = call("clone", "-", "--models", DRAWN, "--per-class", 20, "--json")
    assert code == 0
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    found = judged(call("evaluate", "-", "--fid", "--json"))
    assert (found["clone"], found["n_clone"]) == (json.loads(text)["out"], 20)
    assert found["fid"] > 0


@pytest.mark.slow
def test_a_pipeline_in_a_shell(tmp_path):
    rldf = shlex.join(RLDF)
    pipe = (
        f"{rldf} search {EXAMPLE} --models {DRAWN} --renders 4 --json | "
        f"{rldf} clone - --models {DRAWN} --per-class 20 --json | {rldf} evaluate - --fid --json"
    )
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", pipe], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["n_clone"] == 20


def test_a_reader_who_leaves_early_gets_no_traceback(sets, tmp_path):
    words = ["evaluate", str(sets[0]), "--real", str(sets[1]), "--kid", "--json"]
    with subprocess.Popen(
        [*RLDF, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
    ) as run:
        run.stdout.close()
        assert run.stderr.read() == b""
        assert run.wait(timeout=120) == 1


def test_a_classifier_is_trained_tested_and_kept(call, sets, tmp_path, monkeypatch):
    real = write_set(tmp_path / "split", {"train": 6, "val": 4}, seed=3, side=64)
    words = [
        "evaluate", sets[0], "--real", real, "--classify", "--epochs", 1, "--classifier-seeds", 2,
        "--classifier-size", 32,
    ]  # fmt: skip
    found = judged(call(*words, "--json"))
    assert 0 <= found["top1"] <= 1
    assert found["top5"] is None, "of three classes the right one is always among five"
    assert found["top1_ci"][0] <= found["top1"] <= found["top1_ci"][1]
    assert found["synthetic_real_gap"] == pytest.approx(found["own"]["top1"] - found["top1"])
    assert found["fid"] is None
    assert found["classifier"] == {
        "network": "resnet18", "n_train": 18, "classes": 3, "unlearned": [], "epochs": 1,
        "seeds": 2, "size": 32,
    }  # fmt: skip
    assert found["real"][0]["real_trained"]["n_train"] == 18
    monkeypatch.setattr(classifier, "train", lambda *_: pytest.fail("trained again"))
    assert judged(call(*words, "--json")) == found
    told = call(*words)[1]
    assert "ResNet-18, 1 epoch at 32 px, 2 trainings on 18 images of 3 classes" in told
    assert "trained on 18 real images" in told


def test_a_report_is_written_and_named(call, sets):
    words = ["evaluate", sets[0], "--real", sets[1], "--kid"]
    found = judged(call(*words, "--report", "--json"))
    report = Path(found["report"])
    assert report.parent == Path("evaluations")
    assert report.name.startswith("clone-")
    assert "<!doctype html>" in report.read_text(encoding="utf-8")
    code, out, _ = call(*words, "--report-to", "mine.html")
    assert code == 0
    assert "look at mine.html" in out
    Path("notes.html").write_text("mine")
    refused(call(*words, "--report-to", "notes.html"), "is no report of rldf")
    assert Path("notes.html").read_text() == "mine"


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_cmyk_real_images_work(call, sets, mode):
    for path in sorted(sets[1].rglob("*.png")):
        Image.open(path).convert(mode).save(path.with_suffix(".jpg"))
        path.unlink()
    assert judged(call("evaluate", sets[0], "--real", sets[1], "--kid", "--json"))["n_real"] == 24


def test_a_truncated_image_of_a_clone_is_told_and_nothing_is_lost(call, sets):
    bad = sets[0] / "train" / "n01" / "n01_0000.png"
    bad.write_bytes(bad.read_bytes()[:-40])
    before = {path: path.read_bytes() for path in sets[0].rglob("*") if path.is_file()}
    words = ["evaluate", sets[0], "--real", sets[1]]
    told = ("n01_0000.png is a damaged image", "rldf clone verify")
    refused(call(*words, "--fid"), *told)
    refused(call(*words, "--classify", "--epochs", 1, "--classifier-seeds", 1), *told)
    assert {path: path.read_bytes() for path in sets[0].rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["none"], "none is not there: give a folder of images"),
        (["{clone}", "--real", "none"], "none is not there"),
        (["{clone}", "--real", "empty"], "empty holds no images"),
        (["{clone}", "--real", "few"], "few has 3 images"),
        ([], "no clone below this folder: type 'rldf clone-imagenet'"),
        (["{real}"], "no real images to compare"),
        (["{clone}", "--real", "{real}", "--features", "vgg"], "name one of pocket, clip"),
        (["{clone}", "--real", "{real}", "--features", "clip", "--models", "x"], "no model set"),
        (["{clone}", "--real", "{real}", "--classify", "--epochs", "0"], "--epochs 0"),
        (["{clone}", "--real", "{real}", "--classify", "--classifier-size", "8"], "from 32 to"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(call, sets, words, told):
    Path("empty").mkdir()
    (Path("empty") / "notes.txt").touch()
    write_set(Path("few"), {"": 1})
    filled = [word.format(clone=sets[0], real=sets[1]) for word in words]
    refused(call("evaluate", *filled), told)


def test_missing_weights_exit_with_3(call, sets):
    code, out, err = call("evaluate", sets[0], "--real", sets[1], "--features", "none.pt")
    assert (code, out, err) == (3, "", "error: --features none.pt: no such file or folder\n")


def test_what_may_mislead_is_warned_of(call, sets):
    make_clone(sets[0], model="sd14")
    _, _, err = call("evaluate", sets[0], "--real", sets[1], "--kid")
    assert "warning: pocket features know drawings" in err
    made = clone_of_the_world(call)
    assert call("evaluate", made["out"], "--kid", "-q")[2] == ""
    (Path(made["out"]) / ".rldf" / "finished.json").unlink()
    assert "clones/mine is not finished" in call("evaluate", made["out"], "--kid")[2]


def test_several_processes_do_not_share_stdin(call, sets, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    refused(call("evaluate", "-", "--real", sets[1], "--kid"), "name the clone's folder")


@pytest.mark.slow
def test_two_processes_train_together_and_one_answers(sets, tmp_path):
    real = write_set(tmp_path / "split", {"val": 4}, seed=3, side=64)
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "-m", "rldf"]
    words = [
        "evaluate", str(sets[0]), "--real", str(real), "--kid", "--classify", "--epochs", "2",
        "--classifier-seeds", "1", "--classifier-size", "32", "--json",
    ]  # fmt: skip
    first, again = (
        subprocess.run([*launch, *words], cwd=tmp_path, capture_output=True, text=True)
        for _ in range(2)
    )
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["top1"] is not None
    assert again.stdout == first.stdout
