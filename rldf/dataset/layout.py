r"""The folder of a clone: where everything is, how it is entered, and what it refuses.

    clones/imagenet-pocket-20x50/
        clone.json            configuration, classes, versions; written first
        plan.parquet          every image's class, sentence, seed and name, before any is drawn
        train/ val/ test/     images, with metadata.parquet beside them   \  one or the other,
        data/                 archives, with the metadata in them         /  by the format
        README.md             the data-set card          \
        croissant.json        the same for programs       | written when all images are there
        sheets/<key>.jpg      a contact sheet per class   /
        .rldf/shards/         the manifest of each work shard that is done
        .rldf/generator.json  identity of the loaded generator
        .rldf/finished.json   counts and checksums; written last
        .rldf/journal/, locks/, stage/, log.jsonl    the work in progress, and when it was done

Everything but the versions and searches in `clone.json` and the last line is a function of the
configuration, and of the folder's name, which the card and its twin bear.
Every file appears whole or not at all; nothing is removed but stages and leftovers of this clone.
"""

import contextlib
import errno
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rldf.dataset.formats import FORMATS, ExportFormat
from rldf.dataset.manifest import ImageRow, read_rows
from rldf.dataset.plan import make_plan
from rldf.dataset.record import CloneRecord
from rldf.dataset.sharding import Archives, Shards, waiting
from rldf.errors import RldfError, RunError
from rldf.interfaces import Json
from rldf.io import workdir
from rldf.io.files import append_jsonl, parse_json, read_file, write_json
from rldf.io.workdir import as_json, refuse_links, shown_difference
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

    def store(self) -> ExportFormat:
        """Return the clone's image files in its format."""
        return FORMATS[self.record.write.format](
            root=self.root,
            stage=self.work("stage"),
            archives=self.archives,
            classes=self.keys,
            image_format=self.record.plan.image_format,
            extra_metadata=self.extra_metadata,
        )

    @property
    def extra_metadata(self) -> dict[str, str]:
        """Metadata that every image has besides its row: which models drew it."""
        models = self.record.plan.models
        version = _version(models.get("generator"))[:12]
        return {"models": f"{models['name']}@{version}" if version else str(models["name"])}

    def work(self, name: str) -> Path:
        """Return the path of a file of work in progress."""
        return self.root / WORK / name

    def manifest(self, shard: int) -> Path:
        """Return the path of a shard's manifest, which exists once the shard is done."""
        return self.work("shards") / f"{shard:05d}.jsonl"

    def journal(self, shard: int) -> Path:
        """Return the path of a shard's progress log."""
        return self.work("journal") / f"{shard:05d}.jsonl"

    def lock(self, shard: int) -> Path:
        """Return the path of a shard's lock."""
        return self.work("locks") / f"{shard:05d}"

    def is_done(self, shard: int) -> bool:
        """Return whether a shard is done."""
        return self.manifest(shard).exists()

    def undone(self) -> list[int]:
        """Return the shards that are not done."""
        there = self.begun("shards")
        return [s for s in range(len(self.shards)) if self.manifest(s).name not in there]

    @property
    def generator(self) -> Path:
        """The file with the identity of the loaded generator."""
        return self.work("generator.json")

    def begun(self, kind: str) -> set[str]:
        """Return the names of the files in a folder of work in progress."""
        try:
            return set(os.listdir(self.work(kind)))
        except FileNotFoundError:
            return set()

    def rows(self, shard: int) -> list[ImageRow]:
        """Read the manifest of a finished shard; RunError if it is damaged."""
        return read_rows(self.manifest(shard), self.shards.indices(shard))

    def all_rows(self) -> Iterator[tuple[int, list[ImageRow]]]:
        """Read the manifests of all finished shards."""
        for shard in range(len(self.shards)):
            if self.is_done(shard):
                yield shard, self.rows(shard)

    def log(self, event: str, **what: object) -> None:
        """Append an event with its time to log.jsonl."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        append_jsonl(self.work("log.jsonl"), {"at": at, "event": event, **what})


def open_folder(root: Path) -> CloneFolder:
    """Open a clone to read it; RunError if there is none or `clone.json` is damaged."""
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
    """Return the folder of a clone; nothing is read or written."""
    shards = Shards(record.images, record.write.shard_size)
    archives = Archives(shards, record.splits, record.write.numbering)
    return CloneFolder(root, record, shards, archives)


def _version(generator: object) -> str:
    """Return the checksum of the generator's weights."""
    drew = generator if isinstance(generator, Mapping) else {}
    return str(drew.get("weights") or "")


