"""The identity of nodes: keys within a store, digests of content across runs."""

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Self

from lineage_store import errors
from lineage_store.entities import Artifact, Event, Execution, Node
from lineage_store.v1 import lineage_pb2 as pb

GraphNode = Artifact | Execution
"""A node that takes part in events."""

DIGEST_PROPERTIES = (
    "digest",
    "content_digest",
    "content_hash",
    "sha256",
    "sha512",
    "sha1",
    "md5",
    "checksum",
    "checksum_md5",
    "hash",
)
"""The properties, declared or custom, that hold the digest of an artifact's content.

The first one that is a non-empty text counts. Its algorithm is the prefix of the value
("sha256:9f86…"), else what the name says, else what the length of a hexadecimal value says."""

VERSION_PROPERTIES = ("version", "dataset_version", "data_version", "model_version", "revision")
"""The properties, declared or custom, that hold the version of an artifact for people."""

_ALGORITHMS = re.compile(r"(sha\d+|md5|blake\w+|crc\w+)")
_PREFIXED = re.compile(
    r"(?P<algorithm>(?:sha|md|blake|crc|xxh)[a-z0-9_-]*)[:=](?P<value>.+)",
    re.DOTALL | re.IGNORECASE,
)
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]+")
_BY_LENGTH = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}
MAX_ID = 2**63 - 1
"""The largest id that a message can hold."""

_SHORT = 12

MIN_DIGITS = 6
"""Hexadecimal digits that name a content, if not all are given."""

MAX_DIGEST = 200
"""Characters of a digest that is looked for: the index holds so many whole."""


@dataclass(frozen=True, slots=True)
class Digest:
    """The digest of the content of an artifact.

    Attributes:
        algorithm: Lower case, such as "sha256"; "unknown" if nothing tells it.
        value: As stored, without the prefix; hexadecimal in lower case.
    """

    algorithm: str
    value: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.value}"

    @property
    def short(self) -> str:
        """The algorithm and the first digits, for people."""
        return f"{self.algorithm}:{self.value[:_SHORT]}"


def key_of(node: Node) -> str:
    """Return the key of a node within its store: "artifact:12"."""
    return key(node.kind.name, node.id)


def key(kind: str, node_id: int | None) -> str:
    """Return the key of the node of a kind and an id: "execution:7"."""
    return f"{kind}:{node_id}"


def parse_key(text: str) -> tuple[str, int]:
    """Return the kind and the id in a key of `key_of`.

    Raises:
        InvalidArgument: It is no such text.
    """
    kind, _, digits = text.partition(":")
    if kind not in {"artifact", "execution"} or not (digits.isascii() and digits.isdigit()):
        raise errors.InvalidArgument(f"{text!r} is not of the form artifact:ID or execution:ID")
    return kind, parse_id(digits)


def parse_id(digits: str) -> int:
    """Return the id that decimal digits stand for.

    Raises:
        InvalidArgument: It is larger than any id.
    """
    significant = digits.lstrip("0")
    if len(significant) > len(str(MAX_ID)) or int(significant or 0) > MAX_ID:
        raise errors.InvalidArgument(f"{digits[:30]} is no id: ids go up to {MAX_ID}")
    return int(significant or 0)


def node_message(text: str) -> pb.LineageNode:
    """Return the LineageNode message for a key of `key_of`.

    Raises:
        InvalidArgument: It is no such text.
    """
    kind, node_id = parse_key(text)
    return pb.LineageNode(kind=kind.upper(), id=node_id)


def node_key(message: pb.LineageNode) -> str:
    """Return the key of the node of a LineageNode message."""
    return key(pb.LineageNodeKind.Name(message.kind).lower(), message.id)


def ends(event: Event) -> tuple[str, str]:
    """Return the keys of the nodes of an event, in the direction in which data flows."""
    artifact = key("artifact", event.artifact_id)
    execution = key("execution", event.execution_id)
    return (execution, artifact) if event.type.is_output else (artifact, execution)


def places_of(event: Event) -> list[tuple[str | int, ...]]:
    """Return the places that the path of an event names, each a part of it; mostly the whole.

    An artifact that is used under several names has one event, whose path has each name with its
    index behind it: ("train", 0, "test", 0).
    """
    path = event.path
    names, indexes = path[::2], path[1::2]
    is_list = len(path) > 2 and len(names) == len(indexes)  # noqa: PLR2004 - more than one pair
    if is_list and all(isinstance(n, str) for n in names) and all(type(i) is int for i in indexes):
        return list(zip(names, indexes, strict=True))
    return [path]


def digest_of(artifact: Artifact) -> Digest | None:
    """Return the digest of an artifact's content, or None; see DIGEST_PROPERTIES."""
    named_text = _first_text(artifact, DIGEST_PROPERTIES)
    return None if named_text is None else _digest(*named_text)


