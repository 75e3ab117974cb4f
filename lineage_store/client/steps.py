"""Methods of `LineageStore` that record whole steps in one call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lineage_store import errors
from lineage_store.client.calls import Calls, id_of
from lineage_store.entities import Artifact, Context, Event, EventType, Execution
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as rpc

ArtifactOrId = Artifact | int
Artifacts = Sequence[ArtifactOrId] | Mapping[str, ArtifactOrId | Sequence[ArtifactOrId]]
"""A list, or names as the signature of the step has them, which become the paths of the events."""

Path = tuple[str | int, ...]
_ArtifactWithPath = tuple[ArtifactOrId, Path]

EventBetween = tuple[int | None, int | None, Event]
"""The place of an execution, the place of an artifact, and the event between them.

In place of a place, None if the event has the id of a stored node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepIds:
    """The ids that `record_execution` returns, each list in the order of its argument."""

    execution_id: int
    input_ids: list[int]
    output_ids: list[int]
    context_ids: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubgraphIds:
    """The ids that `put_subgraph` returns, each list in the order of its argument."""

    execution_ids: list[int]
    artifact_ids: list[int]
    context_ids: list[int]


class StepMethods(Calls):
    """Record executions together with their artifacts, events and contexts, all or nothing."""

    def record_execution(
        self,
        execution: Execution,
        *,
        inputs: Artifacts = (),
        outputs: Artifacts = (),
        contexts: Sequence[Context | int] = (),
        reuse_artifacts: bool = False,
    ) -> StepIds:
        """Record a step in one call: an execution, its inputs, outputs and contexts.

        A mapping of inputs or outputs is recorded with its names: `{"model": artifact}` makes an
        event with the path ("model", 0). An artifact may be an input under several names, which
        its one event has all: ("train", 0, "test", 0).

        Args:
            execution: Created, or updated if it has an id.
            inputs: Those without id are created; those with one are tied to, never changed.
            outputs: Those without id are created, those with one are updated; an id is tied to.
            contexts: A context without id is created unless its type has one of its name; one with
                an id is tied to, never changed. All of them get the execution and its artifacts.
            reuse_artifacts: An artifact without id whose external id is known is an update of that
                artifact, not an error.

        Returns:
            The ids of everything.

        Raises:
            InvalidArgument: A property contradicts its type, an id is unknown, or an artifact is an
                output twice.
            NotFound: A type or a context is unknown.
            AlreadyExists: A name or external id is taken, or an event is there already.
        """
        inputs_, positions = _merged(_with_paths(inputs))
        outputs_ = _with_paths(outputs)
        _check_written_once(outputs_)
        pairs = [self._pair(a, EventType.INPUT, path) for a, path in inputs_]
        pairs += [self._pair(a, EventType.OUTPUT, path) for a, path in outputs_]
        response = self._call(
            "PutExecution",
            execution=self._message(execution),
            artifact_event_pairs=pairs,
            contexts=[self._tied_context(context) for context in contexts],
            options=rpc.PutExecutionRequest.Options(
                reuse_context_if_already_exist=True,
                force_reuse_context=True,
                reuse_artifact_if_already_exist_by_external_id=reuse_artifacts,
            ),
        )
        ids = list(response.artifact_ids)
        return StepIds(
            execution_id=response.execution_id,
            input_ids=[ids[at] for at in positions],
            output_ids=ids[len(inputs_) :],
            context_ids=list(response.context_ids),
        )

    def _pair(
        self, artifact: ArtifactOrId, event_type: EventType, path: tuple[str | int, ...]
    ) -> rpc.PutExecutionRequest.ArtifactAndEvent:
        event = Event(type=event_type, path=path).to_message()
        pair = rpc.PutExecutionRequest.ArtifactAndEvent(event=event)
        is_input = event_type is EventType.INPUT
        if isinstance(artifact, int) or (is_input and artifact.id is not None):
            pair.event.artifact_id = id_of(artifact)  # a message would overwrite the artifact
        else:
            pair.artifact.CopyFrom(self._message(artifact))
        return pair

    def _tied_context(self, context: Context | int) -> pb.Context:
        if isinstance(context, int) or context.id is not None:
            return pb.Context(id=id_of(context))
        message: pb.Context = self._message(context)
        return message

    def put_subgraph(
        self,
        *,
        executions: Sequence[Execution] = (),
        artifacts: Sequence[Artifact] = (),
        contexts: Sequence[Context] = (),
        events: Sequence[EventBetween] = (),
        reuse_contexts: bool = True,
        reuse_artifacts: bool = False,
    ) -> SubgraphIds:
        """Record several executions, artifacts and contexts with the events between them.

        Nodes without id are created, nodes with one are updated; each needs its type. All of the
        executions and artifacts are put into all of the contexts.

        Args:
            executions: The executions.
            artifacts: The artifacts that they read and wrote.
            contexts: The contexts that all of these belong to.
            events: The place of an execution, the place of an artifact, and the event between them;
                None in place of a place if the event has the id of a stored node.
            reuse_contexts: A context without id whose type and name are known is that context.
            reuse_artifacts: An artifact without id whose external id is known is an update of it.

        Returns:
            The ids of everything.

        Raises:
            OutOfRange: A place points outside its list.
            InvalidArgument: A property contradicts its type, or an id is unknown.
            NotFound: A type is unknown.
            AlreadyExists: A name or external id is taken, or an event is there already.
        """
        response = self._call(
            "PutLineageSubgraph",
            executions=self._messages(executions, demand_type=True),
            artifacts=self._messages(artifacts, demand_type=True),
            contexts=self._messages(contexts, demand_type=True),
            event_edges=[_edge(*event) for event in events],
            options=rpc.PutLineageSubgraphRequest.Options(
                reuse_context_if_already_exist=reuse_contexts,
                reuse_artifact_if_already_exist_by_external_id=reuse_artifacts,
            ),
        )
        return SubgraphIds(
            execution_ids=list(response.execution_ids),
            artifact_ids=list(response.artifact_ids),
            context_ids=list(response.context_ids),
        )


