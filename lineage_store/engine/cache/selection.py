"""The entries that a request selects."""

from dataclasses import dataclass
from typing import Any

from lineage_store import errors
from lineage_store.database.queries.cache_listing import EntryQuery, EntryReader
from lineage_store.database.queries.lineage import LineageReader
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.database.staging.cache_entries import CacheEntryRow, component_hash
from lineage_store.database.transaction import Transaction
from lineage_store.engine.cache import checks
from lineage_store.engine.cache.answers import components_of
from lineage_store.engine.requests import bounded, text
from lineage_store.kinds import ARTIFACT
from lineage_store.lineage.rules import OUTPUTS
from lineage_store.v1 import cache_pb2 as pb


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySelection:
    """Conditions that entries must all meet; None: any entry meets it.

    Attributes:
        scope: Their scope.
        digests: Their keys.
        entry_ids: Their ids.
        execution_ids: Their executions.
        artifact_ids: Artifacts, one of which their execution wrote.
        context_ids: Contexts, one of which their execution is in.
        component: One of their components, name and value.
        published_before: A time in ms.
    """

    scope: str | None
    digests: frozenset[bytes] | None
    entry_ids: frozenset[int] | None
    execution_ids: frozenset[int] | None
    artifact_ids: frozenset[int] | None
    context_ids: frozenset[int] | None
    component: tuple[str, str] | None
    published_before: int | None

    @property
    def is_of_nodes(self) -> bool:
        """True if it selects entries only through nodes."""
        nodes = (self.execution_ids, self.artifact_ids, self.context_ids)
        others = (self.digests, self.entry_ids, self.component, self.published_before)
        return any(ids is not None for ids in nodes) and all(other is None for other in others)

    @property
    def is_listed(self) -> bool:
        """True if it names keys, entries or nodes one by one."""
        lists = (self.digests, self.entry_ids, self.execution_ids)
        return any(x is not None for x in (*lists, self.artifact_ids, self.context_ids))


def parse_selection(message: pb.EntrySelection, where: str = "entries.") -> EntrySelection:
    """Return the selection of a request.

    Raises:
        InvalidArgument: The message is malformed.
    """
    component = message.component
    names_component = message.HasField("component")
    if names_component and not component.name:
        raise errors.InvalidArgument(f"{where}component.name must not be empty")
    pair = (
        bounded(f"{where}component.name", component.name),
        text(f"{where}component.value", component.value),
    )
    return EntrySelection(
        scope=checks.scope_of(message, where) if message.HasField("scope") else None,
        digests=frozenset(checks.digests(message.digests, f"{where}digests")) or None,
        entry_ids=frozenset(message.entry_ids) or None,
        execution_ids=frozenset(message.execution_ids) or None,
        artifact_ids=frozenset(message.artifact_ids) or None,
        context_ids=frozenset(message.context_ids) or None,
        component=pair if names_component else None,
        published_before=checks.duration(message, "published_before_milliseconds", where),
    )


def executions_of(snapshot: Snapshot, selection: EntrySelection) -> set[int] | None:
    """Return the executions that entries must be of, or None if they may be of any."""
    sets: list[set[int]] = []
    if selection.execution_ids is not None:
        sets.append(set(selection.execution_ids))
    if selection.artifact_ids is not None:
        writers = producers(snapshot, set(selection.artifact_ids))
        # What was copied on a hit was written by the source of the hit.
        sets.append(writers | EntryReader(snapshot.connection).sources_of(writers))
    if selection.context_ids is not None:
        sets.append(EntryReader(snapshot.connection).executions_in(selection.context_ids))
    return set.intersection(*sets) if sets else None


def producers(snapshot: Snapshot, artifact_ids: set[int]) -> set[int]:
    """Return the executions that wrote one of some artifacts."""
    reader = LineageReader(snapshot, with_bodies=False)
    rows = reader.all_events(ARTIFACT, sorted(artifact_ids))
    return {execution_id for _, _, execution_id, event_type, _ in rows if event_type in OUTPUTS}


def select_entries(snapshot: Snapshot, selection: EntrySelection) -> list[CacheEntryRow]:
    """Return the entries that are selected, invalidated ones included, newest first."""
    executions = executions_of(snapshot, selection)
    entries = _narrowest(snapshot, selection, executions)
    fitting_entries = [entry for entry in entries if _fits(entry, selection, executions)]
    return sorted(fitting_entries, key=lambda entry: entry.id, reverse=True)


def _narrowest(
    snapshot: Snapshot, selection: EntrySelection, executions: set[int] | None
) -> list[CacheEntryRow]:
    """Return the smallest set of entries, cheap to read, that includes all selected ones."""
    entries = Transaction.reading(snapshot).entries
    if selection.entry_ids is not None:
        return entries.by_ids(selection.entry_ids)
    if executions is not None:
        return entries.of_executions(executions)
    reader = EntryReader(snapshot.connection)
    if selection.digests is not None:
        return reader.of_digests(selection.scope, selection.digests)
    return reader.page(query_of(selection))


def query_of(selection: EntrySelection, **more: Any) -> EntryQuery:
    """Return the query for the parts of a selection that are no lists of ids."""
    return EntryQuery(
        scope=selection.scope,
        component_hash=component_hash(*selection.component) if selection.component else None,
        published_before=selection.published_before,
        **more,
    )


def _fits(entry: CacheEntryRow, selection: EntrySelection, executions: set[int] | None) -> bool:
    before = selection.published_before
    return (
        (selection.scope is None or entry.scope == selection.scope)
        and (selection.digests is None or entry.digest in selection.digests)
        and (selection.entry_ids is None or entry.id in selection.entry_ids)
        and (executions is None or entry.execution_id in executions)
        and (before is None or entry.published_at < before)
        and (selection.component is None or has_component(entry, *selection.component))
    )


def has_component(entry: CacheEntryRow, name: str, value: str) -> bool:
    """Return whether an entry has a component of this name and value."""
    return components_of(entry).get(name) == value
