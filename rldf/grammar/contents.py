"""What detector and scene classifier see in an image, in the words of a grammar."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenObject:
    """The boxes of one noun.

    Attributes:
        value: the noun's name in the grammar.
        count: number of boxes; None where nobody counted.
        confidence: mean confidence of the boxes, 0 to 1.
        weight: sum of confidence x share of the image's area.
    """

    value: str
    count: int | None
    confidence: float
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneContents:
    """What detector and scene classifier see in an image, in a grammar's words.

    Attributes:
        objects: nouns, the dominant first; people are not among them.
        people: number of people; None where nobody counted.
        people_confidence: mean confidence of the people's boxes; None if there are none.
        scenes: probability by scene value (they sum to less than 1 where the classifier knows
            more scenes than the grammar).
        ignored: labels that the detector saw and the grammar has no word for.
        boxes: number of boxes in all.
        actions: sum of confidences by label of the people, in plain spelling.
        elsewhere: the classifier's most probable scene that the grammar has no word for, with its
            probability.
    """

    objects: tuple[SeenObject, ...]
    people: int | None
    people_confidence: float | None
    scenes: dict[str, float]
    ignored: tuple[str, ...]
    boxes: int = 0
    actions: Mapping[str, float] = field(default_factory=dict)
    elsewhere: tuple[str, float] | None = None

    @property
    def scene(self) -> str | None:
        """The most probable scene value; None where no scene of the grammar has a probability."""
        if not any(share > 0 for share in self.scenes.values()):
            return None
        return max(self.scenes, key=self.scenes.__getitem__)
