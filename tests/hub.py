"""A Hugging Face hub on loopback: repositories with commits, large files in a storage of their own.

It answers as the hub does as far as huggingface_hub asks: model info with the checksums of large
files, `resolve` with a redirect to the storage, ranges, tokens, and error codes. Faults are put in
by `hub.faults`: a status instead of an answer, or a transfer that is cut after some bytes,
at once or after a while of silence.
"""

import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

TOKEN = "hf_good"
_sleep = time.sleep  # tests take the waiting out of time.sleep itself
_LARGE = (".safetensors", ".pt", ".onnx", ".bin")


@dataclass
class Commit:
    files: dict[str, bytes]
    revision: str


@dataclass
class Repository:
    commits: list[Commit]
    license: str = "mit"
    gated: bool = False
    lies: dict[str, object] = field(default_factory=dict)  # checksums that are told, by file

    def at(self, revision: str) -> Commit | None:
        found = [c for c in self.commits if revision in (c.revision, "main")]
        return found[-1] if found else None


@dataclass
class Fault:
    """What goes wrong with requests whose method and path match, so often."""

    match: str
    status: int | None = None
    cut: int | None = None  # bytes that still arrive
    hold: float = 0.0  # seconds that the connection stays open after the cut
    twist: bool = False  # one byte is another
    times: int = 1


@dataclass
class Hub:
    hub: str = ""
    storage: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    log: list[tuple[str, str, str, str]] = field(default_factory=list)  # method, path, range, token
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, id: str, files: Path | dict[str, bytes], **options) -> str:
        """Push a commit; gives its name."""
        if isinstance(files, Path):
            files = {
                str(path.relative_to(files)): path.read_bytes()
                for path in sorted(files.rglob("*"))
                if path.is_file()
            }
        total = hashlib.sha1(id.encode())
        for name, data in files.items():
            total.update(name.encode() + data)
            self.blobs[hashlib.sha256(data).hexdigest()] = data
        commit = Commit(dict(files), total.hexdigest())
        repository = self.repositories.setdefault(id, Repository([], **options))
        repository.commits.append(commit)
        return commit.revision

    def fault(self, method: str, path: str) -> Fault | None:
        with self.lock:
            for fault in self.faults:
                if fault.times > 0 and re.search(fault.match, f"{method} {path}"):
                    fault.times -= 1
                    return fault
        return None

    def fetched(self) -> list[tuple[str, str]]:
        """Bodies that were asked for: path and range."""
        return [(path, ranged) for method, path, ranged, _ in self.log if method == "GET"]


def blob_name(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _handler(hub: Hub, answer):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_GET(self):
            path = unquote(urlsplit(self.path).path)
            ranged, token = self.headers.get("Range", ""), self.headers.get("Authorization", "")
            with hub.lock:
                hub.log.append((self.command, path, ranged, token))
            self.fault = hub.fault(self.command, path)
            if self.fault and self.fault.status:
                return self.reply(self.fault.status, b"", {})
            return answer(self, path)

        do_HEAD = do_GET

        def reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "HEAD":
                return
            if self.fault and self.fault.twist:
                body = body[:-1] + bytes([body[-1] ^ 1])
            cut = self.fault.cut if self.fault else None
            self.wfile.write(body if cut is None else body[:cut])
            if cut is not None:
                self.wfile.flush()
                _sleep(self.fault.hold)
                self.close_connection = True
                self.connection.close()

        def is_known(self) -> bool:
            return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    return Handler


def _answer_hub(hub: Hub):
    def answer(self, path: str) -> None:
        info = re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?", path)
        file = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        found = info or file
        repository = hub.repositories.get(found[1]) if found else None
        if repository is None:
            return self.reply(401, b"", {"X-Error-Message": "Invalid username or password."})
        commit = repository.at(found[2] or "main")
        if commit is None:
            return self.reply(404, b"", {"X-Error-Code": "RevisionNotFound"})
        if info:
            return self.reply(200, _info(found[1], repository, commit), {})
        if repository.gated and not self.is_known():
            return self.reply(401, b"", {"X-Error-Code": "GatedRepo"})
        return _resolve(self, hub, commit, file[3])

    return answer


def _info(id: str, repository: Repository, commit: Commit) -> bytes:
    siblings = []
    for name, data in commit.files.items():
        entry = {"rfilename": name, "size": len(data), "blobId": blob_name(data)}
        if name.endswith(_LARGE):
            sha256 = repository.lies.get(name, hashlib.sha256(data).hexdigest())
            entry["lfs"] = {"size": len(data), "sha256": sha256, "pointerSize": 130}
        siblings.append(entry)
    return json.dumps(
        {
            "_id": "0", "id": id, "modelId": id, "sha": commit.revision, "private": False,
            "gated": "auto" if repository.gated else False, "tags": [], "downloads": 0, "likes": 0,
            "cardData": {"license": repository.license}, "siblings": siblings,
        }
    ).encode()  # fmt: skip


def _resolve(self, hub: Hub, commit: Commit, name: str) -> None:
    headers = {"X-Repo-Commit": commit.revision}
    if name not in commit.files:
        return self.reply(404, b"", {**headers, "X-Error-Code": "EntryNotFound"})
    data = commit.files[name]
    if not name.endswith(_LARGE):
        return self.reply(200, data, {**headers, "ETag": f'"{blob_name(data)}"'})
    sha256 = hashlib.sha256(data).hexdigest()
    return self.reply(
        302, b"",
        {
            **headers, "X-Linked-Etag": f'"{sha256}"', "X-Linked-Size": str(len(data)),
            "Location": f"{hub.storage}/{sha256}",
        },
    )  # fmt: skip


def _answer_storage(hub: Hub):
    def answer(self, path: str) -> None:
        if self.headers.get("Authorization"):
            return self.reply(400, b"", {})  # a token must not leave the hub
        data = hub.blobs.get(path.strip("/"))
        if data is None:
            return self.reply(404, b"", {})
        ranged = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if ranged is None:
            return self.reply(200, data, {"Accept-Ranges": "bytes"})
        start = int(ranged[1])
        span = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}
        return self.reply(206, data[start:], span)

    return answer


@contextmanager
def running_hub() -> Iterator[Hub]:
    hub = Hub()
    servers = [
        ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub, make(hub)))
        for make in (_answer_hub, _answer_storage)
    ]
    for server in servers:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    hub.hub, hub.storage = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    try:
        yield hub
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
