"""What the commands of data sets say: documents for programs, lines for people."""

from collections.abc import Mapping
from typing import Any

from rldf.dataset.build import Estimate
from rldf.dataset.job import CloneResult
from rldf.dataset.layout import CloneFolder
from rldf.io.text import counted

_HARD = 0.5  # yield below which a class is told to be hard to draw
_SHOWN = 10  # classes


def result_document(result: CloneResult) -> dict[str, Any]:
    """Return the document of `--json`."""
    rate = result.written / result.seconds if result.written else 0.0
    record = result.folder.record
    return {
        "out": str(result.out),
        "format": record.write.format,
        "status": "done" if result.counts else "part done",
        "planned": record.images,
        "classes": len(result.classes),
        **result.counts,
        "shards_left": result.shards_left,
        "written": result.written,
        "seconds": round(result.seconds, 2),
        "images_per_second": round(rate, 3),
        "warnings": list(result.warnings),
    }


def result_lines(document: Mapping[str, Any], folder: CloneFolder) -> list[str]:
    """Return the result as lines of text."""
    wrote = (
        f"wrote {counted(document['written'], 'image')} in {document['seconds']:.0f} s "
        f"({document['images_per_second']:.2f} images/s)"
    )
    if document["status"] != "done":
        return [
            wrote,
            f"{document['out']}: {counted(document['shards_left'], 'work shard')} left to other "
            "parts; the same command without --shard draws what is missing",
        ]
    splits = ", ".join(f"{n} {split}" for split, n in document["splits"].items())
    lines = [
        wrote,
        f"{document['out']}: {counted(document['images'], 'image')} of "
        f"{counted(document['classes'], 'class')} ({splits})",
    ]
    if document["redrawn"] or document["left_out"] or document["unseen"]:
        lines.append(
            f"redrawn {document['redrawn']}, left out {document['left_out']}, kept though "
            f"their class is not seen {document['unseen']}; by class: 'rldf clone status "
            f"{document['out']} --json'"
        )
    return lines + _empty_lines(document, folder) + _hard_lines(document, folder)


def status_lines(document: Mapping[str, Any], folder: CloneFolder) -> list[str]:
    """Return the status as lines of text."""
    return [
        f"{document['out']}: {document['status']}",
        f"images   {document['drawn']} of {document['planned']}, "
        f"{counted(document['classes'], 'class')}",
        f"shards   {document['shards_done']} of {document['shards']} done, "
        f"{document['shards_running']} being drawn",
        f"redrawn  {document['redrawn']}   left out {document['left_out']}",
        *(_empty_lines(document, folder) if document["status"] == "done" else ()),
        *_hard_lines(document, folder),
    ]


def _empty_lines(document: Mapping[str, Any], folder: CloneFolder) -> list[str]:
    """Return the classes that lost all their images in a split."""
    names = {label.key: label.name for label in folder.record.classes}
    return [
        f"no image in {split} of {', '.join(names.get(key, key) for key in keys[:_SHOWN])}"
        + (f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else "")
        for split, keys in document.get("empty_classes", {}).items()
    ]


def _hard_lines(document: Mapping[str, Any], folder: CloneFolder) -> list[str]:
    """Return the classes with a low yield, the lowest first."""
    yields = {key: own["yield"] for key, own in document["troubled_classes"].items()}
    names = {label.key: label.name for label in folder.record.classes}
    hard = sorted((share, key) for key, share in yields.items() if share < _HARD)
    if not hard:
        return []
    shown = ", ".join(f"{names.get(key, key)} {share:.0%}" for share, key in hard[:_SHOWN])
    more = f" and {len(hard) - _SHOWN} more" if len(hard) > _SHOWN else ""
    return [f"drawn well in less than half of the attempts: {shown}{more}"]


def estimate_lines(estimate: Estimate) -> list[str]:
    """Return the estimate as lines of text."""
    per_split = ", ".join(f"{n} {split}" for split, n in estimate.splits.items())
    images = f"images  {estimate.images} of {counted(estimate.classes, 'class')} ({per_split})"
    if estimate.hours is None or estimate.bytes is None:
        return [images, "disk, time  not known: a server draws, which is asked for no image before"]
    return [
        images,
        f"disk    {_size(estimate.bytes)}",
        f"time    {estimate.hours:.1f} hours on one device such as this "
        f"({estimate.seconds_per_image:.3f} s an image, batches of {estimate.batch_size})",
    ]


def checked_lines(document: Mapping[str, Any]) -> list[str]:
    """Return the problems that a check found as lines of text."""
    lines = [
        f"{problem['kind']:9}  {problem['name']}"
        + (f"  (equals {problem['of']})" if problem["of"] else "")
        for problem in document["problems"]
    ]
    said = counted(len(lines), "problem") if lines else "nothing wrong"
    if not document["checked"] and not lines:
        said = f"there was nothing to check ({document['left_out']} were left out)"
    checked = counted(document["checked"], "image")
    again = counted(document["repaired"], "image")
    repaired = f", {again} written again" if document["repaired"] else ""
    lines.append(f"{document['out']}: {checked} checked, {said}{repaired}")
    if document["unfinished_shards"]:
        lines.append("not finished: type the command that made it again, it goes on")
    return lines


def _size(n: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if n >= size:
            return f"{n / size:.1f} {unit}"
    return f"{n / 1e3:.0f} kB"
