"""`rldf cache`: the images that were drawn before."""

from pathlib import Path

import typer

from rldf.cli import output
from rldf.errors import RldfError
from rldf.io.text import counted

app = typer.Typer(help="Look at or empty the cache of drawn images.", no_args_is_help=True)


@app.command()
def info(as_json: output.JsonFlag = False) -> None:
    """Print where the cache is and how much it holds."""
    from rldf.generators.cached import ANSWERS, LIMIT, RENDERS, image_cache
    from rldf.io.paths import cache_folder

    folder = cache_folder()
    entries, size = image_cache(folder).usage()
    answers, answers_size = image_cache(folder, ANSWERS).usage()
    others = _others(folder, (RENDERS, ANSWERS))
    output.result(
        {
            "folder": str(folder), "images": entries, "bytes": size, "limit": LIMIT,
            "answers": answers, "answers_bytes": answers_size, "others": others,
        },
        [f"{folder}: {counted(entries, 'image')}, {size / 1e6:.1f} MB "
         f"of at most {LIMIT / 1e6:.0f} MB"]
        + [f"{folder / ANSWERS}: {counted(answers, 'image')} of APIs, {answers_size / 1e6:.1f} MB, "
           "which stay until you remove that folder"] * bool(answers)
        + [f"{folder / name}: {size / 1e6:.1f} MB of evaluations or other work, which 'rldf cache "
           "clear' leaves" for name, size in others.items()],
        as_json=as_json,
    )  # fmt: skip


def _others(folder: Path, known: tuple[str, ...]) -> dict[str, int]:
    """Measure the other folders of the cache: bytes by name."""
    if not folder.is_dir():
        return {}
    found = {}
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name not in known:
            files = (file for file in path.rglob("*") if file.is_file() and not file.is_symlink())
            found[path.name] = sum(file.stat().st_size for file in files)
    return found


@app.command()
def clear(as_json: output.JsonFlag = False) -> None:
    """Remove every cached image but those of APIs; nothing else in the folder is touched."""
    from rldf.generators.cached import image_cache
    from rldf.io.paths import cache_folder

    try:
        removed = image_cache(cache_folder()).shrink(0)
    except OSError as error:
        raise RldfError(
            f"{error.filename} cannot be removed: {error.strerror}; look at its owner and "
            "permissions"
        ) from None
    output.result(
        {"folder": str(cache_folder()), "removed": removed},
        [f"removed {counted(removed, 'image')} from {cache_folder()}"],
        as_json=as_json,
    )
