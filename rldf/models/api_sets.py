"""`openai:MODEL@URL`: a model set whose pictures come from an images API.

What looks at the pictures is the default set's. A model set file with a generator of class
`images-api` says the same, with options and readers of its own.
"""

import re

from rldf.errors import ConfigError
from rldf.models.schema import ModelSetFile, Options, PartFile

_FORM = re.compile(r"openai:(?P<model>[\w./:-]+)(@(?P<url>\S+))?")


def is_api(name: str) -> bool:
    """Tell whether a name means an images API."""
    return name.startswith("openai:")


def without_address(name: str) -> str:
    """Take the address out of a name."""
    return name.partition("@")[0] if is_api(name) else name


def at(name: str, base_url: str | None) -> str:
    """Put the address of `--base-url` into the name, so that the name alone says all."""
    if base_url is None:
        return name
    if not is_api(name) or name != without_address(name):
        raise ConfigError(
            f"--base-url {base_url} with --models {name}: it goes with --models openai:MODEL"
        )
    return f"{name}@{base_url}"


def api_file(name: str, readers: ModelSetFile) -> ModelSetFile:
    """Describe the model set of an images API."""
    found = _FORM.fullmatch(name)
    if found is None:
        raise ConfigError(f"--models {name}: give openai:MODEL, and --base-url with its address")
    options: Options = {"model": found["model"]}
    if found["url"]:
        options["base_url"] = found["url"]
    own = {
        role: part.model_copy(update={"license": part.license or readers.license})
        for role, part in readers.parts().items()
    }
    return readers.model_copy(
        update=own
        | {
            "name": "openai-" + re.sub(r"[^a-z0-9.-]+", "-", found["model"].lower()),
            "description": f"{found['model']} by its API, read by {readers.name}",
            "vocabulary_grammar": None,
            "license": "",
            "generator": PartFile.model_validate({"class": "images-api", "options": options}),
        }
    )
