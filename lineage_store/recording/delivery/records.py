"""Records on their way to the store, and how they are sent."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import DecodeError

from lineage_store import errors
from lineage_store.client.transport import Transport
from lineage_store.v1 import cache_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as rpc

STEP = "RecordStep"
CACHED = "RecordCached"
_REQUESTS: dict[str, Any] = {STEP: pb.RecordStepRequest, CACHED: pb.RecordCachedRequest}

AWAY = (
    errors.Unavailable,
    errors.DeadlineExceeded,
    errors.Cancelled,
    errors.Aborted,
    errors.Unauthenticated,
    errors.PermissionDenied,
    errors.Unimplemented,
)
"""Errors that say nothing against what was sent: the same may be taken later."""


@dataclass(frozen=True, slots=True)
class Record:
    """One request that records something of a step.

    Attributes:
        method: "RecordStep" or "RecordCached".
        request: Its request message.
    """

    method: str
    request: Any

    def body(self) -> bytes:
        """Return the request, encoded."""
        encoded: bytes = self.request.SerializeToString()
        return encoded

    def size(self) -> int:
        """Return how many bytes the request has."""
        size: int = self.request.ByteSize()
        return size

    @classmethod
    def read(cls, method: str, body: bytes) -> "Record":
        """Return the record of a method and an encoded request.

        Raises:
            DataLoss: There is no such method, or the request can't be read.
        """
        try:
            return cls(method, _REQUESTS[method].FromString(body))
        except (KeyError, DecodeError):
            raise errors.DataLoss(f"a record of {method!r} can't be read") from None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that the store will never take, and why."""

    record: Record
    why: str


@dataclass(slots=True)
class Outcome:
    """What became of records that were sent in order.

    Attributes:
        done: How many of them, from the first on, are settled.
        refused: Of these, those that the store refused, by their places.
        away: Why the others were not sent; None: there are none.
    """

    done: int = 0
    refused: dict[int, Refusal] = field(default_factory=dict)
    away: errors.LineageError | None = None


def send(transport: Transport, records: Sequence[Record]) -> Outcome:
    """Send records in their order, steps that follow each other in one call.

    Raises nothing that the store answers: the outcome has it.
    """
    outcome = Outcome()
    while outcome.done < len(records) and outcome.away is None:
        group = _group(records, outcome.done)
        try:
            faults = _send_group(transport, group)
        except AWAY as error:
            outcome.away = error
        except errors.LineageError as error:
            _send_each(transport, group, error, outcome)
        else:
            _settle(transport, group, faults, outcome)
    return outcome


def _group(records: Sequence[Record], start: int) -> list[Record]:
    """Return the records from `start` on that go into one call."""
    end = start + 1
    while end < len(records) and records[end].method == STEP and records[start].method == STEP:
        end += 1
    return list(records[start:end])


def _send_group(transport: Transport, group: Sequence[Record]) -> list[errors.LineageError | None]:
    """Return for each record of a call what it was refused with, or None."""
    if group[0].method == CACHED:
        transport.call(CACHED, group[0].request)
        return [None]
    request = pb.RecordStepsRequest(steps=[record.request.step for record in group])
    response: Any = transport.call("RecordSteps", request)
    return [_error(result) for result in response.results]


def _error(result: Any) -> errors.LineageError | None:
    if not result.HasField("error_code"):
        return None
    return errors.from_status(result.error_code, result.error_message, result.error_reason)


def _send_each(
    transport: Transport, group: Sequence[Record], error: errors.LineageError, outcome: Outcome
) -> None:
    """Find the record that a whole call was refused for."""
    if len(group) == 1:
        _settle(transport, group, [error], outcome)
        return
    for record in group:
        alone = send(transport, [record])
        if alone.away is not None:
            outcome.away = alone.away
            return
        if alone.refused:
            outcome.refused[outcome.done] = alone.refused[0]
        outcome.done += 1


def _settle(
    transport: Transport,
    group: Sequence[Record],
    faults: Sequence[errors.LineageError | None],
    outcome: Outcome,
) -> None:
    for record, fault in zip(group, faults, strict=True):
        if isinstance(fault, AWAY):
            outcome.away = fault
            return
        if fault is not None:
            _settle_refused(transport, record, fault, outcome)
            if outcome.away is not None:
                return
        outcome.done += 1


def _settle_refused(
    transport: Transport, record: Record, fault: errors.LineageError, outcome: Outcome
) -> None:
    """Record what happened in another form, if it is the form that was refused."""
    try:
        other = _other_form(transport, record, fault)
    except AWAY as error:
        outcome.away = error
        return
    if other is None:
        outcome.refused[outcome.done] = Refusal(record, f"{fault.reason}: {fault.message}")
        return
    again = send(transport, [other])
    outcome.away = again.away
    if again.refused:
        outcome.refused[outcome.done] = again.refused[0]


def _other_form(transport: Transport, record: Record, fault: errors.LineageError) -> Record | None:
    """Return the record without what may have been refused; None: there is nothing to leave out.

    That an entry can't be published is no reason to forget the step; and an artifact that is known
    has its type, whatever it was taken for here.
    """
    if isinstance(fault, errors.InvalidArgument):
        typed = without_known_types(transport, record)
        if typed is not None:
            return typed
    return without_publication(record)


def without_publication(record: Record) -> Record | None:
    """Return a record without its cache entry; None: it has none."""
    if not record.request.step.HasField("cache"):
        return None
    copy = _copy(record)
    copy.request.step.ClearField("cache")
    return copy


def without_known_types(transport: Transport, record: Record) -> Record | None:
    """Return a record in which artifacts that the store knows have no type; None: none has one."""
    copy = _copy(record)
    placed = [*copy.request.step.inputs, *copy.request.step.outputs]
    placed += copy.request.copies if record.method == CACHED else ()
    named = {p.artifact.external_id: p.artifact for p in placed if p.artifact.external_id}
    found: Any = _known(transport, list(named))
    typed = [named[each.external_id] for each in found if named[each.external_id].type]
    for artifact in typed:
        artifact.ClearField("type")
    return copy if typed else None


def _known(transport: Transport, external_ids: list[str]) -> Any:
    if not external_ids:
        return []
    request = rpc.GetArtifactsByExternalIdsRequest(external_ids=external_ids)
    try:
        response: Any = transport.call("GetArtifactsByExternalIds", request)
    except AWAY:
        raise
    except errors.LineageError:
        return []
    return response.artifacts


def _copy(record: Record) -> Record:
    return Record.read(record.method, record.body())
