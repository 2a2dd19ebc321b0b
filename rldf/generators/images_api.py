"""A server with OpenAI's images API as an image generator.

The API takes a sentence and no seed, so two requests for one sentence give two images. The first
image for a sentence and seed is therefore kept in the cache for good (`seeded: false` in the
identity makes the cache do so); the seed only numbers a sentence's images. A sentence that the
server's policy refuses gets a black image, which is kept too, and one warning.

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
    """Generates images by sending each sentence to a server."""

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
        """Make the generator; nothing is sent yet. The key is read from OPENAI_API_KEY only.

        Args:
            model: name of the model on the server; it is required.
            base_url: the API's address, to which "/images/generations" is appended.
            size: size of the images, such as "1024x1024"; None for the server's default.
            quality: quality of the images, such as "low"; None for the server's default.
            parallel: number of sentences that are requested at the same time.
            timeout: seconds that one answer may take.
            tries: how often a sentence is requested at most.
            path: ignored; every generator of a model set is given one.
            device: ignored; every generator of a model set is given one.
            weights: checksum of `path`, for the identity.
            send_key: whether the server may be sent the key, because a person typed its address.

        Raises:
            ConfigError: if `model` is None, `base_url` is no address, or OpenAI's server is used
                without a key.
        """
        if model is None:
            raise ConfigError(
                "class images-api without the option model: add the model's name to the "
                "generator's options in the model set file"
            )
        self._base = _checked(base_url)
        self._asked = {"model": model, "size": size, "quality": quality}
        self._parallel, self._weights = parallel, weights
        self._client = ApiClient(self._base, _key(self._base, send_key), timeout, tries)

    @property
    def identity(self) -> Mapping[str, Json]:
        """Server, model, size, quality and `weights`; `seeded` is False: seeds are not sent."""
        return {
            "generator": "images-api",
            "base_url": self._base,
            **self._asked,
            "seeded": False,
            "weights": self._weights,
        }

    @property
    def retries(self) -> int:
        """Number of repeated requests so far."""
        return self._client.retries

    def generate(self, sentences: Sequence[str], seeds: Sequence[int]) -> list[Image.Image]:
        """Request one image for each sentence.

        Args:
            sentences: prompts.
            seeds: one seed for each sentence; they are not sent to the server.

        Returns:
            RGB images.
        """
        images: dict[int, Image.Image] = {}
        self.stream(sentences, seeds, images.__setitem__)
        return [images[place] for place in range(len(sentences))]

    def stream(self, sentences: Sequence[str], seeds: Sequence[int], keep: Keep) -> None:
        """Request one image for each sentence, and pass each image to `keep` when it arrives.

        Args:
            sentences: prompts.
            seeds: one seed for each sentence; they are not sent to the server.
            keep: called with the sentence's index and its RGB image.

        Raises:
            RldfError: if all tries for a sentence failed; images of requests that were already
                running have been passed to `keep`.
        """
        _side_by_side(self._picture, sentences, self._parallel, keep)

    def _picture(self, sentence: str, stop: threading.Event) -> Image.Image:
        stated = {name: value for name, value in self._asked.items() if value is not None}
        body = {**stated, "prompt": sentence, "n": 1}
        call_id = uuid.uuid4().hex
        try:
            found = self._client.patiently(lambda: self._ask(body, call_id), stop)
        except SentenceRefusedError as error:
            said = f"{self._base} refuses '{sentence}' ({error}): its image stays black"
            _log.warning("%s", plain(said))
            return Image.new("RGB", self._size())
        if isinstance(found, Image.Image):
            return found
        url = found
        return self._client.patiently(lambda: _decoded(self._client.get(url)), stop)

    def _ask(self, body: dict[str, Any], call_id: str) -> Image.Image | str:
        """Send one request; return the image, or the address from which it can be fetched."""
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
    """Return an address without a final slash; refuse an invalid one, or one with a password."""
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
            f"base_url of {named}: leave out user, password and whatever follows '?' or '#': put "
            "a key into OPENAI_API_KEY"
        )
    return base_url.rstrip("/")


def _key(base: str, send_key: bool) -> str | None:
    """Return OPENAI_API_KEY if this server may be sent it, else None.

    It may be sent to OpenAI, to this machine, to OPENAI_BASE_URL and, with `send_key`, to the
    server that a person typed; not to an address in a model set file, which a stranger may have
    written.
    """
    key = os.environ.get("OPENAI_API_KEY", "").strip()
    if not key.isascii() or not key.isprintable():
        raise ConfigError(
            "OPENAI_API_KEY holds characters that no key has: set it to your key again"
        )
    own = os.environ.get("OPENAI_BASE_URL", "").rstrip("/")
    if base == OPENAI and own not in ("", OPENAI) and not send_key:
        raise ConfigError(
            f"OPENAI_API_KEY belongs to OPENAI_BASE_URL ({own}), and the images come from {base}: "
            f"type --base-url {own} or --base-url {base}"
        )
    if base == OPENAI and not key:
        raise ConfigError(f"{base} needs a key: set OPENAI_API_KEY")
    if send_key or base in (OPENAI, own) or urlsplit(base).hostname in _LOCAL:
        return key or None
    _log.warning("the model set sends sentences to %s, without OPENAI_API_KEY", base)
    return None


def _side_by_side(
    draw: Callable[[str, threading.Event], Image.Image],
    sentences: Sequence[str],
    at_once: int,
    keep: Keep,
) -> None:
    """Call `draw` for each sentence in threads, and pass each image to `keep` with its index.

    After an error or Ctrl-C too, all images that have arrived are passed to `keep`.
    """
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
    """Take sentences from `todo`, which threads share, and put their images into `came`."""
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
