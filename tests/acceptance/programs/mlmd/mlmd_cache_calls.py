"""Runs one node again and again as TFX or Kubeflow Pipelines does, with their cache, call by call.

    python mlmd_cache_calls.py --module MODULE --grpc HOST:PORT --system (tfx | kfp)

The store must be empty. Between the second and the third run the output is deleted. Prints one JSON
object: the fingerprint and, for each run, the decision and the ids of execution and outputs.
"""

import argparse
import hashlib
import importlib
import json
import uuid

RUNS, DELETED_BEFORE = 4, 2
FINGERPRINT = hashlib.sha256(b"node").hexdigest()


class Tfx:
    """The order of calls of the launcher and of its module cache_utils."""

    def __init__(self, store, pb):
        self.store = store
        self.pb = pb

    def run(self, number):
        pb = self.pb
        names = {"pipeline": "p", "pipeline_run": f"p.{number}", "node": "p.trainer"}
        contexts = [self.context(*pair) for pair in names.items()]
        pipeline, run, _ = contexts
        edge = pb.ParentContext(child_id=run.id, parent_id=pipeline.id)
        self.store.put_parent_contexts([edge])
        execution = self.register(contexts)
        cache = self.context("execution_cache", FINGERPRINT)
        outputs = self.cached_outputs(cache)
        decision = "miss" if outputs is None else "hit"
        if outputs is None:
            outputs = [pb.Artifact(type_id=self.model(), uri=f"m{number}", state=pb.Artifact.LIVE)]
        states = {"miss": pb.Execution.COMPLETE, "hit": pb.Execution.CACHED}
        execution.last_known_state = states[decision]
        return decision, *self.publish(execution, outputs, [*contexts, cache])

    def model(self):
        return self.store.put_artifact_type(self.pb.ArtifactType(name="Model"), can_add_fields=True)

    def context(self, type_name, name):
        context = self.store.get_context_by_type_and_name(type_name, name)
        if context is not None:
            return context
        context_type = self.pb.ContextType(name=type_name)
        type_id = self.store.put_context_type(
            context_type, can_add_fields=True, can_omit_fields=True
        )
        [context_id] = self.store.put_contexts([self.pb.Context(type_id=type_id, name=name)])
        return self.store.get_contexts_by_id([context_id])[0]

    def register(self, contexts):
        execution_type = self.pb.ExecutionType(name="Trainer")
        type_id = self.store.put_execution_type(
            execution_type, can_add_fields=True, can_omit_fields=True
        )
        execution = self.pb.Execution(type_id=type_id, name=str(uuid.uuid4()))
        execution.last_known_state = self.pb.Execution.RUNNING
        execution_id, _, _ = self.store.put_execution(
            execution, [], contexts, reuse_context_if_already_exist=True
        )
        [stored] = self.store.get_executions_by_id([execution_id])
        return stored

    def cached_outputs(self, cache):
        """Return the outputs of the newest finished execution whose outputs are all LIVE."""
        finished = {self.pb.Execution.COMPLETE, self.pb.Execution.CACHED}
        executions = self.store.get_executions_by_context(cache.id)
        finished_executions = [
            execution for execution in executions if execution.last_known_state in finished
        ]
        for execution in sorted(
            finished_executions, key=lambda e: e.create_time_since_epoch, reverse=True
        ):
            outputs = self.outputs_of(execution.id)
            if all(artifact.state == self.pb.Artifact.LIVE for artifact in outputs):
                return outputs
        return None

    def outputs_of(self, execution_id):
        events = self.store.get_events_by_execution_ids([execution_id])
        ids = [event.artifact_id for event in events if event.type == self.pb.Event.OUTPUT]
        return self.store.get_artifacts_by_id(ids)

    def publish(self, execution, outputs, contexts):
        event = self.pb.Event(type=self.pb.Event.OUTPUT)
        event.path.steps.add(key="model")
        event.path.steps.add(index=0)
        execution_id, artifact_ids, _ = self.store.put_execution(
            execution,
            [(artifact, event) for artifact in outputs],
            contexts,
            reuse_context_if_already_exist=True,
        )
        return execution_id, list(artifact_ids)

    def delete(self, artifact_ids):
        artifacts = self.store.get_artifacts_by_id(artifact_ids)
        for artifact in artifacts:
            artifact.state = self.pb.Artifact.DELETED
        self.store.put_artifacts(artifacts)


class Kfp(Tfx):
    """The order of calls of the driver and the launcher.

    Attributes:
        tasks: The database of Kubeflow Pipelines itself: the execution by fingerprint.
    """

    def __init__(self, store, pb):
        super().__init__(store, pb)
        self.tasks = {}

    def run(self, number):
        contexts = [
            self.context("system.Pipeline", "p"),
            self.context("system.PipelineRun", str(uuid.uuid4())),
        ]
        edge = self.pb.ParentContext(child_id=contexts[1].id, parent_id=contexts[0].id)
        self.store.put_parent_contexts([edge])
        execution_type = self.pb.ExecutionType(name="system.ContainerExecution")
        execution = self.pb.Execution(type_id=self.store.put_execution_type(execution_type))
        execution.custom_properties["cache_fingerprint"].string_value = FINGERPRINT
        cached = self.tasks.get(FINGERPRINT)
        if cached is None:
            return "miss", *self.launch(number, execution, contexts)
        return "hit", *self.skip(cached, execution, contexts)

    def launch(self, number, execution, contexts):
        execution.last_known_state = self.pb.Execution.RUNNING
        execution_id, _, _ = self.store.put_execution(
            execution, [], contexts, reuse_context_if_already_exist=True
        )
        [execution] = self.store.get_executions_by_id([execution_id])
        live = self.pb.Artifact.LIVE
        output = self.pb.Artifact(type_id=self.model(), uri=f"m{number}", state=live)
        execution.last_known_state = self.pb.Execution.COMPLETE
        self.tasks[FINGERPRINT] = execution_id
        return self.publish(execution, [output], contexts)

    def skip(self, cached, execution, contexts):
        [source] = self.store.get_executions_by_id([cached])
        assert source.last_known_state == self.pb.Execution.COMPLETE
        execution.custom_properties["cached_execution_id"].string_value = str(cached)
        execution.last_known_state = self.pb.Execution.CACHED
        return self.publish(execution, self.outputs_of(cached), contexts)

    def delete(self, artifact_ids):
        """Do nothing: Kubeflow Pipelines does not look at the states of outputs."""


def main():
    parser = argparse.ArgumentParser()
    for name in ("module", "grpc", "system"):
        parser.add_argument(f"--{name}", required=True)
    args = parser.parse_args()
    mlmd = importlib.import_module(args.module)
    pb = importlib.import_module(f"{args.module}.proto.metadata_store_pb2")
    host, _, port = args.grpc.rpartition(":")
    store = mlmd.MetadataStore(pb.MetadataStoreClientConfig(host=host, port=int(port)))
    system = {"tfx": Tfx, "kfp": Kfp}[args.system](store, pb)
    runs = []
    for number in range(RUNS):
        if number == DELETED_BEFORE:
            system.delete(runs[-1][2])
        runs.append(system.run(number))
    print(json.dumps({"fingerprint": FINGERPRINT, "runs": runs}))


if __name__ == "__main__":
    main()
