"""What a call costs this process: seconds of computing, and memory at its height."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a call, or the most that one may take.

    Attributes:
        seconds: of computing, in all threads.
        memory: bytes beyond those that the process held before.
    """

    seconds: float
    memory: int

    def beyond(self, bound: Self) -> list[str]:
        """Tell in what this is more than a bound, one line each."""
        found = []
        if self.seconds > bound.seconds:
            found.append(f"slow: {self.seconds:.1f} s of computing; at most {bound.seconds:.1f}")
        if self.memory > bound.memory:
            found.append(f"large: {self.memory // 10**6} MB; at most {bound.memory // 10**6}")
        return found


class Meter:
    """Measures from its making on; Linux alone can."""

    def __init__(self) -> None:
        Path("/proc/self/clear_refs").write_text("5")  # forgets the greatest memory so far
        self._held, self._began = _peak(), time.process_time()

    def read(self) -> Cost:
        """Tell what was spent so far."""
        return Cost(time.process_time() - self._began, _peak() - self._held)


def _peak() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024
