"""The option `--base-url`: the address of the images API for `--models openai:MODEL`."""

import os
from typing import Annotated

import typer

BaseUrl = Annotated[
    str | None,
    typer.Option(
        "--base-url", metavar="URL", help="Address of the images API for --models openai:MODEL."
    ),
]


def models_at(models: str, base_url: str | None) -> str:
    """Add the address of the images API to the name of a model set.

    Without `base_url`, the address is OPENAI_BASE_URL if `models` is an API without an address. The
    user's key is sent to these two addresses alone, never to one in the file of a model set.
    """
    from rldf.models.api_sets import at, is_api, without_address

    if base_url is not None:
        return at(models, base_url)
    own = os.environ.get("OPENAI_BASE_URL")
    if own and is_api(models) and models == without_address(models):
        return at(models, own)
    return models
