"""Writes the model card of the pocket models from what their trainings and checks left."""

import json
import platform
from pathlib import Path
from typing import Any

from rldf.io.files import write_json, write_text
from rldf.io.provenance import versions
from rldf.models.model_sets import load_model_set
from rldf.pocket.fidelity import check, measured

_PARTS = {
    "sd/vae": "Autoencoder (diffusers AutoencoderKL)",
    "sd": "Text encoder and UNet (transformers CLIPTextModel, diffusers UNet2DConditionModel)",
    "detector": "Detector (ultralytics YOLOv8, narrow)",
    "scene": "Scene classifier (transformers ResNet)",
    "clip": "CLIP (open_clip, ResNet and transformer)",
}

_HEAD = """# The pocket models

Small models of a drawn world, trained from scratch by `python -m rldf.pocket.training` on drawings
of `rldf.pocket.world`. They know drawings, not photographs. The glyphs in the drawings are of the
Noto Color Emoji font (SIL OFL 1.1). Licence: AGPL-3.0-or-later.

The readers (detector, scene classifier, CLIP) were trained on drawings only, two in five of them
blurred, coarsened, noisy or JPEG-coded, and never on what the pipeline generates. Training used
seeds below 1,000,000,000; the scores below use seeds from there on.
"""


def main(weights: Path) -> None:
    """Measure both grammars and write check.json and README.md.

    Args:
        weights: folder of the trained models.
    """
    models = load_model_set("pocket")
    scores = {name: check(models, name) for name in ("base", "pocket")}
    write_json(weights / "check.json", scores)
    write_text(weights / "README.md", card(weights, scores))


def card(weights: Path, scores: dict[str, dict[str, Any]]) -> str:
    """Compose the card.

    Args:
        weights: folder of the trained models, each with its training.json.
        scores: what `check` found, by grammar.

    Returns:
        Markdown.
    """
    lines = [_HEAD, "## Scores (`rldf pocket check --grammar base|pocket`)\n"]
    lines += ["| measure | base | pocket |", "|---|---|---|"]
    base, pocket = (dict(measured(scores[name])) for name in ("base", "pocket"))
    lines += [f"| {name} | {base[name]} | {pocket[name]} |" for name in base if name != "grammar"]
    lines += ["", "## Training\n"]
    for folder, title in _PARTS.items():
        facts = json.loads((weights / folder / "training.json").read_text(encoding="utf-8"))
        lines += [f"### {title}\n", "```json", json.dumps(facts, indent=1), "```", ""]
    named = ", ".join(f"{name} {version}" for name, version in versions().items())
    lines.append(f"Checked on {platform.machine()} with {named}.")
    return "\n".join(lines) + "\n"
