"""Pulling model sets from a hub on loopback; small made-up files stand for weights."""

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import huggingface_hub.constants
import pytest

from rldf.models.lock import Lock, LockedFile, LockedSource
from rldf.models.model_sets import load_model_set
from tests.hub import TOKEN, Fault

ROOT = Path(__file__).parents[2]
SET = """
name: mine
license: mit
generator: {class: diffusion, id: me/sd, components: {vae: {id: me/vae}}}
detector: {class: yolo, id: me/yolo, file: small.pt}
scene: {class: image-classification, id: me/scene}
clip: {class: open-clip, id: me/clip}
"""
INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "unet": ["diffusers", "UNet2DConditionModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "safety_checker": [None, None],
}
WEIGHTS = bytes(range(256)) * 40
PIPELINE = {
    "model_index.json": json.dumps(INDEX).encode(),
    "unet/config.json": b"{}",
    "unet/diffusion_pytorch_model.safetensors": WEIGHTS + WEIGHTS,
    "unet/diffusion_pytorch_model.fp16.safetensors": WEIGHTS,
    "unet/diffusion_pytorch_model.non_ema.safetensors": b"not wanted",
    "unet/diffusion_pytorch_model.bin": b"a pickle",
    "tokenizer/vocab.json": b"[1]",
    "tokenizer/merges.txt": b"#version",
    "vae_1_0/config.json": b"{}",
    "sd.safetensors": b"all in one",
    "README.md": b"words",
}
PIN = f"revision: {'a' * 40}"
TAKEN = {
    "model_index.json", "unet/config.json", "unet/diffusion_pytorch_model.fp16.safetensors",
    "tokenizer/vocab.json", "tokenizer/merges.txt",
}  # fmt: skip


@pytest.fixture
def hub(loopback):
    loopback.add("me/sd", PIPELINE, license="openrail")
    loopback.add("me/vae", {"config.json": b"{}", "diffusion_pytorch_model.safetensors": WEIGHTS})
    loopback.add("me/yolo", {"small.pt": b"weights", "large.pt": b"more weights"})
    loopback.add("me/scene", {"config.json": b"{}", "model.safetensors": b"12", "x.bin": b"1"})
    loopback.add(
        "me/clip",
        {
            "open_clip_config.json": b"{}", "open_clip_model.safetensors": b"34",
            "model.safetensors": b"not wanted", "vocab.json": b"[]",
        },
    )  # fmt: skip
    return loopback


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(SET)
    return path


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def pulled(call, mine, *words):
    code, out, err = call("models", "pull", mine, "--json", *words)
    assert code == 0, err
    return json.loads(out)


def refused(call, mine, *words):
    code, out, err = call("models", "pull", mine, *words)
    assert (code, out) == (3, "")
    assert err.count("\n") == 1
    return err


def test_a_pull_takes_what_is_needed_and_locks_it(call, hub, mine):
    told = pulled(call, mine)
    assert told["pulled"] == ["generator", "generator.vae", "detector", "scene", "clip"]
    assert set(told["models"][0]["files"]) == TAKEN
    assert told["models"][0]["license"] == "openrail"
    assert told["models"][4]["files"] == [
        "open_clip_config.json", "open_clip_model.safetensors", "vocab.json",
    ]  # fmt: skip
    models = load_model_set(str(mine))
    assert models.missing() == []
    assert models.lock.path == mine.with_name("mine.lock.json")
    for locked in models.locked.values():
        assert locked.changed() == []
        assert locked.revision == hub.repositories[locked.id].commits[0].revision
    assert models.path("detector").read_bytes() == b"weights"
    assert {p.name for p in models.path("generator").iterdir()} == {
        "model_index.json", "unet", "tokenizer",
    }  # fmt: skip


def test_sizes_and_licences_are_told_before_anything_is_fetched(call, hub, mine):
    code, out, err = call("models", "pull", mine, "--dry-run")
    assert code == 0
    assert "openrail" in err
    assert "10.5 kB" in err or "10.4 kB" in err
    assert "takes" in out
    assert not [path for path, _ in hub.fetched() if ".safetensors" in path or len(path) == 65]
    assert load_model_set(str(mine)).locked == {}


