"""URLs of MySQL and MariaDB: hosts, user, password, database, TLS."""

import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from lineage_store import errors
from lineage_store.database.drivers.urls import read_password

DEFAULT_PORT = 3306
FORM = "mysql://USER@HOST:PORT[,HOST:PORT…]/NAME?ca=FILE&password_file=FILE"

_TLS = {"ca": "ssl_ca", "cert": "ssl_cert", "key": "ssl_key"}
_MAX_PORT = 65_535


@dataclass(frozen=True, slots=True)
class MysqlUrl:
    """The parts of a URL.

    Attributes:
        hosts: Host and port of each server that has the database, the first to be tried first.
        arguments: The arguments of a connection to any of them, beside host and port.
    """

    hosts: tuple[tuple[str, int], ...]
    arguments: dict[str, Any]


def parse(url: str) -> MysqlUrl:
    """Return the parts of a URL.

    Raises:
        InvalidArgument: It is malformed, or the file with the password can't be read.
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets that do not match
        raise _malformed() from None
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    socket = options.pop("unix_socket", None)
    user, hosts = _user_and_hosts(parts, socket)
    database = unquote(parts.path.strip("/"))
    password = _password(parts, options.pop("password_file", None))
    tls = {_TLS[name]: options.pop(name) for name in tuple(options) if name in _TLS}
    if options or not database or not hosts or parts.fragment:
        raise _malformed()
    return MysqlUrl(
        hosts,
        {
            "user": user,
            "password": password,
            "database": database,
            "unix_socket": socket,
            **tls,
            **({"ssl_verify_cert": True} if "ssl_ca" in tls else {}),
        },
    )


def _user_and_hosts(
    parts: SplitResult, socket: str | None
) -> tuple[str, tuple[tuple[str, int], ...]]:
    login, _, addresses = parts.netloc.rpartition("@")
    if not addresses and socket:
        addresses = "localhost"
    hosts = tuple(_host(address) for address in addresses.split(",") if address)
    return unquote(login.partition(":")[0]), hosts


def _host(address: str) -> tuple[str, int]:
    if address.startswith("["):  # an IPv6 address
        host, bracket, rest = address[1:].partition("]")
        if not bracket:
            raise _malformed()
    else:
        host, colon, port = address.partition(":")
        rest = colon + port
    port = rest.removeprefix(":") or str(DEFAULT_PORT)
    if not host or not port.isdecimal() or not 0 < int(port) <= _MAX_PORT:
        raise _malformed()
    return host, int(port)


def _password(parts: SplitResult, file: str | None) -> str:
    if file is not None:
        return read_password(file)
    url_password = parts.netloc.rpartition("@")[0].partition(":")[2]
    return unquote(url_password) or os.environ.get("MYSQL_PWD", "")


def _malformed() -> errors.InvalidArgument:
    return errors.InvalidArgument(f"the database URL is not of the form {FORM}")
