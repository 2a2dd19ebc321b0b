"""What does the encoder read in real photographs, with a real YOLO?

`python benchmarks/photographs.py --material FOLDER [--out benchmarks/results/photographs.json]`

68 photographs of COCO with their true boxes are read in the words of grammar coco-places by the
YOLOv8n (8-bit ONNX) of the material folder. Two thresholds are chosen on every second photograph:
the confidence by the F1 of class presence, then the overlap by the F1 of counts. All figures are of
the other 34, beside those of the detector's default thresholds. The photographs are of train2017,
which the detector was trained on, so a new photograph is read worse; no photograph here has a true
scene, so scenes are not judged. A crowd box of the truth counts as two things. What the detector
saw is kept in rldf's cache: the same command goes on with it.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from PIL import Image

from rldf.grammar.contents import SceneContents
from rldf.grammar.grammar import load_grammar
from rldf.interfaces import Detection, VisionModels
from rldf.io.files import sha256_file, write_json
from rldf.io.images import read_image
from rldf.io.paths import cache_folder
from rldf.perception.encoder import Encoder
from rldf.seeding import rng

GRAMMAR = load_grammar("coco-places")
CONFIDENCES = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
OVERLAPS = (0.5, 0.7)
RAW = (0.25, 0.7)  # ultralytics' defaults: confidence, overlap
CHOSEN = (0.15, 0.5)  # what `choose` finds; docs/photographs.md and the tests name it
_RESAMPLES = 10_000
_PERSON = "person"
Pairs = list[set[Any]]


@dataclass(frozen=True, slots=True)
class Photo:
    """A photograph with its truth.

    Attributes:
        file: the JPEG.
        size: width and height, px.
        truth: its true boxes, a crowd's twice, with confidence 1.
    """

    file: Path
    size: tuple[int, int]
    truth: list[Detection]


class Told:
    """Readers that were told what is in an image, and know no scenes."""

    def __init__(self, detections: list[Detection]) -> None:
        """Keep what they are to say.

        Args:
            detections: what is in the image.
        """
        self._detections = detections
        self.detector = self.scene = self

    def detect(self, images: Sequence[Image.Image]) -> list[list[Detection]]:
        """Say the same of every image."""
        return [self._detections for _ in images]

    def classify(self, images: Sequence[Image.Image]) -> list[dict[str, float]]:
        """Know no scene."""
        return [{} for _ in images]


def photographs(material: Path) -> list[Photo]:
    """List the photographs by their number in COCO.

    Args:
        material: the material folder.

    Returns:
        68 photographs.
    """
    told = json.loads((material / "coco" / "instances.json").read_text(encoding="utf-8"))
    names = {kind["id"]: kind["name"] for kind in told["categories"]}
    boxes: dict[int, list[Detection]] = defaultdict(list)
    for box in told["annotations"]:
        x, y, width, height = box["bbox"]
        thing = Detection(names[box["category_id"]], 1.0, (x, y, x + width, y + height))
        boxes[box["image_id"]] += [thing] * (2 if box["iscrowd"] else 1)
    folder = material / "coco" / "images"
    return [
        Photo(folder / row["file_name"], (row["width"], row["height"]), boxes[row["id"]])
        for row in sorted(told["images"], key=lambda row: row["id"])
    ]


def detections(
    material: Path, photos: Sequence[Photo], confidence: float, overlap: float
) -> list[list[Detection]]:
    """Let the YOLO of the material look at photographs.

    Args:
        material: the material folder.
        photos: which.
        confidence: detections below it are dropped, 0 to 1.
        overlap: of two boxes of a label that overlap more, one is dropped (IoU, 0 to 1).

    Returns:
        Detections of each, most confident first.
    """
    from rldf.perception.detector import YoloDetector

    path = material / "detectors" / "yolov8n_int8.onnx"
    detector = YoloDetector(path=path, confidence=confidence, overlap=overlap)
    return [detector.detect([read_image(photo.file)])[0] for photo in photos]


def kept_detections(
    material: Path, photos: Sequence[Photo], overlap: float
) -> list[list[Detection]]:
    """Give what the detector saw at the lowest confidence, from the cache where it is there."""
    weights = sha256_file(material / "detectors" / "yolov8n_int8.onnx")[:16]
    kept = cache_folder() / f"photographs-{weights}-{CONFIDENCES[0]}-{overlap}.json"
    if not kept.exists():
        found = detections(material, photos, CONFIDENCES[0], overlap)
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_json(kept, [[(d.label, d.confidence, d.box) for d in row] for row in found])
    rows = json.loads(kept.read_text(encoding="utf-8"))
    return [[Detection(label, sure, tuple(box)) for label, sure, box in row] for row in rows]


def surer(found: list[list[Detection]], confidence: float) -> list[list[Detection]]:
    """Drop what is less sure; suppression goes from sure to less sure, so this loses nothing.

    Args:
        found: detections of each photograph.
        confidence: 0 to 1.

    Returns:
        Those of at least that confidence.
    """
    return [[d for d in row if d.confidence >= confidence] for row in found]


def read(photos: Sequence[Photo], found: Sequence[list[Detection]]) -> dict[str, Pairs]:
    """Read photographs as `rldf encode` does, scenes apart.

    Args:
        photos: which.
        found: what is said to be in each.

    Returns:
        For each photograph "presence": its classes; "counts": class and one or many; "people": no,
        one or many; "encodings": count, noun and people, or nothing without a known object.
    """
    result: dict[str, Pairs] = {"presence": [], "counts": [], "people": [], "encodings": []}
    for photo, told in zip(photos, found, strict=True):
        encoder = Encoder(GRAMMAR, cast(VisionModels, Told(told)))  # CLIP is not asked
        (seen,) = encoder.detect([Image.new("1", photo.size)])
        words = encoder.words(seen)
        named = {
            axis.symbol: axis.values[words[axis.symbol]].name
            for axis in GRAMMAR.axes
            if axis.symbol in words and axis.reads != "scene"
        }
        counts = _counts(seen)
        result["presence"].append({kind for kind, _ in counts})
        result["counts"].append(counts)
        result["people"].append({named["Density"]})
        result["encodings"].append({tuple(named.values())} if "Noun" in named else set())
    return result


def _counts(seen: SceneContents) -> set[tuple[str, str]]:
    counts = {thing.value: thing.count for thing in seen.objects}
    if seen.people:
        counts[_PERSON] = seen.people
    return {(kind, "one" if count == 1 else "many") for kind, count in counts.items()}


def scores(true: Pairs, said: Pairs) -> dict[str, float]:
    """Compare what was said with the truth, over all photographs together.

    Args:
        true: of each photograph.
        said: of each photograph.

    Returns:
        "precision", "recall" and "f1", 0 to 1, and "right", "said" and "true", counts.
    """
    right = sum(len(t & s) for t, s in zip(true, said, strict=True))
    n_said, n_true = sum(map(len, said)), sum(map(len, true))
    return {
        "precision": right / n_said if n_said else 0.0,
        "recall": right / n_true if n_true else 0.0,
        "f1": 2 * right / (n_said + n_true) if n_said + n_true else 0.0,
        "right": right, "said": n_said, "true": n_true,
    }  # fmt: skip


def choose(
    photos: Sequence[Photo], seen: dict[float, list[list[Detection]]]
) -> tuple[float, float, list[dict[str, float]]]:
    """Choose both thresholds: presence knows no overlap, so confidence comes first.

    Args:
        photos: on which.
        seen: what was detected in them at the lowest confidence, by overlap.

    Returns:
        Confidence, overlap, and what was tried.
    """
    true, tried = read(photos, [photo.truth for photo in photos]), []
    for overlap in OVERLAPS:
        for confidence in CONFIDENCES:
            said = read(photos, surer(seen[overlap], confidence))
            f1 = {f"{what} f1": scores(true[what], said[what])["f1"] for what in true}
            tried.append({"confidence": confidence, "overlap": overlap} | f1)
    best = max(tried, key=lambda row: (row["presence f1"], row["counts f1"]))
    return best["confidence"], best["overlap"], tried


def interval_of_gain(true: Pairs, ours: Pairs, raw: Pairs) -> tuple[float, float]:
    """Bootstrap the difference of two F1 over photographs.

    Args:
        true: of each photograph.
        ours: what was said of each.
        raw: what else was said of each.

    Returns:
        The middle 95 % of ours - raw.
    """
    rows = np.array(
        [
            (len(t & o), len(o) + len(t), len(t & r), len(r) + len(t))
            for t, o, r in zip(true, ours, raw, strict=True)
        ],
        float,
    )
    drawn = rng(0, "photographs").integers(len(rows), size=(_RESAMPLES, len(rows)))
    sums = rows[drawn].sum(axis=1)
    low, high = np.quantile(
        2 * sums[:, 0] / sums[:, 1] - 2 * sums[:, 2] / sums[:, 3], (0.025, 0.975)
    )
    return float(low), float(high)


def judge(
    photos: Sequence[Photo], seen: dict[float, list[list[Detection]]], first: slice, second: slice
) -> dict[str, Any]:
    """Choose on some photographs and judge on others.

    Args:
        photos: all.
        seen: what was detected in them at the lowest confidence, by overlap.
        first: which of them the thresholds are chosen on.
        second: which of them are held back.

    Returns:
        The names of both, the thresholds, the figures, and what was tried.
    """
    confidence, overlap, tried = choose(photos[first], {k: v[first] for k, v in seen.items()})
    held = photos[second]
    true = read(held, [photo.truth for photo in held])
    ours = read(held, surer(seen[overlap][second], confidence))
    raw = read(held, surer(seen[RAW[1]][second], RAW[0]))
    figures = {
        what: {
            "chosen": scores(true[what], ours[what]),
            "raw": scores(true[what], raw[what]),
            "f1_gain_95": interval_of_gain(true[what], ours[what], raw[what]),
        }
        for what in true
    }
    return {
        "chosen_on": [photo.file.name for photo in photos[first]],
        "held_back": [photo.file.name for photo in held],
        "chosen": {"confidence": confidence, "overlap": overlap},
        "raw": {"confidence": RAW[0], "overlap": RAW[1]},
        "figures": figures,
        "tried": tried,
    }


def measure(material: Path) -> dict[str, Any]:
    """Choose on one half and judge on the other; then the other way round, to see the noise.

    Args:
        material: the material folder.

    Returns:
        The result as JSON can say it.
    """
    photos = photographs(material)
    seen = {overlap: kept_detections(material, photos, overlap) for overlap in OVERLAPS}
    even, odd = slice(0, None, 2), slice(1, None, 2)
    note = {"photographs": "COCO train2017, seen by the detector in its training"}
    return note | judge(photos, seen, even, odd) | {"swapped": judge(photos, seen, odd, even)}


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--material", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/photographs.json"))
    options = parser.parse_args()
    found = measure(options.material)
    write_json(options.out, found)
    for way in (found, found["swapped"]):
        _show(way)


def _show(found: dict[str, Any]) -> None:
    print(found["chosen"])
    for what, figures in found["figures"].items():
        for who in ("chosen", "raw"):
            row = figures[who]
            shown = "  ".join(f"{name} {row[name]:.3f}" for name in ("precision", "recall", "f1"))
            print(f"{what:10}{who:8}{shown}  {row['right']} of {row['said']}/{row['true']}")
        low, high = figures["f1_gain_95"]
        print(f"{what:10}gain of F1, 95 %: {low:+.3f} to {high:+.3f}")


if __name__ == "__main__":
    main()
