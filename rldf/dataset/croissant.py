"""The clone's description for machines: Croissant 1.1, JSON-LD over schema.org, with provenance.

See https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html; provenance is in the words of
W3C's PROV-O, as its section on responsible AI recommends.
"""

from typing import Any

from rldf.dataset.card import data_files
from rldf.dataset.image_file import SOURCE_TYPES
from rldf.dataset.layout import CloneFolder
from rldf.dataset.record import CloneRecord
from rldf.dataset.stats import Tally
from rldf.io.text import plain

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
        "recordSet": [_classes(record), *_records(record)],
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


def _classes(record: CloneRecord) -> dict[str, Any]:
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


def _records(record: CloneRecord) -> list[dict[str, Any]]:
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
