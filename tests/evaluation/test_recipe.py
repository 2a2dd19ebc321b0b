"""The recipe: batch sizes for small sets, and the learning-rate schedule."""

import pytest

from rldf.evaluation.classification import Recipe, batch_size, rate_at


def test_the_defaults_are_those_of_the_recipe_that_the_paper_cites():
    recipe = Recipe()
    assert (recipe.epochs, recipe.rate, recipe.batch) == (200, 0.2, 256)


@pytest.mark.parametrize(
    ("n", "batch"), [(130_000, 256), (6144, 256), (6143, 128), (900, 32), (100, 16), (5, 5)]
)
def test_small_sets_have_small_batches(n, batch):
    assert batch_size(Recipe(), n) == batch


def test_the_rate_rises_then_falls_to_nothing():
    recipe, steps = Recipe(), 1000
    rates = [rate_at(recipe, 128, step, steps) for step in range(steps)]
    top = rates.index(max(rates))
    assert max(rates) == pytest.approx(0.1)
    assert top == 50
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert 0 < rates[0] < 0.01
    assert rates[525] == pytest.approx(0.05, rel=1e-6)
    assert 0 <= rates[-1] < 1e-5


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_even_the_shortest_training_has_a_rate_at_every_step(steps):
    assert all(0 < rate_at(Recipe(), 16, step, steps) <= 0.2 for step in range(steps))
