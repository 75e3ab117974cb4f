"""Cached repeats, folded into the execution that they repeat.

A nightly pipeline whose steps are served from the cache adds CACHED executions to the same
artifacts, night after night. One of them is folded into the execution that really ran, or into an
earlier repeat, if that one read and wrote at least as much: so no artifact, and no way from one
artifact to another, is hidden. A repeat with an input or an output of its own stays.
"""

from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from lineage_store.entities import Execution, ExecutionState
from lineage_store.lineage.aspects import as_text

ORIGINAL = "cached_execution_id"
"""The property, declared or custom, that names the execution that really ran."""

MAX_IDS = 100
"""Ids of folded executions that an answer names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """The cached repeats that are folded into an execution.

    Attributes:
        count: How many executions.
        ids: The lowest of their ids, MAX_IDS at most.
    """

    count: int
    ids: tuple[int, ...]

    def __str__(self) -> str:
        return f"+{self.count:,} cached"

    @classmethod
    def of(cls, ids: Iterable[int]) -> Self:
        """Return the repeats with these ids."""
        ordered = sorted(ids)
        return cls(count=len(ordered), ids=tuple(ordered[:MAX_IDS]))


@dataclass(frozen=True, slots=True)
class Flow:
    """The ids of the artifacts that an execution read and wrote, as far as events tell."""

    reads: frozenset[int] = frozenset()
    writes: frozenset[int] = frozenset()

    def covers(self, other: "Flow") -> bool:
        """Return whether an execution of this flow leads wherever one of the other does."""
        return other.reads <= self.reads and other.writes <= self.writes


def original_of(execution: Execution) -> int | None:
    """Return the id of the execution that one was served from; None: it does not say."""
    for values in (execution.custom_properties, execution.properties):
        text = as_text(values[ORIGINAL]) if ORIGINAL in values else ""
        if text.isascii() and text.isdigit():
            return int(text)
    return None


def find_repeats(
    executions: Iterable[Execution],
    flows: Mapping[int, Flow],
    *,
    keep: Collection[int] = (),
    frontier: Collection[int] = (),
) -> dict[int, int]:
    """Return which executions are folded, and into which.

    Args:
        executions: Those that may be folded, and those that they may be folded into.
        flows: What each of them read and wrote, by id.
        keep: Ids of executions that are not to be folded.
        frontier: Ids of executions from which a walk did not go on: where they lead is not known,
            so each is folded only into another of them.
    """
    into: dict[int, int] = {}
    first: dict[tuple[Hashable, Flow], int] = {}
    for execution in sorted(executions, key=lambda one: (is_cached(one), one.id or 0)):
        node_id, flow = execution.id or 0, flows.get(execution.id or 0, Flow())
        original, family = _family(execution, into)
        target = first.setdefault((family, flow), node_id)
        if original in flows and flows[original].covers(flow):
            target = original
        is_known = target in frontier or node_id not in frontier
        if is_cached(execution) and target != node_id and node_id not in keep and is_known:
            into[node_id] = target
    return into


def is_cached(execution: Execution) -> bool:
    """Return whether an execution was served from the cache."""
    return execution.state is ExecutionState.CACHED


def _family(execution: Execution, into: Mapping[int, int]) -> tuple[int, Hashable]:
    """Return the original of an execution, 0 if it names none, and what both have in common.

    What names no original, as TFX records it, is a repeat of what has its type.
    """
    original = original_of(execution) if is_cached(execution) else None
    if original is not None:
        original = into.get(original, original)
        return original, ("execution", original)
    return 0, ("type", execution.type_id or execution.type)


def grouped(into: Mapping[int, int]) -> dict[int, Repeats]:
    """Return the repeats that are folded into executions, by the id of the execution."""
    groups: dict[int, list[int]] = {}
    for node_id, target in into.items():
        groups.setdefault(target, []).append(node_id)
    return {target: Repeats.of(ids) for target, ids in groups.items()}


def flows_of(edges: Iterable[tuple[int, int, bool]]) -> dict[int, Flow]:
    """Return the flow of each execution.

    Args:
        edges: Of each event the ids of the execution and the artifact, and whether it wrote it.
    """
    ends: dict[int, tuple[set[int], set[int]]] = {}
    for execution_id, artifact_id, is_output in edges:
        ends.setdefault(execution_id, (set(), set()))[is_output].add(artifact_id)
    return {
        execution_id: Flow(frozenset(reads), frozenset(writes))
        for execution_id, (reads, writes) in ends.items()
    }


def twins(flows: Mapping[int, Flow]) -> set[int]:
    """Return the executions that wrote what another one wrote, too: only they can be repeats."""
    writers: dict[int, list[int]] = {}
    for execution_id, flow in flows.items():
        for artifact_id in flow.writes:
            writers.setdefault(artifact_id, []).append(execution_id)
    return {one for several in writers.values() if len(several) > 1 for one in several}


def repeats_to_dict(repeats: Repeats | None) -> dict[str, Any] | None:
    """Return the repeats of a node in terms of JSON, or None if there are none."""
    return None if repeats is None else {"count": repeats.count, "ids": list(repeats.ids)}
