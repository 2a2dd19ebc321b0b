"""What a model set file may say.

A part lies at a `path` relative to the file, or is a model of the Hugging Face hub: its `id`, and
where it is known the commit as `revision`. What a revision leaves open is settled by the first
`rldf models pull`, which writes a lock file. Nothing in a model set file is code.
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
"""The kind of the catalogue by the name of a part."""

OPTIONAL = ("photographs",)
"""Parts that a set may do without, and that decide only what they are asked for."""


_PASSING = frozenset({"attention_slicing", "compile", "parallel", "timeout", "tries"})


class _Renamed(Strict):
    """A record some of whose keys had other names before; those are refused with the new one."""

    renamed: ClassVar[dict[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def _refuse_old_names(cls, data: Any) -> Any:
        old = [key for key in cls.renamed if isinstance(data, dict) and key in data]
        if old:
            raise ValueError(
                "; ".join(f"`{key}` is called `{cls.renamed[key]}` now" for key in old)
            )
        return data


class Source(_Renamed):
    """Where a model comes from.

    Attributes:
        path: a file or folder, relative to the model set file.
        package: an installed Python package that the path is relative to instead.
        id: in place of a path, a model of the hub.
        revision: its commit; None leaves that to the first pull.
        file: the only file of it that is wanted, for models of one file.
        license: what its authors allow, as they name it.
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
            raise ValueError("package: give the path of the file in it")
        if self.id is None and (self.revision or self.file):
            raise ValueError("revision and file belong to an id")
        return self


class PartFile(Source):
    """One model of a set.

    Attributes:
        kind: an entry of the catalogue; `class` in the file.
        options: what its constructor is given, whatever else is asked for.
        defaults: likewise, unless the preset of a clone asks for something else.
        components: further models that the constructor takes by these names.
    """

    kind: str = Field(alias="class")
    options: Options = Field(default_factory=dict)
    defaults: Options = Field(default_factory=dict)
    components: dict[str, Source] = Field(default_factory=dict)

    renamed: ClassVar[dict[str, str]] = {"usual": "defaults", "with": "components"}

    @property
    def settings(self) -> Options:
        """What the constructor is given."""
        return {**self.defaults, **self.options}

    @property
    def deciding(self) -> Options:
        """Those that decide what the part gives: not how fast, and not how patient it is."""
        return {name: value for name, value in self.settings.items() if name not in _PASSING}

    def sources(self, role: str) -> dict[str, Source]:
        """List the places that the part is made of."""
        return {role: self} | {f"{role}.{name}": part for name, part in self.components.items()}


class ModelSetFile(_Renamed):
    """A model set file.

    Attributes:
        name: what people type.
        description: one line for lists.
        domain: what its models were trained on.
        vocabulary_grammar: the grammar that has every sentence which the generator understands, for
            models of a small world of their own.
        grammar: the grammar that suits it best.
        license: of all parts that state none.
        gigabytes: about how much a pull of it fetches, GB; None where nobody said.
        min_clip_similarity: cosine that an image of its domain and its sentence have at least;
            photographs stay below that of drawings.
        generator: what draws.
        detector: what finds things.
        scene: what tells places.
        clip: what compares images and texts.
        photographs: what tells photographs from drawings and reads them, for a set whose other
            models know drawings.
        photograph_grammar: the grammar of photographs where nobody names one; None for `grammar`.
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
        """List the parts."""
        found = {role: getattr(self, role) for role in ROLES}
        return {role: part for role, part in found.items() if part is not None}

    def sources(self) -> dict[str, Source]:
        """List the places that the set is made of."""
        return {
            key: source
            for role, part in self.parts().items()
            for key, source in part.sources(role).items()
        }

    def hub_sources(self) -> dict[str, Source]:
        """List the models of the hub that the set is made of."""
        return {key: source for key, source in self.sources().items() if source.id is not None}
