"""Names of files and folders that every system takes."""

import re

_DEVICES = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\..*)?", re.IGNORECASE
)


def portable(name: str) -> str:
    """Change a name that Windows keeps for a device, whatever its ending."""
    if not _DEVICES.fullmatch(name):
        return name
    stem, point, ending = name.partition(".")
    return f"{stem.rstrip()}-1{point}{ending}"
