"""Model sets: which generator, detector, scene classifier and CLIP a run uses.

A model set is a YAML file that names catalogue entries and local paths, relative to the file. The
parts are loaded when first asked for, so a command pays only for what it uses. What options a part
takes, of which types and within which bounds, is what its class's constructor says.
"""

import hashlib
import inspect
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, cast

from PIL.Image import Image
from pydantic import Field, TypeAdapter, ValidationError

from rldf import catalog
from rldf.errors import ConfigError, ModelMissingError
from rldf.files import sha256_file
from rldf.ports import Detector, ImageGenerator, ImageTextModel, Json, SceneClassifier
from rldf.yaml_files import Strict, load_yaml

_SETS = Path(__file__).resolve().parent / "sets"
_KINDS = {"generator": "generators", "detector": "detectors", "scene": "scenes", "clip": "clips"}
_LOADED = {".safetensors", ".pt", ".onnx", ".json", ".txt", ".model"}  # weights, configuration
_NOT_LOADED = ("training.json", "README", "LICENSE", "NOTICE", ".")  # beginnings of file names


class PartFile(Strict):
    """One model of a set."""

    kind: str = Field(alias="class")
    path: str | None = None
    options: dict[str, bool | int | float | str] = Field(default_factory=dict)


class ModelSetFile(Strict):
    """A model set file.

    `draws` names the grammar that has every sentence which the generator understands, for models of
    a small world of their own. Every part has a `class`, a `path` relative to the file, and
    `options`. A diffusion generator may have the options `id` and `revision`, a model of the
    Hugging Face hub and its commit, in place of a path.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    description: str = ""
    knows: Literal["drawings", "photographs"] = "photographs"
    draws: str | None = None
    license: str = ""
    familiar: float = 0.0
    generator: PartFile
    detector: PartFile
    scene: PartFile
    clip: PartFile


class WeighedGenerator:
    """A generator whose identity holds the checksum of its weights too."""

    def __init__(self, generator: ImageGenerator, weights: str | None) -> None:
        """Wrap a generator.

        Args:
            generator: what draws.
            weights: checksum of its files, None where it has none.
        """
        self._generator = generator
        self.identity: Mapping[str, Json] = {**generator.identity, "weights": weights}

    def generate(self, sentences: Sequence[str], seeds: Sequence[int]) -> list[Image]:
        """Draw sentences.

        Args:
            sentences: prompts.
            seeds: one for each.

        Returns:
            RGB images.
        """
        return self._generator.generate(sentences, seeds)

    def cut(self, sentence: str) -> str:
        """Cut a sentence to what the generator reads of it.

        Args:
            sentence: a prompt.

        Returns:
            Its beginning, or all of it where the generator knows no limit.
        """
        cut = getattr(self._generator, "cut", None)
        return sentence if cut is None else str(cut(sentence))


class ModelSet:
    """The four models of a run; implements `rldf.ports.Readers`."""

    def __init__(self, file: ModelSetFile, folder: Path, device: str = "auto") -> None:
        """Describe a model set; nothing is loaded yet.

        Args:
            file: what the set's file says.
            folder: what its paths are relative to.
            device: where the models run; "auto" is a GPU if there is one.
        """
        self.file = file
        self._folder = folder
        self._device = device
        self._checksums: dict[str, str | None] = {}

    @cached_property
    def generator(self) -> WeighedGenerator:
        """What draws."""
        generator = cast(ImageGenerator, self._load("generator"))
        return WeighedGenerator(generator, self.checksum("generator"))

    @cached_property
    def detector(self) -> Detector:
        """What finds things."""
        return cast(Detector, self._load("detector"))

    @cached_property
    def scene(self) -> SceneClassifier:
        """What tells the place."""
        return cast(SceneClassifier, self._load("scene"))

    @cached_property
    def clip(self) -> ImageTextModel:
        """What compares images with images and texts."""
        return cast(ImageTextModel, self._load("clip"))

    def path(self, role: str) -> Path | None:
        """Find a model's files.

        Args:
            role: "generator", "detector", "scene" or "clip".

        Returns:
            The file or folder, None for a model that has none.
        """
        part = self._part(role)
        return None if part.path is None else (self._folder / part.path).resolve()

    def missing(self) -> list[Path]:
        """List the files and folders that are not there.

        Returns:
            Their paths.
        """
        paths = [self.path(role) for role in _KINDS]
        return [path for path in paths if path is not None and not path.exists()]

    def checksum(self, role: str) -> str | None:
        """Hash a model's files, once.

        Args:
            role: "generator", "detector", "scene" or "clip".

        Returns:
            A SHA-256 over names and contents of its weights and configuration, None without files.
        """
        if role not in self._checksums:
            path = self.path(role)
            self._checksums[role] = None if path is None else checksum_of(path)
        return self._checksums[role]

    def filled(self, role: str, options: Mapping[str, bool | int | float | str]) -> "ModelSet":
        """Fill in options that the set's file leaves open.

        Args:
            role: "generator", "detector", "scene" or "clip".
            options: by name; those that the file states, or the part does not take, are left out.

        Returns:
            The set with them.
        """
        part = self._part(role)
        unstated = options.keys() - part.options.keys()
        if not unstated:
            return self  # without importing what the part needs
        takes = unstated & set(inspect.signature(catalog.find(_KINDS[role], part.kind)).parameters)
        taken = {name: value for name, value in options.items() if name in takes}
        full = part.model_copy(update={"options": {**taken, **part.options}})
        return ModelSet(self.file.model_copy(update={role: full}), self._folder, self._device)

    def identity(self) -> dict[str, Json]:
        """Describe the set for a run's folder.

        Returns:
            Name, and class, options and checksum of every model.
        """
        parts: dict[str, Json] = {
            role: {
                "class": self._part(role).kind,
                "options": dict(self._part(role).options),
                "weights": self.checksum(role),
            }
            for role in _KINDS
        }
        return {"name": self.file.name, **parts}

    def _part(self, role: str) -> PartFile:
        return cast(PartFile, getattr(self.file, role))

    def _load(self, role: str) -> Any:
        part, path = self._part(role), self.path(role)
        if path is not None and not path.exists():
            raise ModelMissingError(
                f"model set {self.file.name}: no {role} at {path}; type 'rldf doctor' to see "
                "which model sets are complete"
            )
        maker = catalog.find(_KINDS[role], part.kind)
        known = dict(inspect.signature(maker, eval_str=True).parameters)
        known.pop("device")
        if known.pop("path").default is inspect.Parameter.empty and path is None:
            raise ConfigError(f"model set {self.file.name}: {role} needs a path")
        problems = [
            problem
            for option, value in part.options.items()
            if (problem := _problem(option, value, known, part.kind))
        ]
        if problems:
            raise ConfigError(f"model set {self.file.name}: {role}.options: {'; '.join(problems)}")
        return maker(path=path, device=_resolve(self._device), **part.options)


def model_set_names() -> list[str]:
    """List the shipped model sets.

    Returns:
        Their names, sorted.
    """
    return sorted(path.stem for path in _SETS.glob("*.yaml"))


def load_model_set(name_or_path: str, device: str = "auto") -> ModelSet:
    """Load a model set's description.

    Args:
        name_or_path: a shipped name, or a path that ends in .yaml.
        device: where the models run; "auto" is a GPU if there is one.

    Returns:
        The model set; its models are loaded when first used.

    Raises:
        ConfigError: if there is no such set or its file is wrong.
    """
    if name_or_path.endswith((".yaml", ".yml")):
        path = Path(name_or_path)
    elif name_or_path in model_set_names():
        path = _SETS / f"{name_or_path}.yaml"
    else:
        raise ConfigError(
            f"no model set '{name_or_path}': name one of {', '.join(model_set_names())}, "
            "or give a path that ends in .yaml"
        )
    return ModelSet(load_yaml(ModelSetFile, path, "model set"), path.parent, device)


def checksum_of(path: Path) -> str:
    """Hash a model's files: weights and configuration.

    Args:
        path: a file or folder.

    Returns:
        A SHA-256 over their names and contents.
    """
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if _is_loaded(p))
    total = hashlib.sha256()
    for file in files:
        total.update(f"{file.relative_to(path.parent)} {sha256_file(file)}\n".encode())
    return total.hexdigest()


def _is_loaded(file: Path) -> bool:
    named = file.suffix in _LOADED and not file.name.startswith(_NOT_LOADED)
    return named and file.is_file()


def _problem(
    option: str, value: object, known: Mapping[str, inspect.Parameter], kind: str
) -> str | None:
    """Tell what is wrong with an option by the annotation of its parameter."""
    if option not in known:
        return f"no {option}; {kind} takes {', '.join(sorted(known)) or 'none'}"
    annotation = known[option].annotation
    if annotation is inspect.Parameter.empty:  # of an outsider's class
        return None
    try:
        TypeAdapter(annotation).validate_python(value, strict=True)
    except ValidationError as error:
        said = error.errors(include_url=False, include_input=False)[0]["msg"]
        return f"{option}: {value}: {said}"
    return None


def _resolve(device: str) -> str:
    if device != "auto":
        return device
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
