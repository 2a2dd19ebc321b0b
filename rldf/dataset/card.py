"""The data-set card: README.md with the Hub's YAML, from the clone's record and counts."""

import json
from typing import Any

from rldf.dataset.image_file import SOURCE_TYPES
from rldf.dataset.layout import CloneFolder
from rldf.dataset.manifest import Tally
from rldf.dataset.record import CloneRecord
from rldf.io.text import plain

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


def card(folder: CloneFolder, tally: Tally) -> str:
    """Write the card.

    Args:
        folder: the clone.
        tally: its counts.

    Returns:
        Markdown.
    """
    record = folder.record
    parts = [
        _front(record, tally, folder.root.name),
        f"# {plain(folder.root.name)}",
        _summary(record, tally),
        "## Load it",
        _loading(folder, tally),
        "## How it was made",
        _making(record, tally),
        *_doubts(record),
        "## Classes",
        _classes(record, tally),
    ]
    return "\n\n".join(parts) + "\n"


def data_files(record: CloneRecord) -> dict[str, str]:
    """Name the files of each split.

    Args:
        record: the clone's.

    Returns:
        Glob pattern by split, relative to the clone's folder.
    """
    archives = {"webdataset": "data/{}-*.tar", "parquet": "data/{}-*.parquet"}
    pattern = archives.get(record.write.format, "{}/**")
    return {split: pattern.format(split) for split in record.splits}


def _front(record: CloneRecord, tally: Tally, name: str) -> str:
    """Write the YAML; JSON strings are YAML strings, and quote what a stranger named."""
    license, kind = record.write.license, record.write.format
    short = license.lower().removesuffix("-or-later").removesuffix("-only")
    if not license:
        licenses = ["license: unknown"]
    elif short in _HUB_LICENSES:
        licenses = [f"license: {_HUB_LICENSES[short]}"]
    else:
        licenses = ["license: other", f"license_name: {json.dumps(license)}"]
    size = next((name for limit, name in _SIZES if tally.images < limit), "1M<n<10M")
    files = [
        line
        for split, pattern in data_files(record).items()
        for line in (f"  - split: {HUB_SPLITS[split]}", f"    path: {json.dumps(pattern)}")
    ]
    lines = [
        "---",
        *licenses,
        f"pretty_name: {json.dumps(plain(name))}",
        "task_categories: [image-classification]",
        "annotations_creators: [machine-generated]",
        "source_datasets: [original]",
        f"size_categories: [{json.dumps(size)}]",
        f"tags: [synthetic, {kind}]",
        "configs:",
        "- config_name: default",
        "  data_files:",
        *files,
        "---",
    ]
    return "\n".join(lines)


def _summary(record: CloneRecord, tally: Tally) -> str:
    splits = ", ".join(f"{n} {split}" for split, n in tally.splits.items())
    told = (
        f"{tally.images} synthetic images of {len(record.classes)} classes ({splits}). Every image "
        "was made by a program from a sentence; no camera took it. Each file says so itself (IPTC "
        f"digital source type `{record.write.source_type}`) and carries its sentence."
    )
    return (
        told + "\n\nThe label of an image is the class that its sentence names. "
        f"{_checked(record, tally)}"
    )


def _checked(record: CloneRecord, tally: Tally) -> str:
    if record.write.verify_labels is None:
        return "Nobody checked that the class can be seen in it."
    return (
        f"Images in which a {record.write.verify_labels} model did not see the class were drawn "
        f"anew, at most {record.write.attempts - 1} times; {tally.unseen} were kept all the same."
    )


def _loading(folder: CloneFolder, tally: Tally) -> str:
    record = folder.record
    kind = record.write.format
    if kind == "imagefolder":
        lines = [
            # a class may have lost all its images in a split, and its folder numbers the others
            f'torchvision.datasets.ImageFolder("{next(iter(record.splits))}", allow_empty=True)',
            'datasets.load_dataset("imagefolder", data_dir=".")',
        ]
    elif kind == "parquet":
        lines = [
            f'datasets.load_dataset("parquet", data_files={{"{split}": "{pattern}"}})'
            for split, pattern in list(data_files(record).items())[:1]
        ]
    else:
        split, image = next(iter(record.splits)), record.plan.image_format
        lines = [
            f"tars = {_tars(folder, split)}",
            f"webdataset.WebDataset(tars, shardshuffle={folder.archives.total(split)})"
            f'.decode("pil")'
            f'.to_tuple("{image}", "cls")',
        ]
    code = "\n".join(["```python", *lines, "```"]) + _without_images(record, tally)
    return code if kind == "imagefolder" else f"{code}\n\n{_files(folder)}"


def _without_images(record: CloneRecord, tally: Tally) -> str:
    """Name the classes of which a split has no image, since models will not know them."""
    names = {label.key: label.name for label in record.classes}
    return "".join(
        f"\n\nNo image in `{split}`, since all were turned down: "
        + ", ".join(f"{key} ({_cell(names.get(key, key))})" for key in keys)
        + "."
        for split, keys in tally.empty.items()
    )


