"""Pairs of nodes: the same ones, and those that are most alike."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator

from lineage_store.entities import Artifact
from lineage_store.lineage.aspects import flat_properties
from lineage_store.lineage.graph import LineageGraph
from lineage_store.lineage.identity import ends, identities_of, key_of, same_artifact

Pair = tuple[str, str]
"""The keys of two nodes that correspond, left and right."""

_MANY = 250_000
"""Pairs that are weighed; beyond that, nodes are paired in their order."""


def most_alike(
    left: LineageGraph, ours: list[str], right: LineageGraph, theirs: list[str]
) -> list[Pair]:
    """Return pairs of nodes, those that have the most in common first; each node is in one pair.

    The properties of a step and its inputs count, and for an artifact also those of
    the steps that made it.
    """
    if min(len(ours), len(theirs)) == 0 or len(ours) * len(theirs) > _MANY:
        return list(zip(ours, theirs, strict=False))
    pairs = dict(_best_first(left, ours, right, theirs))
    return [(ours[at], theirs[other]) for at, other in sorted(pairs.items())]


def _best_first(
    left: LineageGraph, ours: list[str], right: LineageGraph, theirs: list[str]
) -> Iterator[tuple[int, int]]:
    values = [set(_traits(left, key)) for key in ours]
    others = [set(_traits(right, key)) for key in theirs]
    ranked = sorted(
        (-len(one & other), abs(at - to), at, to)
        for at, one in enumerate(values)
        for to, other in enumerate(others)
    )
    free, left_over = set(range(len(ours))), set(range(len(theirs)))
    for _, _, at, to in ranked:
        if at in free and to in left_over:
            free.remove(at)
            left_over.remove(to)
            yield at, to


def _traits(graph: LineageGraph, key: str) -> Iterator[Hashable]:
    node = graph.node(key)
    yield node.type, node.name
    yield from flat_properties(node).items()
    for event in graph.into(key):
        source = graph.node(ends(event)[0])
        if isinstance(source, Artifact):
            yield from ((event.path, *identity) for identity in identities_of(source))
        else:
            yield from _traits(graph, key_of(source))


class IdentityIndex:
    """Finds the artifacts that are the same as others, without comparing each with each.

    Args:
        artifacts: Where to look.
    """

    def __init__(self, artifacts: Iterable[Artifact]) -> None:
        self._free = {key_of(artifact): artifact for artifact in artifacts}
        self._by_identity: dict[Hashable, list[Artifact]] = defaultdict(list)
        for artifact in self._free.values():
            for identity in identities_of(artifact):
                self._by_identity[identity].append(artifact)

    def find(self, artifact: Artifact) -> Artifact | None:
        """Return one that is the same, and not yet taken, or None."""
        for identity in identities_of(artifact):
            for twin in self._by_identity.get(identity, ()):
                if key_of(twin) in self._free and same_artifact(artifact, twin):
                    return twin
        return None

    def take(self, artifact: Artifact) -> Artifact | None:
        """Return one as `find` does, which is then taken."""
        twin = self.find(artifact)
        return None if twin is None else self._free.pop(key_of(twin))

    def remaining(self) -> list[Artifact]:
        """Return those that were not taken."""
        return list(self._free.values())
