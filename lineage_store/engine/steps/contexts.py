"""The contexts of a step: found or created, tied to their parents and to the nodes of the step."""

from collections.abc import Sequence

from lineage_store import errors
from lineage_store.database.transaction import Transaction
from lineage_store.engine.metadata.edges import put_parent_contexts
from lineage_store.engine.metadata.nodes import put_node
from lineage_store.engine.requests import bounded
from lineage_store.engine.steps.merging import merge
from lineage_store.engine.steps.naming import TypeNames
from lineage_store.kinds import ARTIFACT, CONTEXT, EXECUTION
from lineage_store.v1 import cache_pb2
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service


def put_contexts(
    tx: Transaction,
    types: TypeNames,
    step: cache_pb2.Step,
    field: str,
    execution_id: int,
    artifact_ids: Sequence[int],
) -> list[int]:
    """Put the contexts of a step and tie them; return their ids.

    Raises:
        InvalidArgument: One is malformed or does not exist, or parents form a cycle.
    """
    ids = [
        _put(tx, types, context, f"{field}.contexts[{at}]")
        for at, context in enumerate(step.contexts)
    ]
    _put_parents(tx, step.parents, ids, field)
    for kind, node_ids in ((EXECUTION, [execution_id]), (ARTIFACT, artifact_ids)):
        pairs = [(context_id, node_id) for context_id in ids for node_id in node_ids]
        tx.members.add(kind, tx.members.untied(kind, pairs))
    return ids


def _put(tx: Transaction, types: TypeNames, context: pb.Context, where: str) -> int:
    nodes = tx.nodes[CONTEXT]
    typed_context = types.resolved(CONTEXT, context, where)
    if typed_context.HasField("id"):
        if not nodes.exists(typed_context.id):
            raise errors.InvalidArgument(f"{where}.id: there is no context {typed_context.id}")
        context_id: int | None = typed_context.id
    else:
        context_id = nodes.by_name(
            typed_context.type_id, bounded(f"{where}.name", typed_context.name)
        )
    if context_id is None:
        return put_node(tx, CONTEXT, typed_context, where)
    return merge(tx, CONTEXT, nodes.find(context_id), typed_context, where)  # type: ignore[arg-type]


def _put_parents(
    tx: Transaction, parents: Sequence[cache_pb2.ContextParent], ids: Sequence[int], field: str
) -> None:
    pairs = []
    for at, parent in enumerate(parents):
        for side in ("child_index", "parent_index"):
            if not 0 <= getattr(parent, side) < len(ids):
                raise errors.InvalidArgument(
                    f"{field}.parents[{at}].{side} is {getattr(parent, side)}; "
                    f"there are {len(ids)} contexts"
                )
        pairs.append((ids[parent.child_index], ids[parent.parent_index]))
    tx.parents.check(pairs)
    request = service.PutParentContextsRequest()
    for child_id, parent_id in dict.fromkeys(pairs):
        if not tx.parents.exists(child_id, parent_id):
            request.parent_contexts.add(child_id=child_id, parent_id=parent_id)
    put_parent_contexts(tx, request)
