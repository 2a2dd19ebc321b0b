"""The content of `clone.json`: everything that a clone depends on."""

from typing import Any, Literal

from pydantic import Field, JsonValue

from rldf.dataset.classes import Label
from rldf.dataset.config import PlanConfig
from rldf.dataset.formats import Format
from rldf.dataset.image_file import SourceType
from rldf.dataset.plan import make_plan
from rldf.dataset.sharding import Numbering
from rldf.io.provenance import git_commit, versions
from rldf.io.yaml import Strict

VerifyBy = Literal["detector", "clip"]
SafetyChecker = Literal["on", "off", "none"]


class WriteConfig(Strict):
    """How a plan is written.

    Attributes:
        format: export format.
        shard_size: images per work shard.
        attempts: how often an image may be drawn.
        verify_labels: the model that must see the class in an image.
        safety_checker: "on", "off" (switched off by the user) or "none" (the models ship none).
        source_type: IPTC digital source type.
        license: of the images: the model set's.
        numbering: of archives; "clone" in files of earlier versions, which do not contain it.
    """

    format: Format
    shard_size: int = Field(ge=1)
    attempts: int = Field(ge=1, le=1000)
    verify_labels: VerifyBy | None
    safety_checker: SafetyChecker
    source_type: SourceType
    license: str
    numbering: Numbering = "clone"


class Searched(Strict):
    """A search that found a class; the models that draw the clone may be others.

    Attributes:
        noun: its noun.
        sentence: the sentence with the highest reward.
        models: identity of the model set whose feedback found it.
        warnings: warnings about the reading of its input.
    """

    noun: str
    sentence: str
    models: dict[str, JsonValue]
    warnings: tuple[str, ...] = ()


class CloneRecord(Strict):
    """The content of `clone.json`.

    Attributes:
        plan: what decides the images; it names the models that draw them.
        write: what decides the files.
        searches: searches that found classes; no image depends on them.
        warnings: warnings about classes read in images; no image depends on them.
        versions: version by package, None where one is not installed.
        git: the commit of rldf's checkout, None where it is installed without one.
    """

    plan: PlanConfig
    write: WriteConfig
    searches: tuple[Searched, ...] = ()
    warnings: tuple[str, ...] = ()
    versions: dict[str, str | None]
    git: str | None

    @property
    def classes(self) -> tuple[Label, ...]:
        """The classes, in the order of their labels."""
        return self.plan.classes

    @property
    def images(self) -> int:
        """How many images are planned."""
        return sum(self.splits.values())

    @property
    def splits(self) -> dict[str, int]:
        """How many images of each split are planned."""
        return make_plan(self.plan).counts

    @property
    def doubts(self) -> tuple[str, ...]:
        """All warnings about where its classes came from."""
        told = (f"{one.noun}: {warning}" for one in self.searches for warning in one.warnings)
        return (*told, *self.warnings)

    def summary(self) -> dict[str, Any]:
        """Return everything that decides the clone in short, to compare two of them."""
        write = self.write.model_dump(mode="json", exclude={"numbering"})  # the folder's own stays
        return {**self.plan.summary(), **write}


def new_record(
    plan: PlanConfig,
    write: WriteConfig,
    searches: tuple[Searched, ...] = (),
    warnings: tuple[str, ...] = (),
) -> CloneRecord:
    """Describe a clone that is to be made."""
    return CloneRecord(
        plan=plan,
        write=write,
        searches=searches,
        warnings=warnings,
        versions=versions(),
        git=git_commit(),
    )
