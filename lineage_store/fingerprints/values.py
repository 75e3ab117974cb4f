"""What a value is, as one digest: equal values have equal fingerprints, in any process.

| value | what the SHA-256 is over |
| --- | --- |
| `bytes`, a `Path` of a file | the bytes, as `sha256sum` has it |
| a `Path` of a directory | names and contents, see `fingerprints.files` |
| what JSON has, lists and dicts of it | its text in the canonical encoding of `cache.canonical` |
| lists, sets and dicts of anything else | the fingerprints of what they hold |
| enums, dataclasses, dates, `Decimal`, `UUID` | the name of the type, and the value |
| numpy, pandas and Arrow | data types, shapes, labels and values, see `fingerprints.arrays` |
| what is registered | the name of the type, and what stands for the value |

A tuple counts as a list. All but bytes and files are hashed behind a tag, so that values of
different sorts never meet.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path, PurePath
from typing import Any, TypeVar
from uuid import UUID

from lineage_store import errors
from lineage_store.cache.canonical import encode
from lineage_store.fingerprints import arrays
from lineage_store.fingerprints.files import Progress, digest_of_path

T = TypeVar("T")

_Inner = Callable[[Any], bytes]
_Parts = Iterable[bytes | memoryview]

_registered: dict[type, Callable[[Any], Any]] = {}


def fingerprint(value: Any, *, progress: Progress | None = None) -> str:
    """Return "sha256:" and 64 hexadecimal digits that stand for the content of a value.

    A `str` is text, never a path: give a `pathlib.Path` for a file or a directory.

    Args:
        value: See the table of this module.
        progress: Called with path, bytes done and bytes in all while a file is read.

    Raises:
        InvalidArgument: The type is not known, or the value holds itself.
        OSError: A file can't be read.
    """
    try:
        return f"sha256:{_digest(value, progress).hex()}"
    except RecursionError:
        raise errors.InvalidArgument(
            f"a value of type {_name(type(value))} holds itself, or is nested too deep"
        ) from None


def register(kind: type[T], stand_in: Callable[[T], Any]) -> None:
    """Make values of a type, and of its subclasses, known to `fingerprint`.

    Args:
        kind: The type; one that is known anyway is taken over.
        stand_in: Returns what stands for the content of a value: anything that has a fingerprint
            itself, such as bytes, a dict of parameters, or a tuple of arrays.
    """
    _registered[kind] = stand_in


def is_registered(kind: type) -> bool:
    """Return whether values of a type have a stand-in."""
    return _stand_in_of(kind) is not None


def _digest(value: Any, progress: Progress | None) -> bytes:
    """Return the 32 bytes of a fingerprint."""
    stand_in = _stand_in_of(type(value))
    if stand_in is not None:
        return _tagged(f"registered {_name(type(value))}", [_stood_for(value, stand_in, progress)])
    if isinstance(value, bytes | bytearray | memoryview):
        return hashlib.sha256(value).digest()
    if isinstance(value, Path):
        return digest_of_path(value, progress)
    text = _canonical(value)
    if text is not None:
        return _tagged("value", [text])
    return _composed(value, lambda part: _digest(part, progress))


def _stand_in_of(kind: type) -> Callable[[Any], Any] | None:
    return next((_registered[base] for base in kind.__mro__ if base in _registered), None)


def _stood_for(value: Any, stand_in: Callable[[Any], Any], progress: Progress | None) -> bytes:
    found = stand_in(value)
    if found is value:
        raise errors.InvalidArgument(
            f"what is registered for {_name(type(value))} returns the value itself"
        )
    return _digest(found, progress)


def _canonical(value: Any) -> bytes | None:
    """Return the canonical text of a value; None: it has none."""
    if not _is_plain(value):
        return None
    try:
        return encode(value, max_characters=None).encode()
    except errors.InvalidArgument:
        return None


def _is_plain(value: Any) -> bool:
    """Return whether a value is of JSON; a subclass, such as an enum of texts, is not."""
    if type(value) is dict:
        return all(type(key) is str and _is_plain(item) for key, item in value.items())
    if type(value) in {list, tuple}:
        return all(map(_is_plain, value))
    return value is None or type(value) in {bool, int, float, str, bytes}


def _composed(value: Any, inner: _Inner) -> bytes:
    """Return the digest of a value that is made up of parts."""
    table = arrays.parts(value, inner)
    if table is not None:
        return _tagged("table", table)
    for read in (_collection, _scalar, _structure):
        found = read(value, inner)
        if found is not None:
            return _tagged(*found)
    raise errors.InvalidArgument(
        f"a value of type {_name(type(value))} has no fingerprint; say what stands for it with "
        f"lineage_store.fingerprints.register({type(value).__qualname__}, function)"
    )


def _collection(value: Any, inner: _Inner) -> tuple[str, _Parts] | None:
    if isinstance(value, list | tuple):
        return "list", map(inner, value)
    if isinstance(value, set | frozenset):
        return "set", sorted(map(inner, value))
    if isinstance(value, Mapping):
        pairs = sorted((inner(key), inner(item)) for key, item in value.items())
        return "mapping", (part for pair in pairs for part in pair)
    return None


def _scalar(value: Any, inner: _Inner) -> tuple[str, _Parts] | None:
    kind = _name(type(value))
    if isinstance(value, Enum):
        return kind, [inner(value.value)]
    if isinstance(value, str):
        return kind, [str.encode(value, "utf-8", "surrogatepass")]
    if isinstance(value, int):
        return kind, [hex(value).encode()]
    if isinstance(value, float):
        return kind, [float.__repr__(value).encode()]
    if isinstance(value, PurePath | Decimal | UUID | timedelta):
        return kind, [str(value).encode("utf-8", "surrogatepass")]
    return (kind, [value.isoformat().encode()]) if isinstance(value, date | time) else None


def _structure(value: Any, inner: _Inner) -> tuple[str, _Parts] | None:
    if not is_dataclass(value) or isinstance(value, type):
        return None
    members = [(field.name, getattr(value, field.name)) for field in fields(value)]
    return _name(type(value)), (
        part for name, item in members for part in (name.encode(), inner(item))
    )


def _tagged(tag: str, parts: _Parts) -> bytes:
    """Return the SHA-256 of a tag and of parts, none of which can be mistaken for two."""
    content = hashlib.sha256(f"lineage-store fingerprint 1 {tag}\0".encode())
    for part in parts:
        content.update(len(part).to_bytes(8, "big"))
        content.update(part)
    return content.digest()


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
