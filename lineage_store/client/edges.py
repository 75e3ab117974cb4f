"""Methods of `LineageStore` on events, and on the ties of nodes to contexts."""

from collections.abc import Sequence

from lineage_store import errors
from lineage_store.client.calls import Calls, id_of
from lineage_store.entities import Artifact, Context, Event, Execution
from lineage_store.v1 import metadata_pb2 as pb

ArtifactOrId = Artifact | int
ExecutionOrId = Execution | int
ContextOrId = Context | int


class EdgeMethods(Calls):
    """Put and list the edges between nodes; pass each end as a node or as its id."""

    def put_events(self, events: Sequence[Event]) -> None:
        """Record events, all or none.

        Raises:
            InvalidArgument: A node is unknown, or an event lacks one.
            AlreadyExists: The artifact and the execution have an event of the type.
        """
        self._call("PutEvents", events=[event.to_message() for event in events])

    def list_events(
        self,
        *,
        artifact: ArtifactOrId | Sequence[ArtifactOrId] | None = None,
        execution: ExecutionOrId | Sequence[ExecutionOrId] | None = None,
    ) -> list[Event]:
        """Return all events of one or more artifacts, or of one or more executions.

        They are ordered by the id of the node asked for, then as they were recorded.

        Raises:
            InvalidArgument: Both are given, or neither.
        """
        if (artifact is None) == (execution is None):
            raise errors.InvalidArgument("list events by artifact or by execution")
        if artifact is not None:
            response = self._call("GetEventsByArtifactIDs", artifact_ids=_ids(artifact))
        else:
            response = self._call("GetEventsByExecutionIDs", execution_ids=_ids(execution))
        return [Event.from_message(event) for event in response.events]

    def add_to_context(
        self,
        context: ContextOrId,
        *,
        artifacts: Sequence[ArtifactOrId] = (),
        executions: Sequence[ExecutionOrId] = (),
    ) -> None:
        """Put artifacts and executions into a context; its present members stay there.

        Raises:
            InvalidArgument: A node is unknown.
        """
        context_id = id_of(context)
        self._call(
            "PutAttributionsAndAssociations",
            attributions=[
                pb.Attribution(artifact_id=id_of(artifact), context_id=context_id)
                for artifact in artifacts
            ],
            associations=[
                pb.Association(execution_id=id_of(execution), context_id=context_id)
                for execution in executions
            ],
        )

    def add_parent_context(self, child: ContextOrId, parent: ContextOrId) -> None:
        """Put one context within another.

        Raises:
            InvalidArgument: A context is unknown, or the contexts would form a cycle.
            AlreadyExists: The child is in this parent already.
        """
        edge = pb.ParentContext(child_id=id_of(child), parent_id=id_of(parent))
        self._call("PutParentContexts", parent_contexts=[edge])

    def list_parent_contexts(self, context: ContextOrId) -> list[Context]:
        """Return all contexts that this one is directly in."""
        response = self._call("GetParentContextsByContext", context_id=id_of(context))
        return [Context.from_message(message) for message in response.contexts]

    def list_child_contexts(self, context: ContextOrId) -> list[Context]:
        """Return all contexts that are directly in this one."""
        response = self._call("GetChildrenContextsByContext", context_id=id_of(context))
        return [Context.from_message(message) for message in response.contexts]

    def list_contexts_of(
        self, *, artifact: ArtifactOrId | None = None, execution: ExecutionOrId | None = None
    ) -> list[Context]:
        """Return all contexts that an artifact, or an execution, belongs to.

        Raises:
            InvalidArgument: Both are given, or neither.
        """
        if artifact is not None and execution is None:
            method, scope = "GetContextsByArtifact", {"artifact_id": id_of(artifact)}
        elif execution is not None and artifact is None:
            method, scope = "GetContextsByExecution", {"execution_id": id_of(execution)}
        else:
            raise errors.InvalidArgument("list contexts by artifact or by execution")
        try:
            response = self._call(method, **scope)
        except errors.NotFound:  # the store's answer when there are none
            return []
        return [Context.from_message(context) for context in response.contexts]


def _ids(nodes: object) -> list[int]:
    if isinstance(nodes, int | Artifact | Execution):
        return [id_of(nodes)]
    if isinstance(nodes, Sequence):
        return [id_of(node) for node in nodes]
    raise errors.InvalidArgument(f"{nodes!r} is no node, id or list of them")
