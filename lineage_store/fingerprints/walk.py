"""The walk through one value: each part of it as a token, each whole as a digest.

A scalar is its own token, a letter and its content; anything else is the digest over its tag and
the tokens of its parts. Parts have their length in front, so no two sequences of parts meet.
"""

import hashlib
import os
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import EnumType
from pathlib import Path
from typing import Any

from lineage_store import errors
from lineage_store.fingerprints.files import Progress, digest_of_path

VERSION = "lineage-store fingerprint 2"
"""The beginning of every hash; changes with the definition of a fingerprint."""

Part = bytes | memoryview
StandIn = Callable[[Any], Any]
Description = tuple[str, Iterable[Part]]
"""A tag, which names the type, and the parts."""

REMEMBERED_FROM = 32
"""Tokens from which on the digest of a value is kept: a shared value is read once."""


def tagged(tag: str, parts: Iterable[Part]) -> bytes:
    """Return the SHA-256 of a tag and of parts, none of which can be mistaken for two."""
    content = hashlib.sha256(f"{VERSION} {tag}\0".encode("utf-8", "surrogatepass"))
    for part in parts:
        content.update(len(part).to_bytes(8, "big"))
        content.update(part)
    return content.digest()


def type_name(kind: type) -> str:
    """Return the name of a type, with its module."""
    return f"{kind.__module__}.{kind.__qualname__}"


def _float(value: float) -> bytes:
    return b"f" + (b"nan" if value != value else struct.pack(">d", value))  # noqa: PLR0124


def _complex(value: complex) -> bytes:
    return b"c" + _float(value.real) + _float(value.imag)


SCALARS: Mapping[type, Callable[[Any], bytes]] = {
    type(None): lambda _: b"n",
    bool: lambda value: b"b%d" % value,
    int: lambda value: b"i" + hex(value).encode(),  # decimal digits have a limit, set per process
    float: _float,
    complex: _complex,
    str: lambda value: b"s" + value.encode("utf-8", "surrogatepass"),
    bytes: lambda value: b"y" + value,
    type(...): lambda _: b"e",
}
"""The writer of a scalar's token, by the exact type."""


class Walk:
    """Digests of one value and of all that it holds.

    Args:
        describe: Returns tag and parts of a value that is neither scalar, path nor registered.
        stand_ins: The registered functions, by type.
        progress: Called while a file is read.
        files: Whether a path counts as the file or directory there; else as its text.
        on_type: Called with the type of each whole that is met.
    """

    def __init__(
        self,
        describe: Callable[[Any, "Walk"], Description],
        stand_ins: Mapping[type, StandIn],
        progress: Progress | None,
        *,
        files: bool,
        on_type: Callable[[type], None] | None = None,
    ) -> None:
        self._describe = describe
        self._stand_ins = stand_ins
        self._progress = progress
        self._files = files
        self._on_type = on_type
        self._open: set[int] = set()
        # With the value itself, so that its id stays its own.
        self._digests: dict[int, tuple[Any, bytes]] = {}
        self._tokens = 0

    def token(self, value: object) -> bytes:
        """Return the bytes that stand for a part: few for a scalar, a digest for anything else."""
        self._tokens += 1
        kind = type(value)
        write = SCALARS.get(kind)
        if write is not None and self._stand_in(kind) is None:
            return write(value)
        return (b"p" if issubclass(kind, Path) else b"#") + self.digest(value)

    def tokens(self, values: Iterable[object]) -> Iterator[bytes]:
        """Yield the tokens of some parts."""
        return map(self.token, values)

    def pairs(self, items: Iterable[tuple[Any, object]]) -> Iterator[bytes]:
        """Yield the tokens of keys and values in turn; a path that is a key counts by name, too."""
        for key, value in items:
            if issubclass(type(key), Path):
                yield os.fsencode(key)
            yield self.token(key)
            yield self.token(value)

    def digest(self, value: object) -> bytes:
        """Return the 32 bytes that stand for a value.

        Raises:
            InvalidArgument: It, or something in it, has no fingerprint.
            OSError: A file can't be read.
        """
        remembered = self._digests.get(id(value))
        if remembered is not None:
            return remembered[1]
        if id(value) in self._open:
            raise errors.InvalidArgument(f"a value of type {type_name(type(value))} holds itself")
        if self._on_type is not None:
            self._on_type(type(value))
        self._open.add(id(value))
        tokens_before = self._tokens
        try:
            digest = self._digest(value, type(value))
        finally:
            self._open.discard(id(value))
        if self._tokens - tokens_before >= REMEMBERED_FROM or isinstance(type(value), EnumType):
            self._digests[id(value)] = value, digest
        return digest

    def _digest(self, value: Any, kind: type) -> bytes:
        stand_in = self._stand_in(kind)
        if stand_in is not None:
            return tagged(f"registered {type_name(kind)}", [self._stood_for(value, stand_in)])
        if kind is bytes:
            return hashlib.sha256(value).digest()
        if issubclass(kind, Path):
            return self._path(value)
        if kind in SCALARS:
            return tagged("scalar", [SCALARS[kind](value)])
        return tagged(*self._describe(value, self))

    def _path(self, value: Path) -> bytes:
        if self._files:
            return digest_of_path(value, self._progress)
        return tagged("path", [os.fsencode(value)])

    def _stand_in(self, kind: type) -> StandIn | None:
        stand_ins = self._stand_ins
        if not stand_ins:
            return None
        return next((stand_ins[base] for base in kind.__mro__ if base in stand_ins), None)

    def _stood_for(self, value: object, stand_in: StandIn) -> bytes:
        content = stand_in(value)
        if content is value:
            raise errors.InvalidArgument(
                f"the stand-in registered for {type_name(type(value))} returns the value itself"
            )
        return self.token(content)
