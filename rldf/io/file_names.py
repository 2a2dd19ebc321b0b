"""Names of files and folders that are valid on every operating system."""

import re

_DEVICES = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\..*)?", re.IGNORECASE
)


def portable(name: str) -> str:
    """Return a name, with "-1" after its stem if Windows reserves it: "nul-1.txt"."""
    if not _DEVICES.fullmatch(name):
        return name
    stem, point, ending = name.partition(".")
    return f"{stem.rstrip()}-1{point}{ending}"
