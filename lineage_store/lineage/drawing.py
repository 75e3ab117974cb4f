"""Lineage as text that Graphviz and Mermaid draw.

Names come from whoever wrote to the store, so nothing of them may act as syntax.
"""

from collections.abc import Iterable, Iterator

from lineage_store.entities import Artifact
from lineage_store.lineage.graph import LineageGraph
from lineage_store.lineage.identity import GraphNode, ends, key_of
from lineage_store.lineage.labels import details, slot, title

_MERMAID_SAFE = frozenset(" .,_-/:=+@")


def to_dot(graph: LineageGraph) -> str:
    """Return a digraph of the DOT language; artifacts are ellipses, executions boxes."""
    return "\n".join(["digraph lineage {", "  rankdir=LR;", *_dot_lines(graph), "}"]) + "\n"


def _dot_lines(graph: LineageGraph) -> Iterator[str]:
    for node in graph.nodes:
        shape = "ellipse" if isinstance(node, Artifact) else "box"
        label = '"' + r"\n".join(map(_dot_escaped, _label_lines(graph, node))) + '"'
        style = ", penwidth=2" if key_of(node) in graph.start else ""
        yield f'  "{key_of(node)}" [shape={shape}, label={label}{style}];'
    for event in graph.inner_edges:
        source, target = ends(event)
        label = _dot_escaped(slot(event))
        yield f'  "{source}" -> "{target}"' + (f' [label="{label}"];' if label else ";")


def _dot_escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"")


def to_mermaid(graph: LineageGraph) -> str:
    """Return a Mermaid flowchart; artifacts are round, executions boxes."""
    return "\n".join(["flowchart LR", *_mermaid_lines(graph)]) + "\n"


def _mermaid_lines(graph: LineageGraph) -> Iterator[str]:
    for node in graph.nodes:
        label = "<br/>".join(map(_mermaid_escaped, _label_lines(graph, node)))
        shape = f'(["{label}"])' if isinstance(node, Artifact) else f'["{label}"]'
        yield f"  {_mermaid_id(key_of(node))}{shape}"
    for event in graph.inner_edges:
        source, target = map(_mermaid_id, ends(event))
        label = _mermaid_escaped(slot(event))
        yield f"  {source} -->" + (f'|"{label}"| ' if label else " ") + target


def _mermaid_id(key: str) -> str:
    return key.replace(":", "")


def _mermaid_escaped(text: str) -> str:
    """Return a text with everything that is syntax somewhere in Mermaid or HTML as an entity."""
    return "".join(c if c.isalnum() or c in _MERMAID_SAFE else f"#{ord(c)};" for c in text)


def _label_lines(graph: LineageGraph, node: GraphNode) -> Iterable[str]:
    repeats = graph.repeats.get(key_of(node))
    return [title(node), *details(node), *([] if repeats is None else [str(repeats)])]
