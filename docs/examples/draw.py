"""Draws the text of `Lineage.to_dot()` as SVG, without Graphviz.

A node stands one column to the right of its last input. Each column is sorted by the average row of
its inputs, so that few edges cross.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import escape

NODE = re.compile(r'^  "([^"]+)" \[shape=(\w+), label="((?:[^"\\]|\\.)*)"', re.MULTILINE)
EDGE = re.compile(r'^  "([^"]+)" -> "([^"]+)"', re.MULTILINE)
DIGEST = re.compile(r"sha256:[0-9a-f]+")

LINE, SMALL_LINE, MARGIN = 17, 14, 16
COLUMN_GAP, ROW_GAP, PADDING = 26, 22, 10
COLOURS = {"ellipse": ("#e3f1f6", "#1f6f8b"), "box": ("#fbead9", "#c97b3d")}
RADIUS = {"ellipse": 16, "box": 3}
ARROW = (
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
    'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#777"/></marker></defs>'
)


@dataclass
class Node:
    """A node of the picture: its label, and the place of its centre."""

    shape: str
    title: str
    name: list[str]
    details: list[str]
    inputs: list[str] = field(default_factory=list)
    column: int = 0
    x: float = 0
    y: float = 0
    drawn_width: float = 0

    @property
    def width(self) -> float:
        """The width of the label, in px, for a sans-serif font of 13 px."""
        if self.shape == "lane":
            return self.drawn_width
        widest = max([7.3 * len(text) for text in self.name], default=0)
        small = max(6.1 * len(text) for text in [self.title, *self.details])
        return max(widest, small) + 2 * PADDING

    @property
    def height(self) -> float:
        """The height of the label, in px."""
        if self.shape == "lane":
            return SMALL_LINE
        small = SMALL_LINE * (1 + len(self.details))
        return small + LINE * len(self.name) + 1.2 * PADDING


def svg(dot: str) -> str:
    """Return the SVG of a graph in the DOT language, as `Lineage.to_dot()` writes it."""
    nodes = {key: _node(shape, label) for key, shape, label in NODE.findall(dot)}
    for source, target in EDGE.findall(dot):
        nodes[target].inputs.append(source)
    _set_columns(nodes)
    _add_lanes(nodes)
    width, height = _set_places(nodes)
    size = f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13">',
        ARROW,
        '<rect width="100%" height="100%" rx="8" fill="#fff"/>',
        *_drawn_edges(nodes),
        *(line for node in nodes.values() for line in _drawn_node(node)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _node(shape: str, label: str) -> Node:
    """Return a node without digests, which differ from one version of a library to the next."""
    first, *rest = label.replace(r"\"", '"').split(r"\n")
    title, _, name = first.partition(" ")
    details = [part for text in rest if not DIGEST.search(text) for part in text.split(" ")]
    return Node(shape, title, _broken(name), details)


def _broken(name: str) -> list[str]:
    """Return a name in lines: a long one is broken before its suffix or behind its hyphen."""
    if len(name) <= 12:
        return [name] if name else []
    return [part for part in re.split(r"(?<=-)|(?=\.)", name, maxsplit=1) if part]


def _set_columns(nodes: dict[str, Node]) -> None:
    for _ in nodes:  # the longest path has fewer edges than there are nodes
        for node in nodes.values():
            node.column = max((nodes[key].column + 1 for key in node.inputs), default=0)


def _add_lanes(nodes: dict[str, Node]) -> None:
    """Lead each edge that skips columns through an empty node in each of them."""
    for node in list(nodes.values()):
        node.inputs = [_lane(nodes, key, node.column - 1) for key in node.inputs]


def _lane(nodes: dict[str, Node], source: str, column: int) -> str:
    """Return the key of the node in a column through which the edges of a source are led."""
    if nodes[source].column == column:
        return source
    key = f"{source} in column {column}"
    if key not in nodes:
        before = _lane(nodes, source, column - 1)
        nodes[key] = Node("lane", "", [], [], [before], column)
    return key


def _set_places(nodes: dict[str, Node]) -> tuple[float, float]:
    """Give each node its place; return the width and height of the picture."""
    columns: list[list[Node]] = [[] for _ in range(1 + max(n.column for n in nodes.values()))]
    for node in nodes.values():
        columns[node.column].append(node)
    height = max(map(_height, columns)) + 2 * MARGIN
    x: float = MARGIN
    for column in columns:
        column.sort(key=lambda node: _average(nodes[key].y for key in node.inputs))
        width, y = max(node.width for node in column), (height - _height(column)) / 2
        for node in column:
            if node.shape == "lane":
                node.drawn_width = width
            node.x, node.y = x + width / 2, y + node.height / 2
            y += node.height + ROW_GAP
        x += width + COLUMN_GAP
    return x - COLUMN_GAP + MARGIN, height


def _height(column: list[Node]) -> float:
    return sum(node.height for node in column) + ROW_GAP * (len(column) - 1)


def _average(values: Iterable[float]) -> float:
    numbers = list(values)
    return sum(numbers) / len(numbers) if numbers else 0


def _drawn_edges(nodes: dict[str, Node]) -> Iterator[str]:
    for target in nodes.values():
        for source in (nodes[key] for key in target.inputs):
            x1, x2 = source.x + source.width / 2, target.x - target.width / 2
            middle = (x1 + x2) / 2
            curve = (
                f"M{x1:.1f} {source.y:.1f}C{middle:.1f} {source.y:.1f} "
                f"{middle:.1f} {target.y:.1f} {x2:.1f} {target.y:.1f}"
            )
            end = f"h{target.width:.1f}" if target.shape == "lane" else ""
            arrow = "" if end else ' marker-end="url(#arrow)"'
            yield f'<path d="{curve}{end}" fill="none" stroke="#777"{arrow}/>'


def _drawn_node(node: Node) -> Iterator[str]:
    if node.shape == "lane":
        return
    fill, stroke = COLOURS[node.shape]
    top = node.y - node.height / 2
    yield (
        f'<rect x="{node.x - node.width / 2:.1f}" y="{top:.1f}" width="{node.width:.1f}" '
        f'height="{node.height:.1f}" rx="{RADIUS[node.shape]}" fill="{fill}" stroke="{stroke}"/>'
    )
    bold = "" if node.name else ' font-weight="bold"'
    y = top + PADDING + 6
    yield _text(node.x, y, node.title, f' font-size="11" fill="{stroke}"' if node.name else bold)
    for name in node.name:
        y += LINE
        yield _text(node.x, y, name, ' font-weight="bold"')
    for detail in node.details:
        y += SMALL_LINE
        yield _text(node.x, y, detail, ' font-size="11" fill="#555"')


def _text(x: float, y: float, text: str, style: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle"{style}>{escape(text)}</text>'
