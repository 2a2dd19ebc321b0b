"""Entering a clone's folder to write: a new one, or one of the same configuration."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rldf.dataset.claims import waiting
from rldf.dataset.disk import is_full, telling_disk_errors
from rldf.dataset.layout import PLAN, RECORD, WORK, CloneFolder, folder_of, open_folder
from rldf.dataset.plan import make_plan
from rldf.dataset.record import CloneRecord
from rldf.errors import RunError
from rldf.interfaces import Json
from rldf.io.files import TEMPORARY, parse_json, read_file, write_json
from rldf.io.workdir import as_json, config_difference, refuse_links

_SHOWN, _MOST = 160, 4  # characters of a difference between two configurations; differences


def check_place(root: Path, wanted: CloneRecord) -> None:
    """Refuse a place that cannot take a clone, before anything is loaded or written.

    Args:
        root: the folder that the clone is to have.
        wanted: what the clone is to be.

    Raises:
        RunError: it holds something else, or a clone of another configuration.
    """
    refuse_foreign(root)
    if (root / RECORD).exists():
        _refuse_other(open_folder(root), wanted)


def enter_folder(root: Path, wanted: CloneRecord) -> CloneFolder:
    """Begin a clone, or go on with one of the same configuration.

    Args:
        root: the folder; it and its parents are made.
        wanted: what the clone is to be.

    Returns:
        The clone, with `clone.json` and the plan on the disk.

    Raises:
        RunError: the folder holds something else, or cannot be written.
        RldfError: the disk is full.
    """
    check_place(root, wanted)
    with telling_disk_errors(root):
        try:
            return _set_up(root, wanted)
        except OSError as error:
            if is_full(error):
                raise
            raise RunError(
                f"cannot write to {root}: {error.strerror}; name another with --out"
            ) from None


def _set_up(root: Path, wanted: CloneRecord) -> CloneFolder:
    refuse_detours(root)
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


def refuse_detours(root: Path) -> None:
    """Refuse a clone in which a folder leads elsewhere, before anything is written into it.

    Args:
        root: its folder.

    Raises:
        RunError: it has such a folder.
    """
    refuse_links(root)
    refuse_links(root / WORK / "stage")


def agree_on_generator(folder: CloneFolder, identity: Mapping[str, Json]) -> None:
    """Make sure that every process draws with the same generator, loaded in the same way.

    What only shows once it is loaded, such as the number format that a device takes, decides
    pixels too.

    Args:
        folder: the clone.
        identity: of the generator of this process.

    Raises:
        RunError: the clone was begun with another.
        RldfError: the disk is full.
    """
    path, here = folder.generator, as_json(identity)
    with telling_disk_errors(folder.root), waiting(folder.work("locks") / "setup"):
        if not path.exists():
            write_json(path, here)
        try:
            there = dict(parse_json(read_file(path)))
        except (ValueError, TypeError) as error:
            raise RunError(f"{path} is damaged ({error}): move it away, and go on") from None
    if said := _difference(there, here):
        raise RunError(
            f"{folder.root} was begun with another generator ({said}): go on with that one, or "
            "name another --out"
        )


def check_models(folder: CloneFolder, models: Mapping[str, Any]) -> None:
    """Make sure that models are those that a clone was drawn by.

    Args:
        folder: the clone.
        models: identity of what is to draw.

    Raises:
        RunError: they are others.
    """
    if said := _difference({"models": folder.record.plan.models}, {"models": models}):
        raise RunError(
            f"{folder.root} was drawn by other models ({said}): name their set by --models"
        )


def refuse_foreign(root: Path) -> None:
    """Refuse a place that holds something else; nothing in it is touched.

    Args:
        root: the folder that a clone is to have.

    Raises:
        RunError: it is a file, or a folder that holds something and no clone.
    """
    try:
        names = {path.name for path in root.iterdir() if not path.match(TEMPORARY)}
    except FileNotFoundError:
        return
    except NotADirectoryError:
        raise RunError(f"{root} is a file, or lies in one: name a folder with --out") from None
    except OSError as error:
        raise RunError(f"{root} cannot be read: {error.strerror}; name another --out") from None
    foreign = [] if RECORD in names else sorted(names - {WORK})
    if foreign:
        shown = ", ".join(foreign[:3]) + (", ..." if len(foreign) > 3 else "")
        raise RunError(f"{root} is not empty and not a clone ({shown}): name another --out")


def _refuse_other(folder: CloneFolder, wanted: CloneRecord) -> None:
    if said := _difference(folder.record.summary(), wanted.summary()):
        raise RunError(
            f"{folder.root} is a clone of another configuration ({said}): type its options, or "
            "name another --out"
        )


def _difference(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """Tell what differs, shortened; "" if nothing does."""
    found = config_difference(there, here)
    shown = "; ".join(phrase[:_SHOWN] for phrase in found[:_MOST])
    return shown + "; ..." * (len(found) > _MOST)
