"""Which entries a request is about."""

from dataclasses import dataclass
from typing import Any

from lineage_store import errors
from lineage_store.database.queries.cache_listing import EntryQuery, EntryReader
from lineage_store.database.queries.lineage import LineageReader
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.database.staging.cache_entries import Entry, component_hash
from lineage_store.database.transaction import Transaction
from lineage_store.engine.cache import checks
from lineage_store.engine.cache.answers import components_of
from lineage_store.engine.requests import bounded, text
from lineage_store.kinds import ARTIFACT
from lineage_store.lineage.rules import OUTPUTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What entries must fit, all of it; None: anything does.

    Attributes:
        scope: Their scope.
        digests: Their keys.
        entry_ids: Their ids.
        execution_ids: The executions that they are of.
        artifact_ids: What these wrote.
        context_ids: Where these are.
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
        """Whether it names nodes, and entries through nothing but these."""
        nodes = (self.execution_ids, self.artifact_ids, self.context_ids)
        others = (self.digests, self.entry_ids, self.component, self.published_before)
        return any(ids is not None for ids in nodes) and all(other is None for other in others)

    @property
    def is_listed(self) -> bool:
        """Whether it names keys, entries or nodes one by one."""
        lists = (self.digests, self.entry_ids, self.execution_ids)
        return any(x is not None for x in (*lists, self.artifact_ids, self.context_ids))


def selection(message: Any, where: str = "entries.") -> Selection:
    """Return what a request selects.

    Raises:
        InvalidArgument: The message is malformed.
    """
    component = message.component
    named = message.HasField("component")
    if named and not component.name:
        raise errors.InvalidArgument(f"{where}component.name must not be empty")
    pair = (
        bounded(f"{where}component.name", component.name),
        text(f"{where}component.value", component.value),
    )
    return Selection(
        scope=checks.scope_of(message, where) if message.HasField("scope") else None,
        digests=frozenset(checks.digests(message.digests, f"{where}digests")) or None,
        entry_ids=frozenset(message.entry_ids) or None,
        execution_ids=frozenset(message.execution_ids) or None,
        artifact_ids=frozenset(message.artifact_ids) or None,
        context_ids=frozenset(message.context_ids) or None,
        component=pair if named else None,
        published_before=checks.duration(message, "published_before_milliseconds", where),
    )


def executions_of(snapshot: Snapshot, chosen: Selection) -> set[int] | None:
    """Return the executions that entries must be of, or None if they may be of any."""
    sets: list[set[int]] = []
    if chosen.execution_ids is not None:
        sets.append(set(chosen.execution_ids))
    if chosen.artifact_ids is not None:
        writers = producers(snapshot, set(chosen.artifact_ids))
        # What was copied on a hit was written by the source of the hit.
        sets.append(writers | EntryReader(snapshot.connection).sources_of(writers))
    if chosen.context_ids is not None:
        sets.append(EntryReader(snapshot.connection).executions_in(chosen.context_ids))
    return set.intersection(*sets) if sets else None


def producers(snapshot: Snapshot, artifact_ids: set[int]) -> set[int]:
    """Return the executions that wrote one of some artifacts."""
    reader = LineageReader(snapshot, with_bodies=False)
    rows = reader.all_events(ARTIFACT, sorted(artifact_ids))
    return {execution_id for _, _, execution_id, event_type, _ in rows if event_type in OUTPUTS}


def selected(snapshot: Snapshot, chosen: Selection) -> list[Entry]:
    """Return the entries that are selected, invalidated ones included, newest first."""
    executions = executions_of(snapshot, chosen)
    found = _narrowest(snapshot, chosen, executions)
    fitting = [entry for entry in found if _fits(entry, chosen, executions)]
    return sorted(fitting, key=lambda entry: entry.id, reverse=True)


def _narrowest(snapshot: Snapshot, chosen: Selection, executions: set[int] | None) -> list[Entry]:
    """Return entries among which all those are that are selected."""
    entries = Transaction.reading(snapshot).entries
    if chosen.entry_ids is not None:
        return entries.by_ids(chosen.entry_ids)
    if executions is not None:
        return entries.of_executions(executions)
    reader = EntryReader(snapshot.connection)
    if chosen.digests is not None:
        return reader.of_digests(chosen.scope, chosen.digests)
    return reader.page(query_of(chosen))


def query_of(chosen: Selection, **more: Any) -> EntryQuery:
    """Return the query for what is selected by more than lists."""
    return EntryQuery(
        scope=chosen.scope,
        component_hash=component_hash(*chosen.component) if chosen.component else None,
        published_before=chosen.published_before,
        **more,
    )


def _fits(entry: Entry, chosen: Selection, executions: set[int] | None) -> bool:
    before = chosen.published_before
    return (
        (chosen.scope is None or entry.scope == chosen.scope)
        and (chosen.digests is None or entry.digest in chosen.digests)
        and (chosen.entry_ids is None or entry.id in chosen.entry_ids)
        and (executions is None or entry.execution_id in executions)
        and (before is None or entry.published_at < before)
        and (chosen.component is None or has_component(entry, *chosen.component))
    )


def has_component(entry: Entry, name: str, value: str) -> bool:
    """Whether an entry has a component of this name and value."""
    return components_of(entry).get(name) == value
