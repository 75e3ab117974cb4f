"""The calls of the driver and the launcher of Kubeflow Pipelines 2 to ML Metadata, one by one.

Each of their processes makes one of these; it knows the types of contexts that it has seen.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lineage_store.v1 import metadata_pb2 as pb
from tests.acceptance.programs.kubeflow.wire import Refused, Wire

PIPELINE, RUN = "system.Pipeline", "system.PipelineRun"
DAG, CONTAINER, IMPORTER = (f"system.{name}Execution" for name in ("DAG", "Container", "Importer"))
SESSION = json.dumps({"Provider": "minio", "Params": {"endpoint": "minio-service:9000"}})
FINISHED = {pb.Execution.COMPLETE, pb.Execution.CACHED, pb.Execution.CANCELED}


def string(text: str) -> pb.Value:
    return pb.Value(string_value=text)


def struct(values: dict[str, Any]) -> pb.Value:
    value = pb.Value(struct_value={})
    value.struct_value.update(values)
    return value


def property_of(node: pb.Execution | pb.Context, key: str) -> pb.Value:
    """Return a property; an absent one is an empty value, and stays absent."""
    stored = node.custom_properties.get(key)
    return pb.Value() if stored is None else stored


def path(name: str) -> pb.Event.Path:
    return pb.Event.Path(steps=[pb.Event.Path.Step(key=name)])


@dataclass
class Pipeline:
    """The two contexts of a run."""

    pipeline: pb.Context | None = None
    run: pb.Context | None = None

    @property
    def contexts(self) -> list[pb.Context]:
        """Both as they were read: they are sent whole each time."""
        return [self.pipeline, self.run]


@dataclass
class Task:
    """The facts that a driver has about an execution that it is about to create."""

    type: str
    name: str = ""
    execution_name: str = ""
    parent: int = 0
    inputs: dict[str, Any] | None = None
    artifacts: dict[str, list[int]] = field(default_factory=dict)
    iteration: int | None = None
    numbers: dict[str, int] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    producers: dict[str, Any] | None = None
    triggered: bool = True


class MetadataClient:
    """One process of Kubeflow Pipelines."""

    def __init__(self, wire: Wire) -> None:
        self.call = wire.call
        self._context_types: dict[str, int] = {}

    # -- contexts ---------------------------------------------------------------------------

    def pipeline(self, name: str, run_id: str, **properties: str) -> Pipeline:
        """Return the contexts of a run; make them, and the edge between them, if need be."""
        pipeline = Pipeline(
            self._context(PIPELINE, name, {}),
            self._context(RUN, run_id, {key: string(text) for key, text in properties.items()}),
        )
        parents = self.call("GetParentContextsByContext", context_id=pipeline.run.id).contexts
        if parents:
            assert [parent.id for parent in parents] == [pipeline.pipeline.id]
            return pipeline
        edge = pb.ParentContext(child_id=pipeline.run.id, parent_id=pipeline.pipeline.id)
        self._unless_there("PutParentContexts", parent_contexts=[edge])
        return pipeline

    def _context(self, type_name: str, name: str, properties: dict[str, pb.Value]) -> pb.Context:
        context = self._find_context(type_name, name)
        if context is None:
            new_context = pb.Context(name=name, type_id=self._context_type(type_name))
            for key, value in properties.items():
                new_context.custom_properties[key].CopyFrom(value)
            self._unless_there("PutContexts", contexts=[new_context])
            context = self._find_context(type_name, name)
        assert context is not None
        return context

    def _find_context(self, type_name: str, name: str) -> pb.Context | None:
        answer = self.call("GetContextByTypeAndName", type_name=type_name, context_name=name)
        return answer.context if answer.HasField("context") else None

    def _context_type(self, name: str) -> int:
        if name not in self._context_types:
            self._context_types[name] = self._get_or_put_context_type(name)
        return self._context_types[name]

    def _get_or_put_context_type(self, name: str) -> int:
        try:
            return self.call("GetContextType", type_name=name).context_type.id
        except Refused as refused:
            assert refused.status == "NOT_FOUND"  # noqa: PT017
        context_type = pb.ContextType(name=name)
        return self.call("PutContextType", context_type=context_type).type_id

    def _unless_there(self, method: str, **fields: object) -> None:
        """Put a node that another process may have put already."""
        try:
            self.call(method, **fields)
        except Refused as refused:
            assert refused.status == "ALREADY_EXISTS"  # noqa: PT017

    # -- executions -------------------------------------------------------------------------

    def create(self, pipeline: Pipeline, task: Task) -> pb.Execution:
        """Put the execution of a task, RUNNING or not triggered, and read it."""
        kind = pb.ExecutionType(name=task.type)
        type_id = self.call("PutExecutionType", execution_type=kind).type_id
        execution = self._described(task, type_id)
        pairs = [
            {"event": pb.Event(artifact_id=number, path=path(name), type=pb.Event.INPUT)}
            for name, numbers in task.artifacts.items()
            for number in numbers
        ]
        put = self.call(
            "PutExecution",
            execution=execution,
            contexts=pipeline.contexts,
            artifact_event_pairs=pairs,
        )
        return self.executions([put.execution_id])[0]

    @staticmethod
    def _described(task: Task, type_id: int) -> pb.Execution:
        state = pb.Execution.RUNNING if task.triggered else pb.Execution.CANCELED
        execution = pb.Execution(type_id=type_id, last_known_state=state)
        if task.execution_name:
            execution.name = task.execution_name
        texts = {"display_name": "", "task_name": task.name}
        if task.type == CONTAINER:
            texts |= {"pod_name": "", "pod_uid": "", "namespace": "", "image": ""}
        properties = {key: string(text) for key, text in (texts | task.texts).items()}
        numbers = dict(task.numbers)
        if task.parent:
            numbers["parent_dag_id"] = task.parent
        if task.iteration is not None:
            numbers["iteration_index"] = task.iteration
        properties |= {key: pb.Value(int_value=number) for key, number in numbers.items()}
        if task.inputs is not None:
            properties["inputs"] = struct(task.inputs)
        if task.producers is not None:
            properties["artifact_producer_task"] = string(json.dumps(task.producers))
            properties["parameter_producer_task"] = struct({})
        for key, value in properties.items():
            execution.custom_properties[key].CopyFrom(value)
        return execution

    def publish(
        self,
        pipeline: Pipeline,
        execution: pb.Execution,
        state: int,
        parameters: dict[str, Any] | None = None,
        artifacts: dict[str, pb.Artifact] | None = None,
    ) -> None:
        """Put an execution again, with its outputs; both contexts are sent along as well."""
        execution.last_known_state = state
        if parameters is not None:
            execution.custom_properties["outputs"].CopyFrom(struct(parameters))
        pairs = []
        for name, artifact in (artifacts or {}).items():
            event = pb.Event(type=pb.Event.OUTPUT, path=path(name))
            if artifact.id:
                event.artifact_id = artifact.id
                pairs.append({"event": event})
            else:
                pairs.append({"event": event, "artifact": artifact})
        self.call(
            "PutExecution",
            execution=execution,
            contexts=pipeline.contexts,
            artifact_event_pairs=pairs,
        )

    def begin(self, execution: pb.Execution, pod: str) -> None:
        """Say which pod runs an execution, without its contexts."""
        for key, text in (("pod_name", pod), ("pod_uid", f"uid-{pod}"), ("namespace", "kubeflow")):
            execution.custom_properties[key].string_value = text
        execution.last_known_state = pb.Execution.RUNNING
        self.call("PutExecution", execution=execution)

    def executions(self, ids: list[int]) -> list[pb.Execution]:
        return list(self.call("GetExecutionsByID", execution_ids=ids).executions)

    def execution(self, number: int) -> tuple[pb.Execution, Pipeline]:
        """Return an execution and the contexts that it is in."""
        [execution] = self.executions([number])
        return execution, self._pipeline_of(number)

    def execution_named(self, name: str) -> tuple[pb.Execution, Pipeline]:
        """Return the root of a run that another try of its driver has created."""
        answer = self.call("GetExecutionByTypeAndName", type_name=DAG, execution_name=name)
        return answer.execution, self._pipeline_of(answer.execution.id)

    def _pipeline_of(self, execution_id: int) -> Pipeline:
        pipeline_type, run_type = self._context_type(PIPELINE), self._context_type(RUN)
        contexts = self.call("GetContextsByExecution", execution_id=execution_id).contexts
        by_type = {context.type_id: context for context in contexts}
        assert len(by_type) == len(contexts)
        return Pipeline(by_type.get(pipeline_type), by_type.get(run_type))

    # -- DAGs -------------------------------------------------------------------------------

    def tasks(self, dag: pb.Execution, run: Pipeline, *, all_of_run: bool = False) -> dict:
        """Return the executions of a DAG, or of its whole run, by the names of their tasks."""
        filter_query = "" if all_of_run else f"custom_properties.parent_dag_id.int_value = {dag.id}"
        executions: dict[str, pb.Execution] = {}
        for execution in self._pages(run.run.id, filter_query):
            key = self._task_key(execution, dag)
            assert all_of_run or key not in executions, f"two tasks have the name {key}"
            executions[key] = execution
        return executions

    def _pages(self, context_id: int, filter_query: str) -> Iterator[pb.Execution]:
        token = ""
        while True:
            # Texts that are set and empty: no filter, and the first page.
            options = pb.ListOperationOptions(filter_query=filter_query, next_page_token=token)
            answer = self.call("GetExecutionsByContext", context_id=context_id, options=options)
            yield from answer.executions
            token = answer.next_page_token
            if not token:
                return

    @staticmethod
    def _task_key(execution: pb.Execution, dag: pb.Execution) -> str:
        key = f"{property_of(execution, 'task_name').string_value}_{dag.id}"
        for owner in (execution, dag):
            if "iteration_index" in owner.custom_properties:
                return f"{key}_idx_{property_of(owner, 'iteration_index').int_value}"
        return key

    def update_states(self, dag_id: int) -> None:
        """End the DAG whose tasks have all ended, and those that it is a task of."""
        dag, run = self.execution(dag_id)
        properties = dag.custom_properties
        key = "iteration_count" if "iteration_count" in properties else "total_dag_tasks"
        if key not in properties:
            return
        states = [task.last_known_state for task in self.tasks(dag, run).values()]
        if sum(state in FINISHED for state in states) == properties[key].int_value:
            self._put_state(dag_id, pb.Execution.COMPLETE)
        elif pb.Execution.FAILED in states:
            self._put_state(dag_id, pb.Execution.FAILED)
        else:
            return
        if "parent_dag_id" in properties:
            self.update_states(properties["parent_dag_id"].int_value)

    def _put_state(self, execution_id: int, state: int) -> None:
        execution, _ = self.execution(execution_id)
        execution.last_known_state = state
        self.call("PutExecution", execution=execution)

    # -- artifacts --------------------------------------------------------------------------

    def record(self, name: str, schema: str, uri: str, **metadata: pb.Value) -> pb.Artifact:
        """Put an output, LIVE, and read it."""
        kind = pb.ArtifactType(name=schema)
        type_id = self.call("PutArtifactType", artifact_type=kind).type_id
        artifact = pb.Artifact(type_id=type_id, uri=uri, state=pb.Artifact.LIVE)
        texts = {"display_name": string(name), "store_session_info": string(SESSION)}
        for key, value in (metadata | texts).items():
            artifact.custom_properties[key].CopyFrom(value)
        ids = self.call("PutArtifacts", artifacts=[artifact]).artifact_ids
        return self.call("GetArtifactsByID", artifact_ids=ids).artifacts[0]

    def outputs(self, execution_id: int) -> dict[str, pb.Artifact]:
        """Return the outputs of an execution, by name."""
        return self._artifacts(execution_id, pb.Event.OUTPUT)

    def inputs(self, execution_id: int) -> dict[str, pb.Artifact]:
        return self._artifacts(execution_id, pb.Event.INPUT)

    def _artifacts(self, execution_id: int, event_type: int) -> dict[str, pb.Artifact]:
        events = self.call("GetEventsByExecutionIDs", execution_ids=[execution_id]).events
        names = {e.artifact_id: e.path.steps[0].key for e in events if e.type == event_type}
        artifacts = self.call("GetArtifactsByID", artifact_ids=names).artifacts
        return {names[artifact.id]: artifact for artifact in artifacts}

    def name_of(self, artifact_id: int) -> str:
        """Return the name under which an artifact was first mentioned: in its first event."""
        events = self.call("GetEventsByArtifactIDs", artifact_ids=[artifact_id]).events
        return events[0].path.steps[0].key

    def artifact_type(self, schema: str) -> int:
        try:
            return self.call("GetArtifactType", type_name=schema).artifact_type.id
        except Refused:  # whatever it was, it is put
            kind = pb.ArtifactType(name=schema)
            return self.call("PutArtifactType", artifact_type=kind).type_id

    def match(self, artifact: pb.Artifact, pipeline: Pipeline) -> pb.Artifact:
        """Return the artifact that an importer has imported before, or the one to import."""
        for candidate in self.call("GetArtifactsByURI", uris=[artifact.uri]).artifacts:
            alike = (candidate.type_id, candidate.state) == (artifact.type_id, artifact.state)
            properties = artifact.custom_properties.items()
            if alike and all(property_of(candidate, key) == value for key, value in properties):
                contexts = self.call("GetContextsByArtifact", artifact_id=candidate.id).contexts
                if pipeline.pipeline.id in [context.id for context in contexts]:
                    return candidate
        return artifact
