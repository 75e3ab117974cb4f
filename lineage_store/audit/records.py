"""Answers from the records themselves: cached or executed, corrections, late and later records."""

from collections.abc import Iterable
from dataclasses import dataclass

from lineage_store.audit.answer import Audit, Conclusion, Finding, Missing
from lineage_store.audit.material import Material
from lineage_store.audit.times import stamp_text, time_text
from lineage_store.audit.vocabulary import USER, first_value
from lineage_store.entities import Artifact, Event, Execution
from lineage_store.lineage.folding import is_cached, original_of
from lineage_store.lineage.identity import GraphNode, key_of
from lineage_store.lineage.labels import slot, title
from lineage_store.lineage.verdict import Verdict, counted

CACHE_COLUMNS = ("what", "state", "cache key", "original", "served from", "by", "at")
CHANGE_COLUMNS = ("recorded at", "what", "before", "after", "writer")
LATE_COLUMNS = ("happened at", "recorded at", "late by hours", "event", "execution")
LATER_COLUMNS = ("what", "happened at", "recorded at")

MS_IN_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class Hit:
    """The record of an execution that was served from the cache.

    Attributes:
        execution_id: Of the execution.
        source_id: Of the execution whose outputs it got, which may have been served itself.
        original_id: Of the one that ran.
        cache_key: In hexadecimal; None: it was found by its fingerprint.
        recorded_at: When, in µs since the epoch.
    """

    execution_id: int
    source_id: int
    original_id: int
    cache_key: str | None
    recorded_at: int


def executed_or_cached(
    steps: list[Execution], hits: dict[int, Hit], material: Material, subject: GraphNode
) -> Audit:
    """Return which executions ran, and which were served from which other one.

    Args:
        steps: The executions that wrote an artifact, or one.
        hits: The hits of the cache among them, by their ids.
        material: The executions with the runs that they belong to.
        subject: The artifact or the execution.
    """
    findings, absences = [], []
    for step in steps:
        hit = hits.get(step.id or 0)
        facts = material.facts(step)
        findings.append(_cached_row(step, hit, first_value(facts, USER)))
        if is_cached(step):
            who = "the store does not record who allowed a cached result to stand for a run"
            absences.append(Missing.of(step, "permission", who))
            if hit is None and original_of(step) is None:
                why = "the orchestrator did not say which execution it repeats"
                absences.append(Missing.of(step, "original", why))
    absences += [Missing.of(step, "record", why) for step, why in material.unfinished()]
    if not steps:
        absences.append(Missing.of(subject, "origin", "no execution that wrote it is recorded"))
    doubts = [lack for lack in absences if lack.field != "permission"]
    cached = sum(map(is_cached, steps))
    return Audit(
        question="executed-or-cached",
        conclusion=Conclusion.UNKNOWN if doubts else Conclusion.ANSWERED,
        statement=f"{title(subject)}: {counted(len(steps) - cached, 'execution')} that ran, "
        f"{cached} served from the cache",
        columns=CACHE_COLUMNS,
        findings=tuple(findings),
        absences=tuple(absences),
        nodes=tuple(dict.fromkeys([key_of(subject), *map(key_of, steps)])),
    )


def _cached_row(step: Execution, hit: Hit | None, user: str | None) -> Finding:
    fact = "cached" if is_cached(step) else "executed"
    if hit is None:
        original = original_of(step) if is_cached(step) else None
        named = None if original is None else f"execution:{original}"
        return Finding.of(
            step, fact, step.state, None, named, None, user, time_text(step.create_time)
        )
    ids = (f"execution:{hit.original_id}", f"execution:{hit.source_id}")
    return Finding.of(
        step, fact, step.state, hit.cache_key, *ids, user, stamp_text(hit.recorded_at)
    )


@dataclass(frozen=True, slots=True)
class Change:
    """A fact about an artifact that the store recorded.

    Attributes:
        recorded_at: When, in µs since the epoch.
        what: "version 2: stage", "event OUTPUT", "member of Pipeline churn".
        before: The value before, if it replaced one.
        after: The value after.
        writer: The host and process that wrote it, if it is known.
        node: The other node that it is about, or None.
    """

    recorded_at: int
    fact: str
    before: str = ""
    after: str = ""
    writer: str = ""
    node: str | None = None


