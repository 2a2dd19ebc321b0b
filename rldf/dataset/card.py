"""The data-set card README.md, and croissant.json, which says the same to programs.

See https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html; provenance is in the terms of
W3C's PROV-O.
"""

from typing import Any

from rldf.dataset.formats import ArchiveFormat, ExportFormat
from rldf.dataset.image_file import SOURCE_TYPES
from rldf.dataset.layout import CloneFolder
from rldf.dataset.manifest import Counts
from rldf.dataset.record import CloneRecord
from rldf.io.text import counted, plain

# What a Hub page calls a split; folders are called as ImageNet's are.
HUB_SPLITS = {"train": "train", "val": "validation", "test": "test"}

_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"))
_CHECKERS = {"on": "on", "off": "left out on demand", "none": "the models ship none"}
_HUB_LICENSES = {  # what the Hub calls the licences that model sets have
    "agpl-3.0": "agpl-3.0",
    "apache-2.0": "apache-2.0",
    "cc-by-4.0": "cc-by-4.0",
    "cc0-1.0": "cc0-1.0",
    "creativeml-openrail-m": "creativeml-openrail-m",
    "gpl-3.0": "gpl-3.0",
    "mit": "mit",
    "openrail": "openrail",
    "openrail++": "openrail++",
}


def card(folder: CloneFolder, counts: Counts) -> str:
    """Return the card as Markdown."""
    record = folder.record
    parts = [
        _front(folder, counts),
        f"# {plain(folder.root.name)}",
        _summary(record, counts),
        "## Load it",
        _loading(folder, counts),
        "## How it was made",
        _making(record, counts),
        *_doubts(record),
        "## Classes",
        _classes(record, counts),
    ]
    return "\n\n".join(parts) + "\n"


def _front(folder: CloneFolder, counts: Counts) -> str:
    """Write the metadata that the Hub reads."""
    from huggingface_hub import DatasetCardData

    record, store = folder.record, folder.store()
    data = DatasetCardData(
        **_license(record.write.license),
        pretty_name=plain(folder.root.name),
        task_categories=["image-classification"],
        annotations_creators=["machine-generated"],
        source_datasets=["original"],
        size_categories=[
            next((name for limit, name in _SIZES if counts.images < limit), "1M<n<10M")
        ],
        tags=["synthetic", record.write.format],
        configs=[
            {
                "config_name": "default",
                "data_files": [
                    {"split": HUB_SPLITS[split], "path": store.pattern(split)}
                    for split in record.splits
                ],
            }
        ],
    )
    return f"---\n{data.to_yaml()}\n---"


def _license(name: str) -> dict[str, Any]:
    """Return what the Hub calls a license."""
    short = name.lower().removesuffix("-or-later").removesuffix("-only")
    if not name:
        return {"license": "unknown"}
    if short in _HUB_LICENSES:
        return {"license": _HUB_LICENSES[short]}
    return {"license": "other", "license_name": name}


def _summary(record: CloneRecord, counts: Counts) -> str:
    splits = ", ".join(f"{n} {split}" for split, n in counts.splits.items())
    told = (
        f"{counted(counts.images, 'synthetic image')} of "
        f"{counted(len(record.classes), 'class')} ({splits}). Every image was made by a program "
        "from a sentence; no camera took it. Each file says so "
        f"itself (IPTC digital source type `{record.write.source_type}`) and carries its sentence."
    )
    return (
        told + "\n\nThe label of an image is the class that its sentence names. "
        f"{_checked(record, counts)}"
    )


def _checked(record: CloneRecord, counts: Counts) -> str:
    if record.write.verify_labels is None:
        return "Nobody checked that the class can be seen in it."
    return (
        f"Images in which a {record.write.verify_labels} model did not see the class were drawn "
        f"anew, at most {record.write.attempts - 1} times; {counts.unseen} were kept all the same."
    )


def _loading(folder: CloneFolder, counts: Counts) -> str:
    record, store = folder.record, folder.store()
    lines = store.loading(next(iter(record.splits)))
    code = "\n".join(["```python", *lines, "```"]) + _without_images(record, counts)
    return f"{code}\n\n{_files(folder, store.ending)}" if isinstance(store, ArchiveFormat) else code


def _without_images(record: CloneRecord, counts: Counts) -> str:
    """List the classes that have no image in a split: a model trained on it does not know them."""
    names = {label.key: label.name for label in record.classes}
    return "".join(
        f"\n\nNo image in `{split}`, since all were turned down: "
        + ", ".join(f"{key} ({_cell(names.get(key, key))})" for key in keys)
        + "."
        for split, keys in counts.empty.items()
    )


def _files(folder: CloneFolder, ending: str) -> str:
    """List the files of each split, and how many loader workers can read from them."""
    archives = folder.archives
    lines = ["| split | files | loader workers |", "|---|---|---|"]
    for split in folder.record.splits:
        most = "" if archives.numbering == "clone" else f"up to {archives.total(split)}"
        lines.append(f"| {split} | `{archives.pattern(split, ending)}` | {most} |")
    return "\n".join(lines) + (
        "\n\nA loader worker reads whole files, so a split feeds as many workers as it has files."
    )


