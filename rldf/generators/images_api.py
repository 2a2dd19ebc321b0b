"""Any images API that speaks OpenAI's language as an image generator.

Such a server takes a sentence and no seed: asked twice, it draws two pictures. So the first picture
of a sentence and seed is its render for good (`seeded: false` in the identity tells the cache to
keep it), and the seed is the number of the picture. A sentence that the server's policy refuses
gets a black picture, for good too, and one line that says so.

See https://developers.openai.com/api/reference/resources/images/methods/generate
"""

import base64
import binascii
import contextlib
import logging
import os
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Annotated, Any
from urllib.parse import urlsplit

from PIL import Image
from pydantic import Field

from rldf.errors import ConfigError, ImageError
from rldf.generators.api_client import ApiClient, SentenceRefusedError, TryAgainError
from rldf.interfaces import ImageGenerator, Json, Keep
from rldf.io.images import decode_image
from rldf.io.text import plain
from rldf.sharing import Remade

OPENAI = "https://api.openai.com/v1"
_LOCAL = {"localhost", "127.0.0.1", "::1"}
_BLANK_SIDE = 512  # where no size is stated, px
_log = logging.getLogger(__name__)

_Came = SimpleQueue[tuple[int, Image.Image] | Exception | None]


class ImagesApiGenerator(Remade, ImageGenerator):
    """Draws sentences by asking a server for each."""

    def __init__(
        self,
        *,
        model: Annotated[str, Field(min_length=1)] | None = None,
        base_url: str = OPENAI,
        size: Annotated[str, Field(pattern=r"^(auto|[1-9]\d{1,3}x[1-9]\d{1,3})$")] | None = None,
        quality: Annotated[str, Field(pattern=r"^[a-z]+$")] | None = None,
        parallel: Annotated[int, Field(ge=1, le=64)] = 4,
        timeout: Annotated[float, Field(gt=0, le=3600)] = 180.0,
        tries: Annotated[int, Field(ge=1, le=20)] = 6,
        path: Path | None = None,
        device: str = "cpu",
        weights: str | None = None,
        send_key: bool = False,
    ) -> None:
        """Describe the server; nothing is sent yet. The key comes from OPENAI_API_KEY alone.

        Args:
            model: its name there; names change within months, so there is no usual one.
            base_url: where the API is; "/images/generations" is added.
            size: of the images, such as "1024x1024"; by default the server's own.
            quality: such as "low"; by default the server's own.
            parallel: how many sentences are asked for at once.
            timeout: seconds that one answer may take.
            tries: how often a sentence is asked for before it is given up.
            path: ignored; every generator of a model set is given one.
            device: ignored likewise.
            weights: checksum of `path`, for the identity.
            send_key: whether a person named the server, who may then be sent the key.

        Raises:
            ConfigError: there is no model, the address is none, or no key is there for OpenAI.
        """
        if model is None:
            raise ConfigError("an images-api generator needs the option model")
        self._base = _checked(base_url)
        self._asked = {"model": model, "size": size, "quality": quality}
        self._parallel, self._weights = parallel, weights
        self._client = ApiClient(self._base, _key(self._base, send_key), timeout, tries)

    @property
    def identity(self) -> Mapping[str, Json]:
        """Server, model, size and quality; `seeded` says that the seed decides nothing."""
        return {
            "generator": "images-api",
            "base_url": self._base,
            **self._asked,
            "seeded": False,
            "weights": self._weights,
        }

    @property
    def retries(self) -> int:
        """How many calls were made again so far."""
        return self._client.retries

    def generate(self, sentences: Sequence[str], seeds: Sequence[int]) -> list[Image.Image]:
        """Ask for a picture of every sentence.

        Args:
            sentences: prompts.
            seeds: one for each; the server is not told.

        Returns:
            RGB images.
        """
        images: dict[int, Image.Image] = {}
        self.stream(sentences, seeds, images.__setitem__)
        return [images[place] for place in range(len(sentences))]

    def stream(self, sentences: Sequence[str], seeds: Sequence[int], keep: Keep) -> None:
        """Ask for a picture of every sentence, and hand each on as soon as it is there.

        Args:
            sentences: prompts.
            seeds: one for each; the server is not told.
            keep: is given place and RGB image.

        Raises:
            RldfError: a sentence failed for good; what was under way by then has been handed on.
        """
        _side_by_side(self._picture, sentences, self._parallel, keep)

    def _picture(self, sentence: str, stop: threading.Event) -> Image.Image:
        stated = {name: value for name, value in self._asked.items() if value is not None}
        body = {**stated, "prompt": sentence, "n": 1}
        call_id = uuid.uuid4().hex
        try:
            found = self._client.patiently(lambda: self._ask(body, call_id), stop)
        except SentenceRefusedError as error:
            said = f"{self._base} refuses '{sentence}' ({error}): its picture stays black"
            _log.warning("%s", plain(said))
            return Image.new("RGB", self._size())
        if isinstance(found, Image.Image):
            return found
        url = found
        return self._client.patiently(lambda: _decoded(self._client.get(url)), stop)

    def _ask(self, body: dict[str, Any], call_id: str) -> Image.Image | str:
        """Ask once: for the picture, or the address where it lies."""
        answer = self._client.post("/images/generations", body, call_id)
        try:
            first = answer["data"][0]
            if first.get("b64_json"):
                return _decoded(base64.b64decode(first["b64_json"], validate=True))
            url = str(first["url"])
            scheme = urlsplit(url).scheme
        except (KeyError, IndexError, TypeError, AttributeError, binascii.Error, ValueError):
            raise TryAgainError("its answer holds no image") from None
        if scheme not in ("http", "https"):
            raise TryAgainError("its answer holds no image")
        return url

    def _size(self) -> tuple[int, int]:
        width, _, height = str(self._asked["size"]).partition("x")
        return (int(width), int(height)) if height else (_BLANK_SIDE, _BLANK_SIDE)