def test_show_says_what_a_set_is_before_and_after_a_pull(call, hub, mine):
    def shown():
        code, out, err = call("models", "show", mine, "--json")
        assert code == 0, err
        return json.loads(out)

    mine.write_text(SET.replace("license: mit", "").replace("id: me/vae", f"id: me/vae, {PIN}"))
    before = shown()
    assert before["parts"]["generator.vae"]["revision_from"] == "file"
    assert {before["parts"]["generator"][key] for key in ("revision", "revision_from")} == {None}
    assert (before["complete"], before["bytes"]) == (False, None)
    mine.write_text(SET.replace("license: mit", ""))
    pulled(call, mine)
    after = shown()
    generator = after["parts"]["generator"]
    assert generator["revision"] == hub.repositories["me/sd"].commits[0].revision
    assert generator["revision_from"] == "lock"
    assert generator["license"] == "openrail", "the hub told it, and the lock file keeps it"
    assert after["bytes"] == sum(part["bytes"] for part in after["parts"].values()) > len(WEIGHTS)
    assert after["complete"]


def test_what_is_complete_is_not_asked_for(call, hub, mine, monkeypatch):
    pulled(call, mine)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    del hub.log[:]
    assert pulled(call, mine)["pulled"] == []
    assert hub.log == []


@pytest.mark.parametrize("cut", [0, 1, 100, 5_000, len(WEIGHTS) - 1])
def test_a_transfer_that_is_cut_goes_on_from_there(call, hub, mine, cut):
    hub.faults = [Fault(rf"GET /{sha256(WEIGHTS)}", cut=cut)]
    pulled(call, mine)
    asked = [ranged for path, ranged in hub.fetched() if path == f"/{sha256(WEIGHTS)}"]
    whole = cut // 100 * 100  # what had been written of it
    assert asked[:2] == ["", f"bytes={whole}-" if whole else ""]
    assert load_model_set(str(mine)).locked["generator"].changed() == []


def test_a_transfer_that_ends_with_an_error_goes_on_in_the_next_pull(call, hub, mine):
    hub.faults = [
        Fault(rf"GET /{sha256(WEIGHTS)}", cut=5_000),
        Fault(rf"GET /{sha256(WEIGHTS)}", status=403, times=2),
    ]
    assert "403" in refused_later(call, mine)
    del hub.log[:]
    pulled(call, mine)
    asked = [ranged for path, ranged in hub.fetched() if path == f"/{sha256(WEIGHTS)}"]
    assert asked[0] == "bytes=5000-"
    assert load_model_set(str(mine)).locked["generator"].changed() == []


@pytest.mark.parametrize("left", [b"x" * 700, b"x" * (len(WEIGHTS) + 1)])
def test_a_half_that_is_of_something_else_is_found_out(call, hub, mine, left):
    blobs = Path(huggingface_hub.constants.HF_HUB_CACHE) / "models--me--sd" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{sha256(WEIGHTS)}.incomplete").write_bytes(left)
    if len(left) < len(WEIGHTS):
        assert "arrived damaged" in refused_later(call, mine)
    pulled(call, mine)
    assert load_model_set(str(mine)).locked["generator"].changed() == []
    assert not list(blobs.glob("*.incomplete"))


def users_own(hub, tmp_path, *words, **environment):
    """Start the program as a user's own process, which reads its environment when it starts."""
    return subprocess.Popen(
        [sys.executable, "-m", "rldf", *map(str, words)],
        env=os.environ | {
            "HF_ENDPOINT": hub.hub, "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "0",
            "PYTHONPATH": str(ROOT), **environment,
        },
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_a_pull_that_is_killed_goes_on_where_it_was(hub, mine, tmp_path, stop, code):
    large = bytes(range(256)) * 100_000  # more than the 10 MB that are written at a time
    hub.add("me/scene", {"config.json": b"{}", "model.safetensors": large})
    hub.faults = [Fault(rf"GET /{sha256(large)}", cut=len(large) - 1, hold=30)]
    first = users_own(hub, tmp_path, "models", "pull", mine)
    blobs = tmp_path / "home" / "hub" / "models--me--scene" / "blobs"
    half = blobs / f"{sha256(large)}.incomplete"
    until = time.monotonic() + 60
    while time.monotonic() < until and not (half.exists() and half.stat().st_size > 10_000_000):
        assert first.poll() is None, first.communicate()
    kept = half.stat().st_size
    first.send_signal(stop)
    first.communicate(timeout=30)
    assert first.returncode == code
    del hub.log[:]
    again = users_own(hub, tmp_path, "models", "pull", mine)
    _, err = again.communicate(timeout=60)
    assert again.returncode == 0, err
    asked = [ranged for path, ranged in hub.fetched() if path == f"/{sha256(large)}"]
    assert asked == [f"bytes={kept}-"]
    assert (blobs / sha256(large)).read_bytes() == large


def test_two_pulls_at_the_same_time_fetch_every_file_once(hub, mine, tmp_path):
    both = [users_own(hub, tmp_path, "models", "pull", mine) for _ in range(2)]
    for process in both:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    assert set(load_model_set(str(mine)).locked) == {
        "generator", "generator.vae", "detector", "scene", "clip",
    }  # fmt: skip
    bodies = [path for path, _ in hub.fetched() if len(path) == 65]
    large = [WEIGHTS, WEIGHTS, b"weights", b"12", b"34"]  # two models have the same
    assert sorted(bodies) == sorted(f"/{sha256(data)}" for data in large)


def test_what_several_write_into_a_lock_file_is_all_there(tmp_path):
    lock = Lock(tmp_path / "x.lock.json")
    source = LockedSource(
        id="a/b", revision="0" * 40, files={"f": LockedFile(size=1, sha256="0" * 64)}
    )
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda i: lock.add(f"part{i}", source), range(64)))
    assert len(lock.read()) == 64


