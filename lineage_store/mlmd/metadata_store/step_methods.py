"""Whole steps: recorded in one call, and followed from node to node."""
# ruff: noqa: ARG002 - extra_options are part of every signature and mean nothing

from collections.abc import Iterable, Sequence
from itertools import starmap

from google.protobuf.field_mask_pb2 import FieldMask

from lineage_store.mlmd.metadata_store.calls import ExtraOptions
from lineage_store.mlmd.metadata_store.messages import own_all, own_or_none
from lineage_store.mlmd.metadata_store.node_methods import NodeMethods
from lineage_store.mlmd.metadata_store.type_methods import TypeMethods
from lineage_store.v1 import metadata_service_pb2 as rpc
from lineage_store.v1.metadata_pb2 import (
    Artifact,
    Context,
    Event,
    Execution,
    LineageGraph,
    LineageSubgraphQueryOptions,
)

_NODES_OF_TYPES = {
    "artifact_types": "artifacts",
    "execution_types": "executions",
    "context_types": "contexts",
}


def _pair(
    artifact: Artifact, event: Event | None = None
) -> rpc.PutExecutionRequest.ArtifactAndEvent:
    return rpc.PutExecutionRequest.ArtifactAndEvent(
        artifact=own_or_none(Artifact, artifact), event=own_or_none(Event, event)
    )


def _edge(
    execution_index: int | None, artifact_index: int | None, event: Event
) -> rpc.PutLineageSubgraphRequest.EventEdge:
    return rpc.PutLineageSubgraphRequest.EventEdge(
        execution_index=execution_index,
        artifact_index=artifact_index,
        event=own_or_none(Event, event),
    )


def _ids(nodes: Iterable[Artifact | Execution | Context]) -> list[int]:
    return [node.id for node in nodes]


def _type_ids(nodes: Iterable[Execution | Context]) -> set[int]:
    return {node.type_id for node in nodes}