def check_place(root: Path, wanted: CloneRecord) -> None:
    """Raise RunError if a folder cannot take a clone; nothing is loaded or written."""
    refuse_foreign(root)
    if (root / RECORD).exists():
        _refuse_other(open_folder(root), wanted)


def enter_folder(root: Path, wanted: CloneRecord) -> CloneFolder:
    """Create a clone, or open one of the same configuration to continue it."""
    check_place(root, wanted)
    with disk_errors_reported(root):
        try:
            return _set_up(root, wanted)
        except OSError as error:
            if is_full(error):
                raise
            raise RunError(
                f"cannot write to {root}: {error.strerror}; name another with --out"
            ) from None


def _set_up(root: Path, wanted: CloneRecord) -> CloneFolder:
    refuse_links_in(root)
    for name in ("shards", "journal", "locks"):
        (root / WORK / name).mkdir(parents=True, exist_ok=True)
    with waiting(root / WORK / "locks" / "setup"):
        if (root / RECORD).exists():  # of another process that was faster
            folder = open_folder(root)
            _refuse_other(folder, wanted)
        else:
            write_json(root / RECORD, wanted.model_dump(mode="json"))
            folder = folder_of(root, wanted)
        if not (root / PLAN).exists():
            make_plan(wanted.plan).write(root / PLAN)
    return folder


def refuse_links_in(root: Path) -> None:
    """Raise RunError if a folder of a clone is a link to elsewhere."""
    refuse_links(root)
    refuse_links(root / WORK / "stage")


def agree_on_generator(folder: CloneFolder, identity: Mapping[str, Json]) -> None:
    """Make sure that every process draws with the same generator, loaded in the same way.

    What only shows once it is loaded, such as the number format that a device takes, decides
    pixels too.
    """
    path, here = folder.generator, as_json(identity)
    with disk_errors_reported(folder.root), waiting(folder.work("locks") / "setup"):
        if not path.exists():
            write_json(path, here)
        try:
            there = dict(parse_json(read_file(path)))
        except (ValueError, TypeError) as error:
            raise RunError(f"{path} is damaged ({error}): move it away, and go on") from None
    if said := shown_difference(there, here):
        raise RunError(
            f"{folder.root} was begun with another generator ({said}): go on with that one, or "
            "name another --out"
        )


def check_models(folder: CloneFolder, models: Mapping[str, Any]) -> None:
    """Raise RunError if a clone was drawn by other models."""
    if said := shown_difference({"models": folder.record.plan.models}, {"models": models}):
        raise RunError(
            f"{folder.root} was drawn by other models ({said}): name their set by --models"
        )


def refuse_foreign(root: Path) -> None:
    """Raise RunError if a folder holds something that is not a clone; nothing in it is touched."""
    workdir.refuse_foreign(root, RECORD, "a clone", own=(WORK,))


def _refuse_other(folder: CloneFolder, wanted: CloneRecord) -> None:
    if said := shown_difference(folder.record.summary(), wanted.summary()):
        raise RunError(
            f"{folder.root} is a clone of another configuration ({said}): type its options, or "
            "name another --out"
        )


_FULL = {errno.ENOSPC, errno.EDQUOT}


def is_full(error: OSError) -> bool:
    """Return whether the disk or the quota is full."""
    return error.errno in _FULL


@contextlib.contextmanager
def disk_errors_reported(root: Path) -> Iterator[None]:
    """Raise errors of the file system as an RldfError with advice."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            advice = "free some space and type the same command again, it goes on where it stopped"
        else:
            advice = "nothing that was written is lost; type the same command again to go on"
        raise RldfError(f"cannot write to {root}: {error.strerror or error}: {advice}") from error