def test_a_full_disk_is_told_with_what_to_do(call, hub, mine, monkeypatch):
    def write(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("huggingface_hub.file_download.http_get", write)
    assert "is full, while me/sd was fetched" in refused_later(call, mine)
    assert "HF_HOME" in refused_later(call, mine)


def test_a_lock_file_that_was_removed_is_made_again_from_what_is_there(call, hub, mine):
    pulled(call, mine)
    before = mine.with_name("mine.lock.json").read_bytes()
    mine.with_name("mine.lock.json").unlink()
    assert "me/sd (not pulled)" in load_model_set(str(mine)).missing()
    del hub.log[:]
    assert len(pulled(call, mine)["pulled"]) == 5
    assert mine.with_name("mine.lock.json").read_bytes() == before
    assert [path for path, _ in hub.fetched() if not path.startswith("/api/")] == []


def test_after_a_kill_only_what_is_missing_is_fetched(call, hub, mine):
    hub.faults = [Fault(rf"GET /{sha256(b'34')}", status=403)]
    assert "403" in refused_later(call, mine)
    done = [path for path, _ in hub.fetched() if len(path) == 65]
    del hub.log[:]
    assert pulled(call, mine)["pulled"] == ["clip"]
    again = [path for path, _ in hub.fetched() if len(path) == 65]
    assert not set(done[:-1]) & set(again)


def refused_later(call, mine):
    code, out, err = call("models", "pull", mine)
    assert (code, out) == (3, "")
    return err.splitlines()[-1]


def test_a_file_that_arrives_wrong_is_removed_and_fetched_again(call, hub, mine):
    hub.faults = [Fault(rf"GET /{sha256(WEIGHTS)}", twist=True)]
    assert "arrived damaged" in refused_later(call, mine)
    assert "generator" not in load_model_set(str(mine)).locked
    pulled(call, mine)
    assert load_model_set(str(mine)).missing() == []


def test_the_first_commit_stays_until_another_is_asked_for(call, hub, mine):
    pulled(call, mine)
    first = load_model_set(str(mine)).locked["generator"].revision
    newer = hub.add("me/sd", {**PIPELINE, "tokenizer/vocab.json": b"[2]"})
    assert newer != first
    load_model_set(str(mine)).path("generator").joinpath("tokenizer/vocab.json").unlink()
    assert pulled(call, mine)["models"][0]["revision"] == first
    assert pulled(call, mine, "--update")["models"][0]["revision"] == newer
    assert load_model_set(str(mine)).locked["generator"].revision == newer


def test_a_commit_whose_files_have_changed_is_refused(call, hub, mine):
    pulled(call, mine)
    models = load_model_set(str(mine))
    commit = hub.repositories["me/sd"].commits[0]
    name = "unet/diffusion_pytorch_model.fp16.safetensors"
    commit.files[name] = bytes(len(WEIGHTS))
    hub.blobs[sha256(commit.files[name])] = commit.files[name]
    models.path("generator").joinpath(name).unlink()
    told = refused(call, mine)
    assert "differs from the lock file" in told
    assert "--update" in told
    del commit.files["tokenizer/merges.txt"]
    assert "merges.txt any more" in refused(call, mine)
    assert pulled(call, mine, "--update")["pulled"]


def test_a_damaged_lock_file_is_told(call, hub, mine):
    pulled(call, mine)
    lock = mine.with_name("mine.lock.json")
    for damage in ("{", "[]", '{"sources": {"generator": {"id": "../../x/y"}}}', "\x00"):
        lock.write_text(damage)
        code, _, err = call("models", "path", mine)
        assert code == 2
        assert "is damaged" in err


def test_a_name_that_leaves_its_folder_is_never_taken(tmp_path):
    lock = tmp_path / "x.lock.json"
    for name in ("../../evil", "/etc/passwd", "a/../b", ".hidden"):
        lock.write_text(
            json.dumps(
                {
                    "sources": {
                        "clip": {
                            "id": "a/b", "revision": "0" * 40,
                            "files": {name: {"size": 1, "sha256": "0" * 64}},
                        }
                    }
                }
            )
        )  # fmt: skip
        with pytest.raises(Exception, match="is damaged"):
            Lock(lock).read()


@pytest.mark.parametrize(
    "told", ["../../../escaped/evil", "A" * 64, "0" * 63, "0" * 64 + "\n", "", 7]
)
def test_a_checksum_is_no_path(call, hub, mine, tmp_path, told):
    hub.repositories["me/yolo"].lies["small.pt"] = told
    assert "small.pt has no SHA-256" in refused(call, mine)
    assert not [*tmp_path.rglob("*escaped*"), *tmp_path.rglob("*yolo")]
    assert not [path for path, _ in hub.fetched() if "resolve" in path and "yolo" in path]


def test_a_hub_has_no_file_of_the_users_removed(call, hub, mine, tmp_path, monkeypatch):
    """huggingface_hub takes a file for what the hub calls by its path."""
    (tmp_path / "diary.txt").write_text("mine")
    monkeypatch.setattr("tests.hub.blob_name", lambda data: "../../../../diary.txt")
    assert "arrived damaged" in refused(call, mine)
    assert (tmp_path / "diary.txt").read_text() == "mine"
    assert not [path for path in (tmp_path / "hf").rglob("model_index.json") if path.is_symlink()]


def test_a_gated_model_names_its_page_and_opens_to_a_token(call, hub, mine, monkeypatch):
    hub.repositories["me/sd"].gated = True
    told = refused(call, mine)
    assert "https://huggingface.co/me/sd" in told
    assert "hf auth login" in told
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert pulled(call, mine)["pulled"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda hub: hub.repositories.pop("me/scene"), "me/scene is not on the hub"),
        (lambda hub: hub.faults.append(Fault("GET /api", status=503)), "answers 503 for me/sd"),
        (
            lambda hub: hub.faults.append(Fault("HEAD .*json", 500, times=99)),
            "answers 500 for me/sd",
        ),
        (lambda hub: hub.faults.append(Fault("GET /api", cut=9)), "me/sd could not be fetched"),
    ],
)
def test_a_hub_in_trouble_is_told_in_one_line(call, hub, mine, change, said):
    change(hub)
    assert said in refused(call, mine)


