"""Sends records in their order, and reports the fate of each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lineage_store import errors
from lineage_store.client.transport import Transport
from lineage_store.recording.delivery.forms import other_form
from lineage_store.recording.delivery.records import CACHED, STEP, Record, Refusal
from lineage_store.recording.delivery.verdicts import Verdict, verdict_of
from lineage_store.v1 import cache_pb2 as pb

MOST_DOUBTS = 3
"""Records that fail one after the other, and none is taken, after which the store is away."""


@dataclass(slots=True)
class DeliveryResult:
    """The fate of records that were sent in order.

    Attributes:
        tried_count: The number of records, from the first on, that were tried to the end.
        refusals: Those of them that the store refused, by their positions.
        doubts: Those of them that the store failed on and may never take, by their positions.
        outage: The error that kept the others from being sent; None: there are no others.
    """

    tried_count: int = 0
    refusals: dict[int, Refusal] = field(default_factory=dict)
    doubts: dict[int, errors.LineageError] = field(default_factory=dict)
    outage: errors.LineageError | None = None

    @property
    def accepted_count(self) -> int:
        """The number of records that the store has now."""
        return self.tried_count - len(self.refusals) - len(self.doubts)

    def is_open(self, at: int) -> bool:
        """Return whether the store lacks the record at a position."""
        return at >= self.tried_count or at in self.refusals or at in self.doubts

    def unsent_positions(self, count: int) -> list[int]:
        """Return the positions of the records, of so many, that are to be sent again."""
        return [*sorted(self.doubts), *range(self.tried_count, count)]


def send(transport: Transport, records: Sequence[Record]) -> DeliveryResult:
    """Send records in their order, steps that follow each other in one call.

    Raises no error of the store: the result has it.
    """
    result = DeliveryResult()
    while result.tried_count < len(records) and result.outage is None:
        group = _group(records, result.tried_count)
        try:
            replies = _send_group(transport, group)
        except errors.LineageError as error:
            _take_apart(transport, group, error, result)
        else:
            _settle(transport, group, replies, result)
    return result


def _group(records: Sequence[Record], start: int) -> list[Record]:
    """Return the records from `start` on that go into one call."""
    end = start + 1
    while end < len(records) and records[end].method == STEP and records[start].method == STEP:
        end += 1
    return list(records[start:end])


def _send_group(transport: Transport, group: Sequence[Record]) -> list[errors.LineageError | None]:
    """Send records in one call; return the error for each record, or None."""
    if group[0].method == CACHED:
        transport.call(CACHED, group[0].request)
        return [None]
    # RecordStepsRequest repeats the one field of a RecordStepRequest, under the same number.
    request = pb.RecordStepsRequest.FromString(b"".join(record.body for record in group))
    response: Any = transport.call("RecordSteps", request)
    return [_error(result) for result in response.results]


def _error(result: pb.RecordStepsResponse.Result) -> errors.LineageError | None:
    if not result.HasField("error_code"):
        return None
    return errors.from_status(result.error_code, result.error_message, result.error_reason)


def _take_apart(
    transport: Transport,
    group: Sequence[Record],
    error: errors.LineageError,
    result: DeliveryResult,
) -> None:
    """Find the records that made the store refuse a whole call, if records did."""
    if verdict_of(error) is Verdict.LATER:
        result.outage = error
    elif len(group) == 1:
        _settle(transport, group, [error], result)
    else:
        _send_each(transport, group, result)


def _send_each(transport: Transport, group: Sequence[Record], result: DeliveryResult) -> None:
    failed = 0
    for record in group:
        alone = send(transport, [record])
        _add(alone, result)
        failed = 0 if alone.accepted_count else failed + len(alone.doubts)
        if failed == MOST_DOUBTS and not result.accepted_count:
            result.outage = alone.doubts[0]
        if result.outage is not None:
            return


def _add(alone: DeliveryResult, result: DeliveryResult) -> None:
    """Add the fate of one record to the result of those before it."""
    if alone.refusals:
        result.refusals[result.tried_count] = alone.refusals[0]
    if alone.doubts:
        result.doubts[result.tried_count] = alone.doubts[0]
    result.tried_count += alone.tried_count
    result.outage = alone.outage


def _settle(
    transport: Transport,
    group: Sequence[Record],
    replies: Sequence[errors.LineageError | None],
    result: DeliveryResult,
) -> None:
    for record, error in zip(group, replies, strict=True):
        if error is None:
            result.tried_count += 1
        else:
            _settle_error(transport, record, error, result)
        if result.outage is not None:
            return


def _settle_error(
    transport: Transport, record: Record, error: errors.LineageError, result: DeliveryResult
) -> None:
    """Send the record in another form, if the store may have refused only its form."""
    verdict = verdict_of(error)
    if verdict is Verdict.LATER:
        result.outage = error
        return
    try:
        other = other_form(transport, record, error)
    except errors.LineageError as outage:
        result.outage = outage
        return
    if other is not None:
        _add(send(transport, [other]), result)
        _keep_original(record, result)
    elif verdict is Verdict.NEVER:
        result.refusals[result.tried_count] = Refusal(record, f"{error.reason}: {error.message}")
        result.tried_count += 1
    else:
        result.doubts[result.tried_count] = error
        result.tried_count += 1


def _keep_original(record: Record, result: DeliveryResult) -> None:
    """Keep the whole of a refused record, not the last form of it that was sent."""
    at = result.tried_count - 1
    if at in result.refusals:
        result.refusals[at] = Refusal(record, result.refusals[at].why)
