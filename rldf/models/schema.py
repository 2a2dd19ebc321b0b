"""What a model set file may say.

A part lies at a `path` relative to the file, or is a model of the Hugging Face hub: its `id`, and
where it is known the commit as `revision`. What a revision leaves open is settled by the first
`rldf models pull`, which writes a lock file. Nothing in a model set file is code.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from rldf.io.yaml import Strict

HubId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$")]
Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
FileName = Annotated[
    str, StringConstraints(pattern=r"^[\w][\w.+-]*(/[\w][\w.+-]*)*$", max_length=200)
]
Options = dict[str, bool | int | float | str]

ROLES = {"generator": "generators", "detector": "detectors", "scene": "scenes", "clip": "clips"}
"""The kind of the catalogue by the name of a part."""


_PASSING = frozenset({"attention_slicing", "compile", "parallel", "timeout", "tries"})


class Source(Strict):
    """Where a model comes from.

    Attributes:
        path: a file or folder, relative to the model set file.
        id: in place of a path, a model of the hub.
        revision: its commit; None leaves that to the first pull.
        file: the only file of it that is wanted, for models of one file.
        license: what its authors allow, as they name it.
    """

    path: str | None = None
    id: HubId | None = None
    revision: Commit | None = None
    file: FileName | None = None
    license: str = ""

    @model_validator(mode="after")
    def _is_one_place(self) -> Self:
        if self.path is not None and self.id is not None:
            raise ValueError("give a path or an id, not both")
        if self.id is None and (self.revision or self.file):
            raise ValueError("revision and file belong to an id")
        return self


class PartFile(Source):
    """One model of a set.

    Attributes:
        kind: an entry of the catalogue; `class` in the file.
        options: what its constructor is given, whatever else is asked for.
        usual: likewise, but for what the preset of a clone asks for.
        extras: further models that the constructor takes by these names; `with` in the file.
    """

    kind: str = Field(alias="class")
    options: Options = Field(default_factory=dict)
    usual: Options = Field(default_factory=dict)
    extras: dict[str, Source] = Field(default_factory=dict, alias="with")

    @property
    def settings(self) -> Options:
        """What the constructor is given."""
        return {**self.usual, **self.options}

    @property
    def deciding(self) -> Options:
        """Those that decide what the part gives: not how fast, and not how patient it is."""
        return {name: value for name, value in self.settings.items() if name not in _PASSING}

    def sources(self, role: str) -> dict[str, Source]:
        """List the places that the part is made of."""
        return {role: self} | {f"{role}.{name}": extra for name, extra in self.extras.items()}


class ModelSetFile(Strict):
    """A model set file.

    Attributes:
        name: what people type.
        description: one line for lists.
        knows: what its models were trained on.
        draws: the grammar that has every sentence which the generator understands, for models of
            a small world of their own.
        grammar: the grammar that suits it best.
        license: of all parts that state none.
        familiar: cosine of an image of its world and its sentence; photographs stay below.
        generator: what draws.
        detector: what finds things.
        scene: what tells places.
        clip: what compares images and texts.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    description: str = ""
    knows: Literal["drawings", "photographs"] = "photographs"
    draws: str | None = None
    grammar: str = "base"
    license: str = ""
    familiar: float = 0.0
    generator: PartFile
    detector: PartFile
    scene: PartFile
    clip: PartFile

    def parts(self) -> dict[str, PartFile]:
        """List the parts."""
        return {role: getattr(self, role) for role in ROLES}

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
