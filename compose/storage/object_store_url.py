"""The object store that a setting names."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from compose.storage.local import LocalObjects


def open_objects(url: str, *, make: bool = True) -> LocalObjects:
    """The store that a setting names: `file:///absolute/directory`, or `file:relative`.

    One that is not there is made, unless `make` says otherwise.
    """
    parts = urlsplit(url)
    if parts.scheme != "file" or parts.netloc:
        raise ValueError(
            f"HEADRACE_OBJECT_STORE is {url!r}; this version stores in a directory: file:///…"
        )
    return LocalObjects(Path(unquote(parts.path)), make=make)