def _decoded(data: bytes) -> Image.Image:
    try:
        return decode_image(data, "the answer")
    except ImageError:
        raise TryAgainError("its answer holds no image that can be read") from None


def _checked(base_url: str) -> str:
    """Refuse an address that is none, or that holds a secret."""
    try:
        parts = urlsplit(base_url)
        named = parts.hostname if parts.port != 0 else None
    except ValueError:
        named = None
    if not named or parts.scheme not in ("http", "https") or not base_url.isprintable():
        raise ConfigError(
            f"base_url {plain(base_url)}: give an address such as http://localhost:8000/v1"
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigError(
            f"base_url of {named}: leave out user, password and whatever follows '?': a key goes "
            "into OPENAI_API_KEY"
        )
    return base_url.rstrip("/")


def _key(base: str, send_key: bool) -> str | None:
    """Take the key from the environment, for servers that the user has named as its own.

    A model set may be a stranger's, and so may the address in it.
    """
    key = os.environ.get("OPENAI_API_KEY", "").strip()
    if not key.isascii() or not key.isprintable():
        raise ConfigError("OPENAI_API_KEY is no key: set it again")
    own = os.environ.get("OPENAI_BASE_URL", "").rstrip("/")
    if base == OPENAI and own not in ("", OPENAI) and not send_key:
        raise ConfigError(
            f"OPENAI_API_KEY is of OPENAI_BASE_URL ({own}): type --base-url with one of the two"
        )
    if base == OPENAI and not key:
        raise ConfigError(f"{base} wants a key: set OPENAI_API_KEY")
    if send_key or base in (OPENAI, own) or urlsplit(base).hostname in _LOCAL:
        return key or None
    _log.warning("sentences go to %s, as the model set says, without OPENAI_API_KEY", base)
    return None


def _side_by_side(
    draw: Callable[[str, threading.Event], Image.Image],
    sentences: Sequence[str],
    at_once: int,
    keep: Keep,
) -> None:
    """Draw sentences in threads; however it ends, what was there by then has been handed on."""
    todo, came, stop = deque(enumerate(sentences)), _Came(), threading.Event()
    at_work = min(at_once, len(sentences))
    got: tuple[int, Image.Image] | Exception | None = None
    failed: Exception | None = None
    for _ in range(at_work):
        # daemons: Ctrl-C does not wait for a slow server
        threading.Thread(target=_work, args=(draw, todo, came, stop), daemon=True).start()
    try:
        while at_work:
            got = came.get()
            if got is None:
                at_work -= 1
            elif isinstance(got, Exception):
                failed = failed or got
                stop.set()
            else:
                keep(*got)
    finally:  # after Ctrl-C too, which may have come while an image was being kept
        stop.set()
        for one in (got, *_there(came)):
            if isinstance(one, tuple):
                keep(*one)
    if failed:
        raise failed


def _work(
    draw: Callable[[str, threading.Event], Image.Image],
    todo: "deque[tuple[int, str]]",
    came: _Came,
    stop: threading.Event,
) -> None:
    """Draw one sentence after another, beside other threads, until none is left."""
    try:
        for place, sentence in _taken(todo, stop):
            came.put((place, draw(sentence, stop)))
    except Exception as error:  # raised again where the images are asked for
        came.put(error)
    finally:
        came.put(None)


def _taken(todo: "deque[tuple[int, str]]", stop: threading.Event) -> Iterator[tuple[int, str]]:
    with contextlib.suppress(IndexError):
        while not stop.is_set():
            yield todo.popleft()


def _there(came: _Came) -> Iterator[tuple[int, Image.Image] | Exception | None]:
    with contextlib.suppress(Empty):
        while True:
            yield came.get_nowait()
