"""`rldf cache`: the images that were drawn before."""

import typer

from rldf.cli import output
from rldf.errors import RldfError

app = typer.Typer(help="Look at or empty the cache of drawn images.", no_args_is_help=True)


@app.command()
def info(as_json: output.JsonFlag = False) -> None:
    """Print where the cache is and how much it holds."""
    from rldf.generators.cached import ANSWERS, LIMIT, usage
    from rldf.places import cache_folder

    folder = cache_folder()
    entries, size = usage(folder)
    answers, answers_size = usage(folder, ANSWERS)
    output.result(
        {
            "folder": str(folder), "images": entries, "bytes": size, "limit": LIMIT,
            "answers": answers, "answers_bytes": answers_size,
        },
        [f"{folder}: {entries} images, {size / 1e6:.1f} MB of at most {LIMIT / 1e6:.0f} MB"]
        + [f"{folder / ANSWERS}: {answers} images of APIs, {answers_size / 1e6:.1f} MB, which stay "
           "until you remove that folder"] * bool(answers),
        as_json=as_json,
    )  # fmt: skip


@app.command()
def clear(as_json: output.JsonFlag = False) -> None:
    """Remove every cached image but those of APIs; nothing else in the folder is touched."""
    from rldf.generators.cached import shrink
    from rldf.places import cache_folder

    try:
        removed = shrink(cache_folder(), 0)
    except OSError as error:
        raise RldfError(
            f"{error.filename} cannot be removed: {error.strerror}; look at its owner and "
            "permissions"
        ) from None
    output.result(
        {"folder": str(cache_folder()), "removed": removed},
        [f"removed {removed} images from {cache_folder()}"],
        as_json=as_json,
    )
