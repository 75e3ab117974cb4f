"""The reads and writes of TFX's resolvers, its partial runs and its garbage collection."""

from google.protobuf.json_format import MessageToDict
from launcher import TfxLauncher
from store import NAME, NODE, RUN

MASKS = [None, ["artifacts", "events"], ["executions", "events", "artifacts", "artifact_types"]]


class TfxResolvers(TfxLauncher):
    """Resolves inputs across runs."""

    def latest_artifacts(self, type_name):
        """Say the artifacts of a type in a pipeline, the newest first."""
        query = f'type = "{type_name}" AND state = LIVE AND contexts_a.name IN ("{NAME}", "other")'
        newest = self.listing(query, is_asc=False)
        self.say(f"latest {type_name}", self.names(self.store.get_artifacts(newest)))
        first = self.listing(query, is_asc=False, limit=1)
        self.say(f"the latest {type_name}", self.names(self.store.get_artifacts(first)))

    def latest_blessed_model(self):
        """Say the newest model that was blessed, walked hop by hop."""
        models = self.store.get_artifacts(self.listing('type = "Model" AND state = LIVE'))
        blessings = self.store.get_artifacts_by_type("ModelBlessing")
        blessed = {one.id for one in blessings if one.custom_properties["blessed"].int_value}
        events = self.store.get_events_by_artifact_ids(blessed)
        evaluations = {e.execution_id for e in events if e.type == self.pb.Event.OUTPUT}
        used = {
            event.artifact_id
            for event in self.store.get_events_by_execution_ids(evaluations)
            if event.type == self.pb.Event.INPUT
        }
        blessed_models = [model for model in models if model.id in used]
        self.say("blessed models", self.names(blessed_models))
        pushed = self.store.get_artifacts(self.listing('type IN ("PushedModel", "Model")'))
        self.say("models", sorted(self.names(pushed)))

    def graphs(self):
        """Say the graphs around models, with the directions and masks that operators use."""
        pb = self.pb
        directions = pb.LineageSubgraphQueryOptions.Direction
        models = self.store.get_artifacts_by_type("Model")
        for direction in (directions.UPSTREAM, directions.DOWNSTREAM, directions.BIDIRECTIONAL):
            options = pb.LineageSubgraphQueryOptions(max_num_hops=100, direction=direction)
            options.starting_artifacts.filter_query = f"id IN ({models[0].id})"
            for mask in MASKS:
                graph = self.store.get_lineage_subgraph(options, mask)
                self.say(f"graph {directions.Name(direction)} {mask}", self.graph(graph))

    def siblings(self):
        """Say the other outputs of the execution that made a model."""
        pb = self.pb
        model = self.store.get_artifacts_by_type("Model")[0]
        options = pb.LineageSubgraphQueryOptions(max_num_hops=2)
        options.starting_artifacts.filter_query = f"id = {model.id}"
        options.ending_executions.filter_query = (
            f"events_0.artifact_id = {model.id} AND events_0.type = INPUT"
        )
        graph = self.store.get_lineage_subgraph(options, ["artifacts", "events"])
        self.say("siblings", self.graph(graph))

    def graph(self, graph):
        """Return a graph as lists whose order means nothing."""
        names = {
            "artifacts": sorted(one.uri for one in graph.artifacts),
            "executions": sorted(one.name for one in graph.executions),
            "contexts": sorted(one.name for one in graph.contexts),
            "events": sorted(map(str, self.edges(graph.events))),
        }
        for name in ("artifact_types", "execution_types", "context_types"):
            names[name] = sorted(one.name for one in getattr(graph, name))
        return names

    def neighbours(self):
        """Say the answers to filters over neighbours of nodes."""
        store = self.store
        model = store.get_artifacts_by_type("Model")[0]
        made_by = f"events_0.artifact_id = {model.id} AND events_0.type = OUTPUT"
        self.say("producers", self.names(store.get_executions(self.listing(made_by))))
        query = f'type = "{RUN}" AND parent_contexts_0.name = "{NAME}"'
        self.say("runs", self.names(store.get_contexts(self.listing(query))))
        child = 'child_contexts_0.name = "run-1"'
        self.say("parents of a run", self.names(store.get_contexts(self.listing(child))))
        pipeline = store.get_context_by_type_and_name("pipeline", NAME)
        children = store.get_children_contexts_by_context(pipeline.id)
        self.say("children", sorted(self.names(children)))
        nodes = store.get_contexts_by_type(NODE)
        self.say("nodes", self.names(nodes))
        recent = "last_update_time_since_epoch >= 1000 AND last_known_state IN (1, 2, 5)"
        self.say("active", self.names(store.get_executions(self.listing(recent))))
        by_uri = f'uri = "{model.uri}"'
        self.say("by uri", self.shown(store.get_artifacts(self.listing(by_uri))))
        self.say("found by uri", self.shown(store.get_artifacts_by_uri(model.uri)))

    # -- partial runs -------------------------------------------------------------------------

    def partial_run(self, base, run, reused):
        """Take the nodes that are not run from a base run, which becomes a parent of the run."""
        base_context = self.context(RUN, base)
        self.parent(self.context(RUN, run), base_context)
        for node in reused:
            contexts = self.contexts_of(base, node)
            for execution in self.succeeded(contexts)[-1:]:
                self.copy(execution, self.contexts_of(run, node))
        parents = self.store.get_parent_contexts_by_context(self.context(RUN, run).id)
        self.say("parents of a partial run", sorted(self.names(parents)))

    def copy(self, original, contexts):
        """Put an execution as CACHED, with the events of another one."""
        pb = self.pb
        copied = pb.Execution(type_id=original.type_id, name=f"{original.name}-again")
        copied.last_known_state = pb.Execution.CACHED
        for key, value in original.custom_properties.items():
            copied.custom_properties[key].CopyFrom(value)
        pairs = []
        for event in self.store.get_events_by_execution_ids([original.id]):
            again = pb.Event(artifact_id=event.artifact_id, type=event.type, path=event.path)
            [artifact] = self.store.get_artifacts_by_id([event.artifact_id])
            pairs.append((artifact, again))
        self.store.put_execution(copied, pairs, contexts, reuse_context_if_already_exist=True)

    # -- garbage ------------------------------------------------------------------------------

    def collect(self, node, key, keep):
        """Delete the outputs of a node under a key, but for the newest ones."""
        query = f'contexts_0.name = "{NAME}.{node}" AND state IN (2)'
        artifacts = self.store.get_artifacts(self.listing(query))
        ids = [artifact.id for artifact in artifacts]
        events = self.store.get_events_by_artifact_ids(ids)
        output_ids = {
            event.artifact_id
            for event in events
            if event.type == self.pb.Event.OUTPUT and event.path.steps[0].key == key
        }
        garbage = [artifact for artifact in artifacts if artifact.id in output_ids][:-keep]
        for state in (self.pb.Artifact.MARKED_FOR_DELETION, self.pb.Artifact.DELETED):
            for artifact in garbage:
                artifact.state = state
            self.store.put_artifacts(garbage)
        deleted = self.store.get_artifacts(self.listing("state IN (DELETED)"))
        self.say("gone", self.shown(deleted))
        for states in ("(2)", "(2, 3, 4)", "(LIVE, DELETED)"):
            self.say(f"state IN {states}", self.found_or_refused(f"state IN {states}"))

    def found_or_refused(self, query):
        try:
            return self.names(self.store.get_artifacts(self.listing(query)))
        except self.errors.StatusError as error:
            return type(error).__name__

    # -- what is imported ---------------------------------------------------------------------

    def reimport(self):
        """Import the same thing twice under an external id, as one artifact."""
        pb = self.pb
        type_id = self.artifact_type("Examples")
        for span in (1, 2):
            artifact = pb.Artifact(type_id=type_id, uri="/lake/1", external_id="lake/1")
            artifact.properties["span"].int_value = span
            execution = pb.Execution(type_id=self.execution_type("Importer"))
            execution.name = f"import-{span}"
            self.store.put_execution(
                execution,
                [(artifact, pb.Event(type=pb.Event.OUTPUT))],
                self.contexts_of("run-1", "Importer"),
                reuse_context_if_already_exist=True,
                reuse_artifact_if_already_exist_by_external_id=True,
                force_reuse_context=True,
            )
        self.say("imported", self.shown(self.store.get_artifacts_by_external_ids(["lake/1"])))

    def many_at_once(self):
        """Put several executions and the edges between them in one call."""
        pb = self.pb
        type_id = self.artifact_type("Examples")
        kind = self.execution_type("Splitter")
        executions = [
            pb.Execution(type_id=kind, name=f"split-{n}", last_known_state=pb.Execution.COMPLETE)
            for n in range(3)
        ]
        artifacts = [pb.Artifact(type_id=type_id, uri=f"/split/{n}") for n in range(2)]
        edges = [
            (n, m, pb.Event(type=event_type))
            for n, m, event_type in ((0, 0, pb.Event.OUTPUT), (1, 0, pb.Event.INPUT))
        ]
        edges += [(1, 1, pb.Event(type=pb.Event.PENDING_OUTPUT))]
        edges += [(2, 1, pb.Event(type=pb.Event.DECLARED_INPUT))]
        edges += [(2, 0, pb.Event(type=pb.Event.INTERNAL_INPUT))]
        contexts = self.contexts_of("run-1", "Splitter")
        ids, _, _ = self.store.put_lineage_subgraph(
            executions, artifacts, contexts, edges, reuse_context_if_already_exist=True
        )
        self.say("subgraph", self.edges(self.store.get_events_by_execution_ids(ids)))

    def evolve(self):
        """Let a type gain a property, and lose it only in the type that is put."""
        pb = self.pb
        wider = pb.ArtifactType(name="Examples", properties={"version": pb.INT})
        self.store.put_artifact_type(wider, can_add_fields=True, can_omit_fields=True)
        narrower = pb.ArtifactType(name="Examples")
        self.store.put_artifact_type(narrower, can_add_fields=True, can_omit_fields=True)
        examples = MessageToDict(self.store.get_artifact_type("Examples"))
        examples.pop("id")
        self.say("type", examples)
        for flags in ({}, {"can_add_fields": True}, {"can_omit_fields": True}):
            other = pb.ArtifactType(name="Examples", properties={"other": pb.INT})
            try:
                self.store.put_artifact_type(other, **flags)
            except self.errors.StatusError as error:
                self.say(f"type with {flags}", type(error).__name__)
