"""The common part of the scripts about TFX: a store, and nodes by names in place of ids."""

import importlib

from google.protobuf.json_format import MessageToDict

PIPELINE, RUN, NODE, CACHE = "pipeline", "pipeline_run", "node", "execution_cache"
NAME = "churn"


class TfxStore:
    """A store, and the answers that were read from it.

    Attributes:
        log: Pairs of a question and its answer, as JSON.
    """

    def __init__(self, module, address):
        self.mlmd = importlib.import_module(module)
        self.pb = importlib.import_module(f"{module}.proto.metadata_store_pb2")
        self.errors = importlib.import_module(f"{module}.errors")
        host, _, port = address.rpartition(":")
        config = self.pb.MetadataStoreClientConfig(host=host, port=int(port))
        self.store = self.mlmd.MetadataStore(config)
        self.log = []

    def say(self, question, answer):
        self.log.append([question, answer])

    def listing(self, filter_query, **options):
        options = {"order_by": self.mlmd.OrderByField.ID, "is_asc": True} | options
        return self.mlmd.ListOptions(filter_query=filter_query, **options)

    # -- what was answered, without ids and clocks --------------------------------------------

    def shown(self, nodes):
        """Return nodes as dicts: their fields and properties, without ids and times."""
        shown_nodes = []
        for node in nodes:
            fields = MessageToDict(node, preserving_proto_field_name=True)
            assert fields.pop("create_time_since_epoch")
            assert fields.pop("last_update_time_since_epoch")
            for name in ("id", "type_id"):
                assert fields.pop(name)
            shown_nodes.append(fields)
        return shown_nodes

    def names(self, nodes):
        return [node.name or node.uri for node in nodes]

    def edges(self, events):
        """Return events as [execution, artifact, type, path]."""
        executions = {event.execution_id for event in events}
        artifacts = {event.artifact_id for event in events}
        names = {e.id: e.name for e in self.store.get_executions_by_id(executions)}
        uris = {a.id: a.uri for a in self.store.get_artifacts_by_id(artifacts)}
        return [
            [
                names[event.execution_id],
                uris[event.artifact_id],
                self.pb.Event.Type.Name(event.type),
                [step.key or step.index for step in event.path.steps],
            ]
            for event in events
        ]

    # -- contexts, as TFX's context_lib has them ----------------------------------------------

    def contexts_of(self, run, node):
        """Return the contexts of a node in a run, which are made if need be."""
        pipeline = self.context(PIPELINE, NAME)
        run = self.context(RUN, run)
        self.parent(run, pipeline)
        return [pipeline, run, self.context(NODE, f"{NAME}.{node}")]

    def context(self, type_name, name):
        stored = self.store.get_context_by_type_and_name(type_name, name)
        if stored is not None:
            return stored
        context_type = self.pb.ContextType(name=type_name)
        type_id = self.store.put_context_type(
            context_type, can_add_fields=True, can_omit_fields=True
        )
        context = self.pb.Context(type_id=type_id, name=name)
        [context_id] = self.store.put_contexts([context])
        return self.store.get_contexts_by_id([context_id])[0]

    def parent(self, child, parent):
        """Make a context the parent of another one, unless it is."""
        parents = self.store.get_parent_contexts_by_context(child.id)
        if parent.id not in [one.id for one in parents]:
            edge = self.pb.ParentContext(child_id=child.id, parent_id=parent.id)
            self.store.put_parent_contexts([edge])
