"""Types in the database, and the parts of them that may be kept in memory.

A type is never removed, and neither its name nor a property that it declares ever changes. So a
property found in memory is declared, whatever other processes did since; only properties missing
in memory must be looked up. External ids, base types and descriptions are always read afresh.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import bindparam, select

from lineage_store.database import tables
from lineage_store.database.connection import Connection
from lineage_store.database.facts import FactKey, FactKind
from lineage_store.database.staging.journal import Journal, Staged
from lineage_store.database.statements import ListStatement, Statement, slots
from lineage_store.kinds import BY_NUMBER, NodeKind, TypeMessage

_t = tables.types
_BY_NAME = Statement(
    select(_t.c.kind, _t.c.body).where(
        _t.c.kind == bindparam("kind_number"),
        _t.c.name == bindparam("type_name"),
        _t.c.version == bindparam("type_version"),
    )
)
_BY_ID = ListStatement(lambda n: select(_t.c.kind, _t.c.body).where(_t.c.id.in_(slots(n))))
_BY_EXTERNAL_ID = ListStatement(
    lambda n: select(_t.c.kind, _t.c.body).where(_t.c.external_id.in_(slots(n))).order_by(_t.c.id)
)
_REPLACED = ListStatement(
    lambda n: select(_t.c.kind, _t.c.id, _t.c.revision, _t.c.recorded_at, _t.c.body).where(
        _t.c.id.in_(slots(n))
    )
)
_ALL = Statement(select(_t.c.body).where(_t.c.kind == bindparam("kind_number")).order_by(_t.c.id))

TypeKey = tuple[int, str, str]
"""Number of the kind, name, version ("" for none)."""


@dataclass(frozen=True)
class StoredType:
    """A type as it is stored or staged.

    Attributes:
        kind: The kind of node that it describes.
        message: The whole type; not to be changed.
    """

    kind: NodeKind
    message: Any

    @cached_property
    def property_kinds(self) -> dict[str, int]:
        """The type of each property that it declares."""
        return dict(self.message.properties)


class TypeReader:
    """Types as the database holds them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, kind: NodeKind, name: str, version: str) -> StoredType | None:
        """Return the type of this name and version ("" for none), or None."""
        rows = self._connection.rows(
            _BY_NAME, kind_number=kind.number, type_name=name, type_version=version
        )
        return _stored(rows[0]) if rows else None

    def by_ids(self, ids: Iterable[int]) -> dict[int, StoredType]:
        """Return the types of these ids, of any kind."""
        rows = self._connection.rows_of(_BY_ID, list(dict.fromkeys(ids)))
        return {stored_type.message.id: stored_type for stored_type in map(_stored, rows)}

    def by_external_ids(self, external_ids: Iterable[str]) -> list[StoredType]:
        """Return the types of these external ids, of any kind, by id."""
        rows = self._connection.rows_of(_BY_EXTERNAL_ID, list(dict.fromkeys(external_ids)))
        return sorted(map(_stored, rows), key=lambda stored_type: int(stored_type.message.id))

    def all(self, kind: NodeKind) -> list[TypeMessage]:
        """Return the messages of all types of a kind, by id."""
        rows = self._connection.rows(_ALL, kind_number=kind.number)
        return [kind.type_message.FromString(body) for (body,) in rows]


class TypeCache:
    """Committed types by id and by name, kept from one transaction to the next."""

    def __init__(self) -> None:
        self.by_id: dict[int, StoredType] = {}
        self.by_name: dict[TypeKey, StoredType] = {}


