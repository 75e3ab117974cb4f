"""The result of a walk, and its views: graph, tree, JSON, comparison."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from html import escape
from typing import TYPE_CHECKING, Any, Self

from lineage_store.entities import Artifact, Event, Execution
from lineage_store.lineage import comparison, drawing, exports, folding, svg, tree
from lineage_store.lineage.differences import Comparison
from lineage_store.lineage.graph import Direction, LineageGraph
from lineage_store.lineage.identity import GraphNode, key, key_of, parse_key
from lineage_store.lineage.verdict import Limit, Verdict
from lineage_store.v1 import lineage_pb2 as pb

if TYPE_CHECKING:
    from networkx import MultiDiGraph


@dataclass(frozen=True, slots=True, kw_only=True)
class LineagePart:
    """A part of a lineage, as it arrives: nodes of one distance.

    Attributes:
        hop: How far the nodes are from the start.
        nodes: Artifacts and executions.
        edges: The events that the walk went over to reach them.
        verdict: Whether that is all; only the last part has one.
    """

    hop: int
    nodes: tuple[GraphNode, ...]
    edges: tuple[Event, ...]
    verdict: Verdict | None = None

    @classmethod
    def from_message(
        cls, message: pb.TraceResponse, caller_limits: frozenset[Limit] = frozenset(Limit)
    ) -> Self:
        """Return the part in a TraceResponse; for `caller_limits` see `Verdict.from_message`."""
        has_verdict = message.HasField("verdict")
        return cls(
            hop=message.hop,
            nodes=(
                *map(Artifact.from_message, message.artifacts),
                *map(Execution.from_message, message.executions),
            ),
            edges=tuple(map(Event.from_message, message.events)),
            verdict=Verdict.from_message(message.verdict, caller_limits) if has_verdict else None,
        )


@dataclass(frozen=True, kw_only=True)
class Lineage(LineageGraph):
    """The result of a walk: `nodes`, `edges`, their distances, and the `verdict` on it.

    `print(lineage)` draws it as a tree. Cached repeats are folded into what they repeat, unless
    the walk was asked for with `show_cached`: `repeats` counts them, and `whole` has them. The
    verdict is always on all that was walked.

    Attributes:
        walked: The same with each execution that was walked; None: this has all of them.
    """

    walked: "Lineage | None" = field(default=None, repr=False, compare=False)

    @property
    def whole(self) -> "Lineage":
        """The lineage with every execution that was walked, also cached repeats of others."""
        return self.walked or self

    def fold(self) -> "Lineage":
        """Return this lineage with cached repeats folded; see `lineage.folding`."""
        whole = self.whole
        steps = whole.executions
        if not any(folding.is_cached(step) for step in steps):
            return whole
        into = folding.find_repeats(
            steps,
            folding.flows_of(_ends(event) for event in whole.inner_edges),
            keep=_execution_ids(whole.start),
            frontier=_execution_ids(whole.verdict.frontier),
        )
        if not into:
            return whole
        folded_keys = {key("execution", node_id) for node_id in into}
        groups = folding.grouped(into).items()
        return replace(
            whole,
            nodes=tuple(node for node in whole.nodes if key_of(node) not in folded_keys),
            edges=tuple(event for event in whole.edges if event.execution_id not in into),
            hops={name: hop for name, hop in whole.hops.items() if name not in folded_keys},
            repeats={key("execution", target): repeats for target, repeats in groups},
            walked=whole,
        )

    def joined_by(self, parts: Iterable[LineagePart]) -> Self:
        """Return this lineage together with further parts, and the verdict of the last one."""
        nodes = {key_of(node): node for node in self.nodes}
        edges, hops, verdict = list(self.edges), dict(self.hops), self.verdict
        for part in parts:
            nodes.update((key_of(node), node) for node in part.nodes)
            hops.update((key_of(node), part.hop) for node in part.nodes)
            edges += part.edges
            verdict = verdict if part.verdict is None else part.verdict
        return replace(
            self,
            nodes=tuple(nodes.values()),
            edges=tuple(edges),
            hops=hops,
            start=tuple(key for key in nodes if hops.get(key) == 0) or self.start,
            verdict=verdict,
        )

    def to_networkx(self) -> "MultiDiGraph[str]":
        """Return a networkx.MultiDiGraph, its edges as data flows; see `lineage.exports`."""
        return exports.to_networkx(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the lineage in terms of JSON; see `lineage.exports` for its shape."""
        return exports.graph_to_dict(self)

    def to_json(self, indent: int | None = None) -> str:
        """Return the lineage as JSON; see `lineage.exports` for its shape."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False)

    def to_dot(self) -> str:
        """Return a digraph for Graphviz."""
        return drawing.to_dot(self)

    def to_mermaid(self) -> str:
        """Return a flowchart for Mermaid."""
        return drawing.to_mermaid(self)

    def to_svg(self, *, digests: bool = True) -> str:
        """Return a picture as an `<svg>` element; see `lineage.svg`.

        Args:
            digests: Whether it shows the digests of content and code.

        Raises:
            InvalidArgument: There are more nodes than a picture has room for, 200.
        """
        return svg.to_svg(self, digests=digests)

    def _repr_html_(self) -> str:
        """Return the picture for a notebook, or the tree if there are too many nodes."""
        drawing = f"<pre>{escape(self.to_text())}</pre>"
        if len(self) <= svg.MAX_NODES:
            drawing = f'<div style="overflow-x:auto">{self.to_svg()}</div>'
        return f"{drawing}<p>{escape(str(self.verdict))}</p>"

    def to_text(self, max_depth: int = tree.MAX_DEPTH) -> str:
        """Return a tree with the start at the top.

        A node that several ways lead to is drawn once with all that is behind it, and after that
        only named. What lies deeper than `max_depth` levels is counted in the last line, and if
        the lineage is not complete, the very last line says so.
        """
        lines = list(self.tree_lines(max_depth))
        return "\n".join(lines if self.verdict.complete else [*lines, str(self.verdict)])

    def tree_lines(self, max_depth: int = tree.MAX_DEPTH) -> Iterator[str]:
        """Yield the lines of the tree alone; see `to_text`."""
        return tree.draw(self, max_depth)

    def __str__(self) -> str:
        return self.to_text()

    def compare(self, other: LineageGraph) -> Comparison:
        """Return the differences between this upstream lineage and another.

        Raises:
            InvalidArgument: One of them was not walked upstream, or not from one artifact.
        """
        sides = [side.whole if isinstance(side, Lineage) else side for side in (self, other)]
        return comparison.compare(*sides)


def _ends(event: Event) -> tuple[int, int, bool]:
    return event.execution_id or 0, event.artifact_id or 0, event.type.is_output


def _execution_ids(keys: Iterable[str]) -> set[int]:
    return {node_id for kind, node_id in map(parse_key, keys) if kind == "execution"}


def empty(direction: Direction) -> Lineage:
    """Return the lineage of a walk that has not begun."""
    return Lineage(direction=direction, verdict=Verdict(complete=False))
