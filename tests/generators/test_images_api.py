"""An images API over real HTTP, with everything that can go wrong on the way."""

import errno
import threading
import time
from types import SimpleNamespace

import pytest

from rldf.dataset import render
from rldf.errors import ConfigError, RldfError, UsageError
from rldf.generators import api_client, images_api
from rldf.generators.cached import ANSWERS, CachedGenerator, image_cache
from rldf.generators.images_api import ImagesApiGenerator
from rldf.io.cache import DiskCache
from tests.doubles import CountingGenerator, tag_of
from tests.generators.image_server import image_server

PASSING = [
    "limit", "limit date", "error", "busy", "slow", "drip", "cut", "cut inside", "page", "no json",
    "nothing", "list", "bad base64", "bad image", "strange address", "deep", "deep error",
    "broken address", "far date", "bomb",
]  # fmt: skip


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(api_client, "_FIRST_WAIT", 0.001)
    with image_server() as server:
        yield server


@pytest.fixture
def make(server):
    def make(**options):
        return ImagesApiGenerator(**{"model": "m", "base_url": server.url, **options})

    return make


def told(caplog):
    return [record.getMessage() for record in caplog.records if record.name.startswith("rldf")]


def test_a_sentence_becomes_one_request_and_one_image(server, make):
    image = make(size="64x32", quality="low").generate(["a cat"], [7])[0]
    assert (image.mode, tag_of(image)) == ("RGB", 1)
    [call] = server.calls
    assert call.body == {
        "model": "m", "prompt": "a cat", "n": 1, "size": "64x32", "quality": "low"
    }  # fmt: skip
    assert call.headers["Authorization"] == "Bearer sk-secret"


def test_what_is_not_stated_is_left_to_the_server(server, make):
    make().generate(["a cat"], [0])
    assert set(server.calls[0].body) == {"model", "prompt", "n"}


@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_is_tried_again_and_told(server, make, caplog, fault):
    server.faults["a cat"] = [fault]
    generator = make(timeout=1.5 if fault in ("slow", "drip") else 180.0)
    assert generator.generate(["a cat"], [0])[0].size == (100, 100)
    assert server.outcomes("a cat") == [fault, "image"]
    assert generator.retries == 1
    [line] = told(caplog)
    assert "try 2 of 6" in line
    assert "retry 1 so far" in line
    assert "\x1b" not in line
    first, second = (call.headers["Idempotency-Key"] for call in server.calls)
    assert first == second


def test_every_image_comes_once_through_a_storm(server, make, tmp_path, caplog):
    sentences = [f"sentence {i}" for i in range(24)]
    for i, sentence in enumerate(sentences):
        faults = [PASSING[(i + k) % len(PASSING)] for k in range(i % 4)]
        server.faults[sentence] = [fault for fault in faults if fault not in ("slow", "drip")]
    expected = sum(len(faults) for faults in server.faults.values())
    generator = make()
    cached = CachedGenerator(generator, tmp_path)
    images = cached.generate(sentences, [0] * 24)
    assert len({tag_of(image) for image in images}) == 24
    for sentence in sentences:
        assert server.outcomes(sentence).count("image") == 1
        assert server.outcomes(sentence)[-1] == "image"
    assert server.drawn == 24
    assert generator.retries == len(told(caplog)) == expected > 20
    later = CachedGenerator(make(), tmp_path)
    again = later.generate(sentences, [0] * 24)
    assert [tag_of(image) for image in again] == [tag_of(image) for image in images]
    assert len(server.calls) == 24 + expected


def test_what_arrived_is_kept_though_another_sentence_fails(server, make, tmp_path):
    sentences = ["a", "b", "bad", "c"]
    server.faults["bad"] = ["wrong"]
    cached = CachedGenerator(make(parallel=1), tmp_path)
    with pytest.raises(ConfigError, match="no such size"):
        cached.generate(sentences, [0] * 4)
    kept = [server.outcomes(sentence) for sentence in sentences]
    assert kept == [["image"], ["image"], ["wrong"], []]
    cached.generate(sentences, [0] * 4)
    kept = [server.outcomes(sentence) for sentence in sentences]
    assert kept == [["image"], ["image"], ["wrong", "image"], ["image"]]


def test_answers_under_way_are_kept_when_another_fails(server, make, tmp_path):
    server.faults = {"late": ["late"], "bad": ["key"]}
    cached = CachedGenerator(make(parallel=2), tmp_path)
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        cached.generate(["late", "bad"], [0, 0])
    cached.generate(["late"], [0])
    assert server.outcomes("late") == ["late"]


