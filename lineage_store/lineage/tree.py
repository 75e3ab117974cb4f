"""Lineage as a tree of text.

The start is at the top, and each hop is indented one step further. A node that several
ways lead to is drawn once with all that is behind it, and after that only named. Behind an
execution stands how many cached repeats are folded into it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lineage_store.entities import Event
from lineage_store.lineage.graph import Direction, LineageGraph
from lineage_store.lineage.identity import ends
from lineage_store.lineage.labels import label, slot

MAX_DEPTH = 40
"""Levels that are drawn unless told otherwise: each costs three columns."""

_SEEN = "↑ drawn above"


@dataclass(frozen=True, slots=True)
class _Line:
    """A node that is to be drawn.

    Attributes:
        key: Which.
        indent: What is in front of all lines behind its parent's.
        last: It is the last of its siblings; None: it is a start.
        event: What leads to it.
    """

    key: str
    indent: str = ""
    last: bool | None = None
    event: Event | None = None
    depth: int = 0

    @property
    def branch(self) -> str:
        if self.last is None:
            return ""
        return self.indent + ("└─ " if self.last else "├─ ")

    @property
    def inner_indent(self) -> str:
        if self.last is None:
            return ""
        return self.indent + ("   " if self.last else "│  ")


def draw(graph: LineageGraph, max_depth: int = MAX_DEPTH) -> Iterator[str]:
    """Yield the lines of the tree of a lineage.

    Args:
        graph: The lineage.
        max_depth: How deep to draw; what lies deeper is counted in the last line.
    """
    drawn_keys: set[str] = set()
    stack = [_Line(start) for start in reversed(graph.start) if start in graph]
    while stack:  # not recursive: a lineage may be deeper than the stack
        line = stack.pop()
        if line.key in drawn_keys:
            if _neighbours(graph, line):
                yield f"{line.branch}{_text(graph, line)}  {_SEEN}"
            else:
                yield f"{line.branch}{_text(graph, line)}"
            continue
        drawn_keys.add(line.key)
        yield f"{line.branch}{_text(graph, line)}"
        if line.depth < max_depth:
            stack.extend(reversed(_children(graph, line)))
    omitted_count = len(graph) - len(drawn_keys)
    if omitted_count:
        yield f"… {omitted_count:,} more, deeper than {max_depth} levels"


def _children(graph: LineageGraph, line: _Line) -> list[_Line]:
    neighbours = _neighbours(graph, line)
    return [
        _Line(key, line.inner_indent, at == len(neighbours), event, line.depth + 1)
        for at, (key, event) in enumerate(neighbours, start=1)
    ]


def _neighbours(graph: LineageGraph, line: _Line) -> list[tuple[str, Event]]:
    """Return the next nodes, each once, and an event that leads there."""
    neighbours: dict[str, Event] = {}
    if graph.direction is not Direction.DOWNSTREAM:
        for event in graph.into(line.key):
            neighbours.setdefault(ends(event)[0], event)
    if graph.direction is not Direction.UPSTREAM:
        for event in graph.out_of(line.key):
            neighbours.setdefault(ends(event)[1], event)
    if line.event is not None and graph.direction is Direction.BOTH:
        for end in ends(line.event):  # the way back
            neighbours.pop(end, None)
    return list(neighbours.items())


def _text(graph: LineageGraph, line: _Line) -> str:
    node = graph.node(line.key)
    text = label(node)
    if line.key in graph.repeats:
        text += f"  {graph.repeats[line.key]}"
    if line.event is None:
        return text
    place = slot(line.event) if node.kind.name == "artifact" else ""
    text = f"{place}: {text}" if place else text
    if graph.direction is not Direction.BOTH:
        return text
    return f"← {text}" if ends(line.event)[0] == line.key else f"→ {text}"
