"""The events of nodes, in the order in which a walk goes over them."""

from collections.abc import Collection, Sequence
from heapq import merge
from operator import itemgetter

import numpy as np

from lineage_store.kinds import ARTIFACT, EXECUTION, NodeKind
from lineage_store.lineage.adjacency.graph import View
from lineage_store.lineage.adjacency.rows import Choice, choice
from lineage_store.lineage.source import Edge, Position, other, sides

BATCH = 8_192
"""Events that are looked at together; a node with more is read alone."""

_ORDERS = {kind: itemgetter(*sides(kind), 3) for kind in (ARTIFACT, EXECUTION)}

_Place = tuple[int, int, int]
"""The id at the far end of an event, its type, its number."""


def edges(
    view: View,
    kind: NodeKind,
    ids: Sequence[int],
    types: Collection[int] | None,
    after: Position | None,
    limit: int,
    *,
    with_bodies: bool,
) -> list[Edge]:
    """Return events of some nodes, as `Source.events` does, with numbers in the place of ids."""
    event_choice = choice(None if types is None else frozenset(types))
    edges_so_far: list[Edge] = []
    if after is not None and ids and ids[0] == after[0]:
        edges_so_far += _one(
            view, kind, ids[0], event_choice, after[1:], limit, with_bodies=with_bodies
        )
        ids = ids[1:]
    nodes = view.numbers(kind, ids)
    while len(nodes) and len(edges_so_far) < limit:
        room = limit - len(edges_so_far)
        ends = np.cumsum(view.degrees(kind, nodes))
        count = int(np.searchsorted(ends, min(BATCH, 4 * room + 64)))
        if count:
            part = view.edges(
                view.many(kind, nodes[:count], event_choice)[0], with_bodies=with_bodies
            )
            part.sort(key=_ORDERS[kind])
        else:  # a node with many events
            count, node_id = 1, view.id(kind, int(nodes[0]))
            part = _one(view, kind, node_id, event_choice, (0, 0), room, with_bodies=with_bodies)
        edges_so_far += part[:room]
        nodes = nodes[count:]
    return edges_so_far


def _one(
    view: View,
    kind: NodeKind,
    node_id: int,
    event_choice: Choice,
    behind: tuple[int, int],
    most: int,
    *,
    with_bodies: bool,
) -> list[Edge]:
    """Return the first events of a node behind a place."""
    number = view.number(kind, node_id)
    if number is None:
        return []
    places = _places(view, kind, number, event_choice, behind, most)
    return [view.edge(event, with_body=with_bodies) for _, _, event in places[:most]]


def _places(
    view: View, kind: NodeKind, node: int, event_choice: Choice, behind: tuple[int, int], most: int
) -> list[_Place]:
    """Return the first events of a node behind a place, in order; not all of them if it has many.

    A node may have a million events: those in the columns are found by bisection.
    """
    runs = [
        _run(view, kind, half, event_choice, behind, most)
        for half in view.halves(kind, node, event_choice)
    ]
    recent = view.recent(kind, node)
    if recent:
        runs.append(sorted(_allowed_places(view, kind, recent, event_choice, behind)))
    return list(merge(*runs)) if len(runs) > 1 else [place for run in runs for place in run]


def _run(
    view: View,
    kind: NodeKind,
    half: "np.ndarray[tuple[int], np.dtype[np.int32]]",
    event_choice: Choice,
    behind: tuple[int, int],
    most: int,
) -> list[_Place]:
    low, high = 0, len(half) if behind != (0, 0) else 0
    while low < high:  # the first event whose far end is not before the place
        middle = (low + high) // 2
        if view.id(other(kind), view.end(other(kind), int(half[middle]))) < behind[0]:
            low = middle + 1
        else:
            high = middle
    run: list[_Place] = []
    while low < len(half) and len(run) < most:
        part = half[low : low + most + 1].tolist()
        run += _allowed_places(view, kind, part, event_choice, behind)
        low += len(part)
    return run


def _allowed_places(
    view: View, kind: NodeKind, events: Sequence[int], event_choice: Choice, behind: tuple[int, int]
) -> list[_Place]:
    far = other(kind)
    places = [(view.id(far, view.end(far, e)), view.type(e), e) for e in events]
    return [
        place
        for place in places
        if place[:2] > behind and (event_choice.types is None or place[1] in event_choice.types)
    ]
