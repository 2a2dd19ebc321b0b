"""An images API on loopback that draws, fails as it is told, and writes everything down."""

import base64
import contextlib
import gzip
import io
import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from PIL import Image

from tests.doubles import picture

SLOW = 6.0  # seconds that a slow answer takes


@dataclass
class Call:
    """One request and what it came to."""

    prompt: str
    body: dict
    headers: dict
    outcome: str


@dataclass
class ImageServer:
    """Draws the n-th picture that it is asked for with number n, so that no two are alike.

    `faults` says what befalls the calls of a prompt, in their order; after the last all is well.
    """

    faults: dict[str, list[str]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    file_faults: list[str] = field(default_factory=list)
    paint: Callable[[str, int], Image.Image] = lambda prompt, number: picture(number)
    drawn: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    meeting: threading.Barrier = field(default_factory=lambda: threading.Barrier(3, timeout=60))
    url: str = ""

    def outcomes(self, prompt: str) -> list[str]:
        return [call.outcome for call in self.calls if call.prompt == prompt]

    def next_fault(self, prompt: str) -> str:
        with self.lock:
            left = self.faults.get(prompt, [])
            return left.pop(0) if left else "image"

    def draw(self) -> int:
        with self.lock:
            self.drawn += 1
            return self.drawn


@contextlib.contextmanager
def image_server():
    """Run a server until the block ends."""
    state = ImageServer()
    server = _Quiet(("127.0.0.1", 0), type("Bound", (_Handler,), {"state": state}))
    server.daemon_threads, server.block_on_close = True, False
    state.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Say nothing of a client that went away, as several tests have it do."""


class _Handler(BaseHTTPRequestHandler):
    state: ImageServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_POST(self):
        state = self.state
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.prompt = body["prompt"]
        fault = state.next_fault(self.prompt)
        with state.lock:
            state.calls.append(Call(self.prompt, body, dict(self.headers), fault))
        self._answer(fault)

    def do_GET(self):
        state = self.state
        with state.lock:
            fault = state.file_faults.pop(0) if state.file_faults else "file"
            state.fetched.append(fault)
        assert "Authorization" not in self.headers
        if fault == "file":
            self._send(200, "image/png", _png(picture(int(self.path.rsplit("/", 1)[1]))))
        else:
            self._answer(fault)

    def _answer(self, fault):
        getattr(self, "_" + fault.replace(" ", "_"))()

    def _image(self):
        image = self.state.paint(self.prompt, self.state.draw())
        self._json(200, {"data": [{"b64_json": _b64(_png(image))}]})

    def _late(self):
        time.sleep(0.15)
        self._image()

    def _meet(self):
        self.state.meeting.wait()
        self._image()

    def _address(self):
        self._json(200, {"data": [{"url": f"{self.state.url}/files/{self.state.draw()}"}]})

    def _strange_address(self):
        self._json(200, {"data": [{"url": "file:///etc/hostname"}]})

    def _limit(self):
        self._json(429, _error("rate_limit_exceeded", "slow down"), {"Retry-After": "0"})

    def _limit_date(self):
        past = {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}
        self._json(429, _error("rate_limit_exceeded", "slow down"), past)

    def _long_limit(self):
        self._json(429, _error("rate_limit_exceeded", "slow down"), {"Retry-After": "86400"})

    def _minute(self):
        self._json(429, _error("rate_limit_exceeded", "slow down"), {"Retry-After": "60"})

    def _quota(self):
        self._json(429, _error("insufficient_quota", "no money left"))

    def _error(self):
        self._json(500, _error(None, "something \x1b[31mwent wrong"))

    def _busy(self):
        self._send(503, "text/html", b"<html>come again</html>")

    def _slow(self):
        time.sleep(SLOW)
        self._image()

    def _drip(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "1000")
        self.end_headers()
        for _ in range(int(SLOW / 0.1)):
            self.wfile.write(b" ")
            time.sleep(0.1)
        self._hang_up()

    def _cut(self):
        self._hang_up()

    def _cut_inside(self):
        data = json.dumps({"data": [{"b64_json": _b64(_png(picture(9)))}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2])
        self._hang_up()

    def _page(self):
        self._send(200, "text/html", b"<html>Please log in</html>")

    def _no_json(self):
        self._send(200, "application/json", b'{"data": [')

    def _deep(self):
        self._send(200, "application/json", b"[" * 100_000)

    def _deep_error(self):
        self._send(500, "application/json", b'{"error":' * 100_000)

    def _broken_address(self):
        self._json(200, {"data": [{"url": "http://["}]})

    def _no_host(self):
        self._json(200, {"data": [{"url": "http://a..b/1"}]})

    def _surrogate(self):
        self._json(200, {"data": [{"url": f"{self.state.url}/\ud800"}]})

    def _far_date(self):
        self._json(503, {}, {"Retry-After": "Fri, 31 Dec 9999 23:59:59 -1200"})

    def _bomb(self):
        data = gzip.compress(gzip.compress(bytes(300_000_000), 1), 9)
        self._send(200, "application/json", data, {"Content-Encoding": "gzip, gzip"})

    def _far_away(self):
        self._send(308, "text/html", b"", {"Location": "http://a/" + "a" * 5_000})

    def _nothing(self):
        self._json(200, {"data": []})

    def _list(self):
        self._json(200, [1, 2])

    def _bad_base64(self):
        self._json(200, {"data": [{"b64_json": "not base64!"}]})

    def _bad_image(self):
        self._json(200, {"data": [{"b64_json": _b64(b"GIF89a and no more")}]})

    def _refused(self):
        self._json(400, _error("content_policy_violation", "not allowed by our policy"))

    def _blocked(self):
        self._json(400, _error("moderation_blocked", "rejected by the safety system"))

    def _wrong(self):
        self._json(400, _error("invalid_value", "no such size"))

    def _key(self):
        self._json(401, _error("invalid_api_key", "Incorrect API key provided: sk-sec***"))

    def _late_key(self):
        time.sleep(0.3)
        self._key()

    def _no_model(self):
        self._json(404, {"error": "no such model"})

    def _moved(self):
        self._send(308, "text/html", b"", {"Location": "http://127.0.0.1:1/v1"})

    def _json(self, status, document, headers=None):
        self._send(status, "application/json", json.dumps(document).encode(), headers)

    def _send(self, status, kind, data, headers=None):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _hang_up(self):
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


def _error(code, message):
    return {"error": {"code": code, "message": message, "type": "error"}}


def _png(image):
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


def _b64(data):
    return base64.b64encode(data).decode()
