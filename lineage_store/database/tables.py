"""The tables of a store.

A node is one row: the columns that are searched, and its encoded message (`body`), which is the
truth and is sent as it is. Property rows are an index over the bodies, for filters alone. Every
table has an explicit primary key; ids come from `counters`. Times named `recorded_at` are
microseconds since the epoch in UTC: when the store learned the fact.
"""

from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

from lineage_store.kinds import ARTIFACT, CONTEXT, EXECUTION, KINDS, NodeKind
from lineage_store.limits import MAX_NAME

NUL, ESCAPE = "\x00", "\U0010ffff"
ESCAPED = (NUL, ESCAPE)
"""Characters that take two on PostgreSQL, whose texts can't hold NUL."""

STRING_VALUE = "string_value"
SHORT_STRING = 255
"""Characters of a string property that are indexed."""

metadata = MetaData()

# SQLite gives a table its row id only for the exact type INTEGER.
_Id = BigInteger().with_variant(Integer, "sqlite")

# Texts are compared byte by byte on every database, blanks at the end included.
COLLATIONS = {"mariadb": "utf8mb4_nopad_bin", "mysql": "utf8mb4_0900_bin"}


def _string(length: int) -> TypeEngine[str]:
    """Return the type of a short text."""
    kind: TypeEngine[str] = String(length).with_variant(String(length, collation="C"), "postgresql")
    for name, collation in COLLATIONS.items():
        kind = kind.with_variant(
            mysql.VARCHAR(length, charset="utf8mb4", collation=collation), name
        )
    return kind


def _text() -> TypeEngine[str]:
    """Return the type of a text of any length."""
    kind: TypeEngine[str] = Text().with_variant(Text(collation="C"), "postgresql")
    for name, collation in COLLATIONS.items():
        kind = kind.with_variant(mysql.LONGTEXT(charset="utf8mb4", collation=collation), name)
    return kind


_Text = _text()
_Bytes = LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")

counters = Table(
    "counters",
    metadata,
    Column("name", _string(32), primary_key=True),
    Column("next_id", BigInteger, nullable=False),
)

TURNS = 0
"""The row of `writers` that every transaction changes where a lock holds on one node only."""

writers = Table(
    "writers",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),  # drawn by each process; or TURNS
    Column("turn", BigInteger, nullable=False),  # the number of its last transaction
    Column("recorded_at", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),  # of its last commit; of the store's, at TURNS
    Column("name", _string(MAX_NAME), nullable=False),  # host, process and version
)
"""The last transaction of each process, to be looked up when the answer to a COMMIT was lost.

On a server the row TURNS has the last commit of the store: a writer locks it and reads it at once.
"""

types = Table(
    "types",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, nullable=False),
    Column("name", _string(MAX_NAME), nullable=False),
    Column("version", _string(MAX_NAME), nullable=False),  # "" is the type without version
    Column("external_id", _string(MAX_NAME), unique=True),
    Column("body", _Bytes, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False, server_default="1"),  # one more with each update
    # A key of MySQL has at most 3,072 bytes; there, the write lock alone keeps names unique.
    UniqueConstraint("kind", "name", "version", name="uq_types_name").ddl_if(
        callable_=lambda *_, dialect, **__: dialect.name not in COLLATIONS
    ),
    Index(
        "ix_types_name",
        "kind",
        "name",
        "version",
        mysql_length={"name": 380, "version": 380},
        mariadb_length={"name": 380, "version": 380},
    ).ddl_if(callable_=lambda *_, dialect, **__: dialect.name in COLLATIONS),
)


def _present(column: Column[object]) -> dict[str, Any]:
    """Return what leaves rows without a value out of an index, where the database can do so."""
    return {"sqlite_where": column.is_not(None), "postgresql_where": column.is_not(None)}


