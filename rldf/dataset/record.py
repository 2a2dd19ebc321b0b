"""The content of `clone.json`: the configuration of a clone and the versions that made it."""

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
    """How the images of a plan are generated, checked and written.

    Attributes:
        format: name of the export format.
        shard_size: number of images per work shard.
        attempts: how many times an image may be generated.
        verify_labels: the model that must see the class in each image; None for no check.
        safety_checker: "on", "off" (switched off by the user) or "none" (the models have none).
        source_type: IPTC digital source type of the images.
        license: license of the images, which is the model set's; "" if that names none.
        numbering: numbering of archives; see `Archives`. A `clone.json` of an earlier version
            lacks this value and means "clone".
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
    """A search for a sentence (a run) whose result is a class of the clone.

    Attributes:
        noun: noun of the class.
        sentence: the sentence with the highest reward in the run.
        models: identity of the run's model set, which need not be the clone's.
        warnings: warnings about the recognition of the run's input image.
    """

    noun: str
    sentence: str
    models: dict[str, JsonValue]
    warnings: tuple[str, ...] = ()


class CloneRecord(Strict):
    """The content of `clone.json`.

    Attributes:
        plan: the configuration of the plan, with the identity of the generator.
        write: how images are checked and written.
        searches: runs that found classes; no image depends on them.
        warnings: warnings about classes that models recognized in input images; no image depends
            on them.
        versions: version by package, None for a package that is not installed.
        git: the commit of rldf's checkout, None if rldf runs from an installed package.
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
        """The number of planned images."""
        return sum(self.splits.values())

    @property
    def splits(self) -> dict[str, int]:
        """The number of planned images by split."""
        return make_plan(self.plan).counts

    @property
    def doubts(self) -> tuple[str, ...]:
        """All warnings about runs and input images from which the classes come."""
        told = (f"{one.noun}: {warning}" for one in self.searches for warning in one.warnings)
        return (*told, *self.warnings)

    def summary(self) -> dict[str, Any]:
        """Return a short form of plan and write configuration, to compare two clones."""
        # without the numbering: a folder keeps the one that it was begun with
        write = self.write.model_dump(mode="json", exclude={"numbering"})
        return {**self.plan.summary(), **write}


def new_record(
    plan: PlanConfig,
    write: WriteConfig,
    searches: tuple[Searched, ...] = (),
    warnings: tuple[str, ...] = (),
) -> CloneRecord:
    """Return the record of a new clone, with the versions of this installation."""
    return CloneRecord(
        plan=plan,
        write=write,
        searches=searches,
        warnings=warnings,
        versions=versions(),
        git=git_commit(),
    )
