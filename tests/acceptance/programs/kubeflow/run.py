"""A run of a pipeline on Kubeflow Pipelines 2: its drivers, launchers and importers in order.

data (importer) ─ prepare ─ for each of 25: train ─ deploy (fails once) ─ rollback (condition)
"""

import hashlib
from dataclasses import dataclass

from lineage_store.v1 import metadata_pb2 as pb
from tests.acceptance.programs.kubeflow.client import (
    CONTAINER,
    DAG,
    IMPORTER,
    SESSION,
    MetadataClient,
    Pipeline,
    Task,
    property_of,
)
from tests.acceptance.programs.kubeflow.wire import Refused, Wire

# One more than a page of a listing whose size nobody names, with what else the DAG has.
ITERATIONS = 25
ROOT = "minio://mlpipeline/v2/artifacts"
PARAMETERS = {
    "rate": 0.25,
    "epochs": 3.0,
    "dry": False,
    "layers": [64.0, 32.0],
    "options": {"optimizer": "adam", "nothing": None, "nested": {"a": [True]}},
    "text": "Grüße, 世界 \U0001f600",
}

Sources = dict[str, str | tuple[str, str]]
"""Inputs by name: an input of the DAG that the task is in, or a task beside it and its output."""


@dataclass
class KubeflowRun:
    """One run. Each pod is a process of its own, so it has a client of its own.

    Attributes:
        wire: The server.
        run_id: The id of the run.
        cache: The table of tasks that Kubeflow Pipelines keeps itself: executions by fingerprint.
        reimport: Whether the importer makes a new artifact each time.
        hits: How many tasks were cached.
    """

    wire: Wire
    run_id: str
    cache: dict[str, int]
    reimport: bool = False
    hits: int = 0

    def play(self) -> None:
        """Run everything."""
        root = self.root()
        self.importer(root)
        prepare = Task(CONTAINER, "prepare", parent=root, inputs={"floor": 2.0})
        self.task(prepare, {"raw": ("data", "artifact")}, ("table", "system.Dataset"))
        loop = Task(DAG, "for-loop-1", parent=root, numbers={"iteration_count": ITERATIONS})
        loop_id = self.dag(loop, {"table": ("prepare", "table")})
        for index in range(ITERATIONS):
            self.iteration(loop_id, index)
        self.deploy(root)
        self.not_triggered(root)

    # -- drivers ----------------------------------------------------------------------------

    def pod(self) -> tuple[MetadataClient, Pipeline]:
        """Return the client of a new driver, and the contexts that the root has made."""
        client = MetadataClient(self.wire)
        empty = dict.fromkeys(("namespace", "resource_name", "store_session_info"), "")
        return client, client.pipeline("churn", self.run_id, pipeline_root="", **empty)

    def root(self) -> int:
        """Drive the root; return its execution."""
        client = MetadataClient(self.wire)
        pipeline = client.pipeline(
            "churn",
            self.run_id,
            namespace="kubeflow",
            resource_name="run-resource",
            pipeline_root=f"{ROOT}/churn/{self.run_id}",
            store_session_info=SESSION,
        )
        named = Task(DAG, execution_name=f"run/{self.run_id}", inputs=PARAMETERS)
        try:
            return client.create(pipeline, named).id
        except Refused as refused:  # a driver that is tried again takes the one that is there
            assert refused.status == "ALREADY_EXISTS"  # noqa: PT017
            return client.execution_named(named.execution_name)[0].id

    def dag(self, task: Task, sources: Sources) -> int:
        """Drive a DAG in another one; return its execution."""
        client, pipeline = self.pod()
        task.artifacts = self._resolve(client, pipeline, task.parent, sources)
        task.producers = task.producers or {}
        return client.create(pipeline, task).id

    def iteration(self, loop: int, index: int) -> None:
        item = {"pipelinechannel--rates-loop-item": 0.1 * index}
        inner = Task(DAG, "for-loop-1", parent=loop, inputs=item, iteration=index)
        inner.numbers = {"total_dag_tasks": 1}
        inner.producers = {"model": {"artifact_selectors": [{"producer_subtask": "train"}]}}
        dag = self.dag(inner, {"table": "table"})
        train = Task(CONTAINER, "train", parent=dag, inputs=item, iteration=index)
        self.task(train, {"table": "table"}, ("model", "system.Model"))

    def task(self, task: Task, sources: Sources, output: tuple[str, str]) -> None:
        """Drive a container, and launch it unless it is cached; it puts out a name of a schema."""
        client, pipeline = self.pod()
        task.artifacts = self._resolve(client, pipeline, task.parent, sources)
        fingerprint = self._fingerprint(task)
        cached = self.cache.get(fingerprint)
        task.texts = {"cache_fingerprint": fingerprint}
        if cached is not None:
            task.texts["cached_execution_id"] = str(cached)
        execution = client.create(pipeline, task)
        if cached is not None:
            self._reuse(client, pipeline, execution, cached)
        else:
            self.launch(execution.id, *output)
            self.cache[fingerprint] = execution.id
        self.hits += cached is not None

    @staticmethod
    def _fingerprint(task: Task) -> str:
        description = f"{task.name} {task.inputs} {task.artifacts}"
        return hashlib.sha256(description.encode()).hexdigest()

    @staticmethod
    def _resolve(
        client: MetadataClient, run: Pipeline, parent: int, sources: Sources
    ) -> dict[str, list[int]]:
        """Return the artifacts for each input, as a driver finds them from its DAG."""
        dag, _ = client.execution(parent)
        artifact_ids = {}
        for name, source in sources.items():
            if isinstance(source, str):  # an input of the DAG itself
                artifact = client.inputs(dag.id)[source]
            else:
                producer, its_name = source
                task = client.tasks(dag, run)[f"{producer}_{dag.id}"]
                artifact = client.outputs(task.id)[its_name]
            client.name_of(artifact.id)
            artifact_ids[name] = [artifact.id]
        return artifact_ids

    @staticmethod
    def _reuse(
        client: MetadataClient, pipeline: Pipeline, execution: pb.Execution, cached: int
    ) -> None:
        [original] = client.executions([cached])
        assert original.last_known_state == pb.Execution.COMPLETE
        outputs = client.outputs(cached)
        client.publish(pipeline, execution, pb.Execution.CACHED, {"rows": 42.0}, outputs)

    # -- launchers --------------------------------------------------------------------------

    def launch(self, execution_id: int, name: str, schema: str, *, fail: bool = False) -> None:
        """Run a container: announce it, upload its output, publish it, and end its DAG."""
        client = MetadataClient(self.wire)
        execution, pipeline = client.execution(execution_id)
        client.begin(execution, f"pod-{self.run_id}")
        if fail:
            client.publish(pipeline, execution, pb.Execution.FAILED)
        else:
            outputs = self._upload(client, execution, name, schema)
            client.publish(pipeline, execution, pb.Execution.COMPLETE, {"rows": 42.0}, outputs)
        client.update_states(property_of(execution, "parent_dag_id").int_value)

    def _upload(
        self, client: MetadataClient, execution: pb.Execution, name: str, schema: str
    ) -> dict[str, pb.Artifact]:
        task = property_of(execution, "task_name").string_value
        index = property_of(execution, "iteration_index").int_value
        uri = f"{ROOT}/churn/{self.run_id}/{task}/{index}"
        outputs = {name: client.record(name, schema, f"{uri}/{name}", framework=_struct("x"))}
        if schema == "system.Model":
            accuracy = pb.Value(double_value=0.5 + index / 64)
            outputs["metrics"] = client.record(
                "metrics", "system.Metrics", f"{uri}/metrics", accuracy=accuracy
            )
            matrix = pb.Value()
            matrix.struct_value.update({"list": [{"row": [1.0, 2.0]}], "struct": {"a": "b"}})
            outputs["confusion"] = client.record(
                "confusion", "system.ClassificationMetrics", f"{uri}/c", confusionMatrix=matrix
            )
        return outputs

    def importer(self, parent: int) -> None:
        client, pipeline = self.pod()
        texts = {"pod_name": "importer", "pod_uid": "uid", "namespace": "kubeflow"}
        task = Task(IMPORTER, "data", parent=parent, texts=texts)
        execution = client.create(pipeline, task)
        type_id = client.artifact_type("system.Dataset")
        artifact = pb.Artifact(type_id=type_id, uri="s3://lake/raw", state=pb.Artifact.LIVE)
        artifact.custom_properties["display_name"].string_value = "artifact"
        artifact.custom_properties["version"].int_value = 1
        imported = artifact if self.reimport else client.match(artifact, pipeline)
        client.publish(pipeline, execution, pb.Execution.COMPLETE, None, {"artifact": imported})

    def deploy(self, root: int) -> None:
        """A container that fails and is launched again under the same execution."""
        client, pipeline = self.pod()
        client.execution(root)
        everything = client.tasks(client.executions([root])[0], pipeline, all_of_run=True)
        models = [
            client.outputs(execution.id)["model"].id
            for execution in everything.values()
            if property_of(execution, "task_name").string_value == "train"
        ]
        task = Task(CONTAINER, "deploy", parent=root, artifacts={"models": models})
        execution = client.create(pipeline, task)
        client.inputs(execution.id)
        self.launch(execution.id, "site", "system.HTML", fail=True)
        self.launch(execution.id, "site", "system.HTML")

    def not_triggered(self, root: int) -> None:
        client, pipeline = self.pod()
        client.execution(root)
        task = Task(DAG, "condition-1", parent=root, triggered=False, producers={})
        client.create(pipeline, task)


def _struct(text: str) -> pb.Value:
    value = pb.Value()
    value.struct_value.update({"struct": {"framework": text}})
    return value
