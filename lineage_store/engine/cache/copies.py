"""Copies: what outputs of the source were copied to, when a step was served from the cache.

A copy is an output of the CACHED execution, in the place of the output that it is a copy of. So of
the events of a CACHED execution in one place the first is of the source's output, the others are
of copies.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from lineage_store import errors
from lineage_store.cache.slots import Place, label, places_of
from lineage_store.database.transaction import Transaction
from lineage_store.engine.steps.artifacts import StepArtifacts
from lineage_store.engine.steps.gathering import gather
from lineage_store.engine.steps.naming import TypeNames
from lineage_store.v1 import cache_pb2 as pb


def gather_with_copies(tx: Transaction, step: Any, copies: Sequence[Any]) -> None:
    """Look up what recording a step and its copies asks for; see `gather`."""
    if not copies:
        gather(tx, [step])
        return
    together = pb.Step()
    together.CopyFrom(step)
    together.outputs.extend(copies)
    gather(tx, [together])


def put_copies(
    tx: Transaction, step: Any, execution_id: int, copies: Sequence[Any], originals: Sequence[Any]
) -> list[int]:
    """Put copies and tie them to a CACHED execution; return their ids.

    Args:
        tx: The transaction.
        step: The step, which says whether types may be created.
        execution_id: The execution.
        copies: StepArtifact messages.
        originals: The events of the outputs of the source.

    Raises:
        InvalidArgument: A copy is malformed, or in a place where the source has no output.
    """
    if not copies:
        return []
    _check(copies, originals)
    types = TypeNames(tx, create=step.create_types)
    artifacts = StepArtifacts(tx, types, None, is_complete=True)
    ids = artifacts.put_all(copies, "copies", is_output=True)
    artifacts.tie(execution_id)
    return ids


def _check(copies: Sequence[Any], originals: Sequence[Any]) -> None:
    places = {place for event in originals for place in places_of(event)}
    for at, copy in enumerate(copies):
        place = (copy.name, copy.index)
        if not copy.name or place not in places:
            raise errors.InvalidArgument(
                f"copies[{at}]: the source has no output in the place of {label(place)}"
            )
        if not (copy.artifact.external_id or copy.artifact.HasField("id")):
            raise errors.InvalidArgument(
                f"copies[{at}].artifact.external_id must be set: a repetition would be another copy"
            )


def without_copies(events: Iterable[Any]) -> list[Any]:
    """Return the output events of a CACHED execution that are no copies, in their order.

    Events without a name for their place are all kept: there nothing tells a copy, and none is put.

    Args:
        events: The events of one execution, ordered by id.
    """
    seen: set[Place] = set()
    kept = []
    for event in events:
        places = [place for place in places_of(event) if place[0]]
        if not places or not seen.issuperset(places):
            kept.append(event)
        seen.update(places)
    return kept
