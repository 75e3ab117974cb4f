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
"""Events that are looked at together; a node with more is gone over by itself."""

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
    chosen = choice(None if types is None else frozenset(types))
    found: list[Edge] = []
    if after is not None and ids and ids[0] == after[0]:
        found += _one(view, kind, ids[0], chosen, after[1:], limit, with_bodies=with_bodies)
        ids = ids[1:]
    nodes = view.numbers(kind, ids)
    while len(nodes) and len(found) < limit:
        room = limit - len(found)
        ends = np.cumsum(view.degrees(kind, nodes))
        count = int(np.searchsorted(ends, min(BATCH, 4 * room + 64)))
        if count:
            part = view.edges(view.many(kind, nodes[:count], chosen)[0], with_bodies=with_bodies)
            part.sort(key=_ORDERS[kind])
        else:  # a node with many events
            count, node_id = 1, view.id(kind, int(nodes[0]))
            part = _one(view, kind, node_id, chosen, (0, 0), room, with_bodies=with_bodies)
        found += part[:room]
        nodes = nodes[count:]
    return found


def _one(
    view: View,
    kind: NodeKind,
    node_id: int,
    chosen: Choice,
    behind: tuple[int, int],
    most: int,
    *,
    with_bodies: bool,
) -> list[Edge]:
    """Return the first events of a node behind a place."""
    number = view.number(kind, node_id)
    if number is None:
        return []
    places = _places(view, kind, number, chosen, behind, most)
    return [view.edge(event, with_body=with_bodies) for _, _, event in places[:most]]


def _places(
    view: View, kind: NodeKind, node: int, chosen: Choice, behind: tuple[int, int], most: int
) -> list[_Place]:
    """Return the first events of a node behind a place, in order; not all of them if it has many.

    A node may have a million events: those in the columns are found by bisection.
    """
    runs = [
        _run(view, kind, half, chosen, behind, most) for half in view.halves(kind, node, chosen)
    ]
    recent = view.recent(kind, node)
    if recent:
        runs.append(sorted(_chosen(view, kind, recent, chosen, behind)))
    return list(merge(*runs)) if len(runs) > 1 else [place for run in runs for place in run]


def _run(
    view: View,
    kind: NodeKind,
    half: "np.ndarray[tuple[int], np.dtype[np.int32]]",
    chosen: Choice,
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
        run += _chosen(view, kind, part, chosen, behind)
        low += len(part)
    return run


def _chosen(
    view: View, kind: NodeKind, events: Sequence[int], chosen: Choice, behind: tuple[int, int]
) -> list[_Place]:
    far = other(kind)
    places = [(view.id(far, view.end(far, e)), view.type(e), e) for e in events]
    return [
        place
        for place in places
        if place[:2] > behind and (chosen.types is None or place[1] in chosen.types)
    ]