class StepMethods(TypeMethods, NodeMethods):
    """The methods of a store that record or return nodes together with their edges."""

    def put_execution(
        self,
        execution: Execution,
        artifact_and_events: Sequence[tuple[Artifact, Event | None]],
        contexts: Sequence[Context] | None,
        reuse_context_if_already_exist: bool = False,
        reuse_artifact_if_already_exist_by_external_id: bool = False,
        force_reuse_context: bool = False,
        force_update_time: bool = False,
        extra_options: ExtraOptions | None = None,
    ) -> tuple[int, list[int], list[int]]:
        """Create or update an execution, its inputs and outputs, and its contexts, all or nothing.

        Args:
            execution: What ran.
            artifact_and_events: What it read and wrote, and how; an artifact given by its id alone
                is overwritten with nothing, so leave it out and name it in the event.
            contexts: What the execution and all of the artifacts belong to.
            reuse_context_if_already_exist: Take the context of that type and name if there is one,
                instead of raising AlreadyExistsError.
            reuse_artifact_if_already_exist_by_external_id: Update the artifact with that external
                id if there is one, instead of raising AlreadyExistsError.
            force_reuse_context: Take the contexts with an id as they are, instead of updating them.
            force_update_time: Renew the update time of the execution though nothing has changed.
            extra_options: Without effect.

        Returns:
            The id of the execution, those of the artifacts, and those of the contexts.

        Raises:
            InvalidArgumentError: An event names other nodes than those that it comes with, or a
                node contradicts its type.
        """
        request = rpc.PutExecutionRequest(
            execution=own_or_none(Execution, execution),
            artifact_event_pairs=[_pair(*pair) for pair in artifact_and_events if pair],
            contexts=own_all(Context, contexts),
            options=rpc.PutExecutionRequest.Options(
                reuse_context_if_already_exist=reuse_context_if_already_exist,
                reuse_artifact_if_already_exist_by_external_id=(
                    reuse_artifact_if_already_exist_by_external_id
                ),
                force_reuse_context=force_reuse_context,
                force_update_time=force_update_time,
            ),
        )
        response = self._call(request, rpc.PutExecutionResponse)
        return response.execution_id, list(response.artifact_ids), list(response.context_ids)

    def put_lineage_subgraph(
        self,
        executions: Sequence[Execution],
        artifacts: Sequence[Artifact],
        contexts: Sequence[Context],
        event_edges: Sequence[tuple[int | None, int | None, Event]],
        reuse_context_if_already_exist: bool = False,
        reuse_artifact_if_already_exist_by_external_id: bool = False,
        extra_options: ExtraOptions | None = None,
    ) -> tuple[list[int], list[int], list[int]]:
        """Create or update nodes and the events between them, all or nothing.

        Args:
            executions: The executions; every node needs its `type_id`, even if it has an id.
            artifacts: The artifacts.
            contexts: What all of the executions and artifacts belong to.
            event_edges: The index of an execution, that of an artifact, and the event between them;
                in place of an index, None if the event has the id of a stored node.
            reuse_context_if_already_exist: See `put_execution`.
            reuse_artifact_if_already_exist_by_external_id: See `put_execution`.
            extra_options: Without effect.

        Returns:
            The ids of the executions, those of the artifacts, and those of the contexts.

        Raises:
            OutOfRangeError: An index points outside its list.
        """
        request = rpc.PutLineageSubgraphRequest(
            executions=own_all(Execution, executions),
            artifacts=own_all(Artifact, artifacts),
            contexts=own_all(Context, contexts),
            event_edges=starmap(_edge, event_edges),
            options=rpc.PutLineageSubgraphRequest.Options(
                reuse_context_if_already_exist=reuse_context_if_already_exist,
                reuse_artifact_if_already_exist_by_external_id=(
                    reuse_artifact_if_already_exist_by_external_id
                ),
            ),
        )
        response = self._call(request, rpc.PutLineageSubgraphResponse)
        return (
            list(response.execution_ids),
            list(response.artifact_ids),
            list(response.context_ids),
        )

    def get_lineage_subgraph(
        self,
        query_options: LineageSubgraphQueryOptions,
        field_mask_paths: Sequence[str] | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> LineageGraph:
        """Return the nodes within some hops of the starting nodes, and the edges between them.

        The store answers the walk with ids alone; the nodes and their types are read after it, by
        calls of their own.

        Args:
            query_options: Where to start, where to stop, and which way to go.
            field_mask_paths: The fields of the graph to return; None or empty: all. Type lists hold
                the types of the nodes that were found.
            extra_options: Without effect.

        Raises:
            InvalidArgumentError: There is no filter to choose the starting nodes, or it is wrong.
            NotFoundError: No node matches it.
        """
        wanted = set(field_mask_paths or [field.name for field in LineageGraph.DESCRIPTOR.fields])
        request = rpc.GetLineageSubgraphRequest(
            lineage_subgraph_query_options=own_or_none(LineageSubgraphQueryOptions, query_options),
            # Types are found through the nodes: asked for types, the store answers all it knows.
            read_mask=FieldMask(paths=sorted({_NODES_OF_TYPES.get(path, path) for path in wanted})),
        )
        skeleton = self._call(request, rpc.GetLineageSubgraphResponse).lineage_subgraph
        graph = self._hydrated(skeleton)
        for field in graph.DESCRIPTOR.fields:
            if field.name not in wanted:
                graph.ClearField(field.name)
        return graph

    def _hydrated(self, skeleton: LineageGraph) -> LineageGraph:
        """Return a graph with the nodes, and their types, whose ids are in `skeleton`."""
        graph = LineageGraph(
            events=skeleton.events,
            attributions=skeleton.attributions,
            associations=skeleton.associations,
        )
        if skeleton.artifacts:
            ids = _ids(skeleton.artifacts)
            artifacts, artifact_types = self.get_artifacts_and_types_by_artifact_ids(ids)
            graph.artifacts.extend(artifacts)
            graph.artifact_types.extend(artifact_types)
        if skeleton.executions:
            graph.executions.extend(self.get_executions_by_id(_ids(skeleton.executions)))
            types = _type_ids(graph.executions)
            graph.execution_types.extend(self.get_execution_types_by_id(types))
        if skeleton.contexts:
            graph.contexts.extend(self.get_contexts_by_id(_ids(skeleton.contexts)))
            graph.context_types.extend(self.get_context_types_by_id(_type_ids(graph.contexts)))
        return graph
