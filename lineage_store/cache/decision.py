"""Whether an entry is good enough: what must hold of it, its source and its outputs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lineage_store.cache.slots import Place, label
from lineage_store.database.staging.artifact_reports import Report
from lineage_store.database.staging.cache_entries import Entry
from lineage_store.entities import Artifact
from lineage_store.lineage.identity import same_content
from lineage_store.v1 import cache_pb2
from lineage_store.v1 import metadata_pb2 as pb

Reason = cache_pb2.LookupResult.Miss

FINISHED = frozenset({pb.Execution.COMPLETE, pb.Execution.CACHED})
"""The states of an execution whose outputs may be used."""

US_PER_MS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Which entries are good enough; times in ms.

    Attributes:
        max_age: How old an entry may be; None: any age.
        not_before: Published at this time or later; None: at any time.
        require_live: Whether all outputs must be LIVE.
        verified_within: How long ago each output may have been verified; None: need not be.
    """

    max_age: int | None = None
    not_before: int | None = None
    require_live: bool = True
    verified_within: int | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """An artifact that an execution wrote, and where."""

    place: Place
    artifact: Any


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a lookup may answer.

    Attributes:
        execution: The source; None if it is not there.
        outputs: What it wrote, ordered by place.
        published_at: From when on its age counts, in ms.
        entry: The entry; None for an execution that was found by its fingerprint.
    """

    execution: Any
    outputs: Sequence[Output]
    published_at: int
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a candidate is not good enough.

    Attributes:
        reason: A LookupResult.Miss.Reason.
        detail: One sentence.
        artifact_id: The output that is at fault; None: it is not one of them.
    """

    reason: cache_pb2.LookupResult.Miss.Reason
    detail: str
    artifact_id: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The newest candidate that is good enough, or what is wrong with the newest one.

    Attributes:
        candidate: The one chosen, or the newest one; None: there is none.
        fault: What is wrong with it; None: it is a hit.
    """

    candidate: Candidate | None
    fault: Fault | None


@dataclass(frozen=True, slots=True)
class Judge:
    """Decides by one policy at one time.

    Attributes:
        policy: The policy.
        now: The time in ms.
        reports: The newest report on each artifact that has any.
    """

    policy: Policy
    now: int
    reports: Mapping[int, Report] = field(default_factory=dict)

    def decide(self, candidates: Sequence[Candidate]) -> Decision:
        """Choose among candidates, newest first."""
        first: Decision | None = None
        for candidate in candidates:
            fault = next(self._faults(candidate), None)
            if fault is None:
                return Decision(candidate, None)
            first = first or Decision(candidate, fault)
        return first or Decision(None, Fault(Reason.NEVER_SEEN, "nothing was published for it"))

    def _faults(self, candidate: Candidate) -> Iterator[Fault]:
        if candidate.entry is not None:
            yield from self._faults_of_entry(candidate.entry)
        if candidate.execution is None or candidate.execution.last_known_state not in FINISHED:
            yield Fault(Reason.SOURCE_NOT_COMPLETE, _state_of(candidate.execution))
        yield from self._faults_of_age(candidate.published_at)
        for check in (self._missing, self._not_live, self._not_verified):
            for output in candidate.outputs:
                yield from check(output)

    def _faults_of_entry(self, entry: Entry) -> Iterator[Fault]:
        if entry.invalidated_at is not None:
            by = f" by {entry.invalidated_by}" if entry.invalidated_by else ""
            why = f": {entry.invalidated_why}" if entry.invalidated_why else ""
            yield Fault(Reason.INVALIDATED, f"it was invalidated{by}{why}")
        if entry.expires_at is not None and entry.expires_at <= self.now:
            since = self.now - entry.expires_at
            yield Fault(Reason.EXPIRED, f"it expired {_duration(since)} ago")

    def _faults_of_age(self, published_at: int) -> Iterator[Fault]:
        age = self.now - published_at
        if self.policy.max_age is not None and age > self.policy.max_age:
            allowed = _duration(self.policy.max_age)
            yield Fault(Reason.TOO_OLD, f"it is {_duration(age)} old; {allowed} are allowed")
        if self.policy.not_before is not None and published_at < self.policy.not_before:
            early = _duration(self.policy.not_before - published_at)
            yield Fault(Reason.TOO_OLD, f"it was published {early} too early")

    def _missing(self, output: Output) -> Iterator[Fault]:
        if output.artifact is None:
            yield Fault(Reason.OUTPUT_MISSING, f"{label(output.place)} is not in the store")
            return
        report = self.reports.get(output.artifact.id)
        if report is not None and report.status == cache_pb2.ArtifactReport.MISSING:
            by = f" by {report.by}" if report.by else ""
            detail = f"the payload of {_named(output)} was reported missing{by}"
            yield Fault(Reason.OUTPUT_MISSING, detail, output.artifact.id)

    def _not_live(self, output: Output) -> Iterator[Fault]:
        state = output.artifact.state
        if self.policy.require_live and state != pb.Artifact.LIVE:
            detail = f"{_named(output)} is {pb.Artifact.State.Name(state)}, not LIVE"
            yield Fault(Reason.OUTPUT_NOT_LIVE, detail, output.artifact.id)

    def _not_verified(self, output: Output) -> Iterator[Fault]:
        if self.policy.verified_within is None:
            return
        detail = self._unverified(output, self.policy.verified_within)
        if detail is not None:
            yield Fault(Reason.NOT_VERIFIED, f"{_named(output)} {detail}", output.artifact.id)

    def _unverified(self, output: Output, within: int) -> str | None:
        report = self.reports.get(output.artifact.id)
        if report is None:
            return "was never verified"
        ago = self.now - report.recorded_at // US_PER_MS
        if ago > within:
            return f"was verified {_duration(ago)} ago; {_duration(within)} are allowed"
        if report.digest and _contradicts(output.artifact, report.digest):
            return "was seen with another digest than the recorded one"
        return None


def _contradicts(artifact: Any, digest: str) -> bool:
    seen = Artifact(custom_properties={"digest": digest})
    return same_content(Artifact.from_message(artifact), seen) is False


def _named(output: Output) -> str:
    return f"{label(output.place)} (artifact {output.artifact.id})"


def _state_of(execution: Any) -> str:
    if execution is None:
        return "its execution is not in the store"
    state = pb.Execution.State.Name(execution.last_known_state)
    return f"execution {execution.id} is {state}, not COMPLETE"


def _duration(milliseconds: int) -> str:
    """Return a duration for people: "1.5 s"."""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000)):
        if milliseconds >= size:
            return f"{milliseconds / size:.3g} {unit}"
    return f"{milliseconds} ms"