def test_offline_and_out_of_reach(call, hub, mine, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    assert "could not be fetched" in refused(call, mine)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE" in refused(call, mine)


def test_a_pinned_commit_that_is_gone_is_told(call, hub, mine):
    mine.write_text(SET.replace("id: me/sd", f"id: me/sd, revision: {'a' * 40}"))
    assert f"me/sd has no commit {'a' * 40}" in refused(call, mine)


@pytest.mark.parametrize("file", ["unet/diffusion_pytorch_model", "unet/other"])
def test_a_model_of_pickles_alone_is_refused(call, hub, mine, file):
    files = {name: data for name, data in PIPELINE.items() if not name.endswith("safetensors")}
    hub.add("me/sd", {**files, f"{file}.bin": b"1"})
    code, _, err = call("models", "pull", mine)
    assert code == 2
    assert "no weights as safetensors in unet/" in err


def test_what_was_not_pulled_says_what_to_type(call, hub, mine):
    for command in ("path", "check"):
        code, _, err = call("models", command, mine)
        assert code == 3
        assert f"type 'rldf models pull {mine}'" in err


def test_check_finds_a_file_that_was_changed(call, hub, mine):
    pulled(call, mine)
    models = load_model_set(str(mine))
    at = models.path("generator") / "unet" / "diffusion_pytorch_model.fp16.safetensors"
    at.resolve().write_bytes(bytes(len(WEIGHTS)))
    code, _, err = call("models", "check", mine)
    assert code == 3, err
    assert "differs from the lock file: remove it, then type 'rldf models pull" in err
    at.unlink()  # as it says; in huggingface_hub's cache this is a link, and the file stays
    pulled(call, mine)
    assert call("models", "path", mine)[0] == 0
    assert load_model_set(str(mine)).locked["generator"].changed() == []


def test_the_usual_environment_variables_say_where_and_how(hub, mine, tmp_path):
    """As a user's own process, which reads them when it starts."""
    hub.repositories["me/vae"].gated = True
    process = users_own(hub, tmp_path, "models", "pull", mine, "--json", HF_TOKEN=TOKEN)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert json.loads(out)["pulled"]
    home = tmp_path / "home"
    assert (home / "hub" / "models--me--vae" / "snapshots").is_dir()
    assert {token for method, path, _, token in hub.log if path.startswith("/me/vae")} == {
        f"Bearer {TOKEN}"
    }
    assert not [path for _, path, _, _ in hub.log if "agent" in path], "it tells of this machine"
