"""An HTTP client for a server that may be busy or slow: it repeats failed calls and counts them.

A call is repeated after: a connection that fails or breaks; an answer that takes too long; status
408, 409, 425, 429 or 5xx, after the time that the server asks for; and an answer of another type,
such as a proxy's page. A call whose answer has arrived complete is never repeated.
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
"""Seconds before the second try; the wait doubles with every further try."""
_LONGEST_WAIT = 600.0  # s; the client gives up if a server asks for a longer wait
_MOST_BYTES = 100_000_000  # the largest answer that is accepted
_PASSING = {408, 409, 425, 429}
_NO_MONEY = {"insufficient_quota", "billing_hard_limit_reached", "billing_limit_user_error"}
_POLICY = {"content_policy_violation", "moderation_blocked", "content_filter", "contentFilter"}
_log = logging.getLogger(__name__)


class SentenceRefusedError(Exception):
    """The server's policy refuses a sentence; the call is not repeated."""


class TryAgainError(Exception):
    """A call failed for a reason that may pass, so it can be repeated."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        """Describe the failure.

        Args:
            reason: what went wrong, in a few words.
            wait: seconds that the server asks the client to wait; None if it asks for none.
        """
        super().__init__(reason)
        self.wait = wait


class ApiClient:
    """Sends HTTP requests to one server; any number of threads may use it."""

    def __init__(self, base_url: str, key: str | None, timeout: float, tries: int) -> None:
        """Make a client; nothing is sent yet.

        Args:
            base_url: the server's address, to which paths are appended.
            key: bearer token that is sent with every POST; None for a server that needs none.
            timeout: seconds that one answer may take.
            tries: how often a call is made at most, 1 or more.
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
        """Number of repeated calls so far."""

    def patiently(self, call: Callable[[], T], stop: threading.Event) -> T:
        """Make a call, and repeat it after `TryAgainError`.

        Args:
            call: the function to call.
            stop: when it is set, the call is not repeated any more.

        Raises:
            RldfError: if the last try fails, or `stop` is set.
        """
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
                        "command again later; it goes on where it stopped"
                    ) from error
        raise AssertionError("unreachable")

    def post(self, path: str, body: dict[str, Any], call_id: str) -> Any:
        """Send JSON in one POST, without repeating it, and return the parsed JSON of the answer."""
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
        """Fetch a file in one GET, without the key and without repeating it."""
        status, _, data = self._send("GET", url, follow_redirects=True)
        if status != 200:
            raise TryAgainError(f"status {status} for the address of the image that it named")
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
        """Raise the error that an answer with a status other than 2xx stands for."""
        code, said = _reason(data)
        if code in _POLICY:
            raise SentenceRefusedError(said)
        if code in _NO_MONEY or status == 402:
            raise RldfError(f"{self._base}: the quota is used up ({said}): type the command again "
                            "when there is more; it goes on where it stopped")  # fmt: skip
        if status in _PASSING or status >= 500:
            raise TryAgainError(f"{status} {said}".strip(), _retry_after(headers))
        if status in (401, 403):
            raise ConfigError(
                f"{self._base} refuses the key ({status}): set OPENAI_API_KEY; it is sent only to "
                "api.openai.com, to this machine, and to the address in --base-url, "
                "--models or OPENAI_BASE_URL"
            )
        if 300 <= status < 400:
            where = headers.get("location", "another place")[:200]
            raise ConfigError(
                f"{self._base} has moved to {where}: type its new address after --base-url"
            )
        raise ConfigError(
            f"{self._base} rejects the request ({status} {said}): check --base-url, the "
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
    """Yield the parts of an answer until the time `end` or the size limit is exceeded."""
    size = 0
    for part in parts:
        size += len(part)
        if time.monotonic() > end:
            raise TimeoutError
        if size > _MOST_BYTES:
            raise TryAgainError(f"its answer is larger than {_MOST_BYTES // 1_000_000} MB")
        yield part


def _reason(data: bytes) -> tuple[str, str]:
    """Return code and message of an error answer, "" for what it lacks."""
    try:
        error = parse_json(data)["error"]
    except (ValueError, KeyError, TypeError):
        return "", ""
    code, said = (
        (error.get("code"), error.get("message")) if isinstance(error, dict) else ("", error)
    )
    return str(code or ""), one_line(str(said or ""))


def _retry_after(headers: httpx2.Headers) -> float | None:
    """Return the seconds that `Retry-After` asks for, which is a number or a date; else None."""
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
