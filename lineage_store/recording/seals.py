"""Seals: proof that this user's own function wrote a pickle, whatever a store says.

A seal is an HMAC-SHA256 with a key that each user has in a file of his own, made at the first use:
`lineage-store/seal.key` in $XDG_CONFIG_HOME or ~/.config (in %APPDATA% on Windows). It never leaves
that file. Users who take over each other's pickles share a key: `LINEAGE_STORE_SEAL_KEY` is the
path of its file.
"""

import hashlib
import hmac
import os
import secrets
import stat
import sys
from pathlib import Path

from lineage_store.private_files import make_private_directory
from lineage_store.recording.diagnostics import warn_once
from lineage_store.recording.restoring import open_regular

KEY_FILE = "LINEAGE_STORE_SEAL_KEY"
"""The environment variable with the path of a key that several users share."""

KEY_BYTES = 32

_VERSION = b"lineage-store seal 1"
_MOST_BYTES = 4096
_OTHERS = 0o077


def seal(*parts: str) -> str | None:
    """Return the seal over some texts, in hexadecimal; None: there is no key, which is logged."""
    key = _key()
    if key is None:
        return None
    content = hmac.new(key, _VERSION, hashlib.sha256)
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        content.update(len(encoded).to_bytes(8, "big") + encoded)
    return content.hexdigest()


def is_sealed(text: bytes | None, *parts: str) -> bool:
    """Return whether a text is the seal over some texts."""
    expected = seal(*parts)
    return (
        text is not None
        and expected is not None
        and hmac.compare_digest(text.strip(), expected.encode())
    )


def _key() -> bytes | None:
    shared = os.environ.get(KEY_FILE)
    path = Path(shared) if shared else config_directory() / "seal.key"
    try:
        if not shared and not path.exists():
            _create(path)
        return _read_key(path, is_own=not shared)
    except OSError as error:
        warn_once(f"seal {error}", "nothing is pickled, nor read from a pickle: %s", error)
        return None


def _read_key(path: Path, *, is_own: bool) -> bytes:
    """Return a key.

    Raises:
        OSError: It is not there, no key, or of someone else.
    """
    with open_regular(path) as file:
        status = os.fstat(file.fileno())
        key = file.read(_MOST_BYTES)
    if is_own and sys.platform != "win32":
        is_private = not stat.S_IMODE(status.st_mode) & _OTHERS
        if status.st_uid != os.geteuid() or not is_private:
            raise PermissionError(f"{path} must belong to you, and nobody else may read it")
    if len(key) < KEY_BYTES:
        raise OSError(f"{path} has fewer than {KEY_BYTES} bytes")
    return key


def _create(path: Path) -> None:
    """Make a key; of several processes that do so at once, one wins."""
    make_private_directory(path.parent)
    new = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
        _take_place(new, path)
    finally:
        new.unlink(missing_ok=True)


def _take_place(new: Path, path: Path) -> None:
    """Give a file its name, unless another has it."""
    try:
        os.link(new, path)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        if not path.exists():
            new.replace(path)


def config_directory() -> Path:
    """Return the directory of the user's own files of this software."""
    if sys.platform == "win32":
        base = os.environ.get("APPDATA") or "~/AppData/Roaming"
    else:
        base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(os.path.expanduser(base), "lineage-store")  # noqa: PTH111 - one without home is no error
