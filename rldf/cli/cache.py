"""`rldf cache`: the images that were drawn before."""

import typer

from rldf.cli import output
from rldf.errors import RldfError

app = typer.Typer(help="Look at or empty the cache of drawn images.", no_args_is_help=True)


@app.command()
def info(as_json: output.JsonFlag = False) -> None:
    """Print where the cache is and how much it holds."""
    from rldf.generators.cached import LIMIT, usage
    from rldf.places import cache_folder

    folder = cache_folder()
    entries, size = usage(folder)
    output.result(
        {"folder": str(folder), "images": entries, "bytes": size, "limit": LIMIT},
        [f"{folder}: {entries} images, {size / 1e6:.1f} MB of at most {LIMIT / 1e6:.0f} MB"],
        as_json=as_json,
    )


@app.command()
def clear(as_json: output.JsonFlag = False) -> None:
    """Remove every cached image; nothing else in the folder is touched."""
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