def _edge(
    execution_at: int | None, artifact_at: int | None, event: Event
) -> rpc.PutLineageSubgraphRequest.EventEdge:
    return rpc.PutLineageSubgraphRequest.EventEdge(
        execution_index=execution_at, artifact_index=artifact_at, event=event.to_message()
    )


def _with_paths(artifacts: Artifacts) -> list[_ArtifactWithPath]:
    """Return each artifact with the path of its event."""
    if isinstance(artifacts, Artifact | int):
        raise errors.InvalidArgument("inputs and outputs are lists or mappings of artifacts")
    if not isinstance(artifacts, Mapping):
        return [(artifact, ()) for artifact in artifacts]
    return [
        (artifact, (name, at))
        for name, value in artifacts.items()
        for at, artifact in enumerate([value] if isinstance(value, Artifact | int) else value)
    ]


def _merged(mentions: list[_ArtifactWithPath]) -> tuple[list[_ArtifactWithPath], list[int]]:
    """Return each artifact once, with all its paths in one, and for each mention where it is.

    Without an id, one object under several names is one artifact; without names, each is another.
    """
    artifacts: dict[tuple[str, int], _ArtifactWithPath] = {}
    identities = []
    for at, (artifact, path) in enumerate(mentions):
        identity = _identity(artifact) or (("object", id(artifact)) if path else ("mention", at))
        first_mention, earlier_path = artifacts.get(identity, (artifact, ()))
        artifacts[identity] = first_mention, earlier_path + path
        identities.append(identity)
    order = {identity: at for at, identity in enumerate(artifacts)}
    return list(artifacts.values()), [order[identity] for identity in identities]


def _identity(artifact: ArtifactOrId) -> tuple[str, int] | None:
    node_id = artifact if isinstance(artifact, int) else artifact.id
    return None if node_id is None else ("id", node_id)


def _check_written_once(mentions: list[_ArtifactWithPath]) -> None:
    paths_by_identity: dict[tuple[str, int], Path] = {}
    for artifact, path in mentions:
        identity = _identity(artifact)
        if identity in paths_by_identity:
            names = [_name(one) for one in (paths_by_identity[identity], path)]
            raise errors.InvalidArgument(
                f"artifact {identity[1]} is an output twice, as {' and '.join(names)}; a step "
                "writes an artifact in one place"
            )
        if identity is not None:
            paths_by_identity[identity] = path


def _name(path: Path) -> str:
    return str(path[0]) if path else "one without name"
