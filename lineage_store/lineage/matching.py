"""Pairs of corresponding steps in two lineages.

Steps are of different runs, so their ids say nothing, unless it is the very same step. Walking
upstream from both ends at once, steps correspond that have one type and made what corresponds;
artifacts correspond that corresponding steps read in the same place. What is left after that is
paired by type and by the places that it reads and writes.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field

from lineage_store.entities import Artifact, Event
from lineage_store.lineage.graph import LineageGraph
from lineage_store.lineage.identity import ends, key_of, places_of
from lineage_store.lineage.labels import slot
from lineage_store.lineage.pairing import IdentityIndex, Pair, most_alike

Inputs = tuple[str | None, str | None]
"""The keys of the inputs of two steps in one place, left and right; None: there is none."""

NamedInput = tuple[str, str | None, str | None]
"""A name, and what two steps read under it, left and right; None: nothing."""


@dataclass(slots=True)
class Matching:
    """The correspondence between two lineages.

    Attributes:
        steps: Executions that correspond, but are not one node; the nearest first.
        inputs: What corresponding steps read in the same place: left and right, one of them None
            if it is only on the other side.
        shared: Keys of the nodes that are upstream of both.
        names: Of corresponding steps, what only one of them reads under a name, though the other
            reads it, too: the name, then left and right, one of them None.
    """

    steps: list[Pair] = field(default_factory=list)
    inputs: list[Inputs] = field(default_factory=list)
    shared: frozenset[str] = frozenset()
    names: dict[Pair, list[NamedInput]] = field(default_factory=dict)


def match(left: LineageGraph, right: LineageGraph) -> Matching:
    """Return the correspondence between two upstream lineages, seen from their starts."""
    return _Matcher(left, right).run()


class _Matcher:
    """Pairs the steps of two lineages.

    Args:
        left: An upstream lineage.
        right: An upstream lineage.
    """

    def __init__(self, left: LineageGraph, right: LineageGraph) -> None:
        self._left, self._right = left, right
        self._matching = Matching(shared=frozenset(key for key in _keys(left) if key in right))
        self._free_left = _unshared_steps(left, self._matching.shared)
        self._free_right = _unshared_steps(right, self._matching.shared)
        self._met: set[tuple[str | None, str | None]] = set()

    def run(self) -> Matching:
        """Return the correspondence."""
        self._follow(list(zip(self._left.start, self._right.start, strict=False)))
        for signature in (_full_signature, _signature, _type):
            for pair in self._leftovers(signature):
                self._follow(self._pair_steps(*pair))
        return self._matching

    def _follow(self, pairs: list[Pair]) -> None:
        """Pair what lies upstream of artifacts that correspond."""
        queue = deque(pairs)
        while queue:
            left, right = queue.popleft()
            if (left, right) in self._met or left == right:
                continue
            self._met.add((left, right))
            for pair in self._producers(left, right):
                queue.extend(self._pair_steps(*pair))

    def _producers(self, left: str, right: str) -> list[Pair]:
        """Return the steps that correspond among those that made two artifacts."""
        ours = [ends(e)[0] for e in self._left.into(left)]
        theirs = [ends(e)[0] for e in self._right.into(right)]
        return self._by(
            _type,
            [key for key in dict.fromkeys(ours) if key in self._free_left],
            [key for key in dict.fromkeys(theirs) if key in self._free_right],
        )

    def _leftovers(self, signature: Callable[[LineageGraph, str], Hashable]) -> list[Pair]:
        return self._by(signature, list(self._free_left), list(self._free_right))

    def _by(
        self,
        signature: Callable[[LineageGraph, str], Hashable],
        ours: list[str],
        theirs: list[str],
    ) -> list[Pair]:
        """Return pairs of steps with one signature; of several, those that are most alike."""
        groups: dict[Hashable, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
        for key in ours:
            groups[signature(self._left, key)][0].append(key)
        for key in theirs:
            groups[signature(self._right, key)][1].append(key)
        return [pair for group in groups.values() for pair in self._alike(*group)]

    def _alike(self, ours: list[str], theirs: list[str]) -> list[Pair]:
        return most_alike(self._left, ours, self._right, theirs)

    def _pair_steps(self, left: str, right: str) -> list[Pair]:
        """Note that two steps correspond; return the artifacts that therefore do."""
        if left not in self._free_left or right not in self._free_right:
            return []
        del self._free_left[left], self._free_right[right]
        self._matching.steps.append((left, right))
        inputs, names = pair_inputs(self._left, left, self._right, right)
        self._matching.inputs += inputs
        self._matching.names[left, right] = names
        return [(ours, theirs) for ours, theirs in inputs if ours and theirs]


def _keys(graph: LineageGraph) -> Iterable[str]:
    return map(key_of, graph.nodes)


def _unshared_steps(graph: LineageGraph, shared: frozenset[str]) -> dict[str, None]:
    keys = map(key_of, graph.executions)
    return dict.fromkeys(key for key in keys if key not in shared)


def _type(graph: LineageGraph, key: str) -> Hashable:
    return graph.node(key).type


def _signature(graph: LineageGraph, key: str) -> Hashable:
    reads = {name for event in graph.into(key) for name in names_of(graph, event)}
    writes = {name for event in graph.out_of(key) for name in names_of(graph, event)}
    return graph.node(key).type, frozenset(reads), frozenset(writes)


def _full_signature(graph: LineageGraph, key: str) -> Hashable:
    return graph.node(key).name, _signature(graph, key)


def names_of(graph: LineageGraph, event: Event) -> list[str]:
    """Return where in the signature of its step an artifact stands: under one name, or several.

    A name is that in the path of the event, without the number behind it; else the type of the
    artifact.
    """
    places = [[step for step in place if isinstance(step, str)] for place in places_of(event)]
    names = ["/".join(place) for place in places if place]
    if names:
        return list(dict.fromkeys(names))
    artifact = graph.node(f"artifact:{event.artifact_id}")
    return [artifact.type or slot(event)]


def pair_inputs(
    left: LineageGraph, left_step: str, right: LineageGraph, right_step: str
) -> tuple[list[Inputs], list[NamedInput]]:
    """Return the inputs of two steps in the same places, and those of one under a name of its own.

    In a place with several artifacts, the same ones are paired first, then those that are most
    alike; None stands for what the other side has more. What the other side reads as well, but
    under another name, is not more data: only the name differs.
    """
    ours, theirs = _inputs(left, left_step), _inputs(right, right_step)
    anywhere = IdentityIndex(_all(ours)), IdentityIndex(_all(theirs))
    pairs: list[Inputs] = []
    names: list[NamedInput] = []
    for place in dict.fromkeys([*ours, *theirs]):
        for one, other in _pair_place(left, ours.get(place, []), right, theirs.get(place, [])):
            is_known = (one is None and _is_read(right, other, anywhere[0])) or (
                other is None and _is_read(left, one, anywhere[1])
            )
            if is_known:
                names.append((place, one, other))
            else:
                pairs.append((one, other))
    return pairs, names


def _all(inputs: Mapping[str, list[Artifact]]) -> list[Artifact]:
    return [artifact for several in inputs.values() for artifact in several]


def _is_read(graph: LineageGraph, key: str | None, by: IdentityIndex) -> bool:
    node = None if key is None else graph.node(key)
    return isinstance(node, Artifact) and by.find(node) is not None


def _pair_place(
    left: LineageGraph, ours: list[Artifact], right: LineageGraph, theirs: list[Artifact]
) -> list[Inputs]:
    """Return the pairs of what two steps read in one place."""
    twins = IdentityIndex(theirs)
    pairs: list[Inputs] = []
    rest = []
    for artifact in ours:
        twin = twins.take(artifact)
        if twin is None:
            rest.append(key_of(artifact))
        else:
            pairs.append((key_of(artifact), key_of(twin)))
    return pairs + _pair_rest(
        left, rest, right, [key_of(artifact) for artifact in twins.remaining()]
    )


def _pair_rest(
    left: LineageGraph, ours: list[str], right: LineageGraph, theirs: list[str]
) -> list[Inputs]:
    pairs = most_alike(left, ours, right, theirs)
    paired = {key for pair in pairs for key in pair}  # ours and theirs have no key in common
    only_ours = [(key, None) for key in ours if key not in paired]
    return [*pairs, *only_ours, *((None, key) for key in theirs if key not in paired)]


def _inputs(graph: LineageGraph, step: str) -> dict[str, list[Artifact]]:
    artifacts: dict[str, dict[str, Artifact]] = defaultdict(dict)
    for event in graph.into(step):
        node = graph.node(ends(event)[0])
        if isinstance(node, Artifact):
            for name in names_of(graph, event):
                artifacts[name][key_of(node)] = node
    return {place: list(nodes.values()) for place, nodes in artifacts.items()}
