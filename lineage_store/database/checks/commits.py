"""Commits and facts that do not belong together.

Facts are compared by sums of their hashes first, so that a store that is sound is read once and
takes the memory of one page. Only a kind whose sums differ is read again, to name the facts.
"""

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from sqlalchemy import and_, func, literal_column, select

from lineage_store.database import tables
from lineage_store.database.bulk import store_contents as contents
from lineage_store.database.bulk.fact_pages import fact_pages
from lineage_store.database.checks.findings import MOST, Findings
from lineage_store.database.connection import Connection, Row
from lineage_store.database.fact_rows import SOURCES
from lineage_store.database.facts import FactKey, FactKind, decoded_facts, in_order
from lineage_store.database.statements import Statement
from lineage_store.database.tables import columns_of
from lineage_store.errors import DataLoss
from lineage_store.kinds import NodeKind

_PLACES = {name: at for at, name in enumerate(columns_of(tables.commits))}


class CommitCheck:
    """Compares the commits of a store with its rows.

    Args:
        connection: Within a transaction.
        findings: Takes the findings.
    """

    def __init__(self, connection: Connection, findings: Findings) -> None:
        self._connection = connection
        self._findings = findings
        self._stamps: set[int] = set()

    def run(self) -> None:
        """Find holes between commits, facts without a commit, and commits whose facts are gone."""
        committed = self._sums_of_commits()
        stored = self._sums_of_rows()
        for kind in FactKind:
            if committed[kind] != stored[kind]:
                self._name_differences(kind)

    def _sums_of_commits(self) -> Counter[int]:
        sums: Counter[int] = Counter()
        last_seq = 0
        for row in self._commits():
            seq = row[_PLACES["seq"]]
            if seq != last_seq + 1:
                self._add(row, f"seq is {seq} and follows {last_seq}: commits between are missing")
            last_seq = seq
            if row[_PLACES["writer"]] != tables.BACKFILL:
                self._stamps.add(row[0])
            for kind, key, stamp in self._facts_of(row):
                sums[kind] += hash((key, stamp))
        return sums

    def _sums_of_rows(self) -> Counter[int]:
        sums: Counter[int] = Counter()
        for kind, key, stamp in self._stored_facts():
            sums[kind] += hash((key, stamp))
        return sums

    def _commits(self) -> Iterator[Row]:
        for page in contents.pages(self._connection, tables.commits):
            yield from page

    def _facts_of(self, row: Row) -> Iterator[tuple[FactKind, FactKey, int]]:
        """Yield kind, key and stamp of the facts of a commit; 0 for a stamp that is not its own."""
        try:
            facts = decoded_facts(row[_PLACES["facts"]])
        except DataLoss as error:
            self._add(row, error.message)
            return
        is_backfill = row[_PLACES["writer"]] == tables.BACKFILL
        for kind, key in in_order(facts):
            yield kind, key, 0 if is_backfill else row[0]

    def _stored_facts(self, only: int | None = None) -> Iterator[tuple[int, FactKey, int]]:
        """Yield kind, key and stamp of the facts that lie in the tables."""
        for source in SOURCES:
            if only is not None and source.kind != only:
                continue
            for page in fact_pages(self._connection, source):
                for key, stamp in page:
                    yield source.kind, key, stamp if stamp in self._stamps else 0

    def _name_differences(self, kind: FactKind) -> None:
        committed: dict[tuple[FactKey, int], int] = {}
        for row in self._commits():
            for of, key, stamp in self._facts_of(row):
                if of == kind:
                    committed[key, stamp] = row[0]
        for _, key, stamp in self._stored_facts(kind):
            if committed.pop((key, stamp), None) is None:
                self._findings.add("commit", _name(kind), {"key": key}, "no commit has this fact")
        for (key, _), recorded_at in committed.items():
            message = f"commit {recorded_at} has this fact, and it is not there"
            self._findings.add("commit", _name(kind), {"key": key}, message)

    def _add(self, row: Row, message: str) -> None:
        self._findings.add("commit", tables.commits.name, {"recorded_at": row[0]}, message)


def _name(kind: FactKind) -> str:
    return kind.name.lower()


def version_gaps(connection: Connection, kind: NodeKind, findings: Findings) -> set[int]:
    """Find the nodes of a kind whose replaced versions are not all there; return their ids."""
    gaps = connection.rows(_gaps(kind))
    for node_id, revision, count in gaps:
        message = f"it has revision {revision}, and {count} of the {revision - 1} before are there"
        findings.add("version", kind.plural, {"id": node_id}, message)
    return {row[0] for row in gaps}


@lru_cache(maxsize=8)
def _gaps(kind: NodeKind) -> Statement:
    node, version = tables.nodes[kind].c, tables.node_versions.c
    count = func.count(version.revision)
    of_node = and_(
        version.kind == literal_column(str(kind.number)),
        version.node_id == node.id,
        version.revision < node.revision,
    )
    core = (
        select(node.id, node.revision, count)
        .select_from(tables.nodes[kind].outerjoin(tables.node_versions, of_node))
        .where(node.revision > literal_column("1"))
        .group_by(node.id, node.revision)
        .having(count != node.revision - literal_column("1"))
        .order_by(node.id)
        .limit(literal_column(str(MOST * MOST)))
    )
    return Statement(core)