def _making(record: CloneRecord, counts: Counts) -> str:
    plan, write = record.plan, record.write
    rejected = ", ".join(f"{n} {reason}" for reason, n in sorted(counts.rejected.items()))
    rows = [
        ("models", plan.models.get("name")),
        ("grammar", plan.grammar.name),
        ("preset", plan.preset.name),
        ("seed", plan.seed),
        ("safety checker", _CHECKERS[write.safety_checker]),
        ("labels verified by", write.verify_labels or "nobody"),
        ("drawn anew", counts.redrawn),
        ("turned down", rejected or "none"),
        ("left out", counts.left_out),
        ("license", write.license or "the model set names none"),
    ]
    lines = ["| | |", "|---|---|", *(f"| {name} | {_cell(str(value))} |" for name, value in rows)]
    return "\n".join(lines) + (
        "\n\nSentence, encoding, seed and checksum of every image stand in the metadata; the "
        "whole configuration stands in `clone.json`, the plan in `plan.parquet`. Contact sheets "
        "are in `sheets/`."
    )


def _doubts(record: CloneRecord) -> list[str]:
    """List the warnings about where the classes came from, if there are any."""
    if not record.doubts:
        return []
    lines = [f"- {_cell(doubt)}" for doubt in record.doubts]
    told = "Models read the classes in images. Of these readings:"
    return ["## Doubts", told, "\n".join(lines)]


def _classes(record: CloneRecord, counts: Counts) -> str:
    """List the classes, each with the share of its attempts that gave a good image."""
    lines = ["| label | key | name | yield | definition |", "|---|---|---|---|---|"]
    for number, label in enumerate(record.classes):
        known = label.key in counts.classes
        share = f"{100 * counts.yield_of(label.key):.0f} %" if known else ""
        cells = (label.key, _cell(label.name), share, _cell(label.definition))
        lines.append(f"| {number} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    """Escape markup in a table cell."""
    safe = plain(text).replace("&", "&amp;").replace("<", "&lt;").replace("\\", "\\\\")
    return safe.replace("|", "\\|").replace("[", "\\[").replace("`", "\\`").replace("*", "\\*")


_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "annotation": "cr:annotation",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def croissant(folder: CloneFolder, counts: Counts) -> dict[str, Any]:
    """Return the JSON-LD document of `croissant.json`."""
    record, store = folder.record, folder.store()
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": plain(folder.root.name),
        "description": (
            f"{counted(counts.images, 'synthetic image')} of "
            f"{counted(len(record.classes), 'class')}, each drawn from a sentence of a grammar"
        ),
        "license": record.write.license or "unknown",
        "version": "1.0.0",
        "keywords": ["synthetic", "image classification"],
        "prov:wasGeneratedBy": _activity(record),
        "distribution": [_file_set(store, split) for split in record.splits],
        "recordSet": [_class_records(record), *_image_records(record, store)],
    }


def _activity(record: CloneRecord) -> dict[str, Any]:
    models = record.plan.models
    return {
        "@type": "prov:Activity",
        "prov:label": (
            f"drawing by the models of set {models.get('name')}, seed {record.plan.seed}"
        ),
        "prov:wasAssociatedWith": {
            "@type": "prov:SoftwareAgent",
            "prov:label": f"rldf {record.versions.get('rldf')}",
        },
        "digitalSourceType": SOURCE_TYPES + record.write.source_type,
    }


def _file_set(store: ExportFormat, split: str) -> dict[str, Any]:
    media, pattern = store.media(split)
    return {
        "@type": "cr:FileSet",
        "@id": f"{split}-files",
        "encodingFormat": media,
        "includes": pattern,
    }


def _class_records(record: CloneRecord) -> dict[str, Any]:
    fields = {"key": "sc:Text", "name": "sc:Text", "definition": "sc:Text"}
    return {
        "@type": "cr:RecordSet",
        "@id": "classes",
        "dataType": "sc:Enumeration",
        "key": {"@id": "classes/key"},
        "field": [
            {"@type": "cr:Field", "@id": f"classes/{name}", "dataType": kind}
            for name, kind in fields.items()
        ],
        "data": [
            {
                "classes/key": label.key,
                "classes/name": plain(label.name),
                "classes/definition": plain(label.definition),
            }
            for label in record.classes
        ],
    }


def _image_records(record: CloneRecord, store: ExportFormat) -> list[dict[str, Any]]:
    """Describe the images of every split, if Croissant has words for the format."""
    fields = store.fields()
    return [] if fields is None else [_images(split, *fields) for split in record.splits]


def _images(split: str, image: dict[str, Any], key: dict[str, Any]) -> dict[str, Any]:
    files = {"fileSet": {"@id": f"{split}-files"}}
    return {
        "@type": "cr:RecordSet",
        "@id": split,
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{split}/image",
                "dataType": "sc:ImageObject",
                "source": files | image,
            },
            {
                "@type": "cr:Field",
                "@id": f"{split}/class",
                "dataType": ["sc:Text", "cr:Label"],
                "references": {"field": {"@id": "classes/key"}},
                "source": files | key,
            },
        ],
    }
