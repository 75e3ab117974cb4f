"""Copies that were made of the outputs of the source when a step was served from the cache.

A copy is an output of the CACHED execution, in the slot of the output that it is a copy of. So of
the events of a CACHED execution in one slot the first is of the source's output, the others are
of copies.
"""

from collections.abc import Iterable, Sequence

from lineage_store import errors
from lineage_store.cache.slots import Slot, label, slots_of
from lineage_store.database.transaction import Transaction
from lineage_store.engine.steps.artifacts import StepArtifacts
from lineage_store.engine.steps.gathering import gather
from lineage_store.engine.steps.naming import TypeNames
from lineage_store.v1 import cache_pb2 as pb
from lineage_store.v1 import metadata_pb2


def gather_with_copies(tx: Transaction, step: pb.Step, copies: Sequence[pb.StepArtifact]) -> None:
    """Look up what recording a step and its copies asks for; see `gather`."""
    if not copies:
        gather(tx, [step])
        return
    together = pb.Step()
    together.CopyFrom(step)
    together.outputs.extend(copies)
    gather(tx, [together])


def put_copies(
    tx: Transaction,
    step: pb.Step,
    execution_id: int,
    copies: Sequence[pb.StepArtifact],
    originals: Sequence[metadata_pb2.Event],
) -> list[int]:
    """Put copies and tie them to a CACHED execution; return their ids.

    Args:
        tx: The transaction.
        step: The step, which says whether types may be created.
        execution_id: The execution.
        copies: StepArtifact messages.
        originals: The events of the outputs of the source.

    Raises:
        InvalidArgument: A copy is malformed, or in a slot where the source has no output.
    """
    if not copies:
        return []
    _check(copies, originals)
    types = TypeNames(tx, create=step.create_types)
    step_artifacts = StepArtifacts(tx, types, None, is_complete=True)
    ids = step_artifacts.put_all(copies, "copies", is_output=True)
    step_artifacts.tie(execution_id)
    return ids


def _check(copies: Sequence[pb.StepArtifact], originals: Sequence[metadata_pb2.Event]) -> None:
    slots = {slot for event in originals for slot in slots_of(event)}
    for at, copy in enumerate(copies):
        slot = (copy.name, copy.index)
        if not copy.name or slot not in slots:
            raise errors.InvalidArgument(
                f"copies[{at}]: the source has no output in the place of {label(slot)}"
            )
        if not (copy.artifact.external_id or copy.artifact.HasField("id")):
            raise errors.InvalidArgument(
                f"copies[{at}].artifact.external_id must be set: a repetition would be another copy"
            )


def without_copies(events: Iterable[metadata_pb2.Event]) -> list[metadata_pb2.Event]:
    """Return the output events of a CACHED execution that are no copies, in their order.

    Events without a name for their slot are all kept: there nothing tells a copy, and none is put.

    Args:
        events: The events of one execution, ordered by id.
    """
    seen_slots: set[Slot] = set()
    original_events = []
    for event in events:
        slots = [slot for slot in slots_of(event) if slot[0]]
        if not slots or not seen_slots.issuperset(slots):
            original_events.append(event)
        seen_slots.update(slots)
    return original_events
