"""The calls of mlmd_client_calls.py that deal with types."""
# ruff: noqa: FBT003 - the positions of arguments are part of the contract

from mlmd_expectations import MISSING, Expectations


class TypeCalls(Expectations):
    def artifact_types(self):
        store, pb = self.store, self.pb
        data = pb.ArtifactType(name="Data", external_id="type/data", description="rows")
        data.properties["rows"] = pb.INT
        data.properties["note"] = pb.STRING
        self.data = store.put_artifact_type(data)
        assert self.data == 10  # the nine system types come first
        assert store.put_artifact_type(data) == self.data
        wider = pb.ArtifactType(name="Data", properties={"split": pb.STRUCT})
        with self.raises("AlreadyExists"):
            store.put_artifact_type(wider)
        with self.raises("AlreadyExists"):
            store.put_artifact_type(wider, can_add_fields=True)
        assert store.put_artifact_type(wider, True, True) == self.data
        second = pb.ArtifactType(name="Data", version="2", properties={"rows": pb.DOUBLE})
        self.data2 = store.put_artifact_type(artifact_type=second)
        assert self.data2 > self.data

        got = store.get_artifact_type("Data")
        assert (got.id, got.external_id, got.description) == (self.data, "type/data", "rows")
        assert dict(got.properties) == {"rows": pb.INT, "note": pb.STRING, "split": pb.STRUCT}
        assert store.get_artifact_type("Data", type_version="2").id == self.data2
        assert store.get_artifact_type("Data", "").id == self.data
        assert [t.id for t in store.get_artifact_types()] == [self.data, self.data2]
        by_id = store.get_artifact_types_by_id([self.data2, MISSING, self.data])
        assert [t.id for t in by_id] == [self.data2, self.data]
        assert store.get_artifact_types_by_id(iter([])) == []
        types = store.get_artifact_types_by_external_ids(["type/data", "none"])
        assert [t.name for t in types] == ["Data"]
        self.type_errors(pb.ArtifactType, store.put_artifact_type)
        with self.raises("NotFound"):
            store.get_artifact_type("nope")
        with self.raises("NotFound"):
            store.get_artifact_type("Data", "3")
        self.external_id_errors(store.get_artifact_types_by_external_ids)

    def execution_types(self):
        store, pb = self.store, self.pb
        train = pb.ExecutionType(name="Train", external_id="type/train")
        train.properties["epochs"] = pb.INT
        train.input_type.dict.properties["data"].simple.name = "Data"
        self.train = store.put_execution_type(train, can_add_fields=False, can_omit_fields=False)
        got = store.get_execution_type("Train")
        assert (got.id, got.name, got.input_type) == (self.train, "Train", train.input_type)
        assert store.get_execution_type(type_name="Train", type_version=None) == got
        assert [t.id for t in store.get_execution_types()] == [self.train]
        assert store.get_execution_types_by_id([self.train, self.data])[0].name == "Train"
        types = store.get_execution_types_by_external_ids(["type/train"])
        assert [t.id for t in types] == [self.train]
        self.type_errors(pb.ExecutionType, store.put_execution_type)
        with self.raises("NotFound"):
            store.get_execution_type("Data")
        self.external_id_errors(store.get_execution_types_by_external_ids)

    def context_types(self):
        store, pb = self.store, self.pb
        run = pb.ContextType(name="Run", external_id="type/run", version="1")
        run.properties["owner"] = pb.STRING
        self.run_type = store.put_context_type(run)
        self.group = store.put_context_type(pb.ContextType(name="Group"), can_omit_fields=True)
        assert store.get_context_type("Run", "1").id == self.run_type
        with self.raises("NotFound"):
            store.get_context_type("Run")
        assert [t.id for t in store.get_context_types()] == [self.run_type, self.group]
        assert store.get_context_types_by_id([self.group])[0].name == "Group"
        types = store.get_context_types_by_external_ids(["type/run"])
        assert [t.id for t in types] == [self.run_type]
        self.type_errors(pb.ContextType, store.put_context_type)
        self.external_id_errors(store.get_context_types_by_external_ids)

    def type_errors(self, cls, put):
        with self.raises("InvalidArgument"):
            put(cls())
        with self.raises("InvalidArgument"):
            put(None)
        with self.raises("InvalidArgument"):
            put(cls(name="T", properties={"p": self.pb.UNKNOWN}))
        with self.raises("Unimplemented"):
            put(cls(name="T", base_type=cls.UNSET))

    def system_types(self):
        model = self.pb.ArtifactType(name="Net", base_type=self.types.Model().system_type)
        self.net = self.store.put_artifact_type(model)
        assert self.store.get_artifact_type("Net").base_type == self.pb.ArtifactType.MODEL
        model.base_type = self.types.Dataset().system_type
        with self.raises("Unimplemented"):
            self.store.put_artifact_type(model)
        assert self.store.get_artifact_type(self.types.Metrics().name).id == 3
        assert self.store.get_execution_type(self.types.Train().name).id == 5
