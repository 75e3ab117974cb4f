"""Records sent in their order, and what became of each."""

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
class Outcome:
    """What became of records that were sent in order.

    Attributes:
        done: How many of them, from the first on, were tried to the end.
        refused: Of these, those that the store refused, by their places.
        doubted: Of these, those of which it can't be told whether it will ever take them.
        away: Why the others were not sent; None: there are none.
    """

    done: int = 0
    refused: dict[int, Refusal] = field(default_factory=dict)
    doubted: dict[int, errors.LineageError] = field(default_factory=dict)
    away: errors.LineageError | None = None

    @property
    def taken(self) -> int:
        """How many records the store has now."""
        return self.done - len(self.refused) - len(self.doubted)

    def is_open(self, at: int) -> bool:
        """Whether the store does not have the record at a place."""
        return at >= self.done or at in self.refused or at in self.doubted

    def waiting(self, count: int) -> list[int]:
        """Return the places of the records, of so many, that are to be sent again."""
        return [*sorted(self.doubted), *range(self.done, count)]


def send(transport: Transport, records: Sequence[Record]) -> Outcome:
    """Send records in their order, steps that follow each other in one call.

    Raises nothing that the store answers: the outcome has it.
    """
    outcome = Outcome()
    while outcome.done < len(records) and outcome.away is None:
        group = _group(records, outcome.done)
        try:
            faults = _send_group(transport, group)
        except errors.LineageError as error:
            _take_apart(transport, group, error, outcome)
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
    # The one field of a RecordStepRequest is what RecordStepsRequest repeats, under its number.
    request = pb.RecordStepsRequest.FromString(b"".join(record.body for record in group))
    response: Any = transport.call("RecordSteps", request)
    return [_error(result) for result in response.results]


def _error(result: Any) -> errors.LineageError | None:
    if not result.HasField("error_code"):
        return None
    return errors.from_status(result.error_code, result.error_message, result.error_reason)


def _take_apart(
    transport: Transport, group: Sequence[Record], error: errors.LineageError, outcome: Outcome
) -> None:
    """Find the records that a whole call was refused for, unless it is not for any of them."""
    if verdict_of(error) is Verdict.LATER:
        outcome.away = error
    elif len(group) == 1:
        _settle(transport, group, [error], outcome)
    else:
        _send_each(transport, group, outcome)


def _send_each(transport: Transport, group: Sequence[Record], outcome: Outcome) -> None:
    failed = 0
    for record in group:
        alone = send(transport, [record])
        _add(alone, outcome)
        failed = 0 if alone.taken else failed + len(alone.doubted)
        if failed == MOST_DOUBTS and not outcome.taken:
            outcome.away = alone.doubted[0]
        if outcome.away is not None:
            return


def _add(alone: Outcome, outcome: Outcome) -> None:
    """Add what became of one record to what became of those before it."""
    if alone.refused:
        outcome.refused[outcome.done] = alone.refused[0]
    if alone.doubted:
        outcome.doubted[outcome.done] = alone.doubted[0]
    outcome.done += alone.done
    outcome.away = alone.away


def _settle(
    transport: Transport,
    group: Sequence[Record],
    faults: Sequence[errors.LineageError | None],
    outcome: Outcome,
) -> None:
    for record, fault in zip(group, faults, strict=True):
        if fault is None:
            outcome.done += 1
        else:
            _settle_fault(transport, record, fault, outcome)
        if outcome.away is not None:
            return


def _settle_fault(
    transport: Transport, record: Record, fault: errors.LineageError, outcome: Outcome
) -> None:
    """Record what happened in another form, if it may be the form that was refused."""
    verdict = verdict_of(fault)
    if verdict is Verdict.LATER:
        outcome.away = fault
        return
    try:
        other = other_form(transport, record, fault)
    except errors.LineageError as error:
        outcome.away = error
        return
    if other is not None:
        _add(send(transport, [other]), outcome)
        _keep_original(record, outcome)
    elif verdict is Verdict.NEVER:
        outcome.refused[outcome.done] = Refusal(record, f"{fault.reason}: {fault.message}")
        outcome.done += 1
    else:
        outcome.doubted[outcome.done] = fault
        outcome.done += 1


def _keep_original(record: Record, outcome: Outcome) -> None:
    """See to it that what is kept of a refused record is all of it, not its last form."""
    at = outcome.done - 1
    if at in outcome.refused:
        outcome.refused[at] = Refusal(record, outcome.refused[at].why)
