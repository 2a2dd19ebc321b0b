"""What decides a clone: the contents of its `clone.json`."""

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
        format: what the images are kept in.
        shard_size: images of a work shard.
        attempts: how often an image is drawn before it is given up.
        verify_labels: who must see an image's class in it.
        safety_checker: "on" if the models' safety checker looks at the images, "off" if it was
            left out on demand, "none" if they ship none.
        source_type: IPTC's word for the images' origin.
        license: of the images: the model set's.
        numbering: of archives; "clone" where an earlier version wrote the file, which says nothing
            of it.
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
        noun: what was found.
        sentence: the sentence that earned most.
        models: identity of the model set whose feedback found it.
        warnings: what was doubtful in the reading of its input.
    """

    noun: str
    sentence: str
    models: dict[str, JsonValue]
    warnings: tuple[str, ...] = ()


class CloneRecord(Strict):
    """What `clone.json` says.

    Attributes:
        plan: what decides the images; it names the models that draw them.
        write: what decides the files.
        searches: where classes came from, as far as searches found them; decides nothing.
        warnings: what was doubtful when classes were read in images; decides nothing.
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
        """All that was doubtful where its classes came from."""
        told = (f"{one.noun}: {warning}" for one in self.searches for warning in one.warnings)
        return (*told, *self.warnings)

    def summary(self) -> dict[str, Any]:
        """Describe all that decides the clone, so that people can compare two of them."""
        write = self.write.model_dump(mode="json", exclude={"numbering"})  # the folder's own stays
        return {**self.plan.summary(), **write}


def new_record(
    plan: PlanConfig,
    write: WriteConfig,
    searches: tuple[Searched, ...] = (),
    warnings: tuple[str, ...] = (),
) -> CloneRecord:
    """Describe a clone that is to be made.

    Args:
        plan: what is to be drawn.
        write: how it is to be written.
        searches: what found its classes, if searches did.
        warnings: what was doubtful when its classes were read in images.

    Returns:
        The record.
    """
    return CloneRecord(
        plan=plan,
        write=write,
        searches=searches,
        warnings=warnings,
        versions=versions(),
        git=git_commit(),
    )
