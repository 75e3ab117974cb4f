"""The calls of mlmd_client_calls.py that deal with edges."""

from mlmd_expectations import MISSING, Expectations


class EdgeCalls(Expectations):
    def events(self):
        store, pb = self.store, self.pb
        path = pb.Event.Path(steps=[pb.Event.Path.Step(key="data"), pb.Event.Path.Step(index=0)])
        read = pb.Event(artifact_id=self.a, execution_id=self.e, type=pb.Event.INPUT, path=path)
        read.milliseconds_since_epoch = 12
        write = pb.Event(artifact_id=self.b, execution_id=self.e, type=pb.Event.OUTPUT)
        assert store.put_events([read, write]) is None
        assert store.get_events_by_execution_ids([self.e])[0] == read
        events = store.get_events_by_execution_ids(execution_ids=[self.e, MISSING])
        assert [(x.artifact_id, x.type) for x in events] == [(self.a, 3), (self.b, 4)]
        assert events[1].milliseconds_since_epoch > 0
        assert store.get_events_by_artifact_ids([self.b]) == [events[1]]
        assert store.get_events_by_artifact_ids([]) == []
        with self.raises("AlreadyExists"):
            store.put_events([write])
        with self.raises("InvalidArgument"):
            store.put_events([pb.Event(artifact_id=self.a, execution_id=self.e)])
        for no_node in ({"artifact_id": MISSING}, {"execution_id": MISSING}):
            ids = {"artifact_id": self.a, "execution_id": self.f, **no_node}
            with self.raises("InvalidArgument"):
                store.put_events([pb.Event(type=pb.Event.INPUT, **ids)])
        assert store.get_events_by_execution_ids([self.f]) == []

    def memberships(self):
        store, pb = self.store, self.pb
        attribution = pb.Attribution(artifact_id=self.a, context_id=self.c)
        associations = [pb.Association(execution_id=x, context_id=self.c) for x in (self.e, self.f)]
        with self.raises("NotFound"):
            store.get_contexts_by_artifact(self.a)
        with self.raises("NotFound"):
            store.get_contexts_by_execution(self.e)
        for _ in range(2):  # an edge that is there already is no error
            assert store.put_attributions_and_associations([attribution], associations) is None
        assert [x.id for x in store.get_contexts_by_artifact(self.a)] == [self.c]
        assert [x.id for x in store.get_contexts_by_execution(self.e)] == [self.c]
        assert [x.id for x in store.get_artifacts_by_context(self.c)] == [self.a]
        one = self.mlmd.ListOptions(limit=1, order_by=self.mlmd.OrderByField.ID, is_asc=False)
        assert [x.id for x in store.get_artifacts_by_context(self.c, one)] == [self.a]
        assert [x.id for x in store.get_executions_by_context(self.c)] == [self.f, self.e]
        assert [x.id for x in store.get_executions_by_context(self.c, one)] == [self.f]
        assert store.get_artifacts_by_context(MISSING) == []
        assert store.get_executions_by_context(context_id=MISSING) == []
        for no_node in ({"artifact_id": MISSING}, {"context_id": MISSING}):
            ids = {"artifact_id": self.a, "context_id": self.c, **no_node}
            with self.raises("InvalidArgument"):
                store.put_attributions_and_associations([pb.Attribution(**ids)], [])

    def parents(self):
        store, pb = self.store, self.pb
        edge = pb.ParentContext(child_id=self.c, parent_id=self.d)
        assert store.put_parent_contexts([edge]) is None
        assert [x.id for x in store.get_parent_contexts_by_context(self.c)] == [self.d]
        assert [x.id for x in store.get_children_contexts_by_context(self.d)] == [self.c]
        assert store.get_parent_contexts_by_context(MISSING) == []
        assert store.get_children_contexts_by_context(self.c) == []
        with self.raises("AlreadyExists"):
            store.put_parent_contexts([edge])
        for child, parent in ((self.d, self.c), (self.c, self.c), (self.c, MISSING)):
            with self.raises("InvalidArgument"):
                store.put_parent_contexts([pb.ParentContext(child_id=child, parent_id=parent)])
