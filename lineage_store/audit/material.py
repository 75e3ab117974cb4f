"""A lineage with all that an audit reads besides: runs, reports of payloads, types of models."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from lineage_store.audit.vocabulary import values_of
from lineage_store.entities import Artifact, Event, Execution, ExecutionState, Node
from lineage_store.lineage.graph import LineageGraph
from lineage_store.lineage.identity import GraphNode, ends, key, key_of
from lineage_store.lineage.verdict import Verdict

GAP = "incomplete"
"""The last part of the property of a step that could not be recorded whole, "log.incomplete"."""

_ENDED = {ExecutionState.COMPLETE, ExecutionState.CACHED}


@dataclass(frozen=True, slots=True)
class Report:
    """The last sight of the payload of an artifact.

    Attributes:
        is_present: Whether it was there.
        digest: Of the content that was seen; empty: nobody said.
        by: Who looked.
        recorded_at: When, in µs since the epoch.
    """

    is_present: bool
    digest: str
    by: str
    recorded_at: int


@dataclass(frozen=True, kw_only=True)
class Material:
    """All that the answer to a question on one artifact is made from.

    Attributes:
        graph: The lineage of the artifact.
        runs: The executions and contexts of the whole runs that an execution belongs to, by its
            key.
        reports: The last sight of payloads, by the ids of artifacts.
        model_types: The names of the types of models.
    """

    graph: LineageGraph
    runs: Mapping[str, tuple[Node, ...]] = field(default_factory=dict)
    reports: Mapping[int, Report] = field(default_factory=dict)
    model_types: frozenset[str] = frozenset()

    @property
    def subject(self) -> Artifact:
        """The artifact that the question is about."""
        node = self.graph.node(self.graph.start[0])
        assert isinstance(node, Artifact)  # noqa: S101 - walks of audits begin at artifacts
        return node

    @property
    def verdict(self) -> Verdict:
        """The verdict on the lineage."""
        return self.graph.verdict

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The keys of all nodes."""
        return tuple(map(key_of, self.graph.nodes))

    def facts(self, execution: Execution) -> dict[str, str]:
        """Return the properties of an execution, and those of its run where it has none."""
        facts = values_of(execution)
        for run in self.runs.get(key_of(execution), ()):
            facts = values_of(run) | facts
        return facts

    def artifact(self, event: Event) -> Artifact:
        """Return the artifact of an event."""
        node = self.graph.node(key("artifact", event.artifact_id))
        assert isinstance(node, Artifact)  # noqa: S101 - by its key
        return node

    def inputs(self, execution: Execution) -> list[Event]:
        """Return the events over which an execution read."""
        return self.graph.into(key_of(execution))

    def outputs(self, execution: Execution) -> list[Event]:
        """Return the events over which an execution wrote."""
        return self.graph.out_of(key_of(execution))

    def sources(self) -> list[Artifact]:
        """Return the artifacts that no execution wrote."""
        return [node for node in self.graph.artifacts if not self.graph.into(key_of(node))]

    def steps_without_inputs(self) -> list[Execution]:
        """Return the executions that wrote something, and read nothing."""
        return [
            step for step in self.graph.executions if not self.inputs(step) and self.outputs(step)
        ]

    @cached_property
    def doubts(self) -> dict[str, str]:
        """Why the record of an execution may lack a part, by its key."""
        reasons = {}
        for step in self.graph.executions:
            gap = values_of(step).get(GAP)
            if gap is not None:
                reasons[key_of(step)] = f"a part of it could not be recorded: {gap}"
            elif step.state not in _ENDED:
                state = step.state or "UNKNOWN"
                reasons[key_of(step)] = f"its state is {state}, so its record may lack events"
        return reasons

    def unfinished(self) -> Iterator[tuple[GraphNode, str]]:
        """Yield the executions whose record may lack a part, and why."""
        return ((self.graph.node(name), why) for name, why in self.doubts.items())

    def is_model(self, artifact: Artifact) -> bool:
        """Return whether an artifact is a model."""
        return is_model(artifact, self.model_types)


def is_model(artifact: Artifact, model_types: Collection[str]) -> bool:
    """Return whether an artifact is a model: by the base of its type, or by its name."""
    return artifact.type in model_types or (artifact.type or "").lower().endswith("model")


def order_of(graph: LineageGraph) -> list[GraphNode]:
    """Return the nodes so that each comes after its inputs, as far as there is no cycle."""
    open_inputs = {key_of(node): len(graph.into(key_of(node))) for node in graph.nodes}
    ready = [name for name, count in open_inputs.items() if not count][::-1]
    rest = dict.fromkeys(open_inputs)
    ordered: list[GraphNode] = []
    while rest:
        name = ready.pop() if ready else next(iter(rest))
        if name not in rest:
            continue
        del rest[name]
        ordered.append(graph.node(name))
        for event in graph.out_of(name):
            target = ends(event)[1]
            open_inputs[target] -= 1
            if open_inputs[target] == 0 and target in rest:
                ready.append(target)
    return ordered