def _node_table(kind: NodeKind, *columns: Column[str] | Column[int]) -> Table:
    table = Table(
        kind.plural,
        metadata,
        Column("id", _Id, primary_key=True, autoincrement=False),
        Column("type_id", BigInteger, nullable=False),
        Column("name", _string(MAX_NAME)),
        Column("external_id", _string(MAX_NAME), unique=True),
        *columns,
        Column("create_time", BigInteger, nullable=False),  # ms
        Column("update_time", BigInteger, nullable=False),  # ms
        Column("revision", Integer, nullable=False),  # 1, and one more with each update
        Column("recorded_at", BigInteger, nullable=False),
        Column("body", _Bytes, nullable=False),
        UniqueConstraint("type_id", "name", name=f"uq_{kind.plural}_name"),
        Index(f"ix_{kind.plural}_create_time", "create_time", "id"),
        Index(f"ix_{kind.plural}_update_time", "update_time", "id"),
        Index(f"ix_{kind.plural}_type", "type_id", "id"),
    )
    Index(f"ix_{kind.plural}_name", table.c.name, **_present(table.c.name))
    if kind.state_field is not None:
        Index(f"ix_{kind.plural}_state", table.c.state, **_present(table.c.state))
    return table


nodes = {
    ARTIFACT: _node_table(
        ARTIFACT,
        Column("uri", _Text, nullable=False),
        Column("uri_hash", BigInteger, nullable=False, index=True),  # uris are too long to index
        Column("state", SmallInteger),
    ),
    EXECUTION: _node_table(EXECUTION, Column("state", SmallInteger)),
    CONTEXT: _node_table(CONTEXT),
}


def _property_table(kind: NodeKind) -> Table:
    name = f"{kind.name}_properties"
    table = Table(
        name,
        metadata,
        Column("node_id", BigInteger, primary_key=True, autoincrement=False),
        Column("is_custom", Boolean(create_constraint=False), primary_key=True),
        Column("name", _string(MAX_NAME), primary_key=True),
        Column("int_value", BigInteger),
        Column("double_value", Double),
        Column("string_value", _string(SHORT_STRING)),  # at least the beginning of a string
        Column("text_value", _Text),  # the whole of a string that is longer
        Column("bool_value", Boolean(create_constraint=False)),
        sqlite_with_rowid=False,
    )
    for value in ("int_value", "double_value", "string_value", "bool_value"):
        columns = (table.c.name, table.c.is_custom, table.c[value])
        Index(f"ix_{name}_{value}", *columns, **_present(table.c[value]))
    return table


properties = {kind: _property_table(kind) for kind in KINDS}

index_queue = Table(
    "index_queue",
    metadata,
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    Column("first_id", BigInteger, primary_key=True, autoincrement=False),  # of the node ids
    Column("node_ids", _Bytes, nullable=False),  # as 64-bit numbers, little end first
)
"""New nodes whose properties are not in the index yet, as they were created together."""

node_versions = Table(
    "node_versions",
    metadata,
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    Column("node_id", BigInteger, primary_key=True, autoincrement=False),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("replaced_at", BigInteger, nullable=False),
    Column("body", _Bytes, nullable=False),
)