def between(subject: Artifact, changes: Iterable[Change], after: int, until: int) -> Audit:
    """Return the facts on an artifact that were recorded after one time and until another."""
    rows = sorted(
        (change for change in changes if after < change.recorded_at <= until),
        key=lambda change: change.recorded_at,
    )
    nodes = [key_of(subject), *(change.node for change in rows if change.node)]
    return Audit(
        question="between",
        conclusion=Conclusion.ANSWERED,
        statement=f"{counted(len(rows), 'fact')} on {title(subject)} recorded after "
        f"{stamp_text(after)} and until {stamp_text(until)}",
        columns=CHANGE_COLUMNS,
        findings=tuple(
            Finding.of(
                subject, stamp_text(row.recorded_at), row.fact, row.before, row.after, row.writer
            )
            for row in rows
        ),
        nodes=tuple(dict.fromkeys(nodes)),
    )


@dataclass(frozen=True, slots=True)
class LateEvent:
    """An event that was recorded after it had happened.

    Attributes:
        artifact: The artifact.
        event: The event.
        recorded_at: When the store learned of it, in µs since the epoch.
    """

    artifact: Artifact
    event: Event
    recorded_at: int


def late_records(late: Iterable[LateEvent], later_than_ms: int, *, has_more: bool) -> Audit:
    """Return events that were recorded later than some time after they had happened."""
    rows = list(late)
    more = ", and more that are not listed" if has_more else ""
    findings = [
        Finding.of(
            row.artifact,
            time_text(row.event.time),
            stamp_text(row.recorded_at),
            f"{(row.recorded_at // 1000 - (row.event.time or 0)) / MS_IN_HOUR:.1f}",
            row.event.type,
            f"execution:{row.event.execution_id}",
        )
        for row in rows
    ]
    ids = [f"execution:{row.event.execution_id}" for row in rows]
    return Audit(
        question="late-records",
        conclusion=Conclusion.UNKNOWN if has_more else Conclusion.ANSWERED,
        statement=f"{counted(len(rows), 'event')} recorded more than "
        f"{later_than_ms / MS_IN_HOUR:g} hours after it had happened{more}",
        columns=LATE_COLUMNS,
        findings=tuple(findings),
        nodes=tuple(dict.fromkeys([*(key_of(row.artifact) for row in rows), *ids])),
    )


def learned_later(
    happened: Material, recorded: Material, stamps: dict[tuple[int, int], int], moment: int
) -> Audit:
    """Return the events that had happened by a time, and of which the store learned afterwards.

    Args:
        happened: The lineage bounded by the time of events.
        recorded: The lineage bounded by the time of records.
        stamps: When each event was recorded, by the ids of its artifact and execution, in µs.
        moment: The time, in µs since the epoch.
    """
    sighting = {
        (event.artifact_id, event.execution_id, event.type) for event in recorded.graph.edges
    }
    later = [
        event
        for event in happened.graph.edges
        if (event.artifact_id, event.execution_id, event.type) not in sighting
    ]
    verdict = _worse(happened.verdict, recorded.verdict)
    return Audit(
        question="learned-later",
        conclusion=Conclusion.ANSWERED if verdict.complete else Conclusion.UNKNOWN,
        statement=f"of {counted(len(happened.graph.edges), 'event')} by {stamp_text(moment)}, the "
        f"store knew {len(happened.graph.edges) - len(later)} then and learned "
        f"{len(later)} later",
        columns=LATER_COLUMNS,
        findings=tuple(_later(happened, event, stamps) for event in later),
        verdict=verdict,
        nodes=happened.keys,
    )


def _later(material: Material, event: Event, stamps: dict[tuple[int, int], int]) -> Finding:
    stamp = stamps.get((event.artifact_id or 0, event.execution_id or 0))
    place = f" {slot(event)}" if slot(event) else ""
    fact = f"{event.type}{place} of execution:{event.execution_id}"
    recorded = None if stamp is None else stamp_text(stamp)
    return Finding.of(material.artifact(event), fact, time_text(event.time), recorded)


def _worse(left: Verdict, right: Verdict) -> Verdict:
    return right if left.complete else left
