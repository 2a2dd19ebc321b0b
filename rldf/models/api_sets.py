"""`openai:MODEL@URL`: a model set whose generator is an images API.

Detector, scene classifier, CLIP and photograph reader are those of the default model set. A model
set file with a generator of class `images-api` can name other options and other such parts.
"""

import re

from rldf.errors import ConfigError
from rldf.models.schema import ModelSetFile, Options, PartFile

_FORM = re.compile(r"openai:(?P<model>[\w./:-]+)(@(?P<url>\S+))?")


def is_api(name: str) -> bool:
    """Return whether a model set's name has the form `openai:...`, an images API."""
    return name.startswith("openai:")


def without_address(name: str) -> str:
    """Return a model set's name without `@URL`."""
    return name.partition("@")[0] if is_api(name) else name


def at(name: str, base_url: str | None) -> str:
    """Append the value of `--base-url` to the name: `openai:MODEL@URL`."""
    if base_url is None:
        return name
    if not is_api(name) or name != without_address(name):
        raise ConfigError(
            f"--base-url {base_url} with --models {name}: it goes with --models openai:MODEL alone"
        )
    return f"{name}@{base_url}"


def api_file(name: str, readers: ModelSetFile) -> ModelSetFile:
    """Make the model set file of an images API; all parts but the generator are `readers`'."""
    found = _FORM.fullmatch(name)
    if found is None:
        raise ConfigError(
            f"--models {name}: type --models openai:MODEL --base-url URL, with a model's name and "
            "its server's address"
        )
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
            "description": f"{found['model']} by its API; {readers.name} reads its images",
            "vocabulary_grammar": None,
            "license": "",
            "generator": PartFile.model_validate({"class": "images-api", "options": options}),
        }
    )
