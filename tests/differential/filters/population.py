"""Random stores to ask: the same requests, and so the same ids, in both.

Times are left out: each store reads its own clock.
"""

import random
from collections.abc import Iterator

from google.protobuf.message import Message

from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service
from tests.differential.peers import Store

PLAIN = ("one", "two", "three", "Two", "ONE", "a_b", "aXb", "10", "2.5", "beta", "Zed")
TRICKY = (
    "",
    " lead",
    "100%",
    "it's",
    'say "hi"',
    "naïve",
    "NAÏVE",
    "ключ",
    "数据 🎲",
    "NULL",
    "--x",
)
# What MLMD can store, but not look for.
HIDDEN = ("uri", "back\\slash", "two\nlines", "tab\there", 'it\'s "it"')
TEXTS = (*PLAIN, *TRICKY, *HIDDEN, "x" * 300)
INTEGERS = (0, 1, 2, 3, -1, 7, 10, 255, 2**40, -(2**63), 2**63 - 1)
DOUBLES = (0.0, 1.0, 1.5, 2.0, -2.25, 7.0, 0.1, 1000000.5)
DECLARED = {
    "count": pb.INT,
    "score": pb.DOUBLE,
    "label": pb.STRING,
    "flag": pb.BOOLEAN,
    "config": pb.STRUCT,
    "blob": pb.PROTO,
    "Mixed": pb.INT,
}
CUSTOM = ("note", "count", "rank", "a.b", "with blank", "ключ", "100%", "it's", "Note")
FIELDS = ("int_value", "double_value", "string_value", "bool_value")
TYPES = (("Alpha", "1"), ("Alpha", "2"), ("beta", ""), ("one", ""))
SIZES = {"artifact": 34, "execution": 20, "context": 16}
STATES = {"artifact": range(1, 7), "execution": range(1, 7)}


def fill(value: pb.Value, chance: random.Random, kind: int) -> None:
    """Set a random value of a declared type."""
    if kind == pb.INT:
        value.int_value = chance.choice(INTEGERS)
    elif kind == pb.DOUBLE:
        value.double_value = chance.choice(DOUBLES)
    elif kind == pb.STRING:
        value.string_value = chance.choice(TEXTS)
    elif kind == pb.BOOLEAN:
        value.bool_value = chance.random() < 0.5
    elif kind == pb.STRUCT:
        value.struct_value.update({"k": chance.choice(INTEGERS[:6])})
    else:
        value.proto_value.Pack(pb.Value(int_value=1))


class Population:
    """A store full of random nodes and edges.

    Attributes:
        requests: The requests that build it, on an empty store.
        sizes: How many nodes of each kind it has; their ids count from 1.
    """

    def __init__(self, seed: int, sizes: dict[str, int] | None = None, events: int = 60) -> None:
        self.sizes = sizes or SIZES
        self._chance = random.Random(seed)
        self._used_names: set[tuple[str, int, str]] = set()
        nodes = [self._types(), *(self._nodes(kind) for kind in self.sizes)]
        self.requests = [*nodes, self._memberships(), self._parents(), *self._events(events)]

    def build(self, store: Store) -> None:
        """Put everything into a store.

        Raises:
            AssertionError: The store refuses something, or hands out unexpected ids.
        """
        store.reset()
        for request in self.requests:
            method = type(request).DESCRIPTOR.name.removesuffix("Request")
            answer = store.call(method, request)
            assert answer.code == 0, f"{store.name}: {method}: {answer.message}"
            for kind, size in self.sizes.items():
                ids = getattr(answer.response, f"{kind}_ids", None)
                assert not ids or list(ids) == list(range(1, size + 1)), f"{store.name}: {ids}"

    def _types(self) -> Message:
        request = service.PutTypesRequest()
        for types in (request.artifact_types, request.execution_types, request.context_types):
            for name, version in TYPES:
                types.add(name=name, version=version or None, properties=DECLARED)
        return request

    def _nodes(self, kind: str) -> Message:
        request = getattr(service, f"Put{kind.capitalize()}sRequest")()
        first = 10 + len(TYPES) * list(SIZES).index(kind)
        for number in range(1, self.sizes[kind] + 1):
            node = getattr(request, f"{kind}s").add(type_id=first + self._chance.randrange(4))
            self._name(kind, node, number)
            self._describe(kind, node)
            self._properties(node)
        return request

    def _name(self, kind: str, node: Message, number: int) -> None:
        """Give a node a name that no other one of its type has; contexts must have one."""
        name = self._chance.choice(TEXTS)
        if kind == "context" and ("context", node.type_id, name) in self._used_names:
            name = f"c{number}"
        if kind == "context" and not name:
            name = f"C{number}"
        free = (kind, node.type_id, name) not in self._used_names
        if free and (kind == "context" or self._chance.random() < 0.8):
            node.name = name
            self._used_names.add((kind, node.type_id, name))
        if self._chance.random() < 0.4:
            node.external_id = f"{kind[0]}{number}"

    def _describe(self, kind: str, node: Message) -> None:
        if kind == "artifact" and self._chance.random() < 0.8:
            node.uri = self._chance.choice(TEXTS)
        field = {"artifact": "state", "execution": "last_known_state"}.get(kind)
        if field is not None and self._chance.random() < 0.75:
            setattr(node, field, self._chance.choice(STATES[kind]))

    def _properties(self, node: Message) -> None:
        for name, kind in DECLARED.items():
            if self._chance.random() < 0.6:
                fill(node.properties[name], self._chance, kind)
        for name in CUSTOM:
            if self._chance.random() < 0.4:
                kinds = (pb.INT, pb.DOUBLE, pb.STRING, pb.BOOLEAN, pb.STRUCT)
                fill(node.custom_properties[name], self._chance, self._chance.choice(kinds))

    def _ids(self, kind: str) -> range:
        return range(1, self.sizes[kind] + 1)

    def _pairs(self, kind: str, share: float) -> Iterator[tuple[int, int]]:
        for node in self._ids(kind):
            for context in self._ids("context"):
                if self._chance.random() < share:
                    yield node, context

    def _memberships(self) -> Message:
        request = service.PutAttributionsAndAssociationsRequest()
        for artifact, context in self._pairs("artifact", 0.08):
            request.attributions.add(artifact_id=artifact, context_id=context)
        for execution, context in self._pairs("execution", 0.1):
            request.associations.add(execution_id=execution, context_id=context)
        return request

    def _parents(self) -> Message:
        """Return edges from contexts to earlier ones, so that there is no cycle."""
        request = service.PutParentContextsRequest()
        for child, parent in self._pairs("context", 0.12):
            if parent < child:
                request.parent_contexts.add(child_id=child, parent_id=parent)
        return request

    def _events(self, count: int) -> Iterator[Message]:
        edges = {
            (
                self._chance.choice(self._ids("artifact")),
                self._chance.choice(self._ids("execution")),
                self._chance.randint(1, 7),
            )
            for _ in range(count)
        }
        request = service.PutEventsRequest()
        for artifact, execution, kind in sorted(edges):
            event = request.events.add(artifact_id=artifact, execution_id=execution, type=kind)
            event.milliseconds_since_epoch = self._chance.choice((5, 100, 1000, 2**40))
        yield request
