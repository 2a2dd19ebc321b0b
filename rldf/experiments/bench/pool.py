"""Runs the runs of a bench, in this process or in several."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed

from rldf.experiments.bench.trial import Outcome, Trial, run_trial
from rldf.experiments.bench.worlds import World
from rldf.runs.config import SearchConfig

Group = tuple[Trial, ...]

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_shared: list[tuple[World, SearchConfig]] = []  # of a process of the pool, set as it starts


def run_groups(
    groups: Iterable[Group], world: World, budget: SearchConfig, processes: int
) -> Iterator[tuple[Outcome, ...]]:
    """Run groups of runs, and give each as it is done."""
    if processes == 1:
        for group in groups:
            yield _run(group, world, budget)
        return
    for name in _THREADS:  # the processes share the cores; they inherit this as they start
        os.environ.setdefault(name, "1")
    pool = ProcessPoolExecutor(
        processes,
        multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(world, budget, os.getpid()),
    )
    try:
        for future in as_completed([pool.submit(_run_shared, group) for group in groups]):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _run(group: Group, world: World, budget: SearchConfig) -> tuple[Outcome, ...]:
    return tuple(run_trial(world, trial, budget) for trial in group)


def _run_shared(group: Group) -> tuple[Outcome, ...]:
    return _run(group, *_shared[0])


def _begin(world: World, budget: SearchConfig, parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told, and ends the pool
    _shared.append((world, budget))
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process when its parent is gone: a killed parent cannot say so."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
