"""Valid requests of every RPC, on a store that is filled first."""

import hashlib
import random
from collections.abc import Callable
from contextlib import closing
from typing import Any

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from lineage_store.client.channel import GrpcTransport
from lineage_store.v1 import metadata_pb2 as pb
from tests.conformance.conftest import request_of

NODES = 60
"""Nodes of each kind that the store is filled with; requests name these."""

KINDS = ("artifact", "execution", "context")
FILTERS = (
    "id > 3",
    "name LIKE 'n%' AND type = 'A0'",
    "properties.p.int_value > 3 OR custom_properties.s.string_value = 'x'",
    "custom_properties.f.double_value * 2 >= 1.5",
    "contexts_a.name = 'n1' AND contexts_a.type = 'C0'",
    "events_0.type = OUTPUT AND events_0.execution_id < 50",
    "uri IN ('u1', 'u2', 'u3') OR id NOT IN (4, 5, -6)",
    "CASE WHEN id = 3 THEN TRUE ELSE name IS NULL END",
    "create_time_since_epoch > TIMESTAMP('2026-01-31T00:00:00Z')",
    "LENGTH(name) BETWEEN 1 AND 5 AND NOT (id = 7)",
)
PATHS = (
    "name",
    "uri",
    "properties.p",
    "custom_properties",
    "custom_properties.s",
    "last_known_state",
)
STRUCT = pb.ArtifactStructType()
STRUCT.dict.properties["a"].list.element.any.SetInParent()


