r"""The folder of a clone: what decides it, what is done of it, and where everything lies.

    clones/imagenet-pocket-20x50/
        clone.json            configuration, classes, versions; written first
        plan.parquet          every image's class, sentence, seed and name, before any is drawn
        train/ val/ test/     images, with metadata.parquet beside them   \  one or the other,
        data/                 archives, with the metadata in them         /  by the format
        README.md             the data-set card          \
        croissant.json        the same for machines       | written when all images are there
        sheets/<key>.jpg      a contact sheet per class   /
        .rldf/shards/         the manifest of each work shard that is done
        .rldf/generator.json  what draws, as it says itself once it is loaded
        .rldf/finished.json   counts, and checksums of what was written at the end; written last
        .rldf/journal/, locks/, stage/, log.jsonl    the work in progress, and when it was done

Everything but the versions in `clone.json` and the last line is a function of the configuration.
Every file appears whole or not at all; nothing is removed but stages and leftovers of this clone.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from rldf.dataset.claims import waiting
from rldf.dataset.classes import Label
from rldf.dataset.encode import SourceType
from rldf.dataset.plan import PlanConfig, make_plan
from rldf.dataset.rows import ImageRow, read_rows
from rldf.dataset.shards import Shards
from rldf.dataset.stores import Format, Store, make_store
from rldf.errors import RunError
from rldf.files import TEMPORARY, append_jsonl, write_json
from rldf.ports import Json
from rldf.provenance import git_commit, versions
from rldf.run_records import as_json, config_difference
from rldf.yaml_files import Strict, problems_of

RECORD, PLAN, _WORK = "clone.json", "plan.parquet", ".rldf"
_SHOWN = 160  # characters of each difference between two configurations


VerifyBy = Literal["detector", "clip"]


class WriteConfig(Strict):
    """How a plan is written.

    Attributes:
        format: what the images are kept in.
        shard_size: images of a work shard.
        attempts: how often an image is drawn before it is given up.
        verify_labels: who must see an image's class in it.
        safety_checker: whether the pipeline's safety checker looks at the images.
        source_type: IPTC's word for the images' origin.
        license: of the images: the model set's.
    """

    format: Format
    shard_size: int = Field(ge=1)
    attempts: int = Field(ge=1, le=1000)
    verify_labels: VerifyBy | None
    safety_checker: bool
    source_type: SourceType
    license: str


class CloneRecord(Strict):
    """What `clone.json` says.

    Attributes:
        plan: what decides the images.
        write: what decides the files.
        versions: version by package, None where one is not installed.
        git: the commit of rldf's checkout, None where it is installed without one.
    """

    plan: PlanConfig
    write: WriteConfig
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

    def summary(self) -> dict[str, Any]:
        """Describe all that decides the clone, so that people can compare two of them."""
        return {**self.plan.summary(), **self.write.model_dump(mode="json")}


def new_record(plan: PlanConfig, write: WriteConfig) -> CloneRecord:
    """Describe a clone that is to be made.

    Args:
        plan: what is to be drawn.
        write: how it is to be written.

    Returns:
        The record.
    """
    return CloneRecord(
        plan=plan,
        write=write,
        versions=versions(),
        git=git_commit(),
    )


@dataclass(frozen=True, slots=True)
class CloneFolder:
    """A clone's folder.

    Attributes:
        root: the folder.
        record: what its `clone.json` says.
        shards: how the plan is cut.
    """

    root: Path
    record: CloneRecord
    shards: Shards

    @property
    def keys(self) -> list[str]:
        """The classes' keys, in the order of their labels."""
        return [label.key for label in self.record.classes]

    def store(self) -> Store:
        """Make what holds the images.

        Returns:
            The store of the clone's format.
        """
        kind, stage = self.record.write.format, self.work("stage")
        return make_store(kind, self.root, stage, len(self.shards), self.keys, self.told)

    @property
    def told(self) -> dict[str, str]:
        """What every image's metadata hold besides its row: which models drew it."""
        models = self.record.plan.models
        drew = models.get("generator")
        weights = str(drew.get("weights") or "") if isinstance(drew, Mapping) else ""
        return {
            "models": f"{models.get('name')}@{weights[:12]}" if weights else str(models["name"])
        }

    def work(self, name: str) -> Path:
        """Name a place of the work in progress.

        Args:
            name: of the file or folder.

        Returns:
            Its path.
        """
        return self.root / _WORK / name

    def manifest(self, shard: int) -> Path:
        """Name a shard's manifest, whose presence says that the shard is done."""
        return self.work("shards") / f"{shard:05d}.jsonl"

    def journal(self, shard: int) -> Path:
        """Name a shard's journal."""
        return self.work("journal") / f"{shard:05d}.jsonl"

    def lock(self, shard: int) -> Path:
        """Name a shard's lock."""
        return self.work("locks") / f"{shard:05d}"

    def is_done(self, shard: int) -> bool:
        """Tell whether a shard is done."""
        return self.manifest(shard).exists()

    def undone(self) -> list[int]:
        """List the shards that are not done."""
        there = set(os.listdir(self.work("shards")))
        return [s for s in range(len(self.shards)) if self.manifest(s).name not in there]

    def rows(self, shard: int) -> list[ImageRow]:
        """Read the manifest of a shard that is done.

        Args:
            shard: its number.

        Returns:
            One row for each of its images.

        Raises:
            RunError: it is damaged.
        """
        return read_rows(self.manifest(shard), self.shards.indices(shard))

    def all_rows(self) -> Iterator[tuple[int, list[ImageRow]]]:
        """Read the manifests of all shards that are done.

        Yields:
            A shard's number and rows.

        Raises:
            RunError: one is damaged.
        """
        for shard in range(len(self.shards)):
            if self.is_done(shard):
                yield shard, self.rows(shard)

    def log(self, event: str, **what: object) -> None:
        """Note something that has a time; nothing else in the folder has.

        Args:
            event: what happened.
            what: more about it, as JSON can say it.
        """
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        append_jsonl(self.work("log.jsonl"), {"at": at, "event": event, **what})


