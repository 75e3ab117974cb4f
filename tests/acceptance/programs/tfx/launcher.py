"""The order of calls of TFX's launcher: contexts, inputs, execution, cache, outputs."""

import hashlib

from store import CACHE, NAME, NODE, RUN, TfxStore

# Node -> (inputs: key -> (node, key)), (outputs: key -> type), parameters.
NODES = {
    "ExampleGen": ({}, {"examples": "Examples"}, {"input_base": "/data", "span": 7}),
    "StatisticsGen": (
        {"examples": ("ExampleGen", "examples")},
        {"statistics": "ExampleStatistics"},
        {},
    ),
    "Trainer": (
        {"examples": ("ExampleGen", "examples"), "eval_examples": ("ExampleGen", "examples")},
        {"model": "Model", "model_run": "ModelRun"},
        {"train_args": '{"num_steps": 10}', "rate": 0.25, "custom": ["a", 1]},
    ),
    "Evaluator": (
        {"examples": ("ExampleGen", "examples"), "model": ("Trainer", "model")},
        {"evaluation": "ModelEvaluation", "blessing": "ModelBlessing"},
        {},
    ),
    "Pusher": ({"model": ("Trainer", "model")}, {"pushed_model": "PushedModel"}, {}),
}


class TfxLauncher(TfxStore):
    """Launches nodes."""

    def __init__(self, module, address):
        super().__init__(module, address)
        self.launched = 0

    def launch(self, run, node, *, salt="", fail=False, blessed=1):
        """Launch a node; return the outcome: miss, hit, failed or done before."""
        inputs, outputs, parameters = NODES[node]
        contexts = self.contexts_of(run, node)
        resolved = {key: self.produced(run, *source) for key, source in inputs.items()}
        if self.succeeded(contexts):
            return "done before"
        execution = self.register(node, contexts, parameters, resolved)
        if fail:
            return self.publish_failure(execution, contexts)
        cache = self.context(CACHE, self.key(node, resolved, salt))
        cached = self.cached_outputs(cache)
        artifacts = self.skeletons(run, node, outputs, blessed) if cached is None else cached
        state = self.pb.Execution.COMPLETE if cached is None else self.pb.Execution.CACHED
        self.publish(execution, state, artifacts, [*contexts, cache])
        return "miss" if cached is None else "hit"

    # -- inputs -------------------------------------------------------------------------------

    def produced(self, run, node, key):
        """Return the LIVE artifacts that a node of a run has put out under a key."""
        query = (
            f'contexts_0.type = "{RUN}" AND contexts_0.name = "{run}" AND '
            f'contexts_1.type = "{NODE}" AND contexts_1.name = "{NAME}.{node}" AND state = LIVE'
        )
        artifacts = self.store.get_artifacts(self.listing(query))
        ids = {
            event.artifact_id
            for event in self.store.get_events_by_artifact_ids([one.id for one in artifacts])
            if event.type == self.pb.Event.OUTPUT and event.path.steps[0].key == key
        }
        return [artifact for artifact in artifacts if artifact.id in ids]

    def succeeded(self, contexts):
        """Return the executions in all these contexts that have ended well."""
        query = " AND ".join(f"contexts_{i}.id = {one.id}" for i, one in enumerate(contexts))
        query += " AND last_known_state IN (COMPLETE, CACHED)"
        return self.store.get_executions(self.listing(query))

    @staticmethod
    def key(node, resolved, salt):
        parts = [node, salt, *(f"{key} {one.uri}" for key in resolved for one in resolved[key])]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    # -- executions ---------------------------------------------------------------------------

    def register(self, node, contexts, parameters, resolved):
        """Put a RUNNING execution with its inputs, and read it."""
        pb = self.pb
        execution = pb.Execution(type_id=self.execution_type(node))
        self.launched += 1
        execution.name = f"{node}-{self.launched}"  # TFX draws a UUID
        execution.last_known_state = pb.Execution.RUNNING
        for key, value in parameters.items():
            self.set_property(execution.custom_properties[key], value)
        pairs = [(artifact, event) for artifact, event in self.input_events(resolved)]
        execution_id, _, _ = self.store.put_execution(
            execution, pairs, contexts, reuse_context_if_already_exist=True
        )
        return self.store.get_executions_by_id([execution_id])[0]

    def execution_type(self, node):
        execution_type = self.pb.ExecutionType(name=f"tfx.components.{node}")
        return self.store.put_execution_type(
            execution_type, can_add_fields=True, can_omit_fields=True
        )

    def input_events(self, resolved):
        """Return an event for each artifact, with a pair of steps for each key that it has."""
        events = {}
        for key, artifacts in resolved.items():
            for index, artifact in enumerate(artifacts):
                new = self.pb.Event(type=self.pb.Event.INPUT)
                _, event = events.setdefault(artifact.id, (artifact, new))
                event.path.steps.add(key=key)
                event.path.steps.add(index=index)
        return events.values()

    @staticmethod
    def set_property(value, content):
        if isinstance(content, int):
            value.int_value = content
        elif isinstance(content, float):
            value.double_value = content
        elif isinstance(content, str):
            value.string_value = content
        else:
            value.struct_value.update({"list": content})

    def publish_failure(self, execution, contexts):
        execution.last_known_state = self.pb.Execution.FAILED
        result = '{"code": 1, "resultMessage": "ValueError: no"}'
        execution.custom_properties["__execution_result__"].string_value = result
        self.store.put_execution(execution, [], contexts, reuse_context_if_already_exist=True)
        return "failed"

    # -- outputs ------------------------------------------------------------------------------

    def skeletons(self, run, node, outputs, blessed):
        """Return new artifacts by key."""
        artifacts = {}
        for key, type_name in outputs.items():
            artifact = self.pb.Artifact(type_id=self.artifact_type(type_name))
            artifact.uri = f"/root/{node}/{key}/{run}-{self.launched}"
            artifact.state = self.pb.Artifact.LIVE
            artifact.custom_properties["tfx_version"].string_value = "1.17.0"
            artifact.custom_properties["is_external"].int_value = 0
            if type_name == "ModelBlessing":
                artifact.custom_properties["blessed"].int_value = blessed
            if type_name == "Examples":
                artifact.properties["span"].int_value = 7
                artifact.properties["split_names"].string_value = '["train", "eval"]'
            artifacts[key] = [artifact]
        return artifacts

    def artifact_type(self, name):
        artifact_type = self.pb.ArtifactType(name=name)
        if name == "Examples":
            artifact_type.properties.update({"span": self.pb.INT, "split_names": self.pb.STRING})
        if name == "Model":
            artifact_type.base_type = self.pb.ArtifactType.MODEL
        return self.store.put_artifact_type(
            artifact_type, can_add_fields=True, can_omit_fields=True
        )

    def publish(self, execution, state, outputs, contexts):
        """Put an execution again, ended, with its outputs."""
        execution.last_known_state = state
        execution.custom_properties["__execution_result__"].string_value = "{}"
        pairs = []
        for key, artifacts in outputs.items():
            for index, artifact in enumerate(artifacts):
                event = self.pb.Event(type=self.pb.Event.OUTPUT)
                event.path.steps.add(key=key)
                event.path.steps.add(index=index)
                pairs.append((artifact, event))
        self.store.put_execution(execution, pairs, contexts, reuse_context_if_already_exist=True)

    # -- cache --------------------------------------------------------------------------------

    def cached_outputs(self, cache):
        """Return the outputs of the newest execution of a cache context, if all are LIVE."""
        final_states = {self.pb.Execution.COMPLETE, self.pb.Execution.CACHED}
        executions = self.store.get_executions_by_context(cache.id)
        finished_executions = [
            execution for execution in executions if execution.last_known_state in final_states
        ]
        for execution in sorted(finished_executions, key=lambda e: e.id, reverse=True):
            outputs = self.outputs_of(execution.id)
            every = [artifact for artifacts in outputs.values() for artifact in artifacts]
            if all(artifact.state == self.pb.Artifact.LIVE for artifact in every):
                return outputs
        return None

    def outputs_of(self, execution_id):
        events = self.store.get_events_by_execution_ids([execution_id])
        output_events = [event for event in events if event.type == self.pb.Event.OUTPUT]
        artifacts = self.store.get_artifacts_by_id([event.artifact_id for event in output_events])
        by_id = {artifact.id: artifact for artifact in artifacts}
        outputs = {}
        for event in output_events:
            outputs.setdefault(event.path.steps[0].key, []).append(by_id[event.artifact_id])
        return outputs
