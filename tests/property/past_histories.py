"""Random histories of a store, and every kind of read of it."""

import random
from collections.abc import Iterator
from typing import Any

from lineage_store.v1 import lineage_pb2
from lineage_store.v1 import metadata_pb2 as pb
from tests.conformance.cache_steps import key, output, record_cached, step
from tests.conformance.conftest import Call

KINDS = ("artifact", "execution", "context")

Fields = dict[str, Any]
"""The fields of a request, as plain values."""

Read = tuple[str, Fields]


class RandomHistory:
    """Writes of every kind, one at a time.

    Args:
        call: Calls the store.
        seed: Of the random numbers.
    """

    def __init__(self, call: Call, seed: int) -> None:
        self.call = call
        self.random = random.Random(seed)
        self.ids: dict[str, list[int]] = {kind: [] for kind in KINDS}
        self.types = {
            kind: call.type(kind, "T", properties={"p": pb.INT, "s": pb.STRING}) for kind in KINDS
        }
        self.events: set[tuple[int, int, int]] = set()
        self.parents: set[tuple[int, int]] = set()
        self.entries: list[int] = []
        self.count = 0

    def write(self) -> None:
        """Write something."""
        self.count += 1
        writes = (
            *(self._create, self._update, self._update, self._event, self._event),
            *(self._tie, self._parent, self._type, self._step, self._invalidate, self._report),
        )
        self.random.choice(writes)()

    def _node(self, kind: str) -> Fields:
        node: dict[str, Any] = {
            "type_id": self.types[kind],
            "properties": {"p": self.random.randrange(4)},
            "custom_properties": {"c": self.random.choice("abc")},
        }
        if kind == "artifact":
            node |= {"uri": self.random.choice(["u1", "u2"]), "state": self.random.randrange(5)}
        if kind == "execution":
            node["last_known_state"] = self.random.randrange(6)
        return node

    def _create(self) -> None:
        for kind in KINDS:
            names = [f"{kind}{self.count}-{at}" for at in range(self.random.randrange(3))]
            nodes = [self._node(kind) | {"name": name} for name in names]
            self.ids[kind] += self.call.put(kind, *nodes)

    def _update(self) -> None:
        kind = self.random.choice(KINDS)
        if self.ids[kind]:
            node_id = self.random.choice(self.ids[kind])
            name = self.random.choice(["moved", "renamed"]) + f"{node_id}"
            self.call.put(kind, self._node(kind) | {"id": node_id, "name": name})

    def _any(self, kind: str) -> int:
        if not self.ids[kind]:
            self.ids[kind] += self.call.put(kind, self._node(kind) | {"name": f"first {kind}"})
        return self.random.choice(self.ids[kind])

    def _event(self) -> None:
        edge = (self._any("artifact"), self._any("execution"), self.random.choice([3, 4]))
        if edge not in self.events:
            self.events.add(edge)
            event = dict(zip(("artifact_id", "execution_id", "type"), edge, strict=True))
            event["milliseconds_since_epoch"] = self.random.choice([1_000, 2_000_000_000_000])
            self.call("PutEvents", events=[event])

    def _tie(self) -> None:
        context = self._any("context")
        self.call(
            "PutAttributionsAndAssociations",
            attributions=[{"context_id": context, "artifact_id": self._any("artifact")}],
            associations=[{"context_id": context, "execution_id": self._any("execution")}],
        )

    def _parent(self) -> None:
        pair = sorted((self._any("context"), self._any("context")))
        if pair[0] != pair[1] and tuple(pair) not in self.parents:
            self.parents.add((pair[0], pair[1]))
            edge = {"child_id": pair[0], "parent_id": pair[1]}
            self.call("PutParentContexts", parent_contexts=[edge])

    def _type(self) -> None:
        kind = self.random.choice(KINDS)
        properties = {f"late{self.random.randrange(5)}": pb.DOUBLE}
        self.call.type(kind, "T", properties=properties)

    def _step(self) -> None:
        if self.entries and self.random.random() < 0.4:
            record_cached(self.call, f"cached{self.count}", self.random.choice(self.entries))
            return
        outputs = [output(artifact={"type": "Model", "uri": f"m{self.count}"})]
        request = step(f"step{self.count}", key(str(self.count)), outputs=outputs)
        self.entries.append(self.call("RecordStep", step=request).entry_id)

    def _invalidate(self) -> None:
        if self.entries:
            self.call(
                "Invalidate", entries={"entry_ids": [self.entries.pop()]}, why="wrong", by="me"
            )

    def _report(self) -> None:
        report = {"artifact_id": self._any("artifact"), "status": self.random.choice([1, 2])}
        self.call("ReportArtifacts", reports=[report | {"digest": f"d{self.count}"}])


