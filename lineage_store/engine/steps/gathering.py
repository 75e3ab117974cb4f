"""Look-ups for all steps of one call together, before the steps are recorded one by one.

Nothing is checked here: an error in a step is found when the step is recorded.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lineage_store.database.staging.nodes import Name
from lineage_store.database.transaction import Transaction
from lineage_store.kinds import ARTIFACT, CONTEXT, EXECUTION, KINDS, NodeKind, NodeMessage
from lineage_store.v1 import cache_pb2 as pb


def gather(tx: Transaction, steps: Sequence[pb.Step]) -> None:
    """Look up everything that recording these steps needs, one statement per kind of look-up."""
    nodes_of_kind: dict[NodeKind, list[Any]] = {
        ARTIFACT: [one.artifact for step in steps for one in (*step.inputs, *step.outputs)],
        EXECUTION: [step.execution for step in steps],
        CONTEXT: [context for step in steps for context in step.contexts],
    }
    keys = {kind: [node.external_id for node in nodes] for kind, nodes in nodes_of_kind.items()}
    keys[EXECUTION] += [step.key for step in steps]
    for kind in KINDS:
        _gather_nodes(tx, kind, nodes_of_kind[kind], keys[kind])
    for kind in tx.members.kinds:
        tx.members.check(kind, _pairs(tx, kind, steps))
    _gather_claims(tx, steps)


def _gather_nodes(
    tx: Transaction, kind: NodeKind, nodes: Sequence[NodeMessage], external_ids: Iterable[str]
) -> None:
    staged_nodes = tx.nodes[kind]
    lookup_ids = list(filter(None, external_ids))
    staged_nodes.load_external_ids(lookup_ids)
    names = list(_names(tx, kind, nodes))
    staged_nodes.load_names(names)
    node_ids = [staged_nodes.by_external_id(external_id) for external_id in lookup_ids]
    if kind is CONTEXT:  # the others are not found by name
        node_ids += [staged_nodes.by_name(*name) for name in names]
    staged_nodes.load(
        [*(node.id for node in nodes if node.HasField("id")), *filter(None, node_ids)]
    )


def _names(tx: Transaction, kind: NodeKind, nodes: Iterable[NodeMessage]) -> Iterator[Name]:
    for node in nodes:
        type_id = _type_id(tx, kind, node)
        if type_id is not None and node.name and not node.HasField("id"):
            yield (type_id, node.name)


def _type_id(tx: Transaction, kind: NodeKind, node: NodeMessage) -> int | None:
    if node.HasField("type_id"):
        return int(node.type_id)
    is_named = node.type and isinstance(node.type, str)  # bytes: not UTF-8
    stored_type = tx.types.cached_by_name(kind, node.type, "") if is_named else None
    return None if stored_type is None else int(stored_type.message.id)


def _pairs(tx: Transaction, kind: NodeKind, steps: Iterable[pb.Step]) -> list[tuple[int, int]]:
    """Return pairs of context and node that both are known: with a new one, nothing is tied."""
    return [
        (context_id, node_id)
        for step in steps
        for context_id in _context_ids(tx, step)
        for node_id in _node_ids(tx, kind, step)
    ]


def _context_ids(tx: Transaction, step: pb.Step) -> Iterator[int]:
    staged_contexts = tx.nodes[CONTEXT]
    for context in step.contexts:
        type_id = _type_id(tx, CONTEXT, context)
        if context.HasField("id"):
            yield context.id
        elif type_id is not None and (context_id := staged_contexts.by_name(type_id, context.name)):
            yield context_id


def _node_ids(tx: Transaction, kind: NodeKind, step: pb.Step) -> Iterator[int]:
    staged_nodes = tx.nodes[kind]
    nodes: list[Any]
    if kind is EXECUTION:
        nodes, keys = [step.execution], [step.key]
    else:
        nodes = [one.artifact for one in (*step.inputs, *step.outputs)]
        keys = [node.external_id for node in nodes]
    for node, key in zip(nodes, keys, strict=True):
        if node.HasField("id"):
            yield node.id
        elif key and (node_id := staged_nodes.by_external_id(key)):
            yield node_id


def _gather_claims(tx: Transaction, steps: Iterable[pb.Step]) -> None:
    digests: dict[str, list[bytes]] = {}
    for step in steps:
        if step.HasField("cache"):
            digests.setdefault(step.cache.scope, []).append(step.cache.digest)
    for scope, of_scope in digests.items():
        if isinstance(scope, str):
            tx.claims.load(scope, of_scope)
