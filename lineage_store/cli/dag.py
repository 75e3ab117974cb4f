"""A directed acyclic graph as lines of text, one node a line, its edges as lanes beside it.

●    ingest
├─╮
● │  validate
├─╯
●    split
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

MAX_LANES = 24
"""Edges side by side; a graph that is wider is a list."""

_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
_SIGNS = {
    0: " ",
    _UP | _DOWN: "│",
    _LEFT | _RIGHT: "─",
    _UP | _RIGHT: "╰",
    _UP | _LEFT: "╯",
    _DOWN | _RIGHT: "╭",
    _DOWN | _LEFT: "╮",
    _UP | _DOWN | _RIGHT: "├",
    _UP | _DOWN | _LEFT: "┤",
    _UP | _LEFT | _RIGHT: "┴",
    _DOWN | _LEFT | _RIGHT: "┬",
    _UP | _DOWN | _LEFT | _RIGHT: "┼",
}


def in_order(before: Mapping[int, Collection[int]]) -> list[int]:
    """Return nodes, each behind all that come before it, else in the order in which they are given.

    Args:
        before: For each node those that come directly before it. What is on a cycle, which data can
            not be, comes last.
    """
    predecessors = {node: set(others) & before.keys() - {node} for node, others in before.items()}
    after: dict[int, list[int]] = {node: [] for node in before}
    for node, others in predecessors.items():
        for other in others:
            after[other].append(node)
    ordered: dict[int, None] = {}
    ready = [node for node, others in reversed(predecessors.items()) if not others]
    while ready:
        node = ready.pop()
        ordered[node] = None
        freed = [follower for follower in after[node] if predecessors[follower] <= ordered.keys()]
        ready.extend(reversed(freed))
    return [*ordered, *(node for node in before if node not in ordered)]


def draw(before: Mapping[int, Collection[int]]) -> Iterator[tuple[str, int | None]]:
    """Yield the lines of the drawing: its lanes, and the node of the line, or None.

    Args:
        before: For each node those that come directly before it.
    """
    order = in_order(before)
    places = {node: at for at, node in enumerate(order)}
    lines = list(_lines(order, _followers(before, places)))
    width = max((len(lanes) for lanes, _ in lines), default=0)
    if width > 2 * MAX_LANES:
        yield from (("●", node) for node in order)
    else:
        yield from ((lanes.ljust(width), node) for lanes, node in lines)


def _followers(
    before: Mapping[int, Collection[int]], places: Mapping[int, int]
) -> dict[int, list[int]]:
    """Return for each node those that come directly after it, in their order."""
    followers: dict[int, list[int]] = {node: [] for node in places}
    for node in sorted(before, key=places.__getitem__):
        for other in before[node]:
            if other in places and places[other] < places[node]:
                followers[other].append(node)
    return followers


def _lines(
    order: Sequence[int], followers: Mapping[int, Sequence[int]]
) -> Iterator[tuple[str, int | None]]:
    lanes: list[int | None] = []
    end_lane = -1
    for node in order:
        mine = [at for at, target in enumerate(lanes) if target == node]
        place = mine[0] if mine else _free(lanes)
        if len(mine) > 1:
            yield _joint(lanes, place, mine, _UP), None
        elif place == end_lane and not mine:  # nothing leads here from the node above
            yield _row(lanes), None
        for at in mine:
            lanes[at] = None
        yield _row(lanes, place), node
        open_lanes = _open(lanes, place, followers[node])
        end_lane = -1 if open_lanes else place
        if len(open_lanes) > 1:
            yield _joint(lanes, place, open_lanes, _DOWN), None


def _free(lanes: list[int | None]) -> int:
    if None not in lanes:
        lanes.append(None)
    return lanes.index(None)


def _open(lanes: list[int | None], place: int, targets: Sequence[int]) -> list[int]:
    """Let a lane lead to each target, the first from where the node is; return their places."""
    open_lanes = []
    for at, target in enumerate(targets):
        lane = place if at == 0 else _free(lanes)
        lanes[lane] = target
        open_lanes.append(lane)
    return open_lanes


def _row(lanes: Sequence[object], place: int | None = None) -> str:
    signs = ["│" if target is not None else " " for target in lanes]
    if place is not None:
        signs[place] = "●"
    return " ".join(signs).rstrip()


def _joint(lanes: Sequence[object], place: int, ends: Collection[int], side: int) -> str:
    """Return the line on which lanes come together at a place, or part from there.

    Args:
        lanes: What each lane leads to.
        place: Where the node is.
        ends: The lanes that come together or part.
        side: _UP if they come from above, _DOWN if they go on below.
    """
    low, high = min(place, *ends), max(place, *ends)
    text = ""
    for at, target in enumerate(lanes):
        signs = 0
        if at == place:
            signs = _UP | _DOWN
        elif at in ends:
            signs = side
        elif target is not None:
            signs = _UP | _DOWN
        signs |= _LEFT if low < at <= high else 0
        signs |= _RIGHT if low <= at < high else 0
        text += _SIGNS[signs] + ("─" if low <= at < high else " ")
    return text.rstrip()
