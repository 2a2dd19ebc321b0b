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

Everything but the versions and searches in `clone.json` and the last line is a function of the
configuration, and of the folder's name, which the card and its twin bear.
Every file appears whole or not at all; nothing is removed but stages and leftovers of this clone.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from rldf.dataset.archives import Archives
from rldf.dataset.manifest import ImageRow, read_rows
from rldf.dataset.record import CloneRecord
from rldf.dataset.shards import Shards
from rldf.dataset.stores import Store, make_store
from rldf.errors import RunError
from rldf.io.files import append_jsonl, read_file
from rldf.io.yaml import problems_of

RECORD, PLAN, WORK = "clone.json", "plan.parquet", ".rldf"


@dataclass(frozen=True, slots=True)
class CloneFolder:
    """A clone's folder.

    Attributes:
        root: the folder.
        record: what its `clone.json` says.
        shards: how the plan is cut.
        archives: how its images are laid out, where the format is one of archives.
    """

    root: Path
    record: CloneRecord
    shards: Shards
    archives: Archives

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
        return make_store(kind, self.root, stage, self.archives, self.keys, self.told)

    @property
    def told(self) -> dict[str, str]:
        """What every image's metadata hold besides its row: which models drew it."""
        models = self.record.plan.models
        version = _version(models.get("generator"))[:12]
        return {"models": f"{models['name']}@{version}" if version else str(models["name"])}

    def work(self, name: str) -> Path:
        """Name a place of the work in progress.

        Args:
            name: of the file or folder.

        Returns:
            Its path.
        """
        return self.root / WORK / name

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
        there = self.begun("shards")
        return [s for s in range(len(self.shards)) if self.manifest(s).name not in there]

    @property
    def generator(self) -> Path:
        """The file in which the generator that draws describes itself."""
        return self.work("generator.json")

    def begun(self, kind: str) -> set[str]:
        """List the files of a kind that work shards have, such as their journals.

        Args:
            kind: "shards" (the manifests) or "journal".

        Returns:
            Their names; none where the folder was lost, as a copy may lose it.
        """
        try:
            return set(os.listdir(self.work(kind)))
        except FileNotFoundError:
            return set()

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
        record = CloneRecord.model_validate_json(read_file(path))
    except (FileNotFoundError, NotADirectoryError):
        raise RunError(f"{root} holds no clone: type the folder that rldf clone wrote") from None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        raise RunError(f"{path} is damaged: {problems_of(error)[0]}") from None
    return folder_of(root, record)


def folder_of(root: Path, record: CloneRecord) -> CloneFolder:
    """Describe the folder of a clone.

    Args:
        root: the folder.
        record: what its `clone.json` says, or is to say.

    Returns:
        The clone; nothing is read or written.
    """
    shards = Shards(record.images, record.write.shard_size)
    archives = Archives(shards, record.splits, record.write.numbering)
    return CloneFolder(root, record, shards, archives)


def _version(generator: object) -> str:
    """Find which generator drew: the sum of its weights."""
    drew = generator if isinstance(generator, Mapping) else {}
    return str(drew.get("weights") or "")
