"""Edges between nodes: events, and who belongs to which context."""
# ruff: noqa: ARG002 - extra_options are part of every signature and mean nothing

from collections.abc import Iterable, Sequence

from lineage_store.mlmd.metadata_store.calls import Calls, ExtraOptions
from lineage_store.mlmd.metadata_store.listing import ListOptions, OrderByField
from lineage_store.mlmd.metadata_store.messages import own_all
from lineage_store.v1 import metadata_service_pb2 as rpc
from lineage_store.v1.metadata_pb2 import (
    Artifact,
    Association,
    Attribution,
    Context,
    Event,
    Execution,
    ParentContext,
)


class EdgeMethods(Calls):
    """The methods of a store that deal with edges.

    A `put` creates all of its edges or none, and raises InvalidArgumentError for an edge to a node
    that does not exist.
    """

    def put_events(
        self, events: Sequence[Event], extra_options: ExtraOptions | None = None
    ) -> None:
        """Create events; AlreadyExistsError for the same type between the same nodes."""
        request = rpc.PutEventsRequest(events=own_all(Event, events))
        self._call(request, rpc.PutEventsResponse)

    def put_attributions_and_associations(
        self,
        attributions: Sequence[Attribution],
        associations: Sequence[Association],
        extra_options: ExtraOptions | None = None,
    ) -> None:
        """Put artifacts and executions in contexts; those that are there already stay."""
        request = rpc.PutAttributionsAndAssociationsRequest(
            attributions=own_all(Attribution, attributions),
            associations=own_all(Association, associations),
        )
        self._call(request, rpc.PutAttributionsAndAssociationsResponse)

    def put_parent_contexts(
        self,
        parent_contexts: Sequence[ParentContext],
        extra_options: ExtraOptions | None = None,
    ) -> None:
        """Put contexts in contexts.

        Raises:
            AlreadyExistsError: One is there already.
            InvalidArgumentError: A context would contain itself, directly or through others.
        """
        request = rpc.PutParentContextsRequest(
            parent_contexts=own_all(ParentContext, parent_contexts)
        )
        self._call(request, rpc.PutParentContextsResponse)

    def get_events_by_execution_ids(
        self, execution_ids: Iterable[int], extra_options: ExtraOptions | None = None
    ) -> list[Event]:
        """Return the events of these executions."""
        request = rpc.GetEventsByExecutionIDsRequest(execution_ids=execution_ids)
        return list(self._call(request, rpc.GetEventsByExecutionIDsResponse).events)

    def get_events_by_artifact_ids(
        self, artifact_ids: Iterable[int], extra_options: ExtraOptions | None = None
    ) -> list[Event]:
        """Return the events of these artifacts."""
        request = rpc.GetEventsByArtifactIDsRequest(artifact_ids=artifact_ids)
        return list(self._call(request, rpc.GetEventsByArtifactIDsResponse).events)

    def get_contexts_by_artifact(
        self, artifact_id: int, extra_options: ExtraOptions | None = None
    ) -> list[Context]:
        """Return the contexts that an artifact is in; NotFoundError if it is in none."""
        request = rpc.GetContextsByArtifactRequest(artifact_id=artifact_id)
        return list(self._call(request, rpc.GetContextsByArtifactResponse).contexts)

    def get_contexts_by_execution(
        self, execution_id: int, extra_options: ExtraOptions | None = None
    ) -> list[Context]:
        """Return the contexts that an execution is in; NotFoundError if it is in none."""
        request = rpc.GetContextsByExecutionRequest(execution_id=execution_id)
        return list(self._call(request, rpc.GetContextsByExecutionResponse).contexts)

    def get_artifacts_by_context(
        self,
        context_id: int,
        list_options: ListOptions | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> list[Artifact]:
        """Return the artifacts in a context, but not those in its children, by id by default."""
        request = rpc.GetArtifactsByContextRequest(context_id=context_id)
        return self._list(request, rpc.GetArtifactsByContextResponse, "artifacts", list_options)

    def get_executions_by_context(
        self,
        context_id: int,
        list_options: ListOptions | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> list[Execution]:
        """Return the executions in a context, but not in its children, newest first by default."""
        options = list_options or ListOptions(order_by=OrderByField.CREATE_TIME, is_asc=False)
        request = rpc.GetExecutionsByContextRequest(context_id=context_id)
        return self._list(request, rpc.GetExecutionsByContextResponse, "executions", options)

    def get_parent_contexts_by_context(
        self, context_id: int, extra_options: ExtraOptions | None = None
    ) -> list[Context]:
        """Return the contexts that a context is directly in."""
        request = rpc.GetParentContextsByContextRequest(context_id=context_id)
        return list(self._call(request, rpc.GetParentContextsByContextResponse).contexts)

    def get_children_contexts_by_context(
        self, context_id: int, extra_options: ExtraOptions | None = None
    ) -> list[Context]:
        """Return the contexts that are directly in a context."""
        request = rpc.GetChildrenContextsByContextRequest(context_id=context_id)
        return list(self._call(request, rpc.GetChildrenContextsByContextResponse).contexts)
