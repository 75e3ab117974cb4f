"""RecordCached: a step that was served from the cache, tied to the execution that really ran."""

from collections.abc import Sequence
from dataclasses import dataclass

from lineage_store import errors
from lineage_store.cache.decision import FINISHED
from lineage_store.cache.slots import slots_of
from lineage_store.database.staging.cache_entries import CacheEntryRow, CacheHitRow
from lineage_store.database.transaction import Transaction
from lineage_store.engine.cache.answers import output_message
from lineage_store.engine.cache.candidates import ORIGINAL_PROPERTY, originals
from lineage_store.engine.cache.copies import gather_with_copies, put_copies, without_copies
from lineage_store.engine.cache.publishing import Origin
from lineage_store.engine.metadata.edges import prefetch_events, put_event
from lineage_store.engine.requests import required
from lineage_store.engine.steps.recording import State, record
from lineage_store.kinds import ARTIFACT, EXECUTION
from lineage_store.v1 import cache_pb2 as pb
from lineage_store.v1 import metadata_pb2


@dataclass(frozen=True, slots=True)
class _Source:
    """The source of a step that is served from the cache.

    Attributes:
        execution: The execution whose outputs are used.
        origin: The execution that really ran, and the age of its outputs.
        entry: The entry; None: it was found by its fingerprint.
    """

    execution: metadata_pb2.Execution
    origin: Origin
    entry: CacheEntryRow | None = None


def record_cached(tx: Transaction, request: pb.RecordCachedRequest) -> pb.RecordCachedResponse:
    """Record a CACHED execution with the outputs of the one that it was served from, and copies."""
    sent_step = required(request, "step", "")
    source = _source(tx, request)
    mark = tx.mark()
    step = _cached_step(sent_step, source)
    gather_with_copies(tx, step, request.copies)
    recorded_step = record(tx, step, "step", served_from=source.origin)
    if recorded_step.state != State.CACHED:
        raise errors.FailedPrecondition(
            f"step: execution {recorded_step.response.execution_id} is "
            f"{State.State.Name(recorded_step.state)}; it was not served from the cache"
        )
    response = recorded_step.response
    _link(tx, response.execution_id, source)
    events = _outputs_of(tx, source.execution)
    response.output_ids.extend(event.artifact_id for event in events)
    _repeat_events(tx, response, events)
    copies = put_copies(tx, step, response.execution_id, request.copies, events)
    response.output_ids.extend(copies)
    _join_contexts(tx, response)
    response.is_repeated = recorded_step.stored_execution is not None and tx.mark() == mark
    return pb.RecordCachedResponse(
        recorded=response,
        outputs=_outputs(tx, events),
        original_execution_id=source.origin.execution_id,
    )


def _source(tx: Transaction, request: pb.RecordCachedRequest) -> _Source:
    if request.HasField("entry_id") == request.HasField("execution_id"):
        raise errors.InvalidArgument("either entry_id or execution_id must be set")
    if request.HasField("execution_id"):
        execution = _finished(tx, request.execution_id, "execution_id")
        original = originals(tx, [execution])[execution.id]
        return _Source(execution, Origin(original, execution.last_update_time_since_epoch))
    entries = tx.entries.by_ids([request.entry_id])
    if not entries:
        raise errors.NotFound(f"entry_id: there is no entry {request.entry_id}")
    [entry] = entries
    origin = Origin(entry.original_execution_id, entry.published_at, entry.expires_at)
    return _Source(_finished(tx, entry.execution_id, "entry_id"), origin, entry)


def _finished(tx: Transaction, execution_id: int, field: str) -> metadata_pb2.Execution:
    stored_execution = tx.nodes[EXECUTION].find(execution_id)
    if stored_execution is None:
        raise errors.NotFound(f"{field}: there is no execution {execution_id}")
    execution: metadata_pb2.Execution = stored_execution.message
    if execution.last_known_state not in FINISHED:
        state = State.State.Name(execution.last_known_state)
        raise errors.FailedPrecondition(f"{field}: execution {execution_id} is {state}")
    return execution


def _cached_step(sent_step: pb.Step, source: _Source) -> pb.Step:
    if sent_step.outputs:
        raise errors.InvalidArgument("step.outputs must be empty: they are those of the source")
    if sent_step.execution.last_known_state not in {State.UNKNOWN, State.CACHED}:
        raise errors.InvalidArgument("step.execution.last_known_state must be CACHED, or unset")
    step = pb.Step()
    step.CopyFrom(sent_step)
    step.execution.last_known_state = State.CACHED
    original_property = step.execution.custom_properties[ORIGINAL_PROPERTY]
    original_property.int_value = source.origin.execution_id
    return step


def _link(tx: Transaction, execution_id: int, source: _Source) -> None:
    """Count the hit, once.

    Raises:
        FailedPrecondition: The entry was invalidated, or the execution was served by another one.
    """
    entry = source.entry
    stored_hit = tx.entries.hit_of(execution_id)
    if stored_hit is not None:
        if stored_hit.source_execution_id != source.execution.id:
            raise errors.FailedPrecondition(
                f"step: execution {execution_id} was served from execution "
                f"{stored_hit.source_execution_id}"
            )
        return
    if entry is not None and entry.invalidated_at is not None:
        why = f": {entry.invalidated_why}" if entry.invalidated_why else ""
        raise errors.FailedPrecondition(f"entry_id: entry {entry.id} was invalidated{why}")
    entry_id = None if entry is None else entry.id
    hit = CacheHitRow(execution_id, entry_id, source.execution.id, source.origin.execution_id)
    tx.entries.use(hit)


def _outputs_of(tx: Transaction, source: metadata_pb2.Execution) -> list[metadata_pb2.Event]:
    """Return the events of what a source wrote, which are not those of its copies."""
    events = tx.events.of_executions([source.id], {metadata_pb2.Event.OUTPUT})
    return without_copies(events) if source.last_known_state == State.CACHED else events


def _repeat_events(
    tx: Transaction, response: pb.RecordStepResponse, events: Sequence[metadata_pb2.Event]
) -> None:
    """Tie the outputs of the source to the execution, in the same slots."""
    copies = []
    for event in events:
        copy = metadata_pb2.Event()
        copy.CopyFrom(event)
        copy.execution_id = response.execution_id
        copy.ClearField("milliseconds_since_epoch")
        copies.append(copy)
    prefetch_events(tx, copies)
    for copy in copies:
        if not tx.events.exists((copy.artifact_id, copy.execution_id, copy.type)):
            put_event(tx, copy, "outputs")


def _join_contexts(tx: Transaction, response: pb.RecordStepResponse) -> None:
    """Tie all outputs to the contexts of the execution."""
    pairs = [(c, a) for c in response.context_ids for a in response.output_ids]
    tx.members.add(ARTIFACT, tx.members.untied(ARTIFACT, pairs))


def _outputs(tx: Transaction, events: Sequence[metadata_pb2.Event]) -> list[pb.StepArtifact]:
    slotted_events = [(slot, event) for event in events for slot in slots_of(event)]
    nodes = tx.nodes[ARTIFACT]
    nodes.load(event.artifact_id for event in events)
    messages = []
    for slot, event in sorted(slotted_events, key=lambda pair: pair[0]):
        node = nodes.find(event.artifact_id)
        messages.append(output_message(slot, node.message if node else None))
    return messages
