"""Images one by one as they come, from generators that can give them so."""

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from queue import Empty, SimpleQueue

from PIL.Image import Image

from rldf.interfaces import Keep

_Came = SimpleQueue[tuple[int, Image] | Exception | None]


def side_by_side(
    draw: Callable[[str, threading.Event], Image],
    sentences: Sequence[str],
    at_once: int,
    keep: Keep,
) -> None:
    """Draw sentences in threads; however it ends, what was there by then has been handed on."""
    todo, came, stop = deque(enumerate(sentences)), _Came(), threading.Event()
    at_work = min(at_once, len(sentences))
    got: tuple[int, Image] | Exception | None = None
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
    draw: Callable[[str, threading.Event], Image],
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


def _there(came: _Came) -> Iterator[tuple[int, Image] | Exception | None]:
    with contextlib.suppress(Empty):
        while True:
            yield came.get_nowait()
