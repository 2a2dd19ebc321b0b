"""The keys of a model set file.

A part's model is at a `path` relative to the file, or on the Hugging Face hub under an `id`, with
an optional commit as `revision`. Without a revision, the first `rldf models pull` takes the newest
commit and writes it into a lock file. A model set file holds no code.
"""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from rldf.io.yaml import Strict

HubId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$")]
Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
PackageName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*$")]
FileName = Annotated[
    str, StringConstraints(pattern=r"^[\w][\w.+-]*(/[\w][\w.+-]*)*$", max_length=200)
]
Options = dict[str, bool | int | float | str]

ROLES = {
    "generator": "generators",
    "detector": "detectors",
    "scene": "scenes",
    "clip": "clips",
    "photographs": "photographs",
}
"""The catalogue's kind of classes for each part of a model set."""

OPTIONAL = ("photographs",)
"""Parts that a model set may lack; they are no part of a run's identity."""


_PASSING = frozenset({"attention_slicing", "compile", "parallel", "timeout", "tries"})


class _Renamed(Strict):
    """A record with renamed keys: an old name is refused with a message that gives the new one."""

    renamed: ClassVar[dict[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def _refuse_old_names(cls, data: Any) -> Any:
        old = [key for key in cls.renamed if isinstance(data, dict) and key in data]
        if old:
            raise ValueError(
                "; ".join(f"`{key}` is now called `{cls.renamed[key]}`" for key in old)
            )
        return data


class Source(_Renamed):
    """Where a model comes from.

    Attributes:
        path: a file or folder, relative to the model set file.
        package: an installed Python package; the path is then relative to the package's folder.
        id: OWNER/NAME of a model of the hub, in place of a path.
        revision: the commit of the hub's model; None for the newest one at the first pull.
        file: the only file to take from the hub's model, for models of one file.
        license: the name of the model's licence.
    """

    path: str | None = None
    package: PackageName | None = None
    id: HubId | None = None
    revision: Commit | None = None
    file: FileName | None = None
    license: str = ""

    @model_validator(mode="after")
    def _is_one_place(self) -> Self:
        if self.path is not None and self.id is not None:
            raise ValueError("give a path or an id, not both")
        if self.package is not None and self.path is None:
            raise ValueError("a package needs a path: give the path of the file in the package")
        if self.id is None and (self.revision or self.file):
            raise ValueError("revision and file need an id: give the id of a model of the hub")
        return self


class PartFile(Source):
    """One part of a model set.

    Attributes:
        kind: name of a class in the catalogue; the file's key is `class`.
        options: arguments of the class's constructor, which nothing else overrides.
        defaults: arguments of the class's constructor, which the preset of a clone may override.
        components: further models for the constructor, by the name of its parameter.
    """

    kind: str = Field(alias="class")
    options: Options = Field(default_factory=dict)
    defaults: Options = Field(default_factory=dict)
    components: dict[str, Source] = Field(default_factory=dict)

    renamed: ClassVar[dict[str, str]] = {"usual": "defaults", "with": "components"}

    @property
    def settings(self) -> Options:
        """Arguments of the class's constructor: `options` override `defaults`."""
        return {**self.defaults, **self.options}

    @property
    def deciding(self) -> Options:
        """The settings that decide the part's output, without those of speed and retries."""
        return {name: value for name, value in self.settings.items() if name not in _PASSING}

    def sources(self, role: str) -> dict[str, Source]:
        """Return the sources of the part and its components, by key such as "generator.vae"."""
        return {role: self} | {f"{role}.{name}": part for name, part in self.components.items()}


class ModelSetFile(_Renamed):
    """A model set file.

    Attributes:
        name: the value of `--models` for it.
        description: one line for lists of model sets.
        domain: the kind of images that its models were trained on.
        vocabulary_grammar: the grammar of all sentences that the generator was trained on; None for
            a generator that takes any sentence.
        grammar: the default grammar for this model set.
        license: the licence of all parts that state none.
        gigabytes: approximate size of a pull, GB; None if it is not stated.
        min_clip_similarity: the least cosine of CLIP between an image of the model set's domain
            and its sentence; an image below it is taken for one of another domain.
        generator: the image generator.
        detector: the object detector.
        scene: the scene classifier.
        clip: the model that compares images with texts.
        photographs: the reader that tells photographs from drawings and classifies photographs,
            for a model set whose other models were trained on drawings.
        photograph_grammar: the default grammar for photographs; None for `grammar`.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    description: str = ""
    domain: Literal["drawings", "photographs"] = "photographs"
    vocabulary_grammar: str | None = None
    grammar: str = "base"
    license: str = ""
    gigabytes: float | None = None
    min_clip_similarity: float = 0.0
    generator: PartFile
    detector: PartFile
    scene: PartFile
    clip: PartFile
    photographs: PartFile | None = None
    photograph_grammar: str | None = None

    renamed: ClassVar[dict[str, str]] = {
        "knows": "domain",
        "draws": "vocabulary_grammar",
        "familiar": "min_clip_similarity",
    }

    def parts(self) -> dict[str, PartFile]:
        """Return the parts that the file has, by name such as "generator"."""
        found = {role: getattr(self, role) for role in ROLES}
        return {role: part for role, part in found.items() if part is not None}

    def sources(self) -> dict[str, Source]:
        """Return the sources of all parts and components, by key such as "generator.vae"."""
        return {
            key: source
            for role, part in self.parts().items()
            for key, source in part.sources(role).items()
        }

    def hub_sources(self) -> dict[str, Source]:
        """Return those of `sources()` that are models of the hub."""
        return {key: source for key, source in self.sources().items() if source.id is not None}