class Types:
    """Types within a transaction, staged changes included."""

    def __init__(self, connection: Connection, cache: TypeCache, journal: Journal) -> None:
        self._reader = TypeReader(connection)
        self._connection = connection
        self._journal = journal
        self._revisions: dict[int, int] = {}
        self._cache = cache
        self._changed: Staged[int, StoredType] = Staged(journal)
        self._new: Staged[int, StoredType] = Staged(journal)
        self._names: Staged[TypeKey, int] = Staged(journal)

    def find(self, kind: NodeKind, name: str, version: str) -> StoredType | None:
        """Return the type of this name and version ("" for none), or None."""
        staged_id = self._names.items.get((kind.number, name, version))
        if staged_id is not None:
            return self._changed.items[staged_id]
        stored_type = self._reader.find(kind, name, version)
        if stored_type is None:
            return None
        self._cache.by_name[kind.number, name, version] = stored_type
        return self._changed.items.get(stored_type.message.id, stored_type)

    def cached_by_name(self, kind: NodeKind, name: str, version: str) -> StoredType | None:
        """Return the same as `find`, in a version that may be older; see `cached`."""
        key = (kind.number, name, version)
        if key in self._names.items:
            return self._changed.items[self._names.items[key]]
        return self._cache.by_name.get(key) or self.find(kind, name, version)

    def cached(self, type_id: int) -> StoredType | None:
        """Return a type that may be older than the stored one, or None if there is none.

        It lacks at most properties that were added since; see `read`.
        """
        if type_id in self._changed.items:
            return self._changed.items[type_id]
        return self._cache.by_id.get(type_id) or self.read(type_id)

    def read(self, type_id: int) -> StoredType | None:
        """Return the type as it is now, or None if there is none."""
        if type_id in self._changed.items:
            return self._changed.items[type_id]
        self._cache.by_id.update(self._reader.by_ids([type_id]))
        return self._cache.by_id.get(type_id)

    def holder_of_external_id(self, external_id: str) -> int | None:
        """Return the id of the type, of any kind, that has this external id, or None."""
        for staged_type in self._changed.items.values():
            if staged_type.message.external_id == external_id:
                return int(staged_type.message.id)
        for stored_type in self._reader.by_external_ids([external_id]):
            if stored_type.message.id not in self._changed.items:
                return int(stored_type.message.id)
        return None

    def put(self, kind: NodeKind, message: TypeMessage, *, new: bool) -> None:
        """Stage a type."""
        if new:
            self._new.put(message.id, StoredType(kind, message))
        self._changed.put(message.id, StoredType(kind, message))
        self._names.put((kind.number, message.name, message.version), message.id)

    def flush(self) -> None:
        """Write all staged types, and keep the versions that they replace."""
        if not self._changed.items:  # as a rule
            return
        stamp = self._journal.stamp
        updated_ids = [i for i in self._changed.items if i not in self._new.items]
        replaced_rows = self._connection.rows_of(_REPLACED, updated_ids)
        versions = [(*row[:4], stamp, row[4]) for row in replaced_rows]
        self._connection.insert(tables.type_versions, versions)
        replaced_revisions = {row[1]: row[2] for row in replaced_rows}
        self._revisions = {i: replaced_revisions.get(i, 0) + 1 for i in self._changed.items}
        self._write(updated_ids, on_conflict="update")
        self._write(list(self._new.items), on_conflict="fail")

    def _write(self, ids: Iterable[int], *, on_conflict: str) -> None:
        stamp, changed_types = self._journal.stamp, self._changed.items
        rows = [
            type_row(changed_types[i].kind, changed_types[i].message, stamp, self._revisions[i])
            for i in ids
        ]
        self._connection.insert(_t, rows, on_conflict=on_conflict)

    def facts(self) -> dict[int, Sequence[FactKey]]:
        """Return the new versions of types, once they are flushed."""
        return {FactKind.TYPE: list(self._revisions.items())} if self._revisions else {}


def type_row(
    kind: NodeKind, message: TypeMessage, recorded_at: int, revision: int = 1
) -> tuple[object, ...]:
    """Return the row of a type."""
    return (
        message.id,
        kind.number,
        message.name,
        message.version,
        message.external_id or None,
        message.SerializeToString(deterministic=True),
        recorded_at,
        revision,
    )


def _stored(row: tuple[int, bytes]) -> StoredType:
    kind = BY_NUMBER[row[0]]
    return StoredType(kind, kind.type_message.FromString(row[1]))
