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
    artifact: Artifact | None, event: Event | None = None
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
    """The methods of a store that record or return nodes together with their edges.

    A `put` creates the nodes without id and updates those with one, all or nothing, and raises
    AlreadyExistsError where a new one would clash with a stored one, unless told otherwise:

    - `reuse_context_if_already_exist`: take the stored context of that type and name.
    - `reuse_artifact_if_already_exist_by_external_id`: update the artifact with that external id.
    - `force_reuse_context`: take contexts that are given with an id as they are, without update.
    """

    def put_execution(
        self,
        execution: Execution,
        artifact_and_events: Sequence[tuple[Artifact | None, Event | None]],
        contexts: Sequence[Context] | None,
        reuse_context_if_already_exist: bool = False,
        reuse_artifact_if_already_exist_by_external_id: bool = False,
        force_reuse_context: bool = False,
        force_update_time: bool = False,
        extra_options: ExtraOptions | None = None,
    ) -> tuple[int, list[int], list[int]]:
        """Record an execution with its inputs, outputs and contexts.

        An artifact given by its id alone is overwritten with nothing: give None in its place and
        the id in the event. `force_update_time` renews the update time of the execution even if
        nothing else changes.

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
        """Record nodes, each with its `type_id`, and the events between them.

        All of the executions and artifacts are put in all of the contexts. An edge is the index of
        an execution, that of an artifact, and the event between them; in place of an index, None if
        the event has the id of a stored node.

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

        `field_mask_paths` are the fields of the graph to return; None or empty: all. The lists of
        types hold the types of the nodes found. The store answers the walk with ids alone; nodes
        and types are read after it, by calls of their own.

        Raises:
            InvalidArgumentError: The filter that chooses the starting nodes is missing or wrong.
            NotFoundError: No node matches it.
        """
        field_names = set(
            field_mask_paths or [field.name for field in LineageGraph.DESCRIPTOR.fields]
        )
        request = rpc.GetLineageSubgraphRequest(
            lineage_subgraph_query_options=own_or_none(LineageSubgraphQueryOptions, query_options),
            # Types are found through the nodes: asked for types, the store answers all it knows.
            read_mask=FieldMask(
                paths=sorted({_NODES_OF_TYPES.get(path, path) for path in field_names})
            ),
        )
        skeleton = self._call(request, rpc.GetLineageSubgraphResponse).lineage_subgraph
        graph = self._hydrated(skeleton)
        for field in graph.DESCRIPTOR.fields:
            if field.name not in field_names:
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