def open_folder(root: Path) -> CloneFolder:
    """Open a clone's folder to read it.

    Args:
        root: the folder.

    Returns:
        The clone.

    Raises:
        RunError: there is no clone, or its `clone.json` is damaged.
    """
    path = root / RECORD
    try:
        record = CloneRecord.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise RunError(f"{root} holds no clone: type the folder that rldf clone wrote") from None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        raise RunError(f"{path} is damaged: {problems_of(error)[0]}") from None
    return _folder(root, record)


def _folder(root: Path, record: CloneRecord) -> CloneFolder:
    return CloneFolder(root, record, Shards(record.images, record.write.shard_size))


def enter_folder(root: Path, wanted: CloneRecord) -> CloneFolder:
    """Begin a clone, or go on with one of the same configuration.

    Args:
        root: the folder; it and its parents are made.
        wanted: what the clone is to be.

    Returns:
        The clone, with `clone.json` and the plan on the disk.

    Raises:
        RunError: the folder holds something else, or cannot be written.
    """
    refuse_foreign(root)
    if (root / RECORD).exists():
        _refuse_other(open_folder(root), wanted)
    try:
        for name in ("shards", "journal", "locks"):
            (root / _WORK / name).mkdir(parents=True, exist_ok=True)
        with waiting(root / _WORK / "locks" / "setup"):
            if (root / RECORD).exists():  # of another process that was faster
                folder = open_folder(root)
                _refuse_other(folder, wanted)
            else:
                write_json(root / RECORD, wanted.model_dump(mode="json"))
                folder = _folder(root, wanted)
            if not (root / PLAN).exists():
                make_plan(wanted.plan).write(root / PLAN)
    except OSError as error:
        raise RunError(
            f"cannot write to {root}: {error.strerror}; name another with --out"
        ) from None
    return folder


def agree_on_generator(folder: CloneFolder, identity: Mapping[str, Json]) -> None:
    """Make sure that every process draws with the same generator, loaded in the same way.

    What only shows once it is loaded, such as the number format that a device takes, decides
    pixels too.

    Args:
        folder: the clone.
        identity: of the generator of this process.

    Raises:
        RunError: the clone was begun with another.
    """
    path, here = folder.work("generator.json"), as_json(identity)
    with waiting(folder.work("locks") / "setup"):
        if not path.exists():
            write_json(path, here)
        try:
            there = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(f"{path} cannot be read: {error}") from None
    if difference := config_difference(there, here):
        raise RunError(
            f"{folder.root} was begun with another generator ({'; '.join(difference[:4])}): "
            "go on with that one, or name another --out"
        )


def refuse_foreign(root: Path) -> None:
    """Refuse a place that holds something else; nothing in it is touched.

    Args:
        root: the folder that a clone is to have.

    Raises:
        RunError: it is a file, or a folder that holds something and no clone.
    """
    if root.exists() and not root.is_dir():
        raise RunError(f"{root} is a file: name a folder with --out")
    if not root.exists() or (root / RECORD).exists():
        return
    try:
        names = sorted(p.name for p in root.iterdir() if not p.match(TEMPORARY))
    except OSError as error:
        raise RunError(f"{root} cannot be read: {error.strerror}") from None
    foreign = [name for name in names if name != _WORK]
    if foreign:
        shown = ", ".join(foreign[:3]) + (", ..." if len(foreign) > 3 else "")
        raise RunError(f"{root} is not empty and not a clone ({shown}): name another --out")


def _refuse_other(folder: CloneFolder, wanted: CloneRecord) -> None:
    difference = config_difference(folder.record.summary(), wanted.summary())
    if difference:
        shown = "; ".join(phrase[:_SHOWN] for phrase in difference[:4])
        shown += "; ..." * (len(difference) > 4)
        raise RunError(
            f"{folder.root} is a clone of another configuration ({shown}): "
            "type its options, or name another --out"
        )
