"""A small lineage in the shape of a diamond, and the walks of LineageService over it."""

from lineage_store.v1 import lineage_pb2
from lineage_store.v1 import metadata_pb2 as pb

INPUT, OUTPUT, INTERNAL_INPUT = pb.Event.INPUT, pb.Event.OUTPUT, pb.Event.INTERNAL_INPUT
UPSTREAM, DOWNSTREAM, BOTH = 1, 2, 3
ARTIFACT, EXECUTION = lineage_pb2.ARTIFACT, lineage_pb2.EXECUTION


def event(artifact, execution, event_type, **fields):
    return {"artifact_id": artifact, "execution_id": execution, "type": event_type, **fields}


def put_diamond(call):
    """Put a1 -> e1 -> a2, a3; a2 -> e2 -> a4; a3 -> e3 -> a4, happening one after the other."""
    data, model = call.type(name="Data"), call.type(name="Model")
    step, train = call.type("execution", "Step"), call.type("execution", "Train")
    types = [data, data, data, model]
    call.put(
        "artifact", *[{"type_id": t, "name": f"a{i}", "uri": "u"} for i, t in enumerate(types, 1)]
    )
    call.put(
        "execution",
        *[{"type_id": t, "name": f"e{i}"} for i, t in enumerate([step, train, train], 1)],
    )
    edges = [
        (1, 1, INPUT),
        (2, 1, OUTPUT),
        (3, 1, OUTPUT),
        (2, 2, INPUT),
        (4, 2, OUTPUT),
        (3, 3, INTERNAL_INPUT),
        (4, 3, OUTPUT),
    ]
    call(
        "PutEvents",
        events=[event(*edge, milliseconds_since_epoch=at) for at, edge in enumerate(edges)],
    )


def start(*ids, kind=ARTIFACT):
    return {"kind": kind, "ids": {"ids": ids}}


def trace(call, *ids, kind=ARTIFACT, budget=None, ids_only=False, token=None, **walk):
    """Return the parts of a trace, the last of which alone has a verdict."""
    walk = {"start": start(*ids, kind=kind), **walk} if ids else walk
    request = {"walk": walk, "budget": budget or {}, "ids_only": ids_only}
    if token is not None:
        request["resume_token"] = token
    parts = call.stream("Trace", **request)
    assert [part.HasField("verdict") for part in parts] == [False] * (len(parts) - 1) + [True]
    return parts


def names(parts):
    """Hop by hop: "a4 | e2 e3 | ..."."""
    hops = {}
    for part in parts[:-1]:
        nodes = [f"a{node.id}" for node in part.artifacts]
        nodes += [f"e{node.id}" for node in part.executions]
        hops.setdefault(part.hop, []).extend(sorted(nodes))
    assert list(hops) == sorted(hops)
    return " | ".join(" ".join(nodes) for nodes in hops.values())


def edges(parts):
    return sorted((e.artifact_id, e.execution_id, e.type) for part in parts for e in part.events)
