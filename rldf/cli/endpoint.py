"""`--base-url`: where the images API of `--models openai:MODEL` is."""

import os
from typing import Annotated

import typer

BaseUrl = Annotated[
    str | None,
    typer.Option(
        "--base-url", metavar="URL", help="Where the images API of --models openai:MODEL is."
    ),
]


def models_at(models: str, base_url: str | None) -> str:
    """Put what was typed for `--models` and `--base-url` together.

    An address that a person has typed is one that may be sent the person's key, as one in
    OPENAI_BASE_URL is; one that stands in a model set's file is not. OPENAI_BASE_URL says as well
    where an API is whose address is left out.
    """
    from rldf.models.api_sets import at, is_api, without_address

    if base_url is not None:
        return at(models, base_url)
    own = os.environ.get("OPENAI_BASE_URL")
    if own and is_api(models) and models == without_address(models):
        return at(models, own)
    return models
