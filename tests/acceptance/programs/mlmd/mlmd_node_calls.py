"""The calls of mlmd_client_calls.py that deal with nodes."""

import time

from mlmd_expectations import MISSING, Expectations


class NodeCalls(Expectations):
    def artifacts(self):
        store, pb = self.store, self.pb
        first = pb.Artifact(type_id=self.data, name="a", uri="s3://a", external_id="x/a")
        first.properties["rows"].int_value = 7
        first.properties["split"].struct_value["train"] = 0.5
        first.custom_properties["tag"].string_value = "ü"
        first.custom_properties["ok"].bool_value = True
        first.custom_properties["any"].proto_value.Pack(pb.Value(int_value=3))
        first.state = pb.Artifact.LIVE
        before = int(time.time() * 1000) - 1
        self.a, self.b = store.put_artifacts([first, pb.Artifact(type_id=self.data2, name="a")])
        assert 0 < self.a < self.b
        assert store.put_artifacts([]) == []

        (got,) = store.get_artifacts_by_id([self.a])
        assert got.create_time_since_epoch == got.last_update_time_since_epoch >= before
        expected = pb.Artifact(id=self.a, type="Data")
        expected.MergeFrom(first)
        expected.create_time_since_epoch = got.create_time_since_epoch
        expected.last_update_time_since_epoch = got.last_update_time_since_epoch
        assert got == expected, got
        both = store.get_artifacts_by_id(x for x in (self.b, MISSING, self.a, self.b))
        assert [x.id for x in both] == [self.a, self.b]
        assert store.get_artifacts_by_id([]) == []
        assert store.get_artifacts_by_type("Data") == [got]
        assert [x.id for x in store.get_artifacts_by_type("Data", "2")] == [self.b]
        assert store.get_artifacts_by_type("nope") == []
        assert store.get_artifact_by_type_and_name("Data", "a") == got
        assert store.get_artifact_by_type_and_name("Data", "a", "2").id == self.b
        assert store.get_artifact_by_type_and_name("Data", artifact_name="z") is None
        assert store.get_artifact_by_type_and_name("nope", "a") is None
        assert store.get_artifacts_by_external_ids(["x/a", "x/b"]) == [got]
        assert store.get_artifacts_by_uri("s3://a") == [got]
        assert store.get_artifacts_by_uri("s3://A") == []
        nodes, types = store.get_artifacts_and_types_by_artifact_ids([self.a, self.b])
        assert [x.id for x in nodes] == [self.a, self.b]
        assert {x.id for x in types} == {self.data, self.data2}
        self.node_errors(pb.Artifact, self.data, store.put_artifacts)
        self.external_id_errors(store.get_artifacts_by_external_ids)

    def executions(self):
        store, pb = self.store, self.pb
        first = pb.Execution(type_id=self.train, name="a", external_id="x/a")
        first.last_known_state = pb.Execution.RUNNING
        first.properties["epochs"].int_value = 3
        self.e, self.f = store.put_executions([first, pb.Execution(type_id=self.train)])
        (got,) = store.get_executions_by_id([self.e])
        assert (got.type, got.last_known_state) == ("Train", pb.Execution.RUNNING)
        assert got.properties["epochs"].int_value == 3
        assert [x.id for x in store.get_executions_by_type("Train")] == [self.e, self.f]
        assert store.get_executions_by_type("Train", "9") == []
        assert store.get_execution_by_type_and_name("Train", "a") == got
        assert store.get_execution_by_type_and_name("Train", "b", None) is None
        assert store.get_executions_by_external_ids(["x/a"]) == [got]
        completed = pb.Execution(id=self.e, last_known_state=pb.Execution.COMPLETE, name="other")
        assert store.put_executions([completed]) == [self.e]
        (got,) = store.get_executions_by_id([self.e])
        # An update replaces the node as a whole, except for the name of an execution.
        assert (got.name, got.external_id, len(got.properties)) == ("a", "", 0)
        self.node_errors(pb.Execution, self.train, store.put_executions)
        self.external_id_errors(store.get_executions_by_external_ids)

    def contexts(self):
        store, pb = self.store, self.pb
        first = pb.Context(type_id=self.run_type, name="r1", external_id="x/r1")
        first.properties["owner"].string_value = "me"
        second = pb.Context(type_id=self.run_type, name="r2")
        self.c, self.d = store.put_contexts([first, second])
        (got,) = store.get_contexts_by_id([self.c])
        assert (got.type, got.name, got.properties["owner"].string_value) == ("Run", "r1", "me")
        assert [x.id for x in store.get_contexts_by_type("Run", "1")] == [self.c, self.d]
        assert store.get_contexts_by_type("Run") == []
        assert store.get_context_by_type_and_name("Run", "r1", "1") == got
        assert store.get_context_by_type_and_name("Run", context_name="r1") is None
        assert store.get_contexts_by_external_ids(["x/r1"]) == [got]
        with self.raises("InvalidArgument"):
            store.put_contexts([pb.Context(type_id=self.run_type)])
        self.node_errors(pb.Context, self.run_type, store.put_contexts)
        self.external_id_errors(store.get_contexts_by_external_ids)

    def node_errors(self, cls, type_id, put):
        with self.raises("InvalidArgument"):
            put([cls(id=MISSING, name="z")])
        with self.raises("InvalidArgument"):
            put([cls(name="z")])
        with self.raises("NotFound"):
            put([cls(type_id=MISSING, name="z")])
        with self.raises("InvalidArgument"):
            new = {"undeclared": self.pb.Value(int_value=1)}
            put([cls(type_id=type_id, name="z", properties=new)])
        name_in_use = "r1" if cls is self.pb.Context else "a"
        with self.raises("AlreadyExists"):
            put([cls(type_id=type_id, name="z"), cls(type_id=type_id, name=name_in_use)])
        for wrong in (None, self.pb.Event()):
            try:
                put([wrong])
            except TypeError:
                continue
            raise AssertionError(f"{wrong!r} was taken for a node")

    def masks(self):
        store, pb = self.store, self.pb
        changed = pb.Artifact(id=self.a, uri="s3://new", state=pb.Artifact.DELETED)
        changed.custom_properties["tag"].string_value = "new"
        paths = ["uri", "custom_properties.tag"]
        assert store.put_artifacts([changed], field_mask_paths=paths) == [self.a]
        (got,) = store.get_artifacts_by_id([self.a])
        assert (got.uri, got.state, got.properties["rows"].int_value) == ("s3://new", 2, 7)
        assert got.custom_properties["tag"].string_value == "new"
        execution = pb.Execution(id=self.f, last_known_state=pb.Execution.FAILED)
        store.put_executions([execution], ["last_known_state"])
        assert store.get_executions_by_id([self.f])[0].last_known_state == pb.Execution.FAILED
        store.put_contexts([pb.Context(id=self.c, external_id="x/new")], ["external_id"])
        (context,) = store.get_contexts_by_external_ids(["x/new"])
        assert context.properties["owner"].string_value == "me"
        store.put_contexts([pb.Context(id=self.c, external_id="x/r1")], ("external_id",))

    def listings(self):
        store, options, order = self.store, self.mlmd.ListOptions, self.mlmd.OrderByField
        assert [x.id for x in store.get_artifacts()] == [self.a, self.b]
        assert [x.id for x in store.get_executions()] == [self.e, self.f]
        assert [x.id for x in store.get_contexts()] == [self.c, self.d]
        down = options(order_by=order.ID, is_asc=False)
        assert [x.id for x in store.get_artifacts(down)] == [self.b, self.a]
        assert [x.id for x in store.get_executions(list_options=down)] == [self.f, self.e]
        assert [x.id for x in store.get_contexts(down, None)] == [self.d, self.c]
        assert [x.id for x in store.get_contexts(options(limit=1))] == [self.c]
        assert len(store.get_contexts(options(limit=0))) == 2
        with self.raises("InvalidArgument"):
            store.get_artifacts(options(limit=-1))

    def pages(self):
        store, pb = self.store, self.pb
        options, order = self.mlmd.ListOptions, self.mlmd.OrderByField
        bulk = store.put_artifact_type(pb.ArtifactType(name="Bulk"))
        ids = store.put_artifacts([pb.Artifact(type_id=bulk) for _ in range(250)])
        everything = [self.a, self.b, *ids]
        assert [x.id for x in store.get_artifacts()] == everything
        assert [x.id for x in store.get_artifacts_by_type("Bulk")] == ids
        for limit in (99, 100, 101, 200, 252, 1000):
            listed = store.get_artifacts(options(limit=limit, order_by=order.ID))
            assert [x.id for x in listed] == everything[:limit], limit
        listed = store.get_artifacts(options(order_by=order.CREATE_TIME, is_asc=False))
        assert sorted(x.id for x in listed) == everything
        times = [x.create_time_since_epoch for x in listed]
        assert times == sorted(times, reverse=True)
        latest = store.get_artifacts(options(limit=1, order_by=order.UPDATE_TIME, is_asc=False))
        assert latest[0].last_update_time_since_epoch == max(
            x.last_update_time_since_epoch for x in listed
        )
