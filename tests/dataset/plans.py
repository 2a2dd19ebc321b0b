"""Small plans for the tests."""

from rldf.dataset.classes import chosen, world_vocabulary
from rldf.dataset.config import PlanConfig
from rldf.dataset.plan import Plan, make_plan
from rldf.dataset.presets import load_preset
from rldf.grammar.grammar import load_grammar

POCKET = load_grammar("pocket")


def pocket_config(
    classes: str = "3",
    splits: dict[str, int] | None = None,
    preset: str = "paper",
    seed: int = 0,
    **changes: object,
) -> PlanConfig:
    """Configure a plan over the pocket grammar's nouns, without any model."""
    return PlanConfig(
        classes=chosen(world_vocabulary(POCKET, "pocket"), classes),
        splits=splits or {"train": 20, "val": 3, "test": 2},
        preset=load_preset(preset),
        grammar=POCKET,
        models={"name": "none"},
        seed=seed,
        **changes,
    )


def pocket_plan(*args: object, **changes: object) -> Plan:
    """Make such a plan."""
    return make_plan(pocket_config(*args, **changes))
