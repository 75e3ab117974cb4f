"""The calls of mlmd_client_calls.py that record whole steps."""
# ruff: noqa: FBT003 - the positions of arguments are part of the contract

from mlmd_expectations import MISSING, Expectations


class StepCalls(Expectations):
    def steps(self):
        store, pb = self.store, self.pb
        output = pb.Artifact(type_id=self.net, uri="s3://net", external_id="x/net")
        pairs = [
            (None, pb.Event(artifact_id=self.a, type=pb.Event.INPUT)),
            (output, pb.Event(type=pb.Event.OUTPUT)),
            (pb.Artifact(type_id=self.net, name="no event"),),
            (),
        ]
        context = pb.Context(type_id=self.group, name="g")
        execution = pb.Execution(type_id=self.train)
        step, artifacts, contexts = store.put_execution(execution, pairs, [context])
        assert artifacts[0] == self.a
        assert len(artifacts) == 3
        events = store.get_events_by_execution_ids([step])
        assert [(x.artifact_id, x.type) for x in events] == [(self.a, 3), (artifacts[1], 4)]
        assert store.get_context_by_type_and_name("Group", "g").id == contexts[0]
        assert [x.id for x in store.get_artifacts_by_context(contexts[0])] == sorted(artifacts)
        again = store.put_execution(pb.Execution(id=step), [], None)
        assert again == (step, [], [])
        store.put_execution(pb.Execution(id=step), [], [], force_update_time=True)
        with self.raises("InvalidArgument"):
            store.put_execution(None, [], None)
        with self.raises("InvalidArgument"):
            other = pb.Event(execution_id=self.e, type=pb.Event.INPUT)
            store.put_execution(execution, [(pb.Artifact(type_id=self.data), other)], [])

    def reuse(self):
        store, pb = self.store, self.pb
        execution = pb.Execution(type_id=self.train)
        context = pb.Context(type_id=self.group, name="g")
        stored = store.get_context_by_type_and_name("Group", "g")
        with self.raises("AlreadyExists"):
            store.put_execution(execution, [], [context])
        _, _, ids = store.put_execution(execution, [], [context], True)
        assert ids == [stored.id]
        forced = {"contexts": [pb.Context(id=stored.id)], "force_reuse_context": True}
        assert store.put_execution(execution, [], **forced)[2] == [stored.id]
        with self.raises("NotFound"):
            store.put_execution(execution, [], [pb.Context(id=MISSING)], force_reuse_context=True)
        net = pb.Artifact(type_id=self.net, uri="s3://newer", external_id="x/net")
        pair = (net, pb.Event(type=pb.Event.INPUT))
        with self.raises("AlreadyExists"):
            store.put_execution(execution, [pair], [])
        _, ids, _ = store.put_execution(
            execution, [pair], [], reuse_artifact_if_already_exist_by_external_id=True
        )
        (got,) = store.get_artifacts_by_external_ids(["x/net"])
        assert (got.id, got.uri) == (ids[0], "s3://newer")

    def subgraphs(self):
        store, pb = self.store, self.pb
        executions = [pb.Execution(type_id=self.train), pb.Execution(type_id=self.train)]
        artifacts = [pb.Artifact(type_id=self.data), pb.Artifact(type_id=self.net)]
        contexts = [pb.Context(type_id=self.group, name="g"), self.named("h")]
        edges = [
            (0, 0, pb.Event(type=pb.Event.OUTPUT)),
            (1, 0, pb.Event(type=pb.Event.INPUT)),
            (1, 1, pb.Event(type=pb.Event.OUTPUT)),
            (1, None, pb.Event(artifact_id=self.a, type=pb.Event.DECLARED_INPUT)),
        ]
        with self.raises("AlreadyExists"):
            store.put_lineage_subgraph(executions, artifacts, contexts, edges)
        steps, nodes, groups = store.put_lineage_subgraph(
            executions, artifacts, contexts, edges, reuse_context_if_already_exist=True
        )
        events = store.get_events_by_execution_ids(steps)
        assert [(x.execution_id, x.artifact_id) for x in events] == [
            (steps[0], nodes[0]),
            (steps[1], nodes[0]),
            (steps[1], nodes[1]),
            (steps[1], self.a),
        ]
        assert [x.id for x in store.get_artifacts_by_context(groups[1])] == nodes
        assert store.put_lineage_subgraph([], [], [], []) == ([], [], [])
        event = pb.Event(type=pb.Event.INPUT)
        with self.raises("OutOfRange"):
            store.put_lineage_subgraph(executions, artifacts, [], [(2, 0, event)])
        with self.raises("InvalidArgument"):
            store.put_lineage_subgraph(executions, artifacts, [], [(None, 0, event)])
        with self.raises("InvalidArgument"):
            store.put_lineage_subgraph([pb.Execution(id=self.e)], [], [], [])
        reused = pb.Artifact(type_id=self.net, external_id="x/net")
        _, ids, _ = store.put_lineage_subgraph([], [reused], [], [], False, True)
        assert ids == [store.get_artifacts_by_external_ids(["x/net"])[0].id]

    def named(self, name):
        return self.pb.Context(type_id=self.group, name=name)