def version_of(artifact: Artifact) -> str | None:
    """Return the version of an artifact, or None; see VERSION_PROPERTIES."""
    named_text = _first_text(artifact, VERSION_PROPERTIES)
    return None if named_text is None else named_text[1]


def _first_text(artifact: Artifact, names: tuple[str, ...]) -> tuple[str, str] | None:
    for name in names:
        for values in (artifact.properties, artifact.custom_properties):
            text = _text(values[name]) if name in values else ""
            if text:
                return name, text
    return None


def _text(value: object) -> str:
    if isinstance(value, bool):
        return ""
    return str(value).strip() if isinstance(value, str | int | float) else ""


def _digest(name: str, text: str) -> Digest:
    prefixed = _PREFIXED.fullmatch(text)
    named = _ALGORITHMS.search(name)
    value = prefixed["value"] if prefixed else text
    if _HEXADECIMAL.fullmatch(value):
        value = value.lower()
    if prefixed:
        return Digest(prefixed["algorithm"].lower(), value)
    if named:
        return Digest(named[1], value)
    return Digest(_BY_LENGTH.get(len(value), "unknown"), value)


@dataclass(frozen=True, slots=True)
class DigestPattern:
    """A digest as people give it: whole, or its first digits.

    Attributes:
        algorithm: Lower case; None: any.
        value: Without the prefix; hexadecimal in lower case.
        is_prefix: It is the beginning of digests.
    """

    algorithm: str | None
    value: str
    is_prefix: bool = False

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the pattern that a text gives: "sha256:9f86…", "9f86…".

        Raises:
            InvalidArgument: It is none, or too short.
        """
        prefixed = _PREFIXED.fullmatch(text.strip())
        value = prefixed["value"] if prefixed else text.strip()
        is_hexadecimal = _HEXADECIMAL.fullmatch(value) is not None
        if not value or len(value) > MAX_DIGEST or not (prefixed or is_hexadecimal):
            raise errors.InvalidArgument(f"{text!r} is no digest: give sha256:9f86… or its digits")
        is_prefix = is_hexadecimal and len(value) not in _BY_LENGTH
        if is_prefix and len(value) < MIN_DIGITS:
            raise errors.InvalidArgument(
                f"{text!r} is too short: give at least {MIN_DIGITS} digits of a digest"
            )
        algorithm = prefixed["algorithm"].lower() if prefixed else None
        return cls(algorithm, value.lower() if is_hexadecimal else value, is_prefix)

    @property
    def short(self) -> str:
        """The algorithm and the first digits, for people."""
        return Digest(self.algorithm or "unknown", self.value).short

    def matches(self, artifact: Artifact) -> bool:
        """Return whether the content of an artifact is known to have such a digest."""
        digest = digest_of(artifact)
        if digest is None or self.algorithm not in {None, digest.algorithm}:
            return False
        return digest.value.startswith(self.value) if self.is_prefix else digest.value == self.value

    def texts(self) -> list[str]:
        """Return the texts that properties may hold: the digits, with or without the algorithm."""
        algorithms = [self.algorithm] if self.algorithm else list(_BY_LENGTH.values())
        values = dict.fromkeys([self.value, self.value.upper()])
        if not _HEXADECIMAL.fullmatch(self.value):
            values = dict.fromkeys([self.value])
        fronts = [f"{a}{sep}" for name in algorithms for a in (name, name.upper()) for sep in ":="]
        return [f"{front}{value}" for front in ("", *fronts) for value in values]


def same_content(left: Artifact, right: Artifact) -> bool | None:
    """Return whether digests say that two artifacts hold the same; None: they can't tell."""
    one, other = digest_of(left), digest_of(right)
    if one is None or other is None or one.algorithm != other.algorithm:
        return None
    return one.value == other.value


def same_artifact(left: Artifact, right: Artifact) -> bool:
    """Return whether two artifacts are the same thing.

    They are if they are one node; else if their digests are equal; where digests can't tell, if
    their uris are equal; where a uri is missing, if their types and names are.
    """
    if left.id == right.id:
        return True
    by_content = same_content(left, right)
    if by_content is not None:
        return by_content
    if left.uri and right.uri:
        return left.uri == right.uri
    return left.name is not None and (left.type, left.name) == (right.type, right.name)


def identities_of(artifact: Artifact) -> Iterator[tuple[Hashable, ...]]:
    """Yield the values by which another artifact can be recognised as this one, the surest first.

    Two artifacts are the same only if one of these is equal, which alone does not make them so:
    see `same_artifact`.
    """
    yield "id", artifact.id
    digest = digest_of(artifact)
    if digest is not None:
        yield "digest", digest
    if artifact.uri:
        yield "uri", artifact.uri
    if artifact.name is not None:
        yield "name", artifact.type, artifact.name
