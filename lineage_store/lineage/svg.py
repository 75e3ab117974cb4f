"""A lineage as an SVG picture, for notebooks and pages; needs no other program.

Data flows from left to right. A node stands one column to the right of its last input, and each
column is sorted by the average row of its inputs, so that few edges cross (Sugiyama's method with
one sweep). An edge that skips columns runs through a lane in each of them.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape

from lineage_store import errors
from lineage_store.entities import Artifact
from lineage_store.lineage.graph import LineageGraph
from lineage_store.lineage.identity import GraphNode, ends, key_of
from lineage_store.lineage.labels import details, title

MAX_NODES = 200
"""Nodes of one picture: a larger one can't be read."""

_LONGEST_LINE, _SHORT_NAME, _MAX_LINES = 28, 12, 5
_DIGEST = re.compile(r"\b(?:sha256:)?[0-9a-f]{12}")
_LINE, _SMALL_LINE, _MARGIN, _PADDING = 17, 14, 16, 10
_COLUMN_GAP, _ROW_GAP = 26, 22
_WIDTH, _SMALL_WIDTH = 7.3, 6.1
_ARTIFACT, _EXECUTION = ("#e3f1f6", "#1f6f8b", 16), ("#fbead9", "#c97b3d", 3)
_ARROW = (
    '<defs><marker id="lineage-arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
    'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#777"/></marker></defs>'
)


@dataclass(frozen=True)
class _Label:
    """The text in a box.

    Attributes:
        type_name: The type of the node; the headline if it has no name.
        name: Its name, in one or two lines.
        details: Smaller lines below.
    """

    type_name: str
    name: tuple[str, ...]
    details: tuple[str, ...]

    @property
    def width(self) -> float:
        """In px, for a sans-serif font."""
        widest = max(map(len, self.name or (self.type_name,)))
        smallest = max(map(len, (self.type_name, *self.details)))
        return max(_WIDTH * widest, _SMALL_WIDTH * smallest) + 2 * _PADDING

    @property
    def height(self) -> float:
        """In px."""
        small = _SMALL_LINE * (len(self.details) + bool(self.name))
        return small + _LINE * max(1, len(self.name)) + 1.2 * _PADDING


@dataclass
class _Box:
    """The place of a node, or of the lane of edges that skip a column.

    Attributes:
        label: Its type, its name, perhaps broken, and details; None for a lane.
        colours: Fill, stroke and the radius of the corners.
        inputs: The keys of the boxes that lead into it.
        column: Its column, from the left.
        x: The centre, in px.
        y: The centre, in px.
        width: In px.
    """

    label: "_Label | None" = None
    colours: tuple[str, str, int] = _ARTIFACT
    inputs: list[str] = field(default_factory=list)
    column: int = 0
    x: float = 0
    y: float = 0
    width: float = 0

    @property
    def height(self) -> float:
        """In px."""
        return _SMALL_LINE if self.label is None else self.label.height


def to_svg(graph: LineageGraph, *, digests: bool = True) -> str:
    """Return an `<svg>` element; artifacts are round, executions boxes.

    Args:
        graph: The lineage.
        digests: Whether labels show the digests of content and code.

    Raises:
        InvalidArgument: The lineage has more than MAX_NODES nodes.
    """
    if len(graph) > MAX_NODES:
        raise errors.InvalidArgument(
            f"the lineage has {len(graph)} nodes; a picture has at most {MAX_NODES}: walk fewer "
            "hops, or take to_dot()"
        )
    boxes = {key_of(node): _box(node, digests=digests) for node in graph.nodes}
    for event in graph.inner_edges:
        source, target = ends(event)
        if source not in boxes[target].inputs:
            boxes[target].inputs.append(source)
    _set_columns(boxes)
    _add_lanes(boxes)
    width, height = _set_places(boxes)
    size = f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif">'
    background = '<rect width="100%" height="100%" rx="8" fill="#fff"/>'
    shapes = [*_edges(boxes), *(line for key, box in boxes.items() for line in _node(key, box))]
    return "\n".join([opening, _ARROW, background, *shapes, "</svg>"]) + "\n"


def _box(node: GraphNode, *, digests: bool) -> _Box:
    type_name, _, name = title(node).partition(" ")
    lines = [line for text in details(node) for line in _lines(text)]
    lines = [line for line in lines if digests or not _DIGEST.search(line)]
    label = _Label(
        _shortened(type_name), _broken(_shortened(name)), tuple(map(_shortened, lines[:_MAX_LINES]))
    )
    colours = _ARTIFACT if isinstance(node, Artifact) else _EXECUTION
    return _Box(label, colours, width=label.width)


def _lines(text: str) -> list[str]:
    """Return parameters one by one, anything else as it is."""
    return text.split(" ") if "=" in text else [text]


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_LINE else f"{text[: _LONGEST_LINE - 1]}…"


