"""Nodes and events read back: stored bytes behind the field number of the response."""

from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from lineage_store import errors
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.engine.metadata.types import bare_type
from lineage_store.engine.requests import non_empty_all
from lineage_store.engine.responses import one, repeated
from lineage_store.kinds import ARTIFACT, NodeKind
from lineage_store.v1 import metadata_service_pb2 as service

Reader = Callable[[Snapshot, Any], Any]

_ContextsRequest = (
    service.GetParentContextsByContextsRequest | service.GetChildrenContextsByContextsRequest
)


def get_by_id(kind: NodeKind) -> Reader:
    """Return the handler of GetArtifactsByID, GetExecutionsByID or GetContextsByID."""

    def handler(snapshot: Snapshot, request: Any) -> bytes:
        rows = snapshot.nodes_by_ids(kind, getattr(request, f"{kind.name}_ids"))
        encoded = repeated(1, [body for _, body in rows])
        if kind is ARTIFACT and request.populate_artifact_types:
            encoded += _types_of(snapshot, sorted({type_id for type_id, _ in rows}))
        return encoded

    return handler


def _types_of(snapshot: Snapshot, type_ids: list[int]) -> bytes:
    types_by_id = snapshot.types.by_ids(type_ids)
    messages = [bare_type(ARTIFACT, types_by_id[i].message) for i in type_ids]
    return service.GetArtifactsByIDResponse(artifact_types=messages).SerializeToString()


def get_by_external_ids(kind: NodeKind) -> Reader:
    """Return the handler of Get*ByExternalIds."""

    def handler(snapshot: Snapshot, request: Any) -> bytes:
        external_ids = non_empty_all("external_ids", request.external_ids)
        bodies = snapshot.nodes_by_external_ids(kind, external_ids)
        if external_ids and not bodies:
            raise errors.NotFound(f"no {kind.name} has one of these external ids")
        return repeated(1, bodies)

    return handler


def get_by_type_and_name(kind: NodeKind) -> Reader:
    """Return the handler of Get*ByTypeAndName; the node is unset when there is none."""
    name_field = f"{kind.name}_name"

    def handler(snapshot: Snapshot, request: Any) -> bytes:
        name = getattr(request, name_field)
        body = snapshot.node_by_name(kind, request.type_name, request.type_version, name)
        return one(1, body)

    return handler


def get_artifacts_by_uri(snapshot: Snapshot, request: service.GetArtifactsByURIRequest) -> bytes:
    """Answer the artifacts at some uris."""
    if any(field.field_number == 1 for field in _unknown_fields(request)):
        raise errors.InvalidArgument("the field numbered 1 is no longer supported; set uris")
    return repeated(1, snapshot.artifacts_by_uris(request.uris))


def _unknown_fields(request: Message) -> Any:
    return UnknownFieldSet(request)


def get_events(kind: NodeKind) -> Reader:
    """Return the handler of GetEventsByArtifactIDs or GetEventsByExecutionIDs."""

    def handler(snapshot: Snapshot, request: Message) -> bytes:
        return repeated(1, snapshot.events(kind, getattr(request, f"{kind.name}_ids")))

    return handler


def get_contexts_of(kind: NodeKind) -> Reader:
    """Return the handler of GetContextsByArtifact or GetContextsByExecution."""

    def handler(snapshot: Snapshot, request: Message) -> bytes:
        node_id = getattr(request, f"{kind.name}_id")
        bodies = snapshot.contexts_of(kind, node_id)
        if not bodies:
            raise errors.NotFound(f"{kind.name} {node_id} is in no context")
        return repeated(1, bodies)

    return handler


def get_parents(snapshot: Snapshot, request: service.GetParentContextsByContextRequest) -> bytes:
    """Answer the direct parents of a context."""
    return repeated(1, snapshot.parents_of([request.context_id]).get(request.context_id, []))


def get_children(snapshot: Snapshot, request: service.GetChildrenContextsByContextRequest) -> bytes:
    """Answer the direct children of a context."""
    return repeated(1, snapshot.children_of([request.context_id]).get(request.context_id, []))


def get_parents_of_many(
    snapshot: Snapshot, request: service.GetParentContextsByContextsRequest
) -> service.GetParentContextsByContextsResponse:
    """Answer the direct parents of each context that has any."""
    bodies_by_context = snapshot.parents_of(_context_ids(request))
    response = service.GetParentContextsByContextsResponse()
    for context_id, bodies in bodies_by_context.items():
        response.contexts[context_id].MergeFromString(repeated(1, bodies))
    return response


def get_children_of_many(
    snapshot: Snapshot, request: service.GetChildrenContextsByContextsRequest
) -> service.GetChildrenContextsByContextsResponse:
    """Answer the direct children of each context that has any."""
    bodies_by_context = snapshot.children_of(_context_ids(request))
    response = service.GetChildrenContextsByContextsResponse()
    for context_id, bodies in bodies_by_context.items():
        response.contexts[context_id].MergeFromString(repeated(1, bodies))
    return response


def _context_ids(request: _ContextsRequest) -> list[int]:
    if not request.context_ids:
        raise errors.InvalidArgument("context_ids must not be empty")
    return list(request.context_ids)
