"""The official Places365 checkpoints as a folder that `image-classification` loads.

The authors published torchvision networks trained on Places365 (Zhou et al., "Places: A 10 Million
Image Database for Scene Recognition", TPAMI 2018, doi:10.1109/TPAMI.2017.2723009) as files
`<network>_places365.pth.tar`: pickles, in spite of their name, of a dict with a `state_dict` whose
keys begin with `module.`. They are read without running code and written again as safetensors. The
authors' README puts the weights under CC BY.
"""

import re
import shutil
import uuid
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from rldf.errors import ConfigError, UsageError
from rldf.grammar.axis_kinds import SCENES
from rldf.grammar.grammar import load_grammar
from rldf.io.files import TEMPORARY, parse_json, read_file, sha256_file, write_json
from rldf.models.safety import check_model

_SOURCE = "places365.json"  # in the folder: what it was made of
_MAX_BYTES = 1_000_000_000
_PARTS = {"weight", "bias", "running_mean", "running_var"}


@dataclass(frozen=True, slots=True)
class Network:
    """A residual network that torchvision and transformers both have.

    Attributes:
        layer: the kind of its blocks.
        widths: channels that each of the four stages puts out.
        depths: blocks of each stage.
    """

    layer: Literal["basic", "bottleneck"]
    widths: tuple[int, int, int, int]
    depths: tuple[int, int, int, int]


NETWORKS = {
    "resnet18": Network("basic", (64, 128, 256, 512), (2, 2, 2, 2)),
    "resnet50": Network("bottleneck", (256, 512, 1024, 2048), (3, 4, 6, 3)),
}
"""The published networks that can be imported, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedNetwork:
    """A checkpoint that was converted.

    Attributes:
        out: the folder.
        sha256: of the checkpoint's file.
        network: its name in `NETWORKS`.
        scenes: how many it tells apart.
    """

    out: str
    sha256: str
    network: str
    scenes: int


def import_places365(file: Path, out: Path) -> ImportedNetwork:
    """Convert a checkpoint; a folder that was made of the same file is left as it is."""
    if not file.is_file():
        raise UsageError(f"no checkpoint at {file}: give a file such as resnet18_places365.pth.tar")
    if file.stat().st_size > _MAX_BYTES:
        raise ConfigError(f"{file} is larger than {_MAX_BYTES // 10**6} MB: no such network has it")
    sha256 = sha256_file(file)
    if (known := _done(out, sha256)) is not None:
        return known
    check_model(file)
    model, network = _convert(_read_weights(file), file)
    _write(model, {"sha256": sha256, "network": network, "scenes": len(places365())}, out)
    return _read(out)


def _done(out: Path, sha256: str) -> ImportedNetwork | None:
    """Read what a folder was made of; None for a new one, refused if it holds something else."""
    try:
        if not out.exists() or (out.is_dir() and not any(out.iterdir())):
            return None
        known = _read(out)
    except (OSError, ValueError, TypeError):
        raise UsageError(f"{out} is there and not of this command: name another --out") from None
    if known.sha256 != sha256:
        raise UsageError(f"{out} was made of another checkpoint: name another --out")
    return known


def _read(out: Path) -> ImportedNetwork:
    return ImportedNetwork(out=str(out), **parse_json(read_file(out / _SOURCE)))


def _read_weights(file: Path) -> dict[str, Any]:
    """Read a checkpoint's tensors by their torchvision names; nothing in it is run."""
    import torch

    try:
        with warnings.catch_warnings():
            # The published files were written by Python 2: latin1 reads any of its strings. That it
            # does so with weights_only too is contrary to what torch warns of.
            warnings.filterwarnings("ignore", message="pickle_load_args")
            held = torch.load(file, map_location="cpu", weights_only=True, encoding="latin1")
    except Exception as error:  # whatever a broken or hostile file raises, the user needs one line
        raise ConfigError(
            f"{file} is no checkpoint that loads safely: it is of another kind, damaged or carries "
            "code; give an official file such as resnet18_places365.pth.tar"
        ) from error
    state = held.get("state_dict") if isinstance(held, dict) else None
    if not isinstance(state, dict) or not all(
        isinstance(name, str) and _is_plain(value) for name, value in state.items()
    ):
        raise ConfigError(f"{file} has no state_dict of tensors: give an official checkpoint")
    return {name.removeprefix("module."): value for name, value in state.items()}


