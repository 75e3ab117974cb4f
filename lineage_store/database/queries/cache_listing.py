"""Cache entries listed, chosen and counted, as a snapshot shows them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, bindparam, case, cast, func, select

from lineage_store.database import tables
from lineage_store.database.connection import Connection, Row
from lineage_store.database.queries.bodies import Bodies, small_body
from lineage_store.database.staging.cache_claims import Ended
from lineage_store.database.staging.cache_entries import CacheEntryRow, entry_columns, entry_of
from lineage_store.database.statements import ListStatement, Statement, slots
from lineage_store.kinds import EXECUTION
from lineage_store.limits import PAGE_BYTES

_c = tables.cache_entries.c
_components = tables.cache_components
_claims = tables.cache_claims.c
_members = tables.members[EXECUTION].c
_hits = tables.cache_hits.c

NO_LIMIT = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryQuery:
    """A query for entries.

    Attributes:
        scope: Only entries of this scope; None: of any.
        component_hash: Only entries with this component; None: with any.
        published_before: Only entries published before this time in ms; None: at any time.
        with_invalidated: Whether invalidated entries are included.
        before_id: Only entries older than this one; None: from the newest on.
        limit: The most entries.
    """

    scope: str | None = None
    component_hash: int | None = None
    published_before: int | None = None
    with_invalidated: bool = True
    before_id: int | None = None
    limit: int = NO_LIMIT


@dataclass(frozen=True, slots=True)
class Counts:
    """The numbers of entries, of those no longer good, of their hits, and of held claims."""

    entries: int
    invalidated: int
    expired: int
    hits: int
    claims_held: int


@lru_cache(maxsize=64)
def _page(
    in_scope: bool, of_component: bool, before_time: bool, with_invalidated: bool, older: bool
) -> Statement:
    source: Any = tables.cache_entries
    key = _c.id
    if of_component:
        key = _components.c.entry_id  # the order of the index over components
        source = _components.join(tables.cache_entries, _c.id == key)
    columns = [*entry_columns()[:-1], small_body(tables.cache_entries)]
    core = select(*columns).select_from(source).order_by(key.desc())
    if of_component:
        core = core.where(_components.c.component_hash == bindparam("component"))
    if in_scope:
        core = core.where(_c.scope == bindparam("in_scope"))
    if before_time:
        core = core.where(_c.published_at < bindparam("before_time"))
    if not with_invalidated:
        core = core.where(_c.invalidated_at.is_(None))
    if older:
        core = core.where(key < bindparam("before_id"))
    return Statement(core.limit(bindparam("most")))


@lru_cache(maxsize=2)
def _entry_counts(in_scope: bool) -> Statement:
    is_expired = (_c.invalidated_at.is_(None)) & (_c.expires_at <= bindparam("now"))
    core = select(
        func.count(),
        func.count(_c.invalidated_at),
        func.coalesce(func.sum(case((is_expired, 1), else_=0)), 0),
        func.coalesce(cast(func.sum(_c.hit_count), BigInteger), 0),
    ).select_from(tables.cache_entries)
    return Statement(core.where(_c.scope == bindparam("in_scope")) if in_scope else core)


@lru_cache(maxsize=2)
def _held_claims(in_scope: bool) -> Statement:
    core = select(func.count()).where(
        _claims.ended == bindparam("not_ended"), _claims.expires_at > bindparam("now")
    )
    return Statement(core.where(_claims.scope == bindparam("in_scope")) if in_scope else core)


_BY_DIGEST = ListStatement(
    lambda n: select(*entry_columns()).where(
        _c.scope == bindparam("in_scope"), _c.digest.in_(slots(n))
    )
)
_BY_DIGEST_ALONE = ListStatement(lambda n: select(*entry_columns()).where(_c.digest.in_(slots(n))))
_IN_CONTEXTS = ListStatement(
    lambda n: select(_members.execution_id).where(_members.context_id.in_(slots(n)))
)
_COPIES = ListStatement(
    lambda n: select(_hits.execution_id).where(_hits.original_execution_id.in_(slots(n)))
)
_SOURCES = ListStatement(
    lambda n: select(_hits.source_execution_id).where(_hits.execution_id.in_(slots(n)))
)


class EntryReader:
    """Reads what a snapshot shows of the cache.

    Args:
        connection: That of the snapshot.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def page(self, query: EntryQuery) -> list[CacheEntryRow]:
        """Return entries, newest first."""
        return self._entries(self._rows(query))

    def _rows(self, query: EntryQuery) -> list[Row]:
        statement = _page(
            query.scope is not None,
            query.component_hash is not None,
            query.published_before is not None,
            query.with_invalidated,
            query.before_id is not None,
        )
        return self._connection.rows(
            statement,
            in_scope=query.scope,
            component=query.component_hash,
            before_time=query.published_before,
            before_id=query.before_id,
            most=query.limit,
        )

    def part(self, query: EntryQuery) -> tuple[list[CacheEntryRow], bool]:
        """Return a page of entries, newest first, and whether there are more behind it.

        It ends by its rows or by its bytes.
        """
        rows = self._rows(replace(query, limit=query.limit + 1))
        count = min(query.limit, self._bodies(rows).fitting(PAGE_BYTES))
        return self._entries(rows[:count]), count < len(rows)

    def _entries(self, rows: Sequence[Row]) -> list[CacheEntryRow]:
        bodies = self._bodies(rows).read()
        return [entry_of((*row[:-1], body)) for row, body in zip(rows, bodies, strict=True)]

    def _bodies(self, rows: Sequence[Row]) -> Bodies:
        return Bodies(self._connection, tables.cache_entries, rows, 0)

    def of_digests(self, scope: str | None, digests: Iterable[bytes]) -> list[CacheEntryRow]:
        """Return all entries of some keys; in all scopes if there is none."""
        unique_digests = list(dict.fromkeys(digests))
        if scope is None:
            rows = self._connection.rows_of(_BY_DIGEST_ALONE, unique_digests)
        else:
            rows = self._connection.rows_of(_BY_DIGEST, unique_digests, in_scope=scope)
        return [entry_of(row) for row in rows]

    def executions_in(self, context_ids: Iterable[int]) -> set[int]:
        """Return the ids of the executions in some contexts."""
        rows = self._connection.rows_of(_IN_CONTEXTS, list(dict.fromkeys(context_ids)))
        return {execution_id for (execution_id,) in rows}

    def copies_of(self, execution_ids: Iterable[int]) -> set[int]:
        """Return the ids of the executions that were served by what some executions made."""
        rows = self._connection.rows_of(_COPIES, list(dict.fromkeys(execution_ids)))
        return {execution_id for (execution_id,) in rows}

    def sources_of(self, execution_ids: Iterable[int]) -> set[int]:
        """Return the ids of the executions that some executions were served from."""
        rows = self._connection.rows_of(_SOURCES, list(dict.fromkeys(execution_ids)))
        return {execution_id for (execution_id,) in rows}

    def counts(self, scope: str | None, now: int) -> Counts:
        """Return the counts of a scope, or of all, at a time in ms."""
        in_scope = scope is not None
        [row] = self._connection.rows(_entry_counts(in_scope), now=now, in_scope=scope)
        [(claims_held,)] = self._connection.rows(
            _held_claims(in_scope), now=now, in_scope=scope, not_ended=int(Ended.NOT_YET)
        )
        entries, invalidated, expired, hits = (int(number) for number in row)
        return Counts(entries, invalidated, expired, hits, int(claims_held))