def test_a_failure_ends_the_waiting_of_the_others(server, make):
    server.faults = {"waits": ["minute"], "bad": ["late key"]}
    begun = time.monotonic()
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        make(parallel=2).generate(["waits", "bad"], [0, 0])
    assert time.monotonic() - begun < 30
    assert server.outcomes("waits") == ["minute"]


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), OSError(errno.EIO, "Input/output error")], ids=["Ctrl-C", "disk"]
)
def test_what_lies_there_is_kept_though_keeping_is_interrupted(
    server, make, tmp_path, monkeypatch, error
):
    """Three answers arrive at once, and the first is being kept as it happens."""
    server.faults = {sentence: ["meet"] for sentence in "abc"}
    before, store = threading.active_count(), DiskCache.store

    def interrupted(self, *what):
        monkeypatch.setattr(DiskCache, "store", store)
        end = time.monotonic() + 60
        while threading.active_count() > before and time.monotonic() < end:
            time.sleep(0.01)
        raise error

    monkeypatch.setattr(DiskCache, "store", interrupted)
    cached = CachedGenerator(make(parallel=3), tmp_path)
    with pytest.raises((KeyboardInterrupt, UsageError)):
        cached.generate(list("abc"), [0] * 3)
    assert len(list(image_cache(tmp_path, ANSWERS).entries())) == 3
    cached.generate(list("abc"), [0] * 3)
    assert server.drawn == 3


def test_sentences_are_asked_for_side_by_side(server, make):
    server.faults = {f"s{i}": ["meet"] for i in range(6)}  # answered three at a time
    generator = make(parallel=3)
    assert len(generator.generate([f"s{i}" for i in range(6)], [0] * 6)) == 6
    assert (server.drawn, generator.retries) == (6, 0)


def test_the_first_image_of_a_state_stays_whoever_else_draws_it(
    server, make, tmp_path, monkeypatch
):
    """Another has its answer just as one has seen that there is none, and is about to write."""
    one, other = CachedGenerator(make(), tmp_path), CachedGenerator(make(), tmp_path)
    told, store = [], DiskCache.store
    beside = threading.Thread(target=lambda: told.extend(other.generate(["a cat"], [0])))

    def late(self, *what):
        monkeypatch.setattr(DiskCache, "store", store)
        beside.start()
        beside.join(0.5)
        store(self, *what)

    monkeypatch.setattr(DiskCache, "store", late)
    told += one.generate(["a cat"], [0])
    beside.join(60)
    told += CachedGenerator(make(), tmp_path).generate(["a cat"], [0])
    assert server.drawn == 2
    assert len({tag_of(image) for image in told}) == 1
    assert len(told) == 3


def test_another_number_is_another_image(server, make, tmp_path):
    cached = CachedGenerator(make(), tmp_path)
    images = cached.generate(["a cat", "a cat", "a cat"], [0, 1, 0])
    assert tag_of(images[0]) == tag_of(images[2]) != tag_of(images[1])
    assert server.drawn == 2


def test_answers_are_not_swept_away(server, make, tmp_path):
    CachedGenerator(make(), tmp_path, limit=0).generate(["a cat", "a dog"], [0, 0])
    assert image_cache(tmp_path).shrink(0) == 0
    assert len(list(image_cache(tmp_path, ANSWERS).entries())) == 2


def test_an_answer_that_cannot_be_kept_is_an_error(server, make, tmp_path):
    (tmp_path / "answers").write_text("no folder")
    with pytest.raises(UsageError, match="RLDF_CACHE"):
        CachedGenerator(make(), tmp_path).generate(["a cat"], [0])


@pytest.mark.parametrize("fault", ["refused", "blocked"])
def test_a_refused_sentence_is_black_for_good_and_ends_nothing(
    server, make, tmp_path, caplog, fault
):
    server.faults["a fight"] = [fault]
    cached = CachedGenerator(make(size="64x32"), tmp_path)
    refused, fine = cached.generate(["a fight", "a cat"], [0, 0])
    assert (refused.size, refused.getextrema()) == ((64, 32), ((0, 0),) * 3)
    assert tag_of(fine) == 1
    assert [line for line in told(caplog) if "refuses 'a fight'" in line]
    cached.generate(["a fight"], [0])
    assert server.outcomes("a fight") == [fault]


def test_an_image_may_come_by_its_address(server, make):
    server.faults["a cat"] = ["address"]
    assert tag_of(make().generate(["a cat"], [0])[0]) == 1


