"""Cache entries in the database: found by key, execution or component, staged and flushed.

An entry is never removed. It can only be recorded as used, or be invalidated.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sqlalchemy import ClauseElement, ColumnElement, bindparam, case, func, select, update

from lineage_store.database import tables
from lineage_store.database.connection import Connection, Row
from lineage_store.database.facts import FactKey, FactKind
from lineage_store.database.staging.journal import Journal, Staged
from lineage_store.database.statements import ListStatement, slots

CANDIDATES = 8
"""Entries of one key that are considered: the newest ones, invalidated ones counted apart."""

_c = tables.cache_entries.c
_STAMPS = {"recorded_at", "invalidation_recorded_at"}
_COLUMNS = [column for column in tables.cache_entries.c if column.name not in _STAMPS]


@dataclass(frozen=True, slots=True)
class CacheEntryRow:
    """A cache entry, the row of one publication of a key; times in ms.

    Attributes:
        id: Grows with each publication.
        scope: The scope of the key.
        digest: The key, 32 bytes.
        execution_id: The execution that published it.
        original_execution_id: The execution that really ran.
        published_at: When it, or the entry that it is a copy of, was published.
        expires_at: When it expires; None: never.
        hit_count: The number of recorded uses.
        last_hit_at: When it was last used.
        invalidated_at: When it was invalidated; None: it was not.
        invalidated_by: By whom.
        invalidated_why: Why.
        body: Its components and output parameters, an encoded CachePublication.
    """

    id: int
    scope: str
    digest: bytes
    execution_id: int
    original_execution_id: int
    published_at: int
    expires_at: int | None
    hit_count: int
    last_hit_at: int | None
    invalidated_at: int | None
    invalidated_by: str | None
    invalidated_why: str | None
    body: bytes


@dataclass(frozen=True, slots=True)
class Tombstone:
    """The time, the author and the reason of an invalidation."""

    at: int
    by: str
    why: str

    def on(self, entry: CacheEntryRow) -> CacheEntryRow:
        """Return the entry, invalidated."""
        return replace(
            entry, invalidated_at=self.at, invalidated_by=self.by, invalidated_why=self.why
        )


@dataclass(frozen=True, slots=True)
class CacheHitRow:
    """A use of the cache by an execution; `entry_id` is None for a hit by fingerprint."""

    execution_id: int
    entry_id: int | None
    source_execution_id: int
    original_execution_id: int


def entry_of(row: Row) -> CacheEntryRow:
    """Return the entry of a row with the columns of `entry_columns`."""
    entry_id, scope, digest, *others = row
    return CacheEntryRow(entry_id, scope, bytes(digest), *others)


def entry_columns() -> list[ColumnElement[Any]]:
    """Return the columns that make up an entry, in the order of its attributes."""
    return list(_COLUMNS)


def component_hash(name: str, value: str) -> int:
    """Return a 64-bit digest of a component, short enough for an index on any database."""
    digest = hashlib.sha256(f"{len(name)}:{name}{value}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _newest(count: int) -> ClauseElement:
    """Return the query for the newest entries of some keys, invalidated ones apart from others."""
    is_invalidated = case((_c.invalidated_at.is_(None), 0), else_=1)
    rank = func.row_number().over(partition_by=[_c.digest, is_invalidated], order_by=_c.id.desc())
    ranked = (
        select(_c.id.label("entry_id"), rank.label("place"))
        .where(_c.scope == bindparam("in_scope"), _c.digest.in_(slots(count)))
        .cte("ranked")
    )
    table = tables.cache_entries
    return (
        select(*_COLUMNS)
        .select_from(ranked.join(table, table.c.id == ranked.c.entry_id))
        .where(ranked.c.place <= bindparam("most"))
    )


_NEWEST = ListStatement(_newest)
_BY_ID = ListStatement(lambda n: select(*_COLUMNS).where(_c.id.in_(slots(n))))
_BY_EXECUTION = ListStatement(lambda n: select(*_COLUMNS).where(_c.execution_id.in_(slots(n))))
_COUNT_HITS = ListStatement(
    lambda n: (
        update(tables.cache_entries)
        .where(_c.id.in_(slots(n)))
        .values(hit_count=_c.hit_count + bindparam("more"), last_hit_at=bindparam("moment"))
    )
)
_INVALIDATE = ListStatement(
    lambda n: (
        update(tables.cache_entries)
        .where(_c.id.in_(slots(n)), _c.invalidated_at.is_(None))
        .values(
            invalidated_at=bindparam("moment"),
            invalidated_by=bindparam("who"),
            invalidated_why=bindparam("reason"),
            invalidation_recorded_at=bindparam("stamp"),
        )
    )
)
_h = tables.cache_hits.c
_HITS = ListStatement(
    lambda n: select(
        _h.execution_id, _h.entry_id, _h.source_execution_id, _h.original_execution_id
    ).where(_h.execution_id.in_(slots(n)))
)


_Key = tuple[str, bytes | int]
"""A key of staged entries: scope and digest, or "id" or "execution" and a number."""


class Entries:
    """Cache entries within a transaction, staged changes included."""

    def __init__(self, connection: Connection, journal: Journal) -> None:
        self._connection = connection
        self._journal = journal
        self._new: Staged[int, CacheEntryRow] = Staged(journal)
        self._found_by: Staged[_Key, tuple[CacheEntryRow, ...]] = Staged(journal)
        self._components: Staged[int, list[int]] = Staged(journal)
        self._tombstones: Staged[int, Tombstone] = Staged(journal)
        self._uses: Staged[int, tuple[int, int]] = Staged(journal)
        self._hits: Staged[int, CacheHitRow] = Staged(journal)

    def newest(self, scope: str, digests: Sequence[bytes]) -> dict[bytes, list[CacheEntryRow]]:
        """Return the newest entries of some keys, newest first; see CANDIDATES."""
        unique_digests = list(dict.fromkeys(digests))
        rows = self._connection.rows_of(_NEWEST, unique_digests, in_scope=scope, most=CANDIDATES)
        entries_by_digest: dict[bytes, list[CacheEntryRow]] = {}
        for entry in self._with_staged(rows, [(scope, digest) for digest in unique_digests]):
            entries_by_digest.setdefault(entry.digest, []).append(entry)
        return entries_by_digest

    def by_ids(self, ids: Iterable[int]) -> list[CacheEntryRow]:
        """Return entries by id, newest first."""
        unique_ids = list(dict.fromkeys(ids))
        rows = self._connection.rows_of(_BY_ID, unique_ids)
        return self._with_staged(rows, [("id", i) for i in unique_ids])

    def of_executions(self, ids: Iterable[int], *, are_new: bool = False) -> list[CacheEntryRow]:
        """Return the entries of some executions, newest first.

        Args:
            ids: The executions.
            are_new: This transaction creates them, so that the database holds no entry of theirs.
        """
        unique_ids = list(dict.fromkeys(ids))
        rows = [] if are_new else self._connection.rows_of(_BY_EXECUTION, unique_ids)
        return self._with_staged(rows, [("execution", i) for i in unique_ids])

    def _with_staged(self, rows: list[Row], keys: Iterable[_Key]) -> list[CacheEntryRow]:
        staged_entries = [entry for key in keys for entry in self._found_by.items.get(key, ())]
        entries = [self._as_staged(entry) for entry in [*map(entry_of, rows), *staged_entries]]
        return sorted(entries, key=lambda entry: entry.id, reverse=True)

    def _as_staged(self, entry: CacheEntryRow) -> CacheEntryRow:
        if entry.id in self._uses.items:
            more, last = self._uses.items[entry.id]
            entry = replace(entry, hit_count=entry.hit_count + more, last_hit_at=last)
        tombstone = self._tombstones.items.get(entry.id)
        return tombstone.on(entry) if tombstone and entry.invalidated_at is None else entry

    def hit_of(self, execution_id: int) -> CacheHitRow | None:
        """Return the hit that served an execution, or None if it was not served."""
        if execution_id in self._hits.items:
            return self._hits.items[execution_id]
        rows = self._connection.rows_of(_HITS, [execution_id])
        return CacheHitRow(*rows[0]) if rows else None

    def create(self, entry: CacheEntryRow, components: Iterable[tuple[str, str]]) -> None:
        """Stage an entry with its components, pairs of name and value."""
        self._new.put(entry.id, entry)
        keys: list[_Key] = [
            (entry.scope, entry.digest),
            ("id", entry.id),
            ("execution", entry.execution_id),
        ]
        for key in keys:
            self._found_by.put(key, (*self._found_by.items.get(key, ()), entry))
        self._components.put(entry.id, [component_hash(*pair) for pair in components])

    def invalidate(self, entry: CacheEntryRow, tombstone: Tombstone) -> None:
        """Stage the invalidation of an entry."""
        self._tombstones.put(entry.id, tombstone)

    def use(self, hit: CacheHitRow) -> None:
        """Stage that an execution was served from the cache, at the time of the commit."""
        moment = self._journal.stamp // 1_000
        self._hits.put(hit.execution_id, hit)
        if hit.entry_id is not None:
            more, _ = self._uses.items.get(hit.entry_id, (0, 0))
            self._uses.put(hit.entry_id, (more + 1, moment))

    def flush(self) -> None:
        """Write everything staged."""
        self._flush_new()
        for tombstone, ids in _grouped(self._tombstones.items).items():
            self._connection.execute_on(
                _INVALIDATE,
                ids,
                moment=tombstone.at,
                who=tombstone.by,
                reason=tombstone.why,
                stamp=self._journal.stamp,
            )
        for (more, moment), ids in _grouped(self._uses.items).items():
            self._connection.execute_on(_COUNT_HITS, ids, more=more, moment=moment)
        stamp = self._journal.stamp
        hits = [
            (h.execution_id, h.entry_id, h.source_execution_id, h.original_execution_id, stamp)
            for h in self._hits.items.values()
        ]
        self._connection.insert(tables.cache_hits, hits)

    def facts(self) -> dict[int, Sequence[FactKey]]:
        """Return the staged entries, invalidations and hits."""
        keys_by_kind: dict[int, Sequence[FactKey]] = {
            FactKind.CACHE_ENTRY: [
                (e.id, e.execution_id, e.original_execution_id) for e in self._new.items.values()
            ],
            FactKind.INVALIDATION: [(entry_id,) for entry_id in self._tombstones.items],
            FactKind.CACHE_HIT: [
                (h.execution_id, h.entry_id or 0, h.source_execution_id, h.original_execution_id)
                for h in self._hits.items.values()
            ],
        }
        return {fact_kind: keys for fact_kind, keys in keys_by_kind.items() if keys}

    def _flush_new(self) -> None:
        names = [column.name for column in _COLUMNS]
        rows = [
            (*(getattr(entry, name) for name in names), self._journal.stamp)
            for entry in self._new.items.values()
        ]
        self._connection.insert(tables.cache_entries, rows, [*names, "recorded_at"])
        components = [
            (hashed, entry_id)
            for entry_id, hashes in self._components.items.items()
            for hashed in hashes
        ]
        self._connection.insert(tables.cache_components, components, on_conflict="ignore")


K = TypeVar("K")


def _grouped(changes: dict[int, K]) -> dict[K, list[int]]:
    """Return the ids of equal changes, so that each change is one statement."""
    groups: dict[K, list[int]] = {}
    for entry_id, change in changes.items():
        groups.setdefault(change, []).append(entry_id)
    return groups