def key(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()


class World:
    """The nodes of the store that requests may name.

    Attributes:
        types: The ids of the types of each kind.
        tokens: Page and resume tokens that were answered, by field.
    """

    def __init__(self, address: str) -> None:
        self.types: dict[str, list[int]] = {}
        self.tokens: dict[str, list[Any]] = {
            "next_page_token": [],
            "page_token": [],
            "resume_token": [],
        }
        with closing(GrpcTransport(address)) as transport:
            self._fill(transport)

    def _fill(self, transport: GrpcTransport) -> None:
        for kind in KINDS:
            self.types[kind] = [self._put_type(transport, kind, at) for at in range(3)]
        for kind in KINDS:
            _put(transport, f"Put{kind.title()}s", {f"{kind}s": self._nodes(kind)})
        _put_edges(transport)
        for at in range(20):
            _put(transport, "RecordStep", {"step": step(at)})

    def _put_type(self, transport: GrpcTransport, kind: str, at: int) -> int:
        properties = {"p": pb.INT, "q": pb.STRING}
        fields = {f"{kind}_type": {"name": f"{kind[0].upper()}{at}", "properties": properties}}
        type_id: int = _put(transport, f"Put{kind.title()}Type", fields).type_id
        return type_id

    def _nodes(self, kind: str) -> list[dict[str, object]]:
        nodes: list[dict[str, object]] = [
            {
                "type_id": self.types[kind][at % 3],
                "name": f"n{at}",
                "external_id": f"{kind}-x{at}",
                "properties": {"p": at},
                "custom_properties": {"s": "x", "f": at / 4},
            }
            for at in range(NODES)
        ]
        if kind == "artifact":
            for at, node in enumerate(nodes):
                node["uri"] = f"u{at}"
        return nodes


def _put_edges(transport: GrpcTransport) -> None:
    events = [
        {"artifact_id": at + 1, "execution_id": (at + shift) % NODES + 1, "type": kind}
        for at in range(0, NODES, 2)
        for shift, kind in ((0, pb.Event.OUTPUT), (3, pb.Event.INPUT))
    ]
    _put(transport, "PutEvents", {"events": events})
    links = {
        "attributions": [{"artifact_id": at, "context_id": at} for at in range(1, NODES)],
        "associations": [{"execution_id": at, "context_id": at} for at in range(1, NODES)],
    }
    _put(transport, "PutAttributionsAndAssociations", links)
    parents = [{"child_id": at + 1, "parent_id": at} for at in range(1, NODES, 3)]
    _put(transport, "PutParentContexts", {"parent_contexts": parents})


def _put(transport: GrpcTransport, method: str, fields: dict[str, object]) -> Any:
    return transport.call(method, request_of(method, fields))


def step(number: int) -> dict[str, Any]:
    """Return a step that publishes under a key of its own."""
    return {
        "key": f"run/{number}",
        "create_types": True,
        "execution": {
            "type": "Train",
            "last_known_state": pb.Execution.COMPLETE,
            "custom_properties": {"lr": 0.5},
        },
        "inputs": [{"name": "data", "index": 0, "artifact": {"id": number % NODES + 1}}],
        "outputs": [
            {"name": "model", "index": 0, "artifact": {"type": "Model", "uri": f"m{number}"}}
        ],
        "contexts": [{"type": "Run", "name": f"run{number % 7}"}],
        "cache": {
            "digest": key(number),
            "components": [{"name": "code", "value": str(number)}],
            "output_parameters": {"accuracy": 0.9},
        },
    }


Template = Callable[[random.Random, World], dict[str, Any]]


def _event(chance: random.Random) -> dict[str, Any]:
    return {
        "type": chance.choice([pb.Event.INPUT, pb.Event.OUTPUT]),
        "path": {"steps": [{"key": "a"}, {"index": 3}]},
        "milliseconds_since_epoch": chance.randrange(10**12),
    }


def _node(chance: random.Random, world: World, kind: str) -> dict[str, Any]:
    node: dict[str, Any] = {
        "type_id": chance.choice(world.types[kind]),
        "name": f"{kind}-{chance.randrange(10**9)}",
        "properties": {"p": chance.randrange(9), "q": "text"},
        "custom_properties": {"s": "x", "f": chance.random(), "b": True},
    }
    return node


def _walk(chance: random.Random) -> dict[str, Any]:
    start = chance.choice(
        [
            {"ids": {"ids": [chance.randrange(1, NODES)]}},
            {"filter_query": chance.choice(FILTERS[:4])},
            {"named": {"type": "A0", "name": "n3"}},
        ]
    )
    return {
        "start": {"kind": 1, **start},
        "max_hops": chance.randrange(6),
        "direction": chance.choice([1, 2, 3]),
    }


TEMPLATES: dict[str, Template] = {
    "PutExecution": lambda c, w: {
        "execution": _node(c, w, "execution"),
        "artifact_event_pairs": [{"artifact": _node(c, w, "artifact"), "event": _event(c)}],
        "contexts": [_node(c, w, "context")],
    },
    "PutLineageSubgraph": lambda c, w: {
        "artifacts": [_node(c, w, "artifact")],
        "executions": [_node(c, w, "execution")],
        "contexts": [_node(c, w, "context")],
        "event_edges": [{"artifact_index": 0, "execution_index": 0, "event": _event(c)}],
    },
    "PutTypes": lambda c, w: {
        "artifact_types": [{"name": f"T{c.randrange(50)}", "properties": {"p": pb.INT}}],
        "execution_types": [
            {
                "name": f"T{c.randrange(50)}",
                "properties": {"p": pb.INT},
                "input_type": STRUCT,
            }
        ],
        "can_add_fields": True,
        "can_omit_fields": True,
    },
    **{
        f"Put{kind.title()}s": lambda c, w, kind=kind: {f"{kind}s": [_node(c, w, kind)]}
        for kind in KINDS
    },  # type: ignore[misc]
    **{
        f"Put{kind.title()}Type": lambda c, w, kind=kind: {  # type: ignore[misc]
            f"{kind}_type": {"name": f"T{c.randrange(50)}", "properties": {"p": pb.INT}},
            "can_add_fields": True,
            "can_omit_fields": True,
        }
        for kind in KINDS
    },
    "RecordStep": lambda c, w: {"step": step(c.randrange(10**6))},
    "RecordSteps": lambda c, w: {"steps": [step(c.randrange(10**6)), step(c.randrange(10**6))]},
    "RecordCached": lambda c, w: {
        "step": {
            "key": f"cached/{c.randrange(10**6)}",
            "create_types": True,
            "execution": {"type": "Train"},
        },
        "entry_id": c.randrange(1, 20),
    },
    "Lookup": lambda c, w: {
        "keys": [{"digest": key(c.randrange(40))}, {"fingerprint": "f"}],
        **({"claim": {"holder": "h", "lease_milliseconds": 1000}} if c.random() < 0.5 else {}),
    },
    "Claim": lambda c, w: {
        "digest": key(c.randrange(1000)),
        "holder": "h",
        "lease_milliseconds": 1000,
    },
    "Heartbeat": lambda c, w: {
        "claims": [{"digest": key(c.randrange(1000)), "holder": "h", "token": 1}]
    },
    "Release": lambda c, w: {
        "claims": [{"digest": key(c.randrange(1000)), "holder": "h", "token": 1}]
    },
    "Wait": lambda c, w: {"digests": [key(c.randrange(1000))], "max_milliseconds": c.randrange(50)},
    "Invalidate": lambda c, w: {
        "entries": {"entry_ids": [c.randrange(1, 20)]},
        "dry_run": c.random() < 0.8,
        "transitive": c.random() < 0.5,
        "why": "w",
    },
    "ReportArtifacts": lambda c, w: {
        "reports": [{"artifact_id": c.randrange(1, NODES), "status": 1, "digest": "d"}]
    },
    "Explain": lambda c, w: {"components": [{"name": "code", "value": "3"}]},
    "CacheStats": lambda c, w: {},
    "ListEntries": lambda c, w: {
        "entries": {"digests": [key(c.randrange(20))]} if c.random() < 0.5 else {},
        "max_result_size": c.randrange(1, 9),
    },
    "Trace": lambda c, w: {
        "walk": _walk(c),
        "ids_only": c.random() < 0.5,
        "budget": {"max_nodes": 500},
    },
    "Summarize": lambda c, w: {"walk": _walk(c)},
    "FindPaths": lambda c, w: {
        "source": {"kind": 1, "id": c.randrange(1, NODES)},
        "target": {"kind": 2, "id": c.randrange(1, NODES)},
        "direction": c.choice([1, 2, 3]),
        "max_hops": 6,
    },
    "Compare": lambda c, w: {
        "left_artifact_id": c.randrange(1, NODES),
        "right_artifact_id": c.randrange(1, NODES),
    },
    "GetLineageGraph": lambda c, w: {
        "options": {
            "artifacts_options": {"max_result_size": 5, "filter_query": c.choice(FILTERS[:4])},
            "stop_conditions": {"max_num_hops": 3},
            "max_node_size": 50,
        }
    },
    "GetLineageSubgraph": lambda c, w: {
        "lineage_subgraph_query_options": {
            "starting_artifacts": {"filter_query": c.choice(FILTERS[:4])},
            "max_num_hops": 4,
            "direction": c.choice([1, 2, 3]),
        }
    },
}


def valid_request(method: Any, chance: random.Random, world: World) -> Message:
    """Return a request of an RPC that should be answered well, as a rule."""
    if method.name in TEMPLATES:
        return request_of(method.name, TEMPLATES[method.name](chance, world))
    request = GetMessageClass(method.input_type)()
    fill(request, chance, world)
    return request


def fill(message: Message, chance: random.Random, world: World) -> None:
    """Set the fields of a message, by their names, to nodes of the store."""
    for field in message.DESCRIPTOR.fields:
        if field.name == "transaction_options" or chance.random() < 0.2:
            continue
        if isinstance(getattr(message, field.name), Message):
            if field.message_type.full_name.startswith("google.") is False:
                getattr(message, field.name).SetInParent()
                fill(getattr(message, field.name), chance, world)
        elif field.type == field.TYPE_MESSAGE:
            _add(getattr(message, field.name), chance, world)
        else:
            _set(message, field, chance, world)


def _add(container: Any, chance: random.Random, world: World) -> None:
    if hasattr(container, "add"):
        fill(container.add(), chance, world)


def _set(message: Message, field: Any, chance: random.Random, world: World) -> None:
    value = value_of(field, chance, world)
    if value is None:
        return
    target = getattr(message, field.name)
    if isinstance(target, (str, bytes, int, float)):
        setattr(message, field.name, value)
    else:
        target.append(value)


def value_of(field: Any, chance: random.Random, world: World) -> Any:
    """Return a value for a field that is no message, fit for its name; None: better none."""
    if field.name in world.tokens:
        tokens = world.tokens[field.name]
        return chance.choice(tokens) if tokens else None
    if field.name in {"type_id", "type_ids"}:
        return chance.choice(chance.choice(list(world.types.values())))
    if field.type == field.TYPE_STRING:
        return _text(field.name, field, chance)
    if field.type == field.TYPE_ENUM:
        return chance.choice([value.number for value in field.enum_type.values])
    of_type = {
        field.TYPE_BYTES: key(chance.randrange(20)),
        field.TYPE_BOOL: chance.random() < 0.5,
        field.TYPE_DOUBLE: chance.random(),
        field.TYPE_FLOAT: chance.random(),
    }
    return of_type.get(field.type, chance.randrange(1, NODES))


def _text(name: str, field: Any, chance: random.Random) -> str | None:
    number = chance.randrange(NODES)
    owner = field.containing_type.name
    kind = next((kind for kind in KINDS if kind.title() in owner), "artifact")
    if name in {"type_name", "type"}:
        return f"{kind[0].upper()}{number % 3}"
    if name in {"type_version", "artifact_view", "base_type"}:
        return None
    if name.endswith("external_ids") or name == "external_id":
        return f"{kind}-x{number}"
    if name == "filter_query":
        return chance.choice(FILTERS)
    if name == "paths":
        return chance.choice(PATHS)
    return f"u{number}" if name.startswith("uri") else f"n{number}"
