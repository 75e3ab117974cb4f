"""The URLs of stores."""

from pathlib import Path
from urllib.parse import urlsplit

from lineage_store import errors
from lineage_store.masking import masked_url

DATABASES = {"sqlite", "postgresql", "postgres", "mysql", "mariadb"}
"""Schemes of stores that are opened in this process."""

SERVERS = {"grpc", "grpcs"}
"""Schemes of stores that a server keeps."""


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
