"""Features: the same in any batch, computed once, and never for a damaged image."""

import numpy as np
import pytest

from rldf.errors import ImageError
from rldf.evaluation import features
from rldf.evaluation.features import EvaluationCache, extract, features_key
from rldf.evaluation.image_sets import open_images, read_contents
from rldf.evaluation.pairs import open_feature_set
from tests.evaluation.sets import Thumbnail, write_set


def test_features_do_not_depend_on_the_batch_and_come_in_the_order_of_the_set(
    tmp_path, monkeypatch
):
    images, told = open_images(write_set(tmp_path, {"": 7})), []
    whole = extract(images, 21, Thumbnail(), lambda *step: told.append(step[1:]))
    assert told == [(21, 21)]
    monkeypatch.setattr(features, "BATCH", 4)
    assert np.array_equal(extract(images, 21, Thumbnail(), lambda *_: None), whole)
    first = images.decode(next(iter(images)))
    assert np.array_equal(Thumbnail()([first])[0], whole[0])


def test_known_features_are_not_computed_again(tmp_path):
    root, extractor = write_set(tmp_path / "set", {"": 3}), Thumbnail()
    cache = EvaluationCache(tmp_path / "cache")
    once, again = (
        open_feature_set(root, extractor, cache, lambda *_: None).features for _ in range(2)
    )
    assert np.array_equal(once, again)
    assert again.dtype == np.float32
    assert extractor.looked_at == 9


def test_another_extractor_or_another_image_has_another_key(tmp_path):
    root = write_set(tmp_path, {"": 3})
    before = read_contents(open_images(root))
    assert features_key(before, Thumbnail(2)) != features_key(before, Thumbnail(3))
    (root / "n01" / "n01_0000.png").unlink()
    after = read_contents(open_images(root))
    assert features_key(before, Thumbnail()) != features_key(after, Thumbnail())


def test_a_damaged_image_ends_it(tmp_path):
    root = write_set(tmp_path, {"": 3})
    (root / "n02" / "n02_0001.png").write_bytes(b"no image")
    with pytest.raises(ImageError, match=r"n02_0001\.png is not an image"):
        extract(open_images(root), 9, Thumbnail(), lambda *_: None)
