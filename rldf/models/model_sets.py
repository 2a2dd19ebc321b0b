"""Model sets: which generator, detector, scene classifier and CLIP a run uses.

A model set is a YAML file that names catalogue entries and where their models are: local paths,
relative to the file, or models of the hub, which `rldf models pull` fetches (`rldf.models.pull`).
The parts are loaded when first asked for, so a command pays only for what it uses; nothing is
fetched on the way.
"""

import shutil
from pathlib import Path

from rldf.errors import ConfigError
from rldf.io.distributed import resolve
from rldf.io.paths import data_folder
from rldf.io.yaml import load_yaml
from rldf.models.api_sets import api_file, is_api, without_address
from rldf.models.auto import AUTO, REAL, Choice, choose
from rldf.models.lock import Lock
from rldf.models.model_set import ModelSet
from rldf.models.schema import ModelSetFile, Options

__all__ = ["ModelSet", "auto_choice", "load_model_set", "model_set_names", "real_models"]

_SETS = Path(__file__).resolve().parent / "sets"


def model_set_names() -> list[str]:
    """List the shipped model sets."""
    return sorted(path.stem for path in _SETS.glob("*.yaml"))


def auto_choice() -> Choice:
    """Find out which model set `auto` stands for on this machine."""
    return choose(lambda name: not load_model_set(name).lacks(), lambda: resolve("auto") != "cpu")


def real_models() -> str:
    """Say how to get models that know photographs: what to type, its size and licence."""
    server = "--models openai:MODEL --base-url URL for a server"
    here = next((name for name in REAL if not load_model_set(name).lacks()), None)
    if here is not None:
        return f"--models {here}, or {server}"
    file = load_model_set(REAL[0]).file
    return (
        f"rldf models pull {file.name} (about {file.gigabytes:g} GB, {_free():.0f} GB are free; "
        f"{file.generator.license}), then --models {file.name}; or {server}"
    )


def _free() -> float:
    """Measure what is free on the disk that pulled models go to, GB."""
    from huggingface_hub.constants import HF_HUB_CACHE

    folder = Path(HF_HUB_CACHE)
    there = next(place for place in (folder, *folder.parents) if place.exists())
    return shutil.disk_usage(there).free / 1e9


def load_model_set(name_or_path: str, device: str = "auto", *, send_key: bool = True) -> ModelSet:
    """Load a model set's description.

    Args:
        name_or_path: a shipped name, "auto", a path that ends in .yaml, or openai:MODEL@URL.
        device: where the models run; "auto" is a GPU if there is one.
        send_key: whether the server at URL may be sent OPENAI_API_KEY; False for a name that was
            read from a file, which may be a stranger's, and not typed by a person.

    Returns:
        The model set; its models are loaded when first used.

    Raises:
        ConfigError: if there is no such set or its file is wrong.
    """
    name = auto_choice().name if name_or_path == AUTO else name_or_path
    if is_api(name):
        readers = load_model_set(AUTO, device)
        file = api_file(name, readers.file)
        return ModelSet(
            file, readers.folder, device,
            named=name, lock=readers.lock, send_key=send_key and name != without_address(name),
        )  # fmt: skip
    if name.endswith((".yaml", ".yml")):
        path = Path(name)
        lock = path.with_suffix(".lock.json")
    elif name in model_set_names():
        path = _SETS / f"{name}.yaml"
        lock = data_folder() / "models" / f"{name}.lock.json"
    else:
        raise ConfigError(
            f"no model set '{name}': name one of {', '.join(model_set_names())}, "
            "or give openai:MODEL, or a path that ends in .yaml"
        )
    file = _at_home(load_yaml(ModelSetFile, path, "model set"), path.parent)
    return ModelSet(file, path.parent, device, named=name, lock=Lock(lock.absolute()))


def _at_home(file: ModelSetFile, folder: Path) -> ModelSetFile:
    """Read the grammars that a set names from where the set lies, as everything else."""

    def home(name: object) -> str:
        is_path = str(name).endswith((".yaml", ".yml"))
        return str((folder / str(name)).resolve()) if is_path else str(name)

    def settled(options: Options) -> Options:
        return {k: home(value) if k == "grammar" else value for k, value in options.items()}

    parts = {
        role: part.model_copy(
            update={"options": settled(part.options), "defaults": settled(part.defaults)}
        )
        for role, part in file.parts().items()
    }
    own = {
        "grammar": home(file.grammar),
        "vocabulary_grammar": file.vocabulary_grammar and home(file.vocabulary_grammar),
        "photograph_grammar": file.photograph_grammar and home(file.photograph_grammar),
    }
    return file.model_copy(update={**own, **parts})
