"""Why two artifacts are not the same: what differs between all that lies upstream of them.

`matching` says which steps and inputs correspond. Of those, these are differences:

- STEPS: a step that only one side has.
- CODE, PARAMETERS, ENVIRONMENT: a property of corresponding steps that differs; `aspects` has the
  rules, and which values are a run's own and left out.
- DATA: what corresponding steps read in the same place, or original data that only one side has;
  of what both read, a name under which only one of them reads it ("inputs.test").
  Content decides: two artifacts with equal digests are the same wherever they are. Without
  digests, original data differs by its uri and its version. What a step of this lineage made and
  nobody hashed is known by its inputs alone, and its uri is a run's own; it differs by
  its version alone.

Differences come in this order of aspects, within an aspect the origin first.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from lineage_store import errors
from lineage_store.entities import Artifact, Execution, ExecutionState
from lineage_store.entities.plain import printable
from lineage_store.lineage.aspects import (
    Aspect,
    aspect_of,
    flat_properties,
    is_moved_path,
    is_parameter_section,
)
from lineage_store.lineage.differences import Comparison, Difference
from lineage_store.lineage.folding import original_of
from lineage_store.lineage.graph import Direction, LineageGraph
from lineage_store.lineage.identity import (
    GraphNode,
    digest_of,
    ends,
    key_of,
    parse_key,
    same_artifact,
    same_content,
    version_of,
)
from lineage_store.lineage.labels import label, title
from lineage_store.lineage.matching import Matching, match
from lineage_store.lineage.pairing import IdentityIndex, Pair


def compare(left: LineageGraph, right: LineageGraph) -> Comparison:
    """Return the differences between the upstream lineages of two artifacts.

    Raises:
        InvalidArgument: One of them was not walked upstream, or not from one artifact.
    """
    for graph in (left, right):
        _check(graph)
    matching = match(left, right)
    types = Counter(left.node(key).type for key, _ in matching.steps)
    steps = [
        [
            *_step_differences(left, right, types, pair),
            *_name_differences(left, right, _subject(left, right, types, pair), matching, pair),
        ]
        for pair in matching.steps
    ]
    differences = [difference for differing in steps for difference in differing]
    differences += [
        *_data_differences(left, right, matching),
        *_missing_steps(left, right, matching),
    ]
    shared = sum(key.startswith("execution:") for key in matching.shared)
    return Comparison(
        left=left.start[0],
        right=right.start[0],
        differences=tuple(
            sorted(differences, key=lambda difference: _rank(left, right, difference))
        ),
        shared_artifacts=_shared_artifacts(left, right),
        shared_executions=shared + sum(not differing for differing in steps),
        left_verdict=left.verdict,
        right_verdict=right.verdict,
    )


def _check(graph: LineageGraph) -> None:
    if graph.direction is not Direction.UPSTREAM or len(graph.start) != 1:
        raise errors.InvalidArgument("only upstream lineages of one artifact can be compared")
    if parse_key(graph.start[0])[0] != "artifact":
        raise errors.InvalidArgument(f"{graph.start[0]} is not an artifact")


def _rank(left: LineageGraph, right: LineageGraph, difference: Difference) -> tuple[int, int, str]:
    distance = max(
        left.hops.get(difference.left_node or "", 0), right.hops.get(difference.right_node or "", 0)
    )
    return _ORDER.index(difference.aspect), -distance, difference.name


def _step_differences(
    left: LineageGraph, right: LineageGraph, types: Counter[str | None], pair: Pair
) -> Iterator[Difference]:
    ours, theirs = left.node(pair[0]), right.node(pair[1])
    values, others = flat_properties(ours), flat_properties(theirs)
    subject = _subject(left, right, types, pair)
    for name in sorted({*values, *others}):
        aspect, one, other = aspect_of(name), values.get(name), others.get(name)
        if aspect is None or one == other or _is_moved(name, one, other):
            continue
        yield Difference(
            aspect=aspect,
            subject=subject,
            name=name,
            left=one,
            right=other,
            left_node=pair[0],
            right_node=pair[1],
        )


def _name_differences(
    left: LineageGraph, right: LineageGraph, subject: str, matching: Matching, pair: Pair
) -> Iterator[Difference]:
    """Yield the names under which only one of two steps reads what both of them read."""
    for name, one, other in matching.names.get(pair, ()):
        yield Difference(
            aspect=Aspect.DATA,
            subject=subject,
            name=f"inputs.{name}",
            left=None if one is None else label(left.node(one)),
            right=None if other is None else label(right.node(other)),
            left_node=one,
            right_node=other,
        )


def _is_moved(name: str, one: str | None, other: str | None) -> bool:
    if one is None or other is None or is_parameter_section(name):
        return False
    return is_moved_path(one, other)


def _subject(
    left: LineageGraph, right: LineageGraph, types: Counter[str | None], pair: Pair
) -> str:
    """Return the type of a step, with what tells it from others of that type."""
    ours, theirs = left.node(pair[0]), right.node(pair[1])
    if ours.name is not None and ours.name == theirs.name:
        return title(ours)
    type_name = printable(ours.type or "execution")
    if types[ours.type] == 1:
        return type_name
    output_events = left.out_of(pair[0])
    return (
        f"{type_name} of {title(left.node(ends(output_events[0])[1]))}"
        if output_events
        else type_name
    )


def _missing_steps(
    left: LineageGraph, right: LineageGraph, matching: Matching
) -> Iterator[Difference]:
    paired = {key for pair in matching.steps for key in pair} | matching.shared
    for side, graph in (("left", left), ("right", right)):
        for node in graph.executions:
            if key_of(node) not in paired and not _is_copy(graph, node):
                yield _only(Aspect.STEPS, side, node)


def _is_copy(graph: LineageGraph, node: Execution) -> bool:
    """Return whether a step was served from the cache, and the one that really ran is there."""
    return node.state is ExecutionState.CACHED and f"execution:{original_of(node)}" in graph


def _only(aspect: Aspect, side: str, node: GraphNode) -> Difference:
    """Return the difference that only one side has a node."""
    difference = Difference(aspect=aspect, subject=title(node), name="present")
    if side == "left":
        return replace(difference, left=label(node), left_node=key_of(node))
    return replace(difference, right=label(node), right_node=key_of(node))


def _data_differences(
    left: LineageGraph, right: LineageGraph, matching: Matching
) -> Iterator[Difference]:
    for one, other in dict.fromkeys(matching.inputs):
        if one is None and other is not None:
            yield _only(Aspect.DATA, "right", right.node(other))
        elif other is None and one is not None:
            yield _only(Aspect.DATA, "left", left.node(one))
        elif one is not None and other is not None:
            yield from _artifact_differences(left, one, right, other)
    yield from _missing_data(left, right, matching)


def _artifact_differences(
    left: LineageGraph, one: str, right: LineageGraph, other: str
) -> Iterator[Difference]:
    ours, theirs = left.node(one), right.node(other)
    if one == other or not (isinstance(ours, Artifact) and isinstance(theirs, Artifact)):
        return
    original = not (left.into(one) and right.into(other))
    for name, value, other_value in _what_differs(ours, theirs, original=original):
        yield Difference(
            aspect=Aspect.DATA,
            subject=title(ours) if title(ours) == title(theirs) else _both_titles(ours, theirs),
            name=name,
            left=value,
            right=other_value,
            left_node=one,
            right_node=other,
        )


def _both_titles(ours: Artifact, theirs: Artifact) -> str:
    return f"{title(ours)} / {title(theirs)}"


def _what_differs(
    ours: Artifact, theirs: Artifact, *, original: bool
) -> Iterator[tuple[str, str | None, str | None]]:
    """Yield the name of what differs, and both values; see the rules of this module."""
    same = same_content(ours, theirs)
    if same is not None:
        if not same:
            yield "digest", str(digest_of(ours)), str(digest_of(theirs))
        return
    versions = version_of(ours), version_of(theirs)
    if versions[0] != versions[1]:
        yield "version", *versions
    if not original:
        return
    if ours.uri != theirs.uri:
        yield "uri", ours.uri, theirs.uri
    elif not same_artifact(ours, theirs):
        yield "node", label(ours), label(theirs)


def _missing_data(
    left: LineageGraph, right: LineageGraph, matching: Matching
) -> Iterator[Difference]:
    """Yield the original data that only one side has, and no step reads in place of other data."""
    paired = {key for pair in matching.inputs for key in pair if key} | matching.shared
    for side, graph, opposite in (("left", left, right), ("right", right, left)):
        twins, excluded_keys = IdentityIndex(opposite.artifacts), {*paired, *graph.start}
        for node in graph.roots():
            if not isinstance(node, Artifact) or key_of(node) in excluded_keys:
                continue
            if twins.find(node) is None:
                yield _only(Aspect.DATA, side, node)


def _shared_artifacts(left: LineageGraph, right: LineageGraph) -> int:
    twins = IdentityIndex(node for node in right.artifacts if key_of(node) not in right.start)
    mine = [node for node in left.artifacts if key_of(node) not in left.start]
    return sum(twins.take(artifact) is not None for artifact in mine)


_ORDER = tuple(Aspect)