FILTERS = {
    "artifact": (
        "properties.p.int_value >= 2",
        "uri = 'u1' AND state = LIVE",
        "contexts_0.name LIKE 'moved%'",
        "events_0.type = OUTPUT",
        "name LIKE 'moved%' OR custom_properties.c.string_value = 'a'",
    ),
    "execution": (
        "last_known_state = COMPLETE",
        "events_0.type = INPUT AND properties.p.int_value < 3",
        "contexts_0.custom_properties.c.string_value != 'a'",
    ),
    "context": ("parent_contexts_0.id > 0", "properties.p.int_value = 1"),
}


def reads(ids: dict[str, list[int]], rng: random.Random) -> list[Read]:
    """Return reads of every kind, about nodes that may or may not be there."""
    some = {
        kind: [rng.randrange(1, max(of, default=0) + 3) for _ in range(2)]
        for kind, of in ids.items()
    }
    return [*_node_reads(some), *_edge_reads(some), *_lineage_reads(some)]


def _node_reads(some: dict[str, list[int]]) -> Iterator[Read]:
    for kind in KINDS:
        title = kind.title()
        name = f"moved{some[kind][0]}"
        yield f"Get{title}s", {}
        yield f"Get{title}sByID", {f"{kind}_ids": some[kind]}
        yield f"Get{title}Types", {}
        yield f"Get{title}sByType", {"type_name": "T"}
        yield f"Get{title}ByTypeAndName", {"type_name": "T", f"{kind}_name": name}
        for query in FILTERS[kind]:
            yield f"Get{title}s", {"options": {"filter_query": query}}
    yield "GetArtifactsByURI", {"uris": ["u1"]}
    yield "ListEntries", {}


def _edge_reads(some: dict[str, list[int]]) -> Iterator[Read]:
    artifact, context = some["artifact"][0], some["context"][0]
    yield "GetEventsByArtifactIDs", {"artifact_ids": some["artifact"]}
    yield "GetEventsByExecutionIDs", {"execution_ids": some["execution"]}
    yield "GetContextsByArtifact", {"artifact_id": artifact}
    yield "GetArtifactsByContext", {"context_id": context}
    yield "GetExecutionsByContext", {"context_id": context}
    yield "GetParentContextsByContext", {"context_id": context}


def _lineage_reads(some: dict[str, list[int]]) -> Iterator[Read]:
    left, right = some["artifact"]
    walk = {"start": {"kind": lineage_pb2.ARTIFACT, "ids": {"ids": [left]}}}
    source = {"kind": lineage_pb2.ARTIFACT, "id": left}
    target = {"kind": lineage_pb2.EXECUTION, "id": some["execution"][0]}
    yield "Trace", {"walk": walk}
    yield "Trace", {"walk": walk | {"as_of": {"happened_by_milliseconds": 5_000}}}
    yield "Summarize", {"walk": walk}
    yield "FindPaths", {"source": source, "target": target}
    yield "Compare", {"left_artifact_id": left, "right_artifact_id": right}
