"""Calls of a server that may be busy, slow or cut off: tried again within bounds, and counted.

A call whose answer has arrived whole is never made again. What is tried again: a connection that
fails or is cut, an answer that takes too long, 408, 409, 425, 429 (after the time that the server
names), 5xx, and an answer that is not what was asked for, such as a proxy's page.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Any, NoReturn, TypeVar

import httpx2

from rldf.errors import ConfigError, RldfError
from rldf.io.files import parse_json
from rldf.io.text import one_line, plain

T = TypeVar("T")

_FIRST_WAIT = 2.0
"""Seconds before the second try; they double from try to try."""
_LONGEST_WAIT = 600.0  # that a server may ask for
_MOST_BYTES = 100_000_000  # of an answer
_PASSING = {408, 409, 425, 429}
_NO_MONEY = {"insufficient_quota", "billing_hard_limit_reached", "billing_limit_user_error"}
_POLICY = {"content_policy_violation", "moderation_blocked", "content_filter", "contentFilter"}
_log = logging.getLogger(__name__)


class SentenceRefusedError(Exception):
    """The server's policy refuses a sentence: an answer, not a failure."""


class TryAgainError(Exception):
    """A call failed in a way that may pass; the message says how."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        """Describe the failure.

        Args:
            reason: a few words.
            wait: seconds that the server asks for, if it does.
        """
        super().__init__(reason)
        self.wait = wait


class ApiClient:
    """Speaks HTTP with one server, from any number of threads."""

    def __init__(self, base_url: str, key: str | None, timeout: float, tries: int) -> None:
        """Open a client; nothing is sent yet.

        Args:
            base_url: what paths are relative to.
            key: sent with every post; None for a server that wants none.
            timeout: seconds that one answer may take.
            tries: how often a call is made, 1 or more.
        """
        self._base, self._timeout, self._tries = base_url, timeout, tries
        self._headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._client = httpx2.Client(
            timeout=httpx2.Timeout(timeout, connect=min(timeout, 20.0)),
            # A picture takes seconds: a fresh connection costs little, and is never a dead one.
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=0),
        )
        self._lock = threading.Lock()
        self.retries = 0
        """How many calls were made again so far."""

    def patiently(self, call: Callable[[], T], stop: threading.Event) -> T:
        """Make a call until its answer is there, or nobody waits for it any more."""
        for attempt in count(1):
            try:
                return call()
            except TryAgainError as error:
                wait = _FIRST_WAIT * 2 ** (attempt - 1) if error.wait is None else error.wait
                last = attempt == self._tries or wait > _LONGEST_WAIT or stop.is_set()
                if not last:
                    self._tell(error, attempt + 1, wait)
                if last or stop.wait(wait):
                    raise RldfError(
                        f"{self._base}: {error} (try {attempt} of {self._tries}): type the "
                        "command again later, it goes on where it stopped"
                    ) from error
        raise AssertionError("unreachable")

    def post(self, path: str, body: dict[str, Any], call_id: str) -> Any:
        """Send JSON once."""
        headers = self._headers | {"Idempotency-Key": call_id}
        status, found, data = self._send("POST", self._base + path, json=body, headers=headers)
        if not 200 <= status < 300:
            self._explain(status, found, data)
        if "json" not in found.get("content-type", ""):
            raise TryAgainError(f"it answers {found.get('content-type', 'no type')}, not JSON")
        try:
            return parse_json(data)
        except ValueError:
            raise TryAgainError("its JSON is damaged") from None

    def get(self, url: str) -> bytes:
        """Fetch a file once, without the key."""
        status, _, data = self._send("GET", url, follow_redirects=True)
        if status != 200:
            raise TryAgainError(f"{status} for the image it points to")
        return data

    def _send(self, method: str, url: str, **options: Any) -> tuple[int, httpx2.Headers, bytes]:
        end = time.monotonic() + self._timeout
        try:
            with self._client.stream(method, url, **options) as answer:
                data = b"".join(_within(answer.iter_bytes(), end))
                return answer.status_code, answer.headers, data
        except (httpx2.TimeoutException, TimeoutError):
            raise TryAgainError(f"no whole answer within {self._timeout:g} s") from None
        except (httpx2.RequestError, httpx2.InvalidURL, ValueError) as error:  # of odd addresses
            raise TryAgainError(f"the connection failed ({one_line(error)})") from None

    def _explain(self, status: int, headers: httpx2.Headers, data: bytes) -> NoReturn:
        """Raise what an answer without success means."""
        code, said = _reason(data)
        if code in _POLICY:
            raise SentenceRefusedError(said)
        if code in _NO_MONEY or status == 402:
            raise RldfError(f"{self._base}: the quota is used up ({said}): type the command again "
                            "when there is more, it goes on where it stopped")  # fmt: skip
        if status in _PASSING or status >= 500:
            raise TryAgainError(f"{status} {said}".strip(), _retry_after(headers))
        if status in (401, 403):
            raise ConfigError(
                f"{self._base} refuses the key ({status}): set OPENAI_API_KEY; it is sent to "
                "api.openai.com, to this machine, and to the address in --base-url, "
                "--models or OPENAI_BASE_URL alone"
            )
        if 300 <= status < 400:
            where = headers.get("location", "another place")[:200]
            raise ConfigError(
                f"{self._base} has moved to {where}: give its new address as --base-url"
            )
        raise ConfigError(
            f"{self._base} does not take the request ({status} {said}): check --base-url, the "
            "model's name and the options of the model set"
        )

    def _tell(self, error: TryAgainError, attempt: int, wait: float) -> None:
        with self._lock:
            self.retries += 1
            retries = self.retries
        _log.warning(
            "%s",
            plain(f"{self._base}: {error}; try {attempt} of {self._tries} in {wait:g} s "
                  f"(retry {retries} so far)"),
        )  # fmt: skip


def _within(parts: Iterator[bytes], end: float) -> Iterator[bytes]:
    """Pass the parts of an answer on, while there is time and room."""
    size = 0
    for part in parts:
        size += len(part)
        if time.monotonic() > end:
            raise TimeoutError
        if size > _MOST_BYTES:
            raise TryAgainError(f"its answer is larger than {_MOST_BYTES // 1_000_000} MB")
        yield part


def _reason(data: bytes) -> tuple[str, str]:
    """Read code and message of an error, as far as there are any."""
    try:
        error = parse_json(data)["error"]
    except (ValueError, KeyError, TypeError):
        return "", ""
    code, said = (
        (error.get("code"), error.get("message")) if isinstance(error, dict) else ("", error)
    )
    return str(code or ""), one_line(str(said or ""))


def _retry_after(headers: httpx2.Headers) -> float | None:
    """Read how long the server wants to be left alone, as seconds or as a date."""
    said = headers.get("retry-after", "")
    try:
        wait = float(said)
    except ValueError:
        try:
            at = parsedate_to_datetime(said)
            wait = (at.astimezone(UTC) - datetime.now(UTC)).total_seconds()
        except (ValueError, OverflowError):
            return None
    return max(0.0, wait) if wait == wait else None