def _is_plain(value: object) -> bool:
    """Tell whether something is a tensor with numbers in it, neither sparse nor quantised."""
    import torch

    return (
        isinstance(value, torch.Tensor)
        and value.layout is torch.strided
        and value.device.type == "cpu"
        and not value.is_quantized
    )


def _convert(weights: dict[str, Any], file: Path) -> tuple[Any, str]:
    """Make the network of transformers that has these weights, and name it."""
    names = {name for name in weights if name.rpartition(".")[2] in _PARTS}
    state = {transformers_name(name): weights[name] for name in names}
    for network in NETWORKS:
        model = _network(NETWORKS[network])
        wanted = {
            name: value.shape
            for name, value in model.state_dict().items()
            if name.rpartition(".")[2] in _PARTS
        }
        if wanted == {name: value.shape for name, value in state.items()}:
            model.load_state_dict(state, strict=False)  # without the counters of batches
            return model.eval(), network
    raise ConfigError(
        f"{file} does not have the tensors of a {' or '.join(NETWORKS)} with "
        f"{len(places365())} scenes: these two of the official checkpoints can be imported"
    )


def transformers_name(name: str) -> str:
    """Translate the name of a tensor of a residual network."""
    place = re.fullmatch(r"layer(\d)\.(\d+)\.(conv|bn|downsample\.)(\d)\.(\w+)", name)
    if place is None:
        head, _, part = name.rpartition(".")
        known = {
            "conv1": "resnet.embedder.embedder.convolution",
            "bn1": "resnet.embedder.embedder.normalization",
            "fc": "classifier.1",
        }
        return f"{known[head]}.{part}" if head in known else name
    stage, block, kind, k, part = place.groups()
    at = f"resnet.encoder.stages.{int(stage) - 1}.layers.{block}"
    if kind == "downsample.":
        return f"{at}.shortcut.{('convolution', 'normalization')[int(k) > 0]}.{part}"
    return f"{at}.layer.{int(k) - 1}.{'convolution' if kind == 'conv' else 'normalization'}.{part}"


def _network(network: Network) -> Any:
    import torch
    from transformers import ResNetConfig, ResNetForImageClassification

    config = ResNetConfig(
        layer_type=network.layer,
        hidden_sizes=list(network.widths),
        depths=list(network.depths),
        num_labels=len(places365()),
        id2label=dict(enumerate(places365())),
        label2id={name: i for i, name in enumerate(places365())},
    )
    with torch.random.fork_rng(devices=[]):  # its first weights are thrown away
        return ResNetForImageClassification(config)


def _write(model: Any, source: dict[str, Any], out: Path) -> None:
    """Write the folder beside its place, then move it there whole."""
    from transformers import ViTImageProcessor
    from transformers.utils import logging

    logging.disable_progress_bar()
    # As the authors' run_placesCNN_basic.py: 256 x 256, the middle 224 x 224, ImageNet's mean.
    processor = ViTImageProcessor(
        size={"height": 256, "width": 256},
        do_center_crop=True,
        crop_size={"height": 224, "width": 224},
        image_mean=[0.485, 0.456, 0.406],
        image_std=[0.229, 0.224, 0.225],
    )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary = out.with_name(TEMPORARY.replace("*", uuid.uuid4().hex))
        try:
            model.save_pretrained(temporary)
            processor.save_pretrained(temporary)
            write_json(temporary / _SOURCE, source)
            temporary.rename(out)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise UsageError(f"cannot write to {out}: {error.strerror or error}") from None


@cache
def places365() -> tuple[str, ...]:
    """List the scenes of Places365 in the order of their numbers, which is the alphabet's.

    They are in the spelling of `categories_places365.txt`, such as "bow_window/indoor".
    """
    axis = load_grammar(SCENES).reading("scene")
    assert axis is not None, f"{SCENES} has a scene axis"
    return tuple(sorted(label for value in axis.values for label in value.labels))