def _tars(folder: CloneFolder, split: str) -> str:
    pattern = folder.archives.pattern(split, "tar")
    return f'sorted(glob.glob("{pattern}"))' if "*" in pattern else f'"{pattern}"'


def _files(folder: CloneFolder) -> str:
    """Tell which files each split has, and how many loader workers can be fed from them."""
    kind, archives = folder.record.write.format, folder.archives
    ending = "tar" if kind == "webdataset" else kind
    lines = ["| split | files | loader workers |", "|---|---|---|"]
    for split in folder.record.splits:
        most = "" if archives.numbering == "clone" else f"up to {archives.total(split)}"
        lines.append(f"| {split} | `{archives.pattern(split, ending)}` | {most} |")
    return "\n".join(lines) + (
        "\n\nA loader worker reads whole files, so a split feeds as many workers as it has files."
    )


def _making(record: CloneRecord, tally: Tally) -> str:
    plan, write = record.plan, record.write
    rows = [
        ("models", plan.models.get("name")),
        ("grammar", plan.grammar.name),
        ("preset", plan.preset.name),
        ("seed", plan.seed),
        ("safety checker", _CHECKERS[write.safety_checker]),
        ("labels verified by", write.verify_labels or "nobody"),
        ("drawn anew", tally.redrawn),
        ("turned down", ", ".join(f"{n} {r}" for r, n in sorted(tally.rejected.items())) or "none"),
        ("left out", tally.left_out),
        ("license", write.license or "the model set names none"),
    ]
    lines = ["| | |", "|---|---|", *(f"| {name} | {_cell(str(value))} |" for name, value in rows)]
    return "\n".join(lines) + (
        "\n\nSentence, encoding, seed and checksum of every image stand in the metadata; the "
        "whole configuration stands in `clone.json`, the plan in `plan.parquet`. Contact sheets "
        "are in `sheets/`."
    )


def _doubts(record: CloneRecord) -> list[str]:
    """List what was doubtful where the classes came from; nothing where nothing was."""
    if not record.doubts:
        return []
    lines = [f"- {_cell(doubt)}" for doubt in record.doubts]
    told = "Models read the classes in images. Of these readings:"
    return ["## Doubts", told, "\n".join(lines)]


def _classes(record: CloneRecord, tally: Tally) -> str:
    """List the classes, with the share of the drawings of each that nothing was wrong with."""
    lines = ["| label | key | name | yield | definition |", "|---|---|---|---|---|"]
    for number, label in enumerate(record.classes):
        known = label.key in tally.classes
        share = f"{100 * tally.yield_of(label.key):.0f} %" if known else ""
        cells = (label.key, _cell(label.name), share, _cell(label.definition))
        lines.append(f"| {number} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    """Quote what would be markup in a table."""
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
_MEDIA = {
    "webdataset": "application/x-tar",
    "parquet": "application/x-parquet",
    "jpg": "image/jpeg",
    "png": "image/png",
}


def croissant(folder: CloneFolder, tally: Tally) -> dict[str, Any]:
    """Describe a clone.

    Args:
        folder: the clone.
        tally: its counts.

    Returns:
        JSON-LD.
    """
    record = folder.record
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": plain(folder.root.name),
        "description": (
            f"{tally.images} synthetic images of {len(record.classes)} classes, each drawn from a "
            "sentence of a grammar"
        ),
        "license": record.write.license or "unknown",
        "version": "1.0.0",
        "keywords": ["synthetic", "image classification"],
        "prov:wasGeneratedBy": _activity(record),
        "distribution": [_file_set(record, split) for split in record.splits],
        "recordSet": [_class_records(record), *_image_records(record)],
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


def _file_set(record: CloneRecord, split: str) -> dict[str, Any]:
    kind, ending = record.write.format, record.plan.image_format
    folder = kind == "imagefolder"
    return {
        "@type": "cr:FileSet",
        "@id": f"{split}-files",
        "encodingFormat": _MEDIA[ending if folder else kind],
        "includes": f"{split}/*/*.{ending}" if folder else data_files(record)[split],
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


def _image_records(record: CloneRecord) -> list[dict[str, Any]]:
    """Describe the images of every split; Croissant has no words for a sample of a WebDataset."""
    if record.write.format == "webdataset":
        return []
    return [_images(record, split) for split in record.splits]


def _images(record: CloneRecord, split: str) -> dict[str, Any]:
    """Describe the images of a split; an image folder tells the class by the image's path."""
    files = {"fileSet": {"@id": f"{split}-files"}}
    if record.write.format == "imagefolder":
        image: dict[str, Any] = {"extract": {"fileProperty": "content"}}
        key: dict[str, Any] = {
            "extract": {"fileProperty": "fullpath"},
            "transform": {"regex": r"^.*/([^/]+)/[^/]+$"},
        }
    else:
        # datasets keeps an image as a record of its bytes and its path
        image = {"extract": {"column": "image"}, "transform": {"jsonPath": "bytes"}}
        key = {"extract": {"column": "key"}}
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
