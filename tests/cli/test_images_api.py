"""Commands whose pictures come from an images API: a real server on loopback, with faults."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from rldf.generators import api_client
from rldf.pocket.world.drawing import draw
from tests.generators.image_server import image_server

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "dog-in-park.png"
FAULTS = ["limit", "error", "cut inside", "page", "cut", "bad image", "refused"]


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("OPENAI_BASE_URL", "")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")  # no other server is reached
    monkeypatch.setattr(api_client, "_FIRST_WAIT", 0.001)
    with image_server() as server:
        server.paint = lambda sentence, number: draw(sentence, number).image
        yield server


def test_a_search_survives_a_server_that_fails_and_asks_for_no_image_twice(call, server):
    """Each of the first sentences meets a fault of its own; one is refused."""
    met = []

    def next_fault(prompt):
        with server.lock:
            if prompt not in met:
                met.append(prompt)
                if len(met) <= len(FAULTS):
                    return FAULTS[len(met) - 1]
            return "image"

    server.next_fault = next_fault
    words = ["search", EXAMPLE, "--models", "openai:some/model", "--base-url", server.url,
             "--grammar", "pocket", "--agent", "random", "--renders", 9, "--steps", 40,
             "--continue", "--json"]  # fmt: skip
    code, out, err = call(*words, "--out", "run")
    assert code == 0, err
    assert json.loads(out)["renders"] == 9
    outcomes = [server.outcomes(sentence) for sentence in met]
    faults = [place for place in outcomes if place[0] != "image"]
    assert sorted(place[0] for place in faults) == sorted(FAULTS)
    assert all(sum(o in ("image", "refused") for o in place) == 1 for place in outcomes)
    assert all(place[-1] in ("image", "refused") for place in outcomes)
    told = [line for line in err.splitlines() if line.startswith("warning: ")]
    assert sum("so far" in line for line in told) == len(FAULTS) - 1
    assert sum("its image stays black" in line for line in told) == 1
    config = json.loads(Path("run/run.json").read_text())["config"]
    assert config["models"] == f"openai:some/model@{server.url}"
    assert "sk-secret" not in Path("run/run.json").read_text()
    asked = len(server.calls)
    code, again, _ = call(*words, "--out", "again")
    assert code == 0
    assert json.loads(again)["best"]["reward"] == json.loads(out)["best"]["reward"]
    assert len(server.calls) == asked
    answers = json.loads(call("cache", "info", "--json")[1])
    assert (answers["answers"], answers["images"]) == (9, 0)
    assert json.loads(call("cache", "clear", "--json")[1])["removed"] == 0

    for words in [(), ("--base-url", server.url)]:
        code, out, err = call(
            "generate", "run", "-n", 2, "--json", "--out", f"g{len(words)}", *words
        )
        assert code == 0, err
        assert server.calls[-1].body["model"] == "some/model"
    moved = server.url.replace("127.0.0.1", "localhost")
    code, out, err = call("generate", "run", "-n", 2, "--base-url", moved)
    assert code == 0, err
    assert server.calls[-1].headers["Host"].startswith("localhost")


SMALL = ROOT / "tests" / "experiments" / "bench" / "small.yaml"
OTHERS = {
    "compare": ("compare", EXAMPLE, "--grammar", SMALL, "--rivals", "random", "--renders", 4),
    "table3": (
        "bench", "table3", "--grammar", SMALL, "--images", "photos", "--seeds", 1, "--agents", "q",
        "--rewards", "multi", "--epsilons", "0.1", "--processes", 1,
    ),
    "ablate": ("ablate", "watercolour", EXAMPLE, "--grammar", SMALL, "--renders", 4),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_every_command_that_draws_takes_the_address(call, server, name):
    Path("photos").mkdir()
    shutil.copy(EXAMPLE, "photos")
    code, out, err = call(
        *OTHERS[name], "--models", "openai:m", "--base-url", server.url, "--out", "o", "--json"
    )
    assert code == 0, err
    assert json.loads(out)
    assert server.calls
    assert all(met.body["model"] == "m" for met in server.calls)
    code, _, err = call(*OTHERS[name], "--base-url", server.url, "--models", "pocket")
    assert code == 2
    assert "it goes with --models openai:MODEL" in err


CLONE = ("clone-imagenet", "--classes", 2, "--splits", "train=2", "--image-format", "png")


def test_a_dry_run_asks_a_server_for_nothing(call, server):
    words = (*CLONE, "--models", "openai:m", "--base-url", server.url, "--dry-run")
    code, out, err = call(*words, "--json")
    assert code == 0, err
    told = json.loads(out)
    assert told["images"] == 4
    assert (told["bytes"], told["seconds_per_image"], told["hours"]) == (None, None, None)
    code, out, err = call(*words)
    assert code == 0, err
    assert "not known" in out
    assert server.calls == []


def test_a_clone_of_a_server_is_repaired_from_what_it_sent(call, server):
    photo = Image.open(EXAMPLE).convert("RGB")
    server.paint = lambda sentence, number: photo.rotate(number)
    drawn_by = ("--models", "openai:some/model", "--base-url", server.url)
    code, _, err = call(*CLONE, *drawn_by, "--out", "c", "--quiet")
    assert code == 0, err
    asked, image = len(server.calls), next(Path("c").glob("train/*/*.png"))
    whole = image.read_bytes()
    image.write_bytes(b"cut")
    for words in [(), drawn_by[2:]]:
        code, out, err = call("clone", "verify", "c", "--repair", *words)
        assert (code, out) == (2, "")
        assert err.count("\n") == 1
        assert "--models openai:MODEL and --base-url" in err
    code, _, err = call("clone", "verify", "c", "--repair", *drawn_by)
    assert code == 0, err
    assert image.read_bytes() == whole
    assert len(server.calls) == asked


def test_an_address_in_the_environment_is_where_the_sentences_go(call, server, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    words = ("search", EXAMPLE, "--grammar", "pocket", "--renders", 4, "--json")
    code, _, err = call(*words, "--models", "openai:m", "--out", "run")
    assert code == 0, err
    assert server.calls[0].headers["Authorization"] == "Bearer sk-secret"
    config = json.loads(Path("run/run.json").read_text())["config"]
    assert config["models"] == f"openai:m@{server.url}"
    asked = len(server.calls)
    code, _, _ = call(*words, "--models", "pocket", "--out", "other")
    assert (code, len(server.calls)) == (0, asked)
    other = "http://127.0.0.1:1/v1"
    code, _, err = call(*words, "--models", f"openai:m@{other}", "--out", "third")
    assert (code, len(server.calls)) == (1, asked)
    assert other in err


def test_an_address_needs_a_run_of_an_api(call):
    assert call("search", EXAMPLE, "--models", "pocket", "--renders", 4, "--out", "run")[0] == 0
    code, out, err = call("generate", "run", "--base-url", "http://127.0.0.1:1/v1")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "with --models pocket: it goes with --models openai:MODEL" in err


def test_a_wrong_key_is_one_line(call, server):
    server.next_fault = lambda prompt: "key"
    code, out, err = call(
        "search", EXAMPLE, "--models", "openai:m", "--base-url", server.url, "--out", "run"
    )
    assert (code, out) == (2, "")
    assert err.splitlines()[-1].startswith("error: ")
    assert "OPENAI_API_KEY" in err


@pytest.mark.parametrize(
    "words",
    [
        ["--models", "pocket", "--base-url", "http://127.0.0.1:1/v1"],
        ["--models", "openai:"],
        ["--models", "openai:a b"],
        ["--models", "openai:m", "--base-url", "nowhere"],
        ["--models", "openai:m@http://127.0.0.1/v1", "--base-url", "http://127.0.0.1:1/v1"],
    ],
)
def test_what_cannot_be_meant_is_one_line(call, server, words):
    code, out, err = call("search", EXAMPLE, *words, "--out", "run")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert err.startswith("error: ")
    assert not Path("run").exists()
