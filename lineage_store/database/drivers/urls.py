"""Database URLs, and the password files that they name."""

from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from lineage_store import errors
from lineage_store.database.connection import Driver
from lineage_store.database.drivers.sqlite import SqliteDriver
from lineage_store.masking import masked_url

FORMS = (
    "sqlite:///PATH, sqlite:////ABSOLUTE/PATH, sqlite:// for one in memory, "
    "postgresql://USER@HOST:PORT/NAME, mysql://USER@HOST:PORT/NAME"
)

MAX_PASSWORD_BYTES = 4096


def driver_for(url: str) -> Driver:
    """Return the driver of a database URL.

    Raises:
        InvalidArgument: The URL is malformed or names a database that is not supported.
    """
    scheme = url.partition(":")[0]
    if scheme in {"postgresql", "postgres"}:
        return _postgresql(url)
    if scheme in {"mysql", "mariadb"}:
        return _mysql(url)
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets that do not match
        raise _no_database(url) from None
    if parts.scheme != "sqlite" or parts.netloc or parts.fragment:
        raise _no_database(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    mode = options.pop("mode", "rwc")
    if options or mode not in {"rwc", "rw", "ro"}:
        unknown = next(iter(options), f"mode={mode}")
        raise errors.InvalidArgument(f"unknown option {unknown!r} in the URL; mode=rwc|rw|ro")
    path = unquote(parts.path)
    if path in {"", "/", "/:memory:"}:
        return SqliteDriver(None)
    return SqliteDriver(Path(path[1:]), mode)


def _no_database(url: str) -> errors.InvalidArgument:
    return errors.InvalidArgument(f"{masked_url(url)!r} is not a database URL: {FORMS}")


def _postgresql(url: str) -> Driver:
    try:
        from lineage_store.database.drivers.postgresql import PostgresqlDriver  # noqa: PLC0415 - an extra
    except ImportError:
        raise errors.FailedPrecondition(
            "PostgreSQL needs a package more: pip install 'lineage-store[postgresql]'"
        ) from None
    return PostgresqlDriver(url)


def _mysql(url: str) -> Driver:
    try:
        from lineage_store.database.drivers.mysql import MysqlDriver  # noqa: PLC0415 - an extra
    except ImportError:
        raise errors.FailedPrecondition(
            "MySQL needs a package more: pip install 'lineage-store[mysql]'"
        ) from None
    return MysqlDriver(url)


def read_password(path: str) -> str:
    """Return the password in the first line of a file, as containers mount their secrets.

    Raises:
        InvalidArgument: It can't be read, or holds no password.
    """
    try:
        with Path(path).open("rb") as file:
            line = file.read(MAX_PASSWORD_BYTES).decode().partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise errors.InvalidArgument(
            f"the password file {path} can't be read: {type(error).__name__}"
        ) from None
    if not line:
        raise errors.InvalidArgument(f"the password file {path} is empty")
    return line
