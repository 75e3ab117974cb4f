"""Facts: the rows that a commit added, named by kind and key.

A row that never changes is a fact, and so is each version of one that does. The facts of a commit
are kept in its own row, in about two bytes for each number: the keys of one kind lie together
column by column, and each number is stored as its difference from the one above it.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from itertools import chain
from operator import sub

from google.protobuf.message import DecodeError

from lineage_store import errors
from lineage_store.kinds import ARTIFACT, CONTEXT, EXECUTION, NodeKind
from lineage_store.v1 import commits_pb2

FactKey = tuple[int, ...]
"""The key of a fact; `WIDTHS` has the number of its columns."""

Facts = Mapping[int, Sequence[FactKey]]
"""Keys of facts by kind."""


class FactKind(IntEnum):
    """The kind of a fact, with the columns of its key. A number is never given a second meaning."""

    TYPE = 1
    """A version of a type: id, revision."""
    EXECUTION = 2
    """A version of an execution: id, revision."""
    ARTIFACT = 3
    """A version of an artifact: id, revision."""
    CONTEXT = 4
    """A version of a context: id, revision."""
    EVENT = 5
    """An event: id, execution, artifact, type."""
    ATTRIBUTION = 6
    """An artifact in a context: context, artifact."""
    ASSOCIATION = 7
    """An execution in a context: context, execution."""
    PARENT = 8
    """A parent context: child, parent."""
    CACHE_ENTRY = 9
    """A cache entry: id, execution, original execution."""
    INVALIDATION = 10
    """The invalidation of a cache entry: id of the entry."""
    CACHE_HIT = 11
    """A cache hit: execution, entry or 0, source execution, original execution."""
    REPORT = 12
    """A report on the payload of an artifact: artifact, revision."""


WIDTHS: dict[int, int] = {
    FactKind.TYPE: 2,
    FactKind.EXECUTION: 2,
    FactKind.ARTIFACT: 2,
    FactKind.CONTEXT: 2,
    FactKind.EVENT: 4,
    FactKind.ATTRIBUTION: 2,
    FactKind.ASSOCIATION: 2,
    FactKind.PARENT: 2,
    FactKind.CACHE_ENTRY: 3,
    FactKind.INVALIDATION: 1,
    FactKind.CACHE_HIT: 4,
    FactKind.REPORT: 2,
}
"""The number of columns in the key of each kind of fact."""

VERSIONS: dict[NodeKind, FactKind] = {
    EXECUTION: FactKind.EXECUTION,
    ARTIFACT: FactKind.ARTIFACT,
    CONTEXT: FactKind.CONTEXT,
}
"""The kind of fact that a version of a node is."""

MEMBERSHIPS: dict[NodeKind, FactKind] = {
    ARTIFACT: FactKind.ATTRIBUTION,
    EXECUTION: FactKind.ASSOCIATION,
}
"""The kind of fact that the membership of a node in a context is."""


def encoded_facts(facts: Facts) -> bytes:
    """Return facts as a commit stores them; their order within a kind is kept."""
    deltas: list[int] = []
    for keys in facts.values():
        if len(keys) == 1:  # as a rule, for a request that puts one node
            deltas += keys[0]
            continue
        for column in zip(*keys, strict=True):
            deltas.append(column[0])
            deltas += map(sub, column[1:], column)
    message = commits_pb2.CommitFacts(
        kinds=list(facts), counts=[len(keys) for keys in facts.values()], deltas=deltas
    )
    return message.SerializeToString()


def decoded_facts(body: bytes) -> dict[FactKind, list[FactKey]]:
    """Return the facts of a commit by kind.

    Raises:
        DataLoss: They can't be read.
    """
    try:
        message = commits_pb2.CommitFacts.FromString(body)
        return _decoded(message)
    except (DecodeError, ValueError, KeyError):
        raise errors.DataLoss("the facts of a commit can't be read") from None


def _decoded(message: commits_pb2.CommitFacts) -> dict[FactKind, list[FactKey]]:
    deltas = iter(message.deltas)
    facts: dict[FactKind, list[FactKey]] = {}
    for number, count in zip(message.kinds, message.counts, strict=True):
        kind = FactKind(number)
        if count > len(message.deltas):
            raise ValueError(count)
        columns = [list(_column(deltas, count)) for _ in range(WIDTHS[kind])]
        facts[kind] = list(zip(*columns, strict=True))
    if next(deltas, None) is not None:
        raise ValueError(number)
    return facts


def _column(deltas: Iterator[int], count: int) -> Iterator[int]:
    """Yield the numbers of one column."""
    total = 0
    for _ in range(count):
        delta = next(deltas, None)
        if delta is None:
            raise ValueError(count)
        total += delta
        yield total


def count_of(facts: Facts) -> int:
    """Return the number of facts."""
    return sum(len(keys) for keys in facts.values())


def in_order(facts: Mapping[FactKind, Sequence[FactKey]]) -> Iterator[tuple[FactKind, FactKey]]:
    """Yield kinds and keys, one fact after the other."""
    return chain.from_iterable(((kind, key) for key in keys) for kind, keys in facts.items())
