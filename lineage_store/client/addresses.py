"""The URLs of stores."""

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from lineage_store import errors
from lineage_store.masking import masked_url

DATABASES = {"sqlite", "postgresql", "postgres", "mysql", "mariadb"}
"""Schemes of stores that are opened in this process."""

SERVERS = {"grpc", "grpcs"}
"""Schemes of stores that a server keeps."""

_HOST_AND_PORT = re.compile(r"[\w.-]+:\d+")
_ESCAPES = str.maketrans({"%": "%25", "?": "%3F", "#": "%23"})
"""The characters of a path that mean something else in a URL."""


TLS_VARIABLES = {
    "ca": "LINEAGE_STORE_CA",
    "key": "LINEAGE_STORE_KEY",
    "certificate": "LINEAGE_STORE_CERT",
}
"""Environment variables that name TLS files, by argument of `lineage_store.connect`."""

Location = str | os.PathLike[str]
"""A store as people name it: a URL, or the path of an SQLite file."""


def store_url(location: Location) -> str:
    """Return the URL of a store; a path becomes that of an SQLite file.

    >>> store_url("lineage.db")
    'sqlite:///lineage.db'
    >>> store_url("grpc://lineage:8080")
    'grpc://lineage:8080'

    Raises:
        InvalidArgument: The text is empty, or is HOST:PORT without a scheme.
    """
    text = os.fspath(location)
    if isinstance(location, str) and ":" in location:
        if _HOST_AND_PORT.fullmatch(location):
            raise errors.InvalidArgument(
                f"{location!r} has no scheme; for a server, say grpc://{location}"
            )
        return location
    if not text:
        raise errors.InvalidArgument("the location of a store must not be empty")
    return f"sqlite:///{text.translate(_ESCAPES)}"


def check_url(url: str) -> None:
    """Check that a URL may name a store, without looking for it.

    Raises:
        InvalidArgument: It has another form.
    """
    scheme = url.partition(":")[0]
    if scheme in SERVERS:
        parse_target(url)
    elif scheme not in DATABASES:
        raise errors.InvalidArgument(
            "a store URL begins with sqlite:///PATH, sqlite:// (in memory), "
            "postgresql://HOST/NAME, mysql://HOST/NAME, grpc://HOST:PORT or grpcs://HOST:PORT, "
            f"not with {scheme!r}"
        )


def located(url: str) -> str:
    """Return a URL that means the same store in every directory: a file by its absolute path."""
    if not url.startswith("sqlite:"):
        return url
    path = url.removeprefix("sqlite:///")
    if path == url or not path or path.startswith((":memory:", "?")):
        return "sqlite://"
    return f"sqlite:///{Path(path).absolute()}"


def parse_target(url: str) -> tuple[str, bool]:
    """Return HOST:PORT and whether TLS is wanted, from grpc://HOST:PORT or grpcs://HOST:PORT.

    Raises:
        InvalidArgument: The URL has no host, no port, or something behind them.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # brackets that do not match, or no number
        raise _no_target(url) from None
    if not parts.hostname or port is None or parts.path.strip("/") or parts.query:
        raise _no_target(url)
    return parts.netloc, parts.scheme == "grpcs"


def _no_target(url: str) -> errors.InvalidArgument:
    shown = masked_url(url)
    return errors.InvalidArgument(f"{shown!r} is not of the form grpc://HOST:PORT")
