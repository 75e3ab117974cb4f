"""Other forms of a refused record: parts that can be left out before the step is."""

from typing import Any

from lineage_store import errors
from lineage_store.client.transport import Transport
from lineage_store.recording.delivery.records import CACHED, STEP, Record
from lineage_store.recording.delivery.verdicts import Verdict, verdict_of
from lineage_store.v1 import cache_pb2 as pb
from lineage_store.v1 import metadata_pb2
from lineage_store.v1 import metadata_service_pb2 as rpc

_OF_THE_HIT = (errors.NotFound, errors.FailedPrecondition)
"""The errors for a hit whose entry is gone, or was invalidated since."""


def other_form(transport: Transport, record: Record, error: errors.LineageError) -> Record | None:
    """Return the record without the part that may be refused; None: there is nothing to leave out.

    That an entry can't be published, or is no longer good, is no reason to forget the step; and an
    artifact that is known has its type, whatever it was taken for here.

    Raises:
        LineageError: The store went away.
    """
    if isinstance(error, errors.InvalidArgument):
        typed = without_known_types(transport, record)
        if typed is not None:
            return typed
    if verdict_of(error) is Verdict.NEVER or isinstance(error, errors.FailedPrecondition):
        without = without_publication(record)
        if without is not None:
            return without
    if record.method == CACHED and isinstance(error, _OF_THE_HIT):
        return without_entry(record)
    return None


def without_publication(record: Record) -> Record | None:
    """Return a record without its cache entry; None: it has none."""
    request = record.request
    if not request.step.HasField("cache"):
        return None
    request.step.ClearField("cache")
    return Record.of(record.method, request)


def without_entry(record: Record) -> Record:
    """Return the record of a hit as that of a step which was skipped, for whatever reason."""
    request = pb.RecordStepRequest(step=record.request.step)
    request.step.outputs.extend(record.request.copies)
    request.step.execution.last_known_state = metadata_pb2.Execution.CACHED
    return Record.of(STEP, request)


def without_known_types(transport: Transport, record: Record) -> Record | None:
    """Return a record in which artifacts that the store knows have no type; None: none has one."""
    request = record.request
    placed = [*request.step.inputs, *request.step.outputs]
    placed += request.copies if record.method == CACHED else ()
    named = {p.artifact.external_id: p.artifact for p in placed if p.artifact.external_id}
    stored: Any = _stored(transport, list(named))
    typed = [named[each.external_id] for each in stored if named[each.external_id].type]
    for artifact in typed:
        artifact.ClearField("type")
    return Record.of(record.method, request) if typed else None


def _stored(transport: Transport, external_ids: list[str]) -> Any:  # noqa: ANN401 - messages of nodes
    if not external_ids:
        return []
    request = rpc.GetArtifactsByExternalIdsRequest(external_ids=external_ids)
    try:
        response: Any = transport.call("GetArtifactsByExternalIds", request)
    except errors.LineageError as error:
        if verdict_of(error) is Verdict.LATER:
            raise
        return []
    return response.artifacts
