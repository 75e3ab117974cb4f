"""Fills a database through the real client of ML Metadata; run by the interpreter that has it.

    python mlmd_population.py CONFIG NODES

CONFIG is a ConnectionConfig in the text format. Of the NODES, half are artifacts, and there are as
many executions and contexts as fit; between them there is everything that ML Metadata can record.
"""

import random
import sys

from google.protobuf import struct_pb2, text_format
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2 as pb

BATCH = 2000
TEXTS = [
    "",
    "plain",
    "\U0010ffff0 \U0010ffff1",
    "ünïcödé 日本 😀",
    'it\'s "quoted" %s :x ?',
    "line\nbreak\ttab",
    "x" * 700,
]
BACKSLASH = "a \\ and 'quotes'"  # ML Metadata can't write one to PostgreSQL
INTS = (0, 1, -1, 2**31 - 1, -(2**31))
DOUBLES = (0.0, -0.5, 0.25, 123456.5, 1e6, 3.141593)
EVENT_TYPES = [pb.Event.INPUT, pb.Event.OUTPUT, pb.Event.DECLARED_INPUT, pb.Event.INTERNAL_OUTPUT]
PROPERTIES = {
    "int": pb.INT,
    "double": pb.DOUBLE,
    "string": pb.STRING,
    "struct": pb.STRUCT,
    "proto": pb.PROTO,
    "bool": pb.BOOLEAN,
}


def put_types(store):
    described = {"description": "ein Typ, ünïcödé 日本", "properties": PROPERTIES}
    types = {"artifact": [], "execution": [], "context": []}
    artifact = store.put_artifact_type
    types["artifact"] = [
        artifact(pb.ArtifactType(name="Data", base_type=1, external_id="type-data", **described)),
        artifact(pb.ArtifactType(name="Data", version="v2", properties=PROPERTIES)),
        artifact(pb.ArtifactType(name="Modèle", base_type=2, **described)),
        artifact(pb.ArtifactType(name="Empty", description="")),
    ]
    structure = text_format.Parse(
        'dict { properties { key: "x" value { union_type { candidates { simple '
        '{ name: "Data" } } candidates { none {} } } } } }',
        pb.ArtifactStructType(),
    )
    types["execution"] = [
        store.put_execution_type(
            pb.ExecutionType(
                name="Train", base_type=1, input_type=structure, output_type=structure, **described
            )
        ),
        store.put_execution_type(pb.ExecutionType(name="Bare")),
    ]
    types["context"] = [
        store.put_context_type(pb.ContextType(name="Run", external_id="type-run", **described)),
        store.put_context_type(pb.ContextType(name="Pipeline", version="1")),
    ]
    # The last of each kind declares nothing; the others declare all of PROPERTIES.
    return types


def set_value(value, kind, chance):
    if kind == "int":
        value.int_value = chance.choice(INTS)
    elif kind == "double":
        value.double_value = chance.choice(DOUBLES)
    elif kind == "string":
        value.string_value = chance.choice(TEXTS)
    elif kind == "struct":
        value.struct_value.update({"a": [1, {"b": None}], "ü": chance.choice(TEXTS)})
    elif kind == "proto":
        value.proto_value.Pack(struct_pb2.Value(string_value=chance.choice(TEXTS)))
    else:
        value.bool_value = chance.random() < 0.5


def fill(node, kind, number, types, chance):
    node.type_id = chance.choice(types)
    if node.type_id != types[-1]:
        for name in chance.sample(list(PROPERTIES), 2):
            set_value(node.properties[name], name, chance)
    for name in chance.sample(list(PROPERTIES), 2):
        set_value(node.custom_properties[chance.choice((name, f"né {name}.a"))], name, chance)
    if kind == "context" or chance.random() < 0.5:
        node.name = f"{kind} ünïcödé {number}"
    if chance.random() < 0.3:
        node.external_id = f"{kind}-{number}"
    return node


def put_nodes(store, kind, count, types, chance):
    build, put = {
        "artifact": (artifact, store.put_artifacts),
        "execution": (execution, store.put_executions),
        "context": (lambda _: pb.Context(), store.put_contexts),
    }[kind]
    ids = []
    for first in range(0, count, BATCH):
        numbers = range(first, min(first + BATCH, count))
        ids += put([fill(build(chance), kind, n, types, chance) for n in numbers])
    return ids


def artifact(chance):
    node = pb.Artifact()
    if chance.random() < 0.8:
        node.uri = f"/data/ü {chance.randrange(1000)}"
    if chance.random() < 0.7:
        node.state = chance.randrange(7)
    return node


def execution(chance):
    node = pb.Execution()
    if chance.random() < 0.7:
        node.last_known_state = chance.randrange(7)
    return node


def put_events(store, artifacts, executions, count, chance):
    keys = set()
    while len(keys) < count:
        key = (chance.choice(artifacts), chance.choice(executions), chance.choice(EVENT_TYPES))
        keys.add(key)
    events = []
    for artifact_id, execution_id, kind in sorted(keys, key=lambda _: chance.random()):
        event = pb.Event(artifact_id=artifact_id, execution_id=execution_id, type=kind)
        if chance.random() < 0.5:
            event.milliseconds_since_epoch = chance.choice((0, -5, 1_700_000_000_123))
        for _ in range(chance.randrange(4)):
            step = event.path.steps.add()
            if chance.random() < 0.5:
                step.index = chance.randrange(5)
            else:
                step.key = chance.choice(TEXTS)
        events.append(event)
    for first in range(0, len(events), BATCH):
        store.put_events(events[first : first + BATCH])


def put_edges(store, artifacts, executions, contexts, chance):
    attributions = {(chance.choice(contexts), node) for node in artifacts}
    associations = {(chance.choice(contexts), node) for node in executions}
    store.put_attributions_and_associations(
        [pb.Attribution(context_id=c, artifact_id=a) for c, a in sorted(attributions)],
        [pb.Association(context_id=c, execution_id=e) for c, e in sorted(associations)],
    )
    # From lower to higher ids, so there are no cycles.
    parents = {tuple(sorted(chance.sample(contexts, 2))) for _ in range(len(contexts))}
    store.put_parent_contexts([pb.ParentContext(parent_id=p, child_id=c) for p, c in parents])


def update_some(store, artifacts, chance):
    some = store.get_artifacts_by_id(chance.sample(artifacts, min(20, len(artifacts))))
    for node in some:
        node.custom_properties["updated"].string_value = "ja"
        node.uri += "?new"
    store.put_artifacts(some)


def main():
    config = text_format.Parse(sys.argv[1], pb.ConnectionConfig())
    nodes = int(sys.argv[2])
    if not config.HasField("postgresql"):
        TEXTS.append(BACKSLASH)
    chance = random.Random(7)
    store = metadata_store.MetadataStore(config, enable_upgrade_migration=True)
    types = put_types(store)
    contexts = put_nodes(store, "context", max(4, nodes // 20), types["context"], chance)
    artifacts = put_nodes(store, "artifact", nodes // 2, types["artifact"], chance)
    executions = put_nodes(
        store, "execution", nodes - nodes // 2 - len(contexts), types["execution"], chance
    )
    put_events(store, artifacts, executions, nodes, chance)
    put_edges(store, artifacts, executions, contexts, chance)
    update_some(store, artifacts, chance)


if __name__ == "__main__":
    main()
