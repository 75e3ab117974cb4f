"""The calls of mlmd_client_calls.py that ask questions: filters, and lineage."""

from mlmd_expectations import Expectations


class QueryCalls(Expectations):
    def filters(self):
        store, options = self.store, self.mlmd.ListOptions
        named = options(filter_query='name = "a" AND type = "Data"', order_by=None, limit=1)
        assert [x.id for x in store.get_artifacts(named)] == [self.a]
        rows = options(filter_query="properties.rows.int_value BETWEEN 1 AND 1000")
        assert [x.id for x in store.get_artifacts(rows)] == [self.a]
        mine = options(filter_query=f"contexts_c.id = {self.c}", is_asc=False)
        assert [x.id for x in store.get_executions(mine)] == [self.f, self.e]
        children = options(filter_query=f"parent_contexts_p.id = {self.d}")
        assert [x.id for x in store.get_contexts(children)] == [self.c]
        read = options(filter_query=f"events_0.execution_id = {self.e} AND events_0.type = INPUT")
        assert [x.id for x in store.get_artifacts(read)] == [self.a]
        everything = options(filter_query="")
        assert store.get_contexts(everything) == store.get_contexts()
        for text in ("name = 1", "nothing = 1", "name =", "id", " "):
            for get in (store.get_artifacts, store.get_executions, store.get_contexts):
                with self.raises("InvalidArgument"):
                    get(options(filter_query=text))

    def lineage(self):
        store, pb = self.store, self.pb
        query = pb.LineageSubgraphQueryOptions(max_num_hops=1)
        query.direction = pb.LineageSubgraphQueryOptions.DOWNSTREAM
        query.starting_executions.filter_query = f"id = {self.e}"
        graph = store.get_lineage_subgraph(query)
        (artifact,) = graph.artifacts
        assert artifact == store.get_artifacts_by_id([self.b])[0]
        assert list(graph.executions) == store.get_executions_by_id([self.e])
        assert [(x.artifact_id, x.type) for x in graph.events] == [(self.b, pb.Event.OUTPUT)]
        assert [x.id for x in graph.contexts] == [self.c]
        assert [x.name for x in graph.execution_types] == ["Train"]
        graph = store.get_lineage_subgraph(query, ["executions"])
        assert [x.id for x in graph.executions] == [self.e]
        assert not graph.artifacts
        assert not graph.events
        query.starting_executions.filter_query = 'name = "nobody has this name"'
        with self.raises("NotFound"):
            store.get_lineage_subgraph(query)
        for text in ("", "name"):
            query.starting_executions.filter_query = text
            with self.raises("InvalidArgument"):
                store.get_lineage_subgraph(query)
