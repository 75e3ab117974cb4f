"""Paths between two artifacts, and differences, as answers of an audit."""

from collections.abc import Iterator

from lineage_store.audit.answer import Audit, Conclusion, Finding
from lineage_store.audit.times import time_text
from lineage_store.entities import Artifact
from lineage_store.lineage.aspects import flat_properties
from lineage_store.lineage.differences import Comparison
from lineage_store.lineage.identity import key, key_of
from lineage_store.lineage.labels import slot, title
from lineage_store.lineage.paths import Path, Paths
from lineage_store.lineage.verdict import counted

PATH_COLUMNS = ("path", "place", "event", "input or output", "happened at")
DIFFERENCE_COLUMNS = ("aspect", "name", "left", "right", "right node")
SUBJECT = "SUBJECT"
"""The aspect of properties of the two artifacts themselves, such as their metrics."""


def paths(ways: Paths, source: str, target: str) -> Audit:
    """Return the ways from a source to a target, event by event."""
    count = len(ways.paths)
    conclusion = Conclusion.YES if count else Conclusion.NO
    if not count and not ways.verdict.complete:
        conclusion = Conclusion.UNKNOWN
    findings = [row for at, path in enumerate(ways.paths, 1) for row in _rows(at, path)]
    shortest = f"; the shortest has {counted(len(ways.paths[0].edges), 'event')}" if count else ""
    return Audit(
        question="paths",
        conclusion=conclusion,
        statement=f"{counted(count, 'way')} from {source} to {target}{shortest}",
        columns=PATH_COLUMNS,
        findings=tuple(findings),
        verdict=ways.verdict,
        nodes=tuple(dict.fromkeys(key_of(node) for path in ways.paths for node in path.nodes)),
    )


def _rows(at: int, path: Path) -> Iterator[Finding]:
    for place, node in enumerate(path.nodes):
        event = path.edges[place - 1] if place else None
        if event is None:
            yield Finding.of(node, at, place, None, None, None)
        else:
            happened = time_text(event.time)
            yield Finding.of(node, at, place, event.type, slot(event), happened)


def differences(comparison: Comparison, left: Artifact, right: Artifact) -> Audit:
    """Return the differences between two artifacts, and between all that they were made from."""
    rows = [
        Finding(row.left_node or row.right_node, row.subject,
                (str(row.aspect), row.name, row.left or "", row.right or "", row.right_node or ""))
        for row in comparison.differences
    ]  # fmt: skip
    own = list(_own_differences(left, right))
    verdict = comparison.left_verdict
    if verdict.complete:
        verdict = comparison.right_verdict
    return Audit(
        question="differences",
        conclusion=Conclusion.ANSWERED if comparison.complete else Conclusion.UNKNOWN,
        statement=f"{counted(len(rows), 'difference')} upstream of {title(left)} and "
        f"{title(right)}, {counted(len(own), 'property').replace('ys', 'ies')} of their own; the "
        f"same on both sides: {counted(comparison.shared_artifacts, 'artifact')}, "
        f"{counted(comparison.shared_executions, 'step')}",
        columns=DIFFERENCE_COLUMNS,
        findings=(*own, *rows),
        verdict=verdict,
        nodes=(key_of(left), key_of(right)),
    )


def _own_differences(left: Artifact, right: Artifact) -> Iterator[Finding]:
    sides = [{"type": node.type or "", **flat_properties(node)} for node in (left, right)]
    for name in sorted(sides[0].keys() | sides[1].keys()):
        values = [side.get(name, "") for side in sides]
        if values[0] != values[1]:
            row = (SUBJECT, name, *values, key("artifact", right.id))
            yield Finding.of(left, *row)
