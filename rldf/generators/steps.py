"""Tells before anything is drawn which option a scheduler cannot work with.

Deep in a scheduler such an option is an index that is out of bounds, or a division by zero whose
image is black. Here the scheduler goes through all its steps once on a few random numbers.
"""

import copy
import inspect
from typing import Any

import torch

from rldf.errors import ConfigError
from rldf.io.text import one_line

_USUAL = (20, 10, 4)  # steps that nearly every scheduler takes
_SHAPE = (1, 4, 2, 2)


def check_steps(scheduler: Any, steps: int) -> None:
    """Go through the steps of a scheduler."""
    problem = _problem(scheduler, steps)
    if problem is not None:
        option, advice = _culprit(scheduler, steps)
        name = type(scheduler).__name__
        raise ConfigError(f"{name} cannot draw with {option} ({problem}): {advice}")


def _problem(scheduler: Any, steps: int) -> str | None:
    """Say what goes wrong, if anything does."""
    source = torch.Generator().manual_seed(0)
    try:
        tried = copy.deepcopy(scheduler)
        tried.set_timesteps(steps)
        takes = inspect.signature(tried.step).parameters
        options = {"generator": source} if "generator" in takes else {}
        sample = torch.randn(_SHAPE, generator=source) * float(tried.init_noise_sigma)
        for time in tried.timesteps:
            tried.scale_model_input(sample, time)
            noise = torch.randn(_SHAPE, generator=source)
            sample = tried.step(noise, time, sample, **options).prev_sample
    except Exception as error:  # a stranger's configuration may raise anything
        return one_line(error)
    return None if bool(sample.isfinite().all()) else "its numbers are not finite"


def _culprit(scheduler: Any, steps: int) -> tuple[str, str]:
    """Find the option without which it works, and what to do about it."""
    work = [n for n in _USUAL if _problem(scheduler, n) is None]
    if work:
        return f"steps: {steps}", f"give another number of steps, such as {work[0]}"
    file = "scheduler/scheduler_config.json"
    usual = inspect.signature(type(scheduler).__init__).parameters
    for name, value in scheduler.config.items():
        if name in usual and value != usual[name].default:
            other = copy.deepcopy(scheduler.config) | {name: usual[name].default}
            if _works_with(scheduler, other, steps):
                works = usual[name].default
                return f"{name}: {value}", f"set it in its {file} as its authors do ({works} works)"
    return f"the options of its {file}", "give those of the model's authors"


def _works_with(scheduler: Any, config: dict[str, Any], steps: int) -> bool:
    try:
        made = type(scheduler).from_config(config)
    except Exception:  # as above
        return False
    return _problem(made, steps) is None
