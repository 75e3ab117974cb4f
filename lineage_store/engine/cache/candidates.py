"""Candidates of a lookup, read with a number of statements that does not grow with the keys."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lineage_store.cache.decision import Candidate, Output
from lineage_store.cache.slots import slots_of
from lineage_store.database.staging.artifact_reports import StoredReport
from lineage_store.database.staging.cache_entries import CacheEntryRow
from lineage_store.database.transaction import Transaction
from lineage_store.engine.cache.copies import without_copies
from lineage_store.kinds import ARTIFACT, EXECUTION
from lineage_store.v1 import metadata_pb2 as pb

ORIGINAL_PROPERTY = "cached_execution_id"
"""The custom property of a CACHED execution that names the one it was served from."""

_DIGITS = 18
"""Of a number that is an id for sure."""

MAX_COPIES = 8
"""Copies of copies that are followed; RecordCached names the original at once."""


@dataclass(frozen=True, slots=True)
class CandidateSources:
    """Executions with the artifacts that they wrote.

    Attributes:
        executions: Those that exist, by id.
        outputs: The artifacts that each of them wrote, ordered by slot.
        reports: The newest report on each of these artifacts that has any.
    """

    executions: Mapping[int, pb.Execution]
    outputs: Mapping[int, Sequence[Output]]
    reports: Mapping[int, StoredReport]

    def of_entry(self, entry: CacheEntryRow) -> Candidate:
        """Return an entry with its source."""
        execution = self.executions.get(entry.execution_id)
        outputs = self.outputs.get(entry.execution_id, ())
        return Candidate(execution, outputs, entry.published_at, entry)

    def of_execution(self, execution_id: int) -> Candidate:
        """Return an execution that was found by its fingerprint."""
        execution = self.executions[execution_id]
        outputs = self.outputs.get(execution_id, ())
        return Candidate(execution, outputs, execution.last_update_time_since_epoch)


def read_sources(tx: Transaction, execution_ids: Iterable[int]) -> CandidateSources:
    """Read executions and the artifacts that they wrote."""
    ids = list(dict.fromkeys(execution_ids))
    events = tx.events.of_executions(ids, {pb.Event.OUTPUT})
    artifacts = tx.nodes[ARTIFACT]
    artifacts.load(event.artifact_id for event in events)
    outputs: dict[int, list[Output]] = {}
    executions = _executions(tx, ids)
    for event in _without_copies(events, executions):
        node = artifacts.find(event.artifact_id)
        artifact = node.message if node else None
        execution_outputs = outputs.setdefault(event.execution_id, [])
        execution_outputs += [Output(slot, artifact) for slot in slots_of(event)]
    for execution_outputs in outputs.values():
        execution_outputs.sort(key=lambda output: output.slot)
    reports = tx.reports.of(event.artifact_id for event in events)
    return CandidateSources(executions, outputs, reports)


def _without_copies(
    events: Sequence[pb.Event], executions: Mapping[int, pb.Execution]
) -> Iterator[pb.Event]:
    """Yield the events but for those of copies, which lie where one step wanted them."""
    of_cached: dict[int, list[pb.Event]] = {}
    for event in events:
        execution = executions.get(event.execution_id)
        if execution is not None and execution.last_known_state == pb.Execution.CACHED:
            of_cached.setdefault(event.execution_id, []).append(event)
        else:
            yield event
    for cached_events in of_cached.values():
        yield from without_copies(cached_events)


def _executions(tx: Transaction, ids: Sequence[int]) -> dict[int, pb.Execution]:
    stored_executions = tx.nodes[EXECUTION]
    stored_executions.load(ids)
    nodes = ((i, stored_executions.find(i)) for i in ids)
    return {i: node.message for i, node in nodes if node is not None}


def originals(tx: Transaction, executions: Sequence[pb.Execution]) -> dict[int, int]:
    """Return, for the id of each execution, that of the one that really ran."""
    executions_by_id: dict[int, pb.Execution | None] = {
        execution.id: execution for execution in executions
    }
    for _ in range(MAX_COPIES):
        source_ids = {
            _served_from(execution) for execution in executions_by_id.values() if execution
        }
        missing_ids = [i for i in source_ids if i is not None and i not in executions_by_id]
        if not missing_ids:
            break
        executions_by_id |= dict.fromkeys(missing_ids) | _executions(tx, sorted(missing_ids))
    return {execution.id: _original(executions_by_id, execution) for execution in executions}


def _original(executions_by_id: Mapping[int, pb.Execution | None], execution: pb.Execution) -> int:
    for _ in range(MAX_COPIES):
        source = executions_by_id.get(_served_from(execution) or 0)
        if source is None:
            break
        execution = source
    return int(execution.id)


def _served_from(execution: pb.Execution) -> int | None:
    """Return the id that a CACHED execution names; Kubeflow Pipelines writes it as a text."""
    properties = execution.custom_properties
    if execution.last_known_state != pb.Execution.CACHED or ORIGINAL_PROPERTY not in properties:
        return None
    value = properties[ORIGINAL_PROPERTY]
    if value.HasField("int_value"):
        return int(value.int_value)
    text = value.string_value
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None
