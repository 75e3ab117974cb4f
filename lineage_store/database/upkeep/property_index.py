"""The index over the properties of nodes, for filters: written behind the nodes.

Most of the cost of a new node is that of its property rows. So a transaction puts the ids of the
nodes that it creates into a queue, a row for many of them, and any process writes the property rows
later. A filter over properties that finds a queue has it drained first: it never misses a node that
was acknowledged before it began. Updates are indexed at once, so a filter never finds outdated
properties. The fingerprints by which caches look executions up are indexed at once, too.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import bindparam, delete, func, literal_column, select

from lineage_store.database import tables
from lineage_store.database.connection import Connection
from lineage_store.database.staging.node_rows import PROPERTY_COLUMNS, property_rows
from lineage_store.database.statements import ListStatement, Statement, slots
from lineage_store.kinds import BY_NUMBER, KINDS, NodeKind, NodeMessage

FINGERPRINT = "cache_fingerprint"
"""The custom property of an execution that Kubeflow Pipelines writes, and caches look for."""

QueueKey = tuple[int, int]
"""The number of a kind and the first id of some nodes that were created together."""

AT_ONCE = 500
"""Nodes in one row of the queue, so that draining it holds no writer up for long."""

INDEXED_BYTES = 8 * 1024 * 1024
"""Bytes of the nodes that are read and indexed together: writers wait for it."""

_ID = struct.Struct("<q")
_q = tables.index_queue
_WAITS = Statement(select(literal_column("1")).select_from(_q).limit(1))
_KEYS = Statement(
    select(_q.c.kind, _q.c.first_id, func.length(_q.c.node_ids)).limit(bindparam("most"))
)


def _of_keys(statement: Any) -> ListStatement:  # noqa: ANN401 - an update or a delete
    of_kind = _q.c.kind == bindparam("kind_number")
    return ListStatement(lambda n: statement.where(of_kind, _q.c.first_id.in_(slots(n))))


_IDS = _of_keys(select(_q.c.first_id, _q.c.node_ids))
_LEAVE = _of_keys(delete(_q))
_ALL_IDS = Statement(select(_q.c.node_ids).where(_q.c.kind == bindparam("kind_number")))


class _Statements:
    def __init__(self, kind: NodeKind) -> None:
        node, index = tables.nodes[kind], tables.properties[kind]
        self.bodies = ListStatement(lambda n: select(node.c.body).where(node.c.id.in_(slots(n))))
        self.sizes = ListStatement(
            lambda n: select(node.c.id, func.length(node.c.body)).where(node.c.id.in_(slots(n)))
        )
        self.clear = ListStatement(lambda n: delete(index).where(index.c.node_id.in_(slots(n))))
        indexed = select(index.c.node_id).where(index.c.node_id == node.c.id).exists()
        self.unindexed = ListStatement(
            lambda n: select(node.c.body).where(node.c.id.in_(slots(n)), ~indexed)
        )


_STATEMENTS = {kind: _Statements(kind) for kind in KINDS}


class IndexIsBehind(Exception):
    """A query over properties has come while nodes wait to be indexed."""


def has_queue(connection: Connection) -> bool:
    """Return whether there are nodes that wait to be indexed."""
    return bool(connection.rows(_WAITS))


def queued_keys(connection: Connection, most: int = 2**62) -> list[tuple[QueueKey, int]]:
    """Return keys of nodes that wait to be indexed, each with how many nodes they are.

    Args:
        connection: The connection to read from.
        most: The most keys.
    """
    rows = connection.rows(_KEYS, most=most)
    return [((kind, first_id), size // _ID.size) for kind, first_id, size in rows]


def queued_ids(connection: Connection, kind: NodeKind) -> set[int]:
    """Return the ids of the nodes of a kind that wait to be indexed."""
    parts = connection.rows(_ALL_IDS, kind_number=kind.number)
    return {node_id for (part,) in parts for (node_id,) in _ID.iter_unpack(part)}


def unindexed_bodies(connection: Connection, kind: NodeKind) -> list[bytes]:
    """Return the bodies of the nodes that wait and have no rows; an update has written some."""
    ids = sorted(queued_ids(connection, kind))
    return [body for (body,) in connection.rows_of(_STATEMENTS[kind].unindexed, ids)]


def write_index(connection: Connection, kind: NodeKind, messages: Sequence[NodeMessage]) -> None:
    """Write the property rows of nodes that have none."""
    rows = [row for message in messages for row in property_rows(message)]
    connection.insert(tables.properties[kind], rows, PROPERTY_COLUMNS)


def clear_index(connection: Connection, kind: NodeKind, ids: Sequence[int]) -> None:
    """Remove the property rows of nodes."""
    connection.execute_on(_STATEMENTS[kind].clear, ids)


def index_urgent(
    connection: Connection, kind: NodeKind, messages: Iterable[NodeMessage]
) -> list[int]:
    """Index those of some new nodes that caches look for.

    Returns:
        The ids of the others that have properties, to be put into the queue.
    """
    with_properties = [m for m in messages if m.properties or m.custom_properties]
    urgent = [m for m in with_properties if FINGERPRINT in m.custom_properties]
    write_index(connection, kind, urgent)
    return [m.id for m in with_properties if FINGERPRINT not in m.custom_properties]


def enqueue(connection: Connection, unindexed: Mapping[NodeKind, Sequence[int]]) -> None:
    """Put nodes into the queue, by kind."""
    rows = [
        (kind.number, part[0], b"".join(map(_ID.pack, part)))
        for kind, ids in unindexed.items()
        for part in (ids[at : at + AT_ONCE] for at in range(0, len(ids), AT_ONCE))
    ]
    connection.insert(_q, rows)


def parts_by_bytes(connection: Connection, keys: Sequence[QueueKey]) -> list[list[QueueKey]]:
    """Return keys in parts that one transaction indexes, by the bytes of their nodes.

    A part has one key at least; keys that another process has drained are left out.
    """
    parts: list[list[QueueKey]] = []
    bytes_left = 0
    for kind, ids_by_key in _ids_by_key(connection, keys).items():
        sizes = _sizes(connection, kind, chain.from_iterable(ids_by_key.values()))
        for first_id, ids in ids_by_key.items():
            size = sum(sizes.get(node_id, 0) for node_id in ids)
            if not parts or size > bytes_left:
                parts.append([])
                bytes_left = INDEXED_BYTES
            parts[-1].append((kind.number, first_id))
            bytes_left -= size
    return parts


def drain(connection: Connection, keys: Iterable[QueueKey]) -> None:
    """Index nodes that wait, within a transaction that holds the write lock and nothing else.

    Args:
        connection: The connection of the transaction.
        keys: Of these nodes; another process may have indexed some of them meanwhile.
    """
    for kind, ids_by_key in _ids_by_key(connection, keys).items():
        ids = list(chain.from_iterable(ids_by_key.values()))
        clear_index(connection, kind, ids)  # an update since has written rows already
        for part in _parts(_sizes(connection, kind, ids)):
            body_rows = connection.rows_of(_STATEMENTS[kind].bodies, part)
            write_index(connection, kind, [kind.message.FromString(body) for (body,) in body_rows])
        connection.execute_on(_LEAVE, list(ids_by_key), kind_number=kind.number)


def _ids_by_key(
    connection: Connection, keys: Iterable[QueueKey]
) -> dict[NodeKind, dict[int, list[int]]]:
    """Return the nodes that wait, by kind and by the first id of each key."""
    firsts: dict[int, list[int]] = {}
    for number, first_id in keys:
        firsts.setdefault(number, []).append(first_id)
    return {
        BY_NUMBER[number]: {
            first_id: [node_id for (node_id,) in _ID.iter_unpack(packed)]
            for first_id, packed in connection.rows_of(_IDS, first_ids, kind_number=number)
        }
        for number, first_ids in firsts.items()
    }


def _sizes(connection: Connection, kind: NodeKind, ids: Iterable[int]) -> dict[int, int]:
    """Return the bytes of nodes, by id."""
    return dict(connection.rows_of(_STATEMENTS[kind].sizes, list(ids)))


def _parts(sizes: dict[int, int]) -> Iterator[list[int]]:
    """Yield ids in parts whose nodes are read at once."""
    part: list[int] = []
    size = 0
    for node_id, more in sizes.items():
        if part and size + more > INDEXED_BYTES:
            yield part
            part, size = [], 0
        part.append(node_id)
        size += more
    if part:
        yield part