type_versions = Table(
    "type_versions",
    metadata,
    Column("kind", SmallInteger, nullable=False),
    Column("type_id", BigInteger, primary_key=True, autoincrement=False),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("replaced_at", BigInteger, nullable=False),
    Column("body", _Bytes, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    Column("artifact_id", BigInteger, nullable=False),
    Column("execution_id", BigInteger, nullable=False),
    Column("type", SmallInteger, nullable=False),
    Column("happened_at", BigInteger, nullable=False),  # ms, by the caller's clock
    Column("recorded_at", BigInteger, nullable=False),
    Column("body", _Bytes, nullable=False),
    Column("path", _Text),  # for filters, as a JSON pointer: "/model/0"
    UniqueConstraint("artifact_id", "execution_id", "type", name="uq_events_edge"),
    Index("ix_events_execution", "execution_id", "artifact_id", "type"),
)


def _edge_table(name: str, source: str, target: str) -> Table:
    return Table(
        name,
        metadata,
        Column(source, BigInteger, primary_key=True, autoincrement=False),
        Column(target, BigInteger, primary_key=True, autoincrement=False),
        Column("recorded_at", BigInteger, nullable=False),
        Index(f"ix_{name}_{target}", target, source),
        sqlite_with_rowid=False,
    )


attributions = _edge_table("attributions", "context_id", "artifact_id")
associations = _edge_table("associations", "context_id", "execution_id")
parent_contexts = _edge_table("parent_contexts", "child_id", "parent_id")

members = {ARTIFACT: attributions, EXECUTION: associations}
"""The edges that tie each kind of node to contexts."""

DIGEST_BYTES = 32

# MySQL indexes no BLOB as a whole.
_Digest = LargeBinary(DIGEST_BYTES).with_variant(mysql.BINARY(DIGEST_BYTES), "mysql", "mariadb")

cache_entries = Table(
    "cache_entries",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    Column("scope", _string(MAX_NAME), nullable=False),
    Column("digest", _Digest, nullable=False),
    Column("execution_id", BigInteger, nullable=False),
    Column("original_execution_id", BigInteger, nullable=False),  # the one that really ran
    Column("published_at", BigInteger, nullable=False),  # ms
    Column("expires_at", BigInteger),  # ms; never if missing
    Column("recorded_at", BigInteger, nullable=False),
    Column("hit_count", BigInteger, nullable=False),
    Column("last_hit_at", BigInteger),  # ms
    Column("invalidated_at", BigInteger),  # ms
    Column("invalidated_by", _Text),
    Column("invalidated_why", _Text),
    Column("body", _Bytes, nullable=False),  # components and output parameters
    Column("invalidation_recorded_at", BigInteger),
    Index("ix_cache_entries_key", "scope", "digest", "id"),
    Index("ix_cache_entries_scope", "scope", "id"),
    Index("ix_cache_entries_execution", "execution_id"),
)

cache_components = Table(
    "cache_components",
    metadata,
    Column("component_hash", BigInteger, primary_key=True, autoincrement=False),
    Column("entry_id", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
"""An index over the components in the bodies of entries."""

cache_claims = Table(
    "cache_claims",
    metadata,
    Column("scope", _string(MAX_NAME), primary_key=True),
    Column("digest", _Digest, primary_key=True),
    Column("holder", _string(MAX_NAME), nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),  # ms
    Column("ended", SmallInteger, nullable=False),  # see cache_claims.py
    Column("recorded_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""One row for each key that was ever claimed: it stays, so that its token only grows."""

cache_hits = Table(
    "cache_hits",
    metadata,
    Column("execution_id", _Id, primary_key=True, autoincrement=False),
    Column("entry_id", BigInteger),  # missing: the source was found by its fingerprint
    Column("source_execution_id", BigInteger, nullable=False),
    Column("original_execution_id", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Index("ix_cache_hits_entry", "entry_id"),
    Index("ix_cache_hits_original", "original_execution_id"),
)

artifact_reports = Table(
    "artifact_reports",
    metadata,
    Column("artifact_id", _Id, primary_key=True, autoincrement=False),
    Column("status", SmallInteger, nullable=False),
    Column("digest", _Text, nullable=False),
    Column("reported_by", _Text, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False, server_default="1"),  # one more with each report
)
"""The last observation of the payload of each artifact."""

artifact_report_versions = Table(
    "artifact_report_versions",
    metadata,
    Column("artifact_id", BigInteger, primary_key=True, autoincrement=False),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("status", SmallInteger, nullable=False),
    Column("digest", _Text, nullable=False),
    Column("reported_by", _Text, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("replaced_at", BigInteger, nullable=False),
)
"""The observations before the last."""


commits = Table(
    "commits",
    metadata,
    Column("recorded_at", _Id, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),  # one more than the commit before
    Column("writer", BigInteger, nullable=False),  # see `writers`; BACKFILL, if found later
    Column("clock", BigInteger, nullable=False),  # of the writer: µs since the epoch
    Column("facts", _Bytes, nullable=False),  # see facts.py
    Column("seed", _Bytes, nullable=False),  # 32 random bytes, for the salts of the facts
)
"""One row for each transaction that added facts, which all have its `recorded_at`.

It grows from commit to commit, whichever server writes and whatever its clock says.
"""

BACKFILL = 0
"""The writer of commits that name facts which were recorded earlier, when there were no commits."""


@lru_cache(maxsize=64)
def bytes_columns_of(table: Table) -> frozenset[str]:
    """Return the names of the columns that hold bytes."""
    return frozenset(column.name for column in table.c if isinstance(column.type, LargeBinary))


@lru_cache(maxsize=64)
def columns_of(table: Table) -> tuple[str, ...]:
    """Return the names of the columns of a table, in the order of its rows."""
    return tuple(column.name for column in table.c)