@pytest.mark.parametrize("fault", ["cut", "error", "page"])
def test_a_cut_address_is_fetched_again_without_drawing_again(server, make, fault):
    server.faults["a cat"] = ["address"]
    server.file_faults = [fault]
    assert tag_of(make().generate(["a cat"], [0])[0]) == 1
    assert server.fetched == [fault, "file"]
    assert server.outcomes("a cat") == ["address"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("key", "OPENAI_API_KEY"),
        ("no model", "no such model"),
        ("wrong", "no such size"),
        ("moved", "has moved"),
        ("far away", "has moved"),
        ("quota", "quota is used up"),
        ("long limit", "429"),
    ],
)
def test_what_does_not_pass_is_told_at_once(server, make, fault, said):
    server.faults["a cat"] = [fault]
    with pytest.raises(RldfError, match=said) as caught:
        make().generate(["a cat"], [0])
    assert server.outcomes("a cat") == [fault]
    assert "\n" not in str(caught.value)
    assert "sk-sec" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("fault", ["no host", "surrogate"])
def test_an_address_that_leads_nowhere_is_one_line(server, make, fault):
    server.faults["a cat"] = [fault]
    with pytest.raises(RldfError, match=r"the connection failed .* \(try 2 of 2\)") as caught:
        make(tries=2).generate(["a cat"], [0])
    assert "\n" not in str(caught.value)


def test_tries_end(server, make):
    server.faults["a cat"] = ["error"] * 9
    with pytest.raises(RldfError, match="try 3 of 3") as caught:
        make(tries=3).generate(["a cat"], [0])
    assert server.outcomes("a cat") == ["error"] * 3
    assert caught.value.exit_code == 1


def test_no_server_at_all_is_one_line(server, make):
    with pytest.raises(RldfError, match="connection failed"):
        make(base_url="http://127.0.0.1:1/v1", tries=2).generate(["a cat"], [0])


def test_an_answer_without_end_is_given_up(server, make, monkeypatch):
    monkeypatch.setattr(api_client, "_MOST_BYTES", 10)
    with pytest.raises(RldfError, match="larger than"):
        make(tries=1).generate(["a cat"], [0])


@pytest.mark.parametrize(
    ("base_url", "named", "sent"),
    [
        (images_api.OPENAI, "", "sk-secret"),
        ("http://localhost:8000/v1", "", "sk-secret"),
        ("https://mine.example/v1/", "https://mine.example/v1", "sk-secret"),
        ("https://mine.example/v1", "https://other.example/v1", None),
        ("https://stranger.example/v1", "", None),
        ("https://api.openai.com.stranger.example/v1", "", None),
        ("http://api.openai.com/v1", "", None),
    ],
)
def test_the_key_goes_to_servers_that_the_user_named(monkeypatch, caplog, base_url, named, sent):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("OPENAI_BASE_URL", named)
    generator = ImagesApiGenerator(model="m", base_url=base_url)
    assert generator._client._headers.get("Authorization") == (sent and f"Bearer {sent}")
    lines = [] if sent else [f"the model set sends sentences to {base_url}, without"]
    assert [line.removesuffix(" OPENAI_API_KEY") for line in told(caplog)] == lines


def test_the_key_of_another_server_is_not_sent_to_openai(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://mine.example/v1")
    with pytest.raises(ConfigError, match=r"belongs to OPENAI_BASE_URL .*--base-url"):
        ImagesApiGenerator(model="m")


def test_openai_itself_wants_a_key(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ConfigError, match="set OPENAI_API_KEY"):
        ImagesApiGenerator(model="m")


@pytest.mark.parametrize(
    "base_url",
    ["", "localhost:8000", "ftp://x/v1", "http://", "http://x:99999/v1", "http://u:p@x/v1",
     "http://x/v1?key=1", "http://x/\n"],
)  # fmt: skip
def test_an_address_that_is_none_is_told(base_url):
    with pytest.raises(ConfigError, match="base_url") as caught:
        ImagesApiGenerator(model="m", base_url=base_url)
    assert "\n" not in str(caught.value)


def test_a_model_must_be_named():
    with pytest.raises(ConfigError, match="option model"):
        ImagesApiGenerator()


def test_the_identity_holds_what_decides_the_picture_and_no_key(make, server):
    assert make(size="64x32", parallel=2).identity == {
        "generator": "images-api",
        "base_url": server.url,
        "model": "m",
        "size": "64x32",
        "quality": None,
        "seeded": False,
        "weights": None,
    }


def test_a_clone_keeps_what_has_arrived_and_nothing_else(server, make):
    api = SimpleNamespace(generator=make())
    for _ in range(2):
        artists = render._generator(api)
        assert tag_of(artists.generate(["a cat"], [0])[0]) == 1
    assert server.drawn == 1
    seeded = SimpleNamespace(generator=CountingGenerator())
    assert render._generator(seeded) is seeded.generator
