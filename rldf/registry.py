"""The one list of everything that a YAML file or an option may name.

A name stands for a lazy "module:Class", so that listing names imports nothing heavy. Files name
entries of this list, never code; outsiders add entries by an installed entry point in the group
`rldf.<kind>`, which takes installing a package, not writing a YAML.
"""

from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from rldf.errors import ConfigError

CATALOG: dict[str, dict[str, str]] = {
    "agents": {
        "q": "rldf.agents.q_learning:QLearning",
        "sarsa": "rldf.agents.sarsa:Sarsa",
        "expected-sarsa": "rldf.agents.expected_sarsa:ExpectedSarsa",
        "dyna-q": "rldf.agents.dyna_q:DynaQ",
        "random": "rldf.agents.random:RandomAgent",
        "gradient": "rldf.agents.gradient:NoisyGradient",
        "planner": "rldf.agents.planner:Planner",
    },
    "rewards": {
        "multi-semantic": "rldf.rewards.semantic:MultiSemantic",
        "partial-semantic": "rldf.rewards.semantic:PartialSemantic",
        "agreement": "rldf.rewards.semantic:Agreement",
        "clip": "rldf.rewards.clip:ClipSimilarity",
        "combined": "rldf.rewards.combined:Combined",
    },
    "generators": {
        "diffusion": "rldf.generators.diffusion:DiffusionGenerator",
        "drawn": "rldf.generators.drawn:DrawnGenerator",
        "images-api": "rldf.generators.images_api:ImagesApiGenerator",
    },
    "detectors": {
        "yolo": "rldf.perception.detector:YoloDetector",
        "object-detection": "rldf.perception.object_detection:ObjectDetector",
        "zero-shot-object-detection": "rldf.perception.object_detection:ZeroShotDetector",
    },
    "scenes": {
        "image-classification": "rldf.perception.scene:TransformersScene",
        "clip-zero-shot": "rldf.perception.clip_scene:ClipScene",
    },
    "clips": {"open-clip": "rldf.perception.clip:OpenClip"},
    "photographs": {"efficientnet-lite0": "rldf.perception.lite0:EfficientNetLite0"},
}
"""Lazy class path by name, by kind."""


def names(kind: str) -> list[str]:
    """List what may be named."""
    return [*CATALOG[kind], *sorted(point.name for point in entry_points(group=f"rldf.{kind}"))]


def find(kind: str, name: str) -> Any:
    """Import the class that a name stands for."""
    if name in CATALOG[kind]:
        module, _, attribute = CATALOG[kind][name].partition(":")
        return getattr(import_module(module), attribute)
    for point in entry_points(group=f"rldf.{kind}", name=name):
        return point.load()
    raise ConfigError(f"'{name}' is no entry of {kind}: name one of {', '.join(names(kind))}")