def _broken(name: str) -> tuple[str, ...]:
    """Return a name in lines: a long one breaks before its suffix or behind a hyphen."""
    if len(name) <= _SHORT_NAME:
        return (name,) if name else ()
    return tuple(part for part in re.split(r"(?<=[-_/])|(?=\.)", name, maxsplit=1) if part)


def _set_columns(boxes: dict[str, _Box]) -> None:
    """Place each box right of its inputs; an input that would close a cycle is left out."""
    outputs: dict[str, list[str]] = {key: [] for key in boxes}
    for key, box in boxes.items():
        for source in box.inputs:
            outputs[source].append(key)
    open_inputs = {key: len(box.inputs) for key, box in boxes.items()}
    ready = deque(key for key, count in open_inputs.items() if not count)
    unplaced = dict.fromkeys(boxes)
    while unplaced:
        key = ready.popleft() if ready else next(iter(unplaced))
        if key not in unplaced:
            continue
        del unplaced[key]
        boxes[key].inputs = [source for source in boxes[key].inputs if source not in unplaced]
        for target in outputs[key]:
            boxes[target].column = max(boxes[target].column, boxes[key].column + 1)
            open_inputs[target] -= 1
            if not open_inputs[target]:
                ready.append(target)


def _add_lanes(boxes: dict[str, _Box]) -> None:
    """Lead each edge that skips columns through a lane in each of them."""
    for box in list(boxes.values()):
        box.inputs = [_lane(boxes, source, box.column - 1) for source in box.inputs]


def _lane(boxes: dict[str, _Box], source: str, column: int) -> str:
    """Return the key of the lane of a source in a column, or of the source if it stands there."""
    for between in range(boxes[source].column + 1, column + 1):
        before = source if between == boxes[source].column + 1 else f"{source}>{between - 1}"
        boxes.setdefault(f"{source}>{between}", _Box(inputs=[before], column=between))
    return source if column <= boxes[source].column else f"{source}>{column}"


def _set_places(boxes: dict[str, _Box]) -> tuple[float, float]:
    """Give each box its place; return the width and height of the picture."""
    columns: list[list[_Box]] = [
        [] for _ in range(1 + max((box.column for box in boxes.values()), default=0))
    ]
    for box in boxes.values():
        columns[box.column].append(box)
    height = max(map(_column_height, columns)) + 2 * _MARGIN
    x: float = _MARGIN
    for column in columns:
        column.sort(key=lambda box: _mean(boxes[source].y for source in box.inputs))
        width = max((box.width for box in column), default=0)
        y = (height - _column_height(column)) / 2
        for box in column:
            box.width = width if box.label is None else box.width
            box.x, box.y = x + width / 2, y + box.height / 2
            y += box.height + _ROW_GAP
        x += width + _COLUMN_GAP
    return x - _COLUMN_GAP + _MARGIN, height


def _column_height(column: Sequence[_Box]) -> float:
    return sum(box.height for box in column) + _ROW_GAP * max(0, len(column) - 1)


def _mean(numbers: Iterable[float]) -> float:
    values = list(numbers)
    return sum(values) / len(values) if values else 0


def _edges(boxes: dict[str, _Box]) -> Iterator[str]:
    for target in boxes.values():
        for source in (boxes[key] for key in target.inputs):
            x1, x2 = source.x + source.width / 2, target.x - target.width / 2
            middle = (x1 + x2) / 2
            curve = (
                f"M{x1:.1f} {source.y:.1f}C{middle:.1f} {source.y:.1f} "
                f"{middle:.1f} {target.y:.1f} {x2:.1f} {target.y:.1f}"
            )
            end = "" if target.label else f"h{target.width:.1f}"
            arrow = "" if end else ' marker-end="url(#lineage-arrow)"'
            yield f'<path d="{curve}{end}" fill="none" stroke="#777"{arrow}/>'


def _node(key: str, box: _Box) -> Iterator[str]:
    if box.label is None:
        return
    fill, stroke, radius = box.colours
    corner, y = box.x - box.width / 2, box.y - box.height / 2
    yield (
        f'<g><title>{escape(key)}</title><rect x="{corner:.1f}" y="{y:.1f}" '
        f'width="{box.width:.1f}" height="{box.height:.1f}" rx="{radius}" fill="{fill}" '
        f'stroke="{stroke}"/>'
    )
    y += _PADDING + 6
    if box.label.name:
        yield _text(box.x, y, box.label.type_name, f'font-size="11" fill="{stroke}"')
        y += _LINE
    for at, line in enumerate(box.label.name or (box.label.type_name,)):
        yield _text(box.x, y + _LINE * at, line, 'font-size="13" font-weight="bold" fill="#222"')
    y += _LINE * max(0, len(box.label.name) - 1)
    for line in box.label.details:
        y += _SMALL_LINE
        yield _text(box.x, y, line, 'font-size="11" fill="#555"')
    yield "</g>"


def _text(x: float, y: float, text: str, style: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" {style}>{escape(text)}</text>'
