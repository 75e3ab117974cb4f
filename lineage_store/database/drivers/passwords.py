"""Passwords that stand in a file, as orchestrators of containers mount their secrets."""

from pathlib import Path

from lineage_store import errors

MAX_BYTES = 4096


def read_password(path: str) -> str:
    """Return the first line of a file.

    Raises:
        InvalidArgument: It can't be read, or holds no password.
    """
    try:
        with Path(path).open("rb") as file:
            line = file.read(MAX_BYTES).decode().partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise errors.InvalidArgument(
            f"the password file {path} can't be read: {type(error).__name__}"
        ) from None
    if not line:
        raise errors.InvalidArgument(f"the password file {path} is empty")
    return line
