"""Database URLs."""

from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from lineage_store import errors
from lineage_store.database.sqlite import SqliteDriver

FORMS = "sqlite:///PATH, sqlite:////ABSOLUTE/PATH, or sqlite:// for one in memory"


def driver_for(url: str) -> SqliteDriver:
    """Return the driver of a database URL.

    Raises:
        InvalidArgument: The URL is malformed or names a database that is not supported.
    """
    parts = urlsplit(url)
    if parts.scheme != "sqlite" or parts.netloc or parts.fragment:
        raise errors.InvalidArgument(f"{without_password(url)!r} is not a database URL: {FORMS}")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    mode = options.pop("mode", "rwc")
    if options or mode not in {"rwc", "rw", "ro"}:
        unknown = next(iter(options), f"mode={mode}")
        raise errors.InvalidArgument(f"unknown option {unknown!r} in the URL; mode=rwc|rw|ro")
    path = unquote(parts.path)
    if path in {"", "/", "/:memory:"}:
        return SqliteDriver(None)
    return SqliteDriver(Path(path[1:]), mode)


def without_password(url: str) -> str:
    """Return the URL fit for a log: without its password."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user.partition(':')[0]}:***@{host}").geturl()
